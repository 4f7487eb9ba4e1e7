/*
 * Map registers: who has them, and who waits for them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "adapter.h"

#define GRANT_TAG               'tnrG'

static HAL_LATE Freed;

/* One more than the pages: a transfer may start in the middle of one. */
void HalpInitializeMaps(HAL_ADAPTER *Adapter, ULONG MaximumLength,
                        BOOLEAN ScatterGather)
{
    HAL_MAP_POOL *map = &Adapter->Map;

    map->Granted = (ULONG)BYTES_TO_PAGES((ULONGLONG)MaximumLength) + 1;
    if (map->Granted > HAL_MAP_REGISTERS_MAX) {
        map->Granted = HAL_MAP_REGISTERS_MAX;
    }
    map->Free = map->Granted;
    map->ScatterGather = ScatterGather;
    InitializeListHead(&map->Waiting);
    InitializeListHead(&map->Grants);
}

static void Live(const HAL_ADAPTER *Adapter, HAL_RULE Rule, PCSTR Routine,
                 const HAL_GRANT *Grant)
{
    HalpBreach(&(HAL_BREACH){ .Rule = Rule, .Routine = Routine,
                              .Adapter = Adapter, .Grant = Grant });
}

void HalpCheckMapsReturned(const HAL_ADAPTER *Adapter, PCSTR Routine)
{
    const HAL_MAP_POOL *map = &Adapter->Map;
    const HAL_GRANT *grant;

    if (!IsListEmpty(&map->Waiting)) {
        Live(Adapter, HalRulePutWaiting, Routine,
             CONTAINING_RECORD(map->Waiting.Flink, HAL_GRANT, Link));
    }
    if (map->Holder) {
        Live(Adapter, HalRulePutLiveChannel, Routine, map->Holder);
    }
    if (!IsListEmpty(&map->Grants)) {
        grant = CONTAINING_RECORD(map->Grants.Flink, HAL_GRANT, Link);
        Live(Adapter, grant->Kind == HAL_LIST ? HalRulePutLiveList
                                              : HalRulePutLiveRegisters,
             Routine, grant);
    }
}

BOOLEAN HalpReachesAll(const HAL_ADAPTER *Adapter)
{
    return HalpDomainTranslates(Adapter->Domain) ||
           Adapter->Limit >= MiHighestPhysical();
}

HAL_GRANT *HalpNewGrant(HAL_ADAPTER *Adapter, HAL_GRANT_KIND Kind, ULONG Count,
                        ULONG ListBytes)
{
    SIZE_T size = sizeof(HAL_GRANT) + (SIZE_T)Count * sizeof(HAL_REGISTER);
    HAL_GRANT *grant = ExAllocatePoolWithTag(NonPagedPool, size + ListBytes,
                                             GRANT_TAG);

    if (grant) {
        RtlZeroMemory(grant, size + ListBytes);
        grant->Adapter = Adapter;
        grant->Kind = Kind;
        grant->Count = Count;
        if (ListBytes) {
            grant->List = (PSCATTER_GATHER_LIST)((PUCHAR)grant + size);
        }
    }
    return grant;
}

void HalpDeleteGrant(HAL_GRANT *Grant)
{
    if (Grant->Pages) {
        MmFreePagesFromMdl(Grant->Pages);
        ExFreePool(Grant->Pages);
    }
    if (Grant->Block) {
        HalpDomainUnmap(Grant->Adapter->Domain, Grant->BlockLogical,
                        (SIZE_T)Grant->Count * PAGE_SIZE);
        MiFreeContiguous(Grant->Block);
    }
    if (Grant->Transfer) {
        Grant->Transfer->Grant = NULL;
    }
    HalpFreeLate(&Freed, Grant, GRANT_TAG);
}

BOOLEAN HalpAddBouncePages(HAL_GRANT *Grant, ULONG Pages)
{
    PHYSICAL_ADDRESS zero = { .QuadPart = 0 }, high;

    if (!Pages) {
        return TRUE;
    }
    high.QuadPart = (LONGLONG)Grant->Adapter->Limit;
    Grant->Pages = MmAllocatePagesForMdlEx(zero, high, zero,
                                           (SIZE_T)Pages * PAGE_SIZE, MmCached,
                                           MM_ALLOCATE_FULLY_REQUIRED);
    return Grant->Pages != NULL;
}

