/* SPDX-License-Identifier: MIT */
/* selftest.sys: IServiceGroup and its members */
#include "selftest.h"

#include "portcls_adapter.h"

#define DELAY_MS                    60

/* A member that notes when it was served. */
struct sink {
    const IServiceSinkVtbl *lpVtbl;
    ULONG references;
    ULONG served;
    ULONG turn;                     /* when it was served last, among all */
    KIRQL irql;
    PSERVICEGROUP leaves;           /* the group it removes itself from when it is served */
    KEVENT event;
};

static ULONG turns;

static NTSTATUS NTAPI sink_query(IServiceSink *this, REFIID id, PVOID *object)
{
    (void)this;
    (void)id;
    *object = NULL;
    return STATUS_INVALID_PARAMETER;
}

static ULONG NTAPI sink_add_ref(IServiceSink *this)
{
    return ++((struct sink *)this)->references;
}

static ULONG NTAPI sink_release(IServiceSink *this)
{
    return --((struct sink *)this)->references;
}

static VOID NTAPI sink_service(IServiceSink *this)
{
    struct sink *sink = (struct sink *)this;

    sink->served++;
    sink->turn = ++turns;
    sink->irql = KeGetCurrentIrql();
    if (sink->leaves) {
        sink->leaves->lpVtbl->RemoveMember(sink->leaves, this);
    }
    KeSetEvent(&sink->event, IO_NO_INCREMENT, FALSE);
}

static const IServiceSinkVtbl sink_methods = { sink_query, sink_add_ref, sink_release, sink_service };

static PSERVICESINK sink_init(struct sink *sink)
{
    RtlZeroMemory(sink, sizeof(*sink));
    sink->lpVtbl = &sink_methods;
    sink->references = 1;
    KeInitializeEvent(&sink->event, SynchronizationEvent, FALSE);
    return (PSERVICESINK)sink;
}

static PSERVICEGROUP new_group(void)
{
    PSERVICEGROUP group = NULL;

    turns = 0;
    EXPECT_STATUS(PcNewServiceGroup(&group, NULL), STATUS_SUCCESS);
    return group;
}

