/*
 * pcmaster: the interrupt
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/pci/msi.h"
#include "pcmaster.h"
#include "trace.h"

uint32_t pcmaster_int_status(PcmasterState *s)
{
    uint32_t status = s->int_status;

    for (unsigned i = 0; i < s->playback; i++) {
        if (s->streams[i].status & s->streams[i].int_enable) {
            status |= PCM_INT_STREAM(i);
        }
    }
    return status;
}

/*
 * A message tells of an edge.  Each source has one of its own, so that a
 * source which comes while the driver is about to acknowledge another one
 * is not overlooked.
 */
static bool find_edges(PcmasterState *s, uint32_t pending)
{
    bool edge = pending & ~s->pending;

    s->pending = pending;
    for (unsigned i = 0; i < s->playback; i++) {
        const PcmStream *p = &s->streams[i];
        uint32_t sources = pending & PCM_INT_STREAM(i) ?
                           p->status & p->int_enable : 0;

        edge |= sources & ~s->stream_pending[i];
        s->stream_pending[i] = sources;
    }
    return edge;
}

void pcmaster_irq_update(PcmasterState *s)
{
    PCIDevice *dev = PCI_DEVICE(s);
    uint32_t status = pcmaster_int_status(s);
    uint32_t pending = status & s->int_enable;
    bool edge = find_edges(s, pending);

    if (msi_enabled(dev)) {
        pci_set_irq(dev, 0);
        s->message_due |= edge;
    } else {
        if (edge || !pending) {
            trace_pcmaster_irq(pending != 0, status);
        }
        pci_set_irq(dev, pending != 0);
    }
}

void pcmaster_send_message(PcmasterState *s)
{
    PCIDevice *dev = PCI_DEVICE(s);

    if (!s->message_due) {
        return;
    }
    s->message_due = false;
    timer_del(&s->message_timer);
    if (msi_enabled(dev)) {
        trace_pcmaster_irq(1, pcmaster_int_status(s));
        msi_notify(dev, 0);
    }
}

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
    pcmaster_send_message(s);
    release(s, was_guarded);
}

void pcmaster_unguard_later(PcmasterState *s, bool was_guarded)
{
    if (s->message_due) {
        timer_mod(&s->message_timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
    }
    release(s, was_guarded);
}

static void on_message_timer(void *opaque)
{
    PcmasterState *s = opaque;

    pcmaster_unguard(s, pcmaster_guard(s));
}

void pcmaster_tell_again(PcmasterState *s)
{
    s->pending = 0;
    memset(s->stream_pending, 0, sizeof(s->stream_pending));
    pcmaster_irq_update(s);
}

void pcmaster_irq_init(PcmasterState *s)
{
    timer_init_ns(&s->message_timer, QEMU_CLOCK_VIRTUAL, on_message_timer, s);
}

void pcmaster_irq_forget(PcmasterState *s)
{
    s->message_due = false;
    timer_del(&s->message_timer);
}
