/*
 * pcmaster: the rules that need no memory to be looked at
 *
 * docs/specs/pcmaster.rst, "Rules" and "Policies".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/host-utils.h"
#include "rules.h"

static uint64_t last_address(const PcmTransaction *t)
{
    return t->address + (t->length - 1);
}

/* Does the transaction run over the end of the 64-bit space? */
static bool overflows(const PcmTransaction *t)
{
    return last_address(t) < t->address;
}

unsigned pcm_rule_policy(uint32_t policies, unsigned rule)
{
    return extract32(policies, PCM_POLICY_SHIFT(rule), 2);
}

bool pcm_policies_valid(uint32_t policies)
{
    for (unsigned rule = 0; rule < PCM_RULE_COUNT; rule++) {
        if (pcm_rule_policy(policies, rule) > PCM_POLICY_RECORD) {
            return false;
        }
    }
    return true;
}

uint64_t pcm_legal_last(unsigned addr_bits, uint64_t limit)
{
    return MIN(MAKE_64BIT_MASK(0, addr_bits), limit);
}

static bool breaks_limit(const PcmTransaction *t, const PcmLegal *legal,
                         PcmFinding *f)
{
    uint64_t end = last_address(t);

    if (end <= legal->last && !overflows(t)) {
        return false;
    }
    *f = (PcmFinding) {
        .fault = t->address > legal->last ? 0 : legal->last - t->address + 1,
        .expected = legal->last,
        .actual = end,
    };
    return true;
}

/* The bits in which some address of @t differs from another or the anchor. */
static uint64_t varying_bits(const PcmTransaction *t)
{
    uint64_t differ = t->address ^ last_address(t);
    uint64_t within = overflows(t) ? UINT64_MAX :
                      differ ? UINT64_MAX >> clz64(differ) : 0;

    return within | (t->address ^ t->anchor);
}

static bool breaks_boundary(const PcmTransaction *t, const PcmLegal *legal,
                            PcmFinding *f)
{
    uint64_t mask = legal->mask;
    uint64_t varying = varying_bits(t);
    uint64_t unit;

    if (!(varying & ~mask)) {
        return false;
    }
    /*
     * If the first byte is legal, the lowest bit that may not vary is the
     * first to change, and it does at the next multiple of its value.
     */
    unit = 1ull << ctz64(~mask);
    *f = (PcmFinding) {
        .fault = ((t->address ^ t->anchor) & ~mask) ? 0 :
                 unit - (t->address & (unit - 1)),
        .expected = mask,
        .actual = varying,
    };
    return true;
}

/* --- Buffers ------------------------------------------------------------ */

static bool starts_buffer(const PcmTransaction *t)
{
    return t->address == t->anchor;
}

/* Bytes that the start of a buffer is above what is aligned. */
static uint32_t misalignment(const PcmTransaction *t, const PcmLegal *legal)
{
    return t->anchor & (legal->align - 1);
}

/* Bytes of a buffer beyond its last whole grain. */
static uint32_t odd_bytes(const PcmTransaction *t, const PcmLegal *legal)
{
    return t->extent & (legal->grain - 1);
}

static bool is_too_long(const PcmTransaction *t, const PcmLegal *legal)
{
    return legal->burst && t->extent > legal->burst;
}

static bool breaks_align(const PcmTransaction *t, const PcmLegal *legal,
                         PcmFinding *f)
{
    *f = (PcmFinding) {
        .expected = legal->align,
        .actual = misalignment(t, legal),
    };
    return starts_buffer(t) && f->actual;
}

static bool breaks_grain(const PcmTransaction *t, const PcmLegal *legal,
                         PcmFinding *f)
{
    *f = (PcmFinding) {
        .fault = t->extent - odd_bytes(t, legal),
        .expected = legal->grain,
        .actual = odd_bytes(t, legal),
    };
    return starts_buffer(t) && f->actual;
}

static bool breaks_burst(const PcmTransaction *t, const PcmLegal *legal,
                         PcmFinding *f)
{
    *f = (PcmFinding) {
        .fault = legal->burst,
        .expected = legal->burst,
        .actual = t->extent,
    };
    return starts_buffer(t) && is_too_long(t, legal);
}

unsigned pcm_judge(const PcmTransaction *t, const PcmLegal *legal,
                   PcmFinding *f)
{
    static const struct {
        uint8_t rule;
        bool (*breaks)(const PcmTransaction *t, const PcmLegal *legal,
                       PcmFinding *f);
    } rules[] = {
        { PCM_RULE_LIMIT, breaks_limit },
        { PCM_RULE_BOUNDARY, breaks_boundary },
        { PCM_RULE_ALIGN, breaks_align },
        { PCM_RULE_GRAIN, breaks_grain },
        { PCM_RULE_BURST, breaks_burst },
    };
    unsigned broken = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(rules); i++) {
        if (rules[i].breaks(t, legal, &f[rules[i].rule])) {
            broken |= 1u << rules[i].rule;
        }
    }
    return broken;
}

/* --- Windows ------------------------------------------------------------ */

static bool window_allows(const PcmWindow *w, bool write)
{
    return w->ctrl & (write ? PCM_W_WRITE : PCM_W_READ);
}

