/* SPDX-License-Identifier: MIT */
/* pcmaster.sys: the WaveCyclic miniport and its streams */
#ifndef PCMASTER_WAVE_H
#define PCMASTER_WAVE_H

#include "pcmaster.h"

/* Pins of the filter: those that clients open, and behind each the outside world. */
enum wave_pin { WAVE_RENDER, WAVE_RENDER_OUT, WAVE_CAPTURE, WAVE_CAPTURE_IN, WAVE_PINS };

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
    ULONG ring_bytes;                   /* since it left KSSTATE_STOP */
    ULONG period_frames;
    BOOLEAN begun;                      /* the hardware runs, or pauses */
};

struct miniport {
    IMiniportWaveCyclic face;
    volatile LONG references;
    struct device *device;
    PPORTWAVECYCLIC port;               /* no reference: the port outlives the miniport */
};

/* --- format.c ---------------------------------------------------------------- */

#define WAVE_RATE_MIN               PCM_S_RATE_MIN
#define WAVE_RATE_MAX               PCM_S_RATE_MAX
#define WAVE_CHANNELS_MAX           2

/* STATUS_INVALID_PARAMETER: the device has no such format. */
NTSTATUS wave_format_of(const KSDATAFORMAT *data, struct wave_format *format);

/* As IMiniport::DataRangeIntersection. */
NTSTATUS wave_intersect(const KSDATARANGE *theirs, const KSDATARANGE *ours, ULONG room, PVOID result,
                        PULONG length);

/* --- description.c ------------------------------------------------------------- */

extern const PCFILTER_DESCRIPTOR wave_description;

/* --- stream.c ------------------------------------------------------------------ */

/* PASSIVE_LEVEL.  STATUS_DEVICE_BUSY: the direction's stream is in use. */
NTSTATUS stream_new(struct miniport *miniport, BOOLEAN capture, const KSDATAFORMAT *data,
                    struct stream **stream);

#endif /* PCMASTER_WAVE_H */
