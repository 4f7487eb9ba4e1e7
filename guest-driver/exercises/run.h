/* SPDX-License-Identifier: MIT */
/* The exercises: what their source files share */
#ifndef PCMASTER_RUN_H
#define PCMASTER_RUN_H

#include <stdbool.h>

#include "exercises.h"
#include "pcmaster_ioctl.h"
#include "pcmaster_regs.h"
#include "text.h"

#define PAGE_BYTES                  4096u
#define KIB                         1024u
#define MIB                         (1024u * 1024u)

/* PreferredNode, besides 0 to N - 1. */
#define ANY_NODE                    0x80000000u     /* MM_ANY_NODE_OK */
#define DEVICE_NODE                 0xfffffff0u     /* stands for the device's */
#define NODE_COUNT                  0xfffffff1u     /* stands for N */

enum maximum_kind {
    NO_MAXIMUM,
    BELOW,                          /* MaximumAddress as it stands */
    BELOW_IN_NODE                   /* added to the preferred node's lowest address */
};

enum allocator {
    COMMON_BUFFER_EX,
    COMMON_BUFFER,
    CHANNEL
};

enum constraint_kind {
    NO_CONSTRAINT,
    CONSTRAINT
};

/* What is asked for, and what must come of it. */
struct request {
    enum allocator allocator;
    uint32_t legacy;                /* description version + 1; 0: version 3 */
    uint32_t describe;              /* PCM_DESCRIBE_ */
    uint32_t width;                 /* address bits the description stands for */
    enum maximum_kind maximum_kind;
    uint64_t maximum;
    uint32_t length;
    uint32_t node;
    bool uncached;
    enum constraint_kind constraint_kind;
    uint64_t constraint;
    uint32_t channel_maximum;       /* MaximumLength; 0: enough */
    bool refused;                   /* must fail */
    uint32_t status;                /* a channel's, if refused */
};

struct run;

struct exercise {
    const char *name;
    const char *about;
    void (*body)(struct run *run, const struct request *request);
    struct request request;
};

/* The table; a NULL name ends it. */
extern const struct exercise exercise_table[];

enum verdict { HELD, BROKEN, SKIPPED };

struct run {
    const struct pcm_ops *ops;
    const struct pcm_options *options;
    struct pcm_facts facts;
    uint32_t number;                /* of the test point last printed */
    uint32_t failed;

    /* Of the exercise under way */
    enum verdict verdict;
    struct text request;
    struct text logical;
    struct text node;
    struct text reason;             /* why it broke or was skipped */
    struct text more;               /* further JSON members, each after a comma */
    uint64_t dma_bytes;
    uint32_t buffers;

    char request_room[256];
    char logical_room[64];
    char node_room[64];
    char reason_room[384];
    char more_room[1024];
};

/* --- run.c ---------------------------------------------------------------- */

/* The first failure of an exercise counts; FORMAT as in text_add. */
#define broken(run, ...)                                                    \
    do {                                                                    \
        if ((run)->verdict == HELD) {                                       \
            (run)->verdict = BROKEN;                                        \
            text_add(&(run)->reason, __VA_ARGS__);                          \
        }                                                                   \
    } while (0)

#define skipped(run, ...)                                                   \
    do {                                                                    \
        (run)->verdict = SKIPPED;                                           \
        text_add(&(run)->reason, __VA_ARGS__);                              \
    } while (0)

/* Forgets the exercise before. */
void point_begin(struct run *run);

/* Prints the test point of the exercise that ran; HELD: the verdict if it did. */
void point_end(struct run *run, const char *name, const char *held);

/* --- commands.c: the driver's commands; false: broken() was called --------- */

bool command(struct run *run, uint32_t number, const void *in, uint32_t in_length, void *out,
             uint32_t out_length);
bool command_on(struct run *run, uint32_t number, uint32_t handle);

/* *ADAPTER->handle 0: NULL was returned. */
bool adapter_get(struct run *run, const struct request *request, struct pcm_adapter *adapter);

