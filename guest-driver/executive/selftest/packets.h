/* SPDX-License-Identifier: MIT */
/* selftest.sys: what the checks of packet DMA share */
#ifndef PCMASTER_SELFTEST_PACKETS_H
#define PCMASTER_SELFTEST_PACKETS_H

#include "selftest.h"

/* What every check starts with: 5 map registers, 4 pages. */
struct packet {
    PDEVICE_OBJECT pdo;
    PDMA_ADAPTER adapter;
    PDMA_OPERATIONS3 call;
    PMDL mdl;
    ULONGLONG context[DMA_TRANSFER_CONTEXT_SIZE_V1 / sizeof(ULONGLONG)];
    PSCATTER_GATHER_LIST list;
    PVOID base;
    IO_ALLOCATION_ACTION action;
    void (*inside)(struct packet *packet);      /* what its routine does; or NULL */
    struct packet *other;
    ULONG calls;
    KIRQL irql;
};

/* Makes them and raises to DISPATCH_LEVEL; false: the check has failed. */
bool packet_open(struct packet *packet, BOOLEAN lists);
void packet_close(struct packet *packet);

/* The routines that are called with what was asked for. */
VOID NTAPI packet_take_list(PDEVICE_OBJECT device, PIRP irp, PSCATTER_GATHER_LIST list, PVOID context);
IO_ALLOCATION_ACTION NTAPI packet_take_base(PDEVICE_OBJECT device, PIRP irp, PVOID base, PVOID context);

NTSTATUS packet_get_list(struct packet *packet, ULONG offset, ULONG length);
NTSTATUS packet_get_channel(struct packet *packet, ULONG registers, ULONG flags, PDRIVER_CONTROL routine,
                            PVOID *base);

#endif /* PCMASTER_SELFTEST_PACKETS_H */
