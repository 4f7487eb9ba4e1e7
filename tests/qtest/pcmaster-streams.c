/*
 * pcmaster qtests: streams that are refused, stopped or overtaxed
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pcmaster-bus.h"
#include "pcmaster-player.h"
#include "pcmaster-test.h"

typedef struct RefusedCase {
    uint32_t format;
    uint32_t rate;
    uint32_t length;
    unsigned cause;
} RefusedCase;

static const RefusedCase refused_cases[] = {
    { PCM_S_S16 | PCM_S_CHANNELS(0), 48000, 4096, PCM_S_CAUSE_FORMAT },
    { PCM_S_S16 | PCM_S_CHANNELS(3), 48000, 4096, PCM_S_CAUSE_FORMAT },
    { PCM_S_S16 | PCM_S_CHANNELS(255), 48000, 4096, PCM_S_CAUSE_FORMAT },
    { 7 | PCM_S_CHANNELS(2), 48000, 4096, PCM_S_CAUSE_FORMAT },
    { 255 | PCM_S_CHANNELS(2), 48000, 4096, PCM_S_CAUSE_FORMAT },
    { ~0u, 48000, 4096, PCM_S_CAUSE_FORMAT },
    { PCM_S_S16 | PCM_S_CHANNELS(2), 0, 4096, PCM_S_CAUSE_FORMAT },
    { PCM_S_S16 | PCM_S_CHANNELS(2), 3999, 4096, PCM_S_CAUSE_FORMAT },
    { PCM_S_S16 | PCM_S_CHANNELS(2), 192001, 4096, PCM_S_CAUSE_FORMAT },
    { PCM_S_S16 | PCM_S_CHANNELS(2), ~0u, 4096, PCM_S_CAUSE_FORMAT },
    { PCM_S_S16 | PCM_S_CHANNELS(2), 48000, 0, PCM_S_CAUSE_BUFFER },
    { PCM_S_S16 | PCM_S_CHANNELS(2), 48000, 4095, PCM_S_CAUSE_BUFFER },
    { PCM_S_F32 | PCM_S_CHANNELS(2), 48000, 4100, PCM_S_CAUSE_BUFFER },
    { PCM_S_U8 | PCM_S_CHANNELS(2), 48000, 1, PCM_S_CAUSE_BUFFER },
};

static void expect_refusal(Dut *d, unsigned cause)
{
    dut_write(d, S0(CTL), PCM_S_RUN);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_ERROR);
    g_assert_cmpuint(dut_read(d, S0(CAUSE)), ==, cause);
    g_assert_cmphex(dut_read(d, S0(CTL)), ==, 0);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, PCM_INT_STREAM(0));
    dut_write(d, S0(STATUS), PCM_S_ERROR);
}

static void test_refused(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    dut_write(d, S0(INT_ENABLE), PCM_S_ERROR);
    dut_write64(d, S0(BUFFER), RING);
    for (unsigned i = 0; i < ARRAY_SIZE(refused_cases); i++) {
        const RefusedCase *c = &refused_cases[i];

        dut_write(d, S0(FORMAT), c->format);
        dut_write(d, S0(RATE), c->rate);
        dut_write(d, S0(LENGTH), c->length);
        expect_refusal(d, c->cause);
    }
    dut_write(d, S0(FORMAT), PCM_S_S16 | PCM_S_CHANNELS(2));
    dut_write(d, S0(RATE), 48000);
    dut_write(d, S0(LENGTH), 4096);
    dut_set_bus_master(d, false);
    expect_refusal(d, PCM_S_CAUSE_DMA);
    dut_set_bus_master(d, true);
    dut_write(d, S0(CTL), PCM_S_RUN);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_RUNNING);
    g_assert_cmpuint(dut_read(d, S0(CAUSE)), ==, PCM_S_CAUSE_NONE);
    dut_stop(d);
    player_free(p);
}

/* A start that is refused takes the DRAINED of the run before with it. */
static void test_refused_while_draining(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    player_start(p, 48000, 4096, 0, 480);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, 0);
    dut_write(d, S0(RATE), 1);
    dut_write(d, S0(CTL), PCM_S_RUN);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_ERROR);
    qtest_clock_step(d->qts, 200000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_ERROR);
    dut_stop(d);
    player_expect_wav(p, 480);
    player_free(p);
}

