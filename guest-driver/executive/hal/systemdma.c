/*
 * System DMA: adapters for channels of the machine's DMA controllers.
 *
 * SPDX-License-Identifier: MIT
 */
#include "adapter.h"

#include "i8237.h"

static KSPIN_LOCK Lock;
static HAL_ADAPTER *Owners[I8237_CHANNELS];

/* The channels are those of the ISA bus: PCI has no lines to them. */
static bool IsOnIsa(PDEVICE_OBJECT Pdo, const DEVICE_DESCRIPTION *Description)
{
    INTERFACE_TYPE bus = HalpBusOf(Pdo, Description);

    return bus == Isa || bus == Eisa;
}

static UCHAR ModeOf(const DEVICE_DESCRIPTION *Description)
{
    bool demand = Description->Version == DEVICE_DESCRIPTION_VERSION2 &&
                  Description->DemandMode;

    return (UCHAR)((demand ? I8237_DEMAND : I8237_SINGLE) |
                   (Description->AutoInitialize ? I8237_AUTO_INITIALIZE : 0));
}

BOOLEAN HalpDescribesChannel(PDEVICE_OBJECT Pdo,
                             const DEVICE_DESCRIPTION *Description,
                             HAL_SYSTEM *System)
{
    ULONG channel = Description->DmaChannel;
    DMA_WIDTH width = channel < I8237_CASCADE ? Width8Bits : Width16Bits;

    /* Version 3 names a request line of ACPI's, which there is none of. */
    if (Description->Version >= DEVICE_DESCRIPTION_VERSION3 ||
        channel >= I8237_CHANNELS || channel == I8237_CASCADE ||
        Description->DmaWidth != width ||
        (ULONG)Description->DmaSpeed >= MaximumDmaSpeed ||
        !Description->MaximumLength || !IsOnIsa(Pdo, Description) ||
        !HalpHasSystemDma()) {
        return FALSE;
    }
    *System = (HAL_SYSTEM){ .Unit = i8237_unit(channel), .Channel = channel,
                            .Mode = ModeOf(Description), .References = 1 };
    return TRUE;
}

BOOLEAN HalpShareChannel(PDEVICE_OBJECT Pdo, const HAL_SYSTEM *System,
                         HAL_ADAPTER **Adapter)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Lock);
    HAL_ADAPTER *owner = Owners[System->Channel];
    bool same = !owner || owner->System.Mode == System->Mode;

    if (owner && same) {
        owner->System.References++;
        if (owner->Pdo != Pdo) {
            owner->Pdo = NULL;
        }
    }
    KeReleaseSpinLock(&Lock, irql);
    *Adapter = same ? owner : NULL;
    return same;
}

BOOLEAN HalpTakeChannel(HAL_ADAPTER *Adapter)
{
    PVOID *owner = (PVOID *)&Owners[Adapter->System.Channel];

    return InterlockedCompareExchangePointer(owner, Adapter, NULL) == NULL;
}

BOOLEAN HalpLeaveChannel(HAL_ADAPTER *Adapter)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&Lock);
    bool last = !--Adapter->System.References;

    if (last) {
        Owners[Adapter->System.Channel] = NULL;
    }
    KeReleaseSpinLock(&Lock, irql);
    return last;
}

void HalpStartChannel(HAL_ADAPTER *Adapter, ULONGLONG Address, ULONG Length,
                      BOOLEAN WriteToDevice)
{
    HAL_SYSTEM *system = &Adapter->System;
    UCHAR mode = (UCHAR)(system->Mode | (WriteToDevice ? I8237_FROM_MEMORY
                                                       : I8237_TO_MEMORY));
    struct i8237_plan plan = i8237_plan(system->Channel, (ULONG)Address, Length,
                                        mode);

    system->Length = system->Left = Length;
    HalpStartSystemDma(system->Channel, &plan);
}

void HalpStopChannel(HAL_ADAPTER *Adapter)
{
    HalpStopSystemDma(Adapter->System.Channel);
    Adapter->System.Length = 0;
}

/*
 * Lock held. Unless the controller starts over, a count that goes up has gone
 * past its end: QEMU's sound cards start over by themselves, and the controller
 * does not say that the end was reached.
 */
static ULONG Left(HAL_SYSTEM *System)
{
    BOOLEAN ended;
    USHORT count = HalpSystemDmaCount(System->Channel, &ended);
    bool again = System->Mode & I8237_AUTO_INITIALIZE;
    ULONG left = i8237_left(System->Channel, System->Length, count,
                            ended && !again);

    if (!again && left > System->Left) {
        left = 0;
    }
    System->Left = left;
    return left;
}

/* Bytes that are still to come of what was mapped; 0: nothing is. */
ULONG NTAPI HalpReadDmaCounter(PDMA_ADAPTER DmaAdapter)
{
    static const char routine[] = "ReadDmaCounter";
    HAL_ADAPTER *adapter = HalpAdapter(DmaAdapter, routine);
    HAL_SYSTEM *system = &adapter->System;
    ULONG left;
    KIRQL irql;

    HalpRequireAtMost(adapter, routine, DISPATCH_LEVEL);
    if (!system->Unit) {
        HalpBreach(&(HAL_BREACH){ .Rule = HalRuleNoCounter,
                                  .Routine = routine, .Adapter = adapter });
        return 0;
    }
    if (!system->Length) {
        return 0;
    }
    irql = KeAcquireSpinLockRaiseToDpc(&Lock);
    left = Left(system);
    KeReleaseSpinLock(&Lock, irql);
    return left;
}
