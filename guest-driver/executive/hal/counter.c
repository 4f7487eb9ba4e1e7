/*
 * The performance counter: the HPET's main counter.
 *
 * SPDX-License-Identifier: MIT
 */
#include "hal.h"

#define HPET_CAPABILITIES       0x000
#define HPET_CONFIGURATION      0x010
#define   HPET_ENABLE           1ull
#define HPET_COUNTER            0x0f0

#define FEMTOSECONDS_PER_SECOND 1000000000000000ull
#define FEMTOSECONDS_MAX        100000000u      /* IA-PC HPET 1.0a, 2.3.4 */
#define MICROSECONDS_PER_SECOND 1000000ull

static volatile UCHAR *Hpet;
static ULONGLONG Frequency;

static ULONGLONG ReadHpet(ULONG Register)
{
    return *(volatile ULONGLONG *)(Hpet + Register);
}

/* Maps the HPET and starts its counter; false: there is none. */
static BOOLEAN InitializeCounter(ULONGLONG Address)
{
    ULONG period;

    Hpet = MiMap(Address & ~(ULONGLONG)(PAGE_SIZE - 1), PAGE_SIZE, MI_WRITE,
                 MmNonCached);
    if (!Hpet) {
        return FALSE;
    }
    Hpet += Address & (PAGE_SIZE - 1);
    period = (ULONG)(ReadHpet(HPET_CAPABILITIES) >> 32);
    if (!period || period > FEMTOSECONDS_MAX) {
        return FALSE;
    }
    Frequency = FEMTOSECONDS_PER_SECOND / period;
    *(volatile ULONGLONG *)(Hpet + HPET_CONFIGURATION) =
        ReadHpet(HPET_CONFIGURATION) | HPET_ENABLE;
    return TRUE;
}

LARGE_INTEGER NTAPI KeQueryPerformanceCounter(PLARGE_INTEGER Counts)
{
    LARGE_INTEGER now = { .QuadPart = (LONGLONG)ReadHpet(HPET_COUNTER) };

    if (Counts) {
        Counts->QuadPart = (LONGLONG)Frequency;
    }
    return now;
}

VOID NTAPI KeStallExecutionProcessor(ULONG Microseconds)
{
    ULONGLONG start = ReadHpet(HPET_COUNTER);
    ULONGLONG wait = Microseconds * Frequency / MICROSECONDS_PER_SECOND + 1;

    while (ReadHpet(HPET_COUNTER) - start < wait) {
        YieldProcessor();
    }
}

BOOLEAN HalpInitialize(ULONGLONG HpetAddress)
{
    return HalpInitializeApic() && InitializeCounter(HpetAddress);
}
