/* SPDX-License-Identifier: MIT */
/*
 * The exercises: packet DMA, by scatter/gather lists and by map transfers
 *
 * What must come of a transfer follows from where its memory is and from what
 * the device reaches: which of its bytes are the device's own copy until they
 * are flushed, how many map registers it takes, whether it is refused.
 */
#include "run.h"

static const struct {
    const char *name;
    enum platform platform;             /* the first that has it */
} methods[PCM_PACKET_METHODS] = {
    [PCM_GET_LIST] = { "GetScatterGatherList", WINDOWS_7 },
    [PCM_BUILD_LIST] = { "BuildScatterGatherList", WINDOWS_7 },
    [PCM_GET_LIST_EX] = { "GetScatterGatherListEx", WINDOWS_8 },
    [PCM_BUILD_LIST_EX] = { "BuildScatterGatherListEx", WINDOWS_8 },
    [PCM_GET_LIST_AT_ONCE] = { "GetScatterGatherListEx at once", WINDOWS_8 },
    [PCM_MAP] = { "MapTransfer", WINDOWS_7 },
    [PCM_MAP_EX] = { "MapTransferEx", WINDOWS_8 },
    [PCM_MAP_AT_ONCE] = { "MapTransferEx at once", WINDOWS_8 },
    [PCM_FROM_MDL] = { "CreateCommonBufferFromMdl", WINDOWS_10 },
};

const char *packet_routine(const struct packet_case *packet)
{
    return packet->queue[0].registers ? "requests that wait" : methods[packet->method].name;
}

enum platform packet_platform(const struct packet_case *packet)
{
    return packet->queue[0].registers ? WINDOWS_8 : methods[packet->method].platform;
}

static bool translates(const struct run *run)
{
    return run->options->iommu;
}

static uint32_t part_count(const struct packet_case *packet)
{
    uint32_t count = 0;

    while (count < PCM_PACKET_PARTS && packet->part[count].length) {
        count++;
    }
    return count;
}

static uint32_t whole_length(const struct packet_case *packet)
{
    uint32_t i, length = 0;

    for (i = 0; i < PCM_PACKET_PARTS; i++) {
        length += packet->part[i].length;
    }
    return length;
}

/* What of part I the range from OFFSET on, LENGTH bytes, covers. */
static uint32_t part_share(const struct packet_case *packet, uint32_t i, uint32_t offset, uint32_t length,
                           uint32_t *start)
{
    uint32_t before = 0, from, to, j;

    for (j = 0; j < i; j++) {
        before += packet->part[j].length;
    }
    from = offset > before ? offset : before;
    to = offset + length < before + packet->part[i].length ? offset + length
                                                          : before + packet->part[i].length;
    *start = packet->part[i].offset + (from - before);
    return from < to ? to - from : 0;
}

/* Map registers: one for each page that each part of the range touches. */
static uint32_t registers_for(const struct packet_case *packet, uint32_t offset, uint32_t length)
{
    uint32_t i, start, share, count = 0;

    for (i = 0; i < part_count(packet); i++) {
        share = part_share(packet, i, offset, length, &start);
        if (share) {
            count += (start + share - 1) / PAGE_BYTES - start / PAGE_BYTES + 1;
        }
    }
    return count;
}

static uint64_t reach_of(const struct request *request)
{
    return request->width < 64 ? (1ull << request->width) - 1 : ~0ull;
}

bool packet_make(struct run *run, const struct packet_case *packet, struct pcm_packet *made)
{
    struct pcm_packet_new in = { .parts = part_count(packet) };
    uint32_t i;

    for (i = 0; i < in.parts; i++) {
        in.part[i] = packet->part[i];
        if (!in.part[i].high) {
            in.part[i].high = ~0ull >> 1;
        }
    }
    if (!command(run, PCM_CMD_PACKET_NEW, &in, sizeof(in), made, sizeof(*made))) {
        return false;
    }
    if (!made->handle) {
        skipped(run, "the machine has no such memory");
        return false;
    }
    return true;
}

