/* SPDX-License-Identifier: MIT */
/*
 * Page frames of all NUMA nodes, handed out under constraints.
 *
 * Memory is covered, node by node, with tiles: each tile is one free run or one
 * allocation. They lie in rows, short arrays in the order of addresses; the rows
 * of a node hang in a balanced tree, and every subtree knows what its free runs
 * can offer, so that a request walks straight to the highest run that can hold
 * it.
 *
 * Nothing is ever stored in free memory: a device under test may scribble over
 * it. Rows live in memory which the caller donates (frames_donate).
 *
 * No call locks, waits or calls back. The caller serialises all calls on one
 * struct frames; any IRQL will do as long as the lock and the donated memory
 * may be touched there.
 */
#ifndef PCMASTER_EXECUTIVE_MM_FRAMES_H
#define PCMASTER_EXECUTIVE_MM_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAMES_PAGE_SHIFT 12
#define FRAMES_PAGE_SIZE ((uint64_t)1 << FRAMES_PAGE_SHIFT)

/* Node numbers are 0 to FRAMES_MAX_NODES - 1; QEMU has at most as many. */
#define FRAMES_MAX_NODES 128
#define FRAMES_ANY_NODE UINT32_MAX

/* No allocation takes more rows than this from the spare ones. */
#define FRAMES_ROWS_PER_ALLOCATION 1

enum frames_status {
    FRAMES_OK,
    FRAMES_BAD_REQUEST,   /* length 0, alignment no power of two, low > high */
    FRAMES_NO_SUCH_NODE,  /* the node has no memory, or its number is too high */
    FRAMES_NO_ROOM,       /* no free placement satisfies the request now */
    FRAMES_NO_TILES,      /* a placement exists, but frames_donate must come first */
    FRAMES_BAD_RANGE,     /* length 0, or the range wraps round */
    FRAMES_UNALIGNED,     /* base is no multiple of the page size */
    FRAMES_OVERLAP,       /* the range holds memory that was added before */
    FRAMES_NOT_MEMORY,    /* the range holds bytes that were never added */
    FRAMES_ALREADY_FREE,  /* the range holds free pages */
    FRAMES_MISMATCH,      /* allocated, but not as one piece of this base and length */
};

/*
 * What a buffer must satisfy. The buffer's bytes are base to base + length - 1;
 * low, high and varying are judged on exactly these, although whole pages are
 * consumed: the rest of the last page may lie above high.
 */
struct frames_request {
    uint64_t low;       /* lowest address of the first byte */
    uint64_t high;      /* highest address of the last byte (inclusive) */
    uint64_t varying;   /* only bits set here may differ between any two of the
                           bytes' addresses: 0xFFFF means that no 64 KiB line is
                           crossed, ~0 that there is no such constraint. A buffer
                           of one byte meets every mask. */
    uint64_t alignment; /* of base, in bytes: a power of two. Less than a page
                           (0 as well) means a page. */
    uint64_t length;    /* bytes, at least 1 */
    uint32_t node;      /* strictly this node, or FRAMES_ANY_NODE */
};

/* A request for `bytes` bytes that accepts any placement; narrow it from here. */
#define FRAMES_ANYWHERE(bytes)                                                 \
    ((struct frames_request){ .low = 0, .high = UINT64_MAX,                    \
                              .varying = UINT64_MAX, .alignment = 0,           \
                              .length = (bytes), .node = FRAMES_ANY_NODE })

struct frames_row;

struct frames_node {
    struct frames_row *root;
    struct frames_row *first;
    struct frames_row *last;
    uint64_t total_pages;
    uint64_t free_pages;
    uint64_t allocations;
};

/* The whole state; the members are private. */
struct frames {
    struct frames_node node[FRAMES_MAX_NODES];
    uint32_t node_count; /* 1 + the highest node with memory */
    struct frames_row *spare;
    size_t spare_count;
    size_t row_count; /* all that were ever donated */
};

