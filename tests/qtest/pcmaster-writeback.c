/*
 * pcmaster qtests: what a stream tells without being asked; its volume
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pcmaster-bus.h"
#include "pcmaster-msix.h"
#include "pcmaster-player.h"
#include "pcmaster-test.h"

#define BLOCK           0x2a0008

/* As it must be in memory; the time apart. */
typedef struct Block {
    uint64_t position;
    uint32_t status;
    uint32_t cause;
    uint32_t lost;
    uint32_t xruns;
} Block;

/* It was written at @now, and is forgotten. */
static void expect_block(Dut *d, int64_t now, Block b)
{
    g_assert_cmpuint(qtest_readq(d->qts, BLOCK), ==, b.position);
    g_assert_cmpuint(qtest_readq(d->qts, BLOCK + 8), ==, now);
    g_assert_cmphex(qtest_readl(d->qts, BLOCK + 16), ==, b.status);
    g_assert_cmpuint(qtest_readl(d->qts, BLOCK + 20), ==, b.cause);
    g_assert_cmpuint(qtest_readl(d->qts, BLOCK + 24), ==, b.lost);
    g_assert_cmpuint(qtest_readl(d->qts, BLOCK + 28), ==, b.xruns);
    qtest_memset(d->qts, BLOCK, 0xff, PCM_WRITEBACK_BYTES);
}

static void expect_none(Dut *d)
{
    g_assert_cmphex(qtest_readq(d->qts, BLOCK), ==, ONES);
    g_assert_cmphex(qtest_readq(d->qts, BLOCK + 8), ==, ONES);
    g_assert_cmphex(qtest_readq(d->qts, BLOCK - 8), ==, 0);
    g_assert_cmphex(qtest_readq(d->qts, BLOCK + 32), ==, 0);
}

static Player *start(unsigned period, uint64_t end)
{
    Player *p = player_new(48000, "q35");

    qtest_memset(p->d->qts, BLOCK, 0xff, PCM_WRITEBACK_BYTES);
    dut_write64(p->d, S0(WRITEBACK), BLOCK);
    player_start(p, 48000, 4096, period, end);
    expect_none(p->d);
    return p;
}

/* At each period, and at the end twice: when it is reached, and drained. */
static void test_periods(void)
{
    Player *p = start(240, 600);
    Dut *d = p->d;
    int64_t now = p->start;

    for (unsigned i = 1; i <= 2; i++) {
        qtest_clock_step(d->qts, 4999999);
        expect_none(d);
        now = qtest_clock_step(d->qts, 1);
        expect_block(d, now, (Block) {
            i * 240, PCM_S_RUNNING | PCM_S_PERIOD });
    }
    now = qtest_clock_step(d->qts, 2500000);
    expect_block(d, now, (Block) { 600, PCM_S_PERIOD });
    dut_write(d, S0(STATUS), PCM_S_PERIOD);
    while (!dut_read(d, S0(STATUS))) {
        expect_none(d);
        now = qtest_clock_step(d->qts, 1000000);
        g_assert_cmpint(now, <, p->start + 300000000);
    }
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_DRAINED);
    g_assert_cmpuint(qtest_readq(d->qts, BLOCK), ==, 600);
    g_assert_cmpuint(qtest_readq(d->qts, BLOCK + 8), >, now - 1000000);
    g_assert_cmphex(qtest_readl(d->qts, BLOCK + 16), ==, PCM_S_DRAINED);
    dut_stop(d);
    player_expect_wav(p, 600);
    player_free(p);
}

static void test_pause_and_stop(void)
{
    Player *p = start(0, 0);
    Dut *d = p->d;
    int64_t now = qtest_clock_step(d->qts, 5000000);

    expect_none(d);
    dut_write(d, S0(CTL), PCM_S_RUN | PCM_S_PAUSE);
    expect_block(d, now, (Block) { 240, PCM_S_RUNNING | PCM_S_PAUSED });
    now = qtest_clock_step(d->qts, 5000000);
    dut_write(d, S0(CTL), PCM_S_RUN);
    expect_none(d);
    now = qtest_clock_step(d->qts, 5000000);
    dut_write(d, S0(CTL), 0);
    expect_block(d, now, (Block) { 480, 0 });
    dut_stop(d);
    player_free(p);
}

