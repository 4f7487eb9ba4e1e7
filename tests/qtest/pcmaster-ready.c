/*
 * pcmaster qtests: how far the driver is, kept in memory
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pcmaster-player.h"
#include "pcmaster-test.h"

#define RECORDING       0x500000
#define WORD            0x2a0008
#define FRAMES          4000            /* of the rings */
#define TICK_NS         10000000        /* 480 frames */

/* Two streams, of which the second hears the first; no voice opens. */
static Dut *start(void)
{
    Dut *d = dut_start("q35 -audiodev wav,id=snd,out.format=f32",
                       ",audiodev=snd,loopback=on");

    for (uint32_t i = 0; i < FRAMES; i++) {
        qtest_writel(d->qts, RING + 4 * i, frame(i));
    }
    stream_set_up(d, 0, S16_STEREO, 48000, RING, 4 * FRAMES);
    stream_set_up(d, 1, S16_STEREO, 48000, RECORDING, 4 * FRAMES);
    return d;
}

static void set_word(Dut *d, uint64_t ready)
{
    qtest_writeq(d->qts, WORD, ready);
}

/* Lets time pass; stream @n is then at @position, with @xruns. */
static void step(Dut *d, unsigned n, uint64_t position, uint32_t xruns)
{
    qtest_clock_step(d->qts, TICK_NS);
    g_assert_cmpuint(stream_position(d, n), ==, position);
    g_assert_cmpuint(stream_read(d, n, PCM_S_XRUNS), ==, xruns);
}

static uint64_t reads(Dut *d, unsigned n)
{
    return dut_read64(d, PCM_ACC(n) + PCM_A_READS);
}

/* Stream 0 plays, as far as memory says. */
static Dut *play(uint64_t ready)
{
    Dut *d = start();

    dut_write64(d, PCM_STREAM(0) + PCM_S_READY_AT, WORD);
    set_word(d, ready);
    dut_write(d, PCM_STREAMS_START, 1);
    return d;
}

/* Memory is asked when what is known is used up, and only then. */
static void test_playback(void)
{
    Dut *d = start();

    dut_write64(d, PCM_STREAM(0) + PCM_S_READY_AT, WORD);
    dut_write64(d, PCM_STREAM(0) + PCM_S_READY, PCM_S_READY_UNTOLD);
    set_word(d, 700);
    dut_write(d, PCM_STREAMS_START, 3);
    g_assert_cmpuint(dut_read64(d, PCM_STREAM(0) + PCM_S_READY), ==, 0);
    step(d, 0, 480, 0);
    g_assert_cmpuint(dut_read64(d, PCM_STREAM(0) + PCM_S_READY), ==, 700);
    set_word(d, 1000);
    stream_position(d, 0);
    g_assert_cmpuint(dut_read64(d, PCM_STREAM(0) + PCM_S_READY), ==, 700);
    step(d, 0, 960, 0);
    g_assert_cmpuint(dut_read64(d, PCM_STREAM(0) + PCM_S_READY), ==, 1000);
    step(d, 0, 1440, 440);
    set_word(d, 1ull << 32 | 5);
    step(d, 0, 1920, 440);
    g_assert_cmphex(dut_read64(d, PCM_STREAM(0) + PCM_S_READY), ==,
                    1ull << 32 | 5);
    g_assert_cmpuint(stream_position(d, 1), ==, 1920);
    for (uint32_t i = 0; i < 1920; i++) {
        g_assert_cmphex(qtest_readl(d->qts, RECORDING + 4 * i), ==,
                        i < 1000 || i >= 1440 ? frame(i) : 0);
    }
    dut_stop(d);
}

/* Frames that were not taken are not overwritten. */
static void test_capture(void)
{
    const unsigned ring = 500;
    Dut *d = start();

    dut_write(d, PCM_STREAM(1) + PCM_S_LENGTH, 4 * ring);
    dut_write64(d, PCM_STREAM(1) + PCM_S_READY_AT, WORD);
    dut_write(d, PCM_STREAMS_START, 3);
    step(d, 1, 480, 0);
    step(d, 1, 960, 960 - ring);
    set_word(d, 700);
    step(d, 1, 1440, 960 - ring + 1440 - 1200);
    for (uint32_t i = 960; i < 1200; i++) {
        g_assert_cmphex(qtest_readl(d->qts, RECORDING + 4 * (i % ring)), ==,
                        frame(i));
    }
    dut_stop(d);
}

/* The register counts at once: so less than was known can be told. */
static void test_register(void)
{
    Dut *d = play(3000);

    step(d, 0, 480, 0);
    set_word(d, 600);
    dut_write64(d, PCM_STREAM(0) + PCM_S_READY, 600);
    step(d, 0, 960, 360);
    dut_write64(d, PCM_STREAM(0) + PCM_S_READY, PCM_S_READY_UNTOLD);
    step(d, 0, 1440, 360);
    dut_stop(d);
}

/* One transaction, of the stream, when frames are due; none while all are. */
static void test_counted(void)
{
    Dut *d = play(480);

    step(d, 0, 480, 0);
    g_assert_cmpuint(reads(d, 0), ==, 2);
    g_assert_cmpuint(dut_read64(d, PCM_ACC(0) + PCM_A_READ_BYTES), ==,
                     PCM_READY_BYTES + 4 * 480);
    stream_position(d, 0);
    g_assert_cmpuint(reads(d, 0), ==, 2);
    set_word(d, FRAMES);
    step(d, 0, 960, 0);
    step(d, 0, 1440, 0);
    g_assert_cmpuint(reads(d, 0), ==, 5);
    dut_stop(d);
}

