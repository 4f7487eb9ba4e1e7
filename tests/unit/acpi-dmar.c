/* SPDX-License-Identifier: MIT */
/* The DMAR: units, reserved ranges, and who belongs to which. */
#include "acpi-tables.h"

#include "acpi/acpi.h"

static struct bytes b;
static struct acpi_dmar dmar;

#define DEVFN(device, function) ((uint8_t)((device) << 3 | (function)))

static enum acpi_status read_dmar(void)
{
    finish(&b);
    /* Exactly as long as the table, so that a read beyond it is seen. */
    uint8_t *exact = malloc(b.length);
    memcpy(exact, b.data, b.length);
    struct acpi_table table = { exact, b.length };
    enum acpi_status status = acpi_read_dmar(&table, &dmar);
    free(exact);
    if (status != ACPI_OK) {
        assert_int_equal(dmar.unit_count + dmar.reserved_count +
                             dmar.scope_count, 0);
    }
    return status;
}

static void units_and_ranges(void **state)
{
    (void)state;
    build_table(&b, DMAR, 0);
    assert_int_equal(read_dmar(), ACPI_OK);
    assert_int_equal(dmar.unit_count, 2);
    assert_int_equal(dmar.unit[0].base, 0xFED90000);
    assert_int_equal(dmar.unit[0].length, 4096);
    assert_false(dmar.unit[0].include_all);
    assert_true(dmar.unit[1].include_all);
    assert_int_equal(dmar.reserved_count, 1);
    assert_int_equal(dmar.reserved[0].base, 0x7F000000);
    assert_int_equal(dmar.reserved[0].last, 0x7F00FFFF);
    assert_int_equal(dmar.scope_count, 2); /* the I/O APIC is no function */
}

static void a_unit_for_each_function(void **state)
{
    (void)state;
    static const struct {
        struct acpi_hop way[3];
        uint32_t count, unit;
    } function[] = {
        { { { 0x40, 0 }, { 0x41, 0 } }, 2, 0 },            /* below the port */
        { { { 0x40, 0 }, { 0x41, 9 }, { 0x42, 1 } }, 3, 0 },
        { { { 0x40, 0 } }, 1, 0 },                         /* the port */
        { { { 0x40, 1 }, { 0x41, 0 } }, 2, 1 },            /* another port */
        { { { 0x00, 0 } }, 1, 1 },                         /* another bus */
        { { { 0x00, 0xE8 } }, 1, 1 },
    };
    build_table(&b, DMAR, 0);
    assert_int_equal(read_dmar(), ACPI_OK);
    for (size_t i = 0; i < sizeof function / sizeof function[0]; i++) {
        assert_int_equal(acpi_dmar_unit(&dmar, 0, function[i].way,
                                        function[i].count), function[i].unit);
        assert_int_equal(acpi_dmar_unit(&dmar, 1, function[i].way,
                                        function[i].count), ACPI_NO_UNIT);
    }
}

static void reserved_for_its_function_only(void **state)
{
    (void)state;
    static const struct acpi_hop controller = { 0, DEVFN(0x1D, 0) };
    static const struct acpi_hop other = { 0, DEVFN(0x1D, 1) };
    static const struct acpi_hop below[] = { { 0, DEVFN(0x1D, 0) }, { 1, 0 } };
    build_table(&b, DMAR, 0);
    assert_int_equal(read_dmar(), ACPI_OK);
    assert_true(acpi_dmar_reserves(&dmar, 0, 0, &controller, 1));
    assert_false(acpi_dmar_reserves(&dmar, 0, 1, &controller, 1));
    assert_false(acpi_dmar_reserves(&dmar, 0, 0, &other, 1));
    assert_false(acpi_dmar_reserves(&dmar, 0, 0, below, 2));
    assert_false(acpi_dmar_reserves(&dmar, 1, 0, &controller, 1));
}

