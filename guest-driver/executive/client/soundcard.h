/* SPDX-License-Identifier: MIT */
/* client.sys: the sound card on the ISA bus */
#ifndef PCMASTER_CLIENT_SOUNDCARD_H
#define PCMASTER_CLIENT_SOUNDCARD_H

#include <wdm.h>

struct sb16_play;
struct sb16_played;

/*
 * PASSIVE_LEVEL.  Plays all that the host handed over for the card, and fills in
 * how many bytes that are.  STATUS_NO_SUCH_DEVICE: there is no card.
 */
NTSTATUS card_play(struct sb16_play *play, struct sb16_played *played);

#endif /* PCMASTER_CLIENT_SOUNDCARD_H */
