/* SPDX-License-Identifier: MIT */
/* pcmaster.sys: common buffer vectors, and what else adapters can be asked */
#include "pcmaster.h"

#define VECTOR_MAX                  65536u

static struct adapter *adapter_find(struct file *file, ULONG handle)
{
    return (struct adapter *)handle_find(file, handle, OBJECT_ADAPTER);
}

static NTSTATUS info_query(const struct adapter *adapter, ULONG version, PDMA_ADAPTER_INFO info)
{
    RtlZeroMemory(info, sizeof(*info));
    info->Version = version;
    return OPERATIONS3(adapter, GetDmaAdapterInfo)->GetDmaAdapterInfo(adapter->dma, info);
}

NTSTATUS control_adapter_info(struct device *device, struct file *file, PVOID data)
{
    struct pcm_adapter_query request = *(struct pcm_adapter_query *)data;
    struct adapter *adapter = adapter_find(file, request.adapter);
    struct pcm_adapter_info *reply = data;
    DMA_ADAPTER_INFO info, again;
    KIRQL irql;

    PCM_UNUSED(device);
    if (!adapter || !OPERATIONS3(adapter, GetDmaAdapterInfo)) {
        return adapter ? STATUS_NOT_SUPPORTED : STATUS_INVALID_HANDLE;
    }
    RtlZeroMemory(reply, sizeof(*reply));
    reply->status = (uint32_t)info_query(adapter, request.version, &info);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    reply->status_at_dispatch = (uint32_t)info_query(adapter, request.version, &again);
    KeLowerIrql(irql);
    reply->read_counter = info.V1.ReadDmaCounterAvailable;
    reply->scatter_gather_limit = info.V1.ScatterGatherLimit;
    reply->address_width = info.V1.DmaAddressWidth;
    reply->flags = info.V1.Flags;
    reply->minimum_unit = info.V1.MinimumTransferUnit;
    return STATUS_SUCCESS;
}

NTSTATUS control_adapter_domain(struct device *device, struct file *file, PVOID data)
{
    struct adapter *adapter = adapter_find(file, ((struct pcm_object *)data)->handle);
    PDMA_OPERATIONS3 operations = adapter ? OPERATIONS3(adapter, GetDmaDomain) : NULL;
    struct pcm_domain *reply = data;
    HANDLE domain;

    PCM_UNUSED(device);
    if (!operations) {
        return adapter ? STATUS_NOT_SUPPORTED : STATUS_INVALID_HANDLE;
    }
    domain = operations->GetDmaDomain(adapter->dma);
    reply->has_domain = domain != NULL;
    reply->leave_first = (uint32_t)operations->LeaveDmaDomain(adapter->dma);
    reply->join_wrong = (uint32_t)operations->JoinDmaDomain(adapter->dma, reply);
    reply->join = (uint32_t)operations->JoinDmaDomain(adapter->dma, domain);
    reply->join_again = (uint32_t)operations->JoinDmaDomain(adapter->dma, domain);
    reply->leave = (uint32_t)operations->LeaveDmaDomain(adapter->dma);
    return STATUS_SUCCESS;
}

static NTSTATUS vector_open(struct vector *vector, const struct pcm_vector_allocate *request)
{
    PHYSICAL_ADDRESS low, high;
    NTSTATUS status;

    low.QuadPart = (LONGLONG)request->low;
    high.QuadPart = (LONGLONG)request->high;
    status = OPERATIONS3(vector->adapter, AllocateCommonBufferVector)
                 ->AllocateCommonBufferVector(
                     vector->adapter->dma, low, high, (MEMORY_CACHING_TYPE)request->cache_type,
                     request->node,
                     request->flags & PCM_ALLOCATE_LARGE_PAGE ? DOMAIN_COMMON_BUFFER_LARGE_PAGE : 0,
                     request->count, request->size, &vector->dma);
    if (NT_SUCCESS(status)) {
        vector->count = request->count;
        vector->size = (ULONG)request->size;
        vector->current = request->count;
        InterlockedIncrement(&vector->adapter->buffers);
    }
    return status;
}

static void vector_destroy(struct file *file, struct vector *vector)
{
    OPERATIONS3(vector->adapter, FreeCommonBufferVector)
        ->FreeCommonBufferVector(vector->adapter->dma, vector->dma);
    InterlockedDecrement(&vector->adapter->buffers);
    handle_remove(file, &vector->object);
    ExFreePoolWithTag(vector, PCM_POOL_TAG);
}

