/*
 * Driver and device objects, and stacks of them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "iop.h"

typedef struct __attribute__((aligned(16))) _IOP_DEVICE {
    DEVICE_OBJECT Object;
    IOP_EXTENSION Extension;
} IOP_DEVICE;

IOP_EXTENSION *IopExtension(PDEVICE_OBJECT DeviceObject)
{
    return &((IOP_DEVICE *)DeviceObject)->Extension;
}

static PDEVICE_OBJECT *AttachedTo(PDEVICE_OBJECT DeviceObject)
{
    return &IopExtension(DeviceObject)->AttachedTo;
}

static NTSTATUS NTAPI InvalidRequest(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    Irp->IoStatus.Status = STATUS_INVALID_DEVICE_REQUEST;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_INVALID_DEVICE_REQUEST;
}

PDRIVER_OBJECT IopCreateDriver(void)
{
    PDRIVER_OBJECT driver = IopCreateObject(sizeof(*driver) +
                                            sizeof(DRIVER_EXTENSION),
                                            IopFreeObject);

    if (!driver) {
        return NULL;
    }
    driver->Type = IO_TYPE_DRIVER;
    driver->Size = sizeof(*driver);
    driver->DriverExtension = (PDRIVER_EXTENSION)(driver + 1);
    driver->DriverExtension->DriverObject = driver;
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++) {
        driver->MajorFunction[i] = InvalidRequest;
    }
    return driver;
}

NTSTATUS NTAPI IoCreateDevice(PDRIVER_OBJECT DriverObject,
                              ULONG DeviceExtensionSize,
                              PUNICODE_STRING DeviceName,
                              DEVICE_TYPE DeviceType,
                              ULONG DeviceCharacteristics, BOOLEAN Exclusive,
                              PDEVICE_OBJECT *DeviceObject)
{
    PDEVICE_OBJECT device = IopCreateObject(sizeof(IOP_DEVICE) +
                                            DeviceExtensionSize,
                                            IopFreeObject);

    if (!device) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (DeviceName) {
        NTSTATUS status = IopNameDevice(DeviceName, device);

        if (!NT_SUCCESS(status)) {
            IopFreeObject(device);
            return status;
        }
    }
    device->Type = IO_TYPE_DEVICE;
    device->Size = (USHORT)(sizeof(*device) + DeviceExtensionSize);
    device->DeviceObjectExtension =
        (struct _DEVOBJ_EXTENSION *)&((IOP_DEVICE *)device)->Extension;
    device->DriverObject = DriverObject;
    device->NextDevice = DriverObject->DeviceObject;
    device->DeviceExtension = DeviceExtensionSize ? (IOP_DEVICE *)device + 1
                                                  : NULL;
    device->DeviceType = DeviceType;
    device->Characteristics = DeviceCharacteristics;
    device->Flags = DO_DEVICE_INITIALIZING | (Exclusive ? DO_EXCLUSIVE : 0);
    device->StackSize = 1;
    IopExtension(device)->SystemPower.SystemState = PowerSystemWorking;
    IopExtension(device)->DevicePower.DeviceState = PowerDeviceD0;
    DriverObject->DeviceObject = device;
    *DeviceObject = device;
    return STATUS_SUCCESS;
}

VOID NTAPI IoDeleteDevice(PDEVICE_OBJECT DeviceObject)
{
    PDEVICE_OBJECT *link = &DeviceObject->DriverObject->DeviceObject;

    while (*link && *link != DeviceObject) {
        link = &(*link)->NextDevice;
    }
    if (*link) {
        *link = DeviceObject->NextDevice;
    }
    IopForgetDevice(DeviceObject);
    ObDereferenceObject(DeviceObject);
}

static PDEVICE_OBJECT Top(PDEVICE_OBJECT DeviceObject)
{
    while (DeviceObject->AttachedDevice) {
        DeviceObject = DeviceObject->AttachedDevice;
    }
    return DeviceObject;
}

PDEVICE_OBJECT NTAPI IoGetAttachedDeviceReference(PDEVICE_OBJECT DeviceObject)
{
    PDEVICE_OBJECT top = Top(DeviceObject);

    ObReferenceObject(top);
    return top;
}

PDEVICE_OBJECT NTAPI IoAttachDeviceToDeviceStack(PDEVICE_OBJECT SourceDevice,
                                                 PDEVICE_OBJECT TargetDevice)
{
    PDEVICE_OBJECT top = Top(TargetDevice);

    /* As long as something is attached to it, it is not deleted. */
    ObReferenceObject(top);
    top->AttachedDevice = SourceDevice;
    *AttachedTo(SourceDevice) = top;
    SourceDevice->StackSize = (CCHAR)(top->StackSize + 1);
    SourceDevice->AlignmentRequirement = top->AlignmentRequirement;
    return top;
}

VOID NTAPI IoDetachDevice(PDEVICE_OBJECT TargetDevice)
{
    *AttachedTo(TargetDevice->AttachedDevice) = NULL;
    TargetDevice->AttachedDevice = NULL;
    ObDereferenceObject(TargetDevice);
}

PDEVICE_OBJECT NTAPI IoGetDeviceAttachmentBaseRef(PDEVICE_OBJECT DeviceObject)
{
    while (*AttachedTo(DeviceObject)) {
        DeviceObject = *AttachedTo(DeviceObject);
    }
    ObReferenceObject(DeviceObject);
    return DeviceObject;
}
