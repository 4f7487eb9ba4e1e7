/*
 * Physical memory: from the boot block's map and the SRAT into the allocator.
 *
 * SPDX-License-Identifier: MIT
 */
#include "mi.h"

#define STUB_BASE               0x100000ull
#define FIRST_TILES             0x10000
#define SHARED_PAGE             ((PVOID)0xfffff78000000000ull)

KSPIN_LOCK MiLock;
static volatile ULONG Frees;        /* under MiLock */
struct frames MiPhysical;

/* Of the executive itself: pool, page tables and rows of tiles. Under MiLock. */
static ULONGLONG OwnPages;
static UCHAR Tiles[FIRST_TILES] __attribute__((aligned(64)));

static void Require(enum frames_status Status, ULONGLONG Where)
{
    if (Status != FRAMES_OK) {
        DbgPrint("mm: memory at 0x%llx: %s\n", Where, frames_explain(Status));
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, (ULONG_PTR)Status,
                     (ULONG_PTR)Where, 0, 0);
    }
}

static void AddMemory(ULONGLONG Base, ULONGLONG Length, ULONG Node)
{
    Require(frames_add(&MiPhysical, Base, Length, Node), Base);
}

static void Reserve(ULONGLONG Base, ULONGLONG End)
{
    Require(frames_reserve(&MiPhysical, Base, End - Base), Base);
}

void MiInitialize(const struct boot_block *Boot)
{
    ULONGLONG page;
    KIRQL irql;

    frames_init(&MiPhysical);
    frames_donate(&MiPhysical, Tiles, sizeof(Tiles));
    MiReadFirmware(Boot);
    for (ULONG i = 0; i < Boot->memory_count; i++) {
        if (Boot->memory[i].type == BOOT_MEMORY_RAM) {
            MiSplitByNode(Boot->memory[i].base, Boot->memory[i].length,
                          AddMemory);
        }
    }
    Reserve(STUB_BASE, Boot->stub_end);
    Reserve(Boot->heap, Boot->heap_end);
    MiInitializePageTables(Boot);

    irql = KeAcquireSpinLockRaiseToDpc(&MiLock);
    page = MiAllocatePages(PAGE_SIZE);
    KeReleaseSpinLock(&MiLock, irql);
    RtlZeroMemory(MiDirect(page), PAGE_SIZE);
    if (!MiMapAt(SHARED_PAGE, page, PAGE_SIZE, MI_WRITE, MmCached)) {
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, 0, 0, 0, 0);
    }
}

/* One more page than the request may take, to turn into tiles. */
static void FeedTiles(struct frames *Frames)
{
    struct frames_request page = FRAMES_ANYWHERE(PAGE_SIZE);
    ULONGLONG base;

    if (frames_spare(Frames) > 2 * FRAMES_ROWS_PER_ALLOCATION) {
        return;
    }
    if (frames_allocate(&MiPhysical, &page, &base) == FRAMES_OK) {
        OwnPages++;
        frames_donate(Frames, MiDirect(base), PAGE_SIZE);
    }
}

enum frames_status MiAllocateFrames(struct frames *Frames,
                                    const struct frames_request *Request,
                                    ULONGLONG *Base)
{
    FeedTiles(&MiPhysical);
    if (Frames != &MiPhysical) {
        FeedTiles(Frames);
    }
    return frames_allocate(Frames, Request, Base);
}

ULONG MiCountFrees(void)
{
    return Frees;
}

ULONGLONG MiCountUsed(void)
{
    struct frames_statistics statistics;
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);
    ULONGLONG used = 0;

    for (ULONG node = 0; node < FRAMES_MAX_NODES; node++) {
        if (frames_statistics(&MiPhysical, node, &statistics)) {
            used += statistics.total_pages - statistics.free_pages;
        }
    }
    used -= OwnPages;
    KeReleaseSpinLock(&MiLock, irql);
    return used;
}

void MiCheckUsed(ULONGLONG Expected)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);
    const char *broken = frames_check(&MiPhysical);
    ULONGLONG used;

    KeReleaseSpinLock(&MiLock, irql);
    used = MiCountUsed();
    if (broken) {
        DbgPrint("\nmm: it does not hold any more that %s\n", broken);
    } else if (used != Expected) {
        DbgPrint("\nmm: %llu pages are in use, not %llu\n", used, Expected);
    } else {
        return;
    }
    KeBugCheckEx(MEMORY_MANAGEMENT, (ULONG_PTR)broken, (ULONG_PTR)used,
                 (ULONG_PTR)Expected, 0);
}

NODE_REQUIREMENT MiNodeOf(ULONGLONG Physical)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);
    ULONG node = frames_node_of(&MiPhysical, Physical);

    KeReleaseSpinLock(&MiLock, irql);
    return node == FRAMES_ANY_NODE ? MM_ANY_NODE_OK : node;
}

ULONGLONG MiAllocatePages(SIZE_T Length)
{
    struct frames_request request = FRAMES_ANYWHERE(Length);
    ULONGLONG base;

    if (MiAllocateFrames(&MiPhysical, &request, &base) != FRAMES_OK) {
        return 0;
    }
    OwnPages += BYTES_TO_PAGES(Length);
    return base;
}

void MiFreeOwnPages(ULONGLONG Physical, SIZE_T Length)
{
    OwnPages -= BYTES_TO_PAGES(Length);
    MiFreePages(Physical, Length);
}

void MiFreePages(ULONGLONG Physical, SIZE_T Length)
{
    enum frames_status status = frames_free(&MiPhysical, Physical, Length);

    Frees++;
    if (status != FRAMES_OK) {
        DbgPrint("mm: freeing 0x%llx, 0x%llx bytes: %s\n", Physical,
                 (ULONGLONG)Length, frames_explain(status));
        KeBugCheckEx(BAD_POOL_CALLER, (ULONG_PTR)status, (ULONG_PTR)Physical,
                     Length, 0);
    }
}

ULONGLONG MiHighestPhysical(void)
{
    struct frames_statistics statistics;
    ULONGLONG highest = 0;

    for (ULONG node = 0; node < FRAMES_MAX_NODES; node++) {
        if (frames_statistics(&MiPhysical, node, &statistics) &&
            statistics.highest > highest) {
            highest = statistics.highest;
        }
    }
    return highest;
}

ULONGLONG MiTakeLowPage(ULONGLONG Limit)
{
    struct frames_request request = FRAMES_ANYWHERE(PAGE_SIZE);
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);
    ULONGLONG base = 0;

    request.low = PAGE_SIZE;
    request.high = Limit - 1;
    MiAllocateFrames(&MiPhysical, &request, &base);
    KeReleaseSpinLock(&MiLock, irql);
    return base;
}

void MiGiveLowPage(ULONGLONG Physical)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);

    MiFreePages(Physical, PAGE_SIZE);
    KeReleaseSpinLock(&MiLock, irql);
}
