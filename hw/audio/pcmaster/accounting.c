/*
 * pcmaster: how much went where
 *
 * What was really transferred is counted, at the addresses it went to.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/visitor.h"
#include "pcmaster.h"

static uint64_t add(uint64_t a, uint64_t b)
{
    return a + MIN(b, UINT64_MAX - a);
}

static void count(PcmCount *c, bool write, uint32_t bytes, bool first)
{
    if (write) {
        c->write_bytes = add(c->write_bytes, bytes);
        c->writes = add(c->writes, first);
    } else {
        c->read_bytes = add(c->read_bytes, bytes);
        c->reads = add(c->reads, first);
    }
}

/* Is this the first byte of @d on @node?  PCM_NODES_MAX stands for none. */
static bool touch(PcmDma *d, uint32_t node)
{
    uint64_t bit = 1ull << node % 64;
    bool first = !(d->touched[node / 64] & bit);

    d->touched[node / 64] |= bit;
    return first;
}

static void weigh(PcmasterState *s, uint32_t node, uint32_t bytes)
{
    uint32_t distance = pcm_node_distance(&s->parent_obj, node);

    if (distance) {
        s->accounting.weighed = add(s->accounting.weighed, bytes);
        s->accounting.weight = add(s->accounting.weight,
                                   (uint64_t)bytes * distance);
    }
}

void pcm_accounting_add(PcmasterState *s, PcmDma *d, uint32_t node,
                        uint32_t bytes)
{
    PcmAccounting *a = &s->accounting;
    bool write = d->t.write;
    bool first = !d->moved;
    unsigned by = d->t.requester == PCM_REQUESTER_EXERCISER ?
                  PCM_ACC_EXERCISER : d->t.requester;

    count(&a->of[by], write, bytes, first);
    count(&a->of[PCM_ACC_TOTAL], write, bytes, first);
    if (node < PCM_NODES_MAX) {
        count(&a->on_node[node], write, bytes, touch(d, node));
        weigh(s, node, bytes);
    } else {
        count(&a->of[PCM_ACC_NODELESS], write, bytes,
              touch(d, PCM_NODES_MAX));
    }
}

void pcm_accounting_clear(PcmasterState *s)
{
    s->accounting = (PcmAccounting) { };
}

/* --- For the host ------------------------------------------------------- */

static bool visit_count(Visitor *v, PcmCount c, Error **errp)
{
    return visit_type_uint64(v, "read-bytes", &c.read_bytes, errp) &&
           visit_type_uint64(v, "reads", &c.reads, errp) &&
           visit_type_uint64(v, "write-bytes", &c.write_bytes, errp) &&
           visit_type_uint64(v, "writes", &c.writes, errp);
}

/*
 * @name: of the dictionary; NULL in a list
 * @key: of the number that it belongs to, in a list
 * @distance: of a node; 0: it is none, or not known
 */
static bool visit_block(Visitor *v, const char *name, const char *key,
                        uint32_t number, uint32_t distance, PcmCount c,
                        Error **errp)
{
    bool ok;

    if (!visit_start_struct(v, name, NULL, 0, errp)) {
        return false;
    }
    ok = (!key || visit_type_uint32(v, key, &number, errp)) &&
         (!distance || visit_type_uint32(v, "distance", &distance, errp)) &&
         visit_count(v, c, errp) && visit_check_struct(v, errp);
    visit_end_struct(v, NULL);
    return ok;
}

static bool visit_of(PcmasterState *s, Visitor *v, const char *name,
                     unsigned n, Error **errp)
{
    return visit_block(v, name, NULL, 0, 0, s->accounting.of[n], errp);
}

static bool visit_stream(PcmasterState *s, Visitor *v, uint32_t n,
                         Error **errp)
{
    return visit_block(v, NULL, "stream", n, 0, s->accounting.of[n], errp);
}

static bool visit_node(PcmasterState *s, Visitor *v, uint32_t n, Error **errp)
{
    return visit_block(v, NULL, "node", n,
                       pcm_node_distance(PCI_DEVICE(s), n),
                       s->accounting.on_node[n], errp);
}

static bool visit_list(PcmasterState *s, Visitor *v, const char *name,
                       uint32_t length,
                       bool (*visit)(PcmasterState *s, Visitor *v,
                                     uint32_t n, Error **errp),
                       Error **errp)
{
    bool ok = true;

    if (!visit_start_list(v, name, NULL, 0, errp)) {
        return false;
    }
    for (uint32_t i = 0; ok && i < length; i++) {
        ok = visit(s, v, i, errp);
    }
    ok = ok && visit_check_list(v, errp);
    visit_end_list(v, NULL);
    return ok;
}

/* The mean distance of a byte, if one is known. */
static bool visit_locality(PcmasterState *s, Visitor *v, Error **errp)
{
    PcmAccounting *a = &s->accounting;
    double mean = a->weighed ? (double)a->weight / a->weighed : 0;
    bool ok;

    if (!visit_start_struct(v, "locality", NULL, 0, errp)) {
        return false;
    }
    ok = visit_type_uint64(v, "weighed", &a->weighed, errp) &&
         visit_type_uint64(v, "weight", &a->weight, errp) &&
         (!a->weighed || visit_type_number(v, "mean-distance", &mean,
                                           errp)) &&
         visit_check_struct(v, errp);
    visit_end_struct(v, NULL);
    return ok;
}

void pcm_accounting_get_property(Object *obj, Visitor *v, const char *name,
                                 void *opaque, Error **errp)
{
    PcmasterState *s = PCMASTER(obj);
    uint32_t nodes = DEVICE(obj)->realized ? pcm_node_count() : 0;

    if (!visit_start_struct(v, name, NULL, 0, errp)) {
        return;
    }
    if (visit_of(s, v, "total", PCM_ACC_TOTAL, errp) &&
        visit_of(s, v, "exerciser", PCM_ACC_EXERCISER, errp) &&
        visit_list(s, v, "streams", s->stream_count, visit_stream, errp) &&
        visit_list(s, v, "nodes", nodes, visit_node, errp) &&
        visit_of(s, v, "nodeless", PCM_ACC_NODELESS, errp) &&
        visit_locality(s, v, errp)) {
        visit_check_struct(v, errp);
    }
    visit_end_struct(v, NULL);
}
