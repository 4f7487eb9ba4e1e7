/* SPDX-License-Identifier: MIT */
/*
 * IDmaChannel, IDmaChannelSlave and PcNewDmaChannel, for C on x64
 *
 * The interface of portcls.h with its true vtable.  One slot needs care:
 * PhysicalAddress returns a structure, and a member function in Microsoft's
 * C++ ABI returns any structure through a hidden pointer (this in RCX, the
 * result's address in RDX and RAX), whereas a plain C function returns this
 * one in RAX.  The slot is therefore declared with that pointer written out,
 * and both the caller and the object must be compiled from this declaration.
 *
 * What the documents leave open is settled here, and shown by the exercises
 * named in docs/ddi.md.
 */
#ifndef PCMASTER_PORTCLS_DMA_H
#define PCMASTER_PORTCLS_DMA_H

#include <wdm.h>
#include <punknown.h>

DEFINE_GUID(IID_IDmaChannel, 0x22C6AC61, 0x851B, 0x11D0, 0x9A, 0x7F, 0x00, 0xAA, 0x00, 0x38, 0xAC, 0xFE);

typedef struct IDmaChannel IDmaChannel;
typedef IDmaChannel *PDMACHANNEL;

/* Callers serialise: a channel is not safe against calls at the same time. */
typedef struct IDmaChannelVtbl {
    NTSTATUS (NTAPI *QueryInterface)(IDmaChannel *This, REFIID InterfaceId, PVOID *Object);
    ULONG (NTAPI *AddRef)(IDmaChannel *This);
    /* The last Release frees the buffer, then the adapter. */
    ULONG (NTAPI *Release)(IDmaChannel *This);

    /*
     * PASSIVE_LEVEL.  One zero-filled buffer, contiguous for the device, that
     * starts at a page; every address in it agrees with the first in all bits
     * that are clear in *PhysicalAddressConstraint (NULL: no constraint).
     *
     * Checked in this order, and nothing changes unless the call succeeds:
     *   STATUS_INVALID_DEVICE_STATE    the channel already has a buffer
     *   STATUS_INVALID_PARAMETER       BufferSize is 0
     *   STATUS_INVALID_BUFFER_SIZE     BufferSize > MaximumBufferSize()
     *   STATUS_INVALID_PARAMETER       no address whatever meets the
     *                                  constraint: the run of set bits from
     *                                  bit 0 up spans fewer than BufferSize
     *                                  bytes
     *   STATUS_INSUFFICIENT_RESOURCES  no such memory is free
     */
    NTSTATUS (NTAPI *AllocateBuffer)(IDmaChannel *This, ULONG BufferSize,
                                     PPHYSICAL_ADDRESS PhysicalAddressConstraint);
    /* PASSIVE_LEVEL.  Without a buffer it does nothing. */
    VOID (NTAPI *FreeBuffer)(IDmaChannel *This);

    /* 0: a bus master counts for itself. */
    ULONG (NTAPI *TransferCount)(IDmaChannel *This);
    /* DEVICE_DESCRIPTION.MaximumLength, whether there is a buffer or not. */
    ULONG (NTAPI *MaximumBufferSize)(IDmaChannel *This);
    /* The BufferSize given to AllocateBuffer; 0 without a buffer. */
    ULONG (NTAPI *AllocatedBufferSize)(IDmaChannel *This);
    /* The number last set; after AllocateBuffer, the size allocated. */
    ULONG (NTAPI *BufferSize)(IDmaChannel *This);
    VOID (NTAPI *SetBufferSize)(IDmaChannel *This, ULONG BufferSize);
    /* NULL without a buffer. */
    PVOID (NTAPI *SystemAddress)(IDmaChannel *This);
    /* The logical address, stored in *Result; returns Result.  0 without a buffer. */
    PPHYSICAL_ADDRESS (NTAPI *PhysicalAddress)(IDmaChannel *This, PPHYSICAL_ADDRESS Result);
    /* The DMA_ADAPTER of the channel; it lives as long as the channel. */
    PADAPTER_OBJECT (NTAPI *GetAdapterObject)(IDmaChannel *This);
    VOID (NTAPI *CopyTo)(IDmaChannel *This, PVOID Destination, PVOID Source, ULONG ByteCount);
    VOID (NTAPI *CopyFrom)(IDmaChannel *This, PVOID Destination, PVOID Source, ULONG ByteCount);
} IDmaChannelVtbl;

struct IDmaChannel {
    const IDmaChannelVtbl *lpVtbl;
};

