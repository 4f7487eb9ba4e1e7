/* SPDX-License-Identifier: MIT */
/* selftest.sys: the registry by its documented routines */
#include "selftest.h"

#define SOFTWARE                    L"\\Registry\\Machine\\Software"

static NTSTATUS create(HANDLE root, const WCHAR *name, HANDLE *key, ULONG *disposition)
{
    UNICODE_STRING text = text_of(name);
    OBJECT_ATTRIBUTES attributes;

    InitializeObjectAttributes(&attributes, &text, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, root, NULL);
    return ZwCreateKey(key, KEY_ALL_ACCESS, &attributes, 0, NULL, REG_OPTION_NON_VOLATILE, disposition);
}

static NTSTATUS open(HANDLE root, const WCHAR *name, HANDLE *key)
{
    UNICODE_STRING text = text_of(name);
    OBJECT_ATTRIBUTES attributes;

    InitializeObjectAttributes(&attributes, &text, OBJ_KERNEL_HANDLE | OBJ_CASE_INSENSITIVE, root, NULL);
    return ZwOpenKey(key, KEY_READ, &attributes);
}

static NTSTATUS set(HANDLE key, const WCHAR *name, ULONG type, const void *data, ULONG length)
{
    UNICODE_STRING text = text_of(name);

    return ZwSetValueKey(key, &text, 0, type, (PVOID)data, length);
}

/* Keys are made one at a time, opened in any case, and gone when they are deleted. */
static void keys(void)
{
    HANDLE key, same, child, none;
    ULONG disposition = 0;

    EXPECT_STATUS(create(NULL, SOFTWARE L"\\a\\b", &none, NULL), STATUS_OBJECT_NAME_NOT_FOUND);
    EXPECT_STATUS(create(NULL, SOFTWARE L"\\Test", &key, &disposition), STATUS_SUCCESS);
    EXPECT_EQUAL(disposition, REG_CREATED_NEW_KEY);
    EXPECT_STATUS(create(NULL, L"\\registry\\MACHINE\\software\\tEST", &same, &disposition), STATUS_SUCCESS);
    EXPECT_EQUAL(disposition, REG_OPENED_EXISTING_KEY);
    EXPECT(key != same);
    EXPECT_STATUS(create(key, L"child", &child, NULL), STATUS_SUCCESS);
    EXPECT_STATUS(open(same, L"CHILD", &none), STATUS_SUCCESS);
    EXPECT_STATUS(ZwClose(none), STATUS_SUCCESS);
    EXPECT_STATUS(open(same, L"none", &none), STATUS_OBJECT_NAME_NOT_FOUND);
    EXPECT_STATUS(open(NULL, L"relative", &none), STATUS_OBJECT_PATH_SYNTAX_BAD);
    EXPECT_STATUS(open(key, L"\\Registry", &none), STATUS_OBJECT_PATH_SYNTAX_BAD);
    EXPECT_STATUS(ZwDeleteKey(key), STATUS_CANNOT_DELETE);
    EXPECT_STATUS(ZwDeleteKey(child), STATUS_SUCCESS);
    EXPECT_STATUS(ZwDeleteKey(child), STATUS_KEY_DELETED);
    EXPECT_STATUS(set(child, L"x", REG_SZ, L"", 2), STATUS_KEY_DELETED);
    EXPECT_STATUS(open(key, L"child", &none), STATUS_OBJECT_NAME_NOT_FOUND);
    EXPECT_STATUS(ZwClose(child), STATUS_SUCCESS);
    EXPECT_STATUS(ZwClose(child), STATUS_INVALID_HANDLE);
    EXPECT_STATUS(ZwDeleteKey(key), STATUS_SUCCESS);
    EXPECT_STATUS(ZwClose(key), STATUS_SUCCESS);
    EXPECT_STATUS(set(same, L"x", REG_SZ, L"", 2), STATUS_KEY_DELETED);
    EXPECT_STATUS(ZwClose(same), STATUS_SUCCESS);
    EXPECT_STATUS(ZwDeleteKey(same), STATUS_INVALID_HANDLE);
}

