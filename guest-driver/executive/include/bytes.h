/* SPDX-License-Identifier: MIT */
/*
 * Little-endian numbers at any address, for data that a file or a table holds.
 * The machines this runs on are little-endian themselves (x86-64).
 */
#ifndef PCMASTER_EXECUTIVE_BYTES_H
#define PCMASTER_EXECUTIVE_BYTES_H

#include <stdint.h>
#include <string.h>

static inline uint16_t read16(const uint8_t *from)
{
    uint16_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

static inline uint32_t read32(const uint8_t *from)
{
    uint32_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

static inline uint64_t read64(const uint8_t *from)
{
    uint64_t value;
    memcpy(&value, from, sizeof value);
    return value;
}

static inline void write64(uint8_t *to, uint64_t value)
{
    memcpy(to, &value, sizeof value);
}

#endif
