/* SPDX-License-Identifier: MIT */
/* selftest.sys: pins: states, data both ways, power, a device that goes */
#include "portcls_test.h"

static UCHAR data[4 * BUFFER_BYTES];

/* No two periods are alike. */
static void fill(void)
{
    for (ULONG i = 0; i < sizeof(data); i++) {
        data[i] = (UCHAR)(i * 7 + (i >> 8) * 13 + 1);
    }
}

static bool is_silent(const UCHAR *bytes, ULONG length)
{
    for (ULONG i = 0; i < length; i++) {
        if (bytes[i]) {
            return false;
        }
    }
    return true;
}

static PUCHAR cyclic(void)
{
    return adapter.stream->channel->lpVtbl->SystemAddress(adapter.stream->channel);
}

/* An adapter, a filter and a pin in that state; false: the check has failed. */
static bool begin(ULONG which, KSSTATE state, HANDLE *filter, HANDLE *pin)
{
    fill();
    if (!adapter_start()) {
        return false;
    }
    *filter = open_filter(L"\\wave");
    EXPECT_STATUS(open_pin(*filter, which, 48000, pin), STATUS_SUCCESS);
    EXPECT_EQUAL(get_state(*pin), KSSTATE_STOP);
    if (state != KSSTATE_STOP) {
        EXPECT_STATUS(set_state(*pin, state), STATUS_SUCCESS);
    }
    adapter.noted = 0;
    adapter.notes[0] = 0;
    return true;
}

static void end(HANDLE filter, HANDLE pin)
{
    ZwClose(pin);
    EXPECT_EQUAL(adapter.streams, 0);
    ZwClose(filter);
    adapter_remove();
}

static void states(void)
{
    static const struct {
        KSSTATE state;
        const char *steps;
    } walk[] = {
        { KSSTATE_RUN, "apr" }, { KSSTATE_RUN, "" }, { KSSTATE_STOP, "pas" }, { KSSTATE_ACQUIRE, "a" },
        { KSSTATE_STOP, "s" }, { KSSTATE_PAUSE, "ap" }, { KSSTATE_RUN, "r" }, { KSSTATE_ACQUIRE, "pa" },
        { KSSTATE_RUN, "pr" }, { KSSTATE_PAUSE, "p" }, { KSSTATE_STOP, "as" },
    };
    HANDLE filter, pin;

    if (!begin(RENDER_PIN, KSSTATE_STOP, &filter, &pin)) {
        return;
    }
    for (ULONG i = 0; i < RTL_NUMBER_OF(walk); i++) {
        EXPECT_STATUS(set_state(pin, walk[i].state), STATUS_SUCCESS);
        EXPECT(adapter_noted(walk[i].steps));
        EXPECT_EQUAL(get_state(pin), walk[i].state);
    }
    adapter.stream->fails = KSSTATE_RUN;
    EXPECT_STATUS(set_state(pin, KSSTATE_RUN), STATUS_DEVICE_DATA_ERROR);
    EXPECT(adapter_noted("ap!"));
    EXPECT_EQUAL(get_state(pin), KSSTATE_PAUSE);
    EXPECT_STATUS(set_state(pin, (KSSTATE)4), STATUS_INVALID_PARAMETER);
    adapter.stream->fails = KSSTATE_STOP;
    EXPECT_STATUS(set_state(pin, KSSTATE_RUN), STATUS_SUCCESS);
    EXPECT(adapter_noted("r"));
    end(filter, pin);                       /* a pin that runs is stopped when it is closed */
    EXPECT(adapter_noted("pas"));
}

