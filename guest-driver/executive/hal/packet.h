/*
 * Packet DMA of bus masters: map registers and what is mapped through them.
 *
 * A map register stands for a page, or a part of one, that a transfer touches.
 * An adapter has as many as IoGetDmaAdapter has granted; transfers take theirs
 * from them or wait, first come, first served. Where the device cannot reach a
 * page (or, having no scatter/gather, takes one piece only) the register has a
 * bounce page that the device sees instead: written when it is mapped, read
 * back when it is flushed, and never in between.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_HAL_PACKET_H
#define EXECUTIVE_HAL_PACKET_H

#include "domain.h"
#include "verify.h"

#include "wdm3.h"

/* No adapter is granted more: 64 MiB from any offset in a page. */
#define HAL_MAP_REGISTERS_MAX   0x4001u

typedef struct _HAL_ADAPTER HAL_ADAPTER;
typedef struct _HAL_GRANT HAL_GRANT;

/* What a driver's DMA transfer context holds. */
typedef struct _HAL_TRANSFER_CONTEXT {
    ULONG Signature;
    HAL_ADAPTER *Adapter;
} HAL_TRANSFER_CONTEXT;

_Static_assert(sizeof(HAL_TRANSFER_CONTEXT) <= DMA_TRANSFER_CONTEXT_SIZE_V1,
               "it must fit into what drivers provide");

/* Of one adapter; under its lock. */
typedef struct _HAL_MAP_POOL {
    ULONG Granted;              /* NumberOfMapRegisters */
    ULONG Free;
    BOOLEAN ScatterGather;      /* the device takes a list of pieces */
    BOOLEAN Serving;            /* somebody is calling those who waited */
    HAL_GRANT *Holder;          /* has the adapter object; NULL: it is free */
    LIST_ENTRY Waiting;
    LIST_ENTRY Grants;
} HAL_MAP_POOL;

typedef struct _HAL_REGISTER {
    ULONGLONG Physical;         /* of the first byte not yet flushed */
    ULONG Length;               /* bytes not yet flushed; 0: all are */
    PUCHAR Bounce;              /* what the device sees instead; or NULL */
    PMDL Mdl;                   /* of the same byte, */
    ULONG Offset;               /*   and where in it */
    ULONG Run;                  /* the register that holds the mapping */
    /* Of that one: the domain's mapping of it and some that follow. */
    ULONG Live;                 /* of these, not flushed yet */
    ULONGLONG Logical;
    SIZE_T Bytes;
} HAL_REGISTER;

typedef enum _HAL_GRANT_KIND {
    HAL_CHANNEL,                /* AllocateAdapterChannel */
    HAL_CHANNEL_EX,
    HAL_LIST                    /* a scatter/gather list */
} HAL_GRANT_KIND;

/* Map registers that somebody has or waits for: a MapRegisterBase, a list. */
struct _HAL_GRANT {
    LIST_ENTRY Link;
    HAL_ADAPTER *Adapter;
    HAL_GRANT_KIND Kind;
    ULONG Count;                /* registers */
    HAL_SITE Asked;             /* who has asked for them */
    HAL_SITE Freed;
    BOOLEAN Owned;              /* granted, and not given back */
    BOOLEAN Claimed;            /* by who is giving it back */
    BOOLEAN Calling;            /* a channel's routine is running */

    /* What to call when they are there; Control or ListControl may be NULL. */
    PDEVICE_OBJECT Device;
    PDRIVER_CONTROL Control;
    PDRIVER_LIST_CONTROL ListControl;
    PVOID Context;
    HAL_TRANSFER_CONTEXT *Transfer;

    PSCATTER_GATHER_LIST List;  /* of HAL_LIST */

    /* What is mapped. */
    ULONG Next;                 /* registers used since all were flushed */
    ULONG Live;                 /* of these, not flushed yet */
    ULONGLONG BytesMapped;      /* in all, for the verifier */
    ULONGLONG BytesFlushed;
    BOOLEAN WriteToDevice;
    ULONGLONG LogicalEnd;       /* behind the byte mapped last */

    /* Bounce memory: pages, or one block for a device without lists. */
    PMDL Pages;
    ULONG NextPage;
    PUCHAR Block;
    ULONGLONG BlockLogical;

    HAL_REGISTER Register[];
};

/* --- pieces.c: what an MDL chain describes -------------------------------- */

/* A place in a chain. */
typedef struct _HAL_CURSOR {
    PMDL Mdl;
    ULONG Offset;               /* in it */
    ULONG Left;                 /* bytes from here on that are meant */
} HAL_CURSOR;

