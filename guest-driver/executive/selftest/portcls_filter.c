/* SPDX-License-Identifier: MIT */
/* selftest.sys: adapters, subdevices, filters and their properties */
#include "portcls_test.h"

static void starts(void)
{
    HANDLE filter, other;

    if (!adapter_start()) {
        return;
    }
    EXPECT_EQUAL(adapter.started, 1);
    filter = open_filter(L"\\wave");
    other = open_filter(L"\\wave");
    EXPECT(filter && other && filter != other);
    EXPECT(open_filter(L"\\topology") == NULL);
    EXPECT_STATUS(ZwClose(filter), STATUS_SUCCESS);
    EXPECT_STATUS(ZwClose(other), STATUS_SUCCESS);
    EXPECT_STATUS(ZwClose(other), STATUS_INVALID_HANDLE);
    adapter_remove();
}

/* A StartDevice that fails at its end leaves nothing. */
static void start_fails(void)
{
    if (!adapter_start()) {
        return;
    }
    EXPECT_STATUS(adapter_pnp(IRP_MN_STOP_DEVICE), STATUS_SUCCESS);
    EXPECT_EQUAL(adapter.references, 1);
    adapter.start_status = STATUS_DEVICE_CONFIGURATION_ERROR;
    EXPECT_STATUS(adapter_pnp(IRP_MN_START_DEVICE), STATUS_DEVICE_CONFIGURATION_ERROR);
    EXPECT_EQUAL(adapter.references, 1);
    EXPECT(open_filter(L"\\wave") == NULL);
    adapter_remove();
}

/* With a filter open: it is of no use any more, but must be closed first. */
static void stops_and_starts(void)
{
    HANDLE filter, fresh;
    ULONG count = 0;

    if (!adapter_start()) {
        return;
    }
    filter = open_filter(L"\\wave");
    EXPECT_STATUS(adapter_pnp(IRP_MN_QUERY_STOP_DEVICE), STATUS_SUCCESS);
    EXPECT_STATUS(adapter_pnp(IRP_MN_STOP_DEVICE), STATUS_SUCCESS);
    EXPECT_EQUAL(adapter.references, 1);
    EXPECT(open_filter(L"\\wave") == NULL);
    EXPECT_STATUS(get_pin_property(filter, KSPROPERTY_PIN_CTYPES, 0, &count, sizeof(count), NULL),
                  STATUS_DEVICE_NOT_CONNECTED);
    EXPECT_STATUS(adapter_pnp(IRP_MN_START_DEVICE), STATUS_SUCCESS);
    EXPECT_EQUAL(adapter.started, 2);
    fresh = open_filter(L"\\wave");
    EXPECT_STATUS(get_pin_property(fresh, KSPROPERTY_PIN_CTYPES, 0, &count, sizeof(count), NULL), STATUS_SUCCESS);
    EXPECT_EQUAL(count, 3);
    ZwClose(fresh);
    ZwClose(filter);
    adapter_remove();
}

static ULONG counts(HANDLE filter, ULONG id, ULONG pin)
{
    KSPIN_CINSTANCES instances = { 99, 99 };

    EXPECT_STATUS(get_pin_property(filter, id, pin, &instances, sizeof(instances), NULL), STATUS_SUCCESS);
    return instances.PossibleCount << 16 | instances.CurrentCount;
}

static void describes(void)
{
    HANDLE filter, pin = NULL;
    ULONG value = 0, used = 0;
    KSPIN_DATAFLOW flow;
    KSPIN_COMMUNICATION how;

    if (!adapter_start()) {
        return;
    }
    filter = open_filter(L"\\wave");
    EXPECT_STATUS(get_pin_property(filter, KSPROPERTY_PIN_CTYPES, 0, NULL, 0, &used), STATUS_BUFFER_OVERFLOW);
    EXPECT_EQUAL(used, sizeof(ULONG));
    EXPECT_STATUS(get_pin_property(filter, KSPROPERTY_PIN_CTYPES, 0, &value, 2, &used), STATUS_BUFFER_TOO_SMALL);
    EXPECT_STATUS(get_pin_property(filter, KSPROPERTY_PIN_DATAFLOW, CAPTURE_PIN, &flow, sizeof(flow), &used),
                  STATUS_SUCCESS);
    EXPECT_EQUAL(flow, KSPIN_DATAFLOW_OUT);
    EXPECT_EQUAL(used, sizeof(flow));
    EXPECT_STATUS(get_pin_property(filter, KSPROPERTY_PIN_COMMUNICATION, BRIDGE_PIN, &how, sizeof(how), NULL),
                  STATUS_SUCCESS);
    EXPECT_EQUAL(how, KSPIN_COMMUNICATION_BRIDGE);
    EXPECT_STATUS(get_pin_property(filter, KSPROPERTY_PIN_DATAFLOW, 3, &flow, sizeof(flow), NULL),
                  STATUS_INVALID_PARAMETER);
    EXPECT_EQUAL(counts(filter, KSPROPERTY_PIN_CINSTANCES, RENDER_PIN), 0x10000);
    EXPECT_STATUS(open_pin(filter, RENDER_PIN, 48000, &pin), STATUS_SUCCESS);
    EXPECT_EQUAL(counts(filter, KSPROPERTY_PIN_CINSTANCES, RENDER_PIN), 0x10001);
    EXPECT_EQUAL(counts(filter, KSPROPERTY_PIN_GLOBALCINSTANCES, RENDER_PIN), 0x10001);
    EXPECT_EQUAL(counts(filter, KSPROPERTY_PIN_CINSTANCES, CAPTURE_PIN), 0x10000);
    ZwClose(pin);
    EXPECT_EQUAL(counts(filter, KSPROPERTY_PIN_CINSTANCES, RENDER_PIN), 0x10000);
    ZwClose(filter);
    adapter_remove();
}

