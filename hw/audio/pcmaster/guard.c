/*
 * pcmaster: what the guest may do to the device while it is at work
 *
 * Much that the device does can run what the guest has prepared: an IOMMU
 * reports a denied access, an interrupt controller a broken entry, a message
 * is written.  All of these may go to a config space or a slot's register, and
 * so reset, stop or unplug the device in the midst of its work.  DMA and
 * interrupts end there and then; all else stays as it is until the work is
 * done.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "pcmaster.h"

bool pcmaster_is_there(const PcmasterState *s)
{
    return !s->unplugged && !s->reset_due;
}

void pcmaster_enter(PcmasterState *s)
{
    s->depth++;
}

void pcmaster_leave(PcmasterState *s)
{
    if (--s->depth || !s->reset_due) {
        return;
    }
    s->reset_due = false;
    if (!s->unplugged) {
        pcmaster_reset_state(s);
    }
}

void pcmaster_reset_when_done(PcmasterState *s)
{
    pcmaster_enter(s);
    s->reset_due = true;
    pcmaster_leave(s);
}

static void dismantle_when_done(void *opaque)
{
    PcmasterState *s = opaque;

    if (s->depth) {
        /* Not where the work ends: the audio back end may be part of it. */
        aio_bh_schedule_oneshot(qemu_get_aio_context(), dismantle_when_done,
                                s);
        return;
    }
    pcmaster_dismantle(s);
    object_unref(OBJECT(s));
}

void pcmaster_unplug(PcmasterState *s)
{
    s->unplugged = true;
    object_ref(OBJECT(s));
    dismantle_when_done(s);
}

static MemReentrancyGuard *reentrancy_guard(PcmasterState *s)
{
    return &s->parent_obj.qdev.mem_reentrancy_guard;
}

bool pcmaster_guard(PcmasterState *s)
{
    MemReentrancyGuard *guard = reentrancy_guard(s);
    bool was_guarded = guard->engaged_in_io;

    object_ref(OBJECT(s));
    pcmaster_enter(s);
    guard->engaged_in_io = true;
    return was_guarded;
}

static void release(PcmasterState *s, bool was_guarded)
{
    pcmaster_leave(s);
    reentrancy_guard(s)->engaged_in_io = was_guarded;
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
