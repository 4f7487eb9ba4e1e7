/* SPDX-License-Identifier: MIT */
/* The exercises: a pin and the sound that goes through it */
#include "voice.h"

#define PATIENCE_MS                 20000u
#define USUAL_RATE                  48000u

static const struct pcm_pin_ops *ops_of(const struct voice *voice)
{
    return voice->run->ops->pins;
}

static void *context_of(const struct voice *voice)
{
    return voice->run->ops->context;
}

/* --- sound -------------------------------------------------------------------- */

static uint32_t scatter(uint32_t seed, uint32_t index)
{
    uint32_t x = index * 0x9e3779b1u + seed * 0x85ebca77u;

    x ^= x >> 15;
    x *= 0x2c1b3c6du;
    return x ^ x >> 13;
}

/* Never silence: integers are odd, others from 0.5 to 1, with either sign. */
static uint32_t sample_at(const struct voice *voice, uint32_t index)
{
    uint32_t x = scatter(voice->seed, index);

    if (voice->format.flags & PCM_FORMAT_FLOAT) {
        return 0x3f000000u | x << 31 | x >> 9;
    }
    return x >> (32 - voice->format.bits) | 1;
}

static void sample_put(uint8_t *to, uint32_t sample, uint32_t bytes)
{
    for (; bytes; bytes--, sample >>= 8) {
        *to++ = (uint8_t)sample;
    }
}

static void frame_make(const struct voice *voice, uint32_t index, uint8_t *frame)
{
    uint32_t c, bytes = voice->format.bits / 8;

    for (c = 0; c < voice->format.channels; c++) {
        sample_put(frame + c * bytes, sample_at(voice, index * voice->format.channels + c), bytes);
    }
}

bool frame_is(const struct voice *played, uint32_t index, const uint8_t *frame)
{
    uint8_t due[64];
    uint32_t i;

    frame_make(played, index, due);
    for (i = 0; i < played->frame_bytes && due[i] == frame[i]; i++) {
    }
    return i == played->frame_bytes;
}

bool frame_is_silent(const struct voice *voice, const uint8_t *frame)
{
    uint8_t silence = voice->format.bits == 8 ? 0x80 : 0;
    uint32_t i;

    for (i = 0; i < voice->frame_bytes && frame[i] == silence; i++) {
    }
    return i == voice->frame_bytes;
}

struct pcm_pin_format usual_format(const struct run *run)
{
    uint32_t rate = run->options->sound_bytes ? run->options->rate : USUAL_RATE;

    return (struct pcm_pin_format){ .rate = rate, .channels = 2, .bits = 16 };
}

uint32_t frames_in(const struct pcm_pin_format *format, uint32_t milliseconds)
{
    return (uint32_t)((uint64_t)format->rate * milliseconds / 1000);
}

/* --- pins ----------------------------------------------------------------------- */

static bool works(struct voice *voice, const char *what, uint32_t status)
{
    static const char *const names[] = { "render", "capture" };

    if (status) {
        broken(voice->run, "the %s pin, %u Hz, %u channels, %u bits: %s: status %X",
               names[voice->which], voice->format.rate, voice->format.channels, voice->format.bits,
               what, (uint64_t)status);
    }
    return !status;
}

bool voice_open(struct run *run, struct voice *voice, enum pcm_pin which,
                const struct pcm_pin_format *format, uint32_t milliseconds)
{
    static uint32_t seed;
    uint32_t i;

    *voice = (struct voice){ .run = run, .which = which, .format = *format, .seed = ++seed };
    voice->frames = frames_in(format, milliseconds);
    voice->frame_bytes = format->channels * format->bits / 8;
    voice->data = ops_of(voice)->allocate(context_of(voice), voice->frames * voice->frame_bytes);
    if (!voice->data) {
        broken(run, "no memory for %u ms of sound", milliseconds);
        return false;
    }
    for (i = 0; which == PCM_PIN_RENDER && i < voice->frames; i++) {
        frame_make(voice, i, voice->data + i * voice->frame_bytes);
    }
    return works(voice, "open", ops_of(voice)->open(context_of(voice), which, format, &voice->pin));
}