/*
 * A start with frames that the back end does not take, of which it can have
 * but one voice: the one that plays out is left alone.
 */
static void test_refused_frame(void)
{
    g_autofree char *options = NULL;
    Player *p = player_prepare(44100, "unused", "", &options);
    g_autofree char *machine = g_strdup_printf(
        "q35 -audiodev wav,id=snd,path=%s,out.mixing-engine=off", p->wav);
    Dut *d = p->d = dut_start(machine, ",audiodev=snd,capture=0");

    player_start(p, 44100, 4096, 0, 700);
    qtest_clock_step(d->qts, 16000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, 0);
    dut_write(d, S0(INT_ENABLE), PCM_S_ERROR);
    dut_write(d, S0(FORMAT), PCM_S_S16 | PCM_S_CHANNELS(1));
    expect_refusal(d, PCM_S_CAUSE_BACKEND);
    qtest_clock_step(d->qts, 200000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, 0);
    dut_stop(d);
    player_expect_wav(p, 700);
    player_free(p);
}

/* The back end cannot record such samples: no voice opens. */
static void test_no_back_end(void)
{
    Player *p = player_new_on(48000, ",out.format=f32", "q35");
    Dut *d = p->d;

    dut_write(d, S0(INT_ENABLE), PCM_S_ERROR);
    dut_write(d, S0(FORMAT), PCM_S_S16 | PCM_S_CHANNELS(2));
    dut_write(d, S0(RATE), 48000);
    dut_write64(d, S0(BUFFER), RING);
    dut_write(d, S0(LENGTH), 4096);
    expect_refusal(d, PCM_S_CAUSE_BACKEND);
    dut_expect_no_record(d);
    dut_stop(d);
    player_free(p);
}

/* The last of eight streams has its own bit, requester number and ring. */
static void test_last_stream(void)
{
    Dut *d = dut_start("q35 -audiodev none,id=snd",
                       ",audiodev=snd,playback=8");
    const unsigned s7 = PCM_STREAM(7);

    g_assert_cmpuint(PCM_CAP_PLAYBACK(dut_read(d, PCM_CAP)), ==, 8);
    dut_write(d, PCM_ADDR_BITS, 24);
    dut_write(d, s7 + PCM_S_INT_ENABLE, PCM_S_ERROR);
    dut_write(d, s7 + PCM_S_FORMAT, PCM_S_S16 | PCM_S_CHANNELS(2));
    dut_write(d, s7 + PCM_S_RATE, 48000);
    dut_write64(d, s7 + PCM_S_BUFFER, 0x1000000);
    dut_write(d, s7 + PCM_S_LENGTH, 4096);
    dut_write(d, s7 + PCM_S_CTL, PCM_S_RUN);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmphex(dut_read(d, s7 + PCM_S_STATUS), ==, PCM_S_ERROR);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==,
                    PCM_INT_STREAM(7) | PCM_INT_VIOLATION);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_LIMIT, 7, false, PCM_POLICY_ABORT, 0x1000000, 4 * 480,
        0xffffff, 0x1000000 + 4 * 480 - 1, 0x1000000, PCM_LANDED_NOWHERE });
    dut_write(d, PCM_STREAM(9) + PCM_S_RATE, 48000);
    g_assert_cmpuint(dut_read(d, PCM_STREAM(9) + PCM_S_RATE), ==, 0);
    dut_stop(d);
}

