/* SPDX-License-Identifier: MIT */
/*
 * pcmaster-faulty.sys: mistakes that drivers make
 *
 * Each one gives a real buffer to the device in the wrong way, and first puts
 * innocent memory where a card without checks would write.  The device does
 * the DMA; afterwards the CPU says what it did to both.  The innocent memory
 * is asked for by physical address, so without an IOMMU only is it the
 * device's, too.
 */
#include "faults.h"

#include "pcmaster_pattern.h"

#define FAULT_WINDOW                2
#define BYSTANDER_WINDOW            3
#define BLOCK                       0x10000u

/* The most address lines of the card, in prepare_limit and in prepare_end_of_range. */
#define CARD_BITS_MOST              32u
#define CARD_BITS_ISA               24u

struct buffer *take_buffer(struct fault_run *run, ULONGLONG maximum, ULONG length, ULONG node)
{
    struct pcm_allocate request = { .allocator = PCM_ALLOCATE_COMMON_BUFFER_EX, .length = length,
                                    .flags = PCM_ALLOCATE_CACHED, .node = node, .maximum = maximum };
    struct buffer *buffer = &run->buffers[run->count];

    if (maximum != ANYWHERE) {
        request.flags |= PCM_ALLOCATE_HAS_MAXIMUM;
    }
    if (run->count == FAULT_CANDIDATES || !NT_SUCCESS(buffer_open(&run->adapter, &request, buffer))) {
        return NULL;
    }
    run->count++;
    return buffer;
}

BOOLEAN claim(struct fault_run *run, ULONGLONG physical, ULONG length)
{
    PHYSICAL_ADDRESS first, last, boundary;

    first.QuadPart = (LONGLONG)physical;
    last.QuadPart = (LONGLONG)(physical + length - 1);
    boundary.QuadPart = 0;
    run->claimed = MmAllocateContiguousMemorySpecifyCache(length, first, last, boundary, MmCached);
    if (!run->claimed) {
        return FALSE;
    }
    run->victim.address = run->claimed;
    run->victim.logical = physical;
    run->victim.length = length;
    return TRUE;
}

static struct memory part_of(const struct memory *memory, ULONGLONG logical, ULONG length)
{
    struct memory part = { memory->address + (logical - memory->logical), logical, length };

    return part;
}

static void transfer_is(struct fault_run *run, ULONGLONG address, ULONG length)
{
    run->result->address = address;
    run->result->length = length;
}

/* Allocates without a limit, for a card that lacks address lines. */
static NTSTATUS prepare_limit(struct fault_run *run)
{
    ULONG most = min(read32(run->device, PCM_HW_ADDR_BITS), CARD_BITS_MOST), bits;
    struct buffer *buffer;

    while ((buffer = take_buffer(run, ANYWHERE, PAGE_SIZE, MM_ANY_NODE_OK))) {
        for (bits = most; bits >= PCM_ADDR_BITS_MIN; bits--) {
            ULONGLONG wrapped = buffer->memory.logical & ((1ull << bits) - 1);

            if (wrapped != buffer->memory.logical && claim(run, wrapped, PAGE_SIZE)) {
                run->rules.addr_bits = bits;
                run->target = buffer->memory;
                transfer_is(run, buffer->memory.logical, PAGE_SIZE);
                return STATUS_SUCCESS;
            }
        }
    }
    return STATUS_INSUFFICIENT_RESOURCES;
}

/* Ignores that the card's address counter wraps every 64 KB. */
static NTSTATUS prepare_boundary(struct fault_run *run)
{
    struct buffer *buffer = take_buffer(run, ANYWHERE, 3 * BLOCK, MM_ANY_NODE_OK);
    ULONGLONG block;

    if (!buffer) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    block = (buffer->memory.logical + BLOCK - 1) & ~(BLOCK - 1ull);
    run->rules.boundary = BLOCK - 1;
    run->target = part_of(&buffer->memory, block + BLOCK - PAGE_SIZE, 2 * PAGE_SIZE);
    run->victim = part_of(&buffer->memory, block, PAGE_SIZE);
    run->victim_offset = PAGE_SIZE;
    transfer_is(run, run->target.logical, run->target.length);
    return STATUS_SUCCESS;
}

/* Prefers another node than the one the device is on. */
static NTSTATUS prepare_node(struct fault_run *run)
{
    ULONG nodes = read32(run->device, PCM_NODE_COUNT);
    ULONG home = read32(run->device, PCM_DEVICE_NODE);
    ULONG other;
    struct buffer *buffer;

    if (home >= nodes) {
        home = 0;
    }
    for (other = 0; other < nodes; other++) {
        if (other != home && read64(run->device, PCM_NODE_LOWEST(other)) != ~0ull) {
            break;
        }
    }
    if (other >= nodes) {
        return STATUS_NOT_SUPPORTED;
    }
    buffer = take_buffer(run, ANYWHERE, PAGE_SIZE, other);
    if (!buffer) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    run->rules.node = home;
    run->target = buffer->memory;
    transfer_is(run, buffer->memory.logical, PAGE_SIZE);
    return STATUS_SUCCESS;
}

