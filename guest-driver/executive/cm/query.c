/*
 * What the registry says of keys.
 *
 * SPDX-License-Identifier: MIT
 */
#include "cm.h"

void CmpPut(CM_REPLY *Reply, const VOID *Data, ULONG Length)
{
    ULONG room = Reply->Used < Reply->Length ? Reply->Length - Reply->Used : 0;

    if (Length && room) {
        RtlCopyMemory(Reply->Buffer + Reply->Used, Data,
                      Length < room ? Length : room);
    }
    Reply->Used += Length;
}

NTSTATUS CmpReply(const CM_REPLY *Reply, ULONG Fixed, PULONG ResultLength)
{
    *ResultLength = Reply->Used;
    if (Reply->Length < Fixed) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    return Reply->Length < Reply->Used ? STATUS_BUFFER_OVERFLOW : STATUS_SUCCESS;
}

/* KEY_BASIC_INFORMATION, or KEY_NODE_INFORMATION, which has room for a class. */
static NTSTATUS Named(const CM_KEY *Key, bool Node, CM_REPLY *Reply,
                      PULONG ResultLength)
{
    ULONG basic[] = { 0, Key->Name.Length };
    ULONG node[] = { 0, MAXULONG, 0, Key->Name.Length };
    ULONG size = Node ? sizeof(node) : sizeof(basic);

    CmpPut(Reply, &Key->LastWriteTime, sizeof(Key->LastWriteTime));
    CmpPut(Reply, Node ? node : basic, size);
    CmpPut(Reply, Key->Name.Buffer, Key->Name.Length);
    return CmpReply(Reply, sizeof(Key->LastWriteTime) + size, ResultLength);
}

static ULONG Greater(ULONG One, ULONG Other)
{
    return One > Other ? One : Other;
}

static NTSTATUS Full(CM_KEY *Key, CM_REPLY *Reply, PULONG ResultLength)
{
    KEY_FULL_INFORMATION full = {
        .LastWriteTime = Key->LastWriteTime,
        .ClassOffset = MAXULONG,
        .SubKeys = CmpCount(&Key->Children),
        .Values = CmpCount(&Key->Values),
    };
    ULONG size = FIELD_OFFSET(KEY_FULL_INFORMATION, Class);

    for (PLIST_ENTRY link = Key->Children.Flink; link != &Key->Children;
         link = link->Flink) {
        CM_KEY *child = CONTAINING_RECORD(link, CM_KEY, Link);

        full.MaxNameLen = Greater(full.MaxNameLen, child->Name.Length);
    }
    for (PLIST_ENTRY link = Key->Values.Flink; link != &Key->Values;
         link = link->Flink) {
        CM_VALUE *value = CONTAINING_RECORD(link, CM_VALUE, Link);

        full.MaxValueNameLen = Greater(full.MaxValueNameLen, value->Name.Length);
        full.MaxValueDataLen = Greater(full.MaxValueDataLen, value->Length);
    }
    CmpPut(Reply, &full, size);
    return CmpReply(Reply, size, ResultLength);
}

/* The whole path, from its end on. */
static void PutPath(const CM_KEY *Key, CM_REPLY *Reply)
{
    if (Key->Parent) {
        PutPath(Key->Parent, Reply);
        CmpPut(Reply, L"\\", sizeof(WCHAR));
        CmpPut(Reply, Key->Name.Buffer, Key->Name.Length);
    }
}

static NTSTATUS Path(const CM_KEY *Key, CM_REPLY *Reply, PULONG ResultLength)
{
    CM_REPLY counted = { NULL, 0, 0 };

    PutPath(Key, &counted);
    CmpPut(Reply, &counted.Used, sizeof(ULONG));
    PutPath(Key, Reply);
    return CmpReply(Reply, sizeof(ULONG), ResultLength);
}

static NTSTATUS Tell(CM_KEY *Key, KEY_INFORMATION_CLASS Class, CM_REPLY *Reply,
                     PULONG ResultLength)
{
    switch (Class) {
    case KeyBasicInformation:
    case KeyNodeInformation:
        return Named(Key, Class == KeyNodeInformation, Reply, ResultLength);
    case KeyFullInformation:
        return Full(Key, Reply, ResultLength);
    case KeyNameInformation:
        return Path(Key, Reply, ResultLength);
    default:
        return STATUS_INVALID_PARAMETER;
    }
}

NTSTATUS NTAPI ZwQueryKey(HANDLE KeyHandle, KEY_INFORMATION_CLASS Class,
                          PVOID KeyInformation, ULONG Length,
                          PULONG ResultLength)
{
    CM_REPLY reply = { KeyInformation, Length, 0 };
    CM_KEY *key;
    NTSTATUS status;

    CmpLock();
    status = CmpKeyOf(KeyHandle, &key);
    if (NT_SUCCESS(status)) {
        status = Tell(key, Class, &reply, ResultLength);
    }
    CmpUnlock();
    return status;
}

NTSTATUS NTAPI ZwEnumerateKey(HANDLE KeyHandle, ULONG Index,
                              KEY_INFORMATION_CLASS Class, PVOID KeyInformation,
                              ULONG Length, PULONG ResultLength)
{
    CM_REPLY reply = { KeyInformation, Length, 0 };
    PLIST_ENTRY link;
    CM_KEY *key;
    NTSTATUS status;

    if (Class == KeyNameInformation) {
        return STATUS_INVALID_PARAMETER;
    }
    CmpLock();
    status = CmpKeyOf(KeyHandle, &key);
    if (NT_SUCCESS(status)) {
        link = CmpEntryAt(&key->Children, Index);
        status = link ? Tell(CONTAINING_RECORD(link, CM_KEY, Link), Class,
                             &reply, ResultLength)
                      : STATUS_NO_MORE_ENTRIES;
    }
    CmpUnlock();
    return status;
}
