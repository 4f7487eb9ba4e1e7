/*
 * pcmaster qtests: behind bridges, several at once, plugged and unplugged
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pcmaster-bus.h"
#include "pcmaster-busy.h"
#include "pcmaster-test.h"

/* --- Behind bridges ----------------------------------------------------- */

#define EXPANDER_BUS    64
#define BRIDGES_MAX     3
#define END             UINT_MAX

typedef struct Place {
    const char *name;
    const char *machine;        /* and the bridges; the last is "at" */
    const char *slot;           /* of the device there */
    bool express;
    unsigned bus;               /* of the first bridge */
    unsigned bridges[BRIDGES_MAX + 1];      /* devfn of each, then END */
} Place;

static const Place places[] = {
    { "pci-bridge", "pc -device pci-bridge,id=at,chassis_nr=1,addr=5.0",
      "1.0", false, 0, { QPCI_DEVFN(5, 0), END } },
    { "pci-bridge-twice",
      "pc -device pci-bridge,id=upper,chassis_nr=1,addr=5.0"
      " -device pci-bridge,id=at,bus=upper,chassis_nr=2,addr=2.0",
      "1.0", false, 0, { QPCI_DEVFN(5, 0), QPCI_DEVFN(2, 0), END } },
    { "dmi-bridge", "q35 -device i82801b11-bridge,id=at,addr=5.0",
      "1.0", false, 0, { QPCI_DEVFN(5, 0), END } },
    { "root-port", "q35 -device pcie-root-port,id=at,addr=5.0",
      "0.0", true, 0, { QPCI_DEVFN(5, 0), END } },
    { "switch",
      "q35 -device pcie-root-port,id=rp,addr=5.0"
      " -device x3130-upstream,id=up,bus=rp"
      " -device xio3130-downstream,id=at,bus=up,chassis=1,slot=1",
      "0.0", true, 0,
      { QPCI_DEVFN(5, 0), QPCI_DEVFN(0, 0), QPCI_DEVFN(0, 0), END } },
    { "pcie-pci-bridge",
      "q35 -device pcie-root-port,id=rp,addr=5.0"
      " -device pcie-pci-bridge,id=at,bus=rp",
      "1.0", false, 0, { QPCI_DEVFN(5, 0), QPCI_DEVFN(0, 0), END } },
    { "pxb", "pc -device pxb,id=at,bus=pci.0,bus_nr=64,addr=5.0",
      "1.0", false, EXPANDER_BUS, { QPCI_DEVFN(0, 0), END } },
    { "pxb-pcie",
      "q35 -device pxb-pcie,id=pxb,bus=pcie.0,bus_nr=64,addr=5.0"
      " -device pcie-root-port,id=at,bus=pxb",
      "0.0", true, EXPANDER_BUS, { QPCI_DEVFN(0, 0), END } },
};

static Dut *start_at(const Place *place, const char *audiodev)
{
    g_autofree char *all = g_strdup_printf(
        "%s %s -device pcmaster,bus=at,addr=%s,audiodev=snd", place->machine,
        audiodev, place->slot);
    Dut *d = dut_launch(all);
    unsigned count = 0;

    while (place->bridges[count] != END) {
        count++;
    }
    for (unsigned i = 0; i < count; i++) {
        g_free(configure_bridge(d, place->bus + i, place->bridges[i],
                                place->bus + count));
    }
    configure_device(d, place->bus + count,
                     place->express ? 0 : QPCI_DEVFN(1, 0));
    return d;
}

/* It transfers, plays and interrupts everywhere. */
static void test_place(const void *data)
{
    const Place *place = data;
    g_autofree char *audiodev = NULL;
    Player *p = player_prepare(48000, "snd", "", &audiodev);
    Dut *d = start_at(place, audiodev);

    p->d = d;
    g_assert_cmphex(dut_read(d, PCM_ID), ==, PCM_ID_VALUE);
    g_assert_cmpint(qpci_find_capability(d->dev, PCI_CAP_ID_EXP, 0) != 0, ==,
                    place->express);
    msi_enable(d, MSI_MAILBOX, 0x4321);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_EXERCISER);
    dut_command(d, PCM_EX_FILL, 0x1000000, 3 * MiB, 1);
    player_start(p, 48000, 4096, 480, 5000);
    player_play(p, 48000, 5000000);
    g_assert_true(msi_arrived(d));
    dut_exercise(d, PCM_EX_VERIFY, 0x1000000, 1 * MiB, 1, PCM_EX_OK,
                 1 * MiB);
    dut_stop(d);
    player_expect_wav(p, 5000);
    player_free(p);
}

/* --- Several ------------------------------------------------------------ */

#define DEVICES         4

