/*
 * pcmaster qtests: the worked examples of the specification
 *
 * The lines are those of docs/specs/pcmaster.rst, "Worked examples", so that
 * what a reader copies from there is known to work.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pcmaster-msix.h"
#include "pcmaster-player.h"
#include "pcmaster-test.h"

#define BUF             0x200000
#define S(n)            PCM_STREAM(n)
#define PERIOD          1024
#define LATENCY_NS      3000000
#define WRITEBACK       0x280000
#define READY_AT        0x2b0040
#define ECHO_RING       0x500000

#define rd(reg)         dut_read(d, reg)
#define wr(reg, v)      dut_write(d, reg, v)
#define rd64(reg)       dut_read64(d, reg)
#define wr64(reg, v)    dut_write64(d, reg, v)

static void test_identify(void)
{
    Dut *d = dut_start("q35", ",playback=3,capture=2,addr-bits=30");

    g_assert_cmphex(rd(PCM_ID), ==, PCM_ID_VALUE);
    g_assert_cmpuint(rd(PCM_VERSION) >> 16, ==, 2);
    g_assert_cmpuint(PCM_CAP_PLAYBACK(rd(PCM_CAP)), ==, 3);
    g_assert_cmpuint(PCM_CAP_CAPTURE(rd(PCM_CAP)), ==, 2);
    g_assert_cmpuint(rd(PCM_HW_ADDR_BITS), ==, 30);
    dut_stop(d);
}

static void ask_for_a_buffer(Dut *d, uint32_t node)
{
    wr(PCM_ADDR_BITS, 24);
    wr64(PCM_BOUNDARY, 0xffff);
    wr(PCM_NODE, node);
    wr64(PCM_WINDOW(0) + PCM_W_FIRST, BUF);
    wr64(PCM_WINDOW(0) + PCM_W_LAST, BUF + 8191);
    wr(PCM_WINDOW(0) + PCM_W_CTRL, PCM_W_ENABLE | PCM_W_READ | PCM_W_WRITE);
}

static bool fill_a_buffer(Dut *d)
{
    wr64(PCM_EX_ADDR, BUF);
    wr(PCM_EX_LENGTH, 8192);
    wr64(PCM_EX_SEED, 42);
    wr(PCM_EX_COMMAND, PCM_EX_FILL);
    while (rd(PCM_EX_STATUS) & PCM_EX_BUSY) {
        qtest_clock_step_next(d->qts);
    }
    return PCM_EX_RESULT(rd(PCM_EX_STATUS)) == PCM_EX_OK;
}

static void test_buffer(void)
{
    Dut *d = dut_start("q35", "");
    g_autofree uint8_t *cpu = g_malloc(8192);

    ask_for_a_buffer(d, 0);
    g_assert_true(fill_a_buffer(d));
    qtest_bufread(d->qts, BUF, cpu, 8192);
    for (unsigned i = 0; i < 8192; i++) {
        g_assert_cmphex(cpu[i], ==, (uint8_t)((42 + i / 8 * PCM_EX_STEP) >>
                                              8 * (i % 8)));
    }
    dut_stop(d);
}

/* The same on a machine where the buffer is on another node. */
static void test_buffer_elsewhere(void)
{
    Dut *d = dut_start("q35", "");
    uint32_t info;

    ask_for_a_buffer(d, 1);
    g_assert_false(fill_a_buffer(d));
    info = rd(PCM_LOG_INFO);
    g_assert_true(info & PCM_LOG_VALID);
    g_assert_cmpuint(PCM_LOG_RULE(info), ==, PCM_RULE_NODE);
    g_assert_cmphex(rd64(PCM_LOG_FAULT), ==, BUF);
    g_assert_cmpuint(rd64(PCM_LOG_EXPECTED), ==, 1);
    g_assert_cmpuint(rd64(PCM_LOG_ACTUAL), ==, 0);
    wr(PCM_LOG_CTRL, PCM_LOG_POP);
    dut_expect_no_record(d);
    dut_stop(d);
}

