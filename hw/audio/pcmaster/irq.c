/*
 * pcmaster: the interrupt
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "hw/pci/msi.h"
#include "hw/pci/msix.h"
#include "stream.h"
#include "trace.h"

#define PCM_MSIX_BAR    1

PcmIrqWay pcmaster_irq_way(PcmasterState *s)
{
    PCIDevice *dev = PCI_DEVICE(s);

    if (msix_enabled(dev)) {
        return PCM_IRQ_MSIX;
    }
    return msi_enabled(dev) ? PCM_IRQ_MSI : PCM_IRQ_LINE;
}

/* --- Sources ------------------------------------------------------------ */

/* The bits of S_STATUS that are set and enabled. */
static uint32_t stream_sources(PcmasterState *s, unsigned number)
{
    const PcmStream *p = s->streams[number];

    return p->status & p->int_enable;
}

uint32_t pcmaster_int_status(PcmasterState *s)
{
    uint32_t status = s->int_status;

    for (unsigned i = 0; i < s->stream_count; i++) {
        if (stream_sources(s, i)) {
            status |= PCM_INT_STREAM(i);
        }
    }
    return status;
}

/*
 * A message tells of an edge.  Each source has one of its own, so that a
 * source which comes while the driver is about to acknowledge another one
 * is not overlooked.
 * Returns: the vectors that tell of the edges, one bit each
 */
static uint32_t find_edges(PcmasterState *s, uint32_t pending)
{
    PcmIrq *irq = &s->irq;
    uint32_t own = PCM_INT_VIOLATION | PCM_INT_EXERCISER;
    uint32_t vectors = 0;

    if (pending & ~irq->pending & own) {
        vectors |= 1u << irq->vector;
    }
    irq->pending = pending;
    for (unsigned i = 0; i < s->stream_count; i++) {
        uint32_t sources = pending & PCM_INT_STREAM(i) ?
                           stream_sources(s, i) : 0;

        if (sources & ~irq->stream_pending[i]) {
            vectors |= 1u << irq->stream_vector[i];
        }
        irq->stream_pending[i] = sources;
    }
    return vectors;
}

void pcmaster_irq_update(PcmasterState *s)
{
    PCIDevice *dev = PCI_DEVICE(s);
    uint32_t status = pcmaster_int_status(s);
    uint32_t pending = pcm_injection_silent(s) ? 0 : status & s->int_enable;
    uint32_t vectors = find_edges(s, pending);

    switch (pcmaster_irq_way(s)) {
    case PCM_IRQ_MSIX:
        pci_set_irq(dev, 0);
        s->irq.due |= vectors;
        break;
    case PCM_IRQ_MSI:
        pci_set_irq(dev, 0);
        s->irq.due |= vectors != 0;
        break;
    case PCM_IRQ_LINE:
        if (vectors || !pending) {
            trace_pcmaster_irq_line(pending != 0, status);
        }
        pci_set_irq(dev, pending != 0);
        break;
    }
}

void pcmaster_tell_again(PcmasterState *s)
{
    s->irq.due = 0;
    s->irq.pending = 0;
    memset(s->irq.stream_pending, 0, sizeof(s->irq.stream_pending));
    pcmaster_irq_update(s);
}

/* --- Messages ----------------------------------------------------------- */

/* The message tells of them; some drivers do not want to clear them. */
static void forget_told_periods(PcmasterState *s, unsigned vector)
{
    bool of_all = pcmaster_irq_way(s) != PCM_IRQ_MSIX;

    for (unsigned i = 0; i < s->stream_count; i++) {
        if ((of_all || s->irq.stream_vector[i] == vector) &&
            (s->irq.stream_pending[i] & PCM_S_PERIOD)) {
            pcm_stream_told(s->streams[i]);
        }
    }
    find_edges(s, pcmaster_int_status(s) & s->int_enable);
}