/* Programs more bytes than the buffer has. */
static NTSTATUS prepare_overrun(struct fault_run *run)
{
    struct buffer *buffer = take_buffer(run, ANYWHERE, 2 * PAGE_SIZE, MM_ANY_NODE_OK);

    if (!buffer) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    run->target = part_of(&buffer->memory, buffer->memory.logical, PAGE_SIZE);
    run->victim = part_of(&buffer->memory, buffer->memory.logical + PAGE_SIZE, PAGE_SIZE);
    run->victim_offset = PAGE_SIZE;
    window_open(run->device, FAULT_WINDOW, run->target.logical, PAGE_SIZE, PCM_W_READ | PCM_W_WRITE);
    transfer_is(run, run->target.logical, PAGE_SIZE + PAGE_SIZE / 16);
    return STATUS_SUCCESS;
}

/* Frees a buffer that the device still has the address of. */
static NTSTATUS prepare_use_after_free(struct fault_run *run)
{
    struct buffer *bystander = take_buffer(run, ANYWHERE, PAGE_SIZE, MM_ANY_NODE_OK);
    struct buffer *buffer;

    if (!bystander) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    window_open(run->device, BYSTANDER_WINDOW, bystander->memory.logical, PAGE_SIZE,
                PCM_W_READ | PCM_W_WRITE);
    while ((buffer = take_buffer(run, ANYWHERE, PAGE_SIZE, MM_ANY_NODE_OK))) {
        window_open(run->device, FAULT_WINDOW, buffer->memory.logical, PAGE_SIZE,
                    PCM_W_READ | PCM_W_WRITE);
        transfer_is(run, buffer->memory.logical, PAGE_SIZE);
        window_close(run->device, FAULT_WINDOW);
        buffer_close(buffer);
        run->count--;
        if (claim(run, run->result->address, PAGE_SIZE)) {
            return STATUS_SUCCESS;
        }
        if (!take_buffer(run, ANYWHERE, PAGE_SIZE, MM_ANY_NODE_OK)) {
            break;
        }
    }
    return STATUS_INSUFFICIENT_RESOURCES;
}

/* Looks only at the start of a buffer whose end the card cannot reach. */
static NTSTATUS prepare_end_of_range(struct fault_run *run)
{
    ULONG bits = min(read32(run->device, PCM_HW_ADDR_BITS), CARD_BITS_ISA);
    ULONGLONG reach = 1ull << bits;
    struct buffer *buffer;

    do {
        buffer = take_buffer(run, reach + BLOCK / 2, BLOCK, MM_ANY_NODE_OK);
        if (!buffer) {
            return STATUS_INSUFFICIENT_RESOURCES;
        }
    } while (buffer->memory.logical >= reach || buffer->memory.logical + BLOCK <= reach);
    if (!claim(run, 0, PAGE_SIZE)) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    run->rules.addr_bits = bits;
    run->target = part_of(&buffer->memory, reach - PAGE_SIZE, 2 * PAGE_SIZE);
    run->victim_offset = PAGE_SIZE;
    transfer_is(run, run->target.logical, run->target.length);
    return STATUS_SUCCESS;
}

static NTSTATUS (*const prepare[PCM_FAULT_COUNT])(struct fault_run *run) = {
    [PCM_FAULT_LIMIT] = prepare_limit,
    [PCM_FAULT_BOUNDARY] = prepare_boundary,
    [PCM_FAULT_NODE] = prepare_node,
    [PCM_FAULT_OVERRUN] = prepare_overrun,
    [PCM_FAULT_USE_AFTER_FREE] = prepare_use_after_free,
    [PCM_FAULT_END_OF_RANGE] = prepare_end_of_range,
    [PCM_FAULT_STALE_MAPPING] = prepare_stale_mapping,
    [PCM_FAULT_PHYSICAL_ADDRESS] = prepare_physical_address,
};

/* The pattern's seed as if its byte OFFSET, a multiple of 8, were the first. */
static ULONGLONG seed_at(ULONG offset)
{
    return pcm_pattern_word(FAULT_SEED, offset / 8);
}

/* Afterwards every byte differs from what the device would put there. */
static void memory_prepare(const struct memory *memory, ULONG offset)
{
    pcm_pattern_write(memory->address, memory->length, seed_at(offset), ~0ull);
}

