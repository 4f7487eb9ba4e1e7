/* SPDX-License-Identifier: MIT */
/*
 * PE32+ loader core: headers, sections and relocations. Imports and exports are
 * in pe_names.c. Section numbers refer to the Microsoft PE format specification.
 */
#include "pe.h"

#include <string.h>

#include "../include/bytes.h"
#include "pe_internal.h"

/* A run of bytes that holds the headers: the file, or the mapped image. */
struct source {
    const uint8_t *bytes;
    uint64_t size;
    bool mapped;
};

/* Offsets in the DOS header and in the COFF file header ("COFF File Header"). */
#define DOS_HEADER_SIZE 64u
#define DOS_NEW_HEADER 0x3Cu
#define COFF_MACHINE 0u
#define COFF_SECTION_COUNT 2u
#define COFF_OPTIONAL_SIZE 16u
#define COFF_CHARACTERISTICS 18u
#define COFF_SIZE 20u
#define MACHINE_AMD64 0x8664u

/* Offsets in the PE32+ optional header ("Optional Header"). */
#define OPT_MAGIC 0u
#define OPT_ENTRY 16u
#define OPT_IMAGE_BASE 24u
#define OPT_SECTION_ALIGNMENT 32u
#define OPT_FILE_ALIGNMENT 36u
#define OPT_SIZE_OF_IMAGE 56u
#define OPT_SIZE_OF_HEADERS 60u
#define OPT_SUBSYSTEM 68u
#define OPT_DLL_CHARACTERISTICS 70u
#define OPT_DIRECTORY_COUNT 108u
#define OPT_DIRECTORIES 112u
#define PE32PLUS_MAGIC 0x20Bu
#define IMAGE_BASE_ALIGNMENT 0x10000u

/* Offsets in a section header ("Section Table"). */
#define SECTION_VIRTUAL_SIZE 8u
#define SECTION_ADDRESS 12u
#define SECTION_RAW_SIZE 16u
#define SECTION_RAW_OFFSET 20u
#define SECTION_FLAGS 36u
#define SECTION_HEADER_SIZE 40u

#define FLAG_DISCARDABLE 0x02000000u
#define FLAG_EXECUTE 0x20000000u
#define FLAG_READ 0x40000000u
#define FLAG_WRITE 0x80000000u

#define FILE_RELOCS_STRIPPED 0x0001u
#define FILE_EXECUTABLE 0x0002u

#define SUBSYSTEM_NATIVE 1u

/* The attribute certificates are named by file offset and are never mapped. */
#define DIRECTORY_CERTIFICATES 4u
#define DIRECTORY_RELOCATIONS 5u

#define BLOCK_HEADER_SIZE 8u
#define RELOCATION_ABSOLUTE 0u
#define RELOCATION_DIR64 10u

