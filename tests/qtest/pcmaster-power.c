/*
 * pcmaster qtests: power states, and registers that are switched off
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pcmaster-busy.h"
#include "pcmaster-msix.h"
#include "pcmaster-test.h"

#define D0              0
#define D3HOT           3

static uint8_t power_register(Dut *d)
{
    uint8_t cap = qpci_find_capability(d->dev, PCI_CAP_ID_PM, 0);

    g_assert_cmpuint(cap, !=, 0);
    return cap + PCI_PM_CTRL;
}

static void set_power(Dut *d, unsigned state)
{
    qpci_config_writew(d->dev, power_register(d), state);
}

/* A stream that plays, a command under way, and both tell by message. */
static Dut *start_busy(void)
{
    Dut *d = dut_start("q35 -audiodev none,id=snd", ",audiodev=snd");

    msix_start(d);
    dut_make_busy(d);
    g_assert_cmphex(msix_arrived(d), ==, 0);
    return d;
}

static void expect_no_dma(Dut *d)
{
    qtest_clock_step(d->qts, 100000000);
    g_assert_cmphex(msix_arrived(d), ==, 0);
    g_assert_cmphex(qtest_readq(d->qts, BUSY_LAST_WORD), ==, 0);
}

/* Nothing goes on in D3hot, and what follows it is a reset. */
static void test_d3hot(void)
{
    Dut *d = start_busy();
    uint8_t msix = qpci_find_capability(d->dev, PCI_CAP_ID_MSIX, 0);

    set_power(d, D3HOT);
    g_assert_cmphex(qpci_config_readw(d->dev, power_register(d)), ==, D3HOT);
    g_assert_cmphex(dut_read(d, PCM_ID), !=, PCM_ID_VALUE);
    dut_write(d, PCM_EX_COMMAND, PCM_EX_FILL);
    expect_no_dma(d);
    set_power(d, D0);
    g_assert_cmphex(qpci_config_readw(d->dev, power_register(d)), ==, D0);
    g_assert_cmphex(qpci_config_readw(d->dev, PCI_COMMAND), ==, 0);
    g_assert_cmphex(qpci_config_readl(d->dev, PCI_BASE_ADDRESS_0), ==, 0);
    g_assert_cmphex(qpci_config_readw(d->dev, msix + PCI_MSIX_FLAGS), ==,
                    PCM_VECTORS - 1);
    qpci_device_enable(d->dev);
    qpci_config_writel(d->dev, PCI_BASE_ADDRESS_0, d->bar.addr);
    pcm_expect_clean(d);
    expect_no_dma(d);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_OK, 8);
    dut_stop(d);
}

/* A message that waits is forgotten. */
static void test_d3hot_message(void)
{
    Dut *d = dut_start("q35", "");

    msix_start(d);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_EXERCISER);
    msix_set_flags(d, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_OK, 8);
    g_assert_cmphex(msix_pending(d), ==, 1);
    set_power(d, D3HOT);
    msix_set_flags(d, PCI_MSIX_FLAGS_ENABLE);
    g_assert_cmphex(msix_arrived(d), ==, 0);
    dut_stop(d);
}

static void test_d3hot_line(void)
{
    Dut *d = dut_start("q35", "");

    qtest_irq_intercept_in(d->qts, "ioapic");
    dut_write(d, PCM_INT_ENABLE, PCM_INT_EXERCISER);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_OK, 8);
    g_assert_cmpint(raised_line(d), !=, -1);
    set_power(d, D3HOT);
    g_assert_cmpint(raised_line(d), ==, -1);
    dut_stop(d);
}

/* D1 and D2 are not there; a machine's reset brings D0 back. */
static void test_states(const void *data)
{
    Dut *d = dut_start(data, "");

    for (unsigned state = 1; state < D3HOT; state++) {
        set_power(d, state);
        g_assert_cmphex(qpci_config_readw(d->dev, power_register(d)), ==, D0);
    }
    g_assert_cmphex(dut_read(d, PCM_ID), ==, PCM_ID_VALUE);
    set_power(d, D3HOT);
    qtest_system_reset(d->qts);
    g_assert_cmphex(qpci_config_readw(d->dev, power_register(d)), ==, D0);
    dut_stop(d);
}

/* Memory Enable concerns the registers only: DMA and messages go on. */
static void test_memory_disabled(void)
{
    Dut *d = start_busy();
    uint16_t command = qpci_config_readw(d->dev, PCI_COMMAND);

    qpci_config_writew(d->dev, PCI_COMMAND, command & ~PCI_COMMAND_MEMORY);
    g_assert_cmphex(dut_read(d, PCM_ID), !=, PCM_ID_VALUE);
    dut_write(d, PCM_CTRL, PCM_CTRL_RESET);
    qtest_clock_step(d->qts, 5000000);
    g_assert_cmphex(msix_arrived(d), ==, 1u << 0 | 1u << 1);
    g_assert_cmphex(qtest_readq(d->qts, BUSY_LAST_WORD), ==,
                    1 + (BUSY_LENGTH / 8 - 1) * PCM_EX_STEP);
    qpci_config_writew(d->dev, PCI_COMMAND, command);
    g_assert_cmphex(dut_read(d, PCM_ID), ==, PCM_ID_VALUE);
    dut_expect_result(d, PCM_EX_OK, BUSY_LENGTH);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_RUNNING | PCM_S_PERIOD);
    dut_stop(d);
}

void pcm_add_power_tests(void)
{
    qtest_add_func("/pcmaster/power/d3hot", test_d3hot);
    qtest_add_func("/pcmaster/power/d3hot-message", test_d3hot_message);
    qtest_add_func("/pcmaster/power/d3hot-line", test_d3hot_line);
    pcm_add_case("power/states", "express", "q35", test_states);
    pcm_add_case("power/states", "conventional", "pc", test_states);
    qtest_add_func("/pcmaster/power/memory-disabled", test_memory_disabled);
}
