/*
 * QEMU's firmware configuration device: named read-only files from the host.
 * Uses its DMA interface (QEMU docs/specs/fw_cfg).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_FWCFG_H
#define EXECUTIVE_FWCFG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fwcfg_file {
    uint16_t selector;
    uint32_t size;              /* bytes */
};

/* Gives the physical address behind a pointer; pages are contiguous singly. */
typedef uint64_t fwcfg_physical(const void *pointer);

/* Finds out whether the device is there, and remembers @physical. */
bool fwcfg_init(fwcfg_physical *physical);

/* Finds the file called @name; false if there is none. */
bool fwcfg_find(const char *name, struct fwcfg_file *file);

/*
 * Reads @length bytes at @offset into @buffer. False if that reaches beyond
 * the end of the file or the device reports an error.
 */
bool fwcfg_read(const struct fwcfg_file *file, uint32_t offset, void *buffer,
                uint32_t length);

#endif
