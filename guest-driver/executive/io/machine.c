/*
 * \Device\Machine: what happens to a machine from outside.
 *
 * SPDX-License-Identifier: MIT
 */
#include "iop.h"

#include "pcmaster_machine.h"

/* The driver of the device that was last seen with one. */
static PDRIVER_OBJECT Service;

static PDEVICE_OBJECT FindStarted(void)
{
    PDEVICE_OBJECT pdo = NULL;

    do {
        pdo = IopNextMatch(pdo);
    } while (pdo && !IopExtension(pdo)->Service);
    return pdo;
}

static NTSTATUS Unplug(PDEVICE_OBJECT Pdo)
{
    if (IopIsIsaPdo(Pdo)) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    IopUnplugPdo(Pdo);
    IopSurpriseRemoval(Pdo);
    return STATUS_SUCCESS;
}

/* The function that was unplugged, or the one that was ejected. */
static NTSTATUS Plug(void)
{
    PDEVICE_OBJECT pdo = IopPlugPdo();

    if (!pdo) {
        pdo = IopNextMatch(NULL);
    }
    return pdo && Service ? IopStartDevice(Service, pdo)
                          : STATUS_NO_SUCH_DEVICE;
}

static NTSTATUS Act(enum pcm_machine_act Wanted)
{
    PDEVICE_OBJECT pdo = FindStarted();

    switch (Wanted) {
    case PCM_MACHINE_PLUG:
        return pdo ? STATUS_DEVICE_BUSY : Plug();
    case PCM_MACHINE_SLEEP:
        return IopSetSystemPower(PowerSystemSleeping3);
    case PCM_MACHINE_WAKE:
        return IopSetSystemPower(PowerSystemWorking);
    default:
        break;
    }
    if (!pdo) {
        return STATUS_NO_SUCH_DEVICE;
    }
    Service = IopExtension(pdo)->Service;
    switch (Wanted) {
    case PCM_MACHINE_LOOK:
        return STATUS_SUCCESS;
    case PCM_MACHINE_REBALANCE:
        return IopRebalanceDevice(pdo);
    case PCM_MACHINE_UNPLUG:
        return Unplug(pdo);
    case PCM_MACHINE_EJECT:
        return IopRemoveDevice(pdo);
    default:
        return STATUS_INVALID_DEVICE_REQUEST;
    }
}

static void Look(struct pcm_machine *Machine)
{
    PDEVICE_OBJECT pdo = FindStarted();

    if (pdo) {
        Machine->present = TRUE;
        Machine->object = (ULONG_PTR)pdo;
        Machine->memory = IopPdoMemory(pdo);
        Machine->vector = IopPdoVector(pdo);
        Machine->power = (uint32_t)IopExtension(pdo)->DevicePower.DeviceState;
    }
}

static NTSTATUS NTAPI Control(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG code = stack->Parameters.DeviceIoControl.IoControlCode;
    ULONG room = stack->Parameters.DeviceIoControl.OutputBufferLength;
    struct pcm_machine machine = { 0 };
    NTSTATUS status = STATUS_INVALID_DEVICE_REQUEST;

    UNREFERENCED_PARAMETER(DeviceObject);
    for (ULONG act = 0; act < PCM_MACHINE_ACTS; act++) {
        if (code == PCM_MACHINE_IOCTL(act) && room == sizeof(machine)) {
            machine.status = (uint32_t)Act((enum pcm_machine_act)act);
            Look(&machine);
            RtlCopyMemory(Irp->AssociatedIrp.SystemBuffer, &machine, room);
            Irp->IoStatus.Information = room;
            status = STATUS_SUCCESS;
        }
    }
    Irp->IoStatus.Status = status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return status;
}

static NTSTATUS NTAPI Open(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

void IopCreateMachine(void)
{
    UNICODE_STRING name = RTL_CONSTANT_STRING(L"\\Device\\Machine");
    PDRIVER_OBJECT driver = IopCreateDriver();
    PDEVICE_OBJECT device;

    if (!driver || !NT_SUCCESS(IoCreateDevice(driver, 0, &name,
                                              FILE_DEVICE_UNKNOWN, 0, FALSE,
                                              &device))) {
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, 0, 0, 0, 0);
    }
    driver->MajorFunction[IRP_MJ_CREATE] = Open;
    driver->MajorFunction[IRP_MJ_CLEANUP] = Open;
    driver->MajorFunction[IRP_MJ_CLOSE] = Open;
    driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = Control;
    device->Flags &= ~DO_DEVICE_INITIALIZING;
}
