/*
 * pcmaster qtests: registers, properties and reset
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pcmaster-bus.h"
#include "pcmaster-test.h"

typedef struct RegisterCase {
    unsigned offset;
    uint32_t reset;
    uint32_t write;             /* a value to write ... */
    uint32_t readback;          /* ... and what it leaves */
} RegisterCase;

static const RegisterCase register_cases[] = {
    { PCM_ID, 0x414d4350, 0, 0x414d4350 },
    { PCM_VERSION, 0x00020001, ~0u, 0x00020001 },
    { PCM_CAP, 0x01004011, ~0u, 0x01004011 },
    { PCM_CAP2, 0x00110200, ~0u, 0x00110200 },
    { PCM_CTRL, 0, ~1u, 0 },
    { 0x014, 0, ~0u, 0 },
    { PCM_INT_STATUS, 0, ~0u, 0 },
    { PCM_INT_ENABLE, 0, ~0u, 0x00030003 },
    { PCM_STREAMS_START, 0, 0, 0 },
    { PCM_STREAMS_STOP, 0, ~0u, 0 },
    { PCM_STREAMS_PAUSE, 0, ~0u, 0 },
    { PCM_STREAMS_RESUME, 0, ~0u, 0 },
    { PCM_INT_VECTOR, 0, 16, 16 },
    { PCM_INT_VECTOR, 0, 17, 0 },
    { PCM_HW_ADDR_BITS, 64, 20, 64 },
    { PCM_ADDR_BITS, 64, 20, 20 },
    { PCM_ADDR_BITS, 64, 64, 64 },
    { PCM_ADDR_BITS, 64, 19, 64 },
    { PCM_ADDR_BITS, 64, 65, 64 },
    { PCM_ADDR_BITS, 64, 0, 64 },
    { PCM_LIMIT, ~0u, 0x12345678, 0x12345678 },
    { PCM_LIMIT + 4, ~0u, 0x9abcdef0, 0x9abcdef0 },
    { PCM_HW_BOUNDARY, ~0u, 0, ~0u },
    { PCM_HW_BOUNDARY + 4, ~0u, 0, ~0u },
    { PCM_BOUNDARY, ~0u, 0xffff, 0xffff },
    { PCM_BOUNDARY + 4, ~0u, 0, 0 },
    { PCM_NODE, ~0u, 3, 3 },
    { PCM_HW_NODE, ~0u, 0, ~0u },
    { PCM_POLICY, 0, 0x2aaaa, 0x2aaaa },
    { PCM_POLICY, 0, 0x15555, 0x15555 },
    { PCM_POLICY, 0, ~0u, 0 },
    { PCM_POLICY, 0, 0x303c1, 0x00001 },
    { PCM_HW_ALIGN, 1, 2, 1 },
    { PCM_ALIGN, 1, 0x10000, 0x10000 },
    { PCM_ALIGN, 1, 0x20000, 1 },
    { PCM_ALIGN, 1, 0x30, 1 },
    { PCM_ALIGN, 1, 0, 1 },
    { PCM_HW_GRAIN, 1, 2, 1 },
    { PCM_GRAIN, 1, 0x10000, 0x10000 },
    { PCM_GRAIN, 1, 0x20000, 1 },
    { PCM_GRAIN, 1, 0x30, 1 },
    { PCM_GRAIN, 1, 0, 1 },
    { PCM_HW_BURST, 0, 16, 0 },
    { PCM_BURST, 0, 16, 16 },
    { PCM_BURST, 0, 0x80000000, 0x80000000 },
    { PCM_BURST, 0, 8, 0 },
    { PCM_BURST, 0, 24, 0 },
    { PCM_NODE_COUNT, 1, ~0u, 1 },
    { PCM_DEVICE_NODE, ~0u, 0, ~0u },
    { PCM_LOG_COUNT, 0, ~0u, 0 },
    { PCM_LOG_LOST, 0, ~0u, 0 },
    { PCM_LOG_CTRL, 0, ~0u, 0 },
    { PCM_LOG_INFO, 0, ~0u, 0 },
    { PCM_LOG_LENGTH, 0, ~0u, 0 },
    { PCM_LOG_ADDR, 0, ~0u, 0 },
    { PCM_LOG_ADDR + 4, 0, ~0u, 0 },
    { PCM_LOG_EXPECTED, 0, ~0u, 0 },
    { PCM_LOG_ACTUAL, 0, ~0u, 0 },
    { PCM_LOG_FAULT, 0, ~0u, 0 },
    { PCM_LOG_LANDED, 0, ~0u, 0 },
    { PCM_LOG_TIME, 0, ~0u, 0 },
    { PCM_LOG_SEQUENCE, 0, ~0u, 0 },
    { PCM_LOG_PC, 0, ~0u, 0 },
    { PCM_LOG_PC + 4, 0, ~0u, 0 },
    { PCM_EX_COMMAND, 0, 0, 0 },
    { PCM_EX_STATUS, 0, ~0u, 0 },
    { PCM_EX_ADDR, 0, 0x12345678, 0x12345678 },
    { PCM_EX_ADDR + 4, 0, 0x9abcdef0, 0x9abcdef0 },
    { PCM_EX_LENGTH, 0, ~0u, ~0u },
    { PCM_EX_SEED, 0, 0x12345678, 0x12345678 },
    { PCM_EX_SEED + 4, 0, 0x9abcdef0, 0x9abcdef0 },
    { PCM_EX_DONE, 0, ~0u, 0 },
    { PCM_EX_MISMATCHES, 0, ~0u, 0 },
    { PCM_EX_FIRST_MISMATCH, 0, ~0u, 0 },
    { PCM_EX_MISMATCH_BYTES, 0, ~0u, 0 },
    { PCM_EX_CHECKSUM_VALUE, 0, ~0u, 0 },
    { PCM_EX_NODELESS, 0, ~0u, 0 },
    { 0x238, 0, ~0u, 0 },
    { 0x7fc, 0, ~0u, 0 },
    { PCM_INJ_IRQ_DELAY, 0, 1, 0 },
    { PCM_INJ_REQUESTERS, 0, 1, 0 },
    { PCM_INJ_SILENCE, 0, 1, 0 },
    { 0x2ac, 0, ~0u, 0 },
    { PCM_WINDOW(0) + PCM_W_FIRST, 0, 0x12345678, 0x12345678 },
    { PCM_WINDOW(0) + PCM_W_FIRST + 4, 0, ~0u, ~0u },
    { PCM_WINDOW(0) + PCM_W_LAST, 0, 0x12345678, 0x12345678 },
    { PCM_WINDOW(0) + PCM_W_CTRL, 0, ~0u, 7 },
    { PCM_WINDOW(0) + 0x14, 0, ~0u, 0 },
    { PCM_WINDOW(63) + PCM_W_FIRST, 0, 0x9abcdef0, 0x9abcdef0 },
    { PCM_WINDOW(63) + PCM_W_LAST + 4, 0, 0x9abcdef0, 0x9abcdef0 },
    { PCM_WINDOW(63) + PCM_W_CTRL, 0, 5, 5 },
    { PCM_NODE_BYTES(0), 0, ~0u, 0 },
    { PCM_NODE_BYTES(127) + 4, 0, ~0u, 0 },
    { PCM_NODE_LOWEST(0), 0, ~0u, 0 },
    { PCM_NODE_LOWEST(0) + 4, 0, ~0u, 0 },
    { PCM_NODE_LOWEST(1), ~0u, 0, ~0u },
    { PCM_NODE_LOWEST(127) + 4, ~0u, 0, ~0u },
    { PCM_NODE_LOWEST(128), 0, ~0u, 0 },
    { PCM_NODE_DISTANCE(0), 0, ~0u, 0 },
    { PCM_NODE_DISTANCE(127), 0, ~0u, 0 },
    { PCM_NODE_DISTANCE(128), 0, ~0u, 0 },
    { PCM_ACC(0) + PCM_A_READ_BYTES, 0, ~0u, 0 },
    { PCM_ACC(16) + PCM_A_READS + 4, 0, ~0u, 0 },
    { PCM_ACC(18) + PCM_A_WRITE_BYTES, 0, ~0u, 0 },
    { PCM_ACC(18) + PCM_A_WRITES + 4, 0, ~0u, 0 },
    { PCM_ACC(19), 0, ~0u, 0 },
    { PCM_ACC_WEIGHED, 0, ~0u, 0 },
    { PCM_ACC_WEIGHT + 4, 0, ~0u, 0 },
    { PCM_ACC_CTRL, 0, ~0u, 0 },
    { PCM_ACC_NODE(0) + PCM_A_READS, 0, ~0u, 0 },
    { PCM_ACC_NODE(127) + PCM_A_WRITES + 4, 0, ~0u, 0 },
    { PCM_STREAM(0) + PCM_S_CTL, 0, 0xfe, PCM_S_SELF_CLEAR },
    { PCM_STREAM(0) + PCM_S_STATUS, 0, ~0u, 0 },
    { PCM_STREAM(0) + PCM_S_INT_ENABLE, 0, ~0u, 0x1f },
    { PCM_STREAM(0) + PCM_S_FORMAT, 0, 0x203, 0x203 },
    { PCM_STREAM(1) + PCM_S_FORMAT, 0, ~0u, 0x00ffffff },
    { PCM_STREAM(0) + PCM_S_RATE, 0, 48000, 48000 },
    { PCM_STREAM(0) + PCM_S_CAUSE, 0, ~0u, 0 },
    { PCM_STREAM(0) + PCM_S_BUFFER, 0, 0x12345678, 0x12345678 },
    { PCM_STREAM(0) + PCM_S_BUFFER + 4, 0, 0x9abcdef0, 0x9abcdef0 },
    { PCM_STREAM(0) + PCM_S_LENGTH, 0, ~0u, ~0u },
    { PCM_STREAM(0) + PCM_S_PERIOD_FRAMES, 0, ~0u, ~0u },
    { PCM_STREAM(0) + PCM_S_END, 0, 0x12345678, 0x12345678 },
    { PCM_STREAM(0) + PCM_S_END + 4, 0, 0x9abcdef0, 0x9abcdef0 },
    { PCM_STREAM(0) + PCM_S_POSITION, 0, ~0u, 0 },
    { PCM_STREAM(0) + PCM_S_POSITION + 4, 0, ~0u, 0 },
    { PCM_STREAM(0) + PCM_S_LOST, 0, ~0u, 0 },
    { PCM_STREAM(0) + PCM_S_XRUNS, 0, ~0u, 0 },
    { PCM_STREAM(0) + PCM_S_FRAGMENTS, 0, ~0u, ~0u },
    { PCM_STREAM(0) + PCM_S_VECTOR, 1, 16, 16 },
    { PCM_STREAM(0) + PCM_S_VECTOR, 1, 17, 1 },
    { PCM_STREAM(0) + PCM_S_VOLUME, 0xffff, ~0u, 0x8000ffff },
    { PCM_STREAM(0) + 0x4c, 0, ~0u, 0 },
    { PCM_STREAM(0) + PCM_S_WRITEBACK, 0, 0x12345678, 0x12345678 },
    { PCM_STREAM(0) + PCM_S_WRITEBACK + 4, 0, 0x9abcdef0, 0x9abcdef0 },
    { PCM_STREAM(0) + PCM_S_READY, ~0u, 0x12345678, 0x12345678 },
    { PCM_STREAM(0) + PCM_S_READY + 4, ~0u, 0x9abcdef0, 0x9abcdef0 },
    { PCM_STREAM(0) + PCM_S_SLACK, 0, ~0u, ~0u },
    { PCM_STREAM(0) + 0x64, 0, ~0u, 0 },
    { PCM_STREAM(0) + PCM_S_READY_AT, 0, 0x12345678, 0x12345678 },
    { PCM_STREAM(0) + PCM_S_READY_AT + 4, 0, 0x9abcdef0, 0x9abcdef0 },
    { PCM_STREAM(1) + PCM_S_RATE, 0, ~0u, ~0u },
    { PCM_STREAM(1) + PCM_S_READY, ~0u, 0, 0 },
    { PCM_STREAM(2) + PCM_S_RATE, 0, ~0u, 0 },
    { PCM_STREAM(15) + PCM_S_RATE, 0, ~0u, 0 },
    { 0x2800, 0, ~0u, 0 },
};

