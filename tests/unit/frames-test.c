/* SPDX-License-Identifier: MIT */
/* The frame allocator at its edges, one property to a test. */
#include "unit.h"

#include "mm/frames.h"
#include "mm/frames_tiles.h"

#define PAGE FRAMES_PAGE_SIZE
#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

static struct frames f;
static struct frames_row rows[64];

static int set_up(void **state)
{
    (void)state;
    frames_init(&f);
    assert_int_equal(frames_donate(&f, rows, sizeof rows), 64);
    return 0;
}

static int check(void **state)
{
    (void)state;
    const char *broken = frames_check(&f);
    if (broken != NULL) {
        print_error("does not hold: %s\n", broken);
    }
    return broken != NULL;
}

static void add(uint64_t base, uint64_t length, uint32_t node)
{
    assert_int_equal(frames_add(&f, base, length, node), FRAMES_OK);
}

static void expect(struct frames_request request, uint64_t base)
{
    uint64_t got = 1;
    assert_int_equal(frames_allocate(&f, &request, &got), FRAMES_OK);
    assert_int_equal(got, base);
}

static void refuse(struct frames_request request, enum frames_status status)
{
    uint64_t got = 1;
    assert_int_equal(frames_allocate(&f, &request, &got), status);
    assert_int_equal(got, 1);
}

static uint64_t free_pages(uint32_t node)
{
    struct frames_statistics statistics;
    frames_statistics(&f, node, &statistics);
    return statistics.free_pages;
}

static uint64_t largest_run(uint32_t node)
{
    struct frames_statistics statistics;
    frames_statistics(&f, node, &statistics);
    return statistics.largest_run;
}

static void nothing_without_memory(void **state)
{
    (void)state;
    struct frames_block block = { 0 };
    struct frames_statistics statistics;
    refuse(FRAMES_ANYWHERE(1), FRAMES_NO_SUCH_NODE);
    assert_false(frames_next(&f, &block));
    assert_false(frames_statistics(&f, 0, &statistics));
    assert_int_equal(frames_free(&f, 0, 1), FRAMES_NOT_MEMORY);
    assert_int_equal(frames_node_of(&f, 0), FRAMES_ANY_NODE);
}

static void contradictions_are_bad_requests(void **state)
{
    (void)state;
    add(0, MIB, 0);
    struct frames_request request = FRAMES_ANYWHERE(0);
    refuse(request, FRAMES_BAD_REQUEST);
    request = FRAMES_ANYWHERE(1);
    request.alignment = 3 * PAGE;
    refuse(request, FRAMES_BAD_REQUEST);
    request = FRAMES_ANYWHERE(1);
    request.low = 2;
    request.high = 1;
    refuse(request, FRAMES_BAD_REQUEST);
}

static void nodes_that_do_not_exist(void **state)
{
    (void)state;
    static const uint32_t absent[] = { 0, 2, 4, FRAMES_MAX_NODES,
                                       0x80000001, UINT32_MAX - 1 };
    add(0, MIB, 1);
    add(MIB, MIB, 3);
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++) {
        struct frames_request request = FRAMES_ANYWHERE(1);
        request.node = absent[i];
        refuse(request, FRAMES_NO_SUCH_NODE);
    }
    assert_int_equal(frames_add(&f, GIB, PAGE, FRAMES_MAX_NODES),
                     FRAMES_NO_SUCH_NODE);
    assert_int_equal(frames_add(&f, GIB, PAGE, FRAMES_ANY_NODE),
                     FRAMES_NO_SUCH_NODE);
}

static void node_is_strict(void **state)
{
    (void)state;
    add(0, MIB, 0);
    add(MIB, MIB, 1);
    struct frames_request request = FRAMES_ANYWHERE(MIB);
    request.node = 0;
    expect(request, 0);
    refuse(request, FRAMES_NO_ROOM);
    request.length = 1;
    refuse(request, FRAMES_NO_ROOM);
    expect(FRAMES_ANYWHERE(1), 2 * MIB - PAGE);
    /* Neighbouring memory of two nodes is not one run. */
    assert_int_equal(frames_free(&f, 0, MIB), FRAMES_OK);
    refuse(FRAMES_ANYWHERE(MIB + 1), FRAMES_NO_ROOM);
}

