/*
 * What PCI functions need and get: memory, ports, interrupts.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcibus.h"

PCM_PARTIAL_RESOURCE_DESCRIPTOR IopAddResource(PCM_RESOURCE_LIST List,
                                               UCHAR Type, USHORT Flags)
{
    PCM_PARTIAL_RESOURCE_LIST list = &List->List[0].PartialResourceList;
    PCM_PARTIAL_RESOURCE_DESCRIPTOR resource =
        &list->PartialDescriptors[list->Count++];

    resource->Type = Type;
    resource->ShareDisposition = CmResourceShareDeviceExclusive;
    resource->Flags = Flags;
    return resource;
}

static void AddPorts(PDO_EXTENSION *Pdo, ULONG Bar)
{
    PCI_MEMORY ports = PciReadPorts(&Pdo->Function, Bar);
    PCM_PARTIAL_RESOURCE_DESCRIPTOR resource;

    if (ports.Length) {
        resource = IopAddResource(&Pdo->Resources.List, CmResourceTypePort,
                                  CM_RESOURCE_PORT_IO |
                                  CM_RESOURCE_PORT_POSITIVE_DECODE);
        resource->u.Port.Start.QuadPart = (LONGLONG)ports.Base;
        resource->u.Port.Length = (ULONG)ports.Length;
    }
}

static void AddMemory(PDO_EXTENSION *Pdo)
{
    for (ULONG bar = 0; bar < PCI_BARS; bar++) {
        PCI_MEMORY memory = PciReadBar(&Pdo->Function, bar);
        PCM_PARTIAL_RESOURCE_DESCRIPTOR resource;

        AddPorts(Pdo, bar);
        bar += memory.Wide;
        if (!memory.Length || memory.Length > MAXULONG) {
            continue;
        }
        resource = IopAddResource(&Pdo->Resources.List, CmResourceTypeMemory,
                                  CM_RESOURCE_MEMORY_READ_WRITE |
                                  (memory.Prefetchable
                                       ? CM_RESOURCE_MEMORY_PREFETCHABLE : 0));
        resource->u.Memory.Start.QuadPart = (LONGLONG)memory.Base;
        resource->u.Memory.Length = (ULONG)memory.Length;
    }
}

/* Devices have their messages unless the host says that the .inf does not ask. */
static bool HasMessages(const PDO_EXTENSION *Pdo)
{
    char choice[sizeof("off") + 1] = "";

    return Pdo->Function.MsiCapability &&
           !(IopBootOption("messages", choice, sizeof(choice)) &&
             RtlEqualMemory(choice, "off", sizeof("off")));
}

static void AddLine(PDO_EXTENSION *Pdo)
{
    PCM_PARTIAL_RESOURCE_DESCRIPTOR resource;
    ULONG line, vector = PciReadLine(&Pdo->Function, &line)
                             ? IopLineVector(line) : 0;

    if (!vector) {
        return;
    }
    resource = IopAddResource(&Pdo->Resources.List, CmResourceTypeInterrupt,
                              CM_RESOURCE_INTERRUPT_LEVEL_SENSITIVE);
    resource->ShareDisposition = CmResourceShareShared;
    resource->u.Interrupt.Level = KI_VECTOR_IRQL(vector);
    resource->u.Interrupt.Vector = vector;
    resource->u.Interrupt.Affinity = 1;
}

static void AddInterrupt(PDO_EXTENSION *Pdo)
{
    PCM_PARTIAL_RESOURCE_DESCRIPTOR resource;

    if (!HasMessages(Pdo)) {
        AddLine(Pdo);
        return;
    }
    if (!Pdo->Vector) {
        Pdo->Vector = KiAllocateVector();
    }
    if (!Pdo->Vector) {
        return;
    }
    resource = IopAddResource(&Pdo->Resources.List, CmResourceTypeInterrupt,
                              CM_RESOURCE_INTERRUPT_LATCHED |
                              CM_RESOURCE_INTERRUPT_MESSAGE);
    resource->u.MessageInterrupt.Translated.Level =
        KI_VECTOR_IRQL(Pdo->Vector);
    resource->u.MessageInterrupt.Translated.Vector = Pdo->Vector;
    resource->u.MessageInterrupt.Translated.Affinity = 1;
}

PCM_RESOURCE_LIST IopPdoResources(PDEVICE_OBJECT Pdo)
{
    PDO_EXTENSION *extension = IopPciExtension(Pdo);
    PCM_RESOURCE_LIST list = &extension->Resources.List;

    if (IopIsIsaPdo(Pdo)) {
        return IopIsaResources(Pdo);
    }
    if (!list->Count) {
        list->Count = 1;
        list->List[0].InterfaceType = PCIBus;
        list->List[0].BusNumber = extension->Function.Bus;
        list->List[0].PartialResourceList.Version = 1;
        list->List[0].PartialResourceList.Revision = 1;
        AddMemory(extension);
        AddInterrupt(extension);
    }
    return list;
}

/* The new interrupt is taken before the old is given back, so as to be another. */
static BOOLEAN ChangeVector(PDO_EXTENSION *Pdo)
{
    ULONG vector = Pdo->Vector ? KiAllocateVector() : 0;

    if (vector) {
        KiFreeVector(Pdo->Vector);
        Pdo->Vector = vector;
    }
    return !HasMessages(Pdo) || vector;
}

BOOLEAN IopChangePdoResources(PDEVICE_OBJECT Pdo)
{
    PDO_EXTENSION *extension = IopPciExtension(Pdo);
    BOOLEAN moved, changed;

    if (IopIsIsaPdo(Pdo)) {
        return FALSE;
    }
    moved = PciMoveMemory(&extension->Function);
    changed = ChangeVector(extension);
    RtlZeroMemory(&extension->Resources, sizeof(extension->Resources));
    return moved && changed;
}

ULONGLONG IopPdoMemory(PDEVICE_OBJECT Pdo)
{
    const CM_PARTIAL_RESOURCE_LIST *list =
        &IopPdoResources(Pdo)->List[0].PartialResourceList;

    for (ULONG i = 0; i < list->Count; i++) {
        if (list->PartialDescriptors[i].Type == CmResourceTypeMemory) {
            return (ULONGLONG)
                list->PartialDescriptors[i].u.Memory.Start.QuadPart;
        }
    }
    return 0;
}

ULONG IopPdoVector(PDEVICE_OBJECT Pdo)
{
    return IopIsIsaPdo(Pdo) ? 0 : IopPciExtension(Pdo)->Vector;
}
