/* SPDX-License-Identifier: MIT */
/* sb16.sys: packet by packet, from memory that the channel need not reach */
#include "sb16.h"

#define PACKET_BYTES                0x4000u

struct packet {
    PDMA_ADAPTER dma;
    PMDL mdl;
    PVOID base;
    KEVENT granted;
};

DEVICE_DESCRIPTION channel_description(const struct card *card, ULONG bits, ULONG length, bool again)
{
    return (DEVICE_DESCRIPTION){
        .Version = DEVICE_DESCRIPTION_VERSION2,
        .AutoInitialize = again,
        .InterfaceType = InterfaceTypeUndefined,
        .DmaChannel = card->channel[bits == 16],
        .DmaWidth = bits == 16 ? Width16Bits : Width8Bits,
        .DmaSpeed = Compatible,
        .MaximumLength = length,
    };
}

static IO_ALLOCATION_ACTION NTAPI granted(PDEVICE_OBJECT device, PIRP irp, PVOID base, PVOID context)
{
    struct packet *packet = context;

    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    packet->base = base;
    KeSetEvent(&packet->granted, IO_NO_INCREMENT, FALSE);
    return KeepObject;
}

/* The channel is ours when this returns. */
static NTSTATUS take(struct card *card, struct packet *packet, PUCHAR data, ULONG length)
{
    ULONG registers = ADDRESS_AND_SIZE_TO_SPAN_PAGES(data, length);
    NTSTATUS status;
    KIRQL irql;

    KeInitializeEvent(&packet->granted, NotificationEvent, FALSE);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    status = packet->dma->DmaOperations->AllocateAdapterChannel(packet->dma, card->self, registers, granted,
                                                                packet);
    KeLowerIrql(irql);
    if (NT_SUCCESS(status)) {
        KeWaitForSingleObject(&packet->granted, Executive, KernelMode, FALSE, NULL);
    }
    return status;
}

static void give(struct packet *packet, PUCHAR data, ULONG length)
{
    KIRQL irql;

    packet->dma->DmaOperations->FlushAdapterBuffers(packet->dma, packet->mdl, packet->base, data, length, TRUE);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    packet->dma->DmaOperations->FreeAdapterChannel(packet->dma);
    KeLowerIrql(irql);
}

static ULONG left(const struct packet *packet)
{
    return packet->dma->DmaOperations->ReadDmaCounter(packet->dma);
}

/* Until the counter was seen on its way; false: the card was quicker. */
static bool goes(const struct card *card, const struct packet *packet, ULONG length)
{
    LARGE_INTEGER pause = { .QuadPart = -10000 };

    while (left(packet) == length && !card->interrupts) {
        KeDelayExecutionThread(KernelMode, FALSE, &pause);
    }
    return !card->interrupts;
}

static NTSTATUS play_mapped(struct card *card, const struct sb16_play *play, struct packet *packet, PUCHAR data,
                            ULONG length, struct sb16_played *played)
{
    ULONG mapped = length;
    NTSTATUS status = take(card, packet, data, length);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    packet->dma->DmaOperations->MapTransfer(packet->dma, packet->mdl, packet->base, data, &mapped, TRUE);
    played->astray += left(packet) != length;
    if (!card_play(card, play->bits, play->rate, length, false)) {
        status = STATUS_IO_DEVICE_ERROR;
    } else {
        bool seen = goes(card, packet, length);

        status = card_wait(card, 1) ? STATUS_SUCCESS : STATUS_IO_DEVICE_ERROR;
        played->ended += seen;
        played->astray += seen && left(packet) != 0;
    }
    if (!NT_SUCCESS(status)) {
        card_halt(card);
    }
    give(packet, data, length);
    played->interrupts += (ULONG)card->interrupts;
    played->blocks++;
    played->bytes += length;
    return status;
}

static NTSTATUS play_one(struct card *card, const struct sb16_play *play, struct packet *packet, PUCHAR data,
                         ULONG length, struct sb16_played *played)
{
    NTSTATUS status;

    packet->mdl = IoAllocateMdl(data, length, FALSE, FALSE, NULL);
    if (!packet->mdl) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    MmBuildMdlForNonPagedPool(packet->mdl);
    status = play_mapped(card, play, packet, data, length, played);
    IoFreeMdl(packet->mdl);
    return status;
}

static NTSTATUS play_silence(struct card *card, const struct sb16_play *play, struct packet *packet,
                             struct sb16_played *played)
{
    ULONG length = silent_bytes(play->bits);
    PUCHAR data = ExAllocatePoolWithTag(NonPagedPool, length, SB16_TAG);
    NTSTATUS status;

    if (!data) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlFillMemory(data, length, silence(play->bits));
    status = play_one(card, play, packet, data, length, played);
    ExFreePoolWithTag(data, SB16_TAG);
    return status;
}

NTSTATUS play_packets(struct card *card, const struct sb16_play *play, PUCHAR data,
                      struct sb16_played *played)
{
    DEVICE_DESCRIPTION description = channel_description(card, play->bits, PACKET_BYTES, false);
    struct packet packet;
    ULONG registers;
    NTSTATUS status = STATUS_SUCCESS;

    packet.dma = IoGetDmaAdapter(card->physical, &description, &registers);
    if (!packet.dma) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    played->block_bytes = PACKET_BYTES;
    for (ULONG at = 0; at < play->bytes && NT_SUCCESS(status); at += PACKET_BYTES) {
        ULONG length = min(play->bytes - at, PACKET_BYTES);

        status = play_one(card, play, &packet, data + at, length, played);
    }
    if (NT_SUCCESS(status)) {
        status = play_silence(card, play, &packet, played);
    }
    packet.dma->DmaOperations->PutDmaAdapter(packet.dma);
    return status;
}
