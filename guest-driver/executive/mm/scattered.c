/*
 * Memory whose pages may lie anywhere, mapped as one piece.
 *
 * It is taken in runs as long as there are. They are noted in blocks of one page,
 * so that this works where no two free pages adjoin.
 *
 * SPDX-License-Identifier: MIT
 */
#include "mi.h"

#define SCATTERED_TAG   'tacS'
#define BUCKETS         256
#define RUNS            255

typedef struct _RUN {
    ULONGLONG Base;
    SIZE_T Length;              /* whole pages */
} RUN;

typedef struct _RUN_BLOCK {
    struct _RUN_BLOCK *Next;
    ULONGLONG Count;
    RUN Runs[RUNS];
} RUN_BLOCK;

_Static_assert(sizeof(RUN_BLOCK) == PAGE_SIZE, "a block takes one page");

typedef struct _SCATTERED {
    struct _SCATTERED *Next;
    PVOID Address;
    SIZE_T Length;              /* whole pages */
    RUN_BLOCK *Blocks;
} SCATTERED;

static SCATTERED *Buckets[BUCKETS];

/* Where the memory that is spared begins and ends, from the top down. */
static const ULONGLONG Floors[] = { 0x100000000ull, 0x1000000ull, 0 };

static SCATTERED **BucketOf(PVOID Address)
{
    return &Buckets[((ULONG_PTR)Address >> PAGE_SHIFT) % BUCKETS];
}

static RUN *NewRun(SCATTERED *Memory)
{
    RUN_BLOCK *block = Memory->Blocks;

    if (!block || block->Count == RUNS) {
        block = ExAllocatePoolWithTag(NonPagedPool, sizeof(*block),
                                      SCATTERED_TAG);
        if (!block) {
            return NULL;
        }
        block->Next = Memory->Blocks;
        block->Count = 0;
        Memory->Blocks = block;
    }
    return &block->Runs[block->Count++];
}

static bool TakeRun(ULONG Node, ULONGLONG Floor, RUN *Run)
{
    struct frames_request request = FRAMES_ANYWHERE(Run->Length);
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);
    enum frames_status status;

    request.low = Floor;
    request.node = Node;
    status = MiAllocateFrames(&MiPhysical, &request, &Run->Base);
    KeReleaseSpinLock(&MiLock, irql);
    return status == FRAMES_OK;
}

/* Takes up to Length bytes of a node from Floor up; returns how many. */
static SIZE_T TakeFrom(SCATTERED *Memory, ULONG Node, ULONGLONG Floor,
                       SIZE_T Length)
{
    SIZE_T taken = 0, piece = Length;

    while (taken < Length && piece) {
        RUN *run = NewRun(Memory);

        if (!run) {
            break;
        }
        run->Length = min(piece, Length - taken);
        if (TakeRun(Node, Floor, run)) {
            taken += run->Length;
        } else {
            Memory->Blocks->Count--;
            piece = run->Length / 2 & ~(SIZE_T)(PAGE_SIZE - 1);
        }
    }
    return taken;
}

static SIZE_T TakeFromNode(SCATTERED *Memory, ULONG Node, SIZE_T Length)
{
    SIZE_T taken = 0;

    for (ULONG i = 0; i < RTL_NUMBER_OF(Floors) && taken < Length; i++) {
        taken += TakeFrom(Memory, Node, Floors[i], Length - taken);
    }
    return taken;
}

static bool Take(SCATTERED *Memory, NODE_REQUIREMENT Node)
{
    SIZE_T taken = 0;
    ULONG node;

    if (Node == MM_ANY_NODE_OK) {
        return TakeFromNode(Memory, FRAMES_ANY_NODE, Memory->Length) ==
               Memory->Length;
    }
    if (Node >= MiNodeCount()) {
        return false;
    }
    for (ULONG rank = 0; taken < Memory->Length &&
         (node = MiNodeByDistance(Node, rank)) != MAXULONG; rank++) {
        taken += TakeFromNode(Memory, node, Memory->Length - taken);
    }
    return taken == Memory->Length;
}

/* Zeroed through the direct map, so that the mapping is never written cached. */
static bool MapRuns(SCATTERED *Memory, MEMORY_CACHING_TYPE Cache)
{
    PUCHAR at = MiReserve(Memory->Length);

    Memory->Address = at;
    if (!at) {
        return false;
    }
    for (RUN_BLOCK *block = Memory->Blocks; block; block = block->Next) {
        for (ULONG i = 0; i < block->Count; i++) {
            RUN *run = &block->Runs[i];

            __stosq(MiDirect(run->Base), 0, run->Length / sizeof(ULONG64));
            if (!MiMapAt(at, run->Base, run->Length, MI_WRITE, Cache)) {
                MiUnmap(Memory->Address, Memory->Length);
                return false;
            }
            at += run->Length;
        }
    }
    return true;
}

static void GiveBack(SCATTERED *Memory)
{
    while (Memory->Blocks) {
        RUN_BLOCK *block = Memory->Blocks;
        KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);

        for (ULONG i = 0; i < block->Count; i++) {
            MiFreePages(block->Runs[i].Base, block->Runs[i].Length);
        }
        KeReleaseSpinLock(&MiLock, irql);
        Memory->Blocks = block->Next;
        ExFreePoolWithTag(block, SCATTERED_TAG);
    }
    ExFreePoolWithTag(Memory, SCATTERED_TAG);
}

static void Remember(SCATTERED *Memory)
{
    SCATTERED **bucket = BucketOf(Memory->Address);
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);

    Memory->Next = *bucket;
    *bucket = Memory;
    KeReleaseSpinLock(&MiLock, irql);
}

static SCATTERED *Forget(PVOID Address)
{
    SCATTERED **link = BucketOf(Address);
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);
    SCATTERED *memory;

    while (*link && (*link)->Address != Address) {
        link = &(*link)->Next;
    }
    memory = *link;
    if (memory) {
        *link = memory->Next;
    }
    KeReleaseSpinLock(&MiLock, irql);
    return memory;
}

PVOID MiAllocateScattered(SIZE_T Length, NODE_REQUIREMENT Node,
                          MEMORY_CACHING_TYPE Cache)
{
    SCATTERED *memory;

    if (!Length) {
        return NULL;
    }
    memory = ExAllocatePoolWithTag(NonPagedPool, sizeof(*memory),
                                   SCATTERED_TAG);
    if (!memory) {
        return NULL;
    }
    RtlZeroMemory(memory, sizeof(*memory));
    memory->Length = ROUND_TO_PAGES(Length);
    if (!Take(memory, Node) || !MapRuns(memory, Cache)) {
        GiveBack(memory);
        return NULL;
    }
    Remember(memory);
    return memory->Address;
}

BOOLEAN MiFreeScattered(PVOID Address)
{
    SCATTERED *memory = Forget(Address);

    if (!memory) {
        return FALSE;
    }
    MiRetire(Address, memory->Length);
    GiveBack(memory);
    return TRUE;
}
