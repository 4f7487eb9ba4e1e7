/* SPDX-License-Identifier: MIT */
/*
 * pcmaster-exercises for Linux: the commands of pcmaster_ioctl.h by what the device
 * node offers
 *
 * A description of a device is a number of address lines, and AllocateCommonBuffer...
 * is dma_alloc_coherent() under such a mask.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "client.h"

#define LEGACY_VERSIONS             3u

static uint32_t make_object(struct client *client, uint32_t bits)
{
    uint32_t i;

    for (i = 0; i < OBJECTS; i++) {
        if (!client->objects[i].used) {
            client->objects[i] = (struct object){ .used = true, .bits = bits };
            return OBJECT_FIRST + i;
        }
    }
    return 0;
}

static struct object *find_object(struct client *client, uint32_t handle)
{
    struct object *object = &client->objects[(handle - OBJECT_FIRST) % OBJECTS];

    return handle - OBJECT_FIRST < OBJECTS && object->used ? object : NULL;
}

/* Versions before 3 have flags in place of a number. */
static uint32_t bits_of(const struct pcm_description *description)
{
    if (description->version >= LEGACY_VERSIONS) {
        return description->address_width;
    }
    return description->flags & PCM_DESCRIBE_DMA64   ? 64
           : description->flags & PCM_DESCRIBE_DMA32 ? 32
                                                     : 24;
}

static uint64_t last_of(uint32_t bits)
{
    return bits >= 64 ? ~0ull : (1ull << bits) - 1;
}

/* Why the device node gave no buffer. */
static uint32_t refusal(void)
{
    return errno == EINVAL ? PCM_STATUS_INVALID_PARAMETER : PCM_STATUS_INSUFFICIENT_RESOURCES;
}

static uint32_t facts(struct client *client, const void *in, void *out)
{
    static struct pcmaster_facts asked;
    struct pcm_facts *reply = out;

    (void)in;
    if (ioctl(client->node, PCMASTER_IOC_FACTS, &asked)) {
        return PCM_STATUS_NO_SUCH_DEVICE;
    }
    client->addr_bits = asked.addr_bits;
    *reply = (struct pcm_facts){
        .device_version = asked.version, .capabilities = asked.capabilities,
        .node_count = asked.node_count, .device_node = asked.device_node,
        .hw_addr_bits = asked.addr_bits, .hw_boundary = asked.boundary,
    };
    memcpy(reply->node_lowest, asked.node_lowest, sizeof(reply->node_lowest));
    return PCM_STATUS_SUCCESS;
}

static uint32_t adapter_get(struct client *client, const void *in, void *out)
{
    struct pcm_adapter *reply = out;

    *reply = (struct pcm_adapter){ .handle = make_object(client, bits_of(in)), .alignment = 1 };
    return PCM_STATUS_SUCCESS;
}

static uint32_t object_put(struct client *client, const void *in, void *out)
{
    const struct pcm_object *request = in;
    struct object *object = find_object(client, request->handle);

    (void)out;
    if (!object) {
        return PCM_STATUS_INVALID_PARAMETER;
    }
    if (object->buffer) {
        buffer_free(client, object->buffer);
    }
    object->used = false;
    return PCM_STATUS_SUCCESS;
}

static uint32_t allocate(struct client *client, const void *in, void *out)
{
    const struct pcm_allocate *request = in;
    struct object *adapter = find_object(client, request->adapter);
    bool bounded = request->flags & PCM_ALLOCATE_HAS_MAXIMUM, chooses;
    struct pcm_allocated *reply = out;
    struct buffer *buffer = NULL;
    struct wanted wanted;

    if (!adapter) {
        return PCM_STATUS_INVALID_PARAMETER;
    }
    chooses = request->allocator != PCM_ALLOCATE_COMMON_BUFFER;
    wanted = (struct wanted){ .last = last_of(adapter->bits), .boundary = ~0ull,
                              .length = request->length,
                              .node = chooses ? request->node : PCM_ANY_NODE,
                              .cached = !chooses || (request->flags & PCM_ALLOCATE_CACHED) };
    if (bounded && request->maximum - 1 < wanted.last) {
        wanted.last = request->maximum - 1;
    }
    if (!bounded || request->maximum) {
        buffer = buffer_make(client, &wanted);
    }
    *reply = (struct pcm_allocated){ .status = buffer ? PCM_STATUS_SUCCESS : refusal() };
    if (buffer) {
        reply->handle = buffer->handle;
        reply->logical = buffer->address;
        reply->physical = buffer->physical;
        reply->nonzero = request->flags & PCM_ALLOCATE_SCAN ? buffer_nonzero(buffer) : 0;
    }
    return PCM_STATUS_SUCCESS;
}

static uint32_t free_one(struct client *client, const void *in, void *out)
{
    const struct pcm_object *request = in;
    struct buffer *buffer = buffer_find(client, request->handle);

    (void)out;
    return buffer && buffer_free(client, buffer) ? PCM_STATUS_SUCCESS : PCM_STATUS_INVALID_PARAMETER;
}

