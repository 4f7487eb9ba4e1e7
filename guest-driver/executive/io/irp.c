/*
 * I/O request packets.
 *
 * SPDX-License-Identifier: MIT
 */
#include "iop.h"

PIRP NTAPI IoAllocateIrp(CCHAR StackSize, BOOLEAN ChargeQuota)
{
    USHORT size = IoSizeOfIrp(StackSize);
    PIRP irp = ExAllocatePoolWithTag(NonPagedPool, size, ' prI');

    UNREFERENCED_PARAMETER(ChargeQuota);
    if (irp) {
        IoInitializeIrp(irp, size, StackSize);
    }
    return irp;
}

VOID NTAPI IoInitializeIrp(PIRP Irp, USHORT PacketSize, CCHAR StackSize)
{
    RtlZeroMemory(Irp, PacketSize);
    Irp->Type = IO_TYPE_IRP;
    Irp->Size = PacketSize;
    Irp->StackCount = StackSize;
    Irp->CurrentLocation = (CCHAR)(StackSize + 1);
    InitializeListHead(&Irp->ThreadListEntry);
    Irp->Tail.Overlay.CurrentStackLocation =
        (PIO_STACK_LOCATION)(Irp + 1) + StackSize;
}

VOID NTAPI IoFreeIrp(PIRP Irp)
{
    Irp->Type = 0;
    ExFreePoolWithTag(Irp, ' prI');
}

NTSTATUS FASTCALL IofCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION stack;

    if (--Irp->CurrentLocation <= 0) {
        KeBugCheckEx(NO_MORE_IRP_STACK_LOCATIONS, (ULONG_PTR)Irp, 0, 0, 0);
    }
    stack = --Irp->Tail.Overlay.CurrentStackLocation;
    stack->DeviceObject = DeviceObject;
    return DeviceObject->DriverObject->MajorFunction[stack->MajorFunction](
        DeviceObject, Irp);
}

static bool Wanted(const IO_STACK_LOCATION *Stack, const IRP *Irp)
{
    UCHAR mask = Irp->Cancel ? SL_INVOKE_ON_CANCEL : 0;

    mask |= NT_SUCCESS(Irp->IoStatus.Status) ? SL_INVOKE_ON_SUCCESS
                                             : SL_INVOKE_ON_ERROR;
    return Stack->CompletionRoutine && (Stack->Control & mask);
}

/*
 * The result of a buffered request. The output length is that of the stack
 * location which the request was built with, the highest.
 */
static void CopyResult(PIRP Irp)
{
    PIO_STACK_LOCATION stack = (PIO_STACK_LOCATION)(Irp + 1) +
                               Irp->StackCount - 1;
    ULONG room = stack->Parameters.DeviceIoControl.OutputBufferLength;

    if (Irp->IoStatus.Information > room) {
        DbgPrint("io: a driver returned %llu bytes into a buffer of %u\n",
                 (ULONGLONG)Irp->IoStatus.Information, room);
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, 0, (ULONG_PTR)Irp,
                     Irp->IoStatus.Information, room);
    }
    RtlCopyMemory(Irp->UserBuffer, Irp->AssociatedIrp.SystemBuffer,
                  Irp->IoStatus.Information);
}

/* Copies the result out, signals the event, frees. */
static void Finish(PIRP Irp)
{
    PKEVENT event = Irp->UserEvent;

    if (Irp->Flags & IRP_INPUT_OPERATION && !NT_ERROR(Irp->IoStatus.Status)) {
        CopyResult(Irp);
    }
    if (Irp->Flags & IRP_DEALLOCATE_BUFFER) {
        ExFreePoolWithTag(Irp->AssociatedIrp.SystemBuffer, IOP_TAG);
    }
    if (Irp->UserIosb) {
        *Irp->UserIosb = Irp->IoStatus;
    }
    IoFreeIrp(Irp);
    if (event) {
        KeSetEvent(event, IO_NO_INCREMENT, FALSE);
    }
}

/*
 * Up the stack: each routine belongs to the driver above the location that
 * holds it, and gets that driver's device object.
 */
VOID FASTCALL IofCompleteRequest(PIRP Irp, CCHAR PriorityBoost)
{
    UNREFERENCED_PARAMETER(PriorityBoost);
    if (Irp->Type != IO_TYPE_IRP ||
        Irp->CurrentLocation > Irp->StackCount + 1) {
        KeBugCheckEx(MULTIPLE_IRP_COMPLETE_REQUESTS, (ULONG_PTR)Irp, 0, 0, 0);
    }
    while (Irp->CurrentLocation <= Irp->StackCount) {
        PIO_STACK_LOCATION stack = Irp->Tail.Overlay.CurrentStackLocation;
        PDEVICE_OBJECT device;

        Irp->PendingReturned = (stack->Control & SL_PENDING_RETURNED) != 0;
        Irp->CurrentLocation++;
        Irp->Tail.Overlay.CurrentStackLocation++;
        device = Irp->CurrentLocation <= Irp->StackCount
                     ? stack[1].DeviceObject : NULL;
        if (Wanted(stack, Irp)) {
            if (stack->CompletionRoutine(device, Irp, stack->Context) ==
                STATUS_MORE_PROCESSING_REQUIRED) {
                return;
            }
        } else if (Irp->PendingReturned && device) {
            IoMarkIrpPending(Irp);
        }
    }
    Irp->CurrentLocation++;
    Finish(Irp);
}

