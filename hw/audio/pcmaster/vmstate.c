/*
 * pcmaster: migration
 *
 * What arrives may have been made up: everything that the device trusts is
 * looked at before it runs on.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/pci/msix.h"
#include "migration/vmstate.h"
#include "stream.h"

static const VMStateDescription vmstate_window = {
    .name = "pcmaster/window",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(first, PcmWindow),
        VMSTATE_UINT64(last, PcmWindow),
        VMSTATE_UINT32(ctrl, PcmWindow),
        VMSTATE_END_OF_LIST()
    }
};

/* --- Violation log ------------------------------------------------------ */

static int violation_post_load(void *opaque, int version_id)
{
    PcmViolation *v = opaque;

    if (v->rule == PCM_LOG_INJECTED) {
        return pcm_injection_kind_name(v->expected) ? 0 : -EINVAL;
    }
    return v->rule < PCM_RULE_COUNT && v->policy <= PCM_POLICY_RECORD ?
           0 : -EINVAL;
}

static const VMStateDescription vmstate_violation = {
    .name = "pcmaster/violation",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = violation_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(address, PcmViolation),
        VMSTATE_UINT64(expected, PcmViolation),
        VMSTATE_UINT64(actual, PcmViolation),
        VMSTATE_UINT64(fault, PcmViolation),
        VMSTATE_UINT64(landed, PcmViolation),
        VMSTATE_UINT64(pc, PcmViolation),
        VMSTATE_INT64(time, PcmViolation),
        VMSTATE_UINT32(length, PcmViolation),
        VMSTATE_UINT32(sequence, PcmViolation),
        VMSTATE_UINT8(rule, PcmViolation),
        VMSTATE_UINT8(requester, PcmViolation),
        VMSTATE_UINT8(policy, PcmViolation),
        VMSTATE_BOOL(write, PcmViolation),
        VMSTATE_END_OF_LIST()
    }
};

static int log_post_load(void *opaque, int version_id)
{
    PcmLog *log = opaque;

    return log->head < PCM_LOG_RECORDS && log->count <= PCM_LOG_RECORDS ?
           0 : -EINVAL;
}

static const VMStateDescription vmstate_log = {
    .name = "pcmaster/log",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = log_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT_ARRAY(record, PcmLog, PCM_LOG_RECORDS, 1,
                             vmstate_violation, PcmViolation),
        VMSTATE_UINT32(head, PcmLog),
        VMSTATE_UINT32(count, PcmLog),
        VMSTATE_UINT32(lost, PcmLog),
        VMSTATE_UINT32(sequence, PcmLog),
        VMSTATE_END_OF_LIST()
    }
};

/* --- Accounting --------------------------------------------------------- */

static const VMStateDescription vmstate_count = {
    .name = "pcmaster/count",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(read_bytes, PcmCount),
        VMSTATE_UINT64(reads, PcmCount),
        VMSTATE_UINT64(write_bytes, PcmCount),
        VMSTATE_UINT64(writes, PcmCount),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_accounting = {
    .name = "pcmaster/accounting",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT_ARRAY(of, PcmAccounting, PCM_ACC_COUNT, 1,
                             vmstate_count, PcmCount),
        VMSTATE_STRUCT_ARRAY(on_node, PcmAccounting, PCM_NODES_MAX, 1,
                             vmstate_count, PcmCount),
        VMSTATE_UINT64(weighed, PcmAccounting),
        VMSTATE_UINT64(weight, PcmAccounting),
        VMSTATE_END_OF_LIST()
    }
};

/* --- Fault injection ---------------------------------------------------- */

static int injection_post_load(void *opaque, int version_id)
{
    return pcm_injection_valid(opaque) ? 0 : -EINVAL;
}

