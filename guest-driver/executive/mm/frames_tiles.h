/* SPDX-License-Identifier: MIT */
/*
 * The tiles of one node, in the order of their addresses: in rows, which are
 * short arrays, and the rows in an AVL tree and a list. Private to the frame
 * allocator.
 */
#ifndef PCMASTER_EXECUTIVE_MM_FRAMES_TILES_H
#define PCMASTER_EXECUTIVE_MM_FRAMES_TILES_H

#include "frames.h"
#include "frames_offer.h"

/*
 * A row is an odd number of cache lines, or all rows would compete for the same
 * few places of a cache. At least 4 tiles; tests make rows short, so that there
 * are many.
 */
#ifndef FRAMES_ROW_TILES
#define FRAMES_ROW_TILES 14
#endif
#define FRAMES_CACHE_LINE 64

enum frames_side { FRAMES_BELOW, FRAMES_ABOVE };

/* The first cache line is all that a search needs of a row that it passes. */
struct frames_row {
    _Alignas(FRAMES_CACHE_LINE)
    struct frames_offer offer; /* of the subtree that this row is the top of */
    struct frames_row *child[2]; /* by enum frames_side */
    struct frames_row *parent;
    uint32_t height; /* of the subtree; 1 for a leaf */
    uint32_t count;  /* of tiles: at least 1 */
    struct frames_tile tile[FRAMES_ROW_TILES];
    struct frames_offer own; /* of the row's own tiles */
    struct frames_row *previous;
    struct frames_row *next;
};

/* A tile, by its place; row NULL: there is none. Changes of tiles end it. */
struct frames_at {
    struct frames_row *row;
    uint32_t index;
};

static inline struct frames_tile *frames_tile_at(struct frames_at at)
{
    return &at.row->tile[at.index];
}

struct frames_at frames_tile_next(struct frames_at at);
struct frames_at frames_tile_previous(struct frames_at at);

/* The lowest tile that ends above `page`: the one that holds it, if any does. */
struct frames_at frames_tile_from(const struct frames_node *node,
                                  uint64_t page);

/* Finds the highest placement in free runs: the run, and the first page. */
struct frames_at frames_tile_search(const struct frames_node *node,
                                    const struct frames_fit *fit,
                                    uint64_t *page);

/*
 * Puts `count` tiles in the place of the `replaced` ones from `at` on; where there
 * are more than before, `replaced` is 0 or 1 and `count` at most 3, and a spare
 * row is taken if frames_row_is_full(). Rows that become short are united with a
 * neighbour.
 */
void frames_tile_replace(struct frames *f, struct frames_node *node,
                         struct frames_at at, uint32_t replaced,
                         const struct frames_tile *tiles, uint32_t count);

/* The first tile of a node without memory. Takes a spare row. */
void frames_tile_begin(struct frames *f, struct frames_node *node,
                       struct frames_tile tile);

/* Whether there is no room in the row for this many tiles more. */
static inline bool frames_row_is_full(struct frames_at at, size_t more)
{
    return at.row->count + more > FRAMES_ROW_TILES;
}

/* Adds a row to the spare ones. */
void frames_row_put(struct frames *f, struct frames_row *row);

/* Neighbouring rows with no more tiles than this together are united. */
#define FRAMES_ROW_UNITED (FRAMES_ROW_TILES * 3 / 4)

/* What the row's tiles offer, from the tiles. */
struct frames_offer frames_row_own(const struct frames_row *row);

/* What the subtree offers, from `own` and from what the children say. */
struct frames_offer frames_row_offer(const struct frames_row *row);

#endif
