/*
 * Scatter/gather lists.
 *
 * SPDX-License-Identifier: MIT
 */
#include "adapter.h"

/* What a list is asked for. */
typedef struct _REQUEST {
    PCSTR Routine;
    PDEVICE_OBJECT Device;
    PMDL Mdl;
    ULONGLONG Offset;
    ULONG Length;
    PDRIVER_LIST_CONTROL Control;
    PVOID Context;
    BOOLEAN WriteToDevice;
    PVOID Buffer;               /* the driver's own; NULL: it is allocated */
    ULONG BufferLength;
    /* Version 3. */
    HAL_TRANSFER_CONTEXT *Transfer;
    BOOLEAN AtOnce;
    PSCATTER_GATHER_LIST *Result;
} REQUEST;

/* Bounce memory for what the device does not reach, or not in one piece. */
static BOOLEAN AddBounce(HAL_GRANT *Grant, HAL_CURSOR Cursor)
{
    const HAL_ADAPTER *adapter = Grant->Adapter;

    if (adapter->Map.ScatterGather) {
        return HalpAddBouncePages(Grant,
                                  HalpCountBeyondReach(adapter, Cursor));
    }
    return HalpIsOnePiece(adapter, Cursor) || HalpAddBounceBlock(Grant);
}

static BOOLEAN MapList(HAL_GRANT *Grant, const REQUEST *Request,
                       HAL_CURSOR Cursor)
{
    ULONG room = HalpListElements(Grant->Adapter, Grant->Count), count;

    if (!AddBounce(Grant, Cursor)) {
        return FALSE;
    }
    if (HalpMap(Grant, Cursor, Request->WriteToDevice, Grant->List->Elements,
                room, &count) != Request->Length) {
        HalpDiscardAll(Grant);
        return FALSE;
    }
    Grant->List->NumberOfElements = count;
    Grant->List->Reserved = (ULONG_PTR)Grant;
    return TRUE;
}

static NTSTATUS NewList(HAL_ADAPTER *Adapter, const REQUEST *Request,
                        HAL_GRANT **Grant)
{
    HAL_CURSOR cursor;
    ULONG pieces, size;
    HAL_GRANT *grant;

    if (Adapter->System.Unit) {
        return STATUS_NOT_SUPPORTED;    /* lists are for bus masters */
    }
    if (!HalpSeek(Request->Mdl, Request->Offset, Request->Length, &cursor)) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    if (!HalpCheckLocked(Adapter, &cursor, Request->Routine)) {
        return STATUS_INVALID_PARAMETER;
    }
    pieces = HalpCountPieces(cursor);
    size = HalpListSize(HalpListElements(Adapter, pieces));
    if (Request->Buffer && Request->BufferLength < size) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    if (pieces > Adapter->Map.Granted) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    grant = HalpNewGrant(Adapter, HAL_LIST, pieces,
                         Request->Buffer ? 0 : size);
    if (!grant) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (Request->Buffer) {
        grant->List = Request->Buffer;
    }
    if (!MapList(grant, Request, cursor)) {
        HalpDeleteGrant(grant);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *Grant = grant;
    return STATUS_SUCCESS;
}

static NTSTATUS Make(HAL_ADAPTER *Adapter, const REQUEST *Request)
{
    HAL_GRANT *grant;
    PSCATTER_GATHER_LIST list;
    NTSTATUS status = NewList(Adapter, Request, &grant);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    list = grant->List;                 /* the routine may put it back */
    grant->Device = Request->Device;
    grant->ListControl = Request->Control;
    grant->Context = Request->Context;
    grant->Transfer = Request->Transfer;
    HalpNoteSite(&grant->Asked, Request->Routine);
    status = HalpRequestGrant(grant, !Request->AtOnce);
    if (!NT_SUCCESS(status)) {
        HalpDiscardAll(grant);
        HalpDeleteGrant(grant);
    } else if (Request->Result) {
        *Request->Result = list;
    }
    return status;
}

/* CurrentVa is an index into the first MDL of the chain. */
static NTSTATUS MakeAt(PDMA_ADAPTER DmaAdapter, REQUEST *Request,
                       PVOID CurrentVa)
{
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, Request->Routine);
    PMDL mdl = Request->Mdl;

    HalpRequireDispatch(adapter, Request->Routine);
    Request->Offset = (ULONG_PTR)CurrentVa -
                      (ULONG_PTR)MmGetMdlVirtualAddress(mdl);
    if (Request->Offset >= mdl->ByteCount) {
        HalpBreach(&(HAL_BREACH){ .Rule = HalRuleOutsideMdl,
                                  .Routine = Request->Routine,
                                  .Adapter = adapter,
                                  .Compared = TRUE,
                                  .Expected =
                                      (ULONG_PTR)MmGetMdlVirtualAddress(mdl),
                                  .Actual = (ULONG_PTR)CurrentVa });
        return STATUS_INVALID_PARAMETER;
    }
    return Request->Length ? Make(adapter, Request) : STATUS_INVALID_PARAMETER;
}

NTSTATUS NTAPI HalpGetScatterGatherList(PDMA_ADAPTER DmaAdapter,
                                        PDEVICE_OBJECT DeviceObject, PMDL Mdl,
                                        PVOID CurrentVa, ULONG Length,
                                        PDRIVER_LIST_CONTROL ExecutionRoutine,
                                        PVOID Context, BOOLEAN WriteToDevice)
{
    REQUEST request = {
        .Routine = "GetScatterGatherList",
        .Device = DeviceObject,
        .Mdl = Mdl,
        .Length = Length,
        .Control = ExecutionRoutine,
        .Context = Context,
        .WriteToDevice = WriteToDevice,
    };

    return MakeAt(DmaAdapter, &request, CurrentVa);
}

