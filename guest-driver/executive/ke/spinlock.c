/*
 * Spin locks and synchronised execution.
 *
 * SPDX-License-Identifier: MIT
 */
#include "executive.h"

/* A lock held by the processor that asks for it would never come free. */
VOID NTAPI KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
{
    volatile LONG64 *lock = (volatile LONG64 *)SpinLock;

    while (InterlockedExchange64(lock, 1)) {
        while (*lock) {
            YieldProcessor();
        }
    }
}

VOID NTAPI KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock)
{
    InterlockedExchange64((volatile LONG64 *)SpinLock, 0);
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
