/*
 * pcmaster: a stream, and what the rooms that make it up offer each other
 *
 * stream.c        states, time and events
 * stream-group.c  starting and stopping, alone and together
 * playback.c      from the ring to the back end
 * capture.c       from the back end, or from a playback stream, to the ring
 * voice.c         sample formats and voices of QEMU's audio layer
 * ready.c         S_READY, S_READY_AT
 * ring.c          the cyclic buffer in guest memory
 * effort.c        what all that may cost the host
 * fifo.c          frames between ring and back end
 * writeback.c     S_WRITEBACK
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_AUDIO_PCMASTER_STREAM_H
#define HW_AUDIO_PCMASTER_STREAM_H

#include "pcmaster.h"

#define PCM_FIFO_BYTES          (64 * KiB)
/* Of S_STATUS: what a driver can clear. */
#define PCM_S_EVENTS            (PCM_S_PERIOD | PCM_S_DRAINED | PCM_S_ERROR | \
                                 PCM_S_LATE | PCM_S_XRUN)

/*
 * Of S_FORMAT.  A migrated stream begins with it: its first byte must not look
 * like QEMU_VM_SUBSECTION, whatever the guest wants.
 */
#define PCM_S_FORMAT_BITS       0x00ffffff

/*
 * The back end delivers in its own time.  What came at once is used up at the
 * stream's pace, so that the next delivery had better come before the last is
 * used up: so many must have come before the first is touched.
 */
#define PCM_DELIVERIES          2

typedef enum PcmStreamPhase {
    PCM_STREAM_STOPPED,
    PCM_STREAM_RUNNING,
    PCM_STREAM_PAUSED,
    PCM_STREAM_FLUSHING,        /* stopped, the FIFO still holds frames */
    PCM_STREAM_DRAINING,        /* the same after END: DRAINED will follow */
    PCM_STREAM_PHASES,
} PcmStreamPhase;

/* What a stream was started with. */
typedef struct PcmStreamSetup {
    uint32_t format;
    uint32_t rate;
    uint32_t length;
    uint32_t period;
    uint32_t fragments;
    uint32_t slack;             /* ns */
    uint64_t buffer;
    uint64_t writeback;
    uint64_t ready_at;
} PcmStreamSetup;

/* Frames in the order they came in.  Each lies in one piece. */
typedef struct PcmFifo {
    uint32_t size;              /* bytes in use: whole frames */
    uint32_t head;              /* of the oldest byte */
    uint32_t used;
    uint8_t data[PCM_FIFO_BYTES];
} PcmFifo;

typedef struct PcmFragment {
    uint64_t address;
    uint32_t length;
    uint32_t offset;            /* in the ring */
} PcmFragment;

/* A cyclic buffer: one region is one fragment. */
typedef struct PcmRing {
    uint32_t count;
    uint32_t at;                /* the fragment that was used last */
    PcmFragment fragment[PCM_S_FRAGMENTS_MAX];
} PcmRing;

struct PcmStream {
    PcmasterState *device;
    uint8_t number;
    bool capture;
    SWVoiceOut *voice;          /* of playback */
    SWVoiceIn *voice_in;        /* of capture */
    uint32_t voice_format;      /* the voice was opened with these two */
    uint32_t voice_rate;
    uint32_t most_free;         /* bytes the back end ever had room for */
    QEMUTimer timer;            /* the next period or the end */
    bool news;                  /* S_STATUS has changed */

    /* Registers */
    PcmStreamSetup next;
    uint32_t status;
    uint32_t int_enable;
    uint32_t cause;
    uint32_t lost;
    uint32_t xruns;
    uint32_t position_high;     /* latched */
    uint32_t end_low;           /* counts once the high half is written */
    uint32_t ready_low;         /* likewise */
    uint32_t volume;
    uint64_t end;
    uint64_t ready;
    bool self_clear;

    /* State */
    uint8_t phase;              /* PcmStreamPhase */
    PcmStreamSetup now;
    PcmRing ring;
    uint64_t pc;                /* of the guest that started it */
    int64_t start_ns;           /* pauses taken out */
    int64_t paused_ns;          /* since when it pauses */
    int64_t fed_ns;             /* when the back end last took frames */
    uint64_t position;          /* frames that passed the ring, or were lost */
    uint64_t next_period;       /* position of the next interrupt */
    uint8_t deliveries;         /* of the back end since it last ran dry */
    bool delivered;             /* it has begun to; what it lacks counts */
    PcmFifo fifo;
};

