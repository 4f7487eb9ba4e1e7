/* SPDX-License-Identifier: MIT */
/* sb16.sys: a buffer of two blocks, which the channel goes through again and again */
#include "sb16.h"

#define BLOCK_BYTES                 0x1000u
#define RING_BYTES                  (2 * BLOCK_BYTES)
/* So many bytes take a fifth of a second at the lowest rate. */
#define NEAR_END                    1024u
#define END_MICROSECONDS            2000000u

struct ring {
    struct card *card;
    const struct sb16_play *play;
    const UCHAR *data;
    struct sb16_played *played;
    PUCHAR buffer;
    IDmaChannelSlave *slave;            /* NULL: the adapter is the driver's own */
    PDMA_ADAPTER dma;
    PMDL mdl;
    PVOID base;
    KEVENT granted;
};

static ULONG left(const struct ring *ring)
{
    return ring->slave ? ring->slave->lpVtbl->ReadCounter(ring->slave)
                       : ring->dma->DmaOperations->ReadDmaCounter(ring->dma);
}

/* The block with that number, or as much as there is of it, and silence. */
static void fill(const struct ring *ring, ULONG block)
{
    PUCHAR to = ring->buffer + block % 2 * BLOCK_BYTES;
    ULONG at = block * BLOCK_BYTES, length = 0;

    if (at < ring->play->bytes) {
        length = min(ring->play->bytes - at, BLOCK_BYTES);
        RtlCopyMemory(to, ring->data + at, length);
    }
    RtlFillMemory(to + length, BLOCK_BYTES - length, silence(ring->play->bits));
}

/* The card is in that block: so must the counter be, or in the next if it was quick. */
static void look(const struct ring *ring, ULONG block)
{
    ULONG position = RING_BYTES - left(ring);

    ring->played->astray += position / BLOCK_BYTES != block % 2;
}

static bool polled(const struct ring *ring)
{
    ULONG before = RING_BYTES, now;

    for (ULONG waited = 0; waited < END_MICROSECONDS; waited += 10, before = now) {
        now = left(ring);
        if (now > before) {
            return true;
        }
        KeStallExecutionProcessor(10);
    }
    return false;
}

/*
 * The last block ends where the buffer does: the count goes from there to all
 * again.  It is looked at closely only when the end is near.
 */
static bool ends(const struct ring *ring)
{
    LARGE_INTEGER pause = { .QuadPart = -10000 };
    ULONG before = RING_BYTES, now;

    for (now = left(ring); now > NEAR_END && now <= before; now = left(ring)) {
        before = now;
        KeDelayExecutionThread(KernelMode, FALSE, &pause);
    }
    if (now > before) {
        return true;
    }
    return ring->slave ? NT_SUCCESS(ring->slave->lpVtbl->WaitForTC(ring->slave, END_MICROSECONDS))
                       : polled(ring);
}

/* Plays a whole number of turns: the channel has been started. */
static NTSTATUS pump(struct ring *ring)
{
    const struct sb16_play *play = ring->play;
    ULONG bytes = play->bytes + silent_bytes(play->bits);
    ULONG blocks = (bytes + RING_BYTES - 1) / RING_BYTES * 2;

    ring->played->blocks = blocks;
    ring->played->bytes = blocks * BLOCK_BYTES;
    ring->played->block_bytes = BLOCK_BYTES;
    ring->played->astray = left(ring) != RING_BYTES;
    if (!card_play(ring->card, play->bits, play->rate, BLOCK_BYTES, true)) {
        return STATUS_IO_DEVICE_ERROR;
    }
    for (ULONG done = 1; done < blocks; done++) {
        if (!card_wait(ring->card, (LONG)done)) {
            return STATUS_IO_DEVICE_ERROR;
        }
        look(ring, done);
        if (done + 1 < blocks) {
            fill(ring, done + 1);
        }
    }
    if (!card_end(ring->card, play->bits)) {
        return STATUS_IO_DEVICE_ERROR;
    }
    ring->played->ended = ends(ring);
    return card_wait(ring->card, (LONG)blocks) ? STATUS_SUCCESS : STATUS_IO_DEVICE_ERROR;
}

static NTSTATUS run(struct ring *ring)
{
    NTSTATUS status = pump(ring);

    if (!NT_SUCCESS(status)) {
        card_halt(ring->card);
    }
    ring->played->interrupts = (ULONG)ring->card->interrupts;
    return status;
}

static void fill_both(const struct ring *ring)
{
    fill(ring, 0);
    fill(ring, 1);
}

