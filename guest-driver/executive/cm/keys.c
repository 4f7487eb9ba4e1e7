/*
 * The registry's tree: handles, names, keys that come and go.
 *
 * SPDX-License-Identifier: MIT
 */
#include "cm.h"

#define HANDLES_MAX         128
#define HANDLE_STEP         4
#define FIRST_HANDLE        0x4000      /* above those of files */
#define NAME_MAX            255         /* characters */

static CM_KEY Root = {
    .Link = { &Root.Link, &Root.Link },
    .Children = { &Root.Children, &Root.Children },
    .Values = { &Root.Values, &Root.Values },
};
static CM_KEY *Handles[HANDLES_MAX];
static KEVENT Lock;

void CmpLock(void)
{
    KeEnterCriticalRegion();
    KeWaitForSingleObject(&Lock, Executive, KernelMode, FALSE, NULL);
}

void CmpUnlock(void)
{
    KeSetEvent(&Lock, IO_NO_INCREMENT, FALSE);
    KeLeaveCriticalRegion();
}

PLIST_ENTRY CmpEntryAt(PLIST_ENTRY List, ULONG Index)
{
    for (PLIST_ENTRY link = List->Flink; link != List; link = link->Flink) {
        if (!Index--) {
            return link;
        }
    }
    return NULL;
}

ULONG CmpCount(PLIST_ENTRY List)
{
    ULONG count = 0;

    for (PLIST_ENTRY link = List->Flink; link != List; link = link->Flink) {
        count++;
    }
    return count;
}

void CmpTouch(CM_KEY *Key)
{
    KeQuerySystemTime(&Key->LastWriteTime);
}

/* --- Handles ----------------------------------------------------------------- */

static CM_KEY **FindHandle(HANDLE Handle)
{
    ULONG_PTR at = (ULONG_PTR)Handle - FIRST_HANDLE;

    return at < HANDLES_MAX * HANDLE_STEP && at % HANDLE_STEP == 0 &&
                   Handles[at / HANDLE_STEP]
               ? &Handles[at / HANDLE_STEP] : NULL;
}

NTSTATUS CmpKeyOf(HANDLE Handle, CM_KEY **Key)
{
    CM_KEY **entry = FindHandle(Handle);

    if (!entry) {
        return STATUS_INVALID_HANDLE;
    }
    *Key = *entry;
    return (*Key)->Deleted ? STATUS_KEY_DELETED : STATUS_SUCCESS;
}

/* HANDLES_MAX: all are in use. */
static ULONG FreeHandle(void)
{
    ULONG i = 0;

    while (i < HANDLES_MAX && Handles[i]) {
        i++;
    }
    return i;
}

bool CmCloseHandle(HANDLE Handle)
{
    CM_KEY **entry, *key;

    CmpLock();
    entry = FindHandle(Handle);
    key = entry ? *entry : NULL;
    if (key) {
        *entry = NULL;
        if (!--key->Handles && key->Deleted) {
            ExFreePoolWithTag(key, CM_TAG);
        }
    }
    CmpUnlock();
    return key != NULL;
}

/* --- Names ---------------------------------------------------------------------- */

static CM_KEY *FindChild(CM_KEY *Parent, PCUNICODE_STRING Name)
{
    for (PLIST_ENTRY link = Parent->Children.Flink; link != &Parent->Children;
         link = link->Flink) {
        CM_KEY *key = CONTAINING_RECORD(link, CM_KEY, Link);

        if (RtlEqualUnicodeString(&key->Name, Name, TRUE)) {
            return key;
        }
    }
    return NULL;
}

static CM_KEY *NewChild(CM_KEY *Parent, PCUNICODE_STRING Name)
{
    CM_KEY *key = ExAllocatePoolWithTag(PagedPool, sizeof(*key) + Name->Length,
                                        CM_TAG);

    if (key) {
        RtlZeroMemory(key, sizeof(*key));
        InitializeListHead(&key->Children);
        InitializeListHead(&key->Values);
        key->Name.Buffer = (PWCH)(key + 1);
        key->Name.MaximumLength = Name->Length;
        RtlCopyUnicodeString(&key->Name, Name);
        key->Parent = Parent;
        InsertTailList(&Parent->Children, &key->Link);
        CmpTouch(key);
        CmpTouch(Parent);
    }
    return key;
}

/* Takes the first component off a path; empty: there is none. */
static UNICODE_STRING TakeComponent(PUNICODE_STRING Path)
{
    UNICODE_STRING name;

    while (Path->Length && Path->Buffer[0] == L'\\') {
        Path->Buffer++;
        Path->Length -= sizeof(WCHAR);
    }
    name = (UNICODE_STRING){ 0, 0, Path->Buffer };
    while (Path->Length && Path->Buffer[0] != L'\\') {
        Path->Buffer++;
        Path->Length -= sizeof(WCHAR);
        name.Length += sizeof(WCHAR);
    }
    return name;
}

typedef enum { OPEN, CREATE_LAST, CREATE_ALL } HOW;