uint32_t packet_adapter(struct run *run, const struct request *request)
{
    const struct packet_case *packet = request->packet;
    struct request mine = *request;
    struct pcm_adapter adapter = { 0 };
    uint32_t registers = packet->granted;

    if (!registers) {
        registers = registers_for(packet, 0, whole_length(packet)) + 1;
    }
    mine.channel_maximum = (registers - 1) * PAGE_BYTES;
    if (!adapter_get(run, &mine, &adapter)) {
        return 0;
    }
    if (!adapter.handle) {
        broken(run, "IoGetDmaAdapter returned NULL");
    } else if (adapter.map_registers != registers) {
        broken(run, "%u map registers for %u bytes, not %u", adapter.map_registers, mine.channel_maximum,
               registers);
    }
    return adapter.handle;
}

/* Bytes of the range that the device sees in the memory itself, not in a copy. */
static uint32_t seen_directly(const struct run *run, const struct request *request,
                              const struct pcm_packet *made, uint32_t offset, uint32_t length)
{
    const struct packet_case *packet = request->packet;
    uint64_t reach = reach_of(request);
    uint32_t i, start, share, bytes = 0;
    bool scattered = part_count(packet) > 1 ||
                     (packet->part[0].kind == PCM_PART_PAGES && registers_for(packet, offset, length) > 1);

    if (translates(run)) {
        return packet->single && part_count(packet) > 1 && packet->method < PCM_MAP ? 0 : length;
    }
    if (packet->single && scattered) {
        return 0;
    }
    for (i = 0; i < part_count(packet); i++) {
        share = part_share(packet, i, offset, length, &start);
        if (made->highest <= reach || (packet->part[i].high && packet->part[i].high <= reach)) {
            bytes += share;
        }
    }
    return bytes;
}

/* Whether it is known where the pages are: all beyond the reach, or all within, or bounded. */
static bool whereabouts_known(const struct request *request, const struct pcm_packet *made)
{
    const struct packet_case *packet = request->packet;
    uint64_t reach = reach_of(request);
    uint32_t i;

    if (made->lowest > reach || made->highest <= reach) {
        return true;
    }
    for (i = 0; i < part_count(packet); i++) {
        if ((!packet->part[i].high || packet->part[i].high > reach) && packet->part[i].low <= reach) {
            return false;
        }
    }
    return true;
}

static void check_sizes(struct run *run, const struct request *request,
                        const struct pcm_packet_transferred *out, uint32_t registers, uint32_t granted)
{
    uint32_t elements = request->packet->single ? 1 : registers;
    bool fits = registers <= granted;

    if (out->size_status != PCM_STATUS_NOT_SUPPORTED &&
        out->size_status != (fits ? PCM_STATUS_SUCCESS : PCM_STATUS_INSUFFICIENT_RESOURCES)) {
        broken(run, "CalculateScatterGatherList: status %X", (uint64_t)out->size_status);
    }
    if (!out->size_status && (out->size_registers != registers || out->size_bytes != 16 + 24 * elements)) {
        broken(run, "CalculateScatterGatherList: %u registers, %u bytes, not %u, %u", out->size_registers,
               out->size_bytes, registers, 16 + 24 * elements);
    }
    if (out->info_status != PCM_STATUS_NOT_SUPPORTED && out->info_status) {
        broken(run, "GetDmaTransferInfo: status %X", (uint64_t)out->info_status);
    }
    if (!out->info_status &&
        (out->info_registers != registers || out->info_elements != elements ||
         out->info_bytes != 16 + 24 * elements || out->info_pages != registers)) {
        broken(run, "GetDmaTransferInfo: %u registers, %u elements, %u bytes, %u pages", out->info_registers,
               out->info_elements, out->info_bytes, out->info_pages);
    }
}

/* Whether each mapping is one element. */
static bool way_is_whole(const struct request *request)
{
    return request->packet->single || request->packet->method == PCM_FROM_MDL;
}

/* What holds in both directions. */
static void check_way(struct run *run, const struct request *request, const struct pcm_packet_way *way,
                      const struct pcm_packet_transfer *in, uint32_t registers, const char *what)
{
    if (way->status) {
        broken(run, "DMA %s memory: status %X", what, (uint64_t)way->status);
    } else if (way->covered != in->length || way->done != in->length) {
        broken(run, "DMA %s memory: %u bytes in %u elements, %u transferred, of %u", what, way->covered,
               way->elements, way->done, in->length);
    } else if (way->result != PCM_EX_OK || way->mismatches) {
        broken(run, "DMA %s memory: result %u, %u bytes differ, the first at %u", what, way->result,
               way->mismatches, way->first_mismatch);
    } else if (way->in_mdl) {
        broken(run, "DMA %s memory: %u bytes differ in the target MDL", what, way->in_mdl);
    } else if (way->spilt) {
        broken(run, "DMA %s memory: %u bytes around it were changed", what, way->spilt);
    } else if (way->highest > reach_of(request)) {
        broken(run, "DMA %s memory: the device was given %X", what, way->highest);
    } else if (!way->elements || way->elements > registers + way->mapped ||
               (way_is_whole(request) && way->elements != way->mapped)) {
        broken(run, "DMA %s memory: %u elements, mapped %u times", what, way->elements, way->mapped);
    }
}

