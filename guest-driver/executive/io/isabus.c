/*
 * The ISA bus driver: cards are looked for at the addresses that they are known
 * to have, and say themselves what they are set to.
 *
 * SPDX-License-Identifier: MIT
 */
#include "iop.h"

#include "portio.h"

#define RESOURCES_MAX           4

typedef struct _ISA_EXTENSION {
    CHAR Id[PCI_ID_MAX];
    ULONG Ports, PortCount;
    ULONG Line;
    ULONG Channels[2];          /* of the DMA controllers */
    struct {
        CM_RESOURCE_LIST List;
        CM_PARTIAL_RESOURCE_DESCRIPTOR More[RESOURCES_MAX - 1];
    } Resources;
} ISA_EXTENSION;

static PDRIVER_OBJECT Driver;

static ISA_EXTENSION *Extension(PDEVICE_OBJECT Pdo)
{
    return Pdo->DeviceExtension;
}

/* --- The Sound Blaster 16 (Creative's programming guide) --------------------- */

#define SB_MIXER_INDEX          0x4
#define SB_MIXER_DATA           0x5
#define   SB_MIXER_LINE         0x80
#define   SB_MIXER_CHANNELS     0x81
#define SB_RESET                0x6
#define SB_READ                 0xa
#define   SB_READY              0xaa
#define SB_WRITE                0xc
#define   SB_BUSY               0x80
#define   SB_VERSION            0xe1
#define   SB_VERSION_16         4
#define SB_STATUS               0xe
#define   SB_DATA_THERE         0x80
#define SB_PORTS                0x10
#define POLLS                   100
#define POLL_MICROSECONDS       10

static bool Poll(ULONG Port, UCHAR Mask, UCHAR Wanted)
{
    for (ULONG i = 0; i < POLLS; i++) {
        if ((port_read8((USHORT)Port) & Mask) == Wanted) {
            return true;
        }
        KeStallExecutionProcessor(POLL_MICROSECONDS);
    }
    return false;
}

static ULONG SbRead(ULONG Base)
{
    return Poll(Base + SB_STATUS, SB_DATA_THERE, SB_DATA_THERE)
               ? port_read8((USHORT)(Base + SB_READ)) : MAXULONG;
}

static UCHAR SbMixer(ULONG Base, UCHAR Index)
{
    port_write8((USHORT)(Base + SB_MIXER_INDEX), Index);
    return port_read8((USHORT)(Base + SB_MIXER_DATA));
}

static bool SbAnswers(ULONG Base)
{
    port_write8((USHORT)(Base + SB_RESET), 1);
    KeStallExecutionProcessor(POLL_MICROSECONDS);
    port_write8((USHORT)(Base + SB_RESET), 0);
    if (SbRead(Base) != SB_READY || !Poll(Base + SB_WRITE, SB_BUSY, 0)) {
        return false;
    }
    port_write8((USHORT)(Base + SB_WRITE), SB_VERSION);
    return SbRead(Base) == SB_VERSION_16;
}

/* The lowest bit that is set; BitScanForward's FALSE is no bit at all. */
static bool Lowest(ULONG Bits, ULONG *Number)
{
    return BitScanForward(Number, Bits) != 0;
}

/* What the card's set-up registers say, a bit for each choice. */
static bool SbSettings(ULONG Base, ISA_EXTENSION *Card)
{
    static const UCHAR lines[] = { 9, 5, 7, 10 };
    UCHAR channels = SbMixer(Base, SB_MIXER_CHANNELS);
    ULONG line;

    if (!Lowest(SbMixer(Base, SB_MIXER_LINE) & 0x0f, &line) ||
        !Lowest(channels & 0x0b, &Card->Channels[0]) ||
        !Lowest(channels & 0xe0, &Card->Channels[1])) {
        return false;
    }
    Card->Line = lines[line];
    return true;
}

static bool FindSoundBlaster(ULONG Base, ISA_EXTENSION *Card)
{
    static const CHAR Id[] = "*PNPB003";

    if (!SbAnswers(Base) || !SbSettings(Base, Card)) {
        return false;
    }
    RtlCopyMemory(Card->Id, Id, sizeof(Id));
    Card->Ports = Base;
    Card->PortCount = SB_PORTS;
    return true;
}

/* --- PDOs --------------------------------------------------------------------- */

