/* SPDX-License-Identifier: MIT */
/*
 * pcmaster.sys: what the hardware is told of a stream
 *
 * The cyclic buffer is reachable with 24 address lines and lies within 64 KiB,
 * and the device is told to accept nothing else.  The hardware's position is
 * kept through KSSTATE_PAUSE and KSSTATE_ACQUIRE; KSSTATE_STOP ends it.
 */
#include "wave.h"

#define CARD_ADDR_BITS              24
#define FIRST_WINDOW                1

/* A position read from a device that has gone: all ones. */
#define GONE                        0xffffffffffffffffull

static void stream_write(struct stream *stream, ULONG offset, ULONG value)
{
    write32(stream->miniport->device, PCM_STREAM(stream->number) + offset, value);
}

static void rules_narrow(struct device *device)
{
    struct rules card;

    if (device->streaming++) {
        return;
    }
    rules_get(device, &device->before);
    card = device->before;
    card.addr_bits = CARD_ADDR_BITS;
    card.boundary = WAVE_BOUNDARY;
    rules_set(device, &card);
}

static void rules_widen(struct device *device)
{
    if (!--device->streaming && NT_SUCCESS(device_status(device))) {
        rules_set(device, &device->before);
    }
}

static void program(struct stream *stream)
{
    struct device *device = stream->miniport->device;
    ULONG base = PCM_STREAM(stream->number);
    PHYSICAL_ADDRESS logical;

    stream->channel->lpVtbl->PhysicalAddress(stream->channel, &logical);
    stream->ring_bytes = stream->channel->lpVtbl->BufferSize(stream->channel);
    device->draining &= ~(1u << stream->number);
    rules_narrow(device);
    window_open(device, FIRST_WINDOW + stream->number, (ULONGLONG)logical.QuadPart, stream->ring_bytes,
                stream->capture ? PCM_W_WRITE : PCM_W_READ);
    stream_write(stream, PCM_S_CTL, 0);
    stream_write(stream, PCM_S_FORMAT, stream->format.sample | PCM_S_CHANNELS(stream->format.channels));
    stream_write(stream, PCM_S_RATE, stream->format.rate);
    write64(device, base + PCM_S_BUFFER, (ULONGLONG)logical.QuadPart);
    stream_write(stream, PCM_S_LENGTH, stream->ring_bytes);
    stream_write(stream, PCM_S_PERIOD_FRAMES, stream->period_frames);
    write64(device, base + PCM_S_END, 0);
    streaming_volume(stream);
    stream_write(stream, PCM_S_INT_ENABLE, PCM_S_PERIOD | PCM_S_ERROR);
}

/* A stream that an error has stopped must not be started once more by a pause or its end. */
static BOOLEAN is_running(struct stream *stream)
{
    return stream->begun &&
           read32(stream->miniport->device, PCM_STREAM(stream->number) + PCM_S_STATUS) & PCM_S_RUNNING;
}

/*
 * What was passed is played even if the power goes next: the end is put where the
 * position is, and the hardware says when its back end has come to it.
 */
static void end(struct stream *stream)
{
    struct device *device = stream->miniport->device;
    ULONG base = PCM_STREAM(stream->number);
    ULONGLONG position = is_running(stream) && !stream->capture ? read64(device, base + PCM_S_POSITION) : 0;

    stream_write(stream, PCM_S_INT_ENABLE, 0);
    if (position) {
        write64(device, base + PCM_S_END, position);
        stream_write(stream, PCM_S_CTL, PCM_S_RUN);
        device->draining |= 1u << stream->number;
    } else {
        stream_write(stream, PCM_S_CTL, 0);
    }
    window_close(device, FIRST_WINDOW + stream->number);
}

void streaming_volume(struct stream *stream)
{
    stream_write(stream, PCM_S_VOLUME, PCM_S_VOLUME_FULL | (stream->muted ? PCM_S_MUTE : 0));
}

void streaming_step(struct stream *stream, KSSTATE state)
{
    if (!stream->ring_bytes) {
        program(stream);
    }
    if (state == KSSTATE_RUN) {
        stream->begun = TRUE;
        stream_write(stream, PCM_S_CTL, PCM_S_RUN);
    } else if (state == KSSTATE_PAUSE && is_running(stream)) {
        stream_write(stream, PCM_S_CTL, PCM_S_RUN | PCM_S_PAUSE);
    }
}

void streaming_end(struct stream *stream)
{
    if (!stream->ring_bytes) {
        return;
    }
    if (NT_SUCCESS(device_status(stream->miniport->device))) {
        end(stream);
    }
    rules_widen(stream->miniport->device);
    stream->begun = FALSE;
    stream->ring_bytes = 0;
}

BOOLEAN streaming_position(struct stream *stream, ULONGLONG *frames)
{
    struct device *device = stream->miniport->device;

    *frames = 0;
    if (!NT_SUCCESS(device_status(device))) {
        return FALSE;
    }
    if (stream->begun) {
        *frames = read64(device, PCM_STREAM(stream->number) + PCM_S_POSITION);
    }
    return *frames != GONE;
}
