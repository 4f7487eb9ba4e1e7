/* SPDX-License-Identifier: MIT */
/*
 * pcmaster.sys: packet DMA, by scatter/gather lists and by map transfers
 *
 * The whole transfer carries one pattern, whatever pieces the device gets it
 * in.  The exerciser counts its pattern from the first byte of a command, so
 * that a piece which begins inside a word of the pattern takes two.
 */
#include "packetdma.h"

#include "pcmaster_pattern.h"

/* No request waits longer: nobody else asks for map registers meanwhile. */
#define GRANT_TIMEOUT_MS            10000

static void NTAPI list_granted(PDEVICE_OBJECT self, PIRP irp, PSCATTER_GATHER_LIST list, PVOID context)
{
    struct session *session = context;

    PCM_UNUSED(self);
    PCM_UNUSED(irp);
    session->list = list;
    KeSetEvent(&session->granted, IO_NO_INCREMENT, FALSE);
}

static IO_ALLOCATION_ACTION NTAPI registers_granted(PDEVICE_OBJECT self, PIRP irp, PVOID base, PVOID context)
{
    struct session *session = context;

    PCM_UNUSED(self);
    PCM_UNUSED(irp);
    session->base = base;
    KeSetEvent(&session->granted, IO_NO_INCREMENT, FALSE);
    return DeallocateObjectKeepRegisters;
}

/* LENGTH bytes that the device sees at ADDRESS; POSITION: of the first in the transfer. */
static void piece_run(struct session *session, ULONGLONG address, ULONG length, ULONG position)
{
    struct pcm_packet_way *way = session->way;
    ULONG command = session->write ? PCM_EX_VERIFY : PCM_EX_FILL, shift, bytes;

    for (; length; address += bytes, position += bytes, length -= bytes) {
        ULONGLONG seed = pcm_pattern_word(session->seed, position / 8);

        shift = position % 8;
        bytes = shift && 8 - shift < length ? 8 - shift : length;
        window_open(session->device, PCM_PACKET_WINDOW, address, bytes,
                    session->write ? PCM_W_READ : PCM_W_WRITE);
        if (!NT_SUCCESS(exerciser_run(session->device, command, address, bytes, seed >> 8 * shift,
                                      &session->result))) {
            way->result = PCM_EX_NO_BUS_MASTER;
            return;
        }
        if (session->result.mismatches && !way->mismatches) {
            way->first_mismatch = position + session->result.first_mismatch;
        }
        way->mismatches += session->result.mismatches;
        way->done += session->result.done;
        if (session->result.result != PCM_EX_OK) {
            way->result = session->result.result;
        }
    }
}

static void element_run(struct session *session, ULONGLONG address, ULONG length, ULONG position)
{
    struct pcm_packet_way *way = session->way;

    if (!way->elements++) {
        way->after_address = address;
        way->after_length = length;
    }
    way->covered += length;
    if (position + length > session->request->length) {
        return;                         /* more than was asked for */
    }
    way->direct += address == packet_physical(session->packet, session->request->offset + position);
    way->lowest = address < way->lowest ? address : way->lowest;
    way->highest = address + length - 1 > way->highest ? address + length - 1 : way->highest;
    piece_run(session, address, length, position);
}

/* The CPU changes what was handed over already. */
static void change_late(struct session *session, ULONG position, ULONG length)
{
    if (session->write && (session->request->flags & PCM_PACKET_LATE)) {
        packet_write(session->packet, session->request->offset + position, length, session->seed,
                     position, ~0ull);
    }
}

/* What the CPU sees of the device's data before it is flushed. */
static void look_early(struct session *session, ULONG position, ULONG length)
{
    uint32_t first;

    if (!session->write) {
        session->way->early += length - packet_compare(session->packet,
                                                       session->request->offset + position, length,
                                                       session->seed, position, &first);
    }
}

static ULONG list_run(struct session *session, const SCATTER_GATHER_LIST *list, ULONG position)
{
    ULONG i, done = 0;

    for (i = 0; i < list->NumberOfElements; i++) {
        const SCATTER_GATHER_ELEMENT *element = &list->Elements[i];

        element_run(session, (ULONGLONG)element->Address.QuadPart, element->Length, position + done);
        done += element->Length;
    }
    return done;
}

