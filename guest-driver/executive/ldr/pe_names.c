/* SPDX-License-Identifier: MIT */
/*
 * PE32+ loader core: imports and exports of a mapped image ("The .idata
 * Section", "The .edata Section" of the Microsoft PE format specification).
 */
#include "pe.h"

#include "../include/bytes.h"
#include "pe_internal.h"

#define DIRECTORY_EXPORTS 0u
#define DIRECTORY_IMPORTS 1u

/* Offsets in an import descriptor. */
#define IMPORT_LOOKUP 0u
#define IMPORT_DLL 12u
#define IMPORT_ADDRESSES 16u
#define IMPORT_DESCRIPTOR_SIZE 20u

#define LOOKUP_BY_ORDINAL ((uint64_t)1 << 63)
#define HINT_SIZE 2u

/* Offsets in the export directory table. */
#define EXPORT_ORDINAL_BASE 16u
#define EXPORT_FUNCTION_COUNT 20u
#define EXPORT_NAME_COUNT 24u
#define EXPORT_FUNCTIONS 28u
#define EXPORT_NAMES 32u
#define EXPORT_NAME_ORDINALS 36u
#define EXPORT_TABLE_SIZE 40u

/* The string at `rva` if it ends inside the image and within PE_MAX_NAME. */
static const char *string_at(const struct pe_image *image, uint64_t rva)
{
    if (!pe_inside(image, rva, 1)) {
        return NULL;
    }
    uint64_t limit = image->size_of_image - rva;
    if (limit > PE_MAX_NAME) {
        limit = PE_MAX_NAME;
    }
    const char *string = (const char *)image->memory + rva;
    for (uint64_t i = 0; i < limit; i++) {
        if (string[i] == '\0') {
            return string;
        }
    }
    return NULL;
}

static int compare_names(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return (int)(unsigned char)*a - (int)(unsigned char)*b;
}

struct binding {
    const struct pe_image *image;
    pe_resolve_fn *resolve;
    pe_missing_fn *missing;
    void *context;
    uint32_t imports; /* seen so far, in all DLLs */
    bool incomplete;
};

/* Fills in what an entry of a lookup table asks for; the DLL is known. */
static enum pe_status read_lookup(const struct binding *binding, uint64_t entry,
                                  struct pe_import *import)
{
    import->name = NULL;
    import->ordinal = 0;
    if ((entry & LOOKUP_BY_ORDINAL) != 0) {
        if ((entry & ~LOOKUP_BY_ORDINAL) > UINT16_MAX) {
            return PE_BAD_IMPORT;
        }
        import->ordinal = (uint16_t)entry;
        return PE_OK;
    }
    import->name = string_at(binding->image, entry + HINT_SIZE);
    if (import->name == NULL || import->name[0] == '\0') {
        return PE_BAD_IMPORT;
    }
    return PE_OK;
}

static enum pe_status bind_slot(struct binding *binding, const char *dll,
                                uint64_t entry, uint64_t slot)
{
    struct pe_import import = { .dll = dll };
    enum pe_status status = read_lookup(binding, entry, &import);
    if (status != PE_OK) {
        return status;
    }
    if (!pe_inside_body(binding->image, slot, 8)) {
        return PE_BAD_IMPORT;
    }
    if (++binding->imports > PE_MAX_IMPORTS) {
        return PE_TOO_MANY_IMPORTS;
    }
    uint64_t address = binding->resolve(binding->context, &import);
    if (address == 0) {
        binding->incomplete = true;
        binding->missing(binding->context, &import);
        return PE_OK;
    }
    write64(binding->image->memory + slot, address);
    return PE_OK;
}

static enum pe_status bind_dll(struct binding *binding, const uint8_t *descriptor)
{
    const struct pe_image *image = binding->image;
    const char *dll = string_at(image, read32(descriptor + IMPORT_DLL));
    uint64_t slots = read32(descriptor + IMPORT_ADDRESSES);
    uint64_t lookups = read32(descriptor + IMPORT_LOOKUP);
    if (dll == NULL || dll[0] == '\0') {
        return PE_BAD_IMPORT;
    }
    if (lookups == 0) {
        lookups = slots; /* old linkers keep the only copy there */
    }
    for (uint64_t i = 0;; i += 8) {
        if (!pe_inside(image, lookups + i, 8)) {
            return PE_BAD_IMPORT;
        }
        uint64_t entry = read64(image->memory + lookups + i);
        if (entry == 0) {
            return PE_OK;
        }
        enum pe_status status = bind_slot(binding, dll, entry, slots + i);
        if (status != PE_OK) {
            return status;
        }
    }
}

