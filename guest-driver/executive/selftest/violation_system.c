/* SPDX-License-Identifier: MIT */
/* violation.sys: against the rules of IRPs, IRQLs and dispatcher objects */
#include "violation.h"

static NTSTATUS NTAPI complete_twice_dispatch(PDEVICE_OBJECT device, PIRP irp)
{
    (void)device;
    irp->IoStatus.Status = STATUS_SUCCESS;
    irp->IoStatus.Information = 0;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

/* The device passes on to itself what it has no stack location for. */
static NTSTATUS NTAPI pass_on_dispatch(PDEVICE_OBJECT device, PIRP irp)
{
    return IoCallDriver(device, irp);
}

static void send(PDRIVER_OBJECT driver, PDRIVER_DISPATCH dispatch)
{
    IO_STATUS_BLOCK result;
    PDEVICE_OBJECT device;
    KEVENT done;
    PIRP irp;

    driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = dispatch;
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    if (!NT_SUCCESS(IoCreateDevice(driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device))) {
        return;
    }
    irp = IoBuildDeviceIoControlRequest(CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED,
                                                 FILE_ANY_ACCESS),
                                        device, NULL, 0, NULL, 0, FALSE, &done, &result);
    IoCallDriver(device, irp);
}

static void complete_twice(PDRIVER_OBJECT driver)
{
    send(driver, complete_twice_dispatch);
}

static void no_stack_location(PDRIVER_OBJECT driver)
{
    send(driver, pass_on_dispatch);
}

static void wait_at_dispatch(PDRIVER_OBJECT driver)
{
    KEVENT event;

    (void)driver;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    KfRaiseIrql(DISPATCH_LEVEL);
    KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
}

static void region_never_left(PDRIVER_OBJECT driver)
{
    (void)driver;
    KeEnterCriticalRegion();
}

static void delay_at_dispatch(PDRIVER_OBJECT driver)
{
    LARGE_INTEGER interval = { .QuadPart = -100000 };

    (void)driver;
    KfRaiseIrql(DISPATCH_LEVEL);
    KeDelayExecutionThread(KernelMode, FALSE, &interval);
}

static void flush_at_dispatch(PDRIVER_OBJECT driver)
{
    (void)driver;
    KfRaiseIrql(DISPATCH_LEVEL);
    KeFlushQueuedDpcs();
}

static void semaphore_limit(PDRIVER_OBJECT driver)
{
    KSEMAPHORE semaphore;

    (void)driver;
    KeInitializeSemaphore(&semaphore, 1, 2);
    KeReleaseSemaphore(&semaphore, IO_NO_INCREMENT, 2, FALSE);
}

static void bug_check(PDRIVER_OBJECT driver)
{
    (void)driver;
    KeBugCheckEx(0x1234, 0x1111, 0x2222, 0x3333, 0x4444);
}

static void spin_lock_twice(PDRIVER_OBJECT driver)
{
    KSPIN_LOCK lock;
    KIRQL irql;

    (void)driver;
    KeInitializeSpinLock(&lock);
    KeAcquireSpinLock(&lock, &irql);
    KeAcquireSpinLockAtDpcLevel(&lock);
}

static void spin_lock_not_held(PDRIVER_OBJECT driver)
{
    KSPIN_LOCK lock;

    (void)driver;
    KeInitializeSpinLock(&lock);
    KfRaiseIrql(DISPATCH_LEVEL);
    KeReleaseSpinLockFromDpcLevel(&lock);
}

static void bug_check_plain(PDRIVER_OBJECT driver)
{
    (void)driver;
    KeBugCheck(MANUALLY_INITIATED_CRASH);
}

static void divide(PDRIVER_OBJECT driver)
{
    (void)driver;
    __asm__ volatile("divl %0" : : "r"(0), "a"(1), "d"(0));
}

const struct violation system_violations[] = {
    { "complete-twice", complete_twice },
    { "no-stack-location", no_stack_location },
    { "wait-at-dispatch", wait_at_dispatch },
    { "delay-at-dispatch", delay_at_dispatch },
    { "region-never-left", region_never_left },
    { "flush-at-dispatch", flush_at_dispatch },
    { "semaphore-limit", semaphore_limit },
    { "spin-lock-twice", spin_lock_twice },
    { "spin-lock-not-held", spin_lock_not_held },
    { "bug-check", bug_check },
    { "bug-check-plain", bug_check_plain },
    { "divide", divide },
    { NULL, NULL },
};
