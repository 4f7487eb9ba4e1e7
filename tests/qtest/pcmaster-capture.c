/*
 * pcmaster qtests: capture, and the loop-back that makes it testable
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pcmaster-player.h"
#include "pcmaster-test.h"

#define RECORDING       0x500000
#define BOTH            3               /* playback 0, capture 1 */
#define UNTOUCHED       0x77

static const unsigned sample_bytes[] = { 1, 1, 2, 2, 4, 4, 4 };
static const uint32_t sample_silence[] = {
    0x80, 0, 0x8000, 0, 0x80000000, 0, 0
};

static unsigned frame_bytes(uint32_t format)
{
    return sample_bytes[format & 0xff] * (format >> 8);
}

/* Byte @i of what is played: no two frames are alike. */
static uint8_t sound(uint64_t i)
{
    return frame(i / 4) >> (8 * (i % 4));
}

static uint8_t silence(uint32_t format, uint64_t i)
{
    return sample_silence[format & 0xff] >>
           (8 * (i % sample_bytes[format & 0xff]));
}

/* No voice opens on it: the loop-back works without. */
#define DEAF    "q35 -audiodev wav,id=snd,out.format=f32"

static Dut *start_loop(const char *machine, uint32_t format, unsigned rate,
                       unsigned frames)
{
    Dut *d = dut_start(machine, ",audiodev=snd,loopback=on");
    const unsigned bytes = frames * frame_bytes(format);
    g_autofree uint8_t *data = g_malloc(bytes);

    for (unsigned i = 0; i < bytes; i++) {
        data[i] = sound(i);
    }
    qtest_bufwrite(d->qts, RING, data, bytes);
    qtest_memset(d->qts, RECORDING, UNTOUCHED, bytes + 64);
    stream_set_up(d, 0, format, rate, RING, bytes);
    stream_set_up(d, 1, format, rate, RECORDING, bytes);
    return d;
}

/*
 * Frames @first to @last - 1 of the recording are the played ones @lag frames
 * earlier, or silence if there were none.
 */
static void expect_heard(Dut *d, uint32_t format, uint64_t first,
                         uint64_t last, int64_t lag, uint64_t played)
{
    const unsigned size = frame_bytes(format);
    g_autofree uint8_t *data = g_malloc((last - first) * size);

    qtest_bufread(d->qts, RECORDING + first * size, data,
                  (last - first) * size);
    for (uint64_t i = 0; i < (last - first) * size; i++) {
        int64_t source = (int64_t)(first + i / size) - lag;
        uint8_t expected = silence(format, i);

        if (source >= 0 && source < (int64_t)played) {
            expected = sound(source * size + i % size);
        }
        if (data[i] != expected) {
            g_test_message("frame %" PRIu64, first + i / size);
        }
        g_assert_cmphex(data[i], ==, expected);
    }
}

static void expect_untouched(Dut *d, uint32_t format, uint64_t frame)
{
    g_assert_cmphex(qtest_readb(d->qts, RECORDING +
                                frame * frame_bytes(format)), ==, UNTOUCHED);
}

/* --- Loop-back ---------------------------------------------------------- */

/* Bit by bit, to the last frame and not beyond. */
static void check_loop(const char *machine, uint32_t format)
{
    Dut *d = start_loop(machine, format, 48000, 2000);

    g_assert_true(dut_read(d, PCM_CAP2) & PCM_CAP2_LOOPBACK);
    dut_write64(d, PCM_STREAM(0) + PCM_S_END, 1234);
    dut_write64(d, PCM_STREAM(1) + PCM_S_END, 1500);
    dut_write(d, PCM_STREAMS_START, BOTH);
    for (unsigned i = 0; i < 10; i++) {
        qtest_clock_step(d->qts, 1234567);
        g_assert_cmpuint(stream_position(d, 1), ==, stream_position(d, 0));
    }
    qtest_clock_step(d->qts, 100000000);
    g_assert_cmphex(stream_read(d, 0, PCM_S_STATUS), ==, PCM_S_DRAINED);
    g_assert_cmphex(stream_read(d, 1, PCM_S_STATUS), ==, PCM_S_DRAINED);
    expect_heard(d, format, 0, 1500, 0, 1234);
    expect_untouched(d, format, 1500);
    dut_stop(d);
}

