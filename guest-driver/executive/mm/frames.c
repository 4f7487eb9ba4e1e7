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

size_t frames_donate(struct frames *f, void *memory, size_t bytes)
{
    size_t skip = -(uintptr_t)memory % _Alignof(struct frames_row);
    if (bytes < skip) {
        return 0;
    }
    struct frames_row *row = (struct frames_row *)((char *)memory + skip);
    size_t count = (bytes - skip) / sizeof *row;
    for (size_t i = count; i > 0; i--) {
        frames_row_put(f, &row[i - 1]);
    }
    f->row_count += count;
    return count;
}

size_t frames_spare(const struct frames *f)
{
    return f->spare_count;
}

static uint64_t end_of(const struct frames_node *node)
{
    return frames_tile_end(&node->last->tile[node->last->count - 1]);
}

/* The tile of whichever node that holds the page, and its node. */
static struct frames_at find(const struct frames *f, uint64_t page,
                             uint32_t *owner)
{
    for (uint32_t i = 0; i < f->node_count; i++) {
        const struct frames_node *node = &f->node[i];
        if (node->root == NULL || page < node->first->tile[0].start ||
            page >= end_of(node)) {
            continue;
        }
        struct frames_at at = frames_tile_from(node, page);
        if (frames_tile_at(at)->start <= page) {
            *owner = i;
            return at;
        }
    }
    return (struct frames_at){ NULL, 0 };
}

static bool holds_memory(const struct frames *f, struct pages pages)
{
    for (uint32_t i = 0; i < f->node_count; i++) {
        struct frames_at at = frames_tile_from(&f->node[i], pages.first);
        if (at.row != NULL && frames_tile_at(at)->start < pages.end) {
            return true;
        }
    }
    return false;
}

static struct frames_tile tile_of(struct pages pages, bool allocated)
{
    return (struct frames_tile){ pages.first, pages.end - pages.first,
                                 allocated };
}

static bool is_free(struct frames_at at)
{
    return at.row != NULL && at.index < at.row->count &&
           !frames_tile_at(at)->allocated;
}

/*
 * Puts a free run in the place of the tile at `at`, or before it if `replaced` is
 * 0, and joins it with its free neighbours.
 */
static void settle(struct frames *f, struct frames_node *node,
                   struct frames_at at, uint32_t replaced, struct pages pages)
{
    struct frames_at previous = frames_tile_previous(at);
    struct frames_at next = replaced == 0 ? at : frames_tile_next(at);
    if (is_free(next) && frames_tile_at(next)->start == pages.end) {
        pages.end = frames_tile_end(frames_tile_at(next));
        replaced++;
    }
    if (is_free(previous) &&
        frames_tile_end(frames_tile_at(previous)) == pages.first) {
        pages.first = frames_tile_at(previous)->start;
        at = previous;
        replaced++;
    }
    struct frames_tile run = tile_of(pages, false);
    frames_tile_replace(f, node, at, replaced, &run, 1);
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
    struct frames_node *node = &f->node[node_number];
    struct frames_at at = { NULL, 0 };
    if (node->root != NULL) {
        at = frames_tile_from(node, pages.first);
        if (at.row == NULL) {
            at = (struct frames_at){ node->last, node->last->count };
        }
    }
    if (f->spare_count == 0 && (at.row == NULL || frames_row_is_full(at, 1))) {
        return FRAMES_NO_TILES;
    }
    node->total_pages += pages.end - pages.first;
    node->free_pages += pages.end - pages.first;
    if (f->node_count <= node_number) {
        f->node_count = node_number + 1;
    }
    if (at.row == NULL) {
        frames_tile_begin(f, node, tile_of(pages, false));
    } else {
        settle(f, node, at, 0, pages);
    }
    return FRAMES_OK;
}

/* Allocates these pages of a free run. The caller has seen to it that there is
   room for a tile more on each side that stays free. */
static void carve(struct frames *f, struct frames_node *node,
                  struct frames_at at, struct pages pages)
{
    struct frames_tile tiles[3];
    uint32_t count = 0;
    uint64_t start = frames_tile_at(at)->start;
    uint64_t end = frames_tile_end(frames_tile_at(at));
    if (start < pages.first) {
        tiles[count++] = tile_of((struct pages){ start, pages.first }, false);
    }
    tiles[count++] = tile_of(pages, true);
    if (pages.end < end) {
        tiles[count++] = tile_of((struct pages){ pages.end, end }, false);
    }
    node->free_pages -= pages.end - pages.first;
    node->allocations++;
    frames_tile_replace(f, node, at, 1, tiles, count);
}

/* The free run that an allocation which begins or ends at `page` divides there;
   row NULL: none. */
