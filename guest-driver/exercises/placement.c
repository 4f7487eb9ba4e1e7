/* SPDX-License-Identifier: MIT */
/*
 * The exercises: where a buffer may and must be
 *
 * What is expected follows from the request, and for nodes from what the
 * device says of the machine: never from the allocator that is being tested.
 */
#include "run.h"

/* Every machine has memory free below this; and each node so much at its start. */
#define ALWAYS_THERE                (64ull * MIB)
#define NODE_LEAST                  (8ull * MIB)

static uint32_t node_count(const struct run *run)
{
    return run->facts.node_count ? run->facts.node_count : 1;
}

static uint64_t lowest_of(const struct run *run, uint32_t node)
{
    return node < PCM_NODES ? run->facts.node_lowest[node] : ~0ull;
}

/* A node that the table names by its number must be there; others need not. */
static bool resolve_node(struct run *run, struct request *request)
{
    uint32_t count = node_count(run);

    if (request->node == DEVICE_NODE) {
        request->node = run->facts.device_node;
        if (request->node >= count) {
            skipped(run, "the device is on no node");
            return false;
        }
    } else if (request->node == NODE_COUNT) {
        request->node = count;
    } else if (request->node >= count && !request->refused && request->node != ANY_NODE) {
        skipped(run, "the machine has %u node%s", count, count == 1 ? "" : "s");
        return false;
    }
    return true;
}

/* What the device's wires rule out, whatever the allocator does. */
static bool resolve_device(struct run *run, struct request *request)
{
    uint32_t bits = run->facts.hw_addr_bits;

    if (request->refused) {
        return true;
    }
    if (request->width > bits && request->legacy) {
        skipped(run, "the device has %u address lines", bits);
        return false;
    }
    if (request->width > bits) {
        request->width = bits;
        /* So close to the bottom of memory firmware may have the rest. */
        if (request->length > (1ull << bits) / 4) {
            skipped(run, "the device reaches too little memory for %u bytes", request->length);
            return false;
        }
    }
    if (request->length > PAGE_BYTES && (may_vary(request) & ~run->facts.hw_boundary)) {
        skipped(run, "the device takes no buffer with other than the bits %X varying",
                run->facts.hw_boundary);
        return false;
    }
    return true;
}

/*
 * Whether the machine has memory from ADDRESS on: a little of it, or a node that
 * begins there.
 */
static bool has_memory_from(const struct run *run, uint64_t address)
{
    uint32_t node;

    if (run->options->iommu) {
        return true;        /* bounds are the logical address's */
    }
    for (node = 0; node < node_count(run); node++) {
        if (lowest_of(run, node) != ~0ull && lowest_of(run, node) >= address) {
            return true;
        }
    }
    return address <= ALWAYS_THERE;
}

static bool resolve_bounds(struct run *run, struct request *request)
{
    bool in_node = request->minimum_kind == FROM_IN_NODE || request->maximum_kind == BELOW_IN_NODE;

    if (in_node && lowest_of(run, request->node) == ~0ull) {
        skipped(run, "node %u has no memory", request->node);
        return false;
    }
    if (request->minimum_kind == FROM_IN_NODE) {
        request->minimum_kind = FROM;
        request->minimum += lowest_of(run, request->node);
    } else if (request->minimum_kind == FROM && !request->refused &&
               !has_memory_from(run, request->minimum)) {
        skipped(run, "no node begins at %X or above", request->minimum);
        return false;
    }
    if (request->maximum_kind == BELOW_IN_NODE) {
        request->maximum_kind = BELOW;
        request->maximum += lowest_of(run, request->node);
    }
    return true;
}

bool resolve(struct run *run, const struct request *written, struct request *request)
{
    *request = *written;
    request->refused |= request->refused_identity && !run->options->iommu;
    return platform_adapt(run, request) && resolve_device(run, request) &&
           resolve_node(run, request) && resolve_bounds(run, request);
}

