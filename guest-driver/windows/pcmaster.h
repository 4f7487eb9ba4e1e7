/* SPDX-License-Identifier: MIT */
/*
 * pcmaster.sys: what its source files share
 *
 * One struct device for each function of the hardware, in the device
 * extension.  Its lock, taken at PASSIVE_LEVEL, guards the registers, the
 * handle tables of all open files and the stream; the interrupt service
 * routine and the DPC touch only the fields named for them.
 */
#ifndef PCMASTER_WINDOWS_H
#define PCMASTER_WINDOWS_H

#include <wdm.h>

#include "pcmaster_ioctl.h"
#include "pcmaster_regs.h"
#include "portcls_adapter.h"
#include "wdm3.h"

#define PCM_POOL_TAG                0x734d6350u     /* "PcMs" */

/* Unused parameters and packed IRP fields are the interface's, not ours. */
#define PCM_UNUSED(x)               ((void)(x))

/* PCM_CAP has four bits for each direction, the hardware eight streams at most. */
#define STREAMS_MAX                 16

struct file;
struct stream;

/* What the device is told to accept; see "DMA port" in the specification. */
struct rules {
    ULONG addr_bits;
    ULONG node;
    ULONG policy;
    ULONGLONG limit;
    ULONGLONG boundary;
};

/* In the extension of the control device's object; PortCls has another of its own. */
struct device {
    PDEVICE_OBJECT control;
    PDEVICE_OBJECT functional;
    PDEVICE_OBJECT physical;
    UNICODE_STRING link;
    WCHAR link_name[32];
    IO_REMOVE_LOCK remove_lock;
    KEVENT lock;                        /* see device_lock */
    LIST_ENTRY files;
    BOOLEAN started;                    /* it has its resources */
    BOOLEAN powered;                    /* it is in D0 */
    BOOLEAN removed;                    /* it is gone: nothing of it may be touched */
    KEVENT settled;                     /* clear while a stop is asked for or has come */

    volatile UCHAR *registers;
    ULONG register_bytes;
    ULONG playbacks, captures;          /* streams of the hardware; capture follows playback */
    PINTERRUPTSYNC interrupt;
    IAdapterPowerManagement power;
    volatile LONG power_references;

    /* Shared with the interrupt service routine and the DPC. */
    KDPC dpc;
    volatile LONG causes;               /* PCM_INT_ bits not yet seen by the DPC */
    volatile LONG stuck;                /* interrupts whose causes would not go */
    KEVENT exerciser_done;
    PPORTWAVECYCLIC port;
    PSERVICEGROUP groups[STREAMS_MAX];  /* of the streams that run; see interrupt_listen */

    /* Streams that are open, by the hardware's number; and the rules before the first of them. */
    struct stream *streams[STREAMS_MAX];
    ULONG streaming;                    /* that have left KSSTATE_STOP */
    ULONG draining;                     /* bit n: stream n has ended, its FIFO perhaps not */
    struct rules before;
};

/* Memory that the device can reach: a common buffer or a channel's buffer. */
struct memory {
    PUCHAR address;
    ULONGLONG logical;
    ULONG length;
};

enum object_kind { OBJECT_ADAPTER, OBJECT_BUFFER, OBJECT_VECTOR, OBJECT_CHANNEL, OBJECT_PACKET };

/* What a handle stands for; the first member of each kind's structure. */
struct object {
    enum object_kind kind;
    ULONG handle;
};

struct adapter {
    struct object object;
    PDMA_ADAPTER dma;
    ULONG version;
    volatile LONG buffers;              /* common buffers and vectors alive */
};

struct buffer {
    struct object object;
    struct adapter *adapter;
    struct memory memory;
    BOOLEAN cached;
};

struct vector {
    struct object object;
    struct adapter *adapter;
    PDMA_COMMON_BUFFER_VECTOR dma;
    ULONG count;
    ULONG size;                         /* of each element */
    ULONG current;                      /* the element last got; count: none */
    UCHAR freed[ANYSIZE_ARRAY];         /* by index */
};

struct channel {
    struct object object;
    IDmaChannel *dma;
    PVOID queried;                      /* its SystemAddress at the last query */
};

/* A part of a packet: memory, and the MDL that describes a range of it. */
struct part {
    PMDL pages;                         /* whole pages; NULL: it is pool */
    PUCHAR base;                        /* page-aligned, mapped */
    ULONG bytes;                        /* from there on, whole pages */
    PMDL mdl;
};

