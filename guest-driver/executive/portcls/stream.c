/*
 * A pin's data: between the requests of its client and the cyclic buffer.
 *
 * A request to write is completed when its last byte was played, not when it was
 * copied: what the device loses with its power is copied again.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcp.h"

#define NOWHERE             MAXULONGLONG

static ULONGLONG Least(ULONGLONG One, ULONGLONG Other)
{
    return One < Other ? One : Other;
}

static PUCHAR Buffer(PC_PIN *Pin, ULONGLONG At)
{
    return (PUCHAR)Pin->Channel->lpVtbl->SystemAddress(Pin->Channel) +
           At % Pin->BufferSize;
}

/* Bytes of the header that take part in the request. */
static ULONG Extent(const PC_PIN *Pin, const KSSTREAM_HEADER *Header)
{
    return Pin->Capture ? Header->FrameExtent : Header->DataUsed;
}

/* The byte at that offset of a request, and how many there are from it on. */
static PUCHAR Locate(PC_PIN *Pin, PIRP Irp, ULONGLONG Offset,
                     PKSSTREAM_HEADER *Header, ULONGLONG *Room)
{
    PKSSTREAM_HEADER header = Irp->UserBuffer;

    while (Offset >= Extent(Pin, header)) {
        Offset -= Extent(Pin, header);
        header = (PKSSTREAM_HEADER)((PUCHAR)header + header->Size);
    }
    *Header = header;
    *Room = Extent(Pin, header) - Offset;
    return (PUCHAR)header->Data + Offset;
}

static PIRP IrpOf(PLIST_ENTRY Link)
{
    return CONTAINING_RECORD(Link, IRP, Tail.Overlay.ListEntry);
}

/* The request that the stream's byte Copied belongs to; NULL: there is none. */
static PIRP NextIrp(PC_PIN *Pin)
{
    for (PLIST_ENTRY link = Pin->Irps.Flink; link != &Pin->Irps;
         link = link->Flink) {
        PIRP irp = IrpOf(link);

        if (Pin->Copied < PCP_IRP_START(irp) + PCP_IRP_LENGTH(irp)) {
            /* Less: the request before was cancelled half-way, and rewound. */
            if (Pin->Copied < PCP_IRP_START(irp)) {
                Pin->Copied = Pin->Played = PCP_IRP_START(irp);
                Pin->BaseStream = Pin->Copied;
                Pin->BaseDevice = Pin->Edge;
            }
            return irp;
        }
    }
    return NULL;
}

/* Takes the request for completion unless its cancel routine has it. */
static void Finish(PIRP Irp, NTSTATUS Status, ULONG_PTR Information,
                   PLIST_ENTRY Done)
{
    if (IoSetCancelRoutine(Irp, NULL)) {
        RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
        Irp->IoStatus.Status = Status;
        Irp->IoStatus.Information = Information;
        InsertTailList(Done, &Irp->Tail.Overlay.ListEntry);
    }
}

static void CompleteAll(PLIST_ENTRY Done)
{
    while (!IsListEmpty(Done)) {
        PIRP irp = IrpOf(RemoveHeadList(Done));

        IoCompleteRequest(irp, IO_SOUND_INCREMENT);
    }
}

static ULONG HeadersLength(PIRP Irp)
{
    return IoGetCurrentIrpStackLocation(Irp)
        ->Parameters.DeviceIoControl.OutputBufferLength;
}

/* Requests of which the device has passed the end. */
static void FinishPassed(PC_PIN *Pin, PLIST_ENTRY Done)
{
    ULONGLONG end = Pin->Capture ? Pin->Copied : Pin->Played;
    PLIST_ENTRY link = Pin->Irps.Flink;

    while (link != &Pin->Irps) {
        PIRP irp = IrpOf(link);

        link = link->Flink;
        if (PCP_IRP_START(irp) + PCP_IRP_LENGTH(irp) <= end) {
            Finish(irp, STATUS_SUCCESS, Pin->Capture ? HeadersLength(irp) : 0,
                   Done);
        }
    }
}

static void Advance(PC_PIN *Pin)
{
    ULONG position;

    if (!Pin->Running ||
        !NT_SUCCESS(Pin->Stream->lpVtbl->GetPosition(Pin->Stream, &position))) {
        return;
    }
    position %= Pin->BufferSize;
    Pin->Passed += (position + Pin->BufferSize - Pin->LastPosition) %
                   Pin->BufferSize;
    Pin->LastPosition = position;
    if (!Pin->Capture && Pin->Passed > Pin->BaseDevice) {
        Pin->Played = Least(Pin->Passed - Pin->BaseDevice + Pin->BaseStream,
                            Pin->Copied);
    }
}

/* The device is at the end of the data: what comes next goes a margin ahead. */
static void Starve(PC_PIN *Pin)
{
    if (!Pin->Starved && Pin->Copied && Pin->Copied != Pin->End) {
        Pin->Underruns++;
    }
    Pin->Starved = TRUE;
    Pin->Edge = Pin->Passed + Pin->Margin;
    Pin->BaseDevice = Pin->Edge;
    Pin->BaseStream = Pin->Copied;
}

