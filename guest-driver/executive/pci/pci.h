/*
 * PCI configuration space (PCI Local Bus 3.0, chapter 6).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_PCI_H
#define EXECUTIVE_PCI_H

#include "executive.h"

#define PCI_BARS                6

/* One function of the machine. */
typedef struct _PCI_FUNCTION {
    UCHAR Bus;
    UCHAR Device;
    UCHAR Function;
    UCHAR RootBus;
    USHORT VendorId;
    USHORT DeviceId;
    ULONG Subsystem;            /* device << 16 | vendor */
    ULONG Class;                /* base << 16 | sub << 8 | interface */
    UCHAR Revision;
    UCHAR MsiCapability;        /* offset, 0: none */
    UCHAR PowerCapability;      /* likewise */
    USHORT RequesterId;         /* that its DMA bears where it meets an IOMMU */
} PCI_FUNCTION;

#define PCI_REQUESTER(bus, device, function) \
    ((USHORT)((bus) << 8 | (device) << 3 | (function)))

/* A function by its place: a bridge on the way to another, or that one. */
typedef struct _PCI_PLACE {
    UCHAR Bus;
    UCHAR Devfn;                /* device << 3 | function */
} PCI_PLACE;

#define PCI_WAY_MAX             16

typedef struct _PCI_MEMORY {
    ULONGLONG Base;
    ULONGLONG Length;           /* 0: not there, not memory, or not assigned */
    BOOLEAN Prefetchable;
    BOOLEAN Wide;               /* the next BAR is the address's upper half */
} PCI_MEMORY;

/* Calls Found for each function that is no bridge. */
void PciEnumerate(void (*Found)(const PCI_FUNCTION *Function));

/*
 * The way to a function from its root bus: the bridges, then itself. Returns how
 * many there are; 0: more than PCI_WAY_MAX.
 */
ULONG PciWayTo(const PCI_FUNCTION *Function, PCI_PLACE Way[PCI_WAY_MAX]);

/* A register of 32 bits, by its offset; and that of a base address register. */
ULONG PciReadConfig(const PCI_FUNCTION *Function, ULONG Register);
void PciWriteConfig(const PCI_FUNCTION *Function, ULONG Register, ULONG Value);
#define PCI_REG_BAR(n)          (0x10 + 4 * (n))

/* Measures a base address register. The function must not be in use. */
PCI_MEMORY PciReadBar(const PCI_FUNCTION *Function, ULONG Bar);

/* The same for one of I/O ports; Length 0: it is none. */
PCI_MEMORY PciReadPorts(const PCI_FUNCTION *Function, ULONG Bar);

/*
 * The line that firmware has routed the function's interrupt to: on a PC the
 * I/O APIC's input is the 8259's. FALSE: it has none.
 */
BOOLEAN PciReadLine(const PCI_FUNCTION *Function, ULONG *Line);

/* What drivers for a function may ask for it by, the most exact first. */
#define PCI_ID_MAX              48
#define PCI_HARDWARE_IDS        4
#define PCI_IDS_COUNT           11

typedef char PCI_ID[PCI_ID_MAX];

typedef union _PCI_IDS {
    PCI_ID All[PCI_IDS_COUNT];
    struct {
        PCI_ID Hardware[PCI_HARDWARE_IDS];
        PCI_ID Compatible[PCI_IDS_COUNT - PCI_HARDWARE_IDS];
    };
} PCI_IDS;

void PciIds(const PCI_FUNCTION *Function, PCI_IDS *Ids);

/* Decoding of ports and memory, and bus mastering, on or off. */
void PciEnable(const PCI_FUNCTION *Function, BOOLEAN Enable);

/*
 * D0, or D3hot, and the 10 ms that either takes. A function that has come back
 * to D0 may have lost its configuration. PASSIVE_LEVEL.
 */
void PciSetPower(const PCI_FUNCTION *Function, BOOLEAN On);

/* Notes what memory the first Bars registers decode: place.c. */
void PciNoteMemory(const PCI_FUNCTION *Function, ULONG Bars);

/*
 * Gives each memory range of the function, which must not be in use, another
 * place. FALSE: there was none for one of them, and it stays where it is.
 */
BOOLEAN PciMoveMemory(const PCI_FUNCTION *Function);

/* Writes the base address registers anew, as they were last noted. */
void PciRestoreMemory(const PCI_FUNCTION *Function);

/* Message-signalled interrupts to this address; Address 0: off. */
void PciSetMessage(const PCI_FUNCTION *Function, ULONGLONG Address,
                   ULONG Data);

#endif
