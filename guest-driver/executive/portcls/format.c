/*
 * Data formats against the ranges of a pin.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcp.h"

#define BITS_PER_BYTE       8

static bool GuidsAgree(const GUID *One, const GUID *Other)
{
    return IsEqualGUIDAligned(One, Other) || IsEqualGUIDAligned(One, &GUID_NULL) ||
           IsEqualGUIDAligned(Other, &GUID_NULL);
}

bool PcpFormatsAgree(const KSDATARANGE *One, const KSDATARANGE *Other)
{
    return GuidsAgree(&One->MajorFormat, &Other->MajorFormat) &&
           GuidsAgree(&One->SubFormat, &Other->SubFormat) &&
           GuidsAgree(&One->Specifier, &Other->Specifier);
}

/* A range of audio formats; NULL: it says no more than its GUIDs. */
static const KSDATARANGE_AUDIO *Audio(const KSDATARANGE *Range)
{
    return Range->FormatSize >= sizeof(KSDATARANGE_AUDIO) &&
                   IsEqualGUIDAligned(&Range->MajorFormat,
                                      &KSDATAFORMAT_TYPE_AUDIO)
               ? (const KSDATARANGE_AUDIO *)Range : NULL;
}

static bool IsWave(const KSDATAFORMAT *Format)
{
    return IsEqualGUIDAligned(&Format->Specifier,
                              &KSDATAFORMAT_SPECIFIER_WAVEFORMATEX);
}

static bool Contains(const KSDATARANGE *Range, const KSDATAFORMAT *Format)
{
    const KSDATARANGE_AUDIO *audio = Audio(Range);
    const WAVEFORMATEX *wave;

    if (!PcpFormatsAgree(Range, Format)) {
        return false;
    }
    if (!audio || !IsWave(Format)) {
        return true;
    }
    wave = &((const KSDATAFORMAT_WAVEFORMATEX *)Format)->WaveFormatEx;
    return wave->nChannels && wave->nChannels <= audio->MaximumChannels &&
           wave->wBitsPerSample >= audio->MinimumBitsPerSample &&
           wave->wBitsPerSample <= audio->MaximumBitsPerSample &&
           wave->nSamplesPerSec >= audio->MinimumSampleFrequency &&
           wave->nSamplesPerSec <= audio->MaximumSampleFrequency;
}

NTSTATUS PcpCheckFormat(const PCPIN_DESCRIPTOR *Pin, const KSDATAFORMAT *Format,
                        ULONG Length)
{
    if (Length < sizeof(*Format) || Format->FormatSize < sizeof(*Format) ||
        Format->FormatSize > Length ||
        (IsWave(Format) &&
         Format->FormatSize < sizeof(KSDATAFORMAT) + sizeof(PCMWAVEFORMAT))) {
        return STATUS_INVALID_PARAMETER;
    }
    for (ULONG i = 0; i < Pin->KsPinDescriptor.DataRangesCount; i++) {
        if (Contains(Pin->KsPinDescriptor.DataRanges[i], Format)) {
            return STATUS_SUCCESS;
        }
    }
    return STATUS_NO_MATCH;
}

static ULONG Lower(ULONG One, ULONG Other)
{
    return One < Other ? One : Other;
}

static ULONG Higher(ULONG One, ULONG Other)
{
    return One > Other ? One : Other;
}

/* The best of what both can. */
static NTSTATUS MakeWave(const KSDATARANGE_AUDIO *Theirs,
                         const KSDATARANGE_AUDIO *Ours,
                         KSDATAFORMAT_WAVEFORMATEX *Format)
{
    WAVEFORMATEX *wave = &Format->WaveFormatEx;
    ULONG channels = Lower(Theirs->MaximumChannels, Ours->MaximumChannels);
    ULONG bits = Lower(Theirs->MaximumBitsPerSample, Ours->MaximumBitsPerSample);
    ULONG rate = Lower(Theirs->MaximumSampleFrequency,
                       Ours->MaximumSampleFrequency);

    if (!channels ||
        bits < Higher(Theirs->MinimumBitsPerSample, Ours->MinimumBitsPerSample) ||
        rate < Higher(Theirs->MinimumSampleFrequency,
                      Ours->MinimumSampleFrequency)) {
        return STATUS_NO_MATCH;
    }
    RtlZeroMemory(Format, sizeof(*Format));
    Format->DataFormat = Ours->DataRange;
    Format->DataFormat.FormatSize = sizeof(*Format);
    Format->DataFormat.Specifier = KSDATAFORMAT_SPECIFIER_WAVEFORMATEX;
    wave->wFormatTag = WAVE_FORMAT_PCM;
    wave->nChannels = (WORD)channels;
    wave->wBitsPerSample = (WORD)bits;
    wave->nSamplesPerSec = rate;
    wave->nBlockAlign = (WORD)(channels * ((bits + BITS_PER_BYTE - 1) /
                                           BITS_PER_BYTE));
    wave->nAvgBytesPerSec = rate * wave->nBlockAlign;
    Format->DataFormat.SampleSize = wave->nBlockAlign;
    return STATUS_SUCCESS;
}

