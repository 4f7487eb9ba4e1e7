/*
 * RtlQueryRegistryValues.
 *
 * SPDX-License-Identifier: MIT
 */
#include "cm.h"

#define VALUE_FIRST         256u        /* bytes that are tried first */

/* A table on its way through. */
typedef struct _QUERY {
    HANDLE Top;
    HANDLE Key;                 /* Top, or that of a SUBKEY entry; NULL: it is not there */
    PVOID Context;
} QUERY;

static bool IsText(ULONG Type)
{
    return Type == REG_SZ || Type == REG_EXPAND_SZ || Type == REG_MULTI_SZ;
}

/* A string that is there, or gets a buffer; what does not fit is not copied. */
static NTSTATUS StoreText(PUNICODE_STRING To, const VOID *Data, ULONG Length)
{
    if (!To->Buffer) {
        To->Buffer = ExAllocatePoolWithTag(PagedPool, Length ? Length : 1, CM_TAG);
        To->MaximumLength = (USHORT)Length;
    }
    if (!To->Buffer) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (Length > To->MaximumLength) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    RtlCopyMemory(To->Buffer, Data, Length);
    To->Length = (USHORT)(Length >= sizeof(WCHAR) ? Length - sizeof(WCHAR) : 0);
    return STATUS_SUCCESS;
}

/* RTL_QUERY_REGISTRY_DIRECT: strings, up to four bytes, or a room that says its size. */
static NTSTATUS Store(PVOID To, ULONG Type, const VOID *Data, ULONG Length)
{
    LONG room;

    if (IsText(Type)) {
        return StoreText(To, Data, Length);
    }
    if (Length <= sizeof(ULONG)) {
        RtlCopyMemory(To, Data, Length);
        return STATUS_SUCCESS;
    }
    room = *(PLONG)To;
    if (room >= 0 || Length > (ULONG)-room) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    RtlCopyMemory(To, Data, Length);
    return STATUS_SUCCESS;
}

/* Strings one by one, unless the entry wants them together. */
static NTSTATUS CallEach(const QUERY *Query, PRTL_QUERY_REGISTRY_TABLE Entry,
                         PCWSTR Name, PWSTR Strings)
{
    NTSTATUS status = STATUS_SUCCESS;

    while (*Strings && NT_SUCCESS(status)) {
        UNICODE_STRING one;

        RtlInitUnicodeString(&one, Strings);
        status = Entry->QueryRoutine((PWSTR)Name, REG_SZ, Strings,
                                     one.Length + sizeof(WCHAR), Query->Context,
                                     Entry->EntryContext);
        Strings += one.Length / sizeof(WCHAR) + 1;
    }
    return status;
}

static NTSTATUS Deliver(const QUERY *Query, PRTL_QUERY_REGISTRY_TABLE Entry,
                        PCWSTR Name, ULONG Type, PVOID Data, ULONG Length)
{
    if (Entry->Flags & RTL_QUERY_REGISTRY_DIRECT) {
        return Store(Entry->EntryContext, Type, Data, Length);
    }
    if (Type == REG_MULTI_SZ && !(Entry->Flags & RTL_QUERY_REGISTRY_NOEXPAND)) {
        return CallEach(Query, Entry, Name, Data);
    }
    return Entry->QueryRoutine((PWSTR)Name, Type, Data, Length, Query->Context,
                               Entry->EntryContext);
}

static ULONG TextLength(const WCHAR *Text)
{
    UNICODE_STRING string;

    RtlInitUnicodeString(&string, Text);
    return string.Length + sizeof(WCHAR);
}

static NTSTATUS Missing(const QUERY *Query, PRTL_QUERY_REGISTRY_TABLE Entry)
{
    ULONG length = Entry->DefaultLength;

    if (Entry->Flags & RTL_QUERY_REGISTRY_REQUIRED) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    if (Entry->DefaultType == REG_NONE) {
        return STATUS_SUCCESS;
    }
    if (!length && IsText(Entry->DefaultType)) {
        length = TextLength(Entry->DefaultData);
    }
    return Deliver(Query, Entry, Entry->Name, Entry->DefaultType,
                   Entry->DefaultData, length);
}

/*
 * The Index-th value, or the one of that name: in a block that the caller frees,
 * with two zero characters behind the data.
 */
static NTSTATUS Read(HANDLE Key, PUNICODE_STRING Name, ULONG Index,
                     PKEY_VALUE_FULL_INFORMATION *Value)
{
    ULONG length = VALUE_FIRST, used = 0;
    NTSTATUS status;

    do {
        *Value = ExAllocatePoolWithTag(PagedPool, length + 2 * sizeof(WCHAR),
                                       CM_TAG);
        if (!*Value) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        status = Name ? ZwQueryValueKey(Key, Name, KeyValueFullInformation,
                                        *Value, length, &used)
                      : ZwEnumerateValueKey(Key, Index, KeyValueFullInformation,
                                            *Value, length, &used);
        if (NT_SUCCESS(status)) {
            RtlZeroMemory((PUCHAR)*Value + used, 2 * sizeof(WCHAR));
            return status;
        }
        ExFreePoolWithTag(*Value, CM_TAG);
        length = used;
    } while (status == STATUS_BUFFER_OVERFLOW);
    return status;
}

