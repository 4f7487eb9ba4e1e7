/* SPDX-License-Identifier: MIT */
/*
 * What a client can ask of the pcmaster driver
 *
 * Portable: the same commands and structures serve every guest's driver.  On
 * Windows a command is sent as the I/O control code PCM_IOCTL(command), always
 * METHOD_BUFFERED, to the device that \DosDevices\pcmaster names.
 *
 * A request that cannot be carried out at all (a length or handle that is
 * wrong, no device) fails as a request.  One that the interface under test
 * refuses succeeds as a request and says so in its reply: that is a result.
 *
 * Handles belong to the open file they were made through.  Closing it frees
 * what they stand for.  All numbers are little-endian, all reserved fields 0.
 */
#ifndef PCMASTER_IOCTL_H
#define PCMASTER_IOCTL_H

#include <stdint.h>

/* Vendor device type, METHOD_BUFFERED, read and write access. */
#define PCM_IOCTL_DEVICE_TYPE       0x8d00u
#define PCM_IOCTL(command)          (PCM_IOCTL_DEVICE_TYPE << 16 | 3u << 14 | (0x800u + (command)) << 2)
#define PCM_IOCTL_COMMAND(code)     ((((code) >> 2) & 0xfffu) - 0x800u)

enum pcm_command {
    PCM_CMD_FACTS = 1,              /* -> pcm_facts */
    PCM_CMD_ADAPTER_GET,            /* pcm_description -> pcm_adapter */
    PCM_CMD_ADAPTER_PUT,            /* pcm_object */
    PCM_CMD_ADAPTER_INFO,           /* pcm_adapter_query -> pcm_adapter_info */
    PCM_CMD_ADAPTER_DOMAIN,         /* pcm_object -> pcm_domain */
    PCM_CMD_ALLOCATE,               /* pcm_allocate -> pcm_allocated */
    PCM_CMD_FREE,                   /* pcm_object */
    PCM_CMD_VECTOR_ALLOCATE,        /* pcm_vector_allocate -> pcm_vector */
    PCM_CMD_VECTOR_GET,             /* pcm_element -> pcm_allocated */
    PCM_CMD_VECTOR_FREE_ELEMENT,    /* pcm_element */
    PCM_CMD_VECTOR_FREE,            /* pcm_object */
    PCM_CMD_CHANNEL_NEW,            /* pcm_description -> pcm_channel */
    PCM_CMD_CHANNEL_ALLOCATE,       /* pcm_channel_allocate -> pcm_channel_allocated */
    PCM_CMD_CHANNEL_FREE_BUFFER,    /* pcm_object */
    PCM_CMD_CHANNEL_SET_SIZE,       /* pcm_channel_size */
    PCM_CMD_CHANNEL_COPY,           /* pcm_channel_copy -> pcm_channel_copied */
    PCM_CMD_CHANNEL_QUERY,          /* pcm_object -> pcm_channel_state */
    PCM_CMD_CHANNEL_RELEASE,        /* pcm_object */
    PCM_CMD_TRANSFER,               /* pcm_transfer -> pcm_transferred */
    PCM_CMD_FAULT,                  /* pcm_fault -> pcm_fault_result */
    PCM_CMD_MISTAKE,                /* pcm_mistake */
    PCM_CMD_PACKET_NEW,             /* pcm_packet_new -> pcm_packet */
    PCM_CMD_PACKET_FREE,            /* pcm_object */
    PCM_CMD_PACKET_TRANSFER,        /* pcm_packet_transfer -> pcm_packet_transferred */
    PCM_CMD_PACKET_QUEUE,           /* pcm_packet_queue -> pcm_packet_queued */
    PCM_CMD_STRESS,                 /* pcm_stress -> pcm_stressed */
    PCM_CMD_FRAGMENT,               /* pcm_fragment -> pcm_fragmented */
    PCM_CMD_END
};

