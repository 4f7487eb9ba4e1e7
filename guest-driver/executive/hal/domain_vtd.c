/*
 * Domains behind Intel IOMMUs: one for each requester ID, with second-level
 * page tables and an allocator of logical addresses.
 *
 * Devices that bear the same requester ID, because they are behind the same
 * conventional bridge, share one. A domain stays for good, and so do its tables.
 *
 * SPDX-License-Identifier: MIT
 */
#include "domain_vtd.h"

#include "acpi.h"
#include "vtd_registers.h"

#define DOMAIN_TAG          'moDV'
#define TILES_TAG           'liTV'
#define INDEX_MASK          511u
#define SPACE_NODE          0           /* the allocator's only "node" */

/* Writes there are interrupts, whatever the tables say. */
#define MESSAGES_FIRST      0xfee00000ull
#define MESSAGES_END        0xfef00000ull

static VTD_UNIT Units[ACPI_MAX_UNITS];
static ULONG UnitCount;
static HAL_DOMAIN *Domains;
static KSPIN_LOCK DomainsLock;

BOOLEAN HalpVtdIsOn(void)
{
    return UnitCount != 0;
}

void HalpInitializeRemapping(void)
{
    const struct acpi_dmar *dmar = MiDmar();

    for (ULONG i = 0; i < dmar->unit_count; i++) {
        if (!HalpVtdStart(&Units[i], dmar->unit[i].base,
                          (SIZE_T)dmar->unit[i].length)) {
            DbgPrint("iommu: the unit at 0x%llx lacks what is needed\n",
                     dmar->unit[i].base);
            KeBugCheckEx(HAL_INITIALIZATION_FAILED,
                         (ULONG_PTR)dmar->unit[i].base, 0, 0, 0);
        }
        DbgPrint("iommu: the unit at 0x%llx translates addresses of %u bits\n",
                 dmar->unit[i].base, Units[i].AddressWidth);
    }
    UnitCount = dmar->unit_count;
}

/* Freeing never needs a row of tiles, and an allocation this many at most. */
static bool FeedSpace(HAL_DOMAIN *Domain)
{
    PVOID page;

    if (frames_spare(&Domain->Space) > 2 * FRAMES_ROWS_PER_ALLOCATION) {
        return true;
    }
    page = ExAllocatePoolWithTag(NonPagedPool, PAGE_SIZE, TILES_TAG);
    if (page) {
        frames_donate(&Domain->Space, page, PAGE_SIZE);
    }
    return page != NULL;
}

/*
 * All addresses that the unit translates, less the first page, so that a device
 * which is given no address at all is denied, and the interrupts'.
 */
static bool MakeSpace(HAL_DOMAIN *Domain)
{
    ULONGLONG end = 1ull << Domain->Unit->AddressWidth;

    frames_init(&Domain->Space);
    return FeedSpace(Domain) &&
           frames_add(&Domain->Space, PAGE_SIZE, MESSAGES_FIRST - PAGE_SIZE,
                      SPACE_NODE) == FRAMES_OK &&
           frames_add(&Domain->Space, MESSAGES_END, end - MESSAGES_END,
                      SPACE_NODE) == FRAMES_OK;
}

/* The entry for a page; NULL: there is no table for it, or no memory to Make. */
static volatile ULONGLONG *FindEntry(const HAL_DOMAIN *Domain,
                                     ULONGLONG Logical, bool Make)
{
    ULONGLONG table = Domain->Table;

    for (ULONG level = Domain->Unit->Levels - 1;; level--) {
        volatile ULONGLONG *entry =
            (volatile ULONGLONG *)MiDirect(table) +
            (Logical >> (PAGE_SHIFT + 9 * level) & INDEX_MASK);

        if (!level) {
            return entry;
        }
        if (!*entry) {
            ULONGLONG next = Make ? HalpVtdNewTable(Domain->Unit) : 0;

            if (!next) {
                return NULL;
            }
            *entry = next | VTD_READ | VTD_WRITE;
            HalpVtdWritten(Domain->Unit, (PVOID)entry, sizeof(*entry));
        }
        table = *entry & VTD_ADDRESS;
    }
}

