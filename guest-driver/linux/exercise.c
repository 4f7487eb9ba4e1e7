// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * snd-pcmaster: /dev/pcmasterN, see pcmaster_exercise.h
 *
 * Memory comes from the DMA API, which knows limits of whole address bits only.
 * Between those, and for nodes, buffers that do not suit are kept until one does.
 */
#include <linux/capability.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/set_memory.h>
#include <linux/uaccess.h>

#include "snd-pcmaster.h"

#define TRIES		32
#define TRIES_BYTES	(64U << 20)
#define COMMAND_MS	10000
#define LEAST_BITS	24	/* of a mask that the DMA API takes */

struct pcmaster_node {
	struct miscdevice misc;
	struct pcmaster *chip;
	char name[16];
	struct rw_semaphore requests;	/* held for reading by each of them */
	bool gone;
	struct mutex allocating;	/* mask and node of the PCI device change */
	struct mutex exercising;
	struct completion closed;
	refcount_t users;		/* open files, and the card */
};

struct buffer {
	struct pcmaster *chip;
	void *cpu;
	dma_addr_t addr;
	size_t bytes;			/* whole pages */
	u32 length;
	bool uncached;
	unsigned long attrs;
	int owner;
	atomic_t mapped;
};

struct file_state {
	struct pcmaster_node *node;
	struct mutex lock;
	struct idr buffers;
	unsigned int count;
	u64 log_read;
};

/* --- memory -------------------------------------------------------------- */

static struct buffer *new_buffer(struct pcmaster *chip, size_t bytes, bool cached)
{
	struct buffer *buffer = kzalloc(sizeof(*buffer), GFP_KERNEL);

