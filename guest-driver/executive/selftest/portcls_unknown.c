/* SPDX-License-Identifier: MIT */
/* selftest.sys: IUnknown of port class objects, alone and aggregated */
#include "selftest.h"

#include "portcls_adapter.h"

static const GUID foreign_interface = { 0x12345678, 0x1234, 0x5678, { 1, 2, 3, 4, 5, 6, 7, 8 } };

static void alone(void)
{
    PSERVICEGROUP group = NULL, same = NULL;
    PUNKNOWN unknown = NULL;
    PSERVICESINK sink = NULL;
    PVOID none = &none;

    EXPECT_STATUS(PcNewServiceGroup(&group, NULL), STATUS_SUCCESS);
    EXPECT_STATUS(group->lpVtbl->QueryInterface(group, &IID_IUnknown, (PVOID *)&unknown), STATUS_SUCCESS);
    EXPECT_STATUS(group->lpVtbl->QueryInterface(group, &IID_IServiceGroup, (PVOID *)&same), STATUS_SUCCESS);
    EXPECT_STATUS(group->lpVtbl->QueryInterface(group, &IID_IServiceSink, (PVOID *)&sink), STATUS_SUCCESS);
    EXPECT(same == group && (PVOID)sink == group && (PVOID)unknown == group);
    EXPECT_STATUS(group->lpVtbl->QueryInterface(group, &IID_IResourceList, &none), STATUS_INVALID_PARAMETER);
    EXPECT(none == NULL);
    EXPECT_EQUAL(group->lpVtbl->AddRef(group), 5);
    EXPECT_EQUAL(unknown->lpVtbl->Release(unknown), 4);
    EXPECT_EQUAL(sink->lpVtbl->Release(sink), 3);
    EXPECT_EQUAL(same->lpVtbl->Release(same), 2);
    EXPECT_EQUAL(group->lpVtbl->Release(group), 1);
    EXPECT_EQUAL(group->lpVtbl->Release(group), 0);
}

/* An object that aggregates another, and has one interface of its own. */
struct outer {
    const VOID *lpVtbl;
    ULONG references;
    PUNKNOWN inner;
};

static ULONG NTAPI outer_add_ref(struct outer *outer)
{
    return ++outer->references;
}

static ULONG NTAPI outer_release(struct outer *outer)
{
    return --outer->references;
}

static NTSTATUS NTAPI outer_query(struct outer *outer, REFIID id, PVOID *object)
{
    if (IsEqualGUIDAligned(id, &IID_IUnknown) || IsEqualGUIDAligned(id, &foreign_interface)) {
        outer_add_ref(outer);
        *object = outer;
        return STATUS_SUCCESS;
    }
    return outer->inner->lpVtbl->QueryInterface(outer->inner, id, object);
}

static const struct {
    PVOID query, add_ref, release;
} outer_methods = { outer_query, outer_add_ref, outer_release };

