/* SPDX-License-Identifier: MIT */
/* The exercises: memory that is nearly used up */
#include "run.h"

#define HELD_MAX                    8192u
#define CROWD                       24u
#define CROWD_BYTES                 (4 * MIB)
#define PIECE_BYTES                 MIB         /* of a whole node */

/* What is alive; a channel counts as its buffer. */
static struct held {
    uint64_t logical;
    uint32_t length;
    uint32_t handle;
} held[HELD_MAX];
static uint32_t held_count;

static bool hold(struct run *run, uint32_t handle, uint64_t logical, uint32_t length)
{
    if (held_count == HELD_MAX) {
        broken(run, "%u buffers did not use the memory up", held_count);
        return false;
    }
    held[held_count++] = (struct held){ logical, length, handle };
    return true;
}

/* Gives back the buffer at INDEX; the last one takes its place. */
static void let_go(struct run *run, uint32_t index, uint32_t how)
{
    command_on(run, how, held[index].handle);
    held[index] = held[--held_count];
}

static void let_all_go(struct run *run, uint32_t how)
{
    while (held_count) {
        let_go(run, held_count - 1, how);
    }
}

/* One more buffer; false: NULL, or broken() was called. */
static bool one_more(struct run *run, uint32_t adapter, const struct request *request)
{
    struct pcm_allocated allocated;

    if (!allocate(run, adapter, request, false, &allocated) || !allocated.handle) {
        return false;
    }
    check_place(run, request, allocated.logical);
    if (!hold(run, allocated.handle, allocated.logical, request->length)) {
        command_on(run, PCM_CMD_FREE, allocated.handle);
        return false;
    }
    return true;
}

static uint32_t fill(struct run *run, uint32_t adapter, const struct request *request)
{
    uint32_t count = 0;

    while (run->verdict == HELD && one_more(run, adapter, request)) {
        count++;
    }
    return count;
}

static void sort_held(void)
{
    uint32_t gap, i, j;

    for (gap = held_count / 2; gap; gap /= 2) {
        for (i = gap; i < held_count; i++) {
            struct held moved = held[i];

            for (j = i; j >= gap && held[j - gap].logical > moved.logical; j -= gap) {
                held[j] = held[j - gap];
            }
            held[j] = moved;
        }
    }
}

/* No page may belong to two buffers.  Sorts them by address. */
static void check_distinct(struct run *run)
{
    uint32_t i;

    sort_held();
    for (i = 1; i < held_count; i++) {
        uint64_t end = held[i - 1].logical + held[i - 1].length;

        if ((end + PAGE_BYTES - 1) / PAGE_BYTES > held[i].logical / PAGE_BYTES) {
            broken(run, "the buffers at %X and %X overlap", held[i - 1].logical, held[i].logical);
        }
    }
    text_clear(&run->logical);
    if (held_count) {
        text_add(&run->logical, "%X-%X", held[0].logical,
                 held[held_count - 1].logical + held[held_count - 1].length - 1);
    }
}

static void check_all_by_dma(struct run *run, const struct request *request)
{
    uint32_t i;

    for (i = 0; i < held_count && run->verdict == HELD; i++) {
        struct request each = *request;

        each.length = held[i].length;
        check_by_dma(run, &each, held[i].handle, PCM_NODE_ANY);
    }
}

/* With the memory used up: one buffer less makes room for exactly one more. */
static void check_one_for_one(struct run *run, uint32_t adapter, const struct request *request)
{
    let_go(run, held_count / 2, PCM_CMD_FREE);
    if (!one_more(run, adapter, request)) {
        broken(run, "one was freed, but no other fits");
    }
    if (one_more(run, adapter, request)) {
        broken(run, "one was freed, but two others fit");
    }
}

void exercise_exhaust(struct run *run, const struct request *request)
{
    uint32_t adapter = adapter_needed(run, request);
    uint32_t first, second;

    if (!adapter) {
        return;
    }
    first = fill(run, adapter, request);
    text_add(&run->more, ",\"fitted\":%u", first);
    if (!first) {
        broken(run, "not one buffer fits");
    } else {
        check_distinct(run);
        check_all_by_dma(run, request);
        check_one_for_one(run, adapter, request);
        check_distinct(run);
    }
    let_all_go(run, PCM_CMD_FREE);
    second = fill(run, adapter, request);
    if (second != first) {
        broken(run, "%u buffers fitted, and %u after all were freed", first, second);
    }
    let_all_go(run, PCM_CMD_FREE);
    command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
}

/* A channel and its buffer; false: no memory, or broken() was called. */
static bool one_more_channel(struct run *run, const struct request *request)
{
    struct pcm_channel channel = { 0 };
    struct pcm_channel_allocated allocated;
    struct pcm_channel_state state;

    if (!channel_new(run, request, &channel) || !channel.handle) {
        broken(run, "PcNewDmaChannel returned %X", (uint64_t)channel.status);
        return false;
    }
    if (channel_allocate(run, channel.handle, request, &allocated) && !allocated.status &&
        channel_query(run, channel.handle, &state) &&
        hold(run, channel.handle, state.physical_address, request->length)) {
        check_place(run, request, state.physical_address);
        return true;
    }
    if (allocated.status && allocated.status != PCM_STATUS_INSUFFICIENT_RESOURCES) {
        broken(run, "AllocateBuffer returned %X", (uint64_t)allocated.status);
    }
    command_on(run, PCM_CMD_CHANNEL_RELEASE, channel.handle);
    return false;
}

