/* SPDX-License-Identifier: MIT */
/* selftest.sys: how images, the stack and the rest of memory are protected */
#include "selftest.h"

#include "bootblock.h"

#define CR0_WRITE_PROTECT           0x10000ull
#define MSR_EFER                    0xc0000080u
#define EFER_NO_EXECUTE             0x800u

static const ULONG constant = 1;
static volatile ULONG variable = 1, cleared;

static void expect_code(const volatile void *address)
{
    EXPECT_EQUAL(page_entry(address) & (PTE_PRESENT | PTE_WRITE | PTE_NO_EXECUTE), PTE_PRESENT);
}

static void expect_data(const volatile void *address)
{
    EXPECT_EQUAL(page_entry(address) & (PTE_PRESENT | PTE_WRITE | PTE_NO_EXECUTE),
                 PTE_PRESENT | PTE_WRITE | PTE_NO_EXECUTE);
}

static void expect_constant(const volatile void *address)
{
    EXPECT_EQUAL(page_entry(address) & (PTE_PRESENT | PTE_WRITE | PTE_NO_EXECUTE),
                 PTE_PRESENT | PTE_NO_EXECUTE);
}

/* Of a driver, as each section's header asks for. */
static void driver_image(void)
{
    expect_code((const void *)(ULONG_PTR)page_entry);
    expect_data(&variable);
    expect_data(&cleared);
    expect_constant(&constant);
    expect_constant(image_checks);
}

/* The executive's own, which the boot stub has loaded. */
static void executive_images(void)
{
    expect_code((const void *)(ULONG_PTR)KeSetEvent);
    expect_code((const void *)(ULONG_PTR)KeQueryPerformanceCounter);
}

static void memory(void)
{
    PVOID pool = ExAllocatePoolWithTag(NonPagedPool, 64, SELFTEST_TAG);
    volatile ULONG local = 0;

    expect_data(&local);
    expect_data(pool);
    ExFreePoolWithTag(pool, SELFTEST_TAG);
    expect_data((const void *)(ULONG_PTR)BOOT_DIRECT_MAP);
}

static void null_page(void)
{
    EXPECT_EQUAL(page_entry(NULL), 0);
    EXPECT_EQUAL(page_entry((const void *)(ULONG_PTR)(PAGE_SIZE - 1)), 0);
    EXPECT_EQUAL(page_entry((const void *)(ULONG_PTR)0x100000), 0);
}

/* Without these the page tables' bits would mean nothing. */
static void processor(void)
{
    ULONGLONG cr0;
    ULONG low, high;

    __asm__ volatile("movq %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_EFER));
    EXPECT(cr0 & CR0_WRITE_PROTECT);
    EXPECT(low & EFER_NO_EXECUTE);
}

const struct check image_checks[] = {
    { "protection/driver", driver_image },
    { "protection/executive", executive_images },
    { "protection/memory", memory },
    { "protection/null-page", null_page },
    { "protection/processor", processor },
    { NULL, NULL },
};
