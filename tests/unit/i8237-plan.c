/* SPDX-License-Identifier: MIT */
/* What an 8237 is told of a transfer, by the data sheet's own words. */
#include "unit.h"

#include "hal/i8237_plan.h"

/* Channel, address, length, and whether it can be. */
static void fits(void **state)
{
    static const struct {
        uint32_t channel;
        uint64_t address, length;
        bool can;
    } cases[] = {
        { 1, 0x10000, 0x10000, true },    { 1, 0x10001, 0x10000, false }, { 1, 0x10000, 0x10001, false },
        { 1, 0x1ffff, 1, true },          { 1, 0x1ffff, 2, false },       { 1, 0x10000, 0, false },
        { 0, 0xffffff, 1, true },         { 0, 0x1000000, 1, false },     { 3, 0xff0001, 0xffff, true },
        { 5, 0x20000, 0x20000, true },    { 5, 0x10000, 0x10000, true },  { 5, 0x10000, 0x10002, false },
        { 5, 0x20001, 2, false },         { 5, 0x20000, 3, false },       { 6, 0x3fffe, 2, true },
        { 6, 0x3fffe, 4, false },         { 7, 0xfffffe, 2, true },       { 7, 0, UINT64_MAX, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(i8237_fits(cases[i].channel, cases[i].address, cases[i].length), cases[i].can);
    }
}

static void registers(void **state)
{
    static const struct {
        uint32_t channel, address, length;
        uint8_t mode;
        struct i8237_plan plan;
    } cases[] = {
        { 1, 0x123456, 0x100, I8237_SINGLE | I8237_FROM_MEMORY, { 0x49, 0x12, 0x3456, 0x00ff } },
        { 1, 0x120000, 0x10000, I8237_SINGLE | I8237_AUTO_INITIALIZE | I8237_FROM_MEMORY,
          { 0x59, 0x12, 0x0000, 0xffff } },
        { 3, 0xffffff, 1, I8237_DEMAND | I8237_TO_MEMORY, { 0x07, 0xff, 0xffff, 0x0000 } },
        { 5, 0x123456, 0x100, I8237_SINGLE | I8237_TO_MEMORY, { 0x45, 0x12, 0x1a2b, 0x007f } },
        { 5, 0x133456, 0x100, I8237_SINGLE | I8237_TO_MEMORY, { 0x45, 0x12, 0x9a2b, 0x007f } },
        { 7, 0x020000, 0x20000, I8237_SINGLE | I8237_AUTO_INITIALIZE | I8237_FROM_MEMORY,
          { 0x5b, 0x02, 0x0000, 0xffff } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct i8237_plan plan = i8237_plan(cases[i].channel, cases[i].address, cases[i].length,
                                            cases[i].mode);

        assert_int_equal(plan.mode, cases[i].plan.mode);
        assert_int_equal(plan.page, cases[i].plan.page);
        assert_int_equal(plan.address, cases[i].plan.address);
        assert_int_equal(plan.count, cases[i].plan.count);
    }
}

/* The count register holds one less; behind 0 comes 0xffff. */
static void left(void **state)
{
    (void)state;
    assert_int_equal(i8237_left(1, 0x100, 0xff, false), 0x100);
    assert_int_equal(i8237_left(1, 0x100, 0, false), 1);
    assert_int_equal(i8237_left(1, 0x100, 0xffff, false), 0);
    assert_int_equal(i8237_left(1, 0x10000, 0xffff, false), 0x10000);
    assert_int_equal(i8237_left(1, 0x10000, 0xffff, true), 0);
    assert_int_equal(i8237_left(5, 0x100, 0x7f, false), 0x100);
    assert_int_equal(i8237_left(5, 0x100, 0, false), 2);
    assert_int_equal(i8237_left(5, 0x20000, 0xffff, false), 0x20000);
    assert_int_equal(i8237_left(5, 0x20000, 0xffff, true), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fits),
        cmocka_unit_test(registers),
        cmocka_unit_test(left),
    };

    return RUN_TESTS(tests);
}
