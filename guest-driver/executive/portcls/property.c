/*
 * IOCTL_KS_PROPERTY: the port's own properties, and those of the miniport.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcp.h"

#define VERBS   (KSPROPERTY_TYPE_GET | KSPROPERTY_TYPE_SET | KSPROPERTY_TYPE_BASICSUPPORT)

NTSTATUS PcpReturn(PC_PROPERTY *Request, const VOID *Value, ULONG Length)
{
    Request->Used = Length;
    if (!Request->ValueLength) {
        return STATUS_BUFFER_OVERFLOW;
    }
    if (Request->ValueLength < Length) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    RtlCopyMemory(Request->Value, Value, Length);
    return STATUS_SUCCESS;
}

NTSTATUS PcpReturnItems(PC_PROPERTY *Request, ULONG Count, const VOID *Items,
                        ULONG Stride, ULONG Size)
{
    KSMULTIPLE_ITEM head = { sizeof(head) + Count * Size, Count };
    PUCHAR at = (PUCHAR)Request->Value + sizeof(head);

    Request->Used = head.Size;
    if (Request->ValueLength < head.Size) {
        return Request->ValueLength ? STATUS_BUFFER_TOO_SMALL
                                    : STATUS_BUFFER_OVERFLOW;
    }
    RtlCopyMemory(Request->Value, &head, sizeof(head));
    for (ULONG i = 0; Items && i < Count; i++) {
        RtlCopyMemory(at + (SIZE_T)i * Size,
                      (const UCHAR *)Items + (SIZE_T)i * Stride, Size);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS Support(PC_PROPERTY *Request, ULONG Verbs)
{
    Verbs |= KSPROPERTY_TYPE_BASICSUPPORT;
    return PcpReturn(Request, &Verbs, sizeof(Verbs));
}

static NTSTATUS CallItem(PC_PROPERTY *Request, const PC_PROPERTY_ITEM *Item)
{
    PC_PROPERTY_HANDLER *handler = Request->Verb == KSPROPERTY_TYPE_SET
                                       ? Item->Set_ : Item->Get;

    if (Request->Verb == KSPROPERTY_TYPE_BASICSUPPORT) {
        return Support(Request, (Item->Get ? KSPROPERTY_TYPE_GET : 0u) |
                                (Item->Set_ ? KSPROPERTY_TYPE_SET : 0u));
    }
    if (!handler) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (Request->PropertyLength < Item->PropertyLength) {
        return STATUS_INVALID_BUFFER_SIZE;
    }
    if (Request->Verb == KSPROPERTY_TYPE_SET &&
        Request->ValueLength < Item->ValueLength) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    return handler(Request);
}

/* STATUS_PROPSET_NOT_FOUND: not even the set is known. */
static NTSTATUS CallOwn(PC_PROPERTY *Request, const PC_PROPERTY_ITEM *Items)
{
    NTSTATUS status = STATUS_PROPSET_NOT_FOUND;

    for (; Items->Set; Items++) {
        if (!IsEqualGUIDAligned(Items->Set, &Request->Property->Set)) {
            continue;
        }
        if (Items->Id == Request->Property->Id) {
            return CallItem(Request, Items);
        }
        status = STATUS_NOT_FOUND;
    }
    return status;
}

static const PCPROPERTY_ITEM *FindItem(const PCAUTOMATION_TABLE *Table,
                                       const KSPROPERTY *Property,
                                       NTSTATUS *Status)
{
    for (ULONG i = 0; Table && i < Table->PropertyCount; i++) {
        const PCPROPERTY_ITEM *item = (const PCPROPERTY_ITEM *)(
            (PUCHAR)Table->Properties + (SIZE_T)i * Table->PropertyItemSize);

        if (!IsEqualGUIDAligned(item->Set, &Property->Set)) {
            continue;
        }
        if (item->Id == Property->Id && item->Handler) {
            return item;
        }
        *Status = STATUS_NOT_FOUND;
    }
    return NULL;
}

/* Fills in Call. KSNODEPROPERTY has a node behind KSPROPERTY. */
static NTSTATUS FindMiniports(PC_PROPERTY *Request, PPCPROPERTY_REQUEST Call,
                              const PCAUTOMATION_TABLE *Table)
{
    const PCFILTER_DESCRIPTOR *filter = Request->Port->Description;
    ULONG header = sizeof(KSPROPERTY);
    NTSTATUS status = STATUS_PROPSET_NOT_FOUND;

    Call->Node = PCFILTER_NODE;
    if (Request->Property->Flags & KSPROPERTY_TYPE_TOPOLOGY) {
        header = sizeof(KSNODEPROPERTY);
        if (Request->PropertyLength < header) {
            return STATUS_INVALID_BUFFER_SIZE;
        }
        Call->Node = ((PKSNODEPROPERTY)Request->Property)->NodeId;
        if (Call->Node >= filter->NodeCount) {
            return STATUS_INVALID_PARAMETER;
        }
        Table = ((const PCNODE_DESCRIPTOR *)(
            (PUCHAR)filter->Nodes +
            (SIZE_T)Call->Node * filter->NodeSize))->AutomationTable;
    }
    Call->PropertyItem = FindItem(Table, Request->Property, &status);
    if (!Call->PropertyItem) {
        return status;
    }
    if (!(Call->PropertyItem->Flags & Request->Verb)) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    Call->Verb = Request->Verb;
    Call->InstanceSize = Request->PropertyLength - header;
    Call->Instance = (PUCHAR)Request->Property + header;
    Call->ValueSize = Request->ValueLength;
    Call->Value = Request->Value;
    Call->Irp = Request->Irp;
    return STATUS_SUCCESS;
}

