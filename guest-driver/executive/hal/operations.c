/*
 * The table of an adapter's routines, as long as its version makes it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "adapter.h"

#include "platform.h"

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
    .ReadDmaCounter = HalpReadDmaCounter,
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
    RtlCopyMemory(Table, &Operations, Size);
    Table->Size = Size;
}

DMA_OPERATIONS3 *HalpOperations(ULONG Version)
{
    if (!Tables[Version].Size) {
        MakeTable(&Tables[Version], SizeOf(Version));
    }
    return &Tables[Version];
}
