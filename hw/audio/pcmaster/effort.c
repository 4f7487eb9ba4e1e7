/*
 * pcmaster: what the streams of a device may cost the host
 *
 * A rule that wraps can make each byte of a ring a piece of memory of its own.
 * However often the streams are looked at, they get no more done than so much.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "stream.h"

/* Pieces of memory that all streams of a device share: at most, and each ms. */
#define PCM_EFFORT_MOST         8192
#define PCM_EFFORT_PER_MS       1024

void pcm_effort_reset(PcmasterState *s)
{
    s->effort = PCM_EFFORT_MOST;
    s->effort_ms = 0;
}

uint32_t *pcm_effort(PcmasterState *s, int64_t now)
{
    int64_t ms = now / SCALE_MS;

    if (ms != s->effort_ms) {
        uint64_t more = ms < s->effort_ms ? 0 :
                        MIN(ms - s->effort_ms, PCM_EFFORT_MOST);

        s->effort = MIN(s->effort + more * PCM_EFFORT_PER_MS,
                        PCM_EFFORT_MOST);
        s->effort_ms = ms;
    }
    return &s->effort;
}

bool pcm_effort_is_valid(const PcmasterState *s)
{
    return s->effort <= PCM_EFFORT_MOST && s->effort_ms >= 0;
}
