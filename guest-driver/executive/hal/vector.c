/*
 * Vectors: many common buffers of one size, made and freed together.
 *
 * Each element is a common buffer of its own, contiguous in itself only.
 *
 * SPDX-License-Identifier: MIT
 */
#include "adapter.h"

#define VECTOR_TAG              'tceV'
#define VECTOR_SIGNATURE        0x76636562u

struct _DMA_COMMON_BUFFER_VECTOR {
    ULONG Signature;
    ULONG Count;
    HAL_ADAPTER *Adapter;
    HAL_SITE Allocated, Freed;
    HAL_BUFFER *Elements[];     /* NULL: freed */
};

static HAL_LATE FreedVectors;

/* False: it was freed already, perhaps just now by another processor. */
static bool Give(PDMA_COMMON_BUFFER_VECTOR Vector, ULONG Index, PCSTR Routine)
{
    HAL_BUFFER *element = InterlockedExchangePointer(
        (PVOID volatile *)&Vector->Elements[Index], NULL);

    if (element) {
        HalpGiveBuffer(Vector->Adapter, Routine, element);
    }
    return element != NULL;
}

static void GiveAll(PDMA_COMMON_BUFFER_VECTOR Vector, PCSTR Routine)
{
    for (ULONG i = Vector->Count; i--;) {
        Give(Vector, i, Routine);
    }
    HalpNoteSite(&Vector->Freed, Routine);
    HalpFreeLate(&FreedVectors, Vector, VECTOR_TAG);
}

/* NULL: no memory. */
static PDMA_COMMON_BUFFER_VECTOR NewVector(HAL_ADAPTER *Adapter, ULONG Count)
{
    SIZE_T size = sizeof(DMA_COMMON_BUFFER_VECTOR) +
                  (SIZE_T)Count * sizeof(HAL_BUFFER *);
    PDMA_COMMON_BUFFER_VECTOR vector = ExAllocatePoolWithTag(NonPagedPool, size,
                                                             VECTOR_TAG);

    if (vector) {
        RtlZeroMemory(vector, size);
        vector->Signature = VECTOR_SIGNATURE;
        vector->Count = Count;
        vector->Adapter = Adapter;
    }
    return vector;
}

/* False: not all fit; those that did are in the vector. */
static bool TakeAll(PDMA_COMMON_BUFFER_VECTOR Vector, PCSTR Routine,
                    const MI_CONTIGUOUS *Request, SIZE_T Length)
{
    for (ULONG i = 0; i < Vector->Count; i++) {
        MI_CONTIGUOUS request = *Request;
        HAL_BUFFER *element = HalpTakeBuffer(Vector->Adapter, Routine, &request,
                                             Length,
                                             Request->Cache == MmCached);

        if (!element) {
            return false;
        }
        element->InVector = TRUE;
        Vector->Elements[i] = element;
    }
    return true;
}

/* LowAddress and HighAddress are the first and the last address of the range. */
NTSTATUS NTAPI HalpAllocateCommonBufferVector(
    PDMA_ADAPTER DmaAdapter, PHYSICAL_ADDRESS LowAddress,
    PHYSICAL_ADDRESS HighAddress, MEMORY_CACHING_TYPE CacheType,
    ULONG IdealNode, ULONG Flags, ULONG NumberOfElements,
    ULONGLONG SizeOfElements, PDMA_COMMON_BUFFER_VECTOR *VectorOut)
{
    static const char routine[] = "AllocateCommonBufferVector";
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, routine);
    MI_CONTIGUOUS request = {
        .Low = (ULONGLONG)LowAddress.QuadPart,
        .High = (ULONGLONG)HighAddress.QuadPart,
        .Varying = MAXULONGLONG,
        .Length = SizeOfElements,
        .Node = IdealNode,
        .Cache = CacheType,
    };
    PDMA_COMMON_BUFFER_VECTOR vector;

    HalpRequirePassive(adapter, routine);
    *VectorOut = NULL;
    if (!NumberOfElements || !SizeOfElements || request.Low > request.High ||
        SizeOfElements - 1 > request.High - request.Low ||
        !HalpNodeExists(IdealNode) ||
        !HalpApplyFlags(Flags, CacheType, &request)) {
        return STATUS_INVALID_PARAMETER;
    }
    vector = NewVector(adapter, NumberOfElements);
    if (!vector) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (!TakeAll(vector, routine, &request, SizeOfElements)) {
        vector->Signature = 0;
        GiveAll(vector, routine);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    HalpNoteSite(&vector->Allocated, routine);
    *VectorOut = vector;
    return STATUS_SUCCESS;
}

