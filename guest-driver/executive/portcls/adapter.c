/*
 * Adapter drivers: their device objects, and the subdevices of these.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcp.h"

typedef struct _SUBDEVICE {
    LIST_ENTRY Link;
    PC_PORT *Port;              /* counted */
    UNICODE_STRING Name;
    ULONG LinkCount;
    UNICODE_STRING *Links;      /* of its interfaces */
} SUBDEVICE;

void PcpLock(PC_DEVICE *Device)
{
    KeEnterCriticalRegion();
    KeWaitForSingleObject(&Device->Lock, Executive, KernelMode, FALSE, NULL);
}

void PcpUnlock(PC_DEVICE *Device)
{
    KeSetEvent(&Device->Lock, IO_NO_INCREMENT, FALSE);
    KeLeaveCriticalRegion();
}

static VOID NTAPI Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
}

NTSTATUS NTAPI PcInitializeAdapterDriver(PDRIVER_OBJECT DriverObject,
                                         PUNICODE_STRING RegistryPathName,
                                         PDRIVER_ADD_DEVICE AddDevice)
{
    static const UCHAR functions[] = {
        IRP_MJ_CREATE, IRP_MJ_CLOSE, IRP_MJ_READ, IRP_MJ_WRITE,
        IRP_MJ_FLUSH_BUFFERS, IRP_MJ_DEVICE_CONTROL, IRP_MJ_CLEANUP,
        IRP_MJ_QUERY_SECURITY, IRP_MJ_SET_SECURITY, IRP_MJ_POWER,
        IRP_MJ_SYSTEM_CONTROL, IRP_MJ_PNP,
    };

    PCP_PASSIVE("PcInitializeAdapterDriver");
    if (!DriverObject || !RegistryPathName || !AddDevice) {
        return STATUS_INVALID_PARAMETER;
    }
    DriverObject->DriverExtension->AddDevice = AddDevice;
    if (!DriverObject->DriverUnload) {
        DriverObject->DriverUnload = Unload;
    }
    for (ULONG i = 0; i < RTL_NUMBER_OF(functions); i++) {
        DriverObject->MajorFunction[functions[i]] = PcDispatchIrp;
    }
    return STATUS_SUCCESS;
}

static void InitializeDevice(PDEVICE_OBJECT Self, PDEVICE_OBJECT Physical,
                             PCPFNSTARTDEVICE StartDevice, ULONG MaxObjects)
{
    PC_DEVICE *device = PcpDevice(Self);

    device->Self = Self;
    device->Physical = Physical;
    device->StartDevice = StartDevice;
    device->MaxObjects = MaxObjects;
    device->PowerState = PowerDeviceD0;
    IoInitializeRemoveLock(&device->RemoveLock, PCP_TAG, 0, 0);
    KeInitializeEvent(&device->Lock, SynchronizationEvent, TRUE);
    InitializeListHead(&device->Ports);
    InitializeListHead(&device->Subdevices);
    InitializeListHead(&device->Connections);
    PcpInitializeTimeouts(device);
}

