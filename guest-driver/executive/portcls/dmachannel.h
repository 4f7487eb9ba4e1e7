/*
 * IDmaChannel: what channels of bus masters and of system DMA share.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_PORTCLS_DMACHANNEL_H
#define EXECUTIVE_PORTCLS_DMACHANNEL_H

#include "pcp.h"

typedef struct _DMA_CHANNEL {
    PC_OBJECT Object;
    PDMA_ADAPTER Adapter;
    ULONG MaximumSize;
    ULONG AllocatedSize;
    ULONG Size;                 /* only remembered: SetBufferSize */
    PVOID Address;              /* NULL: there is no buffer */
    PHYSICAL_ADDRESS Logical;
} DMA_CHANNEL;

/* The methods of a bus master's, with which those of others begin. */
extern const IDmaChannelVtbl PcpChannelMethods;

/*
 * An object of that class, which begins with DMA_CHANNEL, and its adapter. The
 * rest of it is zeroed. PASSIVE_LEVEL.
 */
NTSTATUS PcpNewChannel(const PC_CLASS *Of, PUNKNOWN OuterUnknown,
                       POOL_TYPE PoolType, PDEVICE_DESCRIPTION Description,
                       PDEVICE_OBJECT DeviceObject, DMA_CHANNEL **Channel);

/* Frees the buffer and puts the adapter: all but the memory. */
void PcpDeleteChannel(PVOID Object);

/* dmaslave.c: PcNewDmaChannel for a description that is no bus master's. */
NTSTATUS PcpNewSlaveChannel(PUNKNOWN OuterUnknown, POOL_TYPE PoolType,
                            PDEVICE_DESCRIPTION Description,
                            PDEVICE_OBJECT DeviceObject, DMA_CHANNEL **Channel);

#endif
