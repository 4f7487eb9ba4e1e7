/* SPDX-License-Identifier: MIT */
/* pcmaster.sys: a transfer by packet DMA, both ways, and what the CPU sees of it */
#include "packetdma.h"

#include "pcmaster_pattern.h"

/* What the CPU sees of the device's data at last, and what is around it. */
static void look_at_last(struct session *session)
{
    const struct pcm_packet_transfer *request = session->request;
    struct pcm_packet_way *way = session->way;

    if (!session->write) {
        way->mismatches = packet_compare(session->packet, request->offset, request->length, session->seed,
                                         0, &way->first_mismatch);
    }
    way->spilt = packet_spilt(session->packet, request->offset, request->length);
}

/* A device that has not understood that the transfer is over. */
static void look_after(struct session *session)
{
    struct pcm_packet_way *way = session->way;

    if (session->request->flags & PCM_PACKET_AFTER) {
        window_open(session->device, PCM_PACKET_WINDOW, way->after_address, way->after_length,
                    session->write ? PCM_W_READ : PCM_W_WRITE);
        exerciser_run(session->device, session->write ? PCM_EX_VERIFY : PCM_EX_FILL, way->after_address,
                      way->after_length, session->seed, &session->result);
        way->after_result = session->result.result;
        way->after_done = session->result.done;
    }
}

static BOOLEAN way_run(struct session *session, struct pcm_packet_way *way, BOOLEAN write)
{
    const struct pcm_packet_transfer *request = session->request;
    BOOLEAN ended;

    session->way = way;
    session->write = write;
    session->seed = write ? ~request->seed : request->seed;
    way->lowest = ~0ull;
    way->first_mismatch = PCM_PATTERN_SAME;
    KeClearEvent(&session->granted);
    if (request->method >= PCM_GET_LIST_EX && request->method != PCM_MAP &&
        request->method != PCM_FROM_MDL) {
        session->call->InitializeDmaTransferContext(session->dma, session->context);
    }
    packet_fill(session->packet, request->offset, request->length, session->seed, write ? 0 : ~0ull);
    ended = request->method == PCM_FROM_MDL ? session_by_buffer(session)
            : request->method < PCM_MAP     ? session_by_list(session)
                                            : session_by_registers(session);
    if (ended && NT_SUCCESS((NTSTATUS)way->status)) {
        look_after(session);
        look_at_last(session);
    }
    return ended;
}

/* What the interface says that the transfer takes. */
static void ask_sizes(struct session *session, struct pcm_packet_transferred *reply)
{
    const struct pcm_packet_transfer *request = session->request;
    PMDL mdl = session->packet->part[0].mdl;
    DMA_TRANSFER_INFO info = { .Version = DMA_TRANSFER_INFO_VERSION2 };
    ULONG size = 0, registers = 0;

    reply->size_status = reply->info_status = PCM_STATUS_NOT_SUPPORTED;
    if (session->call->Size >= DMA_OPERATIONS_SIZE_V2) {
        reply->size_status = (ULONG)session->call->CalculateScatterGatherList(
            session->dma, mdl, (PUCHAR)MmGetMdlVirtualAddress(mdl) + request->offset, request->length,
            &size, &registers);
        reply->size_bytes = size;
        reply->size_registers = registers;
    }
    if (session->call->Size >= DMA_OPERATIONS_SIZE_WIN8) {
        reply->info_status = (ULONG)session->call->GetDmaTransferInfo(
            session->dma, mdl, request->offset, request->length, FALSE, &info);
        reply->info_registers = info.V2.MapRegisterCount;
        reply->info_elements = info.V2.ScatterGatherElementCount;
        reply->info_bytes = info.V2.ScatterGatherListSize;
        reply->info_pages = info.V2.LogicalPageCount;
    }
}

