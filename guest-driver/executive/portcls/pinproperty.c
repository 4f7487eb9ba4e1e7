/*
 * Properties that the port has for every pin.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcp.h"

static NTSTATUS GetState(PC_PROPERTY *Request)
{
    PC_PIN *pin = Request->Owner;

    return PcpReturn(Request, &pin->Wanted, sizeof(pin->Wanted));
}

static NTSTATUS SetState(PC_PROPERTY *Request)
{
    return PcpSetPinState(Request->Owner, *(PKSSTATE)Request->Value);
}

static NTSTATUS GetFormat(PC_PROPERTY *Request)
{
    PC_PIN *pin = Request->Owner;

    return PcpReturn(Request, pin->Format, pin->Format->FormatSize);
}

/* Not while the device runs. The new format must not change what a frame is. */
static NTSTATUS SetFormat(PC_PROPERTY *Request)
{
    PC_PIN *pin = Request->Owner;
    PKSDATAFORMAT format = Request->Value;
    NTSTATUS status = PcpCheckFormat(PcpPinDescriptor(Request->Port, pin->Id),
                                     format, Request->ValueLength);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (pin->Wanted == KSSTATE_RUN) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    return PcpChangeFormat(pin, format);
}

static NTSTATUS GetPosition(PC_PROPERTY *Request)
{
    PC_PIN *pin = Request->Owner;
    KSAUDIO_POSITION position;
    KIRQL irql;

    PcpServicePin(pin);
    KeAcquireSpinLock(&pin->Lock, &irql);
    position.PlayOffset = pin->Capture ? pin->Copied : pin->Played;
    position.WriteOffset = pin->Queued;
    KeReleaseSpinLock(&pin->Lock, irql);
    return PcpReturn(Request, &position, sizeof(position));
}

static NTSTATUS GetFaults(PC_PROPERTY *Request)
{
    PC_PIN *pin = Request->Owner;
    PCPIN_FAULTS faults = { pin->Underruns, pin->Overruns };

    return PcpReturn(Request, &faults, sizeof(faults));
}

const PC_PROPERTY_ITEM PcpPinProperties[] = {
    { &KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, sizeof(KSPROPERTY),
      sizeof(KSSTATE), GetState, SetState },
    { &KSPROPSETID_Connection, KSPROPERTY_CONNECTION_DATAFORMAT,
      sizeof(KSPROPERTY), sizeof(KSDATAFORMAT), GetFormat, SetFormat },
    { &KSPROPSETID_Audio, KSPROPERTY_AUDIO_POSITION, sizeof(KSPROPERTY),
      sizeof(KSAUDIO_POSITION), GetPosition, NULL },
    { &PCPROPSETID_PinFaults, PCPROPERTY_PIN_FAULTS, sizeof(KSPROPERTY),
      sizeof(PCPIN_FAULTS), GetFaults, NULL },
    { .Set = NULL },
};
