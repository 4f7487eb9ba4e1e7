/* SPDX-License-Identifier: MIT */
/* selftest.sys: memory types, by the page tables and the processor's table of types (PAT) */
#include "selftest.h"

/* As the processor's manual numbers them. */
enum { UNCACHED = 0, WRITE_COMBINING = 1, WRITE_BACK = 6 };

#define MSR_PAT                     0x277u

static ULONGLONG read_msr(ULONG number)
{
    ULONG low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
    return (ULONGLONG)high << 32 | low;
}

ULONG page_type(const volatile void *address)
{
    ULONGLONG entry = page_entry(address);
    ULONG index = (entry & PTE_WRITE_THROUGH ? 1 : 0) | (entry & PTE_NO_CACHE ? 2 : 0) |
                  (entry & PTE_PAT ? 4 : 0);

    return (ULONG)(read_msr(MSR_PAT) >> (8 * index) & 7);
}

static ULONG type_of_common_buffer(BOOLEAN cached, ULONG bytes)
{
    PDMA_ADAPTER adapter = new_adapter(64);
    PHYSICAL_ADDRESS logical;
    ULONG first = ~0u, last = ~0u;
    PUCHAR buffer;

    if (!adapter) {
        return ~0u;
    }
    buffer = operations(adapter)->AllocateCommonBufferEx(adapter, NULL, bytes, &logical, cached,
                                                         MM_ANY_NODE_OK);
    EXPECT(buffer != NULL);
    if (buffer) {
        first = page_type(buffer);
        last = page_type(buffer + bytes - 1);
        operations(adapter)->FreeCommonBuffer(adapter, bytes, logical, buffer, cached);
    }
    put_adapter(adapter);
    EXPECT_EQUAL(first, last);
    return first;
}

static void common_buffers(void)
{
    EXPECT_EQUAL(type_of_common_buffer(TRUE, PAGE_SIZE), WRITE_BACK);
    EXPECT_EQUAL(type_of_common_buffer(FALSE, PAGE_SIZE), UNCACHED);
    EXPECT_EQUAL(type_of_common_buffer(TRUE, 5 * PAGE_SIZE + 1), WRITE_BACK);
    EXPECT_EQUAL(type_of_common_buffer(FALSE, 5 * PAGE_SIZE + 1), UNCACHED);
}

static ULONG type_of_mapping(MEMORY_CACHING_TYPE cache)
{
    PHYSICAL_ADDRESS anywhere = { .QuadPart = ~0ull >> 1 };
    PVOID block = MmAllocateContiguousMemory(PAGE_SIZE, anywhere);
    PVOID mapping = MmMapIoSpace(MmGetPhysicalAddress(block), PAGE_SIZE, cache);
    ULONG type = page_type(mapping);

    MmUnmapIoSpace(mapping, PAGE_SIZE);
    MmFreeContiguousMemory(block);
    return type;
}

static void mappings(void)
{
    EXPECT_EQUAL(type_of_mapping(MmCached), WRITE_BACK);
    EXPECT_EQUAL(type_of_mapping(MmNonCached), UNCACHED);
    EXPECT_EQUAL(type_of_mapping(MmWriteCombined), WRITE_COMBINING);
}

static volatile LONG other_types;
static ULONGLONG types;

static ULONG_PTR NTAPI compare_types(ULONG_PTR context)
{
    UNREFERENCED_PARAMETER(context);
    if (read_msr(MSR_PAT) != types) {
        InterlockedIncrement(&other_types);
    }
    return 0;
}

/* Processors that read an entry differently would break every mapping. */
static void on_every_processor(void)
{
    types = read_msr(MSR_PAT);
    other_types = 0;
    KeIpiGenericCall(compare_types, 0);
    EXPECT_EQUAL(other_types, 0);
    EXPECT_EQUAL(types & 7, WRITE_BACK);
    EXPECT_EQUAL(types >> 24 & 7, UNCACHED);
}

const struct check cache_type_checks[] = {
    { "cache-types/common-buffers", common_buffers },
    { "cache-types/mappings", mappings },
    { "cache-types/every-processor", on_every_processor },
    { NULL, NULL },
};
