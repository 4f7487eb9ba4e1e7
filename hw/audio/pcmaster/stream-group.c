/*
 * pcmaster: starting and stopping streams, alone or together
 *
 * What one write asks for happens to all streams at one instant.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/log.h"
#include "stream.h"
#include "trace.h"

/* --- Starting ----------------------------------------------------------- */

/*
 * A start that has been asked for.  Until all of its streams have passed,
 * none is changed: what plays out of a former run still needs its set-up.
 */
typedef struct Request {
    uint64_t pc;                /* of the guest that asks */
    PcmRing *rings;             /* by stream */
} Request;

/* Returns: why the stream cannot be started, as far as its registers tell. */
static uint32_t check(PcmStream *p, Request *r)
{
    uint32_t cause = pcm_stream_check_setup(p->device, &p->next);

    if (cause == PCM_S_CAUSE_NONE && !pcmaster_can_do_dma(p->device)) {
        cause = PCM_S_CAUSE_DMA;
    }
    return cause;
}

static uint32_t read_ring(PcmStream *p, Request *r)
{
    return pcm_ring_read(p, &p->next, &r->rings[p->number], r->pc);
}

static uint32_t open_voice(PcmStream *p, Request *r)
{
    return pcm_voice_open(p, &p->next) ? PCM_S_CAUSE_NONE :
                                         PCM_S_CAUSE_BACKEND;
}

/* What still plays out goes on, in its own format. */
static void restore_voice(PcmStream *p)
{
    if (p->phase != PCM_STREAM_STOPPED) {
        pcm_voice_open(p, &p->now);
        pcm_playback_end(p);
    }
}

/* A new run, or an attempt at one. */
static void clear(PcmStream *p)
{
    p->status = 0;
    p->cause = PCM_S_CAUSE_NONE;
    p->lost = 0;
    p->xruns = 0;
    p->position = 0;
    p->news = false;
}

static void refuse(PcmStream *p, uint32_t cause)
{
    qemu_log_mask(LOG_GUEST_ERROR, "pcmaster: stream %u cannot start, "
                  "cause %" PRIu32 "\n", p->number, cause);
    trace_pcmaster_stream_refuse(p->number, cause);
    clear(p);
    p->cause = cause;
    /* What plays out is no longer the run that S_STATUS is about. */
    if (p->phase == PCM_STREAM_DRAINING) {
        p->phase = PCM_STREAM_FLUSHING;
    }
    p->now.writeback = 0;
    pcm_stream_tell(p, PCM_S_ERROR);
}

/* Let time pass for the stream. */
static void go(PcmStream *p, int64_t now)
{
    p->phase = PCM_STREAM_RUNNING;
    p->fed_ns = now;
    pcm_voice_set_active(p, true);
    pcm_stream_arm(p, now);
}

static void take_over(PcmStream *p, const Request *r)
{
    if (p->next.format != p->now.format || p->next.rate != p->now.rate) {
        pcm_playback_discard(p);
        pcm_fifo_init(&p->fifo, pcm_frame_bytes(&p->next));
    }
    p->now = p->next;
    p->ring = r->rings[p->number];
    p->pc = r->pc;
    if (p->now.ready_at) {
        p->ready = p->ready_low = 0;
    }
}

static void start(PcmStream *p, const Request *r, int64_t now, bool paused)
{
    take_over(p, r);
    clear(p);
    trace_pcmaster_stream_start(p->number, p->now.format, p->now.rate,
                                p->now.buffer, p->now.length);
    p->start_ns = now;
    p->next_period = p->now.period;
    if (p->capture) {
        pcm_capture_discard(p);
    }
    if (paused) {
        p->phase = PCM_STREAM_PAUSED;
        p->paused_ns = now;
        pcm_voice_set_active(p, false);
        pcm_stream_tell(p, 0);
    } else {
        go(p, now);
    }
}

/* Returns: a bit for each stream that is in one of @phases. */
static uint32_t streams_in(const PcmasterState *s, uint32_t phases)
{
    uint32_t mask = 0;

    for (unsigned i = 0; i < s->stream_count; i++) {
        if (BIT(s->streams[i]->phase) & phases) {
            mask |= BIT(i);
        }
    }
    return mask;
}

/*
 * Put each of @mask's streams to @test.
 * Returns: true if all passed; the others know why.
 */
