/* SPDX-License-Identifier: MIT */
/* violation.sys: against the rules of adapters and common buffers */
#include "violation.h"

#include "portcls_dma.h"

static DEVICE_DESCRIPTION3 master(void)
{
    return (DEVICE_DESCRIPTION3){
        .Version = DEVICE_DESCRIPTION_VERSION3,
        .Master = TRUE,
        .InterfaceType = PCIBus,
        .MaximumLength = 0x10000,
        .DmaAddressWidth = 32,
    };
}

/* A bus master of no particular device may have an adapter without a PDO. */
PDMA_ADAPTER adapter_new(void)
{
    DEVICE_DESCRIPTION3 description = master();
    ULONG registers;
    PDMA_ADAPTER adapter = IoGetDmaAdapter(NULL, (PDEVICE_DESCRIPTION)&description, &registers);

    if (!adapter) {
        KeBugCheck(MANUALLY_INITIATED_CRASH);
    }
    return adapter;
}

struct buffer buffer_new(void)
{
    struct buffer buffer = { .adapter = adapter_new() };

    buffer.call = (PDMA_OPERATIONS3)buffer.adapter->DmaOperations;
    buffer.address = buffer.call->AllocateCommonBufferEx(
        buffer.adapter, NULL, BUFFER_LENGTH, &buffer.logical, TRUE, MM_ANY_NODE_OK);
    if (!buffer.address) {
        KeBugCheck(MANUALLY_INITIATED_CRASH);
    }
    return buffer;
}

void buffer_free(const struct buffer *buffer)
{
    buffer->call->FreeCommonBuffer(buffer->adapter, BUFFER_LENGTH, buffer->logical,
                                   buffer->address, TRUE);
}

static void free_wrong_length(PDRIVER_OBJECT driver)
{
    struct buffer b = buffer_new();

    (void)driver;
    b.call->FreeCommonBuffer(b.adapter, BUFFER_LENGTH - 1, b.logical, b.address, TRUE);
}

static void free_wrong_logical(PDRIVER_OBJECT driver)
{
    struct buffer b = buffer_new();

    (void)driver;
    b.logical.QuadPart += PAGE_SIZE;
    buffer_free(&b);
}

static void free_wrong_virtual(PDRIVER_OBJECT driver)
{
    struct buffer b = buffer_new();

    (void)driver;
    b.address += PAGE_SIZE;
    buffer_free(&b);
}

static void free_wrong_cache(PDRIVER_OBJECT driver)
{
    struct buffer b = buffer_new();

    (void)driver;
    b.call->FreeCommonBuffer(b.adapter, BUFFER_LENGTH, b.logical, b.address, FALSE);
}

static void free_twice(PDRIVER_OBJECT driver)
{
    struct buffer b = buffer_new();

    (void)driver;
    buffer_free(&b);
    buffer_free(&b);
}

static void free_other_adapter(PDRIVER_OBJECT driver)
{
    struct buffer b = buffer_new();

    (void)driver;
    b.adapter = adapter_new();
    buffer_free(&b);
}

static void put_live(PDRIVER_OBJECT driver)
{
    struct buffer b = buffer_new();

    (void)driver;
    b.call->PutDmaAdapter(b.adapter);
}

static void put_twice(PDRIVER_OBJECT driver)
{
    PDMA_ADAPTER adapter = adapter_new();
    PDMA_OPERATIONS call = adapter->DmaOperations;

    (void)driver;
    call->PutDmaAdapter(adapter);
    call->PutDmaAdapter(adapter);
}

static void never_put(PDRIVER_OBJECT driver)
{
    (void)driver;
    adapter_new();
}

static void put_null(PDRIVER_OBJECT driver)
{
    PDMA_ADAPTER adapter = adapter_new();

    (void)driver;
    adapter->DmaOperations->PutDmaAdapter(NULL);
}

static void allocate_at_dispatch(PDRIVER_OBJECT driver)
{
    struct buffer b = buffer_new();

    (void)driver;
    KfRaiseIrql(DISPATCH_LEVEL);
    b.call->AllocateCommonBuffer(b.adapter, PAGE_SIZE, &b.logical, TRUE);
}

/* Of the driver's own device, whose stack stands on the PDO. */
static IDmaChannel *channel_new(void)
{
    DEVICE_DESCRIPTION3 description = master();
    PDEVICE_OBJECT device;
    PFILE_OBJECT file;
    UNICODE_STRING name;
    PDMACHANNEL channel;

    RtlInitUnicodeString(&name, L"\\Device\\pcmaster");
    if (!NT_SUCCESS(IoGetDeviceObjectPointer(&name, FILE_ALL_ACCESS, &file, &device)) ||
        !NT_SUCCESS(PcNewDmaChannel(&channel, NULL, NonPagedPool,
                                    (PDEVICE_DESCRIPTION)&description, device))) {
        KeBugCheck(MANUALLY_INITIATED_CRASH);
    }
    return channel;
}

static void channel_at_dispatch(PDRIVER_OBJECT driver)
{
    IDmaChannel *channel = channel_new();

    (void)driver;
    KfRaiseIrql(DISPATCH_LEVEL);
    channel->lpVtbl->AllocateBuffer(channel, PAGE_SIZE, NULL);
}

static void free_at_dispatch(PDRIVER_OBJECT driver)
{
    struct buffer b = buffer_new();

    (void)driver;
    KfRaiseIrql(DISPATCH_LEVEL);
    buffer_free(&b);
}

static void adapter_at_dispatch(PDRIVER_OBJECT driver)
{
    (void)driver;
    KfRaiseIrql(DISPATCH_LEVEL);
    adapter_new();
}

static void unsupported_member(PDRIVER_OBJECT driver)
{
    PDMA_ADAPTER adapter = adapter_new();

    (void)driver;
    adapter->DmaOperations->ReadDmaCounter(adapter);
}

const struct violation dma_violations[] = {
    { "free-wrong-length", free_wrong_length },
    { "free-wrong-logical", free_wrong_logical },
    { "free-wrong-virtual", free_wrong_virtual },
    { "free-wrong-cache", free_wrong_cache },
    { "free-twice", free_twice },
    { "free-other-adapter", free_other_adapter },
    { "free-at-dispatch", free_at_dispatch },
    { "put-live", put_live },
    { "put-twice", put_twice },
    { "never-put", never_put },
    { "put-null", put_null },
    { "allocate-at-dispatch", allocate_at_dispatch },
    { "channel-at-dispatch", channel_at_dispatch },
    { "adapter-at-dispatch", adapter_at_dispatch },
    { "unsupported-member", unsupported_member },
    { NULL, NULL },
};
