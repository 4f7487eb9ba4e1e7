/*
 * The verifier of the executive itself: a common buffer must be what was asked
 * for, whatever allocator has made it. Nothing here is taken from that.
 *
 * "fault=result-..." on the command line spoils results on purpose, so that it
 * is seen to be noticed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "adapter.h"

#define BITS                64u
#define WORDS_IN_PAGE       (PAGE_SIZE / sizeof(ULONGLONG))

static HAL_RULE Spoilt = HalRuleCount;      /* none */

/* A bit for each page of RAM: it is a common buffer's. */
static volatile LONGLONG *Claimed;

BOOLEAN HalpInitializeResults(void)
{
    SIZE_T words = (SIZE_T)(MiHighestPhysical() >> PAGE_SHIFT) / BITS + 1;
    char name[32];

    Claimed = ExAllocatePoolWithTag(NonPagedPool, words * sizeof(*Claimed),
                                    'mlaC');
    if (!Claimed) {
        return FALSE;
    }
    RtlZeroMemory((PVOID)Claimed, words * sizeof(*Claimed));
    if (IopBootOption("fault", name, sizeof(name))) {
        Spoilt = HalpResultRule(name);
    }
    return TRUE;
}

static ULONGLONG PageOf(const HAL_BUFFER *Buffer, SIZE_T Index)
{
    return (ULONGLONG)MmGetPhysicalAddress(
               (PUCHAR)Buffer->Address + (Index << PAGE_SHIFT)).QuadPart;
}

/* FALSE: the page was somebody's already. */
static bool Claim(ULONGLONG Physical)
{
    ULONGLONG page = Physical >> PAGE_SHIFT;
    LONGLONG bit = (LONGLONG)(1ull << page % BITS);

    return !(__atomic_fetch_or(&Claimed[page / BITS], bit, __ATOMIC_SEQ_CST) &
             bit);
}

void HalpDisclaim(const HAL_BUFFER *Buffer)
{
    for (SIZE_T i = 0; Buffer->Claimed && i < BYTES_TO_PAGES(Buffer->Taken);
         i++) {
        ULONGLONG page = PageOf(Buffer, i) >> PAGE_SHIFT;

        __atomic_fetch_and(&Claimed[page / BITS],
                           (LONGLONG)~(1ull << page % BITS), __ATOMIC_SEQ_CST);
    }
}

static void Wrong(const HAL_BUFFER *Buffer, HAL_RULE Rule, ULONGLONG Expected,
                  ULONGLONG Actual)
{
    HalpBreach(&(HAL_BREACH){
        .Rule = Rule,
        .Routine = Buffer->Allocated.Routine,
        .Buffer = Buffer,
        .Compared = TRUE,
        .Expected = Expected,
        .Actual = Actual,
    });
}

/* Between two addresses that differ in a bit, all lower bits vary. */
static ULONGLONG Varying(ULONGLONG First, ULONGLONG Last)
{
    ULONGLONG bits = First ^ Last;

    for (ULONG shift = 1; shift < BITS; shift *= 2) {
        bits |= bits >> shift;
    }
    return bits;
}

static void CheckAddress(const HAL_BUFFER *Buffer, const MI_CONTIGUOUS *Request)
{
    ULONGLONG first = Buffer->Logical, last = first + Buffer->Length - 1;
    ULONGLONG alignment = Request->Alignment > PAGE_SIZE ? Request->Alignment
                                                         : PAGE_SIZE;

    if (last > Request->High || last < first) {
        Wrong(Buffer, HalRuleResultLimit, Request->High, last);
    }
    if (first < Request->Low) {
        Wrong(Buffer, HalRuleResultMinimum, Request->Low, first);
    }
    if (Varying(first, last) & ~Request->Varying) {
        Wrong(Buffer, HalRuleResultBoundary, Request->Varying,
              Varying(first, last));
    }
    if (first & (alignment - 1)) {
        Wrong(Buffer, HalRuleResultAlignment, alignment, first);
    }
}

/* The device must find the pages that the processor finds, in this order. */
static void CheckPages(const HAL_ADAPTER *Adapter, HAL_BUFFER *Buffer)
{
    Buffer->Claimed = TRUE;
    for (SIZE_T i = 0; i < BYTES_TO_PAGES(Buffer->Taken); i++) {
        ULONGLONG page = PageOf(Buffer, i);
        ULONGLONG found = HalpDomainTranslate(
            Adapter->Domain, Buffer->Logical + (i << PAGE_SHIFT));

        if (found != page) {
            Wrong(Buffer, HalRuleResultScattered, page, found);
        }
        if (!Claim(page)) {
            Wrong(Buffer, HalRuleResultOverlap, 0, page);
        }
    }
}

