/* SPDX-License-Identifier: MIT */
/* Playing a sound through the driver's pins, and recording it */
#include "run.h"

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

/* Samples of more than 8 bits are signed in WAVEFORMATEX, those of 8 are not. */
static bool is_wave(const struct sample *sample)
{
    return sample->format == PCM_S_U8 || sample->format == PCM_S_S16 || sample->format == PCM_S_S32;
}

static void judge(struct run *run, const struct pcm_played *played, bool recorded)
{
    uint64_t bytes = run->options->sound_bytes;

    text_add(&run->more, ",\"frames\":%U,\"underruns\":%u", played->position / frame_bytes(run),
             played->underruns);
    if (played->status) {
        broken(run, "%s: status %X", played->what, (uint64_t)played->status);
        return;
    }
    if (played->position != bytes) {
        broken(run, "%U of %U bytes were played", played->position, bytes);
    }
    if (played->underruns || played->overruns) {
        broken(run, "%u underruns, %u overruns", played->underruns, played->overruns);
    }
    if (recorded) {
        text_add(&run->more, ",\"heard\":%U,\"silence\":%U", played->heard, played->silence_before);
        if (played->heard != bytes) {
            broken(run, "what is recorded is not what is played from byte %U on", played->heard);
        }
    }
}

void play(struct run *run)
{
    const struct pcm_options *options = run->options;
    const struct sample *sample = sample_find(options->sample);
    bool record = PCM_CAP_CAPTURE(run->facts.capabilities) != 0;
    struct pcm_played played;

    point_begin(run);
    text_add(&run->request, "%U frames, %u Hz, %u channel%s, %s%s",
             options->sound_bytes / frame_bytes(run), options->rate, options->channels,
             options->channels == 1 ? "" : "s", options->sample, record ? ", both ways" : "");
    if (!PCM_CAP_PLAYBACK(run->facts.capabilities)) {
        broken(run, "the device has no playback stream");
    } else if (!is_wave(sample)) {
        broken(run, "a pin takes no samples of %s", options->sample);
    } else {
        run->ops->play(run->ops->context, options, 8 * sample->bytes, record, &played);
        judge(run, &played, record);
        run->buffers = 1 + record;
        run->played = played.position;
    }
    point_end(run, "play", "played");
}
