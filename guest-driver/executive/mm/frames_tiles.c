/* SPDX-License-Identifier: MIT */
/*
 * An AVL tree of rows of tiles that know what their subtrees offer, so that the
 * search for a placement skips subtrees without one. Most changes concern one
 * row, and go up only as far as they change what is offered.
 */
#include "frames_tiles.h"

#include <string.h>

/* ---- places ---- */

static const struct frames_at nowhere = { NULL, 0 };

struct frames_at frames_tile_next(struct frames_at at)
{
    if (at.index + 1 < at.row->count) {
        return (struct frames_at){ at.row, at.index + 1 };
    }
    return (struct frames_at){ at.row->next, 0 };
}

struct frames_at frames_tile_previous(struct frames_at at)
{
    struct frames_row *previous = at.row->previous;
    if (at.index > 0) {
        return (struct frames_at){ at.row, at.index - 1 };
    }
    return previous == NULL ? nowhere
                            : (struct frames_at){ previous, previous->count - 1 };
}

struct frames_at frames_tile_from(const struct frames_node *node, uint64_t page)
{
    struct frames_row *row = NULL;
    uint32_t index = 0;
    for (struct frames_row *top = node->root; top != NULL;) {
        if (top->tile[0].start <= page) {
            row = top;
            top = top->child[FRAMES_ABOVE];
        } else {
            top = top->child[FRAMES_BELOW];
        }
    }
    if (row == NULL) {
        return (struct frames_at){ node->first, 0 };
    }
    for (uint32_t i = 1; i < row->count; i++) {
        index += row->tile[i].start <= page;
    }
    struct frames_at at = { row, index };
    return frames_tile_end(&row->tile[index]) > page ? at : frames_tile_next(at);
}

/* ---- offers ---- */

struct frames_offer frames_row_own(const struct frames_row *row)
{
    struct frames_offer own = { 0, 0, 0 };
    for (uint32_t i = 0; i < row->count; i++) {
        if (!row->tile[i].allocated) {
            struct frames_offer offer = frames_offer_of(&row->tile[i]);
            frames_offer_raise(&own, &offer);
        }
    }
    return own;
}

struct frames_offer frames_row_offer(const struct frames_row *row)
{
    struct frames_offer offer = row->own;
    for (int side = FRAMES_BELOW; side <= FRAMES_ABOVE; side++) {
        if (row->child[side] != NULL) {
            frames_offer_raise(&offer, &row->child[side]->offer);
        }
    }
    return offer;
}

static uint32_t height(const struct frames_row *row)
{
    return row == NULL ? 0 : row->height;
}

static void summarise(struct frames_row *row)
{
    uint32_t below = height(row->child[FRAMES_BELOW]);
    uint32_t above = height(row->child[FRAMES_ABOVE]);
    row->offer = frames_row_offer(row);
    row->height = 1 + (below > above ? below : above);
}

/* ---- the tree ---- */

static void set_child(struct frames_row *parent, int side,
                      struct frames_row *child)
{
    parent->child[side] = child;
    if (child != NULL) {
        child->parent = parent;
    }
}

/* Puts `heir` (or nothing) where `row` hangs. */
static void supplant(struct frames_node *node, struct frames_row *row,
                     struct frames_row *heir)
{
    struct frames_row *parent = row->parent;
    if (parent == NULL) {
        node->root = heir;
        if (heir != NULL) {
            heir->parent = NULL;
        }
    } else {
        set_child(parent, parent->child[FRAMES_ABOVE] == row, heir);
    }
}

/* Lifts the child on `side` above `top`, and returns it. */
static struct frames_row *lift(struct frames_node *node, struct frames_row *top,
                               int side)
{
    struct frames_row *heir = top->child[side];
    supplant(node, top, heir);
    set_child(top, side, heir->child[!side]);
    set_child(heir, !side, top);
    summarise(top);
    return heir;
}

/* Restores the balance of a subtree whose sides differ by two, or leaves it as
   it is; returns its top, which is to be summarised. */
static struct frames_row *balance(struct frames_node *node,
                                  struct frames_row *top)
{
    uint32_t below = height(top->child[FRAMES_BELOW]);
    uint32_t above = height(top->child[FRAMES_ABOVE]);
    int side = above > below ? FRAMES_ABOVE : FRAMES_BELOW;
    struct frames_row *higher = top->child[side];
    if (above <= below + 1 && below <= above + 1) {
        return top;
    }
    if (height(higher->child[!side]) > height(higher->child[side])) {
        summarise(lift(node, higher, !side));
    }
    return lift(node, top, side);
}