static NTSTATUS QueryOne(const QUERY *Query, PRTL_QUERY_REGISTRY_TABLE Entry)
{
    PKEY_VALUE_FULL_INFORMATION value;
    UNICODE_STRING name;
    NTSTATUS status = STATUS_OBJECT_NAME_NOT_FOUND;

    RtlInitUnicodeString(&name, Entry->Name);
    if (Query->Key) {
        status = Read(Query->Key, &name, 0, &value);
    }
    if (status == STATUS_OBJECT_NAME_NOT_FOUND) {
        return Missing(Query, Entry);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = Deliver(Query, Entry, Entry->Name, value->Type,
                     (PUCHAR)value + value->DataOffset, value->DataLength);
    ExFreePoolWithTag(value, CM_TAG);
    if (NT_SUCCESS(status) && Entry->Flags & RTL_QUERY_REGISTRY_DELETE) {
        ZwDeleteValueKey(Query->Key, &name);
    }
    return status;
}

/* Without a name: all values there are. */
static NTSTATUS QueryAll(const QUERY *Query, PRTL_QUERY_REGISTRY_TABLE Entry)
{
    NTSTATUS status = Query->Key ? STATUS_SUCCESS : Missing(Query, Entry);

    for (ULONG i = 0; Query->Key && NT_SUCCESS(status); i++) {
        PKEY_VALUE_FULL_INFORMATION value;
        WCHAR name[256];

        status = Read(Query->Key, NULL, i, &value);
        if (status == STATUS_NO_MORE_ENTRIES) {
            return STATUS_SUCCESS;
        }
        if (!NT_SUCCESS(status)) {
            break;
        }
        RtlZeroMemory(name, sizeof(name));
        RtlCopyMemory(name, value->Name,
                      value->NameLength < sizeof(name) - sizeof(WCHAR)
                          ? value->NameLength : sizeof(name) - sizeof(WCHAR));
        status = Deliver(Query, Entry, name, value->Type,
                         (PUCHAR)value + value->DataOffset, value->DataLength);
        ExFreePoolWithTag(value, CM_TAG);
    }
    return status;
}

static void Leave(QUERY *Query)
{
    if (Query->Key && Query->Key != Query->Top) {
        ZwClose(Query->Key);
    }
    Query->Key = Query->Top;
}

/* What follows is of the subkey, until the next one or TOPKEY. */
static NTSTATUS Enter(QUERY *Query, PRTL_QUERY_REGISTRY_TABLE Entry)
{
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name;
    NTSTATUS status;

    Leave(Query);
    RtlInitUnicodeString(&name, Entry->Name);
    InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, Query->Top,
                               NULL);
    status = ZwOpenKey(&Query->Key, KEY_READ, &attributes);
    if (!NT_SUCCESS(status)) {
        Query->Key = NULL;
        return Entry->Flags & RTL_QUERY_REGISTRY_REQUIRED ? status : STATUS_SUCCESS;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS Query(QUERY *Query, PRTL_QUERY_REGISTRY_TABLE Entry)
{
    bool direct = Entry->Flags & RTL_QUERY_REGISTRY_DIRECT;
    NTSTATUS status = STATUS_SUCCESS;

    if (Entry->Flags & RTL_QUERY_REGISTRY_TOPKEY) {
        Leave(Query);
    }
    if (Entry->Flags & RTL_QUERY_REGISTRY_SUBKEY) {
        status = Entry->Name ? Enter(Query, Entry) : STATUS_INVALID_PARAMETER;
        return NT_SUCCESS(status) && Entry->QueryRoutine ? QueryAll(Query, Entry)
                                                         : status;
    }
    if (direct ? !Entry->Name : !Entry->QueryRoutine) {
        return direct ? STATUS_INVALID_PARAMETER : STATUS_SUCCESS;
    }
    if (Entry->Flags & RTL_QUERY_REGISTRY_NOVALUE) {
        return Entry->QueryRoutine(NULL, REG_NONE, NULL, 0, Query->Context,
                                   Entry->EntryContext);
    }
    return Entry->Name ? QueryOne(Query, Entry) : QueryAll(Query, Entry);
}

static NTSTATUS OpenTop(ULONG RelativeTo, PCWSTR Path, PHANDLE Key)
{
    static const WCHAR *const bases[] = {
        [RTL_REGISTRY_SERVICES] = CM_CONTROL_SET L"\\Services",
        [RTL_REGISTRY_CONTROL] = CM_CONTROL_SET L"\\Control",
    };
    OBJECT_ATTRIBUTES attributes;
    UNICODE_STRING name;
    HANDLE base = NULL;
    NTSTATUS status = STATUS_SUCCESS;

    if (RelativeTo >= RTL_NUMBER_OF(bases)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (bases[RelativeTo]) {
        RtlInitUnicodeString(&name, bases[RelativeTo]);
        status = CmOpen(&name, &base);
    }
    if (NT_SUCCESS(status)) {
        RtlInitUnicodeString(&name, Path);
        InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, base,
                                   NULL);
        status = ZwOpenKey(Key, KEY_READ, &attributes);
    }
    if (base) {
        ZwClose(base);
    }
    return status;
}

NTSTATUS NTAPI RtlQueryRegistryValues(ULONG RelativeTo, PCWSTR Path,
                                      PRTL_QUERY_REGISTRY_TABLE QueryTable,
                                      PVOID Context, PVOID Environment)
{
    bool given = RelativeTo & RTL_REGISTRY_HANDLE;
    QUERY query = { .Top = given ? (HANDLE)Path : NULL, .Context = Context };
    NTSTATUS status = STATUS_SUCCESS;

    UNREFERENCED_PARAMETER(Environment);
    if (!given) {
        status = OpenTop(RelativeTo & ~RTL_REGISTRY_OPTIONAL, Path, &query.Top);
        if (!NT_SUCCESS(status)) {
            return status;
        }
    }
    query.Key = query.Top;
    for (; NT_SUCCESS(status) &&
           (QueryTable->QueryRoutine || QueryTable->Name); QueryTable++) {
        status = Query(&query, QueryTable);
    }
    Leave(&query);
    if (!given) {
        ZwClose(query.Top);
    }
    return status;
}
