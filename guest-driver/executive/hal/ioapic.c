/*
 * I/O APICs: interrupt lines (82093AA data sheet, chapter 3).
 *
 * SPDX-License-Identifier: MIT
 */
#include "hal.h"

#include "acpi.h"

#define SELECT                  0x00
#define WINDOW                  0x10
#define REG_VERSION             0x01
#define   LAST_ENTRY(version)   ((version) >> 16 & 0xff)
#define REG_ENTRY(input)        (0x10 + 2 * (input))
#define   ENTRY_LEVEL           0x08000u
#define   ENTRY_MASKED          0x10000u

static volatile UCHAR *Mapped[ACPI_MAX_IO_APICS];
static KSPIN_LOCK Lock;

static ULONG Read(ULONG Index, ULONG Register)
{
    *(volatile ULONG *)(Mapped[Index] + SELECT) = Register;
    return *(volatile ULONG *)(Mapped[Index] + WINDOW);
}

static void Write(ULONG Index, ULONG Register, ULONG Value)
{
    *(volatile ULONG *)(Mapped[Index] + SELECT) = Register;
    *(volatile ULONG *)(Mapped[Index] + WINDOW) = Value;
}

/* Whether the I/O APIC of that index has the line; it is mapped then. */
static BOOLEAN Has(const struct acpi_madt *Madt, ULONG Index, ULONG Line)
{
    const struct acpi_io_apic *apic = &Madt->io_apic[Index];

    if (Line < apic->first_interrupt) {
        return FALSE;
    }
    if (!Mapped[Index]) {
        ULONG offset = apic->base & (PAGE_SIZE - 1);
        PUCHAR page = MiMap(apic->base - offset, PAGE_SIZE, MI_WRITE,
                            MmNonCached);

        Mapped[Index] = page ? page + offset : NULL;
    }
    return Mapped[Index] && Line - apic->first_interrupt <=
                                LAST_ENTRY(Read(Index, REG_VERSION));
}

BOOLEAN HalpRouteLine(ULONG Line, ULONG Vector, BOOLEAN Enable)
{
    const struct acpi_madt *madt = MiMadt();
    BOOLEAN found = FALSE;
    KIRQL irql;

    KeAcquireSpinLock(&Lock, &irql);
    for (ULONG i = 0; i < madt->io_apic_count && !found; i++) {
        found = Has(madt, i, Line);
        if (found) {
            ULONG entry = REG_ENTRY(Line - madt->io_apic[i].first_interrupt);

            Write(i, entry, ENTRY_MASKED);
            Write(i, entry + 1, madt->processor[0].apic_id << 24);
            Write(i, entry, Vector | ENTRY_LEVEL |
                                (Enable ? 0 : ENTRY_MASKED));
        }
    }
    KeReleaseSpinLock(&Lock, irql);
    return found;
}
