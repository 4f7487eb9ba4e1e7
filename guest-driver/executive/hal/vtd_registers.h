/*
 * Registers and tables of an Intel IOMMU (VT-d specification 9 and 10).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_HAL_VTD_REGISTERS_H
#define EXECUTIVE_HAL_VTD_REGISTERS_H

#include <stdint.h>

#define VTD_CAP                 0x08
#define   VTD_CAP_DOMAINS(c)    (1u << (4 + 2 * ((c) & 7)))
#define   VTD_CAP_RWBF          (1ull << 4)
#define   VTD_CAP_CM            (1ull << 7)
#define   VTD_CAP_LEVELS(n)     (1ull << (8 + (n) - 2))
#define   VTD_CAP_WIDTH(c)      (((ULONG)((c) >> 16) & 0x3f) + 1)
#define   VTD_CAP_FRO(c)        (((ULONG)((c) >> 24) & 0x3ff) * 16)
#define   VTD_CAP_PSI           (1ull << 39)
#define   VTD_CAP_FAULTS(c)     (((ULONG)((c) >> 40) & 0xff) + 1)
#define   VTD_CAP_MAMV(c)       ((ULONG)((c) >> 48) & 0x3f)
#define VTD_ECAP                0x10
#define   VTD_ECAP_COHERENT     (1ull << 0)
#define   VTD_ECAP_IRO(e)       (((ULONG)((e) >> 8) & 0x3ff) * 16)
#define VTD_GCMD                0x18
#define   VTD_GCMD_TE           (1u << 31)
#define   VTD_GCMD_SRTP         (1u << 30)
#define   VTD_GCMD_WBF          (1u << 27)
#define   VTD_GCMD_LASTING      0x96ffffffu     /* not the one-shot commands */
#define VTD_GSTS                0x1c
#define VTD_RTADDR              0x20
#define VTD_CCMD                0x28
#define   VTD_CCMD_ICC          (1ull << 63)
#define   VTD_CCMD_GLOBAL       (1ull << 61)
#define VTD_FSTS                0x34
#define   VTD_FSTS_OVERFLOW     (1u << 0)
#define   VTD_FSTS_INDEX(s)     ((s) >> 8 & 0xff)
#define VTD_FECTL               0x38
#define VTD_FEDATA              0x3c
#define VTD_FEADDR              0x40
#define VTD_FEUADDR             0x44

/* From ECAP.IRO on. */
#define VTD_IVA                 0x00
#define VTD_IOTLB               0x08
#define   VTD_IOTLB_IVT         (1ull << 63)
#define   VTD_IOTLB_GLOBAL      (1ull << 60)
#define   VTD_IOTLB_DOMAIN      (2ull << 60)
#define   VTD_IOTLB_PAGES       (3ull << 60)
#define   VTD_IOTLB_DRAIN       (3ull << 48)
#define   VTD_IOTLB_DOMAIN_SHIFT    32

/* A fault recording register, from CAP.FRO on. */
#define VTD_FAULT_SIZE          16
#define VTD_FAULT_ADDRESS       0x00            /* bits 63 to 12 */
#define VTD_FAULT_INFO          0x08
#define   VTD_FAULT_REQUESTER(i)    ((USHORT)(i))
#define   VTD_FAULT_REASON(i)   ((ULONG)((i) >> 32) & 0xff)
#define   VTD_FAULT_IS_READ     (1ull << 62)
#define   VTD_FAULT_VALID       (1ull << 63)    /* writing it empties it */

#define VTD_LEVELS_LEAST        3u
#define VTD_LEVELS_MOST         5u
#define VTD_CACHE_LINE          64
#define VTD_PATIENCE            10000000u

/* Root and context entries; a page table's entry is the first half of one. */
typedef struct _VTD_ENTRY {
    volatile ULONGLONG Low;
    volatile ULONGLONG High;
} VTD_ENTRY;

#define VTD_PRESENT             1ull
#define VTD_READ                1ull
#define VTD_WRITE               2ull
#define VTD_ADDRESS             0x000ffffffffff000ull
#define VTD_CONTEXT_DOMAIN(id)  ((ULONGLONG)(id) << 8)
#define VTD_CONTEXT_LEVELS(n)   ((n) - 2)

#endif