/* Each plays to an end of its own, and none disturbs another. */
static void test_several(void)
{
    Player *p[DEVICES];
    g_autoptr(GString) all = g_string_new("q35");
    Dut *first;

    for (unsigned i = 0; i < DEVICES; i++) {
        g_autofree char *id = g_strdup_printf("snd%u", i);
        g_autofree char *audiodev = NULL;

        p[i] = player_prepare(48000, id, "", &audiodev);
        g_string_append_printf(all, " %s -device pcmaster,addr=%u.0,"
                               "audiodev=%s", audiodev, 4 + i, id);
    }
    first = dut_launch(all->str);
    for (unsigned i = 0; i < DEVICES; i++) {
        Dut *d = i ? g_memdup2(first, sizeof(*first)) : first;

        p[i]->d = d;
        d->dev = qpci_device_find(d->bus, QPCI_DEVFN(4 + i, 0));
        qpci_device_enable(d->dev);
        d->bar = qpci_iomap(d->dev, PCM_BAR, NULL);
        player_start(p[i], 48000, 8192, 480, 3000 + 1000 * i);
        dut_command(d, PCM_EX_FILL, 0x1000000 + i * 4 * MiB, 4 * MiB, i);
    }
    for (unsigned i = 0; i < DEVICES; i++) {
        player_play(p[i], 48000, 5000000);
    }
    for (unsigned i = 0; i < DEVICES; i++) {
        dut_expect_result(p[i]->d, PCM_EX_OK, 4 * MiB);
        dut_exercise(p[i]->d, PCM_EX_VERIFY, 0x1000000 + i * 4 * MiB,
                     1 * MiB, i, PCM_EX_OK, 1 * MiB);
    }
    for (unsigned i = 1; i < DEVICES; i++) {
        g_free(p[i]->d->dev);
        g_free(p[i]->d);
    }
    dut_stop(first);
    for (unsigned i = 0; i < DEVICES; i++) {
        player_expect_wav(p[i], 3000 + 1000 * i);
        player_free(p[i]);
    }
}

/* --- Plugged and unplugged ---------------------------------------------- */

static void make_busy(Dut *d)
{
    msi_enable(d, MSI_MAILBOX, 0x4321);
    dut_make_busy(d);
    msi_arrived(d);
}

/* What is gone neither transfers nor interrupts. */
static void expect_gone(Dut *d)
{
    dut_expect_unplugged(d);
    g_assert_cmphex(qtest_readq(d->qts, BUSY_LAST_WORD), ==, 0);
    g_assert_false(msi_arrived(d));
}

/* A conventional slot: the host takes the device, and puts it in again. */
static void test_slot(void)
{
    Dut *d = dut_start("pc -audiodev none,id=snd", ",audiodev=snd");
    uint64_t bar = d->bar.addr;

    for (unsigned round = 0; round < 3; round++) {
        make_busy(d);
        qpci_unplug_acpi_device_test(d->qts, "dut", 4);
        expect_gone(d);
        qtest_qmp_device_add(d->qts, "pcmaster", "dut",
                             "{'addr': '4.0', 'audiodev': 'snd'}");
        qpci_device_enable(d->dev);
        qpci_config_writel(d->dev, PCI_BASE_ADDRESS_0, bar);
        pcm_expect_clean(d);
    }
    make_busy(d);
    dut_stop(d);
}

static void set_slot_power(QPCIDevice *port, bool on)
{
    uint8_t cap = qpci_find_capability(port, PCI_CAP_ID_EXP, 0);

    qpci_config_writew(port, cap + PCI_EXP_SLTCTL,
                       on ? PCI_EXP_SLTCTL_PWR_IND_ON : SLOT_POWER_OFF);
}

/* A port of PCI Express: the host asks, and the guest lets the device go. */
static void test_port(void)
{
    QPCIDevice *port;
    Dut *d = dut_start_behind_port("q35", &port);

    set_slot_power(port, true);
    for (unsigned round = 0; round < 3; round++) {
        make_busy(d);
        qtest_qmp_device_del_send(d->qts, "dut");
        g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_RUNNING);
        set_slot_power(port, false);
        qtest_qmp_eventwait(d->qts, "DEVICE_DELETED");
        expect_gone(d);
        qtest_qmp_device_add(d->qts, "pcmaster", "dut",
                             "{'bus': 'rp', 'audiodev': 'snd'}");
        set_slot_power(port, true);
        configure_device(d, 1, 0);
        pcm_expect_clean(d);
    }
    make_busy(d);
    g_free(port);
    dut_stop(d);
}

/* What is unplugged leaves the back end to the others. */
static void test_shared_back_end(void)
{
    g_autofree char *audiodev = NULL;
    Player *p = player_prepare(48000, "snd", "", &audiodev);
    g_autofree char *all = g_strdup_printf(
        "pc %s -device pcmaster,id=other,addr=5.0,audiodev=snd", audiodev);
    Dut other;

    p->d = dut_start(all, ",audiodev=snd");
    other = *p->d;
    other.dev = qpci_device_find(other.bus, QPCI_DEVFN(5, 0));
    qpci_device_enable(other.dev);
    other.bar = qpci_iomap(other.dev, PCM_BAR, NULL);
    qtest_memset(other.qts, 0x400000, 0, 4096);
    player_start(p, 48000, 4096, 480, 5000);
    start_silence(&other, 0);
    qtest_clock_step(other.qts, 20000000);
    qpci_unplug_acpi_device_test(other.qts, "other", 5);
    player_play(p, 48000, 5000000);
    g_free(other.dev);
    dut_stop(p->d);
    player_expect_wav(p, 5000);
    player_free(p);
}

void pcm_add_place_tests(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
        pcm_add_case("behind", places[i].name, &places[i], test_place);
    }
    qtest_add_func("/pcmaster/several", test_several);
    qtest_add_func("/pcmaster/hotplug/slot", test_slot);
    qtest_add_func("/pcmaster/hotplug/port", test_port);
    qtest_add_func("/pcmaster/hotplug/shared-back-end", test_shared_back_end);
}
