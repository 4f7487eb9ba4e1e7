/*
 * pcmaster: the registers that the fuzz target knows
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_FUZZ_PCMASTER_MAP_H
#define TESTS_FUZZ_PCMASTER_MAP_H

#include "hw/audio/pcmaster/pcmaster_regs.h"

static const uint16_t of_device[] = {
    PCM_ID, PCM_VERSION, PCM_CAP, PCM_CAP2, PCM_CTRL, PCM_INT_STATUS,
    PCM_INT_ENABLE, PCM_INT_VECTOR, PCM_STREAMS_START, PCM_STREAMS_STOP,
    PCM_STREAMS_PAUSE, PCM_STREAMS_RESUME, PCM_HW_ADDR_BITS, PCM_ADDR_BITS,
    PCM_LIMIT, PCM_LIMIT + 4, PCM_HW_BOUNDARY, PCM_HW_BOUNDARY + 4,
    PCM_BOUNDARY, PCM_BOUNDARY + 4, PCM_NODE, PCM_HW_NODE, PCM_POLICY,
    PCM_NODE_COUNT, PCM_DEVICE_NODE, PCM_HW_ALIGN, PCM_ALIGN, PCM_HW_GRAIN,
    PCM_GRAIN, PCM_HW_BURST, PCM_BURST, PCM_LOG_COUNT, PCM_LOG_LOST,
    PCM_LOG_CTRL, PCM_LOG_INFO, PCM_LOG_LENGTH, PCM_LOG_ADDR,
    PCM_LOG_ADDR + 4, PCM_LOG_EXPECTED, PCM_LOG_EXPECTED + 4, PCM_LOG_ACTUAL,
    PCM_LOG_ACTUAL + 4, PCM_LOG_FAULT, PCM_LOG_FAULT + 4, PCM_LOG_LANDED,
    PCM_LOG_LANDED + 4, PCM_LOG_TIME, PCM_LOG_TIME + 4, PCM_LOG_SEQUENCE,
    PCM_LOG_PC, PCM_LOG_PC + 4, PCM_EX_COMMAND, PCM_EX_STATUS, PCM_EX_ADDR,
    PCM_EX_ADDR + 4, PCM_EX_LENGTH, PCM_EX_SEED, PCM_EX_SEED + 4, PCM_EX_DONE,
    PCM_EX_MISMATCHES, PCM_EX_FIRST_MISMATCH, PCM_EX_MISMATCH_BYTES,
    PCM_EX_CHECKSUM_VALUE, PCM_EX_NODELESS, PCM_INJ_IRQ_DELAY,
    PCM_INJ_IRQ_LOSE, PCM_INJ_IRQ_REPEAT, PCM_INJ_STUCK, PCM_INJ_REQUESTERS,
    PCM_INJ_FLIP, PCM_INJ_FLIP_OFFSET, PCM_INJ_FLIP_MASK, PCM_INJ_CUT,
    PCM_INJ_CUT_LENGTH, PCM_INJ_SILENCE, PCM_NODE_BYTES(0),
    PCM_NODE_BYTES(0) + 4, PCM_NODE_BYTES(1), PCM_NODE_BYTES(1) + 4,
    PCM_NODE_BYTES(127), PCM_NODE_LOWEST(0), PCM_NODE_LOWEST(0) + 4,
    PCM_NODE_LOWEST(1), PCM_NODE_LOWEST(2), PCM_NODE_DISTANCE(0),
    PCM_NODE_DISTANCE(127), PCM_ACC_WEIGHED, PCM_ACC_WEIGHED + 4,
    PCM_ACC_WEIGHT, PCM_ACC_WEIGHT + 4, PCM_ACC_CTRL,
};

/* Blocks of counters. */
static const uint16_t counters[] = {
    PCM_ACC(0), PCM_ACC(7), PCM_ACC(15), PCM_ACC(PCM_ACC_EXERCISER),
    PCM_ACC(PCM_ACC_NODELESS), PCM_ACC(PCM_ACC_TOTAL), PCM_ACC_NODE(0),
    PCM_ACC_NODE(1), PCM_ACC_NODE(127),
};

static const uint8_t of_counters[] = {
    PCM_A_READ_BYTES, PCM_A_READ_BYTES + 4, PCM_A_READS, PCM_A_READS + 4,
    PCM_A_WRITE_BYTES, PCM_A_WRITE_BYTES + 4, PCM_A_WRITES, PCM_A_WRITES + 4,
};

/* Windows of which all registers are looked at. */
static const uint8_t windows[] = { 0, 1, 31, PCM_WINDOW_COUNT - 1 };

static const uint8_t of_window[] = {
    PCM_W_FIRST, PCM_W_FIRST + 4, PCM_W_LAST, PCM_W_LAST + 4, PCM_W_CTRL,
};

/* PCM_S_POSITION comes first: a look at it brings the rest to the present. */
static const uint8_t of_stream[] = {
    PCM_S_POSITION, PCM_S_POSITION + 4, PCM_S_CTL, PCM_S_STATUS,
    PCM_S_INT_ENABLE, PCM_S_FORMAT, PCM_S_RATE, PCM_S_CAUSE, PCM_S_BUFFER,
    PCM_S_BUFFER + 4, PCM_S_LENGTH, PCM_S_PERIOD_FRAMES, PCM_S_END,
    PCM_S_END + 4, PCM_S_LOST, PCM_S_XRUNS, PCM_S_FRAGMENTS, PCM_S_VECTOR,
    PCM_S_VOLUME, PCM_S_WRITEBACK, PCM_S_WRITEBACK + 4, PCM_S_READY,
    PCM_S_READY + 4, PCM_S_SLACK, PCM_S_READY_AT, PCM_S_READY_AT + 4,
};

#define STREAM_REGISTERS    (PCM_STREAM_COUNT * ARRAY_SIZE(of_stream))
#define WINDOW_REGISTERS    (ARRAY_SIZE(windows) * ARRAY_SIZE(of_window))
#define COUNTER_REGISTERS   (ARRAY_SIZE(counters) * ARRAY_SIZE(of_counters))
#define REGISTERS \
    (STREAM_REGISTERS + WINDOW_REGISTERS + COUNTER_REGISTERS + \
     ARRAY_SIZE(of_device))

/* Offset of register @n of all, the streams' first. */
static inline uint32_t register_offset(unsigned n)
{
    n %= REGISTERS;
    if (n < STREAM_REGISTERS) {
        return PCM_STREAM(n / ARRAY_SIZE(of_stream)) +
               of_stream[n % ARRAY_SIZE(of_stream)];
    }
    n -= STREAM_REGISTERS;
    if (n < WINDOW_REGISTERS) {
        return PCM_WINDOW(windows[n / ARRAY_SIZE(of_window)]) +
               of_window[n % ARRAY_SIZE(of_window)];
    }
    n -= WINDOW_REGISTERS;
    if (n < COUNTER_REGISTERS) {
        return counters[n / ARRAY_SIZE(of_counters)] +
               of_counters[n % ARRAY_SIZE(of_counters)];
    }
    return of_device[n - COUNTER_REGISTERS];
}

#endif /* TESTS_FUZZ_PCMASTER_MAP_H */
