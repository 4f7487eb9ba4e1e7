/* SPDX-License-Identifier: MIT */
/* The table readers: what valid tables say, and a name for every defect. */
#include "acpi-tables.h"

#include "acpi/acpi.h"

static struct bytes b;
static struct acpi_srat srat;
static struct acpi_slit slit;
static struct acpi_mcfg mcfg;
static struct acpi_hpet hpet;
static struct acpi_madt madt;
static struct acpi_bridges bridges;

static struct acpi_table built(void)
{
    finish(&b);
    return (struct acpi_table){ b.data, b.length };
}

static void read_srat(enum acpi_status expected)
{
    struct acpi_table table = built();
    assert_int_equal(acpi_read_srat(&table, &srat), expected);
    if (expected != ACPI_OK) {
        assert_int_equal(srat.memory_count + srat.processor_count, 0);
    }
}

static void srat_of_four_nodes(void **state)
{
    (void)state;
    build_table(&b, SRAT, 0);
    read_srat(ACPI_OK);
    assert_int_equal(srat.memory_count, 6);
    assert_int_equal(srat.memory[2].base, 0x60000000);
    assert_int_equal(srat.memory[2].domain, 1);
    assert_int_equal(srat.memory[5].length, 0x60000000);
    assert_int_equal(srat.memory[5].domain, 3);
    assert_int_equal(srat.processor_count, 4);
    assert_int_equal(srat.processor[3].apic_id, 3);
    assert_int_equal(srat.processor[3].domain, 3);
}

static void srat_is_sorted(void **state)
{
    (void)state;
    begin_srat(&b, 3);
    put_srat_memory(&b, 0x3000, 0x1000, 1, 1);
    put_srat_memory(&b, 0x1000, 0x1000, 2, 1);
    put_srat_memory(&b, 0x2000, 0x1000, 3, 1);
    read_srat(ACPI_OK);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(srat.memory[i].base, 0x1000 * (i + 1));
    }
}

static void srat_disabled_entries(void **state)
{
    (void)state;
    begin_srat(&b, 3);
    put_srat_memory(&b, 0, 0x1000, 1, 0);
    put_srat_memory(&b, 0, 0, 1, 1);
    put_srat_apic(&b, 1, 0, 0);
    put_srat_x2apic(&b, 1, 0, 0);
    put(&b, "\x07\x03\x00", 3); /* of an unknown type */
    read_srat(ACPI_OK);
    assert_int_equal(srat.memory_count + srat.processor_count, 0);
}

static void srat_domains_grew_with_revision_2(void **state)
{
    (void)state;
    for (uint8_t revision = 1; revision <= 2; revision++) {
        uint32_t expected = revision == 1 ? 0x67 : 0x01234567;
        begin_srat(&b, revision);
        put_srat_apic(&b, 1, 0x01234567, 1);
        put_srat_x2apic(&b, 0x12345, 0x01234567, 1);
        put_srat_memory(&b, 0, 1, 0x01234567, 1);
        read_srat(ACPI_OK);
        assert_int_equal(srat.memory[0].domain, expected);
        assert_int_equal(srat.processor[0].domain, expected);
        assert_int_equal(srat.processor[1].domain, expected);
        assert_int_equal(srat.processor[1].apic_id, 0x12345);
    }
}

static void srat_overlap(void **state)
{
    (void)state;
    static const struct {
        uint64_t base, length;
        bool overlaps;
    } second[] = {
        { 0x1000, 0x1000, true },  { 0, 0x1001, true },
        { 0, 0x1000, false },      { 0x1FFF, 1, true },
        { 0x2000, 0x1000, false }, { 0, UINT64_MAX, true },
        { 0x1800, 0x100, true },   { 0x2000, 0 - (uint64_t)0x2000, false },
    };
    for (size_t i = 0; i < sizeof second / sizeof second[0]; i++) {
        begin_srat(&b, 3);
        put_srat_memory(&b, 0x1000, 0x1000, 0, 1);
        put_srat_memory(&b, second[i].base, second[i].length, 1, 1);
        read_srat(second[i].overlaps ? ACPI_CONFLICT : ACPI_OK);
    }
}