static void highest_address_first_over_all_nodes(void **state)
{
    (void)state;
    add(0, 2 * PAGE, 1);
    add(2 * PAGE, 2 * PAGE, 0);
    add(4 * PAGE, 2 * PAGE, 1);
    for (uint64_t page = 6; page-- > 0;) {
        expect(FRAMES_ANYWHERE(PAGE), page * PAGE);
    }
    refuse(FRAMES_ANYWHERE(1), FRAMES_NO_ROOM);
}

static void whole_node_and_exhausted(void **state)
{
    (void)state;
    add(GIB, 64 * MIB, 0);
    refuse(FRAMES_ANYWHERE(64 * MIB + 1), FRAMES_NO_ROOM);
    expect(FRAMES_ANYWHERE(64 * MIB), GIB);
    assert_int_equal(free_pages(0), 0);
    assert_int_equal(largest_run(0), 0);
    refuse(FRAMES_ANYWHERE(1), FRAMES_NO_ROOM);
    assert_int_equal(frames_free(&f, GIB, 64 * MIB), FRAMES_OK);
    expect(FRAMES_ANYWHERE(64 * MIB - PAGE + 1), GIB);
}

static void one_page(void **state)
{
    (void)state;
    add(5 * PAGE, PAGE, 0);
    expect(FRAMES_ANYWHERE(1), 5 * PAGE);
    refuse(FRAMES_ANYWHERE(1), FRAMES_NO_ROOM);
    assert_int_equal(frames_free(&f, 5 * PAGE, PAGE), FRAMES_OK);
    refuse(FRAMES_ANYWHERE(PAGE + 1), FRAMES_NO_ROOM);
    expect(FRAMES_ANYWHERE(PAGE), 5 * PAGE);
}

static void high_counts_the_requested_bytes(void **state)
{
    (void)state;
    add(0, MIB, 0);
    struct frames_request request = FRAMES_ANYWHERE(100);
    request.high = 3 * PAGE + 99; /* the rest of page 3 lies above */
    expect(request, 3 * PAGE);
    assert_int_equal(frames_free(&f, 3 * PAGE, 100), FRAMES_OK);
    request.length = 101;
    expect(request, 2 * PAGE);
    request.high = 100;
    expect(request, 0);
    request.low = request.high = 5 * PAGE;
    request.length = 1;
    expect(request, 5 * PAGE);
    refuse(request, FRAMES_NO_ROOM);
}

static void high_of_a_page_and_a_bit(void **state)
{
    (void)state;
    add(0, MIB, 0);
    struct frames_request request = FRAMES_ANYWHERE(PAGE + 1);
    request.high = 4 * PAGE;
    expect(request, 3 * PAGE);
    request.high = 3 * PAGE - 1;
    expect(request, PAGE);
    request.high = PAGE - 1;
    refuse(request, FRAMES_NO_ROOM);
}

static void low_counts_the_first_byte(void **state)
{
    (void)state;
    add(0, 4 * PAGE, 0);
    struct frames_request request = FRAMES_ANYWHERE(PAGE);
    request.low = 3 * PAGE + 1;
    refuse(request, FRAMES_NO_ROOM);
    request.low = 3 * PAGE;
    expect(request, 3 * PAGE);
    refuse(request, FRAMES_NO_ROOM);
    request.low = 2 * PAGE + 1;
    refuse(request, FRAMES_NO_ROOM);
    request.low = PAGE + 1;
    expect(request, 2 * PAGE);
    request.low = UINT64_MAX;
    refuse(request, FRAMES_NO_ROOM);
}

static void placement_inside_a_run_around_low_and_high(void **state)
{
    (void)state;
    add(0, 64 * MIB, 0);
    struct frames_request request = FRAMES_ANYWHERE(64 * KIB);
    request.low = 10 * MIB + 1;
    request.high = 10 * MIB + 72 * KIB;
    request.alignment = 4 * KIB;
    expect(request, 10 * MIB + 8 * KIB);
    refuse(request, FRAMES_NO_ROOM);
}

