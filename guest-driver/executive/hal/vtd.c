/*
 * One Intel IOMMU: registers, root and context tables, invalidation.
 *
 * SPDX-License-Identifier: MIT
 */
#include "vtd.h"

#include "vtd_registers.h"

#define TABLE_TAG           'bTdV'

static ULONG Read32(const VTD_UNIT *Unit, ULONG Register)
{
    return *(volatile ULONG *)(Unit->Registers + Register);
}

static ULONGLONG Read64(const VTD_UNIT *Unit, ULONG Register)
{
    return *(volatile ULONGLONG *)(Unit->Registers + Register);
}

static void Write32(const VTD_UNIT *Unit, ULONG Register, ULONG Value)
{
    *(volatile ULONG *)(Unit->Registers + Register) = Value;
}

static void Write64(const VTD_UNIT *Unit, ULONG Register, ULONGLONG Value)
{
    *(volatile ULONGLONG *)(Unit->Registers + Register) = Value;
}

/* Hardware that does not answer leaves memory open to devices: no way on. */
static void __attribute__((noreturn)) Silent(const VTD_UNIT *Unit,
                                             ULONG Register)
{
    DbgPrint("\niommu: no answer in register 0x%x\n", Register);
    KeBugCheckEx(HAL_INITIALIZATION_FAILED, Register,
                 (ULONG_PTR)Unit->Registers, 0, 0);
}

/* The bits Mask of a register of 64 bits become 0. */
static void AwaitClear(const VTD_UNIT *Unit, ULONG Register, ULONGLONG Mask)
{
    for (ULONG i = 0; Read64(Unit, Register) & Mask; i++) {
        if (i == VTD_PATIENCE) {
            Silent(Unit, Register);
        }
        YieldProcessor();
    }
}

/* Gives one global command; its status bit stands at the same place. */
static void Command(const VTD_UNIT *Unit, ULONG Bit, bool Set)
{
    ULONG lasting = Read32(Unit, VTD_GSTS) & VTD_GCMD_LASTING;
    ULONG expected = Bit == VTD_GCMD_WBF ? 0 : Set ? Bit : 0;

    Write32(Unit, VTD_GCMD, Set ? lasting | Bit : lasting & ~Bit);
    for (ULONG i = 0; (Read32(Unit, VTD_GSTS) & Bit) != expected; i++) {
        if (i == VTD_PATIENCE) {
            Silent(Unit, VTD_GCMD);
        }
        YieldProcessor();
    }
}

static void FlushWriteBuffer(const VTD_UNIT *Unit)
{
    if (Unit->Capabilities & VTD_CAP_RWBF) {
        Command(Unit, VTD_GCMD_WBF, true);
    }
}

static void InvalidateContexts(const VTD_UNIT *Unit)
{
    AwaitClear(Unit, VTD_CCMD, VTD_CCMD_ICC);
    Write64(Unit, VTD_CCMD, VTD_CCMD_ICC | VTD_CCMD_GLOBAL);
    AwaitClear(Unit, VTD_CCMD, VTD_CCMD_ICC);
}

/* Kind: VTD_IOTLB_GLOBAL and its fellows; what is under way is drained, too. */
static void InvalidateIotlb(const VTD_UNIT *Unit, ULONGLONG Kind,
                            USHORT Domain, ULONGLONG Where)
{
    ULONG at = VTD_ECAP_IRO(Unit->Extended);

    AwaitClear(Unit, at + VTD_IOTLB, VTD_IOTLB_IVT);
    if (Kind == VTD_IOTLB_PAGES) {
        Write64(Unit, at + VTD_IVA, Where);
    }
    Write64(Unit, at + VTD_IOTLB,
            VTD_IOTLB_IVT | Kind | VTD_IOTLB_DRAIN |
            (ULONGLONG)Domain << VTD_IOTLB_DOMAIN_SHIFT);
    AwaitClear(Unit, at + VTD_IOTLB, VTD_IOTLB_IVT);
}

