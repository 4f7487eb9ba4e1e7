/*
 * The WaveCyclic port, between a miniport and its filter; and that of a topology,
 * which lacks what is about streams.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcp.h"
#include "wdm3.h"

#define PORT_TAG            'tPcP'

/* Channels from there on are 16 bits wide. */
#define FIRST_WORD_CHANNEL  4

/* Private to this image. */
const GUID PcpIidPort = { 0x6f1d5a3c, 0x90b2, 0x4f0e,
                          { 0x9a, 0x41, 0x2d, 0x77, 0x5b, 0x0c, 0xe8, 0x13 } };

const PCPIN_DESCRIPTOR *PcpPinDescriptor(const PC_PORT *Port, ULONG PinId)
{
    const PCFILTER_DESCRIPTOR *filter = Port->Description;

    return PinId < filter->PinCount
               ? (const PCPIN_DESCRIPTOR *)((PUCHAR)filter->Pins +
                                            (SIZE_T)PinId * filter->PinSize)
               : NULL;
}

static void ReleaseMiniport(PC_PORT *Port)
{
    Port->Description = NULL;
    PCP_RELEASE(Port->PowerNotify);
    PCP_RELEASE(Port->Miniport);
}

_Static_assert(FIELD_OFFSET(IMiniportTopologyVtbl, Init) ==
               FIELD_OFFSET(IMiniportWaveCyclicVtbl, Init), "Init");

/* Its Init may already ask the port for DMA channels. */
static NTSTATUS InitializeMiniport(PC_PORT *Port, PUNKNOWN Adapter,
                                   PRESOURCELIST Resources)
{
    PMINIPORTWAVECYCLIC miniport = Port->Miniport;
    NTSTATUS status = miniport->lpVtbl->Init(miniport, Adapter, Resources,
                                             (PPORTWAVECYCLIC)Port);

    if (NT_SUCCESS(status)) {
        status = miniport->lpVtbl->GetDescription(miniport, &Port->Description);
    }
    if (NT_SUCCESS(status) &&
        (!Port->Description || !Port->Description->PinCount ||
         !Port->Description->Pins ||
         Port->Description->PinSize < sizeof(PCPIN_DESCRIPTOR))) {
        status = STATUS_INVALID_PARAMETER;
    }
    return status;
}