static void test_loop_formats(void)
{
    for (unsigned kind = PCM_S_U8; kind <= PCM_S_F32; kind++) {
        for (unsigned channels = 1; channels <= 2; channels++) {
            check_loop(DEAF, kind | PCM_S_CHANNELS(channels));
        }
    }
}

/* Frames that are no power of two do not fill the FIFO. */
static void test_loop_channels(void)
{
    static const unsigned channels[] = { 3, 6, 8 };

    for (unsigned kind = PCM_S_U8; kind <= PCM_S_F32; kind += 2) {
        for (unsigned i = 0; i < ARRAY_SIZE(channels); i++) {
            check_loop("q35 -audiodev none,id=snd,out.mixing-engine=off",
                       kind | PCM_S_CHANNELS(channels[i]));
        }
    }
}

typedef struct LagCase {
    const char *name;
    unsigned rate;
    int64_t ahead;              /* ns that capture starts earlier */
    int64_t lag;                /* frames */
} LagCase;

static const LagCase lag_cases[] = {
    { "same-time", 48000, 0, 0 },
    { "capture-one-ns-earlier", 48000, 1, 1 },
    { "capture-a-frame-earlier", 8000, 125000, 1 },
    { "capture-more-than-a-frame-earlier", 8000, 125001, 2 },
    { "capture-much-earlier", 44100, 10000000, 441 },
    { "playback-one-ns-earlier", 48000, -1, 0 },
    { "playback-nearly-a-frame-earlier", 8000, -124999, 0 },
    { "playback-a-frame-earlier", 8000, -125000, -1 },
    { "playback-much-earlier", 44100, -10000001, -441 },
};

/* A frame is heard at its time, rounded up to whole frames. */
static void test_loop_lag(const void *data)
{
    const LagCase *c = data;
    Dut *d = start_loop(DEAF, S16_STEREO, c->rate, 4000);
    uint64_t position;

    dut_write(d, PCM_STREAM(c->ahead > 0 ? 1 : 0) + PCM_S_CTL, PCM_S_RUN);
    if (c->ahead) {
        qtest_clock_step(d->qts, ABS(c->ahead));
    }
    dut_write(d, PCM_STREAM(c->ahead > 0 ? 0 : 1) + PCM_S_CTL, PCM_S_RUN);
    qtest_clock_step(d->qts, 3000001);
    stream_position(d, 0);
    qtest_clock_step(d->qts, 20000001);
    position = stream_position(d, 1);
    g_assert_cmpuint(position, ==,
                     frames_in(23000002 + MAX(c->ahead, 0), c->rate));
    expect_heard(d, S16_STEREO, 0, position, c->lag, 4000);
    expect_untouched(d, S16_STEREO, position);
    dut_stop(d);
}

/* What is long due is there, too, though nobody asked for it for long. */
static void test_loop_long(void)
{
    Dut *d = start_loop(DEAF, S16_STEREO, 48000, 100000);

    dut_write(d, PCM_STREAMS_START, BOTH);
    qtest_clock_step(d->qts, 2000000001);
    g_assert_cmpuint(stream_position(d, 0), ==, 96000);
    g_assert_cmpuint(stream_position(d, 1), ==, 96000);
    expect_heard(d, S16_STEREO, 0, 96000, 0, 100000);
    g_assert_cmpuint(stream_read(d, 0, PCM_S_LOST), ==, 0);
    g_assert_cmpuint(stream_read(d, 1, PCM_S_LOST), ==, 0);
    dut_stop(d);
}

