/* SPDX-License-Identifier: MIT */
/* pcmaster.sys: Plug and Play */
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

static NTSTATUS names_create(PDRIVER_OBJECT driver, PDEVICE_OBJECT *self)
{
    WCHAR name[32];
    UNICODE_STRING device_name;
    struct device *device;
    NTSTATUS status;
    ULONG instance = instance_take();

    if (instance == INSTANCES) {
        return STATUS_OBJECT_NAME_COLLISION;
    }
    name_with_instance(name, L"\\Device\\pcmaster", instance);
    RtlInitUnicodeString(&device_name, name);
    status = IoCreateDevice(driver, sizeof(struct device), &device_name, FILE_DEVICE_SOUND,
                            FILE_DEVICE_SECURE_OPEN, FALSE, self);
    if (NT_SUCCESS(status)) {
        device = (*self)->DeviceExtension;
        RtlZeroMemory(device, sizeof(*device));
        name_with_instance(device->link_name, L"\\DosDevices\\pcmaster", instance);
        RtlInitUnicodeString(&device->link, device->link_name);
        status = IoCreateSymbolicLink(&device->link, &device_name);
        if (!NT_SUCCESS(status)) {
            IoDeleteDevice(*self);
        }
    }
    if (!NT_SUCCESS(status)) {
        InterlockedAnd(&instances, ~(1L << instance));
    }
    return status;
}

static void names_delete(struct device *device)
{
    ULONG instance = instance_of(device);

    IoDeleteSymbolicLink(&device->link);
    IoDeleteDevice(device->self);
    InterlockedAnd(&instances, ~(1L << instance));
}

