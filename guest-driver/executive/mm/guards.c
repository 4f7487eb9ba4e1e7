/*
 * Guard pages: RAM on either side of a block that nobody but a stray device
 * writes to.
 *
 * They are put where memory is plentiful only, and given up as soon as a
 * request finds no place, so that none ever fails because of them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "mi.h"

/* Of the request's addresses on the node: less is not plentiful. */
#define PLENTIFUL           (64ull << 20)
#define NO_PAGE             MAXULONGLONG

static LIST_ENTRY Guarded = { &Guarded, &Guarded };

/* Bytes of [Low, High] between a node's first and last byte of RAM. */
static ULONGLONG OnNode(const struct frames_request *Request, ULONG Node)
{
    struct frames_statistics node;
    ULONGLONG low, high;

    if (!frames_statistics(&MiPhysical, Node, &node)) {
        return 0;
    }
    low = Request->low > node.lowest ? Request->low : node.lowest;
    high = Request->high < node.highest ? Request->high : node.highest;
    return high > low ? high - low : 0;
}

static bool IsPlentiful(const struct frames_request *Request)
{
    ULONGLONG bytes = 0;

    if (Request->node != FRAMES_ANY_NODE) {
        return OnNode(Request, Request->node) >= PLENTIFUL;
    }
    for (ULONG node = 0; node < MiNodeCount(); node++) {
        bytes += OnNode(Request, node);
    }
    return bytes >= PLENTIFUL;
}

/* The page at Physical, and filled; NO_PAGE: it is in use, or no RAM. */
static ULONGLONG Take(ULONGLONG Physical)
{
    struct frames_request request = FRAMES_ANYWHERE(PAGE_SIZE);
    ULONGLONG base;

    request.low = Physical;
    request.high = Physical + PAGE_SIZE - 1;
    if (MiAllocateFrames(&MiPhysical, &request, &base) != FRAMES_OK) {
        return NO_PAGE;
    }
    MiFillGuard(MiDirect(base), PAGE_SIZE);
    return base;
}

static void Give(ULONGLONG *Page)
{
    if (*Page != NO_PAGE) {
        MiFreePages(*Page, PAGE_SIZE);
        *Page = NO_PAGE;
    }
}

/*
 * A place for the request with a free page on either side. Its bounds are those
 * of the bytes asked for: the pages beside them may lie outside.
 */
static bool FindPadded(const struct frames_request *Request, ULONGLONG *Base)
{
    struct frames_request padded = *Request;
    ULONGLONG tail = ROUND_TO_PAGES(Request->length) - Request->length;

    if (Request->varying != MAXULONGLONG || Request->alignment > PAGE_SIZE ||
        !IsPlentiful(Request)) {
        return false;
    }
    padded.length = Request->length + tail + 2 * PAGE_SIZE;
    padded.low = Request->low > PAGE_SIZE ? Request->low - PAGE_SIZE : 0;
    padded.high = Request->high + tail + PAGE_SIZE < Request->high
                      ? MAXULONGLONG : Request->high + tail + PAGE_SIZE;
    if (MiAllocateFrames(&MiPhysical, &padded, Base) != FRAMES_OK) {
        return false;
    }
    /* Nobody has seen it taken: no page was freed, which MiFreePages counts. */
    frames_free(&MiPhysical, *Base, padded.length);
    *Base += PAGE_SIZE;
    return true;
}

bool MiPlaceGuarded(const struct frames_request *Request, ULONGLONG *Base,
                    MI_GUARDS *Guards)
{
    struct frames_request exact = *Request;

    if (!FindPadded(Request, Base)) {
        return false;
    }
    exact.low = *Base;
    exact.high = *Base + Request->length - 1;
    if (MiAllocateFrames(&MiPhysical, &exact, Base) != FRAMES_OK) {
        return false;
    }
    Guards->Before = Take(*Base - PAGE_SIZE);
    Guards->Behind = Take(*Base + ROUND_TO_PAGES(Request->length));
    InsertTailList(&Guarded, &Guards->Link);
    return true;
}

void MiFreeGuards(MI_GUARDS *Guards)
{
    if (Guards->Link.Flink) {
        RemoveEntryList(&Guards->Link);
        Guards->Link.Flink = NULL;
        Give(&Guards->Before);
        Give(&Guards->Behind);
    }
}

static SIZE_T InspectPage(ULONGLONG Page, SIZE_T *First)
{
    *First = 0;
    return Page == NO_PAGE
               ? 0 : MiInspectGuard(MiDirect(Page), PAGE_SIZE, First);
}

SIZE_T MiInspectGuards(const MI_GUARDS *Guards, ULONGLONG *First)
{
    SIZE_T at, changed;

    if (!Guards->Link.Flink) {
        return 0;
    }
    changed = InspectPage(Guards->Before, &at);
    *First = Guards->Before + at;
    if (!changed) {
        changed = InspectPage(Guards->Behind, &at);
        *First = Guards->Behind + at;
    }
    return changed;
}

/* Those that were written to stay until the block is freed: they are evidence. */
bool MiGiveUpGuards(void)
{
    bool gave = false;

    for (PLIST_ENTRY entry = Guarded.Flink, next; entry != &Guarded;
         entry = next) {
        MI_GUARDS *guards = CONTAINING_RECORD(entry, MI_GUARDS, Link);
        ULONGLONG first;

        next = entry->Flink;
        if (!MiInspectGuards(guards, &first)) {
            MiFreeGuards(guards);
            gave = true;
        }
    }
    return gave;
}

/* A word of the fill at any address that is a multiple of 8: "DmaVrfy0". */
#define FILL                0x3079667256616d44ull

static UCHAR FillAt(const UCHAR *Address)
{
    return (UCHAR)(FILL >> (ULONG_PTR)Address % sizeof(FILL) * 8);
}

static bool IsWhole(const UCHAR *Bytes, SIZE_T Left)
{
    return !((ULONG_PTR)Bytes % sizeof(FILL)) && Left >= sizeof(FILL);
}

void MiFillGuard(PVOID Address, SIZE_T Length)
{
    PUCHAR bytes = Address;

    while (Length) {
        SIZE_T step = IsWhole(bytes, Length) ? sizeof(FILL) : 1;

        if (step > 1) {
            *(volatile ULONGLONG *)bytes = FILL;
        } else {
            *(volatile UCHAR *)bytes = FillAt(bytes);
        }
        bytes += step;
        Length -= step;
    }
}

SIZE_T MiInspectGuard(const VOID *Address, SIZE_T Length, SIZE_T *First)
{
    const UCHAR *bytes = Address;
    SIZE_T at = 0, changed = 0;

    *First = 0;
    while (at < Length) {
        if (IsWhole(bytes + at, Length - at) &&
            *(const ULONGLONG *)(bytes + at) == FILL) {
            at += sizeof(FILL);
            continue;
        }
        if (bytes[at] != FillAt(bytes + at)) {
            *First = changed++ ? *First : at;
        }
        at++;
    }
    return changed;
}
