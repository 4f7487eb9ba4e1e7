/* SPDX-License-Identifier: MIT */
/* selftest.sys: the adapter driver and miniport of the port class tests */
#include "portcls_test.h"

struct adapter adapter;

static PDRIVER_DISPATCH saved[IRP_MJ_MAXIMUM_FUNCTION + 1];
static PDRIVER_ADD_DEVICE saved_add;

static void note(char letter)
{
    if (adapter.noted < NOTES_MAX - 1) {
        adapter.notes[adapter.noted++] = letter;
    }
    adapter.notes[adapter.noted] = 0;
}

bool adapter_noted(const char *expected)
{
    bool same = true;
    ULONG i;

    for (i = 0; expected[i] && same; i++) {
        same = expected[i] == adapter.notes[i];
    }
    same = same && !adapter.notes[i];
    if (!same) {
        DbgPrint("# noted \"%s\", expected \"%s\"\n", adapter.notes, expected);
    }
    adapter.noted = 0;
    adapter.notes[0] = 0;
    return same;
}

/* --- The stream -------------------------------------------------------------------- */

static struct stream *stream_of(IMiniportWaveCyclicStream *this)
{
    return CONTAINING_RECORD(this, struct stream, face);
}

static NTSTATUS NTAPI stream_query(IMiniportWaveCyclicStream *this, REFIID id, PVOID *object)
{
    (void)this;
    (void)id;
    *object = NULL;
    return STATUS_INVALID_PARAMETER;
}

static ULONG NTAPI stream_add_ref(IMiniportWaveCyclicStream *this)
{
    return ++stream_of(this)->references;
}

static ULONG NTAPI stream_release(IMiniportWaveCyclicStream *this)
{
    struct stream *stream = stream_of(this);
    ULONG left = --stream->references;

    if (!left) {
        EXPECT_EQUAL(stream->state, KSSTATE_STOP);
        EXPECT_EQUAL(stream->group->lpVtbl->Release(stream->group), 1);
        EXPECT_EQUAL(stream->channel->lpVtbl->Release(stream->channel), adapter.withhold ? 0 : 1);
        stream->adapter->streams--;
        ExFreePool(stream);
    }
    return left;
}

static NTSTATUS NTAPI stream_set_format(IMiniportWaveCyclicStream *this, PKSDATAFORMAT format)
{
    (void)this;
    (void)format;
    note('f');
    return STATUS_SUCCESS;
}

static ULONG NTAPI stream_set_freq(IMiniportWaveCyclicStream *this, ULONG interval, PULONG frame)
{
    (void)this;
    *frame = PERIOD_BYTES;
    return interval;
}

