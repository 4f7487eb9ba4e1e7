/*
 * pcmaster: the exerciser's pattern
 *
 * It is made, and compared, in guest memory itself: one pass over it, as fast
 * as memcpy, without a buffer of ours between.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "pcmaster.h"

#define PAIRS           4
#define BLOCK_WORDS     (2 * PAIRS)
#define BLOCK_BYTES     (BLOCK_WORDS * sizeof(uint64_t))

/* One vector register of every host; compilers spill anything larger. */
typedef uint64_t PcmPair __attribute__((vector_size(16)));

/* Where guests have it. */
typedef PcmPair PcmGuestPair __attribute__((aligned(1), may_alias));

/* The words of one block, as the host counts. */
typedef struct PcmStretch {
    PcmPair a, b, c, d;
} PcmStretch;

QEMU_BUILD_BUG_ON(sizeof(PcmStretch) != BLOCK_BYTES);

/* The words from byte @offset on; it is a multiple of 8. */
static PcmStretch block_at(uint64_t first, uint64_t offset)
{
    uint64_t word = first + offset / 8 * PCM_EX_STEP;
    PcmPair a = { word, word + PCM_EX_STEP };

    return (PcmStretch) {
        a, a + 2 * PCM_EX_STEP, a + 4 * PCM_EX_STEP, a + 6 * PCM_EX_STEP,
    };
}

static void go_on(PcmStretch *block)
{
    block->a += BLOCK_WORDS * PCM_EX_STEP;
    block->b += BLOCK_WORDS * PCM_EX_STEP;
    block->c += BLOCK_WORDS * PCM_EX_STEP;
    block->d += BLOCK_WORDS * PCM_EX_STEP;
}

/* Exchange words and what guests see of them: little-endian bytes. */
static PcmPair in_memory(PcmPair pair)
{
    if (HOST_BIG_ENDIAN) {
        pair = (PcmPair) { bswap64(pair[0]), bswap64(pair[1]) };
    }
    return pair;
}

/* Straight to memory: a copy of the block on the stack halves the speed. */
static void store(uint8_t *to, const PcmStretch *block)
{
    PcmGuestPair *pair = (PcmGuestPair *)to;

    pair[0] = in_memory(block->a);
    pair[1] = in_memory(block->b);
    pair[2] = in_memory(block->c);
    pair[3] = in_memory(block->d);
}

/* The bits in which the bytes at @from differ from the block. */
static PcmPair differences(const uint8_t *from, const PcmStretch *block)
{
    const PcmGuestPair *found = (const PcmGuestPair *)from;

    return ((in_memory(found[0]) ^ block->a) |
            (in_memory(found[1]) ^ block->b)) |
           ((in_memory(found[2]) ^ block->c) |
            (in_memory(found[3]) ^ block->d));
}

/* Less than a block, at any offset: what is before and after whole words. */
static void make_some(uint8_t *to, uint64_t first, uint32_t offset,
                      size_t length)
{
    uint8_t bytes[BLOCK_BYTES];
    PcmStretch block = block_at(first, QEMU_ALIGN_DOWN(offset, 8));

    store(bytes, &block);
    memcpy(to, bytes + offset % 8, length);
}

void pcm_pattern_fill(uint8_t *to, uint64_t first, uint32_t offset,
                      size_t length)
{
    size_t done = MIN(length, -offset % 8);
    PcmStretch next = block_at(first, offset + done);

    make_some(to, first, offset, done);
    for (; length - done >= BLOCK_BYTES; done += BLOCK_BYTES) {
        store(to + done, &next);
        go_on(&next);
    }
    make_some(to + done, first, offset + done, length - done);
}

bool pcm_pattern_equals(const uint8_t *from, uint64_t first, uint32_t offset,
                        size_t length)
{
    size_t head = MIN(length, -offset % 8);
    size_t done = head;
    PcmStretch next = block_at(first, offset + done);
    PcmPair differ = { };
    uint8_t some[2][BLOCK_BYTES];

    for (; length - done >= BLOCK_BYTES; done += BLOCK_BYTES) {
        differ |= differences(from + done, &next);
        go_on(&next);
    }
    make_some(some[0], first, offset, head);
    make_some(some[1], first, offset + done, length - done);
    return !(differ[0] | differ[1]) && !memcmp(some[0], from, head) &&
           !memcmp(some[1], from + done, length - done);
}

uint8_t pcm_pattern_byte(uint64_t first, uint32_t offset)
{
    return (first + offset / 8 * PCM_EX_STEP) >> (offset % 8 * 8);
}

void pcm_pattern_load(const uint8_t *from, size_t length)
{
    /* Volatile: a compiler may not leave out what is stored here. */
    static volatile uint64_t sink;
    PcmPair all = { };
    size_t done = 0;

    for (; length - done >= BLOCK_BYTES; done += BLOCK_BYTES) {
        const PcmGuestPair *found = (const PcmGuestPair *)(from + done);

        all |= (found[0] | found[1]) | (found[2] | found[3]);
    }
    for (; done < length; done++) {
        all[0] |= from[done];
    }
    sink = all[0] | all[1];
    (void)sink;
}
