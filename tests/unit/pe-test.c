/* SPDX-License-Identifier: MIT */
/* The PE loader core: what it makes of a valid image, and a name per defect. */
#include "pe-image.h"

#include "ldr/pe.h"

#define NEW_BASE 0xFFFFF80012345000u

static uint8_t file[IMAGE_FILE_SIZE];
static uint8_t memory[IMAGE_SIZE];
static struct pe_image image;

static int set_up(void **state)
{
    (void)state;
    build_image(file);
    return 0;
}

static void load(void)
{
    assert_int_equal(pe_open(&image, file, sizeof file), PE_OK);
    pe_map(&image, memory);
}

static void headers_of_a_valid_image(void **state)
{
    (void)state;
    assert_int_equal(pe_open(&image, file, sizeof file), PE_OK);
    assert_int_equal(image.size_of_image, IMAGE_SIZE);
    assert_int_equal(image.section_count, IMAGE_SECTIONS);
    assert_int_equal(image.base, IMAGE_BASE);
    assert_int_equal(pe_entry_point(&image), IMAGE_BASE + RVA_TEXT);
    assert_int_equal(pe_require_native(&image), PE_OK);
    set16(file + AT_OPTIONAL + 68, 3);
    assert_int_equal(pe_open(&image, file, sizeof file), PE_OK);
    assert_int_equal(pe_require_native(&image), PE_WRONG_SUBSYSTEM);
}

static void sections_and_their_protection(void **state)
{
    (void)state;
    static const struct pe_section expected[] = {
        { ".text", RVA_TEXT, 0x20, true, false, true, false },
        { ".data", RVA_DATA, 0x1800, true, true, false, false },
        { ".idata", RVA_IMPORTS, 0x180, true, true, false, false },
        { ".edata", RVA_EXPORTS, 0x100, true, false, false, false },
        { ".reloc", RVA_RELOCS, 0x1C, true, false, false, true },
    };
    load();
    struct pe_section section;
    for (unsigned i = 0; i < IMAGE_SECTIONS; i++) {
        assert_true(pe_section(&image, i, &section));
        assert_string_equal(section.name, expected[i].name);
        assert_int_equal(section.rva, expected[i].rva);
        assert_int_equal(section.size, expected[i].size);
        assert_int_equal(section.readable, expected[i].readable);
        assert_int_equal(section.writable, expected[i].writable);
        assert_int_equal(section.executable, expected[i].executable);
        assert_int_equal(section.discardable, expected[i].discardable);
    }
    assert_false(pe_section(&image, IMAGE_SECTIONS, &section));
}

static void map_copies_and_clears(void **state)
{
    (void)state;
    memset(memory, 0xEE, sizeof memory);
    load();
    assert_memory_equal(memory, file, 0x400);
    assert_memory_equal(memory + RVA_DATA, file + FILE_DATA, 0x200);
    for (uint32_t i = RVA_DATA + 0x200; i < RVA_IMPORTS; i++) {
        assert_int_equal(memory[i], 0);
    }
    /* Bytes of the file beyond a section's size are not part of it. */
    assert_int_equal(memory[RVA_TEXT + 0x1F], 0xC3);
    assert_int_equal(memory[RVA_TEXT + 0x20], 0);
}

static void section_size_from_the_file(void **state)
{
    (void)state;
    struct pe_section section;
    set32(file + AT_SECTION(0) + 8, 0);
    load();
    assert_true(pe_section(&image, 0, &section));
    assert_int_equal(section.size, 0x200);
    assert_int_equal(memory[RVA_TEXT + 0x1FF], 0xC3);
}

static void section_without_bytes_in_the_file(void **state)
{
    (void)state;
    set32(file + AT_SECTION(1) + 16, 0);
    set32(file + AT_SECTION(1) + 20, 0xFFFFFFFF);
    load();
    assert_int_equal(get64(memory + RVA_DATA), 0);
}