NTSTATUS NTAPI HalpBuildScatterGatherList(
    PDMA_ADAPTER DmaAdapter, PDEVICE_OBJECT DeviceObject, PMDL Mdl,
    PVOID CurrentVa, ULONG Length, PDRIVER_LIST_CONTROL ExecutionRoutine,
    PVOID Context, BOOLEAN WriteToDevice, PVOID ScatterGatherBuffer,
    ULONG ScatterGatherLength)
{
    REQUEST request = {
        .Routine = "BuildScatterGatherList",
        .Device = DeviceObject,
        .Mdl = Mdl,
        .Length = Length,
        .Control = ExecutionRoutine,
        .Context = Context,
        .WriteToDevice = WriteToDevice,
        .Buffer = ScatterGatherBuffer,
        .BufferLength = ScatterGatherLength,
    };

    if (!ScatterGatherBuffer) {
        return STATUS_INVALID_PARAMETER;
    }
    return MakeAt(DmaAdapter, &request, CurrentVa);
}

/* A bus master completes its transfers itself: no completion routine. */
static NTSTATUS MakeEx(PDMA_ADAPTER DmaAdapter, REQUEST *Request,
                       PVOID Transfer, ULONG Flags,
                       PDMA_COMPLETION_ROUTINE3 Completion)
{
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, Request->Routine);

    HalpRequireDispatch(adapter, Request->Routine);
    Request->Transfer = HalpFreshContext(adapter, Transfer);
    Request->AtOnce = !!(Flags & DMA_SYNCHRONOUS_CALLBACK);
    if (!Request->Transfer || !Request->Length || Completion ||
        Flags & ~DMA_SYNCHRONOUS_CALLBACK ||
        (!Request->AtOnce && (Request->Result || !Request->Control)) ||
        (!Request->Control && !Request->Result)) {
        return STATUS_INVALID_PARAMETER;
    }
    return Make(adapter, Request);
}

NTSTATUS NTAPI HalpGetScatterGatherListEx(
    PDMA_ADAPTER DmaAdapter, PDEVICE_OBJECT DeviceObject,
    PVOID DmaTransferContext, PMDL Mdl, ULONGLONG Offset, ULONG Length,
    ULONG Flags, PDRIVER_LIST_CONTROL ExecutionRoutine, PVOID Context,
    BOOLEAN WriteToDevice, PDMA_COMPLETION_ROUTINE3 DmaCompletionRoutine,
    PVOID CompletionContext, PSCATTER_GATHER_LIST *ScatterGatherList)
{
    REQUEST request = {
        .Routine = "GetScatterGatherListEx",
        .Device = DeviceObject,
        .Mdl = Mdl,
        .Offset = Offset,
        .Length = Length,
        .Control = ExecutionRoutine,
        .Context = Context,
        .WriteToDevice = WriteToDevice,
        .Result = ScatterGatherList,
    };

    UNREFERENCED_PARAMETER(CompletionContext);
    return MakeEx(DmaAdapter, &request, DmaTransferContext, Flags,
                  DmaCompletionRoutine);
}

NTSTATUS NTAPI HalpBuildScatterGatherListEx(
    PDMA_ADAPTER DmaAdapter, PDEVICE_OBJECT DeviceObject,
    PVOID DmaTransferContext, PMDL Mdl, ULONGLONG Offset, ULONG Length,
    ULONG Flags, PDRIVER_LIST_CONTROL ExecutionRoutine, PVOID Context,
    BOOLEAN WriteToDevice, PVOID ScatterGatherBuffer,
    ULONG ScatterGatherLength, PDMA_COMPLETION_ROUTINE3 DmaCompletionRoutine,
    PVOID CompletionContext, PVOID ScatterGatherList)
{
    REQUEST request = {
        .Routine = "BuildScatterGatherListEx",
        .Device = DeviceObject,
        .Mdl = Mdl,
        .Offset = Offset,
        .Length = Length,
        .Control = ExecutionRoutine,
        .Context = Context,
        .WriteToDevice = WriteToDevice,
        .Buffer = ScatterGatherBuffer,
        .BufferLength = ScatterGatherLength,
        .Result = ScatterGatherList,
    };

    UNREFERENCED_PARAMETER(CompletionContext);
    if (!ScatterGatherBuffer) {
        return STATUS_INVALID_PARAMETER;
    }
    return MakeEx(DmaAdapter, &request, DmaTransferContext, Flags,
                  DmaCompletionRoutine);
}

VOID NTAPI HalpPutScatterGatherList(PDMA_ADAPTER DmaAdapter,
                                    PSCATTER_GATHER_LIST ScatterGather,
                                    BOOLEAN WriteToDevice)
{
    static const char routine[] = "PutScatterGatherList";
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, routine);
    HAL_GRANT *grant;

    HalpRequireDispatch(adapter, routine);
    grant = HalpClaimList(adapter, ScatterGather);
    if (!grant) {
        HalpGrantUnknown(adapter, HalRuleListUnknown, routine, ScatterGather);
        return;
    }
    HalpCheckDirection(grant, WriteToDevice, routine);
    HalpFlushAll(grant);
    HalpReleaseGrant(grant, routine);
}
