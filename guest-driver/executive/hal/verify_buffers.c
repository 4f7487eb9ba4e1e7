/*
 * What the verifier knows of common buffers: those that are alive, adapter by
 * adapter, and the last ones that were freed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "adapter.h"

#define FREED_MAX           64u

typedef struct _FREED {
    HAL_BUFFER Buffer;
    HAL_SITE Site;
} FREED;

static LIST_ENTRY Adapters = { &Adapters, &Adapters };
static KSPIN_LOCK Lock;             /* guards the list and what was freed */
static FREED Freed[FREED_MAX];      /* a ring: the latest at FreedCount - 1 */
static ULONG FreedCount;

void HalpRememberAdapter(HAL_ADAPTER *Adapter)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Lock);

    InsertTailList(&Adapters, &Adapter->AllLink);
    KeReleaseSpinLock(&Lock, irql);
}

void HalpForgetAdapter(HAL_ADAPTER *Adapter)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Lock);

    RemoveEntryList(&Adapter->AllLink);
    KeReleaseSpinLock(&Lock, irql);
}

void HalpRememberFreed(const HAL_BUFFER *Buffer, PCSTR Routine)
{
    KIRQL irql;
    FREED *entry;

    if (!HalpVerifying) {
        return;
    }
    irql = KeAcquireSpinLockRaiseToDpc(&Lock);
    entry = &Freed[FreedCount++ % FREED_MAX];
    entry->Buffer = *Buffer;
    HalpNoteSite(&entry->Site, Routine);
    KeReleaseSpinLock(&Lock, irql);
}

/* Whether Address lies in the buffer's pages, or at most Around bytes off. */
static bool Covers(const HAL_BUFFER *Buffer, ULONG_PTR Address,
                   ULONG_PTR Around)
{
    ULONG_PTR start = (ULONG_PTR)Buffer->Address;

    return Address + Around >= start &&
           Address < start + ROUND_TO_PAGES(Buffer->Length) + Around;
}

static const HAL_BUFFER *FindOf(const HAL_ADAPTER *Adapter, ULONG_PTR Address,
                                ULONG_PTR Around)
{
    for (PLIST_ENTRY b = Adapter->Buffers.Flink; b != &Adapter->Buffers;
         b = b->Flink) {
        const HAL_BUFFER *buffer = CONTAINING_RECORD(b, HAL_BUFFER, Link);

        if (Covers(buffer, Address, Around)) {
            return buffer;
        }
    }
    return NULL;
}

/* Without the locks: for reports, after which nothing goes on. */
static const HAL_BUFFER *FindLive(ULONG_PTR Address, ULONG_PTR Around,
                                  const HAL_ADAPTER **Owner)
{
    for (PLIST_ENTRY a = Adapters.Flink; a != &Adapters; a = a->Flink) {
        const HAL_ADAPTER *adapter = CONTAINING_RECORD(a, HAL_ADAPTER, AllLink);
        const HAL_BUFFER *buffer = FindOf(adapter, Address, Around);

        if (buffer) {
            *Owner = adapter;
            return buffer;
        }
    }
    return NULL;
}

/* The one that was freed last. */
static const FREED *FindFreed(ULONG_PTR Address)
{
    ULONG kept = FreedCount < FREED_MAX ? FreedCount : FREED_MAX;

    for (ULONG i = 1; i <= kept; i++) {
        const FREED *entry = &Freed[(FreedCount - i) % FREED_MAX];

        if (Covers(&entry->Buffer, Address, 0)) {
            return entry;
        }
    }
    return NULL;
}

void HalpFreeOfUnknown(const HAL_ADAPTER *Adapter, PCSTR Routine, PVOID Address)
{
    const HAL_ADAPTER *owner = Adapter;
    const HAL_BUFFER *live = FindLive((ULONG_PTR)Address, 0, &owner);
    const FREED *freed = live ? NULL : FindFreed((ULONG_PTR)Address);
    HAL_BREACH breach = {
        .Rule = HalRuleFreeUnknown,
        .Routine = Routine,
        .Adapter = Adapter,
        .Buffer = live,
        .Actual = (ULONG_PTR)Address,
    };

    if (live) {
        breach.Rule = live->Address == Address ? HalRuleFreeForeign
                                               : HalRuleFreeInside;
        breach.Compared = live->Address != Address;
        breach.Expected = (ULONG_PTR)live->Address;
    } else if (freed) {
        breach.Rule = HalRuleFreeTwice;
        breach.Buffer = &freed->Buffer;
        breach.Freed = &freed->Site;
    } else {
        breach.Compared = TRUE;
    }
    HalpBreach(&breach);
}