union info {
    KEY_BASIC_INFORMATION basic;
    KEY_NODE_INFORMATION node;
    KEY_FULL_INFORMATION full;
    struct {
        ULONG length;
        WCHAR name[1];
    } path;
    UCHAR room[400];
};

static bool is_text(const void *bytes, ULONG length, const WCHAR *expected)
{
    UNICODE_STRING text = text_of(expected);

    return length == text.Length && RtlCompareMemory(bytes, text.Buffer, length) == length;
}

static void described_keys(void)
{
    HANDLE key, child[2];
    union info info;
    ULONG used = 0;

    EXPECT_STATUS(create(NULL, SOFTWARE L"\\Test", &key, NULL), STATUS_SUCCESS);
    EXPECT_STATUS(create(key, L"one", &child[0], NULL), STATUS_SUCCESS);
    EXPECT_STATUS(create(key, L"other", &child[1], NULL), STATUS_SUCCESS);
    EXPECT_STATUS(set(key, L"value", REG_BINARY, "123456", 6), STATUS_SUCCESS);
    EXPECT_STATUS(ZwQueryKey(key, KeyFullInformation, &info, sizeof(info), &used), STATUS_SUCCESS);
    EXPECT_EQUAL(info.full.SubKeys, 2);
    EXPECT_EQUAL(info.full.MaxNameLen, 10);
    EXPECT_EQUAL(info.full.Values, 1);
    EXPECT_EQUAL(info.full.MaxValueNameLen, 10);
    EXPECT_EQUAL(info.full.MaxValueDataLen, 6);
    EXPECT(info.full.LastWriteTime.QuadPart != 0);
    EXPECT_STATUS(ZwQueryKey(key, KeyNameInformation, &info, sizeof(info), &used), STATUS_SUCCESS);
    EXPECT(is_text(info.path.name, info.path.length, SOFTWARE L"\\Test"));
    EXPECT_EQUAL(used, sizeof(ULONG) + info.path.length);
    EXPECT_STATUS(ZwEnumerateKey(key, 1, KeyBasicInformation, &info, sizeof(info), &used), STATUS_SUCCESS);
    EXPECT(is_text(info.basic.Name, info.basic.NameLength, L"other"));
    EXPECT_STATUS(ZwEnumerateKey(key, 0, KeyNodeInformation, &info, sizeof(info), &used), STATUS_SUCCESS);
    EXPECT(is_text(info.node.Name, info.node.NameLength, L"one"));
    EXPECT_STATUS(ZwEnumerateKey(key, 2, KeyBasicInformation, &info, sizeof(info), &used), STATUS_NO_MORE_ENTRIES);
    EXPECT_STATUS(ZwEnumerateKey(key, 0, KeyBasicInformation, &info, 18, &used), STATUS_BUFFER_OVERFLOW);
    EXPECT_EQUAL(used, FIELD_OFFSET(KEY_BASIC_INFORMATION, Name) + 6);
    EXPECT_STATUS(ZwEnumerateKey(key, 0, KeyBasicInformation, &info, 15, &used), STATUS_BUFFER_TOO_SMALL);
    EXPECT_STATUS(ZwQueryKey(key, (KEY_INFORMATION_CLASS)99, &info, sizeof(info), &used), STATUS_INVALID_PARAMETER);
    for (ULONG i = 0; i < 2; i++) {
        EXPECT_STATUS(ZwDeleteKey(child[i]), STATUS_SUCCESS);
        ZwClose(child[i]);
    }
    EXPECT_STATUS(ZwDeleteKey(key), STATUS_SUCCESS);
    ZwClose(key);
}

