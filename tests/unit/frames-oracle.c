/* SPDX-License-Identifier: MIT */
/*
 * The frame allocator against brute force: random small worlds, random history,
 * random constraints. The oracle keeps one byte for each page and tries every
 * page as a base, from the top; it knows nothing of runs, rows, trees or lines.
 */
#include "unit.h"

#include "mm/frames.h"
#include "mm/frames_tiles.h"

#define PAGE FRAMES_PAGE_SIZE
#define MAX_PAGES 4096
#define MAX_ROWS MAX_PAGES

#define MANY_RUNS 8
#define CASES 1000000u
#define PROGRESS 250000u

enum { ABSENT, FREE, USED };

struct held {
    uint64_t base;
    uint64_t length;
};

/* A window of `pages` pages from `first`, as the oracle sees it. */
static struct world {
    uint64_t first;
    unsigned pages;
    unsigned nodes;
    uint8_t state[MAX_PAGES];
    uint8_t node[MAX_PAGES];
    struct held held[MAX_PAGES];
    unsigned held_count;
} world;

static struct frames f;
static struct frames_row rows[MAX_ROWS];
static uint64_t seed;

/* What the run of the tests has met, to show that it met everything. */
static struct {
    unsigned granted, refused, starved, bytewise, holes;
    unsigned fragmented; /* requests with at least MANY_RUNS free runs */
    unsigned squeezed;   /* granted, but to fewer than three places */
} seen;

static uint64_t below(uint64_t limit)
{
    return random_below(&seed, limit);
}

static bool chance(unsigned percent)
{
    return below(100) < percent;
}

/* ---- oracle ---- */

/* Every bit that is not in the mask must be the same in all the addresses: for
   bit b they must all lie in one block of 2^b bytes. */
static bool mask_holds(uint64_t varying, uint64_t base, uint64_t last)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        if ((varying >> bit & 1) == 0 && base >> bit != last >> bit) {
            return false;
        }
    }
    return true;
}

static bool pages_are_free(unsigned at, uint64_t count)
{
    if (count > world.pages - at) {
        return false;
    }
    for (unsigned i = at; i < at + count; i++) {
        if (world.state[i] != FREE || world.node[i] != world.node[at]) {
            return false;
        }
    }
    return true;
}

static bool is_legal(const struct frames_request *request, unsigned at)
{
    uint64_t base = (world.first + at) * PAGE;
    uint64_t last = base + request->length - 1;
    uint64_t count = request->length / PAGE + (request->length % PAGE != 0);
    return last >= base && base >= request->low && last <= request->high &&
           (request->alignment == 0 || base % request->alignment == 0) &&
           mask_holds(request->varying, base, last) &&
           (request->node == FRAMES_ANY_NODE ||
            world.node[at] == request->node) &&
           pages_are_free(at, count);
}

static bool node_has_memory(uint32_t node)
{
    for (unsigned i = 0; i < world.pages; i++) {
        if (world.state[i] != ABSENT &&
            (node == FRAMES_ANY_NODE || world.node[i] == node)) {
            return true;
        }
    }
    return false;
}

/* Only if there are more tiles than before, and nowhere to put them. */
static bool may_starve(const struct frames_request *request, unsigned at)
{
    unsigned end = at + (unsigned)((request->length - 1) / PAGE + 1);
    bool under = at > 0 && world.state[at - 1] == FREE &&
                 world.node[at - 1] == world.node[at];
    bool over = end < world.pages && world.state[end] == FREE &&
                world.node[end] == world.node[at];
    return frames_spare(&f) == 0 && (under || over);
}

static enum frames_status predict(const struct frames_request *request,
                                  unsigned *at)
{
    uint64_t alignment = request->alignment;
    if (request->length == 0 || request->low > request->high ||
        (alignment & (alignment - 1)) != 0) {
        return FRAMES_BAD_REQUEST;
    }
    if (!node_has_memory(request->node)) {
        return FRAMES_NO_SUCH_NODE;
    }
    for (*at = world.pages; (*at)-- > 0;) {
        if (is_legal(request, *at)) {
            return FRAMES_OK;
        }
    }
    return FRAMES_NO_ROOM;
}