/* Walks from a key on; *Created: the last one is new. */
static NTSTATUS Walk(CM_KEY **Key, UNICODE_STRING Path, HOW How, bool *Created)
{
    UNICODE_STRING name = TakeComponent(&Path);

    *Created = false;
    while (name.Length) {
        UNICODE_STRING next = TakeComponent(&Path);
        CM_KEY *child = FindChild(*Key, &name);

        if (name.Length > NAME_MAX * sizeof(WCHAR)) {
            return STATUS_INVALID_PARAMETER;
        }
        if (!child && (How == OPEN || (How == CREATE_LAST && next.Length))) {
            return STATUS_OBJECT_NAME_NOT_FOUND;
        }
        if (!child) {
            child = NewChild(*Key, &name);
            *Created = true;
        }
        if (!child) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        *Key = child;
        name = next;
    }
    return STATUS_SUCCESS;
}

/* Locked. A whole path begins with a backslash, another at the root directory. */
static NTSTATUS Find(POBJECT_ATTRIBUTES Attributes, HOW How, CM_KEY **Key,
                     bool *Created)
{
    UNICODE_STRING path = { 0, 0, NULL };
    bool whole;
    NTSTATUS status;

    if (!Attributes) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Attributes->ObjectName) {
        path = *Attributes->ObjectName;
    }
    whole = path.Length && path.Buffer[0] == L'\\';
    if (!Attributes->RootDirectory != whole || path.Length % sizeof(WCHAR)) {
        return STATUS_OBJECT_PATH_SYNTAX_BAD;
    }
    if (whole) {
        *Key = &Root;
    } else {
        status = CmpKeyOf(Attributes->RootDirectory, Key);
        if (!NT_SUCCESS(status)) {
            return status;
        }
    }
    return Walk(Key, path, How, Created);
}

static NTSTATUS OpenBy(PHANDLE Handle, POBJECT_ATTRIBUTES Attributes, HOW How,
                       PULONG Disposition)
{
    bool created;
    CM_KEY *key;
    ULONG slot;
    NTSTATUS status;

    if (!Handle) {
        return STATUS_INVALID_PARAMETER;
    }
    CmpLock();
    slot = FreeHandle();
    status = slot < HANDLES_MAX ? Find(Attributes, How, &key, &created)
                                : STATUS_INSUFFICIENT_RESOURCES;
    if (NT_SUCCESS(status)) {
        Handles[slot] = key;
        key->Handles++;
        *Handle = (HANDLE)(ULONG_PTR)(FIRST_HANDLE + slot * HANDLE_STEP);
    }
    CmpUnlock();
    if (NT_SUCCESS(status) && Disposition) {
        *Disposition = created ? REG_CREATED_NEW_KEY : REG_OPENED_EXISTING_KEY;
    }
    return status;
}

NTSTATUS NTAPI ZwCreateKey(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess,
                           POBJECT_ATTRIBUTES ObjectAttributes, ULONG TitleIndex,
                           PUNICODE_STRING Class, ULONG CreateOptions,
                           PULONG Disposition)
{
    UNREFERENCED_PARAMETER(DesiredAccess);
    UNREFERENCED_PARAMETER(TitleIndex);
    UNREFERENCED_PARAMETER(Class);
    UNREFERENCED_PARAMETER(CreateOptions);
    return OpenBy(KeyHandle, ObjectAttributes, CREATE_LAST, Disposition);
}

NTSTATUS NTAPI ZwOpenKey(PHANDLE KeyHandle, ACCESS_MASK DesiredAccess,
                         POBJECT_ATTRIBUTES ObjectAttributes)
{
    UNREFERENCED_PARAMETER(DesiredAccess);
    return OpenBy(KeyHandle, ObjectAttributes, OPEN, NULL);
}

NTSTATUS CmOpen(PUNICODE_STRING Path, PHANDLE Handle)
{
    OBJECT_ATTRIBUTES attributes;

    InitializeObjectAttributes(&attributes, Path, OBJ_KERNEL_HANDLE, NULL, NULL);
    return OpenBy(Handle, &attributes, CREATE_ALL, NULL);
}

/* A key with subkeys stays; handles on one that went are good for ZwClose only. */
static NTSTATUS Delete(CM_KEY *Key)
{
    if (!IsListEmpty(&Key->Children) || Key == &Root) {
        return STATUS_CANNOT_DELETE;
    }
    CmpFreeValues(Key);
    CmpTouch(Key->Parent);
    RemoveEntryList(&Key->Link);
    InitializeListHead(&Key->Link);
    Key->Parent = NULL;
    Key->Deleted = TRUE;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI ZwDeleteKey(HANDLE KeyHandle)
{
    CM_KEY *key;
    NTSTATUS status;

    CmpLock();
    status = CmpKeyOf(KeyHandle, &key);
    if (NT_SUCCESS(status)) {
        status = Delete(key);
    }
    CmpUnlock();
    return status;
}

void CmInitialize(void)
{
    static const WCHAR *const paths[] = {
        CM_CONTROL_SET L"\\Control\\Class", CM_CONTROL_SET L"\\Control\\DeviceClasses",
        CM_CONTROL_SET L"\\Control\\MediaCategories", CM_CONTROL_SET L"\\Enum",
        CM_CONTROL_SET L"\\Hardware Profiles\\Current",
        CM_CONTROL_SET L"\\Services\\driver", CM_MACHINE L"\\Software",
        L"\\Registry\\User\\.Default",
    };
    UNICODE_STRING path;
    bool created;

    KeInitializeEvent(&Lock, SynchronizationEvent, TRUE);
    for (ULONG i = 0; i < RTL_NUMBER_OF(paths); i++) {
        CM_KEY *key = &Root;

        RtlInitUnicodeString(&path, paths[i]);
        Walk(&key, path, CREATE_ALL, &created);
    }
}