/* Missing frames are told at once. */
static void test_xrun(void)
{
    Player *p = start(0, 0);
    Dut *d = p->d;
    int64_t now;

    dut_write64(d, S0(READY), 100);
    now = qtest_clock_step(d->qts, 5000000);
    dut_read(d, S0(POSITION));
    expect_block(d, now, (Block) {
        240, PCM_S_RUNNING | PCM_S_XRUN, .xruns = 140 });
    dut_stop(d);
    player_free(p);
}

/* A ring that cannot be read ends the stream, which is told. */
static void test_failure(void)
{
    Player *p = start(0, 0);
    Dut *d = p->d;
    int64_t now;

    dut_set_window(d, 0, RING, RING + 399, PCM_W_ENABLE | PCM_W_READ);
    dut_set_window(d, 1, BLOCK, BLOCK + 31, PCM_W_ENABLE | PCM_W_WRITE);
    now = qtest_clock_step(d->qts, 5000000);
    dut_read(d, S0(POSITION));
    expect_block(d, now, (Block) { 0, PCM_S_ERROR, PCM_S_CAUSE_DMA });
    dut_stop(d);
    player_free(p);
}

/* The block is DMA: a rule that forbids it stops the stream. */
static void test_refused(void)
{
    Player *p = start(240, 0);
    Dut *d = p->d;

    dut_set_window(d, 0, RING, RING + 0xffff, PCM_W_ENABLE | PCM_W_READ);
    qtest_clock_step(d->qts, 5000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_PERIOD | PCM_S_ERROR);
    g_assert_cmpuint(dut_read(d, S0(CAUSE)), ==, PCM_S_CAUSE_DMA);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 240);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_WINDOW, 0, true, PCM_POLICY_ABORT, BLOCK, 32,
        ONES, ONES, BLOCK, PCM_LANDED_NOWHERE });
    dut_expect_no_record(d);
    expect_none(d);
    dut_stop(d);
    player_free(p);
}

/* What a stream that has just stopped cannot tell is an error all the same. */
static void test_refused_at_stop(const void *data)
{
    const char *how = data;
    bool drains = !strcmp(how, "drain");
    Player *p = start(0, drains ? 480 : 0);
    Dut *d = p->d;

    dut_set_window(d, 0, RING, RING + 0xffff, PCM_W_ENABLE | PCM_W_READ);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_STREAM(0));
    dut_write(d, S0(INT_ENABLE), PCM_S_ERROR);
    qtest_clock_step(d->qts, 10000000);
    if (!drains) {
        g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_RUNNING);
        dut_write(d, S0(CTL), 0);
    }
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_ERROR);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==,
                    PCM_INT_STREAM(0) | PCM_INT_VIOLATION);
    g_assert_cmpuint(dut_read(d, S0(CAUSE)), ==, PCM_S_CAUSE_DMA);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 480);
    dut_write(d, S0(STATUS), PCM_S_ERROR);
    qtest_clock_step(d->qts, 300000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, drains ? PCM_S_DRAINED : 0);
    g_assert_cmpuint(dut_read(d, PCM_LOG_COUNT), ==, 1);
    expect_none(d);
    dut_stop(d);
    player_expect_wav(p, 480);
    player_free(p);
}

/* It is judged as the whole buffer that it is. */
static void test_judged(void)
{
    Player *p = start(240, 0);
    Dut *d = p->d;

    dut_write(d, PCM_GRAIN, 64);
    qtest_clock_step(d->qts, 5000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_PERIOD | PCM_S_ERROR);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_GRAIN, 0, true, PCM_POLICY_ABORT, BLOCK, 32,
        64, 32, BLOCK, PCM_LANDED_NOWHERE });
    dut_expect_no_record(d);
    expect_none(d);
    dut_stop(d);
    player_free(p);
}

/* A refusal is not written to where the run before wanted its news. */
static void test_refused_start(void)
{
    Player *p = start(0, 480);
    Dut *d = p->d;

    expect_block(d, qtest_clock_step(d->qts, 10000000), (Block) { 480 });
    dut_write(d, S0(RATE), 1);
    dut_write(d, S0(CTL), PCM_S_RUN);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_ERROR);
    qtest_clock_step(d->qts, 200000000);
    expect_none(d);
    dut_stop(d);
    player_free(p);
}

