/*
 * memcpy and its kin, which compilers call by name. For the ELF stub and the
 * PE images alike; built so that the compiler does not turn them into calls of
 * themselves.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t length)
{
    void *start = to;

    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(length)
                     : : "memory");
    return start;
}

void *memset(void *to, int value, size_t length)
{
    void *start = to;

    __asm__ volatile("rep stosb" : "+D"(to), "+c"(length) : "a"(value)
                     : "memory");
    return start;
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
