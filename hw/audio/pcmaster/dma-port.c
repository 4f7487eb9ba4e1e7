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

static bool is_usable(const PcmPiece *piece)
{
    return piece->target == PCM_TARGET_RAM && !piece->denied;
}

static bool is_broken(const PcmDma *d, unsigned rule)
{
    return d->broken & (1u << rule);
}

/* The first place where a rule is broken counts. */
static void find_broken(PcmDma *d, unsigned rule, uint32_t fault,
                        uint64_t expected, uint64_t actual)
{
    if (!is_broken(d, rule)) {
        d->broken |= 1u << rule;
        d->finding[rule] = (PcmFinding) {
            .fault = fault, .expected = expected, .actual = actual,
        };
    }
}

static uint32_t direction_bit(const PcmDma *d)
{
    return d->t.write ? PCM_IOMMU_WRITE : PCM_IOMMU_READ;
}

static bool is_broken_under(const PcmDma *d, unsigned rule, unsigned policy)
{
    return is_broken(d, rule) && pcm_rule_policy(d->policy, rule) == policy;
}

uint64_t pcm_dma_find_landing(PcmasterState *s, const PcmDma *d,
                              uint32_t offset)
{
    uint64_t run = 1;
    uint64_t address;
    PcmPiece piece;

    if (d->aborted ||
        !pcm_route(&d->route, d->t.address + offset, &address, &run)) {
        return PCM_LANDED_NOWHERE;
    }
    piece = pcm_memory_look_up(s, address, 1, d->t.write);
    return is_usable(&piece) ? address : PCM_LANDED_NOWHERE;
}

static bool is_about_buffers(unsigned rule)
{
    return rule == PCM_RULE_ALIGN || rule == PCM_RULE_GRAIN ||
           rule == PCM_RULE_BURST;
}

uint64_t pcm_dma_pc(const PcmDma *d)
{
    return d->t.ringing ? pcm_doorbell_pc() : d->t.pc;
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
        .length = is_about_buffers(rule) ? d->t.extent : d->t.length,
        .expected = f->expected,
        .actual = f->actual,
        .fault = d->t.address + f->fault,
        .landed = pcm_dma_find_landing(s, d, f->fault),
        .pc = pcm_dma_pc(d),
    });
}

void pcm_dma_begin(PcmasterState *s, PcmDma *d, PcmTransaction t)
{
    PcmLegal legal = {
        .last = pcm_legal_last(s->addr_bits, s->limit),
        .mask = pcm_port_hw_mask(&s->hw) & s->boundary,
        .align = s->align,
        .grain = s->grain,
        .burst = s->burst,
    };

    *d = (PcmDma) {
        .t = t,
        .node = s->node,
        .policy = s->policy,
        .route = pcm_plan_route(&t, &legal, s->policy),
        .cut = UINT32_MAX,
    };
    d->broken = pcm_judge(&t, &legal, d->finding);
    if (pcm_breaks_windows(&t, s->windows, s->windows_enabled,
                           &s->window_likely,
                           &d->finding[PCM_RULE_WINDOW])) {
        d->broken |= 1u << PCM_RULE_WINDOW;
    }
}

/* Judge a piece by the rules about memory. */
static void judge_piece(PcmDma *d, const PcmPiece *piece)
{
    if (d->node != PCM_NODE_ANY && piece->node != d->node) {
        find_broken(d, PCM_RULE_NODE, d->checked, d->node, piece->node);
    }
    if (piece->denied) {
        find_broken(d, PCM_RULE_IOMMU, d->checked, direction_bit(d),
                    piece->passes);
    } else if (piece->target != PCM_TARGET_RAM) {
        find_broken(d, PCM_RULE_TARGET, d->checked, PCM_TARGET_RAM,
                    piece->target);
    }
}

/* Is there nothing left that a piece could break? */
static bool is_judged(const PcmDma *d)
{
    return d->checked == d->t.length ||
           (is_broken(d, PCM_RULE_TARGET) && is_broken(d, PCM_RULE_IOMMU) &&
            (d->node == PCM_NODE_ANY || is_broken(d, PCM_RULE_NODE)));
}

/* Returns: false if the effort was used up before the end. */
static bool check_memory(PcmasterState *s, PcmDma *d, uint32_t effort)
{
    while (!is_judged(d)) {
        PcmPiece piece;

        if (!effort--) {
            return false;
        }
        piece = pcm_memory_look_up(s, d->t.address + d->checked,
                        d->t.length - d->checked, d->t.write);
        d->pieces++;
        judge_piece(d, &piece);
        d->checked += piece.length;
    }
    return true;
}

PcmDmaVerdict pcm_dma_check(PcmasterState *s, PcmDma *d, uint32_t effort)
{
    if (!check_memory(s, d, effort)) {
        return PCM_DMA_UNDECIDED;
    }
    if (!pcmaster_can_do_dma(s)) {
        d->aborted = true;
        return PCM_DMA_ABORTED;
    }
    for (unsigned rule = 0; rule < PCM_RULE_COUNT; rule++) {
        d->aborted |= is_broken_under(d, rule, PCM_POLICY_ABORT);
    }
    for (unsigned rule = 0; rule < PCM_RULE_COUNT; rule++) {
        if (is_broken(d, rule)) {
            log_rule(s, d, rule);
        }
    }
    return d->aborted ? PCM_DMA_ABORTED : PCM_DMA_GRANTED;
}

static void account(PcmasterState *s, PcmDma *d, const PcmPiece *piece)
{
    pcm_accounting_add(s, d, piece->node, piece->length);
    d->moved += piece->length;
    if (!d->places) {
        return;
    }
    if (piece->node < PCM_NODES_MAX) {
        d->places->node_bytes[piece->node] += piece->length;
    } else {
        d->places->nodeless += piece->length;
    }
}

