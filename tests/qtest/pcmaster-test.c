/*
 * pcmaster qtests
 *
 * What the device must do is computed here from docs/specs/pcmaster.rst;
 * nothing that the device says is taken for the truth.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pcmaster-test.h"

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    pcm_add_register_tests();
    pcm_add_rule_tests();
    pcm_add_memory_tests();
    pcm_add_exerciser_tests();
    pcm_add_log_tests();
    pcm_add_trace_tests();
    pcm_add_accounting_tests();
    pcm_add_injection_tests();
    pcm_add_bus_tests();
    pcm_add_msix_tests();
    pcm_add_power_tests();
    pcm_add_iommu_tests();
    pcm_add_reentry_tests();
    pcm_add_place_tests();
    pcm_add_doorbell_tests();
    pcm_add_late_tests();
    pcm_add_migration_tests();
    pcm_add_stream_state_tests();
    pcm_add_playback_tests();
    pcm_add_stream_tests();
    pcm_add_group_tests();
    pcm_add_capture_tests();
    pcm_add_fragment_tests();
    pcm_add_writeback_tests();
    pcm_add_ready_tests();
    pcm_add_example_tests();
    return g_test_run();
}
