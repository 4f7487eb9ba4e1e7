/* SPDX-License-Identifier: MIT */
/* selftest.sys: the order of Plug and Play's requests, as a filter sees it */
#include "filter.h"

#include "filterlink.h"
#include "pcmaster_ioctl.h"

#define DRIVER_NAME                 L"\\DosDevices\\pcmaster"
#define ORDER(...)                  ((const UCHAR[]){ __VA_ARGS__, 0xff })
#define SAW(...)                    EXPECT(filter_saw(IRP_MJ_PNP, ORDER(__VA_ARGS__)))

static struct pcm_machine before, after;

static NTSTATUS look(struct pcm_machine *machine)
{
    return machine_act(PCM_MACHINE_LOOK, machine);
}

static void rebalance(void)
{
    if (!filter_attach()) {
        return;
    }
    EXPECT_STATUS(look(&before), STATUS_SUCCESS);
    EXPECT_STATUS(machine_act(PCM_MACHINE_REBALANCE, &after), STATUS_SUCCESS);
    SAW(IRP_MN_QUERY_STOP_DEVICE, IRP_MN_STOP_DEVICE, IRP_MN_START_DEVICE, IRP_MN_QUERY_CAPABILITIES);
    EXPECT(filter.seen[2].memory != before.memory);
    EXPECT(filter.seen[2].vector != before.vector);
    EXPECT_EQUAL(filter.seen[2].memory, after.memory);
    EXPECT_EQUAL(filter.seen[2].vector, after.vector);
    filter_detach();
}

static void refused_stop(void)
{
    if (!filter_attach()) {
        return;
    }
    EXPECT_STATUS(look(&before), STATUS_SUCCESS);
    filter.refuse_major = IRP_MJ_PNP;
    filter.refuse_minor = IRP_MN_QUERY_STOP_DEVICE;
    EXPECT_STATUS(machine_act(PCM_MACHINE_REBALANCE, &after), STATUS_DEVICE_PAPER_EMPTY);
    SAW(IRP_MN_QUERY_STOP_DEVICE, IRP_MN_CANCEL_STOP_DEVICE);
    EXPECT_EQUAL(after.memory, before.memory);
    EXPECT_EQUAL(after.vector, before.vector);
    filter_detach();
}

static void failed_start(void)
{
    if (!filter_attach()) {
        return;
    }
    filter.refuse_major = IRP_MJ_PNP;
    filter.refuse_minor = IRP_MN_START_DEVICE;
    EXPECT_STATUS(machine_act(PCM_MACHINE_REBALANCE, &after), STATUS_DEVICE_PAPER_EMPTY);
    SAW(IRP_MN_QUERY_STOP_DEVICE, IRP_MN_STOP_DEVICE, IRP_MN_START_DEVICE, IRP_MN_SURPRISE_REMOVAL,
        IRP_MN_REMOVE_DEVICE);
    EXPECT(!filter.self);
    EXPECT(!after.present);
    EXPECT_STATUS(machine_act(PCM_MACHINE_PLUG, &after), STATUS_SUCCESS);
    EXPECT(after.present);
    filter_detach();
}

static void surprise_removal(void)
{
    struct pcm_facts facts;
    struct link link, held;

    if (!filter_attach()) {
        return;
    }
    EXPECT_STATUS(link_open(&link, DRIVER_NAME), STATUS_SUCCESS);
    EXPECT_STATUS(link_open_filter(&held), STATUS_SUCCESS);
    EXPECT_STATUS(machine_act(PCM_MACHINE_UNPLUG, &after), STATUS_SUCCESS);
    SAW(IRP_MN_SURPRISE_REMOVAL);
    EXPECT_STATUS(link_command(&link, PCM_IOCTL(PCM_CMD_FACTS), NULL, 0, &facts, sizeof(facts)),
                  STATUS_DELETE_PENDING);
    link_close(&link);
    SAW(IRP_MN_SURPRISE_REMOVAL);
    link_close(&held);
    SAW(IRP_MN_SURPRISE_REMOVAL, IRP_MN_REMOVE_DEVICE);
    EXPECT(!filter.self);
    EXPECT_STATUS(link_open(&link, DRIVER_NAME), STATUS_OBJECT_NAME_NOT_FOUND);
    EXPECT_STATUS(look(&after), STATUS_NO_SUCH_DEVICE);
    EXPECT_STATUS(machine_act(PCM_MACHINE_PLUG, &after), STATUS_SUCCESS);
    filter_detach();
}