static void long_section_names_and_debug_data(void **state)
{
    (void)state;
    struct pe_section section;
    memcpy(file + AT_SECTION(4), "/1234567", 8);
    load();
    assert_true(pe_section(&image, 4, &section));
    assert_string_equal(section.name, "/1234567");
    assert_true(section.discardable);
}

struct defect {
    uint32_t at;
    uint32_t size;
    uint64_t value;
    enum pe_status status;
};

static void check_defects(const struct defect *defect, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        build_image(file);
        memcpy(file + defect[i].at, &defect[i].value, defect[i].size);
        enum pe_status status = pe_open(&image, file, sizeof file);
        if (status != defect[i].status) {
            fail_msg("%" PRIx64 " at 0x%x: \"%s\", not \"%s\"",
                     defect[i].value, defect[i].at, pe_explain(status),
                     pe_explain(defect[i].status));
        }
        assert_int_equal(image.size_of_image,
                         status == PE_OK ? IMAGE_SIZE : 0);
    }
}

static void defects_of_the_headers(void **state)
{
    (void)state;
    static const struct defect defects[] = {
        { 0, 2, 0, PE_NOT_DOS },
        { AT_NEW_HEADER, 4, AT_PE - 8, PE_NOT_PE },
        { AT_NEW_HEADER, 4, IMAGE_FILE_SIZE - 23, PE_TRUNCATED },
        { AT_NEW_HEADER, 4, UINT32_MAX, PE_TRUNCATED },
        { AT_PE, 1, 'N', PE_NOT_PE },
        { AT_COFF, 2, 0x14C, PE_WRONG_MACHINE },
        { AT_COFF, 2, 0xAA64, PE_WRONG_MACHINE },
        { AT_COFF + 18, 2, 0x20, PE_NOT_IMAGE },
        { AT_COFF + 2, 2, 0, PE_BAD_SECTION_COUNT },
        { AT_COFF + 2, 2, 97, PE_BAD_SECTION_COUNT },
        { AT_COFF + 2, 2, 96, PE_TRUNCATED },
        { AT_COFF + 2, 2, 20, PE_BAD_IMAGE_SIZE },
        { AT_COFF + 16, 2, 0, PE_BAD_OPTIONAL_HEADER },
        { AT_COFF + 16, 2, 111, PE_BAD_OPTIONAL_HEADER },
        { AT_COFF + 16, 2, 239, PE_BAD_OPTIONAL_HEADER },
        { AT_COFF + 16, 2, 0xFFFF, PE_TRUNCATED },
        { AT_OPTIONAL, 2, 0x10B, PE_NOT_PE32PLUS },
        { AT_OPTIONAL + 108, 4, 17, PE_BAD_OPTIONAL_HEADER },
        { AT_OPTIONAL + 108, 4, UINT32_MAX, PE_BAD_OPTIONAL_HEADER },
        { AT_OPTIONAL + 108, 4, 0, PE_OK },
        { AT_OPTIONAL + 32, 4, 0, PE_BAD_ALIGNMENT },
        { AT_OPTIONAL + 32, 4, 0x3000, PE_BAD_ALIGNMENT },
        { AT_OPTIONAL + 32, 4, 0x200, PE_BAD_ALIGNMENT },
        { AT_OPTIONAL + 36, 4, 0, PE_BAD_ALIGNMENT },
        { AT_OPTIONAL + 36, 4, 0x300, PE_BAD_ALIGNMENT },
        { AT_OPTIONAL + 36, 4, 0x2000, PE_BAD_ALIGNMENT },
        { AT_OPTIONAL + 24, 8, 0x1000, PE_BAD_IMAGE_BASE },
        { AT_OPTIONAL + 24, 8, 0 - (uint64_t)0x10000, PE_OK },
        { AT_OPTIONAL + 56, 4, 0, PE_BAD_IMAGE_SIZE },
        { AT_OPTIONAL + 56, 4, IMAGE_SIZE + 1, PE_BAD_IMAGE_SIZE },
        { AT_OPTIONAL + 60, 4, 0x187, PE_BAD_IMAGE_SIZE },
        { AT_OPTIONAL + 60, 4, IMAGE_FILE_SIZE + 1, PE_TRUNCATED },
        { AT_OPTIONAL + 60, 4, UINT32_MAX, PE_TRUNCATED },
    };
    check_defects(defects, sizeof defects / sizeof defects[0]);
}

