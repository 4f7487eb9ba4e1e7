/*
 * pcmaster: access to the register file
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/log.h"
#include "registers.h"
#include "trace.h"

/* Registers that are there @count times, @stride bytes apart. */
typedef struct PcmBlock {
    hwaddr base;
    unsigned count;
    unsigned stride;
    size_t elements;            /* offset in PcmasterState */
    size_t element_size;
    const PcmRegisterTable *table;
} PcmBlock;

/* A register of a block that an address selects. */
typedef struct PcmSelection {
    const PcmRegister *reg;
    unsigned index;
    unsigned half;              /* 1: the high one */
    void *field;                /* or NULL */
} PcmSelection;

#define BLOCK(base_, count_, stride_, member, registers_) \
    { .base = base_, .count = count_, .stride = stride_, \
      .elements = offsetof(PcmasterState, member), \
      .element_size = sizeof_field(PcmasterState, member[0]), \
      .table = &pcm_##registers_ }

static const PcmBlock blocks[] = {
    { .base = 0, .count = 1, .stride = PCM_WINDOW(0),
      .table = &pcm_device_registers },
    BLOCK(PCM_WINDOW(0), PCM_WINDOW_COUNT, PCM_WINDOW(1) - PCM_WINDOW(0),
          windows, window_registers),
    BLOCK(PCM_NODE_BYTES(0), PCM_NODES_MAX, 8, exerciser.node_bytes,
          node_bytes_registers),
    BLOCK(PCM_NODE_LOWEST(0), PCM_NODES_MAX, 8, exerciser.node_bytes,
          node_lowest_registers),
    BLOCK(PCM_STREAM(0), PCM_PLAYBACK_MAX, PCM_STREAM(1) - PCM_STREAM(0),
          streams, stream_registers),
};

/* --- Access ------------------------------------------------------------- */

static bool select_in_block(PcmasterState *s, const PcmBlock *block,
                            hwaddr address, PcmSelection *found)
{
    hwaddr offset = (address - block->base) % block->stride;
    unsigned index = (address - block->base) / block->stride;

    if (block->table == &pcm_stream_registers && index >= s->playback) {
        return false;
    }
    for (unsigned i = 0; i < block->table->count; i++) {
        const PcmRegister *reg = &block->table->registers[i];

        if (offset == reg->offset ||
            (reg->wide && offset == reg->offset + 4)) {
            *found = (PcmSelection) {
                .reg = reg,
                .index = index,
                .half = offset != reg->offset,
                .field = reg->field == NO_FIELD ? NULL :
                         (uint8_t *)s + block->elements +
                         index * block->element_size + reg->field,
            };
            return true;
        }
    }
    return false;
}

static bool select_register(PcmasterState *s, hwaddr address,
                            PcmSelection *found)
{
    for (unsigned i = 0; i < ARRAY_SIZE(blocks); i++) {
        const PcmBlock *block = &blocks[i];

        if (address >= block->base &&
            address - block->base < block->count * block->stride) {
            return select_in_block(s, block, address, found);
        }
    }
    return false;
}

static uint64_t read_whole(PcmasterState *s, const PcmSelection *r)
{
    if (r->reg->read) {
        return r->reg->read(s, r->index);
    }
    return r->reg->wide ? *(uint64_t *)r->field : *(uint32_t *)r->field;
}

static uint32_t read_register(PcmasterState *s, hwaddr address)
{
    PcmSelection r;
    uint32_t value;

    if (!select_register(s, address, &r)) {
        qemu_log_mask(LOG_GUEST_ERROR, "pcmaster: read of no register at 0x%"
                      HWADDR_PRIx "\n", address);
        return 0;
    }
    if (r.reg->write_only) {
        qemu_log_mask(LOG_GUEST_ERROR, "pcmaster: read of write-only %s\n",
                      r.reg->name);
        return 0;
    }
    value = extract64(read_whole(s, &r), 32 * r.half, 32);
    trace_pcmaster_read(r.reg->name, address, value);
    return value;
}

static void write_whole(PcmasterState *s, const PcmSelection *r,
                        uint64_t value)
{
    if (r->reg->write) {
        r->reg->write(s, r->index, value);
    } else if (r->reg->wide) {
        *(uint64_t *)r->field = value;
    } else {
        *(uint32_t *)r->field = value;
    }
}

static void write_register(PcmasterState *s, hwaddr address, uint64_t value)
{
    PcmSelection r;

    if (!select_register(s, address, &r)) {
        qemu_log_mask(LOG_GUEST_ERROR, "pcmaster: write of 0x%08" PRIx64
                      " to no register at 0x%" HWADDR_PRIx "\n",
                      value, address);
        return;
    }
    if (!r.reg->accepts_writes) {
        qemu_log_mask(LOG_GUEST_ERROR, "pcmaster: write of 0x%08" PRIx64
                      " to read-only %s\n", value, r.reg->name);
        return;
    }
    trace_pcmaster_write(r.reg->name, address, value);
    if (r.reg->wide) {
        value = deposit64(read_whole(s, &r), 32 * r.half, 32, value);
    }
    if (value & ~r.reg->writable) {
        qemu_log_mask(LOG_GUEST_ERROR, "pcmaster: reserved bits 0x%" PRIx64
                      " written to %s\n", value & ~r.reg->writable,
                      r.reg->name);
    }
    write_whole(s, &r, value & r.reg->writable);
}

static uint64_t pcmaster_mmio_read(void *opaque, hwaddr address,
                                   unsigned size)
{
    PcmasterState *s = opaque;
    uint64_t value = read_register(s, address);

    if (size == 8) {
        value |= (uint64_t)read_register(s, address + 4) << 32;
    }
    pcmaster_send_message(s);
    return value;
}

static void pcmaster_mmio_write(void *opaque, hwaddr address, uint64_t value,
                                unsigned size)
{
    PcmasterState *s = opaque;

    write_register(s, address, extract64(value, 0, 32));
    if (size == 8) {
        write_register(s, address + 4, extract64(value, 32, 32));
    }
    pcmaster_send_message(s);
}

const MemoryRegionOps pcmaster_mmio_ops = {
    .read = pcmaster_mmio_read,
    .write = pcmaster_mmio_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 8 },
    .impl = { .min_access_size = 4, .max_access_size = 8 },
};
