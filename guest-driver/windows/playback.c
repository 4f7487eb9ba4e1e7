/* SPDX-License-Identifier: MIT */
/*
 * pcmaster.sys: playback from a cyclic common buffer
 *
 * The buffer is reachable with 24 address lines and lies within one block of
 * its own size or 64 KB, and the device is told to accept nothing else.  It is
 * made by the best routine that this Windows has: where IoGetDmaAdapter returns
 * NULL for version 3, that is AllocateCommonBuffer.  The client's data is copied
 * in behind the device: a period interrupt says that some of it has been played.
 */
#include "pcmaster.h"

#define CARD_ADDR_BITS              24
#define CARD_BOUNDARY               0xffffull
#define STREAM_WINDOW               1
#define RING_MAX                    (1024u * 1024u)
#define PERIODS_MIN                 2u
#define PERIODS_MAX                 1024u

/* The device has stopped if a period seems to last so long. */
#define PERIOD_TIMEOUT_MS           10000
#define PERIOD_MAX_MS               (PERIOD_TIMEOUT_MS / 2)

struct stream {
    struct adapter adapter;
    struct buffer buffer;
    struct memory ring;                 /* the part of the buffer that is played */
    enum pcm_allocator allocator;
    struct rules before;
    ULONG frame_bytes;
    ULONG ring_frames;
    ULONGLONG frames;                   /* to play */
    ULONGLONG written;                  /* frames given to the device */
    ULONG underruns;
    BOOLEAN running;
};

static ULONG stream_read(struct device *device, ULONG offset)
{
    return read32(device, PCM_STREAM(0) + offset);
}

static void stream_write(struct device *device, ULONG offset, ULONG value)
{
    write32(device, PCM_STREAM(0) + offset, value);
}

static ULONG sample_bytes(ULONG sample)
{
    return sample <= PCM_S_S8 ? 1 : sample <= PCM_S_S16 ? 2 : sample <= PCM_S_F32 ? 4 : 0;
}

/* Bytes of the cyclic buffer, or 0: REQUEST asks for none that can be. */
static ULONG ring_bytes(const struct pcm_play_start *request)
{
    ULONGLONG bytes;

    if (!sample_bytes(request->sample) || !request->channels || request->channels > 255 ||
        request->rate < PCM_S_RATE_MIN || !request->period_frames || request->period_frames > RING_MAX ||
        request->periods < PERIODS_MIN || request->periods > PERIODS_MAX || !request->frames) {
        return 0;
    }
    if (1000ull * request->period_frames > (ULONGLONG)PERIOD_MAX_MS * request->rate) {
        return 0;
    }
    bytes = (ULONGLONG)sample_bytes(request->sample) * request->channels * request->period_frames *
            request->periods;
    return bytes <= RING_MAX ? (ULONG)bytes : 0;
}

/* Address bits that may vary within a ring of BYTES bytes. */
static ULONGLONG ring_constraint(ULONG bytes)
{
    ULONGLONG mask = CARD_BOUNDARY;

    while (mask < bytes - 1) {
        mask = 2 * mask + 1;
    }
    return mask;
}

/* An adapter for a card with 24 address lines: by version 3, or the last one before. */
static BOOLEAN ring_adapter_open(struct device *device, struct adapter *adapter, ULONG maximum_length)
{
    struct pcm_description card = { .version = DEVICE_DESCRIPTION_VERSION3,
                                    .address_width = CARD_ADDR_BITS,
                                    .maximum_length = maximum_length };
    ULONG map_registers;

    adapter_open(device, adapter, &card, &map_registers);
    if (!adapter->dma) {
        card.version = DEVICE_DESCRIPTION_VERSION2;
        adapter_open(device, adapter, &card, &map_registers);
    }
    return adapter->dma != NULL;
}

static NTSTATUS ring_allocate(struct stream *stream, ULONG bytes)
{
    struct pcm_allocate request = { .allocator = (uint32_t)stream->allocator,
                                    .flags = PCM_ALLOCATE_CACHED, .length = bytes,
                                    .node = MM_ANY_NODE_OK };

    return buffer_open(&stream->adapter, &request, &stream->buffer);
}

