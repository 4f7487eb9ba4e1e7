/*
 * What a transfer will take, and what a list describes.
 *
 * SPDX-License-Identifier: MIT
 */
#include "adapter.h"

_Static_assert(sizeof(SCATTER_GATHER_ELEMENT) == 0x18 &&
               FIELD_OFFSET(SCATTER_GATHER_ELEMENT, Length) == 0x08 &&
               FIELD_OFFSET(SCATTER_GATHER_LIST, Elements) == 0x10,
               "SCATTER_GATHER_LIST");

ULONG HalpListSize(ULONG Elements)
{
    return FIELD_OFFSET(SCATTER_GATHER_LIST, Elements) +
           Elements * sizeof(SCATTER_GATHER_ELEMENT);
}

ULONG HalpListElements(const HAL_ADAPTER *Adapter, ULONG Pieces)
{
    return Adapter->Map.ScatterGather || !Pieces ? Pieces : 1;
}

/* Without an MDL: for a buffer at that address. */
NTSTATUS NTAPI HalpCalculateScatterGatherList(PDMA_ADAPTER DmaAdapter, PMDL Mdl,
                                              PVOID CurrentVa, ULONG Length,
                                              PULONG ScatterGatherListSize,
                                              PULONG NumberOfMapRegisters)
{
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter,
                                       "CalculateScatterGatherList");
    ULONG pieces = ADDRESS_AND_SIZE_TO_SPAN_PAGES(CurrentVa, Length);
    HAL_CURSOR cursor;

    HalpRequireAtMost(adapter, "CalculateScatterGatherList", DISPATCH_LEVEL);
    if (!Length) {
        return STATUS_INVALID_PARAMETER;
    }
    if (Mdl) {
        ULONGLONG offset = (ULONG_PTR)CurrentVa -
                           (ULONG_PTR)MmGetMdlVirtualAddress(Mdl);

        if (!HalpSeek(Mdl, offset, Length, &cursor)) {
            return STATUS_BUFFER_TOO_SMALL;
        }
        pieces = HalpCountPieces(cursor);
    }
    if (pieces > adapter->Map.Granted) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *ScatterGatherListSize = HalpListSize(HalpListElements(adapter, pieces));
    if (NumberOfMapRegisters) {
        *NumberOfMapRegisters = pieces;
    }
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI HalpGetDmaTransferInfo(PDMA_ADAPTER DmaAdapter, PMDL Mdl,
                                      ULONGLONG Offset, ULONG Length,
                                      BOOLEAN WriteOnly,
                                      PDMA_TRANSFER_INFO TransferInfo)
{
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, "GetDmaTransferInfo");
    HAL_CURSOR cursor;
    ULONG pieces, elements;

    UNREFERENCED_PARAMETER(WriteOnly);
    HalpRequireAtMost(adapter, "GetDmaTransferInfo", DISPATCH_LEVEL);
    if (TransferInfo->Version != DMA_TRANSFER_INFO_VERSION1 &&
        TransferInfo->Version != DMA_TRANSFER_INFO_VERSION2) {
        return STATUS_NOT_SUPPORTED;
    }
    if (!Length || !HalpSeek(Mdl, Offset, Length, &cursor)) {
        return STATUS_INVALID_PARAMETER;
    }
    pieces = HalpCountPieces(cursor);
    elements = HalpListElements(adapter, pieces);
    TransferInfo->V1.MapRegisterCount = pieces;
    TransferInfo->V1.ScatterGatherElementCount = elements;
    TransferInfo->V1.ScatterGatherListSize = HalpListSize(elements);
    if (TransferInfo->Version == DMA_TRANSFER_INFO_VERSION2) {
        TransferInfo->V2.LogicalPageCount = pieces;
    }
    return STATUS_SUCCESS;
}

/* Where the device's bytes of a register are in memory. */
static ULONGLONG SeenAt(const HAL_REGISTER *Entry)
{
    return Entry->Bounce
               ? (ULONGLONG)MmGetPhysicalAddress(Entry->Bounce).QuadPart
               : Entry->Physical;
}

/* Registers from First on that one MDL can describe, and their bytes. */
static ULONG RunLength(const HAL_GRANT *Grant, ULONG First, ULONG *Bytes)
{
    ULONGLONG end = 0;
    ULONG i;

    *Bytes = 0;
    for (i = First; i < Grant->Next; i++) {
        ULONGLONG at = SeenAt(&Grant->Register[i]);

        if (i > First && at != end &&
            (BYTE_OFFSET((ULONG_PTR)at) || BYTE_OFFSET((ULONG_PTR)end))) {
            break;
        }
        end = at + Grant->Register[i].Length;
        *Bytes += Grant->Register[i].Length;
    }
    return i - First;
}

/* A register's bytes in a block may lie in two pages, which adjoin then. */
static void FillFrames(PMDL Mdl, ULONG At, ULONGLONG Address, ULONG Length)
{
    ULONG last = (At + Length - 1) >> PAGE_SHIFT;

    for (ULONG page = At >> PAGE_SHIFT; page <= last; page++) {
        MmGetMdlPfnArray(Mdl)[page] = (PFN_NUMBER)(Address >> PAGE_SHIFT) +
                                      (page - (At >> PAGE_SHIFT));
    }
}

static PMDL DescribeRun(const HAL_GRANT *Grant, ULONG First, ULONG Count,
                        ULONG Bytes)
{
    ULONG offset = BYTE_OFFSET((ULONG_PTR)SeenAt(&Grant->Register[First]));
    PMDL mdl = IoAllocateMdl((PVOID)(ULONG_PTR)offset, Bytes, FALSE, FALSE,
                             NULL);
    ULONG done = 0;

    for (ULONG i = First; mdl && i < First + Count; i++) {
        const HAL_REGISTER *entry = &Grant->Register[i];

        FillFrames(mdl, offset + done, SeenAt(entry), entry->Length);
        done += entry->Length;
    }
    if (mdl) {
        mdl->MdlFlags |= MDL_PAGES_LOCKED;
    }
    return mdl;
}

static void FreeChain(PMDL Mdl)
{
    while (Mdl) {
        PMDL next = Mdl->Next;

        IoFreeMdl(Mdl);
        Mdl = next;
    }
}

/*
 * The memory that the device sees, bounce pages included. Bytes that no single
 * MDL can describe become a chain; the caller frees each with IoFreeMdl before
 * the list goes.
 */
NTSTATUS NTAPI HalpBuildMdlFromScatterGatherList(
    PDMA_ADAPTER DmaAdapter, PSCATTER_GATHER_LIST ScatterGather,
    PMDL OriginalMdl, PMDL *TargetMdl)
{
    static const char routine[] = "BuildMdlFromScatterGatherList";
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, routine);
    HAL_GRANT *grant = HalpFindList(adapter, ScatterGather);
    PMDL *link = TargetMdl;
    ULONG bytes, count;

    HalpRequireAtMost(adapter, routine, DISPATCH_LEVEL);
    if (!grant || !OriginalMdl || !TargetMdl) {
        return STATUS_INVALID_PARAMETER;
    }
    *TargetMdl = NULL;
    for (ULONG first = 0; first < grant->Next; first += count) {
        count = RunLength(grant, first, &bytes);
        *link = DescribeRun(grant, first, count, bytes);
        if (!*link) {
            FreeChain(*TargetMdl);
            *TargetMdl = NULL;
            return STATUS_INSUFFICIENT_RESOURCES;
        }
        link = &(*link)->Next;
    }
    return STATUS_SUCCESS;
}
