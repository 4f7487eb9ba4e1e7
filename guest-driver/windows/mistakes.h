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

/* --- mistakes.c ------------------------------------------------------------ */

/* A version 3 bus master that reaches 32 bits. */
DEVICE_DESCRIPTION3 describe_master(void);

/* An adapter of that description; NULL: there is none. */
PDMA_ADAPTER new_adapter(struct device *device);
void put_adapter(PDMA_ADAPTER dma);

/* The scene's common buffer; FALSE: no memory. */
BOOLEAN new_buffer(struct scene *s, ULONG length);
void free_buffer(const struct scene *s);

/* --- mistakes_buffer.c ------------------------------------------------------- */

void free_length(struct scene *s);
void free_logical(struct scene *s);
void free_cache(struct scene *s);
void free_inside(struct scene *s);
void free_foreign(struct scene *s);
void free_unknown(struct scene *s);
void free_twice(struct scene *s);
void free_behind(struct scene *s);
void put_live_buffer(struct scene *s);
void stale_adapter(struct scene *s);
void put_twice(struct scene *s);
void null_adapter(struct scene *s);
void never_put(struct scene *s);
void unload_buffer(struct scene *s);
void free_reused(struct scene *s);
void touch_reused(struct scene *s);
void stale_reused(struct scene *s);

/* --- mistakes_memory.c ------------------------------------------------------- */

void write_before(struct scene *s);
void write_behind(struct scene *s);
void read_behind(struct scene *s);
void touch_freed(struct scene *s);
void write_padding(struct scene *s);
void check_buffers(struct scene *s);
void device_before(struct scene *s);
void device_behind(struct scene *s);
void device_padding(struct scene *s);
void device_evidence(struct scene *s);

/* They only ask: it is the executive that spoils what it gives. */
void ask_ex(struct scene *s);
void ask_with_bounds(struct scene *s);
void ask_channel(struct scene *s);

/* --- mistakes_vector.c ------------------------------------------------------- */

/* A vector of two elements; NULL: no memory. */
PDMA_COMMON_BUFFER_VECTOR new_vector(const struct scene *s);

void free_element(struct scene *s);
void vector_index(struct scene *s);
void vector_element_twice(struct scene *s);
void vector_foreign(struct scene *s);
void vector_twice(struct scene *s);
void vector_live(struct scene *s);

/* --- mistakes_irql.c --------------------------------------------------------- */

void irql_allocate(struct scene *s);
void irql_ex(struct scene *s);
void irql_bounds(struct scene *s);
void irql_free(struct scene *s);
void irql_alignment(struct scene *s);
void irql_info(struct scene *s);
void irql_adapter(struct scene *s);
void irql_put(struct scene *s);
void irql_channel(struct scene *s);
void irql_vector_new(struct scene *s);
void irql_vector(struct scene *s);
void irql_list(struct scene *s);
void irql_request(struct scene *s);
void irql_registers(struct scene *s);
void irql_put_list(struct scene *s);
void irql_map(struct scene *s);
void irql_flush(struct scene *s);
void irql_list_ex(struct scene *s);
void irql_context(struct scene *s);

/* --- mistakes_packet.c: its scenes, and those that follow, have no common buffer --- */

/* Memory to transfer, and what was got for that. */
struct taken {
    struct scene *s;
    PUCHAR memory;
    PMDL mdl;
    IO_ALLOCATION_ACTION action;        /* of registers_ready() */
    PVOID base;
    PSCATTER_GATHER_LIST list;
    KIRQL irql;
};

/* Raises to DISPATCH_LEVEL, where all of these are called. */
struct taken taken_open(struct scene *s);
void taken_close(const struct taken *p);

/* Both note what they get in the struct taken that is their context. */
IO_ALLOCATION_ACTION NTAPI registers_ready(PDEVICE_OBJECT device, PIRP irp, PVOID base, PVOID context);
VOID NTAPI list_ready(PDEVICE_OBJECT device, PIRP irp, PSCATTER_GATHER_LIST list, PVOID context);

void take_registers(struct taken *p, ULONG count);
void free_registers(const struct taken *p, ULONG count);
void take_list(struct taken *p);

/* Maps from the memory's start on, and ends that. */
void map(const struct taken *p, ULONG length);
void flush(const struct taken *p, ULONG length);

void channel_free_twice(struct scene *s);
void registers_unknown(struct scene *s);
void registers_reused(struct scene *s);
void list_reused(struct scene *s);
void registers_count(struct scene *s);
void list_unknown(struct scene *s);
void put_live_channel(struct scene *s);
void put_live_registers(struct scene *s);
void put_live_list(struct scene *s);
void put_waiting(struct scene *s);
void two_channels(struct scene *s);
void channel_from_routine(struct scene *s);
void unload_channel(struct scene *s);
void unload_registers(struct scene *s);
void unload_list(struct scene *s);

/* --- mistakes_transfer.c ------------------------------------------------------- */

void registers_mapped(struct scene *s);
void too_many_registers(struct scene *s);
void not_flushed(struct scene *s);
void flush_unmapped(struct scene *s);
void outside_mdl(struct scene *s);
void beyond_mdl(struct scene *s);
void length_zero(struct scene *s);
void direction(struct scene *s);
void map_freed(struct scene *s);
void not_locked(struct scene *s);
void mapped_twice(struct scene *s);
void list_direction(struct scene *s);
void list_outside(struct scene *s);
void list_not_locked(struct scene *s);

/* --- mistakes_system.c --------------------------------------------------------- */

void no_counter(struct scene *s);
void irql_counter(struct scene *s);
void channel_length(struct scene *s);
void channel_not_flushed(struct scene *s);

#endif /* PCMASTER_MISTAKES_H */
