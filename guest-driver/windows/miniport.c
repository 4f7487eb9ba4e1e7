/* SPDX-License-Identifier: MIT */
/* pcmaster.sys: the WaveCyclic miniport */
#include "wave.h"

static struct miniport *miniport_of(IMiniportWaveCyclic *face)
{
    return CONTAINING_RECORD(face, struct miniport, face);
}

static NTSTATUS NTAPI query_interface(IMiniportWaveCyclic *face, REFIID id, PVOID *object)
{
    if (!IsEqualGUIDAligned(id, &IID_IUnknown) && !IsEqualGUIDAligned(id, &IID_IMiniport) &&
        !IsEqualGUIDAligned(id, &IID_IMiniportWaveCyclic)) {
        *object = NULL;
        return STATUS_INVALID_PARAMETER;
    }
    face->lpVtbl->AddRef(face);
    *object = face;
    return STATUS_SUCCESS;
}

static ULONG NTAPI add_ref(IMiniportWaveCyclic *face)
{
    return (ULONG)InterlockedIncrement(&miniport_of(face)->references);
}

/* The last reference goes when the device is stopped, and the hardware with it. */
static ULONG NTAPI release(IMiniportWaveCyclic *face)
{
    struct miniport *miniport = miniport_of(face);
    LONG left = InterlockedDecrement(&miniport->references);

    if (!left) {
        hardware_stop(miniport->device);
        ExFreePoolWithTag(miniport, PCM_POOL_TAG);
    }
    return (ULONG)left;
}

static NTSTATUS NTAPI get_description(IMiniportWaveCyclic *face, PPCFILTER_DESCRIPTOR *description)
{
    *description = &miniport_of(face)->filter.descriptor;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI intersect(IMiniportWaveCyclic *face, ULONG pin, PKSDATARANGE theirs,
                                PKSDATARANGE ours, ULONG room, PVOID result, PULONG length)
{
    PCM_UNUSED(face);
    return pin == WAVE_RENDER || pin == WAVE_CAPTURE ? wave_intersect(theirs, ours, room, result, length)
                                                     : STATUS_NO_MATCH;
}

static NTSTATUS NTAPI init(IMiniportWaveCyclic *face, PUNKNOWN adapter, PRESOURCELIST resources,
                           PPORTWAVECYCLIC port)
{
    PCM_UNUSED(adapter);
    PCM_UNUSED(resources);
    miniport_of(face)->port = port;
    miniport_of(face)->device->port = port;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI new_stream(IMiniportWaveCyclic *face, PMINIPORTWAVECYCLICSTREAM *out,
                                 PUNKNOWN outer, POOL_TYPE pool, ULONG pin, BOOLEAN capture,
                                 PKSDATAFORMAT data, PDMACHANNEL *channel, PSERVICEGROUP *group)
{
    struct stream *stream;
    NTSTATUS status;

    PCM_UNUSED(pool);
    if (outer || pin != (ULONG)(capture ? WAVE_CAPTURE : WAVE_RENDER)) {
        return STATUS_INVALID_PARAMETER;
    }
    status = stream_new(miniport_of(face), capture, data, &stream);
    if (NT_SUCCESS(status)) {
        stream->channel->lpVtbl->AddRef(stream->channel);
        stream->group->lpVtbl->AddRef(stream->group);
        *channel = stream->channel;
        *group = stream->group;
        *out = &stream->face;
    }
    return status;
}

static const IMiniportWaveCyclicVtbl methods = {
    .QueryInterface = query_interface,
    .AddRef = add_ref,
    .Release = release,
    .GetDescription = get_description,
    .DataRangeIntersection = intersect,
    .Init = init,
    .NewStream = new_stream,
};

PMINIPORTWAVECYCLIC miniport_new(struct device *device)
{
    struct miniport *miniport = pool_allocate(sizeof(*miniport));

    if (!miniport) {
        return NULL;
    }
    miniport->face.lpVtbl = &methods;
    miniport->references = 1;
    miniport->device = device;
    wave_describe(&miniport->filter, device->playbacks, device->captures,
                  PCM_CAP2_CHANNELS(read32(device, PCM_CAP2)));
    return &miniport->face;
}
