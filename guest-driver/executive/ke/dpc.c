/*
 * Deferred procedure calls.
 *
 * SPDX-License-Identifier: MIT
 */
#include "executive.h"

#include "halp.h"

static LIST_ENTRY Queue = { &Queue, &Queue };
static KSPIN_LOCK QueueLock;

VOID NTAPI KeInitializeDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine,
                           PVOID DeferredContext)
{
    RtlZeroMemory(Dpc, sizeof(*Dpc));
    Dpc->Importance = MediumImportance;
    Dpc->DeferredRoutine = DeferredRoutine;
    Dpc->DeferredContext = DeferredContext;
}

/* Interrupt routines queue DPCs: only HIGH_LEVEL keeps all of them out. */
static KIRQL LockQueue(void)
{
    KIRQL irql = KfRaiseIrql(HIGH_LEVEL);

    KeAcquireSpinLockAtDpcLevel(&QueueLock);
    return irql;
}

static void UnlockQueue(KIRQL Irql)
{
    KeReleaseSpinLockFromDpcLevel(&QueueLock);
    KeLowerIrql(Irql);
}

BOOLEAN NTAPI KeInsertQueueDpc(PRKDPC Dpc, PVOID SystemArgument1,
                               PVOID SystemArgument2)
{
    KIRQL irql = LockQueue();
    BOOLEAN inserted = !Dpc->DpcData;

    if (inserted) {
        Dpc->SystemArgument1 = SystemArgument1;
        Dpc->SystemArgument2 = SystemArgument2;
        Dpc->DpcData = &Queue;
        if (Dpc->Importance == HighImportance) {
            InsertHeadList(&Queue, &Dpc->DpcListEntry);
        } else {
            InsertTailList(&Queue, &Dpc->DpcListEntry);
        }
        HalpRequestSoftwareInterrupt(KI_DPC_VECTOR);
    }
    UnlockQueue(irql);
    return inserted;
}

BOOLEAN NTAPI KeRemoveQueueDpc(PRKDPC Dpc)
{
    KIRQL irql = LockQueue();
    BOOLEAN removed = Dpc->DpcData != NULL;

    if (removed) {
        RemoveEntryList(&Dpc->DpcListEntry);
        Dpc->DpcData = NULL;
    }
    UnlockQueue(irql);
    return removed;
}

static PKDPC NextDpc(KDPC *Copy)
{
    KIRQL irql = LockQueue();
    PKDPC dpc = NULL;

    if (!IsListEmpty(&Queue)) {
        dpc = CONTAINING_RECORD(RemoveHeadList(&Queue), KDPC, DpcListEntry);
        *Copy = *dpc;
        dpc->DpcData = NULL;
    }
    UnlockQueue(irql);
    return dpc;
}

void KiRetireDpcs(void)
{
    KDPC copy;
    PKDPC dpc;

    while ((dpc = NextDpc(&copy)) != NULL) {
        /* The routine may free or reinsert the object. */
        copy.DeferredRoutine(dpc, copy.DeferredContext, copy.SystemArgument1,
                             copy.SystemArgument2);
    }
}

VOID NTAPI KeFlushQueuedDpcs(VOID)
{
    KIRQL irql;

    if (KeGetCurrentIrql() >= DISPATCH_LEVEL) {
        KeBugCheckEx(IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)KeFlushQueuedDpcs,
                     KeGetCurrentIrql(), 0, 0);
    }
    irql = KfRaiseIrql(DISPATCH_LEVEL);
    KiRetireDpcs();
    KeLowerIrql(irql);
}
