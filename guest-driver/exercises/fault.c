/* SPDX-License-Identifier: MIT */
/* Deliberate mistakes, and what they must cost */
#include "run.h"

const struct fault fault_table[] = {
    { "limit", "limit", "A buffer allocated without a limit, for a card that lacks address lines",
      "another owner's page", PCM_FAULT_LIMIT, PCM_RULE_LIMIT },
    { "boundary", "boundary", "A buffer across a 64 KB boundary, where the card's counter wraps",
      "the start of the 64 KB block", PCM_FAULT_BOUNDARY, PCM_RULE_BOUNDARY },
    { "node", "node", "A buffer on another NUMA node than the device's", "", PCM_FAULT_NODE,
      PCM_RULE_NODE },
    { "overrun", "window", "DMA past the end of the buffer", "what follows the buffer",
      PCM_FAULT_OVERRUN, PCM_RULE_WINDOW },
    { "use-after-free", "window", "DMA to a buffer that was freed and now belongs to another",
      "the page's new owner's", PCM_FAULT_USE_AFTER_FREE, PCM_RULE_WINDOW },
    { "end-of-range", "limit", "A buffer whose start the card reaches, but not its end",
      "the machine's first page", PCM_FAULT_END_OF_RANGE, PCM_RULE_LIMIT },
    { "stale-mapping", "iommu", "DMA to a buffer that was freed, whose mapping is gone",
      "the page's new owner's", PCM_FAULT_STALE_MAPPING, PCM_RULE_IOMMU },
    { "physical-address", "iommu", "MmGetPhysicalAddress's word is given to the device as its address",
      "the buffer itself", PCM_FAULT_PHYSICAL_ADDRESS, PCM_RULE_IOMMU },
    { NULL, NULL, NULL, NULL, 0, 0 },
};

static const char *const policies[] = {
    [PCM_POLICY_ABORT] = "abort", [PCM_POLICY_WRAP] = "wrap", [PCM_POLICY_RECORD] = "record",
};

const struct fault *fault_find(const char *name)
{
    const struct fault *fault;

    for (fault = fault_table; fault->name; fault++) {
        if (text_equal(fault->name, name)) {
            return fault;
        }
    }
    return NULL;
}

uint32_t policy_find(const char *name)
{
    uint32_t policy;

    for (policy = 0; policy < sizeof(policies) / sizeof(policies[0]); policy++) {
        if (text_equal(policies[policy], name)) {
            return policy;
        }
    }
    return PCM_POLICY_UNKNOWN;
}

/* Bytes that [FIRST, FIRST + LENGTH) shares with the memory. */
static uint32_t shared(const struct pcm_damage *memory, uint64_t first, uint64_t length)
{
    uint64_t low = first > memory->logical ? first : memory->logical;
    uint64_t end = first + length, memory_end = memory->logical + memory->length;
    uint64_t high = end < memory_end ? end : memory_end;

    return high > low ? (uint32_t)(high - low) : 0;
}

/* How many bytes of the memory the device's data must fill. */
static uint32_t must_fill(const struct pcm_damage *memory, uint32_t policy,
                          const struct pcm_fault_result *result, const struct expected *e)
{
    uint64_t straight = e->fault - result->address;

    if (policy == PCM_POLICY_ABORT || e->denied) {
        return 0;
    }
    if (policy == PCM_POLICY_RECORD) {
        return shared(memory, result->address, result->length);
    }
    return shared(memory, result->address, straight) +
           shared(memory, e->wrapped, result->length - straight);
}

static void judge_memory(struct run *run, const char *what, const struct pcm_damage *memory,
                         uint32_t expected)
{
    if (memory->changed != expected || memory->data != expected) {
        broken(run, "%s at %X: %u bytes changed, %u of them to the device's data, not %u", what,
               memory->logical, memory->changed, memory->data, expected);
    }
}

static void describe_node(struct run *run, const struct pcm_fault_result *result)
{
    if (result->record.rule == PCM_RULE_NODE && result->records) {
        text_add(&run->node, "%U", result->record.actual);
    }
}

/* The device's diagnosis, and whose memory it cost. */
static void describe(struct run *run, const struct fault *fault, uint32_t policy,
                     const struct pcm_fault_result *result)
{
    const struct pcm_record *record = &result->record;
    struct text *more = &run->more;

    text_add(&run->logical, "%X", result->address);
    describe_node(run, result);
    text_add(more, ",\"rule\":\"%s\",\"policy\":\"%s\",\"direction\":\"%s\"", fault->rule, policies[policy],
             record->write ? "to memory" : "from memory");
    text_add(more, ",\"address\":\"%X\",\"length\":%u,\"expected\":\"%X\",\"actual\":\"%X\"",
             record->address, record->length, record->expected, record->actual);
    text_add(more, ",\"fault\":\"%X\",\"landed\":\"", record->fault);
    if (record->landed == PCM_LANDED_NOWHERE) {
        text_add(more, "nowhere\"");
    } else {
        text_add(more, "%X\"", record->landed);
    }
    if (result->victim.changed) {
        text_add(more, ",\"victim\":\"%u bytes from %X on: %s\"", result->victim.changed,
                 result->victim.logical, fault->victim);
    } else if (result->victim.length) {
        text_add(more, ",\"innocent\":\"as it was from %X on: %s\"", result->victim.logical,
                 fault->victim);
    }
}

static void judge(struct run *run, const struct fault *fault, uint32_t policy,
                  const struct pcm_fault_result *result)
{
    struct expected e = violation_expect(fault->rule_number, result);
    bool aborted = policy == PCM_POLICY_ABORT;

    violation_judge(run, fault->rule_number, policy, true, result, &e);
    if (result->result != (aborted ? PCM_EX_VIOLATION : PCM_EX_OK) ||
        result->done != (aborted || e.denied ? 0 : result->length)) {
        broken(run, "the device's result is %u after %u bytes", result->result, result->done);
    }
    judge_memory(run, "the buffer", &result->target, must_fill(&result->target, policy, result, &e));
    judge_memory(run, "innocent memory", &result->victim,
                 must_fill(&result->victim, policy, result, &e));
}

void fault_run(struct run *run, const struct fault *fault, uint32_t policy)
{
    struct pcm_fault in = { .fault = fault->id, .policy = policy };
    struct pcm_fault_result result;
    char room[40] = "";
    struct text name = TEXT(room);

    point_begin(run);
    text_add(&run->request, "%s, policy %s", fault->about, policies[policy]);
    if (command(run, PCM_CMD_FAULT, &in, sizeof(in), &result, sizeof(result))) {
        if (result.status) {
            broken(run, "the mistake could not be made: status %X", (uint64_t)result.status);
        } else {
            run->filled = result.done_before + result.done;
            describe(run, fault, policy, &result);
            judge(run, fault, policy, &result);
        }
    }
    text_add(&name, "fault/%s", fault->name);
    point_end(run, name.start, "caught");
}
