/*
 * pcmaster: the register file
 *
 * One table for each block of registers says what they are called, which of
 * their bits can be written and where they are kept.  Registers with effects
 * of their own have functions.  docs/specs/pcmaster.rst is the reference.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/log.h"
#include "pcmaster.h"
#include "trace.h"

#define NO_FIELD    SIZE_MAX

typedef struct PcmRegister {
    const char *name;
    uint16_t offset;
    bool wide;                  /* 64 bits: a pair, the low half first */
    bool write_only;
    bool accepts_writes;
    uint64_t writable;          /* bits that are not reserved */
    size_t field;               /* in the block's element, or NO_FIELD */
    uint64_t (*read)(PcmasterState *s, unsigned index);
    void (*write)(PcmasterState *s, unsigned index, uint64_t value);
} PcmRegister;

/* Registers that are there @count times, @stride bytes apart. */
typedef struct PcmBlock {
    hwaddr base;
    unsigned count;
    unsigned stride;
    size_t elements;            /* offset in PcmasterState */
    size_t element_size;
    const PcmRegister *registers;
    unsigned register_count;
} PcmBlock;

/* A register of a block that an address selects. */
typedef struct PcmSelection {
    const PcmRegister *reg;
    unsigned index;
    unsigned half;              /* 1: the high one */
    void *field;                /* or NULL */
} PcmSelection;

#define RO(name_, offset_, function) \
    { .name = name_, .offset = offset_, .field = NO_FIELD, .read = function }
#define RO64(name_, offset_, function) \
    { .name = name_, .offset = offset_, .field = NO_FIELD, .wide = true, \
      .read = function }
#define WO(name_, offset_, bits, function) \
    { .name = name_, .offset = offset_, .field = NO_FIELD, \
      .write_only = true, .accepts_writes = true, .writable = bits, \
      .write = function }
#define EFFECT(name_, offset_, bits, on_read, on_write) \
    { .name = name_, .offset = offset_, .field = NO_FIELD, \
      .accepts_writes = true, .writable = bits, \
      .read = on_read, .write = on_write }
#define FIELD_RO(name_, offset_, type, member) \
    { .name = name_, .offset = offset_, .field = offsetof(type, member), \
      .wide = sizeof_field(type, member) == 8 }
#define FIELD_RW(name_, offset_, type, member, bits, function) \
    { .name = name_, .offset = offset_, .field = offsetof(type, member), \
      .wide = sizeof_field(type, member) == 8, .accepts_writes = true, \
      .writable = bits, .write = function }

/* --- Identification, interrupts and the port ---------------------------- */

static uint64_t id_read(PcmasterState *s, unsigned index)
{
    return PCM_ID_VALUE;
}

static uint64_t version_read(PcmasterState *s, unsigned index)
{
    return PCM_VERSION_VALUE;
}

static uint64_t cap_read(PcmasterState *s, unsigned index)
{
    return s->playback | PCM_WINDOW_COUNT << 8 | PCM_LOG_RECORDS << 16;
}

static uint64_t ctrl_read(PcmasterState *s, unsigned index)
{
    return 0;
}

static void ctrl_write(PcmasterState *s, unsigned index, uint64_t value)
{
    if (value & PCM_CTRL_RESET) {
        pcmaster_reset_state(s);
    }
}

static uint64_t int_status_read(PcmasterState *s, unsigned index)
{
    return pcmaster_int_status(s);
}

/* Returns: @value without the bits of streams that there are not. */
static uint32_t known_sources(PcmasterState *s, uint64_t value)
{
    uint32_t streams = ((1u << s->playback) - 1) << 16;
    uint32_t known = PCM_INT_VIOLATION | PCM_INT_EXERCISER | streams;

    if (value & ~known) {
        qemu_log_mask(LOG_GUEST_ERROR, "pcmaster: bits of sources that there "
                      "are not: 0x%" PRIx64 "\n", value & ~known);
    }
    return value & known;
}

static void int_status_write(PcmasterState *s, unsigned index, uint64_t value)
{
    s->int_status &= ~known_sources(s, value);
    pcmaster_irq_update(s);
}

static void int_enable_write(PcmasterState *s, unsigned index, uint64_t value)
{
    s->int_enable = known_sources(s, value);
    pcmaster_irq_update(s);
}

static uint64_t hw_addr_bits_read(PcmasterState *s, unsigned index)
{
    return s->hw_addr_bits;
}

