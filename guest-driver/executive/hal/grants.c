/*
 * Map registers: who has them, and who waits for them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "adapter.h"

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
    Grant->Owned = TRUE;
    if (Grant->Kind != HAL_LIST) {
        Grant->Calling = TRUE;
        Map->Holder = Grant;
    }
}

/* Lock held, and let go to delete it: nobody owns it, and nobody is called. */
static void DeleteUnused(HAL_GRANT *Grant)
{
    HAL_ADAPTER *adapter = Grant->Adapter;

    if (!Grant->Owned && !Grant->Calling) {
        if (adapter->Map.Holder == Grant) {
            adapter->Map.Holder = NULL;
        }
        KeReleaseSpinLockFromDpcLevel(&adapter->Lock);
        HalpDeleteGrant(Grant);
        KeAcquireSpinLockAtDpcLevel(&adapter->Lock);
    }
}

/* The list may be gone when the routine returns. */
static void CallWithList(HAL_GRANT *Grant, PIRP Irp)
{
    HalpCopyToBounce(Grant);
    if (Grant->ListControl) {
        Grant->ListControl(Grant->Device, Irp, Grant->List, Grant->Context);
    }
}

static void Serve(HAL_ADAPTER *Adapter);

/*
 * Does what the routine has decided, unless the driver has done so itself
 * meanwhile.
 */
static void CallWithRegisters(HAL_GRANT *Grant, PIRP Irp)
{
    HAL_ADAPTER *adapter = Grant->Adapter;
    IO_ALLOCATION_ACTION action =
        Grant->Control ? Grant->Control(Grant->Device, Irp, Grant,
                                        Grant->Context) : KeepObject;
    bool release;

    if (action == DeallocateObjectKeepRegisters && !Grant->Count) {
        action = DeallocateObject;
    }
    KeAcquireSpinLockAtDpcLevel(&adapter->Lock);
    Grant->Calling = FALSE;
    release = Grant->Owned && !Grant->Claimed && action == DeallocateObject;
    if (release) {
        Grant->Claimed = TRUE;
    }
    if (action == DeallocateObjectKeepRegisters &&
        adapter->Map.Holder == Grant) {
        adapter->Map.Holder = NULL;
    }
    if (!release) {
        DeleteUnused(Grant);
        Serve(adapter);
    }
    KeReleaseSpinLockFromDpcLevel(&adapter->Lock);
    if (release) {
        HalpReleaseGrant(Grant, "AllocateAdapterChannel");
    }
}

/* Calls who asked; without the lock, at DISPATCH_LEVEL. */
static void Call(HAL_GRANT *Grant)
{
    PIRP irp = Grant->Device ? Grant->Device->CurrentIrp : NULL;

    if (Grant->Kind == HAL_LIST) {
        CallWithList(Grant, irp);
    } else {
        CallWithRegisters(Grant, irp);
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
    KIRQL irql;

    HalpNoteSite(&Grant->Freed, Routine);
    if (Grant->Live) {
        HalpBreach(&(HAL_BREACH){ .Rule = HalRuleRegistersMapped,
                                  .Routine = Routine,
                                  .Adapter = adapter,
                                  .Grant = Grant });
        if (adapter->System.Unit) {
            HalpStopChannel(adapter);
        }
        HalpDiscardAll(Grant);
    }
    irql = KeAcquireSpinLockRaiseToDpc(&adapter->Lock);
    RemoveEntryList(&Grant->Link);
    Grant->Owned = FALSE;
    adapter->Map.Free += Grant->Count;
    DeleteUnused(Grant);
    Serve(adapter);
    KeReleaseSpinLock(&adapter->Lock, irql);
}

BOOLEAN HalpFreeObject(HAL_ADAPTER *Adapter, IO_ALLOCATION_ACTION Action,
                       PCSTR Routine)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Adapter->Lock);
    HAL_GRANT *holder = Adapter->Map.Holder;
    bool held = holder && holder->Owned && !holder->Claimed;
    bool keep = held && holder->Count &&
                Action == DeallocateObjectKeepRegisters;
    bool release = held && !keep && Action != KeepObject;

    if (keep) {
        Adapter->Map.Holder = NULL;
        Serve(Adapter);
    } else if (release) {
        holder->Claimed = TRUE;
    }
    KeReleaseSpinLock(&Adapter->Lock, irql);
    if (release) {
        HalpReleaseGrant(holder, Routine);
    }
    return held;
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
    return Grant->Kind == HAL_LIST || Grant->Claimed ? NULL : Grant;
}

static const VOID *ListOf(const HAL_GRANT *Grant)
{
    return Grant->Claimed ? NULL : Grant->List;
}

static const VOID *TransferOf(const HAL_GRANT *Grant)
{
    return Grant->Transfer;
}

static const VOID *ChannelContextOf(const HAL_GRANT *Grant)
{
    return Grant->Kind == HAL_CHANNEL ? Grant->Context : NULL;
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

static HAL_GRANT *Claim(HAL_ADAPTER *Adapter, const VOID *Wanted,
                        const VOID *(*What)(const HAL_GRANT *Grant))
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Adapter->Lock);
    HAL_GRANT *grant = Wanted ? Find(&Adapter->Map.Grants, Wanted, What) : NULL;

    if (grant) {
        grant->Claimed = TRUE;
    }
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

HAL_GRANT *HalpClaimGrant(HAL_ADAPTER *Adapter, const VOID *Base)
{
    return Claim(Adapter, Base, BaseOf);
}

HAL_GRANT *HalpClaimList(HAL_ADAPTER *Adapter, const VOID *List)
{
    return Claim(Adapter, List, ListOf);
}

BOOLEAN HalpIsAllocating(HAL_ADAPTER *Adapter, PDEVICE_OBJECT Device)
{
    HAL_MAP_POOL *map = &Adapter->Map;
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Adapter->Lock);
    bool allocating = Device &&
        (Find(&map->Waiting, Device, ChannelDeviceOf) ||
         (map->Holder && map->Holder->Calling &&
          ChannelDeviceOf(map->Holder) == Device));

    KeReleaseSpinLock(&Adapter->Lock, irql);
    return allocating;
}

BOOLEAN HalpIsContextUsed(HAL_ADAPTER *Adapter,
                          const HAL_TRANSFER_CONTEXT *Transfer)
{
    return FindIn(Adapter, &Adapter->Map.Waiting, Transfer, TransferOf) ||
           FindIn(Adapter, &Adapter->Map.Grants, Transfer, TransferOf);
}

static BOOLEAN Cancel(HAL_ADAPTER *Adapter, const VOID *Wanted,
                      const VOID *(*What)(const HAL_GRANT *Grant))
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Adapter->Lock);
    HAL_GRANT *grant = Find(&Adapter->Map.Waiting, Wanted, What);

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

BOOLEAN HalpCancelRequest(HAL_ADAPTER *Adapter, HAL_TRANSFER_CONTEXT *Transfer)
{
    return Cancel(Adapter, Transfer, TransferOf);
}

BOOLEAN HalpCancelWaiting(HAL_ADAPTER *Adapter, const VOID *Context)
{
    return Cancel(Adapter, Context, ChannelContextOf);
}
