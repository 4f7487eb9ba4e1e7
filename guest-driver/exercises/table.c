/* SPDX-License-Identifier: MIT */
/*
 * The exercises: the table
 *
 * docs/ddi.md says which sentence of the interfaces' documents each one shows.
 * Sizes are small where size is not the point: the whole table runs in seconds
 * on an emulated machine.
 */
#include "run.h"

#define REQUEST(...)                .request = { __VA_ARGS__ }
#define VERSION(n)                  .legacy = (n) + 1
#define MAXIMUM(address)            .maximum_kind = BELOW, .maximum = (address)
#define IN_NODE(bytes)              .maximum_kind = BELOW_IN_NODE, .maximum = (bytes)
#define KEEPS(mask)                 .constraint_kind = CONSTRAINT, .constraint = (mask)
#define REFUSED_WITH(code)          .refused = true, .status = PCM_STATUS_##code

#define GIB(n)                      ((uint64_t)(n) << 30)
#define MASK_64K                    0xffff

/* A request through AllocateCommonBufferEx. */
#define EX(bits, bytes, which_node, ...)                                    \
    REQUEST(.width = (bits), .length = (bytes), .node = (which_node), __VA_ARGS__)

/* A request through AllocateCommonBuffer, BITS implied by the description. */
#define OLD(description_version, flags, bits, bytes)                        \
    REQUEST(.allocator = COMMON_BUFFER, VERSION(description_version), .describe = (flags),  \
            .width = (bits), .length = (bytes), .node = ANY_NODE)

/* A request through IDmaChannel::AllocateBuffer; MaximumLength is 2 MiB. */
#define CHANNEL_OF(bits, bytes, ...)                                        \
    REQUEST(.allocator = CHANNEL, .width = (bits), .length = (bytes), .node = ANY_NODE,     \
            .channel_maximum = 2 * MIB, __VA_ARGS__)