/* The ring runs into a window's end: the stream stops at the bad byte's DMA. */
static void test_refused_dma(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    dut_set_window(d, 0, RING, RING + 4 * 1000 - 1, PCM_W_ENABLE | PCM_W_READ);
    player_start(p, 48000, 4096, 0, 0);
    for (unsigned i = 0; i < 10; i++) {
        qtest_clock_step(d->qts, 5000000);
        dut_read(d, S0(POSITION));
    }
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_ERROR);
    g_assert_cmpuint(dut_read(d, S0(CAUSE)), ==, PCM_S_CAUSE_DMA);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 960);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_WINDOW, 0, false, PCM_POLICY_ABORT, RING + 4 * 960, 4 * 240,
        RING + 3999, ONES, RING + 4000, PCM_LANDED_NOWHERE });
    dut_expect_no_record(d);
    dut_stop(d);
    player_expect_wav(p, 960);
    player_free(p);
}

/* The boundary is seen from the start of the ring, not of each read. */
static void test_stream_boundary(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    dut_write64(d, PCM_BOUNDARY, 0xfff);
    player_start(p, 48000, 2048, 0, 0);
    qtest_clock_step(d->qts, 10000000);
    qtest_clock_step(d->qts, 10000000);
    dut_expect_no_record(d);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_ERROR);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_BOUNDARY, 0, false, PCM_POLICY_ABORT, RING + 4 * 960,
        4 * 480, 0xfff, 0x1fff, RING + 0x1000, PCM_LANDED_NOWHERE });
    dut_stop(d);
    player_free(p);
}

/* Bus mastering taken away while playing. */
static void test_bus_master_lost(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    player_start(p, 48000, 2048, 0, 0);
    qtest_clock_step(d->qts, 10000000);
    dut_set_bus_master(d, false);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_ERROR);
    g_assert_cmpuint(dut_read(d, S0(CAUSE)), ==, PCM_S_CAUSE_DMA);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 480);
    dut_expect_no_record(d);
    dut_stop(d);
    player_expect_wav(p, 480);
    player_free(p);
}

/* A ring of which each byte is a piece costs too much: frames are lost. */
static void start_costly(Dut *d)
{
    dut_write64(d, PCM_BOUNDARY, 0);
    dut_set_policies(d, PCM_POLICY_WRAP);
    dut_write(d, S0(FORMAT), PCM_S_F32 | PCM_S_CHANNELS(2));
    dut_write(d, S0(RATE), 192000);
    dut_write64(d, S0(BUFFER), RING);
    dut_write(d, S0(LENGTH), 0x10000);
    dut_write(d, S0(CTL), PCM_S_RUN);
}

static void test_effort(void)
{
    Dut *d = dut_start("q35 -audiodev none,id=snd,timer-period=5000",
                       ",audiodev=snd");

    /* 960 frames of 8 bytes each time suffice, 1920 do not. */
    start_costly(d);
    for (unsigned i = 0; i < 10; i++) {
        qtest_clock_step(d->qts, 1000000);
        dut_read(d, S0(POSITION));
    }
    g_assert_cmpuint(dut_read(d, S0(LOST)), ==, 0);
    dut_stop(d);

    d = dut_start("q35 -audiodev none,id=snd", ",audiodev=snd");
    start_costly(d);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_RUNNING | PCM_S_LATE);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 1920);
    g_assert_cmpuint(dut_read(d, S0(LOST)), >, 0);
    g_assert_cmpuint(dut_read(d, S0(LOST)), <=, 1920 - 8192 / 8);
    dut_stop(d);
}

/*
 * The streams of a device share what they may cost, however often they are
 * looked at.
 */
static void test_effort_is_shared(void)
{
    Dut *d = dut_start("q35 -audiodev none,id=snd",
                       ",audiodev=snd,playback=8");
    uint64_t fetched = 0;

    dut_write64(d, PCM_BOUNDARY, 0);
    dut_set_policies(d, PCM_POLICY_WRAP);
    for (unsigned n = 0; n < 8; n++) {
        stream_set_up(d, n, PCM_S_F32 | PCM_S_CHANNELS(2), 192000, RING,
                      0x10000);
        dut_write(d, PCM_STREAM(n) + PCM_S_PERIOD_FRAMES, 1);
    }
    dut_write(d, PCM_STREAMS_START, 0xff);
    qtest_clock_step(d->qts, 1000000000);
    for (unsigned n = 0; n < 8; n++) {
        fetched += stream_position(d, n) - stream_read(d, n, PCM_S_LOST);
        g_assert_cmpuint(stream_position(d, n), ==, 192000);
    }
    /* In pieces of one byte each; a step of 1 KiB may go beyond. */
    g_assert_cmpuint(8 * fetched, <=, 8192 + 1000 * 1024 + 1000 * 1024);
    g_assert_cmpuint(8 * fetched, >=, 1000 * 1024 / 2);
    dut_stop(d);
}