/* Each register alone, from reset to reset. */
static void test_registers(void)
{
    Dut *d = dut_start("q35", "");

    for (unsigned i = 0; i < ARRAY_SIZE(register_cases); i++) {
        const RegisterCase *c = &register_cases[i];

        g_test_message("register 0x%x value 0x%x", c->offset, c->write);
        g_assert_cmphex(dut_read(d, c->offset), ==, c->reset);
        dut_write(d, c->offset, c->write);
        g_assert_cmphex(dut_read(d, c->offset), ==, c->readback);
        dut_write(d, PCM_CTRL, PCM_CTRL_RESET);
        g_assert_cmphex(dut_read(d, c->offset), ==, c->reset);
    }
    dut_stop(d);
}

/* 8 bytes act as two accesses of 4; other sizes leave everything alone. */
static void test_access_sizes(void)
{
    Dut *d = dut_start("q35", "");

    qpci_io_writeq(d->dev, d->bar, PCM_LIMIT, 0x123456789abcdef0ull);
    g_assert_cmphex(dut_read(d, PCM_LIMIT), ==, 0x9abcdef0);
    g_assert_cmphex(dut_read(d, PCM_LIMIT + 4), ==, 0x12345678);
    g_assert_cmphex(qpci_io_readq(d->dev, d->bar, PCM_LIMIT), ==,
                    0x123456789abcdef0ull);
    qpci_io_writeb(d->dev, d->bar, PCM_LIMIT, 0x55);
    qpci_io_writew(d->dev, d->bar, PCM_LIMIT, 0x5555);
    g_assert_cmphex(dut_read64(d, PCM_LIMIT), ==, 0x123456789abcdef0ull);
    g_assert_cmphex(qpci_io_readb(d->dev, d->bar, PCM_ID), ==, 0);
    g_assert_cmphex(qpci_io_readw(d->dev, d->bar, PCM_ID), ==, 0);
    g_assert_cmphex(qpci_io_readq(d->dev, d->bar, PCM_ID), ==,
                    0x00020001414d4350ull);
    dut_stop(d);
}

