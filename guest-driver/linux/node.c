// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * snd-pcmaster: /dev/pcmasterN, see pcmaster_exercise.h
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "node.h"

static long get_facts(struct pcmaster_file *state, struct pcmaster_facts __user *arg)
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

static long read_log(struct pcmaster_file *state, struct pcmaster_record __user *arg)
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

static void drop_user(struct pcmaster_node *node)
{
	if (refcount_dec_and_test(&node->users))
		kfree(node);
}

static void enlist(struct pcmaster_file *state)
{
	struct pcmaster_node *node = state->node;
	struct pcmaster *chip = node->chip;

	refcount_inc(&node->users);
	mutex_lock(&chip->log_lock);
	state->log_read = chip->log_end;
	mutex_unlock(&chip->log_lock);
	mutex_lock(&node->files_lock);
	list_add(&state->link, &node->files);
	mutex_unlock(&node->files_lock);
}

/* The card cannot go meanwhile: misc_deregister() waits. */
static int node_open(struct inode *inode, struct file *file)
{
	struct pcmaster_node *node = container_of(file->private_data, struct pcmaster_node, misc);
	struct pcmaster_file *state;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	state = kzalloc(sizeof(*state), GFP_KERNEL);
	if (!state)
		return -ENOMEM;
	state->node = node;
	state->mapping = file->f_mapping;
	mutex_init(&state->lock);
	idr_init(&state->buffers);
	enlist(state);
	file->private_data = state;
	return 0;
}

static int node_release(struct inode *inode, struct file *file)
{
	struct pcmaster_file *state = file->private_data;
	struct pcmaster_node *node = state->node;

	mutex_lock(&node->files_lock);
	list_del(&state->link);
	pcmaster_drop_buffers(state);
	mutex_unlock(&node->files_lock);
	kfree(state);
	drop_user(node);
	return 0;
}

static long do_request(struct pcmaster_file *state, unsigned int cmd, void __user *arg)
{
	switch (cmd) {
	case PCMASTER_IOC_FACTS:
		return get_facts(state, arg);
	case PCMASTER_IOC_ALLOCATE:
		return pcmaster_allocate(state, arg);
	case PCMASTER_IOC_FREE:
		return pcmaster_free(state, arg);
	case PCMASTER_IOC_EXERCISE:
		return pcmaster_exercise(state, arg);
	case PCMASTER_IOC_READ_LOG:
		return read_log(state, arg);
	default:
		return -ENOTTY;
	}
}

static long node_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct pcmaster_file *state = file->private_data;
	struct pcmaster_node *node = state->node;
	long err;

	if (down_read_killable(&node->requests))
		return -EINTR;
	err = node->gone ? -ENODEV : do_request(state, cmd, (void __user *)arg);
	up_read(&node->requests);
	return err;
}

static int node_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct pcmaster_file *state = file->private_data;
	int err;

	if (mutex_lock_killable(&state->lock))
		return -EINTR;
	err = state->node->gone ? -ENODEV : pcmaster_map(state, vma);
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

static void init_node(struct pcmaster_node *node, struct pcmaster *chip)
{
	node->chip = chip;
	init_rwsem(&node->requests);
	init_rwsem(&node->revoking);
	mutex_init(&node->exercising);
	mutex_init(&node->files_lock);
	INIT_LIST_HEAD(&node->files);
	refcount_set(&node->users, 1);
	snprintf(node->name, sizeof(node->name), "pcmaster%d", chip->card->number);
	node->misc.minor = MISC_DYNAMIC_MINOR;
	node->misc.name = node->name;
	node->misc.fops = &node_fops;
	node->misc.mode = 0600;
	node->misc.parent = &chip->pci->dev;
}

int pcmaster_new_node(struct pcmaster *chip)
{
	struct pcmaster_node *node = kzalloc(sizeof(*node), GFP_KERNEL);
	int err;

	if (!node)
		return -ENOMEM;
	init_node(node, chip);
	err = misc_register(&node->misc);
	if (err) {
		kfree(node);
		return err;
	}
	chip->node = node;
	return 0;
}

/*
 * Files stay open for as long as they like, but what they had is taken from them
 * before the first request fails.
 */
void pcmaster_remove_node(struct pcmaster *chip)
{
	struct pcmaster_node *node = chip->node;
	struct pcmaster_file *state;

	if (!node)
		return;
	misc_deregister(&node->misc);
	down_write(&node->requests);
	down_write(&node->revoking);
	node->gone = true;
	up_write(&node->revoking);
	mutex_lock(&node->files_lock);
	list_for_each_entry(state, &node->files, link)
		pcmaster_revoke_buffers(state);
	mutex_unlock(&node->files_lock);
	up_write(&node->requests);
	chip->node = NULL;
	drop_user(node);
}
