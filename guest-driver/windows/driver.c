/* SPDX-License-Identifier: MIT */
/* pcmaster.sys: entry point, and what belongs to no single purpose */
#include "pcmaster.h"

PVOID pool_allocate(SIZE_T bytes)
{
    PVOID memory = ExAllocatePoolWithTag(NonPagedPool, bytes, PCM_POOL_TAG);

    if (memory) {
        RtlZeroMemory(memory, bytes);
    }
    return memory;
}

void device_lock(struct device *device)
{
    KeEnterCriticalRegion();
    KeWaitForSingleObject(&device->lock, Executive, KernelMode, FALSE, NULL);
}

void device_unlock(struct device *device)
{
    KeSetEvent(&device->lock, IO_NO_INCREMENT, FALSE);
    KeLeaveCriticalRegion();
}

void device_lock_settled(struct device *device)
{
    for (;;) {
        KeWaitForSingleObject(&device->settled, Executive, KernelMode, FALSE, NULL);
        device_lock(device);
        if (KeReadStateEvent(&device->settled)) {
            return;
        }
        device_unlock(device);
    }
}

NTSTATUS device_status(const struct device *device)
{
    if (device->removed) {
        return STATUS_DELETE_PENDING;
    }
    if (!device->started) {
        return STATUS_DEVICE_NOT_READY;
    }
    return device->powered ? STATUS_SUCCESS : STATUS_DEVICE_POWERED_OFF;
}

NTSTATUS complete(PIRP irp, NTSTATUS status, ULONG_PTR information)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path)
{
    NTSTATUS status = PcInitializeAdapterDriver(driver, registry_path, adapter_add_device);

    if (NT_SUCCESS(status)) {
        driver->MajorFunction[IRP_MJ_PNP] = pnp_dispatch;
        driver->MajorFunction[IRP_MJ_CREATE] = control_create;
        driver->MajorFunction[IRP_MJ_CLEANUP] = control_cleanup;
        driver->MajorFunction[IRP_MJ_CLOSE] = control_close;
        driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = control_dispatch;
    }
    return status;
}
