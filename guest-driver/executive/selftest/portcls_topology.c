/* SPDX-License-Identifier: MIT */
/* selftest.sys: a topology filter beside the wave filter, its nodes, and what is wired to what */
#include "portcls_test.h"

#define LEVEL                       5       /* a property of the test's own, of the first node */
#define SLOW                        6       /* likewise: it takes until a work item has run */
#define NODES                       2u
#define EXTERNAL                    L"\\??\\another device"

/* What the handler of a node's property saw last. */
static struct {
    ULONG node, instance_size, instance, verb;
    LONG value;
    PPCPROPERTY_REQUEST pending;
} seen;

static IMiniportTopology miniport;
static ULONG references;
static PPORTTOPOLOGY port;

/* --- The miniport ---------------------------------------------------------------------- */

static NTSTATUS NTAPI query(IMiniportTopology *this, REFIID id, PVOID *object)
{
    if (IsEqualGUIDAligned(id, &IID_IUnknown) || IsEqualGUIDAligned(id, &IID_IMiniportTopology)) {
        references++;
        *object = this;
        return STATUS_SUCCESS;
    }
    *object = NULL;
    return STATUS_INVALID_PARAMETER;
}

static ULONG NTAPI add_ref(IMiniportTopology *this)
{
    (void)this;
    return ++references;
}

static ULONG NTAPI release(IMiniportTopology *this)
{
    (void)this;
    return --references;
}

static NTSTATUS NTAPI level(PPCPROPERTY_REQUEST request)
{
    EXPECT(request->MajorTarget == (PUNKNOWN)&miniport && !request->MinorTarget);
    seen.node = request->Node;
    seen.verb = request->Verb;
    seen.instance_size = request->InstanceSize;
    seen.instance = request->InstanceSize >= sizeof(ULONG) ? *(PULONG)request->Instance : 0;
    if (request->ValueSize < sizeof(LONG)) {
        request->ValueSize = sizeof(LONG);
        return STATUS_BUFFER_OVERFLOW;
    }
    if (request->Verb == KSPROPERTY_TYPE_SET) {
        seen.value = *(PLONG)request->Value;
    } else {
        *(PLONG)request->Value = seen.value;
    }
    request->ValueSize = sizeof(LONG);
    return STATUS_SUCCESS;
}

static VOID NTAPI answer(PDEVICE_OBJECT device, PVOID context)
{
    PPCPROPERTY_REQUEST request = seen.pending;

    (void)device;
    sleep_ms(5);
    *(PLONG)request->Value = 1234;
    request->ValueSize = sizeof(LONG);
    EXPECT_STATUS(PcCompletePendingPropertyRequest(request, STATUS_SUCCESS), STATUS_SUCCESS);
    IoFreeWorkItem(context);
}

static NTSTATUS NTAPI slow(PPCPROPERTY_REQUEST request)
{
    PIO_WORKITEM item = IoAllocateWorkItem(adapter.fdo);

    if (request->ValueSize < sizeof(LONG)) {
        IoFreeWorkItem(item);
        return STATUS_BUFFER_TOO_SMALL;
    }
    seen.pending = request;
    IoQueueWorkItem(item, answer, DelayedWorkQueue, item);
    return STATUS_PENDING;
}

static const PCPROPERTY_ITEM items[] = {
    { &IID_IMiniport, LEVEL, KSPROPERTY_TYPE_GET | KSPROPERTY_TYPE_SET, level },
    { &IID_IMiniport, SLOW, KSPROPERTY_TYPE_GET, slow },
};
static const PCAUTOMATION_TABLE table = {
    .PropertyItemSize = sizeof(items[0]), .PropertyCount = RTL_NUMBER_OF(items), .Properties = items,
};
static PCNODE_DESCRIPTOR nodes[NODES] = {
    { .AutomationTable = &table, .Type = &KSNODETYPE_VOLUME },
    { .Type = &KSNODETYPE_MUTE },
};
static const PCCONNECTION_DESCRIPTOR connections[] = {
    { PCFILTER_NODE, 0, 0, 1 }, { 0, 0, 1, 1 }, { 1, 0, PCFILTER_NODE, 1 },
};
static const PCPIN_DESCRIPTOR pins[] = {
    { 0, 0, 0, NULL, { .DataFlow = KSPIN_DATAFLOW_IN, .Communication = KSPIN_COMMUNICATION_NONE } },
    { 0, 0, 0, NULL, { .DataFlow = KSPIN_DATAFLOW_OUT, .Communication = KSPIN_COMMUNICATION_SINK } },
};
static GUID categories[2];
static PCFILTER_DESCRIPTOR description = {
    .PinSize = sizeof(pins[0]), .PinCount = RTL_NUMBER_OF(pins), .Pins = pins,
    .NodeSize = sizeof(nodes[0]), .NodeCount = NODES, .Nodes = nodes,
    .ConnectionCount = RTL_NUMBER_OF(connections), .Connections = connections,
    .CategoryCount = RTL_NUMBER_OF(categories), .Categories = categories,
};

