/*
 * pcmaster qtests: pauses, and streams that act together
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pcmaster-player.h"
#include "pcmaster-test.h"

#define PAUSED          (PCM_S_RUNNING | PCM_S_PAUSED)

/* A pause takes nothing away, adds nothing, and keeps parts of a frame. */
static void test_pause(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;
    int64_t ran = 0;

    player_start(p, 48000, 4096, 0, 3000);
    for (unsigned i = 0; i < 7; i++) {
        const int64_t step = 3012345 + i * 1111;

        qtest_clock_step(d->qts, step);
        ran += step;
        dut_write(d, S0(CTL), PCM_S_RUN | PCM_S_PAUSE);
        g_assert_cmphex(dut_read(d, S0(CTL)), ==, PCM_S_RUN | PCM_S_PAUSE);
        for (unsigned j = 0; j < 3; j++) {
            g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PAUSED);
            g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==,
                             frames_in(ran, 48000));
            qtest_clock_step(d->qts, 33333333);
        }
        dut_write(d, S0(CTL), PCM_S_RUN);
        g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_RUNNING);
        g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==,
                         frames_in(ran, 48000));
    }
    qtest_clock_step(d->qts, 200000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_DRAINED);
    g_assert_cmpuint(dut_read(d, S0(LOST)), ==, 0);
    dut_stop(d);
    player_expect_wav(p, 3000);
    player_free(p);
}

/* Periods go on being told at the frame they belong to. */
static void test_pause_and_period(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    player_start(p, 48000, 4096, 480, 0);
    qtest_clock_step(d->qts, 9000000);
    dut_write(d, PCM_STREAMS_PAUSE, 1);
    qtest_clock_step(d->qts, 500000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PAUSED);
    dut_write(d, PCM_STREAMS_RESUME, 1);
    qtest_clock_step(d->qts, 999999);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_RUNNING);
    qtest_clock_step(d->qts, 1);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_RUNNING | PCM_S_PERIOD);
    dut_stop(d);
    player_free(p);
}

/* Started and paused by one write: nothing moves before the resumption. */
static void test_prepared(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    p->ring_frames = 4096;
    player_fill(p, 4096);
    stream_set_up(d, 0, S16_STEREO, 48000, RING, 4 * 4096);
    dut_write64(d, S0(END), 1000);
    dut_write(d, S0(CTL), PCM_S_RUN | PCM_S_PAUSE);
    dut_write(d, S0(RATE), 8000);
    qtest_clock_step(d->qts, 50000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PAUSED);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 0);
    /* A group's start leaves it alone. */
    dut_write(d, PCM_STREAMS_START, 1);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PAUSED);
    dut_write(d, PCM_STREAMS_RESUME, 1);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 480);
    qtest_clock_step(d->qts, 200000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_DRAINED);
    dut_stop(d);
    player_expect_wav(p, 1000);
    player_free(p);
}

/* An end that is past when it is written waits for the resumption. */
static void test_end_in_pause(void)
{
    Dut *d = dut_start("q35 -audiodev none,id=snd", ",audiodev=snd");

    start_silence(d, 0);
    qtest_clock_step(d->qts, 10000000);
    dut_write(d, S0(CTL), PCM_S_RUN | PCM_S_PAUSE);
    dut_write(d, S0(END), 100);
    g_assert_cmphex(dut_read64(d, S0(END)), ==, 100);
    dut_write(d, S0(END) + 4, 1);
    g_assert_cmphex(dut_read64(d, S0(END)), ==, 1ull << 32 | 100);
    dut_write(d, S0(END), 200);
    g_assert_cmphex(dut_read64(d, S0(END)), ==, 1ull << 32 | 200);
    dut_write(d, S0(END) + 4, 0);
    qtest_clock_step(d->qts, 500000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PAUSED);
    dut_write(d, S0(CTL), PCM_S_RUN);
    qtest_clock_step(d->qts, 1);
    g_assert_cmphex(dut_read(d, S0(CTL)), ==, 0);
    g_assert_cmpuint(stream_position(d, 0), ==, 480);
    qtest_clock_step(d->qts, 500000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_DRAINED);
    dut_stop(d);
}

