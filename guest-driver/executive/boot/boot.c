/*
 * The boot stub: from PVH entry to ntoskrnl.exe.
 *
 * Maps all RAM, loads the executive's images from fw_cfg, binds them to each
 * other by their export tables and enters ntoskrnl.exe. What it allocates comes
 * from one heap at the top of the memory below 4 GiB, so that low memory stays
 * whole for those who need it.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bootblock.h"
#include "fwcfg.h"
#include "pe.h"
#include "portio.h"

#define FILES               "opt/org.pcmaster/"
#define START_MAGIC         0x336ec578u
#define START_WITH_MEMORY   1u
#define HEAP_MAX            0x1000000ull        /* 16 MiB */
#define FOUR_GIB            0x100000000ull
#define LARGE_PAGE          0x200000ull
#define STACK_SIZE          0x10000ull
#define ENTRY_PRESENT       0x001ull
#define ENTRY_WRITE         0x002ull
#define ENTRY_LARGE         0x080ull
#define ENTRY_NX            0x8000000000000000ull
#define ENTRY_ADDRESS       0x000ffffffffff000ull
#define ENTRIES             512

/* Xen's public hvm_start_info, versions 0 and 1. */
struct start_info {
    uint32_t magic, version, flags, module_count;
    uint64_t modules, command_line, rsdp;
    uint64_t memory;
    uint32_t memory_count, reserved;
};

typedef void __attribute__((ms_abi)) kernel_entry(struct boot_block *);

extern uint64_t boot_pml4[ENTRIES];

void *memcpy(void *restrict to, const void *restrict from, size_t length);
void *memset(void *to, int value, size_t length);

extern uint8_t boot_end[];

static struct boot_block *boot;
static uint64_t heap_next, heap_limit;
static struct pe_image images[BOOT_MODULES_MAX];

static size_t length_of(const char *text)
{
    size_t length = 0;

    while (text[length]) {
        length++;
    }
    return length;
}

static void print(const char *text)
{
    port_write_string(BOOT_CONSOLE_PORT, text, length_of(text));
}

/* Prints the strings up to a NULL and ends the run. */
static void __attribute__((noreturn)) fail(const char *text, ...)
{
    va_list more;

    va_start(more, text);
    print("boot: ");
    for (; text; text = va_arg(more, const char *)) {
        print(text);
    }
    print("\n");
    va_end(more);
    port_write8(BOOT_EXIT_PORT, BOOT_EXIT_NO_START);
    for (;;) {
        __asm__ volatile("hlt");
    }
}

