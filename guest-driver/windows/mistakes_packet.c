/* SPDX-License-Identifier: MIT */
/* pcmaster-faulty.sys: mistakes with map registers, channels and lists */
#include "mistakes.h"

/* Of MaximumLength in the adapter's description, and one more. */
#define ALL_REGISTERS               17u
#define LIST_ROOM                   512u

/* Memory to transfer, and what was got for that. */
struct taken {
    struct scene *s;
    PUCHAR memory;
    PMDL mdl;
    IO_ALLOCATION_ACTION action;
    PVOID base;
    PSCATTER_GATHER_LIST list;
    KIRQL irql;
};

/* Raises to DISPATCH_LEVEL, where all of these are called. */
static struct taken taken_open(struct scene *s)
{
    struct taken p = { .s = s, .action = DeallocateObjectKeepRegisters };

    p.memory = pool_allocate(LENGTH);
    p.mdl = IoAllocateMdl(p.memory, LENGTH, FALSE, FALSE, NULL);
    MmBuildMdlForNonPagedPool(p.mdl);
    KeRaiseIrql(DISPATCH_LEVEL, &p.irql);
    return p;
}

static void taken_close(const struct taken *p)
{
    KeLowerIrql(p->irql);
    IoFreeMdl(p->mdl);
    ExFreePoolWithTag(p->memory, PCM_POOL_TAG);
}

static IO_ALLOCATION_ACTION NTAPI registers_ready(PDEVICE_OBJECT device, PIRP irp, PVOID base,
                                                  PVOID context)
{
    struct taken *p = context;

    PCM_UNUSED(device);
    PCM_UNUSED(irp);
    p->base = base;
    return p->action;
}

static void take_registers(struct taken *p, ULONG count)
{
    p->s->call->AllocateAdapterChannel(p->s->dma, p->s->device->self, count, registers_ready, p);
}

static void free_registers(const struct taken *p, ULONG count)
{
    p->s->call->FreeMapRegisters(p->s->dma, p->base, count);
}

static void map(const struct taken *p, ULONG length)
{
    p->s->call->MapTransfer(p->s->dma, p->mdl, p->base, p->memory, &length, TRUE);
}

static void flush(const struct taken *p, ULONG length)
{
    p->s->call->FlushAdapterBuffers(p->s->dma, p->mdl, p->base, p->memory, length, TRUE);
}

static VOID NTAPI list_ready(PDEVICE_OBJECT device, PIRP irp, PSCATTER_GATHER_LIST list, PVOID context)
{
    struct taken *p = context;

    PCM_UNUSED(device);
    PCM_UNUSED(irp);
    p->list = list;
}

static void take_list(struct taken *p)
{
    p->s->call->GetScatterGatherList(p->s->dma, p->s->device->self, p->mdl, p->memory, LENGTH,
                                     list_ready, p, TRUE);
}

/* --- given back twice, or not at all ------------------------------------------- */

void channel_free_twice(struct scene *s)
{
    struct taken p = taken_open(s);

    p.action = KeepObject;
    take_registers(&p, 2);
    s->call->FreeAdapterChannel(s->dma);
    s->call->FreeAdapterChannel(s->dma); /* channel-free-twice */
    taken_close(&p);
}

void registers_unknown(struct scene *s)
{
    struct taken p = taken_open(s);

    take_registers(&p, 2);
    free_registers(&p, 2);
    s->call->FreeMapRegisters(s->dma, p.base, 2); /* registers-unknown */
    taken_close(&p);
}

/* Others were taken meanwhile, which must not be taken for them. */
void registers_reused(struct scene *s)
{
    struct taken p = taken_open(s);
    PVOID old;

    take_registers(&p, 2);
    old = p.base;
    free_registers(&p, 2);
    take_registers(&p, 2);
    s->call->FreeMapRegisters(s->dma, old, 2); /* registers-reused */
    if (p.base != old) {
        free_registers(&p, 2);
    }
    taken_close(&p);
}

void list_reused(struct scene *s)
{
    struct taken p = taken_open(s);
    PSCATTER_GATHER_LIST old;

    take_list(&p);
    old = p.list;
    s->call->PutScatterGatherList(s->dma, old, TRUE);
    take_list(&p);
    s->call->PutScatterGatherList(s->dma, old, TRUE); /* list-reused */
    if (p.list != old) {
        s->call->PutScatterGatherList(s->dma, p.list, TRUE);
    }
    taken_close(&p);
}

void registers_count(struct scene *s)
{
    struct taken p = taken_open(s);

    take_registers(&p, 2);
    s->call->FreeMapRegisters(s->dma, p.base, 1); /* registers-count */
    taken_close(&p);
}

void list_unknown(struct scene *s)
{
    struct taken p = taken_open(s);

    take_list(&p);
    s->call->PutScatterGatherList(s->dma, p.list, TRUE);
    s->call->PutScatterGatherList(s->dma, p.list, TRUE); /* list-unknown */
    taken_close(&p);
}

