/* SPDX-License-Identifier: MIT */
/* The exercises: all processors at once */
#include "run.h"

#define ROUNDS                      24u

static void check_none(struct run *run, uint32_t count, const char *what)
{
    if (count) {
        broken(run, "%u %s", count, what);
    }
}

static void check_result(struct run *run, const struct pcm_stressed *out)
{
    if (!out->processors) {
        broken(run, "no thread ran on the processor it was to run on");
    }
    if (out->allocated != out->freed) {
        broken(run, "%u buffers were allocated, %u freed", out->allocated, out->freed);
    }
    check_none(run, out->refused, "requests that the memory has room for were refused");
    check_none(run, out->misplaced, "buffers break their request");
    check_none(run, out->unclean, "buffers were not zeroed");
    check_none(run, out->foreign, "buffers did not keep what was in them, as the CPU sees it");
    check_none(run, out->mismatched, "buffers did not keep what was in them, as the device sees it");
    check_none(run, out->refused_dma, "transfers were not carried out whole");
    check_none(run, out->timed_out, "transfers did not end");
    check_none(run, out->records, "violations were logged");
}

/*
 * Each processor allocates and frees under constraints of its own. The host
 * knows how many there are, and counts the pages before and after.
 */
void exercise_stress(struct run *run, const struct request *request)
{
    struct pcm_stress in = {
        .adapter = adapter_needed(run, request),
        .rounds = ROUNDS,
        .length = request->length,
        .nodes = run->facts.node_count ? run->facts.node_count : 1,
        .allocator = request->legacy ? PCM_ALLOCATE_COMMON_BUFFER : PCM_ALLOCATE_COMMON_BUFFER_EX,
        .seed = request->length,
    };
    struct pcm_stressed out;

    if (!in.adapter) {
        return;
    }
    if (command(run, PCM_CMD_STRESS, &in, sizeof(in), &out, sizeof(out))) {
        check_result(run, &out);
        run->filled += out.filled;
        run->verified += out.verified;
        run->buffers += out.allocated;
        text_add(&run->more, ",\"processors\":%u", out.processors);
    }
    command_on(run, PCM_CMD_ADAPTER_PUT, in.adapter);
}