/* Result codes that replies carry; the values are those of NTSTATUS. */
#define PCM_STATUS_SUCCESS                      0x00000000u
#define PCM_STATUS_TIMEOUT                      0x00000102u
#define PCM_STATUS_BUFFER_OVERFLOW              0x80000005u
#define PCM_STATUS_DEVICE_POWERED_OFF           0x8000000fu
#define PCM_STATUS_DEVICE_BUSY                  0x80000011u
#define PCM_STATUS_UNSUCCESSFUL                 0xc0000001u
#define PCM_STATUS_INVALID_PARAMETER            0xc000000du
#define PCM_STATUS_NO_SUCH_DEVICE               0xc000000eu
#define PCM_STATUS_INVALID_DEVICE_REQUEST       0xc0000010u
#define PCM_STATUS_BUFFER_TOO_SMALL             0xc0000023u
#define PCM_STATUS_DELETE_PENDING               0xc0000056u
#define PCM_STATUS_INSUFFICIENT_RESOURCES       0xc000009au
#define PCM_STATUS_DEVICE_NOT_CONNECTED         0xc000009du
#define PCM_STATUS_DEVICE_NOT_READY             0xc00000a3u
#define PCM_STATUS_NOT_SUPPORTED                0xc00000bbu
#define PCM_STATUS_CANCELLED                    0xc0000120u
#define PCM_STATUS_DEVICE_CONFIGURATION_ERROR   0xc0000182u
#define PCM_STATUS_INVALID_DEVICE_STATE         0xc0000184u
#define PCM_STATUS_INVALID_BUFFER_SIZE          0xc0000206u
#define PCM_STATUS_CONNECTION_REFUSED           0xc0000236u
#define PCM_STATUS_NO_MATCH                     0xc0000272u

#define PCM_NODES                   128

struct pcm_object {
    uint32_t handle;
    uint32_t reserved;
};

/* The device's own view of the machine: the second opinion. */
struct pcm_facts {
    uint32_t device_version;
    uint32_t capabilities;          /* PCM_CAP */
    uint32_t node_count;
    uint32_t device_node;           /* PCM_NODE_ANY: on none */
    uint32_t hw_addr_bits;
    uint32_t capabilities2;         /* PCM_CAP2 */
    uint64_t hw_boundary;
    uint64_t node_lowest[PCM_NODES];    /* all ones: the node has no RAM */
};

/* A DEVICE_DESCRIPTION of a PCI bus master, or of what claims to be none. */
#define PCM_DESCRIBE_DMA32          (1u << 0)
#define PCM_DESCRIBE_DMA64          (1u << 1)
#define PCM_DESCRIBE_SCATTER_GATHER (1u << 2)
#define PCM_DESCRIBE_SUBORDINATE    (1u << 3)       /* no bus master at all */
#define PCM_DESCRIBE_ISA            (1u << 4)       /* InterfaceType, in place of PCIBus */
#define PCM_DESCRIBE_ANY_BUS        (1u << 5)       /* the same: InterfaceTypeUndefined */
#define PCM_DESCRIBE_IGNORED        (1u << 6)       /* odd values in what does not count */

struct pcm_description {
    uint32_t version;
    uint32_t address_width;         /* version 3 */
    uint32_t flags;                 /* PCM_DESCRIBE_ */
    uint32_t maximum_length;
};

struct pcm_adapter {
    uint32_t handle;                /* 0: IoGetDmaAdapter returned NULL */
    uint32_t map_registers;
    uint32_t adapter_version;       /* DMA_ADAPTER.Version */
    uint32_t operations_size;       /* DMA_OPERATIONS.Size */
    uint32_t alignment;             /* GetDmaAlignment */
    uint32_t has_allocate_ex;       /* 1: the table has AllocateCommonBufferEx */
    uint32_t null_members;          /* of the table, up to its size */
    uint32_t reserved;
};

enum pcm_allocator {
    PCM_ALLOCATE_COMMON_BUFFER,
    PCM_ALLOCATE_COMMON_BUFFER_EX,
    PCM_ALLOCATE_COMMON_BUFFER_WITH_BOUNDS,
    PCM_ALLOCATE_DOMAIN_COMMON_BUFFER,
    PCM_ALLOCATORS
};

