/* SPDX-License-Identifier: MIT */
/*
 * The exercises: whether the checks themselves work
 *
 * Every other exercise is content if the device logs nothing and nobody finds a
 * wrong byte.  Here the device is told a rule that the transfer breaks by the
 * least there is, and a byte is changed that both sides must find.
 */
#include "run.h"

static const char *const rule_names[] = {
    [PCM_RULE_LIMIT] = "limit", [PCM_RULE_BOUNDARY] = "boundary", [PCM_RULE_WINDOW] = "window",
    [PCM_RULE_NODE] = "node", [PCM_RULE_IOMMU] = "iommu",
};

/* What the device was told by IN, and to do what, as violation_expect wants it. */
static struct pcm_fault_result told(const struct pcm_transfer *in, uint64_t logical)
{
    return (struct pcm_fault_result){
        .address = logical, .length = in->length, .addr_bits = in->addr_bits, .limit = in->limit,
        .boundary = in->boundary, .node = in->node, .window_first = logical,
        .window_last = logical + in->length - 1 - in->window_short,
    };
}

void violation_announce(struct run *run, uint32_t rule, const struct pcm_fault_result *result,
                        const struct expected *e, uint32_t step)
{
    static const char *const ways[] = { "write", "read" };
    uint32_t i;

    text_add(&run->more, ",\"expects_violation\":true,\"violations\":[");
    for (i = 0; i < 2; i++, result += step, e += step) {
        text_add(&run->more, "%s{\"rule\":\"%s\",\"direction\":\"%s\",\"address\":\"%X\",", i ? "," : "",
                 rule_names[rule], ways[i], result->address);
        text_add(&run->more, "\"length\":\"%u\",\"fault\":\"%X\",\"landed\":\"%X\",\"policy\":\"abort\"}",
                 result->length, e->fault, PCM_LANDED_NOWHERE);
    }
    text_add(&run->more, "]");
}

/* One way: one record, and not one byte moved. */
static void transfer_breaking(struct run *run, uint32_t rule, struct pcm_transfer *in, bool write,
                              const struct expected *e, struct pcm_fault_result *result)
{
    static struct pcm_transferred out;
    const struct pcm_direction *direction = write ? &out.to_memory : &out.from_memory;

    in->directions = (in->directions & PCM_PHYSICAL) | (write ? PCM_TO_MEMORY : PCM_FROM_MEMORY);
    if (!command(run, PCM_CMD_TRANSFER, in, sizeof(*in), &out, sizeof(out))) {
        return;
    }
    result->records = out.records;
    result->record = out.first;
    violation_judge(run, rule, PCM_POLICY_ABORT, write, result, e);
    if (direction->result != PCM_EX_VIOLATION || direction->done) {
        broken(run, "the device's result is %u after %u bytes", direction->result, direction->done);
    }
    /* The CPU had put there what differs from the device's data in every byte. */
    if (write && direction->mismatches != in->length) {
        broken(run, "%u of %u bytes arrived in spite of the rule", in->length - direction->mismatches,
               in->length);
    }
}

/* Makes IN, a transfer to LOGICAL that is legal, break a rule. */
typedef void (*tighten_routine)(const struct run *run, struct pcm_transfer *in, uint64_t logical);

static void tighten_limit(const struct run *run, struct pcm_transfer *in, uint64_t logical)
{
    (void)run;
    in->limit = logical + in->length - 2;
}

/* One line too few for the highest bit of the buffer's last address. */
static void tighten_lines(const struct run *run, struct pcm_transfer *in, uint64_t logical)
{
    (void)run;
    in->limit = ~0ull;
    in->addr_bits = 63 - (uint32_t)__builtin_clzll(logical + in->length - 1);
}

static void tighten_boundary(const struct run *run, struct pcm_transfer *in, uint64_t logical)
{
    (void)run;
    (void)logical;
    in->boundary = in->length / 2 - 1;
}

static void tighten_window(const struct run *run, struct pcm_transfer *in, uint64_t logical)
{
    (void)run;
    (void)logical;
    in->window_short = 1;
}

static void tighten_node(const struct run *run, struct pcm_transfer *in, uint64_t logical)
{
    (void)logical;
    in->node = (run->first_node + 1) % run->facts.node_count;
}

/* The address of the processor's side in place of the device's. */
static void tighten_physical(const struct run *run, struct pcm_transfer *in, uint64_t logical)
{
    (void)run;
    (void)logical;
    in->directions |= PCM_PHYSICAL;
}

static void break_rule(struct run *run, const struct request *request, uint32_t rule,
                       tighten_routine tighten, const struct pcm_allocated *allocated)
{
    struct pcm_transfer in = transfer_of(request, allocated->handle, PCM_NODE_ANY);
    struct pcm_fault_result result;
    struct expected e;

    tighten(run, &in, allocated->logical);
    result = told(&in, in.directions & PCM_PHYSICAL ? allocated->physical : allocated->logical);
    e = violation_expect(rule, &result);
    violation_announce(run, rule, &result, &e, 0);
    transfer_breaking(run, rule, &in, true, &e, &result);
    transfer_breaking(run, rule, &in, false, &e, &result);
}

