/*
 * Physically contiguous memory under constraints, mapped.
 *
 * SPDX-License-Identifier: MIT
 */
#include "mi.h"

#include "halp.h"

#define BUCKETS         256

typedef struct _CONTIGUOUS {
    struct _CONTIGUOUS *Next;
    PVOID Address;
    ULONGLONG Physical;
    SIZE_T Length;
    MI_GUARDS Guards;
} CONTIGUOUS;

static CONTIGUOUS *Buckets[BUCKETS];

static CONTIGUOUS **BucketOf(PVOID Address)
{
    return &Buckets[((ULONG_PTR)Address >> PAGE_SHIFT) % BUCKETS];
}

static struct frames_request FramesOf(const MI_CONTIGUOUS *Request, ULONG Node)
{
    return (struct frames_request){
        .low = Request->Low,
        .high = Request->High,
        .varying = Request->Varying,
        .alignment = Request->Alignment,
        .length = Request->Length,
        .node = Node,
    };
}

static bool Place(const MI_CONTIGUOUS *Request, ULONG Node, CONTIGUOUS *Block)
{
    struct frames_request request = FramesOf(Request, Node);
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);
    bool placed = Request->Guarded &&
                  MiPlaceGuarded(&request, &Block->Physical, &Block->Guards);

    while (!placed) {
        placed = MiAllocateFrames(&MiPhysical, &request,
                                  &Block->Physical) == FRAMES_OK;
        if (!placed && !MiGiveUpGuards()) {
            break;
        }
    }
    KeReleaseSpinLock(&MiLock, irql);
    return placed;
}

/*
 * AllocateCommonBufferEx's PreferredNode is a preference: the nodes are tried
 * by distance. One that does not exist is a mistake of the caller.
 */
static bool PlaceByNode(const MI_CONTIGUOUS *Request, CONTIGUOUS *Block)
{
    ULONG node;

    if (Request->Node == MM_ANY_NODE_OK) {
        return Place(Request, FRAMES_ANY_NODE, Block);
    }
    if (Request->Node >= MiNodeCount()) {
        return false;
    }
    for (ULONG rank = 0;
         (node = MiNodeByDistance(Request->Node, rank)) != MAXULONG; rank++) {
        if (Place(Request, node, Block)) {
            return true;
        }
    }
    return false;
}

static void Unplace(CONTIGUOUS *Block, SIZE_T Length)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);

    MiFreeGuards(&Block->Guards);
    MiFreePages(Block->Physical, Length);
    KeReleaseSpinLock(&MiLock, irql);
}

/* Through the direct map, so that the new mapping is never written cached. */
static void Clear(ULONGLONG Physical, SIZE_T Length)
{
    RtlZeroMemory(MiDirect(Physical), Length);
}

static void Remember(CONTIGUOUS *Record)
{
    CONTIGUOUS **bucket = BucketOf(Record->Address);
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);

    Record->Next = *bucket;
    *bucket = Record;
    KeReleaseSpinLock(&MiLock, irql);
}

static CONTIGUOUS *Forget(PVOID Address)
{
    CONTIGUOUS **link = BucketOf(Address);
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);
    CONTIGUOUS *record;

    while (*link && (*link)->Address != Address) {
        link = &(*link)->Next;
    }
    record = *link;
    if (record) {
        *link = record->Next;
    }
    KeReleaseSpinLock(&MiLock, irql);
    return record;
}

PVOID MiAllocateContiguous(const MI_CONTIGUOUS *Request, ULONGLONG *Physical)
{
    CONTIGUOUS *record = ExAllocatePoolWithTag(NonPagedPool, sizeof(*record),
                                               'tnoC');

    if (!record) {
        return NULL;
    }
    RtlZeroMemory(record, sizeof(*record));
    if (!PlaceByNode(Request, record)) {
        goto no_memory;
    }
    record->Length = Request->Length;
    record->Address = MiMap(record->Physical, Request->Length, MI_WRITE,
                            Request->Cache);
    if (!record->Address) {
        Unplace(record, Request->Length);
        goto no_memory;
    }
    Clear(record->Physical, ROUND_TO_PAGES(Request->Length));
    Remember(record);
    *Physical = record->Physical;
    return record->Address;

no_memory:
    ExFreePoolWithTag(record, 'tnoC');
    return NULL;
}

BOOLEAN MiHasRoom(const MI_CONTIGUOUS *Request)
{
    struct frames_request request = FramesOf(Request, Request->Node);
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);
    ULONGLONG base;
    bool room = frames_allocate(&MiPhysical, &request, &base) == FRAMES_OK;

    /* As if it had not been: nobody else has seen it. */
    if (room) {
        frames_free(&MiPhysical, base, request.length);
    }
    KeReleaseSpinLock(&MiLock, irql);
    return room;
}

SIZE_T MiCheckGuards(PVOID Address, ULONGLONG *First)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);
    const CONTIGUOUS *record = *BucketOf(Address);
    SIZE_T changed;

    while (record && record->Address != Address) {
        record = record->Next;
    }
    changed = record ? MiInspectGuards(&record->Guards, First) : 0;
    KeReleaseSpinLock(&MiLock, irql);
    return changed;
}

BOOLEAN MiFreeContiguous(PVOID Address)
{
    CONTIGUOUS *record = Forget(Address);

    if (!record) {
        return FALSE;
    }
    MiRetire(Address, record->Length);
    Unplace(record, record->Length);
    ExFreePoolWithTag(record, 'tnoC');
    return TRUE;
}

/* Bounds are inclusive; the boundary is a power of two or 0. */
PVOID NTAPI MmAllocateContiguousMemorySpecifyCache(
    SIZE_T NumberOfBytes, PHYSICAL_ADDRESS Lowest, PHYSICAL_ADDRESS Highest,
    PHYSICAL_ADDRESS BoundaryMultiple, MEMORY_CACHING_TYPE CacheType)
{
    ULONGLONG boundary = (ULONGLONG)BoundaryMultiple.QuadPart;
    MI_CONTIGUOUS request = {
        .Low = (ULONGLONG)Lowest.QuadPart,
        .High = (ULONGLONG)Highest.QuadPart,
        .Varying = boundary ? boundary - 1 : MAXULONGLONG,
        .Length = NumberOfBytes,
        .Node = MM_ANY_NODE_OK,
        .Cache = CacheType,
    };
    ULONGLONG physical;

    if (boundary & (boundary - 1)) {
        return NULL;
    }
    return MiAllocateContiguous(&request, &physical);
}

PVOID NTAPI MmAllocateContiguousMemory(SIZE_T NumberOfBytes,
                                       PHYSICAL_ADDRESS Highest)
{
    PHYSICAL_ADDRESS none = { .QuadPart = 0 };

    return MmAllocateContiguousMemorySpecifyCache(NumberOfBytes, none, Highest,
                                                  none, MmCached);
}

VOID NTAPI MmFreeContiguousMemory(PVOID BaseAddress)
{
    HalpCheckFree(BaseAddress, "MmFreeContiguousMemory");
    if (!MiFreeContiguous(BaseAddress)) {
        DbgPrint("MmFreeContiguousMemory(%p): not the address of a block\n",
                 BaseAddress);
        KeBugCheckEx(BAD_POOL_CALLER, 0, (ULONG_PTR)BaseAddress, 0, 0);
    }
}