#define PCM_ALLOCATE_HAS_MAXIMUM    (1u << 0)
#define PCM_ALLOCATE_CACHED         (1u << 1)
#define PCM_ALLOCATE_SCAN           (1u << 2)       /* count bytes that are not 0 */
#define PCM_ALLOCATE_HAS_MINIMUM    (1u << 3)       /* with bounds only */
#define PCM_ALLOCATE_HAS_CACHE_TYPE (1u << 4)       /* with bounds or of a domain, as the next */
#define PCM_ALLOCATE_LARGE_PAGE     (1u << 5)       /* DOMAIN_COMMON_BUFFER_LARGE_PAGE */
#define PCM_ALLOCATE_WRONG_DOMAIN   (1u << 6)       /* of a domain that is not the adapter's */

/* MEMORY_CACHING_TYPE. */
#define PCM_CACHE_NONCACHED         0u
#define PCM_CACHE_CACHED            1u
#define PCM_CACHE_WRITE_COMBINED    2u

struct pcm_allocate {
    uint32_t adapter;
    uint32_t allocator;
    uint32_t flags;
    uint32_t length;
    uint32_t node;
    uint32_t cache_type;            /* PCM_CACHE_ */
    uint64_t minimum;
    uint64_t maximum;
};

struct pcm_allocated {
    uint32_t handle;                /* 0: NULL was returned */
    uint32_t nonzero;
    uint64_t logical;
    uint64_t physical;              /* MmGetPhysicalAddress of its start */
    uint32_t page_offset;           /* of the virtual address */
    uint32_t status;                /* of a routine that returns one */
    uint32_t runs;                  /* of pages whose physical addresses adjoin, with SCAN */
    uint32_t reserved;
};

struct pcm_adapter_query {
    uint32_t adapter;
    uint32_t version;               /* DMA_ADAPTER_INFO.Version */
};

/* GetDmaAdapterInfo, called at PASSIVE_LEVEL and again at DISPATCH_LEVEL. */
struct pcm_adapter_info {
    uint32_t status;
    uint32_t status_at_dispatch;
    uint32_t read_counter;
    uint32_t scatter_gather_limit;
    uint32_t address_width;
    uint32_t flags;
    uint32_t minimum_unit;
    uint32_t reserved;
};

/* JoinDmaDomain and LeaveDmaDomain, in the order of the fields. */
struct pcm_domain {
    uint32_t has_domain;            /* GetDmaDomain is not NULL */
    uint32_t leave_first;           /* statuses, before a join */
    uint32_t join_wrong;            /* a handle that is no domain's */
    uint32_t join;
    uint32_t join_again;
    uint32_t leave;
};

struct pcm_vector_allocate {
    uint32_t adapter;
    uint32_t count;
    uint32_t cache_type;            /* PCM_CACHE_ */
    uint32_t node;
    uint32_t flags;                 /* PCM_ALLOCATE_LARGE_PAGE */
    uint32_t reserved;
    uint64_t size;
    uint64_t low;
    uint64_t high;                  /* inclusive */
};

/* A transfer to a vector's handle goes to the element that was last got. */
struct pcm_vector {
    uint32_t handle;                /* 0 unless status is success */
    uint32_t status;
};

struct pcm_element {
    uint32_t vector;
    uint32_t index;
    uint32_t flags;                 /* PCM_ALLOCATE_SCAN */
    uint32_t reserved;
};

struct pcm_channel {
    uint32_t handle;                /* 0 unless status is success */
    uint32_t status;
};

#define PCM_CHANNEL_HAS_CONSTRAINT  (1u << 0)

struct pcm_channel_allocate {
    uint32_t channel;
    uint32_t length;
    uint32_t flags;
    uint32_t reserved;
    uint64_t constraint;
};

struct pcm_channel_allocated {
    uint32_t status;
    uint32_t nonzero;
};

struct pcm_channel_size {
    uint32_t channel;
    uint32_t size;                  /* for SetBufferSize */
};

/* A pattern goes in by CopyTo, comes back by CopyFrom and is compared. */
struct pcm_channel_copy {
    uint32_t channel;
    uint32_t offset;
    uint32_t length;
    uint32_t reserved;
    uint64_t seed;
};

