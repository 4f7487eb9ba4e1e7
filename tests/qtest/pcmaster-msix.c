/*
 * pcmaster qtests: MSI-X messages and their vectors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pcmaster-msix.h"
#include "pcmaster-player.h"
#include "pcmaster-test.h"

#define ALL_SOURCES     (PCM_INT_VIOLATION | PCM_INT_EXERCISER | \
                         PCM_INT_STREAM(0) | PCM_INT_STREAM(1))

static Dut *start_with_streams(void)
{
    return dut_start("q35 -audiodev none,id=snd",
                     ",audiodev=snd,playback=2");
}

/* Stream @n has something to tell: it refuses to start without a format. */
static void stream_event(Dut *d, unsigned n)
{
    dut_write(d, PCM_STREAM(n) + PCM_S_INT_ENABLE, PCM_S_ERROR);
    dut_write(d, PCM_STREAM(n) + PCM_S_CTL, PCM_S_RUN);
    g_assert_cmphex(dut_read(d, PCM_STREAM(n) + PCM_S_STATUS), ==,
                    PCM_S_ERROR);
}

static void exerciser_event(Dut *d, unsigned n)
{
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_OK, 8);
}

static void violation_event(Dut *d, unsigned n)
{
    dut_set_window(d, 0, 0, 0, PCM_W_ENABLE);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_VIOLATION, 0);
    dut_write(d, PCM_INT_STATUS, PCM_INT_EXERCISER);
}

typedef struct SourceCase {
    const char *name;
    void (*event)(Dut *d, unsigned n);
    unsigned stream;
    uint32_t enable;
    unsigned vector_register;
    unsigned vector;            /* after a reset */
} SourceCase;

static const SourceCase source_cases[] = {
    { "exerciser", exerciser_event, 0, PCM_INT_EXERCISER, PCM_INT_VECTOR, 0 },
    { "violation", violation_event, 0, PCM_INT_VIOLATION, PCM_INT_VECTOR, 0 },
    { "stream-0", stream_event, 0, PCM_INT_STREAM(0),
      PCM_STREAM(0) + PCM_S_VECTOR, 1 },
    { "stream-1", stream_event, 1, PCM_INT_STREAM(1),
      PCM_STREAM(1) + PCM_S_VECTOR, 2 },
};

/* Each source sends the message of the vector that was chosen for it. */
static void test_source(const void *data)
{
    static const unsigned vectors[] = { 0, 1, 9, 16 };
    const SourceCase *c = data;

    for (unsigned i = 0; i <= ARRAY_SIZE(vectors); i++) {
        Dut *d = start_with_streams();
        unsigned vector = c->vector;

        g_assert_cmpuint(dut_read(d, c->vector_register), ==, vector);
        if (i < ARRAY_SIZE(vectors)) {
            vector = vectors[i];
            dut_write(d, c->vector_register, vector);
            dut_write(d, c->vector_register, PCM_VECTORS);
            g_assert_cmpuint(dut_read(d, c->vector_register), ==, vector);
        }
        msix_start(d);
        dut_write(d, PCM_INT_ENABLE, ALL_SOURCES & ~c->enable);
        c->event(d, c->stream);
        msix_arrived(d);
        dut_write(d, PCM_INT_ENABLE, ALL_SOURCES);
        g_assert_cmphex(msix_arrived(d), ==, 1u << vector);
        g_assert_cmphex(msix_arrived(d), ==, 0);
        dut_stop(d);
    }
}

/* One access may send several messages, each once, and no line is raised. */
static void test_together(void)
{
    Dut *d = start_with_streams();

    qtest_irq_intercept_in(d->qts, "ioapic");
    msix_start(d);
    stream_event(d, 0);
    stream_event(d, 1);
    exerciser_event(d, 0);
    g_assert_cmphex(msix_arrived(d), ==, 0);
    dut_write(d, PCM_INT_ENABLE, ALL_SOURCES);
    g_assert_cmphex(msix_arrived(d), ==, 7);
    /* Nothing new to tell, until it has been acknowledged. */
    exerciser_event(d, 0);
    g_assert_cmphex(msix_arrived(d), ==, 0);
    dut_write(d, PCM_INT_STATUS, PCM_INT_EXERCISER);
    exerciser_event(d, 0);
    g_assert_cmphex(msix_arrived(d), ==, 1);
    g_assert_cmpint(raised_line(d), ==, -1);
    dut_stop(d);
}

