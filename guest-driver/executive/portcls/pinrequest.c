/*
 * A pin's requests: taken, kept in order, cancelled, completed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcp.h"

#define NOWHERE             MAXULONGLONG

/* Bytes of the header that take part in the request. */
ULONG PcpExtent(const PC_PIN *Pin, const KSSTREAM_HEADER *Header)
{
    return Pin->Capture ? Header->FrameExtent : Header->DataUsed;
}

/* Takes the request for completion unless its cancel routine has it. */
void PcpFinish(PIRP Irp, NTSTATUS Status, ULONG_PTR Information,
               PLIST_ENTRY Done)
{
    if (IoSetCancelRoutine(Irp, NULL)) {
        RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
        Irp->IoStatus.Status = Status;
        Irp->IoStatus.Information = Information;
        InsertTailList(Done, &Irp->Tail.Overlay.ListEntry);
    }
}

void PcpCompleteAll(PLIST_ENTRY Done)
{
    while (!IsListEmpty(Done)) {
        PIRP irp = PCP_IRP_OF(RemoveHeadList(Done));

        IoCompleteRequest(irp, IO_SOUND_INCREMENT);
    }
}

ULONG PcpHeadersLength(PIRP Irp)
{
    return IoGetCurrentIrpStackLocation(Irp)
        ->Parameters.DeviceIoControl.OutputBufferLength;
}

void PcpFlushPin(PC_PIN *Pin, bool Restart)
{
    LIST_ENTRY done;
    KIRQL irql;

    InitializeListHead(&done);
    KeAcquireSpinLock(&Pin->Lock, &irql);
    for (PLIST_ENTRY link = Pin->Irps.Flink; link != &Pin->Irps;) {
        PIRP irp = PCP_IRP_OF(link);
        bool partly = Pin->Capture && Pin->Copied > PCP_IRP_START(irp);

        link = link->Flink;
        /* It has no bytes for its cancel routine, which may be about to run. */
        PCP_IRP_START(irp) = PCP_IRP_LENGTH(irp) = 0;
        PcpFinish(irp, partly ? STATUS_SUCCESS : STATUS_CANCELLED,
                  partly ? PcpHeadersLength(irp) : 0, &done);
    }
    Pin->Queued = Pin->Copied;
    if (Restart) {
        Pin->Queued = Pin->Copied = Pin->Played = Pin->BaseStream = 0;
        Pin->End = 0;
        Pin->Starved = FALSE;
    }
    KeReleaseSpinLock(&Pin->Lock, irql);
    PcpCompleteAll(&done);
}

/* Lock held. What follows in the stream moves up to where the request was left. */
static void CloseGap(PC_PIN *Pin, PIRP Irp)
{
    ULONGLONG start = PCP_IRP_START(Irp), gone = PCP_IRP_LENGTH(Irp);

    if (Pin->Copied > start) {
        gone -= PcpLeast(gone, Pin->Copied - start);
    }
    for (PLIST_ENTRY link = Irp->Tail.Overlay.ListEntry.Flink;
         link != &Pin->Irps; link = link->Flink) {
        PCP_IRP_START(PCP_IRP_OF(link)) -= gone;
    }
    Pin->Queued -= PcpLeast(gone, Pin->Queued);
    if (Pin->End > start) {
        Pin->End -= PcpLeast(gone, Pin->End - start);
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
    ULONG left = PcpHeadersLength(Irp);
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
        if (PcpExtent(Pin, header) > header->FrameExtent ||
            PcpExtent(Pin, header) % Pin->BlockAlign ||
            (PcpExtent(Pin, header) && !header->Data)) {
            return STATUS_INVALID_PARAMETER;
        }
        if (Pin->Capture) {
            header->DataUsed = 0;
        }
        *Length += PcpExtent(Pin, header);
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
