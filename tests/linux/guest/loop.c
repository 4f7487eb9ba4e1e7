/* SPDX-License-Identifier: MIT */
/*
 * pcmaster-loop: plays and records what it plays, frame for frame
 *
 *   pcmaster-loop NAME [KEY=VALUE]...
 *
 * Playback and capture of a card that hears itself are linked and started by one
 * write, so frame n of the one is frame n of the other. Every sample is another
 * number: what is lost, doubled, late or stale shows. Prints a line of TAP without
 * a number; status 1 if something was wrong.
 *
 *   card sub format rate channels period periods frames   what is played
 *   access=rw|mmap
 *   pause=1      pauses once on the way
 *   command=...  a shell's command in the middle, in which streams are suspended;
 *                with pause=1 while it is paused
 *   error=1      the stream must end with an error, soon
 */
#include <alsa/asoundlib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define POSITION_SAMPLES            200
#define POSITION_FRAMES             2
#define MOST_LATE_MS                60

struct loop {
    const char *name;
    int card, sub, pause, error;
    unsigned int rate, channels;
    snd_pcm_format_t format;
    snd_pcm_access_t access;
    snd_pcm_uframes_t period, periods, frames;
    snd_pcm_uframes_t all;          /* with the silence behind, so that nothing runs dry */
    const char *command;

    snd_pcm_t *play, *record;
    size_t frame_bytes;
    unsigned char *sound, *heard;
    snd_pcm_uframes_t written, read;
};

static void verdict(const struct loop *loop, int ok, const char *format, ...)
    __attribute__((format(printf, 3, 4), noreturn));

static void verdict(const struct loop *loop, int ok, const char *format, ...)
{
    va_list list;

    printf("%s - %s: ", ok ? "ok" : "not ok", loop->name);
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    putchar('\n');
    exit(!ok);
}