/* A position that is stuck is stuck in the block, too. */
static void test_stuck(void)
{
    Player *p = start(240, 0);
    Dut *d = p->d;
    int64_t now = qtest_clock_step(d->qts, 5000000);

    expect_block(d, now, (Block) { 240, PCM_S_RUNNING | PCM_S_PERIOD });
    g_assert_true(dut_qom_set(d, "inject-stuck", QOBJECT(qnum_from_int(1))));
    now = qtest_clock_step(d->qts, 5000000);
    expect_block(d, now, (Block) { 240, PCM_S_RUNNING | PCM_S_PERIOD });
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 240);
    dut_stop(d);
    player_free(p);
}

/* It must be aligned; a start that is refused for it writes nothing. */
static void test_alignment(void)
{
    for (unsigned odd = 1; odd < 8; odd++) {
        Player *p = player_new(48000, "q35");
        Dut *d = p->d;

        qtest_memset(d->qts, BLOCK, 0xff, PCM_WRITEBACK_BYTES);
        dut_write64(d, S0(WRITEBACK), BLOCK + odd);
        player_start(p, 48000, 4096, 240, 0);
        g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_ERROR);
        g_assert_cmpuint(dut_read(d, S0(CAUSE)), ==, PCM_S_CAUSE_BUFFER);
        expect_none(d);
        dut_stop(d);
        player_free(p);
    }
}

/* --- PERIOD that clears itself ------------------------------------------ */

/* A message for each period, though nobody touches a register. */
static void test_self_clear(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    qtest_memset(d->qts, BLOCK, 0xff, PCM_WRITEBACK_BYTES);
    dut_write64(d, S0(WRITEBACK), BLOCK);
    msi_enable(d, MSI_MAILBOX, 0x4321);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_STREAM(0));
    dut_write(d, S0(INT_ENABLE), PCM_S_PERIOD | PCM_S_DRAINED);
    player_start(p, 48000, 4096, 480, 0);
    dut_write(d, S0(CTL), PCM_S_RUN | PCM_S_SELF_CLEAR);
    for (unsigned i = 1; i < 6; i++) {
        int64_t now = qtest_clock_step(d->qts, 10000000);

        g_assert_true(msi_arrived(d));
        expect_block(d, now, (Block) {
            i * 480, PCM_S_RUNNING | PCM_S_PERIOD });
    }
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_RUNNING);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, 0);

    /* Only what was told clears itself. */
    dut_write(d, S0(INT_ENABLE), PCM_S_DRAINED);
    dut_write64(d, S0(END), 3000);
    qtest_clock_step(d->qts, 300000000);
    g_assert_true(msi_arrived(d));
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_PERIOD | PCM_S_DRAINED);
    dut_stop(d);
    player_free(p);
}

/* A line stays up until the driver says that it has seen it. */
static void test_self_clear_without_messages(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    dut_write(d, PCM_INT_ENABLE, PCM_INT_STREAM(0));
    dut_write(d, S0(INT_ENABLE), PCM_S_PERIOD);
    player_start(p, 48000, 4096, 480, 0);
    dut_write(d, S0(CTL), PCM_S_RUN | PCM_S_SELF_CLEAR);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_RUNNING | PCM_S_PERIOD);
    g_assert_cmphex(dut_read(d, S0(CTL)), ==, PCM_S_RUN | PCM_S_SELF_CLEAR);
    dut_stop(d);
    player_free(p);
}

#define S1(reg)         (PCM_STREAM(1) + PCM_S_##reg)

/* Two streams, each of which sends a message for each of its periods. */
static Dut *start_two(unsigned period0, unsigned period1)
{
    Dut *d = dut_start("q35 -audiodev none,id=snd",
                       ",audiodev=snd,playback=2");

    msix_start(d);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_STREAM(0) | PCM_INT_STREAM(1));
    for (unsigned n = 0; n < 2; n++) {
        stream_set_up(d, n, PCM_S_S16 | PCM_S_CHANNELS(2), 48000, RING, 4096);
        dut_write(d, PCM_STREAM(n) + PCM_S_PERIOD_FRAMES,
                  n ? period1 : period0);
        dut_write(d, PCM_STREAM(n) + PCM_S_INT_ENABLE, PCM_S_PERIOD);
    }
    return d;
}