static bool window_holds(const PcmWindow *w, uint64_t address)
{
    return w->first <= address && address <= w->last;
}

/* How many bytes of @t, from @offset on, the window holds. */
static uint64_t held_by(const PcmWindow *w, const PcmTransaction *t,
                        uint64_t offset)
{
    uint64_t address = t->address + offset;

    if (!window_allows(w, t->write) || !window_holds(w, address)) {
        return 0;
    }
    return MIN(w->last - address, t->length - offset - 1) + 1;
}

/* The same of any window; a buffer is seldom used only once. */
static uint64_t held_by_a_window(const PcmTransaction *t, uint64_t offset,
                                 const PcmWindow *windows, uint64_t enabled,
                                 uint8_t *likely)
{
    uint64_t held = extract64(enabled, *likely, 1) ?
                    held_by(&windows[*likely], t, offset) : 0;

    for (; enabled && !held; enabled &= enabled - 1) {
        *likely = ctz64(enabled);
        held = held_by(&windows[*likely], t, offset);
    }
    return held;
}

static void find_window_fault(const PcmTransaction *t, uint64_t fault,
                              const PcmWindow *windows, uint64_t enabled,
                              PcmFinding *f)
{
    uint64_t address = t->address + fault;
    bool below = false;

    *f = (PcmFinding) {
        .fault = fault, .expected = UINT64_MAX, .actual = UINT64_MAX,
    };
    for (; enabled; enabled &= enabled - 1) {
        unsigned number = ctz64(enabled);
        const PcmWindow *w = &windows[number];

        if (window_allows(w, t->write)) {
            if (w->first <= w->last && w->last < address &&
                (!below || w->last > f->expected)) {
                f->expected = w->last;
                below = true;
            }
        } else if (window_holds(w, address) && f->actual == UINT64_MAX) {
            f->actual = number;
        }
    }
}

bool pcm_breaks_windows(const PcmTransaction *t, const PcmWindow *windows,
                        uint64_t enabled, uint8_t *likely, PcmFinding *f)
{
    uint64_t offset = 0;

    while (enabled && offset < t->length) {
        uint64_t held = held_by_a_window(t, offset, windows, enabled, likely);

        if (!held) {
            find_window_fault(t, offset, windows, enabled, f);
            return true;
        }
        offset += held;
    }
    return false;
}

/* --- Routes ------------------------------------------------------------- */

static bool wraps(uint32_t policies, unsigned rule)
{
    return pcm_rule_policy(policies, rule) == PCM_POLICY_WRAP;
}

/* What a counter of the bytes of a buffer makes of their number. */
static uint32_t counted_bytes(const PcmTransaction *t, const PcmLegal *legal,
                              uint32_t policies)
{
    uint32_t count = t->extent;

    if (wraps(policies, PCM_RULE_GRAIN)) {
        count -= odd_bytes(t, legal);
    }
    if (wraps(policies, PCM_RULE_BURST) && is_too_long(t, legal) && count) {
        count = (count - 1) % legal->burst + 1;
    }
    return count;
}

PcmRoute pcm_plan_route(const PcmTransaction *t, const PcmLegal *legal,
                        uint32_t policies)
{
    uint32_t shift = wraps(policies, PCM_RULE_ALIGN) ?
                     misalignment(t, legal) : 0;
    PcmFinding unused;

    return (PcmRoute) {
        .last = legal->last,
        .mask = legal->mask,
        .anchor = t->anchor - shift,
        .shift = shift,
        .count = counted_bytes(t, legal, policies),
        .wrap_limit = wraps(policies, PCM_RULE_LIMIT) &&
                      breaks_limit(t, legal, &unused),
        .wrap_boundary = wraps(policies, PCM_RULE_BOUNDARY) &&
                         breaks_boundary(t, legal, &unused),
    };
}

/* Bytes from @address on to the next multiple of 2^@bits. */
static uint64_t bytes_to_multiple(uint64_t address, unsigned bits)
{
    uint64_t unit = 1ull << bits;

    return unit - (address & (unit - 1));
}

/* The counter of bytes and the lowest address lines come first, ... */
static bool route_in_buffer(const PcmRoute *route, uint64_t *address,
                            uint64_t *run)
{
    uint64_t at;

    *address -= route->shift;
    at = *address - route->anchor;
    if (at >= route->count) {
        return false;
    }
    *run = MIN(*run, route->count - at);
    return true;
}

/* ... the counter of addresses after that, and the other lines last. */
bool pcm_route(const PcmRoute *route, uint64_t address, uint64_t *to,
               uint64_t *run)
{
    if (!route_in_buffer(route, &address, run)) {
        return false;
    }
    if (route->wrap_boundary) {
        *run = MIN(*run, bytes_to_multiple(address, ctz64(~route->mask)));
        address = (route->anchor & ~route->mask) | (address & route->mask);
    }
    if (route->wrap_limit && address > route->last) {
        /* An address beyond it exists, so that LAST + 1 does not overflow. */
        unsigned lines = 63 - clz64(route->last + 1);

        *run = MIN(*run, bytes_to_multiple(address, lines));
        address &= (1ull << lines) - 1;
    } else if (route->wrap_limit && route->last - address < *run - 1) {
        *run = route->last - address + 1;
    }
    *to = address;
    return true;
}
