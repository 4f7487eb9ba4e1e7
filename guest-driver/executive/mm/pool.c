/*
 * Nonpaged pool. Blocks of less than a page come from size classes; larger
 * ones are whole pages of their own, as Windows does. All lie in the direct
 * map.
 *
 * SPDX-License-Identifier: MIT
 */
#include "mi.h"

#define HEADER_MAGIC        0x6c6f6f70u         /* "pool" */
#define FREED_MAGIC         0x65657266u         /* "free" */
#define SMALLEST_SHIFT      5
#define CLASSES             7                   /* 32 bytes to 2 KiB */
#define CHUNK               0x10000             /* taken at a time */
#define LARGE_BUCKETS       64
#define FREED_FILL          0xdd

typedef struct _POOL_HEADER {
    ULONG Magic;
    ULONG Class;
    ULONG Tag;
    ULONG Reserved;
} POOL_HEADER;

typedef struct _FREE_BLOCK {
    POOL_HEADER Header;
    struct _FREE_BLOCK *Next;
} FREE_BLOCK;

/* A block of whole pages; described outside of it, so that it is aligned. */
typedef struct _LARGE_BLOCK {
    struct _LARGE_BLOCK *Next;
    PVOID Address;
    SIZE_T Length;
    ULONG Tag;
} LARGE_BLOCK;

_Static_assert(sizeof(POOL_HEADER) == 16, "blocks are aligned to 16 bytes");

static KSPIN_LOCK PoolLock;
static FREE_BLOCK *FreeBlocks[CLASSES];
static LARGE_BLOCK *LargeBlocks[LARGE_BUCKETS];

static void PoolError(ULONG Code, const char *What, PVOID Address)
{
    DbgPrint("pool block %p: %s\n", Address, What);
    KeBugCheckEx(Code, 0, (ULONG_PTR)Address, 0, 0);
}

static PVOID TakePages(SIZE_T Length)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);
    ULONGLONG base = MiAllocatePages(Length);

    KeReleaseSpinLock(&MiLock, irql);
    return base ? MiDirect(base) : NULL;
}

static void GivePages(PVOID Address, SIZE_T Length)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);

    MiFreeOwnPages((ULONGLONG)(ULONG_PTR)Address - BOOT_DIRECT_MAP, Length);
    KeReleaseSpinLock(&MiLock, irql);
}

/* A page will do where memory is in pieces. */
static bool Refill(ULONG Class)
{
    SIZE_T size = (SIZE_T)1 << (SMALLEST_SHIFT + Class), length = CHUNK;
    PUCHAR chunk = TakePages(length);

    if (!chunk) {
        length = PAGE_SIZE;
        chunk = TakePages(length);
    }
    for (SIZE_T at = 0; chunk && at + size <= length; at += size) {
        FREE_BLOCK *block = (FREE_BLOCK *)(chunk + at);

        block->Header.Magic = FREED_MAGIC;
        block->Next = FreeBlocks[Class];
        FreeBlocks[Class] = block;
    }
    return chunk != NULL;
}

static PVOID AllocateSmall(ULONG Class, ULONG Tag)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&PoolLock);
    FREE_BLOCK *block = NULL;

    if (FreeBlocks[Class] || Refill(Class)) {
        block = FreeBlocks[Class];
        if (block->Header.Magic != FREED_MAGIC) {
            PoolError(BAD_POOL_HEADER, "written to after it was freed",
                      &block->Header + 1);
        }
        FreeBlocks[Class] = block->Next;
        block->Header = (POOL_HEADER){ HEADER_MAGIC, Class, Tag, 0 };
    }
    KeReleaseSpinLock(&PoolLock, irql);
    return block ? &block->Header + 1 : NULL;
}

static LARGE_BLOCK **LargeBucket(PVOID Address)
{
    return &LargeBlocks[((ULONG_PTR)Address >> PAGE_SHIFT) % LARGE_BUCKETS];
}

