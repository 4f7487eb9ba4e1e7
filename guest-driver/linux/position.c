// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * snd-pcmaster: how far a stream has come, as the device has it and as ALSA has it
 */
#include <linux/module.h>

#include "pcm.h"

bool pcmaster_writeback;

module_param_named(writeback, pcmaster_writeback, bool, 0644);
MODULE_PARM_DESC(writeback,
		 "Take positions only from memory, where each period writes them: no register access while playing, and a position of a period's accuracy. For streams opened from then on.");

static u32 frame_in_ring(const struct snd_pcm_runtime *runtime, u64 frames)
{
	return do_div(frames, runtime->buffer_size);
}

/*
 * Frames since the device's start that ALSA has written or taken.  ALSA's two
 * pointers may be set anew together (SNDRV_PCM_IOCTL_RESET): what lasts is how far
 * they are apart, and that hw_ptr is at the same frame of the ring as the device
 * was when it was last asked.
 */
static s64 written(const struct pcmaster_stream *stream)
{
	struct snd_pcm_runtime *runtime = stream->substream->runtime;
	snd_pcm_uframes_t hw = runtime->status->hw_ptr;
	snd_pcm_sframes_t ahead = READ_ONCE(runtime->control->appl_ptr) - hw;
	u32 behind = frame_in_ring(runtime, stream->base + stream->seen) +
		     runtime->buffer_size - hw % runtime->buffer_size;

	if (ahead > (snd_pcm_sframes_t)(runtime->boundary / 2))
		ahead -= runtime->boundary;
	else if (ahead < -(snd_pcm_sframes_t)(runtime->boundary / 2))
		ahead += runtime->boundary;
	return (s64)stream->seen - behind % runtime->buffer_size + ahead;
}

/* Where a stream ends that drains: at least a frame, as none means never. */
u64 pcmaster_end(const struct pcmaster_stream *stream)
{
	return max_t(s64, written(stream), 1);
}

/* What the device should know of written().  Who never stops at an xrun does not keep the pointer. */
static u64 to_tell(const struct pcmaster_stream *stream)
{
	const struct snd_pcm_runtime *runtime = stream->substream->runtime;

	if (!tells_ready(stream) || runtime->stop_threshold >= runtime->boundary)
		return PCM_S_READY_UNTOLD;
	return max_t(s64, written(stream), 0);
}

/*
 * Tells the device which frames are there: it plays silence rather than what is
 * left in the ring, and takes none that were not read.  It looks into memory when
 * it has used up what it knows of: only what takes some of that back must be told
 * by the register.
 */
void pcmaster_tell_ready(struct pcmaster_stream *stream)
{
	u64 before = stream->told;

	stream->told = to_tell(stream);
	if (stream->ready) {
		dma_mb();	/* what is in the ring was written, or read, before */
		WRITE_ONCE(*stream->ready, cpu_to_le64(stream->told));
	}
	if (!stream->ready || stream->told < before)
		pcmaster_wr64(stream->chip, reg_of(stream) + PCM_S_READY, stream->told);
}

/*
 * An application writes a few frames and then, after the next interrupt, the rest
 * of a period.  By a register, the few can wait while what the device knows of
 * lasts for long.
 */
static bool must_tell_ready(const struct pcmaster_stream *stream)
{
	struct snd_pcm_runtime *runtime = stream->substream->runtime;
	u64 told = stream->told, now = to_tell(stream);
	s64 rest = told - stream->seen;

	if (now == told || !(stream->chip->running & BIT(stream->number)))
		return false;
	if (!plays(stream))
		rest += runtime->buffer_size;
	return stream->ready || now < told || now - told >= runtime->period_size / 2 ||
	       rest < 2 * (s64)runtime->period_size;
}

/*
 * ALSA ends a stream that drains when all is played as far as it sees: the last
 * frame is shown when the back end has it.
 */
static u64 shown(const struct pcmaster_stream *stream)
{
	if (stream->draining && !READ_ONCE(stream->drained) && plays(stream))
		return min(stream->seen, stream->end - 1);
	return stream->seen;
}

/* Frames that have passed since ALSA started the stream. */
static u64 position(struct pcmaster_stream *stream)
{
	struct snd_pcm_runtime *runtime = stream->substream->runtime;
	bool by_memory = READ_ONCE(stream->in_interrupt) ||
			 (stream->writeback && !runtime->no_period_wakeup);
	u64 now;
	u32 low;

	if (by_memory) {
		now = le64_to_cpu(READ_ONCE(*(__le64 *)(stream->block + PCM_WRITEBACK_POSITION)));
		stream->seen = max(stream->seen, now);
	} else {
		low = pcmaster_rd(stream->chip, reg_of(stream) + PCM_S_POSITION);
		if (low != ~0U && (s32)(low - (u32)stream->seen) > 0)
			stream->seen += low - (u32)stream->seen;
	}
	return stream->base + shown(stream);
}

/*
 * Whether more than a ring has passed.  ALSA's pointers turn over with the ring, so
 * it would see a lap more as none at all.  appl: written() before that.
 */
static bool lapped(const struct pcmaster_stream *stream, s64 appl)
{
	struct snd_pcm_runtime *runtime = stream->substream->runtime;
	s64 avail = (s64)stream->seen - appl;

	if (plays(stream))
		avail += runtime->buffer_size;
	return !stream->draining && avail > (s64)runtime->buffer_size &&
	       avail >= runtime->stop_threshold;
}

snd_pcm_uframes_t pcmaster_pointer(struct snd_pcm_substream *substream)
{
	struct pcmaster_stream *stream = stream_of(substream);
	s64 appl = written(stream);
	u64 frames = stream->stopped ? stream->base : position(stream);

	if (lapped(stream, appl))
		return SNDRV_PCM_POS_XRUN;
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
