/* SPDX-License-Identifier: MIT */
/*
 * The core of the PE32+ loader (Microsoft PE format specification): validates
 * an image file, lays it out in memory, relocates it, binds its imports and
 * looks up exports.
 *
 * Every byte of the file is treated as hostile. Nothing outside the file or the
 * block of memory is read or written, whatever the file says, and a driver that
 * overwrites its own headers later cannot lead these functions out of its image.
 *
 * The usual order: pe_open, pe_require_native, pe_map, pe_relocate, pe_bind,
 * then pe_section to set the protections of the pages.
 */
#ifndef PCMASTER_EXECUTIVE_LDR_PE_H
#define PCMASTER_EXECUTIVE_LDR_PE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PE_PAGE_SIZE 4096u
#define PE_DIRECTORIES 16
#define PE_MAX_SECTIONS 96    /* limit of the Windows loader */
#define PE_MAX_NAME 4096u     /* bytes of a symbol or DLL name with its zero */
#define PE_MAX_DLLS 256u      /* import descriptors */
#define PE_MAX_IMPORTS 65536u /* imported symbols altogether */

enum pe_status {
    PE_OK,
    PE_TRUNCATED,          /* the file ends inside the headers */
    PE_NOT_DOS,            /* no MZ */
    PE_NOT_PE,             /* no PE signature where the DOS header points */
    PE_WRONG_MACHINE,      /* not x86-64 */
    PE_NOT_IMAGE,          /* an object file, or linked with errors */
    PE_NOT_PE32PLUS,       /* optional header of another magic */
    PE_BAD_OPTIONAL_HEADER,/* too short for what it says it holds */
    PE_BAD_ALIGNMENT,      /* sections cannot be protected page by page */
    PE_BAD_IMAGE_BASE,     /* no multiple of 64 KiB, or the image wraps round */
    PE_BAD_IMAGE_SIZE,     /* SizeOfImage or SizeOfHeaders contradicts the rest */
    PE_BAD_SECTION_COUNT,
    PE_BAD_SECTION_DATA,   /* a section's bytes lie outside the file */
    PE_BAD_SECTION_ADDRESS,/* a section lies outside the image or unaligned */
    PE_SECTION_OVERLAP,    /* sections overlap or are out of order */
    PE_BAD_DIRECTORY,      /* a data directory lies outside the image */
    PE_BAD_ENTRY_POINT,    /* the entry point is in no executable section */
    PE_WRONG_SUBSYSTEM,    /* not native: a program for user mode */
    PE_BAD_BASE,           /* the new base is unaligned or the image would wrap */
    PE_RELOCS_STRIPPED,    /* the image can only run at its preferred base */
    PE_BAD_RELOCATION,     /* a relocation block or fix-up outside its place */
    PE_UNKNOWN_RELOCATION, /* neither DIR64 nor ABSOLUTE */
    PE_BAD_IMPORT,         /* an import table, name or address slot misplaced */
    PE_TOO_MANY_IMPORTS,
    PE_MISSING_IMPORT,     /* one symbol or more; each was reported */
    PE_NO_EXPORTS,         /* the image exports nothing */
    PE_BAD_EXPORT,         /* an export table or name misplaced */
    PE_EXPORT_NOT_FOUND,
    PE_EXPORT_FORWARDED,   /* exported, but by another DLL */
};

struct pe_directory {
    uint32_t rva;
    uint32_t size;
};

/* What was validated. Filled by pe_open; readable, but not to be changed. */
struct pe_image {
    const uint8_t *file; /* NULL once the image is mapped */
    uint64_t file_size;
    uint8_t *memory;     /* size_of_image bytes, NULL until pe_map */
    uint64_t base;       /* address the image is relocated for */
    uint32_t size_of_image;
    uint32_t size_of_headers;
    uint32_t entry_rva;  /* 0: no entry point */
    uint32_t section_table; /* offset of the section headers */
    uint32_t optional_header; /* offset */
    uint16_t section_count;
    uint16_t subsystem;
    uint16_t characteristics;
    uint16_t dll_characteristics;
    struct pe_directory directory[PE_DIRECTORIES];
};

/* One section in memory. Sections start on pages and do not overlap. */
struct pe_section {
    char name[9];     /* as in the header: long ones read "/4" */
    uint32_t rva;
    uint32_t size;    /* bytes, not rounded; 0 is possible */
    bool readable;
    bool writable;
    bool executable;
    bool discardable; /* not needed to run: debug data, relocations */
};

/* An import: by name, or by ordinal if name is NULL. */
struct pe_import {
    const char *dll;
    const char *name;
    uint16_t ordinal;
};

/* Returns the symbol's address, or 0 if there is none. */
typedef uint64_t pe_resolve_fn(void *context, const struct pe_import *import);

/* Is told of an import that could not be resolved. */
typedef void pe_missing_fn(void *context, const struct pe_import *import);

/*
 * Validates headers, sections and data directories of the image file. The file
 * must stay readable until pe_map. On failure *image is all zero.
 */
enum pe_status pe_open(struct pe_image *image, const void *file, size_t size);

/* PE_OK if the image is a driver or kernel (subsystem native). */
enum pe_status pe_require_native(const struct pe_image *image);

/*
 * Lays the image out in `memory`, a block of image->size_of_image bytes which
 * becomes the image's; bytes without data in the file are zero. The image is
 * then ready for its preferred base. The file is not needed afterwards.
 */
void pe_map(struct pe_image *image, void *memory);

/*
 * Takes up an image that somebody else has mapped and relocated for `base` in
 * `size` bytes at `memory` (a boot loader, say), validating its headers.
 */
enum pe_status pe_adopt(struct pe_image *image, void *memory, size_t size,
                        uint64_t base);

/*
 * Fixes a mapped image up to run at `new_base` (page-aligned), and notes it in
 * image->base and in the mapped optional header. After an error the memory's
 * contents are useless: map again or give up.
 */
enum pe_status pe_relocate(struct pe_image *image, uint64_t new_base);

/*
 * Binds all imports of a mapped image. `missing` is called for every import for
 * which `resolve` returned 0, and the result is then PE_MISSING_IMPORT; the
 * binding goes on so that all of them are reported. The names it passes lie in
 * the image and end there.
 */
enum pe_status pe_bind(struct pe_image *image, pe_resolve_fn *resolve,
                       pe_missing_fn *missing, void *context);

/*
 * Looks up an export of a mapped image, by name or by ordinal. *address is
 * changed only on success. A forwarder is PE_EXPORT_FORWARDED; pe_forwarder
 * gives its target.
 */
enum pe_status pe_export(const struct pe_image *image, const char *name,
                         uint64_t *address);
enum pe_status pe_export_ordinal(const struct pe_image *image, uint32_t ordinal,
                                 uint64_t *address);

/* "DLL.Symbol" or "DLL.#ordinal" if the export is a forwarder, else NULL. */
const char *pe_forwarder(const struct pe_image *image, const char *name);

/* The index-th section, index from 0; false behind the last. */
bool pe_section(const struct pe_image *image, unsigned index,
                struct pe_section *section);

/* Address of the entry point, or 0 if the image has none. */
uint64_t pe_entry_point(const struct pe_image *image);

/* An English sentence without a full stop; never NULL. */
const char *pe_explain(enum pe_status status);

#endif