static void addr_bits_write(PcmasterState *s, unsigned index, uint64_t value)
{
    if (value < PCM_ADDR_BITS_MIN || value > s->hw_addr_bits) {
        qemu_log_mask(LOG_GUEST_ERROR, "pcmaster: ADDR_BITS %" PRIu64
                      " is not in %u to %u\n", value, PCM_ADDR_BITS_MIN,
                      s->hw_addr_bits);
        return;
    }
    s->addr_bits = value;
}

static uint64_t hw_boundary_read(PcmasterState *s, unsigned index)
{
    return pcmaster_hw_mask(s);
}

static void policy_write(PcmasterState *s, unsigned index, uint64_t value)
{
    for (unsigned rule = 0; rule < PCM_RULE_COUNT; rule++) {
        if (pcm_rule_policy(value, rule) > PCM_POLICY_RECORD) {
            qemu_log_mask(LOG_GUEST_ERROR, "pcmaster: POLICY of rule %s is 3,"
                          " taken for abort\n", pcm_rule_names[rule]);
            value = deposit64(value, PCM_POLICY_SHIFT(rule), 2,
                              PCM_POLICY_ABORT);
        }
    }
    s->policy = value;
}

static uint64_t node_count_read(PcmasterState *s, unsigned index)
{
    return pcm_node_count();
}

static uint64_t device_node_read(PcmasterState *s, unsigned index)
{
    return pcm_node_of_device(PCI_DEVICE(s));
}

/* --- Violation log ------------------------------------------------------ */

static void log_ctrl_write(PcmasterState *s, unsigned index, uint64_t value)
{
    if (value & PCM_LOG_CLEAR) {
        pcm_log_clear(&s->log);
    } else if ((value & PCM_LOG_POP) && !pcm_log_pop(&s->log)) {
        qemu_log_mask(LOG_GUEST_ERROR, "pcmaster: POP of an empty log\n");
    }
}

static uint64_t log_info_read(PcmasterState *s, unsigned index)
{
    const PcmViolation *v = pcm_log_oldest(&s->log);

    return v ? PCM_LOG_VALID | v->policy << 24 |
               (v->write ? PCM_LOG_WRITE : 0) | v->requester << 8 | v->rule
             : 0;
}

#define LOG_READER(member) \
    static uint64_t log_##member##_read(PcmasterState *s, unsigned index) \
    { \
        const PcmViolation *v = pcm_log_oldest(&s->log); \
        return v ? v->member : 0; \
    }

LOG_READER(length)
LOG_READER(address)
LOG_READER(expected)
LOG_READER(actual)
LOG_READER(fault)
LOG_READER(landed)
LOG_READER(time)
LOG_READER(sequence)

/* --- Exerciser ---------------------------------------------------------- */

static void ex_command_write(PcmasterState *s, unsigned index, uint64_t value)
{
    pcm_exerciser_command(s, value);
}

static uint64_t ex_status_read(PcmasterState *s, unsigned index)
{
    return (s->exerciser.phase != PCM_EX_IDLE ? PCM_EX_BUSY : 0) |
           s->exerciser.result << 4;
}

static uint64_t node_bytes_read(PcmasterState *s, unsigned index)
{
    return s->exerciser.node_bytes[index];
}

static uint64_t node_lowest_read(PcmasterState *s, unsigned index)
{
    return pcm_node_lowest(index);
}

/* --- Windows ------------------------------------------------------------ */

static void window_ctrl_write(PcmasterState *s, unsigned index,
                              uint64_t value)
{
    PcmWindow *w = &s->windows[index];

    if ((value & PCM_W_ENABLE) && w->first > w->last) {
        qemu_log_mask(LOG_GUEST_ERROR, "pcmaster: window %u is enabled and "
                      "empty\n", index);
    }
    w->ctrl = value;
}

/* --- Streams ------------------------------------------------------------ */

static uint64_t ctl_read(PcmasterState *s, unsigned index)
{
    return s->streams[index].phase == PCM_STREAM_RUNNING ? PCM_S_RUN : 0;
}

static void ctl_write(PcmasterState *s, unsigned index, uint64_t value)
{
    pcm_stream_run(&s->streams[index], value & PCM_S_RUN);
}

static uint64_t status_read(PcmasterState *s, unsigned index)
{
    PcmStream *p = &s->streams[index];

    return p->status |
           (p->phase == PCM_STREAM_RUNNING ? PCM_S_RUNNING : 0);
}