struct packet {
    struct object object;
    ULONG parts;
    struct part part[PCM_PACKET_PARTS]; /* their MDLs are a chain */
};

/* An open file: its handles. */
struct file {
    LIST_ENTRY link;
    struct object **objects;            /* by handle - 1; NULL: free */
    ULONG capacity;
    ULONG used;                         /* no slot from here on is taken */
    ULONG first_free;                   /* no slot below is free */
    PMDL pages;                         /* what fragment.c keeps from others */
    struct block *blocks;
};

/* Pool memory, zeroed; NULL if there is none.  <= DISPATCH_LEVEL. */
PVOID pool_allocate(SIZE_T bytes);

/* --- registers; an offset is a PCM_ register ----------------------------- */

static inline ULONG read32(struct device *device, ULONG offset)
{
    return READ_REGISTER_ULONG((PULONG)(device->registers + offset));
}

/*
 * The processor keeps stores in order; the fence keeps the compiler from moving
 * those to a buffer behind the store that starts the device (wdm.h of mingw-w64
 * leaves it out of WRITE_REGISTER_ULONG).
 */
static inline void write32(struct device *device, ULONG offset, ULONG value)
{
    __asm__ __volatile__("" ::: "memory");
    WRITE_REGISTER_ULONG((PULONG)(device->registers + offset), value);
}

static inline ULONGLONG read64(struct device *device, ULONG offset)
{
    ULONGLONG low = read32(device, offset);

    return low | (ULONGLONG)read32(device, offset + 4) << 32;
}

static inline void write64(struct device *device, ULONG offset, ULONGLONG value)
{
    write32(device, offset, (ULONG)value);
    write32(device, offset + 4, (ULONG)(value >> 32));
}

/* The bits of all streams in PCM_INT_STATUS. */
#define STREAM_INTERRUPTS(device)                                           \
    (((1u << ((device)->playbacks + (device)->captures)) - 1) * PCM_INT_STREAM(0))

/* --- driver.c ------------------------------------------------------------ */

/*
 * PASSIVE_LEVEL.  Not recursive.  Whoever holds the lock is in a critical
 * region, so that its thread is not suspended with it.
 */
void device_lock(struct device *device);
void device_unlock(struct device *device);

/* The same once no stop is under way: until then, commands wait. */
void device_lock_settled(struct device *device);

/* Device locked.  STATUS_SUCCESS: the registers answer. */
NTSTATUS device_status(const struct device *device);

/* Completes IRP with STATUS and INFORMATION bytes; returns STATUS. */
NTSTATUS complete(PIRP irp, NTSTATUS status, ULONG_PTR information);

/* --- pnp.c --------------------------------------------------------------- */

DRIVER_DISPATCH pnp_dispatch;

/* --- adapter.c ------------------------------------------------------------ */

DRIVER_ADD_DEVICE adapter_add_device;

/* Of the functional device object that PortCls made. */
struct device *adapter_device(PDEVICE_OBJECT functional);

/* PASSIVE_LEVEL, not locked.  All DMA ends; interrupt and registers are given back. */
void hardware_stop(struct device *device);

/* Ends all DMA; afterwards no rule is set, every violation aborts, interrupts are enabled. */
void hardware_reset(struct device *device);

/* PASSIVE_LEVEL, device locked.  Ends all DMA once what ended streams have taken was played. */
void hardware_quiet(struct device *device);

/* --- power.c ------------------------------------------------------------- */

/* PASSIVE_LEVEL.  Has PortCls tell the device of its power. */
NTSTATUS power_register(struct device *device, PDEVICE_OBJECT functional);

/* --- miniport.c ---------------------------------------------------------- */

/* PASSIVE_LEVEL.  Its last Release stops the hardware.  NULL: no memory. */
PMINIPORTWAVECYCLIC miniport_new(struct device *device);

/* --- interrupt.c --------------------------------------------------------- */

/* Prepares DPC and events; once, before interrupt_connect. */
void interrupt_init(struct device *device);

/* PASSIVE_LEVEL. */
NTSTATUS interrupt_connect(struct device *device, PRESOURCELIST resources);

/* PASSIVE_LEVEL, not locked.  Afterwards neither the ISR nor the DPC runs. */
void interrupt_disconnect(struct device *device);

/*
 * Has the service routine notify GROUP of the stream NUMBER; NULL: no more.
 * When it returns, no notification of the group that was is under way.
 */
void interrupt_listen(struct device *device, ULONG number, PSERVICEGROUP group);

