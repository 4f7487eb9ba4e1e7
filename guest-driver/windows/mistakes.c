/* SPDX-License-Identifier: MIT */
/*
 * pcmaster-faulty.sys: mistakes that the executive's verifier must stop
 *
 * With the verifier off most of them go unnoticed; what they spoil is then put
 * right, as far as a driver can.
 */
#include "mistakes.h"

static DEVICE_DESCRIPTION3 describe_master(void)
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

static PDMA_ADAPTER new_adapter(struct device *device)
{
    DEVICE_DESCRIPTION3 description = describe_master();
    ULONG map_registers;

    return IoGetDmaAdapter(device->physical, (PDEVICE_DESCRIPTION)&description, &map_registers);
}

static BOOLEAN new_buffer(struct scene *s, ULONG length)
{
    s->length = length;
    s->address = s->call->AllocateCommonBufferEx(s->dma, NULL, length, &s->logical, TRUE,
                                                 MM_ANY_NODE_OK);
    return s->address != NULL;
}

static void free_buffer(const struct scene *s)
{
    s->call->FreeCommonBuffer(s->dma, s->length, s->logical, s->address, TRUE);
}

static void put_adapter(PDMA_ADAPTER dma)
{
    dma->DmaOperations->PutDmaAdapter(dma);
}

/* --- FreeCommonBuffer's arguments ----------------------------------------- */

static void free_length(struct scene *s)
{
    s->call->FreeCommonBuffer(s->dma, LENGTH - 1, s->logical, s->address, TRUE); /* free-length */
}

static void free_logical(struct scene *s)
{
    s->logical.QuadPart += PAGE_SIZE;
    s->call->FreeCommonBuffer(s->dma, LENGTH, s->logical, s->address, TRUE); /* free-logical */
}

static void free_cache(struct scene *s)
{
    s->call->FreeCommonBuffer(s->dma, LENGTH, s->logical, s->address, FALSE); /* free-cache */
}

/* The buffer was aligned by hand, and the pointer to its start is lost. */
static void free_inside(struct scene *s)
{
    PUCHAR aligned = s->address + 128;

    s->call->FreeCommonBuffer(s->dma, LENGTH, s->logical, aligned, TRUE); /* free-inside */
    free_buffer(s);
}

static void free_foreign(struct scene *s)
{
    PDMA_ADAPTER other = new_adapter(s->device);

    s->call->FreeCommonBuffer(other, LENGTH, s->logical, s->address, TRUE); /* free-foreign */
    put_adapter(other);
    free_buffer(s);
}

static void free_unknown(struct scene *s)
{
    PVOID pool = pool_allocate(PAGE_SIZE);

    s->call->FreeCommonBuffer(s->dma, LENGTH, s->logical, pool, TRUE); /* free-unknown */
    ExFreePoolWithTag(pool, PCM_POOL_TAG);
    free_buffer(s);
}

static void free_twice(struct scene *s)
{
    free_buffer(s);
    s->call->FreeCommonBuffer(s->dma, LENGTH, s->logical, s->address, TRUE); /* free-twice */
}

/* The memory goes by a routine that is not the allocation's. */
static void free_behind(struct scene *s)
{
    MmFreeContiguousMemory(s->address); /* free-behind */
    free_buffer(s);
}

/* --- adapters --------------------------------------------------------------- */

static void put_live_buffer(struct scene *s)
{
    s->call->PutDmaAdapter(s->dma); /* put-live-buffer */
    s->dma = NULL;
}

static void stale_adapter(struct scene *s)
{
    PHYSICAL_ADDRESS logical;

    free_buffer(s);
    put_adapter(s->dma);
    s->call->AllocateCommonBuffer(s->dma, LENGTH, &logical, TRUE); /* stale-adapter */
}

static void put_twice(struct scene *s)
{
    free_buffer(s);
    put_adapter(s->dma);
    s->call->PutDmaAdapter(s->dma); /* put-twice */
}

static void null_adapter(struct scene *s)
{
    s->call->PutDmaAdapter(NULL); /* null-adapter */
}

/* These are noticed at unload; the report names who asked for what is alive. */
static void never_put(struct scene *s)
{
    free_buffer(s);
    s->dma = NULL;
}

