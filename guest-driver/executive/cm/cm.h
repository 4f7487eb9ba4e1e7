/*
 * The registry: keys and values in memory, for as long as the machine runs.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_CM_CM_H
#define EXECUTIVE_CM_CM_H

#include "executive.h"

#define CM_TAG              'geRC'
#define CM_MACHINE          L"\\Registry\\Machine"
#define CM_CONTROL_SET      CM_MACHINE L"\\System\\CurrentControlSet"

/* A key of the tree. It outlives its deletion while a handle is open on it. */
typedef struct _CM_KEY {
    LIST_ENTRY Link;            /* in its parent's; to itself once it is deleted */
    struct _CM_KEY *Parent;     /* NULL: the root, or deleted */
    LIST_ENTRY Children;
    LIST_ENTRY Values;
    LARGE_INTEGER LastWriteTime;
    ULONG Handles;
    BOOLEAN Deleted;
    UNICODE_STRING Name;        /* behind the structure */
} CM_KEY;

typedef struct _CM_VALUE {
    LIST_ENTRY Link;
    ULONG Type;
    ULONG Length;
    PVOID Data;                 /* a block of its own; NULL: no bytes */
    UNICODE_STRING Name;        /* behind the structure */
} CM_VALUE;

/* The tree's lock; PASSIVE_LEVEL. */
void CmpLock(void);
void CmpUnlock(void);

/* Locked. The key of a handle; STATUS_INVALID_HANDLE, STATUS_KEY_DELETED. */
NTSTATUS CmpKeyOf(HANDLE Handle, CM_KEY **Key);

/* Locked. The Index-th of a list, and how long the list is; NULL: it is shorter. */
PLIST_ENTRY CmpEntryAt(PLIST_ENTRY List, ULONG Index);
ULONG CmpCount(PLIST_ENTRY List);

/* Locked. The time of the last change is now. */
void CmpTouch(CM_KEY *Key);

/* Locked. */
void CmpFreeValues(CM_KEY *Key);

/* What is written to a caller's buffer, part by part: what fits, and how much it is. */
typedef struct _CM_REPLY {
    PUCHAR Buffer;
    ULONG Length;               /* of the buffer */
    ULONG Used;                 /* of the whole reply */
} CM_REPLY;

void CmpPut(CM_REPLY *Reply, const VOID *Data, ULONG Length);

/*
 * STATUS_BUFFER_TOO_SMALL: not even the Fixed bytes fit; STATUS_BUFFER_OVERFLOW:
 * the rest does not.
 */
NTSTATUS CmpReply(const CM_REPLY *Reply, ULONG Fixed, PULONG ResultLength);

#endif
