/*
 * What an 8237 is told of a transfer (Intel 8237A data sheet; the page registers
 * beside it, and the second controller that moves words, are the PC's).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_HAL_I8237_PLAN_H
#define EXECUTIVE_HAL_I8237_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#define I8237_CHANNELS          8u
/* Joins the controllers: no device can have it. */
#define I8237_CASCADE           4u

/* The last address that a page register can name. */
#define I8237_LAST_ADDRESS      0xffffffu

/* The mode register, but for the channel's number. */
#define I8237_DEMAND            0x00u
#define I8237_SINGLE            0x40u
#define I8237_AUTO_INITIALIZE   0x10u
#define I8237_TO_MEMORY         0x04u
#define I8237_FROM_MEMORY       0x08u

/* The count register when the terminal count was reached. */
#define I8237_ENDED             0xffffu

struct i8237_plan {
    uint8_t mode;
    uint8_t page;
    uint16_t address;
    uint16_t count;
};

/* Bytes that the channel moves at a time. */
static inline uint32_t i8237_unit(uint32_t channel)
{
    return channel < I8237_CASCADE ? 1 : 2;
}

/*
 * The address register counts up to there and wraps; the page register stays.
 * So this is the longest transfer, too, and none crosses a multiple of it.
 */
static inline uint32_t i8237_reach(uint32_t channel)
{
    return 0x10000u * i8237_unit(channel);
}

/* Whether the channel can do it. */
static inline bool i8237_fits(uint32_t channel, uint64_t address,
                              uint64_t length)
{
    uint64_t reach = i8237_reach(channel);

    return length && length <= reach && address <= I8237_LAST_ADDRESS &&
           address / reach == (address + length - 1) / reach &&
           (address | length) % i8237_unit(channel) == 0;
}

/* Of a transfer that fits; mode: as above. */
static inline struct i8237_plan i8237_plan(uint32_t channel, uint32_t address,
                                           uint32_t length, uint8_t mode)
{
    uint32_t unit = i8237_unit(channel);

    return (struct i8237_plan){
        .mode = (uint8_t)(mode | channel % I8237_CASCADE),
        /* Where words are moved bit 0 of the page is not connected. */
        .page = (uint8_t)(address >> 16 & ~(unit - 1)),
        .address = (uint16_t)(address / unit),
        .count = (uint16_t)(length / unit - 1),
    };
}

/*
 * Bytes of a transfer of that length which are still to come; count: as read;
 * ended: whether the controller has said so.
 */
static inline uint32_t i8237_left(uint32_t channel, uint32_t length,
                                  uint16_t count, bool ended)
{
    if (count == I8237_ENDED && (ended || length < i8237_reach(channel))) {
        return 0;
    }
    return (count + 1u) * i8237_unit(channel);
}

#endif
