/* SPDX-License-Identifier: MIT */
/*
 * What the device must say of a transfer that breaks a rule
 *
 * The expected record follows from docs/specs/pcmaster.rst and from what the
 * driver told the device to do; nothing is taken from the record itself.
 */
#include "run.h"

static struct expected expect_limit(const struct pcm_fault_result *result, uint64_t end)
{
    uint64_t reach = result->addr_bits < 64 ? (1ull << result->addr_bits) - 1 : ~0ull;
    uint64_t last = result->limit < reach ? result->limit : reach;
    struct expected e = { .expected = last, .actual = end };

    e.fault = result->address > last ? result->address : last + 1;
    e.wrapped = e.fault & reach;
    return e;
}

static struct expected expect_boundary(const struct pcm_fault_result *result, uint64_t end)
{
    uint64_t mask = result->boundary;
    struct expected e = { .expected = mask, .actual = result->address ^ end };
    unsigned shift;

    for (shift = 1; shift < 64; shift *= 2) {
        e.actual |= e.actual >> shift;
    }
    e.fault = (result->address | mask) + 1;
    e.wrapped = (result->address & ~mask) | (e.fault & mask);
    return e;
}

static struct expected expect_window(const struct pcm_fault_result *result)
{
    bool inside = result->window_first <= result->address && result->address <= result->window_last;
    struct expected e = { .actual = ~0ull };

    e.fault = inside ? result->window_last + 1 : result->address;
    e.wrapped = e.fault;
    e.expected = result->window_first <= result->window_last && result->window_last < e.fault
                     ? result->window_last
                     : ~0ull;
    return e;
}

static struct expected expect_node(const struct pcm_fault_result *result)
{
    struct expected e = { .expected = result->node, .any_node = true, .fault = result->address,
                          .wrapped = result->address };

    return e;
}

/* Nothing is mapped anywhere in the transfer; what was asked for is the direction's. */
static struct expected expect_iommu(const struct pcm_fault_result *result)
{
    struct expected e = { .actual = PCM_IOMMU_NOTHING, .fault = result->address,
                          .wrapped = result->address, .denied = true };

    return e;
}

struct expected violation_expect(uint32_t rule, const struct pcm_fault_result *result)
{
    uint64_t end = result->address + result->length - 1;

    switch (rule) {
    case PCM_RULE_LIMIT:
        return expect_limit(result, end);
    case PCM_RULE_BOUNDARY:
        return expect_boundary(result, end);
    case PCM_RULE_WINDOW:
        return expect_window(result);
    case PCM_RULE_IOMMU:
        return expect_iommu(result);
    default:
        return expect_node(result);
    }
}

static void same(struct run *run, const char *what, uint64_t actual, uint64_t expected)
{
    if (actual != expected) {
        broken(run, "the record's %s is %X, not %X", what, actual, expected);
    }
}

void violation_judge(struct run *run, uint32_t rule, uint32_t policy, bool write,
                     const struct pcm_fault_result *result, const struct expected *e)
{
    const struct pcm_record *record = &result->record;

    if (result->records != 1) {
        broken(run, "the device logged %u records, not 1", result->records);
        return;
    }
    same(run, "rule", record->rule, rule);
    same(run, "policy", record->policy, policy);
    same(run, "requester", record->requester, PCM_REQUESTER_EXERCISER);
    same(run, "direction", record->write, write);
    same(run, "address", record->address, result->address);
    same(run, "length", record->length, result->length);
    same(run, "expected", record->expected,
         !e->denied ? e->expected
         : write    ? PCM_IOMMU_WRITE
                    : PCM_IOMMU_READ);
    if (!e->any_node) {
        same(run, "actual", record->actual, e->actual);
    } else if (record->actual == e->expected || record->actual >= run->facts.node_count) {
        broken(run, "the record's actual node is %U", record->actual);
    }
    same(run, "fault", record->fault, e->fault);
    same(run, "landed", record->landed,
         policy == PCM_POLICY_ABORT || e->denied ? PCM_LANDED_NOWHERE
         : policy == PCM_POLICY_WRAP             ? e->wrapped
                                                 : e->fault);
}
