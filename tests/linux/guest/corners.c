/* SPDX-License-Identifier: MIT */
/*
 * pcmaster-corners CASE: what applications may do to a stream, and seldom do.
 *
 * Plays into the card's own loop-back. Prints a line of TAP without a number; status 1
 * if something was wrong.
 */
#include <alsa/asoundlib.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "pcmaster_exercise.h"
#include "pcmaster_regs.h"
#include "verdict.h"

#define RATE                        48000
#define CHANNELS                    2
#define PERIOD                      1024
#define RING                        16384
#define MOST_FRAMES                 100000
#define ROUNDS                      40
#define RESET_ROUND                 20
#define LATE_S                      0.2     /* more than the back end takes to play what it has */
#define LINE                        256
#define SLEEP                       "echo devices > /sys/power/pm_test && " \
                                    "echo 0 > /sys/module/suspend/parameters/pm_test_delay && " \
                                    "echo mem > /sys/power/state"
#define WRITEBACK                   "/sys/module/snd_pcmaster/parameters/writeback"

/* Frame n is n + 1, so none is silent and all follow each other. */
static int16_t sound[MOST_FRAMES][CHANNELS];

/* --- streams ------------------------------------------------------------------ */

struct kind {
    int sub;
    snd_pcm_stream_t way;
    snd_pcm_uframes_t ring;
    snd_pcm_access_t access;
    int silent;                     /* no interrupt for periods: alsa-lib wants it not to block */
};

static snd_pcm_t *make(struct kind kind)
{
    snd_pcm_hw_params_t *hardware;
    snd_pcm_sw_params_t *software;
    char device[32];
    snd_pcm_t *pcm;

    snprintf(device, sizeof(device), "hw:0,0,%d", kind.sub);
    must(snd_pcm_open(&pcm, device, kind.way, kind.silent ? SND_PCM_NONBLOCK : 0), "open");
    snd_pcm_hw_params_alloca(&hardware);
    snd_pcm_sw_params_alloca(&software);
    must(snd_pcm_hw_params_any(pcm, hardware), "parameters");
    must(snd_pcm_hw_params_set_access(pcm, hardware, kind.access), "access");
    must(snd_pcm_hw_params_set_format(pcm, hardware, SND_PCM_FORMAT_S16_LE), "format");
    must(snd_pcm_hw_params_set_channels(pcm, hardware, CHANNELS), "channels");
    must(snd_pcm_hw_params_set_rate(pcm, hardware, RATE, 0), "rate");
    must(snd_pcm_hw_params_set_period_size(pcm, hardware, PERIOD, 0), "period");
    must(snd_pcm_hw_params_set_buffer_size(pcm, hardware, kind.ring), "ring");
    must(snd_pcm_hw_params_set_period_wakeup(pcm, hardware, !kind.silent), "wake-ups");
    must(snd_pcm_hw_params(pcm, hardware), "hw_params");
    must(snd_pcm_sw_params_current(pcm, software), "sw_params_current");
    must(snd_pcm_sw_params_set_start_threshold(pcm, software, 10 * MOST_FRAMES), "start threshold");
    must(snd_pcm_sw_params(pcm, software), "sw_params");
    return pcm;
}

static snd_pcm_t *player(int sub)
{
    return make((struct kind){ sub, SND_PCM_STREAM_PLAYBACK, RING, SND_PCM_ACCESS_RW_INTERLEAVED, 0 });
}

static snd_pcm_t *recorder(snd_pcm_uframes_t ring)
{
    return make((struct kind){ 0, SND_PCM_STREAM_CAPTURE, ring, SND_PCM_ACCESS_RW_INTERLEAVED, 0 });
}

static void drained(long result, double began, double due)
{
    must(result, "drain");
    if (now() - began < due || now() - began > due + LATE_S) {
        verdict(0, "drained after %.3f s, not %.3f", now() - began, due);
    }
}