static void srat_hot_pluggable_may_surround(void **state)
{
    (void)state;
    begin_srat(&b, 3);
    put_srat_memory(&b, 0x1000, 0x1000, 0, 1);
    put_srat_memory(&b, 0, 0x10000, 0, 3);
    put_srat_memory(&b, 0, 0x10000, 0, 5);
    read_srat(ACPI_OK);
    assert_int_equal(srat.memory_count, 3);
    assert_true(srat.memory[0].hot_pluggable || srat.memory[1].hot_pluggable);
    assert_false(srat.memory[2].hot_pluggable || srat.memory[2].non_volatile);
}

static void srat_range_that_wraps(void **state)
{
    (void)state;
    begin_srat(&b, 3);
    put_srat_memory(&b, 2, UINT64_MAX, 0, 1);
    read_srat(ACPI_BAD_VALUE);
    begin_srat(&b, 3);
    put_srat_memory(&b, 1, UINT64_MAX, 0, 1);
    read_srat(ACPI_OK);
}

static void srat_entry_lengths(void **state)
{
    (void)state;
    static const uint8_t lengths[] = { 0, 1, 2, 39, 41, 255 };
    for (size_t i = 0; i < sizeof lengths; i++) {
        begin_srat(&b, 3);
        put_srat_memory(&b, 0, 1, 0, 1);
        b.data[49] = lengths[i];
        read_srat(ACPI_BAD_LENGTH);
    }
    begin_srat(&b, 3);
    put8(&b, 9); /* half an entry */
    read_srat(ACPI_BAD_LENGTH);
}

static void srat_full(void **state)
{
    (void)state;
    for (uint32_t extra = 0; extra <= 1; extra++) {
        begin_srat(&b, 3);
        for (uint32_t i = 0; i < ACPI_MAX_MEMORY + extra; i++) {
            put_srat_memory(&b, i * 0x1000, 0x1000, i, 1);
        }
        read_srat(extra ? ACPI_TOO_MANY : ACPI_OK);
        begin_srat(&b, 3);
        for (uint32_t i = 0; i < ACPI_MAX_PROCESSORS + extra; i++) {
            put_srat_x2apic(&b, i, i, 1);
        }
        read_srat(extra ? ACPI_TOO_MANY : ACPI_OK);
    }
}

static void srat_processor_twice(void **state)
{
    (void)state;
    begin_srat(&b, 3);
    put_srat_apic(&b, 7, 1, 1);
    put_srat_x2apic(&b, 7, 1, 1);
    read_srat(ACPI_OK);
    assert_int_equal(srat.processor_count, 1);
    put_srat_x2apic(&b, 7, 2, 1);
    read_srat(ACPI_CONFLICT);
}

static void tables_of_another_name(void **state)
{
    (void)state;
    begin(&b, "XXXX", 1);
    b.length = 512;
    struct acpi_table table = built();
    assert_int_equal(acpi_read_srat(&table, &srat), ACPI_BAD_SIGNATURE);
    assert_int_equal(acpi_read_slit(&table, &slit), ACPI_BAD_SIGNATURE);
    assert_int_equal(acpi_read_mcfg(&table, &mcfg), ACPI_BAD_SIGNATURE);
    assert_int_equal(acpi_read_hpet(&table, &hpet), ACPI_BAD_SIGNATURE);
    assert_int_equal(acpi_read_madt(&table, &madt), ACPI_BAD_SIGNATURE);
    assert_int_equal(acpi_read_bridges(&table, &bridges), ACPI_BAD_SIGNATURE);
}

static void slit_distances(void **state)
{
    (void)state;
    build_table(&b, SLIT, 0);
    struct acpi_table table = built();
    assert_int_equal(acpi_read_slit(&table, &slit), ACPI_OK);
    assert_int_equal(slit.count, 4);
    assert_int_equal(acpi_distance(&slit, 2, 2), 10);
    assert_int_equal(acpi_distance(&slit, 1, 3), 27);
    assert_int_equal(acpi_distance(&slit, 3, 1), 33);
    assert_int_equal(acpi_distance(&slit, 4, 0), 255);
    assert_int_equal(acpi_distance(&slit, 0, UINT32_MAX), 255);
}