static uint32_t fill_channels(struct run *run, const struct request *request)
{
    uint32_t count = 0;

    while (run->verdict == HELD && one_more_channel(run, request)) {
        count++;
    }
    return count;
}

/* So many at once that their natural places cross what may not be crossed. */
void exercise_crowd(struct run *run, const struct request *request)
{
    bool none;
    uint64_t quarter = last_legal(request, &none) / 4;
    uint64_t room = quarter < CROWD_BYTES ? quarter : CROWD_BYTES;
    uint32_t count = room / request->length < CROWD ? (uint32_t)(room / request->length) : CROWD;

    while (held_count < count && run->verdict == HELD) {
        if (!one_more_channel(run, request)) {
            broken(run, "only %u buffers fit", held_count);
        }
    }
    text_add(&run->more, ",\"fitted\":%u", held_count);
    check_distinct(run);
    check_all_by_dma(run, request);
    let_all_go(run, PCM_CMD_CHANNEL_RELEASE);
}

void exercise_exhaust_channels(struct run *run, const struct request *request)
{
    uint32_t first = fill_channels(run, request), second;

    text_add(&run->more, ",\"fitted\":%u", first);
    if (!first) {
        broken(run, "not one buffer fits");
    } else {
        check_distinct(run);
        check_all_by_dma(run, request);
        let_go(run, held_count / 2, PCM_CMD_CHANNEL_RELEASE);
        if (!one_more_channel(run, request)) {
            broken(run, "one was freed, but no other fits");
        }
        check_distinct(run);
    }
    let_all_go(run, PCM_CMD_CHANNEL_RELEASE);
    second = fill_channels(run, request);
    if (second != first) {
        broken(run, "%u buffers fitted, and %u after all were freed", first, second);
    }
    let_all_go(run, PCM_CMD_CHANNEL_RELEASE);
}

/* Full, with every second buffer freed: the holes must all be used again. */
void exercise_fragment(struct run *run, const struct request *request)
{
    uint32_t adapter = adapter_needed(run, request);
    uint32_t full, i;

    if (!adapter) {
        return;
    }
    full = fill(run, adapter, request);
    check_distinct(run);
    /* From the end: what takes the place of each has been looked at. */
    for (i = full & ~1u; i; i -= 2) {
        let_go(run, i - 2, PCM_CMD_FREE);
    }
    fill(run, adapter, request);
    if (held_count != full) {
        broken(run, "%u buffers fitted, and %u after every second was freed", full, held_count);
    }
    check_distinct(run);
    check_all_by_dma(run, request);
    let_all_go(run, PCM_CMD_FREE);
    command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
}

/* Sizes in turn until none fits any more; afterwards nothing is in pieces. */
static void fill_mixed(struct run *run, uint32_t adapter, const struct request *request)
{
    static const uint32_t lengths[] = { 1, 300 * KIB, 4097, 64 * KIB, 12345, 128 * KIB, 4096, 65537 };
    uint32_t fitting = (1u << (sizeof(lengths) / sizeof(lengths[0]))) - 1;
    struct request each = *request;
    uint32_t i;

    for (i = 0; fitting && run->verdict == HELD; i = (i + 1) % (sizeof(lengths) / sizeof(lengths[0]))) {
        if (fitting & (1u << i)) {
            each.length = lengths[i];
            if (!one_more(run, adapter, &each)) {
                fitting &= ~(1u << i);
            }
        }
    }
}

void exercise_mixed(struct run *run, const struct request *request)
{
    uint32_t adapter = adapter_needed(run, request);

    if (!adapter) {
        return;
    }
    if (!one_more(run, adapter, request)) {
        broken(run, "%u bytes do not fit in the first place", request->length);
    }
    let_all_go(run, PCM_CMD_FREE);
    fill_mixed(run, adapter, request);
    text_add(&run->more, ",\"fitted\":%u", held_count);
    check_distinct(run);
    check_all_by_dma(run, request);
    let_all_go(run, PCM_CMD_FREE);
    if (!one_more(run, adapter, request)) {
        broken(run, "%u bytes do not fit any more, though all is free", request->length);
    }
    let_all_go(run, PCM_CMD_FREE);
    command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
}

/* Uses the node up to the limit.  The last buffer held is then another node's. */
static uint32_t use_node_up(struct run *run, uint32_t adapter, const struct request *request,
                            uint64_t lowest)
{
    uint32_t on_node = 0;

    while (run->verdict == HELD) {
        if (!one_more(run, adapter, request)) {
            broken(run, "NULL was returned though only node %u is used up", request->node);
            break;
        }
        if (held[held_count - 1].logical < lowest) {
            break;
        }
        check_by_dma(run, request, held[held_count - 1].handle, request->node);
        on_node++;
    }
    return on_node;
}

