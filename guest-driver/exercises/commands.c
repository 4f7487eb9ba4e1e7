/* SPDX-License-Identifier: MIT */
/* The exercises: the driver's commands */
#include "run.h"

bool command(struct run *run, uint32_t number, const void *in, uint32_t in_length, void *out,
             uint32_t out_length)
{
    uint32_t status = run->ops->command(run->ops->context, number, in, in_length, out, out_length);

    if (status) {
        broken(run, "the driver refused command %u: status %X", number, (uint64_t)status);
    }
    return !status;
}

bool command_on(struct run *run, uint32_t number, uint32_t handle)
{
    struct pcm_object object = { .handle = handle };

    return command(run, number, &object, sizeof(object), NULL, 0);
}

static struct pcm_description description_of(const struct request *request)
{
    struct pcm_description description = {
        .version = request->legacy ? request->legacy - 1 : 3,
        .flags = request->describe,
        .maximum_length = request->length ? request->length : 1,
    };

    /* Version 3 alone has a field for it; the others imply one. */
    if (description.version >= 3) {
        description.address_width = request->width;
    }
    if (request->channel_maximum) {
        description.maximum_length = request->channel_maximum;
    }
    return description;
}

bool adapter_get(struct run *run, const struct request *request, struct pcm_adapter *adapter)
{
    struct pcm_description description = description_of(request);

    return command(run, PCM_CMD_ADAPTER_GET, &description, sizeof(description), adapter,
                   sizeof(*adapter));
}

uint32_t adapter_needed(struct run *run, const struct request *request)
{
    struct pcm_adapter adapter = { 0 };

    if (adapter_get(run, request, &adapter) && !adapter.handle) {
        broken(run, "IoGetDmaAdapter returned NULL");
    }
    return adapter.handle;
}

static uint32_t allocate_flags(const struct request *request)
{
    return (request->minimum_kind != NO_MINIMUM ? PCM_ALLOCATE_HAS_MINIMUM : 0) |
           (request->maximum_kind != NO_MAXIMUM ? PCM_ALLOCATE_HAS_MAXIMUM : 0) |
           (request->uncached ? 0 : PCM_ALLOCATE_CACHED) |
           (request->cache_unsaid ? 0 : PCM_ALLOCATE_HAS_CACHE_TYPE) |
           (request->large_page ? PCM_ALLOCATE_LARGE_PAGE : 0) |
           (request->wrong_domain ? PCM_ALLOCATE_WRONG_DOMAIN : 0);
}

static uint32_t cache_type(const struct request *request)
{
    return request->write_combined ? PCM_CACHE_WRITE_COMBINED
           : request->uncached     ? PCM_CACHE_NONCACHED
                                   : PCM_CACHE_CACHED;
}

bool allocate(struct run *run, uint32_t adapter, const struct request *request, bool scan,
              struct pcm_allocated *allocated)
{
    static const enum pcm_allocator allocators[] = {
        [COMMON_BUFFER_EX] = PCM_ALLOCATE_COMMON_BUFFER_EX,
        [COMMON_BUFFER] = PCM_ALLOCATE_COMMON_BUFFER,
        [WITH_BOUNDS] = PCM_ALLOCATE_COMMON_BUFFER_WITH_BOUNDS,
        [OF_DOMAIN] = PCM_ALLOCATE_DOMAIN_COMMON_BUFFER,
    };
    struct pcm_allocate in = {
        .adapter = adapter,
        .allocator = allocators[request->allocator],
        .flags = allocate_flags(request) | (scan ? PCM_ALLOCATE_SCAN : 0),
        .length = request->length,
        .node = request->node,
        .minimum = request->minimum,
        .maximum = request->maximum,
        .cache_type = cache_type(request),
    };

    return command(run, PCM_CMD_ALLOCATE, &in, sizeof(in), allocated, sizeof(*allocated));
}

bool vector_allocate(struct run *run, uint32_t adapter, const struct request *request,
                     struct pcm_vector *vector)
{
    struct pcm_vector_allocate in = {
        .adapter = adapter,
        .count = request->elements,
        .cache_type = cache_type(request),
        .node = request->node,
        .flags = request->large_page ? PCM_ALLOCATE_LARGE_PAGE : 0,
        .size = request->length,
        .low = first_legal(request),
        .high = request->maximum_kind == NO_MAXIMUM ? ~0ull : request->maximum - 1,
    };

    return command(run, PCM_CMD_VECTOR_ALLOCATE, &in, sizeof(in), vector, sizeof(*vector));
}

bool vector_get(struct run *run, uint32_t vector, uint32_t index, struct pcm_allocated *element)
{
    struct pcm_element in = { .vector = vector, .index = index, .flags = PCM_ALLOCATE_SCAN };

    return command(run, PCM_CMD_VECTOR_GET, &in, sizeof(in), element, sizeof(*element));
}

bool vector_free_element(struct run *run, uint32_t vector, uint32_t index)
{
    struct pcm_element in = { .vector = vector, .index = index };

    return command(run, PCM_CMD_VECTOR_FREE_ELEMENT, &in, sizeof(in), NULL, 0);
}

bool channel_new(struct run *run, const struct request *request, struct pcm_channel *channel)
{
    struct pcm_description description = description_of(request);

    return command(run, PCM_CMD_CHANNEL_NEW, &description, sizeof(description), channel,
                   sizeof(*channel));
}

bool channel_allocate(struct run *run, uint32_t channel, const struct request *request,
                      struct pcm_channel_allocated *allocated)
{
    struct pcm_channel_allocate in = {
        .channel = channel,
        .length = request->length,
        .constraint = request->constraint,
    };

    if (request->constraint_kind == CONSTRAINT) {
        in.flags |= PCM_CHANNEL_HAS_CONSTRAINT;
    }
    return command(run, PCM_CMD_CHANNEL_ALLOCATE, &in, sizeof(in), allocated, sizeof(*allocated));
}

bool channel_query(struct run *run, uint32_t channel, struct pcm_channel_state *state)
{
    struct pcm_object object = { .handle = channel };

    return command(run, PCM_CMD_CHANNEL_QUERY, &object, sizeof(object), state, sizeof(*state));
}
