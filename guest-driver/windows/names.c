/* SPDX-License-Identifier: MIT */
/* pcmaster.sys: the control device, which takes clients' commands, and its name */
#include "pcmaster.h"

#define INSTANCES                   9

/* Bit n set: the name of instance n is taken. */
static volatile LONG instances;

/* \Device\pcmaster for the first device of the machine, then pcmaster1... */
static ULONG instance_take(void)
{
    ULONG i;

    for (i = 0; i < INSTANCES; i++) {
        if (!(InterlockedOr(&instances, 1L << i) & (1L << i))) {
            break;
        }
    }
    return i;
}

static void name_with_instance(PWCHAR name, const WCHAR *base, ULONG instance)
{
    ULONG length = 0;

    for (; base[length]; length++) {
        name[length] = base[length];
    }
    if (instance) {
        name[length++] = (WCHAR)(L'0' + instance);
    }
    name[length] = 0;
}

static ULONG instance_of(const struct device *device)
{
    WCHAR last = device->link.Buffer[device->link.Length / sizeof(WCHAR) - 1];

    return last >= L'1' && last <= L'9' ? (ULONG)(last - L'0') : 0;
}

/* PortCls' objects have no name and a longer extension. */
BOOLEAN control_is(PDEVICE_OBJECT object)
{
    return object->DeviceType == FILE_DEVICE_UNKNOWN;
}

static void device_init(struct device *device, PDEVICE_OBJECT object, PDEVICE_OBJECT physical)
{
    device->control = object;
    device->physical = physical;
    IoInitializeRemoveLock(&device->remove_lock, PCM_POOL_TAG, 0, 0);
    KeInitializeEvent(&device->lock, SynchronizationEvent, TRUE);
    KeInitializeEvent(&device->settled, NotificationEvent, TRUE);
    InitializeListHead(&device->files);
    interrupt_init(device);
}

static NTSTATUS object_create(PDRIVER_OBJECT driver, ULONG instance, PDEVICE_OBJECT *object)
{
    WCHAR name[32];
    UNICODE_STRING device_name;
    struct device *device;
    NTSTATUS status;

    name_with_instance(name, L"\\Device\\pcmaster", instance);
    RtlInitUnicodeString(&device_name, name);
    status = IoCreateDevice(driver, sizeof(struct device), &device_name, FILE_DEVICE_UNKNOWN,
                            FILE_DEVICE_SECURE_OPEN, FALSE, object);
    if (NT_SUCCESS(status)) {
        device = (*object)->DeviceExtension;
        RtlZeroMemory(device, sizeof(*device));
        name_with_instance(device->link_name, L"\\DosDevices\\pcmaster", instance);
        RtlInitUnicodeString(&device->link, device->link_name);
        status = IoCreateSymbolicLink(&device->link, &device_name);
        if (!NT_SUCCESS(status)) {
            IoDeleteDevice(*object);
        }
    }
    return status;
}

NTSTATUS control_create_device(PDRIVER_OBJECT driver, PDEVICE_OBJECT physical, struct device **device)
{
    ULONG instance = instance_take();
    PDEVICE_OBJECT object;
    NTSTATUS status;

    if (instance == INSTANCES) {
        return STATUS_OBJECT_NAME_COLLISION;
    }
    status = object_create(driver, instance, &object);
    if (!NT_SUCCESS(status)) {
        InterlockedAnd(&instances, ~(1L << instance));
        return status;
    }
    *device = object->DeviceExtension;
    device_init(*device, object, physical);
    object->Flags |= DO_BUFFERED_IO;
    object->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

void control_delete_device(struct device *device)
{
    ULONG instance = instance_of(device);

    IoDeleteSymbolicLink(&device->link);
    IoDeleteDevice(device->control);
    InterlockedAnd(&instances, ~(1L << instance));
}
