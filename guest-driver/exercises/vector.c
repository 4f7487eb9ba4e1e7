/* SPDX-License-Identifier: MIT */
/* The exercises: common buffer vectors */
#include "run.h"

#define ELEMENTS_MAX                64u

/* 0: it was refused as it must be, or broken() was called. */
static uint32_t vector_expecting(struct run *run, uint32_t adapter, const struct request *request,
                                 uint32_t status)
{
    struct pcm_vector vector = { 0 };

    if (vector_allocate(run, adapter, request, &vector) && vector.status != status) {
        broken(run, "AllocateCommonBufferVector of %u elements returned %X, not %X", request->elements,
               (uint64_t)vector.status, (uint64_t)status);
    }
    return vector.handle;
}

/* Element INDEX is a common buffer like any other. */
static uint64_t check_element(struct run *run, const struct request *request, uint32_t vector,
                              uint32_t index)
{
    struct pcm_allocated element;

    if (!vector_get(run, vector, index, &element)) {
        return 0;
    }
    check_buffer(run, request, &element);
    return element.logical;
}

static void check_elements(struct run *run, const struct request *request, uint32_t vector)
{
    uint64_t at[ELEMENTS_MAX];
    uint32_t i, j;

    for (i = 0; i < request->elements && i < ELEMENTS_MAX && run->verdict == HELD; i++) {
        at[i] = check_element(run, request, vector, i);
        for (j = 0; j < i; j++) {
            uint64_t apart = at[i] > at[j] ? at[i] - at[j] : at[j] - at[i];

            if (apart < request->length) {
                broken(run, "elements %u at %X and %u at %X overlap", j, at[j], i, at[i]);
            }
        }
    }
}

/* All elements; or, if it must be refused, none. */
void exercise_vector(struct run *run, const struct request *request)
{
    uint32_t adapter = adapter_needed(run, request), vector;

    if (!adapter) {
        return;
    }
    vector = vector_expecting(run, adapter, request, request->refused ? request->status
                                                                      : PCM_STATUS_SUCCESS);
    if (vector) {
        if (!request->refused) {
            check_elements(run, request, vector);
        }
        command_on(run, PCM_CMD_VECTOR_FREE, vector);
    }
    command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
}

/*
 * The bounds have room for exactly so many.  One more is refused and leaves
 * nothing behind, and what was freed can be had again.
 */
void exercise_vector_whole(struct run *run, const struct request *request)
{
    uint32_t adapter = adapter_needed(run, request), vector, round;
    struct request one_more = *request;

    one_more.elements++;
    for (round = 0; adapter && round < 3 && run->verdict == HELD; round++) {
        vector_expecting(run, adapter, &one_more, PCM_STATUS_INSUFFICIENT_RESOURCES);
        vector = vector_expecting(run, adapter, request, PCM_STATUS_SUCCESS);
        if (vector) {
            if (!round) {
                check_elements(run, request, vector);
            }
            command_on(run, PCM_CMD_VECTOR_FREE, vector);
        }
    }
    if (adapter) {
        command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
    }
}

/*
 * An element that was freed makes room for a buffer in its place.  Returns the
 * buffer's handle; 0: broken() was called.
 */
static uint32_t replace_element(struct run *run, uint32_t adapter, const struct request *request,
                                uint32_t vector, uint32_t index)
{
    struct request single = *request;
    uint64_t was = check_element(run, request, vector, index);
    struct pcm_allocated allocated;

    single.allocator = WITH_BOUNDS;
    if (!vector_free_element(run, vector, index)) {
        return 0;
    }
    if (!allocate(run, adapter, &single, true, &allocated) || !allocated.handle) {
        broken(run, "element %u was freed, but a buffer does not fit", index);
        return 0;
    }
    if (allocated.logical != was) {
        broken(run, "element %u was at %X, the buffer is at %X", index, was, allocated.logical);
    }
    check_buffer(run, &single, &allocated);
    return allocated.handle;
}

/* Elements are freed one by one, from both ends; the vector takes the rest. */
void exercise_vector_elements(struct run *run, const struct request *request)
{
    const uint32_t indices[] = { 0, request->elements - 1, request->elements / 2 };
    enum { COUNT = sizeof(indices) / sizeof(indices[0]) };
    uint32_t adapter = adapter_needed(run, request), vector, i;
    uint32_t buffers[COUNT];

    if (!adapter) {
        return;
    }
    vector = vector_expecting(run, adapter, request, PCM_STATUS_SUCCESS);
    if (vector) {
        for (i = 0; i < COUNT; i++) {
            buffers[i] = replace_element(run, adapter, request, vector, indices[i]);
        }
        check_element(run, request, vector, 1);
        command_on(run, PCM_CMD_VECTOR_FREE, vector);
        for (i = 0; i < COUNT; i++) {
            if (buffers[i]) {
                command_on(run, PCM_CMD_FREE, buffers[i]);
            }
        }
    }
    command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
}
