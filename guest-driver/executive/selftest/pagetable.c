/* SPDX-License-Identifier: MIT */
/* selftest.sys: the page tables, read through the direct map of all RAM */
#include "selftest.h"

#include "bootblock.h"

#define LEVELS                      4
#define TABLE_BITS                  9
#define PTE_LARGE                   0x080ull

static ULONGLONG root_table(void)
{
    ULONGLONG cr3;

    __asm__ volatile("movq %%cr3, %0" : "=r"(cr3));
    return cr3 & PTE_ADDRESS;
}

ULONGLONG page_entry(const volatile void *address)
{
    ULONGLONG at = (ULONGLONG)(ULONG_PTR)address;
    ULONGLONG table = root_table();
    ULONGLONG write = PTE_WRITE, no_execute = 0;

    for (ULONG level = LEVELS; level--;) {
        ULONG shift = PAGE_SHIFT + TABLE_BITS * level;
        ULONGLONG index = at >> shift & ((1u << TABLE_BITS) - 1);
        ULONGLONG entry = ((const ULONGLONG *)(table + BOOT_DIRECT_MAP))[index];

        if (!(entry & PTE_PRESENT)) {
            return 0;
        }
        write &= entry;
        no_execute |= entry & PTE_NO_EXECUTE;
        table = entry & PTE_ADDRESS;
        if (!level || entry & PTE_LARGE) {
            ULONGLONG inside = (1ull << shift) - 1;

            return (table & ~inside) | (at & inside & PTE_ADDRESS) | no_execute | write |
                   (entry & (PTE_PRESENT | PTE_WRITE_THROUGH | PTE_NO_CACHE)) |
                   (level ? 0 : entry & PTE_PAT);
        }
    }
    return 0;
}
