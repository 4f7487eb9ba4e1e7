/*
 * pcmaster qtests: a player, the part of a driver that keeps a ring filled
 *
 * It plays frames of which no two are alike and knows what must be recorded.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_PCMASTER_PLAYER_H
#define TESTS_PCMASTER_PLAYER_H

#include "qemu/bswap.h"
#include "pcmaster-dut.h"

#define S0(reg)         (PCM_STREAM(0) + PCM_S_##reg)
#define RING            0x300000
#define WAV_HEADER      44
#define S16_STEREO      (PCM_S_S16 | PCM_S_CHANNELS(2))

/* Frame @i of the recording: no two of a test are alike. */
static inline uint32_t frame(uint32_t i)
{
    return i * 0x9e3779b1u + 0x12345678u;
}

typedef struct Player {
    Dut *d;
    char *dir;
    char *wav;
    uint32_t ring_frames;
    uint64_t end;
    uint64_t filled;            /* frames written into the ring so far */
    int64_t start;              /* virtual clock at RUN */
} Player;

/*
 * A player that has a recording, but no device yet.
 * @id: of the back end
 * @audiodev: further options of the back end, each with a comma before it;
 *            they replace those given here
 * @options: the back end, for the command line
 */
static inline Player *player_prepare(unsigned rate, const char *id,
                                     const char *audiodev, char **options)
{
    Player *p = g_new0(Player, 1);

    p->dir = g_dir_make_tmp("pcmaster-XXXXXX", NULL);
    g_assert_nonnull(p->dir);
    p->wav = g_build_filename(p->dir, "out.wav", NULL);
    *options = g_strdup_printf("-audiodev wav,id=%s,path=%s,"
                               "out.frequency=%u,out.channels=2,"
                               "out.format=s16%s", id, p->wav, rate,
                               audiodev);
    return p;
}

/* With a device on it. */
static inline Player *player_new_on(unsigned rate, const char *audiodev,
                                    const char *machine)
{
    g_autofree char *options = NULL;
    Player *p = player_prepare(rate, "snd", audiodev, &options);
    g_autofree char *all = g_strdup_printf("%s %s", machine, options);

    p->d = dut_start(all, ",audiodev=snd");
    return p;
}

static inline Player *player_new(unsigned rate, const char *machine)
{
    return player_new_on(rate, "", machine);
}

static inline void player_free(Player *p)
{
    unlink(p->wav);
    rmdir(p->dir);
    g_free(p->wav);
    g_free(p->dir);
    g_free(p);
}

/* Write the frames before @until that are not in the ring yet. */
static inline void player_fill(Player *p, uint64_t until)
{
    while (p->filled < until) {
        uint32_t at = p->filled % p->ring_frames;
        uint32_t count = MIN(until - p->filled, p->ring_frames - at);
        g_autofree uint32_t *data = g_new(uint32_t, count);

        for (uint32_t i = 0; i < count; i++) {
            data[i] = cpu_to_le32(frame(p->filled + i));
        }
        qtest_bufwrite(p->d->qts, RING + 4 * at, data, 4 * count);
        p->filled += count;
    }
}

static inline void player_start(Player *p, unsigned rate, uint32_t ring_frames,
                         uint32_t period, uint64_t end)
{
    Dut *d = p->d;

    p->ring_frames = ring_frames;
    p->end = end;
    player_fill(p, MIN(end ? end : ring_frames, ring_frames));
    dut_write(d, S0(FORMAT), PCM_S_S16 | PCM_S_CHANNELS(2));
    dut_write(d, S0(RATE), rate);
    dut_write64(d, S0(BUFFER), RING);
    dut_write(d, S0(LENGTH), 4 * ring_frames);
    dut_write(d, S0(PERIOD_FRAMES), period);
    dut_write64(d, S0(END), end);
    p->start = qtest_clock_step(d->qts, 1);
    dut_write(d, S0(CTL), PCM_S_RUN);
}

