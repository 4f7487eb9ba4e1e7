/*
 * pcmaster qtests: MSI-X messages and their vectors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_PCMASTER_MSIX_H
#define TESTS_PCMASTER_MSIX_H

#include "pcmaster-bus.h"

#define MSIX_PBA        0x800           /* in its BAR */
#define MSIX_BAR        0xe7000000u     /* where nothing else is */
/* Where each vector sends its message by default, 4 bytes apart. */
#define MSIX_MAILBOX    0x181000

static inline void msix_set_entry(Dut *d, unsigned vector, uint64_t address,
                                  uint32_t data)
{
    unsigned entry = vector * PCI_MSIX_ENTRY_SIZE;
    QPCIBar bar = d->dev->msix_table_bar;

    qpci_io_writel(d->dev, bar, entry + PCI_MSIX_ENTRY_LOWER_ADDR, address);
    qpci_io_writel(d->dev, bar, entry + PCI_MSIX_ENTRY_UPPER_ADDR,
                   address >> 32);
    qpci_io_writel(d->dev, bar, entry + PCI_MSIX_ENTRY_DATA, data);
}

static inline void msix_mask(Dut *d, unsigned vector, bool masked)
{
    qpci_io_writel(d->dev, d->dev->msix_table_bar,
                   vector * PCI_MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_VECTOR_CTRL,
                   masked ? PCI_MSIX_ENTRY_CTRL_MASKBIT : 0);
}

static inline void msix_set_flags(Dut *d, uint16_t flags)
{
    uint8_t cap = qpci_find_capability(d->dev, PCI_CAP_ID_MSIX, 0);

    qpci_config_writew(d->dev, cap + PCI_MSIX_FLAGS, flags);
}

/* All vectors have a mailbox of their own and are not masked. */
static inline void msix_start(Dut *d)
{
    qpci_msix_enable(d->dev);
    for (unsigned i = 0; i < PCM_VECTORS; i++) {
        msix_set_entry(d, i, MSIX_MAILBOX + 4 * i, 0x5000 + i);
        msix_mask(d, i, false);
    }
}

/* Returns: the vectors whose messages arrived since the last question. */
static inline uint32_t msix_arrived(Dut *d)
{
    uint32_t vectors = 0;

    for (unsigned i = 0; i < PCM_VECTORS; i++) {
        uint32_t mail = qtest_readl(d->qts, MSIX_MAILBOX + 4 * i);

        if (mail) {
            g_assert_cmphex(mail, ==, 0x5000 + i);
            qtest_writel(d->qts, MSIX_MAILBOX + 4 * i, 0);
            vectors |= 1u << i;
        }
    }
    return vectors;
}

/* Returns: the vectors that are masked and have a message to send. */
static inline uint32_t msix_pending(Dut *d)
{
    return qpci_io_readl(d->dev, d->dev->msix_pba_bar,
                         d->dev->msix_pba_off);
}

#endif /* TESTS_PCMASTER_MSIX_H */