struct pcm_channel_copied {
    uint32_t in_buffer;             /* bytes that differed in the buffer */
    uint32_t came_back;             /* bytes that differed in the copy */
};

struct pcm_channel_state {
    uint32_t maximum_size;
    uint32_t allocated_size;
    uint32_t buffer_size;
    uint32_t transfer_count;
    uint64_t physical_address;
    uint32_t has_address;           /* 1: SystemAddress is not NULL */
    uint32_t page_offset;           /* of SystemAddress */
    uint32_t moved;                 /* 1: it was another at the last query */
    uint32_t has_adapter;           /* GetAdapterObject is not NULL */
};

/* One record of the device's violation log. */
struct pcm_record {
    uint32_t rule;
    uint32_t requester;
    uint32_t write;                 /* 1: the device wrote memory */
    uint32_t policy;
    uint32_t length;
    uint32_t sequence;
    uint64_t address;
    uint64_t expected;
    uint64_t actual;
    uint64_t fault;
    uint64_t landed;
    uint64_t time;
};

/*
 * Real DMA over a range of a buffer, with the device told to accept nothing
 * that breaks the request: TO_MEMORY has it write a pattern which the CPU
 * compares, FROM_MEMORY has it compare one which the CPU wrote.  SPOIL has the
 * CPU change one byte in between: whoever compares must find exactly that.
 */
#define PCM_TO_MEMORY               (1u << 0)
#define PCM_FROM_MEMORY             (1u << 1)
#define PCM_SPOIL                   (1u << 2)
#define PCM_PHYSICAL                (1u << 3)       /* tell the device the physical address */

struct pcm_transfer {
    uint32_t handle;                /* of a buffer, a vector, or a channel that has one */
    uint32_t directions;
    uint32_t offset;
    uint32_t length;
    uint64_t seed;
    uint32_t addr_bits;             /* PCM_ADDR_BITS to set */
    uint32_t node;                  /* PCM_NODE to set */
    uint64_t limit;                 /* PCM_LIMIT: the last legal byte */
    uint64_t boundary;              /* PCM_BOUNDARY: bits that may vary */
    uint32_t window_short;          /* last bytes of the range that the window lacks */
    uint32_t spoiled;               /* offset in the range, with SPOIL */
};

struct pcm_direction {
    uint32_t result;                /* PCM_EX_RESULT */
    uint32_t done;                  /* bytes the device transferred */
    uint32_t mismatches;            /* bytes that differed */
    uint32_t first_mismatch;        /* its offset, or PCM_PATTERN_SAME */
    uint32_t nodeless;              /* bytes the device saw on no node */
    uint32_t timed_out;             /* 1: no interrupt came */
    uint64_t node_bytes[PCM_NODES];
};

struct pcm_transferred {
    struct pcm_direction to_memory;
    struct pcm_direction from_memory;
    uint32_t records;               /* violations logged meanwhile */
    uint32_t reserved;
    struct pcm_record first;        /* the first of them */
};

/* MM_ANY_NODE_OK. */
#define PCM_ANY_NODE                0x80000000u

/*
 * A thread on each processor allocates and frees common buffers under random
 * constraints, all at once, with DMA to and from each.
 */
struct pcm_stress {
    uint32_t adapter;
    uint32_t allocator;             /* common buffer, or Ex */
    uint32_t rounds;                /* buffers that each processor allocates */
    uint32_t length;                /* of the longest, bytes */
    uint32_t nodes;                 /* preferred ones are below */
    uint32_t reserved;
    uint64_t seed;
};

struct pcm_stressed {
    uint32_t processors;            /* whose thread ran there from beginning to end */
    uint32_t allocated;
    uint32_t freed;
    uint32_t refused;
    uint32_t misplaced;             /* buffers that break their request */
    uint32_t unclean;               /* buffers with bytes that are not 0 */
    uint32_t foreign;               /* buffers that did not keep their pattern, by the CPU */
    uint32_t mismatched;            /* and by the device */
    uint32_t refused_dma;           /* transfers that were not whole */
    uint32_t timed_out;
    uint32_t records;               /* violations logged */
    uint32_t reserved;
    uint64_t filled;                /* bytes the device wrote */
    uint64_t verified;              /* bytes the device read and found right */
};