static void lists(void)
{
    struct {
        KSMULTIPLE_ITEM head;
        KSDATARANGE_AUDIO range;
    } data;
    struct {
        KSMULTIPLE_ITEM head;
        KSIDENTIFIER one;
    } names;
    HANDLE filter;
    ULONG used = 0;

    if (!adapter_start()) {
        return;
    }
    filter = open_filter(L"\\wave");
    EXPECT_STATUS(get_pin_property(filter, KSPROPERTY_PIN_DATARANGES, 0, NULL, 0, &used), STATUS_BUFFER_OVERFLOW);
    EXPECT_EQUAL(used, sizeof(data));
    EXPECT_STATUS(get_pin_property(filter, KSPROPERTY_PIN_DATARANGES, 0, &data, used - 1, NULL),
                  STATUS_BUFFER_TOO_SMALL);
    EXPECT_STATUS(get_pin_property(filter, KSPROPERTY_PIN_DATARANGES, 0, &data, sizeof(data), &used),
                  STATUS_SUCCESS);
    EXPECT(data.head.Count == 1 && data.head.Size == sizeof(data));
    EXPECT_EQUAL(data.range.MaximumSampleFrequency, 48000);
    EXPECT_STATUS(get_pin_property(filter, KSPROPERTY_PIN_INTERFACES, 0, &names, sizeof(names), NULL),
                  STATUS_SUCCESS);
    EXPECT(names.head.Count == 1 && IsEqualGUIDAligned(&names.one.Set, &KSINTERFACESETID_Standard));
    EXPECT_STATUS(get_pin_property(filter, KSPROPERTY_PIN_MEDIUMS, 0, &names, sizeof(names), NULL),
                  STATUS_SUCCESS);
    EXPECT(IsEqualGUIDAligned(&names.one.Set, &KSMEDIUMSETID_Standard));
    ZwClose(filter);
    adapter_remove();
}

struct intersection {
    KSP_PIN pin;
    KSMULTIPLE_ITEM head;
    KSDATARANGE_AUDIO range;
};

static NTSTATUS intersect(HANDLE filter, struct intersection *request, KSDATAFORMAT_WAVEFORMATEX *format,
                          ULONG length, ULONG *used)
{
    request->pin.Property.Set = KSPROPSETID_Pin;
    request->pin.Property.Id = KSPROPERTY_PIN_DATAINTERSECTION;
    request->pin.Property.Flags = KSPROPERTY_TYPE_GET;
    request->head.Size = sizeof(request->head) + sizeof(request->range);
    request->head.Count = 1;
    request->range.DataRange.FormatSize = sizeof(request->range);
    return control(filter, IOCTL_KS_PROPERTY, request, sizeof(*request), format, length, used);
}

