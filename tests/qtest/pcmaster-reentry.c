/*
 * pcmaster qtests: a DMA that strikes the device which does it
 *
 * An IOMMU reports denied accesses while they are made, to wherever its driver
 * says.  That may be a register that resets, stops or unplugs the device.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pcmaster-bus.h"
#include "pcmaster-iommu.h"
#include "pcmaster-player.h"
#include "pcmaster-test.h"

#define LENGTH          4096

typedef struct Scene {
    Dut *d;
    QPCIDevice *port;
    uint64_t buffer;            /* the IOMMU lets nobody pass there */
} Scene;

/* --- What strikes ------------------------------------------------------- */

/* Where, and with which value of 32 bits. */
typedef struct Blow {
    const char *name;
    bool on_port;
    uint8_t capability;         /* 0: none, the offset counts from 0 */
    uint8_t offset;
    uint32_t value;
    void (*expect)(Scene *s);
} Blow;

static void expect_reset(Scene *s)
{
    g_assert_cmphex(qpci_config_readw(s->d->dev, PCI_COMMAND), ==, 0);
    configure_device(s->d, 1, 0);
    pcm_expect_clean(s->d);
}

static void expect_d3hot(Scene *s)
{
    Dut *d = s->d;
    uint8_t cap = qpci_find_capability(d->dev, PCI_CAP_ID_PM, 0);

    g_assert_cmphex(qpci_config_readw(d->dev, cap + PCI_PM_CTRL), ==, 3);
    qtest_clock_step(d->qts, 10000000);
    qpci_config_writew(d->dev, cap + PCI_PM_CTRL, 0);
    expect_reset(s);
}

static void expect_no_master(Scene *s)
{
    Dut *d = s->d;

    g_assert_cmphex(qpci_config_readw(d->dev, PCI_COMMAND) &
                    PCI_COMMAND_MASTER, ==, 0);
    qtest_clock_step(d->qts, 10000000);
    if (dut_read(d, PCM_INT_STATUS) & PCM_INT_EXERCISER) {
        dut_expect_result(d, PCM_EX_NO_BUS_MASTER, 0);
    } else {
        uint32_t status = dut_read(d, S0(STATUS)) |
                          dut_read(d, PCM_STREAM(1) + PCM_S_STATUS);

        g_assert_cmphex(status & (PCM_S_RUNNING | PCM_S_ERROR), ==,
                        PCM_S_ERROR);
    }
    dut_write(d, PCM_CTRL, PCM_CTRL_RESET);
    pcm_expect_clean(d);
}

static void expect_unplugged(Scene *s)
{
    dut_expect_unplugged(s->d);
}

static const Blow blows[] = {
    { "flr", false, PCI_CAP_ID_EXP, PCI_EXP_DEVCTL,
      PCI_EXP_DEVCTL_BCR_FLR, expect_reset },
    { "d3hot", false, PCI_CAP_ID_PM, PCI_PM_CTRL, 3, expect_d3hot },
    { "bus-master", false, 0, PCI_COMMAND, PCI_COMMAND_MEMORY,
      expect_no_master },
    { "unplug", true, PCI_CAP_ID_EXP, PCI_EXP_SLTCTL, SLOT_POWER_OFF,
      expect_unplugged },
};

/* --- Who is struck ------------------------------------------------------ */

/*
 * A DMA: what is done before the IOMMU is aimed, and after.  It asks the IOMMU
 * more than once: to look a piece up takes three questions, if it is denied.
 */
typedef struct Victim {
    const char *name;
    unsigned questions;
    void (*prepare)(Scene *s);
    void (*go)(Scene *s);
} Victim;

static void nothing(Scene *s)
{
}

static void step(Scene *s)
{
    qtest_clock_step(s->d->qts, 30000000);
}

static void record_only(Scene *s)
{
    dut_set_policies(s->d, PCM_POLICY_RECORD);
}

static void fill(Scene *s)
{
    dut_command(s->d, PCM_EX_FILL, s->buffer, LENGTH, 1);
}

static void verify(Scene *s)
{
    dut_command(s->d, PCM_EX_VERIFY, s->buffer, LENGTH, 1);
}

static void begin_command(Scene *s)
{
    record_only(s);
    dut_command(s->d, PCM_EX_CHECKSUM, s->buffer, 4 * MiB, 1);
    g_assert_cmphex(dut_read(s->d, PCM_EX_STATUS), ==, PCM_EX_BUSY);
}

