/*
 * The clock: interrupt time, system time and tick count in the page that
 * <wdm.h>'s inline functions read.
 *
 * SPDX-License-Identifier: MIT
 */
#include "executive.h"

#include "halp.h"
#include "portio.h"

#define SHARED_PAGE             ((PUCHAR)0xfffff78000000000ull)
#define SHARED_INTERRUPT_TIME   0x08
#define SHARED_SYSTEM_TIME      0x14
#define SHARED_TICK_COUNT       0x320
#define UNITS_PER_SECOND        10000000ull     /* of 100 ns */
#define UNITS_PER_TICK          (UNITS_PER_SECOND / KI_CLOCK_HZ)

#define CMOS_INDEX              0x70
#define CMOS_DATA               0x71
#define CMOS_SECONDS            0x00
#define CMOS_MINUTES            0x02
#define CMOS_HOURS              0x04
#define CMOS_DAY                0x07
#define CMOS_MONTH              0x08
#define CMOS_YEAR               0x09
#define CMOS_CENTURY            0x32
#define CMOS_STATUS_A           0x0a
#define CMOS_UPDATING           0x80

/* 1601-01-01, where NT's time starts, is a Monday of year 1601. */
#define FIRST_YEAR              1601

static ULONGLONG BootTime;

/* In 32-bit halves, high part twice, so that readers see a torn update. */
static void Publish(ULONG Offset, ULONGLONG Value)
{
    volatile KSYSTEM_TIME *time =
        (volatile KSYSTEM_TIME *)(SHARED_PAGE + Offset);

    time->High2Time = (LONG)(Value >> 32);
    *(volatile ULONGLONG *)time = Value;
}

static ULONG ReadCmos(UCHAR Register)
{
    UCHAR bcd;

    port_write8(CMOS_INDEX, Register);
    bcd = port_read8(CMOS_DATA);
    return (bcd >> 4) * 10u + (bcd & 15u);
}

static ULONGLONG DaysBefore(ULONG Year, ULONG Month, ULONG Day)
{
    static const USHORT before[12] = {
        0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334
    };
    ULONG years = Year - FIRST_YEAR;
    bool leap = Year % 4 == 0 && (Year % 100 != 0 || Year % 400 == 0);

    return years * 365ull + years / 4 - years / 100 + years / 400 +
           before[(Month - 1) % 12] + (Month > 2 && leap) + Day - 1;
}

/* QEMU's clock keeps 24 hours and BCD after reset. */
static ULONGLONG ReadRealTimeClock(void)
{
    ULONG year, month, day, hour, minute, second;

    do {
        port_write8(CMOS_INDEX, CMOS_STATUS_A);
    } while (port_read8(CMOS_DATA) & CMOS_UPDATING);
    year = ReadCmos(CMOS_CENTURY) * 100 + ReadCmos(CMOS_YEAR);
    month = ReadCmos(CMOS_MONTH);
    day = ReadCmos(CMOS_DAY);
    hour = ReadCmos(CMOS_HOURS);
    minute = ReadCmos(CMOS_MINUTES);
    second = ReadCmos(CMOS_SECONDS);
    return (DaysBefore(year, month, day) * 86400ull + hour * 3600ull +
            minute * 60ull + second) * UNITS_PER_SECOND;
}

static void ClockInterrupt(ULONG Vector, PVOID Context)
{
    static ULONGLONG ticks;
    ULONGLONG now = ++ticks * UNITS_PER_TICK;

    UNREFERENCED_PARAMETER(Vector);
    UNREFERENCED_PARAMETER(Context);
    Publish(SHARED_INTERRUPT_TIME, now);
    Publish(SHARED_SYSTEM_TIME, BootTime + now);
    Publish(SHARED_TICK_COUNT, ticks);
    KiExpireTimers();
}

void KiStartClock(void)
{
    BootTime = ReadRealTimeClock();
    Publish(SHARED_SYSTEM_TIME, BootTime);
    KiSetVectorHandler(KI_CLOCK_VECTOR, ClockInterrupt, NULL);
    HalpStartClock(KI_CLOCK_VECTOR, KI_CLOCK_HZ);
    __asm__ volatile("sti" : : : "memory");
}

ULONG NTAPI KeQueryTimeIncrement(VOID)
{
    return (ULONG)UNITS_PER_TICK;
}