static PVOID AllocateLarge(SIZE_T Length, ULONG Tag)
{
    LARGE_BLOCK *record = ExAllocatePoolWithTag(NonPagedPool, sizeof(*record),
                                                'egrL');
    LARGE_BLOCK **bucket;
    KIRQL irql;

    if (!record) {
        return NULL;
    }
    record->Length = Length;
    record->Tag = Tag;
    record->Address = TakePages(Length);
    if (!record->Address) {
        ExFreePoolWithTag(record, 'egrL');
        return NULL;
    }
    bucket = LargeBucket(record->Address);
    irql = KeAcquireSpinLockRaiseToDpc(&PoolLock);
    record->Next = *bucket;
    *bucket = record;
    KeReleaseSpinLock(&PoolLock, irql);
    return record->Address;
}

PVOID NTAPI ExAllocatePoolWithTag(POOL_TYPE PoolType, SIZE_T NumberOfBytes,
                                  ULONG Tag)
{
    SIZE_T need = NumberOfBytes + sizeof(POOL_HEADER);
    ULONG class = 0;

    UNREFERENCED_PARAMETER(PoolType);
    if (need < NumberOfBytes) {
        return NULL;
    }
    while (class < CLASSES && (SIZE_T)1 << (SMALLEST_SHIFT + class) < need) {
        class++;
    }
    return class < CLASSES ? AllocateSmall(class, Tag)
                           : AllocateLarge(NumberOfBytes, Tag);
}

PVOID NTAPI ExAllocatePool(POOL_TYPE PoolType, SIZE_T NumberOfBytes)
{
    return ExAllocatePoolWithTag(PoolType, NumberOfBytes, 'enoN');
}

/* Tag 0, of ExFreePool, frees anything. */
static void CheckTag(PVOID Address, ULONG Allocated, ULONG Tag)
{
    if (Tag && Tag != Allocated) {
        PoolError(BAD_POOL_CALLER, "freed with another tag", Address);
    }
}

static void FreeLarge(PVOID Address, ULONG Tag)
{
    LARGE_BLOCK **link = LargeBucket(Address);
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&PoolLock);
    LARGE_BLOCK *record;

    while (*link && (*link)->Address != Address) {
        link = &(*link)->Next;
    }
    record = *link;
    if (record) {
        *link = record->Next;
    }
    KeReleaseSpinLock(&PoolLock, irql);
    if (!record) {
        PoolError(BAD_POOL_CALLER, "freed, but never allocated", Address);
    }
    CheckTag(Address, record->Tag, Tag);
    GivePages(Address, record->Length);
    ExFreePoolWithTag(record, 'egrL');
}

static void FreeSmall(PVOID Address, ULONG Tag)
{
    FREE_BLOCK *block = (FREE_BLOCK *)((POOL_HEADER *)Address - 1);
    ULONG class = block->Header.Class;
    KIRQL irql;

    if (block->Header.Magic != HEADER_MAGIC || class >= CLASSES) {
        PoolError(BAD_POOL_HEADER, block->Header.Magic == FREED_MAGIC
                  ? "freed twice" : "its header was overwritten", Address);
    }
    CheckTag(Address, block->Header.Tag, Tag);
    memset(Address, FREED_FILL,
           ((SIZE_T)1 << (SMALLEST_SHIFT + class)) - sizeof(POOL_HEADER));
    irql = KeAcquireSpinLockRaiseToDpc(&PoolLock);
    block->Header.Magic = FREED_MAGIC;
    block->Next = FreeBlocks[class];
    FreeBlocks[class] = block;
    KeReleaseSpinLock(&PoolLock, irql);
}

VOID NTAPI ExFreePoolWithTag(PVOID P, ULONG Tag)
{
    if (((ULONG_PTR)P & (PAGE_SIZE - 1)) == 0) {
        FreeLarge(P, Tag);
    } else {
        FreeSmall(P, Tag);
    }
}

VOID NTAPI ExFreePool(PVOID P)
{
    ExFreePoolWithTag(P, 0);
}