static void slit_defects(void **state)
{
    (void)state;
    static const struct {
        uint32_t at;
        uint8_t value;
        enum acpi_status status;
    } defect[] = {
        { 44, 11, ACPI_BAD_VALUE },  /* a node is not itself */
        { 45, 9, ACPI_BAD_VALUE },   /* nearer than itself */
        { 45, 255, ACPI_OK },        /* unreachable */
        { 36, 5, ACPI_BAD_LENGTH },  /* more localities than bytes */
        { 37, 1, ACPI_TOO_MANY },
        { 43, 0x80, ACPI_TOO_MANY }, /* of which the square is 0 */
    };
    for (size_t i = 0; i < sizeof defect / sizeof defect[0]; i++) {
        build_table(&b, SLIT, 0);
        b.data[defect[i].at] = defect[i].value;
        struct acpi_table table = built();
        assert_int_equal(acpi_read_slit(&table, &slit), defect[i].status);
        assert_int_equal(slit.count, defect[i].status == ACPI_OK ? 4 : 0);
    }
}

static enum acpi_status read_mcfg(void)
{
    struct acpi_table table = built();
    return acpi_read_mcfg(&table, &mcfg);
}

static void mcfg_segments(void **state)
{
    (void)state;
    begin_mcfg(&b);
    put_mcfg(&b, 0xB0000000, 0, 0, 127);
    put_mcfg(&b, 0xB0000000, 0, 128, 255);
    put_mcfg(&b, 0x8000000000, 1, 0, 255);
    assert_int_equal(read_mcfg(), ACPI_OK);
    assert_int_equal(mcfg.count, 3);
    assert_int_equal(mcfg.segment[1].first_bus, 128);
    assert_int_equal(mcfg.segment[2].base, 0x8000000000);
    assert_int_equal(mcfg.segment[2].segment, 1);
}

static void mcfg_defects(void **state)
{
    (void)state;
    begin_mcfg(&b);
    put_mcfg(&b, 0, 0, 1, 0);
    assert_int_equal(read_mcfg(), ACPI_BAD_VALUE);
    begin_mcfg(&b);
    put_mcfg(&b, 0x1000, 0, 0, 0);
    assert_int_equal(read_mcfg(), ACPI_BAD_VALUE);
    begin_mcfg(&b);
    put_mcfg(&b, 0 - (uint64_t)0x100000, 0, 0, 0);
    assert_int_equal(read_mcfg(), ACPI_BAD_VALUE);
    begin_mcfg(&b);
    put_mcfg(&b, 0, 0, 0, 10);
    put_mcfg(&b, 0x40000000, 0, 10, 20);
    assert_int_equal(read_mcfg(), ACPI_CONFLICT);
    begin_mcfg(&b);
    put8(&b, 0);
    assert_int_equal(read_mcfg(), ACPI_BAD_LENGTH);
    begin_mcfg(&b);
    for (uint16_t i = 0; i <= ACPI_MAX_SEGMENTS; i++) {
        put_mcfg(&b, 0, i, 0, 0);
    }
    assert_int_equal(read_mcfg(), ACPI_TOO_MANY);
    assert_int_equal(mcfg.count, 0);
}

static void hpet_base(void **state)
{
    (void)state;
    build_table(&b, HPET, 0);
    struct acpi_table table = built();
    assert_int_equal(acpi_read_hpet(&table, &hpet), ACPI_OK);
    assert_int_equal(hpet.base, 0xFED00000);
    assert_int_equal(hpet.minimum_tick, 100);
    b.data[40] = 1; /* in I/O space */
    table = built();
    assert_int_equal(acpi_read_hpet(&table, &hpet), ACPI_BAD_VALUE);
    assert_int_equal(hpet.base, 0);
    build_table(&b, HPET, 0);
    memset(b.data + 44, 0, 8);
    table = built();
    assert_int_equal(acpi_read_hpet(&table, &hpet), ACPI_BAD_VALUE);
}

static enum acpi_status read_madt(void)
{
    struct acpi_table table = built();
    return acpi_read_madt(&table, &madt);
}

