/* SPDX-License-Identifier: MIT */
/* The exercises: buffers of pages that lie apart */
#include "run.h"

/* All memory is used up and touched, which the host must have, too. */
#define MEMORY_MOST_MIB             512u

/* Free pages, beyond those of the buffer, for tables and lists. */
#define SPARE_PAGES                 64u

/* All memory is taken but single pages; false: it did not work out. */
static bool fragment(struct run *run, uint32_t pages)
{
    struct pcm_fragment in = { .pages = pages };
    struct pcm_fragmented out = { 0 };

    if (!command(run, PCM_CMD_FRAGMENT, &in, sizeof(in), &out, sizeof(out))) {
        return false;
    }
    if (out.status) {
        broken(run, "memory cannot be fragmented: status %X", (uint64_t)out.status);
    } else if (pages) {
        text_add(&run->more, ",\"pages_taken\":%u", out.taken);
    }
    return !out.status;
}

/* Each of its pages lies alone, and to the device they are one piece. */
static void check_scattered(struct run *run, const struct request *request,
                            const struct pcm_allocated *allocated)
{
    uint32_t pages = (request->length + PAGE_BYTES - 1) / PAGE_BYTES;

    text_add(&run->more, ",\"runs\":%u", allocated->runs);
    if (allocated->runs != pages) {
        broken(run, "the buffer's %u pages lie in %u pieces, though none of those that were free adjoin",
               pages, allocated->runs);
    }
    check_buffer(run, request, allocated);
}

static void allocate_in_pieces(struct run *run, uint32_t adapter, const struct request *request)
{
    struct pcm_allocated allocated;

    if (!allocate(run, adapter, request, true, &allocated)) {
        return;
    }
    if (run->options->iommu) {
        if (!allocated.handle) {
            broken(run, "NULL was returned, though there are pages enough");
        } else {
            check_scattered(run, request, &allocated);
        }
    } else if (allocated.handle) {
        broken(run, "a buffer at %X was returned, though no two free pages adjoin", allocated.logical);
    }
    if (allocated.handle) {
        command_on(run, PCM_CMD_FREE, allocated.handle);
    }
}

/*
 * One page is there in any case, though without an IOMMU maybe not where fewer than 32 lines reach,
 * and the whole once the memory is given back.
 */
void exercise_scattered(struct run *run, const struct request *request)
{
    struct request page = *request;
    uint32_t adapter;

    if (run->options->memory > MEMORY_MOST_MIB) {
        skipped(run, "there is too much memory to use it up");
        return;
    }
    adapter = adapter_needed(run, request);
    if (!adapter) {
        return;
    }
    page.length = PAGE_BYTES;
    if (fragment(run, request->length / PAGE_BYTES + SPARE_PAGES)) {
        if (run->options->iommu || request->width >= 32) {
            allocate_and_check(run, adapter, &page);
        }
        allocate_in_pieces(run, adapter, request);
        fragment(run, 0);
        allocate_and_check(run, adapter, request);
    }
    command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
}
