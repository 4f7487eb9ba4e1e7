/*
 * Power: requests that drivers make of their devices' stacks, and those that
 * the system makes of all.
 *
 * A device stack has one device power request at a time, as the documents of
 * PoStartNextPowerIrp promise; those that are made meanwhile wait. From Windows
 * Vista on that routine itself has nothing left to do.
 *
 * SPDX-License-Identifier: MIT
 */
#include "iop.h"

typedef struct _REQUEST {
    LIST_ENTRY Link;
    IOP_WORK Work;
    PDEVICE_OBJECT Device;      /* that it was made for */
    PDEVICE_OBJECT Base;        /* of its stack, referenced */
    PDEVICE_OBJECT Top;         /* of its stack, referenced */
    UCHAR MinorFunction;
    POWER_STATE State;
    PREQUEST_POWER_COMPLETE Completion;
    PVOID Context;
    PIRP Irp;
    BOOLEAN Sent;
} REQUEST;

static LIST_ENTRY Requests = { &Requests, &Requests };
static KSPIN_LOCK Lock;

static void SendNow(IOP_WORK *Work)
{
    REQUEST *request = CONTAINING_RECORD(Work, REQUEST, Work);
    PDEVICE_OBJECT top = request->Top;

    ObReferenceObject(top);
    PoCallDriver(top, request->Irp);
    ObDereferenceObject(top);
}

/* Drivers see power requests at PASSIVE_LEVEL, whatever they were made at. */
static void Send(REQUEST *Request)
{
    if (KeGetCurrentIrql() == PASSIVE_LEVEL) {
        SendNow(&Request->Work);
    } else {
        IopQueueWork(&Request->Work);
    }
}

/* Marks the first request for the stack as sent, unless one is under way. */
static REQUEST *TakeNext(PDEVICE_OBJECT Base)
{
    for (PLIST_ENTRY e = Requests.Flink; e != &Requests; e = e->Flink) {
        REQUEST *request = CONTAINING_RECORD(e, REQUEST, Link);

        if (request->Base == Base) {
            if (request->Sent) {
                return NULL;
            }
            request->Sent = TRUE;
            return request;
        }
    }
    return NULL;
}

static void SendNext(PDEVICE_OBJECT Base)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Lock);
    REQUEST *next = TakeNext(Base);

    KeReleaseSpinLock(&Lock, irql);
    if (next) {
        Send(next);
    }
}

