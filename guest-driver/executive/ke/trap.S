/*
 * Interrupt and exception entry. Builds a KI_TRAP_FRAME (ke/trap.h) and calls
 * KiTrap(). Saves what the Microsoft x64 calling convention calls volatile.
 *
 * SPDX-License-Identifier: MIT
 */
    .text

/* Exceptions 8, 10-14, 17, 21, 29 and 30 push an error code. */
    .set HAS_ERROR_CODE, 0x60227d00

    .macro VECTOR number
    .balign 16
    .if ((\number) < 32) & (HAS_ERROR_CODE >> ((\number) & 31) & 1)
    .else
    pushq $0
    .endif
    pushq $\number
    jmp trap_common
    .endm

    .balign 16
    .globl KiVectors
KiVectors:
    .set number, 0
    .rept 256
    .altmacro
    VECTOR %number
    .noaltmacro
    .set number, number + 1
    .endr

trap_common:
    pushq %rax
    pushq %rcx
    pushq %rdx
    pushq %rbx
    pushq %rbp
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    subq $128, %rsp                     /* XMM0-5 and the callee's home area */
    movups %xmm0, 32(%rsp)
    movups %xmm1, 48(%rsp)
    movups %xmm2, 64(%rsp)
    movups %xmm3, 80(%rsp)
    movups %xmm4, 96(%rsp)
    movups %xmm5, 112(%rsp)
    cld
    leaq 128(%rsp), %rcx
    call KiTrap
    movups 32(%rsp), %xmm0
    movups 48(%rsp), %xmm1
    movups 64(%rsp), %xmm2
    movups 80(%rsp), %xmm3
    movups 96(%rsp), %xmm4
    movups 112(%rsp), %xmm5
    addq $128, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rbp
    popq %rbx
    popq %rdx
    popq %rcx
    popq %rax
    addq $16, %rsp                      /* vector, error code */
    iretq

/* void KiLoadSegments(const KI_DESCRIPTOR *Gdt, USHORT Tss) */
    .globl KiLoadSegments
KiLoadSegments:
    lgdt (%rcx)
    ltr %dx
    movl $0x18, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    popq %rax
    pushq $0x10
    pushq %rax
    lretq
