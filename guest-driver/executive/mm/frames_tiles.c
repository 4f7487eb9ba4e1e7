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

static struct frames_offer own_offer(const struct frames_tile *tile)
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

void frames_tile_set(struct frames_tile *tile, uint64_t start, uint64_t pages,
                     bool allocated)
{
    tile->start = start;
    tile->pages = pages;
    tile->allocated = allocated;
    struct frames_offer own = own_offer(tile);
    tile->own_undivided = own.undivided;
    tile->own_lanes = own.lanes;
}

/* own_offer(), remembered. */
static inline struct frames_offer known_offer(const struct frames_tile *tile)
{
    return (struct frames_offer){
        .longest = tile->allocated ? 0 : tile->pages,
        .undivided = tile->own_undivided,
        .lanes = tile->own_lanes,
        .height = 1,
    };
}

/* Adds what a subtree under it has, except for its height. */
static inline void raise_offer(struct frames_offer *offer,
                               const struct frames_offer *other)
{
    offer->longest = greater(offer->longest, other->longest);
    offer->undivided = greater(offer->undivided, other->undivided);
    offer->lanes = greater_lanes(offer->lanes, other->lanes);
}

/* That of a tile which offers `own` itself, from what its children say. */
static inline struct frames_offer whole_offer(const struct frames_tile *tile,
                                              struct frames_offer offer)
{
    for (int side = FRAMES_BELOW; side <= FRAMES_ABOVE; side++) {
        if (tile->child[side] != NULL) {
            const struct frames_offer *other = &tile->child[side]->offer;
            raise_offer(&offer, other);
            offer.height = greater(offer.height, other->height + 1);
        }
    }
    return offer;
}

struct frames_offer frames_tile_offer(const struct frames_tile *tile)
{
    return whole_offer(tile, own_offer(tile));
}

static void summarise(struct frames_tile *tile)
{
    tile->offer = whole_offer(tile, known_offer(tile));
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

/* Restores the balance of a subtree whose sides differ by two, or leaves it as
   it is; returns its top. */
static struct frames_tile *balance(struct frames_node *node,
                                   struct frames_tile *top)
{
    uint64_t below = height(top->child[FRAMES_BELOW]);
    uint64_t above = height(top->child[FRAMES_ABOVE]);
    int side = above > below ? FRAMES_ABOVE : FRAMES_BELOW;
    struct frames_tile *higher = top->child[side];
    if (above <= below + 1 && below <= above + 1) {
        return top;
    }
    if (height(higher->child[!side]) > height(higher->child[side])) {
        lift(node, higher, !side);
    }
    return lift(node, top, side);
}

/* What an update of the tree is about. */
enum extent {
    OFFERS, /* up to where no offer changes */
    SHAPE,  /* up to where no height changes; another update follows */
};

/* A way up the tree that goes on at least as far as these tiles, or NULL. */
struct way {
    enum extent extent;
    const struct frames_tile *through;
    const struct frames_tile *also;
};

static inline void pass(struct way *way, const struct frames_tile *tile)
{
    if (tile == way->through) {
        way->through = NULL;
    }
    if (tile == way->also) {
        way->also = NULL;
    }
}

static inline struct frames_tile *sibling(const struct frames_tile *tile)
{
    const struct frames_tile *parent = tile->parent;
    return parent->child[parent->child[FRAMES_BELOW] == tile];
}

/* What `top` offers if the child `tile` offers `offer`. It comes in registers:
   to load it where it was just stored takes longer than all the rest. */
static inline struct frames_offer carry_up(const struct frames_tile *top,
                                           const struct frames_tile *other,
                                           const struct frames_offer *offer)
{
    struct frames_offer ours = known_offer(top);
    uint64_t height = offer->height;
    if (other != NULL) {
        raise_offer(&ours, &other->offer);
        height = greater(height, other->offer.height);
    }
    raise_offer(&ours, offer);
    ours.height = height + 1;
    return ours;
}

/*
 * The rest of an update, from above `tile`, where no height changes. Returns the
 * first tile that was left as it was, or NULL.
 */
static struct frames_tile *update_offers(struct frames_tile *tile,
                                         struct frames_offer offer,
                                         struct way way)
{
    struct frames_tile *top = tile->parent;
    for (bool changed = true;
         top != NULL && (way.through != NULL || way.also != NULL ||
                         (changed && way.extent == OFFERS));
         tile = top, top = top->parent) {
        struct frames_offer *old = &top->offer;
        offer = carry_up(top, sibling(tile), &offer);
        changed = offer.longest != old->longest ||
                  offer.undivided != old->undivided ||
                  offer.lanes != old->lanes;
        old->longest = offer.longest;
        old->undivided = offer.undivided;
        old->lanes = offer.lanes;
        pass(&way, top);
    }
    return top;
}

/*
 * Restores balance and offers from `tile` upwards: first as far as heights
 * change. Returns the first tile that was left as it was, or NULL.
 */
static struct frames_tile *update(struct frames_node *node,
                                  struct frames_tile *tile, struct way way)
{
    uint64_t before = tile->offer.height;
    struct frames_tile *top = balance(node, tile);
    struct frames_offer offer = whole_offer(top, known_offer(top));
    for (;;) {
        top->offer = offer;
        pass(&way, tile);
        tile = top->parent;
        if (tile == NULL || offer.height == before) {
            return update_offers(top, offer, way);
        }
        const struct frames_tile *other = sibling(top);
        uint64_t theirs = height(other);
        before = tile->offer.height;
        if (offer.height > theirs + 1 || theirs > offer.height + 1) {
            top = balance(node, tile);
            offer = top->offer;
        } else {
            offer = carry_up(tile, other, &offer);
            top = tile;
        }
    }
}

void frames_tile_changed(struct frames_node *node, struct frames_tile *tile)
{
    update(node, tile, (struct way){ OFFERS, NULL, NULL });
}

/* Of two tiles that follow each other, one is in the subtree of the other. */
static bool is_above(const struct frames_tile *tile,
                     const struct frames_tile *neighbour)
{
    return tile->offer.height > neighbour->offer.height;
}

/* Hangs a tile into the tree, as a leaf. Returns the neighbour that is not its
   parent, or NULL: it is further up the same way. */
static struct frames_tile *hang(struct frames_node *node,
                                struct frames_tile *tile,
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
        return NULL;
    }
    if (next == NULL || (previous != NULL && is_above(next, previous))) {
        set_child(previous, FRAMES_ABOVE, tile);
        return next;
    }
    set_child(next, FRAMES_BELOW, tile);
    return previous;
}

