/*
 * Common buffers.
 *
 * Which logical addresses they get is a matter of the adapter's domain.
 *
 * SPDX-License-Identifier: MIT
 */
#include "adapter.h"

#define BUFFER_TAG                  'fubC'

static void Remember(HAL_ADAPTER *Adapter, HAL_BUFFER *Buffer)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Adapter->Lock);

    InsertTailList(&Adapter->Buffers, &Buffer->Link);
    KeReleaseSpinLock(&Adapter->Lock, irql);
}

/*
 * What all the allocating routines come to. Bounds are inclusive here. Length
 * is the driver's; Request's may be more.
 */
static PVOID Allocate(HAL_ADAPTER *Adapter, PCSTR Routine,
                      MI_CONTIGUOUS *Request, ULONG Length,
                      BOOLEAN CacheEnabled,
                      PPHYSICAL_ADDRESS LogicalAddress)
{
    HAL_BUFFER *buffer;

    if (Request->High > Adapter->Limit) {
        Request->High = Adapter->Limit;
    }
    if (!Request->Length || Request->Low > Request->High) {
        return NULL;
    }
    buffer = ExAllocatePoolWithTag(NonPagedPool, sizeof(*buffer), BUFFER_TAG);
    if (!buffer) {
        return NULL;
    }
    buffer->Address = HalpDomainAllocate(Adapter->Domain, Request,
                                         &buffer->Logical);
    if (!buffer->Address) {
        ExFreePoolWithTag(buffer, BUFFER_TAG);
        return NULL;
    }
    buffer->Length = Length;
    buffer->Taken = Request->Length;
    buffer->Cached = CacheEnabled;
    HalpNoteSite(&buffer->Allocated, Routine);
    Remember(Adapter, buffer);
    LogicalAddress->QuadPart = (LONGLONG)buffer->Logical;
    return buffer->Address;
}

/* "Memory below this address": the bound itself is not part of it. */
static bool BelowAddress(const PHYSICAL_ADDRESS *MaximumAddress,
                         MI_CONTIGUOUS *Request)
{
    if (!MaximumAddress) {
        return true;
    }
    Request->High = (ULONGLONG)MaximumAddress->QuadPart - 1;
    return MaximumAddress->QuadPart != 0;
}

static MI_CONTIGUOUS RequestFor(ULONG Length, NODE_REQUIREMENT Node,
                                MEMORY_CACHING_TYPE Cache)
{
    return (MI_CONTIGUOUS){
        .High = MAXULONGLONG,
        .Varying = MAXULONGLONG,
        .Length = Length,
        .Node = Node,
        .Cache = Cache,
    };
}

/* The documents have CacheEnabled ignored here: x64 is coherent. */
PVOID NTAPI HalpAllocateCommonBuffer(PDMA_ADAPTER DmaAdapter, ULONG Length,
                                     PPHYSICAL_ADDRESS LogicalAddress,
                                     BOOLEAN CacheEnabled)
{
    static const char routine[] = "AllocateCommonBuffer";
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, routine);
    MI_CONTIGUOUS request = RequestFor(Length, adapter->Node, MmCached);

    HalpRequirePassive(adapter, routine);
    return Allocate(adapter, routine, &request, Length, CacheEnabled,
                    LogicalAddress);
}

PVOID NTAPI HalpAllocateCommonBufferEx(PDMA_ADAPTER DmaAdapter,
                                       PPHYSICAL_ADDRESS MaximumAddress,
                                       ULONG Length,
                                       PPHYSICAL_ADDRESS LogicalAddress,
                                       BOOLEAN CacheEnabled,
                                       NODE_REQUIREMENT PreferredNode)
{
    static const char routine[] = "AllocateCommonBufferEx";
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, routine);
    MI_CONTIGUOUS request = RequestFor(Length, PreferredNode,
                                       CacheEnabled ? MmCached : MmNonCached);

    HalpRequirePassive(adapter, routine);
    if (!BelowAddress(MaximumAddress, &request)) {
        return NULL;
    }
    return Allocate(adapter, routine, &request, Length, CacheEnabled,
                    LogicalAddress);
}

/* A buffer of its own granules, all of which lie within the bounds. */
static void TakeLargePages(MI_CONTIGUOUS *Request)
{
    const SIZE_T granule = DOMAIN_COMMON_BUFFER_GRANULE;

    Request->Alignment = granule;
    Request->Length = (Request->Length + granule - 1) & ~(granule - 1);
}

