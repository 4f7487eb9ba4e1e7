/* SPDX-License-Identifier: MIT */
/*
 * That free memory does not fragment needlessly, and low memory is spared. The
 * policy is the highest placement, and what is freed joins its neighbours; the
 * same history is played to models of other policies.
 */
#include "unit.h"

#include "mm/frames.h"
#include "mm/frames_tiles.h"

#define PAGE FRAMES_PAGE_SIZE
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)
#define PAGES 8192u
#define SLOTS 2048u
#define STEPS 60000u
#define SAMPLES (STEPS / 2 / 64)

static uint64_t seed;

/* ---- policies, over one byte for each page ---- */

/* The page at which `count` free ones begin; PAGES: nowhere. */
typedef unsigned choose_fn(const uint8_t *used, unsigned count);

static bool fits(const uint8_t *used, unsigned at, unsigned count)
{
    for (unsigned i = at; i < at + count; i++) {
        if (i >= PAGES || used[i]) {
            return false;
        }
    }
    return true;
}

static unsigned first_from(const uint8_t *used, unsigned start, unsigned count)
{
    for (unsigned i = 0; i < PAGES; i++) {
        unsigned at = (start + i) % PAGES;
        if (fits(used, at, count)) {
            return at;
        }
    }
    return PAGES;
}

/* On from where the last one was. */
static unsigned next_fit(const uint8_t *used, unsigned count)
{
    static unsigned last;
    unsigned at = first_from(used, last % PAGES, count);
    last = at == PAGES ? 0 : at + count;
    return at;
}

static unsigned random_fit(const uint8_t *used, unsigned count)
{
    return first_from(used, (unsigned)random_below(&seed, PAGES), count);
}

/* The longest run, its beginning. */
static unsigned worst_fit(const uint8_t *used, unsigned count)
{
    unsigned best = PAGES, longest = count - 1;
    for (unsigned at = 0, end; at < PAGES; at = end + 1) {
        for (end = at; end < PAGES && !used[end]; end++) {
        }
        if (end - at > longest) {
            longest = end - at;
            best = at;
        }
    }
    return best;
}

/* ---- one history for all ---- */

struct shape {
    double runs;    /* free runs, on average */
    double longest; /* pages of the longest, on average */
    unsigned failed;
};

static void sample(const uint8_t *used, struct shape *shape)
{
    unsigned longest = 0, runs = 0;
    for (unsigned at = 0, end; at < PAGES; at = end + 1) {
        for (end = at; end < PAGES && !used[end]; end++) {
        }
        runs += end > at;
        longest = end - at > longest ? end - at : longest;
    }
    shape->runs += (double)runs / SAMPLES;
    shape->longest += (double)longest / SAMPLES;
}

static struct frames f;

/* NULL stands for the allocator itself. */
static unsigned take(choose_fn *choose, const uint8_t *used, unsigned count)
{
    struct frames_request request = FRAMES_ANYWHERE(count * PAGE);
    uint64_t base;
    if (choose != NULL) {
        return choose(used, count);
    }
    return frames_allocate(&f, &request, &base) == FRAMES_OK
               ? (unsigned)(base / PAGE)
               : PAGES;
}

/* Slots that each hold 1 to 16 pages, given back and taken in random order. */
static struct shape play(choose_fn *choose, unsigned slots)
{
    static struct frames_row rows[2 * SLOTS + 64];
    static uint8_t used[PAGES];
    static unsigned at[SLOTS], count[SLOTS];
    struct shape shape = { 0, 0, 0 };
    uint64_t choices = 1; /* apart from `seed`, which random_fit uses */
    seed = 2;
    memset(used, 0, sizeof used);
    memset(count, 0, sizeof count);
    frames_init(&f);
    frames_donate(&f, rows, sizeof rows);
    assert_int_equal(frames_add(&f, 0, PAGES * PAGE, 0), FRAMES_OK);
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned slot = (unsigned)random_below(&choices, slots);
        unsigned pages = 1 + (unsigned)random_below(&choices, 16);
        if (count[slot] != 0) {
            memset(used + at[slot], 0, count[slot]);
            if (choose == NULL) {
                assert_int_equal(frames_free(&f, at[slot] * PAGE,
                                             count[slot] * PAGE), FRAMES_OK);
            }
        }
        at[slot] = take(choose, used, pages);
        count[slot] = at[slot] == PAGES ? 0 : pages;
        shape.failed += count[slot] == 0;
        memset(used + (count[slot] ? at[slot] : 0), 1, count[slot]);
        if (step >= STEPS / 2 && step % 64 == 0) {
            sample(used, &shape);
        }
    }
    assert_null(frames_check(&f));
    return shape;
}