BOOLEAN HalpAddBounceBlock(HAL_GRANT *Grant)
{
    HAL_ADAPTER *adapter = Grant->Adapter;
    HAL_BOUNDS bounds = { 0, adapter->Limit, MAXULONGLONG, 0 };
    MI_CONTIGUOUS request = {
        .High = HalpDomainTranslates(adapter->Domain) ? MAXULONGLONG
                                                      : adapter->Limit,
        .Varying = MAXULONGLONG,
        .Length = (SIZE_T)Grant->Count * PAGE_SIZE,
        .Node = adapter->Node,
        .Cache = MmCached,
    };
    HAL_PAGES pages = { NULL, NULL };
    ULONGLONG physical;

    pages.Address = MiAllocateContiguous(&request, &physical);
    if (!pages.Address) {
        return FALSE;
    }
    if (!HalpDomainMap(adapter->Domain, &bounds, &pages, request.Length,
                       &Grant->BlockLogical)) {
        MiFreeContiguous(pages.Address);
        return FALSE;
    }
    Grant->Block = pages.Address;
    return TRUE;
}

/* Lock held. */
static bool Fits(const HAL_MAP_POOL *Map, const HAL_GRANT *Grant)
{
    return !Map->Holder && Grant->Count <= Map->Free;
}

/* Lock held. */
static void Take(HAL_MAP_POOL *Map, HAL_GRANT *Grant)
{
    Map->Free -= Grant->Count;
    InsertTailList(&Map->Grants, &Grant->Link);
    if (Grant->Kind != HAL_LIST) {
        Map->Holder = Grant;
    }
}

/* What the driver's AdapterControl routine has decided. */
static void Decide(HAL_GRANT *Grant, IO_ALLOCATION_ACTION Action)
{
    HAL_ADAPTER *adapter = Grant->Adapter;

    if (Action == DeallocateObjectKeepRegisters && Grant->Count) {
        HalpReleaseObject(adapter);
    } else if (Action != KeepObject) {
        HalpReleaseGrant(Grant, "AllocateAdapterChannel");
    }
}

/* Calls who asked; without the lock, at DISPATCH_LEVEL. */
static void Call(HAL_GRANT *Grant)
{
    PIRP irp = Grant->Device ? Grant->Device->CurrentIrp : NULL;

    if (Grant->Kind == HAL_LIST) {
        HalpCopyToBounce(Grant);
        if (Grant->ListControl) {
            Grant->ListControl(Grant->Device, irp, Grant->List,
                               Grant->Context);
        }
    } else if (Grant->Control) {
        Decide(Grant, Grant->Control(Grant->Device, irp, Grant,
                                     Grant->Context));
    }
}

/*
 * Lock held, and let go while somebody is called. Whoever comes here while
 * another serves leaves the work to it, so that the order is that of asking.
 */
static void Serve(HAL_ADAPTER *Adapter)
{
    HAL_MAP_POOL *map = &Adapter->Map;

    if (map->Serving) {
        return;
    }
    map->Serving = TRUE;
    while (!IsListEmpty(&map->Waiting)) {
        HAL_GRANT *grant = CONTAINING_RECORD(map->Waiting.Flink, HAL_GRANT,
                                             Link);

        if (!Fits(map, grant)) {
            break;
        }
        RemoveEntryList(&grant->Link);
        Take(map, grant);
        KeReleaseSpinLockFromDpcLevel(&Adapter->Lock);
        Call(grant);
        KeAcquireSpinLockAtDpcLevel(&Adapter->Lock);
    }
    map->Serving = FALSE;
}

NTSTATUS HalpRequestGrant(HAL_GRANT *Grant, BOOLEAN Wait)
{
    HAL_ADAPTER *adapter = Grant->Adapter;
    HAL_MAP_POOL *map = &adapter->Map;
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&adapter->Lock);
    bool now = IsListEmpty(&map->Waiting) && Fits(map, Grant);

    if (now) {
        Take(map, Grant);
    } else if (Wait) {
        InsertTailList(&map->Waiting, &Grant->Link);
    }
    if (Grant->Transfer && (now || Wait)) {
        Grant->Transfer->Grant = Grant;
    }
    KeReleaseSpinLockFromDpcLevel(&adapter->Lock);
    if (now) {
        Call(Grant);
    }
    KeLowerIrql(irql);
    return now || Wait ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

