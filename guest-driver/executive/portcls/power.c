/*
 * Power: streams are stopped before it goes, and go on when it is back.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcp.h"

NTSTATUS NTAPI PcRegisterAdapterPowerManagement(PUNKNOWN Unknown,
                                                PVOID DeviceObject)
{
    PADAPTERPOWERMANAGEMENT power;
    PC_DEVICE *device;
    NTSTATUS status;

    PCP_PASSIVE("PcRegisterAdapterPowerManagement");
    if (!Unknown || !DeviceObject) {
        return STATUS_INVALID_PARAMETER;
    }
    status = Unknown->lpVtbl->QueryInterface(
        Unknown, &IID_IAdapterPowerManagement, (PVOID *)&power);
    if (NT_SUCCESS(status)) {
        device = PcpDevice(DeviceObject);
        PCP_RELEASE(device->Power);
        device->Power = power;
    }
    return status;
}

NTSTATUS NTAPI PcUnregisterAdapterPowerManagement(PDEVICE_OBJECT DeviceObject)
{
    PC_DEVICE *device;

    PCP_PASSIVE("PcUnregisterAdapterPowerManagement");
    if (!DeviceObject) {
        return STATUS_INVALID_PARAMETER;
    }
    device = PcpDevice(DeviceObject);
    if (!device->Power) {
        return STATUS_UNSUCCESSFUL;
    }
    PCP_RELEASE(device->Power);
    return STATUS_SUCCESS;
}

static void ForPorts(PC_DEVICE *Device, void (*Routine)(PC_PORT *Port))
{
    for (PLIST_ENTRY link = Device->Ports.Flink; link != &Device->Ports;
         link = link->Flink) {
        Routine(CONTAINING_RECORD(link, PC_PORT, Link));
    }
}

static void TellMiniport(PC_PORT *Port)
{
    POWER_STATE state = { .DeviceState = Port->Device->PowerState };

    if (Port->PowerNotify) {
        Port->PowerNotify->lpVtbl->PowerChangeNotify(Port->PowerNotify, state);
    }
}

static void TellAdapter(PC_DEVICE *Device)
{
    POWER_STATE state = { .DeviceState = Device->PowerState };

    if (Device->Power) {
        Device->Power->lpVtbl->PowerChangeState(Device->Power, state);
    }
}

/* Streams, miniports, adapter; up again in the other direction. */
static void ChangeState(PC_DEVICE *Device, DEVICE_POWER_STATE State)
{
    PcpLock(Device);
    if (State != PowerDeviceD0 && Device->PowerState == PowerDeviceD0) {
        ForPorts(Device, PcpSuspendPort);
    }
    if (State != Device->PowerState) {
        bool up = State == PowerDeviceD0;

        Device->PowerState = State;
        if (up) {
            TellAdapter(Device);
        }
        ForPorts(Device, TellMiniport);
        if (!up) {
            TellAdapter(Device);
        } else {
            ForPorts(Device, PcpResumePort);
        }
    }
    PcpUnlock(Device);
}

static NTSTATUS PassOn(PC_DEVICE *Device, PIRP Irp)
{
    NTSTATUS status;

    PoStartNextPowerIrp(Irp);
    IoSkipCurrentIrpStackLocation(Irp);
    status = PoCallDriver(Device->Lower, Irp);
    IoReleaseRemoveLock(&Device->RemoveLock, Irp);
    return status;
}

static NTSTATUS SetPower(PC_DEVICE *Device, PIRP Irp, POWER_STATE State)
{
    NTSTATUS status;

    if (State.DeviceState != PowerDeviceD0) {
        ChangeState(Device, State.DeviceState);
        PoSetPowerState(Device->Self, DevicePowerState, State);
        Irp->IoStatus.Status = STATUS_SUCCESS;
        return PassOn(Device, Irp);
    }
    status = PcForwardIrpSynchronous(Device->Self, Irp);
    if (NT_SUCCESS(status)) {
        PoSetPowerState(Device->Self, DevicePowerState, State);
        ChangeState(Device, State.DeviceState);
    }
    PoStartNextPowerIrp(Irp);
    PcpComplete(Irp, status, 0);
    IoReleaseRemoveLock(&Device->RemoveLock, Irp);
    return status;
}

