/*
 * Domains behind Intel IOMMUs.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_HAL_DOMAIN_VTD_H
#define EXECUTIVE_HAL_DOMAIN_VTD_H

#include "domain.h"

/* Whether the machine's IOMMUs translate. */
BOOLEAN HalpVtdIsOn(void);

/* HalpDomainOf's work then. */
HAL_DOMAIN *HalpVtdDomainOf(PDEVICE_OBJECT Pdo);

/* HalpDomainUnmap's. */
void HalpVtdRelease(HAL_DOMAIN *Domain, ULONGLONG Logical, SIZE_T Length);

/* The physical address of a page by its place in the list. */
ULONGLONG HalpPageAt(const HAL_PAGES *Pages, SIZE_T Index);

#endif
