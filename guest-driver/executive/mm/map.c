/*
 * Page tables and the address space for mappings.
 *
 * SPDX-License-Identifier: MIT
 */
#include "mi.h"

#define ENTRY_PRESENT       0x001ull
#define ENTRY_WRITE         0x002ull
#define ENTRY_WRITE_THROUGH 0x008ull
#define ENTRY_NO_CACHE      0x010ull
#define ENTRY_PAT           0x080ull    /* in an entry of 4 KiB */
#define ENTRY_LARGE         0x080ull
#define ENTRY_NX            0x8000000000000000ull
#define ENTRY_ADDRESS       0x000ffffffffff000ull
#define INDEX_MASK          511u

/*
 * IA32_PAT: write back, write through, uncached unless an MTRR combines, and
 * uncached, as after reset; then write combining, which entries with
 * ENTRY_PAT select, and the others again.
 */
#define MSR_PAT             0x277u
#define PAT                 0x0007040100070406ull
#define LEVELS              4

/* System PTEs: 32 TiB, well below the shared page and the images. */
#define MAP_SPACE           0xffffc00000000000ull
#define MAP_SPACE_SIZE      0x0000200000000000ull
#define MAP_TILES           0x4000

static ULONGLONG RootTable;
static ULONGLONG ImageSpace;
static struct frames AddressSpace;
static UCHAR Tiles[MAP_TILES] __attribute__((aligned(64)));

/* Longer mappings are not kept: their page tables take memory. */
#define RETIRED_LENGTH      0x40000u
#define RETIRED_MAX         64u

typedef struct _RETIRED {
    PVOID Address;
    SIZE_T Length;
} RETIRED;

static RETIRED Retired[RETIRED_MAX];    /* a ring, under MiLock */
static ULONG RetiredCount;

/*
 * Ends the boot stub's identity map, so that a NULL pointer faults, and makes
 * the direct map data.
 */
static void NarrowBootMappings(void)
{
    ULONGLONG *root = MiDirect(RootTable);

    root[0] = 0;
    root[BOOT_DIRECT_MAP >> 39 & INDEX_MASK] |= ENTRY_NX;
    __writecr3(RootTable);
}

void MiMapIdentity(bool Wanted)
{
    ULONGLONG *root = MiDirect(RootTable);
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);

    root[0] = Wanted ? root[BOOT_DIRECT_MAP >> 39 & INDEX_MASK] & ~ENTRY_NX
                     : 0;
    __writecr3(RootTable);
    KiFlushOtherTlbs();
    KeReleaseSpinLock(&MiLock, irql);
}

static void EmptyCaches(void)
{
    __asm__ volatile("wbinvd" : : : "memory");
}

/* Caches are emptied around it, as the processor's manual asks. */
void MiSetCacheTypes(void)
{
    if (__readmsr(MSR_PAT) != PAT) {
        EmptyCaches();
        __writemsr(MSR_PAT, PAT);
        __writecr3(__readcr3());
        EmptyCaches();
    }
}

void MiInitializePageTables(const struct boot_block *Boot)
{
    RootTable = Boot->page_table;
    ImageSpace = Boot->image_space;
    NarrowBootMappings();
    frames_init(&AddressSpace);
    frames_donate(&AddressSpace, Tiles, sizeof(Tiles));
    frames_add(&AddressSpace, MAP_SPACE, MAP_SPACE_SIZE, 0);
}

static ULONG IndexOf(ULONGLONG Address, ULONG Level)
{
    return (ULONG)(Address >> (PAGE_SHIFT + 9 * Level)) & INDEX_MASK;
}

/* The entry for a page of 4 KiB; NULL: there is none, or no memory to Make it. */
static ULONGLONG *FindEntry(ULONGLONG Address, bool Make)
{
    ULONGLONG table = RootTable;

    for (ULONG level = LEVELS - 1; level; level--) {
        ULONGLONG *entry = (ULONGLONG *)MiDirect(table) +
                           IndexOf(Address, level);

        if (!(*entry & ENTRY_PRESENT)) {
            ULONGLONG page = Make ? MiAllocatePages(PAGE_SIZE) : 0;

            if (!page) {
                return NULL;
            }
            RtlZeroMemory(MiDirect(page), PAGE_SIZE);
            *entry = page | ENTRY_PRESENT | ENTRY_WRITE;
        } else if (*entry & ENTRY_LARGE) {
            return NULL;
        }
        table = *entry & ENTRY_ADDRESS;
    }
    return (ULONGLONG *)MiDirect(table) + IndexOf(Address, 0);
}

