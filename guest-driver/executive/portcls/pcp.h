/*
 * Inside portcls.sys.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_PORTCLS_PCP_H
#define EXECUTIVE_PORTCLS_PCP_H

#include "executive.h"
#include "halp.h"
#include "portcls_adapter.h"

/* --- unknown.c: objects with reference counts ------------------------------ */

typedef struct _PC_OBJECT PC_OBJECT;

/* What an interface pointer points to; every vtable begins with PCP_UNKNOWN. */
typedef struct _PC_INTERFACE {
    const VOID *Vtbl;
    PC_OBJECT *Object;
} PC_INTERFACE;

typedef struct _PC_CLASS {
    ULONG Tag;                  /* of its pool */
    SIZE_T Size;                /* of the object, which begins with PC_OBJECT */
    const VOID *Vtbl;
    const GUID *const *Ids;     /* interfaces that Vtbl serves, then NULL */
    void (*Delete)(PVOID Object);       /* all but the memory; NULL: nothing */
} PC_CLASS;

/*
 * An object has one interface, twice: Inner is its own identity, which counts
 * references. Aggregated is what others see of it through the outer object,
 * and passes the first three methods on to that.
 */
struct _PC_OBJECT {
    PC_INTERFACE Inner;         /* first: a pointer to it is one to us */
    PC_INTERFACE Aggregated;
    PUNKNOWN Outer;             /* not counted; NULL: not aggregated */
    volatile LONG References;
    const PC_CLASS *Class;
};

/* Zeroed, with one reference. NULL: out of pool. */
PVOID PcpNewObject(const PC_CLASS *Class, PUNKNOWN Outer, POOL_TYPE PoolType);

/* The object behind one of its interface pointers. */
static inline PVOID PcpObject(PVOID This)
{
    return ((PC_INTERFACE *)This)->Object;
}

NTSTATUS NTAPI PcpQueryInterface(PC_INTERFACE *This, REFIID InterfaceId,
                                 PVOID *Object);
ULONG NTAPI PcpAddRef(PC_INTERFACE *This);
ULONG NTAPI PcpRelease(PC_INTERFACE *This);

#define PCP_UNKNOWN                                                         \
    .QueryInterface = (PVOID)PcpQueryInterface,                             \
    .AddRef = (PVOID)PcpAddRef,                                             \
    .Release = (PVOID)PcpRelease

/* Of anybody's object; NULL does nothing. */
#define PCP_ADDREF(object)                                                  \
    do {                                                                    \
        if (object) {                                                       \
            (object)->lpVtbl->AddRef(object);                               \
        }                                                                   \
    } while (0)
/* Forgets the pointer, too. */
#define PCP_RELEASE(object)                                                 \
    do {                                                                    \
        if (object) {                                                       \
            (object)->lpVtbl->Release(object);                              \
            (object) = NULL;                                                \
        }                                                                   \
    } while (0)

/* --- The rules of IRQL, for the verifier ------------------------------------- */

#define PCP_PASSIVE(routine) HalpRequireIrql((routine), PASSIVE_LEVEL)
#define PCP_DISPATCH(routine) HalpRequireIrql((routine), DISPATCH_LEVEL)

#endif
