/* SPDX-License-Identifier: MIT */
/* selftest.sys: DMA adapters and how common buffers are mapped */
#include "selftest.h"

#define UNCACHED                    (PTE_NO_CACHE | PTE_WRITE_THROUGH)
#define MSR_PAT                     0x277
#define PAT_UNCACHEABLE             0u
#define PAT_WRITE_BACK              6u

/* Virtual addresses rest for a while: more than 64 times 0x5000 and what is around. */
#define REUSED_WITHIN               0x400000u

typedef PVOID take_buffer(PDMA_ADAPTER adapter, ULONG length, PPHYSICAL_ADDRESS logical,
                          BOOLEAN cached);

static PVOID take_plain(PDMA_ADAPTER adapter, ULONG length, PPHYSICAL_ADDRESS logical,
                        BOOLEAN cached)
{
    return operations(adapter)->AllocateCommonBuffer(adapter, length, logical, cached);
}

static PVOID take_ex(PDMA_ADAPTER adapter, ULONG length, PPHYSICAL_ADDRESS logical,
                     BOOLEAN cached)
{
    return operations(adapter)->AllocateCommonBufferEx(adapter, NULL, length, logical, cached,
                                                       MM_ANY_NODE_OK);
}

static PVOID take_bounded(PDMA_ADAPTER adapter, ULONG length, PPHYSICAL_ADDRESS logical,
                          BOOLEAN cached)
{
    MEMORY_CACHING_TYPE cache = cached ? MmCached : MmNonCached;

    return operations(adapter)->AllocateCommonBufferWithBounds(
        adapter, NULL, NULL, length, 0, &cache, MM_ANY_NODE_OK, logical);
}

static void give(PDMA_ADAPTER adapter, ULONG length, PHYSICAL_ADDRESS logical, PVOID address,
                 BOOLEAN cached)
{
    operations(adapter)->FreeCommonBuffer(adapter, length, logical, address, cached);
}

/* The memory type that the PAT has for a page whose entry has these cache bits. */
static ULONG memory_type(ULONGLONG cache_bits)
{
    ULONG index = (cache_bits & PTE_WRITE_THROUGH ? 1 : 0) | (cache_bits & PTE_NO_CACHE ? 2 : 0);
    ULONG low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_PAT));
    return low >> (8 * index) & 7;
}

/* What the bits in the page table mean is for the PAT to say. */
static void memory_types(void)
{
    EXPECT_EQUAL(memory_type(0), PAT_WRITE_BACK);
    EXPECT_EQUAL(memory_type(UNCACHED), PAT_UNCACHEABLE);
}

/* Every page of it, the guard pages around it, and its end. */
static void check_mapping(take_buffer *take, ULONG length, BOOLEAN cached, ULONGLONG cache_bits)
{
    PDMA_ADAPTER adapter = new_adapter(64);
    PHYSICAL_ADDRESS logical = { .QuadPart = 0 };
    PUCHAR buffer = adapter ? take(adapter, length, &logical, cached) : NULL;
    ULONG at;

    EXPECT(buffer != NULL);
    if (!buffer) {
        return;
    }
    for (at = 0; at < length; at += PAGE_SIZE) {
        ULONGLONG entry = page_entry(buffer + at);

        expect_logical(buffer + at, logical.QuadPart + at);
        EXPECT_EQUAL(entry & UNCACHED, cache_bits);
        EXPECT((entry & PTE_WRITE) && (entry & PTE_NO_EXECUTE));
    }
    EXPECT_EQUAL(page_entry(buffer - 1), 0);
    EXPECT_EQUAL(page_entry(buffer + at), 0);
    give(adapter, length, logical, buffer, cached);
    for (at = 0; at < length; at += PAGE_SIZE) {
        EXPECT_EQUAL(page_entry(buffer + at), 0);
    }
    put_adapter(adapter);
}