static const VMStateDescription vmstate_injection = {
    .name = "pcmaster/injection",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = injection_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(irq_delay, PcmInjection),
        VMSTATE_UINT32(irq_lose, PcmInjection),
        VMSTATE_UINT32(irq_repeat, PcmInjection),
        VMSTATE_UINT32(stuck, PcmInjection),
        VMSTATE_UINT32(requesters, PcmInjection),
        VMSTATE_UINT32(flip, PcmInjection),
        VMSTATE_UINT32(flip_offset, PcmInjection),
        VMSTATE_UINT32(flip_mask, PcmInjection),
        VMSTATE_UINT32(cut, PcmInjection),
        VMSTATE_UINT32(cut_length, PcmInjection),
        VMSTATE_UINT32(silence, PcmInjection),
        VMSTATE_UINT32(stuck_logged, PcmInjection),
        VMSTATE_UINT64_ARRAY(shown, PcmInjection, PCM_STREAM_COUNT),
        VMSTATE_END_OF_LIST()
    }
};

/* --- Exerciser ---------------------------------------------------------- */

static const VMStateDescription vmstate_finding = {
    .name = "pcmaster/finding",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(fault, PcmFinding),
        VMSTATE_UINT64(expected, PcmFinding),
        VMSTATE_UINT64(actual, PcmFinding),
        VMSTATE_END_OF_LIST()
    }
};

/* A route that wraps at a boundary must have one. */
static int dma_post_load(void *opaque, int version_id)
{
    PcmDma *d = opaque;

    if ((d->route.wrap_boundary && d->route.mask == UINT64_MAX) ||
        !pcm_policies_valid(d->policy)) {
        return -EINVAL;
    }
    return d->checked <= d->t.length &&
           d->t.requester == PCM_REQUESTER_EXERCISER ? 0 : -EINVAL;
}

static const VMStateDescription vmstate_dma = {
    .name = "pcmaster/dma",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = dma_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(t.address, PcmDma),
        VMSTATE_UINT64(t.anchor, PcmDma),
        VMSTATE_UINT32(t.extent, PcmDma),
        VMSTATE_UINT32(t.length, PcmDma),
        VMSTATE_UINT64(t.pc, PcmDma),
        VMSTATE_BOOL(t.write, PcmDma),
        VMSTATE_UINT8(t.requester, PcmDma),
        VMSTATE_UINT64(route.last, PcmDma),
        VMSTATE_UINT64(route.mask, PcmDma),
        VMSTATE_UINT64(route.anchor, PcmDma),
        VMSTATE_UINT32(route.shift, PcmDma),
        VMSTATE_UINT32(route.count, PcmDma),
        VMSTATE_BOOL(route.wrap_limit, PcmDma),
        VMSTATE_BOOL(route.wrap_boundary, PcmDma),
        VMSTATE_STRUCT_ARRAY(finding, PcmDma, PCM_RULE_COUNT, 1,
                             vmstate_finding, PcmFinding),
        VMSTATE_UINT32(node, PcmDma),
        VMSTATE_UINT32(policy, PcmDma),
        VMSTATE_UINT32(checked, PcmDma),
        VMSTATE_UINT32(moved, PcmDma),
        VMSTATE_UINT32(pieces, PcmDma),
        VMSTATE_UINT64_ARRAY(touched, PcmDma, PCM_NODES_MAX / 64 + 1),
        VMSTATE_UINT32(cut, PcmDma),
        VMSTATE_BOOL(flipped, PcmDma),
        VMSTATE_UINT16(broken, PcmDma),
        VMSTATE_BOOL(aborted, PcmDma),
        VMSTATE_END_OF_LIST()
    }
};

static int exerciser_post_load(void *opaque, int version_id)
{
    PcmExerciser *e = opaque;

    if (e->phase >= PCM_EX_PHASES || e->result > PCM_EX_NO_BUS_MASTER) {
        return -EINVAL;
    }
    if (e->phase == PCM_EX_IDLE) {
        return 0;
    }
    e->dma.places = &e->places;
    return pcm_exerciser_knows(e->command) &&
           e->offset % 8 == 0 && e->offset < e->dma.t.length ? 0 : -EINVAL;
}

static bool exerciser_is_busy(void *opaque, int version_id)
{
    PcmExerciser *e = opaque;

    return e->phase != PCM_EX_IDLE;
}