/* There is one look for all that is due, whether it is ready or not. */
static void test_once_playback(void)
{
    Dut *d = play(100);

    step(d, 0, 480, 380);
    g_assert_cmpuint(reads(d, 0), ==, 2);
    dut_stop(d);
}

/* The same for silence, which is recorded piece by piece. */
static void test_once_capture(void)
{
    Dut *d = start();

    dut_write(d, PCM_STREAM(1) + PCM_S_RATE, 192000);
    dut_write64(d, PCM_STREAM(1) + PCM_S_READY_AT, WORD);
    dut_write(d, PCM_STREAMS_START, 2);
    qtest_clock_step(d->qts, 400000000);
    g_assert_cmpuint(stream_position(d, 1), ==, 76800);
    g_assert_cmpuint(stream_read(d, 1, PCM_S_XRUNS), ==, 76800 - FRAMES);
    g_assert_cmpuint(reads(d, 1), ==, 1);
    dut_stop(d);
}

/* Frames for which the FIFO has no room are the back end's fault. */
static void test_full(void)
{
    const unsigned fifo = 16384;
    Dut *d = dut_start("q35 -audiodev none,id=snd,timer-period=3600000000",
                       ",audiodev=snd");

    stream_set_up(d, 0, S16_STEREO, 192000, RING, 4 * fifo);
    dut_write64(d, PCM_STREAM(0) + PCM_S_READY_AT, WORD);
    set_word(d, fifo);
    dut_write(d, PCM_STREAMS_START, 1);
    step(d, 0, 1920, 0);
    set_word(d, 1ull << 40);
    qtest_clock_step(d->qts, 200000000);
    g_assert_cmpuint(stream_position(d, 0), ==, 1920 + 38400);
    g_assert_cmphex(stream_read(d, 0, PCM_S_STATUS), ==,
                    PCM_S_RUNNING | PCM_S_LATE);
    g_assert_cmpuint(stream_read(d, 0, PCM_S_LOST), ==, 1920 + 38400 - fifo);
    dut_stop(d);
}

static void test_refused(void)
{
    Dut *d = start();

    dut_write64(d, PCM_STREAM(0) + PCM_S_READY_AT, WORD + 4);
    dut_write(d, PCM_STREAM(0) + PCM_S_CTL, PCM_S_RUN);
    g_assert_cmphex(stream_read(d, 0, PCM_S_STATUS), ==, PCM_S_ERROR);
    g_assert_cmpuint(stream_read(d, 0, PCM_S_CAUSE), ==, PCM_S_CAUSE_BUFFER);
    dut_stop(d);
}

/* It is judged like all that the stream reads. */
static void judge(unsigned n, uint64_t reached)
{
    Dut *d = start();

    dut_set_window(d, 0, RING, RING + 4 * FRAMES - 1,
                   PCM_W_ENABLE | PCM_W_READ);
    dut_set_window(d, 1, RECORDING, RECORDING + 4 * FRAMES - 1,
                   PCM_W_ENABLE | PCM_W_WRITE);
    dut_write(d, PCM_STREAM(1) + PCM_S_LENGTH, 4 * 480);
    dut_write64(d, PCM_STREAM(n) + PCM_S_READY_AT, WORD);
    dut_write(d, PCM_STREAMS_START, 1u << n);
    qtest_clock_step(d->qts, TICK_NS);
    g_assert_cmpuint(stream_position(d, n), ==, reached);
    qtest_clock_step(d->qts, TICK_NS);
    g_assert_cmpuint(stream_position(d, n), ==, reached);
    g_assert_cmphex(stream_read(d, n, PCM_S_STATUS), ==, PCM_S_ERROR);
    g_assert_cmpuint(stream_read(d, n, PCM_S_CAUSE), ==, PCM_S_CAUSE_DMA);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_WINDOW, n, false, PCM_POLICY_ABORT, WORD, PCM_READY_BYTES,
        ONES, ONES, WORD, PCM_LANDED_NOWHERE });
    dut_stop(d);
}

static void test_judged_playback(void)
{
    judge(0, 0);
}

static void test_judged_capture(void)
{
    judge(1, 480);
}

void pcm_add_ready_tests(void)
{
    qtest_add_func("/pcmaster/ready/playback", test_playback);
    qtest_add_func("/pcmaster/ready/capture", test_capture);
    qtest_add_func("/pcmaster/ready/register", test_register);
    qtest_add_func("/pcmaster/ready/counted", test_counted);
    qtest_add_func("/pcmaster/ready/once-playback", test_once_playback);
    qtest_add_func("/pcmaster/ready/once-capture", test_once_capture);
    qtest_add_func("/pcmaster/ready/full", test_full);
    qtest_add_func("/pcmaster/ready/refused", test_refused);
    qtest_add_func("/pcmaster/ready/judged-playback", test_judged_playback);
    qtest_add_func("/pcmaster/ready/judged-capture", test_judged_capture);
}