/* Before a buffer, or behind it. */
static void ReportOutside(const HAL_BUFFER *Buffer, ULONG_PTR Address,
                          PCSTR Routine)
{
    ULONG_PTR start = (ULONG_PTR)Buffer->Address;
    bool before = Address < start;

    HalpReport(&(HAL_BREACH){
        .Rule = HalRuleWriteOutside,
        .Routine = Routine,
        .Buffer = Buffer,
        .Compared = TRUE,
        .Expected = before ? start : start + Buffer->Length - 1,
        .Actual = Address,
        .Detail = before ? "the processor, before the buffer's first byte"
                         : "the processor, behind the buffer's last byte",
    });
}

BOOLEAN HalpExplainFault(ULONG_PTR Address, BOOLEAN Write)
{
    PCSTR routine = Write ? "a store" : "a load";
    const HAL_ADAPTER *owner;
    const HAL_BUFFER *live = FindLive(Address, PAGE_SIZE, &owner);
    const FREED *freed = FindFreed(Address);

    if (!HalpVerifying) {
        return FALSE;
    }
    if (freed) {
        HalpReport(&(HAL_BREACH){
            .Rule = HalRuleTouchFreed,
            .Routine = routine,
            .Buffer = &freed->Buffer,
            .Freed = &freed->Site,
            .Compared = TRUE,
            .Expected = (ULONG_PTR)freed->Buffer.Address,
            .Actual = Address,
            .Detail = "the processor, in a buffer that is no more",
        });
    } else if (live) {
        ReportOutside(live, Address, routine);
    }
    return freed || live;
}

/* Buffers may come and go meanwhile, adapters as well: both locks are held. */
void HalpCheckAllBuffers(void)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Lock);

    for (PLIST_ENTRY a = Adapters.Flink; a != &Adapters; a = a->Flink) {
        HAL_ADAPTER *adapter = CONTAINING_RECORD(a, HAL_ADAPTER, AllLink);

        KeAcquireSpinLockAtDpcLevel(&adapter->Lock);
        for (PLIST_ENTRY b = adapter->Buffers.Flink; b != &adapter->Buffers;
             b = b->Flink) {
            HalpCheckBuffer(CONTAINING_RECORD(b, HAL_BUFFER, Link),
                            "the check of all buffers");
        }
        KeReleaseSpinLockFromDpcLevel(&adapter->Lock);
    }
    KeReleaseSpinLock(&Lock, irql);
}

void HalpCheckFree(PVOID Address, PCSTR Routine)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Lock);

    for (PLIST_ENTRY a = Adapters.Flink; HalpVerifying && a != &Adapters;
         a = a->Flink) {
        HAL_ADAPTER *adapter = CONTAINING_RECORD(a, HAL_ADAPTER, AllLink);
        const HAL_BUFFER *buffer;

        KeAcquireSpinLockAtDpcLevel(&adapter->Lock);
        buffer = FindOf(adapter, (ULONG_PTR)Address, 0);
        if (buffer) {
            HalpBreach(&(HAL_BREACH){ .Rule = HalRuleFreeBehind,
                                      .Routine = Routine,
                                      .Adapter = adapter,
                                      .Buffer = buffer });
        }
        KeReleaseSpinLockFromDpcLevel(&adapter->Lock);
    }
    KeReleaseSpinLock(&Lock, irql);
}

static void NeverPut(const HAL_ADAPTER *Adapter, PCSTR Routine)
{
    HalpCheckReturned(Adapter, Routine);
    HalpBreach(&(HAL_BREACH){ .Rule = HalRuleNeverPut, .Routine = Routine,
                              .Adapter = Adapter });
}

void HalpCheckUnload(void)
{
    if (HalpVerifying && !IsListEmpty(&Adapters)) {
        NeverPut(CONTAINING_RECORD(Adapters.Flink, HAL_ADAPTER, AllLink),
                 "DriverUnload");
    }
}

void HalpCheckRemoved(PDEVICE_OBJECT Pdo)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Lock);

    for (PLIST_ENTRY a = Adapters.Flink; HalpVerifying && a != &Adapters;
         a = a->Flink) {
        const HAL_ADAPTER *adapter = CONTAINING_RECORD(a, HAL_ADAPTER, AllLink);

        if (adapter->Pdo == Pdo) {
            NeverPut(adapter, "IRP_MN_REMOVE_DEVICE");
        }
    }
    KeReleaseSpinLock(&Lock, irql);
}