static void must(const struct loop *loop, long result, const char *what)
{
    if (result < 0) {
        verdict(loop, 0, "%s: %s", what, snd_strerror((int)result));
    }
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Every sample another number; floating point within -1 and 1. */
static void make_sound(struct loop *loop)
{
    int bytes = snd_pcm_format_physical_width(loop->format) / 8;
    size_t samples = loop->frames * loop->channels, i;

    loop->frame_bytes = (size_t)bytes * loop->channels;
    loop->all = loop->frames + 2 * loop->period * loop->periods;
    loop->sound = calloc(loop->all, loop->frame_bytes);
    loop->heard = calloc(loop->frames, loop->frame_bytes);
    for (i = 0; i < samples; i++) {
        uint32_t value = (uint32_t)(i + 1) * 0x9e3779b1u ^ (uint32_t)i >> 7;
        float number = (float)((int32_t)value >> 8) / 8388608.0f;

        memcpy(loop->sound + i * (size_t)bytes,
               loop->format == SND_PCM_FORMAT_FLOAT_LE ? (void *)&number : (void *)&value, (size_t)bytes);
    }
}

static void set_up(struct loop *loop, snd_pcm_t *pcm)
{
    snd_pcm_uframes_t buffer = loop->period * loop->periods, period = loop->period;
    snd_pcm_hw_params_t *hardware;
    snd_pcm_sw_params_t *software;

    snd_pcm_hw_params_alloca(&hardware);
    snd_pcm_sw_params_alloca(&software);
    must(loop, snd_pcm_hw_params_any(pcm, hardware), "parameters");
    must(loop, snd_pcm_hw_params_set_rate_resample(pcm, hardware, 0), "no resampling");
    must(loop, snd_pcm_hw_params_set_access(pcm, hardware, loop->access), "access");
    must(loop, snd_pcm_hw_params_set_format(pcm, hardware, loop->format), "format");
    must(loop, snd_pcm_hw_params_set_channels(pcm, hardware, loop->channels), "channels");
    must(loop, snd_pcm_hw_params_set_rate(pcm, hardware, loop->rate, 0), "rate");
    must(loop, snd_pcm_hw_params_set_period_size(pcm, hardware, period, 0), "period");
    must(loop, snd_pcm_hw_params_set_buffer_size(pcm, hardware, buffer), "buffer");
    must(loop, snd_pcm_hw_params(pcm, hardware), "hw_params");
    must(loop, snd_pcm_sw_params_current(pcm, software), "sw_params_current");
    must(loop, snd_pcm_sw_params_set_start_threshold(pcm, software, loop->frames * 2 + buffer), "start");
    must(loop, snd_pcm_sw_params_set_avail_min(pcm, software, period), "avail_min");
    must(loop, snd_pcm_sw_params_set_tstamp_mode(pcm, software, SND_PCM_TSTAMP_ENABLE), "time stamps");
    must(loop, snd_pcm_sw_params(pcm, software), "sw_params");
}

static void open_both(struct loop *loop)
{
    char name[32];

    snprintf(name, sizeof(name), "hw:%d,0,%d", loop->card, loop->sub);
    must(loop, snd_pcm_open(&loop->play, name, SND_PCM_STREAM_PLAYBACK, 0), "open playback");
    must(loop, snd_pcm_open(&loop->record, name, SND_PCM_STREAM_CAPTURE, 0), "open capture");
    set_up(loop, loop->play);
    set_up(loop, loop->record);
    must(loop, snd_pcm_link(loop->play, loop->record), "link");
}

static long write_some(struct loop *loop, snd_pcm_uframes_t most)
{
    snd_pcm_uframes_t rest = loop->all - loop->written, count = rest < most ? rest : most;
    const unsigned char *from = loop->sound + loop->written * loop->frame_bytes;
    snd_pcm_sframes_t done = loop->access == SND_PCM_ACCESS_MMAP_INTERLEAVED
                                 ? snd_pcm_mmap_writei(loop->play, from, count)
                                 : snd_pcm_writei(loop->play, from, count);

    loop->written += done > 0 ? (snd_pcm_uframes_t)done : 0;
    return done;
}

static long read_some(struct loop *loop, snd_pcm_uframes_t most)
{
    snd_pcm_uframes_t rest = loop->frames - loop->read, count = rest < most ? rest : most;
    unsigned char *to = loop->heard + loop->read * loop->frame_bytes;
    snd_pcm_sframes_t done = loop->access == SND_PCM_ACCESS_MMAP_INTERLEAVED
                                 ? snd_pcm_mmap_readi(loop->record, to, count)
                                 : snd_pcm_readi(loop->record, to, count);

    loop->read += done > 0 ? (snd_pcm_uframes_t)done : 0;
    return done;
}

/* What an application does when the system has slept. */
static long resumed(struct loop *loop, long result)
{
    return result == -ESTRPIPE ? snd_pcm_resume(loop->play) : result;
}

static void interfere(struct loop *loop)
{
    const char *command = loop->command;
    int pauses = loop->pause > 0;

    loop->command = NULL;
    if (pauses) {
        must(loop, snd_pcm_pause(loop->play, 1), "pause");
        usleep(50000);
    }
    if (command) {
        must(loop, system(command) ? -EIO : 0, command);
    }
    if (pauses && snd_pcm_state(loop->play) == SND_PCM_STATE_SUSPENDED) {
        must(loop, snd_pcm_resume(loop->play), "resume");
    }
    if (pauses) {
        must(loop, snd_pcm_pause(loop->play, 0), "release");
        loop->pause--;
    }
}

/* The whole of it; negative: an error of a stream. */
static long play_and_record(struct loop *loop)
{
    long result = write_some(loop, loop->period * loop->periods);

    must(loop, result, "first write");
    must(loop, snd_pcm_start(loop->play), "start");
    while (result >= 0 && loop->read < loop->frames) {
        if (loop->read > loop->frames / 3) {
            interfere(loop);
        }
        result = resumed(loop, read_some(loop, loop->period));
        if (result >= 0 && loop->written < loop->all) {
            result = resumed(loop, write_some(loop, loop->period));
        }
    }
    return result;
}

/* The position, against the clock, to the frame. */
static void check_position(struct loop *loop)
{
    snd_pcm_status_t *status;
    snd_htimestamp_t time;
    double first = 0, frames, when, worst = 0;
    int i;

    snd_pcm_status_alloca(&status);
    for (i = 0; i < POSITION_SAMPLES; i++) {
        usleep(700);
        must(loop, snd_pcm_status(loop->play, status), "status");
        snd_pcm_status_get_htstamp(status, &time);
        when = (double)time.tv_sec + (double)time.tv_nsec / 1e9;
        frames = (double)loop->written - (double)snd_pcm_status_get_delay(status) - when * loop->rate;
        first = i ? first : frames;
        worst = frames - first > worst ? frames - first : first - frames > worst ? first - frames : worst;
    }
    if (worst > POSITION_FRAMES) {
        verdict(loop, 0, "the position is %.1f frames off", worst);
    }
    verdict(loop, 1, "%.2f frames at most", worst);
}

static void check_heard(const struct loop *loop)
{
    snd_pcm_uframes_t i;

    for (i = 0; i < loop->frames; i++) {
        if (memcmp(loop->sound + i * loop->frame_bytes, loop->heard + i * loop->frame_bytes,
                   loop->frame_bytes)) {
            verdict(loop, 0, "frame %lu of %lu is another one", i, loop->frames);
        }
    }
}

static void number(struct loop *loop, const char *word, long value)
{
    const struct {
        const char *word;
        int *number;
        unsigned int *positive;
        snd_pcm_uframes_t *frames;
    } numbers[] = {
        { "card", &loop->card, NULL, NULL }, { "sub", &loop->sub, NULL, NULL },
        { "pause", &loop->pause, NULL, NULL }, { "error", &loop->error, NULL, NULL },
        { "rate", NULL, &loop->rate, NULL }, { "channels", NULL, &loop->channels, NULL },
        { "period", NULL, NULL, &loop->period }, { "periods", NULL, NULL, &loop->periods },
        { "frames", NULL, NULL, &loop->frames },
    };
    size_t i;

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (strcmp(word, numbers[i].word)) {
            continue;
        }
        if (numbers[i].number) {
            *numbers[i].number = (int)value;
        } else if (numbers[i].positive) {
            *numbers[i].positive = (unsigned int)value;
        } else {
            *numbers[i].frames = (snd_pcm_uframes_t)value;
        }
        return;
    }
    verdict(loop, 0, "what is %s?", word);
}

