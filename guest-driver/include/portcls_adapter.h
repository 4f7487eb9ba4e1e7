/* SPDX-License-Identifier: MIT */
/*
 * What an adapter driver calls in portcls.sys, and its power interfaces
 *
 * All at PASSIVE_LEVEL unless it says otherwise.  Includes the rest of
 * PortCls: portcls_dma.h, portcls_sync.h, portcls_wave.h and portcls_topology.h.
 */
#ifndef PCMASTER_PORTCLS_ADAPTER_H
#define PCMASTER_PORTCLS_ADAPTER_H

#include "portcls_topology.h"

/* The first bytes of the device extension are the port class driver's own. */
#define PORT_CLASS_DEVICE_EXTENSION_SIZE (64 * sizeof(ULONG_PTR))

/* --- Start of day -------------------------------------------------------------------- */

/*
 * Called for IRP_MN_START_DEVICE when the drivers below have started.  The
 * list is the port class driver's: AddRef to keep it.
 */
typedef NTSTATUS (NTAPI *PCPFNSTARTDEVICE)(PDEVICE_OBJECT DeviceObject, PIRP Irp, PRESOURCELIST ResourceList);

/*
 * Sets AddDevice, DriverUnload unless there is one, and the dispatch routines
 * of PnP, power, system control, create, cleanup, close, device control, read,
 * write, flush and security to PcDispatchIrp.
 */
NTSTATUS NTAPI PcInitializeAdapterDriver(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPathName,
                                         PDRIVER_ADD_DEVICE AddDevice);

/*
 * Makes the functional device object and attaches it.
 *   STATUS_INVALID_PARAMETER       a NULL; MaxObjects is 0; DeviceExtensionSize is neither 0 nor at
 *                                  least PORT_CLASS_DEVICE_EXTENSION_SIZE
 */
NTSTATUS NTAPI PcAddAdapterDevice(PDRIVER_OBJECT DriverObject, PDEVICE_OBJECT PhysicalDeviceObject,
                                  PCPFNSTARTDEVICE StartDevice, ULONG MaxObjects, ULONG DeviceExtensionSize);

/*
 * From StartDevice: makes the initialised port Unknown the filter that is
 * opened by Name, and registers an interface for each of its categories.
 *   STATUS_INVALID_PARAMETER       a NULL; Unknown is no port that was initialised for this device
 *   STATUS_OBJECT_NAME_COLLISION   the device has a subdevice of that name
 *   STATUS_INSUFFICIENT_RESOURCES  MaxObjects are registered; out of pool
 */
NTSTATUS NTAPI PcRegisterSubdevice(PDEVICE_OBJECT DeviceObject, PWCHAR Name, PUNKNOWN Unknown);

/* --- Requests ------------------------------------------------------------------------ */

/* What the dispatch routines do. */
NTSTATUS NTAPI PcDispatchIrp(PDEVICE_OBJECT DeviceObject, PIRP Irp);

/* <= DISPATCH_LEVEL.  Completes; Status must not be STATUS_PENDING. Returns Status. */
NTSTATUS NTAPI PcCompleteIrp(PDEVICE_OBJECT DeviceObject, PIRP Irp, NTSTATUS Status);

/* To the next driver below, and back: the caller still has to complete it. */
NTSTATUS NTAPI PcForwardIrpSynchronous(PDEVICE_OBJECT DeviceObject, PIRP Irp);

/* <= DISPATCH_LEVEL.  Ends a property handler that returned STATUS_PENDING. */
NTSTATUS NTAPI PcCompletePendingPropertyRequest(PPCPROPERTY_REQUEST PropertyRequest, NTSTATUS NtStatus);

/* IoGetDeviceProperty of the device's PDO. */
NTSTATUS NTAPI PcGetDeviceProperty(PVOID DeviceObject, DEVICE_REGISTRY_PROPERTY DeviceProperty,
                                   ULONG BufferLength, PVOID PropertyBuffer, PULONG ResultLength);