/* They may share a vector: its message tells of both. */
static void test_one_vector(void)
{
    Dut *d = start_two(480, 720);

    dut_write(d, S0(VECTOR), 3);
    dut_write(d, S1(VECTOR), 3);
    dut_write(d, S0(CTL), PCM_S_SELF_CLEAR);
    dut_write(d, S1(CTL), PCM_S_SELF_CLEAR);
    dut_write(d, PCM_STREAMS_START, 3);
    g_assert_cmphex(dut_read(d, S0(CTL)), ==, PCM_S_RUN | PCM_S_SELF_CLEAR);
    for (unsigned ms = 5; ms <= 30; ms += 5) {
        bool told = ms % 10 == 0 || ms % 15 == 0;

        qtest_clock_step(d->qts, 5000000);
        g_assert_cmphex(msix_arrived(d), ==, told ? 1u << 3 : 0);
        g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_RUNNING);
        g_assert_cmphex(dut_read(d, S1(STATUS)), ==, PCM_S_RUNNING);
    }
    /* The bit is the last write's. */
    dut_write(d, S0(CTL), PCM_S_RUN);
    dut_write(d, PCM_STREAMS_PAUSE, 3);
    dut_write(d, PCM_STREAMS_RESUME, 3);
    g_assert_cmphex(dut_read(d, S0(CTL)), ==, PCM_S_RUN);
    g_assert_cmphex(dut_read(d, S1(CTL)), ==, PCM_S_RUN | PCM_S_SELF_CLEAR);
    dut_write(d, PCM_STREAMS_STOP, 3);
    g_assert_cmphex(dut_read(d, S1(CTL)), ==, PCM_S_SELF_CLEAR);
    dut_stop(d);
}

/* Another stream's message does not tell of this one. */
static void test_other_vector(void)
{
    Dut *d = start_two(480, 240);

    dut_write(d, S0(CTL), PCM_S_RUN);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmphex(msix_arrived(d), ==, 1u << 1);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_RUNNING | PCM_S_PERIOD);
    dut_write(d, S0(CTL), PCM_S_RUN | PCM_S_SELF_CLEAR);
    dut_write(d, S1(CTL), PCM_S_RUN | PCM_S_SELF_CLEAR);
    qtest_clock_step(d->qts, 5000000);
    g_assert_cmphex(msix_arrived(d), ==, 1u << 2);
    g_assert_cmphex(dut_read(d, S1(STATUS)), ==, PCM_S_RUNNING);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_RUNNING | PCM_S_PERIOD);
    dut_stop(d);
}

/* --- Lists and blocks are transactions like others ---------------------- */

#define LIST            0x280000

static Player *start_listed(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    qtest_writeq(d->qts, LIST, RING);
    qtest_writeq(d->qts, LIST + 8, 4096);
    stream_set_up(d, 0, PCM_S_S16 | PCM_S_CHANNELS(2), 48000, LIST, 4096);
    dut_write(d, S0(FRAGMENTS), 1);
    dut_write(d, S0(PERIOD_FRAMES), 240);
    dut_write64(d, S0(WRITEBACK), BLOCK);
    return p;
}

static void test_counted(void)
{
    Player *p = start_listed();
    Dut *d = p->d;

    dut_write(d, S0(CTL), PCM_S_RUN | PCM_S_PAUSE);
    g_assert_cmpuint(dut_read64(d, PCM_ACC(0) + PCM_A_READ_BYTES), ==, 16);
    g_assert_cmpuint(dut_read64(d, PCM_ACC(0) + PCM_A_WRITE_BYTES), ==, 32);
    dut_write(d, S0(CTL), PCM_S_RUN);
    qtest_clock_step(d->qts, 5000000);
    g_assert_cmpuint(dut_read64(d, PCM_ACC(0) + PCM_A_WRITE_BYTES), ==, 64);
    dut_stop(d);
    player_free(p);
}

static void inject(Dut *d, const char *property, unsigned value)
{
    qtest_qmp_assert_success(d->qts, "{'execute': 'qom-set', 'arguments': {"
                             "'path': '/machine/peripheral/dut', "
                             "'property': %s, 'value': %u}}", property,
                             value);
}

