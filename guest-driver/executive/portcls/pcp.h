/*
 * Inside portcls.sys.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_PORTCLS_PCP_H
#define EXECUTIVE_PORTCLS_PCP_H

#include "executive.h"
#include "halp.h"
#include "portcls_adapter.h"

/* --- unknown.c: objects with reference counts ------------------------------ */

typedef struct _PC_OBJECT PC_OBJECT;

/* What an interface pointer points to; every vtable begins with PCP_UNKNOWN. */
typedef struct _PC_INTERFACE {
    const VOID *Vtbl;
    PC_OBJECT *Object;
} PC_INTERFACE;

typedef struct _PC_CLASS {
    ULONG Tag;                  /* of its pool */
    SIZE_T Size;                /* of the object, which begins with PC_OBJECT */
    const VOID *Vtbl;
    const GUID *const *Ids;     /* interfaces that Vtbl serves, then NULL */
    void (*Delete)(PVOID Object);       /* all but the memory; NULL: nothing */
} PC_CLASS;

/*
 * An object has one interface, twice: Inner is its own identity, which counts
 * references. Aggregated is what others see of it through the outer object,
 * and passes the first three methods on to that.
 */
struct _PC_OBJECT {
    PC_INTERFACE Inner;         /* first: a pointer to it is one to us */
    PC_INTERFACE Aggregated;
    PUNKNOWN Outer;             /* not counted; NULL: not aggregated */
    volatile LONG References;
    const PC_CLASS *Class;
};

/* Zeroed, with one reference. NULL: out of pool. */
PVOID PcpNewObject(const PC_CLASS *Class, PUNKNOWN Outer, POOL_TYPE PoolType);

/* The object behind one of its interface pointers. */
static inline PVOID PcpObject(PVOID This)
{
    return ((PC_INTERFACE *)This)->Object;
}

NTSTATUS NTAPI PcpQueryInterface(PC_INTERFACE *This, REFIID InterfaceId,
                                 PVOID *Object);
ULONG NTAPI PcpAddRef(PC_INTERFACE *This);
ULONG NTAPI PcpRelease(PC_INTERFACE *This);

#define PCP_UNKNOWN                                                         \
    .QueryInterface = (PVOID)PcpQueryInterface,                             \
    .AddRef = (PVOID)PcpAddRef,                                             \
    .Release = (PVOID)PcpRelease

/* Of anybody's object; NULL does nothing. */
#define PCP_ADDREF(object)                                                  \
    do {                                                                    \
        if (object) {                                                       \
            (object)->lpVtbl->AddRef(object);                               \
        }                                                                   \
    } while (0)
/* Forgets the pointer, too. */
#define PCP_RELEASE(object)                                                 \
    do {                                                                    \
        if (object) {                                                       \
            (object)->lpVtbl->Release(object);                              \
            (object) = NULL;                                                \
        }                                                                   \
    } while (0)

/* --- The rules of IRQL, for the verifier ------------------------------------- */

/*
 * The verifier is only troubled with what is wrong, so that these routines run
 * beside a HAL that lacks it, too.
 */
static inline void PcpRequireIrql(PCSTR Routine, KIRQL Highest)
{
    if (KeGetCurrentIrql() > Highest) {
        HalpRequireIrql(Routine, Highest);
    }
}

#define PCP_PASSIVE(routine) PcpRequireIrql((routine), PASSIVE_LEVEL)
#define PCP_DISPATCH(routine) PcpRequireIrql((routine), DISPATCH_LEVEL)

/* --- adapter.c: the device, and its subdevices ---------------------------------- */

#define PCP_TAG             'lcPP'

/* The start of the device extension, which is the port class driver's. */
typedef struct _PC_DEVICE {
    PDEVICE_OBJECT Self;
    PDEVICE_OBJECT Physical;
    PDEVICE_OBJECT Lower;
    PCPFNSTARTDEVICE StartDevice;
    ULONG MaxObjects;
    IO_REMOVE_LOCK RemoveLock;
    KEVENT Lock;                /* of what follows, and of all pins; PASSIVE_LEVEL */
    BOOLEAN Started;
    DEVICE_POWER_STATE PowerState;
    PADAPTERPOWERMANAGEMENT Power;      /* or NULL */
    DEVICE_POWER_STATE DeviceStates[PowerSystemMaximum];    /* of the system's */
    LIST_ENTRY Ports;           /* PC_PORT that were initialised, each counted */
    LIST_ENTRY Subdevices;      /* those that were registered */
    LIST_ENTRY Connections;     /* between their pins */
    KSPIN_LOCK TimeoutLock;
    LIST_ENTRY Timeouts;
    KTIMER Timer;
    KDPC TimerDpc;
} PC_DEVICE;

