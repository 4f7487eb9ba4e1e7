/*
 * pcmaster: playback streams
 *
 * The position is a function of the virtual clock alone.  Whoever is about to
 * see it has the frames before it fetched first: a read of the register, the
 * timer of period and end, the back end asking for frames.  Frames wait in a
 * FIFO until the back end takes them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "qemu/log.h"
#include "pcmaster.h"
#include "trace.h"

#define PCM_S_CHANNELS_MAX      2

/* Shorter periods than this share an interrupt. */
#define PCM_PERIOD_MIN_NS       (125 * SCALE_US)
/* Pieces of memory looked up to bring a stream to the present. */
#define PCM_FETCH_PIECES        8192
/* Bytes moved between two looks at that; whole frames of every format. */
#define PCM_FETCH_STEP          1024
/* What a back end may hold back, besides two of its buffers. */
#define PCM_DRAIN_SLACK_NS      (100 * SCALE_MS)

static const struct {
    AudioFormat format;
    uint8_t bytes;
} samples[] = {
    [PCM_S_U8] = { AUDIO_FORMAT_U8, 1 },
    [PCM_S_S8] = { AUDIO_FORMAT_S8, 1 },
    [PCM_S_U16] = { AUDIO_FORMAT_U16, 2 },
    [PCM_S_S16] = { AUDIO_FORMAT_S16, 2 },
    [PCM_S_U32] = { AUDIO_FORMAT_U32, 4 },
    [PCM_S_S32] = { AUDIO_FORMAT_S32, 4 },
    [PCM_S_F32] = { AUDIO_FORMAT_F32, 4 },
};

static uint32_t sample_kind(uint32_t format)
{
    return format & 0xff;
}

static uint32_t channels(uint32_t format)
{
    return format >> 8;
}

static uint32_t frame_bytes(const PcmStreamSetup *setup)
{
    return samples[sample_kind(setup->format)].bytes *
           channels(setup->format);
}

