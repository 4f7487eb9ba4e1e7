/* SPDX-License-Identifier: MIT */
/*
 * pcmaster.sys: power
 *
 * The driver owns its device's power policy: D0 while the system works, else
 * D3, which the hardware leaves as after a reset.  Memory is not the hardware's:
 * what clients have allocated is theirs when it comes back.
 */
#include "pcmaster.h"

static void hardware_down(struct device *device)
{
    hardware_stopping(device);
    device_lock(device);
    playback_release(device);
    if (NT_SUCCESS(device_status(device))) {
        write32(device, PCM_CTRL, PCM_CTRL_RESET);
    }
    device->powered = FALSE;
    device_unlock(device);
}

static void hardware_up(struct device *device)
{
    device_lock(device);
    device->powered = TRUE;
    if (NT_SUCCESS(device_status(device))) {
        hardware_reset(device);
        InterlockedExchange(&device->stopping, FALSE);
    }
    device_unlock(device);
}

/* Down before the drivers below, up after them. */
static NTSTATUS power_set_device(struct device *device, PIRP irp, POWER_STATE state)
{
    NTSTATUS status;

    if (state.DeviceState == PowerDeviceD0) {
        status = forward_and_wait(device, irp);
        if (NT_SUCCESS(status)) {
            hardware_up(device);
            PoSetPowerState(device->self, DevicePowerState, state);
        }
        PoStartNextPowerIrp(irp);
        complete(irp, status, 0);
    } else {
        hardware_down(device);
        PoSetPowerState(device->self, DevicePowerState, state);
        PoStartNextPowerIrp(irp);
        IoSkipCurrentIrpStackLocation(irp);
        status = PoCallDriver(device->lower, irp);
    }
    IoReleaseRemoveLock(&device->remove_lock, irp);
    return status;
}

/* The device has followed the system: the system's request ends. */
static VOID NTAPI device_followed(PDEVICE_OBJECT physical, UCHAR minor, POWER_STATE state, PVOID context,
                                  PIO_STATUS_BLOCK result)
{
    PIRP system = context;
    struct device *device = IoGetCurrentIrpStackLocation(system)->DeviceObject->DeviceExtension;

    PCM_UNUSED(physical);
    PCM_UNUSED(minor);
    PCM_UNUSED(state);
    PoStartNextPowerIrp(system);
    complete(system, result->Status, 0);
    IoReleaseRemoveLock(&device->remove_lock, system);
}

/* The drivers below are done with the system's request: now the device's is due. */
static NTSTATUS NTAPI system_passed(PDEVICE_OBJECT self, PIRP irp, PVOID context)
{
    struct device *device = context;
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
    POWER_STATE state;
    NTSTATUS status = irp->IoStatus.Status;

    PCM_UNUSED(self);
    state.DeviceState = stack->Parameters.Power.State.SystemState == PowerSystemWorking ? PowerDeviceD0
                                                                                        : PowerDeviceD3;
    if (NT_SUCCESS(status)) {
        status = PoRequestPowerIrp(device->physical, stack->MinorFunction, state, device_followed, irp,
                                   NULL);
        if (status == STATUS_PENDING) {
            return STATUS_MORE_PROCESSING_REQUIRED;
        }
        irp->IoStatus.Status = status;
    }
    PoStartNextPowerIrp(irp);
    IoReleaseRemoveLock(&device->remove_lock, irp);
    return STATUS_CONTINUE_COMPLETION;
}

static NTSTATUS power_system(struct device *device, PIRP irp)
{
    IoMarkIrpPending(irp);
    IoCopyCurrentIrpStackLocationToNext(irp);
    IoSetCompletionRoutine(irp, system_passed, device, TRUE, TRUE, TRUE);
    PoCallDriver(device->lower, irp);
    return STATUS_PENDING;
}

NTSTATUS NTAPI power_dispatch(PDEVICE_OBJECT self, PIRP irp)
{
    struct device *device = self->DeviceExtension;
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
    NTSTATUS status = IoAcquireRemoveLock(&device->remove_lock, irp);

    if (!NT_SUCCESS(status)) {
        PoStartNextPowerIrp(irp);
        return complete(irp, status, 0);
    }
    if (stack->MinorFunction == IRP_MN_SET_POWER || stack->MinorFunction == IRP_MN_QUERY_POWER) {
        if (stack->Parameters.Power.Type == SystemPowerState) {
            return power_system(device, irp);
        }
        if (stack->MinorFunction == IRP_MN_SET_POWER) {
            return power_set_device(device, irp, stack->Parameters.Power.State);
        }
    }
    PoStartNextPowerIrp(irp);
    IoSkipCurrentIrpStackLocation(irp);
    status = PoCallDriver(device->lower, irp);
    IoReleaseRemoveLock(&device->remove_lock, irp);
    return status;
}
