/*
 * File objects: what a driver sees of those who open its devices.
 *
 * SPDX-License-Identifier: MIT
 */
#include "iop.h"

static NTSTATUS SendFileIrp(PFILE_OBJECT File, UCHAR MajorFunction)
{
    PDEVICE_OBJECT top = IoGetAttachedDeviceReference(File->DeviceObject);
    PIRP irp = IoAllocateIrp(top->StackSize, FALSE);
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;

    if (irp) {
        PIO_STACK_LOCATION stack = IoGetNextIrpStackLocation(irp);

        irp->Tail.Overlay.OriginalFileObject = File;
        stack->MajorFunction = MajorFunction;
        stack->FileObject = File;
        status = IopCallAndWait(top, irp);
    }
    ObDereferenceObject(top);
    return status;
}

static void DeleteFile(PVOID Object)
{
    PFILE_OBJECT file = Object;

    SendFileIrp(file, IRP_MJ_CLOSE);
    InterlockedDecrement(&file->DeviceObject->ReferenceCount);
    IopFileClosed(file->DeviceObject);
    ObDereferenceObject(file->DeviceObject);
    IopFreeObject(file);
}

/*
 * As Windows does it, by a handle that is closed before the return: the driver
 * sees IRP_MJ_CLEANUP at once, and IRP_MJ_CLOSE at the last dereference.
 */
NTSTATUS NTAPI IoGetDeviceObjectPointer(PUNICODE_STRING ObjectName,
                                        ACCESS_MASK DesiredAccess,
                                        PFILE_OBJECT *FileObject,
                                        PDEVICE_OBJECT *DeviceObject)
{
    PDEVICE_OBJECT device = IopFindDevice(ObjectName);
    PFILE_OBJECT file;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(DesiredAccess);
    if (!device) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    file = IopCreateObject(sizeof(*file), DeleteFile);
    if (!file) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    file->Type = IO_TYPE_FILE;
    file->Size = sizeof(*file);
    file->DeviceObject = device;
    InterlockedIncrement(&device->ReferenceCount);
    status = SendFileIrp(file, IRP_MJ_CREATE);
    if (!NT_SUCCESS(status)) {
        InterlockedDecrement(&device->ReferenceCount);
        IopFreeObject(file);
        return status;
    }
    SendFileIrp(file, IRP_MJ_CLEANUP);
    ObReferenceObject(device);
    *FileObject = file;
    *DeviceObject = IoGetAttachedDeviceReference(device);
    /* The caller's reference is the file's. */
    ObDereferenceObject(*DeviceObject);
    return STATUS_SUCCESS;
}
