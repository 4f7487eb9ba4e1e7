/*
 * The verifier: stops a driver that breaks the rules of DMA, and says which
 * rule, where, and whose buffer it is about.
 *
 * It is on unless the command line has "verify=off". docs/verifier.md lists
 * the rules, each with the mistake that shows it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_HAL_VERIFY_H
#define EXECUTIVE_HAL_VERIFY_H

#include "hal.h"

/*
 * Every rule: its code, name and text. Codes below 0x100 are the first
 * parameter of Windows' bug check 0xE6; Driver Verifier lacks the others.
 */
#define HAL_RULES(RULE)                                                       \
    RULE(FreeTwice, 0x03, "free-twice",                                       \
         "the common buffer was freed already")                               \
    RULE(ChannelFreeTwice, 0x04, "channel-free-twice",                        \
         "the adapter channel is not allocated")                              \
    RULE(RegistersUnknown, 0x05, "registers-unknown",                         \
         "MapRegisterBase is none of this adapter, or was freed")             \
    RULE(ListUnknown, 0x06, "list-unknown",                                   \
         "the list is none of this adapter, or was put back")                 \
    RULE(PutLiveBuffer, 0x07, "put-live-buffer",                              \
         "a common buffer of the adapter has not been freed")                 \
    RULE(PutLiveChannel, 0x08, "put-live-channel",                            \
         "the adapter channel has not been freed")                            \
    RULE(PutLiveRegisters, 0x09, "put-live-registers",                        \
         "map registers have not been freed")                                 \
    RULE(PutLiveList, 0x0a, "put-live-list",                                  \
         "a scatter/gather list has not been put back")                       \
    RULE(TwoChannels, 0x0b, "two-channels",                                   \
         "a request of this device object waits, or its routine runs")        \
    RULE(NotFlushed, 0x0d, "not-flushed",                                     \
         "the transfer before has not been flushed")                          \
    RULE(NotLocked, 0x0e, "not-locked",                                       \
         "the MDL's pages are not locked")                                    \
    RULE(WriteOutside, 0x0f, "write-outside",                                 \
         "memory before or behind a common buffer was touched")               \
    RULE(RegistersMapped, 0x10, "registers-mapped",                           \
         "map registers are freed while a transfer is not flushed")           \
    RULE(PutWaiting, 0x11, "put-waiting",                                     \
         "a request for map registers still waits")                           \
    RULE(Irql, 0x13, "irql", "called at a wrong IRQL")                        \
    RULE(TooManyRegisters, 0x15, "too-many-registers",                        \
         "more map registers are needed than were granted")                   \
    RULE(FlushUnmapped, 0x16, "flush-unmapped",                               \
         "some of what is flushed is not mapped")                             \
    RULE(StaleAdapter, 0x18, "stale-adapter",                                 \
         "no adapter, or one that PutDmaAdapter has released")                \
    RULE(NullAdapter, 0x19, "null-adapter", "the adapter is NULL")            \
    RULE(OutsideMdl, 0x1b, "outside-mdl", "CurrentVa is not in the MDL")      \
    RULE(MappedTwice, 0x1d, "mapped-twice",                                   \
         "CurrentVa is mapped already, and not flushed")                      \
    RULE(BeyondMdl, 0x1f, "beyond-mdl",                                       \
         "Length goes beyond the end of the MDL")                             \
    RULE(LengthZero, 0x21, "length-zero", "Length is 0")                      \
    RULE(FreeLength, 0x101, "free-length",                                    \
         "Length is not the allocation's")                                    \
    RULE(FreeLogical, 0x102, "free-logical",                                  \
         "LogicalAddress is not the allocation's")                            \
    RULE(FreeCache, 0x103, "free-cache",                                      \
         "CacheEnabled is not the allocation's")                              \
    RULE(FreeInside, 0x104, "free-inside",                                    \
         "VirtualAddress is not the start of the buffer that it lies in")     \
    RULE(FreeForeign, 0x105, "free-foreign",                                  \
         "the common buffer is another adapter's")                            \
    RULE(FreeUnknown, 0x106, "free-unknown",                                  \
         "VirtualAddress is no common buffer's")                              \
    RULE(FreeBehind, 0x107, "free-behind",                                    \
         "another routine frees the common buffer's memory")                  \
    RULE(TouchFreed, 0x108, "touch-freed",                                    \
         "memory of a common buffer was touched after it was freed")          \
    RULE(NeverPut, 0x109, "never-put",                                        \
         "the adapter was never released with PutDmaAdapter")                 \
    RULE(RegistersCount, 0x10a, "registers-count",                            \
         "NumberOfMapRegisters is not the allocation's")                      \
    RULE(Direction, 0x10b, "direction",                                       \
         "WriteToDevice is not that of what is mapped")                       \
    RULE(NoCounter, 0x10c, "no-counter",                                      \
         "the adapter is a bus master's, which has no counter")               \
    RULE(ChannelLength, 0x10d, "channel-length",                              \
         "the channel cannot transfer that many bytes at once")               \
    RULE(ResultLimit, 0x110, "result-limit",                                  \
         "the executive's result lies above what was asked for")              \
    RULE(ResultMinimum, 0x111, "result-minimum",                              \
         "the executive's result lies below what was asked for")              \
    RULE(ResultBoundary, 0x112, "result-boundary",                            \
         "the executive's result crosses a boundary that it must not cross")  \
    RULE(ResultAlignment, 0x113, "result-alignment",                          \
         "the executive's result is not aligned")                             \
    RULE(ResultScattered, 0x114, "result-scattered",                          \
         "the device finds other pages at the logical address")               \
    RULE(ResultNode, 0x115, "result-node",                                    \
         "the preferred node has room, but another node's memory was given")  \
    RULE(ResultOverlap, 0x116, "result-overlap",                              \
         "the executive has given memory of another common buffer")           \
    RULE(ResultContents, 0x117, "result-contents",                            \
         "the executive has given memory that is not zeroed")                 \
    RULE(FreeElement, 0x120, "free-element",                                  \
         "the common buffer is a vector's and is freed through it only")      \
    RULE(VectorUnknown, 0x121, "vector-unknown",                              \
         "no vector of this adapter, or one that was freed")                  \
    RULE(VectorElement, 0x122, "vector-element",                              \
         "the vector has no such element, or it was freed")

