/* SPDX-License-Identifier: MIT */
/* The exercises: what is played is what is heard, and when */
#include "voice.h"

#define SOUND_MS                    250u
#define ROOM_MS                     500u
#define SETTLE_MS                   50u         /* a back end takes what is due every 10 ms */
#define NS_PER_MS                   1000000ull

static void rest(struct run *run, uint32_t milliseconds)
{
    run->ops->pins->sleep(run->ops->context, milliseconds);
}

static void all_heard(const struct voice *out, const struct voice *in, uint32_t gaps)
{
    uint32_t heard = voice_heard(out, in, gaps);

    if (heard != out->frames) {
        broken(out->run, "%u of %u frames were heard", heard, out->frames);
    }
}

/* Once more on the host: all of it, after the back end has come to it. */
static void noted(struct voice *out, uint32_t gaps)
{
    rest(out->run, SETTLE_MS);
    note_sound(out, out->frames, out->frames, gaps);
}

void exercise_both_ways(struct run *run, const struct request *request)
{
    struct pcm_pin_format format = usual_format(run);
    struct voice out = { 0 }, in = { 0 };
    struct pcm_piece piece;
    uint64_t position;

    (void)request;
    if (voice_open(run, &out, PCM_PIN_RENDER, &format, SOUND_MS) &&
        voice_open(run, &in, PCM_PIN_CAPTURE, &format, ROOM_MS) && voice_begin(&in) && voice_begin(&out) &&
        voice_wait(&out, 0, 0, NULL) && voice_position(&out, &position)) {
        if (position != out.frames) {
            broken(run, "%U of %u frames were played when the data came back", position, out.frames);
        }
        if (voice_wait(&in, 0, 0, &piece) && (piece.bytes != in.frames * in.frame_bytes || piece.gap)) {
            broken(run, "%u bytes were recorded, gap %u", piece.bytes, (uint32_t)piece.gap);
        }
        voice_faults(&out, 0);
        voice_faults(&in, 0);           /* from here on nobody takes what is recorded */
        all_heard(&out, &in, 0);
        noted(&out, 0);
    }
    voice_close(&in);
    voice_close(&out);
}

/* --- several pins at once --------------------------------------------------------- */

#define PINS_MOST                   8

/* Each with another format and another sound; the host hears one of them. */
static bool pair_open(struct run *run, uint32_t i, struct voice *out, struct voice *in)
{
    struct pcm_pin_format format = usual_format(run);

    if (i) {
        format.rate = 8000u + 12345u * i;
        format.channels = 1 + i % 2;
        format.bits = i % 3 == 1 ? 8 : 32;
        format.flags = i % 3 == 0 ? PCM_FORMAT_FLOAT : 0;
    }
    return voice_open(run, out, PCM_PIN_RENDER, &format, SOUND_MS) &&
           voice_open(run, in, PCM_PIN_CAPTURE, &format, ROOM_MS) && voice_mute(out, i != 0);
}

static void one_too_many(struct run *run, enum pcm_pin which)
{
    struct pcm_pin_format format = usual_format(run);
    uint32_t pin, status = run->ops->pins->open(run->ops->context, which, &format, &pin);

    if (!status) {
        run->ops->pins->close(run->ops->context, pin);
    }
    if (status != PCM_STATUS_CONNECTION_REFUSED) {
        broken(run, "a pin too many: status %X", (uint64_t)status);
    }
}

static bool all_do(struct voice *voices, uint32_t count, bool (*what)(struct voice *voice))
{
    uint32_t i;

    for (i = 0; i < count && what(&voices[i]); i++) {
    }
    return i == count;
}

static bool done(struct voice *voice)
{
    return voice_wait(voice, 0, 0, NULL);
}

void exercise_several_pins(struct run *run, const struct request *request)
{
    static struct voice out[PINS_MOST], in[PINS_MOST];
    uint32_t i, pairs = PCM_CAP_PLAYBACK(run->facts.capabilities);

    (void)request;
    if (pairs != PCM_CAP_CAPTURE(run->facts.capabilities) || pairs < 2) {
        skipped(run, "the device has no two streams each way");
        return;
    }
    for (i = 0; i < pairs; i++) {
        out[i] = in[i] = (struct voice){ 0 };
    }
    for (i = 0; i < pairs && pair_open(run, i, &out[i], &in[i]); i++) {
    }
    if (i == pairs) {
        one_too_many(run, PCM_PIN_RENDER);
        one_too_many(run, PCM_PIN_CAPTURE);
        if (all_do(in, pairs, voice_begin) && all_do(out, pairs, voice_begin) && all_do(out, pairs, done) &&
            all_do(in, pairs, done)) {
            for (i = 0; i < pairs; i++) {
                voice_faults(&out[i], 0);
                voice_faults(&in[i], 0);
            }
            for (i = 0; i < pairs; i++) {
                all_heard(&out[i], &in[i], 0);
            }
            noted(&out[0], 0);
        }
    }
    for (i = pairs; i--;) {
        voice_close(&in[i]);
        voice_close(&out[i]);
    }
    text_add(&run->more, ",\"streams\":%u", 2 * pairs);
}

/* --- notification ------------------------------------------------------------------- */

#define PIECE_MS                    30u
#define NOTICE_MS                   25u         /* two periods, and some */

/*
 * Nobody asks the pin for anything meanwhile: data comes back because the device
 * interrupts, the miniport notifies, and the service group has the pin served.
 */