static void fragments_less_than_others(void **state)
{
    (void)state;
    static const struct { const char *name; choose_fn *choose; } others[] = {
        { "next fit", next_fit }, { "random fit", random_fit },
        { "worst fit", worst_fit },
    };
    for (unsigned slots = 480; slots <= 720; slots += 240) {
        struct shape ours = play(NULL, slots);
        print_message("# %u%% in use: highest fit: %.0f free runs, the longest "
                      "%.0f pages\n", slots * 850 / PAGES, ours.runs,
                      ours.longest);
        assert_int_equal(ours.failed, 0);
        for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
            struct shape other = play(others[i].choose, slots);
            print_message("#     %s: %.0f free runs, the longest %.0f pages\n",
                          others[i].name, other.runs, other.longest);
            assert_true(ours.runs < other.runs);
            assert_true(ours.longest > 4 * other.longest);
        }
    }
}

/* ---- low memory ---- */

static struct frames_row many[8192];

static void machine_of_8_gib(void)
{
    frames_init(&f);
    frames_donate(&f, many, sizeof many);
    assert_int_equal(frames_add(&f, 0, 3 * GIB, 0), FRAMES_OK);
    assert_int_equal(frames_add(&f, 4 * GIB, GIB, 0), FRAMES_OK);
    assert_int_equal(frames_add(&f, 5 * GIB, 4 * GIB, 1), FRAMES_OK);
}

/*
 * Whoever does not need low memory gets it only when nothing else is left: all
 * above 4 GiB is used up first, then all above 16 MiB.
 */
static void low_memory_goes_last(void **state)
{
    (void)state;
    static const struct { uint64_t low, high; } order[] = {
        { 5 * GIB, 9 * GIB }, { 4 * GIB, 5 * GIB },
        { 16 * MIB, 3 * GIB }, { 0, 16 * MIB },
    };
    struct frames_request request = FRAMES_ANYWHERE(0);
    uint64_t base;
    machine_of_8_gib();
    seed = 7;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        uint64_t top = order[i].high;
        while (top > order[i].low) {
            uint64_t left = (top - order[i].low) / PAGE;
            request.length =
                PAGE * (1 + random_below(&seed, left < 1024 ? left : 1024));
            assert_int_equal(frames_allocate(&f, &request, &base), FRAMES_OK);
            assert_int_equal(base, top - request.length);
            top = base;
        }
    }
    request.length = 1;
    assert_int_equal(frames_allocate(&f, &request, &base), FRAMES_NO_ROOM);
}

/* Requests with any limits that low memory is not needed for. */
static void low_memory_is_spared(void **state)
{
    (void)state;
    uint64_t base;
    machine_of_8_gib();
    seed = 11;
    for (unsigned i = 0; i < 2000; i++) {
        struct frames_request request =
            FRAMES_ANYWHERE(1 + random_below(&seed, 512 * PAGE));
        uint64_t floor = 16 * MIB;
        switch (random_below(&seed, 4)) {
        case 0:
            request.high = 4 * GIB - 1;
            break;
        case 1:
            request.high = 64 * MIB + random_below(&seed, 4 * GIB);
            break;
        case 2:
            request.varying = 4 * MIB - 1;
            floor = 4 * GIB;
            break;
        default:
            request.node = 1;
            floor = 5 * GIB;
            break;
        }
        assert_int_equal(frames_allocate(&f, &request, &base), FRAMES_OK);
        assert_true(base >= floor);
    }
}

/* What is freed is whole again, in whatever order. */
static void freed_memory_is_whole(void **state)
{
    (void)state;
    static uint64_t base[4096], length[4096];
    struct frames_statistics statistics;
    machine_of_8_gib();
    seed = 13;
    size_t spare = frames_spare(&f);
    for (unsigned i = 0; i < 2000; i++) {
        struct frames_request request =
            FRAMES_ANYWHERE(1 + random_below(&seed, 64 * PAGE));
        request.varying = (uint64_t)(i % 2 ? 0x3FFFF : -1);
        assert_int_equal(frames_allocate(&f, &request, &base[i]), FRAMES_OK);
        length[i] = request.length;
    }
    for (unsigned left = 2000; left > 0; left--) {
        unsigned i = (unsigned)random_below(&seed, left);
        assert_int_equal(frames_free(&f, base[i], length[i]), FRAMES_OK);
        base[i] = base[left - 1];
        length[i] = length[left - 1];
    }
    assert_int_equal(frames_spare(&f), spare);
    assert_true(frames_statistics(&f, 0, &statistics));
    assert_int_equal(statistics.largest_run, 3 * GIB / PAGE);
    assert_true(frames_statistics(&f, 1, &statistics));
    assert_int_equal(statistics.largest_run, 4 * GIB / PAGE);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(fragments_less_than_others),
        cmocka_unit_test(low_memory_goes_last),
        cmocka_unit_test(low_memory_is_spared),
        cmocka_unit_test(freed_memory_is_whole),
    };
    return RUN_TESTS(tests);
}