/* Deliberate mistakes; only a driver built with them knows the command. */
enum pcm_fault_id {
    PCM_FAULT_LIMIT,
    PCM_FAULT_BOUNDARY,
    PCM_FAULT_NODE,
    PCM_FAULT_OVERRUN,
    PCM_FAULT_USE_AFTER_FREE,
    PCM_FAULT_END_OF_RANGE,
    PCM_FAULT_STALE_MAPPING,        /* these two only behind an IOMMU */
    PCM_FAULT_PHYSICAL_ADDRESS,
    PCM_FAULT_COUNT
};

struct pcm_fault {
    uint32_t fault;
    uint32_t policy;                /* PCM_POLICY_, set for every rule */
};

/* What the transfer did to one range of memory, found by the CPU. */
struct pcm_damage {
    uint64_t logical;
    uint32_t length;                /* 0: there is no such range */
    uint32_t changed;               /* bytes that are not what they were */
    uint32_t data;                  /* bytes that are the device's, in order */
    uint32_t data_offset;           /* where in the transfer its byte 0 is */
};

struct pcm_fault_result {
    uint32_t status;                /* success: the DMA was done */
    uint32_t records;
    struct pcm_record record;       /* the first */
    uint64_t address;               /* what the device was told to do: it */
    uint32_t length;                /*   writes LENGTH bytes from ADDRESS */
    uint32_t result;                /* PCM_EX_RESULT */
    uint32_t done;
    uint32_t addr_bits;             /* the rules it was told beforehand */
    uint64_t limit;
    uint64_t boundary;
    uint32_t node;
    uint32_t done_before;           /* bytes it wrote before the mistake */
    uint64_t window_first;          /* nearest window; first > last: none */
    uint64_t window_last;
    struct pcm_damage target;       /* the part of the buffer it may reach */
    struct pcm_damage victim;       /* innocent memory */
};

