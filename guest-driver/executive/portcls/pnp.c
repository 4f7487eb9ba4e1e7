/*
 * Plug and play requests to an adapter's device.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcp.h"

/* Calls the driver's StartDevice with what the device was given. */
static NTSTATUS Start(PC_DEVICE *Device, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    PRESOURCELIST resources;
    NTSTATUS status = PcForwardIrpSynchronous(Device->Self, Irp);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = PcNewResourceList(
        &resources, NULL, NonPagedPool,
        stack->Parameters.StartDevice.AllocatedResourcesTranslated,
        stack->Parameters.StartDevice.AllocatedResources);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    Device->PowerState = PowerDeviceD0;
    status = Device->StartDevice(Device->Self, Irp, resources);
    resources->lpVtbl->Release(resources);
    if (!NT_SUCCESS(status)) {
        PcpStopSubdevices(Device);
        return status;
    }
    PcpLearnDeviceStates(Device);
    PcpLock(Device);
    Device->Started = TRUE;
    PcpUnlock(Device);
    return status;
}

static void Stop(PC_DEVICE *Device)
{
    PcpLock(Device);
    Device->Started = FALSE;
    PcpUnlock(Device);
    PcpStopSubdevices(Device);
}

/* Requests that are under way end before the device goes. */
static NTSTATUS Remove(PC_DEVICE *Device, PIRP Irp)
{
    NTSTATUS status;

    IoReleaseRemoveLockAndWait(&Device->RemoveLock, Irp);
    Stop(Device);
    PcpStopTimeouts(Device);
    PCP_RELEASE(Device->Power);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    IoSkipCurrentIrpStackLocation(Irp);
    status = IoCallDriver(Device->Lower, Irp);
    IoDetachDevice(Device->Lower);
    IoDeleteDevice(Device->Self);
    return status;
}

NTSTATUS PcpDispatchPnp(PC_DEVICE *Device, PIRP Irp)
{
    NTSTATUS status;

    switch (IoGetCurrentIrpStackLocation(Irp)->MinorFunction) {
    case IRP_MN_START_DEVICE:
        status = PcpComplete(Irp, Start(Device, Irp), 0);
        IoReleaseRemoveLock(&Device->RemoveLock, Irp);
        return status;
    case IRP_MN_QUERY_CAPABILITIES:
        status = PcpComplete(Irp, PcpQueryCapabilities(Device, Irp), 0);
        IoReleaseRemoveLock(&Device->RemoveLock, Irp);
        return status;
    case IRP_MN_REMOVE_DEVICE:
        return Remove(Device, Irp);
    case IRP_MN_STOP_DEVICE:
    case IRP_MN_SURPRISE_REMOVAL:
        Stop(Device);
        Irp->IoStatus.Status = STATUS_SUCCESS;
        break;
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
        Irp->IoStatus.Status = STATUS_SUCCESS;
        break;
    default:
        break;                  /* the status stays as it came */
    }
    IoSkipCurrentIrpStackLocation(Irp);
    status = IoCallDriver(Device->Lower, Irp);
    IoReleaseRemoveLock(&Device->RemoveLock, Irp);
    return status;
}
