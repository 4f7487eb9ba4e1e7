/*
 * pcmaster: the DMA port, the one gate to guest memory
 *
 * Requesters hand in a transaction.  The port checks the rules on it from its
 * first byte to its last as it was asked for, logs what is wrong with it, and
 * transfers it, if the policies say so, to where the policies say.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "system/dma.h"
#include "pcmaster.h"

/* IOMMUs do not translate finer than this. */
#define PCM_IOMMU_PAGE      4096

#define PCM_TARGET_IOMMU    5

/* Bytes that are adjacent in one thing an address can lead to. */
typedef struct PcmPiece {
    uint64_t length;
    uint32_t node;              /* or PCM_NODE_ANY */
    uint32_t target;            /* PCM_TARGET_... */
} PcmPiece;

static MemTxAttrs port_attrs(PcmasterState *s)
{
    return (MemTxAttrs) {
        .memory = 1,
        .requester_id = pci_requester_id(PCI_DEVICE(s)),
    };
}

/* What is at @address if it is not memory: regions, holes or an IOMMU. */
static PcmPiece look_up_other(PcmasterState *s, hwaddr address,
                              hwaddr length, MemoryRegion *mr)
{
    AddressSpace *as = pci_get_address_space(PCI_DEVICE(s));
    MemoryRegionSection section = memory_region_find(as->root, address,
                                                     length);
    PcmPiece piece = { .length = length, .node = PCM_NODE_ANY };
    hwaddr start = section.offset_within_address_space;

    if (!section.mr) {
        piece.target = PCM_TARGET_NOTHING;
        return piece;
    }
    if (memory_region_is_iommu(section.mr)) {
        piece.target = memory_region_is_mapped(mr) ? PCM_TARGET_IO :
                                                     PCM_TARGET_IOMMU;
        piece.length = MIN(length, PCM_IOMMU_PAGE - address % PCM_IOMMU_PAGE);
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

/* What @length bytes at @address lead to, as far as it is one thing. */
static PcmPiece look_up(PcmasterState *s, uint64_t address, uint64_t length,
                        bool write)
{
    AddressSpace *as = pci_get_address_space(PCI_DEVICE(s));
    PcmPiece piece = { .target = PCM_TARGET_RAM };
    MemoryRegion *mr;
    hwaddr offset;

    if (address && length > -address) {
        length = -address;
    }
    piece.length = length;
    RCU_READ_LOCK_GUARD();
    mr = address_space_translate(as, address, &offset, &piece.length, write,
                                 port_attrs(s));
    if (!memory_region_is_ram(mr) || memory_region_is_ram_device(mr)) {
        return look_up_other(s, address, length, mr);
    }
    if (write && memory_region_is_rom(mr)) {
        piece.target = PCM_TARGET_ROM;
    }
    piece.node = pcm_node_of_memory(mr, offset, &piece.length);
    return piece;
}

static void find_broken(PcmDma *d, unsigned rule, uint32_t fault,
                        uint64_t expected, uint64_t actual)
{
    d->broken |= 1u << rule;
    d->finding[rule] = (PcmFinding) {
        .fault = fault, .expected = expected, .actual = actual,
    };
}

static bool is_broken(const PcmDma *d, unsigned rule)
{
    return d->broken & (1u << rule);
}

static bool is_broken_under(const PcmDma *d, unsigned rule, unsigned policy)
{
    return is_broken(d, rule) && pcm_rule_policy(d->policy, rule) == policy;
}

/* Where a byte goes, if there is memory to take or give it. */
static uint64_t find_landing(PcmasterState *s, const PcmDma *d, uint32_t fault)
{
    uint64_t run = 1;
    uint64_t address;

    if (d->aborted) {
        return PCM_LANDED_NOWHERE;
    }
    address = pcm_route(&d->route, d->t.address + fault, &run);
    if (look_up(s, address, 1, d->t.write).target != PCM_TARGET_RAM) {
        return PCM_LANDED_NOWHERE;
    }
    return address;
}

static void log_rule(PcmasterState *s, const PcmDma *d, unsigned rule)
{
    const PcmFinding *f = &d->finding[rule];

    pcm_log_add(s, (PcmViolation) {
        .rule = rule,
        .policy = pcm_rule_policy(d->policy, rule),
        .requester = d->t.requester,
        .write = d->t.write,
        .address = d->t.address,
        .length = d->t.length,
        .expected = f->expected,
        .actual = f->actual,
        .fault = d->t.address + f->fault,
        .landed = find_landing(s, d, f->fault),
    });
}

void pcm_dma_begin(PcmasterState *s, PcmDma *d, PcmTransaction t)
{
    *d = (PcmDma) {
        .t = t,
        .node = s->node,
        .policy = s->policy,
        .route = {
            .last = pcm_legal_last(s->addr_bits, s->limit),
            .mask = pcmaster_hw_mask(s) & s->boundary,
            .anchor = t.anchor,
        },
    };
    if (pcm_breaks_limit(&t, d->route.last, &d->finding[PCM_RULE_LIMIT])) {
        d->broken |= 1u << PCM_RULE_LIMIT;
    }
    if (pcm_breaks_boundary(&t, d->route.mask,
                            &d->finding[PCM_RULE_BOUNDARY])) {
        d->broken |= 1u << PCM_RULE_BOUNDARY;
    }
    if (pcm_breaks_windows(&t, s->windows, PCM_WINDOW_COUNT,
                           &d->finding[PCM_RULE_WINDOW])) {
        d->broken |= 1u << PCM_RULE_WINDOW;
    }
}

/* Node and target.  Returns: false if the effort was used up before the end. */
static bool check_memory(PcmasterState *s, PcmDma *d, uint32_t effort)
{
    while (d->checked < d->t.length) {
        bool ask_node = d->node != PCM_NODE_ANY &&
                        !is_broken(d, PCM_RULE_NODE);
        bool ask_target = !is_broken(d, PCM_RULE_TARGET);
        PcmPiece piece;

        if (!ask_node && !ask_target) {
            break;
        }
        if (!effort--) {
            return false;
        }
        piece = look_up(s, d->t.address + d->checked,
                        d->t.length - d->checked, d->t.write);
        d->pieces++;
        if (ask_node && piece.node != d->node) {
            find_broken(d, PCM_RULE_NODE, d->checked, d->node, piece.node);
        }
        if (ask_target && piece.target != PCM_TARGET_RAM) {
            find_broken(d, PCM_RULE_TARGET, d->checked, PCM_TARGET_RAM,
                        piece.target);
        }
        d->checked += piece.length;
    }
    return true;
}

PcmDmaVerdict pcm_dma_check(PcmasterState *s, PcmDma *d, uint32_t effort)
{
    if (!check_memory(s, d, effort)) {
        return PCM_DMA_UNDECIDED;
    }
    for (unsigned rule = 0; rule < PCM_RULE_COUNT; rule++) {
        d->aborted |= is_broken_under(d, rule, PCM_POLICY_ABORT);
    }
    d->route.wrap_limit = is_broken_under(d, PCM_RULE_LIMIT, PCM_POLICY_WRAP);
    d->route.wrap_boundary = is_broken_under(d, PCM_RULE_BOUNDARY,
                                             PCM_POLICY_WRAP);
    for (unsigned rule = 0; rule < PCM_RULE_COUNT; rule++) {
        if (is_broken(d, rule)) {
            log_rule(s, d, rule);
        }
    }
    return d->aborted ? PCM_DMA_ABORTED : PCM_DMA_GRANTED;
}

static void account(PcmasterState *s, PcmDma *d, const PcmPiece *piece)
{
    d->moved += piece->length;
    if (d->t.requester != PCM_REQUESTER_EXERCISER) {
        return;
    }
    if (piece->node < PCM_NODES_MAX) {
        s->exerciser.node_bytes[piece->node] += piece->length;
    } else {
        s->exerciser.nodeless += piece->length;
    }
}

/*
 * The memory at the end of the route refused.  If the address that was asked
 * for was in order, or memory has changed since the check, that is news.
 */
static bool refuse(PcmasterState *s, PcmDma *d, uint32_t offset,
                   uint32_t target)
{
    if (!is_broken(d, PCM_RULE_TARGET)) {
        find_broken(d, PCM_RULE_TARGET, offset, PCM_TARGET_RAM, target);
        d->aborted = is_broken_under(d, PCM_RULE_TARGET, PCM_POLICY_ABORT);
        log_rule(s, d, PCM_RULE_TARGET);
    }
    return !d->aborted;
}

/* Returns: the number of bytes dealt with, or 0 if the port refuses. */
static uint32_t move_piece(PcmasterState *s, PcmDma *d, uint32_t offset,
                           uint8_t *buf, uint32_t length)
{
    DMADirection dir = d->t.write ? DMA_DIRECTION_FROM_DEVICE :
                                    DMA_DIRECTION_TO_DEVICE;
    uint64_t run = length;
    uint64_t address = pcm_route(&d->route, d->t.address + offset, &run);
    PcmPiece piece = look_up(s, address, run, d->t.write);

    d->pieces++;
    if (piece.target == PCM_TARGET_RAM &&
        pci_dma_rw(PCI_DEVICE(s), address, buf, piece.length, dir,
                   port_attrs(s)) != MEMTX_OK) {
        piece.target = PCM_TARGET_ERROR;
    }
    if (piece.target == PCM_TARGET_RAM) {
        account(s, d, &piece);
        return piece.length;
    }
    if (!d->t.write) {
        memset(buf, 0xff, piece.length);
    }
    return refuse(s, d, offset, piece.target) ? piece.length : 0;
}

bool pcm_dma_move(PcmasterState *s, PcmDma *d, uint32_t offset, void *buf,
                  uint32_t length)
{
    uint32_t done = 0;

    while (done < length) {
        uint32_t moved = move_piece(s, d, offset + done,
                                    (uint8_t *)buf + done, length - done);

        if (!moved) {
            return false;
        }
        done += moved;
    }
    return true;
}