/* What its former owner has left would be there for the device to read. */
static void CheckContents(const HAL_BUFFER *Buffer)
{
    const ULONGLONG *word = Buffer->Address;

    for (SIZE_T i = 0; i < BYTES_TO_PAGES(Buffer->Taken); i++) {
        const ULONGLONG *last = word + WORDS_IN_PAGE - 1;

        if (*word | *last) {
            Wrong(Buffer, HalRuleResultContents, 0, *word | *last);
        }
        word += WORDS_IN_PAGE;
    }
}

/* The first page's node that is not the preferred one; that, if there is none. */
static NODE_REQUIREMENT OtherNode(const HAL_BUFFER *Buffer,
                                  NODE_REQUIREMENT Preferred)
{
    NODE_REQUIREMENT node = Preferred;

    for (SIZE_T i = 0; i < BYTES_TO_PAGES(Buffer->Taken) && node == Preferred;
         i++) {
        node = MiNodeOf(PageOf(Buffer, i));
    }
    return node;
}

/*
 * Another node than the preferred one only if that has no room; what somebody
 * has freed meanwhile does not count. Behind an IOMMU any page would do.
 */
static void CheckNode(const HAL_ADAPTER *Adapter, const HAL_BUFFER *Buffer,
                      const MI_CONTIGUOUS *Request, ULONG Frees)
{
    const MI_CONTIGUOUS page = {
        .High = MAXULONGLONG,
        .Varying = MAXULONGLONG,
        .Length = PAGE_SIZE,
        .Node = Request->Node,
    };
    NODE_REQUIREMENT node;

    if (Request->Node == MM_ANY_NODE_OK) {
        return;
    }
    node = OtherNode(Buffer, Request->Node);
    if (node != Request->Node &&
        MiHasRoom(HalpDomainTranslates(Adapter->Domain) ? &page : Request) &&
        MiCountFrees() == Frees) {
        Wrong(Buffer, HalRuleResultNode, Request->Node, node);
    }
}

void HalpCheckResult(const HAL_ADAPTER *Adapter, HAL_BUFFER *Buffer,
                     const MI_CONTIGUOUS *Request, ULONG Frees)
{
    if (HalpVerifying) {
        CheckAddress(Buffer, Request);
        CheckPages(Adapter, Buffer);
        CheckContents(Buffer);
        CheckNode(Adapter, Buffer, Request, Frees);
    }
}

MI_CONTIGUOUS HalpSpoilRequest(const MI_CONTIGUOUS *Request)
{
    MI_CONTIGUOUS spoilt = *Request;

    if (HalpVerifying && Spoilt == HalRuleResultNode &&
        Request->Node != MM_ANY_NODE_OK) {
        spoilt.Node = (Request->Node + 1u) %
                      (KeQueryHighestNodeNumber() + 1u);
    }
    return spoilt;
}

void HalpSpoilResult(HAL_BUFFER *Buffer, const MI_CONTIGUOUS *Request)
{
    if (!HalpVerifying) {
        return;
    }
    switch (Spoilt) {
    case HalRuleResultLimit:
        Buffer->Logical = (Request->High & ~(PAGE_SIZE - 1ull)) + PAGE_SIZE;
        break;
    case HalRuleResultMinimum:
        Buffer->Logical = Request->Low ? Request->Low - PAGE_SIZE
                                       : Buffer->Logical;
        break;
    case HalRuleResultBoundary:
        Buffer->Logical = Request->Varying == MAXULONGLONG
                              ? Buffer->Logical
                              : Request->Varying + 1 - PAGE_SIZE;
        break;
    case HalRuleResultAlignment:
        Buffer->Logical -= PAGE_SIZE / 2;
        break;
    case HalRuleResultScattered:
        Buffer->Logical -= PAGE_SIZE;
        break;
    case HalRuleResultOverlap:
        Claim(PageOf(Buffer, 0));
        break;
    case HalRuleResultContents:
        *(ULONGLONG *)Buffer->Address = Buffer->Logical;
        break;
    default:
        break;
    }
}
