/*
 * IRegistryKey: an object around a handle of a key.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcp.h"

#define KEY_TAG             'yKcP'

typedef struct _REGISTRY_KEY {
    PC_OBJECT Object;
    HANDLE Handle;              /* NULL: it was never opened */
} REGISTRY_KEY;

static HANDLE Handle(IRegistryKey *This)
{
    return ((REGISTRY_KEY *)PcpObject(This))->Handle;
}

static NTSTATUS NTAPI QueryKey(IRegistryKey *This, KEY_INFORMATION_CLASS Class,
                               PVOID KeyInformation, ULONG Length,
                               PULONG ResultLength)
{
    PCP_PASSIVE("IRegistryKey::QueryKey");
    return ZwQueryKey(Handle(This), Class, KeyInformation, Length, ResultLength);
}

static NTSTATUS NTAPI EnumerateKey(IRegistryKey *This, ULONG Index,
                                   KEY_INFORMATION_CLASS Class,
                                   PVOID KeyInformation, ULONG Length,
                                   PULONG ResultLength)
{
    PCP_PASSIVE("IRegistryKey::EnumerateKey");
    return ZwEnumerateKey(Handle(This), Index, Class, KeyInformation, Length,
                          ResultLength);
}

static NTSTATUS NTAPI QueryValueKey(IRegistryKey *This, PUNICODE_STRING ValueName,
                                    KEY_VALUE_INFORMATION_CLASS Class,
                                    PVOID KeyValueInformation, ULONG Length,
                                    PULONG ResultLength)
{
    PCP_PASSIVE("IRegistryKey::QueryValueKey");
    return ZwQueryValueKey(Handle(This), ValueName, Class, KeyValueInformation,
                           Length, ResultLength);
}

static NTSTATUS NTAPI EnumerateValueKey(IRegistryKey *This, ULONG Index,
                                        KEY_VALUE_INFORMATION_CLASS Class,
                                        PVOID KeyValueInformation, ULONG Length,
                                        PULONG ResultLength)
{
    PCP_PASSIVE("IRegistryKey::EnumerateValueKey");
    return ZwEnumerateValueKey(Handle(This), Index, Class, KeyValueInformation,
                               Length, ResultLength);
}

static NTSTATUS NTAPI SetValueKey(IRegistryKey *This, PUNICODE_STRING ValueName,
                                  ULONG Type, PVOID Data, ULONG DataSize)
{
    PCP_PASSIVE("IRegistryKey::SetValueKey");
    return ZwSetValueKey(Handle(This), ValueName, 0, Type, Data, DataSize);
}

static NTSTATUS NTAPI QueryRegistryValues(IRegistryKey *This,
                                          PRTL_QUERY_REGISTRY_TABLE QueryTable,
                                          PVOID Context)
{
    PCP_PASSIVE("IRegistryKey::QueryRegistryValues");
    return RtlQueryRegistryValues(RTL_REGISTRY_HANDLE, (PCWSTR)Handle(This),
                                  QueryTable, Context, NULL);
}

static NTSTATUS NTAPI NewSubKey(IRegistryKey *This, PREGISTRYKEY *RegistrySubKey,
                                PUNKNOWN OuterUnknown, ACCESS_MASK DesiredAccess,
                                PUNICODE_STRING SubKeyName, ULONG CreateOptions,
                                PULONG Disposition)
{
    OBJECT_ATTRIBUTES attributes;

    PCP_PASSIVE("IRegistryKey::NewSubKey");
    InitializeObjectAttributes(&attributes, SubKeyName,
                               OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE,
                               Handle(This), NULL);
    return PcNewRegistryKey(RegistrySubKey, OuterUnknown, PagedPool,
                            GeneralRegistryKey, DesiredAccess, NULL, NULL,
                            &attributes, CreateOptions, Disposition);
}

static NTSTATUS NTAPI DeleteKey(IRegistryKey *This)
{
    PCP_PASSIVE("IRegistryKey::DeleteKey");
    return ZwDeleteKey(Handle(This));
}

