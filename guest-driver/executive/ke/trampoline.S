/*
 * Where a processor begins that the first one starts: in real mode, at the
 * beginning of a page below 1 MiB to which this is copied. All of its data are
 * in a struct that follows (KI_TRAMPOLINE in ke/smp.c).
 *
 * SPDX-License-Identifier: MIT
 */
    .set EFER, 0xc0000080

    .section .rdata, "dr"
    .balign 16
    .globl KiTrampoline
    .globl KiTrampolineData
    .globl KiTrampolineEnd
KiTrampoline:
    .code16
    cli
    cld
    movw %cs, %ax
    movw %ax, %ds
    lgdtl data_gdtr - KiTrampoline
    movl data_cr4 - KiTrampoline, %eax
    movl %eax, %cr4
    movl data_cr3 - KiTrampoline, %eax
    movl %eax, %cr3
    movl $EFER, %ecx
    movl data_efer - KiTrampoline, %eax
    xorl %edx, %edx
    wrmsr
    movl data_cr0 - KiTrampoline, %eax
    movl %eax, %cr0                     /* protection and paging at once */
    ljmpl *(data_far - KiTrampoline)

    .code64
in_long_mode:
    movl $0x18, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movq data_stack(%rip), %rsp
    movq data_argument(%rip), %rcx
    xorl %ebp, %ebp
    movq data_entry(%rip), %rax
    call *%rax
    ud2

    .balign 16
KiTrampolineData:
data_gdt:
    .quad 0, 0, 0x00af9b000000ffff, 0x00cf93000000ffff
data_gdtr:
    .word . - data_gdt - 1
    .long 0                             /* filled in: where data_gdt is */
    .word 0
data_far:
    .long in_long_mode - KiTrampoline   /* the page's address is added */
    .word 0x10, 0
data_cr0:
    .long 0
data_cr3:
    .long 0
data_cr4:
    .long 0
data_efer:
    .long 0
data_stack:
    .quad 0
data_argument:
    .quad 0
data_entry:
    .quad 0
KiTrampolineEnd:
