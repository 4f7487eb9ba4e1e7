/*
 * pcmaster: the state of the device and what its rooms offer each other
 *
 * All functions run under the big QEMU lock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_AUDIO_PCMASTER_H
#define HW_AUDIO_PCMASTER_H

#include "hw/pci/pci_device.h"
#include "qemu/timer.h"
#include "qemu/units.h"
#include "qom/object.h"
#include "compat.h"
#include "pcmaster_regs.h"
#include "rules.h"

#define TYPE_PCMASTER "pcmaster"
OBJECT_DECLARE_SIMPLE_TYPE(PcmasterState, PCMASTER)

typedef struct PcmStream PcmStream;

#define PCM_PLAYBACK_MAX        8
#define PCM_CAPTURE_MAX         8
#define PCM_LOG_RECORDS         256
#define PCM_EX_SLICE_BYTES      (1 * MiB)
#define PCM_EX_CHUNK_BYTES      (32 * KiB)

/* --- Violation log ------------------------------------------------------ */

typedef struct PcmViolation {
    uint64_t address;
    uint64_t expected;
    uint64_t actual;
    uint64_t fault;
    uint64_t landed;
    uint64_t pc;
    int64_t time;
    uint32_t length;
    uint32_t sequence;
    uint8_t rule;
    uint8_t requester;
    uint8_t policy;
    bool write;
} PcmViolation;

typedef struct PcmLog {
    PcmViolation record[PCM_LOG_RECORDS];   /* a ring */
    uint32_t head;                          /* the oldest */
    uint32_t count;
    uint32_t lost;
    uint32_t sequence;                      /* of the next */
} PcmLog;

/* --- DMA port ----------------------------------------------------------- */

#define PCM_POLICY_INHERITED    -1

/* What the port of this device can do, and what follows a broken rule. */
typedef struct PcmHardware {
    uint8_t addr_bits;
    uint64_t boundary;          /* bytes; 0: the mask counts */
    uint64_t boundary_mask;
    uint32_t align;
    uint32_t grain;
    uint32_t burst;             /* 0: any length */
    uint32_t node;              /* or PCM_NODE_ANY */
    int policy;
    int rule_policy[PCM_RULE_COUNT];    /* or PCM_POLICY_INHERITED */
} PcmHardware;

/* Where the bytes of a transaction went or came from. */
typedef struct PcmPlaces {
    uint64_t node_bytes[PCM_NODES_MAX];
    uint32_t nodeless;
} PcmPlaces;

/* A transaction on its way through the port. */
typedef struct PcmDma {
    PcmTransaction t;
    PcmPlaces *places;          /* of a requester that wants to know, or NULL */
    PcmRoute route;
    PcmFinding finding[PCM_RULE_COUNT];
    uint32_t node;              /* expected */
    uint32_t policy;
    uint32_t checked;           /* bytes whose memory was looked at */
    uint32_t moved;             /* bytes that really were transferred */
    uint32_t pieces;            /* effort: pieces of memory looked up */
    uint64_t touched[PCM_NODES_MAX / 64 + 1];   /* one bit for each node */
    uint32_t cut;               /* bytes after which an injection cuts it */
    uint16_t broken;            /* one bit for each rule */
    bool flipped;               /* an injection has flipped bits in it */
    bool aborted;
} PcmDma;

typedef enum PcmDmaVerdict {
    PCM_DMA_UNDECIDED,          /* more pieces than a call looks at: go on */
    PCM_DMA_GRANTED,
    PCM_DMA_ABORTED,
} PcmDmaVerdict;

/* --- Accounting --------------------------------------------------------- */

typedef struct PcmCount {
    uint64_t read_bytes;
    uint64_t reads;             /* transactions */
    uint64_t write_bytes;
    uint64_t writes;
} PcmCount;

/* All of them stay at their maximum. */
typedef struct PcmAccounting {
    PcmCount of[PCM_ACC_COUNT];
    PcmCount on_node[PCM_NODES_MAX];
    uint64_t weighed;           /* bytes at known distances */
    uint64_t weight;            /* sum of those */
} PcmAccounting;