static inline uint64_t player_frames_at(Player *p, unsigned rate, int64_t now)
{
    __uint128_t frames = (__uint128_t)(now - p->start) * rate / 1000000000;

    return p->end && frames > p->end ? p->end : frames;
}

/* Play to DRAINED in steps of @step ns, refilling the ring on the way. */
static inline void player_play(Player *p, unsigned rate, int64_t step)
{
    int64_t now = p->start;

    while (!(dut_read(p->d, S0(STATUS)) & PCM_S_DRAINED)) {
        uint64_t position;

        now = qtest_clock_step(p->d->qts, step);
        position = dut_read64(p->d, S0(POSITION));
        g_assert_cmpuint(position, ==, player_frames_at(p, rate, now));
        player_fill(p, MIN(p->end, position + p->ring_frames));
        g_assert_cmpint(now - p->start, <, p->end * 1000000000 / rate +
                        200000000);
    }
    g_assert_cmphex(dut_read(p->d, S0(STATUS)) & ~PCM_S_PERIOD, ==,
                    PCM_S_DRAINED);
    g_assert_cmpuint(dut_read(p->d, S0(LOST)), ==, 0);
    dut_expect_no_record(p->d);
}

/*
 * The recording holds frames from @first on, and nothing else.
 * Returns: how many
 */
static inline uint64_t player_check_wav(Player *p, uint64_t first)
{
    g_autofree char *file = NULL;
    const uint32_t *data;
    uint64_t count;
    gsize size;

    g_assert_true(g_file_get_contents(p->wav, &file, &size, NULL));
    g_assert_cmpuint(size, >=, WAV_HEADER);
    g_assert_cmpuint(ldl_le_p(file + 40), ==, size - WAV_HEADER);
    data = (const uint32_t *)(file + WAV_HEADER);
    count = (size - WAV_HEADER) / 4;
    for (uint64_t i = 0; i < count; i++) {
        g_assert_cmphex(le32_to_cpu(data[i]), ==, frame(first + i));
    }
    return count;
}

/* The recording holds frames 0 to @count - 1, and nothing else. */
static inline void player_expect_wav(Player *p, uint64_t count)
{
    g_assert_cmpuint(player_check_wav(p, 0), ==, count);
}

/* What a start needs to know of stream @n; the rest is as after a reset. */
static inline void stream_set_up(Dut *d, unsigned n, uint32_t format,
                                 uint32_t rate, uint64_t buffer,
                                 uint32_t length)
{
    dut_write(d, PCM_STREAM(n) + PCM_S_FORMAT, format);
    dut_write(d, PCM_STREAM(n) + PCM_S_RATE, rate);
    dut_write64(d, PCM_STREAM(n) + PCM_S_BUFFER, buffer);
    dut_write(d, PCM_STREAM(n) + PCM_S_LENGTH, length);
}

static inline uint64_t stream_position(Dut *d, unsigned n)
{
    return dut_read64(d, PCM_STREAM(n) + PCM_S_POSITION);
}

static inline uint32_t stream_read(Dut *d, unsigned n, unsigned reg)
{
    return dut_read(d, PCM_STREAM(n) + reg);
}

/* Frames in @ns nanoseconds at @rate. */
static inline uint64_t frames_in(int64_t ns, unsigned rate)
{
    return (__uint128_t)ns * rate / 1000000000;
}

/* Nobody listens to what it plays, and nothing refills its ring. */
static inline void start_silence(Dut *d, unsigned stream)
{
    const unsigned base = PCM_STREAM(stream);

    dut_write(d, base + PCM_S_FORMAT, PCM_S_S16 | PCM_S_CHANNELS(2));
    dut_write(d, base + PCM_S_RATE, 48000);
    dut_write64(d, base + PCM_S_BUFFER, 0x400000);
    dut_write(d, base + PCM_S_LENGTH, 4096);
    dut_write(d, base + PCM_S_CTL, PCM_S_RUN);
}

#endif /* TESTS_PCMASTER_PLAYER_H */