NTSTATUS NTAPI PcAddAdapterDevice(PDRIVER_OBJECT DriverObject,
                                  PDEVICE_OBJECT PhysicalDeviceObject,
                                  PCPFNSTARTDEVICE StartDevice,
                                  ULONG MaxObjects, ULONG DeviceExtensionSize)
{
    PDEVICE_OBJECT self;
    NTSTATUS status;

    PCP_PASSIVE("PcAddAdapterDevice");
    if (!DeviceExtensionSize) {
        DeviceExtensionSize = PORT_CLASS_DEVICE_EXTENSION_SIZE;
    }
    if (!DriverObject || !PhysicalDeviceObject || !StartDevice || !MaxObjects ||
        DeviceExtensionSize < PORT_CLASS_DEVICE_EXTENSION_SIZE) {
        return STATUS_INVALID_PARAMETER;
    }
    status = IoCreateDevice(DriverObject, DeviceExtensionSize, NULL,
                            FILE_DEVICE_KS, FILE_DEVICE_SECURE_OPEN, FALSE,
                            &self);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    RtlZeroMemory(self->DeviceExtension, DeviceExtensionSize);
    InitializeDevice(self, PhysicalDeviceObject, StartDevice, MaxObjects);
    PcpDevice(self)->Lower = IoAttachDeviceToDeviceStack(self,
                                                         PhysicalDeviceObject);
    if (!PcpDevice(self)->Lower) {
        IoDeleteDevice(self);
        return STATUS_NO_SUCH_DEVICE;
    }
    self->Flags |= DO_POWER_PAGABLE;
    self->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static SUBDEVICE *FindSubdevice(PC_DEVICE *Device, PCUNICODE_STRING Name)
{
    for (PLIST_ENTRY link = Device->Subdevices.Flink;
         link != &Device->Subdevices; link = link->Flink) {
        SUBDEVICE *subdevice = CONTAINING_RECORD(link, SUBDEVICE, Link);

        if (RtlEqualUnicodeString(&subdevice->Name, Name, TRUE)) {
            return subdevice;
        }
    }
    return NULL;
}

PC_PORT *PcpFindSubdevice(PC_DEVICE *Device, PCUNICODE_STRING Name)
{
    SUBDEVICE *subdevice = FindSubdevice(Device, Name);

    if (!subdevice) {
        return NULL;
    }
    PcpAddRef(&subdevice->Port->Object.Inner);
    return subdevice->Port;
}

const UNICODE_STRING *PcpLinkOf(PC_DEVICE *Device, const PC_PORT *Port)
{
    for (PLIST_ENTRY link = Device->Subdevices.Flink;
         link != &Device->Subdevices; link = link->Flink) {
        SUBDEVICE *subdevice = CONTAINING_RECORD(link, SUBDEVICE, Link);

        if (subdevice->Port == Port) {
            return subdevice->LinkCount ? subdevice->Links : NULL;
        }
    }
    return NULL;
}

static void FreeSubdevice(SUBDEVICE *Subdevice)
{
    for (ULONG i = 0; i < Subdevice->LinkCount; i++) {
        IoSetDeviceInterfaceState(&Subdevice->Links[i], FALSE);
        RtlFreeUnicodeString(&Subdevice->Links[i]);
    }
    if (Subdevice->Links) {
        ExFreePoolWithTag(Subdevice->Links, PCP_TAG);
    }
    PcpRelease(&Subdevice->Port->Object.Inner);
    ExFreePoolWithTag(Subdevice, PCP_TAG);
}

/* An interface for each of the filter's categories. */
static NTSTATUS RegisterLinks(PC_DEVICE *Device, SUBDEVICE *Subdevice)
{
    const PCFILTER_DESCRIPTOR *filter = Subdevice->Port->Description;
    NTSTATUS status = STATUS_SUCCESS;

    if (!filter->CategoryCount) {
        return STATUS_SUCCESS;
    }
    Subdevice->Links = ExAllocatePoolWithTag(
        PagedPool, filter->CategoryCount * sizeof(UNICODE_STRING), PCP_TAG);
    if (!Subdevice->Links) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    for (ULONG i = 0; i < filter->CategoryCount && NT_SUCCESS(status); i++) {
        PUNICODE_STRING link = &Subdevice->Links[i];

        status = IoRegisterDeviceInterface(Device->Physical,
                                           &filter->Categories[i],
                                           &Subdevice->Name, link);
        if (!NT_SUCCESS(status)) {
            break;
        }
        Subdevice->LinkCount++;
        status = IoSetDeviceInterfaceState(link, TRUE);
    }
    return status;
}

static SUBDEVICE *NewSubdevice(PC_PORT *Port, PCUNICODE_STRING Name)
{
    SUBDEVICE *subdevice = ExAllocatePoolWithTag(
        PagedPool, sizeof(*subdevice) + Name->Length, PCP_TAG);

    if (subdevice) {
        RtlZeroMemory(subdevice, sizeof(*subdevice));
        subdevice->Name.Buffer = (PWCH)(subdevice + 1);
        subdevice->Name.MaximumLength = Name->Length;
        RtlCopyUnicodeString(&subdevice->Name, Name);
        subdevice->Port = Port;
        PcpAddRef(&Port->Object.Inner);
    }
    return subdevice;
}

static NTSTATUS AddSubdevice(PC_DEVICE *Device, PC_PORT *Port,
                             PCUNICODE_STRING Name)
{
    SUBDEVICE *subdevice;
    NTSTATUS status;
    ULONG count = 0;

    if (Port->Device != Device || !Port->Miniport || !Name->Length) {
        return STATUS_INVALID_PARAMETER;
    }
    if (FindSubdevice(Device, Name)) {
        return STATUS_OBJECT_NAME_COLLISION;
    }
    for (PLIST_ENTRY link = Device->Subdevices.Flink;
         link != &Device->Subdevices; link = link->Flink) {
        count++;
    }
    subdevice = count < Device->MaxObjects ? NewSubdevice(Port, Name) : NULL;
    if (!subdevice) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = RegisterLinks(Device, subdevice);
    if (!NT_SUCCESS(status)) {
        FreeSubdevice(subdevice);
        return status;
    }
    InsertTailList(&Device->Subdevices, &subdevice->Link);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI PcRegisterSubdevice(PDEVICE_OBJECT DeviceObject, PWCHAR Name,
                                   PUNKNOWN Unknown)
{
    UNICODE_STRING name;
    PC_PORT *port;
    NTSTATUS status;

    PCP_PASSIVE("PcRegisterSubdevice");
    if (!DeviceObject || !Name || !Unknown ||
        !NT_SUCCESS(Unknown->lpVtbl->QueryInterface(Unknown, &PcpIidPort,
                                                    (PVOID *)&port))) {
        return STATUS_INVALID_PARAMETER;
    }
    RtlInitUnicodeString(&name, Name);
    PcpLock(PcpDevice(DeviceObject));
    status = AddSubdevice(PcpDevice(DeviceObject), port, &name);
    PcpUnlock(PcpDevice(DeviceObject));
    PcpRelease(&port->Object.Inner);
    return status;
}

void PcpStopSubdevices(PC_DEVICE *Device)
{
    PcpLock(Device);
    PcpForgetConnections(Device);
    while (!IsListEmpty(&Device->Subdevices)) {
        PLIST_ENTRY link = RemoveHeadList(&Device->Subdevices);
        SUBDEVICE *subdevice = CONTAINING_RECORD(link, SUBDEVICE, Link);

        PcpStopPort(subdevice->Port);
        FreeSubdevice(subdevice);
    }
    /* Those that were initialised, and never registered. */
    while (!IsListEmpty(&Device->Ports)) {
        PcpStopPort(CONTAINING_RECORD(Device->Ports.Flink, PC_PORT, Link));
    }
    PcpUnlock(Device);
}
