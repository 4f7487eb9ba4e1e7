/*
 * The table of an adapter's routines, as long as its version makes it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "adapter.h"

#include "platform.h"

/*
 * Packet and system DMA. A driver that calls one of these is told so, instead
 * of jumping to address 0.
 */
static VOID NTAPI NotInThisExecutive(VOID)
{
    DbgPrint("\nhal: this executive offers common buffers only; the driver "
             "called another member of DMA_OPERATIONS\n");
    KeBugCheckEx(DRIVER_VERIFIER_DMA_VIOLATION, 0,
                 (ULONG_PTR)__builtin_return_address(0), 0, 0);
}

static DMA_OPERATIONS3 Operations = {
    .PutDmaAdapter = HalpPutDmaAdapter,
    .AllocateCommonBuffer = HalpAllocateCommonBuffer,
    .FreeCommonBuffer = HalpFreeCommonBuffer,
    .GetDmaAlignment = HalpGetDmaAlignment,
    .GetDmaAdapterInfo = HalpGetDmaAdapterInfo,
    .AllocateCommonBufferEx = HalpAllocateCommonBufferEx,
    .AllocateDomainCommonBuffer = HalpAllocateDomainCommonBuffer,
    .JoinDmaDomain = HalpJoinDmaDomain,
    .LeaveDmaDomain = HalpLeaveDmaDomain,
    .GetDmaDomain = HalpGetDmaDomain,
    .AllocateCommonBufferWithBounds = HalpAllocateCommonBufferWithBounds,
    .AllocateCommonBufferVector = HalpAllocateCommonBufferVector,
    .GetCommonBufferFromVectorByIndex = HalpGetCommonBufferFromVectorByIndex,
    .FreeCommonBufferFromVector = HalpFreeCommonBufferFromVector,
    .FreeCommonBufferVector = HalpFreeCommonBufferVector,
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
