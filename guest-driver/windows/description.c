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

#define RANGE(subtype, bits)                                                \
    { .DataRange = { .FormatSize = sizeof(KSDATARANGE_AUDIO),               \
                     .MajorFormat = GUID_OF(KSDATAFORMAT_TYPE_AUDIO),       \
                     .SubFormat = GUID_OF(KSDATAFORMAT_SUBTYPE_##subtype),  \
                     .Specifier = GUID_OF(KSDATAFORMAT_SPECIFIER_WAVEFORMATEX) }, \
      .MinimumBitsPerSample = (bits), .MaximumBitsPerSample = (bits),       \
      .MinimumSampleFrequency = WAVE_RATE_MIN, .MaximumSampleFrequency = WAVE_RATE_MAX }

/*
 * All that the hardware has and a WAVEFORMATEX can say.  What is best comes first:
 * it is what an intersection with everything yields.
 */
static const KSDATARANGE_AUDIO ranges[WAVE_RANGES] = {
    RANGE(PCM, 16), RANGE(PCM, 32), RANGE(IEEE_FLOAT, 32), RANGE(PCM, 8),
};

static KSDATARANGE outside_range = { .FormatSize = sizeof(KSDATARANGE),
                                     .MajorFormat = GUID_OF(KSDATAFORMAT_TYPE_AUDIO),
                                     .SubFormat = GUID_OF(KSDATAFORMAT_SUBTYPE_ANALOG),
                                     .Specifier = GUID_OF(KSDATAFORMAT_SPECIFIER_NONE) };

static PKSDATARANGE outside[] = { &outside_range };

#define STREAMING_PIN(flow)                                                 \
    { .KsPinDescriptor = { .DataRangesCount = WAVE_RANGES, .DataFlow = (flow), \
                           .Communication = KSPIN_COMMUNICATION_SINK, .Category = &KSCATEGORY_AUDIO } }
#define OUTSIDE_PIN(flow, what)                                             \
    { .KsPinDescriptor = { .DataRangesCount = RTL_NUMBER_OF(outside), .DataRanges = outside, \
                           .DataFlow = (flow), .Communication = KSPIN_COMMUNICATION_NONE, \
                           .Category = (what) } }

static const PCPIN_DESCRIPTOR pins[WAVE_PINS] = {
    [WAVE_RENDER] = STREAMING_PIN(KSPIN_DATAFLOW_IN),
    [WAVE_RENDER_OUT] = OUTSIDE_PIN(KSPIN_DATAFLOW_OUT, &KSNODETYPE_SPEAKER),
    [WAVE_CAPTURE] = STREAMING_PIN(KSPIN_DATAFLOW_OUT),
    [WAVE_CAPTURE_IN] = OUTSIDE_PIN(KSPIN_DATAFLOW_IN, &KSNODETYPE_LINE_CONNECTOR),
};

static const PCNODE_DESCRIPTOR nodes[WAVE_NODES] = {
    [WAVE_MUTE] = { 0, &wave_mute, &KSNODETYPE_MUTE, NULL },
};

static const PCCONNECTION_DESCRIPTOR connections[] = {
    { PCFILTER_NODE, WAVE_RENDER, WAVE_MUTE, KSNODEPIN_STANDARD_IN },
    { WAVE_MUTE, KSNODEPIN_STANDARD_OUT, PCFILTER_NODE, WAVE_RENDER_OUT },
    { PCFILTER_NODE, WAVE_CAPTURE_IN, PCFILTER_NODE, WAVE_CAPTURE },
};

static const GUID categories[] = { GUID_OF(KSCATEGORY_AUDIO), GUID_OF(KSCATEGORY_RENDER),
                                   GUID_OF(KSCATEGORY_CAPTURE) };

static const PCFILTER_DESCRIPTOR description = {
    .PinSize = sizeof(PCPIN_DESCRIPTOR),
    .PinCount = WAVE_PINS,
    .NodeSize = sizeof(PCNODE_DESCRIPTOR),
    .NodeCount = WAVE_NODES,
    .Nodes = nodes,
    .ConnectionCount = RTL_NUMBER_OF(connections),
    .Connections = connections,
    .CategoryCount = RTL_NUMBER_OF(categories),
    .Categories = categories,
};

static void streaming_pin(struct wave_filter *filter, ULONG pin, ULONG streams)
{
    filter->pins[pin].MaxGlobalInstanceCount = streams;
    filter->pins[pin].MaxFilterInstanceCount = streams;
    filter->pins[pin].KsPinDescriptor.DataRanges = filter->ranges;
}

void wave_describe(struct wave_filter *filter, ULONG playbacks, ULONG captures, ULONG channels)
{
    ULONG i;

    RtlCopyMemory(filter->range, ranges, sizeof(ranges));
    RtlCopyMemory(filter->pins, pins, sizeof(pins));
    filter->descriptor = description;
    filter->descriptor.Pins = filter->pins;
    for (i = 0; i < WAVE_RANGES; i++) {
        filter->range[i].MaximumChannels = channels;
        filter->ranges[i] = (PKSDATARANGE)&filter->range[i];
    }
    streaming_pin(filter, WAVE_RENDER, playbacks);
    streaming_pin(filter, WAVE_CAPTURE, captures);
}
