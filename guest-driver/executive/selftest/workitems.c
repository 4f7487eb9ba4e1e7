/* SPDX-License-Identifier: MIT */
/* selftest.sys: work items */
#include "selftest.h"

static struct {
    PDEVICE_OBJECT device;
    PVOID context;
    PKTHREAD thread;
    KIRQL irql;
    ULONG order[4];
    ULONG count;
    KEVENT event;
} ran;

static VOID NTAPI work(PDEVICE_OBJECT device, PVOID context)
{
    ran.device = device;
    ran.context = context;
    ran.thread = KeGetCurrentThread();
    ran.irql = KeGetCurrentIrql();
    ran.order[ran.count % RTL_NUMBER_OF(ran.order)] = (ULONG)(ULONG_PTR)context;
    if (++ran.count == RTL_NUMBER_OF(ran.order)) {
        KeSetEvent(&ran.event, IO_NO_INCREMENT, FALSE);
    }
}

static void in_order(void)
{
    PIO_WORKITEM items[RTL_NUMBER_OF(ran.order)];
    PDEVICE_OBJECT device;
    LARGE_INTEGER timeout = after_ms(5000);
    KIRQL irql;

    RtlZeroMemory(&ran, sizeof(ran));
    KeInitializeEvent(&ran.event, NotificationEvent, FALSE);
    EXPECT_STATUS(IoCreateDevice(selftest_driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device),
                  STATUS_SUCCESS);
    for (ULONG i = 0; i < RTL_NUMBER_OF(items); i++) {
        items[i] = IoAllocateWorkItem(device);
        EXPECT(items[i] != NULL);
    }
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    for (ULONG i = 0; i < RTL_NUMBER_OF(items); i++) {
        IoQueueWorkItem(items[i], work, DelayedWorkQueue, (PVOID)(ULONG_PTR)(i + 1));
    }
    KeLowerIrql(irql);
    EXPECT_STATUS(KeWaitForSingleObject(&ran.event, Executive, KernelMode, FALSE, &timeout),
                  STATUS_SUCCESS);
    for (ULONG i = 0; i < RTL_NUMBER_OF(items); i++) {
        EXPECT_EQUAL(ran.order[i], i + 1);
        IoFreeWorkItem(items[i]);
    }
    EXPECT(ran.device == device);
    EXPECT(ran.thread != KeGetCurrentThread());
    EXPECT_EQUAL(ran.irql, PASSIVE_LEVEL);
    IoDeleteDevice(device);
}

const struct check work_checks[] = {
    { "work-items/in-order", in_order },
    { .name = NULL },
};
