/* SPDX-License-Identifier: MIT */
/* client.sys: formats of sound, as the exercises and kernel streaming have them */
#include "pin.h"

/* What a format lacks that is told too short: part of what it must have. */
#define TOO_SHORT                   4u

static const GUID *subtype(ULONG flags)
{
    return flags & PCM_FORMAT_FLOAT ? &KSDATAFORMAT_SUBTYPE_IEEE_FLOAT : &KSDATAFORMAT_SUBTYPE_PCM;
}

static void data_make(ULONG bytes, ULONG flags, KSDATAFORMAT *data)
{
    data->FormatSize = bytes;
    data->MajorFormat = KSDATAFORMAT_TYPE_AUDIO;
    data->SubFormat = *subtype(flags);
    data->Specifier = KSDATAFORMAT_SPECIFIER_WAVEFORMATEX;
}

static void extend(const struct pcm_pin_format *format, WAVEFORMATEXTENSIBLE *wave)
{
    wave->Format.wFormatTag = WAVE_FORMAT_EXTENSIBLE;
    wave->Format.cbSize = sizeof(*wave) - sizeof(wave->Format);
    wave->Samples.wValidBitsPerSample =
        (WORD)(format->bits - (format->flags & PCM_FORMAT_VALID_BITS ? 8 : 0));
    wave->SubFormat = *subtype(format->flags ^ (format->flags & PCM_FORMAT_BAD_TAG ? PCM_FORMAT_FLOAT : 0));
}

void wave_make(const struct pcm_pin_format *format, struct wave *wave)
{
    WAVEFORMATEX *plain = &wave->wave.Format;
    BOOLEAN extensible = (format->flags & PCM_FORMAT_EXTENSIBLE) != 0;
    BOOLEAN floating = (format->flags & PCM_FORMAT_FLOAT) != 0;

    RtlZeroMemory(wave, sizeof(*wave));
    data_make(extensible ? sizeof(*wave) : sizeof(KSDATAFORMAT_WAVEFORMATEX), format->flags, &wave->data);
    if (format->flags & PCM_FORMAT_BAD_TAG) {
        floating = !floating;
    }
    plain->wFormatTag = floating ? WAVE_FORMAT_IEEE_FLOAT : WAVE_FORMAT_PCM;
    plain->nChannels = (WORD)format->channels;
    plain->nSamplesPerSec = format->rate;
    plain->wBitsPerSample = (WORD)format->bits;
    plain->nBlockAlign = (WORD)(format->channels * format->bits / 8);
    if (format->flags & PCM_FORMAT_BAD_ALIGN) {
        plain->nBlockAlign++;
    }
    plain->nAvgBytesPerSec = format->rate * plain->nBlockAlign;
    if (extensible) {
        extend(format, &wave->wave);
    }
    wave->data.SampleSize = plain->nBlockAlign;
    if (format->flags & PCM_FORMAT_SHORT) {
        wave->data.FormatSize = (extensible ? sizeof(*wave) : sizeof(KSDATAFORMAT) + sizeof(PCMWAVEFORMAT)) -
                                TOO_SHORT;
    }
}

void wave_tell(const struct wave *wave, struct pcm_pin_format *format)
{
    format->rate = wave->wave.Format.nSamplesPerSec;
    format->channels = wave->wave.Format.nChannels;
    format->bits = wave->wave.Format.wBitsPerSample;
    format->flags = IsEqualGUIDAligned(&wave->data.SubFormat, &KSDATAFORMAT_SUBTYPE_IEEE_FLOAT)
                        ? PCM_FORMAT_FLOAT : 0;
}

void wave_range(const struct pcm_pin_range *range, KSDATARANGE_AUDIO *audio)
{
    RtlZeroMemory(audio, sizeof(*audio));
    data_make(sizeof(*audio), range->flags, &audio->DataRange);
    audio->MaximumChannels = range->channels;
    audio->MinimumBitsPerSample = range->bits[0];
    audio->MaximumBitsPerSample = range->bits[1];
    audio->MinimumSampleFrequency = range->rate[0];
    audio->MaximumSampleFrequency = range->rate[1];
}