typedef void work_routine(struct run *run, const struct request *request,
                          const struct pcm_allocated *allocated, const void *context);

/* Has WORK done on a buffer as requested; afterwards DMA to it is as good as before. */
static void on_buffer(struct run *run, const struct request *request, work_routine work, const void *context)
{
    uint32_t adapter = adapter_needed(run, request);
    struct pcm_allocated allocated;

    if (!adapter) {
        return;
    }
    if (allocate(run, adapter, request, true, &allocated) && allocated.handle) {
        text_add(&run->logical, "%X", allocated.logical);
        work(run, request, &allocated, context);
        check_by_dma(run, request, allocated.handle, PCM_NODE_ANY);
        command_on(run, PCM_CMD_FREE, allocated.handle);
    } else {
        broken(run, "NULL was returned");
    }
    command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
}

struct rule_case {
    uint32_t rule;
    tighten_routine tighten;
};

/* The device has PCM_ADDR_BITS_MIN lines at least; the other rules know no low address. */
static bool can_be_broken(const struct rule_case *rule, const struct request *request,
                          const struct pcm_allocated *allocated)
{
    return rule->tighten != tighten_lines ||
           (allocated->logical + request->length - 1) >> PCM_ADDR_BITS_MIN;
}

/* Without the rule the same transfer is legal, before and after. */
static void break_rule_between(struct run *run, const struct request *request,
                               const struct pcm_allocated *allocated, const void *context)
{
    const struct rule_case *broken_rule = context;

    check_by_dma(run, request, allocated->handle, PCM_NODE_ANY);
    if (can_be_broken(broken_rule, request, allocated)) {
        break_rule(run, request, broken_rule->rule, broken_rule->tighten, allocated);
    } else {
        broken(run, "the buffer lies too low to tell");
    }
}

static void exercise_rule(struct run *run, const struct request *request, uint32_t rule,
                          tighten_routine tighten)
{
    const struct rule_case broken_rule = { rule, tighten };

    on_buffer(run, request, break_rule_between, &broken_rule);
}

void exercise_rule_limit(struct run *run, const struct request *request)
{
    exercise_rule(run, request, PCM_RULE_LIMIT, tighten_limit);
}

void exercise_rule_lines(struct run *run, const struct request *request)
{
    exercise_rule(run, request, PCM_RULE_LIMIT, tighten_lines);
}

void exercise_rule_boundary(struct run *run, const struct request *request)
{
    exercise_rule(run, request, PCM_RULE_BOUNDARY, tighten_boundary);
}

void exercise_rule_window(struct run *run, const struct request *request)
{
    exercise_rule(run, request, PCM_RULE_WINDOW, tighten_window);
}

void exercise_rule_node(struct run *run, const struct request *request)
{
    if (run->facts.node_count < 2) {
        skipped(run, "the machine has no second node");
        return;
    }
    exercise_rule(run, request, PCM_RULE_NODE, tighten_node);
}

/* Without an IOMMU the two addresses are one. */
static void use_physical(struct run *run, const struct request *request,
                         const struct pcm_allocated *allocated, const void *context)
{
    (void)request;
    (void)context;
    if (allocated->physical != allocated->logical) {
        broken(run, "the logical address is %X, the physical one %X, without an IOMMU", allocated->logical,
               allocated->physical);
    }
}

void exercise_physical(struct run *run, const struct request *request)
{
    if (run->options->iommu) {
        exercise_rule(run, request, PCM_RULE_IOMMU, tighten_physical);
    } else {
        on_buffer(run, request, use_physical, NULL);
    }
}

/* Both who compare must find the changed byte, and no other. */
static void check_spoilt(struct run *run, const struct pcm_direction *direction, const char *who,
                         const struct pcm_transfer *in)
{
    if (direction->mismatches != 1 || direction->first_mismatch != in->spoiled) {
        broken(run, "%s found %u wrong bytes, the first at offset %u, not the one at %u", who,
               direction->mismatches, direction->first_mismatch, in->spoiled);
    }
}

static void transfer_spoilt(struct run *run, const struct request *request,
                            const struct pcm_allocated *allocated, const void *context)
{
    const uint32_t places[] = { 0, 1, 7, request->length / 2, request->length - 1 };
    static struct pcm_transferred out;
    uint32_t i;

    (void)context;
    for (i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct pcm_transfer in = transfer_of(request, allocated->handle, PCM_NODE_ANY);

        in.directions |= PCM_SPOIL;
        in.spoiled = places[i];
        if (!command(run, PCM_CMD_TRANSFER, &in, sizeof(in), &out, sizeof(out))) {
            return;
        }
        check_spoilt(run, &out.to_memory, "the CPU", &in);
        check_spoilt(run, &out.from_memory, "the device", &in);
        if (out.to_memory.result != PCM_EX_OK || out.from_memory.result != PCM_EX_MISMATCH) {
            broken(run, "the device's results are %u and %u", out.to_memory.result,
                   out.from_memory.result);
        }
        run->filled += out.to_memory.done;
    }
}

void exercise_spoilt(struct run *run, const struct request *request)
{
    on_buffer(run, request, transfer_spoilt, NULL);
}
