/*
 * pcmaster: the cyclic buffer of a stream in guest memory
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "stream.h"
#include "trace.h"

/* So many bytes are an effort, too, even if they are one piece. */
#define PCM_EFFORT_BYTES        4096
/* Bytes moved between two looks at the effort. */
#define PCM_MOVE_STEP           1024

uint32_t pcm_ring_frames(const PcmStreamSetup *setup)
{
    return setup->length / pcm_frame_bytes(setup);
}

/* --- The list ----------------------------------------------------------- */

bool pcm_ring_is_valid(const PcmRing *r, const PcmStreamSetup *setup)
{
    uint64_t sum = 0;

    if (r->count < 1 || r->count > PCM_S_FRAGMENTS_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < r->count; i++) {
        const PcmFragment *f = &r->fragment[i];

        if (!f->length || f->length % pcm_frame_bytes(setup) ||
            f->offset != sum) {
            return false;
        }
        sum += f->length;
    }
    return sum == setup->length;
}

/* Returns: false if an entry is not as it must be, whatever the others are. */
static bool parse_list(PcmRing *r, const uint8_t *list, uint32_t count)
{
    uint32_t offset = 0;

    for (r->count = 0; r->count < count; r->count++) {
        PcmFragment *f = &r->fragment[r->count];

        f->address = ldq_le_p(list + PCM_FRAGMENT_ADDR);
        f->length = ldl_le_p(list + PCM_FRAGMENT_LENGTH);
        f->offset = offset;
        if (ldl_le_p(list + PCM_FRAGMENT_RESERVED) ||
            f->length - 1 > UINT64_MAX - f->address) {
            return false;
        }
        offset += f->length;
        list += PCM_FRAGMENT_BYTES;
    }
    return true;
}

static uint32_t read_list(PcmStream *p, const PcmStreamSetup *setup,
                          PcmRing *r, uint64_t pc)
{
    PcmasterState *s = p->device;
    uint32_t count = setup->fragments;
    g_autofree uint8_t *list = g_malloc(count * PCM_FRAGMENT_BYTES);
    PcmDma dma;

    pcm_dma_begin(s, &dma, (PcmTransaction) {
        .address = setup->buffer,
        .anchor = setup->buffer,
        .extent = count * PCM_FRAGMENT_BYTES,
        .length = count * PCM_FRAGMENT_BYTES,
        .pc = pc,
        .requester = p->number,
    });
    if (pcm_dma_check(s, &dma, UINT32_MAX) != PCM_DMA_GRANTED ||
        !pcm_dma_move(s, &dma, 0, list, count * PCM_FRAGMENT_BYTES)) {
        return PCM_S_CAUSE_DMA;
    }
    trace_pcmaster_stream_list(p->number, setup->buffer, count);
    return parse_list(r, list, count) && pcm_ring_is_valid(r, setup) ?
           PCM_S_CAUSE_NONE : PCM_S_CAUSE_LIST;
}

uint32_t pcm_ring_read(PcmStream *p, const PcmStreamSetup *setup, PcmRing *r,
                       uint64_t pc)
{
    r->at = 0;
    if (setup->fragments) {
        return read_list(p, setup, r, pc);
    }
    r->count = 1;
    r->fragment[0] = (PcmFragment) {
        .address = setup->buffer, .length = setup->length,
    };
    return PCM_S_CAUSE_NONE;
}

/* --- Transfers ---------------------------------------------------------- */

/* The fragment that the byte at @offset is in; mostly it is the last one. */
static const PcmFragment *find_fragment(PcmRing *r, uint32_t offset)
{
    if (offset < r->fragment[r->at].offset) {
        r->at = 0;
    }
    while (offset - r->fragment[r->at].offset >= r->fragment[r->at].length) {
        r->at++;
    }
    return &r->fragment[r->at];
}

/* Returns: how many bytes were moved, or -1. */
static int32_t move(PcmStream *p, const PcmFragment *f, uint32_t skip,
                    uint8_t *buf, uint32_t bytes, uint32_t *effort)
{
    const uint32_t step = QEMU_ALIGN_DOWN(PCM_MOVE_STEP,
                                          pcm_frame_bytes(&p->now));
    PcmasterState *s = p->device;
    PcmDmaVerdict verdict;
    uint32_t done = 0;
    PcmDma dma;

    pcm_dma_begin(s, &dma, (PcmTransaction) {
        .address = f->address + skip,
        .anchor = f->address,
        .extent = f->length,
        .length = bytes,
        .write = p->capture,
        .pc = p->pc,
        .requester = p->number,
    });
    verdict = pcm_dma_check(s, &dma, *effort);
    if (verdict == PCM_DMA_ABORTED) {
        return -1;
    }
    while (verdict == PCM_DMA_GRANTED && done < bytes &&
           dma.pieces < *effort) {
        uint32_t part = MIN(bytes - done, step);

        if (!pcm_dma_move(s, &dma, done, buf + done, part)) {
            return -1;
        }
        done += part;
    }
    *effort -= MIN(*effort, dma.pieces + done / PCM_EFFORT_BYTES);
    return done;
}

int32_t pcm_ring_move(PcmStream *p, uint8_t *buf, uint32_t frames,
                      int64_t now)
{
    uint32_t size = pcm_frame_bytes(&p->now);
    uint32_t offset = p->position % pcm_ring_frames(&p->now) * size;
    const PcmFragment *f = find_fragment(&p->ring, offset);
    uint32_t skip = offset - f->offset;
    uint32_t *effort = pcm_effort(p->device, now);
    int32_t done;

    if (!pcmaster_can_do_dma(p->device)) {
        return -1;
    }
    if (!*effort || !frames) {
        return 0;
    }
    frames = MIN(frames, (f->length - skip) / size);
    done = move(p, f, skip, buf, frames * size, effort);
    return done < 0 ? done : done / size;
}