static void intersections(void)
{
    struct intersection request;
    KSDATAFORMAT_WAVEFORMATEX format;
    HANDLE filter;
    ULONG used = 0;

    if (!adapter_start()) {
        return;
    }
    filter = open_filter(L"\\wave");
    RtlZeroMemory(&request, sizeof(request));       /* wildcards */
    request.range.DataRange.MajorFormat = KSDATAFORMAT_TYPE_AUDIO;
    request.range.MaximumChannels = 8;
    request.range.MinimumBitsPerSample = 8;
    request.range.MaximumBitsPerSample = 32;
    request.range.MinimumSampleFrequency = 11025;
    request.range.MaximumSampleFrequency = 22050;
    EXPECT_STATUS(intersect(filter, &request, NULL, 0, &used), STATUS_BUFFER_OVERFLOW);
    EXPECT_EQUAL(used, sizeof(format));
    EXPECT_STATUS(intersect(filter, &request, &format, sizeof(format) - 1, NULL), STATUS_BUFFER_TOO_SMALL);
    EXPECT_STATUS(intersect(filter, &request, &format, sizeof(format), &used), STATUS_SUCCESS);
    EXPECT_EQUAL(format.WaveFormatEx.nSamplesPerSec, 22050);
    EXPECT_EQUAL(format.WaveFormatEx.nChannels, 2);
    EXPECT_EQUAL(format.WaveFormatEx.wBitsPerSample, 16);
    EXPECT_EQUAL(format.WaveFormatEx.nBlockAlign, FRAME_BYTES);
    EXPECT_EQUAL(format.WaveFormatEx.nAvgBytesPerSec, 22050 * FRAME_BYTES);
    EXPECT(IsEqualGUIDAligned(&format.DataFormat.SubFormat, &KSDATAFORMAT_SUBTYPE_PCM));
    request.range.MinimumSampleFrequency = 96000;
    request.range.MaximumSampleFrequency = 192000;
    EXPECT_STATUS(intersect(filter, &request, &format, sizeof(format), NULL), STATUS_NO_MATCH);
    request.range.MinimumSampleFrequency = 8000;
    request.range.DataRange.SubFormat = KSDATAFORMAT_SUBTYPE_ANALOG;
    EXPECT_STATUS(intersect(filter, &request, &format, sizeof(format), NULL), STATUS_NO_MATCH);
    request.pin.PinId = 3;
    EXPECT_STATUS(intersect(filter, &request, &format, sizeof(format), NULL), STATUS_INVALID_PARAMETER);
    ZwClose(filter);
    adapter_remove();
}

/* The miniport's own properties, and requests that nobody knows. */
static void automation(void)
{
    HANDLE filter, pin = NULL;
    ULONG value = 0, used = 0;

    if (!adapter_start()) {
        return;
    }
    filter = open_filter(L"\\wave");
    EXPECT_STATUS(open_pin(filter, RENDER_PIN, 48000, &pin), STATUS_SUCCESS);
    EXPECT_STATUS(property(pin, &IID_IMiniport, 5, KSPROPERTY_TYPE_GET, 0, &value, sizeof(value), &used),
                  STATUS_SUCCESS);
    EXPECT_EQUAL(value, 77);
    EXPECT_EQUAL(used, sizeof(value));
    EXPECT_STATUS(property(pin, &IID_IMiniport, 5, KSPROPERTY_TYPE_GET, 0, NULL, 0, &used),
                  STATUS_BUFFER_OVERFLOW);
    EXPECT_EQUAL(used, sizeof(value));
    EXPECT_STATUS(property(pin, &IID_IMiniport, 5, KSPROPERTY_TYPE_SET, 0, &value, sizeof(value), NULL),
                  STATUS_INVALID_DEVICE_REQUEST);
    EXPECT_STATUS(property(pin, &IID_IMiniport, 6, KSPROPERTY_TYPE_GET, 0, &value, sizeof(value), NULL),
                  STATUS_NOT_FOUND);
    EXPECT_STATUS(property(filter, &IID_IMiniport, 5, KSPROPERTY_TYPE_GET, 0, &value, sizeof(value), NULL),
                  STATUS_PROPSET_NOT_FOUND);
    EXPECT_STATUS(property(filter, &KSPROPSETID_Pin, 99, KSPROPERTY_TYPE_GET, 0, &value, sizeof(value), NULL),
                  STATUS_NOT_FOUND);
    EXPECT_STATUS(property(filter, &KSPROPSETID_Pin, KSPROPERTY_PIN_CTYPES, KSPROPERTY_TYPE_SET, 0, &value,
                           sizeof(value), NULL), STATUS_INVALID_DEVICE_REQUEST);
    EXPECT_STATUS(property(filter, &KSPROPSETID_Pin, KSPROPERTY_PIN_CTYPES, KSPROPERTY_TYPE_BASICSUPPORT, 0,
                           &value, sizeof(value), NULL), STATUS_SUCCESS);
    EXPECT_EQUAL(value, KSPROPERTY_TYPE_GET | KSPROPERTY_TYPE_BASICSUPPORT);
    EXPECT_STATUS(control(filter, IOCTL_KS_PROPERTY, &value, sizeof(value), NULL, 0, NULL),
                  STATUS_INVALID_BUFFER_SIZE);
    EXPECT_STATUS(control(filter, IOCTL_KS_METHOD, NULL, 0, NULL, 0, NULL), STATUS_INVALID_DEVICE_REQUEST);
    ZwClose(pin);
    ZwClose(filter);
    adapter_remove();
}

static volatile LONG seconds;

