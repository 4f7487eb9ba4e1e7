// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * snd-pcmaster: interrupts
 *
 * With messages a period costs no register access: the device writes where it is
 * to memory, and its message acknowledges itself.
 */
#include <linux/interrupt.h>

#include "snd-pcmaster.h"

#define RARE	(PCM_S_DRAINED | PCM_S_ERROR | PCM_S_LATE | PCM_S_XRUN)

static bool stops_on_xrun(struct snd_pcm_runtime *runtime)
{
	return runtime->stop_threshold < runtime->boundary;
}

/* What the device says went wrong becomes what ALSA calls an xrun. */
static void stream_failed(struct pcmaster_stream *stream,
			  struct snd_pcm_substream *substream, u32 status)
{
	struct pcmaster *chip = stream->chip;
	unsigned int reg = PCM_STREAM(stream->number);

	if (status & PCM_S_ERROR) {
		dev_err_ratelimited(&chip->pci->dev, "stream %u stopped: cause %u\n",
				    stream->number, pcmaster_rd(chip, reg + PCM_S_CAUSE));
		snd_pcm_stop_xrun(substream);
	} else if (status & PCM_S_LATE && stops_on_xrun(substream->runtime)) {
		dev_warn_ratelimited(&chip->pci->dev,
				     "stream %u: the host was late, %u frames are missing\n",
				     stream->number, pcmaster_rd(chip, reg + PCM_S_LOST));
		snd_pcm_stop_xrun(substream);
	} else if (status & PCM_S_XRUN && !stream->draining &&
		   substream->runtime->stop_threshold <= substream->runtime->buffer_size) {
		/* ALSA sees nothing if the application has caught up meanwhile. */
		snd_pcm_stop_xrun(substream);
	}
}

/* Acknowledges what the device has to say of a stream, by its register. */
static u32 acknowledge(struct pcmaster_stream *stream)
{
	unsigned int reg = PCM_STREAM(stream->number) + PCM_S_STATUS;
	u32 status = pcmaster_rd(stream->chip, reg);

	if (status == ~0U)	/* the card was pulled out */
		return 0;
	pcmaster_wr(stream->chip, reg, status & (RARE | PCM_S_PERIOD));
	return status;
}

/*
 * What the device wrote to memory, if it did since the last interrupt; it does
 * not if a rule forbids it.  by_memory: the position there is as new.
 */
static u32 written_back(struct pcmaster_stream *stream, bool *by_memory)
{
	const char *block = stream->block;
	u64 time = le64_to_cpu(READ_ONCE(*(__le64 *)(block + PCM_WRITEBACK_TIME)));
	u32 status = le32_to_cpu(READ_ONCE(*(__le32 *)(block + PCM_WRITEBACK_STATUS)));

	*by_memory = time != stream->block_time;
	stream->block_time = time;
	return !*by_memory || status & RARE ? acknowledge(stream) : status;
}

static irqreturn_t stream_interrupt(int irq, void *data)
{
	struct pcmaster_stream *stream = data;
	struct snd_pcm_substream *substream;
	bool by_memory = false;
	u32 status = stream->block && stream->chip->vectors > 1 ?
		     written_back(stream, &by_memory) : acknowledge(stream);

	if (status & PCM_S_DRAINED)
		WRITE_ONCE(stream->drained, true);
	substream = READ_ONCE(stream->substream);
	if (!substream)		/* closed meanwhile; who closes waits for this handler */
		return IRQ_HANDLED;
	if (status & (PCM_S_ERROR | PCM_S_LATE | PCM_S_XRUN))
		stream_failed(stream, substream, status);
	if (status & (PCM_S_PERIOD | PCM_S_DRAINED | PCM_S_XRUN)) {
		WRITE_ONCE(stream->in_interrupt, by_memory);
		snd_pcm_period_elapsed(substream);
		WRITE_ONCE(stream->in_interrupt, false);
	}
	return IRQ_HANDLED;
}

/* What the device may interrupt for; a bit each of PCM_INT_STATUS. */
u32 pcmaster_interrupts(const struct pcmaster *chip)
{
	u32 streams = (1U << (chip->playback + chip->capture)) - 1;

	return PCM_INT_VIOLATION | streams * PCM_INT_STREAM(0);
}

/* The device's own vector, and the only one where all share one. */
static irqreturn_t card_interrupt(int irq, void *data)
{
	struct pcmaster *chip = data;
	u32 pending = pcmaster_rd(chip, PCM_INT_STATUS);
	unsigned int n;

	if (pending == ~0U || !(pending & pcmaster_interrupts(chip)))
		return IRQ_NONE;
	for (n = 0; n < chip->playback + chip->capture; n++)
		if (chip->vectors == 1 && pending & PCM_INT_STREAM(n))
			stream_interrupt(irq, &chip->streams[n]);
	pcmaster_wr(chip, PCM_INT_STATUS, pending & PCM_INT_VIOLATION);
	return pending & PCM_INT_VIOLATION ? IRQ_WAKE_THREAD : IRQ_HANDLED;
}

static irqreturn_t card_thread(int irq, void *data)
{
	pcmaster_take_log(data);
	return IRQ_HANDLED;
}

static int request_stream_irqs(struct pcmaster *chip)
{
	unsigned int n;
	int err;

	for (n = 0; n + 1 < chip->vectors; n++) {
		err = request_irq(pci_irq_vector(chip->pci, n + 1), stream_interrupt, 0,
				  KBUILD_MODNAME, &chip->streams[n]);
		if (err)
			return err;
		chip->requested = n + 2;
	}
	return 0;
}

static int request_irqs(struct pcmaster *chip, unsigned int vectors, unsigned int types)
{
	int err = pci_alloc_irq_vectors(chip->pci, vectors, vectors, types);

	if (err < 0)
		return err;
	chip->vectors = err;
	err = request_threaded_irq(pci_irq_vector(chip->pci, 0), card_interrupt,
				   card_thread, IRQF_SHARED, KBUILD_MODNAME, chip);
	if (err)
		return err;
	chip->requested = 1;
	return request_stream_irqs(chip);
}

/* A vector for each stream, or one for all where there are not as many. */
int pcmaster_request_irqs(struct pcmaster *chip)
{
	unsigned int most = 1 + chip->playback + chip->capture;

	if (!request_irqs(chip, most, PCI_IRQ_MSIX))
		return 0;
	pcmaster_free_irqs(chip);
	return request_irqs(chip, 1, PCI_IRQ_ALL_TYPES & ~PCI_IRQ_MSIX);
}

void pcmaster_free_irqs(struct pcmaster *chip)
{
	while (chip->requested > 1) {
		chip->requested--;
		free_irq(pci_irq_vector(chip->pci, chip->requested),
			 &chip->streams[chip->requested - 1]);
	}
	if (chip->requested)
		free_irq(pci_irq_vector(chip->pci, 0), chip);
	chip->requested = 0;
	if (chip->vectors)
		pci_free_irq_vectors(chip->pci);
	chip->vectors = 0;
}

/* Returns when no handler of the stream's interrupt is under way. */
void pcmaster_wait_irq(struct pcmaster_stream *stream)
{
	struct pcmaster *chip = stream->chip;

	if (chip->requested)
		synchronize_irq(pci_irq_vector(chip->pci,
					       chip->vectors > 1 ? stream->number + 1 : 0));
}
