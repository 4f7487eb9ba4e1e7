/*
 * IInterruptSync: an interrupt with a list of service routines.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcp.h"

#define SYNC_TAG            'nScP'

typedef struct _ROUTINE {
    LIST_ENTRY Link;
    PINTERRUPTSYNCROUTINE Routine;
    PVOID Context;
} ROUTINE;

typedef struct _SYNC {
    PC_OBJECT Object;
    INTERRUPTSYNCMODE Mode;
    CM_PARTIAL_RESOURCE_DESCRIPTOR Resource;
    LIST_ENTRY Routines;        /* of ROUTINE; changed under the interrupt's lock */
    KSPIN_LOCK Lock;            /* while it is not connected */
    volatile PKINTERRUPT Interrupt;
} SYNC;

/* A request that runs where no service routine can. */
typedef struct _CALL {
    SYNC *Sync;
    PINTERRUPTSYNCROUTINE Routine;      /* NULL: Entry is added to the list */
    PVOID Context;
    ROUTINE *Entry;
    BOOLEAN First;
    NTSTATUS Status;
} CALL;

/* Whether a routine has handled the interrupt in one way through the list. */
static bool CallRoutines(SYNC *Sync, bool UntilHandled)
{
    bool handled = false;

    for (PLIST_ENTRY link = Sync->Routines.Flink; link != &Sync->Routines;
         link = link->Flink) {
        ROUTINE *entry = CONTAINING_RECORD(link, ROUTINE, Link);

        if (entry->Routine((IInterruptSync *)Sync, entry->Context) ==
            STATUS_SUCCESS) {
            handled = true;
            if (UntilHandled) {
                break;
            }
        }
    }
    return handled;
}

static BOOLEAN NTAPI Service(PKINTERRUPT Interrupt, PVOID Context)
{
    SYNC *sync = Context;
    bool handled = CallRoutines(sync, sync->Mode == InterruptSyncModeNormal);

    UNREFERENCED_PARAMETER(Interrupt);
    if (sync->Mode == InterruptSyncModeRepeat && handled) {
        while (CallRoutines(sync, false)) {
        }
    }
    return handled;
}

static BOOLEAN NTAPI Run(PVOID Context)
{
    CALL *call = Context;
    SYNC *sync = call->Sync;

    if (call->Routine) {
        call->Status = call->Routine((IInterruptSync *)sync, call->Context);
    } else if (call->First) {
        InsertHeadList(&sync->Routines, &call->Entry->Link);
    } else {
        InsertTailList(&sync->Routines, &call->Entry->Link);
    }
    return TRUE;
}

static void Synchronize(CALL *Call)
{
    SYNC *sync = Call->Sync;
    KIRQL irql;

    if (sync->Interrupt) {
        KeSynchronizeExecution(sync->Interrupt, Run, Call);
        return;
    }
    KeAcquireSpinLock(&sync->Lock, &irql);
    Run(Call);
    KeReleaseSpinLock(&sync->Lock, irql);
}

static NTSTATUS NTAPI CallSynchronizedRoutine(IInterruptSync *This,
                                              PINTERRUPTSYNCROUTINE Routine,
                                              PVOID DynamicContext)
{
    CALL call = { .Sync = PcpObject(This), .Routine = Routine,
                  .Context = DynamicContext };

    if (!Routine) {
        return STATUS_INVALID_PARAMETER;
    }
    if (!call.Sync->Interrupt && KeGetCurrentIrql() > DISPATCH_LEVEL) {
        return STATUS_UNSUCCESSFUL;
    }
    Synchronize(&call);
    return call.Status;
}

static PKINTERRUPT NTAPI GetKInterrupt(IInterruptSync *This)
{
    return ((SYNC *)PcpObject(This))->Interrupt;
}

static void FillIn(SYNC *Sync, PIO_CONNECT_INTERRUPT_FULLY_SPECIFIED_PARAMETERS P)
{
    const CM_PARTIAL_RESOURCE_DESCRIPTOR *resource = &Sync->Resource;
    bool message = (resource->Flags & CM_RESOURCE_INTERRUPT_MESSAGE) != 0;

    if (message) {
        P->Vector = resource->u.MessageInterrupt.Translated.Vector;
        P->Irql = (KIRQL)resource->u.MessageInterrupt.Translated.Level;
        P->ProcessorEnableMask = resource->u.MessageInterrupt.Translated.Affinity;
    } else {
        P->Vector = resource->u.Interrupt.Vector;
        P->Irql = (KIRQL)resource->u.Interrupt.Level;
        P->ProcessorEnableMask = resource->u.Interrupt.Affinity;
    }
    P->SynchronizeIrql = P->Irql;
    P->InterruptMode = message || resource->Flags & CM_RESOURCE_INTERRUPT_LATCHED
                           ? Latched : LevelSensitive;
    P->ShareVector = resource->ShareDisposition == CmResourceShareShared;
    P->ServiceRoutine = Service;
    P->ServiceContext = Sync;
}