#define HAL_RULE_ENUM(rule, code, name, text) HalRule##rule,
typedef enum _HAL_RULE { HAL_RULES(HAL_RULE_ENUM) HalRuleCount } HAL_RULE;
#undef HAL_RULE_ENUM

/* Where a driver called. */
#define HAL_SITE_FRAMES         8

typedef struct _HAL_SITE {
    PCSTR Routine;
    ULONG Count;
    PVOID Frames[HAL_SITE_FRAMES];      /* return addresses, the last call first */
} HAL_SITE;

struct _HAL_ADAPTER;
struct _HAL_BUFFER;
struct _HAL_GRANT;

/* A broken rule, with what there is to say of it; unused members are 0. */
typedef struct _HAL_BREACH {
    HAL_RULE Rule;
    PCSTR Routine;                      /* that the driver has called */
    const struct _HAL_ADAPTER *Adapter;
    const struct _HAL_BUFFER *Buffer;
    const struct _HAL_GRANT *Grant;     /* map registers, or a list */
    const HAL_SITE *Allocated;          /* where something else was got */
    const HAL_SITE *Freed;              /* where what is named was freed */
    BOOLEAN Compared;                   /* Expected and Actual tell something */
    ULONGLONG Expected, Actual;
    SIZE_T Changed;                     /* bytes that were overwritten */
    PCSTR Detail;
} HAL_BREACH;

/* FALSE: every mistake is let pass that can be. */
extern BOOLEAN HalpVerifying;

/* Stops the run with a report. Returns only if the verifier is off. Any IRQL. */
void HalpBreach(const HAL_BREACH *Breach);

/* Prints the report alone. */
void HalpReport(const HAL_BREACH *Breach);

/* Notes who has called Routine, if the verifier is on. Any IRQL. */
void HalpNoteSite(HAL_SITE *Site, PCSTR Routine);

/* Routine, called for Adapter, must be called at that IRQL, or at most there. */
void HalpRequirePassive(const struct _HAL_ADAPTER *Adapter, PCSTR Routine);
void HalpRequireDispatch(const struct _HAL_ADAPTER *Adapter, PCSTR Routine);
void HalpRequireAtMost(const struct _HAL_ADAPTER *Adapter, PCSTR Routine,
                       KIRQL Irql);

/* --- verify_result.c: the executive's own work ---------------------------- */

/* FALSE: no memory. */
BOOLEAN HalpInitializeResults(void);

/* Of the rules on results the one of that name; HalRuleCount: there is none. */
HAL_RULE HalpResultRule(const char *Name);

/* Stops if the buffer is not what was asked for; Frees: MiCountFrees before. */
void HalpCheckResult(const struct _HAL_ADAPTER *Adapter,
                     struct _HAL_BUFFER *Buffer, const MI_CONTIGUOUS *Request,
                     ULONG Frees);

/* The buffer's pages are about to be nobody's. */
void HalpDisclaim(const struct _HAL_BUFFER *Buffer);

/* What is asked of the allocator, and what it gives, spoilt on purpose. */
MI_CONTIGUOUS HalpSpoilRequest(const MI_CONTIGUOUS *Request);
void HalpSpoilResult(struct _HAL_BUFFER *Buffer, const MI_CONTIGUOUS *Request);

/* --- verify_guards.c: what surrounds a buffer ----------------------------- */

/* Fills what a new buffer leaves of its last page. */
void HalpGuardBuffer(const struct _HAL_BUFFER *Buffer);

/* Stops if what surrounds the buffer was written to. IRQL <= DISPATCH_LEVEL. */
void HalpCheckBuffer(const struct _HAL_BUFFER *Buffer, PCSTR Routine);

/* --- verify_late.c: blocks of hal.dll's own that were freed ---------------- */

#define HAL_LATE_MAX            64u

/* All 0 at first. */
typedef struct _HAL_LATE {
    KSPIN_LOCK Lock;
    ULONG Count;
    PVOID Blocks[HAL_LATE_MAX];         /* a ring, of blocks of one tag */
} HAL_LATE;

/* Frees a block; if the verifier is on, when as many others were freed. */
void HalpFreeLate(HAL_LATE *Late, PVOID Block, ULONG Tag);

/*
 * The block that is, or whose What is, Wanted; NULL: none of those kept. For
 * reports: nothing keeps it from being freed for good.
 */
const VOID *HalpFindLate(const HAL_LATE *Late, const VOID *Wanted,
                         const VOID *(*What)(const VOID *Block));

/* --- verify_buffers.c: what is alive, and what was ----------------------- */

/* From the adapter's creation to its release. IRQL <= DISPATCH_LEVEL. */
void HalpRememberAdapter(struct _HAL_ADAPTER *Adapter);
void HalpForgetAdapter(struct _HAL_ADAPTER *Adapter);

/* A buffer is about to be freed by Routine: it is remembered for a while. */
void HalpRememberFreed(const struct _HAL_BUFFER *Buffer, PCSTR Routine);

/* Address, given to FreeCommonBuffer, is not the start of one of Adapter's. */
void HalpFreeOfUnknown(const struct _HAL_ADAPTER *Adapter, PCSTR Routine,
                       PVOID Address);

#endif
