/*
 * The PCI bus driver: a PDO for each function, and the PnP requests that reach
 * the bottom of its stack.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcibus.h"

#include "acpi.h"
#include "halp.h"

static PDRIVER_OBJECT Driver;

static void Start(PDO_EXTENSION *Pdo)
{
    PciEnable(&Pdo->Function, TRUE);
    if (Pdo->Vector) {
        ULONGLONG address;
        ULONG data;

        HalpGetMessage(Pdo->Vector, &address, &data);
        PciSetMessage(&Pdo->Function, address, data);
    }
}

static void Stop(PDO_EXTENSION *Pdo)
{
    if (Pdo->Vector) {
        PciSetMessage(&Pdo->Function, 0, 0);
    }
    PciEnable(&Pdo->Function, FALSE);
}

/* A driver that has let go of its device has disconnected its interrupt. */
static void CheckDisconnected(const PDO_EXTENSION *Pdo, const char *Request)
{
    if (Pdo->Vector && KiIsVectorConnected(Pdo->Vector)) {
        DbgPrint("io: %s: the driver has left its interrupt connected\n",
                 Request);
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, 0, Pdo->Vector, 0, 0);
    }
}

void IopUnplugPdo(PDEVICE_OBJECT Pdo)
{
    Stop(IopPciExtension(Pdo));
    IopPciExtension(Pdo)->Unplugged = TRUE;
}

static BOOLEAN WasUnplugged;
static PCI_FUNCTION LastUnplugged;

/* IRP_MN_REMOVE_DEVICE, completed: what is no longer there has no PDO. */
static void ForgetUnplugged(PDEVICE_OBJECT Pdo)
{
    PDO_EXTENSION *extension = IopPciExtension(Pdo);

    if (extension->Vector) {
        KiFreeVector(extension->Vector);
    }
    LastUnplugged = extension->Function;
    WasUnplugged = TRUE;
    IoDeleteDevice(Pdo);
}

static void SetDevicePower(PDEVICE_OBJECT DeviceObject, POWER_STATE State)
{
    PDO_EXTENSION *pdo = IopPciExtension(DeviceObject);
    BOOLEAN on = State.DeviceState == PowerDeviceD0;
    POWER_STATE before = PoSetPowerState(DeviceObject, DevicePowerState, State);

    if (pdo->Unplugged || on == (before.DeviceState == PowerDeviceD0)) {
        return;
    }
    if (on) {
        PciSetPower(&pdo->Function, TRUE);
        PciRestoreMemory(&pdo->Function);
        Start(pdo);
    } else {
        Stop(pdo);
        PciSetPower(&pdo->Function, FALSE);
    }
}

static NTSTATUS NTAPI DispatchPower(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS status = Irp->IoStatus.Status;

    switch (stack->MinorFunction) {
    case IRP_MN_SET_POWER:
        if (stack->Parameters.Power.Type == DevicePowerState) {
            SetDevicePower(DeviceObject, stack->Parameters.Power.State);
        }
        status = STATUS_SUCCESS;
        break;
    case IRP_MN_QUERY_POWER:
        status = STATUS_SUCCESS;
        break;
    default:
        break;
    }
    PoStartNextPowerIrp(Irp);
    Irp->IoStatus.Status = status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return status;
}

static void EnsurePower(PDEVICE_OBJECT DeviceObject)
{
    SetDevicePower(DeviceObject, (POWER_STATE){ .DeviceState = PowerDeviceD0 });
}

/*
 * A function is in D0 while the system works, and in D3 in all other states:
 * those between are not used here. The caller has filled in what is unknown.
 */
static NTSTATUS TellCapabilities(const PCI_FUNCTION *Function,
                                 PDEVICE_CAPABILITIES Capabilities)
{
    if (Capabilities->Version != 1 ||
        Capabilities->Size < sizeof(DEVICE_CAPABILITIES)) {
        return STATUS_UNSUCCESSFUL;
    }
    Capabilities->DeviceD1 = Capabilities->DeviceD2 = 0;
    Capabilities->SurpriseRemovalOK = 0;
    Capabilities->UniqueID = 0;
    Capabilities->Address = (ULONG)Function->Device << 16 | Function->Function;
    Capabilities->DeviceState[PowerSystemUnspecified] = PowerDeviceUnspecified;
    Capabilities->DeviceState[PowerSystemWorking] = PowerDeviceD0;
    for (ULONG s = PowerSystemSleeping1; s < PowerSystemMaximum; s++) {
        Capabilities->DeviceState[s] = PowerDeviceD3;
    }
    Capabilities->SystemWake = PowerSystemUnspecified;
    Capabilities->DeviceWake = PowerDeviceUnspecified;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI DispatchPnp(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS status = Irp->IoStatus.Status;
    BOOLEAN forget = FALSE;

    switch (stack->MinorFunction) {
    case IRP_MN_START_DEVICE:
        if (IopPciExtension(DeviceObject)->Unplugged) {
            status = STATUS_NO_SUCH_DEVICE;
            break;
        }
        EnsurePower(DeviceObject);
        Start(IopPciExtension(DeviceObject));
        status = STATUS_SUCCESS;
        break;
    case IRP_MN_STOP_DEVICE:
    case IRP_MN_REMOVE_DEVICE:
        CheckDisconnected(IopPciExtension(DeviceObject),
                          stack->MinorFunction == IRP_MN_STOP_DEVICE
                              ? "IRP_MN_STOP_DEVICE" : "IRP_MN_REMOVE_DEVICE");
        Stop(IopPciExtension(DeviceObject));
        forget = stack->MinorFunction == IRP_MN_REMOVE_DEVICE &&
                 IopPciExtension(DeviceObject)->Unplugged;
        status = STATUS_SUCCESS;
        break;
    case IRP_MN_QUERY_CAPABILITIES:
        status = TellCapabilities(
            &IopPciExtension(DeviceObject)->Function,
            stack->Parameters.DeviceCapabilities.Capabilities);
        break;
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
    case IRP_MN_SURPRISE_REMOVAL:
        status = STATUS_SUCCESS;
        break;
    default:
        break;
    }
    Irp->IoStatus.Status = status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    if (forget) {
        ForgetUnplugged(DeviceObject);
    }
    return status;
}

static void MakePdo(const PCI_FUNCTION *Function)
{
    PDEVICE_OBJECT pdo;

    if (!NT_SUCCESS(IoCreateDevice(Driver, sizeof(PDO_EXTENSION), NULL,
                                   FILE_DEVICE_UNKNOWN, 0, FALSE, &pdo))) {
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, 0, 0, 0, 0);
    }
    IopPciExtension(pdo)->Function = *Function;
    IopPciExtension(pdo)->Node = MiRootBusNode(Function->RootBus);
    pdo->Flags &= ~DO_DEVICE_INITIALIZING;
}

