// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * snd-pcmaster: streams
 *
 * Each stream of the device is a substream, so the position, the end of what is
 * played and what the driver has not yet written are known to the frame by both.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <sound/pcm_params.h>

#include "snd-pcmaster.h"

#define BUFFER_BYTES	(1U << 20)
#define SILENCE_MS	2000		/* the longest wait for the back end */
#define DRAIN_NS	(20 * NSEC_PER_MSEC)
#define SLACK_NS	10000000ULL	/* the most that helps the host */
#define SLACK_PERIOD_NS	5000000ULL	/* shorter ones are about latency */

static bool writeback;

module_param(writeback, bool, 0644);
MODULE_PARM_DESC(writeback,
		 "Take positions only from memory, where each period writes them: no register access while playing, and a position of a period's accuracy.");

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

static const struct snd_pcm_hardware hardware = {
	.info = SNDRV_PCM_INFO_MMAP | SNDRV_PCM_INFO_MMAP_VALID |
		SNDRV_PCM_INFO_INTERLEAVED | SNDRV_PCM_INFO_BLOCK_TRANSFER |
		SNDRV_PCM_INFO_PAUSE | SNDRV_PCM_INFO_SYNC_START |
		SNDRV_PCM_INFO_DRAIN_TRIGGER,
	.formats = SNDRV_PCM_FMTBIT_U8 | SNDRV_PCM_FMTBIT_S8 |
		   SNDRV_PCM_FMTBIT_U16_LE | SNDRV_PCM_FMTBIT_S16_LE |
		   SNDRV_PCM_FMTBIT_U32_LE | SNDRV_PCM_FMTBIT_S32_LE |
		   SNDRV_PCM_FMTBIT_FLOAT_LE,
	.rates = SNDRV_PCM_RATE_CONTINUOUS | SNDRV_PCM_RATE_8000_192000,
	.rate_min = PCM_S_RATE_MIN,
	.rate_max = PCM_S_RATE_MAX,
	.channels_min = 1,
	.channels_max = 2,
	.buffer_bytes_max = BUFFER_BYTES,
	.period_bytes_min = 4,
	.period_bytes_max = BUFFER_BYTES / 2,
	.periods_min = 2,
	.periods_max = 4096,
};

static u32 format_of(snd_pcm_format_t format)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(formats) - 1 && formats[i].alsa != format; i++)
		;
	return formats[i].device;
}

static struct pcmaster_stream *stream_of(struct snd_pcm_substream *substream)
{
	return substream->private_data;
}

static unsigned int reg_of(const struct pcmaster_stream *stream)
{
	return PCM_STREAM(stream->number);
}

static bool plays(const struct pcmaster_stream *stream)
{
	return stream->number < stream->chip->playback;
}

/* The largest buffer that no boundary crosses wherever the DMA API puts it. */
static size_t longest_buffer(const struct pcmaster *chip)
{
	u64 whole = ~chip->boundary & (chip->boundary + 1);	/* lowest bit that must not vary */
	u64 bytes = BUFFER_BYTES;

	if (pcmaster_mistake("boundary"))
		return bytes;
	if (whole)
		bytes = min(bytes, whole);
	if (chip->burst)
		bytes = min_t(u64, bytes, chip->burst);
	return bytes;
}

static int pcmaster_open(struct snd_pcm_substream *substream)
{
	struct pcmaster *chip = snd_pcm_substream_chip(substream);
	unsigned int first = substream->stream == SNDRV_PCM_STREAM_PLAYBACK ? 0 : chip->playback;
	struct pcmaster_stream *stream = &chip->streams[first + substream->number];
	struct snd_pcm_runtime *runtime = substream->runtime;
	int err;

	runtime->hw = hardware;
	runtime->hw.channels_max = PCM_CAP2_CHANNELS(pcmaster_rd(chip, PCM_CAP2));
	runtime->hw.buffer_bytes_max = longest_buffer(chip);
	runtime->hw.period_bytes_max = runtime->hw.buffer_bytes_max / 2;
	if (!writeback || !stream->block)
		runtime->hw.info |= SNDRV_PCM_INFO_SYNC_APPLPTR;
	/* A ring that is rotated by a list of two parts has parts of any length. */
	if (chip->align == 1 && chip->grain == 1 && stream->block)
		runtime->hw.info |= SNDRV_PCM_INFO_RESUME;
	err = snd_pcm_hw_constraint_step(runtime, 0, SNDRV_PCM_HW_PARAM_BUFFER_BYTES,
					 chip->grain);
	if (err < 0)
		return err;
	err = snd_pcm_hw_constraint_minmax(runtime, SNDRV_PCM_HW_PARAM_PERIOD_TIME,
					   500, UINT_MAX);
	if (err < 0)
		return err;
	substream->private_data = stream;
	WRITE_ONCE(stream->substream, substream);
	mutex_lock(&chip->mask_lock);
	chip->opened++;
	mutex_unlock(&chip->mask_lock);
	return 0;
}