union value {
    KEY_VALUE_BASIC_INFORMATION basic;
    KEY_VALUE_FULL_INFORMATION full;
    KEY_VALUE_PARTIAL_INFORMATION partial;
    UCHAR room[200];
};

static void values(void)
{
    UNICODE_STRING name = text_of(L"NUMBER"), nameless = { 0, 0, NULL };
    ULONG number = 0x12345678, used = 0;
    union value value;
    HANDLE key;

    EXPECT_STATUS(create(NULL, SOFTWARE L"\\Test", &key, NULL), STATUS_SUCCESS);
    EXPECT_STATUS(set(key, L"number", REG_DWORD, &number, sizeof(number)), STATUS_SUCCESS);
    EXPECT_STATUS(ZwSetValueKey(key, NULL, 0, REG_SZ, L"default", 16), STATUS_SUCCESS);
    EXPECT_STATUS(ZwQueryValueKey(key, &name, KeyValuePartialInformation, &value, sizeof(value), &used),
                  STATUS_SUCCESS);
    EXPECT(value.partial.Type == REG_DWORD && value.partial.DataLength == 4);
    EXPECT_EQUAL(*(PULONG)value.partial.Data, number);
    EXPECT_EQUAL(used, 16);
    EXPECT_STATUS(ZwQueryValueKey(key, &name, KeyValueFullInformation, &value, sizeof(value), &used),
                  STATUS_SUCCESS);
    EXPECT(is_text(value.full.Name, value.full.NameLength, L"number"));
    EXPECT_EQUAL(*(PULONG)(value.room + value.full.DataOffset), number);
    EXPECT_EQUAL(value.full.DataOffset % 8, 0);
    EXPECT_STATUS(ZwQueryValueKey(key, &nameless, KeyValuePartialInformation, &value, 14, &used),
                  STATUS_BUFFER_OVERFLOW);
    EXPECT_EQUAL(used, 12 + 16);
    EXPECT_STATUS(ZwQueryValueKey(key, &nameless, KeyValuePartialInformation, &value, 11, &used),
                  STATUS_BUFFER_TOO_SMALL);
    EXPECT_STATUS(ZwEnumerateValueKey(key, 1, KeyValueBasicInformation, &value, sizeof(value), &used),
                  STATUS_SUCCESS);
    EXPECT(value.basic.Type == REG_SZ && value.basic.NameLength == 0);
    EXPECT_STATUS(ZwEnumerateValueKey(key, 2, KeyValueBasicInformation, &value, sizeof(value), &used),
                  STATUS_NO_MORE_ENTRIES);
    EXPECT_STATUS(set(key, L"Number", REG_BINARY, NULL, 0), STATUS_SUCCESS);        /* in its place */
    EXPECT_STATUS(ZwQueryValueKey(key, &name, KeyValuePartialInformation, &value, sizeof(value), &used),
                  STATUS_SUCCESS);
    EXPECT(value.partial.Type == REG_BINARY && value.partial.DataLength == 0);
    EXPECT_STATUS(ZwDeleteValueKey(key, &name), STATUS_SUCCESS);
    EXPECT_STATUS(ZwDeleteValueKey(key, &name), STATUS_OBJECT_NAME_NOT_FOUND);
    EXPECT_STATUS(ZwQueryValueKey(key, &name, KeyValuePartialInformation, &value, sizeof(value), &used),
                  STATUS_OBJECT_NAME_NOT_FOUND);
    EXPECT_STATUS(ZwDeleteKey(key), STATUS_SUCCESS);
    ZwClose(key);
}

static ULONG called;

static NTSTATUS NTAPI note(PWSTR name, ULONG type, PVOID data, ULONG length, PVOID context, PVOID entry)
{
    (void)name;
    EXPECT(context == &called);
    called = called * 10 + (type == REG_SZ ? length / 2 : type == REG_DWORD ? *(PULONG)data : 9);
    return entry ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
}

