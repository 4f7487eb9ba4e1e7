/*
 * Pins: opening, state, power, closing.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcp.h"

#define PIN_TAG             'iPcP'
#define INTERVAL_MS         10          /* between notifications */

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
        ExFreePoolWithTag(pin->Format, PIN_TAG);
    }
}

static const GUID *const Ids[] = { &IID_IServiceSink, NULL };

static const PC_CLASS Class = {
    .Tag = PIN_TAG,
    .Size = sizeof(PC_PIN),
    .Vtbl = &Methods,
    .Ids = Ids,
    .Delete = Delete,
};

/* When it is off nobody asks the stream for its position any more. */
static void SetRunning(PC_PIN *Pin, bool Running)
{
    KIRQL irql;

    KeAcquireSpinLock(&Pin->Lock, &irql);
    Pin->Running = Running;
    KeReleaseSpinLock(&Pin->Lock, irql);
}

/* One step up or down, with what goes with it. */
static NTSTATUS Step(PC_PIN *Pin, KSSTATE Next)
{
    KSSTATE before = Pin->State;
    NTSTATUS status;

    if (Next > before && Next != KSSTATE_ACQUIRE) {
        PcpServicePin(Pin);             /* the buffer is filled */
    }
    if (Next == KSSTATE_RUN) {
        SetRunning(Pin, true);
    }
    status = Pin->Stream->lpVtbl->SetState(Pin->Stream, Next);
    if (!NT_SUCCESS(status)) {
        SetRunning(Pin, before == KSSTATE_RUN);
        return status;
    }
    if (before == KSSTATE_RUN) {
        PcpServicePin(Pin);             /* what was played until now counts */
        SetRunning(Pin, false);
    }
    if (before == KSSTATE_STOP) {
        PcpRewindPin(Pin);
    }
    Pin->State = Next;
    return STATUS_SUCCESS;
}

static NTSTATUS Walk(PC_PIN *Pin, KSSTATE State)
{
    NTSTATUS status = STATUS_SUCCESS;

    while (Pin->State != State && NT_SUCCESS(status)) {
        status = Step(Pin, Pin->State < State ? Pin->State + 1
                                              : Pin->State - 1);
    }
    return status;
}

static bool IsPowered(const PC_PIN *Pin)
{
    return Pin->Filter->Device->PowerState == PowerDeviceD0;
}

NTSTATUS PcpSetPinState(PC_PIN *Pin, KSSTATE State)
{
    NTSTATUS status;

    if (State < KSSTATE_STOP || State > KSSTATE_RUN) {
        return STATUS_INVALID_PARAMETER;
    }
    if (!IsPowered(Pin)) {
        Pin->Wanted = State;
        status = STATUS_SUCCESS;
    } else {
        status = Walk(Pin, State);
        Pin->Wanted = Pin->State;
    }
    if (Pin->Wanted == KSSTATE_STOP) {
        PcpFlushPin(Pin, true);
    }
    return status;
}

/* A step down that fails must not keep the power: the rest is tried. */
static void WalkDown(PC_PIN *Pin)
{
    while (Pin->State != KSSTATE_STOP) {
        if (!NT_SUCCESS(Step(Pin, Pin->State - 1))) {
            SetRunning(Pin, false);
            Pin->State--;
        }
    }
}

void PcpSuspendPort(PC_PORT *Port)
{
    for (PLIST_ENTRY link = Port->Pins.Flink; link != &Port->Pins;
         link = link->Flink) {
        PC_PIN *pin = CONTAINING_RECORD(link, PC_PIN, Link);

        WalkDown(pin);
    }
}

void PcpResumePort(PC_PORT *Port)
{
    for (PLIST_ENTRY link = Port->Pins.Flink; link != &Port->Pins;
         link = link->Flink) {
        PC_PIN *pin = CONTAINING_RECORD(link, PC_PIN, Link);

        if (!NT_SUCCESS(Walk(pin, pin->Wanted))) {
            DbgPrint("portcls: a stream stays in state %d, not %d, after its "
                     "power came back\n", pin->State, pin->Wanted);
            pin->Wanted = pin->State;
        }
    }
}

/* The stream and all that came with it. */
static void Disconnect(PC_PIN *Pin)
{
    PMINIPORTWAVECYCLICSTREAM stream = Pin->Stream;
    KIRQL irql;

    if (!stream) {
        return;
    }
    WalkDown(Pin);
    Pin->Wanted = KSSTATE_STOP;
    if (Pin->Group) {
        Pin->Group->lpVtbl->RemoveMember(Pin->Group, (PSERVICESINK)Pin);
    }
    KeAcquireSpinLock(&Pin->Lock, &irql);
    Pin->Stream = NULL;
    KeReleaseSpinLock(&Pin->Lock, irql);
    PcpFlushPin(Pin, true);
    PCP_RELEASE(stream);
    PCP_RELEASE(Pin->Group);
    PCP_RELEASE(Pin->Channel);
    RemoveEntryList(&Pin->Link);
    Pin->Filter->Instances[Pin->Id]--;
}

