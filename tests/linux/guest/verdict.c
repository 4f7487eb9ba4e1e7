/* SPDX-License-Identifier: MIT */
/* What a program of these tests says in the end, and the clock */
#include <alsa/asoundlib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "verdict.h"

const char *name;

void verdict(int ok, const char *format, ...)
{
    va_list list;

    printf("%s - %s: ", ok ? "ok" : "not ok", name);
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    putchar('\n');
    exit(!ok);
}

void must(long result, const char *what)
{
    if (result < 0) {
        verdict(0, "%s: %s", what, snd_strerror((int)result));
    }
}

double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}
