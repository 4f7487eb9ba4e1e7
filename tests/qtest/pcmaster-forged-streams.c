/*
 * pcmaster qtests: states of streams that migrate, those made up included
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pcmaster-player.h"
#include "pcmaster-state.h"
#include "pcmaster-test.h"

#define S16_STEREO      (PCM_S_S16 | PCM_S_CHANNELS(2))

/* --- What a driver can make --------------------------------------------- */

#define BAD_LIST        0x280000

/*
 * A start that is refused leaves a state that migrates: what plays out does
 * so on the other side.
 */
static void test_after_refusal(void)
{
    g_autofree char *file = state_file();
    g_autofree char *incoming = g_strdup_printf("q35 -incoming file:%s", file);
    Player *a = player_new(48000, "q35");
    Player *b;
    uint64_t bar = a->d->bar.addr;
    uint64_t heard;

    player_start(a, 48000, 4096, 0, 700);
    qtest_clock_step(a->d->qts, 15000000);
    g_assert_cmphex(dut_read(a->d, S0(STATUS)), ==, 0);
    qtest_writeq(a->d->qts, BAD_LIST, RING);
    qtest_writeq(a->d->qts, BAD_LIST + 8, 12);
    dut_write64(a->d, S0(BUFFER), BAD_LIST);
    dut_write(a->d, S0(FRAGMENTS), 1);
    dut_write(a->d, S0(CTL), PCM_S_RUN);
    g_assert_cmpuint(dut_read(a->d, S0(CAUSE)), ==, PCM_S_CAUSE_LIST);
    migrate_to(a->d, file);
    dut_stop(a->d);

    b = player_new(48000, incoming);
    wait_for_arrival(b->d, bar);
    qtest_clock_step(b->d->qts, 200000000);
    g_assert_cmphex(dut_read(b->d, S0(STATUS)), ==, PCM_S_ERROR);
    dut_stop(b->d);
    heard = player_check_wav(a, 0);
    g_assert_cmpuint(heard, <, 700);
    g_assert_cmpuint(heard + player_check_wav(b, heard), ==, 700);
    player_free(a);
    player_free(b);
    unlink(file);
}

/* Loop-back needs no back end, on the other side either: it drains there. */
static void test_draining_without_voice(void)
{
    static const char options[] = ",audiodev=snd,loopback=on";
    g_autofree char *file = state_file();
    g_autofree char *incoming = g_strdup_printf("q35 -incoming file:%s", file);
    Player *a = player_new(48000, "q35 -global pcmaster.loopback=on");
    g_autofree char *nobody = g_strdup_printf(
        "%s -audiodev wav,id=snd,out.format=f32", incoming);
    uint64_t bar = a->d->bar.addr;
    Dut *d;

    dut_write(a->d, S0(INT_ENABLE), PCM_S_DRAINED);
    player_start(a, 48000, 4096, 0, 700);
    qtest_clock_step(a->d->qts, 15000000);
    g_assert_cmphex(dut_read(a->d, S0(STATUS)), ==, 0);
    migrate_to(a->d, file);
    dut_stop(a->d);

    d = dut_start(nobody, options);
    wait_for_arrival(d, bar);
    qtest_clock_step(d->qts, 1);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, PCM_INT_STREAM(0));
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_DRAINED);
    g_assert_cmpuint(stream_position(d, 0), ==, 700);
    dut_stop(d);
    player_free(a);
    unlink(file);
}

/* A stream of more channels than the other side has goes nowhere. */
static void test_fewer_channels(void)
{
    static const char options[] = ",audiodev=snd,capture=0";
    Dut *d = dut_start("q35 -audiodev none,id=snd,out.mixing-engine=off",
                       options);

    stream_set_up(d, 0, PCM_S_S16 | PCM_S_CHANNELS(8), 48000, RING, 4096);
    dut_write(d, S0(CTL), PCM_S_RUN);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_RUNNING);
    g_assert_false(moves_to(d, "q35 -audiodev none,id=snd", options));
}

/* --- What none can ------------------------------------------------------ */