/* The first 4 GiB are mapped at their physical addresses. */
static uint64_t physical(const void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

static void *pages(uint64_t bytes)
{
    uint64_t base = heap_next;

    bytes = (bytes + BOOT_PAGE_SIZE - 1) & ~(BOOT_PAGE_SIZE - 1);
    if (bytes > heap_limit - heap_next) {
        fail("out of memory while loading; give the machine 64 MiB or more",
             NULL);
    }
    heap_next += bytes;
    return memset((void *)(uintptr_t)base, 0, bytes);
}

static void open_heap(const struct start_info *start)
{
    const struct boot_memory *m =
        (const struct boot_memory *)(uintptr_t)start->memory;
    uint64_t top = 0, bottom = 0;

    for (uint32_t i = 0; i < start->memory_count; i++) {
        uint64_t end = m[i].base + m[i].length;

        if (m[i].type == BOOT_MEMORY_RAM && end > m[i].base &&
            end <= FOUR_GIB && end > top) {
            top = end & ~(BOOT_PAGE_SIZE - 1);
            bottom = m[i].base;
        }
    }
    if (top - bottom < 2 * HEAP_MAX) {
        fail("no 32 MiB of memory in one piece below 4 GiB", NULL);
    }
    heap_next = top - HEAP_MAX;
    heap_limit = top;
}

static void copy_start_info(const struct start_info *start)
{
    const char *line = (const char *)(uintptr_t)start->command_line;
    uint64_t heap = heap_next;

    boot = pages(sizeof(*boot));
    boot->heap = heap;
    boot->rsdp = start->rsdp;
    boot->page_table = physical(boot_pml4);
    boot->image_space = BOOT_IMAGE_SPACE;
    boot->stub_end = physical(boot_end);
    if (start->memory_count > BOOT_MEMORY_MAX) {
        fail("the memory map has too many entries", NULL);
    }
    boot->memory_count = start->memory_count;
    memcpy(boot->memory, (const void *)(uintptr_t)start->memory,
           start->memory_count * sizeof(boot->memory[0]));
    if (line && length_of(line) >= sizeof(boot->command_line)) {
        fail("the command line is too long", NULL);
    }
    if (line) {
        memcpy(boot->command_line, line, length_of(line));
    }
}

static uint64_t *table_below(uint64_t *table, unsigned index)
{
    if (!(table[index] & ENTRY_PRESENT)) {
        table[index] = physical(pages(BOOT_PAGE_SIZE)) | ENTRY_PRESENT |
                       ENTRY_WRITE;
    }
    return (uint64_t *)(uintptr_t)(table[index] & ENTRY_ADDRESS);
}

static uint64_t *directory_of(uint64_t address)
{
    uint64_t *pdpt = table_below(boot_pml4, address >> 39 & (ENTRIES - 1));

    return table_below(pdpt, address >> 30 & (ENTRIES - 1));
}

/* The direct map of what lies above 4 GiB; the rest is there already. */
static void map_memory(void)
{
    for (uint32_t i = 0; i < boot->memory_count; i++) {
        const struct boot_memory *m = &boot->memory[i];
        uint64_t at = m->base & ~(LARGE_PAGE - 1);

        if (m->type != BOOT_MEMORY_RAM) {
            continue;
        }
        for (; at < m->base + m->length; at += LARGE_PAGE) {
            uint64_t virtual = at + BOOT_DIRECT_MAP;

            if (at >= FOUR_GIB) {
                directory_of(virtual)[virtual >> 21 & (ENTRIES - 1)] =
                    at | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_LARGE | ENTRY_NX;
            }
        }
    }
}

static void map_page(uint64_t virtual, uint64_t target, uint64_t flags)
{
    uint64_t *table = table_below(directory_of(virtual),
                                  virtual >> 21 & (ENTRIES - 1));

    table[virtual >> 12 & (ENTRIES - 1)] = target | flags | ENTRY_PRESENT;
}

static void map_image(const struct pe_image *image,
                      const struct boot_module *module)
{
    struct pe_section section;

    for (uint64_t at = 0; at < image->size_of_headers; at += BOOT_PAGE_SIZE) {
        map_page(module->base + at, module->physical + at, ENTRY_NX);
    }
    for (unsigned i = 0; pe_section(image, i, &section); i++) {
        uint64_t flags = (section.writable ? ENTRY_WRITE : 0) |
                         (section.executable ? 0 : ENTRY_NX);

        for (uint64_t at = 0; at < section.size; at += BOOT_PAGE_SIZE) {
            map_page(module->base + section.rva + at,
                     module->physical + section.rva + at, flags);
        }
    }
}

static void check(enum pe_status status, const char *name)
{
    if (status != PE_OK) {
        fail(name, ": ", pe_explain(status), NULL);
    }
}

/* Into the heap's unused upper half, where the next file overwrites it. */
static void *read_file(const char *name, uint32_t *size)
{
    char path[64] = FILES;
    struct fwcfg_file file;
    uint64_t room;

    memcpy(path + sizeof(FILES) - 1, name, length_of(name) + 1);
    if (!fwcfg_find(path, &file)) {
        fail("no file ", path, " (give it with -fw_cfg name=", path,
             ",file=...)", NULL);
    }
    room = heap_limit - heap_next;
    if (file.size > room / 2) {
        fail(path, " is too large", NULL);
    }
    *size = file.size;
    if (!fwcfg_read(&file, 0, (void *)(uintptr_t)(heap_limit - file.size),
                    file.size)) {
        fail("cannot read ", path, NULL);
    }
    return (void *)(uintptr_t)(heap_limit - file.size);
}

static void load(const char *name)
{
    struct pe_image *image = &images[boot->module_count];
    struct boot_module *module = &boot->modules[boot->module_count++];
    uint32_t size;
    void *file = read_file(name, &size);

    check(pe_open(image, file, size), name);
    check(pe_require_native(image), name);
    if (image->size_of_image > (heap_limit - heap_next) / 2 - BOOT_PAGE_SIZE) {
        fail(name, " is too large", NULL);
    }
    memcpy(module->name, name, length_of(name) + 1);
    module->size = image->size_of_image;
    module->base = boot->image_space;
    module->physical = physical(pages(image->size_of_image));
    /* The next image begins beyond an unmapped page. */
    boot->image_space += (module->size + 2 * BOOT_PAGE_SIZE - 1) &
                         ~(BOOT_PAGE_SIZE - 1);
    pe_map(image, (void *)(uintptr_t)module->physical);
    check(pe_relocate(image, module->base), name);
}

static bool same_file_name(const char *a, const char *b)
{
    for (;; a++, b++) {
        char x = *a >= 'A' && *a <= 'Z' ? (char)(*a | 0x20) : *a;
        char y = *b >= 'A' && *b <= 'Z' ? (char)(*b | 0x20) : *b;

        if (x != y) {
            return false;
        }
        if (!x) {
            return true;
        }
    }
}

static uint64_t resolve(void *context, const struct pe_import *import)
{
    uint64_t address = 0;

    (void)context;
    for (uint32_t i = 0; i < boot->module_count; i++) {
        if (import->name && same_file_name(boot->modules[i].name,
                                           import->dll)) {
            pe_export(&images[i], import->name, &address);
        }
    }
    return address;
}

static void missing(void *context, const struct pe_import *import)
{
    print("boot: ");
    print(context);
    print(" needs ");
    print(import->dll);
    print("!");
    print(import->name ? import->name : "an ordinal");
    print(", which nothing exports\n");
}

static void bind(uint32_t index)
{
    struct boot_module *module = &boot->modules[index];

    check(pe_bind(&images[index], resolve, missing, module->name),
          module->name);
    map_image(&images[index], module);
}

/* Leaves for the direct map's addresses; nothing here is used again. */
static void __attribute__((noreturn)) enter(uint64_t entry)
{
    uint64_t stack = physical(pages(STACK_SIZE)) + STACK_SIZE;

    boot->heap_end = heap_next;
    __asm__ volatile("movq %%cr3, %%rax\n\t"
                     "movq %%rax, %%cr3\n\t"
                     "leaq -32(%0), %%rsp\n\t"
                     "xorl %%ebp, %%ebp\n\t"
                     "call *%1\n\t"
                     "ud2"
                     : : "r"(stack + BOOT_DIRECT_MAP), "r"(entry),
                         "c"((uint64_t)(uintptr_t)boot + BOOT_DIRECT_MAP)
                     : "rax", "memory");
    __builtin_unreachable();
}

void boot_main(const struct start_info *start)
{
    static const char *const names[] = {
        "ntoskrnl.exe", "hal.dll", "portcls.sys"
    };

    if (start->magic != START_MAGIC || start->version < START_WITH_MEMORY) {
        fail("not started by the PVH protocol, version 1", NULL);
    }
    open_heap(start);
    copy_start_info(start);
    if (!fwcfg_init(physical)) {
        fail("no fw_cfg device with DMA", NULL);
    }
    map_memory();
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        load(names[i]);
    }
    for (uint32_t i = 0; i < boot->module_count; i++) {
        bind(i);
    }
    enter(pe_entry_point(&images[0]));
}