/* Stopped out of a pause, all below the position is still heard. */
static void test_stop_in_pause(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    player_start(p, 48000, 4096, 0, 0);
    qtest_clock_step(d->qts, 12345678);
    dut_write(d, S0(CTL), PCM_S_RUN | PCM_S_PAUSE);
    qtest_clock_step(d->qts, 100000000);
    dut_write(d, S0(CTL), 0);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, 0);
    g_assert_cmphex(dut_read(d, S0(CTL)), ==, 0);
    qtest_clock_step(d->qts, 100000000);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 592);
    /* What does not run does not pause. */
    dut_write(d, PCM_STREAMS_PAUSE, 1);
    dut_write(d, S0(CTL), PCM_S_PAUSE);
    g_assert_cmphex(dut_read(d, S0(CTL)), ==, 0);
    dut_stop(d);
    player_expect_wav(p, 592);
    player_free(p);
}

#define GROUP           0x0b            /* streams 0, 1 and 3 */

static Dut *start_group_machine(void)
{
    Dut *d = dut_start("q35 -audiodev none,id=snd",
                       ",audiodev=snd,playback=4");

    for (unsigned n = 0; n < 4; n++) {
        stream_set_up(d, n, S16_STEREO, 48000, RING + 0x10000 * n, 4096);
    }
    return d;
}

/*
 * There is one voice, and it is taken: what has it does not lose it to the
 * attempt, though it asks for another format.
 */
static void test_group_refused_voice(void)
{
    Dut *d = dut_start("q35 -audiodev none,id=snd,out.mixing-engine=off,"
                       "out.voices=1", ",audiodev=snd,playback=2,capture=0");

    for (unsigned n = 0; n < 2; n++) {
        stream_set_up(d, n, S16_STEREO, 48000, RING, 4096);
    }
    dut_write64(d, PCM_STREAM(0) + PCM_S_END, 700);
    dut_write(d, PCM_STREAM(0) + PCM_S_CTL, PCM_S_RUN);
    qtest_clock_step(d->qts, 15000000);
    g_assert_cmphex(stream_read(d, 0, PCM_S_STATUS), ==, 0);
    dut_write(d, PCM_STREAM(0) + PCM_S_RATE, 44100);
    dut_write(d, PCM_STREAMS_START, 3);
    g_assert_cmpuint(stream_read(d, 1, PCM_S_CAUSE), ==, PCM_S_CAUSE_BACKEND);
    g_assert_cmphex(stream_read(d, 0, PCM_S_STATUS), ==, 0);
    qtest_clock_step(d->qts, 300000000);
    g_assert_cmphex(stream_read(d, 0, PCM_S_STATUS), ==, PCM_S_DRAINED);
    dut_stop(d);
}

/* All or none. */
static void test_group_refused(void)
{
    Dut *d = start_group_machine();

    dut_write(d, PCM_STREAM(1) + PCM_S_RATE, 1);
    dut_write(d, PCM_STREAM(3) + PCM_S_LENGTH, 3);
    dut_write(d, PCM_STREAMS_START, GROUP);
    qtest_clock_step(d->qts, 50000000);
    g_assert_cmphex(stream_read(d, 0, PCM_S_STATUS), ==, 0);
    g_assert_cmphex(stream_read(d, 1, PCM_S_STATUS), ==, PCM_S_ERROR);
    g_assert_cmpuint(stream_read(d, 1, PCM_S_CAUSE), ==, PCM_S_CAUSE_FORMAT);
    g_assert_cmphex(stream_read(d, 2, PCM_S_STATUS), ==, 0);
    g_assert_cmphex(stream_read(d, 3, PCM_S_STATUS), ==, PCM_S_ERROR);
    g_assert_cmpuint(stream_read(d, 3, PCM_S_CAUSE), ==, PCM_S_CAUSE_BUFFER);

    /* A list that cannot be read is a refusal, too. */
    dut_write(d, PCM_STREAM(1) + PCM_S_RATE, 48000);
    dut_write(d, PCM_STREAM(3) + PCM_S_LENGTH, 4096);
    dut_write(d, PCM_STREAM(3) + PCM_S_FRAGMENTS, 1);
    dut_write64(d, PCM_STREAM(3) + PCM_S_BUFFER, 1ull << 40);
    dut_write(d, PCM_STREAMS_START, GROUP);
    qtest_clock_step(d->qts, 50000000);
    g_assert_cmphex(stream_read(d, 0, PCM_S_STATUS), ==, 0);
    g_assert_cmphex(stream_read(d, 1, PCM_S_STATUS), ==, PCM_S_ERROR);
    g_assert_cmphex(stream_read(d, 3, PCM_S_STATUS), ==, PCM_S_ERROR);
    g_assert_cmpuint(stream_read(d, 3, PCM_S_CAUSE), ==, PCM_S_CAUSE_DMA);
    dut_stop(d);
}

