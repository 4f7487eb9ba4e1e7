/*
 * pcmaster: the register map
 *
 * The one definition of it: included by the device model, the guest drivers
 * and the tests.  docs/specs/pcmaster.rst describes every register.
 *
 * BAR 0 holds little-endian registers of 32 bits.  A 64-bit value is a pair,
 * low half first.  Accesses are aligned and 4 or 8 bytes wide; 8 bytes act as
 * two accesses of 4, low half first.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef PCMASTER_REGS_H
#define PCMASTER_REGS_H

/* The range 1af4:10f0-10ff is set aside for experiments. */
#define PCM_PCI_VENDOR_ID           0x1af4
#define PCM_PCI_DEVICE_ID           0x10fa
#define PCM_BAR                     0
#define PCM_BAR_SIZE                0x4000
#define PCM_MSIX_BAR                1
#define PCM_VECTORS                 17      /* of MSI-X */

/* --- Identification and interrupts ------------------------------------- */

#define PCM_ID                      0x000   /* RO   PCM_ID_VALUE */
#define   PCM_ID_VALUE              0x414d4350u     /* "PCMA" */
#define PCM_VERSION                 0x004   /* RO   major << 16 | minor */
#define   PCM_VERSION_VALUE         0x00020001u
#define PCM_CAP                     0x008   /* RO   what this device has */
#define   PCM_CAP_PLAYBACK(v)       ((v) & 0xf)          /* streams */
#define   PCM_CAP_CAPTURE(v)        (((v) >> 4) & 0xf)   /* streams */
#define   PCM_CAP_WINDOWS(v)        (((v) >> 8) & 0xff)
#define   PCM_CAP_LOG(v)            ((v) >> 16)          /* records kept */
#define PCM_CAP2                    0x00c   /* RO */
#define   PCM_CAP2_LOOPBACK         (1u << 0)   /* capture hears playback */
#define   PCM_CAP2_INJECTION        (1u << 1)   /* PCM_INJ_... accept writes */
#define   PCM_CAP2_CHANNELS(v)      (((v) >> 8) & 0xff) /* most of a stream */
#define   PCM_CAP2_VECTORS(v)       (((v) >> 16) & 0xff)    /* of MSI-X */
#define PCM_CTRL                    0x010   /* RW */
#define   PCM_CTRL_RESET            (1u << 0)       /* clears itself */
#define PCM_INT_STATUS              0x018   /* W1C, streams' bits RO */
#define PCM_INT_ENABLE              0x01c   /* RW */
#define   PCM_INT_VIOLATION         (1u << 0)       /* a record was logged */
#define   PCM_INT_EXERCISER         (1u << 1)       /* a command ended */
#define   PCM_INT_STREAM(n)         (1u << (16 + (n)))  /* see PCM_S_STATUS */
#define PCM_INT_VECTOR              0x020   /* RW   of the device's sources */
/* One bit for each stream; all of them act at the same instant. */
#define PCM_STREAMS_START           0x028   /* WO   all of them or none */
#define PCM_STREAMS_STOP            0x02c   /* WO */
#define PCM_STREAMS_PAUSE           0x030   /* WO */
#define PCM_STREAMS_RESUME          0x034   /* WO */

/* --- DMA port: what is legal ------------------------------------------- */