static unsigned free_runs(void)
{
    unsigned runs = 0;
    for (unsigned i = 0; i < world.pages; i++) {
        runs += world.state[i] == FREE &&
                (i == 0 || world.state[i - 1] != FREE ||
                 world.node[i - 1] != world.node[i]);
    }
    return runs;
}

/* Whether a request that is granted at a place has at most one other place. */
static bool is_squeezed(const struct frames_request *request, unsigned at)
{
    unsigned others = 0;
    while (others < 2 && at-- > 0) {
        others += is_legal(request, at);
    }
    return others < 2;
}

/* Byte by byte: which bits differ between any two of the addresses? */
static void check_bytewise(const struct frames_request *request, uint64_t base)
{
    uint64_t differing = 0;
    for (uint64_t i = 0; i < request->length; i++) {
        uint64_t address = base + i;
        assert_true(address >= request->low && address <= request->high);
        differing |= address ^ base;
    }
    assert_int_equal(differing & ~request->varying, 0);
    seen.bytewise++;
}

/* ---- random worlds and requests ---- */

static void build_world(unsigned pages)
{
    static const uint64_t places[] = { 0, 1, 8, 0xF7, 0x100, 0xFFFE0,
                                       0x12345, 0xFFFFFFFF8, 0 };
    memset(&world, 0, sizeof world);
    world.pages = pages;
    world.first = places[below(9)] + below(16);
    if (chance(15)) {
        world.first = ((uint64_t)1 << 52) - pages; /* up to the last byte */
    }
    world.nodes = 1 + (unsigned)below(3);
    unsigned node = 0;
    bool present = true;
    for (unsigned i = 0; i < pages; i++) {
        if (chance(12)) {
            node = (unsigned)below(world.nodes);
            present = chance(80);
        }
        world.state[i] = present ? FREE : ABSENT;
        world.node[i] = (uint8_t)node;
    }
}

/* Hands the world to the allocator, region by region, in random order. */
static void add_world(size_t row_count)
{
    frames_init(&f);
    frames_donate(&f, rows, row_count * sizeof rows[0]);
    bool added[MAX_PAGES] = { false };
    for (unsigned left = world.pages; left > 0;) {
        unsigned i = (unsigned)below(world.pages);
        while (added[i]) {
            i = (i + 1) % world.pages;
        }
        unsigned end = i;
        while (end < world.pages && !added[end] &&
               world.state[end] == world.state[i] &&
               world.node[end] == world.node[i]) {
            added[end++] = true;
            left--;
        }
        if (world.state[i] == FREE) {
            assert_int_equal(frames_add(&f, (world.first + i) * PAGE,
                                        (end - i) * PAGE, world.node[i]),
                             FRAMES_OK);
        }
    }
}

static uint64_t random_length(void)
{
    switch (below(8)) {
    case 0:
        return 1 + below(3);
    case 1:
        return (1 + below(4)) * PAGE + below(3) - 1;
    case 2:
        return below(2 * world.pages * PAGE);
    case 3:
        return chance(5) ? random64(&seed) : (uint64_t)1 << below(19);
    default:
        return 1 + below(8 * PAGE);
    }
}

static uint64_t random_mask(void)
{
    uint64_t mask = ((uint64_t)1 << below(23)) - 1;
    switch (below(6)) {
    case 0:
        return mask;
    case 1:
        return PAGE * 16 - 1;
    case 2:
        seen.holes++;
        return UINT64_MAX & ~((uint64_t)1 << below(64));
    case 3:
        seen.holes++;
        return mask & ~((uint64_t)1 << (8 + below(14)));
    default:
        return UINT64_MAX;
    }
}