/* For miniports that leave it to the port: PCM in a WAVEFORMATEX. */
static NTSTATUS IntersectWave(PC_PROPERTY *Request, const KSDATARANGE *Theirs,
                              const KSDATARANGE *Ours)
{
    const KSDATARANGE_AUDIO *ours = Audio(Ours), *theirs = Audio(Theirs);
    KSDATAFORMAT_WAVEFORMATEX format;
    NTSTATUS status;

    if (!ours || !GuidsAgree(&Theirs->Specifier,
                             &KSDATAFORMAT_SPECIFIER_WAVEFORMATEX)) {
        return STATUS_NO_MATCH;
    }
    status = MakeWave(theirs ? theirs : ours, ours, &format);
    return NT_SUCCESS(status) ? PcpReturn(Request, &format, sizeof(format))
                              : status;
}

static NTSTATUS Intersect(PC_PROPERTY *Request, ULONG PinId,
                          PKSDATARANGE Theirs, PKSDATARANGE Ours)
{
    PMINIPORTWAVECYCLIC miniport = Request->Port->Miniport;
    NTSTATUS status;

    if (!PcpFormatsAgree(Theirs, Ours)) {
        return STATUS_NO_MATCH;
    }
    Request->Used = 0;
    status = miniport->lpVtbl->DataRangeIntersection(
        miniport, PinId, Theirs, Ours, Request->ValueLength, Request->Value,
        &Request->Used);
    return status == STATUS_NOT_IMPLEMENTED
               ? IntersectWave(Request, Theirs, Ours) : status;
}

/* In the order of the caller's ranges, and of the pin's for each of them. */
static NTSTATUS IntersectAll(PC_PROPERTY *Request, ULONG PinId,
                             const PCPIN_DESCRIPTOR *Pin, PKSDATARANGE Theirs)
{
    for (ULONG i = 0; i < Pin->KsPinDescriptor.DataRangesCount; i++) {
        NTSTATUS status = Intersect(Request, PinId, Theirs,
                                    Pin->KsPinDescriptor.DataRanges[i]);

        if (status != STATUS_NO_MATCH) {
            return status;
        }
    }
    return STATUS_NO_MATCH;
}

NTSTATUS PcpDataIntersection(PC_PROPERTY *Request)
{
    ULONG pin_id = ((PKSP_PIN)Request->Property)->PinId;
    const PCPIN_DESCRIPTOR *pin = PcpPinDescriptor(Request->Port, pin_id);
    PKSMULTIPLE_ITEM ranges = (PKSMULTIPLE_ITEM)((PKSP_PIN)Request->Property + 1);
    ULONG left = Request->PropertyLength - sizeof(KSP_PIN);
    PUCHAR at = (PUCHAR)(ranges + 1);

    if (!pin) {
        return STATUS_INVALID_PARAMETER;
    }
    if (ranges->Size > left || ranges->Size < sizeof(*ranges)) {
        return STATUS_INVALID_BUFFER_SIZE;
    }
    left = ranges->Size - sizeof(*ranges);
    for (ULONG i = 0; i < ranges->Count; i++) {
        PKSDATARANGE range = (PKSDATARANGE)at;
        ULONG size;
        NTSTATUS status;

        if (left < sizeof(*range) || range->FormatSize < sizeof(*range) ||
            range->FormatSize > left) {
            return STATUS_INVALID_PARAMETER;
        }
        status = IntersectAll(Request, pin_id, pin, range);
        if (status != STATUS_NO_MATCH) {
            return status;
        }
        size = (range->FormatSize + FILE_QUAD_ALIGNMENT) &
               ~(ULONG)FILE_QUAD_ALIGNMENT;
        size = Lower(size, left);
        at += size;
        left -= size;
    }
    return STATUS_NO_MATCH;
}
