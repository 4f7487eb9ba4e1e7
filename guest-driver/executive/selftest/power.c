/* SPDX-License-Identifier: MIT */
/* selftest.sys: power requests, as a filter sees them and as it makes them */
#include "filter.h"

struct done {
    ULONG calls;
    PDEVICE_OBJECT device;
    UCHAR minor;
    ULONG state;
    NTSTATUS status;
    KEVENT event;
};

static struct pcm_machine after;

static POWER_STATE device_state(DEVICE_POWER_STATE state)
{
    return (POWER_STATE){ .DeviceState = state };
}

static bool seen_is(ULONG index, UCHAR minor, POWER_STATE_TYPE type, ULONG state)
{
    const struct seen *seen = &filter.seen[index];

    return seen->major == IRP_MJ_POWER && seen->minor == minor && seen->power_type == type &&
           seen->power_state == state && seen->irql == PASSIVE_LEVEL;
}

static void sleep_and_wake(void)
{
    if (!filter_attach()) {
        return;
    }
    EXPECT_STATUS(machine_act(PCM_MACHINE_SLEEP, &after), STATUS_SUCCESS);
    EXPECT_EQUAL(after.power, PowerDeviceD3);
    EXPECT_EQUAL(filter.count, 4);
    EXPECT(seen_is(0, IRP_MN_QUERY_POWER, SystemPowerState, PowerSystemSleeping3));
    EXPECT(seen_is(1, IRP_MN_QUERY_POWER, DevicePowerState, PowerDeviceD3));
    EXPECT(seen_is(2, IRP_MN_SET_POWER, SystemPowerState, PowerSystemSleeping3));
    EXPECT(seen_is(3, IRP_MN_SET_POWER, DevicePowerState, PowerDeviceD3));
    filter.count = 0;
    EXPECT_STATUS(machine_act(PCM_MACHINE_WAKE, &after), STATUS_SUCCESS);
    EXPECT_EQUAL(after.power, PowerDeviceD0);
    EXPECT_EQUAL(filter.count, 2);
    EXPECT(seen_is(0, IRP_MN_SET_POWER, SystemPowerState, PowerSystemWorking));
    EXPECT(seen_is(1, IRP_MN_SET_POWER, DevicePowerState, PowerDeviceD0));
    filter_detach();
}

static void refused_sleep(void)
{
    if (!filter_attach()) {
        return;
    }
    filter.refuse_major = IRP_MJ_POWER;
    filter.refuse_minor = IRP_MN_QUERY_POWER;
    EXPECT_STATUS(machine_act(PCM_MACHINE_SLEEP, &after), STATUS_DEVICE_PAPER_EMPTY);
    EXPECT_EQUAL(after.power, PowerDeviceD0);
    EXPECT(seen_is(0, IRP_MN_QUERY_POWER, SystemPowerState, PowerSystemSleeping3));
    EXPECT(seen_is(1, IRP_MN_SET_POWER, SystemPowerState, PowerSystemWorking));
    filter_detach();
}

static void start_while_asleep(void)
{
    EXPECT_STATUS(machine_act(PCM_MACHINE_SLEEP, &after), STATUS_SUCCESS);
    EXPECT_STATUS(machine_act(PCM_MACHINE_REBALANCE, &after), STATUS_SUCCESS);
    EXPECT_EQUAL(after.power, PowerDeviceD0);
    EXPECT_STATUS(machine_act(PCM_MACHINE_WAKE, &after), STATUS_SUCCESS);
    EXPECT_EQUAL(after.power, PowerDeviceD0);
}

/* --- PoRequestPowerIrp ------------------------------------------------------------------ */

static VOID NTAPI completed(PDEVICE_OBJECT device, UCHAR minor, POWER_STATE state, PVOID context,
                            PIO_STATUS_BLOCK result)
{
    struct done *done = context;

    done->calls++;
    done->device = device;
    done->minor = minor;
    done->state = (ULONG)state.DeviceState;
    done->status = result->Status;
    KeSetEvent(&done->event, IO_NO_INCREMENT, FALSE);
}

static struct done new_done(void)
{
    return (struct done){ .calls = 0 };
}

static NTSTATUS request(struct done *done, UCHAR minor, DEVICE_POWER_STATE state)
{
    *done = new_done();
    KeInitializeEvent(&done->event, NotificationEvent, FALSE);
    return PoRequestPowerIrp(filter.self, minor, device_state(state), completed, done, NULL);
}

