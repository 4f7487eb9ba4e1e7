/*
 * pcmaster: registers of the DMA port: rules, log, windows, nodes, accounting
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/log.h"
#include "registers.h"

/* --- Rules -------------------------------------------------------------- */

static uint64_t hw_addr_bits_read(PcmasterState *s, unsigned index)
{
    return s->hw.addr_bits;
}

static void refuse(const char *name, uint64_t value)
{
    qemu_log_mask(LOG_GUEST_ERROR, "pcmaster: %s 0x%" PRIx64 " is no such "
                  "value, or less strict than the hardware is\n", name,
                  value);
}

static void addr_bits_write(PcmasterState *s, unsigned index, uint64_t value)
{
    if (value >= PCM_ADDR_BITS_MIN && value <= s->hw.addr_bits) {
        s->addr_bits = value;
    } else {
        refuse("ADDR_BITS", value);
    }
}

static uint64_t hw_boundary_read(PcmasterState *s, unsigned index)
{
    return pcm_port_hw_mask(&s->hw);
}

static void align_write(PcmasterState *s, unsigned index, uint64_t value)
{
    if (pcm_align_valid(value) && value >= s->hw.align) {
        s->align = value;
    } else {
        refuse("ALIGN", value);
    }
}

static void grain_write(PcmasterState *s, unsigned index, uint64_t value)
{
    if (pcm_align_valid(value) && value >= s->hw.grain) {
        s->grain = value;
    } else {
        refuse("GRAIN", value);
    }
}

static void burst_write(PcmasterState *s, unsigned index, uint64_t value)
{
    if (pcm_burst_valid(value) &&
        (!s->hw.burst || (value && value <= s->hw.burst))) {
        s->burst = value;
    } else {
        refuse("BURST", value);
    }
}

static void node_write(PcmasterState *s, unsigned index, uint64_t value)
{
    if (s->hw.node == PCM_NODE_ANY || value == s->hw.node) {
        s->node = value;
    } else {
        refuse("NODE", value);
    }
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

static const PcmRegister port_registers[] = {
    RO("HW_ADDR_BITS", PCM_HW_ADDR_BITS, hw_addr_bits_read),
    FIELD_RW("ADDR_BITS", PCM_ADDR_BITS, PcmasterState, addr_bits,
             ALL32, addr_bits_write),
    FIELD_RW("LIMIT", PCM_LIMIT, PcmasterState, limit, ALL64, NULL),
    RO64("HW_BOUNDARY", PCM_HW_BOUNDARY, hw_boundary_read),
    FIELD_RW("BOUNDARY", PCM_BOUNDARY, PcmasterState, boundary, ALL64, NULL),
    FIELD_RW("NODE", PCM_NODE, PcmasterState, node, ALL32, node_write),
    FIELD_RO("HW_NODE", PCM_HW_NODE, PcmasterState, hw.node),
    FIELD_RW("POLICY", PCM_POLICY, PcmasterState, policy,
             MAKE_64BIT_MASK(0, 2 * PCM_RULE_COUNT), policy_write),
    RO("NODE_COUNT", PCM_NODE_COUNT, node_count_read),
    RO("DEVICE_NODE", PCM_DEVICE_NODE, device_node_read),
    FIELD_RO("HW_ALIGN", PCM_HW_ALIGN, PcmasterState, hw.align),
    FIELD_RW("ALIGN", PCM_ALIGN, PcmasterState, align, ALL32, align_write),
    FIELD_RO("HW_GRAIN", PCM_HW_GRAIN, PcmasterState, hw.grain),
    FIELD_RW("GRAIN", PCM_GRAIN, PcmasterState, grain, ALL32, grain_write),
    FIELD_RO("HW_BURST", PCM_HW_BURST, PcmasterState, hw.burst),
    FIELD_RW("BURST", PCM_BURST, PcmasterState, burst, ALL32, burst_write),
};

const PcmRegisterTable pcm_port_registers = {
    port_registers, ARRAY_SIZE(port_registers)
};

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
LOG_READER(pc)

static const PcmRegister log_registers[] = {
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
    RO64("LOG_PC", PCM_LOG_PC, log_pc_read),
};

const PcmRegisterTable pcm_log_registers = {
    log_registers, ARRAY_SIZE(log_registers)
};

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
    pcm_port_update_window(s, index);
}

static const PcmRegister window_registers[] = {
    FIELD_RW("W_FIRST", PCM_W_FIRST, PcmWindow, first, ALL64, NULL),
    FIELD_RW("W_LAST", PCM_W_LAST, PcmWindow, last, ALL64, NULL),
    FIELD_RW("W_CTRL", PCM_W_CTRL, PcmWindow, ctrl, PCM_W_ALL,
             window_ctrl_write),
};

const PcmRegisterTable pcm_window_registers = {
    window_registers, ARRAY_SIZE(window_registers)
};

/* --- NUMA --------------------------------------------------------------- */

static uint64_t node_bytes_read(PcmasterState *s, unsigned index)
{
    return s->exerciser.places.node_bytes[index];
}

static uint64_t node_lowest_read(PcmasterState *s, unsigned index)
{
    return pcm_node_lowest(index);
}

static uint64_t node_distance_read(PcmasterState *s, unsigned index)
{
    return pcm_node_distance(PCI_DEVICE(s), index);
}

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

static const PcmRegister node_distance_registers[] = {
    RO("NODE_DISTANCE", 0, node_distance_read),
};

const PcmRegisterTable pcm_node_distance_registers = {
    node_distance_registers, ARRAY_SIZE(node_distance_registers)
};

/* --- Accounting --------------------------------------------------------- */

static void acc_ctrl_write(PcmasterState *s, unsigned index, uint64_t value)
{
    if (value & PCM_ACC_CLEAR) {
        pcm_accounting_clear(s);
    }
}

static const PcmRegister accounting_registers[] = {
    FIELD_RO("ACC_WEIGHED", PCM_ACC_WEIGHED, PcmAccounting, weighed),
    FIELD_RO("ACC_WEIGHT", PCM_ACC_WEIGHT, PcmAccounting, weight),
    WO("ACC_CTRL", PCM_ACC_CTRL, PCM_ACC_CLEAR, acc_ctrl_write),
};

const PcmRegisterTable pcm_accounting_registers = {
    accounting_registers, ARRAY_SIZE(accounting_registers)
};

static const PcmRegister count_registers[] = {
    FIELD_RO("A_READ_BYTES", PCM_A_READ_BYTES, PcmCount, read_bytes),
    FIELD_RO("A_READS", PCM_A_READS, PcmCount, reads),
    FIELD_RO("A_WRITE_BYTES", PCM_A_WRITE_BYTES, PcmCount, write_bytes),
    FIELD_RO("A_WRITES", PCM_A_WRITES, PcmCount, writes),
};

const PcmRegisterTable pcm_count_registers = {
    count_registers, ARRAY_SIZE(count_registers)
};