static int pcmaster_close(struct snd_pcm_substream *substream)
{
	struct pcmaster_stream *stream = stream_of(substream);

	hrtimer_cancel(&stream->drain_timer);
	pcmaster_wait_irq(stream);
	WRITE_ONCE(stream->substream, NULL);
	substream->private_data = stream->chip;
	mutex_lock(&stream->chip->mask_lock);
	stream->chip->opened--;
	mutex_unlock(&stream->chip->mask_lock);
	return 0;
}

static int pcmaster_hw_params(struct snd_pcm_substream *substream,
			      struct snd_pcm_hw_params *params)
{
	struct pcmaster_stream *stream = stream_of(substream);
	struct pcmaster *chip = stream->chip;
	u64 addr = substream->runtime->dma_addr;
	size_t bytes = params_buffer_bytes(params);
	char name[PCMASTER_NAME_LEN];

	if (!pcmaster_fits(chip, addr, bytes) && !pcmaster_mistake("mask") &&
	    !pcmaster_mistake("boundary")) {
		dev_err(&chip->pci->dev, "the DMA API gave %zu bytes at 0x%llx\n", bytes, addr);
		return -ENOMEM;
	}
	snprintf(name, sizeof(name), "pcmC%dD0%c%d (%s, pid %d)", chip->card->number,
		 plays(stream) ? 'p' : 'c', substream->number, current->comm,
		 task_pid_nr(current));
	pcmaster_disown(chip, stream->owner);
	stream->owner = pcmaster_own(chip, addr, bytes, name);
	pcmaster_open_window(chip, PCMASTER_RING_WINDOW(stream->number), addr,
			     addr + bytes - 1, plays(stream) ? PCM_W_READ : PCM_W_WRITE);
	return 0;
}

static int pcmaster_hw_free(struct snd_pcm_substream *substream)
{
	struct pcmaster_stream *stream = stream_of(substream);

	pcmaster_close_window(stream->chip, PCMASTER_RING_WINDOW(stream->number));
	pcmaster_disown(stream->chip, stream->owner);
	stream->owner = -1;
	return 0;
}

/* How late a period may be told of: the host is woken less often then. */
static u32 slack_of(const struct snd_pcm_runtime *runtime)
{
	u64 period = div_u64((u64)runtime->period_size * NSEC_PER_SEC, runtime->rate);

	if (period < SLACK_PERIOD_NS || runtime->periods < 3)
		return 0;
	return min(period / 2, SLACK_NS);
}

/* Frames that ALSA has written or taken, from the first on. */
static u64 follow_appl(struct pcmaster_stream *stream)
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
static void tell_ready(struct pcmaster_stream *stream)
{
	struct snd_pcm_runtime *runtime = stream->substream->runtime;
	u64 ready = PCM_S_READY_UNTOLD;

	if (stream->tells_ready && runtime->stop_threshold < runtime->boundary)
		ready = follow_appl(stream) - stream->base;
	pcmaster_wr64(stream->chip, reg_of(stream) + PCM_S_READY, ready);
}

static void tell_end(struct pcmaster_stream *stream)
{
	u64 end = stream->draining ? follow_appl(stream) - stream->base : 0, now, rest;

	pcmaster_wr64(stream->chip, reg_of(stream) + PCM_S_END, end);
	if (stream->draining) {
		now = pcmaster_rd64(stream->chip, reg_of(stream) + PCM_S_POSITION);
		rest = end > now ? end - now : 0;
		rest = div_u64(rest * NSEC_PER_SEC, stream->substream->runtime->rate);
		hrtimer_start(&stream->drain_timer, ns_to_ktime(rest + DRAIN_NS), HRTIMER_MODE_REL);
	}
}

/*
 * ALSA's patience ends 100 ms after the last period.  A back end may have played
 * all only later; but what the device has taken it will play.
 */
static enum hrtimer_restart drain_timeout(struct hrtimer *timer)
{
	struct pcmaster_stream *stream = container_of(timer, struct pcmaster_stream, drain_timer);

