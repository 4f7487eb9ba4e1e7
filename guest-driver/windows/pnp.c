/* SPDX-License-Identifier: MIT */
/*
 * pcmaster.sys: Plug and Play, as far as PortCls does not see to it
 *
 * PortCls ends the streams and lets go of the miniport, which lets go of the
 * hardware.  What clients of the control device have made is ours to see to:
 * it outlives a stop, and goes when the device goes.
 */
#include "pcmaster.h"

/* From here on commands wait for what comes of the query. */
static void pnp_query_stop(struct device *device)
{
    device_lock(device);
    KeClearEvent(&device->settled);
    device_unlock(device);
}

/* The device has gone.  Commands fail from here on; what they made is freed. */
static void pnp_surprise(struct device *device)
{
    device_lock(device);
    device->removed = TRUE;
    control_release_all(device);
    KeSetEvent(&device->settled, IO_NO_INCREMENT, FALSE);
    device_unlock(device);
}

/* The lock's count falls to that of this request before the device goes. */
static NTSTATUS pnp_remove(struct device *device, PDEVICE_OBJECT functional, PIRP irp)
{
    NTSTATUS status;

    KeSetEvent(&device->settled, IO_NO_INCREMENT, FALSE);
    IoReleaseRemoveLockAndWait(&device->remove_lock, irp);
    device_lock(device);
    if (NT_SUCCESS(device_status(device))) {
        hardware_quiet(device);
    }
    control_release_all(device);
    device_unlock(device);
    status = PcDispatchIrp(functional, irp);
    device->removed = TRUE;
    control_delete_device(device);
    return status;
}

static BOOLEAN in_use(struct device *device)
{
    BOOLEAN used;

    device_lock(device);
    used = !IsListEmpty(&device->files);
    device_unlock(device);
    return used;
}

NTSTATUS NTAPI pnp_dispatch(PDEVICE_OBJECT functional, PIRP irp)
{
    struct device *device;
    NTSTATUS status;

    if (control_is(functional)) {
        return complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    device = adapter_device(functional);
    status = IoAcquireRemoveLock(&device->remove_lock, irp);
    if (!NT_SUCCESS(status)) {
        return complete(irp, status, 0);
    }
    switch (IoGetCurrentIrpStackLocation(irp)->MinorFunction) {
    case IRP_MN_REMOVE_DEVICE:
        return pnp_remove(device, functional, irp);
    case IRP_MN_QUERY_REMOVE_DEVICE:
        if (in_use(device)) {
            IoReleaseRemoveLock(&device->remove_lock, irp);
            return complete(irp, STATUS_DEVICE_BUSY, 0);
        }
        break;
    case IRP_MN_QUERY_STOP_DEVICE:
        pnp_query_stop(device);
        break;
    case IRP_MN_CANCEL_STOP_DEVICE:
        KeSetEvent(&device->settled, IO_NO_INCREMENT, FALSE);
        break;
    case IRP_MN_SURPRISE_REMOVAL:
        pnp_surprise(device);
        break;
    default:
        break;
    }
    status = PcDispatchIrp(functional, irp);
    IoReleaseRemoveLock(&device->remove_lock, irp);
    return status;
}