/* A window that was closed, with another one open: use after free. */
static void test_buffer_freed(void)
{
    Dut *d = dut_start("q35", "");

    ask_for_a_buffer(d, 0);
    dut_set_window(d, 1, BUF + 0x10000, BUF + 0x10fff,
                   PCM_W_ENABLE | PCM_W_READ | PCM_W_WRITE);
    g_assert_true(fill_a_buffer(d));
    wr(PCM_WINDOW(0) + PCM_W_CTRL, 0);
    g_assert_false(fill_a_buffer(d));
    g_assert_cmpuint(PCM_LOG_RULE(rd(PCM_LOG_INFO)), ==, PCM_RULE_WINDOW);
    dut_stop(d);
}

static void set_up_stream(Dut *d, unsigned n, uint64_t ring)
{
    wr(S(n) + PCM_S_FORMAT, PCM_S_S16 | PCM_S_CHANNELS(2));
    wr(S(n) + PCM_S_RATE, 48000);
    wr64(S(n) + PCM_S_BUFFER, ring);
    wr(S(n) + PCM_S_LENGTH, 4 * PERIOD * 4);
    wr(S(n) + PCM_S_PERIOD_FRAMES, PERIOD);
    wr64(S(n) + PCM_S_END, 0);
    wr(S(n) + PCM_S_INT_ENABLE,
       PCM_S_PERIOD | PCM_S_DRAINED | PCM_S_ERROR);
}

/* More periods, if there are. */
static void copy_in(Player *p, uint64_t played, uint64_t total)
{
    Dut *d = p->d;

    while (p->filled + PERIOD <= played + 4 * PERIOD && p->filled < total) {
        player_fill(p, MIN(p->filled + PERIOD, total));
    }
    wr64(S(0) + PCM_S_READY, p->filled);
    if (p->filled == total) {
        wr64(S(0) + PCM_S_END, total);
    }
}

static Player *start_example(const char *options)
{
    Player *p = player_new(48000, options);

    p->ring_frames = 4 * PERIOD;
    player_fill(p, 4 * PERIOD);
    set_up_stream(p->d, 0, RING);
    dut_write64(p->d, S(0) + PCM_S_READY, 4 * PERIOD);
    return p;
}

/*
 * The example's interrupt handler, which comes late.
 * Returns: the events of the stream
 */
static uint32_t handle_interrupt(Player *p, uint64_t total)
{
    Dut *d = p->d;
    uint32_t pending, status;

    qtest_clock_step(d->qts, LATENCY_NS);
    pending = rd(PCM_INT_STATUS);
    status = rd(S(0) + PCM_S_STATUS);
    wr(S(0) + PCM_S_STATUS, status);
    wr(PCM_INT_STATUS, pending);
    g_assert_cmphex(pending, ==, PCM_INT_STREAM(0));
    copy_in(p, rd64(S(0) + PCM_S_POSITION), total);
    return status;
}

static void test_play(void)
{
    const uint64_t total = 20 * PERIOD + 77;
    Player *p = start_example("q35");
    Dut *d = p->d;
    uint32_t status;

    qtest_irq_intercept_in(d->qts, "ioapic");
    wr(PCM_INT_ENABLE, PCM_INT_VIOLATION | PCM_INT_STREAM(0));
    wr(S(0) + PCM_S_CTL, PCM_S_RUN);
    do {
        while (raised_line(d) == -1) {
            qtest_clock_step_next(d->qts);
        }
        status = handle_interrupt(p, total);
    } while (!(status & PCM_S_DRAINED));
    g_assert_cmpuint(rd(S(0) + PCM_S_XRUNS), ==, 0);
    dut_stop(d);
    player_expect_wav(p, total);
    player_free(p);
}