PVOID NTAPI HalpAllocateCommonBufferWithBounds(
    PDMA_ADAPTER DmaAdapter, PPHYSICAL_ADDRESS MinimumAddress,
    PPHYSICAL_ADDRESS MaximumAddress, ULONG Length, ULONG Flags,
    MEMORY_CACHING_TYPE *CacheType, NODE_REQUIREMENT PreferredNode,
    PPHYSICAL_ADDRESS LogicalAddress)
{
    static const char routine[] = "AllocateCommonBufferWithBounds";
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, routine);
    MEMORY_CACHING_TYPE cache = CacheType ? *CacheType : MmCached;
    MI_CONTIGUOUS request = RequestFor(Length, PreferredNode, cache);

    HalpRequirePassive(adapter, routine);
    if (Flags & ~DOMAIN_COMMON_BUFFER_LARGE_PAGE ||
        (cache != MmCached && cache != MmNonCached) ||
        !BelowAddress(MaximumAddress, &request)) {
        return NULL;
    }
    if (Flags & DOMAIN_COMMON_BUFFER_LARGE_PAGE) {
        TakeLargePages(&request);
    }
    if (MinimumAddress) {
        request.Low = (ULONGLONG)MinimumAddress->QuadPart;
    }
    return Allocate(adapter, routine, &request, Length, cache == MmCached,
                    LogicalAddress);
}

PVOID HalpAllocateConstrainedBuffer(PDMA_ADAPTER DmaAdapter, ULONG Length,
                                   ULONGLONG Varying,
                                   PPHYSICAL_ADDRESS LogicalAddress)
{
    static const char routine[] = "IDmaChannel::AllocateBuffer";
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, routine);
    MI_CONTIGUOUS request = RequestFor(Length, adapter->Node, MmCached);

    HalpRequirePassive(adapter, routine);
    request.Varying = Varying;
    return Allocate(adapter, routine, &request, Length, FALSE,
                    LogicalAddress);
}

static HAL_BUFFER *Find(HAL_ADAPTER *Adapter, PVOID VirtualAddress)
{
    for (PLIST_ENTRY entry = Adapter->Buffers.Flink;
         entry != &Adapter->Buffers; entry = entry->Flink) {
        HAL_BUFFER *buffer = CONTAINING_RECORD(entry, HAL_BUFFER, Link);

        if (buffer->Address == VirtualAddress) {
            return buffer;
        }
    }
    return NULL;
}

static void Compare(const HAL_BUFFER *Buffer, HAL_RULE Rule,
                    ULONGLONG Allocated, ULONGLONG Freed)
{
    if (Allocated != Freed) {
        HalpBreach(&(HAL_BREACH){
            .Rule = Rule,
            .Routine = "FreeCommonBuffer",
            .Buffer = Buffer,
            .Compared = TRUE,
            .Expected = Allocated,
            .Actual = Freed,
        });
    }
}

VOID NTAPI HalpFreeCommonBuffer(PDMA_ADAPTER DmaAdapter, ULONG Length,
                                PHYSICAL_ADDRESS LogicalAddress,
                                PVOID VirtualAddress, BOOLEAN CacheEnabled)
{
    static const char routine[] = "FreeCommonBuffer";
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, routine);
    HAL_BUFFER *buffer;
    KIRQL irql;

    HalpRequirePassive(adapter, routine);
    irql = KeAcquireSpinLockRaiseToDpc(&adapter->Lock);
    buffer = Find(adapter, VirtualAddress);
    if (buffer) {
        RemoveEntryList(&buffer->Link);
    }
    KeReleaseSpinLock(&adapter->Lock, irql);
    if (!buffer) {
        HalpFreeOfUnknown(adapter, routine, VirtualAddress);
        return;
    }
    /* All values must be those of the allocation. */
    Compare(buffer, HalRuleFreeLength, buffer->Length, Length);
    Compare(buffer, HalRuleFreeLogical, buffer->Logical,
            (ULONGLONG)LogicalAddress.QuadPart);
    Compare(buffer, HalRuleFreeCache, !!buffer->Cached, !!CacheEnabled);
    HalpRememberFreed(buffer, routine);
    if (!HalpDomainFree(adapter->Domain, buffer->Address, buffer->Logical,
                        buffer->Taken)) {
        HalpBreach(&(HAL_BREACH){ .Rule = HalRuleFreeBehind,
                                  .Routine = routine, .Buffer = buffer });
    }
    ExFreePoolWithTag(buffer, BUFFER_TAG);
}
