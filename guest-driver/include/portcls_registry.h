/* SPDX-License-Identifier: MIT */
/*
 * IRegistryKey, for C on x64
 *
 * All at PASSIVE_LEVEL.
 */
#ifndef PCMASTER_PORTCLS_REGISTRY_H
#define PCMASTER_PORTCLS_REGISTRY_H

#include "portcls_sync.h"

DEFINE_GUID(IID_IRegistryKey, 0xE8DA4302, 0xF304, 0x11D0, 0x95, 0x8B, 0x00, 0xC0, 0x4F, 0xB9, 0x25, 0xD3);

typedef struct IRegistryKey IRegistryKey;
typedef IRegistryKey *PREGISTRYKEY;

/* What a key is found by. */
enum {
    GeneralRegistryKey,                 /* its name, in ObjectAttributes */
    DeviceRegistryKey,                  /* the device */
    DriverRegistryKey,                  /* the device: what its driver keeps of it */
    HwProfileRegistryKey,               /* the device, in the hardware profile */
    DeviceInterfaceRegistryKey          /* the subdevice */
};

/* As the Zw routines of these names; after DeleteKey they return STATUS_KEY_DELETED. */
typedef struct IRegistryKeyVtbl {
    PORTCLS_UNKNOWN(IRegistryKey);
    NTSTATUS (NTAPI *QueryKey)(IRegistryKey *This, KEY_INFORMATION_CLASS KeyInformationClass,
                               PVOID KeyInformation, ULONG Length, PULONG ResultLength);
    NTSTATUS (NTAPI *EnumerateKey)(IRegistryKey *This, ULONG Index, KEY_INFORMATION_CLASS KeyInformationClass,
                                   PVOID KeyInformation, ULONG Length, PULONG ResultLength);
    NTSTATUS (NTAPI *QueryValueKey)(IRegistryKey *This, PUNICODE_STRING ValueName,
                                    KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass,
                                    PVOID KeyValueInformation, ULONG Length, PULONG ResultLength);
    NTSTATUS (NTAPI *EnumerateValueKey)(IRegistryKey *This, ULONG Index,
                                        KEY_VALUE_INFORMATION_CLASS KeyValueInformationClass,
                                        PVOID KeyValueInformation, ULONG Length, PULONG ResultLength);
    NTSTATUS (NTAPI *SetValueKey)(IRegistryKey *This, PUNICODE_STRING ValueName, ULONG Type, PVOID Data,
                                  ULONG DataSize);
    /* As RtlQueryRegistryValues. */
    NTSTATUS (NTAPI *QueryRegistryValues)(IRegistryKey *This, PRTL_QUERY_REGISTRY_TABLE QueryTable,
                                          PVOID Context);
    NTSTATUS (NTAPI *NewSubKey)(IRegistryKey *This, PREGISTRYKEY *RegistrySubKey, PUNKNOWN OuterUnknown,
                                ACCESS_MASK DesiredAccess, PUNICODE_STRING SubKeyName, ULONG CreateOptions,
                                PULONG Disposition);
    NTSTATUS (NTAPI *DeleteKey)(IRegistryKey *This);
} IRegistryKeyVtbl;

struct IRegistryKey {
    const IRegistryKeyVtbl *lpVtbl;
};

PORTCLS_UNKNOWN_SLOTS(IRegistryKey);
PORTCLS_SLOT(IRegistryKey, QueryKey, 0x18);
PORTCLS_SLOT(IRegistryKey, EnumerateKey, 0x20);
PORTCLS_SLOT(IRegistryKey, QueryValueKey, 0x28);
PORTCLS_SLOT(IRegistryKey, EnumerateValueKey, 0x30);
PORTCLS_SLOT(IRegistryKey, SetValueKey, 0x38);
PORTCLS_SLOT(IRegistryKey, QueryRegistryValues, 0x40);
PORTCLS_SLOT(IRegistryKey, NewSubKey, 0x48);
PORTCLS_SLOT(IRegistryKey, DeleteKey, 0x50);

/*
 * Exported by portcls.sys.  DeviceObject is the functional one; SubDevice a
 * port that is registered; ObjectAttributes, CreateOptions and Disposition
 * (which may be NULL) are a general key's, which is made if it is not there.
 *
 *   STATUS_INVALID_PARAMETER       no OutRegistryKey; no such type; what the
 *                                  type needs is NULL
 *   STATUS_INSUFFICIENT_RESOURCES  out of pool
 *   what ZwCreateKey says
 */
NTSTATUS NTAPI PcNewRegistryKey(PREGISTRYKEY *OutRegistryKey, PUNKNOWN OuterUnknown, POOL_TYPE PoolType,
                                ULONG RegistryKeyType, ACCESS_MASK DesiredAccess, PVOID DeviceObject,
                                PVOID SubDevice, POBJECT_ATTRIBUTES ObjectAttributes, ULONG CreateOptions,
                                PULONG Disposition);

#endif /* PCMASTER_PORTCLS_REGISTRY_H */
