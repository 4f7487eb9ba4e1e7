/* SPDX-License-Identifier: MIT */
/* pcmaster.sys: the rules, the violation log, and real DMA over a buffer */
#include "pcmaster.h"

#include "pcmaster_pattern.h"

/* No command of the exerciser takes longer on any host that is alive. */
#define EXERCISER_TIMEOUT_MS        10000

/* The window that control_transfer declares. */
#define TRANSFER_WINDOW             0

void rules_get(struct device *device, struct rules *rules)
{
    rules->addr_bits = read32(device, PCM_ADDR_BITS);
    rules->node = read32(device, PCM_NODE);
    rules->policy = read32(device, PCM_POLICY);
    rules->limit = read64(device, PCM_LIMIT);
    rules->boundary = read64(device, PCM_BOUNDARY);
}

void rules_set(struct device *device, const struct rules *rules)
{
    write32(device, PCM_ADDR_BITS, rules->addr_bits);
    write32(device, PCM_NODE, rules->node);
    write32(device, PCM_POLICY, rules->policy);
    write64(device, PCM_LIMIT, rules->limit);
    write64(device, PCM_BOUNDARY, rules->boundary);
}

void window_open(struct device *device, ULONG window, ULONGLONG logical, ULONG length, ULONG access)
{
    write32(device, PCM_WINDOW(window) + PCM_W_CTRL, 0);
    write64(device, PCM_WINDOW(window) + PCM_W_FIRST, logical);
    write64(device, PCM_WINDOW(window) + PCM_W_LAST, logical + length - 1);
    write32(device, PCM_WINDOW(window) + PCM_W_CTRL, PCM_W_ENABLE | access);
}

void window_close(struct device *device, ULONG window)
{
    write32(device, PCM_WINDOW(window) + PCM_W_CTRL, 0);
    write64(device, PCM_WINDOW(window) + PCM_W_FIRST, 0);
    write64(device, PCM_WINDOW(window) + PCM_W_LAST, 0);
}

static void record_read(struct device *device, ULONG info, struct pcm_record *record)
{
    record->rule = PCM_LOG_RULE(info);
    record->requester = PCM_LOG_REQUESTER(info);
    record->write = !!(info & PCM_LOG_WRITE);
    record->policy = PCM_LOG_POLICY(info);
    record->length = read32(device, PCM_LOG_LENGTH);
    record->sequence = read32(device, PCM_LOG_SEQUENCE);
    record->address = read64(device, PCM_LOG_ADDR);
    record->expected = read64(device, PCM_LOG_EXPECTED);
    record->actual = read64(device, PCM_LOG_ACTUAL);
    record->fault = read64(device, PCM_LOG_FAULT);
    record->landed = read64(device, PCM_LOG_LANDED);
    record->time = read64(device, PCM_LOG_TIME);
}

ULONG log_take(struct device *device, struct pcm_record *first)
{
    ULONG info, count;

    RtlZeroMemory(first, sizeof(*first));
    info = read32(device, PCM_LOG_INFO);
    if (!(info & PCM_LOG_VALID)) {
        return 0;
    }
    record_read(device, info, first);
    count = read32(device, PCM_LOG_COUNT) + read32(device, PCM_LOG_LOST);
    write32(device, PCM_LOG_CTRL, PCM_LOG_CLEAR);
    return count;
}

static void result_read(struct device *device, struct pcm_direction *result)
{
    ULONG nodes = read32(device, PCM_NODE_COUNT), node;

    result->result = PCM_EX_RESULT(read32(device, PCM_EX_STATUS));
    result->done = read32(device, PCM_EX_DONE);
    result->nodeless = read32(device, PCM_EX_NODELESS);
    for (node = 0; node < nodes && node < PCM_NODES; node++) {
        result->node_bytes[node] = read64(device, PCM_NODE_BYTES(node));
    }
}

NTSTATUS exerciser_run(struct device *device, ULONG command, ULONGLONG logical, ULONG length,
                       ULONGLONG seed, struct pcm_direction *result)
{
    RtlZeroMemory(result, sizeof(*result));
    result->first_mismatch = PCM_PATTERN_SAME;
    KeClearEvent(&device->exerciser_done);
    write64(device, PCM_EX_ADDR, logical);
    write32(device, PCM_EX_LENGTH, length);
    write64(device, PCM_EX_SEED, seed);
    write32(device, PCM_EX_COMMAND, command);
    if (!interrupt_wait(&device->exerciser_done, EXERCISER_TIMEOUT_MS)) {
        /* The buffer may be freed next: nothing must be under way. */
        hardware_reset(device);
        result->timed_out = 1;
        return STATUS_IO_TIMEOUT;
    }
    result_read(device, result);
    if (command == PCM_EX_VERIFY) {
        result->mismatches = read32(device, PCM_EX_MISMATCHES);
        if (result->mismatches) {
            result->first_mismatch = read32(device, PCM_EX_FIRST_MISMATCH);
        }
    }
    return STATUS_SUCCESS;
}