/* The partner pauses: silence; then it is heard where it goes on. */
static void test_loop_pause(void)
{
    Dut *d = start_loop(DEAF, S16_STEREO, 48000, 8000);

    dut_write(d, PCM_STREAMS_START, BOTH);
    qtest_clock_step(d->qts, 10000000);
    dut_write(d, PCM_STREAMS_PAUSE, 1);
    qtest_clock_step(d->qts, 5000000);
    dut_write(d, PCM_STREAMS_RESUME, 1);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmpuint(stream_position(d, 1), ==, 1200);
    expect_heard(d, S16_STEREO, 0, 720, 0, 480);
    expect_heard(d, S16_STEREO, 720, 1200, 240, 8000);

    /* The listener's pause leaves a gap in what it hears. */
    dut_write(d, PCM_STREAMS_PAUSE, 2);
    qtest_clock_step(d->qts, 5000000);
    dut_write(d, PCM_STREAMS_RESUME, 2);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmpuint(stream_position(d, 1), ==, 1680);
    expect_heard(d, S16_STEREO, 1200, 1680, 0, 8000);
    dut_stop(d);
}

/* What was on its way when the listener paused is not heard afterwards. */
static void test_loop_pause_of_listener(void)
{
    Dut *d = start_loop(DEAF, S16_STEREO, 48000, 8000);

    dut_write(d, PCM_STREAM(1) + PCM_S_CTL, PCM_S_RUN);
    qtest_clock_step(d->qts, 1);
    dut_write(d, PCM_STREAM(0) + PCM_S_CTL, PCM_S_RUN);
    qtest_clock_step(d->qts, 10000000);
    dut_write(d, PCM_STREAMS_PAUSE, 2);
    qtest_clock_step(d->qts, 5000000);
    dut_write(d, PCM_STREAMS_RESUME, 2);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmpuint(stream_position(d, 1), ==, 960);
    expect_heard(d, S16_STEREO, 0, 480, 1, 8000);
    expect_heard(d, S16_STEREO, 480, 481, 0, 0);
    expect_heard(d, S16_STEREO, 481, 960, -239, 8000);
    dut_stop(d);
}

/* With another rate or format there is nothing to hear. */
static void test_loop_unequal(void)
{
    static const struct {
        uint32_t format;
        unsigned rate;
    } list[] = {
        { PCM_S_U16 | PCM_S_CHANNELS(2), 48000 },
        { PCM_S_S16 | PCM_S_CHANNELS(1), 48000 },
        { S16_STEREO, 44100 },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
        Dut *d = start_loop(DEAF, S16_STEREO, 48000, 2000);

        stream_set_up(d, 1, list[i].format, list[i].rate, RECORDING, 4000);
        dut_write(d, PCM_STREAMS_START, BOTH);
        qtest_clock_step(d->qts, 10000000);
        g_assert_cmpuint(stream_position(d, 1), ==, list[i].rate / 100);
        expect_heard(d, list[i].format, 0, list[i].rate / 100, 0, 0);
        g_assert_cmphex(stream_read(d, 1, PCM_S_STATUS), ==, PCM_S_RUNNING);
        dut_stop(d);
    }
}

/* What is recorded is heard as well, before the volume. */
static void test_loop_and_back_end(void)
{
    Player *p = player_new(48000, "q35 -global pcmaster.loopback=on");
    Dut *d = p->d;

    stream_set_up(d, 1, S16_STEREO, 48000, RECORDING, 4 * 4096);
    dut_write64(d, PCM_STREAM(1) + PCM_S_END, 2000);
    dut_write(d, PCM_STREAM(1) + PCM_S_CTL, PCM_S_RUN);
    player_start(p, 48000, 4096, 0, 1000);
    dut_write(d, S0(VOLUME), PCM_S_MUTE);
    qtest_clock_step(d->qts, 300000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_DRAINED);
    for (uint32_t i = 0; i < 1000; i++) {
        g_assert_cmphex(qtest_readl(d->qts, RECORDING + 4 * (i + 1)), ==,
                        frame(i));
    }
    dut_stop(d);
    player_free(p);
}

