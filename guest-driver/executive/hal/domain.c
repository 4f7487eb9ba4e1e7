/*
 * Domains: which device has which, and what they have in common. The identity
 * is here; hal/domain_vtd.c has those behind an IOMMU.
 *
 * SPDX-License-Identifier: MIT
 */
#include "domain.h"

#include "domain_vtd.h"

static HAL_DOMAIN Identity;

HAL_DOMAIN *HalpDomainOf(PDEVICE_OBJECT Pdo)
{
    return HalpVtdIsOn() ? HalpVtdDomainOf(Pdo) : &Identity;
}

HAL_DOMAIN *HalpIdentityDomain(void)
{
    return &Identity;
}

ULONGLONG HalpPageAt(const HAL_PAGES *Pages, SIZE_T Index)
{
    if (Pages->Frames) {
        return (ULONGLONG)Pages->Frames[Index] << PAGE_SHIFT;
    }
    return (ULONGLONG)MmGetPhysicalAddress((PUCHAR)Pages->Address +
                                           (Index << PAGE_SHIFT)).QuadPart;
}

static bool Consecutive(const HAL_PAGES *Pages, SIZE_T Length)
{
    ULONGLONG first = HalpPageAt(Pages, 0);

    for (SIZE_T i = 1; i < BYTES_TO_PAGES(Length); i++) {
        if (HalpPageAt(Pages, i) != first + (i << PAGE_SHIFT)) {
            return false;
        }
    }
    return true;
}

/* Between two addresses that differ in a bit, all lower bits vary. */
static ULONGLONG BitsThatVary(ULONGLONG First, ULONGLONG Last)
{
    ULONGLONG varying = First ^ Last;

    for (ULONG shift = 1; shift < 64; shift *= 2) {
        varying |= varying >> shift;
    }
    return varying;
}

static bool MeetsBounds(const HAL_BOUNDS *Bounds, ULONGLONG First,
                        SIZE_T Length)
{
    ULONGLONG last = First + (Length - 1);

    return First >= Bounds->Low && last >= First && last <= Bounds->High &&
           !(BitsThatVary(First, last) & ~Bounds->Varying) &&
           (!Bounds->Alignment || !(First & (Bounds->Alignment - 1)));
}

static bool MapIdentity(const HAL_BOUNDS *Bounds, const HAL_PAGES *Pages,
                        SIZE_T Length, ULONGLONG *Logical)
{
    *Logical = HalpPageAt(Pages, 0);
    return Consecutive(Pages, Length) &&
           MeetsBounds(Bounds, *Logical, Length);
}

BOOLEAN HalpDomainMap(HAL_DOMAIN *Domain, const HAL_BOUNDS *Bounds,
                      const HAL_PAGES *Pages, SIZE_T Length,
                      ULONGLONG *Logical)
{
    if (!Length) {
        return FALSE;
    }
    if (!HalpDomainTranslates(Domain)) {
        return MapIdentity(Bounds, Pages, Length, Logical);
    }
    if (!HalpDomainReserve(Domain, Bounds, Length, Logical)) {
        return FALSE;
    }
    if (!HalpDomainFill(Domain, *Logical, Pages, Length)) {
        HalpDomainUnmap(Domain, *Logical, Length);
        return FALSE;
    }
    return TRUE;
}

void HalpDomainUnmap(HAL_DOMAIN *Domain, ULONGLONG Logical, SIZE_T Length)
{
    if (HalpDomainTranslates(Domain)) {
        HalpVtdRelease(Domain, Logical, Length);
    }
}

/* The bounds are the logical address's: the pages may lie anywhere. */
static PVOID AllocateBehind(HAL_DOMAIN *Domain, const MI_CONTIGUOUS *Request,
                            ULONGLONG *Logical)
{
    const HAL_BOUNDS bounds = { .Low = Request->Low, .High = Request->High,
                                .Varying = Request->Varying,
                                .Alignment = Request->Alignment };
    HAL_PAGES pages = { .Frames = NULL };

    if (!Request->Length ||
        !HalpDomainReserve(Domain, &bounds, Request->Length, Logical)) {
        return NULL;
    }
    pages.Address = MiAllocateScattered(Request->Length, Request->Node,
                                        Request->Cache);
    if (pages.Address && HalpDomainFill(Domain, *Logical, &pages,
                                        Request->Length)) {
        return pages.Address;
    }
    HalpDomainUnmap(Domain, *Logical, Request->Length);
    if (pages.Address) {
        MiFreeScattered(pages.Address);
    }
    return NULL;
}

PVOID HalpDomainAllocate(HAL_DOMAIN *Domain, const MI_CONTIGUOUS *Request,
                         ULONGLONG *Logical)
{
    return HalpDomainTranslates(Domain)
               ? AllocateBehind(Domain, Request, Logical)
               : MiAllocateContiguous(Request, Logical);
}

/* The device loses the pages before anybody else can get them. */
BOOLEAN HalpDomainFree(HAL_DOMAIN *Domain, PVOID Address, ULONGLONG Logical,
                       SIZE_T Length)
{
    HalpDomainUnmap(Domain, Logical, Length);
    return HalpDomainTranslates(Domain) ? MiFreeScattered(Address)
                                        : MiFreeContiguous(Address);
}
