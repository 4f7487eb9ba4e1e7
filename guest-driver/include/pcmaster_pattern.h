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
    uint32_t i;

    for (i = 0; i + 8 <= length; i += 8) {
        uint64_t word = pcm_pattern_word(seed, i / 8) ^ inverted;

        __builtin_memcpy(bytes + i, &word, 8);
    }
    for (; i < length; i++) {
        bytes[i] = (uint8_t)(pcm_pattern_byte(seed, i) ^ inverted);
    }
}

/*
 * Returns how many of the LENGTH bytes at MEMORY are not those which start
 * OFFSET bytes into the pattern.  *FIRST: the first of them, counted from
 * MEMORY, or PCM_PATTERN_SAME.
 */
static inline uint32_t pcm_pattern_compare(const void *memory, uint32_t length, uint64_t seed,
                                           uint32_t offset, uint32_t *first)
{
    const uint8_t *bytes = memory;
    uint32_t i = 0, different = 0;

    *first = PCM_PATTERN_SAME;
    while (i < length) {
        uint64_t word;

        if ((offset + i) % 8 == 0 && length - i >= 8) {
            __builtin_memcpy(&word, bytes + i, 8);
            if (word == pcm_pattern_word(seed, (offset + i) / 8)) {
                i += 8;
                continue;
            }
        }
        if (bytes[i] != pcm_pattern_byte(seed, offset + i)) {
            if (!different++) {
                *first = i;
            }
        }
        i++;
    }
    return different;
}

#endif /* PCMASTER_PATTERN_H */
