/*
 * pcmaster: the exerciser's pattern
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "pcmaster.h"

/* One register of the host's vector unit, or several. */
typedef uint64_t PcmWords
    __attribute__((vector_size(PCM_PATTERN_BLOCK * sizeof(uint64_t))));

void pcm_pattern(uint64_t *words, uint64_t first, size_t count)
{
    PcmWords next;

    for (unsigned i = 0; i < PCM_PATTERN_BLOCK; i++) {
        next[i] = first + i * PCM_EX_STEP;
    }
    for (size_t i = 0; i < count; i += PCM_PATTERN_BLOCK) {
        memcpy(&words[i], &next, sizeof(next));
        next += PCM_PATTERN_BLOCK * PCM_EX_STEP;
    }
    if (HOST_BIG_ENDIAN) {
        for (size_t i = 0; i < count; i++) {
            bswap64s(&words[i]);
        }
    }
}
