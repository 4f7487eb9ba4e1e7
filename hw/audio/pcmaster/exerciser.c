/*
 * pcmaster: the exerciser
 *
 * A command is judged as a whole, then moved in slices: the first before the
 * doorbell write returns, the others from a timer of the virtual clock, so
 * that no command holds up QEMU and all of them are deterministic.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/crc32c.h"
#include "qemu/log.h"
#include "pcmaster.h"
#include "trace.h"

#define PCM_EX_SLICE_NS         (100 * SCALE_US)
/* Pieces of memory looked up in a slice; about 10 ms of work. */
#define PCM_EX_SLICE_PIECES     65536
/* A slice of more pieces than these is followed by a longer pause. */
#define PCM_EX_EASY_PIECES      1024
#define PCM_EX_PIECE_NS         200

bool pcm_exerciser_knows(uint32_t command)
{
    return command >= PCM_EX_FILL && command <= PCM_EX_READ;
}

static void finish(PcmasterState *s, uint32_t result)
{
    PcmExerciser *e = &s->exerciser;

    timer_del(&e->timer);
    e->phase = PCM_EX_IDLE;
    e->result = result;
    e->done = e->dma.moved;
    trace_pcmaster_exerciser_end(e->command, result, e->done, e->mismatches);
    pcmaster_irq_raise(s, PCM_INT_EXERCISER);
}

/* The port does not go on. */
static void give_up(PcmasterState *s)
{
    finish(s, pcmaster_can_do_dma(s) ? PCM_EX_VIOLATION :
                                       PCM_EX_NO_BUS_MASTER);
}

static void fill(void *opaque, uint8_t *memory, uint32_t offset,
                 uint32_t length)
{
    PcmExerciser *e = opaque;

    pcm_pattern_fill(memory, e->first_word, offset, length);
}

static void verify(void *opaque, uint8_t *memory, uint32_t offset,
                   uint32_t length)
{
    PcmExerciser *e = opaque;

    if (pcm_pattern_equals(memory, e->first_word, offset, length)) {
        return;
    }
    for (uint32_t i = 0; i < length; i++) {
        uint8_t expected = pcm_pattern_byte(e->first_word, offset + i);

        if (memory[i] != expected) {
            if (!e->mismatches) {
                e->first_mismatch = offset + i;
                e->mismatch_bytes = expected | memory[i] << 8;
            }
            e->mismatches++;
        }
    }
}

static void checksum(void *opaque, uint8_t *memory, uint32_t offset,
                     uint32_t length)
{
    PcmExerciser *e = opaque;

    e->checksum = crc32c(~e->checksum, memory, length);
}

/* Load all of it; what is there does not matter. */
static void read_all(void *opaque, uint8_t *memory, uint32_t offset,
                     uint32_t length)
{
    pcm_pattern_load(memory, length);
}

static PcmDmaWork *const works[] = {
    [PCM_EX_FILL] = fill,
    [PCM_EX_VERIFY] = verify,
    [PCM_EX_CHECKSUM] = checksum,
    [PCM_EX_READ] = read_all,
};

static void move_slice(PcmasterState *s)
{
    PcmExerciser *e = &s->exerciser;
    uint32_t length = e->dma.t.length;
    uint32_t end = MIN(length - e->offset, PCM_EX_SLICE_BYTES) + e->offset;
    uint32_t pieces = e->dma.pieces;

    while (e->offset < end &&
           e->dma.pieces - pieces < PCM_EX_SLICE_PIECES) {
        uint32_t chunk = MIN(end - e->offset, PCM_EX_CHUNK_BYTES);

        if (!pcm_dma_work(s, &e->dma, e->offset, chunk, works[e->command],
                          e)) {
            give_up(s);
            return;
        }
        e->offset += chunk;
    }
    e->done = e->dma.moved;
    if (e->offset == length) {
        finish(s, e->mismatches ? PCM_EX_MISMATCH : PCM_EX_OK);
    }
}