/* PASSIVE_LEVEL.  Waits for EVENT, MILLISECONDS at most; FALSE: in vain. */
BOOLEAN interrupt_wait(PKEVENT event, ULONG milliseconds);

/* --- control.c ----------------------------------------------------------- */

/* The object that takes commands; its extension is *DEVICE. */
NTSTATUS control_create_device(PDRIVER_OBJECT driver, PDEVICE_OBJECT physical, struct device **device);

/* It remains until the last file is closed. */
void control_delete_device(struct device *device);

/* Whether OBJECT is such a one, and not PortCls'. */
BOOLEAN control_is(PDEVICE_OBJECT object);

/* Requests to either kind of object. */
DRIVER_DISPATCH control_create;
DRIVER_DISPATCH control_cleanup;
DRIVER_DISPATCH control_close;
DRIVER_DISPATCH control_dispatch;

/* Device locked.  Ends all DMA and frees what the handles of all files stand for. */
void control_release_all(struct device *device);

/* --- handles.c; all with the device locked ------------------------------- */

/* Stores OBJECT and its handle; FALSE: no memory or too many. */
BOOLEAN handle_add(struct file *file, struct object *object, enum object_kind kind);

/* NULL if HANDLE is not one of FILE's of that kind. */
struct object *handle_find(struct file *file, ULONG handle, enum object_kind kind);

/* Forgets the handle; the object stays the caller's. */
void handle_remove(struct file *file, struct object *object);

/* The object of the highest handle of that kind, or NULL: to free all. */
struct object *handle_any(struct file *file, enum object_kind kind);

/* Frees the table itself; no handle may be left. */
void handle_table_free(struct file *file);

/* --- buffers.c: adapters and common buffers ------------------------------ */

/* Makes the DEVICE_DESCRIPTION that FROM stands for. */
void describe(const struct pcm_description *from, PDEVICE_DESCRIPTION3 to);

/* Calls IoGetDmaAdapter; ADAPTER->dma is NULL if it refused. */
void adapter_open(struct device *device, struct adapter *adapter, const struct pcm_description *from,
                  ULONG *map_registers);
void adapter_close(struct adapter *adapter);

/* The table, if the adapter has version 3 and it is SIZE bytes long at least, else NULL. */
PDMA_OPERATIONS3 operations3(const struct adapter *adapter, ULONG size);

/* The same for a table that reaches to MEMBER. */
#define OPERATIONS3(adapter, member)                                        \
    operations3((adapter), RTL_SIZEOF_THROUGH_FIELD(DMA_OPERATIONS3, member))

/* The routine with the most parameters that ADAPTER's table has. */
enum pcm_allocator adapter_best_allocator(const struct adapter *adapter);

/*
 * Allocates through ADAPTER as REQUEST says (its handle is not looked at).
 * STATUS_NOT_SUPPORTED: the adapter's table has no such routine;
 * STATUS_INSUFFICIENT_RESOURCES: it returned NULL, or that; anything else: that.
 */
NTSTATUS buffer_open(struct adapter *adapter, const struct pcm_allocate *request, struct buffer *buffer);
void buffer_close(struct buffer *buffer);

/* MmGetPhysicalAddress's word: the device's address only without an IOMMU. */
ULONGLONG physical_of(PVOID address);

/* How many of LENGTH bytes at ADDRESS are not 0. */
ULONG count_nonzero(const UCHAR *address, ULONG length);

NTSTATUS control_adapter_get(struct device *device, struct file *file, PVOID data);
NTSTATUS control_adapter_put(struct device *device, struct file *file, PVOID data);
NTSTATUS control_allocate(struct device *device, struct file *file, PVOID data);
NTSTATUS control_free(struct device *device, struct file *file, PVOID data);

/* Frees all buffers of FILE; its adapters. */
void buffers_release(struct file *file);

/* --- fragment.c ------------------------------------------------------------ */

NTSTATUS control_fragment(struct device *device, struct file *file, PVOID data);
void fragment_release(struct file *file);
void adapters_release(struct file *file);

/* --- vectors.c: common buffer vectors, adapters' other routines -------------- */

/* The element last got; length 0 if there is none. */
struct memory vector_memory(const struct vector *vector);

NTSTATUS control_adapter_info(struct device *device, struct file *file, PVOID data);
NTSTATUS control_adapter_domain(struct device *device, struct file *file, PVOID data);
NTSTATUS control_vector_allocate(struct device *device, struct file *file, PVOID data);
NTSTATUS control_vector_get(struct device *device, struct file *file, PVOID data);
NTSTATUS control_vector_free_element(struct device *device, struct file *file, PVOID data);
NTSTATUS control_vector_free(struct device *device, struct file *file, PVOID data);
void vectors_release(struct file *file);

