/* SPDX-License-Identifier: MIT */
/*
 * The way from the RSDP to the tables, and all of it under damage: every length
 * cut short, every byte with every value. The map callback hands out copies of
 * exactly the size that was asked for, so that the address sanitizer sees every
 * read beyond what was granted.
 */
#include "acpi-tables.h"

#include "acpi/acpi.h"

#define MEMORY_BASE 0xE0000u
#define MEMORY_SIZE 0x4000u
#define RSDP_AT 0x20u
#define ROOT_AT 0x100u
#define TABLES_AT 0x200u
#define NOWHERE 0xDEAD0000u

/* The machine's memory, as far as it can be read. */
static struct {
    uint8_t bytes[MEMORY_SIZE];
    uint32_t size;
    uint32_t at[TABLE_COUNT];
    uint32_t length[TABLE_COUNT];
    uint32_t root_length;
    uint32_t end;
} memory;

static struct {
    void *copy[128];
    unsigned count;
} granted;

static const void *map(void *context, uint64_t pa, size_t length)
{
    assert_ptr_equal(context, &memory);
    assert_true(length > 0 && pa <= UINT64_MAX - length);
    if (pa < MEMORY_BASE || pa - MEMORY_BASE > memory.size ||
        length > memory.size - (pa - MEMORY_BASE)) {
        return NULL;
    }
    assert_true(granted.count < 128);
    void *copy = malloc(length);
    memcpy(copy, memory.bytes + (pa - MEMORY_BASE), length);
    granted.copy[granted.count++] = copy;
    return copy;
}

static void release_copies(void)
{
    while (granted.count > 0) {
        free(granted.copy[--granted.count]);
    }
}

static void store(uint32_t at, const struct bytes *table)
{
    assert_true(at + table->length <= MEMORY_SIZE);
    memcpy(memory.bytes + at, table->data, table->length);
}

/* The RSDT (4-byte entries) or XSDT (8); its first entry leads nowhere. */
static void build_root(unsigned entry_size)
{
    struct bytes b;
    begin(&b, entry_size == 8 ? "XSDT" : "RSDT", 1);
    for (int i = -1; i < DSDT; i++) {
        uint64_t pa = i < 0 ? NOWHERE : MEMORY_BASE + memory.at[i];
        put(&b, &pa, entry_size);
    }
    finish(&b);
    store(ROOT_AT, &b);
    memory.root_length = b.length;
}

static void build_rsdp(uint8_t revision, uint32_t rsdt, uint64_t xsdt)
{
    struct bytes b = { 0 };
    put(&b, "RSD PTR \0TESTOE", 15);
    put8(&b, revision);
    put32(&b, rsdt);
    put32(&b, 36);
    put64(&b, xsdt);
    put32(&b, 0);
    set_sum(b.data, 20, 8);
    set_sum(b.data, 36, 32);
    store(RSDP_AT, &b);
}

static void build_memory(uint8_t revision)
{
    struct bytes b;
    memset(&memory, 0, sizeof memory);
    memory.size = MEMORY_SIZE;
    memory.end = TABLES_AT;
    for (int i = DSDT; i >= 0; i--) {
        build_table(&b, i, MEMORY_BASE + memory.at[DSDT]);
        memory.at[i] = memory.end;
        memory.length[i] = b.length;
        store(memory.end, &b);
        memory.end += (b.length + 15) & ~15u;
    }
    build_root(revision >= 2 ? 8 : 4);
    build_rsdp(revision, MEMORY_BASE + ROOT_AT,
               revision >= 2 ? MEMORY_BASE + ROOT_AT : 0);
}

static enum acpi_status open_memory(struct acpi *acpi)
{
    return acpi_open(acpi, map, &memory, MEMORY_BASE + RSDP_AT);
}

