/*
 * IoGetDeviceProperty: what the buses know of a device.
 *
 * SPDX-License-Identifier: MIT
 */
#include "iop.h"

NTSTATUS NTAPI IoGetDeviceProperty(PDEVICE_OBJECT DeviceObject,
                                   DEVICE_REGISTRY_PROPERTY DeviceProperty,
                                   ULONG BufferLength, PVOID PropertyBuffer,
                                   PULONG ResultLength)
{
    ULONG bus, address, value;

    bool isa = IopIsIsaPdo(DeviceObject);

    if (!isa && !IopPdoAddress(DeviceObject, &bus, &address)) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (isa) {
        bus = address = 0;
    }
    switch (DeviceProperty) {
    case DevicePropertyLegacyBusType:
        value = isa ? Isa : PCIBus;
        break;
    case DevicePropertyBusNumber:
        value = bus;
        break;
    case DevicePropertyAddress:
        value = address;
        break;
    default:
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    *ResultLength = sizeof(value);
    if (BufferLength < sizeof(value)) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    RtlCopyMemory(PropertyBuffer, &value, sizeof(value));
    return STATUS_SUCCESS;
}
