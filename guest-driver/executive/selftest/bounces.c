/* SPDX-License-Identifier: MIT */
/* selftest.sys: bounce memory, where no exercise looks */
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

/* A bounced page that is flushed in two parts comes back whole. */
static void bounced_in_parts(void)
{
    static const PHYSICAL_ADDRESS high = { .QuadPart = HIGH }, all = { .QuadPart = -1 }, none;
    PUCHAR memory = MmAllocateContiguousMemorySpecifyCache(PAGE_SIZE, high, all, none, MmCached);
    struct packet p = { .pdo = device_pdo(), .adapter = new_adapter(24),
                        .action = DeallocateObjectKeepRegisters };
    ULONG wrong = 0;

    p.mdl = memory ? IoAllocateMdl(memory, PAGE_SIZE, FALSE, FALSE, NULL) : NULL;
    EXPECT(p.mdl && p.pdo && p.adapter);
    if (!p.mdl || !p.pdo || !p.adapter) {
        return;
    }
    p.call = operations(p.adapter);
    MmBuildMdlForNonPagedPool(p.mdl);
    if (!remapped()) {
        KeRaiseIrql(DISPATCH_LEVEL, &p.irql);
        EXPECT_STATUS(p.call->AllocateAdapterChannel(p.adapter, p.pdo, 1, packet_take_base, &p),
                      STATUS_SUCCESS);
        write_and_flush(&p, memory);
        p.call->FreeMapRegisters(p.adapter, p.base, 1);
        KeLowerIrql(p.irql);
        for (ULONG i = 0; i < PAGE_SIZE; i++) {
            wrong += memory[i] != written(i);
        }
        EXPECT_EQUAL(wrong, 0);
    }
    IoFreeMdl(p.mdl);
    MmFreeContiguousMemory(memory);
    ObDereferenceObject(p.pdo);
    put_adapter(p.adapter);
}

const struct check bounce_checks[] = {
    { "bounces/in-parts", bounced_in_parts },
    { NULL, NULL },
};
