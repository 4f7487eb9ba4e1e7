/*
 * System DMA: adapters for channels of the machine's DMA controllers.
 *
 * A channel has one adapter, however many drivers ask for it: so they take
 * turns, as with the map registers of any adapter.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_HAL_SYSTEMDMA_H
#define EXECUTIVE_HAL_SYSTEMDMA_H

#include "packet.h"

struct _DEVICE_DESCRIPTION;

/* Of an adapter; all 0: a bus master's. */
typedef struct _HAL_SYSTEM {
    ULONG Unit;                 /* bytes moved at a time; 0: a bus master's */
    ULONG Channel;
    UCHAR Mode;                 /* but for the direction */
    ULONG References;           /* drivers that have got the adapter */
    ULONG Length;               /* of what is mapped; 0: nothing is */
    ULONG Left;                 /* as the counter was last read */
} HAL_SYSTEM;

/* The channel that the description names, if there is such and it may. */
BOOLEAN HalpDescribesChannel(PDEVICE_OBJECT Pdo,
                             const struct _DEVICE_DESCRIPTION *Description,
                             HAL_SYSTEM *System);

/*
 * The adapter that the channel has already, with one reference more, in
 * *Adapter, or NULL. FALSE: it is in use in another mode. What two devices share
 * is neither's: it may outlive both.
 */
BOOLEAN HalpShareChannel(PDEVICE_OBJECT Pdo, const HAL_SYSTEM *System,
                         HAL_ADAPTER **Adapter);

/* Makes it the channel's adapter; FALSE: another was quicker. */
BOOLEAN HalpTakeChannel(HAL_ADAPTER *Adapter);

/* One reference less; TRUE: it was the last, and the channel has none. */
BOOLEAN HalpLeaveChannel(HAL_ADAPTER *Adapter);

/* Has the channel begin with what was mapped, which fits; or end it. */
void HalpStartChannel(HAL_ADAPTER *Adapter, ULONGLONG Address, ULONG Length,
                      BOOLEAN WriteToDevice);
void HalpStopChannel(HAL_ADAPTER *Adapter);

ULONG NTAPI HalpReadDmaCounter(PDMA_ADAPTER DmaAdapter);

#endif
