/* SPDX-License-Identifier: MIT */
/* The exercises: one common buffer */
#include "run.h"

/* For the host, which asks the IOMMU whether the device's address leads there; 0: nobody says. */
static void note_page(struct run *run, const struct pcm_allocated *allocated)
{
    if (run->options->iommu && allocated->physical && run->pages.room - run->pages.used > 64) {
        text_add(&run->pages, "%s\"%X %X\"", run->pages.used ? "," : "", allocated->logical,
                 allocated->physical);
    }
}

void check_buffer(struct run *run, const struct request *request,
                         const struct pcm_allocated *allocated)
{
    text_clear(&run->logical);
    text_add(&run->logical, "%X", allocated->logical);
    if (allocated->page_offset) {
        broken(run, "the virtual address lies %u bytes into a page", allocated->page_offset);
    }
    if (allocated->nonzero) {
        broken(run, "%u bytes of the new buffer are not 0", allocated->nonzero);
    }
    check_place(run, request, allocated->logical);
    check_low_memory_spared(run, request, allocated);
    note_page(run, allocated);
    if (!node_must_be_kept(run, request)) {
        note_fallback(run, request);
    }
    check_by_dma(run, request, allocated->handle,
                 node_must_be_kept(run, request) ? request->node : PCM_NODE_ANY);
}

bool allocate_and_check(struct run *run, uint32_t adapter, const struct request *request)
{
    struct pcm_allocated allocated;

    if (!allocate(run, adapter, request, true, &allocated)) {
        return false;
    }
    if (!allocated.handle) {
        if (!request->refused) {
            broken(run, "NULL was returned");
        } else if (request->status && request->status != allocated.status) {
            broken(run, "the status is %X, not %X", (uint64_t)allocated.status,
                   (uint64_t)request->status);
        }
        return request->refused;
    }
    if (request->refused) {
        broken(run, "a buffer at %X was returned, not NULL", allocated.logical);
    } else {
        check_buffer(run, request, &allocated);
    }
    return command_on(run, PCM_CMD_FREE, allocated.handle) && run->verdict == HELD;
}

void exercise_allocate(struct run *run, const struct request *request)
{
    uint32_t adapter = adapter_needed(run, request);

    if (adapter) {
        allocate_and_check(run, adapter, request);
        command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
    }
}

/*
 * A node that has another one's memory right behind its own, and less than
 * LENGTH can say.  *BYTES: at least what it holds.
 */
static bool small_node(const struct run *run, uint32_t *node, uint64_t *bytes)
{
    uint32_t i, j;

    for (i = 0; i < run->facts.node_count && i < PCM_NODES; i++) {
        uint64_t next = ~0ull;

        for (j = 0; j < run->facts.node_count && j < PCM_NODES; j++) {
            if (run->facts.node_lowest[j] > run->facts.node_lowest[i] &&
                run->facts.node_lowest[j] < next) {
                next = run->facts.node_lowest[j];
            }
        }
        if (next != ~0ull && next - run->facts.node_lowest[i] < 0xffffffff) {
            *node = i;
            *bytes = next - run->facts.node_lowest[i];
            return true;
        }
    }
    return false;
}

/*
 * A buffer is one node's: what follows it is no help.  Behind an IOMMU it may be
 * several nodes', and only what the device reaches bounds it; on a small machine
 * it is seen to be given.
 */
void exercise_over_node(struct run *run, const struct request *request)
{
    struct request large = *request;
    uint32_t adapter;
    uint64_t bytes;

    if (!small_node(run, &large.node, &bytes)) {
        skipped(run, "no node is known to hold less than 4 GiB");
        return;
    }
    large.length = (uint32_t)bytes + 1;
    if (run->options->iommu && run->options->memory <= MEMORY_MOST_MIB) {
        large.refused = false;
        large.node = ANY_NODE;
    } else if (run->options->iommu) {
        large.width = 63 - (uint32_t)__builtin_clzll(bytes);
    }
    text_clear(&run->request);
    request_describe(run, &large);
    adapter = adapter_needed(run, &large);
    if (adapter) {
        allocate_and_check(run, adapter, &large);
        command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
    }
}

/* Where AllocateCommonBufferEx, if any, puts such a buffer for the device's node; ~0: nowhere. */
static uint64_t place_with_ex(struct run *run, const struct request *request)
{
    struct request ex = *request;
    struct pcm_allocated allocated = { 0 };
    uint64_t logical = ~0ull;
    uint32_t adapter;

    if (run->platform < WINDOWS_8) {
        return ~0ull;
    }
    ex.allocator = COMMON_BUFFER_EX;
    ex.legacy = 0;
    ex.describe = 0;
    ex.node = run->facts.device_node < run->facts.node_count ? run->facts.device_node : ANY_NODE;
    adapter = adapter_needed(run, &ex);
    if (!adapter) {
        return ~0ull;
    }
    if (allocate(run, adapter, &ex, false, &allocated) && allocated.handle) {
        logical = allocated.logical;
        command_on(run, PCM_CMD_FREE, allocated.handle);
    }
    command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
    return logical;
}

/*
 * The reach that a description implies is no less than that of the width it
 * stands for: what leaves low memory alone in one way must do so in the other.
 */