static bool all_pass(PcmasterState *s, uint32_t mask, Request *r,
                     uint32_t (*test)(PcmStream *p, Request *r))
{
    bool passed = true;

    for (unsigned i = 0; i < s->stream_count; i++) {
        if (mask & BIT(i)) {
            uint32_t cause = test(s->streams[i], r);

            if (cause != PCM_S_CAUSE_NONE) {
                refuse(s->streams[i], cause);
                passed = false;
            }
        }
    }
    return passed;
}

/* Those that have nothing to lose come first. */
static bool all_open(PcmasterState *s, uint32_t mask, Request *r)
{
    uint32_t idle = streams_in(s, BIT(PCM_STREAM_STOPPED)) & mask;

    if (all_pass(s, idle, r, open_voice) &&
        all_pass(s, mask & ~idle, r, open_voice)) {
        return true;
    }
    for (unsigned i = 0; i < s->stream_count; i++) {
        if (mask & BIT(i)) {
            restore_voice(s->streams[i]);
        }
    }
    return false;
}

void pcm_streams_start(PcmasterState *s, uint32_t mask, bool paused)
{
    const int64_t now = pcm_now_ns();
    g_autofree PcmRing *rings = g_new0(PcmRing, s->stream_count);
    Request r = { .pc = pcm_doorbell_pc(), .rings = rings };

    mask &= ~streams_in(s, BIT(PCM_STREAM_RUNNING) | BIT(PCM_STREAM_PAUSED));
    if (!all_pass(s, mask, &r, check) || !all_pass(s, mask, &r, read_ring) ||
        !all_open(s, mask, &r)) {
        return;
    }
    for (unsigned i = 0; i < s->stream_count; i++) {
        if (mask & BIT(i)) {
            start(s->streams[i], &r, now, paused);
        }
    }
    pcmaster_irq_update(s);
}

/* --- Stopping ----------------------------------------------------------- */

static void stop(PcmStream *p, int64_t now)
{
    pcm_stream_catch_up(p, now);
    if (pcm_stream_is_active(p)) {
        pcm_stream_halt(p, PCM_STREAM_FLUSHING, PCM_S_CAUSE_NONE);
    }
}

static void pause_stream(PcmStream *p, int64_t now)
{
    pcm_stream_catch_up(p, now);
    if (p->phase != PCM_STREAM_RUNNING) {
        return;
    }
    timer_del(&p->timer);
    p->phase = PCM_STREAM_PAUSED;
    p->paused_ns = now;
    pcm_voice_set_active(p, false);
    trace_pcmaster_stream_pause(p->number, p->position);
    pcm_stream_tell(p, 0);
}

/*
 * What is on its way to a listener belongs there only if its source paused
 * and resumed with it.
 */
static bool is_still_heard(const PcmStream *p, int64_t now)
{
    const PcmStream *source = p->capture ? pcm_capture_source(p) : NULL;

    return source && source->phase == PCM_STREAM_RUNNING &&
           source->paused_ns == p->paused_ns && source->fed_ns == now;
}

static void resume_stream(PcmStream *p, int64_t now)
{
    if (p->phase == PCM_STREAM_PAUSED) {
        if (p->capture && pcm_capture_source(p)) {
            /* What it has played in the meantime is not for this listener. */
            pcm_stream_catch_up(pcm_capture_source(p), now);
        }
        trace_pcmaster_stream_resume(p->number, p->position);
        p->start_ns += now - p->paused_ns;
        if (p->capture && !is_still_heard(p, now)) {
            pcm_capture_discard(p);
        }
        go(p, now);
    }
}

static void for_each(PcmasterState *s, uint32_t mask,
                     void (*act)(PcmStream *p, int64_t now))
{
    const int64_t now = pcm_now_ns();

    for (unsigned i = 0; i < s->stream_count; i++) {
        if (mask & BIT(i)) {
            act(s->streams[i], now);
        }
    }
}

void pcm_streams_stop(PcmasterState *s, uint32_t mask)
{
    for_each(s, mask, stop);
}

void pcm_streams_pause(PcmasterState *s, uint32_t mask)
{
    for_each(s, mask, pause_stream);
}

void pcm_streams_resume(PcmasterState *s, uint32_t mask)
{
    for_each(s, mask, resume_stream);
}