static NTSTATUS QueryPower(PC_DEVICE *Device, PIRP Irp, POWER_STATE State)
{
    NTSTATUS status = STATUS_SUCCESS;

    if (Device->Power) {
        status = Device->Power->lpVtbl->QueryPowerChangeState(Device->Power,
                                                              State);
    }
    if (!NT_SUCCESS(status)) {
        PoStartNextPowerIrp(Irp);
        PcpComplete(Irp, status, 0);
        IoReleaseRemoveLock(&Device->RemoveLock, Irp);
        return status;
    }
    Irp->IoStatus.Status = STATUS_SUCCESS;
    return PassOn(Device, Irp);
}

/* A system state is made a device state by the power policy: ours. */
static VOID NTAPI DeviceStateDone(PDEVICE_OBJECT DeviceObject,
                                 UCHAR MinorFunction, POWER_STATE PowerState,
                                 PVOID Context, PIO_STATUS_BLOCK IoStatus)
{
    PIRP irp = Context;

    UNREFERENCED_PARAMETER(MinorFunction);
    UNREFERENCED_PARAMETER(PowerState);
    UNREFERENCED_PARAMETER(DeviceObject);
    irp->IoStatus.Status = IoStatus->Status;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
}

/* Drivers below first; then the device is asked for, or set to, what goes with it. */
static NTSTATUS SystemPower(PC_DEVICE *Device, PIRP Irp, UCHAR MinorFunction,
                            SYSTEM_POWER_STATE System)
{
    NTSTATUS status = PcForwardIrpSynchronous(Device->Self, Irp);
    POWER_STATE state = { .DeviceState = PowerDeviceD3 };

    if (System > PowerSystemUnspecified && System < PowerSystemMaximum) {
        state.DeviceState = Device->DeviceStates[System];
    }
    PoStartNextPowerIrp(Irp);
    if (NT_SUCCESS(status)) {
        IoMarkIrpPending(Irp);
        status = PoRequestPowerIrp(Device->Self, MinorFunction, state,
                                   DeviceStateDone, Irp, NULL);
        if (!NT_SUCCESS(status)) {
            PcpComplete(Irp, status, 0);
        }
        status = STATUS_PENDING;
    } else {
        PcpComplete(Irp, status, 0);
    }
    IoReleaseRemoveLock(&Device->RemoveLock, Irp);
    return status;
}

NTSTATUS PcpDispatchPower(PC_DEVICE *Device, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    POWER_STATE state = stack->Parameters.Power.State;

    if (stack->MinorFunction != IRP_MN_SET_POWER &&
        stack->MinorFunction != IRP_MN_QUERY_POWER) {
        return PassOn(Device, Irp);
    }
    if (stack->Parameters.Power.Type == SystemPowerState) {
        return SystemPower(Device, Irp, stack->MinorFunction,
                           state.SystemState);
    }
    return stack->MinorFunction == IRP_MN_SET_POWER
               ? SetPower(Device, Irp, state) : QueryPower(Device, Irp, state);
}

typedef struct _REQUEST {
    KEVENT Done;
    NTSTATUS Status;
} REQUEST;

static VOID NTAPI RequestDone(PDEVICE_OBJECT DeviceObject, UCHAR MinorFunction,
                              POWER_STATE PowerState, PVOID Context,
                              PIO_STATUS_BLOCK IoStatus)
{
    REQUEST *request = Context;

    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(MinorFunction);
    UNREFERENCED_PARAMETER(PowerState);
    request->Status = IoStatus->Status;
    KeSetEvent(&request->Done, IO_NO_INCREMENT, FALSE);
}

NTSTATUS NTAPI PcRequestNewPowerState(PDEVICE_OBJECT DeviceObject,
                                      DEVICE_POWER_STATE RequestedNewState)
{
    POWER_STATE state = { .DeviceState = RequestedNewState };
    REQUEST request;
    NTSTATUS status;

    PCP_PASSIVE("PcRequestNewPowerState");
    if (!DeviceObject || RequestedNewState < PowerDeviceD0 ||
        RequestedNewState > PowerDeviceD3) {
        return STATUS_INVALID_PARAMETER;
    }
    if (PcpDevice(DeviceObject)->PowerState == RequestedNewState) {
        return STATUS_SUCCESS;
    }
    KeInitializeEvent(&request.Done, NotificationEvent, FALSE);
    status = PoRequestPowerIrp(DeviceObject, IRP_MN_SET_POWER, state,
                               RequestDone, &request, NULL);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    KeWaitForSingleObject(&request.Done, Executive, KernelMode, FALSE, NULL);
    return request.Status;
}