static const VMStateDescription vmstate_exerciser = {
    .name = "pcmaster/exerciser",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = exerciser_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(address, PcmExerciser),
        VMSTATE_UINT64(seed, PcmExerciser),
        VMSTATE_UINT32(length, PcmExerciser),
        VMSTATE_UINT32(result, PcmExerciser),
        VMSTATE_UINT32(done, PcmExerciser),
        VMSTATE_UINT32(mismatches, PcmExerciser),
        VMSTATE_UINT32(first_mismatch, PcmExerciser),
        VMSTATE_UINT32(mismatch_bytes, PcmExerciser),
        VMSTATE_UINT32(checksum, PcmExerciser),
        VMSTATE_UINT32(places.nodeless, PcmExerciser),
        VMSTATE_UINT64_ARRAY(places.node_bytes, PcmExerciser,
                             PCM_NODES_MAX),
        VMSTATE_UINT8(phase, PcmExerciser),
        VMSTATE_UINT32(command, PcmExerciser),
        VMSTATE_UINT32(offset, PcmExerciser),
        VMSTATE_UINT64(first_word, PcmExerciser),
        VMSTATE_STRUCT_TEST(dma, PcmExerciser, exerciser_is_busy, 1,
                            vmstate_dma, PcmDma),
        VMSTATE_TIMER(timer, PcmExerciser),
        VMSTATE_END_OF_LIST()
    }
};

/* --- Streams ------------------------------------------------------------ */