void exercise_notified(struct run *run, const struct request *request)
{
    struct pcm_pin_format format = usual_format(run);
    uint32_t i, frames = frames_in(&format, PIECE_MS);
    struct voice out = { 0 };
    uint64_t begun, late, latest = 0;
    bool held;

    (void)request;
    held = voice_open(run, &out, PCM_PIN_RENDER, &format, PIECE_MS * PCM_PIN_SLOTS) && voice_mute(&out, true) &&
           voice_state(&out, PCM_PIN_PAUSE);
    for (i = 0; i < PCM_PIN_SLOTS && held; i++) {
        held = voice_send(&out, i, i * frames, frames, i + 1 == PCM_PIN_SLOTS);
    }
    held = held && voice_state(&out, PCM_PIN_RUN);
    begun = run->ops->pins->clock(run->ops->context);
    for (i = 0; i < PCM_PIN_SLOTS && held; i++) {
        held = voice_wait(&out, i, 0, NULL);
        late = run->ops->pins->clock(run->ops->context) - begun;
        late = late > (i + 1) * PIECE_MS * NS_PER_MS ? late - (i + 1) * PIECE_MS * NS_PER_MS : 0;
        latest = late > latest ? late : latest;
    }
    if (held && latest > NOTICE_MS * NS_PER_MS) {
        broken(run, "data came back %U ms late", latest / NS_PER_MS);
    }
    text_add(&run->more, ",\"late_us\":%U", latest / 1000);
    voice_close(&out);
}

/* --- too little and too much ---------------------------------------------------------- */

/*
 * Two halves with a pause between that nobody announced: one under-run, silence
 * in its place, and the rest as it is. An end that was announced is none.
 */
void exercise_underruns(struct run *run, const struct request *request)
{
    struct pcm_pin_format format = usual_format(run);
    struct voice out = { 0 }, in = { 0 };
    uint32_t half;

    (void)request;
    if (voice_open(run, &out, PCM_PIN_RENDER, &format, SOUND_MS) &&
        voice_open(run, &in, PCM_PIN_CAPTURE, &format, 3 * ROOM_MS) && voice_begin(&in) &&
        voice_state(&out, PCM_PIN_PAUSE)) {
        half = out.frames / 2;
        if (voice_send(&out, 0, 0, half, false) && voice_state(&out, PCM_PIN_RUN) &&
            voice_wait(&out, 0, 0, NULL)) {
            rest(run, 100);
            voice_faults(&out, 1);
            if (voice_send(&out, 0, half, out.frames - half, true) && voice_wait(&out, 0, 0, NULL)) {
                noted(&out, 1);
                voice_faults(&out, 1);
                voice_wait(&in, 0, 0, NULL);
                all_heard(&out, &in, 1);
            }
        }
    }
    voice_close(&in);
    voice_close(&out);
}

/* Nobody takes what is recorded: what the cyclic buffer could not hold is missing, and said to be. */
void exercise_overruns(struct run *run, const struct request *request)
{
    struct pcm_pin_format format = usual_format(run);
    struct pcm_piece first, second;
    struct voice in = { 0 };
    uint32_t part = frames_in(&format, 20);

    (void)request;
    if (voice_open(run, &in, PCM_PIN_CAPTURE, &format, 100) && voice_state(&in, PCM_PIN_RUN) &&
        voice_send(&in, 0, 0, part, false) && voice_wait(&in, 0, 0, &first)) {
        voice_faults(&in, 0);
        rest(run, 3000);
        if (voice_send(&in, 0, 0, part, false) && voice_send(&in, 1, part, part, false) &&
            voice_wait(&in, 0, 0, &first) && voice_wait(&in, 1, 0, &second)) {
            if (!first.gap || second.gap) {
                broken(run, "gaps told: %u %u", (uint32_t)first.gap, (uint32_t)second.gap);
            }
        }
        voice_faults(&in, 1);
    }
    voice_close(&in);
}

/* --- the node -------------------------------------------------------------------------- */

/* Muted, the host hears nothing, but the loop-back does; by what pin and channel it may be said. */
void exercise_pin_mute(struct run *run, const struct request *request)
{
    struct pcm_pin_format format = usual_format(run);
    const struct pcm_pin_ops *pins = run->ops->pins;
    struct voice out = { 0 }, in = { 0 };
    bool muted = true;
    uint32_t i;

    (void)request;
    if (voice_open(run, &out, PCM_PIN_RENDER, &format, SOUND_MS) &&
        voice_open(run, &in, PCM_PIN_CAPTURE, &format, ROOM_MS)) {
        if (pins->mute(run->ops->context, out.pin, 0, true) != PCM_STATUS_INVALID_PARAMETER ||
            pins->mute(run->ops->context, in.pin, -1, true) != PCM_STATUS_INVALID_DEVICE_REQUEST ||
            pins->is_muted(run->ops->context, out.pin, &muted) || muted) {
            broken(run, "a channel, or a pin that records, was muted");
        }
        for (i = 0; i < 2 && voice_mute(&out, !i) && voice_begin(&in) && voice_begin(&out); i++) {
            if (pins->is_muted(run->ops->context, out.pin, &muted) || muted != !i ||
                !voice_wait(&out, 0, 0, NULL) || !voice_wait(&in, 0, 0, NULL)) {
                broken(run, "muted is %u", (uint32_t)muted);
                break;
            }
            all_heard(&out, &in, 0);
            rest(run, SETTLE_MS);
            voice_state(&out, PCM_PIN_STOP);
            voice_state(&in, PCM_PIN_STOP);
        }
        /* Once, the second time. */
        note_sound(&out, out.frames, out.frames, 0);
    }
    voice_close(&in);
    voice_close(&out);
}