static bool is_power_of_two(uint32_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/* Finds the COFF header; *coff is its offset, with COFF_SIZE bytes behind it. */
static enum pe_status find_coff_header(const struct source *source,
                                       uint64_t *coff)
{
    if (source->size < 2) {
        return PE_TRUNCATED;
    }
    if (memcmp(source->bytes, "MZ", 2) != 0) {
        return PE_NOT_DOS;
    }
    if (source->size < DOS_HEADER_SIZE) {
        return PE_TRUNCATED;
    }
    uint64_t at = read32(source->bytes + DOS_NEW_HEADER);
    if (at + 4 + COFF_SIZE > source->size) {
        return PE_TRUNCATED;
    }
    if (memcmp(source->bytes + at, "PE\0\0", 4) != 0) {
        return PE_NOT_PE;
    }
    *coff = at + 4;
    return PE_OK;
}

static enum pe_status read_coff_header(struct pe_image *image,
                                       const struct source *source)
{
    uint64_t at;
    enum pe_status status = find_coff_header(source, &at);
    if (status != PE_OK) {
        return status;
    }
    const uint8_t *coff = source->bytes + at;
    if (read16(coff + COFF_MACHINE) != MACHINE_AMD64) {
        return PE_WRONG_MACHINE;
    }
    image->characteristics = read16(coff + COFF_CHARACTERISTICS);
    if ((image->characteristics & FILE_EXECUTABLE) == 0) {
        return PE_NOT_IMAGE;
    }
    uint32_t optional_size = read16(coff + COFF_OPTIONAL_SIZE);
    uint64_t optional = at + COFF_SIZE;
    if (optional + optional_size > source->size) {
        return PE_TRUNCATED;
    }
    if (optional_size < 2) {
        return PE_BAD_OPTIONAL_HEADER;
    }
    if (read16(source->bytes + optional + OPT_MAGIC) != PE32PLUS_MAGIC) {
        return PE_NOT_PE32PLUS;
    }
    if (optional_size < OPT_DIRECTORIES ||
        optional + optional_size > UINT32_MAX) {
        return PE_BAD_OPTIONAL_HEADER;
    }
    image->optional_header = (uint32_t)optional;
    image->section_table = (uint32_t)(optional + optional_size);
    image->section_count = read16(coff + COFF_SECTION_COUNT);
    return PE_OK;
}

static enum pe_status check_sizes(const struct pe_image *image,
                                  const struct source *source,
                                  uint32_t section_alignment)
{
    uint64_t table_end = image->section_table +
                         (uint64_t)image->section_count * SECTION_HEADER_SIZE;
    if (image->section_count == 0 || image->section_count > PE_MAX_SECTIONS) {
        return PE_BAD_SECTION_COUNT;
    }
    if (table_end > source->size || image->size_of_headers > source->size) {
        return PE_TRUNCATED;
    }
    if (table_end > image->size_of_headers || image->size_of_image == 0 ||
        image->size_of_image % section_alignment != 0 ||
        image->size_of_headers > image->size_of_image ||
        (source->mapped && image->size_of_image > source->size)) {
        return PE_BAD_IMAGE_SIZE;
    }
    /* Of a mapped image the field says where it was relocated to. */
    if (!source->mapped &&
        (image->base % IMAGE_BASE_ALIGNMENT != 0 ||
         image->base > UINT64_MAX - image->size_of_image)) {
        return PE_BAD_IMAGE_BASE;
    }
    return PE_OK;
}

static enum pe_status read_optional_header(struct pe_image *image,
                                           const struct source *source)
{
    const uint8_t *optional = source->bytes + image->optional_header;
    uint32_t section_alignment = read32(optional + OPT_SECTION_ALIGNMENT);
    uint32_t file_alignment = read32(optional + OPT_FILE_ALIGNMENT);
    image->entry_rva = read32(optional + OPT_ENTRY);
    image->base = read64(optional + OPT_IMAGE_BASE);
    image->size_of_image = read32(optional + OPT_SIZE_OF_IMAGE);
    image->size_of_headers = read32(optional + OPT_SIZE_OF_HEADERS);
    image->subsystem = read16(optional + OPT_SUBSYSTEM);
    image->dll_characteristics = read16(optional + OPT_DLL_CHARACTERISTICS);
    if (!is_power_of_two(section_alignment) ||
        !is_power_of_two(file_alignment) || section_alignment < PE_PAGE_SIZE ||
        file_alignment > section_alignment) {
        return PE_BAD_ALIGNMENT;
    }
    return check_sizes(image, source, section_alignment);
}

static enum pe_status read_directories(struct pe_image *image,
                                       const struct source *source)
{
    const uint8_t *optional = source->bytes + image->optional_header;
    uint32_t count = read32(optional + OPT_DIRECTORY_COUNT);
    uint32_t room = image->section_table - image->optional_header;
    if (count > PE_DIRECTORIES || OPT_DIRECTORIES + count * 8 > room) {
        return PE_BAD_OPTIONAL_HEADER;
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *entry = optional + OPT_DIRECTORIES + i * 8;
        struct pe_directory directory = { read32(entry),
                                          read32(entry + 4) };
        if (i == DIRECTORY_CERTIFICATES || directory.rva == 0 ||
            directory.size == 0) {
            continue;
        }
        if (!pe_inside(image, directory.rva, directory.size)) {
            return PE_BAD_DIRECTORY;
        }
        image->directory[i] = directory;
    }
    return PE_OK;
}

static const uint8_t *section_header(const struct pe_image *image,
                                     unsigned index)
{
    const uint8_t *bytes = image->memory ? image->memory : image->file;
    return bytes + image->section_table + index * SECTION_HEADER_SIZE;
}

/* Windows takes the size in the file for a section whose VirtualSize is 0. */
static uint32_t section_size(const uint8_t *header)
{
    uint32_t size = read32(header + SECTION_VIRTUAL_SIZE);
    return size != 0 ? size : read32(header + SECTION_RAW_SIZE);
}

/* *end is the end of the section before, and becomes that of this one. */
static enum pe_status check_section(const struct pe_image *image,
                                    const struct source *source,
                                    unsigned index, uint64_t *end)
{
    const uint8_t *optional = source->bytes + image->optional_header;
    const uint8_t *header = source->bytes + image->section_table +
                            index * SECTION_HEADER_SIZE;
    uint32_t rva = read32(header + SECTION_ADDRESS);
    uint32_t raw_size = read32(header + SECTION_RAW_SIZE);
    uint32_t raw_offset = read32(header + SECTION_RAW_OFFSET);
    if (rva % read32(optional + OPT_SECTION_ALIGNMENT) != 0 ||
        !pe_inside(image, rva, section_size(header))) {
        return PE_BAD_SECTION_ADDRESS;
    }
    if (rva < *end) {
        return PE_SECTION_OVERLAP;
    }
    *end = (uint64_t)rva + section_size(header);
    if (!source->mapped && raw_size != 0 &&
        (raw_offset % read32(optional + OPT_FILE_ALIGNMENT) != 0 ||
         (uint64_t)raw_offset + raw_size > source->size)) {
        return PE_BAD_SECTION_DATA;
    }
    return PE_OK;
}

static enum pe_status check_sections(const struct pe_image *image,
                                     const struct source *source)
{
    uint64_t end = image->size_of_headers;
    for (unsigned i = 0; i < image->section_count; i++) {
        enum pe_status status = check_section(image, source, i, &end);
        if (status != PE_OK) {
            return status;
        }
    }
    return PE_OK;
}

static enum pe_status check_entry_point(const struct pe_image *image)
{
    struct pe_section section;
    if (image->entry_rva == 0) {
        return PE_OK;
    }
    for (unsigned i = 0; pe_section(image, i, &section); i++) {
        if (section.executable && image->entry_rva >= section.rva &&
            image->entry_rva - section.rva < section.size) {
            return PE_OK;
        }
    }
    return PE_BAD_ENTRY_POINT;
}

static enum pe_status read_headers(struct pe_image *image,
                                   const struct source *source)
{
    enum pe_status status = read_coff_header(image, source);
    if (status == PE_OK) {
        status = read_optional_header(image, source);
    }
    if (status == PE_OK) {
        status = read_directories(image, source);
    }
    if (status == PE_OK) {
        status = check_sections(image, source);
    }
    if (status == PE_OK) {
        status = check_entry_point(image);
    }
    if (status != PE_OK) {
        memset(image, 0, sizeof *image);
    }
    return status;
}

enum pe_status pe_open(struct pe_image *image, const void *file, size_t size)
{
    struct source source = { file, size, false };
    memset(image, 0, sizeof *image);
    image->file = file;
    image->file_size = size;
    return read_headers(image, &source);
}

enum pe_status pe_adopt(struct pe_image *image, void *memory, size_t size,
                        uint64_t base)
{
    struct source source = { memory, size, true };
    memset(image, 0, sizeof *image);
    image->memory = memory;
    enum pe_status status = read_headers(image, &source);
    if (status != PE_OK) {
        return status;
    }
    if (base % PE_PAGE_SIZE != 0 || base > UINT64_MAX - image->size_of_image) {
        memset(image, 0, sizeof *image);
        return PE_BAD_BASE;
    }
    image->base = base;
    return PE_OK;
}

enum pe_status pe_require_native(const struct pe_image *image)
{
    return image->subsystem == SUBSYSTEM_NATIVE ? PE_OK : PE_WRONG_SUBSYSTEM;
}

void pe_map(struct pe_image *image, void *memory)
{
    uint8_t *bytes = memory;
    memset(bytes, 0, image->size_of_image);
    memcpy(bytes, image->file, image->size_of_headers);
    for (unsigned i = 0; i < image->section_count; i++) {
        const uint8_t *header = section_header(image, i);
        uint32_t size = read32(header + SECTION_RAW_SIZE);
        if (size > section_size(header)) {
            size = section_size(header);
        }
        if (size != 0) {
            memcpy(bytes + read32(header + SECTION_ADDRESS),
                   image->file + read32(header + SECTION_RAW_OFFSET), size);
        }
    }
    image->memory = bytes;
    image->file = NULL;
    image->file_size = 0;
}

bool pe_section(const struct pe_image *image, unsigned index,
                struct pe_section *section)
{
    if (index >= image->section_count) {
        return false;
    }
    const uint8_t *header = section_header(image, index);
    uint32_t flags = read32(header + SECTION_FLAGS);
    memset(section, 0, sizeof *section);
    memcpy(section->name, header, sizeof section->name - 1);
    section->rva = read32(header + SECTION_ADDRESS);
    section->size = section_size(header);
    section->readable = (flags & FLAG_READ) != 0;
    section->writable = (flags & FLAG_WRITE) != 0;
    section->executable = (flags & FLAG_EXECUTE) != 0;
    section->discardable = (flags & FLAG_DISCARDABLE) != 0;
    /* The image may have overwritten its headers since they were validated. */
    return pe_inside(image, section->rva, section->size);
}

uint64_t pe_entry_point(const struct pe_image *image)
{
    return image->entry_rva == 0 ? 0 : image->base + image->entry_rva;
}

/* A fix-up must not rewrite those that come after it. */
static bool hits_relocations(const struct pe_image *image, uint64_t at)
{
    struct pe_directory table = image->directory[DIRECTORY_RELOCATIONS];
    return at + 8 > table.rva && at < (uint64_t)table.rva + table.size;
}

static enum pe_status apply_fixup(const struct pe_image *image, uint32_t page,
                                  uint16_t entry, uint64_t delta)
{
    unsigned type = entry >> 12;
    uint64_t at = (uint64_t)page + (entry & 0xFFFu);
    if (type == RELOCATION_ABSOLUTE) {
        return PE_OK;
    }
    if (type != RELOCATION_DIR64) {
        return PE_UNKNOWN_RELOCATION;
    }
    if (!pe_inside_body(image, at, 8) || hits_relocations(image, at)) {
        return PE_BAD_RELOCATION;
    }
    write64(image->memory + at, read64(image->memory + at) + delta);
    return PE_OK;
}

/* One block of fix-ups (".reloc Section"), of `size` bytes with its header. */
static enum pe_status apply_block(const struct pe_image *image, uint32_t rva,
                                  uint32_t size, uint64_t delta)
{
    uint32_t page = read32(image->memory + rva);
    if (page % PE_PAGE_SIZE != 0) {
        return PE_BAD_RELOCATION;
    }
    for (uint32_t i = BLOCK_HEADER_SIZE; i < size; i += 2) {
        uint16_t entry = read16(image->memory + rva + i);
        enum pe_status status = apply_fixup(image, page, entry, delta);
        if (status != PE_OK) {
            return status;
        }
    }
    return PE_OK;
}

static enum pe_status apply_relocations(const struct pe_image *image,
                                        uint64_t delta)
{
    uint32_t rva = image->directory[DIRECTORY_RELOCATIONS].rva;
    uint32_t left = image->directory[DIRECTORY_RELOCATIONS].size;
    while (left != 0) {
        if (left < BLOCK_HEADER_SIZE) {
            return PE_BAD_RELOCATION;
        }
        uint32_t size = read32(image->memory + rva + 4);
        if (size < BLOCK_HEADER_SIZE || size % 4 != 0 || size > left) {
            return PE_BAD_RELOCATION;
        }
        enum pe_status status = apply_block(image, rva, size, delta);
        if (status != PE_OK) {
            return status;
        }
        rva += size;
        left -= size;
    }
    return PE_OK;
}

enum pe_status pe_relocate(struct pe_image *image, uint64_t new_base)
{
    if (new_base % PE_PAGE_SIZE != 0 ||
        new_base > UINT64_MAX - image->size_of_image) {
        return PE_BAD_BASE;
    }
    if (new_base == image->base) {
        return PE_OK;
    }
    if ((image->characteristics & FILE_RELOCS_STRIPPED) != 0) {
        return PE_RELOCS_STRIPPED;
    }
    /* No directory and not stripped: all code and data are RIP-relative. */
    enum pe_status status = apply_relocations(image, new_base - image->base);
    if (status != PE_OK) {
        return status;
    }
    image->base = new_base;
    write64(image->memory + image->optional_header + OPT_IMAGE_BASE,
               new_base);
    return PE_OK;
}

const char *pe_explain(enum pe_status status)
{
    static const char *const text[] = {
        [PE_OK] = "the image is valid",
        [PE_TRUNCATED] = "the file ends inside the headers",
        [PE_NOT_DOS] = "the file does not begin with MZ",
        [PE_NOT_PE] = "the DOS header does not lead to a PE signature",
        [PE_WRONG_MACHINE] = "the image is not for x86-64",
        [PE_NOT_IMAGE] = "the file is not marked as an executable image",
        [PE_NOT_PE32PLUS] = "the optional header is not of kind PE32+",
        [PE_BAD_OPTIONAL_HEADER] =
            "the optional header is too short for what it holds",
        [PE_BAD_ALIGNMENT] =
            "the section or file alignment is unusable (sections need pages)",
        [PE_BAD_IMAGE_BASE] =
            "the image base is no multiple of 64 KiB or the image wraps round",
        [PE_BAD_IMAGE_SIZE] =
            "the size of the image or of its headers contradicts the rest",
        [PE_BAD_SECTION_COUNT] = "the image has no sections or too many",
        [PE_BAD_SECTION_DATA] = "a section's data lies outside the file",
        [PE_BAD_SECTION_ADDRESS] =
            "a section is unaligned or lies outside the image",
        [PE_SECTION_OVERLAP] = "sections overlap or are out of order",
        [PE_BAD_DIRECTORY] = "a data directory lies outside the image",
        [PE_BAD_ENTRY_POINT] =
            "the entry point does not lie in an executable section",
        [PE_WRONG_SUBSYSTEM] = "the image is not for the native subsystem",
        [PE_BAD_BASE] = "the address to load at is unaligned or too high",
        [PE_RELOCS_STRIPPED] =
            "the image has no relocations and its preferred base is not free",
        [PE_BAD_RELOCATION] = "a relocation lies outside its place",
        [PE_UNKNOWN_RELOCATION] = "a relocation is of an unknown type",
        [PE_BAD_IMPORT] = "an import table or name lies outside the image",
        [PE_TOO_MANY_IMPORTS] = "the image imports too many symbols or DLLs",
        [PE_MISSING_IMPORT] = "the image imports symbols that nothing exports",
        [PE_NO_EXPORTS] = "the image exports nothing",
        [PE_BAD_EXPORT] = "an export table or name lies outside the image",
        [PE_EXPORT_NOT_FOUND] = "the image does not export this symbol",
        [PE_EXPORT_FORWARDED] = "the symbol is forwarded to another DLL",
    };
    if ((unsigned)status >= sizeof text / sizeof text[0]) {
        return "unknown status";
    }
    return text[status];
}
