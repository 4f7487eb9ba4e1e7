/* SPDX-License-Identifier: MIT */
/*
 * Port and miniport of a WaveCyclic device, for C on x64
 *
 * Interfaces and structures of portcls.h with their true layout.  A miniport
 * implements IMiniportWaveCyclic and IMiniportWaveCyclicStream; the port made
 * by PcNewPort implements IPortWaveCyclic.  On aggregation see portcls_sync.h.
 */
#ifndef PCMASTER_PORTCLS_WAVE_H
#define PCMASTER_PORTCLS_WAVE_H

#include "portcls_dma.h"
#include "portcls_ks.h"
#include "portcls_registry.h"
#include "portcls_sync.h"

/* --- Descriptions and property handlers ---------------------------------------------- */

typedef struct _PCPROPERTY_REQUEST PCPROPERTY_REQUEST, *PPCPROPERTY_REQUEST;

/*
 * PASSIVE_LEVEL.  STATUS_PENDING: PcCompletePendingPropertyRequest follows.
 * STATUS_BUFFER_OVERFLOW: ValueSize is 0, and was set to the size needed.
 */
typedef NTSTATUS (NTAPI *PCPFNPROPERTY_HANDLER)(PPCPROPERTY_REQUEST PropertyRequest);

typedef struct {
    const GUID *Set;
    ULONG Id;
    ULONG Flags;                        /* KSPROPERTY_TYPE_GET, _SET, _BASICSUPPORT */
    PCPFNPROPERTY_HANDLER Handler;
} PCPROPERTY_ITEM, *PPCPROPERTY_ITEM;

struct _PCPROPERTY_REQUEST {
    PUNKNOWN MajorTarget;               /* the miniport */
    PUNKNOWN MinorTarget;               /* the stream; NULL: of the filter */
    ULONG Node;                         /* PCFILTER_NODE: none */
    const PCPROPERTY_ITEM *PropertyItem;
    ULONG Verb;                         /* the KSPROPERTY_TYPE_* that was asked for */
    ULONG InstanceSize;
    PVOID Instance;                     /* what follows KSPROPERTY, or KSP_NODE */
    ULONG ValueSize;                    /* in: of the buffer; out: of the value */
    PVOID Value;
    PIRP Irp;
};

#define PCFILTER_NODE               ((ULONG)-1)

typedef struct {
    ULONG PropertyItemSize;
    ULONG PropertyCount;
    const PCPROPERTY_ITEM *Properties;
    ULONG MethodItemSize;
    ULONG MethodCount;
    const VOID *Methods;                /* this port calls none */
    ULONG EventItemSize;
    ULONG EventCount;
    const VOID *Events;                 /* likewise */
    ULONG Reserved;
} PCAUTOMATION_TABLE, *PPCAUTOMATION_TABLE;

typedef struct {
    ULONG FromNode;
    ULONG FromNodePin;
    ULONG ToNode;
    ULONG ToNodePin;
} PCCONNECTION_DESCRIPTOR, *PPCCONNECTION_DESCRIPTOR;

typedef struct {
    ULONG MaxGlobalInstanceCount;
    ULONG MaxFilterInstanceCount;
    ULONG MinFilterInstanceCount;
    const PCAUTOMATION_TABLE *AutomationTable;
    KSPIN_DESCRIPTOR KsPinDescriptor;
} PCPIN_DESCRIPTOR, *PPCPIN_DESCRIPTOR;

typedef struct {
    ULONG Flags;
    const PCAUTOMATION_TABLE *AutomationTable;
    const GUID *Type;
    const GUID *Name;
} PCNODE_DESCRIPTOR, *PPCNODE_DESCRIPTOR;

typedef struct {
    ULONG Version;
    const PCAUTOMATION_TABLE *AutomationTable;
    ULONG PinSize;                      /* sizeof(PCPIN_DESCRIPTOR) or more: the stride */
    ULONG PinCount;
    const PCPIN_DESCRIPTOR *Pins;
    ULONG NodeSize;
    ULONG NodeCount;
    const PCNODE_DESCRIPTOR *Nodes;
    ULONG ConnectionCount;
    const PCCONNECTION_DESCRIPTOR *Connections;
    ULONG CategoryCount;                /* device interface classes of the subdevice */
    const GUID *Categories;
} PCFILTER_DESCRIPTOR, *PPCFILTER_DESCRIPTOR;

