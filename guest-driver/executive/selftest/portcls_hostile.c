/* SPDX-License-Identifier: MIT */
/* selftest.sys: requests to pins that are malformed, late or cancelled; states that are not reached */
#include "portcls_test.h"

static UCHAR data[2 * BUFFER_BYTES];

static bool begin(ULONG which, KSSTATE state, HANDLE *filter, HANDLE *pin)
{
    if (!adapter_start()) {
        return false;
    }
    for (ULONG i = 0; i < sizeof(data); i++) {
        data[i] = (UCHAR)(i * 7 + (i >> 8) * 13 + 1);
    }
    *filter = open_filter(L"\\wave");
    EXPECT_STATUS(open_pin(*filter, which, 48000, pin), STATUS_SUCCESS);
    if (state != KSSTATE_STOP) {
        EXPECT_STATUS(set_state(*pin, state), STATUS_SUCCESS);
    }
    (void)adapter_noted(adapter.notes);
    return true;
}

static void end(HANDLE filter, HANDLE pin)
{
    ZwClose(pin);
    EXPECT_EQUAL(adapter.streams, 0);
    ZwClose(filter);
    adapter_remove();
}

/* --- Headers --------------------------------------------------------------------------- */

static void headers(void)
{
    static const struct {
        ULONG length, size, second, extent, used;
        NTSTATUS status;
    } cases[] = {
        { 2 * sizeof(KSSTREAM_HEADER), sizeof(KSSTREAM_HEADER), 0, 8, 8, STATUS_INVALID_BUFFER_SIZE },
        { 2 * sizeof(KSSTREAM_HEADER), sizeof(KSSTREAM_HEADER) - 8, sizeof(KSSTREAM_HEADER), 8, 8,
          STATUS_INVALID_BUFFER_SIZE },
        { 2 * sizeof(KSSTREAM_HEADER), sizeof(KSSTREAM_HEADER), sizeof(KSSTREAM_HEADER) + 8, 8, 8,
          STATUS_INVALID_BUFFER_SIZE },
        { 2 * sizeof(KSSTREAM_HEADER) - 8, sizeof(KSSTREAM_HEADER), sizeof(KSSTREAM_HEADER) - 8, 8, 8,
          STATUS_INVALID_BUFFER_SIZE },
        { sizeof(KSSTREAM_HEADER) + 8, sizeof(KSSTREAM_HEADER), sizeof(KSSTREAM_HEADER), 8, 8,
          STATUS_INVALID_BUFFER_SIZE },
        { sizeof(KSSTREAM_HEADER), 0xffffffff, 0, 8, 8, STATUS_INVALID_BUFFER_SIZE },
        { sizeof(KSSTREAM_HEADER), sizeof(KSSTREAM_HEADER), 0, 8, 12, STATUS_INVALID_PARAMETER },
        { sizeof(KSSTREAM_HEADER), sizeof(KSSTREAM_HEADER), 0, 8, 6, STATUS_INVALID_PARAMETER },
    };
    KSSTREAM_HEADER two[3];
    HANDLE filter, pin;

    if (!begin(RENDER_PIN, KSSTATE_ACQUIRE, &filter, &pin)) {
        return;
    }
    for (ULONG i = 0; i < RTL_NUMBER_OF(cases); i++) {
        RtlZeroMemory(two, sizeof(two));
        two[0].Data = two[1].Data = data;
        two[0].FrameExtent = two[1].FrameExtent = cases[i].extent;
        two[0].DataUsed = two[1].DataUsed = cases[i].used;
        two[0].Size = cases[i].size;
        two[1].Size = cases[i].second;
        EXPECT_STATUS(control(pin, IOCTL_KS_WRITE_STREAM, NULL, 0, two, cases[i].length, NULL), cases[i].status);
    }
    EXPECT_STATUS(control(pin, IOCTL_KS_WRITE_STREAM, NULL, 0, NULL, sizeof(two[0]), NULL),
                  STATUS_INVALID_BUFFER_SIZE);
    EXPECT_EQUAL(get_position(pin).WriteOffset, 0);         /* nothing of it was taken */
    end(filter, pin);
}

