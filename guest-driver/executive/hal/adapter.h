/*
 * DMA adapters, as hal.dll keeps them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_HAL_ADAPTER_H
#define EXECUTIVE_HAL_ADAPTER_H

#include "packet.h"
#include "systemdma.h"
#include "verify.h"

#include "wdm3.h"

/* One common buffer that has not been freed. */
typedef struct _HAL_BUFFER {
    LIST_ENTRY Link;
    PVOID Address;
    ULONGLONG Logical;
    SIZE_T Length;              /* as the driver has asked */
    SIZE_T Taken;               /* what that took: its bytes, or whole granules */
    BOOLEAN Cached;             /* as the driver has asked */
    BOOLEAN InVector;           /* freed through its vector only */
    BOOLEAN OfMdl;              /* the memory is the driver's own */
    HAL_SITE Allocated;
    BOOLEAN Claimed;            /* its pages are noted: verify_result.c */
} HAL_BUFFER;

struct _HAL_ADAPTER {
    DMA_ADAPTER Header;         /* what the driver sees */
    ULONG Signature;
    ULONGLONG Limit;            /* last address the device reaches */
    ULONG AddressWidth;
    ULONGLONG Varying;          /* bits in which bytes of one piece may differ */
    HAL_SYSTEM System;          /* Unit 0: a bus master's */
    NODE_REQUIREMENT Node;      /* the device's own */
    HAL_DOMAIN *Domain;
    PDEVICE_OBJECT Pdo;
    BOOLEAN Joined;             /* JoinDmaDomain, and not left since */
    KSPIN_LOCK Lock;
    LIST_ENTRY Buffers;
    HAL_MAP_POOL Map;
    LIST_ENTRY AllLink;         /* among all adapters: verify_buffers.c */
    HAL_SITE Made;
    HAL_SITE Released;
};

/* The bus that the description names, or else the PDO's. */
INTERFACE_TYPE HalpBusOf(PDEVICE_OBJECT Pdo,
                         const struct _DEVICE_DESCRIPTION *Description);

/* The adapter behind what a driver has passed; stops if it is none. */
HAL_ADAPTER *HalpAdapter(PDMA_ADAPTER DmaAdapter, PCSTR Routine);

/* Stops if the driver has not given back all that it got from the adapter. */
void HalpCheckReturned(const HAL_ADAPTER *Adapter, PCSTR Routine);

/*
 * What all the allocating routines come to; Routine is the one that the driver
 * has called. Request's bounds are inclusive, and are narrowed to the adapter's
 * reach; Length is the driver's, Request's may be more. NULL: there is no such
 * memory.
 */
HAL_BUFFER *HalpTakeBuffer(HAL_ADAPTER *Adapter, PCSTR Routine,
                           MI_CONTIGUOUS *Request, SIZE_T Length,
                           BOOLEAN CacheEnabled);

/* Frees what the function above gave. */
void HalpGiveBuffer(HAL_ADAPTER *Adapter, PCSTR Routine, HAL_BUFFER *Buffer);

/* Whether a buffer may be asked for of that node. */
bool HalpNodeExists(NODE_REQUIREMENT Node);

/*
 * Brings Request's alignment and length to what Flags ask for. False: an
 * unknown flag, or a cache type that no common buffer has.
 */
bool HalpApplyFlags(ULONG Flags, MEMORY_CACHING_TYPE CacheType,
                    MI_CONTIGUOUS *Request);

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
NTSTATUS NTAPI HalpAllocateDomainCommonBuffer(
    PDMA_ADAPTER DmaAdapter, HANDLE DomainHandle,
    PPHYSICAL_ADDRESS MaximumAddress, ULONG Length, ULONG Flags,
    MEMORY_CACHING_TYPE *CacheType, NODE_REQUIREMENT PreferredNode,
    PPHYSICAL_ADDRESS LogicalAddress, PVOID *VirtualAddress);
HANDLE NTAPI HalpGetDmaDomain(PDMA_ADAPTER DmaAdapter);
NTSTATUS NTAPI HalpJoinDmaDomain(PDMA_ADAPTER DmaAdapter, HANDLE DomainHandle);
NTSTATUS NTAPI HalpLeaveDmaDomain(PDMA_ADAPTER DmaAdapter);
NTSTATUS NTAPI HalpAllocateCommonBufferVector(
    PDMA_ADAPTER DmaAdapter, PHYSICAL_ADDRESS LowAddress,
    PHYSICAL_ADDRESS HighAddress, MEMORY_CACHING_TYPE CacheType,
    ULONG IdealNode, ULONG Flags, ULONG NumberOfElements,
    ULONGLONG SizeOfElements, PDMA_COMMON_BUFFER_VECTOR *VectorOut);
VOID NTAPI HalpGetCommonBufferFromVectorByIndex(
    PDMA_ADAPTER DmaAdapter, PDMA_COMMON_BUFFER_VECTOR Vector, ULONG Index,
    PVOID *VirtualAddressOut, PPHYSICAL_ADDRESS LogicalAddressOut);
VOID NTAPI HalpFreeCommonBufferFromVector(PDMA_ADAPTER DmaAdapter,
                                          PDMA_COMMON_BUFFER_VECTOR Vector,
                                          ULONG Index);
VOID NTAPI HalpFreeCommonBufferVector(PDMA_ADAPTER DmaAdapter,
                                      PDMA_COMMON_BUFFER_VECTOR Vector);
NTSTATUS NTAPI HalpCreateCommonBufferFromMdl(PDMA_ADAPTER DmaAdapter, PMDL Mdl,
                                             PVOID ExtendedConfigs,
                                             ULONG ExtendedConfigsCount,
                                             PPHYSICAL_ADDRESS LogicalAddress);
VOID NTAPI HalpFreeCommonBuffer(PDMA_ADAPTER DmaAdapter, ULONG Length,
                                PHYSICAL_ADDRESS LogicalAddress,
                                PVOID VirtualAddress, BOOLEAN CacheEnabled);

#endif