/* Entries that share a table with this one, up to Pages. */
static SIZE_T InTable(ULONGLONG Logical, SIZE_T Pages)
{
    return min(Pages, (SIZE_T)(INDEX_MASK + 1 -
                               (Logical >> PAGE_SHIFT & INDEX_MASK)));
}

static bool SetEntries(const HAL_DOMAIN *Domain, ULONGLONG Logical,
                       const HAL_PAGES *Pages, SIZE_T Count)
{
    for (SIZE_T done = 0, some; done < Count; done += some) {
        ULONGLONG at = Logical + (done << PAGE_SHIFT);
        volatile ULONGLONG *entry = FindEntry(Domain, at, true);

        some = InTable(at, Count - done);
        if (!entry) {
            return false;
        }
        for (SIZE_T i = 0; i < some; i++) {
            entry[i] = HalpPageAt(Pages, done + i) | VTD_READ | VTD_WRITE;
        }
        HalpVtdWritten(Domain->Unit, (PVOID)entry, some * sizeof(*entry));
    }
    return true;
}

static void ClearEntries(const HAL_DOMAIN *Domain, ULONGLONG Logical,
                         SIZE_T Count)
{
    for (SIZE_T done = 0, some; done < Count; done += some) {
        ULONGLONG at = Logical + (done << PAGE_SHIFT);
        volatile ULONGLONG *entry = FindEntry(Domain, at, false);

        some = InTable(at, Count - done);
        for (SIZE_T i = 0; entry && i < some; i++) {
            entry[i] = 0;
        }
        if (entry) {
            HalpVtdWritten(Domain->Unit, (PVOID)entry, some * sizeof(*entry));
        }
    }
}

ULONGLONG HalpDomainTranslate(const HAL_DOMAIN *Domain, ULONGLONG Logical)
{
    volatile ULONGLONG *entry;

    if (!HalpDomainTranslates(Domain)) {
        return Logical;
    }
    entry = FindEntry(Domain, Logical, false);
    return entry && *entry ? *entry & VTD_ADDRESS : HAL_NOTHING_THERE;
}

BOOLEAN HalpDomainReserve(HAL_DOMAIN *Domain, const HAL_BOUNDS *Bounds,
                          SIZE_T Length, ULONGLONG *Logical)
{
    const struct frames_request request = {
        .low = Bounds->Low,
        .high = Bounds->High,
        .varying = Bounds->Varying,
        .alignment = Bounds->Alignment,
        .length = Length,
        .node = SPACE_NODE,
    };
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Domain->Lock);
    bool reserved = FeedSpace(Domain) &&
                    frames_allocate(&Domain->Space, &request, Logical) ==
                        FRAMES_OK;

    KeReleaseSpinLock(&Domain->Lock, irql);
    return reserved;
}

BOOLEAN HalpDomainFill(HAL_DOMAIN *Domain, ULONGLONG Logical,
                       const HAL_PAGES *Pages, SIZE_T Length)
{
    SIZE_T count = BYTES_TO_PAGES(Length);
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Domain->Lock);
    bool filled = SetEntries(Domain, Logical, Pages, count);

    KeReleaseSpinLock(&Domain->Lock, irql);
    if (filled) {
        HalpVtdMapped(Domain->Unit, Domain->Id, Logical, count);
    }
    return filled;
}

/* The addresses are given out again only when no device can use the old pages. */
void HalpVtdRelease(HAL_DOMAIN *Domain, ULONGLONG Logical, SIZE_T Length)
{
    SIZE_T count = BYTES_TO_PAGES(Length);
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Domain->Lock);
    enum frames_status status;

    ClearEntries(Domain, Logical, count);
    HalpVtdUnmapped(Domain->Unit, Domain->Id, Logical, count);
    status = frames_free(&Domain->Space, Logical, Length);
    KeReleaseSpinLock(&Domain->Lock, irql);
    if (status != FRAMES_OK) {
        DbgPrint("\niommu: freeing the logical addresses from 0x%llx, 0x%llx "
                 "bytes: %s\n", Logical, (ULONGLONG)Length,
                 frames_explain(status));
        KeBugCheckEx(DRIVER_VERIFIER_DMA_VIOLATION, 0, (ULONG_PTR)Logical,
                     Length, 0);
    }
}