/* NULL for CacheType: x64 is coherent, so that cached is the platform's own. */
static PVOID take_unsaid(PDMA_ADAPTER adapter, ULONG length, PPHYSICAL_ADDRESS logical,
                         BOOLEAN cached)
{
    UNREFERENCED_PARAMETER(cached);
    return operations(adapter)->AllocateCommonBufferWithBounds(
        adapter, NULL, NULL, length, 0, NULL, MM_ANY_NODE_OK, logical);
}

static const ULONG lengths[] = { 1, PAGE_SIZE - 1, PAGE_SIZE, PAGE_SIZE + 1, 0x10000, 0x123456 };

static void cached(void)
{
    for (ULONG i = 0; i < RTL_NUMBER_OF(lengths); i++) {
        check_mapping(take_ex, lengths[i], TRUE, 0);
        check_mapping(take_bounded, lengths[i], TRUE, 0);
    }
}

static void uncached(void)
{
    for (ULONG i = 0; i < RTL_NUMBER_OF(lengths); i++) {
        check_mapping(take_ex, lengths[i], FALSE, UNCACHED);
        check_mapping(take_bounded, lengths[i], FALSE, UNCACHED);
    }
}

/* AllocateCommonBuffer's CacheEnabled is ignored where DMA is coherent. */
static void plain(void)
{
    check_mapping(take_plain, 0x3001, TRUE, 0);
    check_mapping(take_plain, 0x3001, FALSE, 0);
    check_mapping(take_unsaid, 0x3001, TRUE, 0);
}

/*
 * Memory and addresses that were given back are used again: virtual ones not at
 * once, but after a while.
 */
static void nothing_lost(void)
{
    PDMA_ADAPTER adapter = new_adapter(64);
    PHYSICAL_ADDRESS first_logical, logical;
    PUCHAR first, last, buffer;

    if (!adapter) {
        return;
    }
    first = take_ex(adapter, 0x5000, &first_logical, TRUE);
    give(adapter, 0x5000, first_logical, first, TRUE);
    last = first;
    for (ULONG i = 0; i < 2000; i++) {
        buffer = take_ex(adapter, 0x5000, &logical, TRUE);
        EXPECT(buffer != last && logical.QuadPart == first_logical.QuadPart);
        EXPECT((SIZE_T)(buffer > first ? buffer - first : first - buffer) < REUSED_WITHIN);
        last = buffer;
        if (!buffer) {
            break;
        }
        give(adapter, 0x5000, logical, buffer, TRUE);
    }
    put_adapter(adapter);
}

/* Elements of a vector are mapped as common buffers are, each between its guards. */
static void check_vector(MEMORY_CACHING_TYPE cache, ULONGLONG cache_bits)
{
    PHYSICAL_ADDRESS low = { .QuadPart = 0 }, high = { .QuadPart = -1 }, logical;
    PDMA_ADAPTER adapter = new_adapter(64);
    PDMA_COMMON_BUFFER_VECTOR vector = NULL;
    PUCHAR element[3];
    PVOID address;

    if (!adapter) {
        return;
    }
    EXPECT_STATUS(operations(adapter)->AllocateCommonBufferVector(
        adapter, low, high, cache, MM_ANY_NODE_OK, 0, 3, PAGE_SIZE + 1, &vector), STATUS_SUCCESS);
    for (ULONG i = 0; vector && i < RTL_NUMBER_OF(element); i++) {
        operations(adapter)->GetCommonBufferFromVectorByIndex(adapter, vector, i, &address, &logical);
        element[i] = address;
        for (ULONG at = 0; at <= PAGE_SIZE; at += PAGE_SIZE) {
            ULONGLONG entry = page_entry(element[i] + at);

            expect_logical(element[i] + at, logical.QuadPart + at);
            EXPECT_EQUAL(entry & UNCACHED, cache_bits);
        }
        EXPECT_EQUAL(page_entry(element[i] - 1), 0);
        EXPECT_EQUAL(page_entry(element[i] + 2 * PAGE_SIZE), 0);
    }
    if (vector) {
        operations(adapter)->FreeCommonBufferFromVector(adapter, vector, 1);
        EXPECT(!page_entry(element[1]) && page_entry(element[0]) && page_entry(element[2]));
        operations(adapter)->FreeCommonBufferVector(adapter, vector);
        EXPECT(!page_entry(element[0]) && !page_entry(element[2]));
    }
    put_adapter(adapter);
}