/* Three buffers' worth goes through the cyclic buffer; each byte is where the device comes to it. */
static void renders(void)
{
    struct transfer first, second;
    HANDLE filter, pin;
    ULONG played = 0;

    if (!begin(RENDER_PIN, KSSTATE_PAUSE, &filter, &pin)) {
        return;
    }
    transfer_begin(&first, pin, IOCTL_KS_WRITE_STREAM, data, BUFFER_BYTES);
    transfer_begin(&second, pin, IOCTL_KS_WRITE_STREAM, data + BUFFER_BYTES, 2 * BUFFER_BYTES);
    EXPECT_STATUS(first.status, STATUS_PENDING);
    EXPECT_EQUAL(RtlCompareMemory(cyclic(), data, BUFFER_BYTES), BUFFER_BYTES);
    EXPECT_STATUS(set_state(pin, KSSTATE_RUN), STATUS_SUCCESS);
    while (played < 3 * BUFFER_BYTES) {
        ULONG at = played % BUFFER_BYTES;

        EXPECT_EQUAL(RtlCompareMemory(cyclic() + at, data + played, PERIOD_BYTES), PERIOD_BYTES);
        EXPECT_EQUAL(get_position(pin).PlayOffset, played);
        EXPECT_EQUAL(get_position(pin).WriteOffset, 3 * BUFFER_BYTES);
        EXPECT_EQUAL(transfer_is_done(&first), played >= BUFFER_BYTES);
        EXPECT(!transfer_is_done(&second));
        stream_advance(adapter.stream, PERIOD_BYTES);
        played += PERIOD_BYTES;
    }
    EXPECT(transfer_is_done(&second));
    EXPECT_STATUS(second.result.Status, STATUS_SUCCESS);
    EXPECT(is_silent(cyclic(), BUFFER_BYTES));
    EXPECT_EQUAL(get_position(pin).PlayOffset, 3 * BUFFER_BYTES);
    EXPECT_STATUS(set_state(pin, KSSTATE_STOP), STATUS_SUCCESS);
    EXPECT_EQUAL(get_position(pin).PlayOffset, 0);
    end(filter, pin);
}

/* Data that comes late is put a period ahead of the device, and counted. */
static void under_runs(void)
{
    struct transfer first, late;
    HANDLE filter, pin;

    if (!begin(RENDER_PIN, KSSTATE_RUN, &filter, &pin)) {
        return;
    }
    EXPECT_EQUAL(get_faults(pin).Underruns, 0);
    transfer_begin(&first, pin, IOCTL_KS_WRITE_STREAM, data, PERIOD_BYTES);
    EXPECT_EQUAL(RtlCompareMemory(cyclic() + PERIOD_BYTES, data, PERIOD_BYTES), PERIOD_BYTES);
    stream_advance(adapter.stream, PERIOD_BYTES);
    EXPECT(!transfer_is_done(&first));
    stream_advance(adapter.stream, PERIOD_BYTES + 8);
    EXPECT(transfer_is_done(&first));
    stream_advance(adapter.stream, PERIOD_BYTES - 8);
    EXPECT_EQUAL(get_faults(pin).Underruns, 1);         /* once, however long it lasts */
    EXPECT(is_silent(cyclic(), BUFFER_BYTES));
    transfer_begin(&late, pin, IOCTL_KS_WRITE_STREAM, data + PERIOD_BYTES, PERIOD_BYTES);
    EXPECT(is_silent(cyclic() + 3 * PERIOD_BYTES, PERIOD_BYTES));
    EXPECT_EQUAL(RtlCompareMemory(cyclic() + 4 * PERIOD_BYTES, data + PERIOD_BYTES, PERIOD_BYTES), PERIOD_BYTES);
    EXPECT_EQUAL(get_position(pin).PlayOffset, PERIOD_BYTES);
    stream_advance(adapter.stream, PERIOD_BYTES + 16);
    EXPECT_EQUAL(get_position(pin).PlayOffset, PERIOD_BYTES + 16);
    stream_advance(adapter.stream, PERIOD_BYTES);
    EXPECT(transfer_is_done(&late));
    EXPECT_EQUAL(get_faults(pin).Underruns, 2);
    end(filter, pin);
}