/* Reads a table with the reader of its name. */
static enum acpi_status read_table(int which, const struct acpi_table *table)
{
    static union {
        struct acpi_srat srat;
        struct acpi_slit slit;
        struct acpi_mcfg mcfg;
        struct acpi_hpet hpet;
        struct acpi_madt madt;
        struct acpi_dmar dmar;
        struct acpi_bridges bridges;
    } output;
    switch (which) {
    case SRAT:
        return acpi_read_srat(table, &output.srat);
    case SLIT:
        return acpi_read_slit(table, &output.slit);
    case MCFG:
        return acpi_read_mcfg(table, &output.mcfg);
    case HPET:
        return acpi_read_hpet(table, &output.hpet);
    case MADT:
        return acpi_read_madt(table, &output.madt);
    case DMAR:
        return acpi_read_dmar(table, &output.dmar);
    case DSDT:
        return acpi_read_bridges(table, &output.bridges);
    default:
        return ACPI_OK;
    }
}

static enum acpi_status find_table(const struct acpi *acpi, int which,
                                   struct acpi_table *table)
{
    return which == DSDT ? acpi_find_dsdt(acpi, table)
                         : acpi_find(acpi, table_names[which], table);
}

static void every_table_is_found(void **state)
{
    (void)state;
    for (uint8_t revision = 0; revision <= 2; revision += 2) {
        struct acpi acpi;
        struct acpi_table table;
        build_memory(revision);
        assert_int_equal(open_memory(&acpi), ACPI_OK);
        assert_int_equal(acpi.revision, revision);
        for (int i = 0; i < TABLE_COUNT; i++) {
            assert_int_equal(find_table(&acpi, i, &table), ACPI_OK);
            assert_int_equal(table.length, memory.length[i]);
            assert_int_equal(read_table(i, &table), ACPI_OK);
        }
        assert_int_equal(acpi_find(&acpi, "BGRT", &table), ACPI_NOT_FOUND);
        release_copies();
    }
}

static void rsdp_of_revision_2_without_xsdt(void **state)
{
    (void)state;
    struct acpi acpi;
    build_memory(0);
    build_rsdp(2, MEMORY_BASE + ROOT_AT, 0);
    assert_int_equal(open_memory(&acpi), ACPI_OK);
    assert_int_equal(acpi.entry_size, 4);
    release_copies();
}

static void rsdp_of_revision_0_has_a_sum(void **state)
{
    (void)state;
    struct acpi acpi;
    build_memory(0);
    memory.bytes[RSDP_AT + 9]++;
    assert_int_equal(open_memory(&acpi), ACPI_BAD_CHECKSUM);
    memory.bytes[RSDP_AT + 9]--;
    memory.bytes[RSDP_AT + 21]++; /* no part of it in this revision */
    assert_int_equal(open_memory(&acpi), ACPI_OK);
    release_copies();
}

static void rsdp_is_searched_on_16_bytes(void **state)
{
    (void)state;
    uint64_t at = 0;
    build_memory(2);
    assert_int_equal(
        acpi_search(map, &memory, MEMORY_BASE + 1, 0x1000, &at), ACPI_OK);
    assert_int_equal(at, MEMORY_BASE + RSDP_AT);
    release_copies();
    assert_int_equal(acpi_search(map, &memory, MEMORY_BASE, RSDP_AT + 19, &at),
                     ACPI_NOT_FOUND);
    release_copies();
    memmove(memory.bytes + RSDP_AT + 8, memory.bytes + RSDP_AT, 36);
    assert_int_equal(acpi_search(map, &memory, MEMORY_BASE, 0x100, &at),
                     ACPI_NOT_FOUND);
    assert_int_equal(
        acpi_search(map, &memory, UINT64_MAX - 100, 101, &at), ACPI_BAD_LENGTH);
    release_copies();
}