/* Exactly the bytes of copies come when the transfer is flushed. */
static void check_copies(struct run *run, const struct pcm_packet_way *to, uint32_t length, uint32_t direct)
{
    if (to->early != direct) {
        broken(run, "%u of %u bytes were in memory before the transfer was flushed, not %u", to->early,
               length, direct);
    }
    if (!translates(run) && (direct == length) != (to->direct == to->elements)) {
        broken(run, "%u of %u elements are the memory itself", to->direct, to->elements);
    }
    text_add(&run->more, ",\"elements\":%u,\"bounced\":%u", to->elements, length - direct);
}

static void check_transfer(struct run *run, const struct request *request, const struct pcm_packet *made,
                           const struct pcm_packet_transfer *in, uint32_t granted)
{
    static struct pcm_packet_transferred out;
    uint32_t registers = registers_for(request->packet, in->offset, in->length);

    if (!command(run, PCM_CMD_PACKET_TRANSFER, in, sizeof(*in), &out, sizeof(out))) {
        return;
    }
    check_sizes(run, request, &out, registers, granted);
    if (out.records) {
        broken(run, "the device logged %u violations, the first of rule %u: %u bytes at %X", out.records,
               out.first.rule, out.first.length, out.first.address);
    }
    if (request->refused) {
        if (out.to_memory.status != request->status || out.from_memory.status != request->status) {
            broken(run, "status %X and %X, not %X", (uint64_t)out.to_memory.status,
                   (uint64_t)out.from_memory.status, (uint64_t)request->status);
        }
        return;
    }
    check_way(run, request, &out.to_memory, in, registers, "to");
    check_way(run, request, &out.from_memory, in, registers, "from");
    if (run->verdict == HELD && whereabouts_known(request, made)) {
        check_copies(run, &out.to_memory, in->length,
                     seen_directly(run, request, made, in->offset, in->length));
    }
    text_add(&run->logical, "%X-%X", out.to_memory.lowest, out.to_memory.highest);
    run->filled += out.to_memory.done;
    run->verified += out.from_memory.done;
    run->buffers++;
}

static void transfer(struct run *run, const struct request *request, const struct pcm_packet *made,
                     uint32_t adapter)
{
    const struct packet_case *packet = request->packet;
    struct pcm_packet_transfer in = {
        .adapter = adapter,
        .packet = made->handle,
        .method = packet->method,
        .directions = PCM_TO_MEMORY | PCM_FROM_MEMORY,
        .flags = packet->flags,
        .registers = packet->ask,
        .room = packet->room,
        .buffer_short = packet->buffer_short,
        .offset = packet->offset,
        .length = packet->length ? packet->length : whole_length(packet) - packet->offset,
        .seed = 0x9acce70000000000ull + made->handle,
        .addr_bits = request->width < PCM_ADDR_BITS_MIN ? PCM_ADDR_BITS_MIN : request->width,
    };
    uint32_t granted = packet->granted ? packet->granted
                                       : registers_for(packet, 0, whole_length(packet)) + 1;

    /* Behind an IOMMU there is no copy, so that the device would see what changes late. */
    if (translates(run)) {
        in.flags &= ~PCM_PACKET_LATE;
    }
    check_transfer(run, request, made, &in, granted);
}

void exercise_packet(struct run *run, const struct request *request)
{
    struct pcm_packet made;
    uint32_t adapter;

    if (!packet_make(run, request->packet, &made)) {
        return;
    }
    adapter = packet_adapter(run, request);
    if (adapter) {
        transfer(run, request, &made, adapter);
        command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
    }
    command_on(run, PCM_CMD_PACKET_FREE, made.handle);
}

