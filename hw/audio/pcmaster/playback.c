/*
 * pcmaster: playback, from the ring to the back end
 *
 * Frames wait in a FIFO until the back end takes them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "stream.h"
#include "trace.h"

/* What a back end may hold back, besides two of its buffers. */
#define PCM_DRAIN_SLACK_NS      (100 * SCALE_MS)

/* --- Into the FIFO ------------------------------------------------------ */

/*
 * Let the FIFO have up to @frames, which it has room for at @to.
 * Returns: how many, none if memory is too slow; -1: a rule forbids it
 */
static int32_t read_frames(PcmStream *p, uint8_t *to, uint32_t frames,
                           int64_t now)
{
    uint64_t limit = pcm_ready_limit(p);

    if (!frames) {
        return 0;
    }
    if (limit > p->position) {
        return pcm_ring_move(p, to, MIN(frames, limit - p->position), now);
    }
    pcm_silence(&p->now, to, frames);
    pcm_stream_miss(p, frames, PCM_S_XRUN);
    return frames;
}

bool pcm_playback_advance(PcmStream *p, uint64_t due, int64_t now)
{
    const uint32_t size = pcm_frame_bytes(&p->now);

    if (p->position < due && !pcm_ready_ask(p, due)) {
        return false;
    }
    while (p->position < due) {
        uint32_t room;
        uint8_t *to = pcm_fifo_room(&p->fifo, &room);
        int32_t frames = read_frames(p, to, MIN(due - p->position,
                                                room / size), now);

        if (frames < 0) {
            return false;
        }
        if (!frames) {
            pcm_stream_lose(p, due - p->position, PCM_S_LATE);
            break;
        }
        pcm_capture_hear(p, p->position, to, frames, now);
        p->position += frames;
        if (p->voice) {
            pcm_voice_swap(&p->now, to, frames * size);
            pcm_fifo_put(&p->fifo, frames * size);
        }
    }
    return true;
}

void pcm_playback_discard(PcmStream *p)
{
    if (p->fifo.used) {
        trace_pcmaster_stream_discard(p->number, p->fifo.used);
        pcm_fifo_init(&p->fifo, pcm_frame_bytes(&p->now));
    }
}

/* --- Out of it ---------------------------------------------------------- */

/*
 * Has the back end played what it took?  It has when there is as much room as
 * there ever was.  Where several voices share a buffer that may never come to
 * pass, but then enough time does.
 */
static bool is_played(const PcmStream *p, uint32_t room, int64_t now)
{
    uint64_t frames = p->most_free / pcm_frame_bytes(&p->now);
    int64_t most_ns = muldiv64(2 * frames, NANOSECONDS_PER_SECOND,
                               p->now.rate) + PCM_DRAIN_SLACK_NS;

    return room >= p->most_free || now - p->fed_ns > most_ns;
}

/* The back end has all that this stream had for it. */
static void rest(PcmStream *p)
{
    bool drained = p->phase == PCM_STREAM_DRAINING;

    p->phase = PCM_STREAM_STOPPED;
    pcm_voice_set_active(p, false);
    if (drained) {
        trace_pcmaster_stream_drained(p->number, p->position);
        pcm_stream_tell(p, PCM_S_DRAINED);
    }
}

void pcm_playback_end(PcmStream *p)
{
    if (p->voice) {
        pcm_voice_set_active(p, true);
    } else {
        pcm_playback_discard(p);
        rest(p);
    }
}

void pcm_playback_feed(PcmStream *p, uint32_t room)
{
    const int64_t now = pcm_now_ns();
    PcmStream *listener = pcm_capture_listener(p);
    uint32_t bytes;
    uint8_t *from;

    if (p->phase == PCM_STREAM_STOPPED || p->phase == PCM_STREAM_PAUSED) {
        return;
    }
    pcm_stream_catch_up(p, now);
    if (listener) {
        pcm_stream_catch_up(listener, now);
    }
    p->most_free = MAX(p->most_free, room);
    if (!p->fifo.used && p->phase != PCM_STREAM_RUNNING &&
        is_played(p, room, now)) {
        rest(p);
        return;
    }
    for (;;) {
        from = pcm_fifo_peek(&p->fifo, &bytes);
        bytes = QEMU_ALIGN_DOWN(MIN(bytes, room), pcm_frame_bytes(&p->now));
        bytes = bytes ? pcm_voice_write(p, from, bytes) : 0;
        if (!bytes) {
            break;
        }
        pcm_fifo_drop(&p->fifo, bytes);
        room -= bytes;
        p->fed_ns = now;
    }
}
