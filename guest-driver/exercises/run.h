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

/* A small machine: more memory is not used up, it takes time and memory of the host. */
#define MEMORY_MOST_MIB             512u

/* PreferredNode, besides 0 to N - 1. */
#define ANY_NODE                    0x80000000u     /* MM_ANY_NODE_OK */
#define DEVICE_NODE                 0xfffffff0u     /* stands for the device's */
#define NODE_COUNT                  0xfffffff1u     /* stands for N */

enum maximum_kind {
    NO_MAXIMUM,
    BELOW,                          /* MaximumAddress as it stands */
    BELOW_IN_NODE                   /* added to the preferred node's lowest address */
};

enum minimum_kind {
    NO_MINIMUM,
    FROM,                           /* MinimumAddress as it stands */
    FROM_IN_NODE                    /* added to the preferred node's lowest address */
};

enum allocator {
    COMMON_BUFFER_EX,
    COMMON_BUFFER,
    WITH_BOUNDS,
    OF_DOMAIN,
    VECTOR,
    CHANNEL,
    PACKET,                         /* none: memory that is there already */
    PINS,                           /* none: the driver has its own */
    ALLOCATORS
};

/* Each has what those before it have. */
enum platform {
    WINDOWS_7,
    WINDOWS_8,
    WINDOWS_10,
    PLATFORMS
};

enum constraint_kind {
    NO_CONSTRAINT,
    CONSTRAINT
};

struct packet_queued {
    uint32_t method;                /* enum pcm_packet_method */
    uint32_t registers;             /* 0: the queue ends */
};

/* A transfer by packet DMA, or requests that wait for their map registers. */
struct packet_case {
    uint32_t method;                /* enum pcm_packet_method */
    uint32_t flags;                 /* PCM_PACKET_ */
    struct pcm_packet_part part[PCM_PACKET_PARTS];  /* high 0: anywhere */
    uint32_t offset;                /* what of them is transferred */
    uint32_t length;                /* 0: all behind it */
    uint32_t granted;               /* map registers of the adapter; 0: enough */
    uint32_t ask;                   /* of these, asked for; 0: as many as it takes */
    uint32_t room;                  /* for elements, with MapTransferEx; 0: enough */
    uint32_t buffer_short;          /* bytes that the buffer for a list lacks */
    bool single;                    /* the device has no scatter/gather */
    uint32_t cancel;                /* of the queue: bit n for request n */
    struct packet_queued queue[PCM_QUEUE_LENGTH];
};

/* What is asked for, and what must come of it. */
struct request {
    enum allocator allocator;
    uint32_t legacy;                /* description version + 1; 0: version 3 */
    uint32_t describe;              /* PCM_DESCRIBE_ */
    uint32_t width;                 /* address bits the description stands for */
    enum minimum_kind minimum_kind;
    uint64_t minimum;
    enum maximum_kind maximum_kind;
    uint64_t maximum;
    uint32_t length;
    uint32_t node;
    bool uncached;
    bool cache_unsaid;              /* with bounds: NULL for CacheType */
    bool write_combined;            /* with bounds */
    bool large_page;                /* with bounds: DOMAIN_COMMON_BUFFER_LARGE_PAGE */
    bool wrong_domain;              /* of a domain: not of the adapter's */
    uint32_t elements;              /* of a vector; the length is each one's */
    enum constraint_kind constraint_kind;
    uint64_t constraint;
    uint32_t channel_maximum;       /* MaximumLength; 0: enough */
    const struct packet_case *packet;
    const char *pins;               /* what is done with them, for a person */
    bool capture;                   /* of the pins, the one that records */
    uint32_t card_method;           /* enum sb16_method */
    uint32_t card_bits;
    bool refused;                   /* must fail */
    bool refused_identity;          /* must fail without an IOMMU, and not with one */
    bool no_dma;                    /* is not about a buffer: no DMA is due */
    bool any_platform;              /* the body knows what each must do */
    uint32_t status;                /* if refused, of a routine that returns one */
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
    enum platform platform;
    uint32_t number;                /* of the test point last printed */
    uint32_t failed;

