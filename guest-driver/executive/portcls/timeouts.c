/*
 * Time: intervals, and routines that are called once a second.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcp.h"

#define SECOND              10000000ll  /* units of 100 ns */
#define SECOND_MS           1000

typedef struct _TIMEOUT {
    LIST_ENTRY Link;
    PIO_TIMER_ROUTINE Routine;
    PVOID Context;
} TIMEOUT;

ULONGLONG NTAPI PcGetTimeInterval(ULONGLONG Since)
{
    return KeQueryInterruptTime() - Since;
}

static VOID NTAPI CallAll(PKDPC Dpc, PVOID Context, PVOID Argument1,
                          PVOID Argument2)
{
    PC_DEVICE *device = Context;

    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    KeAcquireSpinLockAtDpcLevel(&device->TimeoutLock);
    for (PLIST_ENTRY link = device->Timeouts.Flink; link != &device->Timeouts;
         link = link->Flink) {
        TIMEOUT *timeout = CONTAINING_RECORD(link, TIMEOUT, Link);

        timeout->Routine(device->Self, timeout->Context);
    }
    KeReleaseSpinLockFromDpcLevel(&device->TimeoutLock);
}

void PcpInitializeTimeouts(PC_DEVICE *Device)
{
    KeInitializeSpinLock(&Device->TimeoutLock);
    InitializeListHead(&Device->Timeouts);
    KeInitializeTimer(&Device->Timer);
    KeInitializeDpc(&Device->TimerDpc, CallAll, Device);
}

/* Lock held. */
static TIMEOUT *Find(PC_DEVICE *Device, PIO_TIMER_ROUTINE Routine,
                     PVOID Context)
{
    for (PLIST_ENTRY link = Device->Timeouts.Flink; link != &Device->Timeouts;
         link = link->Flink) {
        TIMEOUT *timeout = CONTAINING_RECORD(link, TIMEOUT, Link);

        if (timeout->Routine == Routine && timeout->Context == Context) {
            return timeout;
        }
    }
    return NULL;
}

NTSTATUS NTAPI PcRegisterIoTimeout(PDEVICE_OBJECT DeviceObject,
                                   PIO_TIMER_ROUTINE TimerRoutine,
                                   PVOID Context)
{
    PC_DEVICE *device;
    TIMEOUT *timeout;
    KIRQL irql;

    PCP_PASSIVE("PcRegisterIoTimeout");
    if (!DeviceObject || !TimerRoutine) {
        return STATUS_INVALID_PARAMETER;
    }
    device = PcpDevice(DeviceObject);
    timeout = ExAllocatePoolWithTag(NonPagedPool, sizeof(*timeout), PCP_TAG);
    if (!timeout) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    timeout->Routine = TimerRoutine;
    timeout->Context = Context;
    KeAcquireSpinLock(&device->TimeoutLock, &irql);
    if (Find(device, TimerRoutine, Context)) {
        KeReleaseSpinLock(&device->TimeoutLock, irql);
        ExFreePoolWithTag(timeout, PCP_TAG);
        return STATUS_INVALID_PARAMETER;
    }
    if (IsListEmpty(&device->Timeouts)) {
        LARGE_INTEGER due = { .QuadPart = -SECOND };

        KeSetTimerEx(&device->Timer, due, SECOND_MS, &device->TimerDpc);
    }
    InsertTailList(&device->Timeouts, &timeout->Link);
    KeReleaseSpinLock(&device->TimeoutLock, irql);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI PcUnregisterIoTimeout(PDEVICE_OBJECT DeviceObject,
                                     PIO_TIMER_ROUTINE TimerRoutine,
                                     PVOID Context)
{
    PC_DEVICE *device;
    TIMEOUT *timeout;
    KIRQL irql;

    PCP_PASSIVE("PcUnregisterIoTimeout");
    if (!DeviceObject || !TimerRoutine) {
        return STATUS_INVALID_PARAMETER;
    }
    device = PcpDevice(DeviceObject);
    KeAcquireSpinLock(&device->TimeoutLock, &irql);
    timeout = Find(device, TimerRoutine, Context);
    if (timeout) {
        RemoveEntryList(&timeout->Link);
        if (IsListEmpty(&device->Timeouts)) {
            KeCancelTimer(&device->Timer);
        }
    }
    KeReleaseSpinLock(&device->TimeoutLock, irql);
    if (!timeout) {
        return STATUS_INVALID_PARAMETER;
    }
    ExFreePoolWithTag(timeout, PCP_TAG);
    return STATUS_SUCCESS;
}

void PcpStopTimeouts(PC_DEVICE *Device)
{
    KeCancelTimer(&Device->Timer);
    KeFlushQueuedDpcs();
    while (!IsListEmpty(&Device->Timeouts)) {
        PLIST_ENTRY link = RemoveHeadList(&Device->Timeouts);

        ExFreePoolWithTag(CONTAINING_RECORD(link, TIMEOUT, Link), PCP_TAG);
    }
}
