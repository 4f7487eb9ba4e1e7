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

/* --- Injected faults ---------------------------------------------------- */

static void log_fault(PcmasterState *s, uint64_t kind, uint64_t actual)
{
    pcm_injection_log(s, PCM_REQUESTER_DEVICE, kind, actual);
}

static void arm_late_timer(PcmIrq *irq)
{
    int64_t next = INT64_MAX;

    for (unsigned i = 0; i < PCM_VECTORS; i++) {
        if (irq->late & (1u << i)) {
            next = MIN(next, irq->late_ns[i]);
        }
    }
    if (next == INT64_MAX) {
        timer_del(&irq->late_timer);
    } else {
        timer_mod(&irq->late_timer, next);
    }
}

static void hold_back(PcmasterState *s, unsigned vector)
{
    PcmIrq *irq = &s->irq;
    uint32_t delay = s->injection.irq_delay;

    irq->late |= 1u << vector;
    irq->late_ns[vector] = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + delay;
    arm_late_timer(irq);
    log_fault(s, PCM_INJECTED_IRQ_DELAYED, delay);
}

/*
 * Lose or hold back those of the interrupts of @vectors that are to be.  A
 * record of it is a source of interrupts itself.
 * Returns: the others
 */
static uint32_t spoil(PcmasterState *s, uint32_t vectors)
{
    uint32_t rest = vectors;

    for (; vectors; vectors &= vectors - 1) {
        unsigned vector = ctz32(vectors);

        if (s->injection.irq_lose) {
            s->injection.irq_lose--;
            rest &= ~(1u << vector);
            log_fault(s, PCM_INJECTED_IRQ_LOST, vector);
        } else if (s->injection.irq_delay) {
            rest &= ~(1u << vector);
            hold_back(s, vector);
        }
    }
    return rest;
}

/* Is the next one to come twice? */
static bool is_repeated(PcmasterState *s, unsigned vector)
{
    if (!s->injection.irq_repeat) {
        return false;
    }
    s->injection.irq_repeat--;
    log_fault(s, PCM_INJECTED_IRQ_REPEATED, vector);
    return true;
}

/* --- The line ----------------------------------------------------------- */

static void set_line(PcmasterState *s, bool level)
{
    if (!pcmaster_is_there(s)) {
        return;
    }
    if (s->irq.raised != level) {
        s->irq.raised = level;
        trace_pcmaster_irq_line(level, pcmaster_int_status(s));
    }
    pci_set_irq(PCI_DEVICE(s), level);
}

static void raise_line(PcmasterState *s)
{
    set_line(s, true);
    if (is_repeated(s, 0)) {
        s->irq.line_again = true;
    }
}

/* @edge: a source is new */
static void update_line(PcmasterState *s, bool edge)
{
    PcmIrq *irq = &s->irq;

    if (!irq->pending) {
        irq->late = 0;
        arm_late_timer(irq);
        set_line(s, irq->raised && irq->line_again);
    } else if (edge && !irq->raised && !irq->late && spoil(s, 1)) {
        raise_line(s);
    }
}

void pcmaster_irq_looked_at(PcmasterState *s)
{
    if (!s->irq.pending && s->irq.line_again) {
        s->irq.line_again = false;
        set_line(s, false);
    }
}

/* --- Deciding ----------------------------------------------------------- */

void pcmaster_irq_update(PcmasterState *s)
{
    PcmIrq *irq = &s->irq;
    uint32_t pending = pcm_injection_silent(s) ? 0 :
                       pcmaster_int_status(s) & s->int_enable;
    uint32_t vectors = find_edges(s, pending);

    switch (pcmaster_irq_way(s)) {
    case PCM_IRQ_MSI:
        vectors = vectors != 0;
        /* fall through */
    case PCM_IRQ_MSIX:
        set_line(s, false);
        /* A record may make another one due meanwhile. */
        vectors = spoil(s, vectors & ~(irq->due | irq->late));
        irq->due |= vectors;
        break;
    case PCM_IRQ_LINE:
        update_line(s, vectors);
        break;
    }
}

void pcmaster_irq_raise(PcmasterState *s, uint32_t bits)
{
    s->int_status |= bits;
    pcmaster_irq_update(s);
}

static void forget_interrupts(PcmasterState *s)
{
    s->irq.due = 0;
    s->irq.late = 0;
    s->irq.repeated = 0;
    s->irq.line_again = false;
    timer_del(&s->irq.timer);
    timer_del(&s->irq.late_timer);
}

void pcmaster_tell_again(PcmasterState *s)
{
    forget_interrupts(s);
    set_line(s, false);
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
    /*
     * Those that cannot be sent stay due until bus mastering is switched on.
     * Each may reset the device, or unplug it: then no more are sent.
     */
    while (s->irq.due && pcmaster_can_do_dma(s)) {
        unsigned vector = ctz32(s->irq.due);

        if (s->irq.repeated & (1u << vector)) {
            s->irq.repeated &= ~(1u << vector);
            s->irq.due &= ~(1u << vector);
        } else if (is_repeated(s, vector)) {
            s->irq.repeated |= 1u << vector;
        } else {
            s->irq.due &= ~(1u << vector);
        }
        trace_pcmaster_irq_message(vector, pcmaster_int_status(s));
        forget_told_periods(s, vector);
        if (msix_enabled(dev)) {
            msix_notify(dev, vector);
        } else if (msi_enabled(dev)) {
            msi_notify(dev, vector);
        }
    }
}

/* --- Timers ------------------------------------------------------------- */

static void on_timer(void *opaque)
{
    PcmasterState *s = opaque;

    pcmaster_unguard(s, pcmaster_guard(s));
}

/* Those that were held back come, as far as their time has. */
static void on_late_timer(void *opaque)
{
    PcmasterState *s = opaque;
    PcmIrq *irq = &s->irq;
    bool was_guarded = pcmaster_guard(s);
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    uint32_t come = 0;

    for (unsigned i = 0; i < PCM_VECTORS; i++) {
        if ((irq->late & (1u << i)) && irq->late_ns[i] <= now) {
            come |= 1u << i;
        }
    }
    irq->late &= ~come;
    arm_late_timer(irq);
    if (pcmaster_irq_way(s) != PCM_IRQ_LINE) {
        irq->due |= come;
    } else if (come) {
        raise_line(s);
    }
    pcmaster_unguard(s, was_guarded);
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
    timer_init_ns(&s->irq.late_timer, QEMU_CLOCK_VIRTUAL, on_late_timer, s);
    return true;
}

void pcmaster_irq_reset(PcmasterState *s)
{
    PCIDevice *dev = PCI_DEVICE(s);

    forget_interrupts(s);
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

void pcmaster_irq_dismantle(PcmasterState *s)
{
    forget_interrupts(s);
}

void pcmaster_irq_exit(PcmasterState *s)
{
    msix_uninit_exclusive_bar(PCI_DEVICE(s));
    msi_uninit(PCI_DEVICE(s));
}
