/*
 * The registers at an interrupt or exception, as ke/trap.S pushes them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_KE_TRAP_H
#define EXECUTIVE_KE_TRAP_H

#include "executive.h"

typedef struct _KI_TRAP_FRAME {
    ULONGLONG R15, R14, R13, R12, R11, R10, R9, R8;
    ULONGLONG Rdi, Rsi, Rbp, Rbx, Rdx, Rcx, Rax;
    ULONGLONG Vector, ErrorCode;
    ULONGLONG Rip, Cs, Rflags, Rsp, Ss;
} KI_TRAP_FRAME;

/* Stops with a report of the registers. */
void __attribute__((noreturn)) KiBugCheckTrap(ULONG Code, ULONG_PTR Address,
                                              const KI_TRAP_FRAME *Frame);

#endif