/* What a client has left in DataUsed is no data. */
static void stale_header(void)
{
    static UCHAR got[PERIOD_BYTES];
    KSSTREAM_HEADER header = { .Size = sizeof(header), .FrameExtent = sizeof(got), .DataUsed = 100, .Data = got };
    HANDLE filter, pin;
    ULONG used = 0;

    if (!begin(CAPTURE_PIN, KSSTATE_RUN, &filter, &pin)) {
        return;
    }
    stream_advance(adapter.stream, PERIOD_BYTES);
    EXPECT_STATUS(control(pin, IOCTL_KS_READ_STREAM, NULL, 0, &header, sizeof(header), &used), STATUS_SUCCESS);
    EXPECT_EQUAL(header.DataUsed, sizeof(got));
    EXPECT_EQUAL(used, sizeof(header));
    end(filter, pin);
}

/* --- Cancelling -------------------------------------------------------------------------- */

static void cancelled_before(void)
{
    struct transfer transfer;
    HANDLE filter, pin;

    if (!begin(RENDER_PIN, KSSTATE_ACQUIRE, &filter, &pin)) {
        return;
    }
    transfer_cancelled(&transfer, pin, data, BUFFER_BYTES);
    EXPECT_STATUS(transfer.status, STATUS_PENDING);
    EXPECT(transfer_is_done(&transfer));
    EXPECT_STATUS(transfer.result.Status, STATUS_CANCELLED);
    EXPECT_EQUAL(get_position(pin).WriteOffset, 0);
    end(filter, pin);
}

/* Those behind a request that is cancelled move up: in the buffer, and in the position. */
static void cancelled_between(void)
{
    struct transfer first, second, third;
    HANDLE filter, pin;

    if (!begin(RENDER_PIN, KSSTATE_PAUSE, &filter, &pin)) {
        return;
    }
    transfer_begin(&first, pin, IOCTL_KS_WRITE_STREAM, data, PERIOD_BYTES);
    transfer_begin(&second, pin, IOCTL_KS_WRITE_STREAM, data, BUFFER_BYTES);
    transfer_begin(&third, pin, IOCTL_KS_WRITE_STREAM, data + BUFFER_BYTES, BUFFER_BYTES);
    EXPECT_STATUS(set_state(pin, KSSTATE_RUN), STATUS_SUCCESS);
    EXPECT(IoCancelIrp(second.irp));
    EXPECT_EQUAL(get_position(pin).WriteOffset, 2 * BUFFER_BYTES);      /* what was copied stays */
    for (ULONG played = 0; played < 2 * BUFFER_BYTES; played += PERIOD_BYTES) {
        EXPECT_EQUAL(get_position(pin).PlayOffset, played);
        EXPECT(!transfer_is_done(&third));
        stream_advance(adapter.stream, PERIOD_BYTES);
    }
    EXPECT(transfer_is_done(&first) && transfer_is_done(&third));
    EXPECT_EQUAL(get_position(pin).PlayOffset, 2 * BUFFER_BYTES);
    end(filter, pin);
}

/* The rest of a request that is cancelled without power is not played when it is back. */
static void cancelled_asleep(void)
{
    struct transfer first, second;
    HANDLE filter, pin;

    if (!begin(RENDER_PIN, KSSTATE_PAUSE, &filter, &pin)) {
        return;
    }
    transfer_begin(&first, pin, IOCTL_KS_WRITE_STREAM, data, BUFFER_BYTES);
    transfer_begin(&second, pin, IOCTL_KS_WRITE_STREAM, data + BUFFER_BYTES, BUFFER_BYTES);
    EXPECT_STATUS(set_state(pin, KSSTATE_RUN), STATUS_SUCCESS);
    stream_advance(adapter.stream, PERIOD_BYTES);
    EXPECT_STATUS(adapter_power(IRP_MN_SET_POWER, PowerDeviceD3), STATUS_SUCCESS);
    EXPECT(IoCancelIrp(first.irp));
    EXPECT(transfer_is_done(&first));
    EXPECT_STATUS(adapter_power(IRP_MN_SET_POWER, PowerDeviceD0), STATUS_SUCCESS);
    for (ULONG played = 0; played < BUFFER_BYTES; played += PERIOD_BYTES) {
        EXPECT(!transfer_is_done(&second));
        stream_advance(adapter.stream, PERIOD_BYTES);
    }
    EXPECT(transfer_is_done(&second));
    EXPECT_EQUAL(get_position(pin).PlayOffset, get_position(pin).WriteOffset);
    end(filter, pin);
}

