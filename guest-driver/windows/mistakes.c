/* SPDX-License-Identifier: MIT */
/*
 * pcmaster-faulty.sys: mistakes that the executive's verifier must stop
 *
 * With the verifier off most of them go unnoticed; what they spoil is then put
 * right, as far as a driver can.
 */
#include "mistakes.h"

DEVICE_DESCRIPTION3 describe_master(void)
{
    DEVICE_DESCRIPTION3 description;

    RtlZeroMemory(&description, sizeof(description));
    description.Version = DEVICE_DESCRIPTION_VERSION3;
    description.Master = TRUE;
    description.InterfaceType = PCIBus;
    description.MaximumLength = 16 * PAGE_SIZE;
    description.DmaAddressWidth = 32;
    return description;
}

PDMA_ADAPTER new_adapter(struct device *device)
{
    DEVICE_DESCRIPTION3 description = describe_master();
    ULONG map_registers;

    return IoGetDmaAdapter(device->physical, (PDEVICE_DESCRIPTION)&description, &map_registers);
}

BOOLEAN new_buffer(struct scene *s, ULONG length)
{
    s->length = length;
    s->address = s->call->AllocateCommonBufferEx(s->dma, NULL, length, &s->logical, TRUE,
                                                 MM_ANY_NODE_OK);
    return s->address != NULL;
}

void free_buffer(const struct scene *s)
{
    s->call->FreeCommonBuffer(s->dma, s->length, s->logical, s->address, TRUE);
}

void put_adapter(PDMA_ADAPTER dma)
{
    dma->DmaOperations->PutDmaAdapter(dma);
}

