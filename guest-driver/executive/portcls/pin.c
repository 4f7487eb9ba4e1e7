/*
 * Pins: opening, control, closing.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcp.h"

static VOID NTAPI RequestService(IServiceSink *This)
{
    PcpServicePin(PcpObject(This));
}

static const IServiceSinkVtbl Methods = {
    PCP_UNKNOWN,
    .RequestService = RequestService,
};

static void Delete(PVOID Object)
{
    PC_PIN *pin = Object;

    if (pin->Format) {
        ExFreePoolWithTag(pin->Format, PCP_PIN_TAG);
    }
}

static const GUID *const Ids[] = { &IID_IServiceSink, NULL };

static const PC_CLASS Class = {
    .Tag = PCP_PIN_TAG,
    .Size = sizeof(PC_PIN),
    .Vtbl = &Methods,
    .Ids = Ids,
    .Delete = Delete,
};

static PC_PIN *PinOf(PC_FILE *File)
{
    return CONTAINING_RECORD(File, PC_PIN, File);
}

static const PCAUTOMATION_TABLE *Table(PVOID Owner)
{
    PC_PIN *pin = Owner;

    return PcpPinDescriptor(pin->Filter->Port, pin->Id)->AutomationTable;
}

static NTSTATUS Control(PC_FILE *File, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    PC_PIN *pin = PinOf(File);

    switch (stack->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_KS_PROPERTY:
        return PcpProperty(pin->Filter->Port, pin, (PUNKNOWN *)&pin->Stream, Irp,
                           PcpPinProperties, Table);
    case IOCTL_KS_WRITE_STREAM:
        return PcpStreamRequest(pin, Irp, false);
    case IOCTL_KS_READ_STREAM:
        return PcpStreamRequest(pin, Irp, true);
    default:
        return PcpComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
}

/* The client's last handle is closed: nobody waits for its requests. */
static void Cleanup(PC_FILE *File)
{
    PcpFlushPin(PinOf(File), false);
}

static void Close(PC_FILE *File)
{
    PC_PIN *pin = PinOf(File);
    PC_DEVICE *device = pin->Filter->Device;
    PFILE_OBJECT filter = pin->FilterObject;

    PcpLock(device);
    PcpDisconnectPin(pin);
    PcpUnlock(device);
    PcpRelease(&pin->Object.Inner);
    ObDereferenceObject(filter);
}

/* Room for another instance, a direction that clients connect to, a format. */
static NTSTATUS CheckConnect(PC_FILTER *Filter, const KSPIN_CONNECT *Connect,
                             const KSDATAFORMAT *Format, ULONG Length)
{
    const PCPIN_DESCRIPTOR *pin;
    PC_PORT *port = Filter->Port;

    if (!port->Miniport) {
        return STATUS_DEVICE_NOT_CONNECTED;
    }
    pin = PcpPinDescriptor(port, Connect->PinId);
    if (!pin || Connect->PinToHandle) {
        return STATUS_INVALID_PARAMETER;
    }
    if (pin->KsPinDescriptor.Communication != KSPIN_COMMUNICATION_SINK &&
        pin->KsPinDescriptor.Communication != KSPIN_COMMUNICATION_BOTH) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (!IsEqualGUIDAligned(&Connect->Interface.Set, &KSINTERFACESETID_Standard) ||
        Connect->Interface.Id != KSINTERFACE_STANDARD_STREAMING ||
        !IsEqualGUIDAligned(&Connect->Medium.Set, &KSMEDIUMSETID_Standard)) {
        return STATUS_NO_MATCH;
    }
    if (Filter->Instances[Connect->PinId] >= pin->MaxFilterInstanceCount ||
        PcpCountPins(port, Connect->PinId) >= pin->MaxGlobalInstanceCount) {
        return STATUS_CONNECTION_REFUSED;
    }
    return PcpCheckFormat(pin, Format, Length);
}

static PC_PIN *NewPin(PC_FILTER *Filter, const KSPIN_CONNECT *Connect,
                      PKSDATAFORMAT Format)
{
    PC_PIN *pin = PcpNewObject(&Class, NULL, NonPagedPool);

    if (!pin) {
        return NULL;
    }
    pin->File = (PC_FILE){ Control, Cleanup, Close };
    pin->Filter = Filter;
    pin->Id = Connect->PinId;
    pin->Capture = PcpPinDescriptor(Filter->Port, pin->Id)
                       ->KsPinDescriptor.DataFlow == KSPIN_DATAFLOW_OUT;
    pin->Format = Format;
    pin->BlockAlign = PcpBlockAlign(Format);
    KeInitializeSpinLock(&pin->Lock);
    InitializeListHead(&pin->Irps);
    return pin;
}

static NTSTATUS OpenPin(PC_FILTER *Filter, PFILE_OBJECT FilterObject,
                        PFILE_OBJECT FileObject, const KSPIN_CONNECT *Connect,
                        PKSDATAFORMAT Format)
{
    PC_PIN *pin = NewPin(Filter, Connect, Format);
    NTSTATUS status;

    if (!pin) {
        ExFreePoolWithTag(Format, PCP_PIN_TAG);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = PcpIsPinPowered(pin) ? PcpConnectPin(pin) : STATUS_DEVICE_NOT_READY;
    if (!NT_SUCCESS(status)) {
        PcpDisconnectPin(pin);
        PcpRelease(&pin->Object.Inner);
        return status;
    }
    ObReferenceObject(FilterObject);
    pin->FilterObject = FilterObject;
    FileObject->FsContext = &pin->File;
    return status;
}

/* KSPIN_CONNECT and KSDATAFORMAT as they follow in the name, aligned to nothing. */
NTSTATUS PcpOpenPin(PC_FILTER *Filter, PFILE_OBJECT FilterObject,
                    PFILE_OBJECT FileObject, const VOID *Data, ULONG Length)
{
    KSPIN_CONNECT connect;
    PKSDATAFORMAT format;
    NTSTATUS status;

    if (Length < sizeof(connect) + sizeof(*format)) {
        return STATUS_INVALID_PARAMETER;
    }
    RtlCopyMemory(&connect, Data, sizeof(connect));
    Length -= sizeof(connect);
    format = ExAllocatePoolWithTag(NonPagedPool, Length, PCP_PIN_TAG);
    if (!format) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlCopyMemory(format, (const UCHAR *)Data + sizeof(connect), Length);
    status = CheckConnect(Filter, &connect, format, Length);
    if (!NT_SUCCESS(status)) {
        ExFreePoolWithTag(format, PCP_PIN_TAG);
        return status;
    }
    return OpenPin(Filter, FilterObject, FileObject, &connect, format);
}