static void option(struct loop *loop, char *word)
{
    char *value = strchr(word, '=');

    if (!value) {
        verdict(loop, 0, "what is %s?", word);
    }
    *value++ = '\0';
    if (!strcmp(word, "format")) {
        loop->format = snd_pcm_format_value(value);
    } else if (!strcmp(word, "access")) {
        loop->access = *value == 'm' ? SND_PCM_ACCESS_MMAP_INTERLEAVED : SND_PCM_ACCESS_RW_INTERLEAVED;
    } else if (!strcmp(word, "command")) {
        loop->command = value;
    } else {
        number(loop, word, strtol(value, NULL, 10));
    }
}

/* The content, the time and the end of the stream. */
static void check(struct loop *loop, double took, int disturbed)
{
    double due = (double)loop->frames / loop->rate;
    double most = due + MOST_LATE_MS / 1e3 + 2.0 * (double)loop->period / loop->rate;

    check_heard(loop);
    if (!disturbed && (took < due - 1e-3 || took > most)) {
        verdict(loop, 0, "%.3f s, not %.3f", took, due);
    }
    must(loop, snd_pcm_drain(loop->play), "drain");
    verdict(loop, 1, "%lu frames, %.3f s", loop->frames, took);
}

int main(int argc, char **argv)
{
    struct loop loop = { .name = argc > 1 ? argv[1] : "loop", .rate = 48000, .channels = 2,
                         .format = SND_PCM_FORMAT_S16_LE, .access = SND_PCM_ACCESS_RW_INTERLEAVED,
                         .period = 1024, .periods = 4, .frames = 24000 };
    int disturbed, i;
    double began;
    long result;

    for (i = 2; i < argc; i++) {
        option(&loop, argv[i]);
    }
    disturbed = loop.pause || loop.command;
    make_sound(&loop);
    open_both(&loop);
    if (!strcmp(loop.name, "position")) {
        must(&loop, write_some(&loop, loop.period * loop.periods), "write");
        must(&loop, snd_pcm_start(loop.play), "start");
        check_position(&loop);
    }
    began = now();
    result = play_and_record(&loop);
    if (loop.error) {
        verdict(&loop, result == -EPIPE || result == -EIO, "%s", snd_strerror((int)result));
    }
    must(&loop, result, "stream");
    check(&loop, now() - began, disturbed);
}
