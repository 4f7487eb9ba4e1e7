/*
 * Allocating and freeing adapter channels and map registers.
 *
 * SPDX-License-Identifier: MIT
 */
#include "adapter.h"

#define CONTEXT_SIGNATURE       0x78544344u     /* "DCTx" */

/*
 * Bounce memory for whatever will be mapped: MapTransfer cannot fail. A device
 * without lists needs one block, or an IOMMU.
 */
static BOOLEAN AddBounce(HAL_GRANT *Grant)
{
    HAL_ADAPTER *adapter = Grant->Adapter;

    if (HalpDomainTranslates(adapter->Domain) || !Grant->Count) {
        return TRUE;
    }
    if (!adapter->Map.ScatterGather) {
        return HalpAddBounceBlock(Grant);
    }
    return HalpReachesAll(adapter) ||
           HalpAddBouncePages(Grant, Grant->Count);
}

static HAL_GRANT *NewChannel(HAL_ADAPTER *Adapter, HAL_GRANT_KIND Kind,
                             PDEVICE_OBJECT Device, ULONG Count)
{
    HAL_GRANT *grant = Count <= Adapter->Map.Granted
                           ? HalpNewGrant(Adapter, Kind, Count, 0) : NULL;

    if (grant) {
        grant->Device = Device;
        if (!AddBounce(grant)) {
            HalpDeleteGrant(grant);
            grant = NULL;
        }
    }
    return grant;
}

NTSTATUS NTAPI HalpAllocateAdapterChannel(PDMA_ADAPTER DmaAdapter,
                                          PDEVICE_OBJECT DeviceObject,
                                          ULONG NumberOfMapRegisters,
                                          PDRIVER_CONTROL ExecutionRoutine,
                                          PVOID Context)
{
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, "AllocateAdapterChannel");
    HAL_GRANT *grant;

    HalpRequireDispatch(adapter, "AllocateAdapterChannel");
    if (HalpIsAllocating(adapter, DeviceObject)) {
        HalpBreach(&(HAL_BREACH){ .Rule = HalRuleTwoChannels,
                                  .Routine = "AllocateAdapterChannel",
                                  .Adapter = adapter });
    }
    grant = NewChannel(adapter, HAL_CHANNEL, DeviceObject,
                       NumberOfMapRegisters);
    if (!grant) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    grant->Control = ExecutionRoutine;
    grant->Context = Context;
    HalpNoteSite(&grant->Asked, "AllocateAdapterChannel");
    return HalpRequestGrant(grant, TRUE);
}

static void FreeObject(HAL_ADAPTER *Adapter, IO_ALLOCATION_ACTION Action,
                       PCSTR Routine)
{
    if (!HalpFreeObject(Adapter, Action, Routine)) {
        HalpBreach(&(HAL_BREACH){ .Rule = HalRuleChannelFreeTwice,
                                  .Routine = Routine, .Adapter = Adapter });
    }
}

VOID NTAPI HalpFreeAdapterChannel(PDMA_ADAPTER DmaAdapter)
{
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, "FreeAdapterChannel");

    HalpRequireDispatch(adapter, "FreeAdapterChannel");
    FreeObject(adapter, DeallocateObject, "FreeAdapterChannel");
}

VOID NTAPI HalpFreeMapRegisters(PDMA_ADAPTER DmaAdapter, PVOID MapRegisterBase,
                                ULONG NumberOfMapRegisters)
{
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, "FreeMapRegisters");
    HAL_GRANT *grant;

    HalpRequireDispatch(adapter, "FreeMapRegisters");
    grant = HalpClaimGrant(adapter, MapRegisterBase);
    if (!grant) {
        HalpGrantUnknown(adapter, HalRuleRegistersUnknown, "FreeMapRegisters",
                         MapRegisterBase);
        return;
    }
    if (grant->Count != NumberOfMapRegisters) {
        HalpBreach(&(HAL_BREACH){ .Rule = HalRuleRegistersCount,
                                  .Routine = "FreeMapRegisters",
                                  .Adapter = adapter,
                                  .Grant = grant,
                                  .Compared = TRUE,
                                  .Expected = grant->Count,
                                  .Actual = NumberOfMapRegisters });
    }
    HalpReleaseGrant(grant, "FreeMapRegisters");
}

NTSTATUS NTAPI HalpInitializeDmaTransferContext(PDMA_ADAPTER DmaAdapter,
                                                PVOID DmaTransferContext)
{
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter,
                                       "InitializeDmaTransferContext");
    HAL_TRANSFER_CONTEXT *context = DmaTransferContext;

    HalpRequireAtMost(adapter, "InitializeDmaTransferContext", DISPATCH_LEVEL);
    if (!context) {
        return STATUS_INVALID_PARAMETER;
    }
    RtlZeroMemory(context, DMA_TRANSFER_CONTEXT_SIZE_V1);
    context->Signature = CONTEXT_SIGNATURE;
    context->Adapter = adapter;
    return STATUS_SUCCESS;
}

