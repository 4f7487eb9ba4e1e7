/* SPDX-License-Identifier: MIT */
/*
 * pcmaster.sys: the streams of the miniport
 *
 * The cyclic buffer is reachable with 24 address lines and lies within 64 KiB,
 * and the device is told to accept nothing else.  The hardware's position is
 * kept through KSSTATE_PAUSE and KSSTATE_ACQUIRE; KSSTATE_STOP ends it.
 */
#include "wave.h"

#define CARD_ADDR_BITS              24
#define CARD_BOUNDARY               0xffffull
#define RING_BYTES                  0x10000u
#define FIRST_WINDOW                1
#define UNITS_PER_SECOND            10000000ll

static struct stream *stream_of(IMiniportWaveCyclicStream *face)
{
    return CONTAINING_RECORD(face, struct stream, face);
}

static struct device *device_of(const struct stream *stream)
{
    return stream->miniport->device;
}

static void stream_write(struct stream *stream, ULONG offset, ULONG value)
{
    write32(device_of(stream), PCM_STREAM(stream->number) + offset, value);
}

/* --- what the hardware is told; device locked ----------------------------------- */

static void rules_narrow(struct device *device)
{
    struct rules card;

    if (device->streaming++) {
        return;
    }
    rules_get(device, &device->before);
    card = device->before;
    card.addr_bits = CARD_ADDR_BITS;
    card.boundary = CARD_BOUNDARY;
    rules_set(device, &card);
}

static void rules_widen(struct device *device)
{
    if (!--device->streaming && NT_SUCCESS(device_status(device))) {
        rules_set(device, &device->before);
    }
}

static void hardware_program(struct stream *stream)
{
    struct device *device = device_of(stream);
    ULONG base = PCM_STREAM(stream->number);
    PHYSICAL_ADDRESS logical;

    stream->channel->lpVtbl->PhysicalAddress(stream->channel, &logical);
    stream->ring_bytes = stream->channel->lpVtbl->BufferSize(stream->channel);
    rules_narrow(device);
    window_open(device, FIRST_WINDOW + stream->capture, (ULONGLONG)logical.QuadPart, stream->ring_bytes,
                stream->capture ? PCM_W_WRITE : PCM_W_READ);
    stream_write(stream, PCM_S_CTL, 0);
    stream_write(stream, PCM_S_FORMAT, stream->format.sample | PCM_S_CHANNELS(stream->format.channels));
    stream_write(stream, PCM_S_RATE, stream->format.rate);
    write64(device, base + PCM_S_BUFFER, (ULONGLONG)logical.QuadPart);
    stream_write(stream, PCM_S_LENGTH, stream->ring_bytes);
    stream_write(stream, PCM_S_PERIOD_FRAMES, stream->period_frames);
    write64(device, base + PCM_S_END, 0);
    stream_write(stream, PCM_S_INT_ENABLE, PCM_S_PERIOD | PCM_S_ERROR);
}

static void hardware_end(struct stream *stream)
{
    struct device *device = device_of(stream);

    if (NT_SUCCESS(device_status(device))) {
        stream_write(stream, PCM_S_CTL, 0);
        stream_write(stream, PCM_S_INT_ENABLE, 0);
        window_close(device, FIRST_WINDOW + stream->capture);
    }
    rules_widen(device);
    stream->begun = FALSE;
}

/* --- IMiniportWaveCyclicStream ------------------------------------------------------ */

static NTSTATUS NTAPI query_interface(IMiniportWaveCyclicStream *face, REFIID id, PVOID *object)
{
    if (!IsEqualGUIDAligned(id, &IID_IUnknown) &&
        !IsEqualGUIDAligned(id, &IID_IMiniportWaveCyclicStream)) {
        *object = NULL;
        return STATUS_INVALID_PARAMETER;
    }
    face->lpVtbl->AddRef(face);
    *object = face;
    return STATUS_SUCCESS;
}

static ULONG NTAPI add_ref(IMiniportWaveCyclicStream *face)
{
    return (ULONG)InterlockedIncrement(&stream_of(face)->references);
}

static void stream_delete(struct stream *stream)
{
    struct device *device = device_of(stream);
    PMINIPORTWAVECYCLIC miniport = &stream->miniport->face;

    device_lock(device);
    device->streams[stream->capture] = NULL;
    device_unlock(device);
    if (stream->group) {
        stream->group->lpVtbl->Release(stream->group);
    }
    if (stream->channel) {
        stream->channel->lpVtbl->Release(stream->channel);
    }
    ExFreePoolWithTag(stream, PCM_POOL_TAG);
    miniport->lpVtbl->Release(miniport);
}

static ULONG NTAPI release(IMiniportWaveCyclicStream *face)
{
    struct stream *stream = stream_of(face);
    LONG left = InterlockedDecrement(&stream->references);

    if (!left) {
        stream_delete(stream);
    }
    return (ULONG)left;
}

static NTSTATUS NTAPI set_format(IMiniportWaveCyclicStream *face, PKSDATAFORMAT data)
{
    struct stream *stream = stream_of(face);

    return stream->ring_bytes ? STATUS_INVALID_DEVICE_STATE : wave_format_of(data, &stream->format);
}

static ULONG NTAPI set_notification_frequency(IMiniportWaveCyclicStream *face, ULONG interval,
                                              PULONG frame_size)
{
    struct stream *stream = stream_of(face);
    const struct wave_format *format = &stream->format;
    ULONG most = RING_BYTES / 4 / format->frame_bytes;

    stream->period_frames = min(max(format->rate * interval / 1000, 1), most);
    *frame_size = stream->period_frames * format->frame_bytes;
    return stream->period_frames * 1000 / format->rate;
}

