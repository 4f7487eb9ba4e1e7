/*
 * pcmaster: position and state of a stream, written to guest memory
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "stream.h"
#include "trace.h"

bool pcm_writeback(PcmStream *p)
{
    PcmasterState *s = p->device;
    uint8_t block[PCM_WRITEBACK_BYTES];
    PcmDma dma;

    if (!pcmaster_can_do_dma(s)) {
        return false;
    }
    stq_le_p(block + PCM_WRITEBACK_POSITION,
             pcm_injection_position(s, p->number, p->position));
    stq_le_p(block + PCM_WRITEBACK_TIME, pcm_now_ns());
    stl_le_p(block + PCM_WRITEBACK_STATUS, pcm_stream_status(p));
    stl_le_p(block + PCM_WRITEBACK_CAUSE, p->cause);
    stl_le_p(block + PCM_WRITEBACK_LOST, p->lost);
    stl_le_p(block + PCM_WRITEBACK_XRUNS, p->xruns);
    trace_pcmaster_stream_writeback(p->number, p->position,
                                    p->now.writeback);
    pcm_dma_begin(s, &dma, (PcmTransaction) {
        .address = p->now.writeback,
        .anchor = p->now.writeback,
        .extent = sizeof(block),
        .length = sizeof(block),
        .write = true,
        .pc = p->pc,
        .requester = p->number,
    });
    return pcm_dma_check(s, &dma, UINT32_MAX) == PCM_DMA_GRANTED &&
           pcm_dma_move(s, &dma, 0, block, sizeof(block));
}
