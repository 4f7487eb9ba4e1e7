/*
 * One Intel IOMMU: registers, invalidation, faults (Intel Virtualization
 * Technology for Directed I/O, legacy mode, register-based invalidation).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_HAL_VTD_H
#define EXECUTIVE_HAL_VTD_H

#include "hal.h"

typedef struct _VTD_UNIT {
    volatile UCHAR *Registers;
    ULONGLONG Capabilities;     /* CAP */
    ULONGLONG Extended;         /* ECAP */
    ULONG Levels;               /* of the page tables, 3 to 5 */
    ULONG AddressWidth;         /* bits of a logical address */
    ULONG Domains;              /* given out; their IDs are 1 and on */
    ULONGLONG Root;             /* the root table, physical */
    KSPIN_LOCK Lock;            /* tables and invalidation; IRQL <= DISPATCH */
} VTD_UNIT;

/* Brings the unit up with no device admitted; FALSE: it lacks what is needed. */
BOOLEAN HalpVtdStart(VTD_UNIT *Unit, ULONGLONG Physical, SIZE_T Length);

/* An ID for a new domain; 0: none left. */
USHORT HalpVtdNewDomain(VTD_UNIT *Unit);

/* A zeroed table of one page, physical; 0: no memory. */
ULONGLONG HalpVtdNewTable(const VTD_UNIT *Unit);

/* Has the device Requester translated by Table. FALSE: no memory. */
BOOLEAN HalpVtdAdmit(VTD_UNIT *Unit, USHORT Requester, USHORT Domain,
                     ULONGLONG Table);

/* To be called after entries of tables at Address were written. */
void HalpVtdWritten(const VTD_UNIT *Unit, const VOID *Address, SIZE_T Length);

/* Entries that were not present have been made present. */
void HalpVtdMapped(VTD_UNIT *Unit, USHORT Domain, ULONGLONG Logical,
                   SIZE_T Pages);

/* Entries are no longer present: waits until nobody uses them any more. */
void HalpVtdUnmapped(VTD_UNIT *Unit, USHORT Domain, ULONGLONG Logical,
                     SIZE_T Pages);

/* Reports what the fault recording registers hold, and empties them. */
void HalpVtdReportFaults(VTD_UNIT *Unit);

#endif
