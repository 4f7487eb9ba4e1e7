/*
 * MapTransfer and FlushAdapterBuffers, both forms.
 *
 * SPDX-License-Identifier: MIT
 */
#include "adapter.h"

static HAL_GRANT *Granted(PDMA_ADAPTER DmaAdapter, PVOID Base, PCSTR Routine)
{
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, Routine);
    HAL_GRANT *grant;

    HalpRequireAtMost(adapter, Routine, DISPATCH_LEVEL);
    grant = HalpFindGrant(adapter, Base);
    if (!grant) {
        HalpViolation(HALP_FREED_TWICE_REGISTERS, Routine,
                      "MapRegisterBase is not of this adapter, or was freed",
                      (ULONG_PTR)Base);
    }
    return grant;
}

/* CurrentVa is an index into this MDL; those behind it are not looked at. */
static HAL_CURSOR CursorAt(PMDL Mdl, PVOID CurrentVa, ULONG Length,
                           PCSTR Routine)
{
    ULONG_PTR offset = (ULONG_PTR)CurrentVa -
                       (ULONG_PTR)MmGetMdlVirtualAddress(Mdl);

    if (offset >= Mdl->ByteCount) {
        HalpViolation(HALP_NOT_IN_MDL, Routine, "CurrentVa is not in the MDL",
                      (ULONG_PTR)CurrentVa);
    }
    if (Length > Mdl->ByteCount - offset) {
        HalpViolation(HALP_BAD_MDL, Routine,
                      "Length goes beyond the end of the MDL", Length);
    }
    return (HAL_CURSOR){ Mdl, (ULONG)offset, Length };
}

static void CheckDirection(const HAL_GRANT *Grant, BOOLEAN WriteToDevice,
                           PCSTR Routine)
{
    if (Grant->Live && !Grant->WriteToDevice != !WriteToDevice) {
        HalpViolation(HALP_MISUSE, Routine,
                      "WriteToDevice is not that of what is mapped",
                      WriteToDevice);
    }
}

/* A device with lists maps a piece at a time; *Length becomes the piece's. */
PHYSICAL_ADDRESS NTAPI HalpMapTransfer(PDMA_ADAPTER DmaAdapter, PMDL Mdl,
                                       PVOID MapRegisterBase, PVOID CurrentVa,
                                       PULONG Length, BOOLEAN WriteToDevice)
{
    static const char routine[] = "MapTransfer";
    HAL_GRANT *grant = Granted(DmaAdapter, MapRegisterBase, routine);
    SCATTER_GATHER_ELEMENT element;
    ULONG wanted = *Length, mapped, count;

    if (!wanted) {
        HalpViolation(HALP_LENGTH_ZERO, routine, "Length is 0", 0);
    }
    CheckDirection(grant, WriteToDevice, routine);
    mapped = HalpMap(grant, CursorAt(Mdl, CurrentVa, wanted, routine),
                     WriteToDevice, &element, 1, &count);
    if (!mapped ||
        (mapped < wanted && !grant->Adapter->Map.ScatterGather)) {
        HalpViolation(HALP_TOO_MANY_REGISTERS, routine,
                      "more map registers are needed than were granted",
                      grant->Count);
    }
    *Length = mapped;
    return element.Address;
}

BOOLEAN NTAPI HalpFlushAdapterBuffers(PDMA_ADAPTER DmaAdapter, PMDL Mdl,
                                      PVOID MapRegisterBase, PVOID CurrentVa,
                                      ULONG Length, BOOLEAN WriteToDevice)
{
    static const char routine[] = "FlushAdapterBuffers";
    HAL_GRANT *grant = Granted(DmaAdapter, MapRegisterBase, routine);
    HAL_CURSOR cursor = CursorAt(Mdl, CurrentVa, Length, routine);

    CheckDirection(grant, WriteToDevice, routine);
    if (!HalpFlush(grant, cursor)) {
        HalpViolation(HALP_FLUSH_UNMAPPED, routine,
                      "some of it is not mapped", (ULONG_PTR)CurrentVa);
    }
    return TRUE;
}

/* x64 keeps its caches and DMA alike: there is nothing to flush. */
NTSTATUS NTAPI HalpFlushDmaBuffer(PDMA_ADAPTER DmaAdapter, PMDL Mdl,
                                  BOOLEAN ReadOperation)
{
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, "FlushDmaBuffer");

    HalpRequireAtMost(adapter, "FlushDmaBuffer", DISPATCH_LEVEL);
    UNREFERENCED_PARAMETER(ReadOperation);
    return Mdl ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

/* Elements that fit into the driver's buffer. */
static ULONG RoomIn(ULONG Length)
{
    ULONG header = HalpListSize(0);

    return Length < header ? 0
                           : (Length - header) / sizeof(SCATTER_GATHER_ELEMENT);
}

NTSTATUS NTAPI HalpMapTransferEx(
    PDMA_ADAPTER DmaAdapter, PMDL Mdl, PVOID MapRegisterBase, ULONGLONG Offset,
    ULONG DeviceOffset, PULONG Length, BOOLEAN WriteToDevice,
    PSCATTER_GATHER_LIST ScatterGatherBuffer, ULONG ScatterGatherBufferLength,
    PDMA_COMPLETION_ROUTINE3 DmaCompletionRoutine, PVOID CompletionContext)
{
    static const char routine[] = "MapTransferEx";
    HAL_GRANT *grant = Granted(DmaAdapter, MapRegisterBase, routine);
    ULONG room = HalpListElements(grant->Adapter,
                                  RoomIn(ScatterGatherBufferLength));
    HAL_CURSOR cursor;
    ULONG count;

    UNREFERENCED_PARAMETER(CompletionContext);
    if (grant->Live) {
        HalpViolation(HALP_NOT_FLUSHED, routine,
                      "the transfer before has not been flushed",
                      (ULONG_PTR)grant);
    }
    if (!ScatterGatherBuffer || !room || DeviceOffset || DmaCompletionRoutine ||
        !*Length) {
        return STATUS_INVALID_PARAMETER;
    }
    if (!HalpSeek(Mdl, Offset, *Length, &cursor)) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    *Length = HalpMap(grant, cursor, WriteToDevice,
                      ScatterGatherBuffer->Elements, room, &count);
    ScatterGatherBuffer->NumberOfElements = count;
    ScatterGatherBuffer->Reserved = 0;
    return *Length ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS NTAPI HalpFlushAdapterBuffersEx(PDMA_ADAPTER DmaAdapter, PMDL Mdl,
                                         PVOID MapRegisterBase,
                                         ULONGLONG Offset, ULONG Length,
                                         BOOLEAN WriteToDevice)
{
    static const char routine[] = "FlushAdapterBuffersEx";
    HAL_GRANT *grant = Granted(DmaAdapter, MapRegisterBase, routine);
    HAL_CURSOR cursor;

    if (!Length || !HalpSeek(Mdl, Offset, Length, &cursor)) {
        return STATUS_INVALID_PARAMETER;
    }
    CheckDirection(grant, WriteToDevice, routine);
    if (!HalpFlush(grant, cursor)) {
        HalpViolation(HALP_FLUSH_UNMAPPED, routine,
                      "some of it is not mapped", (ULONG_PTR)Offset);
    }
    return STATUS_SUCCESS;
}