_Static_assert(sizeof(PC_DEVICE) <= PORT_CLASS_DEVICE_EXTENSION_SIZE, "PC_DEVICE");

static inline PC_DEVICE *PcpDevice(PDEVICE_OBJECT DeviceObject)
{
    return DeviceObject->DeviceExtension;
}

void PcpLock(PC_DEVICE *Device);
void PcpUnlock(PC_DEVICE *Device);

/* Takes the device's filters from clients, and the miniports from their ports. */
void PcpStopSubdevices(PC_DEVICE *Device);

/* The port of a subdevice by its name, referenced; NULL: there is none. Locked. */
struct _PC_PORT *PcpFindSubdevice(PC_DEVICE *Device, PCUNICODE_STRING Name);

/* The name of a registered port's first interface; NULL: it has none. Locked. */
const UNICODE_STRING *PcpLinkOf(PC_DEVICE *Device, const struct _PC_PORT *Port);

/* connections.c. Device locked. */
void PcpForgetConnections(PC_DEVICE *Device);

/* timeouts.c: no routine is called any more. PASSIVE_LEVEL. */
void PcpStopTimeouts(PC_DEVICE *Device);
void PcpInitializeTimeouts(PC_DEVICE *Device);

/* pnp.c, power.c: called with the remove lock held, which they give back. */
NTSTATUS PcpDispatchPnp(PC_DEVICE *Device, PIRP Irp);
NTSTATUS PcpDispatchPower(PC_DEVICE *Device, PIRP Irp);

/* capabilities.c: what a request brings, or the stack says by itself. PASSIVE_LEVEL. */
NTSTATUS PcpQueryCapabilities(PC_DEVICE *Device, PIRP Irp);
void PcpLearnDeviceStates(PC_DEVICE *Device);

/* --- Files: FILE_OBJECT.FsContext of filters and pins ----------------------------- */

typedef struct _PC_FILE {
    NTSTATUS (*Control)(struct _PC_FILE *File, PIRP Irp);      /* completes it */
    void (*Cleanup)(struct _PC_FILE *File);
    void (*Close)(struct _PC_FILE *File);
} PC_FILE;

/* --- wavecyclic.c: the ports --------------------------------------------------------- */

typedef struct _PC_PORT {
    PC_OBJECT Object;
    PC_DEVICE *Device;                  /* NULL: not initialised */
    LIST_ENTRY Link;                    /* in PC_DEVICE.Ports, or to itself */
    const GUID *MiniportId;             /* of the port's class */
    PMINIPORTWAVECYCLIC Miniport;       /* or a topology's; NULL: the device was stopped */
    PPOWERNOTIFY PowerNotify;           /* the miniport's, or NULL */
    PPCFILTER_DESCRIPTOR Description;   /* the miniport's */
    LIST_ENTRY Pins;                    /* that are open */
} PC_PORT;

/* By QueryInterface: the port itself, for PcRegisterSubdevice. */
extern const GUID PcpIidPort;

const PCPIN_DESCRIPTOR *PcpPinDescriptor(const PC_PORT *Port, ULONG PinId);

/*
 * Device locked: pins off the hardware, the miniport released, and the port off
 * the device's list. The port may go, unless the caller holds it.
 */
void PcpStopPort(PC_PORT *Port);

/* Device locked. Before power goes, after it has come; and to tell the miniport. */
void PcpSuspendPort(PC_PORT *Port);
void PcpResumePort(PC_PORT *Port);

/* --- filter.c, pin.c ------------------------------------------------------------------ */

typedef struct _PC_FILTER {
    PC_FILE File;
    PC_DEVICE *Device;
    PC_PORT *Port;
    ULONG *Instances;                   /* of each pin, on this filter */
} PC_FILTER;

/* NULL: the file is no filter, or none of ours. */
PC_FILTER *PcpFilterOf(PC_FILE *File);

/* Takes over the reference to the port. Device locked. */
NTSTATUS PcpOpenFilter(PC_PORT *Port, PFILE_OBJECT FileObject);

