/* SPDX-License-Identifier: MIT */
/* The exercises: buffers of pages that lie apart */
#include "run.h"

/* Free pages, beyond those of the buffer, for tables and lists. */
#define SPARE_PAGES                 64u

/* All memory up to LAST is taken but single pages; false: it did not work out. */
static bool fragment(struct run *run, uint32_t pages, uint64_t last)
{
    struct pcm_fragment in = { .pages = pages, .last = last };
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

/* Where ALL memory is in pieces, each page lies alone, and to the device they are one piece. */
static void check_scattered(struct run *run, const struct request *request,
                            const struct pcm_allocated *allocated, bool all)
{
    uint32_t pages = (request->length + PAGE_BYTES - 1) / PAGE_BYTES;

    text_add(&run->more, ",\"runs\":%u", allocated->runs);
    if (all && allocated->runs != pages) {
        broken(run, "the buffer's %u pages lie in %u pieces, though none of those that were free adjoin",
               pages, allocated->runs);
    }
    check_buffer(run, request, allocated);
}

static void allocate_in_pieces(struct run *run, uint32_t adapter, const struct request *request, bool all)
{
    struct pcm_allocated allocated;

    if (!allocate(run, adapter, request, true, &allocated)) {
        return;
    }
    if (run->options->iommu) {
        if (!allocated.handle) {
            broken(run, "NULL was returned, though there are pages enough");
        } else {
            check_scattered(run, request, &allocated, all);
        }
    } else if (allocated.handle) {
        broken(run, "a buffer at %X was returned, though no two free pages adjoin", allocated.logical);
    }
    if (allocated.handle) {
        command_on(run, PCM_CMD_FREE, allocated.handle);
    }
}

/*
 * No two free pages adjoin up to the last address that may be given, which without
 * an IOMMU rules the buffer out; behind one, on a small machine, they adjoin nowhere.
 * One page is there in any case, and the whole once the memory is given back.
 */
void exercise_scattered(struct run *run, const struct request *request)
{
    bool all = run->options->iommu && run->options->memory <= MEMORY_MOST_MIB, none;
    uint64_t last = all ? ~0ull >> 1 : last_legal(request, &none);
    uint32_t adapter = adapter_needed(run, request);
    struct request page = *request;

    if (!adapter) {
        return;
    }
    page.length = PAGE_BYTES;
    if (fragment(run, request->length / PAGE_BYTES + SPARE_PAGES, last)) {
        allocate_and_check(run, adapter, &page);
        allocate_in_pieces(run, adapter, request, all);
        fragment(run, 0, 0);
        allocate_and_check(run, adapter, request);
    }
    command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
}
