/* SPDX-License-Identifier: MIT */
/* pcmaster.sys: the WaveCyclic miniport and its streams */
#ifndef PCMASTER_WAVE_H
#define PCMASTER_WAVE_H

#include "pcmaster.h"

/* Pins of the filter: those that clients open, and behind each the outside world. */
enum wave_pin { WAVE_RENDER, WAVE_RENDER_OUT, WAVE_CAPTURE, WAVE_CAPTURE_IN, WAVE_PINS };

/* Between the render pin and the outside. */
enum wave_node { WAVE_MUTE, WAVE_NODES };

#define WAVE_RANGES                 4

/* What a stream of the device plays or records. */
struct wave_format {
    ULONG rate;
    ULONG channels;
    ULONG sample;                       /* PCM_S_U8... */
    ULONG frame_bytes;
};

/* The streams of the device: of a pin that is open, of the hardware once it runs. */
struct stream {
    IMiniportWaveCyclicStream face;
    volatile LONG references;
    struct miniport *miniport;
    BOOLEAN capture;
    ULONG number;                       /* of the hardware's streams */
    struct wave_format format;
    PDMACHANNEL channel;
    PSERVICEGROUP group;
    volatile ULONG ring_bytes;          /* since it left KSSTATE_STOP; else 0 */
    ULONG period_frames;
    BOOLEAN begun;                      /* the hardware runs, or pauses */
    BOOLEAN muted;
};

/* What the filter says of itself: as many streams and channels as this device has. */
struct wave_filter {
    KSDATARANGE_AUDIO range[WAVE_RANGES];
    PKSDATARANGE ranges[WAVE_RANGES];
    PCPIN_DESCRIPTOR pins[WAVE_PINS];
    PCFILTER_DESCRIPTOR descriptor;
};

struct miniport {
    IMiniportWaveCyclic face;
    volatile LONG references;
    struct device *device;
    PPORTWAVECYCLIC port;               /* no reference: the port outlives the miniport */
    struct wave_filter filter;
};

/* --- format.c ---------------------------------------------------------------- */

#define WAVE_RATE_MIN               PCM_S_RATE_MIN
#define WAVE_RATE_MAX               PCM_S_RATE_MAX

#define WAVE_BOUNDARY               0xffffull       /* of the cyclic buffer */

/* STATUS_INVALID_PARAMETER: the device, which has so many CHANNELS, has no such format. */
NTSTATUS wave_format_of(const KSDATAFORMAT *data, ULONG channels, struct wave_format *format);

/* As IMiniport::DataRangeIntersection. */
NTSTATUS wave_intersect(const KSDATARANGE *theirs, const KSDATARANGE *ours, ULONG room, PVOID result,
                        PULONG length);

/* --- description.c ------------------------------------------------------------- */

void wave_describe(struct wave_filter *filter, ULONG playbacks, ULONG captures, ULONG channels);

/* --- mute.c ---------------------------------------------------------------------- */

/* Of node WAVE_MUTE. */
extern const PCAUTOMATION_TABLE wave_mute;

/* --- stream.c ------------------------------------------------------------------ */

/* NULL: it is none of ours. */
struct stream *stream_of_unknown(PUNKNOWN unknown);

/* PASSIVE_LEVEL.  STATUS_DEVICE_BUSY: the direction's streams are all in use. */
NTSTATUS stream_new(struct miniport *miniport, BOOLEAN capture, const KSDATAFORMAT *data,
                    struct stream **stream);

/* --- streaming.c; device locked but for the position ------------------------------ */

/* Up to KSSTATE_RUN or down to KSSTATE_ACQUIRE; the hardware answers. */
void streaming_step(struct stream *stream, KSSTATE state);

/* To KSSTATE_STOP, even if the device is gone. */
void streaming_end(struct stream *stream);

/* As the stream's MUTED says. */
void streaming_volume(struct stream *stream);

/* Since the stream left KSSTATE_STOP.  FALSE: the device does not answer. */
BOOLEAN streaming_position(struct stream *stream, ULONGLONG *frames);

#endif /* PCMASTER_WAVE_H */