/* --- Fault injection ---------------------------------------------------- */

/* Registers from PCM_INJ_IRQ_DELAY on. */
#define PCM_INJECTION_SETTINGS  11
#define PCM_INJECTION_SETTING(reg)  (((reg) - PCM_INJ_IRQ_DELAY) / 4)

/* The registers of these names. */
typedef struct PcmInjection {
    uint32_t irq_delay;
    uint32_t irq_lose;
    uint32_t irq_repeat;
    uint32_t stuck;
    uint32_t requesters;
    uint32_t flip;
    uint32_t flip_offset;
    uint32_t flip_mask;
    uint32_t cut;
    uint32_t cut_length;
    uint32_t silence;
    uint32_t stuck_logged;      /* streams that were told of */
    uint64_t shown[PCM_STREAM_COUNT];   /* S_POSITION at the last look */
} PcmInjection;

/* --- Exerciser ---------------------------------------------------------- */

typedef enum PcmExPhase {
    PCM_EX_IDLE,
    PCM_EX_CHECKING,
    PCM_EX_MOVING,
    PCM_EX_PHASES,
} PcmExPhase;

typedef struct PcmExerciser {
    QEMUTimer timer;            /* the next slice */

    /* Registers */
    uint64_t address;
    uint64_t seed;
    uint32_t length;
    uint32_t result;
    uint32_t done;
    uint32_t mismatches;
    uint32_t first_mismatch;
    uint32_t mismatch_bytes;
    uint32_t checksum;
    PcmPlaces places;

    /* The command in flight */
    uint8_t phase;              /* PcmExPhase */
    uint32_t command;
    uint32_t offset;            /* bytes it has seen */
    uint64_t first_word;        /* the pattern's */
    PcmDma dma;
} PcmExerciser;

/* --- Interrupt ---------------------------------------------------------- */

/* One for each stream, and one more. */
QEMU_BUILD_BUG_ON(PCM_VECTORS != PCM_STREAM_COUNT + 1);

typedef struct PcmIrq {
    QEMUTimer timer;            /* sends messages where nobody else can */

    /* Registers */
    uint32_t vector;
    uint32_t stream_vector[PCM_STREAM_COUNT];

    /* Sources that were pending at the last look, one bit each */
    uint32_t pending;
    uint32_t stream_pending[PCM_STREAM_COUNT];

    uint32_t due;               /* messages, one bit for each vector */
    bool raised;                /* the line */

    /* Injected faults; the line is vector 0 here */
    QEMUTimer late_timer;
    uint32_t late;              /* held back, one bit for each vector */
    int64_t late_ns[PCM_VECTORS];   /* when they come */
    uint32_t repeated;          /* due for the second time */
    bool line_again;            /* up once more when all is cleared */
} PcmIrq;

/* --- The device --------------------------------------------------------- */

/* What is done for each transfer uses @parent_obj: QOM's casts are checked. */
struct PcmasterState {
    PCIDevice parent_obj;

    /* Elements */
    MemoryRegion mmio;
    PcmAudio audio;
    bool audio_ready;
    unsigned depth;             /* works that are under way, nested */
    bool reset_due;             /* when they are done */
    bool unplugged;

    /* Configuration */
    PcmHardware hw;
    uint8_t playback;           /* streams */
    OnOffAuto msi;
    OnOffAuto msix;
    uint8_t capture;            /* streams, numbered after those */
    bool loopback;              /* capture hears playback */
    uint8_t channels;           /* most of a stream */
    uint8_t frame_unit;         /* bytes that the back end takes together */
    bool mixed_out;             /* QEMU mixes what is played */
    bool guest_injection;       /* the guest may inject faults, too */

    /* Registers */
    uint32_t int_status;
    uint32_t int_enable;
    uint32_t addr_bits;
    uint32_t align;
    uint32_t grain;
    uint32_t burst;
    uint32_t node;
    uint32_t policy;
    uint64_t limit;
    uint64_t boundary;
    PcmWindow windows[PCM_WINDOW_COUNT];
    uint64_t windows_enabled;   /* one bit for each, as their ctrl says */
    uint8_t window_likely;      /* saves looking at all of them; any will do */
    PcmLog log;
    PcmAccounting accounting;
    PcmInjection injection;

