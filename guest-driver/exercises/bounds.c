/* SPDX-License-Identifier: MIT */
/* The exercises: AllocateCommonBufferWithBounds */
#include "run.h"

/* Bounds that leave the bytes from FIRST on, COUNT of them. */
static struct request within(const struct request *request, uint64_t first, uint64_t count)
{
    struct request narrow = *request;

    narrow.minimum_kind = FROM;
    narrow.minimum = first;
    narrow.maximum_kind = BELOW;
    narrow.maximum = first + count;
    return narrow;
}

/* NULL must come of it. */
static void refuse(struct run *run, uint32_t adapter, const struct request *request, const char *what)
{
    struct pcm_allocated allocated;

    if (allocate(run, adapter, request, false, &allocated) && allocated.handle) {
        broken(run, "a buffer at %X was returned %s", allocated.logical, what);
        command_on(run, PCM_CMD_FREE, allocated.handle);
    }
}

/* The bytes from LOGICAL on are free: with these bounds there is one place. */
static void exactly_there(struct run *run, uint32_t adapter, const struct request *request,
                          uint64_t logical)
{
    struct request narrow = within(request, logical, request->length);
    struct pcm_allocated allocated;

    if (!allocate(run, adapter, &narrow, true, &allocated) || !allocated.handle) {
        broken(run, "NULL was returned, though the %u bytes at %X are free", request->length, logical);
        return;
    }
    if (allocated.logical != logical) {
        broken(run, "the buffer is at %X, not %X", allocated.logical, logical);
    }
    check_buffer(run, &narrow, &allocated);
    refuse(run, adapter, &narrow, "though its bytes are in use");
    command_on(run, PCM_CMD_FREE, allocated.handle);
}

/* Bounds that fit to the byte, and one byte too narrow at either end. */
void exercise_exact(struct run *run, const struct request *request)
{
    uint32_t adapter = adapter_needed(run, request);
    struct pcm_allocated allocated;
    struct request narrow;

    if (!adapter) {
        return;
    }
    if (allocate(run, adapter, request, false, &allocated) && allocated.handle &&
        command_on(run, PCM_CMD_FREE, allocated.handle)) {
        exactly_there(run, adapter, request, allocated.logical);
        narrow = within(request, allocated.logical, request->length - 1);
        refuse(run, adapter, &narrow, "below a maximum that lacks its last byte");
        narrow = within(request, allocated.logical + 1, request->length);
        refuse(run, adapter, &narrow, "from a minimum that lacks its first byte");
    } else {
        broken(run, "NULL was returned");
    }
    command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
}

/* Two small buffers of large pages: each has a large page to itself. */
void exercise_granules(struct run *run, const struct request *request)
{
    uint32_t adapter = adapter_needed(run, request);
    struct pcm_allocated one, other;

    if (!adapter) {
        return;
    }
    if (allocate(run, adapter, request, true, &one) && one.handle) {
        if (allocate(run, adapter, request, true, &other) && other.handle) {
            if (one.logical / (2 * MIB) == other.logical / (2 * MIB)) {
                broken(run, "%X and %X share a large page", one.logical, other.logical);
            }
            check_buffer(run, request, &other);
            command_on(run, PCM_CMD_FREE, other.handle);
        } else {
            broken(run, "NULL was returned for the second");
        }
        check_buffer(run, request, &one);
        command_on(run, PCM_CMD_FREE, one.handle);
    } else {
        broken(run, "NULL was returned");
    }
    command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
}
