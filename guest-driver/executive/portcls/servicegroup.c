/*
 * IServiceGroup: has its members served by a DPC.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcp.h"

#define GROUP_TAG           'gScP'

/* Stays linked while it is served, even if it is removed meanwhile. */
typedef struct _MEMBER {
    LIST_ENTRY Link;
    PSERVICESINK Sink;          /* NULL: removed */
    ULONG Served;               /* DPCs that are with it now */
} MEMBER;

typedef struct _GROUP {
    PC_OBJECT Object;
    KSPIN_LOCK Lock;            /* of Members */
    LIST_ENTRY Members;
    KDPC Dpc;
    BOOLEAN Delayed;            /* Timer and TimerDpc are there */
    KTIMER Timer;
    KDPC TimerDpc;
} GROUP;

/* Lock held. Returns what may be freed once it is not; NULL: nothing. */
static MEMBER *Unlink(MEMBER *Member)
{
    if (Member->Sink || Member->Served) {
        return NULL;
    }
    RemoveEntryList(&Member->Link);
    return Member;
}

static void Discard(MEMBER *Member)
{
    if (Member) {
        ExFreePoolWithTag(Member, GROUP_TAG);
    }
}

/* The first member from Link on that is not removed, to be served; or NULL. */
static MEMBER *BeginService(GROUP *Group, PLIST_ENTRY Link, PSERVICESINK *Sink)
{
    for (; Link != &Group->Members; Link = Link->Flink) {
        MEMBER *member = CONTAINING_RECORD(Link, MEMBER, Link);

        if (member->Sink) {
            member->Served++;
            *Sink = member->Sink;
            PCP_ADDREF(*Sink);
            return member;
        }
    }
    return NULL;
}

static VOID NTAPI Serve(PKDPC Dpc, PVOID Context, PVOID Argument1,
                        PVOID Argument2)
{
    GROUP *group = Context;
    PSERVICESINK sink;
    MEMBER *member;

    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    KeAcquireSpinLockAtDpcLevel(&group->Lock);
    member = BeginService(group, group->Members.Flink, &sink);
    while (member) {
        PSERVICESINK served = sink;
        PLIST_ENTRY next;
        MEMBER *gone;

        KeReleaseSpinLockFromDpcLevel(&group->Lock);
        served->lpVtbl->RequestService(served);
        KeAcquireSpinLockAtDpcLevel(&group->Lock);
        member->Served--;
        next = member->Link.Flink;
        gone = Unlink(member);
        member = BeginService(group, next, &sink);
        KeReleaseSpinLockFromDpcLevel(&group->Lock);
        Discard(gone);
        PCP_RELEASE(served);
        KeAcquireSpinLockAtDpcLevel(&group->Lock);
    }
    KeReleaseSpinLockFromDpcLevel(&group->Lock);
}

/* The delay is over: what serves the members is still the one DPC. */
static VOID NTAPI DelayOver(PKDPC Dpc, PVOID Context, PVOID Argument1,
                            PVOID Argument2)
{
    UNREFERENCED_PARAMETER(Dpc);
    UNREFERENCED_PARAMETER(Argument1);
    UNREFERENCED_PARAMETER(Argument2);
    KeInsertQueueDpc(&((GROUP *)Context)->Dpc, NULL, NULL);
}

static VOID NTAPI RequestService(IServiceGroup *This)
{
    KeInsertQueueDpc(&((GROUP *)PcpObject(This))->Dpc, NULL, NULL);
}

/* Lock held. */
static MEMBER *FindMember(GROUP *Group, PSERVICESINK Sink)
{
    for (PLIST_ENTRY link = Group->Members.Flink; link != &Group->Members;
         link = link->Flink) {
        MEMBER *member = CONTAINING_RECORD(link, MEMBER, Link);

        if (member->Sink == Sink) {
            return member;
        }
    }
    return NULL;
}

static NTSTATUS NTAPI AddMember(IServiceGroup *This, PSERVICESINK ServiceSink)
{
    GROUP *group = PcpObject(This);
    NTSTATUS status = STATUS_INVALID_PARAMETER;
    MEMBER *member;
    KIRQL irql;

    PCP_DISPATCH("IServiceGroup::AddMember");
    if (!ServiceSink) {
        return STATUS_INVALID_PARAMETER;
    }
    member = ExAllocatePoolWithTag(NonPagedPool, sizeof(*member), GROUP_TAG);
    if (!member) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    member->Sink = ServiceSink;
    member->Served = 0;
    KeAcquireSpinLock(&group->Lock, &irql);
    if (!FindMember(group, ServiceSink)) {
        PCP_ADDREF(ServiceSink);
        InsertTailList(&group->Members, &member->Link);
        member = NULL;
        status = STATUS_SUCCESS;
    }
    KeReleaseSpinLock(&group->Lock, irql);
    Discard(member);
    return status;
}

