/*
 * The local APIC: end of interrupt, software interrupts, the clock.
 *
 * SPDX-License-Identifier: MIT
 */
#include "hal.h"

#include "portio.h"

#define PIC_MASTER_MASK         0x21
#define PIC_SLAVE_MASK          0xa1
#define PIC_ALL                 0xff

#define APIC_PHYSICAL           0xfee00000ull
#define APIC_ID                 0x020
#define APIC_EOI                0x0b0
#define APIC_SPURIOUS           0x0f0
#define   APIC_ENABLE           0x100u
#define APIC_COMMAND            0x300
#define   APIC_TO_SELF          0x40000u
#define   APIC_INIT             0x4500u
#define   APIC_START_UP         0x4600u
#define   APIC_PENDING          0x1000u
#define APIC_DESTINATION        0x310
#define APIC_TIMER              0x320
#define   APIC_PERIODIC         0x20000u
#define   APIC_MASKED           0x10000u
#define APIC_TIMER_INITIAL      0x380
#define APIC_TIMER_CURRENT      0x390
#define APIC_TIMER_DIVIDE       0x3e0
#define   APIC_DIVIDE_BY_1      0x0bu

#define CALIBRATION_MICROSECONDS    1000u
#define RFLAGS_IF                   0x200

static volatile UCHAR *Apic;

static ULONG ReadApic(ULONG Register)
{
    return *(volatile ULONG *)(Apic + Register);
}

static void WriteApic(ULONG Register, ULONG Value)
{
    *(volatile ULONG *)(Apic + Register) = Value;
}

/* Firmware leaves the 8259s on, at the vectors of exceptions. */
static void SilencePics(void)
{
    port_write8(PIC_MASTER_MASK, PIC_ALL);
    port_write8(PIC_SLAVE_MASK, PIC_ALL);
}

BOOLEAN HalpInitializeApic(void)
{
    SilencePics();
    Apic = MiMap(APIC_PHYSICAL, PAGE_SIZE, MI_WRITE, MmNonCached);
    if (Apic) {
        HalpEnableApic();
    }
    return Apic != NULL;
}

void HalpEnableApic(void)
{
    WriteApic(APIC_SPURIOUS, APIC_ENABLE | KI_SPURIOUS_VECTOR);
}

ULONG HalpApicId(void)
{
    return ReadApic(APIC_ID) >> 24;
}

/* Two registers: no interrupt may use them in between. */
static void Command(ULONG ApicId, ULONG What)
{
    ULONGLONG flags;

    __asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
    while (ReadApic(APIC_COMMAND) & APIC_PENDING) {
        YieldProcessor();
    }
    WriteApic(APIC_DESTINATION, ApicId << 24);
    WriteApic(APIC_COMMAND, What);
    if (flags & RFLAGS_IF) {
        __asm__ volatile("sti" : : : "memory");
    }
}

void HalpSendInterrupt(ULONG ApicId, ULONG Vector)
{
    Command(ApicId, Vector);
}

void HalpResetProcessor(ULONG ApicId)
{
    Command(ApicId, APIC_INIT);
}

void HalpStartProcessor(ULONG ApicId, ULONG Page)
{
    Command(ApicId, APIC_START_UP | Page >> PAGE_SHIFT);
}

void HalpEndOfInterrupt(void)
{
    WriteApic(APIC_EOI, 0);
}

void HalpRequestSoftwareInterrupt(ULONG Vector)
{
    WriteApic(APIC_COMMAND, APIC_TO_SELF | Vector);
}

void HalpGetMessage(ULONG Vector, ULONGLONG *Address, ULONG *Data)
{
    *Address = APIC_PHYSICAL | (ReadApic(APIC_ID) >> 24) << 12;
    *Data = Vector;
}

/*
 * Timer counts in a second, measured against the HPET, however long the host
 * lets that take.
 */
static ULONGLONG MeasureTimer(void)
{
    LARGE_INTEGER frequency, start, end;
    ULONG counted;

    WriteApic(APIC_TIMER_DIVIDE, APIC_DIVIDE_BY_1);
    WriteApic(APIC_TIMER, APIC_MASKED);
    start = KeQueryPerformanceCounter(&frequency);
    WriteApic(APIC_TIMER_INITIAL, MAXULONG);
    KeStallExecutionProcessor(CALIBRATION_MICROSECONDS);
    counted = MAXULONG - ReadApic(APIC_TIMER_CURRENT);
    end = KeQueryPerformanceCounter(NULL);
    return (ULONGLONG)counted * (ULONGLONG)frequency.QuadPart /
           (ULONGLONG)(end.QuadPart - start.QuadPart);
}

void HalpStartClock(ULONG Vector, ULONG Frequency)
{
    ULONG count = (ULONG)(MeasureTimer() / Frequency);

    WriteApic(APIC_TIMER, APIC_PERIODIC | Vector);
    WriteApic(APIC_TIMER_INITIAL, count);
}
