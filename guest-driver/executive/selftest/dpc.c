/* SPDX-License-Identifier: MIT */
/* selftest.sys: deferred procedure calls */
#include "selftest.h"

static char order[8];
static ULONG called;
static PVOID seen[3];
static KIRQL seen_irql;

static VOID NTAPI record(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    seen[0] = dpc;
    seen[1] = argument1;
    seen[2] = argument2;
    seen_irql = KeGetCurrentIrql();
    order[called++ % sizeof(order)] = *(const char *)context;
}

/* The routine may queue its own object again. */
static VOID NTAPI again(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    record(dpc, context, argument1, argument2);
    if (called < 3) {
        EXPECT(KeInsertQueueDpc(dpc, NULL, NULL));
    }
}

static void not_twice(void)
{
    char name = 'a', first, second;
    KIRQL irql;
    KDPC dpc;

    called = 0;
    KeInitializeDpc(&dpc, record, &name);
    irql = KfRaiseIrql(DISPATCH_LEVEL);
    EXPECT(KeInsertQueueDpc(&dpc, &first, &second));
    EXPECT(!KeInsertQueueDpc(&dpc, NULL, NULL));
    EXPECT_EQUAL(called, 0);
    KeLowerIrql(irql);
    EXPECT_EQUAL(called, 1);
    EXPECT_EQUAL(seen_irql, DISPATCH_LEVEL);
    EXPECT(seen[0] == &dpc && seen[1] == &first && seen[2] == &second);
    EXPECT(KeInsertQueueDpc(&dpc, NULL, NULL));
    EXPECT_EQUAL(called, 2);
    EXPECT(!seen[1] && !seen[2]);
}

static void removed(void)
{
    char names[] = "abc";
    KDPC dpcs[3];
    KIRQL irql;

    called = 0;
    irql = KfRaiseIrql(DISPATCH_LEVEL);
    for (ULONG i = 0; i < 3; i++) {
        KeInitializeDpc(&dpcs[i], record, &names[i]);
        EXPECT(!KeRemoveQueueDpc(&dpcs[i]));
        EXPECT(KeInsertQueueDpc(&dpcs[i], NULL, NULL));
    }
    EXPECT(KeRemoveQueueDpc(&dpcs[1]));
    EXPECT(!KeRemoveQueueDpc(&dpcs[1]));
    KeLowerIrql(irql);
    EXPECT_EQUAL(called, 2);
    EXPECT_EQUAL(RtlCompareMemory(order, "ac", 2), 2);
    EXPECT(!KeRemoveQueueDpc(&dpcs[0]));
}

/* HighImportance goes to the front of the queue, the others to its end. */
static void importance(void)
{
    char names[] = "abc";
    KDPC dpcs[3];
    KIRQL irql;

    called = 0;
    irql = KfRaiseIrql(DISPATCH_LEVEL);
    for (ULONG i = 0; i < 3; i++) {
        KeInitializeDpc(&dpcs[i], record, &names[i]);
    }
    dpcs[2].Importance = HighImportance;
    for (ULONG i = 0; i < 3; i++) {
        KeInsertQueueDpc(&dpcs[i], NULL, NULL);
    }
    KeLowerIrql(irql);
    EXPECT_EQUAL(called, 3);
    EXPECT_EQUAL(RtlCompareMemory(order, "cab", 3), 3);
}

static void from_itself(void)
{
    char name = 'a';
    KDPC dpc;

    called = 0;
    KeInitializeDpc(&dpc, again, &name);
    KeInsertQueueDpc(&dpc, NULL, NULL);
    KeFlushQueuedDpcs();
    EXPECT_EQUAL(called, 3);
    EXPECT(!KeRemoveQueueDpc(&dpc));
}

static void spin_lock(void)
{
    KSPIN_LOCK lock;
    KIRQL irql, inner;

    KeInitializeSpinLock(&lock);
    KeAcquireSpinLock(&lock, &irql);
    EXPECT_EQUAL(irql, PASSIVE_LEVEL);
    EXPECT_EQUAL(KeGetCurrentIrql(), DISPATCH_LEVEL);
    EXPECT(lock != 0);
    KeReleaseSpinLock(&lock, irql);
    EXPECT_EQUAL(KeGetCurrentIrql(), PASSIVE_LEVEL);
    EXPECT(lock == 0);
    inner = KfRaiseIrql(DISPATCH_LEVEL);
    KeAcquireSpinLockAtDpcLevel(&lock);
    EXPECT(lock != 0);
    KeReleaseSpinLockFromDpcLevel(&lock);
    KeAcquireSpinLock(&lock, &irql);
    EXPECT_EQUAL(irql, DISPATCH_LEVEL);
    KeReleaseSpinLock(&lock, irql);
    EXPECT_EQUAL(KeGetCurrentIrql(), DISPATCH_LEVEL);
    EXPECT(lock == 0);
    KeLowerIrql(inner);
}

/* What is queued under a spin lock runs when the lock is given back. */
static void deferred_by_lock(void)
{
    char name = 'a';
    KSPIN_LOCK lock;
    KIRQL irql;
    KDPC dpc;

    called = 0;
    KeInitializeSpinLock(&lock);
    KeInitializeDpc(&dpc, record, &name);
    KeAcquireSpinLock(&lock, &irql);
    KeInsertQueueDpc(&dpc, NULL, NULL);
    KeStallExecutionProcessor(100);
    EXPECT_EQUAL(called, 0);
    KeReleaseSpinLock(&lock, irql);
    EXPECT_EQUAL(called, 1);
}

const struct check dpc_checks[] = {
    { "dpc/not-twice", not_twice },
    { "dpc/removed", removed },
    { "dpc/importance", importance },
    { "dpc/from-itself", from_itself },
    { "spin-lock/irql", spin_lock },
    { "spin-lock/defers", deferred_by_lock },
    { NULL, NULL },
};
