/*
 * Deferred procedure calls.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ki.h"

#include "halp.h"

/* Guards the queues of all processors. */
static KSPIN_LOCK QueueLock;

VOID NTAPI KeInitializeDpc(PRKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine,
                           PVOID DeferredContext)
{
    RtlZeroMemory(Dpc, sizeof(*Dpc));
    Dpc->Importance = MediumImportance;
    Dpc->DeferredRoutine = DeferredRoutine;
    Dpc->DeferredContext = DeferredContext;
}

/* KDPC.Number: 0 is the processor that queues it, others one more than the
   target's. A target that is not there is as none. */
VOID NTAPI KeSetTargetProcessorDpc(PRKDPC Dpc, CCHAR Number)
{
    Dpc->Number = (USHORT)((UCHAR)Number + 1);
}

static KI_PCR *TargetOf(PRKDPC Dpc)
{
    ULONG number = Dpc->Number;

    return number && number <= KiProcessorCount ? KiProcessors[number - 1]
                                                : KiPcr();
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
        KI_PCR *pcr = TargetOf(Dpc);

        Dpc->SystemArgument1 = SystemArgument1;
        Dpc->SystemArgument2 = SystemArgument2;
        Dpc->DpcData = &pcr->Dpcs;
        if (Dpc->Importance == HighImportance) {
            InsertHeadList(&pcr->Dpcs, &Dpc->DpcListEntry);
        } else {
            InsertTailList(&pcr->Dpcs, &Dpc->DpcListEntry);
        }
        if (pcr == KiPcr()) {
            HalpRequestSoftwareInterrupt(KI_DPC_VECTOR);
        } else {
            KiWakeProcessor(pcr);
        }
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

static PKDPC NextDpc(KI_PCR *Pcr, KDPC *Copy)
{
    KIRQL irql = LockQueue();
    PKDPC dpc = NULL;

    if (!IsListEmpty(&Pcr->Dpcs)) {
        dpc = CONTAINING_RECORD(RemoveHeadList(&Pcr->Dpcs), KDPC,
                                DpcListEntry);
        *Copy = *dpc;
        dpc->DpcData = NULL;
    }
    Pcr->Retiring = dpc != NULL;
    UnlockQueue(irql);
    return dpc;
}

void KiRetireDpcs(void)
{
    KI_PCR *pcr = KiPcr();
    KDPC copy;
    PKDPC dpc;

    while ((dpc = NextDpc(pcr, &copy)) != NULL) {
        /* The routine may free or reinsert the object. */
        copy.DeferredRoutine(dpc, copy.DeferredContext, copy.SystemArgument1,
                             copy.SystemArgument2);
    }
}

static bool HasDpcs(KI_PCR *Pcr)
{
    KIRQL irql = LockQueue();
    bool has = Pcr->Retiring || !IsListEmpty(&Pcr->Dpcs);

    UnlockQueue(irql);
    return has;
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
    for (ULONG i = 0; i < KiProcessorCount; i++) {
        while (HasDpcs(KiProcessors[i])) {
            YieldProcessor();
        }
    }
}
