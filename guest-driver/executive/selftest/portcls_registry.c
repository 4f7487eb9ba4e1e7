/* SPDX-License-Identifier: MIT */
/* selftest.sys: IRegistryKey, of each type */
#include "portcls_test.h"

static NTSTATUS set_number(PREGISTRYKEY key, const WCHAR *name, ULONG number)
{
    UNICODE_STRING text = text_of(name);

    return key->lpVtbl->SetValueKey(key, &text, REG_DWORD, &number, sizeof(number));
}

/* 0: there is no such value. */
static ULONG get_number(PREGISTRYKEY key, const WCHAR *name)
{
    struct {
        KEY_VALUE_PARTIAL_INFORMATION head;
        UCHAR more[8];
    } value;
    UNICODE_STRING text = text_of(name);
    ULONG used;

    return NT_SUCCESS(key->lpVtbl->QueryValueKey(key, &text, KeyValuePartialInformation, &value, sizeof(value),
                                                 &used)) ? *(PULONG)value.head.Data : 0;
}

static void general(void)
{
    UNICODE_STRING path = text_of(L"\\Registry\\Machine\\Software\\Test"), name = text_of(L"sub");
    RTL_QUERY_REGISTRY_TABLE table[2] = { { 0 } };
    ULONG disposition = 0, used = 0, number = 0;
    OBJECT_ATTRIBUTES attributes;
    PREGISTRYKEY key = NULL, sub = NULL;
    KEY_FULL_INFORMATION full;
    union {
        KEY_BASIC_INFORMATION basic;
        KEY_VALUE_BASIC_INFORMATION value;
        UCHAR room[100];
    } info;

    InitializeObjectAttributes(&attributes, &path, OBJ_KERNEL_HANDLE, NULL, NULL);
    EXPECT_STATUS(PcNewRegistryKey(&key, NULL, PagedPool, GeneralRegistryKey, KEY_ALL_ACCESS, NULL, NULL,
                                   &attributes, REG_OPTION_VOLATILE, &disposition), STATUS_SUCCESS);
    EXPECT_EQUAL(disposition, REG_CREATED_NEW_KEY);
    EXPECT_STATUS(set_number(key, L"number", 77), STATUS_SUCCESS);
    EXPECT_EQUAL(get_number(key, L"NUMBER"), 77);
    EXPECT_STATUS(key->lpVtbl->EnumerateValueKey(key, 0, KeyValueBasicInformation, &info, sizeof(info), &used),
                  STATUS_SUCCESS);
    EXPECT_EQUAL(info.value.NameLength, 12);
    EXPECT_STATUS(key->lpVtbl->NewSubKey(key, &sub, NULL, KEY_ALL_ACCESS, &name, 0, &disposition), STATUS_SUCCESS);
    EXPECT_EQUAL(disposition, REG_CREATED_NEW_KEY);
    EXPECT_STATUS(key->lpVtbl->EnumerateKey(key, 0, KeyBasicInformation, &info, sizeof(info), &used),
                  STATUS_SUCCESS);
    EXPECT_EQUAL(info.basic.NameLength, 6);
    EXPECT_STATUS(key->lpVtbl->QueryKey(key, KeyFullInformation, &full, sizeof(full), &used), STATUS_SUCCESS);
    EXPECT(full.SubKeys == 1 && full.Values == 1);
    table[0].Flags = RTL_QUERY_REGISTRY_DIRECT;
    table[0].Name = (PWSTR)L"number";
    table[0].EntryContext = &number;
    EXPECT_STATUS(key->lpVtbl->QueryRegistryValues(key, table, NULL), STATUS_SUCCESS);
    EXPECT_EQUAL(number, 77);
    EXPECT_STATUS(key->lpVtbl->DeleteKey(key), STATUS_CANNOT_DELETE);
    EXPECT_STATUS(sub->lpVtbl->DeleteKey(sub), STATUS_SUCCESS);
    EXPECT_STATUS(set_number(sub, L"number", 1), STATUS_KEY_DELETED);
    EXPECT_EQUAL(sub->lpVtbl->Release(sub), 0);
    EXPECT_STATUS(key->lpVtbl->DeleteKey(key), STATUS_SUCCESS);
    EXPECT_EQUAL(key->lpVtbl->Release(key), 0);
}

