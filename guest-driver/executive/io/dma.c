/*
 * IoGetDmaAdapter.
 *
 * SPDX-License-Identifier: MIT
 */
#include "iop.h"

#include "halp.h"

PDMA_ADAPTER NTAPI IoGetDmaAdapter(PDEVICE_OBJECT PhysicalDeviceObject,
                                   PDEVICE_DESCRIPTION DeviceDescription,
                                   PULONG NumberOfMapRegisters)
{
    if (KeGetCurrentIrql() != PASSIVE_LEVEL) {
        KeBugCheckEx(IRQL_NOT_LESS_OR_EQUAL, (ULONG_PTR)DeviceDescription,
                     KeGetCurrentIrql(), 0, (ULONG_PTR)IoGetDmaAdapter);
    }
    return HalpCreateDmaAdapter(PhysicalDeviceObject, DeviceDescription,
                            NumberOfMapRegisters);
}
