/* SPDX-License-Identifier: MIT */
/*
 * The frame allocator's calls. Addresses become page numbers here: 2^52 of them
 * fit easily into 64 bits, so that no end of a range can overflow.
 */
#include "frames.h"

#include <string.h>

#include "frames_tiles.h"

#define OFFSET_MASK (FRAMES_PAGE_SIZE - 1)

/* Pages from first to end - 1. */
struct pages {
    uint64_t first;
    uint64_t end;
};

static bool is_range(uint64_t base, uint64_t length)
{
    return length != 0 && base <= UINT64_MAX - (length - 1);
}

/* All pages that the bytes touch. */
static struct pages pages_around(uint64_t base, uint64_t length)
{
    return (struct pages){ base >> FRAMES_PAGE_SHIFT,
                           ((base + (length - 1)) >> FRAMES_PAGE_SHIFT) + 1 };
}

/* The pages that the bytes fill; first >= end if there is none. */
static struct pages pages_inside(uint64_t base, uint64_t length)
{
    struct pages pages = pages_around(base, length);
    if ((base & OFFSET_MASK) != 0) {
        pages.first++;
    }
    if (((base + (length - 1)) & OFFSET_MASK) != OFFSET_MASK) {
        pages.end--;
    }
    return pages;
}

void frames_init(struct frames *f)
{
    memset(f, 0, sizeof *f);
}

static void put_tile(struct frames *f, struct frames_tile *tile)
{
    tile->next = f->spare;
    f->spare = tile;
    f->spare_count++;
}

static struct frames_tile *take_tile(struct frames *f, uint64_t start,
                                     uint64_t pages, bool allocated)
{
    struct frames_tile *tile = f->spare;
    f->spare = tile->next;
    f->spare_count--;
    frames_tile_set(tile, start, pages, allocated);
    return tile;
}

size_t frames_donate(struct frames *f, void *memory, size_t bytes)
{
    size_t skip = -(uintptr_t)memory % _Alignof(struct frames_tile);
    if (bytes < skip) {
        return 0;
    }
    struct frames_tile *tile = (struct frames_tile *)((char *)memory + skip);
    size_t count = (bytes - skip) / sizeof *tile;
    for (size_t i = count; i > 0; i--) {
        put_tile(f, &tile[i - 1]);
    }
    f->tile_count += count;
    return count;
}

size_t frames_spare(const struct frames *f)
{
    return f->spare_count;
}

/* The tile of whichever node that holds the page, and its node. */
static struct frames_tile *find(const struct frames *f, uint64_t page,
                                uint32_t *owner)
{
    for (uint32_t i = 0; i < f->node_count; i++) {
        const struct frames_node *node = &f->node[i];
        if (node->root == NULL || page < node->first->start ||
            page >= frames_tile_end(node->last)) {
            continue;
        }
        struct frames_tile *tile = frames_tile_from(node, page);
        if (tile->start <= page) {
            *owner = i;
            return tile;
        }
    }
    return NULL;
}

static bool holds_memory(const struct frames *f, struct pages pages)
{
    for (uint32_t i = 0; i < f->node_count; i++) {
        struct frames_tile *tile = frames_tile_from(&f->node[i], pages.first);
        if (tile != NULL && tile->start < pages.end) {
            return true;
        }
    }
    return false;
}

static bool can_merge(const struct frames_tile *below,
                      const struct frames_tile *above)
{
    return below != NULL && above != NULL && !below->allocated &&
           !above->allocated && frames_tile_end(below) == above->start;
}

/* Joins a tile that has become free with its free neighbours. */
static void settle(struct frames *f, struct frames_node *node,
                   struct frames_tile *tile)
{
    bool with_next = can_merge(tile, tile->next);
    bool with_previous = can_merge(tile->previous, tile);
    if (with_next && with_previous) {
        struct frames_tile *unused[2];
        frames_tile_unite_three(node, tile->previous, unused);
        put_tile(f, unused[0]);
        put_tile(f, unused[1]);
    } else if (with_next) {
        put_tile(f, frames_tile_unite(node, tile));
    } else if (with_previous) {
        put_tile(f, frames_tile_unite(node, tile->previous));
    } else {
        frames_tile_changed(node, tile);
    }
}

