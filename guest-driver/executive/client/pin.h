/* SPDX-License-Identifier: MIT */
/* client.sys: a pin of the driver's filter, by the IRPs of kernel streaming; all at PASSIVE_LEVEL */
#ifndef PCMASTER_CLIENT_PIN_H
#define PCMASTER_CLIENT_PIN_H

#include "client.h"
#include "portcls_wave.h"

/* The pins of pcmaster.sys' filter, and its node; see wave_pin and wave_node. */
#define PIN_RENDER                  0
#define PIN_CAPTURE                 2
#define NODE_MUTE                   0

/* The filter that the first interface of CATEGORY leads to. */
NTSTATUS filter_open(const GUID *category, HANDLE *filter);

NTSTATUS pin_open(HANDLE filter, ULONG id, const struct pcm_pin_format *format, HANDLE *pin);
NTSTATUS pin_set_state(HANDLE pin, KSSTATE state);
NTSTATUS pin_get_state(HANDLE pin, KSSTATE *state);
NTSTATUS pin_set_format(HANDLE pin, const struct pcm_pin_format *format);
NTSTATUS pin_position(HANDLE pin, KSAUDIO_POSITION *position);
NTSTATUS pin_faults(HANDLE pin, PCPIN_FAULTS *faults);
NTSTATUS pin_set_mute(HANDLE pin, LONG channel, LONG muted);
NTSTATUS pin_get_mute(HANDLE pin, LONG *muted);

/* KSPROPERTY_PIN_DATAINTERSECTION of RANGE; *NEEDED: the bytes that it takes. */
NTSTATUS pin_intersect(HANDLE filter, ULONG id, const struct pcm_pin_range *range, ULONG room,
                       struct pcm_pin_format *format, ULONG *needed);

/* Data that is on its way to a pin or from one; stays where it is until pin_wait. */
struct piece {
    KSSTREAM_HEADER header;
    KEVENT done;
    IO_STATUS_BLOCK result;
    BOOLEAN sent;
};

/* WRITE: to the pin.  LAST: the stream ends with it. */
NTSTATUS pin_send(HANDLE pin, struct piece *piece, BOOLEAN write, PVOID data, ULONG bytes, BOOLEAN last);
/* NULL: for as long as it takes.  STATUS_TIMEOUT: it is still on its way. */
NTSTATUS pin_wait(struct piece *piece, PLARGE_INTEGER timeout);

/* --- wave.c: formats, as kernel streaming has them --------------------------------------- */

#pragma pack(push, 1)
struct wave {
    KSDATAFORMAT data;
    WAVEFORMATEXTENSIBLE wave;
};
#pragma pack(pop)

/* WAVE->data.FormatSize: how much of it there is. */
void wave_make(const struct pcm_pin_format *format, struct wave *wave);
void wave_tell(const struct wave *wave, struct pcm_pin_format *format);
void wave_range(const struct pcm_pin_range *range, KSDATARANGE_AUDIO *audio);

/* --- pins.c -------------------------------------------------------------------------------- */

/* What the exercises do with pins. */
extern const struct pcm_pin_ops pin_ops;

#endif /* PCMASTER_CLIENT_PIN_H */
