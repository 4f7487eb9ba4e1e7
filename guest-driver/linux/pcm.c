// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * snd-pcmaster: streams
 *
 * Each stream of the device is a substream, so the position, the end of what is
 * played and what the driver has not yet written are known to the frame by both.
 */
#include <linux/dma-mapping.h>
#include <sound/pcm_params.h>

#include "pcm.h"

#define BUFFER_BYTES	(1U << 20)

static const struct snd_pcm_hardware hardware = {
	.info = SNDRV_PCM_INFO_MMAP | SNDRV_PCM_INFO_MMAP_VALID |
		SNDRV_PCM_INFO_INTERLEAVED | SNDRV_PCM_INFO_BLOCK_TRANSFER |
		SNDRV_PCM_INFO_PAUSE | SNDRV_PCM_INFO_SYNC_START |
		SNDRV_PCM_INFO_DRAIN_TRIGGER | SNDRV_PCM_INFO_NO_PERIOD_WAKEUP,
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

/*
 * What is asked of the DMA API is as aligned as the next power of two is large:
 * a ring has to be that large.
 */
static int limit_ring(struct pcmaster *chip, struct snd_pcm_runtime *runtime)
{
	unsigned int least = chip->align > PAGE_SIZE ? chip->align / 2 + 1 : 0;
	int err;

	err = snd_pcm_hw_constraint_minmax(runtime, SNDRV_PCM_HW_PARAM_BUFFER_BYTES,
					   least, longest_buffer(chip));
	if (err < 0)
		return err;
	err = snd_pcm_hw_constraint_step(runtime, 0, SNDRV_PCM_HW_PARAM_BUFFER_BYTES,
					 chip->grain);
	if (err < 0)
		return err;
	return snd_pcm_hw_constraint_minmax(runtime, SNDRV_PCM_HW_PARAM_PERIOD_TIME,
					    500, UINT_MAX);
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
	snd_pcm_set_sync(substream);
	stream->writeback = pcmaster_writeback && stream->block;
	if (stream->writeback)
		runtime->hw.info |= SNDRV_PCM_INFO_BATCH;
	if (tells_ready(stream))
		runtime->hw.info |= SNDRV_PCM_INFO_SYNC_APPLPTR;
	/* A ring that is rotated by a list of two parts has parts of any length. */
	if (chip->align == 1 && chip->grain == 1 && stream->block)
		runtime->hw.info |= SNDRV_PCM_INFO_RESUME;
	err = limit_ring(chip, runtime);
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

	pcmaster_stop(stream);
	WRITE_ONCE(stream->substream, NULL);
	hrtimer_cancel(&stream->drain_timer);
	pcmaster_wait_irq(stream);
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
		dev_err_ratelimited(&chip->pci->dev, "the DMA API gave %zu bytes at 0x%llx\n", bytes, addr);
		return -ENOMEM;
	}
	snprintf(name, sizeof(name), "pcmC%dD0%c%d (%s, pid %d)", chip->card->number,
		 plays(stream) ? 'p' : 'c', substream->number, current->comm,
		 task_pid_nr(current));
	pcmaster_disown(chip, &stream->owner);
	pcmaster_own(chip, &stream->owner, addr, bytes, name);
	pcmaster_open_ring(stream, substream->runtime);
	return 0;
}

static int pcmaster_hw_free(struct snd_pcm_substream *substream)
{
	struct pcmaster_stream *stream = stream_of(substream);

	pcmaster_close_window(stream->chip, PCMASTER_RING_WINDOW(stream->number));
	pcmaster_disown(stream->chip, &stream->owner);
	return 0;
}

static int pcmaster_prepare(struct snd_pcm_substream *substream)
{
	pcmaster_stop(stream_of(substream));
	return 0;
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

/* One PCM: its substreams are the device's streams. */
int pcmaster_new_pcms(struct pcmaster *chip)
{
	struct snd_pcm *pcm;
	unsigned int n;
	int err;

	for (n = 0; n < PCM_STREAM_COUNT; n++)
		pcmaster_init_drain(&chip->streams[n]);
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
