/*
 * IResourceList: a device's resources, or some of them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcp.h"

#define RESOURCES_TAG       'sRcP'

typedef struct _RESOURCES {
    PC_OBJECT Object;
    ULONG Room;
    PCM_RESOURCE_LIST Translated;
    PCM_RESOURCE_LIST Untranslated;
} RESOURCES;

static PCM_PARTIAL_RESOURCE_LIST Entries(PCM_RESOURCE_LIST List)
{
    return &List->List[0].PartialResourceList;
}

static ULONG NTAPI NumberOfEntries(IResourceList *This)
{
    RESOURCES *list = PcpObject(This);

    return Entries(list->Translated)->Count;
}

static ULONG NTAPI NumberOfEntriesOfType(IResourceList *This,
                                         CM_RESOURCE_TYPE Type)
{
    RESOURCES *list = PcpObject(This);
    PCM_PARTIAL_RESOURCE_LIST entries = Entries(list->Translated);
    ULONG count = 0;

    for (ULONG i = 0; i < entries->Count; i++) {
        count += entries->PartialDescriptors[i].Type == Type;
    }
    return count;
}

static PCM_PARTIAL_RESOURCE_DESCRIPTOR Find(PCM_RESOURCE_LIST List,
                                            CM_RESOURCE_TYPE Type, ULONG Index)
{
    PCM_PARTIAL_RESOURCE_LIST entries = Entries(List);

    for (ULONG i = 0; i < entries->Count; i++) {
        if (entries->PartialDescriptors[i].Type == Type && !Index--) {
            return &entries->PartialDescriptors[i];
        }
    }
    return NULL;
}

static PCM_PARTIAL_RESOURCE_DESCRIPTOR NTAPI FindTranslatedEntry(
    IResourceList *This, CM_RESOURCE_TYPE Type, ULONG Index)
{
    return Find(((RESOURCES *)PcpObject(This))->Translated, Type, Index);
}

static PCM_PARTIAL_RESOURCE_DESCRIPTOR NTAPI FindUntranslatedEntry(
    IResourceList *This, CM_RESOURCE_TYPE Type, ULONG Index)
{
    return Find(((RESOURCES *)PcpObject(This))->Untranslated, Type, Index);
}

static NTSTATUS NTAPI AddEntry(IResourceList *This,
                               PCM_PARTIAL_RESOURCE_DESCRIPTOR Translated,
                               PCM_PARTIAL_RESOURCE_DESCRIPTOR Untranslated)
{
    RESOURCES *list = PcpObject(This);
    PCM_PARTIAL_RESOURCE_LIST to = Entries(list->Translated);
    PCM_PARTIAL_RESOURCE_LIST raw = Entries(list->Untranslated);

    PCP_PASSIVE("IResourceList::AddEntry");
    if (!Translated || !Untranslated || Translated->Type != Untranslated->Type) {
        return STATUS_INVALID_PARAMETER;
    }
    if (to->Count == list->Room) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    to->PartialDescriptors[to->Count++] = *Translated;
    raw->PartialDescriptors[raw->Count++] = *Untranslated;
    return STATUS_SUCCESS;
}

static NTSTATUS NTAPI AddEntryFromParent(IResourceList *This,
                                         IResourceList *Parent,
                                         CM_RESOURCE_TYPE Type, ULONG Index)
{
    PCP_PASSIVE("IResourceList::AddEntryFromParent");
    if (!Parent) {
        return STATUS_INVALID_PARAMETER;
    }
    return AddEntry(This, Parent->lpVtbl->FindTranslatedEntry(Parent, Type,
                                                              Index),
                    Parent->lpVtbl->FindUntranslatedEntry(Parent, Type, Index));
}

static PCM_RESOURCE_LIST NTAPI TranslatedList(IResourceList *This)
{
    return ((RESOURCES *)PcpObject(This))->Translated;
}

static PCM_RESOURCE_LIST NTAPI UntranslatedList(IResourceList *This)
{
    return ((RESOURCES *)PcpObject(This))->Untranslated;
}

static const IResourceListVtbl Methods = {
    PCP_UNKNOWN,
    .NumberOfEntries = NumberOfEntries,
    .NumberOfEntriesOfType = NumberOfEntriesOfType,
    .FindTranslatedEntry = FindTranslatedEntry,
    .FindUntranslatedEntry = FindUntranslatedEntry,
    .AddEntry = AddEntry,
    .AddEntryFromParent = AddEntryFromParent,
    .TranslatedList = TranslatedList,
    .UntranslatedList = UntranslatedList,
};

static void FreeList(PCM_RESOURCE_LIST *List)
{
    if (*List) {
        ExFreePoolWithTag(*List, RESOURCES_TAG);
    }
}

static void Delete(PVOID Object)
{
    RESOURCES *list = Object;

    FreeList(&list->Translated);
    FreeList(&list->Untranslated);
}

static const GUID *const Ids[] = { &IID_IResourceList, NULL };

static const PC_CLASS Class = {
    .Tag = RESOURCES_TAG,
    .Size = sizeof(RESOURCES),
    .Vtbl = &Methods,
    .Ids = Ids,
    .Delete = Delete,
};

/* An empty list of the same bus as Model, which may be NULL. */
static PCM_RESOURCE_LIST EmptyList(ULONG Room, POOL_TYPE PoolType,
                                   const CM_RESOURCE_LIST *Model)
{
    SIZE_T size = sizeof(CM_RESOURCE_LIST) +
                  Room * sizeof(CM_PARTIAL_RESOURCE_DESCRIPTOR);
    PCM_RESOURCE_LIST list = ExAllocatePoolWithTag(PoolType, size,
                                                   RESOURCES_TAG);

    if (list) {
        RtlZeroMemory(list, size);
        list->Count = 1;
        list->List[0].InterfaceType = InterfaceTypeUndefined;
        Entries(list)->Version = 1;
        Entries(list)->Revision = 1;
        if (Model && Model->Count) {
            list->List[0].InterfaceType = Model->List[0].InterfaceType;
            list->List[0].BusNumber = Model->List[0].BusNumber;
        }
    }
    return list;
}