static void unload_buffer(struct scene *s)
{
    s->dma = NULL;
}

/* --- IRQL ------------------------------------------------------------------- */

static void irql_allocate(struct scene *s)
{
    PHYSICAL_ADDRESS logical;
    PVOID address;
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    address = s->call->AllocateCommonBuffer(s->dma, LENGTH, &logical, TRUE); /* irql-allocate */
    KeLowerIrql(irql);
    s->call->FreeCommonBuffer(s->dma, LENGTH, logical, address, TRUE);
    free_buffer(s);
}

static void irql_adapter(struct scene *s)
{
    DEVICE_DESCRIPTION3 description = describe_master();
    PDEVICE_OBJECT pdo = s->device->physical;
    PDMA_ADAPTER other;
    ULONG registers;
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    other = IoGetDmaAdapter(pdo, (PDEVICE_DESCRIPTION)&description, &registers); /* irql-adapter */
    KeLowerIrql(irql);
    put_adapter(other);
    free_buffer(s);
}

static void irql_free(struct scene *s)
{
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    s->call->FreeCommonBuffer(s->dma, LENGTH, s->logical, s->address, TRUE); /* irql-free */
    KeLowerIrql(irql);
}

static void irql_put(struct scene *s)
{
    KIRQL irql;

    free_buffer(s);
    KeRaiseIrql(DISPATCH_LEVEL + 1, &irql);
    s->call->PutDmaAdapter(s->dma); /* irql-put */
    KeLowerIrql(irql);
    s->dma = NULL;
}

static void irql_channel(struct scene *s)
{
    DEVICE_DESCRIPTION3 description = describe_master();
    PDMACHANNEL channel;
    KIRQL irql;

    free_buffer(s);
    if (!NT_SUCCESS(PcNewDmaChannel(&channel, NULL, NonPagedPool, (PDEVICE_DESCRIPTION)&description,
                                    s->device->self))) {
        return;
    }
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    channel->lpVtbl->AllocateBuffer(channel, LENGTH, NULL); /* irql-channel */
    KeLowerIrql(irql);
    channel->lpVtbl->Release(channel);
}

static void irql_ex(struct scene *s)
{
    PHYSICAL_ADDRESS at;
    PVOID address;
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    address = s->call->AllocateCommonBufferEx(s->dma, NULL, LENGTH, &at, TRUE, 0); /* irql-ex */
    KeLowerIrql(irql);
    s->call->FreeCommonBuffer(s->dma, LENGTH, at, address, TRUE);
    free_buffer(s);
}

static void irql_bounds(struct scene *s)
{
    PALLOCATE_COMMON_BUFFER_WITH_BOUNDS allocate = s->call->AllocateCommonBufferWithBounds;
    PHYSICAL_ADDRESS at;
    PVOID address;
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    address = allocate(s->dma, NULL, NULL, LENGTH, 0, NULL, 0, &at); /* irql-bounds */
    KeLowerIrql(irql);
    s->call->FreeCommonBuffer(s->dma, LENGTH, at, address, TRUE);
    free_buffer(s);
}

static void irql_alignment(struct scene *s)
{
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    s->call->GetDmaAlignment(s->dma); /* irql-alignment */
    KeLowerIrql(irql);
    free_buffer(s);
}

static void irql_info(struct scene *s)
{
    DMA_ADAPTER_INFO info = { .Version = DMA_ADAPTER_INFO_VERSION1 };
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL + 1, &irql);
    s->call->GetDmaAdapterInfo(s->dma, &info); /* irql-info */
    KeLowerIrql(irql);
    free_buffer(s);
}

static void irql_vector_new(struct scene *s)
{
    PALLOCATE_COMMON_BUFFER_VECTOR allocate = s->call->AllocateCommonBufferVector;
    PHYSICAL_ADDRESS low = { .QuadPart = 0 }, high = { .QuadPart = -1 };
    PDMA_COMMON_BUFFER_VECTOR vector;
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    allocate(s->dma, low, high, MmCached, MM_ANY_NODE_OK, 0, 1, LENGTH, &vector); /* irql-vector-new */
    KeLowerIrql(irql);
    s->call->FreeCommonBufferVector(s->dma, vector);
    free_buffer(s);
}