/* Registers and room for a list, as asked for, or for all of it. */
static NTSTATUS provide(struct session *session, const struct pcm_packet_transferred *reply)
{
    const struct pcm_packet_transfer *request = session->request;
    ULONG elements = request->room ? request->room : session->packet->parts + request->length / PAGE_SIZE + 2;
    ULONG bytes = FIELD_OFFSET(SCATTER_GATHER_LIST, Elements) + elements * sizeof(SCATTER_GATHER_ELEMENT);

    session->registers = request->registers ? request->registers : reply->size_registers;
    if (!session->registers) {
        session->registers = ADDRESS_AND_SIZE_TO_SPAN_PAGES(0, request->length) + 1;
    }
    session->room = pool_allocate(bytes);
    session->room_bytes = bytes;
    if (request->method == PCM_BUILD_LIST || request->method == PCM_BUILD_LIST_EX) {
        session->room_bytes = (request->method == PCM_BUILD_LIST ? reply->size_bytes : reply->info_bytes) -
                              request->buffer_short;
    }
    return session->room ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

static void session_close(struct session *session)
{
    if (session->room) {
        ExFreePoolWithTag(session->room, PCM_POOL_TAG);
    }
    ExFreePoolWithTag(session, PCM_POOL_TAG);
}

/* Methods of version 2 and 3 are not in the tables of the older ones. */
static BOOLEAN has_method(PDMA_OPERATIONS3 call, ULONG method)
{
    if (method == PCM_BUILD_LIST) {
        return call->Size >= DMA_OPERATIONS_SIZE_V2;
    }
    if (method == PCM_FROM_MDL) {
        return call->Size >= RTL_SIZEOF_THROUGH_FIELD(DMA_OPERATIONS3, CreateCommonBufferFromMdl);
    }
    return method == PCM_GET_LIST || method == PCM_MAP || call->Size >= DMA_OPERATIONS_SIZE_WIN8;
}

static BOOLEAN request_sane(const struct packet *packet, const struct pcm_packet_transfer *request)
{
    return request->method < PCM_PACKET_METHODS && request->length &&
           request->offset < packet_length(packet) &&
           request->length <= packet_length(packet) - request->offset && request->room < 65536 &&
           request->registers < 65536 &&
           (request->method > PCM_BUILD_LIST || request->offset < MmGetMdlByteCount(packet->part[0].mdl)) &&
           !((request->flags & PCM_PACKET_MDL) && request->method >= PCM_MAP);
}

/* FALSE: a request is still on its way. */
static BOOLEAN both_ways(struct session *session, struct pcm_packet_transferred *reply)
{
    struct device *device = session->device;
    struct rules before, rules;
    BOOLEAN ended = TRUE;

    rules_get(device, &before);
    rules = before;
    rules.addr_bits = session->request->addr_bits;
    rules.policy = 0;
    rules_set(device, &rules);
    if (session->request->directions & PCM_TO_MEMORY) {
        ended = way_run(session, &reply->to_memory, FALSE);
    }
    if (ended && (session->request->directions & PCM_FROM_MEMORY)) {
        ended = way_run(session, &reply->from_memory, TRUE);
    }
    window_close(device, PCM_PACKET_WINDOW);
    rules_set(device, &before);
    reply->records = log_take(device, &reply->first);
    return ended;
}

NTSTATUS control_packet_transfer(struct device *device, struct file *file, PVOID data)
{
    struct pcm_packet_transfer request = *(struct pcm_packet_transfer *)data;
    struct pcm_packet_transferred *reply = data;
    struct adapter *adapter = (struct adapter *)handle_find(file, request.adapter, OBJECT_ADAPTER);
    struct packet *packet = (struct packet *)handle_find(file, request.packet, OBJECT_PACKET);
    struct session *session;
    NTSTATUS status;

    if (!adapter || !packet || !request_sane(packet, &request)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (device->streaming) {
        return STATUS_DEVICE_BUSY;
    }
    if (!has_method((PDMA_OPERATIONS3)adapter->dma->DmaOperations, request.method)) {
        return STATUS_NOT_SUPPORTED;
    }
    session = pool_allocate(sizeof(*session));
    if (!session) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    session->device = device;
    session->packet = packet;
    session->dma = adapter->dma;
    session->call = (PDMA_OPERATIONS3)adapter->dma->DmaOperations;
    session->request = &request;
    KeInitializeEvent(&session->granted, NotificationEvent, FALSE);
    RtlZeroMemory(reply, sizeof(*reply));
    ask_sizes(session, reply);
    status = provide(session, reply);
    if (NT_SUCCESS(status) && !both_ways(session, reply)) {
        return STATUS_IO_TIMEOUT;
    }
    session_close(session);
    return status;
}
