/* SPDX-License-Identifier: MIT */
/* selftest.sys: memory descriptor lists */
#include "selftest.h"

static const PHYSICAL_ADDRESS none = { .QuadPart = 0 };
static const PHYSICAL_ADDRESS all = { .QuadPart = 0x7fffffffffffffffll };

static ULONGLONG frame(PMDL mdl, ULONG index)
{
    return (ULONGLONG)MmGetMdlPfnArray(mdl)[index];
}

static ULONGLONG frame_of(PVOID address)
{
    return (ULONGLONG)MmGetPhysicalAddress(address).QuadPart >> PAGE_SHIFT;
}

static const struct {
    ULONG offset;
    ULONG length;
    ULONG pages;
} spans[] = {
    { 0, 1, 1 }, { 0, PAGE_SIZE, 1 }, { 0, PAGE_SIZE + 1, 2 }, { 1, PAGE_SIZE, 2 },
    { PAGE_SIZE - 1, 1, 1 }, { PAGE_SIZE - 1, 2, 2 }, { 100, 3 * PAGE_SIZE, 4 }, { 0, 0, 0 },
};

/* Every span of pool: fields, pages, and where it is mapped already. */
static void pool(void)
{
    PUCHAR block = ExAllocatePoolWithTag(NonPagedPool, 5 * PAGE_SIZE, SELFTEST_TAG);

    for (ULONG i = 0; block && i < RTL_NUMBER_OF(spans); i++) {
        PUCHAR start = block + spans[i].offset;
        PMDL mdl = IoAllocateMdl(start, spans[i].length, FALSE, FALSE, NULL);

        EXPECT(mdl != NULL);
        EXPECT_EQUAL(mdl->Size, sizeof(MDL) + spans[i].pages * sizeof(PFN_NUMBER));
        EXPECT_EQUAL(MmSizeOfMdl(start, spans[i].length), mdl->Size);
        EXPECT(MmGetMdlVirtualAddress(mdl) == start && !mdl->Next);
        EXPECT_EQUAL(MmGetMdlByteCount(mdl), spans[i].length);
        EXPECT_EQUAL(MmGetMdlByteOffset(mdl), spans[i].offset % PAGE_SIZE);
        MmBuildMdlForNonPagedPool(mdl);
        EXPECT(mdl->MdlFlags & MDL_SOURCE_IS_NONPAGED_POOL);
        EXPECT(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority) == start);
        for (ULONG page = 0; page < spans[i].pages; page++) {
            EXPECT_EQUAL(frame(mdl, page), frame_of((PUCHAR)mdl->StartVa + page * PAGE_SIZE));
        }
        IoFreeMdl(mdl);
    }
    EXPECT(block != NULL);
    ExFreePoolWithTag(block, SELFTEST_TAG);
}

/* What one mapping writes, another of the same pages reads. */
static void same_bytes(PMDL mdl, PMDL other, ULONG offset)
{
    PUCHAR a = MmMapLockedPagesSpecifyCache(mdl, KernelMode, MmCached, NULL, FALSE,
                                            NormalPagePriority);
    PUCHAR b = MmGetSystemAddressForMdlSafe(other, NormalPagePriority);

    EXPECT(a && b);
    EXPECT_EQUAL(page_entry(a) & PTE_ADDRESS, frame(mdl, 0) << PAGE_SHIFT);
    EXPECT(page_entry(a) & PTE_WRITE && page_entry(a) & PTE_NO_EXECUTE);
    for (ULONG i = 0; a && b && i < other->ByteCount; i += 97) {
        a[offset + i] = (UCHAR)i;
        EXPECT_EQUAL(b[i], (UCHAR)i);
    }
}

/* Pages from anywhere, mapped side by side; parts of them. */
static void pages(void)
{
    PMDL mdl = MmAllocatePagesForMdl(none, all, none, 5 * PAGE_SIZE - 1);
    PMDL part;
    PUCHAR mapped;

    EXPECT(mdl != NULL);
    EXPECT_EQUAL(MmGetMdlByteCount(mdl), 5 * PAGE_SIZE);
    EXPECT(mdl->MdlFlags & MDL_PAGES_LOCKED);
    mapped = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
    EXPECT(mapped && mapped == MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority));
    for (ULONG i = 0; i < 5; i++) {
        EXPECT_EQUAL(frame_of(mapped + i * PAGE_SIZE), frame(mdl, i));
        EXPECT_EQUAL(*(PULONGLONG)(mapped + i * PAGE_SIZE), 0);
    }
    part = IoAllocateMdl((PUCHAR)MmGetMdlVirtualAddress(mdl) + PAGE_SIZE + 17, 2 * PAGE_SIZE,
                         FALSE, FALSE, NULL);
    IoBuildPartialMdl(mdl, part, (PUCHAR)MmGetMdlVirtualAddress(mdl) + PAGE_SIZE + 17,
                      2 * PAGE_SIZE);
    EXPECT_EQUAL(part->ByteOffset, 17);
    EXPECT_EQUAL(frame(part, 0), frame(mdl, 1));
    EXPECT_EQUAL(frame(part, 2), frame(mdl, 3));
    EXPECT(MmGetSystemAddressForMdlSafe(part, NormalPagePriority) == mapped + PAGE_SIZE + 17);
    IoFreeMdl(part);
    MmUnmapLockedPages(mapped, mdl);
    EXPECT_EQUAL(page_entry(mapped), 0);
    MmFreePagesFromMdl(mdl);
    ExFreePool(mdl);
}