/* --- vectors ------------------------------------------------------------------ */

/* A vector of two elements; NULL: no memory. */
static PDMA_COMMON_BUFFER_VECTOR new_vector(const struct scene *s)
{
    PHYSICAL_ADDRESS low, high;
    PDMA_COMMON_BUFFER_VECTOR vector;

    low.QuadPart = 0;
    high.QuadPart = -1;
    s->call->AllocateCommonBufferVector(s->dma, low, high, MmCached, MM_ANY_NODE_OK, 0, 2, LENGTH,
                                        &vector);
    return vector;
}

static void irql_vector(struct scene *s)
{
    PDMA_COMMON_BUFFER_VECTOR vector = new_vector(s);
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    s->call->FreeCommonBufferVector(s->dma, vector); /* irql-vector */
    KeLowerIrql(irql);
    free_buffer(s);
}

static void free_element(struct scene *s)
{
    PDMA_COMMON_BUFFER_VECTOR vector = new_vector(s);
    PHYSICAL_ADDRESS at;
    PVOID address;

    s->call->GetCommonBufferFromVectorByIndex(s->dma, vector, 1, &address, &at);
    s->call->FreeCommonBuffer(s->dma, LENGTH, at, address, TRUE); /* free-element */
    s->call->FreeCommonBufferVector(s->dma, vector);
    free_buffer(s);
}

static void vector_index(struct scene *s)
{
    PDMA_COMMON_BUFFER_VECTOR vector = new_vector(s);
    PHYSICAL_ADDRESS at;
    PVOID address;

    s->call->GetCommonBufferFromVectorByIndex(s->dma, vector, 2, &address, &at); /* vector-index */
    s->call->FreeCommonBufferVector(s->dma, vector);
    free_buffer(s);
}

static void vector_element_twice(struct scene *s)
{
    PDMA_COMMON_BUFFER_VECTOR vector = new_vector(s);

    s->call->FreeCommonBufferFromVector(s->dma, vector, 1);
    s->call->FreeCommonBufferFromVector(s->dma, vector, 1); /* vector-element-twice */
    s->call->FreeCommonBufferVector(s->dma, vector);
    free_buffer(s);
}

static void vector_foreign(struct scene *s)
{
    PDMA_COMMON_BUFFER_VECTOR vector = new_vector(s);
    PDMA_ADAPTER other = new_adapter(s->device);

    s->call->FreeCommonBufferVector(other, vector); /* vector-foreign */
    put_adapter(other);
    s->call->FreeCommonBufferVector(s->dma, vector);
    free_buffer(s);
}

static void vector_twice(struct scene *s)
{
    PDMA_COMMON_BUFFER_VECTOR vector = new_vector(s);

    s->call->FreeCommonBufferVector(s->dma, vector);
    s->call->FreeCommonBufferVector(s->dma, vector); /* vector-twice */
    free_buffer(s);
}

static void vector_live(struct scene *s)
{
    new_vector(s);
    free_buffer(s);
    s->call->PutDmaAdapter(s->dma); /* vector-live */
    s->dma = NULL;
}

/* --- what was given back, and might have been given out again ---------------- */

static void free_reused(struct scene *s)
{
    struct scene old = *s;

    free_buffer(&old);
    new_buffer(s, LENGTH);
    s->call->FreeCommonBuffer(s->dma, LENGTH, old.logical, old.address, TRUE); /* free-reused */
    free_buffer(s);
}

static void touch_reused(struct scene *s)
{
    PUCHAR old = s->address;

    free_buffer(s);
    new_buffer(s, LENGTH);
    *(volatile UCHAR *)old = 0x55; /* touch-reused */
    free_buffer(s);
}

static void stale_reused(struct scene *s)
{
    PDMA_ADAPTER old = s->dma;

    free_buffer(s);
    put_adapter(old);
    s->dma = new_adapter(s->device);
    s->call->GetDmaAlignment(old); /* stale-reused */
}

/* --- the processor beside a buffer ------------------------------------------- */

