/* SPDX-License-Identifier: MIT */
/* pcmaster.sys: several requests for map registers at the same time */
#include "pcmaster.h"

struct queue;

struct queued {
    struct queue *queue;
    ULONG number;
    PSCATTER_GATHER_LIST list;
    PVOID base;
    ULONGLONG context[DMA_TRANSFER_CONTEXT_SIZE_V1 / sizeof(ULONGLONG)];
};

struct queue {
    struct device *device;
    struct packet *packet;
    PDMA_ADAPTER dma;
    PDMA_OPERATIONS3 call;
    const struct pcm_packet_queue *request;
    struct pcm_packet_queued *reply;
    ULONG granted;
    struct queued entry[PCM_QUEUE_LENGTH];
};

static void note(struct queued *entry)
{
    struct queue *queue = entry->queue;

    if (queue->granted < PCM_QUEUE_LENGTH) {
        queue->reply->order[queue->granted] = entry->number;
    }
    queue->granted++;
}

static void NTAPI list_granted(PDEVICE_OBJECT self, PIRP irp, PSCATTER_GATHER_LIST list, PVOID context)
{
    struct queued *entry = context;

    PCM_UNUSED(self);
    PCM_UNUSED(irp);
    entry->list = list;
    note(entry);
}

static IO_ALLOCATION_ACTION NTAPI registers_granted(PDEVICE_OBJECT self, PIRP irp, PVOID base, PVOID context)
{
    struct queued *entry = context;

    PCM_UNUSED(self);
    PCM_UNUSED(irp);
    entry->base = base;
    note(entry);
    return DeallocateObjectKeepRegisters;
}

static NTSTATUS ask(struct queue *queue, struct queued *entry)
{
    ULONG registers = queue->request->registers[entry->number];
    PMDL mdl = queue->packet->part[0].mdl;

    switch (queue->request->method[entry->number]) {
    case PCM_GET_LIST:
        return queue->call->GetScatterGatherList(queue->dma, queue->device->functional, mdl,
                                                 MmGetMdlVirtualAddress(mdl), registers * PAGE_SIZE,
                                                 list_granted, entry, TRUE);
    case PCM_GET_LIST_EX:
        queue->call->InitializeDmaTransferContext(queue->dma, entry->context);
        return queue->call->GetScatterGatherListEx(queue->dma, queue->device->physical, entry->context,
                                                   mdl, 0, registers * PAGE_SIZE, 0, list_granted, entry,
                                                   TRUE, NULL, NULL, NULL);
    case PCM_GET_LIST_AT_ONCE:
        queue->call->InitializeDmaTransferContext(queue->dma, entry->context);
        return queue->call->GetScatterGatherListEx(queue->dma, queue->device->physical, entry->context,
                                                   mdl, 0, registers * PAGE_SIZE,
                                                   DMA_SYNCHRONOUS_CALLBACK, list_granted, entry, TRUE,
                                                   NULL, NULL, NULL);
    case PCM_MAP:
        return queue->call->AllocateAdapterChannel(queue->dma, queue->device->functional, registers,
                                                   registers_granted, entry);
    default:
        queue->call->InitializeDmaTransferContext(queue->dma, entry->context);
        return queue->call->AllocateAdapterChannelEx(
            queue->dma, queue->device->physical, entry->context, registers,
            queue->request->method[entry->number] == PCM_MAP_AT_ONCE ? DMA_SYNCHRONOUS_CALLBACK : 0,
            registers_granted, entry, NULL);
    }
}

static void release(struct queue *queue, struct queued *entry)
{
    if (entry->list) {
        queue->call->PutScatterGatherList(queue->dma, entry->list, TRUE);
    } else {
        queue->call->FreeMapRegisters(queue->dma, entry->base, queue->request->registers[entry->number]);
    }
}

static void cancel(struct queue *queue)
{
    ULONG i;

    for (i = 0; i < queue->request->count; i++) {
        if ((queue->request->cancel & 1u << i) &&
            queue->call->CancelAdapterChannel(queue->dma, queue->device->physical,
                                              queue->entry[i].context)) {
            queue->reply->cancelled |= 1u << i;
        }
    }
}

/* DISPATCH_LEVEL all the time: what waits is called by the release before it. */
static void queue_run(struct queue *queue)
{
    ULONG i;

    for (i = 0; i < queue->request->count; i++) {
        queue->entry[i].queue = queue;
        queue->entry[i].number = i;
        queue->reply->status[i] = (ULONG)ask(queue, &queue->entry[i]);
    }
    queue->reply->at_once = queue->granted;
    cancel(queue);
    for (i = 0; i < queue->granted && i < PCM_QUEUE_LENGTH; i++) {
        release(queue, &queue->entry[queue->reply->order[i]]);
        queue->reply->after[i] = queue->granted;
    }
}

static BOOLEAN request_sane(const struct packet *packet, const struct pcm_packet_queue *request)
{
    ULONG i;

    if (!request->count || request->count > PCM_QUEUE_LENGTH || packet->parts != 1 ||
        MmGetMdlByteOffset(packet->part[0].mdl)) {
        return FALSE;
    }
    for (i = 0; i < request->count; i++) {
        if (request->method[i] >= PCM_PACKET_METHODS || !request->registers[i] ||
            request->registers[i] > MmGetMdlByteCount(packet->part[0].mdl) / PAGE_SIZE) {
            return FALSE;
        }
    }
    return TRUE;
}

NTSTATUS control_packet_queue(struct device *device, struct file *file, PVOID data)
{
    struct pcm_packet_queue request = *(struct pcm_packet_queue *)data;
    struct pcm_packet_queued *reply = data;
    struct adapter *adapter = (struct adapter *)handle_find(file, request.adapter, OBJECT_ADAPTER);
    struct packet *packet = (struct packet *)handle_find(file, request.packet, OBJECT_PACKET);
    struct queue *queue;
    KIRQL irql;

    if (!adapter || !packet || !request_sane(packet, &request)) {
        return STATUS_INVALID_PARAMETER;
    }
    queue = pool_allocate(sizeof(*queue));
    if (!queue) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    queue->call = (PDMA_OPERATIONS3)adapter->dma->DmaOperations;
    if (queue->call->Size < DMA_OPERATIONS_SIZE_WIN8) {
        ExFreePoolWithTag(queue, PCM_POOL_TAG);
        return STATUS_NOT_SUPPORTED;
    }
    RtlZeroMemory(reply, sizeof(*reply));
    RtlFillMemory(reply->order, sizeof(reply->order), 0xff);
    queue->device = device;
    queue->packet = packet;
    queue->dma = adapter->dma;
    queue->request = &request;
    queue->reply = reply;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    queue_run(queue);
    KeLowerIrql(irql);
    ExFreePoolWithTag(queue, PCM_POOL_TAG);
    return STATUS_SUCCESS;
}
