/* SPDX-License-Identifier: MIT */
/*
 * The exercises: a pin and the sound that goes through it
 *
 * Sound is made of a seed, frame by frame.  None is silence and none like its
 * neighbours, so that what was heard tells which frame it is, here and on the
 * host (scripts/pcmaster/sound.py makes the same).
 */
#ifndef PCMASTER_VOICE_H
#define PCMASTER_VOICE_H

#include "run.h"

struct voice {
    struct run *run;
    enum pcm_pin which;
    struct pcm_pin_format format;
    uint32_t pin;                   /* 0: it is not open */
    uint32_t seed;                  /* of the next voice's sound, too */
    uint32_t frames;                /* there is room for, and sound if it is played */
    uint32_t frame_bytes;
    uint8_t *data;
};

/* The format that the host records, 16 bits and two channels. */
struct pcm_pin_format usual_format(const struct run *run);

uint32_t frames_in(const struct pcm_pin_format *format, uint32_t milliseconds);

/*
 * Opens a pin, with MILLISECONDS of sound if it plays.  As all of these: false if
 * broken() or skipped() was called.  It is to be closed whatever comes of it.
 */
bool voice_open(struct run *run, struct voice *voice, enum pcm_pin which,
                const struct pcm_pin_format *format, uint32_t milliseconds);
void voice_close(struct voice *voice);

bool voice_state(struct voice *voice, enum pcm_pin_state state);

/* FRAMES from FIRST on; LAST: the stream ends with them. */
bool voice_send(struct voice *voice, uint32_t slot, uint32_t first, uint32_t frames, bool last);

/* All of it, up to PCM_PIN_RUN. */
bool voice_begin(struct voice *voice);

/* Until the piece comes back with STATUS. */
bool voice_wait(struct voice *voice, uint32_t slot, uint32_t status, struct pcm_piece *piece);

bool voice_mute(struct voice *voice, bool muted);

/* Frames since PCM_PIN_STOP. */
bool voice_position(struct voice *voice, uint64_t *frames);

/* That there were as many UNDERRUNS (or overruns) as that. */
void voice_faults(struct voice *voice, uint32_t due);

bool frame_is_silent(const struct voice *voice, const uint8_t *frame);
bool frame_is(const struct voice *played, uint32_t index, const uint8_t *frame);

/*
 * Looks for what PLAYED has played, from its first frame on, in what RECORDED has
 * recorded: silence before it, and in GAPS places within it, is passed over.
 * Returns the frames that were found in order.
 */
uint32_t voice_heard(const struct voice *played, const struct voice *recorded, uint32_t gaps);

/*
 * For the host: at least so many frames of VOICE, and at most that, are in its
 * recording, with silence in GAPS places.
 */
void note_sound(struct voice *voice, uint32_t least, uint32_t most, uint32_t gaps);

#endif /* PCMASTER_VOICE_H */
