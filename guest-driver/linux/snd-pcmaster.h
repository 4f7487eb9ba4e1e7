/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * snd-pcmaster: what its files share
 */
#ifndef SND_PCMASTER_H
#define SND_PCMASTER_H

#include <linux/hrtimer.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/ratelimit.h>
#include <linux/spinlock.h>
#include <sound/core.h>
#include <sound/pcm.h>

#include "pcmaster_regs.h"
#include "pcmaster_exercise.h"

#define PCMASTER_FREED		64	/* buffers whose last owner is known; a power of two */
#define PCMASTER_NAME_LEN	48
#define PCMASTER_BLOCKS_WINDOW	0
#define PCMASTER_RING_WINDOW(n)	(1 + (n))	/* of stream n */
#define PCMASTER_EXERCISE_WINDOW	(PCM_WINDOW_COUNT - 1)

struct pcmaster;

/* A buffer that the device was given, or that it had. */
struct pcmaster_owner {
	struct list_head link;
	u64 first;
	u64 last;
	bool live;			/* not freed yet */
	char name[PCMASTER_NAME_LEN];
};

/* One stream of the device, and the ALSA substream that is the same. */
struct pcmaster_stream {
	struct pcmaster *chip;
	struct snd_pcm_substream *substream;
	unsigned int number;		/* of the device */
	void *block;			/* where the device writes its position */
	dma_addr_t block_addr;
	__le64 *ready;			/* where the device looks for told, if it can */
	dma_addr_t ready_addr;
	struct pcmaster_owner owner;	/* of the ring */
	struct hrtimer drain_timer;
	unsigned int looks;		/* of that timer, since the end */

	/* Under the substream's lock. */
	bool writeback;			/* the parameter, when it was opened */
	bool draining;
	bool stopped;			/* by a suspend, to go on at base */
	u64 base;			/* frames before the device's start */
	u64 seen;			/* frames since then, never less */
	u64 told;			/* frames since then that it was told of, or will see */
	u64 end;			/* frames since then it plays, if it drains */

	/* Of the interrupt's handler. */
	bool in_interrupt;		/* the block is as new as it gets */
	bool drained;			/* the back end has played it all */
	u64 block_time;			/* of the last interrupt */
};

struct pcmaster {
	struct pci_dev *pci;
	struct snd_card *card;
	void __iomem *regs;
	int slot;			/* of the module's parameters */
	unsigned int playback;
	unsigned int capture;
	unsigned int vectors;		/* more than 1: each stream has its own */
	unsigned int requested;
	struct pcmaster_stream streams[PCM_STREAM_COUNT];

	/* Of the hardware. */
	u32 addr_bits;
	u64 boundary;
	u32 align;
	u32 grain;
	u32 burst;
	unsigned int nodes;		/* of the machine */

	void *blocks;			/* all streams'; NULL: none is possible */
	dma_addr_t blocks_addr;
	size_t blocks_size;
	struct pcmaster_owner blocks_owner;

	/* The DMA API's mask and node of the device are its rings' while any is open. */
	struct mutex mask_lock;
	unsigned int opened;		/* substreams */

	/* violation.c */
	struct mutex log_lock;
	struct pcmaster_record log[PCMASTER_LOG_KEPT];
	u64 log_end;			/* records taken from the device */
	struct ratelimit_state log_limit;
	unsigned int not_shown;		/* violations, for the limit */
	spinlock_t owner_lock;
	struct list_head owners;	/* the newest first */
	struct pcmaster_owner freed[PCMASTER_FREED];
	unsigned int freed_count;

	/* node.c, exerciser.c */
	struct pcmaster_node *node;
	spinlock_t use_lock;
	u32 running;			/* streams, a bit each */
	bool exercising;
};

static inline u32 pcmaster_rd(struct pcmaster *chip, unsigned int reg)
{
	return readl(chip->regs + reg);
}

static inline void pcmaster_wr(struct pcmaster *chip, unsigned int reg, u32 val)
{
	writel(val, chip->regs + reg);
}

static inline u64 pcmaster_rd64(struct pcmaster *chip, unsigned int reg)
{
	return readq(chip->regs + reg);
}

static inline void pcmaster_wr64(struct pcmaster *chip, unsigned int reg, u64 val)
{
	writeq(val, chip->regs + reg);
}

/* main.c */
void pcmaster_set_up(struct pcmaster *chip);

/* irq.c */
u32 pcmaster_interrupts(const struct pcmaster *chip);
int pcmaster_request_irqs(struct pcmaster *chip);
void pcmaster_free_irqs(struct pcmaster *chip);
void pcmaster_wait_irq(struct pcmaster_stream *stream);

/* pcm.c */
int pcmaster_new_pcms(struct pcmaster *chip);

/* trigger.c */
void pcmaster_wait_silent(struct pcmaster *chip);

/* violation.c */
void pcmaster_init_log(struct pcmaster *chip);
void pcmaster_take_log(struct pcmaster *chip);
void pcmaster_own(struct pcmaster *chip, struct pcmaster_owner *owner, u64 first, u64 length,
		  const char *name);
void pcmaster_disown(struct pcmaster *chip, struct pcmaster_owner *owner);

/* buffer.c */
bool pcmaster_within(u64 first, u64 last, u64 boundary);
bool pcmaster_length_fits(struct pcmaster *chip, size_t bytes);
bool pcmaster_reaches(struct pcmaster *chip, u64 addr, u64 bytes);
bool pcmaster_fits(struct pcmaster *chip, u64 addr, size_t bytes);
void pcmaster_open_window(struct pcmaster *chip, unsigned int number, u64 first,
			  u64 last, u32 directions);
void pcmaster_close_window(struct pcmaster *chip, unsigned int number);

/* node.c */
int pcmaster_new_node(struct pcmaster *chip);
void pcmaster_remove_node(struct pcmaster *chip);

/* A module built for tests makes the mistake of that name; any other makes none. */
#ifdef SND_PCMASTER_MISTAKES
bool pcmaster_mistake(const char *name);
#else
static inline bool pcmaster_mistake(const char *name)
{
	return false;
}
#endif

#endif /* SND_PCMASTER_H */