static void describe_node(struct text *text, uint32_t node)
{
    if (node == ANY_NODE) {
        text_add(text, ", any node");
    } else if (node == DEVICE_NODE) {
        text_add(text, ", the device's node");
    } else if (node == NODE_COUNT) {
        text_add(text, ", node N");
    } else if (node > 0xffff) {
        text_add(text, ", node %X", (uint64_t)node);
    } else {
        text_add(text, ", node %u", node);
    }
}

/* Whether the caller says which node it prefers. */
static bool has_node(const struct request *request)
{
    return request->allocator == COMMON_BUFFER_EX || request->allocator == WITH_BOUNDS ||
           request->allocator == OF_DOMAIN || request->allocator == VECTOR;
}

void request_describe(struct run *run, const struct request *request)
{
    static const char *const names[] = {
        [COMMON_BUFFER_EX] = "AllocateCommonBufferEx",
        [COMMON_BUFFER] = "AllocateCommonBuffer",
        [WITH_BOUNDS] = "AllocateCommonBufferWithBounds",
        [OF_DOMAIN] = "AllocateDomainCommonBuffer",
        [VECTOR] = "AllocateCommonBufferVector",
        [CHANNEL] = "IDmaChannel::AllocateBuffer",
    };
    struct text *text = &run->request;

    if (request->pins) {
        text_add(text, "%s", request->pins);
        return;
    }
    if (request->card_bits) {
        text_add(text, "system DMA, channel of %u bits", request->card_bits);
        return;
    }
    text_add(text, "%s(", request->packet ? packet_routine(request->packet) : names[request->allocator]);
    if (request->legacy) {
        text_add(text, "version %u, ", request->legacy - 1);
    }
    text_add(text, "%u bits", request->width);
    if (request->minimum_kind == FROM) {
        text_add(text, ", from %X", request->minimum);
    } else if (request->minimum_kind == FROM_IN_NODE) {
        text_add(text, ", from the node's lowest address + %X", request->minimum);
    }
    if (request->maximum_kind == BELOW) {
        text_add(text, ", below %X", request->maximum);
    } else if (request->maximum_kind == BELOW_IN_NODE) {
        text_add(text, ", below the node's lowest address + %X", request->maximum);
    }
    if (request->allocator == VECTOR) {
        text_add(text, ", %u times", request->elements);
    }
    text_add(text, ", %u byte%s", request->length, request->length == 1 ? "" : "s");
    if (has_node(request)) {
        describe_node(text, request->node);
    }
    if (request->constraint_kind == CONSTRAINT) {
        text_add(text, ", constraint %X", request->constraint);
    }
    text_add(text, "%s%s%s)", request->wrong_domain ? ", another domain" : "",
             request->large_page ? ", large pages" : "",
             request->write_combined ? ", write-combined"
             : request->cache_unsaid ? ", NULL for the cache type"
             : request->uncached     ? ", uncached"
                                     : "");
}

uint64_t first_legal(const struct request *request)
{
    return request->minimum_kind == NO_MINIMUM ? 0 : request->minimum;
}

uint64_t last_legal(const struct request *request, bool *none)
{
    uint64_t last = request->width < 64 ? (1ull << request->width) - 1 : ~0ull;

    *none = request->maximum_kind != NO_MAXIMUM && !request->maximum;
    if (request->maximum_kind != NO_MAXIMUM && request->maximum - 1 < last) {
        last = request->maximum - 1;
    }
    return last;
}

uint64_t may_vary(const struct request *request)
{
    return request->constraint_kind == CONSTRAINT ? request->constraint : PCM_BOUNDARY_NONE;
}

/* What is taken where LENGTH bytes are asked for. */
static uint64_t taken(const struct request *request)
{
    uint64_t granule = request->large_page ? 2 * MIB : 1;

    return (request->length + granule - 1) / granule * granule;
}

/*
 * Behind an IOMMU the bounds choose among logical addresses, of which all but the
 * first page are there, and any memory of the node will do.
 */
static bool node_has_any(const struct request *request, uint64_t lowest, uint64_t floor)
{
    bool none;
    uint64_t last = last_legal(request, &none), start = first_legal(request);

    start = start > floor ? start : floor;
    start = start > PAGE_BYTES ? start : PAGE_BYTES;
    return !none && lowest != ~0ull && start <= last && last - start >= taken(request) - 1;
}

