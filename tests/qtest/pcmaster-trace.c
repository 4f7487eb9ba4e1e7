/*
 * pcmaster qtests: trace events
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pcmaster-iommu.h"
#include "pcmaster-msix.h"
#include "pcmaster-player.h"
#include "pcmaster-test.h"

typedef struct Traced {
    Dut *d;
    char *dir;
    char *log;
} Traced;

/* A device all of whose events are logged. */
static Traced trace_start(const char *machine, const char *options)
{
    g_autofree char *all = NULL;
    Traced t;

    t.dir = g_dir_make_tmp("pcmaster-XXXXXX", NULL);
    t.log = g_build_filename(t.dir, "log", NULL);
    all = g_strdup_printf("%s -trace pcmaster_* -D %s", machine, t.log);
    t.d = dut_start(all, options);
    return t;
}

/* Stops it.  Each of @shapes must be there, up to the NULL. */
static void trace_expect(Traced *t, const char *const *shapes)
{
    g_autofree char *text = NULL;

    dut_stop(t->d);
    g_assert_true(g_file_get_contents(t->log, &text, NULL, NULL));
    for (; *shapes; shapes++) {
        g_test_message("%s", *shapes);
        g_assert_nonnull(strstr(text, *shapes));
    }
    unlink(t->log);
    rmdir(t->dir);
    g_free(t->log);
    g_free(t->dir);
}

/* Breaks each rule but that of the IOMMU. */
static void break_rules(Dut *d)
{
    dut_set_policies(d, PCM_POLICY_RECORD);
    dut_write(d, PCM_ADDR_BITS, 20);
    dut_write64(d, PCM_BOUNDARY, 0xff);
    dut_write(d, PCM_NODE, 1);
    dut_write(d, PCM_ALIGN, 16);
    dut_write(d, PCM_GRAIN, 16);
    dut_write(d, PCM_BURST, 16);
    dut_set_window(d, 0, 0, 0, PCM_W_ENABLE);
    dut_exercise(d, PCM_EX_READ, DUT_RAM_SIZE - 1, 17, 1, PCM_EX_OK, 1);
    g_assert_cmpuint(dut_read(d, PCM_LOG_COUNT), ==, PCM_RULE_COUNT - 1);
}

/* Each rule has an event of its own, which says what the record does. */
static void test_rules(void)
{
    static const char *const shapes[] = {
        "pcmaster_violation_limit address 0x3ffffff length 17 read requester "
        "255 last legal byte 0xfffff last byte asked for 0x400000f "
        "fault 0x3ffffff landed 0x3ffffff policy record "
        "pc 0xffffffffffffffff",
        "pcmaster_violation_boundary address 0x3ffffff length 17 read",
        "pcmaster_violation_window address 0x3ffffff length 17 read",
        "pcmaster_violation_node address 0x3ffffff length 17 read requester "
        "255 expected node 1 actual node 0 ",
        "pcmaster_violation_target address 0x3ffffff length 17 read",
        "pcmaster_violation_align address 0x3ffffff length 17 read requester "
        "255 demanded 16 bytes above 15 ",
        "pcmaster_violation_grain address 0x3ffffff length 17 read requester "
        "255 demanded 16 bytes beyond 1 ",
        "pcmaster_violation_burst address 0x3ffffff length 17 read requester "
        "255 longest 16 length 17 ",
        NULL
    };
    Traced t = trace_start("q35", "");

    break_rules(t.d);
    trace_expect(&t, shapes);
}

static void test_iommu(void)
{
    static const char *const shapes[] = {
        "pcmaster_violation_iommu address 0x20000 length 8 write requester "
        "255 asked 2 passes 0 fault 0x20000 landed 0xffffffffffffffff "
        "policy abort",
        NULL
    };
    g_autofree char *machine = iommu_machine(&iommus[0]);
    Traced t = trace_start(machine, "");

    iommus[0].start(t.d);
    dut_exercise(t.d, PCM_EX_FILL, 0x20000, 8, 1, PCM_EX_VIOLATION, 0);
    trace_expect(&t, shapes);
}

static void fill_log(Dut *d)
{
    dut_write(d, PCM_ADDR_BITS, 20);
    for (unsigned i = 0; i <= 256; i++) {
        dut_exercise(d, PCM_EX_READ, 0x200000, 8, 1, PCM_EX_VIOLATION, 0);
    }
}

