/*
 * MapTransfer and FlushAdapterBuffers, both forms.
 *
 * SPDX-License-Identifier: MIT
 */
#include "adapter.h"

#include "i8237_plan.h"

static HAL_GRANT *Granted(PDMA_ADAPTER DmaAdapter, PVOID Base, PCSTR Routine)
{
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, Routine);
    HAL_GRANT *grant;

    HalpRequireAtMost(adapter, Routine, DISPATCH_LEVEL);
    grant = HalpFindGrant(adapter, Base);
    if (!grant) {
        HalpGrantUnknown(adapter, HalRuleRegistersUnknown, Routine, Base);
    }
    return grant;
}

/* CurrentVa is an index into this MDL; those behind it are not looked at. */
static HAL_CURSOR CursorAt(const HAL_GRANT *Grant, PMDL Mdl, PVOID CurrentVa,
                           ULONG Length, PCSTR Routine)
{
    ULONG_PTR start = (ULONG_PTR)MmGetMdlVirtualAddress(Mdl);
    ULONG_PTR offset = (ULONG_PTR)CurrentVa - start;
    HAL_BREACH breach = { .Routine = Routine, .Adapter = Grant->Adapter,
                          .Grant = Grant, .Compared = TRUE };

    if (offset >= Mdl->ByteCount) {
        breach.Rule = HalRuleOutsideMdl;
        breach.Expected = start;
        breach.Actual = (ULONG_PTR)CurrentVa;
        HalpBreach(&breach);
        return (HAL_CURSOR){ Mdl, 0, 0 };
    }
    if (Length > Mdl->ByteCount - offset) {
        breach.Rule = HalRuleBeyondMdl;
        breach.Expected = Mdl->ByteCount - offset;
        breach.Actual = Length;
        HalpBreach(&breach);
        Length = Mdl->ByteCount - (ULONG)offset;
    }
    return (HAL_CURSOR){ Mdl, (ULONG)offset, Length };
}

/* What may be let pass of the rest: the verifier is off if it goes on. */
static void Report(const HAL_GRANT *Grant, HAL_RULE Rule, PCSTR Routine)
{
    HalpBreach(&(HAL_BREACH){ .Rule = Rule, .Routine = Routine,
                              .Adapter = Grant->Adapter, .Grant = Grant });
}

void HalpCheckDirection(const HAL_GRANT *Grant, BOOLEAN WriteToDevice,
                        PCSTR Routine)
{
    if (Grant->Live && !Grant->WriteToDevice != !WriteToDevice) {
        Report(Grant, HalRuleDirection, Routine);
    }
}

/* An MDL's page frames mean nothing until its pages are locked. */
static bool IsLocked(const MDL *Mdl)
{
    return Mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL |
                            MDL_IO_SPACE);
}

BOOLEAN HalpCheckLocked(const HAL_ADAPTER *Adapter, const HAL_CURSOR *Cursor,
                        PCSTR Routine)
{
    ULONGLONG end = (ULONGLONG)Cursor->Offset + Cursor->Left, behind = 0;

    for (PMDL mdl = Cursor->Mdl; mdl && behind < end; mdl = mdl->Next) {
        if (!IsLocked(mdl)) {
            HalpBreach(&(HAL_BREACH){
                .Rule = HalRuleNotLocked,
                .Routine = Routine,
                .Adapter = Adapter,
                .Actual = (ULONG_PTR)MmGetMdlVirtualAddress(mdl),
            });
            return FALSE;
        }
        behind += mdl->ByteCount;
    }
    return TRUE;
}

/* A channel has one transfer at a time, of so many bytes at most. */
static void CheckSystem(const HAL_GRANT *Grant, ULONG Length, PCSTR Routine)
{
    const HAL_SYSTEM *system = &Grant->Adapter->System;

    if (Grant->Live) {
        Report(Grant, HalRuleNotFlushed, Routine);
    }
    if (Length && !i8237_fits(system->Channel, 0, Length)) {
        HalpBreach(&(HAL_BREACH){ .Rule = HalRuleChannelLength,
                                  .Routine = Routine,
                                  .Adapter = Grant->Adapter, .Grant = Grant,
                                  .Compared = TRUE,
                                  .Expected = i8237_reach(system->Channel),
                                  .Actual = Length });
    }
}