#define PCM_HW_ADDR_BITS            0x100   /* RO   address lines there are */
#define PCM_ADDR_BITS               0x104   /* RW   lines the driver uses */
#define   PCM_ADDR_BITS_MIN         20
#define   PCM_ADDR_BITS_MAX         64
#define PCM_LIMIT                   0x108   /* RW64 last legal byte */
#define PCM_HW_BOUNDARY             0x110   /* RO64 mask: may vary */
#define PCM_BOUNDARY                0x118   /* RW64 the same, the driver's */
#define   PCM_BOUNDARY_NONE         0xffffffffffffffffull
#define PCM_NODE                    0x120   /* RW   expected NUMA node */
#define   PCM_NODE_ANY              0xffffffffu
#define PCM_HW_NODE                 0x124   /* RO   as a property demands */
#define PCM_POLICY                  0x128   /* RW   two bits for each rule */
#define   PCM_POLICY_SHIFT(rule)    (2 * (rule))
#define   PCM_POLICY_ABORT          0u      /* nothing is transferred */
#define   PCM_POLICY_WRAP           1u      /* as a card without checks */
#define   PCM_POLICY_RECORD         2u      /* transferred, but logged */
#define PCM_NODE_COUNT              0x130   /* RO   NUMA nodes of the machine */
#define PCM_DEVICE_NODE             0x134   /* RO   the device's, or ANY */
/* Of buffers, in bytes, powers of two. */
#define PCM_HW_ALIGN                0x138   /* RO   of the first address */
#define PCM_ALIGN                   0x13c   /* RW */
#define PCM_HW_GRAIN                0x140   /* RO   of the length */
#define PCM_GRAIN                   0x144   /* RW */
#define   PCM_ALIGN_MAX             0x10000u        /* of both; at least 1 */
#define PCM_HW_BURST                0x148   /* RO   longest; 0: any length */
#define PCM_BURST                   0x14c   /* RW */
#define   PCM_BURST_MIN             16u
#define   PCM_BURST_MAX             0x80000000u

/* Rules.  A transaction may break several; each gets a record of its own. */
#define PCM_RULE_LIMIT              0       /* beyond the reachable addresses */
#define PCM_RULE_BOUNDARY           1       /* bits outside the mask vary */
#define PCM_RULE_WINDOW             2       /* outside all declared windows */
#define PCM_RULE_NODE               3       /* not on the expected node */
#define PCM_RULE_TARGET             4       /* not RAM */
#define PCM_RULE_ALIGN              5       /* buffer starts at an odd place */
#define PCM_RULE_GRAIN              6       /* buffer has an odd length */
#define PCM_RULE_BURST              7       /* buffer is too long */
#define PCM_RULE_IOMMU              8       /* an IOMMU lets it not pass */
#define PCM_RULE_COUNT              9

/* PCM_LOG_ACTUAL of the target rule: what was found instead of RAM. */
#define PCM_TARGET_RAM              0
#define PCM_TARGET_NOTHING          1       /* no device answers */
#define PCM_TARGET_IO               2       /* registers of a device */
#define PCM_TARGET_ROM              3       /* written to */
#define PCM_TARGET_ERROR            4       /* RAM, but the access failed */

/* PCM_LOG_ACTUAL of the IOMMU rule: what it lets pass there. */
#define PCM_IOMMU_NOTHING           0
#define PCM_IOMMU_READ              1
#define PCM_IOMMU_WRITE             2

/* --- Violation log: a queue, oldest record first ----------------------- */

#define PCM_LOG_COUNT               0x180   /* RO   records held */
#define PCM_LOG_LOST                0x184   /* RO   no room for them */
#define PCM_LOG_CTRL                0x188   /* WO */
#define   PCM_LOG_POP               (1u << 0)       /* drop the oldest */
#define   PCM_LOG_CLEAR             (1u << 1)       /* drop all, LOST too */
#define PCM_LOG_INFO                0x190   /* RO   of the oldest; 0 if none */
#define   PCM_LOG_RULE(v)           ((v) & 0xff)
#define   PCM_LOG_REQUESTER(v)      (((v) >> 8) & 0xff)
#define   PCM_LOG_WRITE             (1u << 16)      /* device wrote memory */
#define   PCM_LOG_POLICY(v)         (((v) >> 24) & 3)
#define   PCM_LOG_VALID             (1u << 31)
#define PCM_LOG_LENGTH              0x194   /* RO   bytes asked for */
#define PCM_LOG_ADDR                0x198   /* RO64 first byte asked for */
#define PCM_LOG_EXPECTED            0x1a0   /* RO64 by rule, see the spec */
#define PCM_LOG_ACTUAL              0x1a8   /* RO64 by rule, see the spec */
#define PCM_LOG_FAULT               0x1b0   /* RO64 first byte that offends */
#define PCM_LOG_LANDED              0x1b8   /* RO64 where FAULT's byte went */
#define   PCM_LANDED_NOWHERE        0xffffffffffffffffull
#define PCM_LOG_TIME                0x1c0   /* RO64 ns of the virtual clock */
#define PCM_LOG_SEQUENCE            0x1c8   /* RO   counts from 0 */
#define PCM_LOG_PC                  0x1d0   /* RO64 who rang the doorbell */
#define   PCM_PC_UNKNOWN            0xffffffffffffffffull

