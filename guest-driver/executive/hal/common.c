/*
 * Common buffers.
 *
 * Which logical addresses they get is a matter of the adapter's domain.
 *
 * SPDX-License-Identifier: MIT
 */
#include "adapter.h"

#define BUFFER_TAG                  'fubC'

/* Bug check 0xE6, first parameter. */
#define VIOLATION_DOUBLE_FREE       0x03
#define VIOLATION_FREE_MISMATCH     0x00
#define VIOLATION_IRQL              0x13

static void RequirePassive(PCSTR Routine)
{
    if (KeGetCurrentIrql() != PASSIVE_LEVEL) {
        HalpViolation(VIOLATION_IRQL, Routine,
                      "must be called at PASSIVE_LEVEL", KeGetCurrentIrql());
    }
}

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
static PVOID Allocate(HAL_ADAPTER *Adapter, MI_CONTIGUOUS *Request,
                      ULONG Length, BOOLEAN CacheEnabled,
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
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, "AllocateCommonBuffer");
    MI_CONTIGUOUS request = RequestFor(Length, adapter->Node, MmCached);

    RequirePassive("AllocateCommonBuffer");
    return Allocate(adapter, &request, Length, CacheEnabled, LogicalAddress);
}

PVOID NTAPI HalpAllocateCommonBufferEx(PDMA_ADAPTER DmaAdapter,
                                       PPHYSICAL_ADDRESS MaximumAddress,
                                       ULONG Length,
                                       PPHYSICAL_ADDRESS LogicalAddress,
                                       BOOLEAN CacheEnabled,
                                       NODE_REQUIREMENT PreferredNode)
{
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, "AllocateCommonBufferEx");
    MI_CONTIGUOUS request = RequestFor(Length, PreferredNode,
                                       CacheEnabled ? MmCached : MmNonCached);

    RequirePassive("AllocateCommonBufferEx");
    if (!BelowAddress(MaximumAddress, &request)) {
        return NULL;
    }
    return Allocate(adapter, &request, Length, CacheEnabled, LogicalAddress);
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
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter,
                                       "AllocateCommonBufferWithBounds");
    MEMORY_CACHING_TYPE cache = CacheType ? *CacheType : MmCached;
    MI_CONTIGUOUS request = RequestFor(Length, PreferredNode, cache);

    RequirePassive("AllocateCommonBufferWithBounds");
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
    return Allocate(adapter, &request, Length, cache == MmCached,
                    LogicalAddress);
}

PVOID HalpAllocateConstrainedBuffer(PDMA_ADAPTER DmaAdapter, ULONG Length,
                                   ULONGLONG Varying,
                                   PPHYSICAL_ADDRESS LogicalAddress)
{
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter,
                                       "IDmaChannel::AllocateBuffer");
    MI_CONTIGUOUS request = RequestFor(Length, adapter->Node, MmCached);

    RequirePassive("IDmaChannel::AllocateBuffer");
    request.Varying = Varying;
    return Allocate(adapter, &request, Length, FALSE, LogicalAddress);
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

/* All values must be those of the allocation. */
static void CheckFree(const HAL_BUFFER *Buffer, ULONG Length,
                      ULONGLONG Logical, BOOLEAN CacheEnabled)
{
    static const char routine[] = "FreeCommonBuffer";

    if (Buffer->Length != Length) {
        HalpViolation(VIOLATION_FREE_MISMATCH, routine,
                      "Length is not the allocation's", Length);
    }
    if (Buffer->Logical != Logical) {
        HalpViolation(VIOLATION_FREE_MISMATCH, routine,
                      "LogicalAddress is not the allocation's",
                      (ULONG_PTR)Logical);
    }
    if (!Buffer->Cached != !CacheEnabled) {
        HalpViolation(VIOLATION_FREE_MISMATCH, routine,
                      "CacheEnabled is not the allocation's", CacheEnabled);
    }
}

VOID NTAPI HalpFreeCommonBuffer(PDMA_ADAPTER DmaAdapter, ULONG Length,
                                PHYSICAL_ADDRESS LogicalAddress,
                                PVOID VirtualAddress, BOOLEAN CacheEnabled)
{
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, "FreeCommonBuffer");
    HAL_BUFFER *buffer;
    KIRQL irql;

    RequirePassive("FreeCommonBuffer");
    irql = KeAcquireSpinLockRaiseToDpc(&adapter->Lock);
    buffer = Find(adapter, VirtualAddress);
    if (!buffer) {
        HalpViolation(VIOLATION_DOUBLE_FREE, "FreeCommonBuffer",
                      "no common buffer of this adapter, or freed already",
                      (ULONG_PTR)VirtualAddress);
    }
    CheckFree(buffer, Length, (ULONGLONG)LogicalAddress.QuadPart,
              CacheEnabled);
    RemoveEntryList(&buffer->Link);
    KeReleaseSpinLock(&adapter->Lock, irql);
    if (!HalpDomainFree(adapter->Domain, buffer->Address, buffer->Logical,
                        buffer->Taken)) {
        HalpViolation(VIOLATION_DOUBLE_FREE, "FreeCommonBuffer",
                      "its memory was freed by another routine",
                      (ULONG_PTR)VirtualAddress);
    }
    ExFreePoolWithTag(buffer, BUFFER_TAG);
}