static unsigned count_reports(const char *path)
{
    g_autofree char *text = NULL;
    unsigned count = 0;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    for (const char *at = text; (at = strstr(at, "pcmaster: ")); at++) {
        count++;
    }
    return count;
}

typedef struct ReportCase {
    unsigned offset;
    uint32_t value;
    unsigned reports;
    bool read;                  /* else @value is written */
} ReportCase;

static const ReportCase reports_of_all[] = {
    { PCM_INT_STATUS, PCM_INT_STREAM(0) | PCM_INT_EXERCISER, 0 },
    { PCM_INT_STATUS, PCM_INT_STREAM(2), 1 },
    { PCM_INT_ENABLE, PCM_INT_STREAM(2), 1 },
    { PCM_STREAMS_STOP, 3, 0 },
    { PCM_STREAMS_START, 4, 1 },
    { PCM_STREAMS_STOP, 1u << 31, 1 },
    { PCM_STREAMS_PAUSE, 4, 1 },
    { PCM_STREAMS_RESUME, 0x8000, 1 },
    { PCM_STREAM(0) + PCM_S_STATUS, PCM_S_RUNNING | PCM_S_PERIOD, 0 },
    { PCM_STREAM(0) + PCM_S_STATUS, PCM_S_PAUSED, 0 },
    { PCM_STREAM(0) + PCM_S_STATUS, 1u << 5, 1 },
    { PCM_STREAM(0) + PCM_S_CTL, 1u << 3, 1 },
    { PCM_STREAM(0) + PCM_S_VOLUME, 1u << 16, 1 },
    { PCM_STREAM(2) + PCM_S_RATE, 1, 1 },
    { PCM_ADDR_BITS, 65, 1 },
    { PCM_ALIGN, 3, 1 },
    { PCM_GRAIN, 0, 1 },
    { PCM_BURST, 8, 1 },
    { PCM_BURST, 0, 0 },
    { PCM_NODE, 7, 0 },
    { PCM_HW_ALIGN, 1, 1 },
    { PCM_POLICY, 3, 1 },
    { PCM_ID, 1, 1 },
    { PCM_LOG_CTRL, PCM_LOG_POP, 1 },
    { PCM_LOG_CTRL, 0, 1, true },
    { PCM_EX_COMMAND, 0, 1, true },
    { PCM_STREAMS_START, 0, 1, true },
    { PCM_CTRL, 0, 0, true },
    { 0x014, 0, 1, true },
    { 0x014, 0, 1 },
    { PCM_STREAM(2) + PCM_S_RATE, 0, 1, true },
    { PCM_INT_VECTOR, PCM_VECTORS - 1, 0 },
    { PCM_INT_VECTOR, PCM_VECTORS, 1 },
    { PCM_STREAM(0) + PCM_S_VECTOR, PCM_VECTORS - 1, 0 },
    { PCM_STREAM(0) + PCM_S_VECTOR, PCM_VECTORS, 1 },
    { PCM_WINDOW(0) + PCM_W_FIRST, 1, 0 },
    { PCM_WINDOW(0) + PCM_W_CTRL, PCM_W_READ, 0 },
    { PCM_WINDOW(0) + PCM_W_CTRL, PCM_W_ENABLE, 1 },
    { PCM_WINDOW(0) + PCM_W_CTRL, 0, 0 },
    { PCM_INJ_FLIP, 0, 0, true },
    { PCM_INJ_FLIP, 0, 1 },
    { PCM_INJ_SILENCE, 1, 1 },
    { PCM_EX_COMMAND, PCM_EX_FILL, 1 },         /* without a length */
    { PCM_NODE, PCM_NODE_ANY, 0 },
    { PCM_EX_ADDR, 0x200000, 0 },
    { PCM_EX_LENGTH, 4 * MiB, 0 },
    { PCM_EX_COMMAND, 5, 1 },
    { PCM_EX_COMMAND, PCM_EX_FILL, 0 },
    { PCM_EX_COMMAND, PCM_EX_FILL, 1 },         /* it is busy */
};

