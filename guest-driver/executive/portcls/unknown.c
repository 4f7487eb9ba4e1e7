/*
 * IUnknown for all objects of portcls.sys, with aggregation.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcp.h"

PVOID PcpNewObject(const PC_CLASS *Class, PUNKNOWN Outer, POOL_TYPE PoolType)
{
    PC_OBJECT *object = ExAllocatePoolWithTag(PoolType, Class->Size,
                                              Class->Tag);

    if (object) {
        RtlZeroMemory(object, Class->Size);
        object->Inner = (PC_INTERFACE){ Class->Vtbl, object };
        object->Aggregated = object->Inner;
        object->Outer = Outer;
        object->References = 1;
        object->Class = Class;
    }
    return object;
}

/* Who answers for an interface pointer: the outer object, or NULL: its own. */
static PUNKNOWN Controlling(PC_INTERFACE *This)
{
    return This == &This->Object->Aggregated ? This->Object->Outer : NULL;
}

static bool Serves(const PC_CLASS *Class, REFIID InterfaceId)
{
    for (const GUID *const *id = Class->Ids; *id; id++) {
        if (IsEqualGUIDAligned(InterfaceId, *id)) {
            return true;
        }
    }
    return false;
}

NTSTATUS NTAPI PcpQueryInterface(PC_INTERFACE *This, REFIID InterfaceId,
                                 PVOID *Object)
{
    PC_OBJECT *object = This->Object;
    PUNKNOWN outer = Controlling(This);
    PC_INTERFACE *found;

    if (outer) {
        return outer->lpVtbl->QueryInterface(outer, InterfaceId, Object);
    }
    if (IsEqualGUIDAligned(InterfaceId, &IID_IUnknown)) {
        found = &object->Inner;
    } else if (Serves(object->Class, InterfaceId)) {
        found = object->Outer ? &object->Aggregated : &object->Inner;
    } else {
        *Object = NULL;
        return STATUS_INVALID_PARAMETER;
    }
    PcpAddRef(found);
    *Object = found;
    return STATUS_SUCCESS;
}

ULONG NTAPI PcpAddRef(PC_INTERFACE *This)
{
    PUNKNOWN outer = Controlling(This);

    return outer ? outer->lpVtbl->AddRef(outer)
                 : (ULONG)InterlockedIncrement(&This->Object->References);
}

ULONG NTAPI PcpRelease(PC_INTERFACE *This)
{
    PC_OBJECT *object = This->Object;
    PUNKNOWN outer = Controlling(This);
    LONG left;

    if (outer) {
        return outer->lpVtbl->Release(outer);
    }
    left = InterlockedDecrement(&object->References);
    if (!left) {
        if (object->Class->Delete) {
            object->Class->Delete(object);
        }
        ExFreePoolWithTag(object, object->Class->Tag);
    }
    return (ULONG)left;
}