/* The end of the stream is no under-run if the client says that it is the end, with data or without. */
static void ends(void)
{
    struct transfer first, last;
    HANDLE filter, pin;

    if (!begin(RENDER_PIN, KSSTATE_PAUSE, &filter, &pin)) {
        return;
    }
    transfer_begin(&first, pin, IOCTL_KS_WRITE_STREAM, data, PERIOD_BYTES);
    EXPECT_STATUS(set_state(pin, KSSTATE_STOP), STATUS_SUCCESS);
    EXPECT(transfer_is_done(&first));                   /* STOP gives requests back */
    EXPECT_STATUS(first.result.Status, STATUS_CANCELLED);
    EXPECT_STATUS(set_state(pin, KSSTATE_PAUSE), STATUS_SUCCESS);
    transfer_begin(&first, pin, IOCTL_KS_WRITE_STREAM, data, PERIOD_BYTES);
    transfer_last(&last, pin, NULL, 0);
    EXPECT_STATUS(set_state(pin, KSSTATE_RUN), STATUS_SUCCESS);
    stream_advance(adapter.stream, 2 * PERIOD_BYTES);
    EXPECT(transfer_is_done(&first) && transfer_is_done(&last));
    EXPECT_STATUS(last.result.Status, STATUS_SUCCESS);
    EXPECT_EQUAL(get_faults(pin).Underruns, 0);
    transfer_last(&last, pin, data, PERIOD_BYTES);      /* a second sound, which is late for no one */
    stream_advance(adapter.stream, 3 * PERIOD_BYTES);
    EXPECT(transfer_is_done(&last));
    EXPECT_EQUAL(get_faults(pin).Underruns, 0);
    end(filter, pin);
}

/* The last data are cancelled half-way: the stream ends where they were left. */
static void ends_cancelled(void)
{
    struct transfer last;
    HANDLE filter, pin;

    if (!begin(RENDER_PIN, KSSTATE_PAUSE, &filter, &pin)) {
        return;
    }
    transfer_last(&last, pin, data, 2 * BUFFER_BYTES);
    EXPECT_STATUS(set_state(pin, KSSTATE_RUN), STATUS_SUCCESS);
    adapter.stream->position = BUFFER_BYTES - FRAME_BYTES;
    EXPECT_EQUAL(get_position(pin).PlayOffset, BUFFER_BYTES - FRAME_BYTES);
    EXPECT_EQUAL(get_faults(pin).Underruns, 0);
    EXPECT(IoCancelIrp(last.irp));                      /* what was copied of it is played */
    stream_advance(adapter.stream, BUFFER_BYTES - FRAME_BYTES);
    stream_advance(adapter.stream, 2 * FRAME_BYTES);
    EXPECT_EQUAL(get_faults(pin).Underruns, 0);
    transfer_begin(&last, pin, IOCTL_KS_WRITE_STREAM, data, PERIOD_BYTES);
    stream_advance(adapter.stream, 3 * PERIOD_BYTES);
    EXPECT(transfer_is_done(&last));
    EXPECT_EQUAL(get_faults(pin).Underruns, 1);
    end(filter, pin);
}