static void Unknown(const HAL_ADAPTER *Adapter,
                    PDMA_COMMON_BUFFER_VECTOR Vector, PCSTR Routine)
{
    const struct _DMA_COMMON_BUFFER_VECTOR *freed =
        HalpFindLate(&FreedVectors, Vector, NULL);

    HalpBreach(&(HAL_BREACH){
        .Rule = HalRuleVectorUnknown,
        .Routine = Routine,
        .Adapter = Adapter,
        .Allocated = freed ? &freed->Allocated : NULL,
        .Freed = freed ? &freed->Freed : NULL,
        .Actual = (ULONG_PTR)Vector,
    });
}

/* NULL: it is none of this adapter's, and the verifier is off. */
static PDMA_COMMON_BUFFER_VECTOR CheckVector(HAL_ADAPTER *Adapter,
                                             PDMA_COMMON_BUFFER_VECTOR Vector,
                                             PCSTR Routine)
{
    if (Vector && Vector->Signature == VECTOR_SIGNATURE &&
        Vector->Adapter == Adapter) {
        return Vector;
    }
    Unknown(Adapter, Vector, Routine);
    return NULL;
}

static void NoElement(const HAL_ADAPTER *Adapter,
                      PDMA_COMMON_BUFFER_VECTOR Vector, ULONG Index,
                      PCSTR Routine)
{
    HalpBreach(&(HAL_BREACH){
        .Rule = HalRuleVectorElement,
        .Routine = Routine,
        .Adapter = Adapter,
        .Compared = TRUE,
        .Expected = Vector->Count,
        .Actual = Index,
        .Detail = Index < Vector->Count ? "the element was freed already"
                                        : "the vector has no such element",
    });
}

/* NULL: there is no such element, and the verifier is off. */
static HAL_BUFFER *Element(HAL_ADAPTER *Adapter,
                           PDMA_COMMON_BUFFER_VECTOR Vector, ULONG Index,
                           PCSTR Routine)
{
    PDMA_COMMON_BUFFER_VECTOR vector = CheckVector(Adapter, Vector, Routine);

    if (!vector) {
        return NULL;
    }
    if (Index < vector->Count && vector->Elements[Index]) {
        return vector->Elements[Index];
    }
    NoElement(Adapter, vector, Index, Routine);
    return NULL;
}

VOID NTAPI HalpGetCommonBufferFromVectorByIndex(
    PDMA_ADAPTER DmaAdapter, PDMA_COMMON_BUFFER_VECTOR Vector, ULONG Index,
    PVOID *VirtualAddressOut, PPHYSICAL_ADDRESS LogicalAddressOut)
{
    static const char routine[] = "GetCommonBufferFromVectorByIndex";
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, routine);
    const HAL_BUFFER *element;

    HalpRequireAtMost(adapter, routine, DISPATCH_LEVEL);
    element = Element(adapter, Vector, Index, routine);
    *VirtualAddressOut = element ? element->Address : NULL;
    LogicalAddressOut->QuadPart = element ? (LONGLONG)element->Logical : 0;
}

VOID NTAPI HalpFreeCommonBufferFromVector(PDMA_ADAPTER DmaAdapter,
                                          PDMA_COMMON_BUFFER_VECTOR Vector,
                                          ULONG Index)
{
    static const char routine[] = "FreeCommonBufferFromVector";
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, routine);

    HalpRequirePassive(adapter, routine);
    if (Element(adapter, Vector, Index, routine) &&
        !Give(Vector, Index, routine)) {
        NoElement(adapter, Vector, Index, routine);
    }
}

VOID NTAPI HalpFreeCommonBufferVector(PDMA_ADAPTER DmaAdapter,
                                      PDMA_COMMON_BUFFER_VECTOR Vector)
{
    static const char routine[] = "FreeCommonBufferVector";
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, routine);

    HalpRequirePassive(adapter, routine);
    if (!CheckVector(adapter, Vector, routine)) {
        return;
    }
    if (InterlockedExchange((volatile LONG *)&Vector->Signature, 0) !=
        VECTOR_SIGNATURE) {
        Unknown(adapter, Vector, routine);
        return;
    }
    GiveAll(Vector, routine);
}