static PREGISTRYKEY of_port(ULONG type)
{
    PREGISTRYKEY key = NULL;

    EXPECT_STATUS(adapter.port->lpVtbl->NewRegistryKey(adapter.port, &key, NULL, type, KEY_ALL_ACCESS, NULL, 0,
                                                       NULL), STATUS_SUCCESS);
    return key;
}

/* Those of a device differ from each other, and are the same whoever asks. */
static void of_devices(void)
{
    PREGISTRYKEY keys[DeviceInterfaceRegistryKey + 1] = { NULL }, again = NULL;
    ULONG disposition = 0;

    if (!adapter_start()) {
        return;
    }
    for (ULONG type = DeviceRegistryKey; type <= DeviceInterfaceRegistryKey; type++) {
        keys[type] = of_port(type);
        EXPECT_EQUAL(get_number(keys[type], L"type"), 0);
        EXPECT_STATUS(set_number(keys[type], L"type", type), STATUS_SUCCESS);
    }
    for (ULONG type = DeviceRegistryKey; type <= DeviceInterfaceRegistryKey; type++) {
        EXPECT_STATUS(PcNewRegistryKey(&again, NULL, NonPagedPool, type, KEY_READ, adapter.fdo, adapter.port, NULL,
                                       0, &disposition), STATUS_SUCCESS);
        EXPECT_EQUAL(disposition, REG_OPENED_EXISTING_KEY);
        EXPECT_EQUAL(get_number(again, L"type"), type);
        EXPECT_EQUAL(again->lpVtbl->Release(again), 0);
        EXPECT_STATUS(keys[type]->lpVtbl->DeleteKey(keys[type]), STATUS_SUCCESS);
        EXPECT_EQUAL(keys[type]->lpVtbl->Release(keys[type]), 0);
    }
    adapter_remove();
}

static void refused(void)
{
    UNICODE_STRING path = text_of(L"\\Registry\\Machine\\none\\none");
    OBJECT_ATTRIBUTES attributes;
    PREGISTRYKEY key = NULL;
    PPORT port = NULL;

    InitializeObjectAttributes(&attributes, &path, OBJ_KERNEL_HANDLE, NULL, NULL);
    EXPECT_STATUS(PcNewRegistryKey(&key, NULL, PagedPool, GeneralRegistryKey, KEY_READ, NULL, NULL, &attributes, 0,
                                   NULL), STATUS_OBJECT_NAME_NOT_FOUND);
    EXPECT_STATUS(PcNewRegistryKey(&key, NULL, PagedPool, GeneralRegistryKey, KEY_READ, NULL, NULL, NULL, 0, NULL),
                  STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(PcNewRegistryKey(NULL, NULL, PagedPool, GeneralRegistryKey, KEY_READ, NULL, NULL, &attributes, 0,
                                   NULL), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(PcNewRegistryKey(&key, NULL, PagedPool, DeviceRegistryKey, KEY_READ, NULL, NULL, NULL, 0, NULL),
                  STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(PcNewPort(&port, &CLSID_PortWaveCyclic), STATUS_SUCCESS);
    EXPECT_STATUS(port->lpVtbl->NewRegistryKey(port, &key, NULL, DeviceRegistryKey, KEY_READ, NULL, 0, NULL),
                  STATUS_DEVICE_NOT_READY);
    port->lpVtbl->Release(port);
    if (adapter_start()) {
        EXPECT_STATUS(PcNewRegistryKey(&key, NULL, PagedPool, DeviceInterfaceRegistryKey, KEY_READ, adapter.fdo,
                                       NULL, NULL, 0, NULL), STATUS_INVALID_PARAMETER);
        EXPECT_STATUS(PcNewRegistryKey(&key, NULL, PagedPool, DeviceInterfaceRegistryKey + 1, KEY_READ,
                                       adapter.fdo, NULL, NULL, 0, NULL), STATUS_INVALID_PARAMETER);
        adapter_remove();
    }
    EXPECT(key == NULL);
}

const struct check portcls_registry_checks[] = {
    { "portcls-registry/general", general },
    { "portcls-registry/of-devices", of_devices },
    { "portcls-registry/refused", refused },
    { NULL, NULL },
};
