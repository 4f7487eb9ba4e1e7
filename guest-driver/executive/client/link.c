/* SPDX-License-Identifier: MIT */
/* client.sys: the way to the driver */
#include "client.h"

NTSTATUS link_open(struct link *link, const WCHAR *name)
{
    UNICODE_STRING string;

    link->file = NULL;
    RtlInitUnicodeString(&string, name);
    return IoGetDeviceObjectPointer(&string, FILE_READ_DATA | FILE_WRITE_DATA, &link->file, &link->device);
}

void link_close(struct link *link)
{
    if (link->file) {
        ObDereferenceObject(link->file);
        link->file = NULL;
    }
}

NTSTATUS link_command(const struct link *link, ULONG code, const void *in, ULONG in_length, PVOID out,
                      ULONG out_length)
{
    IO_STATUS_BLOCK result;
    KEVENT done;
    NTSTATUS status;
    PIRP irp;

    if (!link->file) {
        return STATUS_INVALID_HANDLE;
    }
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    irp = IoBuildDeviceIoControlRequest(code, link->device, (PVOID)in, in_length, out, out_length, FALSE,
                                        &done, &result);
    if (!irp) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    /* The driver keeps what belongs to a client with the client's file. */
    IoGetNextIrpStackLocation(irp)->FileObject = link->file;
    status = IoCallDriver(link->device, irp);
    if (status == STATUS_PENDING) {
        KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
        status = result.Status;
    }
    return status;
}
