/*
 * Filters: what a client opens by a subdevice's name, and KSPROPSETID_Pin.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcp.h"

#define FILTER_TAG          'lFcP'

static PC_FILTER *FilterOf(PC_FILE *File)
{
    return CONTAINING_RECORD(File, PC_FILTER, File);
}

static NTSTATUS GetPinCount(PC_PROPERTY *Request)
{
    return PcpReturn(Request, &Request->Port->Description->PinCount,
                     sizeof(ULONG));
}

/* The pin that is asked about; NULL: there is none. */
static const PCPIN_DESCRIPTOR *Asked(PC_PROPERTY *Request)
{
    return PcpPinDescriptor(Request->Port,
                            ((PKSP_PIN)Request->Property)->PinId);
}

static NTSTATUS GetDataFlow(PC_PROPERTY *Request)
{
    const PCPIN_DESCRIPTOR *pin = Asked(Request);

    return pin ? PcpReturn(Request, &pin->KsPinDescriptor.DataFlow,
                           sizeof(KSPIN_DATAFLOW))
               : STATUS_INVALID_PARAMETER;
}

static NTSTATUS GetCommunication(PC_PROPERTY *Request)
{
    const PCPIN_DESCRIPTOR *pin = Asked(Request);

    return pin ? PcpReturn(Request, &pin->KsPinDescriptor.Communication,
                           sizeof(KSPIN_COMMUNICATION))
               : STATUS_INVALID_PARAMETER;
}

static NTSTATUS GetCategory(PC_PROPERTY *Request)
{
    const PCPIN_DESCRIPTOR *pin = Asked(Request);

    if (!pin) {
        return STATUS_INVALID_PARAMETER;
    }
    return pin->KsPinDescriptor.Category
               ? PcpReturn(Request, pin->KsPinDescriptor.Category, sizeof(GUID))
               : STATUS_NOT_FOUND;
}

static NTSTATUS GetInstances(PC_PROPERTY *Request)
{
    const PCPIN_DESCRIPTOR *pin = Asked(Request);
    PC_FILTER *filter = Request->Owner;
    KSPIN_CINSTANCES instances;

    if (!pin) {
        return STATUS_INVALID_PARAMETER;
    }
    instances.PossibleCount = pin->MaxFilterInstanceCount;
    instances.CurrentCount =
        filter->Instances[((PKSP_PIN)Request->Property)->PinId];
    return PcpReturn(Request, &instances, sizeof(instances));
}

static NTSTATUS GetGlobalInstances(PC_PROPERTY *Request)
{
    const PCPIN_DESCRIPTOR *pin = Asked(Request);
    KSPIN_CINSTANCES instances;

    if (!pin) {
        return STATUS_INVALID_PARAMETER;
    }
    instances.PossibleCount = pin->MaxGlobalInstanceCount;
    instances.CurrentCount = PcpCountPins(
        Request->Port, ((PKSP_PIN)Request->Property)->PinId);
    return PcpReturn(Request, &instances, sizeof(instances));
}

static NTSTATUS GetNecessaryInstances(PC_PROPERTY *Request)
{
    const PCPIN_DESCRIPTOR *pin = Asked(Request);

    return pin ? PcpReturn(Request, &pin->MinFilterInstanceCount, sizeof(ULONG))
               : STATUS_INVALID_PARAMETER;
}

static ULONG QuadAligned(ULONG Size)
{
    return (Size + FILE_QUAD_ALIGNMENT) & ~(ULONG)FILE_QUAD_ALIGNMENT;
}

/* Each behind the other from a multiple of 8 on. */
static NTSTATUS GetDataRanges(PC_PROPERTY *Request)
{
    const PCPIN_DESCRIPTOR *pin = Asked(Request);
    KSMULTIPLE_ITEM head = { .Size = sizeof(head) };
    PUCHAR at = (PUCHAR)Request->Value + sizeof(head);

    if (!pin) {
        return STATUS_INVALID_PARAMETER;
    }
    head.Count = pin->KsPinDescriptor.DataRangesCount;
    for (ULONG i = 0; i < head.Count; i++) {
        head.Size += QuadAligned(pin->KsPinDescriptor.DataRanges[i]->FormatSize);
    }
    Request->Used = head.Size;
    if (Request->ValueLength < head.Size) {
        return Request->ValueLength ? STATUS_BUFFER_TOO_SMALL
                                    : STATUS_BUFFER_OVERFLOW;
    }
    RtlZeroMemory(Request->Value, head.Size);
    RtlCopyMemory(Request->Value, &head, sizeof(head));
    for (ULONG i = 0; i < head.Count; i++) {
        const KSDATARANGE *range = pin->KsPinDescriptor.DataRanges[i];

        RtlCopyMemory(at, range, range->FormatSize);
        at += QuadAligned(range->FormatSize);
    }
    return STATUS_SUCCESS;
}

