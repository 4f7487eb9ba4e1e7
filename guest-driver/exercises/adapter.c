/* SPDX-License-Identifier: MIT */
/* The exercises: IoGetDmaAdapter */
#include "run.h"

/*
 * DMA_OPERATIONS.Size by version of the description, and for version 3 by
 * platform.  A table may not reach into the next version's, whose end is known.
 */
static const struct size {
    uint32_t least;
    uint32_t most;
} sizes[] = { { 0x68, 0x80 }, { 0x68, 0x80 }, { 0x80, 0x80 } },
  sizes3[PLATFORMS] = { [WINDOWS_8] = { 0xe8, 0xe8 }, [WINDOWS_10] = { 0x118, 0xffffffff } };

static void check_table(struct run *run, uint32_t version, const struct pcm_adapter *adapter)
{
    const struct size *size = version == 3 ? &sizes3[run->platform] : &sizes[version];

    if (adapter->adapter_version != 1) {
        broken(run, "DMA_ADAPTER.Version is %u, not 1", adapter->adapter_version);
    }
    if (adapter->operations_size < size->least || adapter->operations_size > size->most) {
        broken(run, "DMA_OPERATIONS.Size is %u", adapter->operations_size);
    }
    if (adapter->null_members) {
        broken(run, "%u members of DMA_OPERATIONS are NULL", adapter->null_members);
    }
    if (adapter->has_allocate_ex != (version == 3)) {
        broken(run, "AllocateCommonBufferEx is %s", adapter->has_allocate_ex ? "there" : "missing");
    }
}

/* NULL for version 3 is how a driver learns that Windows 8's interface is not there. */
void exercise_adapter(struct run *run, const struct request *request)
{
    uint32_t version = request->legacy ? request->legacy - 1 : 3;
    bool there = version < 3 || run->platform >= WINDOWS_8;
    struct pcm_adapter adapter;

    if (!adapter_get(run, request, &adapter)) {
        return;
    }
    if (!adapter.handle != !there) {
        broken(run, "IoGetDmaAdapter returned %s", adapter.handle ? "an adapter, not NULL" : "NULL");
    }
    if (!adapter.handle) {
        text_add(&run->logical, "NULL");
        return;
    }
    text_add(&run->more, ",\"map_registers\":%u,\"operations_size\":%u,\"alignment\":%u",
             adapter.map_registers, adapter.operations_size, adapter.alignment);
    if (there) {
        check_table(run, version, &adapter);
    }
    if (!adapter.alignment || adapter.alignment & (adapter.alignment - 1)) {
        broken(run, "GetDmaAlignment is %u, no power of two", adapter.alignment);
    }
    if ((uint64_t)adapter.map_registers * PAGE_BYTES < request->length) {
        broken(run, "%u map registers do not cover MaximumLength", adapter.map_registers);
    }
    command_on(run, PCM_CMD_ADAPTER_PUT, adapter.handle);
}

void exercise_adapter_refused(struct run *run, const struct request *request)
{
    struct pcm_adapter adapter;

    if (adapter_get(run, request, &adapter) && adapter.handle) {
        broken(run, "IoGetDmaAdapter returned an adapter, not NULL");
        command_on(run, PCM_CMD_ADAPTER_PUT, adapter.handle);
    }
}

/* Several adapters of one device at once, each with its own reach. */
void exercise_adapters(struct run *run, const struct request *request)
{
    static const uint32_t widths[] = { 24, 32, 36, 64 };
    enum { COUNT = sizeof(widths) / sizeof(widths[0]) };
    uint32_t adapters[COUNT] = { 0 };
    struct pcm_allocated allocated[COUNT] = { { 0 } };
    struct request each[COUNT];
    uint32_t i;

    for (i = 0; i < COUNT && run->verdict == HELD; i++) {
        each[i] = *request;
        each[i].width = widths[i] < run->facts.hw_addr_bits ? widths[i] : run->facts.hw_addr_bits;
        adapters[i] = adapter_needed(run, &each[i]);
        if (adapters[i] && allocate(run, adapters[i], &each[i], true, &allocated[i]) &&
            !allocated[i].handle) {
            broken(run, "NULL was returned for %u bits", each[i].width);
        }
    }
    for (i = 0; i < COUNT; i++) {
        if (allocated[i].handle) {
            text_add(&run->logical, "%s%X", run->logical.used ? " " : "", allocated[i].logical);
            check_place(run, &each[i], allocated[i].logical);
            check_by_dma(run, &each[i], allocated[i].handle, PCM_NODE_ANY);
            command_on(run, PCM_CMD_FREE, allocated[i].handle);
        }
        if (adapters[i]) {
            command_on(run, PCM_CMD_ADAPTER_PUT, adapters[i]);
        }
    }
}

