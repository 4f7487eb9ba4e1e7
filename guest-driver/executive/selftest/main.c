/* SPDX-License-Identifier: MIT */
/* selftest.sys: entry point, and the count of what held */
#include "selftest.h"

static const struct check *const groups[] = {
    timer_checks,   dispatcher_checks, dpc_checks,     interrupt_checks,  clock_checks,
    packet_call_checks, packet_checks, part_checks, pool_checks,          contiguous_checks,
    mapping_checks, mdl_checks,
    routine_checks, buffer_checks,     placement_checks, domain_checks,  channel_checks,    image_checks,
    object_checks,  irp_checks,        remove_lock_checks, file_checks,   string_checks,
    format_checks,  backtrace_checks,  guard_checks,   processor_checks,  cache_type_checks,
    pnp_checks,     power_checks,      work_checks,      system_dma_checks, slave_checks,
    portcls_unknown_checks, portcls_resources_checks, portcls_interrupt_checks, portcls_service_checks,
    portcls_filter_checks, portcls_pin_checks, portcls_hostile_checks, portcls_refused_checks,
    portcls_topology_checks, registry_checks, portcls_registry_checks,
};

PDRIVER_OBJECT selftest_driver;
static ULONG broken;                        /* expectations of the running check */

void expect(bool holds, const char *what, const char *file, int line)
{
    if (!holds) {
        broken++;
        DbgPrint("# %s:%d: expected %s\n", file, line, what);
    }
}

void expect_equal(ULONGLONG actual, ULONGLONG expected, const char *what, const char *file,
                  int line)
{
    if (actual != expected) {
        broken++;
        DbgPrint("# %s:%d: %s is 0x%llx, expected 0x%llx\n", file, line, what, actual, expected);
    }
}

LARGE_INTEGER after_ms(LONGLONG milliseconds)
{
    return (LARGE_INTEGER){ .QuadPart = -milliseconds * MS };
}

void sleep_ms(LONGLONG milliseconds)
{
    LARGE_INTEGER interval = after_ms(milliseconds);

    KeDelayExecutionThread(KernelMode, FALSE, &interval);
}

UNICODE_STRING text_of(const WCHAR *text)
{
    UNICODE_STRING string;

    RtlInitUnicodeString(&string, text);
    return string;
}

static ULONG count_all(void)
{
    ULONG count = 0;

    for (ULONG i = 0; i < RTL_NUMBER_OF(groups); i++) {
        for (const struct check *check = groups[i]; check->name; check++) {
            count++;
        }
    }
    return count;
}

/* A check that forgets to go back to PASSIVE_LEVEL must not spoil the next. */
static bool run_check(const struct check *check)
{
    broken = 0;
    check->run();
    EXPECT_EQUAL(KeGetCurrentIrql(), PASSIVE_LEVEL);
    KeLowerIrql(PASSIVE_LEVEL);
    return broken == 0;
}

/* STATUS_SUCCESS: every check held; STATUS_UNSUCCESSFUL: one did not. */
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path)
{
    ULONG number = 0, failed = 0;

    (void)registry_path;
    selftest_driver = driver;
    DbgPrint("TAP version 13\n1..%u\n", count_all());
    for (ULONG i = 0; i < RTL_NUMBER_OF(groups); i++) {
        for (const struct check *check = groups[i]; check->name; check++) {
            bool held = run_check(check);

            failed += !held;
            DbgPrint("%s %u - %s\n", held ? "ok" : "not ok", ++number, check->name);
        }
    }
    return failed ? STATUS_UNSUCCESSFUL : STATUS_SUCCESS;
}
