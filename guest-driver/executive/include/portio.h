/*
 * x86 port input and output, for code that both the ELF stub and the PE
 * images contain.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_PORTIO_H
#define EXECUTIVE_PORTIO_H

#include <stdint.h>

static inline void port_write8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void port_write16(uint16_t port, uint16_t value)
{
    __asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline void port_write32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port) : "memory");
}

static inline uint8_t port_read8(uint16_t port)
{
    uint8_t value;

    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

static inline uint32_t port_read32(uint16_t port)
{
    uint32_t value;

    __asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port) : "memory");
    return value;
}

/* Writes @length bytes to a one-byte port with one instruction. */
static inline void port_write_string(uint16_t port, const char *text,
                                     unsigned long long length)
{
    __asm__ volatile("rep outsb"
                     : "+S"(text), "+c"(length) : "d"(port) : "memory");
}

#endif
