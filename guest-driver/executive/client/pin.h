/* SPDX-License-Identifier: MIT */
/* client.sys: a pin of the driver's filter, by the IRPs of kernel streaming; all at PASSIVE_LEVEL */
#ifndef PCMASTER_CLIENT_PIN_H
#define PCMASTER_CLIENT_PIN_H

#include "client.h"
#include "portcls_wave.h"

struct pin_format {
    ULONG rate;
    ULONG channels;
    ULONG bits;
};

/* The filter that the first interface of CATEGORY leads to. */
NTSTATUS filter_open(const GUID *category, HANDLE *filter);

NTSTATUS pin_open(HANDLE filter, ULONG id, const struct pin_format *format, HANDLE *pin);
NTSTATUS pin_set_state(HANDLE pin, KSSTATE state);
NTSTATUS pin_position(HANDLE pin, ULONGLONG *bytes);
NTSTATUS pin_faults(HANDLE pin, PCPIN_FAULTS *faults);

/* Data that is on its way to a pin or from one; stays where it is until pin_wait. */
struct piece {
    KSSTREAM_HEADER header;
    KEVENT done;
    IO_STATUS_BLOCK result;
    BOOLEAN sent;
};

/* WRITE: to the pin.  LAST: the stream ends with it. */
NTSTATUS pin_send(HANDLE pin, struct piece *piece, BOOLEAN write, PVOID data, ULONG bytes, BOOLEAN last);
NTSTATUS pin_wait(struct piece *piece);

#endif /* PCMASTER_CLIENT_PIN_H */