static ULONGLONG FlagsFor(ULONG Protection, MEMORY_CACHING_TYPE Cache)
{
    ULONGLONG type = Cache == MmCached          ? 0
                     : Cache == MmWriteCombined ? ENTRY_PAT
                                : ENTRY_NO_CACHE | ENTRY_WRITE_THROUGH;

    return ENTRY_PRESENT | (Protection & MI_WRITE ? ENTRY_WRITE : 0) |
           (Protection & MI_EXECUTE ? 0 : ENTRY_NX) | type;
}

static void Invalidate(ULONGLONG Address)
{
    __asm__ volatile("invlpg (%0)" : : "r"((PVOID)(ULONG_PTR)Address)
                     : "memory");
}

static void UnmapLocked(ULONGLONG Address, SIZE_T Length)
{
    for (SIZE_T at = 0; at < Length; at += PAGE_SIZE) {
        ULONGLONG *entry = FindEntry(Address + at, false);

        if (entry) {
            *entry = 0;
            Invalidate(Address + at);
        }
    }
    KiFlushOtherTlbs();
}

static bool MapLocked(ULONGLONG Address, ULONGLONG Physical, SIZE_T Length,
                      ULONGLONG Flags)
{
    for (SIZE_T at = 0; at < Length; at += PAGE_SIZE) {
        ULONGLONG *entry = FindEntry(Address + at, true);

        if (!entry) {
            UnmapLocked(Address, at);
            return false;
        }
        *entry = (Physical + at) | Flags;
        Invalidate(Address + at);
    }
    return true;
}

BOOLEAN MiMapAt(PVOID Address, ULONGLONG Physical, SIZE_T Length,
                ULONG Protection, MEMORY_CACHING_TYPE Cache)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);
    bool mapped = MapLocked((ULONGLONG)(ULONG_PTR)Address, Physical, Length,
                            FlagsFor(Protection, Cache));

    KiFlushOtherTlbs();
    KeReleaseSpinLock(&MiLock, irql);
    return mapped;
}

/* A page before and a page behind stay unmapped. */
static SIZE_T Guarded(SIZE_T Length)
{
    return ROUND_TO_PAGES(Length) + 2 * PAGE_SIZE;
}

/* Whether page tables can hold these addresses, and we that many pages. */
static bool Mappable(ULONGLONG Physical, SIZE_T Length)
{
    ULONGLONG last = ENTRY_ADDRESS | (PAGE_SIZE - 1);

    return Length && Length <= MAP_SPACE_SIZE / 2 && Physical <= last &&
           Length - 1 <= last - Physical;
}

PVOID MiMap(ULONGLONG Physical, SIZE_T Length, ULONG Protection,
            MEMORY_CACHING_TYPE Cache)
{
    struct frames_request space = FRAMES_ANYWHERE(Guarded(Length));
    ULONGLONG address = 0;
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);
    bool mapped = false;

    if (Mappable(Physical, Length) &&
        MiAllocateFrames(&AddressSpace, &space, &address) == FRAMES_OK) {
        mapped = MapLocked(address + PAGE_SIZE, Physical, Length,
                           FlagsFor(Protection, Cache));
        if (!mapped) {
            frames_free(&AddressSpace, address, space.length);
        }
    }
    KeReleaseSpinLock(&MiLock, irql);
    return mapped ? (PVOID)(ULONG_PTR)(address + PAGE_SIZE) : NULL;
}

static bool MapFramesLocked(ULONGLONG Address, const PFN_NUMBER *Frames,
                            SIZE_T Pages, ULONGLONG Flags)
{
    for (SIZE_T i = 0; i < Pages; i++) {
        if (!MapLocked(Address + i * PAGE_SIZE,
                       (ULONGLONG)Frames[i] << PAGE_SHIFT, PAGE_SIZE, Flags)) {
            UnmapLocked(Address, i * PAGE_SIZE);
            return false;
        }
    }
    return true;
}

PVOID MiMapFrames(const PFN_NUMBER *Frames, SIZE_T Pages, ULONG Protection,
                  MEMORY_CACHING_TYPE Cache)
{
    struct frames_request space = FRAMES_ANYWHERE(Guarded(Pages * PAGE_SIZE));
    ULONGLONG address = 0;
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);
    bool mapped = false;

    if (MiAllocateFrames(&AddressSpace, &space, &address) == FRAMES_OK) {
        mapped = MapFramesLocked(address + PAGE_SIZE, Frames, Pages,
                                 FlagsFor(Protection, Cache));
        if (!mapped) {
            frames_free(&AddressSpace, address, space.length);
        }
    }
    KeReleaseSpinLock(&MiLock, irql);
    return mapped ? (PVOID)(ULONG_PTR)(address + PAGE_SIZE) : NULL;
}

PVOID MiReserve(SIZE_T Length)
{
    struct frames_request space = FRAMES_ANYWHERE(Guarded(Length));
    ULONGLONG address = 0;
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);
    enum frames_status status = MiAllocateFrames(&AddressSpace, &space,
                                                 &address);

    KeReleaseSpinLock(&MiLock, irql);
    return status == FRAMES_OK ? (PVOID)(ULONG_PTR)(address + PAGE_SIZE)
                               : NULL;
}