static NTSTATUS query(PRTL_QUERY_REGISTRY_TABLE table)
{
    called = 0;
    return RtlQueryRegistryValues(RTL_REGISTRY_SERVICES, L"test", table, &called, NULL);
}

static void tables(void)
{
    ULONG number = 0, three = 3, seven = 7;
    WCHAR room[8];
    UNICODE_STRING text = { 0, sizeof(room), room };
    RTL_QUERY_REGISTRY_TABLE direct[] = {
        { NULL, RTL_QUERY_REGISTRY_DIRECT, L"three", &number, REG_NONE, NULL, 0 },
        { NULL, RTL_QUERY_REGISTRY_DIRECT, L"text", &text, REG_NONE, NULL, 0 }, { NULL, 0, NULL, NULL, 0, NULL, 0 },
    };
    RTL_QUERY_REGISTRY_TABLE missing[] = {
        { NULL, RTL_QUERY_REGISTRY_DIRECT, L"none", &number, REG_DWORD, &seven, 4 },
        { NULL, RTL_QUERY_REGISTRY_DIRECT | RTL_QUERY_REGISTRY_REQUIRED, L"none", &number, REG_NONE, NULL, 0 },
        { NULL, 0, NULL, NULL, 0, NULL, 0 },
    };
    RTL_QUERY_REGISTRY_TABLE calls[] = {
        { note, 0, L"list", NULL, REG_NONE, NULL, 0 },
        { NULL, RTL_QUERY_REGISTRY_SUBKEY, L"sub", NULL, REG_NONE, NULL, 0 },
        { note, 0, L"three", NULL, REG_DWORD, &seven, 4 },
        { note, RTL_QUERY_REGISTRY_TOPKEY, L"three", NULL, REG_NONE, NULL, 0 },
        { note, 0, NULL, NULL, REG_NONE, NULL, 0 }, { NULL, 0, NULL, NULL, 0, NULL, 0 },
    };
    HANDLE key, sub;

    EXPECT_STATUS(create(NULL, L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\test", &key, NULL),
                  STATUS_SUCCESS);
    EXPECT_STATUS(create(key, L"sub", &sub, NULL), STATUS_SUCCESS);
    EXPECT_STATUS(set(key, L"three", REG_DWORD, &three, 4), STATUS_SUCCESS);
    EXPECT_STATUS(set(key, L"text", REG_SZ, L"text", 10), STATUS_SUCCESS);
    EXPECT_STATUS(set(key, L"list", REG_MULTI_SZ, L"a\0bc\0", 12), STATUS_SUCCESS);
    EXPECT_STATUS(query(direct), STATUS_SUCCESS);
    EXPECT_EQUAL(number, 3);
    EXPECT(is_text(text.Buffer, text.Length, L"text"));
    text.MaximumLength = 8;
    EXPECT_STATUS(query(direct), STATUS_BUFFER_TOO_SMALL);
    EXPECT_STATUS(query(missing), STATUS_OBJECT_NAME_NOT_FOUND);
    EXPECT_EQUAL(number, 7);
    /* Strings of 2 and 3 characters; the default, as the subkey has none; 3; 3, 5 characters, the list. */
    EXPECT_STATUS(query(calls), STATUS_SUCCESS);
    EXPECT_EQUAL(called, 23733523);
    calls[0].EntryContext = &called;
    EXPECT_STATUS(query(calls), STATUS_UNSUCCESSFUL);
    EXPECT_STATUS(RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, SOFTWARE L"\\none", calls, NULL, NULL),
                  STATUS_OBJECT_NAME_NOT_FOUND);
    EXPECT_STATUS(ZwDeleteKey(sub), STATUS_SUCCESS);
    EXPECT_STATUS(ZwDeleteKey(key), STATUS_SUCCESS);
    ZwClose(sub);
    ZwClose(key);
}

