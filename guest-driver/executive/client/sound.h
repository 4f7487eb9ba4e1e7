/* SPDX-License-Identifier: MIT */
/* client.sys: playing a sound */
#ifndef PCMASTER_CLIENT_SOUND_H
#define PCMASTER_CLIENT_SOUND_H

#include "client.h"

struct sound {
    HANDLE file;
    ULONGLONG bytes;
    ULONG rate;
    ULONG channels;
    ULONG bits;
};

/* PASSIVE_LEVEL.  RECORD: through the capture pin, too.  What failed PLAYED says. */
NTSTATUS sound_play(const struct sound *sound, BOOLEAN record, struct pcm_played *played);

#endif /* PCMASTER_CLIENT_SOUND_H */
