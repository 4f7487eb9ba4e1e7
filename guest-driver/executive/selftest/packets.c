/* SPDX-License-Identifier: MIT */
/* selftest.sys: packet DMA's statuses and limits; the exercises transfer by it */
#include "packets.h"

static const PHYSICAL_ADDRESS none = { .QuadPart = 0 };
static const PHYSICAL_ADDRESS all = { .QuadPart = 0x7fffffffffffffffll };

bool packet_open(struct packet *packet, BOOLEAN lists)
{
    DEVICE_DESCRIPTION3 description = master_description(64);
    ULONG registers = 0;

    RtlZeroMemory(packet, sizeof(*packet));
    description.ScatterGather = lists;
    description.MaximumLength = 4 * PAGE_SIZE;
    packet->pdo = device_pdo();
    packet->adapter = packet->pdo ? IoGetDmaAdapter(packet->pdo, (PDEVICE_DESCRIPTION)&description,
                                                    &registers) : NULL;
    packet->mdl = MmAllocatePagesForMdl(none, all, none, 4 * PAGE_SIZE);
    EXPECT(packet->adapter && packet->mdl);
    EXPECT_EQUAL(registers, 5);
    if (packet->adapter && packet->mdl) {
        packet->call = operations(packet->adapter);
        EXPECT_STATUS(packet->call->InitializeDmaTransferContext(packet->adapter, packet->context),
                      STATUS_SUCCESS);
        KeRaiseIrql(DISPATCH_LEVEL, &packet->irql);
    }
    return packet->call != NULL;
}

void packet_close(struct packet *packet)
{
    KeLowerIrql(packet->irql);
    packet->call->PutDmaAdapter(packet->adapter);
    MmFreePagesFromMdl(packet->mdl);
    ExFreePool(packet->mdl);
    ObDereferenceObject(packet->pdo);
}

VOID NTAPI packet_take_list(PDEVICE_OBJECT device, PIRP irp, PSCATTER_GATHER_LIST list, PVOID context)
{
    struct packet *packet = context;

    EXPECT(device == packet->pdo && irp == device->CurrentIrp);
    EXPECT_EQUAL(KeGetCurrentIrql(), DISPATCH_LEVEL);
    packet->list = list;
    packet->calls++;
    if (packet->inside) {
        packet->inside(packet);
    }
}

IO_ALLOCATION_ACTION NTAPI packet_take_base(PDEVICE_OBJECT device, PIRP irp, PVOID base, PVOID context)
{
    struct packet *packet = context;

    EXPECT(device == packet->pdo && irp == device->CurrentIrp);
    EXPECT_EQUAL(KeGetCurrentIrql(), DISPATCH_LEVEL);
    packet->base = base;
    packet->calls++;
    if (packet->inside) {
        packet->inside(packet);
    }
    return packet->action;
}

NTSTATUS packet_get_list(struct packet *packet, ULONG offset, ULONG length)
{
    return packet->call->GetScatterGatherList(packet->adapter, packet->pdo, packet->mdl,
                                              (PVOID)(ULONG_PTR)offset, length, packet_take_list, packet,
                                              TRUE);
}