static void madt_processors(void **state)
{
    (void)state;
    build_table(&b, MADT, 0);
    assert_int_equal(read_madt(), ACPI_OK);
    assert_int_equal(madt.local_apic, 0xFEE00000);
    assert_int_equal(madt.processor_count, 4);
    assert_int_equal(madt.processor[2].apic_id, 2);
    assert_int_equal(madt.io_apic_count, 1);
    assert_int_equal(madt.io_apic[0].base, 0xFEC00000);
    assert_true(madt.has_8259);
}

static void madt_x2apic_and_override(void **state)
{
    (void)state;
    begin_madt(&b, 0xFEE00000, 0);
    put_madt_apic(&b, 1, 1);
    put(&b, "\x09\x10\0\0\x01\0\0\0\x01\0\0\0\0\0\0\0", 16);
    put(&b, "\x09\x10\0\0\x00\x01\0\0\x01\0\0\0\0\0\0\0", 16);
    put(&b, "\x05\x0C\0\0\0\0\x0E\xFE\x01\0\0\0", 12);
    assert_int_equal(read_madt(), ACPI_OK);
    assert_int_equal(madt.processor_count, 2);
    assert_int_equal(madt.processor[1].apic_id, 0x100);
    assert_int_equal(madt.local_apic, 0x1FE0E0000);
    assert_false(madt.has_8259);
}

static void madt_defects(void **state)
{
    (void)state;
    static const char *const entries[] = { "\x00\x07", "\x01\x0B", "\x05\x08",
                                           "\x09\x08", "\x00\x00", "\x77\x01" };
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++) {
        static const uint8_t rest[14];
        begin_madt(&b, 0, 0);
        put(&b, entries[i], 2);
        put(&b, rest, (uint8_t)entries[i][1] > 2
                          ? (uint8_t)entries[i][1] - 2u : 0);
        assert_int_equal(read_madt(), ACPI_BAD_LENGTH);
    }
    begin_madt(&b, 0, 0);
    for (int i = 0; i <= ACPI_MAX_IO_APICS; i++) {
        put(&b, "\x01\x0C\0\0\0\0\0\0\0\0\0\0", 12);
    }
    assert_int_equal(read_madt(), ACPI_TOO_MANY);
    assert_int_equal(madt.io_apic_count, 0);
}

static enum acpi_status read_bridges(void)
{
    struct acpi_table table = built();
    return acpi_read_bridges(&table, &bridges);
}

static void bridge_with_a_node(void **state)
{
    (void)state;
    build_table(&b, DSDT, 0);
    assert_int_equal(read_bridges(), ACPI_OK);
    assert_int_equal(bridges.count, 1);
    assert_int_equal(bridges.bridge[0].bus, 0x40);
    assert_int_equal(bridges.bridge[0].domain, 1);
}

static void put_bridge(uint8_t prefix, uint64_t bus, uint64_t domain)
{
    struct bytes contents = { 0 };
    put_constant(&contents, "_BBN", prefix, bus);
    put_constant(&contents, "_PXM", prefix, domain);
    put_device(&b, "PCXX", 1, &contents);
}

static void bridge_integer_encodings(void **state)
{
    (void)state;
    static const uint8_t prefix[] = { 0, 0x0A, 0x0B, 0x0C, 0x0E };
    for (size_t i = 0; i < sizeof prefix; i++) {
        begin(&b, "SSDT", 2);
        put_bridge(prefix[i], 1, 0);
        assert_int_equal(read_bridges(), ACPI_OK);
        assert_int_equal(bridges.count, 1);
        assert_int_equal(bridges.bridge[0].bus, 1);
        assert_int_equal(bridges.bridge[0].domain, 0);
    }
    begin(&b, "DSDT", 2);
    put_bridge(0x0C, 0xFF, 0x12345678);
    assert_int_equal(read_bridges(), ACPI_OK);
    assert_int_equal(bridges.bridge[0].domain, 0x12345678);
}

static void bridge_package_length_encodings(void **state)
{
    (void)state;
    struct bytes contents = { 0 };
    put_constant(&contents, "_PXM", 0x0A, 2);
    put_constant(&contents, "_BBN", 0x0A, 0x80);
    for (unsigned more = 0; more <= 3; more++) {
        begin(&b, "DSDT", 2);
        put_device(&b, "PC80", more, &contents);
        assert_int_equal(read_bridges(), ACPI_OK);
        assert_int_equal(bridges.count, 1);
    }
}

