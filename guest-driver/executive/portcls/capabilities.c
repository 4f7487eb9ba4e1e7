/*
 * The device's capabilities: which power states go with the system's.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcp.h"

NTSTATUS PcpQueryCapabilities(PC_DEVICE *Device, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    PDEVICE_CAPABILITIES capabilities =
        stack->Parameters.DeviceCapabilities.Capabilities;
    NTSTATUS status = PcForwardIrpSynchronous(Device->Self, Irp);

    /* The driver may change what the drivers below say. */
    if (NT_SUCCESS(status) && Device->Power) {
        status = Device->Power->lpVtbl->QueryDeviceCapabilities(Device->Power,
                                                                capabilities);
    }
    return status;
}

static NTSTATUS NTAPI Done(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Event)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent(Event, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* Drivers above have a word, too: the request begins at the top of the stack. */
static NTSTATUS Ask(PDEVICE_OBJECT Top, PDEVICE_CAPABILITIES Capabilities)
{
    PIRP irp = IoAllocateIrp(Top->StackSize, FALSE);
    PIO_STACK_LOCATION stack;
    NTSTATUS status;
    KEVENT done;

    if (!irp) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    stack = IoGetNextIrpStackLocation(irp);
    stack->MajorFunction = IRP_MJ_PNP;
    stack->MinorFunction = IRP_MN_QUERY_CAPABILITIES;
    stack->Parameters.DeviceCapabilities.Capabilities = Capabilities;
    IoSetCompletionRoutine(irp, Done, &done, TRUE, TRUE, TRUE);
    IoCallDriver(Top, irp);
    KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    status = irp->IoStatus.Status;
    IoFreeIrp(irp);
    return status;
}

/* Where nobody says: on while the system works, and off else. */
void PcpLearnDeviceStates(PC_DEVICE *Device)
{
    DEVICE_CAPABILITIES capabilities = {
        .Size = sizeof(capabilities), .Version = 1,
        .Address = (ULONG)-1, .UINumber = (ULONG)-1,
    };
    PDEVICE_OBJECT top = IoGetAttachedDeviceReference(Device->Self);
    NTSTATUS status = Ask(top, &capabilities);

    ObDereferenceObject(top);
    for (ULONG s = PowerSystemWorking; s < PowerSystemMaximum; s++) {
        Device->DeviceStates[s] = s == PowerSystemWorking ? PowerDeviceD0
                                                          : PowerDeviceD3;
        if (NT_SUCCESS(status) && s != PowerSystemWorking &&
            capabilities.DeviceState[s] != PowerDeviceUnspecified) {
            Device->DeviceStates[s] = capabilities.DeviceState[s];
        }
    }
}