/* A back end that is too slow: lost frames are counted, none is invented. */
static void test_overrun(void)
{
    Player *p = player_new(8000, "q35");
    Dut *d = p->d;
    uint32_t lost;

    player_start(p, 192000, 8192, 0, 100000);
    qtest_clock_step(d->qts, 2000000000);
    lost = dut_read(d, S0(LOST));
    g_assert_cmpuint(lost, ==, 0);
    dut_stop(d);
    player_free(p);

    p = player_new(192000, "q35");
    d = p->d;
    player_start(p, 192000, 8192, 0, 100000);
    qtest_clock_step(d->qts, 2000000000);
    lost = dut_read(d, S0(LOST));
    g_assert_cmpuint(lost, >, 0);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_LATE | PCM_S_DRAINED);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 100000);
    dut_stop(d);
    {
        g_autofree char *file = NULL;
        gsize size;

        g_assert_true(g_file_get_contents(p->wav, &file, &size, NULL));
        g_assert_cmpuint(size, ==, WAV_HEADER + 4 * (100000 - lost));
    }
    player_free(p);
}

/*
 * A back end that takes nothing: the FIFO is full when the ring begins anew, on
 * a line that no transfer may cross.  None is made, so none breaks a rule.
 */
static void test_fifo_full(void)
{
    Dut *d = dut_start("q35 -audiodev none,id=snd,timer-period=3600000000",
                       ",audiodev=snd");

    dut_set_policies(d, PCM_POLICY_ABORT);
    dut_write64(d, PCM_BOUNDARY, 0xffff);
    stream_set_up(d, 0, S16_STEREO, 192000, RING, 0x10000);
    dut_write(d, S0(CTL), PCM_S_RUN);
    qtest_clock_step(d->qts, 200000000);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 38400);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_RUNNING | PCM_S_LATE);
    g_assert_cmpuint(dut_read(d, S0(LOST)), ==, 38400 - 0x10000 / 4);
    dut_expect_no_record(d);
    dut_stop(d);
}

/* Each bit of S_STATUS has a message of its own. */
static void test_msi_of_stream(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    msi_enable(d, MSI_MAILBOX, 0x4321);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_STREAM(0));
    dut_write(d, S0(INT_ENABLE), 0xf);
    player_start(p, 48000, 4096, 480, 960);
    qtest_clock_step(d->qts, 9000000);
    g_assert_false(msi_arrived(d));
    qtest_clock_step(d->qts, 1000000);
    g_assert_true(msi_arrived(d));
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_PERIOD);
    g_assert_false(msi_arrived(d));
    qtest_clock_step(d->qts, 200000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_PERIOD | PCM_S_DRAINED);
    g_assert_true(msi_arrived(d));

    dut_write64(d, S0(END), 0);
    dut_write(d, S0(PERIOD_FRAMES), 0);
    start_costly(d);
    qtest_clock_step(d->qts, 20000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_RUNNING | PCM_S_LATE);
    g_assert_true(msi_arrived(d));
    dut_set_policies(d, PCM_POLICY_ABORT);
    qtest_clock_step(d->qts, 20000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_LATE | PCM_S_ERROR);
    g_assert_true(msi_arrived(d));
    dut_stop(d);
    player_free(p);
}

/* XRUN has one, too. */
static void test_msi_of_xrun(void)
{
    Dut *d = dut_start("q35 -audiodev none,id=snd", ",audiodev=snd");

    msi_enable(d, MSI_MAILBOX, 0x4321);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_STREAM(0));
    dut_write(d, S0(INT_ENABLE), PCM_S_XRUN);
    dut_write64(d, S0(READY), 100);
    start_silence(d, 0);
    qtest_clock_step(d->qts, 1000000);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 48);
    g_assert_false(msi_arrived(d));
    qtest_clock_step(d->qts, 2000000);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 144);
    g_assert_true(msi_arrived(d));
    g_assert_cmpuint(dut_read(d, S0(XRUNS)), ==, 44);
    dut_stop(d);
}