/* --- The back end ------------------------------------------------------- */

/* A back end that delivers silence in time: nothing is lost, ever. */
static void test_silence(void)
{
    static const unsigned rates[] = { 8000, 22050, 44100, 48000, 96000 };
    const uint32_t format = S16_STEREO;

    for (unsigned i = 0; i < ARRAY_SIZE(rates); i++) {
        Dut *d = dut_start("q35 -audiodev none,id=snd", ",audiodev=snd");

        qtest_memset(d->qts, RECORDING, UNTOUCHED, 0x80000);
        stream_set_up(d, 1, format, rates[i], RECORDING, 0x80000);
        dut_write64(d, PCM_STREAM(1) + PCM_S_END, rates[i]);
        dut_write(d, PCM_STREAM(1) + PCM_S_CTL, PCM_S_RUN);
        qtest_clock_step(d->qts, 999999999);
        g_assert_cmphex(stream_read(d, 1, PCM_S_STATUS), ==, PCM_S_RUNNING);
        qtest_clock_step(d->qts, 1);
        g_assert_cmphex(stream_read(d, 1, PCM_S_STATUS), ==, PCM_S_DRAINED);
        g_assert_cmpuint(stream_position(d, 1), ==, rates[i]);
        expect_heard(d, format, 0, rates[i], 0, 0);
        expect_untouched(d, format, rates[i]);
        dut_stop(d);
    }
}

#define TICK_NS         50000000        /* of the slow back end */

/*
 * A back end that delivers each 50 ms less than is recorded in that time.
 * Before it has delivered twice nothing is amiss; then what is missing is.
 */
static void test_slow_back_end(void)
{
    Dut *d = dut_start("q35 -audiodev none,id=snd,timer-period=50000",
                       ",audiodev=snd");
    const unsigned s1 = PCM_STREAM(1);
    const uint32_t tick = frames_in(TICK_NS, 48000);
    uint32_t lost[12];

    stream_set_up(d, 1, S16_STEREO, 48000, RECORDING, 0x4000);
    dut_write(d, s1 + PCM_S_CTL, PCM_S_RUN);
    qtest_clock_step(d->qts, 2 * TICK_NS - 1000000);
    stream_position(d, 1);
    g_assert_cmphex(dut_read(d, s1 + PCM_S_STATUS), ==, PCM_S_RUNNING);
    g_assert_cmpuint(dut_read(d, s1 + PCM_S_LOST), ==, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(lost); i++) {
        qtest_clock_step(d->qts, TICK_NS);
        stream_position(d, 1);
        lost[i] = dut_read(d, s1 + PCM_S_LOST);
    }
    g_assert_cmphex(dut_read(d, s1 + PCM_S_STATUS), ==,
                    PCM_S_RUNNING | PCM_S_LATE);
    g_assert_cmpuint(dut_read(d, s1 + PCM_S_XRUNS), ==, 0);
    /* From each second delivery on it is heard again. */
    for (unsigned i = 4; i < ARRAY_SIZE(lost); i++) {
        g_assert_cmpuint(lost[i] - lost[i - 2], >, 0);
        g_assert_cmpuint(lost[i] - lost[i - 2], <, 2 * tick);
    }
    dut_stop(d);
}

#ifdef CONFIG_AUDIO_ALSA
#define RECORDED_FRAMES 100000