enum frames_status frames_add(struct frames *f, uint64_t base, uint64_t length,
                              uint32_t node_number)
{
    if (!is_range(base, length)) {
        return FRAMES_BAD_RANGE;
    }
    if (node_number >= FRAMES_MAX_NODES) {
        return FRAMES_NO_SUCH_NODE;
    }
    struct pages pages = pages_inside(base, length);
    if (pages.first >= pages.end) {
        return FRAMES_OK;
    }
    if (holds_memory(f, pages)) {
        return FRAMES_OVERLAP;
    }
    if (f->spare_count == 0) {
        return FRAMES_NO_TILES;
    }
    struct frames_node *node = &f->node[node_number];
    struct frames_tile *next = frames_tile_from(node, pages.first);
    struct frames_tile *tile =
        take_tile(f, pages.first, pages.end - pages.first, false);
    node->total_pages += tile->pages;
    node->free_pages += tile->pages;
    if (f->node_count <= node_number) {
        f->node_count = node_number + 1;
    }
    frames_tile_insert(node, tile, next == NULL ? node->last : next->previous);
    settle(f, node, tile);
    return FRAMES_OK;
}

/* Allocates these pages of a free run. It takes as many tiles as it leaves free
   pieces, and the caller has seen to it that there are as many. */
static void carve(struct frames *f, struct frames_node *node,
                  struct frames_tile *run, struct pages pages)
{
    uint64_t start = run->start;
    uint64_t end = frames_tile_end(run);
    uint64_t count = pages.end - pages.first;
    node->free_pages -= count;
    node->allocations++;
    if (start == pages.first && end == pages.end) {
        frames_tile_set(run, start, count, true);
        frames_tile_changed(node, run);
        return;
    }
    struct frames_tile *piece = take_tile(f, pages.first, count, true);
    if (start == pages.first) {
        frames_tile_set(run, pages.end, end - pages.end, false);
        frames_tile_insert(node, piece, run->previous);
        return;
    }
    frames_tile_set(run, start, pages.first - start, false);
    if (pages.end == end) {
        frames_tile_insert(node, piece, run);
    } else {
        frames_tile_insert_two(
            node, piece, take_tile(f, pages.end, end - pages.end, false), run);
    }
}

/* Would an allocation that begins or ends at `page` divide a free run there? */
static size_t divides(const struct frames *f, uint64_t page)
{
    uint32_t owner;
    const struct frames_tile *tile = find(f, page, &owner);
    return tile != NULL && !tile->allocated && tile->start < page;
}

enum frames_status frames_reserve(struct frames *f, uint64_t base,
                                  uint64_t length)
{
    if (!is_range(base, length)) {
        return FRAMES_BAD_RANGE;
    }
    struct pages pages = pages_around(base, length);
    if (divides(f, pages.first) + divides(f, pages.end) > f->spare_count) {
        return FRAMES_NO_TILES;
    }
    for (uint32_t i = 0; i < f->node_count; i++) {
        struct frames_node *node = &f->node[i];
        struct frames_tile *tile = frames_tile_from(node, pages.first);
        while (tile != NULL && tile->start < pages.end) {
            uint64_t end = frames_tile_end(tile);
            if (!tile->allocated) {
                struct pages part = { tile->start, end };
                if (part.first < pages.first) {
                    part.first = pages.first;
                }
                if (part.end > pages.end) {
                    part.end = pages.end;
                }
                carve(f, node, tile, part);
            }
            tile = frames_tile_from(node, end);
        }
    }
    return FRAMES_OK;
}

