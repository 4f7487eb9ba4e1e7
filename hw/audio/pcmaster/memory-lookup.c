/*
 * pcmaster: what an address of the device leads to
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pcmaster.h"

/* IOMMUs do not translate finer than this. */
#define PCM_IOMMU_PAGE      4096

const MemTxAttrs pcm_memory_attrs = { .memory = 1 };

static PcmPiece nothing(hwaddr length)
{
    return (PcmPiece) {
        .length = length, .node = PCM_NODE_ANY, .target = PCM_TARGET_NOTHING,
    };
}

/* What is at @address of @root, if it is not memory. */
static PcmPiece look_up_region(MemoryRegion *root, hwaddr address,
                               hwaddr length)
{
    MemoryRegionSection section = memory_region_find(root, address, length);
    PcmPiece piece = { .length = length, .node = PCM_NODE_ANY };
    hwaddr start = section.offset_within_address_space;

    if (!section.mr) {
        piece.target = PCM_TARGET_NOTHING;
    } else if (start > address) {
        piece.target = PCM_TARGET_NOTHING;
        piece.length = start - address;
    } else {
        piece.target = PCM_TARGET_IO;
        piece.length = int128_get64(section.size);
    }
    memory_region_unref(section.mr);
    return piece;
}

static IOMMUTLBEntry ask_iommu(PcmasterState *s, IOMMUMemoryRegion *iommu,
                               hwaddr offset, IOMMUAccessFlags flags)
{
    IOMMUMemoryRegionClass *class = IOMMU_MEMORY_REGION_GET_CLASS(iommu);
    int index = class->attrs_to_index ?
                class->attrs_to_index(iommu, pcm_memory_attrs) : 0;

    return class->translate(iommu, offset, flags, index);
}

/* What the IOMMU at @section makes of a place that is not memory. */
static PcmPiece look_up_iommu(PcmasterState *s,
                              const MemoryRegionSection *section, bool write)
{
    IOMMUMemoryRegion *iommu = IOMMU_MEMORY_REGION(section->mr);
    IOMMUAccessFlags flags = write ? IOMMU_WO : IOMMU_RO;
    IOMMUAccessFlags other = write ? IOMMU_RO : IOMMU_WO;
    hwaddr offset = section->offset_within_region;
    hwaddr length = MIN(int128_get64(section->size),
                        PCM_IOMMU_PAGE - offset % PCM_IOMMU_PAGE);
    IOMMUTLBEntry entry = ask_iommu(s, iommu, offset, flags);
    PcmPiece piece = {
        .length = length, .node = PCM_NODE_ANY, .denied = true,
    };

    if (entry.perm & flags) {
        length = MIN(length - 1, entry.addr_mask & ~offset) + 1;
        return look_up_region(entry.target_as->root,
                              (entry.translated_addr & ~entry.addr_mask) |
                              (offset & entry.addr_mask), length);
    }
    if (pcmaster_can_do_dma(s) &&
        (ask_iommu(s, iommu, offset, other).perm & other)) {
        piece.passes = write ? PCM_IOMMU_READ : PCM_IOMMU_WRITE;
    }
    return piece;
}

/* What is at @address if it is not memory: regions, holes or an IOMMU. */
static PcmPiece look_up_other(PcmasterState *s, hwaddr address,
                              hwaddr length, bool write)
{
    MemoryRegion *root = pci_get_address_space(&s->parent_obj)->root;
    MemoryRegionSection section = memory_region_find(root, address, length);
    PcmPiece piece;

    if (section.mr && memory_region_is_iommu(section.mr) &&
        section.offset_within_address_space == address) {
        piece = look_up_iommu(s, &section, write);
    } else {
        piece = look_up_region(root, address, length);
    }
    memory_region_unref(section.mr);
    return piece;
}

PcmPiece pcm_memory_look_up(PcmasterState *s, uint64_t address,
                            uint64_t length, bool write)
{
    AddressSpace *as = pci_get_address_space(&s->parent_obj);
    PcmPiece piece = { .target = PCM_TARGET_RAM };
    MemoryRegion *mr;
    hwaddr offset;

    if (address && length > -address) {
        length = -address;
    }
    piece.length = length;
    if (!pcmaster_can_do_dma(s)) {
        return nothing(length);
    }
    RCU_READ_LOCK_GUARD();
    mr = address_space_translate(as, address, &offset, &piece.length, write,
                                 pcm_memory_attrs);
    /* What an IOMMU reports may be what stops the device. */
    if (!pcmaster_can_do_dma(s)) {
        return nothing(length);
    }
    if (!memory_region_is_ram(mr) || memory_region_is_ram_device(mr)) {
        return look_up_other(s, address, length, write);
    }
    if (write && memory_region_is_rom(mr)) {
        piece.target = PCM_TARGET_ROM;
    }
    piece.node = pcm_node_of_memory(mr, offset, &piece.length);
    return piece;
}