static void no_64_kib_line_is_crossed(void **state)
{
    (void)state;
    static const uint64_t fitting[] = { 1, PAGE, PAGE + 1, 32 * KIB + 1,
                                        60 * KIB, 64 * KIB - 1, 64 * KIB };
    add(0x7000, 0x29000 - 0x7000, 0); /* a full 64 KiB only at 0x10000 */
    for (size_t i = 0; i < sizeof fitting / sizeof fitting[0]; i++) {
        struct frames_request request = FRAMES_ANYWHERE(fitting[i]);
        uint64_t base;
        request.varying = 0xFFFF;
        assert_int_equal(frames_allocate(&f, &request, &base), FRAMES_OK);
        assert_int_equal(base >> 16, (base + fitting[i] - 1) >> 16);
        assert_int_equal(frames_free(&f, base, fitting[i]), FRAMES_OK);
    }
    struct frames_request request = FRAMES_ANYWHERE(64 * KIB + 1);
    request.varying = 0xFFFF;
    refuse(request, FRAMES_NO_ROOM);
    request.length = 64 * KIB;
    expect(request, 0x10000);
    refuse(request, FRAMES_NO_ROOM);
    request.length = 9 * PAGE;
    expect(request, 0x20000);
    expect(request, 0x7000);
}

static void only_the_ends_on_different_sides_would_be_missed(void **state)
{
    (void)state;
    /* The ends differ in bits of the mask only; between them bit 16 changes. */
    add(0xF000, 0x2000, 0);
    struct frames_request request = FRAMES_ANYWHERE(2 * PAGE);
    request.varying = 0x1F000;
    refuse(request, FRAMES_NO_ROOM);
    request.varying = 0x1FFFF;
    expect(request, 0xF000);
}

static void mask_with_holes_counts_to_its_lowest_hole(void **state)
{
    (void)state;
    add(0, MIB, 0);
    struct frames_request request = FRAMES_ANYWHERE(256);
    request.varying = 0xFFFF & ~(uint64_t)0x100;
    expect(request, MIB - PAGE);
    request.length = 257;
    refuse(request, FRAMES_NO_ROOM);
    request.varying = ~(uint64_t)0x2000;
    request.length = 2 * PAGE;
    expect(request, MIB - 4 * PAGE);
    request.length = 2 * PAGE + 1;
    refuse(request, FRAMES_NO_ROOM);
}

static void mask_zero_permits_one_byte(void **state)
{
    (void)state;
    add(0, MIB, 0);
    struct frames_request request = FRAMES_ANYWHERE(2);
    request.varying = 0;
    refuse(request, FRAMES_NO_ROOM);
    request.length = 1;
    expect(request, MIB - PAGE);
    request.varying = ~(uint64_t)1;
    expect(request, MIB - 2 * PAGE);
}

/* A run that is exactly one block between two lines holds a buffer of that size;
   a run of the same length beside it does not. */
static void a_block_of_every_size(void **state)
{
    (void)state;
    for (unsigned order = 0; order <= 12; order++) {
        uint64_t size = PAGE << order;
        for (uint64_t shift = 0; shift <= (order > 1); shift++) {
            frames_init(&f);
            frames_donate(&f, rows, sizeof rows);
            add(GIB + shift * PAGE, size, 0);
            struct frames_request request = FRAMES_ANYWHERE(size);
            request.varying = size - 1;
            if (shift == 0) {
                expect(request, GIB);
            } else {
                refuse(request, FRAMES_NO_ROOM);
                request.length = size / 2;
                expect(request, GIB + size / 2);
            }
        }
    }
}

static void alignment_inside_a_run(void **state)
{
    (void)state;
    add(2 * MIB - PAGE, 2 * MIB + 2 * PAGE, 0);
    struct frames_request request = FRAMES_ANYWHERE(2 * MIB);
    request.alignment = 2 * MIB;
    expect(request, 2 * MIB);
    refuse(request, FRAMES_NO_ROOM);
    request = FRAMES_ANYWHERE(PAGE);
    request.alignment = 4 * MIB;
    expect(request, 4 * MIB);
    request.alignment = 128;
    expect(request, 2 * MIB - PAGE);
}

