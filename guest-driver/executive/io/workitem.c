/*
 * Work items: what a driver puts off until a system thread does it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "iop.h"

struct _IO_WORKITEM {
    IOP_WORK Work;
    PDEVICE_OBJECT Device;
    PIO_WORKITEM_ROUTINE Routine;
    PVOID Context;
    volatile LONG Queued;
};

static LIST_ENTRY Queue = { &Queue, &Queue };
static KSPIN_LOCK Lock;
static KSEMAPHORE Waiting;

static IOP_WORK *Next(void)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Lock);
    PLIST_ENTRY entry = RemoveHeadList(&Queue);

    KeReleaseSpinLock(&Lock, irql);
    return CONTAINING_RECORD(entry, IOP_WORK, Link);
}

static VOID NTAPI Worker(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    for (;;) {
        IOP_WORK *work;

        KeWaitForSingleObject(&Waiting, Executive, KernelMode, FALSE, NULL);
        work = Next();
        work->Routine(work);
    }
}

void IopInitializeWork(void)
{
    HANDLE thread;

    KeInitializeSemaphore(&Waiting, 0, MAXLONG);
    if (!NT_SUCCESS(PsCreateSystemThread(&thread, THREAD_ALL_ACCESS, NULL, NULL,
                                         NULL, Worker, NULL))) {
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, 0, 0, 0, 0);
    }
    ZwClose(thread);
}

void IopQueueWork(IOP_WORK *Work)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Lock);

    InsertTailList(&Queue, &Work->Link);
    KeReleaseSpinLock(&Lock, irql);
    KeReleaseSemaphore(&Waiting, IO_NO_INCREMENT, 1, FALSE);
}

PIO_WORKITEM NTAPI IoAllocateWorkItem(PDEVICE_OBJECT DeviceObject)
{
    PIO_WORKITEM item = ExAllocatePoolWithTag(NonPagedPool, sizeof(*item),
                                              IOP_TAG);

    if (item) {
        RtlZeroMemory(item, sizeof(*item));
        item->Device = DeviceObject;
    }
    return item;
}

VOID NTAPI IoFreeWorkItem(PIO_WORKITEM IoWorkItem)
{
    if (IoWorkItem->Queued) {
        DbgPrint("io: IoFreeWorkItem: the item is queued\n");
        KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, 0,
                     (ULONG_PTR)IoWorkItem, 0, 0);
    }
    ExFreePoolWithTag(IoWorkItem, IOP_TAG);
}

/* The routine may free its item, so that nothing of it is used afterwards. */
static void RunItem(IOP_WORK *Work)
{
    PIO_WORKITEM item = CONTAINING_RECORD(Work, struct _IO_WORKITEM, Work);
    PIO_WORKITEM_ROUTINE routine = item->Routine;
    PDEVICE_OBJECT device = item->Device;
    PVOID context = item->Context;

    InterlockedExchange(&item->Queued, FALSE);
    routine(device, context);
    ObDereferenceObject(device);
}

VOID NTAPI IoQueueWorkItem(PIO_WORKITEM IoWorkItem,
                           PIO_WORKITEM_ROUTINE WorkerRoutine,
                           WORK_QUEUE_TYPE QueueType, PVOID Context)
{
    UNREFERENCED_PARAMETER(QueueType);
    if (InterlockedExchange(&IoWorkItem->Queued, TRUE)) {
        DbgPrint("io: IoQueueWorkItem: the item is queued already\n");
        KeBugCheckEx(WORKER_INVALID, 0, (ULONG_PTR)IoWorkItem, 0, 0);
    }
    ObReferenceObject(IoWorkItem->Device);
    IoWorkItem->Routine = WorkerRoutine;
    IoWorkItem->Context = Context;
    IoWorkItem->Work.Routine = RunItem;
    IopQueueWork(&IoWorkItem->Work);
}