/* INNER is what a Pc routine gave for OUTER; ID is an interface that it has. */
static void check_aggregated(struct outer *outer, PUNKNOWN inner, REFIID id)
{
    PUNKNOWN face = NULL, unknown = NULL, back = NULL;
    PVOID none = &none;

    outer->inner = inner;
    EXPECT_EQUAL(outer->references, 1);             /* it counts no reference on the outer object */
    EXPECT_STATUS(outer_query(outer, id, (PVOID *)&face), STATUS_SUCCESS);
    EXPECT_EQUAL(outer->references, 2);             /* the interface delegates */
    EXPECT_EQUAL(face->lpVtbl->AddRef(face), 3);
    EXPECT_EQUAL(face->lpVtbl->Release(face), 2);
    EXPECT_STATUS(face->lpVtbl->QueryInterface(face, &foreign_interface, (PVOID *)&back), STATUS_SUCCESS);
    EXPECT(back == (PVOID)outer);
    EXPECT_STATUS(face->lpVtbl->QueryInterface(face, &IID_IUnknown, (PVOID *)&unknown), STATUS_SUCCESS);
    EXPECT(unknown == (PVOID)outer);
    EXPECT_EQUAL(outer->references, 4);
    /* The inner one does not delegate, and is its own identity. */
    EXPECT_STATUS(inner->lpVtbl->QueryInterface(inner, &foreign_interface, &none), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(inner->lpVtbl->QueryInterface(inner, &IID_IUnknown, (PVOID *)&unknown), STATUS_SUCCESS);
    EXPECT(unknown == inner);
    EXPECT_EQUAL(inner->lpVtbl->Release(inner), 1);
    face->lpVtbl->Release(face);
    back->lpVtbl->Release(back);
    outer_release(outer);
    EXPECT_EQUAL(outer->references, 1);
    EXPECT_EQUAL(inner->lpVtbl->Release(inner), 0);
}

/* One interrupt, which no device has. */
static PRESOURCELIST one_interrupt(void)
{
    CM_RESOURCE_LIST resources = { .Count = 1 };
    PRESOURCELIST list = NULL;

    resources.List[0].PartialResourceList.Count = 1;
    resources.List[0].PartialResourceList.PartialDescriptors[0].Type = CmResourceTypeInterrupt;
    EXPECT_STATUS(PcNewResourceList(&list, NULL, NonPagedPool, &resources, &resources), STATUS_SUCCESS);
    return list;
}

/*
 * OBJECT has the interfaces IDS, COUNT of them: from each every other can be
 * got, and from all the same IUnknown. Its only reference is given back.
 */
static void check_identity(PUNKNOWN object, const GUID *const *ids, ULONG count)
{
    PUNKNOWN from, to, unknown;
    PVOID none = &none;

    EXPECT(object != NULL);
    for (ULONG i = 0; object && i < count; i++) {
        EXPECT_STATUS(object->lpVtbl->QueryInterface(object, ids[i], (PVOID *)&from), STATUS_SUCCESS);
        EXPECT_STATUS(from->lpVtbl->QueryInterface(from, &IID_IUnknown, (PVOID *)&unknown), STATUS_SUCCESS);
        EXPECT(unknown == object);
        for (ULONG j = 0; j < count; j++) {
            EXPECT_STATUS(from->lpVtbl->QueryInterface(from, ids[j], (PVOID *)&to), STATUS_SUCCESS);
            EXPECT_EQUAL(to->lpVtbl->Release(to), 3);
        }
        EXPECT_STATUS(from->lpVtbl->QueryInterface(from, &foreign_interface, &none), STATUS_INVALID_PARAMETER);
        EXPECT(none == NULL);
        unknown->lpVtbl->Release(unknown);
        EXPECT_EQUAL(from->lpVtbl->Release(from), 1);
    }
    if (object) {
        EXPECT_EQUAL(object->lpVtbl->Release(object), 0);
    }
}

#define CHECK_IDENTITY(object, ...)                                         \
    do {                                                                    \
        const GUID *const ids[] = { &IID_IUnknown, __VA_ARGS__ };           \
        check_identity((PUNKNOWN)(object), ids, RTL_NUMBER_OF(ids));        \
    } while (0)

static void identity(void)
{
    PRESOURCELIST list = one_interrupt(), part = NULL;
    PINTERRUPTSYNC sync = NULL;
    PSERVICEGROUP group = NULL;
    PPORT port = NULL;

    EXPECT_STATUS(PcNewServiceGroup(&group, NULL), STATUS_SUCCESS);
    CHECK_IDENTITY(group, &IID_IServiceGroup, &IID_IServiceSink);
    EXPECT_STATUS(PcNewPort(&port, &CLSID_PortWaveCyclic), STATUS_SUCCESS);
    CHECK_IDENTITY(port, &IID_IPort, &IID_IPortWaveCyclic);
    EXPECT_STATUS(PcNewInterruptSync(&sync, NULL, list, 0, InterruptSyncModeAll), STATUS_SUCCESS);
    CHECK_IDENTITY(sync, &IID_IInterruptSync);
    EXPECT_STATUS(PcNewResourceSublist(&part, NULL, NonPagedPool, list, 1), STATUS_SUCCESS);
    CHECK_IDENTITY(part, &IID_IResourceList);
    CHECK_IDENTITY(list, &IID_IResourceList);
}

static void aggregated(void)
{
    PRESOURCELIST interrupts = one_interrupt();
    PINTERRUPTSYNC sync = NULL;
    struct outer outer = { &outer_methods, 1, NULL };
    PRESOURCELIST list = NULL;
    PSERVICEGROUP group = NULL;

    EXPECT_STATUS(PcNewServiceGroup(&group, (PUNKNOWN)&outer), STATUS_SUCCESS);
    group->lpVtbl->RequestService(group);           /* the inner pointer has all methods */
    check_aggregated(&outer, (PUNKNOWN)group, &IID_IServiceGroup);
    EXPECT_STATUS(PcNewResourceList(&list, (PUNKNOWN)&outer, NonPagedPool, NULL, NULL), STATUS_SUCCESS);
    EXPECT_EQUAL(list->lpVtbl->NumberOfEntries(list), 0);
    check_aggregated(&outer, (PUNKNOWN)list, &IID_IResourceList);
    EXPECT_STATUS(PcNewResourceSublist(&list, (PUNKNOWN)&outer, NonPagedPool, interrupts, 1), STATUS_SUCCESS);
    check_aggregated(&outer, (PUNKNOWN)list, &IID_IResourceList);
    EXPECT_STATUS(PcNewInterruptSync(&sync, (PUNKNOWN)&outer, interrupts, 0, InterruptSyncModeNormal),
                  STATUS_SUCCESS);
    EXPECT(sync->lpVtbl->GetKInterrupt(sync) == NULL);
    check_aggregated(&outer, (PUNKNOWN)sync, &IID_IInterruptSync);
    EXPECT_EQUAL(interrupts->lpVtbl->Release(interrupts), 0);
}

static void aggregated_channel(void)
{
    struct outer outer = { &outer_methods, 1, NULL };
    DEVICE_DESCRIPTION3 description = master_description(32);
    PDEVICE_OBJECT pdo = device_pdo();
    PDMACHANNEL channel = NULL;
    PVOID none = &none;

    if (!pdo) {
        return;
    }
    EXPECT_STATUS(PcNewDmaChannel(&channel, (PUNKNOWN)&outer, NonPagedPool, (PDEVICE_DESCRIPTION)&description,
                                  pdo), STATUS_SUCCESS);
    EXPECT_STATUS(channel->lpVtbl->AllocateBuffer(channel, PAGE_SIZE, NULL), STATUS_SUCCESS);
    /* A bus master is no slave. */
    EXPECT_STATUS(channel->lpVtbl->QueryInterface(channel, &IID_IDmaChannelSlave, &none),
                  STATUS_INVALID_PARAMETER);
    EXPECT(none == NULL);
    check_aggregated(&outer, (PUNKNOWN)channel, &IID_IDmaChannel);
    ObDereferenceObject(pdo);
}

const struct check portcls_unknown_checks[] = {
    { "portcls-unknown/alone", alone },
    { "portcls-unknown/identity", identity },
    { "portcls-unknown/aggregated", aggregated },
    { "portcls-unknown/aggregated-channel", aggregated_channel },
    { NULL, NULL },
};
