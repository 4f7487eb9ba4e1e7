// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * snd-pcmaster: ALSA driver of pcmaster, QEMU's bus master that objects
 *
 * docs/specs/pcmaster.rst of the project describes every register.
 */
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <sound/initval.h>

#include "snd-pcmaster.h"

#define READY_VERSION	0x00020001	/* the first with PCM_S_READY_AT */

MODULE_DESCRIPTION("pcmaster, an audio bus master that objects");
MODULE_LICENSE("GPL");

static int index[SNDRV_CARDS] = SNDRV_DEFAULT_IDX;
static char *id[SNDRV_CARDS] = SNDRV_DEFAULT_STR;
static bool enable[SNDRV_CARDS] = SNDRV_DEFAULT_ENABLE_PNP;

module_param_array(index, int, NULL, 0444);
MODULE_PARM_DESC(index, "Index value of each card.");
module_param_array(id, charp, NULL, 0444);
MODULE_PARM_DESC(id, "ID string of each card.");
module_param_array(enable, bool, NULL, 0444);
MODULE_PARM_DESC(enable, "Enable each card.");

#ifdef SND_PCMASTER_MISTAKES
static char *mistake = "";

module_param(mistake, charp, 0444);
MODULE_PARM_DESC(mistake, "A mistake to make: mask, boundary, overrun, freed.");

bool pcmaster_mistake(const char *name)
{
	return !strcmp(mistake, name);
}
#endif

static DEFINE_MUTEX(cards_lock);
static unsigned long cards;		/* a bit for each slot of the arrays */

static int take_slot(void)
{
	int slot;

	mutex_lock(&cards_lock);
	slot = find_first_zero_bit(&cards, SNDRV_CARDS);
	while (slot < SNDRV_CARDS && !enable[slot])
		slot = find_next_zero_bit(&cards, SNDRV_CARDS, slot + 1);
	if (slot < SNDRV_CARDS)
		__set_bit(slot, &cards);
	else
		slot = -ENODEV;
	mutex_unlock(&cards_lock);
	return slot;
}

static void give_slot(int slot)
{
	mutex_lock(&cards_lock);
	__clear_bit(slot, &cards);
	mutex_unlock(&cards_lock);
}

static int check_identity(struct pcmaster *chip)
{
	u32 cap;

	if (pcmaster_rd(chip, PCM_ID) != PCM_ID_VALUE ||
	    pcmaster_rd(chip, PCM_VERSION) >> 16 != PCM_VERSION_VALUE >> 16)
		return dev_err_probe(&chip->pci->dev, -ENODEV,
				     "not a pcmaster that this driver knows\n");
	cap = pcmaster_rd(chip, PCM_CAP);
	chip->playback = PCM_CAP_PLAYBACK(cap);
	chip->capture = PCM_CAP_CAPTURE(cap);
	if (chip->playback + chip->capture > PCM_STREAM_COUNT)
		return dev_err_probe(&chip->pci->dev, -ENODEV,
				     "says it has %u streams\n",
				     chip->playback + chip->capture);
	chip->addr_bits = pcmaster_rd(chip, PCM_HW_ADDR_BITS);
	chip->boundary = pcmaster_rd64(chip, PCM_HW_BOUNDARY);
	chip->align = pcmaster_rd(chip, PCM_HW_ALIGN);
	chip->grain = pcmaster_rd(chip, PCM_HW_GRAIN);
	chip->burst = pcmaster_rd(chip, PCM_HW_BURST);
	chip->nodes = min_t(u32, pcmaster_rd(chip, PCM_NODE_COUNT), PCM_NODES_MAX);
	return 0;
}

