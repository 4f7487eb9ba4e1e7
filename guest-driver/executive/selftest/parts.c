/* SPDX-License-Identifier: MIT */
/* selftest.sys: transfers that are flushed in parts */
#include "packets.h"

#define HIGH                        0x1000000ll     /* beyond what 24 address lines reach */

/* What a device would have written: no byte is like its neighbours. */
static UCHAR written(ULONG at)
{
    return (UCHAR)(at * 7 + 1);
}

/* Writes as the device does, to where it was told to; flushes a part of a page, then the rest. */
static void write_and_flush(struct packet *p, PUCHAR memory)
{
    ULONG length = PAGE_SIZE;
    PHYSICAL_ADDRESS at = p->call->MapTransfer(p->adapter, p->mdl, p->base, memory, &length, FALSE);
    PUCHAR seen;

    EXPECT_EQUAL(length, PAGE_SIZE);
    EXPECT(at.QuadPart < HIGH);
    KeLowerIrql(p->irql);
    seen = MmMapIoSpace(at, PAGE_SIZE, MmCached);
    for (ULONG i = 0; seen && i < PAGE_SIZE; i++) {
        seen[i] = written(i);
    }
    if (seen) {
        MmUnmapIoSpace(seen, PAGE_SIZE);
    }
    KeRaiseIrql(DISPATCH_LEVEL, &p->irql);
    EXPECT(p->call->FlushAdapterBuffers(p->adapter, p->mdl, p->base, memory, 100, FALSE));
    EXPECT(p->call->FlushAdapterBuffers(p->adapter, p->mdl, p->base, memory + 100, PAGE_SIZE - 100, FALSE));
}

/* A channel with REGISTERS map registers, at DISPATCH_LEVEL, and an MDL for MEMORY; false: the check has failed. */
static bool parts_open(struct packet *p, ULONG width, PUCHAR memory, ULONG registers)
{
    *p = (struct packet){ .pdo = device_pdo(), .adapter = new_adapter(width),
                          .action = DeallocateObjectKeepRegisters };
    p->mdl = memory ? IoAllocateMdl(memory, registers * PAGE_SIZE, FALSE, FALSE, NULL) : NULL;
    EXPECT(p->mdl && p->pdo && p->adapter);
    if (!p->mdl || !p->pdo || !p->adapter) {
        return false;
    }
    p->call = operations(p->adapter);
    MmBuildMdlForNonPagedPool(p->mdl);
    KeRaiseIrql(DISPATCH_LEVEL, &p->irql);
    EXPECT_STATUS(p->call->AllocateAdapterChannel(p->adapter, p->pdo, registers, packet_take_base, p),
                  STATUS_SUCCESS);
    return true;
}

static void parts_close(struct packet *p, ULONG registers)
{
    p->call->FreeMapRegisters(p->adapter, p->base, registers);
    KeLowerIrql(p->irql);
    IoFreeMdl(p->mdl);
    ObDereferenceObject(p->pdo);
    put_adapter(p->adapter);
}

/* A bounced page that is flushed in two parts comes back whole. */
static void bounced(void)
{
    static const PHYSICAL_ADDRESS high = { .QuadPart = HIGH }, all = { .QuadPart = -1 }, none;
    PUCHAR memory = MmAllocateContiguousMemorySpecifyCache(PAGE_SIZE, high, all, none, MmCached);
    ULONG wrong = 0;
    struct packet p;

    if (!remapped() && parts_open(&p, 24, memory, 1)) {
        write_and_flush(&p, memory);
        parts_close(&p, 1);
        for (ULONG i = 0; i < PAGE_SIZE; i++) {
            wrong += memory[i] != written(i);
        }
        EXPECT_EQUAL(wrong, 0);
    }
    if (memory) {
        MmFreeContiguousMemory(memory);
    }
}

/* Behind an IOMMU the pages of a transfer stay the device's until the last of them is flushed. */
static void flushed(void)
{
    static const PHYSICAL_ADDRESS all = { .QuadPart = -1 };
    PUCHAR memory = MmAllocateContiguousMemory(2 * PAGE_SIZE, all);
    ULONG length = 2 * PAGE_SIZE;
    PHYSICAL_ADDRESS at;
    struct packet p;

    if (remapped() && parts_open(&p, 64, memory, 2)) {
        at = p.call->MapTransfer(p.adapter, p.mdl, p.base, memory, &length, TRUE);
        EXPECT_EQUAL(length, 2 * PAGE_SIZE);
        for (ULONG page = 0; page < 2; page++) {
            KeLowerIrql(p.irql);
            EXPECT(!page_at(p.adapter, at.QuadPart + PAGE_SIZE));
            KeRaiseIrql(DISPATCH_LEVEL, &p.irql);
            EXPECT(p.call->FlushAdapterBuffers(p.adapter, p.mdl, p.base, memory + page * PAGE_SIZE, PAGE_SIZE,
                                               TRUE));
        }
        KeLowerIrql(p.irql);
        EXPECT(page_at(p.adapter, at.QuadPart + PAGE_SIZE));
        KeRaiseIrql(DISPATCH_LEVEL, &p.irql);
        parts_close(&p, 2);
    }
    if (memory) {
        MmFreeContiguousMemory(memory);
    }
}

const struct check part_checks[] = {
    { "parts/bounced", bounced },
    { "parts/flushed", flushed },
    { NULL, NULL },
};
