/* SPDX-License-Identifier: MIT */
/* pcmaster-faulty.sys: map registers, channels and lists that are not given back, or twice */
#include "mistakes.h"

/* Of MaximumLength in the adapter's description, and one more. */
#define ALL_REGISTERS               17u

/* --- what is taken ---------------------------------------------------------- */

/* Raises to DISPATCH_LEVEL, where all of these are called. */
struct taken taken_open(struct scene *s)
{
    struct taken p = { .s = s, .action = DeallocateObjectKeepRegisters };

    p.memory = pool_allocate(LENGTH);
    p.mdl = IoAllocateMdl(p.memory, LENGTH, FALSE, FALSE, NULL);
    MmBuildMdlForNonPagedPool(p.mdl);
    KeRaiseIrql(DISPATCH_LEVEL, &p.irql);
    return p;
}

void taken_close(const struct taken *p)
{
    KeLowerIrql(p->irql);
    IoFreeMdl(p->mdl);
    ExFreePoolWithTag(p->memory, PCM_POOL_TAG);
}

IO_ALLOCATION_ACTION NTAPI registers_ready(PDEVICE_OBJECT device, PIRP irp, PVOID base, PVOID context)
{
    struct taken *p = context;

    PCM_UNUSED(device);
    PCM_UNUSED(irp);
    p->base = base;
    return p->action;
}

void take_registers(struct taken *p, ULONG count)
{
    p->s->call->AllocateAdapterChannel(p->s->dma, p->s->device->functional, count, registers_ready, p);
}

void free_registers(const struct taken *p, ULONG count)
{
    p->s->call->FreeMapRegisters(p->s->dma, p->base, count);
}

void map(const struct taken *p, ULONG length)
{
    p->s->call->MapTransfer(p->s->dma, p->mdl, p->base, p->memory, &length, TRUE);
}

void flush(const struct taken *p, ULONG length)
{
    p->s->call->FlushAdapterBuffers(p->s->dma, p->mdl, p->base, p->memory, length, TRUE);
}

VOID NTAPI list_ready(PDEVICE_OBJECT device, PIRP irp, PSCATTER_GATHER_LIST list, PVOID context)
{
    struct taken *p = context;

    PCM_UNUSED(device);
    PCM_UNUSED(irp);
    p->list = list;
}

void take_list(struct taken *p)
{
    p->s->call->GetScatterGatherList(p->s->dma, p->s->device->functional, p->mdl, p->memory, LENGTH,
                                     list_ready, p, TRUE);
}

/* --- given back twice, or not at all ---------------------------------------- */

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
    PDEVICE_OBJECT self = s->device->functional;

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
    s->call->AllocateAdapterChannel(s->dma, s->device->functional, 1, nothing_kept, NULL); /* channel-inside */
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

    s->call->AllocateAdapterChannel(s->dma, s->device->functional, 1, asks_inside, s);
    taken_close(&p);
}

/* --- noticed at unload ------------------------------------------------------ */

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
