/* SPDX-License-Identifier: MIT */
/* selftest.sys: events, semaphores, waits and delays */
#include "selftest.h"

static NTSTATUS wait_ms(PVOID object, LONGLONG milliseconds)
{
    LARGE_INTEGER timeout = after_ms(milliseconds);

    return KeWaitForSingleObject(object, Executive, KernelMode, FALSE, &timeout);
}

static void notification_event(void)
{
    KEVENT event;

    KeInitializeEvent(&event, NotificationEvent, FALSE);
    EXPECT_EQUAL(KeReadStateEvent(&event), 0);
    EXPECT_STATUS(wait_ms(&event, 0), STATUS_TIMEOUT);
    EXPECT_EQUAL(KeSetEvent(&event, IO_NO_INCREMENT, FALSE), 0);
    EXPECT(KeSetEvent(&event, IO_NO_INCREMENT, FALSE) != 0);
    EXPECT_STATUS(wait_ms(&event, 0), STATUS_SUCCESS);
    EXPECT_STATUS(KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL),
                  STATUS_SUCCESS);
    EXPECT(KeReadStateEvent(&event) != 0);
    EXPECT(KeResetEvent(&event) != 0);
    EXPECT_EQUAL(KeResetEvent(&event), 0);
    EXPECT_STATUS(wait_ms(&event, 0), STATUS_TIMEOUT);
}

static void synchronization_event(void)
{
    KEVENT event;

    KeInitializeEvent(&event, SynchronizationEvent, TRUE);
    EXPECT(KeReadStateEvent(&event) != 0);
    EXPECT_STATUS(wait_ms(&event, 0), STATUS_SUCCESS);
    EXPECT_EQUAL(KeReadStateEvent(&event), 0);
    EXPECT_STATUS(wait_ms(&event, 0), STATUS_TIMEOUT);
    KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
    KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
    EXPECT_STATUS(wait_ms(&event, 0), STATUS_SUCCESS);
    EXPECT_STATUS(wait_ms(&event, 0), STATUS_TIMEOUT);
    KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
    KeClearEvent(&event);
    EXPECT_EQUAL(KeReadStateEvent(&event), 0);
}

static void semaphore(void)
{
    KSEMAPHORE semaphore;

    KeInitializeSemaphore(&semaphore, 1, 4);
    EXPECT_STATUS(wait_ms(&semaphore, 0), STATUS_SUCCESS);
    EXPECT_STATUS(wait_ms(&semaphore, 0), STATUS_TIMEOUT);
    EXPECT_EQUAL(KeReleaseSemaphore(&semaphore, IO_NO_INCREMENT, 3, FALSE), 0);
    EXPECT_EQUAL(KeReleaseSemaphore(&semaphore, IO_NO_INCREMENT, 1, FALSE), 3);
    for (ULONG i = 0; i < 4; i++) {
        EXPECT_STATUS(wait_ms(&semaphore, 0), STATUS_SUCCESS);
    }
    EXPECT_STATUS(wait_ms(&semaphore, 50), STATUS_TIMEOUT);
}

/* The wait may end a tick early: what has passed of the current tick counts. */
static void finite_timeout(void)
{
    ULONGLONG start = KeQueryInterruptTime();
    LONGLONG took;
    KEVENT event;

    KeInitializeEvent(&event, NotificationEvent, FALSE);
    EXPECT_STATUS(wait_ms(&event, 150), STATUS_TIMEOUT);
    took = (LONGLONG)(KeQueryInterruptTime() - start);
    EXPECT(took >= 150 * MS - KeQueryTimeIncrement());
    EXPECT(took <= 150 * MS + 2 * KeQueryTimeIncrement());
}

static void absolute_timeout(void)
{
    LARGE_INTEGER until, now;
    KEVENT event;

    KeInitializeEvent(&event, NotificationEvent, FALSE);
    KeQuerySystemTime(&until);
    until.QuadPart += 100 * MS;
    EXPECT_STATUS(KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &until),
                  STATUS_TIMEOUT);
    KeQuerySystemTime(&now);
    EXPECT(now.QuadPart >= until.QuadPart);
    EXPECT(now.QuadPart <= until.QuadPart + 2 * KeQueryTimeIncrement());
    /* That time has passed by now. */
    EXPECT_STATUS(KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &until),
                  STATUS_TIMEOUT);
}

static VOID NTAPI set_event(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    (void)dpc;
    (void)argument1;
    (void)argument2;
    KeSetEvent(context, IO_NO_INCREMENT, FALSE);
}

static void woken(void)
{
    ULONGLONG start = KeQueryInterruptTime();
    KTIMER timer;
    KEVENT event;
    KDPC dpc;

    KeInitializeEvent(&event, SynchronizationEvent, FALSE);
    KeInitializeTimer(&timer);
    KeInitializeDpc(&dpc, set_event, &event);
    KeSetTimer(&timer, after_ms(100), &dpc);
    EXPECT_STATUS(wait_ms(&event, 5000), STATUS_SUCCESS);
    EXPECT(KeQueryInterruptTime() - start < 1000 * MS);
    EXPECT_EQUAL(KeReadStateEvent(&event), 0);
}

/* With a time-out of zero it does not wait, which DISPATCH_LEVEL allows. */
static void poll_at_dispatch(void)
{
    KIRQL irql = KfRaiseIrql(DISPATCH_LEVEL);
    KEVENT event;

    KeInitializeEvent(&event, SynchronizationEvent, FALSE);
    EXPECT_STATUS(wait_ms(&event, 0), STATUS_TIMEOUT);
    KeSetEvent(&event, IO_NO_INCREMENT, FALSE);
    EXPECT_STATUS(wait_ms(&event, 0), STATUS_SUCCESS);
    EXPECT_EQUAL(KeGetCurrentIrql(), DISPATCH_LEVEL);
    KeLowerIrql(irql);
}

static void delay(void)
{
    static const LONGLONG delays[] = { 1, 20, 100, 1000 };
    LARGE_INTEGER interval, now;

    for (ULONG i = 0; i < RTL_NUMBER_OF(delays); i++) {
        ULONGLONG start = KeQueryInterruptTime();
        LONGLONG took;

        sleep_ms(delays[i]);
        took = (LONGLONG)(KeQueryInterruptTime() - start);
        EXPECT(took >= delays[i] * MS);
        EXPECT(took <= delays[i] * MS + 2 * KeQueryTimeIncrement());
    }
    KeQuerySystemTime(&interval);
    interval.QuadPart += 100 * MS;
    EXPECT_STATUS(KeDelayExecutionThread(KernelMode, FALSE, &interval), STATUS_SUCCESS);
    KeQuerySystemTime(&now);
    EXPECT(now.QuadPart >= interval.QuadPart);
}

static void critical_region(void)
{
    KeEnterCriticalRegion();
    KeEnterCriticalRegion();
    EXPECT_EQUAL(KeGetCurrentIrql(), PASSIVE_LEVEL);
    sleep_ms(20);
    KeLeaveCriticalRegion();
    KeLeaveCriticalRegion();
}

const struct check dispatcher_checks[] = {
    { "event/notification", notification_event },
    { "event/synchronization", synchronization_event },
    { "semaphore", semaphore },
    { "wait/finite", finite_timeout },
    { "wait/absolute", absolute_timeout },
    { "wait/woken", woken },
    { "wait/poll-at-dispatch", poll_at_dispatch },
    { "delay", delay },
    { "critical-region", critical_region },
    { NULL, NULL },
};
