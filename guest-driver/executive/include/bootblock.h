/*
 * What the boot stub hands to the executive, and the machine facts both need.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_BOOTBLOCK_H
#define EXECUTIVE_BOOTBLOCK_H

#include <stdint.h>

#define BOOT_PAGE_SIZE          0x1000ull

/* All RAM, at its physical address plus this. */
#define BOOT_DIRECT_MAP         0xffff800000000000ull
/* Loaded images, in the order of loading. */
#define BOOT_IMAGE_SPACE        0xfffff80000000000ull

#define BOOT_MEMORY_MAX         64
#define BOOT_MODULES_MAX        8
#define BOOT_MODULE_NAME_MAX    32
#define BOOT_COMMAND_LINE_MAX   1024

/* QEMU's exit status is (value << 1) | 1. */
#define BOOT_EXIT_PORT          0xf4
#define BOOT_EXIT_PASSED        0x10
#define BOOT_EXIT_FAILED        0x11
#define BOOT_EXIT_NO_START      0x12
#define BOOT_EXIT_BUG_CHECK     0x13
#define BOOT_CONSOLE_PORT       0xe9

#define BOOT_MEMORY_RAM         1       /* of E820's types */

struct boot_memory {
    uint64_t base;
    uint64_t length;
    uint32_t type;              /* E820 */
    uint32_t reserved;
};

struct boot_module {
    char name[BOOT_MODULE_NAME_MAX];
    uint64_t base;              /* virtual */
    uint64_t physical;          /* contiguous */
    uint64_t size;              /* SizeOfImage */
};

struct boot_block {
    uint64_t rsdp;              /* physical; 0: the firmware has none */
    uint64_t page_table;        /* physical */
    uint64_t stub_end;          /* physical: the stub is below, from 1 MiB */
    uint64_t heap;              /* physical: in use from here ... */
    uint64_t heap_end;          /* ... to here, exclusive */
    uint64_t image_space;       /* first free address above the images */
    uint32_t memory_count;
    uint32_t module_count;
    struct boot_memory memory[BOOT_MEMORY_MAX];
    struct boot_module modules[BOOT_MODULES_MAX];
    char command_line[BOOT_COMMAND_LINE_MAX];
};

#endif
