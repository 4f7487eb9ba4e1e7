/*
 * IUnknown for all objects of portcls.sys, with aggregation.
 *
 * Objects that were released to the last rest for a while: whoever calls one of
 * their methods then is stopped, and told so.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pcp.h"

#define LATE_MAX            64u

static struct {
    KSPIN_LOCK Lock;
    ULONG Count;
    PC_OBJECT *Objects[LATE_MAX];       /* a ring */
} Late;

static NTSTATUS NTAPI Dead(PC_INTERFACE *This)
{
    const char *tag = (const char *)&This->Object->Class->Tag;

    DbgPrint("portcls: a method of an object that was released to the last, "
             "tag %c%c%c%c\n", tag[0], tag[1], tag[2], tag[3]);
    KeBugCheckEx(DRIVER_VERIFIER_DETECTED_VIOLATION, 0, (ULONG_PTR)This, 0, 0);
}

#define FOUR(x) x, x, x, x

/* More slots than any interface of ours has. */
static NTSTATUS (NTAPI *const DeadMethods[])(PC_INTERFACE *This) = {
    FOUR(FOUR(Dead)), FOUR(FOUR(Dead)),
};

/* Frees the object when as many others were freed. */
static void FreeObject(PC_OBJECT *Object)
{
    PC_OBJECT **slot, *other;
    KIRQL irql;

    Object->Inner.Vtbl = Object->Aggregated.Vtbl = DeadMethods;
    irql = KeAcquireSpinLockRaiseToDpc(&Late.Lock);
    slot = &Late.Objects[Late.Count++ % LATE_MAX];
    other = *slot;
    *slot = Object;
    KeReleaseSpinLock(&Late.Lock, irql);
    if (other) {
        ExFreePoolWithTag(other, other->Class->Tag);
    }
}

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
        FreeObject(object);
    }
    return (ULONG)left;
}