PDEVICE_OBJECT IopPlugPdo(void)
{
    if (!WasUnplugged) {
        return NULL;
    }
    WasUnplugged = FALSE;
    PciRestoreMemory(&LastUnplugged);
    MakePdo(&LastUnplugged);
    return Driver->DeviceObject;
}

void IopEnumeratePci(void)
{
    Driver = IopCreateDriver();
    if (!Driver) {
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, 0, 0, 0, 0);
    }
    Driver->MajorFunction[IRP_MJ_PNP] = DispatchPnp;
    Driver->MajorFunction[IRP_MJ_POWER] = DispatchPower;
    PciEnumerate(MakePdo);
}

PDEVICE_OBJECT IopNextPdo(PDEVICE_OBJECT Previous)
{
    PDEVICE_OBJECT next;

    if (Previous && IopIsIsaPdo(Previous)) {
        return IopNextIsaPdo(Previous);
    }
    next = Previous ? Previous->NextDevice : Driver->DeviceObject;
    return next ? next : IopNextIsaPdo(NULL);
}

void IopPdoIds(PDEVICE_OBJECT Pdo, PCI_IDS *Ids)
{
    if (IopIsIsaPdo(Pdo)) {
        IopIsaIds(Pdo, Ids);
    } else {
        PciIds(&IopPciExtension(Pdo)->Function, Ids);
    }
}

NTSTATUS NTAPI IoGetDeviceNumaNode(PDEVICE_OBJECT Pdo, PUSHORT NodeNumber)
{
    if (Pdo->DriverObject != Driver) {
        return STATUS_INVALID_PARAMETER;
    }
    if (IopPciExtension(Pdo)->Node == MM_ANY_NODE_OK) {
        return STATUS_NOT_FOUND;
    }
    *NodeNumber = (USHORT)IopPciExtension(Pdo)->Node;
    return STATUS_SUCCESS;
}

/* All functions are in segment 0: the I/O ports reach no other. */
static ULONG WayTo(PDEVICE_OBJECT Pdo, struct acpi_hop Way[PCI_WAY_MAX])
{
    PCI_PLACE places[PCI_WAY_MAX];
    ULONG count;

    if (!Pdo || Pdo->DriverObject != Driver) {
        return 0;
    }
    count = PciWayTo(&IopPciExtension(Pdo)->Function, places);
    for (ULONG i = 0; i < count; i++) {
        Way[i].bus = places[i].Bus;
        Way[i].devfn = places[i].Devfn;
    }
    return count;
}

BOOLEAN IopFindRemapping(PDEVICE_OBJECT Pdo, IOP_REMAPPING *Remapping)
{
    struct acpi_hop way[PCI_WAY_MAX];
    ULONG count = WayTo(Pdo, way);

    if (!count) {
        return FALSE;
    }
    Remapping->Unit = acpi_dmar_unit(MiDmar(), 0, way, count);
    Remapping->RequesterId = IopPciExtension(Pdo)->Function.RequesterId;
    return Remapping->Unit != ACPI_NO_UNIT;
}

BOOLEAN IopIsReservedFor(PDEVICE_OBJECT Pdo, ULONG Range)
{
    struct acpi_hop way[PCI_WAY_MAX];
    ULONG count = WayTo(Pdo, way);

    return count && acpi_dmar_reserves(MiDmar(), Range, 0, way, count);
}

BOOLEAN IopPdoAddress(PDEVICE_OBJECT Pdo, ULONG *Bus, ULONG *Address)
{
    const PCI_FUNCTION *function;

    if (Pdo->DriverObject != Driver) {
        return FALSE;
    }
    function = &IopPciExtension(Pdo)->Function;
    *Bus = function->Bus;
    *Address = (ULONG)function->Device << 16 | function->Function;
    return TRUE;
}