static void removal(void)
{
    struct link link;

    if (!filter_attach()) {
        return;
    }
    filter.refuse_major = IRP_MJ_PNP;
    filter.refuse_minor = IRP_MN_QUERY_REMOVE_DEVICE;
    EXPECT_STATUS(machine_act(PCM_MACHINE_EJECT, &after), STATUS_DEVICE_PAPER_EMPTY);
    SAW(IRP_MN_QUERY_REMOVE_DEVICE, IRP_MN_CANCEL_REMOVE_DEVICE);
    filter.refuse_minor = 0xff;
    filter.count = 0;
    EXPECT_STATUS(link_open(&link, DRIVER_NAME), STATUS_SUCCESS);
    EXPECT_STATUS(machine_act(PCM_MACHINE_EJECT, &after), STATUS_DEVICE_BUSY);
    SAW(IRP_MN_QUERY_REMOVE_DEVICE, IRP_MN_CANCEL_REMOVE_DEVICE);
    link_close(&link);
    filter.count = 0;
    EXPECT_STATUS(machine_act(PCM_MACHINE_EJECT, &after), STATUS_SUCCESS);
    SAW(IRP_MN_QUERY_REMOVE_DEVICE, IRP_MN_REMOVE_DEVICE);
    EXPECT(!after.present);
    EXPECT_STATUS(machine_act(PCM_MACHINE_PLUG, &after), STATUS_SUCCESS);
    filter_detach();
}

/* --- a command that comes while the device is stopped ------------------------------ */

static struct {
    struct link link;
    PKTHREAD thread;
    volatile LONG finished;
    bool early;                             /* it had finished before the start */
    NTSTATUS status;
} waiter;

static VOID NTAPI ask_for_facts(PVOID context)
{
    static struct pcm_facts facts;

    (void)context;
    waiter.status = link_command(&waiter.link, PCM_IOCTL(PCM_CMD_FACTS), NULL, 0, &facts, sizeof(facts));
    InterlockedExchange(&waiter.finished, TRUE);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static void passing(UCHAR minor)
{
    HANDLE handle;

    if (minor == IRP_MN_QUERY_STOP_DEVICE) {
        EXPECT_STATUS(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, ask_for_facts, NULL),
                      STATUS_SUCCESS);
        EXPECT_STATUS(ObReferenceObjectByHandle(handle, SYNCHRONIZE, NULL, KernelMode,
                                                (PVOID *)&waiter.thread, NULL), STATUS_SUCCESS);
        ZwClose(handle);
    }
    if (minor == IRP_MN_QUERY_STOP_DEVICE || minor == IRP_MN_STOP_DEVICE) {
        sleep_ms(30);
        waiter.early |= waiter.finished != 0;
    }
}

static void commands_wait(void)
{
    if (!filter_attach()) {
        return;
    }
    RtlZeroMemory(&waiter, sizeof(waiter));
    filter.passing = passing;
    EXPECT_STATUS(link_open(&waiter.link, DRIVER_NAME), STATUS_SUCCESS);
    EXPECT_STATUS(machine_act(PCM_MACHINE_REBALANCE, &after), STATUS_SUCCESS);
    EXPECT_STATUS(KeWaitForSingleObject(waiter.thread, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    EXPECT(!waiter.early);
    EXPECT_STATUS(waiter.status, STATUS_SUCCESS);
    ObDereferenceObject(waiter.thread);
    link_close(&waiter.link);
    filter_detach();
}

const struct check pnp_checks[] = {
    { "pnp/rebalance", rebalance },
    { "pnp/refused-stop", refused_stop },
    { "pnp/failed-start", failed_start },
    { "pnp/surprise-removal", surprise_removal },
    { "pnp/removal", removal },
    { "pnp/commands-wait", commands_wait },
    { .name = NULL },
};