/* s, a, p, r; one step at a time only. STOP takes the device to the buffer's start. */
static NTSTATUS NTAPI stream_set_state(IMiniportWaveCyclicStream *this, KSSTATE state)
{
    struct stream *stream = stream_of(this);

    EXPECT(state == stream->state + 1 || state + 1 == stream->state);
    EXPECT_EQUAL(KeGetCurrentIrql(), PASSIVE_LEVEL);
    if (stream->fails != KSSTATE_STOP && stream->fails == state) {
        note('!');
        return STATUS_DEVICE_DATA_ERROR;
    }
    note("sapr"[state]);
    stream->state = state;
    if (state == KSSTATE_STOP) {
        stream->position = 0;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI stream_position(IMiniportWaveCyclicStream *this, PULONG position)
{
    *position = stream_of(this)->position;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI stream_normalize(IMiniportWaveCyclicStream *this, PLONGLONG position)
{
    (void)this;
    (void)position;
    return STATUS_SUCCESS;
}

static VOID NTAPI stream_silence(IMiniportWaveCyclicStream *this, PVOID buffer, ULONG bytes)
{
    (void)this;
    RtlZeroMemory(buffer, bytes);
}

static const IMiniportWaveCyclicStreamVtbl stream_methods = {
    stream_query, stream_add_ref, stream_release, stream_set_format, stream_set_freq, stream_set_state,
    stream_position, stream_normalize, stream_silence,
};

void stream_advance(struct stream *stream, ULONG bytes)
{
    ULONG size = stream->channel->lpVtbl->BufferSize(stream->channel);
    KIRQL irql;

    stream->position = (stream->position + bytes) % size;
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    adapter.port->lpVtbl->Notify(adapter.port, stream->group);
    KeLowerIrql(irql);
    KeFlushQueuedDpcs();
}

/* --- The miniport ------------------------------------------------------------------ */

static NTSTATUS NTAPI miniport_query(IMiniportWaveCyclic *this, REFIID id, PVOID *object)
{
    if (IsEqualGUIDAligned(id, &IID_IUnknown) || IsEqualGUIDAligned(id, &IID_IMiniport) ||
        IsEqualGUIDAligned(id, &IID_IMiniportWaveCyclic)) {
        adapter.references++;
        *object = this;
        return STATUS_SUCCESS;
    }
    *object = NULL;
    return STATUS_INVALID_PARAMETER;
}

static ULONG NTAPI miniport_add_ref(IMiniportWaveCyclic *this)
{
    (void)this;
    return ++adapter.references;
}

static ULONG NTAPI miniport_release(IMiniportWaveCyclic *this)
{
    (void)this;
    if (--adapter.references == 1 && adapter.port) {    /* the port has let go */
        adapter.port->lpVtbl->Release(adapter.port);
        adapter.port = NULL;
    }
    return adapter.references;
}

static KSDATARANGE_AUDIO pcm;
static const PKSDATARANGE ranges[] = { (PKSDATARANGE)&pcm };


static NTSTATUS NTAPI level_handler(PPCPROPERTY_REQUEST request)
{
    EXPECT(request->MajorTarget == (PUNKNOWN)&adapter.miniport);
    EXPECT(request->MinorTarget == (adapter.stream ? (PUNKNOWN)&adapter.stream->face : NULL));
    EXPECT_EQUAL(request->Node, PCFILTER_NODE);

    if (!request->ValueSize) {
        request->ValueSize = sizeof(ULONG);
        return STATUS_BUFFER_OVERFLOW;
    }
    *(PULONG)request->Value = 77;
    request->ValueSize = sizeof(ULONG);
    return STATUS_SUCCESS;
}

static PCPROPERTY_ITEM level_item = { &IID_IMiniport, 5, KSPROPERTY_TYPE_GET, level_handler };
static const PCAUTOMATION_TABLE pin_table = {
    .PropertyItemSize = sizeof(level_item), .PropertyCount = 1, .Properties = &level_item,
};

#define PIN(flow, how, most)                                                \
    { most, most, 0, &pin_table, { .DataRangesCount = 1, .DataRanges = ranges, .DataFlow = flow, \
                                   .Communication = how } }

static const PCPIN_DESCRIPTOR pins[] = {
    PIN(KSPIN_DATAFLOW_IN, KSPIN_COMMUNICATION_SINK, 1),
    PIN(KSPIN_DATAFLOW_OUT, KSPIN_COMMUNICATION_SINK, 1),
    PIN(KSPIN_DATAFLOW_OUT, KSPIN_COMMUNICATION_BRIDGE, 1),
};
static GUID categories[2];
static PCFILTER_DESCRIPTOR description = {
    .PinSize = sizeof(pins[0]), .PinCount = RTL_NUMBER_OF(pins), .Pins = pins,
    .CategoryCount = RTL_NUMBER_OF(categories), .Categories = categories,
};

static void describe(void)
{
    pcm.DataRange.FormatSize = sizeof(pcm);
    pcm.DataRange.MajorFormat = KSDATAFORMAT_TYPE_AUDIO;
    pcm.DataRange.SubFormat = KSDATAFORMAT_SUBTYPE_PCM;
    pcm.DataRange.Specifier = KSDATAFORMAT_SPECIFIER_WAVEFORMATEX;
    pcm.MaximumChannels = 2;
    pcm.MinimumBitsPerSample = pcm.MaximumBitsPerSample = 16;
    pcm.MinimumSampleFrequency = 8000;
    pcm.MaximumSampleFrequency = 48000;
    categories[0] = KSCATEGORY_AUDIO;
    categories[1] = KSCATEGORY_RENDER;
}

static NTSTATUS NTAPI miniport_describe(IMiniportWaveCyclic *this, PPCFILTER_DESCRIPTOR *result)
{
    (void)this;
    *result = &description;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI miniport_intersect(IMiniportWaveCyclic *this, ULONG pin, PKSDATARANGE theirs,
                                         PKSDATARANGE ours, ULONG length, PVOID result, PULONG used)
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

static NTSTATUS NTAPI miniport_init(IMiniportWaveCyclic *this, PUNKNOWN unknown, PRESOURCELIST resources,
                                    PPORTWAVECYCLIC port)
{
    (void)this;
    (void)unknown;
    note('i');
    adapter.resources = resources->lpVtbl->NumberOfEntries(resources);
    adapter.port = port;
    port->lpVtbl->AddRef(port);
    return STATUS_SUCCESS;
}

/* Behind an IOMMU only a real device can have one: the channel is that of pcmaster's. */
static PDMACHANNEL new_channel(void)
{
    DEVICE_DESCRIPTION3 description = master_description(32);
    PDMACHANNEL channel = NULL;
    PDEVICE_OBJECT pdo;
    NTSTATUS status = adapter.port->lpVtbl->NewMasterDmaChannel(adapter.port, &channel, NULL, NULL, BUFFER_BYTES,
                                                                TRUE, FALSE, (DMA_WIDTH)-1, (DMA_SPEED)-1);

    if (status == STATUS_DEVICE_CONFIGURATION_ERROR) {
        pdo = device_pdo();
        status = PcNewDmaChannel(&channel, NULL, NonPagedPool, (PDEVICE_DESCRIPTION)&description, pdo);
        ObDereferenceObject(pdo);
    }
    EXPECT_STATUS(status, STATUS_SUCCESS);
    return channel;
}

static NTSTATUS NTAPI miniport_new_stream(IMiniportWaveCyclic *this, PMINIPORTWAVECYCLICSTREAM *result,
                                          PUNKNOWN outer, POOL_TYPE pool, ULONG pin, BOOLEAN capture,
                                          PKSDATAFORMAT format, PDMACHANNEL *channel, PSERVICEGROUP *group)
{
    struct stream *stream = ExAllocatePoolWithTag(pool, sizeof(*stream), SELFTEST_TAG);

    (void)this;
    (void)outer;
    EXPECT_EQUAL(capture, pin == CAPTURE_PIN);
    EXPECT_EQUAL(format->FormatSize, sizeof(KSDATAFORMAT_WAVEFORMATEX));
    RtlZeroMemory(stream, sizeof(*stream));
    stream->face.lpVtbl = &stream_methods;
    stream->references = 1;
    stream->adapter = &adapter;
    stream->capture = capture;
    stream->channel = new_channel();
    EXPECT_STATUS(stream->channel->lpVtbl->AllocateBuffer(stream->channel, BUFFER_BYTES, NULL), STATUS_SUCCESS);
    EXPECT_STATUS(PcNewServiceGroup(&stream->group, NULL), STATUS_SUCCESS);
    stream->channel->lpVtbl->AddRef(stream->channel);   /* one for the port, one for the stream */
    stream->group->lpVtbl->AddRef(stream->group);
    adapter.streams++;
    adapter.stream = stream;
    *result = &stream->face;
    *channel = only_six(stream->channel, capture);
    *group = stream->group;
    if (adapter.withhold) {
        stream->channel->lpVtbl->Release(stream->channel);
        *channel = NULL;
    }
    return STATUS_SUCCESS;
}

static const IMiniportWaveCyclicVtbl miniport_methods = {
    miniport_query, miniport_add_ref, miniport_release, miniport_describe, miniport_intersect, miniport_init,
    miniport_new_stream,
};

/* --- Power --------------------------------------------------------------------------- */

static NTSTATUS NTAPI power_query(IAdapterPowerManagement *this, REFIID id, PVOID *object)
{
    if (!IsEqualGUIDAligned(id, &IID_IAdapterPowerManagement)) {
        *object = NULL;
        return STATUS_INVALID_PARAMETER;
    }
    adapter.power_references++;
    *object = this;
    return STATUS_SUCCESS;
}

static ULONG NTAPI power_add_ref(IAdapterPowerManagement *this)
{
    (void)this;
    return ++adapter.power_references;
}

static ULONG NTAPI power_release(IAdapterPowerManagement *this)
{
    (void)this;
    return --adapter.power_references;
}

static VOID NTAPI power_change(IAdapterPowerManagement *this, POWER_STATE state)
{
    (void)this;
    note((char)('0' + state.DeviceState - PowerDeviceD0));
}

/* D1 is refused. */
static NTSTATUS NTAPI power_may_change(IAdapterPowerManagement *this, POWER_STATE state)
{
    (void)this;
    return state.DeviceState == PowerDeviceD1 ? STATUS_DEVICE_BUSY : STATUS_SUCCESS;
}

static NTSTATUS NTAPI power_capabilities(IAdapterPowerManagement *this, PDEVICE_CAPABILITIES capabilities)
{
    (void)this;
    RtlCopyMemory(capabilities->DeviceState, adapter.states, sizeof(adapter.states));
    note('c');
    return STATUS_SUCCESS;
}

static const IAdapterPowerManagementVtbl power_methods = {
    power_query, power_add_ref, power_release, power_change, power_may_change, power_capabilities,
};

/* --- The adapter driver ----------------------------------------------------------------- */

static NTSTATUS NTAPI start_device(PDEVICE_OBJECT fdo, PIRP irp, PRESOURCELIST resources)
{
    PPORT port = NULL;

    adapter.fdo = fdo;
    adapter.started++;
    EXPECT_STATUS(PcRegisterAdapterPowerManagement((PUNKNOWN)&adapter.power, fdo), STATUS_SUCCESS);
    EXPECT_STATUS(PcNewPort(&port, &CLSID_PortWaveCyclic), STATUS_SUCCESS);
    EXPECT_STATUS(PcRegisterSubdevice(fdo, (PWCHAR)L"wave", (PUNKNOWN)port), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(port->lpVtbl->Init(port, fdo, irp, (PUNKNOWN)&adapter.miniport, NULL, resources),
                  STATUS_SUCCESS);
    EXPECT_STATUS(port->lpVtbl->Init(port, fdo, irp, (PUNKNOWN)&adapter.miniport, NULL, resources),
                  STATUS_INVALID_DEVICE_STATE);
    EXPECT_STATUS(PcRegisterSubdevice(fdo, (PWCHAR)L"wave", (PUNKNOWN)port), STATUS_SUCCESS);
    EXPECT_STATUS(PcRegisterSubdevice(fdo, (PWCHAR)L"WAVE", (PUNKNOWN)port), STATUS_OBJECT_NAME_COLLISION);
    adapter.wave = port;
    if (adapter.more) {
        EXPECT_STATUS(adapter.more(fdo, irp, resources), STATUS_SUCCESS);
    }
    adapter.wave = NULL;
    EXPECT_STATUS(PcRegisterSubdevice(fdo, (PWCHAR)L"two", (PUNKNOWN)port), STATUS_INSUFFICIENT_RESOURCES);
    port->lpVtbl->Release(port);
    return adapter.start_status;
}

static NTSTATUS NTAPI add_device(PDRIVER_OBJECT driver, PDEVICE_OBJECT pdo)
{
    EXPECT_STATUS(PcAddAdapterDevice(driver, pdo, start_device, 1, 8), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(PcAddAdapterDevice(driver, pdo, NULL, 1, 0), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(PcAddAdapterDevice(driver, pdo, start_device, 0, 0), STATUS_INVALID_PARAMETER);
    return PcAddAdapterDevice(driver, pdo, start_device, adapter.more ? 2 : 1, 0);
}

/* The bus: it is content with everything. */
static NTSTATUS NTAPI dispatch(PDEVICE_OBJECT device, PIRP irp)
{
    if (device != adapter.pdo) {
        return PcDispatchIrp(device, irp);
    }
    irp->IoStatus.Status = STATUS_SUCCESS;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI signal(PDEVICE_OBJECT device, PIRP irp, PVOID event)
{
    (void)device;
    (void)irp;
    KeSetEvent(event, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS send(const IO_STACK_LOCATION *what)
{
    PDEVICE_OBJECT top = IoGetAttachedDeviceReference(adapter.pdo);
    PIRP irp = IoAllocateIrp(top->StackSize, FALSE);
    NTSTATUS status;
    KEVENT done;

    KeInitializeEvent(&done, NotificationEvent, FALSE);
    irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    *IoGetNextIrpStackLocation(irp) = *what;
    IoSetCompletionRoutine(irp, signal, &done, TRUE, TRUE, TRUE);
    IoCallDriver(top, irp);
    KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    status = irp->IoStatus.Status;
    IoFreeIrp(irp);
    ObDereferenceObject(top);
    return status;
}

NTSTATUS adapter_pnp(UCHAR minor)
{
    IO_STACK_LOCATION stack = { .MajorFunction = IRP_MJ_PNP, .MinorFunction = minor };
    DEVICE_CAPABILITIES capabilities = { .Size = sizeof(capabilities), .Version = 1 };
    CM_RESOURCE_LIST resources = { .Count = 1 };

    if (minor == IRP_MN_START_DEVICE) {
        resources.List[0].PartialResourceList.Count = 1;
        resources.List[0].PartialResourceList.PartialDescriptors[0].Type = CmResourceTypePort;
        stack.Parameters.StartDevice.AllocatedResources = &resources;
        stack.Parameters.StartDevice.AllocatedResourcesTranslated = &resources;
    }
    if (minor == IRP_MN_QUERY_CAPABILITIES) {
        stack.Parameters.DeviceCapabilities.Capabilities = &capabilities;
    }
    return send(&stack);
}

NTSTATUS adapter_power(UCHAR minor, DEVICE_POWER_STATE state)
{
    IO_STACK_LOCATION stack = { .MajorFunction = IRP_MJ_POWER, .MinorFunction = minor };

    stack.Parameters.Power.Type = DevicePowerState;
    stack.Parameters.Power.State.DeviceState = state;
    return send(&stack);
}

NTSTATUS adapter_system_power(UCHAR minor, SYSTEM_POWER_STATE state)
{
    IO_STACK_LOCATION stack = { .MajorFunction = IRP_MJ_POWER, .MinorFunction = minor };

    stack.Parameters.Power.Type = SystemPowerState;
    stack.Parameters.Power.State.SystemState = state;
    return send(&stack);
}

/* The self-test's other checks set these, too. */
static void take_over(void)
{
    UNICODE_STRING path = text_of(L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\selftest");

    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++) {
        saved[i] = selftest_driver->MajorFunction[i];
    }
    saved_add = selftest_driver->DriverExtension->AddDevice;
    EXPECT_STATUS(PcInitializeAdapterDriver(selftest_driver, &path, add_device), STATUS_SUCCESS);
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++) {
        if (selftest_driver->MajorFunction[i] != saved[i]) {
            selftest_driver->MajorFunction[i] = dispatch;
        }
    }
}

static void give_back(void)
{
    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++) {
        selftest_driver->MajorFunction[i] = saved[i];
    }
    selftest_driver->DriverExtension->AddDevice = saved_add;
    IoDeleteDevice(adapter.pdo);
}

bool adapter_start(void)
{
    return adapter_start_with(NULL);
}

bool adapter_start_with(PCPFNSTARTDEVICE more)
{
    NTSTATUS status;

    RtlZeroMemory(&adapter, sizeof(adapter));
    adapter.more = more;
    describe();
    adapter.miniport.lpVtbl = &miniport_methods;
    adapter.power.lpVtbl = &power_methods;
    adapter.references = adapter.power_references = 1;
    adapter.states[PowerSystemSleeping1] = PowerDeviceD1;
    adapter.states[PowerSystemSleeping2] = PowerDeviceD2;
    EXPECT_STATUS(IoCreateDevice(selftest_driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &adapter.pdo),
                  STATUS_SUCCESS);
    take_over();
    EXPECT_STATUS(selftest_driver->DriverExtension->AddDevice(selftest_driver, adapter.pdo), STATUS_SUCCESS);
    status = adapter_pnp(IRP_MN_START_DEVICE);
    EXPECT_STATUS(status, STATUS_SUCCESS);
    EXPECT(adapter_noted("ic"));
    EXPECT_EQUAL(adapter.resources, 1);
    return NT_SUCCESS(status);
}

void adapter_remove(void)
{
    EXPECT_STATUS(adapter_pnp(IRP_MN_REMOVE_DEVICE), STATUS_SUCCESS);
    EXPECT(adapter.pdo->AttachedDevice == NULL);
    EXPECT_EQUAL(adapter.references, 1);
    EXPECT_EQUAL(adapter.power_references, 1);
    EXPECT_EQUAL(adapter.streams, 0);
    EXPECT(adapter.port == NULL);
    give_back();
}
