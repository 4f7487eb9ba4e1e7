/* SPDX-License-Identifier: MIT */
/* selftest.sys: IResourceList */
#include "selftest.h"

#include "portcls_adapter.h"

/* Two full descriptors: memory, interrupt; and memory, DMA. */
struct two_buses {
    ULONG count;
    struct bus {
        INTERFACE_TYPE type;
        ULONG number;
        USHORT version, revision;
        ULONG count;
        CM_PARTIAL_RESOURCE_DESCRIPTOR entries[2];
    } bus[2];
};

static struct two_buses make_lists(LONGLONG base)
{
    struct two_buses list = { .count = 2 };

    for (ULONG i = 0; i < 2; i++) {
        list.bus[i].type = i ? Isa : PCIBus;
        list.bus[i].number = 3;
        list.bus[i].version = list.bus[i].revision = 1;
        list.bus[i].count = 2;
        list.bus[i].entries[0].Type = CmResourceTypeMemory;
        list.bus[i].entries[0].u.Memory.Start.QuadPart = base + i;
        list.bus[i].entries[1].Type = i ? CmResourceTypeDma : CmResourceTypeInterrupt;
    }
    return list;
}

static PRESOURCELIST new_list(void)
{
    static struct two_buses translated, raw;
    PRESOURCELIST list = NULL;

    translated = make_lists(0x1000);
    raw = make_lists(0x2000);
    EXPECT_STATUS(PcNewResourceList(&list, NULL, PagedPool, (PCM_RESOURCE_LIST)&translated,
                                    (PCM_RESOURCE_LIST)&raw), STATUS_SUCCESS);
    RtlZeroMemory(&translated, sizeof(translated));     /* it has copies */
    RtlZeroMemory(&raw, sizeof(raw));
    return list;
}

static LONGLONG memory(PCM_PARTIAL_RESOURCE_DESCRIPTOR entry)
{
    return entry && entry->Type == CmResourceTypeMemory ? entry->u.Memory.Start.QuadPart : -1;
}

static void finds(void)
{
    PRESOURCELIST list = new_list();
    const IResourceListVtbl *methods = list->lpVtbl;

    EXPECT_EQUAL(methods->NumberOfEntries(list), 4);
    EXPECT_EQUAL(methods->NumberOfEntriesOfType(list, CmResourceTypeMemory), 2);
    EXPECT_EQUAL(methods->NumberOfEntriesOfType(list, CmResourceTypeDma), 1);
    EXPECT_EQUAL(methods->NumberOfEntriesOfType(list, CmResourceTypePort), 0);
    EXPECT_EQUAL(memory(methods->FindTranslatedEntry(list, CmResourceTypeMemory, 0)), 0x1000);
    EXPECT_EQUAL(memory(methods->FindTranslatedEntry(list, CmResourceTypeMemory, 1)), 0x1001);
    EXPECT_EQUAL(memory(methods->FindUntranslatedEntry(list, CmResourceTypeMemory, 1)), 0x2001);
    EXPECT(methods->FindTranslatedEntry(list, CmResourceTypeMemory, 2) == NULL);
    EXPECT(methods->FindUntranslatedEntry(list, CmResourceTypeDma, 1) == NULL);
    EXPECT_EQUAL(methods->TranslatedList(list)->Count, 1);
    EXPECT_EQUAL(methods->TranslatedList(list)->List[0].PartialResourceList.Count, 4);
    EXPECT_EQUAL(methods->TranslatedList(list)->List[0].InterfaceType, PCIBus);
    EXPECT_EQUAL(methods->UntranslatedList(list)->List[0].BusNumber, 3);
    EXPECT_EQUAL(methods->Release(list), 0);
}

static void sublist(void)
{
    PRESOURCELIST list = new_list(), part = NULL;
    const IResourceListVtbl *methods = list->lpVtbl;

    EXPECT_STATUS(PcNewResourceSublist(&part, NULL, NonPagedPool, list, 2), STATUS_SUCCESS);
    EXPECT_EQUAL(methods->NumberOfEntries(part), 0);
    EXPECT_STATUS(methods->AddEntryFromParent(part, list, CmResourceTypeMemory, 1), STATUS_SUCCESS);
    EXPECT_STATUS(methods->AddEntryFromParent(part, list, CmResourceTypeMemory, 2), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(methods->AddEntryFromParent(part, list, CmResourceTypeInterrupt, 0), STATUS_SUCCESS);
    EXPECT_STATUS(methods->AddEntryFromParent(part, list, CmResourceTypeDma, 0), STATUS_INSUFFICIENT_RESOURCES);
    EXPECT_EQUAL(methods->NumberOfEntries(part), 2);
    EXPECT_EQUAL(methods->TranslatedList(part)->List[0].InterfaceType, PCIBus);
    EXPECT_EQUAL(methods->Release(list), 0);            /* the parent is not needed any more */
    EXPECT_EQUAL(memory(methods->FindTranslatedEntry(part, CmResourceTypeMemory, 0)), 0x1001);
    EXPECT_EQUAL(memory(methods->FindUntranslatedEntry(part, CmResourceTypeMemory, 0)), 0x2001);
    EXPECT_EQUAL(methods->Release(part), 0);
}

static void refused(void)
{
    struct two_buses one = make_lists(0), other = make_lists(0);
    CM_PARTIAL_RESOURCE_DESCRIPTOR port = { .Type = CmResourceTypePort };
    PCM_RESOURCE_LIST translated = (PCM_RESOURCE_LIST)&one, raw = (PCM_RESOURCE_LIST)&other;
    PRESOURCELIST list = NULL, parent = new_list();

    EXPECT_STATUS(PcNewResourceList(NULL, NULL, NonPagedPool, translated, raw), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(PcNewResourceList(&list, NULL, NonPagedPool, translated, NULL), STATUS_INVALID_PARAMETER);
    other.count = 1;
    EXPECT_STATUS(PcNewResourceList(&list, NULL, NonPagedPool, translated, raw), STATUS_INVALID_PARAMETER);
    other.count = 2;
    other.bus[1].entries[0].Type = CmResourceTypePort;
    EXPECT_STATUS(PcNewResourceList(&list, NULL, NonPagedPool, translated, raw), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(PcNewResourceSublist(&list, NULL, NonPagedPool, parent, 0), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(PcNewResourceSublist(&list, NULL, NonPagedPool, NULL, 1), STATUS_INVALID_PARAMETER);
    EXPECT(list == NULL);
    EXPECT_STATUS(parent->lpVtbl->AddEntry(parent, &port, &port), STATUS_INSUFFICIENT_RESOURCES);
    EXPECT_STATUS(parent->lpVtbl->AddEntry(parent, &port, &one.bus[0].entries[0]), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(parent->lpVtbl->AddEntry(parent, NULL, &port), STATUS_INVALID_PARAMETER);
    EXPECT_EQUAL(parent->lpVtbl->Release(parent), 0);
}

const struct check portcls_resources_checks[] = {
    { "portcls-resources/finds", finds },
    { "portcls-resources/sublist", sublist },
    { "portcls-resources/refused", refused },
    { NULL, NULL },
};