/* What the device sees, through an MDL of it. */
static void look_through_mdl(struct session *session)
{
    ULONG position = 0;
    uint32_t first;
    PMDL mdl, next;

    if (!(session->request->flags & PCM_PACKET_MDL)) {
        return;
    }
    session->way->in_mdl = session->request->length;
    if (!NT_SUCCESS(session->call->BuildMdlFromScatterGatherList(
            session->dma, session->list, session->packet->part[0].mdl, &mdl))) {
        return;
    }
    for (; mdl; mdl = next) {
        ULONG length = MmGetMdlByteCount(mdl);
        PUCHAR memory = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);

        next = mdl->Next;
        if (memory) {
            session->way->in_mdl -= length - pattern_compare_at(memory, length, session->seed, position,
                                                                &first);
            MmUnmapLockedPages(memory, mdl);
        }
        position += length;
        IoFreeMdl(mdl);
    }
}

static NTSTATUS list_ask(struct session *session)
{
    const struct pcm_packet_transfer *request = session->request;
    PDMA_OPERATIONS3 call = session->call;
    PMDL mdl = session->packet->part[0].mdl;
    PUCHAR start = (PUCHAR)MmGetMdlVirtualAddress(mdl) + request->offset;

    switch (request->method) {
    case PCM_GET_LIST:
        return call->GetScatterGatherList(session->dma, session->device->functional, mdl, start, request->length,
                                          list_granted, session, session->write);
    case PCM_BUILD_LIST:
        return call->BuildScatterGatherList(session->dma, session->device->functional, mdl, start,
                                            request->length, list_granted, session, session->write,
                                            session->room, session->room_bytes);
    case PCM_GET_LIST_EX:
        return call->GetScatterGatherListEx(session->dma, session->device->physical, session->context, mdl,
                                            request->offset, request->length, 0, list_granted, session,
                                            session->write, NULL, NULL, NULL);
    case PCM_BUILD_LIST_EX:
        return call->BuildScatterGatherListEx(session->dma, session->device->physical, session->context,
                                              mdl, request->offset, request->length, 0, list_granted,
                                              session, session->write, session->room, session->room_bytes,
                                              NULL, NULL, NULL);
    default:
        return call->GetScatterGatherListEx(session->dma, session->device->physical, session->context, mdl,
                                            request->offset, request->length, DMA_SYNCHRONOUS_CALLBACK,
                                            NULL, NULL, session->write, NULL, NULL, &session->list);
    }
}

/* FALSE: the request is still on its way, and what it refers to must stay. */
static BOOLEAN wait_granted(struct session *session, BOOLEAN asked)
{
    return !asked || interrupt_wait(&session->granted, GRANT_TIMEOUT_MS);
}

BOOLEAN session_by_list(struct session *session)
{
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    session->way->status = (ULONG)list_ask(session);
    KeLowerIrql(irql);
    if (!NT_SUCCESS((NTSTATUS)session->way->status)) {
        return TRUE;
    }
    if (!wait_granted(session, session->request->method != PCM_GET_LIST_AT_ONCE)) {
        return FALSE;
    }
    session->way->mapped++;
    change_late(session, 0, session->request->length);
    list_run(session, session->list, 0);
    look_through_mdl(session);
    look_early(session, 0, session->request->length);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    session->call->PutScatterGatherList(session->dma, session->list, session->write);
    KeLowerIrql(irql);
    return TRUE;
}

/* LENGTH bytes of one MDL, no more than the registers can take. */
static void map_chunk(struct session *session, PMDL mdl, PUCHAR start, ULONG length, ULONG position)
{
    ULONG done = 0, bytes;

    for (; done < length; done += bytes) {
        PHYSICAL_ADDRESS address;

        bytes = length - done;
        address = session->call->MapTransfer(session->dma, mdl, session->base, start + done, &bytes,
                                             session->write);
        session->way->mapped++;
        change_late(session, position + done, bytes);
        element_run(session, (ULONGLONG)address.QuadPart, bytes, position + done);
    }
    look_early(session, position, length);
    session->call->FlushAdapterBuffers(session->dma, mdl, session->base, start, length, session->write);
}

