/*
 * DMA adapters: what IoGetDmaAdapter gives to a driver.
 *
 * SPDX-License-Identifier: MIT
 */
#include "adapter.h"

#include "i8237_plan.h"
#include "platform.h"

#define ADAPTER_SIGNATURE       0x61646d61u
#define ADAPTER_TAG             'padA'
#define SYSTEM_WIDTH            24

/* In bytes, not the mask of DEVICE_OBJECT.AlignmentRequirement. */
#define DMA_ALIGNMENT           1

static HAL_LATE Released;

static void Stale(const HAL_ADAPTER *Adapter, PCSTR Routine)
{
    const HAL_ADAPTER *released = HalpFindLate(&Released, Adapter, NULL);

    HalpBreach(&(HAL_BREACH){
        .Rule = HalRuleStaleAdapter,
        .Routine = Routine,
        .Adapter = released,
        .Freed = released ? &released->Released : NULL,
        .Actual = (ULONG_PTR)Adapter,
    });
}

HAL_ADAPTER *HalpAdapter(PDMA_ADAPTER DmaAdapter, PCSTR Routine)
{
    HAL_ADAPTER *adapter = (HAL_ADAPTER *)DmaAdapter;

    if (!adapter) {
        HalpBreach(&(HAL_BREACH){ .Rule = HalRuleNullAdapter,
                                  .Routine = Routine });
    } else if (adapter->Signature != ADAPTER_SIGNATURE) {
        Stale(adapter, Routine);
    }
    return adapter;
}

void HalpCheckReturned(const HAL_ADAPTER *Adapter, PCSTR Routine)
{
    if (!IsListEmpty(&Adapter->Buffers)) {
        HalpBreach(&(HAL_BREACH){
            .Rule = HalRulePutLiveBuffer,
            .Routine = Routine,
            .Adapter = Adapter,
            .Buffer = CONTAINING_RECORD(Adapter->Buffers.Flink, HAL_BUFFER,
                                        Link),
        });
    }
    HalpCheckMapsReturned(Adapter, Routine);
}

VOID NTAPI HalpPutDmaAdapter(PDMA_ADAPTER DmaAdapter)
{
    static const char routine[] = "PutDmaAdapter";
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, routine);

    HalpRequireAtMost(adapter, routine, DISPATCH_LEVEL);
    if (adapter->System.Unit && !HalpLeaveChannel(adapter)) {
        return;                 /* somebody else has it still */
    }
    HalpCheckReturned(adapter, routine);
    /* Of two processors that put it one comes too late. */
    if (InterlockedExchange((volatile LONG *)&adapter->Signature, 0) !=
        ADAPTER_SIGNATURE) {
        Stale(adapter, routine);
        return;
    }
    HalpForgetAdapter(adapter);
    HalpNoteSite(&adapter->Released, routine);
    HalpFreeLate(&Released, adapter, ADAPTER_TAG);
}

ULONG NTAPI HalpGetDmaAlignment(PDMA_ADAPTER DmaAdapter)
{
    HalpRequirePassive(HalpAdapter(DmaAdapter, "GetDmaAlignment"),
                       "GetDmaAlignment");
    return DMA_ALIGNMENT;
}

NTSTATUS NTAPI HalpGetDmaAdapterInfo(PDMA_ADAPTER DmaAdapter,
                                     PDMA_ADAPTER_INFO AdapterInfo)
{
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, "GetDmaAdapterInfo");

    HalpRequireAtMost(adapter, "GetDmaAdapterInfo", DISPATCH_LEVEL);
    if (AdapterInfo->Version != DMA_ADAPTER_INFO_VERSION1) {
        return STATUS_NOT_SUPPORTED;
    }
    AdapterInfo->V1 = (DMA_ADAPTER_INFO_V1){
        .ReadDmaCounterAvailable = FALSE,
        .ScatterGatherLimit = HalpListElements(adapter, MAXULONG),
        .DmaAddressWidth = adapter->AddressWidth,
        .MinimumTransferUnit = 1,
    };
    return STATUS_SUCCESS;
}

HANDLE NTAPI HalpGetDmaDomain(PDMA_ADAPTER DmaAdapter)
{
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, "GetDmaDomain");

    HalpRequirePassive(adapter, "GetDmaDomain");
    return (HANDLE)adapter->Domain;
}

/*
 * An adapter is in its device's domain from the start, and can be in no other:
 * without an IOMMU there is one, with an IOMMU each device has its own.
 */
NTSTATUS NTAPI HalpJoinDmaDomain(PDMA_ADAPTER DmaAdapter, HANDLE DomainHandle)
{
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, "JoinDmaDomain");

    HalpRequirePassive(adapter, "JoinDmaDomain");
    if (adapter->Joined) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    if (DomainHandle != (HANDLE)adapter->Domain) {
        return STATUS_INVALID_PARAMETER;
    }
    adapter->Joined = TRUE;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI HalpLeaveDmaDomain(PDMA_ADAPTER DmaAdapter)
{
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, "LeaveDmaDomain");

    HalpRequirePassive(adapter, "LeaveDmaDomain");
    if (!adapter->Joined) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    adapter->Joined = FALSE;
    return STATUS_SUCCESS;
}

static ULONGLONG LastOf(ULONG AddressWidth)
{
    return AddressWidth == 64 ? MAXULONGLONG : (1ull << AddressWidth) - 1;
}

