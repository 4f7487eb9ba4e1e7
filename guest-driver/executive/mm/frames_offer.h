/* SPDX-License-Identifier: MIT */
/*
 * Tiles, and what free runs can offer. Private to the frame allocator, and inline
 * because every step of a search or an update asks. All numbers are page numbers
 * and page counts.
 */
#ifndef PCMASTER_EXECUTIVE_MM_FRAMES_OFFER_H
#define PCMASTER_EXECUTIVE_MM_FRAMES_OFFER_H

#include "frames.h"

/* Page numbers are below 2^FRAMES_ADDRESS_ORDER. */
#define FRAMES_ADDRESS_ORDER (64 - FRAMES_PAGE_SHIFT)

struct frames_tile {
    uint64_t start;
    uint64_t pages : 63; /* at least 1 */
    uint64_t allocated : 1; /* 0: a free run */
};

/*
 * The best that some free runs can do. A "line of order k" is a page number
 * divisible by 2^k; a run is cut by those that lie strictly inside it.
 *
 * Let c be the highest order of a line that cuts a run, and `undivided` the
 * longer of the two parts that this line makes. Then n pages without a line of
 * order k between them (n at most 2^k, a power of two) fit into the run
 *     if undivided >= n, whatever k is: the part begins or ends on that line, so
 *         that its 2^k pages nearest to the line hold no other line of order k;
 *     or if c < k and the whole run has n pages;
 *     and in no other case: with c >= k the 2^k pages on either side of the line
 *         are the longest pieces between lines of order k.
 *
 * `lanes` are eight bytes, none above FRAMES_LANE_MAX. Byte k - 1, for k from 1
 * to FRAMES_LINE_ORDERS (512 KiB), has the pages of the longest run with c < k,
 * or FRAMES_LANE_MAX if that is less; such a run has at most 2^k pages. The last
 * byte is the highest order of a page on which a buffer can begin.
 */
struct frames_offer {
    uint64_t longest;   /* pages of the longest run */
    uint64_t undivided; /* the greatest `undivided` of a run */
    uint64_t lanes;
};

#define FRAMES_LINE_ORDERS 7
#define FRAMES_LANE_BITS 8
#define FRAMES_LANE_MAX 127u

/* A request in pages. */
struct frames_fit {
    uint64_t lowest;  /* first page of the buffer: at least this */
    uint64_t highest; /* and at most this */
    uint64_t pages;   /* at most 2^line_order */
    unsigned line_order; /* no line of this order inside the buffer */
    unsigned align_order; /* the first page is a line of this order */
};

/* A request, as it is compared with offers. */
struct frames_probe {
    uint64_t pages;
    uint64_t align;   /* least `lanes`: those with this order in the last byte */
    unsigned lane;    /* the byte of `lanes` that tells of undivided runs */
    bool lines_count; /* whether one does */
};

static inline uint64_t frames_tile_end(const struct frames_tile *tile)
{
    return tile->start + tile->pages;
}

