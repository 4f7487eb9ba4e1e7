/*
 * Inside hal.dll.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_HAL_H
#define EXECUTIVE_HAL_H

#include "executive.h"
#include "halp.h"

/* Maps and enables the local APIC; false: no address space. */
BOOLEAN HalpInitializeApic(void);

#endif