static struct frames_at divided(const struct frames *f, uint64_t page)
{
    uint32_t owner;
    struct frames_at at = find(f, page, &owner);
    bool divides = at.row != NULL && !frames_tile_at(at)->allocated &&
                   frames_tile_at(at)->start < page;
    return divides ? at : (struct frames_at){ NULL, 0 };
}

/* Rows that it takes to divide free runs at both ends. */
static size_t rows_to_divide(const struct frames *f, struct pages pages)
{
    struct frames_at first = divided(f, pages.first);
    struct frames_at end = divided(f, pages.end);
    if (first.row != NULL && first.row == end.row) {
        return frames_row_is_full(first, 2);
    }
    return (size_t)(first.row != NULL && frames_row_is_full(first, 1)) +
           (size_t)(end.row != NULL && frames_row_is_full(end, 1));
}

enum frames_status frames_reserve(struct frames *f, uint64_t base,
                                  uint64_t length)
{
    if (!is_range(base, length)) {
        return FRAMES_BAD_RANGE;
    }
    struct pages pages = pages_around(base, length);
    if (rows_to_divide(f, pages) > f->spare_count) {
        return FRAMES_NO_TILES;
    }
    for (uint32_t i = 0; i < f->node_count; i++) {
        struct frames_node *node = &f->node[i];
        struct frames_at at = frames_tile_from(node, pages.first);
        while (at.row != NULL && frames_tile_at(at)->start < pages.end) {
            struct pages part = { frames_tile_at(at)->start,
                                  frames_tile_end(frames_tile_at(at)) };
            uint64_t end = part.end;
            if (is_free(at)) {
                if (part.first < pages.first) {
                    part.first = pages.first;
                }
                if (part.end > pages.end) {
                    part.end = pages.end;
                }
                carve(f, node, at, part);
            }
            at = frames_tile_from(node, end);
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
static struct frames_at search_nodes(struct frames *f, uint32_t from,
                                     uint32_t to, struct frames_fit *fit,
                                     struct frames_node **owner)
{
    struct frames_at best = { NULL, 0 };
    uint64_t page = 0;
    for (uint32_t i = from; i <= to; i++) {
        struct frames_at at = frames_tile_search(&f->node[i], fit, &page);
        if (at.row != NULL) {
            best = at;
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
    struct frames_at at = search_nodes(f, from, to, &fit, &node);
    if (at.row == NULL) {
        return FRAMES_NO_ROOM;
    }
    struct pages pages = { fit.lowest, fit.lowest + fit.pages };
    const struct frames_tile *run = frames_tile_at(at);
    size_t more = (size_t)(run->start < pages.first) +
                  (size_t)(pages.end < frames_tile_end(run));
    if (f->spare_count == 0 && frames_row_is_full(at, more)) {
        return FRAMES_NO_TILES;
    }
    carve(f, node, at, pages);
    *base = pages.first << FRAMES_PAGE_SHIFT;
    return FRAMES_OK;
}

/* Why these pages are not one allocation. */
static enum frames_status diagnose(const struct frames *f, struct pages pages)
{
    uint64_t page = pages.first;
    while (page < pages.end) {
        uint32_t owner;
        struct frames_at at = find(f, page, &owner);
        if (at.row == NULL) {
            return FRAMES_NOT_MEMORY;
        }
        if (is_free(at)) {
            return FRAMES_ALREADY_FREE;
        }
        page = frames_tile_end(frames_tile_at(at));
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
    struct frames_at at = find(f, pages.first, &owner);
    if (at.row == NULL || is_free(at) ||
        frames_tile_at(at)->start != pages.first ||
        frames_tile_end(frames_tile_at(at)) != pages.end) {
        return diagnose(f, pages);
    }
    struct frames_node *node = &f->node[owner];
    node->free_pages += pages.end - pages.first;
    node->allocations--;
    settle(f, node, at, 1, pages);
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
    statistics->lowest = node->first->tile[0].start << FRAMES_PAGE_SHIFT;
    statistics->highest =
        ((end_of(node) - 1) << FRAMES_PAGE_SHIFT) | OFFSET_MASK;
    return true;
}

bool frames_next(const struct frames *f, struct frames_block *block)
{
    uint64_t page = (block->base >> FRAMES_PAGE_SHIFT) + block->pages;
    const struct frames_tile *lowest = NULL;
    for (uint32_t i = 0; i < f->node_count; i++) {
        struct frames_at at = frames_tile_from(&f->node[i], page);
        if (at.row != NULL &&
            (lowest == NULL || frames_tile_at(at)->start < lowest->start)) {
            lowest = frames_tile_at(at);
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
