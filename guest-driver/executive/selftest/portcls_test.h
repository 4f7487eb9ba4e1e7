/* SPDX-License-Identifier: MIT */
/*
 * selftest.sys: an adapter driver and a miniport made for the tests
 *
 * The device is no hardware: its PDO is the test's own, and the test says where
 * in its cyclic buffer it is. Everything that the port asks of the miniport is
 * noted.
 */
#ifndef PCMASTER_PORTCLS_TEST_H
#define PCMASTER_PORTCLS_TEST_H

#include "selftest.h"

#include "portcls_adapter.h"

#define FRAME_BYTES                 4u              /* two channels of 16 bits */
#define BUFFER_BYTES                0x1000u
#define PERIOD_BYTES                0x200u
#define RENDER_PIN                  0
#define CAPTURE_PIN                 1
#define BRIDGE_PIN                  2
#define NOTES_MAX                   64

struct adapter {
    PDEVICE_OBJECT pdo, fdo;
    ULONG started;                      /* calls of StartDevice */
    ULONG resources;                    /* entries that it got */
    NTSTATUS start_status;              /* that it returns when all is done */
    PCPFNSTARTDEVICE more;              /* NULL, or called by StartDevice: a second subdevice */
    PPORT wave;                         /* while it is: the first */
    IAdapterPowerManagement power;
    ULONG power_references;
    DEVICE_POWER_STATE states[PowerSystemMaximum];  /* for the system's; unspecified: not said */
    IMiniportWaveCyclic miniport;
    ULONG references;                   /* on the miniport: 1 is the test's own */
    PPORTWAVECYCLIC port;               /* counted, from Init to the last Release */
    ULONG streams;                      /* alive */
    bool withhold;                      /* NewStream gives no channel */
    struct stream *stream;              /* the last one */
    char notes[NOTES_MAX];              /* what was asked for, a letter each */
    ULONG noted;
};

struct stream {
    IMiniportWaveCyclicStream face;
    ULONG references;
    struct adapter *adapter;
    PDMACHANNEL channel;
    PSERVICEGROUP group;
    BOOLEAN capture;
    KSSTATE state;
    KSSTATE fails;                      /* SetState to that one; KSSTATE_STOP: none */
    ULONG position;
};

extern struct adapter adapter;

/* A device with the subdevice "wave", started. False: the check has failed. */
bool adapter_start(void);

/* The same with more in StartDevice, which must register a subdevice. */
bool adapter_start_with(PCPFNSTARTDEVICE more);

/* Removes it, and checks that every reference was given back. */
void adapter_remove(void);

/* A PnP request without parameters, or a power request, to the stack. */
NTSTATUS adapter_pnp(UCHAR minor);
NTSTATUS adapter_power(UCHAR minor, DEVICE_POWER_STATE state);
NTSTATUS adapter_system_power(UCHAR minor, SYSTEM_POWER_STATE state);

/* Whether exactly these letters were noted since it was asked last. */
bool adapter_noted(const char *expected);

/* The device goes on by that many bytes, and says so. */
void stream_advance(struct stream *stream, ULONG bytes);

/* --- portcls_channel.c ------------------------------------------------------------------- */

/* The same channel, with the methods alone that a port may call. One for each direction. */
PDMACHANNEL only_six(PDMACHANNEL channel, bool capture);

/* --- portcls_client.c: what a client does, by IRPs --------------------------------------- */

/* NULL: there is no such filter, or it cannot be opened. */
HANDLE open_filter(const WCHAR *reference);

/* A pin with 48 kHz, 16 bits, two channels, or another rate. */
NTSTATUS open_pin(HANDLE filter, ULONG pin, ULONG rate, PHANDLE handle);

/* What a pin is opened with. */
#pragma pack(push, 1)
struct pin_name {
    WCHAR guid[39];                     /* KSSTRING_Pin and a backslash, without an end */
    KSPIN_CONNECT connect;
    KSDATAFORMAT_WAVEFORMATEX format;
};
#pragma pack(pop)

void pin_name_fill(struct pin_name *name, ULONG pin, ULONG rate);

NTSTATUS property(HANDLE file, const GUID *set, ULONG id, ULONG flags, ULONG pin, PVOID value, ULONG length,
                  ULONG *used);
NTSTATUS get_pin_property(HANDLE filter, ULONG id, ULONG pin, PVOID value, ULONG length, ULONG *used);
NTSTATUS set_state(HANDLE pin, KSSTATE state);
KSSTATE get_state(HANDLE pin);
KSAUDIO_POSITION get_position(HANDLE pin);
PCPIN_FAULTS get_faults(HANDLE pin);

/* A stream request that may wait. */
struct transfer {
    KSSTREAM_HEADER header;
    KEVENT done;
    IO_STATUS_BLOCK result;
    NTSTATUS status;                    /* that the driver returned */
    PIRP irp;                           /* NULL once it is completed */
};

void transfer_begin(struct transfer *transfer, HANDLE pin, ULONG code, PVOID data, ULONG bytes);
/* Writes the end of the stream. */
void transfer_last(struct transfer *transfer, HANDLE pin, PVOID data, ULONG bytes);
bool transfer_is_done(struct transfer *transfer);

/* A write that is cancelled before the driver gets it. */
void transfer_cancelled(struct transfer *transfer, HANDLE pin, PVOID data, ULONG bytes);

/* A file by its name below another, or by the whole name of a device interface. */
NTSTATUS open_relative(HANDLE root, PVOID name, USHORT bytes, PHANDLE handle);
NTSTATUS open_link(PVOID name, USHORT bytes, PHANDLE handle);

/* A request with two buffers that does not wait. */
NTSTATUS control(HANDLE file, ULONG code, PVOID in, ULONG in_bytes, PVOID out, ULONG out_bytes, ULONG *used);

#endif /* PCMASTER_PORTCLS_TEST_H */
