/* SPDX-License-Identifier: MIT */
/*
 * pcmaster-faulty.sys: what the files of mistakes share
 *
 * Each mistake is made in a function of its own, on the line that ends with its
 * name: the verifier's report must name both.
 */
#ifndef PCMASTER_MISTAKES_H
#define PCMASTER_MISTAKES_H

#include "pcmaster.h"

#define LENGTH                      (2 * PAGE_SIZE)
#define ODD_LENGTH                  (PAGE_SIZE + 100)

/* An adapter and one of its common buffers. */
struct scene {
    struct device *device;
    PDMA_ADAPTER dma;                   /* NULL: it is put already */
    PDMA_OPERATIONS3 call;
    PUCHAR address;
    PHYSICAL_ADDRESS logical;
    ULONG length;
};

struct mistake {
    void (*make)(struct scene *scene);
    ULONG length;
};

/* --- mistakes_packet.c ------------------------------------------------------ */

/* Their scene has no common buffer. */
void channel_free_twice(struct scene *s);
void registers_unknown(struct scene *s);
void registers_count(struct scene *s);
void registers_mapped(struct scene *s);
void too_many_registers(struct scene *s);
void list_unknown(struct scene *s);
void put_live_channel(struct scene *s);
void put_live_registers(struct scene *s);
void put_live_list(struct scene *s);
void put_waiting(struct scene *s);
void two_channels(struct scene *s);
void not_flushed(struct scene *s);
void flush_unmapped(struct scene *s);
void outside_mdl(struct scene *s);
void beyond_mdl(struct scene *s);
void length_zero(struct scene *s);
void direction(struct scene *s);
void irql_list(struct scene *s);
void list_direction(struct scene *s);
void list_outside(struct scene *s);
void map_freed(struct scene *s);
void unload_channel(struct scene *s);
void unload_registers(struct scene *s);
void unload_list(struct scene *s);
void not_locked(struct scene *s);
void list_not_locked(struct scene *s);
void mapped_twice(struct scene *s);
void registers_reused(struct scene *s);
void list_reused(struct scene *s);
void irql_request(struct scene *s);
void irql_registers(struct scene *s);
void irql_put_list(struct scene *s);
void irql_map(struct scene *s);
void irql_flush(struct scene *s);
void channel_from_routine(struct scene *s);
void irql_list_ex(struct scene *s);
void irql_context(struct scene *s);

#endif /* PCMASTER_MISTAKES_H */