static void status_write(PcmasterState *s, unsigned index, uint64_t value)
{
    s->streams[index].status &= ~value;
    pcmaster_irq_update(s);
}

static void stream_enable_write(PcmasterState *s, unsigned index,
                                uint64_t value)
{
    s->streams[index].int_enable = value;
    pcmaster_irq_update(s);
}

static uint64_t end_high_read(PcmasterState *s, unsigned index)
{
    return s->streams[index].end >> 32;
}

/* The halves count together: one alone might end the stream too early. */
static void end_high_write(PcmasterState *s, unsigned index, uint64_t value)
{
    PcmStream *p = &s->streams[index];

    pcm_stream_set_end(p, value << 32 | p->end_low);
}

static uint64_t position_read(PcmasterState *s, unsigned index)
{
    PcmStream *p = &s->streams[index];
    uint64_t position = pcm_stream_position(p);

    p->position_high = position >> 32;
    return position & UINT32_MAX;
}

/* --- The tables --------------------------------------------------------- */

#define ALL32       UINT32_MAX
#define ALL64       UINT64_MAX
#define INT_OWN     (PCM_INT_VIOLATION | PCM_INT_EXERCISER)
#define INT_ALL     (INT_OWN | 0xffff0000u)
#define S_EVENTS    (PCM_S_PERIOD | PCM_S_DRAINED | PCM_S_ERROR | \
                     PCM_S_OVERRUN)
#define W_BITS      (PCM_W_ENABLE | PCM_W_READ | PCM_W_WRITE)

static const PcmRegister device_registers[] = {
    RO("ID", PCM_ID, id_read),
    RO("VERSION", PCM_VERSION, version_read),
    RO("CAP", PCM_CAP, cap_read),
    EFFECT("CTRL", PCM_CTRL, PCM_CTRL_RESET, ctrl_read, ctrl_write),
    EFFECT("INT_STATUS", PCM_INT_STATUS, INT_ALL,
           int_status_read, int_status_write),
    FIELD_RW("INT_ENABLE", PCM_INT_ENABLE, PcmasterState, int_enable,
             INT_ALL, int_enable_write),

    RO("HW_ADDR_BITS", PCM_HW_ADDR_BITS, hw_addr_bits_read),
    FIELD_RW("ADDR_BITS", PCM_ADDR_BITS, PcmasterState, addr_bits,
             ALL32, addr_bits_write),
    FIELD_RW("LIMIT", PCM_LIMIT, PcmasterState, limit, ALL64, NULL),
    RO64("HW_BOUNDARY", PCM_HW_BOUNDARY, hw_boundary_read),
    FIELD_RW("BOUNDARY", PCM_BOUNDARY, PcmasterState, boundary, ALL64, NULL),
    FIELD_RW("NODE", PCM_NODE, PcmasterState, node, ALL32, NULL),
    FIELD_RW("POLICY", PCM_POLICY, PcmasterState, policy,
             MAKE_64BIT_MASK(0, 2 * PCM_RULE_COUNT), policy_write),
    RO("NODE_COUNT", PCM_NODE_COUNT, node_count_read),
    RO("DEVICE_NODE", PCM_DEVICE_NODE, device_node_read),

    FIELD_RO("LOG_COUNT", PCM_LOG_COUNT, PcmasterState, log.count),
    FIELD_RO("LOG_LOST", PCM_LOG_LOST, PcmasterState, log.lost),
    WO("LOG_CTRL", PCM_LOG_CTRL, PCM_LOG_POP | PCM_LOG_CLEAR, log_ctrl_write),
    RO("LOG_INFO", PCM_LOG_INFO, log_info_read),
    RO("LOG_LENGTH", PCM_LOG_LENGTH, log_length_read),
    RO64("LOG_ADDR", PCM_LOG_ADDR, log_address_read),
    RO64("LOG_EXPECTED", PCM_LOG_EXPECTED, log_expected_read),
    RO64("LOG_ACTUAL", PCM_LOG_ACTUAL, log_actual_read),
    RO64("LOG_FAULT", PCM_LOG_FAULT, log_fault_read),
    RO64("LOG_LANDED", PCM_LOG_LANDED, log_landed_read),
    RO64("LOG_TIME", PCM_LOG_TIME, log_time_read),
    RO("LOG_SEQUENCE", PCM_LOG_SEQUENCE, log_sequence_read),

    WO("EX_COMMAND", PCM_EX_COMMAND, ALL32, ex_command_write),
    RO("EX_STATUS", PCM_EX_STATUS, ex_status_read),
    FIELD_RW("EX_ADDR", PCM_EX_ADDR, PcmasterState, exerciser.address,
             ALL64, NULL),
    FIELD_RW("EX_LENGTH", PCM_EX_LENGTH, PcmasterState, exerciser.length,
             ALL32, NULL),
    FIELD_RW("EX_SEED", PCM_EX_SEED, PcmasterState, exerciser.seed,
             ALL64, NULL),
    FIELD_RO("EX_DONE", PCM_EX_DONE, PcmasterState, exerciser.done),
    FIELD_RO("EX_MISMATCHES", PCM_EX_MISMATCHES, PcmasterState,
             exerciser.mismatches),
    FIELD_RO("EX_FIRST_MISMATCH", PCM_EX_FIRST_MISMATCH, PcmasterState,
             exerciser.first_mismatch),
    FIELD_RO("EX_MISMATCH_BYTES", PCM_EX_MISMATCH_BYTES, PcmasterState,
             exerciser.mismatch_bytes),
    FIELD_RO("EX_CHECKSUM_VALUE", PCM_EX_CHECKSUM_VALUE, PcmasterState,
             exerciser.checksum),
    FIELD_RO("EX_NODELESS", PCM_EX_NODELESS, PcmasterState,
             exerciser.nodeless),
};

