/*
 * pcmaster: states, time and events of a stream
 *
 * The position is a function of the virtual clock alone.  Whoever is about to
 * see it has the frames before it transferred first: a read of the register,
 * the timer of period and end, the back end.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/host-utils.h"
#include "stream.h"
#include "trace.h"

/* Shorter periods than this share an interrupt. */
#define PCM_PERIOD_MIN_NS       (125 * SCALE_US)
/* So that nobody finds more to be done at once than this makes. */
#define PCM_UNSEEN_MAX_NS       (500 * SCALE_MS)

uint32_t pcm_stream_check_setup(const PcmasterState *s,
                                const PcmStreamSetup *setup)
{
    if (!pcm_voice_knows(s, setup)) {
        return PCM_S_CAUSE_FORMAT;
    }
    if (!setup->length || setup->length % pcm_frame_bytes(setup) ||
        setup->writeback % 8 || setup->ready_at % 8) {
        return PCM_S_CAUSE_BUFFER;
    }
    if (setup->fragments > PCM_S_FRAGMENTS_MAX) {
        return PCM_S_CAUSE_LIST;
    }
    return PCM_S_CAUSE_NONE;
}

/* --- Time --------------------------------------------------------------- */

uint64_t pcm_stream_due(const PcmStream *p, int64_t now)
{
    uint64_t frames = 0;

    if (now > p->start_ns) {
        frames = muldiv64(now - p->start_ns, p->now.rate,
                          NANOSECONDS_PER_SECOND);
    }
    return p->end && frames > p->end ? p->end : frames;
}

/* When @frames will have passed; INT64_MAX if the clock ends earlier. */
static int64_t time_of_frames(const PcmStream *p, uint64_t frames)
{
    uint64_t most = muldiv64(INT64_MAX - MAX(p->start_ns, 0), p->now.rate,
                             NANOSECONDS_PER_SECOND);

    if (frames >= most) {
        return INT64_MAX;
    }
    return p->start_ns + muldiv64_round_up(frames, NANOSECONDS_PER_SECOND,
                                           p->now.rate);
}

void pcm_stream_arm(PcmStream *p, int64_t now)
{
    int64_t next = now + PCM_UNSEEN_MAX_NS;

    if (p->now.period) {
        int64_t period = MIN(time_of_frames(p, p->next_period),
                             INT64_MAX - p->now.slack) + p->now.slack;

        if (muldiv64(p->now.period, NANOSECONDS_PER_SECOND, p->now.rate) <
            PCM_PERIOD_MIN_NS) {
            period = MAX(period, now + PCM_PERIOD_MIN_NS);
        }
        next = MIN(next, period);
    }
    if (p->end) {
        next = MIN(next, time_of_frames(p, p->end));
    }
    timer_mod(&p->timer, next);
}

/* --- Events ------------------------------------------------------------- */

uint32_t pcm_stream_status(const PcmStream *p)
{
    return p->status |
           (pcm_stream_is_active(p) ? PCM_S_RUNNING : 0) |
           (p->phase == PCM_STREAM_PAUSED ? PCM_S_PAUSED : 0);
}

static void note_error(PcmStream *p, uint32_t cause)
{
    p->cause = cause;
    p->status |= PCM_S_ERROR;
}

void pcm_stream_publish(PcmStream *p)
{
    if (!p->news) {
        return;
    }
    p->news = false;
    if (p->now.writeback && !pcm_writeback(p)) {
        p->now.writeback = 0;
        note_error(p, PCM_S_CAUSE_DMA);
        pcm_stream_fail(p, PCM_S_CAUSE_DMA);
    }
    pcmaster_irq_update(p->device);
}

void pcm_stream_tell(PcmStream *p, uint32_t bits)
{
    p->status |= bits;
    p->news = true;
    pcm_stream_publish(p);
}

void pcm_stream_miss(PcmStream *p, uint64_t frames, uint32_t bit)
{
    uint32_t *count = bit == PCM_S_XRUN ? &p->xruns : &p->lost;

    trace_pcmaster_stream_miss(p->number, p->position, frames,
                               bit == PCM_S_XRUN ? "driver" : "back end");
    *count += MIN(frames, UINT32_MAX - *count);
    p->status |= bit;
    p->news = true;
}

void pcm_stream_lose(PcmStream *p, uint64_t frames, uint32_t bit)
{
    pcm_stream_miss(p, frames, bit);
    p->position += frames;
}

void pcm_stream_halt(PcmStream *p, PcmStreamPhase phase, uint32_t cause)
{
    timer_del(&p->timer);
    p->phase = phase;
    if (cause != PCM_S_CAUSE_NONE) {
        note_error(p, cause);
    }
    p->news = true;
    trace_pcmaster_stream_stop(p->number, p->position, cause);
    if (p->capture) {
        pcm_capture_end(p);
    } else {
        pcm_playback_end(p);
    }
    pcm_stream_publish(p);
}

void pcm_stream_fail(PcmStream *p, uint32_t cause)
{
    if (pcm_stream_is_active(p)) {
        pcm_stream_halt(p, PCM_STREAM_FLUSHING, cause);
    }
}

/* --- The present -------------------------------------------------------- */

