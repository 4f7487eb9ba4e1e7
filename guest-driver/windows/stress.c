/* SPDX-License-Identifier: MIT */
/*
 * pcmaster.sys: all processors allocate and free common buffers at once
 *
 * A thread on each processor, for AllocateCommonBufferEx is called at
 * PASSIVE_LEVEL.  Each holds some buffers, whose contents are its own: a pattern
 * that is found right when the buffer goes was nobody else's memory meanwhile.
 * Half of the patterns are written by the device, and it compares all of them.
 */
#include "pcmaster.h"

#include "pcmaster_pattern.h"

#define PROCESSORS_MAX              64u
#define SLOTS_MAX                   16u
#define STRESS_WINDOW               1

struct held {
    struct buffer buffer;               /* memory.address NULL: none */
    ULONGLONG seed;
    ULONGLONG last;                     /* legal byte */
};

struct worker {
    struct stress *stress;
    ULONG number;
    PVOID thread;
    ULONGLONG random;
    struct held held[SLOTS_MAX];
    struct pcm_stressed result;
};

struct stress {
    struct device *device;
    struct adapter *adapter;
    struct pcm_stress request;
    ULONG workers;
    volatile LONG arrived;
    KEVENT begin;
    KEVENT dma;                         /* signalled: the exerciser is free */
    struct worker worker[PROCESSORS_MAX];
};

/* xorshift64*; from 0 to LIMIT - 1. */
static ULONGLONG random_below(struct worker *worker, ULONGLONG limit)
{
    worker->random ^= worker->random >> 12;
    worker->random ^= worker->random << 25;
    worker->random ^= worker->random >> 27;
    return worker->random * 0x2545f4914f6cdd1dull % limit;
}

/* The device may touch this buffer and nothing else while it works. */
static void transfer(struct worker *worker, ULONG command, const struct held *held,
                     struct pcm_direction *direction)
{
    struct device *device = worker->stress->device;
    struct rules rules = {
        .node = PCM_NODE_ANY, .limit = held->last, .boundary = ~0ull,
    };
    const struct memory *memory = &held->buffer.memory;

    KeWaitForSingleObject(&worker->stress->dma, Executive, KernelMode, FALSE, NULL);
    rules_set(device, &rules);
    window_open(device, STRESS_WINDOW, memory->logical, memory->length, PCM_W_READ | PCM_W_WRITE);
    exerciser_run(device, command, memory->logical, memory->length, held->seed, direction);
    window_close(device, STRESS_WINDOW);
    KeSetEvent(&worker->stress->dma, IO_NO_INCREMENT, FALSE);
    worker->result.timed_out += direction->timed_out;
    worker->result.refused_dma += direction->done != memory->length;
}

static void fill(struct worker *worker, struct held *held)
{
    struct pcm_direction direction;
    struct memory *memory = &held->buffer.memory;

    held->seed = random_below(worker, ~0ull);
    if (random_below(worker, 2)) {
        pcm_pattern_write(memory->address, memory->length, held->seed, 0);
        return;
    }
    transfer(worker, PCM_EX_FILL, held, &direction);
    worker->result.filled += direction.done;
}

/* Both look: what the CPU finds wrong is in the memory itself. */
static void check(struct worker *worker, struct held *held)
{
    struct pcm_direction direction;
    struct memory *memory = &held->buffer.memory;
    uint32_t first;

    if (pcm_pattern_compare(memory->address, memory->length, held->seed, &first)) {
        worker->result.foreign++;
    }
    transfer(worker, PCM_EX_VERIFY, held, &direction);
    worker->result.verified += direction.done - direction.mismatches;
    worker->result.mismatched += direction.mismatches != 0;
}

static void give_back(struct worker *worker, struct held *held)
{
    check(worker, held);
    buffer_close(&held->buffer);
    worker->result.freed++;
}

/* A limit that the machine can always meet, whatever the others hold. */
static ULONGLONG random_limit(struct worker *worker)
{
    static const ULONGLONG limits[] = { 1ull << 24, 1ull << 32, 0x2345678, 0x9abcdef };
    ULONGLONG which = random_below(worker, 2 * sizeof(limits) / sizeof(limits[0]));

    return which < sizeof(limits) / sizeof(limits[0]) ? limits[which] : 0;
}

static void take(struct worker *worker, struct held *held)
{
    const struct pcm_stress *request = &worker->stress->request;
    struct pcm_allocate allocate = {
        .allocator = request->allocator,
        .length = 1 + (ULONG)random_below(worker, request->length),
        .node = random_below(worker, 2) ? PCM_ANY_NODE
                                        : (ULONG)random_below(worker, request->nodes),
    };

    if (request->allocator == PCM_ALLOCATE_COMMON_BUFFER_EX) {
        allocate.maximum = random_limit(worker);
        allocate.flags = (allocate.maximum ? PCM_ALLOCATE_HAS_MAXIMUM : 0) |
                         (random_below(worker, 4) ? PCM_ALLOCATE_CACHED : 0);
    }
    held->last = allocate.maximum ? allocate.maximum - 1 : ~0ull;
    if (!NT_SUCCESS(buffer_open(worker->stress->adapter, &allocate, &held->buffer)) ||
        !held->buffer.memory.address) {
        held->buffer.memory.address = NULL;
        worker->result.refused++;
        return;
    }
    worker->result.allocated++;
    if (held->buffer.memory.logical + allocate.length - 1 > held->last ||
        held->buffer.memory.logical % PAGE_SIZE) {
        worker->result.misplaced++;
    }
    if (count_nonzero(held->buffer.memory.address, allocate.length)) {
        worker->result.unclean++;
    }
    fill(worker, held);
}

