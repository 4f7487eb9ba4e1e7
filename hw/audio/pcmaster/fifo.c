/*
 * pcmaster: frames between a ring and the back end
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "stream.h"

void pcm_fifo_init(PcmFifo *f, uint32_t frame)
{
    f->size = QEMU_ALIGN_DOWN(PCM_FIFO_BYTES, frame);
    f->head = 0;
    f->used = 0;
}

uint8_t *pcm_fifo_room(PcmFifo *f, uint32_t *bytes)
{
    uint32_t tail = f->head + f->used;

    if (tail >= f->size) {
        tail -= f->size;
        *bytes = f->head - tail;
    } else {
        *bytes = f->size - tail;
    }
    return f->data + tail;
}

void pcm_fifo_put(PcmFifo *f, uint32_t bytes)
{
    f->used += bytes;
}

uint8_t *pcm_fifo_peek(PcmFifo *f, uint32_t *bytes)
{
    *bytes = MIN(f->used, f->size - f->head);
    return f->data + f->head;
}

void pcm_fifo_drop(PcmFifo *f, uint32_t bytes)
{
    f->used -= bytes;
    f->head += bytes;
    /* An empty one starts over, where the host's caches still know it. */
    if (!f->used || f->head == f->size) {
        f->head = 0;
    }
}
