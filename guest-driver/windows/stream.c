/* SPDX-License-Identifier: MIT */
/*
 * pcmaster.sys: the streams of the miniport
 *
 * Each takes the lowest stream of the hardware that is free: with the loop-back
 * on, the capture pin that was opened first hears the render pin that was.
 */
#include "wave.h"

#define RING_BYTES                  0x10000u
#define UNITS_PER_SECOND            10000000ll

static const IMiniportWaveCyclicStreamVtbl methods;

static struct stream *stream_of(IMiniportWaveCyclicStream *face)
{
    return CONTAINING_RECORD(face, struct stream, face);
}

struct stream *stream_of_unknown(PUNKNOWN unknown)
{
    IMiniportWaveCyclicStream *face = (IMiniportWaveCyclicStream *)unknown;

    return unknown && face->lpVtbl == &methods ? stream_of(face) : NULL;
}

static struct device *device_of(const struct stream *stream)
{
    return stream->miniport->device;
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

/* When it returns the group is not notified any more. */
static void stream_stop(struct stream *stream)
{
    struct device *device = device_of(stream);

    interrupt_listen(device, stream->number, NULL);
    device_lock(device);
    streaming_end(stream);
    device_unlock(device);
}

static void stream_delete(struct stream *stream)
{
    struct device *device = device_of(stream);
    PMINIPORTWAVECYCLIC miniport = &stream->miniport->face;

    stream_stop(stream);
    device_lock(device);
    device->streams[stream->number] = NULL;
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

static ULONG channels_of(const struct stream *stream)
{
    return stream->miniport->filter.range[0].MaximumChannels;
}

static NTSTATUS NTAPI set_format(IMiniportWaveCyclicStream *face, PKSDATAFORMAT data)
{
    struct stream *stream = stream_of(face);

    return stream->ring_bytes ? STATUS_INVALID_DEVICE_STATE
                              : wave_format_of(data, channels_of(stream), &stream->format);
}

static ULONG NTAPI set_notification_frequency(IMiniportWaveCyclicStream *face, ULONG interval,
                                              PULONG frame_size)
{
    struct stream *stream = stream_of(face);
    const struct wave_format *format = &stream->format;
    ULONG most = RING_BYTES / 4 / format->frame_bytes;

    stream->period_frames = (ULONG)min(max((ULONGLONG)format->rate * interval / 1000, 1), most);
    *frame_size = stream->period_frames * format->frame_bytes;
    return stream->period_frames * 1000 / format->rate;
}

static NTSTATUS NTAPI set_state(IMiniportWaveCyclicStream *face, KSSTATE state)
{
    struct stream *stream = stream_of(face);
    struct device *device = device_of(stream);
    NTSTATUS status;

    if (state == KSSTATE_STOP) {
        stream_stop(stream);
        return STATUS_SUCCESS;          /* a device that is gone has stopped */
    }
    device_lock(device);
    status = device_status(device);
    if (NT_SUCCESS(status)) {
        interrupt_listen(device, stream->number, stream->group);
        streaming_step(stream, state);
    }
    device_unlock(device);
    return status;
}

/* Another processor may stop the stream meanwhile: then it has no ring any more. */
static NTSTATUS NTAPI get_position(IMiniportWaveCyclicStream *face, PULONG position)
{
    struct stream *stream = stream_of(face);
    ULONG ring_bytes = stream->ring_bytes;
    ULONGLONG frames;

    *position = 0;
    if (!streaming_position(stream, &frames)) {
        return STATUS_DEVICE_NOT_READY;
    }
    if (frames && ring_bytes) {
        *position = (ULONG)(frames * stream->format.frame_bytes % ring_bytes);
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
    PHYSICAL_ADDRESS constraint = { .QuadPart = WAVE_BOUNDARY };
    NTSTATUS status = port->lpVtbl->NewMasterDmaChannel(port, &stream->channel, NULL, NULL, RING_BYTES,
                                                        FALSE, FALSE, Width32Bits, Compatible);

    if (NT_SUCCESS(status)) {
        status = stream->channel->lpVtbl->AllocateBuffer(stream->channel, RING_BYTES, &constraint);
    }
    return NT_SUCCESS(status) ? PcNewServiceGroup(&stream->group, NULL) : status;
}

/* Takes one of the hardware's for STREAM unless all are in use. */
static NTSTATUS stream_claim(struct device *device, struct stream *stream)
{
    ULONG first = stream->capture ? device->playbacks : 0;
    ULONG end = first + (stream->capture ? device->captures : device->playbacks);
    NTSTATUS status;

    device_lock(device);
    status = device_status(device);
    if (NT_SUCCESS(status)) {
        status = STATUS_DEVICE_BUSY;
        for (stream->number = first; stream->number < end; stream->number++) {
            if (!device->streams[stream->number]) {
                device->streams[stream->number] = stream;
                status = STATUS_SUCCESS;
                break;
            }
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
    status = wave_format_of(data, channels_of(stream), &stream->format);
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
