/* SPDX-License-Identifier: MIT */
/*
 * selftest.sys: IDmaChannelSlave as an object
 *
 * No device is on the channel; what is told to the controller, and that a device
 * gets the bytes, systemdma.c and the exercises look at.
 */
#include "portcls_test.h"

#define CHANNEL                     7u
#define REACH                       0x20000u

/* The controller's page register and word address of that channel. */
#define PORT_PAGE                   0x8au

static DEVICE_DESCRIPTION slave_description(void)
{
    return (DEVICE_DESCRIPTION){
        .Version = DEVICE_DESCRIPTION_VERSION2,
        .AutoInitialize = TRUE,
        .InterfaceType = Isa,
        .DmaChannel = CHANNEL,
        .DmaWidth = Width16Bits,
        .MaximumLength = 2 * REACH,
    };
}

static IDmaChannelSlave *new_slave(void)
{
    DEVICE_DESCRIPTION description = slave_description();
    PDEVICE_OBJECT pdo = device_pdo();
    PDMACHANNEL channel = NULL;

    if (pdo) {
        EXPECT_STATUS(PcNewDmaChannel(&channel, NULL, NonPagedPool, &description, pdo), STATUS_SUCCESS);
        ObDereferenceObject(pdo);
    }
    return (IDmaChannelSlave *)channel;
}

/* Its buffer has that size; NULL: the check has failed. */
static IDmaChannelSlave *new_slave_with(ULONG bytes)
{
    IDmaChannelSlave *slave = new_slave();

    if (slave) {
        EXPECT_STATUS(slave->lpVtbl->AllocateBuffer(slave, bytes, NULL), STATUS_SUCCESS);
    }
    return slave;
}

static void interfaces(void)
{
    IDmaChannelSlave *slave = new_slave();
    PVOID object;

    if (!slave) {
        return;
    }
    EXPECT_STATUS(slave->lpVtbl->QueryInterface(slave, &IID_IDmaChannelSlave, &object), STATUS_SUCCESS);
    EXPECT(object == slave);
    EXPECT_STATUS(slave->lpVtbl->QueryInterface(slave, &IID_IDmaChannel, &object), STATUS_SUCCESS);
    EXPECT(object == slave);
    EXPECT_EQUAL(slave->lpVtbl->Release(slave), 2);
    EXPECT_EQUAL(slave->lpVtbl->Release(slave), 1);
    EXPECT_EQUAL(slave->lpVtbl->Release(slave), 0);
}