static void list_statuses(void)
{
    struct packet p;

    if (!packet_open(&p, TRUE)) {
        return;
    }
    EXPECT_STATUS(packet_get_list(&p, 0, 0), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(packet_get_list(&p, 0, 4 * PAGE_SIZE + 1), STATUS_BUFFER_TOO_SMALL);
    EXPECT_STATUS(packet_get_list(&p, 1, 4 * PAGE_SIZE), STATUS_BUFFER_TOO_SMALL);
    EXPECT_EQUAL(p.calls, 0);
    EXPECT_STATUS(packet_get_list(&p, 1, 4 * PAGE_SIZE - 1), STATUS_SUCCESS);
    EXPECT_EQUAL(p.calls, 1);
    EXPECT(p.list && p.list->NumberOfElements <= 4);
    p.call->PutScatterGatherList(p.adapter, p.list, TRUE);
    packet_close(&p);
}

static NTSTATUS get_ex(struct packet *p, ULONGLONG offset, ULONG length, ULONG flags,
                       PDRIVER_LIST_CONTROL routine, PSCATTER_GATHER_LIST *list)
{
    return p->call->GetScatterGatherListEx(p->adapter, p->pdo, p->context, p->mdl, offset, length, flags,
                                           routine, p, TRUE, NULL, NULL, list);
}

static VOID NTAPI completed(PDMA_ADAPTER adapter, PDEVICE_OBJECT device, PVOID context,
                            DMA_COMPLETION_STATUS status)
{
    UNREFERENCED_PARAMETER(adapter);
    UNREFERENCED_PARAMETER(device);
    UNREFERENCED_PARAMETER(context);
    UNREFERENCED_PARAMETER(status);
}

static void list_ex_statuses(void)
{
    const ULONG now = DMA_SYNCHRONOUS_CALLBACK;
    PSCATTER_GATHER_LIST list = NULL;
    struct packet p;

    if (!packet_open(&p, TRUE)) {
        return;
    }
    EXPECT_STATUS(get_ex(&p, 0, 0, 0, packet_take_list, NULL), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(get_ex(&p, 0, 1, 0, NULL, NULL), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(get_ex(&p, 0, 1, now, NULL, NULL), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(get_ex(&p, 0, 1, 0, packet_take_list, &list), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(get_ex(&p, 0, 1, 0x80, packet_take_list, NULL), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(get_ex(&p, 4 * PAGE_SIZE, 1, 0, packet_take_list, NULL), STATUS_BUFFER_TOO_SMALL);
    EXPECT_STATUS(p.call->GetScatterGatherListEx(p.adapter, p.pdo, p.context, p.mdl, 0, 1, 0, packet_take_list,
                                                 &p, TRUE, completed, NULL, NULL),
                  STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(p.call->GetScatterGatherListEx(p.adapter, p.pdo, NULL, p.mdl, 0, 1, 0, packet_take_list, &p,
                                                 TRUE, NULL, NULL, NULL),
                  STATUS_INVALID_PARAMETER);
    EXPECT_EQUAL(p.calls, 0);
    EXPECT_STATUS(get_ex(&p, 4 * PAGE_SIZE - 1, 1, now, NULL, &list), STATUS_SUCCESS);
    EXPECT(list && list->NumberOfElements == 1 && list->Elements[0].Length == 1);
    /* A context is one request's, until that has ended. */
    EXPECT_STATUS(get_ex(&p, 0, 1, 0, packet_take_list, NULL), STATUS_INVALID_PARAMETER);
    p.call->PutScatterGatherList(p.adapter, list, TRUE);
    EXPECT_STATUS(get_ex(&p, 0, 1, 0, packet_take_list, NULL), STATUS_SUCCESS);
    EXPECT_EQUAL(p.calls, 1);
    p.call->PutScatterGatherList(p.adapter, p.list, TRUE);
    packet_close(&p);
}

NTSTATUS packet_get_channel(struct packet *p, ULONG registers, ULONG flags, PDRIVER_CONTROL routine,
                            PVOID *base)
{
    return p->call->AllocateAdapterChannelEx(p->adapter, p->pdo, p->context, registers, flags, routine, p,
                                             base);
}

static void channel_ex_statuses(void)
{
    const ULONG now = DMA_SYNCHRONOUS_CALLBACK;
    struct packet p;
    PVOID base = NULL;

    if (!packet_open(&p, TRUE)) {
        return;
    }
    p.action = DeallocateObject;
    EXPECT_STATUS(packet_get_channel(&p, 1, 0, NULL, NULL), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(packet_get_channel(&p, 1, now, NULL, NULL), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(packet_get_channel(&p, 1, 0, NULL, &base), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(packet_get_channel(&p, 1, now, packet_take_base, &base), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(packet_get_channel(&p, 6, 0, packet_take_base, NULL), STATUS_INSUFFICIENT_RESOURCES);
    EXPECT_EQUAL(p.calls, 0);
    EXPECT_STATUS(packet_get_channel(&p, 5, 0, packet_take_base, NULL), STATUS_SUCCESS);
    EXPECT_EQUAL(p.calls, 1);
    /* All of them came back, and the object with them. */
    EXPECT_STATUS(packet_get_channel(&p, 5, now, NULL, &base), STATUS_SUCCESS);
    EXPECT(base != NULL);
    EXPECT(!p.call->CancelAdapterChannel(p.adapter, p.pdo, p.context));
    p.call->FreeAdapterObject(p.adapter, KeepObject);
    p.call->FreeAdapterObject(p.adapter, DeallocateObjectKeepRegisters);
    p.call->FreeMapRegisters(p.adapter, base, 5);
    EXPECT_STATUS(packet_get_channel(&p, 5, now, NULL, &base), STATUS_SUCCESS);
    p.call->FreeAdapterObject(p.adapter, DeallocateObject);
    packet_close(&p);
}

/* KeepObject: nobody else is served before FreeAdapterChannel. */
static void channel_kept(void)
{
    struct packet p, other;

    if (!packet_open(&p, TRUE)) {
        return;
    }
    p.action = KeepObject;
    EXPECT_STATUS(p.call->AllocateAdapterChannel(p.adapter, p.pdo, 1, packet_take_base, &p), STATUS_SUCCESS);
    EXPECT_EQUAL(p.calls, 1);
    other = p;
    EXPECT_STATUS(packet_get_list(&other, 0, 1), STATUS_SUCCESS);
    EXPECT_EQUAL(other.calls, 1);
    p.call->FreeAdapterChannel(p.adapter);
    EXPECT_EQUAL(other.calls, 2);
    p.call->PutScatterGatherList(p.adapter, other.list, TRUE);
    packet_close(&p);
}

/* MapTransferEx's own statuses. */
static void map_ex_statuses(void)
{
    UCHAR room[sizeof(SCATTER_GATHER_LIST) + 8 * sizeof(SCATTER_GATHER_ELEMENT)]
        __attribute__((aligned(16)));
    const ULONG one = FIELD_OFFSET(SCATTER_GATHER_LIST, Elements) + sizeof(SCATTER_GATHER_ELEMENT);
    PSCATTER_GATHER_LIST list = (PSCATTER_GATHER_LIST)room;
    ULONG length = PAGE_SIZE;
    struct packet p;

    if (!packet_open(&p, TRUE)) {
        return;
    }
    p.action = DeallocateObjectKeepRegisters;
    EXPECT_STATUS(packet_get_channel(&p, 2, 0, packet_take_base, NULL), STATUS_SUCCESS);
    EXPECT_STATUS(p.call->MapTransferEx(p.adapter, p.mdl, p.base, 0, 0, &length, TRUE, list, one - 1,
                                        NULL, NULL), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(p.call->MapTransferEx(p.adapter, p.mdl, p.base, 0, 4, &length, TRUE, list, one, NULL,
                                        NULL), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(p.call->MapTransferEx(p.adapter, p.mdl, p.base, 0, 0, &length, TRUE, list, one,
                                        completed, NULL), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(p.call->MapTransferEx(p.adapter, p.mdl, p.base, 4 * PAGE_SIZE, 0, &length, TRUE, list,
                                        one, NULL, NULL), STATUS_BUFFER_TOO_SMALL);
    length = 4 * PAGE_SIZE - 1;
    EXPECT_STATUS(p.call->MapTransferEx(p.adapter, p.mdl, p.base, 1, 0, &length, TRUE, list, sizeof(room),
                                        NULL, NULL), STATUS_SUCCESS);
    EXPECT_EQUAL(length, 2 * PAGE_SIZE - 1);
    EXPECT_STATUS(p.call->FlushAdapterBuffersEx(p.adapter, p.mdl, p.base, 1, length, TRUE),
                  STATUS_SUCCESS);
    p.call->FreeMapRegisters(p.adapter, p.base, 2);
    packet_close(&p);
}

/* Registers are pages touched, whatever is asked. */
static void sizes(void)
{
    DMA_TRANSFER_INFO info = { .Version = 3 };
    ULONG size = 0, registers = 0;
    struct packet p;

    if (!packet_open(&p, TRUE)) {
        return;
    }
    EXPECT_STATUS(p.call->CalculateScatterGatherList(p.adapter, NULL, (PVOID)(ULONG_PTR)4095, 2, &size,
                                                     &registers), STATUS_SUCCESS);
    EXPECT_EQUAL(registers, 2);
    EXPECT_EQUAL(size, FIELD_OFFSET(SCATTER_GATHER_LIST, Elements) + 2 * sizeof(SCATTER_GATHER_ELEMENT));
    EXPECT_STATUS(p.call->CalculateScatterGatherList(p.adapter, NULL, NULL, 6 * PAGE_SIZE, &size, NULL),
                  STATUS_INSUFFICIENT_RESOURCES);
    EXPECT_STATUS(p.call->CalculateScatterGatherList(p.adapter, p.mdl, NULL, 0, &size, NULL),
                  STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(p.call->CalculateScatterGatherList(p.adapter, p.mdl, NULL, 4 * PAGE_SIZE + 1, &size,
                                                     NULL), STATUS_BUFFER_TOO_SMALL);
    EXPECT_STATUS(p.call->GetDmaTransferInfo(p.adapter, p.mdl, 0, 1, FALSE, &info),
                  STATUS_NOT_SUPPORTED);
    info.Version = DMA_TRANSFER_INFO_VERSION1;
    EXPECT_STATUS(p.call->GetDmaTransferInfo(p.adapter, p.mdl, 0, 0, FALSE, &info),
                  STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(p.call->GetDmaTransferInfo(p.adapter, p.mdl, 4 * PAGE_SIZE, 1, FALSE, &info),
                  STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(p.call->GetDmaTransferInfo(p.adapter, p.mdl, 4095, 2, FALSE, &info), STATUS_SUCCESS);
    EXPECT_EQUAL(info.V1.MapRegisterCount, 2);
    EXPECT_STATUS(p.call->ConfigureAdapterChannel(p.adapter, 0, NULL), STATUS_NOT_SUPPORTED);
    EXPECT_STATUS(p.call->CancelMappedTransfer(p.adapter, p.context), STATUS_NOT_SUPPORTED);
    EXPECT_STATUS(p.call->FlushDmaBuffer(p.adapter, p.mdl, TRUE), STATUS_SUCCESS);
    EXPECT_STATUS(p.call->FlushDmaBuffer(p.adapter, NULL, TRUE), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(p.call->InitializeDmaTransferContext(p.adapter, NULL), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(p.call->BuildMdlFromScatterGatherList(p.adapter, NULL, p.mdl, &p.mdl->Next),
                  STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(p.call->BuildScatterGatherList(p.adapter, p.pdo, p.mdl, NULL, 1, packet_take_list, &p, TRUE,
                                                 NULL, 0), STATUS_INVALID_PARAMETER);
    packet_close(&p);
}

/* One register for each page and one more, up to what the HAL gives at most. */
static void granted(void)
{
    static const struct {
        ULONG length;
        ULONG registers;
    } cases[] = { { 0, 1 }, { 1, 2 }, { PAGE_SIZE, 2 }, { PAGE_SIZE + 1, 3 }, { 0x4000000, 0x4001 },
                  { 0x4000001, 0x4001 }, { MAXULONG, 0x4001 } };
    PDEVICE_OBJECT pdo = device_pdo();

    for (ULONG i = 0; pdo && i < RTL_NUMBER_OF(cases); i++) {
        DEVICE_DESCRIPTION3 description = master_description(32);
        ULONG registers = 0;
        PDMA_ADAPTER adapter;

        description.MaximumLength = cases[i].length;
        adapter = IoGetDmaAdapter(pdo, (PDEVICE_DESCRIPTION)&description, &registers);
        EXPECT(adapter != NULL);
        EXPECT_EQUAL(registers, cases[i].registers);
        if (adapter) {
            put_adapter(adapter);
        }
    }
    if (pdo) {
        ObDereferenceObject(pdo);
    }
}

/* A device of one piece may say so; MapTransfer in halves of a page shares its register. */
static void halves(void)
{
    struct packet p;

    for (ULONG lists = 0; lists <= 1; lists++) {
        PHYSICAL_ADDRESS first, second;
        DMA_ADAPTER_INFO info = { .Version = DMA_ADAPTER_INFO_VERSION1 };
        ULONG length = 100, more = PAGE_SIZE - 100;

        if (!packet_open(&p, (BOOLEAN)lists)) {
            return;
        }
        EXPECT_STATUS(p.call->GetDmaAdapterInfo(p.adapter, &info), STATUS_SUCCESS);
        EXPECT(lists ? info.V1.ScatterGatherLimit > 1 : info.V1.ScatterGatherLimit == 1);
        p.action = DeallocateObjectKeepRegisters;
        EXPECT_STATUS(p.call->AllocateAdapterChannel(p.adapter, p.pdo, 1, packet_take_base, &p), STATUS_SUCCESS);
        first = p.call->MapTransfer(p.adapter, p.mdl, p.base, NULL, &length, TRUE);
        second = p.call->MapTransfer(p.adapter, p.mdl, p.base, (PVOID)(ULONG_PTR)100, &more, TRUE);
        EXPECT_EQUAL(length, 100);
        EXPECT_EQUAL(more, PAGE_SIZE - 100);
        EXPECT_EQUAL(second.QuadPart, first.QuadPart + 100);
        EXPECT(p.call->FlushAdapterBuffers(p.adapter, p.mdl, p.base, NULL, PAGE_SIZE, TRUE));
        p.call->FreeMapRegisters(p.adapter, p.base, 1);
        packet_close(&p);
    }
}

const struct check packet_checks[] = {
    { "packet/list-statuses", list_statuses },
    { "packet/list-ex-statuses", list_ex_statuses },
    { "packet/channel-ex-statuses", channel_ex_statuses },
    { "packet/channel-kept", channel_kept },
    { "packet/map-ex-statuses", map_ex_statuses },
    { "packet/sizes", sizes },
    { "packet/granted", granted },
    { "packet/halves", halves },
    { NULL, NULL },
};