static void map_all(struct session *session)
{
    ULONG offset = session->request->offset, left = session->request->length, position = 0;
    PMDL mdl = session->packet->part[0].mdl;

    while (left) {
        PUCHAR start = (PUCHAR)MmGetMdlVirtualAddress(mdl) + offset;
        ULONG chunk = session->registers * PAGE_SIZE - BYTE_OFFSET(start);

        if (offset >= MmGetMdlByteCount(mdl)) {
            offset -= MmGetMdlByteCount(mdl);
            mdl = mdl->Next;
            continue;
        }
        chunk = chunk < MmGetMdlByteCount(mdl) - offset ? chunk : MmGetMdlByteCount(mdl) - offset;
        chunk = chunk < left ? chunk : left;
        map_chunk(session, mdl, start, chunk, position);
        offset += chunk;
        position += chunk;
        left -= chunk;
    }
}

static void map_all_ex(struct session *session)
{
    const struct pcm_packet_transfer *request = session->request;
    PMDL mdl = session->packet->part[0].mdl;
    ULONG position = 0, bytes;
    NTSTATUS status;

    for (; position < request->length; position += bytes) {
        bytes = request->length - position;
        status = session->call->MapTransferEx(session->dma, mdl, session->base, request->offset + position,
                                              0, &bytes, session->write, session->room,
                                              session->room_bytes, NULL, NULL);
        if (!NT_SUCCESS(status)) {
            session->way->status = (ULONG)status;
            return;
        }
        session->way->mapped++;
        change_late(session, position, bytes);
        list_run(session, session->room, position);
        look_early(session, position, bytes);
        session->call->FlushAdapterBuffersEx(session->dma, mdl, session->base, request->offset + position,
                                             bytes, session->write);
    }
}

static NTSTATUS registers_ask(struct session *session)
{
    BOOLEAN now = session->request->method == PCM_MAP_AT_ONCE;

    if (session->request->method == PCM_MAP) {
        return session->call->AllocateAdapterChannel(session->dma, session->device->functional,
                                                     session->registers, registers_granted, session);
    }
    return session->call->AllocateAdapterChannelEx(
        session->dma, session->device->physical, session->context, session->registers,
        now ? DMA_SYNCHRONOUS_CALLBACK : 0, now ? NULL : registers_granted, session,
        now ? &session->base : NULL);
}

BOOLEAN session_by_registers(struct session *session)
{
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    session->way->status = (ULONG)registers_ask(session);
    KeLowerIrql(irql);
    if (!NT_SUCCESS((NTSTATUS)session->way->status)) {
        return TRUE;
    }
    if (!wait_granted(session, session->request->method != PCM_MAP_AT_ONCE)) {
        return FALSE;
    }
    if (session->request->method == PCM_MAP) {
        map_all(session);
    } else {
        map_all_ex(session);
    }
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    if (session->request->method == PCM_MAP_AT_ONCE) {
        session->call->FreeAdapterObject(session->dma, DeallocateObject);
    } else {
        session->call->FreeMapRegisters(session->dma, session->base, session->registers);
    }
    KeLowerIrql(irql);
    return TRUE;
}

/* The MDL's memory as a common buffer, for as long as the transfer takes. */
BOOLEAN session_by_buffer(struct session *session)
{
    const struct pcm_packet_transfer *request = session->request;
    PMDL mdl = session->packet->part[0].mdl;
    PHYSICAL_ADDRESS logical;

    session->way->status = (ULONG)session->call->CreateCommonBufferFromMdl(session->dma, mdl, NULL, 0,
                                                                           &logical);
    if (NT_SUCCESS((NTSTATUS)session->way->status)) {
        session->way->mapped++;
        element_run(session, (ULONGLONG)logical.QuadPart + request->offset, request->length, 0);
        look_early(session, 0, request->length);
        session->call->FreeCommonBuffer(session->dma, MmGetMdlByteCount(mdl), logical,
                                        MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority), TRUE);
    }
    return TRUE;
}
