/* SPDX-License-Identifier: MIT */
/* pcmaster.sys: the node that mutes what a render pin plays */
#include "wave.h"

#define ACCESS                      (KSPROPERTY_TYPE_GET | KSPROPERTY_TYPE_SET)

/* The hardware mutes all channels of a stream, so no other can be asked for. */
#define ALL_CHANNELS                (-1)

static void muted_set(struct stream *stream, BOOLEAN muted)
{
    struct device *device = stream->miniport->device;

    device_lock(device);
    stream->muted = muted;
    if (stream->ring_bytes && NT_SUCCESS(device_status(device))) {
        streaming_volume(stream);
    }
    device_unlock(device);
}

/* The request comes through the pin whose stream is meant. */
static NTSTATUS mute(PPCPROPERTY_REQUEST request)
{
    struct stream *stream = stream_of_unknown(request->MinorTarget);
    PLONG value = request->Value;

    if (!stream || stream->capture) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (request->InstanceSize < sizeof(LONG) || *(PLONG)request->Instance != ALL_CHANNELS) {
        return STATUS_INVALID_PARAMETER;
    }
    if (request->ValueSize < sizeof(*value)) {
        BOOLEAN asked = !request->ValueSize && request->Verb == KSPROPERTY_TYPE_GET;

        request->ValueSize = sizeof(*value);
        return asked ? STATUS_BUFFER_OVERFLOW : STATUS_BUFFER_TOO_SMALL;
    }
    if (request->Verb == KSPROPERTY_TYPE_SET) {
        muted_set(stream, !!*value);
    } else {
        *value = stream->muted;
        request->ValueSize = sizeof(*value);
    }
    return STATUS_SUCCESS;
}

static const PCPROPERTY_ITEM properties[] = {
    { &KSPROPSETID_Audio, KSPROPERTY_AUDIO_MUTE, ACCESS, mute },
};

const PCAUTOMATION_TABLE wave_mute = {
    .PropertyItemSize = sizeof(properties[0]),
    .PropertyCount = RTL_NUMBER_OF(properties),
    .Properties = properties,
};
