/* SPDX-License-Identifier: MIT */
/* selftest.sys: pool */
#include "selftest.h"

#define SPREAD                      128
#define PIECE                       0x2000000u              /* 32 MiB */
#define CYCLES                      20000

static ULONG_PTR offset_in_page(PVOID address)
{
    return (ULONG_PTR)address & (PAGE_SIZE - 1);
}

static PVOID take(SIZE_T bytes)
{
    return ExAllocatePoolWithTag(NonPagedPool, bytes, SELFTEST_TAG);
}

static void give(PVOID address)
{
    ExFreePoolWithTag(address, SELFTEST_TAG);
}

/* Below a page: aligned to 16 bytes, and within one page. */
static void small_blocks(void)
{
    static const SIZE_T sizes[] = { 1, 15, 16, 17, 32, 100, 500, 1000, 2000, 2032, 2033, 3000 };

    for (ULONG i = 0; i < RTL_NUMBER_OF(sizes); i++) {
        PVOID block = take(sizes[i]);

        EXPECT(block != NULL);
        EXPECT_EQUAL((ULONG_PTR)block & 15, 0);
        EXPECT(offset_in_page(block) + sizes[i] <= PAGE_SIZE);
        give(block);
    }
}

static void page_aligned(void)
{
    static const SIZE_T sizes[] = { PAGE_SIZE, PAGE_SIZE + 1, 3 * PAGE_SIZE - 1, 0x12345 };

    for (ULONG i = 0; i < RTL_NUMBER_OF(sizes); i++) {
        PVOID block = take(sizes[i]);

        EXPECT(block != NULL);
        EXPECT_EQUAL(offset_in_page(block), 0);
        RtlFillMemory(block, sizes[i], 0x5a);
        give(block);
    }
}

static void no_bytes(void)
{
    PVOID first = take(0), second = take(0);

    EXPECT(first && second && first != second);
    give(first);
    give(second);
}

static void large(void)
{
    PUCHAR block = take(PIECE);

    EXPECT(block != NULL);
    if (block) {
        block[0] = 1;
        block[PIECE - 1] = 2;
        EXPECT(MmIsAddressValid(block + PIECE / 2));
        give(block);
    }
}

static void absurd(void)
{
    EXPECT(take(~(SIZE_T)0) == NULL);
    EXPECT(take(~(SIZE_T)0 - 15) == NULL);
    EXPECT(take(~(SIZE_T)0 >> 1) == NULL);
    EXPECT(take((SIZE_T)1 << 46) == NULL);
}

/* Blocks of many sizes keep what is written to them while others come and go. */
static void apart(void)
{
    static PUCHAR blocks[SPREAD];

    for (ULONG i = 0; i < SPREAD; i++) {
        blocks[i] = take(1 + i * 61);
        RtlFillMemory(blocks[i], 1 + i * 61, (UCHAR)i);
    }
    for (ULONG i = 0; i < SPREAD; i += 2) {
        give(blocks[i]);
    }
    for (ULONG i = 0; i < SPREAD; i += 2) {
        blocks[i] = take(1 + i * 61);
        RtlFillMemory(blocks[i], 1 + i * 61, (UCHAR)i);
    }
    for (ULONG i = 0; i < SPREAD; i++) {
        bool kept = true;

        for (ULONG at = 0; at < 1 + i * 61; at++) {
            kept = kept && blocks[i][at] == (UCHAR)i;
        }
        EXPECT(kept);
        give(blocks[i]);
    }
}

static void untagged(void)
{
    PVOID block = ExAllocatePool(NonPagedPool, 100);
    PVOID pages = ExAllocatePool(NonPagedPool, 2 * PAGE_SIZE);
    PVOID tagged = take(100);

    EXPECT(block && pages && tagged);
    ExFreePool(block);
    ExFreePool(pages);
    /* ExFreePool takes a block of any tag. */
    ExFreePool(tagged);
}

/* The number of pieces that there are; all are given back. */
static ULONG exhaust(void)
{
    PVOID *last = NULL, *piece;
    ULONG count = 0;

    while ((piece = take(PIECE)) != NULL) {
        *piece = last;
        last = piece;
        count++;
    }
    while (last) {
        piece = *last;
        give(last);
        last = piece;
    }
    return count;
}

static void exhausted(void)
{
    ULONG count = exhaust();

    EXPECT(count > 0);
    EXPECT_EQUAL(exhaust(), count);
}

static void nothing_lost(void)
{
    ULONG before = exhaust();

    for (ULONG i = 0; i < CYCLES; i++) {
        PVOID one = take(1 + i % 5000), page = take(PAGE_SIZE * (1 + i % 16));

        EXPECT(one && page);
        give(one);
        give(page);
    }
    EXPECT_EQUAL(exhaust(), before);
}

const struct check pool_checks[] = {
    { "pool/small", small_blocks },
    { "pool/page-aligned", page_aligned },
    { "pool/no-bytes", no_bytes },
    { "pool/large", large },
    { "pool/absurd", absurd },
    { "pool/apart", apart },
    { "pool/untagged", untagged },
    { "pool/exhausted", exhausted },
    { "pool/nothing-lost", nothing_lost },
    { NULL, NULL },
};
