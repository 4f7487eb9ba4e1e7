/*
 * Dispatcher objects: events, semaphores, timers, and waiting for them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ki.h"

/* DISPATCHER_HEADER.Type: notification kinds first, as EVENT_TYPE has them. */
enum {
    EventNotificationObject = NotificationEvent,
    EventSynchronizationObject = SynchronizationEvent,
    TimerNotificationObject,
    TimerSynchronizationObject,
    SemaphoreObject,
};

/* Guards the signal state of every object, the timer queue and all threads. */
static KSPIN_LOCK DispatcherLock;
static LIST_ENTRY Timers = { &Timers, &Timers };
static volatile LONG TimedWaits;        /* threads that wait with a limit */

KIRQL KiLockDispatcher(void)
{
    return KeAcquireSpinLockRaiseToDpc(&DispatcherLock);
}

void KiUnlockDispatcher(KIRQL Irql)
{
    KeReleaseSpinLock(&DispatcherLock, Irql);
}

static void Initialize(PDISPATCHER_HEADER Header, UCHAR Type, LONG State)
{
    Header->Type = Type;
    Header->SignalState = State;
    InitializeListHead(&Header->WaitListHead);
}

VOID NTAPI KeInitializeEvent(PRKEVENT Event, EVENT_TYPE Type, BOOLEAN State)
{
    Initialize(&Event->Header, (UCHAR)Type, State);
}

static LONG SetState(PDISPATCHER_HEADER Header, LONG State)
{
    KIRQL irql = KiLockDispatcher();
    LONG previous = Header->SignalState;

    Header->SignalState = State;
    if (State) {
        KiWakeRunnable();
    }
    KiUnlockDispatcher(irql);
    return previous;
}

LONG NTAPI KeSetEvent(PRKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    UNREFERENCED_PARAMETER(Increment);
    UNREFERENCED_PARAMETER(Wait);
    return SetState(&Event->Header, 1);
}

LONG NTAPI KeResetEvent(PRKEVENT Event)
{
    return SetState(&Event->Header, 0);
}

VOID NTAPI KeClearEvent(PRKEVENT Event)
{
    SetState(&Event->Header, 0);
}

LONG NTAPI KeReadStateEvent(PRKEVENT Event)
{
    return Event->Header.SignalState;
}

VOID NTAPI KeInitializeSemaphore(PRKSEMAPHORE Semaphore, LONG Count,
                                 LONG Limit)
{
    Initialize(&Semaphore->Header, SemaphoreObject, Count);
    Semaphore->Limit = Limit;
}

LONG NTAPI KeReleaseSemaphore(PRKSEMAPHORE Semaphore, KPRIORITY Increment,
                              LONG Adjustment, BOOLEAN Wait)
{
    KIRQL irql = KiLockDispatcher();
    LONG previous = Semaphore->Header.SignalState;

    UNREFERENCED_PARAMETER(Increment);
    UNREFERENCED_PARAMETER(Wait);
    if (Adjustment <= 0 || Adjustment > Semaphore->Limit - previous) {
        KeBugCheckEx(SYSTEM_THREAD_EXCEPTION_NOT_HANDLED,
                     (ULONG_PTR)STATUS_SEMAPHORE_LIMIT_EXCEEDED,
                     (ULONG_PTR)Semaphore, (ULONG_PTR)previous,
                     (ULONG_PTR)Adjustment);
    }
    Semaphore->Header.SignalState = previous + Adjustment;
    KiWakeRunnable();
    KiUnlockDispatcher(irql);
    return previous;
}

VOID NTAPI KeInitializeTimerEx(PKTIMER Timer, TIMER_TYPE Type)
{
    RtlZeroMemory(Timer, sizeof(*Timer));
    Initialize(&Timer->Header, (UCHAR)(TimerNotificationObject + Type), 0);
}

VOID NTAPI KeInitializeTimer(PKTIMER Timer)
{
    KeInitializeTimerEx(Timer, NotificationTimer);
}

static BOOLEAN Dequeue(PKTIMER Timer)
{
    BOOLEAN queued = Timer->TimerListEntry.Flink != NULL;

    if (queued) {
        RemoveEntryList(&Timer->TimerListEntry);
        Timer->TimerListEntry.Flink = NULL;
    }
    return queued;
}

static void Enqueue(PKTIMER Timer)
{
    PLIST_ENTRY entry = &Timers;

    while (entry->Blink != &Timers &&
           CONTAINING_RECORD(entry->Blink, KTIMER, TimerListEntry)
                   ->DueTime.QuadPart > Timer->DueTime.QuadPart) {
        entry = entry->Blink;
    }
    InsertTailList(entry, &Timer->TimerListEntry);
}

/* Negative: from now on. Otherwise: that system time. Returns interrupt time. */
static ULONGLONG DueTime(LARGE_INTEGER Time)
{
    ULONGLONG now = KeQueryInterruptTime();
    LARGE_INTEGER system;

    if (Time.QuadPart < 0) {
        return now + (ULONGLONG)-Time.QuadPart;
    }
    KeQuerySystemTime(&system);
    if (Time.QuadPart <= system.QuadPart) {
        return now;
    }
    return now + (ULONGLONG)(Time.QuadPart - system.QuadPart);
}

