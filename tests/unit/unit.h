/* SPDX-License-Identifier: MIT */
/* What every unit test includes: cmocka in its order, TAP, random numbers. */
#ifndef PCMASTER_TESTS_UNIT_H
#define PCMASTER_TESTS_UNIT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The exit status of a program that runs the tests and reports in TAP. */
#define RUN_TESTS(tests)                                                       \
    (cmocka_set_message_output(CM_OUTPUT_TAP),                                 \
     cmocka_run_group_tests(tests, NULL, NULL))

/*
 * xorshift64*: the same numbers on every machine, so that a failure can be
 * repeated from the case number in its message. `state` is never 0.
 */
static inline uint64_t random64(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545F4914F6CDD1D;
}

/* From 0 to limit - 1. */
static inline uint64_t random_below(uint64_t *state, uint64_t limit)
{
    return random64(state) % limit;
}

#endif
