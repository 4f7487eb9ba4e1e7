// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * snd-pcmaster: what the device is told of a stream
 */
#include "pcm.h"

#define LOOK_NS		(10 * NSEC_PER_MSEC)
#define LOOKS		30		/* the longest wait for the back end after the end */
#define SLACK_NS	10000000ULL	/* the most that helps the host */
#define SLACK_PERIOD_NS	5000000ULL	/* shorter ones are about latency */

static const struct {
	snd_pcm_format_t alsa;
	u32 device;
} formats[] = {
	{ SNDRV_PCM_FORMAT_U8, PCM_S_U8 },
	{ SNDRV_PCM_FORMAT_S8, PCM_S_S8 },
	{ SNDRV_PCM_FORMAT_U16_LE, PCM_S_U16 },
	{ SNDRV_PCM_FORMAT_S16_LE, PCM_S_S16 },
	{ SNDRV_PCM_FORMAT_U32_LE, PCM_S_U32 },
	{ SNDRV_PCM_FORMAT_S32_LE, PCM_S_S32 },
	{ SNDRV_PCM_FORMAT_FLOAT_LE, PCM_S_F32 },
};

static u32 format_of(snd_pcm_format_t format)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(formats) - 1 && formats[i].alsa != format; i++)
		;
	return formats[i].device;
}

/* How late a period may be told of: the host is woken less often then. */
static u32 slack_of(const struct snd_pcm_runtime *runtime)
{
	u64 period = div_u64((u64)runtime->period_size * NSEC_PER_SEC, runtime->rate);

	if (period < SLACK_PERIOD_NS || runtime->periods < 3)
		return 0;
	return min(period / 2, SLACK_NS);
}

void pcmaster_tell_end(struct pcmaster_stream *stream)
{
	u64 now, rest;

	stream->end = stream->draining ? pcmaster_end(stream) : 0;
	pcmaster_wr64(stream->chip, reg_of(stream) + PCM_S_END, stream->end);
	if (!stream->draining || !plays(stream))
		return;
	now = pcmaster_rd64(stream->chip, reg_of(stream) + PCM_S_POSITION);
	rest = stream->end > now ? stream->end - now : 0;
	rest = div_u64(rest * NSEC_PER_SEC, stream->substream->runtime->rate);
	stream->looks = 0;
	hrtimer_start(&stream->drain_timer, ns_to_ktime(rest + LOOK_NS), HRTIMER_MODE_REL);
}

/* Declares the ring to the device. */
void pcmaster_open_ring(struct pcmaster_stream *stream, const struct snd_pcm_runtime *runtime)
{
	pcmaster_open_window(stream->chip, PCMASTER_RING_WINDOW(stream->number),
			     runtime->dma_addr, runtime->dma_addr + runtime->dma_bytes - 1,
			     plays(stream) ? PCM_W_READ : PCM_W_WRITE);
}

/* The ring, which begins where the stream was suspended. */
static void tell_ring(struct pcmaster_stream *stream)
{
	struct snd_pcm_runtime *runtime = stream->substream->runtime;
	struct pcmaster *chip = stream->chip;
	u32 bytes = frames_to_bytes(runtime, runtime->buffer_size), before;
	__le64 *list = stream->block + PCM_WRITEBACK_BYTES;
	unsigned int reg = reg_of(stream);
	u64 frame = stream->base;

	before = frames_to_bytes(runtime, do_div(frame, runtime->buffer_size));
	if (before) {
		list[0] = cpu_to_le64(runtime->dma_addr + before);
		list[1] = cpu_to_le64(bytes - before);
		list[2] = cpu_to_le64(runtime->dma_addr);
		list[3] = cpu_to_le64(before);
	}
	if (pcmaster_mistake("overrun"))
		bytes *= 2;
	pcmaster_wr64(chip, reg + PCM_S_BUFFER,
		      before ? stream->block_addr + PCM_WRITEBACK_BYTES : runtime->dma_addr);
	pcmaster_wr(chip, reg + PCM_S_LENGTH, bytes);
	pcmaster_wr(chip, reg + PCM_S_FRAGMENTS, before ? 2 : 0);
}

/* All of the stream's registers: a power state may have cleared them. */
void pcmaster_tell_all(struct pcmaster_stream *stream)
{
	struct snd_pcm_runtime *runtime = stream->substream->runtime;
	struct pcmaster *chip = stream->chip;
	unsigned int reg = reg_of(stream);

	stream->seen = 0;
	stream->drained = false;
	if (stream->block)
		memset(stream->block, 0, PCM_WRITEBACK_BYTES);
	stream->block_time = 0;
	pcmaster_open_ring(stream, runtime);
	if (pcmaster_mistake("freed"))
		pcmaster_close_window(chip, PCMASTER_RING_WINDOW(stream->number));
	tell_ring(stream);
	pcmaster_wr(chip, reg + PCM_S_FORMAT,
		    format_of(runtime->format) | PCM_S_CHANNELS(runtime->channels));
	pcmaster_wr(chip, reg + PCM_S_RATE, runtime->rate);
	pcmaster_wr(chip, reg + PCM_S_PERIOD_FRAMES,
		    runtime->no_period_wakeup ? 0 : runtime->period_size);
	pcmaster_wr(chip, reg + PCM_S_SLACK, slack_of(runtime));
	pcmaster_wr64(chip, reg + PCM_S_WRITEBACK, stream->block ? stream->block_addr : 0);
	pcmaster_wr(chip, reg + PCM_S_INT_ENABLE, PCM_S_PERIOD | PCM_S_DRAINED |
		    PCM_S_ERROR | PCM_S_LATE | PCM_S_XRUN);
	pcmaster_tell_end(stream);
	pcmaster_wr64(chip, reg + PCM_S_READY_AT, stream->ready ? stream->ready_addr : 0);
	stream->told = 0;
	pcmaster_tell_ready(stream);
	pcmaster_wr(chip, reg + PCM_S_CTL,
		    stream->block && chip->vectors > 1 ? PCM_S_SELF_CLEAR : 0);
}

/*
 * A back end may take longer than ALSA waits, which does so anew each time that it
 * is woken.  In the end, what the device has will be played.
 */
static enum hrtimer_restart drain_timeout(struct hrtimer *timer)
{
	struct pcmaster_stream *stream = container_of(timer, struct pcmaster_stream, drain_timer);
	struct snd_pcm_substream *substream = READ_ONCE(stream->substream);

	if (!substream)
		return HRTIMER_NORESTART;
	if (!READ_ONCE(stream->drained) && ++stream->looks < LOOKS) {
		wake_up(&substream->runtime->sleep);
		hrtimer_forward_now(timer, ns_to_ktime(LOOK_NS));
		return HRTIMER_RESTART;
	}
	WRITE_ONCE(stream->drained, true);
	snd_pcm_period_elapsed(substream);
	return HRTIMER_NORESTART;
}

void pcmaster_init_drain(struct pcmaster_stream *stream)
{
	hrtimer_init(&stream->drain_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	stream->drain_timer.function = drain_timeout;
}
