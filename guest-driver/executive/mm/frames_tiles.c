/* SPDX-License-Identifier: MIT */
/*
 * An AVL tree of tiles whose nodes know what their subtrees offer, so that the
 * search for a placement skips subtrees without one.
 */
#include "frames_tiles.h"

#include <string.h>

static unsigned highest_bit(uint64_t value)
{
    return 63u - (unsigned)__builtin_clzll(value);
}

static inline uint64_t greater(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static unsigned line_order(uint64_t page)
{
    return page == 0 ? FRAMES_ADDRESS_ORDER : (unsigned)__builtin_ctzll(page);
}

/* `value` in this lane and in all up to that of FRAMES_LINE_ORDERS. */
static uint64_t lanes_from(unsigned lane, uint64_t value)
{
    uint64_t ones = 0x0101010101010101u >> FRAMES_LANE_BITS;
    if (lane >= FRAMES_LINE_ORDERS) {
        return 0;
    }
    value = value < FRAMES_LANE_MAX ? value : FRAMES_LANE_MAX;
    return (ones >> (FRAMES_LANE_BITS * lane) << (FRAMES_LANE_BITS * lane)) *
           value;
}

static uint64_t order_lane(uint64_t order)
{
    return order << (FRAMES_LANE_BITS * FRAMES_LINE_ORDERS);
}

/* The greater of the two in every lane: the top bits, which no lane uses, tell
   where a is not less than b. */
static uint64_t greater_lanes(uint64_t a, uint64_t b)
{
    uint64_t tops = 0x8080808080808080u;
    uint64_t chosen = ((a | tops) - b) & tops;
    uint64_t mask = chosen - (chosen >> (FRAMES_LANE_BITS - 1));
    return (a & mask) | (b & ~mask);
}

static inline struct frames_offer own_offer(const struct frames_tile *tile)
{
    struct frames_offer offer = { .height = 1 };
    if (tile->allocated) {
        return offer;
    }
    unsigned order = line_order(tile->start);
    offer.longest = tile->pages;
    offer.undivided = tile->pages;
    if (tile->pages == 1) {
        offer.lanes = lanes_from(0, 1) | order_lane(order);
        return offer;
    }
    uint64_t last = tile->start + tile->pages - 1;
    unsigned cut = highest_bit(tile->start ^ last);
    uint64_t below = (last >> cut << cut) - tile->start;
    offer.undivided = greater(below, tile->pages - below);
    offer.lanes = lanes_from(cut, tile->pages) |
                  order_lane(greater(order, cut));
    return offer;
}

static inline void raise_offer(struct frames_offer *offer,
                               const struct frames_tile *subtree)
{
    if (subtree != NULL) {
        const struct frames_offer *other = &subtree->offer;
        offer->longest = greater(offer->longest, other->longest);
        offer->undivided = greater(offer->undivided, other->undivided);
        offer->lanes = greater_lanes(offer->lanes, other->lanes);
        offer->height = greater(offer->height, other->height + 1);
    }
}

static inline struct frames_offer whole_offer(const struct frames_tile *tile)
{
    struct frames_offer offer = own_offer(tile);
    raise_offer(&offer, tile->child[FRAMES_BELOW]);
    raise_offer(&offer, tile->child[FRAMES_ABOVE]);
    return offer;
}

struct frames_offer frames_tile_offer(const struct frames_tile *tile)
{
    return whole_offer(tile);
}

/* Returns whether anything has changed. Member by member, because a copy of the
   whole would wait for the stores of the child's offer to leave the processor. */
static bool summarise(struct frames_tile *tile)
{
    struct frames_offer offer = whole_offer(tile);
    struct frames_offer *old = &tile->offer;
    bool changed = offer.longest != old->longest ||
                   offer.undivided != old->undivided ||
                   offer.lanes != old->lanes || offer.height != old->height;
    old->longest = offer.longest;
    old->undivided = offer.undivided;
    old->lanes = offer.lanes;
    old->height = offer.height;
    return changed;
}

static uint64_t height(const struct frames_tile *tile)
{
    return tile == NULL ? 0 : tile->offer.height;
}

static void set_child(struct frames_tile *parent, int side,
                      struct frames_tile *child)
{
    parent->child[side] = child;
    if (child != NULL) {
        child->parent = parent;
    }
}

/* Puts `heir` (or nothing) where `tile` hangs. */
static void replace(struct frames_node *node, struct frames_tile *tile,
                    struct frames_tile *heir)
{
    struct frames_tile *parent = tile->parent;
    if (parent == NULL) {
        node->root = heir;
        if (heir != NULL) {
            heir->parent = NULL;
        }
    } else {
        set_child(parent, parent->child[FRAMES_ABOVE] == tile, heir);
    }
}

/* Lifts the child on `side` above `top`, and returns it. */
static struct frames_tile *lift(struct frames_node *node,
                                struct frames_tile *top, int side)
{
    struct frames_tile *heir = top->child[side];
    replace(node, top, heir);
    set_child(top, side, heir->child[!side]);
    set_child(heir, !side, top);
    summarise(top);
    summarise(heir);
    return heir;
}

/* Restores the balance of a subtree whose sides differ by two; returns its top. */
static struct frames_tile *rebalance(struct frames_node *node,
                                     struct frames_tile *top, int higher_side)
{
    struct frames_tile *higher = top->child[higher_side];
    if (height(higher->child[!higher_side]) >
        height(higher->child[higher_side])) {
        lift(node, higher, !higher_side);
    }
    return lift(node, top, higher_side);
}

void frames_tile_changed(struct frames_node *node, struct frames_tile *tile)
{
    while (tile != NULL) {
        uint64_t below = height(tile->child[FRAMES_BELOW]);
        uint64_t above = height(tile->child[FRAMES_ABOVE]);
        if (above > below + 1) {
            tile = rebalance(node, tile, FRAMES_ABOVE);
        } else if (below > above + 1) {
            tile = rebalance(node, tile, FRAMES_BELOW);
        } else if (!summarise(tile)) {
            return;
        }
        tile = tile->parent;
    }
}

/* Of two tiles that follow each other, one is in the subtree of the other. */
static bool is_above(const struct frames_tile *tile,
                     const struct frames_tile *neighbour)
{
    return tile->offer.height > neighbour->offer.height;
}

void frames_tile_insert(struct frames_node *node, struct frames_tile *tile,
                        struct frames_tile *previous)
{
    struct frames_tile *next = previous == NULL ? node->first : previous->next;
    *(previous == NULL ? &node->first : &previous->next) = tile;
    *(next == NULL ? &node->last : &next->previous) = tile;
    tile->previous = previous;
    tile->next = next;
    tile->parent = NULL;
    tile->child[FRAMES_BELOW] = NULL;
    tile->child[FRAMES_ABOVE] = NULL;
    tile->offer = (struct frames_offer){ 0 };
    /* The lower of the two neighbours has no child on the other's side. */
    if (node->root == NULL) {
        node->root = tile;
    } else if (next == NULL || (previous != NULL && is_above(next, previous))) {
        set_child(previous, FRAMES_ABOVE, tile);
    } else {
        set_child(next, FRAMES_BELOW, tile);
    }
    frames_tile_changed(node, tile);
}

/* Takes a tile with at most one child out of tree and list. */
static void take_out(struct frames_node *node, struct frames_tile *tile)
{
    struct frames_tile *previous = tile->previous;
    struct frames_tile *next = tile->next;
    replace(node, tile, tile->child[tile->child[FRAMES_BELOW] == NULL]);
    *(previous == NULL ? &node->first : &previous->next) = next;
    *(next == NULL ? &node->last : &next->previous) = previous;
}

struct frames_tile *frames_tile_unite(struct frames_node *node,
                                      struct frames_tile *below,
                                      struct frames_tile *above,
                                      struct frames_tile **unused)
{
    bool keep_below = is_above(below, above);
    struct frames_tile *kept = keep_below ? below : above;
    *unused = keep_below ? above : below;
    kept->start = below->start;
    kept->pages = below->pages + above->pages;
    kept->allocated = below->allocated;
    take_out(node, *unused);
    frames_tile_changed(node, (*unused)->parent);
    frames_tile_changed(node, kept);
    return kept;
}

struct frames_tile *frames_tile_from(const struct frames_node *node,
                                     uint64_t page)
{
    struct frames_tile *lowest = NULL;
    struct frames_tile *tile = node->root;
    while (tile != NULL) {
        if (frames_tile_end(tile) > page) {
            lowest = tile;
            tile = tile->child[FRAMES_BELOW];
        } else {
            tile = tile->child[FRAMES_ABOVE];
        }
    }
    return lowest;
}

/*
 * False only if no run of the subtree has a placement. True although none has
 * is possible for what the offer does not tell: lines above 512 KiB, which cut
 * few runs; alignment of runs that are longer than the buffer but not long enough.
 */
static bool may_fit(const struct frames_offer *offer,
                    const struct frames_fit *fit)
{
    unsigned order = fit->line_order;
    if (offer->longest < fit->pages ||
        offer->lanes < order_lane(fit->align_order)) {
        return false;
    }
    /* An aligned buffer that is no longer than its alignment crosses no line
       of that order. */
    if (fit->align_order < order && fit->pages <= 1ull << fit->align_order) {
        order = fit->align_order;
    }
    if (offer->undivided >= fit->pages || order > FRAMES_LINE_ORDERS) {
        return true;
    }
    uint64_t within = offer->lanes >> (FRAMES_LANE_BITS * (order - 1)) & 0xFF;
    return within >= fit->pages || within == FRAMES_LANE_MAX;
}

static uint64_t round_down(uint64_t page, unsigned order)
{
    return page >> order << order;
}

/* The highest placement in this run. */
static bool place(const struct frames_tile *run, const struct frames_fit *fit,
                  uint64_t *page)
{
    if (run->allocated || run->pages < fit->pages) {
        return false;
    }
    uint64_t lowest = run->start > fit->lowest ? run->start : fit->lowest;
    uint64_t first = frames_tile_end(run) - fit->pages;
    if (first > fit->highest) {
        first = fit->highest;
    }
    first = round_down(first, fit->align_order);
    /* If a line is crossed, end on it. Once is enough: with an alignment below
       the line's the buffer then begins at or above the line before, and with
       a greater one no line was crossed. */
    uint64_t line = round_down(first + fit->pages - 1, fit->line_order);
    if (first < line) {
        first = round_down(line - fit->pages, fit->align_order);
    }
    *page = first;
    return first >= lowest;
}

static bool may_hold(const struct frames_tile *subtree,
                     const struct frames_fit *fit)
{
    return subtree != NULL && may_fit(&subtree->offer, fit);
}

static struct frames_tile *search(struct frames_tile *tile,
                                  const struct frames_fit *fit, uint64_t *page)
{
    while (may_hold(tile, fit)) {
        if (tile->start <= fit->highest) {
            struct frames_tile *above = tile->child[FRAMES_ABOVE];
            if (may_hold(above, fit)) {
                struct frames_tile *found = search(above, fit, page);
                if (found != NULL) {
                    return found;
                }
            }
            if (place(tile, fit, page)) {
                return tile;
            }
            if (tile->start <= fit->lowest) {
                return NULL;
            }
        }
        tile = tile->child[FRAMES_BELOW];
    }
    return NULL;
}

struct frames_tile *frames_tile_search(const struct frames_node *node,
                                       const struct frames_fit *fit,
                                       uint64_t *page)
{
    return search(node->root, fit, page);
}
