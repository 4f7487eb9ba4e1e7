// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * snd-pcmaster: the device node's buffers
 *
 * Memory comes from the DMA API, which knows limits of whole address bits only.
 * Between those, buffers that do not suit are kept until one does.
 */
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/set_memory.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "node.h"

#define TRIES		32
#define TRIES_BYTES	(64U << 20)
#define LEAST_BITS	24	/* of a mask that the DMA API takes without an IOMMU */
#define FLUSH_MS	20	/* the IOMMU layer's queue waits for half of that */
#define NARROW_BITS	32	/* below, the IOMMU layer remembers what did not fit */
#define SPARE_BYTES	(256U << 10)	/* more than it keeps for the next request */

/* The rest of the machine goes on living: a sixteenth of its memory is not for us. */
static bool leaves_enough(size_t bytes)
{
	return si_mem_available() - (long)(bytes >> PAGE_SHIFT) > (long)(totalram_pages() / 16);
}

static struct pcmaster_buffer *new_buffer(struct pcmaster *chip, size_t bytes, bool cached)
{
	struct pcmaster_buffer *buffer;

	if (!leaves_enough(bytes))
		return NULL;
	buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);
	if (!buffer)
		return NULL;
	buffer->chip = chip;
	buffer->bytes = bytes;
	/* Only memory in one piece has a mapping whose kind can be changed. */
	buffer->attrs = cached ? 0 : DMA_ATTR_FORCE_CONTIGUOUS;
	buffer->cpu = dma_alloc_attrs(&chip->pci->dev, bytes, &buffer->addr,
				      GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN,
				      buffer->attrs);
	if (!buffer->cpu) {
		kfree(buffer);
		return NULL;
	}
	return buffer;
}

static void free_memory(struct pcmaster_buffer *buffer)
{
	struct pcmaster *chip = buffer->chip;

	if (!buffer->cpu)
		return;
	pcmaster_disown(chip, &buffer->owner);
	if (buffer->uncached)
		set_memory_wb((unsigned long)buffer->cpu, buffer->bytes >> PAGE_SHIFT);
	dma_free_attrs(&chip->pci->dev, buffer->bytes, buffer->cpu, buffer->addr,
		       buffer->attrs);
	buffer->cpu = NULL;
}

static void free_buffer(struct pcmaster_buffer *buffer)
{
	free_memory(buffer);
	kfree(buffer);
}

static int make_uncached(struct pcmaster_buffer *buffer)
{
	int err;

	if (!virt_addr_valid(buffer->cpu))
		return -EOPNOTSUPP;
	err = set_memory_uc((unsigned long)buffer->cpu, buffer->bytes >> PAGE_SHIFT);
	buffer->uncached = !err;
	return err;
}

/* Behind an IOMMU a buffer may be of any pages, which are the processor's to tell. */
unsigned long pcmaster_pfn(const struct pcmaster_buffer *buffer, unsigned long page)
{
	void *address = buffer->cpu + (page << PAGE_SHIFT);

	return is_vmalloc_addr(address) ? vmalloc_to_pfn(address) :
					  page_to_pfn(virt_to_page(address));
}

static bool suits(const struct pcmaster_buffer *buffer, const struct pcmaster_allocate *request)
{
	u64 last = buffer->addr + request->length - 1;

	return last <= request->last && !(buffer->addr & (request->align - 1)) &&
	       pcmaster_within(buffer->addr, last, request->boundary) &&
	       pcmaster_reaches(buffer->chip, buffer->addr, request->length);
}

/* One that suits, among as many as may be held meanwhile. */
static struct pcmaster_buffer *search(struct pcmaster *chip,
				      const struct pcmaster_allocate *request, unsigned int bits)
{
	struct pcmaster_buffer *tried[TRIES], *found = NULL;
	size_t bytes = PAGE_ALIGN(request->length), held = 0;
	unsigned int n = 0;

	/* A buffer is aligned to its size, so a larger one is to a larger one. */
	if (request->align > bytes)
		bytes = request->align;
	if (dma_set_coherent_mask(&chip->pci->dev, DMA_BIT_MASK(bits)))
		return NULL;
	while (!found && n < TRIES && held < TRIES_BYTES && !fatal_signal_pending(current)) {
		found = new_buffer(chip, bytes, request->flags & PCMASTER_CACHED);
		if (!found)
			break;
		if (!suits(found, request)) {
			tried[n++] = found;
			held += bytes;
			found = NULL;
		}
	}
	while (n)
		free_buffer(tried[--n]);
	return found;
}