/* All that the device will come to before there is data. */
static void Silence(PC_PIN *Pin)
{
    ULONGLONG end = Pin->Passed + Pin->BufferSize;
    ULONGLONG at = Pin->Silenced;

    if (at < Pin->Edge && !Pin->Starved) {
        at = Pin->Edge;
    }
    if (at < Pin->Passed) {
        at = Pin->Passed;
    }
    while (at < end) {
        ULONG part = (ULONG)Least(end - at,
                                  Pin->BufferSize - at % Pin->BufferSize);

        Pin->Stream->lpVtbl->Silence(Pin->Stream, Buffer(Pin, at), part);
        at += part;
    }
    Pin->Silenced = end;
}

static void Render(PC_PIN *Pin)
{
    ULONGLONG end = Pin->Passed + Pin->BufferSize;
    PIRP irp;

    if (Pin->Running && (Pin->Starved || Pin->Passed >= Pin->Edge)) {
        Starve(Pin);
        Silence(Pin);
    }
    while (Pin->Edge < end && (irp = NextIrp(Pin)) != NULL) {
        PKSSTREAM_HEADER header;
        ULONGLONG part;
        PUCHAR data = Locate(Pin, irp, Pin->Copied - PCP_IRP_START(irp),
                             &header, &part);

        part = Least(part, Least(end - Pin->Edge,
                                 Pin->BufferSize - Pin->Edge % Pin->BufferSize));
        Pin->Channel->lpVtbl->CopyTo(Pin->Channel, Buffer(Pin, Pin->Edge), data,
                                     (ULONG)part);
        Pin->Edge += part;
        Pin->Copied += part;
        Pin->Starved = FALSE;
    }
    Silence(Pin);
}

/* The oldest that may still be whole; the rest is lost. */
static void Overrun(PC_PIN *Pin)
{
    if (!Pin->Starved) {                /* else it is the same gap still */
        Pin->Overruns++;
    }
    Pin->Starved = TRUE;
    Pin->Edge = Pin->Passed - Pin->BufferSize / 2;
    Pin->Edge -= Pin->Edge % Pin->BlockAlign;
}

static void Record(PC_PIN *Pin)
{
    PIRP irp;

    if (Pin->Passed - Pin->Edge >= Pin->BufferSize) {
        Overrun(Pin);
    }
    while (Pin->Edge < Pin->Passed && (irp = NextIrp(Pin)) != NULL) {
        PKSSTREAM_HEADER header;
        ULONGLONG part;
        PUCHAR data = Locate(Pin, irp, Pin->Copied - PCP_IRP_START(irp),
                             &header, &part);

        part = Least(part, Least(Pin->Passed - Pin->Edge,
                                 Pin->BufferSize - Pin->Edge % Pin->BufferSize));
        Pin->Channel->lpVtbl->CopyFrom(Pin->Channel, data,
                                       Buffer(Pin, Pin->Edge), (ULONG)part);
        Pin->Edge += part;
        Pin->Copied += part;
        header->DataUsed += (ULONG)part;
        if (Pin->Starved) {
            header->OptionsFlags |= KSSTREAM_HEADER_OPTIONSF_DATADISCONTINUITY;
            Pin->Starved = FALSE;
        }
    }
}

void PcpServicePin(PC_PIN *Pin)
{
    LIST_ENTRY done;
    KIRQL irql;

    InitializeListHead(&done);
    KeAcquireSpinLock(&Pin->Lock, &irql);
    if (Pin->Stream && Pin->State != KSSTATE_STOP) {
        Advance(Pin);
        if (Pin->Capture) {
            Record(Pin);
        } else {
            Render(Pin);
        }
        FinishPassed(Pin, &done);
    }
    KeReleaseSpinLock(&Pin->Lock, irql);
    CompleteAll(&done);
}

void PcpRewindPin(PC_PIN *Pin)
{
    KIRQL irql;

    KeAcquireSpinLock(&Pin->Lock, &irql);
    if (!Pin->Capture) {
        Pin->Copied = Pin->Played;
    } else if (Pin->Copied) {
        Pin->Starved = TRUE;            /* what came meanwhile is missing */
    }
    Pin->LastPosition = 0;
    Pin->Passed = Pin->Edge = Pin->Silenced = Pin->BaseDevice = 0;
    Pin->BaseStream = Pin->Copied;
    KeReleaseSpinLock(&Pin->Lock, irql);
}

void PcpFlushPin(PC_PIN *Pin, bool Restart)
{
    LIST_ENTRY done;
    KIRQL irql;

    InitializeListHead(&done);
    KeAcquireSpinLock(&Pin->Lock, &irql);
    for (PLIST_ENTRY link = Pin->Irps.Flink; link != &Pin->Irps;) {
        PIRP irp = IrpOf(link);
        bool partly = Pin->Capture && Pin->Copied > PCP_IRP_START(irp);

        link = link->Flink;
        /* It has no bytes for its cancel routine, which may be about to run. */
        PCP_IRP_START(irp) = PCP_IRP_LENGTH(irp) = 0;
        Finish(irp, partly ? STATUS_SUCCESS : STATUS_CANCELLED,
               partly ? HeadersLength(irp) : 0, &done);
    }
    Pin->Queued = Pin->Copied;
    if (Restart) {
        Pin->Queued = Pin->Copied = Pin->Played = Pin->BaseStream = 0;
        Pin->End = 0;
        Pin->Starved = FALSE;
    }
    KeReleaseSpinLock(&Pin->Lock, irql);
    CompleteAll(&done);
}

