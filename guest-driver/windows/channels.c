/* SPDX-License-Identifier: MIT */
/* pcmaster.sys: IDmaChannel */
#include "pcmaster.h"

#include "pcmaster_pattern.h"

struct memory channel_memory(IDmaChannel *channel)
{
    struct memory memory;
    PHYSICAL_ADDRESS physical;

    memory.address = channel->lpVtbl->SystemAddress(channel);
    memory.logical = (ULONGLONG)channel->lpVtbl->PhysicalAddress(channel, &physical)->QuadPart;
    memory.length = channel->lpVtbl->AllocatedBufferSize(channel);
    return memory;
}

static struct channel *channel_find(struct file *file, ULONG handle)
{
    return (struct channel *)handle_find(file, handle, OBJECT_CHANNEL);
}

NTSTATUS control_channel_new(struct device *device, struct file *file, PVOID data)
{
    struct pcm_description request = *(struct pcm_description *)data;
    struct pcm_channel *reply = data;
    struct channel *channel = pool_allocate(sizeof(*channel));
    DEVICE_DESCRIPTION3 description;
    NTSTATUS status;

    if (!channel) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    describe(&request, &description);
    status = PcNewDmaChannel(&channel->dma, NULL, NonPagedPool, (PDEVICE_DESCRIPTION)&description,
                             device->functional);
    if (NT_SUCCESS(status) && !handle_add(file, &channel->object, OBJECT_CHANNEL)) {
        channel->dma->lpVtbl->Release(channel->dma);
        status = STATUS_INSUFFICIENT_RESOURCES;
    }
    reply->status = (uint32_t)status;
    reply->handle = channel->object.handle;
    if (!NT_SUCCESS(status)) {
        ExFreePoolWithTag(channel, PCM_POOL_TAG);
    }
    return STATUS_SUCCESS;
}

NTSTATUS control_channel_allocate(struct device *device, struct file *file, PVOID data)
{
    struct pcm_channel_allocate request = *(struct pcm_channel_allocate *)data;
    struct pcm_channel_allocated *reply = data;
    struct channel *channel = channel_find(file, request.channel);
    PHYSICAL_ADDRESS constraint;
    struct memory memory;
    NTSTATUS status;

    PCM_UNUSED(device);
    if (!channel) {
        return STATUS_INVALID_HANDLE;
    }
    constraint.QuadPart = (LONGLONG)request.constraint;
    status = channel->dma->lpVtbl->AllocateBuffer(
        channel->dma, request.length, request.flags & PCM_CHANNEL_HAS_CONSTRAINT ? &constraint : NULL);
    reply->status = (uint32_t)status;
    reply->nonzero = 0;
    if (NT_SUCCESS(status)) {
        memory = channel_memory(channel->dma);
        reply->nonzero = count_nonzero(memory.address, memory.length);
    }
    return STATUS_SUCCESS;
}

NTSTATUS control_channel_free_buffer(struct device *device, struct file *file, PVOID data)
{
    const struct pcm_object *request = data;
    struct channel *channel = channel_find(file, request->handle);

    PCM_UNUSED(device);
    if (!channel) {
        return STATUS_INVALID_HANDLE;
    }
    channel->dma->lpVtbl->FreeBuffer(channel->dma);
    return STATUS_SUCCESS;
}

NTSTATUS control_channel_set_size(struct device *device, struct file *file, PVOID data)
{
    const struct pcm_channel_size *request = data;
    struct channel *channel = channel_find(file, request->channel);

    PCM_UNUSED(device);
    if (!channel) {
        return STATUS_INVALID_HANDLE;
    }
    channel->dma->lpVtbl->SetBufferSize(channel->dma, request->size);
    return STATUS_SUCCESS;
}

static void copy_and_compare(IDmaChannel *dma, PUCHAR target, const struct pcm_channel_copy *request,
                             PUCHAR scratch, struct pcm_channel_copied *reply)
{
    uint32_t first;

    pcm_pattern_write(scratch, request->length, request->seed, 0);
    dma->lpVtbl->CopyTo(dma, target, scratch, request->length);
    reply->in_buffer = pcm_pattern_compare(target, request->length, request->seed, &first);
    RtlZeroMemory(scratch, request->length);
    dma->lpVtbl->CopyFrom(dma, scratch, target, request->length);
    reply->came_back = pcm_pattern_compare(scratch, request->length, request->seed, &first);
}

NTSTATUS control_channel_copy(struct device *device, struct file *file, PVOID data)
{
    struct pcm_channel_copy request = *(struct pcm_channel_copy *)data;
    struct channel *channel = channel_find(file, request.channel);
    struct memory memory;
    PUCHAR scratch;

    PCM_UNUSED(device);
    if (!channel) {
        return STATUS_INVALID_HANDLE;
    }
    memory = channel_memory(channel->dma);
    if (!request.length || request.offset > memory.length ||
        request.length > memory.length - request.offset) {
        return STATUS_INVALID_PARAMETER;
    }
    scratch = pool_allocate(request.length);
    if (!scratch) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    copy_and_compare(channel->dma, memory.address + request.offset, &request, scratch, data);
    ExFreePoolWithTag(scratch, PCM_POOL_TAG);
    return STATUS_SUCCESS;
}

NTSTATUS control_channel_query(struct device *device, struct file *file, PVOID data)
{
    const struct pcm_object *request = data;
    struct channel *channel = channel_find(file, request->handle);
    struct pcm_channel_state *reply = data;
    IDmaChannel *dma;
    struct memory memory;

    PCM_UNUSED(device);
    if (!channel) {
        return STATUS_INVALID_HANDLE;
    }
    dma = channel->dma;
    memory = channel_memory(dma);
    RtlZeroMemory(reply, sizeof(*reply));
    reply->maximum_size = dma->lpVtbl->MaximumBufferSize(dma);
    reply->allocated_size = memory.length;
    reply->buffer_size = dma->lpVtbl->BufferSize(dma);
    reply->transfer_count = dma->lpVtbl->TransferCount(dma);
    reply->physical_address = memory.logical;
    reply->has_address = memory.address != NULL;
    reply->page_offset = (ULONG)((ULONG_PTR)memory.address % PAGE_SIZE);
    reply->moved = memory.address != channel->queried;
    channel->queried = memory.address;
    reply->has_adapter = dma->lpVtbl->GetAdapterObject(dma) != NULL;
    return STATUS_SUCCESS;
}

static void channel_destroy(struct file *file, struct channel *channel)
{
    channel->dma->lpVtbl->Release(channel->dma);
    handle_remove(file, &channel->object);
    ExFreePoolWithTag(channel, PCM_POOL_TAG);
}

NTSTATUS control_channel_release(struct device *device, struct file *file, PVOID data)
{
    const struct pcm_object *request = data;
    struct channel *channel = channel_find(file, request->handle);

    PCM_UNUSED(device);
    if (!channel) {
        return STATUS_INVALID_HANDLE;
    }
    channel_destroy(file, channel);
    return STATUS_SUCCESS;
}

void channels_release(struct file *file)
{
    struct object *object;

    while ((object = handle_any(file, OBJECT_CHANNEL))) {
        channel_destroy(file, (struct channel *)object);
    }
}