/* The first BYTES bytes of the buffer that lie within one block. */
static BOOLEAN ring_place(struct stream *stream, ULONG bytes)
{
    const struct memory *buffer = &stream->buffer.memory;
    ULONGLONG constraint = ring_constraint(bytes);
    ULONG skip = 0;

    if ((buffer->logical ^ (buffer->logical + bytes - 1)) & ~constraint) {
        skip = (ULONG)(constraint + 1 - (buffer->logical & constraint));
    }
    if (skip > buffer->length || bytes > buffer->length - skip) {
        return FALSE;
    }
    stream->ring.address = buffer->address + skip;
    stream->ring.logical = buffer->logical + skip;
    stream->ring.length = bytes;
    return TRUE;
}

/* None of the routines knows a boundary: where one is crossed, more is allocated. */
static NTSTATUS ring_open(struct device *device, struct stream *stream, ULONG bytes)
{
    ULONG enough = bytes + (ULONG)ring_constraint(bytes);
    NTSTATUS status;

    if (!ring_adapter_open(device, &stream->adapter, enough)) {
        return STATUS_DEVICE_CONFIGURATION_ERROR;
    }
    stream->allocator = adapter_best_allocator(&stream->adapter);
    status = ring_allocate(stream, bytes);
    if (NT_SUCCESS(status) && !ring_place(stream, bytes)) {
        buffer_close(&stream->buffer);
        status = ring_allocate(stream, enough);
        if (NT_SUCCESS(status)) {
            ring_place(stream, bytes);
        }
    }
    if (!NT_SUCCESS(status)) {
        adapter_close(&stream->adapter);
    }
    return status;
}

/* Tells the device what it may do, and what to play. */
static void stream_program(struct device *device, const struct pcm_play_start *request,
                           struct stream *stream)
{
    struct rules rules = { .addr_bits = CARD_ADDR_BITS, .node = PCM_NODE_ANY, .limit = ~0ull,
                           .boundary = ring_constraint(stream->ring.length) };

    rules_get(device, &stream->before);
    rules_set(device, &rules);
    window_open(device, STREAM_WINDOW, stream->ring.logical, stream->ring.length, PCM_W_READ);
    stream_write(device, PCM_S_FORMAT, request->sample | PCM_S_CHANNELS(request->channels));
    stream_write(device, PCM_S_RATE, request->rate);
    write64(device, PCM_STREAM(0) + PCM_S_BUFFER, stream->ring.logical);
    stream_write(device, PCM_S_LENGTH, stream->ring.length);
    stream_write(device, PCM_S_PERIOD_FRAMES, request->period_frames);
    write64(device, PCM_STREAM(0) + PCM_S_END, request->frames);
    stream_write(device, PCM_S_INT_ENABLE, PCM_S_PERIOD | PCM_S_DRAINED | PCM_S_ERROR | PCM_S_LATE);
    InterlockedExchange(&device->periods, 0);
    InterlockedExchange(&device->stream_causes, 0);
    KeClearEvent(&device->stream_event);
}

NTSTATUS control_play_start(struct device *device, struct file *file, PVOID data)
{
    struct pcm_play_start request = *(struct pcm_play_start *)data;
    struct pcm_play_started *reply = data;
    ULONG bytes = ring_bytes(&request);
    struct stream *stream;
    NTSTATUS status;

    if (!bytes || device->stream) {
        return bytes ? STATUS_DEVICE_BUSY : STATUS_INVALID_PARAMETER;
    }
    stream = pool_allocate(sizeof(*stream));
    if (!stream) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = ring_open(device, stream, bytes);
    if (!NT_SUCCESS(status)) {
        ExFreePoolWithTag(stream, PCM_POOL_TAG);
        return status;
    }
    stream->frame_bytes = sample_bytes(request.sample) * request.channels;
    stream->ring_frames = bytes / stream->frame_bytes;
    stream->frames = request.frames;
    stream_program(device, &request, stream);
    device->stream = stream;
    device->stream_owner = file;
    reply->logical = stream->ring.logical;
    reply->length = stream->ring.length;
    reply->allocator = (uint32_t)stream->allocator;
    return STATUS_SUCCESS;
}

static void stream_run(struct device *device, struct stream *stream)
{
    if (!stream->running) {
        stream->running = TRUE;
        stream_write(device, PCM_S_CTL, PCM_S_RUN);
    }
}

/* Frames the device has taken out of the ring so far. */
static ULONGLONG stream_position(struct device *device)
{
    return read64(device, PCM_STREAM(0) + PCM_S_POSITION);
}