/* What is masked is pending, and sent when it is not masked any more. */
static void test_masked(void)
{
    Dut *d = start_with_streams();

    msix_start(d);
    dut_write(d, PCM_INT_ENABLE, ALL_SOURCES);
    msix_mask(d, 1, true);
    stream_event(d, 0);
    g_assert_cmphex(msix_arrived(d), ==, 0);
    g_assert_cmphex(msix_pending(d), ==, 1u << 1);
    msix_mask(d, 1, false);
    g_assert_cmphex(msix_arrived(d), ==, 1u << 1);
    g_assert_cmphex(msix_pending(d), ==, 0);

    msix_set_flags(d, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
    exerciser_event(d, 0);
    stream_event(d, 1);
    g_assert_cmphex(msix_arrived(d), ==, 0);
    g_assert_cmphex(msix_pending(d), ==, 1u << 0 | 1u << 2);
    msix_set_flags(d, PCI_MSIX_FLAGS_ENABLE);
    g_assert_cmphex(msix_arrived(d), ==, 1u << 0 | 1u << 2);

    msix_mask(d, 0, true);
    dut_write(d, PCM_INT_STATUS, PCM_INT_EXERCISER);
    exerciser_event(d, 0);
    g_assert_cmphex(msix_pending(d), ==, 1u << 0);
    dut_write(d, PCM_CTRL, PCM_CTRL_RESET);
    g_assert_cmphex(msix_pending(d), ==, 0);
    msix_mask(d, 0, false);
    g_assert_cmphex(msix_arrived(d), ==, 0);
    dut_stop(d);
}

/* MSI-X goes before MSI and MSI before the line; each is told anew. */
static void test_switched(void)
{
    Dut *d = start_with_streams();
    int line;

    qtest_irq_intercept_in(d->qts, "ioapic");
    dut_write(d, PCM_INT_ENABLE, ALL_SOURCES);
    stream_event(d, 1);
    line = raised_line(d);
    g_assert_cmpint(line, !=, -1);
    msi_enable(d, MSI_MAILBOX, 0x4321);
    g_assert_cmpint(raised_line(d), ==, -1);
    g_assert_true(msi_arrived(d));
    msix_start(d);
    g_assert_cmphex(msix_arrived(d), ==, 1u << 2);
    g_assert_false(msi_arrived(d));
    exerciser_event(d, 0);
    g_assert_cmphex(msix_arrived(d), ==, 1u << 0);
    g_assert_false(msi_arrived(d));
    msix_set_flags(d, 0);
    g_assert_true(msi_arrived(d));
    msi_set_enabled(d, false);
    g_assert_cmpint(raised_line(d), ==, line);
    g_assert_cmphex(msix_arrived(d), ==, 0);
    dut_stop(d);
}

/* Messages that could not be sent are when bus mastering returns. */
static void test_without_bus_master(void)
{
    Dut *d = start_with_streams();

    msix_start(d);
    dut_write(d, PCM_INT_ENABLE, ALL_SOURCES);
    dut_set_bus_master(d, false);
    stream_event(d, 0);
    stream_event(d, 1);
    g_assert_cmphex(msix_arrived(d), ==, 0);
    dut_set_bus_master(d, true);
    g_assert_cmphex(msix_arrived(d), ==, 1u << 1 | 1u << 2);
    dut_set_bus_master(d, true);
    g_assert_cmphex(msix_arrived(d), ==, 0);
    dut_stop(d);
}

/*
 * What SELF_CLEAR clears was told: not so by a message that cannot be sent.
 * The period has passed before it is enabled.
 */
static void test_self_clear_without_bus_master(void)
{
    Dut *d = start_with_streams();

    msix_start(d);
    stream_set_up(d, 0, PCM_S_S16 | PCM_S_CHANNELS(2), 48000, RING, 4096);
    dut_write(d, S0(PERIOD_FRAMES), 48);
    dut_write64(d, S0(END), 60);
    dut_write(d, S0(INT_ENABLE), PCM_S_PERIOD);
    dut_write(d, S0(CTL), PCM_S_RUN | PCM_S_SELF_CLEAR);
    qtest_clock_step(d->qts, 300000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_PERIOD | PCM_S_DRAINED);
    dut_set_bus_master(d, false);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_STREAM(0));
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_PERIOD | PCM_S_DRAINED);
    g_assert_cmphex(msix_arrived(d), ==, 0);
    dut_set_bus_master(d, true);
    g_assert_cmphex(msix_arrived(d), ==, 1u << 1);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_DRAINED);
    dut_set_bus_master(d, false);
    dut_set_bus_master(d, true);
    g_assert_cmphex(msix_arrived(d), ==, 0);
    dut_stop(d);
}

