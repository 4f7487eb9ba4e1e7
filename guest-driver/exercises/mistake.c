/* SPDX-License-Identifier: MIT */
/* Mistakes that the guest's verifier must stop */
#include "run.h"

const struct mistake mistake_table[] = {
    { "free-length", "free-length", "FreeCommonBuffer with another length than the allocation's",
      PCM_MISTAKE_FREE_LENGTH },
    { "free-logical", "free-logical", "FreeCommonBuffer with another logical address",
      PCM_MISTAKE_FREE_LOGICAL },
    { "free-cache", "free-cache", "FreeCommonBuffer with another cache flag",
      PCM_MISTAKE_FREE_CACHE },
    { "free-inside", "free-inside", "FreeCommonBuffer of an address that was aligned by hand",
      PCM_MISTAKE_FREE_INSIDE },
    { "free-foreign", "free-foreign", "FreeCommonBuffer with another adapter",
      PCM_MISTAKE_FREE_FOREIGN },
    { "free-unknown", "free-unknown", "FreeCommonBuffer of memory that is no common buffer",
      PCM_MISTAKE_FREE_UNKNOWN },
    { "free-twice", "free-twice", "FreeCommonBuffer called twice", PCM_MISTAKE_FREE_TWICE },
    { "free-behind", "free-behind", "A common buffer freed by MmFreeContiguousMemory",
      PCM_MISTAKE_FREE_BEHIND },
    { "put-live-buffer", "put-live-buffer", "PutDmaAdapter while a common buffer is alive",
      PCM_MISTAKE_PUT_LIVE_BUFFER },
    { "stale-adapter", "stale-adapter", "AllocateCommonBuffer with a released adapter",
      PCM_MISTAKE_STALE_ADAPTER },
    { "put-twice", "stale-adapter", "PutDmaAdapter called twice", PCM_MISTAKE_PUT_TWICE },
    { "null-adapter", "null-adapter", "PutDmaAdapter without an adapter",
      PCM_MISTAKE_NULL_ADAPTER },
    { "never-put", "never-put", "An adapter that is never released", PCM_MISTAKE_NEVER_PUT },
    { "irql-allocate", "irql", "AllocateCommonBuffer at DISPATCH_LEVEL",
      PCM_MISTAKE_IRQL_ALLOCATE },
    { "irql-adapter", "irql", "IoGetDmaAdapter at DISPATCH_LEVEL", PCM_MISTAKE_IRQL_ADAPTER },
    { "irql-free", "irql", "FreeCommonBuffer at DISPATCH_LEVEL", PCM_MISTAKE_IRQL_FREE },
    { "irql-put", "irql", "PutDmaAdapter above DISPATCH_LEVEL", PCM_MISTAKE_IRQL_PUT },
    { "irql-channel", "irql", "IDmaChannel::AllocateBuffer at DISPATCH_LEVEL",
      PCM_MISTAKE_IRQL_CHANNEL },
    { "write-before", "write-outside", "The processor writes before a common buffer",
      PCM_MISTAKE_WRITE_BEFORE },
    { "write-behind", "write-outside", "The processor writes behind a common buffer",
      PCM_MISTAKE_WRITE_BEHIND },
    { "read-behind", "write-outside", "The processor reads behind a common buffer",
      PCM_MISTAKE_READ_BEHIND },
    { "touch-freed", "touch-freed", "The processor writes to a freed common buffer",
      PCM_MISTAKE_TOUCH_FREED },
    { "irql-ex", "irql", "AllocateCommonBufferEx at DISPATCH_LEVEL", PCM_MISTAKE_IRQL_EX },
    { "irql-bounds", "irql", "AllocateCommonBufferWithBounds at DISPATCH_LEVEL",
      PCM_MISTAKE_IRQL_BOUNDS },
    { "irql-alignment", "irql", "GetDmaAlignment at DISPATCH_LEVEL", PCM_MISTAKE_IRQL_ALIGNMENT },
    { "irql-info", "irql", "GetDmaAdapterInfo above DISPATCH_LEVEL", PCM_MISTAKE_IRQL_INFO },
    { "irql-vector", "irql", "FreeCommonBufferVector at DISPATCH_LEVEL", PCM_MISTAKE_IRQL_VECTOR },
    { "free-element", "free-element", "FreeCommonBuffer of an element of a vector",
      PCM_MISTAKE_FREE_ELEMENT },
    { "vector-index", "vector-element", "An element behind the last one of a vector",
      PCM_MISTAKE_VECTOR_INDEX },
    { "vector-element-twice", "vector-element", "FreeCommonBufferFromVector called twice",
      PCM_MISTAKE_VECTOR_ELEMENT_TWICE },
    { "vector-foreign", "vector-unknown", "FreeCommonBufferVector with another adapter",
      PCM_MISTAKE_VECTOR_FOREIGN },
    { "vector-live", "put-live-buffer", "PutDmaAdapter while a vector is alive",
      PCM_MISTAKE_VECTOR_LIVE },
    { "write-padding", "write-outside", "The processor writes behind a common buffer, in its last page",
      PCM_MISTAKE_WRITE_PADDING },
    { "check-buffers", "write-outside", "The same, noticed when the driver has the buffers checked",
      PCM_MISTAKE_CHECK_BUFFERS },
    { "device-before", "write-outside", "The device writes before a common buffer",
      PCM_MISTAKE_DEVICE_BEFORE },
    { "device-behind", "write-outside", "The device writes behind a common buffer",
      PCM_MISTAKE_DEVICE_BEHIND },
    { "device-padding", "write-outside", "The device writes behind a common buffer, in its last page",
      PCM_MISTAKE_DEVICE_PADDING },
    { "channel-free-twice", "channel-free-twice", "FreeAdapterChannel called twice",
      PCM_MISTAKE_CHANNEL_FREE_TWICE },
    { "registers-unknown", "registers-unknown", "FreeMapRegisters called twice",
      PCM_MISTAKE_REGISTERS_UNKNOWN },
    { "registers-count", "registers-count", "FreeMapRegisters with another number of registers",
      PCM_MISTAKE_REGISTERS_COUNT },
    { "registers-mapped", "registers-mapped", "FreeMapRegisters without FlushAdapterBuffers",
      PCM_MISTAKE_REGISTERS_MAPPED },
    { "too-many-registers", "too-many-registers", "MapTransfer of more pages than there are map registers",
      PCM_MISTAKE_TOO_MANY_REGISTERS },
    { "list-unknown", "list-unknown", "PutScatterGatherList called twice",
      PCM_MISTAKE_LIST_UNKNOWN },
    { "put-live-channel", "put-live-channel", "PutDmaAdapter while an adapter channel is allocated",
      PCM_MISTAKE_PUT_LIVE_CHANNEL },
    { "put-live-registers", "put-live-registers", "PutDmaAdapter while map registers are allocated",
      PCM_MISTAKE_PUT_LIVE_REGISTERS },
    { "put-live-list", "put-live-list", "PutDmaAdapter while there is a scatter/gather list",
      PCM_MISTAKE_PUT_LIVE_LIST },
    { "put-waiting", "put-waiting", "PutDmaAdapter while a request for map registers waits",
      PCM_MISTAKE_PUT_WAITING },
    { "two-channels", "two-channels", "AllocateAdapterChannel while a request of the device waits",
      PCM_MISTAKE_TWO_CHANNELS },
    { "not-flushed", "not-flushed", "MapTransferEx without FlushAdapterBuffersEx before",
      PCM_MISTAKE_NOT_FLUSHED },
    { "flush-unmapped", "flush-unmapped", "FlushAdapterBuffers of more than was mapped",
      PCM_MISTAKE_FLUSH_UNMAPPED },
    { "outside-mdl", "outside-mdl", "MapTransfer of an address behind the MDL",
      PCM_MISTAKE_OUTSIDE_MDL },
    { "beyond-mdl", "beyond-mdl", "MapTransfer of more bytes than the MDL has",
      PCM_MISTAKE_BEYOND_MDL },
    { "length-zero", "length-zero", "MapTransfer of no bytes", PCM_MISTAKE_LENGTH_ZERO },
    { "direction", "direction", "FlushAdapterBuffers in the other direction",
      PCM_MISTAKE_DIRECTION },
    { "irql-list", "irql", "GetScatterGatherList at PASSIVE_LEVEL", PCM_MISTAKE_IRQL_LIST },
    { "list-direction", "direction", "PutScatterGatherList in the other direction",
      PCM_MISTAKE_LIST_DIRECTION },
    { "list-outside", "outside-mdl", "GetScatterGatherList of an address before the MDL",
      PCM_MISTAKE_LIST_OUTSIDE },
    { "map-freed", "registers-unknown", "MapTransfer with map registers that were freed",
      PCM_MISTAKE_MAP_FREED },
    { "result-limit", "result-limit", "AllocateCommonBufferEx gives a buffer above MaximumAddress",
      PCM_MISTAKE_RESULT_LIMIT },
    { "result-minimum", "result-minimum", "AllocateCommonBufferWithBounds gives a buffer below MinimumAddress",
      PCM_MISTAKE_RESULT_MINIMUM },
    { "result-boundary", "result-boundary", "IDmaChannel::AllocateBuffer gives a buffer across a boundary",
      PCM_MISTAKE_RESULT_BOUNDARY },
    { "result-alignment", "result-alignment", "AllocateCommonBufferEx gives a buffer that starts in mid-page",
      PCM_MISTAKE_RESULT_ALIGNMENT },
    { "result-scattered", "result-scattered", "AllocateCommonBufferEx gives another logical address than its pages have",
      PCM_MISTAKE_RESULT_SCATTERED },
    { "result-node", "result-node", "AllocateCommonBufferEx passes the preferred node over",
      PCM_MISTAKE_RESULT_NODE },
    { "result-overlap", "result-overlap", "AllocateCommonBufferEx gives memory that is another buffer's",
      PCM_MISTAKE_RESULT_OVERLAP },
    { NULL, NULL, NULL, 0 },
};

const struct mistake *mistake_find(const char *name)
{
    const struct mistake *mistake;

    for (mistake = mistake_table; mistake->name; mistake++) {
        if (text_equal(mistake->name, name)) {
            return mistake;
        }
    }
    return NULL;
}

/* What the verifier stops ends the run; the host knows which it must stop. */
void mistake_run(struct run *run, const struct mistake *mistake)
{
    struct pcm_mistake in = { .mistake = mistake->id };
    char room[40] = "";
    struct text name = TEXT(room);

    point_begin(run);
    text_add(&run->request, "%s", mistake->about);
    command(run, PCM_CMD_MISTAKE, &in, sizeof(in), NULL, 0);
    text_add(&name, "fault/%s", mistake->name);
    point_end(run, name.start, "not stopped so far");
}