void HalpReleaseGrant(HAL_GRANT *Grant, PCSTR Routine)
{
    HAL_ADAPTER *adapter = Grant->Adapter;
    HAL_MAP_POOL *map = &adapter->Map;
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&adapter->Lock);

    RemoveEntryList(&Grant->Link);
    KeReleaseSpinLockFromDpcLevel(&adapter->Lock);
    HalpNoteSite(&Grant->Freed, Routine);
    if (Grant->Live) {
        HalpBreach(&(HAL_BREACH){ .Rule = HalRuleRegistersMapped,
                                  .Routine = Routine,
                                  .Adapter = adapter,
                                  .Grant = Grant });
        HalpDiscardAll(Grant);
    }
    KeAcquireSpinLockAtDpcLevel(&adapter->Lock);
    map->Free += Grant->Count;
    if (map->Holder == Grant) {
        map->Holder = NULL;
    }
    KeReleaseSpinLockFromDpcLevel(&adapter->Lock);
    HalpDeleteGrant(Grant);
    KeAcquireSpinLockAtDpcLevel(&adapter->Lock);
    Serve(adapter);
    KeReleaseSpinLock(&adapter->Lock, irql);
}

void HalpReleaseObject(HAL_ADAPTER *Adapter)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Adapter->Lock);

    Adapter->Map.Holder = NULL;
    Serve(Adapter);
    KeReleaseSpinLock(&Adapter->Lock, irql);
}

/* Lock held. */
static HAL_GRANT *Find(PLIST_ENTRY Head, const VOID *Wanted,
                       const VOID *(*What)(const HAL_GRANT *Grant))
{
    for (PLIST_ENTRY entry = Head->Flink; entry != Head; entry = entry->Flink) {
        HAL_GRANT *grant = CONTAINING_RECORD(entry, HAL_GRANT, Link);

        if (What(grant) == Wanted) {
            return grant;
        }
    }
    return NULL;
}

static const VOID *BaseOf(const HAL_GRANT *Grant)
{
    return Grant->Kind == HAL_LIST ? NULL : Grant;
}

static const VOID *ListOf(const HAL_GRANT *Grant)
{
    return Grant->List;
}

static const VOID *TransferOf(const HAL_GRANT *Grant)
{
    return Grant->Transfer;
}

static const VOID *ChannelDeviceOf(const HAL_GRANT *Grant)
{
    return Grant->Kind == HAL_CHANNEL ? Grant->Device : NULL;
}

static HAL_GRANT *FindIn(HAL_ADAPTER *Adapter, PLIST_ENTRY Head,
                         const VOID *Wanted,
                         const VOID *(*What)(const HAL_GRANT *Grant))
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Adapter->Lock);
    HAL_GRANT *grant = Wanted ? Find(Head, Wanted, What) : NULL;

    KeReleaseSpinLock(&Adapter->Lock, irql);
    return grant;
}

HAL_GRANT *HalpFindGrant(HAL_ADAPTER *Adapter, const VOID *Base)
{
    return FindIn(Adapter, &Adapter->Map.Grants, Base, BaseOf);
}

HAL_GRANT *HalpFindList(HAL_ADAPTER *Adapter, const VOID *List)
{
    return FindIn(Adapter, &Adapter->Map.Grants, List, ListOf);
}

/* What the driver has of it. */
static const VOID *HandleOf(const VOID *Grant)
{
    return ((const HAL_GRANT *)Grant)->Kind == HAL_LIST ? ListOf(Grant)
                                                        : Grant;
}

void HalpGrantUnknown(const HAL_ADAPTER *Adapter, HAL_RULE Rule, PCSTR Routine,
                      const VOID *Handle)
{
    const HAL_GRANT *grant = HalpFindLate(&Freed, Handle, HandleOf);

    HalpBreach(&(HAL_BREACH){
        .Rule = Rule,
        .Routine = Routine,
        .Adapter = Adapter,
        .Grant = grant,
        .Freed = grant ? &grant->Freed : NULL,
        .Actual = (ULONG_PTR)Handle,
    });
}

BOOLEAN HalpIsWaiting(HAL_ADAPTER *Adapter, PDEVICE_OBJECT Device)
{
    return FindIn(Adapter, &Adapter->Map.Waiting, Device,
                  ChannelDeviceOf) != NULL;
}

BOOLEAN HalpCancelRequest(HAL_ADAPTER *Adapter, HAL_TRANSFER_CONTEXT *Transfer)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Adapter->Lock);
    HAL_GRANT *grant = Find(&Adapter->Map.Waiting, Transfer, TransferOf);

    if (grant) {
        RemoveEntryList(&grant->Link);
        KeReleaseSpinLockFromDpcLevel(&Adapter->Lock);
        HalpDiscardAll(grant);
        HalpDeleteGrant(grant);
        KeAcquireSpinLockAtDpcLevel(&Adapter->Lock);
        Serve(Adapter);
    }
    KeReleaseSpinLock(&Adapter->Lock, irql);
    return grant != NULL;
}
