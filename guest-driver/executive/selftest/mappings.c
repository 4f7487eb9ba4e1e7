/* SPDX-License-Identifier: MIT */
/* selftest.sys: addresses, and memory of devices */
#include "selftest.h"

#include "bootblock.h"

#define HPET                        0xfed00000ull
#define HPET_COUNTER                0x0f0u

static PVOID map(ULONGLONG address, SIZE_T bytes, MEMORY_CACHING_TYPE cache)
{
    PHYSICAL_ADDRESS physical = { .QuadPart = (LONGLONG)address };

    return MmMapIoSpace(physical, bytes, cache);
}

static void physical_address(void)
{
    PHYSICAL_ADDRESS anywhere = { .QuadPart = ~0ull >> 1 };
    PUCHAR block = MmAllocateContiguousMemory(2 * PAGE_SIZE, anywhere);
    ULONGLONG base = (ULONGLONG)MmGetPhysicalAddress(block).QuadPart;
    PVOID pool = ExAllocatePoolWithTag(NonPagedPool, 100, SELFTEST_TAG);

    EXPECT_EQUAL(base, page_entry(block) & PTE_ADDRESS);
    EXPECT_EQUAL(MmGetPhysicalAddress(block + 0x123).QuadPart, base + 0x123);
    EXPECT_EQUAL(MmGetPhysicalAddress(block + 2 * PAGE_SIZE - 1).QuadPart,
                 base + 2 * PAGE_SIZE - 1);
    EXPECT_EQUAL(MmGetPhysicalAddress(pool).QuadPart,
                 (page_entry(pool) & PTE_ADDRESS) | ((ULONG_PTR)pool & (PAGE_SIZE - 1)));
    EXPECT_EQUAL(MmGetPhysicalAddress((PVOID)(ULONG_PTR)(BOOT_DIRECT_MAP + base + 5)).QuadPart,
                 base + 5);
    MmFreeContiguousMemory(block);
    EXPECT_EQUAL(MmGetPhysicalAddress(block).QuadPart, 0);
    EXPECT_EQUAL(MmGetPhysicalAddress(NULL).QuadPart, 0);
    ExFreePoolWithTag(pool, SELFTEST_TAG);
}

static void valid(void)
{
    ULONG local = 0;

    EXPECT(MmIsAddressValid(&local));
    EXPECT(MmIsAddressValid((PVOID)(ULONG_PTR)mapping_checks));
    EXPECT(!MmIsAddressValid(NULL));
    EXPECT(!MmIsAddressValid((PVOID)(PAGE_SIZE - 1)));
    EXPECT(!MmIsAddressValid((PVOID)0x0000800000000000ull));
    EXPECT(!MmIsAddressValid((PVOID)0xffff7fffffffffffull));
    EXPECT(!MmIsAddressValid((PVOID)0x1000800000000000ull));
    EXPECT(!MmIsAddressValid((PVOID)~0ull));
}

/* Registers start anywhere in a page. */
static void odd_offset(void)
{
    PUCHAR counter = map(HPET + HPET_COUNTER, 8, MmNonCached);
    ULONGLONG entry, first;

    EXPECT(counter != NULL);
    if (!counter) {
        return;
    }
    EXPECT_EQUAL((ULONG_PTR)counter & (PAGE_SIZE - 1), HPET_COUNTER);
    entry = page_entry(counter);
    EXPECT_EQUAL(entry & PTE_ADDRESS, HPET);
    EXPECT_EQUAL(entry & (PTE_NO_CACHE | PTE_WRITE_THROUGH), PTE_NO_CACHE | PTE_WRITE_THROUGH);
    EXPECT(entry & PTE_NO_EXECUTE);
    EXPECT_EQUAL(page_entry(counter - PAGE_SIZE), 0);
    EXPECT_EQUAL(page_entry(counter + PAGE_SIZE), 0);
    first = *(volatile ULONGLONG *)counter;
    KeStallExecutionProcessor(10);
    EXPECT(*(volatile ULONGLONG *)counter > first);
    MmUnmapIoSpace(counter, 8);
    EXPECT_EQUAL(page_entry(counter), 0);
}

/* Two bytes at the end of a page and the start of the next. */
static void across_pages(void)
{
    PHYSICAL_ADDRESS anywhere = { .QuadPart = ~0ull >> 1 };
    PUCHAR block = MmAllocateContiguousMemory(2 * PAGE_SIZE, anywhere);
    ULONGLONG base = (ULONGLONG)MmGetPhysicalAddress(block).QuadPart;
    PUCHAR twin = map(base + PAGE_SIZE - 1, 2, MmCached);

    EXPECT(twin != NULL);
    if (twin) {
        twin[0] = 0x12;
        twin[1] = 0x34;
        EXPECT(block[PAGE_SIZE - 1] == 0x12 && block[PAGE_SIZE] == 0x34);
        EXPECT_EQUAL(page_entry(twin) & (PTE_NO_CACHE | PTE_WRITE_THROUGH), 0);
        EXPECT_EQUAL(page_entry(twin + 1 + PAGE_SIZE), 0);
        MmUnmapIoSpace(twin, 2);
        EXPECT_EQUAL(page_entry(twin), 0);
        EXPECT_EQUAL(page_entry(twin + 1), 0);
    }
    MmFreeContiguousMemory(block);
}

static void absurd(void)
{
    static const struct { ULONGLONG address, bytes; } requests[] = {
        { HPET, 0 },
        { HPET, 1ull << 46 },
        { HPET, 1ull << 52 },
        { HPET, ~0ull },
        { HPET + 1, ~0ull },
        { HPET, ~0ull - PAGE_SIZE },
        { 1ull << 52, PAGE_SIZE },
        { 1ull << 63, PAGE_SIZE },
        { ~0ull - 10, 100 },
        { (1ull << 52) - 1, 2 },
    };

    for (ULONG i = 0; i < RTL_NUMBER_OF(requests); i++) {
        PVOID mapped = map(requests[i].address, (SIZE_T)requests[i].bytes, MmNonCached);

        EXPECT_EQUAL((ULONG_PTR)mapped, 0);
    }
}

/* Address space that was given back is used again. */
static void nothing_lost(void)
{
    PVOID first = map(HPET, 5 * PAGE_SIZE, MmNonCached), again = NULL;

    MmUnmapIoSpace(first, 5 * PAGE_SIZE);
    for (ULONG i = 0; i < 5000; i++) {
        again = map(HPET, 5 * PAGE_SIZE, MmNonCached);
        EXPECT(again != NULL);
        if (!again) {
            return;
        }
        MmUnmapIoSpace(again, 5 * PAGE_SIZE);
    }
    EXPECT(again == first);
}

const struct check mapping_checks[] = {
    { "address/physical", physical_address },
    { "address/valid", valid },
    { "map-io-space/odd-offset", odd_offset },
    { "map-io-space/across-pages", across_pages },
    { "map-io-space/absurd", absurd },
    { "map-io-space/nothing-lost", nothing_lost },
    { NULL, NULL },
};