void PcpDisconnectPins(PC_PORT *Port)
{
    while (!IsListEmpty(&Port->Pins)) {
        Disconnect(CONTAINING_RECORD(Port->Pins.Flink, PC_PIN, Link));
    }
}

ULONG PcpCountPins(PC_PORT *Port, ULONG PinId)
{
    ULONG count = 0;

    for (PLIST_ENTRY link = Port->Pins.Flink; link != &Port->Pins;
         link = link->Flink) {
        count += CONTAINING_RECORD(link, PC_PIN, Link)->Id == PinId;
    }
    return count;
}

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
    Disconnect(pin);
    PcpUnlock(device);
    PcpRelease(&pin->Object.Inner);
    ObDereferenceObject(filter);
}

static ULONG BlockAlign(const KSDATAFORMAT *Format)
{
    const KSDATAFORMAT_WAVEFORMATEX *wave =
        (const KSDATAFORMAT_WAVEFORMATEX *)Format;

    return IsEqualGUIDAligned(&Format->Specifier,
                              &KSDATAFORMAT_SPECIFIER_WAVEFORMATEX) &&
                   wave->WaveFormatEx.nBlockAlign
               ? wave->WaveFormatEx.nBlockAlign : 1;
}

/* The cyclic buffer takes whole notification intervals, or at least frames. */
static NTSTATUS SizeBuffer(PC_PIN *Pin)
{
    ULONG size = Pin->Channel->lpVtbl->AllocatedBufferSize(Pin->Channel);
    ULONG frame = 0;

    Pin->Stream->lpVtbl->SetNotificationFreq(Pin->Stream, INTERVAL_MS, &frame);
    if (frame && frame <= size) {
        size -= size % frame;
    }
    size -= size % Pin->BlockAlign;
    if (!size) {
        return STATUS_UNSUCCESSFUL;
    }
    Pin->BufferSize = size;
    Pin->Margin = frame && frame < size / 2 ? frame : size / 4;
    Pin->Margin -= Pin->Margin % Pin->BlockAlign;
    Pin->Channel->lpVtbl->SetBufferSize(Pin->Channel, size);
    return STATUS_SUCCESS;
}

/* What NewStream gave, in order. */
static NTSTATUS ConnectStream(PC_PIN *Pin)
{
    PMINIPORTWAVECYCLIC miniport = Pin->Filter->Port->Miniport;
    NTSTATUS status = miniport->lpVtbl->NewStream(
        miniport, &Pin->Stream, NULL, NonPagedPool, Pin->Id, Pin->Capture,
        Pin->Format, &Pin->Channel, &Pin->Group);

    if (!NT_SUCCESS(status)) {
        Pin->Stream = NULL;
        Pin->Channel = NULL;
        Pin->Group = NULL;
        return status;
    }
    if (!Pin->Stream) {
        PCP_RELEASE(Pin->Group);
        PCP_RELEASE(Pin->Channel);
        return STATUS_UNSUCCESSFUL;
    }
    InsertTailList(&Pin->Filter->Port->Pins, &Pin->Link);
    Pin->Filter->Instances[Pin->Id]++;
    if (!Pin->Channel || !Pin->Group) {
        return STATUS_UNSUCCESSFUL;
    }
    status = SizeBuffer(Pin);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    return Pin->Group->lpVtbl->AddMember(Pin->Group, (PSERVICESINK)Pin);
}

/* Device locked. A format of another frame size only while nothing is queued. */
NTSTATUS PcpChangeFormat(PC_PIN *Pin, const KSDATAFORMAT *Format)
{
    PKSDATAFORMAT copy;
    NTSTATUS status;

    if (BlockAlign(Format) != Pin->BlockAlign && Pin->Wanted != KSSTATE_STOP) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    copy = ExAllocatePoolWithTag(NonPagedPool, Format->FormatSize, PIN_TAG);
    if (!copy) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlCopyMemory(copy, Format, Format->FormatSize);
    status = Pin->Stream->lpVtbl->SetFormat(Pin->Stream, copy);
    if (!NT_SUCCESS(status)) {
        ExFreePoolWithTag(copy, PIN_TAG);
        return status;
    }
    ExFreePoolWithTag(Pin->Format, PIN_TAG);
    Pin->Format = copy;
    if (BlockAlign(copy) != Pin->BlockAlign) {
        Pin->BlockAlign = BlockAlign(copy);
        status = SizeBuffer(Pin);
    }
    return status;
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
    pin->BlockAlign = BlockAlign(Format);
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
        ExFreePoolWithTag(Format, PIN_TAG);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = IsPowered(pin) ? ConnectStream(pin) : STATUS_DEVICE_NOT_READY;
    if (!NT_SUCCESS(status)) {
        Disconnect(pin);
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
    format = ExAllocatePoolWithTag(NonPagedPool, Length, PIN_TAG);
    if (!format) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlCopyMemory(format, (const UCHAR *)Data + sizeof(connect), Length);
    status = CheckConnect(Filter, &connect, format, Length);
    if (!NT_SUCCESS(status)) {
        ExFreePoolWithTag(format, PIN_TAG);
        return status;
    }
    return OpenPin(Filter, FilterObject, FileObject, &connect, format);
}
