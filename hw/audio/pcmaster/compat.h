/*
 * pcmaster: what differs between the versions of QEMU it is built in
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_AUDIO_PCMASTER_COMPAT_H
#define HW_AUDIO_PCMASTER_COMPAT_H

#define PCM_QEMU_AT_LEAST(major, minor) \
    (QEMU_VERSION_MAJOR > (major) || \
     (QEMU_VERSION_MAJOR == (major) && QEMU_VERSION_MINOR >= (minor)))

#if PCM_QEMU_AT_LEAST(10, 2)

#include "qemu/audio.h"
#include "system/address-spaces.h"
#include "system/memory.h"

typedef const void PcmClassData;
typedef const InterfaceInfo PcmInterfaceInfo;
typedef AudioBackend *PcmAudio;

static inline bool pcm_audio_register(PcmAudio *audio, Error **errp)
{
    return AUD_backend_check(audio, errp);
}

static inline bool pcm_audio_chosen(PcmAudio *audio)
{
    return *audio != NULL;
}

static inline void pcm_audio_unregister(PcmAudio *audio)
{
}

#define pcm_audio_handle(audio) (*(audio))
#define pcm_audio_set_volume_out    AUD_set_volume_out_lr
#define pcm_audio_set_volume_in     AUD_set_volume_in_lr

#else

#include "audio/audio.h"
#include "exec/address-spaces.h"
#include "exec/memory.h"

typedef void PcmClassData;
typedef InterfaceInfo PcmInterfaceInfo;
typedef QEMUSoundCard PcmAudio;

static inline bool pcm_audio_register(PcmAudio *audio, Error **errp)
{
    return AUD_register_card("pcmaster", audio, errp);
}

static inline bool pcm_audio_chosen(PcmAudio *audio)
{
    return audio->state != NULL;
}

static inline void pcm_audio_unregister(PcmAudio *audio)
{
    AUD_remove_card(audio);
}

#define pcm_audio_handle(audio) (audio)
#define pcm_audio_set_volume_out    AUD_set_volume_out
#define pcm_audio_set_volume_in     AUD_set_volume_in

#endif

#endif /* HW_AUDIO_PCMASTER_COMPAT_H */