/* Bytes of one page. */
typedef struct _HAL_PIECE {
    ULONGLONG Physical;
    ULONG Length;
} HAL_PIECE;

/* FALSE: the chain does not hold Length bytes from Offset on. */
BOOLEAN HalpSeek(PMDL Mdl, ULONGLONG Offset, ULONG Length, HAL_CURSOR *Cursor);

/* The piece at the cursor; FALSE: none is left. */
BOOLEAN HalpPiece(const HAL_CURSOR *Cursor, HAL_PIECE *Piece);
void HalpAdvance(HAL_CURSOR *Cursor, ULONG Length);

/* Registers that it takes: one for each piece. */
ULONG HalpCountPieces(HAL_CURSOR Cursor);

/* --- registers.c: what they consist of ------------------------------------- */

/*
 * Memory for Count registers, and for a list of ListBytes bytes unless that is
 * 0; not granted yet. NULL: no memory.
 */
HAL_GRANT *HalpNewGrant(HAL_ADAPTER *Adapter, HAL_GRANT_KIND Kind, ULONG Count,
                        ULONG ListBytes);
void HalpDeleteGrant(HAL_GRANT *Grant);

/* There is no such: stops, and says what it was if that is known. */
void HalpGrantUnknown(const HAL_ADAPTER *Adapter, HAL_RULE Rule, PCSTR Routine,
                      const VOID *Handle);

/*
 * Bounce memory that the device reaches: so many pages, or one block with a
 * page for each register. FALSE: there is not enough.
 */
BOOLEAN HalpAddBouncePages(HAL_GRANT *Grant, ULONG Pages);
BOOLEAN HalpAddBounceBlock(HAL_GRANT *Grant);

/* Whether the device reaches all memory as it is. */
BOOLEAN HalpReachesAll(const HAL_ADAPTER *Adapter);

/* --- grants.c: who has the registers --------------------------------------- */

/* Sets up an adapter's pool for transfers of MaximumLength bytes. */
void HalpInitializeMaps(HAL_ADAPTER *Adapter, ULONG MaximumLength,
                        BOOLEAN ScatterGather);

/* Stops the run if something was not given back. */
void HalpCheckMapsReturned(const HAL_ADAPTER *Adapter, PCSTR Routine);

/*
 * Grants the registers and calls who asked for them, now or when it is its
 * turn. Wait FALSE: STATUS_INSUFFICIENT_RESOURCES if that cannot be now; the
 * grant is then the caller's still.
 */
NTSTATUS HalpRequestGrant(HAL_GRANT *Grant, BOOLEAN Wait);

/*
 * Gives back the registers that the caller has claimed, for Routine, and calls
 * those whose turn has come. The driver may do so while its own routine is still running, on this
 * processor or on another: the grant outlives that.
 */
void HalpReleaseGrant(HAL_GRANT *Grant, PCSTR Routine);

/*
 * Frees the adapter object: its registers with it, or only the object, or not
 * even that. FALSE: nobody has it.
 */
BOOLEAN HalpFreeObject(HAL_ADAPTER *Adapter, IO_ALLOCATION_ACTION Action,
                       PCSTR Routine);

/* Takes back a request that waits with this context; FALSE: none does. */
BOOLEAN HalpCancelRequest(HAL_ADAPTER *Adapter, HAL_TRANSFER_CONTEXT *Transfer);

/* The same for a HAL_CHANNEL, by its routine's context. */
BOOLEAN HalpCancelWaiting(HAL_ADAPTER *Adapter, const VOID *Context);

/* The grant that a driver names; NULL: it has no such, or is giving it back. */
HAL_GRANT *HalpFindGrant(HAL_ADAPTER *Adapter, const VOID *Base);
HAL_GRANT *HalpFindList(HAL_ADAPTER *Adapter, const VOID *List);

/* The same, to give it back: of two processors that try, one gets NULL. */
HAL_GRANT *HalpClaimGrant(HAL_ADAPTER *Adapter, const VOID *Base);
HAL_GRANT *HalpClaimList(HAL_ADAPTER *Adapter, const VOID *List);

/*
 * Whether AllocateAdapterChannel has been called for that device object, and
 * the routine has not been called, or has not returned.
 */
BOOLEAN HalpIsAllocating(HAL_ADAPTER *Adapter, PDEVICE_OBJECT Device);

/* Whether a request with that context waits, or what it was granted is owned. */
BOOLEAN HalpIsContextUsed(HAL_ADAPTER *Adapter,
                          const HAL_TRANSFER_CONTEXT *Transfer);

/* --- mapping.c ---------------------------------------------------------------- */

/* Whether the device reaches it as it is and sees it in one piece. */
BOOLEAN HalpIsOnePiece(const HAL_ADAPTER *Adapter, HAL_CURSOR Cursor);

