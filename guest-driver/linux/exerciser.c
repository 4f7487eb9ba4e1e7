// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * snd-pcmaster: commands of the device's exerciser, for the device node
 */
#include <linux/delay.h>
#include <linux/iommu.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "node.h"

#define COMMAND_MS	10000

static int check_exercise(const struct pcmaster *chip, const struct pcmaster_buffer *buffer,
			  const struct pcmaster_exercise *request)
{
	if (!buffer)
		return -ENOENT;
	if (!request->length || request->offset > buffer->length ||
	    request->length > buffer->length - request->offset ||
	    request->window_short > request->length ||
	    request->flags & ~PCMASTER_PHYSICAL || request->reserved)
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
	u32 status;

	pcmaster_wr64(chip, PCM_EX_ADDR, addr);
	pcmaster_wr(chip, PCM_EX_LENGTH, request->length);
	pcmaster_wr64(chip, PCM_EX_SEED, request->seed);
	pcmaster_wr(chip, PCM_EX_COMMAND, request->command);
	for (;;) {
		status = pcmaster_rd(chip, PCM_EX_STATUS);
		if (status == ~0U)	/* the card was pulled out */
			return -ENODEV;
		if (!(status & PCM_EX_BUSY))
			return 0;
		if (time_after(jiffies, end)) {
			pcmaster_set_up(chip);
			return -ETIMEDOUT;
		}
		usleep_range(100, 200);
	}
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
	u32 policy;

	if (err)
		return err;
	/* A device that is told to go on would hit memory that is not the buffer's. */
	policy = pcmaster_rd(chip, PCM_POLICY);
	pcmaster_wr(chip, PCM_POLICY, PCM_POLICY_ABORT);
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
	pcmaster_wr(chip, PCM_POLICY, policy);
	claim_device(chip, false);
	return err;
}

/* Where the device would be sent by mistake; an IOMMU must have nothing for it there. */
static int physical_address(struct pcmaster *chip, const struct pcmaster_buffer *buffer,
			    const struct pcmaster_exercise *request, u64 *addr)
{
	struct iommu_domain *domain = pcmaster_paging_domain(&chip->pci->dev);
	u64 page, start = PFN_PHYS(pcmaster_pfn(buffer, 0)) + request->offset;

	if (domain)
		for (page = start & PAGE_MASK; page < start + request->length; page += PAGE_SIZE)
			if (iommu_iova_to_phys(domain, page))
				return -EBUSY;
	*addr = start;
	return 0;
}

static long exercise_buffer(struct pcmaster_file *state, struct pcmaster_exercise *request)
{
	struct pcmaster *chip = state->node->chip;
	struct pcmaster_buffer *buffer = idr_find(&state->buffers, request->handle);
	long err = check_exercise(chip, buffer, request);
	u64 addr;

	if (err)
		return err;
	addr = buffer->addr + request->offset;
	if (request->flags & PCMASTER_PHYSICAL)
		err = physical_address(chip, buffer, request, &addr);
	if (err)
		return err;
	if (mutex_lock_killable(&state->node->exercising))
		return -EINTR;
	err = exercise(chip, request, addr);
	mutex_unlock(&state->node->exercising);
	return err;
}

long pcmaster_exercise(struct pcmaster_file *state, struct pcmaster_exercise __user *arg)
{
	struct pcmaster_exercise *request = memdup_user(arg, sizeof(*request));
	long err = -EINTR;

	if (IS_ERR(request))
		return PTR_ERR(request);
	if (!mutex_lock_killable(&state->lock)) {	/* nobody frees it */
		err = exercise_buffer(state, request);
		mutex_unlock(&state->lock);
	}
	if (!err && copy_to_user(arg, request, sizeof(*request)))
		err = -EFAULT;
	kfree(request);
	return err;
}
