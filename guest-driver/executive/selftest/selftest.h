/* SPDX-License-Identifier: MIT */
/*
 * selftest.sys: holds the executive to the documents of its routines
 *
 * It takes the place of client.sys and calls documented routines only.  Where
 * a check must see what no routine tells, it reads the page tables.  It prints
 * TAP: one line for each check, and before it what did not hold.
 */
#ifndef PCMASTER_SELFTEST_H
#define PCMASTER_SELFTEST_H

#include <ntddk.h>

#include <stdbool.h>

#include "wdm3.h"

/* As <ntifs.h> declares it. */
USHORT NTAPI RtlCaptureStackBackTrace(ULONG FramesToSkip, ULONG FramesToCapture, PVOID *BackTrace,
                                      PULONG BackTraceHash);

#define SELFTEST_TAG                0x74736554u     /* "Test" */
#define MS                          10000ll         /* milliseconds, in units of 100 ns */

/* --- main.c ------------------------------------------------------------------ */

struct check {
    const char *name;
    void (*run)(void);
};

/* All that one file checks; an entry without a name ends it. */
extern const struct check backtrace_checks[], buffer_checks[], cache_type_checks[], channel_checks[],
    clock_checks[], contiguous_checks[], dispatcher_checks[], domain_checks[], dpc_checks[],
    file_checks[], format_checks[], guard_checks[], image_checks[], interrupt_checks[], irp_checks[],
    mapping_checks[], mdl_checks[], object_checks[], packet_call_checks[], packet_checks[], part_checks[],
    placement_checks[], pnp_checks[], pool_checks[], power_checks[], processor_checks[], registry_checks[],
    remove_lock_checks[], routine_checks[], slave_checks[], string_checks[], system_dma_checks[],
    timer_checks[], work_checks[];
extern const struct check portcls_filter_checks[], portcls_interrupt_checks[], portcls_pin_checks[],
    portcls_hostile_checks[], portcls_refused_checks[], portcls_registry_checks[], portcls_resources_checks[],
    portcls_service_checks[], portcls_topology_checks[], portcls_unknown_checks[];

/* The driver object of selftest.sys itself. */
extern PDRIVER_OBJECT selftest_driver;

/* Counts against the running check, and prints, unless HOLDS. */
void expect(bool holds, const char *what, const char *file, int line);
void expect_equal(ULONGLONG actual, ULONGLONG expected, const char *what, const char *file,
                  int line);

#define EXPECT(condition) expect((condition), #condition, __FILE_NAME__, __LINE__)
#define EXPECT_EQUAL(actual, expected)                                      \
    expect_equal((ULONGLONG)(actual), (ULONGLONG)(expected), #actual, __FILE_NAME__, __LINE__)
/* A status is signed: both sides are brought to 32 bits first. */
#define EXPECT_STATUS(actual, expected)                                     \
    expect_equal((ULONG)(actual), (ULONG)(expected), #actual, __FILE_NAME__, __LINE__)

/* PASSIVE_LEVEL. */
void sleep_ms(LONGLONG milliseconds);
LARGE_INTEGER after_ms(LONGLONG milliseconds);
UNICODE_STRING text_of(const WCHAR *text);

/* --- pagetable.c ---------------------------------------------------------------- */

#define PTE_PRESENT                 0x001ull
#define PTE_WRITE                   0x002ull
#define PTE_WRITE_THROUGH           0x008ull
#define PTE_NO_CACHE                0x010ull
#define PTE_PAT                     0x080ull    /* of a page of 4 KiB */
#define PTE_NO_EXECUTE              0x8000000000000000ull
#define PTE_ADDRESS                 0x000ffffffffff000ull

/*
 * What the page tables say of an address: the address of its page and the
 * flags, of which PTE_WRITE must be set and PTE_NO_EXECUTE may be set at any
 * level.  0: it is not mapped.
 */
ULONGLONG page_entry(const volatile void *address);

/* The memory type of a page of 4 KiB, as the processor's manual numbers them. */
ULONG page_type(const volatile void *address);

/* --- device.c: the device of the driver under test ---------------------------------- */

/* Its PDO, referenced; NULL: there is none, and the check has failed. */
PDEVICE_OBJECT device_pdo(void);

/* A bus master's description that reaches WIDTH address bits. */
DEVICE_DESCRIPTION3 master_description(ULONG width);

/* A version 3 adapter for the device's PDO; NULL: the check has failed. */
PDMA_ADAPTER new_adapter(ULONG width);
PDMA_OPERATIONS3 operations(PDMA_ADAPTER adapter);
void put_adapter(PDMA_ADAPTER adapter);

/* --- domains.c ---------------------------------------------------------------------- */

/* Unless an IOMMU stands between, a logical address must be that of the page at ADDRESS. */
void expect_logical(const volatile void *address, LONGLONG logical);

/* Whether an IOMMU stands between the devices and memory. */
bool remapped(void);

/* --- placement.c -------------------------------------------------------------------- */

/* Whether a page can be had at that logical address; it is given back. */
bool page_at(PDMA_ADAPTER adapter, LONGLONG address);

#endif /* PCMASTER_SELFTEST_H */