/* Whether the next buffer is on the preferred node; it stays alive. */
static bool prefers_node(struct run *run, uint32_t adapter, const struct request *request,
                         uint64_t lowest)
{
    return one_more(run, adapter, request) && held[held_count - 1].logical >= lowest;
}

/* Below all of the preferred node's memory, so that the address tells whose a buffer is. */
static bool another_node_is_below(const struct run *run, const struct request *request)
{
    uint32_t node;

    for (node = 0; node < run->facts.node_count && node < PCM_NODES; node++) {
        if (run->facts.node_lowest[node] < run->facts.node_lowest[request->node]) {
            return true;
        }
    }
    return false;
}

/* First the one node, then the others; and back when there is room. */
static void check_spill(struct run *run, uint32_t adapter, const struct request *request)
{
    uint64_t lowest = run->facts.node_lowest[request->node];
    uint32_t on_node = use_node_up(run, adapter, request, lowest);

    text_add(&run->more, ",\"fitted\":%u", on_node);
    if (!on_node) {
        broken(run, "not one buffer is on node %u", request->node);
    } else if (run->verdict == HELD) {
        note_fallback(run, request);
        check_by_dma(run, request, held[held_count - 1].handle, PCM_NODE_ANY);
        let_go(run, 0, PCM_CMD_FREE);
        if (!prefers_node(run, adapter, request, lowest)) {
            broken(run, "node %u has room again, but is not preferred", request->node);
        }
        if (prefers_node(run, adapter, request, lowest)) {
            broken(run, "node %u has more room than before", request->node);
        }
        check_distinct(run);
    }
    let_all_go(run, PCM_CMD_FREE);
    if (!prefers_node(run, adapter, request, lowest)) {
        broken(run, "node %u is free, but not preferred", request->node);
    }
    let_all_go(run, PCM_CMD_FREE);
}

/* One more buffer, all of it on the node; false: it is not, or broken() was called. */
static bool one_more_on_node(struct run *run, uint32_t adapter, const struct request *request)
{
    return one_more(run, adapter, request) &&
           (check_by_dma(run, request, held[held_count - 1].handle, request->node), run->verdict == HELD);
}

/* Whether the device finds all of one more buffer, or the start of it, on the node. */
static bool begins_on_node(struct run *run, uint32_t adapter, const struct request *request)
{
    if (!one_more(run, adapter, request)) {
        broken(run, "NULL was returned though only node %u is used up", request->node);
        return false;
    }
    check_by_dma(run, request, held[held_count - 1].handle, PCM_NODE_ANY);
    return run->verdict == HELD && run->first_node == request->node;
}

/* The whole node used up: the last buffer is another's, which the host judges. */
static void use_whole_node_up(struct run *run, uint32_t adapter, const struct request *request)
{
    struct request large = *request;
    uint32_t on_node = 0;

    large.length = PIECE_BYTES;
    large.maximum_kind = NO_MAXIMUM;
    while (begins_on_node(run, adapter, &large)) {
        on_node++;
    }
    text_add(&run->more, ",\"fitted\":%u", on_node);
    let_go(run, 0, PCM_CMD_FREE);
    if (!one_more_on_node(run, adapter, &large)) {
        broken(run, "node %u has room again, but is not preferred", request->node);
    }
    begins_on_node(run, adapter, &large);
    note_fallback(run, &large);
}

/*
 * Behind an IOMMU the limit is the logical address's: more buffers than the
 * node's memory below it could hold are all the node's.
 */
static void check_stay(struct run *run, uint32_t adapter, const struct request *request)
{
    uint64_t below = request->maximum - run->facts.node_lowest[request->node];
    uint32_t count = (uint32_t)(below / request->length) + 1;

    while (held_count < count && one_more_on_node(run, adapter, request)) {
    }
    if (held_count < count) {
        broken(run, "only %u buffers fit below the limit", held_count);
    }
    check_distinct(run);
    let_all_go(run, PCM_CMD_FREE);
    if (run->options->memory <= MEMORY_MOST_MIB && another_node_has_room(run, request)) {
        use_whole_node_up(run, adapter, request);
        let_all_go(run, PCM_CMD_FREE);
    }
}

/* The limit leaves the preferred node a little memory, and the others all that lies below. */
void exercise_spill(struct run *run, const struct request *request)
{
    uint32_t adapter;

    if (!node_must_be_kept(run, request)) {
        skipped(run, "node %u has nothing that the device reaches", request->node);
        return;
    }
    if (!run->options->iommu && !another_node_is_below(run, request)) {
        skipped(run, "no node has memory below that of node %u", request->node);
        return;
    }
    adapter = adapter_needed(run, request);
    if (!adapter) {
        return;
    }
    if (run->options->iommu) {
        check_stay(run, adapter, request);
    } else {
        check_spill(run, adapter, request);
    }
    command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
}
