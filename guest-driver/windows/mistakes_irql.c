/* SPDX-License-Identifier: MIT */
/* pcmaster-faulty.sys: calls at an IRQL that the routine does not allow */
#include "mistakes.h"

/* --- common buffers and adapters -------------------------------------------- */

void irql_allocate(struct scene *s)
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

void irql_ex(struct scene *s)
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

void irql_bounds(struct scene *s)
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

void irql_free(struct scene *s)
{
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    s->call->FreeCommonBuffer(s->dma, LENGTH, s->logical, s->address, TRUE); /* irql-free */
    KeLowerIrql(irql);
}

void irql_alignment(struct scene *s)
{
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    s->call->GetDmaAlignment(s->dma); /* irql-alignment */
    KeLowerIrql(irql);
    free_buffer(s);
}

void irql_info(struct scene *s)
{
    DMA_ADAPTER_INFO info = { .Version = DMA_ADAPTER_INFO_VERSION1 };
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL + 1, &irql);
    s->call->GetDmaAdapterInfo(s->dma, &info); /* irql-info */
    KeLowerIrql(irql);
    free_buffer(s);
}

void irql_adapter(struct scene *s)
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

void irql_put(struct scene *s)
{
    KIRQL irql;

    free_buffer(s);
    KeRaiseIrql(DISPATCH_LEVEL + 1, &irql);
    s->call->PutDmaAdapter(s->dma); /* irql-put */
    KeLowerIrql(irql);
    s->dma = NULL;
}

void irql_channel(struct scene *s)
{
    DEVICE_DESCRIPTION3 description = describe_master();
    PDMACHANNEL channel;
    KIRQL irql;

    free_buffer(s);
    if (!NT_SUCCESS(PcNewDmaChannel(&channel, NULL, NonPagedPool, (PDEVICE_DESCRIPTION)&description,
                                    s->device->functional))) {
        return;
    }
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    channel->lpVtbl->AllocateBuffer(channel, LENGTH, NULL); /* irql-channel */
    KeLowerIrql(irql);
    channel->lpVtbl->Release(channel);
}

void irql_vector_new(struct scene *s)
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

void irql_vector(struct scene *s)
{
    PDMA_COMMON_BUFFER_VECTOR vector = new_vector(s);
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    s->call->FreeCommonBufferVector(s->dma, vector); /* irql-vector */
    KeLowerIrql(irql);
    free_buffer(s);
}

/* --- map registers and lists ------------------------------------------------ */

void irql_list(struct scene *s)
{
    struct taken p = taken_open(s);
    PDEVICE_OBJECT self = s->device->functional;

    KeLowerIrql(p.irql);
    s->call->GetScatterGatherList(s->dma, self, p.mdl, p.memory, 1, list_ready, &p, TRUE); /* irql-list */
    KeRaiseIrql(DISPATCH_LEVEL, &p.irql);
    s->call->PutScatterGatherList(s->dma, p.list, TRUE);
    taken_close(&p);
}

void irql_request(struct scene *s)
{
    struct taken p = taken_open(s);
    PDEVICE_OBJECT self = s->device->functional;

    KeLowerIrql(p.irql);
    s->call->AllocateAdapterChannel(s->dma, self, 2, registers_ready, &p); /* irql-request */
    KeRaiseIrql(DISPATCH_LEVEL, &p.irql);
    free_registers(&p, 2);
    taken_close(&p);
}

void irql_registers(struct scene *s)
{
    struct taken p = taken_open(s);

    take_registers(&p, 2);
    KeLowerIrql(p.irql);
    s->call->FreeMapRegisters(s->dma, p.base, 2); /* irql-registers */
    KeRaiseIrql(DISPATCH_LEVEL, &p.irql);
    taken_close(&p);
}

void irql_put_list(struct scene *s)
{
    struct taken p = taken_open(s);

    take_list(&p);
    KeLowerIrql(p.irql);
    s->call->PutScatterGatherList(s->dma, p.list, TRUE); /* irql-put-list */
    KeRaiseIrql(DISPATCH_LEVEL, &p.irql);
    taken_close(&p);
}

void irql_map(struct scene *s)
{
    struct taken p = taken_open(s);
    ULONG length = LENGTH;
    KIRQL irql;

    take_registers(&p, 3);
    KeRaiseIrql(DISPATCH_LEVEL + 1, &irql);
    s->call->MapTransfer(s->dma, p.mdl, p.base, p.memory, &length, TRUE); /* irql-map */
    KeLowerIrql(irql);
    flush(&p, LENGTH);
    free_registers(&p, 3);
    taken_close(&p);
}

void irql_flush(struct scene *s)
{
    struct taken p = taken_open(s);
    KIRQL irql;

    take_registers(&p, 3);
    map(&p, LENGTH);
    KeRaiseIrql(DISPATCH_LEVEL + 1, &irql);
    s->call->FlushAdapterBuffers(s->dma, p.mdl, p.base, p.memory, LENGTH, TRUE); /* irql-flush */
    KeLowerIrql(irql);
    free_registers(&p, 3);
    taken_close(&p);
}

void irql_list_ex(struct scene *s)
{
    struct taken p = taken_open(s);
    ULONGLONG context[DMA_TRANSFER_CONTEXT_SIZE_V1 / sizeof(ULONGLONG)];
    PDMA_OPERATIONS3 call = s->call;
    PDEVICE_OBJECT self = s->device->functional;

    call->InitializeDmaTransferContext(s->dma, context);
    KeLowerIrql(p.irql);
    call->GetScatterGatherListEx(s->dma, self, context, p.mdl, 0, 1, 0, list_ready, &p, 1, 0, 0, 0); /* irql-list-ex */
    KeRaiseIrql(DISPATCH_LEVEL, &p.irql);
    call->PutScatterGatherList(s->dma, p.list, TRUE);
    taken_close(&p);
}

void irql_context(struct scene *s)
{
    struct taken p = taken_open(s);
    ULONGLONG context[DMA_TRANSFER_CONTEXT_SIZE_V1 / sizeof(ULONGLONG)];
    KIRQL before;

    KeRaiseIrql(DISPATCH_LEVEL + 1, &before);
    s->call->InitializeDmaTransferContext(s->dma, context); /* irql-context */
    KeLowerIrql(before);
    taken_close(&p);
}
