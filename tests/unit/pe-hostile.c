/* SPDX-License-Identifier: MIT */
/*
 * The PE loader core against broken files: every length cut short, random damage
 * to the file and, after loading, to the image in memory. The arguments are
 * further image files to damage, made by a real linker.
 */
#include "pe-image.h"

#include "ldr/pe.h"

#define LARGEST_IMAGE (1u << 20) /* larger claims are opened, not mapped */
#define NEW_BASE 0xFFFFF80012340000u
#define CASES 60000

static struct {
    uint8_t *bytes;
    size_t size;
} files[8];
static unsigned file_count;
static unsigned mapped;

static uint64_t resolve(void *context, const struct pe_import *import)
{
    size_t *sum = context;
    *sum += strlen(import->dll);
    *sum += import->name == NULL ? import->ordinal : strlen(import->name);
    return *sum % 5 == 0 ? 0 : *sum;
}

static void missing(void *context, const struct pe_import *import)
{
    size_t *sum = context;
    *sum += strlen(import->dll);
}

static void look_up(const struct pe_image *image)
{
    static const char *const names[] = { "Alpha", "Beta", "Zeta", "", "M" };
    struct pe_section section;
    uint64_t address = 0;
    for (unsigned i = 0; i < 5; i++) {
        const char *target = pe_forwarder(image, names[i]);
        if (target != NULL) {
            assert_true(strlen(target) < PE_MAX_NAME);
        }
        if (pe_export(image, names[i], &address) == PE_OK) {
            assert_true(address - image->base < image->size_of_image);
        }
        pe_export_ordinal(image, i + 4, &address);
    }
    for (unsigned i = 0; pe_section(image, i, &section); i++) {
        assert_true(section.size <= image->size_of_image - section.rva);
        /* Every byte that would become accessible is the image's. */
        address += section.size == 0 ? 0 : image->memory[section.rva];
        address += section.size == 0
                       ? 0
                       : image->memory[section.rva + section.size - 1];
    }
}

static void use(struct pe_image *image)
{
    size_t sum = 0;
    pe_relocate(image, NEW_BASE);
    pe_bind(image, resolve, missing, &sum);
    look_up(image);
}

/* Damages the headers of an image that is already in memory, and goes on. */
static void use_damaged(struct pe_image *image, uint64_t *seed)
{
    for (unsigned i = 0; i < 16; i++) {
        uint64_t limit = i % 2 == 0 ? image->size_of_image
                                    : image->size_of_headers;
        image->memory[random_below(seed, limit)] = (uint8_t)random64(seed);
    }
    use(image);
}

static enum pe_status load(const uint8_t *file, size_t size, uint64_t *seed)
{
    struct pe_image image;
    struct pe_image adopted;
    enum pe_status status = pe_open(&image, file, size);
    pe_require_native(&image);
    if (status != PE_OK || image.size_of_image > LARGEST_IMAGE) {
        return status;
    }
    void *memory = malloc(image.size_of_image);
    size_t memory_size = image.size_of_image;
    pe_map(&image, memory);
    use(&image);
    use_damaged(&image, seed);
    if (pe_adopt(&adopted, memory, memory_size, NEW_BASE) == PE_OK) {
        use(&adopted);
    }
    free(memory);
    mapped++;
    return status;
}

static void every_length(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (unsigned f = 0; f < file_count; f++) {
        /* The headers byte by byte, the rest in steps no structure shares. */
        for (size_t size = 0; size < files[f].size;
             size += size < 0x1000 ? 1 : 61) {
            uint8_t *exact = malloc(size);
            memcpy(exact, files[f].bytes, size);
            enum pe_status status = load(exact, size, &seed);
            free(exact);
            assert_true(f > 0 || status == PE_TRUNCATED ||
                        status == PE_BAD_SECTION_DATA);
        }
    }
}

static void damage(uint8_t *file, size_t size, uint64_t *seed)
{
    unsigned count = 1 + (unsigned)random_below(seed, 6);
    for (unsigned i = 0; i < count; i++) {
        size_t limit = random_below(seed, 2) == 0 ? 0x400 : size;
        size_t at = random_below(seed, limit < size ? limit : size);
        switch (random_below(seed, 4)) {
        case 0:
            file[at] ^= (uint8_t)(1u << random_below(seed, 8));
            break;
        case 1:
            file[at] = 0xFF;
            break;
        case 2:
            file[at] = 0;
            break;
        default:
            file[at] = (uint8_t)random64(seed);
            break;
        }
    }
}

static void random_damage(void **state)
{
    (void)state;
    unsigned seen[PE_EXPORT_FORWARDED + 1] = { 0 };
    unsigned kinds = 0;
    mapped = 0;
    for (unsigned i = 0; i < CASES; i++) {
        uint64_t seed = i + 1;
        /* The small image gets most of the cases. */
        unsigned f = i % 10 == 0 ? (i / 10) % file_count : 0;
        uint8_t *exact = malloc(files[f].size);
        memcpy(exact, files[f].bytes, files[f].size);
        damage(exact, files[f].size, &seed);
        seen[load(exact, files[f].size, &seed)]++;
        free(exact);
    }
    for (int i = 0; i <= PE_EXPORT_FORWARDED; i++) {
        kinds += seen[i] != 0;
    }
    print_message("# %u damaged files of %u kinds, %u loaded all the same, "
                  "%u ways to refuse\n", CASES, file_count, mapped, kinds - 1);
    assert_true(mapped > CASES / 10 && kinds > 10);
}

/* Structures inside the image: damage where imports, exports and fix-ups are. */
static void random_damage_to_tables(void **state)
{
    (void)state;
    for (unsigned i = 0; i < CASES; i++) {
        static const uint32_t places[] = { FILE_IMPORTS, FILE_EXPORTS,
                                           FILE_RELOCS };
        uint64_t seed = i + 1000001;
        uint8_t file[IMAGE_FILE_SIZE];
        build_image(file);
        for (unsigned k = 0; k < 3; k++) {
            uint32_t at = places[random_below(&seed, 3)] +
                          4 * (uint32_t)random_below(&seed, 0x48);
            set32(file + at, random_below(&seed, 4) == 0
                                 ? (uint32_t)random64(&seed)
                                 : (uint32_t)random_below(&seed, IMAGE_SIZE));
        }
        assert_int_equal(load(file, sizeof file, &seed), PE_OK);
    }
}

static void add_file(const char *path)
{
    FILE *stream = fopen(path, "rb");
    if (stream == NULL || file_count == 8) {
        perror(path);
        exit(1);
    }
    fseek(stream, 0, SEEK_END);
    files[file_count].size = (size_t)ftell(stream);
    files[file_count].bytes = malloc(files[file_count].size);
    rewind(stream);
    if (fread(files[file_count].bytes, 1, files[file_count].size, stream) !=
        files[file_count].size) {
        perror(path);
        exit(1);
    }
    fclose(stream);
    file_count++;
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length),
        cmocka_unit_test(random_damage),
        cmocka_unit_test(random_damage_to_tables),
    };
    files[0].bytes = malloc(IMAGE_FILE_SIZE);
    files[0].size = IMAGE_FILE_SIZE;
    file_count = 1;
    build_image(files[0].bytes);
    for (int i = 1; i < argc; i++) {
        add_file(argv[i]);
    }
    int failed = RUN_TESTS(tests);
    while (file_count > 0) {
        free(files[--file_count].bytes);
    }
    return failed;
}
