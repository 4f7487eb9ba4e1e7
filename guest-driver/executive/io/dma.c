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
    return HalpCreateDmaAdapter(PhysicalDeviceObject, DeviceDescription,
                            NumberOfMapRegisters);
}
