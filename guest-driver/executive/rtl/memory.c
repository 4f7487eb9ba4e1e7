/*
 * memcpy and its kin, which compilers call by name. For the ELF stub and the
 * PE images alike; built so that the compiler does not turn them into calls of
 * themselves.
 *
 * By words, and no string instructions: an emulator that counts instructions
 * leaves its translated code after each repetition of one.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stddef.h>
#include <stdint.h>

#define WORDS       8       /* written in one turn of a loop */

/* A word at any address, of memory of any type. */
typedef uint64_t __attribute__((aligned(1), may_alias)) word;

void *memcpy(void *restrict to, const void *restrict from, size_t length)
{
    word *t = to;
    const word *f = from;
    unsigned char *last;
    const unsigned char *tail;

    for (; length >= WORDS * sizeof(word); length -= WORDS * sizeof(word)) {
#pragma GCC unroll 8
        for (size_t i = 0; i < WORDS; i++) {
            t[i] = f[i];
        }
        t += WORDS;
        f += WORDS;
    }
    for (; length >= sizeof(word); length -= sizeof(word)) {
        *t++ = *f++;
    }
    last = (unsigned char *)t;
    tail = (const unsigned char *)f;
    while (length--) {
        *last++ = *tail++;
    }
    return to;
}

void *memset(void *to, int value, size_t length)
{
    uint64_t pattern = (unsigned char)value * 0x0101010101010101ull;
    word *t = to;
    unsigned char *last;

    for (; length >= WORDS * sizeof(word); length -= WORDS * sizeof(word)) {
#pragma GCC unroll 8
        for (size_t i = 0; i < WORDS; i++) {
            t[i] = pattern;
        }
        t += WORDS;
    }
    for (; length >= sizeof(word); length -= sizeof(word)) {
        *t++ = pattern;
    }
    last = (unsigned char *)t;
    while (length--) {
        *last++ = (unsigned char)value;
    }
    return to;
}

void *memmove(void *to, const void *from, size_t length)
{
    char *t = to;
    const char *f = from;

    if (t <= f || t >= f + length) {
        return memcpy(to, from, length);
    }
    while (length--) {
        t[length] = f[length];
    }
    return to;
}

int memcmp(const void *a, const void *b, size_t length)
{
    const unsigned char *x = a, *y = b;

    for (size_t i = 0; i < length; i++) {
        if (x[i] != y[i]) {
            return x[i] - y[i];
        }
    }
    return 0;
}
