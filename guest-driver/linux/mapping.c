// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * snd-pcmaster: mmap() of the device node's buffers
 *
 * Pages are mapped when they are touched, so that all mappings can be taken away
 * when the card goes.
 */
#include <linux/mm.h>

#include "node.h"

#define AT_ONCE		64	/* pages that are mapped together */

static void mapping_opened(struct vm_area_struct *vma)
{
	struct pcmaster_buffer *buffer = vma->vm_private_data;

	atomic_inc(&buffer->mapped);
}

static void mapping_closed(struct vm_area_struct *vma)
{
	struct pcmaster_buffer *buffer = vma->vm_private_data;

	atomic_dec(&buffer->mapped);
}

static vm_fault_t insert_pages(struct vm_fault *vmf, const struct pcmaster_buffer *buffer)
{
	struct vm_area_struct *vma = vmf->vma;
	unsigned long page = vmf->pgoff - buffer->page;
	unsigned long address = vmf->address & PAGE_MASK;
	unsigned long left = (vma->vm_end - address) >> PAGE_SHIFT;
	vm_fault_t result = VM_FAULT_NOPAGE;
	unsigned long n;

	for (n = 0; n < min(left, AT_ONCE + 0UL) && result == VM_FAULT_NOPAGE; n++)
		result = vmf_insert_pfn(vma, address + (n << PAGE_SHIFT),
					pcmaster_pfn(buffer, page + n));
	return n > 1 ? VM_FAULT_NOPAGE : result;
}

static vm_fault_t mapping_touched(struct vm_fault *vmf)
{
	struct pcmaster_buffer *buffer = vmf->vma->vm_private_data;
	vm_fault_t result;

	down_read(&buffer->node->revoking);
	result = buffer->node->gone ? VM_FAULT_SIGBUS : insert_pages(vmf, buffer);
	up_read(&buffer->node->revoking);
	return result;
}

static const struct vm_operations_struct mapping_ops = {
	.open = mapping_opened,
	.close = mapping_closed,
	.fault = mapping_touched,
};

/* Nothing grows beyond the buffer, is kept by others or executed. */
static void set_flags(struct vm_area_struct *vma)
{
	const unsigned long set = VM_IO | VM_PFNMAP | VM_DONTEXPAND | VM_DONTDUMP;

#ifdef PCMASTER_HAS_VM_FLAGS_SET
	vm_flags_set(vma, set);
	vm_flags_clear(vma, VM_MAYEXEC);
#else
	vma->vm_flags |= set;
	vma->vm_flags &= ~VM_MAYEXEC;
#endif
}

/* With the file's lock held. */
int pcmaster_map(struct pcmaster_file *state, struct vm_area_struct *vma)
{
	unsigned long pages = PCMASTER_BUFFER_MAX >> PAGE_SHIFT;
	struct pcmaster_buffer *buffer = idr_find(&state->buffers, vma->vm_pgoff / pages);

	if (!buffer || vma->vm_pgoff % pages || !(vma->vm_flags & VM_SHARED) ||
	    vma->vm_end - vma->vm_start > buffer->bytes)
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EPERM;
	set_flags(vma);
	if (buffer->uncached)
		vma->vm_page_prot = pgprot_noncached(vma->vm_page_prot);
	vma->vm_private_data = buffer;
	vma->vm_ops = &mapping_ops;
	atomic_inc(&buffer->mapped);
	return 0;
}