static void records(void)
{
    static UCHAR got[2 * BUFFER_BYTES];
    struct transfer first, second;
    HANDLE filter, pin;

    if (!begin(CAPTURE_PIN, KSSTATE_RUN, &filter, &pin)) {
        return;
    }
    transfer_begin(&first, pin, IOCTL_KS_READ_STREAM, got, PERIOD_BYTES + 4);
    transfer_begin(&second, pin, IOCTL_KS_READ_STREAM, got + PERIOD_BYTES + 4, 2 * PERIOD_BYTES - 4);
    RtlCopyMemory(cyclic(), data, BUFFER_BYTES);
    stream_advance(adapter.stream, PERIOD_BYTES);
    EXPECT(!transfer_is_done(&first));
    EXPECT_EQUAL(first.header.DataUsed, PERIOD_BYTES);
    stream_advance(adapter.stream, PERIOD_BYTES);
    EXPECT(transfer_is_done(&first) && !transfer_is_done(&second));
    EXPECT_EQUAL(first.header.DataUsed, PERIOD_BYTES + 4);
    EXPECT_EQUAL(first.result.Information, sizeof(KSSTREAM_HEADER));
    stream_advance(adapter.stream, PERIOD_BYTES);
    EXPECT(transfer_is_done(&second));
    EXPECT_EQUAL(RtlCompareMemory(got, data, 3 * PERIOD_BYTES), 3 * PERIOD_BYTES);
    EXPECT_EQUAL(get_position(pin).PlayOffset, 3 * PERIOD_BYTES);
    /* What is recorded while nobody reads waits in the buffer, as far as it holds. */
    stream_advance(adapter.stream, 2 * PERIOD_BYTES);
    transfer_begin(&first, pin, IOCTL_KS_READ_STREAM, got, 2 * PERIOD_BYTES);
    EXPECT(transfer_is_done(&first));
    EXPECT_EQUAL(RtlCompareMemory(got, data + 3 * PERIOD_BYTES, 2 * PERIOD_BYTES), 2 * PERIOD_BYTES);
    EXPECT_EQUAL(first.header.OptionsFlags, 0);
    EXPECT_EQUAL(get_faults(pin).Overruns, 0);
    for (ULONG i = 0; i < 2 * BUFFER_BYTES / PERIOD_BYTES; i++) {
        stream_advance(adapter.stream, PERIOD_BYTES);
    }
    EXPECT(get_faults(pin).Overruns > 0);
    transfer_begin(&first, pin, IOCTL_KS_READ_STREAM, got, PERIOD_BYTES);
    EXPECT_EQUAL(first.header.OptionsFlags, KSSTREAM_HEADER_OPTIONSF_DATADISCONTINUITY);
    /* STOP gives back what there is. */
    transfer_begin(&second, pin, IOCTL_KS_READ_STREAM, got, 2 * BUFFER_BYTES);
    EXPECT_STATUS(set_state(pin, KSSTATE_STOP), STATUS_SUCCESS);
    EXPECT(transfer_is_done(&second));
    EXPECT_STATUS(second.result.Status, STATUS_SUCCESS);
    EXPECT(second.header.DataUsed > 0 && second.header.DataUsed < 2 * BUFFER_BYTES);
    end(filter, pin);
}

