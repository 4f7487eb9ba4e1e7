/* SPDX-License-Identifier: MIT */
/* violation.sys: against the rules of packet DMA */
#include "violation.h"

#define PAGES                       4

/* An adapter of five map registers, four pages, and what was got for them. */
struct packet {
    PDMA_ADAPTER adapter;
    PDMA_OPERATIONS3 call;
    PMDL mdl;
    PSCATTER_GATHER_LIST list;
    PVOID base;
    ULONGLONG context[DMA_TRANSFER_CONTEXT_SIZE_V1 / sizeof(ULONGLONG)];
};

static struct packet packet;

static void need(BOOLEAN holds)
{
    if (!holds) {
        KeBugCheck(MANUALLY_INITIATED_CRASH);
    }
}

/* At DISPATCH_LEVEL from here on. */
static void packet_new(void)
{
    DEVICE_DESCRIPTION3 description = {
        .Version = DEVICE_DESCRIPTION_VERSION3,
        .Master = TRUE,
        .ScatterGather = TRUE,
        .InterfaceType = PCIBus,
        .MaximumLength = PAGES * PAGE_SIZE,
        .DmaAddressWidth = 64,
    };
    PHYSICAL_ADDRESS low = { .QuadPart = 0 }, high = { .QuadPart = ~0ull >> 1 };
    ULONG registers;

    packet.adapter = IoGetDmaAdapter(NULL, (PDEVICE_DESCRIPTION)&description, &registers);
    packet.mdl = MmAllocatePagesForMdl(low, high, low, PAGES * PAGE_SIZE);
    need(packet.adapter && packet.mdl);
    packet.call = (PDMA_OPERATIONS3)packet.adapter->DmaOperations;
    packet.call->InitializeDmaTransferContext(packet.adapter, packet.context);
    KfRaiseIrql(DISPATCH_LEVEL);
}

static VOID NTAPI take_list(PDEVICE_OBJECT device, PIRP irp, PSCATTER_GATHER_LIST list, PVOID context)
{
    (void)device;
    (void)irp;
    (void)context;
    packet.list = list;
}

static IO_ALLOCATION_ACTION NTAPI take_base(PDEVICE_OBJECT device, PIRP irp, PVOID base, PVOID context)
{
    (void)device;
    (void)irp;
    (void)context;
    packet.base = base;
    return DeallocateObjectKeepRegisters;
}

static void list_get(ULONG offset, ULONG length)
{
    packet.call->GetScatterGatherList(packet.adapter, NULL, packet.mdl, (PVOID)(ULONG_PTR)offset, length,
                                      take_list, NULL, TRUE);
}

static void list_new(void)
{
    packet_new();
    list_get(0, PAGE_SIZE);
    need(packet.list != NULL);
}

static void list_put(void)
{
    packet.call->PutScatterGatherList(packet.adapter, packet.list, TRUE);
}

static void registers_new(ULONG count)
{
    packet_new();
    packet.call->AllocateAdapterChannel(packet.adapter, NULL, count, take_base, NULL);
    need(packet.base != NULL);
}

static void registers_free(ULONG count)
{
    packet.call->FreeMapRegisters(packet.adapter, packet.base, count);
}

static void channel_new(void)
{
    packet_new();
    need(NT_SUCCESS(packet.call->AllocateAdapterChannelEx(packet.adapter, NULL, packet.context, 1,
                                                          DMA_SYNCHRONOUS_CALLBACK, NULL, NULL,
                                                          &packet.base)));
}

static void map(ULONG offset, ULONG length)
{
    packet.call->MapTransfer(packet.adapter, packet.mdl, packet.base, (PVOID)(ULONG_PTR)offset, &length,
                             TRUE);
}

static void flush(ULONG offset, ULONG length, BOOLEAN write)
{
    packet.call->FlushAdapterBuffers(packet.adapter, packet.mdl, packet.base, (PVOID)(ULONG_PTR)offset,
                                     length, write);
}

static void adapter_put(void)
{
    packet.call->PutDmaAdapter(packet.adapter);
}

#define MISTAKE(name)               static void name(PDRIVER_OBJECT driver __attribute__((unused)))

MISTAKE(list_put_twice)
{
    list_new();
    list_put();
    list_put();
}

MISTAKE(list_put_direction)
{
    list_new();
    packet.call->PutScatterGatherList(packet.adapter, packet.list, FALSE);
}