static void Expire(PKTIMER Timer)
{
    Dequeue(Timer);
    Timer->Header.SignalState = 1;
    if (Timer->Period) {
        Timer->DueTime.QuadPart += Timer->Period * 10000ull;
        Enqueue(Timer);
    }
    if (Timer->Dpc) {
        KeInsertQueueDpc(Timer->Dpc, NULL, NULL);
    }
}

BOOLEAN NTAPI KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER Due, LONG Period,
                           PKDPC Dpc)
{
    KIRQL irql = KiLockDispatcher();
    BOOLEAN queued = Dequeue(Timer);

    Timer->Header.SignalState = 0;
    Timer->DueTime.QuadPart = DueTime(Due);
    Timer->Period = (ULONG)Period;
    Timer->Dpc = Dpc;
    Enqueue(Timer);
    if (Timer->DueTime.QuadPart <= KeQueryInterruptTime()) {
        Expire(Timer);
        KiWakeRunnable();
    }
    KiUnlockDispatcher(irql);
    return queued;
}

BOOLEAN NTAPI KeSetTimer(PKTIMER Timer, LARGE_INTEGER Due, PKDPC Dpc)
{
    return KeSetTimerEx(Timer, Due, 0, Dpc);
}

BOOLEAN NTAPI KeCancelTimer(PKTIMER Timer)
{
    KIRQL irql = KiLockDispatcher();
    BOOLEAN queued = Dequeue(Timer);

    KiUnlockDispatcher(irql);
    return queued;
}

static void ExpireDue(PKDPC Dpc, PVOID Context, PVOID Argument1,
                      PVOID Argument2)
{
    KIRQL irql = KiLockDispatcher();

    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Context);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    while (!IsListEmpty(&Timers)) {
        PKTIMER timer = CONTAINING_RECORD(Timers.Flink, KTIMER, TimerListEntry);

        if (timer->DueTime.QuadPart > KeQueryInterruptTime()) {
            break;
        }
        Expire(timer);
    }
    KiWakeRunnable();
    KiPreemptThreads();
    KiUnlockDispatcher(irql);
}

void KiExpireTimers(void)
{
    static KDPC dpc = { .DeferredRoutine = ExpireDue };

    if (!IsListEmpty(&Timers) || TimedWaits || KiThreadCount > 1) {
        KeInsertQueueDpc(&dpc, NULL, NULL);
    }
}

/* Takes what the object gives to one waiter; false: nothing yet. Locked. */
static bool Consume(PDISPATCHER_HEADER Header)
{
    if (Header->SignalState <= 0) {
        return false;
    }
    switch (Header->Type) {
    case EventSynchronizationObject:
    case TimerSynchronizationObject:
        Header->SignalState = 0;
        break;
    case SemaphoreObject:
        Header->SignalState--;
        break;
    default:
        break;
    }
    return true;
}

/* Locked. Gives the processor to others until it may be worth another look. */
static void Sleep(PDISPATCHER_HEADER Header, ULONGLONG Due)
{
    PKTHREAD thread = KiPcr()->Thread;

    thread->Object = Header;
    thread->Due = Due;
    thread->State = KiWaiting;
    TimedWaits += Due != 0;
    KiSwitchAway();
    TimedWaits -= Due != 0;
}

NTSTATUS NTAPI KeWaitForSingleObject(PVOID Object, KWAIT_REASON Reason,
                                     KPROCESSOR_MODE Mode, BOOLEAN Alertable,
                                     PLARGE_INTEGER Timeout)
{
    PDISPATCHER_HEADER header = Object;
    bool poll = Timeout && Timeout->QuadPart == 0;
    ULONGLONG due = Timeout && !poll ? DueTime(*Timeout) : 0;
    NTSTATUS status = STATUS_SUCCESS;
    KIRQL irql;

    UNREFERENCED_PARAMETER(Reason);
    UNREFERENCED_PARAMETER(Mode);
    UNREFERENCED_PARAMETER(Alertable);
    if (!poll && KeGetCurrentIrql() >= DISPATCH_LEVEL) {
        KeBugCheckEx(IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)Object,
                     KeGetCurrentIrql(), 0, (ULONG_PTR)KeWaitForSingleObject);
    }
    irql = KiLockDispatcher();
    while (!Consume(header)) {
        if (poll || (due && KeQueryInterruptTime() >= due)) {
            status = STATUS_TIMEOUT;
            break;
        }
        Sleep(header, due);
    }
    KiUnlockDispatcher(irql);
    return status;
}

NTSTATUS NTAPI KeDelayExecutionThread(KPROCESSOR_MODE Mode, BOOLEAN Alertable,
                                      PLARGE_INTEGER Interval)
{
    DISPATCHER_HEADER never;

    Initialize(&never, EventNotificationObject, 0);
    if (Interval->QuadPart) {
        KeWaitForSingleObject(&never, DelayExecution, Mode, Alertable,
                              Interval);
    }
    return STATUS_SUCCESS;
}
