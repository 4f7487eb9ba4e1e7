/* SPDX-License-Identifier: MIT */
/*
 * The exercises: what Plug and Play and power do to a device in use
 *
 * The driver has a buffer of ours all the while.  It outlives a stop and a sleep,
 * for memory is nobody's hardware; it does not outlive the device.
 */
#include "run.h"

#include "pcmaster_machine.h"

struct held {
    uint32_t adapter;
    struct pcm_allocated buffer;
};

bool machine_act(struct run *run, uint32_t wanted, struct pcm_machine *after)
{
    static const char *const names[] = { "look", "rebalance", "unplug", "plug", "eject", "sleep", "wake" };

    if (!run->ops->machine) {
        skipped(run, "this guest cannot do that to its machine");
        return false;
    }
    if (run->ops->machine(run->ops->context, wanted, after)) {
        broken(run, "the machine does not answer");
        return false;
    }
    if (after->status) {
        broken(run, "%s: status %X", names[wanted], (uint64_t)after->status);
    }
    return !after->status;
}

/* Sends a command, which must fail with STATUS. */
static void fails(struct run *run, const char *what, uint32_t number, const void *in, uint32_t in_length,
                  void *out, uint32_t out_length, uint32_t status)
{
    uint32_t actual = run->ops->command(run->ops->context, number, in, in_length, out, out_length);

    if (actual != status) {
        broken(run, "%s: status %X, not %X", what, (uint64_t)actual, (uint64_t)status);
    }
}

static void all_fail(struct run *run, const struct held *held, uint32_t status)
{
    struct pcm_object buffer = { .handle = held->buffer.handle };
    struct pcm_object adapter = { .handle = held->adapter };
    struct pcm_allocate ask = { .adapter = held->adapter, .length = PAGE_BYTES };
    struct pcm_allocated allocated;
    struct pcm_facts facts;

    fails(run, "the device's facts", PCM_CMD_FACTS, NULL, 0, &facts, sizeof(facts), status);
    fails(run, "an allocation", PCM_CMD_ALLOCATE, &ask, sizeof(ask), &allocated, sizeof(allocated), status);
    fails(run, "the buffer's release", PCM_CMD_FREE, &buffer, sizeof(buffer), NULL, 0, status);
    fails(run, "the adapter's release", PCM_CMD_ADAPTER_PUT, &adapter, sizeof(adapter), NULL, 0, status);
}

static bool hold(struct run *run, const struct request *request, struct held *held)
{
    held->adapter = adapter_needed(run, request);
    if (!held->adapter || !allocate(run, held->adapter, request, true, &held->buffer)) {
        return false;
    }
    if (!held->buffer.handle) {
        broken(run, "NULL was returned");
        return false;
    }
    check_buffer(run, request, &held->buffer);
    return run->verdict == HELD;
}

static void release(struct run *run, const struct held *held)
{
    command_on(run, PCM_CMD_FREE, held->buffer.handle);
    command_on(run, PCM_CMD_ADAPTER_PUT, held->adapter);
}

/* Real DMA over every byte, as when it was new. */
static void check_still_there(struct run *run, const struct request *request, const struct held *held)
{
    check_by_dma(run, request, held->buffer.handle, PCM_NODE_ANY);
}

void exercise_rebalance(struct run *run, const struct request *request)
{
    uint32_t i, times = request->elements ? request->elements : 1;
    struct pcm_machine before, after;
    struct held held = { 0 };

    if (!machine_act(run, PCM_MACHINE_LOOK, &before) || !hold(run, request, &held)) {
        return;
    }
    for (i = 0; i < times && run->verdict == HELD; i++, before = after) {
        if (!machine_act(run, PCM_MACHINE_REBALANCE, &after)) {
            return;
        }
        if (after.memory == before.memory || after.vector == before.vector) {
            broken(run, "the registers are at %X, the vector is %X, as before the stop", after.memory,
                   (uint64_t)after.vector);
        }
        check_still_there(run, request, &held);
    }
    text_add(&run->more, ",\"registers\":\"%X\",\"vector\":%u", after.memory, after.vector);
    release(run, &held);
}

/* The driver serves the device that has come back as it did the other. */
static void start_over(struct run *run, const struct request *request)
{
    struct pcm_machine machine;
    struct held held = { 0 };
    uint32_t status;

    if (!machine_act(run, PCM_MACHINE_PLUG, &machine)) {
        return;
    }
    status = run->ops->enter(run->ops->context);
    if (status) {
        broken(run, "the device came back, but cannot be opened: status %X", (uint64_t)status);
    } else if (hold(run, request, &held)) {
        release(run, &held);
    }
}

void exercise_surprise_removal(struct run *run, const struct request *request)
{
    struct pcm_machine machine;
    struct held held = { 0 };

    if (!machine_act(run, PCM_MACHINE_LOOK, &machine) || !hold(run, request, &held) ||
        !machine_act(run, PCM_MACHINE_UNPLUG, &machine)) {
        return;
    }
    all_fail(run, &held, PCM_STATUS_DELETE_PENDING);
    run->ops->leave(run->ops->context);
    if (!run->ops->machine(run->ops->context, PCM_MACHINE_LOOK, &machine) && machine.present) {
        broken(run, "the last file was closed, and the driver still has the device");
    }
    if (!run->ops->enter(run->ops->context)) {
        broken(run, "a device that has gone was opened");
    }
    start_over(run, request);
}

void exercise_eject(struct run *run, const struct request *request)
{
    struct pcm_machine machine;
    struct held held = { 0 };

    if (!machine_act(run, PCM_MACHINE_LOOK, &machine) || !hold(run, request, &held)) {
        return;
    }
    if (run->ops->machine(run->ops->context, PCM_MACHINE_EJECT, &machine) ||
        machine.status != PCM_STATUS_DEVICE_BUSY) {
        broken(run, "a removal with a file open: status %X, not %X", (uint64_t)machine.status,
               (uint64_t)PCM_STATUS_DEVICE_BUSY);
        return;
    }
    check_still_there(run, request, &held);
    run->ops->leave(run->ops->context);
    if (machine_act(run, PCM_MACHINE_EJECT, &machine)) {
        start_over(run, request);
    } else {
        run->ops->enter(run->ops->context);
    }
}

void exercise_down_up(struct run *run, const struct request *request)
{
    struct pcm_machine machine;
    struct held held = { 0 };

    if (!machine_act(run, PCM_MACHINE_LOOK, &machine) || !hold(run, request, &held) ||
        !machine_act(run, PCM_MACHINE_SLEEP, &machine)) {
        return;
    }
    if (machine.power != 4) {
        broken(run, "the system sleeps, and the device is in D%u", machine.power - 1);
    }
    all_fail(run, &held, PCM_STATUS_DEVICE_POWERED_OFF);
    if (!machine_act(run, PCM_MACHINE_WAKE, &machine)) {
        return;
    }
    if (machine.power != 1) {
        broken(run, "the system works, and the device is in D%u", machine.power - 1);
    }
    check_still_there(run, request, &held);
    release(run, &held);
}
