/*
 * pcmaster: registers of a stream
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/log.h"
#include "registers.h"

/* --- Streams ------------------------------------------------------------ */

static uint64_t ctl_read(PcmasterState *s, unsigned index)
{
    return s->streams[index].phase == PCM_STREAM_RUNNING ? PCM_S_RUN : 0;
}

static void ctl_write(PcmasterState *s, unsigned index, uint64_t value)
{
    pcm_stream_run(&s->streams[index], value & PCM_S_RUN);
}

static uint64_t status_read(PcmasterState *s, unsigned index)
{
    PcmStream *p = &s->streams[index];

    return p->status |
           (p->phase == PCM_STREAM_RUNNING ? PCM_S_RUNNING : 0);
}

static void status_write(PcmasterState *s, unsigned index, uint64_t value)
{
    s->streams[index].status &= ~value;
    pcmaster_irq_update(s);
}

static void stream_enable_write(PcmasterState *s, unsigned index,
                                uint64_t value)
{
    s->streams[index].int_enable = value;
    pcmaster_irq_update(s);
}

static uint64_t end_high_read(PcmasterState *s, unsigned index)
{
    return s->streams[index].end >> 32;
}

/* The halves count together: one alone might end the stream too early. */
static void end_high_write(PcmasterState *s, unsigned index, uint64_t value)
{
    PcmStream *p = &s->streams[index];

    pcm_stream_set_end(p, value << 32 | p->end_low);
}

static uint64_t position_read(PcmasterState *s, unsigned index)
{
    PcmStream *p = &s->streams[index];
    uint64_t position = pcm_stream_position(p);

    p->position_high = position >> 32;
    return position & UINT32_MAX;
}

static uint64_t stream_vector_read(PcmasterState *s, unsigned index)
{
    return s->irq.stream_vector[index];
}

static void stream_vector_write(PcmasterState *s, unsigned index,
                                uint64_t value)
{
    if (pcm_vector_valid("S_VECTOR", value)) {
        s->irq.stream_vector[index] = value;
    }
}

#define S_EVENTS    (PCM_S_PERIOD | PCM_S_DRAINED | PCM_S_ERROR | \
                     PCM_S_LATE)

static const PcmRegister stream_registers[] = {
    EFFECT("S_CTL", PCM_S_CTL, PCM_S_RUN, ctl_read, ctl_write),
    EFFECT("S_STATUS", PCM_S_STATUS, S_EVENTS | PCM_S_RUNNING,
           status_read, status_write),
    FIELD_RW("S_INT_ENABLE", PCM_S_INT_ENABLE, PcmStream, int_enable,
             S_EVENTS, stream_enable_write),
    FIELD_RW("S_FORMAT", PCM_S_FORMAT, PcmStream, next.format, ALL32, NULL),
    FIELD_RW("S_RATE", PCM_S_RATE, PcmStream, next.rate, ALL32, NULL),
    FIELD_RO("S_CAUSE", PCM_S_CAUSE, PcmStream, cause),
    FIELD_RW("S_BUFFER", PCM_S_BUFFER, PcmStream, next.buffer, ALL64, NULL),
    FIELD_RW("S_LENGTH", PCM_S_LENGTH, PcmStream, next.length, ALL32, NULL),
    FIELD_RW("S_PERIOD_FRAMES", PCM_S_PERIOD_FRAMES, PcmStream, next.period,
             ALL32, NULL),
    FIELD_RW("S_END", PCM_S_END, PcmStream, end_low, ALL32, NULL),
    EFFECT("S_END high", PCM_S_END + 4, ALL32, end_high_read, end_high_write),
    RO("S_POSITION", PCM_S_POSITION, position_read),
    FIELD_RO("S_POSITION high", PCM_S_POSITION + 4, PcmStream, position_high),
    EFFECT("S_VECTOR", PCM_S_VECTOR, ALL32, stream_vector_read,
           stream_vector_write),
    FIELD_RO("S_LOST", PCM_S_LOST, PcmStream, lost),
};

const PcmRegisterTable pcm_stream_registers = {
    stream_registers, ARRAY_SIZE(stream_registers)
};