static void alignment_beyond_the_line(void **state)
{
    (void)state;
    add(0, MIB, 0);
    struct frames_request request = FRAMES_ANYWHERE(16 * KIB);
    request.alignment = 256 * KIB;
    request.varying = 64 * KIB - 1;
    for (uint64_t i = 4; i-- > 0;) {
        expect(request, i * 256 * KIB);
    }
    refuse(request, FRAMES_NO_ROOM);
}

static void alignment_of_half_the_address_space(void **state)
{
    (void)state;
    uint64_t half = (uint64_t)1 << 63;
    add(0, PAGE, 0);
    add(half - PAGE, 2 * PAGE, 0);
    struct frames_request request = FRAMES_ANYWHERE(PAGE);
    request.alignment = half;
    expect(request, half);
    expect(request, 0);
    refuse(request, FRAMES_NO_ROOM);
}

static void the_last_page_of_the_address_space(void **state)
{
    (void)state;
    uint64_t last = -PAGE;
    add(last - PAGE, 2 * PAGE, 0);
    struct frames_request request = FRAMES_ANYWHERE(PAGE);
    request.high = UINT64_MAX - 1;
    expect(request, last - PAGE);
    request.length = PAGE - 1;
    expect(request, last);
    assert_int_equal(frames_free(&f, last, PAGE + 1), FRAMES_BAD_RANGE);
    assert_int_equal(frames_free(&f, last, PAGE), FRAMES_OK);
    request.low = last;
    request.high = UINT64_MAX;
    request.length = PAGE;
    expect(request, last);
    assert_int_equal(frames_node_of(&f, UINT64_MAX), 0);
    struct frames_block block = { 0 };
    assert_true(frames_next(&f, &block));
    assert_true(frames_next(&f, &block));
    assert_false(frames_next(&f, &block));
}

static void the_whole_address_space(void **state)
{
    (void)state;
    uint64_t all = -PAGE; /* bytes in all pages but one */
    add(0, all, 0);
    refuse(FRAMES_ANYWHERE(UINT64_MAX), FRAMES_NO_ROOM);
    add(all, PAGE, 0);
    assert_int_equal(largest_run(0), (uint64_t)1 << 52);
    expect(FRAMES_ANYWHERE(UINT64_MAX), 0);
    assert_int_equal(frames_free(&f, 0, UINT64_MAX), FRAMES_OK);
    struct frames_request request = FRAMES_ANYWHERE(1);
    request.high = 0;
    expect(request, 0);
    refuse(request, FRAMES_NO_ROOM);
    assert_int_equal(frames_reserve(&f, 0, UINT64_MAX), FRAMES_OK);
    assert_int_equal(free_pages(0), 0);
}

static void add_takes_whole_pages(void **state)
{
    (void)state;
    add(1, 2 * PAGE - 2, 0);
    add(5 * PAGE - 1, PAGE, 0);
    assert_int_equal(free_pages(0), 0);
    add(1, 3 * PAGE - 1, 0);
    assert_int_equal(free_pages(0), 2);
    assert_int_equal(frames_node_of(&f, PAGE - 1), FRAMES_ANY_NODE);
    assert_int_equal(frames_node_of(&f, PAGE), 0);
    assert_int_equal(frames_node_of(&f, 3 * PAGE), FRAMES_ANY_NODE);
    assert_int_equal(frames_add(&f, 0, 0, 0), FRAMES_BAD_RANGE);
    assert_int_equal(frames_add(&f, PAGE, -PAGE + 1, 0), FRAMES_BAD_RANGE);
}

static void add_joins_and_refuses_overlap(void **state)
{
    (void)state;
    add(2 * MIB, MIB, 0);
    add(4 * MIB, MIB, 0);
    add(3 * MIB, MIB, 0);
    assert_int_equal(largest_run(0), 3 * MIB / PAGE);
    assert_int_equal(frames_add(&f, 2 * MIB - PAGE, 2 * PAGE, 0),
                     FRAMES_OVERLAP);
    assert_int_equal(frames_add(&f, 5 * MIB - PAGE, 2 * PAGE, 1),
                     FRAMES_OVERLAP);
    assert_int_equal(frames_add(&f, 0, GIB, 1), FRAMES_OVERLAP);
    assert_int_equal(frames_add(&f, 3 * MIB, PAGE, 7), FRAMES_OVERLAP);
    add(2 * MIB - PAGE, PAGE, 0);
    add(5 * MIB, PAGE, 0);
    assert_int_equal(largest_run(0), 3 * MIB / PAGE + 2);
}