/* Restores balance and offers from `row` upwards, as far as they change. */
static void update(struct frames_node *node, struct frames_row *row)
{
    bool changed = true;
    while (row != NULL && changed) {
        struct frames_offer offer = row->offer;
        uint32_t before = row->height;
        row = balance(node, row);
        summarise(row);
        changed = !frames_offers_equal(&offer, &row->offer) ||
                  before != row->height;
        row = row->parent;
    }
}

/*
 * After tiles of the row have changed: likewise, but no height does. What goes up
 * comes in registers: to load it where it was just stored takes longer than all
 * the rest.
 */
static void refresh(struct frames_row *row)
{
    row->own = frames_row_own(row);
    struct frames_offer offer = frames_row_offer(row);
    while (!frames_offers_equal(&offer, &row->offer)) {
        struct frames_row *parent = row->parent;
        row->offer = offer;
        if (parent == NULL) {
            return;
        }
        const struct frames_row *other =
            parent->child[parent->child[FRAMES_BELOW] == row];
        frames_offer_raise(&offer, &parent->own);
        if (other != NULL) {
            frames_offer_raise(&offer, &other->offer);
        }
        row = parent;
    }
}

/* Of two rows that follow each other, one is in the subtree of the other. */
static bool is_above(const struct frames_row *row,
                     const struct frames_row *neighbour)
{
    return row->height > neighbour->height;
}

/* Hangs a row behind `previous` into the tree, as a leaf. */
static void hang(struct frames_node *node, struct frames_row *row,
                 struct frames_row *previous)
{
    struct frames_row *next = previous->next;
    previous->next = row;
    *(next == NULL ? &node->last : &next->previous) = row;
    row->previous = previous;
    row->next = next;
    /* The lower of the two neighbours has no child on the other's side. */
    if (next == NULL || is_above(next, previous)) {
        set_child(previous, FRAMES_ABOVE, row);
    } else {
        set_child(next, FRAMES_BELOW, row);
    }
}

/* Takes a row with at most one child out of tree and list. */
static void take_out(struct frames_node *node, struct frames_row *row)
{
    struct frames_row *previous = row->previous;
    struct frames_row *next = row->next;
    supplant(node, row, row->child[row->child[FRAMES_BELOW] == NULL]);
    *(previous == NULL ? &node->first : &previous->next) = next;
    *(next == NULL ? &node->last : &next->previous) = previous;
}

/* ---- rows ---- */

void frames_row_put(struct frames *f, struct frames_row *row)
{
    row->next = f->spare;
    f->spare = row;
    f->spare_count++;
}

static struct frames_row *take_row(struct frames *f)
{
    struct frames_row *row = f->spare;
    f->spare = row->next;
    f->spare_count--;
    memset(row, 0, sizeof *row);
    return row;
}

static void copy_tiles(struct frames_tile *to, const struct frames_tile *from,
                       uint32_t count)
{
    memmove(to, from, count * sizeof *to);
}

/* Gives the tiles of a row and of the one behind it to the one that is higher in
   the tree, which is returned. The other becomes spare. */
static struct frames_row *unite(struct frames *f, struct frames_node *node,
                                struct frames_row *row)
{
    struct frames_row *next = row->next;
    struct frames_row *kept = row;
    struct frames_row *unused = next;
    if (is_above(row, next)) {
        copy_tiles(&row->tile[row->count], next->tile, next->count);
    } else {
        copy_tiles(&next->tile[row->count], next->tile, next->count);
        copy_tiles(next->tile, row->tile, row->count);
        kept = next;
        unused = row;
    }
    kept->count += unused->count;
    take_out(node, unused);
    update(node, unused->parent);
    refresh(kept);
    frames_row_put(f, unused);
    return kept;
}

/* Unites a row with its neighbours, if they have become short. */
static struct frames_row *tidy(struct frames *f, struct frames_node *node,
                               struct frames_row *row)
{
    if (row->next != NULL &&
        row->count + row->next->count <= FRAMES_ROW_UNITED) {
        row = unite(f, node, row);
    }
    if (row->previous != NULL &&
        row->count + row->previous->count <= FRAMES_ROW_UNITED) {
        row = unite(f, node, row->previous);
    }
    return row;
}