static void test_device(void)
{
    static const char *const shapes[] = {
        "pcmaster_read ID at 0x0000: 0x414d4350",
        "pcmaster_write INJ_CUT at 0x02a0: 0x00000001",
        "pcmaster_write INJ_CUT_LENGTH at 0x02a4: 0x00000008",
        "pcmaster_exerciser_start command 3 address 0x200000 length 64 "
        "seed 0x9",
        "pcmaster_injected cut requester 255 address 0x200000 length 64 "
        "actual 0x8",
        "pcmaster_exerciser_end command 3 result 0 transferred 8 "
        "mismatches 0",
        "pcmaster_irq_line level 1 INT_STATUS 0x00000003",
        "pcmaster_irq_line level 0 INT_STATUS 0x00000001",
        "pcmaster_irq_message vector 5 INT_STATUS 0x00000003",
        "pcmaster_log_lost log is full, 1 records lost",
        "pcmaster_reset all registers",
        "pcmaster_power 0",
        "pcmaster_power 1",
        NULL
    };
    Traced t = trace_start("q35", ",guest-injection=on");
    Dut *d = t.d;
    uint8_t power = qpci_find_capability(d->dev, PCI_CAP_ID_PM, 0) +
                    PCI_PM_CTRL;

    dut_read(d, PCM_ID);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_EXERCISER);
    dut_write(d, PCM_INJ_CUT, 1);
    dut_write(d, PCM_INJ_CUT_LENGTH, 8);
    dut_exercise(d, PCM_EX_CHECKSUM, 0x200000, 64, 9, PCM_EX_OK, 8);
    dut_write(d, PCM_INT_STATUS, PCM_INT_EXERCISER);
    dut_write(d, PCM_INT_VECTOR, 5);
    msix_start(d);
    dut_exercise(d, PCM_EX_READ, 0x200000, 8, 1, PCM_EX_OK, 8);
    dut_write(d, PCM_LOG_CTRL, PCM_LOG_CLEAR);
    fill_log(d);
    qpci_config_writew(d->dev, power, 3);
    qpci_config_writew(d->dev, power, 0);
    trace_expect(&t, shapes);
}

/* A ring of a list, with a block that is written back. */
static void play_list(Dut *d)
{
    const uint64_t list = 0x280000, ready = 0x2a0000;

    qtest_writeq(d->qts, list, RING);
    qtest_writeq(d->qts, list + 8, 2048);
    qtest_writeq(d->qts, list + 16, RING + 8192);
    qtest_writeq(d->qts, list + 24, 2048);
    stream_set_up(d, 0, S16_STEREO, 48000, list, 4096);
    dut_write(d, S0(FRAGMENTS), 2);
    dut_write(d, S0(PERIOD_FRAMES), 48);
    dut_write64(d, S0(WRITEBACK), 0x290000);
    qtest_writeq(d->qts, ready, 96);
    dut_write64(d, S0(READY_AT), ready);
    dut_write64(d, S0(END), 144);
    dut_write(d, S0(CTL), PCM_S_RUN);
    qtest_clock_step(d->qts, 1000000);
    dut_write(d, PCM_STREAMS_PAUSE, 1);
    dut_write(d, PCM_STREAMS_RESUME, 1);
    qtest_clock_step(d->qts, 300000000);
    g_assert_true(dut_read(d, S0(STATUS)) & PCM_S_DRAINED);
}

static void test_streams(void)
{
    static const char *const shapes[] = {
        "pcmaster_stream_refuse stream 0 cause 1",
        "pcmaster_stream_list stream 0 list at 0x280000 of 2 fragments",
        "pcmaster_stream_start stream 0 format 0x203 rate 48000 "
        "buffer 0x280000 length 4096",
        "pcmaster_stream_period stream 0 position 48\n",
        "pcmaster_stream_writeback stream 0 position 48 to 0x290000",
        "pcmaster_stream_ready stream 0 the driver is at frame 96 by 0x2a0000",
        "pcmaster_stream_pause stream 0 position 48",
        "pcmaster_stream_resume stream 0 position 48",
        "pcmaster_stream_miss stream 0 position 96 48 frames missing, "
        "fault of the driver",
        "pcmaster_stream_stop stream 0 position 144 cause 0",
        "pcmaster_stream_drained stream 0 position 144",
        "pcmaster_stream_discard stream 0 drops 192 bytes",
        NULL
    };
    Traced t = trace_start("q35 -audiodev none,id=snd", ",audiodev=snd");
    Dut *d = t.d;

    dut_write(d, S0(CTL), PCM_S_RUN);
    play_list(d);
    dut_write(d, PCM_CTRL, PCM_CTRL_RESET);
    start_silence(d, 0);
    qtest_clock_step(d->qts, 1000000);
    dut_write(d, S0(CTL), 0);
    dut_write(d, S0(RATE), 44100);
    dut_write(d, S0(CTL), PCM_S_RUN);
    trace_expect(&t, shapes);
}

void pcm_add_trace_tests(void)
{
    qtest_add_func("/pcmaster/trace/rules", test_rules);
    qtest_add_func("/pcmaster/trace/iommu", test_iommu);
    qtest_add_func("/pcmaster/trace/device", test_device);
    qtest_add_func("/pcmaster/trace/streams", test_streams);
}
