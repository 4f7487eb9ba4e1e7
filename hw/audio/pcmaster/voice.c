/*
 * pcmaster: formats, and the voices of QEMU's audio layer
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/bswap.h"
#include "stream.h"

static const struct {
    AudioFormat format;
    uint8_t bytes;
    uint32_t silence;
} samples[] = {
    [PCM_S_U8] = { AUDIO_FORMAT_U8, 1, 0x80 },
    [PCM_S_S8] = { AUDIO_FORMAT_S8, 1, 0 },
    [PCM_S_U16] = { AUDIO_FORMAT_U16, 2, 0x8000 },
    [PCM_S_S16] = { AUDIO_FORMAT_S16, 2, 0 },
    [PCM_S_U32] = { AUDIO_FORMAT_U32, 4, 0x80000000 },
    [PCM_S_S32] = { AUDIO_FORMAT_S32, 4, 0 },
    [PCM_S_F32] = { AUDIO_FORMAT_F32, 4, 0 },
};

/* --- Formats ------------------------------------------------------------ */

static uint32_t sample_kind(uint32_t format)
{
    return format & 0xff;
}

static uint32_t channels(uint32_t format)
{
    return format >> 8;
}

uint32_t pcm_frame_bytes(const PcmStreamSetup *setup)
{
    return samples[sample_kind(setup->format)].bytes *
           channels(setup->format);
}

bool pcm_voice_knows(const PcmasterState *s, const PcmStreamSetup *setup)
{
    uint32_t n = channels(setup->format);

    return sample_kind(setup->format) < ARRAY_SIZE(samples) &&
           n >= 1 && n <= s->channels &&
           setup->rate >= PCM_S_RATE_MIN && setup->rate <= PCM_S_RATE_MAX;
}

void pcm_silence(const PcmStreamSetup *setup, uint8_t *buf, uint32_t frames)
{
    uint32_t bytes = samples[sample_kind(setup->format)].bytes;
    uint32_t sample = samples[sample_kind(setup->format)].silence;

    if (!sample || bytes == 1) {
        memset(buf, sample, frames * pcm_frame_bytes(setup));
        return;
    }
    for (uint32_t i = 0; i < frames * channels(setup->format); i++) {
        stn_le_p(buf + i * bytes, bytes, sample);
    }
}

/* In memory samples are little-endian.  Not all of QEMU's converters swap. */
static bool must_swap(const PcmStreamSetup *setup)
{
    return HOST_BIG_ENDIAN && sample_kind(setup->format) == PCM_S_F32;
}

void pcm_voice_swap(const PcmStreamSetup *setup, uint8_t *buf, uint32_t bytes)
{
    if (!must_swap(setup)) {
        return;
    }
    for (uint32_t i = 0; i < bytes; i += 4) {
        stl_he_p(buf + i, ldl_le_p(buf + i));
    }
}

/* IEEE 754, single precision */
#define F32_SIGN        0x80000000u
#define F32_INFINITY    0x7f800000u
#define F32_ONE         0x3f800000u

/*
 * QEMU's mixer computes with integers: 1 is the least value that turns over
 * there, and what is far beyond it or no number cannot be converted at all.
 */
static uint32_t tame_float(uint32_t bits)
{
    uint32_t magnitude = bits & ~F32_SIGN;

    if (magnitude < F32_ONE) {
        return bits;
    }
    if (magnitude > F32_INFINITY) {
        return 0;
    }
    return bits & F32_SIGN ? F32_SIGN | F32_ONE : F32_ONE - 1;
}

/* @buf: in the host's byte order */
static void tame_floats(uint8_t *buf, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i += 4) {
        stl_he_p(buf + i, tame_float(ldl_he_p(buf + i)));
    }
}

/* --- Voices ------------------------------------------------------------- */

static void on_demand(void *opaque, int room)
{
    PcmStream *p = opaque;
    bool was_guarded = pcmaster_guard(p->device);

    pcm_playback_feed(p, MAX(room, 0));
    pcmaster_unguard_later(p->device, was_guarded);
}

static void on_supply(void *opaque, int bytes)
{
    PcmStream *p = opaque;
    bool was_guarded = pcmaster_guard(p->device);

    pcm_capture_take(p, MAX(bytes, 0));
    pcmaster_unguard_later(p->device, was_guarded);
}

static void open_backend(PcmStream *p, const PcmStreamSetup *setup)
{
    PcmasterState *s = p->device;
    g_autofree char *name = g_strdup_printf("pcmaster.%u", p->number);
    struct audsettings settings = {
        .freq = setup->rate,
        .nchannels = channels(setup->format),
        .fmt = samples[sample_kind(setup->format)].format,
        .endianness = must_swap(setup),
    };

    if (p->capture) {
        p->voice_in = AUD_open_in(pcm_audio_handle(&s->audio), p->voice_in,
                                  name, p, on_supply, &settings);
    } else {
        p->voice = AUD_open_out(pcm_audio_handle(&s->audio), p->voice,
                                name, p, on_demand, &settings);
    }
    pcm_voice_set_volume(p);
}

/* Can there be a voice, whether it opens or not? */
static bool has_backend(const PcmStream *p, const PcmStreamSetup *setup)
{
    const PcmasterState *s = p->device;

    return s->audio_ready &&
           (p->capture ? !s->loopback :
                         pcm_frame_bytes(setup) % s->frame_unit == 0);
}

bool pcm_voice_open(PcmStream *p, const PcmStreamSetup *setup)
{
    const bool needed = !p->capture && !p->device->loopback;

    if (p->voice_format == setup->format && p->voice_rate == setup->rate) {
        return true;
    }
    if (has_backend(p, setup)) {
        open_backend(p, setup);
    } else if (!needed) {
        pcm_voice_close(p);
    } else {
        /* What still plays out may keep its voice. */
        return false;
    }
    p->most_free = 0;
    p->voice_rate = p->voice || p->voice_in ? setup->rate : 0;
    p->voice_format = setup->format;
    return p->voice || !needed;
}

void pcm_voice_close(PcmStream *p)
{
    if (p->voice) {
        AUD_close_out(pcm_audio_handle(&p->device->audio), p->voice);
        p->voice = NULL;
    }
    if (p->voice_in) {
        AUD_close_in(pcm_audio_handle(&p->device->audio), p->voice_in);
        p->voice_in = NULL;
    }
}

uint32_t pcm_voice_write(PcmStream *p, uint8_t *buf, uint32_t bytes)
{
    if (p->device->mixed_out && sample_kind(p->voice_format) == PCM_S_F32) {
        tame_floats(buf, bytes);
    }
    return AUD_write(p->voice, buf, bytes);
}

void pcm_voice_set_active(PcmStream *p, bool active)
{
    if (p->voice) {
        AUD_set_active_out(p->voice, active);
    }
    if (p->voice_in) {
        AUD_set_active_in(p->voice_in, active);
    }
}

void pcm_voice_set_volume(PcmStream *p)
{
    bool mute = p->volume & PCM_S_MUTE;
    uint8_t left = extract32(p->volume, 0, 8);
    uint8_t right = extract32(p->volume, 8, 8);

    if (p->voice) {
        pcm_audio_set_volume_out(p->voice, mute, left, right);
    }
    if (p->voice_in) {
        pcm_audio_set_volume_in(p->voice_in, mute, left, right);
    }
}