static const PcmRegister window_registers[] = {
    FIELD_RW("W_FIRST", PCM_W_FIRST, PcmWindow, first, ALL64, NULL),
    FIELD_RW("W_LAST", PCM_W_LAST, PcmWindow, last, ALL64, NULL),
    FIELD_RW("W_CTRL", PCM_W_CTRL, PcmWindow, ctrl, W_BITS,
             window_ctrl_write),
};

static const PcmRegister node_bytes_registers[] = {
    RO64("NODE_BYTES", 0, node_bytes_read),
};

static const PcmRegister node_lowest_registers[] = {
    RO64("NODE_LOWEST", 0, node_lowest_read),
};

static const PcmRegister stream_registers[] = {
    EFFECT("S_CTL", PCM_S_CTL, PCM_S_RUN, ctl_read, ctl_write),
    EFFECT("S_STATUS", PCM_S_STATUS, S_EVENTS | PCM_S_RUNNING,
           status_read, status_write),
    FIELD_RW("S_INT_ENABLE", PCM_S_INT_ENABLE, PcmStream, int_enable,
             S_EVENTS, stream_enable_write),
    FIELD_RW("S_FORMAT", PCM_S_FORMAT, PcmStream, next.format, ALL32, NULL),
    FIELD_RW("S_RATE", PCM_S_RATE, PcmStream, next.rate, ALL32, NULL),
    FIELD_RO("S_CAUSE", PCM_S_CAUSE, PcmStream, cause),
    FIELD_RW("S_BUFFER", PCM_S_BUFFER, PcmStream, next.buffer, ALL64, NULL),
    FIELD_RW("S_LENGTH", PCM_S_LENGTH, PcmStream, next.length, ALL32, NULL),
    FIELD_RW("S_PERIOD_FRAMES", PCM_S_PERIOD_FRAMES, PcmStream, next.period,
             ALL32, NULL),
    FIELD_RW("S_END", PCM_S_END, PcmStream, end_low, ALL32, NULL),
    EFFECT("S_END high", PCM_S_END + 4, ALL32, end_high_read, end_high_write),
    RO("S_POSITION", PCM_S_POSITION, position_read),
    FIELD_RO("S_POSITION high", PCM_S_POSITION + 4, PcmStream, position_high),
    FIELD_RO("S_LOST", PCM_S_LOST, PcmStream, lost),
};

#define BLOCK(base_, count_, stride_, member, table) \
    { .base = base_, .count = count_, .stride = stride_, \
      .elements = offsetof(PcmasterState, member), \
      .element_size = sizeof_field(PcmasterState, member[0]), \
      .registers = table, .register_count = ARRAY_SIZE(table) }

static const PcmBlock blocks[] = {
    { .base = 0, .count = 1, .stride = PCM_WINDOW(0),
      .registers = device_registers,
      .register_count = ARRAY_SIZE(device_registers) },
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

    if (block->registers == stream_registers && index >= s->playback) {
        return false;
    }
    for (unsigned i = 0; i < block->register_count; i++) {
        const PcmRegister *reg = &block->registers[i];

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