/* The whole of what the channel reaches, and not a byte more. */
static void buffer(void)
{
    IDmaChannelSlave *slave = new_slave();
    PHYSICAL_ADDRESS logical, narrow = { .QuadPart = 0xfff };

    if (!slave) {
        return;
    }
    EXPECT_EQUAL(slave->lpVtbl->MaximumBufferSize(slave), REACH);
    EXPECT_STATUS(slave->lpVtbl->AllocateBuffer(slave, REACH + 1, NULL), STATUS_INVALID_BUFFER_SIZE);
    EXPECT_STATUS(slave->lpVtbl->AllocateBuffer(slave, REACH, NULL), STATUS_SUCCESS);
    EXPECT_STATUS(slave->lpVtbl->AllocateBuffer(slave, 2, NULL), STATUS_INVALID_DEVICE_STATE);
    slave->lpVtbl->PhysicalAddress(slave, &logical);
    EXPECT_EQUAL(logical.QuadPart, MmGetPhysicalAddress(slave->lpVtbl->SystemAddress(slave)).QuadPart);
    EXPECT_EQUAL(logical.QuadPart % REACH, 0);
    EXPECT(logical.QuadPart + REACH <= 0x1000000);
    slave->lpVtbl->FreeBuffer(slave);
    EXPECT_STATUS(slave->lpVtbl->AllocateBuffer(slave, PAGE_SIZE + 1, &narrow), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(slave->lpVtbl->AllocateBuffer(slave, PAGE_SIZE, &narrow), STATUS_SUCCESS);
    slave->lpVtbl->Release(slave);
}

static void start_and_stop(void)
{
    IDmaChannelSlave *slave = new_slave();
    PHYSICAL_ADDRESS logical;
    KIRQL irql;

    if (!slave) {
        return;
    }
    EXPECT_STATUS(slave->lpVtbl->Start(slave, 2, TRUE), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(slave->lpVtbl->AllocateBuffer(slave, 0x3000, NULL), STATUS_SUCCESS);
    EXPECT_STATUS(slave->lpVtbl->Start(slave, 0, TRUE), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(slave->lpVtbl->Start(slave, 0x3002, TRUE), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(slave->lpVtbl->Start(slave, 0x1001, TRUE), STATUS_INVALID_PARAMETER);
    EXPECT_EQUAL(slave->lpVtbl->ReadCounter(slave), 0);
    EXPECT_EQUAL(slave->lpVtbl->TransferCount(slave), 0);
    EXPECT_STATUS(slave->lpVtbl->Start(slave, 0x2ffe, TRUE), STATUS_SUCCESS);
    EXPECT_STATUS(slave->lpVtbl->Start(slave, 0x1000, TRUE), STATUS_UNSUCCESSFUL);
    EXPECT_EQUAL(slave->lpVtbl->TransferCount(slave), 0x2ffe);
    slave->lpVtbl->PhysicalAddress(slave, &logical);
    EXPECT_EQUAL(READ_PORT_UCHAR((PUCHAR)PORT_PAGE), logical.QuadPart >> 16 & 0xfe);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    EXPECT_EQUAL(slave->lpVtbl->ReadCounter(slave), 0x2ffe);
    EXPECT_STATUS(slave->lpVtbl->Stop(slave), STATUS_SUCCESS);
    EXPECT_STATUS(slave->lpVtbl->Stop(slave), STATUS_SUCCESS);
    KeLowerIrql(irql);
    EXPECT_EQUAL(slave->lpVtbl->ReadCounter(slave), 0);
    EXPECT_EQUAL(slave->lpVtbl->TransferCount(slave), 0x2ffe);
    EXPECT_STATUS(slave->lpVtbl->Start(slave, 0x1000, FALSE), STATUS_SUCCESS);
    EXPECT_EQUAL(slave->lpVtbl->ReadCounter(slave), 0x1000);
    slave->lpVtbl->FreeBuffer(slave);
    EXPECT_EQUAL(slave->lpVtbl->ReadCounter(slave), 0);
    EXPECT_STATUS(slave->lpVtbl->AllocateBuffer(slave, 0x1000, NULL), STATUS_SUCCESS);
    EXPECT_STATUS(slave->lpVtbl->Start(slave, 0x1000, TRUE), STATUS_SUCCESS);
    EXPECT_EQUAL(slave->lpVtbl->Release(slave), 0);     /* ends it, too */
}

/* No device takes anything: time passes, and no more than was given. */
static void wait(void)
{
    IDmaChannelSlave *slave = new_slave_with(0x1000);
    LARGE_INTEGER frequency, before, after;

    if (!slave) {
        return;
    }
    EXPECT_STATUS(slave->lpVtbl->WaitForTC(slave, 1000), STATUS_UNSUCCESSFUL);
    EXPECT_STATUS(slave->lpVtbl->Start(slave, 0x1000, TRUE), STATUS_SUCCESS);
    before = KeQueryPerformanceCounter(&frequency);
    EXPECT_STATUS(slave->lpVtbl->WaitForTC(slave, 2009), STATUS_UNSUCCESSFUL);
    after = KeQueryPerformanceCounter(NULL);
    EXPECT((after.QuadPart - before.QuadPart) * 1000000 / frequency.QuadPart >= 2000);
    EXPECT_STATUS(slave->lpVtbl->WaitForTC(slave, 0), STATUS_UNSUCCESSFUL);
    slave->lpVtbl->Release(slave);
}

/* Of two on one channel the second waits for the first, or for its own Stop. */
static void turns(void)
{
    IDmaChannelSlave *first = new_slave_with(0x1000), *second = new_slave_with(0x2000);

    if (!first || !second) {
        return;
    }
    EXPECT_STATUS(first->lpVtbl->Start(first, 0x1000, TRUE), STATUS_SUCCESS);
    EXPECT_STATUS(second->lpVtbl->Start(second, 0x2000, TRUE), STATUS_SUCCESS);
    EXPECT_EQUAL(first->lpVtbl->ReadCounter(first), 0x1000);
    EXPECT_EQUAL(second->lpVtbl->ReadCounter(second), 0x2000);
    EXPECT_STATUS(second->lpVtbl->Stop(second), STATUS_SUCCESS);
    EXPECT_EQUAL(second->lpVtbl->ReadCounter(second), 0);
    EXPECT_STATUS(second->lpVtbl->Start(second, 0x1800, TRUE), STATUS_SUCCESS);
    EXPECT_STATUS(first->lpVtbl->Stop(first), STATUS_SUCCESS);
    EXPECT_EQUAL(second->lpVtbl->ReadCounter(second), 0x1800);
    EXPECT_STATUS(first->lpVtbl->Start(first, 0x1000, TRUE), STATUS_SUCCESS);
    EXPECT_EQUAL(first->lpVtbl->Release(first), 0);     /* while it waits */
    EXPECT_EQUAL(second->lpVtbl->ReadCounter(second), 0x1800);
    EXPECT_EQUAL(second->lpVtbl->Release(second), 0);
}

/* A list of one DMA resource. */
static PRESOURCELIST list_of(ULONG channel)
{
    CM_PARTIAL_RESOURCE_DESCRIPTOR entry = { .Type = CmResourceTypeDma };
    PRESOURCELIST parent = NULL, list = NULL;

    entry.u.Dma.Channel = channel;
    EXPECT_STATUS(PcNewResourceList(&parent, NULL, NonPagedPool, NULL, NULL), STATUS_SUCCESS);
    EXPECT_STATUS(PcNewResourceSublist(&list, NULL, NonPagedPool, parent, 1), STATUS_SUCCESS);
    parent->lpVtbl->Release(parent);
    if (list) {
        EXPECT_STATUS(list->lpVtbl->AddEntry(list, &entry, &entry), STATUS_SUCCESS);
    }
    return list;
}

static void new_from_list(PRESOURCELIST list, ULONG reach)
{
    PPORTWAVECYCLIC port = adapter.port;
    PDMACHANNELSLAVE slave = NULL;

    EXPECT_STATUS(port->lpVtbl->NewSlaveDmaChannel(port, &slave, NULL, NULL, 0, 0x40000, FALSE, Compatible),
                  STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(port->lpVtbl->NewSlaveDmaChannel(port, &slave, NULL, list, 1, 0x40000, FALSE, Compatible),
                  STATUS_INVALID_PARAMETER);
    EXPECT(!slave);
    EXPECT_STATUS(port->lpVtbl->NewSlaveDmaChannel(port, &slave, NULL, list, 0, 0x40000, TRUE, TypeF),
                  STATUS_SUCCESS);
    if (slave) {
        EXPECT_EQUAL(slave->lpVtbl->MaximumBufferSize(slave), reach);
        EXPECT_STATUS(slave->lpVtbl->AllocateBuffer(slave, 0x1000, NULL), STATUS_SUCCESS);
        EXPECT_STATUS(slave->lpVtbl->Start(slave, 0x1000, TRUE), STATUS_SUCCESS);
        EXPECT_EQUAL(slave->lpVtbl->ReadCounter(slave), 0x1000);
        EXPECT_EQUAL(slave->lpVtbl->Release(slave), 0);
    }
    list->lpVtbl->Release(list);
}

/* The port finds the channel among the resources, and knows how wide it is. */
static void from_port(void)
{
    PRESOURCELIST bytes = list_of(3), words = list_of(CHANNEL), none = list_of(4);
    PDMACHANNELSLAVE slave = NULL;

    if (!bytes || !words || !none || !adapter_start()) {
        return;
    }
    new_from_list(bytes, 0x10000);
    new_from_list(words, REACH);
    EXPECT_STATUS(adapter.port->lpVtbl->NewSlaveDmaChannel(adapter.port, &slave, NULL, none, 0, 0x1000, FALSE,
                                                           Compatible), STATUS_DEVICE_CONFIGURATION_ERROR);
    none->lpVtbl->Release(none);
    adapter_remove();
}

const struct check slave_checks[] = {
    { "slave/interfaces", interfaces },
    { "slave/buffer", buffer },
    { "slave/start-and-stop", start_and_stop },
    { "slave/wait", wait },
    { "slave/turns", turns },
    { "slave/from-port", from_port },
    { NULL, NULL },
};
