/* SPDX-License-Identifier: MIT */
/* edu.sys: DMA, there and back */
#include "edu.h"

/* So that packets do not begin at a page, and span two. */
#define PACKET_OFFSET               100u
#define PACKET_BYTES                EDU_BUFFER_BYTES
#define PACKET_ROOM                 (2 * PAGE_SIZE)

/*
 * Version 3 of the description says how many address lines there are.  Where it
 * is not to be had, a master that does not claim 32 bits is taken to have 24.
 */
NTSTATUS transfer_init(struct edu *edu)
{
    DEVICE_DESCRIPTION3 description = {
        .Version = DEVICE_DESCRIPTION_VERSION3,
        .Master = TRUE,
        .InterfaceType = PCIBus,
        .MaximumLength = PACKET_BYTES,
        .DmaAddressWidth = EDU_ADDRESS_BITS,
    };
    ULONG registers;

    edu->dma = IoGetDmaAdapter(edu->physical, (PDEVICE_DESCRIPTION)&description, &registers);
    if (!edu->dma) {
        description.Version = DEVICE_DESCRIPTION_VERSION2;
        edu->dma = IoGetDmaAdapter(edu->physical, (PDEVICE_DESCRIPTION)&description, &registers);
    }
    return edu->dma ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* What is sent: any 251 bytes in turn, all different for another SEED. */
static UCHAR sent(ULONG at, UCHAR seed)
{
    return (UCHAR)(at % 251 + seed);
}

static void fill(PUCHAR bytes, ULONG length, UCHAR seed)
{
    for (ULONG i = 0; i < length; i++) {
        bytes[i] = sent(i, seed);
    }
}

static ULONG count_wrong(const UCHAR *bytes, ULONG length, UCHAR seed)
{
    ULONG wrong = 0;

    for (ULONG i = 0; i < length; i++) {
        wrong += bytes[i] != sent(i, seed);
    }
    return wrong;
}

/* One transfer between LOGICAL and the device's memory at OFFSET. */
static void transfer(struct edu *edu, ULONGLONG logical, ULONG offset, ULONG length, BOOLEAN to_ram,
                     struct outcome *outcome)
{
    ULONG there = EDU_BUFFER + offset;

    if (logical + length - 1 > EDU_ADDRESS_LAST || offset + length > EDU_BUFFER_BYTES) {
        outcome->status = STATUS_INVALID_PARAMETER;
        return;
    }
    edu_write(edu, EDU_DMA_SOURCE, to_ram ? there : (ULONG)logical);
    edu_write(edu, EDU_DMA_DESTINATION, to_ram ? (ULONG)logical : there);
    edu_write(edu, EDU_DMA_COUNT, length);
    edu_write(edu, EDU_DMA_COMMAND,
              EDU_DMA_START | EDU_DMA_INTERRUPT | (to_ram ? EDU_DMA_TO_RAM : 0));
    if (!hardware_wait(edu, EDU_CAUSE_DMA)) {
        outcome->status = STATUS_IO_TIMEOUT;
    }
    outcome->pieces++;
    outcome->lowest = min(outcome->lowest, logical);
    outcome->highest = max(outcome->highest, logical + length - 1);
}

static void outcome_init(struct outcome *outcome)
{
    RtlZeroMemory(outcome, sizeof(*outcome));
    outcome->lowest = ~0ull;
}

void transfer_common_buffer(struct edu *edu, struct outcome *outcome)
{
    PDMA_OPERATIONS dma = edu->dma->DmaOperations;
    ULONG length = EDU_BUFFER_BYTES / 2;
    PHYSICAL_ADDRESS logical;
    PUCHAR buffer = dma->AllocateCommonBuffer(edu->dma, 2 * length, &logical, TRUE);

    outcome_init(outcome);
    if (!buffer) {
        outcome->status = STATUS_INSUFFICIENT_RESOURCES;
        return;
    }
    /* The first half goes to the device, and comes back into the other. */
    fill(buffer, length, 1);
    fill(buffer + length, length, 2);
    transfer(edu, (ULONGLONG)logical.QuadPart, length, length, FALSE, outcome);
    if (NT_SUCCESS(outcome->status)) {
        transfer(edu, (ULONGLONG)logical.QuadPart + length, length, length, TRUE, outcome);
    }
    outcome->wrong = count_wrong(buffer, length, 1) + count_wrong(buffer + length, length, 1);
    dma->FreeCommonBuffer(edu->dma, 2 * length, logical, buffer, TRUE);
}

/* A list that was asked for. */
struct grant {
    KEVENT event;
    PSCATTER_GATHER_LIST list;
};

static VOID NTAPI granted(PDEVICE_OBJECT device, PIRP irp, PSCATTER_GATHER_LIST list, PVOID context)
{
    struct grant *grant = context;

    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(irp);
    grant->list = list;
    KeSetEvent(&grant->event, IO_NO_INCREMENT, FALSE);
}

/* What the MDL describes, piece by piece as the device can reach it. */
static void send_packet(struct edu *edu, PMDL mdl, BOOLEAN to_ram, struct outcome *outcome)
{
    PDMA_OPERATIONS dma = edu->dma->DmaOperations;
    struct grant grant;
    ULONG offset = 0;
    KIRQL irql;

    KeInitializeEvent(&grant.event, NotificationEvent, FALSE);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    outcome->status = dma->GetScatterGatherList(edu->dma, edu->self, mdl, MmGetMdlVirtualAddress(mdl),
                                                MmGetMdlByteCount(mdl), granted, &grant, !to_ram);
    KeLowerIrql(irql);
    if (!NT_SUCCESS(outcome->status)) {
        return;
    }
    KeWaitForSingleObject(&grant.event, Executive, KernelMode, FALSE, NULL);
    for (ULONG i = 0; i < grant.list->NumberOfElements && NT_SUCCESS(outcome->status); i++) {
        const SCATTER_GATHER_ELEMENT *element = &grant.list->Elements[i];

        transfer(edu, (ULONGLONG)element->Address.QuadPart, offset, element->Length, to_ram, outcome);
        offset += element->Length;
    }
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    dma->PutScatterGatherList(edu->dma, grant.list, !to_ram);
    KeLowerIrql(irql);
}

/* Out, spoilt in memory, and in again. */
static void send_both_ways(struct edu *edu, PUCHAR packet, PMDL mdl, struct outcome *outcome)
{
    fill(packet, PACKET_BYTES, 3);
    send_packet(edu, mdl, FALSE, outcome);
    if (NT_SUCCESS(outcome->status)) {
        fill(packet, PACKET_BYTES, 4);
        send_packet(edu, mdl, TRUE, outcome);
    }
    outcome->wrong = count_wrong(packet, PACKET_BYTES, 3);
}

void transfer_packets(struct edu *edu, struct outcome *outcome)
{
    PUCHAR pool = ExAllocatePoolWithTag(NonPagedPool, PACKET_ROOM, EDU_TAG);
    PMDL mdl = pool ? IoAllocateMdl(pool + PACKET_OFFSET, PACKET_BYTES, FALSE, FALSE, NULL) : NULL;

    outcome_init(outcome);
    if (mdl) {
        MmBuildMdlForNonPagedPool(mdl);
        send_both_ways(edu, pool + PACKET_OFFSET, mdl, outcome);
        IoFreeMdl(mdl);
    } else {
        outcome->status = STATUS_INSUFFICIENT_RESOURCES;
    }
    if (pool) {
        ExFreePoolWithTag(pool, EDU_TAG);
    }
}
