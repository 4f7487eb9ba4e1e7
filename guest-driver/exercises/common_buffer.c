/* SPDX-License-Identifier: MIT */
/* The exercises: one common buffer */
#include "run.h"

/* One buffer that must be given: where it is, what is in it, real DMA. */
static void check_buffer(struct run *run, const struct request *request,
                         const struct pcm_allocated *allocated)
{
    text_clear(&run->logical);
    text_add(&run->logical, "%X", allocated->logical);
    if (allocated->address % PAGE_BYTES) {
        broken(run, "virtual address %X is not the start of a page", allocated->address);
    }
    if (allocated->nonzero) {
        broken(run, "%u bytes of the new buffer are not 0", allocated->nonzero);
    }
    check_place(run, request, allocated->logical);
    check_by_dma(run, request, allocated->handle,
                 node_must_be_kept(run, request) ? request->node : PCM_NODE_ANY);
}

/* Allocates, checks and frees.  Returns false if that did not work out. */
static bool allocate_and_check(struct run *run, uint32_t adapter, const struct request *request)
{
    struct pcm_allocated allocated;

    if (!allocate(run, adapter, request, true, &allocated)) {
        return false;
    }
    if (!allocated.handle) {
        if (!request->refused) {
            broken(run, "NULL was returned");
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
            run->dma_bytes += 2ull * in.length;
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
        run->buffers++;
        check_place(run, request, allocated.logical);
        text_clear(&run->logical);
        text_add(&run->logical, "%X", allocated.logical);
        if (!command_on(run, PCM_CMD_FREE, allocated.handle)) {
            break;
        }
    }
    command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
}
