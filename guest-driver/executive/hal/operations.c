/*
 * The table of an adapter's routines, as long as its version makes it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "adapter.h"

#include "platform.h"

/*
 * ReadDmaCounter, which is about system DMA. A driver that calls it is told so,
 * instead of jumping to address 0.
 */
static VOID NTAPI NotInThisExecutive(VOID)
{
    DbgPrint("\nhal: the driver called a member of DMA_OPERATIONS that "
             "this executive does not have\n");
    KeBugCheckEx(DRIVER_VERIFIER_DMA_VIOLATION, 0,
                 (ULONG_PTR)__builtin_return_address(0), 0, 0);
}

static DMA_OPERATIONS3 Operations = {
    .PutDmaAdapter = HalpPutDmaAdapter,
    .AllocateCommonBuffer = HalpAllocateCommonBuffer,
    .FreeCommonBuffer = HalpFreeCommonBuffer,
    .AllocateAdapterChannel = HalpAllocateAdapterChannel,
    .FlushAdapterBuffers = HalpFlushAdapterBuffers,
    .FreeAdapterChannel = HalpFreeAdapterChannel,
    .FreeMapRegisters = HalpFreeMapRegisters,
    .MapTransfer = HalpMapTransfer,
    .GetDmaAlignment = HalpGetDmaAlignment,
    .GetScatterGatherList = HalpGetScatterGatherList,
    .PutScatterGatherList = HalpPutScatterGatherList,
    .CalculateScatterGatherList = HalpCalculateScatterGatherList,
    .BuildScatterGatherList = HalpBuildScatterGatherList,
    .BuildMdlFromScatterGatherList = HalpBuildMdlFromScatterGatherList,
    .GetDmaAdapterInfo = HalpGetDmaAdapterInfo,
    .GetDmaTransferInfo = HalpGetDmaTransferInfo,
    .InitializeDmaTransferContext = HalpInitializeDmaTransferContext,
    .AllocateCommonBufferEx = HalpAllocateCommonBufferEx,
    .AllocateAdapterChannelEx = HalpAllocateAdapterChannelEx,
    .ConfigureAdapterChannel = HalpConfigureAdapterChannel,
    .CancelAdapterChannel = HalpCancelAdapterChannel,
    .MapTransferEx = HalpMapTransferEx,
    .GetScatterGatherListEx = HalpGetScatterGatherListEx,
    .BuildScatterGatherListEx = HalpBuildScatterGatherListEx,
    .FlushAdapterBuffersEx = HalpFlushAdapterBuffersEx,
    .FreeAdapterObject = HalpFreeAdapterObject,
    .CancelMappedTransfer = HalpCancelMappedTransfer,
    .FlushDmaBuffer = HalpFlushDmaBuffer,
    .AllocateDomainCommonBuffer = HalpAllocateDomainCommonBuffer,
    .JoinDmaDomain = HalpJoinDmaDomain,
    .LeaveDmaDomain = HalpLeaveDmaDomain,
    .GetDmaDomain = HalpGetDmaDomain,
    .AllocateCommonBufferWithBounds = HalpAllocateCommonBufferWithBounds,
    .AllocateCommonBufferVector = HalpAllocateCommonBufferVector,
    .GetCommonBufferFromVectorByIndex = HalpGetCommonBufferFromVectorByIndex,
    .FreeCommonBufferFromVector = HalpFreeCommonBufferFromVector,
    .FreeCommonBufferVector = HalpFreeCommonBufferVector,
    .CreateCommonBufferFromMdl = HalpCreateCommonBufferFromMdl,
};

static DMA_OPERATIONS3 Tables[DEVICE_DESCRIPTION_VERSION3 + 1];

static ULONG SizeOf(ULONG Version)
{
    switch (Version) {
    case DEVICE_DESCRIPTION_VERSION3:
        return HalpPlatform()->Version3Size;
    case DEVICE_DESCRIPTION_VERSION2:
        return DMA_OPERATIONS_SIZE_V2;
    default:
        return DMA_OPERATIONS_SIZE_V1;
    }
}

static void MakeTable(DMA_OPERATIONS3 *Table, ULONG Size)
{
    PVOID *slots = (PVOID *)Table;

    RtlCopyMemory(Table, &Operations, Size);
    for (ULONG i = 1; i < Size / sizeof(PVOID); i++) {
        if (!slots[i]) {
            slots[i] = (PVOID)(ULONG_PTR)NotInThisExecutive;
        }
    }
    Table->Size = Size;
}

DMA_OPERATIONS3 *HalpOperations(ULONG Version)
{
    if (!Tables[Version].Size) {
        MakeTable(&Tables[Version], SizeOf(Version));
    }
    return &Tables[Version];
}