#define OLD_BLOCK       0x2a0000        /* S_WRITEBACK */
#define NEW_BLOCK       0x2b0000

typedef struct SpareCase {
    const char *name;
    uint32_t format;            /* that the member would start with */
    uint32_t fragments;         /* of the other one, whose list is bad */
    uint32_t other_format;
    unsigned cause;
} SpareCase;

static const SpareCase spare_cases[] = {
    { "list", S16_STEREO, 1, S16_STEREO, PCM_S_CAUSE_LIST },
    { "list-other-format", PCM_S_U8 | PCM_S_CHANNELS(1), 1, S16_STEREO,
      PCM_S_CAUSE_LIST },
    { "format", PCM_S_U8 | PCM_S_CHANNELS(1), 0, 0, PCM_S_CAUSE_FORMAT },
};

/* A member that drains when another is refused goes on as if nothing was. */
static void test_group_refused_spares(const void *data)
{
    const SpareCase *c = data;
    Player *p = player_new(48000, "q35 -global pcmaster.playback=2");
    Dut *d = p->d;

    dut_write64(d, S0(WRITEBACK), OLD_BLOCK);
    player_start(p, 48000, 4096, 0, 700);
    qtest_clock_step(d->qts, 15000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, 0);
    dut_write64(d, S0(WRITEBACK), NEW_BLOCK);
    dut_write(d, S0(FORMAT), c->format);
    stream_set_up(d, 1, c->other_format, 48000, 0x280000, 4096);
    dut_write(d, PCM_STREAM(1) + PCM_S_FRAGMENTS, c->fragments);
    dut_write(d, PCM_STREAMS_START, 3);
    g_assert_cmphex(stream_read(d, 1, PCM_S_STATUS), ==, PCM_S_ERROR);
    g_assert_cmpuint(stream_read(d, 1, PCM_S_CAUSE), ==, c->cause);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, 0);
    g_assert_cmpuint(stream_position(d, 0), ==, 700);
    qtest_clock_step(d->qts, 200000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_DRAINED);
    g_assert_cmpuint(qtest_readl(d->qts, OLD_BLOCK), ==, 700);
    g_assert_cmphex(qtest_readl(d->qts, OLD_BLOCK + PCM_WRITEBACK_STATUS), ==,
                    PCM_S_DRAINED);
    g_assert_cmpuint(qtest_readq(d->qts, NEW_BLOCK + PCM_WRITEBACK_TIME), ==,
                     0);
    dut_stop(d);
    player_expect_wav(p, 700);
    player_free(p);
}

static void expect_together(Dut *d, uint64_t position, uint32_t status)
{
    static const unsigned members[] = { 0, 1, 3 };

    for (unsigned i = 0; i < ARRAY_SIZE(members); i++) {
        g_assert_cmpuint(stream_position(d, members[i]), ==, position);
        g_assert_cmphex(stream_read(d, members[i], PCM_S_STATUS), ==, status);
    }
    g_assert_cmpuint(stream_position(d, 2), ==, 0);
    g_assert_cmphex(stream_read(d, 2, PCM_S_STATUS), ==, 0);
}