/* What the device node says to an exercise: 0, or why not. */
static int exercise(void)
{
    struct pcmaster_allocate wanted = { .last = ~0ull, .boundary = ~0ull, .align = 1, .length = 4096,
                                        .node = PCMASTER_ANY_NODE, .flags = PCMASTER_CACHED };
    static struct pcmaster_exercise request;
    int node = open("/dev/pcmaster0", O_RDWR), error;

    if (node < 0 || ioctl(node, PCMASTER_IOC_ALLOCATE, &wanted)) {
        verdict(0, "device node: %s", strerror(errno));
    }
    request = (struct pcmaster_exercise){ .handle = wanted.handle, .command = PCM_EX_FILL, .length = 4096,
                                          .limit = ~0ull, .boundary = ~0ull, .addr_bits = 64,
                                          .node = PCMASTER_ANY_NODE };
    error = ioctl(node, PCMASTER_IOC_EXERCISE, &request) ? errno : 0;
    close(node);
    return error;
}

static void device_is_free(void)
{
    int error = exercise();

    if (error) {
        verdict(0, "no stream is open, and an exercise is refused: %s", strerror(error));
    }
}

/* --- cases -------------------------------------------------------------------- */

static void drain_with_capture(void)
{
    snd_pcm_t *play = player(0), *record = recorder(RING);
    double began;

    must(snd_pcm_link(play, record), "link");
    must(snd_pcm_writei(play, sound, 10000), "write");
    must(snd_pcm_start(play), "start");
    began = now();
    drained(snd_pcm_drain(play), began, 10000.0 / RATE - 1e-3);
    must(snd_pcm_close(play), "close");
    must(snd_pcm_close(record), "close");
    device_is_free();
}

static void *drain_other(void *pcm)
{
    static int result;

    result = snd_pcm_drain(pcm);
    return &result;
}

/* starts: before they drain; or it is the drain that starts them. */
static void drain_two(int starts)
{
    snd_pcm_t *one = player(0), *other = player(1), *record = recorder(RING);
    pthread_t thread;
    void *result;
    double began;

    must(snd_pcm_link(one, other), "link");
    must(snd_pcm_link(one, record), "link");
    must(snd_pcm_writei(one, sound, 16000), "write");
    must(snd_pcm_writei(other, sound, 5000), "write");
    must(starts ? snd_pcm_start(one) : 0, "start");
    began = now();
    must(-pthread_create(&thread, NULL, drain_other, other), "thread");
    drained(snd_pcm_drain(one), began, 16000.0 / RATE - 1e-3);
    pthread_join(thread, &result);
    must(*(int *)result, "drain of the other");
    must(snd_pcm_close(one), "close");
    must(snd_pcm_close(other), "close");
    must(snd_pcm_close(record), "close");
    device_is_free();
}

static void drain_started(void)
{
    drain_two(1);
}

static void drain_unstarted(void)
{
    drain_two(0);
}

static void sleep_and_close(void)
{
    snd_pcm_t *play = player(0);

    must(snd_pcm_writei(play, sound, RING), "write");
    must(snd_pcm_start(play), "start");
    if (exercise() != EBUSY) {
        verdict(0, "an exercise runs while a stream does");
    }
    must(snd_pcm_pause(play, 1), "pause");
    must(system(SLEEP) ? -EIO : 0, "sleep");
    must(snd_pcm_prepare(play), "prepare");
    device_is_free();
    must(snd_pcm_close(play), "close");
    device_is_free();
}

static void close_paused(void)
{
    snd_pcm_t *play = player(0);

    must(snd_pcm_writei(play, sound, RING), "write");
    must(snd_pcm_start(play), "start");
    must(snd_pcm_pause(play, 1), "pause");
    must(snd_pcm_close(play), "close");
    device_is_free();
}

/* After a reset, too, each frame that is heard follows the one before. */
static void reset_capture(void)
{
    snd_pcm_t *play = player(0), *record = recorder(4 * PERIOD);
    int16_t heard[PERIOD][CHANNELS];
    int round, frame, last = 0, written = RING;

    must(snd_pcm_link(play, record), "link");
    must(snd_pcm_writei(play, sound, RING), "write");
    must(snd_pcm_start(play), "start");
    for (round = 0; round < ROUNDS; round++) {
        must(snd_pcm_readi(record, heard, PERIOD), "read");
        for (frame = 0; frame < PERIOD; frame++) {
            if (heard[frame][0] <= last) {
                verdict(0, "round %d: %d after %d", round, heard[frame][0], last);
            }
            last = heard[frame][0];
        }
        if (round == RESET_ROUND) {
            must(snd_pcm_unlink(record), "unlink");
            must(snd_pcm_reset(record), "reset");
        }
        if (written + PERIOD < INT16_MAX) {
            must(snd_pcm_writei(play, sound[written], PERIOD), "write");
            written += PERIOD;
        } else {
            break;
        }
    }
}