/* An address in or near the world, on a page or anywhere in it. */
static uint64_t random_address(void)
{
    uint64_t page = world.first + below(world.pages + 2) - 1;
    return page * PAGE + (chance(50) ? below(PAGE) : (chance(50) ? PAGE - 1
                                                                 : 0));
}

static struct frames_request random_request(void)
{
    struct frames_request request = FRAMES_ANYWHERE(random_length());
    request.varying = random_mask();
    if (chance(40)) {
        request.high = random_address();
    }
    if (chance(30)) {
        request.low = random_address();
    }
    if (chance(40)) {
        request.alignment = (uint64_t)1 << below(chance(90) ? 20 : 64);
    }
    if (chance(60)) {
        request.node = (uint32_t)below(world.nodes + chance(5));
    }
    if (chance(1)) {
        request.alignment = random64(&seed);
    }
    return request;
}

/* ---- one step of a history ---- */

static void set_state(uint64_t base, uint64_t length, uint8_t state)
{
    unsigned at = (unsigned)(base / PAGE - world.first);
    for (uint64_t i = 0; i <= (length - 1) / PAGE; i++) {
        world.state[at + i] = state;
    }
}

static void allocate(const struct frames_request *request)
{
    unsigned at = 0;
    uint64_t base = 0;
    enum frames_status expected = predict(request, &at);
    enum frames_status status = frames_allocate(&f, request, &base);
    if (status == FRAMES_NO_TILES && expected == FRAMES_OK &&
        may_starve(request, at)) {
        expected = FRAMES_NO_TILES;
        seen.starved++;
    }
    assert_int_equal(status, expected);
    seen.fragmented += free_runs() >= MANY_RUNS;
    if ((seen.granted + seen.refused + 1) % PROGRESS == 0) {
        print_message("# %u requests so far\n",
                      seen.granted + seen.refused + 1);
    }
    if (status != FRAMES_OK) {
        seen.refused++;
        return;
    }
    assert_int_equal(base, (world.first + at) * PAGE);
    assert_int_equal(frames_node_of(&f, base), world.node[at]);
    seen.squeezed += is_squeezed(request, at);
    if (seen.granted++ % 16 == 0) {
        check_bytewise(request, base);
    }
    set_state(base, request->length, USED);
    world.held[world.held_count++] = (struct held){ base, request->length };
}

static void free_one(unsigned index)
{
    struct held held = world.held[index];
    assert_int_equal(frames_free(&f, held.base, held.length), FRAMES_OK);
    set_state(held.base, held.length, FREE);
    world.held[index] = world.held[--world.held_count];
}

/* Nothing that is not an allocation may be freed. */
static void free_wrongly(void)
{
    uint64_t base = world.held_count > 0 && chance(30) ? world.held[0].base
                                                       : random_address();
    uint64_t length = random_length();
    for (unsigned i = 0; i < world.held_count; i++) {
        if (world.held[i].base == base &&
            (world.held[i].length - 1) / PAGE == (length - 1) / PAGE) {
            return;
        }
    }
    assert_int_not_equal(frames_free(&f, base, length), FRAMES_OK);
}

static void compare_worlds(void)
{
    struct frames_block block = { 0 };
    uint64_t present = 0;
    const char *broken = frames_check(&f);
    if (broken != NULL) {
        fail_msg("does not hold: %s", broken);
    }
    while (frames_next(&f, &block)) {
        for (uint64_t i = 0; i < block.pages; i++) {
            uint64_t at = block.base / PAGE + i - world.first;
            assert_true(at < world.pages);
            assert_int_equal(world.state[at], block.allocated ? USED : FREE);
            assert_int_equal(world.node[at], block.node);
        }
        present += block.pages;
    }
    for (unsigned i = 0; i < world.pages; i++) {
        present -= world.state[i] != ABSENT;
    }
    assert_int_equal(present, 0);
}

/* After everything is freed every run must be whole again, and no more rows in use
   than such that two neighbours fill half a row. */