/* The address is the controller's, and no matter of the driver's. */
static PHYSICAL_ADDRESS StartSystem(const HAL_GRANT *Grant,
                                    PHYSICAL_ADDRESS Address, ULONG Length,
                                    BOOLEAN WriteToDevice)
{
    HAL_ADAPTER *adapter = Grant->Adapter;

    if (adapter->System.Unit &&
        i8237_fits(adapter->System.Channel, (ULONGLONG)Address.QuadPart,
                   Length)) {
        HalpStartChannel(adapter, (ULONGLONG)Address.QuadPart, Length,
                         WriteToDevice);
    }
    return Address;
}

/* A device with lists maps a piece at a time; *Length becomes the piece's. */
PHYSICAL_ADDRESS NTAPI HalpMapTransfer(PDMA_ADAPTER DmaAdapter, PMDL Mdl,
                                       PVOID MapRegisterBase, PVOID CurrentVa,
                                       PULONG Length, BOOLEAN WriteToDevice)
{
    static const char routine[] = "MapTransfer";
    HAL_GRANT *grant = Granted(DmaAdapter, MapRegisterBase, routine);
    SCATTER_GATHER_ELEMENT element = { .Length = 0 };
    ULONG wanted = *Length, mapped = 0, count;
    HAL_CURSOR cursor;

    if (!grant) {
        return element.Address;
    }
    if (!wanted) {
        Report(grant, HalRuleLengthZero, routine);
    }
    if (grant->Adapter->System.Unit) {
        CheckSystem(grant, wanted, routine);
    }
    HalpCheckDirection(grant, WriteToDevice, routine);
    cursor = CursorAt(grant, Mdl, CurrentVa, wanted, routine);
    if (HalpIsMapped(grant, &cursor)) {
        Report(grant, HalRuleMappedTwice, routine);
    }
    if (HalpCheckLocked(grant->Adapter, &cursor, routine)) {
        mapped = HalpMap(grant, cursor, WriteToDevice, &element, 1, &count);
    }
    if (!mapped ||
        (mapped < wanted && !grant->Adapter->Map.ScatterGather)) {
        Report(grant, HalRuleTooManyRegisters, routine);
    }
    *Length = mapped;
    return StartSystem(grant, element.Address, mapped, WriteToDevice);
}

BOOLEAN NTAPI HalpFlushAdapterBuffers(PDMA_ADAPTER DmaAdapter, PMDL Mdl,
                                      PVOID MapRegisterBase, PVOID CurrentVa,
                                      ULONG Length, BOOLEAN WriteToDevice)
{
    static const char routine[] = "FlushAdapterBuffers";
    HAL_GRANT *grant = Granted(DmaAdapter, MapRegisterBase, routine);

    if (!grant) {
        return FALSE;
    }
    if (grant->Adapter->System.Unit) {
        HalpStopChannel(grant->Adapter);
    }
    HalpCheckDirection(grant, WriteToDevice, routine);
    if (!HalpFlush(grant, CursorAt(grant, Mdl, CurrentVa, Length, routine))) {
        Report(grant, HalRuleFlushUnmapped, routine);
        return FALSE;
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
    HAL_CURSOR cursor;
    ULONG count, room;

    UNREFERENCED_PARAMETER(CompletionContext);
    if (!grant) {
        return STATUS_INVALID_PARAMETER;
    }
    room = HalpListElements(grant->Adapter, RoomIn(ScatterGatherBufferLength));
    if (grant->Live) {
        Report(grant, HalRuleNotFlushed, routine);
    }
    if (!ScatterGatherBuffer || !room || DeviceOffset || DmaCompletionRoutine ||
        !*Length) {
        return STATUS_INVALID_PARAMETER;
    }
    if (!HalpSeek(Mdl, Offset, *Length, &cursor)) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    if (!HalpCheckLocked(grant->Adapter, &cursor, routine)) {
        return STATUS_INVALID_PARAMETER;
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

    if (!grant || !Length || !HalpSeek(Mdl, Offset, Length, &cursor)) {
        return STATUS_INVALID_PARAMETER;
    }
    HalpCheckDirection(grant, WriteToDevice, routine);
    if (!HalpFlush(grant, cursor)) {
        Report(grant, HalRuleFlushUnmapped, routine);
        return STATUS_INVALID_PARAMETER;
    }
    return STATUS_SUCCESS;
}
