/*
 * What an Intel IOMMU has denied.
 *
 * The line is for a person, and for the host: scripts/pcmaster/iommu.py
 * compares it with the device's own word.
 *
 * SPDX-License-Identifier: MIT
 */
#include "vtd.h"

#include "vtd_registers.h"

/* VT-d specification, appendix A. */
static const char *Explain(ULONG Reason)
{
    switch (Reason) {
    case 1:
    case 2:
        return "the device has no domain";
    case 3:
    case 8:
    case 9:
    case 10:
    case 11:
    case 12:
    case 13:
        return "the tables are wrong";
    case 4:
        return "the address is wider than the domain's";
    case 5:
        return "nothing that may be written is mapped there";
    case 6:
        return "nothing that may be read is mapped there";
    default:
        return "see the VT-d specification, appendix A";
    }
}

static void Report(ULONGLONG Address, ULONGLONG Info)
{
    USHORT requester = VTD_FAULT_REQUESTER(Info);
    ULONG reason = VTD_FAULT_REASON(Info);

    DbgPrint("iommu: denied a %s at page 0x%llx by %02x:%02x.%u, reason %u: "
             "%s\n", Info & VTD_FAULT_IS_READ ? "read" : "write",
             Address & ~(ULONGLONG)(PAGE_SIZE - 1), requester >> 8,
             requester >> 3 & 31, requester & 7, reason, Explain(reason));
}

void HalpVtdReportFaults(VTD_UNIT *Unit)
{
    ULONG count = VTD_CAP_FAULTS(Unit->Capabilities);
    volatile ULONG *status = (volatile ULONG *)(Unit->Registers + VTD_FSTS);
    ULONG at = VTD_FSTS_INDEX(*status);

    for (ULONG i = 0; i < count; i++) {
        volatile UCHAR *record = Unit->Registers +
                                 VTD_CAP_FRO(Unit->Capabilities) +
                                 (at + i) % count * VTD_FAULT_SIZE;
        ULONGLONG info = *(volatile ULONGLONG *)(record + VTD_FAULT_INFO);

        if (info & VTD_FAULT_VALID) {
            Report(*(volatile ULONGLONG *)(record + VTD_FAULT_ADDRESS), info);
            *(volatile ULONGLONG *)(record + VTD_FAULT_INFO) = VTD_FAULT_VALID;
        }
    }
    if (*status & VTD_FSTS_OVERFLOW) {
        DbgPrint("iommu: more was denied than it has room to record\n");
        *status = VTD_FSTS_OVERFLOW;
    }
}