/* Mistakes for the guest's verifier to stop; the same driver's. */
enum pcm_mistake_id {
    PCM_MISTAKE_FREE_LENGTH,
    PCM_MISTAKE_FREE_LOGICAL,
    PCM_MISTAKE_FREE_CACHE,
    PCM_MISTAKE_FREE_INSIDE,
    PCM_MISTAKE_FREE_FOREIGN,
    PCM_MISTAKE_FREE_UNKNOWN,
    PCM_MISTAKE_FREE_TWICE,
    PCM_MISTAKE_FREE_BEHIND,
    PCM_MISTAKE_PUT_LIVE_BUFFER,
    PCM_MISTAKE_STALE_ADAPTER,
    PCM_MISTAKE_PUT_TWICE,
    PCM_MISTAKE_NULL_ADAPTER,
    PCM_MISTAKE_NEVER_PUT,
    PCM_MISTAKE_IRQL_ALLOCATE,
    PCM_MISTAKE_IRQL_ADAPTER,
    PCM_MISTAKE_IRQL_FREE,
    PCM_MISTAKE_IRQL_PUT,
    PCM_MISTAKE_IRQL_CHANNEL,
    PCM_MISTAKE_WRITE_BEFORE,
    PCM_MISTAKE_WRITE_BEHIND,
    PCM_MISTAKE_READ_BEHIND,
    PCM_MISTAKE_TOUCH_FREED,
    PCM_MISTAKE_IRQL_EX,
    PCM_MISTAKE_IRQL_BOUNDS,
    PCM_MISTAKE_IRQL_ALIGNMENT,
    PCM_MISTAKE_IRQL_INFO,
    PCM_MISTAKE_IRQL_VECTOR,
    PCM_MISTAKE_FREE_ELEMENT,
    PCM_MISTAKE_VECTOR_INDEX,
    PCM_MISTAKE_VECTOR_ELEMENT_TWICE,
    PCM_MISTAKE_VECTOR_FOREIGN,
    PCM_MISTAKE_VECTOR_LIVE,
    PCM_MISTAKE_WRITE_PADDING,
    PCM_MISTAKE_CHECK_BUFFERS,
    PCM_MISTAKE_DEVICE_BEFORE,
    PCM_MISTAKE_DEVICE_BEHIND,
    PCM_MISTAKE_DEVICE_PADDING,
    PCM_MISTAKE_CHANNEL_FREE_TWICE,
    PCM_MISTAKE_REGISTERS_UNKNOWN,
    PCM_MISTAKE_REGISTERS_COUNT,
    PCM_MISTAKE_REGISTERS_MAPPED,
    PCM_MISTAKE_TOO_MANY_REGISTERS,
    PCM_MISTAKE_LIST_UNKNOWN,
    PCM_MISTAKE_PUT_LIVE_CHANNEL,
    PCM_MISTAKE_PUT_LIVE_REGISTERS,
    PCM_MISTAKE_PUT_LIVE_LIST,
    PCM_MISTAKE_PUT_WAITING,
    PCM_MISTAKE_TWO_CHANNELS,
    PCM_MISTAKE_NOT_FLUSHED,
    PCM_MISTAKE_FLUSH_UNMAPPED,
    PCM_MISTAKE_OUTSIDE_MDL,
    PCM_MISTAKE_BEYOND_MDL,
    PCM_MISTAKE_LENGTH_ZERO,
    PCM_MISTAKE_DIRECTION,
    PCM_MISTAKE_IRQL_LIST,
    PCM_MISTAKE_LIST_DIRECTION,
    PCM_MISTAKE_LIST_OUTSIDE,
    PCM_MISTAKE_MAP_FREED,
    PCM_MISTAKE_CHANNEL_INSIDE,
    PCM_MISTAKE_IRQL_LIST_EX,
    PCM_MISTAKE_IRQL_CONTEXT,
    PCM_MISTAKE_DEVICE_EVIDENCE,
    PCM_MISTAKE_NO_COUNTER,
    PCM_MISTAKE_IRQL_COUNTER,
    PCM_MISTAKE_CHANNEL_LENGTH,
    PCM_MISTAKE_CHANNEL_NOT_FLUSHED,
    /* Up to RESULT_CONTENTS the executive's own: it spoils its results. */
    PCM_MISTAKE_RESULT_LIMIT,
    PCM_MISTAKE_RESULT_MINIMUM,
    PCM_MISTAKE_RESULT_BOUNDARY,
    PCM_MISTAKE_RESULT_ALIGNMENT,
    PCM_MISTAKE_RESULT_SCATTERED,
    PCM_MISTAKE_RESULT_NODE,
    PCM_MISTAKE_RESULT_OVERLAP,
    PCM_MISTAKE_RESULT_CONTENTS,
    PCM_MISTAKE_UNLOAD_BUFFER,
    PCM_MISTAKE_UNLOAD_CHANNEL,
    PCM_MISTAKE_UNLOAD_REGISTERS,
    PCM_MISTAKE_UNLOAD_LIST,
    PCM_MISTAKE_NOT_LOCKED,
    PCM_MISTAKE_LIST_NOT_LOCKED,
    PCM_MISTAKE_MAPPED_TWICE,
    PCM_MISTAKE_VECTOR_TWICE,
    PCM_MISTAKE_FREE_REUSED,
    PCM_MISTAKE_TOUCH_REUSED,
    PCM_MISTAKE_STALE_REUSED,
    PCM_MISTAKE_REGISTERS_REUSED,
    PCM_MISTAKE_LIST_REUSED,
    PCM_MISTAKE_IRQL_VECTOR_NEW,
    PCM_MISTAKE_IRQL_REQUEST,
    PCM_MISTAKE_IRQL_REGISTERS,
    PCM_MISTAKE_IRQL_PUT_LIST,
    PCM_MISTAKE_IRQL_MAP,
    PCM_MISTAKE_IRQL_FLUSH,
    PCM_MISTAKE_COUNT
};

/* Succeeds if the mistake was made and nothing has stopped it. */
struct pcm_mistake {
    uint32_t mistake;
    uint32_t reserved;
};