/* Pieces that the device does not reach as they are. */
ULONG HalpCountBeyondReach(const HAL_ADAPTER *Adapter, HAL_CURSOR Cursor);

/*
 * Maps from the cursor on: all of it, or as much as the registers and Room
 * elements allow. Elements that adjoin for the device are one. Returns the
 * bytes mapped; 0: no logical addresses. What the device shall read is in the
 * bounce memory then; that of a list only after HalpCopyToBounce.
 */
ULONG HalpMap(HAL_GRANT *Grant, HAL_CURSOR Cursor, BOOLEAN WriteToDevice,
              PSCATTER_GATHER_ELEMENT Elements, ULONG Room, ULONG *Count);

void HalpCopyToBounce(HAL_GRANT *Grant);

/*
 * Whether the byte at the cursor is mapped; not looked for if it follows what
 * was mapped last, as bytes mostly do.
 */
BOOLEAN HalpIsMapped(const HAL_GRANT *Grant, const HAL_CURSOR *Cursor);

/* Ends the mapping of what the cursor says; FALSE: some of it is not mapped. */
BOOLEAN HalpFlush(HAL_GRANT *Grant, HAL_CURSOR Cursor);

/* The same for all that is mapped; or without the data, as if never mapped. */
void HalpFlushAll(HAL_GRANT *Grant);
void HalpDiscardAll(HAL_GRANT *Grant);

/* --- the members of DMA_OPERATIONS: channels.c ---------------------------------- */

NTSTATUS NTAPI HalpAllocateAdapterChannel(PDMA_ADAPTER DmaAdapter,
                                          PDEVICE_OBJECT DeviceObject,
                                          ULONG NumberOfMapRegisters,
                                          PDRIVER_CONTROL ExecutionRoutine,
                                          PVOID Context);
VOID NTAPI HalpFreeAdapterChannel(PDMA_ADAPTER DmaAdapter);
VOID NTAPI HalpFreeMapRegisters(PDMA_ADAPTER DmaAdapter, PVOID MapRegisterBase,
                                ULONG NumberOfMapRegisters);
NTSTATUS NTAPI HalpInitializeDmaTransferContext(PDMA_ADAPTER DmaAdapter,
                                                PVOID DmaTransferContext);
NTSTATUS NTAPI HalpAllocateAdapterChannelEx(
    PDMA_ADAPTER DmaAdapter, PDEVICE_OBJECT DeviceObject,
    PVOID DmaTransferContext, ULONG NumberOfMapRegisters, ULONG Flags,
    PDRIVER_CONTROL ExecutionRoutine, PVOID ExecutionContext,
    PVOID *MapRegisterBase);
BOOLEAN NTAPI HalpCancelAdapterChannel(PDMA_ADAPTER DmaAdapter,
                                       PDEVICE_OBJECT DeviceObject,
                                       PVOID DmaTransferContext);
VOID NTAPI HalpFreeAdapterObject(PDMA_ADAPTER DmaAdapter,
                                 IO_ALLOCATION_ACTION AllocationAction);
NTSTATUS NTAPI HalpConfigureAdapterChannel(PDMA_ADAPTER DmaAdapter,
                                           ULONG FunctionNumber, PVOID Context);
NTSTATUS NTAPI HalpCancelMappedTransfer(PDMA_ADAPTER DmaAdapter,
                                        PVOID DmaTransferContext);

/* A context that may be used for a new request of this adapter, or NULL. */
HAL_TRANSFER_CONTEXT *HalpFreshContext(HAL_ADAPTER *Adapter, PVOID Context);

/* --- transfers.c ------------------------------------------------------------------ */

PHYSICAL_ADDRESS NTAPI HalpMapTransfer(PDMA_ADAPTER DmaAdapter, PMDL Mdl,
                                       PVOID MapRegisterBase, PVOID CurrentVa,
                                       PULONG Length, BOOLEAN WriteToDevice);
BOOLEAN NTAPI HalpFlushAdapterBuffers(PDMA_ADAPTER DmaAdapter, PMDL Mdl,
                                      PVOID MapRegisterBase, PVOID CurrentVa,
                                      ULONG Length, BOOLEAN WriteToDevice);
NTSTATUS NTAPI HalpMapTransferEx(
    PDMA_ADAPTER DmaAdapter, PMDL Mdl, PVOID MapRegisterBase, ULONGLONG Offset,
    ULONG DeviceOffset, PULONG Length, BOOLEAN WriteToDevice,
    PSCATTER_GATHER_LIST ScatterGatherBuffer, ULONG ScatterGatherBufferLength,
    PDMA_COMPLETION_ROUTINE3 DmaCompletionRoutine, PVOID CompletionContext);
