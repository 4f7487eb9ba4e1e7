/*
 * Interrupt objects. Those that share a vector form a chain.
 *
 * SPDX-License-Identifier: MIT
 */
#include "iop.h"

struct _KINTERRUPT {
    PKSERVICE_ROUTINE Routine;
    PVOID Context;
    PKSPIN_LOCK Lock;
    KSPIN_LOCK OwnLock;
    KIRQL SynchronizeIrql;
    ULONG Vector;
    BOOLEAN Latched;
    BOOLEAN Shared;
    PKINTERRUPT Next;
};

static PKINTERRUPT Chains[KI_DEVICE_VECTOR_LAST + 1];
static KSPIN_LOCK ChainLock;

static BOOLEAN Serve(PKINTERRUPT Interrupt)
{
    KIRQL irql = KfRaiseIrql(Interrupt->SynchronizeIrql);
    BOOLEAN mine;

    KeAcquireSpinLockAtDpcLevel(Interrupt->Lock);
    mine = Interrupt->Routine(Interrupt, Interrupt->Context);
    KeReleaseSpinLockFromDpcLevel(Interrupt->Lock);
    KeLowerIrql(irql);
    return mine;
}

/* A level that another device keeps up as well comes again; an edge does not. */
static void Deliver(ULONG Vector, PVOID Context)
{
    UNREFERENCED_PARAMETER(Vector);
    for (PKINTERRUPT i = Context; i; i = i->Next) {
        if (Serve(i) && !i->Latched) {
            break;
        }
    }
}

/* Nobody is in the chain while it changes, and no line is up. */
static void ChangeChain(ULONG Vector, PKINTERRUPT *Link, PKINTERRUPT Target)
{
    KIRQL irql;

    KeAcquireSpinLock(&ChainLock, &irql);
    IopEnableLine(Vector, FALSE);
    KiSetVectorHandler(Vector, NULL, NULL);
    *Link = Target;
    if (Chains[Vector]) {
        KiSetVectorHandler(Vector, Deliver, Chains[Vector]);
        IopEnableLine(Vector, TRUE);
    }
    KeReleaseSpinLock(&ChainLock, irql);
}

/* Who was there first must have agreed to share as well. */
static BOOLEAN MayConnect(ULONG Vector, BOOLEAN Shared)
{
    return Chains[Vector] ? Shared && Chains[Vector]->Shared
                          : !KiIsVectorConnected(Vector);
}

BOOLEAN NTAPI KeSynchronizeExecution(PKINTERRUPT Interrupt,
                                     PKSYNCHRONIZE_ROUTINE Routine,
                                     PVOID Context)
{
    KIRQL irql = KfRaiseIrql(Interrupt->SynchronizeIrql);
    BOOLEAN result;

    KeAcquireSpinLockAtDpcLevel(Interrupt->Lock);
    result = Routine(Context);
    KeReleaseSpinLockFromDpcLevel(Interrupt->Lock);
    KeLowerIrql(irql);
    return result;
}

NTSTATUS NTAPI IoConnectInterrupt(PKINTERRUPT *InterruptObject,
                                  PKSERVICE_ROUTINE ServiceRoutine,
                                  PVOID ServiceContext, PKSPIN_LOCK SpinLock,
                                  ULONG Vector, KIRQL Irql,
                                  KIRQL SynchronizeIrql,
                                  KINTERRUPT_MODE InterruptMode,
                                  BOOLEAN ShareVector,
                                  KAFFINITY ProcessorEnableMask,
                                  BOOLEAN FloatingSave)
{
    PKINTERRUPT interrupt;

    UNREFERENCED_PARAMETER(FloatingSave);
    if (!ServiceRoutine || !ProcessorEnableMask ||
        Vector < KI_DEVICE_VECTOR_FIRST || Vector > KI_DEVICE_VECTOR_LAST ||
        Irql != KI_VECTOR_IRQL(Vector) || SynchronizeIrql < Irql ||
        !MayConnect(Vector, ShareVector)) {
        return STATUS_INVALID_PARAMETER;
    }
    interrupt = ExAllocatePoolWithTag(NonPagedPool, sizeof(*interrupt),
                                      IOP_TAG);
    if (!interrupt) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    interrupt->Routine = ServiceRoutine;
    interrupt->Context = ServiceContext;
    interrupt->OwnLock = 0;
    interrupt->Lock = SpinLock ? SpinLock : &interrupt->OwnLock;
    interrupt->SynchronizeIrql = SynchronizeIrql;
    interrupt->Vector = Vector;
    interrupt->Latched = InterruptMode == Latched;
    interrupt->Shared = ShareVector;
    interrupt->Next = Chains[Vector];
    *InterruptObject = interrupt;
    ChangeChain(Vector, &Chains[Vector], interrupt);
    return STATUS_SUCCESS;
}

VOID NTAPI IoDisconnectInterrupt(PKINTERRUPT InterruptObject)
{
    ULONG vector = InterruptObject->Vector;
    PKINTERRUPT *link = &Chains[vector];

    while (*link != InterruptObject) {
        link = &(*link)->Next;
    }
    ChangeChain(vector, link, InterruptObject->Next);
    ExFreePoolWithTag(InterruptObject, IOP_TAG);
}

/*
 * CONNECT_FULLY_SPECIFIED, with what the translated resource says. The other
 * kinds are refused with the version that is understood, as the documents of
 * IoConnectInterruptEx have it.
 */
NTSTATUS NTAPI IoConnectInterruptEx(PIO_CONNECT_INTERRUPT_PARAMETERS Parameters)
{
    PIO_CONNECT_INTERRUPT_FULLY_SPECIFIED_PARAMETERS p =
        &Parameters->FullySpecified;

    if (Parameters->Version != CONNECT_FULLY_SPECIFIED) {
        Parameters->Version = CONNECT_FULLY_SPECIFIED;
        return STATUS_NOT_SUPPORTED;
    }
    return IoConnectInterrupt(p->InterruptObject, p->ServiceRoutine,
                              p->ServiceContext, p->SpinLock, p->Vector,
                              p->Irql, p->SynchronizeIrql, p->InterruptMode,
                              p->ShareVector, p->ProcessorEnableMask,
                              p->FloatingSave);
}

VOID NTAPI IoDisconnectInterruptEx(
    PIO_DISCONNECT_INTERRUPT_PARAMETERS Parameters)
{
    if (Parameters->Version == CONNECT_FULLY_SPECIFIED) {
        IoDisconnectInterrupt(Parameters->ConnectionContext.InterruptObject);
    }
}