/* A length of 0: without a common buffer. */
static const struct mistake mistakes[PCM_MISTAKE_COUNT] = {
    [PCM_MISTAKE_FREE_LENGTH] = { free_length, LENGTH },
    [PCM_MISTAKE_FREE_LOGICAL] = { free_logical, LENGTH },
    [PCM_MISTAKE_FREE_CACHE] = { free_cache, LENGTH },
    [PCM_MISTAKE_FREE_INSIDE] = { free_inside, LENGTH },
    [PCM_MISTAKE_FREE_FOREIGN] = { free_foreign, LENGTH },
    [PCM_MISTAKE_FREE_UNKNOWN] = { free_unknown, LENGTH },
    [PCM_MISTAKE_FREE_TWICE] = { free_twice, LENGTH },
    [PCM_MISTAKE_FREE_BEHIND] = { free_behind, LENGTH },
    [PCM_MISTAKE_PUT_LIVE_BUFFER] = { put_live_buffer, LENGTH },
    [PCM_MISTAKE_STALE_ADAPTER] = { stale_adapter, LENGTH },
    [PCM_MISTAKE_PUT_TWICE] = { put_twice, LENGTH },
    [PCM_MISTAKE_NULL_ADAPTER] = { null_adapter, LENGTH },
    [PCM_MISTAKE_NEVER_PUT] = { never_put, LENGTH },
    [PCM_MISTAKE_IRQL_ALLOCATE] = { irql_allocate, LENGTH },
    [PCM_MISTAKE_IRQL_ADAPTER] = { irql_adapter, LENGTH },
    [PCM_MISTAKE_IRQL_FREE] = { irql_free, LENGTH },
    [PCM_MISTAKE_IRQL_PUT] = { irql_put, LENGTH },
    [PCM_MISTAKE_IRQL_CHANNEL] = { irql_channel, LENGTH },
    [PCM_MISTAKE_WRITE_BEFORE] = { write_before, LENGTH },
    [PCM_MISTAKE_WRITE_BEHIND] = { write_behind, LENGTH },
    [PCM_MISTAKE_READ_BEHIND] = { read_behind, LENGTH },
    [PCM_MISTAKE_TOUCH_FREED] = { touch_freed, LENGTH },
    [PCM_MISTAKE_IRQL_EX] = { irql_ex, LENGTH },
    [PCM_MISTAKE_IRQL_BOUNDS] = { irql_bounds, LENGTH },
    [PCM_MISTAKE_IRQL_ALIGNMENT] = { irql_alignment, LENGTH },
    [PCM_MISTAKE_IRQL_INFO] = { irql_info, LENGTH },
    [PCM_MISTAKE_IRQL_VECTOR] = { irql_vector, LENGTH },
    [PCM_MISTAKE_FREE_ELEMENT] = { free_element, LENGTH },
    [PCM_MISTAKE_VECTOR_INDEX] = { vector_index, LENGTH },
    [PCM_MISTAKE_VECTOR_ELEMENT_TWICE] = { vector_element_twice, LENGTH },
    [PCM_MISTAKE_VECTOR_FOREIGN] = { vector_foreign, LENGTH },
    [PCM_MISTAKE_VECTOR_LIVE] = { vector_live, LENGTH },
    [PCM_MISTAKE_WRITE_PADDING] = { write_padding, ODD_LENGTH },
    [PCM_MISTAKE_CHECK_BUFFERS] = { check_buffers, ODD_LENGTH },
    [PCM_MISTAKE_DEVICE_BEFORE] = { device_before, LENGTH },
    [PCM_MISTAKE_DEVICE_BEHIND] = { device_behind, LENGTH },
    [PCM_MISTAKE_DEVICE_PADDING] = { device_padding, ODD_LENGTH },
    [PCM_MISTAKE_CHANNEL_FREE_TWICE] = { channel_free_twice, 0 },
    [PCM_MISTAKE_REGISTERS_UNKNOWN] = { registers_unknown, 0 },
    [PCM_MISTAKE_REGISTERS_COUNT] = { registers_count, 0 },
    [PCM_MISTAKE_REGISTERS_MAPPED] = { registers_mapped, 0 },
    [PCM_MISTAKE_TOO_MANY_REGISTERS] = { too_many_registers, 0 },
    [PCM_MISTAKE_LIST_UNKNOWN] = { list_unknown, 0 },
    [PCM_MISTAKE_PUT_LIVE_CHANNEL] = { put_live_channel, 0 },
    [PCM_MISTAKE_PUT_LIVE_REGISTERS] = { put_live_registers, 0 },
    [PCM_MISTAKE_PUT_LIVE_LIST] = { put_live_list, 0 },
    [PCM_MISTAKE_PUT_WAITING] = { put_waiting, 0 },
    [PCM_MISTAKE_TWO_CHANNELS] = { two_channels, 0 },
    [PCM_MISTAKE_NOT_FLUSHED] = { not_flushed, 0 },
    [PCM_MISTAKE_FLUSH_UNMAPPED] = { flush_unmapped, 0 },
    [PCM_MISTAKE_OUTSIDE_MDL] = { outside_mdl, 0 },
    [PCM_MISTAKE_BEYOND_MDL] = { beyond_mdl, 0 },
    [PCM_MISTAKE_LENGTH_ZERO] = { length_zero, 0 },
    [PCM_MISTAKE_DIRECTION] = { direction, 0 },
    [PCM_MISTAKE_IRQL_LIST] = { irql_list, 0 },
    [PCM_MISTAKE_LIST_DIRECTION] = { list_direction, 0 },
    [PCM_MISTAKE_LIST_OUTSIDE] = { list_outside, 0 },
    [PCM_MISTAKE_MAP_FREED] = { map_freed, 0 },
    [PCM_MISTAKE_RESULT_LIMIT] = { ask_ex, 0 },
    [PCM_MISTAKE_RESULT_MINIMUM] = { ask_with_bounds, 0 },
    [PCM_MISTAKE_RESULT_BOUNDARY] = { ask_channel, 0 },
    [PCM_MISTAKE_RESULT_ALIGNMENT] = { ask_ex, 0 },
    [PCM_MISTAKE_RESULT_SCATTERED] = { ask_ex, 0 },
    [PCM_MISTAKE_RESULT_NODE] = { ask_ex, 0 },
    [PCM_MISTAKE_RESULT_OVERLAP] = { ask_ex, 0 },
    [PCM_MISTAKE_RESULT_CONTENTS] = { ask_ex, 0 },
    [PCM_MISTAKE_UNLOAD_BUFFER] = { unload_buffer, LENGTH },
    [PCM_MISTAKE_UNLOAD_CHANNEL] = { unload_channel, 0 },
    [PCM_MISTAKE_UNLOAD_REGISTERS] = { unload_registers, 0 },
    [PCM_MISTAKE_UNLOAD_LIST] = { unload_list, 0 },
    [PCM_MISTAKE_NOT_LOCKED] = { not_locked, 0 },
    [PCM_MISTAKE_LIST_NOT_LOCKED] = { list_not_locked, 0 },
    [PCM_MISTAKE_MAPPED_TWICE] = { mapped_twice, 0 },
    [PCM_MISTAKE_VECTOR_TWICE] = { vector_twice, LENGTH },
    [PCM_MISTAKE_FREE_REUSED] = { free_reused, LENGTH },
    [PCM_MISTAKE_TOUCH_REUSED] = { touch_reused, LENGTH },
    [PCM_MISTAKE_STALE_REUSED] = { stale_reused, LENGTH },
    [PCM_MISTAKE_REGISTERS_REUSED] = { registers_reused, 0 },
    [PCM_MISTAKE_LIST_REUSED] = { list_reused, 0 },
    [PCM_MISTAKE_IRQL_VECTOR_NEW] = { irql_vector_new, LENGTH },
    [PCM_MISTAKE_IRQL_REQUEST] = { irql_request, 0 },
    [PCM_MISTAKE_IRQL_REGISTERS] = { irql_registers, 0 },
    [PCM_MISTAKE_IRQL_PUT_LIST] = { irql_put_list, 0 },
    [PCM_MISTAKE_IRQL_MAP] = { irql_map, 0 },
    [PCM_MISTAKE_IRQL_FLUSH] = { irql_flush, 0 },
    [PCM_MISTAKE_CHANNEL_INSIDE] = { channel_from_routine, 0 },
    [PCM_MISTAKE_IRQL_LIST_EX] = { irql_list_ex, 0 },
    [PCM_MISTAKE_IRQL_CONTEXT] = { irql_context, 0 },
    [PCM_MISTAKE_DEVICE_EVIDENCE] = { device_evidence, LENGTH },
    [PCM_MISTAKE_NO_COUNTER] = { no_counter, 0 },
    [PCM_MISTAKE_IRQL_COUNTER] = { irql_counter, 0 },
    [PCM_MISTAKE_CHANNEL_LENGTH] = { channel_length, 0 },
    [PCM_MISTAKE_CHANNEL_NOT_FLUSHED] = { channel_not_flushed, 0 },
};

/* Returns only if nothing has stopped the mistake. */
NTSTATUS control_mistake(struct device *device, struct file *file, PVOID data)
{
    const struct pcm_mistake *request = data;
    struct scene scene = { .device = device };
    const struct mistake *mistake;

    PCM_UNUSED(file);
    if (request->mistake >= PCM_MISTAKE_COUNT || device->streaming) {
        return device->streaming ? STATUS_DEVICE_BUSY : STATUS_INVALID_PARAMETER;
    }
    mistake = &mistakes[request->mistake];
    scene.dma = new_adapter(device);
    if (!scene.dma) {
        return STATUS_NOT_SUPPORTED;
    }
    scene.call = (PDMA_OPERATIONS3)scene.dma->DmaOperations;
    if (mistake->length && !new_buffer(&scene, mistake->length)) {
        put_adapter(scene.dma);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    mistake->make(&scene);
    if (scene.dma) {
        put_adapter(scene.dma);
    }
    return STATUS_SUCCESS;
}
