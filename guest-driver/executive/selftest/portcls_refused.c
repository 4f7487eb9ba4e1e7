/* SPDX-License-Identifier: MIT */
/* selftest.sys: connections, properties, ranges and formats that are refused */
#include "portcls_test.h"

/* --- Opening ------------------------------------------------------------------------------ */

static NTSTATUS open_with(HANDLE filter, struct pin_name *name, USHORT bytes)
{
    HANDLE pin;
    NTSTATUS status = open_relative(filter, name, bytes, &pin);

    if (NT_SUCCESS(status)) {
        ZwClose(pin);
    }
    return status;
}

static void opening(void)
{
    struct pin_name name;
    HANDLE filter;

    if (!adapter_start()) {
        return;
    }
    filter = open_filter(L"\\wave");
    pin_name_fill(&name, RENDER_PIN, 48000);
    for (USHORT bytes = sizeof(name.guid); bytes < sizeof(name); bytes += 2) {
        EXPECT_STATUS(open_with(filter, &name, bytes), STATUS_INVALID_PARAMETER);
    }
    EXPECT_STATUS(open_with(filter, &name, sizeof(name)), STATUS_SUCCESS);
    name.format.DataFormat.FormatSize = sizeof(KSDATAFORMAT) + sizeof(PCMWAVEFORMAT) - 2;
    EXPECT_STATUS(open_with(filter, &name, sizeof(name)), STATUS_INVALID_PARAMETER);
    name.format.DataFormat.FormatSize = sizeof(KSDATAFORMAT) - 1;
    EXPECT_STATUS(open_with(filter, &name, sizeof(name)), STATUS_INVALID_PARAMETER);
    pin_name_fill(&name, RENDER_PIN, 48000);
    name.connect.PinToHandle = filter;
    EXPECT_STATUS(open_with(filter, &name, sizeof(name)), STATUS_INVALID_PARAMETER);
    pin_name_fill(&name, RENDER_PIN, 48000);
    name.connect.Interface.Id = KSINTERFACE_STANDARD_STREAMING + 1;
    EXPECT_STATUS(open_with(filter, &name, sizeof(name)), STATUS_NO_MATCH);
    pin_name_fill(&name, RENDER_PIN, 48000);
    name.connect.Medium.Set = KSINTERFACESETID_Standard;
    EXPECT_STATUS(open_with(filter, &name, sizeof(name)), STATUS_NO_MATCH);
    ZwClose(filter);
    adapter_remove();
}

/* In use, without power, without a channel from the miniport. */
static void opening_in_vain(void)
{
    struct pin_name name;
    HANDLE filter, other, pin;

    if (!adapter_start()) {
        return;
    }
    filter = open_filter(L"\\wave");
    other = open_filter(L"\\wave");
    pin_name_fill(&name, RENDER_PIN, 48000);
    EXPECT_STATUS(open_pin(other, RENDER_PIN, 48000, &pin), STATUS_SUCCESS);
    EXPECT_STATUS(open_with(filter, &name, sizeof(name)), STATUS_CONNECTION_REFUSED);
    ZwClose(pin);
    EXPECT_STATUS(adapter_power(IRP_MN_SET_POWER, PowerDeviceD3), STATUS_SUCCESS);
    EXPECT_STATUS(open_with(filter, &name, sizeof(name)), STATUS_DEVICE_NOT_READY);
    EXPECT_STATUS(adapter_power(IRP_MN_SET_POWER, PowerDeviceD0), STATUS_SUCCESS);
    adapter.withhold = true;
    EXPECT_STATUS(open_with(filter, &name, sizeof(name)), STATUS_UNSUCCESSFUL);
    EXPECT_EQUAL(adapter.streams, 0);
    adapter.withhold = false;
    EXPECT_STATUS(open_with(filter, &name, sizeof(name)), STATUS_SUCCESS);
    ZwClose(other);
    ZwClose(filter);
    adapter_remove();
}

/* --- Properties ----------------------------------------------------------------------------- */

