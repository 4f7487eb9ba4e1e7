/* SPDX-License-Identifier: MIT */
/* sb16.sys: entry point, Plug and Play, its clients */
#include <initguid.h>

#include "sb16.h"

#define DEVICE_NAME                 L"\\Device\\sb16"
#define LINK_NAME                   L"\\DosDevices\\sb16"
#define RATE_LOWEST                 5000u
#define RATE_HIGHEST                44100u

static NTSTATUS complete(PIRP irp, NTSTATUS status, ULONG_PTR information)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

static NTSTATUS pass_down(struct card *card, PIRP irp)
{
    IoSkipCurrentIrpStackLocation(irp);
    return IoCallDriver(card->lower, irp);
}

/* Power and WMI: there is nothing of ours in them. */
static NTSTATUS NTAPI pass_on(PDEVICE_OBJECT self, PIRP irp)
{
    struct card *card = self->DeviceExtension;
    NTSTATUS status = IoAcquireRemoveLock(&card->remove_lock, irp);

    if (!NT_SUCCESS(status)) {
        return complete(irp, status, 0);
    }
    status = pass_down(card, irp);
    IoReleaseRemoveLock(&card->remove_lock, irp);
    return status;
}

static NTSTATUS NTAPI succeed(PDEVICE_OBJECT self, PIRP irp)
{
    UNREFERENCED_PARAMETER(self);
    return complete(irp, STATUS_SUCCESS, 0);
}

/* --- what clients ask for ---------------------------------------------------- */

static bool valid(const struct sb16_play *play, ULONG length)
{
    return length > sizeof(*play) && play->bytes == length - sizeof(*play) && play->method < SB16_METHODS &&
           (play->bits == 8 || play->bits == 16) && play->bytes % (play->bits / 8) == 0 &&
           play->rate >= RATE_LOWEST && play->rate <= RATE_HIGHEST;
}

static NTSTATUS play_by_method(struct card *card, const struct sb16_play *play, PUCHAR data,
                               struct sb16_played *played)
{
    played->channel = card->channel[play->bits == 16];
    switch (play->method) {
    case SB16_PACKETS:
        return play_packets(card, play, data, played);
    case SB16_COMMON:
        return play_common(card, play, data, played);
    default:
        return play_channel(card, play, data, played);
    }
}

/* One sound at a time. */
static NTSTATUS play(struct card *card, PIRP irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
    struct sb16_play *request = irp->AssociatedIrp.SystemBuffer;
    struct sb16_played played = { 0 };
    NTSTATUS status;

    if (stack->Parameters.DeviceIoControl.OutputBufferLength < sizeof(played) ||
        !valid(request, stack->Parameters.DeviceIoControl.InputBufferLength)) {
        return complete(irp, STATUS_INVALID_PARAMETER, 0);
    }
    if (!card->ports) {
        return complete(irp, STATUS_DEVICE_NOT_READY, 0);
    }
    KeWaitForSingleObject(&card->playing, Executive, KernelMode, FALSE, NULL);
    status = play_by_method(card, request, (PUCHAR)(request + 1), &played);
    card_drain();
    KeSetEvent(&card->playing, IO_NO_INCREMENT, FALSE);
    *(struct sb16_played *)request = played;
    return complete(irp, status, NT_SUCCESS(status) ? sizeof(played) : 0);
}

