/* SPDX-License-Identifier: MIT */
/* The frame allocator's invariants, one after the other. */
#include "frames.h"

#include <string.h>

#include "frames_tiles.h"

/* What a walk over one node's tree has seen. */
struct walk {
    const struct frames_node *node;
    const struct frames_tile *previous;
    uint64_t total_pages;
    uint64_t free_pages;
    uint64_t allocations;
    size_t tiles;
};

static const char *check_neighbours(const struct walk *walk,
                                    const struct frames_tile *tile)
{
    const struct frames_tile *previous = walk->previous;
    const struct frames_tile *in_list =
        previous == NULL ? walk->node->first : previous->next;
    if (tile->previous != previous || in_list != tile) {
        return "the list is in the order of the tree";
    }
    if (tile->pages == 0 ||
        tile->pages > ((uint64_t)1 << FRAMES_ADDRESS_ORDER) - tile->start) {
        return "tiles hold pages of the address space";
    }
    if (previous == NULL) {
        return NULL;
    }
    if (frames_tile_end(previous) > tile->start) {
        return "tiles are ordered and do not overlap";
    }
    if (frames_tile_end(previous) == tile->start && !previous->allocated &&
        !tile->allocated) {
        return "free neighbours are merged";
    }
    return NULL;
}

static const char *check_top(const struct frames_tile *tile,
                             const struct frames_tile *parent)
{
    const struct frames_tile *below = tile->child[FRAMES_BELOW];
    const struct frames_tile *above = tile->child[FRAMES_ABOVE];
    uint64_t low = below == NULL ? 0 : below->offer.height;
    uint64_t high = above == NULL ? 0 : above->offer.height;
    if (tile->parent != parent) {
        return "children know their parent";
    }
    if (low > high + 1 || high > low + 1) {
        return "the tree is balanced";
    }
    struct frames_offer offer = frames_tile_offer(tile);
    if (memcmp(&offer, &tile->offer, sizeof offer) != 0) {
        return "every tile knows what its subtree offers";
    }
    return NULL;
}

static const char *check_subtree(struct walk *walk,
                                 const struct frames_tile *tile,
                                 const struct frames_tile *parent)
{
    if (tile == NULL) {
        return NULL;
    }
    const char *broken = check_subtree(walk, tile->child[FRAMES_BELOW], tile);
    if (broken == NULL) {
        broken = check_neighbours(walk, tile);
    }
    if (broken != NULL) {
        return broken;
    }
    walk->previous = tile;
    walk->tiles++;
    walk->total_pages += tile->pages;
    walk->free_pages += tile->allocated ? 0 : tile->pages;
    walk->allocations += tile->allocated != 0;
    broken = check_subtree(walk, tile->child[FRAMES_ABOVE], tile);
    return broken != NULL ? broken : check_top(tile, parent);
}

static const char *check_node(const struct frames_node *node, size_t *tiles)
{
    struct walk walk = { .node = node };
    const char *broken = check_subtree(&walk, node->root, NULL);
    if (broken != NULL) {
        return broken;
    }
    if (node->last != walk.previous ||
        (node->root == NULL ? node->first != NULL
                            : walk.previous->next != NULL)) {
        return "the list ends where the tree does";
    }
    if (node->total_pages != walk.total_pages ||
        node->free_pages != walk.free_pages ||
        node->allocations != walk.allocations) {
        return "pages and allocations are counted";
    }
    *tiles += walk.tiles;
    return NULL;
}

const char *frames_check(const struct frames *f)
{
    size_t tiles = 0;
    size_t spare = 0;
    for (uint32_t i = 0; i < FRAMES_MAX_NODES; i++) {
        const char *broken = check_node(&f->node[i], &tiles);
        if (broken != NULL) {
            return broken;
        }
        if (f->node[i].root != NULL && i >= f->node_count) {
            return "nodes with memory are counted";
        }
    }
    for (const struct frames_tile *t = f->spare; t != NULL; t = t->next) {
        spare++;
    }
    if (spare != f->spare_count || tiles + spare != f->tile_count) {
        return "no tile is lost";
    }
    return NULL;
}
