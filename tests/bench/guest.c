/*
 * The benchmarks' guest: rings a doorbell, or acknowledges interrupts.
 *
 * It has no drivers: the host sets the devices up through QEMU's qtest socket
 * and tells the guest in the mailbox what to do. So every device meets the
 * same guest, and what differs is the device.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stddef.h>
#include <stdint.h>

#include "mailbox.h"
#include "pcmaster_regs.h"

#define PIC1        0x20
#define PIC2        0xa0
#define PIC_EOI     0x20
#define PIC_VECTOR  0x20
#define PIT_CONTROL 0x43
#define PIT_DATA    0x40
#define POLL_PAUSES 200

static Mailbox *const mailbox = (Mailbox *)MAILBOX_ADDRESS;

static inline void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile ("outb %0, %1" : : "a" (value), "Nd" (port));
}

static inline void out16(uint16_t port, uint16_t value)
{
    __asm__ volatile ("outw %0, %1" : : "a" (value), "Nd" (port));
}

static inline void out32(uint16_t port, uint32_t value)
{
    __asm__ volatile ("outl %0, %1" : : "a" (value), "Nd" (port));
}

static inline uint8_t in8(uint16_t port)
{
    uint8_t value;

    __asm__ volatile ("inb %1, %0" : "=a" (value) : "Nd" (port));
    return value;
}

static inline uint16_t in16(uint16_t port)
{
    uint16_t value;

    __asm__ volatile ("inw %1, %0" : "=a" (value) : "Nd" (port));
    return value;
}

static inline uint32_t in32(uint16_t port)
{
    uint32_t value;

    __asm__ volatile ("inl %1, %0" : "=a" (value) : "Nd" (port));
    return value;
}

static inline uint64_t clock(void)
{
    uint32_t low, high;

    __asm__ volatile ("rdtsc" : "=a" (low), "=d" (high));
    return (uint64_t)high << 32 | low;
}

static volatile uint8_t *at8(uint32_t address)
{
    return (volatile uint8_t *)(uintptr_t)address;
}

static volatile uint16_t *at16(uint32_t address)
{
    return (volatile uint16_t *)(uintptr_t)address;
}

static volatile uint32_t *at32(uint32_t address)
{
    return (volatile uint32_t *)(uintptr_t)address;
}

/* --- Acknowledging ------------------------------------------------------ */

static void acknowledge_pcmaster(const Source *s)
{
    uint32_t status = *at32(s->base + PCM_INT_STATUS);

    for (uint32_t n = 0; status >> (16 + n); n++) {
        if (status & PCM_INT_STREAM(n)) {
            volatile uint32_t *own = at32(s->base + PCM_STREAM(n) + PCM_S_STATUS);

            *own = *own;
        }
    }
    *at32(s->base + PCM_INT_STATUS) = status;
}

/* Output stream 0 of a controller with four input streams before it. */
static void acknowledge_hda(const Source *s)
{
    if (*at32(s->base + 0x24) & 1u << 4) {
        *at8(s->base + 0x80 + 4 * 0x20 + 3) = 4;
    }
}

/* The last valid buffer is always the one before the current one. */
static void acknowledge_ac97(const Source *s)
{
    if (in16(s->base + 0x16) & 0x1c) {
        out8(s->base + 0x15, (in8(s->base + 0x14) - 1) & 31);
        out16(s->base + 0x16, 0x1c);
    }
}

static void acknowledge_es1370(const Source *s)
{
    if (in32(s->base + 0x04) & 2) {
        uint32_t control = in32(s->base + 0x20);

        out32(s->base + 0x20, control & ~0x200u);
        out32(s->base + 0x20, control | 0x200u);
    }
}

/* What was used is available again: the ring's entries never change. */
static void acknowledge_virtio(const Source *s)
{
    volatile uint16_t *available = at16(s->ring + 2);
    uint16_t next;

    (void)*at8(s->base);
    next = *at16(s->used + 2) + s->depth;
    if (*available != next) {
        *available = next;
        *at16(s->doorbell) = 2;
    }
}

static void acknowledge(const Source *s)
{
    switch (s->kind) {
    case SOURCE_PCMASTER:
        acknowledge_pcmaster(s);
        break;
    case SOURCE_HDA:
        acknowledge_hda(s);
        break;
    case SOURCE_AC97:
        acknowledge_ac97(s);
        break;
    case SOURCE_ES1370:
        acknowledge_es1370(s);
        break;
    case SOURCE_VIRTIO:
        acknowledge_virtio(s);
        break;
    }
}

struct frame;

__attribute__((interrupt)) static void on_interrupt(struct frame *frame)
{
    (void)frame;
    for (uint32_t n = 0; n < mailbox->sources; n++) {
        acknowledge(&mailbox->source[n]);
    }
    mailbox->interrupts++;
    out8(PIC2, PIC_EOI);
    out8(PIC1, PIC_EOI);
}

/* --- Setting up --------------------------------------------------------- */

static struct __attribute__((packed)) {
    uint16_t offset_low, selector;
    uint8_t stack, type;
    uint16_t offset_middle;
    uint32_t offset_high, zero;
} gates[PIC_VECTOR + 16];

static void set_gate(unsigned vector, uintptr_t handler)
{
    gates[vector].offset_low = handler;
    gates[vector].selector = 0x10;
    gates[vector].type = 0x8e;
    gates[vector].offset_middle = handler >> 16;
    gates[vector].offset_high = handler >> 32;
}

static void set_up_interrupts(uint32_t irq)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } table = { sizeof(gates) - 1, (uintptr_t)gates };

    set_gate(PIC_VECTOR + irq, (uintptr_t)on_interrupt);
    __asm__ volatile ("lidt %0" : : "m" (table));
    for (unsigned n = 0; n < 2; n++) {
        uint16_t pic = n ? PIC2 : PIC1;

        out8(pic, 0x11);
        out8(pic + 1, PIC_VECTOR + 8 * n);
        out8(pic + 1, n ? 2 : 4);
        out8(pic + 1, 1);
    }
    out8(PIC1 + 1, ~(1u << (irq < 8 ? irq : 2)));
    out8(PIC2 + 1, irq < 8 ? 0xff : ~(1u << (irq - 8)));
}

/* The firmware's timer ticks for nobody here: stop it. */
static void stop_ticking(void)
{
    out8(PIT_CONTROL, 0x30);
    out8(PIT_DATA, 1);
    out8(PIT_DATA, 0);
}

/* --- Working ------------------------------------------------------------ */

static void wait_until_done(uint32_t status)
{
    while (status && *at32(status) & 1) {
        for (unsigned n = 0; n < POLL_PAUSES; n++) {
            __asm__ volatile ("" : : : "memory");
        }
    }
}

static void ring(void)
{
    volatile uint32_t *doorbell = at32(mailbox->address);
    uint32_t value = mailbox->value;
    uint32_t status = mailbox->status;

    mailbox->begin = clock();
    for (uint32_t n = mailbox->count; n; n--) {
        *doorbell = value;
        wait_until_done(status);
    }
    mailbox->end = clock();
}

static void play(void)
{
    set_up_interrupts(mailbox->irq);
    for (;;) {
        __asm__ volatile ("sti; hlt");
    }
}

void boot_main(void);

void boot_main(void)
{
    stop_ticking();
    for (;;) {
        mailbox->now = clock();
        switch (mailbox->work) {
        case GUEST_RING:
            ring();
            mailbox->work = GUEST_IDLE;
            break;
        case GUEST_PLAY:
            play();
            break;
        }
    }
}
