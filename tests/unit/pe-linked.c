/* SPDX-License-Identifier: MIT */
/*
 * The PE loader core with images from mingw-w64's linker, debug sections and all.
 * Arguments: pe-driver.sys, pe-library.dll. What the images hold is in the
 * sources of the same names.
 */
#include "unit.h"

#include "ldr/pe.h"

#define DRIVER_BASE 0xFFFFF80000010000u
#define LIBRARY_BASE 0xFFFFF80000800000u

static struct loaded {
    struct pe_image image;
    uint8_t *memory;
} driver, library;

static const char *paths[2];

static void load(struct loaded *loaded, const char *path, uint64_t base)
{
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    fseek(stream, 0, SEEK_END);
    size_t size = (size_t)ftell(stream);
    uint8_t *file = malloc(size);
    rewind(stream);
    assert_int_equal(fread(file, 1, size, stream), size);
    fclose(stream);
    assert_int_equal(pe_open(&loaded->image, file, size), PE_OK);
    loaded->memory = malloc(loaded->image.size_of_image);
    pe_map(&loaded->image, loaded->memory);
    free(file); /* it is not needed any more */
    assert_int_equal(pe_relocate(&loaded->image, base), PE_OK);
}

static int set_up(void **state)
{
    (void)state;
    load(&driver, paths[0], DRIVER_BASE);
    load(&library, paths[1], LIBRARY_BASE);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(driver.memory);
    free(library.memory);
    return 0;
}

static uint64_t export_of(const struct loaded *loaded, const char *name)
{
    uint64_t address = 0;
    assert_int_equal(pe_export(&loaded->image, name, &address), PE_OK);
    assert_true(address - loaded->image.base < loaded->image.size_of_image);
    return address;
}

static uint64_t load64(const struct loaded *loaded, uint64_t address)
{
    uint64_t value;
    memcpy(&value, loaded->memory + (address - loaded->image.base), 8);
    return value;
}

static void exports_and_fixed_up_pointers(void **state)
{
    (void)state;
    uint64_t value = export_of(&library, "library_value");
    uint64_t pointers = export_of(&library, "library_pointers");
    assert_int_equal((uint32_t)load64(&library, value), 0x1234);
    assert_int_equal(load64(&library, pointers), value);
    assert_int_equal(load64(&library, pointers + 8), 0);
    assert_int_equal(load64(&library, pointers + 16), value);
    assert_int_equal(pe_entry_point(&library.image),
                     export_of(&library, "library_entry"));
}

static void driver_is_native_and_fixed_up(void **state)
{
    (void)state;
    uint64_t entries = export_of(&driver, "entries");
    assert_int_equal(pe_require_native(&driver.image), PE_OK);
    assert_int_equal(load64(&driver, entries), pe_entry_point(&driver.image));
    assert_int_equal(load64(&driver, entries + 8),
                     pe_entry_point(&driver.image));
}

static struct {
    unsigned count;
    char missing[64];
    uint64_t address[8];
} imports;

static uint64_t resolve(void *context, const struct pe_import *import)
{
    uint64_t address = 0;
    (void)context;
    assert_string_equal(import->dll, "pe-library.dll");
    assert_non_null(import->name);
    assert_true(imports.count < 8);
    pe_export(&library.image, import->name, &address);
    imports.address[imports.count++] = address;
    return address;
}

static void missing(void *context, const struct pe_import *import)
{
    (void)context;
    strncat(imports.missing, import->name, sizeof imports.missing - 1);
}

static bool is_in_image(const struct loaded *loaded, uint64_t value)
{
    for (uint32_t at = 0; at + 8 <= loaded->image.size_of_image; at += 8) {
        if (load64(loaded, loaded->image.base + at) == value) {
            return true;
        }
    }
    return false;
}

static void driver_is_bound_to_the_library(void **state)
{
    (void)state;
    uint64_t add = export_of(&library, "library_add");
    uint64_t value = export_of(&library, "library_value");
    memset(&imports, 0, sizeof imports);
    assert_false(is_in_image(&driver, add) || is_in_image(&driver, value));
    assert_int_equal(pe_bind(&driver.image, resolve, missing, NULL),
                     PE_MISSING_IMPORT);
    assert_int_equal(imports.count, 3);
    assert_string_equal(imports.missing, "not_in_the_library");
    assert_true(is_in_image(&driver, add) && is_in_image(&driver, value));
}

static void sections_are_protectable(void **state)
{
    (void)state;
    struct pe_section section;
    unsigned executable = 0;
    unsigned debug = 0;
    uint32_t end = 0;
    for (unsigned i = 0; pe_section(&driver.image, i, &section); i++) {
        assert_int_equal(section.rva % PE_PAGE_SIZE, 0);
        assert_true(section.rva >= end);
        end = section.rva + section.size;
        executable += section.executable;
        debug += section.discardable && section.name[0] == '/';
        assert_false(section.executable && section.writable);
    }
    assert_int_equal(executable, 1);
    assert_true(debug > 0);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(exports_and_fixed_up_pointers),
        cmocka_unit_test(driver_is_native_and_fixed_up),
        cmocka_unit_test(driver_is_bound_to_the_library),
        cmocka_unit_test(sections_are_protectable),
    };
    if (argc != 3) {
        fprintf(stderr, "usage: %s DRIVER LIBRARY\n", argv[0]);
        return 2;
    }
    paths[0] = argv[1];
    paths[1] = argv[2];
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
