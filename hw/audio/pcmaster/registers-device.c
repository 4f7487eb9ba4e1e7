/*
 * pcmaster: registers of the device, its port, its log and its exerciser
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/log.h"
#include "registers.h"

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

/* --- The tables --------------------------------------------------------- */

#define INT_OWN     (PCM_INT_VIOLATION | PCM_INT_EXERCISER)
#define INT_ALL     (INT_OWN | 0xffff0000u)
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

const PcmRegisterTable pcm_device_registers = {
    device_registers, ARRAY_SIZE(device_registers)
};

static const PcmRegister window_registers[] = {
    FIELD_RW("W_FIRST", PCM_W_FIRST, PcmWindow, first, ALL64, NULL),
    FIELD_RW("W_LAST", PCM_W_LAST, PcmWindow, last, ALL64, NULL),
    FIELD_RW("W_CTRL", PCM_W_CTRL, PcmWindow, ctrl, W_BITS,
             window_ctrl_write),
};

const PcmRegisterTable pcm_window_registers = {
    window_registers, ARRAY_SIZE(window_registers)
};

static const PcmRegister node_bytes_registers[] = {
    RO64("NODE_BYTES", 0, node_bytes_read),
};

const PcmRegisterTable pcm_node_bytes_registers = {
    node_bytes_registers, ARRAY_SIZE(node_bytes_registers)
};

static const PcmRegister node_lowest_registers[] = {
    RO64("NODE_LOWEST", 0, node_lowest_read),
};

const PcmRegisterTable pcm_node_lowest_registers = {
    node_lowest_registers, ARRAY_SIZE(node_lowest_registers)
};
