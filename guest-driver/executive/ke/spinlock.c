/*
 * Spin locks and synchronised execution.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ki.h"

/*
 * A lock that is held has the number of its processor, plus one. The processor
 * that holds it would wait for itself for ever.
 */
static LONG64 Self(void)
{
    return (LONG64)KiPcr()->Number + 1;
}

VOID NTAPI KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
{
    volatile LONG64 *lock = (volatile LONG64 *)SpinLock;

    while (InterlockedCompareExchange64(lock, Self(), 0)) {
        if (*lock == Self()) {
            KeBugCheckEx(SPIN_LOCK_ALREADY_OWNED, (ULONG_PTR)SpinLock, 0, 0,
                         0);
        }
        while (*lock) {
            YieldProcessor();
        }
    }
}

VOID NTAPI KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock)
{
    if (InterlockedExchange64((volatile LONG64 *)SpinLock, 0) != Self()) {
        KeBugCheckEx(SPIN_LOCK_NOT_OWNED, (ULONG_PTR)SpinLock, 0, 0, 0);
    }
}

KIRQL NTAPI KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock)
{
    KIRQL irql = KfRaiseIrql(DISPATCH_LEVEL);

    KeAcquireSpinLockAtDpcLevel(SpinLock);
    return irql;
}

VOID NTAPI KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql)
{
    KeReleaseSpinLockFromDpcLevel(SpinLock);
    KeLowerIrql(NewIrql);
}

/*
 * Critical regions hold off APCs, which nothing here delivers; what is left of
 * the contract is that they nest.
 */
static LONG CriticalRegions;

LONG KiCountCriticalRegions(void)
{
    return CriticalRegions;
}

VOID NTAPI KeEnterCriticalRegion(VOID)
{
    InterlockedIncrement(&CriticalRegions);
}

VOID NTAPI KeLeaveCriticalRegion(VOID)
{
    if (InterlockedDecrement(&CriticalRegions) < 0) {
        KeBugCheckEx(APC_INDEX_MISMATCH, 0, (ULONG_PTR)CriticalRegions, 0, 0);
    }
}