/* Data is what follows KSSTRING_Pin and the backslash. Device locked. */
NTSTATUS PcpOpenPin(PC_FILTER *Filter, PFILE_OBJECT FilterObject,
                    PFILE_OBJECT FileObject, const VOID *Data, ULONG Length);

/* Takes all streams of the port away: their pins can only be closed. Device locked. */
void PcpDisconnectPins(PC_PORT *Port);

/* Open pins of that number on all filters of the port. Device locked. */
ULONG PcpCountPins(PC_PORT *Port, ULONG PinId);

/* Whether the two formats or ranges agree in all three GUIDs, or one is a wildcard. */
bool PcpFormatsAgree(const KSDATARANGE *One, const KSDATARANGE *Other);

/* STATUS_NO_MATCH: no range of the pin has that format. */
NTSTATUS PcpCheckFormat(const PCPIN_DESCRIPTOR *Pin, const KSDATAFORMAT *Format,
                        ULONG Length);

/* --- property.c ------------------------------------------------------------------------- */

/* A property request on its way. */
typedef struct _PC_PROPERTY {
    PIRP Irp;
    PC_PORT *Port;
    PVOID Owner;                /* PC_FILTER or the pin */
    PKSPROPERTY Property;       /* and what follows it */
    ULONG PropertyLength;
    PVOID Value;
    ULONG ValueLength;          /* room for it, or its length when it is set */
    ULONG Verb;
    ULONG Used;                 /* out: of the value, or how much it takes */
    BOOLEAN Marked;             /* the request is marked as pending */
} PC_PROPERTY;

/* Device locked. STATUS_BUFFER_OVERFLOW: Used is the room that it takes. */
typedef NTSTATUS PC_PROPERTY_HANDLER(PC_PROPERTY *Request);

/* A property that the port class driver handles itself; Set NULL ends a table. */
typedef struct _PC_PROPERTY_ITEM {
    const GUID *Set;
    ULONG Id;
    ULONG PropertyLength;               /* the least, with what follows KSPROPERTY */
    ULONG ValueLength;                  /* the least; 0: the handler looks */
    PC_PROPERTY_HANDLER *Get, *Set_;
} PC_PROPERTY_ITEM;

/*
 * IOCTL_KS_PROPERTY: the items, then the miniport's table, which may be NULL,
 * or that of the node that is asked for. Completes the request.
 */
NTSTATUS PcpProperty(PC_PORT *Port, PVOID Owner, PUNKNOWN *Stream, PIRP Irp,
                     const PC_PROPERTY_ITEM *Items,
                     const PCAUTOMATION_TABLE *(*Table)(PVOID Owner));

/* Gives a value of that length, or says how long it is. */
NTSTATUS PcpReturn(PC_PROPERTY *Request, const VOID *Value, ULONG Length);

/*
 * Gives a KSMULTIPLE_ITEM with Count items of that size, copied from Items
 * with that stride; NULL: with room for them.
 */
NTSTATUS PcpReturnItems(PC_PROPERTY *Request, ULONG Count, const VOID *Items,
                        ULONG Stride, ULONG Size);

/* Any IRQL <= DISPATCH_LEVEL. Returns Status. */
NTSTATUS PcpComplete(PIRP Irp, NTSTATUS Status, ULONG_PTR Information);

/* topology.c: KSPROPSETID_Topology. */
PC_PROPERTY_HANDLER PcpGetCategories, PcpGetNodes, PcpGetConnections;

/* connections.c: KSPROPERTY_PIN_PHYSICALCONNECTION. */
PC_PROPERTY_HANDLER PcpPhysicalConnection;

/* format.c: KSPROPERTY_PIN_DATAINTERSECTION. */
PC_PROPERTY_HANDLER PcpDataIntersection;

/* --- pin.c, pinproperty.c, pinrequest.c, pinstate.c, pinstream.c, stream.c --------------- */

#define PCP_PIN_TAG         'iPcP'

/*
 * A pin, whose interface is IServiceSink. Positions are counted in bytes without
 * end: of the device since it was acquired, of the stream since the client
 * began it.
 */
