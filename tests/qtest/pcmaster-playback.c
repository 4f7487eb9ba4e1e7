/*
 * pcmaster qtests: what a stream plays, and when
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pcmaster-player.h"
#include "pcmaster-test.h"

typedef struct PlayCase {
    const char *name;
    unsigned rate;
    uint32_t ring_frames;
    uint32_t period;
    uint64_t end;
    int64_t step;
    const char *audiodev;       /* further options of the back end */
} PlayCase;

static const PlayCase play_cases[] = {
    { "48000-long", 48000, 16384, 4096, 100001, 20000000 },
    { "44100-odd-ring", 44100, 5003, 441, 33333, 7777777 },
    { "8000", 8000, 1024, 256, 5000, 10000000 },
    { "96000", 96000, 4096, 512, 50000, 4000000 },
    { "one-frame", 48000, 1024, 0, 1, 10000000 },
    { "no-period", 48000, 8192, 0, 20000, 50000000 },
    { "ring-of-one", 48000, 1, 0, 1, 1000000 },
    /* The back end takes 1024 frames each time, so it must be asked often. */
    { "192000", 192000, 8192, 1000, 5000, 1000000, ",timer-period=2000" },
};

/* Killed at DRAINED, as a guest does it: every frame must be there. */
static void test_play(const void *data)
{
    const PlayCase *c = data;
    Player *p = player_new_on(c->rate, c->audiodev ?: "",
                              "q35 -device isa-debug-exit,iobase=0xf4,"
                              "iosize=4");
    QTestState *qts;

    player_start(p, c->rate, c->ring_frames, c->period, c->end);
    player_play(p, c->rate, c->step);
    qts = dut_release(p->d);
    qtest_set_expected_status(qts, 33);
    qtest_outl(qts, 0xf4, 0x10);
    qtest_wait_qemu(qts);
    qtest_quit(qts);
    player_expect_wav(p, c->end);
    player_free(p);
}

typedef struct FormatCase {
    const char *name;
    unsigned sample;
    unsigned bytes;
    unsigned channels;
    const char *audiodev;
    unsigned recorded;          /* sample; always of two channels */
} FormatCase;

/* The back end records 8 and 16 bits; longer samples are given as 16 bits. */
static const FormatCase format_cases[] = {
    { "u8", PCM_S_U8, 1, 2, ",out.format=u8", PCM_S_U8 },
    { "s8", PCM_S_S8, 1, 2, ",out.format=s8", PCM_S_S8 },
    { "u16", PCM_S_U16, 2, 2, ",out.format=u16", PCM_S_U16 },
    { "s16", PCM_S_S16, 2, 2, ",out.format=s16", PCM_S_S16 },
    { "u32", PCM_S_U32, 4, 2, ",out.format=s16", PCM_S_S16 },
    { "s32", PCM_S_S32, 4, 2, ",out.format=s16", PCM_S_S16 },
    { "f32", PCM_S_F32, 4, 2, ",out.format=s16", PCM_S_S16 },
    { "s16-mono", PCM_S_S16, 2, 1, ",out.format=s16", PCM_S_S16 },
    { "u8-mono", PCM_S_U8, 1, 1, ",out.format=u8", PCM_S_U8 },
};

/* The little-endian bytes of @value, from -2^15 to 2^15 - 1, in @sample. */
static GByteArray *append_sample(GByteArray *bytes, unsigned sample,
                                 int16_t value)
{
    static const unsigned sizes[] = { 1, 1, 2, 2, 4, 4, 4 };
    float real = value / 32768.0f;
    uint32_t bits = value;

    switch (sample) {
    case PCM_S_U8:
        bits = (value >> 8) + 0x80;
        break;
    case PCM_S_S8:
        bits = value >> 8;
        break;
    case PCM_S_U16:
        bits = value + 0x8000;
        break;
    case PCM_S_U32:
        bits = (uint32_t)(value + 0x8000) << 16;
        break;
    case PCM_S_S32:
        bits = (uint32_t)value << 16;
        break;
    case PCM_S_F32:
        memcpy(&bits, &real, sizeof(bits));
        break;
    }
    bits = cpu_to_le32(bits);
    return g_byte_array_append(bytes, (uint8_t *)&bits, sizes[sample]);
}

