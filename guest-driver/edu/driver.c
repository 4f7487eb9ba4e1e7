/* SPDX-License-Identifier: MIT */
/* edu.sys: entry point, Plug and Play */
#include "edu.h"

static NTSTATUS complete(PIRP irp, NTSTATUS status)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = 0;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

static NTSTATUS pass_down(struct edu *edu, PIRP irp)
{
    IoSkipCurrentIrpStackLocation(irp);
    return IoCallDriver(edu->lower, irp);
}

/* Power and WMI: there is nothing of ours in them. */
static NTSTATUS NTAPI pass_on(PDEVICE_OBJECT self, PIRP irp)
{
    struct edu *edu = self->DeviceExtension;
    NTSTATUS status = IoAcquireRemoveLock(&edu->remove_lock, irp);

    if (!NT_SUCCESS(status)) {
        return complete(irp, status);
    }
    status = pass_down(edu, irp);
    IoReleaseRemoveLock(&edu->remove_lock, irp);
    return status;
}

static NTSTATUS NTAPI add_device(PDRIVER_OBJECT driver, PDEVICE_OBJECT physical)
{
    PDEVICE_OBJECT self;
    struct edu *edu;
    NTSTATUS status = IoCreateDevice(driver, sizeof(*edu), NULL, FILE_DEVICE_UNKNOWN,
                                     FILE_DEVICE_SECURE_OPEN, FALSE, &self);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    edu = self->DeviceExtension;
    RtlZeroMemory(edu, sizeof(*edu));
    edu->self = self;
    edu->physical = physical;
    IoInitializeRemoveLock(&edu->remove_lock, EDU_TAG, 0, 0);
    hardware_init(edu);
    edu->lower = IoAttachDeviceToDeviceStack(self, physical);
    if (!edu->lower) {
        IoDeleteDevice(self);
        return STATUS_NO_SUCH_DEVICE;
    }
    self->Flags |= DO_POWER_PAGABLE;
    self->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI passed(PDEVICE_OBJECT self, PIRP irp, PVOID event)
{
    UNREFERENCED_PARAMETER(self);
    UNREFERENCED_PARAMETER(irp);
    KeSetEvent(event, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* The bus driver starts the device first. */
static NTSTATUS start(struct edu *edu, PIRP irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
    KEVENT done;
    NTSTATUS status;

    KeInitializeEvent(&done, NotificationEvent, FALSE);
    IoCopyCurrentIrpStackLocationToNext(irp);
    IoSetCompletionRoutine(irp, passed, &done, TRUE, TRUE, TRUE);
    if (IoCallDriver(edu->lower, irp) == STATUS_PENDING) {
        KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    }
    status = irp->IoStatus.Status;
    if (NT_SUCCESS(status)) {
        status = hardware_start(edu, stack->Parameters.StartDevice.AllocatedResourcesTranslated);
    }
    if (NT_SUCCESS(status)) {
        show(edu);
    }
    return complete(irp, status);
}

static NTSTATUS remove(struct edu *edu, PIRP irp)
{
    PDEVICE_OBJECT self = edu->self;
    NTSTATUS status;

    IoReleaseRemoveLockAndWait(&edu->remove_lock, irp);
    hardware_stop(edu);
    irp->IoStatus.Status = STATUS_SUCCESS;
    status = pass_down(edu, irp);
    IoDetachDevice(edu->lower);
    IoDeleteDevice(self);
    return status;
}

static NTSTATUS NTAPI dispatch_pnp(PDEVICE_OBJECT self, PIRP irp)
{
    struct edu *edu = self->DeviceExtension;
    NTSTATUS status = IoAcquireRemoveLock(&edu->remove_lock, irp);

    if (!NT_SUCCESS(status)) {
        return complete(irp, status);
    }
    switch (IoGetCurrentIrpStackLocation(irp)->MinorFunction) {
    case IRP_MN_REMOVE_DEVICE:
        return remove(edu, irp);
    case IRP_MN_START_DEVICE:
        status = start(edu, irp);
        IoReleaseRemoveLock(&edu->remove_lock, irp);
        return status;
    case IRP_MN_STOP_DEVICE:
    case IRP_MN_SURPRISE_REMOVAL:
        hardware_stop(edu);
        irp->IoStatus.Status = STATUS_SUCCESS;
        break;
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
        irp->IoStatus.Status = STATUS_SUCCESS;
        break;
    default:
        break;                          /* the status stays as it came */
    }
    status = pass_down(edu, irp);
    IoReleaseRemoveLock(&edu->remove_lock, irp);
    return status;
}

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
    UNREFERENCED_PARAMETER(driver);
    show_plan();
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path)
{
    UNREFERENCED_PARAMETER(registry_path);
    driver->DriverUnload = unload;
    driver->DriverExtension->AddDevice = add_device;
    driver->MajorFunction[IRP_MJ_PNP] = dispatch_pnp;
    driver->MajorFunction[IRP_MJ_POWER] = pass_on;
    driver->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = pass_on;
    return STATUS_SUCCESS;
}