void frames_tile_insert(struct frames_node *node, struct frames_tile *tile,
                        struct frames_tile *previous)
{
    struct frames_tile *neighbour = hang(node, tile, previous);
    update(node, tile, (struct way){ OFFERS, neighbour, NULL });
}

void frames_tile_insert_two(struct frames_node *node, struct frames_tile *tile,
                            struct frames_tile *second,
                            struct frames_tile *previous)
{
    struct frames_tile *neighbour = hang(node, tile, previous);
    struct frames_tile *rest =
        update(node, tile, (struct way){ SHAPE, neighbour, NULL });
    neighbour = hang(node, second, tile);
    /* Every tile on the first way is on the second, too. */
    update(node, second, (struct way){ OFFERS, neighbour, rest });
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

/* Gives a tile and the one behind it to the one that is higher in the tree, and
   takes out the other, which is returned. */
static struct frames_tile *join(struct frames_node *node,
                                struct frames_tile *tile,
                                struct frames_tile **kept)
{
    struct frames_tile *next = tile->next;
    struct frames_tile *unused = is_above(tile, next) ? next : tile;
    *kept = unused == tile ? next : tile;
    frames_tile_set(*kept, tile->start, tile->pages + next->pages,
                    tile->allocated);
    take_out(node, unused);
    return unused;
}

struct frames_tile *frames_tile_unite(struct frames_node *node,
                                      struct frames_tile *tile)
{
    struct frames_tile *kept;
    struct frames_tile *unused = join(node, tile, &kept);
    update(node, unused->parent, (struct way){ OFFERS, kept, NULL });
    return unused;
}

void frames_tile_unite_three(struct frames_node *node,
                             struct frames_tile *tile,
                             struct frames_tile *unused[2])
{
    struct frames_tile *kept;
    unused[0] = join(node, tile, &kept);
    struct frames_tile *rest =
        update(node, unused[0]->parent, (struct way){ SHAPE, kept, NULL });
    unused[1] = join(node, kept, &kept);
    update(node, unused[1]->parent, (struct way){ OFFERS, kept, rest });
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

/* A request, as it is compared with offers. */
struct probe {
    const struct frames_fit *fit;
    uint64_t pages;
    uint64_t align;   /* least `lanes`: those with this order in the last byte */
    unsigned lane;    /* the byte of `lanes` that tells of undivided runs */
    bool lines_count; /* whether one does */
};

static struct probe probe_for(const struct frames_fit *fit)
{
    unsigned order = fit->line_order;
    /* An aligned buffer that is no longer than its alignment crosses no line
       of that order. */
    if (fit->align_order < order && fit->pages <= 1ull << fit->align_order) {
        order = fit->align_order;
    }
    return (struct probe){
        .fit = fit,
        .pages = fit->pages,
        .align = order_lane(fit->align_order),
        .lane = order == 0 ? 0 : FRAMES_LANE_BITS * (order - 1),
        .lines_count = order <= FRAMES_LINE_ORDERS,
    };
}

/*
 * False only if no run of the subtree has a placement. True although none has
 * is possible for what the offer does not tell: lines above 512 KiB, which cut
 * few runs; alignment of runs that are longer than the buffer but not long enough.
 */
static inline bool may_fit(const struct frames_offer *offer,
                           const struct probe *probe)
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
                     const struct probe *probe)
{
    return subtree != NULL && may_fit(&subtree->offer, probe);
}

static struct frames_tile *search(struct frames_tile *tile,
                                  const struct probe *probe, uint64_t *page)
{
    const struct frames_fit *fit = probe->fit;
    while (may_hold(tile, probe)) {
        if (tile->start <= fit->highest) {
            struct frames_tile *above = tile->child[FRAMES_ABOVE];
            if (may_hold(above, probe)) {
                struct frames_tile *found = search(above, probe, page);
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
    struct probe probe = probe_for(fit);
    return search(node->root, &probe, page);
}