static void start_ring(Scene *s, unsigned n, uint32_t bytes)
{
    stream_set_up(s->d, n, S16_STEREO, 48000, s->buffer, bytes);
    dut_write(s->d, PCM_STREAM(n) + PCM_S_PERIOD_FRAMES, 96);
    dut_write(s->d, PCM_STREAM(n) + PCM_S_CTL, PCM_S_RUN);
}

static void start_playback(Scene *s)
{
    start_ring(s, 0, LENGTH);
}

static void start_capture(Scene *s)
{
    start_ring(s, 1, LENGTH);
}

static void start_both(Scene *s)
{
    record_only(s);
    start_playback(s);
    start_capture(s);
}

static void read_position(Scene *s)
{
    qtest_clock_step(s->d->qts, 1000000);
    stream_position(s->d, 0);
}

/* The ring is not looked at before the list is. */
static void start_list(Scene *s)
{
    dut_write(s->d, S0(FRAGMENTS), 4);
    start_playback(s);
}

/* What it plays is silence, so that only the block is DMA. */
static void start_writeback(Scene *s)
{
    dut_write64(s->d, S0(WRITEBACK), s->buffer);
    dut_write64(s->d, S0(READY), 0);
    start_playback(s);
}

/* The ring is so short that capture, too, has to see whether it may go on. */
static void start_ready_of(Scene *s, unsigned n)
{
    dut_write64(s->d, PCM_STREAM(n) + PCM_S_READY_AT, s->buffer + 0x8000);
    start_ring(s, n, 4 * 24);
}

static void start_ready(Scene *s)
{
    start_ready_of(s, 0);
}

static void start_ready_capture(Scene *s)
{
    start_ready_of(s, 1);
}

static void start_ready_both(Scene *s)
{
    record_only(s);
    start_ready_of(s, 0);
    start_ready_of(s, 1);
}

static void stop(Scene *s)
{
    dut_write(s->d, PCM_STREAMS_STOP, 1);
}

static const Victim victims[] = {
    { "fill", 3, nothing, fill },
    { "verify", 9, record_only, verify },
    { "slice", 3, begin_command, step },
    { "playback", 3, start_playback, step },
    { "capture", 3, start_capture, step },
    { "streams", 3, start_both, step },
    { "position", 3, start_playback, read_position },
    { "list", 3, nothing, start_list },
    { "writeback", 3, start_writeback, step },
    { "stop", 3, start_writeback, stop },
    { "ready", 3, start_ready, step },
    { "ready-position", 3, start_ready, read_position },
    { "ready-capture", 3, start_ready_capture, step },
    { "ready-both", 9, start_ready_both, step },
};

/* --- Both --------------------------------------------------------------- */

static Scene set(void)
{
    Scene s;

    s.d = dut_start_behind_port(REPORTING_IOMMU, &s.port);
    dut_enable_ecam(s.d);
    reporting_iommu_start(s.d);
    return s;
}

static uint64_t place(Scene *s, const Blow *b)
{
    QPCIDevice *dev = b->on_port ? s->port : s->d->dev;

    return ECAM + (dev->devfn << 12) + b->offset +
           (b->capability ? qpci_find_capability(dev, b->capability, 0) : 0);
}

typedef struct Case {
    const Blow *blow;
    const Victim *victim;
} Case;

/* Registers that cannot be written come before all of the blows'. */
static void check(const Blow *b, const Victim *v, unsigned spared)
{
    Scene s = set();

    s.buffer = (uint64_t)b->value << 32 | 0x100000;
    v->prepare(&s);
    reporting_iommu_aim(s.d, place(&s, b) - 4, spared);
    v->go(&s);
    b->expect(&s);
    g_free(s.port);
    dut_stop(s.d);
}

static void test_case(const void *data)
{
    const Case *c = data;

    for (unsigned spared = 0; spared < c->victim->questions; spared++) {
        check(c->blow, c->victim, spared);
    }
}

void pcm_add_reentry_tests(void)
{
    static Case cases[ARRAY_SIZE(blows)][ARRAY_SIZE(victims)];

    for (unsigned b = 0; b < ARRAY_SIZE(blows); b++) {
        g_autofree char *group = g_strdup_printf("reentry/%s", blows[b].name);

        for (unsigned v = 0; v < ARRAY_SIZE(victims); v++) {
            cases[b][v] = (Case) { &blows[b], &victims[v] };
            pcm_add_case(group, victims[v].name, &cases[b][v], test_case);
        }
    }
}