NTSTATUS control_facts(struct device *device, struct file *file, PVOID data)
{
    struct pcm_facts *facts = data;
    ULONG node;

    PCM_UNUSED(file);
    RtlZeroMemory(facts, sizeof(*facts));
    facts->device_version = read32(device, PCM_VERSION);
    facts->capabilities = read32(device, PCM_CAP);
    facts->capabilities2 = read32(device, PCM_CAP2);
    facts->node_count = read32(device, PCM_NODE_COUNT);
    facts->device_node = read32(device, PCM_DEVICE_NODE);
    facts->hw_addr_bits = read32(device, PCM_HW_ADDR_BITS);
    facts->hw_boundary = read64(device, PCM_HW_BOUNDARY);
    for (node = 0; node < PCM_NODES; node++) {
        facts->node_lowest[node] = node < facts->node_count ? read64(device, PCM_NODE_LOWEST(node))
                                                            : ~0ull;
    }
    return STATUS_SUCCESS;
}

/* FALSE: no such memory, or the range is not inside it. */
static BOOLEAN transfer_memory(struct file *file, const struct pcm_transfer *request,
                               struct memory *memory)
{
    struct object *object = handle_find(file, request->handle, OBJECT_BUFFER);

    if (object) {
        *memory = ((struct buffer *)object)->memory;
    } else if ((object = handle_find(file, request->handle, OBJECT_VECTOR))) {
        *memory = vector_memory((struct vector *)object);
    } else if ((object = handle_find(file, request->handle, OBJECT_CHANNEL))) {
        *memory = channel_memory(((struct channel *)object)->dma);
    } else {
        return FALSE;
    }
    if (!request->length || request->offset > memory->length ||
        request->length > memory->length - request->offset) {
        return FALSE;
    }
    if (request->directions & PCM_PHYSICAL) {
        memory->logical = physical_of(memory->address);
    }
    memory->address += request->offset;
    memory->logical += request->offset;
    memory->length = request->length;
    return TRUE;
}

static void transfer_spoil(const struct pcm_transfer *request, const struct memory *memory)
{
    if (request->directions & PCM_SPOIL) {
        memory->address[request->spoiled] ^= 0xff;
    }
}

/* What the device must overwrite differs from its pattern in every byte. */
static NTSTATUS transfer_to_memory(struct device *device, const struct pcm_transfer *request,
                                   const struct memory *memory, struct pcm_direction *result)
{
    ULONGLONG seed = request->seed;
    NTSTATUS status;

    pcm_pattern_write(memory->address, memory->length, seed, ~0ull);
    status = exerciser_run(device, PCM_EX_FILL, memory->logical, memory->length, seed, result);
    if (NT_SUCCESS(status)) {
        transfer_spoil(request, memory);
        result->mismatches = pcm_pattern_compare(memory->address, memory->length, seed,
                                                 &result->first_mismatch);
    }
    return status;
}

static NTSTATUS transfer_from_memory(struct device *device, const struct pcm_transfer *request,
                                     const struct memory *memory, struct pcm_direction *result)
{
    ULONGLONG seed = ~request->seed;

    pcm_pattern_write(memory->address, memory->length, seed, 0);
    transfer_spoil(request, memory);
    return exerciser_run(device, PCM_EX_VERIFY, memory->logical, memory->length, seed, result);
}

static void transfer_both(struct device *device, const struct pcm_transfer *request,
                          const struct memory *memory, struct pcm_transferred *reply)
{
    NTSTATUS status = STATUS_SUCCESS;

    if (request->directions & PCM_TO_MEMORY) {
        status = transfer_to_memory(device, request, memory, &reply->to_memory);
    }
    if (NT_SUCCESS(status) && (request->directions & PCM_FROM_MEMORY)) {
        transfer_from_memory(device, request, memory, &reply->from_memory);
    }
}

NTSTATUS control_transfer(struct device *device, struct file *file, PVOID data)
{
    struct pcm_transfer request = *(struct pcm_transfer *)data;
    struct pcm_transferred *reply = data;
    struct rules before, rules;
    struct memory memory;

    if (device->streaming) {
        return STATUS_DEVICE_BUSY;
    }
    if (!transfer_memory(file, &request, &memory) || request.window_short >= memory.length ||
        ((request.directions & PCM_SPOIL) && request.spoiled >= memory.length)) {
        return STATUS_INVALID_PARAMETER;
    }
    RtlZeroMemory(reply, sizeof(*reply));
    rules_get(device, &before);
    rules.addr_bits = request.addr_bits;
    rules.node = request.node;
    rules.policy = 0;
    rules.limit = request.limit;
    rules.boundary = request.boundary;
    rules_set(device, &rules);
    window_open(device, TRANSFER_WINDOW, memory.logical, memory.length - request.window_short,
                PCM_W_READ | PCM_W_WRITE);
    transfer_both(device, &request, &memory, reply);
    window_close(device, TRANSFER_WINDOW);
    rules_set(device, &before);
    reply->records = log_take(device, &reply->first);
    return STATUS_SUCCESS;
}