	if (!buffer)
		return NULL;
	buffer->chip = chip;
	buffer->bytes = bytes;
	buffer->owner = -1;
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

static void free_buffer(struct buffer *buffer)
{
	struct pcmaster *chip = buffer->chip;

	pcmaster_disown(chip, buffer->owner);
	if (buffer->uncached)
		set_memory_wb((unsigned long)buffer->cpu, buffer->bytes >> PAGE_SHIFT);
	dma_free_attrs(&chip->pci->dev, buffer->bytes, buffer->cpu, buffer->addr,
		       buffer->attrs);
	kfree(buffer);
}

static int make_uncached(struct buffer *buffer)
{
	int err;

	if (!virt_addr_valid(buffer->cpu))
		return -EOPNOTSUPP;
	err = set_memory_uc((unsigned long)buffer->cpu, buffer->bytes >> PAGE_SHIFT);
	buffer->uncached = !err;
	return err;
}

/* All bits from the highest that differ between first and last down. */
static u64 varying(u64 first, u64 last)
{
	return first == last ? 0 : GENMASK_ULL(fls64(first ^ last) - 1, 0);
}

static bool suits(const struct buffer *buffer, const struct pcmaster_allocate *request)
{
	u64 last = buffer->addr + request->length - 1;

	return last <= request->last && !(buffer->addr & (request->align - 1)) &&
	       !(varying(buffer->addr, last) & ~request->boundary) &&
	       pcmaster_reaches(buffer->chip, buffer->addr, request->length);
}

/* One that suits, among as many as may be held meanwhile. */
static struct buffer *search(struct pcmaster *chip, const struct pcmaster_allocate *request,
			     unsigned int bits, unsigned int tries)
{
	struct buffer *tried[TRIES], *found = NULL;
	size_t bytes = PAGE_ALIGN(request->length), held = 0;
	unsigned int n = 0;

	/* A buffer is aligned to its size, so a larger one is to a larger one. */
	if (request->align > bytes)
		bytes = request->align;
	if (dma_set_coherent_mask(&chip->pci->dev, DMA_BIT_MASK(bits)))
		return NULL;
	while (!found && n < tries && held < TRIES_BYTES) {
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

/*
 * First with the bits of the limit, then with those of what is surely below it.
 * The device's mask and node are those of its streams again afterwards.
 */
static struct buffer *allocate_under(struct pcmaster_node *node,
				     const struct pcmaster_allocate *request)
{
	struct pcmaster *chip = node->chip;
	struct device *dev = &chip->pci->dev;
	unsigned int above = clamp_t(unsigned int, fls64(request->last), LEAST_BITS,
				     chip->addr_bits);
	unsigned int below = request->last == ~0ULL ? 64 : fls64(request->last + 1) - 1;
	int home = dev_to_node(dev);
	struct buffer *buffer;

	mutex_lock(&node->allocating);
	if (request->node != PCMASTER_ANY_NODE)
		set_dev_node(dev, request->node);
	buffer = search(chip, request, above, TRIES);
	if (!buffer && below < above && below >= LEAST_BITS)
		buffer = search(chip, request, below, TRIES);
	set_dev_node(dev, home);
	dma_set_coherent_mask(dev, DMA_BIT_MASK(chip->addr_bits));
	mutex_unlock(&node->allocating);
	return buffer;
}

static int check_request(const struct pcmaster_allocate *request)
{
	if (!request->length || request->length > PCMASTER_BUFFER_MAX ||
	    request->flags & ~PCMASTER_CACHED || !is_power_of_2(request->align) ||
	    request->align > PCMASTER_BUFFER_MAX ||
	    request->handle || request->address || request->offset)
		return -EINVAL;
	/* So many bits vary wherever so many bytes are. */
	if (varying(0, request->length - 1) & ~request->boundary)
		return -EINVAL;
	if (request->node != PCMASTER_ANY_NODE &&
	    (request->node >= MAX_NUMNODES || !node_online(request->node)))
		return -EINVAL;
	return 0;
}

static int keep_buffer(struct file_state *state, struct buffer *buffer)
{
	char name[PCMASTER_NAME_LEN];
	int handle = -ENOSPC;

	mutex_lock(&state->lock);
	if (state->count < PCMASTER_BUFFERS_MAX)
		handle = idr_alloc(&state->buffers, buffer, 1, 0, GFP_KERNEL);
	if (handle > 0)
		state->count++;
	mutex_unlock(&state->lock);
	if (handle < 0)
		return handle;
	snprintf(name, sizeof(name), "%s (pid %d), buffer %d", current->comm,
		 task_pid_nr(current), handle);
	buffer->owner = pcmaster_own(buffer->chip, buffer->addr, buffer->length, name);
	return handle;
}

static long do_allocate(struct file_state *state, struct pcmaster_allocate __user *arg)
{
	struct pcmaster_allocate request;
	struct buffer *buffer;
	int err;

	if (copy_from_user(&request, arg, sizeof(request)))
		return -EFAULT;
	err = check_request(&request);
	if (err)
		return err;
	buffer = allocate_under(state->node, &request);
	if (!buffer)
		return -ENOMEM;
	buffer->length = request.length;
	err = request.flags & PCMASTER_CACHED ? 0 : make_uncached(buffer);
	if (!err)
		err = keep_buffer(state, buffer);
	if (err < 0) {
		free_buffer(buffer);
		return err;
	}
	request.handle = err;
	request.address = buffer->addr;
	request.offset = (u64)request.handle * PCMASTER_BUFFER_MAX;
	return copy_to_user(arg, &request, sizeof(request)) ? -EFAULT : 0;
}

static long do_free(struct file_state *state, struct pcmaster_free __user *arg)
{
	struct pcmaster_free request;
	struct buffer *buffer;
	long err = 0;

	if (copy_from_user(&request, arg, sizeof(request)))
		return -EFAULT;
	if (request.reserved)
		return -EINVAL;
	mutex_lock(&state->lock);
	buffer = idr_find(&state->buffers, request.handle);
	if (!buffer)
		err = -ENOENT;
	else if (atomic_read(&buffer->mapped))
		err = -EBUSY;
	else
		idr_remove(&state->buffers, request.handle);
	if (!err) {
		state->count--;
		free_buffer(buffer);
	}
	mutex_unlock(&state->lock);
	return err;
}

static void mapping_opened(struct vm_area_struct *vma)
{
	struct buffer *buffer = vma->vm_private_data;

	atomic_inc(&buffer->mapped);
}

static void mapping_closed(struct vm_area_struct *vma)
{
	struct buffer *buffer = vma->vm_private_data;

	atomic_dec(&buffer->mapped);
}

static const struct vm_operations_struct mapping_ops = {
	.open = mapping_opened,
	.close = mapping_closed,
};

static int map_buffer(struct file_state *state, struct vm_area_struct *vma)
{
	unsigned long pages = PCMASTER_BUFFER_MAX >> PAGE_SHIFT;
	struct buffer *buffer = idr_find(&state->buffers, vma->vm_pgoff / pages);
	int err;

	if (!buffer || vma->vm_pgoff % pages || !(vma->vm_flags & VM_SHARED) ||
	    vma->vm_end - vma->vm_start > buffer->bytes)
		return -EINVAL;
	vma->vm_pgoff = 0;
	if (buffer->uncached)
		vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	err = dma_mmap_attrs(&buffer->chip->pci->dev, vma, buffer->cpu, buffer->addr,
			     buffer->bytes, buffer->attrs);
	if (err)
		return err;
	vma->vm_private_data = buffer;
	vma->vm_ops = &mapping_ops;
	atomic_inc(&buffer->mapped);
	return 0;
}

/* --- the exerciser --------------------------------------------------------- */

static int check_exercise(const struct pcmaster *chip, const struct buffer *buffer,
			  const struct pcmaster_exercise *request)
{
	if (!buffer)
		return -ENOENT;
	if (!request->length || request->offset > buffer->length ||
	    request->length > buffer->length - request->offset ||
	    request->window_short > request->length)
		return -EINVAL;
	if (request->command < PCM_EX_FILL || request->command > PCM_EX_READ ||
	    request->addr_bits < PCM_ADDR_BITS_MIN || request->addr_bits > chip->addr_bits)
		return -EINVAL;
	if (request->node != PCMASTER_ANY_NODE && request->node >= PCM_NODES_MAX)
		return -EINVAL;
	return 0;
}

static void set_rules(struct pcmaster *chip, u32 addr_bits, u64 limit, u64 boundary, u32 node)
{
	pcmaster_wr(chip, PCM_ADDR_BITS, addr_bits);
	pcmaster_wr64(chip, PCM_LIMIT, limit);
	pcmaster_wr64(chip, PCM_BOUNDARY, boundary);
	pcmaster_wr(chip, PCM_NODE, node);
}

static int run_command(struct pcmaster *chip, const struct pcmaster_exercise *request, u64 addr)
{
	unsigned long end = jiffies + msecs_to_jiffies(COMMAND_MS);

	pcmaster_wr64(chip, PCM_EX_ADDR, addr);
	pcmaster_wr(chip, PCM_EX_LENGTH, request->length);
	pcmaster_wr64(chip, PCM_EX_SEED, request->seed);
	pcmaster_wr(chip, PCM_EX_COMMAND, request->command);
	while (pcmaster_rd(chip, PCM_EX_STATUS) & PCM_EX_BUSY) {
		if (time_after(jiffies, end)) {
			pcmaster_set_up(chip);
			return -ETIMEDOUT;
		}
		usleep_range(100, 200);
	}
	return 0;
}

static void collect(struct pcmaster *chip, struct pcmaster_exercise *request)
{
	unsigned int n;

	request->result = PCM_EX_RESULT(pcmaster_rd(chip, PCM_EX_STATUS));
	request->done = pcmaster_rd(chip, PCM_EX_DONE);
	request->mismatches = pcmaster_rd(chip, PCM_EX_MISMATCHES);
	request->first_mismatch = pcmaster_rd(chip, PCM_EX_FIRST_MISMATCH);
	request->checksum = pcmaster_rd(chip, PCM_EX_CHECKSUM_VALUE);
	request->nodeless = pcmaster_rd(chip, PCM_EX_NODELESS);
	for (n = 0; n < PCMASTER_EXERCISE_NODES; n++)
		request->node_bytes[n] = n < chip->nodes ?
			pcmaster_rd64(chip, PCM_NODE_BYTES(n)) : 0;
}

/* Rules are the whole device's: no stream runs meanwhile, and none is started. */
static int claim_device(struct pcmaster *chip, bool claims)
{
	int err = 0;

	spin_lock_irq(&chip->use_lock);
	if (claims && chip->running)
		err = -EBUSY;
	else
		chip->exercising = claims;
	spin_unlock_irq(&chip->use_lock);
	return err;
}

static int exercise(struct pcmaster *chip, struct pcmaster_exercise *request, u64 addr)
{
	u64 logged, last = addr + request->length - 1 - request->window_short;
	int err = claim_device(chip, true);

	if (err)
		return err;
	pcmaster_take_log(chip);
	logged = chip->log_end;
	set_rules(chip, request->addr_bits, request->limit, request->boundary, request->node);
	pcmaster_open_window(chip, PCMASTER_EXERCISE_WINDOW, addr, last,
			     PCM_W_READ | PCM_W_WRITE);
	err = run_command(chip, request, addr);
	collect(chip, request);
	pcmaster_take_log(chip);
	request->records = chip->log_end - logged;
	pcmaster_close_window(chip, PCMASTER_EXERCISE_WINDOW);
	set_rules(chip, chip->addr_bits, ~0ULL, PCM_BOUNDARY_NONE,
		  pcmaster_rd(chip, PCM_HW_NODE));
	claim_device(chip, false);
	return err;
}

static long do_exercise(struct file_state *state, struct pcmaster_exercise __user *arg)
{
	struct pcmaster *chip = state->node->chip;
	struct pcmaster_exercise *request;
	struct buffer *buffer;
	long err;

	request = memdup_user(arg, sizeof(*request));
	if (IS_ERR(request))
		return PTR_ERR(request);
	mutex_lock(&state->lock);	/* nobody frees it */
	buffer = idr_find(&state->buffers, request->handle);
	err = check_exercise(chip, buffer, request);
	if (!err) {
		mutex_lock(&state->node->exercising);
		err = exercise(chip, request, buffer->addr + request->offset);
		mutex_unlock(&state->node->exercising);
	}
	mutex_unlock(&state->lock);
	if (!err && copy_to_user(arg, request, sizeof(*request)))
		err = -EFAULT;
	kfree(request);
	return err;
}

static long do_facts(struct file_state *state, struct pcmaster_facts __user *arg)
{
	struct pcmaster *chip = state->node->chip;
	struct pcmaster_facts *facts = kzalloc(sizeof(*facts), GFP_KERNEL);
	unsigned int n;
	long err;

	if (!facts)
		return -ENOMEM;
	facts->version = pcmaster_rd(chip, PCM_VERSION);
	facts->capabilities = pcmaster_rd(chip, PCM_CAP);
	facts->node_count = chip->nodes;
	facts->device_node = pcmaster_rd(chip, PCM_DEVICE_NODE);
	facts->addr_bits = chip->addr_bits;
	facts->boundary = chip->boundary;
	for (n = 0; n < PCMASTER_EXERCISE_NODES; n++)
		facts->node_lowest[n] = pcmaster_rd64(chip, PCM_NODE_LOWEST(n));
	err = copy_to_user(arg, facts, sizeof(*facts)) ? -EFAULT : 0;
	kfree(facts);
	return err;
}

static long do_read_log(struct file_state *state, struct pcmaster_record __user *arg)
{
	struct pcmaster *chip = state->node->chip;
	struct pcmaster_record record;
	bool there;

	pcmaster_take_log(chip);
	mutex_lock(&chip->log_lock);
	if (chip->log_end - state->log_read > PCMASTER_LOG_KEPT)
		state->log_read = chip->log_end - PCMASTER_LOG_KEPT;
	there = state->log_read < chip->log_end;
	if (there)
		record = chip->log[state->log_read++ % PCMASTER_LOG_KEPT];
	mutex_unlock(&chip->log_lock);
	if (!there)
		return -EAGAIN;
	return copy_to_user(arg, &record, sizeof(record)) ? -EFAULT : 0;
}

/* --- the node ---------------------------------------------------------------- */

static void drop_user(struct pcmaster_node *node)
{
	if (refcount_dec_and_test(&node->users))
		complete(&node->closed);
}

static int node_open(struct inode *inode, struct file *file)
{
	struct pcmaster_node *node = container_of(file->private_data, struct pcmaster_node, misc);
	struct file_state *state;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	state = kzalloc(sizeof(*state), GFP_KERNEL);
	if (!state)
		return -ENOMEM;
	state->node = node;
	state->log_read = node->chip->log_end;
	mutex_init(&state->lock);
	idr_init(&state->buffers);
	refcount_inc(&node->users);
	file->private_data = state;
	return 0;
}

static int node_release(struct inode *inode, struct file *file)
{
	struct file_state *state = file->private_data;
	struct buffer *buffer;
	int handle;

	idr_for_each_entry(&state->buffers, buffer, handle)
		free_buffer(buffer);
	idr_destroy(&state->buffers);
	drop_user(state->node);
	kfree(state);
	return 0;
}

static long node_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct file_state *state = file->private_data;
	struct pcmaster_node *node = state->node;
	void __user *user = (void __user *)arg;
	long err = -ENOTTY;

	down_read(&node->requests);
	if (node->gone)
		err = -ENODEV;
	else if (cmd == PCMASTER_IOC_FACTS)
		err = do_facts(state, user);
	else if (cmd == PCMASTER_IOC_ALLOCATE)
		err = do_allocate(state, user);
	else if (cmd == PCMASTER_IOC_FREE)
		err = do_free(state, user);
	else if (cmd == PCMASTER_IOC_EXERCISE)
		err = do_exercise(state, user);
	else if (cmd == PCMASTER_IOC_READ_LOG)
		err = do_read_log(state, user);
	up_read(&node->requests);
	return err;
}

static int node_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct file_state *state = file->private_data;
	int err;

	mutex_lock(&state->lock);
	err = state->node->gone ? -ENODEV : map_buffer(state, vma);
	mutex_unlock(&state->lock);
	return err;
}

static const struct file_operations node_fops = {
	.owner = THIS_MODULE,
	.open = node_open,
	.release = node_release,
	.unlocked_ioctl = node_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = node_mmap,
	.llseek = noop_llseek,
};

int pcmaster_new_node(struct pcmaster *chip)
{
	struct pcmaster_node *node = kzalloc(sizeof(*node), GFP_KERNEL);
	int err;

	if (!node)
		return -ENOMEM;
	node->chip = chip;
	init_rwsem(&node->requests);
	mutex_init(&node->allocating);
	mutex_init(&node->exercising);
	init_completion(&node->closed);
	refcount_set(&node->users, 1);
	snprintf(node->name, sizeof(node->name), "pcmaster%d", chip->card->number);
	node->misc.minor = MISC_DYNAMIC_MINOR;
	node->misc.name = node->name;
	node->misc.fops = &node_fops;
	node->misc.mode = 0600;
	node->misc.parent = &chip->pci->dev;
	err = misc_register(&node->misc);
	if (err) {
		kfree(node);
		return err;
	}
	chip->node = node;
	return 0;
}

/* Returns when the last file is closed: what it has allocated is the device's. */
void pcmaster_remove_node(struct pcmaster *chip)
{
	struct pcmaster_node *node = chip->node;

	if (!node)
		return;
	misc_deregister(&node->misc);
	down_write(&node->requests);
	node->gone = true;
	up_write(&node->requests);
	drop_user(node);
	wait_for_completion(&node->closed);
	chip->node = NULL;
	kfree(node);
}