/* A flipped reserved bit of the list, and a block of which half is written. */
static void test_injected(void)
{
    Player *p = start_listed();
    Dut *d = p->d;

    inject(d, "inject-flip-offset", 12);
    inject(d, "inject-flip-mask", 1);
    inject(d, "inject-flip", 1);
    dut_write(d, S0(CTL), PCM_S_RUN | PCM_S_PAUSE);
    g_assert_cmpuint(dut_read(d, S0(CAUSE)), ==, PCM_S_CAUSE_LIST);
    qtest_memset(d->qts, BLOCK, 0xff, PCM_WRITEBACK_BYTES);
    inject(d, "inject-cut-length", 16);
    dut_write(d, S0(CTL), PCM_S_RUN);
    inject(d, "inject-requesters", 1);
    qtest_clock_step(d->qts, 4000000);
    g_assert_cmpuint(stream_position(d, 0), ==, 192);
    inject(d, "inject-cut", 1);
    dut_write(d, S0(CTL), PCM_S_RUN | PCM_S_PAUSE);
    g_assert_cmpuint(qtest_readq(d->qts, BLOCK), ==, 192);
    g_assert_cmphex(qtest_readq(d->qts, BLOCK + 16), ==, ONES);
    dut_stop(d);
    player_free(p);
}

/* --- Volume ------------------------------------------------------------- */

typedef struct VolumeCase {
    const char *name;
    uint32_t value;
    unsigned left;              /* of 255 */
    unsigned right;
} VolumeCase;

static const VolumeCase volume_cases[] = {
    { "full", 0xffff, 255, 255 },
    { "left", 0x00ff, 255, 0 },
    { "right", 0xff00, 0, 255 },
    { "half", 0x4080, 0x80, 0x40 },
    { "mute", 0xffff | PCM_S_MUTE, 0, 0 },
};

static void expect_near(int16_t heard, int16_t played, unsigned volume)
{
    int32_t exact = played * (int32_t)volume / 255;

    if (volume == 0 || volume == 255) {
        g_assert_cmpint(heard, ==, exact);
    } else {
        g_assert_cmpint(ABS(heard - exact), <=, 1);
    }
}

static void test_volume(const void *data)
{
    const VolumeCase *c = data;
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;
    g_autofree char *file = NULL;
    gsize size;

    dut_write(d, S0(VOLUME), c->value);
    player_start(p, 48000, 4096, 0, 1000);
    qtest_clock_step(d->qts, 200000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_DRAINED);
    g_assert_cmphex(dut_read(d, S0(VOLUME)), ==, c->value);
    dut_stop(d);
    g_assert_true(g_file_get_contents(p->wav, &file, &size, NULL));
    g_assert_cmpuint(size, ==, WAV_HEADER + 4000);
    for (uint32_t i = 0; i < 1000; i++) {
        const char *heard = file + WAV_HEADER + 4 * i;

        expect_near(lduw_le_p(heard), frame(i), c->left);
        expect_near(lduw_le_p(heard + 2), frame(i) >> 16, c->right);
    }
    player_free(p);
}

void pcm_add_writeback_tests(void)
{
    qtest_add_func("/pcmaster/writeback/periods", test_periods);
    qtest_add_func("/pcmaster/writeback/pause", test_pause_and_stop);
    qtest_add_func("/pcmaster/writeback/xrun", test_xrun);
    qtest_add_func("/pcmaster/writeback/failure", test_failure);
    qtest_add_func("/pcmaster/writeback/refused", test_refused);
    pcm_add_case("writeback/refused-at", "stop", "stop", test_refused_at_stop);
    pcm_add_case("writeback/refused-at", "drain", "drain",
                 test_refused_at_stop);
    qtest_add_func("/pcmaster/writeback/judged", test_judged);
    qtest_add_func("/pcmaster/writeback/refused-start", test_refused_start);
    qtest_add_func("/pcmaster/writeback/stuck", test_stuck);
    qtest_add_func("/pcmaster/writeback/alignment", test_alignment);
    qtest_add_func("/pcmaster/self-clear/messages", test_self_clear);
    qtest_add_func("/pcmaster/self-clear/line",
                   test_self_clear_without_messages);
    qtest_add_func("/pcmaster/self-clear/one-vector", test_one_vector);
    qtest_add_func("/pcmaster/self-clear/other-vector", test_other_vector);
    qtest_add_func("/pcmaster/writeback/counted", test_counted);
    qtest_add_func("/pcmaster/writeback/injected", test_injected);
    for (unsigned i = 0; i < ARRAY_SIZE(volume_cases); i++) {
        pcm_add_case("volume", volume_cases[i].name, &volume_cases[i],
                     test_volume);
    }
}