static void defects_of_sections_and_directories(void **state)
{
    (void)state;
    static const struct defect defects[] = {
        { AT_OPTIONAL + 56, 4, 0x6000, PE_BAD_DIRECTORY },
        { AT_SECTION(1) + 12, 4, RVA_DATA + 1, PE_BAD_SECTION_ADDRESS },
        { AT_SECTION(4) + 12, 4, IMAGE_SIZE, PE_BAD_SECTION_ADDRESS },
        { AT_SECTION(4) + 12, 4, 0xFFFFF000, PE_BAD_SECTION_ADDRESS },
        { AT_SECTION(4) + 8, 4, 0x1001, PE_BAD_SECTION_ADDRESS },
        { AT_SECTION(4) + 8, 4, UINT32_MAX, PE_BAD_SECTION_ADDRESS },
        { AT_SECTION(4) + 8, 4, 0x1000, PE_OK },
        { AT_SECTION(0) + 12, 4, 0, PE_SECTION_OVERLAP },
        { AT_SECTION(0) + 8, 4, 0x1001, PE_SECTION_OVERLAP },
        { AT_SECTION(0) + 8, 4, 0x1000, PE_OK },
        { AT_SECTION(1) + 12, 4, RVA_TEXT, PE_SECTION_OVERLAP },
        { AT_SECTION(1) + 12, 4, 0x3000, PE_SECTION_OVERLAP },
        { AT_SECTION(4) + 20, 4, FILE_RELOCS + 0x200, PE_BAD_SECTION_DATA },
        { AT_SECTION(4) + 20, 4, FILE_RELOCS + 1, PE_BAD_SECTION_DATA },
        { AT_SECTION(4) + 20, 4, 0xFFFFFE00, PE_BAD_SECTION_DATA },
        { AT_SECTION(4) + 16, 4, 0x201, PE_BAD_SECTION_DATA },
        { AT_SECTION(4) + 16, 4, UINT32_MAX, PE_BAD_SECTION_DATA },
        { AT_DIRECTORIES, 4, IMAGE_SIZE - 0xFF, PE_BAD_DIRECTORY },
        { AT_DIRECTORIES, 4, IMAGE_SIZE - 0x100, PE_OK },
        { AT_DIRECTORIES + 4, 4, UINT32_MAX, PE_BAD_DIRECTORY },
        { AT_DIRECTORIES + 8 * 15, 8, UINT64_MAX, PE_BAD_DIRECTORY },
        { AT_DIRECTORIES + 8 * 4, 8, UINT64_MAX, PE_OK }, /* certificates */
        { AT_OPTIONAL + 16, 4, 0, PE_OK },
        { AT_OPTIONAL + 16, 4, RVA_TEXT + 0x1F, PE_OK },
        { AT_OPTIONAL + 16, 4, RVA_TEXT + 0x20, PE_BAD_ENTRY_POINT },
        { AT_OPTIONAL + 16, 4, RVA_DATA, PE_BAD_ENTRY_POINT },
        { AT_OPTIONAL + 16, 4, 0x100, PE_BAD_ENTRY_POINT },
        { AT_OPTIONAL + 16, 4, UINT32_MAX, PE_BAD_ENTRY_POINT },
    };
    check_defects(defects, sizeof defects / sizeof defects[0]);
}

/* A header that claims to be short, at the very end of the file. */
static void optional_header_at_the_end(void **state)
{
    (void)state;
    for (uint16_t size = 0; size < 112; size++) {
        uint8_t *exact = malloc(AT_OPTIONAL + size);
        set16(file + AT_COFF + 16, size);
        memcpy(exact, file, AT_OPTIONAL + size);
        assert_int_equal(pe_open(&image, exact, AT_OPTIONAL + size),
                         PE_BAD_OPTIONAL_HEADER);
        free(exact);
    }
}