static void vectors(void)
{
    check_vector(MmCached, 0);
    check_vector(MmNonCached, UNCACHED);
}

/* Sizes and numbers at which a careless sum wraps round. */
static void vectors_refused(void)
{
    static const struct {
        ULONG count;
        ULONGLONG size;
        ULONG flags;
    } huge[] = {
        { 1, MAXULONGLONG, 0 },
        { 1, MAXULONGLONG, DOMAIN_COMMON_BUFFER_LARGE_PAGE },
        { 1, 1ull << 63, 0 },
        { 2, 1ull << 52, 0 },
        { MAXULONG, PAGE_SIZE, 0 },
        { MAXULONG, MAXULONGLONG, DOMAIN_COMMON_BUFFER_LARGE_PAGE },
    };
    PHYSICAL_ADDRESS low = { .QuadPart = 0 }, high = { .QuadPart = -1 };
    PDMA_ADAPTER adapter = new_adapter(64);

    for (ULONG i = 0; adapter && i < RTL_NUMBER_OF(huge); i++) {
        PDMA_COMMON_BUFFER_VECTOR vector = (PDMA_COMMON_BUFFER_VECTOR)&low;

        EXPECT_STATUS(operations(adapter)->AllocateCommonBufferVector(
            adapter, low, high, MmCached, MM_ANY_NODE_OK, huge[i].flags, huge[i].count,
            huge[i].size, &vector), STATUS_INSUFFICIENT_RESOURCES);
        EXPECT(!vector);
    }
    if (adapter) {
        put_adapter(adapter);
    }
}

static void refused(void)
{
    MEMORY_CACHING_TYPE combined = MmWriteCombined;
    PDMA_ADAPTER adapter = new_adapter(64);
    PHYSICAL_ADDRESS zero = { .QuadPart = 0 }, logical;
    PDMA_OPERATIONS3 call;

    if (!adapter) {
        return;
    }
    call = operations(adapter);
    EXPECT(!take_plain(adapter, 0, &logical, TRUE));
    EXPECT(!take_ex(adapter, 0, &logical, TRUE));
    EXPECT(!call->AllocateCommonBufferEx(adapter, &zero, 1, &logical, TRUE, MM_ANY_NODE_OK));
    EXPECT(!call->AllocateCommonBufferEx(adapter, NULL, 1, &logical, TRUE, 4096));
    EXPECT(!call->AllocateCommonBufferWithBounds(adapter, NULL, NULL, 1, 0, &combined,
                                                 MM_ANY_NODE_OK, &logical));
    for (ULONG flag = DOMAIN_COMMON_BUFFER_LARGE_PAGE << 1; flag; flag <<= 1) {
        EXPECT(!call->AllocateCommonBufferWithBounds(adapter, NULL, NULL, 1, flag, NULL,
                                                     MM_ANY_NODE_OK, &logical));
    }
    put_adapter(adapter);
}

