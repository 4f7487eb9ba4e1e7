/*
 * pcmaster: how far the driver is, which it tells or keeps in memory
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "stream.h"
#include "trace.h"

uint64_t pcm_ready_limit(const PcmStream *p)
{
    if (!p->capture || p->ready == PCM_S_READY_UNTOLD) {
        return p->ready;
    }
    return MIN(p->ready, INT64_MAX) + pcm_ring_frames(&p->now);
}

static bool read_word(PcmStream *p)
{
    PcmasterState *s = p->device;
    uint8_t word[PCM_READY_BYTES];
    PcmDma dma;

    if (!pcmaster_can_do_dma(s)) {
        return false;
    }
    pcm_dma_begin(s, &dma, (PcmTransaction) {
        .address = p->now.ready_at,
        .anchor = p->now.ready_at,
        .extent = sizeof(word),
        .length = sizeof(word),
        .pc = p->pc,
        .requester = p->number,
    });
    if (pcm_dma_check(s, &dma, UINT32_MAX) != PCM_DMA_GRANTED ||
        !pcm_dma_move(s, &dma, 0, word, sizeof(word))) {
        return false;
    }
    p->ready = ldq_le_p(word);
    p->ready_low = p->ready;
    trace_pcmaster_stream_ready(p->number, p->ready, p->now.ready_at);
    return true;
}

bool pcm_ready_ask(PcmStream *p, uint64_t frame)
{
    return !p->now.ready_at || frame <= pcm_ready_limit(p) || read_word(p);
}
