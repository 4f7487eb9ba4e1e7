/* SPDX-License-Identifier: MIT */
/*
 * pcmaster.sys: what the filter says of itself
 *
 * This file defines the GUIDs that all others use.
 */
#include <initguid.h>

#include "wave.h"

/* STATIC_name is a list of the 11 parts, so that it must be expanded first. */
#define GUID_OF(name)               GUID_PARTS(STATIC_##name)
#define GUID_PARTS(...)             GUID_MADE(__VA_ARGS__)
#define GUID_MADE(one, two, three, ...) { one, two, three, { __VA_ARGS__ } }

#define RANGE(bits)                                                         \
    { .DataRange = { .FormatSize = sizeof(KSDATARANGE_AUDIO),               \
                     .MajorFormat = GUID_OF(KSDATAFORMAT_TYPE_AUDIO),       \
                     .SubFormat = GUID_OF(KSDATAFORMAT_SUBTYPE_PCM),        \
                     .Specifier = GUID_OF(KSDATAFORMAT_SPECIFIER_WAVEFORMATEX) }, \
      .MaximumChannels = WAVE_CHANNELS_MAX,                                 \
      .MinimumBitsPerSample = (bits), .MaximumBitsPerSample = (bits),       \
      .MinimumSampleFrequency = WAVE_RATE_MIN, .MaximumSampleFrequency = WAVE_RATE_MAX }

/* The best comes first: it is what an intersection with everything yields. */
static KSDATARANGE_AUDIO pcm_ranges[] = { RANGE(16), RANGE(32), RANGE(8) };

static KSDATARANGE outside_range = { .FormatSize = sizeof(KSDATARANGE),
                                     .MajorFormat = GUID_OF(KSDATAFORMAT_TYPE_AUDIO),
                                     .SubFormat = GUID_OF(KSDATAFORMAT_SUBTYPE_ANALOG),
                                     .Specifier = GUID_OF(KSDATAFORMAT_SPECIFIER_NONE) };

static PKSDATARANGE streaming[] = { (PKSDATARANGE)&pcm_ranges[0], (PKSDATARANGE)&pcm_ranges[1],
                                    (PKSDATARANGE)&pcm_ranges[2] };
static PKSDATARANGE outside[] = { &outside_range };

#define STREAMING_PIN(flow)                                                 \
    { 1, 1, 0, NULL,                                                        \
      { .DataRangesCount = RTL_NUMBER_OF(streaming), .DataRanges = streaming, \
        .DataFlow = (flow), .Communication = KSPIN_COMMUNICATION_SINK,      \
        .Category = &KSCATEGORY_AUDIO } }
#define OUTSIDE_PIN(flow, what)                                             \
    { 0, 0, 0, NULL,                                                        \
      { .DataRangesCount = RTL_NUMBER_OF(outside), .DataRanges = outside,   \
        .DataFlow = (flow), .Communication = KSPIN_COMMUNICATION_NONE, .Category = (what) } }

static const PCPIN_DESCRIPTOR pins[WAVE_PINS] = {
    [WAVE_RENDER] = STREAMING_PIN(KSPIN_DATAFLOW_IN),
    [WAVE_RENDER_OUT] = OUTSIDE_PIN(KSPIN_DATAFLOW_OUT, &KSNODETYPE_SPEAKER),
    [WAVE_CAPTURE] = STREAMING_PIN(KSPIN_DATAFLOW_OUT),
    [WAVE_CAPTURE_IN] = OUTSIDE_PIN(KSPIN_DATAFLOW_IN, &KSNODETYPE_LINE_CONNECTOR),
};

static const PCCONNECTION_DESCRIPTOR connections[] = {
    { PCFILTER_NODE, WAVE_RENDER, PCFILTER_NODE, WAVE_RENDER_OUT },
    { PCFILTER_NODE, WAVE_CAPTURE_IN, PCFILTER_NODE, WAVE_CAPTURE },
};

static const GUID categories[] = { GUID_OF(KSCATEGORY_AUDIO), GUID_OF(KSCATEGORY_RENDER),
                                   GUID_OF(KSCATEGORY_CAPTURE) };

const PCFILTER_DESCRIPTOR wave_description = {
    .PinSize = sizeof(pins[0]),
    .PinCount = RTL_NUMBER_OF(pins),
    .Pins = pins,
    .NodeSize = sizeof(PCNODE_DESCRIPTOR),
    .ConnectionCount = RTL_NUMBER_OF(connections),
    .Connections = connections,
    .CategoryCount = RTL_NUMBER_OF(categories),
    .Categories = categories,
};