void put_live_channel(struct scene *s)
{
    struct taken p = taken_open(s);

    p.action = KeepObject;
    take_registers(&p, 2);
    s->call->PutDmaAdapter(s->dma); /* put-live-channel */
    s->dma = NULL;
    taken_close(&p);
}

void put_live_registers(struct scene *s)
{
    struct taken p = taken_open(s);

    take_registers(&p, 2);
    s->call->PutDmaAdapter(s->dma); /* put-live-registers */
    s->dma = NULL;
    taken_close(&p);
}

void put_live_list(struct scene *s)
{
    struct taken p = taken_open(s);

    take_list(&p);
    s->call->PutDmaAdapter(s->dma); /* put-live-list */
    s->dma = NULL;
    taken_close(&p);
}

/* All registers are in use, so that a second request waits. */
void put_waiting(struct scene *s)
{
    struct taken p = taken_open(s), waiting = p;

    take_registers(&p, ALL_REGISTERS);
    take_registers(&waiting, 1);
    s->call->PutDmaAdapter(s->dma); /* put-waiting */
    s->dma = NULL;
    taken_close(&p);
}

void two_channels(struct scene *s)
{
    struct taken p = taken_open(s), waiting = p;
    PDEVICE_OBJECT self = s->device->self;

    waiting.action = DeallocateObject;
    take_registers(&p, ALL_REGISTERS);
    take_registers(&waiting, 1);
    s->call->AllocateAdapterChannel(s->dma, self, 1, registers_ready, &waiting); /* two-channels */
    free_registers(&p, ALL_REGISTERS);
    taken_close(&p);
}

static IO_ALLOCATION_ACTION NTAPI nothing_kept(PDEVICE_OBJECT self, PIRP irp, PVOID base, PVOID context)
{
    PCM_UNUSED(self);
    PCM_UNUSED(irp);
    PCM_UNUSED(base);
    PCM_UNUSED(context);
    return DeallocateObject;
}

__attribute__((noinline))
static void channel_inside(struct scene *s)
{
    s->call->AllocateAdapterChannel(s->dma, s->device->self, 1, nothing_kept, NULL); /* channel-inside */
}

/* Asks for the next registers before it has returned. */
static IO_ALLOCATION_ACTION NTAPI asks_inside(PDEVICE_OBJECT self, PIRP irp, PVOID base, PVOID context)
{
    channel_inside(context);
    return nothing_kept(self, irp, base, context);
}

void channel_from_routine(struct scene *s)
{
    struct taken p = taken_open(s);

    s->call->AllocateAdapterChannel(s->dma, s->device->self, 1, asks_inside, s);
    taken_close(&p);
}

/* --- mapping and flushing -------------------------------------------------------- */

void registers_mapped(struct scene *s)
{
    struct taken p = taken_open(s);

    take_registers(&p, 3);
    map(&p, LENGTH);
    s->call->FreeMapRegisters(s->dma, p.base, 3); /* registers-mapped */
    taken_close(&p);
}

void too_many_registers(struct scene *s)
{
    struct taken p = taken_open(s);
    ULONG length = LENGTH;

    take_registers(&p, 1);
    s->call->MapTransfer(s->dma, p.mdl, p.base, p.memory, &length, TRUE); /* too-many-registers */
    flush(&p, length);
    free_registers(&p, 1);
    taken_close(&p);
}

void not_flushed(struct scene *s)
{
    struct taken p = taken_open(s);
    UCHAR room[LIST_ROOM];
    PSCATTER_GATHER_LIST list = (PSCATTER_GATHER_LIST)room;
    ULONG size = sizeof(room), length = PAGE_SIZE;
    PDMA_OPERATIONS3 call = s->call;

    take_registers(&p, 3);
    call->MapTransferEx(s->dma, p.mdl, p.base, 0, 0, &length, TRUE, list, size, 0, 0);
    call->MapTransferEx(s->dma, p.mdl, p.base, PAGE_SIZE, 0, &length, TRUE, list, size, 0, 0); /* not-flushed */
    flush(&p, LENGTH);
    free_registers(&p, 3);
    taken_close(&p);
}

void flush_unmapped(struct scene *s)
{
    struct taken p = taken_open(s);

    take_registers(&p, 3);
    map(&p, PAGE_SIZE);
    s->call->FlushAdapterBuffers(s->dma, p.mdl, p.base, p.memory, LENGTH, TRUE); /* flush-unmapped */
    flush(&p, PAGE_SIZE);
    free_registers(&p, 3);
    taken_close(&p);
}

void outside_mdl(struct scene *s)
{
    struct taken p = taken_open(s);
    PUCHAR behind = p.memory + LENGTH;
    ULONG length = 1;

    take_registers(&p, 3);
    s->call->MapTransfer(s->dma, p.mdl, p.base, behind, &length, TRUE); /* outside-mdl */
    free_registers(&p, 3);
    taken_close(&p);
}

