/*
 * pcmaster: access to the register file
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/log.h"
#include "registers.h"
#include "stream.h"
#include "trace.h"

/* Registers that are there @count times, @stride bytes apart. */
typedef struct PcmBlock {
    hwaddr base;
    unsigned count;
    unsigned stride;
    const PcmRegisterTable *table;
    /* What their fields are in; NULL if these registers are not there. */
    void *(*element)(PcmasterState *s, unsigned index);
} PcmBlock;

/* What is at an offset. */
typedef struct PcmSlot {
    const PcmBlock *block;      /* NULL: nothing */
    const PcmRegister *reg;
    uint8_t index;              /* what the register's functions get */
    uint8_t half;               /* 1: the high one */
} PcmSlot;

/* A register that an address selects. */
typedef struct PcmSelection {
    const PcmSlot *slot;
    const PcmRegister *reg;
    void *field;                /* or NULL */
} PcmSelection;

static void *device_element(PcmasterState *s, unsigned index)
{
    return s;
}

static void *window_element(PcmasterState *s, unsigned index)
{
    return &s->windows[index];
}

static void *accounting_element(PcmasterState *s, unsigned index)
{
    return &s->accounting;
}

static void *count_element(PcmasterState *s, unsigned index)
{
    return &s->accounting.of[index];
}

static void *node_count_element(PcmasterState *s, unsigned index)
{
    return &s->accounting.on_node[index];
}

static void *stream_element(PcmasterState *s, unsigned index)
{
    return index < s->stream_count ? s->streams[index] : NULL;
}

static const PcmBlock blocks[] = {
    { 0, 1, 0, &pcm_device_registers, device_element },
    { 0, 1, 0, &pcm_group_registers, device_element },
    { 0, 1, 0, &pcm_port_registers, device_element },
    { 0, 1, 0, &pcm_log_registers, device_element },
    { 0, 1, 0, &pcm_exerciser_registers, device_element },
    { 0, 1, 0, &pcm_injection_registers, device_element },
    { PCM_WINDOW(0), PCM_WINDOW_COUNT, PCM_WINDOW(1) - PCM_WINDOW(0),
      &pcm_window_registers, window_element },
    { PCM_NODE_BYTES(0), PCM_NODES_MAX, 8,
      &pcm_node_bytes_registers, device_element },
    { PCM_NODE_LOWEST(0), PCM_NODES_MAX, 8,
      &pcm_node_lowest_registers, device_element },
    { PCM_NODE_DISTANCE(0), PCM_NODES_MAX, 4,
      &pcm_node_distance_registers, device_element },
    { 0, 1, 0, &pcm_accounting_registers, accounting_element },
    { PCM_ACC(0), PCM_ACC_COUNT, PCM_ACC(1) - PCM_ACC(0),
      &pcm_count_registers, count_element },
    { PCM_ACC_NODE(0), PCM_NODES_MAX, PCM_ACC_NODE(1) - PCM_ACC_NODE(0),
      &pcm_count_registers, node_count_element },
    { PCM_STREAM(0), PCM_STREAM_COUNT, PCM_STREAM(1) - PCM_STREAM(0),
      &pcm_stream_registers, stream_element },
};

static PcmSlot slots[PCM_BAR_SIZE / 4];

/* --- Selection ---------------------------------------------------------- */

static void place_register(const PcmBlock *block, unsigned index,
                           const PcmRegister *reg)
{
    hwaddr offset = block->base + index * block->stride + reg->offset;

    for (unsigned half = 0; half <= reg->wide; half++) {
        PcmSlot *slot = &slots[offset / 4 + half];

        assert(!slot->block);
        *slot = (PcmSlot) {
            .block = block, .reg = reg, .index = index + reg->number,
            .half = half,
        };
    }
}

void pcm_registers_init(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(blocks); i++) {
        const PcmBlock *block = &blocks[i];

        for (unsigned index = 0; index < block->count; index++) {
            for (unsigned r = 0; r < block->table->count; r++) {
                place_register(block, index, &block->table->registers[r]);
            }
        }
    }
}

static bool select_register(PcmasterState *s, hwaddr address,
                            PcmSelection *found)
{
    const PcmSlot *slot = &slots[address / 4];
    uint8_t *element = slot->block ? slot->block->element(s, slot->index) :
                                     NULL;

    if (!element) {
        return false;
    }
    *found = (PcmSelection) {
        .slot = slot,
        .reg = slot->reg,
        .field = slot->reg->field == NO_FIELD ? NULL :
                 element + slot->reg->field,
    };
    return true;
}

/* --- Access ------------------------------------------------------------- */

static uint64_t read_whole(PcmasterState *s, const PcmSelection *r)
{
    if (r->reg->read) {
        return r->reg->read(s, r->slot->index);
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
    value = extract64(read_whole(s, &r), 32 * r.slot->half, 32);
    trace_pcmaster_read(r.reg->name, address, value);
    return value;
}

static void write_whole(PcmasterState *s, const PcmSelection *r,
                        uint64_t value)
{
    if (r->reg->write) {
        r->reg->write(s, r->slot->index, value);
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
        value = deposit64(read_whole(s, &r), 32 * r.slot->half, 32, value);
    }
    if (value & ~r.reg->writable) {
        qemu_log_mask(LOG_GUEST_ERROR, "pcmaster: reserved bits 0x%" PRIx64
                      " written to %s\n", value & ~r.reg->writable,
                      r.reg->name);
    }
    write_whole(s, &r, value & r.reg->writable);
}

bool pcm_vector_valid(const char *name, uint64_t vector)
{
    if (vector < PCM_VECTORS) {
        return true;
    }
    qemu_log_mask(LOG_GUEST_ERROR, "pcmaster: %s %" PRIu64 " is not in 0 to "
                  "%u\n", name, vector, PCM_VECTORS - 1);
    return false;
}

static uint64_t pcmaster_mmio_read(void *opaque, hwaddr address,
                                   unsigned size)
{
    PcmasterState *s = opaque;
    uint64_t value;

    if (pcm_injection_silent(s)) {
        return UINT64_MAX;
    }
    pcmaster_enter(s);
    value = read_register(s, address);
    if (size == 8) {
        value |= (uint64_t)read_register(s, address + 4) << 32;
    }
    pcmaster_send_messages(s);
    pcmaster_leave(s);
    return value;
}

static void pcmaster_mmio_write(void *opaque, hwaddr address, uint64_t value,
                                unsigned size)
{
    PcmasterState *s = opaque;

    if (pcm_injection_silent(s)) {
        return;
    }
    pcmaster_enter(s);
    write_register(s, address, extract64(value, 0, 32));
    if (size == 8) {
        write_register(s, address + 4, extract64(value, 32, 32));
    }
    pcmaster_send_messages(s);
    pcmaster_leave(s);
}

const MemoryRegionOps pcmaster_mmio_ops = {
    .read = pcmaster_mmio_read,
    .write = pcmaster_mmio_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 8 },
    .impl = { .min_access_size = 4, .max_access_size = 8 },
};
