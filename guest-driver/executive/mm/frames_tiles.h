/* SPDX-License-Identifier: MIT */
/*
 * The tiles of one node: an AVL tree and a list, both in the order of addresses.
 * Private to the frame allocator. All numbers are page numbers and page counts.
 */
#ifndef PCMASTER_EXECUTIVE_MM_FRAMES_TILES_H
#define PCMASTER_EXECUTIVE_MM_FRAMES_TILES_H

#include "frames.h"

/* Page numbers are below 2^FRAMES_ADDRESS_ORDER. */
#define FRAMES_ADDRESS_ORDER (64 - FRAMES_PAGE_SHIFT)

/*
 * The best that the free runs of a subtree can do. A "line of order k" is a page
 * number divisible by 2^k; a run is cut by those that lie strictly inside it.
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
    uint64_t height;    /* of the subtree; 1 for a leaf */
};

#define FRAMES_LINE_ORDERS 7
#define FRAMES_LANE_BITS 8
#define FRAMES_LANE_MAX 127u

enum frames_side { FRAMES_BELOW, FRAMES_ABOVE };

/* Its size is no power of two, or the tiles on one way down the tree would
   compete for the same few lines of a cache. */
struct frames_tile {
    struct frames_offer offer; /* of the subtree that this tile is the top of */
    struct frames_tile *child[2]; /* by enum frames_side */
    struct frames_tile *parent;
    uint64_t start;
    uint64_t pages; /* at least 1 */
    uint64_t allocated; /* 0: a free run */
    uint64_t own_undivided; /* what the tile itself adds to the offer */
    uint64_t own_lanes;
    struct frames_tile *previous;
    struct frames_tile *next;
};

/* A request in pages. */
struct frames_fit {
    uint64_t lowest;  /* first page of the buffer: at least this */
    uint64_t highest; /* and at most this */
    uint64_t pages;   /* at most 2^line_order */
    unsigned line_order; /* no line of this order inside the buffer */
    unsigned align_order; /* the first page is a line of this order */
};

static inline uint64_t frames_tile_end(const struct frames_tile *tile)
{
    return tile->start + tile->pages;
}

/* Sets extent and state. To be followed by one of the functions below, which
   tell the tree of it. */
void frames_tile_set(struct frames_tile *tile, uint64_t start, uint64_t pages,
                     bool allocated);

/* After a tile of the tree was set. */
void frames_tile_changed(struct frames_node *node, struct frames_tile *tile);

/*
 * Inserts a tile behind `previous`, or at the front if that is NULL. Its
 * neighbours may have been set just before.
 */
void frames_tile_insert(struct frames_node *node, struct frames_tile *tile,
                        struct frames_tile *previous);

/* The same for a tile and a second one behind it. */
void frames_tile_insert_two(struct frames_node *node, struct frames_tile *tile,
                            struct frames_tile *second,
                            struct frames_tile *previous);

/*
 * Unites a tile, which may have been set just before, with the one behind it;
 * the state is that of the lower. Returns the tile that is no longer used.
 */
struct frames_tile *frames_tile_unite(struct frames_node *node,
                                      struct frames_tile *tile);

/* The same with the two behind it. */
void frames_tile_unite_three(struct frames_node *node,
                             struct frames_tile *tile,
                             struct frames_tile *unused[2]);

/* The lowest tile that ends above `page`: the one that holds it, if any does. */
struct frames_tile *frames_tile_from(const struct frames_node *node,
                                     uint64_t page);

/*
 * Finds the highest placement in free runs. Returns the run, and the first page
 * in *page, or NULL if there is none.
 */
struct frames_tile *frames_tile_search(const struct frames_node *node,
                                       const struct frames_fit *fit,
                                       uint64_t *page);

/* What the subtree offers, from the tile and from what its children say. */
struct frames_offer frames_tile_offer(const struct frames_tile *tile);

#endif
