/*
 * PVH entry: 32-bit protected mode, paging off, EBX = hvm_start_info.
 * Builds the first page tables and enters boot_main() in 64-bit mode.
 *
 * SPDX-License-Identifier: MIT
 */
    .set CR0_PG_WP, 0x80010000
    .set CR4_PAE_SSE, 0x00000620        /* PAE, OSFXSR, OSXMMEXCPT */
    .set EFER, 0xc0000080
    .set EFER_LME_NXE, 0x00000900
    .set PAGE_RW, 0x03
    .set PAGE_RW_LARGE, 0x83

    .section .note.pvh, "a", @note
    .long 4, 4, 18                      /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .long pvh_start

    .text
    .code32
    .globl pvh_start
pvh_start:
    cli
    cld
    movl $stack_top, %esp

    /* The first 4 GiB, at 0 and at the direct map (slot 256). */
    movl $boot_pdpt + PAGE_RW, %eax
    movl %eax, boot_pml4
    movl %eax, boot_pml4 + 256 * 8
    movl $boot_pd + PAGE_RW, %eax
    movl $boot_pdpt, %edi
    movl $4, %ecx
1:  movl %eax, (%edi)
    addl $0x1000, %eax
    addl $8, %edi
    loop 1b

    movl $PAGE_RW_LARGE, %eax
    movl $boot_pd, %edi
    movl $2048, %ecx
2:  movl %eax, (%edi)
    addl $0x200000, %eax
    addl $8, %edi
    loop 2b

    movl $boot_pml4, %eax
    movl %eax, %cr3
    movl %cr4, %eax
    orl $CR4_PAE_SSE, %eax
    movl %eax, %cr4
    movl $EFER, %ecx
    rdmsr
    orl $EFER_LME_NXE, %eax
    wrmsr
    movl %cr0, %eax
    orl $CR0_PG_WP, %eax
    andl $~0x4, %eax                    /* EM off: SSE is there */
    orl $0x2, %eax                      /* MP */
    movl %eax, %cr0

    lgdt boot_gdtr
    ljmp $0x10, $long_mode

    .code64
long_mode:
    movl $0x18, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl %ebx, %edi
    call boot_main
3:  hlt
    jmp 3b

    .section .rodata
    .balign 8
boot_gdt:
    .quad 0, 0
    .quad 0x00af9b000000ffff            /* 0x10: 64-bit code */
    .quad 0x00cf93000000ffff            /* 0x18: data */
boot_gdtr:
    .word . - boot_gdt - 1
    .long boot_gdt

    .bss
    .balign 4096
    .globl boot_pml4
boot_pml4:
    .skip 4096
    .globl boot_pdpt
boot_pdpt:
    .skip 4096
boot_pd:
    .skip 4 * 4096
    .skip 16384
stack_top:

    .section .note.GNU-stack, "", @progbits