static NTSTATUS NTAPI Connect(IInterruptSync *This)
{
    SYNC *sync = PcpObject(This);
    IO_CONNECT_INTERRUPT_PARAMETERS connect;
    PKINTERRUPT interrupt;
    NTSTATUS status;

    PCP_PASSIVE("IInterruptSync::Connect");
    if (sync->Interrupt) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    RtlZeroMemory(&connect, sizeof(connect));
    connect.Version = CONNECT_FULLY_SPECIFIED;
    connect.FullySpecified.InterruptObject = &interrupt;
    FillIn(sync, &connect.FullySpecified);
    status = IoConnectInterruptEx(&connect);
    if (NT_SUCCESS(status)) {
        sync->Interrupt = interrupt;
    }
    return status;
}

static VOID NTAPI Disconnect(IInterruptSync *This)
{
    SYNC *sync = PcpObject(This);
    IO_DISCONNECT_INTERRUPT_PARAMETERS disconnect;

    PCP_PASSIVE("IInterruptSync::Disconnect");
    if (!sync->Interrupt) {
        return;
    }
    RtlZeroMemory(&disconnect, sizeof(disconnect));
    disconnect.Version = CONNECT_FULLY_SPECIFIED;
    disconnect.ConnectionContext.InterruptObject = sync->Interrupt;
    IoDisconnectInterruptEx(&disconnect);
    sync->Interrupt = NULL;
}

static NTSTATUS NTAPI RegisterServiceRoutine(IInterruptSync *This,
                                             PINTERRUPTSYNCROUTINE Routine,
                                             PVOID DynamicContext,
                                             BOOLEAN First)
{
    CALL call = { .Sync = PcpObject(This), .First = First };

    PCP_PASSIVE("IInterruptSync::RegisterServiceRoutine");
    if (!Routine) {
        return STATUS_INVALID_PARAMETER;
    }
    call.Entry = ExAllocatePoolWithTag(NonPagedPool, sizeof(*call.Entry),
                                       SYNC_TAG);
    if (!call.Entry) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    call.Entry->Routine = Routine;
    call.Entry->Context = DynamicContext;
    Synchronize(&call);
    return STATUS_SUCCESS;
}

static const IInterruptSyncVtbl Methods = {
    PCP_UNKNOWN,
    .CallSynchronizedRoutine = CallSynchronizedRoutine,
    .GetKInterrupt = GetKInterrupt,
    .Connect = Connect,
    .Disconnect = Disconnect,
    .RegisterServiceRoutine = RegisterServiceRoutine,
};

static void Delete(PVOID Object)
{
    SYNC *sync = Object;

    Disconnect(Object);
    while (!IsListEmpty(&sync->Routines)) {
        PLIST_ENTRY link = RemoveHeadList(&sync->Routines);

        ExFreePoolWithTag(CONTAINING_RECORD(link, ROUTINE, Link), SYNC_TAG);
    }
}

static const GUID *const Ids[] = { &IID_IInterruptSync, NULL };

static const PC_CLASS Class = {
    .Tag = SYNC_TAG,
    .Size = sizeof(SYNC),
    .Vtbl = &Methods,
    .Ids = Ids,
    .Delete = Delete,
};

NTSTATUS NTAPI PcNewInterruptSync(PINTERRUPTSYNC *OutInterruptSync,
                                  PUNKNOWN OuterUnknown,
                                  PRESOURCELIST ResourceList,
                                  ULONG ResourceIndex, INTERRUPTSYNCMODE Mode)
{
    PCM_PARTIAL_RESOURCE_DESCRIPTOR resource;
    SYNC *sync;

    PCP_PASSIVE("PcNewInterruptSync");
    if (!OutInterruptSync || !ResourceList || Mode < InterruptSyncModeNormal ||
        Mode > InterruptSyncModeRepeat) {
        return STATUS_INVALID_PARAMETER;
    }
    resource = ResourceList->lpVtbl->FindTranslatedEntry(
        ResourceList, CmResourceTypeInterrupt, ResourceIndex);
    if (!resource) {
        return STATUS_INVALID_PARAMETER;
    }
    sync = PcpNewObject(&Class, OuterUnknown, NonPagedPool);
    if (!sync) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    sync->Mode = Mode;
    sync->Resource = *resource;
    InitializeListHead(&sync->Routines);
    *OutInterruptSync = (PINTERRUPTSYNC)sync;
    return STATUS_SUCCESS;
}
