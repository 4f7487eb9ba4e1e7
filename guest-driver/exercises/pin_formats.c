/* SPDX-License-Identifier: MIT */
/* The exercises: which formats the driver's pins take, and that they carry them */
#include "voice.h"

#define RATE_LEAST                  4000u
#define RATE_MOST                   192000u

/* What is recorded before the sound, and behind it, as its first frame may come late. */
#define SOUND_MS                    20u
#define ROOM_MS                     120u

static uint32_t channels_most(const struct run *run)
{
    return PCM_CAP2_CHANNELS(run->facts.capabilities2);
}

static bool heard_back(struct voice *out, struct voice *in)
{
    uint32_t heard;

    if (!voice_mute(out, true) || !voice_begin(in) || !voice_begin(out) ||
        !voice_wait(out, 0, 0, NULL) || !voice_wait(in, 0, 0, NULL)) {
        return false;
    }
    heard = voice_heard(out, in, 0);
    if (heard != out->frames) {
        broken(out->run, "%u Hz, %u channels, %u bits, flags %u: %u of %u frames were heard", out->format.rate,
               out->format.channels, out->format.bits, out->format.flags, heard, out->frames);
    }
    return out->run->verdict == HELD;
}

static bool carry(struct run *run, const struct pcm_pin_format *format)
{
    struct voice out = { 0 }, in = { 0 };
    bool held = voice_open(run, &out, PCM_PIN_RENDER, format, SOUND_MS) &&
                voice_open(run, &in, PCM_PIN_CAPTURE, format, ROOM_MS) && heard_back(&out, &in);

    voice_close(&in);
    voice_close(&out);
    return held;
}

/* A range with one format in it must yield that. */
static bool intersects(struct run *run, enum pcm_pin which, const struct pcm_pin_format *format)
{
    struct pcm_pin_range range = { format->channels, { format->bits, format->bits },
                                   { format->rate, format->rate }, format->flags };
    struct pcm_pin_format found;
    uint32_t needed, status = run->ops->pins->intersect(run->ops->context, which, &range, 1024, &found,
                                                        &needed);

    if (status || found.rate != format->rate || found.channels != format->channels ||
        found.bits != format->bits || found.flags != format->flags) {
        broken(run, "%u Hz, %u channels, %u bits, flags %u: intersection: status %X", format->rate,
               format->channels, format->bits, format->flags, (uint64_t)status);
    }
    return run->verdict == HELD;
}

void exercise_pin_formats(struct run *run, const struct request *request)
{
    static const uint32_t rates[] = { RATE_LEAST, 8000,  11025, 16000, 22050,    32000,
                                      44100,      48000, 88200, 96000, 176400, RATE_MOST };
    static const struct pcm_pin_format kinds[] = {
        { .bits = 8 }, { .bits = 16 }, { .bits = 32 }, { .bits = 32, .flags = PCM_FORMAT_FLOAT },
    };
    uint32_t i, count = 0, kinds_count = sizeof(kinds) / sizeof(kinds[0]);
    uint32_t rates_count = sizeof(rates) / sizeof(rates[0]);

    (void)request;
    for (i = 0; i < kinds_count * rates_count * channels_most(run) && run->verdict == HELD; i++) {
        struct pcm_pin_format format = kinds[i % kinds_count];

        format.rate = rates[i / kinds_count % rates_count];
        format.channels = i / kinds_count / rates_count + 1;
        if (!intersects(run, PCM_PIN_RENDER, &format) || !intersects(run, PCM_PIN_CAPTURE, &format)) {
            break;
        }
        /* Many channels are much sound: they are carried at the ends of the range only. */
        if (format.channels <= 2 || format.rate == RATE_LEAST || format.rate == RATE_MOST) {
            count += carry(run, &format);
        }
        format.flags |= PCM_FORMAT_EXTENSIBLE;
        if (run->verdict == HELD && format.rate == 48000) {
            count += carry(run, &format);
        }
    }
    text_add(&run->more, ",\"formats\":%u", count);
}

/* STATUS on either pin. */
static void is_refused(struct run *run, const struct pcm_pin_format *format, uint32_t status)
{
    uint32_t which, pin, came;

    for (which = PCM_PIN_RENDER; which <= PCM_PIN_CAPTURE; which++) {
        came = run->ops->pins->open(run->ops->context, (enum pcm_pin)which, format, &pin);
        if (!came) {
            run->ops->pins->close(run->ops->context, pin);
        }
        if (came != status) {
            broken(run, "%u Hz, %u channels, %u bits, flags %u: status %X, not %X", format->rate,
                   format->channels, format->bits, format->flags, (uint64_t)came, (uint64_t)status);
        }
    }
}

