/* SPDX-License-Identifier: MIT */
/* selftest.sys: device objects, their names, files on them, and references */
#include "selftest.h"

NTKERNELAPI PDEVICE_OBJECT NTAPI IoGetDeviceAttachmentBaseRef(PDEVICE_OBJECT DeviceObject);

static ULONG opened, cleaned, closed;
static NTSTATUS open_status;

static NTSTATUS NTAPI count_request(PDEVICE_OBJECT device, PIRP irp)
{
    NTSTATUS status = STATUS_SUCCESS;

    (void)device;
    switch (IoGetCurrentIrpStackLocation(irp)->MajorFunction) {
    case IRP_MJ_CREATE:
        opened++;
        status = open_status;
        break;
    case IRP_MJ_CLEANUP:
        cleaned++;
        break;
    default:
        closed++;
        break;
    }
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = 0;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

static NTSTATUS create(const WCHAR *name, PDEVICE_OBJECT *device)
{
    UNICODE_STRING string = text_of(name);

    opened = cleaned = closed = 0;
    open_status = STATUS_SUCCESS;
    selftest_driver->MajorFunction[IRP_MJ_CREATE] = count_request;
    selftest_driver->MajorFunction[IRP_MJ_CLEANUP] = count_request;
    selftest_driver->MajorFunction[IRP_MJ_CLOSE] = count_request;
    *device = NULL;
    return IoCreateDevice(selftest_driver, 64, name ? &string : NULL, FILE_DEVICE_SOUND,
                          FILE_DEVICE_SECURE_OPEN, FALSE, device);
}

static NTSTATUS link(const WCHAR *name, const WCHAR *target)
{
    UNICODE_STRING from = text_of(name), to = text_of(target);

    return IoCreateSymbolicLink(&from, &to);
}

static NTSTATUS unlink(const WCHAR *name)
{
    UNICODE_STRING string = text_of(name);

    return IoDeleteSymbolicLink(&string);
}

static NTSTATUS open(const WCHAR *name, PFILE_OBJECT *file, PDEVICE_OBJECT *device)
{
    UNICODE_STRING string = text_of(name);

    return IoGetDeviceObjectPointer(&string, FILE_READ_DATA, file, device);
}

static void fresh_device(void)
{
    const UCHAR zero[64] = { 0 };
    PDEVICE_OBJECT device;

    EXPECT_STATUS(create(NULL, &device), STATUS_SUCCESS);
    EXPECT(device->DriverObject == selftest_driver);
    EXPECT(selftest_driver->DeviceObject == device);
    EXPECT_EQUAL(device->DeviceType, FILE_DEVICE_SOUND);
    EXPECT_EQUAL(device->Characteristics, FILE_DEVICE_SECURE_OPEN);
    EXPECT_EQUAL(device->StackSize, 1);
    EXPECT(device->Flags & DO_DEVICE_INITIALIZING);
    EXPECT_EQUAL(RtlCompareMemory(device->DeviceExtension, zero, 64), 64);
    EXPECT_EQUAL((ULONG_PTR)device->DeviceExtension & 15, 0);
    IoDeleteDevice(device);
    EXPECT(selftest_driver->DeviceObject == NULL);
}

static void names_collide(void)
{
    PDEVICE_OBJECT one, other;

    EXPECT_STATUS(create(L"\\Device\\SelfTest", &one), STATUS_SUCCESS);
    EXPECT_STATUS(create(L"\\Device\\SelfTest", &other), STATUS_OBJECT_NAME_COLLISION);
    EXPECT_STATUS(create(L"\\DEVICE\\selftest", &other), STATUS_OBJECT_NAME_COLLISION);
    EXPECT_STATUS(link(L"\\Device\\SelfTest", L"\\Device\\Other"), STATUS_OBJECT_NAME_COLLISION);
    EXPECT_STATUS(create(L"\\Device\\SelfTest2", &other), STATUS_SUCCESS);
    IoDeleteDevice(other);
    IoDeleteDevice(one);
    /* The name is free again. */
    EXPECT_STATUS(create(L"\\Device\\SelfTest", &one), STATUS_SUCCESS);
    IoDeleteDevice(one);
}

static void links(void)
{
    PDEVICE_OBJECT device, found;
    PFILE_OBJECT file;

    EXPECT_STATUS(create(L"\\Device\\SelfTest", &device), STATUS_SUCCESS);
    EXPECT_STATUS(link(L"\\DosDevices\\SelfTest", L"\\Device\\SelfTest"), STATUS_SUCCESS);
    EXPECT_STATUS(link(L"\\DosDevices\\SelfTest", L"\\Device\\SelfTest"),
                  STATUS_OBJECT_NAME_COLLISION);
    EXPECT_STATUS(link(L"\\DosDevices\\Second", L"\\DosDevices\\SelfTest"), STATUS_SUCCESS);
    EXPECT_STATUS(open(L"\\dosdevices\\second", &file, &found), STATUS_SUCCESS);
    EXPECT(found == device);
    ObDereferenceObject(file);
    EXPECT_STATUS(unlink(L"\\DosDevices\\Second"), STATUS_SUCCESS);
    EXPECT_STATUS(unlink(L"\\DosDevices\\Second"), STATUS_OBJECT_NAME_NOT_FOUND);
    EXPECT_STATUS(unlink(L"\\Device\\SelfTest"), STATUS_OBJECT_NAME_NOT_FOUND);
    EXPECT_STATUS(unlink(L"\\DosDevices\\SelfTest"), STATUS_SUCCESS);
    EXPECT_STATUS(open(L"\\DosDevices\\SelfTest", &file, &found), STATUS_OBJECT_NAME_NOT_FOUND);
    IoDeleteDevice(device);
}

static void links_to_nowhere(void)
{
    PDEVICE_OBJECT found;
    PFILE_OBJECT file;

    EXPECT_STATUS(link(L"\\DosDevices\\One", L"\\DosDevices\\Other"), STATUS_SUCCESS);
    EXPECT_STATUS(open(L"\\DosDevices\\One", &file, &found), STATUS_OBJECT_NAME_NOT_FOUND);
    EXPECT_STATUS(link(L"\\DosDevices\\Other", L"\\DosDevices\\One"), STATUS_SUCCESS);
    EXPECT(!NT_SUCCESS(open(L"\\DosDevices\\One", &file, &found)));
    EXPECT_STATUS(unlink(L"\\DosDevices\\One"), STATUS_SUCCESS);
    EXPECT_STATUS(unlink(L"\\DosDevices\\Other"), STATUS_SUCCESS);
    EXPECT_STATUS(open(L"\\Device\\NoSuchDevice", &file, &found), STATUS_OBJECT_NAME_NOT_FOUND);
    EXPECT(!NT_SUCCESS(open(L"", &file, &found)));
}

/*
 * The handle behind IoGetDeviceObjectPointer is closed before it returns, which
 * cleans up; the last reference to the file closes it, once.
 */
static void files(void)
{
    PDEVICE_OBJECT device, found;
    PFILE_OBJECT file;

    EXPECT_STATUS(create(L"\\Device\\SelfTest", &device), STATUS_SUCCESS);
    EXPECT_STATUS(open(L"\\Device\\SelfTest", &file, &found), STATUS_SUCCESS);
    EXPECT(found == device && file->DeviceObject == device);
    EXPECT(opened == 1 && cleaned == 1 && closed == 0);
    ObReferenceObject(file);
    ObDereferenceObject(file);
    EXPECT(cleaned == 1 && closed == 0);
    ObDereferenceObject(file);
    EXPECT(opened == 1 && cleaned == 1 && closed == 1);
    open_status = STATUS_ACCESS_DENIED;
    EXPECT_STATUS(open(L"\\Device\\SelfTest", &file, &found), STATUS_ACCESS_DENIED);
    EXPECT(opened == 2 && cleaned == 1 && closed == 1);
    IoDeleteDevice(device);
}

static void stack(void)
{
    PDEVICE_OBJECT lower, upper, found;
    PFILE_OBJECT file;

    EXPECT_STATUS(create(L"\\Device\\SelfTest", &lower), STATUS_SUCCESS);
    EXPECT_STATUS(create(NULL, &upper), STATUS_SUCCESS);
    EXPECT(IoAttachDeviceToDeviceStack(upper, lower) == lower);
    EXPECT(lower->AttachedDevice == upper);
    EXPECT_EQUAL(upper->StackSize, 2);
    found = IoGetAttachedDeviceReference(lower);
    EXPECT(found == upper);
    ObDereferenceObject(found);
    found = IoGetDeviceAttachmentBaseRef(upper);
    EXPECT(found == lower);
    ObDereferenceObject(found);
    /* Whoever opens the lower one talks to the top. */
    EXPECT_STATUS(open(L"\\Device\\SelfTest", &file, &found), STATUS_SUCCESS);
    EXPECT(found == upper);
    ObDereferenceObject(file);
    IoDetachDevice(lower);
    found = IoGetAttachedDeviceReference(lower);
    EXPECT(found == lower);
    ObDereferenceObject(found);
    IoDeleteDevice(upper);
    IoDeleteDevice(lower);
}

static void references(void)
{
    PDEVICE_OBJECT device;

    EXPECT_STATUS(create(NULL, &device), STATUS_SUCCESS);
    ObReferenceObject(device);
    IoDeleteDevice(device);
    EXPECT_EQUAL(device->DeviceType, FILE_DEVICE_SOUND);
    ObDereferenceObject(device);
}

static void nodes(void)
{
    PDEVICE_OBJECT pdo = device_pdo(), device;
    USHORT node = 0xffff;
    NTSTATUS status;

    if (pdo) {
        status = IoGetDeviceNumaNode(pdo, &node);
        EXPECT(NT_SUCCESS(status) ? node <= KeQueryHighestNodeNumber()
                                  : status == STATUS_NOT_FOUND);
        ObDereferenceObject(pdo);
    }
    EXPECT_STATUS(create(NULL, &device), STATUS_SUCCESS);
    EXPECT(!NT_SUCCESS(IoGetDeviceNumaNode(device, &node)));
    IoDeleteDevice(device);
}

const struct check object_checks[] = {
    { "device/fresh", fresh_device },
    { "device/names-collide", names_collide },
    { "device/links", links },
    { "device/links-to-nowhere", links_to_nowhere },
    { "device/files", files },
    { "device/stack", stack },
    { "device/references", references },
    { "device/node", nodes },
    { NULL, NULL },
};