void pcmaster_send_messages(PcmasterState *s)
{
    PCIDevice *dev = PCI_DEVICE(s);

    timer_del(&s->irq.timer);
    /* Each may reset the device, or unplug it: then no more are due. */
    while (s->irq.due) {
        unsigned vector = ctz32(s->irq.due);

        s->irq.due &= s->irq.due - 1;
        trace_pcmaster_irq_message(vector, pcmaster_int_status(s));
        forget_told_periods(s, vector);
        if (msix_enabled(dev)) {
            msix_notify(dev, vector);
        } else if (msi_enabled(dev)) {
            msi_notify(dev, vector);
        }
    }
}

/* --- Guarding the device ------------------------------------------------ */

bool pcmaster_guard(PcmasterState *s)
{
    MemReentrancyGuard *guard = &DEVICE(s)->mem_reentrancy_guard;
    bool was_guarded = guard->engaged_in_io;

    object_ref(OBJECT(s));
    guard->engaged_in_io = true;
    return was_guarded;
}

static void release(PcmasterState *s, bool was_guarded)
{
    DEVICE(s)->mem_reentrancy_guard.engaged_in_io = was_guarded;
    object_unref(OBJECT(s));
}

void pcmaster_unguard(PcmasterState *s, bool was_guarded)
{
    if (was_guarded) {
        pcmaster_unguard_later(s, was_guarded);
        return;
    }
    pcmaster_send_messages(s);
    release(s, was_guarded);
}

void pcmaster_unguard_later(PcmasterState *s, bool was_guarded)
{
    if (s->irq.due) {
        timer_mod(&s->irq.timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
    }
    release(s, was_guarded);
}

static void on_timer(void *opaque)
{
    PcmasterState *s = opaque;

    pcmaster_unguard(s, pcmaster_guard(s));
}

/* --- Life --------------------------------------------------------------- */

static bool add_msi(PcmasterState *s, Error **errp)
{
    Error *err = NULL;
    int ret;

    if (s->msi == ON_OFF_AUTO_OFF) {
        return true;
    }
    ret = msi_init(PCI_DEVICE(s), 0, 1, true, false, &err);
    if (ret < 0 && (ret != -ENOTSUP || s->msi == ON_OFF_AUTO_ON)) {
        error_propagate_prepend(errp, err, "MSI: ");
        return false;
    }
    error_free(err);
    return true;
}

static bool add_msix(PcmasterState *s, Error **errp)
{
    PCIDevice *dev = PCI_DEVICE(s);
    Error *err = NULL;
    int ret;

    if (s->msix == ON_OFF_AUTO_OFF) {
        return true;
    }
    ret = msix_init_exclusive_bar(dev, PCM_VECTORS, PCM_MSIX_BAR, &err);
    if (ret < 0 && (ret != -ENOTSUP || s->msix == ON_OFF_AUTO_ON)) {
        error_propagate_prepend(errp, err, "MSI-X: ");
        return false;
    }
    error_free(err);
    for (unsigned i = 0; ret == 0 && i < PCM_VECTORS; i++) {
        msix_vector_use(dev, i);
    }
    return true;
}

bool pcmaster_irq_init(PcmasterState *s, Error **errp)
{
    if (!add_msi(s, errp) || !add_msix(s, errp)) {
        return false;
    }
    pci_config_set_interrupt_pin(PCI_DEVICE(s)->config, 1);
    timer_init_ns(&s->irq.timer, QEMU_CLOCK_VIRTUAL, on_timer, s);
    return true;
}

static void forget_messages(PcmasterState *s)
{
    s->irq.due = 0;
    timer_del(&s->irq.timer);
}

void pcmaster_irq_reset(PcmasterState *s)
{
    PCIDevice *dev = PCI_DEVICE(s);

    forget_messages(s);
    if (msix_present(dev)) {
        for (unsigned i = 0; i < PCM_VECTORS; i++) {
            msix_clr_pending(dev, i);
        }
    }
    s->irq.vector = 0;
    for (unsigned i = 0; i < PCM_STREAM_COUNT; i++) {
        s->irq.stream_vector[i] = i + 1;
    }
}

void pcmaster_irq_exit(PcmasterState *s)
{
    forget_messages(s);
    msix_uninit_exclusive_bar(PCI_DEVICE(s));
    msi_uninit(PCI_DEVICE(s));
}