static NTSTATUS NTAPI Completed(PDEVICE_OBJECT DeviceObject, PIRP Irp,
                                PVOID Context)
{
    REQUEST *request = Context;
    PDEVICE_OBJECT base = request->Base;
    KIRQL irql;

    UNREFERENCED_PARAMETER(DeviceObject);
    if (request->Completion) {
        request->Completion(request->Device, request->MinorFunction,
                            request->State, request->Context, &Irp->IoStatus);
    }
    irql = KeAcquireSpinLockRaiseToDpc(&Lock);
    RemoveEntryList(&request->Link);
    KeReleaseSpinLock(&Lock, irql);
    ObDereferenceObject(request->Top);
    ExFreePoolWithTag(request, IOP_TAG);
    IoFreeIrp(Irp);
    SendNext(base);
    ObDereferenceObject(base);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void FillPower(PIRP Irp, UCHAR MinorFunction, POWER_STATE_TYPE Type,
                      POWER_STATE State)
{
    PIO_STACK_LOCATION stack = IoGetNextIrpStackLocation(Irp);

    Irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    stack->MajorFunction = IRP_MJ_POWER;
    stack->MinorFunction = MinorFunction;
    if (MinorFunction == IRP_MN_WAIT_WAKE) {
        stack->Parameters.WaitWake.PowerState = State.SystemState;
        return;
    }
    stack->Parameters.Power.Type = Type;
    stack->Parameters.Power.State = State;
    stack->Parameters.Power.ShutdownType =
        Type == SystemPowerState && State.SystemState != PowerSystemWorking
            ? PowerActionSleep : PowerActionNone;
}

/* NULL: no memory. */
static REQUEST *NewRequest(PDEVICE_OBJECT DeviceObject)
{
    REQUEST *request = ExAllocatePoolWithTag(NonPagedPool, sizeof(*request),
                                             IOP_TAG);

    if (!request) {
        return NULL;
    }
    RtlZeroMemory(request, sizeof(*request));
    request->Work.Routine = SendNow;
    request->Device = DeviceObject;
    request->Top = IoGetAttachedDeviceReference(DeviceObject);
    request->Base = IoGetDeviceAttachmentBaseRef(DeviceObject);
    request->Irp = IoAllocateIrp(request->Top->StackSize, FALSE);
    if (!request->Irp) {
        ObDereferenceObject(request->Top);
        ObDereferenceObject(request->Base);
        ExFreePoolWithTag(request, IOP_TAG);
        return NULL;
    }
    return request;
}

NTSTATUS NTAPI PoRequestPowerIrp(PDEVICE_OBJECT DeviceObject,
                                 UCHAR MinorFunction, POWER_STATE PowerState,
                                 PREQUEST_POWER_COMPLETE CompletionFunction,
                                 PVOID Context, PIRP *Irp)
{
    PDEVICE_OBJECT base;
    REQUEST *request;
    KIRQL irql;

    if (MinorFunction != IRP_MN_SET_POWER &&
        MinorFunction != IRP_MN_QUERY_POWER &&
        MinorFunction != IRP_MN_WAIT_WAKE) {
        return STATUS_INVALID_PARAMETER_2;
    }
    request = NewRequest(DeviceObject);
    if (!request) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    request->MinorFunction = MinorFunction;
    request->State = PowerState;
    request->Completion = CompletionFunction;
    request->Context = Context;
    FillPower(request->Irp, MinorFunction, DevicePowerState, PowerState);
    IoSetCompletionRoutine(request->Irp, Completed, request, TRUE, TRUE, TRUE);
    if (Irp) {
        *Irp = request->Irp;
    }
    base = request->Base;
    ObReferenceObject(base);
    irql = KeAcquireSpinLockRaiseToDpc(&Lock);
    InsertTailList(&Requests, &request->Link);
    KeReleaseSpinLock(&Lock, irql);
    SendNext(base);
    ObDereferenceObject(base);
    return STATUS_PENDING;
}

/* From Windows Vista on, it is IoCallDriver. */
NTSTATUS NTAPI PoCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    return IofCallDriver(DeviceObject, Irp);
}

VOID NTAPI PoStartNextPowerIrp(PIRP Irp)
{
    UNREFERENCED_PARAMETER(Irp);
}

POWER_STATE NTAPI PoSetPowerState(PDEVICE_OBJECT DeviceObject,
                                  POWER_STATE_TYPE Type, POWER_STATE State)
{
    POWER_STATE *state = Type == SystemPowerState
                             ? &IopExtension(DeviceObject)->SystemPower
                             : &IopExtension(DeviceObject)->DevicePower;
    POWER_STATE before = *state;

    *state = State;
    return before;
}

static NTSTATUS SendSystemPower(PDEVICE_OBJECT Pdo, UCHAR MinorFunction,
                                SYSTEM_POWER_STATE State)
{
    PDEVICE_OBJECT top = IoGetAttachedDeviceReference(Pdo);
    PIRP irp = IoAllocateIrp(top->StackSize, FALSE);
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;

    if (irp) {
        FillPower(irp, MinorFunction, SystemPowerState,
                  (POWER_STATE){ .SystemState = State });
        status = IopCallAndWait(top, irp);
    }
    ObDereferenceObject(top);
    return status;
}

static NTSTATUS SendToAll(UCHAR MinorFunction, SYSTEM_POWER_STATE State)
{
    NTSTATUS status = STATUS_SUCCESS;

    for (PDEVICE_OBJECT pdo = IopNextPdo(NULL); pdo && NT_SUCCESS(status);
         pdo = IopNextPdo(pdo)) {
        if (IopExtension(pdo)->Service) {
            status = SendSystemPower(pdo, MinorFunction, State);
        }
    }
    return status;
}

NTSTATUS IopSetSystemPower(SYSTEM_POWER_STATE State)
{
    NTSTATUS status = STATUS_SUCCESS;

    if (State != PowerSystemWorking) {
        status = SendToAll(IRP_MN_QUERY_POWER, State);
    }
    if (NT_SUCCESS(status)) {
        return SendToAll(IRP_MN_SET_POWER, State);
    }
    /* Whoever was asked is told that it remains as it was. */
    SendToAll(IRP_MN_SET_POWER, PowerSystemWorking);
    return status;
}
