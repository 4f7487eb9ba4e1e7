/* SPDX-License-Identifier: MIT */
/*
 * selftest.sys: system DMA
 *
 * No device is on the channels here: what was programmed is read back from the
 * controllers, and what a device would see from memory.  That sound comes out
 * of them the exercises show, by another device.
 */
#include "selftest.h"

#define BYTES                       3u      /* a channel that moves bytes, ... */
#define WORDS                       7u      /* ... and one that moves words */
#define REACH(channel)              ((channel) < 4 ? 0x10000u : 0x20000u)
#define UNIT(channel)               ((channel) < 4 ? 1u : 2u)
#define LAST_24_BIT                 0xffffffll

/* The controllers' ports, of these two channels. */
#define PORT_ADDRESS(channel)       ((channel) == BYTES ? 0x06u : 0xccu)
#define PORT_COUNT(channel)         ((channel) == BYTES ? 0x07u : 0xceu)
#define PORT_PAGE(channel)          ((channel) == BYTES ? 0x82u : 0x8au)
#define PORT_FLIP_FLOP(channel)     ((channel) == BYTES ? 0x0cu : 0xd8u)
/* Where QEMU's controller tells its masks; both channels are its fourth. */
#define PORT_MASKS(channel)         ((channel) == BYTES ? 0x09u : 0xd2u)
#define MASKED                      0x08u

struct transfer {
    ULONG channel;
    PDMA_ADAPTER adapter;
    PMDL mdl;
    PVOID base;
    ULONG calls;
    KIRQL irql;
};

static DEVICE_DESCRIPTION slave_description(ULONG channel)
{
    return (DEVICE_DESCRIPTION){
        .Version = DEVICE_DESCRIPTION_VERSION1,
        .InterfaceType = Isa,
        .DmaChannel = channel,
        .DmaWidth = channel < 4 ? Width8Bits : Width16Bits,
        .DmaSpeed = Compatible,
        .MaximumLength = REACH(channel),
    };
}

static PDMA_ADAPTER get(DEVICE_DESCRIPTION description)
{
    ULONG registers = 0;
    PDMA_ADAPTER adapter = IoGetDmaAdapter(NULL, &description, &registers);

    EXPECT(!adapter || registers == BYTES_TO_PAGES(description.MaximumLength) + 1);
    return adapter;
}

static void refused(void)
{
    DEVICE_DESCRIPTION3 latest = { .Version = DEVICE_DESCRIPTION_VERSION3, .InterfaceType = Isa,
                                   .DmaChannel = BYTES, .MaximumLength = PAGE_SIZE };
    DEVICE_DESCRIPTION wrong[8];
    ULONG registers;

    for (ULONG i = 0; i < RTL_NUMBER_OF(wrong); i++) {
        wrong[i] = slave_description(i == 1 ? WORDS : BYTES);
    }
    wrong[0].DmaWidth = Width16Bits;
    wrong[1].DmaWidth = Width8Bits;
    wrong[2].DmaWidth = Width32Bits;
    wrong[3].DmaChannel = 4;
    wrong[4].DmaChannel = 8;
    wrong[5].InterfaceType = PCIBus;
    wrong[6].DmaSpeed = MaximumDmaSpeed;
    wrong[7].MaximumLength = 0;
    for (ULONG i = 0; i < RTL_NUMBER_OF(wrong); i++) {
        EXPECT(!IoGetDmaAdapter(NULL, &wrong[i], &registers));
    }
    EXPECT(!IoGetDmaAdapter(NULL, (PDEVICE_DESCRIPTION)&latest, &registers));
    for (ULONG channel = 0; channel < 8; channel++) {
        PDMA_ADAPTER adapter = channel == 4 ? NULL : get(slave_description(channel));

        EXPECT(channel == 4 || adapter);
        if (adapter) {
            put_adapter(adapter);
        }
    }
}

/* One adapter for all who ask in the same way; the mode is its own. */
static void shared(void)
{
    DEVICE_DESCRIPTION other = slave_description(BYTES);
    PDMA_ADAPTER first = get(slave_description(BYTES)), second = get(slave_description(BYTES));

    EXPECT(first && first == second);
    other.AutoInitialize = TRUE;
    EXPECT(!get(other));
    put_adapter(first);
    EXPECT(!get(other));
    put_adapter(second);
    first = get(other);
    EXPECT(first);
    put_adapter(first);
}