/*
 * Whether NODE's lowest memory, at FLOOR or above, can hold the buffer within
 * the bounds.  More than that memory's start is not known.
 */
static bool node_has_room(const struct run *run, const struct request *request, uint32_t node,
                          uint64_t floor)
{
    bool none;
    uint64_t last = last_legal(request, &none), bytes = taken(request);
    uint64_t lowest = lowest_of(run, node), start = first_legal(request);

    if (run->options->iommu) {
        return node_has_any(request, lowest, floor);
    }
    if (none || lowest == ~0ull || lowest < floor) {
        return false;
    }
    if (start > lowest && start - lowest > NODE_LEAST / 8) {
        return false;
    }
    start = start > lowest ? start : lowest;
    return start <= last && last - start >= bytes - 1 && (!request->large_page || bytes <= NODE_LEAST / 2);
}

bool node_must_be_kept(const struct run *run, const struct request *request)
{
    return has_node(request) && request->node < node_count(run) &&
           node_has_room(run, request, request->node, 0);
}

bool another_node_has_room(const struct run *run, const struct request *request)
{
    uint32_t node;

    for (node = 0; node < node_count(run); node++) {
        if (node != request->node && node_has_room(run, request, node, 0)) {
            return true;
        }
    }
    return false;
}

void note_fallback(struct run *run, const struct request *request)
{
    const char *before = "";
    uint32_t node;

    /* Above a minimum the preferred node may have room that is not known of. */
    if (request->node >= node_count(run) || request->minimum_kind != NO_MINIMUM ||
        !another_node_has_room(run, request)) {
        return;
    }
    text_add(&run->more, ",\"preferred\":%u,\"instead\":[", request->node);
    for (node = 0; node < node_count(run); node++) {
        if (node != request->node && node_has_room(run, request, node, 0)) {
            text_add(&run->more, "%s%u", before, node);
            before = ",";
        }
    }
    text_add(&run->more, "]");
}

static bool spares_physical(const struct run *run)
{
    return run->options->iommu && run->ops->spares_physical;
}

uint64_t spared_address(const struct run *run, const struct pcm_allocated *allocated)
{
    return spares_physical(run) ? allocated->physical : allocated->logical;
}

/* Bounds are the logical address's: a node that begins there always has memory to spare. */
static bool has_room_above(const struct run *run, const struct request *request, uint32_t node, uint64_t mark)
{
    uint64_t lowest = lowest_of(run, node);

    return spares_physical(run) ? lowest != ~0ull && lowest >= mark
                                : node_has_room(run, request, node, mark);
}

void check_low_memory_spared(struct run *run, const struct request *request,
                             const struct pcm_allocated *allocated)
{
    static const uint64_t marks[] = { 16 * MIB, 1ull << 32 };
    uint64_t address = spared_address(run, allocated);
    uint32_t node, i;

    if (!has_node(request) || request->node != ANY_NODE) {
        return;
    }
    for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        for (node = 0; node < node_count(run); node++) {
            if (address < marks[i] && has_room_above(run, request, node, marks[i])) {
                broken(run, "%X is low memory, though node %u has other", address, node);
            }
        }
    }
}

/* Every address from the first to the last must agree in the other bits. */
static void check_constraint(struct run *run, const struct request *request, uint64_t logical)
{
    uint64_t varying = logical ^ (logical + request->length - 1);
    unsigned shift;

    /* Between two addresses that differ in a bit, all lower bits vary. */
    for (shift = 1; shift < 64; shift *= 2) {
        varying |= varying >> shift;
    }
    if (varying & ~may_vary(request)) {
        broken(run, "bits %X vary inside the buffer at %X, constraint %X", varying, logical,
               may_vary(request));
    }
}

