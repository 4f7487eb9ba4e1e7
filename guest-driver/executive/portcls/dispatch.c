/*
 * Requests to an adapter's device: opening filters and pins, and their control.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcp.h"

#define PIN_NAME            KSSTRING_Pin L"\\"

NTSTATUS PcpComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_SOUND_INCREMENT);
    return Status;
}

NTSTATUS NTAPI PcCompleteIrp(PDEVICE_OBJECT DeviceObject, PIRP Irp,
                             NTSTATUS Status)
{
    PCP_DISPATCH("PcCompleteIrp");
    if (!DeviceObject || !Irp || Status == STATUS_PENDING) {
        return STATUS_INVALID_PARAMETER;
    }
    return PcpComplete(Irp, Status, Irp->IoStatus.Information);
}

static NTSTATUS NTAPI Signal(PDEVICE_OBJECT DeviceObject, PIRP Irp,
                             PVOID Event)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent(Event, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

NTSTATUS NTAPI PcForwardIrpSynchronous(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    KEVENT done;
    NTSTATUS status;

    PCP_PASSIVE("PcForwardIrpSynchronous");
    if (!DeviceObject || !Irp) {
        return STATUS_INVALID_PARAMETER;
    }
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, Signal, &done, TRUE, TRUE, TRUE);
    status = IoCallDriver(PcpDevice(DeviceObject)->Lower, Irp);
    if (status == STATUS_PENDING) {
        KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
        status = Irp->IoStatus.Status;
    }
    return status;
}

/* The length of PIN_NAME if the name begins with it; else 0. */
static ULONG PinPrefix(PCUNICODE_STRING Name)
{
    UNICODE_STRING prefix, start;

    RtlInitUnicodeString(&prefix, PIN_NAME);
    start = *Name;
    if (start.Length < prefix.Length) {
        return 0;
    }
    start.Length = prefix.Length;
    return RtlEqualUnicodeString(&prefix, &start, TRUE) ? prefix.Length : 0;
}

/* Relative to a filter, not to another pin; a topology's pins have no streams. */
static NTSTATUS OpenPin(PFILE_OBJECT File, PFILE_OBJECT Related)
{
    ULONG prefix = PinPrefix(&File->FileName);
    PC_FILTER *filter = PcpFilterOf(Related->FsContext);

    if (!prefix || !filter) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    if (filter->Port->MiniportId != &IID_IMiniportWaveCyclic) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    return PcpOpenPin(filter, Related, File,
                      (PUCHAR)File->FileName.Buffer + prefix,
                      File->FileName.Length - prefix);
}

static NTSTATUS OpenFilter(PC_DEVICE *Device, PFILE_OBJECT File)
{
    UNICODE_STRING name = File->FileName;
    PC_PORT *port;

    if (name.Length <= sizeof(WCHAR) || name.Buffer[0] != L'\\') {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    name.Buffer++;
    name.Length -= sizeof(WCHAR);
    port = PcpFindSubdevice(Device, &name);
    return port ? PcpOpenFilter(port, File) : STATUS_OBJECT_NAME_NOT_FOUND;
}

static NTSTATUS Create(PC_DEVICE *Device, PFILE_OBJECT File)
{
    NTSTATUS status;

    PcpLock(Device);
    if (!Device->Started) {
        status = STATUS_DEVICE_NOT_READY;
    } else if (File->RelatedFileObject) {
        status = OpenPin(File, File->RelatedFileObject);
    } else {
        status = OpenFilter(Device, File);
    }
    PcpUnlock(Device);
    return status;
}

/* Completes the request. */
static NTSTATUS DispatchFile(PC_DEVICE *Device, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    PC_FILE *file = stack->FileObject ? stack->FileObject->FsContext : NULL;
    NTSTATUS status = STATUS_INVALID_DEVICE_REQUEST;

    if (stack->MajorFunction == IRP_MJ_CREATE && stack->FileObject) {
        status = Create(Device, stack->FileObject);
    } else if (!file) {
        status = STATUS_INVALID_DEVICE_REQUEST;
    } else if (stack->MajorFunction == IRP_MJ_DEVICE_CONTROL) {
        return file->Control(file, Irp);
    } else if (stack->MajorFunction == IRP_MJ_CLEANUP) {
        file->Cleanup(file);
        status = STATUS_SUCCESS;
    } else if (stack->MajorFunction == IRP_MJ_CLOSE) {
        stack->FileObject->FsContext = NULL;
        file->Close(file);
        status = STATUS_SUCCESS;
    }
    return PcpComplete(Irp, status, 0);
}

static NTSTATUS PassOn(PC_DEVICE *Device, PIRP Irp)
{
    NTSTATUS status;

    IoSkipCurrentIrpStackLocation(Irp);
    status = IoCallDriver(Device->Lower, Irp);
    IoReleaseRemoveLock(&Device->RemoveLock, Irp);
    return status;
}

NTSTATUS NTAPI PcDispatchIrp(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PC_DEVICE *device;
    NTSTATUS status;

    if (!DeviceObject || !Irp) {
        return STATUS_INVALID_PARAMETER;
    }
    device = PcpDevice(DeviceObject);
    status = IoAcquireRemoveLock(&device->RemoveLock, Irp);
    if (!NT_SUCCESS(status)) {
        return PcpComplete(Irp, status, 0);
    }
    switch (IoGetCurrentIrpStackLocation(Irp)->MajorFunction) {
    case IRP_MJ_PNP:
        return PcpDispatchPnp(device, Irp);
    case IRP_MJ_POWER:
        return PcpDispatchPower(device, Irp);
    case IRP_MJ_SYSTEM_CONTROL:
        return PassOn(device, Irp);
    default:
        break;
    }
    status = DispatchFile(device, Irp);
    IoReleaseRemoveLock(&device->RemoveLock, Irp);
    return status;
}