    /* Engines */
    PcmExerciser exerciser;
    PcmIrq irq;
    uint8_t stream_count;
    PcmStream *streams[PCM_STREAM_COUNT];
    uint32_t effort;            /* left for the streams, as of effort_ms */
    int64_t effort_ms;
};

/* --- pcmaster.c --------------------------------------------------------- */

/* Returns every register, queue and engine to its state after power-on. */
void pcmaster_reset_state(PcmasterState *s);

/* Is the device there, bus mastering on, and the device not silent? */
bool pcmaster_can_do_dma(PcmasterState *s);

/**
 * pcmaster_dismantle: stop all engines and let go of what they hold, after the
 * device has been unplugged.
 */
void pcmaster_dismantle(PcmasterState *s);

/* --- guard.c ------------------------------------------------------------ */

/*
 * Is the device plugged in, and no reset of it waiting for the end of its
 * work?  If not, it must not touch the bus.
 */
bool pcmaster_is_there(const PcmasterState *s);

/**
 * pcmaster_enter: the device is about to do something, perhaps in the midst
 * of something else.  What it works with stays until pcmaster_leave().
 */
void pcmaster_enter(PcmasterState *s);

/* The end of it.  A reset that has waited for it takes place. */
void pcmaster_leave(PcmasterState *s);

/* Reset the registers, in the midst of work when it is done. */
void pcmaster_reset_when_done(PcmasterState *s);

/* The device is unplugged: pcmaster_dismantle(), likewise. */
void pcmaster_unplug(PcmasterState *s);

/**
 * pcmaster_guard: pcmaster_enter(), and keep the device alive, and its
 * registers from being accessed, while a timer, the audio back end or a write
 * to its config space is at work in it.  Accesses to registers have that from
 * QEMU's memory core.
 * Returns: what to give to pcmaster_unguard() or pcmaster_unguard_later()
 */
bool pcmaster_guard(PcmasterState *s);

/**
 * pcmaster_unguard: the end of it.  Sends the messages that are due; @s may be
 * gone afterwards.
 */
void pcmaster_unguard(PcmasterState *s, bool was_guarded);

/* The same for callers that do not bear messages: a timer sends them now. */
void pcmaster_unguard_later(PcmasterState *s, bool was_guarded);

/* --- irq.c -------------------------------------------------------------- */

/*
 * The only place that decides on the interrupt.  To be called after any
 * change.  It drives INTx; messages are only noted to be due.
 */
void pcmaster_irq_update(PcmasterState *s);

/* Sets bits of PCM_INT_STATUS that are the device's own. */
void pcmaster_irq_raise(PcmasterState *s, uint32_t bits);

/* The driver has looked at PCM_INT_STATUS: a repeated INTx ends. */
void pcmaster_irq_looked_at(PcmasterState *s);

/* PCM_INT_STATUS, the streams' bits included. */
uint32_t pcmaster_int_status(PcmasterState *s);

/**
 * pcmaster_send_messages: send the messages that are due.
 *
 * The guest may have directed them at the device's own registers, at a config
 * space that resets the device, or at a slot that unplugs it.  So they are
 * sent as the last act of whatever called the device: nothing may follow.
 */
void pcmaster_send_messages(PcmasterState *s);

/* What is pending counts as new: nobody may have heard of it so far. */
void pcmaster_tell_again(PcmasterState *s);

/* The capabilities go. */
void pcmaster_irq_exit(PcmasterState *s);

/* No message is due any more, and none will be. */
void pcmaster_irq_dismantle(PcmasterState *s);

/* No message is due or waits, and all vectors are the default ones. */
void pcmaster_irq_reset(PcmasterState *s);

/**
 * pcmaster_irq_init: add the capabilities of the interrupts that the
 * properties ask for, as far as the machine has them.
 * Returns: false if they ask for too much
 */
bool pcmaster_irq_init(PcmasterState *s, Error **errp);

