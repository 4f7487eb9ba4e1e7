/*
 * pcmaster qtests: interrupts, and ports that a device is behind
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_PCMASTER_BUS_H
#define TESTS_PCMASTER_BUS_H

#include "pcmaster-dut.h"

#define MSI_MAILBOX     0x180000        /* where messages are sent */
#define PORT_MEMORY     0xe8000000u
#define ECAM            0xb0000000u
#define HOST_PCIEXBAR   0x60            /* of the q35 host bridge */
#define SLOT_POWER_OFF  (PCI_EXP_SLTCTL_PCC | PCI_EXP_SLTCTL_PWR_IND_OFF)

/*
 * Do what firmware does to the bridge at @devfn of @bus.
 * @last: number of the last bus behind it; the first is @bus + 1
 */
static inline QPCIDevice *configure_bridge(Dut *d, unsigned bus,
                                           unsigned devfn, unsigned last)
{
    QPCIDevice *bridge = qpci_device_find(d->bus, bus << 8 | devfn);

    g_assert_nonnull(bridge);
    qpci_config_writeb(bridge, PCI_PRIMARY_BUS, bus);
    qpci_config_writeb(bridge, PCI_SECONDARY_BUS, bus + 1);
    qpci_config_writeb(bridge, PCI_SUBORDINATE_BUS, last);
    qpci_config_writew(bridge, PCI_MEMORY_BASE, PORT_MEMORY >> 16);
    qpci_config_writew(bridge, PCI_MEMORY_LIMIT, PORT_MEMORY >> 16);
    qpci_config_writew(bridge, PCI_COMMAND,
                       PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    return bridge;
}

/* The same to the device at @devfn of @bus, behind bridges: anew if known. */
static inline void configure_device(Dut *d, unsigned bus, unsigned devfn)
{
    g_free(d->dev);
    d->dev = qpci_device_find(d->bus, bus << 8 | devfn);
    g_assert_nonnull(d->dev);
    qpci_config_writel(d->dev, PCI_BASE_ADDRESS_0, PORT_MEMORY);
    qpci_config_writew(d->dev, PCI_COMMAND,
                       PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    d->bar = (QPCIBar) { .addr = PORT_MEMORY };
}

/* Returns: the root port at @devfn of @bus, which the device is behind */
static inline QPCIDevice *configure_port(Dut *d, unsigned bus, unsigned devfn)
{
    QPCIDevice *port = configure_bridge(d, bus, devfn, bus + 1);

    configure_device(d, bus + 1, 0);
    return port;
}

static inline void dut_enable_ecam(Dut *d)
{
    QPCIDevice *host = qpci_device_find(d->bus, 0);

    qpci_config_writel(host, HOST_PCIEXBAR + 4, 0);
    qpci_config_writel(host, HOST_PCIEXBAR, ECAM | 1);
    g_free(host);
}

/* Returns: the device behind a root port that the guest can switch off. */
static inline Dut *dut_start_behind_port(const char *machine,
                                         QPCIDevice **port)
{
    g_autofree char *all = g_strdup_printf(
        "%s -audiodev none,id=snd"
        " -global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off"
        " -device pcie-root-port,id=rp,bus=pcie.0,addr=5.0,chassis=1,slot=1"
        " -device pcmaster,id=dut,bus=rp,audiodev=snd", machine);
    Dut *d = dut_launch(all);

    *port = configure_port(d, 0, QPCI_DEVFN(5, 0));
    return d;
}

static inline void dut_expect_unplugged(Dut *d)
{
    g_assert_cmphex(qpci_config_readl(d->dev, PCI_VENDOR_ID), ==, ~0u);
    qtest_clock_step(d->qts, 300000000);
}

/* Which line of the interrupt controller is up; -1: none. */
static inline int raised_line(Dut *d)
{
    int line = -1;

    for (int i = 16; i < 24; i++) {
        if (qtest_get_irq(d->qts, i)) {
            g_assert_cmpint(line, ==, -1);
            line = i;
        }
    }
    return line;
}

static inline void msi_set_enabled(Dut *d, bool on)
{
    uint8_t cap = qpci_find_capability(d->dev, PCI_CAP_ID_MSI, 0);
    uint16_t flags = qpci_config_readw(d->dev, cap + PCI_MSI_FLAGS);

    flags &= ~PCI_MSI_FLAGS_ENABLE;
    qpci_config_writew(d->dev, cap + PCI_MSI_FLAGS,
                       flags | (on ? PCI_MSI_FLAGS_ENABLE : 0));
}

static inline void msi_enable(Dut *d, uint32_t address, uint16_t data)
{
    uint8_t cap = qpci_find_capability(d->dev, PCI_CAP_ID_MSI, 0);
    uint16_t flags;

    g_assert_cmpuint(cap, !=, 0);
    flags = qpci_config_readw(d->dev, cap + PCI_MSI_FLAGS);
    g_assert_true(flags & PCI_MSI_FLAGS_64BIT);
    qpci_config_writel(d->dev, cap + PCI_MSI_ADDRESS_LO, address);
    qpci_config_writel(d->dev, cap + PCI_MSI_ADDRESS_HI, 0);
    qpci_config_writew(d->dev, cap + PCI_MSI_DATA_64, data);
    msi_set_enabled(d, true);
}

/* Has a message arrived since the last question? */
static inline bool msi_arrived(Dut *d)
{
    uint32_t mail = qtest_readl(d->qts, MSI_MAILBOX);

    qtest_writel(d->qts, MSI_MAILBOX, 0);
    g_assert_true(mail == 0 || mail == 0x4321);
    return mail;
}

#endif /* TESTS_PCMASTER_BUS_H */
