/*
 * Plug and play: drivers for devices, and the start and removal of both.
 *
 * SPDX-License-Identifier: MIT
 */
#include "iop.h"
#include "halp.h"
#include "ldrp.h"

NTSTATUS IopLoadDriver(const char *Name, PDRIVER_OBJECT *Driver)
{
    UNICODE_STRING path = RTL_CONSTANT_STRING(
        L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\driver");
    PDRIVER_INITIALIZE entry;
    enum pe_status loaded;
    PVOID file, address;
    ULONG size;

    file = IopReadFile(Name, &size);
    if (!file) {
        DbgPrint("ldr: no file opt/org.pcmaster/%s (give it with -fw_cfg)\n",
                 Name);
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    loaded = LdrpLoad(Name, file, size, &address);
    ExFreePoolWithTag(file, IOP_TAG);
    if (loaded != PE_OK) {
        DbgPrint("ldr: %s: %s\n", Name, pe_explain(loaded));
        return STATUS_INVALID_IMAGE_FORMAT;
    }
    *Driver = IopCreateDriver();
    if (!*Driver) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    entry = (PDRIVER_INITIALIZE)(ULONG_PTR)address;
    (*Driver)->DriverInit = entry;
    return entry(*Driver, &path);
}

void IopUnloadDriver(PDRIVER_OBJECT Driver)
{
    if (Driver->DriverUnload) {
        Driver->DriverUnload(Driver);
    }
    if (Driver->DeviceObject) {
        DbgPrint("io: the driver was unloaded with a device object left\n");
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, 0,
                     (ULONG_PTR)Driver->DeviceObject, 0, 0);
    }
    ObDereferenceObject(Driver);
}

/* To the top of the PDO's stack, with resources if it is a start. */
static NTSTATUS SendPnp(PDEVICE_OBJECT Pdo, UCHAR MinorFunction)
{
    PDEVICE_OBJECT top = IoGetAttachedDeviceReference(Pdo);
    PIRP irp = IoAllocateIrp(top->StackSize, FALSE);
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;

    if (irp) {
        PIO_STACK_LOCATION stack = IoGetNextIrpStackLocation(irp);

        irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
        stack->MajorFunction = IRP_MJ_PNP;
        stack->MinorFunction = MinorFunction;
        if (MinorFunction == IRP_MN_START_DEVICE) {
            stack->Parameters.StartDevice.AllocatedResources =
                IopPdoResources(Pdo);
            stack->Parameters.StartDevice.AllocatedResourcesTranslated =
                IopPdoResources(Pdo);
        }
        status = IopCallAndWait(top, irp);
    }
    ObDereferenceObject(top);
    return status;
}

/* Files that are open on any device of the stack. */
static LONG CountOpen(PDEVICE_OBJECT Pdo)
{
    LONG open = 0;

    for (PDEVICE_OBJECT device = Pdo; device; device = device->AttachedDevice) {
        open += device->ReferenceCount;
    }
    return open;
}

/* The driver lets go of the device. The PDO may be gone afterwards. */
static NTSTATUS Remove(PDEVICE_OBJECT Pdo)
{
    NTSTATUS status;

    IopExtension(Pdo)->RemoveAtLastClose = FALSE;
    IopExtension(Pdo)->Service = NULL;
    status = SendPnp(Pdo, IRP_MN_REMOVE_DEVICE);
    HalpCheckRemoved(Pdo);
    if (Pdo->AttachedDevice) {
        DbgPrint("io: IRP_MN_REMOVE_DEVICE: a device object is still attached\n");
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, 0, (ULONG_PTR)Pdo,
                     (ULONG_PTR)Pdo->AttachedDevice, 0);
    }
    return status;
}

/* Whoever holds the PDO must not see it go under its hands. */
static NTSTATUS RemoveReferenced(PDEVICE_OBJECT Pdo)
{
    NTSTATUS status;

    ObReferenceObject(Pdo);
    status = Remove(Pdo);
    ObDereferenceObject(Pdo);
    return status;
}

void IopSurpriseRemoval(PDEVICE_OBJECT Pdo)
{
    SendPnp(Pdo, IRP_MN_SURPRISE_REMOVAL);
    IopExtension(Pdo)->RemoveAtLastClose = TRUE;
    if (!CountOpen(Pdo)) {
        RemoveReferenced(Pdo);
    }
}

void IopFileClosed(PDEVICE_OBJECT Device)
{
    PDEVICE_OBJECT base = IoGetDeviceAttachmentBaseRef(Device);

    if (IopExtension(base)->RemoveAtLastClose && !CountOpen(base)) {
        Remove(base);
    }
    ObDereferenceObject(base);
}

NTSTATUS IopStartDevice(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Pdo)
{
    NTSTATUS status = STATUS_INVALID_DEVICE_REQUEST;

    if (Driver->DriverExtension->AddDevice) {
        status = Driver->DriverExtension->AddDevice(Driver, Pdo);
    }
    if (!NT_SUCCESS(status)) {
        DbgPrint("io: AddDevice failed with 0x%x\n", status);
        return status;
    }
    status = SendPnp(Pdo, IRP_MN_START_DEVICE);
    if (!NT_SUCCESS(status)) {
        DbgPrint("io: IRP_MN_START_DEVICE failed with 0x%x\n", status);
        RemoveReferenced(Pdo);
        return status;
    }
    IopExtension(Pdo)->Service = Driver;
    return status;
}

void IopRemoveDevicesOf(PDRIVER_OBJECT Driver)
{
    PDEVICE_OBJECT pdo = NULL, next = IopNextPdo(NULL);

    while ((pdo = next)) {
        next = IopNextPdo(pdo);
        if (IopExtension(pdo)->Service == Driver) {
            IopRemoveDevice(pdo);
        }
    }
}

NTSTATUS IopRebalanceDevice(PDEVICE_OBJECT Pdo)
{
    NTSTATUS status = SendPnp(Pdo, IRP_MN_QUERY_STOP_DEVICE);

    if (!NT_SUCCESS(status)) {
        SendPnp(Pdo, IRP_MN_CANCEL_STOP_DEVICE);
        return status;
    }
    SendPnp(Pdo, IRP_MN_STOP_DEVICE);
    if (!IopChangePdoResources(Pdo)) {
        DbgPrint("io: the device keeps some of its resources: there are no "
                 "others\n");
    }
    status = SendPnp(Pdo, IRP_MN_START_DEVICE);
    if (!NT_SUCCESS(status)) {
        DbgPrint("io: IRP_MN_START_DEVICE after a stop failed with 0x%x\n",
                 status);
        IopSurpriseRemoval(Pdo);
    }
    return status;
}

NTSTATUS IopRemoveDevice(PDEVICE_OBJECT Pdo)
{
    NTSTATUS status = SendPnp(Pdo, IRP_MN_QUERY_REMOVE_DEVICE);

    if (!NT_SUCCESS(status)) {
        DbgPrint("io: the driver refuses IRP_MN_QUERY_REMOVE_DEVICE: 0x%x\n",
                 status);
        SendPnp(Pdo, IRP_MN_CANCEL_REMOVE_DEVICE);
        return status;
    }
    if (CountOpen(Pdo)) {
        SendPnp(Pdo, IRP_MN_CANCEL_REMOVE_DEVICE);
        return STATUS_DEVICE_BUSY;
    }
    return RemoveReferenced(Pdo);
}