static NTSTATUS NTAPI dispatch_control(PDEVICE_OBJECT self, PIRP irp)
{
    struct card *card = self->DeviceExtension;
    NTSTATUS status = IoAcquireRemoveLock(&card->remove_lock, irp);

    if (!NT_SUCCESS(status)) {
        return complete(irp, status, 0);
    }
    if (IoGetCurrentIrpStackLocation(irp)->Parameters.DeviceIoControl.IoControlCode == SB16_IOCTL_PLAY) {
        status = play(card, irp);
    } else {
        status = complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    IoReleaseRemoveLock(&card->remove_lock, irp);
    return status;
}

/* --- Plug and Play ------------------------------------------------------------ */

static NTSTATUS NTAPI add_device(PDRIVER_OBJECT driver, PDEVICE_OBJECT physical)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(DEVICE_NAME), link = RTL_CONSTANT_STRING(LINK_NAME);
    PDEVICE_OBJECT self;
    struct card *card;
    NTSTATUS status = IoCreateDevice(driver, sizeof(*card), &name, FILE_DEVICE_UNKNOWN,
                                     FILE_DEVICE_SECURE_OPEN, FALSE, &self);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    card = self->DeviceExtension;
    RtlZeroMemory(card, sizeof(*card));
    card->self = self;
    card->physical = physical;
    IoInitializeRemoveLock(&card->remove_lock, SB16_TAG, 0, 0);
    KeInitializeEvent(&card->playing, SynchronizationEvent, TRUE);
    card_init(card);
    status = IoCreateSymbolicLink(&link, &name);
    card->lower = NT_SUCCESS(status) ? IoAttachDeviceToDeviceStack(self, physical) : NULL;
    if (!card->lower) {
        if (NT_SUCCESS(status)) {
            IoDeleteSymbolicLink(&link);
            status = STATUS_NO_SUCH_DEVICE;
        }
        IoDeleteDevice(self);
        return status;
    }
    self->Flags |= DO_POWER_PAGABLE;
    self->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI passed(PDEVICE_OBJECT self, PIRP irp, PVOID event)
{
    UNREFERENCED_PARAMETER(self);
    UNREFERENCED_PARAMETER(irp);
    KeSetEvent(event, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* The bus driver starts the device first. */
static NTSTATUS start(struct card *card, PIRP irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
    KEVENT done;
    NTSTATUS status;

    KeInitializeEvent(&done, NotificationEvent, FALSE);
    IoCopyCurrentIrpStackLocationToNext(irp);
    IoSetCompletionRoutine(irp, passed, &done, TRUE, TRUE, TRUE);
    if (IoCallDriver(card->lower, irp) == STATUS_PENDING) {
        KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    }
    status = irp->IoStatus.Status;
    if (NT_SUCCESS(status)) {
        status = card_start(card, stack->Parameters.StartDevice.AllocatedResourcesTranslated);
    }
    return complete(irp, status, 0);
}

static NTSTATUS remove(struct card *card, PIRP irp)
{
    UNICODE_STRING link = RTL_CONSTANT_STRING(LINK_NAME);
    PDEVICE_OBJECT self = card->self;
    NTSTATUS status;

    IoReleaseRemoveLockAndWait(&card->remove_lock, irp);
    card_stop(card);
    IoDeleteSymbolicLink(&link);
    irp->IoStatus.Status = STATUS_SUCCESS;
    status = pass_down(card, irp);
    IoDetachDevice(card->lower);
    IoDeleteDevice(self);
    return status;
}

static NTSTATUS NTAPI dispatch_pnp(PDEVICE_OBJECT self, PIRP irp)
{
    struct card *card = self->DeviceExtension;
    NTSTATUS status = IoAcquireRemoveLock(&card->remove_lock, irp);

    if (!NT_SUCCESS(status)) {
        return complete(irp, status, 0);
    }
    switch (IoGetCurrentIrpStackLocation(irp)->MinorFunction) {
    case IRP_MN_REMOVE_DEVICE:
        return remove(card, irp);
    case IRP_MN_START_DEVICE:
        status = start(card, irp);
        IoReleaseRemoveLock(&card->remove_lock, irp);
        return status;
    case IRP_MN_STOP_DEVICE:
    case IRP_MN_SURPRISE_REMOVAL:
        card_stop(card);
        irp->IoStatus.Status = STATUS_SUCCESS;
        break;
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
        irp->IoStatus.Status = STATUS_SUCCESS;
        break;
    default:
        break;                          /* the status stays as it came */
    }
    status = pass_down(card, irp);
    IoReleaseRemoveLock(&card->remove_lock, irp);
    return status;
}

static VOID NTAPI unload(PDRIVER_OBJECT driver)
{
    UNREFERENCED_PARAMETER(driver);
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path)
{
    UNREFERENCED_PARAMETER(registry_path);
    driver->DriverUnload = unload;
    driver->DriverExtension->AddDevice = add_device;
    driver->MajorFunction[IRP_MJ_CREATE] = succeed;
    driver->MajorFunction[IRP_MJ_CLEANUP] = succeed;
    driver->MajorFunction[IRP_MJ_CLOSE] = succeed;
    driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = dispatch_control;
    driver->MajorFunction[IRP_MJ_PNP] = dispatch_pnp;
    driver->MajorFunction[IRP_MJ_POWER] = pass_on;
    driver->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = pass_on;
    return STATUS_SUCCESS;
}
