/* SPDX-License-Identifier: MIT */
/* pcmaster-faulty.sys: mistakes in mapping and flushing */
#include "mistakes.h"

#define LIST_ROOM                   512u

void registers_mapped(struct scene *s)
{
    struct taken p = taken_open(s);

    take_registers(&p, 3);
    map(&p, LENGTH);
    s->call->FreeMapRegisters(s->dma, p.base, 3); /* registers-mapped */
    taken_close(&p);
}

void too_many_registers(struct scene *s)
{
    struct taken p = taken_open(s);
    ULONG length = LENGTH;

    take_registers(&p, 1);
    s->call->MapTransfer(s->dma, p.mdl, p.base, p.memory, &length, TRUE); /* too-many-registers */
    flush(&p, length);
    free_registers(&p, 1);
    taken_close(&p);
}

void not_flushed(struct scene *s)
{
    struct taken p = taken_open(s);
    UCHAR room[LIST_ROOM];
    PSCATTER_GATHER_LIST list = (PSCATTER_GATHER_LIST)room;
    ULONG size = sizeof(room), length = PAGE_SIZE;
    PDMA_OPERATIONS3 call = s->call;

    take_registers(&p, 3);
    call->MapTransferEx(s->dma, p.mdl, p.base, 0, 0, &length, TRUE, list, size, 0, 0);
    call->MapTransferEx(s->dma, p.mdl, p.base, PAGE_SIZE, 0, &length, TRUE, list, size, 0, 0); /* not-flushed */
    flush(&p, LENGTH);
    free_registers(&p, 3);
    taken_close(&p);
}

void flush_unmapped(struct scene *s)
{
    struct taken p = taken_open(s);

    take_registers(&p, 3);
    map(&p, PAGE_SIZE);
    s->call->FlushAdapterBuffers(s->dma, p.mdl, p.base, p.memory, LENGTH, TRUE); /* flush-unmapped */
    flush(&p, PAGE_SIZE);
    free_registers(&p, 3);
    taken_close(&p);
}

void outside_mdl(struct scene *s)
{
    struct taken p = taken_open(s);
    PUCHAR behind = p.memory + LENGTH;
    ULONG length = 1;

    take_registers(&p, 3);
    s->call->MapTransfer(s->dma, p.mdl, p.base, behind, &length, TRUE); /* outside-mdl */
    free_registers(&p, 3);
    taken_close(&p);
}

void beyond_mdl(struct scene *s)
{
    struct taken p = taken_open(s);
    ULONG length = LENGTH + 1;

    take_registers(&p, 3);
    s->call->MapTransfer(s->dma, p.mdl, p.base, p.memory, &length, TRUE); /* beyond-mdl */
    flush(&p, LENGTH);
    free_registers(&p, 3);
    taken_close(&p);
}

void length_zero(struct scene *s)
{
    struct taken p = taken_open(s);
    ULONG length = 0;

    take_registers(&p, 3);
    s->call->MapTransfer(s->dma, p.mdl, p.base, p.memory, &length, TRUE); /* length-zero */
    free_registers(&p, 3);
    taken_close(&p);
}

void direction(struct scene *s)
{
    struct taken p = taken_open(s);

    take_registers(&p, 3);
    map(&p, LENGTH);
    s->call->FlushAdapterBuffers(s->dma, p.mdl, p.base, p.memory, LENGTH, FALSE); /* direction */
    free_registers(&p, 3);
    taken_close(&p);
}

void map_freed(struct scene *s)
{
    struct taken p = taken_open(s);
    ULONG length = LENGTH;

    take_registers(&p, 3);
    free_registers(&p, 3);
    s->call->MapTransfer(s->dma, p.mdl, p.base, p.memory, &length, TRUE); /* map-freed */
    taken_close(&p);
}

/* No pages were locked for the MDL any more, or ever. */
void not_locked(struct scene *s)
{
    struct taken p = taken_open(s);
    ULONG length = LENGTH;

    p.mdl->MdlFlags &= ~MDL_SOURCE_IS_NONPAGED_POOL;
    take_registers(&p, 3);
    s->call->MapTransfer(s->dma, p.mdl, p.base, p.memory, &length, TRUE); /* not-locked */
    free_registers(&p, 3);
    taken_close(&p);
}

void mapped_twice(struct scene *s)
{
    struct taken p = taken_open(s);
    ULONG length = PAGE_SIZE;

    take_registers(&p, 3);
    map(&p, PAGE_SIZE);
    s->call->MapTransfer(s->dma, p.mdl, p.base, p.memory, &length, TRUE); /* mapped-twice */
    flush(&p, PAGE_SIZE);
    flush(&p, PAGE_SIZE);
    free_registers(&p, 3);
    taken_close(&p);
}

/* --- lists ------------------------------------------------------------------ */

void list_direction(struct scene *s)
{
    struct taken p = taken_open(s);

    take_list(&p);
    s->call->PutScatterGatherList(s->dma, p.list, FALSE); /* list-direction */
    taken_close(&p);
}

void list_outside(struct scene *s)
{
    struct taken p = taken_open(s);
    PDEVICE_OBJECT self = s->device->functional;
    PUCHAR before = p.memory - 1;

    s->call->GetScatterGatherList(s->dma, self, p.mdl, before, 1, list_ready, &p, TRUE); /* list-outside */
    taken_close(&p);
}

void list_not_locked(struct scene *s)
{
    struct taken p = taken_open(s);
    PDEVICE_OBJECT self = s->device->functional;

    p.mdl->MdlFlags &= ~MDL_SOURCE_IS_NONPAGED_POOL;
    s->call->GetScatterGatherList(s->dma, self, p.mdl, p.memory, 1, list_ready, &p, TRUE); /* list-not-locked */
    taken_close(&p);
}
