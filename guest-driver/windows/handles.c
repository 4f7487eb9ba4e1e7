/* SPDX-License-Identifier: MIT */
/*
 * pcmaster.sys: the handle table of an open file
 *
 * A handle is the number of its slot, from 1.  Thousands are alive when a
 * client uses memory up, so both marks that bound the search are kept.
 */
#include "pcmaster.h"

#define FIRST_CAPACITY              64u
#define LAST_CAPACITY               65536u

static BOOLEAN table_grow(struct file *file)
{
    ULONG capacity = file->capacity ? 2 * file->capacity : FIRST_CAPACITY;
    struct object **objects;

    if (capacity > LAST_CAPACITY) {
        return FALSE;
    }
    objects = pool_allocate(capacity * sizeof(*objects));
    if (!objects) {
        return FALSE;
    }
    if (file->objects) {
        RtlCopyMemory(objects, file->objects, file->capacity * sizeof(*objects));
        ExFreePoolWithTag(file->objects, PCM_POOL_TAG);
    }
    file->objects = objects;
    file->capacity = capacity;
    return TRUE;
}

BOOLEAN handle_add(struct file *file, struct object *object, enum object_kind kind)
{
    ULONG slot = file->first_free;

    while (slot < file->used && file->objects[slot]) {
        slot++;
    }
    if (slot == file->capacity && !table_grow(file)) {
        return FALSE;
    }
    object->kind = kind;
    object->handle = slot + 1;
    file->objects[slot] = object;
    file->first_free = slot + 1;
    if (slot == file->used) {
        file->used++;
    }
    return TRUE;
}

struct object *handle_find(struct file *file, ULONG handle, enum object_kind kind)
{
    struct object *object;

    if (!handle || handle > file->used) {
        return NULL;
    }
    object = file->objects[handle - 1];
    return object && object->kind == kind ? object : NULL;
}

void handle_remove(struct file *file, struct object *object)
{
    ULONG slot = object->handle - 1;

    file->objects[slot] = NULL;
    if (slot < file->first_free) {
        file->first_free = slot;
    }
    while (file->used && !file->objects[file->used - 1]) {
        file->used--;
    }
    object->handle = 0;
}

struct object *handle_any(struct file *file, enum object_kind kind)
{
    ULONG slot;

    for (slot = file->used; slot > 0; slot--) {
        struct object *object = file->objects[slot - 1];

        if (object && object->kind == kind) {
            return object;
        }
    }
    return NULL;
}

void handle_table_free(struct file *file)
{
    if (file->objects) {
        ExFreePoolWithTag(file->objects, PCM_POOL_TAG);
        file->objects = NULL;
        file->capacity = 0;
    }
}