/* Moves the upper half of a row into one of its own. */
static void split(struct frames *f, struct frames_node *node,
                  struct frames_row *row)
{
    struct frames_row *upper = take_row(f);
    uint32_t half = row->count / 2;
    upper->count = row->count - half;
    copy_tiles(upper->tile, &row->tile[half], upper->count);
    row->count = half;
    hang(node, upper, row);
    upper->own = frames_row_own(upper);
    update(node, upper);
    refresh(row);
}

/* Replaces tiles inside a row. */
static void splice(struct frames_at at, uint32_t replaced,
                   const struct frames_tile *tiles, uint32_t count)
{
    struct frames_row *row = at.row;
    struct frames_tile *here = &row->tile[at.index];
    if (replaced != count) {
        copy_tiles(here + count, here + replaced,
                   row->count - at.index - replaced);
        row->count += count - replaced;
    }
    copy_tiles(here, tiles, count);
    refresh(row);
}

/* Removes this many tiles behind a row; returns the row, or the one that has its
   tiles now. */
static struct frames_row *remove_behind(struct frames *f,
                                        struct frames_node *node,
                                        struct frames_row *row, uint32_t count)
{
    while (count > 0) {
        struct frames_row *next = row->next;
        uint32_t part = count < next->count ? count : next->count;
        count -= part;
        next->count -= part;
        if (next->count == 0) {
            row = unite(f, node, row);
        } else {
            copy_tiles(next->tile, &next->tile[part], next->count);
            refresh(next);
        }
    }
    return row;
}

void frames_tile_replace(struct frames *f, struct frames_node *node,
                         struct frames_at at, uint32_t replaced,
                         const struct frames_tile *tiles, uint32_t count)
{
    uint32_t inside = at.row->count - at.index;
    uint32_t behind = replaced > inside ? replaced - inside : 0;
    replaced -= behind;
    at.row = remove_behind(f, node, at.row, behind);
    if (at.row->count + count - replaced > FRAMES_ROW_TILES) {
        split(f, node, at.row);
        if (at.index >= at.row->count) {
            at.index -= at.row->count;
            at.row = at.row->next;
        }
    }
    splice(at, replaced, tiles, count);
    if (behind > 0 || count < replaced) {
        struct frames_row *row = tidy(f, node, at.row);
        if (behind > 0 && row->next != NULL) {
            tidy(f, node, row->next);
        }
    }
}

void frames_tile_begin(struct frames *f, struct frames_node *node,
                       struct frames_tile tile)
{
    struct frames_row *row = take_row(f);
    row->tile[0] = tile;
    row->count = 1;
    node->root = row;
    node->first = row;
    node->last = row;
    row->own = frames_row_own(row);
    update(node, row);
}

/* ---- the search ---- */

static struct frames_at search_row(struct frames_row *row,
                                   const struct frames_fit *fit, uint64_t *page)
{
    for (uint32_t i = row->count; i-- > 0;) {
        if (frames_place(&row->tile[i], fit, page)) {
            return (struct frames_at){ row, i };
        }
    }
    return nowhere;
}

static bool may_hold(const struct frames_row *subtree,
                     const struct frames_probe *probe)
{
    return subtree != NULL && frames_may_fit(&subtree->offer, probe);
}

static struct frames_at search(struct frames_row *row,
                               const struct frames_probe *probe,
                               const struct frames_fit *fit, uint64_t *page)
{
    struct frames_at found = nowhere;
    while (may_hold(row, probe)) {
        if (row->tile[0].start <= fit->highest) {
            struct frames_row *above = row->child[FRAMES_ABOVE];
            if (may_hold(above, probe)) {
                found = search(above, probe, fit, page);
            }
            if (found.row == NULL && frames_may_fit(&row->own, probe)) {
                found = search_row(row, fit, page);
            }
            if (found.row != NULL || row->tile[0].start <= fit->lowest) {
                return found;
            }
        }
        row = row->child[FRAMES_BELOW];
    }
    return nowhere;
}

struct frames_at frames_tile_search(const struct frames_node *node,
                                    const struct frames_fit *fit,
                                    uint64_t *page)
{
    struct frames_probe probe = frames_probe_for(fit);
    return search(node->root, &probe, fit, page);
}
