/*
 * IDmaChannel for bus masters: the object behind PcNewDmaChannel.
 *
 * What the documents leave open follows portcls_dma.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "dmachannel.h"

#define CHANNEL_TAG         'hCmD'

static DMA_CHANNEL *Channel(IDmaChannel *This)
{
    return PcpObject(This);
}

static void Free(DMA_CHANNEL *Dma)
{
    if (!Dma->Address) {
        return;
    }
    Dma->Adapter->DmaOperations->FreeCommonBuffer(
        Dma->Adapter, Dma->AllocatedSize, Dma->Logical, Dma->Address, FALSE);
    Dma->Address = NULL;
    Dma->Logical.QuadPart = 0;
    Dma->AllocatedSize = 0;
    Dma->Size = 0;
}

static VOID NTAPI FreeBuffer(IDmaChannel *This)
{
    PCP_PASSIVE("IDmaChannel::FreeBuffer");
    Free(Channel(This));
}

/*
 * Whether some address meets the constraint: bytes that follow one another
 * differ in every bit below the highest that differs, so only the run of set
 * bits from bit 0 up gives room.
 */
static bool Satisfiable(ULONGLONG Varying, ULONG Size)
{
    ULONGLONG low = Varying & ~(Varying + 1);

    return Size - 1 <= low;
}

static NTSTATUS CheckRequest(const DMA_CHANNEL *Dma, ULONG BufferSize,
                             ULONGLONG Varying)
{
    if (Dma->Address) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    if (!BufferSize) {
        return STATUS_INVALID_PARAMETER;
    }
    if (BufferSize > Dma->MaximumSize) {
        return STATUS_INVALID_BUFFER_SIZE;
    }
    return Satisfiable(Varying, BufferSize) ? STATUS_SUCCESS
                                            : STATUS_INVALID_PARAMETER;
}

static NTSTATUS NTAPI AllocateBuffer(IDmaChannel *This, ULONG BufferSize,
                                     PPHYSICAL_ADDRESS Constraint)
{
    DMA_CHANNEL *channel = Channel(This);
    ULONGLONG varying = Constraint ? (ULONGLONG)Constraint->QuadPart
                                   : MAXULONGLONG;
    NTSTATUS status;

    PCP_PASSIVE("IDmaChannel::AllocateBuffer");
    status = CheckRequest(channel, BufferSize, varying);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    channel->Address = HalpAllocateConstrainedBuffer(
        channel->Adapter, BufferSize, varying, &channel->Logical);
    if (!channel->Address) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    channel->AllocatedSize = BufferSize;
    channel->Size = BufferSize;
    return STATUS_SUCCESS;
}

static ULONG NTAPI TransferCount(IDmaChannel *This)
{
    UNREFERENCED_PARAMETER(This);
    return 0;
}

static ULONG NTAPI MaximumBufferSize(IDmaChannel *This)
{
    return Channel(This)->MaximumSize;
}

static ULONG NTAPI AllocatedBufferSize(IDmaChannel *This)
{
    return Channel(This)->AllocatedSize;
}

static ULONG NTAPI BufferSize(IDmaChannel *This)
{
    return Channel(This)->Size;
}

static VOID NTAPI SetBufferSize(IDmaChannel *This, ULONG BufferSize)
{
    Channel(This)->Size = BufferSize;
}

static PVOID NTAPI SystemAddress(IDmaChannel *This)
{
    return Channel(This)->Address;
}

static PPHYSICAL_ADDRESS NTAPI PhysicalAddress(IDmaChannel *This,
                                               PPHYSICAL_ADDRESS Result)
{
    *Result = Channel(This)->Logical;
    return Result;
}

static PADAPTER_OBJECT NTAPI GetAdapterObject(IDmaChannel *This)
{
    return (PADAPTER_OBJECT)Channel(This)->Adapter;
}