INTERFACE_TYPE HalpBusOf(PDEVICE_OBJECT Pdo,
                         const DEVICE_DESCRIPTION *Description)
{
    INTERFACE_TYPE bus = PCIBus;
    ULONG length;

    if (Description->InterfaceType != InterfaceTypeUndefined) {
        return Description->InterfaceType;
    }
    if (Pdo) {
        IoGetDeviceProperty(Pdo, DevicePropertyLegacyBusType, sizeof(bus),
                            &bus, &length);
    }
    return bus;
}

/* DEVICE_DESCRIPTION's own rules; 0: the description is not valid. */
static ULONG AddressWidthOf(PDEVICE_OBJECT Pdo,
                            const DEVICE_DESCRIPTION *Description)
{
    if (Description->Version == DEVICE_DESCRIPTION_VERSION3) {
        ULONG width = ((const DEVICE_DESCRIPTION3 *)Description)
                          ->DmaAddressWidth;

        return width <= 64 ? width : 0;
    }
    if (Description->Dma64BitAddresses) {
        return 64;
    }
    /* A scatter/gather bus master on PCI is taken to reach 32 bits. */
    return Description->Dma32BitAddresses ||
           (HalpBusOf(Pdo, Description) == PCIBus &&
            Description->ScatterGather)
               ? 32 : 24;
}

static NODE_REQUIREMENT NodeOf(PDEVICE_OBJECT Pdo)
{
    USHORT node;

    return Pdo && NT_SUCCESS(IoGetDeviceNumaNode(Pdo, &node)) ? node
                                                              : MM_ANY_NODE_OK;
}

/* Its domain and what it reaches are not set; NULL: no memory. */
static HAL_ADAPTER *NewAdapter(PDEVICE_OBJECT Pdo, ULONG Version)
{
    HAL_ADAPTER *adapter = ExAllocatePoolWithTag(NonPagedPool, sizeof(*adapter),
                                                 ADAPTER_TAG);

    if (!adapter) {
        return NULL;
    }
    RtlZeroMemory(adapter, sizeof(*adapter));
    adapter->Header.Version = 1;
    adapter->Header.Size = sizeof(adapter->Header);
    adapter->Header.DmaOperations = (PDMA_OPERATIONS)HalpOperations(Version);
    adapter->Signature = ADAPTER_SIGNATURE;
    adapter->Node = NodeOf(Pdo);
    adapter->Pdo = Pdo;
    adapter->Varying = MAXULONGLONG;
    InitializeListHead(&adapter->Buffers);
    HalpNoteSite(&adapter->Made, "IoGetDmaAdapter");
    return adapter;
}

static HAL_ADAPTER *NewMaster(PDEVICE_OBJECT Pdo,
                              const DEVICE_DESCRIPTION *Description)
{
    ULONG width = AddressWidthOf(Pdo, Description);
    HAL_DOMAIN *domain = width ? HalpDomainOf(Pdo) : NULL;
    HAL_ADAPTER *adapter = domain ? NewAdapter(Pdo, Description->Version)
                                  : NULL;

    if (!adapter) {
        return NULL;
    }
    adapter->AddressWidth = width;
    adapter->Limit = LastOf(width);
    adapter->Domain = domain;
    HalpRememberAdapter(adapter);
    HalpInitializeMaps(adapter, Description->MaximumLength,
                       Description->ScatterGather);
    return adapter;
}

/*
 * The controllers' addresses are physical ones, whatever an IOMMU does to those
 * of PCI devices.
 */
static HAL_ADAPTER *NewSlave(PDEVICE_OBJECT Pdo,
                             const DEVICE_DESCRIPTION *Description)
{
    HAL_SYSTEM system;
    HAL_ADAPTER *adapter;
    ULONG reach, length = Description->MaximumLength;

    if (!HalpDescribesChannel(Pdo, Description, &system) ||
        !HalpShareChannel(Pdo, &system, &adapter)) {
        return NULL;
    }
    if (adapter) {
        return adapter;
    }
    adapter = NewAdapter(Pdo, Description->Version);
    if (!adapter) {
        return NULL;
    }
    reach = i8237_reach(system.Channel);
    adapter->AddressWidth = SYSTEM_WIDTH;
    adapter->Limit = LastOf(SYSTEM_WIDTH);
    adapter->Varying = reach - 1;
    adapter->System = system;
    adapter->Domain = HalpIdentityDomain();
    HalpInitializeMaps(adapter, length < reach ? length : reach, FALSE);
    if (!HalpTakeChannel(adapter)) {
        ExFreePoolWithTag(adapter, ADAPTER_TAG);
        return NULL;
    }
    HalpRememberAdapter(adapter);
    return adapter;
}

PDMA_ADAPTER HalpCreateDmaAdapter(PDEVICE_OBJECT Pdo,
                              struct _DEVICE_DESCRIPTION *Description,
                              ULONG *NumberOfMapRegisters)
{
    HAL_ADAPTER *adapter;

    HalpRequirePassive(NULL, "IoGetDmaAdapter");
    /* NULL is the only way to learn which versions a platform has. */
    if (Description->Version > HalpPlatform()->LastVersion) {
        return NULL;
    }
    adapter = Description->Master ? NewMaster(Pdo, Description)
                                  : NewSlave(Pdo, Description);
    if (!adapter) {
        return NULL;
    }
    *NumberOfMapRegisters = adapter->Map.Granted;
    return &adapter->Header;
}
