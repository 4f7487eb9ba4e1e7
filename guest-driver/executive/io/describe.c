/*
 * What devices get, on the console.
 *
 * SPDX-License-Identifier: MIT
 */
#include "iop.h"

static void DescribeInterrupt(const CM_PARTIAL_RESOURCE_DESCRIPTOR *Resource)
{
    if (Resource->Flags & CM_RESOURCE_INTERRUPT_MESSAGE) {
        DbgPrint("io:   interrupt by message, vector 0x%x\n",
                 Resource->u.MessageInterrupt.Translated.Vector);
    } else {
        DbgPrint("io:   interrupt by line, vector 0x%x\n",
                 Resource->u.Interrupt.Vector);
    }
}

void IopDescribePdo(PDEVICE_OBJECT Pdo)
{
    const CM_PARTIAL_RESOURCE_LIST *list =
        &IopPdoResources(Pdo)->List[0].PartialResourceList;
    PCI_IDS ids;

    IopPdoIds(Pdo, &ids);
    DbgPrint("io: %s\n", ids.All[0]);
    for (ULONG i = 0; i < list->Count; i++) {
        const CM_PARTIAL_RESOURCE_DESCRIPTOR *resource =
            &list->PartialDescriptors[i];

        switch (resource->Type) {
        case CmResourceTypePort:
            DbgPrint("io:   %u ports from 0x%llx\n", resource->u.Port.Length,
                     resource->u.Port.Start.QuadPart);
            break;
        case CmResourceTypeDma:
            DbgPrint("io:   DMA channel %u\n", resource->u.Dma.Channel);
            break;
        case CmResourceTypeMemory:
            DbgPrint("io:   %u bytes of memory from 0x%llx\n",
                     resource->u.Memory.Length,
                     resource->u.Memory.Start.QuadPart);
            break;
        default:
            DescribeInterrupt(resource);
        }
    }
}
