/* SPDX-License-Identifier: MIT */
/* The frame allocator's invariants, one after the other. */
#include "frames.h"

#include <string.h>

#include "frames_tiles.h"

/* What a walk over one node's tree has seen. */
struct walk {
    const struct frames_node *node;
    const struct frames_row *row;   /* the last one */
    const struct frames_tile *tile; /* likewise */
    uint64_t total_pages;
    uint64_t free_pages;
    uint64_t allocations;
    size_t rows;
};

static const char *check_tile(struct walk *walk, const struct frames_tile *tile)
{
    const struct frames_tile *previous = walk->tile;
    if (tile->pages == 0 ||
        tile->pages > ((uint64_t)1 << FRAMES_ADDRESS_ORDER) - tile->start) {
        return "tiles hold pages of the address space";
    }
    if (previous != NULL && frames_tile_end(previous) > tile->start) {
        return "tiles are ordered and do not overlap";
    }
    if (previous != NULL && frames_tile_end(previous) == tile->start &&
        !previous->allocated && !tile->allocated) {
        return "free neighbours are merged";
    }
    walk->tile = tile;
    walk->total_pages += tile->pages;
    walk->free_pages += tile->allocated ? 0 : tile->pages;
    walk->allocations += tile->allocated;
    return NULL;
}

static const char *check_row(struct walk *walk, const struct frames_row *row)
{
    const struct frames_row *previous = walk->row;
    const char *broken = NULL;
    if (row->previous != previous ||
        (previous == NULL ? walk->node->first : previous->next) != row) {
        return "the list is in the order of the tree";
    }
    if (row->count == 0 || row->count > FRAMES_ROW_TILES) {
        return "rows hold some tiles, and not too many";
    }
    if (previous != NULL && previous->count + row->count < FRAMES_ROW_TILES / 2) {
        return "two neighbours would fill half a row";
    }
    for (uint32_t i = 0; i < row->count && broken == NULL; i++) {
        broken = check_tile(walk, &row->tile[i]);
    }
    struct frames_offer own = frames_row_own(row);
    if (broken == NULL && memcmp(&own, &row->own, sizeof own) != 0) {
        broken = "every row knows what its tiles offer";
    }
    walk->row = row;
    walk->rows++;
    return broken;
}

static const char *check_top(const struct frames_row *row,
                             const struct frames_row *parent)
{
    const struct frames_row *below = row->child[FRAMES_BELOW];
    const struct frames_row *above = row->child[FRAMES_ABOVE];
    uint32_t low = below == NULL ? 0 : below->height;
    uint32_t high = above == NULL ? 0 : above->height;
    if (row->parent != parent) {
        return "children know their parent";
    }
    if (low > high + 1 || high > low + 1 ||
        row->height != 1 + (low > high ? low : high)) {
        return "the tree is balanced";
    }
    struct frames_offer offer = frames_row_offer(row);
    if (memcmp(&offer, &row->offer, sizeof offer) != 0) {
        return "every row knows what its subtree offers";
    }
    return NULL;
}

static const char *check_subtree(struct walk *walk,
                                 const struct frames_row *row,
                                 const struct frames_row *parent)
{
    if (row == NULL) {
        return NULL;
    }
    const char *broken = check_subtree(walk, row->child[FRAMES_BELOW], row);
    if (broken == NULL) {
        broken = check_row(walk, row);
    }
    if (broken == NULL) {
        broken = check_subtree(walk, row->child[FRAMES_ABOVE], row);
    }
    return broken != NULL ? broken : check_top(row, parent);
}

static const char *check_node(const struct frames_node *node, size_t *rows)
{
    struct walk walk = { .node = node };
    const char *broken = check_subtree(&walk, node->root, NULL);
    if (broken != NULL) {
        return broken;
    }
    if (node->last != walk.row ||
        (node->root == NULL ? node->first != NULL : walk.row->next != NULL)) {
        return "the list ends where the tree does";
    }
    if (node->total_pages != walk.total_pages ||
        node->free_pages != walk.free_pages ||
        node->allocations != walk.allocations) {
        return "pages and allocations are counted";
    }
    *rows += walk.rows;
    return NULL;
}

const char *frames_check(const struct frames *f)
{
    size_t rows = 0;
    size_t spare = 0;
    for (uint32_t i = 0; i < FRAMES_MAX_NODES; i++) {
        const char *broken = check_node(&f->node[i], &rows);
        if (broken != NULL) {
            return broken;
        }
        if (f->node[i].root != NULL && i >= f->node_count) {
            return "nodes with memory are counted";
        }
    }
    for (const struct frames_row *row = f->spare; row != NULL;
         row = row->next) {
        spare++;
    }
    if (spare != f->spare_count || rows + spare != f->row_count) {
        return "no row is lost";
    }
    return NULL;
}