static void properties(void)
{
    KSPROPERTY request = { .Flags = KSPROPERTY_TYPE_GET };
    KSPIN_CINSTANCES instances;
    KSSTATE state = KSSTATE_RUN;
    HANDLE filter, pin;

    if (!adapter_start()) {
        return;
    }
    filter = open_filter(L"\\wave");
    EXPECT_STATUS(open_pin(filter, RENDER_PIN, 48000, &pin), STATUS_SUCCESS);
    EXPECT_STATUS(property(pin, &KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE,
                           KSPROPERTY_TYPE_GET | KSPROPERTY_TYPE_SET, 0, &state, sizeof(state), NULL),
                  STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(property(pin, &KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, KSPROPERTY_TYPE_SET, 0, &state,
                           sizeof(state) - 1, NULL), STATUS_BUFFER_TOO_SMALL);
    EXPECT_EQUAL(get_state(pin), KSSTATE_STOP);
    request.Set = KSPROPSETID_Pin;
    request.Id = KSPROPERTY_PIN_CINSTANCES;
    EXPECT_STATUS(control(filter, IOCTL_KS_PROPERTY, &request, sizeof(request), &instances, sizeof(instances), NULL),
                  STATUS_INVALID_BUFFER_SIZE);
    request.Flags = KSPROPERTY_TYPE_GET | KSPROPERTY_TYPE_TOPOLOGY;
    request.Set = IID_IMiniport;
    EXPECT_STATUS(control(filter, IOCTL_KS_PROPERTY, &request, sizeof(request), &state, sizeof(state), NULL),
                  STATUS_INVALID_BUFFER_SIZE);
    EXPECT_STATUS(property(filter, &IID_IMiniport, 5, request.Flags, 0, &state, sizeof(state), NULL),
                  STATUS_INVALID_PARAMETER);            /* there is no node 0 */
    ZwClose(pin);
    ZwClose(filter);
    adapter_remove();
}

struct ranges {
    KSP_PIN pin;
    KSMULTIPLE_ITEM head;
    KSDATARANGE_AUDIO range;
};

static NTSTATUS intersect(HANDLE filter, struct ranges *request, ULONG count, ULONG size, ULONG format_size)
{
    KSDATAFORMAT_WAVEFORMATEX format;

    request->head.Count = count;
    request->head.Size = size;
    request->range.DataRange.FormatSize = format_size;
    return control(filter, IOCTL_KS_PROPERTY, request, sizeof(*request), &format, sizeof(format), NULL);
}

static void ranges(void)
{
    struct ranges request;
    ULONG whole = sizeof(request.head) + sizeof(request.range);
    HANDLE filter;

    if (!adapter_start()) {
        return;
    }
    filter = open_filter(L"\\wave");
    RtlZeroMemory(&request, sizeof(request));
    request.pin.Property.Set = KSPROPSETID_Pin;
    request.pin.Property.Id = KSPROPERTY_PIN_DATAINTERSECTION;
    request.pin.Property.Flags = KSPROPERTY_TYPE_GET;
    request.range.DataRange.SubFormat = KSDATAFORMAT_SUBTYPE_ANALOG;        /* agrees with none */
    EXPECT_STATUS(intersect(filter, &request, 1, whole, sizeof(request.range)), STATUS_NO_MATCH);
    EXPECT_STATUS(intersect(filter, &request, 1, whole + 1, sizeof(request.range)), STATUS_INVALID_BUFFER_SIZE);
    EXPECT_STATUS(intersect(filter, &request, 1, sizeof(request.head) - 1, sizeof(request.range)),
                  STATUS_INVALID_BUFFER_SIZE);
    EXPECT_STATUS(intersect(filter, &request, 1, whole, sizeof(request.range) + 1), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(intersect(filter, &request, 1, whole, sizeof(KSDATARANGE) - 1), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(intersect(filter, &request, 0xffffffff, whole, sizeof(request.range)), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(intersect(filter, &request, 0, whole, sizeof(request.range)), STATUS_NO_MATCH);
    ZwClose(filter);
    adapter_remove();
}

static NTSTATUS set_format(HANDLE pin, ULONG rate, ULONG channels)
{
    struct pin_name name;

    pin_name_fill(&name, RENDER_PIN, rate);
    name.format.WaveFormatEx.nChannels = (WORD)channels;
    name.format.WaveFormatEx.nBlockAlign = (WORD)(channels * 2);
    return property(pin, &KSPROPSETID_Connection, KSPROPERTY_CONNECTION_DATAFORMAT, KSPROPERTY_TYPE_SET, 0,
                    &name.format, sizeof(name.format), NULL);
}

static void formats(void)
{
    HANDLE filter, pin;

    if (!adapter_start()) {
        return;
    }
    filter = open_filter(L"\\wave");
    EXPECT_STATUS(open_pin(filter, RENDER_PIN, 48000, &pin), STATUS_SUCCESS);
    EXPECT_STATUS(set_state(pin, KSSTATE_RUN), STATUS_SUCCESS);
    EXPECT(adapter_noted("apr"));
    EXPECT_STATUS(set_format(pin, 44100, 2), STATUS_INVALID_DEVICE_STATE);
    EXPECT_STATUS(set_state(pin, KSSTATE_PAUSE), STATUS_SUCCESS);
    EXPECT_STATUS(set_format(pin, 44100, 1), STATUS_INVALID_DEVICE_STATE);
    EXPECT_STATUS(set_format(pin, 96000, 2), STATUS_NO_MATCH);
    EXPECT(adapter_noted("p"));                         /* the miniport was not asked */
    EXPECT_STATUS(set_state(pin, KSSTATE_STOP), STATUS_SUCCESS);
    EXPECT_STATUS(set_format(pin, 44100, 1), STATUS_SUCCESS);
    EXPECT(adapter_noted("asf"));
    ZwClose(pin);
    ZwClose(filter);
    adapter_remove();
}

const struct check portcls_refused_checks[] = {
    { "portcls-refused/opening", opening },
    { "portcls-refused/opening-in-vain", opening_in_vain },
    { "portcls-refused/properties", properties },
    { "portcls-refused/ranges", ranges },
    { "portcls-refused/formats", formats },
    { NULL, NULL },
};