/* Everything that a reset undoes, D3hot's too. */
void pcmaster_set_up(struct pcmaster *chip)
{
	unsigned int n;

	pcmaster_wr(chip, PCM_CTRL, PCM_CTRL_RESET);
	if (chip->vectors > 1) {
		pcmaster_wr(chip, PCM_INT_VECTOR, 0);
		for (n = 0; n < chip->playback + chip->capture; n++)
			pcmaster_wr(chip, PCM_STREAM(n) + PCM_S_VECTOR, n + 1);
	}
	if (chip->blocks)
		pcmaster_open_window(chip, PCMASTER_BLOCKS_WINDOW, chip->blocks_addr,
				     chip->blocks_addr + chip->blocks_size - 1,
				     PCM_W_READ | PCM_W_WRITE);
	pcmaster_wr(chip, PCM_INT_ENABLE, pcmaster_interrupts(chip));
}

static bool may_be_in_block(struct pcmaster *chip, size_t bytes)
{
	return pcmaster_length_fits(chip, bytes) && pcmaster_within(0, bytes - 1, chip->boundary);
}

/*
 * What streams and device tell each other: where the device is, with a list behind
 * it if a stream needs one, and where the driver is.
 */
static int make_blocks(struct pcmaster *chip)
{
	size_t half = max_t(size_t, chip->align, PCM_WRITEBACK_BYTES + 2 * PCM_FRAGMENT_BYTES);
	size_t step = 2 * half;
	struct pcmaster_stream *stream;
	bool ready;
	unsigned int n;

	if (!may_be_in_block(chip, PCM_WRITEBACK_BYTES))
		return 0;
	ready = may_be_in_block(chip, PCM_READY_BYTES) &&
		pcmaster_rd(chip, PCM_VERSION) >= READY_VERSION;
	chip->blocks_size = PCM_STREAM_COUNT * step;
	chip->blocks = dmam_alloc_coherent(&chip->pci->dev, chip->blocks_size,
					   &chip->blocks_addr, GFP_KERNEL);
	if (!chip->blocks)
		return -ENOMEM;
	for (n = 0; n < PCM_STREAM_COUNT; n++) {
		stream = &chip->streams[n];
		stream->block = chip->blocks + n * step;
		stream->block_addr = chip->blocks_addr + n * step;
		if (ready) {
			stream->ready = stream->block + half;
			stream->ready_addr = stream->block_addr + half;
		}
	}
	pcmaster_own(chip, &chip->blocks_owner, chip->blocks_addr, chip->blocks_size,
		     "position blocks");
	return 0;
}

static int set_mask(struct pcmaster *chip)
{
	unsigned int bits = pcmaster_mistake("mask") ? 64 : chip->addr_bits;
	int err = dma_set_mask_and_coherent(&chip->pci->dev, DMA_BIT_MASK(bits));

	if (err)
		return dev_err_probe(&chip->pci->dev, err,
				     "no DMA with %u address bits\n", bits);
	return 0;
}

/*
 * Where a card judges its buffers by a node, they belong there, wherever its slot is.
 * The device has the firmware's number of a node; Linux counts them in that order.
 */
static void set_node(struct pcmaster *chip)
{
	u32 node = pcmaster_rd(chip, PCM_HW_NODE);

	if (node < chip->nodes && node_online(node))
		set_dev_node(&chip->pci->dev, node);
}

static void init_chip(struct pcmaster *chip, struct snd_card *card, struct pci_dev *pci)
{
	unsigned int n;

	chip->card = card;
	chip->pci = pci;
	spin_lock_init(&chip->use_lock);
	mutex_init(&chip->mask_lock);
	pcmaster_init_log(chip);
	for (n = 0; n < PCM_STREAM_COUNT; n++) {
		chip->streams[n].chip = chip;
		chip->streams[n].number = n;
	}
}

static int map_device(struct pcmaster *chip)
{
	int err = pcim_enable_device(chip->pci);

	if (err)
		return err;
	err = pcim_iomap_regions(chip->pci, BIT(PCM_BAR), KBUILD_MODNAME);
	if (err)
		return err;
	chip->regs = pcim_iomap_table(chip->pci)[PCM_BAR];
	return check_identity(chip);
}