    /* Of the exercise under way */
    enum verdict verdict;
    struct text request;
    struct text logical;
    struct text node;
    struct text reason;             /* why it broke or was skipped */
    struct text more;               /* further JSON members, each after a comma */
    uint64_t filled;                /* bytes the device wrote, as the CPU found */
    uint64_t verified;              /* bytes the device read and found right */
    uint64_t played;                /* bytes the device took for sound */
    uint32_t buffers;
    uint32_t noted;                 /* constraints told to the host */
    uint32_t first_node;            /* a node of the buffer last checked by DMA */

    struct text sounds;             /* what the host must have heard: JSON, with commas between */
    char sounds_room[256];
    struct text pages;              /* "LOGICAL PHYSICAL" of buffers behind an IOMMU: likewise */
    char pages_room[512];
    char request_room[256];
    char logical_room[64];
    char node_room[64];
    char reason_room[384];
    char more_room[3400];
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

/*
 * Prints the test point of what ran; HELD: the verdict if it did.  The host
 * adds up filled and verified and compares them with the device's own account.
 */
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
bool vector_allocate(struct run *run, uint32_t adapter, const struct request *request,
                     struct pcm_vector *vector);
bool vector_get(struct run *run, uint32_t vector, uint32_t index, struct pcm_allocated *element);
bool vector_free_element(struct run *run, uint32_t vector, uint32_t index);
bool channel_new(struct run *run, const struct request *request, struct pcm_channel *channel);
bool channel_allocate(struct run *run, uint32_t channel, const struct request *request,
                      struct pcm_channel_allocated *allocated);
bool channel_query(struct run *run, uint32_t channel, struct pcm_channel_state *state);

/* --- platform.c: which Windows the guest is, or is like ----------------------- */

/* PLATFORMS: there is none of that name.  NULL is the last. */
enum platform platform_find(const char *name);

/*
 * Puts REQUEST in the words of the platform; false: it has none for it, and
 * skipped() was called.
 */
bool platform_adapt(struct run *run, struct request *request);

/* --- placement.c: where a buffer may and must be ---------------------------- */

/* Fills in what stands for something in this machine; false: it has it not. */
bool resolve(struct run *run, const struct request *written, struct request *request);

/* Appends REQUEST as a person would write it. */
void request_describe(struct run *run, const struct request *request);

/* The first byte that REQUEST allows. */
uint64_t first_legal(const struct request *request);

/* The last byte that REQUEST allows; *NONE: not one byte is allowed. */
uint64_t last_legal(const struct request *request, bool *none);

/* The bits of an address that may vary inside the buffer. */
uint64_t may_vary(const struct request *request);

/* Whether another node than the preferred one has room below the limit, likewise. */
bool another_node_has_room(const struct run *run, const struct request *request);

/* Whether the preferred node has room below the limit on a quiet machine. */
bool node_must_be_kept(const struct run *run, const struct request *request);

/*
 * Notes for the host, which made the machine's distances, that a buffer of a
 * node that has no room is another's: which nodes it may be.
 */
void note_fallback(struct run *run, const struct request *request);

/*
 * On a quiet machine, for a request for any node: memory below 16 MiB and 4 GiB
 * is left to those who need it, if the device knows of a node all above.
 */
void check_low_memory_spared(struct run *run, const struct request *request,
                             const struct pcm_allocated *allocated);

/* The address that says whether low memory was spared. */
uint64_t spared_address(const struct run *run, const struct pcm_allocated *allocated);

/* Checks an address by arithmetic; the device checks it again by DMA. */
void check_place(struct run *run, const struct request *request, uint64_t logical);

/* The transfer that check_by_dma asks for. */
struct pcm_transfer transfer_of(const struct request *request, uint32_t handle, uint32_t node);

/* DMA over every byte, both ways; NODE: that all bytes must be on, or PCM_NODE_ANY. */
void check_by_dma(struct run *run, const struct request *request, uint32_t handle, uint32_t node);

/* --- common_buffer.c ----------------------------------------------------------- */

/* One buffer that must be given: where it is, what is in it, real DMA. */
void check_buffer(struct run *run, const struct request *request, const struct pcm_allocated *allocated);

/* Allocates, checks and frees.  Returns false if that did not work out. */
bool allocate_and_check(struct run *run, uint32_t adapter, const struct request *request);

/* --- channel.c ----------------------------------------------------------------- */

/* A channel as REQUEST describes; 0: it was refused, and broken() was called. */
uint32_t channel_needed(struct run *run, const struct request *request);

/*
 * AllocateBuffer on a channel without a buffer: the status that is due, and the
 * buffer checked, with DMA, or that there is none.  False: broken() was called.
 */
bool channel_fill(struct run *run, const struct request *request, uint32_t channel);

/* --- packet.c ------------------------------------------------------------------ */

/* What is called, for a person. */
const char *packet_routine(const struct packet_case *packet);

/* The first platform that has it. */
enum platform packet_platform(const struct packet_case *packet);

/* Makes the memory; false: skipped or broken. */
bool packet_make(struct run *run, const struct packet_case *packet, struct pcm_packet *made);

/* An adapter with as many registers as the case says, or enough; 0: broken. */
uint32_t packet_adapter(struct run *run, const struct request *request);

/* --- bodies ----------------------------------------------------------------- */

void exercise_allocate(struct run *run, const struct request *request);
void exercise_over_node(struct run *run, const struct request *request);
void exercise_spared(struct run *run, const struct request *request);
void exercise_implied(struct run *run, const struct request *request);
void exercise_zeroed(struct run *run, const struct request *request);
void exercise_recached(struct run *run, const struct request *request);
void exercise_parts(struct run *run, const struct request *request);
void exercise_reuse(struct run *run, const struct request *request);

void exercise_exact(struct run *run, const struct request *request);
void exercise_granules(struct run *run, const struct request *request);

void exercise_vector(struct run *run, const struct request *request);
void exercise_vector_whole(struct run *run, const struct request *request);
void exercise_vector_elements(struct run *run, const struct request *request);

void exercise_packet(struct run *run, const struct request *request);
void exercise_packet_after(struct run *run, const struct request *request);
void exercise_packet_edges(struct run *run, const struct request *request);
void exercise_packet_queue(struct run *run, const struct request *request);

void exercise_channel(struct run *run, const struct request *request);
void exercise_channel_second(struct run *run, const struct request *request);
void exercise_channel_again(struct run *run, const struct request *request);
void exercise_channel_properties(struct run *run, const struct request *request);
void exercise_channel_set_size(struct run *run, const struct request *request);
void exercise_channel_copy(struct run *run, const struct request *request);
void exercise_channel_freed(struct run *run, const struct request *request);
void exercise_channel_described(struct run *run, const struct request *request);

void exercise_powers(struct run *run, const struct request *request);
void exercise_holes(struct run *run, const struct request *request);
void exercise_random_constraints(struct run *run, const struct request *request);

void exercise_adapter(struct run *run, const struct request *request);
void exercise_adapter_refused(struct run *run, const struct request *request);
void exercise_adapters(struct run *run, const struct request *request);
void exercise_info(struct run *run, const struct request *request);
void exercise_info_version(struct run *run, const struct request *request);
void exercise_domain(struct run *run, const struct request *request);

void exercise_rule_limit(struct run *run, const struct request *request);
void exercise_rule_lines(struct run *run, const struct request *request);
void exercise_rule_boundary(struct run *run, const struct request *request);
void exercise_rule_window(struct run *run, const struct request *request);
void exercise_rule_node(struct run *run, const struct request *request);
void exercise_physical(struct run *run, const struct request *request);
void exercise_scattered(struct run *run, const struct request *request);
void exercise_spoilt(struct run *run, const struct request *request);

void exercise_refusals(struct run *run, const struct request *request);

void exercise_exhaust(struct run *run, const struct request *request);
void exercise_exhaust_channels(struct run *run, const struct request *request);
void exercise_crowd(struct run *run, const struct request *request);
void exercise_fragment(struct run *run, const struct request *request);
void exercise_mixed(struct run *run, const struct request *request);
void exercise_spill(struct run *run, const struct request *request);

void exercise_card(struct run *run, const struct request *request);

void exercise_stress(struct run *run, const struct request *request);

void exercise_rebalance(struct run *run, const struct request *request);
void exercise_surprise_removal(struct run *run, const struct request *request);
void exercise_eject(struct run *run, const struct request *request);
void exercise_down_up(struct run *run, const struct request *request);

void exercise_pin_formats(struct run *run, const struct request *request);
void exercise_pin_refused(struct run *run, const struct request *request);
void exercise_pin_intersections(struct run *run, const struct request *request);
void exercise_pin_set_format(struct run *run, const struct request *request);
void exercise_state_pairs(struct run *run, const struct request *request);
void exercise_state_walk(struct run *run, const struct request *request);
void exercise_both_ways(struct run *run, const struct request *request);
void exercise_several_pins(struct run *run, const struct request *request);
void exercise_notified(struct run *run, const struct request *request);
void exercise_underruns(struct run *run, const struct request *request);
void exercise_overruns(struct run *run, const struct request *request);
void exercise_pin_mute(struct run *run, const struct request *request);
void exercise_pin_power(struct run *run, const struct request *request);
void exercise_pin_power_capture(struct run *run, const struct request *request);
void exercise_pin_power_states(struct run *run, const struct request *request);
void exercise_pin_rebalance(struct run *run, const struct request *request);
void exercise_pin_unplug(struct run *run, const struct request *request);

/* --- pnp.c ------------------------------------------------------------------- */

struct pcm_machine;

/* Does PCM_MACHINE_ WANTED; false: broken or skipped. */
bool machine_act(struct run *run, uint32_t wanted, struct pcm_machine *after);

/* --- violation.c ------------------------------------------------------------- */

/* What the specification says of a transfer under the rule that it breaks. */
struct expected {
    uint64_t expected;
    uint64_t actual;
    bool any_node;                  /* actual: any node but the expected one */
    uint64_t fault;
    uint64_t wrapped;               /* where the card without checks puts it */
    bool denied;                    /* by an IOMMU: no policy moves a byte */
};

/* RESULT: what the device was told, and to do what; RULE: PCM_RULE_. */
struct expected violation_expect(uint32_t rule, const struct pcm_fault_result *result);

/* RESULT's record must be the only one, and what is expected.  WRITE: of memory. */
void violation_judge(struct run *run, uint32_t rule, uint32_t policy, bool write,
                     const struct pcm_fault_result *result, const struct expected *e);

/*
 * rules.c: announces to the host what it must find in the device's own log, and
 * nothing else: a write of memory and a read.  RESULT and E are the write's; the
 * read's are STEP further.
 */
void violation_announce(struct run *run, uint32_t rule, const struct pcm_fault_result *result,
                        const struct expected *e, uint32_t step);

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

/* --- mistake.c --------------------------------------------------------------- */

struct mistake {
    const char *name;
    const char *rule;               /* of the verifier */
    const char *about;
    uint32_t id;                    /* enum pcm_mistake_id */
};

/* The table; a NULL name ends it. */
extern const struct mistake mistake_table[];

/* NULL: there is no such mistake. */
const struct mistake *mistake_find(const char *name);

void mistake_run(struct run *run, const struct mistake *mistake);

#endif /* PCMASTER_RUN_H */