void check_place(struct run *run, const struct request *request, uint64_t logical)
{
    bool none;
    uint64_t last = last_legal(request, &none);

    if (none || logical > last || last - logical < request->length - 1) {
        broken(run, "the buffer %X to %X goes beyond %X", logical, logical + request->length - 1, last);
    }
    if (logical < first_legal(request)) {
        broken(run, "the buffer at %X begins below %X", logical, first_legal(request));
    }
    if (logical % (request->large_page ? 2 * MIB : PAGE_BYTES)) {
        broken(run, "%X is not the start of a %spage", logical, request->large_page ? "large " : "");
    }
    check_constraint(run, request, logical);
}

static void describe_result_node(struct run *run, const struct pcm_direction *direction)
{
    uint32_t node;

    text_clear(&run->node);
    for (node = 0; node < PCM_NODES; node++) {
        if (direction->node_bytes[node]) {
            run->first_node = run->node.used ? run->first_node : node;
            text_add(&run->node, "%s%u", run->node.used ? "," : "", node);
        }
    }
}

/* Every byte must be on a node, if there are nodes, and the sum must be right. */
static void check_nodes(struct run *run, const struct request *request,
                        const struct pcm_direction *direction, uint32_t must)
{
    uint64_t sum = direction->nodeless;
    uint32_t node;

    for (node = 0; node < PCM_NODES; node++) {
        sum += direction->node_bytes[node];
    }
    if (sum != request->length) {
        broken(run, "the device touched %U bytes of memory, not %u", sum, request->length);
    }
    if (run->facts.node_count && direction->nodeless) {
        broken(run, "%u bytes are on no node", direction->nodeless);
    }
    if (must != PCM_NODE_ANY && direction->node_bytes[must] != request->length) {
        broken(run, "only %U of %u bytes are on node %u", direction->node_bytes[must], request->length,
               must);
    }
}

static void check_direction(struct run *run, const struct request *request,
                            const struct pcm_direction *direction, uint32_t must, const char *way,
                            uint64_t *count)
{
    if (direction->timed_out) {
        broken(run, "DMA %s memory: no interrupt", way);
    } else if (direction->result != PCM_EX_OK && direction->result != PCM_EX_MISMATCH) {
        broken(run, "DMA %s memory: the device's result is %u", way, direction->result);
    } else if (direction->done != request->length) {
        broken(run, "DMA %s memory: %u of %u bytes", way, direction->done, request->length);
    } else if (direction->mismatches) {
        broken(run, "DMA %s memory: %u bytes differ, the first at offset %u", way, direction->mismatches,
               direction->first_mismatch);
    } else {
        check_nodes(run, request, direction, must);
        *count += direction->done;
    }
}

static void check_records(struct run *run, const struct pcm_transferred *transferred)
{
    const struct pcm_record *first = &transferred->first;

    if (transferred->records) {
        broken(run, "the device logged %u violations, the first of rule %u: %u bytes at %X, expected %X, "
               "actual %X", transferred->records, first->rule, first->length, first->address,
               first->expected, first->actual);
    }
}

struct pcm_transfer transfer_of(const struct request *request, uint32_t handle, uint32_t node)
{
    bool none;
    struct pcm_transfer in = {
        .handle = handle,
        .directions = PCM_TO_MEMORY | PCM_FROM_MEMORY,
        .length = request->length,
        .seed = 0x5eed000000000000ull + handle,
        .addr_bits = request->width < PCM_ADDR_BITS_MIN ? PCM_ADDR_BITS_MIN : request->width,
        .node = node,
        .boundary = may_vary(request),
        .limit = last_legal(request, &none),
    };

    return in;
}

void check_by_dma(struct run *run, const struct request *request, uint32_t handle, uint32_t node)
{
    struct pcm_transfer in = transfer_of(request, handle, node);
    static struct pcm_transferred out;

    if (!command(run, PCM_CMD_TRANSFER, &in, sizeof(in), &out, sizeof(out))) {
        return;
    }
    run->buffers++;
    check_records(run, &out);
    check_direction(run, request, &out.to_memory, node, "to", &run->filled);
    check_direction(run, request, &out.from_memory, node, "from", &run->verified);
    describe_result_node(run, &out.to_memory);
}