typedef struct WayCase {
    const char *options;
    bool msi;
    bool msix;
} WayCase;

static void test_properties(void)
{
    static const WayCase cases[] = {
        { "", true, true },
        { ",msi=on,msix=on", true, true },
        { ",msix=off", true, false },
        { ",msi=off", false, true },
        { ",msi=off,msix=off", false, false },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        const WayCase *c = &cases[i];
        Dut *d = dut_start("q35", c->options);
        uint32_t bar;

        g_assert_cmpint(qpci_find_capability(d->dev, PCI_CAP_ID_MSI, 0) != 0,
                        ==, c->msi);
        g_assert_cmpint(qpci_find_capability(d->dev, PCI_CAP_ID_MSIX, 0) != 0,
                        ==, c->msix);
        g_assert_cmphex(PCM_CAP2_VECTORS(dut_read(d, PCM_CAP2)), ==,
                        c->msix ? PCM_VECTORS : 0);
        if (c->msix) {
            g_assert_cmpuint(qpci_msix_table_size(d->dev), ==, PCM_VECTORS);
        }
        qpci_config_writel(d->dev, PCI_BASE_ADDRESS_0 + 4 * PCM_MSIX_BAR, ~0u);
        bar = qpci_config_readl(d->dev, PCI_BASE_ADDRESS_0 + 4 * PCM_MSIX_BAR);
        g_assert_cmphex(bar, ==, c->msix ? 0xfffff000 : 0);
        exerciser_event(d, 0);
        dut_stop(d);
    }
}

/* --- Messages that strike back ------------------------------------------ */

typedef struct UnmaskCase {
    const char *name;
    bool unplugs;               /* else it resets */
} UnmaskCase;

static const UnmaskCase unmask_cases[] = {
    { "unplugs", true },
    { "resets", false },
};

/* A message that waited for being unmasked, sent from within QEMU's core. */
static void test_unmasked(const void *data)
{
    const UnmaskCase *c = data;
    QPCIDevice *port;
    Dut *d = dut_start_behind_port("q35", &port);
    uint8_t express = qpci_find_capability(d->dev, PCI_CAP_ID_EXP, 0);
    uint8_t slot = qpci_find_capability(port, PCI_CAP_ID_EXP, 0);

    dut_enable_ecam(d);
    qpci_config_writel(d->dev, PCI_BASE_ADDRESS_0 + 4 * PCM_MSIX_BAR,
                       PORT_MEMORY + 0x8000);
    d->dev->msix_table_bar = (QPCIBar) { .addr = PORT_MEMORY + 0x8000 };
    d->dev->msix_pba_bar = d->dev->msix_table_bar;
    d->dev->msix_pba_off = MSIX_PBA;
    msix_set_flags(d, PCI_MSIX_FLAGS_ENABLE);
    if (c->unplugs) {
        msix_set_entry(d, 0, ECAM + (QPCI_DEVFN(5, 0) << 12) + slot +
                             PCI_EXP_SLTCTL, SLOT_POWER_OFF);
    } else {
        msix_set_entry(d, 0, ECAM + (1 << 20) + express + PCI_EXP_DEVCTL,
                       PCI_EXP_DEVCTL_BCR_FLR);
    }
    dut_write(d, PCM_INT_ENABLE, PCM_INT_EXERCISER);
    exerciser_event(d, 0);
    g_assert_cmphex(msix_pending(d), ==, 1);
    msix_mask(d, 0, false);
    if (c->unplugs) {
        dut_expect_unplugged(d);
    } else {
        g_assert_cmphex(qpci_config_readw(d->dev, PCI_COMMAND), ==, 0);
    }
    g_free(port);
    dut_stop(d);
}

void pcm_add_msix_tests(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(source_cases); i++) {
        pcm_add_case("msix/source", source_cases[i].name, &source_cases[i],
                     test_source);
    }
    qtest_add_func("/pcmaster/msix/together", test_together);
    qtest_add_func("/pcmaster/msix/masked", test_masked);
    qtest_add_func("/pcmaster/msix/switched", test_switched);
    qtest_add_func("/pcmaster/msix/without-bus-master",
                   test_without_bus_master);
    qtest_add_func("/pcmaster/msix/self-clear-without-bus-master",
                   test_self_clear_without_bus_master);
    qtest_add_func("/pcmaster/msix/properties", test_properties);
    for (unsigned i = 0; i < ARRAY_SIZE(unmask_cases); i++) {
        pcm_add_case("msix/unmasked", unmask_cases[i].name, &unmask_cases[i],
                     test_unmasked);
    }
}
