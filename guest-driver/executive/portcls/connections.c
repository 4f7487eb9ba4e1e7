/*
 * Physical connections: which pin of which filter is wired to which.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcp.h"

/* A port of this device, or the name of a filter of another. */
typedef struct _END {
    PC_PORT *Port;              /* not counted: connections go before subdevices; NULL */
    UNICODE_STRING Name;
    ULONG Pin;
} END;

typedef struct _CONNECTION {
    LIST_ENTRY Link;
    END Ends[2];                /* from, to; the name behind it */
} CONNECTION;

/* Device locked. What ENDs have of ports must be registered, with such a pin. */
static bool IsThere(PC_DEVICE *Device, const END *End)
{
    return !End->Port || (PcpLinkOf(Device, End->Port) &&
                          PcpPinDescriptor(End->Port, End->Pin));
}

static NTSTATUS Add(PC_DEVICE *Device, const END *From, const END *To)
{
    const END *ends[] = { From, To };
    USHORT room = From->Name.Length + To->Name.Length;
    CONNECTION *connection;

    if (!IsThere(Device, From) || !IsThere(Device, To)) {
        return STATUS_INVALID_PARAMETER;
    }
    connection = ExAllocatePoolWithTag(PagedPool, sizeof(*connection) + room,
                                       PCP_TAG);
    if (!connection) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    for (ULONG i = 0; i < RTL_NUMBER_OF(ends); i++) {
        connection->Ends[i] = *ends[i];
        if (ends[i]->Name.Length) {
            connection->Ends[i].Name.Buffer = (PWCH)(connection + 1);
            RtlCopyMemory(connection + 1, ends[i]->Name.Buffer, room);
        }
    }
    InsertTailList(&Device->Connections, &connection->Link);
    return STATUS_SUCCESS;
}

static NTSTATUS Connect(PDEVICE_OBJECT DeviceObject, const END *From,
                        const END *To)
{
    PC_DEVICE *device = PcpDevice(DeviceObject);
    NTSTATUS status;

    PcpLock(device);
    status = Add(device, From, To);
    PcpUnlock(device);
    return status;
}

/* A reference is held while it is looked at. */
static bool ToPort(PUNKNOWN Unknown, END *End)
{
    return Unknown && NT_SUCCESS(Unknown->lpVtbl->QueryInterface(
                          Unknown, &PcpIidPort, (PVOID *)&End->Port));
}

static void Release(END *End)
{
    if (End->Port) {
        PcpRelease(&End->Port->Object.Inner);
    }
}

NTSTATUS NTAPI PcRegisterPhysicalConnection(PDEVICE_OBJECT DeviceObject,
                                            PUNKNOWN FromUnknown, ULONG FromPin,
                                            PUNKNOWN ToUnknown, ULONG ToPin)
{
    END from = { .Pin = FromPin }, to = { .Pin = ToPin };
    NTSTATUS status = STATUS_INVALID_PARAMETER;

    PCP_PASSIVE("PcRegisterPhysicalConnection");
    if (DeviceObject && ToPort(FromUnknown, &from) && ToPort(ToUnknown, &to)) {
        status = Connect(DeviceObject, &from, &to);
    }
    Release(&from);
    Release(&to);
    return status;
}

NTSTATUS NTAPI PcRegisterPhysicalConnectionFromExternal(
    PDEVICE_OBJECT DeviceObject, PUNICODE_STRING FromString, ULONG FromPin,
    PUNKNOWN ToUnknown, ULONG ToPin)
{
    END from = { .Pin = FromPin }, to = { .Pin = ToPin };
    NTSTATUS status = STATUS_INVALID_PARAMETER;

    PCP_PASSIVE("PcRegisterPhysicalConnectionFromExternal");
    if (DeviceObject && FromString && FromString->Length &&
        ToPort(ToUnknown, &to)) {
        from.Name = *FromString;
        status = Connect(DeviceObject, &from, &to);
    }
    Release(&to);
    return status;
}

NTSTATUS NTAPI PcRegisterPhysicalConnectionToExternal(
    PDEVICE_OBJECT DeviceObject, PUNKNOWN FromUnknown, ULONG FromPin,
    PUNICODE_STRING ToString, ULONG ToPin)
{
    END from = { .Pin = FromPin }, to = { .Pin = ToPin };
    NTSTATUS status = STATUS_INVALID_PARAMETER;

    PCP_PASSIVE("PcRegisterPhysicalConnectionToExternal");
    if (DeviceObject && ToString && ToString->Length &&
        ToPort(FromUnknown, &from)) {
        to.Name = *ToString;
        status = Connect(DeviceObject, &from, &to);
    }
    Release(&from);
    return status;
}

/* The end across from that pin; NULL: it is wired to nothing. */
static const END *Across(PC_DEVICE *Device, const PC_PORT *Port, ULONG Pin)
{
    for (PLIST_ENTRY link = Device->Connections.Flink;
         link != &Device->Connections; link = link->Flink) {
        CONNECTION *connection = CONTAINING_RECORD(link, CONNECTION, Link);

        for (ULONG i = 0; i < RTL_NUMBER_OF(connection->Ends); i++) {
            const END *end = &connection->Ends[i];

            if (end->Port == Port && end->Pin == Pin) {
                return &connection->Ends[!i];
            }
        }
    }
    return NULL;
}

NTSTATUS PcpPhysicalConnection(PC_PROPERTY *Request)
{
    ULONG pin = ((PKSP_PIN)Request->Property)->PinId;
    const END *end = Across(Request->Port->Device, Request->Port, pin);
    PKSPIN_PHYSICALCONNECTION value = Request->Value;
    const UNICODE_STRING *name;
    ULONG size;

    if (!PcpPinDescriptor(Request->Port, pin)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (!end) {
        return STATUS_NOT_FOUND;
    }
    name = end->Port ? PcpLinkOf(Request->Port->Device, end->Port) : &end->Name;
    size = FIELD_OFFSET(KSPIN_PHYSICALCONNECTION, SymbolicLinkName) +
           name->Length + sizeof(WCHAR);
    Request->Used = size;
    if (Request->ValueLength < size) {
        return Request->ValueLength ? STATUS_BUFFER_TOO_SMALL
                                    : STATUS_BUFFER_OVERFLOW;
    }
    value->Size = size;
    value->Pin = end->Pin;
    RtlCopyMemory(value->SymbolicLinkName, name->Buffer, name->Length);
    value->SymbolicLinkName[name->Length / sizeof(WCHAR)] = 0;
    return STATUS_SUCCESS;
}

void PcpForgetConnections(PC_DEVICE *Device)
{
    while (!IsListEmpty(&Device->Connections)) {
        PLIST_ENTRY link = RemoveHeadList(&Device->Connections);

        ExFreePoolWithTag(CONTAINING_RECORD(link, CONNECTION, Link), PCP_TAG);
    }
}
