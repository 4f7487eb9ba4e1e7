/* SPDX-License-Identifier: MIT */
#include "linear.h"

#include <stdlib.h>
#include <string.h>

#define PAGE FRAMES_PAGE_SIZE

static uint64_t whole_pages(uint64_t length)
{
    return (length + PAGE - 1) & ~(PAGE - 1);
}

/* Largest multiple of `unit`, a power of two, up to `value`. */
static uint64_t down(uint64_t value, uint64_t unit)
{
    return value & ~(unit - 1);
}

static bool linear_place(const struct linear_run *run,
                         const struct frames_request *request, uint64_t *base)
{
    uint64_t size = whole_pages(request->length);
    uint64_t alignment = request->alignment > PAGE ? request->alignment : PAGE;
    uint64_t line = request->varying + 1; /* 0: none */
    uint64_t lowest = run->base > request->low ? run->base : request->low;
    if (run->length < size || request->high < request->length - 1) {
        return false;
    }
    uint64_t at = run->base + run->length - size;
    if (at > request->high - (request->length - 1)) {
        at = request->high - (request->length - 1);
    }
    at = down(at, alignment);
    if (line != 0 && down(at, line) != down(at + request->length - 1, line)) {
        at = down(down(at + request->length - 1, line) - size, alignment);
    }
    *base = at;
    return at >= lowest && at <= run->base + run->length - size;
}

static void linear_insert(struct linear *l, size_t index, struct linear_run run)
{
    if (l->count == LINEAR_RUNS_MAX) {
        abort();
    }
    memmove(&l->run[index + 1], &l->run[index],
            (l->count++ - index) * sizeof run);
    l->run[index] = run;
}

void linear_add(struct linear *l, uint64_t base, uint64_t length,
                uint32_t node)
{
    linear_insert(l, l->count, (struct linear_run){ base, length, node });
}

static void linear_remove(struct linear *l, size_t index)
{
    memmove(&l->run[index], &l->run[index + 1],
            (--l->count - index) * sizeof l->run[0]);
}

static void linear_carve(struct linear *l, size_t index, uint64_t base,
                         uint64_t size)
{
    struct linear_run *run = &l->run[index];
    uint64_t end = run->base + run->length;
    if (base == run->base && base + size == end) {
        linear_remove(l, index);
    } else if (base == run->base) {
        run->base += size;
        run->length -= size;
    } else {
        run->length = base - run->base;
        if (base + size < end) {
            linear_insert(l, index + 1,
                          (struct linear_run){ base + size, end - base - size,
                                        run->node });
        }
    }
}

bool linear_allocate(struct linear *l,
                            const struct frames_request *request,
                            uint64_t *base)
{
    for (size_t i = l->count; i-- > 0;) {
        if ((request->node == FRAMES_ANY_NODE ||
             request->node == l->run[i].node) &&
            linear_place(&l->run[i], request, base)) {
            linear_carve(l, i, *base, whole_pages(request->length));
            return true;
        }
    }
    return false;
}

void linear_free(struct linear *l, uint64_t base, uint64_t length,
                        uint32_t node)
{
    uint64_t size = whole_pages(length);
    size_t low = 0;
    size_t high = l->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (l->run[middle].base < base) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    struct linear_run *next = &l->run[low];
    struct linear_run *previous = next - 1;
    bool joins_next = low < l->count && base + size == next->base &&
                      next->node == node;
    bool joins_previous = low > 0 && previous->node == node &&
                          previous->base + previous->length == base;
    if (joins_previous && joins_next) {
        previous->length += size + next->length;
        linear_remove(l, low);
    } else if (joins_previous) {
        previous->length += size;
    } else if (joins_next) {
        next->base = base;
        next->length += size;
    } else {
        linear_insert(l, low, (struct linear_run){ base, size, node });
    }
}