void exercise_pin_refused(struct run *run, const struct request *request)
{
    static const struct {
        struct pcm_pin_format format;
        uint32_t status;
    } cases[] = {
        { { RATE_LEAST - 1, 1, 16, 0 }, PCM_STATUS_NO_MATCH },
        { { RATE_MOST + 1, 1, 16, 0 }, PCM_STATUS_NO_MATCH },
        { { 0, 1, 16, 0 }, PCM_STATUS_NO_MATCH },
        { { 48000, 0, 16, 0 }, PCM_STATUS_NO_MATCH },
        { { 48000, 255, 16, 0 }, PCM_STATUS_NO_MATCH },
        { { 48000, 2, 0, 0 }, PCM_STATUS_NO_MATCH },
        { { 48000, 2, 12, 0 }, PCM_STATUS_NO_MATCH },
        { { 48000, 2, 24, 0 }, PCM_STATUS_NO_MATCH },
        { { 48000, 2, 64, 0 }, PCM_STATUS_NO_MATCH },
        { { 48000, 2, 16, PCM_FORMAT_FLOAT }, PCM_STATUS_NO_MATCH },
        { { 48000, 2, 16, PCM_FORMAT_BAD_TAG }, PCM_STATUS_INVALID_PARAMETER },
        { { 48000, 2, 32, PCM_FORMAT_BAD_TAG | PCM_FORMAT_FLOAT }, PCM_STATUS_INVALID_PARAMETER },
        { { 48000, 2, 16, PCM_FORMAT_BAD_TAG | PCM_FORMAT_EXTENSIBLE }, PCM_STATUS_INVALID_PARAMETER },
        { { 48000, 2, 16, PCM_FORMAT_BAD_ALIGN }, PCM_STATUS_INVALID_PARAMETER },
        { { 48000, 2, 16, PCM_FORMAT_SHORT }, PCM_STATUS_INVALID_PARAMETER },
        { { 48000, 2, 32, PCM_FORMAT_SHORT | PCM_FORMAT_EXTENSIBLE }, PCM_STATUS_INVALID_PARAMETER },
        { { 48000, 2, 32, PCM_FORMAT_VALID_BITS | PCM_FORMAT_EXTENSIBLE }, PCM_STATUS_INVALID_PARAMETER },
    };
    struct pcm_pin_format beyond = { 48000, channels_most(run) + 1, 16, 0 };
    uint32_t i;

    (void)request;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        is_refused(run, &cases[i].format, cases[i].status);
    }
    is_refused(run, &beyond, PCM_STATUS_NO_MATCH);
}

struct intersection {
    struct pcm_pin_range range;
    uint32_t status;
    struct pcm_pin_format best;     /* 0 channels: as many as the device has */
};

static void intersect(struct run *run, const struct intersection *due)
{
    struct pcm_pin_format found = { 0 };
    uint32_t channels = due->best.channels ? due->best.channels : channels_most(run);
    uint32_t needed, status = run->ops->pins->intersect(run->ops->context, PCM_PIN_RENDER, &due->range,
                                                        1024, &found, &needed);

    if (status != due->status) {
        broken(run, "%u to %u Hz, %u channels, %u to %u bits: status %X, not %X", due->range.rate[0],
               due->range.rate[1], due->range.channels, due->range.bits[0], due->range.bits[1],
               (uint64_t)status, (uint64_t)due->status);
    } else if (!status && (found.rate != due->best.rate || found.channels != channels ||
                           found.bits != due->best.bits || found.flags != due->best.flags)) {
        broken(run, "%u to %u Hz, %u channels, %u to %u bits: %u Hz, %u channels, %u bits", due->range.rate[0],
               due->range.rate[1], due->range.channels, due->range.bits[0], due->range.bits[1], found.rate,
               found.channels, found.bits);
    }
}

/* Room for none is a question; for too little, a mistake. */
static void intersect_rooms(struct run *run, const struct pcm_pin_range *range)
{
    struct pcm_pin_format found;
    uint32_t needed = 0, again;
    const struct pcm_pin_ops *pins = run->ops->pins;
    uint32_t asked = pins->intersect(run->ops->context, PCM_PIN_RENDER, range, 0, &found, &needed);
    uint32_t little = needed ? pins->intersect(run->ops->context, PCM_PIN_RENDER, range, needed - 1, &found,
                                               &again) : 0;
    uint32_t enough = pins->intersect(run->ops->context, PCM_PIN_RENDER, range, needed, &found, &again);

    if (asked != PCM_STATUS_BUFFER_OVERFLOW || little != PCM_STATUS_BUFFER_TOO_SMALL || enough ||
        again != needed) {
        broken(run, "no room: status %X, too little: %X, enough: %X", (uint64_t)asked, (uint64_t)little,
               (uint64_t)enough);
    }
}