/* --- channels.c: IDmaChannel --------------------------------------------- */

/* The buffer of CHANNEL; length 0 if it has none. */
struct memory channel_memory(IDmaChannel *channel);

NTSTATUS control_channel_new(struct device *device, struct file *file, PVOID data);
NTSTATUS control_channel_allocate(struct device *device, struct file *file, PVOID data);
NTSTATUS control_channel_free_buffer(struct device *device, struct file *file, PVOID data);
NTSTATUS control_channel_set_size(struct device *device, struct file *file, PVOID data);
NTSTATUS control_channel_copy(struct device *device, struct file *file, PVOID data);
NTSTATUS control_channel_query(struct device *device, struct file *file, PVOID data);
NTSTATUS control_channel_release(struct device *device, struct file *file, PVOID data);
void channels_release(struct file *file);

/* --- exerciser.c ---------------------------------------------------------- */

void rules_get(struct device *device, struct rules *rules);
void rules_set(struct device *device, const struct rules *rules);

/* Declares LENGTH bytes from LOGICAL to the device; ACCESS: PCM_W_READ, PCM_W_WRITE. */
void window_open(struct device *device, ULONG window, ULONGLONG logical, ULONG length, ULONG access);
void window_close(struct device *device, ULONG window);

/* Empties the violation log; returns how many there were, the oldest in *FIRST. */
ULONG log_take(struct device *device, struct pcm_record *first);

/*
 * PASSIVE_LEVEL.  Has the device run COMMAND (PCM_EX_FILL or PCM_EX_VERIFY) and
 * waits for its interrupt.  STATUS_IO_TIMEOUT: none came, the device was reset.
 */
NTSTATUS exerciser_run(struct device *device, ULONG command, ULONGLONG logical, ULONG length,
                       ULONGLONG seed, struct pcm_direction *result);

NTSTATUS control_facts(struct device *device, struct file *file, PVOID data);
NTSTATUS control_transfer(struct device *device, struct file *file, PVOID data);

/* --- packet.c: memory for packet DMA --------------------------------------- */

/* Bytes that all parts of PACKET describe. */
ULONGLONG packet_length(const struct packet *packet);

/* Physical address of the byte at OFFSET. */
ULONGLONG packet_physical(const struct packet *packet, ULONG offset);

/* Writes GUARD bytes everywhere, and the pattern (INVERTED: ~0 for its complement) in the range. */
void packet_fill(struct packet *packet, ULONG offset, ULONG length, ULONGLONG seed, ULONGLONG inverted);

/* The same for a range only; its first byte is byte POSITION of the pattern. */
void packet_write(struct packet *packet, ULONG offset, ULONG length, ULONGLONG seed, ULONG position,
                  ULONGLONG inverted);

/* How many bytes differ from the pattern; *FIRST: the first, counted from OFFSET. */
ULONG packet_compare(struct packet *packet, ULONG offset, ULONG length, ULONGLONG seed, ULONG position,
                     uint32_t *first);

/* How many bytes outside of the range are no guard bytes.  Spoils the range. */
ULONG packet_spilt(struct packet *packet, ULONG offset, ULONG length);

/* The pattern from byte POSITION on, compared anywhere. */
ULONG pattern_compare_at(const UCHAR *memory, ULONG length, ULONGLONG seed, ULONG position, uint32_t *first);

NTSTATUS control_packet_new(struct device *device, struct file *file, PVOID data);
NTSTATUS control_packet_free(struct device *device, struct file *file, PVOID data);
void packets_release(struct file *file);

/* --- packetio.c, packetqueue.c: transfers from and to packets -------------- */

NTSTATUS control_packet_transfer(struct device *device, struct file *file, PVOID data);
NTSTATUS control_packet_queue(struct device *device, struct file *file, PVOID data);

/* --- stress.c -------------------------------------------------------------- */

NTSTATUS control_stress(struct device *device, struct file *file, PVOID data);

/* --- faults.c: only in pcmaster-faulty.sys --------------------------------- */

NTSTATUS control_fault(struct device *device, struct file *file, PVOID data);

/* --- mistakes.c: likewise --------------------------------------------------- */

NTSTATUS control_mistake(struct device *device, struct file *file, PVOID data);

#endif /* PCMASTER_WINDOWS_H */
