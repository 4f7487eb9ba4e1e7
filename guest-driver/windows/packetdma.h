/* SPDX-License-Identifier: MIT */
/* pcmaster.sys: one direction of a transfer by packet DMA */
#ifndef PCMASTER_WINDOWS_PACKETDMA_H
#define PCMASTER_WINDOWS_PACKETDMA_H

#include "pcmaster.h"

/* The window that is declared for each command. */
#define PCM_PACKET_WINDOW           0

/* One direction of a transfer. */
struct session {
    struct device *device;
    struct packet *packet;
    PDMA_ADAPTER dma;
    PDMA_OPERATIONS3 call;              /* only as far as its Size says */
    const struct pcm_packet_transfer *request;
    struct pcm_packet_way *way;
    BOOLEAN write;                      /* to the device */
    ULONGLONG seed;
    ULONG registers;
    PSCATTER_GATHER_LIST room;          /* what lists are built in */
    ULONG room_bytes;

    KEVENT granted;
    PSCATTER_GATHER_LIST list;
    PVOID base;                         /* MapRegisterBase */
    struct pcm_direction result;
    ULONGLONG context[DMA_TRANSFER_CONTEXT_SIZE_V1 / sizeof(ULONGLONG)];
};

/*
 * Hand the session's range to the device by the method asked for, run the
 * exerciser over what comes of it, and end that.  PASSIVE_LEVEL.  FALSE: the
 * request still waits, and what it refers to must stay.
 */
BOOLEAN session_by_list(struct session *session);
BOOLEAN session_by_registers(struct session *session);
BOOLEAN session_by_buffer(struct session *session);

#endif /* PCMASTER_WINDOWS_PACKETDMA_H */
