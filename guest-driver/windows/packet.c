/* SPDX-License-Identifier: MIT */
/*
 * pcmaster.sys: memory for packet DMA
 *
 * Made as the memory of somebody else's request would come: pages from
 * anywhere, or pool, of which a chain of MDLs describes ranges.
 */
#include "pcmaster.h"

#include "pcmaster_pattern.h"

#define GUARD_BYTE                  0xa5
#define GUARD_WORD                  0xa5a5a5a5a5a5a5a5ull

ULONGLONG packet_length(const struct packet *packet)
{
    ULONGLONG length = 0;
    ULONG i;

    for (i = 0; i < packet->parts; i++) {
        length += MmGetMdlByteCount(packet->part[i].mdl);
    }
    return length;
}

/* The part that holds the byte at *OFFSET, which becomes its place in it. */
static struct part *part_at(const struct packet *packet, ULONG *offset)
{
    const struct part *part = packet->part;

    while (*offset >= MmGetMdlByteCount(part->mdl)) {
        *offset -= MmGetMdlByteCount(part->mdl);
        part++;
    }
    return (struct part *)part;
}

static PUCHAR part_bytes(const struct part *part)
{
    return MmGetSystemAddressForMdlSafe(part->mdl, NormalPagePriority);
}

ULONGLONG packet_physical(const struct packet *packet, ULONG offset)
{
    PMDL mdl = part_at(packet, &offset)->mdl;
    ULONG at = MmGetMdlByteOffset(mdl) + offset;

    return ((ULONGLONG)MmGetMdlPfnArray(mdl)[at / PAGE_SIZE] << PAGE_SHIFT) + at % PAGE_SIZE;
}

/* The bytes from *OFFSET on that one part holds, LENGTH at most. */
static PUCHAR next_span(const struct packet *packet, ULONG offset, ULONG length, ULONG *bytes)
{
    struct part *part = part_at(packet, &offset);
    ULONG left = MmGetMdlByteCount(part->mdl) - offset;

    *bytes = length < left ? length : left;
    return part_bytes(part) + offset;
}

/* How many bytes there are before POSITION is a multiple of 8. */
static ULONG head_bytes(ULONG position, ULONG length)
{
    ULONG head = (8 - position % 8) % 8;

    return head < length ? head : length;
}

void packet_write(struct packet *packet, ULONG offset, ULONG length, ULONGLONG seed, ULONG position,
                  ULONGLONG inverted)
{
    ULONG bytes, head, i;

    for (; length; offset += bytes, position += bytes, length -= bytes) {
        PUCHAR memory = next_span(packet, offset, length, &bytes);

        head = head_bytes(position, bytes);
        for (i = 0; i < head; i++) {
            memory[i] = (UCHAR)(pcm_pattern_byte(seed, position + i) ^ inverted);
        }
        pcm_pattern_write(memory + head, bytes - head, pcm_pattern_word(seed, (position + head) / 8),
                          inverted);
    }
}

ULONG pattern_compare_at(const UCHAR *memory, ULONG length, ULONGLONG seed, ULONG position, uint32_t *first)
{
    ULONG head = head_bytes(position, length), different = 0, i;
    uint32_t behind;

    *first = PCM_PATTERN_SAME;
    for (i = 0; i < head; i++) {
        if (memory[i] != pcm_pattern_byte(seed, position + i) && !different++) {
            *first = i;
        }
    }
    i = pcm_pattern_compare(memory + head, length - head, pcm_pattern_word(seed, (position + head) / 8),
                            &behind);
    if (!different && i) {
        *first = head + behind;
    }
    return different + i;
}

ULONG packet_compare(struct packet *packet, ULONG offset, ULONG length, ULONGLONG seed, ULONG position,
                     uint32_t *first)
{
    ULONG bytes, different = 0, done = 0, found;
    uint32_t at;

    *first = PCM_PATTERN_SAME;
    for (; done < length; done += bytes) {
        const UCHAR *memory = next_span(packet, offset + done, length - done, &bytes);

        found = pattern_compare_at(memory, bytes, seed, position + done, &at);
        if (found && !different) {
            *first = done + at;
        }
        different += found;
    }
    return different;
}

void packet_fill(struct packet *packet, ULONG offset, ULONG length, ULONGLONG seed, ULONGLONG inverted)
{
    ULONG i;

    for (i = 0; i < packet->parts; i++) {
        RtlFillMemory(packet->part[i].base, packet->part[i].bytes, GUARD_BYTE);
    }
    packet_write(packet, offset, length, seed, 0, inverted);
}

static ULONG count_no_guard(const UCHAR *memory, ULONG length)
{
    const ULONGLONG *words = (const ULONGLONG *)memory;
    ULONG count = 0, i, j;

    for (i = 0; i < length / 8; i++) {
        for (j = 0; words[i] != GUARD_WORD && j < 8; j++) {
            count += memory[8 * i + j] != GUARD_BYTE;
        }
    }
    return count;
}

ULONG packet_spilt(struct packet *packet, ULONG offset, ULONG length)
{
    ULONG bytes, count = 0, i;

    for (; length; offset += bytes, length -= bytes) {
        PUCHAR memory = next_span(packet, offset, length, &bytes);

        RtlFillMemory(memory, bytes, GUARD_BYTE);
    }
    for (i = 0; i < packet->parts; i++) {
        count += count_no_guard(packet->part[i].base, packet->part[i].bytes);
    }
    return count;
}

static void part_close(struct part *part)
{
    if (part->mdl) {
        IoFreeMdl(part->mdl);
    }
    if (part->pages) {
        if (part->base) {
            MmUnmapLockedPages(part->base, part->pages);
        }
        MmFreePagesFromMdl(part->pages);
        ExFreePool(part->pages);
    } else if (part->base) {
        ExFreePoolWithTag(part->base, PCM_POOL_TAG);
    }
}

