/*
 * What a device's DMA addresses mean: its domain.
 *
 * Without an IOMMU all devices share one domain, the identity: a logical
 * address is a physical one. With an IOMMU each requester ID has a domain with
 * page tables and an address space of its own.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_HAL_DOMAIN_H
#define EXECUTIVE_HAL_DOMAIN_H

#include "hal.h"

#include "frames.h"
#include "vtd.h"

/* The members are the two files' hal/domain*.c. */
typedef struct _HAL_DOMAIN {
    struct _HAL_DOMAIN *Next;
    VTD_UNIT *Unit;             /* NULL: the identity */
    USHORT Requester;
    USHORT Id;                  /* the IOMMU's name for it */
    KSPIN_LOCK Lock;
    ULONGLONG Table;            /* the topmost, physical */
    struct frames Space;        /* logical addresses */
    ULONGLONG Fixed;            /* allocations in it that stay: firmware's */
} HAL_DOMAIN;

/* Which logical addresses will do. Judged on bytes; whole pages are mapped. */
typedef struct _HAL_BOUNDS {
    ULONGLONG Low;              /* first legal byte */
    ULONGLONG High;             /* last legal byte */
    ULONGLONG Varying;          /* bits in which bytes may differ; ~0: all */
    ULONGLONG Alignment;        /* of the first byte: a power of two; 0: a page */
} HAL_BOUNDS;

/* Pages in the order in which the device shall see them. */
typedef struct _HAL_PAGES {
    const PFN_NUMBER *Frames;   /* as MmGetMdlPfnArray has them; or NULL: */
    PVOID Address;              /* those that are mapped here, page-aligned */
} HAL_PAGES;

/*
 * The domain of the device; made when it is first asked for, and for good.
 * NULL: no memory, or Pdo is no PCI function, whose DMA an IOMMU denies.
 * PASSIVE_LEVEL.
 */
HAL_DOMAIN *HalpDomainOf(PDEVICE_OBJECT Pdo);

/* Where an address is a physical one. */
HAL_DOMAIN *HalpIdentityDomain(void);

/* FALSE: the identity. */
static inline BOOLEAN HalpDomainTranslates(const HAL_DOMAIN *Domain)
{
    return Domain->Unit != NULL;
}

/*
 * Makes Length bytes from the start of the first page accessible to the device
 * at *Logical, which is a page's start, and on, in one piece. The identity can
 * do so only if the pages follow each other and lie within the bounds already.
 * FALSE: it cannot be done. IRQL <= DISPATCH_LEVEL.
 */
BOOLEAN HalpDomainMap(HAL_DOMAIN *Domain, const HAL_BOUNDS *Bounds,
                      const HAL_PAGES *Pages, SIZE_T Length,
                      ULONGLONG *Logical);

/*
 * Ends that. When it returns the device cannot reach the pages any more through
 * these addresses. Logical and Length are the call's above.
 * IRQL <= DISPATCH_LEVEL.
 */
void HalpDomainUnmap(HAL_DOMAIN *Domain, ULONGLONG Logical, SIZE_T Length);

/*
 * Zero-filled memory with a contiguous virtual and a contiguous logical address.
 * Request's bounds are the logical address's. NULL: there is none.
 * PASSIVE_LEVEL.
 */
PVOID HalpDomainAllocate(HAL_DOMAIN *Domain, const MI_CONTIGUOUS *Request,
                         ULONGLONG *Logical);

/*
 * For a domain that translates: HalpDomainMap in two steps, so that no memory
 * is taken for a request that its bounds rule out. The range is reserved with
 * nothing mapped in it; HalpDomainUnmap ends it either way.
 */
BOOLEAN HalpDomainReserve(HAL_DOMAIN *Domain, const HAL_BOUNDS *Bounds,
                          SIZE_T Length, ULONGLONG *Logical);
BOOLEAN HalpDomainFill(HAL_DOMAIN *Domain, ULONGLONG Logical,
                       const HAL_PAGES *Pages, SIZE_T Length);

/* The page that the device finds at a logical one. */
#define HAL_NOTHING_THERE       MAXULONGLONG    /* it finds none */
ULONGLONG HalpDomainTranslate(const HAL_DOMAIN *Domain, ULONGLONG Logical);

/* Takes it back; FALSE: its memory was freed by another routine. */
BOOLEAN HalpDomainFree(HAL_DOMAIN *Domain, PVOID Address, ULONGLONG Logical,
                       SIZE_T Length);

#endif