static void defects_of_the_root(void **state)
{
    (void)state;
    static const struct {
        uint32_t at, size; /* of the value, and of what is summed up: */
        uint64_t value;
        uint32_t sum_from, sum_size, sum_at;
        enum acpi_status status;
    } defect[] = {
        { RSDP_AT, 1, 'X', 0, 0, 0, ACPI_BAD_SIGNATURE },
        { RSDP_AT + 9, 1, 'X', 0, 0, 0, ACPI_BAD_CHECKSUM },
        { RSDP_AT + 33, 1, 1, 0, 0, 0, ACPI_BAD_CHECKSUM },
        { RSDP_AT + 20, 4, 35, RSDP_AT, 36, 32, ACPI_BAD_LENGTH },
        { RSDP_AT + 20, 4, 4097, RSDP_AT, 36, 32, ACPI_BAD_LENGTH },
        { RSDP_AT + 24, 8, NOWHERE, RSDP_AT, 36, 32, ACPI_UNREADABLE },
        { RSDP_AT + 24, 8, UINT64_MAX, RSDP_AT, 36, 32, ACPI_UNREADABLE },
        { ROOT_AT, 1, 'R', 0, 0, 0, ACPI_BAD_SIGNATURE },
        { ROOT_AT + 30, 1, 1, 0, 0, 0, ACPI_BAD_CHECKSUM },
        { ROOT_AT + 4, 4, 35, ROOT_AT, 36, 9, ACPI_BAD_LENGTH },
        { ROOT_AT + 4, 4, 28, ROOT_AT, 28, 9, ACPI_BAD_LENGTH },
        { ROOT_AT + 4, 4, 37, ROOT_AT, 37, 9, ACPI_BAD_LENGTH },
        { ROOT_AT + 4, 4, MEMORY_SIZE - ROOT_AT + 1, 0, 0, 0, ACPI_UNREADABLE },
        { ROOT_AT + 4, 4, UINT32_MAX, 0, 0, 0, ACPI_BAD_LENGTH },
    };
    for (size_t i = 0; i < sizeof defect / sizeof defect[0]; i++) {
        struct acpi acpi;
        build_memory(2);
        memcpy(memory.bytes + defect[i].at, &defect[i].value, defect[i].size);
        if (defect[i].sum_size != 0) {
            set_sum(memory.bytes + defect[i].sum_from, defect[i].sum_size,
                    defect[i].sum_at);
        }
        assert_int_equal(open_memory(&acpi), defect[i].status);
        assert_int_equal(acpi.entry_count, 0);
        release_copies();
    }
}

static void fadt_names_the_dsdt_twice(void **state)
{
    (void)state;
    struct acpi acpi;
    struct acpi_table table;
    build_memory(2);
    uint8_t *fadt = memory.bytes + memory.at[FADT];
    uint32_t dsdt = MEMORY_BASE + memory.at[DSDT];
    memset(fadt + 140, 0, 8);
    set_sum(fadt, memory.length[FADT], 9);
    assert_int_equal(open_memory(&acpi), ACPI_OK);
    assert_int_equal(acpi_find_dsdt(&acpi, &table), ACPI_NOT_FOUND);
    memcpy(fadt + 40, &dsdt, 4);
    set_sum(fadt, memory.length[FADT], 9);
    assert_int_equal(acpi_find_dsdt(&acpi, &table), ACPI_OK);
    dsdt = 43; /* a FADT too short to name it */
    memcpy(fadt + 4, &dsdt, 4);
    set_sum(fadt, 43, 9);
    assert_int_equal(acpi_find_dsdt(&acpi, &table), ACPI_BAD_LENGTH);
    assert_null(table.bytes);
    release_copies();
}

/* Memory that ends early: never a table that reaches beyond the end. */
static void memory_cut_at_every_length(void **state)
{
    (void)state;
    build_memory(2);
    for (memory.size = 0; memory.size <= memory.end; memory.size++) {
        struct acpi acpi;
        struct acpi_table table;
        enum acpi_status status = open_memory(&acpi);
        bool whole = memory.size >= ROOT_AT + memory.root_length;
        assert_int_equal(status, whole ? ACPI_OK : ACPI_UNREADABLE);
        for (int i = 0; i < TABLE_COUNT && whole; i++) {
            bool there = memory.size >= memory.at[i] + memory.length[i];
            status = find_table(&acpi, i, &table);
            assert_int_equal(status == ACPI_OK,
                             there && (i != DSDT || memory.size >=
                                                        memory.at[FADT] + 244));
        }
        release_copies();
    }
}