/* A part that is mapped itself loses the mapping with IoFreeMdl. */
static void partial(void)
{
    PMDL mdl = MmAllocatePagesForMdlEx(none, all, none, 4 * PAGE_SIZE, MmCached,
                                       MM_DONT_ZERO_ALLOCATION);
    PMDL part = IoAllocateMdl((PVOID)(ULONG_PTR)100, 3 * PAGE_SIZE, FALSE, FALSE, NULL);
    PVOID mapped;

    EXPECT(mdl && part);
    IoBuildPartialMdl(mdl, part, (PVOID)(ULONG_PTR)100, 0);
    EXPECT_EQUAL(part->ByteCount, 4 * PAGE_SIZE - 100);
    IoBuildPartialMdl(mdl, part, (PVOID)(ULONG_PTR)100, 2 * PAGE_SIZE);
    same_bytes(mdl, part, 100);
    mapped = part->MappedSystemVa;
    EXPECT(part->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED);
    IoFreeMdl(part);
    EXPECT_EQUAL(page_entry(mapped), 0);
    MmUnmapLockedPages(mdl->MappedSystemVa, mdl);
    MmFreePagesFromMdl(mdl);
    ExFreePool(mdl);
}

/* HighAddress is the last byte; SkipBytes moves the range on. */
static void ranges(void)
{
    PHYSICAL_ADDRESS low = { .QuadPart = 0x400000 }, high = { .QuadPart = 0x401ffe };
    PHYSICAL_ADDRESS skip = { .QuadPart = 0x100000 };
    PMDL mdl = MmAllocatePagesForMdl(low, high, none, 16 * PAGE_SIZE);

    if (mdl) {
        EXPECT_EQUAL(mdl->ByteCount, PAGE_SIZE);
        EXPECT_EQUAL(frame(mdl, 0), 0x400);
        MmFreePagesFromMdl(mdl);
        ExFreePool(mdl);
    }
    EXPECT(mdl != NULL);
    EXPECT(!MmAllocatePagesForMdlEx(low, high, none, 16 * PAGE_SIZE, MmCached,
                                    MM_ALLOCATE_FULLY_REQUIRED));
    EXPECT(!MmAllocatePagesForMdlEx(low, high, none, PAGE_SIZE, MmCached, 0x8000));
    EXPECT(!MmAllocatePagesForMdl(low, high, none, 0));
    mdl = MmAllocatePagesForMdl(low, high, skip, 3 * PAGE_SIZE);
    EXPECT(mdl != NULL);
    EXPECT_EQUAL(mdl->ByteCount, 3 * PAGE_SIZE);
    EXPECT_EQUAL(frame(mdl, 0), 0x400);
    EXPECT_EQUAL(frame(mdl, 1), 0x500);
    EXPECT_EQUAL(frame(mdl, 2), 0x600);
    MmFreePagesFromMdl(mdl);
    ExFreePool(mdl);
}

/* The first of an IRP, and those behind it. */
static void chained(void)
{
    PIRP irp = IoAllocateIrp(1, FALSE);
    UCHAR bytes[3];
    PMDL mdl[3];

    for (ULONG i = 0; i < 3; i++) {
        mdl[i] = IoAllocateMdl(&bytes[i], 1, i > 0, FALSE, irp);
        EXPECT(mdl[i] != NULL);
    }
    EXPECT(irp->MdlAddress == mdl[0] && mdl[0]->Next == mdl[1] && mdl[1]->Next == mdl[2] &&
           !mdl[2]->Next);
    for (ULONG i = 0; i < 3; i++) {
        IoFreeMdl(mdl[i]);
    }
    irp->MdlAddress = NULL;
    IoFreeIrp(irp);
    EXPECT(!IoAllocateMdl(bytes, MAXULONG, FALSE, FALSE, NULL));
}

static void locked(void)
{
    PUCHAR block = ExAllocatePoolWithTag(NonPagedPool, 3 * PAGE_SIZE, SELFTEST_TAG);
    PMDL mdl = IoAllocateMdl(block + 5, 2 * PAGE_SIZE, FALSE, FALSE, NULL);
    PVOID mapped;

    EXPECT(block && mdl);
    MmProbeAndLockPages(mdl, KernelMode, IoWriteAccess);
    EXPECT(mdl->MdlFlags & MDL_PAGES_LOCKED);
    EXPECT_EQUAL(frame(mdl, 2), frame_of(block + 2 * PAGE_SIZE));
    mapped = MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
    EXPECT(mapped && mapped != block + 5);
    EXPECT_EQUAL(frame_of(mapped), frame_of(block));
    MmUnlockPages(mdl);
    EXPECT_EQUAL(page_entry(mapped), 0);
    EXPECT(!(mdl->MdlFlags & MDL_PAGES_LOCKED));
    IoFreeMdl(mdl);
    ExFreePoolWithTag(block, SELFTEST_TAG);
}

const struct check mdl_checks[] = {
    { "mdl/pool", pool },
    { "mdl/pages", pages },
    { "mdl/partial", partial },
    { "mdl/ranges", ranges },
    { "mdl/chained", chained },
    { "mdl/locked", locked },
    { NULL, NULL },
};
