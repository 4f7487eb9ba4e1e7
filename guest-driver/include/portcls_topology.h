/* SPDX-License-Identifier: MIT */
/*
 * Port and miniport of a topology, and what is wired to what, for C on x64
 *
 * A topology filter has nodes and bridge pins only: nothing is streamed.  All
 * at PASSIVE_LEVEL.
 */
#ifndef PCMASTER_PORTCLS_TOPOLOGY_H
#define PCMASTER_PORTCLS_TOPOLOGY_H

#include "portcls_wave.h"

DEFINE_GUID(IID_IPortTopology, 0xB4C90A30, 0x5791, 0x11D0, 0x86, 0xF9, 0x00, 0xA0, 0xC9, 0x11, 0xB5, 0x44);
DEFINE_GUID(IID_IMiniportTopology, 0xB4C90A31, 0x5791, 0x11D0, 0x86, 0xF9, 0x00, 0xA0, 0xC9, 0x11, 0xB5, 0x44);
DEFINE_GUID(CLSID_PortTopology, 0xB4C90A32, 0x5791, 0x11D0, 0x86, 0xF9, 0x00, 0xA0, 0xC9, 0x11, 0xB5, 0x44);

typedef struct IPortTopology IPortTopology;
typedef IPortTopology *PPORTTOPOLOGY;

/* IPort's, and none of its own.  Init: that of PcNewPort's other classes. */
typedef struct IPortTopologyVtbl {
    PORTCLS_UNKNOWN(IPortTopology);
    PORTCLS_PORT(IPortTopology);
} IPortTopologyVtbl;

struct IPortTopology {
    const IPortTopologyVtbl *lpVtbl;
};

PORTCLS_PORT_SLOTS(IPortTopology);
_Static_assert(sizeof(IPortTopologyVtbl) == 0x30, "IPortTopology");

typedef struct IMiniportTopology IMiniportTopology;
typedef IMiniportTopology *PMINIPORTTOPOLOGY;

typedef struct IMiniportTopologyVtbl {
    PORTCLS_UNKNOWN(IMiniportTopology);
    PORTCLS_MINIPORT(IMiniportTopology);
    NTSTATUS (NTAPI *Init)(IMiniportTopology *This, PUNKNOWN UnknownAdapter, PRESOURCELIST ResourceList,
                           PPORTTOPOLOGY Port);
} IMiniportTopologyVtbl;

struct IMiniportTopology {
    const IMiniportTopologyVtbl *lpVtbl;
};

PORTCLS_MINIPORT_SLOTS(IMiniportTopology);
PORTCLS_SLOT(IMiniportTopology, Init, 0x28);

/*
 * From StartDevice, of subdevices that are registered: what leaves the one by
 * its pin FromPin comes to the other by ToPin.  KSPROPERTY_PIN_PHYSICALCONNECTION
 * of either pin says so, until the device is stopped or removed.
 *
 *   STATUS_INVALID_PARAMETER       a NULL; no port that is registered for this
 *                                  device; it has no such pin
 *   STATUS_INSUFFICIENT_RESOURCES  out of pool
 */
NTSTATUS NTAPI PcRegisterPhysicalConnection(PDEVICE_OBJECT DeviceObject, PUNKNOWN FromUnknown, ULONG FromPin,
                                            PUNKNOWN ToUnknown, ULONG ToPin);

/* The same with a filter of another device, by the name of its device interface. */
NTSTATUS NTAPI PcRegisterPhysicalConnectionFromExternal(PDEVICE_OBJECT DeviceObject, PUNICODE_STRING FromString,
                                                        ULONG FromPin, PUNKNOWN ToUnknown, ULONG ToPin);
NTSTATUS NTAPI PcRegisterPhysicalConnectionToExternal(PDEVICE_OBJECT DeviceObject, PUNKNOWN FromUnknown,
                                                      ULONG FromPin, PUNICODE_STRING ToString, ULONG ToPin);

#endif /* PCMASTER_PORTCLS_TOPOLOGY_H */