static void test_format(const void *data)
{
    const FormatCase *c = data;
    const unsigned frames = 3000;
    Player *p = player_new_on(48000, c->audiodev, "q35");
    Dut *d = p->d;
    GByteArray *source = g_byte_array_new();
    GByteArray *expected = g_byte_array_new();
    g_autofree char *file = NULL;
    gsize size;

    for (unsigned i = 0; i < frames * c->channels; i++) {
        append_sample(source, c->sample, frame(i));
        append_sample(expected, c->recorded, frame(i));
        if (c->channels == 1) {
            append_sample(expected, c->recorded, frame(i));
        }
    }
    g_assert_cmpuint(source->len, ==, frames * c->channels * c->bytes);
    qtest_bufwrite(d->qts, RING, source->data, source->len);
    dut_write(d, S0(FORMAT), c->sample | PCM_S_CHANNELS(c->channels));
    dut_write(d, S0(RATE), 48000);
    dut_write64(d, S0(BUFFER), RING);
    dut_write(d, S0(LENGTH), source->len);
    dut_write64(d, S0(END), frames);
    dut_write(d, S0(CTL), PCM_S_RUN);
    qtest_clock_step(d->qts, 300000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_DRAINED);
    dut_stop(d);
    g_assert_true(g_file_get_contents(p->wav, &file, &size, NULL));
    g_assert_cmpmem(file + WAV_HEADER, size - WAV_HEADER, expected->data,
                    expected->len);
    g_byte_array_unref(source);
    g_byte_array_unref(expected);
    player_free(p);
}

typedef struct FloatCase {
    uint32_t bits;
    int16_t mixed;
} FloatCase;

/* Samples that are in no other format, among some that are. */
static const FloatCase float_cases[] = {
    { 0x3f000000, 0x4000 },                     /* 1/2 */
    { 0xbf000000, -0x4000 },
    { 0x3f7fffff, INT16_MAX },                  /* less than 1 */
    { 0x3f800000, INT16_MAX },                  /* 1 */
    { 0xbf800000, INT16_MIN },
    { 0x3f800001, INT16_MAX },                  /* more than 1 */
    { 0xbf800001, INT16_MIN },
    { 0x40000000, INT16_MAX },                  /* 2 */
    { 0xc0000000, INT16_MIN },
    { 0x7f7fffff, INT16_MAX },                  /* the largest */
    { 0xff7fffff, INT16_MIN },
    { 0x7f800000, INT16_MAX },                  /* infinite */
    { 0xff800000, INT16_MIN },
    { 0x7f800001, 0 },                          /* no numbers */
    { 0xff800001, 0 },
    { 0x7fffffff, 0 },
    { 0xffffffff, 0 },
    { 0x00000001, 0 },                          /* the smallest */
    { 0x80000000, 0 },
    { 0x3e800000, 0x2000 },                     /* 1/4 */
};

/* Play float_cases as frames of F32 stereo; returns what was recorded. */
static char *record_floats(Player *p, unsigned rate, gsize *size)
{
    Dut *d = p->d;
    char *file = NULL;

    for (unsigned i = 0; i < ARRAY_SIZE(float_cases); i++) {
        qtest_writel(d->qts, RING + 4 * i, float_cases[i].bits);
    }
    stream_set_up(d, 0, PCM_S_F32 | PCM_S_CHANNELS(2), rate, RING,
                  4 * ARRAY_SIZE(float_cases));
    dut_write64(d, S0(END), ARRAY_SIZE(float_cases) / 2);
    dut_write(d, S0(CTL), PCM_S_RUN);
    qtest_clock_step(d->qts, 300000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_DRAINED);
    dut_stop(d);
    g_assert_true(g_file_get_contents(p->wav, &file, size, NULL));
    return file;
}

/* The mixer gets no sample that it has no number for. */
static void test_floats(void)
{
    Player *p = player_new(48000, "q35");
    gsize size;
    g_autofree char *file = record_floats(p, 48000, &size);

    g_assert_cmpuint(size, ==, WAV_HEADER + 2 * ARRAY_SIZE(float_cases));
    for (unsigned i = 0; i < ARRAY_SIZE(float_cases); i++) {
        g_assert_cmpint(lduw_le_p(file + WAV_HEADER + 2 * i), ==,
                        (uint16_t)float_cases[i].mixed);
    }
    player_free(p);
}

