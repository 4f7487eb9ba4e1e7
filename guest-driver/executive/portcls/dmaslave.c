/*
 * IDmaChannelSlave: channels of the system's DMA controllers.
 *
 * What the documents leave open follows portcls_dma.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "dmachannel.h"

#define SLAVE_TAG           'sDcP'
#define POLL_MICROSECONDS   10

typedef struct _DMA_SLAVE {
    DMA_CHANNEL Channel;        /* first: the methods of IDmaChannel take it */
    PDEVICE_OBJECT Device;
    ULONG Unit;                 /* bytes that are moved at a time */
    volatile LONG State;
    ULONG MapSize;              /* of the last Start */
    BOOLEAN WriteToDevice;
    PMDL Mdl;                   /* of what is mapped, or waits for the channel */
    PVOID Base;
} DMA_SLAVE;

/* State */
#define STOPPED             0
#define WAITING             1       /* somebody else has the channel */
#define RUNNING             2

static DMA_SLAVE *Slave(PVOID This)
{
    return PcpObject(This);
}

/* The channel is ours: IRQL is DISPATCH_LEVEL. */
static IO_ALLOCATION_ACTION NTAPI Begin(PDEVICE_OBJECT DeviceObject, PIRP Irp,
                                        PVOID MapRegisterBase, PVOID Context)
{
    DMA_SLAVE *slave = Context;
    PDMA_ADAPTER adapter = slave->Channel.Adapter;
    ULONG length = slave->MapSize;

    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    slave->Base = MapRegisterBase;
    adapter->DmaOperations->MapTransfer(adapter, slave->Mdl, MapRegisterBase,
                                        slave->Channel.Address, &length,
                                        slave->WriteToDevice);
    InterlockedExchange(&slave->State, RUNNING);
    return KeepObject;
}

static NTSTATUS Ask(DMA_SLAVE *Slave)
{
    PDMA_ADAPTER adapter = Slave->Channel.Adapter;
    ULONG registers = ADDRESS_AND_SIZE_TO_SPAN_PAGES(Slave->Channel.Address,
                                                     Slave->MapSize);
    KIRQL irql;
    NTSTATUS status;

    InterlockedExchange(&Slave->State, WAITING);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    status = adapter->DmaOperations->AllocateAdapterChannel(
        adapter, Slave->Device, registers, Begin, Slave);
    KeLowerIrql(irql);
    return status;
}

static NTSTATUS NTAPI Start(IDmaChannelSlave *This, ULONG MapSize,
                            BOOLEAN WriteToDevice)
{
    DMA_SLAVE *slave = Slave(This);
    NTSTATUS status;

    PCP_PASSIVE("IDmaChannelSlave::Start");
    if (slave->State != STOPPED) {
        return STATUS_UNSUCCESSFUL;
    }
    if (!MapSize || MapSize > slave->Channel.AllocatedSize ||
        MapSize % slave->Unit) {
        return STATUS_INVALID_PARAMETER;
    }
    slave->Mdl = IoAllocateMdl(slave->Channel.Address, MapSize, FALSE, FALSE,
                               NULL);
    if (!slave->Mdl) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    MmBuildMdlForNonPagedPool(slave->Mdl);
    slave->MapSize = MapSize;
    slave->WriteToDevice = WriteToDevice;
    status = Ask(slave);
    if (!NT_SUCCESS(status)) {
        IoFreeMdl(slave->Mdl);
        InterlockedExchange(&slave->State, STOPPED);
    }
    return status;
}

/* DISPATCH_LEVEL. */
static void Finish(DMA_SLAVE *Slave)
{
    PDMA_ADAPTER adapter = Slave->Channel.Adapter;

    adapter->DmaOperations->FlushAdapterBuffers(
        adapter, Slave->Mdl, Slave->Base, Slave->Channel.Address,
        Slave->MapSize, Slave->WriteToDevice);
    adapter->DmaOperations->FreeAdapterChannel(adapter);
}

/*
 * While it waits the request is taken back; if it is not there any more, Begin
 * is running on another processor.
 */
static void Halt(DMA_SLAVE *Slave)
{
    bool cancelled = false;
    KIRQL irql;

    if (Slave->State == STOPPED) {
        return;
    }
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    while (Slave->State == WAITING && !cancelled) {
        cancelled = HalpCancelChannel(Slave->Channel.Adapter, Slave);
    }
    if (!cancelled) {
        Finish(Slave);
    }
    KeLowerIrql(irql);
    IoFreeMdl(Slave->Mdl);
    InterlockedExchange(&Slave->State, STOPPED);
}