static NTSTATUS NTAPI Init(IPortWaveCyclic *This, PDEVICE_OBJECT DeviceObject,
                           PIRP Irp, PUNKNOWN UnknownMiniport,
                           PUNKNOWN UnknownAdapter, PRESOURCELIST ResourceList)
{
    PC_PORT *port = PcpObject(This);
    NTSTATUS status;

    PCP_PASSIVE("IPort::Init");
    if (!DeviceObject || !Irp || !UnknownMiniport || !ResourceList) {
        return STATUS_INVALID_PARAMETER;
    }
    if (port->Device) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    status = UnknownMiniport->lpVtbl->QueryInterface(
        UnknownMiniport, port->MiniportId, (PVOID *)&port->Miniport);
    if (!NT_SUCCESS(status)) {
        port->Miniport = NULL;
        return status;
    }
    port->Device = PcpDevice(DeviceObject);
    status = InitializeMiniport(port, UnknownAdapter, ResourceList);
    if (!NT_SUCCESS(status)) {
        ReleaseMiniport(port);
        port->Device = NULL;
        return status;
    }
    if (!NT_SUCCESS(port->Miniport->lpVtbl->QueryInterface(
            port->Miniport, &IID_IPowerNotify, (PVOID *)&port->PowerNotify))) {
        port->PowerNotify = NULL;
    }
    PcpLock(port->Device);
    PcpAddRef(&port->Object.Inner);
    InsertTailList(&port->Device->Ports, &port->Link);
    PcpUnlock(port->Device);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI GetDeviceProperty(IPortWaveCyclic *This,
                                        DEVICE_REGISTRY_PROPERTY DeviceProperty,
                                        ULONG BufferLength,
                                        PVOID PropertyBuffer,
                                        PULONG ResultLength)
{
    PC_PORT *port = PcpObject(This);

    PCP_PASSIVE("IPort::GetDeviceProperty");
    if (!port->Device) {
        return STATUS_DEVICE_NOT_READY;
    }
    return PcGetDeviceProperty(port->Device->Self, DeviceProperty, BufferLength,
                               PropertyBuffer, ResultLength);
}

static NTSTATUS NTAPI NewRegistryKey(
    IPortWaveCyclic *This, PREGISTRYKEY *OutRegistryKey, PUNKNOWN OuterUnknown,
    ULONG RegistryKeyType, ACCESS_MASK DesiredAccess,
    POBJECT_ATTRIBUTES ObjectAttributes, ULONG CreateOptions,
    PULONG Disposition)
{
    PC_PORT *port = PcpObject(This);

    PCP_PASSIVE("IPort::NewRegistryKey");
    if (!port->Device) {
        return STATUS_DEVICE_NOT_READY;
    }
    return PcNewRegistryKey(OutRegistryKey, OuterUnknown, PagedPool,
                            RegistryKeyType, DesiredAccess, port->Device->Self,
                            This, ObjectAttributes, CreateOptions, Disposition);
}

static VOID NTAPI Notify(IPortWaveCyclic *This, PSERVICEGROUP ServiceGroup)
{
    UNREFERENCED_PARAMETER(This);
    if (ServiceGroup) {
        ServiceGroup->lpVtbl->RequestService(ServiceGroup);
    }
}

/* ReadCounter is to go round: so the controller starts over by itself. */
static NTSTATUS NTAPI NewSlaveDmaChannel(
    IPortWaveCyclic *This, PDMACHANNELSLAVE *DmaChannel, PUNKNOWN OuterUnknown,
    PRESOURCELIST ResourceList, ULONG DmaIndex, ULONG MaximumLength,
    BOOLEAN DemandMode, DMA_SPEED DmaSpeed)
{
    PC_PORT *port = PcpObject(This);
    PCM_PARTIAL_RESOURCE_DESCRIPTOR entry;
    DEVICE_DESCRIPTION description = {
        .Version = DEVICE_DESCRIPTION_VERSION2,
        .DemandMode = DemandMode,
        .AutoInitialize = TRUE,
        .InterfaceType = Isa,
        .DmaSpeed = DmaSpeed,
        .MaximumLength = MaximumLength,
    };

    PCP_PASSIVE("IPortWaveCyclic::NewSlaveDmaChannel");
    if (!port->Device) {
        return STATUS_DEVICE_NOT_READY;
    }
    entry = ResourceList ? ResourceList->lpVtbl->FindTranslatedEntry(
                               ResourceList, CmResourceTypeDma, DmaIndex)
                         : NULL;
    if (!entry) {
        return STATUS_INVALID_PARAMETER;
    }
    description.DmaChannel = entry->u.Dma.Channel;
    description.DmaWidth = entry->u.Dma.Channel < FIRST_WORD_CHANNEL
                               ? Width8Bits : Width16Bits;
    return PcNewDmaChannel((PDMACHANNEL *)DmaChannel, OuterUnknown,
                           NonPagedPool, &description, port->Device->Self);
}

static NTSTATUS NTAPI NewMasterDmaChannel(
    IPortWaveCyclic *This, PDMACHANNEL *DmaChannel, PUNKNOWN OuterUnknown,
    PRESOURCELIST ResourceList, ULONG MaximumLength, BOOLEAN Dma32BitAddresses,
    BOOLEAN Dma64BitAddresses, DMA_WIDTH DmaWidth, DMA_SPEED DmaSpeed)
{
    PC_PORT *port = PcpObject(This);
    DEVICE_DESCRIPTION description = {
        .Version = DEVICE_DESCRIPTION_VERSION1,
        .Master = TRUE,
        .ScatterGather = Dma32BitAddresses || Dma64BitAddresses,
        .Dma32BitAddresses = Dma32BitAddresses,
        .Dma64BitAddresses = Dma64BitAddresses,
        .InterfaceType = InterfaceTypeUndefined,
        .DmaWidth = DmaWidth,
        .DmaSpeed = DmaSpeed,
        .MaximumLength = MaximumLength,
    };

    UNREFERENCED_PARAMETER(ResourceList);
    PCP_PASSIVE("IPortWaveCyclic::NewMasterDmaChannel");
    if (!port->Device) {
        return STATUS_DEVICE_NOT_READY;
    }
    return PcNewDmaChannel(DmaChannel, OuterUnknown, NonPagedPool, &description,
                           port->Device->Self);
}

static const IPortWaveCyclicVtbl Methods = {
    PCP_UNKNOWN,
    .Init = Init,
    .GetDeviceProperty = GetDeviceProperty,
    .NewRegistryKey = NewRegistryKey,
    .Notify = Notify,
    .NewSlaveDmaChannel = NewSlaveDmaChannel,
    .NewMasterDmaChannel = NewMasterDmaChannel,
};

static const GUID *const Ids[] = { &IID_IPortWaveCyclic, &IID_IPort,
                                   &PcpIidPort, NULL };

/* While it is on the device's list that holds it: the miniport went before. */
static const PC_CLASS Class = {
    .Tag = PORT_TAG,
    .Size = sizeof(PC_PORT),
    .Vtbl = &Methods,
    .Ids = Ids,
};

_Static_assert(FIELD_OFFSET(IPortTopologyVtbl, NewRegistryKey) ==
               FIELD_OFFSET(IPortWaveCyclicVtbl, NewRegistryKey), "IPort");

static const GUID *const TopologyIds[] = { &IID_IPortTopology, &IID_IPort,
                                           &PcpIidPort, NULL };

/* Its interface is where the other's begins. */
static const PC_CLASS TopologyClass = {
    .Tag = PORT_TAG,
    .Size = sizeof(PC_PORT),
    .Vtbl = &Methods,
    .Ids = TopologyIds,
};

NTSTATUS NTAPI PcNewPort(PPORT *OutPort, REFCLSID ClassId)
{
    const GUID *miniport = &IID_IMiniportWaveCyclic;
    const PC_CLASS *class = &Class;
    PC_PORT *port;

    PCP_PASSIVE("PcNewPort");
    if (!OutPort || !ClassId) {
        return STATUS_INVALID_PARAMETER;
    }
    if (IsEqualGUIDAligned(ClassId, &CLSID_PortTopology)) {
        miniport = &IID_IMiniportTopology;
        class = &TopologyClass;
    } else if (!IsEqualGUIDAligned(ClassId, &CLSID_PortWaveCyclic)) {
        return STATUS_NOT_SUPPORTED;
    }
    port = PcpNewObject(class, NULL, NonPagedPool);
    if (!port) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    port->MiniportId = miniport;
    InitializeListHead(&port->Link);
    InitializeListHead(&port->Pins);
    *OutPort = (PPORT)port;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI PcGetDeviceProperty(PVOID DeviceObject,
                                   DEVICE_REGISTRY_PROPERTY DeviceProperty,
                                   ULONG BufferLength, PVOID PropertyBuffer,
                                   PULONG ResultLength)
{
    PCP_PASSIVE("PcGetDeviceProperty");
    if (!DeviceObject || !ResultLength) {
        return STATUS_INVALID_PARAMETER;
    }
    return IoGetDeviceProperty(PcpDevice(DeviceObject)->Physical,
                               DeviceProperty, BufferLength, PropertyBuffer,
                               ResultLength);
}

void PcpStopPort(PC_PORT *Port)
{
    if (!Port->Miniport) {
        return;
    }
    PcpDisconnectPins(Port);
    ReleaseMiniport(Port);
    RemoveEntryList(&Port->Link);
    InitializeListHead(&Port->Link);
    PcpRelease(&Port->Object.Inner);
}