struct iommu_domain *pcmaster_paging_domain(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain && domain->type & __IOMMU_DOMAIN_PAGING ? domain : NULL;
}

/* First with the bits of the limit, then with those of what is surely below it. */
static struct pcmaster_buffer *search_twice(struct pcmaster *chip,
					    const struct pcmaster_allocate *request)
{
	unsigned int least = pcmaster_paging_domain(&chip->pci->dev) ? PAGE_SHIFT : LEAST_BITS;
	unsigned int above = clamp_t(unsigned int, fls64(request->last), least,
				     chip->addr_bits);
	unsigned int below = request->last == ~0ULL ? 64 : fls64(request->last + 1) - 1;
	struct pcmaster_buffer *buffer = search(chip, request, above);

	if (!buffer && below < above && below >= least)
		buffer = search(chip, request, below);
	return buffer;
}

/* Addresses that were freed come back when the IOMMU has forgotten them. */
static bool frees_late(struct device *dev)
{
	struct iommu_domain *domain = pcmaster_paging_domain(dev);

	return domain && domain->type == IOMMU_DOMAIN_DMA_FQ;
}

/*
 * What finds no room makes the IOMMU layer refuse all of that size below 4 GiB, the
 * rings among them, until there is a large range that is given back: this one.
 */
static struct pcmaster_buffer *spare_range(struct pcmaster *chip,
					   const struct pcmaster_allocate *request)
{
	struct device *dev = &chip->pci->dev;

	if (!pcmaster_paging_domain(dev) || request->last > DMA_BIT_MASK(NARROW_BITS) ||
	    dma_set_coherent_mask(dev, DMA_BIT_MASK(min(chip->addr_bits, NARROW_BITS + 0U))))
		return NULL;
	return new_buffer(chip, SPARE_BYTES, true);
}

static struct pcmaster_buffer *search_with_spare(struct pcmaster *chip,
						 const struct pcmaster_allocate *request)
{
	struct pcmaster_buffer *spare = spare_range(chip, request), *buffer;

	buffer = search_twice(chip, request);
	if (spare)
		free_buffer(spare);
	return buffer;
}

/* Whether the device's own mask and node are what is asked for. */
static bool is_usual(struct pcmaster *chip, const struct pcmaster_allocate *request)
{
	return request->last >= DMA_BIT_MASK(chip->addr_bits) &&
	       (request->node == PCMASTER_ANY_NODE ||
		request->node == dev_to_node(&chip->pci->dev));
}

/*
 * The device's mask and node are those of its rings again afterwards; while an
 * application is about to make one they stay as they are.
 */
static struct pcmaster_buffer *allocate_under(struct pcmaster *chip,
					      const struct pcmaster_allocate *request)
{
	struct device *dev = &chip->pci->dev;
	struct pcmaster_buffer *buffer;
	int home = dev_to_node(dev);

	if (mutex_lock_killable(&chip->mask_lock))
		return ERR_PTR(-EINTR);
	if (chip->opened && !is_usual(chip, request)) {
		mutex_unlock(&chip->mask_lock);
		return ERR_PTR(-EBUSY);
	}
	if (request->node != PCMASTER_ANY_NODE)
		set_dev_node(dev, request->node);
	buffer = search_with_spare(chip, request);
	if (!buffer && frees_late(dev) && !fatal_signal_pending(current)) {
		msleep(FLUSH_MS);
		buffer = search_with_spare(chip, request);
	}
	set_dev_node(dev, home);
	dma_set_coherent_mask(dev, DMA_BIT_MASK(chip->addr_bits));
	mutex_unlock(&chip->mask_lock);
	return buffer ? buffer : ERR_PTR(-ENOMEM);
}

static int check_request(const struct pcmaster_allocate *request)
{
	if (!request->length || request->length > PCMASTER_BUFFER_MAX ||
	    request->flags & ~PCMASTER_CACHED || !is_power_of_2(request->align) ||
	    request->align > PCMASTER_BUFFER_MAX || request->handle ||
	    request->address || request->offset || request->physical)
		return -EINVAL;
	/* The first page is nobody's, whoever gives out addresses. */
	if (request->last < PAGE_SIZE || request->last - PAGE_SIZE < request->length - 1)
		return -ENOMEM;
	/* So many bits vary wherever so many bytes are. */
	if (!pcmaster_within(0, request->length - 1, request->boundary))
		return -EINVAL;
	if (request->node != PCMASTER_ANY_NODE &&
	    (request->node >= MAX_NUMNODES || !node_online(request->node)))
		return -EINVAL;
	return 0;
}

