/* SPDX-License-Identifier: MIT */
/* violation.sys: members of DMA_OPERATIONS that there are not */
#include "violation.h"


static DEVICE_DESCRIPTION3 master(void)
{
    return (DEVICE_DESCRIPTION3){
        .Version = DEVICE_DESCRIPTION_VERSION3,
        .Master = TRUE,
        .InterfaceType = PCIBus,
        .MaximumLength = 0x10000,
        .DmaAddressWidth = 32,
    };
}

/* A bus master of no particular device may have an adapter without a PDO. */
static PDMA_ADAPTER adapter_new(void)
{
    DEVICE_DESCRIPTION3 description = master();
    ULONG registers;
    PDMA_ADAPTER adapter = IoGetDmaAdapter(NULL, (PDEVICE_DESCRIPTION)&description, &registers);

    if (!adapter) {
        KeBugCheck(MANUALLY_INITIATED_CRASH);
    }
    return adapter;
}

static void unsupported_member(PDRIVER_OBJECT driver)
{
    PDMA_ADAPTER adapter = adapter_new();

    (void)driver;
    adapter->DmaOperations->ReadDmaCounter(adapter);
}

const struct violation dma_violations[] = {
    { "unsupported-member", unsupported_member },
    { NULL, NULL },
};