/* A path that starts on a bus in the middle of the way; no unit for the rest. */
static void a_path_that_starts_below_a_bridge(void **state)
{
    (void)state;
    static const uint8_t path[] = { DEVFN(2, 0), DEVFN(0, 3) };
    static const struct acpi_hop way[] = { { 0, 8 }, { 5, DEVFN(2, 0) },
                                           { 6, DEVFN(0, 3) } };
    begin_dmar(&b);
    put_dmar_unit(&b, 0x1000, 0, false);
    put_dmar_scope(&b, 1, 5, path, 2);
    assert_int_equal(read_dmar(), ACPI_OK);
    assert_int_equal(acpi_dmar_unit(&dmar, 0, way, 3), 0);
    assert_int_equal(acpi_dmar_unit(&dmar, 0, way, 2), ACPI_NO_UNIT);
    assert_int_equal(acpi_dmar_unit(&dmar, 0, way + 1, 2), 0);
    assert_int_equal(acpi_dmar_unit(&dmar, 0, way + 2, 1), ACPI_NO_UNIT);
    assert_int_equal(acpi_dmar_unit(&dmar, 0, way, 0), ACPI_NO_UNIT);
}

static void defective_units(void **state)
{
    (void)state;
    static const struct {
        uint64_t base;
        bool all;
        enum acpi_status status;
    } second[] = {
        { 0xFED91000, false, ACPI_OK },
        { 0xFED90000, false, ACPI_CONFLICT },
        { 0xFED91000, true, ACPI_CONFLICT }, /* two for all the rest */
        { 0, false, ACPI_BAD_VALUE },
        { 0xFED91800, false, ACPI_BAD_VALUE },
    };
    for (size_t i = 0; i < sizeof second / sizeof second[0]; i++) {
        begin_dmar(&b);
        put_dmar_unit(&b, 0xFED90000, 0, true);
        put_dmar_unit(&b, second[i].base, 0, second[i].all);
        assert_int_equal(read_dmar(), second[i].status);
    }
    begin_dmar(&b);
    for (unsigned i = 0; i <= ACPI_MAX_UNITS; i++) {
        put_dmar_unit(&b, 0x1000 + 0x1000 * i, 0, false);
    }
    assert_int_equal(read_dmar(), ACPI_TOO_MANY);
}

static void registers_of_several_pages(void **state)
{
    (void)state;
    begin_dmar(&b);
    put_dmar_unit(&b, 0xFED90000, 0, false);
    b.data[b.structure + 5] = 2;
    put_dmar_unit(&b, 0xFED94000, 0, false);
    assert_int_equal(read_dmar(), ACPI_OK);
    assert_int_equal(dmar.unit[0].length, 0x4000);
    b.data[b.structure + 8 + 1] = 0x30; /* 0xFED93000: the last of the four */
    assert_int_equal(read_dmar(), ACPI_CONFLICT);
    begin_dmar(&b);
    put_dmar_unit(&b, 0 - (uint64_t)0x1000, 0, false);
    assert_int_equal(read_dmar(), ACPI_OK);
    b.data[b.structure + 5] = 1;
    assert_int_equal(read_dmar(), ACPI_BAD_VALUE);
}

static void defective_ranges(void **state)
{
    (void)state;
    static const struct {
        uint64_t base, last;
        enum acpi_status status;
    } second[] = {
        { 0x12000, 0x12FFF, ACPI_OK },
        { 0x11000, 0x12FFF, ACPI_CONFLICT },
        { 0x0F000, 0x10FFF, ACPI_CONFLICT },
        { 0x00000, UINT64_MAX, ACPI_CONFLICT },
        { 0x12800, 0x13FFF, ACPI_BAD_VALUE },
        { 0x12000, 0x13000, ACPI_BAD_VALUE },
        { 0x13000, 0x12FFF, ACPI_BAD_VALUE },
    };
    for (size_t i = 0; i < sizeof second / sizeof second[0]; i++) {
        begin_dmar(&b);
        put_dmar_reserved(&b, 0x10000, 0x11FFF, 0);
        put_dmar_reserved(&b, second[i].base, second[i].last, 0);
        assert_int_equal(read_dmar(), second[i].status);
    }
    begin_dmar(&b);
    put_dmar_reserved(&b, 0x10000, 0x11FFF, 0);
    put_dmar_reserved(&b, 0x10000, 0x11FFF, 1);
    assert_int_equal(read_dmar(), ACPI_OK);
    begin_dmar(&b);
    for (unsigned i = 0; i <= ACPI_MAX_RESERVED; i++) {
        put_dmar_reserved(&b, 0x1000 * i, 0x1000 * i + 0xFFF, 0);
    }
    assert_int_equal(read_dmar(), ACPI_TOO_MANY);
}

