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

HAL_BUFFER *HalpTakeBuffer(HAL_ADAPTER *Adapter, PCSTR Routine,
                           MI_CONTIGUOUS *Request, SIZE_T Length,
                           BOOLEAN CacheEnabled)
{
    ULONG frees = MiCountFrees();
    MI_CONTIGUOUS request;
    HAL_BUFFER *buffer;

    if (Request->High > Adapter->Limit) {
        Request->High = Adapter->Limit;
    }
    Request->Varying &= Adapter->Varying;
    if (!Request->Length || Request->Low > Request->High) {
        return NULL;
    }
    buffer = ExAllocatePoolWithTag(NonPagedPool, sizeof(*buffer), BUFFER_TAG);
    if (!buffer) {
        return NULL;
    }
    RtlZeroMemory(buffer, sizeof(*buffer));
    request = HalpSpoilRequest(Request);
    buffer->Address = HalpDomainAllocate(Adapter->Domain, &request,
                                         &buffer->Logical);
    if (!buffer->Address) {
        ExFreePoolWithTag(buffer, BUFFER_TAG);
        return NULL;
    }
    buffer->Length = Length;
    buffer->Taken = Request->Length;
    buffer->Cached = CacheEnabled;
    HalpNoteSite(&buffer->Allocated, Routine);
    HalpSpoilResult(buffer, Request);
    HalpCheckResult(Adapter, buffer, Request, frees);
    HalpGuardBuffer(buffer);
    Remember(Adapter, buffer);
    return buffer;
}

/* What CreateCommonBufferFromMdl asks of an MDL, wherever its pages are. */
static bool IsWhole(const MDL *Mdl)
{
    return Mdl && !Mdl->Next && Mdl->ByteCount && !Mdl->ByteOffset &&
           !BYTE_OFFSET((ULONG_PTR)Mdl->ByteCount) &&
           Mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL);
}

/* Without an IOMMU the device must reach the pages as they are. */
static NTSTATUS MapMdl(HAL_ADAPTER *Adapter, PMDL Mdl, HAL_BUFFER *Buffer)
{
    HAL_BOUNDS bounds = { 0, Adapter->Limit, MAXULONGLONG, 0 };
    HAL_PAGES pages = { MmGetMdlPfnArray(Mdl), NULL };

    Buffer->Address = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);
    if (!Buffer->Address) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (!HalpDomainMap(Adapter->Domain, &bounds, &pages, Mdl->ByteCount,
                       &Buffer->Logical)) {
        return HalpDomainTranslates(Adapter->Domain)
                   ? STATUS_INSUFFICIENT_RESOURCES : STATUS_NOT_SUPPORTED;
    }
    return STATUS_SUCCESS;
}

/* Freed with FreeCommonBuffer; the address is that of the MDL's mapping. */
NTSTATUS NTAPI HalpCreateCommonBufferFromMdl(PDMA_ADAPTER DmaAdapter, PMDL Mdl,
                                             PVOID ExtendedConfigs,
                                             ULONG ExtendedConfigsCount,
                                             PPHYSICAL_ADDRESS LogicalAddress)
{
    static const char routine[] = "CreateCommonBufferFromMdl";
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, routine);
    HAL_BUFFER *buffer;
    NTSTATUS status;

    HalpRequirePassive(adapter, routine);
    if (!IsWhole(Mdl) || !LogicalAddress) {
        return STATUS_INVALID_PARAMETER;
    }
    if (ExtendedConfigs || ExtendedConfigsCount) {
        return STATUS_NOT_SUPPORTED;
    }
    buffer = ExAllocatePoolWithTag(NonPagedPool, sizeof(*buffer), BUFFER_TAG);
    if (!buffer) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(buffer, sizeof(*buffer));
    status = MapMdl(adapter, Mdl, buffer);
    if (!NT_SUCCESS(status)) {
        ExFreePoolWithTag(buffer, BUFFER_TAG);
        return status;
    }
    buffer->Length = buffer->Taken = Mdl->ByteCount;
    buffer->Cached = TRUE;
    buffer->OfMdl = TRUE;
    HalpNoteSite(&buffer->Allocated, routine);
    Remember(adapter, buffer);
    LogicalAddress->QuadPart = (LONGLONG)buffer->Logical;
    return STATUS_SUCCESS;
}

/* Gives it back; it is in no list any more. */
static void Release(HAL_ADAPTER *Adapter, PCSTR Routine, HAL_BUFFER *Buffer)
{
    HalpCheckBuffer(Buffer, Routine);
    HalpDisclaim(Buffer);
    HalpRememberFreed(Buffer, Routine);
    if (Buffer->OfMdl) {
        HalpDomainUnmap(Adapter->Domain, Buffer->Logical, Buffer->Taken);
    } else if (!HalpDomainFree(Adapter->Domain, Buffer->Address, Buffer->Logical,
                        Buffer->Taken)) {
        HalpBreach(&(HAL_BREACH){ .Rule = HalRuleFreeBehind,
                                  .Routine = Routine, .Buffer = Buffer });
    }
    ExFreePoolWithTag(Buffer, BUFFER_TAG);
}