static void add_beside_an_allocation(void **state)
{
    (void)state;
    add(MIB, MIB, 0);
    expect(FRAMES_ANYWHERE(MIB), MIB);
    add(2 * MIB, MIB, 0);
    assert_int_equal(largest_run(0), MIB / PAGE);
    assert_int_equal(frames_free(&f, MIB, MIB), FRAMES_OK);
    assert_int_equal(largest_run(0), 2 * MIB / PAGE);
}

/* Allocates three pages in a row and frees them in the order given. */
static void free_in_order(const unsigned *order)
{
    struct frames_request request = FRAMES_ANYWHERE(PAGE);
    for (uint64_t i = 3; i-- > 0;) {
        expect(request, i * PAGE);
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(frames_free(&f, order[i] * PAGE, PAGE), FRAMES_OK);
        assert_null(frames_check(&f));
    }
    assert_int_equal(largest_run(0), 3);
}

static void free_joins_on_both_sides(void **state)
{
    (void)state;
    static const unsigned order[][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
                                         { 1, 2, 0 }, { 2, 0, 1 },
                                         { 2, 1, 0 } };
    add(0, 3 * PAGE, 0);
    for (size_t i = 0; i < 6; i++) {
        free_in_order(order[i]);
    }
    assert_int_equal(frames_spare(&f), 63);
}

static void free_does_not_join_over_a_gap(void **state)
{
    (void)state;
    add(0, PAGE, 0);
    add(2 * PAGE, PAGE, 0);
    expect(FRAMES_ANYWHERE(PAGE), 2 * PAGE);
    expect(FRAMES_ANYWHERE(PAGE), 0);
    assert_int_equal(frames_free(&f, 0, PAGE), FRAMES_OK);
    assert_int_equal(frames_free(&f, 2 * PAGE, PAGE), FRAMES_OK);
    refuse(FRAMES_ANYWHERE(PAGE + 1), FRAMES_NO_ROOM);
}

static void wrong_frees_change_nothing(void **state)
{
    (void)state;
    add(MIB, MIB, 0);
    add(2 * MIB, MIB, 1);
    struct frames_request request = FRAMES_ANYWHERE(64 * KIB);
    request.node = 0;
    request.high = MIB + 512 * KIB - 1;
    expect(request, MIB + 448 * KIB);
    uint64_t base = MIB + 448 * KIB;
    assert_int_equal(frames_free(&f, base, 0), FRAMES_BAD_RANGE);
    assert_int_equal(frames_free(&f, base, UINT64_MAX), FRAMES_BAD_RANGE);
    assert_int_equal(frames_free(&f, base + 128, 64 * KIB), FRAMES_UNALIGNED);
    assert_int_equal(frames_free(&f, base, 60 * KIB), FRAMES_MISMATCH);
    assert_int_equal(frames_free(&f, base + PAGE, 60 * KIB), FRAMES_MISMATCH);
    assert_int_equal(frames_free(&f, base + PAGE, PAGE), FRAMES_MISMATCH);
    assert_int_equal(frames_free(&f, base, 64 * KIB + 1), FRAMES_ALREADY_FREE);
    assert_int_equal(frames_free(&f, base - PAGE, 64 * KIB),
                     FRAMES_ALREADY_FREE);
    assert_int_equal(frames_free(&f, MIB - PAGE, PAGE), FRAMES_NOT_MEMORY);
    assert_int_equal(frames_free(&f, 3 * MIB, PAGE), FRAMES_NOT_MEMORY);
    assert_int_equal(free_pages(0), (MIB - 64 * KIB) / PAGE);
    assert_int_equal(frames_free(&f, base, 64 * KIB - PAGE + 1), FRAMES_OK);
    assert_int_equal(frames_free(&f, base, 64 * KIB), FRAMES_ALREADY_FREE);
    assert_int_equal(frames_spare(&f), 62);
}