static void test_group(void)
{
    Dut *d = start_group_machine();
    int64_t ran = 5432100 + 777777;

    dut_write(d, PCM_STREAMS_START, GROUP);
    qtest_clock_step(d->qts, 5432100);
    expect_together(d, frames_in(5432100, 48000), PCM_S_RUNNING);
    qtest_clock_step(d->qts, 777777);
    dut_write(d, PCM_STREAMS_PAUSE, GROUP);
    qtest_clock_step(d->qts, 12345678);
    expect_together(d, frames_in(ran, 48000), PAUSED);
    dut_write(d, PCM_STREAMS_RESUME, GROUP);
    qtest_clock_step(d->qts, 12345678);
    ran += 12345678;
    expect_together(d, frames_in(ran, 48000), PCM_S_RUNNING);
    qtest_clock_step(d->qts, 1234567);
    ran += 1234567;
    dut_write(d, PCM_STREAMS_STOP, GROUP);
    qtest_clock_step(d->qts, 1234567);
    expect_together(d, frames_in(ran, 48000), 0);
    dut_stop(d);
}

/* Two voices, mixed frame by frame: the recording is their sum. */
static void test_group_is_aligned(void)
{
    Player *p = player_new(48000, "q35 -global pcmaster.playback=2");
    Dut *d = p->d;
    int16_t data[2][2 * 1000];
    g_autofree char *file = NULL;
    gsize size;

    for (unsigned n = 0; n < 2; n++) {
        for (unsigned i = 0; i < ARRAY_SIZE(data[n]); i++) {
            data[n][i] = cpu_to_le16((int16_t)(frame(n * 5000 + i) & 0x1fff));
        }
        stream_set_up(d, n, S16_STEREO, 48000, RING + 0x10000 * n,
                      sizeof(data[n]));
        qtest_bufwrite(d->qts, RING + 0x10000 * n, data[n], sizeof(data[n]));
        dut_write64(d, PCM_STREAM(n) + PCM_S_END, 1000);
    }
    dut_write(d, PCM_STREAMS_START, 3);
    qtest_clock_step(d->qts, 300000000);
    g_assert_cmphex(stream_read(d, 0, PCM_S_STATUS), ==, PCM_S_DRAINED);
    g_assert_cmphex(stream_read(d, 1, PCM_S_STATUS), ==, PCM_S_DRAINED);
    dut_stop(d);
    g_assert_true(g_file_get_contents(p->wav, &file, &size, NULL));
    g_assert_cmpuint(size, ==, WAV_HEADER + sizeof(data[0]));
    for (unsigned i = 0; i < ARRAY_SIZE(data[0]); i++) {
        g_assert_cmpint((int16_t)lduw_le_p(file + WAV_HEADER + 2 * i), ==,
                        (int16_t)le16_to_cpu(data[0][i]) +
                        (int16_t)le16_to_cpu(data[1][i]));
    }
    player_free(p);
}

void pcm_add_group_tests(void)
{
    qtest_add_func("/pcmaster/pause/exact", test_pause);
    qtest_add_func("/pcmaster/pause/period", test_pause_and_period);
    qtest_add_func("/pcmaster/pause/prepared", test_prepared);
    qtest_add_func("/pcmaster/pause/end", test_end_in_pause);
    qtest_add_func("/pcmaster/pause/stop", test_stop_in_pause);
    qtest_add_func("/pcmaster/group/refused", test_group_refused);
    for (unsigned i = 0; i < ARRAY_SIZE(spare_cases); i++) {
        pcm_add_case("group/refused-spares", spare_cases[i].name,
                     &spare_cases[i], test_group_refused_spares);
    }
    qtest_add_func("/pcmaster/group/refused-voice", test_group_refused_voice);
    qtest_add_func("/pcmaster/group/together", test_group);
    qtest_add_func("/pcmaster/group/aligned", test_group_is_aligned);
}