typedef struct _PC_PIN {
    PC_OBJECT Object;
    PC_FILE File;
    PC_FILTER *Filter;
    PFILE_OBJECT FilterObject;          /* counted: the filter outlives its pins */
    LIST_ENTRY Link;                    /* in PC_PORT.Pins */
    ULONG Id;
    BOOLEAN Capture;
    PMINIPORTWAVECYCLICSTREAM Stream;   /* NULL: the device was stopped */
    PDMACHANNEL Channel;
    PSERVICEGROUP Group;
    PKSDATAFORMAT Format;
    KSSTATE State;                      /* of the stream */
    KSSTATE Wanted;                     /* by the client; the same but without power */

    KSPIN_LOCK Lock;                    /* of what follows */
    BOOLEAN Running;
    LIST_ENTRY Irps;
    ULONG BlockAlign;
    ULONG BufferSize;                   /* of the cyclic buffer */
    ULONG Margin;                       /* how far ahead of the device data is put that comes late */
    ULONG LastPosition;                 /* in the cyclic buffer */
    ULONGLONG Passed;                   /* device: played or recorded */
    ULONGLONG Edge;                     /* device: where data ends that was copied in, or out */
    ULONGLONG Silenced;                 /* device: nothing stale before that */
    ULONGLONG BaseDevice, BaseStream;   /* the same byte, counted in the two ways */
    ULONGLONG Copied;                   /* stream: to or from the cyclic buffer */
    ULONGLONG Played;                   /* stream */
    ULONGLONG Queued;                   /* stream: the end of the last request */
    ULONGLONG End;                      /* stream: its end, as the client says; 0: nowhere */
    BOOLEAN Starved;
    ULONG Underruns, Overruns;
} PC_PIN;

/* Where a request's bytes begin in the stream, and how many there are. */
#define PCP_IRP_PIN(irp) (*(PC_PIN **)&(irp)->Tail.Overlay.DriverContext[0])
#define PCP_IRP_START(irp) (*(ULONGLONG *)&(irp)->Tail.Overlay.DriverContext[1])
#define PCP_IRP_LENGTH(irp) (*(ULONG_PTR *)&(irp)->Tail.Overlay.DriverContext[2])

static inline ULONGLONG PcpLeast(ULONGLONG One, ULONGLONG Other)
{
    return One < Other ? One : Other;
}

#define PCP_IRP_OF(link) CONTAINING_RECORD(link, IRP, Tail.Overlay.ListEntry)

extern const PC_PROPERTY_ITEM PcpPinProperties[];

/* pinstream.c, device locked. NewStream, and what comes of it; all of it goes again. */
NTSTATUS PcpConnectPin(PC_PIN *Pin);
void PcpDisconnectPin(PC_PIN *Pin);

/* Bytes of a frame, 1 where the format does not say. */
ULONG PcpBlockAlign(const KSDATAFORMAT *Format);

/* Device locked; not in KSSTATE_RUN. The format is one of the pin's. */
NTSTATUS PcpChangeFormat(PC_PIN *Pin, const KSDATAFORMAT *Format);

/* Device locked. Walks one step at a time; stays where a step fails. */
NTSTATUS PcpSetPinState(PC_PIN *Pin, KSSTATE State);

bool PcpIsPinPowered(const PC_PIN *Pin);

/* Down to KSSTATE_STOP, whatever the stream says; Wanted stays. */
void PcpWalkPinDown(PC_PIN *Pin);

/* IOCTL_KS_WRITE_STREAM, IOCTL_KS_READ_STREAM. Completes it, now or later. */
NTSTATUS PcpStreamRequest(PC_PIN *Pin, PIRP Irp, bool Read);

/* Pin locked. Moves a request to Done unless its cancel routine has it. */
void PcpFinish(PIRP Irp, NTSTATUS Status, ULONG_PTR Information,
               PLIST_ENTRY Done);

/* Not locked. */
void PcpCompleteAll(PLIST_ENTRY Done);

/* Bytes of the header that take part in the request; of all its headers themselves. */
ULONG PcpExtent(const PC_PIN *Pin, const KSSTREAM_HEADER *Header);
ULONG PcpHeadersLength(PIRP Irp);

/* IRQL <= DISPATCH_LEVEL: moves what can be moved. */
void PcpServicePin(PC_PIN *Pin);

/* The cyclic buffer begins anew; what was not played is copied again. */
void PcpRewindPin(PC_PIN *Pin);

/* Ends all requests, and the stream begins at 0 if Restart. */
void PcpFlushPin(PC_PIN *Pin, bool Restart);

#endif