/* Device locked; it is not while the handler runs, which may take long. */
static NTSTATUS CallMiniport(PC_PROPERTY *Request, PUNKNOWN *Stream,
                             const PCAUTOMATION_TABLE *Table)
{
    PC_DEVICE *device = Request->Port->Device;
    PPCPROPERTY_REQUEST call;
    NTSTATUS status;

    call = ExAllocatePoolWithTag(NonPagedPool, sizeof(*call), PCP_TAG);
    if (!call) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(call, sizeof(*call));
    status = FindMiniports(Request, call, Table);
    if (NT_SUCCESS(status)) {
        PUNKNOWN major = (PUNKNOWN)Request->Port->Miniport;
        PUNKNOWN minor = Stream ? *Stream : NULL;

        call->MajorTarget = major;
        call->MinorTarget = minor;
        PCP_ADDREF(major);
        PCP_ADDREF(minor);
        IoMarkIrpPending(Request->Irp);
        Request->Marked = TRUE;
        PcpUnlock(device);
        status = call->PropertyItem->Handler(call);
        PcpLock(device);
        if (status != STATUS_PENDING) {
            Request->Used = call->ValueSize;
        }
        PCP_RELEASE(minor);
        PCP_RELEASE(major);
    }
    if (status != STATUS_PENDING) {
        ExFreePoolWithTag(call, PCP_TAG);
    }
    return status;
}

NTSTATUS NTAPI PcCompletePendingPropertyRequest(
    PPCPROPERTY_REQUEST PropertyRequest, NTSTATUS NtStatus)
{
    PCP_DISPATCH("PcCompletePendingPropertyRequest");
    if (!PropertyRequest || NtStatus == STATUS_PENDING) {
        return STATUS_INVALID_PARAMETER;
    }
    PcpComplete(PropertyRequest->Irp, NtStatus,
                NT_ERROR(NtStatus) ? 0 : PropertyRequest->ValueSize);
    ExFreePoolWithTag(PropertyRequest, PCP_TAG);
    return STATUS_SUCCESS;
}

static NTSTATUS Dispatch(PC_PROPERTY *Request, PUNKNOWN *Stream,
                         const PC_PROPERTY_ITEM *Items,
                         const PCAUTOMATION_TABLE *(*Table)(PVOID Owner))
{
    NTSTATUS status = STATUS_PROPSET_NOT_FOUND, other;

    if (!Request->Port->Miniport || (Stream && !*Stream)) {
        return STATUS_DEVICE_NOT_CONNECTED;
    }
    if (!(Request->Property->Flags & KSPROPERTY_TYPE_TOPOLOGY)) {
        status = CallOwn(Request, Items);
    }
    if (status != STATUS_NOT_FOUND && status != STATUS_PROPSET_NOT_FOUND) {
        return status;
    }
    other = CallMiniport(Request, Stream, Table(Request->Owner));
    return other == STATUS_PROPSET_NOT_FOUND ? status : other;
}

NTSTATUS PcpProperty(PC_PORT *Port, PVOID Owner, PUNKNOWN *Stream, PIRP Irp,
                     const PC_PROPERTY_ITEM *Items,
                     const PCAUTOMATION_TABLE *(*Table)(PVOID Owner))
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    PC_DEVICE *device = Port->Device;
    PC_PROPERTY request = {
        .Irp = Irp,
        .Port = Port,
        .Owner = Owner,
        .Property = stack->Parameters.DeviceIoControl.Type3InputBuffer,
        .PropertyLength = stack->Parameters.DeviceIoControl.InputBufferLength,
        .Value = Irp->UserBuffer,
        .ValueLength = stack->Parameters.DeviceIoControl.OutputBufferLength,
    };
    NTSTATUS status;

    if (!request.Property || request.PropertyLength < sizeof(KSPROPERTY) ||
        (!request.Value && request.ValueLength)) {
        return PcpComplete(Irp, STATUS_INVALID_BUFFER_SIZE, 0);
    }
    request.Verb = request.Property->Flags & VERBS;
    if ((request.Verb & (request.Verb - 1)) || !request.Verb) {
        return PcpComplete(Irp, STATUS_INVALID_PARAMETER, 0);
    }
    PcpLock(device);
    status = Dispatch(&request, Stream, Items, Table);
    PcpUnlock(device);
    if (status == STATUS_PENDING) {
        return status;
    }
    PcpComplete(Irp, status, NT_ERROR(status) ? 0 : request.Used);
    return request.Marked ? STATUS_PENDING : status;
}
