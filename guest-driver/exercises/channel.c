/* SPDX-License-Identifier: MIT */
/* The exercises: IDmaChannel */
#include "run.h"

uint32_t channel_needed(struct run *run, const struct request *request)
{
    struct pcm_channel channel = { 0 };

    if (channel_new(run, request, &channel) && channel.status) {
        broken(run, "PcNewDmaChannel returned %X", (uint64_t)channel.status);
        return 0;
    }
    return channel.handle;
}

/* AllocateBuffer; false unless it returned STATUS, which is then expected. */
static bool allocate_expecting(struct run *run, uint32_t channel, const struct request *request,
                               uint32_t status)
{
    struct pcm_channel_allocated allocated;

    if (!channel_allocate(run, channel, request, &allocated)) {
        return false;
    }
    if (allocated.status != status) {
        broken(run, "AllocateBuffer of %u bytes returned %X, not %X", request->length,
               (uint64_t)allocated.status, (uint64_t)status);
        return false;
    }
    if (!status && allocated.nonzero) {
        broken(run, "%u bytes of the new buffer are not 0", allocated.nonzero);
    }
    return true;
}

/* The channel's buffer: its own account of it, its place, real DMA. */
static void check_channel_buffer(struct run *run, const struct request *request, uint32_t channel)
{
    struct pcm_channel_state state;

    if (!channel_query(run, channel, &state)) {
        return;
    }
    text_clear(&run->logical);
    text_add(&run->logical, "%X", state.physical_address);
    if (state.allocated_size != request->length) {
        broken(run, "AllocatedBufferSize is %u, not %u", state.allocated_size, request->length);
    }
    if (!state.has_address || state.page_offset) {
        broken(run, "SystemAddress is %s", state.has_address ? "not the start of a page" : "NULL");
    }
    check_place(run, request, state.physical_address);
    check_by_dma(run, request, channel, PCM_NODE_ANY);
}

/* Without a buffer: nothing left of the one there was. */
static void check_no_buffer(struct run *run, uint32_t channel)
{
    struct pcm_channel_state state;

    if (channel_query(run, channel, &state) &&
        (state.has_address || state.physical_address || state.allocated_size)) {
        broken(run, "without a buffer: SystemAddress is %sNULL, PhysicalAddress %X, AllocatedBufferSize %u",
               state.has_address ? "not " : "", state.physical_address, state.allocated_size);
    }
}

bool channel_fill(struct run *run, const struct request *request, uint32_t channel)
{
    if (!allocate_expecting(run, channel, request, request->refused ? request->status : PCM_STATUS_SUCCESS)) {
        return false;
    }
    if (request->refused) {
        check_no_buffer(run, channel);
    } else {
        check_channel_buffer(run, request, channel);
    }
    return run->verdict == HELD;
}

void exercise_channel(struct run *run, const struct request *request)
{
    uint32_t channel = channel_needed(run, request);

    if (!channel) {
        return;
    }
    if (channel_fill(run, request, channel) && !request->refused) {
        command_on(run, PCM_CMD_CHANNEL_FREE_BUFFER, channel);
        check_no_buffer(run, channel);
    }
    command_on(run, PCM_CMD_CHANNEL_RELEASE, channel);
}

/* A second buffer is refused, and the first is where and what it was. */
void exercise_channel_second(struct run *run, const struct request *request)
{
    uint32_t channel = channel_needed(run, request);
    struct request smaller = *request;
    struct pcm_channel_state before, after;

    if (!channel) {
        return;
    }
    smaller.length = PAGE_BYTES;
    if (allocate_expecting(run, channel, request, PCM_STATUS_SUCCESS) &&
        channel_query(run, channel, &before) &&
        allocate_expecting(run, channel, request, PCM_STATUS_INVALID_DEVICE_STATE) &&
        allocate_expecting(run, channel, &smaller, PCM_STATUS_INVALID_DEVICE_STATE) &&
        channel_query(run, channel, &after)) {
        if (after.moved || before.physical_address != after.physical_address ||
            before.allocated_size != after.allocated_size || before.buffer_size != after.buffer_size) {
            broken(run, "the refused call changed the channel's buffer");
        }
        check_channel_buffer(run, request, channel);
    }
    command_on(run, PCM_CMD_CHANNEL_RELEASE, channel);
}

/* FreeBuffer makes room for another, of another size, as often as one likes. */
void exercise_channel_again(struct run *run, const struct request *request)
{
    uint32_t channel = channel_needed(run, request);
    struct request next = *request;
    uint32_t round;

    for (round = 0; channel && round < 8 && run->verdict == HELD; round++) {
        if (allocate_expecting(run, channel, &next, PCM_STATUS_SUCCESS)) {
            check_channel_buffer(run, &next, channel);
        }
        command_on(run, PCM_CMD_CHANNEL_FREE_BUFFER, channel);
        /* Without a buffer the call must do no harm. */
        command_on(run, PCM_CMD_CHANNEL_FREE_BUFFER, channel);
        check_no_buffer(run, channel);
        next.length = next.length / 2 + 1;
    }
    if (channel) {
        command_on(run, PCM_CMD_CHANNEL_RELEASE, channel);
    }
}

