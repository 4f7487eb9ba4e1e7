/*
 * The machine's two 8237 DMA controllers.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_HAL_I8237_H
#define EXECUTIVE_HAL_I8237_H

#include "hal.h"

#include "i8237_plan.h"

/* FALSE: the machine has none. */
BOOLEAN HalpHasSystemDma(void);

/* Programs the channel and lets its device have it. IRQL <= DISPATCH_LEVEL. */
void HalpStartSystemDma(ULONG Channel, const struct i8237_plan *Plan);

/* From here on the device gets no answer. IRQL <= DISPATCH_LEVEL. */
void HalpStopSystemDma(ULONG Channel);

/*
 * The count register, and whether the terminal count was reached since the
 * channel was last programmed. IRQL <= DISPATCH_LEVEL.
 */
USHORT HalpSystemDmaCount(ULONG Channel, BOOLEAN *Ended);

#endif