static void two_allocations_are_not_one(void **state)
{
    (void)state;
    add(0, 2 * PAGE, 0);
    add(2 * PAGE, PAGE, 1);
    expect(FRAMES_ANYWHERE(PAGE), 2 * PAGE);
    expect(FRAMES_ANYWHERE(PAGE), PAGE);
    expect(FRAMES_ANYWHERE(PAGE), 0);
    assert_int_equal(frames_free(&f, 0, 2 * PAGE), FRAMES_MISMATCH);
    assert_int_equal(frames_free(&f, PAGE, 2 * PAGE), FRAMES_MISMATCH);
    assert_int_equal(frames_free(&f, PAGE, 3 * PAGE), FRAMES_NOT_MEMORY);
}

static void reserve_carves_every_touched_page(void **state)
{
    (void)state;
    add(0, 16 * PAGE, 0);
    add(16 * PAGE, 16 * PAGE, 1);
    assert_int_equal(frames_reserve(&f, 4 * PAGE - 1, 2), FRAMES_OK);
    assert_int_equal(free_pages(0), 14);
    assert_int_equal(frames_reserve(&f, 15 * PAGE, PAGE + 1), FRAMES_OK);
    assert_int_equal(free_pages(0), 13);
    assert_int_equal(free_pages(1), 15);
    assert_int_equal(frames_reserve(&f, 2 * PAGE, 4 * PAGE), FRAMES_OK);
    assert_int_equal(free_pages(0), 11);
    assert_int_equal(frames_reserve(&f, GIB, GIB), FRAMES_OK);
    assert_int_equal(frames_reserve(&f, 0, 0), FRAMES_BAD_RANGE);
    assert_int_equal(frames_reserve(&f, 2, UINT64_MAX), FRAMES_BAD_RANGE);
    /* What one call took in one piece can be given back. */
    assert_int_equal(frames_free(&f, 3 * PAGE, 2 * PAGE), FRAMES_OK);
    assert_int_equal(frames_free(&f, 2 * PAGE, PAGE), FRAMES_OK);
    assert_int_equal(frames_free(&f, 5 * PAGE, PAGE), FRAMES_OK);
    assert_int_equal(largest_run(0), 15);
}

/* A node whose tiles fill one row, 1 MiB each and as much between them. */
static void add_full_row(struct frames *small, uint64_t base, uint32_t node)
{
    for (uint64_t i = 0; i < FRAMES_ROW_TILES; i++) {
        assert_int_equal(frames_add(small, base + 2 * i * MIB, MIB, node),
                         FRAMES_OK);
    }
}

static void reserve_needs_two_rows_at_most(void **state)
{
    (void)state;
    struct frames small;
    struct frames_row few[4];
    frames_init(&small);
    assert_int_equal(frames_donate(&small, few, sizeof few - sizeof few[0]), 3);
    add_full_row(&small, 0, 0);
    add_full_row(&small, GIB, 1);
    uint64_t from = 2 * (FRAMES_ROW_TILES - 1) * MIB + PAGE;
    uint64_t to = GIB + PAGE;
    assert_int_equal(frames_spare(&small), 1);
    assert_int_equal(frames_reserve(&small, from, to - from), FRAMES_NO_TILES);
    assert_null(frames_check(&small));
    assert_int_equal(frames_donate(&small, &few[3], sizeof few[3]), 1);
    assert_int_equal(frames_reserve(&small, from, to - from), FRAMES_OK);
    assert_int_equal(frames_spare(&small), 0);
    assert_null(frames_check(&small));
    /* Whole tiles need none. */
    assert_int_equal(frames_reserve(&small, 0, 2 * GIB), FRAMES_OK);
    assert_null(frames_check(&small));
}

static void reserve_in_one_row_needs_one(void **state)
{
    (void)state;
    struct frames small;
    struct frames_row few[2];
    frames_init(&small);
    assert_int_equal(frames_donate(&small, few, sizeof few[0]), 1);
    add_full_row(&small, 0, 0);
    assert_int_equal(frames_reserve(&small, PAGE, PAGE), FRAMES_NO_TILES);
    assert_int_equal(frames_reserve(&small, PAGE, 2 * MIB), FRAMES_NO_TILES);
    assert_int_equal(frames_reserve(&small, 0, 2 * MIB + PAGE), FRAMES_NO_TILES);
    assert_null(frames_check(&small));
    assert_int_equal(frames_donate(&small, &few[1], sizeof few[1]), 1);
    assert_int_equal(frames_reserve(&small, PAGE, 2 * MIB), FRAMES_OK);
    assert_int_equal(frames_spare(&small), 0);
    assert_null(frames_check(&small));
}