/* With its last handle closed nobody waits for a pin's requests, though the file is in use. */
static void handle_closed(void)
{
    struct transfer transfer;
    HANDLE filter, pin;
    PVOID file = NULL;

    if (!begin(RENDER_PIN, KSSTATE_PAUSE, &filter, &pin)) {
        return;
    }
    EXPECT_STATUS(ObReferenceObjectByHandle(pin, 0, NULL, KernelMode, &file, NULL), STATUS_SUCCESS);
    transfer_begin(&transfer, pin, IOCTL_KS_WRITE_STREAM, data, BUFFER_BYTES);
    ZwClose(pin);
    EXPECT(transfer_is_done(&transfer));
    EXPECT_STATUS(transfer.result.Status, STATUS_CANCELLED);
    EXPECT_EQUAL(adapter.streams, 1);
    ObDereferenceObject(file);
    EXPECT_EQUAL(adapter.streams, 0);
    ZwClose(filter);
    adapter_remove();
}

/* --- States that are not reached --------------------------------------------------------- */

static void failing_run(void)
{
    HANDLE filter, pin;

    if (!begin(RENDER_PIN, KSSTATE_PAUSE, &filter, &pin)) {
        return;
    }
    adapter.stream->fails = KSSTATE_RUN;
    EXPECT_STATUS(set_state(pin, KSSTATE_RUN), STATUS_DEVICE_DATA_ERROR);
    (void)adapter_noted(adapter.notes);
    stream_advance(adapter.stream, PERIOD_BYTES);       /* of no interest: it does not run */
    adapter.stream->position = 0;
    adapter.stream->fails = KSSTATE_STOP;
    EXPECT_STATUS(set_state(pin, KSSTATE_RUN), STATUS_SUCCESS);
    EXPECT_EQUAL(get_faults(pin).Underruns, 0);
    /* One that does not come back with the power is where it is. */
    EXPECT_STATUS(adapter_power(IRP_MN_SET_POWER, PowerDeviceD3), STATUS_SUCCESS);
    EXPECT_EQUAL(get_state(pin), KSSTATE_RUN);
    adapter.stream->fails = KSSTATE_RUN;
    EXPECT_STATUS(adapter_power(IRP_MN_SET_POWER, PowerDeviceD0), STATUS_SUCCESS);
    EXPECT_EQUAL(get_state(pin), KSSTATE_PAUSE);
    adapter.stream->fails = KSSTATE_STOP;
    end(filter, pin);
}

/* What was played until the pause counts, notified or not; what was recorded stays through a sleep. */
static void last_bytes(void)
{
    static UCHAR got[2 * PERIOD_BYTES];
    struct transfer transfer;
    HANDLE filter, pin;

    if (begin(RENDER_PIN, KSSTATE_PAUSE, &filter, &pin)) {
        transfer_begin(&transfer, pin, IOCTL_KS_WRITE_STREAM, data, BUFFER_BYTES);
        EXPECT_STATUS(set_state(pin, KSSTATE_RUN), STATUS_SUCCESS);
        adapter.stream->position = 8;
        EXPECT_STATUS(set_state(pin, KSSTATE_PAUSE), STATUS_SUCCESS);
        EXPECT_EQUAL(get_position(pin).PlayOffset, 8);
        end(filter, pin);
    }
    if (begin(CAPTURE_PIN, KSSTATE_RUN, &filter, &pin)) {
        transfer_begin(&transfer, pin, IOCTL_KS_READ_STREAM, got, sizeof(got));
        stream_advance(adapter.stream, PERIOD_BYTES);
        EXPECT_STATUS(adapter_power(IRP_MN_SET_POWER, PowerDeviceD3), STATUS_SUCCESS);
        EXPECT_STATUS(adapter_power(IRP_MN_SET_POWER, PowerDeviceD0), STATUS_SUCCESS);
        EXPECT(!transfer_is_done(&transfer));
        stream_advance(adapter.stream, PERIOD_BYTES);
        EXPECT(transfer_is_done(&transfer));
        EXPECT_EQUAL(get_position(pin).PlayOffset, sizeof(got));
        end(filter, pin);
    }
}

const struct check portcls_hostile_checks[] = {
    { "portcls-hostile/headers", headers },
    { "portcls-hostile/stale-header", stale_header },
    { "portcls-hostile/cancelled-before", cancelled_before },
    { "portcls-hostile/cancelled-between", cancelled_between },
    { "portcls-hostile/cancelled-asleep", cancelled_asleep },
    { "portcls-hostile/handle-closed", handle_closed },
    { "portcls-hostile/failing-run", failing_run },
    { "portcls-hostile/last-bytes", last_bytes },
    { NULL, NULL },
};
