/*
 * Blocks that are freed late: what a driver's stale pointer leads to is still
 * what it was, and not what came to lie there since.
 *
 * SPDX-License-Identifier: MIT
 */
#include "adapter.h"

/* Whole pages are not kept: others may wait for them. */
static bool IsWholePages(const VOID *Block)
{
    return !BYTE_OFFSET((ULONG_PTR)Block);
}

void HalpFreeLate(HAL_LATE *Late, PVOID Block, ULONG Tag)
{
    PVOID free = Block;

    if (HalpVerifying && !IsWholePages(Block)) {
        KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Late->Lock);
        PVOID *slot = &Late->Blocks[Late->Count++ % HAL_LATE_MAX];

        free = *slot;
        *slot = Block;
        KeReleaseSpinLock(&Late->Lock, irql);
    }
    if (free) {
        ExFreePoolWithTag(free, Tag);
    }
}

const VOID *HalpFindLate(const HAL_LATE *Late, const VOID *Wanted,
                         const VOID *(*What)(const VOID *Block))
{
    for (ULONG i = 0; i < HAL_LATE_MAX; i++) {
        const VOID *block = Late->Blocks[i];

        if (block && (What ? What(block) : block) == Wanted) {
            return block;
        }
    }
    return NULL;
}