static void buffers_of(ULONG channel)
{
    PDMA_ADAPTER adapter = get(slave_description(channel));
    PHYSICAL_ADDRESS logical[6];
    ULONG length = REACH(channel);
    PVOID buffer[6];

    EXPECT(!adapter->DmaOperations->AllocateCommonBuffer(adapter, length + 1, &logical[0], TRUE));
    for (ULONG i = 0; i < RTL_NUMBER_OF(buffer); i++, length -= length / 3) {
        buffer[i] = adapter->DmaOperations->AllocateCommonBuffer(adapter, length, &logical[i], TRUE);
        EXPECT(buffer[i]);
        EXPECT(logical[i].QuadPart + length - 1 <= LAST_24_BIT);
        EXPECT_EQUAL(logical[i].QuadPart / REACH(channel),
                     (logical[i].QuadPart + length - 1) / REACH(channel));
        EXPECT_EQUAL(logical[i].QuadPart, MmGetPhysicalAddress(buffer[i]).QuadPart);
    }
    length = REACH(channel);
    for (ULONG i = 0; i < RTL_NUMBER_OF(buffer); i++, length -= length / 3) {
        adapter->DmaOperations->FreeCommonBuffer(adapter, length, logical[i], buffer[i], TRUE);
    }
    put_adapter(adapter);
}

static void buffers(void)
{
    buffers_of(BYTES);
    buffers_of(WORDS);
}

static IO_ALLOCATION_ACTION NTAPI take(PDEVICE_OBJECT device, PIRP irp, PVOID base, PVOID context)
{
    struct transfer *t = context;

    (void)device;
    (void)irp;
    t->base = base;
    t->calls++;
    return KeepObject;
}

/* Goes to DISPATCH_LEVEL, where the rest is called. */
static bool transfer_open(struct transfer *t, ULONG channel, PVOID memory, ULONG length)
{
    *t = (struct transfer){ .channel = channel, .adapter = get(slave_description(channel)),
                            .mdl = IoAllocateMdl(memory, length, FALSE, FALSE, NULL) };
    EXPECT(t->adapter && t->mdl);
    MmBuildMdlForNonPagedPool(t->mdl);
    KeRaiseIrql(DISPATCH_LEVEL, &t->irql);
    EXPECT_STATUS(t->adapter->DmaOperations->AllocateAdapterChannel(
        t->adapter, NULL, ADDRESS_AND_SIZE_TO_SPAN_PAGES(memory, length), take, t), STATUS_SUCCESS);
    EXPECT_EQUAL(t->calls, 1);
    return t->base != NULL;
}

static void transfer_close(struct transfer *t)
{
    t->adapter->DmaOperations->FreeAdapterChannel(t->adapter);
    KeLowerIrql(t->irql);
    IoFreeMdl(t->mdl);
    put_adapter(t->adapter);
}

static void map(struct transfer *t, ULONG length, BOOLEAN write)
{
    ULONG mapped = length;

    t->adapter->DmaOperations->MapTransfer(t->adapter, t->mdl, t->base, MmGetMdlVirtualAddress(t->mdl),
                                           &mapped, write);
    EXPECT_EQUAL(mapped, length);
}

static void flush(struct transfer *t, ULONG length, BOOLEAN write)
{
    EXPECT(t->adapter->DmaOperations->FlushAdapterBuffers(
        t->adapter, t->mdl, t->base, MmGetMdlVirtualAddress(t->mdl), length, write));
}

static UCHAR port(ULONG number)
{
    return READ_PORT_UCHAR((PUCHAR)(ULONG_PTR)number);
}

static ULONG word_of(ULONG channel, ULONG number)
{
    ULONG low;

    WRITE_PORT_UCHAR((PUCHAR)(ULONG_PTR)PORT_FLIP_FLOP(channel), 0);
    low = port(number);
    return low | (ULONG)port(number) << 8;
}

/* What the controller was told: the address that the device will see. */
static ULONG programmed(ULONG channel, ULONG length)
{
    EXPECT_EQUAL(word_of(channel, PORT_COUNT(channel)), length / UNIT(channel) - 1);
    EXPECT_EQUAL(port(PORT_PAGE(channel)) % UNIT(channel), 0);
    return ((ULONG)port(PORT_PAGE(channel)) << 16) +
           word_of(channel, PORT_ADDRESS(channel)) * UNIT(channel);
}

static void counted(struct transfer *t, ULONG length)
{
    EXPECT_EQUAL(t->adapter->DmaOperations->ReadDmaCounter(t->adapter), length);
}

/* A common buffer is where the controller reaches it: it sees the memory itself. */
static void direct_on(ULONG channel, ULONG length)
{
    PDMA_ADAPTER adapter = get(slave_description(channel));
    PHYSICAL_ADDRESS logical;
    PVOID buffer = adapter->DmaOperations->AllocateCommonBuffer(adapter, length, &logical, TRUE);
    struct transfer t;

    EXPECT(buffer);
    if (buffer && transfer_open(&t, channel, buffer, length)) {
        counted(&t, 0);
        map(&t, length, TRUE);
        EXPECT_EQUAL(programmed(channel, length), logical.QuadPart);
        counted(&t, length);
        EXPECT(!(port(PORT_MASKS(channel)) & MASKED));
        flush(&t, length, TRUE);
        EXPECT(port(PORT_MASKS(channel)) & MASKED);
        counted(&t, 0);
        transfer_close(&t);
    }
    adapter->DmaOperations->FreeCommonBuffer(adapter, length, logical, buffer, TRUE);
    put_adapter(adapter);
}