/* Of a device that lacks something, and whose guest may inject faults. */
static const ReportCase reports_of_lesser[] = {
    { PCM_ADDR_BITS, 32, 0 },
    { PCM_ADDR_BITS, 33, 1 },
    { PCM_ALIGN, 8, 1 },
    { PCM_GRAIN, 8, 1 },
    { PCM_BURST, 0, 1 },
    { PCM_BURST, 128 * KiB, 1 },
    { PCM_NODE, 0, 0 },
    { PCM_NODE, 1, 1 },
    { PCM_NODE, PCM_NODE_ANY, 1 },
    { PCM_INJ_IRQ_DELAY, PCM_INJ_IRQ_DELAY_MAX, 0 },
    { PCM_INJ_IRQ_DELAY, PCM_INJ_IRQ_DELAY_MAX + 1, 1 },
    { PCM_INJ_STUCK, 0x10000, 1 },
    { PCM_INJ_REQUESTERS, 0x20000, 1 },
    { PCM_INJ_FLIP, ~0u, 0 },
    { PCM_INJ_FLIP_MASK, 0x100, 1 },
    { PCM_INJ_SILENCE, 2, 1 },
};

static void expect_reports(const char *options, const ReportCase *list,
                           unsigned count)
{
    g_autofree char *dir = g_dir_make_tmp("pcmaster-XXXXXX", NULL);
    g_autofree char *log = g_build_filename(dir, "log", NULL);
    g_autofree char *machine = g_strdup_printf("q35 -d guest_errors -D %s",
                                               log);
    Dut *d = dut_start(machine, options);

    for (unsigned i = 0; i < count; i++) {
        unsigned before = count_reports(log);

        g_test_message("%s 0x%x at 0x%x", list[i].read ? "read" : "write",
                       list[i].value, list[i].offset);
        if (list[i].read) {
            g_assert_cmphex(dut_read(d, list[i].offset), ==, list[i].value);
        } else {
            dut_write(d, list[i].offset, list[i].value);
        }
        g_assert_cmpuint(count_reports(log) - before, ==, list[i].reports);
    }
    dut_stop(d);
    unlink(log);
    rmdir(dir);
}