#define PORTCLS_DMA_SLOT(method, offset)                                    \
    _Static_assert(FIELD_OFFSET(IDmaChannelVtbl, method) == (offset), "IDmaChannel::" #method)

PORTCLS_DMA_SLOT(QueryInterface, 0x00);
PORTCLS_DMA_SLOT(AddRef, 0x08);
PORTCLS_DMA_SLOT(Release, 0x10);
PORTCLS_DMA_SLOT(AllocateBuffer, 0x18);
PORTCLS_DMA_SLOT(FreeBuffer, 0x20);
PORTCLS_DMA_SLOT(TransferCount, 0x28);
PORTCLS_DMA_SLOT(MaximumBufferSize, 0x30);
PORTCLS_DMA_SLOT(AllocatedBufferSize, 0x38);
PORTCLS_DMA_SLOT(BufferSize, 0x40);
PORTCLS_DMA_SLOT(SetBufferSize, 0x48);
PORTCLS_DMA_SLOT(SystemAddress, 0x50);
PORTCLS_DMA_SLOT(PhysicalAddress, 0x58);
PORTCLS_DMA_SLOT(GetAdapterObject, 0x60);
PORTCLS_DMA_SLOT(CopyTo, 0x68);
PORTCLS_DMA_SLOT(CopyFrom, 0x70);

/* --- IDmaChannelSlave: a channel of the system's DMA controller --------------------- */

DEFINE_GUID(IID_IDmaChannelSlave, 0x22C6AC62, 0x851B, 0x11D0, 0x9A, 0x7F, 0x00, 0xAA, 0x00, 0x38, 0xAC, 0xFE);

typedef struct IDmaChannelSlave IDmaChannelSlave;
typedef IDmaChannelSlave *PDMACHANNELSLAVE;

/*
 * The slots of IDmaChannel, then its own.  What differs of the former:
 * MaximumBufferSize is at most what the channel can transfer at once, 64 KiB or,
 * where it moves words, 128 KiB; the buffer lies below 16 MiB and crosses no
 * multiple of that, whatever the constraint says besides; TransferCount is the
 * MapSize of the last Start; FreeBuffer and the last Release stop the channel
 * first.
 */
typedef struct IDmaChannelSlaveVtbl {
    NTSTATUS (NTAPI *QueryInterface)(IDmaChannelSlave *This, REFIID InterfaceId, PVOID *Object);
    ULONG (NTAPI *AddRef)(IDmaChannelSlave *This);
    ULONG (NTAPI *Release)(IDmaChannelSlave *This);
    NTSTATUS (NTAPI *AllocateBuffer)(IDmaChannelSlave *This, ULONG BufferSize,
                                     PPHYSICAL_ADDRESS PhysicalAddressConstraint);
    VOID (NTAPI *FreeBuffer)(IDmaChannelSlave *This);
    ULONG (NTAPI *TransferCount)(IDmaChannelSlave *This);
    ULONG (NTAPI *MaximumBufferSize)(IDmaChannelSlave *This);
    ULONG (NTAPI *AllocatedBufferSize)(IDmaChannelSlave *This);
    ULONG (NTAPI *BufferSize)(IDmaChannelSlave *This);
    VOID (NTAPI *SetBufferSize)(IDmaChannelSlave *This, ULONG BufferSize);
    PVOID (NTAPI *SystemAddress)(IDmaChannelSlave *This);
    PPHYSICAL_ADDRESS (NTAPI *PhysicalAddress)(IDmaChannelSlave *This, PPHYSICAL_ADDRESS Result);
    PADAPTER_OBJECT (NTAPI *GetAdapterObject)(IDmaChannelSlave *This);
    VOID (NTAPI *CopyTo)(IDmaChannelSlave *This, PVOID Destination, PVOID Source, ULONG ByteCount);
    VOID (NTAPI *CopyFrom)(IDmaChannelSlave *This, PVOID Destination, PVOID Source, ULONG ByteCount);
    /*
     * PASSIVE_LEVEL.  From the buffer's start on; while somebody else has the
     * channel the transfer begins later.
     *
     *   STATUS_UNSUCCESSFUL        it is started already
     *   STATUS_INVALID_PARAMETER   MapSize is 0, more than the buffer has, or
     *                              half a word
     */
    NTSTATUS (NTAPI *Start)(IDmaChannelSlave *This, ULONG MapSize, BOOLEAN WriteToDevice);
    /* IRQL <= DISPATCH_LEVEL.  Without a transfer it does nothing. */
    NTSTATUS (NTAPI *Stop)(IDmaChannelSlave *This);
    /* IRQL <= DISPATCH_LEVEL.  Bytes that are left: MapSize at first; 0: stopped, or at the end. */
    ULONG (NTAPI *ReadCounter)(IDmaChannelSlave *This);
    /*
     * PASSIVE_LEVEL.  Looks every 10 microseconds whether the end was reached,
     * or the channel has started over.  STATUS_UNSUCCESSFUL: not within Timeout
     * microseconds, or it is stopped.
     */
    NTSTATUS (NTAPI *WaitForTC)(IDmaChannelSlave *This, ULONG Timeout);
} IDmaChannelSlaveVtbl;

struct IDmaChannelSlave {
    const IDmaChannelSlaveVtbl *lpVtbl;
};

#define PORTCLS_SLAVE_SLOT(method, offset)                                  \
    _Static_assert(FIELD_OFFSET(IDmaChannelSlaveVtbl, method) == (offset), "IDmaChannelSlave::" #method)

PORTCLS_SLAVE_SLOT(CopyFrom, FIELD_OFFSET(IDmaChannelVtbl, CopyFrom));
PORTCLS_SLAVE_SLOT(Start, 0x78);
PORTCLS_SLAVE_SLOT(Stop, 0x80);
PORTCLS_SLAVE_SLOT(ReadCounter, 0x88);
PORTCLS_SLAVE_SLOT(WaitForTC, 0x90);

/*
 * PASSIVE_LEVEL; exported by portcls.sys.  Makes a channel without a buffer, an
 * IDmaChannelSlave if the description is no bus master's, for the device that DeviceObject (a functional device object whose
 * stack stands on the device's PDO) belongs to.  DeviceDescription may have
 * any version that IoGetDmaAdapter takes.  PoolType must be nonpaged.  On
 * OuterUnknown see portcls_sync.h.
 *
 *   STATUS_INVALID_PARAMETER           no OutDmaChannel, DeviceDescription or
 *                                      DeviceObject; paged pool
 *   STATUS_DEVICE_CONFIGURATION_ERROR  IoGetDmaAdapter refused the description
 *   STATUS_INSUFFICIENT_RESOURCES      out of pool
 */
NTSTATUS NTAPI PcNewDmaChannel(PDMACHANNEL *OutDmaChannel, PUNKNOWN OuterUnknown, POOL_TYPE PoolType,
                               PDEVICE_DESCRIPTION DeviceDescription, PDEVICE_OBJECT DeviceObject);

#endif /* PCMASTER_PORTCLS_DMA_H */