static void rows_run_out_and_free_never_fails(void **state)
{
    (void)state;
    struct frames small;
    struct frames_row few[2];
    uint64_t base[FRAMES_ROW_TILES];
    unsigned count = 0;
    struct frames_request page = FRAMES_ANYWHERE(PAGE);
    frames_init(&small);
    assert_int_equal(frames_donate(&small, few, sizeof few - 1), 1);
    assert_int_equal(frames_add(&small, 0, MIB, 0), FRAMES_OK);
    page.high = MIB - 1; /* every other page, from the top */
    while (frames_allocate(&small, &page, &base[count]) == FRAMES_OK) {
        count++;
        page.high -= 2 * PAGE;
    }
    assert_int_equal(count, FRAMES_ROW_TILES / 2);
    assert_int_equal(frames_allocate(&small, &page, &base[count]),
                     FRAMES_NO_TILES);
    assert_int_equal(frames_add(&small, GIB, PAGE, 0), FRAMES_NO_TILES);
    assert_int_equal(frames_add(&small, GIB, PAGE, 1), FRAMES_NO_TILES);
    assert_null(frames_check(&small));
    page.high = UINT64_MAX; /* a whole run takes none */
    assert_int_equal(frames_allocate(&small, &page, &base[count++]), FRAMES_OK);
    assert_int_equal(frames_donate(&small, &few[1], sizeof few[1]), 1);
    page.high = 0x10FFF; /* in the middle of the longest run */
    assert_int_equal(frames_allocate(&small, &page, &base[count++]), FRAMES_OK);
    assert_int_equal(frames_spare(&small), 0);
    while (count-- > 0) {
        assert_int_equal(frames_free(&small, base[count], PAGE), FRAMES_OK);
        assert_null(frames_check(&small));
    }
    assert_int_equal(frames_spare(&small), 1);
}

static void donations_of_odd_shape(void **state)
{
    (void)state;
    struct frames small;
    static _Alignas(struct frames_row)
        unsigned char memory[3 * sizeof(struct frames_row)];
    frames_init(&small);
    assert_int_equal(frames_donate(&small, memory, 0), 0);
    assert_int_equal(frames_donate(&small, memory + 1, 3), 0);
    assert_int_equal(
        frames_donate(&small, memory, sizeof(struct frames_row) - 1), 0);
    assert_int_equal(frames_donate(&small, memory + 1, sizeof memory - 1), 2);
    assert_int_equal(frames_spare(&small), 2);
    assert_null(frames_check(&small));
}

static void walk_reports_every_page_once(void **state)
{
    (void)state;
    static const struct frames_block expected[] = {
        { 0, 1, 1, false },        { PAGE, 2, 1, true },
        { 3 * PAGE, 1, 1, false }, { 8 * PAGE, 4, 0, false },
        { 12 * PAGE, 4, 1, true },
    };
    struct frames_block block = { 0 };
    add(0, 4 * PAGE, 1);
    add(12 * PAGE, 4 * PAGE, 1);
    add(8 * PAGE, 4 * PAGE, 0);
    assert_int_equal(frames_reserve(&f, PAGE, 2 * PAGE), FRAMES_OK);
    expect(FRAMES_ANYWHERE(4 * PAGE), 12 * PAGE);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_true(frames_next(&f, &block));
        assert_int_equal(block.base, expected[i].base);
        assert_int_equal(block.pages, expected[i].pages);
        assert_int_equal(block.node, expected[i].node);
        assert_int_equal(block.allocated, expected[i].allocated);
    }
    assert_false(frames_next(&f, &block));
}