/* Which of MSI-X, MSI and INTx does the driver use now? */
typedef enum PcmIrqWay {
    PCM_IRQ_LINE,
    PCM_IRQ_MSI,
    PCM_IRQ_MSIX,
} PcmIrqWay;
PcmIrqWay pcmaster_irq_way(PcmasterState *s);

/* --- doorbell-pc.c ------------------------------------------------------ */

/**
 * pcm_doorbell_pc: where the guest is that accesses a register.
 *
 * To be called from within such an access only.  With KVM it costs a look at
 * the registers of the CPU: worth it where something is to be reported.
 * Returns: the virtual address of the instruction with TCG, of the one that
 * comes next with KVM; PCM_PC_UNKNOWN if no CPU makes the access, or if the
 * accelerator does not tell
 */
uint64_t pcm_doorbell_pc(void);

/* --- registers.c -------------------------------------------------------- */

extern const MemoryRegionOps pcmaster_mmio_ops;

/* To be called once, before the first access. */
void pcm_registers_init(void);

/* --- registers-device.c ------------------------------------------------- */

/* Could the device and its driver have made what is in its registers? */
bool pcm_device_registers_valid(const PcmasterState *s);

/* --- vmstate.c ---------------------------------------------------------- */

extern const VMStateDescription vmstate_pcmaster;

/* --- violation-log.c ---------------------------------------------------- */

extern const char *const pcm_rule_names[PCM_RULE_COUNT];
extern const char *const pcm_policy_names[PCM_POLICY_RECORD + 1];

/* Drop all, and start the numbers anew. */
void pcm_log_reset(PcmLog *log);

/**
 * pcm_log_add: queue @v, whose time and sequence are filled in here, trace
 * it and raise the violation interrupt.
 */
void pcm_log_add(PcmasterState *s, PcmViolation v);

/* The oldest record, or NULL. */
const PcmViolation *pcm_log_oldest(const PcmLog *log);

/* Drop the oldest record.  Returns: false if there is none. */
bool pcm_log_pop(PcmLog *log);

/* Drop all records and the count of lost ones. */
void pcm_log_clear(PcmLog *log);

/* Getter of the QOM property "violations": a list of dictionaries. */
void pcm_log_get_property(Object *obj, Visitor *v, const char *name,
                          void *opaque, Error **errp);

/* --- numa.c ------------------------------------------------------------- */

/* Number of NUMA nodes; a machine without NUMA has one. */
uint32_t pcm_node_count(void);

/* Node of the bus the device is on, or PCM_NODE_ANY. */
uint32_t pcm_node_of_device(PCIDevice *dev);

/* SLIT distance of @node from the device's; 0: it is not known. */
uint32_t pcm_node_distance(PCIDevice *dev, uint32_t node);

/**
 * pcm_node_of_memory: node that the byte at @offset in @mr belongs to, or
 * PCM_NODE_ANY.
 * @run: in: a number of bytes; out: how many of them it is true for
 */
uint32_t pcm_node_of_memory(const MemoryRegion *mr, hwaddr offset,
                            hwaddr *run);

/* Lowest guest-physical address of RAM of @node; all ones: it has none. */
uint64_t pcm_node_lowest(uint32_t node);

/* --- accounting.c ------------------------------------------------------- */

/**
 * pcm_accounting_add: count @bytes of @d, before they are added to its own.
 * @node: where they went or came from, or PCM_NODE_ANY
 */
void pcm_accounting_add(PcmasterState *s, PcmDma *d, uint32_t node,
                        uint32_t bytes);

/* All counters become 0. */
void pcm_accounting_clear(PcmasterState *s);

/* Getter of the QOM property "accounting": a dictionary. */
void pcm_accounting_get_property(Object *obj, Visitor *v, const char *name,
                                 void *opaque, Error **errp);

/* --- injection.c -------------------------------------------------------- */

/* All of it off, in a device that is not at work yet. */
void pcm_injection_init(PcmInjection *i);

/* All of it off. */
void pcm_injection_reset(PcmasterState *s);

