/* SPDX-License-Identifier: MIT */
/* selftest.sys: the verifier's guard pages are in nobody's way */
#include "selftest.h"

/* Enough addresses that buffers get guards, below 4 GiB on every machine. */
#define FIRST                       0x4000000ull
#define LAST                        0x9ffffffull
#define HELD_MAX                    1024u
#define SLACK                       (64u * PAGE_SIZE)

static const ULONG lengths[] = { 0x100000, 0x10000, 2 * PAGE_SIZE, PAGE_SIZE };

static struct {
    PVOID address;
    PHYSICAL_ADDRESS logical;
    ULONG length;
} held[HELD_MAX];
static ULONG count;

static PHYSICAL_ADDRESS at(ULONGLONG address)
{
    return (PHYSICAL_ADDRESS){ .QuadPart = (LONGLONG)address };
}

static PVOID take(PDMA_ADAPTER adapter, ULONG length, PHYSICAL_ADDRESS *logical)
{
    PHYSICAL_ADDRESS low = at(FIRST), above = at(LAST + 1);

    if (!adapter) {
        return MmAllocateContiguousMemorySpecifyCache(length, low, at(LAST), at(0), MmCached);
    }
    return operations(adapter)->AllocateCommonBufferWithBounds(adapter, &low, &above, length, 0,
                                                               NULL, MM_ANY_NODE_OK, logical);
}

/* Takes all there is, large pieces first; returns how many bytes that were. */
static ULONGLONG take_all(PDMA_ADAPTER adapter)
{
    ULONGLONG bytes = 0;

    for (ULONG i = 0; i < RTL_NUMBER_OF(lengths); i++) {
        while (count < HELD_MAX &&
               (held[count].address = take(adapter, lengths[i], &held[count].logical))) {
            held[count++].length = lengths[i];
            bytes += lengths[i];
        }
    }
    EXPECT(count < HELD_MAX);
    return bytes;
}

static void free_all(PDMA_ADAPTER adapter)
{
    while (count) {
        count--;
        if (adapter) {
            operations(adapter)->FreeCommonBuffer(adapter, held[count].length, held[count].logical,
                                                  held[count].address, TRUE);
        } else {
            MmFreeContiguousMemory(held[count].address);
        }
    }
}

/* To the last page, but for what keeping the buffers' records takes. */
static void given_up(void)
{
    PDMA_ADAPTER adapter = new_adapter(32);
    ULONGLONG without = take_all(NULL), with;

    free_all(NULL);
    with = take_all(adapter);
    free_all(adapter);
    EXPECT(without > (LAST - FIRST) / 2);
    EXPECT(with + SLACK >= without);
    EXPECT_EQUAL(take_all(NULL), without);
    free_all(NULL);
    put_adapter(adapter);
}

/* The very page that guards a buffer is given to who can use no other. */
static void one_given_up(void)
{
    PDMA_ADAPTER adapter = new_adapter(32);
    PHYSICAL_ADDRESS guarded_at, behind_at, low, above;
    PVOID guarded = adapter && !remapped() ? take(adapter, PAGE_SIZE, &guarded_at) : NULL, behind;

    if (guarded) {
        low.QuadPart = guarded_at.QuadPart + PAGE_SIZE;
        above.QuadPart = low.QuadPart + PAGE_SIZE;
        behind = operations(adapter)->AllocateCommonBufferWithBounds(
            adapter, &low, &above, PAGE_SIZE, 0, NULL, MM_ANY_NODE_OK, &behind_at);
        EXPECT(behind != NULL);
        if (behind) {
            operations(adapter)->FreeCommonBuffer(adapter, PAGE_SIZE, behind_at, behind, TRUE);
        }
        operations(adapter)->FreeCommonBuffer(adapter, PAGE_SIZE, guarded_at, guarded, TRUE);
    }
    if (adapter) {
        put_adapter(adapter);
    }
}

const struct check guard_checks[] = {
    { "guards/given-up", given_up },
    { "guards/one-given-up", one_given_up },
    { NULL, NULL },
};