/* What is ignored is reported; what drivers write back by habit is not. */
static void test_reports(void)
{
    expect_reports("", reports_of_all, ARRAY_SIZE(reports_of_all));
    expect_reports(",addr-bits=32,align=16,grain=16,burst=64K,node=0,"
                   "guest-injection=on", reports_of_lesser,
                   ARRAY_SIZE(reports_of_lesser));
}

/* Properties: what the hardware is, and that a driver cannot loosen it. */
static void test_properties(void)
{
    Dut *d = dut_start("q35", ",addr-bits=32,boundary=64K,policy=record,"
                       "align=64,grain=8,burst=64K,node=0,playback=0,"
                       "capture=0");
    static const struct {
        unsigned hardware;
        unsigned offset;
        uint32_t value;
        uint32_t looser;
        uint32_t tighter;
    } list[] = {
        { PCM_HW_ADDR_BITS, PCM_ADDR_BITS, 32, 33, 24 },
        { PCM_HW_ALIGN, PCM_ALIGN, 64, 32, 128 },
        { PCM_HW_GRAIN, PCM_GRAIN, 8, 4, 16 },
        { PCM_HW_BURST, PCM_BURST, 64 * KiB, 128 * KiB, 32 * KiB },
        { PCM_HW_BURST, PCM_BURST, 64 * KiB, 0, 16 },
        { PCM_HW_NODE, PCM_NODE, 0, PCM_NODE_ANY, 0 },
        { PCM_HW_NODE, PCM_NODE, 0, 1, 0 },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
        g_assert_cmpuint(dut_read(d, list[i].hardware), ==, list[i].value);
        g_assert_cmpuint(dut_read(d, list[i].offset), ==, list[i].value);
        dut_write(d, list[i].offset, list[i].looser);
        g_assert_cmpuint(dut_read(d, list[i].offset), ==, list[i].value);
        dut_write(d, list[i].offset, list[i].tighter);
        g_assert_cmpuint(dut_read(d, list[i].offset), ==, list[i].tighter);
        dut_write(d, list[i].offset, list[i].value);
        g_assert_cmpuint(dut_read(d, list[i].offset), ==, list[i].value);
    }
    g_assert_cmphex(dut_read(d, PCM_CAP), ==, 0x01004000);
    g_assert_cmphex(dut_read64(d, PCM_HW_BOUNDARY), ==, 0xffff);
    g_assert_cmphex(dut_read64(d, PCM_BOUNDARY), ==, ONES);
    g_assert_cmphex(dut_read(d, PCM_POLICY), ==, 0x2aaaa);
    dut_write(d, PCM_INT_ENABLE, ~0u);
    g_assert_cmphex(dut_read(d, PCM_INT_ENABLE), ==, 3);
    g_assert_cmphex(dut_read(d, PCM_STREAM(0) + PCM_S_RATE), ==, 0);

    /* The hardware's boundary holds though the driver's says nothing. */
    dut_exercise(d, PCM_EX_FILL, 0x20ff00, 0x108, 1, PCM_EX_OK, 0x108);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_BOUNDARY, EX, true, PCM_POLICY_RECORD, 0x20ff00, 0x108,
        0xffff, 0x1ffff, 0x210000, 0x210000 });
    dut_expect_no_record(d);
    dut_stop(d);
}