const struct exercise exercise_table[] = {
    /* --- IoGetDmaAdapter --------------------------------------------------- */
    { "adapter/version-3", "Version 3 brings AllocateCommonBufferEx", exercise_adapter,
      EX(64, 65536, ANY_NODE) },
    { "adapter/version-2", "An adapter with the routines of version 2", exercise_adapter,
      OLD(2, PCM_DESCRIBE_DMA64, 64, 65536) },
    { "adapter/version-1", "An adapter with the routines of version 1", exercise_adapter,
      OLD(1, PCM_DESCRIBE_DMA32, 32, 65536) },
    { "adapter/version-0", "An adapter for a description of version 0", exercise_adapter,
      OLD(0, PCM_DESCRIBE_DMA32, 32, 65536) },
    { "adapter/version-unknown", "NULL for a version the platform lacks", exercise_adapter_refused,
      REQUEST(.allocator = COMMON_BUFFER, VERSION(4), .width = 64, .length = 4096, .node = ANY_NODE,
              .refused = true) },
    { "adapter/width-0", "NULL for a device without address lines", exercise_adapter_refused,
      EX(0, 4096, ANY_NODE, .refused = true) },
    { "adapter/width-65", "NULL for a device with more than 64", exercise_adapter_refused,
      EX(65, 4096, ANY_NODE, .refused = true) },
    { "adapter/several", "Adapters of 24, 32, 36 and 64 bits at the same time", exercise_adapters,
      EX(64, 4096, ANY_NODE) },

    { "driver/refusals", "Wrong handles, lengths and ranges are refused, and nothing is lost",
      exercise_refusals, EX(32, 3 * PAGE_BYTES - 1, ANY_NODE) },

    /* --- The reach that a description implies, AllocateCommonBuffer ---------- */
    { "implied/isa", "Neither 32 nor 64 bits: 24", exercise_allocate, OLD(0, 0, 24, 4096) },
    { "implied/dma32", "Dma32BitAddresses: 32 bits", exercise_allocate,
      OLD(1, PCM_DESCRIBE_DMA32, 32, 4096) },
    { "implied/dma64", "Dma64BitAddresses: 64 bits", exercise_allocate,
      OLD(2, PCM_DESCRIBE_DMA64, 64, 4096) },
    { "implied/pci-scatter-gather", "PCIBus with ScatterGather: 32 bits", exercise_allocate,
      OLD(2, PCM_DESCRIBE_SCATTER_GATHER, 32, 4096) },
    { "implied/width", "AllocateCommonBuffer of a version 3 adapter keeps its width", exercise_allocate,
      REQUEST(.allocator = COMMON_BUFFER, .width = 27, .length = 8192, .node = ANY_NODE) },

    /* --- MaximumAddress ------------------------------------------------------- */
    { "limit/24-bit", "Below 16 MiB", exercise_allocate, EX(64, 4096, ANY_NODE, MAXIMUM(1ull << 24)) },
    { "limit/28-bit", "Below 256 MiB", exercise_allocate, EX(64, 4096, ANY_NODE, MAXIMUM(1ull << 28)) },
    { "limit/31-bit", "Below 2 GiB", exercise_allocate, EX(64, 4096, ANY_NODE, MAXIMUM(1ull << 31)) },
    { "limit/32-bit", "Below 4 GiB", exercise_allocate, EX(64, 4096, ANY_NODE, MAXIMUM(1ull << 32)) },
    { "limit/36-bit", "Below 64 GiB", exercise_allocate, EX(64, 4096, ANY_NODE, MAXIMUM(1ull << 36)) },
    { "limit/64-bit", "Below the last address there is", exercise_allocate,
      EX(64, 4096, ANY_NODE, MAXIMUM(~0ull)) },
    { "limit/none", "NULL for MaximumAddress: no limit but the device's", exercise_allocate,
      EX(64, 4096, ANY_NODE) },
    { "limit/none-24-lines", "NULL for MaximumAddress, 24 address lines", exercise_allocate,
      EX(24, 4096, ANY_NODE) },
    { "limit/none-31-lines", "NULL for MaximumAddress, 31 address lines", exercise_allocate,
      EX(31, 4096, ANY_NODE) },
    { "limit/none-32-lines", "NULL for MaximumAddress, 32 address lines", exercise_allocate,
      EX(32, 4096, ANY_NODE) },
    { "limit/none-36-lines", "NULL for MaximumAddress, 36 address lines", exercise_allocate,
      EX(36, 4096, ANY_NODE) },
    { "limit/below-the-lines", "A limit below what the device reaches", exercise_allocate,
      EX(32, 4096, ANY_NODE, MAXIMUM(1ull << 24)) },
    { "limit/at-the-lines", "A limit at what the device reaches", exercise_allocate,
      EX(32, 4096, ANY_NODE, MAXIMUM(1ull << 32)) },
    { "limit/above-the-lines", "A limit above what the device reaches", exercise_allocate,
      EX(24, 4096, ANY_NODE, MAXIMUM(1ull << 32)) },
    { "limit/mid-page", "A limit that is no power of two, in mid-page", exercise_allocate,
      EX(64, 4096, ANY_NODE, MAXIMUM(0x2345678)) },
    { "limit/mid-page-tail", "The same, and the buffer's last page is a part of one", exercise_allocate,
      EX(64, 0x1678, ANY_NODE, MAXIMUM(0x2345678)) },
    { "limit/mid-page-large", "The same for 4 MiB", exercise_allocate,
      EX(64, 4 * MIB, ANY_NODE, MAXIMUM(0x2345678)) },
    { "limit/odd", "A limit at an odd address", exercise_allocate,
      EX(32, 12345, ANY_NODE, MAXIMUM(0xabcdef)) },
    { "limit/zero", "Below address 0 there is nothing", exercise_allocate,
      EX(64, 1, ANY_NODE, MAXIMUM(0), .refused = true) },
    { "limit/one-byte-short", "4096 bytes below 0xfff", exercise_allocate,
      EX(64, 4096, ANY_NODE, MAXIMUM(0xfff), .refused = true) },
    { "limit/no-room", "More bytes than there are below the limit", exercise_allocate,
      EX(64, MIB + 1, ANY_NODE, MAXIMUM(MIB), .refused = true) },

    /* --- Length ---------------------------------------------------------------- */
    { "length/0", "Nothing is asked for, NULL is returned", exercise_allocate,
      EX(64, 0, ANY_NODE, .refused = true) },
    { "length/1", "One byte", exercise_allocate, EX(64, 1, ANY_NODE) },
    { "length/2", "Two bytes", exercise_allocate, EX(32, 2, ANY_NODE) },
    { "length/4095", "One byte less than a page", exercise_allocate, EX(64, 4095, ANY_NODE) },
    { "length/4096", "A page", exercise_allocate, EX(64, 4096, ANY_NODE) },
    { "length/4097", "One byte more than a page", exercise_allocate, EX(64, 4097, ANY_NODE) },
    { "length/64k", "64 KiB", exercise_allocate, EX(32, 64 * KIB, ANY_NODE) },
    { "length/1m", "1 MiB, contiguous for the device", exercise_allocate, EX(64, MIB, ANY_NODE) },
    { "length/4m-24-bit", "4 MiB below 16 MiB", exercise_allocate, EX(24, 4 * MIB, ANY_NODE) },
    { "length/4g-less-1", "More than there is below 4 GiB", exercise_allocate,
      EX(32, 0xffffffff, ANY_NODE, .refused = true) },
    { "length/rounding", "A length whose pages do not fit into 32 bits of bytes", exercise_allocate,
      EX(32, 0xfffff001, ANY_NODE, .refused = true) },
    { "length/parts", "DMA to parts of a buffer, across pages, from odd offsets", exercise_parts,
      EX(32, 3 * PAGE_BYTES, ANY_NODE) },

    /* --- CacheEnabled, and what is in a new buffer -------------------------------- */
    { "cache/disabled", "An uncached buffer", exercise_allocate,
      EX(64, 4096, ANY_NODE, .uncached = true) },
    { "cache/disabled-24-bit", "An uncached buffer below 16 MiB", exercise_allocate,
      EX(24, 4097, ANY_NODE, .uncached = true) },
    { "cache/disabled-1m", "An uncached buffer of 1 MiB", exercise_allocate,
      EX(32, MIB, ANY_NODE, .uncached = true) },
    { "cache/enabled-again", "Memory that was uncached is given out cached", exercise_recached,
      EX(64, 64 * KIB, ANY_NODE) },
    { "contents/zeroed", "Freed memory comes back clean", exercise_zeroed,
      EX(24, 64 * KIB, ANY_NODE) },
    { "contents/zeroed-uncached", "The same uncached", exercise_zeroed,
      EX(24, 4097, ANY_NODE, .uncached = true) },
    { "reuse/16m", "More in turn than there is below 16 MiB", exercise_reuse,
      EX(64, MIB, ANY_NODE, MAXIMUM(1ull << 24)) },

    /* --- PreferredNode --------------------------------------------------------------- */
    { "node/0", "Node 0", exercise_allocate, EX(64, 4096, 0) },
    { "node/1", "Node 1", exercise_allocate, EX(64, 4096, 1) },
    { "node/2", "Node 2", exercise_allocate, EX(64, 4096, 2) },
    { "node/3", "Node 3", exercise_allocate, EX(64, 4096, 3) },
    { "node/device", "The node the device is on", exercise_allocate, EX(64, 64 * KIB, DEVICE_NODE) },
    { "node/any", "MM_ANY_NODE_OK", exercise_allocate, EX(64, 64 * KIB, ANY_NODE) },
    { "node/0-32-lines", "Node 0 below 4 GiB", exercise_allocate, EX(32, 4096, 0) },
    { "node/1-32-lines", "Node 1 below 4 GiB", exercise_allocate, EX(32, 4096, 1) },
    { "node/2-32-lines", "Node 2 below 4 GiB, where it may have nothing", exercise_allocate,
      EX(32, 4096, 2) },
    { "node/3-32-lines", "Node 3 below 4 GiB, where it may have nothing", exercise_allocate,
      EX(32, 4096, 3) },
    { "node/1-24-lines", "Node 1 below 16 MiB, where it may have nothing", exercise_allocate,
      EX(24, 4096, 1) },
    { "node/3-4m", "4 MiB of node 3", exercise_allocate, EX(64, 4 * MIB, 3) },
    { "node/absent", "Node N does not exist", exercise_allocate, EX(64, 4096, NODE_COUNT, .refused = true) },
    { "node/absent-65535", "A node number no machine has", exercise_allocate,
      EX(64, 4096, 0xffff, .refused = true) },
    { "node/any-and-1", "MM_ANY_NODE_OK with a node in its low bits", exercise_allocate,
      EX(64, 4096, 0x80000001, .refused = true) },
    { "node/first-64k", "A limit 64 KiB into node 2", exercise_allocate, EX(64, 4096, 2, IN_NODE(64 * KIB)) },
    { "node/one-byte-short", "A limit one byte short of the first page of node 2", exercise_allocate,
      EX(64, 4096, 2, IN_NODE(4095)) },
    { "node/at-its-start", "A limit at the first byte of node 3", exercise_allocate,
      EX(64, 4096, 3, IN_NODE(0)) },

    /* --- Several at once ---------------------------------------------------------------- */
    { "combined/31-lines-node-1", "31 lines, node 1, 64 KiB, uncached", exercise_allocate,
      EX(31, 64 * KIB, 1, .uncached = true) },
    { "combined/36-bit-node-3", "Below 64 GiB, node 3, 1 MiB", exercise_allocate,
      EX(64, MIB, 3, MAXIMUM(1ull << 36)) },
    { "combined/36-lines-node-2", "36 lines, node 2, uncached, 4097 bytes", exercise_allocate,
      EX(36, 4097, 2, .uncached = true) },
    { "combined/mid-page-node-1", "A limit in mid-page inside node 1", exercise_allocate,
      EX(64, 64 * KIB, 1, IN_NODE(0x2345678)) },
    { "combined/mid-page-node-0", "A limit in mid-page, node 0, uncached", exercise_allocate,
      EX(32, 65537, 0, MAXIMUM(0x2345678), .uncached = true) },
    { "combined/24-lines-node-3", "24 lines, node 3, one byte", exercise_allocate, EX(24, 1, 3) },
    { "combined/above-4g-node-1", "Below 5 GiB, node 1, which may lie on both sides of 4 GiB",
      exercise_allocate, EX(64, 2 * MIB, 1, MAXIMUM(GIB(5))) },
    { "combined/absent-node-24-lines", "24 lines, node N", exercise_allocate,
      EX(24, 4096, NODE_COUNT, .refused = true) },

    /* --- IDmaChannel: the 64 KB boundary ---------------------------------------------------- */
    { "boundary/1", "64 KB boundary, 1 byte", exercise_channel, CHANNEL_OF(64, 1, KEEPS(MASK_64K)) },
    { "boundary/2", "64 KB boundary, 2 bytes", exercise_channel, CHANNEL_OF(64, 2, KEEPS(MASK_64K)) },
    { "boundary/4095", "64 KB boundary, 4095 bytes", exercise_channel,
      CHANNEL_OF(64, 4095, KEEPS(MASK_64K)) },
    { "boundary/4096", "64 KB boundary, 4096 bytes", exercise_channel,
      CHANNEL_OF(64, 4096, KEEPS(MASK_64K)) },
    { "boundary/4097", "64 KB boundary, 4097 bytes", exercise_channel,
      CHANNEL_OF(64, 4097, KEEPS(MASK_64K)) },
    { "boundary/32k", "64 KB boundary, 32 KiB", exercise_channel,
      CHANNEL_OF(64, 32 * KIB, KEEPS(MASK_64K)) },
    { "boundary/64k-less-1", "64 KB boundary, one byte less than 64 KiB", exercise_channel,
      CHANNEL_OF(64, 64 * KIB - 1, KEEPS(MASK_64K)) },
    { "boundary/64k", "64 KB boundary, exactly 64 KiB", exercise_channel,
      CHANNEL_OF(64, 64 * KIB, KEEPS(MASK_64K)) },
    { "boundary/64k-and-1", "64 KB boundary, one byte too many", exercise_channel,
      CHANNEL_OF(64, 64 * KIB + 1, KEEPS(MASK_64K), REFUSED_WITH(INVALID_PARAMETER)) },
    { "boundary/64k-24-lines", "64 KB boundary and 24 lines: the PC's DMA controller", exercise_channel,
      CHANNEL_OF(24, 64 * KIB, KEEPS(MASK_64K)) },
    { "boundary/64k-32-lines", "64 KB boundary and 32 lines", exercise_channel,
      CHANNEL_OF(32, 36 * KIB, KEEPS(MASK_64K)) },
    { "boundary/none", "NULL for the constraint: 64 KiB and one byte fit", exercise_channel,
      CHANNEL_OF(64, 64 * KIB + 1) },
    { "boundary/none-32-lines", "NULL for the constraint, 32 lines, 1 MiB", exercise_channel,
      CHANNEL_OF(32, MIB) },
    { "boundary/crowded", "64 KB boundaries, two dozen buffers of 36 KiB at once", exercise_crowd,
      CHANNEL_OF(64, 36 * KIB, KEEPS(MASK_64K)) },
    { "boundary/crowded-32-lines", "64 KB boundaries and 32 lines, two dozen of 12345 bytes", exercise_crowd,
      CHANNEL_OF(32, 12345, KEEPS(MASK_64K)) },

    /* --- Other constraints --------------------------------------------------------------------- */
    { "constraint/4k", "Within one page", exercise_channel, CHANNEL_OF(64, 4096, KEEPS(0xfff)) },
    { "constraint/4k-and-1", "Within one page, one byte too many", exercise_channel,
      CHANNEL_OF(64, 4097, KEEPS(0xfff), REFUSED_WITH(INVALID_PARAMETER)) },
    { "constraint/8k", "Within 8 KiB", exercise_channel, CHANNEL_OF(64, 8192, KEEPS(0x1fff)) },
    { "constraint/1m", "Within 1 MiB, exactly 1 MiB", exercise_channel,
      CHANNEL_OF(64, MIB, KEEPS(0xfffff)) },
    { "constraint/8k-crowded", "Within 8 KiB, two dozen of 4097 bytes at once", exercise_crowd,
      CHANNEL_OF(36, 4097, KEEPS(0x1fff)) },
    { "constraint/1m-crowded", "Within 1 MiB, several of 700 KiB at once", exercise_crowd,
      CHANNEL_OF(64, 700 * KIB, KEEPS(0xfffff)) },
    { "constraint/all-bits", "Every bit may vary", exercise_channel,
      CHANNEL_OF(64, 64 * KIB + 1, KEEPS(~0ull)) },
    { "constraint/no-bits", "No bit may vary: one byte", exercise_channel, CHANNEL_OF(64, 1, KEEPS(0)) },
    { "constraint/no-bits-2", "No bit may vary: two bytes", exercise_channel,
      CHANNEL_OF(64, 2, KEEPS(0), REFUSED_WITH(INVALID_PARAMETER)) },
    { "constraint/256", "Within 256 bytes", exercise_channel, CHANNEL_OF(64, 256, KEEPS(0xff)) },
    { "constraint/hole", "A mask with a hole: what lies above it can never vary alone", exercise_channel,
      CHANNEL_OF(64, 256, KEEPS(0xffff00ff)) },
    { "constraint/hole-page", "A mask with a hole, a page", exercise_channel,
      CHANNEL_OF(64, 4096, KEEPS(0xffff00ff), REFUSED_WITH(INVALID_PARAMETER)) },
    { "constraint/upper-bits", "Only bits above the page may vary", exercise_channel,
      CHANNEL_OF(64, 4096, KEEPS(0xffff0000), REFUSED_WITH(INVALID_PARAMETER)) },

    /* --- The channel object ---------------------------------------------------------------------- */
    { "channel/second-allocate", "A second AllocateBuffer fails and harms nothing",
      exercise_channel_second, CHANNEL_OF(32, 64 * KIB, KEEPS(MASK_64K)) },
    { "channel/again", "After FreeBuffer AllocateBuffer works again", exercise_channel_again,
      CHANNEL_OF(32, 64 * KIB, KEEPS(MASK_64K)) },
    { "channel/0-bytes", "AllocateBuffer of nothing", exercise_channel,
      CHANNEL_OF(32, 0, KEEPS(MASK_64K), REFUSED_WITH(INVALID_PARAMETER)) },
    { "channel/maximum", "MaximumBufferSize bytes", exercise_channel,
      REQUEST(.allocator = CHANNEL, .width = 32, .length = 20000, .node = ANY_NODE,
              .channel_maximum = 20000) },
    { "channel/over-maximum", "One byte more than MaximumBufferSize", exercise_channel,
      REQUEST(.allocator = CHANNEL, .width = 32, .length = 20001, .node = ANY_NODE,
              .channel_maximum = 20000, REFUSED_WITH(INVALID_BUFFER_SIZE)) },
    { "channel/no-memory", "More than there is below 16 MiB", exercise_channel,
      REQUEST(.allocator = CHANNEL, .width = 24, .length = 17 * MIB, .node = ANY_NODE,
              .channel_maximum = 17 * MIB, REFUSED_WITH(INSUFFICIENT_RESOURCES)) },
    { "channel/properties", "The sizes a channel reports", exercise_channel_properties,
      CHANNEL_OF(32, 12345, KEEPS(MASK_64K)) },
    { "channel/set-size", "SetBufferSize changes the number only", exercise_channel_set_size,
      CHANNEL_OF(32, 32 * KIB, KEEPS(MASK_64K)) },
    { "channel/copy", "CopyTo and CopyFrom", exercise_channel_copy,
      CHANNEL_OF(32, 10000, KEEPS(MASK_64K)) },
    { "channel/freed-with-object", "Release frees the buffer", exercise_channel_freed,
      CHANNEL_OF(24, MIB) },
    { "channel/description-refused", "A description that IoGetDmaAdapter refuses",
      exercise_channel_described,
      CHANNEL_OF(65, 4096, REFUSED_WITH(DEVICE_CONFIGURATION_ERROR)) },

    /* --- Memory that is nearly used up -------------------------------------------------------------- */
    { "pressure/below-16m", "64 KiB buffers until nothing below 16 MiB is left", exercise_exhaust,
      EX(64, 64 * KIB, ANY_NODE, MAXIMUM(1ull << 24)) },
    { "pressure/below-1m", "Pages until nothing below 1 MiB is left", exercise_exhaust,
      EX(64, 4096, ANY_NODE, MAXIMUM(MIB)) },
    { "pressure/mid-page", "36 KiB buffers below 0x345678 until nothing is left", exercise_exhaust,
      EX(64, 36 * KIB, ANY_NODE, MAXIMUM(0x345678), .uncached = true) },
    { "pressure/every-second", "Every second of the buffers below 16 MiB is freed and taken again",
      exercise_fragment, EX(64, 64 * KIB, ANY_NODE, MAXIMUM(1ull << 24)) },
    { "pressure/mixed", "Sizes of all kinds until none fits; then 4 MiB fit again", exercise_mixed,
      EX(24, 4 * MIB, ANY_NODE) },
    { "pressure/boundary", "Channels with 64 KB boundaries and 24 lines until nothing is left",
      exercise_exhaust_channels, CHANNEL_OF(24, 48 * KIB, KEEPS(MASK_64K)) },
    { "pressure/node-1", "The first 4 MiB of node 1 used up: the next buffer is another node's",
      exercise_spill, EX(64, 64 * KIB, 1, IN_NODE(4 * MIB)) },
    { "pressure/node-2", "The same on node 2", exercise_spill, EX(64, 64 * KIB, 2, IN_NODE(4 * MIB)) },
    { "pressure/node-3", "The same on node 3", exercise_spill, EX(64, 64 * KIB, 3, IN_NODE(4 * MIB)) },
    { .name = NULL },
};