/* The adapter REQUEST describes; 0: it was refused, or broken() was called. */
uint32_t adapter_needed(struct run *run, const struct request *request);

bool allocate(struct run *run, uint32_t adapter, const struct request *request, bool scan,
              struct pcm_allocated *allocated);
bool channel_new(struct run *run, const struct request *request, struct pcm_channel *channel);
bool channel_allocate(struct run *run, uint32_t channel, const struct request *request,
                      struct pcm_channel_allocated *allocated);
bool channel_query(struct run *run, uint32_t channel, struct pcm_channel_state *state);

/* --- placement.c: where a buffer may and must be ---------------------------- */

/* Fills in what stands for something in this machine; false: it has it not. */
bool resolve(struct run *run, const struct request *written, struct request *request);

/* Appends REQUEST as a person would write it. */
void request_describe(struct run *run, const struct request *request);

/* The last byte that REQUEST allows; *NONE: not one byte is allowed. */
uint64_t last_legal(const struct request *request, bool *none);

/* The bits of an address that may vary inside the buffer. */
uint64_t may_vary(const struct request *request);

/* Whether the preferred node has room below the limit on a quiet machine. */
bool node_must_be_kept(const struct run *run, const struct request *request);

/* Checks an address by arithmetic; the device checks it again by DMA. */
void check_place(struct run *run, const struct request *request, uint64_t logical);

/* DMA over every byte, both ways; NODE: that all bytes must be on, or PCM_NODE_ANY. */
void check_by_dma(struct run *run, const struct request *request, uint32_t handle, uint32_t node);

/* --- bodies ----------------------------------------------------------------- */

void exercise_allocate(struct run *run, const struct request *request);
void exercise_zeroed(struct run *run, const struct request *request);
void exercise_recached(struct run *run, const struct request *request);
void exercise_parts(struct run *run, const struct request *request);
void exercise_reuse(struct run *run, const struct request *request);

void exercise_channel(struct run *run, const struct request *request);
void exercise_channel_second(struct run *run, const struct request *request);
void exercise_channel_again(struct run *run, const struct request *request);
void exercise_channel_properties(struct run *run, const struct request *request);
void exercise_channel_set_size(struct run *run, const struct request *request);
void exercise_channel_copy(struct run *run, const struct request *request);
void exercise_channel_freed(struct run *run, const struct request *request);
void exercise_channel_described(struct run *run, const struct request *request);

void exercise_adapter(struct run *run, const struct request *request);
void exercise_adapter_refused(struct run *run, const struct request *request);
void exercise_adapters(struct run *run, const struct request *request);

void exercise_refusals(struct run *run, const struct request *request);

void exercise_exhaust(struct run *run, const struct request *request);
void exercise_exhaust_channels(struct run *run, const struct request *request);
void exercise_crowd(struct run *run, const struct request *request);
void exercise_fragment(struct run *run, const struct request *request);
void exercise_mixed(struct run *run, const struct request *request);
void exercise_spill(struct run *run, const struct request *request);

/* --- play.c, fault.c --------------------------------------------------------- */

/* False: OPTIONS ask for a sound that cannot be; a line says why. */
bool play_possible(struct run *run);
void play(struct run *run);

struct fault {
    const char *name;
    const char *rule;
    const char *about;
    const char *victim;             /* what innocent memory it may cost */
    uint32_t id;                    /* enum pcm_fault_id */
    uint32_t rule_number;           /* PCM_RULE_ */
};

/* The table; a NULL name ends it. */
extern const struct fault fault_table[];

/* NULL: there is no such fault. */
const struct fault *fault_find(const char *name);

/* PCM_POLICY_, or PCM_POLICY_UNKNOWN. */
#define PCM_POLICY_UNKNOWN          0xffffffffu
uint32_t policy_find(const char *name);

void fault_run(struct run *run, const struct fault *fault, uint32_t policy);

#endif /* PCMASTER_RUN_H */