/* A mask with holes, and policies of single rules. */
static void test_properties_in_detail(void)
{
    Dut *d = dut_start("q35", ",boundary-mask=0xf0ff,policy=wrap,"
                       "policy-boundary=record,policy-iommu=abort");

    g_assert_cmphex(dut_read64(d, PCM_HW_BOUNDARY), ==, 0xf0ff);
    g_assert_cmphex(dut_read(d, PCM_POLICY), ==, 0x05559);
    dut_write(d, PCM_POLICY, 0);
    dut_write(d, PCM_CTRL, PCM_CTRL_RESET);
    g_assert_cmphex(dut_read(d, PCM_POLICY), ==, 0x05559);
    dut_exercise(d, PCM_EX_FILL, 0x2000f0, 0x11, 1, PCM_EX_OK, 0x11);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_BOUNDARY, EX, true, PCM_POLICY_RECORD, 0x2000f0, 0x11,
        0xf0ff, 0x1ff, 0x200100, 0x200100 });
    dut_stop(d);
}

static const struct {
    const char *options;
    const char *report;         /* NULL: accepted */
} property_cases[] = {
    { "addr-bits=19", "addr-bits must be 20 to 64, not 19" },
    { "addr-bits=65", "addr-bits must be 20 to 64, not 65" },
    { "addr-bits=20", NULL },
    { "boundary=8", "boundary must be 0 or a power of two, 16 to 4G, "
                    "not 0x8" },
    { "boundary=8G", "boundary must be 0 or a power of two, 16 to 4G, "
                     "not 0x200000000" },
    { "boundary=24", "boundary must be 0 or a power of two, 16 to 4G, "
                     "not 0x18" },
    { "boundary=16", NULL },
    { "boundary=4G", NULL },
    { "boundary=64K,boundary-mask=255",
      "boundary and boundary-mask exclude each other" },
    { "boundary-mask=0", NULL },
    { "align=0", "align must be a power of two, 1 to 65536, not 0" },
    { "align=128K", "align must be a power of two, 1 to 65536, not 131072" },
    { "align=64K", NULL },
    { "grain=3", "grain must be a power of two, 1 to 65536, not 3" },
    { "grain=1", NULL },
    { "burst=8", "burst must be 0 or a power of two, 16 to 2147483648, "
                 "not 8" },
    { "burst=48", "burst must be 0 or a power of two, 16 to 2147483648, "
                  "not 48" },
    { "burst=2G", NULL },
    { "playback=9", "playback must be 0 to 8 streams, not 9" },
    { "capture=9", "capture must be 0 to 8 streams, not 9" },
    { "playback=8,capture=8", NULL },
    { "node=1", "node 1 is not there: the machine has 1" },
    { "node=0", NULL },
    { "policy-burst=maybe", "Parameter 'policy-burst' does not accept value "
                            "'maybe'" },
};

