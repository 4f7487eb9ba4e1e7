/*
 * A pin and its miniport's stream: connecting, disconnecting, another format.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcp.h"

#define INTERVAL_MS         10          /* between notifications */

ULONG PcpBlockAlign(const KSDATAFORMAT *Format)
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
NTSTATUS PcpConnectPin(PC_PIN *Pin)
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

/* The stream and all that came with it. */
void PcpDisconnectPin(PC_PIN *Pin)
{
    PMINIPORTWAVECYCLICSTREAM stream = Pin->Stream;
    KIRQL irql;

    if (!stream) {
        return;
    }
    PcpWalkPinDown(Pin);
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
        PcpDisconnectPin(CONTAINING_RECORD(Port->Pins.Flink, PC_PIN, Link));
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

/* Device locked. A format of another frame size only while nothing is queued. */
NTSTATUS PcpChangeFormat(PC_PIN *Pin, const KSDATAFORMAT *Format)
{
    PKSDATAFORMAT copy;
    NTSTATUS status;

    if (PcpBlockAlign(Format) != Pin->BlockAlign && Pin->Wanted != KSSTATE_STOP) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    copy = ExAllocatePoolWithTag(NonPagedPool, Format->FormatSize, PCP_PIN_TAG);
    if (!copy) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlCopyMemory(copy, Format, Format->FormatSize);
    status = Pin->Stream->lpVtbl->SetFormat(Pin->Stream, copy);
    if (!NT_SUCCESS(status)) {
        ExFreePoolWithTag(copy, PCP_PIN_TAG);
        return status;
    }
    ExFreePoolWithTag(Pin->Format, PCP_PIN_TAG);
    Pin->Format = copy;
    if (PcpBlockAlign(copy) != Pin->BlockAlign) {
        Pin->BlockAlign = PcpBlockAlign(copy);
        status = SizeBuffer(Pin);
    }
    return status;
}
