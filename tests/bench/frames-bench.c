/* SPDX-License-Identifier: MIT */
/*
 * What an allocate/free pair costs, from 16 to 65,536 free runs, beside the usual
 * approach: an array of free runs in the order of addresses, searched from the
 * top, the first fit taken.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mm/frames.h"
#include "mm/frames_tiles.h"

#define PAGE FRAMES_PAGE_SIZE
#define MOST_RUNS 65536
#define SPACING 32 /* pages from the beginning of a run to that of the next */
#define ROUNDS 5
#define ROUND_NS 20000000

/* ---- the usual approach, behind the same interface ---- */

struct run {
    uint64_t base;
    uint64_t length; /* bytes */
    uint32_t node;
};

struct linear {
    size_t count;
    struct run run[MOST_RUNS + 2];
};

static uint64_t whole_pages(uint64_t length)
{
    return (length + PAGE - 1) & ~(PAGE - 1);
}

/* Largest multiple of `unit`, a power of two, up to `value`. */
static uint64_t down(uint64_t value, uint64_t unit)
{
    return value & ~(unit - 1);
}

static bool linear_place(const struct run *run,
                         const struct frames_request *request, uint64_t *base)
{
    uint64_t size = whole_pages(request->length);
    uint64_t alignment = request->alignment > PAGE ? request->alignment : PAGE;
    uint64_t line = request->varying + 1; /* 0: none */
    uint64_t lowest = run->base > request->low ? run->base : request->low;
    if (run->length < size || request->high < request->length - 1) {
        return false;
    }
    uint64_t at = run->base + run->length - size;
    if (at > request->high - (request->length - 1)) {
        at = request->high - (request->length - 1);
    }
    at = down(at, alignment);
    if (line != 0 && down(at, line) != down(at + request->length - 1, line)) {
        at = down(down(at + request->length - 1, line) - size, alignment);
    }
    *base = at;
    return at >= lowest && at <= run->base + run->length - size;
}

static void linear_insert(struct linear *l, size_t index, struct run run)
{
    memmove(&l->run[index + 1], &l->run[index],
            (l->count++ - index) * sizeof run);
    l->run[index] = run;
}

static void linear_remove(struct linear *l, size_t index)
{
    memmove(&l->run[index], &l->run[index + 1],
            (--l->count - index) * sizeof l->run[0]);
}

static void linear_carve(struct linear *l, size_t index, uint64_t base,
                         uint64_t size)
{
    struct run *run = &l->run[index];
    uint64_t end = run->base + run->length;
    if (base == run->base && base + size == end) {
        linear_remove(l, index);
    } else if (base == run->base) {
        run->base += size;
        run->length -= size;
    } else {
        run->length = base - run->base;
        if (base + size < end) {
            linear_insert(l, index + 1,
                          (struct run){ base + size, end - base - size,
                                        run->node });
        }
    }
}

static bool linear_allocate(struct linear *l,
                            const struct frames_request *request,
                            uint64_t *base)
{
    for (size_t i = l->count; i-- > 0;) {
        if ((request->node == FRAMES_ANY_NODE ||
             request->node == l->run[i].node) &&
            linear_place(&l->run[i], request, base)) {
            linear_carve(l, i, *base, whole_pages(request->length));
            return true;
        }
    }
    return false;
}

static void linear_free(struct linear *l, uint64_t base, uint64_t length,
                        uint32_t node)
{
    uint64_t size = whole_pages(length);
    size_t low = 0;
    size_t high = l->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (l->run[middle].base < base) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    struct run *next = &l->run[low];
    struct run *previous = next - 1;
    bool joins_next = low < l->count && base + size == next->base &&
                      next->node == node;
    bool joins_previous = low > 0 && previous->node == node &&
                          previous->base + previous->length == base;
    if (joins_previous && joins_next) {
        previous->length += size + next->length;
        linear_remove(l, low);
    } else if (joins_previous) {
        previous->length += size;
    } else if (joins_next) {
        next->base = base;
        next->length += size;
    } else {
        linear_insert(l, low, (struct run){ base, size, node });
    }
}

/* ---- the same memory for both ---- */

static struct frames tree;
static struct linear linear;

