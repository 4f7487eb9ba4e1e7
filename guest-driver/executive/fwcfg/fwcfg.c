/*
 * QEMU's firmware configuration device.
 *
 * SPDX-License-Identifier: MIT
 */
#include "fwcfg.h"

#include "portio.h"

#define PORT_SELECTOR       0x510
#define PORT_DATA           0x511
#define PORT_DMA_HIGH       0x514
#define PORT_DMA_LOW        0x518

#define KEY_SIGNATURE       0x00
#define KEY_ID              0x01
#define KEY_DIRECTORY       0x19
#define ID_DMA              0x02

#define DMA_ERROR           0x01
#define DMA_READ            0x02
#define DMA_SKIP            0x04
#define DMA_SELECT          0x08

#define PAGE                0x1000u
#define NAME_MAX            56

struct dma_command {            /* big-endian */
    uint32_t control;
    uint32_t length;
    uint64_t address;
};

struct directory_entry {        /* big-endian */
    uint32_t size;
    uint16_t selector;
    uint16_t reserved;
    char name[NAME_MAX];
};

static fwcfg_physical *physical_of;

/* Aligned to its size, so that it never crosses a page. */
static volatile struct dma_command command __attribute__((aligned(16)));

static bool dma(uint16_t selector, uint32_t flags, uint64_t address,
                uint32_t length)
{
    uint64_t where = physical_of((const void *)&command);

    command.control = __builtin_bswap32((uint32_t)selector << 16 | flags);
    command.length = __builtin_bswap32(length);
    command.address = __builtin_bswap64(address);
    port_write32(PORT_DMA_HIGH, __builtin_bswap32((uint32_t)(where >> 32)));
    port_write32(PORT_DMA_LOW, __builtin_bswap32((uint32_t)where));
    while (__builtin_bswap32(command.control) & ~(uint32_t)DMA_ERROR) {
        __asm__ volatile("pause");
    }
    return command.control == 0;
}

bool fwcfg_init(fwcfg_physical *physical)
{
    static const char signature[] = "QEMU";

    physical_of = physical;
    port_write16(PORT_SELECTOR, KEY_SIGNATURE);
    for (int i = 0; i < 4; i++) {
        if (port_read8(PORT_DATA) != (uint8_t)signature[i]) {
            return false;
        }
    }
    port_write16(PORT_SELECTOR, KEY_ID);
    return port_read8(PORT_DATA) & ID_DMA;
}

/* Reads the item from where it stands, or from its start if @select is set. */
static bool read_on(uint16_t selector, bool select, void *buffer,
                    uint32_t length)
{
    uint8_t *to = buffer;

    while (length) {
        uint32_t room = PAGE - (uint32_t)((uintptr_t)to & (PAGE - 1));
        uint32_t part = length < room ? length : room;
        uint64_t address = physical_of(to);

        while (part < length && physical_of(to + part) == address + part) {
            part += length - part < PAGE ? length - part : PAGE;
        }
        if (!dma(selector, DMA_READ | (select ? DMA_SELECT : 0), address,
                 part)) {
            return false;
        }
        select = false;
        to += part;
        length -= part;
    }
    return true;
}

static bool same_name(const char *a, const char *b)
{
    for (size_t i = 0; i < NAME_MAX; i++) {
        if (a[i] != b[i]) {
            return false;
        }
        if (!a[i]) {
            return true;
        }
    }
    return false;
}

bool fwcfg_find(const char *name, struct fwcfg_file *file)
{
    uint32_t count;

    if (!read_on(KEY_DIRECTORY, true, &count, sizeof(count))) {
        return false;
    }
    count = __builtin_bswap32(count);
    while (count--) {
        struct directory_entry entry;

        if (!read_on(KEY_DIRECTORY, false, &entry, sizeof(entry))) {
            return false;
        }
        if (same_name(entry.name, name)) {
            file->selector = __builtin_bswap16(entry.selector);
            file->size = __builtin_bswap32(entry.size);
            return true;
        }
    }
    return false;
}

bool fwcfg_read(const struct fwcfg_file *file, uint32_t offset, void *buffer,
                uint32_t length)
{
    if (offset > file->size || length > file->size - offset) {
        return false;
    }
    return dma(file->selector, DMA_SELECT | DMA_SKIP, 0, offset) &&
           read_on(file->selector, false, buffer, length);
}