static void serves(void)
{
    PSERVICEGROUP group = new_group();
    struct sink a, b;
    PSERVICESINK one = sink_init(&a), other = sink_init(&b);
    KIRQL irql;

    EXPECT_STATUS(group->lpVtbl->AddMember(group, one), STATUS_SUCCESS);
    EXPECT_STATUS(group->lpVtbl->AddMember(group, other), STATUS_SUCCESS);
    EXPECT_EQUAL(a.references, 2);
    EXPECT_STATUS(group->lpVtbl->AddMember(group, one), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(group->lpVtbl->AddMember(group, NULL), STATUS_INVALID_PARAMETER);
    EXPECT_EQUAL(a.references, 2);
    KeRaiseIrql(DISPATCH_LEVEL + 2, &irql);
    group->lpVtbl->RequestService(group);
    group->lpVtbl->RequestService(group);           /* one DPC does for both */
    EXPECT_EQUAL(a.served, 0);
    KeLowerIrql(irql);
    KeFlushQueuedDpcs();
    EXPECT_EQUAL(a.served, 1);
    EXPECT_EQUAL(a.turn, 1);
    EXPECT_EQUAL(b.turn, 2);
    EXPECT_EQUAL(a.irql, DISPATCH_LEVEL);
    group->lpVtbl->RemoveMember(group, one);
    group->lpVtbl->RemoveMember(group, one);
    EXPECT_EQUAL(a.references, 1);
    group->lpVtbl->RequestService(group);
    KeFlushQueuedDpcs();
    EXPECT_EQUAL(a.served, 1);
    EXPECT_EQUAL(b.served, 2);
    EXPECT_EQUAL(group->lpVtbl->Release(group), 0);
    EXPECT_EQUAL(b.references, 1);
}

/* Members that remove themselves while they are served; the others are still served. */
static void leaving(void)
{
    PSERVICEGROUP group = new_group();
    struct sink sinks[3];

    for (ULONG i = 0; i < 3; i++) {
        EXPECT_STATUS(group->lpVtbl->AddMember(group, sink_init(&sinks[i])), STATUS_SUCCESS);
        sinks[i].leaves = i < 2 ? group : NULL;
    }
    for (ULONG i = 0; i < 2; i++) {
        group->lpVtbl->RequestService(group);
        KeFlushQueuedDpcs();
    }
    EXPECT_EQUAL(sinks[0].served, 1);
    EXPECT_EQUAL(sinks[1].served, 1);
    EXPECT_EQUAL(sinks[2].served, 2);
    EXPECT_EQUAL(sinks[0].references, 1);
    EXPECT_EQUAL(sinks[2].references, 2);
    EXPECT_EQUAL(group->lpVtbl->Release(group), 0);
    EXPECT_EQUAL(sinks[2].references, 1);
}

/* A group is a sink: what serves the one serves the other. */
static void nested(void)
{
    PSERVICEGROUP outer = new_group(), inner = new_group();
    struct sink sink;

    EXPECT_STATUS(inner->lpVtbl->AddMember(inner, sink_init(&sink)), STATUS_SUCCESS);
    EXPECT_STATUS(outer->lpVtbl->AddMember(outer, (PSERVICESINK)inner), STATUS_SUCCESS);
    EXPECT_EQUAL(inner->lpVtbl->Release(inner), 1);
    outer->lpVtbl->RequestService(outer);
    EXPECT_STATUS(KeWaitForSingleObject(&sink.event, Executive, KernelMode, FALSE, NULL), STATUS_SUCCESS);
    EXPECT_EQUAL(outer->lpVtbl->Release(outer), 0);
    EXPECT_EQUAL(sink.references, 1);
}

static void delayed(void)
{
    PSERVICEGROUP group = new_group();
    struct sink sink;
    LARGE_INTEGER wait = after_ms(20 * DELAY_MS);
    ULONGLONG start;

    EXPECT_STATUS(group->lpVtbl->AddMember(group, sink_init(&sink)), STATUS_SUCCESS);
    group->lpVtbl->RequestDelayedService(group, 0);         /* not supported yet */
    group->lpVtbl->CancelDelayedService(group);
    group->lpVtbl->SupportDelayedService(group);
    group->lpVtbl->SupportDelayedService(group);
    start = KeQueryInterruptTime();
    group->lpVtbl->RequestDelayedService(group, DELAY_MS * MS);
    EXPECT_STATUS(KeWaitForSingleObject(&sink.event, Executive, KernelMode, FALSE, &wait), STATUS_SUCCESS);
    EXPECT(KeQueryInterruptTime() - start >= DELAY_MS * MS);
    EXPECT_EQUAL(sink.served, 1);
    group->lpVtbl->RequestDelayedService(group, DELAY_MS * MS);
    group->lpVtbl->CancelDelayedService(group);
    sleep_ms(2 * DELAY_MS);
    EXPECT_EQUAL(sink.served, 1);
    /* A later request replaces an earlier one; the last Release ends it. */
    group->lpVtbl->RequestDelayedService(group, DELAY_MS * MS);
    group->lpVtbl->RequestDelayedService(group, MAXULONGLONG);
    sleep_ms(2 * DELAY_MS);
    EXPECT_EQUAL(sink.served, 1);
    group->lpVtbl->RequestDelayedService(group, DELAY_MS * MS);
    EXPECT_EQUAL(group->lpVtbl->Release(group), 0);
    sleep_ms(2 * DELAY_MS);
    EXPECT_EQUAL(sink.served, 1);
    EXPECT_EQUAL(sink.references, 1);
}

const struct check portcls_service_checks[] = {
    { "portcls-service/serves", serves },
    { "portcls-service/leaving", leaving },
    { "portcls-service/nested", nested },
    { "portcls-service/delayed", delayed },
    { NULL, NULL },
};