NTSTATUS NTAPI pnp_add_device(PDRIVER_OBJECT driver, PDEVICE_OBJECT physical)
{
    PDEVICE_OBJECT self;
    struct device *device;
    NTSTATUS status = names_create(driver, &self);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    device = self->DeviceExtension;
    device->self = self;
    device->physical = physical;
    IoInitializeRemoveLock(&device->remove_lock, PCM_POOL_TAG, 0, 0);
    KeInitializeEvent(&device->lock, SynchronizationEvent, TRUE);
    KeInitializeEvent(&device->settled, NotificationEvent, TRUE);
    InitializeListHead(&device->files);
    interrupt_init(device);

    device->lower = IoAttachDeviceToDeviceStack(self, physical);
    if (!device->lower) {
        names_delete(device);
        return STATUS_NO_SUCH_DEVICE;
    }
    self->Flags |= DO_BUFFERED_IO | DO_POWER_PAGABLE;
    self->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static const CM_PARTIAL_RESOURCE_DESCRIPTOR *resource_find(const CM_RESOURCE_LIST *list, UCHAR type)
{
    const CM_PARTIAL_RESOURCE_LIST *partial;
    ULONG i;

    if (!list || !list->Count) {
        return NULL;
    }
    partial = &list->List[0].PartialResourceList;
    for (i = 0; i < partial->Count; i++) {
        if (partial->PartialDescriptors[i].Type == type) {
            return &partial->PartialDescriptors[i];
        }
    }
    return NULL;
}

static NTSTATUS registers_map(struct device *device, const CM_PARTIAL_RESOURCE_DESCRIPTOR *memory)
{
    if (!memory || memory->u.Memory.Length < PCM_BAR_SIZE) {
        DbgPrint("pcmaster: no memory resource of %u bytes\n", PCM_BAR_SIZE);
        return STATUS_DEVICE_CONFIGURATION_ERROR;
    }
    device->registers = MmMapIoSpace(memory->u.Memory.Start, PCM_BAR_SIZE, MmNonCached);
    if (!device->registers) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    device->register_bytes = PCM_BAR_SIZE;
    if (read32(device, PCM_ID) != PCM_ID_VALUE ||
        read32(device, PCM_VERSION) >> 16 != PCM_VERSION_VALUE >> 16) {
        DbgPrint("pcmaster: unknown device: id %08x, version %08x\n", read32(device, PCM_ID),
                 read32(device, PCM_VERSION));
        return STATUS_NO_SUCH_DEVICE;
    }
    return STATUS_SUCCESS;
}

static void registers_unmap(struct device *device)
{
    if (device->registers) {
        MmUnmapIoSpace((PVOID)device->registers, device->register_bytes);
        device->registers = NULL;
    }
}

void hardware_reset(struct device *device)
{
    write32(device, PCM_CTRL, PCM_CTRL_RESET);
    write32(device, PCM_POLICY, 0);     /* PCM_POLICY_ABORT, every rule */
    write32(device, PCM_INT_ENABLE, PCM_INT_VIOLATION | PCM_INT_EXERCISER | PCM_INT_STREAM(0));
}

void hardware_stopping(struct device *device)
{
    InterlockedExchange(&device->stopping, TRUE);
    KeSetEvent(&device->stream_event, IO_NO_INCREMENT, FALSE);
}

/*
 * Device locked.  Also after a start that failed half-way.  All DMA ends, and
 * what Plug and Play gave is given back; what clients have remains theirs.
 */
static void hardware_stop(struct device *device)
{
    if (NT_SUCCESS(device_status(device))) {
        write32(device, PCM_CTRL, PCM_CTRL_RESET);
    }
    device->started = FALSE;
    playback_release(device);
    interrupt_disconnect(device);
    registers_unmap(device);
}

/* Device locked.  RESOURCES: translated. */
static NTSTATUS hardware_start(struct device *device, const CM_RESOURCE_LIST *resources)
{
    NTSTATUS status = registers_map(device, resource_find(resources, CmResourceTypeMemory));

    if (NT_SUCCESS(status)) {
        write32(device, PCM_CTRL, PCM_CTRL_RESET);
        status = interrupt_connect(device, resource_find(resources, CmResourceTypeInterrupt));
    }
    if (!NT_SUCCESS(status)) {
        hardware_stop(device);
        return status;
    }
    hardware_reset(device);
    InterlockedExchange(&device->stopping, FALSE);
    device->started = TRUE;
    device->powered = TRUE;
    KeSetEvent(&device->settled, IO_NO_INCREMENT, FALSE);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI signal_completion(PDEVICE_OBJECT self, PIRP irp, PVOID event)
{
    PCM_UNUSED(self);
    PCM_UNUSED(irp);
    KeSetEvent(event, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

NTSTATUS forward_and_wait(struct device *device, PIRP irp)
{
    KEVENT done;
    NTSTATUS status;

    KeInitializeEvent(&done, NotificationEvent, FALSE);
    IoCopyCurrentIrpStackLocationToNext(irp);
    IoSetCompletionRoutine(irp, signal_completion, &done, TRUE, TRUE, TRUE);
    status = IoCallDriver(device->lower, irp);
    if (status == STATUS_PENDING) {
        KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
        status = irp->IoStatus.Status;
    }
    return status;
}

static NTSTATUS pnp_start(struct device *device, PIRP irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
    NTSTATUS status = forward_and_wait(device, irp);

    if (NT_SUCCESS(status)) {
        device_lock(device);
        status = hardware_start(device, stack->Parameters.StartDevice.AllocatedResourcesTranslated);
        device_unlock(device);
    }
    return complete(irp, status, 0);
}

/* Device not locked.  From here on commands wait for what comes of it. */
static void pnp_query_stop(struct device *device)
{
    device_lock(device);
    KeClearEvent(&device->settled);
    device_unlock(device);
}

static void pnp_stop(struct device *device)
{
    hardware_stopping(device);
    device_lock(device);
    hardware_stop(device);
    device_unlock(device);
}

/* The device has gone.  Commands fail from here on; what they made is freed. */
static void pnp_surprise(struct device *device)
{
    hardware_stopping(device);
    device_lock(device);
    device->removed = TRUE;
    hardware_stop(device);
    control_release_all(device);
    KeSetEvent(&device->settled, IO_NO_INCREMENT, FALSE);
    device_unlock(device);
}

/* The lock's count falls to that of this request before the device goes. */
static NTSTATUS pnp_remove(struct device *device, PIRP irp)
{
    NTSTATUS status;

    hardware_stopping(device);
    KeSetEvent(&device->settled, IO_NO_INCREMENT, FALSE);
    IoReleaseRemoveLockAndWait(&device->remove_lock, irp);
    device_lock(device);
    hardware_stop(device);
    control_release_all(device);
    device_unlock(device);
    irp->IoStatus.Status = STATUS_SUCCESS;
    IoSkipCurrentIrpStackLocation(irp);
    status = IoCallDriver(device->lower, irp);
    IoDetachDevice(device->lower);
    names_delete(device);
    return status;
}

NTSTATUS NTAPI pnp_dispatch(PDEVICE_OBJECT self, PIRP irp)
{
    struct device *device = self->DeviceExtension;
    UCHAR minor = IoGetCurrentIrpStackLocation(irp)->MinorFunction;
    NTSTATUS status = IoAcquireRemoveLock(&device->remove_lock, irp);

    if (!NT_SUCCESS(status)) {
        return complete(irp, status, 0);
    }
    switch (minor) {
    case IRP_MN_START_DEVICE:
        status = pnp_start(device, irp);
        IoReleaseRemoveLock(&device->remove_lock, irp);
        return status;
    case IRP_MN_REMOVE_DEVICE:
        return pnp_remove(device, irp);
    case IRP_MN_STOP_DEVICE:
        pnp_stop(device);
        irp->IoStatus.Status = STATUS_SUCCESS;
        break;
    case IRP_MN_SURPRISE_REMOVAL:
        pnp_surprise(device);
        irp->IoStatus.Status = STATUS_SUCCESS;
        break;
    case IRP_MN_QUERY_STOP_DEVICE:
        pnp_query_stop(device);
        irp->IoStatus.Status = STATUS_SUCCESS;
        break;
    case IRP_MN_CANCEL_STOP_DEVICE:
        KeSetEvent(&device->settled, IO_NO_INCREMENT, FALSE);
        irp->IoStatus.Status = STATUS_SUCCESS;
        break;
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
        irp->IoStatus.Status = STATUS_SUCCESS;
        break;
    default:
        break;                          /* the status stays as it came */
    }
    IoSkipCurrentIrpStackLocation(irp);
    status = IoCallDriver(device->lower, irp);
    IoReleaseRemoveLock(&device->remove_lock, irp);
    return status;
}
