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

const struct check channel_checks[] = {
    { "dma-channel/references", references },
    { "dma-channel/releases-buffer", releases_buffer },
    { "dma-channel/copies", copies },
    { "dma-channel/adapter-object", adapter_object },
    { "dma-channel/refused", refused },
    { NULL, NULL },
};