static void wait_for(struct done *done)
{
    LARGE_INTEGER timeout = after_ms(5000);

    EXPECT_STATUS(KeWaitForSingleObject(&done->event, Executive, KernelMode, FALSE, &timeout),
                  STATUS_SUCCESS);
}

static void requested(void)
{
    struct done done;

    if (!filter_attach()) {
        return;
    }
    EXPECT_STATUS(request(&done, IRP_MN_WAIT_WAKE + 4, PowerDeviceD0), STATUS_INVALID_PARAMETER_2);
    EXPECT_STATUS(request(&done, IRP_MN_SET_POWER, PowerDeviceD3), STATUS_PENDING);
    wait_for(&done);
    EXPECT_EQUAL(done.calls, 1);
    EXPECT(done.device == filter.self);
    EXPECT_EQUAL(done.minor, IRP_MN_SET_POWER);
    EXPECT_EQUAL(done.state, PowerDeviceD3);
    EXPECT_STATUS(done.status, STATUS_SUCCESS);
    EXPECT_STATUS(machine_act(PCM_MACHINE_LOOK, &after), STATUS_SUCCESS);
    EXPECT_EQUAL(after.power, PowerDeviceD3);
    EXPECT_STATUS(request(&done, IRP_MN_SET_POWER, PowerDeviceD0), STATUS_PENDING);
    wait_for(&done);
    filter.refuse_major = IRP_MJ_POWER;
    filter.refuse_minor = IRP_MN_QUERY_POWER;
    EXPECT_STATUS(request(&done, IRP_MN_QUERY_POWER, PowerDeviceD3), STATUS_PENDING);
    wait_for(&done);
    EXPECT_STATUS(done.status, STATUS_DEVICE_PAPER_EMPTY);
    filter_detach();
}

static void requested_at_dispatch(void)
{
    struct done done;
    KIRQL irql;

    if (!filter_attach()) {
        return;
    }
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    EXPECT_STATUS(request(&done, IRP_MN_QUERY_POWER, PowerDeviceD3), STATUS_PENDING);
    KeLowerIrql(irql);
    wait_for(&done);
    EXPECT(seen_is(0, IRP_MN_QUERY_POWER, DevicePowerState, PowerDeviceD3));
    filter_detach();
}

static void one_at_a_time(void)
{
    struct done first, second;

    if (!filter_attach()) {
        return;
    }
    filter.keep = TRUE;
    EXPECT_STATUS(request(&first, IRP_MN_QUERY_POWER, PowerDeviceD3), STATUS_PENDING);
    EXPECT_STATUS(request(&second, IRP_MN_QUERY_POWER, PowerDeviceD2), STATUS_PENDING);
    sleep_ms(30);
    EXPECT_EQUAL(filter.count, 1);
    EXPECT_EQUAL(first.calls + second.calls, 0);
    filter_release();
    wait_for(&first);
    wait_for(&second);
    EXPECT_EQUAL(filter.count, 2);
    EXPECT(seen_is(1, IRP_MN_QUERY_POWER, DevicePowerState, PowerDeviceD2));
    filter_detach();
}

static void set_state(void)
{
    if (!filter_attach()) {
        return;
    }
    EXPECT_EQUAL(PoSetPowerState(filter.self, DevicePowerState, device_state(PowerDeviceD2)).DeviceState,
                 PowerDeviceD0);
    EXPECT_EQUAL(PoSetPowerState(filter.self, DevicePowerState, device_state(PowerDeviceD0)).DeviceState,
                 PowerDeviceD2);
    EXPECT_EQUAL(PoSetPowerState(filter.self, SystemPowerState,
                                 (POWER_STATE){ .SystemState = PowerSystemWorking }).SystemState,
                 PowerSystemWorking);
    filter_detach();
}

const struct check power_checks[] = {
    { "power/sleep-and-wake", sleep_and_wake },
    { "power/refused-sleep", refused_sleep },
    { "power/start-while-asleep", start_while_asleep },
    { "power/requested", requested },
    { "power/requested-at-dispatch", requested_at_dispatch },
    { "power/one-at-a-time", one_at_a_time },
    { "power/set-state", set_state },
    { .name = NULL },
};