static NTSTATUS Complete(PIRP Irp, NTSTATUS Status)
{
    Irp->IoStatus.Status = Status;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static NTSTATUS NTAPI DispatchPnp(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    switch (IoGetCurrentIrpStackLocation(Irp)->MinorFunction) {
    case IRP_MN_START_DEVICE:
    case IRP_MN_STOP_DEVICE:
    case IRP_MN_REMOVE_DEVICE:
    case IRP_MN_SURPRISE_REMOVAL:
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
        return Complete(Irp, STATUS_SUCCESS);
    default:
        return Complete(Irp, Irp->IoStatus.Status);
    }
}

/* The cards know no power states: what is asked for is noted. */
static NTSTATUS NTAPI DispatchPower(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);

    PoStartNextPowerIrp(Irp);
    switch (stack->MinorFunction) {
    case IRP_MN_SET_POWER:
        if (stack->Parameters.Power.Type == DevicePowerState) {
            PoSetPowerState(DeviceObject, DevicePowerState,
                            stack->Parameters.Power.State);
        }
        return Complete(Irp, STATUS_SUCCESS);
    case IRP_MN_QUERY_POWER:
        return Complete(Irp, STATUS_SUCCESS);
    default:
        return Complete(Irp, Irp->IoStatus.Status);
    }
}

static void MakePdo(const ISA_EXTENSION *Card)
{
    PDEVICE_OBJECT pdo;

    if (!NT_SUCCESS(IoCreateDevice(Driver, sizeof(ISA_EXTENSION), NULL,
                                   FILE_DEVICE_UNKNOWN, 0, FALSE, &pdo))) {
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, 0, 0, 0, 0);
    }
    *Extension(pdo) = *Card;
    pdo->Flags &= ~DO_DEVICE_INITIALIZING;
}

void IopEnumerateIsa(void)
{
    Driver = IopCreateDriver();
    if (!Driver) {
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, 0, 0, 0, 0);
    }
    Driver->MajorFunction[IRP_MJ_PNP] = DispatchPnp;
    Driver->MajorFunction[IRP_MJ_POWER] = DispatchPower;
    for (ULONG base = 0x220; base <= 0x280; base += 0x20) {
        ISA_EXTENSION card = { 0 };

        if (FindSoundBlaster(base, &card)) {
            MakePdo(&card);
        }
    }
}

BOOLEAN IopIsIsaPdo(PDEVICE_OBJECT Pdo)
{
    return Pdo->DriverObject == Driver;
}

PDEVICE_OBJECT IopNextIsaPdo(PDEVICE_OBJECT Previous)
{
    return Previous ? Previous->NextDevice : Driver->DeviceObject;
}

PDEVICE_OBJECT IopNextFreeIsa(PDEVICE_OBJECT Previous)
{
    PDEVICE_OBJECT pdo = Previous;

    do {
        pdo = IopNextIsaPdo(pdo);
    } while (pdo && IopExtension(pdo)->Service);
    return pdo;
}

void IopIsaIds(PDEVICE_OBJECT Pdo, PCI_IDS *Ids)
{
    RtlZeroMemory(Ids, sizeof(*Ids));
    RtlCopyMemory(Ids->All[0], Extension(Pdo)->Id, PCI_ID_MAX);
}

/* On a PC whose firmware routes PCI to the line as well it is level-triggered. */
static void AddLine(ISA_EXTENSION *Card)
{
    ULONG vector = IopLineVector(Card->Line);
    PCM_PARTIAL_RESOURCE_DESCRIPTOR resource;

    if (vector) {
        resource = IopAddResource(&Card->Resources.List,
                                  CmResourceTypeInterrupt,
                                  CM_RESOURCE_INTERRUPT_LEVEL_SENSITIVE);
        resource->ShareDisposition = CmResourceShareShared;
        resource->u.Interrupt.Level = KI_VECTOR_IRQL(vector);
        resource->u.Interrupt.Vector = vector;
        resource->u.Interrupt.Affinity = 1;
    }
}

PCM_RESOURCE_LIST IopIsaResources(PDEVICE_OBJECT Pdo)
{
    ISA_EXTENSION *card = Extension(Pdo);
    PCM_RESOURCE_LIST list = &card->Resources.List;
    PCM_PARTIAL_RESOURCE_DESCRIPTOR resource;

    if (list->Count) {
        return list;
    }
    list->Count = 1;
    list->List[0].InterfaceType = Isa;
    list->List[0].PartialResourceList.Version = 1;
    list->List[0].PartialResourceList.Revision = 1;
    resource = IopAddResource(list, CmResourceTypePort,
                              CM_RESOURCE_PORT_IO |
                              CM_RESOURCE_PORT_10_BIT_DECODE);
    resource->u.Port.Start.QuadPart = card->Ports;
    resource->u.Port.Length = card->PortCount;
    AddLine(card);
    IopAddResource(list, CmResourceTypeDma, CM_RESOURCE_DMA_8)->u.Dma.Channel =
        card->Channels[0];
    IopAddResource(list, CmResourceTypeDma, CM_RESOURCE_DMA_16)->u.Dma.Channel =
        card->Channels[1];
    return list;
}
