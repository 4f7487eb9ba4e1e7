/* SPDX-License-Identifier: MIT */
/*
 * pcmaster-faulty.sys: mistakes that only an IOMMU can stop
 *
 * The device has no windows and no limit here: to all that it can check itself
 * the address is as good as any.
 */
#include "faults.h"

/* Right DMA to the buffer, so that all who cache a translation have it. */
static NTSTATUS use(struct fault_run *run, const struct memory *memory)
{
    struct pcm_direction outcome;
    NTSTATUS status = exerciser_run(run->device, PCM_EX_FILL, memory->logical, memory->length, FAULT_SEED,
                                    &outcome);

    if (NT_SUCCESS(status) && outcome.result != PCM_EX_OK) {
        return STATUS_UNSUCCESSFUL;
    }
    run->result->done_before += outcome.done;
    return status;
}

/*
 * Frees a buffer that the device still has the address of.  Its memory then
 * belongs to another, who must find nothing of the device's in it.
 */
NTSTATUS prepare_stale_mapping(struct fault_run *run)
{
    struct buffer *buffer = take_buffer(run, ANYWHERE, PAGE_SIZE, MM_ANY_NODE_OK);
    ULONGLONG logical, physical;
    NTSTATUS status;

    if (!buffer) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = use(run, &buffer->memory);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    logical = buffer->memory.logical;
    physical = physical_of(buffer->memory.address);
    buffer_close(buffer);
    run->count--;
    if (!claim(run, physical, PAGE_SIZE)) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    run->result->address = logical;
    run->result->length = PAGE_SIZE;
    return STATUS_SUCCESS;
}

/* Takes MmGetPhysicalAddress's word for what AllocateCommonBufferEx has said. */
NTSTATUS prepare_physical_address(struct fault_run *run)
{
    struct buffer *buffer = take_buffer(run, ANYWHERE, 2 * PAGE_SIZE, MM_ANY_NODE_OK);

    if (!buffer) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    run->victim = buffer->memory;
    run->result->address = physical_of(buffer->memory.address);
    run->result->length = buffer->memory.length;
    return STATUS_SUCCESS;
}
