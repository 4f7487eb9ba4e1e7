/* SPDX-License-Identifier: MIT */
/* pcmaster-faulty.sys: mistakes with common buffer vectors */
#include "mistakes.h"

/* A vector of two elements; NULL: no memory. */
PDMA_COMMON_BUFFER_VECTOR new_vector(const struct scene *s)
{
    PHYSICAL_ADDRESS low, high;
    PDMA_COMMON_BUFFER_VECTOR vector;

    low.QuadPart = 0;
    high.QuadPart = -1;
    s->call->AllocateCommonBufferVector(s->dma, low, high, MmCached, MM_ANY_NODE_OK, 0, 2, LENGTH,
                                        &vector);
    return vector;
}

void free_element(struct scene *s)
{
    PDMA_COMMON_BUFFER_VECTOR vector = new_vector(s);
    PHYSICAL_ADDRESS at;
    PVOID address;

    s->call->GetCommonBufferFromVectorByIndex(s->dma, vector, 1, &address, &at);
    s->call->FreeCommonBuffer(s->dma, LENGTH, at, address, TRUE); /* free-element */
    s->call->FreeCommonBufferVector(s->dma, vector);
    free_buffer(s);
}

void vector_index(struct scene *s)
{
    PDMA_COMMON_BUFFER_VECTOR vector = new_vector(s);
    PHYSICAL_ADDRESS at;
    PVOID address;

    s->call->GetCommonBufferFromVectorByIndex(s->dma, vector, 2, &address, &at); /* vector-index */
    s->call->FreeCommonBufferVector(s->dma, vector);
    free_buffer(s);
}

void vector_element_twice(struct scene *s)
{
    PDMA_COMMON_BUFFER_VECTOR vector = new_vector(s);

    s->call->FreeCommonBufferFromVector(s->dma, vector, 1);
    s->call->FreeCommonBufferFromVector(s->dma, vector, 1); /* vector-element-twice */
    s->call->FreeCommonBufferVector(s->dma, vector);
    free_buffer(s);
}

void vector_foreign(struct scene *s)
{
    PDMA_COMMON_BUFFER_VECTOR vector = new_vector(s);
    PDMA_ADAPTER other = new_adapter(s->device);

    s->call->FreeCommonBufferVector(other, vector); /* vector-foreign */
    put_adapter(other);
    s->call->FreeCommonBufferVector(s->dma, vector);
    free_buffer(s);
}

void vector_twice(struct scene *s)
{
    PDMA_COMMON_BUFFER_VECTOR vector = new_vector(s);

    s->call->FreeCommonBufferVector(s->dma, vector);
    s->call->FreeCommonBufferVector(s->dma, vector); /* vector-twice */
    free_buffer(s);
}

void vector_live(struct scene *s)
{
    new_vector(s);
    free_buffer(s);
    s->call->PutDmaAdapter(s->dma); /* vector-live */
    s->dma = NULL;
}
