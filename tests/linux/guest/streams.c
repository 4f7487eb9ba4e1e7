/* SPDX-License-Identifier: MIT */
/*
 * pcmaster-streams: several streams at once, or one way alone
 *
 *   pcmaster-streams linked COUNT    so many playback and capture streams: one write starts
 *                                    all and one pauses all, at the same frame
 *   pcmaster-streams alone COUNT     as many, each by itself
 *   pcmaster-streams drain FRAMES    plays so many, which need be no whole period
 *   pcmaster-streams silence RATE    records of a card that hears nothing
 *   pcmaster-streams fail play|record    the stream must end with an error, twice
 *
 * Prints a line of TAP without a number; status 1 if something was wrong. "at" lines
 * are positions, which the host compares with those that the device tells.
 */
#include <alsa/asoundlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "verdict.h"

#define RATE                        48000
#define PERIOD                      1024
#define PERIODS                     16
#define CHANNELS                    2
#define MOST_STREAMS                8
#define MOST_LATE_MS                60
#define PAUSES                      3
#define FIRST_VALUE                 1       /* of the sound, which has no silent frame */
#define VALUES                      32003   /* a prime number */

static void check_time(double began, snd_pcm_uframes_t frames, unsigned int rate)
{
    double due = (double)frames / rate, took = now() - began;

    if (took < due - 1e-3 || took > due + MOST_LATE_MS / 1e3) {
        verdict(0, "%lu frames in %.3f s, not %.3f", frames, took, due);
    }
}

static snd_pcm_t *open_stream(int sub, snd_pcm_stream_t way, unsigned int rate)
{
    snd_pcm_sw_params_t *software;
    snd_pcm_t *pcm;
    char device[32];

    snprintf(device, sizeof(device), "hw:0,0,%d", sub);
    must(snd_pcm_open(&pcm, device, way, 0), "open");
    must(snd_pcm_set_params(pcm, SND_PCM_FORMAT_S16_LE, SND_PCM_ACCESS_RW_INTERLEAVED, CHANNELS, rate,
                            0, PERIOD * PERIODS * 1000000ull / rate), "set_params");
    snd_pcm_sw_params_alloca(&software);
    must(snd_pcm_sw_params_current(pcm, software), "sw_params_current");
    must(snd_pcm_sw_params_set_start_threshold(pcm, software, ~0u), "start threshold");
    must(snd_pcm_sw_params(pcm, software), "sw_params");
    return pcm;
}

/* Frames that are never silent, each another one than its neighbours. */
static int16_t *make_sound(snd_pcm_uframes_t frames)
{
    int16_t *sound = calloc(frames, CHANNELS * sizeof(*sound));
    snd_pcm_uframes_t i;

    for (i = 0; i < frames * CHANNELS; i++) {
        sound[i] = (int16_t)(i / CHANNELS % VALUES + FIRST_VALUE);
    }
    return sound;
}

static void tell_position(int stream, snd_pcm_t *pcm, int plays, snd_pcm_uframes_t written)
{
    snd_pcm_sframes_t avail = snd_pcm_avail_update(pcm);
    snd_pcm_uframes_t buffer, period;

    must(avail, "avail");
    must(snd_pcm_get_params(pcm, &buffer, &period), "get_params");
    printf("at %d %ld\n", stream, plays ? (long)written + avail - (long)buffer : avail);
}

/* Does something with the first of the streams, which takes the linked ones along, or all. */
static void each(snd_pcm_t **streams, int count, int (*act)(snd_pcm_t *pcm, int push), int push)
{
    int i;

    for (i = 0; i < count; i++) {
        must(act(streams[i], push), "start, pause or release");
    }
}

static int start(snd_pcm_t *pcm, int unused)
{
    (void)unused;
    return snd_pcm_start(pcm);
}

/* Linux 6.12 asks for no position when a stream pauses. */
static int pause_there(snd_pcm_t *pcm, int push)
{
    int result = push ? snd_pcm_hwsync(pcm) : 0;

    return result < 0 ? result : snd_pcm_pause(pcm, push);
}

static void open_group(snd_pcm_t **streams, int count, int linked, snd_pcm_uframes_t *buffer)
{
    snd_pcm_uframes_t period;
    int16_t *sound;
    int i;

    for (i = 0; i < 2 * count; i++) {
        streams[i] = open_stream(i % count, i < count ? SND_PCM_STREAM_PLAYBACK : SND_PCM_STREAM_CAPTURE,
                                 RATE);
        must(i && linked ? snd_pcm_link(streams[0], streams[i]) : 0, "link");
    }
    must(snd_pcm_get_params(streams[0], buffer, &period), "get_params");
    sound = make_sound(*buffer);
    for (i = 0; i < count; i++) {
        must(snd_pcm_writei(streams[i], sound, *buffer), "write");
    }
    free(sound);
}