static bool info_get(struct run *run, uint32_t adapter, uint32_t version, struct pcm_adapter_info *info)
{
    struct pcm_adapter_query query = { .adapter = adapter, .version = version };

    return command(run, PCM_CMD_ADAPTER_INFO, &query, sizeof(query), info, sizeof(*info));
}

/* GetDmaAdapterInfo says what the adapter was made for. */
void exercise_info(struct run *run, const struct request *request)
{
    uint32_t adapter = adapter_needed(run, request);
    struct pcm_adapter_info info;

    if (!adapter) {
        return;
    }
    if (info_get(run, adapter, 1, &info)) {
        text_add(&run->more, ",\"scatter_gather_limit\":%u,\"minimum_unit\":%u",
                 info.scatter_gather_limit, info.minimum_unit);
        if (info.status || info.status_at_dispatch) {
            broken(run, "GetDmaAdapterInfo returned %X, and %X at DISPATCH_LEVEL",
                   (uint64_t)info.status, (uint64_t)info.status_at_dispatch);
        }
        if (info.address_width != request->width) {
            broken(run, "DmaAddressWidth is %u, not %u", info.address_width, request->width);
        }
        if (!info.scatter_gather_limit || !info.minimum_unit) {
            broken(run, "ScatterGatherLimit is %u, MinimumTransferUnit is %u", info.scatter_gather_limit,
                   info.minimum_unit);
        }
        if (info.read_counter) {
            broken(run, "a bus master's counter is said to be readable");
        }
    }
    command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
}

/* Versions of DMA_ADAPTER_INFO that no Windows has. */
void exercise_info_version(struct run *run, const struct request *request)
{
    static const uint32_t versions[] = { 0, 77, 0xffffffff };
    uint32_t adapter = adapter_needed(run, request), i;
    struct pcm_adapter_info info;

    for (i = 0; adapter && i < sizeof(versions) / sizeof(versions[0]); i++) {
        if (info_get(run, adapter, versions[i], &info) &&
            (info.status != PCM_STATUS_NOT_SUPPORTED ||
             info.status_at_dispatch != PCM_STATUS_NOT_SUPPORTED)) {
            broken(run, "GetDmaAdapterInfo returned %X for version %X", (uint64_t)info.status,
                   (uint64_t)versions[i]);
        }
    }
    if (adapter) {
        command_on(run, PCM_CMD_ADAPTER_PUT, adapter);
    }
}

/* An adapter joins its device's domain once, and leaves it once. */
void exercise_domain(struct run *run, const struct request *request)
{
    struct pcm_object object = { .handle = adapter_needed(run, request) };
    struct pcm_domain domain;

    if (!object.handle) {
        return;
    }
    if (command(run, PCM_CMD_ADAPTER_DOMAIN, &object, sizeof(object), &domain, sizeof(domain))) {
        const struct {
            const char *what;
            uint32_t status;
            uint32_t due;
        } calls[] = {
            { "LeaveDmaDomain before a join", domain.leave_first, PCM_STATUS_INVALID_DEVICE_STATE },
            { "JoinDmaDomain of what is none", domain.join_wrong, PCM_STATUS_INVALID_PARAMETER },
            { "JoinDmaDomain", domain.join, PCM_STATUS_SUCCESS },
            { "a second JoinDmaDomain", domain.join_again, PCM_STATUS_INVALID_DEVICE_STATE },
            { "LeaveDmaDomain", domain.leave, PCM_STATUS_SUCCESS },
        };
        uint32_t i;

        if (!domain.has_domain) {
            broken(run, "GetDmaDomain is NULL");
        }
        for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
            if (calls[i].status != calls[i].due) {
                broken(run, "%s returned %X, not %X", calls[i].what, (uint64_t)calls[i].status,
                       (uint64_t)calls[i].due);
            }
        }
    }
    command_on(run, PCM_CMD_ADAPTER_PUT, object.handle);
}