static const VMStateDescription vmstate_setup = {
    .name = "pcmaster/setup",
    .version_id = 2,
    .minimum_version_id = 2,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(format, PcmStreamSetup),
        VMSTATE_UINT32(rate, PcmStreamSetup),
        VMSTATE_UINT32(length, PcmStreamSetup),
        VMSTATE_UINT32(period, PcmStreamSetup),
        VMSTATE_UINT32(fragments, PcmStreamSetup),
        VMSTATE_UINT32(slack, PcmStreamSetup),
        VMSTATE_UINT64(buffer, PcmStreamSetup),
        VMSTATE_UINT64(writeback, PcmStreamSetup),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_fragment = {
    .name = "pcmaster/fragment",
    .version_id = 2,
    .minimum_version_id = 2,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(address, PcmFragment),
        VMSTATE_UINT32(length, PcmFragment),
        VMSTATE_UINT32(offset, PcmFragment),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_ring = {
    .name = "pcmaster/ring",
    .version_id = 2,
    .minimum_version_id = 2,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(count, PcmRing),
        VMSTATE_STRUCT_ARRAY(fragment, PcmRing, PCM_S_FRAGMENTS_MAX, 2,
                             vmstate_fragment, PcmFragment),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_fifo = {
    .name = "pcmaster/fifo",
    .version_id = 2,
    .minimum_version_id = 2,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(size, PcmFifo),
        VMSTATE_UINT32(head, PcmFifo),
        VMSTATE_UINT32(used, PcmFifo),
        VMSTATE_BUFFER(data, PcmFifo),
        VMSTATE_END_OF_LIST()
    }
};

/* Can it be the FIFO of a stream with frames of @frame bytes? */
static bool fifo_is_valid(const PcmFifo *f, uint32_t frame)
{
    return f->size == QEMU_ALIGN_DOWN(PCM_FIFO_BYTES, frame) &&
           f->head < f->size && f->head % frame == 0 &&
           f->used <= f->size && f->used % frame == 0;
}

/* Do the registers hold nothing but what they can? */
static bool stream_registers_valid(const PcmStream *p)
{
    return !(p->status & ~PCM_S_EVENTS) && !(p->int_enable & ~PCM_S_EVENTS) &&
           p->cause <= PCM_S_CAUSE_LIST &&
           !(p->volume & ~(PCM_S_VOLUME_FULL | PCM_S_MUTE));
}

/* The next interrupt is at most a period away. */
static bool next_period_valid(const PcmStream *p)
{
    return !p->now.period ||
           (p->next_period && p->next_period % p->now.period == 0 &&
            p->next_period <= p->position + p->now.period);
}

static int stream_post_load(void *opaque, int version_id)
{
    PcmStream *p = opaque;

    if (p->phase >= PCM_STREAM_PHASES || p->position > INT64_MAX ||
        p->start_ns < 0 || p->paused_ns < 0 || p->fed_ns < 0 ||
        p->deliveries > PCM_DELIVERIES || !stream_registers_valid(p)) {
        return -EINVAL;
    }
    p->ring.at = 0;
    if (p->phase == PCM_STREAM_STOPPED) {
        /* The next start makes new ones. */
        p->fifo.used = 0;
        p->now.rate = 0;
        return 0;
    }
    if (p->phase == PCM_STREAM_PAUSED && p->paused_ns < p->start_ns) {
        return -EINVAL;
    }
    return (pcm_stream_is_active(p) || !p->capture) &&
           pcm_stream_check_setup(p->device, &p->now) == PCM_S_CAUSE_NONE &&
           pcm_ring_is_valid(&p->ring, &p->now) &&
           next_period_valid(p) &&
           fifo_is_valid(&p->fifo, pcm_frame_bytes(&p->now)) ? 0 : -EINVAL;
}

/* Structures within others have no fields by version, only subsections. */
static bool ready_at_needed(void *opaque)
{
    PcmStream *p = opaque;

    return p->next.ready_at || p->now.ready_at;
}

static const VMStateDescription vmstate_ready_at = {
    .name = "pcmaster/stream/ready-at",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = ready_at_needed,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT64(next.ready_at, PcmStream),
        VMSTATE_UINT64(now.ready_at, PcmStream),
        VMSTATE_END_OF_LIST()
    }
};

static const VMStateDescription vmstate_stream = {
    .name = "pcmaster/stream",
    .version_id = 2,
    .minimum_version_id = 2,
    .post_load = stream_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(next, PcmStream, 2, vmstate_setup, PcmStreamSetup),
        VMSTATE_UINT32(status, PcmStream),
        VMSTATE_UINT32(int_enable, PcmStream),
        VMSTATE_UINT32(cause, PcmStream),
        VMSTATE_UINT32(lost, PcmStream),
        VMSTATE_UINT32(xruns, PcmStream),
        VMSTATE_UINT32(position_high, PcmStream),
        VMSTATE_UINT32(end_low, PcmStream),
        VMSTATE_UINT32(ready_low, PcmStream),
        VMSTATE_UINT32(volume, PcmStream),
        VMSTATE_UINT64(end, PcmStream),
        VMSTATE_UINT64(ready, PcmStream),
        VMSTATE_BOOL(self_clear, PcmStream),
        VMSTATE_UINT8(phase, PcmStream),
        VMSTATE_STRUCT(now, PcmStream, 2, vmstate_setup, PcmStreamSetup),
        VMSTATE_STRUCT(ring, PcmStream, 2, vmstate_ring, PcmRing),
        VMSTATE_UINT64(pc, PcmStream),
        VMSTATE_INT64(start_ns, PcmStream),
        VMSTATE_INT64(paused_ns, PcmStream),
        VMSTATE_INT64(fed_ns, PcmStream),
        VMSTATE_UINT64(position, PcmStream),
        VMSTATE_UINT64(next_period, PcmStream),
        VMSTATE_UINT8(deliveries, PcmStream),
        VMSTATE_BOOL(delivered, PcmStream),
        VMSTATE_STRUCT(fifo, PcmStream, 2, vmstate_fifo, PcmFifo),
        VMSTATE_TIMER(timer, PcmStream),
        VMSTATE_END_OF_LIST()
    },
    .subsections = (const VMStateDescription * const []) {
        &vmstate_ready_at,
        NULL
    }
};

/* --- Interrupt ---------------------------------------------------------- */