static void image_that_wraps_round(void **state)
{
    (void)state;
    set32(file + AT_OPTIONAL + 56, 0x11000);
    set64(file + AT_OPTIONAL + 24, 0 - (uint64_t)0x10000);
    assert_int_equal(pe_open(&image, file, sizeof file), PE_BAD_IMAGE_BASE);
}

static void relocation_moves_pointers(void **state)
{
    (void)state;
    set64(file + FILE_DATA + 16, IMAGE_BASE); /* not listed */
    load();
    set64(memory + RVA_DATA + 0xFFC, 5);
    assert_int_equal(pe_relocate(&image, NEW_BASE), PE_OK);
    assert_int_equal(image.base, NEW_BASE);
    assert_int_equal(pe_entry_point(&image), NEW_BASE + RVA_TEXT);
    assert_int_equal(get64(memory + RVA_DATA), NEW_BASE + RVA_TEXT);
    assert_int_equal(get64(memory + RVA_DATA + 8), NEW_BASE + RVA_TEXT + 16);
    assert_int_equal(get64(memory + RVA_DATA + 16), IMAGE_BASE);
    assert_int_equal(get64(memory + RVA_DATA + 0xFFC),
                     NEW_BASE - IMAGE_BASE + 5);
    assert_int_equal(get64(memory + RVA_DATA + 0x1010), NEW_BASE - IMAGE_BASE);
    assert_int_equal(get64(memory + AT_OPTIONAL + 24), NEW_BASE);
    assert_int_equal(pe_relocate(&image, IMAGE_BASE), PE_OK);
    assert_int_equal(get64(memory + RVA_DATA), IMAGE_BASE + RVA_TEXT);
}

static void relocation_to_bad_bases(void **state)
{
    (void)state;
    load();
    assert_int_equal(pe_relocate(&image, NEW_BASE + 1), PE_BAD_BASE);
    assert_int_equal(pe_relocate(&image, 0 - (uint64_t)0x6000), PE_BAD_BASE);
    assert_int_equal(image.base, IMAGE_BASE);
}

static void relocations_stripped(void **state)
{
    (void)state;
    set16(file + AT_COFF + 18, 0x23);
    load();
    assert_int_equal(pe_relocate(&image, NEW_BASE), PE_RELOCS_STRIPPED);
    assert_int_equal(pe_relocate(&image, IMAGE_BASE), PE_OK);
}

static void relocations_not_needed(void **state)
{
    (void)state;
    set64(file + AT_DIRECTORIES + 8 * 5, 0);
    load();
    assert_int_equal(pe_relocate(&image, NEW_BASE), PE_OK);
    assert_int_equal(get64(memory + RVA_DATA), IMAGE_BASE + RVA_TEXT);
}

static void defects_of_relocations(void **state)
{
    (void)state;
    static const struct defect defects[] = {
        { FILE_RELOCS, 4, RVA_DATA + 4, PE_BAD_RELOCATION },
        { FILE_RELOCS, 4, 0, PE_BAD_RELOCATION }, /* the headers */
        { FILE_RELOCS, 4, IMAGE_SIZE, PE_BAD_RELOCATION },
        { FILE_RELOCS, 4, 0xFFFFF000, PE_BAD_RELOCATION },
        { FILE_RELOCS, 4, RVA_RELOCS, PE_BAD_RELOCATION },  /* itself */
        { FILE_RELOCS, 4, RVA_EXPORTS, PE_BAD_RELOCATION }, /* by its end */
        { FILE_RELOCS + 12, 2, 0xA000, PE_OK },
        { FILE_RELOCS + 4, 4, 0, PE_BAD_RELOCATION },
        { FILE_RELOCS + 4, 4, 7, PE_BAD_RELOCATION },
        { FILE_RELOCS + 4, 4, 14, PE_BAD_RELOCATION },
        { FILE_RELOCS + 4, 4, 0x20, PE_BAD_RELOCATION },
        { FILE_RELOCS + 4, 4, UINT32_MAX - 3, PE_BAD_RELOCATION },
        { AT_DIRECTORIES + 8 * 5 + 4, 4, 0x17, PE_BAD_RELOCATION },
        { FILE_RELOCS + 8, 2, 0x3000, PE_UNKNOWN_RELOCATION },
        { FILE_RELOCS + 8, 2, 0x0FFF, PE_OK }, /* ABSOLUTE */
    };
    for (size_t i = 0; i < sizeof defects / sizeof defects[0]; i++) {
        build_image(file);
        memcpy(file + defects[i].at, &defects[i].value, defects[i].size);
        load();
        assert_int_equal(pe_relocate(&image, NEW_BASE), defects[i].status);
    }
}