#define PCM_REQUESTER_EXERCISER     0xff    /* else the number of a stream */
#define PCM_REQUESTER_DEVICE        0xfe    /* in records of injections only */

/*
 * A record may tell of an injected fault that acted, not of a violation.
 * PCM_LOG_RULE is this then, EXPECTED the kind, ACTUAL by kind.
 */
#define PCM_LOG_INJECTED            0x40
#define   PCM_INJECTED_IRQ_DELAYED  1       /* ns */
#define   PCM_INJECTED_IRQ_LOST     2       /* vector */
#define   PCM_INJECTED_IRQ_REPEATED 3       /* vector */
#define   PCM_INJECTED_STUCK        4       /* position that is shown */
#define   PCM_INJECTED_FLIP         5       /* bits that were flipped */
#define   PCM_INJECTED_CUT          6       /* bytes that were transferred */
#define   PCM_INJECTED_SILENCE      7       /* 0 */

/* --- Exerciser --------------------------------------------------------- */

#define PCM_EX_COMMAND              0x200   /* WO   starts a command */
#define   PCM_EX_FILL               1u      /* write the pattern */
#define   PCM_EX_VERIFY             2u      /* read, compare with the pattern */
#define   PCM_EX_CHECKSUM           3u      /* read, compute CRC-32C */
#define   PCM_EX_READ               4u      /* read, nothing else */
#define PCM_EX_STATUS               0x204   /* RO */
#define   PCM_EX_BUSY               (1u << 0)
#define   PCM_EX_RESULT(v)          (((v) >> 4) & 0xf)
#define   PCM_EX_OK                 0u
#define   PCM_EX_VIOLATION          1u      /* aborted by a rule */
#define   PCM_EX_MISMATCH           2u      /* VERIFY found another pattern */
#define   PCM_EX_BAD_COMMAND        3u      /* unknown, length 0, or busy */
#define   PCM_EX_NO_BUS_MASTER      4u      /* PCI command register says no */
#define PCM_EX_ADDR                 0x208   /* RW64 */
#define PCM_EX_LENGTH               0x210   /* RW   bytes, 1 to 2^32 - 1 */
#define PCM_EX_SEED                 0x218   /* RW64 */
#define PCM_EX_DONE                 0x220   /* RO   bytes transferred */
#define PCM_EX_MISMATCHES           0x224   /* RO   bytes that differed */
#define PCM_EX_FIRST_MISMATCH       0x228   /* RO   offset of the first */
#define PCM_EX_MISMATCH_BYTES       0x22c   /* RO   expected | actual << 8 */
#define PCM_EX_CHECKSUM_VALUE       0x230   /* RO */
#define PCM_EX_NODELESS             0x234   /* RO   bytes on no node */

/*
 * The pattern: byte i is byte i % 8, little-endian, of the 64-bit word
 * SEED + (i / 8) * PCM_EX_STEP.  The step is odd: no two words of a transfer
 * are alike, so data in the wrong place cannot pass for data in the right one.
 */
#define PCM_EX_STEP                 0x9e3779b97f4a7c15ull

/* --- Fault injection: writable if PCM_CAP2_INJECTION, else 0 ------------ */

#define PCM_INJ_IRQ_DELAY           0x280   /* RW   ns, each interrupt */
#define   PCM_INJ_IRQ_DELAY_MAX     1000000000u
#define PCM_INJ_IRQ_LOSE            0x284   /* RW   the next so many */
#define PCM_INJ_IRQ_REPEAT          0x288   /* RW   the next so many */
#define PCM_INJ_STUCK               0x28c   /* RW   streams, one bit each */
#define PCM_INJ_REQUESTERS          0x290   /* RW   whom FLIP and CUT hit */
#define   PCM_INJ_EXERCISER         (1u << 16)      /* else bit n: stream n */
#define PCM_INJ_FLIP                0x294   /* RW   the next so many */
#define PCM_INJ_FLIP_OFFSET         0x298   /* RW   byte of the transaction */
#define PCM_INJ_FLIP_MASK           0x29c   /* RW   bits of that byte */
#define PCM_INJ_CUT                 0x2a0   /* RW   the next so many */
#define PCM_INJ_CUT_LENGTH          0x2a4   /* RW   bytes still transferred */
#define PCM_INJ_SILENCE             0x2a8   /* RW   1: answers no more */