static void set_parameter(const char *value)
{
    int file = open(WRITEBACK, O_WRONLY);

    if (file < 0 || write(file, value, 1) != 1) {
        verdict(0, "%s: %s", WRITEBACK, strerror(errno));
    }
    close(file);
}

/* A stream goes on as it was opened. */
static void parameter_changed(void)
{
    snd_pcm_t *play, *record = recorder(4 * PERIOD);
    int16_t heard[PERIOD][CHANNELS];
    int round, frame;

    set_parameter("1");
    play = make((struct kind){ 0, SND_PCM_STREAM_PLAYBACK, 4 * PERIOD, SND_PCM_ACCESS_MMAP_INTERLEAVED, 0 });
    set_parameter("0");
    must(snd_pcm_mmap_writei(play, sound, 4 * PERIOD), "write");
    must(snd_pcm_link(play, record), "link");
    must(snd_pcm_start(play), "start");
    for (round = 0; round < 3 * 4; round++) {
        must(snd_pcm_readi(record, heard, PERIOD), "read");
        for (frame = 0; frame < PERIOD; frame++) {
            if (!heard[frame][0]) {
                verdict(0, "silence at frame %d of period %d", frame, round);
            }
        }
        must(snd_pcm_mmap_writei(play, sound, PERIOD), "write");
    }
}

/* The count of all interrupts that the card has ever had. */
static long interrupts(void)
{
    FILE *file = fopen("/proc/interrupts", "r");
    char line[LINE], *at;
    long sum = 0;

    while (file && fgets(line, sizeof(line), file)) {
        at = strstr(line, "pcmaster") ? strchr(line, ':') : NULL;
        while (at) {
            char *end;
            long count = strtol(at + 1, &end, 10);

            sum += end > at + 1 ? count : 0;
            at = end > at + 1 && *end == ' ' ? end : NULL;
        }
    }
    if (file) {
        fclose(file);
    }
    return sum;
}

/* Without wake-ups by periods there is one interrupt, at the end; the position moves all the same. */
static void no_wakeups(void)
{
    snd_pcm_t *play = make((struct kind){ 0, SND_PCM_STREAM_PLAYBACK, RING, SND_PCM_ACCESS_RW_INTERLEAVED, 1 });
    long before = interrupts(), after;
    snd_pcm_sframes_t avail;
    double began;

    must(snd_pcm_writei(play, sound, RING), "write");
    must(snd_pcm_start(play), "start");
    began = now();
    usleep(100000);
    avail = snd_pcm_avail(play);
    if (avail < RATE / 10 || avail > RATE / 10 + RATE / 20) {
        verdict(0, "%ld frames have passed after 0.1 s", avail);
    }
    must(snd_pcm_drain(play) == -EAGAIN ? 0 : -EIO, "drain");
    while (snd_pcm_state(play) == SND_PCM_STATE_DRAINING) {
        usleep(1000);
    }
    drained(0, began, (double)RING / RATE - 1e-3);
    after = interrupts();
    if (after - before != 1) {
        verdict(0, "%ld interrupts", after - before);
    }
}

/* Whether an xrun stops the stream. */
static void set_stop(snd_pcm_t *pcm, int stops)
{
    snd_pcm_uframes_t ring, period, boundary;
    snd_pcm_sw_params_t *software;

    snd_pcm_sw_params_alloca(&software);
    must(snd_pcm_get_params(pcm, &ring, &period), "get_params");
    must(snd_pcm_sw_params_current(pcm, software), "sw_params_current");
    must(snd_pcm_sw_params_get_boundary(software, &boundary), "boundary");
    must(snd_pcm_sw_params_set_stop_threshold(pcm, software, stops ? ring : boundary), "stop threshold");
    must(snd_pcm_sw_params(pcm, software), "sw_params");
}

/* As much as there is room for, in pieces; written: frames before that, and then. */
static void fill_up(snd_pcm_t *play, snd_pcm_access_t access, snd_pcm_uframes_t *written)
{
    snd_pcm_sframes_t avail = snd_pcm_avail(play), done, piece;

    must(avail < 0 ? avail : 0, "avail");
    for (; avail > 0; avail -= done) {
        piece = avail < PERIOD / 2 + 1 ? avail : PERIOD / 2 + 1;
        done = access == SND_PCM_ACCESS_MMAP_INTERLEAVED ? snd_pcm_mmap_writei(play, sound[*written], piece)
                                                         : snd_pcm_writei(play, sound[*written], piece);
        must(done < 0 ? done : 0, "write");
        *written += done;
    }
}