/* Pauses last as long as the work: QEMU is there for others, too. */
static int64_t pause_after(uint32_t pieces)
{
    return PCM_EX_SLICE_NS + (int64_t)PCM_EX_PIECE_NS *
           (MAX(pieces, PCM_EX_EASY_PIECES) - PCM_EX_EASY_PIECES);
}

static void run_slice(PcmasterState *s)
{
    PcmExerciser *e = &s->exerciser;
    uint32_t pieces = e->dma.pieces;

    if (!pcmaster_can_do_dma(s)) {
        finish(s, PCM_EX_NO_BUS_MASTER);
        return;
    }
    if (e->phase == PCM_EX_CHECKING) {
        switch (pcm_dma_check(s, &e->dma, PCM_EX_SLICE_PIECES)) {
        case PCM_DMA_GRANTED:
            e->phase = PCM_EX_MOVING;
            break;
        case PCM_DMA_ABORTED:
            give_up(s);
            break;
        case PCM_DMA_UNDECIDED:
            break;
        }
    }
    if (e->phase == PCM_EX_MOVING) {
        move_slice(s);
    }
    if (e->phase != PCM_EX_IDLE) {
        timer_mod(&e->timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
                             pause_after(e->dma.pieces - pieces));
    }
}

static void on_timer(void *opaque)
{
    PcmasterState *s = opaque;
    bool was_guarded = pcmaster_guard(s);

    run_slice(s);
    pcmaster_unguard(s, was_guarded);
}

static void clear_results(PcmExerciser *e)
{
    e->result = PCM_EX_OK;
    e->done = 0;
    e->mismatches = 0;
    e->first_mismatch = 0;
    e->mismatch_bytes = 0;
    e->checksum = 0;
    e->places.nodeless = 0;
    memset(e->places.node_bytes, 0,
           pcm_node_count() * sizeof(e->places.node_bytes[0]));
    e->offset = 0;
    e->dma = (PcmDma) { };
}

void pcm_exerciser_command(PcmasterState *s, uint32_t command)
{
    PcmExerciser *e = &s->exerciser;

    if (e->phase != PCM_EX_IDLE) {
        qemu_log_mask(LOG_GUEST_ERROR, "pcmaster: exerciser command %" PRIu32
                      " while one is under way\n", command);
        e->result = PCM_EX_BAD_COMMAND;
        return;
    }
    trace_pcmaster_exerciser_start(command, e->address, e->length, e->seed);
    clear_results(e);
    e->command = command;
    if (!pcm_exerciser_knows(command) || !e->length) {
        qemu_log_mask(LOG_GUEST_ERROR, "pcmaster: exerciser command %" PRIu32
                      " with length %" PRIu32 "\n", command, e->length);
        finish(s, PCM_EX_BAD_COMMAND);
        return;
    }
    e->first_word = e->seed;
    e->phase = PCM_EX_CHECKING;
    pcm_dma_begin(s, &e->dma, (PcmTransaction) {
        .address = e->address,
        .anchor = e->address,
        .extent = e->length,
        .length = e->length,
        .ringing = true,
        .write = command == PCM_EX_FILL,
        .requester = PCM_REQUESTER_EXERCISER,
    });
    e->dma.places = &e->places;
    run_slice(s);
    if (e->phase != PCM_EX_IDLE) {
        e->dma.t.pc = pcm_doorbell_pc();
    }
    e->dma.t.ringing = false;
}

void pcm_exerciser_init(PcmasterState *s)
{
    timer_init_ns(&s->exerciser.timer, QEMU_CLOCK_VIRTUAL, on_timer, s);
}

void pcm_exerciser_reset(PcmasterState *s)
{
    PcmExerciser *e = &s->exerciser;

    timer_del(&e->timer);
    clear_results(e);
    e->phase = PCM_EX_IDLE;
    e->command = 0;
    e->address = 0;
    e->length = 0;
    e->seed = 0;
    e->first_word = 0;
}

void pcm_exerciser_exit(PcmasterState *s)
{
    timer_del(&s->exerciser.timer);
}