/* Properties that cannot be are refused, with the reason. */
static void test_property_limits(void)
{
    Dut *d = dut_launch("pc");

    for (unsigned i = 0; i < ARRAY_SIZE(property_cases); i++) {
        g_autofree char *answer = qtest_hmp(d->qts, "device_add pcmaster,%s",
                                            property_cases[i].options);
        g_autofree char *expected = property_cases[i].report ?
            g_strdup_printf("Error: %s\r\n", property_cases[i].report) :
            g_strdup("");

        g_assert_cmpstr(answer, ==, expected);
    }
    dut_stop(d);
}

/* Those that other PCI devices do not have say what they are for. */
static void test_property_descriptions(void)
{
    Dut *d = dut_start("q35", "");
    QDict *ours = dut_list_properties(d->qts, "pcmaster");
    QDict *others = dut_list_properties(d->qts, "pci-testdev");
    unsigned count = 0;

    for (const QDictEntry *e = qdict_first(ours); e;
         e = qdict_next(ours, e)) {
        const char *name = qdict_entry_key(e);
        const char *text;

        if (qdict_haskey(others, name)) {
            continue;
        }
        text = qdict_get_try_str(qobject_to(QDict, qdict_entry_value(e)),
                                 "description");
        g_test_message("%s: %s", name, text);
        /* What QEMU says by itself is a type, and one word. */
        g_assert_true(text && strchr(text, ' '));
        count++;
    }
    g_assert_cmpuint(count, ==, 15 + 1 + PCM_RULE_COUNT + 11 + 1);
    qobject_unref(ours);
    qobject_unref(others);
    dut_stop(d);
}