static void relocation_blocks_of_odd_shape(void **state)
{
    (void)state;
    load();
    set32(memory + RVA_RELOCS + 4, 14);
    image.directory[5].size = 14;
    assert_int_equal(pe_relocate(&image, NEW_BASE), PE_BAD_RELOCATION);
    load();
    image.directory[5].rva = IMAGE_SIZE - 2; /* no room for a block's header */
    image.directory[5].size = 2;
    assert_int_equal(pe_relocate(&image, NEW_BASE), PE_BAD_RELOCATION);
}

/* What the callbacks were asked for, as text. */
static struct {
    char asked[256];
    char missing[256];
    const char *absent; /* this symbol is not to be found */
} calls;

static void note(char *list, const struct pe_import *import)
{
    char text[64];
    if (import->name != NULL) {
        snprintf(text, sizeof text, "%s!%s ", import->dll, import->name);
    } else {
        snprintf(text, sizeof text, "%s!#%u ", import->dll, import->ordinal);
    }
    strncat(list, text, 255 - strlen(list));
}

static uint64_t resolve(void *context, const struct pe_import *import)
{
    assert_ptr_equal(context, &calls);
    note(calls.asked, import);
    if (calls.absent == NULL ||
        (import->name != NULL && strcmp(import->name, calls.absent) == 0)) {
        return calls.absent == NULL ? 0x1000 + strlen(calls.asked) : 0;
    }
    return 0x2000 + strlen(calls.asked);
}

static void missing(void *context, const struct pe_import *import)
{
    assert_ptr_equal(context, &calls);
    note(calls.missing, import);
}

static uint64_t resolve_nothing(void *context, const struct pe_import *import)
{
    (void)context;
    (void)import;
    return 0;
}

static enum pe_status bind(const char *absent)
{
    memset(&calls, 0, sizeof calls);
    calls.absent = absent;
    return pe_bind(&image, resolve, missing, &calls);
}

static void binding_fills_the_slots(void **state)
{
    (void)state;
    load();
    assert_int_equal(bind(NULL), PE_OK);
    assert_string_equal(calls.asked, "one.dll!Alpha one.dll!Beta one.dll!#7 "
                                     "two.dll!Gamma ");
    assert_string_equal(calls.missing, "");
    assert_int_equal(get64(memory + SLOTS_ONE), 0x1000 + 14);
    assert_int_equal(get64(memory + SLOTS_ONE + 8), 0x1000 + 27);
    assert_int_equal(get64(memory + SLOTS_ONE + 16), 0x1000 + 38);
    assert_int_equal(get64(memory + SLOTS_ONE + 24), 0);
    assert_int_equal(get64(memory + SLOTS_TWO), 0x1000 + 52);
}

static void binding_reports_all_that_is_missing(void **state)
{
    (void)state;
    load();
    assert_int_equal(bind("Beta"), PE_MISSING_IMPORT);
    assert_string_equal(calls.missing, "one.dll!Beta ");
    load();
    memset(&calls, 0, sizeof calls);
    assert_int_equal(pe_bind(&image, resolve_nothing, missing, &calls),
                     PE_MISSING_IMPORT);
    assert_string_equal(calls.missing, "one.dll!Alpha one.dll!Beta one.dll!#7 "
                                       "two.dll!Gamma ");
}