static VOID NTAPI CopyTo(IDmaChannel *This, PVOID Destination, PVOID Source,
                         ULONG ByteCount)
{
    UNREFERENCED_PARAMETER(This);
    RtlCopyMemory(Destination, Source, ByteCount);
}

const IDmaChannelVtbl PcpChannelMethods = {
    PCP_UNKNOWN,
    .AllocateBuffer = AllocateBuffer,
    .FreeBuffer = FreeBuffer,
    .TransferCount = TransferCount,
    .MaximumBufferSize = MaximumBufferSize,
    .AllocatedBufferSize = AllocatedBufferSize,
    .BufferSize = BufferSize,
    .SetBufferSize = SetBufferSize,
    .SystemAddress = SystemAddress,
    .PhysicalAddress = PhysicalAddress,
    .GetAdapterObject = GetAdapterObject,
    .CopyTo = CopyTo,
    .CopyFrom = CopyTo,
};

void PcpDeleteChannel(PVOID Object)
{
    DMA_CHANNEL *channel = Object;

    Free(channel);
    if (channel->Adapter) {
        channel->Adapter->DmaOperations->PutDmaAdapter(channel->Adapter);
    }
}

/* Not IDmaChannelSlave: a bus master needs no controller. dmaslave.c has the others. */
static const GUID *const Ids[] = { &IID_IDmaChannel, NULL };

static const PC_CLASS Class = {
    .Tag = CHANNEL_TAG,
    .Size = sizeof(DMA_CHANNEL),
    .Vtbl = &PcpChannelMethods,
    .Ids = Ids,
    .Delete = PcpDeleteChannel,
};

/* The PDO is at the bottom of the stack that the FDO stands in. */
static NTSTATUS GetAdapter(PDEVICE_OBJECT DeviceObject,
                           PDEVICE_DESCRIPTION Description,
                           PDMA_ADAPTER *Adapter)
{
    PDEVICE_OBJECT pdo = IoGetDeviceAttachmentBaseRef(DeviceObject);
    ULONG registers;

    *Adapter = IoGetDmaAdapter(pdo, Description, &registers);
    ObDereferenceObject(pdo);
    return *Adapter ? STATUS_SUCCESS : STATUS_DEVICE_CONFIGURATION_ERROR;
}

NTSTATUS PcpNewChannel(const PC_CLASS *Of, PUNKNOWN OuterUnknown,
                       POOL_TYPE PoolType, PDEVICE_DESCRIPTION Description,
                       PDEVICE_OBJECT DeviceObject, DMA_CHANNEL **Channel)
{
    DMA_CHANNEL *channel = PcpNewObject(Of, OuterUnknown, PoolType);
    NTSTATUS status;

    if (!channel) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = GetAdapter(DeviceObject, Description, &channel->Adapter);
    if (!NT_SUCCESS(status)) {
        PcpRelease(&channel->Object.Inner);
        return status;
    }
    channel->MaximumSize = Description->MaximumLength;
    *Channel = channel;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI PcNewDmaChannel(PDMACHANNEL *OutDmaChannel,
                               PUNKNOWN OuterUnknown, POOL_TYPE PoolType,
                               PDEVICE_DESCRIPTION DeviceDescription,
                               PDEVICE_OBJECT DeviceObject)
{
    DMA_CHANNEL *channel;
    NTSTATUS status;

    PCP_PASSIVE("PcNewDmaChannel");
    if (!OutDmaChannel || !DeviceDescription || !DeviceObject ||
        PoolType & PagedPool) {
        return STATUS_INVALID_PARAMETER;
    }
    status = DeviceDescription->Master
                 ? PcpNewChannel(&Class, OuterUnknown, PoolType,
                                 DeviceDescription, DeviceObject, &channel)
                 : PcpNewSlaveChannel(OuterUnknown, PoolType, DeviceDescription,
                                      DeviceObject, &channel);
    if (NT_SUCCESS(status)) {
        *OutDmaChannel = (PDMACHANNEL)channel;
    }
    return status;
}