static void direct(void)
{
    direct_on(BYTES, 0x10000);
    direct_on(BYTES, 0x1001);
    direct_on(BYTES, 1);
    direct_on(WORDS, 0x20000);
    direct_on(WORDS, 0x1002);
    direct_on(WORDS, 2);
}

static void fill(PUCHAR memory, ULONG length, ULONG seed)
{
    for (ULONG i = 0; i < length; i++) {
        memory[i] = (UCHAR)(i * 7 + i / 251 + seed);
    }
}

/* Memory at that address of the machine's, as its device would see it. */
static PUCHAR seen(ULONG address, ULONG length)
{
    PHYSICAL_ADDRESS physical = { .QuadPart = address };

    return MmMapIoSpace(physical, length, MmCached);
}

/* Memory out of reach is seen elsewhere: there before it begins, back when it is flushed. */
static void bounced_on(ULONG channel, ULONG length, ULONG offset)
{
    PUCHAR memory = ExAllocatePoolWithTag(NonPagedPool, 2 * REACH(channel), SELFTEST_TAG);
    PUCHAR expected = memory + REACH(channel), device;
    struct transfer t;

    fill(expected, length, 3);
    RtlCopyMemory(memory + offset, expected, length);
    if (transfer_open(&t, channel, memory + offset, length)) {
        ULONG address;

        map(&t, length, TRUE);
        address = programmed(channel, length);
        EXPECT(address + length - 1 <= LAST_24_BIT);
        EXPECT_EQUAL(address / REACH(channel), (address + length - 1) / REACH(channel));
        device = seen(address, length);
        EXPECT_EQUAL(RtlCompareMemory(device, expected, length), length);
        flush(&t, length, TRUE);
        map(&t, length, FALSE);
        EXPECT_EQUAL(programmed(channel, length), address);
        fill(device, length, 5);
        fill(expected, length, 5);
        EXPECT(RtlCompareMemory(memory + offset, expected, length) != length);
        flush(&t, length, FALSE);
        EXPECT_EQUAL(RtlCompareMemory(memory + offset, expected, length), length);
        MmUnmapIoSpace(device, length);
        transfer_close(&t);
    }
    ExFreePoolWithTag(memory, SELFTEST_TAG);
}

static void bounced(void)
{
    bounced_on(BYTES, 0x10000, 0);
    bounced_on(BYTES, 0xf001, 0x123);
    bounced_on(WORDS, 0x1f002, 0x123);
    bounced_on(WORDS, 2, 1);
}

/* Those who share a channel take turns. */
static void turns(void)
{
    UCHAR *memory = ExAllocatePoolWithTag(NonPagedPool, PAGE_SIZE, SELFTEST_TAG);
    struct transfer first, second = { .calls = 0 };

    if (transfer_open(&first, BYTES, memory, PAGE_SIZE)) {
        second.adapter = first.adapter;
        EXPECT_STATUS(first.adapter->DmaOperations->AllocateAdapterChannel(second.adapter, NULL, 1, take,
                                                                           &second), STATUS_SUCCESS);
        EXPECT_EQUAL(second.calls, 0);
        map(&first, PAGE_SIZE, TRUE);
        flush(&first, PAGE_SIZE, TRUE);
        EXPECT_EQUAL(second.calls, 0);
        first.adapter->DmaOperations->FreeAdapterChannel(first.adapter);
        EXPECT_EQUAL(second.calls, 1);
        transfer_close(&first);
    }
    ExFreePoolWithTag(memory, SELFTEST_TAG);
}

/* Lists are for bus masters. */
static void no_lists(void)
{
    UCHAR *memory = ExAllocatePoolWithTag(NonPagedPool, PAGE_SIZE, SELFTEST_TAG);
    struct transfer t;

    if (transfer_open(&t, BYTES, memory, PAGE_SIZE)) {
        EXPECT_STATUS(t.adapter->DmaOperations->GetScatterGatherList(t.adapter, NULL, t.mdl, memory, 1, NULL,
                                                                     NULL, TRUE), STATUS_NOT_SUPPORTED);
        transfer_close(&t);
    }
    ExFreePoolWithTag(memory, SELFTEST_TAG);
}

const struct check system_dma_checks[] = {
    { "system-dma/refused", refused },
    { "system-dma/shared", shared },
    { "system-dma/buffers", buffers },
    { "system-dma/direct", direct },
    { "system-dma/bounced", bounced },
    { "system-dma/turns", turns },
    { "system-dma/no-lists", no_lists },
    { NULL, NULL },
};