static NTSTATUS NTAPI describe(IMiniportTopology *this, PPCFILTER_DESCRIPTOR *result)
{
    (void)this;
    categories[0] = KSCATEGORY_AUDIO;
    categories[1] = KSCATEGORY_TOPOLOGY;
    *result = &description;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI intersect(IMiniportTopology *this, ULONG pin, PKSDATARANGE theirs, PKSDATARANGE ours,
                                ULONG length, PVOID result, PULONG used)
{
    (void)this;
    (void)pin;
    (void)theirs;
    (void)ours;
    (void)length;
    (void)result;
    (void)used;
    return STATUS_NOT_IMPLEMENTED;
}

static NTSTATUS NTAPI init(IMiniportTopology *this, PUNKNOWN unknown, PRESOURCELIST resources, PPORTTOPOLOGY its)
{
    (void)this;
    EXPECT(unknown == NULL && resources->lpVtbl->NumberOfEntries(resources) == 1);
    port = its;
    return STATUS_SUCCESS;
}

static const IMiniportTopologyVtbl methods = { query, add_ref, release, describe, intersect, init };

/* --- Wires ------------------------------------------------------------------------------ */

static void wires(PDEVICE_OBJECT fdo, PUNKNOWN wave, PUNKNOWN topology)
{
    UNICODE_STRING external = text_of(EXTERNAL), none = { 0, 0, NULL };

    EXPECT_STATUS(PcRegisterPhysicalConnection(fdo, wave, BRIDGE_PIN, topology, 0), STATUS_SUCCESS);
    EXPECT_STATUS(PcRegisterPhysicalConnectionToExternal(fdo, topology, 1, &external, 7), STATUS_SUCCESS);
    EXPECT_STATUS(PcRegisterPhysicalConnectionFromExternal(fdo, &external, 3, wave, CAPTURE_PIN), STATUS_SUCCESS);
    EXPECT_STATUS(PcRegisterPhysicalConnection(fdo, wave, 3, topology, 0), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(PcRegisterPhysicalConnection(fdo, NULL, 0, topology, 0), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(PcRegisterPhysicalConnection(fdo, wave, 0, (PUNKNOWN)&miniport, 0), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(PcRegisterPhysicalConnection(NULL, wave, 0, topology, 0), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(PcRegisterPhysicalConnectionToExternal(fdo, topology, 0, NULL, 0), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(PcRegisterPhysicalConnectionFromExternal(fdo, &none, 0, topology, 0), STATUS_INVALID_PARAMETER);
}

static NTSTATUS NTAPI add_topology(PDEVICE_OBJECT fdo, PIRP irp, PRESOURCELIST resources)
{
    PUNKNOWN unknown = NULL;
    PPORT made = NULL;

    EXPECT_STATUS(PcNewPort(&made, &IID_IMiniport), STATUS_NOT_SUPPORTED);
    EXPECT_STATUS(PcNewPort(NULL, &CLSID_PortTopology), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(PcNewPort(&made, &CLSID_PortTopology), STATUS_SUCCESS);
    EXPECT_STATUS(made->lpVtbl->QueryInterface(made, &IID_IPortTopology, (PVOID *)&unknown), STATUS_SUCCESS);
    EXPECT(unknown == (PUNKNOWN)made);
    made->lpVtbl->Release(made);
    EXPECT_STATUS(made->lpVtbl->QueryInterface(made, &IID_IPortWaveCyclic, (PVOID *)&unknown),
                  STATUS_INVALID_PARAMETER);
    /* A miniport of another class. */
    EXPECT_STATUS(made->lpVtbl->Init(made, fdo, irp, (PUNKNOWN)&adapter.miniport, NULL, resources),
                  STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(made->lpVtbl->Init(made, fdo, irp, (PUNKNOWN)&miniport, NULL, resources), STATUS_SUCCESS);
    EXPECT(port == (PPORTTOPOLOGY)made);
    EXPECT_STATUS(PcRegisterPhysicalConnection(fdo, (PUNKNOWN)adapter.wave, BRIDGE_PIN, (PUNKNOWN)made, 0),
                  STATUS_INVALID_PARAMETER);            /* not before it is registered */
    EXPECT_STATUS(PcRegisterSubdevice(fdo, (PWCHAR)L"topology", (PUNKNOWN)made), STATUS_SUCCESS);
    wires(fdo, (PUNKNOWN)adapter.wave, (PUNKNOWN)made);
    made->lpVtbl->Release(made);
    return STATUS_SUCCESS;
}

static HANDLE start(void)
{
    miniport.lpVtbl = &methods;
    references = 1;
    return adapter_start_with(add_topology) ? open_filter(L"\\topology") : NULL;
}

static void end(HANDLE filter)
{
    ZwClose(filter);
    adapter_remove();
    EXPECT_EQUAL(references, 1);
}

/* --- The checks ------------------------------------------------------------------------- */

static NTSTATUS topology(HANDLE filter, ULONG id, PVOID value, ULONG length, ULONG *used)
{
    return property(filter, &KSPROPSETID_Topology, id, KSPROPERTY_TYPE_GET, 0, value, length, used);
}

/* A list of COUNT items of that size. */
static void check_list(HANDLE filter, ULONG id, PKSMULTIPLE_ITEM list, ULONG count, ULONG size)
{
    ULONG bytes = sizeof(*list) + count * size, used = 0;

    EXPECT_STATUS(topology(filter, id, NULL, 0, &used), STATUS_BUFFER_OVERFLOW);
    EXPECT_EQUAL(used, bytes);
    EXPECT_STATUS(topology(filter, id, list, bytes - 1, NULL), STATUS_BUFFER_TOO_SMALL);
    EXPECT_STATUS(topology(filter, id, list, bytes, &used), STATUS_SUCCESS);
    EXPECT_EQUAL(used, bytes);
    EXPECT_EQUAL(list->Size, bytes);
    EXPECT_EQUAL(list->Count, count);
}

static void describes(void)
{
    struct {
        KSMULTIPLE_ITEM head;
        union {
            GUID guids[2];
            KSTOPOLOGY_CONNECTION connections[3];
        } u;
    } data;
    HANDLE filter = start(), wave = open_filter(L"\\wave");

    check_list(filter, KSPROPERTY_TOPOLOGY_CATEGORIES, &data.head, 2, sizeof(GUID));
    EXPECT(IsEqualGUIDAligned(&data.u.guids[0], &KSCATEGORY_AUDIO) &&
           IsEqualGUIDAligned(&data.u.guids[1], &KSCATEGORY_TOPOLOGY));
    check_list(filter, KSPROPERTY_TOPOLOGY_NODES, &data.head, 2, sizeof(GUID));
    EXPECT(IsEqualGUIDAligned(&data.u.guids[0], &KSNODETYPE_VOLUME) &&
           IsEqualGUIDAligned(&data.u.guids[1], &KSNODETYPE_MUTE));
    check_list(filter, KSPROPERTY_TOPOLOGY_CONNECTIONS, &data.head, 3, sizeof(KSTOPOLOGY_CONNECTION));
    EXPECT_EQUAL(RtlCompareMemory(data.u.connections, connections, sizeof(connections)), sizeof(connections));
    check_list(wave, KSPROPERTY_TOPOLOGY_NODES, &data.head, 0, sizeof(GUID));
    check_list(wave, KSPROPERTY_TOPOLOGY_CONNECTIONS, &data.head, 0, sizeof(KSTOPOLOGY_CONNECTION));
    EXPECT_STATUS(topology(filter, KSPROPERTY_TOPOLOGY_NAME, &data, sizeof(data), NULL), STATUS_NOT_FOUND);
    ZwClose(wave);
    end(filter);
}

/* A property of a node: KSNODEPROPERTY, and what the handler takes for its instance behind it. */
static NTSTATUS node_property(HANDLE filter, ULONG id, ULONG verb, ULONG node, LONG *value, ULONG length)
{
    struct {
        KSNODEPROPERTY head;
        ULONG channel;
    } request = { .channel = 0xabcd };

    request.head.Property.Set = IID_IMiniport;
    request.head.Property.Id = id;
    request.head.Property.Flags = verb | KSPROPERTY_TYPE_TOPOLOGY;
    request.head.NodeId = node;
    return control(filter, IOCTL_KS_PROPERTY, &request, sizeof(request), value, length, NULL);
}

static void nodes_properties(void)
{
    HANDLE filter = start();
    LONG value = -5;

    RtlZeroMemory(&seen, sizeof(seen));
    EXPECT_STATUS(node_property(filter, LEVEL, KSPROPERTY_TYPE_SET, 0, &value, sizeof(value)), STATUS_SUCCESS);
    EXPECT_EQUAL(seen.node, 0);
    EXPECT_EQUAL(seen.verb, KSPROPERTY_TYPE_SET);
    EXPECT_EQUAL(seen.value, -5);
    EXPECT_EQUAL(seen.instance, 0xabcd);
    value = 0;
    EXPECT_STATUS(node_property(filter, LEVEL, KSPROPERTY_TYPE_GET, 0, &value, sizeof(value)), STATUS_SUCCESS);
    EXPECT_EQUAL(value, -5);
    EXPECT_STATUS(node_property(filter, LEVEL, KSPROPERTY_TYPE_GET, 0, NULL, 0), STATUS_BUFFER_OVERFLOW);
    /* A node without it, a node that is none, an item that is none, a verb that it has not. */
    EXPECT_STATUS(node_property(filter, LEVEL, KSPROPERTY_TYPE_GET, 1, &value, sizeof(value)),
                  STATUS_PROPSET_NOT_FOUND);
    EXPECT_STATUS(node_property(filter, LEVEL, KSPROPERTY_TYPE_GET, NODES, &value, sizeof(value)),
                  STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(node_property(filter, 99, KSPROPERTY_TYPE_GET, 0, &value, sizeof(value)), STATUS_NOT_FOUND);
    EXPECT_STATUS(node_property(filter, SLOW, KSPROPERTY_TYPE_SET, 0, &value, sizeof(value)),
                  STATUS_INVALID_DEVICE_REQUEST);
    /* The filter itself has no such property. */
    EXPECT_STATUS(property(filter, &IID_IMiniport, LEVEL, KSPROPERTY_TYPE_GET, 0, &value, sizeof(value), NULL),
                  STATUS_PROPSET_NOT_FOUND);
    end(filter);
}

static void pending(void)
{
    HANDLE filter = start();
    LONG value = 0;

    EXPECT_STATUS(node_property(filter, SLOW, KSPROPERTY_TYPE_GET, 0, &value, sizeof(value)), STATUS_SUCCESS);
    EXPECT_EQUAL(value, 1234);
    EXPECT_STATUS(node_property(filter, SLOW, KSPROPERTY_TYPE_GET, 0, &value, 1), STATUS_BUFFER_TOO_SMALL);
    end(filter);
}

struct wire {
    KSPIN_PHYSICALCONNECTION head;
    WCHAR more[200];
};

static ULONG name_length(const struct wire *wire)
{
    return (wire->head.Size - FIELD_OFFSET(KSPIN_PHYSICALCONNECTION, SymbolicLinkName)) / sizeof(WCHAR) - 1;
}

/* The pin at the other end; *OTHER: its filter, opened by the name that is told. */
static ULONG follow(HANDLE filter, ULONG pin, HANDLE *other)
{
    struct wire wire;
    ULONG used = 0;

    EXPECT_STATUS(get_pin_property(filter, KSPROPERTY_PIN_PHYSICALCONNECTION, pin, NULL, 0, &used),
                  STATUS_BUFFER_OVERFLOW);
    EXPECT_STATUS(get_pin_property(filter, KSPROPERTY_PIN_PHYSICALCONNECTION, pin, &wire, used - 1, NULL),
                  STATUS_BUFFER_TOO_SMALL);
    EXPECT_STATUS(get_pin_property(filter, KSPROPERTY_PIN_PHYSICALCONNECTION, pin, &wire, sizeof(wire), &used),
                  STATUS_SUCCESS);
    EXPECT_EQUAL(wire.head.Size, used);
    EXPECT_EQUAL(wire.head.SymbolicLinkName[name_length(&wire)], 0);
    if (other) {
        EXPECT_STATUS(open_link(wire.head.SymbolicLinkName, (USHORT)(name_length(&wire) * sizeof(WCHAR)), other),
                      STATUS_SUCCESS);
    } else {
        EXPECT_EQUAL(RtlCompareMemory(wire.head.SymbolicLinkName, EXTERNAL, sizeof(EXTERNAL)), sizeof(EXTERNAL));
    }
    return wire.head.Pin;
}

static void wired(void)
{
    HANDLE filter = start(), wave = open_filter(L"\\wave"), other = NULL, pin = NULL;
    struct wire wire;
    ULONG count = 0;

    EXPECT_EQUAL(follow(wave, BRIDGE_PIN, &other), 0);
    EXPECT_STATUS(get_pin_property(other, KSPROPERTY_PIN_CTYPES, 0, &count, sizeof(count), NULL), STATUS_SUCCESS);
    EXPECT_EQUAL(count, RTL_NUMBER_OF(pins));
    ZwClose(other);
    EXPECT_EQUAL(follow(filter, 0, &other), BRIDGE_PIN);
    EXPECT_STATUS(get_pin_property(other, KSPROPERTY_PIN_CTYPES, 0, &count, sizeof(count), NULL), STATUS_SUCCESS);
    EXPECT_EQUAL(count, 3);
    EXPECT_EQUAL(follow(filter, 1, NULL), 7);
    EXPECT_EQUAL(follow(wave, CAPTURE_PIN, NULL), 3);
    EXPECT_STATUS(get_pin_property(wave, KSPROPERTY_PIN_PHYSICALCONNECTION, RENDER_PIN, &wire, sizeof(wire), NULL),
                  STATUS_NOT_FOUND);
    EXPECT_STATUS(get_pin_property(wave, KSPROPERTY_PIN_PHYSICALCONNECTION, 3, &wire, sizeof(wire), NULL),
                  STATUS_INVALID_PARAMETER);
    /* Nothing streams through a topology; and no pin is opened through another. */
    EXPECT_STATUS(open_pin(filter, 1, 48000, &pin), STATUS_INVALID_DEVICE_REQUEST);
    EXPECT_STATUS(open_pin(wave, RENDER_PIN, 48000, &pin), STATUS_SUCCESS);
    EXPECT_STATUS(open_pin(pin, CAPTURE_PIN, 48000, &other), STATUS_OBJECT_NAME_NOT_FOUND);
    ZwClose(pin);
    ZwClose(other);
    ZwClose(wave);
    end(filter);
}

/* With the device everything goes, and comes again with it. */
static void restarts(void)
{
    HANDLE filter = start(), wave;

    EXPECT_STATUS(adapter_pnp(IRP_MN_STOP_DEVICE), STATUS_SUCCESS);
    EXPECT_EQUAL(references, 1);
    EXPECT(open_filter(L"\\topology") == NULL);
    EXPECT_STATUS(adapter_pnp(IRP_MN_START_DEVICE), STATUS_SUCCESS);
    wave = open_filter(L"\\wave");
    EXPECT_EQUAL(follow(wave, CAPTURE_PIN, NULL), 3);
    ZwClose(wave);
    EXPECT_STATUS(PcUnregisterAdapterPowerManagement(NULL), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(PcUnregisterAdapterPowerManagement(adapter.fdo), STATUS_SUCCESS);
    EXPECT_EQUAL(adapter.power_references, 1);
    EXPECT_STATUS(PcUnregisterAdapterPowerManagement(adapter.fdo), STATUS_UNSUCCESSFUL);
    end(filter);
}

const struct check portcls_topology_checks[] = {
    { "portcls-topology/describes", describes },
    { "portcls-topology/nodes", nodes_properties },
    { "portcls-topology/pending", pending },
    { "portcls-topology/wired", wired },
    { "portcls-topology/restarts", restarts },
    { NULL, NULL },
};