/* Back to three periods before what plays, and half of that forward again. */
static void go_back(snd_pcm_t *play, snd_pcm_uframes_t *written)
{
    snd_pcm_sframes_t back = snd_pcm_rewindable(play) - 3 * PERIOD, forward;

    if (back > 0) {
        back = snd_pcm_rewind(play, back);
        must(back < 0 ? back : 0, "rewind");
        forward = snd_pcm_forward(play, back / 2);
        must(forward < 0 ? forward : 0, "forward");
        *written += forward - back;
    }
}

static void rewind_with(const char *writeback, snd_pcm_access_t access)
{
    snd_pcm_t *play, *record = recorder(4 * PERIOD);
    int16_t heard[PERIOD][CHANNELS], expected = 1;
    snd_pcm_uframes_t written = 0;
    int round, frame;

    set_parameter(writeback);
    play = make((struct kind){ 0, SND_PCM_STREAM_PLAYBACK, 8 * PERIOD, access, 0 });
    set_parameter("0");
    must(snd_pcm_link(play, record), "link");
    fill_up(play, access, &written);
    must(snd_pcm_start(play), "start");
    for (round = 0; round < 20; round++) {
        must(snd_pcm_readi(record, heard, PERIOD), "read");
        for (frame = 0; frame < PERIOD; frame++, expected++) {
            if (heard[frame][0] != expected) {
                verdict(0, "writeback %s, access %d: %d in place of frame %d", writeback, access,
                        heard[frame][0], expected);
            }
        }
        go_back(play, &written);
        fill_up(play, access, &written);
        set_stop(play, round % 2);
    }
    must(snd_pcm_close(play), "close");
    must(snd_pcm_close(record), "close");
}

/* What is taken back and written again is played, and nothing counts as late. */
static void rewind_often(void)
{
    rewind_with("0", SND_PCM_ACCESS_RW_INTERLEAVED);
    rewind_with("1", SND_PCM_ACCESS_RW_INTERLEAVED);
    rewind_with("0", SND_PCM_ACCESS_MMAP_INTERLEAVED);
    rewind_with("1", SND_PCM_ACCESS_MMAP_INTERLEAVED);
}

static void stall_with(const char *writeback)
{
    int16_t heard[PERIOD][CHANNELS];
    snd_pcm_t *record;
    long got;

    set_parameter(writeback);
    record = recorder(4 * PERIOD);
    set_parameter("0");
    must(snd_pcm_start(record), "start");
    must(snd_pcm_readi(record, heard, PERIOD), "read");
    usleep(200000);
    got = snd_pcm_readi(record, heard, PERIOD);
    if (got != -EPIPE) {
        verdict(0, "writeback %s: no xrun, but %ld", writeback, got);
    }
    must(snd_pcm_prepare(record), "prepare");
    must(snd_pcm_start(record), "start again");
    must(snd_pcm_readi(record, heard, PERIOD), "read again");
    must(snd_pcm_close(record), "close");
}

/* Who reads too late has an xrun, and can go on after it. */
static void stalled_capture(void)
{
    stall_with("0");
    stall_with("1");
}

static const struct {
    const char *name;
    void (*run)(void);
} cases[] = {
    { "drain-with-capture", drain_with_capture },
    { "drain-started", drain_started },
    { "drain-unstarted", drain_unstarted },
    { "sleep-and-close", sleep_and_close },
    { "close-paused", close_paused },
    { "reset-capture", reset_capture },
    { "parameter-changed", parameter_changed },
    { "no-wakeups", no_wakeups },
    { "rewind", rewind_often },
    { "stalled-capture", stalled_capture },
};

int main(int argc, char **argv)
{
    size_t i;

    name = argc > 1 ? argv[1] : "no case";
    for (i = 0; i < MOST_FRAMES; i++) {
        sound[i][0] = sound[i][1] = (int16_t)(i % INT16_MAX + 1);
    }
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (!strcmp(name, cases[i].name)) {
            cases[i].run();
            verdict(1, "as it should be");
        }
    }
    verdict(0, "there is no such case");
}