/* All sizes are in pages: 2^64 bytes do not fit into 64 bits. */
struct frames_statistics {
    uint64_t total_pages;
    uint64_t free_pages;
    uint64_t largest_run;  /* pages of the longest free run, 0 if there is none */
    uint64_t allocations;  /* pieces handed out or reserved, not yet freed */
    uint64_t lowest;       /* address of the node's first byte */
    uint64_t highest;      /* address of the node's last byte (inclusive) */
};

/* One tile, as frames_next reports it. */
struct frames_block {
    uint64_t base;
    uint64_t pages;
    uint32_t node;
    bool allocated;
};

/* Makes an empty allocator: no memory, no rows. */
void frames_init(struct frames *f);

/*
 * Gives `bytes` bytes at `memory`, for good, to hold rows. They must stay
 * mapped and must not be memory that this allocator can hand out. Returns the
 * number of rows gained: 0 if there is not even room for one.
 */
size_t frames_donate(struct frames *f, void *memory, size_t bytes);

/*
 * Number of unused rows. A caller that donates pages taken from this very
 * allocator does so before the number falls below FRAMES_ROWS_PER_ALLOCATION.
 * Freeing never needs a row.
 */
size_t frames_spare(const struct frames *f);

/*
 * Adds the whole pages inside [base, base + length) to a node as free memory; a
 * range without a whole page adds nothing and is no error. Takes at most one
 * row.
 * Errors: FRAMES_BAD_RANGE, FRAMES_NO_SUCH_NODE, FRAMES_OVERLAP (with memory of
 * any node), FRAMES_NO_TILES. After an error nothing has changed.
 */
enum frames_status frames_add(struct frames *f, uint64_t base, uint64_t length,
                              uint32_t node);

/*
 * Takes all pages that [base, base + length) touches out of the free memory
 * (firmware tables, kernel images). Parts that are no memory or not free are
 * left as they are. Each free run it covers, or the covered part of it, becomes
 * one allocation that frames_free accepts. Takes at most two rows.
 * Errors: FRAMES_BAD_RANGE, FRAMES_NO_TILES. After an error nothing has changed.
 */
enum frames_status frames_reserve(struct frames *f, uint64_t base,
                                  uint64_t length);

/*
 * Allocates the highest placement that satisfies the request, so that low
 * memory is handed out last. It succeeds whenever a placement exists and rows
 * suffice. The contents of the pages are whatever they were.
 * Errors: FRAMES_BAD_REQUEST, FRAMES_NO_SUCH_NODE, FRAMES_NO_ROOM,
 * FRAMES_NO_TILES; *base is then unchanged, and so is everything else.
 */
enum frames_status frames_allocate(struct frames *f,
                                   const struct frames_request *request,
                                   uint64_t *base);

/*
 * Frees one allocation, named by its base and its length in bytes (any length
 * with the same number of pages). It never fails for lack of rows.
 * Errors: FRAMES_BAD_RANGE, FRAMES_UNALIGNED, FRAMES_NOT_MEMORY,
 * FRAMES_ALREADY_FREE, FRAMES_MISMATCH. After an error nothing has changed.
 */
enum frames_status frames_free(struct frames *f, uint64_t base,
                               uint64_t length);

/* The node that owns the byte at `address`, or FRAMES_ANY_NODE if none does. */
uint32_t frames_node_of(const struct frames *f, uint64_t address);

/* False if the node has no memory; *statistics is then all zero. */
bool frames_statistics(const struct frames *f, uint32_t node,
                       struct frames_statistics *statistics);

/*
 * Walks all tiles of all nodes in the order of their addresses:
 *     struct frames_block block = { 0 };
 *     while (frames_next(f, &block)) ...
 * The allocator may be changed between two calls; the walk goes on behind the
 * block that was reported last.
 */
bool frames_next(const struct frames *f, struct frames_block *block);

/*
 * Checks every invariant. Returns NULL if all hold, otherwise the name of the
 * one that does not. For tests and post-mortems: its cost grows with the number
 * of tiles, and its recursion with the height of the trees.
 */
const char *frames_check(const struct frames *f);

/* An English sentence without a full stop; never NULL. */
const char *frames_explain(enum frames_status status);

#endif