	snd_pcm_period_elapsed(stream->substream);
	return HRTIMER_NORESTART;
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
static void tell_all(struct pcmaster_stream *stream)
{
	struct snd_pcm_runtime *runtime = stream->substream->runtime;
	struct pcmaster *chip = stream->chip;
	unsigned int reg = reg_of(stream);

	stream->seen = 0;
	stream->drained = false;
	if (stream->block)
		memset(stream->block, 0, PCM_WRITEBACK_BYTES);
	stream->block_time = 0;
	pcmaster_open_window(chip, PCMASTER_RING_WINDOW(stream->number), runtime->dma_addr,
			     runtime->dma_addr + runtime->dma_bytes - 1,
			     plays(stream) ? PCM_W_READ : PCM_W_WRITE);
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
	tell_end(stream);
	tell_ready(stream);
	pcmaster_wr(chip, reg + PCM_S_CTL,
		    stream->block && chip->vectors > 1 ? PCM_S_SELF_CLEAR : 0);
}

static int pcmaster_prepare(struct snd_pcm_substream *substream)
{
	struct pcmaster_stream *stream = stream_of(substream);

	pcmaster_wr(stream->chip, PCM_STREAMS_STOP, BIT(stream->number));
	stream->base = 0;
	stream->seen = 0;
	stream->draining = false;
	stream->stopped = false;
	return 0;
}

/* Frames that have passed since ALSA started the stream. */
static u64 position(struct pcmaster_stream *stream)
{
	struct snd_pcm_runtime *runtime = stream->substream->runtime;
	bool by_memory = READ_ONCE(stream->in_interrupt) ||
			 (writeback && stream->block && !runtime->no_period_wakeup);
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

static snd_pcm_uframes_t pcmaster_pointer(struct snd_pcm_substream *substream)
{
	struct pcmaster_stream *stream = stream_of(substream);
	u64 frames = stream->stopped ? stream->base : position(stream);

	return do_div(frames, substream->runtime->buffer_size);
}

static int pcmaster_ack(struct snd_pcm_substream *substream)
{
	struct pcmaster_stream *stream = stream_of(substream);

	if (stream->tells_ready && stream->chip->running & BIT(stream->number))
		tell_ready(stream);
	return 0;
}

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

static void start_from_zero(struct pcmaster_stream *stream)
{
	stream->base = 0;
	stream->stopped = false;
	stream->tells_ready = !writeback || !stream->block;
	stream->appl_ptr = 0;
	stream->appl = 0;
	follow_appl(stream);
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
			start_from_zero(&chip->streams[n]);
		chip->streams[n].stopped = false;
		tell_all(&chip->streams[n]);
	}
	pcmaster_wr(chip, PCM_STREAMS_START, mask);
	for_each_set_bit(n, &bits, PCM_STREAM_COUNT)
		if (!(pcmaster_rd(chip, PCM_STREAM(n) + PCM_S_STATUS) & PCM_S_RUNNING))
			err = -EIO;
	return err;
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
	u64 frames;

	pcmaster_wr(chip, PCM_STREAMS_PAUSE, mask);
	for_each_set_bit(n, &bits, PCM_STREAM_COUNT) {
		stream = &chip->streams[n];
		frames = pcmaster_rd64(chip, reg_of(stream) + PCM_S_POSITION);
		if (frames)
			pcmaster_wr64(chip, reg_of(stream) + PCM_S_END, frames);
		else
			pcmaster_wr(chip, PCM_STREAMS_STOP, BIT(n));
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

static int pcmaster_trigger(struct snd_pcm_substream *substream, int cmd)
{
	struct pcmaster_stream *stream = stream_of(substream);
	struct pcmaster *chip = stream->chip;
	u32 bits;

	if (cmd == SNDRV_PCM_TRIGGER_DRAIN) {
		stream->draining = true;
		tell_end(stream);
		return 0;
	}
	bits = group_of(substream);
	switch (cmd) {
	case SNDRV_PCM_TRIGGER_START:
	case SNDRV_PCM_TRIGGER_RESUME:
		return start(chip, bits, cmd == SNDRV_PCM_TRIGGER_RESUME);
	case SNDRV_PCM_TRIGGER_STOP:
		pcmaster_wr(chip, PCM_STREAMS_STOP, bits);
		release(chip, bits);
		return 0;
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

static int pcmaster_sync_stop(struct snd_pcm_substream *substream)
{
	hrtimer_cancel(&stream_of(substream)->drain_timer);
	pcmaster_wait_irq(stream_of(substream));
	return 0;
}

static const struct snd_pcm_ops pcmaster_ops = {
	.open = pcmaster_open,
	.close = pcmaster_close,
	.hw_params = pcmaster_hw_params,
	.hw_free = pcmaster_hw_free,
	.prepare = pcmaster_prepare,
	.trigger = pcmaster_trigger,
	.sync_stop = pcmaster_sync_stop,
	.pointer = pcmaster_pointer,
	.ack = pcmaster_ack,
};

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

/* One PCM: its substreams are the device's streams. */
int pcmaster_new_pcms(struct pcmaster *chip)
{
	struct snd_pcm *pcm;
	unsigned int n;
	int err;

	for (n = 0; n < PCM_STREAM_COUNT; n++) {
		hrtimer_init(&chip->streams[n].drain_timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
		chip->streams[n].drain_timer.function = drain_timeout;
	}
	if (!(chip->playback + chip->capture))
		return 0;
	err = snd_pcm_new(chip->card, "pcmaster", 0, chip->playback, chip->capture, &pcm);
	if (err < 0)
		return err;
	pcm->private_data = chip;
	strscpy(pcm->name, "pcmaster", sizeof(pcm->name));
	if (chip->playback)
		snd_pcm_set_ops(pcm, SNDRV_PCM_STREAM_PLAYBACK, &pcmaster_ops);
	if (chip->capture)
		snd_pcm_set_ops(pcm, SNDRV_PCM_STREAM_CAPTURE, &pcmaster_ops);
	return snd_pcm_set_managed_buffer_all(pcm, SNDRV_DMA_TYPE_DEV, &chip->pci->dev,
					      0, BUFFER_BYTES);
}
