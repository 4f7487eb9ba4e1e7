/* SPDX-License-Identifier: MIT */
/* pcmaster-faulty.sys: system DMA, and what a bus master has nothing of */
#include "mistakes.h"

#define WORD_CHANNEL                7u

/* In place of the scene's adapter: that of a channel which moves words. */
static BOOLEAN to_channel(struct scene *s)
{
    DEVICE_DESCRIPTION description = {
        .Version = DEVICE_DESCRIPTION_VERSION1,
        .InterfaceType = Isa,
        .DmaChannel = WORD_CHANNEL,
        .DmaWidth = Width16Bits,
        .MaximumLength = LENGTH,
    };
    ULONG registers;

    put_adapter(s->dma);
    s->dma = IoGetDmaAdapter(s->device->physical, &description, &registers);
    if (s->dma) {
        s->call = (PDMA_OPERATIONS3)s->dma->DmaOperations;
    }
    return s->dma != NULL;
}

void no_counter(struct scene *s)
{
    s->call->ReadDmaCounter(s->dma); /* no-counter */
}

void irql_counter(struct scene *s)
{
    KIRQL before;

    KeRaiseIrql(DISPATCH_LEVEL + 1, &before);
    s->call->ReadDmaCounter(s->dma); /* irql-counter */
    KeLowerIrql(before);
}

/* Half a word. */
void channel_length(struct scene *s)
{
    ULONG length = PAGE_SIZE + 1;
    struct taken p;

    if (!to_channel(s)) {
        return;
    }
    p = taken_open(s);
    p.action = KeepObject;
    take_registers(&p, 3);
    s->call->MapTransfer(s->dma, p.mdl, p.base, p.memory, &length, TRUE); /* channel-length */
    flush(&p, length);
    s->call->FreeAdapterChannel(s->dma);
    taken_close(&p);
}

/* Other bytes, but the channel is not done with those before. */
void channel_not_flushed(struct scene *s)
{
    ULONG length = PAGE_SIZE;
    struct taken p;

    if (!to_channel(s)) {
        return;
    }
    p = taken_open(s);
    p.action = KeepObject;
    take_registers(&p, 3);
    map(&p, PAGE_SIZE);
    s->call->MapTransfer(s->dma, p.mdl, p.base, p.memory + PAGE_SIZE, &length, TRUE); /* channel-not-flushed */
    flush(&p, LENGTH);
    s->call->FreeAdapterChannel(s->dma);
    taken_close(&p);
}