/* Firmware's own memory keeps its addresses, which nobody else gets. */
static bool MapReserved(HAL_DOMAIN *Domain, PDEVICE_OBJECT Pdo)
{
    const struct acpi_dmar *dmar = MiDmar();

    for (ULONG i = 0; i < dmar->reserved_count; i++) {
        ULONGLONG base = dmar->reserved[i].base, last = dmar->reserved[i].last;

        if (!IopIsReservedFor(Pdo, i)) {
            continue;
        }
        if (!FeedSpace(Domain) ||
            frames_reserve(&Domain->Space, base, last - base + 1) !=
                FRAMES_OK) {
            return false;
        }
        for (ULONGLONG at = base; at < last; at += PAGE_SIZE) {
            PFN_NUMBER frame = (PFN_NUMBER)(at >> PAGE_SHIFT);
            const HAL_PAGES page = { .Frames = &frame };

            if (!SetEntries(Domain, at, &page, 1)) {
                return false;
            }
        }
    }
    return true;
}

/* Ranges of logical addresses that somebody has. */
static ULONGLONG CountUsed(const HAL_DOMAIN *Domain)
{
    struct frames_statistics space;

    return frames_statistics(&Domain->Space, SPACE_NODE, &space)
               ? space.allocations : 0;
}

void HalpCheckDomains(void)
{
    for (HAL_DOMAIN *domain = Domains; domain; domain = domain->Next) {
        KIRQL irql = KeAcquireSpinLockRaiseToDpc(&domain->Lock);
        ULONGLONG used = CountUsed(domain);

        KeReleaseSpinLock(&domain->Lock, irql);
        if (used != domain->Fixed) {
            DbgPrint("\niommu: %llu ranges of logical addresses are in use, "
                     "not %llu\n", used, domain->Fixed);
            KeBugCheckEx(DRIVER_VERIFIER_DMA_VIOLATION, 0, (ULONG_PTR)used,
                         (ULONG_PTR)domain->Fixed, 0);
        }
    }
}

static HAL_DOMAIN *MakeDomain(PDEVICE_OBJECT Pdo, const IOP_REMAPPING *Device)
{
    HAL_DOMAIN *domain = ExAllocatePoolWithTag(NonPagedPool, sizeof(*domain),
                                               DOMAIN_TAG);

    if (!domain) {
        return NULL;
    }
    RtlZeroMemory(domain, sizeof(*domain));
    domain->Unit = &Units[Device->Unit];
    domain->Requester = Device->RequesterId;
    domain->Id = HalpVtdNewDomain(domain->Unit);
    domain->Table = HalpVtdNewTable(domain->Unit);
    if (domain->Id && domain->Table && MakeSpace(domain) &&
        MapReserved(domain, Pdo) &&
        HalpVtdAdmit(domain->Unit, domain->Requester, domain->Id,
                     domain->Table)) {
        domain->Fixed = CountUsed(domain);
        return domain;
    }
    /* What hardware may know of stays. */
    DbgPrint("iommu: no memory or number for a domain\n");
    return NULL;
}

static HAL_DOMAIN *FindDomain(const IOP_REMAPPING *Device)
{
    HAL_DOMAIN *domain = Domains;

    while (domain && (domain->Unit != &Units[Device->Unit] ||
                      domain->Requester != Device->RequesterId)) {
        domain = domain->Next;
    }
    return domain;
}

HAL_DOMAIN *HalpVtdDomainOf(PDEVICE_OBJECT Pdo)
{
    IOP_REMAPPING device;
    HAL_DOMAIN *domain;
    KIRQL irql;

    if (!IopFindRemapping(Pdo, &device)) {
        return NULL;
    }
    irql = KeAcquireSpinLockRaiseToDpc(&DomainsLock);
    domain = FindDomain(&device);
    if (!domain) {
        domain = MakeDomain(Pdo, &device);
        if (domain) {
            domain->Next = Domains;
            Domains = domain;
        }
    }
    KeReleaseSpinLock(&DomainsLock, irql);
    return domain;
}