/* What a device is cannot change while it is there. */
static void test_policies_stay(void)
{
    Dut *d = dut_start("q35", ",policy-limit=wrap");
    static const char *const names[] = { "policy", "policy-limit" };
    static const char *const values[] = { "abort", "wrap" };

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        QString *value;

        g_assert_false(dut_qom_set(d, names[i],
                                   QOBJECT(qstring_from_str("record"))));
        value = qobject_to(QString, dut_qom_get(d, names[i]));
        g_assert_cmpstr(qstring_get_str(value), ==, values[i]);
        qobject_unref(value);
    }
    dut_stop(d);
}

/* --- Reset -------------------------------------------------------------- */

static void dirty(Dut *d)
{
    dut_write(d, PCM_ADDR_BITS, 24);
    dut_write64(d, PCM_LIMIT, 0x1234);
    dut_write64(d, PCM_BOUNDARY, 0xffff);
    dut_write(d, PCM_NODE, 2);
    dut_set_policies(d, PCM_POLICY_RECORD);
    dut_write(d, PCM_INT_ENABLE, 3);
    dut_set_window(d, 9, 1, 2, PCM_W_ENABLE);
    dut_command(d, PCM_EX_FILL, 0x200000, 4 * MiB, 1);
    dut_write(d, PCM_STREAM(0) + PCM_S_RATE, 12345);
    g_assert_cmpuint(dut_read(d, PCM_LOG_COUNT), ==, 4);
}

/* Each register is as after a reset, and nothing is under way. */
void pcm_expect_clean(Dut *d)
{
    for (unsigned i = 0; i < ARRAY_SIZE(register_cases); i++) {
        g_assert_cmphex(dut_read(d, register_cases[i].offset), ==,
                        register_cases[i].reset);
    }
    g_assert_cmphex(dut_read64(d, PCM_WINDOW(9) + PCM_W_FIRST), ==, 0);
    g_assert_cmphex(dut_read(d, PCM_WINDOW(9) + PCM_W_CTRL), ==, 0);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmphex(dut_read(d, PCM_EX_STATUS), ==, 0);
    g_assert_cmphex(dut_read(d, PCM_EX_DONE), ==, 0);
}

static void test_reset(void)
{
    Dut *d = dut_start("q35", "");

    qtest_irq_intercept_in(d->qts, "ioapic");
    dirty(d);
    g_assert_cmpint(raised_line(d), !=, -1);
    dut_write(d, PCM_CTRL, PCM_CTRL_RESET);
    g_assert_cmpint(raised_line(d), ==, -1);
    pcm_expect_clean(d);

    dirty(d);
    qtest_system_reset(d->qts);
    qpci_device_enable(d->dev);
    qpci_config_writel(d->dev, PCI_BASE_ADDRESS_0, d->bar.addr);
    pcm_expect_clean(d);
    dut_stop(d);
}

static void test_flr(void)
{
    Dut *d = dut_start("q35", "");
    uint8_t cap = qpci_find_capability(d->dev, PCI_CAP_ID_EXP, 0);

    g_assert_cmpuint(cap, !=, 0);
    g_assert_true(qpci_config_readl(d->dev, cap + PCI_EXP_DEVCAP) &
                  PCI_EXP_DEVCAP_FLR);
    dirty(d);
    qpci_config_writew(d->dev, cap + PCI_EXP_DEVCTL,
                       PCI_EXP_DEVCTL_BCR_FLR);
    qpci_device_enable(d->dev);
    qpci_config_writel(d->dev, PCI_BASE_ADDRESS_0, d->bar.addr);
    pcm_expect_clean(d);
    dut_stop(d);
}

void pcm_add_register_tests(void)
{
    qtest_add_func("/pcmaster/registers", test_registers);
    qtest_add_func("/pcmaster/access-sizes", test_access_sizes);
    qtest_add_func("/pcmaster/reports", test_reports);
    qtest_add_func("/pcmaster/properties/hardware", test_properties);
    qtest_add_func("/pcmaster/properties/detail", test_properties_in_detail);
    qtest_add_func("/pcmaster/properties/limits", test_property_limits);
    qtest_add_func("/pcmaster/properties/descriptions",
                   test_property_descriptions);
    qtest_add_func("/pcmaster/properties/policies", test_policies_stay);
    qtest_add_func("/pcmaster/pci/reset", test_reset);
    qtest_add_func("/pcmaster/pci/flr", test_flr);
}