/* Frames of the ring that may be written. */
static ULONG stream_space(struct device *device, struct stream *stream)
{
    ULONGLONG position = stream->running ? stream_position(device) : 0;

    if (position > stream->written) {
        stream->underruns++;
        stream->written = position;
    }
    return stream->ring_frames - (ULONG)(stream->written - position);
}

/* The device has stopped by itself, or is being stopped or removed. */
static BOOLEAN stream_ended(struct device *device)
{
    return device->stopping || ((ULONG)device->stream_causes & (PCM_S_ERROR | PCM_S_DRAINED));
}

/* Copies FRAMES frames at the writing place; they fit. */
static void ring_copy(struct stream *stream, const UCHAR *data, ULONG frames)
{
    ULONG at = (ULONG)(stream->written % stream->ring_frames);
    ULONG first = min(frames, stream->ring_frames - at);
    ULONG size = stream->frame_bytes;

    RtlCopyMemory(stream->ring.address + at * size, data, first * size);
    RtlCopyMemory(stream->ring.address, data + first * size, (frames - first) * size);
    stream->written += frames;
}

/* Returns how many of FRAMES frames were taken before the device stopped. */
static ULONG stream_feed(struct device *device, struct stream *stream, const UCHAR *data, ULONG frames)
{
    ULONG taken = 0;

    while (taken < frames && !stream_ended(device)) {
        ULONG space = min(stream_space(device, stream), frames - taken);

        if (space) {
            ring_copy(stream, data + taken * stream->frame_bytes, space);
            taken += space;
            continue;
        }
        stream_run(device, stream);
        if (!interrupt_wait(&device->stream_event, PERIOD_TIMEOUT_MS)) {
            break;
        }
    }
    return taken;
}

NTSTATUS control_play_write(struct device *device, struct file *file, PVOID data)
{
    struct pcm_play_write request = *(struct pcm_play_write *)data;
    struct pcm_play_written *reply = data;
    struct stream *stream = device->stream;
    ULONG frames;

    if (!stream || device->stream_owner != file) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    if (request.bytes > PCM_PLAY_WRITE_MAX || request.bytes % stream->frame_bytes) {
        return STATUS_INVALID_PARAMETER;
    }
    frames = request.bytes / stream->frame_bytes;
    if (frames > stream->frames - stream->written) {
        return STATUS_INVALID_PARAMETER;
    }
    reply->bytes = stream_feed(device, stream, (PUCHAR)data + sizeof(request), frames) *
                   stream->frame_bytes;
    reply->cause = stream_read(device, PCM_S_CAUSE);
    return STATUS_SUCCESS;
}

/* Waits until END was played, the device stopped, or it no longer moves. */
static void stream_drain(struct device *device, struct stream *stream)
{
    stream_run(device, stream);
    while (!stream_ended(device)) {
        if (!interrupt_wait(&device->stream_event, PERIOD_TIMEOUT_MS)) {
            break;
        }
    }
}

NTSTATUS control_play_finish(struct device *device, struct file *file, PVOID data)
{
    struct pcm_play_finished *reply = data;
    struct stream *stream = device->stream;
    struct pcm_record record;

    if (!stream || device->stream_owner != file) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    RtlZeroMemory(reply, sizeof(*reply));
    if (stream->written == stream->frames) {
        stream_drain(device, stream);
    }
    reply->frames = stream_position(device);
    reply->drained = !!((ULONG)device->stream_causes & PCM_S_DRAINED);
    reply->cause = stream_read(device, PCM_S_CAUSE);
    reply->lost = stream_read(device, PCM_S_LOST);
    reply->underruns = stream->underruns;
    reply->interrupts = (ULONG)device->periods;
    playback_release(device);
    reply->records = log_take(device, &record);
    return STATUS_SUCCESS;
}

void playback_release(struct device *device)
{
    struct stream *stream = device->stream;

    if (!stream) {
        return;
    }
    if (NT_SUCCESS(device_status(device))) {
        stream_write(device, PCM_S_CTL, 0);
        stream_write(device, PCM_S_INT_ENABLE, 0);
        window_close(device, STREAM_WINDOW);
        rules_set(device, &stream->before);
    }
    device->stream = NULL;
    device->stream_owner = NULL;
    buffer_close(&stream->buffer);
    adapter_close(&stream->adapter);
    ExFreePoolWithTag(stream, PCM_POOL_TAG);
}
