// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * snd-pcmaster: streams start, pause, end and sleep, several of them at one instant
 */
#include <linux/delay.h>

#include "pcm.h"

#define SILENCE_MS	2000		/* the longest wait for the back end */

/* The streams that are to be triggered together with one, a bit each. */
static u32 group_of(struct snd_pcm_substream *substream)
{
	struct snd_pcm_substream *other;
	u32 mask = 0;

	snd_pcm_group_for_each_entry(other, substream) {
		if (other->pcm->card == substream->pcm->card) {
			mask |= BIT(stream_of(other)->number);
			snd_pcm_trigger_done(other, substream);
		}
	}
	return mask;
}

static int claim(struct pcmaster *chip, u32 mask)
{
	unsigned long flags;
	int err = 0;

	spin_lock_irqsave(&chip->use_lock, flags);
	if (chip->exercising)
		err = -EBUSY;
	else
		chip->running |= mask;
	spin_unlock_irqrestore(&chip->use_lock, flags);
	return err;
}

static void release(struct pcmaster *chip, u32 mask)
{
	unsigned long flags;

	spin_lock_irqsave(&chip->use_lock, flags);
	chip->running &= ~mask;
	spin_unlock_irqrestore(&chip->use_lock, flags);
}

static void stop(struct pcmaster *chip, u32 mask)
{
	pcmaster_wr(chip, PCM_STREAMS_STOP, mask);
	release(chip, mask);
}

/* Whatever it did: ALSA stops no stream that pauses or sleeps before it prepares or closes it. */
void pcmaster_stop(struct pcmaster_stream *stream)
{
	stop(stream->chip, BIT(stream->number));
	stream->base = 0;
	stream->seen = 0;
	stream->draining = false;
	stream->stopped = false;
}

static int start(struct pcmaster *chip, u32 mask, bool resumes)
{
	unsigned long bits = mask;
	unsigned int n;
	int err = claim(chip, mask);

	if (err)
		return err;
	for_each_set_bit(n, &bits, PCM_STREAM_COUNT) {
		if (!resumes)
			chip->streams[n].base = 0;
		pcmaster_tell_all(&chip->streams[n]);
	}
	pcmaster_wr(chip, PCM_STREAMS_START, mask);
	for_each_set_bit(n, &bits, PCM_STREAM_COUNT)
		if (pcmaster_rd(chip, PCM_STREAM(n) + PCM_S_STATUS) & PCM_S_ERROR)
			err = -EIO;
	if (err) {
		stop(chip, mask);
		return err;
	}
	for_each_set_bit(n, &bits, PCM_STREAM_COUNT)
		chip->streams[n].stopped = false;
	return 0;
}

/*
 * Ends streams, at one instant, so that they can go on at the same frame.  Unlike
 * one that is stopped, a stream that ends tells when the back end has played it.
 */
static void interrupt_streams(struct pcmaster *chip, u32 mask)
{
	struct pcmaster_stream *stream;
	unsigned long bits = mask;
	unsigned int n;
	bool runs;
	u64 frames;

	pcmaster_wr(chip, PCM_STREAMS_PAUSE, mask);
	for_each_set_bit(n, &bits, PCM_STREAM_COUNT) {
		stream = &chip->streams[n];
		runs = pcmaster_rd(chip, reg_of(stream) + PCM_S_STATUS) & PCM_S_RUNNING;
		frames = pcmaster_rd64(chip, reg_of(stream) + PCM_S_POSITION);
		if (runs && frames)
			pcmaster_wr64(chip, reg_of(stream) + PCM_S_END, frames);
		else
			pcmaster_wr(chip, PCM_STREAMS_STOP, BIT(n));
		if (runs)
			WRITE_ONCE(stream->drained, !frames);
		stream->base += frames;
		stream->seen = 0;
		stream->stopped = true;
	}
	pcmaster_wr(chip, PCM_STREAMS_RESUME, mask);
}

static int pause(struct pcmaster *chip, u32 mask, bool push)
{
	unsigned long bits = mask;
	u32 lost = 0;
	unsigned int n;

	for_each_set_bit(n, &bits, PCM_STREAM_COUNT)
		if (chip->streams[n].stopped)
			lost |= BIT(n);
	pcmaster_wr(chip, push ? PCM_STREAMS_PAUSE : PCM_STREAMS_RESUME, mask & ~lost);
	return lost && !push ? start(chip, lost, true) : 0;
}

static void drain_one(struct pcmaster_stream *stream)
{
	stream->draining = true;
	pcmaster_tell_ready(stream);
	pcmaster_tell_end(stream);
}

/*
 * A group that drains before it was started is started by its first member's
 * START, with all that is linked.  The others hear nothing more from ALSA.
 */
static void drain(struct snd_pcm_substream *substream)
{
	struct snd_pcm_substream *other;

	drain_one(stream_of(substream));
	snd_pcm_group_for_each_entry(other, substream) {
		if (other == substream || other->pcm->card != substream->pcm->card ||
		    other->runtime->trigger_master != substream)
			continue;
		if (plays(stream_of(other)) && snd_pcm_playback_avail(other->runtime) < other->runtime->buffer_size)
			drain_one(stream_of(other));
		else
			pcmaster_stop(stream_of(other));
	}
}

int pcmaster_trigger(struct snd_pcm_substream *substream, int cmd)
{
	struct pcmaster *chip = stream_of(substream)->chip;
	u32 bits;

	switch (cmd) {
	case SNDRV_PCM_TRIGGER_STOP:
		/* One member of a group may be stopped; of a whole group each is told. */
		stop(chip, BIT(stream_of(substream)->number));
		return 0;
	case SNDRV_PCM_TRIGGER_DRAIN:
		drain(substream);
		return 0;
	}
	bits = group_of(substream);
	switch (cmd) {
	case SNDRV_PCM_TRIGGER_START:
	case SNDRV_PCM_TRIGGER_RESUME:
		return start(chip, bits, cmd == SNDRV_PCM_TRIGGER_RESUME);
	case SNDRV_PCM_TRIGGER_PAUSE_PUSH:
	case SNDRV_PCM_TRIGGER_PAUSE_RELEASE:
		return pause(chip, bits, cmd == SNDRV_PCM_TRIGGER_PAUSE_PUSH);
	case SNDRV_PCM_TRIGGER_SUSPEND:
		interrupt_streams(chip, bits);
		release(chip, bits);
		return 0;
	default:
		return -EINVAL;
	}
}

/*
 * Before power is lost: streams that pause are stopped, too, and the back end
 * gets what the device has of those that played.
 */
void pcmaster_wait_silent(struct pcmaster *chip)
{
	struct pcmaster_stream *stream = chip->streams;
	unsigned long end = jiffies + msecs_to_jiffies(SILENCE_MS);
	unsigned long flags;

	for (; stream < chip->streams + chip->playback + chip->capture; stream++) {
		if (!stream->substream)
			continue;
		snd_pcm_stream_lock_irqsave(stream->substream, flags);
		if (pcmaster_rd(chip, reg_of(stream) + PCM_S_STATUS) & PCM_S_RUNNING)
			interrupt_streams(chip, BIT(stream->number));
		snd_pcm_stream_unlock_irqrestore(stream->substream, flags);
		while (stream->stopped && plays(stream) && !READ_ONCE(stream->drained) &&
		       time_before(jiffies, end))
			usleep_range(1000, 2000);
	}
}