/* Number n of the device is playback n, or capture n - count. */
static void group(int count, int linked)
{
    snd_pcm_t *streams[2 * MOST_STREAMS];
    int acts = linked ? 1 : 2 * count, i, round;
    snd_pcm_uframes_t buffer;

    open_group(streams, count, linked, &buffer);
    each(streams, acts, start, 0);
    for (round = 0; round < PAUSES; round++) {
        usleep(30000 + 1234 * (unsigned int)round);
        each(streams, acts, pause_there, 1);
        for (i = 0; i < 2 * count && !linked; i++) {
            tell_position(i, streams[i], i < count, buffer);
        }
        each(streams, acts, pause_there, 0);
    }
    verdict(1, "%d streams paused %d times", 2 * count, PAUSES);
}

static void drain(snd_pcm_uframes_t frames)
{
    snd_pcm_t *pcm = open_stream(0, SND_PCM_STREAM_PLAYBACK, RATE);
    int16_t *sound = make_sound(frames);
    snd_pcm_uframes_t buffer, period, first;
    double began;

    must(snd_pcm_get_params(pcm, &buffer, &period), "get_params");
    first = frames < buffer ? frames : buffer;
    must(snd_pcm_writei(pcm, sound, first), "write");
    began = now();
    must(snd_pcm_start(pcm), "start");
    if (first < frames) {
        must(snd_pcm_writei(pcm, sound + first * CHANNELS, frames - first), "write");
    }
    must(snd_pcm_drain(pcm), "drain");
    check_time(began, frames, RATE);
    verdict(snd_pcm_state(pcm) == SND_PCM_STATE_SETUP, "%lu frames", frames);
}

static void silence(unsigned int rate)
{
    snd_pcm_t *pcm = open_stream(0, SND_PCM_STREAM_CAPTURE, rate);
    snd_pcm_uframes_t buffer, frames, i;
    int16_t *heard;
    double began;

    must(snd_pcm_get_params(pcm, &buffer, &frames), "get_params");      /* a period's */
    heard = malloc(frames * CHANNELS * sizeof(*heard));
    began = now();
    memset(heard, 0xff, frames * CHANNELS * sizeof(*heard));
    must(snd_pcm_start(pcm), "start");
    for (i = 0; i < frames;) {
        snd_pcm_sframes_t got = snd_pcm_readi(pcm, heard + i * CHANNELS, frames - i);

        must(got, "read");
        i += (snd_pcm_uframes_t)got;
    }
    check_time(began, frames, rate);
    for (i = 0; i < frames * CHANNELS; i++) {
        if (heard[i]) {
            verdict(0, "sample %lu is %d", i, heard[i]);
        }
    }
    verdict(1, "%lu frames", frames);
}

/* Until an error ends the stream, or for a second. */
static long until_error(snd_pcm_t *pcm, int16_t *sound, int plays)
{
    long result = plays ? snd_pcm_writei(pcm, sound, PERIOD * 2) : 0, frames = 0;

    must(result, "first write");
    must(snd_pcm_start(pcm), "start");
    while (result >= 0 && frames < RATE) {
        result = plays ? snd_pcm_writei(pcm, sound, PERIOD) : snd_pcm_readi(pcm, sound, PERIOD);
        frames += result;
    }
    return result;
}

static void fail(int plays)
{
    snd_pcm_t *pcm = open_stream(0, plays ? SND_PCM_STREAM_PLAYBACK : SND_PCM_STREAM_CAPTURE, RATE);
    int16_t *sound = make_sound(PERIOD * PERIODS);
    int round;

    for (round = 0; round < 2; round++) {
        long result = until_error(pcm, sound, plays);

        if (result != -EPIPE || snd_pcm_state(pcm) != SND_PCM_STATE_XRUN) {
            verdict(0, "%s, state %s", result < 0 ? snd_strerror((int)result) : "no error",
                    snd_pcm_state_name(snd_pcm_state(pcm)));
        }
        must(snd_pcm_prepare(pcm), "prepare");
    }
    verdict(1, "an xrun, and again after prepare");
}

int main(int argc, char **argv)
{
    char label[64];
    long value;

    if (argc != 3) {
        fputs("usage: pcmaster-streams linked|alone|drain|silence|fail WHAT\n", stderr);
        return 2;
    }
    snprintf(label, sizeof(label), "%s %s", argv[1], argv[2]);
    name = label;
    value = strtol(argv[2], NULL, 10);
    if ((!strcmp(argv[1], "linked") || !strcmp(argv[1], "alone")) && value > 0 && value <= MOST_STREAMS) {
        group((int)value, *argv[1] == 'l');
    } else if (!strcmp(argv[1], "drain") && value > 0) {
        drain((snd_pcm_uframes_t)value);
    } else if (!strcmp(argv[1], "silence") && value > 0) {
        silence((unsigned int)value);
    } else if (!strcmp(argv[1], "fail")) {
        fail(!strcmp(argv[2], "play"));
    }
    verdict(0, "what is that?");
}