void HalpGiveBuffer(HAL_ADAPTER *Adapter, PCSTR Routine, HAL_BUFFER *Buffer)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Adapter->Lock);

    RemoveEntryList(&Buffer->Link);
    KeReleaseSpinLock(&Adapter->Lock, irql);
    Release(Adapter, Routine, Buffer);
}

/* The address of what was taken, which may be nothing. */
static PVOID Tell(const HAL_BUFFER *Buffer, PPHYSICAL_ADDRESS LogicalAddress)
{
    if (!Buffer) {
        return NULL;
    }
    LogicalAddress->QuadPart = (LONGLONG)Buffer->Logical;
    return Buffer->Address;
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

static MI_CONTIGUOUS RequestFor(SIZE_T Length, NODE_REQUIREMENT Node,
                                MEMORY_CACHING_TYPE Cache)
{
    return (MI_CONTIGUOUS){
        .High = MAXULONGLONG,
        .Varying = MAXULONGLONG,
        .Length = Length,
        .Node = Node,
        .Cache = Cache,
        .Guarded = HalpVerifying,
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
    return Tell(HalpTakeBuffer(adapter, routine, &request, Length,
                               CacheEnabled), LogicalAddress);
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
    return Tell(HalpTakeBuffer(adapter, routine, &request, Length,
                               CacheEnabled), LogicalAddress);
}

bool HalpNodeExists(NODE_REQUIREMENT Node)
{
    return Node == MM_ANY_NODE_OK || Node <= KeQueryHighestNodeNumber();
}

bool HalpApplyFlags(ULONG Flags, MEMORY_CACHING_TYPE CacheType,
                    MI_CONTIGUOUS *Request)
{
    const SIZE_T granule = DOMAIN_COMMON_BUFFER_GRANULE;

    if (Flags & DOMAIN_COMMON_BUFFER_LARGE_PAGE) {
        Request->Alignment = granule;
        Request->Length = (Request->Length + granule - 1) & ~(granule - 1);
    }
    return !(Flags & ~DOMAIN_COMMON_BUFFER_LARGE_PAGE) &&
           (CacheType == MmCached || CacheType == MmNonCached);
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
    if (!HalpApplyFlags(Flags, cache, &request) ||
        !BelowAddress(MaximumAddress, &request)) {
        return NULL;
    }
    if (MinimumAddress) {
        request.Low = (ULONGLONG)MinimumAddress->QuadPart;
    }
    return Tell(HalpTakeBuffer(adapter, routine, &request, Length,
                               cache == MmCached), LogicalAddress);
}

/* A domain is a device's own, or all devices': no other handle is one of ours. */
NTSTATUS NTAPI HalpAllocateDomainCommonBuffer(
    PDMA_ADAPTER DmaAdapter, HANDLE DomainHandle,
    PPHYSICAL_ADDRESS MaximumAddress, ULONG Length, ULONG Flags,
    MEMORY_CACHING_TYPE *CacheType, NODE_REQUIREMENT PreferredNode,
    PPHYSICAL_ADDRESS LogicalAddress, PVOID *VirtualAddress)
{
    static const char routine[] = "AllocateDomainCommonBuffer";
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, routine);
    MEMORY_CACHING_TYPE cache = CacheType ? *CacheType : MmCached;
    MI_CONTIGUOUS request = RequestFor(Length, PreferredNode, cache);

    HalpRequirePassive(adapter, routine);
    *VirtualAddress = NULL;
    if (DomainHandle != (HANDLE)adapter->Domain || !Length ||
        !HalpNodeExists(PreferredNode) ||
        !HalpApplyFlags(Flags, cache, &request)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (BelowAddress(MaximumAddress, &request)) {
        *VirtualAddress = Tell(HalpTakeBuffer(adapter, routine, &request,
                                              Length, cache == MmCached),
                               LogicalAddress);
    }
    return *VirtualAddress ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
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
    return Tell(HalpTakeBuffer(adapter, routine, &request, Length, FALSE),
                LogicalAddress);
}

/* From the newest on: that is what is mostly freed first. */
static HAL_BUFFER *Find(HAL_ADAPTER *Adapter, PVOID VirtualAddress)
{
    for (PLIST_ENTRY entry = Adapter->Buffers.Blink;
         entry != &Adapter->Buffers; entry = entry->Blink) {
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
    if (buffer && !buffer->InVector) {
        RemoveEntryList(&buffer->Link);
    }
    KeReleaseSpinLock(&adapter->Lock, irql);
    if (!buffer) {
        HalpFreeOfUnknown(adapter, routine, VirtualAddress);
        return;
    }
    if (buffer->InVector) {
        HalpBreach(&(HAL_BREACH){ .Rule = HalRuleFreeElement,
                                  .Routine = routine, .Buffer = buffer });
        return;
    }
    /* All values must be those of the allocation. */
    Compare(buffer, HalRuleFreeLength, buffer->Length, Length);
    Compare(buffer, HalRuleFreeLogical, buffer->Logical,
            (ULONGLONG)LogicalAddress.QuadPart);
    Compare(buffer, HalRuleFreeCache, !!buffer->Cached, !!CacheEnabled);
    Release(adapter, routine, buffer);
}
