/* SPDX-License-Identifier: MIT */
/* selftest.sys: where common buffers lie, as far as no exercise asks */
#include "selftest.h"

#define LARGE_PAGE                  (512 * PAGE_SIZE)
#define MESSAGES                    0xfee00000ll    /* writes from there on are interrupts */
#define MESSAGES_END                0xfef00000ll
#define SPARED                      0x1000000ull    /* what lies below is handed out last */

/* Where a page lies that is asked for without any bounds; it is given back. */
static ULONGLONG highest(PDMA_ADAPTER adapter)
{
    PDMA_OPERATIONS call = adapter->DmaOperations;
    PHYSICAL_ADDRESS logical = { .QuadPart = 0 };
    PVOID buffer = call->AllocateCommonBuffer(adapter, PAGE_SIZE, &logical, TRUE);

    EXPECT(buffer != NULL);
    if (buffer) {
        call->FreeCommonBuffer(adapter, PAGE_SIZE, logical, buffer, TRUE);
    }
    return (ULONGLONG)logical.QuadPart;
}

/* Every version before 3 implies the same: what a version 3 adapter of that width reaches. */
static void implied(void)
{
    static const struct {
        BOOLEAN dma32, dma64, lists;
        INTERFACE_TYPE bus;
        ULONG width;
    } cases[] = {
        { FALSE, FALSE, FALSE, PCIBus, 24 }, { FALSE, FALSE, FALSE, Isa, 24 },
        { FALSE, FALSE, TRUE, Isa, 24 }, { FALSE, FALSE, TRUE, PCIBus, 32 },
        { TRUE, FALSE, FALSE, Isa, 32 }, { TRUE, FALSE, TRUE, PCIBus, 32 },
        { FALSE, TRUE, FALSE, Isa, 64 }, { TRUE, TRUE, TRUE, PCIBus, 64 },
    };
    PDEVICE_OBJECT pdo = device_pdo();

    for (ULONG i = 0; pdo && i < RTL_NUMBER_OF(cases); i++) {
        for (ULONG version = 0; version <= 2; version++) {
            DEVICE_DESCRIPTION description = {
                .Version = version, .Master = TRUE, .InterfaceType = cases[i].bus,
                .ScatterGather = cases[i].lists, .Dma32BitAddresses = cases[i].dma32,
                .Dma64BitAddresses = cases[i].dma64, .MaximumLength = PAGE_SIZE,
            };
            ULONG registers;
            PDMA_ADAPTER adapter = IoGetDmaAdapter(pdo, &description, &registers);
            PDMA_ADAPTER equal = new_adapter(cases[i].width);

            EXPECT(adapter != NULL);
            if (adapter && equal) {
                EXPECT_EQUAL(highest(adapter), highest(equal));
            }
            if (adapter) {
                adapter->DmaOperations->PutDmaAdapter(adapter);
            }
            if (equal) {
                put_adapter(equal);
            }
        }
    }
    if (pdo) {
        ObDereferenceObject(pdo);
    }
}

/* The page of memory that a buffer got which may lie anywhere, or on the node; it is given back. */
static ULONGLONG page_got(PDMA_ADAPTER adapter, const USHORT *node)
{
    PHYSICAL_ADDRESS logical;
    PVOID buffer = node ? operations(adapter)->AllocateCommonBufferEx(adapter, NULL, PAGE_SIZE, &logical,
                                                                      TRUE, *node)
                        : operations(adapter)->AllocateCommonBuffer(adapter, PAGE_SIZE, &logical, TRUE);
    ULONGLONG page = buffer ? page_entry(buffer) & PTE_ADDRESS : 0;

    EXPECT(buffer != NULL);
    if (buffer) {
        operations(adapter)->FreeCommonBuffer(adapter, PAGE_SIZE, logical, buffer, TRUE);
    }
    return page;
}

/* AllocateCommonBuffer takes no node: it prefers the device's own. */
static void own_node(void)
{
    static const ULONG widths[] = { 64, 32, 24 };
    PDEVICE_OBJECT pdo = device_pdo();
    USHORT node = 0;

    if (!pdo) {
        return;
    }
    /* Where there are no nodes the device has none, and all memory is node 0's. */
    IoGetDeviceNumaNode(pdo, &node);
    for (ULONG i = 0; i < RTL_NUMBER_OF(widths); i++) {
        PDMA_ADAPTER adapter = new_adapter(widths[i]);

        if (adapter) {
            EXPECT_EQUAL(page_got(adapter, NULL), page_got(adapter, &node));
            put_adapter(adapter);
        }
    }
    ObDereferenceObject(pdo);
}

static PVOID take_large(PDMA_ADAPTER adapter, PPHYSICAL_ADDRESS logical)
{
    return operations(adapter)->AllocateCommonBufferWithBounds(
        adapter, NULL, NULL, 1, DOMAIN_COMMON_BUFFER_LARGE_PAGE, NULL, MM_ANY_NODE_OK, logical);
}