static void memory_judge(const struct memory *memory, ULONG offset, struct pcm_damage *damage)
{
    uint32_t first;
    ULONG i;

    damage->logical = memory->logical;
    damage->length = memory->length;
    damage->data_offset = offset;
    damage->data = memory->length -
                   pcm_pattern_compare(memory->address, memory->length, seed_at(offset), &first);
    for (i = 0; i < memory->length; i++) {
        damage->changed += memory->address[i] != (UCHAR)~pcm_pattern_byte(FAULT_SEED, offset + i);
    }
}

/* DMA, from preparing the memory to looking at it. */
static NTSTATUS fault_transfer(struct fault_run *run)
{
    struct pcm_fault_result *result = run->result;
    struct pcm_direction outcome;
    struct rules before;
    NTSTATUS status;

    memory_prepare(&run->target, 0);
    if (run->victim.length) {
        memory_prepare(&run->victim, run->victim_offset);
    }
    rules_get(run->device, &before);
    rules_set(run->device, &run->rules);
    status = exerciser_run(run->device, PCM_EX_FILL, result->address, result->length, FAULT_SEED,
                           &outcome);
    rules_set(run->device, &before);
    result->records = log_take(run->device, &result->record);
    result->result = outcome.result;
    result->done = outcome.done;
    memory_judge(&run->target, 0, &result->target);
    memory_judge(&run->victim, run->victim_offset, &result->victim);
    return status;
}

/* What the device was told, for the client to judge the record by. */
static void facts_write(struct fault_run *run)
{
    struct pcm_fault_result *result = run->result;
    ULONG window = PCM_WINDOW(FAULT_WINDOW);

    result->addr_bits = run->rules.addr_bits;
    result->limit = run->rules.limit;
    result->boundary = run->rules.boundary;
    result->node = run->rules.node;
    if (!(read32(run->device, window + PCM_W_CTRL) & PCM_W_ENABLE)) {
        window = PCM_WINDOW(BYSTANDER_WINDOW);
    }
    if (read32(run->device, window + PCM_W_CTRL) & PCM_W_ENABLE) {
        result->window_first = read64(run->device, window + PCM_W_FIRST);
        result->window_last = read64(run->device, window + PCM_W_LAST);
    } else {
        result->window_first = ~0ull;
    }
}

static void fault_clean_up(struct fault_run *run)
{
    window_close(run->device, FAULT_WINDOW);
    window_close(run->device, BYSTANDER_WINDOW);
    if (run->claimed) {
        MmFreeContiguousMemory(run->claimed);
    }
    while (run->count) {
        buffer_close(&run->buffers[--run->count]);
    }
    adapter_close(&run->adapter);
}

static NTSTATUS fault_run(struct device *device, const struct pcm_fault *request,
                          struct pcm_fault_result *result, struct fault_run *run)
{
    struct pcm_description card = { .version = DEVICE_DESCRIPTION_VERSION3,
                                    .address_width = read32(device, PCM_HW_ADDR_BITS),
                                    .maximum_length = 4 * BLOCK };
    ULONG map_registers, rule;

    if (request->fault == PCM_FAULT_LIMIT || request->fault == PCM_FAULT_END_OF_RANGE) {
        card.address_width = 64;        /* the mistake begins with the description */
    }

    run->device = device;
    run->result = result;
    rules_get(device, &run->rules);
    run->rules.policy = 0;
    for (rule = 0; rule < PCM_RULE_COUNT; rule++) {
        run->rules.policy |= request->policy << PCM_POLICY_SHIFT(rule);
    }
    adapter_open(device, &run->adapter, &card, &map_registers);
    if (!run->adapter.dma) {
        return STATUS_NOT_SUPPORTED;
    }
    result->status = (uint32_t)prepare[request->fault](run);
    if (NT_SUCCESS((NTSTATUS)result->status)) {
        facts_write(run);
        result->status = (uint32_t)fault_transfer(run);
    }
    fault_clean_up(run);
    return STATUS_SUCCESS;
}

NTSTATUS control_fault(struct device *device, struct file *file, PVOID data)
{
    struct pcm_fault request = *(struct pcm_fault *)data;
    struct pcm_fault_result *result = data;
    struct fault_run *run;
    NTSTATUS status;

    PCM_UNUSED(file);
    if (request.fault >= PCM_FAULT_COUNT || request.policy > PCM_POLICY_RECORD || device->streaming) {
        return device->streaming ? STATUS_DEVICE_BUSY : STATUS_INVALID_PARAMETER;
    }
    run = pool_allocate(sizeof(*run));
    if (!run) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(result, sizeof(*result));
    status = fault_run(device, &request, result, run);
    ExFreePoolWithTag(run, PCM_POOL_TAG);
    return status;
}