/* --- Over the edge of 32 bits ------------------------------------------- */

#define A_DAY_NS        (24 * 3600 * 1000000000ll)

/*
 * Frames of most of a day at once: a counter stays at its maximum, and the
 * high half of the position that was read stays over a new run.
 */
static void test_saturation(void)
{
    Dut *d = dut_start("q35 -audiodev wav,id=snd,out.format=f32",
                       ",audiodev=snd,loopback=on");
    const unsigned s1 = PCM_STREAM(1);
    uint64_t position;

    stream_set_up(d, 1, PCM_S_U8 | PCM_S_CHANNELS(1), 192000, RING, 4096);
    dut_write64(d, s1 + PCM_S_READY, 0);
    dut_write(d, s1 + PCM_S_CTL, PCM_S_RUN);
    for (unsigned i = 1; i <= 2; i++) {
        qtest_clock_step(d->qts, A_DAY_NS);
        position = frames_in(i * A_DAY_NS, 192000);
        g_assert_cmpuint(stream_position(d, 1), ==, position);
        g_assert_cmpuint(dut_read(d, s1 + PCM_S_XRUNS), ==,
                         MIN(position - 4096, UINT32_MAX));
    }
    dut_write(d, s1 + PCM_S_CTL, 0);
    dut_write(d, s1 + PCM_S_CTL, PCM_S_RUN);
    g_assert_cmpuint(position >> 32, !=, 0);
    g_assert_cmpuint(dut_read(d, s1 + PCM_S_POSITION + 4), ==,
                     position >> 32);
    g_assert_cmpuint(stream_position(d, 1), ==, 0);
    g_assert_cmpuint(dut_read(d, s1 + PCM_S_POSITION + 4), ==, 0);
    dut_stop(d);
}

/* A read that fetches frames, and finds no memory there, sends one, too. */
static void test_msi_of_read(void)
{
    Dut *d = dut_start("q35 -audiodev none,id=snd", ",audiodev=snd");

    msi_enable(d, MSI_MAILBOX, 0x4321);
    dut_set_policies(d, PCM_POLICY_RECORD);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_VIOLATION);
    start_silence(d, 0);
    dut_write(d, S0(CTL), 0);
    dut_write64(d, S0(BUFFER), 1ull << 40);
    dut_write(d, S0(CTL), PCM_S_RUN);
    qtest_clock_step(d->qts, 1000000);
    g_assert_false(msi_arrived(d));
    g_assert_cmpuint(dut_read(d, S0(POSITION)), ==, 48);
    g_assert_true(msi_arrived(d));
    dut_stop(d);
}

/* Values at the edges of what registers hold: nothing hangs or breaks. */
static void test_extremes(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    dut_set_policies(d, PCM_POLICY_RECORD);
    dut_write(d, S0(FORMAT), PCM_S_U8 | PCM_S_CHANNELS(1));
    dut_write(d, S0(RATE), 192000);
    dut_write64(d, S0(BUFFER), ONES - 0xffff0000);
    dut_write(d, S0(LENGTH), ~0u);
    dut_write(d, S0(PERIOD_FRAMES), 1);
    dut_write64(d, S0(END), ONES);
    dut_write(d, S0(INT_ENABLE), 0xf);
    dut_write(d, S0(CTL), PCM_S_RUN);
    qtest_clock_step(d->qts, 500000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)) & PCM_S_RUNNING, !=, 0);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 96000);
    g_assert_cmpuint(dut_read(d, PCM_LOG_COUNT), ==, 256);
    g_assert_cmpuint(dut_read(d, PCM_LOG_LOST), <, 20000);
    dut_write(d, S0(CTL), 0);
    dut_write(d, S0(LENGTH), 1);
    dut_write(d, S0(PERIOD_FRAMES), ~0u);
    dut_write(d, S0(CTL), PCM_S_RUN);
    qtest_clock_step(d->qts, 500000000);
    dut_write64(d, S0(END), 1);
    qtest_clock_step(d->qts, 500000000);
    g_assert_true(dut_read(d, S0(STATUS)) & PCM_S_DRAINED);
    dut_write(d, S0(CTL), PCM_S_RUN);
    dut_write(d, PCM_CTRL, PCM_CTRL_RESET);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, 0);
    qtest_clock_step(d->qts, 500000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, 0);
    dut_stop(d);
    player_free(p);
}