_Static_assert(sizeof(PCPROPERTY_ITEM) == 0x18, "PCPROPERTY_ITEM");
_Static_assert(sizeof(PCPROPERTY_REQUEST) == 0x48, "PCPROPERTY_REQUEST");
_Static_assert(sizeof(PCAUTOMATION_TABLE) == 0x38, "PCAUTOMATION_TABLE");
_Static_assert(FIELD_OFFSET(PCPIN_DESCRIPTOR, KsPinDescriptor) == 0x18, "PCPIN_DESCRIPTOR");
_Static_assert(sizeof(KSPIN_DESCRIPTOR) == 0x58, "KSPIN_DESCRIPTOR");
_Static_assert(sizeof(PCFILTER_DESCRIPTOR) == 0x50, "PCFILTER_DESCRIPTOR");
_Static_assert(sizeof(KSDATAFORMAT) == 0x40, "KSDATAFORMAT");
_Static_assert(sizeof(KSPIN_CONNECT) == 0x48, "KSPIN_CONNECT");
_Static_assert(sizeof(KSSTREAM_HEADER) == 0x38, "KSSTREAM_HEADER");

/* --- IPort, IPortWaveCyclic ------------------------------------------------------------ */

DEFINE_GUID(IID_IPort, 0xB4C90A25, 0x5791, 0x11D0, 0x86, 0xF9, 0x00, 0xA0, 0xC9, 0x11, 0xB5, 0x44);
DEFINE_GUID(IID_IPortWaveCyclic, 0xB4C90A26, 0x5791, 0x11D0, 0x86, 0xF9, 0x00, 0xA0, 0xC9, 0x11, 0xB5, 0x44);
DEFINE_GUID(CLSID_PortWaveCyclic, 0xB4C90A2A, 0x5791, 0x11D0, 0x86, 0xF9, 0x00, 0xA0, 0xC9, 0x11, 0xB5, 0x44);

/* Init to NewRegistryKey: the slots that every port has. */
#define PORTCLS_PORT(interface)                                             \
    NTSTATUS (NTAPI *Init)(interface *This, PDEVICE_OBJECT DeviceObject, PIRP Irp, PUNKNOWN UnknownMiniport, \
                           PUNKNOWN UnknownAdapter, PRESOURCELIST ResourceList); \
    NTSTATUS (NTAPI *GetDeviceProperty)(interface *This, DEVICE_REGISTRY_PROPERTY DeviceProperty, \
                                        ULONG BufferLength, PVOID PropertyBuffer, PULONG ResultLength); \
    NTSTATUS (NTAPI *NewRegistryKey)(interface *This, PREGISTRYKEY *OutRegistryKey, PUNKNOWN OuterUnknown, \
                                     ULONG RegistryKeyType, ACCESS_MASK DesiredAccess, \
                                     POBJECT_ATTRIBUTES ObjectAttributes, ULONG CreateOptions, \
                                     PULONG Disposition)

/*
 * All at PASSIVE_LEVEL.
 *
 * Init asks UnknownMiniport for the miniport interface of the port's class and
 * calls its Init(UnknownAdapter, ResourceList, Port), then GetDescription.
 *   STATUS_INVALID_DEVICE_STATE    the port was initialised before
 *   STATUS_INVALID_PARAMETER       a parameter other than UnknownAdapter is
 *                                  NULL; a description without pins
 *   what QueryInterface or a method of the miniport says
 *
 * GetDeviceProperty before Init: STATUS_DEVICE_NOT_READY; else as PcGetDeviceProperty.
 * NewRegistryKey before Init: the same; else as PcNewRegistryKey, of this subdevice.
 */
typedef struct IPort IPort;
typedef IPort *PPORT;

typedef struct IPortVtbl {
    PORTCLS_UNKNOWN(IPort);
    PORTCLS_PORT(IPort);
} IPortVtbl;

struct IPort {
    const IPortVtbl *lpVtbl;
};

typedef struct IPortWaveCyclic IPortWaveCyclic;
typedef IPortWaveCyclic *PPORTWAVECYCLIC;

typedef struct IPortWaveCyclicVtbl {
    PORTCLS_UNKNOWN(IPortWaveCyclic);
    PORTCLS_PORT(IPortWaveCyclic);
    /* Any IRQL: the service routine's way to have a group served. */
    VOID (NTAPI *Notify)(IPortWaveCyclic *This, PSERVICEGROUP ServiceGroup);
    /*
     * PASSIVE_LEVEL.  DmaIndex: the DMA resource of the list, by number; its
     * channel starts over by itself.  STATUS_INVALID_PARAMETER: there is no such.
     */
    NTSTATUS (NTAPI *NewSlaveDmaChannel)(IPortWaveCyclic *This, PDMACHANNELSLAVE *DmaChannel,
                                         PUNKNOWN OuterUnknown, PRESOURCELIST ResourceList, ULONG DmaIndex,
                                         ULONG MaximumLength, BOOLEAN DemandMode, DMA_SPEED DmaSpeed);
    /* PASSIVE_LEVEL.  After Init, also during the miniport's; ResourceList, width and speed are not used. */
    NTSTATUS (NTAPI *NewMasterDmaChannel)(IPortWaveCyclic *This, PDMACHANNEL *DmaChannel,
                                          PUNKNOWN OuterUnknown, PRESOURCELIST ResourceList,
                                          ULONG MaximumLength, BOOLEAN Dma32BitAddresses,
                                          BOOLEAN Dma64BitAddresses, DMA_WIDTH DmaWidth, DMA_SPEED DmaSpeed);
} IPortWaveCyclicVtbl;

