/* SPDX-License-Identifier: MIT */
/* selftest.sys: IDmaChannel as an object */
#include "selftest.h"

#include <initguid.h>
#include "portcls_dma.h"

DEFINE_GUID(no_interface, 0x12345678, 0x1234, 0x5678, 1, 2, 3, 4, 5, 6, 7, 8);

static IDmaChannel *new_channel(void)
{
    DEVICE_DESCRIPTION3 description = master_description(32);
    PDEVICE_OBJECT pdo = device_pdo();
    PDMACHANNEL channel = NULL;

    if (pdo) {
        EXPECT_STATUS(PcNewDmaChannel(&channel, NULL, NonPagedPool,
                                      (PDEVICE_DESCRIPTION)&description, pdo), STATUS_SUCCESS);
        ObDereferenceObject(pdo);
    }
    return channel;
}

static void references(void)
{
    IDmaChannel *channel = new_channel();
    PVOID object = NULL;

    if (!channel) {
        return;
    }
    EXPECT_STATUS(channel->lpVtbl->QueryInterface(channel, &IID_IUnknown, &object),
                  STATUS_SUCCESS);
    EXPECT(object == channel);
    EXPECT_STATUS(channel->lpVtbl->QueryInterface(channel, &IID_IDmaChannel, &object),
                  STATUS_SUCCESS);
    EXPECT(object == channel);
    EXPECT_EQUAL(channel->lpVtbl->AddRef(channel), 4);
    EXPECT_EQUAL(channel->lpVtbl->Release(channel), 3);
    EXPECT(!NT_SUCCESS(channel->lpVtbl->QueryInterface(channel, &no_interface, &object)));
    EXPECT(object == NULL);
    EXPECT_EQUAL(channel->lpVtbl->Release(channel), 2);
    EXPECT_EQUAL(channel->lpVtbl->Release(channel), 1);
    EXPECT_EQUAL(channel->lpVtbl->Release(channel), 0);
}

/* The last Release frees the buffer. */
static void releases_buffer(void)
{
    IDmaChannel *channel = new_channel();
    PHYSICAL_ADDRESS logical;
    PVOID address;

    if (!channel) {
        return;
    }
    EXPECT_STATUS(channel->lpVtbl->AllocateBuffer(channel, 0x2000, NULL), STATUS_SUCCESS);
    address = channel->lpVtbl->SystemAddress(channel);
    channel->lpVtbl->PhysicalAddress(channel, &logical);
    expect_logical(address, logical.QuadPart);
    EXPECT_EQUAL(channel->lpVtbl->AddRef(channel), 2);
    EXPECT_EQUAL(channel->lpVtbl->Release(channel), 1);
    EXPECT(page_entry(address) != 0);
    EXPECT_EQUAL(channel->lpVtbl->Release(channel), 0);
    EXPECT_EQUAL(page_entry(address), 0);
}

static void copies(void)
{
    IDmaChannel *channel = new_channel();
    UCHAR data[100], back[100] = { 0 };
    PUCHAR buffer;

    if (!channel) {
        return;
    }
    for (ULONG i = 0; i < sizeof(data); i++) {
        data[i] = (UCHAR)(i * 7 + 1);
    }
    EXPECT_STATUS(channel->lpVtbl->AllocateBuffer(channel, PAGE_SIZE, NULL), STATUS_SUCCESS);
    buffer = channel->lpVtbl->SystemAddress(channel);
    channel->lpVtbl->CopyTo(channel, buffer + 10, data, sizeof(data));
    EXPECT_EQUAL(RtlCompareMemory(buffer + 10, data, sizeof(data)), sizeof(data));
    EXPECT(buffer[9] == 0 && buffer[110] == 0);
    channel->lpVtbl->CopyFrom(channel, back, buffer + 10, sizeof(back));
    EXPECT_EQUAL(RtlCompareMemory(back, data, sizeof(data)), sizeof(data));
    channel->lpVtbl->FreeBuffer(channel);
    EXPECT(channel->lpVtbl->SystemAddress(channel) == NULL);
    EXPECT_EQUAL(page_entry(buffer), 0);
    channel->lpVtbl->FreeBuffer(channel);
    channel->lpVtbl->Release(channel);
}

