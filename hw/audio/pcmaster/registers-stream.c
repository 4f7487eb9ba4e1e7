/*
 * pcmaster: registers of a stream, and those that act on several
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/log.h"
#include "registers.h"
#include "stream.h"

/* --- A stream ----------------------------------------------------------- */

static uint64_t ctl_read(PcmasterState *s, unsigned index)
{
    const PcmStream *p = s->streams[index];

    return (pcm_stream_is_active(p) ? PCM_S_RUN : 0) |
           (p->phase == PCM_STREAM_PAUSED ? PCM_S_PAUSE : 0) |
           (p->self_clear ? PCM_S_SELF_CLEAR : 0);
}

static void ctl_write(PcmasterState *s, unsigned index, uint64_t value)
{
    PcmStream *p = s->streams[index];

    p->self_clear = value & PCM_S_SELF_CLEAR;
    if (!(value & PCM_S_RUN)) {
        pcm_streams_stop(s, BIT(index));
    } else if (!pcm_stream_is_active(p)) {
        pcm_streams_start(s, BIT(index), value & PCM_S_PAUSE);
    } else if (value & PCM_S_PAUSE) {
        pcm_streams_pause(s, BIT(index));
    } else {
        pcm_streams_resume(s, BIT(index));
    }
}

static uint64_t status_read(PcmasterState *s, unsigned index)
{
    return pcm_stream_status(s->streams[index]);
}

static void status_write(PcmasterState *s, unsigned index, uint64_t value)
{
    s->streams[index]->status &= ~value;
    pcmaster_irq_update(s);
}

static void stream_enable_write(PcmasterState *s, unsigned index,
                                uint64_t value)
{
    s->streams[index]->int_enable = value;
    pcmaster_irq_update(s);
}

static uint64_t end_high_read(PcmasterState *s, unsigned index)
{
    return s->streams[index]->end >> 32;
}

/* The halves count together: one alone might end the stream too early. */
static void end_high_write(PcmasterState *s, unsigned index, uint64_t value)
{
    PcmStream *p = s->streams[index];

    pcm_stream_set_end(p, value << 32 | p->end_low);
}

static uint64_t ready_high_read(PcmasterState *s, unsigned index)
{
    return s->streams[index]->ready >> 32;
}

static void ready_high_write(PcmasterState *s, unsigned index, uint64_t value)
{
    PcmStream *p = s->streams[index];

    pcm_stream_set_ready(p, value << 32 | p->ready_low);
}

static uint64_t position_read(PcmasterState *s, unsigned index)
{
    PcmStream *p = s->streams[index];
    uint64_t position = pcm_injection_position(s, index,
                                               pcm_stream_position(p));

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

static void volume_write(PcmasterState *s, unsigned index, uint64_t value)
{
    s->streams[index]->volume = value;
    pcm_voice_set_volume(s->streams[index]);
}

static const PcmRegister stream_registers[] = {
    EFFECT("S_CTL", PCM_S_CTL, PCM_S_RUN | PCM_S_PAUSE | PCM_S_SELF_CLEAR,
           ctl_read, ctl_write),
    EFFECT("S_STATUS", PCM_S_STATUS,
           PCM_S_EVENTS | PCM_S_RUNNING | PCM_S_PAUSED,
           status_read, status_write),
    FIELD_RW("S_INT_ENABLE", PCM_S_INT_ENABLE, PcmStream, int_enable,
             PCM_S_EVENTS, stream_enable_write),
    FIELD_RW("S_FORMAT", PCM_S_FORMAT, PcmStream, next.format,
             PCM_S_FORMAT_BITS, NULL),
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
    FIELD_RO("S_XRUNS", PCM_S_XRUNS, PcmStream, xruns),
    FIELD_RW("S_FRAGMENTS", PCM_S_FRAGMENTS, PcmStream, next.fragments,
             ALL32, NULL),
    FIELD_RW("S_VOLUME", PCM_S_VOLUME, PcmStream, volume,
             PCM_S_VOLUME_FULL | PCM_S_MUTE, volume_write),
    FIELD_RW("S_WRITEBACK", PCM_S_WRITEBACK, PcmStream, next.writeback,
             ALL64, NULL),
    FIELD_RW("S_READY", PCM_S_READY, PcmStream, ready_low, ALL32, NULL),
    FIELD_RW("S_SLACK", PCM_S_SLACK, PcmStream, next.slack, ALL32, NULL),
    EFFECT("S_READY high", PCM_S_READY + 4, ALL32,
           ready_high_read, ready_high_write),
    FIELD_RW("S_READY_AT", PCM_S_READY_AT, PcmStream, next.ready_at, ALL64,
             NULL),
};

const PcmRegisterTable pcm_stream_registers = {
    stream_registers, ARRAY_SIZE(stream_registers)
};

/* --- Several ------------------------------------------------------------ */

/* Returns: @value without the bits of streams that there are not. */
static uint32_t known_streams(PcmasterState *s, uint64_t value)
{
    uint32_t known = (1u << s->stream_count) - 1;

    if (value & ~known) {
        qemu_log_mask(LOG_GUEST_ERROR, "pcmaster: bits of streams that there "
                      "are not: 0x%" PRIx64 "\n", value & ~known);
    }
    return value & known;
}

static void start_write(PcmasterState *s, unsigned index, uint64_t value)
{
    pcm_streams_start(s, known_streams(s, value), false);
}

static void stop_write(PcmasterState *s, unsigned index, uint64_t value)
{
    pcm_streams_stop(s, known_streams(s, value));
}

static void pause_write(PcmasterState *s, unsigned index, uint64_t value)
{
    pcm_streams_pause(s, known_streams(s, value));
}

static void resume_write(PcmasterState *s, unsigned index, uint64_t value)
{
    pcm_streams_resume(s, known_streams(s, value));
}

static const PcmRegister group_registers[] = {
    WO("STREAMS_START", PCM_STREAMS_START, ALL32, start_write),
    WO("STREAMS_STOP", PCM_STREAMS_STOP, ALL32, stop_write),
    WO("STREAMS_PAUSE", PCM_STREAMS_PAUSE, ALL32, pause_write),
    WO("STREAMS_RESUME", PCM_STREAMS_RESUME, ALL32, resume_write),
};

const PcmRegisterTable pcm_group_registers = {
    group_registers, ARRAY_SIZE(group_registers)
};
