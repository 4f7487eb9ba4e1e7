/*
 * Where the benchmarks' guest and the host leave each other words.
 *
 * The host reads and writes it through QEMU's qtest socket, which knows
 * physical addresses only: scripts/pcmaster/benchguest.py has the same layout.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BENCH_MAILBOX_H
#define BENCH_MAILBOX_H

#include <stdint.h>

#define MAILBOX_ADDRESS     0x10000
#define MAILBOX_SOURCES     8

/* What the guest is to do: it writes IDLE when it has done so. */
enum {
    GUEST_IDLE,
    GUEST_RING,         /* write a register many times, against the clock */
    GUEST_PLAY,         /* acknowledge interrupts, and halt in between */
};

/* What raises the interrupts. */
enum {
    SOURCE_PCMASTER,
    SOURCE_HDA,
    SOURCE_AC97,
    SOURCE_ES1370,
    SOURCE_VIRTIO,
};

typedef struct Source {
    uint32_t kind;
    uint32_t base;              /* of its registers: memory or ports */
    uint32_t ring;              /* virtio: the available ring */
    uint32_t used;              /* virtio: the used ring */
    uint32_t doorbell;          /* virtio */
    uint32_t depth;             /* virtio: buffers in the queue */
} Source;

typedef struct Mailbox {
    volatile uint32_t work;
    uint32_t count;             /* RING: how often */
    uint32_t address;           /* RING: the register */
    uint32_t value;             /* RING: what is written */
    uint32_t status;            /* RING: read it until bit 0 is 0; 0: do not */
    volatile uint32_t interrupts;
    volatile uint64_t now;      /* the guest's clock, while it is idle */
    volatile uint64_t begin;    /* RING: the clock before and after */
    volatile uint64_t end;
    uint32_t irq;               /* PLAY */
    uint32_t sources;           /* PLAY: how many */
    Source source[MAILBOX_SOURCES];
} Mailbox;

#endif