/* The clock of all streams. */
static inline int64_t pcm_now_ns(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

/* Is the stream started, and not stopped? */
static inline bool pcm_stream_is_active(const PcmStream *p)
{
    return p->phase == PCM_STREAM_RUNNING || p->phase == PCM_STREAM_PAUSED;
}

/* --- stream.c ----------------------------------------------------------- */

/* Frames that must have passed the ring by @now. */
uint64_t pcm_stream_due(const PcmStream *p, int64_t now);

/**
 * pcm_stream_catch_up: bring the stream to the present.
 * @now: the virtual clock
 */
void pcm_stream_catch_up(PcmStream *p, int64_t now);

/**
 * pcm_stream_lose: skip @frames that found no place.
 * @bit: PCM_S_LATE or PCM_S_XRUN, whose fault it is
 */
void pcm_stream_lose(PcmStream *p, uint64_t frames, uint32_t bit);

/* Note @frames that were missing, and were made up for by silence. */
void pcm_stream_miss(PcmStream *p, uint64_t frames, uint32_t bit);

/* What reads as S_STATUS. */
uint32_t pcm_stream_status(const PcmStream *p);

/* Write back and interrupt, if there are news. */
void pcm_stream_publish(PcmStream *p);

/* The same, and there are: @bits of S_STATUS. */
void pcm_stream_tell(PcmStream *p, uint32_t bits);

/* A stream that is active becomes one that is not. */
void pcm_stream_halt(PcmStream *p, PcmStreamPhase phase, uint32_t cause);

/* The same for errors, if it is active. */
void pcm_stream_fail(PcmStream *p, uint32_t cause);

/* Let the timer end the next wait. */
void pcm_stream_arm(PcmStream *p, int64_t now);

/* Can @setup be played or recorded?  Returns: why not, PCM_S_CAUSE_... */
uint32_t pcm_stream_check_setup(const PcmasterState *s,
                                const PcmStreamSetup *setup);

/* PCM_S_END was written. */
void pcm_stream_set_end(PcmStream *p, uint64_t end);

/* PCM_S_READY was written. */
void pcm_stream_set_ready(PcmStream *p, uint64_t ready);

/* Frames since RUN, all of which have passed the ring. */
uint64_t pcm_stream_position(PcmStream *p);

/* --- playback.c --------------------------------------------------------- */

/**
 * pcm_playback_advance: read what comes before frame @due.
 * Returns: false if a rule forbids it
 */
bool pcm_playback_advance(PcmStream *p, uint64_t due, int64_t now);

/* Frames end, those in the FIFO will still be played. */
void pcm_playback_end(PcmStream *p);

/* What the FIFO holds is no longer wanted. */
void pcm_playback_discard(PcmStream *p);

/* The back end asks for up to @room bytes. */
void pcm_playback_feed(PcmStream *p, uint32_t room);

/* --- capture.c ---------------------------------------------------------- */

/**
 * pcm_capture_advance: write what comes before frame @due.
 * Returns: false if a rule forbids it
 */
bool pcm_capture_advance(PcmStream *p, uint64_t due, int64_t now);

/* The back end offers up to @bytes. */
void pcm_capture_take(PcmStream *p, uint32_t bytes);

/* Nothing is wanted any more. */
void pcm_capture_end(PcmStream *p);

/* Forget what is not in the ring yet. */
void pcm_capture_discard(PcmStream *p);

/* The playback stream that @p hears, or NULL. */
PcmStream *pcm_capture_source(const PcmStream *p);

/* The capture stream that hears @source, or NULL. */
PcmStream *pcm_capture_listener(const PcmStream *source);

/**
 * pcm_capture_hear: let who hears playback stream @source have @frames that
 * start at its frame @first.
 */
void pcm_capture_hear(PcmStream *source, uint64_t first, const uint8_t *data,
                      uint32_t frames, int64_t now);

/* --- stream-group.c ----------------------------------------------------- */

/**
 * pcm_streams_start: start those that do not run, all or none of them.
 * @mask: one bit for each stream
 * @paused: only prepare them
 */
void pcm_streams_start(PcmasterState *s, uint32_t mask, bool paused);

/* Stop those of @mask that run or pause. */
void pcm_streams_stop(PcmasterState *s, uint32_t mask);

/* Pause those of @mask that run. */
void pcm_streams_pause(PcmasterState *s, uint32_t mask);

/* Resume those of @mask that pause. */
void pcm_streams_resume(PcmasterState *s, uint32_t mask);

/* --- voice.c ------------------------------------------------------------ */

/* Is there such a format and rate? */
bool pcm_voice_knows(const PcmasterState *s, const PcmStreamSetup *setup);

/* Bytes of a frame, at most PCM_FRAME_MAX. */
#define PCM_FRAME_MAX           32
uint32_t pcm_frame_bytes(const PcmStreamSetup *setup);

/* Fill @buf with @frames of silence. */
void pcm_silence(const PcmStreamSetup *setup, uint8_t *buf, uint32_t frames);

/**
 * pcm_voice_open: open a voice for @setup's format and rate, or keep the one
 * that is.  What another one had not passed on to the back end is gone.
 * Returns: false if there must be one, and none opens
 */
bool pcm_voice_open(PcmStream *p, const PcmStreamSetup *setup);

/* Let go of the voice, if there is one. */
void pcm_voice_close(PcmStream *p);

/* Let the voice, if there is one, ask for frames or offer them. */
void pcm_voice_set_active(PcmStream *p, bool active);

/* S_VOLUME was written. */
void pcm_voice_set_volume(PcmStream *p);

/**
 * pcm_voice_write: offer frames to the back end.
 * @buf: may change, where no back end could play it as it is
 * Returns: how many of the @bytes it took
 */
uint32_t pcm_voice_write(PcmStream *p, uint8_t *buf, uint32_t bytes);

/* Swap samples that QEMU's audio layer only takes in the host's order. */
void pcm_voice_swap(const PcmStreamSetup *setup, uint8_t *buf, uint32_t bytes);

/* --- ready.c ------------------------------------------------------------ */

/* The first frame that S_READY, as it is known, keeps out of the stream. */
uint64_t pcm_ready_limit(const PcmStream *p);

/**
 * pcm_ready_ask: see in memory how far the driver is, if it keeps that there
 * and frames below @frame are not all known to be ready.  It is asked once for
 * all that are due.
 * Returns: false if a rule forbids it
 */
bool pcm_ready_ask(PcmStream *p, uint64_t frame);

/* --- ring.c ------------------------------------------------------------- */

/**
 * pcm_ring_read: make a ring of @setup's buffer, or of the list that is there.
 * @p: whose transaction the reading of the list is
 * @r: the ring; holds anything if it cannot be made
 * @pc: of the guest that asks for it
 * Returns: why it cannot be, PCM_S_CAUSE_...
 */
uint32_t pcm_ring_read(PcmStream *p, const PcmStreamSetup *setup, PcmRing *r,
                       uint64_t pc);

/* Are they fragments of which a ring of @setup can be made? */
bool pcm_ring_is_valid(const PcmRing *r, const PcmStreamSetup *setup);

/**
 * pcm_ring_move: transfer up to @frames at the stream's position.
 * Returns: how many were, as far as the effort allows; -1: a rule forbids it
 */
int32_t pcm_ring_move(PcmStream *p, uint8_t *buf, uint32_t frames,
                      int64_t now);

/* Frames that the ring holds. */
uint32_t pcm_ring_frames(const PcmStreamSetup *setup);

/* --- effort.c ----------------------------------------------------------- */

/**
 * pcm_effort: what the device can do at @now for its streams, all together.
 * Returns: a number of pieces of memory, from which to take off what was done
 */
uint32_t *pcm_effort(PcmasterState *s, int64_t now);

/* All of it is there again. */
void pcm_effort_reset(PcmasterState *s);

/* Can it be what migrated? */
bool pcm_effort_is_valid(const PcmasterState *s);

/* --- fifo.c ------------------------------------------------------------- */

/* Empty it, for frames of @frame bytes. */
void pcm_fifo_init(PcmFifo *f, uint32_t frame);

/* Room in one piece: where, and how many @bytes. */
uint8_t *pcm_fifo_room(PcmFifo *f, uint32_t *bytes);

/* @bytes have been written there, and none dropped since. */
void pcm_fifo_put(PcmFifo *f, uint32_t bytes);

/* The oldest bytes in one piece: where, and how many @bytes. */
uint8_t *pcm_fifo_peek(PcmFifo *f, uint32_t *bytes);

/* @bytes of them have been used up. */
void pcm_fifo_drop(PcmFifo *f, uint32_t bytes);

/* --- writeback.c -------------------------------------------------------- */

/**
 * pcm_writeback: write the block to where the stream was started with.
 * Returns: false if a rule forbids it
 */
bool pcm_writeback(PcmStream *p);

#endif /* HW_AUDIO_PCMASTER_STREAM_H */
