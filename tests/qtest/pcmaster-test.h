/*
 * pcmaster qtests: how they are put together
 *
 * Each file has one function that adds its tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_PCMASTER_TEST_H
#define TESTS_PCMASTER_TEST_H

#include "pcmaster-dut.h"

void pcm_add_register_tests(void);
void pcm_add_rule_tests(void);
void pcm_add_memory_tests(void);
void pcm_add_exerciser_tests(void);
void pcm_add_log_tests(void);
void pcm_add_trace_tests(void);
void pcm_add_accounting_tests(void);
void pcm_add_injection_tests(void);
void pcm_add_bus_tests(void);
void pcm_add_msix_tests(void);
void pcm_add_power_tests(void);
void pcm_add_iommu_tests(void);
void pcm_add_reentry_tests(void);
void pcm_add_place_tests(void);
void pcm_add_doorbell_tests(void);
void pcm_add_late_tests(void);
void pcm_add_migration_tests(void);
void pcm_add_stream_state_tests(void);
void pcm_add_playback_tests(void);
void pcm_add_stream_tests(void);
void pcm_add_example_tests(void);
void pcm_add_group_tests(void);
void pcm_add_capture_tests(void);
void pcm_add_fragment_tests(void);
void pcm_add_writeback_tests(void);
void pcm_add_ready_tests(void);

/* Asserts that the device is as after a reset, and that it stays so. */
void pcm_expect_clean(Dut *d);

/* Adds a test of a table: its @data is the entry, its name the entry's. */
static inline void pcm_add_case(const char *group, const char *name,
                                const void *data, void (*run)(const void *))
{
    g_autofree char *path = g_strdup_printf("/pcmaster/%s/%s", group, name);

    qtest_add_data_func(path, data, run);
}

#endif /* TESTS_PCMASTER_TEST_H */