static void binding_without_imports(void **state)
{
    (void)state;
    set64(file + AT_DIRECTORIES + 8, 0);
    load();
    assert_int_equal(bind(NULL), PE_OK);
    assert_string_equal(calls.asked, "");
}

static void defects_of_imports(void **state)
{
    (void)state;
    static const struct defect defects[] = {
        { FILE_IMPORTS + 12, 4, IMAGE_SIZE, PE_BAD_IMPORT },
        { FILE_IMPORTS + 12, 4, UINT32_MAX, PE_BAD_IMPORT },
        { FILE_IMPORTS + 12, 4, RVA_IMPORTS + 0x170, PE_BAD_IMPORT }, /* "" */
        { FILE_IMPORTS + 12, 4, 0, PE_OK }, /* the end of the table */
        { FILE_IMPORTS, 4, IMAGE_SIZE - 7, PE_BAD_IMPORT },
        { FILE_IMPORTS, 4, 0xFFFFFFF8, PE_BAD_IMPORT },
        { FILE_IMPORTS, 4, 0, PE_OK }, /* the slots hold the names too */
        { FILE_IMPORTS + 16, 4, IMAGE_SIZE - 8, PE_BAD_IMPORT },
        { FILE_IMPORTS + 16, 4, 0x100, PE_BAD_IMPORT }, /* in the headers */
        { FILE_IMPORTS + 0x60, 8, IMAGE_SIZE - 2, PE_BAD_IMPORT },
        { FILE_IMPORTS + 0x60, 8, 0x80000000, PE_BAD_IMPORT },
        { FILE_IMPORTS + 0x60, 8, 0x8000000000010000, PE_BAD_IMPORT },
        { FILE_IMPORTS + 0x60, 8, 0x800000000000FFFF, PE_OK },
        { AT_DIRECTORIES + 8, 4, IMAGE_SIZE - 60, PE_OK }, /* all zero */
    };
    for (size_t i = 0; i < sizeof defects / sizeof defects[0]; i++) {
        build_image(file);
        memcpy(file + defects[i].at, &defects[i].value, defects[i].size);
        load();
        assert_int_equal(bind(NULL), defects[i].status);
    }
}

static void strings_must_end_in_the_image(void **state)
{
    (void)state;
    load();
    memset(memory + RVA_RELOCS, 'x', 0x1000);
    set32(memory + RVA_IMPORTS + 12, RVA_RELOCS + 0x10);
    assert_int_equal(bind(NULL), PE_BAD_IMPORT);
    memory[IMAGE_SIZE - 1] = 0;
    set32(memory + RVA_IMPORTS + 12, IMAGE_SIZE - 10);
    assert_int_equal(bind(NULL), PE_OK);
    assert_non_null(strstr(calls.asked, "xxxxxxxxx!Alpha "));
    /* One byte more than a name may have. */
    load();
    memset(memory + RVA_RELOCS - 1, 'x', PE_MAX_NAME);
    set32(memory + RVA_IMPORTS + 12, RVA_RELOCS - 1);
    assert_int_equal(bind(NULL), PE_BAD_IMPORT);
    load();
    memset(memory + RVA_RELOCS, 'x', PE_MAX_NAME - 1);
    set32(memory + RVA_IMPORTS + 12, RVA_RELOCS);
    assert_int_equal(bind(NULL), PE_OK);
}

static void import_table_without_end(void **state)
{
    (void)state;
    load();
    set64(memory + AT_DIRECTORIES + 8, 0);
    image.directory[1].rva = IMAGE_SIZE - 19;
    assert_int_equal(bind(NULL), PE_BAD_IMPORT);
    image.directory[1].rva = RVA_DATA;
    for (uint32_t at = RVA_DATA; at < RVA_IMPORTS - 20; at += 20) {
        memcpy(memory + at, memory + RVA_IMPORTS, 20);
    }
    assert_int_equal(bind(NULL), PE_TOO_MANY_IMPORTS);
}