/*
 * `runs` free runs of 1 to 15 pages, each followed by pages in use, above one run
 * of 16 MiB at the bottom. They begin `shift` pages above a 64 KiB line.
 */
static void fragment(unsigned runs, uint64_t shift)
{
    static struct frames_tile tiles[2 * MOST_RUNS + 8];
    uint64_t base = (16u << 20) + shift * PAGE;
    uint32_t random = 1;
    frames_init(&tree);
    frames_donate(&tree, tiles, sizeof tiles);
    frames_add(&tree, 0, base + runs * SPACING * PAGE, 0);
    linear.count = 0;
    linear_insert(&linear, 0, (struct run){ 0, base - PAGE, 0 });
    frames_reserve(&tree, base - PAGE, PAGE);
    for (unsigned i = 1; i < runs; i++) {
        random = random * 1664525u + 1013904223u;
        uint64_t length = (1 + (random >> 16) % 15) * PAGE;
        linear_insert(&linear, linear.count, (struct run){ base, length, 0 });
        frames_reserve(&tree, base + length, SPACING * PAGE - length);
        base += SPACING * PAGE;
    }
    frames_reserve(&tree, base, runs * SPACING * PAGE);
}

static bool tree_pair(const struct frames_request *request, uint64_t *base)
{
    return frames_allocate(&tree, request, base) == FRAMES_OK &&
           frames_free(&tree, *base, request->length) == FRAMES_OK;
}

static bool linear_pair(const struct frames_request *request, uint64_t *base)
{
    if (!linear_allocate(&linear, request, base)) {
        return false;
    }
    linear_free(&linear, *base, request->length, 0);
    return true;
}

typedef bool pair_fn(const struct frames_request *request, uint64_t *base);

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Nanoseconds for one call, the best of several rounds. */
static double measure(pair_fn *pair, const struct frames_request *request)
{
    double best = 1e18;
    uint64_t base;
    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t begin = now();
        uint64_t end = begin;
        unsigned calls = 0;
        while (end - begin < ROUND_NS) {
            for (unsigned i = 0; i < 32; i++) {
                pair(request, &base);
            }
            calls += 32;
            end = now();
        }
        double each = (double)(end - begin) / calls;
        best = each < best ? each : best;
    }
    return best;
}

static void compare(const char *name, unsigned runs,
                    const struct frames_request *request)
{
    uint64_t of_tree = 0;
    uint64_t of_linear = 0;
    bool tree_found = tree_pair(request, &of_tree);
    if (tree_found != linear_pair(request, &of_linear) ||
        (tree_found && of_tree != of_linear)) {
        fprintf(stderr, "%s: the two disagree at %u runs\n", name, runs);
        exit(1);
    }
    double tree_ns = measure(tree_pair, request);
    double linear_ns = measure(linear_pair, request);
    printf("%-34s %6u runs  tree %7.0f ns  linear %9.0f ns  ratio %7.1f\n",
           name, runs, tree_ns, linear_ns, linear_ns / tree_ns);
    fflush(stdout);
}

static void compare_all(unsigned runs)
{
    struct frames_request request = FRAMES_ANYWHERE(PAGE);
    fragment(runs, 0);
    compare("1 page, anywhere", runs, &request);
    request.high = (16u << 20) + runs / 2 * SPACING * PAGE - 1;
    compare("1 page, in the lower half", runs, &request);
    request = FRAMES_ANYWHERE(16 * PAGE);
    compare("64 KiB, only the lowest run fits", runs, &request);
    request.varying = 0xFFFF;
    compare("64 KiB, no 64 KiB line crossed", runs, &request);
    request.length = 15 * PAGE;
    request.varying = 0xFFFF;
    request.alignment = 16 * PAGE;
    compare("60 KiB on a 64 KiB line", runs, &request);
    request = FRAMES_ANYWHERE(64u << 20);
    compare("64 MiB, nothing fits", runs, &request);
    fragment(runs, 8);
    request = FRAMES_ANYWHERE(9 * PAGE);
    request.varying = 0xFFFF;
    compare("36 KiB, lines cut all but one run", runs, &request);
}

int main(void)
{
    for (unsigned runs = 16; runs <= MOST_RUNS; runs *= 16) {
        compare_all(runs);
    }
    return 0;
}
