/* SPDX-License-Identifier: MIT */
/*
 * The device's test pattern, written and compared by the CPU
 *
 * docs/specs/pcmaster.rst, "Exerciser": byte i of a transfer is byte i % 8,
 * little-endian, of the word SEED + (i / 8) * PCM_EX_STEP.
 */
#ifndef PCMASTER_PATTERN_H
#define PCMASTER_PATTERN_H

#include <stdint.h>

#include "pcmaster_regs.h"

/* Bytes that one turn of a loop is about: fewer turns, less for an emulator to do. */
#define PCM_PATTERN_BLOCK           64u

#define PCM_PATTERN_SAME            0xffffffffu

static inline uint64_t pcm_pattern_word(uint64_t seed, uint32_t index)
{
    return seed + (uint64_t)index * PCM_EX_STEP;
}

static inline uint8_t pcm_pattern_byte(uint64_t seed, uint32_t offset)
{
    return (uint8_t)(pcm_pattern_word(seed, offset / 8) >> (8 * (offset % 8)));
}

/*
 * Writes the LENGTH bytes at MEMORY, any alignment.  INVERTED: 0, or ~0 for
 * the complement, which differs from the pattern in every byte.
 */
static inline void pcm_pattern_write(void *memory, uint32_t length, uint64_t seed, uint64_t inverted)
{
    uint8_t *bytes = memory;
    uint64_t word = seed;
    uint32_t i, j;

    for (i = 0; length - i >= PCM_PATTERN_BLOCK; i += PCM_PATTERN_BLOCK) {
#pragma GCC unroll 8
        for (j = 0; j < PCM_PATTERN_BLOCK; j += 8, word += PCM_EX_STEP) {
            uint64_t value = word ^ inverted;

            __builtin_memcpy(bytes + i + j, &value, 8);
        }
    }
    for (; i < length; i++) {
        bytes[i] = (uint8_t)(pcm_pattern_byte(seed, i) ^ inverted);
    }
}

/* Whether the PCM_PATTERN_BLOCK bytes at BYTES are the pattern's from WORD on. */
static inline int pcm_pattern_block_is(const uint8_t *bytes, uint64_t word)
{
    uint64_t value, difference = 0;
    uint32_t j;

#pragma GCC unroll 8
    for (j = 0; j < PCM_PATTERN_BLOCK; j += 8, word += PCM_EX_STEP) {
        __builtin_memcpy(&value, bytes + j, 8);
        difference |= value ^ word;
    }
    return !difference;
}

/*
 * Returns how many of the LENGTH bytes at MEMORY are not the pattern's.
 * *FIRST: the first of them, or PCM_PATTERN_SAME.
 */
static inline uint32_t pcm_pattern_compare(const void *memory, uint32_t length, uint64_t seed,
                                           uint32_t *first)
{
    const uint8_t *bytes = memory;
    uint32_t i = 0, end, different = 0;

    *first = PCM_PATTERN_SAME;
    while (i < length) {
        end = length;
        if (length - i >= PCM_PATTERN_BLOCK) {
            end = i + PCM_PATTERN_BLOCK;
            if (pcm_pattern_block_is(bytes + i, pcm_pattern_word(seed, i / 8))) {
                i = end;
                continue;
            }
        }
        for (; i < end; i++) {
            if (bytes[i] != pcm_pattern_byte(seed, i) && !different++) {
                *first = i;
            }
        }
    }
    return different;
}

#endif /* PCMASTER_PATTERN_H */