void exercise_pin_intersections(struct run *run, const struct request *request)
{
    static const struct intersection cases[] = {
        { { 255, { 1, 64 }, { 1, 1000000 }, 0 }, 0, { RATE_MOST, 0, 16, 0 } },
        { { 1, { 1, 64 }, { 1, 48000 }, 0 }, 0, { 48000, 1, 16, 0 } },
        { { 1, { 17, 64 }, { 44100, 44100 }, 0 }, 0, { 44100, 1, 32, 0 } },
        { { 2, { 1, 15 }, { 1, RATE_LEAST }, 0 }, 0, { RATE_LEAST, 2, 8, 0 } },
        { { 2, { 1, 64 }, { 5000, 6000 }, PCM_FORMAT_FLOAT }, 0, { 6000, 2, 32, PCM_FORMAT_FLOAT } },
        { { 2, { 1, 7 }, { 1, 1000000 }, 0 }, PCM_STATUS_NO_MATCH, { 0 } },
        { { 2, { 9, 15 }, { 1, 1000000 }, 0 }, PCM_STATUS_NO_MATCH, { 0 } },
        { { 2, { 33, 64 }, { 1, 1000000 }, 0 }, PCM_STATUS_NO_MATCH, { 0 } },
        { { 2, { 16, 16 }, { 1, RATE_LEAST - 1 }, 0 }, PCM_STATUS_NO_MATCH, { 0 } },
        { { 2, { 16, 16 }, { RATE_MOST + 1, 1000000 }, 0 }, PCM_STATUS_NO_MATCH, { 0 } },
        { { 2, { 16, 16 }, { 50000, 40000 }, 0 }, PCM_STATUS_NO_MATCH, { 0 } },
        { { 0, { 16, 16 }, { 48000, 48000 }, 0 }, PCM_STATUS_NO_MATCH, { 0 } },
        { { 2, { 16, 16 }, { 48000, 48000 }, PCM_FORMAT_FLOAT }, PCM_STATUS_NO_MATCH, { 0 } },
    };
    uint32_t i;

    (void)request;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        intersect(run, &cases[i]);
    }
    intersect_rooms(run, &cases[0].range);
}

static void sets(struct voice *voice, const struct pcm_pin_format *format, uint32_t due)
{
    uint32_t status = voice->run->ops->pins->set_format(voice->run->ops->context, voice->pin, format);

    if (status != due) {
        broken(voice->run, "%u Hz, %u channels, %u bits set: status %X, not %X", format->rate, format->channels,
               format->bits, (uint64_t)status, (uint64_t)due);
    }
}

/* While the hardware has the old format it takes no other; what is wrong is wrong always. */
void exercise_pin_set_format(struct run *run, const struct request *request)
{
    static const struct pcm_pin_format one = { 22050, 1, 8, 0 }, other = { 96000, 2, 32, 0 },
                                       wrong = { 96000, 2, 24, 0 };
    struct voice out = { 0 }, as_other = { 0 }, in = { 0 };
    uint32_t state;

    (void)request;
    if (voice_open(run, &as_other, PCM_PIN_RENDER, &other, SOUND_MS)) {
        run->ops->pins->close(run->ops->context, as_other.pin);
    }
    if (run->verdict == HELD && voice_open(run, &out, PCM_PIN_RENDER, &one, 1000)) {
        for (state = PCM_PIN_STOP; state < PCM_PIN_STATES && voice_state(&out, state); state++) {
            sets(&out, &wrong, PCM_STATUS_NO_MATCH);
            sets(&out, &other, state == PCM_PIN_STOP ? 0 : PCM_STATUS_INVALID_DEVICE_STATE);
        }
        voice_state(&out, PCM_PIN_STOP);
        as_other.pin = out.pin;         /* it has that format by now */
        if (voice_open(run, &in, PCM_PIN_CAPTURE, &other, ROOM_MS)) {
            heard_back(&as_other, &in);
        }
        voice_close(&in);
    }
    as_other.pin = 0;
    voice_close(&as_other);
    voice_close(&out);
}
