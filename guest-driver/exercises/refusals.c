/* SPDX-License-Identifier: MIT */
/* The exercises: requests that the driver must refuse, losing nothing */
#include "run.h"

/* Sends a command that must fail. */
static void refused(struct run *run, const char *what, uint32_t number, const void *in, uint32_t in_length,
                    void *out, uint32_t out_length)
{
    if (!run->ops->command(run->ops->context, number, in, in_length, out, out_length)) {
        broken(run, "the driver accepted %s", what);
    }
}

static void refused_on(struct run *run, const char *what, uint32_t number, uint32_t handle)
{
    struct pcm_object object = { .handle = handle };

    refused(run, what, number, &object, sizeof(object), NULL, 0);
}

static void refuse_handles(struct run *run, uint32_t adapter, uint32_t buffer)
{
    refused_on(run, "handle 0", PCM_CMD_FREE, 0);
    refused_on(run, "a handle that was never given", PCM_CMD_FREE, 0xffffffff);
    refused_on(run, "an adapter's handle for a buffer's", PCM_CMD_FREE, adapter);
    refused_on(run, "a buffer's handle for an adapter's", PCM_CMD_ADAPTER_PUT, buffer);
    refused_on(run, "a buffer's handle for a channel's", PCM_CMD_CHANNEL_RELEASE, buffer);
    refused_on(run, "PutDmaAdapter with a buffer alive", PCM_CMD_ADAPTER_PUT, adapter);
}

static void refuse_lengths(struct run *run, uint32_t adapter)
{
    struct pcm_allocate in = { .adapter = adapter, .length = PAGE_BYTES };
    struct pcm_allocated out;

    refused(run, "a request that is too short", PCM_CMD_ALLOCATE, &in, sizeof(in) - 1, &out, sizeof(out));
    refused(run, "no request", PCM_CMD_ALLOCATE, NULL, 0, &out, sizeof(out));
    refused(run, "a reply that is too short", PCM_CMD_ALLOCATE, &in, sizeof(in), &out, sizeof(out) - 8);
    refused(run, "no room for the reply", PCM_CMD_ALLOCATE, &in, sizeof(in), NULL, 0);
    in.allocator = 77;
    refused(run, "an allocator there is not", PCM_CMD_ALLOCATE, &in, sizeof(in), &out, sizeof(out));
    refused(run, "command 0", 0, NULL, 0, NULL, 0);
    refused(run, "a command there is not", PCM_CMD_END, NULL, 0, NULL, 0);
}

/* The device must not be let loose on what is not the buffer's. */
static void refuse_transfers(struct run *run, uint32_t buffer, uint32_t length)
{
    static const struct {
        const char *what;
        uint32_t beyond;                /* offset, counted from the buffer's end */
        uint32_t length;
    } wrong[] = {
        { "DMA to the byte after the buffer", 0, 1 },
        { "DMA over the end of the buffer", 0xffffffff, 2 },
        { "DMA of no bytes", 0xffffffff, 0 },
        { "DMA far behind the buffer", 0x70000000, 1 },
        { "DMA whose end wraps to its start", 0xffffffff, 0xffffffff },
    };
    static struct pcm_transferred out;
    uint32_t i;

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct pcm_transfer in = { .handle = buffer, .directions = PCM_TO_MEMORY,
                                   .offset = length + wrong[i].beyond, .length = wrong[i].length,
                                   .addr_bits = PCM_ADDR_BITS_MAX, .limit = ~0ull,
                                   .boundary = PCM_BOUNDARY_NONE, .node = PCM_NODE_ANY };

        refused(run, wrong[i].what, PCM_CMD_TRANSFER, &in, sizeof(in), &out, sizeof(out));
    }
}

void exercise_refusals(struct run *run, const struct request *request)
{
    uint32_t adapter = adapter_needed(run, request);
    struct pcm_allocated allocated = { 0 };

    if (adapter && allocate(run, adapter, request, true, &allocated) && allocated.handle) {
        text_add(&run->logical, "%X", allocated.logical);
        refuse_handles(run, adapter, allocated.handle);
        refuse_lengths(run, adapter);
        refuse_transfers(run, allocated.handle, request->length);
        check_place(run, request, allocated.logical);
        check_by_dma(run, request, allocated.handle, PCM_NODE_ANY);
        command_on(run, PCM_CMD_FREE, allocated.handle);
        refused_on(run, "a buffer that was freed", PCM_CMD_FREE, allocated.handle);
    } else {
        broken(run, "NULL was returned");
    }
    if (adapter) {
        command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
        refused_on(run, "an adapter that was put back", PCM_CMD_ADAPTER_PUT, adapter);
    }
}