/* Values that are found in the state again. */
#define MARK_PLAYBACK   0x3456789abcdef120ull   /* what S_BUFFER was */
#define MARK_CAPTURE    0x456789abcdef1230ull
#define MARK_READY      0x56789abcdef12340ull   /* S_READY_AT, twice */
#define MARK_VECTOR     0x0000000b0000000dull   /* INT_VECTOR, S_VECTOR */

/* Bytes from a stream's mark to its other fields. */
enum {
    STATUS = -78,
    INT_ENABLE = STATUS + 4,
    CAUSE = INT_ENABLE + 4,
    VOLUME = CAUSE + 6 * 4,
    PHASE = VOLUME + 4 + 2 * 8 + 1,
    FORMAT = PHASE + 1,
    RATE = FORMAT + 4,
    LENGTH = RATE + 4,
    PERIOD = LENGTH + 4,
    FRAGMENTS = PERIOD + 4,
    WRITEBACK_LOW = FRAGMENTS + 2 * 4 + 8 + 4,
    COUNT = WRITEBACK_LOW + 4,
    FIRST_LENGTH = COUNT + 4 + 8,
    FIRST_OFFSET = FIRST_LENGTH + 4,
    START = COUNT + 4 + 16 * PCM_S_FRAGMENTS_MAX + 8,
    PAUSE = START + 8,
    FED = PAUSE + 8,
    POSITION = FED + 8,
    NEXT_PERIOD = POSITION + 8,
    DELIVERIES = NEXT_PERIOD + 8,
    FIFO_SIZE = DELIVERIES + 2,
    FIFO_HEAD = FIFO_SIZE + 4,
    FIFO_USED = FIFO_HEAD + 4,
};

/* Bytes from MARK_READY. */
#define READY_NEXT_LOW  4
#define READY_NOW_LOW   12

/* Bytes from MARK_VECTOR. */
#define EFFORT          (-12)
#define EFFORT_TIME     (-8)

#define ALL_EVENTS      (PCM_S_PERIOD | PCM_S_DRAINED | PCM_S_ERROR | \
                         PCM_S_LATE | PCM_S_XRUN)
#define MINUS           0x80000000u
#define FIFO_BYTES      0x10000

#define SOUND(name, field, value) \
    { name, MARK_PLAYBACK, field, 4, value }
#define GOOD_SOUND(name, field, value) \
    { name, MARK_PLAYBACK, field, 4, value, true }