/* FALSE: no such memory; what there is, part_close frees. */
static BOOLEAN part_open_pages(struct part *part, const struct pcm_packet_part *from)
{
    PHYSICAL_ADDRESS low, high, skip;
    PVOID start;

    low.QuadPart = (LONGLONG)from->low;
    high.QuadPart = (LONGLONG)from->high;
    skip.QuadPart = 0;
    part->pages = MmAllocatePagesForMdlEx(low, high, skip, part->bytes, MmCached,
                                          MM_DONT_ZERO_ALLOCATION | MM_ALLOCATE_FULLY_REQUIRED);
    if (!part->pages) {
        return FALSE;
    }
    part->base = MmGetSystemAddressForMdlSafe(part->pages, NormalPagePriority);
    start = (PUCHAR)MmGetMdlVirtualAddress(part->pages) + from->offset;
    part->mdl = IoAllocateMdl(start, from->length, FALSE, FALSE, NULL);
    if (!part->base || !part->mdl) {
        return FALSE;
    }
    IoBuildPartialMdl(part->pages, part->mdl, start, from->length);
    return TRUE;
}

static BOOLEAN part_open_pool(struct part *part, const struct pcm_packet_part *from)
{
    part->base = ExAllocatePoolWithTag(NonPagedPool, part->bytes, PCM_POOL_TAG);
    if (part->base) {
        part->mdl = IoAllocateMdl(part->base + from->offset, from->length, FALSE, FALSE, NULL);
    }
    if (!part->mdl) {
        return FALSE;
    }
    MmBuildMdlForNonPagedPool(part->mdl);
    return TRUE;
}

static void packet_close(struct packet *packet)
{
    ULONG i;

    for (i = 0; i < packet->parts; i++) {
        part_close(&packet->part[i]);
    }
    ExFreePoolWithTag(packet, PCM_POOL_TAG);
}

static BOOLEAN packet_open(struct packet *packet, const struct pcm_packet_new *from)
{
    ULONG i;

    for (i = 0; i < from->parts; i++) {
        struct part *part = &packet->part[i];

        packet->parts = i + 1;
        part->bytes = (ULONG)ROUND_TO_PAGES(from->part[i].offset + from->part[i].length);
        if (!(from->part[i].kind == PCM_PART_POOL ? part_open_pool(part, &from->part[i])
                                                  : part_open_pages(part, &from->part[i]))) {
            return FALSE;
        }
        if (i) {
            packet->part[i - 1].mdl->Next = part->mdl;
        }
    }
    return TRUE;
}

static void packet_measure(const struct packet *packet, struct pcm_packet *reply)
{
    ULONG i, page;

    reply->lowest = ~0ull;
    for (i = 0; i < packet->parts; i++) {
        PMDL mdl = packet->part[i].mdl;
        ULONG pages = ADDRESS_AND_SIZE_TO_SPAN_PAGES(MmGetMdlVirtualAddress(mdl), MmGetMdlByteCount(mdl));

        for (page = 0; page < pages; page++) {
            ULONGLONG address = (ULONGLONG)MmGetMdlPfnArray(mdl)[page] << PAGE_SHIFT;

            reply->lowest = address < reply->lowest ? address : reply->lowest;
            reply->highest = address > reply->highest ? address : reply->highest;
        }
        reply->pages += pages;
    }
    reply->highest += PAGE_SIZE - 1;
}

/* The whole packet is mapped, and its offsets are counted in 32 bits. */
static BOOLEAN packet_sane(const struct pcm_packet_new *request)
{
    ULONG i;

    if (!request->parts || request->parts > PCM_PACKET_PARTS) {
        return FALSE;
    }
    for (i = 0; i < request->parts; i++) {
        const struct pcm_packet_part *part = &request->part[i];

        if (part->kind > PCM_PART_POOL || !part->length || part->length > 1u << 28 ||
            part->offset > 1u << 28) {
            return FALSE;
        }
    }
    return TRUE;
}

NTSTATUS control_packet_new(struct device *device, struct file *file, PVOID data)
{
    struct pcm_packet_new request = *(struct pcm_packet_new *)data;
    struct pcm_packet *reply = data;
    struct packet *packet;

    PCM_UNUSED(device);
    if (!packet_sane(&request)) {
        return STATUS_INVALID_PARAMETER;
    }
    packet = pool_allocate(sizeof(*packet));
    if (!packet) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(reply, sizeof(*reply));
    if (!packet_open(packet, &request)) {
        packet_close(packet);
        return STATUS_SUCCESS;
    }
    if (!handle_add(file, &packet->object, OBJECT_PACKET)) {
        packet_close(packet);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    reply->handle = packet->object.handle;
    packet_measure(packet, reply);
    return STATUS_SUCCESS;
}

static void packet_destroy(struct file *file, struct packet *packet)
{
    handle_remove(file, &packet->object);
    packet_close(packet);
}

NTSTATUS control_packet_free(struct device *device, struct file *file, PVOID data)
{
    const struct pcm_object *request = data;
    struct packet *packet = (struct packet *)handle_find(file, request->handle, OBJECT_PACKET);

    PCM_UNUSED(device);
    if (!packet) {
        return STATUS_INVALID_HANDLE;
    }
    packet_destroy(file, packet);
    return STATUS_SUCCESS;
}

void packets_release(struct file *file)
{
    struct object *object;

    while ((object = handle_any(file, OBJECT_PACKET))) {
        packet_destroy(file, (struct packet *)object);
    }
}
