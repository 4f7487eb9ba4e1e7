/* SPDX-License-Identifier: MIT */
/*
 * What an allocate/free pair costs, from 16 to 65,536 free runs, beside the
 * linear first-fit of linear.h. Prints a line for each case:
 *     RUNS FRAMES-NS LINEAR-NS NAME
 * Arguments: the numbers of runs; 16 to 65,536 if there are none. Both must give
 * the same answers, or it fails.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "linear.h"
#include "mm/frames.h"
#include "mm/frames_tiles.h"

#define PAGE FRAMES_PAGE_SIZE
#define MIB (1ull << 20)
#define MOST_RUNS 65536
#define SPACING 32 /* pages from the beginning of a run to that of the next */
#define LOW_RUN (16 * MIB)
#define TURNS 10
#define ROUNDS 4 /* of a turn; the first ones find the caches as the other left them */
#define ROUND_NS 1000000
#define HISTORY 4096 /* requests of a mixed history, used again and again */

static struct frames frames;
static struct linear linear;
/* The executive keeps its rows in large pages, too: in its map of all memory. */
static _Alignas(2 * MIB) struct frames_row rows[MOST_RUNS];

static uint32_t random_state;

static uint32_t below(uint32_t limit)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)random_state * limit) >> 32);
}

/* ---- the same memory for both ---- */