void voice_close(struct voice *voice)
{
    if (voice->pin) {
        ops_of(voice)->close(context_of(voice), voice->pin);
    }
    if (voice->data) {
        ops_of(voice)->free(context_of(voice), voice->data);
    }
    voice->pin = 0;
    voice->data = NULL;
}

bool voice_state(struct voice *voice, enum pcm_pin_state state)
{
    static const char *const names[] = { "to STOP", "to ACQUIRE", "to PAUSE", "to RUN" };

    return works(voice, names[state], ops_of(voice)->set_state(context_of(voice), voice->pin, state));
}

bool voice_send(struct voice *voice, uint32_t slot, uint32_t first, uint32_t frames, bool last)
{
    return works(voice, "data",
                 ops_of(voice)->send(context_of(voice), voice->pin, slot,
                                     voice->data + first * voice->frame_bytes,
                                     frames * voice->frame_bytes, last));
}

bool voice_begin(struct voice *voice)
{
    return voice_state(voice, PCM_PIN_PAUSE) && voice_send(voice, 0, 0, voice->frames, true) &&
           voice_state(voice, PCM_PIN_RUN);
}

bool voice_wait(struct voice *voice, uint32_t slot, uint32_t status, struct pcm_piece *piece)
{
    struct pcm_piece unused;
    uint32_t came = ops_of(voice)->wait(context_of(voice), voice->pin, slot, PATIENCE_MS,
                                        piece ? piece : &unused);

    if (came != status && !status) {
        return works(voice, "data that came back", came);
    }
    if (came != status) {
        broken(voice->run, "data came back with status %X, not %X", (uint64_t)came, (uint64_t)status);
    }
    return came == status;
}

bool voice_mute(struct voice *voice, bool muted)
{
    return works(voice, "mute", ops_of(voice)->mute(context_of(voice), voice->pin, -1, muted));
}

bool voice_position(struct voice *voice, uint64_t *frames)
{
    uint64_t written;
    bool told = works(voice, "position",
                      ops_of(voice)->position(context_of(voice), voice->pin, frames, &written));

    if (told && *frames % voice->frame_bytes) {
        broken(voice->run, "position %U is in the middle of a frame", *frames);
    }
    *frames /= voice->frame_bytes;
    return told;
}

void voice_faults(struct voice *voice, uint32_t due)
{
    uint32_t underruns = 0, overruns = 0, found;

    if (works(voice, "faults",
              ops_of(voice)->faults(context_of(voice), voice->pin, &underruns, &overruns))) {
        found = voice->which == PCM_PIN_RENDER ? underruns : overruns;
        if (found != due || underruns + overruns != found) {
            broken(voice->run, "%u under-runs, %u over-runs, not %u", underruns, overruns, due);
        }
    }
}

/* Frames of silence from AT on. */
static uint32_t silence_at(const struct voice *recorded, uint32_t at)
{
    uint32_t end = at;

    while (end < recorded->frames && frame_is_silent(recorded, recorded->data + end * recorded->frame_bytes)) {
        end++;
    }
    return end - at;
}

uint32_t voice_heard(const struct voice *played, const struct voice *recorded, uint32_t gaps)
{
    uint32_t heard = 0, at = silence_at(recorded, 0);

    for (; heard < played->frames && at < recorded->frames; at++, heard++) {
        if (gaps && frame_is_silent(recorded, recorded->data + at * recorded->frame_bytes)) {
            at += silence_at(recorded, at);
            gaps--;
        }
        if (at == recorded->frames ||
            !frame_is(played, heard, recorded->data + at * recorded->frame_bytes)) {
            break;
        }
    }
    return heard;
}

void note_sound(struct voice *voice, uint32_t least, uint32_t most, uint32_t gaps)
{
    struct text *sounds = &voice->run->sounds;

    text_add(sounds, "%s{\"seed\":%u,\"least\":%u,\"most\":%u,\"gaps\":%u}", sounds->used ? "," : "",
             voice->seed, least, most, gaps);
}
