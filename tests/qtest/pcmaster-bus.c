/*
 * pcmaster qtests: bus mastering, interrupts and being unplugged
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pcmaster-bus.h"
#include "pcmaster-player.h"
#include "pcmaster-test.h"

static void test_bus_master_off(void)
{
    Dut *d = dut_start("q35", "");

    dut_set_bus_master(d, false);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_NO_BUS_MASTER, 0);
    dut_expect_no_record(d);
    dut_set_bus_master(d, true);
    dut_command(d, PCM_EX_FILL, 0x200000, 4 * MiB, 1);
    dut_set_bus_master(d, false);
    qtest_clock_step(d->qts, 100000);
    dut_expect_result(d, PCM_EX_NO_BUS_MASTER, 1 * MiB);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, PCM_INT_EXERCISER);
    dut_set_bus_master(d, true);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_OK, 8);
    dut_stop(d);
}

static void test_intx(void)
{
    Dut *d = dut_start("q35", "");
    int line;

    qtest_irq_intercept_in(d->qts, "ioapic");
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_OK, 8);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, PCM_INT_EXERCISER);
    g_assert_cmpint(raised_line(d), ==, -1);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_EXERCISER);
    line = raised_line(d);
    g_assert_cmpint(line, !=, -1);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_VIOLATION);
    g_assert_cmpint(raised_line(d), ==, -1);
    dut_write(d, PCM_ADDR_BITS, 20);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_VIOLATION, 0);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==,
                    PCM_INT_EXERCISER | PCM_INT_VIOLATION);
    g_assert_cmpint(raised_line(d), ==, line);
    dut_write(d, PCM_INT_STATUS, PCM_INT_EXERCISER);
    g_assert_cmpint(raised_line(d), ==, line);
    dut_write(d, PCM_INT_STATUS, PCM_INT_VIOLATION);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, 0);
    g_assert_cmpint(raised_line(d), ==, -1);
    dut_stop(d);
}

static void test_msi(void)
{
    Dut *d = dut_start("q35", "");

    qtest_irq_intercept_in(d->qts, "ioapic");
    msi_enable(d, MSI_MAILBOX, 0x4321);
    g_assert_false(msi_arrived(d));
    dut_write(d, PCM_INT_ENABLE, PCM_INT_EXERCISER | PCM_INT_VIOLATION);
    dut_command(d, PCM_EX_FILL, 0x200000, 8, 1);
    g_assert_true(msi_arrived(d));
    dut_expect_result(d, PCM_EX_OK, 8);
    g_assert_cmpint(raised_line(d), ==, -1);
    /* The same source again, not acknowledged: nothing new to tell. */
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_OK, 8);
    g_assert_false(msi_arrived(d));
    /* Another source: a message of its own. */
    dut_write(d, PCM_ADDR_BITS, 20);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_VIOLATION, 0);
    g_assert_true(msi_arrived(d));
    dut_write(d, PCM_INT_STATUS, PCM_INT_EXERCISER | PCM_INT_VIOLATION);
    g_assert_false(msi_arrived(d));
    dut_exercise(d, PCM_EX_CHECKSUM, 0x1000, 8, 1, PCM_EX_OK, 8);
    g_assert_true(msi_arrived(d));
    dut_stop(d);
}

/* What is pending is told by the other way as soon as MSI is switched. */
static void test_msi_switched(void)
{
    Dut *d = dut_start("q35", "");
    int line;

    qtest_irq_intercept_in(d->qts, "ioapic");
    dut_write(d, PCM_INT_ENABLE, PCM_INT_EXERCISER);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_OK, 8);
    line = raised_line(d);
    g_assert_cmpint(line, !=, -1);
    msi_enable(d, MSI_MAILBOX, 0x4321);
    g_assert_cmpint(raised_line(d), ==, -1);
    g_assert_true(msi_arrived(d));
    msi_set_enabled(d, false);
    g_assert_cmpint(raised_line(d), ==, line);
    g_assert_false(msi_arrived(d));
    dut_stop(d);
}