struct IPortWaveCyclic {
    const IPortWaveCyclicVtbl *lpVtbl;
};

#define PORTCLS_PORT_SLOTS(interface)                                       \
    PORTCLS_UNKNOWN_SLOTS(interface);                                       \
    PORTCLS_SLOT(interface, Init, 0x18);                                    \
    PORTCLS_SLOT(interface, GetDeviceProperty, 0x20);                       \
    PORTCLS_SLOT(interface, NewRegistryKey, 0x28)

PORTCLS_PORT_SLOTS(IPort);
PORTCLS_PORT_SLOTS(IPortWaveCyclic);
PORTCLS_SLOT(IPortWaveCyclic, Notify, 0x30);
PORTCLS_SLOT(IPortWaveCyclic, NewSlaveDmaChannel, 0x38);
PORTCLS_SLOT(IPortWaveCyclic, NewMasterDmaChannel, 0x40);

/*
 * PASSIVE_LEVEL; exported by portcls.sys.
 *   STATUS_INVALID_PARAMETER       no OutPort or ClassId
 *   STATUS_NOT_SUPPORTED           a class other than CLSID_PortWaveCyclic and CLSID_PortTopology
 *   STATUS_INSUFFICIENT_RESOURCES  out of pool
 */
NTSTATUS NTAPI PcNewPort(PPORT *OutPort, REFCLSID ClassId);

/* --- IMiniport, IMiniportWaveCyclic ------------------------------------------------------ */

DEFINE_GUID(IID_IMiniport, 0xB4C90A24, 0x5791, 0x11D0, 0x86, 0xF9, 0x00, 0xA0, 0xC9, 0x11, 0xB5, 0x44);
DEFINE_GUID(IID_IMiniportWaveCyclic, 0xB4C90A27, 0x5791, 0x11D0, 0x86, 0xF9, 0x00, 0xA0, 0xC9, 0x11, 0xB5, 0x44);
DEFINE_GUID(IID_IMiniportWaveCyclicStream, 0xB4C90A28, 0x5791, 0x11D0, 0x86, 0xF9, 0x00, 0xA0, 0xC9, 0x11, 0xB5,
            0x44);

#define PORTCLS_MINIPORT(interface)                                         \
    NTSTATUS (NTAPI *GetDescription)(interface *This, PPCFILTER_DESCRIPTOR *Description); \
    NTSTATUS (NTAPI *DataRangeIntersection)(interface *This, ULONG PinId, PKSDATARANGE DataRange, \
                                            PKSDATARANGE MatchingDataRange, ULONG OutputBufferLength, \
                                            PVOID ResultantFormat, PULONG ResultantFormatLength)

/*
 * PASSIVE_LEVEL.  The description lives as long as the miniport.
 *
 * DataRangeIntersection: DataRange is the caller's, MatchingDataRange one of
 * the pin's whose format GUIDs agree with it.
 *   STATUS_NO_MATCH          they have nothing in common: the next range is tried
 *   STATUS_NOT_IMPLEMENTED   the port makes the format itself
 *   STATUS_BUFFER_OVERFLOW   OutputBufferLength is 0; *ResultantFormatLength is what is needed
 *   STATUS_BUFFER_TOO_SMALL  OutputBufferLength is less
 */
typedef struct IMiniport IMiniport;
typedef IMiniport *PMINIPORT;

typedef struct IMiniportVtbl {
    PORTCLS_UNKNOWN(IMiniport);
    PORTCLS_MINIPORT(IMiniport);
} IMiniportVtbl;

struct IMiniport {
    const IMiniportVtbl *lpVtbl;
};

typedef struct IMiniportWaveCyclicStream IMiniportWaveCyclicStream;
typedef IMiniportWaveCyclicStream *PMINIPORTWAVECYCLICSTREAM;

typedef struct IMiniportWaveCyclic IMiniportWaveCyclic;
typedef IMiniportWaveCyclic *PMINIPORTWAVECYCLIC;

