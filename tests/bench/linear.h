/* SPDX-License-Identifier: MIT */
/*
 * The usual way to keep page frames, as a peer for mm/frames: an array of free
 * runs in the order of addresses, searched from the top, the first fit taken.
 * The requests are those of mm/frames, and so are the answers; of masks it
 * knows those without holes. What is freed is not checked.
 */
#ifndef PCMASTER_TESTS_BENCH_LINEAR_H
#define PCMASTER_TESTS_BENCH_LINEAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mm/frames.h"

#define LINEAR_RUNS_MAX 262144

struct linear_run {
    uint64_t base;
    uint64_t length; /* bytes */
    uint32_t node;
};

struct linear {
    size_t count;
    struct linear_run run[LINEAR_RUNS_MAX];
};

/* Adds a free run above all that were added before, and apart from them. */
void linear_add(struct linear *l, uint64_t base, uint64_t length,
                uint32_t node);

/* The highest placement; false: none. */
bool linear_allocate(struct linear *l, const struct frames_request *request,
                     uint64_t *base);

/* Gives back what the function above gave. */
void linear_free(struct linear *l, uint64_t base, uint64_t length,
                 uint32_t node);

#endif