static NTSTATUS NewList(PRESOURCELIST *Out, PUNKNOWN Outer, POOL_TYPE PoolType,
                        ULONG Room, const CM_RESOURCE_LIST *Translated,
                        const CM_RESOURCE_LIST *Untranslated)
{
    RESOURCES *list = PcpNewObject(&Class, Outer, PoolType);

    if (!list) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    list->Room = Room;
    list->Translated = EmptyList(Room, PoolType, Translated);
    list->Untranslated = EmptyList(Room, PoolType, Untranslated);
    if (!list->Translated || !list->Untranslated) {
        PcpRelease(&list->Object.Inner);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *Out = (PRESOURCELIST)list;
    return STATUS_SUCCESS;
}

/* The Index-th descriptor of all; NULL: there are not as many. */
static PCM_PARTIAL_RESOURCE_DESCRIPTOR Descriptor(PCM_RESOURCE_LIST List,
                                                  ULONG Index)
{
    PCM_FULL_RESOURCE_DESCRIPTOR full = List ? &List->List[0] : NULL;

    for (ULONG i = 0; full && i < List->Count; i++) {
        PCM_PARTIAL_RESOURCE_LIST entries = &full->PartialResourceList;

        if (Index < entries->Count) {
            return &entries->PartialDescriptors[Index];
        }
        Index -= entries->Count;
        full = (PCM_FULL_RESOURCE_DESCRIPTOR)
                   &entries->PartialDescriptors[entries->Count];
    }
    return NULL;
}

static NTSTATUS CountPairs(PCM_RESOURCE_LIST Translated,
                           PCM_RESOURCE_LIST Untranslated, ULONG *Count)
{
    PCM_PARTIAL_RESOURCE_DESCRIPTOR one, other;

    for (*Count = 0;; ++*Count) {
        one = Descriptor(Translated, *Count);
        other = Descriptor(Untranslated, *Count);
        if (!one && !other) {
            return STATUS_SUCCESS;
        }
        if (!one || !other || one->Type != other->Type) {
            return STATUS_INVALID_PARAMETER;
        }
    }
}

NTSTATUS NTAPI PcNewResourceList(PRESOURCELIST *OutResourceList,
                                 PUNKNOWN OuterUnknown, POOL_TYPE PoolType,
                                 PCM_RESOURCE_LIST TranslatedResources,
                                 PCM_RESOURCE_LIST UntranslatedResources)
{
    ULONG count;
    NTSTATUS status;

    PCP_PASSIVE("PcNewResourceList");
    if (!OutResourceList || !TranslatedResources != !UntranslatedResources) {
        return STATUS_INVALID_PARAMETER;
    }
    status = CountPairs(TranslatedResources, UntranslatedResources, &count);
    if (NT_SUCCESS(status)) {
        status = NewList(OutResourceList, OuterUnknown, PoolType, count,
                         TranslatedResources, UntranslatedResources);
    }
    for (ULONG i = 0; NT_SUCCESS(status) && i < count; i++) {
        status = AddEntry(*OutResourceList, Descriptor(TranslatedResources, i),
                          Descriptor(UntranslatedResources, i));
    }
    return status;
}

NTSTATUS NTAPI PcNewResourceSublist(PRESOURCELIST *OutResourceList,
                                    PUNKNOWN OuterUnknown, POOL_TYPE PoolType,
                                    PRESOURCELIST ParentList,
                                    ULONG MaximumEntries)
{
    PCP_PASSIVE("PcNewResourceSublist");
    if (!OutResourceList || !ParentList || !MaximumEntries) {
        return STATUS_INVALID_PARAMETER;
    }
    return NewList(OutResourceList, OuterUnknown, PoolType, MaximumEntries,
                   ParentList->lpVtbl->TranslatedList(ParentList),
                   ParentList->lpVtbl->UntranslatedList(ParentList));
}