/* The least order of an aligned block of pages that holds them all. */
static ULONG OrderOf(ULONGLONG Logical, SIZE_T Pages)
{
    ULONGLONG first = Logical >> PAGE_SHIFT;
    ULONGLONG last = first + (Pages - 1);
    ULONG order = 0;

    while (first >> order != last >> order) {
        order++;
    }
    return order;
}

static void InvalidateRange(const VTD_UNIT *Unit, USHORT Domain,
                            ULONGLONG Logical, SIZE_T Pages)
{
    ULONG order = OrderOf(Logical, Pages);

    if (!(Unit->Capabilities & VTD_CAP_PSI) ||
        order > VTD_CAP_MAMV(Unit->Capabilities)) {
        InvalidateIotlb(Unit, VTD_IOTLB_DOMAIN, Domain, 0);
    } else {
        InvalidateIotlb(Unit, VTD_IOTLB_PAGES, Domain,
                        Logical >> (PAGE_SHIFT + order)
                            << (PAGE_SHIFT + order) | order);
    }
}

void HalpVtdMapped(VTD_UNIT *Unit, USHORT Domain, ULONGLONG Logical,
                   SIZE_T Pages)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Unit->Lock);

    if (Unit->Capabilities & VTD_CAP_CM) {
        InvalidateRange(Unit, Domain, Logical, Pages);
    } else {
        FlushWriteBuffer(Unit);
    }
    KeReleaseSpinLock(&Unit->Lock, irql);
}

void HalpVtdUnmapped(VTD_UNIT *Unit, USHORT Domain, ULONGLONG Logical,
                     SIZE_T Pages)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Unit->Lock);

    FlushWriteBuffer(Unit);
    InvalidateRange(Unit, Domain, Logical, Pages);
    KeReleaseSpinLock(&Unit->Lock, irql);
}

void HalpVtdWritten(const VTD_UNIT *Unit, const VOID *Address, SIZE_T Length)
{
    ULONG_PTR at = (ULONG_PTR)Address & ~(ULONG_PTR)(VTD_CACHE_LINE - 1);

    if (Unit->Extended & VTD_ECAP_COHERENT) {
        return;
    }
    for (; at < (ULONG_PTR)Address + Length; at += VTD_CACHE_LINE) {
        __asm__ volatile("clflush (%0)" : : "r"(at) : "memory");
    }
    __asm__ volatile("mfence" : : : "memory");
}

/* Pool of a page is a page of its own, in the direct map. */
ULONGLONG HalpVtdNewTable(const VTD_UNIT *Unit)
{
    PVOID page = ExAllocatePoolWithTag(NonPagedPool, PAGE_SIZE, TABLE_TAG);

    if (!page) {
        return 0;
    }
    RtlZeroMemory(page, PAGE_SIZE);
    HalpVtdWritten(Unit, page, PAGE_SIZE);
    return (ULONGLONG)MmGetPhysicalAddress(page).QuadPart;
}

USHORT HalpVtdNewDomain(VTD_UNIT *Unit)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Unit->Lock);
    ULONG id = 0;

    /* ID 0 stands for "not present" where hardware caches that. */
    if (Unit->Domains + 1 < VTD_CAP_DOMAINS(Unit->Capabilities)) {
        id = ++Unit->Domains;
    }
    KeReleaseSpinLock(&Unit->Lock, irql);
    return (USHORT)id;
}

