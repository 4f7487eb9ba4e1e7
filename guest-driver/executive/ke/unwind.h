/*
 * Call stacks.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_KE_UNWIND_H
#define EXECUTIVE_KE_UNWIND_H

#include "executive.h"

/* A function's registers while it runs, as far as the convention keeps them. */
typedef struct _KI_FRAME {
    ULONGLONG Rip;
    ULONGLONG Registers[16];    /* in the order of the instruction set */
    bool Interrupted;           /* Rip is no return address */
} KI_FRAME;

/* The frame that its caller runs in. Any IRQL. */
void KiCaptureFrame(KI_FRAME *Frame) __attribute__((noinline));

/* From a frame to that of its caller; false: the stack does not tell. */
bool KiUnwind(KI_FRAME *Frame);

#endif