/* Without the mixer, the samples are none of our business. */
static void test_floats_unmixed(void)
{
    g_autofree char *options = NULL;
    Player *p = player_prepare(44100, "unused", "", &options);
    g_autofree char *machine = g_strdup_printf("q35 -audiodev wav,id=snd,"
                               "path=%s,out.mixing-engine=off", p->wav);
    g_autofree char *file = NULL;
    gsize size;

    p->d = dut_start(machine, ",audiodev=snd");
    file = record_floats(p, 8000, &size);
    g_assert_cmpuint(size, ==, WAV_HEADER + 4 * ARRAY_SIZE(float_cases));
    for (unsigned i = 0; i < ARRAY_SIZE(float_cases); i++) {
        g_assert_cmphex((uint32_t)ldl_le_p(file + WAV_HEADER + 4 * i), ==,
                        float_cases[i].bits);
    }
    player_free(p);
}

/*
 * Without the mixing engine, bytes reach the back end as they are; wav takes
 * whole frames of S16 stereo at 44100 Hz.
 */
static void test_channels(void)
{
    const uint32_t bytes = 2 * 8 * 1000;
    Player *p = player_new_on(44100, "", "q35");
    g_autofree char *machine = NULL;
    g_autofree char *file = NULL;
    gsize size;
    Dut *d;

    g_assert_cmpuint(PCM_CAP2_CHANNELS(dut_read(p->d, PCM_CAP2)), ==, 2);
    dut_stop(p->d);
    machine = g_strdup_printf("q35 -audiodev wav,id=snd,path=%s,"
                              "out.mixing-engine=off", p->wav);
    d = dut_start(machine, ",audiodev=snd,capture=0");
    g_assert_cmpuint(PCM_CAP2_CHANNELS(dut_read(d, PCM_CAP2)), ==, 8);
    for (uint32_t i = 0; i < bytes / 4; i++) {
        qtest_writel(d->qts, RING + 4 * i, frame(i));
    }

    /* Half a frame of the back end's could not be dealt with. */
    stream_set_up(d, 0, PCM_S_U8 | PCM_S_CHANNELS(3), 8000, RING, 3000);
    dut_write(d, S0(CTL), PCM_S_RUN);
    g_assert_cmpuint(dut_read(d, S0(CAUSE)), ==, PCM_S_CAUSE_BACKEND);
    stream_set_up(d, 0, PCM_S_S16 | PCM_S_CHANNELS(9), 8000, RING, 18000);
    dut_write(d, S0(CTL), PCM_S_RUN);
    g_assert_cmpuint(dut_read(d, S0(CAUSE)), ==, PCM_S_CAUSE_FORMAT);

    stream_set_up(d, 0, PCM_S_S16 | PCM_S_CHANNELS(8), 8000, RING, bytes);
    dut_write64(d, S0(END), 1000);
    dut_write(d, S0(CTL), PCM_S_RUN);
    qtest_clock_step(d->qts, 400000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_DRAINED);
    dut_stop(d);
    g_assert_true(g_file_get_contents(p->wav, &file, &size, NULL));
    g_assert_cmpuint(size, ==, WAV_HEADER + bytes);
    for (uint32_t i = 0; i < bytes / 4; i++) {
        uint32_t heard = ldl_le_p(file + WAV_HEADER + 4 * i);

        g_assert_cmphex(heard, ==, frame(i));
    }
    player_free(p);
}

