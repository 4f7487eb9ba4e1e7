/* SPDX-License-Identifier: MIT */
/*
 * The exercises: one table, run unchanged on every guest
 *
 * Portable C without operating system headers.  What a guest must bring is
 * struct pcm_ops: a way to its driver and a console.
 */
#ifndef PCMASTER_EXERCISES_H
#define PCMASTER_EXERCISES_H

#include "pins.h"

struct pcm_machine;
struct pcm_options;
struct sb16_play;
struct sb16_played;

/* How playing ended. */
struct pcm_played {
    uint32_t status;                /* 0, or that of what failed */
    const char *what;               /* what failed */
    uint64_t position;              /* bytes that were played */
    uint64_t heard;                 /* bytes of the sound that were recorded as they are */
    uint64_t silence_before;        /* frames recorded before the sound began */
    uint32_t underruns;
    uint32_t overruns;
};

struct pcm_ops {
    /*
     * Sends a command (pcmaster_ioctl.h) and returns its status, 0 for
     * success.  IN and OUT may be NULL if their length is 0.
     */
    uint32_t (*command)(void *context, uint32_t command, const void *in, uint32_t in_length, void *out,
                        uint32_t out_length);
    /* Prints LINE and ends the line; at most PCM_LINE_MAX bytes. */
    void (*print)(void *context, const char *line);
    /* Plays the sound of the options; RECORD: what is heard meanwhile is compared with it. */
    void (*play)(void *context, const struct pcm_options *options, uint32_t bits, bool record,
                 struct pcm_played *played);
    /*
     * Does to the machine what PCM_MACHINE_ (pcmaster_machine.h) ACT says; 0 for
     * success, if AFTER was filled in.  NULL: this guest has no hand for it.
     */
    uint32_t (*machine)(void *context, uint32_t act, struct pcm_machine *after);
    /* NULL: this guest's driver has none. */
    const struct pcm_pin_ops *pins;
    /*
     * Plays through a sound card on the ISA bus, as sb16_ioctl.h says; fills in
     * how many bytes that are.  PCM_STATUS_NO_SUCH_DEVICE: there is none.
     */
    uint32_t (*card)(void *context, struct sb16_play *play, struct sb16_played *played);
    /* Closes the way to the driver; opens it again, 0 for success. */
    void (*leave)(void *context);
    uint32_t (*enter)(void *context);
    /*
     * Behind an IOMMU low logical addresses are as good as others here: what is spared
     * for those who need it is memory alone, so that the physical address tells.
     */
    bool spares_physical;
    /* Why the exercise of that name means nothing in this guest; NULL: it does.  May be NULL. */
    const char *(*no_meaning)(void *context, const char *name);
    void *context;
};

#define PCM_LINE_MAX                4000u

struct pcm_options {
    const char *exercise;           /* pattern; "none" runs none */
    const char *fault;              /* name of a fault or a mistake; NULL: none */
    const char *policy;             /* name, with a fault; NULL: abort */
    uint32_t memory;                /* MiB */
    uint32_t iommu;                 /* 1: the machine has one, the host says */
    const char *platform;           /* win7 win8 win10; NULL: the last of them */
    uint64_t sound_bytes;           /* 0: nothing is played */
    uint32_t rate;                  /* frames per second */
    uint32_t channels;
    const char *sample;             /* u8 s8 u16 s16 u32 s32 f32 */
};

enum pcm_outcome {
    PCM_ALL_HELD,
    PCM_SOME_FAILED,
    PCM_COULD_NOT_RUN               /* a line says why */
};

/* Runs what OPTIONS selects, in the table's order, and prints TAP 13. */
enum pcm_outcome pcm_run(const struct pcm_ops *ops, const struct pcm_options *options);

struct pcm_listed {
    const char *name;
    const char *about;
    const char *rule;               /* of a fault: the rule it breaks */
};

/*
 * The entry at INDEX; the first unused index returns a NULL name.  The device
 * catches faults, the guest's verifier mistakes.
 */
struct pcm_listed pcm_exercise_at(uint32_t index);
struct pcm_listed pcm_fault_at(uint32_t index);
struct pcm_listed pcm_mistake_at(uint32_t index);

#endif /* PCMASTER_EXERCISES_H */