/* Name of PCM_INJECTED_..., or NULL. */
const char *pcm_injection_kind_name(uint64_t kind);

/* Could the registers hold this? */
bool pcm_injection_valid(const PcmInjection *i);

/* Adds the properties of the host. */
void pcm_injection_add_properties(ObjectClass *klass);

/* The guest's door to PCM_INJECTION_SETTING @number, if it is open. */
uint64_t pcm_injection_guest_read(PcmasterState *s, unsigned number);
void pcm_injection_guest_write(PcmasterState *s, unsigned number,
                               uint64_t value);

/* Does the device answer no more? */
bool pcm_injection_silent(const PcmasterState *s);

/**
 * pcm_injection_position: what the register of a stream shows, whose position
 * is @position: the last one it showed, if it is stuck.
 */
uint64_t pcm_injection_position(PcmasterState *s, unsigned stream,
                                uint64_t position);

/**
 * pcm_injection_log: record and trace that an injection outside of the DMA
 * port has acted.
 * @requester: a stream, or PCM_REQUESTER_DEVICE
 * @kind: PCM_INJECTED_...
 * @actual: by kind
 */
void pcm_injection_log(PcmasterState *s, uint8_t requester, uint64_t kind,
                       uint64_t actual);

/**
 * pcm_injection_cut: decide whether @d is cut within @length bytes at
 * @offset, or before them.  If so, it is recorded.
 */
void pcm_injection_cut(PcmasterState *s, PcmDma *d, uint32_t offset,
                       uint32_t length);

/**
 * pcm_injection_flip: whether a bit flips in @length bytes at @offset of @d.
 * If so, it is recorded, and @at is its byte's offset from @offset.
 * Returns: the bits, or 0
 */
uint8_t pcm_injection_flip(PcmasterState *s, PcmDma *d, uint32_t offset,
                           uint32_t length, uint32_t *at);

/* --- port-properties.c -------------------------------------------------- */

/* Adds the policies, and describes all properties of the port. */
void pcm_port_add_properties(ObjectClass *klass);

/* The defaults of those. */
void pcm_port_init_policies(PcmHardware *hw);

/* Returns: false, with the reason, if there is no such hardware. */
bool pcm_port_check_properties(const PcmHardware *hw, Error **errp);

/* Mask of the address bits that the hardware lets vary in a buffer. */
uint64_t pcm_port_hw_mask(const PcmHardware *hw);

/* The policy of @rule after a reset: its own one, or that of all. */
int pcm_port_hw_policy(const PcmHardware *hw, unsigned rule);

/* --- port.c ------------------------------------------------------------- */

/* Can this be in ALIGN or GRAIN, and in BURST, of some device? */
bool pcm_align_valid(uint64_t align);
bool pcm_burst_valid(uint64_t burst);

/* The port's registers as the properties have them, and no windows. */
void pcm_port_reset(PcmasterState *s);

#define PCM_W_ALL       (PCM_W_ENABLE | PCM_W_READ | PCM_W_WRITE)

/* A window's W_CTRL has changed, or those of all. */
void pcm_port_update_window(PcmasterState *s, unsigned number);
void pcm_port_update_windows(PcmasterState *s);

/* Could the driver have written what is in the port's registers? */
bool pcm_port_registers_valid(const PcmasterState *s);

/* --- memory-lookup.c ---------------------------------------------------- */

/* Bytes that are adjacent in one thing an address can lead to. */
typedef struct PcmPiece {
    uint64_t length;
    uint32_t node;              /* or PCM_NODE_ANY */
    uint32_t target;            /* PCM_TARGET_... */
    uint32_t passes;            /* PCM_IOMMU_..., if it is denied */
    bool denied;                /* by an IOMMU; what is behind is not told */
} PcmPiece;

/* How the device's transfers look to the bus: they are for memory. */
extern const MemTxAttrs pcm_memory_attrs;

/**
 * pcm_memory_look_up: what @length bytes at @address lead to, as far as it is
 * one thing.
 * @write: the direction that is asked for, to memory
 */
PcmPiece pcm_memory_look_up(PcmasterState *s, uint64_t address,
                            uint64_t length, bool write);

