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
        irp->Flags = MajorFunction == IRP_MJ_CREATE ? IRP_CREATE_OPERATION
                   : MajorFunction == IRP_MJ_CLOSE ? IRP_CLOSE_OPERATION : 0;
        stack->MajorFunction = MajorFunction;
        stack->FileObject = File;
        status = IopCallAndWait(top, irp);
    }
    ObDereferenceObject(top);
    return status;
}

static void FreeFile(PFILE_OBJECT File)
{
    if (File->FileName.Buffer) {
        ExFreePoolWithTag(File->FileName.Buffer, IOP_TAG);
    }
    IopFreeObject(File);
}

static void DeleteFile(PVOID Object)
{
    PFILE_OBJECT file = Object;

    SendFileIrp(file, IRP_MJ_CLOSE);
    InterlockedDecrement(&file->DeviceObject->ReferenceCount);
    IopFileClosed(file->DeviceObject);
    ObDereferenceObject(file->DeviceObject);
    FreeFile(file);
}

/* What stays of the name behind that of the device; drivers may change it. */
static NTSTATUS NameFile(PFILE_OBJECT File, PCUNICODE_STRING Name)
{
    if (!Name->Length) {
        return STATUS_SUCCESS;
    }
    File->FileName.Buffer = ExAllocatePoolWithTag(NonPagedPool, Name->Length,
                                                  IOP_TAG);
    if (!File->FileName.Buffer) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    File->FileName.MaximumLength = Name->Length;
    RtlCopyUnicodeString(&File->FileName, Name);
    return STATUS_SUCCESS;
}

NTSTATUS IopOpen(PDEVICE_OBJECT Device, PCUNICODE_STRING Name,
                 PFILE_OBJECT Related, PFILE_OBJECT *File)
{
    PFILE_OBJECT file = IopCreateObject(sizeof(*file), DeleteFile);
    NTSTATUS status;

    if (!file) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    file->Type = IO_TYPE_FILE;
    file->Size = sizeof(*file);
    file->DeviceObject = Device;
    file->RelatedFileObject = Related;
    InterlockedIncrement(&Device->ReferenceCount);
    status = NameFile(file, Name);
    if (NT_SUCCESS(status)) {
        status = SendFileIrp(file, IRP_MJ_CREATE);
    }
    if (!NT_SUCCESS(status)) {
        InterlockedDecrement(&Device->ReferenceCount);
        FreeFile(file);
        return status;
    }
    file->RelatedFileObject = NULL;
    ObReferenceObject(Device);
    *File = file;
    return status;
}

void IopCleanUp(PFILE_OBJECT File)
{
    SendFileIrp(File, IRP_MJ_CLEANUP);
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
    UNICODE_STRING rest;
    PDEVICE_OBJECT device = IopParseName(ObjectName, &rest);
    NTSTATUS status;

    UNREFERENCED_PARAMETER(DesiredAccess);
    if (!device) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    status = IopOpen(device, &rest, NULL, FileObject);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    IopCleanUp(*FileObject);
    *DeviceObject = IoGetAttachedDeviceReference(device);
    /* The caller's reference is the file's. */
    ObDereferenceObject(*DeviceObject);
    return STATUS_SUCCESS;
}