/* Any IRQL.  Units of 100 ns that have passed since that value; since 0: a value to begin with. */
ULONGLONG NTAPI PcGetTimeInterval(ULONGLONG Since);

/*
 * The routine is called once a second, at DISPATCH_LEVEL.  Several can be
 * registered.  STATUS_INVALID_PARAMETER: a NULL; already registered with that
 * context (Register), or not (Unregister).
 */
NTSTATUS NTAPI PcRegisterIoTimeout(PDEVICE_OBJECT DeviceObject, PIO_TIMER_ROUTINE TimerRoutine, PVOID Context);
NTSTATUS NTAPI PcUnregisterIoTimeout(PDEVICE_OBJECT DeviceObject, PIO_TIMER_ROUTINE TimerRoutine,
                                     PVOID Context);

/* --- Power --------------------------------------------------------------------------- */

DEFINE_GUID(IID_IAdapterPowerManagement, 0x793417D0, 0x35FE, 0x11D1, 0xAD, 0x08, 0x00, 0xA0, 0xC9, 0x0A, 0xB1,
            0xB0);
DEFINE_GUID(IID_IPowerNotify, 0x3DD648B8, 0x969F, 0x11D1, 0x95, 0xA9, 0x00, 0xC0, 0x4F, 0xB9, 0x25, 0xD3);

typedef struct IAdapterPowerManagement IAdapterPowerManagement;
typedef IAdapterPowerManagement *PADAPTERPOWERMANAGEMENT;

typedef struct IAdapterPowerManagementVtbl {
    PORTCLS_UNKNOWN(IAdapterPowerManagement);
    VOID (NTAPI *PowerChangeState)(IAdapterPowerManagement *This, POWER_STATE NewState);
    NTSTATUS (NTAPI *QueryPowerChangeState)(IAdapterPowerManagement *This, POWER_STATE NewStateQuery);
    NTSTATUS (NTAPI *QueryDeviceCapabilities)(IAdapterPowerManagement *This, PDEVICE_CAPABILITIES PowerDeviceCaps);
} IAdapterPowerManagementVtbl;

struct IAdapterPowerManagement {
    const IAdapterPowerManagementVtbl *lpVtbl;
};

PORTCLS_UNKNOWN_SLOTS(IAdapterPowerManagement);
PORTCLS_SLOT(IAdapterPowerManagement, PowerChangeState, 0x18);
PORTCLS_SLOT(IAdapterPowerManagement, QueryPowerChangeState, 0x20);
PORTCLS_SLOT(IAdapterPowerManagement, QueryDeviceCapabilities, 0x28);

/* A miniport or stream that has it is told of each change of the device's power state. */
typedef struct IPowerNotify IPowerNotify;
typedef IPowerNotify *PPOWERNOTIFY;

typedef struct IPowerNotifyVtbl {
    PORTCLS_UNKNOWN(IPowerNotify);
    VOID (NTAPI *PowerChangeNotify)(IPowerNotify *This, POWER_STATE PowerState);
} IPowerNotifyVtbl;

struct IPowerNotify {
    const IPowerNotifyVtbl *lpVtbl;
};

PORTCLS_UNKNOWN_SLOTS(IPowerNotify);
PORTCLS_SLOT(IPowerNotify, PowerChangeNotify, 0x18);

/*
 * Before or in StartDevice.  Unknown must have IAdapterPowerManagement, of
 * which a reference is held until the device is removed; another call replaces it.
 */
NTSTATUS NTAPI PcRegisterAdapterPowerManagement(PUNKNOWN Unknown, PVOID DeviceObject);

/* Takes it back.  STATUS_UNSUCCESSFUL: there was none. */
NTSTATUS NTAPI PcUnregisterAdapterPowerManagement(PDEVICE_OBJECT DeviceObject);

/* Asks for a device power state by a power IRP of its own, and waits for it. */
NTSTATUS NTAPI PcRequestNewPowerState(PDEVICE_OBJECT DeviceObject, DEVICE_POWER_STATE RequestedNewState);

#endif /* PCMASTER_PORTCLS_ADAPTER_H */