enum pe_status pe_bind(struct pe_image *image, pe_resolve_fn *resolve,
                       pe_missing_fn *missing, void *context)
{
    struct binding binding = { image, resolve, missing, context, 0, false };
    uint64_t rva = image->directory[DIRECTORY_IMPORTS].rva;
    if (rva == 0) {
        return PE_OK;
    }
    for (uint32_t dlls = 0;; dlls++, rva += IMPORT_DESCRIPTOR_SIZE) {
        if (!pe_inside(image, rva, IMPORT_DESCRIPTOR_SIZE)) {
            return PE_BAD_IMPORT;
        }
        const uint8_t *descriptor = image->memory + rva;
        if (read32(descriptor + IMPORT_DLL) == 0 ||
            read32(descriptor + IMPORT_ADDRESSES) == 0) {
            return binding.incomplete ? PE_MISSING_IMPORT : PE_OK;
        }
        if (dlls == PE_MAX_DLLS) {
            return PE_TOO_MANY_IMPORTS;
        }
        enum pe_status status = bind_dll(&binding, descriptor);
        if (status != PE_OK) {
            return status;
        }
    }
}

/* The export tables, known to lie inside the image. */
struct exports {
    struct pe_directory directory;
    uint32_t ordinal_base;
    uint32_t function_count;
    uint32_t name_count;
    const uint8_t *functions;
    const uint8_t *names;
    const uint8_t *name_ordinals;
};

static enum pe_status read_exports(const struct pe_image *image,
                                   struct exports *exports)
{
    exports->directory = image->directory[DIRECTORY_EXPORTS];
    if (exports->directory.size == 0) {
        return PE_NO_EXPORTS;
    }
    if (exports->directory.size < EXPORT_TABLE_SIZE) {
        return PE_BAD_EXPORT;
    }
    const uint8_t *table = image->memory + exports->directory.rva;
    exports->ordinal_base = read32(table + EXPORT_ORDINAL_BASE);
    exports->function_count = read32(table + EXPORT_FUNCTION_COUNT);
    exports->name_count = read32(table + EXPORT_NAME_COUNT);
    uint32_t functions = read32(table + EXPORT_FUNCTIONS);
    uint32_t names = read32(table + EXPORT_NAMES);
    uint32_t ordinals = read32(table + EXPORT_NAME_ORDINALS);
    if (!pe_inside(image, functions, (uint64_t)exports->function_count * 4) ||
        !pe_inside(image, names, (uint64_t)exports->name_count * 4) ||
        !pe_inside(image, ordinals, (uint64_t)exports->name_count * 2)) {
        return PE_BAD_EXPORT;
    }
    exports->functions = image->memory + functions;
    exports->names = image->memory + names;
    exports->name_ordinals = image->memory + ordinals;
    return PE_OK;
}

/* *rva is the function's, or the forwarder string's with FORWARDED. */
static enum pe_status find_function(const struct pe_image *image,
                                    const struct exports *exports,
                                    uint32_t index, uint32_t *rva)
{
    if (index >= exports->function_count) {
        return PE_EXPORT_NOT_FOUND;
    }
    *rva = read32(exports->functions + (uint64_t)index * 4);
    if (*rva == 0) {
        return PE_EXPORT_NOT_FOUND; /* a gap between ordinals */
    }
    if (*rva >= exports->directory.rva &&
        *rva - exports->directory.rva < exports->directory.size) {
        return PE_EXPORT_FORWARDED;
    }
    return pe_inside(image, *rva, 1) ? PE_OK : PE_BAD_EXPORT;
}

/* Names are sorted ("Export Name Pointer Table"); *index is the function's. */
static enum pe_status find_name(const struct pe_image *image,
                                const struct exports *exports,
                                const char *name, uint32_t *index)
{
    uint32_t low = 0;
    uint32_t high = exports->name_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        uint32_t rva = read32(exports->names + (uint64_t)middle * 4);
        const char *candidate = string_at(image, rva);
        if (candidate == NULL) {
            return PE_BAD_EXPORT;
        }
        int order = compare_names(name, candidate);
        if (order == 0) {
            *index = read16(exports->name_ordinals + (uint64_t)middle * 2);
            return PE_OK;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return PE_EXPORT_NOT_FOUND;
}

static enum pe_status find_export(const struct pe_image *image,
                                  const char *name, uint32_t *rva)
{
    struct exports exports;
    uint32_t index;
    enum pe_status status = read_exports(image, &exports);
    if (status == PE_OK) {
        status = find_name(image, &exports, name, &index);
    }
    if (status == PE_OK) {
        status = find_function(image, &exports, index, rva);
    }
    return status;
}

enum pe_status pe_export(const struct pe_image *image, const char *name,
                         uint64_t *address)
{
    uint32_t rva;
    enum pe_status status = find_export(image, name, &rva);
    if (status == PE_OK) {
        *address = image->base + rva;
    }
    return status;
}

enum pe_status pe_export_ordinal(const struct pe_image *image, uint32_t ordinal,
                                 uint64_t *address)
{
    struct exports exports;
    uint32_t rva;
    enum pe_status status = read_exports(image, &exports);
    if (status != PE_OK) {
        return status;
    }
    if (ordinal < exports.ordinal_base) {
        return PE_EXPORT_NOT_FOUND;
    }
    status = find_function(image, &exports, ordinal - exports.ordinal_base,
                           &rva);
    if (status == PE_OK) {
        *address = image->base + rva;
    }
    return status;
}

const char *pe_forwarder(const struct pe_image *image, const char *name)
{
    uint32_t rva;
    if (find_export(image, name, &rva) != PE_EXPORT_FORWARDED) {
        return NULL;
    }
    return string_at(image, rva);
}
