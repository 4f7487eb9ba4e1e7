/*
 * Device interfaces: names by which clients find devices of a class.
 *
 * A link is \??\ROOT#NNNN#{class}, with \reference behind it if there is one;
 * the part before the reference leads to the PDO while the interface is on.
 *
 * SPDX-License-Identifier: MIT
 */
#include "iop.h"

#define INTERFACES_MAX      32
#define REFERENCE_MAX       64          /* characters */
#define LINK_PREFIX         L"\\??\\ROOT#0000#{00000000-0000-0000-0000-000000000000}"
#define LINK_BASE           (RTL_NUMBER_OF(LINK_PREFIX) - 1)
#define NUMBER_AT           9
#define GUID_AT             15

typedef struct _INTERFACE_ENTRY {
    PDEVICE_OBJECT Pdo;         /* NULL: the entry is free */
    GUID Class;
    BOOLEAN Enabled;
    WCHAR Link[LINK_BASE + 1 + REFERENCE_MAX + 1];
} INTERFACE_ENTRY;

static INTERFACE_ENTRY Entries[INTERFACES_MAX];
static USHORT Devices;          /* numbers that were given to PDOs */

static void PutHex(WCHAR *At, ULONGLONG Value, ULONG Digits)
{
    static const WCHAR digits[] = L"0123456789abcdef";

    while (Digits--) {
        At[Digits] = digits[Value & 0xf];
        Value >>= 4;
    }
}

/* {8-4-4-4-12}, over the zeros of the prefix. */
static void PutGuid(WCHAR *At, const GUID *Guid)
{
    PutHex(At, Guid->Data1, 8);
    PutHex(At + 9, Guid->Data2, 4);
    PutHex(At + 14, Guid->Data3, 4);
    for (ULONG i = 0; i < 8; i++) {
        PutHex(At + 19 + 2 * i + (i >= 2), Guid->Data4[i], 2);
    }
}

static UNICODE_STRING Base(INTERFACE_ENTRY *Entry)
{
    return (UNICODE_STRING){ .Length = LINK_BASE * sizeof(WCHAR),
                             .MaximumLength = LINK_BASE * sizeof(WCHAR),
                             .Buffer = Entry->Link };
}

static INTERFACE_ENTRY *FindLink(PCUNICODE_STRING Link)
{
    UNICODE_STRING name;

    for (ULONG i = 0; i < INTERFACES_MAX; i++) {
        RtlInitUnicodeString(&name, Entries[i].Link);
        if (Entries[i].Pdo && RtlEqualUnicodeString(&name, Link, TRUE)) {
            return &Entries[i];
        }
    }
    return NULL;
}

/* The number in the links of a PDO that has interfaces; else a new one. */
static void PutNumber(INTERFACE_ENTRY *New, PDEVICE_OBJECT Pdo)
{
    for (ULONG i = 0; i < INTERFACES_MAX; i++) {
        if (Entries[i].Pdo == Pdo) {
            RtlCopyMemory(New->Link + NUMBER_AT, Entries[i].Link + NUMBER_AT,
                          4 * sizeof(WCHAR));
            return;
        }
    }
    PutHex(New->Link + NUMBER_AT, Devices++, 4);
}

static NTSTATUS MakeLink(INTERFACE_ENTRY *Entry, PDEVICE_OBJECT Pdo,
                         const GUID *Class, PUNICODE_STRING Reference)
{
    ULONG length = Reference ? Reference->Length / sizeof(WCHAR) : 0;

    RtlZeroMemory(Entry->Link, sizeof(Entry->Link));
    if (length > REFERENCE_MAX) {
        return STATUS_INVALID_PARAMETER;
    }
    for (ULONG i = 0; i < length; i++) {
        if (Reference->Buffer[i] == L'\\' || Reference->Buffer[i] == L'/') {
            return STATUS_INVALID_DEVICE_REQUEST;
        }
    }
    RtlCopyMemory(Entry->Link, LINK_PREFIX, LINK_BASE * sizeof(WCHAR));
    PutNumber(Entry, Pdo);
    PutGuid(Entry->Link + GUID_AT, Class);
    if (length) {
        Entry->Link[LINK_BASE] = L'\\';
        RtlCopyMemory(Entry->Link + LINK_BASE + 1, Reference->Buffer,
                      length * sizeof(WCHAR));
    }
    return STATUS_SUCCESS;
}

static NTSTATUS CopyOut(const WCHAR *Text, PUNICODE_STRING String)
{
    UNICODE_STRING text;

    RtlInitUnicodeString(&text, Text);
    String->Buffer = ExAllocatePoolWithTag(PagedPool,
                                           text.Length + sizeof(WCHAR), IOP_TAG);
    if (!String->Buffer) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    String->Length = text.Length;
    String->MaximumLength = text.Length + sizeof(WCHAR);
    RtlCopyMemory(String->Buffer, Text, text.Length + sizeof(WCHAR));
    return STATUS_SUCCESS;
}