static int64_t now_ns(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

uint32_t pcm_stream_check_setup(const PcmStreamSetup *setup)
{
    uint32_t n = channels(setup->format);

    if (sample_kind(setup->format) >= ARRAY_SIZE(samples) ||
        n < 1 || n > PCM_S_CHANNELS_MAX ||
        setup->rate < PCM_S_RATE_MIN || setup->rate > PCM_S_RATE_MAX) {
        return PCM_S_CAUSE_FORMAT;
    }
    if (!setup->length || setup->length % frame_bytes(setup)) {
        return PCM_S_CAUSE_BUFFER;
    }
    return PCM_S_CAUSE_NONE;
}

/* --- Time --------------------------------------------------------------- */

/* Frames that must have been played by @now. */
static uint64_t frames_due(const PcmStream *p, int64_t now)
{
    uint64_t frames = 0;

    if (now > p->start_ns) {
        frames = muldiv64(now - p->start_ns, p->now.rate,
                          NANOSECONDS_PER_SECOND);
    }
    return p->end && frames > p->end ? p->end : frames;
}

/* When @frames will have been played; INT64_MAX if the clock ends earlier. */
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

static void arm_timer(PcmStream *p)
{
    int64_t next = INT64_MAX;

    if (p->now.period) {
        next = time_of_frames(p, p->next_period);
        if (muldiv64(p->now.period, NANOSECONDS_PER_SECOND, p->now.rate) <
            PCM_PERIOD_MIN_NS) {
            next = MAX(next, now_ns() + PCM_PERIOD_MIN_NS);
        }
    }
    if (p->end) {
        next = MIN(next, time_of_frames(p, p->end));
    }
    if (next == INT64_MAX) {
        timer_del(&p->timer);
    } else {
        timer_mod(&p->timer, next);
    }
}

/* --- Phases ------------------------------------------------------------- */

/* The back end has all that this stream had for it. */
static void rest(PcmStream *p)
{
    bool drained = p->phase == PCM_STREAM_DRAINING;

    p->phase = PCM_STREAM_STOPPED;
    p->used = 0;
    if (p->voice) {
        AUD_set_active_out(p->voice, 0);
    }
    if (drained) {
        p->status |= PCM_S_DRAINED;
        trace_pcmaster_stream_drained(p->number, p->position);
        pcmaster_irq_update(p->device);
    }
}

static void stop(PcmStream *p, PcmStreamPhase phase, uint32_t cause)
{
    timer_del(&p->timer);
    p->phase = phase;
    if (cause != PCM_S_CAUSE_NONE) {
        p->cause = cause;
        p->status |= PCM_S_ERROR;
    }
    trace_pcmaster_stream_stop(p->number, p->position, cause);
    pcmaster_irq_update(p->device);
}

/* --- Fetching ----------------------------------------------------------- */

static void lose(PcmStream *p, uint64_t frames)
{
    trace_pcmaster_stream_overrun(p->number, p->position, frames);
    p->lost = MIN(frames, UINT32_MAX - p->lost) + p->lost;
    p->position += frames;
    p->status |= PCM_S_LATE;
    pcmaster_irq_update(p->device);
}

/*
 * Read up to @bytes into the FIFO.
 * @effort: pieces of memory that may be looked up; those that were are taken
 *          off.  What they do not suffice for is not read.
 * Returns: the number of bytes, or -1 if they cannot be had.
 */
static int32_t read_buffer(PcmStream *p, uint32_t offset, uint32_t bytes,
                           uint32_t *effort)
{
    PcmasterState *s = p->device;
    uint32_t done = 0;
    PcmDmaVerdict verdict;
    PcmDma dma;

    if (!pcmaster_is_bus_master(s)) {
        return -1;
    }
    pcm_dma_begin(s, &dma, (PcmTransaction) {
        .address = p->now.buffer + offset,
        .anchor = p->now.buffer,
        .extent = p->now.length,
        .length = bytes,
        .requester = p->number,
    });
    verdict = pcm_dma_check(s, &dma, *effort);
    if (verdict == PCM_DMA_ABORTED) {
        return -1;
    }
    while (verdict == PCM_DMA_GRANTED && done < bytes &&
           dma.pieces < *effort) {
        uint32_t step = MIN(bytes - done, PCM_FETCH_STEP);

        if (!pcm_dma_move(s, &dma, done, p->fifo + p->used + done, step)) {
            return -1;
        }
        done += step;
    }
    *effort -= MIN(*effort, dma.pieces);
    return done;
}

/* Returns: false if that stopped the stream. */
static bool fetch(PcmStream *p, uint64_t due)
{
    uint32_t size = frame_bytes(&p->now);
    uint32_t ring = p->now.length / size;
    uint32_t effort = PCM_FETCH_PIECES;

    while (p->position < due) {
        uint32_t at = p->position % ring;
        uint64_t frames = MIN(due - p->position, ring - at);
        uint32_t room = (PCM_FIFO_BYTES - p->used) / size;

        int32_t bytes;

        if (!room || !effort) {
            lose(p, due - p->position);
            break;
        }
        frames = MIN(frames, room);
        bytes = read_buffer(p, at * size, frames * size, &effort);
        if (bytes < 0) {
            stop(p, PCM_STREAM_FLUSHING, PCM_S_CAUSE_DMA);
            return false;
        }
        p->position += bytes / size;
        p->used += bytes;
    }
    return true;
}

/* Bring the stream to the present. */
static void catch_up(PcmStream *p)
{
    if (p->phase != PCM_STREAM_RUNNING || !fetch(p, frames_due(p, now_ns()))) {
        return;
    }
    if (p->now.period && p->position >= p->next_period) {
        p->next_period = QEMU_ALIGN_DOWN(p->position, p->now.period) +
                         p->now.period;
        p->status |= PCM_S_PERIOD;
        trace_pcmaster_stream_period(p->number, p->position);
        pcmaster_irq_update(p->device);
    }
    if (p->end && p->position >= p->end) {
        stop(p, PCM_STREAM_DRAINING, PCM_S_CAUSE_NONE);
    }
}

static void on_timer(void *opaque)
{
    PcmStream *p = opaque;
    bool was_guarded = pcmaster_guard(p->device);

    catch_up(p);
    if (p->phase == PCM_STREAM_RUNNING) {
        arm_timer(p);
    }
    pcmaster_unguard(p->device, was_guarded);
}

uint64_t pcm_stream_position(PcmStream *p)
{
    catch_up(p);
    return p->position;
}

/* --- The back end ------------------------------------------------------- */

/*
 * Has the back end played what it took?  It has when there is as much room as
 * there ever was.  Where several voices share a buffer that may never come to
 * pass, but then enough time does.
 */
static bool is_played(const PcmStream *p, uint32_t room)
{
    uint64_t frames = p->most_free / frame_bytes(&p->now);
    int64_t most_ns = muldiv64(2 * frames, NANOSECONDS_PER_SECOND,
                               p->now.rate) + PCM_DRAIN_SLACK_NS;

    return room >= p->most_free || now_ns() - p->fed_ns > most_ns;
}

/* Give the back end what is due, as far as its @room goes. */
static void feed(PcmStream *p, uint32_t room)
{
    uint32_t bytes;

    if (p->phase == PCM_STREAM_STOPPED) {
        return;
    }
    catch_up(p);
    p->most_free = MAX(p->most_free, room);
    if (!p->used) {
        if (p->phase != PCM_STREAM_RUNNING && is_played(p, room)) {
            rest(p);
        }
        return;
    }
    bytes = QEMU_ALIGN_DOWN(MIN(p->used, room), frame_bytes(&p->now));
    bytes = AUD_write(p->voice, p->fifo, bytes);
    if (bytes) {
        p->used -= bytes;
        memmove(p->fifo, p->fifo + bytes, p->used);
        p->fed_ns = now_ns();
    }
}

static void on_demand(void *opaque, int avail)
{
    PcmStream *p = opaque;
    bool was_guarded = pcmaster_guard(p->device);

    feed(p, MAX(avail, 0));
    pcmaster_unguard_later(p->device, was_guarded);
}

static void discard(PcmStream *p)
{
    if (p->used) {
        trace_pcmaster_stream_discard(p->number, p->used);
        p->used = 0;
    }
}

static bool open_voice(PcmStream *p)
{
    PcmasterState *s = p->device;
    g_autofree char *name = g_strdup_printf("pcmaster.%u", p->number);
    struct audsettings settings = {
        .freq = p->now.rate,
        .nchannels = channels(p->now.format),
        .fmt = samples[sample_kind(p->now.format)].format,
        .endianness = 0,
    };

    if (!s->audio_ready) {
        return false;
    }
    if (p->voice && p->voice_format == p->now.format &&
        p->voice_rate == p->now.rate) {
        return true;
    }
    p->voice = AUD_open_out(pcm_audio_handle(&s->audio), p->voice, name, p,
                            on_demand, &settings);
    p->voice_format = p->now.format;
    p->voice_rate = p->now.rate;
    p->most_free = 0;
    return p->voice;
}

/* --- Starting and stopping ---------------------------------------------- */

/* Returns: why the stream cannot be started. */
static uint32_t prepare(PcmStream *p)
{
    uint32_t cause = pcm_stream_check_setup(&p->next);

    if (cause != PCM_S_CAUSE_NONE) {
        return cause;
    }
    if (!pcmaster_is_bus_master(p->device)) {
        return PCM_S_CAUSE_DMA;
    }
    if (p->next.format != p->now.format || p->next.rate != p->now.rate) {
        discard(p);
    }
    p->now = p->next;
    if (!open_voice(p)) {
        discard(p);
        p->phase = PCM_STREAM_STOPPED;
        return PCM_S_CAUSE_BACKEND;
    }
    return PCM_S_CAUSE_NONE;
}

static void start(PcmStream *p)
{
    uint32_t cause = prepare(p);

    p->status = 0;
    p->cause = cause;
    p->lost = 0;
    p->position = 0;
    if (cause != PCM_S_CAUSE_NONE) {
        qemu_log_mask(LOG_GUEST_ERROR, "pcmaster: stream %u cannot start, "
                      "cause %" PRIu32 "\n", p->number, cause);
        trace_pcmaster_stream_refuse(p->number, cause);
        p->status = PCM_S_ERROR;
        if (p->phase == PCM_STREAM_DRAINING) {
            /* What plays out is no longer the run that S_STATUS is about. */
            p->phase = PCM_STREAM_FLUSHING;
        }
        pcmaster_irq_update(p->device);
        return;
    }
    trace_pcmaster_stream_start(p->number, p->now.format, p->now.rate,
                                p->now.buffer, p->now.length);
    p->phase = PCM_STREAM_RUNNING;
    p->start_ns = now_ns();
    p->fed_ns = p->start_ns;
    p->next_period = p->now.period;
    AUD_set_active_out(p->voice, 1);
    arm_timer(p);
    pcmaster_irq_update(p->device);
}

void pcm_stream_run(PcmStream *p, bool run)
{
    if (run && p->phase != PCM_STREAM_RUNNING) {
        start(p);
    } else if (!run && p->phase == PCM_STREAM_RUNNING) {
        catch_up(p);
        if (p->phase == PCM_STREAM_RUNNING) {
            stop(p, PCM_STREAM_FLUSHING, PCM_S_CAUSE_NONE);
        }
    }
}

void pcm_stream_set_end(PcmStream *p, uint64_t end)
{
    p->end = end;
    if (p->phase == PCM_STREAM_RUNNING) {
        arm_timer(p);
    }
}

bool pcm_stream_resume(PcmStream *p)
{
    if (p->phase == PCM_STREAM_STOPPED) {
        return true;
    }
    p->voice_rate = 0;
    if (!open_voice(p)) {
        return false;
    }
    AUD_set_active_out(p->voice, 1);
    return true;
}

void pcm_stream_init(PcmasterState *s, unsigned number)
{
    PcmStream *p = &s->streams[number];

    p->device = s;
    p->number = number;
    timer_init_ns(&p->timer, QEMU_CLOCK_VIRTUAL, on_timer, p);
}

void pcm_stream_reset(PcmStream *p)
{
    timer_del(&p->timer);
    discard(p);
    p->phase = PCM_STREAM_FLUSHING;
    rest(p);
    p->next = (PcmStreamSetup) { };
    p->now = (PcmStreamSetup) { };
    p->status = 0;
    p->int_enable = 0;
    p->cause = PCM_S_CAUSE_NONE;
    p->lost = 0;
    p->position = 0;
    p->position_high = 0;
    p->end_low = 0;
    p->end = 0;
    p->next_period = 0;
}

void pcm_stream_exit(PcmStream *p)
{
    timer_del(&p->timer);
    if (p->voice) {
        AUD_close_out(pcm_audio_handle(&p->device->audio), p->voice);
        p->voice = NULL;
    }
}