/* Position and period interrupts, to the nanosecond. */
static void test_position(void)
{
    Player *p = player_new(44100, "q35");
    Dut *d = p->d;
    int64_t now;

    dut_write(d, S0(INT_ENABLE), PCM_S_PERIOD);
    player_start(p, 44100, 4096, 441, 0);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 0);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_RUNNING);
    g_assert_cmphex(dut_read(d, S0(CTL)), ==, PCM_S_RUN);

    /* A frame takes 22675.7 ns: it is due at the next whole one. */
    qtest_clock_step(d->qts, 22675);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 0);
    qtest_clock_step(d->qts, 1);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 1);

    /* 441 frames are 10 ms. */
    now = qtest_clock_step(d->qts, 10000000 - 22676 - 1);
    g_assert_cmpint(now - p->start, ==, 9999999);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_RUNNING);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, 0);
    qtest_clock_step(d->qts, 1);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_RUNNING | PCM_S_PERIOD);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, PCM_INT_STREAM(0));
    dut_write(d, S0(STATUS), PCM_S_PERIOD);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, 0);
    for (unsigned i = 2; i < 20; i++) {
        qtest_clock_step(d->qts, 9999999);
        g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, 0);
        qtest_clock_step(d->qts, 1);
        g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, PCM_INT_STREAM(0));
        g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, i * 441);
        dut_write(d, S0(STATUS), PCM_S_PERIOD);
    }
    dut_stop(d);
    player_free(p);
}

/* Reading the low half of POSITION keeps the high one still. */
static void test_position_latch(void)
{
    Player *p = player_new(48000, "q35");

    player_start(p, 48000, 64, 0, 0);
    qtest_clock_step(p->d->qts, 1000000000);
    g_assert_cmpuint(dut_read(p->d, S0(POSITION)), ==, 48000);
    g_assert_cmpuint(dut_read(p->d, S0(POSITION) + 4), ==, 0);
    g_assert_cmpuint(qpci_io_readq(p->d->dev, p->d->bar, S0(POSITION)), ==,
                     48000);
    dut_stop(p->d);
    player_free(p);
}

#define SECOND          1000000000ll

/* Past 2^32 frames, with a back end that asks for them once in an hour. */
static void test_position_high(void)
{
    Dut *d = dut_start("q35 -audiodev none,id=snd,timer-period=3600000000",
                       ",audiodev=snd");
    const uint64_t seconds = 22370;
    const uint64_t frames = seconds * 192000;

    dut_write(d, S0(FORMAT), PCM_S_S16 | PCM_S_CHANNELS(2));
    dut_write(d, S0(RATE), 192000);
    dut_write64(d, S0(BUFFER), RING);
    dut_write(d, S0(LENGTH), 4096);
    dut_write(d, S0(CTL), PCM_S_RUN);
    qtest_clock_step(d->qts, seconds * SECOND);
    g_assert_cmpuint(frames >> 32, ==, 1);
    g_assert_cmpuint(dut_read(d, S0(POSITION)), ==, (uint32_t)frames);
    g_assert_cmpuint(dut_read(d, S0(POSITION) + 4), ==, 1);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_RUNNING | PCM_S_LATE);

    /* The latch holds until the low half is read. */
    dut_write(d, S0(CTL), 0);
    dut_write(d, S0(CTL), PCM_S_RUN);
    g_assert_cmpuint(dut_read(d, S0(POSITION) + 4), ==, 1);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 0);
    dut_stop(d);
}

/* Frames below a position that was seen may change without effect. */
static void test_fetched_before_seen(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    player_start(p, 48000, 4096, 0, 4000);
    for (unsigned i = 0; i < 9; i++) {
        uint64_t position;

        qtest_clock_step(d->qts, 9000001);
        position = dut_read64(d, S0(POSITION));
        qtest_memset(d->qts, RING, 0xee, 4 * position);
    }
    qtest_clock_step(d->qts, 100000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_DRAINED);
    dut_stop(d);
    player_expect_wav(p, 4000);
    player_free(p);
}

/* Nothing is pending half a millisecond before @ms, PERIOD is after it. */
static void expect_period_at(Player *p, int64_t ms)
{
    Dut *d = p->d;

    qtest_clock_set(d->qts, p->start + ms * 1000000 - 500000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_RUNNING);
    qtest_clock_step(d->qts, 1000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_RUNNING | PCM_S_PERIOD);
    dut_write(d, S0(STATUS), PCM_S_PERIOD);
}

/*
 * PERIOD falls due after 23 and 46 ms.  The back end asks every 10 ms: that
 * does, if it comes in time.
 */
