/* SPDX-License-Identifier: MIT */
/* pcmaster-exercises for Linux: buffers of the device node, and DMA to them */
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "client.h"
#include "pcmaster_pattern.h"

#define PAGE                        4096u

static struct buffer *free_place(struct client *client)
{
    uint32_t i;

    for (i = 0; i < BUFFERS; i++) {
        if (!client->buffers[i].handle) {
            return &client->buffers[i];
        }
    }
    return NULL;
}

static void forget(struct client *client, uint32_t handle)
{
    struct pcmaster_free in = { .handle = handle };

    ioctl(client->node, PCMASTER_IOC_FREE, &in);
}

struct buffer *buffer_make(struct client *client, const struct wanted *wanted)
{
    struct pcmaster_allocate in = {
        .last = wanted->last,
        .boundary = wanted->boundary,
        .align = 1,
        .length = wanted->length,
        .node = wanted->node == PCM_ANY_NODE ? PCMASTER_ANY_NODE : wanted->node,
        .flags = wanted->cached ? PCMASTER_CACHED : 0,
    };
    struct buffer *buffer = free_place(client);

    if (!buffer || ioctl(client->node, PCMASTER_IOC_ALLOCATE, &in)) {
        return NULL;
    }
    buffer->mapped = (wanted->length + PAGE - 1) / PAGE * PAGE;
    buffer->memory = mmap(NULL, buffer->mapped, PROT_READ | PROT_WRITE, MAP_SHARED, client->node,
                          (off_t)in.offset);
    if (buffer->memory == MAP_FAILED) {
        forget(client, in.handle);
        return NULL;
    }
    buffer->handle = in.handle;
    buffer->length = wanted->length;
    buffer->address = in.address;
    buffer->physical = in.physical;
    return buffer;
}

struct buffer *buffer_find(struct client *client, uint32_t handle)
{
    uint32_t i;

    for (i = 0; handle && i < BUFFERS; i++) {
        if (client->buffers[i].handle == handle) {
            return &client->buffers[i];
        }
    }
    return NULL;
}

bool buffer_free(struct client *client, struct buffer *buffer)
{
    struct pcmaster_free in = { .handle = buffer->handle };

    munmap(buffer->memory, buffer->mapped);
    buffer->handle = 0;
    return !ioctl(client->node, PCMASTER_IOC_FREE, &in);
}

uint32_t buffer_nonzero(const struct buffer *buffer)
{
    uint32_t i, count = 0;

    for (i = 0; i < buffer->length; i++) {
        count += buffer->memory[i] != 0;
    }
    return count;
}

/* --- DMA ---------------------------------------------------------------------- */

static uint32_t exercise(struct client *client, const struct buffer *buffer, const struct pcm_transfer *in,
                         uint32_t what, uint64_t seed, struct pcm_direction *out, uint32_t *records)
{
    static _Thread_local struct pcmaster_exercise request;
    uint32_t i;

    request = (struct pcmaster_exercise){
        .handle = buffer->handle, .command = what, .offset = in->offset, .length = in->length,
        .seed = seed, .limit = in->limit, .boundary = in->boundary,
        .addr_bits = in->addr_bits < client->addr_bits ? in->addr_bits : client->addr_bits,
        .node = in->node, .window_short = in->window_short,
        .flags = in->directions & PCM_PHYSICAL ? PCMASTER_PHYSICAL : 0,
    };
    if (ioctl(client->node, PCMASTER_IOC_EXERCISE, &request)) {
        return PCM_STATUS_INVALID_PARAMETER;
    }
    *out = (struct pcm_direction){
        .result = request.result, .done = request.done, .nodeless = request.nodeless,
        .first_mismatch = PCM_PATTERN_SAME,
    };
    if (what == PCM_EX_VERIFY && request.mismatches) {
        out->mismatches = request.mismatches;
        out->first_mismatch = request.first_mismatch;
    }
    for (i = 0; i < PCM_NODES; i++) {
        out->node_bytes[i] = request.node_bytes[i];
    }
    *records += request.records;
    return PCM_STATUS_SUCCESS;
}

static void spoil(const struct pcm_transfer *in, uint8_t *memory)
{
    if (in->directions & PCM_SPOIL) {
        memory[in->spoiled] ^= 0xff;
    }
}

/* What the device must overwrite differs from its pattern in every byte. */
static uint32_t to_memory(struct client *client, const struct buffer *buffer, const struct pcm_transfer *in,
                          struct pcm_transferred *out)
{
    uint8_t *memory = buffer->memory + in->offset;
    uint32_t status;

    pcm_pattern_write(memory, in->length, in->seed, ~0ull);
    status = exercise(client, buffer, in, PCM_EX_FILL, in->seed, &out->to_memory, &out->records);
    if (!status) {
        spoil(in, memory);
        out->to_memory.mismatches = pcm_pattern_compare(memory, in->length, in->seed,
                                                        &out->to_memory.first_mismatch);
    }
    return status;
}

static uint32_t from_memory(struct client *client, const struct buffer *buffer,
                            const struct pcm_transfer *in, struct pcm_transferred *out)
{
    uint8_t *memory = buffer->memory + in->offset;

    pcm_pattern_write(memory, in->length, ~in->seed, 0);
    spoil(in, memory);
    return exercise(client, buffer, in, PCM_EX_VERIFY, ~in->seed, &out->from_memory, &out->records);
}

/* The first record of the device's log that was not read; all are taken. */
static bool take_log(struct client *client, struct pcm_record *first)
{
    struct pcmaster_record record;
    bool there = false;

    while (!ioctl(client->node, PCMASTER_IOC_READ_LOG, &record)) {
        if (!there && first) {
            *first = (struct pcm_record){
                .rule = PCM_LOG_RULE(record.info), .requester = PCM_LOG_REQUESTER(record.info),
                .write = !!(record.info & PCM_LOG_WRITE), .policy = PCM_LOG_POLICY(record.info),
                .length = record.length, .sequence = record.sequence, .address = record.address,
                .expected = record.expected, .actual = record.actual, .fault = record.fault,
                .landed = record.landed, .time = record.time,
            };
        }
        there = true;
    }
    return there;
}

uint32_t transfer(struct client *client, const struct buffer *buffer, const struct pcm_transfer *in,
                  struct pcm_transferred *out)
{
    uint32_t status = PCM_STATUS_SUCCESS;

    if (!in->length || in->offset > buffer->length || in->length > buffer->length - in->offset ||
        ((in->directions & PCM_SPOIL) && in->spoiled >= in->length)) {
        return PCM_STATUS_INVALID_PARAMETER;
    }
    *out = (struct pcm_transferred){ .records = 0 };
    take_log(client, NULL);
    if (in->directions & PCM_TO_MEMORY) {
        status = to_memory(client, buffer, in, out);
    }
    if (!status && (in->directions & PCM_FROM_MEMORY)) {
        status = from_memory(client, buffer, in, out);
    }
    take_log(client, &out->first);
    return status;
}
