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
    uint32_t length;
    bool write;                 /* to memory */
    uint8_t requester;
} PcmTransaction;

/* How a transaction breaks a rule: the log's fields of the same names. */
typedef struct PcmFinding {
    uint32_t fault;             /* offset of the first byte that offends */
    uint64_t expected;
    uint64_t actual;
} PcmFinding;

/* How the bytes of a transaction reach the bus. */
typedef struct PcmRoute {
    uint64_t last;              /* last legal byte */
    uint64_t mask;              /* bits that may vary from the anchor's */
    uint64_t anchor;
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
 * pcm_breaks_limit: whether a byte of @t is above @last.
 * @f: filled in if so
 */
bool pcm_breaks_limit(const PcmTransaction *t, uint64_t last, PcmFinding *f);

/**
 * pcm_breaks_boundary: whether bits outside @mask vary inside @t, or
 * between @t and the start of its requester's buffer.
 * @f: filled in if so
 */
bool pcm_breaks_boundary(const PcmTransaction *t, uint64_t mask,
                         PcmFinding *f);

/**
 * pcm_breaks_windows: whether a byte of @t is in none of the @count windows
 * at @windows that are enabled and allow its direction.  If no window is
 * enabled everything is legal.
 * @f: filled in if so
 */
bool pcm_breaks_windows(const PcmTransaction *t, const PcmWindow *windows,
                        unsigned count, PcmFinding *f);

/**
 * pcm_route: where the byte that was asked for at @address goes.
 * @run: in: a number of bytes, at least 1; out: how many of them go to
 *       adjacent addresses
 */
uint64_t pcm_route(const PcmRoute *route, uint64_t address, uint64_t *run);

#endif /* HW_AUDIO_PCMASTER_RULES_H */