/* Tables that are shorter than they should be, with a checksum that agrees. */
static void tables_cut_at_every_length(void **state)
{
    (void)state;
    for (int i = 0; i < TABLE_COUNT; i++) {
        struct bytes b;
        build_table(&b, i, 0);
        for (uint32_t length = 0; length < b.length; length++) {
            uint8_t *exact = malloc(length);
            memcpy(exact, b.data, length);
            struct acpi_table table = { exact, length };
            enum acpi_status status = read_table(i, &table);
            assert_true(length >= HEADER_SIZE || i == FADT ||
                        status == ACPI_BAD_LENGTH);
            free(exact);
        }
    }
}

static void tables_with_every_byte_changed(void **state)
{
    (void)state;
    unsigned cases = 0;
    for (int i = 0; i < TABLE_COUNT; i++) {
        struct bytes b;
        build_table(&b, i, 0);
        uint8_t *exact = malloc(b.length);
        memcpy(exact, b.data, b.length);
        struct acpi_table table = { exact, b.length };
        for (uint32_t at = 0; at < b.length; at++) {
            for (unsigned value = 0; value < 256; value++, cases++) {
                exact[at] = (uint8_t)value;
                read_table(i, &table);
            }
            exact[at] = b.data[at];
        }
        free(exact);
    }
    print_message("# %u damaged tables\n", cases);
}

/* One byte changed anywhere must never leave its table valid: only a changed
   length can, by chance, meet another sum. */
static void memory_with_every_byte_changed(void **state)
{
    (void)state;
    build_memory(2);
    for (uint32_t at = 0; at < memory.end; at++) {
        uint8_t was = memory.bytes[at];
        for (unsigned step = 1; step < 256; step += step + 1) {
            struct acpi acpi;
            struct acpi_table table;
            memory.bytes[at] = (uint8_t)(was + step);
            enum acpi_status opened = open_memory(&acpi);
            if (at >= RSDP_AT && at < RSDP_AT + 36) {
                assert_true(opened != ACPI_OK || at == RSDP_AT + 15 ||
                            (at >= RSDP_AT + 20 && at < RSDP_AT + 24));
            }
            for (int i = 0; i < TABLE_COUNT && opened == ACPI_OK; i++) {
                enum acpi_status status = find_table(&acpi, i, &table);
                if (status == ACPI_OK) {
                    read_table(i, &table);
                }
                uint32_t inside = at - memory.at[i];
                assert_true(status != ACPI_OK || at < memory.at[i] ||
                            inside >= memory.length[i] ||
                            (inside >= 4 && inside < 8));
            }
            release_copies();
        }
        memory.bytes[at] = was;
    }
}

static void random_bytes_as_tables(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t length = HEADER_SIZE + (uint32_t)random_below(&seed, 300);
        uint8_t *exact = malloc(length);
        for (uint32_t at = 0; at < length; at++) {
            /* Few different values, so that structures come about. */
            static const uint8_t likely[] = { 0x5B, 0x82, 0x08, '_', 'B', 'N',
                                              'P', 'X', 'M', 1, 2, 16, 40, 0 };
            exact[at] = likely[random_below(&seed, sizeof likely)];
        }
        for (int which = 0; which < TABLE_COUNT; which++) {
            struct acpi_table table = { exact, length };
            memcpy(exact, table_names[which], 4);
            read_table(which, &table);
        }
        free(exact);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_table_is_found),
        cmocka_unit_test(rsdp_of_revision_2_without_xsdt),
        cmocka_unit_test(rsdp_of_revision_0_has_a_sum),
        cmocka_unit_test(rsdp_is_searched_on_16_bytes),
        cmocka_unit_test(defects_of_the_root),
        cmocka_unit_test(fadt_names_the_dsdt_twice),
        cmocka_unit_test(memory_cut_at_every_length),
        cmocka_unit_test(tables_cut_at_every_length),
        cmocka_unit_test(tables_with_every_byte_changed),
        cmocka_unit_test(memory_with_every_byte_changed),
        cmocka_unit_test(random_bytes_as_tables),
    };
    return RUN_TESTS(tests);
}