static void test_slack(void)
{
    static const struct {
        unsigned slack_ms;
        unsigned first_ms;
        unsigned second_ms;
    } list[] = {
        { 0, 23, 46 },
        { 4, 27, 50 },
        { 3, 26, 49 },
        { 20, 30, 50 },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
        Player *p = player_new(48000, "q35");
        Dut *d = p->d;

        dut_write(d, S0(SLACK), list[i].slack_ms * 1000000);
        player_start(p, 48000, 11040, 1104, 0);
        expect_period_at(p, list[i].first_ms);
        expect_period_at(p, list[i].second_ms);
        g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==,
                         (list[i].second_ms * 1000 + 500) * 48 / 1000);
        dut_stop(d);
        player_free(p);
    }
}

/* END stops exactly, DRAINED follows when the back end has it all. */
static void test_end(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    dut_write(d, S0(INT_ENABLE), PCM_S_DRAINED);
    player_start(p, 48000, 4096, 100, 480);
    qtest_clock_step(d->qts, 9999999);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_RUNNING | PCM_S_PERIOD);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 479);
    qtest_clock_step(d->qts, 1);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 480);
    g_assert_cmphex(dut_read(d, S0(STATUS)) & PCM_S_RUNNING, ==, 0);
    g_assert_cmphex(dut_read(d, S0(CTL)), ==, 0);
    qtest_clock_step(d->qts, 100000000);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 480);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_PERIOD | PCM_S_DRAINED);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, PCM_INT_STREAM(0));
    dut_write(d, S0(STATUS), PCM_S_DRAINED);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, 0);
    dut_stop(d);
    player_expect_wav(p, 480);
    player_free(p);
}

/*
 * Voices that start late hold up the buffer that all share.  DRAINED must
 * wait for it: QEMU is killed then, and nothing may be missing.
 */
static void test_drained_in_company(void)
{
    Player *p = player_new(48000, "q35 -global pcmaster.playback=3 "
                           "-device isa-debug-exit,iobase=0xf4,iosize=4");
    QTestState *qts = p->d->qts;
    g_autofree char *file = NULL;
    gsize size;

    player_start(p, 48000, 4096, 0, 960);
    qtest_clock_step(qts, 9900000);
    start_silence(p->d, 1);
    qtest_clock_step(qts, 10000000);
    start_silence(p->d, 2);
    while (!(dut_read(p->d, S0(STATUS)) & PCM_S_DRAINED)) {
        g_assert_cmpint(qtest_clock_step(qts, 1000000) - p->start, <,
                        300000000);
    }
    dut_release(p->d);
    qtest_set_expected_status(qts, 33);
    qtest_outl(qts, 0xf4, 0x10);
    qtest_wait_qemu(qts);
    qtest_quit(qts);
    g_assert_true(g_file_get_contents(p->wav, &file, &size, NULL));
    g_assert_cmpuint(size, >=, WAV_HEADER + 4 * 960);
    for (uint32_t i = 0; i < 960; i++) {
        g_assert_cmphex((uint32_t)ldl_le_p(file + WAV_HEADER + 4 * i), ==,
                        frame(i));
    }
    player_free(p);
}

/* The end may be told while the stream runs. */
static void test_end_while_running(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    player_start(p, 48000, 4096, 0, 0);
    qtest_clock_step(d->qts, 5000000);
    dut_write64(d, S0(END), 1000);
    qtest_clock_step(d->qts, 200000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_DRAINED);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 1000);
    dut_stop(d);
    player_expect_wav(p, 1000);
    player_free(p);
}

/* A low half alone is no end; the high half brings both in. */
static void test_end_in_halves(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    player_start(p, 48000, 4096, 0, 0xfffffff0);
    qtest_clock_step(d->qts, 10000000);
    dut_write(d, S0(END), 16);
    qtest_clock_step(d->qts, 1000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_RUNNING);
    g_assert_cmphex(dut_read64(d, S0(END)), ==, 16);
    dut_write(d, S0(END) + 4, 1);
    qtest_clock_step(d->qts, 1000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_RUNNING);
    g_assert_cmphex(dut_read64(d, S0(END)), ==, 0x100000010);
    qpci_io_writeq(d->dev, d->bar, S0(END), 1000);
    qtest_clock_step(d->qts, 200000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_DRAINED);
    dut_stop(d);
    player_expect_wav(p, 1000);
    player_free(p);
}