void beyond_mdl(struct scene *s)
{
    struct taken p = taken_open(s);
    ULONG length = LENGTH + 1;

    take_registers(&p, 3);
    s->call->MapTransfer(s->dma, p.mdl, p.base, p.memory, &length, TRUE); /* beyond-mdl */
    flush(&p, LENGTH);
    free_registers(&p, 3);
    taken_close(&p);
}

void length_zero(struct scene *s)
{
    struct taken p = taken_open(s);
    ULONG length = 0;

    take_registers(&p, 3);
    s->call->MapTransfer(s->dma, p.mdl, p.base, p.memory, &length, TRUE); /* length-zero */
    free_registers(&p, 3);
    taken_close(&p);
}

void direction(struct scene *s)
{
    struct taken p = taken_open(s);

    take_registers(&p, 3);
    map(&p, LENGTH);
    s->call->FlushAdapterBuffers(s->dma, p.mdl, p.base, p.memory, LENGTH, FALSE); /* direction */
    free_registers(&p, 3);
    taken_close(&p);
}

/* --- wrong IRQLs --------------------------------------------------------------------- */

void irql_list(struct scene *s)
{
    struct taken p = taken_open(s);
    PDEVICE_OBJECT self = s->device->self;

    KeLowerIrql(p.irql);
    s->call->GetScatterGatherList(s->dma, self, p.mdl, p.memory, 1, list_ready, &p, TRUE); /* irql-list */
    KeRaiseIrql(DISPATCH_LEVEL, &p.irql);
    s->call->PutScatterGatherList(s->dma, p.list, TRUE);
    taken_close(&p);
}

void irql_request(struct scene *s)
{
    struct taken p = taken_open(s);
    PDEVICE_OBJECT self = s->device->self;

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
    PDEVICE_OBJECT self = s->device->self;

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

/* --- lists, and what is gone ------------------------------------------------------- */

void list_direction(struct scene *s)
{
    struct taken p = taken_open(s);

    take_list(&p);
    s->call->PutScatterGatherList(s->dma, p.list, FALSE); /* list-direction */
    taken_close(&p);
}

void list_outside(struct scene *s)
{
    struct taken p = taken_open(s);
    PDEVICE_OBJECT self = s->device->self;
    PUCHAR before = p.memory - 1;

    s->call->GetScatterGatherList(s->dma, self, p.mdl, before, 1, list_ready, &p, TRUE); /* list-outside */
    taken_close(&p);
}

void map_freed(struct scene *s)
{
    struct taken p = taken_open(s);
    ULONG length = LENGTH;

    take_registers(&p, 3);
    free_registers(&p, 3);
    s->call->MapTransfer(s->dma, p.mdl, p.base, p.memory, &length, TRUE); /* map-freed */
    taken_close(&p);
}

/* No pages were locked for the MDL any more, or ever. */
void not_locked(struct scene *s)
{
    struct taken p = taken_open(s);
    ULONG length = LENGTH;

    p.mdl->MdlFlags &= ~MDL_SOURCE_IS_NONPAGED_POOL;
    take_registers(&p, 3);
    s->call->MapTransfer(s->dma, p.mdl, p.base, p.memory, &length, TRUE); /* not-locked */
    free_registers(&p, 3);
    taken_close(&p);
}

void list_not_locked(struct scene *s)
{
    struct taken p = taken_open(s);
    PDEVICE_OBJECT self = s->device->self;

    p.mdl->MdlFlags &= ~MDL_SOURCE_IS_NONPAGED_POOL;
    s->call->GetScatterGatherList(s->dma, self, p.mdl, p.memory, 1, list_ready, &p, TRUE); /* list-not-locked */
    taken_close(&p);
}

void mapped_twice(struct scene *s)
{
    struct taken p = taken_open(s);
    ULONG length = PAGE_SIZE;

    take_registers(&p, 3);
    map(&p, PAGE_SIZE);
    s->call->MapTransfer(s->dma, p.mdl, p.base, p.memory, &length, TRUE); /* mapped-twice */
    flush(&p, PAGE_SIZE);
    flush(&p, PAGE_SIZE);
    free_registers(&p, 3);
    taken_close(&p);
}

/* --- noticed at unload ---------------------------------------------------------- */

void unload_channel(struct scene *s)
{
    struct taken p = taken_open(s);

    p.action = KeepObject;
    take_registers(&p, 2);
    s->dma = NULL;
    taken_close(&p);
}

void unload_registers(struct scene *s)
{
    struct taken p = taken_open(s);

    take_registers(&p, 2);
    s->dma = NULL;
    taken_close(&p);
}

void unload_list(struct scene *s)
{
    struct taken p = taken_open(s);

    take_list(&p);
    s->dma = NULL;
    taken_close(&p);
}