static NTSTATUS NTAPI Stop(IDmaChannelSlave *This)
{
    PCP_DISPATCH("IDmaChannelSlave::Stop");
    Halt(Slave(This));
    return STATUS_SUCCESS;
}

static ULONG NTAPI ReadCounter(IDmaChannelSlave *This)
{
    DMA_SLAVE *slave = Slave(This);
    PDMA_ADAPTER adapter = slave->Channel.Adapter;

    PCP_DISPATCH("IDmaChannelSlave::ReadCounter");
    switch (slave->State) {
    case RUNNING:
        return adapter->DmaOperations->ReadDmaCounter(adapter);
    case WAITING:
        return slave->MapSize;
    default:
        return 0;
    }
}

/* With auto-initialise the count never stays 0: it goes up. */
static NTSTATUS NTAPI WaitForTC(IDmaChannelSlave *This, ULONG Timeout)
{
    DMA_SLAVE *slave = Slave(This);
    ULONG left, before = slave->MapSize;

    PCP_PASSIVE("IDmaChannelSlave::WaitForTC");
    if (slave->State == STOPPED) {
        return STATUS_UNSUCCESSFUL;
    }
    for (ULONG polls = Timeout / POLL_MICROSECONDS;; polls--) {
        left = ReadCounter(This);
        if (!left || left > before) {
            return STATUS_SUCCESS;
        }
        if (!polls) {
            return STATUS_UNSUCCESSFUL;
        }
        before = left;
        KeStallExecutionProcessor(POLL_MICROSECONDS);
    }
}

static ULONG NTAPI TransferCount(IDmaChannel *This)
{
    return Slave(This)->MapSize;
}

static VOID NTAPI FreeBuffer(IDmaChannel *This)
{
    PCP_PASSIVE("IDmaChannel::FreeBuffer");
    Halt(Slave(This));
    PcpChannelMethods.FreeBuffer(This);
}

static void Delete(PVOID Object)
{
    Halt(Object);
    PcpDeleteChannel(Object);
}

static const GUID *const Ids[] = { &IID_IDmaChannelSlave, &IID_IDmaChannel,
                                   NULL };

typedef union _SLAVE_METHODS {
    IDmaChannelVtbl Channel;
    IDmaChannelSlaveVtbl Slave;
} SLAVE_METHODS;

static SLAVE_METHODS Methods;

static const PC_CLASS Class = {
    .Tag = SLAVE_TAG,
    .Size = sizeof(DMA_SLAVE),
    .Vtbl = &Methods,
    .Ids = Ids,
    .Delete = Delete,
};

/* A slave is a channel, but for two methods. Whoever comes second writes the same. */
static void FillMethods(void)
{
    SLAVE_METHODS methods = { .Channel = PcpChannelMethods };

    methods.Channel.TransferCount = TransferCount;
    methods.Channel.FreeBuffer = FreeBuffer;
    methods.Slave.Start = Start;
    methods.Slave.Stop = Stop;
    methods.Slave.ReadCounter = ReadCounter;
    methods.Slave.WaitForTC = WaitForTC;
    Methods = methods;
}

NTSTATUS PcpNewSlaveChannel(PUNKNOWN OuterUnknown, POOL_TYPE PoolType,
                            PDEVICE_DESCRIPTION Description,
                            PDEVICE_OBJECT DeviceObject, DMA_CHANNEL **Channel)
{
    bool words = Description->DmaWidth == Width16Bits;
    ULONG most = words ? 0x20000 : 0x10000;
    NTSTATUS status;

    if (!Methods.Slave.WaitForTC) {
        FillMethods();
    }
    status = PcpNewChannel(&Class, OuterUnknown, PoolType, Description,
                           DeviceObject, Channel);
    if (NT_SUCCESS(status)) {
        DMA_SLAVE *slave = (DMA_SLAVE *)*Channel;

        slave->Device = DeviceObject;
        slave->Unit = words ? 2 : 1;
        if (slave->Channel.MaximumSize > most) {
            slave->Channel.MaximumSize = most;
        }
    }
    return status;
}