static void write_before(struct scene *s)
{
    *(volatile UCHAR *)(s->address - 1) = 0x55; /* write-before */
}

static void write_behind(struct scene *s)
{
    *(volatile UCHAR *)(s->address + LENGTH) = 0x55; /* write-behind */
}

static void read_behind(struct scene *s)
{
    (void)*(volatile UCHAR *)(s->address + LENGTH); /* read-behind */
}

static void touch_freed(struct scene *s)
{
    free_buffer(s);
    *(volatile UCHAR *)s->address = 0x55; /* touch-freed */
}

/* Noticed when the buffer is freed. */
static void write_padding(struct scene *s)
{
    s->address[s->length] = 0x55;
    s->call->FreeCommonBuffer(s->dma, s->length, s->logical, s->address, TRUE); /* write-padding */
}

/* Noticed when the driver asks. */
static void check_buffers(struct scene *s)
{
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK result;
    UNICODE_STRING name;
    HANDLE file;

    RtlInitUnicodeString(&name, L"\\??\\fw_cfg\\check-buffers");
    InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, NULL, NULL);
    s->address[s->length] = 0x55;
    if (NT_SUCCESS(ZwOpenFile(&file, SYNCHRONIZE, &attributes, &result, 0, 0))) { /* check-buffers */
        ZwClose(file);
    }
    free_buffer(s);
}

/* --- the device beside a buffer ------------------------------------------------ */

static void device_write(struct scene *s, ULONGLONG logical, ULONG length)
{
    struct pcm_direction outcome;

    exerciser_run(s->device, PCM_EX_FILL, logical, length, 1, &outcome);
}

static void device_before(struct scene *s)
{
    device_write(s, s->logical.QuadPart - 16, s->length);
    s->call->FreeCommonBuffer(s->dma, s->length, s->logical, s->address, TRUE); /* device-before */
}

static void device_behind(struct scene *s)
{
    device_write(s, s->logical.QuadPart, s->length + 16);
    s->call->FreeCommonBuffer(s->dma, s->length, s->logical, s->address, TRUE); /* device-behind */
}

static void device_padding(struct scene *s)
{
    device_write(s, s->logical.QuadPart, s->length + 1);
    s->call->FreeCommonBuffer(s->dma, s->length, s->logical, s->address, TRUE); /* device-padding */
}

/* --- what the executive itself gets wrong: the driver only asks ------------------ */

static void ask_ex(struct scene *s)
{
    s->length = LENGTH;
    s->address = s->call->AllocateCommonBufferEx(s->dma, NULL, LENGTH, &s->logical, TRUE, 0); /* result-* */
    free_buffer(s);
}

static void ask_with_bounds(struct scene *s)
{
    PHYSICAL_ADDRESS minimum = { .QuadPart = 0x1000000 };

    PALLOCATE_COMMON_BUFFER_WITH_BOUNDS ask = s->call->AllocateCommonBufferWithBounds;

    s->length = LENGTH;
    s->address = ask(s->dma, &minimum, NULL, LENGTH, 0, NULL, 0, &s->logical); /* result-minimum */
    free_buffer(s);
}

static void ask_channel(struct scene *s)
{
    PHYSICAL_ADDRESS varying = { .QuadPart = 0xffff };
    DEVICE_DESCRIPTION3 description = describe_master();
    PDMACHANNEL channel;

    if (NT_SUCCESS(PcNewDmaChannel(&channel, NULL, NonPagedPool, (PDEVICE_DESCRIPTION)&description,
                                   s->device->self))) {
        channel->lpVtbl->AllocateBuffer(channel, LENGTH, &varying); /* result-boundary */
        channel->lpVtbl->Release(channel);
    }
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
};

/* Returns only if nothing has stopped the mistake. */
NTSTATUS control_mistake(struct device *device, struct file *file, PVOID data)
{
    const struct pcm_mistake *request = data;
    struct scene scene = { .device = device };
    const struct mistake *mistake;

    PCM_UNUSED(file);
    if (request->mistake >= PCM_MISTAKE_COUNT || device->stream) {
        return device->stream ? STATUS_DEVICE_BUSY : STATUS_INVALID_PARAMETER;
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