/* One that was registered before is given again. */
NTSTATUS NTAPI IoRegisterDeviceInterface(PDEVICE_OBJECT PhysicalDeviceObject,
                                         const GUID *InterfaceClassGuid,
                                         PUNICODE_STRING ReferenceString,
                                         PUNICODE_STRING SymbolicLinkName)
{
    INTERFACE_ENTRY made, *entry;
    UNICODE_STRING link;
    NTSTATUS status = MakeLink(&made, PhysicalDeviceObject, InterfaceClassGuid,
                               ReferenceString);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    RtlInitUnicodeString(&link, made.Link);
    entry = FindLink(&link);
    for (ULONG i = 0; i < INTERFACES_MAX && !entry; i++) {
        if (!Entries[i].Pdo) {
            entry = &Entries[i];
            *entry = made;
            entry->Pdo = PhysicalDeviceObject;
            entry->Class = *InterfaceClassGuid;
            entry->Enabled = FALSE;
        }
    }
    return entry ? CopyOut(entry->Link, SymbolicLinkName)
                 : STATUS_INSUFFICIENT_RESOURCES;
}

/* Whether another interface that is on has the same link up to its reference. */
static bool IsShared(INTERFACE_ENTRY *Entry)
{
    for (ULONG i = 0; i < INTERFACES_MAX; i++) {
        if (&Entries[i] != Entry && Entries[i].Enabled &&
            Entries[i].Pdo == Entry->Pdo &&
            RtlCompareMemory(&Entries[i].Class, &Entry->Class, sizeof(GUID)) ==
                sizeof(GUID)) {
            return true;
        }
    }
    return false;
}

NTSTATUS NTAPI IoSetDeviceInterfaceState(PUNICODE_STRING SymbolicLinkName,
                                         BOOLEAN Enable)
{
    INTERFACE_ENTRY *entry = FindLink(SymbolicLinkName);
    NTSTATUS status = STATUS_SUCCESS;
    UNICODE_STRING base;

    if (!entry) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    if (entry->Enabled == Enable) {
        return Enable ? STATUS_OBJECT_NAME_EXISTS : STATUS_OBJECT_NAME_NOT_FOUND;
    }
    base = Base(entry);
    if (!IsShared(entry)) {
        if (Enable) {
            status = IopNameDevice(&base, entry->Pdo);
        } else {
            IopForgetName(&base);
        }
    }
    if (NT_SUCCESS(status)) {
        entry->Enabled = Enable;
    }
    return status;
}

void IopForgetInterfaces(PDEVICE_OBJECT Pdo)
{
    for (ULONG i = 0; i < INTERFACES_MAX; i++) {
        if (Entries[i].Pdo == Pdo) {
            RtlZeroMemory(&Entries[i], sizeof(Entries[i]));
        }
    }
}

static bool Wanted(const INTERFACE_ENTRY *Entry, const GUID *Class,
                   PDEVICE_OBJECT Pdo, ULONG Flags)
{
    return Entry->Pdo && (!Pdo || Entry->Pdo == Pdo) &&
           (Entry->Enabled || Flags & DEVICE_INTERFACE_INCLUDE_NONACTIVE) &&
           RtlCompareMemory(&Entry->Class, Class, sizeof(GUID)) == sizeof(GUID);
}

/* Links one behind the other, each with its 0, then another 0. */
NTSTATUS NTAPI IoGetDeviceInterfaces(const GUID *InterfaceClassGuid,
                                     PDEVICE_OBJECT PhysicalDeviceObject,
                                     ULONG Flags, PWSTR *SymbolicLinkList)
{
    PWSTR list = ExAllocatePoolWithTag(PagedPool,
                                       INTERFACES_MAX * sizeof(Entries[0].Link) +
                                           sizeof(WCHAR), IOP_TAG);
    ULONG at = 0;

    if (!list) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    for (ULONG i = 0; i < INTERFACES_MAX; i++) {
        if (Wanted(&Entries[i], InterfaceClassGuid, PhysicalDeviceObject, Flags)) {
            UNICODE_STRING link;

            RtlInitUnicodeString(&link, Entries[i].Link);
            RtlCopyMemory(list + at, link.Buffer, link.Length + sizeof(WCHAR));
            at += link.Length / sizeof(WCHAR) + 1;
        }
    }
    list[at] = 0;
    *SymbolicLinkList = list;
    return STATUS_SUCCESS;
}
