/* SPDX-License-Identifier: MIT */
/*
 * IResourceList, IInterruptSync, IServiceSink and IServiceGroup, for C on x64
 *
 * Interfaces of portcls.h with their true vtables.  What the documents leave
 * open is settled here, and shown by the self-tests named in docs/ddi.md.
 *
 * Objects that take an OuterUnknown can be aggregated.  The pointer that comes
 * back is then the inner one, whose first three methods do not delegate: the
 * outer object keeps it, and passes QueryInterface on to it for the interfaces
 * it does not have itself.  Interfaces got in that way delegate to the outer
 * object.  OuterUnknown NULL: the object stands alone.
 *
 * QueryInterface of an interface that an object lacks sets *Object to NULL and
 * returns STATUS_INVALID_PARAMETER.
 */
#ifndef PCMASTER_PORTCLS_SYNC_H
#define PCMASTER_PORTCLS_SYNC_H

#include <wdm.h>
#include <punknown.h>

#define PORTCLS_SLOT(interface, method, offset)                             \
    _Static_assert(FIELD_OFFSET(interface##Vtbl, method) == (offset), #interface "::" #method)

/* The first three slots of every interface. */
#define PORTCLS_UNKNOWN(interface)                                          \
    NTSTATUS (NTAPI *QueryInterface)(interface *This, REFIID InterfaceId, PVOID *Object); \
    ULONG (NTAPI *AddRef)(interface *This);                                 \
    ULONG (NTAPI *Release)(interface *This)

#define PORTCLS_UNKNOWN_SLOTS(interface)                                    \
    PORTCLS_SLOT(interface, QueryInterface, 0x00);                          \
    PORTCLS_SLOT(interface, AddRef, 0x08);                                  \
    PORTCLS_SLOT(interface, Release, 0x10)

/* --- IResourceList -------------------------------------------------------------- */

DEFINE_GUID(IID_IResourceList, 0x22C6AC60, 0x851B, 0x11D0, 0x9A, 0x7F, 0x00, 0xAA, 0x00, 0x38, 0xAC, 0xFE);

typedef struct IResourceList IResourceList;
typedef IResourceList *PRESOURCELIST;

/* PASSIVE_LEVEL.  Entries stay where they are until the list's last Release. */
typedef struct IResourceListVtbl {
    PORTCLS_UNKNOWN(IResourceList);
    ULONG (NTAPI *NumberOfEntries)(IResourceList *This);
    ULONG (NTAPI *NumberOfEntriesOfType)(IResourceList *This, CM_RESOURCE_TYPE Type);
    /* The Index-th of that type, from 0; NULL: there are not as many. */
    PCM_PARTIAL_RESOURCE_DESCRIPTOR (NTAPI *FindTranslatedEntry)(IResourceList *This, CM_RESOURCE_TYPE Type,
                                                                 ULONG Index);
    PCM_PARTIAL_RESOURCE_DESCRIPTOR (NTAPI *FindUntranslatedEntry)(IResourceList *This, CM_RESOURCE_TYPE Type,
                                                                   ULONG Index);
    /*
     * STATUS_INVALID_PARAMETER       one of the two is NULL, or their types differ
     * STATUS_INSUFFICIENT_RESOURCES  the list is full: it has room for what it
     *                                was made with
     */
    NTSTATUS (NTAPI *AddEntry)(IResourceList *This, PCM_PARTIAL_RESOURCE_DESCRIPTOR Translated,
                               PCM_PARTIAL_RESOURCE_DESCRIPTOR Untranslated);
    /* Also STATUS_INVALID_PARAMETER: the parent has no such entry. */
    NTSTATUS (NTAPI *AddEntryFromParent)(IResourceList *This, IResourceList *Parent, CM_RESOURCE_TYPE Type,
                                         ULONG Index);
    /* The whole list, always one full descriptor; the object's own memory. */
    PCM_RESOURCE_LIST (NTAPI *TranslatedList)(IResourceList *This);
    PCM_RESOURCE_LIST (NTAPI *UntranslatedList)(IResourceList *This);
} IResourceListVtbl;

struct IResourceList {
    const IResourceListVtbl *lpVtbl;
};

PORTCLS_UNKNOWN_SLOTS(IResourceList);
PORTCLS_SLOT(IResourceList, NumberOfEntries, 0x18);
PORTCLS_SLOT(IResourceList, NumberOfEntriesOfType, 0x20);
PORTCLS_SLOT(IResourceList, FindTranslatedEntry, 0x28);
PORTCLS_SLOT(IResourceList, FindUntranslatedEntry, 0x30);
PORTCLS_SLOT(IResourceList, AddEntry, 0x38);
PORTCLS_SLOT(IResourceList, AddEntryFromParent, 0x40);
PORTCLS_SLOT(IResourceList, TranslatedList, 0x48);
PORTCLS_SLOT(IResourceList, UntranslatedList, 0x50);

/*
 * PASSIVE_LEVEL; exported by portcls.sys.  A copy of both lists, of which only
 * the descriptors are kept if there is more than one full descriptor.  Both
 * NULL: an empty list that stays empty.
 *
 *   STATUS_INVALID_PARAMETER       no OutResourceList; one list only; they
 *                                  differ in length or in a type
 *   STATUS_INSUFFICIENT_RESOURCES  out of pool
 */
NTSTATUS NTAPI PcNewResourceList(PRESOURCELIST *OutResourceList, PUNKNOWN OuterUnknown, POOL_TYPE PoolType,
                                 PCM_RESOURCE_LIST TranslatedResources,
                                 PCM_RESOURCE_LIST UntranslatedResources);

/* The same: an empty list with room for MaximumEntries; 0 is refused as a parameter. */
NTSTATUS NTAPI PcNewResourceSublist(PRESOURCELIST *OutResourceList, PUNKNOWN OuterUnknown, POOL_TYPE PoolType,
                                    PRESOURCELIST ParentList, ULONG MaximumEntries);

/* --- IInterruptSync -------------------------------------------------------------- */

DEFINE_GUID(IID_IInterruptSync, 0x22C6AC63, 0x851B, 0x11D0, 0x9A, 0x7F, 0x00, 0xAA, 0x00, 0x38, 0xAC, 0xFE);

typedef struct IInterruptSync IInterruptSync;
typedef IInterruptSync *PINTERRUPTSYNC;

/* STATUS_SUCCESS: it was this routine's interrupt. */
typedef NTSTATUS (NTAPI *PINTERRUPTSYNCROUTINE)(IInterruptSync *InterruptSync, PVOID DynamicContext);

typedef enum {
    InterruptSyncModeNormal = 1,    /* until a routine has handled the interrupt */
    InterruptSyncModeAll,           /* all routines, once */
    InterruptSyncModeRepeat         /* all routines, until a round in which none handled anything */
} INTERRUPTSYNCMODE;

typedef struct IInterruptSyncVtbl {
    PORTCLS_UNKNOWN(IInterruptSync);
    /*
     * IRQL <= that of the interrupt.  Routine runs while no service routine
     * can, and its status is returned.  Not connected: it runs at
     * DISPATCH_LEVEL, one such routine at a time; from above DISPATCH_LEVEL
     * STATUS_UNSUCCESSFUL.
     */
    NTSTATUS (NTAPI *CallSynchronizedRoutine)(IInterruptSync *This, PINTERRUPTSYNCROUTINE Routine,
                                              PVOID DynamicContext);
    /* Any IRQL.  NULL: not connected. */
    PKINTERRUPT (NTAPI *GetKInterrupt)(IInterruptSync *This);
    /* PASSIVE_LEVEL.  STATUS_INVALID_DEVICE_STATE: it is connected; or what IoConnectInterruptEx says. */
    NTSTATUS (NTAPI *Connect)(IInterruptSync *This);
    /* PASSIVE_LEVEL.  Not connected: it does nothing.  The last Release disconnects, too. */
    VOID (NTAPI *Disconnect)(IInterruptSync *This);
    /*
     * PASSIVE_LEVEL; connected or not.  First: before all others, else behind them.
     * STATUS_INVALID_PARAMETER: no Routine.
     */
    NTSTATUS (NTAPI *RegisterServiceRoutine)(IInterruptSync *This, PINTERRUPTSYNCROUTINE Routine,
                                             PVOID DynamicContext, BOOLEAN First);
} IInterruptSyncVtbl;

struct IInterruptSync {
    const IInterruptSyncVtbl *lpVtbl;
};

PORTCLS_UNKNOWN_SLOTS(IInterruptSync);
PORTCLS_SLOT(IInterruptSync, CallSynchronizedRoutine, 0x18);
PORTCLS_SLOT(IInterruptSync, GetKInterrupt, 0x20);
PORTCLS_SLOT(IInterruptSync, Connect, 0x28);
PORTCLS_SLOT(IInterruptSync, Disconnect, 0x30);
PORTCLS_SLOT(IInterruptSync, RegisterServiceRoutine, 0x38);

/*
 * PASSIVE_LEVEL; exported by portcls.sys.  For the ResourceIndex-th interrupt
 * of the list, which is copied.
 *
 *   STATUS_INVALID_PARAMETER       no OutInterruptSync or ResourceList; no such
 *                                  mode; the list has no such interrupt
 *   STATUS_INSUFFICIENT_RESOURCES  out of pool
 */
NTSTATUS NTAPI PcNewInterruptSync(PINTERRUPTSYNC *OutInterruptSync, PUNKNOWN OuterUnknown,
                                  PRESOURCELIST ResourceList, ULONG ResourceIndex, INTERRUPTSYNCMODE Mode);

/* --- IServiceSink, IServiceGroup ---------------------------------------------------- */

DEFINE_GUID(IID_IServiceSink, 0x22C6AC64, 0x851B, 0x11D0, 0x9A, 0x7F, 0x00, 0xAA, 0x00, 0x38, 0xAC, 0xFE);
DEFINE_GUID(IID_IServiceGroup, 0x22C6AC65, 0x851B, 0x11D0, 0x9A, 0x7F, 0x00, 0xAA, 0x00, 0x38, 0xAC, 0xFE);

typedef struct IServiceSink IServiceSink;
typedef IServiceSink *PSERVICESINK;

typedef struct IServiceSinkVtbl {
    PORTCLS_UNKNOWN(IServiceSink);
    /* A member of a group is called at DISPATCH_LEVEL. */
    VOID (NTAPI *RequestService)(IServiceSink *This);
} IServiceSinkVtbl;

struct IServiceSink {
    const IServiceSinkVtbl *lpVtbl;
};

PORTCLS_UNKNOWN_SLOTS(IServiceSink);
PORTCLS_SLOT(IServiceSink, RequestService, 0x18);

typedef struct IServiceGroup IServiceGroup;
typedef IServiceGroup *PSERVICEGROUP;

/* A group is a sink as well: it can be a member of another. Last Release: PASSIVE_LEVEL. */
typedef struct IServiceGroupVtbl {
    PORTCLS_UNKNOWN(IServiceGroup);
    /*
     * Any IRQL.  The members are called, in the order in which they were
     * added, from a DPC: once for all requests before it has begun.
     */
    VOID (NTAPI *RequestService)(IServiceGroup *This);
    /*
     * IRQL <= DISPATCH_LEVEL.  The group holds a reference on its members.
     *   STATUS_INVALID_PARAMETER       no ServiceSink, or it is a member
     *   STATUS_INSUFFICIENT_RESOURCES  out of pool
     */
    NTSTATUS (NTAPI *AddMember)(IServiceGroup *This, PSERVICESINK ServiceSink);
    /*
     * IRQL <= DISPATCH_LEVEL.  The member may remove itself while it is
     * served.  At PASSIVE_LEVEL it returns when the member is not being
     * served, and will not be.  Not a member: it does nothing.
     */
    VOID (NTAPI *RemoveMember)(IServiceGroup *This, PSERVICESINK ServiceSink);
    /* PASSIVE_LEVEL.  Before the next two, which do nothing without it. */
    VOID (NTAPI *SupportDelayedService)(IServiceGroup *This);
    /* IRQL <= DISPATCH_LEVEL.  After Delay units of 100 ns; replaces a delay that runs. */
    VOID (NTAPI *RequestDelayedService)(IServiceGroup *This, ULONGLONG Delay);
    VOID (NTAPI *CancelDelayedService)(IServiceGroup *This);
} IServiceGroupVtbl;

struct IServiceGroup {
    const IServiceGroupVtbl *lpVtbl;
};

PORTCLS_UNKNOWN_SLOTS(IServiceGroup);
PORTCLS_SLOT(IServiceGroup, RequestService, 0x18);
PORTCLS_SLOT(IServiceGroup, AddMember, 0x20);
PORTCLS_SLOT(IServiceGroup, RemoveMember, 0x28);
PORTCLS_SLOT(IServiceGroup, SupportDelayedService, 0x30);
PORTCLS_SLOT(IServiceGroup, RequestDelayedService, 0x38);
PORTCLS_SLOT(IServiceGroup, CancelDelayedService, 0x40);

/* PASSIVE_LEVEL; exported by portcls.sys.  Statuses as above. */
NTSTATUS NTAPI PcNewServiceGroup(PSERVICEGROUP *OutServiceGroup, PUNKNOWN OuterUnknown);

#endif /* PCMASTER_PORTCLS_SYNC_H */
