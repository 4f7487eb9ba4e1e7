/* SPDX-License-Identifier: MIT */
/* selftest.sys: the device of the driver under test */
#include "filter.h"

PDEVICE_OBJECT device_pdo(void)
{
    struct pcm_machine machine;
    PDEVICE_OBJECT pdo;
    NTSTATUS status = machine_act(PCM_MACHINE_LOOK, &machine);

    EXPECT_STATUS(status, STATUS_SUCCESS);
    if (!NT_SUCCESS(status)) {
        return NULL;
    }
    pdo = (PDEVICE_OBJECT)(ULONG_PTR)machine.object;
    ObReferenceObject(pdo);
    return pdo;
}

DEVICE_DESCRIPTION3 master_description(ULONG width)
{
    return (DEVICE_DESCRIPTION3){
        .Version = DEVICE_DESCRIPTION_VERSION3,
        .Master = TRUE,
        .InterfaceType = PCIBus,
        .MaximumLength = 0x10000,
        .DmaAddressWidth = width,
    };
}

PDMA_ADAPTER new_adapter(ULONG width)
{
    DEVICE_DESCRIPTION3 description = master_description(width);
    PDEVICE_OBJECT pdo = device_pdo();
    PDMA_ADAPTER adapter = NULL;
    ULONG registers = 0;

    if (pdo) {
        adapter = IoGetDmaAdapter(pdo, (PDEVICE_DESCRIPTION)&description, &registers);
        ObDereferenceObject(pdo);
    }
    EXPECT(adapter != NULL);
    return adapter;
}

PDMA_OPERATIONS3 operations(PDMA_ADAPTER adapter)
{
    return (PDMA_OPERATIONS3)adapter->DmaOperations;
}

void put_adapter(PDMA_ADAPTER adapter)
{
    operations(adapter)->PutDmaAdapter(adapter);
}
