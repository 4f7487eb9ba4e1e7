/* SPDX-License-Identifier: MIT */
/* Playing a sound from a cyclic common buffer */
#include "run.h"

#define RING_BYTES                  65536u
#define PERIODS                     4u

/* Whole frames of it are read and written at a time. */
#define CHUNK_BYTES                 32768u

static const struct sample {
    const char *name;
    uint32_t format;
    uint32_t bytes;
} samples[] = {
    { "u8", PCM_S_U8, 1 },   { "s8", PCM_S_S8, 1 },   { "u16", PCM_S_U16, 2 }, { "s16", PCM_S_S16, 2 },
    { "u32", PCM_S_U32, 4 }, { "s32", PCM_S_S32, 4 }, { "f32", PCM_S_F32, 4 },
};

static const struct sample *sample_find(const char *name)
{
    uint32_t i;

    for (i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
        if (text_equal(samples[i].name, name)) {
            return &samples[i];
        }
    }
    return NULL;
}

static uint32_t frame_bytes(const struct run *run)
{
    return sample_find(run->options->sample)->bytes * run->options->channels;
}

bool play_possible(struct run *run)
{
    const struct pcm_options *options = run->options;
    const char *why = NULL;

    if (!options->sample || !sample_find(options->sample)) {
        why = "Bail out! play: the sample format is unknown";
    } else if (!options->rate || !options->channels || options->channels > 255) {
        why = "Bail out! play: the rate or the number of channels is wrong";
    } else if (options->sound_bytes % frame_bytes(run)) {
        why = "Bail out! play: the sound does not end with a whole frame";
    }
    if (why) {
        run->ops->print(run->ops->context, why);
    }
    return !why;
}

static const char *const allocators[PCM_ALLOCATORS] = {
    [PCM_ALLOCATE_COMMON_BUFFER] = "AllocateCommonBuffer",
    [PCM_ALLOCATE_COMMON_BUFFER_EX] = "AllocateCommonBufferEx",
    [PCM_ALLOCATE_COMMON_BUFFER_WITH_BOUNDS] = "AllocateCommonBufferWithBounds",
};

/* The driver must use the best routine that there is, and do with what there is. */
static void check_allocator(struct run *run, uint32_t allocator)
{
    enum pcm_allocator due = platform_allocator(run->platform);

    text_add(&run->request, ", %s", allocator < PCM_ALLOCATORS ? allocators[allocator] : "unknown");
    if (allocator != (uint32_t)due) {
        broken(run, "the cyclic buffer is not %s's", allocators[due]);
    }
}

static bool play_start(struct run *run)
{
    const struct pcm_options *options = run->options;
    struct pcm_play_start start = {
        .rate = options->rate,
        .channels = options->channels,
        .sample = sample_find(options->sample)->format,
        .period_frames = RING_BYTES / PERIODS / frame_bytes(run),
        .periods = PERIODS,
        .frames = options->sound_bytes / frame_bytes(run),
    };
    struct pcm_play_started started;

    text_add(&run->request, "%U frames, %u Hz, %u channel%s, %s", start.frames, start.rate, start.channels,
             start.channels == 1 ? "" : "s", options->sample);
    if (!PCM_CAP_PLAYBACK(run->facts.capabilities)) {
        broken(run, "the device has no playback stream");
        return false;
    }
    if (!command(run, PCM_CMD_PLAY_START, &start, sizeof(start), &started, sizeof(started))) {
        return false;
    }
    check_allocator(run, started.allocator);
    text_add(&run->logical, "%X", started.logical);
    text_add(&run->more, ",\"ring_bytes\":%u,\"period_frames\":%u", started.length, start.period_frames);
    if (started.logical >> 24 || started.logical >> 16 != (started.logical + started.length - 1) >> 16) {
        broken(run, "the cyclic buffer at %X is not one that a card with 24 lines can play from",
               started.logical);
    }
    return true;
}

/* Sends the whole sound; the driver waits for room. */
static void play_write(struct run *run)
{
    static struct {
        struct pcm_play_write head;
        uint8_t data[CHUNK_BYTES];
    } chunk;
    uint32_t most = CHUNK_BYTES - CHUNK_BYTES % frame_bytes(run);
    uint64_t left = run->options->sound_bytes, at = 0;
    struct pcm_play_written written;

    while (left && run->verdict == HELD) {
        uint32_t bytes = left < most ? (uint32_t)left : most;

        if (run->ops->sound(run->ops->context, at, chunk.data, bytes)) {
            broken(run, "the sound cannot be read at byte %U", at);
            break;
        }
        chunk.head.bytes = bytes;
        if (!command(run, PCM_CMD_PLAY_WRITE, &chunk, sizeof(chunk.head) + bytes, &written,
                     sizeof(written))) {
            break;
        }
        if (written.bytes != bytes) {
            broken(run, "the stream stopped at byte %U, cause %u", at + written.bytes, written.cause);
        }
        at += bytes;
        left -= bytes;
    }
}

static void play_finish(struct run *run)
{
    uint64_t frames = run->options->sound_bytes / frame_bytes(run);
    struct pcm_play_finished end;

    if (!command(run, PCM_CMD_PLAY_FINISH, NULL, 0, &end, sizeof(end))) {
        return;
    }
    text_add(&run->more, ",\"frames\":%U,\"interrupts\":%u,\"underruns\":%u,\"lost\":%u", end.frames,
             end.interrupts, end.underruns, end.lost);
    run->buffers = 1;
    run->played = end.frames * frame_bytes(run);
    if (end.cause || end.records) {
        broken(run, "the stream stopped, cause %u, %u violations", end.cause, end.records);
    }
    if (!end.drained || end.frames != frames) {
        broken(run, "%U of %U frames were played%s", end.frames, frames,
               end.drained ? "" : ", and the end was not reached");
    }
    if (end.underruns || end.lost) {
        broken(run, "%u underruns, %u frames lost", end.underruns, end.lost);
    }
}

void play(struct run *run)
{
    point_begin(run);
    if (play_start(run)) {
        play_write(run);
        play_finish(run);
    }
    point_end(run, "play", "played");
}
