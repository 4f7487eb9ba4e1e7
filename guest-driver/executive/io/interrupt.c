/*
 * Interrupt objects.
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
};

static void Deliver(ULONG Vector, PVOID Context)
{
    PKINTERRUPT interrupt = Context;
    KIRQL irql = KfRaiseIrql(interrupt->SynchronizeIrql);

    UNREFERENCED_PARAMETER(Vector);
    KeAcquireSpinLockAtDpcLevel(interrupt->Lock);
    interrupt->Routine(interrupt, interrupt->Context);
    KeReleaseSpinLockFromDpcLevel(interrupt->Lock);
    KeLowerIrql(irql);
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

    UNREFERENCED_PARAMETER(InterruptMode);
    UNREFERENCED_PARAMETER(ShareVector);
    UNREFERENCED_PARAMETER(FloatingSave);
    if (!ServiceRoutine || !ProcessorEnableMask ||
        Vector < KI_DEVICE_VECTOR_FIRST || Vector > KI_DEVICE_VECTOR_LAST ||
        Irql != KI_VECTOR_IRQL(Vector) || SynchronizeIrql < Irql ||
        KiIsVectorConnected(Vector)) {
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
    *InterruptObject = interrupt;
    KiSetVectorHandler(Vector, Deliver, interrupt);
    return STATUS_SUCCESS;
}

VOID NTAPI IoDisconnectInterrupt(PKINTERRUPT InterruptObject)
{
    KiSetVectorHandler(InterruptObject->Vector, NULL, NULL);
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
