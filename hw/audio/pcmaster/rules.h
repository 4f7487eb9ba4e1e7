/*
 * pcmaster: the rules that need no memory to be looked at
 *
 * Pure functions: they see a transaction and what is legal, nothing else.
 * Addresses are added modulo 2^64 everywhere, so that a transaction may be
 * anywhere, the last bytes of the address space included; places inside of it
 * are told by their offset from its first byte.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_AUDIO_PCMASTER_RULES_H
#define HW_AUDIO_PCMASTER_RULES_H

#include "pcmaster_regs.h"

typedef struct PcmWindow {
    uint64_t first;
    uint64_t last;
    uint32_t ctrl;
} PcmWindow;

/* What a requester asks of the DMA port.  The length is never 0. */
typedef struct PcmTransaction {
    uint64_t address;
    uint64_t anchor;            /* start of the requester's buffer */
    uint32_t extent;            /* bytes of that buffer */
    uint32_t length;
    uint64_t pc;                /* of the guest that caused it */
    bool ringing;               /* it is doing so now: ask for pc if needed */
    bool write;                 /* to memory */
    uint8_t requester;
} PcmTransaction;

/* How a transaction breaks a rule: the log's fields of the same names. */
typedef struct PcmFinding {
    uint32_t fault;             /* offset of the first byte that offends */
    uint64_t expected;
    uint64_t actual;
} PcmFinding;

/* What is legal. */
typedef struct PcmLegal {
    uint64_t last;              /* last byte, as of pcm_legal_last() */
    uint64_t mask;              /* bits that may vary in a buffer */
    uint32_t align;             /* of a buffer, powers of two */
    uint32_t grain;
    uint32_t burst;             /* 0: any length */
} PcmLegal;

/*
 * How the bytes of a transaction reach the bus.  Any values are safe to use,
 * except that what wraps at a boundary must have one.
 */
typedef struct PcmRoute {
    uint64_t last;              /* last legal byte */
    uint64_t mask;              /* bits that may vary from the anchor's */
    uint64_t anchor;
    uint32_t shift;             /* bytes the buffer starts too low */
    uint32_t count;             /* bytes of the buffer that are transferred */
    bool wrap_limit;
    bool wrap_boundary;
} PcmRoute;

/* The policy of @rule in a value of PCM_POLICY. */
unsigned pcm_rule_policy(uint32_t policies, unsigned rule);

/* Is every field of @policies, a value of PCM_POLICY, a policy? */
bool pcm_policies_valid(uint32_t policies);

/**
 * pcm_legal_last: last byte that both constraints allow.
 * @addr_bits: 20 to 64 address lines
 * @limit: last byte the driver allows
 */
uint64_t pcm_legal_last(unsigned addr_bits, uint64_t limit);

/**
 * pcm_judge: find the rules that need @legal alone and that @t breaks.
 * Those about buffers are judged where the buffer starts.
 * @f: one for each rule; those that are broken are filled in
 * Returns: one bit for each rule
 */
unsigned pcm_judge(const PcmTransaction *t, const PcmLegal *legal,
                   PcmFinding *f);

/**
 * pcm_breaks_windows: whether a byte of @t is in none of the windows that
 * are enabled and allow its direction.  If none is enabled everything is
 * legal.
 * @enabled: one bit for each of @windows
 * @likely: the window to look at first; the one that was of use last
 * @f: filled in if so
 */
bool pcm_breaks_windows(const PcmTransaction *t, const PcmWindow *windows,
                        uint64_t enabled, uint8_t *likely, PcmFinding *f);

/**
 * pcm_plan_route: how a card goes about @t that lacks the checks whose policy
 * is to wrap.
 */
PcmRoute pcm_plan_route(const PcmTransaction *t, const PcmLegal *legal,
                        uint32_t policies);

/**
 * pcm_route: where the byte that was asked for at @address goes.
 * @to: filled in with its address
 * @run: in: a number of bytes, at least 1; out: how many of them go to
 *       adjacent addresses, or nowhere
 * Returns: false if they go nowhere
 */
bool pcm_route(const PcmRoute *route, uint64_t address, uint64_t *to,
               uint64_t *run);

#endif /* HW_AUDIO_PCMASTER_RULES_H */