/* One byte or word of a unit with one scope; offsets from the unit on. */
static void lengths_that_contradict(void **state)
{
    (void)state;
    static const uint8_t path[] = { DEVFN(1, 0) };
    static const struct {
        uint32_t at;
        uint8_t value;
        enum acpi_status status;
    } defect[] = {
        { 2, 24, ACPI_OK },
        { 2, 0, ACPI_BAD_LENGTH },   /* would never end */
        { 2, 3, ACPI_BAD_LENGTH },
        { 2, 15, ACPI_BAD_LENGTH },  /* no room for the unit itself */
        { 2, 23, ACPI_BAD_LENGTH },  /* cuts the scope */
        { 2, 25, ACPI_BAD_LENGTH },  /* beyond the table */
        { 3, 1, ACPI_BAD_LENGTH },
        { 17, 0, ACPI_BAD_LENGTH },  /* the scope's: would never end */
        { 17, 5, ACPI_BAD_LENGTH },
        { 17, 6, ACPI_BAD_LENGTH },  /* a path of no hops */
        { 17, 7, ACPI_BAD_LENGTH },
        { 17, 9, ACPI_BAD_LENGTH },
        { 17, 10, ACPI_BAD_LENGTH },
        { 22, 32, ACPI_BAD_VALUE },  /* device */
        { 23, 8, ACPI_BAD_VALUE },   /* function */
    };
    for (size_t i = 0; i < sizeof defect / sizeof defect[0]; i++) {
        begin_dmar(&b);
        put_dmar_unit(&b, 0xFED90000, 0, false);
        put_dmar_scope(&b, 1, 0, path, 1);
        b.data[b.structure + defect[i].at] = defect[i].value;
        assert_int_equal(read_dmar(), defect[i].status);
    }
    begin_dmar(&b);
    put_dmar_reserved(&b, 0, 0xFFF, 0);
    b.data[b.structure + 2] = 23;
    assert_int_equal(read_dmar(), ACPI_BAD_LENGTH);
    begin(&b, "DMAR", 1);
    assert_int_equal(read_dmar(), ACPI_BAD_LENGTH);
}

static void scopes_are_bounded(void **state)
{
    (void)state;
    static const uint8_t path[ACPI_MAX_HOPS + 1];
    begin_dmar(&b);
    put_dmar_unit(&b, 0x1000, 0, false);
    put_dmar_scope(&b, 1, 0, path, ACPI_MAX_HOPS);
    assert_int_equal(read_dmar(), ACPI_OK);
    put_dmar_scope(&b, 1, 0, path, ACPI_MAX_HOPS + 1);
    assert_int_equal(read_dmar(), ACPI_TOO_MANY);
    begin_dmar(&b);
    put_dmar_unit(&b, 0x1000, 0, false);
    for (unsigned i = 0; i < ACPI_MAX_SCOPES; i++) {
        put_dmar_scope(&b, 2, 0, path, 1);
    }
    assert_int_equal(read_dmar(), ACPI_OK);
    put_dmar_scope(&b, 2, 0, path, 1);
    assert_int_equal(read_dmar(), ACPI_TOO_MANY);
}

static void unknown_structures_are_skipped(void **state)
{
    (void)state;
    begin_dmar(&b);
    put16(&b, 9);
    put16(&b, 6);
    put16(&b, 0xFFFF);
    put_dmar_unit(&b, 0x1000, 0, true);
    assert_int_equal(read_dmar(), ACPI_OK);
    assert_int_equal(dmar.unit_count, 1);
    begin(&b, "DMAX", 1);
    assert_int_equal(read_dmar(), ACPI_BAD_SIGNATURE);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_and_ranges),
        cmocka_unit_test(a_unit_for_each_function),
        cmocka_unit_test(reserved_for_its_function_only),
        cmocka_unit_test(a_path_that_starts_below_a_bridge),
        cmocka_unit_test(defective_units),
        cmocka_unit_test(registers_of_several_pages),
        cmocka_unit_test(defective_ranges),
        cmocka_unit_test(lengths_that_contradict),
        cmocka_unit_test(scopes_are_bounded),
        cmocka_unit_test(unknown_structures_are_skipped),
    };
    return RUN_TESTS(tests);
}
