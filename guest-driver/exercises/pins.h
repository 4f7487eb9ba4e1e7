/* SPDX-License-Identifier: MIT */
/*
 * The exercises: what a guest lets them do to the pins of its driver
 *
 * A pin is a stream of sound to the device or from it.  Statuses are PCM_STATUS_.
 */
#ifndef PCMASTER_PINS_H
#define PCMASTER_PINS_H

#include <stdbool.h>
#include <stdint.h>

enum pcm_pin { PCM_PIN_RENDER, PCM_PIN_CAPTURE };

/* In this order they are gone through, up and down. */
enum pcm_pin_state { PCM_PIN_STOP, PCM_PIN_ACQUIRE, PCM_PIN_PAUSE, PCM_PIN_RUN, PCM_PIN_STATES };

/* How a format is told, rightly or wrongly. */
#define PCM_FORMAT_FLOAT            (1u << 0)
#define PCM_FORMAT_EXTENSIBLE       (1u << 1)       /* in a WAVEFORMATEXTENSIBLE */
#define PCM_FORMAT_BAD_TAG          (1u << 2)       /* integers are called float, and the other way round */
#define PCM_FORMAT_BAD_ALIGN        (1u << 3)       /* nBlockAlign is one too many */
#define PCM_FORMAT_SHORT            (1u << 4)       /* the format ends in its middle */
#define PCM_FORMAT_VALID_BITS       (1u << 5)       /* extensible: 8 fewer bits are valid */

struct pcm_pin_format {
    uint32_t rate;
    uint32_t channels;
    uint32_t bits;                  /* of a sample; 8: without a sign, else with one */
    uint32_t flags;                 /* PCM_FORMAT_ */
};

/* From the first to the last; its format is told like a format's. */
struct pcm_pin_range {
    uint32_t channels;
    uint32_t bits[2];
    uint32_t rate[2];
    uint32_t flags;
};

/* What became of data that was sent to a pin, or asked of it. */
struct pcm_piece {
    uint32_t bytes;                 /* recorded */
    bool gap;                       /* something is missing before it */
};

/* Pieces of a pin that are on their way, by slot. */
#define PCM_PIN_SLOTS               8

struct pcm_pin_ops {
    uint32_t (*open)(void *context, enum pcm_pin which, const struct pcm_pin_format *format,
                     uint32_t *pin);
    void (*close)(void *context, uint32_t pin);
    uint32_t (*set_state)(void *context, uint32_t pin, uint32_t state);
    uint32_t (*get_state)(void *context, uint32_t pin, uint32_t *state);
    uint32_t (*set_format)(void *context, uint32_t pin, const struct pcm_pin_format *format);
    /* Bytes played or recorded since PCM_PIN_STOP; *WRITTEN: sent or asked for. */
    uint32_t (*position)(void *context, uint32_t pin, uint64_t *played, uint64_t *written);
    uint32_t (*faults)(void *context, uint32_t pin, uint32_t *underruns, uint32_t *overruns);
    /* CHANNEL: -1 means all. */
    uint32_t (*mute)(void *context, uint32_t pin, int32_t channel, bool muted);
    uint32_t (*is_muted)(void *context, uint32_t pin, bool *muted);
    /*
     * Sends BYTES at DATA on their way, or asks for them; DATA stays until wait.
     * LAST: the stream ends there.
     */
    uint32_t (*send)(void *context, uint32_t pin, uint32_t slot, void *data, uint32_t bytes, bool last);
    /* PCM_STATUS_TIMEOUT: it is still on its way after so many MILLISECONDS. */
    uint32_t (*wait)(void *context, uint32_t pin, uint32_t slot, uint32_t milliseconds,
                     struct pcm_piece *piece);
    /* The best format of RANGE that the pins have, in ROOM bytes; *NEEDED: how many it takes. */
    uint32_t (*intersect)(void *context, enum pcm_pin which, const struct pcm_pin_range *range,
                          uint32_t room, struct pcm_pin_format *format, uint32_t *needed);
    /* Memory for sound; NULL: there is none. */
    void *(*allocate)(void *context, uint32_t bytes);
    void (*free)(void *context, void *memory);
    void (*sleep)(void *context, uint32_t milliseconds);
    uint64_t (*clock)(void *context);   /* nanoseconds */
};

#endif /* PCMASTER_PINS_H */
