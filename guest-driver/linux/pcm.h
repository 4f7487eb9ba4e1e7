/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * snd-pcmaster: what the files about streams share
 */
#ifndef SND_PCMASTER_PCM_H
#define SND_PCMASTER_PCM_H

#include "snd-pcmaster.h"

static inline struct pcmaster_stream *stream_of(struct snd_pcm_substream *substream)
{
	return substream->private_data;
}

static inline unsigned int reg_of(const struct pcmaster_stream *stream)
{
	return PCM_STREAM(stream->number);
}

static inline bool plays(const struct pcmaster_stream *stream)
{
	return stream->number < stream->chip->playback;
}

/* Whether the device is told how far ALSA is: not if that cost what writeback spares. */
static inline bool tells_ready(const struct pcmaster_stream *stream)
{
	return stream->ready || !stream->writeback;
}

/* position.c */
extern bool pcmaster_writeback;

u64 pcmaster_end(const struct pcmaster_stream *stream);
void pcmaster_tell_ready(struct pcmaster_stream *stream);
snd_pcm_uframes_t pcmaster_pointer(struct snd_pcm_substream *substream);
int pcmaster_ack(struct snd_pcm_substream *substream);

/* stream.c */
void pcmaster_tell_end(struct pcmaster_stream *stream);
void pcmaster_open_ring(struct pcmaster_stream *stream, const struct snd_pcm_runtime *runtime);
void pcmaster_tell_all(struct pcmaster_stream *stream);
void pcmaster_init_drain(struct pcmaster_stream *stream);

/* trigger.c */
int pcmaster_trigger(struct snd_pcm_substream *substream, int cmd);
void pcmaster_stop(struct pcmaster_stream *stream);

#endif /* SND_PCMASTER_PCM_H */
