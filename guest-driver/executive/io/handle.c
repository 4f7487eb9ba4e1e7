/*
 * Handles of files on devices.
 *
 * SPDX-License-Identifier: MIT
 */
#include "iop.h"

#define HANDLES_MAX         64
#define HANDLE_STEP         4
#define FIRST_HANDLE        0x2000      /* above those of threads */

static PFILE_OBJECT Handles[HANDLES_MAX];
static KSPIN_LOCK Lock;

/* Lock held. */
static PFILE_OBJECT *Find(HANDLE Handle)
{
    ULONG_PTR at = (ULONG_PTR)Handle - FIRST_HANDLE;

    return at < HANDLES_MAX * HANDLE_STEP && at % HANDLE_STEP == 0 &&
                   Handles[at / HANDLE_STEP]
               ? &Handles[at / HANDLE_STEP] : NULL;
}

static NTSTATUS Insert(PFILE_OBJECT File, PHANDLE Handle)
{
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
    KIRQL irql;

    KeAcquireSpinLock(&Lock, &irql);
    for (ULONG i = 0; i < HANDLES_MAX && !NT_SUCCESS(status); i++) {
        if (!Handles[i]) {
            Handles[i] = File;
            *Handle = (HANDLE)(ULONG_PTR)(FIRST_HANDLE + i * HANDLE_STEP);
            status = STATUS_SUCCESS;
        }
    }
    KeReleaseSpinLock(&Lock, irql);
    return status;
}

NTSTATUS IopReferenceFile(HANDLE Handle, PVOID *Object)
{
    PFILE_OBJECT *entry;
    KIRQL irql;

    KeAcquireSpinLock(&Lock, &irql);
    entry = Find(Handle);
    *Object = entry ? *entry : NULL;
    if (entry) {
        ObReferenceObject(*Object);
    }
    KeReleaseSpinLock(&Lock, irql);
    return entry ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

bool IopCloseFileHandle(HANDLE Handle)
{
    PFILE_OBJECT *entry, file;
    KIRQL irql;

    KeAcquireSpinLock(&Lock, &irql);
    entry = Find(Handle);
    file = entry ? *entry : NULL;
    if (entry) {
        *entry = NULL;
    }
    KeReleaseSpinLock(&Lock, irql);
    if (file) {
        IopCleanUp(file);
        ObDereferenceObject(file);
    }
    return file != NULL;
}

static NTSTATUS Open(POBJECT_ATTRIBUTES Attributes, PFILE_OBJECT *File)
{
    PFILE_OBJECT root;
    PDEVICE_OBJECT device;
    UNICODE_STRING rest;
    NTSTATUS status;

    if (!Attributes->RootDirectory) {
        device = IopParseName(Attributes->ObjectName, &rest);
        return device ? IopOpen(device, &rest, NULL, File)
                      : STATUS_OBJECT_NAME_NOT_FOUND;
    }
    status = IopReferenceFile(Attributes->RootDirectory, (PVOID *)&root);
    if (NT_SUCCESS(status)) {
        status = IopOpen(root->DeviceObject, Attributes->ObjectName, root, File);
        ObDereferenceObject(root);
    }
    return status;
}

/* Devices only: whatever follows the device's name is the driver's to judge. */
NTSTATUS NTAPI ZwCreateFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
                            POBJECT_ATTRIBUTES ObjectAttributes,
                            PIO_STATUS_BLOCK IoStatusBlock,
                            PLARGE_INTEGER AllocationSize, ULONG FileAttributes,
                            ULONG ShareAccess, ULONG CreateDisposition,
                            ULONG CreateOptions, PVOID EaBuffer, ULONG EaLength)
{
    PFILE_OBJECT file;
    NTSTATUS status = Open(ObjectAttributes, &file);

    UNREFERENCED_PARAMETER(DesiredAccess);
    UNREFERENCED_PARAMETER(AllocationSize);
    UNREFERENCED_PARAMETER(FileAttributes);
    UNREFERENCED_PARAMETER(ShareAccess);
    UNREFERENCED_PARAMETER(CreateDisposition);
    UNREFERENCED_PARAMETER(CreateOptions);
    UNREFERENCED_PARAMETER(EaBuffer);
    UNREFERENCED_PARAMETER(EaLength);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = Insert(file, FileHandle);
    if (!NT_SUCCESS(status)) {
        IopCleanUp(file);
        ObDereferenceObject(file);
        return status;
    }
    IoStatusBlock->Status = status;
    IoStatusBlock->Information = FILE_OPENED;
    return status;
}