/* The device's second use of an element must be denied, and logged. */
static void check_denied(struct run *run, const struct pcm_packet_way *way,
                         const struct pcm_packet_transferred *out, bool write,
                         struct pcm_fault_result *result, struct expected *e)
{
    *result = (struct pcm_fault_result){ .address = way->after_address, .length = way->after_length,
                                         .records = out->records, .record = out->first };
    *e = violation_expect(PCM_RULE_IOMMU, result);
    violation_judge(run, PCM_RULE_IOMMU, PCM_POLICY_ABORT, write, result, e);
    if (way->after_result != PCM_EX_VIOLATION || way->after_done) {
        broken(run, "the device's result is %u after %u bytes", way->after_result, way->after_done);
    }
}

/* Without an IOMMU nothing keeps the device from memory: the IOMMU it is that denies. */
static void check_let_pass(struct run *run, const struct pcm_packet_way *way,
                           const struct pcm_packet_transferred *out)
{
    if (way->after_result != PCM_EX_OK || way->after_done != way->after_length || out->records) {
        broken(run, "without an IOMMU: result %u after %u of %u bytes, %u violations", way->after_result,
               way->after_done, way->after_length, out->records);
    }
}

/* One way, and after it, if asked for, the device's second use of the first element. */
static bool use_after(struct run *run, const struct request *request, struct pcm_packet_transfer *in,
                      bool write, struct pcm_fault_result *result, struct expected *e)
{
    static struct pcm_packet_transferred out;
    const struct pcm_packet_way *way = write ? &out.to_memory : &out.from_memory;

    in->directions = write ? PCM_TO_MEMORY : PCM_FROM_MEMORY;
    if (!command(run, PCM_CMD_PACKET_TRANSFER, in, sizeof(*in), &out, sizeof(out))) {
        return false;
    }
    check_way(run, request, way, in, registers_for(request->packet, in->offset, in->length),
              write ? "to" : "from");
    if (translates(run)) {
        check_denied(run, way, &out, write, result, e);
    } else if (in->flags & PCM_PACKET_AFTER) {
        check_let_pass(run, way, &out);
    }
    *(write ? &run->filled : &run->verified) += way->done + way->after_done;
    return run->verdict == HELD;
}

/*
 * When the transfer is over the device loses the memory, if there is an IOMMU.
 * Without one a copy is the HAL's again, and the device is kept from it here.
 */
void exercise_packet_after(struct run *run, const struct request *request)
{
    const struct packet_case *packet = request->packet;
    struct pcm_packet_transfer in = { .method = packet->method, .length = whole_length(packet),
                                      .seed = 0xaf7e5ull, .registers = packet->ask,
                                      .addr_bits = request->width };
    struct pcm_fault_result results[2];
    struct expected expected[2];
    struct pcm_packet made;

    if (!packet_make(run, packet, &made)) {
        return;
    }
    if (translates(run) || seen_directly(run, request, &made, 0, in.length) == in.length) {
        in.flags = PCM_PACKET_AFTER;
    }
    in.packet = made.handle;
    in.adapter = packet_adapter(run, request);
    if (in.adapter) {
        if (use_after(run, request, &in, true, &results[0], &expected[0]) &&
            use_after(run, request, &in, false, &results[1], &expected[1]) && translates(run)) {
            violation_announce(run, PCM_RULE_IOMMU, results, expected, 1);
        }
        command_on(run, PCM_CMD_ADAPTER_PUT, in.adapter);
    }
    command_on(run, PCM_CMD_PACKET_FREE, made.handle);
}

/* Every start and end around the first pages, one transfer each. */
void exercise_packet_edges(struct run *run, const struct request *request)
{
    static const uint32_t edges[] = { 0, 1, 7, 4095, 4096, 4097 };
    const uint32_t count = sizeof(edges) / sizeof(edges[0]);
    struct packet_case packet = *request->packet;
    struct request mine = *request;
    struct pcm_packet made;
    uint32_t adapter, i;

    mine.packet = &packet;
    packet.granted = 5;
    if (!packet_make(run, &packet, &made)) {
        return;
    }
    adapter = packet_adapter(run, &mine);
    for (i = 0; adapter && i < count * count && run->verdict == HELD; i++) {
        packet.offset = edges[i / count];
        packet.length = edges[i % count] ? edges[i % count] : 2 * PAGE_BYTES + 1;
        text_clear(&run->logical);
        text_clear(&run->more);
        transfer(run, &mine, &made, adapter);
    }
    if (adapter) {
        command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
    }
    command_on(run, PCM_CMD_PACKET_FREE, made.handle);
}