/* Few descriptors and one lookup table can ask for a great many imports. */
static void too_many_imports_altogether(void **state)
{
    (void)state;
    load();
    for (unsigned i = 0; i < 511; i++) {
        set64(memory + RVA_DATA + 8 * i, (uint64_t)1 << 63 | i);
    }
    set64(memory + RVA_DATA + 8 * 511, 0);
    image.directory[1].rva = RVA_DATA + 0x1000;
    for (unsigned i = 0; i < 200; i++) {
        uint8_t *descriptor = memory + RVA_DATA + 0x1000 + 20 * i;
        set32(descriptor, RVA_DATA);
        set32(descriptor + 12, RVA_IMPORTS + 0xC0);
        set32(descriptor + 16, RVA_EXPORTS);
    }
    assert_int_equal(bind(NULL), PE_TOO_MANY_IMPORTS);
    set32(memory + RVA_DATA + 0x1000 + 20 * 128 + 12, 0);
    assert_int_equal(bind(NULL), PE_OK); /* 128 times 511 */
}

static void exports_by_name_and_ordinal(void **state)
{
    (void)state;
    uint64_t address = 1;
    load();
    assert_int_equal(pe_export(&image, "Alpha", &address), PE_OK);
    assert_int_equal(address, IMAGE_BASE + RVA_TEXT);
    assert_int_equal(pe_relocate(&image, NEW_BASE), PE_OK);
    assert_int_equal(pe_export(&image, "Zeta", &address), PE_OK);
    assert_int_equal(address, NEW_BASE + RVA_TEXT + 16);
    assert_int_equal(pe_export_ordinal(&image, 5, &address), PE_OK);
    assert_int_equal(address, NEW_BASE + RVA_TEXT);
    assert_int_equal(pe_export_ordinal(&image, 8, &address), PE_OK);
    assert_int_equal(address, NEW_BASE + RVA_TEXT + 16);
}

static void ordinals_below_the_first(void **state)
{
    (void)state;
    uint64_t address = 1;
    set32(file + FILE_EXPORTS + 16, UINT32_MAX - 2);
    load();
    assert_int_equal(pe_export_ordinal(&image, UINT32_MAX, &address),
                     PE_EXPORT_FORWARDED);
    assert_int_equal(pe_export_ordinal(&image, 0, &address),
                     PE_EXPORT_NOT_FOUND);
    assert_int_equal(address, 1);
}

static void exports_that_are_none(void **state)
{
    (void)state;
    static const char *const names[] = { "", "Alph", "Alphab", "Zzz", "alpha" };
    static const uint32_t ordinals[] = { 0, 4, 6, 9, UINT32_MAX };
    uint64_t address = 1;
    load();
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(pe_export(&image, names[i], &address),
                         PE_EXPORT_NOT_FOUND);
        assert_int_equal(pe_export_ordinal(&image, ordinals[i], &address),
                         PE_EXPORT_NOT_FOUND);
    }
    assert_int_equal(pe_export(&image, "Beta", &address), PE_EXPORT_FORWARDED);
    assert_int_equal(pe_export_ordinal(&image, 7, &address),
                     PE_EXPORT_FORWARDED);
    assert_string_equal(pe_forwarder(&image, "Beta"), "two.Gamma");
    assert_null(pe_forwarder(&image, "Alpha"));
    assert_null(pe_forwarder(&image, "Nothing"));
    assert_int_equal(address, 1);
    set64(file + AT_DIRECTORIES, 0);
    load();
    assert_int_equal(pe_export(&image, "Alpha", &address), PE_NO_EXPORTS);
}

