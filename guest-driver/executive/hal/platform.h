/*
 * The Windows whose DMA interface is offered.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_HAL_PLATFORM_H
#define EXECUTIVE_HAL_PLATFORM_H

#include "hal.h"

typedef struct _HAL_PLATFORM {
    const char *Name;           /* as "platform=" on the command line */
    ULONG LastVersion;          /* of DEVICE_DESCRIPTION */
    ULONG Version3Size;         /* of DMA_OPERATIONS; 0: there is none */
} HAL_PLATFORM;

/* The one that was asked for, else the newest. HalpSelectPlatform() was called. */
const HAL_PLATFORM *HalpPlatform(void);

#endif
