/* SPDX-License-Identifier: MIT */
/* selftest.sys: timer objects */
#include "selftest.h"

static volatile LONG calls;
static volatile KIRQL call_irql;
static char order[8];

static VOID NTAPI count_call(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    (void)dpc;
    (void)argument1;
    (void)argument2;
    call_irql = KeGetCurrentIrql();
    if (context) {
        order[calls % sizeof(order)] = *(const char *)context;
    }
    calls++;
}

static NTSTATUS poll(PVOID object)
{
    LARGE_INTEGER now = { .QuadPart = 0 };

    return KeWaitForSingleObject(object, Executive, KernelMode, FALSE, &now);
}

static NTSTATUS wait(PVOID object)
{
    return KeWaitForSingleObject(object, Executive, KernelMode, FALSE, NULL);
}

static LONGLONG since(ULONGLONG start)
{
    return (LONGLONG)(KeQueryInterruptTime() - start);
}

static void relative(void)
{
    KTIMER timer;
    ULONGLONG start;

    KeInitializeTimer(&timer);
    start = KeQueryInterruptTime();
    EXPECT(!KeSetTimer(&timer, after_ms(100), NULL));
    EXPECT_STATUS(poll(&timer), STATUS_TIMEOUT);
    EXPECT_STATUS(wait(&timer), STATUS_SUCCESS);
    EXPECT(since(start) >= 100 * MS);
    EXPECT(since(start) <= 100 * MS + 2ll * KeQueryTimeIncrement());
    EXPECT_STATUS(poll(&timer), STATUS_SUCCESS);
}

static void absolute(void)
{
    ULONGLONG start = KeQueryInterruptTime();
    LARGE_INTEGER due;
    KTIMER timer;

    KeInitializeTimerEx(&timer, SynchronizationTimer);
    KeQuerySystemTime(&due);
    due.QuadPart += 200 * MS;
    KeSetTimer(&timer, due, NULL);
    EXPECT_STATUS(wait(&timer), STATUS_SUCCESS);
    EXPECT(since(start) >= 200 * MS);
    EXPECT(since(start) <= 200 * MS + 2ll * KeQueryTimeIncrement());
    EXPECT_STATUS(poll(&timer), STATUS_TIMEOUT);
}

/* "If the expiration time is in the past, the timer object is set to the signaled state." */
static void past(void)
{
    LARGE_INTEGER due = { .QuadPart = 0 };
    KTIMER timer;
    KDPC dpc;

    calls = 0;
    KeInitializeTimer(&timer);
    KeInitializeDpc(&dpc, count_call, NULL);
    KeSetTimer(&timer, due, &dpc);
    EXPECT_STATUS(poll(&timer), STATUS_SUCCESS);
    EXPECT_EQUAL(calls, 1);
    EXPECT(!KeCancelTimer(&timer));
    KeQuerySystemTime(&due);
    due.QuadPart -= 3600 * 1000 * MS;
    KeSetTimer(&timer, due, &dpc);
    EXPECT_STATUS(poll(&timer), STATUS_SUCCESS);
    EXPECT_EQUAL(calls, 2);
    sleep_ms(50);
    EXPECT_EQUAL(calls, 2);
}

static void periodic(void)
{
    KTIMER timer;
    LONG seen;
    KDPC dpc;

    calls = 0;
    KeInitializeTimer(&timer);
    KeInitializeDpc(&dpc, count_call, NULL);
    EXPECT(!KeSetTimerEx(&timer, after_ms(50), 50, &dpc));
    sleep_ms(1010);
    EXPECT(calls >= 19 && calls <= 21);
    EXPECT_EQUAL(call_irql, DISPATCH_LEVEL);
    EXPECT(KeCancelTimer(&timer));
    seen = calls;
    sleep_ms(300);
    EXPECT_EQUAL(calls, seen);
}

/* Each expiration lets one wait through. */
static void periodic_waits(void)
{
    ULONGLONG start = KeQueryInterruptTime();
    KTIMER timer;

    KeInitializeTimerEx(&timer, SynchronizationTimer);
    KeSetTimerEx(&timer, after_ms(100), 100, NULL);
    for (ULONG i = 0; i < 5; i++) {
        EXPECT_STATUS(wait(&timer), STATUS_SUCCESS);
        EXPECT_STATUS(poll(&timer), STATUS_TIMEOUT);
    }
    EXPECT(since(start) >= 500 * MS);
    EXPECT(since(start) <= 500 * MS + 2ll * KeQueryTimeIncrement());
    EXPECT(KeCancelTimer(&timer));
}

static void cancelled(void)
{
    KTIMER timer;
    KDPC dpc;

    calls = 0;
    KeInitializeTimer(&timer);
    KeInitializeDpc(&dpc, count_call, NULL);
    EXPECT(!KeCancelTimer(&timer));
    KeSetTimer(&timer, after_ms(50), &dpc);
    EXPECT(KeCancelTimer(&timer));
    EXPECT(!KeCancelTimer(&timer));
    sleep_ms(150);
    EXPECT_EQUAL(calls, 0);
    EXPECT_STATUS(poll(&timer), STATUS_TIMEOUT);
    KeSetTimer(&timer, after_ms(50), &dpc);
    EXPECT_STATUS(wait(&timer), STATUS_SUCCESS);
    EXPECT(!KeCancelTimer(&timer));
}

/* Setting a timer that is in the queue cancels the former setting. */
static void set_again(void)
{
    ULONGLONG start = KeQueryInterruptTime();
    KTIMER timer;
    KDPC dpc;

    calls = 0;
    KeInitializeTimer(&timer);
    KeInitializeDpc(&dpc, count_call, NULL);
    EXPECT(!KeSetTimer(&timer, after_ms(50), &dpc));
    EXPECT(KeSetTimer(&timer, after_ms(200), &dpc));
    EXPECT_STATUS(wait(&timer), STATUS_SUCCESS);
    EXPECT(since(start) >= 200 * MS);
    EXPECT(!KeSetTimer(&timer, after_ms(50), NULL));
    EXPECT_STATUS(poll(&timer), STATUS_TIMEOUT);
    EXPECT_STATUS(wait(&timer), STATUS_SUCCESS);
    EXPECT_EQUAL(calls, 1);
}

static void in_order(void)
{
    static const LONGLONG due[] = { 200, 50, 300, 150 };
    static char names[] = "caDb";
    KTIMER timers[RTL_NUMBER_OF(due)];
    KDPC dpcs[RTL_NUMBER_OF(due)];

    calls = 0;
    for (ULONG i = 0; i < RTL_NUMBER_OF(due); i++) {
        KeInitializeTimer(&timers[i]);
        KeInitializeDpc(&dpcs[i], count_call, &names[i]);
        KeSetTimer(&timers[i], after_ms(due[i]), &dpcs[i]);
    }
    sleep_ms(400);
    EXPECT_EQUAL(calls, 4);
    EXPECT_EQUAL(RtlCompareMemory(order, "abcD", 4), 4);
}

const struct check timer_checks[] = {
    { "timer/relative", relative },
    { "timer/absolute", absolute },
    { "timer/past", past },
    { "timer/periodic", periodic },
    { "timer/periodic-waits", periodic_waits },
    { "timer/cancelled", cancelled },
    { "timer/set-again", set_again },
    { "timer/in-order", in_order },
    { NULL, NULL },
};