/* With the pages beside it, which MiMap and MiReserve have added. */
static void GiveSpaceBack(PVOID Address, SIZE_T Length)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);
    enum frames_status status =
        frames_free(&AddressSpace, (ULONGLONG)(ULONG_PTR)Address - PAGE_SIZE,
                    Guarded(Length));

    KeReleaseSpinLock(&MiLock, irql);
    if (status != FRAMES_OK) {
        DbgPrint("mm: unmapping %p: %s\n", Address, frames_explain(status));
        KeBugCheckEx(BAD_POOL_CALLER, (ULONG_PTR)status, (ULONG_PTR)Address,
                     Length, 0);
    }
}

static void Unmap(PVOID Address, SIZE_T Length)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);

    UnmapLocked((ULONGLONG)(ULONG_PTR)Address, Length);
    KeReleaseSpinLock(&MiLock, irql);
}

void MiUnmap(PVOID Address, SIZE_T Length)
{
    Unmap(Address, Length);
    GiveSpaceBack(Address, Length);
}

void MiRetire(PVOID Address, SIZE_T Length)
{
    RETIRED oldest = { Address, Length };

    Unmap(Address, Length);
    if (Length <= RETIRED_LENGTH) {
        KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);
        RETIRED *slot = &Retired[RetiredCount++ % RETIRED_MAX];

        oldest = *slot;
        *slot = (RETIRED){ Address, Length };
        KeReleaseSpinLock(&MiLock, irql);
    }
    if (oldest.Address) {
        GiveSpaceBack(oldest.Address, oldest.Length);
    }
}

PVOID MiReserveImageSpace(SIZE_T Length)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);
    ULONGLONG address = ImageSpace;

    ImageSpace += Guarded(Length) - PAGE_SIZE;
    KeReleaseSpinLock(&MiLock, irql);
    return (PVOID)(ULONG_PTR)address;
}

/*
 * The entry that maps Address, 0 if none does. Understands large pages, which
 * only the direct map has.
 */
static ULONGLONG Translate(const VOID *Address)
{
    ULONGLONG address = (ULONGLONG)(ULONG_PTR)Address;
    ULONGLONG table = RootTable;

    for (ULONG level = LEVELS; level--;) {
        ULONGLONG entry = *((ULONGLONG *)MiDirect(table) +
                            IndexOf(address, level));
        ULONGLONG inside = ((1ull << (PAGE_SHIFT + 9 * level)) - 1);

        if (!(entry & ENTRY_PRESENT)) {
            return 0;
        }
        if (!level || entry & ENTRY_LARGE) {
            return (entry & ~(inside & ENTRY_ADDRESS)) |
                   (address & inside & ENTRY_ADDRESS);
        }
        table = entry & ENTRY_ADDRESS;
    }
    return 0;
}

PHYSICAL_ADDRESS NTAPI MmGetPhysicalAddress(PVOID BaseAddress)
{
    ULONGLONG entry = Translate(BaseAddress);
    PHYSICAL_ADDRESS physical = { .QuadPart = 0 };

    if (entry & ENTRY_PRESENT) {
        physical.QuadPart = (LONGLONG)((entry & ENTRY_ADDRESS) |
                            ((ULONG_PTR)BaseAddress & (PAGE_SIZE - 1)));
    }
    return physical;
}

/* Bits 63 to 47 of a usable address are alike. */
BOOLEAN NTAPI MmIsAddressValid(PVOID VirtualAddress)
{
    LONGLONG high = (LONGLONG)(ULONG_PTR)VirtualAddress >> 47;

    return (high == 0 || high == -1) && Translate(VirtualAddress);
}

PVOID NTAPI MmMapIoSpace(PHYSICAL_ADDRESS PhysicalAddress,
                         SIZE_T NumberOfBytes, MEMORY_CACHING_TYPE CacheType)
{
    SIZE_T offset = (SIZE_T)PhysicalAddress.QuadPart & (PAGE_SIZE - 1);
    PUCHAR base;

    if (!NumberOfBytes || NumberOfBytes + offset < NumberOfBytes) {
        return NULL;
    }
    base = MiMap((ULONGLONG)PhysicalAddress.QuadPart - offset,
                 NumberOfBytes + offset, MI_WRITE, CacheType);
    return base ? base + offset : NULL;
}

VOID NTAPI MmUnmapIoSpace(PVOID BaseAddress, SIZE_T NumberOfBytes)
{
    SIZE_T offset = (ULONG_PTR)BaseAddress & (PAGE_SIZE - 1);

    MiUnmap((PUCHAR)BaseAddress - offset, NumberOfBytes + offset);
}