void exercise_channel_properties(struct run *run, const struct request *request)
{
    uint32_t channel = channel_needed(run, request);
    struct pcm_channel_state state;

    if (!channel) {
        return;
    }
    if (channel_query(run, channel, &state) && state.maximum_size != request->channel_maximum) {
        broken(run, "MaximumBufferSize is %u, not %u", state.maximum_size, request->channel_maximum);
    }
    check_no_buffer(run, channel);
    if (allocate_expecting(run, channel, request, PCM_STATUS_SUCCESS) &&
        channel_query(run, channel, &state)) {
        if (state.maximum_size != request->channel_maximum) {
            broken(run, "MaximumBufferSize changed to %u", state.maximum_size);
        }
        if (state.buffer_size != request->length) {
            broken(run, "BufferSize is %u after AllocateBuffer of %u", state.buffer_size,
                   request->length);
        }
        if (state.transfer_count) {
            broken(run, "TransferCount of a bus master is %u", state.transfer_count);
        }
        if (!state.has_adapter) {
            broken(run, "GetAdapterObject is NULL");
        }
        check_channel_buffer(run, request, channel);
    }
    command_on(run, PCM_CMD_CHANNEL_RELEASE, channel);
}

/*
 * SetBufferSize is the drivers' to use: it changes the number, not the buffer,
 * whether the number is one of bytes that there are or not.
 */
static void check_set_size(struct run *run, uint32_t channel, uint32_t number, uint32_t allocated)
{
    struct pcm_channel_size size = { .channel = channel, .size = number };
    struct pcm_channel_state state;

    if (!command(run, PCM_CMD_CHANNEL_SET_SIZE, &size, sizeof(size), NULL, 0) ||
        !channel_query(run, channel, &state)) {
        return;
    }
    if (state.buffer_size != number) {
        broken(run, "BufferSize is %u after SetBufferSize(%u)", state.buffer_size, number);
    }
    if (state.allocated_size != allocated) {
        broken(run, "AllocatedBufferSize is %u after SetBufferSize(%u)", state.allocated_size, number);
    }
}

void exercise_channel_set_size(struct run *run, const struct request *request)
{
    const uint32_t numbers[] = { request->length / 2, request->length + 1, request->channel_maximum + 1,
                                 0xffffffff, 0 };
    uint32_t channel = channel_needed(run, request);
    uint32_t i;

    if (!channel) {
        return;
    }
    check_set_size(run, channel, 1000, 0);
    if (allocate_expecting(run, channel, request, PCM_STATUS_SUCCESS)) {
        for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
            check_set_size(run, channel, numbers[i], request->length);
        }
        check_channel_buffer(run, request, channel);
        /* FreeBuffer knows the allocation's size. */
        command_on(run, PCM_CMD_CHANNEL_FREE_BUFFER, channel);
        check_no_buffer(run, channel);
    }
    command_on(run, PCM_CMD_CHANNEL_RELEASE, channel);
}

void exercise_channel_copy(struct run *run, const struct request *request)
{
    uint32_t channel = channel_needed(run, request);
    struct pcm_channel_copy copy = { .channel = channel, .offset = 3, .length = request->length - 3,
                                     .seed = 0xc0b1e5 };
    struct pcm_channel_copied copied;

    if (!channel) {
        return;
    }
    if (allocate_expecting(run, channel, request, PCM_STATUS_SUCCESS)) {
        check_channel_buffer(run, request, channel);
        if (command(run, PCM_CMD_CHANNEL_COPY, &copy, sizeof(copy), &copied, sizeof(copied))) {
            if (copied.in_buffer) {
                broken(run, "%u bytes differ after CopyTo", copied.in_buffer);
            }
            if (copied.came_back) {
                broken(run, "%u bytes differ after CopyFrom", copied.came_back);
            }
        }
    }
    command_on(run, PCM_CMD_CHANNEL_RELEASE, channel);
}

/* Without FreeBuffer, and more often than there is memory for. */
void exercise_channel_freed(struct run *run, const struct request *request)
{
    uint64_t reach = 1ull << request->width;
    uint64_t total;

    for (total = 0; total <= 2 * reach && run->verdict == HELD; total += request->length) {
        uint32_t channel = channel_needed(run, request);

        if (!channel) {
            return;
        }
        if (allocate_expecting(run, channel, request, PCM_STATUS_SUCCESS) && !total) {
            check_channel_buffer(run, request, channel);
        }
        command_on(run, PCM_CMD_CHANNEL_RELEASE, channel);
    }
}

/* A description that IoGetDmaAdapter refuses makes no channel. */
void exercise_channel_described(struct run *run, const struct request *request)
{
    struct pcm_channel channel = { 0 };

    if (!channel_new(run, request, &channel)) {
        return;
    }
    if (channel.status != request->status) {
        broken(run, "PcNewDmaChannel returned %X, not %X", (uint64_t)channel.status,
               (uint64_t)request->status);
    }
    if (channel.handle) {
        command_on(run, PCM_CMD_CHANNEL_RELEASE, channel.handle);
    }
}