/* Lock held. What follows in the stream moves up to where the request was left. */
static void CloseGap(PC_PIN *Pin, PIRP Irp)
{
    ULONGLONG start = PCP_IRP_START(Irp), gone = PCP_IRP_LENGTH(Irp);

    if (Pin->Copied > start) {
        gone -= Least(gone, Pin->Copied - start);
    }
    for (PLIST_ENTRY link = Irp->Tail.Overlay.ListEntry.Flink;
         link != &Pin->Irps; link = link->Flink) {
        PCP_IRP_START(IrpOf(link)) -= gone;
    }
    Pin->Queued -= Least(gone, Pin->Queued);
    if (Pin->End > start) {
        Pin->End -= Least(gone, Pin->End - start);
    }
}

static VOID NTAPI Cancel(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PC_PIN *pin = PCP_IRP_PIN(Irp);
    KIRQL irql;

    UNREFERENCED_PARAMETER(DeviceObject);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    KeAcquireSpinLock(&pin->Lock, &irql);
    CloseGap(pin, Irp);
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
    KeReleaseSpinLock(&pin->Lock, irql);
    PcpComplete(Irp, STATUS_CANCELLED, 0);
}

/*
 * Sums up the headers; capture: marks them as empty. End is where the stream
 * ends in the request, NOWHERE if it does not.
 */
static NTSTATUS Measure(PC_PIN *Pin, PIRP Irp, ULONGLONG *Length,
                        ULONGLONG *End)
{
    ULONG left = HeadersLength(Irp);
    PUCHAR at = Irp->UserBuffer;

    *Length = 0;
    *End = NOWHERE;
    if (!at || left < sizeof(KSSTREAM_HEADER)) {
        return STATUS_INVALID_BUFFER_SIZE;
    }
    while (left) {
        PKSSTREAM_HEADER header = (PKSSTREAM_HEADER)at;

        if (left < sizeof(*header) || header->Size < sizeof(*header) ||
            header->Size > left) {
            return STATUS_INVALID_BUFFER_SIZE;
        }
        if (Extent(Pin, header) > header->FrameExtent ||
            Extent(Pin, header) % Pin->BlockAlign ||
            (Extent(Pin, header) && !header->Data)) {
            return STATUS_INVALID_PARAMETER;
        }
        if (Pin->Capture) {
            header->DataUsed = 0;
        }
        *Length += Extent(Pin, header);
        if (header->OptionsFlags & KSSTREAM_HEADER_OPTIONSF_ENDOFSTREAM) {
            *End = *Length;
        }
        at += header->Size;
        left -= header->Size;
    }
    return STATUS_SUCCESS;
}

/* STATUS_PENDING: it is in the queue; else the caller completes it. */
static NTSTATUS Enqueue(PC_PIN *Pin, PIRP Irp, ULONGLONG Length, ULONGLONG End)
{
    NTSTATUS status = STATUS_PENDING;
    KIRQL irql;

    KeAcquireSpinLock(&Pin->Lock, &irql);
    if (!Pin->Stream || Pin->Wanted == KSSTATE_STOP) {
        status = Pin->Stream ? STATUS_INVALID_DEVICE_STATE
                             : STATUS_DEVICE_NOT_CONNECTED;
    } else {
        PCP_IRP_PIN(Irp) = Pin;
        PCP_IRP_START(Irp) = Pin->Queued;
        PCP_IRP_LENGTH(Irp) = Length;
        IoMarkIrpPending(Irp);
        if (End != NOWHERE) {
            Pin->End = Pin->Queued + End;
        }
        Pin->Queued += Length;
        InsertTailList(&Pin->Irps, &Irp->Tail.Overlay.ListEntry);
        IoSetCancelRoutine(Irp, Cancel);
        if (Irp->Cancel && IoSetCancelRoutine(Irp, NULL)) {
            CloseGap(Pin, Irp);
            RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
            status = STATUS_CANCELLED;
        }
    }
    KeReleaseSpinLock(&Pin->Lock, irql);
    return status;
}

NTSTATUS PcpStreamRequest(PC_PIN *Pin, PIRP Irp, bool Read)
{
    ULONGLONG length, end;
    NTSTATUS status;

    if (Read != Pin->Capture) {
        return PcpComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    status = Measure(Pin, Irp, &length, &end);
    if (NT_SUCCESS(status)) {
        status = Enqueue(Pin, Irp, length, end);
    }
    if (status == STATUS_CANCELLED) {       /* it is marked as pending */
        PcpComplete(Irp, status, 0);
        return STATUS_PENDING;
    }
    if (status != STATUS_PENDING) {
        return PcpComplete(Irp, status, 0);
    }
    PcpServicePin(Pin);
    return STATUS_PENDING;
}
