/*
 * Inside the memory manager.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_MM_MI_H
#define EXECUTIVE_MM_MI_H

#include "executive.h"

#include "frames.h"

/* Guards physical memory, address space and page tables. IRQL <= DISPATCH. */
extern KSPIN_LOCK MiLock;

/* Reads SRAT, SLIT and DSDT into what the functions below answer from. */
void MiReadFirmware(const struct boot_block *Boot);

/* Calls Add for each piece of [Base, Base + Length) that lies on one node. */
void MiSplitByNode(ULONGLONG Base, ULONGLONG Length,
                   void (*Add)(ULONGLONG Base, ULONGLONG Length, ULONG Node));

/*
 * The node that comes Rank-th by distance from Node, itself first; MAXULONG
 * behind the last.
 */
ULONG MiNodeByDistance(ULONG Node, ULONG Rank);

/*
 * Whole pages for the executive's own use, from the highest memory, under
 * MiLock; 0: none left. Contents undefined.
 */
ULONGLONG MiAllocatePages(SIZE_T Length);

/* Frees what MiAllocatePages() gave, or else what MiAllocateFrames() did, both
   under MiLock. */
void MiFreeOwnPages(ULONGLONG Physical, SIZE_T Length);
void MiFreePages(ULONGLONG Physical, SIZE_T Length);

/* Allocates under MiLock, feeding the allocator the tiles it needs. */
enum frames_status MiAllocateFrames(struct frames *Frames,
                                    const struct frames_request *Request,
                                    ULONGLONG *Base);

/*
 * Address space for MiMapAt, with a page on either side that stays unmapped;
 * MiUnmap gives it back. NULL: out of memory.
 */
PVOID MiReserve(SIZE_T Length);

/*
 * MiUnmap, but for the address space: unless it is much of it, nothing is
 * mapped there before a number of others were retired, so that whoever still
 * uses the address faults.
 */
void MiRetire(PVOID Address, SIZE_T Length);

/* The pages on either side of a block; Link.Flink is NULL: there are none. */
typedef struct _MI_GUARDS {
    LIST_ENTRY Link;
    ULONGLONG Before, Behind;
} MI_GUARDS;

/*
 * guards.c, under MiLock. Places the request and a filled page on either side;
 * false: memory is not plentiful, nothing was done.
 */
bool MiPlaceGuarded(const struct frames_request *Request, ULONGLONG *Base,
                    MI_GUARDS *Guards);
void MiFreeGuards(MI_GUARDS *Guards);

/* Frees all that are whole; false: there were none. */
bool MiGiveUpGuards(void);

/* How many bytes have changed in the page before, or else in that behind. */
SIZE_T MiInspectGuards(const MI_GUARDS *Guards, ULONGLONG *First);

void MiInitializePageTables(const struct boot_block *Boot);

extern struct frames MiPhysical;

#endif
