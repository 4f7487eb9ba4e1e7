/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * snd-pcmaster: what the files of the device node share
 *
 * Locks, outer ones first: requests, files_lock, the mm's (of whoever maps or
 * copies), a file's lock, mask_lock or exercising, revoking.
 */
#ifndef SND_PCMASTER_NODE_H
#define SND_PCMASTER_NODE_H

#include <linux/idr.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mm_types.h>
#include <linux/rwsem.h>

#include "snd-pcmaster.h"

struct pcmaster_node {
	struct miscdevice misc;
	struct pcmaster *chip;		/* not to be used when gone */
	char name[16];
	struct rw_semaphore requests;	/* held for reading by each of them */
	bool gone;			/* the card is */
	struct mutex exercising;
	struct rw_semaphore revoking;	/* held for reading where pages are mapped */
	struct mutex files_lock;
	struct list_head files;		/* that are open */
	refcount_t users;		/* open files, and the card */
};

struct pcmaster_buffer {
	struct pcmaster_node *node;
	struct pcmaster *chip;
	void *cpu;			/* NULL: the memory went with the card */
	dma_addr_t addr;
	size_t bytes;			/* whole pages */
	u32 length;
	bool uncached;
	unsigned long attrs;
	struct pcmaster_owner owner;
	unsigned long page;		/* of the file, where its mappings begin */
	atomic_t mapped;
};

struct pcmaster_file {
	struct list_head link;
	struct pcmaster_node *node;
	struct address_space *mapping;
	struct mutex lock;
	struct idr buffers;
	unsigned int count;
	u64 log_read;
};

/* memory.c */
long pcmaster_allocate(struct pcmaster_file *state, struct pcmaster_allocate __user *arg);
long pcmaster_free(struct pcmaster_file *state, struct pcmaster_free __user *arg);
struct iommu_domain *pcmaster_paging_domain(struct device *dev);
unsigned long pcmaster_pfn(const struct pcmaster_buffer *buffer, unsigned long page);
void pcmaster_drop_buffers(struct pcmaster_file *state);
void pcmaster_revoke_buffers(struct pcmaster_file *state);

/* mapping.c */
int pcmaster_map(struct pcmaster_file *state, struct vm_area_struct *vma);

/* exerciser.c */
long pcmaster_exercise(struct pcmaster_file *state, struct pcmaster_exercise __user *arg);

#endif /* SND_PCMASTER_NODE_H */