static uint32_t channel_new(struct client *client, const void *in, void *out)
{
    struct pcm_channel *reply = out;

    *reply = (struct pcm_channel){ .handle = make_object(client, bits_of(in)) };
    return PCM_STATUS_SUCCESS;
}

static uint32_t channel_allocate(struct client *client, const void *in, void *out)
{
    const struct pcm_channel_allocate *request = in;
    struct object *channel = find_object(client, request->channel);
    struct pcm_channel_allocated *reply = out;
    struct wanted wanted;

    if (!channel || channel->buffer) {
        return PCM_STATUS_INVALID_PARAMETER;
    }
    wanted = (struct wanted){
        .last = last_of(channel->bits), .length = request->length, .node = PCM_ANY_NODE, .cached = true,
        .boundary = request->flags & PCM_CHANNEL_HAS_CONSTRAINT ? request->constraint : ~0ull,
    };
    channel->buffer = buffer_make(client, &wanted);
    *reply = (struct pcm_channel_allocated){ .status = refusal() };
    if (channel->buffer) {
        reply->status = PCM_STATUS_SUCCESS;
        reply->nonzero = buffer_nonzero(channel->buffer);
    }
    return PCM_STATUS_SUCCESS;
}

static uint32_t channel_free(struct client *client, const void *in, void *out)
{
    const struct pcm_object *request = in;
    struct object *channel = find_object(client, request->handle);

    (void)out;
    if (!channel || !channel->buffer) {
        return PCM_STATUS_INVALID_PARAMETER;
    }
    buffer_free(client, channel->buffer);
    channel->buffer = NULL;
    return PCM_STATUS_SUCCESS;
}

static uint32_t channel_query(struct client *client, const void *in, void *out)
{
    const struct pcm_object *request = in;
    struct object *channel = find_object(client, request->handle);
    struct pcm_channel_state *reply = out;

    if (!channel) {
        return PCM_STATUS_INVALID_PARAMETER;
    }
    *reply = (struct pcm_channel_state){ .has_adapter = 1 };
    if (channel->buffer) {
        reply->allocated_size = reply->buffer_size = reply->maximum_size = channel->buffer->length;
        reply->physical_address = channel->buffer->address;
        reply->has_address = 1;
    }
    return PCM_STATUS_SUCCESS;
}

static uint32_t stress_one(struct client *client, const void *in, void *out)
{
    const struct pcm_stress *request = in;
    struct object *adapter = find_object(client, request->adapter);

    return adapter && request->length ? stress(client, request, last_of(adapter->bits), out)
                                      : PCM_STATUS_INVALID_PARAMETER;
}

static uint32_t transfer_one(struct client *client, const void *in, void *out)
{
    const struct pcm_transfer *request = in;
    struct object *channel = find_object(client, request->handle);
    struct buffer *buffer = channel ? channel->buffer : buffer_find(client, request->handle);

    return buffer ? transfer(client, buffer, request, out) : PCM_STATUS_INVALID_PARAMETER;
}

uint32_t command_run(struct client *client, uint32_t number, const void *in, uint32_t in_length, void *out,
                     uint32_t out_length)
{
    static const struct {
        uint32_t (*routine)(struct client *client, const void *in, void *out);
        uint32_t in;
        uint32_t out;
    } commands[PCM_CMD_END] = {
        [PCM_CMD_FACTS] = { facts, 0, sizeof(struct pcm_facts) },
        [PCM_CMD_ADAPTER_GET] = { adapter_get, sizeof(struct pcm_description), sizeof(struct pcm_adapter) },
        [PCM_CMD_ADAPTER_PUT] = { object_put, sizeof(struct pcm_object), 0 },
        [PCM_CMD_ALLOCATE] = { allocate, sizeof(struct pcm_allocate), sizeof(struct pcm_allocated) },
        [PCM_CMD_FREE] = { free_one, sizeof(struct pcm_object), 0 },
        [PCM_CMD_CHANNEL_NEW] = { channel_new, sizeof(struct pcm_description), sizeof(struct pcm_channel) },
        [PCM_CMD_CHANNEL_ALLOCATE] = { channel_allocate, sizeof(struct pcm_channel_allocate),
                                       sizeof(struct pcm_channel_allocated) },
        [PCM_CMD_CHANNEL_FREE_BUFFER] = { channel_free, sizeof(struct pcm_object), 0 },
        [PCM_CMD_CHANNEL_QUERY] = { channel_query, sizeof(struct pcm_object),
                                    sizeof(struct pcm_channel_state) },
        [PCM_CMD_CHANNEL_RELEASE] = { object_put, sizeof(struct pcm_object), 0 },
        [PCM_CMD_STRESS] = { stress_one, sizeof(struct pcm_stress), sizeof(struct pcm_stressed) },
        [PCM_CMD_TRANSFER] = { transfer_one, sizeof(struct pcm_transfer), sizeof(struct pcm_transferred) },
    };

    if (number >= PCM_CMD_END || !commands[number].routine) {
        return PCM_STATUS_NOT_SUPPORTED;
    }
    if (in_length < commands[number].in || out_length < commands[number].out) {
        return PCM_STATUS_BUFFER_TOO_SMALL;
    }
    return commands[number].routine(client, in, out);
}