/* Interfaces and media; without any the one that Default names. */
static NTSTATUS ReturnIdentifiers(PC_PROPERTY *Request, ULONG Count,
                                  const KSIDENTIFIER *List, const GUID *Default)
{
    KSIDENTIFIER standard = { .Set = *Default };

    return PcpReturnItems(Request, Count ? Count : 1, Count ? List : &standard,
                          sizeof(*List), sizeof(*List));
}

static NTSTATUS GetInterfaces(PC_PROPERTY *Request)
{
    const PCPIN_DESCRIPTOR *pin = Asked(Request);

    return pin ? ReturnIdentifiers(Request, pin->KsPinDescriptor.InterfacesCount,
                                   pin->KsPinDescriptor.Interfaces,
                                   &KSINTERFACESETID_Standard)
               : STATUS_INVALID_PARAMETER;
}

static NTSTATUS GetMediums(PC_PROPERTY *Request)
{
    const PCPIN_DESCRIPTOR *pin = Asked(Request);

    return pin ? ReturnIdentifiers(Request, pin->KsPinDescriptor.MediumsCount,
                                   pin->KsPinDescriptor.Mediums,
                                   &KSMEDIUMSETID_Standard)
               : STATUS_INVALID_PARAMETER;
}

/* No name of a node: that is the registry's, and there is none. */
#define TOPOLOGY(id, get)                                                   \
    { &KSPROPSETID_Topology, KSPROPERTY_TOPOLOGY_##id, sizeof(KSPROPERTY), 0, get, NULL }
#define PIN(id, get) { &KSPROPSETID_Pin, KSPROPERTY_PIN_##id, sizeof(KSP_PIN), 0, get, NULL }

static const PC_PROPERTY_ITEM Properties[] = {
    { &KSPROPSETID_Pin, KSPROPERTY_PIN_CTYPES, sizeof(KSPROPERTY), 0, GetPinCount, NULL },
    PIN(CINSTANCES, GetInstances),
    PIN(GLOBALCINSTANCES, GetGlobalInstances),
    PIN(NECESSARYINSTANCES, GetNecessaryInstances),
    PIN(DATAFLOW, GetDataFlow),
    PIN(COMMUNICATION, GetCommunication),
    PIN(CATEGORY, GetCategory),
    PIN(PHYSICALCONNECTION, PcpPhysicalConnection),
    PIN(DATARANGES, GetDataRanges),
    PIN(INTERFACES, GetInterfaces),
    PIN(MEDIUMS, GetMediums),
    { &KSPROPSETID_Pin, KSPROPERTY_PIN_DATAINTERSECTION,
      sizeof(KSP_PIN) + sizeof(KSMULTIPLE_ITEM), 0, PcpDataIntersection, NULL },
    TOPOLOGY(CATEGORIES, PcpGetCategories),
    TOPOLOGY(NODES, PcpGetNodes),
    TOPOLOGY(CONNECTIONS, PcpGetConnections),
    { .Set = NULL },
};

static const PCAUTOMATION_TABLE *Table(PVOID Owner)
{
    return ((PC_FILTER *)Owner)->Port->Description->AutomationTable;
}

static NTSTATUS Control(PC_FILE *File, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    PC_FILTER *filter = FilterOf(File);

    if (stack->Parameters.DeviceIoControl.IoControlCode != IOCTL_KS_PROPERTY) {
        return PcpComplete(Irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    }
    return PcpProperty(filter->Port, filter, NULL, Irp, Properties, Table);
}

PC_FILTER *PcpFilterOf(PC_FILE *File)
{
    return File && File->Control == Control ? FilterOf(File) : NULL;
}

static void Cleanup(PC_FILE *File)
{
    UNREFERENCED_PARAMETER(File);       /* pins have files of their own */
}

static void FreeFilter(PC_FILTER *Filter)
{
    if (Filter->Instances) {
        ExFreePoolWithTag(Filter->Instances, FILTER_TAG);
    }
    PcpRelease(&Filter->Port->Object.Inner);
    ExFreePoolWithTag(Filter, FILTER_TAG);
}

static void Close(PC_FILE *File)
{
    FreeFilter(FilterOf(File));
}

NTSTATUS PcpOpenFilter(PC_PORT *Port, PFILE_OBJECT FileObject)
{
    SIZE_T size = Port->Description->PinCount * sizeof(ULONG);
    PC_FILTER *filter = ExAllocatePoolWithTag(NonPagedPool, sizeof(*filter),
                                              FILTER_TAG);

    if (!filter) {
        PcpRelease(&Port->Object.Inner);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    filter->File = (PC_FILE){ Control, Cleanup, Close };
    filter->Device = Port->Device;
    filter->Port = Port;
    filter->Instances = ExAllocatePoolWithTag(NonPagedPool, size, FILTER_TAG);
    if (!filter->Instances) {
        FreeFilter(filter);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(filter->Instances, size);
    FileObject->FsContext = &filter->File;
    return STATUS_SUCCESS;
}