/*
 * Packet DMA: memory that was not allocated for the device, described by a
 * chain of MDLs, one for each part.
 */
#define PCM_PACKET_PARTS            4u

enum pcm_part_kind {
    PCM_PART_PAGES,                 /* pages one by one, from anywhere in the bounds */
    PCM_PART_POOL                   /* nonpaged pool, in one piece */
};

struct pcm_packet_part {
    uint32_t kind;
    uint32_t offset;                /* of the first byte, from the first page's start */
    uint32_t length;                /* bytes that the MDL describes */
    uint32_t reserved;
    uint64_t low;                   /* of pages: the first byte that may be used */
    uint64_t high;                  /* and the last */
};

struct pcm_packet_new {
    uint32_t parts;
    uint32_t reserved;
    struct pcm_packet_part part[PCM_PACKET_PARTS];
};

struct pcm_packet {
    uint32_t handle;                /* 0: there is no such memory */
    uint32_t pages;                 /* that the MDLs name, each counted */
    uint64_t lowest;                /* physical address of one of their bytes */
    uint64_t highest;
};

enum pcm_packet_method {
    PCM_GET_LIST,                   /* GetScatterGatherList */
    PCM_BUILD_LIST,                 /* BuildScatterGatherList */
    PCM_GET_LIST_EX,
    PCM_BUILD_LIST_EX,
    PCM_GET_LIST_AT_ONCE,           /* GetScatterGatherListEx, synchronously, without a routine */
    PCM_MAP,                        /* AllocateAdapterChannel, MapTransfer */
    PCM_MAP_EX,                     /* AllocateAdapterChannelEx, MapTransferEx */
    PCM_MAP_AT_ONCE,                /* the same synchronously, without a routine */
    PCM_FROM_MDL,                   /* CreateCommonBufferFromMdl: no packet DMA, but like it */
    PCM_PACKET_METHODS
};

/*
 * Late: the CPU changes what the device shall read after it was mapped.  Mdl:
 * the list's memory is looked at through BuildMdlFromScatterGatherList, too.
 * After: the device is told to use the first element again when all is over.
 */
#define PCM_PACKET_LATE             (1u << 0)
#define PCM_PACKET_MDL              (1u << 1)
#define PCM_PACKET_AFTER            (1u << 2)

struct pcm_packet_transfer {
    uint32_t adapter;
    uint32_t packet;
    uint32_t method;
    uint32_t directions;            /* PCM_TO_MEMORY, PCM_FROM_MEMORY */
    uint32_t flags;                 /* PCM_PACKET_ */
    uint32_t registers;             /* for PCM_MAP...; 0: as many as all of it takes */
    uint32_t room;                  /* elements in the buffer of MapTransferEx; 0: enough */
    uint32_t buffer_short;          /* bytes that the buffer of BuildScatterGatherList lacks */
    uint32_t offset;
    uint32_t length;
    uint64_t seed;
    uint32_t addr_bits;             /* PCM_ADDR_BITS to set */
    uint32_t reserved;
};

struct pcm_packet_way {
    uint32_t status;                /* of the routine that gets list or registers */
    uint32_t result;                /* PCM_EX_RESULT of the last command */
    uint32_t mapped;                /* times something was mapped: lists, calls of MapTransfer */
    uint32_t elements;
    uint32_t direct;                /* of these, at the memory's own address */
    uint32_t covered;               /* bytes of the elements */
    uint32_t done;                  /* bytes that the device transferred */
    uint32_t early;                 /* bytes that the CPU saw before the transfer was flushed */
    uint32_t mismatches;            /* bytes that differed, for whoever compares */
    uint32_t first_mismatch;
    uint32_t in_mdl;                /* bytes that differed through the target MDL */
    uint32_t spilt;                 /* bytes around that were changed */
    uint32_t after_result;          /* PCM_EX_RESULT of the first element's second use */
    uint32_t after_done;            /* bytes that it transferred */
    uint32_t after_length;          /* bytes of that element */
    uint32_t reserved;
    uint64_t after_address;         /* its address */
    uint64_t lowest;                /* first and last byte that the device was given */
    uint64_t highest;
};