void pcm_stream_catch_up(PcmStream *p, int64_t now)
{
    uint64_t due;
    bool ok;

    if (p->phase != PCM_STREAM_RUNNING) {
        return;
    }
    due = pcm_stream_due(p, now);
    if (due > p->position + p->now.rate) {
        pcm_stream_lose(p, due - p->position - p->now.rate, PCM_S_LATE);
    }
    /* Frames that XRUN keeps from the bus do not go on without it, either. */
    ok = (due <= p->position || pcmaster_can_do_dma(p->device)) &&
         (p->capture ? pcm_capture_advance(p, due, now) :
                       pcm_playback_advance(p, due, now));
    if (p->phase != PCM_STREAM_RUNNING) {
        return;
    }
    if (p->now.period && p->position >= p->next_period) {
        p->next_period = QEMU_ALIGN_DOWN(p->position, p->now.period) +
                         p->now.period;
        p->status |= PCM_S_PERIOD;
        p->news = true;
        trace_pcmaster_stream_period(p->number, p->position);
        pcm_stream_arm(p, now);
    }
    if (!ok) {
        pcm_stream_halt(p, PCM_STREAM_FLUSHING, PCM_S_CAUSE_DMA);
    } else if (p->end && p->position >= p->end) {
        pcm_stream_halt(p, PCM_STREAM_DRAINING, PCM_S_CAUSE_NONE);
    } else {
        pcm_stream_publish(p);
    }
}

static void on_timer(void *opaque)
{
    PcmStream *p = opaque;
    bool was_guarded = pcmaster_guard(p->device);
    int64_t now = pcm_now_ns();

    pcm_stream_catch_up(p, now);
    if (p->phase == PCM_STREAM_RUNNING) {
        pcm_stream_arm(p, now);
    } else if (!pcm_stream_is_active(p) && p->phase != PCM_STREAM_STOPPED) {
        pcm_playback_end(p);
    }
    pcmaster_unguard(p->device, was_guarded);
}

uint64_t pcm_stream_position(PcmStream *p)
{
    pcm_stream_catch_up(p, pcm_now_ns());
    return p->position;
}

void pcm_stream_set_end(PcmStream *p, uint64_t end)
{
    int64_t now = pcm_now_ns();

    pcm_stream_catch_up(p, now);
    p->end = end;
    pcm_stream_catch_up(p, now);
    if (p->phase == PCM_STREAM_RUNNING) {
        pcm_stream_arm(p, now);
    }
}

void pcm_stream_set_ready(PcmStream *p, uint64_t ready)
{
    pcm_stream_catch_up(p, pcm_now_ns());
    p->ready = ready;
}

void pcm_stream_told(PcmStream *p)
{
    if (p->self_clear) {
        p->status &= ~PCM_S_PERIOD;
    }
}

/* --- Life --------------------------------------------------------------- */

void pcm_streams_init(PcmasterState *s)
{
    s->stream_count = s->playback + s->capture;
    for (unsigned i = 0; i < s->stream_count; i++) {
        PcmStream *p = g_new0(PcmStream, 1);

        p->device = s;
        p->number = i;
        p->capture = i >= s->playback;
        timer_init_ns(&p->timer, QEMU_CLOCK_VIRTUAL, on_timer, p);
        s->streams[i] = p;
    }
}

/* All but what belongs to the life of the device, not to a run, is 0. */
static void reset(PcmStream *p)
{
    timer_del(&p->timer);
    pcm_playback_discard(p);
    pcm_voice_set_active(p, false);
    p->phase = PCM_STREAM_STOPPED;
    p->news = false;
    p->next = (PcmStreamSetup) { };
    p->now = (PcmStreamSetup) { };
    p->status = 0;
    p->int_enable = 0;
    p->cause = PCM_S_CAUSE_NONE;
    p->lost = 0;
    p->xruns = 0;
    p->position = 0;
    p->position_high = 0;
    p->end_low = 0;
    p->end = 0;
    p->ready_low = UINT32_MAX;
    p->ready = PCM_S_READY_UNTOLD;
    p->volume = PCM_S_VOLUME_FULL;
    p->self_clear = false;
    p->next_period = 0;
    pcm_voice_set_volume(p);
}

void pcm_streams_reset(PcmasterState *s)
{
    pcm_effort_reset(s);
    for (unsigned i = 0; i < s->stream_count; i++) {
        reset(s->streams[i]);
    }
}

/* Returns: false if there must be a back end, and is none. */
static bool arrive(PcmStream *p)
{
    if (p->phase == PCM_STREAM_STOPPED) {
        return true;
    }
    p->voice_rate = 0;
    if (!pcm_voice_open(p, &p->now)) {
        error_report("pcmaster: stream %u was playing, but no audio "
                     "back end opens here", p->number);
        return false;
    }
    pcm_voice_set_active(p, p->phase != PCM_STREAM_PAUSED);
    if (!p->capture && !p->voice) {
        pcm_playback_discard(p);
        if (!pcm_stream_is_active(p)) {
            /* There is nobody to ask for the rest.  It ends with the clock. */
            timer_mod(&p->timer, pcm_now_ns());
        }
    }
    return true;
}

bool pcm_streams_arrive(PcmasterState *s)
{
    for (unsigned i = 0; i < s->stream_count; i++) {
        if (!arrive(s->streams[i])) {
            return false;
        }
    }
    return true;
}

void pcm_streams_exit(PcmasterState *s)
{
    for (unsigned i = 0; i < s->stream_count; i++) {
        timer_del(&s->streams[i]->timer);
        pcm_voice_close(s->streams[i]);
        g_free(s->streams[i]);
        s->streams[i] = NULL;
    }
    s->stream_count = 0;
}