static void walk_survives_changes(void **state)
{
    (void)state;
    struct frames_block block = { 0 };
    add(0, 4 * PAGE, 0);
    expect(FRAMES_ANYWHERE(2 * PAGE), 2 * PAGE);
    assert_true(frames_next(&f, &block));
    assert_int_equal(block.pages, 2);
    assert_int_equal(frames_free(&f, 2 * PAGE, 2 * PAGE), FRAMES_OK);
    assert_true(frames_next(&f, &block));
    assert_int_equal(block.base, 2 * PAGE);
    assert_int_equal(block.pages, 2);
    assert_false(block.allocated);
}

static void statistics_of_a_node(void **state)
{
    (void)state;
    struct frames_statistics statistics;
    add(MIB, MIB, 2);
    add(8 * MIB, MIB, 2);
    assert_int_equal(frames_reserve(&f, MIB + 64 * KIB, PAGE), FRAMES_OK);
    assert_true(frames_statistics(&f, 2, &statistics));
    assert_int_equal(statistics.total_pages, 512);
    assert_int_equal(statistics.free_pages, 511);
    assert_int_equal(statistics.largest_run, 256);
    assert_int_equal(statistics.allocations, 1);
    assert_int_equal(statistics.lowest, MIB);
    assert_int_equal(statistics.highest, 9 * MIB - 1);
    assert_false(frames_statistics(&f, 1, &statistics));
    assert_int_equal(statistics.total_pages, 0);
    assert_false(frames_statistics(&f, FRAMES_ANY_NODE, &statistics));
}

static void check_notices_damage(void **state)
{
    (void)state;
    add(0, MIB, 0);
    expect(FRAMES_ANYWHERE(PAGE), MIB - PAGE);
    f.node[0].root->tile[0].pages--;
    assert_non_null(frames_check(&f));
    f.node[0].root->tile[0].pages++;
    f.node[0].free_pages++;
    assert_non_null(frames_check(&f));
    f.node[0].free_pages--;
    f.spare_count--;
    assert_non_null(frames_check(&f));
    f.spare_count++;
}

static void every_status_is_explained(void **state)
{
    (void)state;
    for (int i = FRAMES_OK; i <= FRAMES_MISMATCH; i++) {
        assert_non_null(frames_explain((enum frames_status)i));
        assert_string_not_equal(frames_explain((enum frames_status)i),
                                frames_explain((enum frames_status)-1));
    }
}

#define EDGE(name) cmocka_unit_test_setup_teardown(name, set_up, check)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        EDGE(nothing_without_memory),
        EDGE(contradictions_are_bad_requests),
        EDGE(nodes_that_do_not_exist),
        EDGE(node_is_strict),
        EDGE(highest_address_first_over_all_nodes),
        EDGE(whole_node_and_exhausted),
        EDGE(one_page),
        EDGE(high_counts_the_requested_bytes),
        EDGE(high_of_a_page_and_a_bit),
        EDGE(low_counts_the_first_byte),
        EDGE(placement_inside_a_run_around_low_and_high),
        EDGE(no_64_kib_line_is_crossed),
        EDGE(only_the_ends_on_different_sides_would_be_missed),
        EDGE(mask_with_holes_counts_to_its_lowest_hole),
        EDGE(mask_zero_permits_one_byte),
        EDGE(a_block_of_every_size),
        EDGE(alignment_inside_a_run),
        EDGE(alignment_beyond_the_line),
        EDGE(alignment_of_half_the_address_space),
        EDGE(the_last_page_of_the_address_space),
        EDGE(the_whole_address_space),
        EDGE(add_takes_whole_pages),
        EDGE(add_joins_and_refuses_overlap),
        EDGE(add_beside_an_allocation),
        EDGE(free_joins_on_both_sides),
        EDGE(free_does_not_join_over_a_gap),
        EDGE(wrong_frees_change_nothing),
        EDGE(two_allocations_are_not_one),
        EDGE(reserve_carves_every_touched_page),
        EDGE(reserve_needs_two_rows_at_most),
        EDGE(reserve_in_one_row_needs_one),
        EDGE(rows_run_out_and_free_never_fails),
        EDGE(donations_of_odd_shape),
        EDGE(walk_reports_every_page_once),
        EDGE(walk_survives_changes),
        EDGE(statistics_of_a_node),
        EDGE(check_notices_damage),
        EDGE(every_status_is_explained),
    };
    return RUN_TESTS(tests);
}
