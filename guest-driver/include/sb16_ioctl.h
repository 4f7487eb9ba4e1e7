/* SPDX-License-Identifier: MIT */
/*
 * What sb16.sys does for a client
 *
 * Portable C without operating system headers: the exercises include it, too.
 */
#ifndef PCMASTER_SB16_IOCTL_H
#define PCMASTER_SB16_IOCTL_H

#include <stdint.h>

/* CTL_CODE(FILE_DEVICE_UNKNOWN, 0x840, METHOD_BUFFERED, FILE_READ_DATA | FILE_WRITE_DATA) */
#define SB16_IOCTL_PLAY             0x0022e100u

enum sb16_method {
    SB16_PACKETS,                   /* IoGetDmaAdapter; memory of any kind, one packet after the other */
    SB16_COMMON,                    /* the same; a common buffer that starts over by itself */
    SB16_CHANNEL,                   /* PcNewDmaChannel, IDmaChannelSlave; likewise */
    SB16_METHODS
};

/* The sound follows: mono, samples of 8 bits unsigned or of 16 bits signed. */
struct sb16_play {
    uint32_t method;                /* enum sb16_method */
    uint32_t bits;                  /* 8 or 16 */
    uint32_t rate;                  /* frames per second, 5000 to 44100 */
    uint32_t bytes;
};

/* At least as much silence follows, so that the sound leaves the card before it stops. */
#define SB16_SILENT_FRAMES          1024u

struct sb16_played {
    uint32_t channel;               /* of the DMA controllers */
    uint32_t logical;               /* of the buffer; of packets there is none: 0 */
    uint32_t interrupts;
    uint32_t blocks;                /* that the card was told to play */
    uint32_t block_bytes;           /* of each but a packet that ends the sound */
    uint32_t bytes;                 /* that the card played: the sound, and silence */
    uint32_t astray;                /* times that the counter was not where the card must be */
    uint32_t ended;                 /* times that the counter was seen on its way to the end */
};

#endif /* PCMASTER_SB16_IOCTL_H */