static void adapter_object(void)
{
    IDmaChannel *channel = new_channel();
    DMA_ADAPTER_INFO info = { .Version = DMA_ADAPTER_INFO_VERSION1 };
    PDMA_ADAPTER adapter;

    if (!channel) {
        return;
    }
    adapter = (PDMA_ADAPTER)channel->lpVtbl->GetAdapterObject(channel);
    EXPECT_STATUS(operations(adapter)->GetDmaAdapterInfo(adapter, &info), STATUS_SUCCESS);
    EXPECT_EQUAL(info.V1.DmaAddressWidth, 32);
    EXPECT_EQUAL(channel->lpVtbl->TransferCount(channel), 0);
    EXPECT_EQUAL(channel->lpVtbl->MaximumBufferSize(channel), 0x10000);
    channel->lpVtbl->Release(channel);
}

static void refused(void)
{
    DEVICE_DESCRIPTION3 description = master_description(32), wrong = master_description(65);
    PDEVICE_OBJECT pdo = device_pdo();
    PDMACHANNEL channel = NULL;

    if (!pdo) {
        return;
    }
    EXPECT_STATUS(PcNewDmaChannel(NULL, NULL, NonPagedPool, (PDEVICE_DESCRIPTION)&description,
                                  pdo), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(PcNewDmaChannel(&channel, NULL, NonPagedPool, NULL, pdo),
                  STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(PcNewDmaChannel(&channel, NULL, NonPagedPool,
                                  (PDEVICE_DESCRIPTION)&description, NULL),
                  STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(PcNewDmaChannel(&channel, NULL, PagedPool, (PDEVICE_DESCRIPTION)&description,
                                  pdo), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(PcNewDmaChannel(&channel, NULL, NonPagedPool, (PDEVICE_DESCRIPTION)&wrong,
                                  pdo), STATUS_DEVICE_CONFIGURATION_ERROR);
    EXPECT(channel == NULL);
    ObDereferenceObject(pdo);
}

/* The contents, too, are the first buffer's. */
static void second_call(void)
{
    IDmaChannel *channel = new_channel();
    PHYSICAL_ADDRESS constraint = { .QuadPart = 0xfff }, before, after;
    PUCHAR buffer;

    if (!channel) {
        return;
    }
    EXPECT_STATUS(channel->lpVtbl->AllocateBuffer(channel, PAGE_SIZE, &constraint), STATUS_SUCCESS);
    buffer = channel->lpVtbl->SystemAddress(channel);
    RtlFillMemory(buffer, PAGE_SIZE, 0xa5);
    channel->lpVtbl->SetBufferSize(channel, 77);
    channel->lpVtbl->PhysicalAddress(channel, &before);
    /* Checked before the size and the constraint. */
    EXPECT_STATUS(channel->lpVtbl->AllocateBuffer(channel, PAGE_SIZE, NULL), STATUS_INVALID_DEVICE_STATE);
    EXPECT_STATUS(channel->lpVtbl->AllocateBuffer(channel, 0, NULL), STATUS_INVALID_DEVICE_STATE);
    EXPECT_STATUS(channel->lpVtbl->AllocateBuffer(channel, MAXULONG, &constraint), STATUS_INVALID_DEVICE_STATE);
    channel->lpVtbl->PhysicalAddress(channel, &after);
    EXPECT(channel->lpVtbl->SystemAddress(channel) == buffer);
    EXPECT_EQUAL(after.QuadPart, before.QuadPart);
    EXPECT_EQUAL(channel->lpVtbl->AllocatedBufferSize(channel), PAGE_SIZE);
    EXPECT_EQUAL(channel->lpVtbl->BufferSize(channel), 77);
    for (ULONG i = 0; i < PAGE_SIZE; i++) {
        if (buffer[i] != 0xa5) {
            EXPECT_EQUAL(buffer[i], 0xa5);
            break;
        }
    }
    channel->lpVtbl->Release(channel);
}

/* All but AllocateBuffer and FreeBuffer. */
static void any_irql(void)
{
    IDmaChannel *channel = new_channel();
    ULONG numbers[5], data = 0x12345678, back = 0;
    PHYSICAL_ADDRESS logical;
    PVOID buffer, adapter;
    KIRQL irql;

    if (!channel) {
        return;
    }
    EXPECT_STATUS(channel->lpVtbl->AllocateBuffer(channel, 5000, NULL), STATUS_SUCCESS);
    KeRaiseIrql(HIGH_LEVEL, &irql);
    channel->lpVtbl->AddRef(channel);
    channel->lpVtbl->Release(channel);
    numbers[0] = channel->lpVtbl->TransferCount(channel);
    numbers[1] = channel->lpVtbl->MaximumBufferSize(channel);
    numbers[2] = channel->lpVtbl->AllocatedBufferSize(channel);
    numbers[3] = channel->lpVtbl->BufferSize(channel);
    channel->lpVtbl->SetBufferSize(channel, 4000);
    numbers[4] = channel->lpVtbl->BufferSize(channel);
    buffer = channel->lpVtbl->SystemAddress(channel);
    channel->lpVtbl->PhysicalAddress(channel, &logical);
    adapter = channel->lpVtbl->GetAdapterObject(channel);
    channel->lpVtbl->CopyTo(channel, buffer, &data, sizeof(data));
    channel->lpVtbl->CopyFrom(channel, &back, buffer, sizeof(back));
    KeLowerIrql(irql);
    EXPECT_EQUAL(numbers[0], 0);
    EXPECT_EQUAL(numbers[1], 0x10000);
    EXPECT_EQUAL(numbers[2], 5000);
    EXPECT_EQUAL(numbers[3], 5000);
    EXPECT_EQUAL(numbers[4], 4000);
    EXPECT(adapter != NULL);
    EXPECT_EQUAL(back, data);
    expect_logical(buffer, logical.QuadPart);
    channel->lpVtbl->Release(channel);
}

/* For the device, and without an IOMMU in memory: every page behind the one before. */
static void contiguous(void)
{
    IDmaChannel *channel = new_channel();
    PHYSICAL_ADDRESS logical;
    PUCHAR buffer;

    if (!channel) {
        return;
    }
    EXPECT_STATUS(channel->lpVtbl->AllocateBuffer(channel, 0x10000, NULL), STATUS_SUCCESS);
    buffer = channel->lpVtbl->SystemAddress(channel);
    channel->lpVtbl->PhysicalAddress(channel, &logical);
    for (ULONG at = 0; at < 0x10000; at += PAGE_SIZE) {
        expect_logical(buffer + at, logical.QuadPart + at);
    }
    channel->lpVtbl->Release(channel);
}

/* The adapter is good for buffers of the driver's own, beside the channel's. */
static void adapters_buffers(void)
{
    IDmaChannel *channel = new_channel();
    PHYSICAL_ADDRESS logical, own;
    PDMA_ADAPTER adapter;
    PVOID buffer;

    if (!channel) {
        return;
    }
    adapter = (PDMA_ADAPTER)channel->lpVtbl->GetAdapterObject(channel);
    EXPECT_STATUS(channel->lpVtbl->AllocateBuffer(channel, PAGE_SIZE, NULL), STATUS_SUCCESS);
    channel->lpVtbl->PhysicalAddress(channel, &own);
    buffer = adapter->DmaOperations->AllocateCommonBuffer(adapter, PAGE_SIZE, &logical, TRUE);
    EXPECT(buffer != NULL && buffer != channel->lpVtbl->SystemAddress(channel));
    EXPECT(logical.QuadPart != own.QuadPart);
    channel->lpVtbl->FreeBuffer(channel);
    EXPECT(page_entry(buffer) != 0);
    EXPECT(channel->lpVtbl->GetAdapterObject(channel) == (PADAPTER_OBJECT)adapter);
    adapter->DmaOperations->FreeCommonBuffer(adapter, PAGE_SIZE, logical, buffer, TRUE);
    channel->lpVtbl->Release(channel);
}

const struct check channel_checks[] = {
    { "dma-channel/second-call", second_call },
    { "dma-channel/any-irql", any_irql },
    { "dma-channel/contiguous", contiguous },
    { "dma-channel/adapters-buffers", adapters_buffers },
    { "dma-channel/references", references },
    { "dma-channel/releases-buffer", releases_buffer },
    { "dma-channel/copies", copies },
    { "dma-channel/adapter-object", adapter_object },
    { "dma-channel/refused", refused },
    { NULL, NULL },
};
