/* SPDX-License-Identifier: MIT */
/* pcmaster.sys: data formats of the streams */
#include "wave.h"

#define NO_SAMPLE                   ((ULONG)-1)

/* Samples of more than 8 bits are signed in a WAVEFORMATEX, those of 8 are not. */
static ULONG sample_of(BOOLEAN floating, ULONG bits)
{
    if (floating) {
        return bits == 32 ? PCM_S_F32 : NO_SAMPLE;
    }
    return bits == 8 ? PCM_S_U8 : bits == 16 ? PCM_S_S16 : bits == 32 ? PCM_S_S32 : NO_SAMPLE;
}

static BOOLEAN is_float(const GUID *subtype)
{
    return IsEqualGUIDAligned(subtype, &KSDATAFORMAT_SUBTYPE_IEEE_FLOAT);
}

/* What the tag says must be what the GUID says. */
static BOOLEAN tag_fits(const KSDATAFORMAT *data, const WAVEFORMATEX *wave)
{
    const WAVEFORMATEXTENSIBLE *more = (const WAVEFORMATEXTENSIBLE *)wave;
    ULONG room = data->FormatSize - sizeof(KSDATAFORMAT);

    if (wave->wFormatTag == WAVE_FORMAT_EXTENSIBLE) {
        return room >= sizeof(*more) && wave->cbSize >= sizeof(*more) - sizeof(*wave) &&
               IsEqualGUIDAligned(&more->SubFormat, &data->SubFormat) &&
               more->Samples.wValidBitsPerSample == wave->wBitsPerSample;
    }
    return wave->wFormatTag == (is_float(&data->SubFormat) ? WAVE_FORMAT_IEEE_FLOAT : WAVE_FORMAT_PCM);
}

NTSTATUS wave_format_of(const KSDATAFORMAT *data, ULONG channels, struct wave_format *format)
{
    const WAVEFORMATEX *wave = &((const KSDATAFORMAT_WAVEFORMATEX *)data)->WaveFormatEx;

    if (data->FormatSize < sizeof(KSDATAFORMAT) + sizeof(PCMWAVEFORMAT) ||
        !IsEqualGUIDAligned(&data->MajorFormat, &KSDATAFORMAT_TYPE_AUDIO) ||
        (!is_float(&data->SubFormat) &&
         !IsEqualGUIDAligned(&data->SubFormat, &KSDATAFORMAT_SUBTYPE_PCM)) ||
        !IsEqualGUIDAligned(&data->Specifier, &KSDATAFORMAT_SPECIFIER_WAVEFORMATEX)) {
        return STATUS_INVALID_PARAMETER;
    }
    format->rate = wave->nSamplesPerSec;
    format->channels = wave->nChannels;
    format->sample = sample_of(is_float(&data->SubFormat), wave->wBitsPerSample);
    if (format->sample == NO_SAMPLE || !tag_fits(data, wave) || !wave->nChannels || wave->nChannels > channels ||
        wave->nSamplesPerSec < WAVE_RATE_MIN || wave->nSamplesPerSec > WAVE_RATE_MAX ||
        wave->nBlockAlign != wave->nChannels * wave->wBitsPerSample / 8) {
        return STATUS_INVALID_PARAMETER;
    }
    format->frame_bytes = wave->nBlockAlign;
    return STATUS_SUCCESS;
}

/* The most that both can; FALSE: they have nothing in common. */
static BOOLEAN best(const KSDATARANGE_AUDIO *theirs, const KSDATARANGE_AUDIO *ours, WAVEFORMATEX *wave)
{
    ULONG channels = min(theirs->MaximumChannels, ours->MaximumChannels);
    ULONG rate = min(theirs->MaximumSampleFrequency, ours->MaximumSampleFrequency);
    ULONG bits = ours->MaximumBitsPerSample;        /* ours have one size each */

    if (!channels || rate < max(theirs->MinimumSampleFrequency, ours->MinimumSampleFrequency) ||
        bits < theirs->MinimumBitsPerSample || bits > theirs->MaximumBitsPerSample) {
        return FALSE;
    }
    RtlZeroMemory(wave, sizeof(*wave));
    wave->wFormatTag = is_float(&ours->DataRange.SubFormat) ? WAVE_FORMAT_IEEE_FLOAT : WAVE_FORMAT_PCM;
    wave->nChannels = (WORD)channels;
    wave->nSamplesPerSec = rate;
    wave->wBitsPerSample = (WORD)bits;
    wave->nBlockAlign = (WORD)(channels * bits / 8);
    wave->nAvgBytesPerSec = rate * wave->nBlockAlign;
    return TRUE;
}

NTSTATUS wave_intersect(const KSDATARANGE *theirs, const KSDATARANGE *ours, ULONG room, PVOID result,
                        PULONG length)
{
    KSDATAFORMAT_WAVEFORMATEX format = { .DataFormat = *ours };

    if (theirs->FormatSize < sizeof(KSDATARANGE_AUDIO) || ours->FormatSize < sizeof(KSDATARANGE_AUDIO) ||
        !best((const KSDATARANGE_AUDIO *)theirs, (const KSDATARANGE_AUDIO *)ours, &format.WaveFormatEx)) {
        return STATUS_NO_MATCH;
    }
    *length = sizeof(format);
    if (!room) {
        return STATUS_BUFFER_OVERFLOW;
    }
    if (room < sizeof(format)) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    format.DataFormat.FormatSize = sizeof(format);
    format.DataFormat.SampleSize = format.WaveFormatEx.nBlockAlign;
    RtlCopyMemory(result, &format, sizeof(format));
    return STATUS_SUCCESS;
}
