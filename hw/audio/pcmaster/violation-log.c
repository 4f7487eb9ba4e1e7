/*
 * pcmaster: the violation log
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/visitor.h"
#include "pcmaster.h"
#include "trace.h"

const char *const pcm_rule_names[PCM_RULE_COUNT] = {
    [PCM_RULE_LIMIT] = "limit",
    [PCM_RULE_BOUNDARY] = "boundary",
    [PCM_RULE_WINDOW] = "window",
    [PCM_RULE_NODE] = "node",
    [PCM_RULE_TARGET] = "target",
    [PCM_RULE_ALIGN] = "align",
    [PCM_RULE_GRAIN] = "grain",
    [PCM_RULE_BURST] = "burst",
    [PCM_RULE_IOMMU] = "iommu",
};

const char *const pcm_policy_names[PCM_POLICY_RECORD + 1] = {
    [PCM_POLICY_ABORT] = "abort",
    [PCM_POLICY_WRAP] = "wrap",
    [PCM_POLICY_RECORD] = "record",
};

static const char *direction(const PcmViolation *v)
{
    return v->write ? "write" : "read";
}

static void trace_violation(const PcmViolation *v)
{
    static void (*const trace[PCM_RULE_COUNT])(uint64_t, uint32_t,
                                               const char *, uint32_t,
                                               uint64_t, uint64_t, uint64_t,
                                               uint64_t, const char *,
                                               uint64_t) = {
        [PCM_RULE_LIMIT] = trace_pcmaster_violation_limit,
        [PCM_RULE_BOUNDARY] = trace_pcmaster_violation_boundary,
        [PCM_RULE_WINDOW] = trace_pcmaster_violation_window,
        [PCM_RULE_NODE] = trace_pcmaster_violation_node,
        [PCM_RULE_TARGET] = trace_pcmaster_violation_target,
        [PCM_RULE_ALIGN] = trace_pcmaster_violation_align,
        [PCM_RULE_GRAIN] = trace_pcmaster_violation_grain,
        [PCM_RULE_BURST] = trace_pcmaster_violation_burst,
        [PCM_RULE_IOMMU] = trace_pcmaster_violation_iommu,
    };

    trace[v->rule](v->address, v->length, direction(v), v->requester,
                   v->expected, v->actual, v->fault, v->landed,
                   pcm_policy_names[v->policy], v->pc);
}

void pcm_log_add(PcmasterState *s, PcmViolation v)
{
    PcmLog *log = &s->log;

    v.time = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    v.sequence = log->sequence++;
    if (v.rule < PCM_RULE_COUNT) {
        trace_violation(&v);
    }
    if (log->count < PCM_LOG_RECORDS) {
        log->record[(log->head + log->count) % PCM_LOG_RECORDS] = v;
        log->count++;
    } else {
        if (log->lost < UINT32_MAX) {
            log->lost++;
        }
        trace_pcmaster_log_lost(log->lost);
    }
    pcmaster_irq_raise(s, PCM_INT_VIOLATION);
}

const PcmViolation *pcm_log_oldest(const PcmLog *log)
{
    return log->count ? &log->record[log->head] : NULL;
}

bool pcm_log_pop(PcmLog *log)
{
    if (!log->count) {
        return false;
    }
    log->head = (log->head + 1) % PCM_LOG_RECORDS;
    log->count--;
    return true;
}

void pcm_log_clear(PcmLog *log)
{
    log->head = 0;
    log->count = 0;
    log->lost = 0;
}

void pcm_log_reset(PcmLog *log)
{
    pcm_log_clear(log);
    log->sequence = 0;
}

static bool visit_name(Visitor *v, const char *key, const char *value,
                       Error **errp)
{
    char *copy = g_strdup(value);
    bool ok = visit_type_str(v, key, &copy, errp);

    g_free(copy);
    return ok;
}

static bool visit_rule(Visitor *v, const PcmViolation *r, Error **errp)
{
    if (r->rule < PCM_RULE_COUNT) {
        return visit_name(v, "rule", pcm_rule_names[r->rule], errp) &&
               visit_name(v, "policy", pcm_policy_names[r->policy], errp);
    }
    return visit_name(v, "injected", pcm_injection_kind_name(r->expected),
                      errp);
}

static bool visit_violation(Visitor *v, PcmViolation r, Error **errp)
{
    return visit_type_uint32(v, "sequence", &r.sequence, errp) &&
           visit_type_int64(v, "time", &r.time, errp) &&
           visit_rule(v, &r, errp) &&
           visit_name(v, "direction", direction(&r), errp) &&
           visit_type_uint8(v, "requester", &r.requester, errp) &&
           visit_type_uint64(v, "address", &r.address, errp) &&
           visit_type_uint32(v, "length", &r.length, errp) &&
           visit_type_uint64(v, "expected", &r.expected, errp) &&
           visit_type_uint64(v, "actual", &r.actual, errp) &&
           visit_type_uint64(v, "fault", &r.fault, errp) &&
           visit_type_uint64(v, "landed", &r.landed, errp) &&
           visit_type_uint64(v, "pc", &r.pc, errp);
}

void pcm_log_get_property(Object *obj, Visitor *v, const char *name,
                          void *opaque, Error **errp)
{
    PcmLog *log = &PCMASTER(obj)->log;
    bool ok = true;

    if (!visit_start_list(v, name, NULL, 0, errp)) {
        return;
    }
    for (uint32_t i = 0; ok && i < log->count; i++) {
        ok = visit_start_struct(v, NULL, NULL, 0, errp);
        if (ok) {
            ok = visit_violation(v, log->record[(log->head + i) %
                                                PCM_LOG_RECORDS], errp) &&
                 visit_check_struct(v, errp);
            visit_end_struct(v, NULL);
        }
    }
    if (ok) {
        visit_check_list(v, errp);
    }
    visit_end_list(v, NULL);
}