static void work(struct worker *worker)
{
    ULONG round, slot;

    for (round = 0; round < worker->stress->request.rounds; round++) {
        struct held *held = &worker->held[random_below(worker, SLOTS_MAX)];

        if (held->buffer.memory.address) {
            give_back(worker, held);
        }
        take(worker, held);
    }
    for (slot = 0; slot < SLOTS_MAX; slot++) {
        if (worker->held[slot].buffer.memory.address) {
            give_back(worker, &worker->held[slot]);
        }
    }
}

/* Nobody begins before all are there. */
static VOID NTAPI thread(PVOID context)
{
    struct worker *worker = context;
    struct stress *stress = worker->stress;
    ULONG before;

    KeSetSystemAffinityThreadEx((KAFFINITY)1 << worker->number);
    if (InterlockedIncrement(&stress->arrived) == (LONG)stress->workers) {
        KeSetEvent(&stress->begin, IO_NO_INCREMENT, FALSE);
    }
    KeWaitForSingleObject(&stress->begin, Executive, KernelMode, FALSE, NULL);
    before = KeGetCurrentProcessorNumberEx(NULL);
    work(worker);
    worker->result.processors = before == worker->number &&
                                KeGetCurrentProcessorNumberEx(NULL) == worker->number;
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static NTSTATUS start(struct worker *worker)
{
    HANDLE handle;
    NTSTATUS status = PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, thread, worker);

    if (NT_SUCCESS(status)) {
        status = ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, NULL, KernelMode, &worker->thread,
                                           NULL);
        ZwClose(handle);
    }
    return status;
}

static void add(struct pcm_stressed *to, const struct pcm_stressed *from)
{
    to->processors += from->processors;
    to->allocated += from->allocated;
    to->freed += from->freed;
    to->refused += from->refused;
    to->misplaced += from->misplaced;
    to->unclean += from->unclean;
    to->foreign += from->foreign;
    to->mismatched += from->mismatched;
    to->refused_dma += from->refused_dma;
    to->timed_out += from->timed_out;
    to->filled += from->filled;
    to->verified += from->verified;
}

/* A thread that could not be started is one that need not be waited for. */
static NTSTATUS run(struct stress *stress, struct pcm_stressed *reply)
{
    NTSTATUS status = STATUS_SUCCESS;
    ULONG i;

    for (i = 0; i < stress->workers; i++) {
        stress->worker[i].stress = stress;
        stress->worker[i].number = i;
        stress->worker[i].random = stress->request.seed + i + 1;
        if (!NT_SUCCESS(start(&stress->worker[i]))) {
            status = STATUS_INSUFFICIENT_RESOURCES;
            if (InterlockedIncrement(&stress->arrived) == (LONG)stress->workers) {
                KeSetEvent(&stress->begin, IO_NO_INCREMENT, FALSE);
            }
        }
    }
    for (i = 0; i < stress->workers; i++) {
        if (stress->worker[i].thread) {
            KeWaitForSingleObject(stress->worker[i].thread, Executive, KernelMode, FALSE, NULL);
            ObDereferenceObject(stress->worker[i].thread);
            add(reply, &stress->worker[i].result);
        }
    }
    return status;
}

NTSTATUS control_stress(struct device *device, struct file *file, PVOID data)
{
    struct pcm_stress request = *(struct pcm_stress *)data;
    struct pcm_stressed *reply = data;
    struct adapter *adapter = (struct adapter *)handle_find(file, request.adapter, OBJECT_ADAPTER);
    struct rules before;
    struct pcm_record first;
    struct stress *stress;
    NTSTATUS status;

    if (device->streaming) {
        return STATUS_DEVICE_BUSY;
    }
    if (!adapter) {
        return STATUS_INVALID_HANDLE;
    }
    if (!request.length || !request.nodes || request.allocator > PCM_ALLOCATE_COMMON_BUFFER_EX) {
        return STATUS_INVALID_PARAMETER;
    }
    stress = pool_allocate(sizeof(*stress));
    if (!stress) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    stress->device = device;
    stress->adapter = adapter;
    stress->request = request;
    stress->workers = KeQueryActiveProcessorCount(NULL);
    KeInitializeEvent(&stress->begin, NotificationEvent, FALSE);
    KeInitializeEvent(&stress->dma, SynchronizationEvent, TRUE);
    rules_get(device, &before);
    RtlZeroMemory(reply, sizeof(*reply));
    status = run(stress, reply);
    rules_set(device, &before);
    reply->records = log_take(device, &first);
    ExFreePoolWithTag(stress, PCM_POOL_TAG);
    return status;
}