/* An ALSA device from which @frame can be recorded, whatever the host has. */
static void write_sound_card(const char *sound, const char *config)
{
    g_autofree uint32_t *data = g_new(uint32_t, RECORDED_FRAMES);
    g_autofree char *text = g_strdup_printf(
        "pcm.card { type file slave.pcm { type null } format raw "
        "file /dev/null infile %s }", sound);

    for (uint32_t i = 0; i < RECORDED_FRAMES; i++) {
        data[i] = cpu_to_le32(frame(i));
    }
    g_assert_true(g_file_set_contents(sound, (char *)data,
                                      4 * RECORDED_FRAMES, NULL));
    g_assert_true(g_file_set_contents(config, text, -1, NULL));
}

/*
 * What the back end delivers comes in its order, with nothing missing, and
 * after silence.  ALSA's null device is always ready, and asked by the
 * virtual clock.
 */
static void test_recording(void)
{
    g_autofree char *dir = g_dir_make_tmp("pcmaster-XXXXXX", NULL);
    g_autofree char *sound = g_build_filename(dir, "sound", NULL);
    g_autofree char *config = g_build_filename(dir, "asound.conf", NULL);
    const unsigned frames = 0x10000;
    g_autofree uint32_t *heard = g_new(uint32_t, frames);
    unsigned first = 0;
    Dut *d;

    write_sound_card(sound, config);
    g_setenv("ALSA_CONFIG_PATH", config, true);
    d = dut_start("q35 -audiodev alsa,id=snd,in.dev=card,in.try-poll=off,"
                  "in.frequency=48000,in.channels=2,in.format=s16",
                  ",audiodev=snd");
    stream_set_up(d, 1, S16_STEREO, 48000, RECORDING, 4 * frames);
    dut_write64(d, PCM_STREAM(1) + PCM_S_END, 48000);
    dut_write(d, PCM_STREAM(1) + PCM_S_CTL, PCM_S_RUN);
    qtest_clock_step(d->qts, 1000000000);
    g_assert_cmphex(stream_read(d, 1, PCM_S_STATUS), ==, PCM_S_DRAINED);
    g_assert_cmpuint(stream_read(d, 1, PCM_S_LOST), ==, 0);
    qtest_bufread(d->qts, RECORDING, heard, 4 * frames);
    while (first < 48000 && !heard[first]) {
        first++;
    }
    /* Two deliveries of the default timer-period, and what is under way. */
    g_assert_cmpuint(first, <, 3 * 480);
    for (unsigned i = first; i < 48000; i++) {
        g_assert_cmphex(le32_to_cpu(heard[i]), ==, frame(i - first));
    }
    dut_stop(d);
    g_unsetenv("ALSA_CONFIG_PATH");
    unlink(config);
    unlink(sound);
    rmdir(dir);
}
#endif

/* Nobody records: silence, without a word. */
static void test_no_recorder(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    qtest_memset(d->qts, RECORDING, UNTOUCHED, 8192);
    stream_set_up(d, 1, S16_STEREO, 48000, RECORDING, 8192);
    dut_write(d, PCM_STREAM(1) + PCM_S_CTL, PCM_S_RUN);
    qtest_clock_step(d->qts, 20000000);
    g_assert_cmpuint(stream_position(d, 1), ==, 960);
    g_assert_cmphex(stream_read(d, 1, PCM_S_STATUS), ==, PCM_S_RUNNING);
    expect_heard(d, S16_STEREO, 0, 960, 0, 0);
    expect_untouched(d, S16_STEREO, 960);
    dut_stop(d);
    player_free(p);
}

/* Capture writes: rules see it so, and stop it. */
static void test_capture_refused(void)
{
    Dut *d = dut_start("q35 -audiodev none,id=snd", ",audiodev=snd");

    dut_set_window(d, 0, RECORDING, RECORDING + 0xffff,
                   PCM_W_ENABLE | PCM_W_READ);
    stream_set_up(d, 1, S16_STEREO, 48000, RECORDING, 8192);
    dut_write(d, PCM_STREAM(1) + PCM_S_CTL, PCM_S_RUN);
    qtest_clock_step(d->qts, 1000000);
    g_assert_cmpuint(stream_position(d, 1), ==, 0);
    g_assert_cmphex(stream_read(d, 1, PCM_S_STATUS), ==, PCM_S_ERROR);
    g_assert_cmpuint(stream_read(d, 1, PCM_S_CAUSE), ==, PCM_S_CAUSE_DMA);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_WINDOW, 1, true, PCM_POLICY_ABORT, RECORDING, 4 * 48,
        ONES, 0, RECORDING, PCM_LANDED_NOWHERE });
    dut_stop(d);
}