MISTAKE(list_never_put)
{
    list_new();
    adapter_put();
}

MISTAKE(list_at_passive)
{
    packet_new();
    KeLowerIrql(PASSIVE_LEVEL);
    list_get(0, PAGE_SIZE);
}

MISTAKE(list_outside)
{
    packet_new();
    list_get(PAGES * PAGE_SIZE, 1);
}

MISTAKE(registers_free_twice)
{
    registers_new(2);
    registers_free(2);
    registers_free(2);
}

MISTAKE(registers_free_count)
{
    registers_new(2);
    registers_free(1);
}

MISTAKE(registers_free_mapped)
{
    registers_new(2);
    map(0, PAGE_SIZE);
    registers_free(2);
}

MISTAKE(registers_never_freed)
{
    registers_new(2);
    adapter_put();
}

MISTAKE(map_too_many)
{
    registers_new(2);
    map(0, PAGE_SIZE);
    map(PAGE_SIZE, PAGE_SIZE);
    map(2 * PAGE_SIZE, 1);
}

MISTAKE(map_outside)
{
    registers_new(2);
    map(PAGES * PAGE_SIZE, 1);
}

MISTAKE(map_too_long)
{
    registers_new(2);
    map(PAGES * PAGE_SIZE - 1, 2);
}

MISTAKE(map_nothing)
{
    registers_new(2);
    map(0, 0);
}

MISTAKE(map_freed)
{
    registers_new(2);
    registers_free(2);
    map(0, PAGE_SIZE);
}

MISTAKE(map_not_flushed)
{
    UCHAR room[sizeof(SCATTER_GATHER_LIST)] __attribute__((aligned(16)));
    ULONG length = 1;

    registers_new(2);
    for (ULONG i = 0; i < 2; i++) {
        packet.call->MapTransferEx(packet.adapter, packet.mdl, packet.base, i, 0, &length, TRUE,
                                   (PSCATTER_GATHER_LIST)room, sizeof(room), NULL, NULL);
    }
}

MISTAKE(flush_unmapped)
{
    registers_new(2);
    map(0, PAGE_SIZE);
    flush(0, PAGE_SIZE, TRUE);
    flush(0, PAGE_SIZE, TRUE);
}

MISTAKE(flush_direction)
{
    registers_new(2);
    map(0, PAGE_SIZE);
    flush(0, PAGE_SIZE, FALSE);
}

MISTAKE(object_free_twice)
{
    channel_new();
    packet.call->FreeAdapterObject(packet.adapter, DeallocateObject);
    packet.call->FreeAdapterObject(packet.adapter, DeallocateObject);
}

MISTAKE(object_never_freed)
{
    channel_new();
    adapter_put();
}

MISTAKE(request_waits)
{
    channel_new();
    list_get(0, PAGE_SIZE);
    adapter_put();
}

MISTAKE(request_twice)
{
    PDEVICE_OBJECT device;
    PFILE_OBJECT file;
    UNICODE_STRING name;

    RtlInitUnicodeString(&name, L"\\Device\\pcmaster");
    need(NT_SUCCESS(IoGetDeviceObjectPointer(&name, FILE_ALL_ACCESS, &file, &device)));
    channel_new();
    packet.call->AllocateAdapterChannel(packet.adapter, device, 1, take_base, NULL);
    packet.call->AllocateAdapterChannel(packet.adapter, device, 1, take_base, NULL);
}

const struct violation packet_violations[] = {
    { "list-put-twice", list_put_twice },
    { "list-put-direction", list_put_direction },
    { "list-never-put", list_never_put },
    { "list-at-passive", list_at_passive },
    { "list-outside", list_outside },
    { "registers-free-twice", registers_free_twice },
    { "registers-free-count", registers_free_count },
    { "registers-free-mapped", registers_free_mapped },
    { "registers-never-freed", registers_never_freed },
    { "map-too-many", map_too_many },
    { "map-outside", map_outside },
    { "map-too-long", map_too_long },
    { "map-nothing", map_nothing },
    { "map-freed", map_freed },
    { "map-not-flushed", map_not_flushed },
    { "flush-unmapped", flush_unmapped },
    { "flush-direction", flush_direction },
    { "object-free-twice", object_free_twice },
    { "object-never-freed", object_never_freed },
    { "request-waits", request_waits },
    { "request-twice", request_twice },
    { NULL, NULL },
};
