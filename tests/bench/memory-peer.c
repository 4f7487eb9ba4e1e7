/*
 * What the host's own memcpy and memcmp need: the peer of the exerciser.
 *
 *   memory-peer BYTES...    prints for each size: bytes, ns of a memcpy, ns of
 *                           a memcmp of equal buffers
 *
 * The buffers are like a guest's memory: anonymous, with large pages where the
 * host has them, and used before.
 *
 * SPDX-License-Identifier: MIT
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define ROUND_NS    (60 * 1000 * 1000)
#define ALIGNMENT   (2u << 20)

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Kept from the compiler, which would do without the calls otherwise. */
static void *(*volatile copy)(void *, const void *, size_t) = memcpy;
static int (*volatile compare)(const void *, const void *, size_t) = memcmp;

static void copy_once(uint8_t *a, uint8_t *b, size_t bytes)
{
    copy(a, b, bytes);
}

static void compare_once(uint8_t *a, uint8_t *b, size_t bytes)
{
    if (compare(a, b, bytes)) {
        abort();
    }
}

/* Returns: ns for each call, over enough calls to tell. */
static double measure(void (*work)(uint8_t *, uint8_t *, size_t),
                      uint8_t *a, uint8_t *b, size_t bytes)
{
    uint64_t begin = now_ns(), calls = 0;

    do {
        for (size_t done = 0; done < (1u << 20); done += bytes) {
            work(a, b, bytes);
            calls++;
        }
    } while (now_ns() - begin < ROUND_NS);
    return (double)(now_ns() - begin) / calls;
}

static uint8_t *buffer(size_t bytes)
{
    uint8_t *p = mmap(NULL, bytes + ALIGNMENT, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED) {
        perror("memory-peer");
        exit(1);
    }
    p += -(uintptr_t)p % ALIGNMENT;
    madvise(p, bytes, MADV_HUGEPAGE);
    memset(p, 0xa5, bytes);
    return p;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        size_t bytes = strtoull(argv[i], NULL, 0);
        uint8_t *a, *b;

        if (!bytes || bytes > (1u << 30)) {
            fprintf(stderr, "memory-peer: no size: %s\n", argv[i]);
            return 1;
        }
        a = buffer(bytes);
        b = buffer(bytes);
        printf("%zu %.1f", bytes, measure(copy_once, a, b, bytes));
        printf(" %.1f\n", measure(compare_once, a, b, bytes));
        munmap(a, bytes);
        munmap(b, bytes);
    }
    return 0;
}