static int irq_post_load(void *opaque, int version_id)
{
    PcmIrq *irq = opaque;
    uint32_t last = irq->vector;

    for (unsigned i = 0; i < PCM_STREAM_COUNT; i++) {
        last = MAX(last, irq->stream_vector[i]);
    }
    return last < PCM_VECTORS && !((irq->due | irq->late) >> PCM_VECTORS) ?
           0 : -EINVAL;
}

static const VMStateDescription vmstate_irq = {
    .name = "pcmaster/irq",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = irq_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(vector, PcmIrq),
        VMSTATE_UINT32_ARRAY(stream_vector, PcmIrq, PCM_STREAM_COUNT),
        VMSTATE_UINT32(pending, PcmIrq),
        VMSTATE_UINT32_ARRAY(stream_pending, PcmIrq, PCM_STREAM_COUNT),
        VMSTATE_UINT32(due, PcmIrq),
        VMSTATE_BOOL(raised, PcmIrq),
        VMSTATE_UINT32(late, PcmIrq),
        VMSTATE_INT64_ARRAY(late_ns, PcmIrq, PCM_VECTORS),
        VMSTATE_UINT32(repeated, PcmIrq),
        VMSTATE_BOOL(line_again, PcmIrq),
        VMSTATE_TIMER(timer, PcmIrq),
        VMSTATE_TIMER(late_timer, PcmIrq),
        VMSTATE_END_OF_LIST()
    }
};

/* --- The device --------------------------------------------------------- */

static int pcmaster_post_load(void *opaque, int version_id)
{
    PcmasterState *s = opaque;

    pcm_port_update_windows(s);
    if (!pcm_port_registers_valid(s) || !pcm_device_registers_valid(s)) {
        return -EINVAL;
    }
    return pcm_effort_is_valid(s) && pcm_streams_arrive(s) ? 0 : -EINVAL;
}

const VMStateDescription vmstate_pcmaster = {
    .name = TYPE_PCMASTER,
    .version_id = 3,
    .minimum_version_id = 2,
    .post_load = pcmaster_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_PCI_DEVICE(parent_obj, PcmasterState),
        VMSTATE_MSIX(parent_obj, PcmasterState),
        VMSTATE_UINT32(int_status, PcmasterState),
        VMSTATE_UINT32(int_enable, PcmasterState),
        VMSTATE_UINT32(addr_bits, PcmasterState),
        VMSTATE_UINT32(align, PcmasterState),
        VMSTATE_UINT32(grain, PcmasterState),
        VMSTATE_UINT32(burst, PcmasterState),
        VMSTATE_UINT32(node, PcmasterState),
        VMSTATE_UINT32(policy, PcmasterState),
        VMSTATE_UINT64(limit, PcmasterState),
        VMSTATE_UINT64(boundary, PcmasterState),
        VMSTATE_STRUCT_ARRAY(windows, PcmasterState, PCM_WINDOW_COUNT, 1,
                             vmstate_window, PcmWindow),
        VMSTATE_STRUCT(log, PcmasterState, 1, vmstate_log, PcmLog),
        VMSTATE_STRUCT(accounting, PcmasterState, 1, vmstate_accounting,
                       PcmAccounting),
        VMSTATE_STRUCT(injection, PcmasterState, 1, vmstate_injection,
                       PcmInjection),
        VMSTATE_STRUCT(exerciser, PcmasterState, 1, vmstate_exerciser,
                       PcmExerciser),
        VMSTATE_UINT8_EQUAL(playback, PcmasterState, NULL),
        VMSTATE_UINT8_EQUAL(capture, PcmasterState, NULL),
        VMSTATE_ARRAY_OF_POINTER_TO_STRUCT(streams, PcmasterState,
                                           PCM_STREAM_COUNT, 2,
                                           vmstate_stream, PcmStream),
        VMSTATE_UINT32(effort, PcmasterState),
        VMSTATE_INT64(effort_ms, PcmasterState),
        VMSTATE_STRUCT(irq, PcmasterState, 1, vmstate_irq, PcmIrq),
        VMSTATE_END_OF_LIST()
    }
};