/* --- Distance of node n from the device, by the SLIT -------------------- */

/* RO: 10 is local; 0: not known */
#define PCM_NODE_DISTANCE(n)        (0x400 + 4 * (n))

/* --- Windows: the memory the driver has given to the device ------------ */

#define PCM_WINDOW(n)               (0x800 + 0x20 * (n))
#define   PCM_WINDOW_COUNT          64
#define   PCM_W_FIRST               0x00    /* RW64 */
#define   PCM_W_LAST                0x08    /* RW64 inclusive */
#define   PCM_W_CTRL                0x10    /* RW */
#define     PCM_W_ENABLE            (1u << 0)
#define     PCM_W_READ              (1u << 1)       /* device may read it */
#define     PCM_W_WRITE             (1u << 2)       /* device may write it */

/* --- NUMA nodes, as QEMU knows them ------------------------------------ */

#define PCM_NODES_MAX               128
/* RO64: bytes of the last exerciser command on node n */
#define PCM_NODE_BYTES(n)           (0x1000 + 8 * (n))
/* RO64: lowest RAM address of node n; all ones if it has none */
#define PCM_NODE_LOWEST(n)          (0x1400 + 8 * (n))

/* --- Accounting: what was transferred since reset or CLEAR -------------- */

#define PCM_ACC(n)                  (0x1800 + 0x20 * (n))   /* n: stream */
#define   PCM_ACC_EXERCISER         16
#define   PCM_ACC_NODELESS          17      /* memory on no node */
#define   PCM_ACC_TOTAL             18
#define   PCM_ACC_COUNT             19
#define PCM_ACC_NODE(n)             (0x3000 + 0x20 * (n))   /* n: NUMA node */
#define   PCM_A_READ_BYTES          0x00    /* RO64 from memory */
#define   PCM_A_READS               0x08    /* RO64 transactions */
#define   PCM_A_WRITE_BYTES         0x10    /* RO64 to memory */
#define   PCM_A_WRITES              0x18    /* RO64 transactions */
#define PCM_ACC_WEIGHED             0x1c00  /* RO64 bytes at known distances */
#define PCM_ACC_WEIGHT              0x1c08  /* RO64 sum of their distances */
#define PCM_ACC_CTRL                0x1c10  /* WO */
#define   PCM_ACC_CLEAR             (1u << 0)

/* --- Streams: playback first, then capture ----------------------------- */

/*
 * Reading the low half of PCM_S_POSITION latches the high one.  Writing the
 * high half of PCM_S_END or PCM_S_READY brings both in.
 */