/* RUN cleared: the position stays, what was played until then is heard. */
static void test_stop(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    player_start(p, 48000, 4096, 64, 0);
    qtest_clock_step(d->qts, 12345678);
    dut_write(d, S0(CTL), 0);
    g_assert_cmphex(dut_read(d, S0(STATUS)) & PCM_S_RUNNING, ==, 0);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 592);
    dut_write(d, S0(STATUS), PCM_S_PERIOD);
    qtest_clock_step(d->qts, 100000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, 0);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 592);
    dut_stop(d);
    player_expect_wav(p, 592);
    player_free(p);
}

/* Twice in one life: the second goes on in the recording after the first. */
static void test_play_again(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    player_start(p, 48000, 4096, 512, 3000);
    player_play(p, 48000, 5000000);
    qtest_clock_step(d->qts, 3000000000);
    for (uint32_t i = 0; i < 2000; i++) {
        qtest_writel(d->qts, RING + 4 * i, frame(3000 + i));
    }
    dut_write64(d, S0(END), 2000);
    dut_write(d, S0(CTL), PCM_S_RUN);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_RUNNING);
    qtest_clock_step(d->qts, 200000000);
    g_assert_true(dut_read(d, S0(STATUS)) & PCM_S_DRAINED);
    dut_stop(d);
    player_expect_wav(p, 5000);
    player_free(p);
}

/* At another rate, what the back end has not taken is dropped. */
static void test_play_again_at_another_rate(void)
{
    Player *p = player_new(48000, "q35");
    g_autofree char *file = NULL;
    gsize size;

    player_start(p, 48000, 4096, 0, 0);
    qtest_clock_step(p->d->qts, 12345678);
    dut_write(p->d, S0(CTL), 0);
    g_assert_cmpuint(dut_read64(p->d, S0(POSITION)), ==, 592);
    qtest_memset(p->d->qts, RING, 0, 4 * 4096);
    dut_write(p->d, S0(RATE), 24000);
    dut_write(p->d, S0(CTL), PCM_S_RUN);
    qtest_clock_step(p->d->qts, 100000000);
    dut_stop(p->d);
    g_assert_true(g_file_get_contents(p->wav, &file, &size, NULL));
    g_assert_cmpuint(size, >, WAV_HEADER + 4 * 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t heard = ldl_le_p(file + WAV_HEADER + 4 * i);

        g_assert_cmphex(heard, ==, i < 480 ? frame(i) : 0);
    }
    player_free(p);
}

void pcm_add_playback_tests(void)
{
    qtest_add_func("/pcmaster/stream/floats", test_floats);
    qtest_add_func("/pcmaster/stream/floats-unmixed", test_floats_unmixed);
    qtest_add_func("/pcmaster/stream/channels", test_channels);
    qtest_add_func("/pcmaster/stream/position", test_position);
    qtest_add_func("/pcmaster/stream/position-latch", test_position_latch);
    qtest_add_func("/pcmaster/stream/position-high", test_position_high);
    qtest_add_func("/pcmaster/stream/fetched-before-seen",
                   test_fetched_before_seen);
    qtest_add_func("/pcmaster/stream/slack", test_slack);
    qtest_add_func("/pcmaster/stream/end", test_end);
    qtest_add_func("/pcmaster/stream/drained-in-company",
                   test_drained_in_company);
    qtest_add_func("/pcmaster/stream/end-while-running",
                   test_end_while_running);
    qtest_add_func("/pcmaster/stream/end-in-halves", test_end_in_halves);
    qtest_add_func("/pcmaster/stream/stop", test_stop);
    qtest_add_func("/pcmaster/stream/play-again", test_play_again);
    qtest_add_func("/pcmaster/stream/play-again-at-another-rate",
                   test_play_again_at_another_rate);
    for (unsigned i = 0; i < ARRAY_SIZE(play_cases); i++) {
        pcm_add_case("play", play_cases[i].name, &play_cases[i], test_play);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(format_cases); i++) {
        pcm_add_case("format", format_cases[i].name, &format_cases[i],
                     test_format);
    }
}