static void reach(void)
{
    static const ULONG widths[] = { 20, 24, 31, 32, 36, 64 };

    for (ULONG i = 0; i < RTL_NUMBER_OF(widths); i++) {
        PDMA_ADAPTER adapter = new_adapter(widths[i]);
        DMA_ADAPTER_INFO info = { .Version = DMA_ADAPTER_INFO_VERSION1 };
        PHYSICAL_ADDRESS logical = { .QuadPart = -1 };
        PVOID buffer;

        if (!adapter) {
            continue;
        }
        EXPECT_STATUS(operations(adapter)->GetDmaAdapterInfo(adapter, &info), STATUS_SUCCESS);
        EXPECT_EQUAL(info.V1.DmaAddressWidth, widths[i]);
        info.Version = DMA_ADAPTER_INFO_VERSION1 + 1;
        EXPECT(!NT_SUCCESS(operations(adapter)->GetDmaAdapterInfo(adapter, &info)));
        EXPECT(operations(adapter)->GetDmaAlignment(adapter) >= 1);
        buffer = take_plain(adapter, PAGE_SIZE, &logical, TRUE);
        EXPECT(buffer != NULL);
        if (buffer) {
            ULONGLONG last = (ULONGLONG)logical.QuadPart + PAGE_SIZE - 1;

            EXPECT(widths[i] == 64 || last >> widths[i] == 0);
            give(adapter, PAGE_SIZE, logical, buffer, TRUE);
        }
        put_adapter(adapter);
    }
}

/* The table of each version of the interface ends where the documents end it. */
static void versions(void)
{
    static const ULONG sizes[] = { DMA_OPERATIONS_SIZE_V1, DMA_OPERATIONS_SIZE_V1,
                                   DMA_OPERATIONS_SIZE_V2, DMA_OPERATIONS_SIZE_WIN10_FULL };
    PDEVICE_OBJECT pdo = device_pdo();

    for (ULONG version = 0; pdo && version <= 4; version++) {
        DEVICE_DESCRIPTION3 description = master_description(32);
        PDMA_ADAPTER adapter;
        ULONG registers = 0;

        description.Version = version;
        description.Dma32BitAddresses = TRUE;
        adapter = IoGetDmaAdapter(pdo, (PDEVICE_DESCRIPTION)&description, &registers);
        EXPECT_EQUAL(adapter != NULL, version <= 3);
        if (adapter) {
            EXPECT(registers >= description.MaximumLength / PAGE_SIZE);
            EXPECT_EQUAL(operations(adapter)->Size, sizes[version]);
            put_adapter(adapter);
        }
    }
    if (pdo) {
        ObDereferenceObject(pdo);
    }
}

/*
 * A description before version 3 is 0x28 bytes long.  Behind this one there is
 * an unmapped page.
 */
static void short_description(void)
{
    PHYSICAL_ADDRESS any = { .QuadPart = -1 };
    PUCHAR page = MmAllocateContiguousMemory(PAGE_SIZE, any);
    PDEVICE_DESCRIPTION description = (PDEVICE_DESCRIPTION)(page + PAGE_SIZE - 0x28);
    PDEVICE_OBJECT pdo = device_pdo();

    EXPECT(page != NULL && page_entry(page + PAGE_SIZE) == 0);
    for (ULONG version = 0; page && pdo && version <= 2; version++) {
        PDMA_ADAPTER adapter;
        ULONG registers;

        RtlZeroMemory(description, sizeof(*description));
        description->Version = version;
        description->Master = TRUE;
        description->InterfaceType = PCIBus;
        description->MaximumLength = PAGE_SIZE;
        adapter = IoGetDmaAdapter(pdo, description, &registers);
        EXPECT(adapter != NULL);
        if (adapter) {
            put_adapter(adapter);
        }
    }
    if (page) {
        MmFreeContiguousMemory(page);
    }
    if (pdo) {
        ObDereferenceObject(pdo);
    }
}

const struct check buffer_checks[] = {
    { "common-buffer/memory-types", memory_types },
    { "common-buffer/cached", cached },
    { "common-buffer/uncached", uncached },
    { "common-buffer/plain", plain },
    { "common-buffer/nothing-lost", nothing_lost },
    { "common-buffer/refused", refused },
    { "common-buffer/vectors", vectors },
    { "common-buffer/vectors-refused", vectors_refused },
    { "adapter/reach", reach },
    { "adapter/versions", versions },
    { "adapter/short-description", short_description },
    { NULL, NULL },
};