static bool is_well_formed(const struct frames_request *request)
{
    uint64_t alignment = request->alignment;
    return request->length != 0 && request->low <= request->high &&
           (alignment & (alignment - 1)) == 0;
}

/*
 * Translates a request into pages; false if no memory at all could satisfy it.
 *
 * Among the addresses of more than one consecutive byte, every bit up to the
 * highest one that differs takes both values. So a mask counts only as far as
 * its lowest clear bit: with that at position t, a buffer must lie between two
 * neighbouring multiples of 2^t. Buffers begin on pages; if 2^t is less than a
 * page, it is enough that they are not longer than 2^t.
 */
static bool translate(const struct frames_request *request,
                      struct frames_fit *fit)
{
    uint64_t tail = request->length - 1;
    unsigned limit = 64;
    if (request->varying != UINT64_MAX) {
        limit = (unsigned)__builtin_ctzll(~request->varying);
        if (tail >> limit != 0) {
            return false;
        }
    }
    if (request->high < tail) {
        return false;
    }
    fit->line_order = limit < FRAMES_PAGE_SHIFT ? FRAMES_ADDRESS_ORDER
                                                : limit - FRAMES_PAGE_SHIFT;
    fit->align_order = 0;
    if (request->alignment > FRAMES_PAGE_SIZE) {
        fit->align_order = (unsigned)__builtin_ctzll(request->alignment) -
                           FRAMES_PAGE_SHIFT;
    }
    fit->pages = (tail >> FRAMES_PAGE_SHIFT) + 1;
    fit->highest = (request->high - tail) >> FRAMES_PAGE_SHIFT;
    fit->lowest = (request->low >> FRAMES_PAGE_SHIFT) +
                  ((request->low & OFFSET_MASK) != 0);
    return fit->lowest <= fit->highest;
}

/* The highest placement on the nodes from `from` to `to`, and its node. */
static struct frames_tile *search_nodes(struct frames *f, uint32_t from,
                                        uint32_t to, struct frames_fit *fit,
                                        struct frames_node **owner)
{
    struct frames_tile *best = NULL;
    uint64_t page = 0;
    for (uint32_t i = from; i <= to; i++) {
        struct frames_tile *run = frames_tile_search(&f->node[i], fit, &page);
        if (run != NULL) {
            best = run;
            *owner = &f->node[i];
            fit->lowest = page; /* only higher ones are of interest now */
        }
    }
    return best;
}

enum frames_status frames_allocate(struct frames *f,
                                   const struct frames_request *request,
                                   uint64_t *base)
{
    struct frames_fit fit;
    struct frames_node *node = NULL;
    uint32_t from = 0;
    uint32_t to = f->node_count - 1;
    if (!is_well_formed(request)) {
        return FRAMES_BAD_REQUEST;
    }
    if (request->node != FRAMES_ANY_NODE) {
        from = to = request->node;
    }
    if (f->node_count == 0 || to >= f->node_count ||
        (from == to && f->node[to].root == NULL)) {
        return FRAMES_NO_SUCH_NODE;
    }
    if (!translate(request, &fit)) {
        return FRAMES_NO_ROOM;
    }
    struct frames_tile *run = search_nodes(f, from, to, &fit, &node);
    if (run == NULL) {
        return FRAMES_NO_ROOM;
    }
    struct pages pages = { fit.lowest, fit.lowest + fit.pages };
    size_t tiles = (size_t)(run->start < pages.first) +
                   (size_t)(pages.end < frames_tile_end(run));
    if (tiles > f->spare_count) {
        return FRAMES_NO_TILES;
    }
    carve(f, node, run, pages);
    *base = pages.first << FRAMES_PAGE_SHIFT;
    return FRAMES_OK;
}

/* Why these pages are not one allocation. */
static enum frames_status diagnose(const struct frames *f, struct pages pages)
{
    uint64_t page = pages.first;
    while (page < pages.end) {
        uint32_t owner;
        const struct frames_tile *tile = find(f, page, &owner);
        if (tile == NULL) {
            return FRAMES_NOT_MEMORY;
        }
        if (!tile->allocated) {
            return FRAMES_ALREADY_FREE;
        }
        page = frames_tile_end(tile);
    }
    return FRAMES_MISMATCH;
}