/* --- S_READY ------------------------------------------------------------ */

/* What the driver has not taken is not overwritten: the new is dropped. */
static void test_capture_ready(void)
{
    const unsigned ring = 500;
    Dut *d = start_loop(DEAF, S16_STEREO, 48000, 4000);

    dut_write(d, PCM_STREAM(1) + PCM_S_LENGTH, 4 * ring);
    dut_write64(d, PCM_STREAM(1) + PCM_S_READY, 0);
    dut_write(d, PCM_STREAMS_START, BOTH);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmphex(stream_read(d, 1, PCM_S_STATUS), ==, PCM_S_RUNNING);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmpuint(stream_position(d, 1), ==, 960);
    g_assert_cmphex(stream_read(d, 1, PCM_S_STATUS), ==,
                    PCM_S_RUNNING | PCM_S_XRUN);
    g_assert_cmpuint(stream_read(d, 1, PCM_S_XRUNS), ==, 960 - ring);
    g_assert_cmpuint(stream_read(d, 1, PCM_S_LOST), ==, 0);
    expect_heard(d, S16_STEREO, 0, ring, 0, 4000);

    /* It has taken 700: 240 more fit in, at their places. */
    dut_write64(d, PCM_STREAM(1) + PCM_S_READY, 700);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmpuint(stream_position(d, 1), ==, 1440);
    g_assert_cmpuint(stream_read(d, 1, PCM_S_XRUNS), ==,
                     960 - ring + 1440 - 1200);
    for (uint32_t i = 960; i < 1200; i++) {
        g_assert_cmphex(qtest_readl(d->qts, RECORDING + 4 * (i % ring)), ==,
                        frame(i));
    }
    g_assert_cmphex(qtest_readl(d->qts, RECORDING + 4 * (1200 % ring)), ==,
                    frame(1200 % ring));
    dut_stop(d);
}

/* It is told though nobody asks: the partner's back end keeps time. */
static void test_capture_ready_told(void)
{
    Dut *d = start_loop("q35 -audiodev none,id=snd", S16_STEREO, 48000, 4000);

    dut_write(d, PCM_STREAM(1) + PCM_S_LENGTH, 400);
    dut_write64(d, PCM_STREAM(1) + PCM_S_READY, 0);
    dut_write(d, PCM_STREAM(1) + PCM_S_INT_ENABLE, PCM_S_XRUN);
    dut_write(d, PCM_STREAMS_START, BOTH);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, 0);
    qtest_clock_step(d->qts, 20000000);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, PCM_INT_STREAM(1));
    dut_stop(d);
}