static int keep_buffer(struct pcmaster_file *state, struct pcmaster_buffer *buffer)
{
	char name[PCMASTER_NAME_LEN];
	int handle = -ENOSPC;

	mutex_lock(&state->lock);
	if (state->count < PCMASTER_BUFFERS_MAX)
		handle = idr_alloc(&state->buffers, buffer, 1, 0, GFP_KERNEL);
	if (handle > 0) {
		state->count++;
		buffer->node = state->node;
		buffer->page = (unsigned long)handle * (PCMASTER_BUFFER_MAX >> PAGE_SHIFT);
		snprintf(name, sizeof(name), "%s (pid %d), buffer %d", current->comm,
			 task_pid_nr(current), handle);
		pcmaster_own(buffer->chip, &buffer->owner, buffer->addr, buffer->length, name);
	}
	mutex_unlock(&state->lock);
	return handle;
}

static int forget_buffer(struct pcmaster_file *state, u32 handle)
{
	struct pcmaster_buffer *buffer;
	int err = 0;

	mutex_lock(&state->lock);
	buffer = idr_find(&state->buffers, handle);
	if (!buffer) {
		err = -ENOENT;
	} else if (atomic_read(&buffer->mapped)) {
		err = -EBUSY;
	} else {
		idr_remove(&state->buffers, handle);
		state->count--;
		free_buffer(buffer);
	}
	mutex_unlock(&state->lock);
	return err;
}

static struct pcmaster_buffer *make_buffer(struct pcmaster *chip,
					   const struct pcmaster_allocate *request)
{
	struct pcmaster_buffer *buffer;
	int err;

	err = check_request(request);
	if (err)
		return ERR_PTR(err);
	buffer = allocate_under(chip, request);
	if (IS_ERR(buffer))
		return buffer;
	buffer->length = request->length;
	err = request->flags & PCMASTER_CACHED ? 0 : make_uncached(buffer);
	if (err) {
		free_buffer(buffer);
		return ERR_PTR(err);
	}
	return buffer;
}

long pcmaster_allocate(struct pcmaster_file *state, struct pcmaster_allocate __user *arg)
{
	struct pcmaster_allocate request;
	struct pcmaster_buffer *buffer;
	int handle;

	if (copy_from_user(&request, arg, sizeof(request)))
		return -EFAULT;
	buffer = make_buffer(state->node->chip, &request);
	if (IS_ERR(buffer))
		return PTR_ERR(buffer);
	/* From when it is kept on another thread may free it. */
	request.address = buffer->addr;
	request.physical = PFN_PHYS(pcmaster_pfn(buffer, 0));
	handle = keep_buffer(state, buffer);
	if (handle < 0) {
		free_buffer(buffer);
		return handle;
	}
	request.handle = handle;
	request.offset = (u64)handle * PCMASTER_BUFFER_MAX;
	if (copy_to_user(arg, &request, sizeof(request))) {
		forget_buffer(state, handle);
		return -EFAULT;
	}
	return 0;
}

long pcmaster_free(struct pcmaster_file *state, struct pcmaster_free __user *arg)
{
	struct pcmaster_free request;

	if (copy_from_user(&request, arg, sizeof(request)))
		return -EFAULT;
	if (request.reserved)
		return -EINVAL;
	return forget_buffer(state, request.handle);
}

/* The file is closed: nothing of it is mapped any more. */
void pcmaster_drop_buffers(struct pcmaster_file *state)
{
	struct pcmaster_buffer *buffer;
	int handle;

	idr_for_each_entry(&state->buffers, buffer, handle)
		free_buffer(buffer);
	idr_destroy(&state->buffers);
}

/* The card goes: whoever touches a mapping from now on gets a signal. */
void pcmaster_revoke_buffers(struct pcmaster_file *state)
{
	struct pcmaster_buffer *buffer;
	int handle;

	mutex_lock(&state->lock);
	idr_for_each_entry(&state->buffers, buffer, handle) {
		unmap_mapping_range(state->mapping, (loff_t)buffer->page << PAGE_SHIFT,
				    buffer->bytes, 1);
		free_memory(buffer);
	}
	mutex_unlock(&state->lock);
}