void exercise_implied(struct run *run, const struct request *request)
{
    static const uint64_t marks[] = { 16 * MIB, 1ull << 32 };
    uint32_t adapter = adapter_needed(run, request), i;
    uint64_t ex = place_with_ex(run, request);
    struct pcm_allocated allocated;

    if (!adapter) {
        return;
    }
    if (allocate(run, adapter, request, true, &allocated) && allocated.handle) {
        check_buffer(run, request, &allocated);
        for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
            if (ex != ~0ull && ex >= marks[i] && allocated.logical < marks[i]) {
                broken(run, "the buffer is at %X, AllocateCommonBufferEx's at %X", allocated.logical, ex);
            }
        }
        command_on(run, PCM_CMD_FREE, allocated.handle);
    } else {
        broken(run, "NULL was returned");
    }
    command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
}

/*
 * Memory that holds twice as much as lies below 16 MiB reaches above: a page of
 * it need not be a low one.
 */
void exercise_spared(struct run *run, const struct request *request)
{
    uint32_t adapter = adapter_needed(run, request);
    struct request large = *request;
    struct pcm_allocated allocated;

    if (!adapter) {
        return;
    }
    large.length = 32 * MIB;
    if (!allocate(run, adapter, &large, false, &allocated)) {
        /* broken() was called */
    } else if (!allocated.handle) {
        skipped(run, "32 MiB do not fit");
    } else if (command_on(run, PCM_CMD_FREE, allocated.handle) &&
               allocate(run, adapter, request, true, &allocated) && allocated.handle) {
        check_buffer(run, request, &allocated);
        if (spared_address(run, &allocated) < 16 * MIB) {
            broken(run, "%X is low memory, though 32 MiB fit elsewhere", spared_address(run, &allocated));
        }
        command_on(run, PCM_CMD_FREE, allocated.handle);
    } else {
        broken(run, "NULL was returned");
    }
    command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
}

/*
 * The check's DMA leaves patterns behind: the memory that is handed out next,
 * most likely the same, must be clean again.
 */
void exercise_zeroed(struct run *run, const struct request *request)
{
    uint32_t adapter = adapter_needed(run, request);

    if (adapter) {
        if (allocate_and_check(run, adapter, request)) {
            allocate_and_check(run, adapter, request);
        }
        command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
    }
}

/* First uncached, then as REQUEST says. */
void exercise_recached(struct run *run, const struct request *request)
{
    uint32_t adapter = adapter_needed(run, request);
    struct request uncached = *request;

    uncached.uncached = true;
    if (adapter) {
        if (allocate_and_check(run, adapter, &uncached)) {
            allocate_and_check(run, adapter, request);
        }
        command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
    }
}

/* Parts of a buffer by DMA: every start and length around the first pages. */
static void transfer_parts(struct run *run, const struct request *request, uint32_t handle)
{
    static const uint32_t edges[] = { 0, 1, 7, 8, 63, 4095, 4096, 4097 };
    uint32_t i, j;

    for (i = 0; i < sizeof(edges) / sizeof(edges[0]); i++) {
        for (j = 0; j < sizeof(edges) / sizeof(edges[0]); j++) {
            struct pcm_transfer in = { .handle = handle, .directions = PCM_TO_MEMORY | PCM_FROM_MEMORY,
                                       .offset = edges[i], .length = edges[j] ? edges[j] : 1,
                                       .seed = 64u * i + j, .addr_bits = request->width,
                                       .node = PCM_NODE_ANY, .boundary = PCM_BOUNDARY_NONE };
            static struct pcm_transferred out;
            bool none;

            in.limit = last_legal(request, &none);
            if (!command(run, PCM_CMD_TRANSFER, &in, sizeof(in), &out, sizeof(out))) {
                return;
            }
            if (out.records || out.to_memory.mismatches || out.from_memory.mismatches ||
                out.to_memory.done != in.length || out.from_memory.done != in.length) {
                broken(run, "DMA of %u bytes at offset %u failed", in.length, in.offset);
            }
            run->filled += in.length;
            run->verified += in.length;
        }
    }
}

void exercise_parts(struct run *run, const struct request *request)
{
    uint32_t adapter = adapter_needed(run, request);
    struct pcm_allocated allocated;

    if (!adapter) {
        return;
    }
    if (allocate(run, adapter, request, true, &allocated) && allocated.handle) {
        check_buffer(run, request, &allocated);
        transfer_parts(run, request, allocated.handle);
        command_on(run, PCM_CMD_FREE, allocated.handle);
    } else {
        broken(run, "NULL was returned");
    }
    command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
}

/* More bytes, one after the other, than there are below the limit. */
void exercise_reuse(struct run *run, const struct request *request)
{
    uint32_t adapter = adapter_needed(run, request);
    uint64_t total;
    struct pcm_allocated allocated;

    if (!adapter) {
        return;
    }
    for (total = 0; total <= 2 * request->maximum; total += request->length) {
        if (!allocate(run, adapter, request, false, &allocated)) {
            break;
        }
        if (!allocated.handle) {
            broken(run, "NULL was returned after %U bytes had been freed", total);
            break;
        }
        if (total) {
            run->buffers++;
        } else {
            check_by_dma(run, request, allocated.handle, PCM_NODE_ANY);
        }
        check_place(run, request, allocated.logical);
        text_clear(&run->logical);
        text_add(&run->logical, "%X", allocated.logical);
        if (!command_on(run, PCM_CMD_FREE, allocated.handle)) {
            break;
        }
    }
    command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
}