/* A device's key is the same for whoever asks, and no other's. */
static void devices(void)
{
    UNICODE_STRING name = text_of(L"kept"), link = text_of(L"\\??\\ROOT#0000#{1}\\wave");
    HANDLE key[4], again;
    PDEVICE_OBJECT pdo = device_pdo();
    union value value;
    ULONG used;

    EXPECT_STATUS(IoOpenDeviceRegistryKey(pdo, PLUGPLAY_REGKEY_DEVICE, KEY_ALL_ACCESS, &key[0]), STATUS_SUCCESS);
    EXPECT_STATUS(IoOpenDeviceRegistryKey(pdo, PLUGPLAY_REGKEY_DRIVER, KEY_ALL_ACCESS, &key[1]), STATUS_SUCCESS);
    EXPECT_STATUS(IoOpenDeviceRegistryKey(pdo, PLUGPLAY_REGKEY_DEVICE | PLUGPLAY_REGKEY_CURRENT_HWPROFILE,
                                          KEY_ALL_ACCESS, &key[2]), STATUS_SUCCESS);
    EXPECT_STATUS(IoOpenDeviceInterfaceRegistryKey(&link, KEY_ALL_ACCESS, &key[3]), STATUS_SUCCESS);
    EXPECT_STATUS(IoOpenDeviceRegistryKey(pdo, 3, KEY_ALL_ACCESS, &again), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(set(key[0], L"kept", REG_SZ, L"x", 4), STATUS_SUCCESS);
    EXPECT_STATUS(IoOpenDeviceRegistryKey(pdo, PLUGPLAY_REGKEY_DEVICE, KEY_READ, &again), STATUS_SUCCESS);
    EXPECT_STATUS(ZwQueryValueKey(again, &name, KeyValuePartialInformation, &value, sizeof(value), &used),
                  STATUS_SUCCESS);
    EXPECT_STATUS(ZwDeleteValueKey(again, &name), STATUS_SUCCESS);
    ZwClose(again);
    EXPECT_STATUS(set(key[0], L"kept", REG_SZ, L"x", 4), STATUS_SUCCESS);
    for (ULONG i = 1; i < RTL_NUMBER_OF(key); i++) {
        EXPECT_STATUS(ZwQueryValueKey(key[i], &name, KeyValuePartialInformation, &value, sizeof(value), &used),
                      STATUS_OBJECT_NAME_NOT_FOUND);
        ZwClose(key[i]);
    }
    EXPECT_STATUS(ZwDeleteValueKey(key[0], &name), STATUS_SUCCESS);
    ZwClose(key[0]);
    ObDereferenceObject(pdo);
}

/* As many handles as there are; those that are given back can be had again. */
static void handles(void)
{
    HANDLE open_ones[200], key;
    ULONG count = 0, first = 0;

    for (ULONG round = 0; round < 2; round++) {
        for (count = 0; count < RTL_NUMBER_OF(open_ones); count++) {
            NTSTATUS status = open(NULL, SOFTWARE, &open_ones[count]);

            if (!NT_SUCCESS(status)) {
                EXPECT_STATUS(status, STATUS_INSUFFICIENT_RESOURCES);
                break;
            }
        }
        EXPECT(count > 50 && count < RTL_NUMBER_OF(open_ones));
        EXPECT_STATUS(create(NULL, SOFTWARE L"\\never", &key, NULL), STATUS_INSUFFICIENT_RESOURCES);
        EXPECT(round == 0 || count == first);
        first = count;
        for (ULONG i = 0; i < count; i++) {
            ZwClose(open_ones[i]);
        }
    }
    EXPECT_STATUS(open(NULL, SOFTWARE L"\\never", &key), STATUS_OBJECT_NAME_NOT_FOUND);
}

const struct check registry_checks[] = {
    { "registry/keys", keys },
    { "registry/described-keys", described_keys },
    { "registry/values", values },
    { "registry/tables", tables },
    { "registry/devices", devices },
    { "registry/handles", handles },
    { NULL, NULL },
};
