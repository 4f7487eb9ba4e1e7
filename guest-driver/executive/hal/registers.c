/*
 * The memory of map registers: their record, and what the device sees instead
 * of pages that it does not reach.
 *
 * SPDX-License-Identifier: MIT
 */
#include "adapter.h"

#define GRANT_TAG               'tnrG'

static HAL_LATE Freed;

BOOLEAN HalpReachesAll(const HAL_ADAPTER *Adapter)
{
    return HalpDomainTranslates(Adapter->Domain) ||
           Adapter->Limit >= MiHighestPhysical();
}

/* A page for each register, as far as one piece may reach. */
static SIZE_T BlockBytes(const HAL_GRANT *Grant)
{
    SIZE_T bytes = (SIZE_T)Grant->Count * PAGE_SIZE;
    ULONGLONG most = Grant->Adapter->Varying;

    return bytes - 1 <= most ? bytes : (SIZE_T)most + 1;
}

HAL_GRANT *HalpNewGrant(HAL_ADAPTER *Adapter, HAL_GRANT_KIND Kind, ULONG Count,
                        ULONG ListBytes)
{
    SIZE_T size = sizeof(HAL_GRANT) + (SIZE_T)Count * sizeof(HAL_REGISTER);
    HAL_GRANT *grant = ExAllocatePoolWithTag(NonPagedPool, size + ListBytes,
                                             GRANT_TAG);

    if (grant) {
        RtlZeroMemory(grant, size + ListBytes);
        grant->Adapter = Adapter;
        grant->Kind = Kind;
        grant->Count = Count;
        if (ListBytes) {
            grant->List = (PSCATTER_GATHER_LIST)((PUCHAR)grant + size);
        }
    }
    return grant;
}

void HalpDeleteGrant(HAL_GRANT *Grant)
{
    if (Grant->Pages) {
        MmFreePagesFromMdl(Grant->Pages);
        ExFreePool(Grant->Pages);
    }
    if (Grant->Block) {
        HalpDomainUnmap(Grant->Adapter->Domain, Grant->BlockLogical,
                        BlockBytes(Grant));
        MiFreeContiguous(Grant->Block);
    }
    HalpFreeLate(&Freed, Grant, GRANT_TAG);
}

/* What the driver has of it. */
static const VOID *HandleOf(const VOID *Grant)
{
    const HAL_GRANT *grant = Grant;

    return grant->Kind == HAL_LIST ? (const VOID *)grant->List : grant;
}

void HalpGrantUnknown(const HAL_ADAPTER *Adapter, HAL_RULE Rule, PCSTR Routine,
                      const VOID *Handle)
{
    const HAL_GRANT *grant = HalpFindLate(&Freed, Handle, HandleOf);

    HalpBreach(&(HAL_BREACH){
        .Rule = Rule,
        .Routine = Routine,
        .Adapter = Adapter,
        .Grant = grant,
        .Freed = grant ? &grant->Freed : NULL,
        .Actual = (ULONG_PTR)Handle,
    });
}

BOOLEAN HalpAddBouncePages(HAL_GRANT *Grant, ULONG Pages)
{
    PHYSICAL_ADDRESS zero = { .QuadPart = 0 }, high;

    if (!Pages) {
        return TRUE;
    }
    high.QuadPart = (LONGLONG)Grant->Adapter->Limit;
    Grant->Pages = MmAllocatePagesForMdlEx(zero, high, zero,
                                           (SIZE_T)Pages * PAGE_SIZE, MmCached,
                                           MM_ALLOCATE_FULLY_REQUIRED);
    return Grant->Pages != NULL;
}

BOOLEAN HalpAddBounceBlock(HAL_GRANT *Grant)
{
    HAL_ADAPTER *adapter = Grant->Adapter;
    HAL_BOUNDS bounds = { 0, adapter->Limit, adapter->Varying, 0 };
    MI_CONTIGUOUS request = {
        .High = HalpDomainTranslates(adapter->Domain) ? MAXULONGLONG
                                                      : adapter->Limit,
        .Varying = HalpDomainTranslates(adapter->Domain) ? MAXULONGLONG
                                                         : adapter->Varying,
        .Length = BlockBytes(Grant),
        .Node = adapter->Node,
        .Cache = MmCached,
    };
    HAL_PAGES pages = { NULL, NULL };
    ULONGLONG physical;

    pages.Address = MiAllocateContiguous(&request, &physical);
    if (!pages.Address) {
        return FALSE;
    }
    if (!HalpDomainMap(adapter->Domain, &bounds, &pages, request.Length,
                       &Grant->BlockLogical)) {
        MiFreeContiguous(pages.Address);
        return FALSE;
    }
    Grant->Block = pages.Address;
    return TRUE;
}
