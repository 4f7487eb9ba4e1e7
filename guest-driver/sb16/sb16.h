/* SPDX-License-Identifier: MIT */
/*
 * sb16.sys: a driver for the Sound Blaster 16, which plays by system DMA
 *
 * The card is programmed by Creative's "Sound Blaster Series Hardware
 * Programming Guide", chapters 2 to 6.  Its channels come from IoGetDmaAdapter
 * or PcNewDmaChannel, and from nowhere else.
 */
#ifndef SB16_H
#define SB16_H

#include <stdbool.h>

#include <wdm.h>

#include "portcls_dma.h"
#include "sb16_ioctl.h"

#define SB16_TAG                    0x36316273u     /* "sb16" */

struct card {
    PDEVICE_OBJECT self;
    PDEVICE_OBJECT physical;
    PDEVICE_OBJECT lower;
    IO_REMOVE_LOCK remove_lock;
    KEVENT playing;                     /* set: nothing is */
    ULONG ports;                        /* 0: not started */
    ULONG channel[2];                   /* for bytes, for words */
    PKINTERRUPT interrupt;
    KDPC dpc;
    volatile LONG interrupts;           /* since the last card_play */
    KEVENT interrupted;
};

/* --- card.c: the card -------------------------------------------------------- */

/* PASSIVE_LEVEL.  Once, before the device is started. */
void card_init(struct card *card);

/* PASSIVE_LEVEL.  RESOURCES: translated.  On failure nothing is left to stop. */
NTSTATUS card_start(struct card *card, const CM_RESOURCE_LIST *resources);

/* PASSIVE_LEVEL.  Harmless where nothing was started. */
void card_stop(struct card *card);

/*
 * The card takes samples from its channel: BLOCK bytes, with an interrupt behind
 * them; again and again if AGAIN.  False: it does not answer.
 */
bool card_play(struct card *card, ULONG bits, ULONG rate, ULONG block, bool again);

/* The block that is being played is the last. */
bool card_end(struct card *card, ULONG bits);

/* No more, at once. */
void card_halt(struct card *card);

/* PASSIVE_LEVEL.  Waits for that many interrupts in all; false: they did not come. */
bool card_wait(struct card *card, LONG interrupts);

static inline ULONG silent_bytes(ULONG bits)
{
    return SB16_SILENT_FRAMES * (bits / 8);
}

static inline UCHAR silence(ULONG bits)
{
    return bits == 8 ? 0x80 : 0;
}

/* PASSIVE_LEVEL.  Until what the card has taken was heard. */
void card_drain(void);

/* --- packets.c, rings.c: what SB16_IOCTL_PLAY asks for -------------------------- */

/* How a channel of the card's is described to IoGetDmaAdapter and PcNewDmaChannel. */
DEVICE_DESCRIPTION channel_description(const struct card *card, ULONG bits, ULONG length, bool again);

/* PASSIVE_LEVEL. */
NTSTATUS play_packets(struct card *card, const struct sb16_play *play, PUCHAR data,
                      struct sb16_played *played);
NTSTATUS play_common(struct card *card, const struct sb16_play *play, const UCHAR *data,
                     struct sb16_played *played);
NTSTATUS play_channel(struct card *card, const struct sb16_play *play, const UCHAR *data,
                      struct sb16_played *played);

#endif /* SB16_H */