static void name_card(struct pcmaster *chip)
{
	struct snd_card *card = chip->card;

	strscpy(card->driver, "pcmaster", sizeof(card->driver));
	strscpy(card->shortname, "pcmaster", sizeof(card->shortname));
	snprintf(card->longname, sizeof(card->longname),
		 "pcmaster at %s, %u address lines, irq %d", pci_name(chip->pci),
		 chip->addr_bits, pci_irq_vector(chip->pci, 0));
}

static int build_card(struct pcmaster *chip)
{
	int err = map_device(chip);

	if (err)
		return err;
	err = set_mask(chip);
	if (err)
		return err;
	pci_set_master(chip->pci);
	set_node(chip);
	pcmaster_wr(chip, PCM_CTRL, PCM_CTRL_RESET);
	err = make_blocks(chip);
	if (err)
		return err;
	err = pcmaster_request_irqs(chip);
	if (err)
		return err;
	pcmaster_set_up(chip);
	err = pcmaster_new_pcms(chip);
	if (err)
		return err;
	err = pcmaster_new_node(chip);
	if (err)
		return err;
	name_card(chip);
	return snd_card_register(chip->card);
}

static int pcmaster_probe(struct pci_dev *pci, const struct pci_device_id *pci_id)
{
	struct pcmaster *chip;
	struct snd_card *card;
	int slot = take_slot(), err;

	if (slot < 0)
		return slot;
	err = snd_card_new(&pci->dev, index[slot], id[slot], THIS_MODULE,
			   sizeof(struct pcmaster), &card);
	if (err) {
		give_slot(slot);
		return err;
	}
	chip = card->private_data;
	init_chip(chip, card, pci);
	chip->slot = slot;
	err = build_card(chip);
	if (err) {
		pcmaster_remove_node(chip);
		pcmaster_free_irqs(chip);
		snd_card_free(card);
		give_slot(slot);
		return err;
	}
	pci_set_drvdata(pci, card);
	return 0;
}

/* Waits until nobody has the sound card open: what is mapped of its rings is the device's. */
static void pcmaster_remove(struct pci_dev *pci)
{
	struct snd_card *card = pci_get_drvdata(pci);
	struct pcmaster *chip = card->private_data;
	int slot = chip->slot;

	snd_card_disconnect(card);
	pcmaster_remove_node(chip);
	pcmaster_wr(chip, PCM_CTRL, PCM_CTRL_RESET);
	pcmaster_free_irqs(chip);
	snd_card_free(card);
	give_slot(slot);
}

static int __maybe_unused pcmaster_suspend(struct device *dev)
{
	struct snd_card *card = dev_get_drvdata(dev);

	snd_power_change_state(card, SNDRV_CTL_POWER_D3hot);
	pcmaster_wait_silent(card->private_data);
	return 0;
}

static int __maybe_unused pcmaster_resume(struct device *dev)
{
	struct snd_card *card = dev_get_drvdata(dev);

	pcmaster_set_up(card->private_data);
	snd_power_change_state(card, SNDRV_CTL_POWER_D0);
	return 0;
}

static SIMPLE_DEV_PM_OPS(pcmaster_pm, pcmaster_suspend, pcmaster_resume);

static const struct pci_device_id pcmaster_ids[] = {
	{ PCI_DEVICE(PCM_PCI_VENDOR_ID, PCM_PCI_DEVICE_ID) },
	{ }
};
MODULE_DEVICE_TABLE(pci, pcmaster_ids);

static struct pci_driver pcmaster_driver = {
	.name = KBUILD_MODNAME,
	.id_table = pcmaster_ids,
	.probe = pcmaster_probe,
	.remove = pcmaster_remove,
	.driver = {
		.pm = &pcmaster_pm,
	},
};

module_pci_driver(pcmaster_driver);