static VOID NTAPI second(PDEVICE_OBJECT device, PVOID context)
{
    EXPECT(device == adapter.fdo && context == &seconds);
    EXPECT_EQUAL(KeGetCurrentIrql(), DISPATCH_LEVEL);
    InterlockedIncrement(&seconds);
}

static void timeouts(void)
{
    ULONGLONG start = PcGetTimeInterval(0);

    if (!adapter_start()) {
        return;
    }
    seconds = 0;
    EXPECT_STATUS(PcRegisterIoTimeout(adapter.fdo, second, (PVOID)&seconds), STATUS_SUCCESS);
    EXPECT_STATUS(PcRegisterIoTimeout(adapter.fdo, second, (PVOID)&seconds), STATUS_INVALID_PARAMETER);
    sleep_ms(1200);
    EXPECT_EQUAL(seconds, 1);
    EXPECT(PcGetTimeInterval(start) >= 1200 * MS);
    EXPECT_STATUS(PcUnregisterIoTimeout(adapter.fdo, second, (PVOID)&seconds), STATUS_SUCCESS);
    EXPECT_STATUS(PcUnregisterIoTimeout(adapter.fdo, second, (PVOID)&seconds), STATUS_INVALID_PARAMETER);
    adapter_remove();
}

static void interfaces(void)
{
    UNICODE_STRING link = { 0, 0, NULL }, reference = text_of(L"other");
    ULONG value = 0, used = 0;
    PWSTR list = NULL;
    PDEVICE_OBJECT pdo;

    if (!adapter_start()) {
        return;
    }
    EXPECT_STATUS(IoRegisterDeviceInterface(adapter.pdo, &IID_IMiniport, &reference, &link), STATUS_SUCCESS);
    EXPECT_STATUS(IoGetDeviceInterfaces(&IID_IMiniport, NULL, 0, &list), STATUS_SUCCESS);
    EXPECT(!*list);                                 /* not before it is on */
    ExFreePool(list);
    EXPECT_STATUS(IoSetDeviceInterfaceState(&link, TRUE), STATUS_SUCCESS);
    EXPECT_STATUS(IoGetDeviceInterfaces(&IID_IMiniport, NULL, 0, &list), STATUS_SUCCESS);
    EXPECT_EQUAL(RtlCompareMemory(list, link.Buffer, link.Length), link.Length);
    ExFreePool(list);
    EXPECT_STATUS(IoSetDeviceInterfaceState(&link, FALSE), STATUS_SUCCESS);
    RtlFreeUnicodeString(&link);
    EXPECT(link.Buffer == NULL);
    EXPECT_STATUS(PcGetDeviceProperty(adapter.fdo, DevicePropertyLegacyBusType, sizeof(value), &value, &used),
                  STATUS_INVALID_DEVICE_REQUEST);   /* the test's PDO is on no bus */
    adapter_remove();
    pdo = device_pdo();
    EXPECT_STATUS(IoGetDeviceProperty(pdo, DevicePropertyLegacyBusType, sizeof(value), &value, &used),
                  STATUS_SUCCESS);
    EXPECT_EQUAL(value, PCIBus);
    EXPECT_STATUS(IoGetDeviceProperty(pdo, DevicePropertyBusNumber, 0, NULL, &used), STATUS_BUFFER_TOO_SMALL);
    EXPECT_EQUAL(used, sizeof(value));
    ObDereferenceObject(pdo);
}

/* Those that a driver calls for requests of its own. */
static void requests(void)
{
    PCPROPERTY_REQUEST request = { .Node = 0 };
    KIRQL irql;

    if (!adapter_start()) {
        return;
    }
    EXPECT_STATUS(PcCompleteIrp(adapter.fdo, NULL, STATUS_SUCCESS), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(PcForwardIrpSynchronous(adapter.fdo, NULL), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(PcCompletePendingPropertyRequest(&request, STATUS_PENDING), STATUS_INVALID_PARAMETER);
    IoAcquireCancelSpinLock(&irql);
    EXPECT_EQUAL(KeGetCurrentIrql(), DISPATCH_LEVEL);
    IoReleaseCancelSpinLock(irql);
    adapter_remove();
}

const struct check portcls_filter_checks[] = {
    { "portcls-filter/starts", starts },
    { "portcls-filter/start-fails", start_fails },
    { "portcls-filter/stops-and-starts", stops_and_starts },
    { "portcls-filter/describes", describes },
    { "portcls-filter/lists", lists },
    { "portcls-filter/intersections", intersections },
    { "portcls-filter/automation", automation },
    { "portcls-filter/timeouts", timeouts },
    { "portcls-filter/interfaces", interfaces },
    { "portcls-filter/requests", requests },
    { NULL, NULL },
};
