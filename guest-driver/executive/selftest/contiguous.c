/* SPDX-License-Identifier: MIT */
/* selftest.sys: physically contiguous memory */
#include "selftest.h"

#define KIB                         1024ull
#define MIB                         (KIB * KIB)
#define ANYWHERE                    (~0ull >> 1)

static PVOID take(SIZE_T bytes, ULONGLONG lowest, ULONGLONG highest, ULONGLONG boundary,
                  MEMORY_CACHING_TYPE cache)
{
    PHYSICAL_ADDRESS low = { .QuadPart = (LONGLONG)lowest };
    PHYSICAL_ADDRESS high = { .QuadPart = (LONGLONG)highest };
    PHYSICAL_ADDRESS multiple = { .QuadPart = (LONGLONG)boundary };

    return MmAllocateContiguousMemorySpecifyCache(bytes, low, high, multiple, cache);
}

static ULONGLONG physical(PVOID address)
{
    return (ULONGLONG)MmGetPhysicalAddress(address).QuadPart;
}

/* Where some free pages are; nobody else takes memory meanwhile. */
static ULONGLONG free_pages(SIZE_T bytes)
{
    PVOID block = take(bytes, 0, ANYWHERE, 0, MmCached);
    ULONGLONG base = block ? physical(block) : 0;

    EXPECT(block != NULL);
    if (block) {
        MmFreeContiguousMemory(block);
    }
    return base;
}

static void expect_at(SIZE_T bytes, ULONGLONG low, ULONGLONG high, ULONGLONG base)
{
    PVOID block = take(bytes, low, high, 0, MmCached);

    EXPECT(block != NULL);
    if (block) {
        EXPECT_EQUAL(physical(block), base);
        MmFreeContiguousMemory(block);
    }
}

/* HighestAcceptableAddress is the last address that may be used. */
static void inclusive(void)
{
    ULONGLONG base = free_pages(2 * PAGE_SIZE);

    expect_at(PAGE_SIZE, base, base + PAGE_SIZE - 1, base);
    expect_at(2 * PAGE_SIZE, base, base + 2 * PAGE_SIZE - 1, base);
    EXPECT(take(PAGE_SIZE, base, base + PAGE_SIZE - 2, 0, MmCached) == NULL);
    EXPECT(take(2 * PAGE_SIZE, base, base + 2 * PAGE_SIZE - 2, 0, MmCached) == NULL);
}

static void mid_page(void)
{
    ULONGLONG base = free_pages(2 * PAGE_SIZE);

    expect_at(PAGE_SIZE, base + 1, base + 2 * PAGE_SIZE - 1, base + PAGE_SIZE);
    expect_at(100, base, base + 99, base);
    EXPECT(take(101, base, base + 99, 0, MmCached) == NULL);
    EXPECT(take(PAGE_SIZE, base + 1, base + 2 * PAGE_SIZE - 2, 0, MmCached) == NULL);
    EXPECT(take(2 * PAGE_SIZE, base + 1, base + 2 * PAGE_SIZE - 1, 0, MmCached) == NULL);
}

static void boundary(void)
{
    PVOID blocks[16];

    for (ULONG i = 0; i < RTL_NUMBER_OF(blocks); i++) {
        ULONGLONG base;

        blocks[i] = take(3 * PAGE_SIZE, 0, ANYWHERE, 4 * PAGE_SIZE, MmCached);
        EXPECT(blocks[i] != NULL);
        base = blocks[i] ? physical(blocks[i]) : 0;
        EXPECT_EQUAL(base / (4 * PAGE_SIZE), (base + 3 * PAGE_SIZE - 1) / (4 * PAGE_SIZE));
    }
    for (ULONG i = 0; i < RTL_NUMBER_OF(blocks); i++) {
        if (blocks[i]) {
            MmFreeContiguousMemory(blocks[i]);
        }
    }
    EXPECT(take(2 * PAGE_SIZE, 0, ANYWHERE, PAGE_SIZE, MmCached) == NULL);
    EXPECT(take(PAGE_SIZE + 1, 0, ANYWHERE, PAGE_SIZE, MmCached) == NULL);
    EXPECT(take(PAGE_SIZE, 0, ANYWHERE, 0x3000, MmCached) == NULL);
}

static void below(void)
{
    PHYSICAL_ADDRESS high = { .QuadPart = 16 * MIB - 1 };
    PVOID block = MmAllocateContiguousMemory(64 * KIB, high);

    EXPECT(block != NULL);
    if (block) {
        EXPECT(physical(block) + 64 * KIB <= 16 * MIB);
        EXPECT_EQUAL(physical((PUCHAR)block + 64 * KIB - 1), physical(block) + 64 * KIB - 1);
        MmFreeContiguousMemory(block);
    }
}

static void impossible(void)
{
    EXPECT(take(0, 0, ANYWHERE, 0, MmCached) == NULL);
    EXPECT(take(PAGE_SIZE, 2 * MIB, MIB, 0, MmCached) == NULL);
    EXPECT(take((SIZE_T)1 << 46, 0, ANYWHERE, 0, MmCached) == NULL);
    EXPECT(take(~(SIZE_T)0, 0, ANYWHERE, 0, MmCached) == NULL);
    EXPECT(take(32 * MIB, 0, 16 * MIB - 1, 0, MmCached) == NULL);
    EXPECT(take(PAGE_SIZE, 1ull << 51, ANYWHERE, 0, MmCached) == NULL);
}

static void cache_types(void)
{
    ULONGLONG cached, uncached;
    PVOID one = take(PAGE_SIZE, 0, ANYWHERE, 0, MmCached);
    PVOID other = take(PAGE_SIZE, 0, ANYWHERE, 0, MmNonCached);

    EXPECT(one && other);
    cached = page_entry(one);
    uncached = page_entry(other);
    EXPECT_EQUAL(cached & (PTE_NO_CACHE | PTE_WRITE_THROUGH), 0);
    EXPECT_EQUAL(uncached & (PTE_NO_CACHE | PTE_WRITE_THROUGH),
                 PTE_NO_CACHE | PTE_WRITE_THROUGH);
    EXPECT(cached & uncached & PTE_NO_EXECUTE);
    EXPECT(cached & uncached & PTE_WRITE);
    MmFreeContiguousMemory(one);
    MmFreeContiguousMemory(other);
    EXPECT_EQUAL(page_entry(one), 0);
    EXPECT_EQUAL(page_entry(other), 0);
}

static bool all_zero(const UCHAR *block, SIZE_T bytes)
{
    for (SIZE_T i = 0; i < bytes; i++) {
        if (block[i]) {
            return false;
        }
    }
    return true;
}

/* Dirty pages come back clean. */
static void clean(void)
{
    SIZE_T bytes = 3 * PAGE_SIZE;
    PUCHAR block = take(bytes, 0, ANYWHERE, 0, MmCached);
    ULONGLONG base = physical(block);

    RtlFillMemory(block, bytes, 0xa5);
    MmFreeContiguousMemory(block);
    block = take(bytes, base, base + bytes - 1, 0, MmCached);
    EXPECT(block != NULL);
    if (block) {
        EXPECT(all_zero(block, bytes));
        MmFreeContiguousMemory(block);
    }
}

const struct check contiguous_checks[] = {
    { "contiguous/inclusive", inclusive },
    { "contiguous/mid-page", mid_page },
    { "contiguous/boundary", boundary },
    { "contiguous/below-16m", below },
    { "contiguous/impossible", impossible },
    { "contiguous/cache-types", cache_types },
    { "contiguous/clean", clean },
    { NULL, NULL },
};