enum frames_status frames_free(struct frames *f, uint64_t base, uint64_t length)
{
    uint32_t owner = 0;
    if (!is_range(base, length)) {
        return FRAMES_BAD_RANGE;
    }
    if ((base & OFFSET_MASK) != 0) {
        return FRAMES_UNALIGNED;
    }
    struct pages pages = pages_around(base, length);
    struct frames_tile *tile = find(f, pages.first, &owner);
    if (tile == NULL || !tile->allocated || tile->start != pages.first ||
        frames_tile_end(tile) != pages.end) {
        return diagnose(f, pages);
    }
    struct frames_node *node = &f->node[owner];
    node->free_pages += tile->pages;
    node->allocations--;
    frames_tile_set(tile, tile->start, tile->pages, false);
    settle(f, node, tile);
    return FRAMES_OK;
}

uint32_t frames_node_of(const struct frames *f, uint64_t address)
{
    uint32_t owner = FRAMES_ANY_NODE;
    find(f, address >> FRAMES_PAGE_SHIFT, &owner);
    return owner;
}

bool frames_statistics(const struct frames *f, uint32_t node_number,
                       struct frames_statistics *statistics)
{
    memset(statistics, 0, sizeof *statistics);
    if (node_number >= f->node_count || f->node[node_number].root == NULL) {
        return false;
    }
    const struct frames_node *node = &f->node[node_number];
    statistics->total_pages = node->total_pages;
    statistics->free_pages = node->free_pages;
    statistics->largest_run = node->root->offer.longest;
    statistics->allocations = node->allocations;
    statistics->lowest = node->first->start << FRAMES_PAGE_SHIFT;
    statistics->highest =
        ((frames_tile_end(node->last) - 1) << FRAMES_PAGE_SHIFT) | OFFSET_MASK;
    return true;
}

bool frames_next(const struct frames *f, struct frames_block *block)
{
    uint64_t page = (block->base >> FRAMES_PAGE_SHIFT) + block->pages;
    const struct frames_tile *lowest = NULL;
    for (uint32_t i = 0; i < f->node_count; i++) {
        const struct frames_tile *tile = frames_tile_from(&f->node[i], page);
        if (tile != NULL && (lowest == NULL || tile->start < lowest->start)) {
            lowest = tile;
            block->node = i;
        }
    }
    if (lowest == NULL) {
        return false;
    }
    /* A tile that has grown downwards since is reported from here on. */
    uint64_t start = lowest->start > page ? lowest->start : page;
    block->base = start << FRAMES_PAGE_SHIFT;
    block->pages = frames_tile_end(lowest) - start;
    block->allocated = lowest->allocated != 0;
    return true;
}

const char *frames_explain(enum frames_status status)
{
    static const char *const text[] = {
        [FRAMES_OK] = "done",
        [FRAMES_BAD_REQUEST] = "the request contradicts itself",
        [FRAMES_NO_SUCH_NODE] = "the node does not exist or has no memory",
        [FRAMES_NO_ROOM] = "no free memory satisfies the request",
        [FRAMES_NO_TILES] = "the allocator has no room for its own records",
        [FRAMES_BAD_RANGE] = "the range is empty or wraps round",
        [FRAMES_UNALIGNED] = "the address does not begin a page",
        [FRAMES_OVERLAP] = "part of the range was added before",
        [FRAMES_NOT_MEMORY] = "part of the range is no memory",
        [FRAMES_ALREADY_FREE] = "part of the range is free",
        [FRAMES_MISMATCH] = "the range was not allocated in one piece",
    };
    if ((unsigned)status >= sizeof text / sizeof text[0]) {
        return "unknown status";
    }
    return text[status];
}