/* A stream whose driver does not keep pace needs no bus, but has it. */
static void test_xrun_without_bus(const void *data)
{
    const bool silent = !strcmp(data, "silence");

    for (unsigned n = 0; n < 2; n++) {
        Dut *d = dut_start("q35 -audiodev none,id=snd", ",audiodev=snd");
        const unsigned base = PCM_STREAM(n);

        stream_set_up(d, n, S16_STEREO, 48000, RING, 4 * 480);
        dut_write64(d, base + PCM_S_READY, 0);
        dut_write(d, base + PCM_S_PERIOD_FRAMES, 480);
        dut_write(d, base + PCM_S_CTL, PCM_S_RUN);
        qtest_clock_step(d->qts, 20000000);
        g_assert_cmphex(dut_read(d, base + PCM_S_STATUS), ==,
                        PCM_S_RUNNING | PCM_S_PERIOD | PCM_S_XRUN);
        if (silent) {
            g_assert_true(dut_qom_set(d, "inject-silence",
                                      QOBJECT(qbool_from_bool(true))));
        } else {
            dut_set_bus_master(d, false);
        }
        qtest_clock_step(d->qts, 20000000);
        if (silent) {
            g_assert_true(dut_qom_set(d, "inject-silence",
                                      QOBJECT(qbool_from_bool(false))));
        }
        g_assert_cmphex(dut_read(d, base + PCM_S_STATUS), ==,
                        PCM_S_ERROR | PCM_S_PERIOD | PCM_S_XRUN);
        g_assert_cmpuint(dut_read(d, base + PCM_S_CAUSE), ==,
                         PCM_S_CAUSE_DMA);
        g_assert_cmpuint(stream_position(d, n), ==, 960);
        dut_stop(d);
    }
}

void pcm_add_stream_tests(void)
{
    qtest_add_func("/pcmaster/stream/refused", test_refused);
    qtest_add_func("/pcmaster/stream/refused-draining",
                   test_refused_while_draining);
    qtest_add_func("/pcmaster/stream/refused-frame", test_refused_frame);
    qtest_add_func("/pcmaster/stream/no-back-end", test_no_back_end);
    qtest_add_func("/pcmaster/stream/last-of-eight", test_last_stream);
    qtest_add_func("/pcmaster/stream/refused-dma", test_refused_dma);
    qtest_add_func("/pcmaster/stream/boundary", test_stream_boundary);
    qtest_add_func("/pcmaster/stream/bus-master-lost", test_bus_master_lost);
    qtest_add_func("/pcmaster/stream/overrun", test_overrun);
    qtest_add_func("/pcmaster/stream/fifo-full", test_fifo_full);
    qtest_add_func("/pcmaster/stream/effort", test_effort);
    qtest_add_func("/pcmaster/stream/effort-shared", test_effort_is_shared);
    qtest_add_func("/pcmaster/stream/msi", test_msi_of_stream);
    qtest_add_func("/pcmaster/stream/msi-of-read", test_msi_of_read);
    qtest_add_func("/pcmaster/stream/msi-of-xrun", test_msi_of_xrun);
    qtest_add_func("/pcmaster/stream/saturation", test_saturation);
    qtest_add_func("/pcmaster/stream/extremes", test_extremes);
    pcm_add_case("stream/xrun-without-bus", "bus-master", "bus-master",
                 test_xrun_without_bus);
    pcm_add_case("stream/xrun-without-bus", "silence", "silence",
                 test_xrun_without_bus);
}