NTSTATUS NTAPI HalpFlushAdapterBuffersEx(PDMA_ADAPTER DmaAdapter, PMDL Mdl,
                                         PVOID MapRegisterBase,
                                         ULONGLONG Offset, ULONG Length,
                                         BOOLEAN WriteToDevice);

NTSTATUS NTAPI HalpFlushDmaBuffer(PDMA_ADAPTER DmaAdapter, PMDL Mdl,
                                  BOOLEAN ReadOperation);

/* --- lists.c -------------------------------------------------------------------------- */

NTSTATUS NTAPI HalpGetScatterGatherList(PDMA_ADAPTER DmaAdapter,
                                        PDEVICE_OBJECT DeviceObject, PMDL Mdl,
                                        PVOID CurrentVa, ULONG Length,
                                        PDRIVER_LIST_CONTROL ExecutionRoutine,
                                        PVOID Context, BOOLEAN WriteToDevice);
NTSTATUS NTAPI HalpBuildScatterGatherList(
    PDMA_ADAPTER DmaAdapter, PDEVICE_OBJECT DeviceObject, PMDL Mdl,
    PVOID CurrentVa, ULONG Length, PDRIVER_LIST_CONTROL ExecutionRoutine,
    PVOID Context, BOOLEAN WriteToDevice, PVOID ScatterGatherBuffer,
    ULONG ScatterGatherLength);
NTSTATUS NTAPI HalpGetScatterGatherListEx(
    PDMA_ADAPTER DmaAdapter, PDEVICE_OBJECT DeviceObject,
    PVOID DmaTransferContext, PMDL Mdl, ULONGLONG Offset, ULONG Length,
    ULONG Flags, PDRIVER_LIST_CONTROL ExecutionRoutine, PVOID Context,
    BOOLEAN WriteToDevice, PDMA_COMPLETION_ROUTINE3 DmaCompletionRoutine,
    PVOID CompletionContext, PSCATTER_GATHER_LIST *ScatterGatherList);
NTSTATUS NTAPI HalpBuildScatterGatherListEx(
    PDMA_ADAPTER DmaAdapter, PDEVICE_OBJECT DeviceObject,
    PVOID DmaTransferContext, PMDL Mdl, ULONGLONG Offset, ULONG Length,
    ULONG Flags, PDRIVER_LIST_CONTROL ExecutionRoutine, PVOID Context,
    BOOLEAN WriteToDevice, PVOID ScatterGatherBuffer,
    ULONG ScatterGatherLength, PDMA_COMPLETION_ROUTINE3 DmaCompletionRoutine,
    PVOID CompletionContext, PVOID ScatterGatherList);
VOID NTAPI HalpPutScatterGatherList(PDMA_ADAPTER DmaAdapter,
                                    PSCATTER_GATHER_LIST ScatterGather,
                                    BOOLEAN WriteToDevice);

/* --- listinfo.c ------------------------------------------------------------------------ */

/* Bytes of a list of so many elements. */
ULONG HalpListSize(ULONG Elements);

/* Elements that a list of so many pieces may have: no more than Pieces. */
ULONG HalpListElements(const HAL_ADAPTER *Adapter, ULONG Pieces);

NTSTATUS NTAPI HalpCalculateScatterGatherList(PDMA_ADAPTER DmaAdapter, PMDL Mdl,
                                              PVOID CurrentVa, ULONG Length,
                                              PULONG ScatterGatherListSize,
                                              PULONG NumberOfMapRegisters);
NTSTATUS NTAPI HalpGetDmaTransferInfo(PDMA_ADAPTER DmaAdapter, PMDL Mdl,
                                      ULONGLONG Offset, ULONG Length,
                                      BOOLEAN WriteOnly,
                                      PDMA_TRANSFER_INFO TransferInfo);
NTSTATUS NTAPI HalpBuildMdlFromScatterGatherList(
    PDMA_ADAPTER DmaAdapter, PSCATTER_GATHER_LIST ScatterGather,
    PMDL OriginalMdl, PMDL *TargetMdl);

/* --- what all of these share ------------------------------------------------------------ */

/* FALSE: some MDL that the cursor goes over has no locked pages; verifier off. */
BOOLEAN HalpCheckLocked(const HAL_ADAPTER *Adapter, const HAL_CURSOR *Cursor,
                        PCSTR Routine);

/* What is mapped must have been mapped in that direction. */
void HalpCheckDirection(const HAL_GRANT *Grant, BOOLEAN WriteToDevice,
                        PCSTR Routine);

#endif