static const ForgedCase cases[] = {
    GOOD_SOUND("nothing", RATE, 48000),
    SOUND("status", STATUS, ALL_EVENTS + 1),
    SOUND("status-running", STATUS, PCM_S_RUNNING),
    GOOD_SOUND("status-all", STATUS, ALL_EVENTS),
    SOUND("int-enable", INT_ENABLE, ALL_EVENTS + 1),
    GOOD_SOUND("int-enable-all", INT_ENABLE, ALL_EVENTS),
    SOUND("cause", CAUSE, PCM_S_CAUSE_LIST + 1),
    GOOD_SOUND("cause-last", CAUSE, PCM_S_CAUSE_LIST),
    SOUND("volume", VOLUME, PCM_S_VOLUME_FULL + 1),
    GOOD_SOUND("volume-all", VOLUME, PCM_S_VOLUME_FULL | PCM_S_MUTE),
    { "phase", MARK_PLAYBACK, PHASE, 1, 5 },
    { "phase-draining", MARK_PLAYBACK, PHASE, 1, 4, true },
    { "phase-draining-capture", MARK_CAPTURE, PHASE, 1, 4 },
    SOUND("sample", FORMAT, 7 | PCM_S_CHANNELS(2)),
    SOUND("channels", FORMAT, PCM_S_S16 | PCM_S_CHANNELS(0)),
    SOUND("rate-low", RATE, PCM_S_RATE_MIN - 1),
    SOUND("rate-high", RATE, PCM_S_RATE_MAX + 1),
    SOUND("length-none", LENGTH, 0),
    SOUND("length-other", LENGTH, 8192),
    SOUND("period", PERIOD, 99),
    SOUND("fragments", FRAGMENTS, PCM_S_FRAGMENTS_MAX + 1),
    SOUND("writeback", WRITEBACK_LOW, 4),
    SOUND("count-none", COUNT, 0),
    SOUND("count-more", COUNT, 2),
    SOUND("count-high", COUNT, PCM_S_FRAGMENTS_MAX + 1),
    SOUND("first-length", FIRST_LENGTH, 4092),
    SOUND("first-length-none", FIRST_LENGTH, 0),
    SOUND("first-offset", FIRST_OFFSET, 4),
    SOUND("start", START, MINUS),
    SOUND("pause", PAUSE, MINUS),
    SOUND("pause-before-start", PAUSE + 4, 1),
    SOUND("fed", FED, MINUS),
    SOUND("position", POSITION, MINUS),
    SOUND("next-period-none", NEXT_PERIOD + 4, 0),
    SOUND("next-period-odd", NEXT_PERIOD + 4, 99),
    SOUND("next-period-late", NEXT_PERIOD + 4, 200),
    { "deliveries", MARK_CAPTURE, DELIVERIES, 1, 3 },
    { "deliveries-most", MARK_CAPTURE, DELIVERIES, 1, 2, true },
    SOUND("fifo-size", FIFO_SIZE, FIFO_BYTES + 4),
    SOUND("fifo-size-small", FIFO_SIZE, FIFO_BYTES - 4),
    SOUND("fifo-head", FIFO_HEAD, FIFO_BYTES),
    SOUND("fifo-head-odd", FIFO_HEAD, 2),
    GOOD_SOUND("fifo-head-last", FIFO_HEAD, FIFO_BYTES - 4),
    SOUND("fifo-used", FIFO_USED, FIFO_BYTES + 4),
    SOUND("fifo-used-odd", FIFO_USED, 2),
    GOOD_SOUND("fifo-used-all", FIFO_USED, FIFO_BYTES),
    { "ready-at", MARK_READY, READY_NOW_LOW, 4, 4 },
    { "ready-at-other", MARK_READY, READY_NOW_LOW, 4, 8, true },
    { "ready-at-register", MARK_READY, READY_NEXT_LOW, 4, 4, true },
    { "effort", MARK_VECTOR, EFFORT, 4, 8193 },
    { "effort-most", MARK_VECTOR, EFFORT, 4, 8192, true },
    { "effort-time", MARK_VECTOR, EFFORT_TIME, 4, MINUS },
};

static void test_forged(const void *data)
{
    static const char machine[] = "q35 -audiodev none,id=snd";
    const ForgedCase *c = data;
    g_autofree char *waiting = g_strdup_printf("%s -incoming defer", machine);
    g_autofree char *file = state_file();
    Dut *d = dut_start(machine, ",audiodev=snd");

    dut_write(d, PCM_INT_VECTOR, MARK_VECTOR >> 32);
    dut_write(d, S0(VECTOR), MARK_VECTOR & UINT32_MAX);
    dut_write64(d, S0(READY_AT), MARK_READY);
    qtest_clock_step(d->qts, 1000000);
    for (unsigned n = 0; n < 2; n++) {
        stream_set_up(d, n, S16_STEREO, 48000,
                      n ? MARK_CAPTURE : MARK_PLAYBACK, 4096);
        dut_write(d, PCM_STREAM(n) + PCM_S_PERIOD_FRAMES, 100);
        dut_write(d, PCM_STREAM(n) + PCM_S_CTL, PCM_S_RUN | PCM_S_PAUSE);
        /* The register must not be taken for the run's. */
        dut_write64(d, PCM_STREAM(n) + PCM_S_BUFFER, RING);
    }
    migrate_to(d, file);
    dut_stop(d);
    forge(file, c);
    d = dut_start(waiting, ",audiodev=snd");
    g_assert_cmpint(arrives(d, file), ==, c->accepted);
    dut_stop(d);
    unlink(file);
}

void pcm_add_stream_state_tests(void)
{
    qtest_add_func("/pcmaster/stream-state/after-refusal",
                   test_after_refusal);
    qtest_add_func("/pcmaster/stream-state/draining-without-voice",
                   test_draining_without_voice);
    qtest_add_func("/pcmaster/stream-state/fewer-channels",
                   test_fewer_channels);
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        pcm_add_case("stream-state/forged", cases[i].name, &cases[i],
                     test_forged);
    }
}
