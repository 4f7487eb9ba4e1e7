/* SPDX-License-Identifier: MIT */
/* pcmaster-faulty.sys: mistakes with common buffers and adapters */
#include "mistakes.h"

/* --- FreeCommonBuffer's arguments ------------------------------------------- */

void free_length(struct scene *s)
{
    s->call->FreeCommonBuffer(s->dma, LENGTH - 1, s->logical, s->address, TRUE); /* free-length */
}

void free_logical(struct scene *s)
{
    s->logical.QuadPart += PAGE_SIZE;
    s->call->FreeCommonBuffer(s->dma, LENGTH, s->logical, s->address, TRUE); /* free-logical */
}

void free_cache(struct scene *s)
{
    s->call->FreeCommonBuffer(s->dma, LENGTH, s->logical, s->address, FALSE); /* free-cache */
}

/* The buffer was aligned by hand, and the pointer to its start is lost. */
void free_inside(struct scene *s)
{
    PUCHAR aligned = s->address + 128;

    s->call->FreeCommonBuffer(s->dma, LENGTH, s->logical, aligned, TRUE); /* free-inside */
    free_buffer(s);
}

void free_foreign(struct scene *s)
{
    PDMA_ADAPTER other = new_adapter(s->device);

    s->call->FreeCommonBuffer(other, LENGTH, s->logical, s->address, TRUE); /* free-foreign */
    put_adapter(other);
    free_buffer(s);
}

void free_unknown(struct scene *s)
{
    PVOID pool = pool_allocate(PAGE_SIZE);

    s->call->FreeCommonBuffer(s->dma, LENGTH, s->logical, pool, TRUE); /* free-unknown */
    ExFreePoolWithTag(pool, PCM_POOL_TAG);
    free_buffer(s);
}

void free_twice(struct scene *s)
{
    free_buffer(s);
    s->call->FreeCommonBuffer(s->dma, LENGTH, s->logical, s->address, TRUE); /* free-twice */
}

/* The memory goes by a routine that is not the allocation's. */
void free_behind(struct scene *s)
{
    MmFreeContiguousMemory(s->address); /* free-behind */
    free_buffer(s);
}

/* --- adapters --------------------------------------------------------------- */

void put_live_buffer(struct scene *s)
{
    s->call->PutDmaAdapter(s->dma); /* put-live-buffer */
    s->dma = NULL;
}

void stale_adapter(struct scene *s)
{
    PHYSICAL_ADDRESS logical;

    free_buffer(s);
    put_adapter(s->dma);
    s->call->AllocateCommonBuffer(s->dma, LENGTH, &logical, TRUE); /* stale-adapter */
}

void put_twice(struct scene *s)
{
    free_buffer(s);
    put_adapter(s->dma);
    s->call->PutDmaAdapter(s->dma); /* put-twice */
}

void null_adapter(struct scene *s)
{
    s->call->PutDmaAdapter(NULL); /* null-adapter */
}

/* These are noticed at unload; the report names who asked for what is alive. */
void never_put(struct scene *s)
{
    free_buffer(s);
    s->dma = NULL;
}

void unload_buffer(struct scene *s)
{
    s->dma = NULL;
}

/* --- what was given back, and might have been given out again --------------- */

void free_reused(struct scene *s)
{
    struct scene old = *s;

    free_buffer(&old);
    new_buffer(s, LENGTH);
    s->call->FreeCommonBuffer(s->dma, LENGTH, old.logical, old.address, TRUE); /* free-reused */
    free_buffer(s);
}

void touch_reused(struct scene *s)
{
    PUCHAR old = s->address;

    free_buffer(s);
    new_buffer(s, LENGTH);
    *(volatile UCHAR *)old = 0x55; /* touch-reused */
    free_buffer(s);
}

void stale_reused(struct scene *s)
{
    PDMA_ADAPTER old = s->dma;

    free_buffer(s);
    put_adapter(old);
    s->dma = new_adapter(s->device);
    s->call->GetDmaAlignment(old); /* stale-reused */
}