struct pcm_packet_transferred {
    uint32_t size_status;           /* CalculateScatterGatherList; version 2 */
    uint32_t size_registers;
    uint32_t size_bytes;
    uint32_t info_status;           /* GetDmaTransferInfo; version 3 */
    uint32_t info_registers;
    uint32_t info_elements;
    uint32_t info_bytes;
    uint32_t info_pages;
    struct pcm_packet_way to_memory;
    struct pcm_packet_way from_memory;
    uint32_t records;
    uint32_t reserved;
    struct pcm_record first;
};

/* Requests made one after the other; those granted are released in that order. */
#define PCM_QUEUE_LENGTH            8u
#define PCM_QUEUE_NEVER             0xffffffffu

struct pcm_packet_queue {
    uint32_t adapter;
    uint32_t packet;                /* page-aligned */
    uint32_t count;
    uint32_t cancel;                /* bit n: request n is cancelled before the first release */
    uint32_t method[PCM_QUEUE_LENGTH];  /* enum pcm_packet_method */
    uint32_t registers[PCM_QUEUE_LENGTH];
};

struct pcm_packet_queued {
    uint32_t status[PCM_QUEUE_LENGTH];
    uint32_t order[PCM_QUEUE_LENGTH];   /* which was granted first, second... */
    uint32_t after[PCM_QUEUE_LENGTH];   /* how many were, after the first release, the second... */
    uint32_t at_once;               /* how many were before any release or cancellation */
    uint32_t cancelled;             /* bit n: CancelAdapterChannel returned TRUE */
};

/*
 * Takes all memory up to the physical address LAST but PAGES single pages, no two
 * of which adjoin, and keeps it until the file is closed or PAGES is 0.  All of it
 * is touched.
 */
struct pcm_fragment {
    uint64_t last;
    uint32_t pages;
    uint32_t reserved;
};

struct pcm_fragmented {
    uint32_t status;
    uint32_t taken;                 /* pages */
};

#define PCM_IOCTL_IS(type, size)    _Static_assert(sizeof(struct type) == (size), #type)
PCM_IOCTL_IS(pcm_facts, 32 + 8 * PCM_NODES);
PCM_IOCTL_IS(pcm_description, 16);
PCM_IOCTL_IS(pcm_adapter, 32);
PCM_IOCTL_IS(pcm_allocate, 40);
PCM_IOCTL_IS(pcm_allocated, 40);
PCM_IOCTL_IS(pcm_adapter_info, 32);
PCM_IOCTL_IS(pcm_domain, 24);
PCM_IOCTL_IS(pcm_vector_allocate, 48);
PCM_IOCTL_IS(pcm_element, 16);
PCM_IOCTL_IS(pcm_channel_allocate, 24);
PCM_IOCTL_IS(pcm_channel_copy, 24);
PCM_IOCTL_IS(pcm_channel_state, 40);
PCM_IOCTL_IS(pcm_record, 72);
PCM_IOCTL_IS(pcm_transfer, 56);
PCM_IOCTL_IS(pcm_direction, 24 + 8 * PCM_NODES);
PCM_IOCTL_IS(pcm_transferred, 2 * (24 + 8 * PCM_NODES) + 80);
PCM_IOCTL_IS(pcm_stress, 32);
PCM_IOCTL_IS(pcm_stressed, 64);
PCM_IOCTL_IS(pcm_fault_result, 192);
PCM_IOCTL_IS(pcm_packet_new, 8 + 32 * PCM_PACKET_PARTS);
PCM_IOCTL_IS(pcm_packet, 24);
PCM_IOCTL_IS(pcm_packet_transfer, 56);
PCM_IOCTL_IS(pcm_packet_way, 88);
PCM_IOCTL_IS(pcm_packet_transferred, 32 + 2 * 88 + 80);
PCM_IOCTL_IS(pcm_packet_queue, 80);
PCM_IOCTL_IS(pcm_packet_queued, 104);
#undef PCM_IOCTL_IS

#endif /* PCMASTER_IOCTL_H */