/* What the device had not played when its power went it is given again. */
static void power(void)
{
    struct transfer transfer;
    HANDLE filter, pin;

    if (!begin(RENDER_PIN, KSSTATE_PAUSE, &filter, &pin)) {
        return;
    }
    transfer_begin(&transfer, pin, IOCTL_KS_WRITE_STREAM, data, 2 * BUFFER_BYTES);
    EXPECT_STATUS(set_state(pin, KSSTATE_RUN), STATUS_SUCCESS);
    stream_advance(adapter.stream, PERIOD_BYTES + 8);
    EXPECT(adapter_noted("r"));
    EXPECT_STATUS(adapter_power(IRP_MN_QUERY_POWER, PowerDeviceD1), STATUS_DEVICE_BUSY);
    EXPECT_STATUS(adapter_power(IRP_MN_QUERY_POWER, PowerDeviceD3), STATUS_SUCCESS);
    EXPECT_STATUS(adapter_power(IRP_MN_SET_POWER, PowerDeviceD3), STATUS_SUCCESS);
    EXPECT(adapter_noted("pas3"));
    EXPECT_EQUAL(get_state(pin), KSSTATE_RUN);          /* as far as the client knows */
    EXPECT_EQUAL(get_position(pin).PlayOffset, PERIOD_BYTES + 8);
    EXPECT_STATUS(adapter_power(IRP_MN_SET_POWER, PowerDeviceD0), STATUS_SUCCESS);
    EXPECT(adapter_noted("0apr"));
    EXPECT_EQUAL(RtlCompareMemory(cyclic(), data + PERIOD_BYTES + 8, BUFFER_BYTES), BUFFER_BYTES);
    stream_advance(adapter.stream, PERIOD_BYTES);
    EXPECT_EQUAL(get_position(pin).PlayOffset, 2 * PERIOD_BYTES + 8);
    /* States that are asked for without power are taken when it is back. */
    EXPECT_STATUS(PcRequestNewPowerState(adapter.fdo, PowerDeviceD3), STATUS_SUCCESS);
    EXPECT_STATUS(PcRequestNewPowerState(adapter.fdo, PowerDeviceD3), STATUS_SUCCESS);
    EXPECT(adapter_noted("pas3"));
    EXPECT_STATUS(set_state(pin, KSSTATE_PAUSE), STATUS_SUCCESS);
    EXPECT(adapter_noted(""));
    EXPECT_STATUS(PcRequestNewPowerState(adapter.fdo, PowerDeviceD0), STATUS_SUCCESS);
    EXPECT(adapter_noted("0ap"));
    EXPECT_STATUS(PcRequestNewPowerState(adapter.fdo, (DEVICE_POWER_STATE)9), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(adapter_pnp(IRP_MN_QUERY_CAPABILITIES), STATUS_SUCCESS);
    EXPECT(adapter_noted("c"));
    EXPECT(!transfer_is_done(&transfer));
    end(filter, pin);
    EXPECT(transfer_is_done(&transfer));
}

/* The device's states are those that its capabilities have for the system's, or D3; it is asked first. */
static void system_power(void)
{
    static const struct {
        UCHAR minor;
        SYSTEM_POWER_STATE system;
        NTSTATUS status;
        const char *notes;
    } steps[] = {
        { IRP_MN_QUERY_POWER, PowerSystemSleeping1, STATUS_DEVICE_BUSY, "" },
        { IRP_MN_QUERY_POWER, PowerSystemSleeping2, STATUS_SUCCESS, "" },
        { IRP_MN_SET_POWER, PowerSystemSleeping2, STATUS_SUCCESS, "pas2" },
        { IRP_MN_SET_POWER, PowerSystemWorking, STATUS_SUCCESS, "0apr" },
        { IRP_MN_QUERY_POWER, PowerSystemSleeping3, STATUS_SUCCESS, "" },
        { IRP_MN_SET_POWER, PowerSystemSleeping3, STATUS_SUCCESS, "pas3" },
        { IRP_MN_SET_POWER, PowerSystemWorking, STATUS_SUCCESS, "0apr" },
        { IRP_MN_SET_POWER, PowerSystemSleeping1, STATUS_SUCCESS, "pas1" },
        { IRP_MN_SET_POWER, PowerSystemHibernate, STATUS_SUCCESS, "3" },
        { IRP_MN_SET_POWER, PowerSystemWorking, STATUS_SUCCESS, "0apr" },
    };
    HANDLE filter, pin;

    if (!begin(RENDER_PIN, KSSTATE_RUN, &filter, &pin)) {
        return;
    }
    for (ULONG i = 0; i < RTL_NUMBER_OF(steps); i++) {
        EXPECT_STATUS(adapter_system_power(steps[i].minor, steps[i].system), steps[i].status);
        EXPECT(adapter_noted(steps[i].notes));
    }
    end(filter, pin);
}

/* The device goes while a pin runs. */
static void surprise(void)
{
    struct transfer transfer, late;
    KSSTATE state = KSSTATE_RUN;
    HANDLE filter, pin;

    if (!begin(RENDER_PIN, KSSTATE_RUN, &filter, &pin)) {
        return;
    }
    transfer_begin(&transfer, pin, IOCTL_KS_WRITE_STREAM, data, BUFFER_BYTES);
    EXPECT_STATUS(adapter_pnp(IRP_MN_SURPRISE_REMOVAL), STATUS_SUCCESS);
    EXPECT(adapter_noted("pas"));
    EXPECT_EQUAL(adapter.streams, 0);
    EXPECT_EQUAL(adapter.references, 1);
    EXPECT(transfer_is_done(&transfer));
    EXPECT_STATUS(transfer.result.Status, STATUS_CANCELLED);
    transfer_begin(&late, pin, IOCTL_KS_WRITE_STREAM, data, BUFFER_BYTES);
    EXPECT_STATUS(late.status, STATUS_DEVICE_NOT_CONNECTED);
    EXPECT_STATUS(property(pin, &KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, KSPROPERTY_TYPE_SET, 0,
                           &state, sizeof(state), NULL), STATUS_DEVICE_NOT_CONNECTED);
    end(filter, pin);
}

static void cancels(void)
{
    struct transfer first, second, third;
    HANDLE filter, pin;

    if (!begin(RENDER_PIN, KSSTATE_PAUSE, &filter, &pin)) {
        return;
    }
    transfer_begin(&first, pin, IOCTL_KS_WRITE_STREAM, data, BUFFER_BYTES);
    transfer_begin(&second, pin, IOCTL_KS_WRITE_STREAM, data, BUFFER_BYTES);
    transfer_begin(&third, pin, IOCTL_KS_WRITE_STREAM, data + BUFFER_BYTES, BUFFER_BYTES);
    EXPECT(IoCancelIrp(second.irp));
    EXPECT(transfer_is_done(&second) && !transfer_is_done(&first) && !transfer_is_done(&third));
    EXPECT_STATUS(second.result.Status, STATUS_CANCELLED);
    EXPECT_EQUAL(get_position(pin).WriteOffset, 2 * BUFFER_BYTES);
    EXPECT_STATUS(set_state(pin, KSSTATE_RUN), STATUS_SUCCESS);
    stream_advance(adapter.stream, PERIOD_BYTES);       /* the third follows the first */
    EXPECT_EQUAL(RtlCompareMemory(cyclic(), data + BUFFER_BYTES, PERIOD_BYTES), PERIOD_BYTES);
    end(filter, pin);
    EXPECT(transfer_is_done(&first) && transfer_is_done(&third));
}

static void refused(void)
{
    HANDLE filter, pin, other = NULL;
    struct transfer transfer;

    if (!begin(RENDER_PIN, KSSTATE_STOP, &filter, &pin)) {
        return;
    }
    EXPECT_STATUS(open_pin(filter, RENDER_PIN, 48000, &other), STATUS_CONNECTION_REFUSED);
    EXPECT_STATUS(open_pin(filter, CAPTURE_PIN, 96000, &other), STATUS_NO_MATCH);
    EXPECT_STATUS(open_pin(filter, BRIDGE_PIN, 48000, &other), STATUS_INVALID_DEVICE_REQUEST);
    EXPECT_STATUS(open_pin(filter, 3, 48000, &other), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(property(pin, &KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, KSPROPERTY_TYPE_SET, 0, NULL,
                           sizeof(KSSTATE), NULL), STATUS_INVALID_BUFFER_SIZE);
    EXPECT_STATUS(property(pin, &KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, KSPROPERTY_TYPE_GET, 0, NULL,
                           sizeof(KSSTATE), NULL), STATUS_INVALID_BUFFER_SIZE);
    transfer_begin(&transfer, pin, IOCTL_KS_WRITE_STREAM, data, FRAME_BYTES);
    EXPECT_STATUS(transfer.status, STATUS_INVALID_DEVICE_STATE);
    EXPECT_STATUS(set_state(pin, KSSTATE_ACQUIRE), STATUS_SUCCESS);
    transfer_begin(&transfer, pin, IOCTL_KS_READ_STREAM, data, FRAME_BYTES);
    EXPECT_STATUS(transfer.status, STATUS_INVALID_DEVICE_REQUEST);
    transfer_begin(&transfer, pin, IOCTL_KS_WRITE_STREAM, data, FRAME_BYTES - 1);
    EXPECT_STATUS(transfer.status, STATUS_INVALID_PARAMETER);
    transfer_begin(&transfer, pin, IOCTL_KS_WRITE_STREAM, NULL, FRAME_BYTES);
    EXPECT_STATUS(transfer.status, STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(control(pin, IOCTL_KS_WRITE_STREAM, NULL, 0, &transfer.header, 8, NULL),
                  STATUS_INVALID_BUFFER_SIZE);
    end(filter, pin);
}

const struct check portcls_pin_checks[] = {
    { "portcls-pin/states", states },
    { "portcls-pin/renders", renders },
    { "portcls-pin/under-runs", under_runs },
    { "portcls-pin/ends", ends },
    { "portcls-pin/ends-cancelled", ends_cancelled },
    { "portcls-pin/records", records },
    { "portcls-pin/power", power },
    { "portcls-pin/system-power", system_power },
    { "portcls-pin/surprise", surprise },
    { "portcls-pin/cancels", cancels },
    { "portcls-pin/refused", refused },
    { NULL, NULL },
};