/* MSI-X vector 1 tells of a period, memory of the position: no register. */
static void test_play_without_registers(void)
{
    const uint64_t periods = 12;
    Player *p = start_example("q35");
    Dut *d = p->d;
    uint32_t vectors;

    msix_start(d);
    wr(PCM_INT_ENABLE, PCM_INT_STREAM(0));
    wr64(S(0) + PCM_S_WRITEBACK, WRITEBACK);
    wr64(S(0) + PCM_S_READY_AT, READY_AT);
    qtest_writeq(d->qts, READY_AT, p->filled);
    wr(S(0) + PCM_S_CTL, PCM_S_RUN | PCM_S_SELF_CLEAR);
    for (uint64_t i = 1; i <= periods; i++) {
        while (!(vectors = msix_arrived(d))) {
            qtest_clock_step_next(d->qts);
        }
        g_assert_cmphex(vectors, ==, 1 << 1);
        g_assert_cmpuint(qtest_readq(d->qts, WRITEBACK +
                                     PCM_WRITEBACK_POSITION), ==, i * PERIOD);
        g_assert_cmphex(qtest_readl(d->qts, WRITEBACK +
                                    PCM_WRITEBACK_STATUS) & PCM_S_PERIOD, ==,
                        PCM_S_PERIOD);
        player_fill(p, (i + 4) * PERIOD);
        qtest_writeq(d->qts, READY_AT, p->filled);
    }
    g_assert_cmpuint(rd(S(0) + PCM_S_XRUNS), ==, 0);
    dut_stop(d);
    g_assert_cmpuint(player_check_wav(p, 0), >=, (periods - 1) * PERIOD);
    player_free(p);
}

static void test_record(void)
{
    Dut *d = dut_start("q35", ",playback=1,capture=1,loopback=on");
    g_autofree uint32_t *played = g_new(uint32_t, 4 * PERIOD);
    g_autofree uint32_t *heard = g_new(uint32_t, 4 * PERIOD);

    for (unsigned i = 0; i < 4 * PERIOD; i++) {
        played[i] = cpu_to_le32(frame(i));
    }
    qtest_bufwrite(d->qts, RING, played, 16 * PERIOD);
    set_up_stream(d, 0, RING);
    set_up_stream(d, 1, ECHO_RING);
    wr64(S(0) + PCM_S_END, 4 * PERIOD);
    wr64(S(1) + PCM_S_END, 4 * PERIOD);
    wr(PCM_STREAMS_START, 1 << 0 | 1 << 1);
    while (!(rd(S(1) + PCM_S_STATUS) & PCM_S_DRAINED)) {
        qtest_clock_step_next(d->qts);
    }
    qtest_bufread(d->qts, ECHO_RING, heard, 16 * PERIOD);
    g_assert_cmpmem(heard, 16 * PERIOD, played, 16 * PERIOD);
    dut_stop(d);
}

static void test_all_limits(void)
{
    Dut *d = dut_start("q35", ",addr-bits=40");

    /* Below 1 MiB is the firmware. */
    for (unsigned bits = 21; bits <= rd(PCM_HW_ADDR_BITS); bits++) {
        uint64_t last = MIN((1ull << bits), DUT_RAM_SIZE) - 64;

        wr(PCM_ADDR_BITS, bits);
        g_assert_cmpuint(rd(PCM_ADDR_BITS), ==, bits);
        dut_exercise(d, PCM_EX_FILL, last, 64, bits, PCM_EX_OK, 64);
        if (1ull << bits < DUT_RAM_SIZE) {
            dut_exercise(d, PCM_EX_FILL, last + 1, 64, bits,
                         PCM_EX_VIOLATION, 0);
        }
    }
    dut_stop(d);
}

void pcm_add_example_tests(void)
{
    qtest_add_func("/pcmaster/examples/identify", test_identify);
    qtest_add_func("/pcmaster/examples/buffer", test_buffer);
    qtest_add_func("/pcmaster/examples/buffer-elsewhere",
                   test_buffer_elsewhere);
    qtest_add_func("/pcmaster/examples/buffer-freed", test_buffer_freed);
    qtest_add_func("/pcmaster/examples/play", test_play);
    qtest_add_func("/pcmaster/examples/play-without-registers",
                   test_play_without_registers);
    qtest_add_func("/pcmaster/examples/record", test_record);
    qtest_add_func("/pcmaster/examples/all-limits", test_all_limits);
}
