/* SPDX-License-Identifier: MIT */
/* pcmaster.sys: memory of which no two free pages adjoin */
#include "pcmaster.h"

/* The largest block that is tried. */
#define BLOCK_MOST                  (64u << 20)
#define PAGES_MOST                  4096u

/* A block of memory that is kept; the note of it is in it. */
struct block {
    struct block *next;
};

static PMDL page_take(LONGLONG last)
{
    PHYSICAL_ADDRESS low, high, skip;

    low.QuadPart = 0;
    high.QuadPart = last;
    skip.QuadPart = 0;
    return MmAllocatePagesForMdlEx(low, high, skip, PAGE_SIZE, MmCached,
                                   MM_DONT_ZERO_ALLOCATION | MM_ALLOCATE_FULLY_REQUIRED);
}

static void pages_give(PMDL *list)
{
    while (*list) {
        PMDL mdl = *list;

        *list = mdl->Next;
        MmFreePagesFromMdl(mdl);
        ExFreePool(mdl);
    }
}

/* FALSE: there was none. */
static BOOLEAN page_keep(PMDL *list, LONGLONG last)
{
    PMDL mdl = page_take(last);

    if (mdl) {
        mdl->Next = *list;
        *list = mdl;
    }
    return mdl != NULL;
}

static BOOLEAN block_keep(struct file *file, ULONG bytes, LONGLONG last)
{
    PHYSICAL_ADDRESS low, high, boundary;
    struct block *block;

    low.QuadPart = 0;
    high.QuadPart = last;
    boundary.QuadPart = 0;
    block = MmAllocateContiguousMemorySpecifyCache(bytes, low, high, boundary, MmCached);
    if (block) {
        block->next = file->blocks;
        file->blocks = block;
    }
    return block != NULL;
}

void fragment_release(struct file *file)
{
    while (file->blocks) {
        struct block *block = file->blocks;

        file->blocks = block->next;
        MmFreeContiguousMemory(block);
    }
    pages_give(&file->pages);
}

/* Takes pages one by one; every second of them is free again in the end. */
static NTSTATUS fragment(struct file *file, ULONG pages, LONGLONG last, uint32_t *taken)
{
    NTSTATUS status = STATUS_SUCCESS;
    PMDL gaps = NULL;
    ULONG i, bytes;

    for (i = 0; i < pages && NT_SUCCESS(status); i++) {
        if (!page_keep(&file->pages, last) || !page_keep(&gaps, last)) {
            status = STATUS_INSUFFICIENT_RESOURCES;
        }
    }
    *taken = pages;
    for (bytes = BLOCK_MOST; bytes >= PAGE_SIZE; bytes /= 2) {
        while (block_keep(file, bytes, last)) {
            *taken += bytes / PAGE_SIZE;
        }
    }
    pages_give(&gaps);
    return status;
}

NTSTATUS control_fragment(struct device *device, struct file *file, PVOID data)
{
    struct pcm_fragment request = *(struct pcm_fragment *)data;
    struct pcm_fragmented *reply = data;

    PCM_UNUSED(device);
    if (request.pages > PAGES_MOST || (LONGLONG)request.last < 0 || (request.pages && file->pages)) {
        return STATUS_INVALID_PARAMETER;
    }
    RtlZeroMemory(reply, sizeof(*reply));
    if (request.pages) {
        reply->status = (uint32_t)fragment(file, request.pages, (LONGLONG)request.last, &reply->taken);
    } else {
        fragment_release(file);
    }
    return STATUS_SUCCESS;
}