#define PCM_STREAM(n)               (0x2000 + 0x80 * (n))
#define   PCM_STREAM_COUNT          16
#define   PCM_S_CTL                 0x00    /* RW */
#define     PCM_S_RUN               (1u << 0)
#define     PCM_S_PAUSE             (1u << 1)       /* position stands still */
#define     PCM_S_SELF_CLEAR        (1u << 2)       /* PERIOD, with messages */
#define   PCM_S_STATUS              0x04    /* W1C, RUNNING RO */
#define     PCM_S_PERIOD            (1u << 0)       /* a period has passed */
#define     PCM_S_DRAINED           (1u << 1)       /* END was played out */
#define     PCM_S_ERROR             (1u << 2)       /* stopped: PCM_S_CAUSE */
#define     PCM_S_LATE              (1u << 3)       /* back end: PCM_S_LOST */
#define     PCM_S_XRUN              (1u << 4)       /* driver: PCM_S_XRUNS */
#define     PCM_S_PAUSED            (1u << 30)
#define     PCM_S_RUNNING           (1u << 31)
#define   PCM_S_INT_ENABLE          0x08    /* RW   of PCM_S_STATUS */
#define   PCM_S_FORMAT              0x0c    /* RW   sample | channels << 8 */
#define     PCM_S_U8                0u
#define     PCM_S_S8                1u
#define     PCM_S_U16               2u
#define     PCM_S_S16               3u
#define     PCM_S_U32               4u
#define     PCM_S_S32               5u
#define     PCM_S_F32               6u
#define     PCM_S_CHANNELS(n)       ((n) << 8)
#define   PCM_S_RATE                0x10    /* RW   frames per second */
#define     PCM_S_RATE_MIN          4000
#define     PCM_S_RATE_MAX          192000
#define   PCM_S_CAUSE               0x14    /* RO   why ERROR */
#define     PCM_S_CAUSE_NONE        0u
#define     PCM_S_CAUSE_FORMAT      1u      /* format or rate refused */
#define     PCM_S_CAUSE_BUFFER      2u      /* length 0, or no whole frames */
#define     PCM_S_CAUSE_DMA         3u      /* a rule, or bus mastering off */
#define     PCM_S_CAUSE_BACKEND     4u      /* no audio back end opened */
#define     PCM_S_CAUSE_LIST        5u      /* fragments refused */
#define   PCM_S_BUFFER              0x18    /* RW64 cyclic buffer, or list */
#define   PCM_S_LENGTH              0x20    /* RW   its bytes */
#define   PCM_S_PERIOD_FRAMES       0x24    /* RW   0: no period interrupt */
#define   PCM_S_END                 0x28    /* RW64 frames; 0: for ever */
#define   PCM_S_POSITION            0x30    /* RO64 frames since RUN */
#define   PCM_S_LOST                0x38    /* RO   frames, by the back end */
#define   PCM_S_XRUNS               0x3c    /* RO   frames, by the driver */
#define   PCM_S_FRAGMENTS           0x40    /* RW   in the list; 0: no list */
#define     PCM_S_FRAGMENTS_MAX     256
#define   PCM_S_VECTOR              0x44    /* RW   of MSI-X */
#define   PCM_S_VOLUME              0x48    /* RW   left | right << 8 */
#define     PCM_S_VOLUME_FULL       0xffffu
#define     PCM_S_MUTE              (1u << 31)
#define   PCM_S_WRITEBACK           0x50    /* RW64 where; 0: nowhere */
#define   PCM_S_READY               0x58    /* RW64 frames the driver is at */
#define     PCM_S_READY_UNTOLD      0xffffffffffffffffull
#define   PCM_S_SLACK               0x60    /* RW   ns PERIOD may be late */
#define   PCM_S_READY_AT            0x68    /* RW64 where S_READY is; 0: not */

/*
 * In memory, little-endian.  A list at PCM_S_BUFFER has PCM_S_FRAGMENTS
 * entries of PCM_FRAGMENT_BYTES; at PCM_S_WRITEBACK there are
 * PCM_WRITEBACK_BYTES, written as one transaction; at PCM_S_READY_AT there
 * are PCM_READY_BYTES, read as one.
 */
#define PCM_FRAGMENT_BYTES          16
#define PCM_FRAGMENT_ADDR           0       /* 64 bits */
#define PCM_FRAGMENT_LENGTH         8       /* 32 bits */
#define PCM_FRAGMENT_RESERVED       12      /* 32 bits, 0 */
#define PCM_WRITEBACK_BYTES         32
#define PCM_WRITEBACK_POSITION      0       /* 64 bits: PCM_S_POSITION */
#define PCM_WRITEBACK_TIME          8       /* 64 bits: ns, virtual clock */
#define PCM_WRITEBACK_STATUS        16      /* 32 bits: PCM_S_STATUS */
#define PCM_WRITEBACK_CAUSE         20      /* 32 bits: PCM_S_CAUSE */
#define PCM_WRITEBACK_LOST          24      /* 32 bits: PCM_S_LOST */
#define PCM_WRITEBACK_XRUNS         28      /* 32 bits: PCM_S_XRUNS */
#define PCM_READY_BYTES             8

#endif /* PCMASTER_REGS_H */