/* A _PXM belongs to the innermost Device, not to the one around that. */
static void bridge_names_of_nested_devices(void **state)
{
    (void)state;
    struct bytes inner = { 0 };
    struct bytes outer = { 0 };
    put_constant(&inner, "_PXM", 0x0A, 3);
    put_constant(&outer, "_BBN", 0x0A, 0x20);
    put_device(&outer, "S08_", 0, &inner);
    begin(&b, "DSDT", 2);
    put_device(&b, "PC20", 1, &outer);
    put_constant(&b, "_PXM", 0x0A, 2); /* outside any Device */
    assert_int_equal(read_bridges(), ACPI_OK);
    assert_int_equal(bridges.count, 0);
}

static void bridge_defects(void **state)
{
    (void)state;
    begin(&b, "DSDT", 2);
    put_bridge(0x0B, 256, 0);
    assert_int_equal(read_bridges(), ACPI_BAD_VALUE);
    begin(&b, "DSDT", 2);
    put_bridge(0x0E, 1, (uint64_t)1 << 32);
    assert_int_equal(read_bridges(), ACPI_BAD_VALUE);
    begin(&b, "DSDT", 2);
    put_bridge(0x0A, 8, 1);
    put_bridge(0x0A, 8, 1);
    assert_int_equal(read_bridges(), ACPI_OK);
    assert_int_equal(bridges.count, 1);
    put_bridge(0x0A, 8, 2);
    assert_int_equal(read_bridges(), ACPI_CONFLICT);
    assert_int_equal(bridges.count, 0);
    begin(&b, "DSDT", 2);
    for (unsigned i = 0; i <= ACPI_MAX_BRIDGES; i++) {
        put_bridge(0x0A, i, 1);
    }
    assert_int_equal(read_bridges(), ACPI_TOO_MANY);
}

static void bridge_nesting_is_bounded(void **state)
{
    (void)state;
    struct bytes nested[2] = { { 0 }, { 0 } };
    for (unsigned depth = 0; depth < 200; depth++) {
        nested[1].length = 0;
        put_device(&nested[1], "DEEP", 2, &nested[0]);
        nested[0] = nested[1];
    }
    begin(&b, "DSDT", 2);
    put(&b, nested[0].data, nested[0].length);
    assert_int_equal(read_bridges(), ACPI_TOO_MANY);
}

static void every_status_is_explained(void **state)
{
    (void)state;
    for (int i = ACPI_OK; i <= ACPI_TOO_MANY; i++) {
        assert_string_not_equal(acpi_explain((enum acpi_status)i),
                                acpi_explain((enum acpi_status)-1));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(srat_of_four_nodes),
        cmocka_unit_test(srat_is_sorted),
        cmocka_unit_test(srat_disabled_entries),
        cmocka_unit_test(srat_domains_grew_with_revision_2),
        cmocka_unit_test(srat_overlap),
        cmocka_unit_test(srat_hot_pluggable_may_surround),
        cmocka_unit_test(srat_range_that_wraps),
        cmocka_unit_test(srat_entry_lengths),
        cmocka_unit_test(srat_full),
        cmocka_unit_test(srat_processor_twice),
        cmocka_unit_test(tables_of_another_name),
        cmocka_unit_test(slit_distances),
        cmocka_unit_test(slit_defects),
        cmocka_unit_test(mcfg_segments),
        cmocka_unit_test(mcfg_defects),
        cmocka_unit_test(hpet_base),
        cmocka_unit_test(madt_processors),
        cmocka_unit_test(madt_x2apic_and_override),
        cmocka_unit_test(madt_defects),
        cmocka_unit_test(bridge_with_a_node),
        cmocka_unit_test(bridge_integer_encodings),
        cmocka_unit_test(bridge_package_length_encodings),
        cmocka_unit_test(bridge_names_of_nested_devices),
        cmocka_unit_test(bridge_defects),
        cmocka_unit_test(bridge_nesting_is_bounded),
        cmocka_unit_test(every_status_is_explained),
    };
    return RUN_TESTS(tests);
}