/*
 * The memory at the end of the route refused.  If the address that was asked
 * for was in order, or memory has changed since the check, that is news.
 */
static bool refuse(PcmasterState *s, PcmDma *d, uint32_t offset,
                   const PcmPiece *piece)
{
    unsigned rule = piece->denied ? PCM_RULE_IOMMU : PCM_RULE_TARGET;

    if (!is_broken(d, rule)) {
        if (piece->denied) {
            find_broken(d, rule, offset, direction_bit(d), piece->passes);
        } else {
            find_broken(d, rule, offset, PCM_TARGET_RAM, piece->target);
        }
        d->aborted = is_broken_under(d, rule, PCM_POLICY_ABORT);
        log_rule(s, d, rule);
    }
    return !d->aborted;
}

/*
 * Work on memory that is there.  An injected flip changes what is seen of it,
 * or what has been written.
 */
static void work_on_memory(PcmasterState *s, PcmDma *d, uint8_t *memory,
                           uint32_t offset, uint32_t length,
                           PcmDmaWork *work, void *opaque)
{
    uint32_t at;
    uint8_t bits = pcm_injection_flip(s, d, offset, length, &at);
    uint8_t seen;

    if (!bits) {
        work(opaque, memory, offset, length);
    } else if (d->t.write) {
        work(opaque, memory, offset, length);
        memory[at] ^= bits;
    } else {
        seen = memory[at] ^ bits;
        work(opaque, memory, offset, at);
        work(opaque, &seen, offset + at, 1);
        work(opaque, memory + at + 1, offset + at + 1, length - at - 1);
    }
}

/* Returns: false if it is RAM and could not be mapped. */
static bool work_on_piece(PcmasterState *s, PcmDma *d, uint64_t address,
                          uint32_t offset, uint32_t length, PcmDmaWork *work,
                          void *opaque)
{
    AddressSpace *as = pci_get_address_space(&s->parent_obj);
    hwaddr mapped = length;
    void *memory = address_space_map(as, address, &mapped, d->t.write,
                                     pcm_memory_attrs);

    if (memory && mapped == length) {
        work_on_memory(s, d, memory, offset, length, work, opaque);
        address_space_unmap(as, memory, length, d->t.write, length);
        return true;
    }
    if (memory) {
        address_space_unmap(as, memory, mapped, d->t.write, 0);
    }
    return false;
}

/* What is read of nothing is what an idle bus shows. */
static void work_on_nothing(const PcmDma *d, uint32_t offset, uint32_t length,
                            PcmDmaWork *work, void *opaque)
{
    uint8_t ones[512];

    if (d->t.write) {
        return;
    }
    memset(ones, 0xff, sizeof(ones));
    for (uint32_t done = 0; done < length; done += sizeof(ones)) {
        work(opaque, ones, offset + done, MIN(length - done, sizeof(ones)));
    }
}

/*
 * Where the byte at @offset goes.
 * Returns: false if @run bytes go nowhere
 */
static bool find_way(PcmasterState *s, PcmDma *d, uint32_t offset,
                     uint64_t *address, uint64_t *run)
{
    pcm_injection_cut(s, d, offset, *run);
    if (offset >= d->cut) {
        return false;
    }
    *run = MIN(*run, d->cut - offset);
    return pcm_route(&d->route, d->t.address + offset, address, run);
}

/* Returns: the number of bytes dealt with, or 0 if the port refuses. */
static uint32_t work_on_first(PcmasterState *s, PcmDma *d, uint32_t offset,
                              uint32_t length, PcmDmaWork *work, void *opaque)
{
    uint64_t run = length;
    uint64_t address;
    PcmPiece piece;

    if (!find_way(s, d, offset, &address, &run)) {
        work_on_nothing(d, offset, run, work, opaque);
        return run;
    }
    piece = pcm_memory_look_up(s, address, run, d->t.write);
    d->pieces++;
    if (is_usable(&piece) &&
        !work_on_piece(s, d, address, offset, piece.length, work, opaque)) {
        piece.target = PCM_TARGET_ERROR;
    }
    if (!pcmaster_can_do_dma(s)) {
        return 0;
    }
    if (is_usable(&piece)) {
        account(s, d, &piece);
        return piece.length;
    }
    work_on_nothing(d, offset, piece.length, work, opaque);
    return refuse(s, d, offset, &piece) ? piece.length : 0;
}

bool pcm_dma_work(PcmasterState *s, PcmDma *d, uint32_t offset,
                  uint32_t length, PcmDmaWork *work, void *opaque)
{
    uint32_t done = 0;

    /* What the guest wrote before its doorbell is seen, as by a bus. */
    smp_mb();
    while (done < length) {
        uint32_t part = work_on_first(s, d, offset + done, length - done,
                                      work, opaque);

        if (!part) {
            return false;
        }
        done += part;
    }
    return true;
}

/* A transfer that copies. */
typedef struct PcmCopy {
    uint8_t *buf;
    uint32_t offset;            /* of its first byte in the transaction */
    bool write;                 /* to memory */
} PcmCopy;

static void copy(void *opaque, uint8_t *memory, uint32_t offset,
                 uint32_t length)
{
    const PcmCopy *c = opaque;
    uint8_t *ours = c->buf + (offset - c->offset);

    if (c->write) {
        memcpy(memory, ours, length);
    } else {
        memcpy(ours, memory, length);
    }
}

bool pcm_dma_move(PcmasterState *s, PcmDma *d, uint32_t offset, void *buf,
                  uint32_t length)
{
    PcmCopy c = { .buf = buf, .offset = offset, .write = d->t.write };

    return pcm_dma_work(s, d, offset, length, copy, &c);
}
