// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * snd-pcmaster: how far a stream has come, as the device has it and as ALSA has it
 */
#include <linux/module.h>

#include "pcm.h"

bool pcmaster_writeback;

module_param_named(writeback, pcmaster_writeback, bool, 0644);
MODULE_PARM_DESC(writeback,
		 "Take positions only from memory, where each period writes them: no register access while playing, and a position of a period's accuracy.");

/* Frames that ALSA has written or taken, from the first on. */
u64 pcmaster_follow_appl(struct pcmaster_stream *stream)
{
	struct snd_pcm_runtime *runtime = stream->substream->runtime;
	snd_pcm_uframes_t now = READ_ONCE(runtime->control->appl_ptr);
	snd_pcm_sframes_t moved = now - stream->appl_ptr;

	if (moved > (snd_pcm_sframes_t)(runtime->boundary / 2))
		moved -= runtime->boundary;
	else if (moved < -(snd_pcm_sframes_t)(runtime->boundary / 2))
		moved += runtime->boundary;
	stream->appl += moved;
	stream->appl_ptr = now;
	return stream->appl;
}

/*
 * Tells the device which frames are there: it plays silence rather than what is
 * left in the ring, and takes none that were not read.  Who never stops at an
 * xrun does not keep that pointer.
 */
void pcmaster_tell_ready(struct pcmaster_stream *stream)
{
	struct snd_pcm_runtime *runtime = stream->substream->runtime;
	u64 ready = PCM_S_READY_UNTOLD;

	stream->told = pcmaster_follow_appl(stream);
	if (stream->tells_ready && runtime->stop_threshold < runtime->boundary)
		ready = stream->told - stream->base;
	pcmaster_wr64(stream->chip, reg_of(stream) + PCM_S_READY, ready);
}

/*
 * An application writes a few frames and then, after the next interrupt, the rest
 * of a period.  The few can wait while what the device knows of lasts for long.
 */
static bool must_tell_ready(struct pcmaster_stream *stream)
{
	struct snd_pcm_runtime *runtime = stream->substream->runtime;
	s64 untold, rest = stream->told - stream->base - stream->seen;

	if (!stream->tells_ready || !(stream->chip->running & BIT(stream->number)))
		return false;
	untold = pcmaster_follow_appl(stream) - stream->told;
	if (!plays(stream))
		rest += runtime->buffer_size;
	return untold < 0 || untold >= runtime->period_size / 2 ||
	       (untold && rest < 2 * (s64)runtime->period_size);
}

/* Frames that have passed since ALSA started the stream. */
static u64 position(struct pcmaster_stream *stream)
{
	struct snd_pcm_runtime *runtime = stream->substream->runtime;
	bool by_memory = READ_ONCE(stream->in_interrupt) ||
			 (pcmaster_writeback && stream->block && !runtime->no_period_wakeup);
	u64 now;
	u32 low;

	if (by_memory) {
		now = le64_to_cpu(READ_ONCE(*(__le64 *)(stream->block + PCM_WRITEBACK_POSITION)));
		stream->seen = max(stream->seen, now);
	} else {
		low = pcmaster_rd(stream->chip, reg_of(stream) + PCM_S_POSITION);
		if ((s32)(low - (u32)stream->seen) > 0)
			stream->seen += low - (u32)stream->seen;
	}
	return stream->base + stream->seen;
}

snd_pcm_uframes_t pcmaster_pointer(struct snd_pcm_substream *substream)
{
	struct pcmaster_stream *stream = stream_of(substream);
	u64 frames = stream->stopped ? stream->base : position(stream);

	if (must_tell_ready(stream))
		pcmaster_tell_ready(stream);
	return do_div(frames, substream->runtime->buffer_size);
}

int pcmaster_ack(struct snd_pcm_substream *substream)
{
	struct pcmaster_stream *stream = stream_of(substream);

	if (must_tell_ready(stream))
		pcmaster_tell_ready(stream);
	return 0;
}