/* A message that could not be sent is when bus mastering returns. */
static void test_msi_without_bus_master(void)
{
    Dut *d = dut_start("q35", "");

    msi_enable(d, MSI_MAILBOX, 0x4321);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_EXERCISER);
    dut_set_bus_master(d, false);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_NO_BUS_MASTER, 0);
    g_assert_false(msi_arrived(d));
    dut_set_bus_master(d, true);
    g_assert_true(msi_arrived(d));
    dut_set_bus_master(d, true);
    g_assert_false(msi_arrived(d));
    dut_write(d, PCM_INT_STATUS, PCM_INT_EXERCISER);
    dut_set_bus_master(d, false);
    dut_set_bus_master(d, true);
    g_assert_false(msi_arrived(d));
    dut_stop(d);
}

/* On a conventional bus the device is a conventional one, and works. */
static void test_conventional_pci(void)
{
    Dut *d = dut_start("pc", "");

    g_assert_cmpuint(qpci_find_capability(d->dev, PCI_CAP_ID_EXP, 0), ==, 0);
    g_assert_cmpuint(qpci_find_capability(d->dev, PCI_CAP_ID_MSI, 0), !=, 0);
    g_assert_cmphex(qpci_config_readw(d->dev, PCI_VENDOR_ID), ==, 0x1af4);
    g_assert_cmphex(qpci_config_readw(d->dev, PCI_DEVICE_ID), ==, 0x10fa);
    g_assert_cmphex(qpci_config_readw(d->dev, PCI_CLASS_DEVICE), ==, 0x0401);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_OK, 8);
    g_assert_cmphex(qtest_readq(d->qts, 0x200000), ==, 1);
    dut_stop(d);
}

/* --- Messages that strike back ------------------------------------------ */

/* What a stream does that sends a message. */
typedef struct EventCase {
    const char *name;
    uint64_t buffer;
    uint32_t period;
    uint64_t end;
    uint32_t enable;            /* of S_STATUS */
} EventCase;

/* The first buffer is no RAM. */
static const EventCase event_cases[] = {
    { "violation", 0x10000000, 0, 0, 0 },
    { "period", RING, 48, 0, PCM_S_PERIOD },
    { "drained", RING, 0, 100, PCM_S_DRAINED },
};

static void start_event(Dut *d, const EventCase *c)
{
    dut_set_policies(d, PCM_POLICY_RECORD);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_VIOLATION | PCM_INT_STREAM(0));
    dut_write(d, S0(INT_ENABLE), c->enable);
    dut_write(d, S0(FORMAT), PCM_S_S16 | PCM_S_CHANNELS(2));
    dut_write(d, S0(RATE), 48000);
    dut_write64(d, S0(BUFFER), c->buffer);
    dut_write(d, S0(LENGTH), 4096);
    dut_write(d, S0(PERIOD_FRAMES), c->period);
    dut_write64(d, S0(END), c->end);
    dut_write(d, S0(CTL), PCM_S_RUN);
}

/* A message to the own config space resets the function. */
static void test_msi_resets(const void *data)
{
    Dut *d = dut_start("q35 -audiodev none,id=snd", ",audiodev=snd");
    uint8_t cap = qpci_find_capability(d->dev, PCI_CAP_ID_EXP, 0);

    dut_enable_ecam(d);
    start_event(d, data);
    msi_enable(d, ECAM + (QPCI_DEVFN(4, 0) << 12) + cap + PCI_EXP_DEVCTL,
               PCI_EXP_DEVCTL_BCR_FLR);
    qtest_clock_step(d->qts, 300000000);
    g_assert_cmphex(qpci_config_readw(d->dev, PCI_COMMAND), ==, 0);
    qpci_device_enable(d->dev);
    qpci_config_writel(d->dev, PCI_BASE_ADDRESS_0, d->bar.addr);
    pcm_expect_clean(d);
    dut_stop(d);
}