BOOLEAN HalpVtdAdmit(VTD_UNIT *Unit, USHORT Requester, USHORT Domain,
                     ULONGLONG Table)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Unit->Lock);
    VTD_ENTRY *root = (VTD_ENTRY *)MiDirect(Unit->Root) + (Requester >> 8);
    VTD_ENTRY *context;

    if (!(root->Low & VTD_PRESENT)) {
        ULONGLONG contexts = HalpVtdNewTable(Unit);

        if (contexts) {
            root->Low = contexts | VTD_PRESENT;
            HalpVtdWritten(Unit, root, sizeof(*root));
        }
    }
    if (root->Low & VTD_PRESENT) {
        context = (VTD_ENTRY *)MiDirect(root->Low & VTD_ADDRESS) +
                  (Requester & 0xff);
        context->High = VTD_CONTEXT_DOMAIN(Domain) |
                        VTD_CONTEXT_LEVELS(Unit->Levels);
        __asm__ volatile("mfence" : : : "memory");
        context->Low = Table | VTD_PRESENT;
        HalpVtdWritten(Unit, context, sizeof(*context));
        FlushWriteBuffer(Unit);
        InvalidateContexts(Unit);
        InvalidateIotlb(Unit, VTD_IOTLB_GLOBAL, 0, 0);
    }
    KeReleaseSpinLock(&Unit->Lock, irql);
    return (root->Low & VTD_PRESENT) != 0;
}

/* The most levels that the unit walks: a level more is nine bits more. */
static bool ChooseLevels(VTD_UNIT *Unit)
{
    for (ULONG levels = VTD_LEVELS_MOST; levels >= VTD_LEVELS_LEAST;
         levels--) {
        if (Unit->Capabilities & VTD_CAP_LEVELS(levels)) {
            Unit->Levels = levels;
            Unit->AddressWidth = min(PAGE_SHIFT + 9 * levels,
                                     VTD_CAP_WIDTH(Unit->Capabilities));
            return true;
        }
    }
    return false;
}

static void Interrupt(ULONG Vector, PVOID Unit)
{
    UNREFERENCED_PARAMETER(Vector);
    HalpVtdReportFaults(Unit);
}

static void EnableFaultInterrupt(VTD_UNIT *Unit)
{
    ULONG vector = KiAllocateVector(), data;
    ULONGLONG address;

    if (!vector) {
        return;
    }
    KiSetVectorHandler(vector, Interrupt, Unit);
    HalpGetMessage(vector, &address, &data);
    Write32(Unit, VTD_FEDATA, data);
    Write32(Unit, VTD_FEADDR, (ULONG)address);
    Write32(Unit, VTD_FEUADDR, (ULONG)(address >> 32));
    Write32(Unit, VTD_FECTL, 0);
}

static bool MapRegisters(VTD_UNIT *Unit, ULONGLONG Physical, SIZE_T Length)
{
    ULONG faults, iotlb;

    Unit->Registers = MiMap(Physical, Length, MI_WRITE, MmNonCached);
    if (!Unit->Registers) {
        return false;
    }
    Unit->Capabilities = Read64(Unit, VTD_CAP);
    Unit->Extended = Read64(Unit, VTD_ECAP);
    faults = VTD_CAP_FRO(Unit->Capabilities) +
             VTD_CAP_FAULTS(Unit->Capabilities) * VTD_FAULT_SIZE;
    iotlb = VTD_ECAP_IRO(Unit->Extended) + VTD_IOTLB + sizeof(ULONGLONG);
    return faults <= Length && iotlb <= Length;
}

BOOLEAN HalpVtdStart(VTD_UNIT *Unit, ULONGLONG Physical, SIZE_T Length)
{
    if (!MapRegisters(Unit, Physical, Length) || !ChooseLevels(Unit)) {
        return FALSE;
    }
    Unit->Root = HalpVtdNewTable(Unit);
    if (!Unit->Root) {
        return FALSE;
    }
    if (Read32(Unit, VTD_GSTS) & VTD_GCMD_TE) {
        Command(Unit, VTD_GCMD_TE, false);
    }
    FlushWriteBuffer(Unit);
    Write64(Unit, VTD_RTADDR, Unit->Root);
    Command(Unit, VTD_GCMD_SRTP, true);
    InvalidateContexts(Unit);
    InvalidateIotlb(Unit, VTD_IOTLB_GLOBAL, 0, 0);
    HalpVtdReportFaults(Unit);
    EnableFaultInterrupt(Unit);
    Command(Unit, VTD_GCMD_TE, true);
    return TRUE;
}
