/* SPDX-License-Identifier: MIT */
/* selftest.sys: the clocks, and that they agree */
#include "selftest.h"

#define UNITS_PER_SECOND            10000000ll
#define YEAR_2020                   132223104000000000ll    /* in units since 1601 */
#define YEAR_2100                   157469184000000000ll

/* The performance counter in units of 100 ns. */
static LONGLONG counter(void)
{
    LARGE_INTEGER frequency;
    LARGE_INTEGER count = KeQueryPerformanceCounter(&frequency);
    LONGLONG seconds = count.QuadPart / frequency.QuadPart;

    return seconds * UNITS_PER_SECOND +
           count.QuadPart % frequency.QuadPart * UNITS_PER_SECOND / frequency.QuadPart;
}

static void stall(void)
{
    static const ULONG microseconds[] = { 0, 1, 50, 1000, 20000 };

    for (ULONG i = 0; i < RTL_NUMBER_OF(microseconds); i++) {
        LONGLONG start = counter(), took;

        KeStallExecutionProcessor(microseconds[i]);
        took = counter() - start;
        EXPECT(took >= 10ll * microseconds[i]);
        EXPECT(took <= 10ll * microseconds[i] + 5 * MS);
    }
}

static void counter_rises(void)
{
    LARGE_INTEGER frequency = { .QuadPart = 0 }, last, now;

    last = KeQueryPerformanceCounter(&frequency);
    EXPECT(frequency.QuadPart >= 1000000 && frequency.QuadPart <= 10000000000ll);
    for (ULONG i = 0; i < 1000; i++) {
        now = KeQueryPerformanceCounter(NULL);
        EXPECT(now.QuadPart >= last.QuadPart);
        last = now;
    }
}

static bool near(LONGLONG a, LONGLONG b)
{
    LONGLONG apart = a > b ? a - b : b - a;

    return apart <= 2ll * KeQueryTimeIncrement();
}

/* The counter, system time, interrupt time and ticks, over one second. */
static void agree(void)
{
    LARGE_INTEGER system_start, system_end, ticks_start, ticks_end;
    ULONGLONG interrupt_start;
    LONGLONG start, took;

    sleep_ms(1);
    KeQuerySystemTime(&system_start);
    KeQueryTickCount(&ticks_start);
    interrupt_start = KeQueryInterruptTime();
    start = counter();
    sleep_ms(1000);
    took = counter() - start;
    KeQuerySystemTime(&system_end);
    KeQueryTickCount(&ticks_end);
    EXPECT(near(took, 1000 * MS));
    EXPECT(near(system_end.QuadPart - system_start.QuadPart, took));
    EXPECT(near((LONGLONG)(KeQueryInterruptTime() - interrupt_start), took));
    EXPECT(near((ticks_end.QuadPart - ticks_start.QuadPart) * KeQueryTimeIncrement(), took));
}

static void calendar(void)
{
    LARGE_INTEGER now;

    KeQuerySystemTime(&now);
    EXPECT(now.QuadPart > YEAR_2020 && now.QuadPart < YEAR_2100);
    EXPECT(KeQueryTimeIncrement() >= 10000 && KeQueryTimeIncrement() <= 156250);
}

const struct check clock_checks[] = {
    { "clock/stall", stall },
    { "clock/counter-rises", counter_rises },
    { "clock/agree", agree },
    { "clock/calendar", calendar },
    { NULL, NULL },
};