static inline uint64_t frames_greater(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* The greater of the two in every lane: the top bits, which no lane uses, tell
   where a is not less than b. */
static inline uint64_t frames_greater_lanes(uint64_t a, uint64_t b)
{
    uint64_t tops = 0x8080808080808080u;
    uint64_t chosen = ((a | tops) - b) & tops;
    uint64_t mask = chosen - (chosen >> (FRAMES_LANE_BITS - 1));
    return (a & mask) | (b & ~mask);
}

/* `value` in this lane and in all up to that of FRAMES_LINE_ORDERS. */
static inline uint64_t frames_lanes_from(unsigned lane, uint64_t value)
{
    uint64_t ones = 0x0101010101010101u >> FRAMES_LANE_BITS;
    unsigned shift = FRAMES_LANE_BITS *
                     (lane < FRAMES_LINE_ORDERS ? lane : FRAMES_LINE_ORDERS);
    value = value < FRAMES_LANE_MAX ? value : FRAMES_LANE_MAX;
    return (ones >> shift << shift) * value;
}

static inline uint64_t frames_order_lane(uint64_t order)
{
    return order << (FRAMES_LANE_BITS * FRAMES_LINE_ORDERS);
}

static inline void frames_offer_raise(struct frames_offer *offer,
                                      const struct frames_offer *other)
{
    offer->longest = frames_greater(offer->longest, other->longest);
    offer->undivided = frames_greater(offer->undivided, other->undivided);
    offer->lanes = frames_greater_lanes(offer->lanes, other->lanes);
}

static inline bool frames_offers_equal(const struct frames_offer *a,
                                       const struct frames_offer *b)
{
    return a->longest == b->longest && a->undivided == b->undivided &&
           a->lanes == b->lanes;
}

/*
 * What a free run offers. The bits that are set take the place of a run at page 0,
 * which no bit ends, and of a run of one page, which no line cuts.
 */
static inline struct frames_offer frames_offer_of(const struct frames_tile *run)
{
    uint64_t start = run->start;
    uint64_t pages = run->pages;
    uint64_t last = start + pages - 1;
    unsigned order =
        (unsigned)__builtin_ctzll(start | 1ull << FRAMES_ADDRESS_ORDER);
    unsigned cut = 63u - (unsigned)__builtin_clzll((start ^ last) | 1);
    uint64_t below = (last >> cut << cut) - start;
    return (struct frames_offer){
        .longest = pages,
        .undivided = frames_greater(below, pages - below),
        .lanes = frames_lanes_from(cut, pages) |
                 frames_order_lane(frames_greater(order, cut)),
    };
}

static inline struct frames_probe frames_probe_for(const struct frames_fit *fit)
{
    unsigned order = fit->line_order;
    /* An aligned buffer that is no longer than its alignment crosses no line
       of that order. */
    if (fit->align_order < order && fit->pages <= 1ull << fit->align_order) {
        order = fit->align_order;
    }
    return (struct frames_probe){
        .pages = fit->pages,
        .align = frames_order_lane(fit->align_order),
        .lane = order == 0 ? 0 : FRAMES_LANE_BITS * (order - 1),
        .lines_count = order <= FRAMES_LINE_ORDERS,
    };
}

/*
 * False only if none of the runs has a placement. True although none has is
 * possible for what the offer does not tell: lines above 512 KiB, which cut few
 * runs; alignment of runs that are longer than the buffer but not long enough.
 */
static inline bool frames_may_fit(const struct frames_offer *offer,
                                  const struct frames_probe *probe)
{
    if (offer->longest < probe->pages || offer->lanes < probe->align) {
        return false;
    }
    if (offer->undivided >= probe->pages || !probe->lines_count) {
        return true;
    }
    uint64_t within = offer->lanes >> probe->lane & 0xFF;
    return within >= probe->pages || within == FRAMES_LANE_MAX;
}

static inline uint64_t frames_round_down(uint64_t page, unsigned order)
{
    return page >> order << order;
}

/* The highest placement in this tile. */
static inline bool frames_place(const struct frames_tile *run,
                                const struct frames_fit *fit, uint64_t *page)
{
    if (run->allocated || run->pages < fit->pages) {
        return false;
    }
    uint64_t lowest = frames_greater(run->start, fit->lowest);
    uint64_t first = frames_tile_end(run) - fit->pages;
    if (first > fit->highest) {
        first = fit->highest;
    }
    first = frames_round_down(first, fit->align_order);
    /* If a line is crossed, end on it. Once is enough: with an alignment below
       the line's the buffer then begins at or above the line before, and with
       a greater one no line was crossed. */
    uint64_t line = frames_round_down(first + fit->pages - 1, fit->line_order);
    if (first < line) {
        first = frames_round_down(line - fit->pages, fit->align_order);
    }
    *page = first;
    return first >= lowest;
}

#endif
