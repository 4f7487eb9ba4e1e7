/*
 * pcmaster: capture, from the back end or a playback stream to the ring
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "stream.h"
#include "trace.h"

#define PCM_SILENCE_BYTES       4096

/* --- Into the ring ------------------------------------------------------ */

/* Returns: how many of @frames have been dealt with; -1: a rule forbids it. */
static int64_t write_frames(PcmStream *p, uint8_t *data, uint32_t frames,
                            int64_t now)
{
    uint64_t limit = pcm_ready_limit(p);
    int32_t done;

    if (limit <= p->position) {
        pcm_stream_lose(p, frames, PCM_S_XRUN);
        return frames;
    }
    done = pcm_ring_move(p, data, MIN(frames, limit - p->position), now);
    if (!done) {
        pcm_stream_lose(p, frames, PCM_S_LATE);
        return frames;
    }
    p->position += MAX(done, 0);
    return done;
}

static int64_t write_silence(PcmStream *p, uint64_t frames, int64_t now)
{
    uint8_t silence[PCM_SILENCE_BYTES];
    uint64_t most = sizeof(silence) / pcm_frame_bytes(&p->now);
    uint32_t counted = p->lost + p->xruns;
    int64_t done;

    frames = MIN(frames, most);
    pcm_silence(&p->now, silence, frames);
    done = write_frames(p, silence, frames, now);
    if (p->delivered && done > 0 && counted == p->lost + p->xruns) {
        pcm_stream_miss(p, done, PCM_S_LATE);
    }
    return done;
}

/* Write the frames before @end, with silence for those that are not there. */
static bool fill(PcmStream *p, uint64_t end, int64_t now)
{
    const uint32_t size = pcm_frame_bytes(&p->now);

    if (p->position < end && !pcm_ready_ask(p, end)) {
        return false;
    }
    while (p->position < end) {
        uint64_t frames = end - p->position;
        uint32_t bytes;
        uint8_t *data = pcm_fifo_peek(&p->fifo, &bytes);
        int64_t done;

        if (bytes && p->deliveries >= PCM_DELIVERIES) {
            done = write_frames(p, data, MIN(frames, bytes / size), now);
            pcm_fifo_drop(&p->fifo, MAX(done, 0) * size);
        } else {
            if (!bytes && !p->device->loopback) {
                p->deliveries = 0;
            }
            done = write_silence(p, frames, now);
        }
        if (done < 0) {
            return false;
        }
    }
    return true;
}

bool pcm_capture_advance(PcmStream *p, uint64_t due, int64_t now)
{
    PcmStream *source = pcm_capture_source(p);

    if (source) {
        pcm_stream_catch_up(source, now);
    }
    return p->phase != PCM_STREAM_RUNNING || fill(p, due, now);
}

void pcm_capture_discard(PcmStream *p)
{
    pcm_fifo_init(&p->fifo, pcm_frame_bytes(&p->now));
    p->delivered = false;
    p->deliveries = p->device->loopback ? PCM_DELIVERIES : 0;
}

void pcm_capture_end(PcmStream *p)
{
    if (p->phase == PCM_STREAM_DRAINING) {
        trace_pcmaster_stream_drained(p->number, p->position);
        p->status |= PCM_S_DRAINED;
    }
    p->phase = PCM_STREAM_STOPPED;
    pcm_voice_set_active(p, false);
    pcm_capture_discard(p);
}

/* --- From the back end -------------------------------------------------- */

void pcm_capture_take(PcmStream *p, uint32_t bytes)
{
    bool any = false;

    if (p->phase != PCM_STREAM_RUNNING) {
        return;
    }
    pcm_stream_catch_up(p, pcm_now_ns());
    while (p->phase == PCM_STREAM_RUNNING) {
        uint32_t room;
        uint8_t *to = pcm_fifo_room(&p->fifo, &room);

        room = QEMU_ALIGN_DOWN(MIN(room, bytes), pcm_frame_bytes(&p->now));
        room = room ? AUD_read(p->voice_in, to, room) : 0;
        if (!room) {
            break;
        }
        pcm_voice_swap(&p->now, to, room);
        pcm_fifo_put(&p->fifo, room);
        bytes -= room;
        any = true;
    }
    if (any) {
        p->deliveries = MIN(p->deliveries + 1, PCM_DELIVERIES);
        p->delivered |= p->deliveries == PCM_DELIVERIES;
    }
}

/* --- From a playback stream --------------------------------------------- */

PcmStream *pcm_capture_source(const PcmStream *p)
{
    const PcmasterState *s = p->device;
    unsigned partner = p->number - s->playback;

    return s->loopback && partner < s->playback ? s->streams[partner] : NULL;
}

PcmStream *pcm_capture_listener(const PcmStream *source)
{
    const PcmasterState *s = source->device;

    return s->loopback && source->number < s->capture ?
           s->streams[s->playback + source->number] : NULL;
}

static bool can_hear(const PcmStream *p, const PcmStream *source)
{
    return p->phase == PCM_STREAM_RUNNING &&
           p->now.format == source->now.format &&
           p->now.rate == source->now.rate;
}

/*
 * What to add to the number of a frame of @source to get the number it has
 * for its listener @p: no frame is wanted before it was played.
 */
static int64_t lag(const PcmStream *p, const PcmStream *source)
{
    int64_t ns = source->start_ns - p->start_ns;

    if (ns < 0) {
        return -(int64_t)muldiv64(-ns, p->now.rate, NANOSECONDS_PER_SECOND);
    }
    return muldiv64_round_up(ns, p->now.rate, NANOSECONDS_PER_SECOND);
}

/* Frames that are in the ring or the FIFO. */
static int64_t heard(const PcmStream *p)
{
    return p->position + p->fifo.used / pcm_frame_bytes(&p->now);
}

/* Returns: false if the FIFO has no room for any of them. */
static bool keep(PcmStream *p, const uint8_t *data, uint32_t skip,
                 uint32_t frames)
{
    const uint32_t size = pcm_frame_bytes(&p->now);
    uint32_t room;
    uint8_t *to = pcm_fifo_room(&p->fifo, &room);

    room = MIN(room, frames * size);
    memcpy(to, data + skip * size, room);
    pcm_fifo_put(&p->fifo, room);
    return room;
}

void pcm_capture_hear(PcmStream *source, uint64_t first, const uint8_t *data,
                      uint32_t frames, int64_t now)
{
    PcmStream *p = pcm_capture_listener(source);
    int64_t at;
    uint64_t due;
    bool ok = true;

    if (!p || !can_hear(p, source)) {
        return;
    }
    at = first + lag(p, source);
    due = pcm_stream_due(p, now);
    if (at > heard(p)) {
        ok = fill(p, MIN(at, due), now);
    }
    while (ok && heard(p) >= at && heard(p) < at + frames) {
        if (!keep(p, data, heard(p) - at, at + frames - heard(p))) {
            uint64_t before = p->position;

            ok = fill(p, MIN(heard(p), due), now);
            if (p->position == before) {
                break;
            }
        }
    }
    if (ok) {
        pcm_stream_publish(p);
    } else {
        pcm_stream_fail(p, PCM_S_CAUSE_DMA);
    }
}