/* What the driver has not written is silence, not what is in the ring. */
static void test_playback_ready(void)
{
    const uint32_t format = PCM_S_U16 | PCM_S_CHANNELS(2);
    Dut *d = start_loop(DEAF, format, 48000, 4000);

    dut_write64(d, PCM_STREAM(0) + PCM_S_READY, 700);
    dut_write(d, PCM_STREAMS_START, BOTH);
    qtest_clock_step(d->qts, 10000000);
    stream_position(d, 0);
    g_assert_cmphex(stream_read(d, 0, PCM_S_STATUS), ==, PCM_S_RUNNING);
    qtest_clock_step(d->qts, 10000000);
    /* Half of it is no news; both halves are, but not for what is past. */
    dut_write(d, PCM_STREAM(0) + PCM_S_READY, 1000);
    g_assert_cmpuint(stream_read(d, 0, PCM_S_XRUNS), ==, 0);
    dut_write(d, PCM_STREAM(0) + PCM_S_READY + 4, 0);
    g_assert_cmpuint(stream_read(d, 0, PCM_S_XRUNS), ==, 260);
    g_assert_cmphex(stream_read(d, 0, PCM_S_STATUS), ==,
                    PCM_S_RUNNING | PCM_S_XRUN);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmpuint(stream_position(d, 1), ==, 1440);
    g_assert_cmpuint(stream_position(d, 0), ==, 1440);
    g_assert_cmpuint(stream_read(d, 0, PCM_S_XRUNS), ==, 260 + 440);
    g_assert_cmpuint(stream_read(d, 0, PCM_S_LOST), ==, 0);
    expect_heard(d, format, 0, 960, 0, 700);
    expect_heard(d, format, 960, 1440, 0, 1000);
    dut_stop(d);
}

/* Frames are transferred even if nobody looks and no back end asks. */
static void test_unseen(void)
{
    Dut *d = dut_start("q35", ",playback=0,loopback=on");

    qtest_memset(d->qts, RING, 0x5a, 4 * 48000);
    stream_set_up(d, 0, PCM_S_S16 | PCM_S_CHANNELS(2), 48000, RING,
                  4 * 48000);
    dut_write(d, PCM_STREAM(0) + PCM_S_CTL, PCM_S_RUN);
    qtest_clock_step(d->qts, 499000000);
    g_assert_cmphex(qtest_readl(d->qts, RING), ==, 0x5a5a5a5a);
    qtest_clock_step(d->qts, 1000000);
    g_assert_cmphex(qtest_readl(d->qts, RING + 4 * 23999), ==, 0);
    g_assert_cmphex(qtest_readl(d->qts, RING + 4 * 24000), ==, 0x5a5a5a5a);
    qtest_clock_step(d->qts, 3600000000000);
    g_assert_cmpuint(stream_position(d, 0), ==, 48000 / 2 * 7201);
    g_assert_cmpuint(stream_read(d, 0, PCM_S_LOST), ==, 0);
    dut_stop(d);
}

void pcm_add_capture_tests(void)
{
    qtest_add_func("/pcmaster/capture/unseen", test_unseen);
    qtest_add_func("/pcmaster/loopback/formats", test_loop_formats);
    qtest_add_func("/pcmaster/loopback/channels", test_loop_channels);
    qtest_add_func("/pcmaster/loopback/long", test_loop_long);
    qtest_add_func("/pcmaster/loopback/pause", test_loop_pause);
    qtest_add_func("/pcmaster/loopback/pause-of-listener",
                   test_loop_pause_of_listener);
    qtest_add_func("/pcmaster/loopback/unequal", test_loop_unequal);
    qtest_add_func("/pcmaster/loopback/back-end", test_loop_and_back_end);
    qtest_add_func("/pcmaster/capture/silence", test_silence);
    qtest_add_func("/pcmaster/capture/slow-back-end", test_slow_back_end);
#ifdef CONFIG_AUDIO_ALSA
    qtest_add_func("/pcmaster/capture/recording", test_recording);
#endif
    qtest_add_func("/pcmaster/capture/no-recorder", test_no_recorder);
    qtest_add_func("/pcmaster/capture/refused", test_capture_refused);
    qtest_add_func("/pcmaster/capture/ready", test_capture_ready);
    qtest_add_func("/pcmaster/capture/ready-told", test_capture_ready_told);
    qtest_add_func("/pcmaster/stream/ready", test_playback_ready);
    for (unsigned i = 0; i < ARRAY_SIZE(lag_cases); i++) {
        pcm_add_case("loopback/lag", lag_cases[i].name, &lag_cases[i],
                     test_loop_lag);
    }
}