static void check_nothing_is_lost(void)
{
    struct frames_statistics statistics;
    compare_worlds();
    assert_true(f.row_count - frames_spare(&f) <=
                4 * free_runs() / FRAMES_ROW_TILES + world.nodes);
    for (uint32_t node = 0; node < world.nodes; node++) {
        frames_statistics(&f, node, &statistics);
        assert_int_equal(statistics.free_pages, statistics.total_pages);
        assert_int_equal(statistics.allocations, 0);
    }
}

static void play_history(unsigned steps, unsigned check_every)
{
    unsigned fullness = 30 + (unsigned)below(60);
    for (unsigned step = 0; step < steps; step++) {
        if (world.held_count > 0 && !chance(fullness)) {
            free_one((unsigned)below(world.held_count));
        } else {
            struct frames_request request = random_request();
            allocate(&request);
        }
        if (chance(5)) {
            free_wrongly();
        }
        if (step % check_every == 0) {
            compare_worlds();
        }
    }
    while (world.held_count > 0) {
        free_one((unsigned)below(world.held_count));
    }
    check_nothing_is_lost();
}

static void small_worlds(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 9000; i++) {
        seed = i + 1;
        build_world(1 + (unsigned)below(64));
        add_world(64 + (chance(30) ? 0 : 128));
        play_history(160, 8);
    }
    print_message("# %u granted (%u byte by byte, %u in one or two possible "
                  "places), %u refused, %u for want of rows; %u masks with "
                  "holes; %u times in %u or more free runs\n",
                  seen.granted, seen.bytewise, seen.squeezed, seen.refused,
                  seen.starved, seen.holes, seen.fragmented, MANY_RUNS);
    assert_true(seen.granted + seen.refused >= CASES);
    assert_true(seen.granted > 50000 && seen.refused > 20000);
    assert_true(seen.bytewise > 1000 && seen.holes > 10000);
    assert_true(seen.squeezed > 25000);
}

/*
 * Memory as fragmented as it can be: single pages, pairs and a few longer runs
 * between pages in use, so that most requests have one place or none.
 */
static void shattered_worlds(void **state)
{
    (void)state;
    unsigned before = seen.granted + seen.refused;
    unsigned fragmented = seen.fragmented;
    for (unsigned i = 0; i < 3000; i++) {
        seed = i + 3000001;
        build_world(64 + (unsigned)below(192));
        add_world(512);
        for (unsigned at = below(3); at < world.pages; at += 1 + below(4)) {
            if (world.state[at] == FREE) {
                uint64_t base = (world.first + at) * PAGE;
                assert_int_equal(frames_reserve(&f, base, PAGE), FRAMES_OK);
                set_state(base, PAGE, USED);
                world.held[world.held_count++] = (struct held){ base, PAGE };
            }
        }
        play_history(100, 20);
    }
    print_message("# %u requests more, %u of them in %u or more free runs\n",
                  seen.granted + seen.refused - before,
                  seen.fragmented - fragmented, MANY_RUNS);
    assert_true(seen.fragmented - fragmented > 150000);
}

static void few_rows(void **state)
{
    (void)state;
    seen.starved = 0;
    for (unsigned i = 0; i < 200; i++) {
        seed = i + 1000001;
        build_world(64 + (unsigned)below(192));
        add_world(256);
        while (frames_spare(&f) > i % 2) { /* take away all but a few */
            f.spare = f.spare->next;
            f.spare_count--;
            f.row_count--;
        }
        play_history(160, 8);
    }
    print_message("# %u times for want of rows\n", seen.starved);
    assert_true(seen.starved > 500);
}

static void deep_trees(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        seed = i + 2000001;
        build_world(MAX_PAGES);
        add_world(MAX_ROWS);
        play_history(4000, 500);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_worlds),
        cmocka_unit_test(shattered_worlds),
        cmocka_unit_test(few_rows),
        cmocka_unit_test(deep_trees),
    };
    return RUN_TESTS(tests);
}
