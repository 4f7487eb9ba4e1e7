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
    uint32_t i;

    for (i = 0; length - i >= 8; i += 8, word += PCM_EX_STEP) {
        uint64_t value = word ^ inverted;

        __builtin_memcpy(bytes + i, &value, 8);
    }
    for (; i < length; i++) {
        bytes[i] = (uint8_t)(pcm_pattern_byte(seed, i) ^ inverted);
    }
}

/*
 * Returns how many of the LENGTH bytes at MEMORY are not the pattern's.
 * *FIRST: the first of them, or PCM_PATTERN_SAME.
 */
static inline uint32_t pcm_pattern_compare(const void *memory, uint32_t length, uint64_t seed,
                                           uint32_t *first)
{
    const uint8_t *bytes = memory;
    uint64_t word = seed, value;
    uint32_t i = 0, different = 0;

    *first = PCM_PATTERN_SAME;
    while (i < length) {
        uint32_t end = length - i >= 8 ? i + 8 : length;

        if (end - i == 8) {
            __builtin_memcpy(&value, bytes + i, 8);
            if (value == word) {
                word += PCM_EX_STEP;
                i = end;
                continue;
            }
        }
        for (; i < end; i++) {
            if (bytes[i] != pcm_pattern_byte(seed, i) && !different++) {
                *first = i;
            }
        }
        word += PCM_EX_STEP;
    }
    return different;
}

#endif /* PCMASTER_PATTERN_H */