static const IRegistryKeyVtbl Methods = {
    PCP_UNKNOWN,
    .QueryKey = QueryKey,
    .EnumerateKey = EnumerateKey,
    .QueryValueKey = QueryValueKey,
    .EnumerateValueKey = EnumerateValueKey,
    .SetValueKey = SetValueKey,
    .QueryRegistryValues = QueryRegistryValues,
    .NewSubKey = NewSubKey,
    .DeleteKey = DeleteKey,
};

static void Delete(PVOID Object)
{
    REGISTRY_KEY *key = Object;

    if (key->Handle) {
        ZwClose(key->Handle);
    }
}

static const GUID *const Ids[] = { &IID_IRegistryKey, NULL };

static const PC_CLASS Class = {
    .Tag = KEY_TAG,
    .Size = sizeof(REGISTRY_KEY),
    .Vtbl = &Methods,
    .Ids = Ids,
    .Delete = Delete,
};

/* By the name of its subdevice's first interface. */
static NTSTATUS OpenInterface(PC_DEVICE *Device, PUNKNOWN SubDevice,
                              ACCESS_MASK Access, PHANDLE Key)
{
    const UNICODE_STRING *link;
    NTSTATUS status = STATUS_INVALID_PARAMETER;
    PC_PORT *port;

    if (!SubDevice || !NT_SUCCESS(SubDevice->lpVtbl->QueryInterface(
                          SubDevice, &PcpIidPort, (PVOID *)&port))) {
        return status;
    }
    PcpLock(Device);
    link = PcpLinkOf(Device, port);
    if (link) {
        status = IoOpenDeviceInterfaceRegistryKey((PUNICODE_STRING)link, Access,
                                                  Key);
    }
    PcpUnlock(Device);
    PcpRelease(&port->Object.Inner);
    return status;
}

static NTSTATUS OpenOfDevice(PC_DEVICE *Device, ULONG Type, PUNKNOWN SubDevice,
                             ACCESS_MASK Access, PHANDLE Key)
{
    static const ULONG types[] = {
        [DeviceRegistryKey] = PLUGPLAY_REGKEY_DEVICE,
        [DriverRegistryKey] = PLUGPLAY_REGKEY_DRIVER,
        [HwProfileRegistryKey] = PLUGPLAY_REGKEY_DEVICE |
                                 PLUGPLAY_REGKEY_CURRENT_HWPROFILE,
    };

    return Type == DeviceInterfaceRegistryKey
               ? OpenInterface(Device, SubDevice, Access, Key)
               : IoOpenDeviceRegistryKey(Device->Physical, types[Type], Access,
                                         Key);
}

NTSTATUS NTAPI PcNewRegistryKey(PREGISTRYKEY *OutRegistryKey,
                                PUNKNOWN OuterUnknown, POOL_TYPE PoolType,
                                ULONG RegistryKeyType, ACCESS_MASK DesiredAccess,
                                PVOID DeviceObject, PVOID SubDevice,
                                POBJECT_ATTRIBUTES ObjectAttributes,
                                ULONG CreateOptions, PULONG Disposition)
{
    bool general = RegistryKeyType == GeneralRegistryKey;
    REGISTRY_KEY *key;
    NTSTATUS status;

    PCP_PASSIVE("PcNewRegistryKey");
    if (!OutRegistryKey || RegistryKeyType > DeviceInterfaceRegistryKey ||
        (general ? !ObjectAttributes : !DeviceObject)) {
        return STATUS_INVALID_PARAMETER;
    }
    key = PcpNewObject(&Class, OuterUnknown, PoolType);
    if (!key) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = general ? ZwCreateKey(&key->Handle, DesiredAccess, ObjectAttributes,
                                   0, NULL, CreateOptions, Disposition)
                     : OpenOfDevice(PcpDevice(DeviceObject), RegistryKeyType,
                                    SubDevice, DesiredAccess, &key->Handle);
    if (!NT_SUCCESS(status)) {
        key->Handle = NULL;
        PcpRelease(&key->Object.Inner);
        return status;
    }
    if (!general && Disposition) {
        *Disposition = REG_OPENED_EXISTING_KEY;
    }
    *OutRegistryKey = (PREGISTRYKEY)key;
    return STATUS_SUCCESS;
}