/* --- the adapter is the driver's own --------------------------------------- */

static IO_ALLOCATION_ACTION NTAPI granted(PDEVICE_OBJECT device, PIRP irp, PVOID base, PVOID context)
{
    struct ring *ring = context;

    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    ring->base = base;
    KeSetEvent(&ring->granted, IO_NO_INCREMENT, FALSE);
    return KeepObject;
}

static NTSTATUS map(struct ring *ring)
{
    ULONG length = RING_BYTES, registers = ADDRESS_AND_SIZE_TO_SPAN_PAGES(ring->buffer, RING_BYTES);
    NTSTATUS status;
    KIRQL irql;

    KeInitializeEvent(&ring->granted, NotificationEvent, FALSE);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    status = ring->dma->DmaOperations->AllocateAdapterChannel(ring->dma, ring->card->self, registers, granted,
                                                              ring);
    KeLowerIrql(irql);
    if (NT_SUCCESS(status)) {
        KeWaitForSingleObject(&ring->granted, Executive, KernelMode, FALSE, NULL);
        ring->dma->DmaOperations->MapTransfer(ring->dma, ring->mdl, ring->base, ring->buffer, &length, TRUE);
    }
    return status;
}

static void unmap(struct ring *ring)
{
    KIRQL irql;

    ring->dma->DmaOperations->FlushAdapterBuffers(ring->dma, ring->mdl, ring->base, ring->buffer, RING_BYTES,
                                                  TRUE);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    ring->dma->DmaOperations->FreeAdapterChannel(ring->dma);
    KeLowerIrql(irql);
}

static NTSTATUS play_mapped(struct ring *ring)
{
    NTSTATUS status;

    ring->mdl = IoAllocateMdl(ring->buffer, RING_BYTES, FALSE, FALSE, NULL);
    if (!ring->mdl) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    MmBuildMdlForNonPagedPool(ring->mdl);
    status = map(ring);
    if (NT_SUCCESS(status)) {
        status = run(ring);
        unmap(ring);
    }
    IoFreeMdl(ring->mdl);
    return status;
}

NTSTATUS play_common(struct card *card, const struct sb16_play *play, const UCHAR *data,
                     struct sb16_played *played)
{
    DEVICE_DESCRIPTION description = channel_description(card, play->bits, RING_BYTES, true);
    struct ring ring = { .card = card, .play = play, .data = data, .played = played };
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
    PHYSICAL_ADDRESS logical;
    ULONG registers;

    ring.dma = IoGetDmaAdapter(card->physical, &description, &registers);
    if (!ring.dma) {
        return status;
    }
    ring.buffer = ring.dma->DmaOperations->AllocateCommonBuffer(ring.dma, RING_BYTES, &logical, TRUE);
    if (ring.buffer) {
        played->logical = logical.LowPart;
        fill_both(&ring);
        status = play_mapped(&ring);
        ring.dma->DmaOperations->FreeCommonBuffer(ring.dma, RING_BYTES, logical, ring.buffer, TRUE);
    }
    ring.dma->DmaOperations->PutDmaAdapter(ring.dma);
    return status;
}

/* --- the port class driver has it ------------------------------------------- */

NTSTATUS play_channel(struct card *card, const struct sb16_play *play, const UCHAR *data,
                      struct sb16_played *played)
{
    DEVICE_DESCRIPTION description = channel_description(card, play->bits, RING_BYTES, true);
    struct ring ring = { .card = card, .play = play, .data = data, .played = played };
    PHYSICAL_ADDRESS logical, line = { .QuadPart = 0xffff };
    PDMACHANNEL channel;
    NTSTATUS status = PcNewDmaChannel(&channel, NULL, NonPagedPool, &description, card->self);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = channel->lpVtbl->QueryInterface(channel, &IID_IDmaChannelSlave, (PVOID *)&ring.slave);
    channel->lpVtbl->Release(channel);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = ring.slave->lpVtbl->AllocateBuffer(ring.slave, RING_BYTES, &line);
    if (NT_SUCCESS(status)) {
        played->logical = ring.slave->lpVtbl->PhysicalAddress(ring.slave, &logical)->LowPart;
        ring.buffer = ring.slave->lpVtbl->SystemAddress(ring.slave);
        fill_both(&ring);
        status = ring.slave->lpVtbl->Start(ring.slave, RING_BYTES, TRUE);
    }
    if (NT_SUCCESS(status)) {
        status = run(&ring);
        ring.slave->lpVtbl->Stop(ring.slave);
    }
    ring.slave->lpVtbl->Release(ring.slave);
    return status;
}