static VOID NTAPI RemoveMember(IServiceGroup *This, PSERVICESINK ServiceSink)
{
    GROUP *group = PcpObject(This);
    MEMBER *member, *gone = NULL;
    KIRQL irql;

    PCP_DISPATCH("IServiceGroup::RemoveMember");
    if (!ServiceSink) {
        return;
    }
    KeAcquireSpinLock(&group->Lock, &irql);
    member = FindMember(group, ServiceSink);
    if (member) {
        member->Sink = NULL;
        gone = Unlink(member);
    }
    KeReleaseSpinLock(&group->Lock, irql);
    if (!member) {
        return;
    }
    Discard(gone);
    if (irql == PASSIVE_LEVEL) {
        KeFlushQueuedDpcs();
    }
    PCP_RELEASE(ServiceSink);
}

static VOID NTAPI SupportDelayedService(IServiceGroup *This)
{
    GROUP *group = PcpObject(This);

    PCP_PASSIVE("IServiceGroup::SupportDelayedService");
    if (!group->Delayed) {
        KeInitializeTimer(&group->Timer);
        KeInitializeDpc(&group->TimerDpc, DelayOver, group);
        group->Delayed = TRUE;
    }
}

static VOID NTAPI RequestDelayedService(IServiceGroup *This, ULONGLONG Delay)
{
    GROUP *group = PcpObject(This);
    LARGE_INTEGER due;

    PCP_DISPATCH("IServiceGroup::RequestDelayedService");
    due.QuadPart = Delay > MAXLONGLONG ? -MAXLONGLONG : -(LONGLONG)Delay;
    if (group->Delayed) {
        KeSetTimer(&group->Timer, due, &group->TimerDpc);
    }
}

static VOID NTAPI CancelDelayedService(IServiceGroup *This)
{
    GROUP *group = PcpObject(This);

    PCP_DISPATCH("IServiceGroup::CancelDelayedService");
    if (group->Delayed) {
        KeCancelTimer(&group->Timer);
        KeRemoveQueueDpc(&group->TimerDpc);
    }
}

static const IServiceGroupVtbl Methods = {
    PCP_UNKNOWN,
    .RequestService = RequestService,
    .AddMember = AddMember,
    .RemoveMember = RemoveMember,
    .SupportDelayedService = SupportDelayedService,
    .RequestDelayedService = RequestDelayedService,
    .CancelDelayedService = CancelDelayedService,
};

static void Delete(PVOID Object)
{
    GROUP *group = Object;

    PCP_PASSIVE("IServiceGroup::Release, the last,");
    CancelDelayedService(Object);
    KeFlushQueuedDpcs();        /* one that is under way may queue the other */
    KeRemoveQueueDpc(&group->Dpc);
    KeFlushQueuedDpcs();
    while (!IsListEmpty(&group->Members)) {
        PLIST_ENTRY link = RemoveHeadList(&group->Members);
        MEMBER *member = CONTAINING_RECORD(link, MEMBER, Link);

        PCP_RELEASE(member->Sink);
        Discard(member);
    }
}

static const GUID *const Ids[] = { &IID_IServiceGroup, &IID_IServiceSink, NULL };

static const PC_CLASS Class = {
    .Tag = GROUP_TAG,
    .Size = sizeof(GROUP),
    .Vtbl = &Methods,
    .Ids = Ids,
    .Delete = Delete,
};

NTSTATUS NTAPI PcNewServiceGroup(PSERVICEGROUP *OutServiceGroup,
                                 PUNKNOWN OuterUnknown)
{
    GROUP *group;

    PCP_PASSIVE("PcNewServiceGroup");
    if (!OutServiceGroup) {
        return STATUS_INVALID_PARAMETER;
    }
    group = PcpNewObject(&Class, OuterUnknown, NonPagedPool);
    if (!group) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeInitializeSpinLock(&group->Lock);
    InitializeListHead(&group->Members);
    KeInitializeDpc(&group->Dpc, Serve, group);
    *OutServiceGroup = (PSERVICEGROUP)group;
    return STATUS_SUCCESS;
}
