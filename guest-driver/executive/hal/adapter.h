/*
 * DMA adapters, as hal.dll keeps them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_HAL_ADAPTER_H
#define EXECUTIVE_HAL_ADAPTER_H

#include "domain.h"
#include "verify.h"

#include "wdm3.h"

/* One common buffer that has not been freed. */
typedef struct _HAL_BUFFER {
    LIST_ENTRY Link;
    PVOID Address;
    ULONGLONG Logical;
    ULONG Length;               /* as the driver has asked */
    SIZE_T Taken;               /* what that took: its bytes, or whole granules */
    BOOLEAN Cached;             /* as the driver has asked */
    HAL_SITE Allocated;
} HAL_BUFFER;

typedef struct _HAL_ADAPTER {
    DMA_ADAPTER Header;         /* what the driver sees */
    ULONG Signature;
    ULONGLONG Limit;            /* last address the device reaches */
    ULONG AddressWidth;
    NODE_REQUIREMENT Node;      /* the device's own */
    HAL_DOMAIN *Domain;
    KSPIN_LOCK Lock;
    LIST_ENTRY Buffers;
    LIST_ENTRY AllLink;         /* among all adapters: verify_buffers.c */
    HAL_SITE Made;
} HAL_ADAPTER;

/* The adapter behind what a driver has passed; stops if it is none. */
HAL_ADAPTER *HalpAdapter(PDMA_ADAPTER DmaAdapter, PCSTR Routine);

/* The table for a description of that version, which the platform has. */
DMA_OPERATIONS3 *HalpOperations(ULONG Version);

VOID NTAPI HalpPutDmaAdapter(PDMA_ADAPTER DmaAdapter);
ULONG NTAPI HalpGetDmaAlignment(PDMA_ADAPTER DmaAdapter);
NTSTATUS NTAPI HalpGetDmaAdapterInfo(PDMA_ADAPTER DmaAdapter,
                                     PDMA_ADAPTER_INFO AdapterInfo);
PVOID NTAPI HalpAllocateCommonBuffer(PDMA_ADAPTER DmaAdapter, ULONG Length,
                                     PPHYSICAL_ADDRESS LogicalAddress,
                                     BOOLEAN CacheEnabled);
PVOID NTAPI HalpAllocateCommonBufferEx(PDMA_ADAPTER DmaAdapter,
                                       PPHYSICAL_ADDRESS MaximumAddress,
                                       ULONG Length,
                                       PPHYSICAL_ADDRESS LogicalAddress,
                                       BOOLEAN CacheEnabled,
                                       NODE_REQUIREMENT PreferredNode);
PVOID NTAPI HalpAllocateCommonBufferWithBounds(
    PDMA_ADAPTER DmaAdapter, PPHYSICAL_ADDRESS MinimumAddress,
    PPHYSICAL_ADDRESS MaximumAddress, ULONG Length, ULONG Flags,
    MEMORY_CACHING_TYPE *CacheType, NODE_REQUIREMENT PreferredNode,
    PPHYSICAL_ADDRESS LogicalAddress);
VOID NTAPI HalpFreeCommonBuffer(PDMA_ADAPTER DmaAdapter, ULONG Length,
                                PHYSICAL_ADDRESS LogicalAddress,
                                PVOID VirtualAddress, BOOLEAN CacheEnabled);

#endif