typedef struct IMiniportWaveCyclicVtbl {
    PORTCLS_UNKNOWN(IMiniportWaveCyclic);
    PORTCLS_MINIPORT(IMiniportWaveCyclic);
    /* PASSIVE_LEVEL. */
    NTSTATUS (NTAPI *Init)(IMiniportWaveCyclic *This, PUNKNOWN UnknownAdapter, PRESOURCELIST ResourceList,
                           PPORTWAVECYCLIC Port);
    /* PASSIVE_LEVEL.  Stream, channel and group come with a reference for the port. */
    NTSTATUS (NTAPI *NewStream)(IMiniportWaveCyclic *This, PMINIPORTWAVECYCLICSTREAM *Stream,
                                PUNKNOWN OuterUnknown, POOL_TYPE PoolType, ULONG Pin, BOOLEAN Capture,
                                PKSDATAFORMAT DataFormat, PDMACHANNEL *DmaChannel,
                                PSERVICEGROUP *ServiceGroup);
} IMiniportWaveCyclicVtbl;

struct IMiniportWaveCyclic {
    const IMiniportWaveCyclicVtbl *lpVtbl;
};

typedef struct IMiniportWaveCyclicStreamVtbl {
    PORTCLS_UNKNOWN(IMiniportWaveCyclicStream);
    /* PASSIVE_LEVEL, in every state but KSSTATE_RUN. */
    NTSTATUS (NTAPI *SetFormat)(IMiniportWaveCyclicStream *This, PKSDATAFORMAT DataFormat);
    /* PASSIVE_LEVEL.  Interval in ms; returns the one taken, and the bytes it lasts. */
    ULONG (NTAPI *SetNotificationFreq)(IMiniportWaveCyclicStream *This, ULONG Interval, PULONG FrameSize);
    /* PASSIVE_LEVEL.  Always one step up or down. */
    NTSTATUS (NTAPI *SetState)(IMiniportWaveCyclicStream *This, KSSTATE State);
    /* <= DISPATCH_LEVEL.  Where the device is, in bytes from the start of the cyclic buffer. */
    NTSTATUS (NTAPI *GetPosition)(IMiniportWaveCyclicStream *This, PULONG Position);
    /* <= DISPATCH_LEVEL.  In: bytes played or recorded; out: the same in units of 100 ns. */
    NTSTATUS (NTAPI *NormalizePhysicalPosition)(IMiniportWaveCyclicStream *This, PLONGLONG PhysicalPosition);
    /* <= DISPATCH_LEVEL. */
    VOID (NTAPI *Silence)(IMiniportWaveCyclicStream *This, PVOID Buffer, ULONG ByteCount);
} IMiniportWaveCyclicStreamVtbl;

struct IMiniportWaveCyclicStream {
    const IMiniportWaveCyclicStreamVtbl *lpVtbl;
};

#define PORTCLS_MINIPORT_SLOTS(interface)                                   \
    PORTCLS_UNKNOWN_SLOTS(interface);                                       \
    PORTCLS_SLOT(interface, GetDescription, 0x18);                          \
    PORTCLS_SLOT(interface, DataRangeIntersection, 0x20)

PORTCLS_MINIPORT_SLOTS(IMiniport);
PORTCLS_MINIPORT_SLOTS(IMiniportWaveCyclic);
PORTCLS_SLOT(IMiniportWaveCyclic, Init, 0x28);
PORTCLS_SLOT(IMiniportWaveCyclic, NewStream, 0x30);
PORTCLS_UNKNOWN_SLOTS(IMiniportWaveCyclicStream);
PORTCLS_SLOT(IMiniportWaveCyclicStream, SetFormat, 0x18);
PORTCLS_SLOT(IMiniportWaveCyclicStream, SetNotificationFreq, 0x20);
PORTCLS_SLOT(IMiniportWaveCyclicStream, SetState, 0x28);
PORTCLS_SLOT(IMiniportWaveCyclicStream, GetPosition, 0x30);
PORTCLS_SLOT(IMiniportWaveCyclicStream, NormalizePhysicalPosition, 0x38);
PORTCLS_SLOT(IMiniportWaveCyclicStream, Silence, 0x40);

/* --- Of this project's port only --------------------------------------------------------- */

/* KSPROPERTY_TYPE_GET of a pin: what went wrong with its timing since it was opened. */
DEFINE_GUID(PCPROPSETID_PinFaults, 0x2B1C4F57, 0x7E0D, 0x4E6A, 0xB3, 0x58, 0x11, 0x9C, 0x60, 0xA2, 0xDF, 0x04);

#define PCPROPERTY_PIN_FAULTS       0

typedef struct {
    ULONG Underruns;                    /* the device came to the end of the data before its last header */
    ULONG Overruns;                     /* the device recorded over what nobody had read */
} PCPIN_FAULTS;

#endif /* PCMASTER_PORTCLS_WAVE_H */