NTSTATUS IopCallAndWait(PDEVICE_OBJECT Device, PIRP Irp)
{
    IO_STATUS_BLOCK result;
    KEVENT event;
    NTSTATUS status;

    KeInitializeEvent(&event, NotificationEvent, FALSE);
    Irp->UserEvent = &event;
    Irp->UserIosb = &result;
    status = IoCallDriver(Device, Irp);
    if (status == STATUS_PENDING) {
        KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
        status = result.Status;
    }
    return status;
}

/*
 * METHOD_BUFFERED and METHOD_NEITHER only; NULL for the direct methods, for which
 * no caller has asked.
 */
PIRP NTAPI IoBuildDeviceIoControlRequest(
    ULONG IoControlCode, PDEVICE_OBJECT DeviceObject, PVOID InputBuffer,
    ULONG InputBufferLength, PVOID OutputBuffer, ULONG OutputBufferLength,
    BOOLEAN InternalDeviceIoControl, PKEVENT Event,
    PIO_STATUS_BLOCK IoStatusBlock)
{
    ULONG length = InputBufferLength > OutputBufferLength ? InputBufferLength
                                                          : OutputBufferLength;
    PIO_STACK_LOCATION stack;
    PIRP irp;

    bool neither = METHOD_FROM_CTL_CODE(IoControlCode) == METHOD_NEITHER;

    if (!neither && METHOD_FROM_CTL_CODE(IoControlCode) != METHOD_BUFFERED) {
        DbgPrint("io: control code 0x%x is of a direct method\n",
                 IoControlCode);
        return NULL;
    }
    irp = IoAllocateIrp(DeviceObject->StackSize, FALSE);
    if (!irp) {
        return NULL;
    }
    if (length && !neither) {
        irp->AssociatedIrp.SystemBuffer =
            ExAllocatePoolWithTag(NonPagedPool, length, IOP_TAG);
        if (!irp->AssociatedIrp.SystemBuffer) {
            IoFreeIrp(irp);
            return NULL;
        }
        RtlZeroMemory(irp->AssociatedIrp.SystemBuffer, length);
        RtlCopyMemory(irp->AssociatedIrp.SystemBuffer, InputBuffer,
                      InputBufferLength);
        irp->Flags = IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER |
                     (OutputBufferLength ? IRP_INPUT_OPERATION : 0);
    }
    irp->UserBuffer = OutputBuffer;
    irp->UserEvent = Event;
    irp->UserIosb = IoStatusBlock;
    stack = IoGetNextIrpStackLocation(irp);
    stack->MajorFunction = InternalDeviceIoControl
                               ? IRP_MJ_INTERNAL_DEVICE_CONTROL
                               : IRP_MJ_DEVICE_CONTROL;
    stack->Parameters.DeviceIoControl.IoControlCode = IoControlCode;
    stack->Parameters.DeviceIoControl.InputBufferLength = InputBufferLength;
    stack->Parameters.DeviceIoControl.OutputBufferLength = OutputBufferLength;
    stack->Parameters.DeviceIoControl.Type3InputBuffer = neither ? InputBuffer
                                                                 : NULL;
    return irp;
}

static KSPIN_LOCK CancelLock;

VOID NTAPI IoAcquireCancelSpinLock(PKIRQL Irql)
{
    KeAcquireSpinLock(&CancelLock, Irql);
}

VOID NTAPI IoReleaseCancelSpinLock(KIRQL Irql)
{
    KeReleaseSpinLock(&CancelLock, Irql);
}

/* The cancel routine releases the lock. */
BOOLEAN NTAPI IoCancelIrp(PIRP Irp)
{
    PDRIVER_CANCEL routine;
    KIRQL irql;

    IoAcquireCancelSpinLock(&irql);
    Irp->Cancel = TRUE;
    routine = IoSetCancelRoutine(Irp, NULL);
    if (!routine) {
        IoReleaseCancelSpinLock(irql);
        return FALSE;
    }
    Irp->CancelIrql = irql;
    routine(IoGetCurrentIrpStackLocation(Irp)->DeviceObject, Irp);
    return TRUE;
}