HAL_TRANSFER_CONTEXT *HalpFreshContext(HAL_ADAPTER *Adapter, PVOID Context)
{
    HAL_TRANSFER_CONTEXT *context = Context;

    return context && context->Signature == CONTEXT_SIGNATURE &&
           context->Adapter == Adapter &&
           !HalpIsContextUsed(Adapter, context) ? context : NULL;
}

/* With a routine or, at once and without one, a place for the base. */
static BOOLEAN ValidRequest(ULONG Flags, PDRIVER_CONTROL Routine, PVOID *Base)
{
    if (Flags & ~DMA_SYNCHRONOUS_CALLBACK) {
        return FALSE;
    }
    return Base ? !Routine && Flags & DMA_SYNCHRONOUS_CALLBACK
                : Routine != NULL;
}

NTSTATUS NTAPI HalpAllocateAdapterChannelEx(
    PDMA_ADAPTER DmaAdapter, PDEVICE_OBJECT DeviceObject,
    PVOID DmaTransferContext, ULONG NumberOfMapRegisters, ULONG Flags,
    PDRIVER_CONTROL ExecutionRoutine, PVOID ExecutionContext,
    PVOID *MapRegisterBase)
{
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, "AllocateAdapterChannelEx");
    HAL_TRANSFER_CONTEXT *context;
    HAL_GRANT *grant;
    NTSTATUS status;

    HalpRequireDispatch(adapter, "AllocateAdapterChannelEx");
    context = HalpFreshContext(adapter, DmaTransferContext);
    if (!context || !ValidRequest(Flags, ExecutionRoutine, MapRegisterBase)) {
        return STATUS_INVALID_PARAMETER;
    }
    grant = NewChannel(adapter, HAL_CHANNEL_EX, DeviceObject,
                       NumberOfMapRegisters);
    if (!grant) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    grant->Control = ExecutionRoutine;
    grant->Context = ExecutionContext;
    grant->Transfer = context;
    HalpNoteSite(&grant->Asked, "AllocateAdapterChannelEx");
    status = HalpRequestGrant(grant, !(Flags & DMA_SYNCHRONOUS_CALLBACK));
    if (!NT_SUCCESS(status)) {
        HalpDeleteGrant(grant);
    } else if (MapRegisterBase) {
        *MapRegisterBase = grant;
    }
    return status;
}

BOOLEAN NTAPI HalpCancelAdapterChannel(PDMA_ADAPTER DmaAdapter,
                                       PDEVICE_OBJECT DeviceObject,
                                       PVOID DmaTransferContext)
{
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, "CancelAdapterChannel");

    UNREFERENCED_PARAMETER(DeviceObject);
    HalpRequireAtMost(adapter, "CancelAdapterChannel", DISPATCH_LEVEL);
    return DmaTransferContext && HalpCancelRequest(adapter, DmaTransferContext);
}

BOOLEAN HalpCancelChannel(PDMA_ADAPTER DmaAdapter, PVOID Context)
{
    return HalpCancelWaiting(HalpAdapter(DmaAdapter, "CancelAdapterChannel"),
                             Context);
}

VOID NTAPI HalpFreeAdapterObject(PDMA_ADAPTER DmaAdapter,
                                 IO_ALLOCATION_ACTION AllocationAction)
{
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, "FreeAdapterObject");

    HalpRequireAtMost(adapter, "FreeAdapterObject", DISPATCH_LEVEL);
    if (AllocationAction != KeepObject) {
        FreeObject(adapter, AllocationAction, "FreeAdapterObject");
    }
}

/* These two are about channels of system DMA: a bus master has none. */
NTSTATUS NTAPI HalpConfigureAdapterChannel(PDMA_ADAPTER DmaAdapter,
                                           ULONG FunctionNumber, PVOID Context)
{
    HalpAdapter(DmaAdapter, "ConfigureAdapterChannel");
    UNREFERENCED_PARAMETER(FunctionNumber);
    UNREFERENCED_PARAMETER(Context);
    return STATUS_NOT_SUPPORTED;
}

NTSTATUS NTAPI HalpCancelMappedTransfer(PDMA_ADAPTER DmaAdapter,
                                        PVOID DmaTransferContext)
{
    HalpAdapter(DmaAdapter, "CancelMappedTransfer");
    UNREFERENCED_PARAMETER(DmaTransferContext);
    return STATUS_NOT_SUPPORTED;
}