/* Takes what lies between the runs in random order, as a history would. */
static void reserve_gaps(uint64_t base, const uint64_t *length, unsigned runs)
{
    static unsigned order[MOST_RUNS];
    for (unsigned i = 0; i < runs; i++) {
        unsigned j = below(i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    for (unsigned i = 0; i < runs; i++) {
        unsigned n = order[i];
        uint64_t from = base + n * SPACING * PAGE + length[n];
        frames_reserve(&frames, from, SPACING * PAGE - length[n]);
    }
}

/*
 * `runs` free runs of 1 to 15 pages, each followed by pages in use, above one
 * run of 16 MiB at the bottom. They begin `shift` pages above a 64 KiB line.
 */
static void fragment(unsigned runs, uint64_t shift)
{
    static uint64_t length[MOST_RUNS];
    uint64_t base = LOW_RUN + shift * PAGE;
    random_state = 1;
    frames_init(&frames);
    frames_donate(&frames, rows, sizeof rows);
    frames_add(&frames, 0, base + (runs - 1) * SPACING * PAGE, 0);
    frames_reserve(&frames, base - PAGE, PAGE);
    linear.count = 0;
    linear_add(&linear, 0, base - PAGE, 0);
    for (unsigned i = 0; i < runs - 1; i++) {
        length[i] = (1 + below(15)) * PAGE;
        linear_add(&linear, base + i * SPACING * PAGE, length[i], 0);
    }
    reserve_gaps(base, length, runs - 1);
}

/* ---- what is measured ---- */

typedef bool allocate_fn(const struct frames_request *request, uint64_t *base);
typedef void free_fn(uint64_t base, uint64_t length);

struct way {
    allocate_fn *allocate;
    free_fn *release;
};

static bool frames_take(const struct frames_request *request, uint64_t *base)
{
    return frames_allocate(&frames, request, base) == FRAMES_OK;
}

static void frames_give(uint64_t base, uint64_t length)
{
    if (frames_free(&frames, base, length) != FRAMES_OK) {
        abort();
    }
}

static bool linear_take(const struct frames_request *request, uint64_t *base)
{
    return linear_allocate(&linear, request, base);
}

static void linear_give(uint64_t base, uint64_t length)
{
    linear_free(&linear, base, length, 0);
}

static const struct way ways[2] = {
    { frames_take, frames_give },
    { linear_take, linear_give },
};

/* A request again and again, or a history: each slot is what one is given. */
struct work {
    const char *name;
    const struct frames_request *requests;
    unsigned count; /* a power of two */
    bool history;
    uint64_t *held[2]; /* by way; 0: the slot holds nothing */
    unsigned next[2];
};

static uint64_t step(struct work *work, int which)
{
    const struct way *way = &ways[which];
    unsigned slot = work->next[which]++ & (work->count - 1);
    const struct frames_request *request = &work->requests[slot];
    uint64_t base = 0;
    if (work->history && work->held[which][slot] != 0) {
        way->release(work->held[which][slot], request->length);
    }
    if (!way->allocate(request, &base)) {
        base = 0;
    } else if (!work->history) {
        way->release(base, request->length);
    }
    if (work->history) {
        work->held[which][slot] = base;
    }
    return base;
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Nanoseconds for one step, in one round. */
static double measure(struct work *work, int which)
{
    uint64_t begin = now();
    uint64_t end = begin;
    unsigned steps = 0;
    while (end - begin < ROUND_NS) {
        for (unsigned i = 0; i < 32; i++) {
            step(work, which);
        }
        steps += 32;
        end = now();
    }
    return (double)(end - begin) / steps;
}

static void check_same(struct work *work, unsigned runs)
{
    unsigned steps = work->history ? 2 * work->count : 1;
    for (unsigned i = 0; i < steps; i++) {
        if (step(work, 0) != step(work, 1)) {
            fprintf(stderr, "%s: the two disagree at %u runs\n", work->name,
                    runs);
            exit(1);
        }
    }
}

/* The two take turns; the best round of each counts, which nothing disturbed. */
static void compare(struct work work, unsigned runs)
{
    double best[2] = { 1e18, 1e18 };
    check_same(&work, runs);
    for (unsigned i = 0; i < 2 * ROUNDS * TURNS; i++) {
        int which = i / ROUNDS % 2;
        double each = measure(&work, which);
        best[which] = each < best[which] ? each : best[which];
    }
    printf("%u %.1f %.1f %s\n", runs, best[0], best[1], work.name);
    fflush(stdout);
}

static void compare_one(const char *name, unsigned runs,
                        const struct frames_request *request)
{
    compare((struct work){ name, request, 1, false, { NULL, NULL }, { 0, 0 } },
            runs);
}

/*
 * Sizes, limits and lines of all kinds all over the memory. `span` is what lies
 * below the runs' end.
 */
static void compare_history(unsigned runs, uint64_t span)
{
    static struct frames_request requests[HISTORY];
    static uint64_t held[2][HISTORY];
    unsigned count = runs / 4 < HISTORY ? runs / 4 : HISTORY;
    memset(held, 0, sizeof held);
    for (unsigned i = 0; i < count; i++) {
        requests[i] = FRAMES_ANYWHERE((1 + below(8 * PAGE)));
        requests[i].high = LOW_RUN + below((uint32_t)(span / PAGE)) * PAGE;
        requests[i].varying = below(2) ? UINT64_MAX : 0xFFFF;
    }
    compare((struct work){ "mixed history, all over the memory", requests,
                           count, true, { held[0], held[1] }, { 0, 0 } },
            runs);
}

static void compare_all(unsigned runs)
{
    struct frames_request request = FRAMES_ANYWHERE(PAGE);
    uint64_t span = (uint64_t)runs * SPACING * PAGE;
    fragment(runs, 0);
    compare_one("1 page, anywhere", runs, &request);
    request.high = LOW_RUN + span / 2 - 1;
    compare_one("1 page, in the lower half", runs, &request);
    request = FRAMES_ANYWHERE(16 * PAGE);
    compare_one("64 KiB, only the lowest run fits", runs, &request);
    request.varying = 0xFFFF;
    compare_one("64 KiB, no 64 KiB line crossed", runs, &request);
    request.length = 15 * PAGE;
    request.alignment = 16 * PAGE;
    compare_one("60 KiB on a 64 KiB line", runs, &request);
    request = FRAMES_ANYWHERE(64 * MIB);
    compare_one("64 MiB, nothing fits", runs, &request);
    compare_history(runs, span);
    fragment(runs, 8);
    request = FRAMES_ANYWHERE(9 * PAGE);
    request.varying = 0xFFFF;
    compare_one("36 KiB, lines cut all but one run", runs, &request);
}

int main(int argc, char **argv)
{
    madvise(rows, sizeof rows, MADV_HUGEPAGE);
    for (int i = 1; i < argc; i++) {
        unsigned long runs = strtoul(argv[i], NULL, 10);
        if (runs < 16 || runs > MOST_RUNS) {
            fprintf(stderr, "runs: from 16 to %u\n", MOST_RUNS);
            return 2;
        }
        compare_all((unsigned)runs);
    }
    for (unsigned runs = 16; argc == 1 && runs <= MOST_RUNS; runs *= 16) {
        compare_all(runs);
    }
    return 0;
}
