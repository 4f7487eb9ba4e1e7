/*
 * The registry's values.
 *
 * SPDX-License-Identifier: MIT
 */
#include "cm.h"

static CM_VALUE *Find(CM_KEY *Key, PCUNICODE_STRING Name)
{
    for (PLIST_ENTRY link = Key->Values.Flink; link != &Key->Values;
         link = link->Flink) {
        CM_VALUE *value = CONTAINING_RECORD(link, CM_VALUE, Link);

        if (RtlEqualUnicodeString(&value->Name, Name, TRUE)) {
            return value;
        }
    }
    return NULL;
}

static void Free(CM_VALUE *Value)
{
    RemoveEntryList(&Value->Link);
    if (Value->Data) {
        ExFreePoolWithTag(Value->Data, CM_TAG);
    }
    ExFreePoolWithTag(Value, CM_TAG);
}

void CmpFreeValues(CM_KEY *Key)
{
    while (!IsListEmpty(&Key->Values)) {
        Free(CONTAINING_RECORD(Key->Values.Flink, CM_VALUE, Link));
    }
}

static CM_VALUE *New(CM_KEY *Key, PCUNICODE_STRING Name)
{
    CM_VALUE *value = ExAllocatePoolWithTag(
        PagedPool, sizeof(*value) + Name->Length, CM_TAG);

    if (value) {
        RtlZeroMemory(value, sizeof(*value));
        value->Name.Buffer = (PWCH)(value + 1);
        value->Name.MaximumLength = Name->Length;
        RtlCopyUnicodeString(&value->Name, Name);
        InsertTailList(&Key->Values, &value->Link);
    }
    return value;
}

/* What was there before goes only when all that comes is there. */
static NTSTATUS Set(CM_KEY *Key, PCUNICODE_STRING Name, ULONG Type,
                    const VOID *Data, ULONG Length)
{
    CM_VALUE *value = Find(Key, Name);
    PVOID copy = Length ? ExAllocatePoolWithTag(PagedPool, Length, CM_TAG)
                        : NULL;

    if (Length && !copy) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (!value) {
        value = New(Key, Name);
    }
    if (!value) {
        if (copy) {
            ExFreePoolWithTag(copy, CM_TAG);
        }
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (value->Data) {
        ExFreePoolWithTag(value->Data, CM_TAG);
    }
    if (Length) {
        RtlCopyMemory(copy, Data, Length);
    }
    value->Type = Type;
    value->Length = Length;
    value->Data = copy;
    CmpTouch(Key);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI ZwSetValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName,
                             ULONG TitleIndex, ULONG Type, PVOID Data,
                             ULONG DataSize)
{
    static const UNICODE_STRING nameless = { 0, 0, NULL };
    CM_KEY *key;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(TitleIndex);
    if (DataSize && !Data) {
        return STATUS_INVALID_PARAMETER;
    }
    CmpLock();
    status = CmpKeyOf(KeyHandle, &key);
    if (NT_SUCCESS(status)) {
        status = Set(key, ValueName ? ValueName : &nameless, Type, Data, DataSize);
    }
    CmpUnlock();
    return status;
}

NTSTATUS NTAPI ZwDeleteValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName)
{
    CM_VALUE *value;
    CM_KEY *key;
    NTSTATUS status;

    CmpLock();
    status = CmpKeyOf(KeyHandle, &key);
    if (NT_SUCCESS(status)) {
        value = Find(key, ValueName);
        if (value) {
            Free(value);
            CmpTouch(key);
        } else {
            status = STATUS_OBJECT_NAME_NOT_FOUND;
        }
    }
    CmpUnlock();
    return status;
}

static NTSTATUS Basic(const CM_VALUE *Value, CM_REPLY *Reply, PULONG ResultLength)
{
    ULONG head[3] = { 0, Value->Type, Value->Name.Length };

    CmpPut(Reply, head, sizeof(head));
    CmpPut(Reply, Value->Name.Buffer, Value->Name.Length);
    return CmpReply(Reply, sizeof(head), ResultLength);
}

static NTSTATUS Partial(const CM_VALUE *Value, CM_REPLY *Reply,
                        PULONG ResultLength)
{
    ULONG head[3] = { 0, Value->Type, Value->Length };

    CmpPut(Reply, head, sizeof(head));
    CmpPut(Reply, Value->Data, Value->Length);
    return CmpReply(Reply, sizeof(head), ResultLength);
}

/* The data begin at a multiple of 8 behind the name. */
static NTSTATUS Full(const CM_VALUE *Value, CM_REPLY *Reply, PULONG ResultLength)
{
    static const UCHAR nothing[8];
    ULONG names_end = FIELD_OFFSET(KEY_VALUE_FULL_INFORMATION, Name) +
                      Value->Name.Length;
    ULONG offset = (names_end + 7) & ~7u;
    ULONG head[5] = { 0, Value->Type, offset, Value->Length, Value->Name.Length };

    CmpPut(Reply, head, sizeof(head));
    CmpPut(Reply, Value->Name.Buffer, Value->Name.Length);
    CmpPut(Reply, nothing, offset - names_end);
    CmpPut(Reply, Value->Data, Value->Length);
    return CmpReply(Reply, sizeof(head), ResultLength);
}

static NTSTATUS Tell(const CM_VALUE *Value, KEY_VALUE_INFORMATION_CLASS Class,
                     CM_REPLY *Reply, PULONG ResultLength)
{
    switch (Class) {
    case KeyValueBasicInformation:
        return Basic(Value, Reply, ResultLength);
    case KeyValueFullInformation:
        return Full(Value, Reply, ResultLength);
    case KeyValuePartialInformation:
        return Partial(Value, Reply, ResultLength);
    default:
        return STATUS_INVALID_PARAMETER;
    }
}

NTSTATUS NTAPI ZwQueryValueKey(HANDLE KeyHandle, PUNICODE_STRING ValueName,
                               KEY_VALUE_INFORMATION_CLASS Class,
                               PVOID KeyValueInformation, ULONG Length,
                               PULONG ResultLength)
{
    CM_REPLY reply = { KeyValueInformation, Length, 0 };
    CM_VALUE *value;
    CM_KEY *key;
    NTSTATUS status;

    CmpLock();
    status = CmpKeyOf(KeyHandle, &key);
    if (NT_SUCCESS(status)) {
        value = Find(key, ValueName);
        status = value ? Tell(value, Class, &reply, ResultLength)
                       : STATUS_OBJECT_NAME_NOT_FOUND;
    }
    CmpUnlock();
    return status;
}

NTSTATUS NTAPI ZwEnumerateValueKey(HANDLE KeyHandle, ULONG Index,
                                   KEY_VALUE_INFORMATION_CLASS Class,
                                   PVOID KeyValueInformation, ULONG Length,
                                   PULONG ResultLength)
{
    CM_REPLY reply = { KeyValueInformation, Length, 0 };
    PLIST_ENTRY link;
    CM_KEY *key;
    NTSTATUS status;

    CmpLock();
    status = CmpKeyOf(KeyHandle, &key);
    if (NT_SUCCESS(status)) {
        link = CmpEntryAt(&key->Values, Index);
        status = link ? Tell(CONTAINING_RECORD(link, CM_VALUE, Link), Class,
                             &reply, ResultLength)
                      : STATUS_NO_MORE_ENTRIES;
    }
    CmpUnlock();
    return status;
}
