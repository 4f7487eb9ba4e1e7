/* SPDX-License-Identifier: MIT */
/* violation.sys: to memory that is not the driver's */
#include "violation.h"

static void poke(volatile UCHAR *address)
{
    *address = 0x55;
}

static void write_null(PDRIVER_OBJECT driver)
{
    volatile UCHAR *volatile null = NULL;

    (void)driver;
    poke(null);
}

static void write_at_dispatch(PDRIVER_OBJECT driver)
{
    volatile UCHAR *volatile null = NULL;

    (void)driver;
    KfRaiseIrql(DISPATCH_LEVEL);
    poke(null);
}

static void write_code(PDRIVER_OBJECT driver)
{
    (void)driver;
    poke((volatile UCHAR *)(ULONG_PTR)write_null);
}

static void write_constant(PDRIVER_OBJECT driver)
{
    (void)driver;
    poke((volatile UCHAR *)(ULONG_PTR)memory_violations);
}

/* The bytes of a RET, where only data may be. */
static void execute_data(PDRIVER_OBJECT driver)
{
    static volatile UCHAR code[16] = { 0xc3 };

    (void)driver;
    ((void (*)(void))(ULONG_PTR)code)();
}

static void pool_free_twice(PDRIVER_OBJECT driver)
{
    PVOID block = ExAllocatePoolWithTag(NonPagedPool, 100, VIOLATION_TAG);

    (void)driver;
    ExFreePoolWithTag(block, VIOLATION_TAG);
    ExFreePoolWithTag(block, VIOLATION_TAG);
}

static void pool_pages_free_twice(PDRIVER_OBJECT driver)
{
    PVOID block = ExAllocatePoolWithTag(NonPagedPool, 2 * PAGE_SIZE, VIOLATION_TAG);

    (void)driver;
    ExFreePoolWithTag(block, VIOLATION_TAG);
    ExFreePoolWithTag(block, VIOLATION_TAG);
}

/* The word in front of a block is the system's. */
static void pool_header(PDRIVER_OBJECT driver)
{
    PULONG block = ExAllocatePoolWithTag(NonPagedPool, 100, VIOLATION_TAG);

    (void)driver;
    RtlFillMemory(block - 4, 16, 0x41);
    ExFreePoolWithTag(block, VIOLATION_TAG);
}

static void pool_tag(PDRIVER_OBJECT driver)
{
    PVOID block = ExAllocatePoolWithTag(NonPagedPool, 100, VIOLATION_TAG);

    (void)driver;
    ExFreePoolWithTag(block, VIOLATION_TAG + 1);
}

static void contiguous_free_wrong(PDRIVER_OBJECT driver)
{
    PHYSICAL_ADDRESS anywhere = { .QuadPart = ~0ull >> 1 };
    PUCHAR block = MmAllocateContiguousMemory(2 * PAGE_SIZE, anywhere);

    (void)driver;
    MmFreeContiguousMemory(block + PAGE_SIZE);
}

static void contiguous_free_twice(PDRIVER_OBJECT driver)
{
    PHYSICAL_ADDRESS anywhere = { .QuadPart = ~0ull >> 1 };
    PUCHAR block = MmAllocateContiguousMemory(2 * PAGE_SIZE, anywhere);

    (void)driver;
    MmFreeContiguousMemory(block);
    MmFreeContiguousMemory(block);
}

/* Found when the run ends. */
static void contiguous_never_freed(PDRIVER_OBJECT driver)
{
    PHYSICAL_ADDRESS anywhere = { .QuadPart = ~0ull >> 1 };

    (void)driver;
    MmAllocateContiguousMemory(2 * PAGE_SIZE, anywhere);
}

static void unmap_wrong(PDRIVER_OBJECT driver)
{
    PHYSICAL_ADDRESS hpet = { .QuadPart = 0xfed00000 };
    PUCHAR mapped = MmMapIoSpace(hpet, 2 * PAGE_SIZE, MmNonCached);

    (void)driver;
    MmUnmapIoSpace(mapped, PAGE_SIZE);
}

/* Two pages from anywhere; the MDL's own memory is pool. */
static PMDL mdl_new(void)
{
    PHYSICAL_ADDRESS low = { .QuadPart = 0 }, high = { .QuadPart = ~0ull >> 1 };
    PMDL mdl = MmAllocatePagesForMdl(low, high, low, 2 * PAGE_SIZE);

    if (!mdl) {
        KeBugCheck(MANUALLY_INITIATED_CRASH);
    }
    return mdl;
}

static void mdl_free_mapped(PDRIVER_OBJECT driver)
{
    PMDL mdl = mdl_new();

    (void)driver;
    MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
    MmFreePagesFromMdl(mdl);
}

static void mdl_unmap_wrong(PDRIVER_OBJECT driver)
{
    PMDL mdl = mdl_new();
    PUCHAR mapped = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);

    (void)driver;
    MmUnmapLockedPages(mapped + PAGE_SIZE, mdl);
}

static void mdl_part_outside(PDRIVER_OBJECT driver)
{
    PMDL mdl = mdl_new();
    PMDL part = IoAllocateMdl(NULL, 4 * PAGE_SIZE, FALSE, FALSE, NULL);

    (void)driver;
    IoBuildPartialMdl(mdl, part, (PVOID)(ULONG_PTR)PAGE_SIZE, PAGE_SIZE + 1);
}

static void mdl_part_small(PDRIVER_OBJECT driver)
{
    PMDL mdl = mdl_new();
    PMDL part = IoAllocateMdl(NULL, PAGE_SIZE, FALSE, FALSE, NULL);

    (void)driver;
    IoBuildPartialMdl(mdl, part, (PVOID)(ULONG_PTR)1, PAGE_SIZE);
}

static void mdl_of_nothing(PDRIVER_OBJECT driver)
{
    PMDL mdl = IoAllocateMdl(NULL, PAGE_SIZE, FALSE, FALSE, NULL);

    (void)driver;
    MmBuildMdlForNonPagedPool(mdl);
}

const struct violation memory_violations[] = {
    { "write-null", write_null },
    { "write-at-dispatch", write_at_dispatch },
    { "write-code", write_code },
    { "write-constant", write_constant },
    { "execute-data", execute_data },
    { "pool-free-twice", pool_free_twice },
    { "pool-pages-free-twice", pool_pages_free_twice },
    { "pool-header", pool_header },
    { "pool-tag", pool_tag },
    { "contiguous-free-wrong", contiguous_free_wrong },
    { "contiguous-free-twice", contiguous_free_twice },
    { "contiguous-never-freed", contiguous_never_freed },
    { "unmap-wrong", unmap_wrong },
    { "mdl-free-mapped", mdl_free_mapped },
    { "mdl-unmap-wrong", mdl_unmap_wrong },
    { "mdl-part-outside", mdl_part_outside },
    { "mdl-part-small", mdl_part_small },
    { "mdl-of-nothing", mdl_of_nothing },
    { NULL, NULL },
};