/* Device locked, the hardware answers. */
static void stream_step(struct stream *stream, KSSTATE state)
{
    switch (state) {
    case KSSTATE_ACQUIRE:
        if (!stream->ring_bytes) {
            hardware_program(stream);
        }
        break;
    case KSSTATE_PAUSE:
        if (stream->begun) {
            stream_write(stream, PCM_S_CTL, PCM_S_RUN | PCM_S_PAUSE);
        }
        break;
    default:
        stream->begun = TRUE;
        stream_write(stream, PCM_S_CTL, PCM_S_RUN);
        break;
    }
}

static NTSTATUS NTAPI set_state(IMiniportWaveCyclicStream *face, KSSTATE state)
{
    struct stream *stream = stream_of(face);
    struct device *device = device_of(stream);
    NTSTATUS status;

    if (state == KSSTATE_STOP) {
        interrupt_listen(device, stream->capture, NULL);
    } else {
        interrupt_listen(device, stream->capture, stream->group);
    }
    device_lock(device);
    status = device_status(device);
    if (state == KSSTATE_STOP) {
        if (stream->ring_bytes) {
            hardware_end(stream);
            stream->ring_bytes = 0;
        }
        status = STATUS_SUCCESS;        /* a device that is gone has stopped */
    } else if (NT_SUCCESS(status)) {
        stream_step(stream, state);
    }
    device_unlock(device);
    return status;
}

static NTSTATUS NTAPI get_position(IMiniportWaveCyclicStream *face, PULONG position)
{
    struct stream *stream = stream_of(face);
    struct device *device = device_of(stream);

    *position = 0;
    if (!NT_SUCCESS(device_status(device))) {
        return STATUS_DEVICE_NOT_READY;
    }
    if (stream->begun) {
        ULONGLONG frames = read64(device, PCM_STREAM(stream->number) + PCM_S_POSITION);

        *position = (ULONG)(frames * stream->format.frame_bytes % stream->ring_bytes);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI normalize(IMiniportWaveCyclicStream *face, PLONGLONG position)
{
    const struct wave_format *format = &stream_of(face)->format;
    LONGLONG frames = *position / format->frame_bytes;

    *position = frames / format->rate * UNITS_PER_SECOND +
                frames % format->rate * UNITS_PER_SECOND / format->rate;
    return STATUS_SUCCESS;
}

static VOID NTAPI silence(IMiniportWaveCyclicStream *face, PVOID buffer, ULONG bytes)
{
    RtlFillMemory(buffer, bytes, stream_of(face)->format.sample == PCM_S_U8 ? 0x80 : 0);
}

static const IMiniportWaveCyclicStreamVtbl methods = {
    .QueryInterface = query_interface,
    .AddRef = add_ref,
    .Release = release,
    .SetFormat = set_format,
    .SetNotificationFreq = set_notification_frequency,
    .SetState = set_state,
    .GetPosition = get_position,
    .NormalizePhysicalPosition = normalize,
    .Silence = silence,
};

/* --- making one --------------------------------------------------------------------- */

static NTSTATUS stream_acquire(struct stream *stream)
{
    PPORTWAVECYCLIC port = stream->miniport->port;
    PHYSICAL_ADDRESS constraint = { .QuadPart = CARD_BOUNDARY };
    NTSTATUS status = port->lpVtbl->NewMasterDmaChannel(port, &stream->channel, NULL, NULL, RING_BYTES,
                                                        FALSE, FALSE, Width32Bits, Compatible);

    if (NT_SUCCESS(status)) {
        status = stream->channel->lpVtbl->AllocateBuffer(stream->channel, RING_BYTES, &constraint);
    }
    return NT_SUCCESS(status) ? PcNewServiceGroup(&stream->group, NULL) : status;
}

/* Takes the direction for STREAM unless another has it, or there is none of it. */
static NTSTATUS stream_claim(struct device *device, struct stream *stream)
{
    NTSTATUS status;

    device_lock(device);
    status = device_status(device);
    if (NT_SUCCESS(status) && device->streams[stream->capture]) {
        status = STATUS_DEVICE_BUSY;
    }
    if (NT_SUCCESS(status)) {
        ULONG can = read32(device, PCM_CAP);

        if (!(stream->capture ? PCM_CAP_CAPTURE(can) : PCM_CAP_PLAYBACK(can))) {
            status = STATUS_NO_SUCH_DEVICE;
        } else {
            device->streams[stream->capture] = stream;
        }
    }
    device_unlock(device);
    return status;
}

NTSTATUS stream_new(struct miniport *miniport, BOOLEAN capture, const KSDATAFORMAT *data,
                    struct stream **made)
{
    struct stream *stream = pool_allocate(sizeof(*stream));
    NTSTATUS status;

    if (!stream) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    stream->face.lpVtbl = &methods;
    stream->references = 1;
    stream->miniport = miniport;
    stream->capture = !!capture;
    stream->number = capture ? miniport->device->capture_stream : 0;
    status = wave_format_of(data, &stream->format);
    if (NT_SUCCESS(status)) {
        status = stream_claim(miniport->device, stream);
    }
    if (!NT_SUCCESS(status)) {
        ExFreePoolWithTag(stream, PCM_POOL_TAG);
        return status;
    }
    miniport->face.lpVtbl->AddRef(&miniport->face);
    status = stream_acquire(stream);
    if (!NT_SUCCESS(status)) {
        release(&stream->face);
        return status;
    }
    *made = stream;
    return STATUS_SUCCESS;
}