/* A message to the root port unplugs the device that sends it. */
static void test_msi_unplugs(const void *data)
{
    for (unsigned mapped = 0; mapped < 2; mapped++) {
        QPCIDevice *port;
        Dut *d = dut_start_behind_port("q35", &port);
        uint8_t cap = qpci_find_capability(port, PCI_CAP_ID_EXP, 0);

        dut_enable_ecam(d);
        start_event(d, data);
        msi_enable(d, ECAM + (QPCI_DEVFN(5, 0) << 12) + cap + PCI_EXP_SLTCTL,
                   SLOT_POWER_OFF);
        if (!mapped) {
            qpci_config_writew(d->dev, PCI_COMMAND, PCI_COMMAND_MASTER);
        }
        qtest_clock_step(d->qts, 300000000);
        dut_expect_unplugged(d);
        g_free(port);
        dut_stop(d);
    }
}

/* Unplugged while a stream plays and a command is under way. */
static void test_unplug(void)
{
    QPCIDevice *port;
    Dut *d = dut_start_behind_port("q35", &port);
    uint8_t cap = qpci_find_capability(port, PCI_CAP_ID_EXP, 0);

    start_event(d, &event_cases[1]);
    qtest_clock_step(d->qts, 20000000);
    dut_command(d, PCM_EX_CHECKSUM, 0x200000, 4 * MiB, 0);
    qpci_config_writew(port, cap + PCI_EXP_SLTCTL, SLOT_POWER_OFF);
    dut_expect_unplugged(d);
    g_free(port);
    dut_stop(d);
}

/* Messages to the device's own CTRL must not reset it under its feet. */
static void test_msi_to_itself(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    msi_enable(d, d->bar.addr + PCM_CTRL, PCM_CTRL_RESET);
    dut_set_window(d, 0, RING, RING + 4 * 3000 - 1, PCM_W_ENABLE | PCM_W_READ);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_VIOLATION | PCM_INT_EXERCISER |
                                 PCM_INT_STREAM(0));
    dut_write(d, S0(INT_ENABLE), 0xf);
    player_start(p, 48000, 4096, 100, 0);
    qtest_clock_step(d->qts, 50000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_RUNNING | PCM_S_PERIOD);
    qtest_clock_step(d->qts, 50000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_ERROR | PCM_S_PERIOD);
    g_assert_cmpuint(dut_read(d, PCM_LOG_COUNT), ==, 1);
    dut_write64(d, PCM_WINDOW(0) + PCM_W_FIRST, 0);
    dut_write64(d, PCM_WINDOW(0) + PCM_W_LAST, ONES);
    dut_command(d, PCM_EX_CHECKSUM, 0x200000, 3 * MiB, 0);
    qtest_clock_step(d->qts, 50000000);
    dut_expect_result(d, PCM_EX_OK, 3 * MiB);
    dut_stop(d);
    player_free(p);
}

void pcm_add_bus_tests(void)
{
    qtest_add_func("/pcmaster/pci/bus-master-off", test_bus_master_off);
    qtest_add_func("/pcmaster/pci/intx", test_intx);
    qtest_add_func("/pcmaster/pci/msi", test_msi);
    qtest_add_func("/pcmaster/pci/msi-switched", test_msi_switched);
    qtest_add_func("/pcmaster/pci/msi-without-bus-master",
                   test_msi_without_bus_master);
    qtest_add_func("/pcmaster/pci/conventional", test_conventional_pci);
    qtest_add_func("/pcmaster/pci/unplug", test_unplug);
    qtest_add_func("/pcmaster/stream/msi-to-itself", test_msi_to_itself);
    for (unsigned i = 0; i < ARRAY_SIZE(event_cases); i++) {
        pcm_add_case("msi-resets", event_cases[i].name, &event_cases[i],
                     test_msi_resets);
        pcm_add_case("msi-unplugs", event_cases[i].name, &event_cases[i],
                     test_msi_unplugs);
    }
}
