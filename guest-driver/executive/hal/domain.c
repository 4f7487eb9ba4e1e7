/*
 * Domains: the identity.
 *
 * SPDX-License-Identifier: MIT
 */
#include "domain.h"

struct _HAL_DOMAIN {
    BOOLEAN Translates;
};

static HAL_DOMAIN Identity;

HAL_DOMAIN *HalpDomainOf(PDEVICE_OBJECT Pdo)
{
    UNREFERENCED_PARAMETER(Pdo);
    return &Identity;
}

BOOLEAN HalpDomainTranslates(const HAL_DOMAIN *Domain)
{
    return Domain->Translates;
}

static ULONGLONG PageAt(const HAL_PAGES *Pages, SIZE_T Index)
{
    if (Pages->Frames) {
        return (ULONGLONG)Pages->Frames[Index] << PAGE_SHIFT;
    }
    return (ULONGLONG)MmGetPhysicalAddress((PUCHAR)Pages->Address +
                                           (Index << PAGE_SHIFT)).QuadPart;
}

static bool Consecutive(const HAL_PAGES *Pages, SIZE_T Length)
{
    ULONGLONG first = PageAt(Pages, 0);

    for (SIZE_T i = 1; i < BYTES_TO_PAGES(Length); i++) {
        if (PageAt(Pages, i) != first + (i << PAGE_SHIFT)) {
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

BOOLEAN HalpDomainMap(HAL_DOMAIN *Domain, const HAL_BOUNDS *Bounds,
                      const HAL_PAGES *Pages, SIZE_T Length,
                      ULONGLONG *Logical)
{
    UNREFERENCED_PARAMETER(Domain);
    if (!Length || !Consecutive(Pages, Length) ||
        !MeetsBounds(Bounds, PageAt(Pages, 0), Length)) {
        return FALSE;
    }
    *Logical = PageAt(Pages, 0);
    return TRUE;
}

void HalpDomainUnmap(HAL_DOMAIN *Domain, ULONGLONG Logical, SIZE_T Length)
{
    UNREFERENCED_PARAMETER(Domain);
    UNREFERENCED_PARAMETER(Logical);
    UNREFERENCED_PARAMETER(Length);
}

PVOID HalpDomainAllocate(HAL_DOMAIN *Domain, const MI_CONTIGUOUS *Request,
                         ULONGLONG *Logical)
{
    UNREFERENCED_PARAMETER(Domain);
    return MiAllocateContiguous(Request, Logical);
}

BOOLEAN HalpDomainFree(HAL_DOMAIN *Domain, PVOID Address, ULONGLONG Logical,
                       SIZE_T Length)
{
    HalpDomainUnmap(Domain, Logical, Length);
    return MiFreeContiguous(Address);
}