/* Behind a page that somebody has: the next place would be no multiple of a large page. */
static void large_pages(void)
{
    PDMA_ADAPTER adapter = new_adapter(64);
    PHYSICAL_ADDRESS at[3];
    PVOID small, large[2];

    if (!adapter) {
        return;
    }
    small = operations(adapter)->AllocateCommonBuffer(adapter, PAGE_SIZE, &at[2], TRUE);
    EXPECT(small != NULL);
    for (ULONG i = 0; i < RTL_NUMBER_OF(large); i++) {
        large[i] = take_large(adapter, &at[i]);
        EXPECT(large[i] != NULL);
        EXPECT_EQUAL(at[i].QuadPart % LARGE_PAGE, 0);
    }
    EXPECT(at[0].QuadPart >= at[1].QuadPart + LARGE_PAGE || at[1].QuadPart >= at[0].QuadPart + LARGE_PAGE);
    for (ULONG i = 0; i < RTL_NUMBER_OF(large); i++) {
        if (large[i]) {
            operations(adapter)->FreeCommonBuffer(adapter, 1, at[i], large[i], TRUE);
        }
    }
    if (small) {
        operations(adapter)->FreeCommonBuffer(adapter, PAGE_SIZE, at[2], small, TRUE);
    }
    put_adapter(adapter);
}

bool page_at(PDMA_ADAPTER adapter, LONGLONG address)
{
    PHYSICAL_ADDRESS low = { .QuadPart = address }, above = { .QuadPart = address + PAGE_SIZE }, logical;
    PVOID buffer = operations(adapter)->AllocateCommonBufferWithBounds(adapter, &low, &above, PAGE_SIZE, 0,
                                                                       NULL, MM_ANY_NODE_OK, &logical);

    if (buffer) {
        EXPECT_EQUAL(logical.QuadPart, address);
        operations(adapter)->FreeCommonBuffer(adapter, PAGE_SIZE, logical, buffer, TRUE);
    }
    return buffer != NULL;
}

/*
 * Behind an IOMMU any logical address will do, but for 0, which is what a device has that was told none,
 * and those whose writes are interrupts.
 */
static void never_given(void)
{
    static const LONGLONG never[] = { 0, MESSAGES, MESSAGES + 0x55000, MESSAGES_END - PAGE_SIZE };
    static const LONGLONG may[] = { PAGE_SIZE, MESSAGES - PAGE_SIZE, MESSAGES_END };
    PDMA_ADAPTER adapter = new_adapter(64);

    for (ULONG i = 0; adapter && remapped() && i < RTL_NUMBER_OF(never); i++) {
        EXPECT(!page_at(adapter, never[i]));
    }
    for (ULONG i = 0; adapter && remapped() && i < RTL_NUMBER_OF(may); i++) {
        EXPECT(page_at(adapter, may[i]));
    }
    if (adapter) {
        put_adapter(adapter);
    }
}

/* A block that is linked to the one before; NULL: there is no such memory above what is spared. */
static PVOID take_block(SIZE_T length, PVOID before)
{
    PHYSICAL_ADDRESS low = { .QuadPart = SPARED }, high = { .QuadPart = -1 }, none = { .QuadPart = 0 };
    PVOID *block = MmAllocateContiguousMemorySpecifyCache(length, low, high, none, MmCached);

    if (block) {
        *block = before;
    }
    return block;
}

/* All memory above what is spared, but for what the executive itself comes to need. */
static PVOID take_all(void)
{
    SIZE_T length = 16 * LARGE_PAGE;
    PVOID all = NULL;

    while (length >= PAGE_SIZE) {
        PVOID block = take_block(length, all);

        if (block) {
            all = block;
        } else {
            length /= 2;
        }
    }
    return all;
}

static void give_all(PVOID all)
{
    while (all) {
        PVOID before = *(PVOID *)all;

        MmFreeContiguousMemory(all);
        all = before;
    }
}

/* Pages of a buffer that lie in memory which is spared. */
static ULONG count_spared(PUCHAR buffer, ULONG pages)
{
    ULONG count = 0;

    for (ULONG i = 0; i < pages; i++) {
        count += (page_entry(buffer + i * PAGE_SIZE) & PTE_ADDRESS) < SPARED;
    }
    return count;
}

#define HOLES                       64u
#define FEW                         (HOLES / 4 * PAGE_SIZE)
#define MORE                        (HOLES * PAGE_SIZE)

/* Behind an IOMMU single pages will do: those that lie scattered are used before memory that is spared. */
static void scattered_before_spared(void)
{
    PDMA_ADAPTER adapter = new_adapter(64);
    PHYSICAL_ADDRESS few_at, more_at;
    PVOID page[HOLES], all, few, more;

    if (!adapter || !remapped()) {
        if (adapter) {
            put_adapter(adapter);
        }
        return;
    }
    for (ULONG i = 0; i < HOLES; i++) {
        page[i] = take_block(PAGE_SIZE, NULL);
        EXPECT(page[i] != NULL);
    }
    all = take_all();
    for (ULONG i = 0; i < HOLES; i += 2) {
        give_all(page[i]);
    }
    few = operations(adapter)->AllocateCommonBuffer(adapter, FEW, &few_at, TRUE);
    more = operations(adapter)->AllocateCommonBuffer(adapter, MORE, &more_at, TRUE);
    EXPECT(few && more);
    EXPECT_EQUAL(few ? count_spared(few, FEW / PAGE_SIZE) : 0, 0);
    EXPECT(more && count_spared(more, MORE / PAGE_SIZE));
    if (few) {
        operations(adapter)->FreeCommonBuffer(adapter, FEW, few_at, few, TRUE);
    }
    if (more) {
        operations(adapter)->FreeCommonBuffer(adapter, MORE, more_at, more, TRUE);
    }
    give_all(all);
    for (ULONG i = 1; i < HOLES; i += 2) {
        give_all(page[i]);
    }
    put_adapter(adapter);
}

const struct check placement_checks[] = {
    { "placement/implied", implied },
    { "placement/own-node", own_node },
    { "placement/large-pages", large_pages },
    { "placement/never-given", never_given },
    { "placement/scattered-before-spared", scattered_before_spared },
    { NULL, NULL },
};
