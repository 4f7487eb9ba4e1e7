/*
 * Reference-counted objects and the names of devices.
 *
 * SPDX-License-Identifier: MIT
 */
#include "iop.h"

#define NAMES_MAX           64
#define LINKS_MAX           8           /* that one look-up follows */

typedef struct _OBJECT_HEADER {
    volatile LONG64 References;
    IOP_DELETE *Delete;
} OBJECT_HEADER;

typedef struct _NAME {
    UNICODE_STRING Name;        /* empty: the entry is free */
    UNICODE_STRING Target;      /* of a symbolic link */
    PDEVICE_OBJECT Device;      /* of a device name */
} NAME;

static NAME Names[NAMES_MAX];

PVOID IopCreateObject(SIZE_T Size, IOP_DELETE *Delete)
{
    OBJECT_HEADER *header = ExAllocatePoolWithTag(NonPagedPool,
                                                  sizeof(*header) + Size,
                                                  IOP_TAG);

    if (!header) {
        return NULL;
    }
    RtlZeroMemory(header, sizeof(*header) + Size);
    header->References = 1;
    header->Delete = Delete;
    return header + 1;
}

void IopFreeObject(PVOID Object)
{
    ExFreePoolWithTag((OBJECT_HEADER *)Object - 1, IOP_TAG);
}

LONG_PTR FASTCALL ObfReferenceObject(PVOID Object)
{
    return InterlockedIncrement64(&((OBJECT_HEADER *)Object - 1)->References);
}

LONG_PTR FASTCALL ObfDereferenceObject(PVOID Object)
{
    OBJECT_HEADER *header = (OBJECT_HEADER *)Object - 1;
    LONG64 left = InterlockedDecrement64(&header->References);

    if (left < 0) {
        KeBugCheckEx(REFERENCE_BY_POINTER, 0, (ULONG_PTR)Object, 0, 0);
    }
    if (!left) {
        header->Delete(Object);
    }
    return left;
}

static NTSTATUS Copy(PUNICODE_STRING To, PCUNICODE_STRING From)
{
    To->Buffer = ExAllocatePoolWithTag(NonPagedPool, From->Length, IOP_TAG);
    if (!To->Buffer) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    To->MaximumLength = From->Length;
    RtlCopyUnicodeString(To, From);
    return STATUS_SUCCESS;
}

static NAME *FindName(PCUNICODE_STRING Name)
{
    for (ULONG i = 0; i < NAMES_MAX; i++) {
        if (Names[i].Name.Length &&
            RtlEqualUnicodeString(&Names[i].Name, Name, TRUE)) {
            return &Names[i];
        }
    }
    return NULL;
}

static NTSTATUS NewName(PCUNICODE_STRING Name, NAME **New)
{
    if (!Name->Length) {
        return STATUS_OBJECT_NAME_INVALID;
    }
    if (FindName(Name)) {
        return STATUS_OBJECT_NAME_COLLISION;
    }
    for (ULONG i = 0; i < NAMES_MAX; i++) {
        if (!Names[i].Name.Length) {
            *New = &Names[i];
            return Copy(&Names[i].Name, Name);
        }
    }
    return STATUS_INSUFFICIENT_RESOURCES;
}

static void RemoveName(NAME *Name)
{
    if (Name->Target.Buffer) {
        ExFreePoolWithTag(Name->Target.Buffer, IOP_TAG);
    }
    ExFreePoolWithTag(Name->Name.Buffer, IOP_TAG);
    RtlZeroMemory(Name, sizeof(*Name));
}

NTSTATUS IopNameDevice(PCUNICODE_STRING Name, PDEVICE_OBJECT Device)
{
    NAME *name;
    NTSTATUS status = NewName(Name, &name);

    if (NT_SUCCESS(status)) {
        name->Device = Device;
    }
    return status;
}

void IopForgetDevice(PDEVICE_OBJECT Device)
{
    IopForgetInterfaces(Device);
    for (ULONG i = 0; i < NAMES_MAX; i++) {
        if (Names[i].Name.Length && Names[i].Device == Device) {
            RemoveName(&Names[i]);
        }
    }
}

void IopForgetName(PCUNICODE_STRING Name)
{
    NAME *name = FindName(Name);

    if (name) {
        RemoveName(name);
    }
}

NTSTATUS NTAPI IoCreateSymbolicLink(PUNICODE_STRING SymbolicLinkName,
                                    PUNICODE_STRING DeviceName)
{
    NAME *name;
    NTSTATUS status = NewName(SymbolicLinkName, &name);

    if (NT_SUCCESS(status)) {
        status = Copy(&name->Target, DeviceName);
        if (!NT_SUCCESS(status)) {
            RemoveName(name);
        }
    }
    return status;
}

NTSTATUS NTAPI IoDeleteSymbolicLink(PUNICODE_STRING SymbolicLinkName)
{
    NAME *name = FindName(SymbolicLinkName);

    if (!name || !name->Target.Buffer) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    RemoveName(name);
    return STATUS_SUCCESS;
}

PDEVICE_OBJECT IopFindDevice(PCUNICODE_STRING Name)
{
    NAME *name = FindName(Name);

    for (ULONG i = 0; i < LINKS_MAX && name && !name->Device; i++) {
        name = FindName(&name->Target);
    }
    return name ? name->Device : NULL;
}

PDEVICE_OBJECT IopParseName(PCUNICODE_STRING Name, PUNICODE_STRING Rest)
{
    UNICODE_STRING part = *Name;
    PDEVICE_OBJECT device = IopFindDevice(&part);

    while (!device && part.Length > sizeof(WCHAR)) {
        part.Length -= sizeof(WCHAR);
        if (part.Buffer[part.Length / sizeof(WCHAR)] == L'\\') {
            device = IopFindDevice(&part);
        }
    }
    Rest->Buffer = part.Buffer + part.Length / sizeof(WCHAR);
    Rest->Length = Name->Length - part.Length;
    Rest->MaximumLength = Rest->Length;
    return device;
}
