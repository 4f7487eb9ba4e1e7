/*
 * A pin's data: between the requests of its client and the cyclic buffer.
 *
 * A request to write is completed when its last byte was played, not when it was
 * copied: what the device loses with its power is copied again.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcp.h"

static PUCHAR Buffer(PC_PIN *Pin, ULONGLONG At)
{
    return (PUCHAR)Pin->Channel->lpVtbl->SystemAddress(Pin->Channel) +
           At % Pin->BufferSize;
}

/* The byte at that offset of a request, and how many there are from it on. */
static PUCHAR Locate(PC_PIN *Pin, PIRP Irp, ULONGLONG Offset,
                     PKSSTREAM_HEADER *Header, ULONGLONG *Room)
{
    PKSSTREAM_HEADER header = Irp->UserBuffer;

    while (Offset >= PcpExtent(Pin, header)) {
        Offset -= PcpExtent(Pin, header);
        header = (PKSSTREAM_HEADER)((PUCHAR)header + header->Size);
    }
    *Header = header;
    *Room = PcpExtent(Pin, header) - Offset;
    return (PUCHAR)header->Data + Offset;
}

/* The request that the stream's byte Copied belongs to; NULL: there is none. */
static PIRP NextIrp(PC_PIN *Pin)
{
    for (PLIST_ENTRY link = Pin->Irps.Flink; link != &Pin->Irps;
         link = link->Flink) {
        PIRP irp = PCP_IRP_OF(link);

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

/* Requests of which the device has passed the end. */
static void FinishPassed(PC_PIN *Pin, PLIST_ENTRY Done)
{
    ULONGLONG end = Pin->Capture ? Pin->Copied : Pin->Played;
    PLIST_ENTRY link = Pin->Irps.Flink;

    while (link != &Pin->Irps) {
        PIRP irp = PCP_IRP_OF(link);

        link = link->Flink;
        if (PCP_IRP_START(irp) + PCP_IRP_LENGTH(irp) <= end) {
            PcpFinish(irp, STATUS_SUCCESS, Pin->Capture ? PcpHeadersLength(irp) : 0,
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
        Pin->Played = PcpLeast(Pin->Passed - Pin->BaseDevice + Pin->BaseStream,
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
        ULONG part = (ULONG)PcpLeast(end - at,
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

        part = PcpLeast(part, PcpLeast(end - Pin->Edge,
                                       Pin->BufferSize -
                                           Pin->Edge % Pin->BufferSize));
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

        part = PcpLeast(part, PcpLeast(Pin->Passed - Pin->Edge,
                                       Pin->BufferSize -
                                           Pin->Edge % Pin->BufferSize));
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
    PcpCompleteAll(&done);
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