/* --- dma-port.c --------------------------------------------------------- */

/**
 * pcm_dma_begin: take in @t, with the rules and policies as they are now.
 */
void pcm_dma_begin(PcmasterState *s, PcmDma *d, PcmTransaction t);

/**
 * pcm_dma_check: judge the whole transaction, log what is wrong with it.
 * @effort: give up, to be called again, after so many pieces of memory
 * A device that is stopped meanwhile aborts it, and logs nothing.
 */
PcmDmaVerdict pcm_dma_check(PcmasterState *s, PcmDma *d, uint32_t effort);

/* Where a byte goes, if there is memory to take or give it. */
uint64_t pcm_dma_find_landing(PcmasterState *s, const PcmDma *d,
                              uint32_t offset);

/* Where the guest was that caused @d. */
uint64_t pcm_dma_pc(const PcmDma *d);

/**
 * PcmDmaWork: what a requester does with guest memory while it is mapped.
 * @memory: @length bytes that are adjacent; of a read, 0xff if not there
 * @offset: of the first of them, from the transaction's first byte
 */
typedef void PcmDmaWork(void *opaque, uint8_t *memory, uint32_t offset,
                        uint32_t length);

/**
 * pcm_dma_work: let @work read or write part of a granted transaction.
 * @offset: of the part, from the transaction's first byte
 * Returns: false if the memory refused, and the policy is to abort then, or
 * if the device has been stopped meanwhile.
 */
bool pcm_dma_work(PcmasterState *s, PcmDma *d, uint32_t offset,
                  uint32_t length, PcmDmaWork *work, void *opaque);

/**
 * pcm_dma_move: transfer part of a granted transaction.
 * @offset: of the part, from the transaction's first byte
 * @buf: source or destination; a byte that cannot be read arrives as 0xff
 * Returns: false if the memory refused, and the policy is to abort then, or
 * if the device has been stopped meanwhile.
 */
bool pcm_dma_move(PcmasterState *s, PcmDma *d, uint32_t offset, void *buf,
                  uint32_t length);

/* --- pattern.c ---------------------------------------------------------- */

/**
 * pcm_pattern_fill: write @length bytes of the pattern whose first word is
 * @first, from its byte @offset on, to @to.
 */
void pcm_pattern_fill(uint8_t *to, uint64_t first, uint32_t offset,
                      size_t length);

/* Are these bytes of the pattern at @from? */
bool pcm_pattern_equals(const uint8_t *from, uint64_t first, uint32_t offset,
                        size_t length);

/* Byte @offset of the pattern. */
uint8_t pcm_pattern_byte(uint64_t first, uint32_t offset);

/* Load @length bytes at @from into the processor. */
void pcm_pattern_load(const uint8_t *from, size_t length);

/* --- exerciser.c -------------------------------------------------------- */

/* To be called once, before anything else. */
void pcm_exerciser_init(PcmasterState *s);

/* A command that is under way ends without interrupt; nothing was ever done. */
void pcm_exerciser_reset(PcmasterState *s);

/* The same before the device goes; its registers stay. */
void pcm_exerciser_exit(PcmasterState *s);

/* Is there such a PCM_EX_COMMAND? */
bool pcm_exerciser_knows(uint32_t command);

/* PCM_EX_COMMAND was written. */
void pcm_exerciser_command(PcmasterState *s, uint32_t command);

/* --- audiodev.c --------------------------------------------------------- */

/* Once the back end is known: find out what it can carry. */
void pcm_audio_look(PcmasterState *s);

/* --- stream.c: what a stream is, is in stream.h ------------------------- */

void pcm_streams_init(PcmasterState *s);
void pcm_streams_reset(PcmasterState *s);
void pcm_streams_exit(PcmasterState *s);

/* Resume after migration.  Returns: false if no back end opens. */
bool pcm_streams_arrive(PcmasterState *s);

/* A message has told the driver of what is set and enabled in S_STATUS. */
void pcm_stream_told(PcmStream *p);

#endif /* HW_AUDIO_PCMASTER_H */
