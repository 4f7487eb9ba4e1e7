/* SPDX-License-Identifier: GPL-2.0-or-later WITH Linux-syscall-note */
/*
 * The device node /dev/pcmasterN: buffers under constraints, and DMA to them
 *
 * For root only.  Buffers belong to the open file, and are mapped with mmap() at
 * their offset.  Closing the file frees them, once they are mapped nowhere.
 * Fields that are reserved, or for results of PCMASTER_IOC_ALLOCATE, are 0.  When
 * the card goes the buffers are gone: requests fail with ENODEV, touching a
 * mapping is a SIGBUS.
 */
#ifndef PCMASTER_EXERCISE_H
#define PCMASTER_EXERCISE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define PCMASTER_LOG_KEPT		256
#define PCMASTER_BUFFERS_MAX		4096	/* of one file */
#define PCMASTER_BUFFER_MAX		(64U << 20)	/* bytes */
#define PCMASTER_EXERCISE_NODES		128
#define PCMASTER_ANY_NODE		0xffffffffU

struct pcmaster_facts {
	__u32 version;
	__u32 capabilities;		/* PCM_CAP */
	__u32 node_count;
	__u32 device_node;		/* PCMASTER_ANY_NODE: on none */
	__u32 addr_bits;
	__u32 reserved;
	__u64 boundary;
	__u64 node_lowest[PCMASTER_EXERCISE_NODES];
};

#define PCMASTER_CACHED			(1U << 0)

struct pcmaster_allocate {
	__u64 last;			/* in: last byte that may be used */
	__u64 boundary;			/* in: bits that may vary in the buffer */
	__u64 align;			/* in: a power of two */
	__u32 length;			/* in: bytes */
	__u32 node;			/* in: preferred, or PCMASTER_ANY_NODE */
	__u32 flags;			/* in: PCMASTER_CACHED */
	__u32 handle;			/* out: not 0 */
	__u64 address;			/* out: the device's */
	__u64 offset;			/* out: for mmap() */
	__u64 physical;			/* out: the processor's, of its first page */
};

struct pcmaster_free {
	__u32 handle;
	__u32 reserved;
};

/*
 * The device is told the processor's address of the buffer's start in place of its
 * own.  If an IOMMU lets something of the device's be reached there: -EBUSY.
 */
#define PCMASTER_PHYSICAL		(1U << 0)

/* One command of the exerciser on a range of a buffer, under these rules. */
struct pcmaster_exercise {
	__u32 handle;			/* in */
	__u32 command;			/* in: PCM_EX_FILL ... */
	__u32 offset;			/* in */
	__u32 length;			/* in */
	__u64 seed;			/* in */
	__u64 limit;			/* in: PCM_LIMIT */
	__u64 boundary;			/* in: PCM_BOUNDARY */
	__u32 addr_bits;		/* in: PCM_ADDR_BITS */
	__u32 node;			/* in: PCM_NODE */
	__u32 window_short;		/* in: last bytes that the window lacks */
	__u32 flags;			/* in: PCMASTER_PHYSICAL */
	__u32 result;			/* out: PCM_EX_RESULT */
	__u32 done;			/* out */
	__u32 mismatches;		/* out */
	__u32 first_mismatch;		/* out */
	__u32 checksum;			/* out */
	__u32 nodeless;			/* out: bytes on no node */
	__u32 records;			/* out: that the device has logged meanwhile */
	__u32 reserved;
	__u64 node_bytes[PCMASTER_EXERCISE_NODES];	/* out */
};

/* As in the device's log. */
struct pcmaster_record {
	__u32 info;			/* PCM_LOG_INFO */
	__u32 length;
	__u32 sequence;
	__u32 reserved;
	__u64 address;
	__u64 expected;
	__u64 actual;
	__u64 fault;
	__u64 landed;
	__u64 time;
};

/* The next record that this file has not read; -EAGAIN: there is none. */
#define PCMASTER_IOC_FACTS	_IOR('P', 0x80, struct pcmaster_facts)
#define PCMASTER_IOC_ALLOCATE	_IOWR('P', 0x81, struct pcmaster_allocate)
#define PCMASTER_IOC_FREE	_IOW('P', 0x82, struct pcmaster_free)
#define PCMASTER_IOC_EXERCISE	_IOWR('P', 0x83, struct pcmaster_exercise)
#define PCMASTER_IOC_READ_LOG	_IOR('P', 0x84, struct pcmaster_record)

#endif /* PCMASTER_EXERCISE_H */