NTSTATUS control_vector_allocate(struct device *device, struct file *file, PVOID data)
{
    struct pcm_vector_allocate request = *(struct pcm_vector_allocate *)data;
    struct adapter *adapter = adapter_find(file, request.adapter);
    struct pcm_vector *reply = data;
    struct vector *vector;
    NTSTATUS status;

    PCM_UNUSED(device);
    if (!adapter || !OPERATIONS3(adapter, FreeCommonBufferVector)) {
        return adapter ? STATUS_NOT_SUPPORTED : STATUS_INVALID_HANDLE;
    }
    if (request.count > VECTOR_MAX || request.size > MAXULONG) {
        return STATUS_INVALID_PARAMETER;
    }
    vector = pool_allocate(sizeof(*vector) + request.count);
    if (!vector || !handle_add(file, &vector->object, OBJECT_VECTOR)) {
        if (vector) {
            ExFreePoolWithTag(vector, PCM_POOL_TAG);
        }
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    vector->adapter = adapter;
    status = vector_open(vector, &request);
    reply->status = (uint32_t)status;
    reply->handle = vector->object.handle;
    if (!NT_SUCCESS(status)) {
        reply->handle = 0;
        handle_remove(file, &vector->object);
        ExFreePoolWithTag(vector, PCM_POOL_TAG);
    }
    return STATUS_SUCCESS;
}

static void element_get(const struct vector *vector, ULONG index, struct memory *memory)
{
    PHYSICAL_ADDRESS logical;
    PVOID address;

    OPERATIONS3(vector->adapter, GetCommonBufferFromVectorByIndex)
        ->GetCommonBufferFromVectorByIndex(vector->adapter->dma, vector->dma, index, &address, &logical);
    memory->address = address;
    memory->logical = (ULONGLONG)logical.QuadPart;
    memory->length = vector->size;
}

struct memory vector_memory(const struct vector *vector)
{
    struct memory memory = { NULL, 0, 0 };

    if (vector->current < vector->count && !vector->freed[vector->current]) {
        element_get(vector, vector->current, &memory);
    }
    return memory;
}

/* NULL: there is no such vector, or no such element of it any more. */
static struct vector *element_find(struct file *file, const struct pcm_element *request)
{
    struct vector *vector = (struct vector *)handle_find(file, request->vector, OBJECT_VECTOR);

    return vector && request->index < vector->count && !vector->freed[request->index] ? vector : NULL;
}

NTSTATUS control_vector_get(struct device *device, struct file *file, PVOID data)
{
    struct pcm_element request = *(struct pcm_element *)data;
    struct vector *vector = element_find(file, &request);
    struct pcm_allocated *reply = data;
    struct memory memory;

    PCM_UNUSED(device);
    if (!vector) {
        return STATUS_INVALID_PARAMETER;
    }
    vector->current = request.index;
    element_get(vector, request.index, &memory);
    RtlZeroMemory(reply, sizeof(*reply));
    reply->handle = vector->object.handle;
    reply->logical = memory.logical;
    reply->page_offset = (ULONG)((ULONG_PTR)memory.address % PAGE_SIZE);
    if (request.flags & PCM_ALLOCATE_SCAN) {
        reply->nonzero = count_nonzero(memory.address, memory.length);
    }
    return STATUS_SUCCESS;
}

NTSTATUS control_vector_free_element(struct device *device, struct file *file, PVOID data)
{
    const struct pcm_element *request = data;
    struct vector *vector = element_find(file, request);

    PCM_UNUSED(device);
    if (!vector) {
        return STATUS_INVALID_PARAMETER;
    }
    OPERATIONS3(vector->adapter, FreeCommonBufferFromVector)
        ->FreeCommonBufferFromVector(vector->adapter->dma, vector->dma, request->index);
    vector->freed[request->index] = TRUE;
    return STATUS_SUCCESS;
}

NTSTATUS control_vector_free(struct device *device, struct file *file, PVOID data)
{
    const struct pcm_object *request = data;
    struct vector *vector = (struct vector *)handle_find(file, request->handle, OBJECT_VECTOR);

    PCM_UNUSED(device);
    if (!vector) {
        return STATUS_INVALID_HANDLE;
    }
    vector_destroy(file, vector);
    return STATUS_SUCCESS;
}

void vectors_release(struct file *file)
{
    struct object *object;

    while ((object = handle_any(file, OBJECT_VECTOR))) {
        vector_destroy(file, (struct vector *)object);
    }
}