static void defects_of_exports(void **state)
{
    (void)state;
    static const struct defect defects[] = {
        { AT_DIRECTORIES + 4, 4, 39, PE_BAD_EXPORT },
        { FILE_EXPORTS + 20, 4, UINT32_MAX, PE_BAD_EXPORT },
        { FILE_EXPORTS + 20, 4, 0x40000004, PE_BAD_EXPORT }, /* times 4: 16 */
        { FILE_EXPORTS + 24, 4, UINT32_MAX, PE_BAD_EXPORT },
        { FILE_EXPORTS + 24, 4, 0x40000003, PE_BAD_EXPORT }, /* times 4: 12 */
        { FILE_EXPORTS + 28, 4, IMAGE_SIZE - 15, PE_BAD_EXPORT },
        { FILE_EXPORTS + 32, 4, IMAGE_SIZE - 11, PE_BAD_EXPORT },
        { FILE_EXPORTS + 36, 4, IMAGE_SIZE - 5, PE_BAD_EXPORT },
        { FILE_EXPORTS + 0x64, 4, IMAGE_SIZE, PE_BAD_EXPORT }, /* the middle */
        { FILE_EXPORTS + 0x80, 2, 4, PE_EXPORT_NOT_FOUND },
        { FILE_EXPORTS + 0x40, 4, IMAGE_SIZE, PE_BAD_EXPORT },
        { FILE_EXPORTS + 0x40, 4, 0, PE_EXPORT_NOT_FOUND },
    };
    for (size_t i = 0; i < sizeof defects / sizeof defects[0]; i++) {
        uint64_t address = 1;
        build_image(file);
        memcpy(file + defects[i].at, &defects[i].value, defects[i].size);
        load();
        assert_int_equal(pe_export(&image, "Alpha", &address),
                         defects[i].status);
        assert_int_equal(address, 1);
    }
}

static void adopting_a_mapped_image(void **state)
{
    (void)state;
    struct pe_image adopted;
    uint64_t address;
    load();
    assert_int_equal(pe_relocate(&image, NEW_BASE), PE_OK);
    assert_int_equal(pe_adopt(&adopted, memory, sizeof memory, NEW_BASE),
                     PE_OK);
    assert_int_equal(pe_export(&adopted, "Zeta", &address), PE_OK);
    assert_int_equal(address, NEW_BASE + RVA_TEXT + 16);
    assert_int_equal(
        pe_adopt(&adopted, memory, sizeof memory - 1, NEW_BASE),
        PE_BAD_IMAGE_SIZE);
    assert_int_equal(pe_adopt(&adopted, memory, sizeof memory, 1), PE_BAD_BASE);
    assert_int_equal(adopted.size_of_image, 0);
}

static void every_status_is_explained(void **state)
{
    (void)state;
    for (int i = PE_OK; i <= PE_EXPORT_FORWARDED; i++) {
        assert_non_null(pe_explain((enum pe_status)i));
        assert_string_not_equal(pe_explain((enum pe_status)i),
                                pe_explain((enum pe_status)-1));
    }
}

#define CASE(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        CASE(headers_of_a_valid_image),
        CASE(sections_and_their_protection),
        CASE(map_copies_and_clears),
        CASE(section_size_from_the_file),
        CASE(section_without_bytes_in_the_file),
        CASE(long_section_names_and_debug_data),
        CASE(defects_of_the_headers),
        CASE(defects_of_sections_and_directories),
        CASE(optional_header_at_the_end),
        CASE(image_that_wraps_round),
        CASE(relocation_moves_pointers),
        CASE(relocation_to_bad_bases),
        CASE(relocations_stripped),
        CASE(relocations_not_needed),
        CASE(defects_of_relocations),
        CASE(relocation_blocks_of_odd_shape),
        CASE(binding_fills_the_slots),
        CASE(binding_reports_all_that_is_missing),
        CASE(binding_without_imports),
        CASE(defects_of_imports),
        CASE(strings_must_end_in_the_image),
        CASE(import_table_without_end),
        CASE(too_many_imports_altogether),
        CASE(exports_by_name_and_ordinal),
        CASE(ordinals_below_the_first),
        CASE(exports_that_are_none),
        CASE(defects_of_exports),
        CASE(adopting_a_mapped_image),
        CASE(every_status_is_explained),
    };
    return RUN_TESTS(tests);
}
