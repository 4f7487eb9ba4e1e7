/* SPDX-License-Identifier: MIT */
/* violation.sys: what a driver still has when its device is removed */
#include "violation.h"

#include "client.h"
#include "filterlink.h"
#include "pcmaster_machine.h"

static struct pcm_machine machine_act(enum pcm_machine_act wanted)
{
    struct pcm_machine after = { .status = (uint32_t)STATUS_UNSUCCESSFUL };
    struct link machine;

    if (NT_SUCCESS(link_open(&machine, L"\\Device\\Machine"))) {
        link_command(&machine, PCM_MACHINE_IOCTL((ULONG)wanted), NULL, 0, &after, sizeof(after));
        link_close(&machine);
    }
    return after;
}

static void adapter_of_removed(PDRIVER_OBJECT driver)
{
    DEVICE_DESCRIPTION3 description = { .Version = DEVICE_DESCRIPTION_VERSION3, .Master = TRUE,
                                        .InterfaceType = PCIBus, .MaximumLength = PAGE_SIZE,
                                        .DmaAddressWidth = 32 };
    PDEVICE_OBJECT pdo = (PDEVICE_OBJECT)(ULONG_PTR)machine_act(PCM_MACHINE_LOOK).object;
    ULONG registers;

    (void)driver;
    IoGetDmaAdapter(pdo, (PDEVICE_DESCRIPTION)&description, &registers);
    machine_act(PCM_MACHINE_UNPLUG);
}

static BOOLEAN NTAPI service(PKINTERRUPT interrupt, PVOID context)
{
    (void)interrupt;
    (void)context;
    return FALSE;
}

/* The device's own driver has disconnected, but waits for its removal: a file is open. */
static void interrupt_of_removed(PDRIVER_OBJECT driver)
{
    struct pcm_machine machine = machine_act(PCM_MACHINE_LOOK);
    KIRQL irql = (KIRQL)(machine.vector >> 4);
    PKINTERRUPT interrupt;
    struct link link;

    (void)driver;
    if (NT_SUCCESS(link_open_filter(&link))) {
        machine_act(PCM_MACHINE_UNPLUG);
        IoConnectInterrupt(&interrupt, service, NULL, NULL, machine.vector, irql, irql, Latched, FALSE, 1,
                           FALSE);
        link_close(&link);
    }
}

/* A device object beneath the driver's, whose own driver lets IRP_MN_REMOVE_DEVICE pass. */
static NTSTATUS NTAPI pass(PDEVICE_OBJECT device, PIRP irp)
{
    IoSkipCurrentIrpStackLocation(irp);
    return IoCallDriver(*(PDEVICE_OBJECT *)device->DeviceExtension, irp);
}

static void attached_to_removed(PDRIVER_OBJECT driver)
{
    PDEVICE_OBJECT pdo = (PDEVICE_OBJECT)(ULONG_PTR)machine_act(PCM_MACHINE_LOOK).object, self;

    for (ULONG i = 0; i <= IRP_MJ_MAXIMUM_FUNCTION; i++) {
        driver->MajorFunction[i] = pass;
    }
    machine_act(PCM_MACHINE_EJECT);
    if (NT_SUCCESS(IoCreateDevice(driver, sizeof(pdo), NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &self))) {
        *(PDEVICE_OBJECT *)self->DeviceExtension = IoAttachDeviceToDeviceStack(self, pdo);
        machine_act(PCM_MACHINE_PLUG);
        machine_act(PCM_MACHINE_EJECT);
    }
}

static VOID NTAPI work(PDEVICE_OBJECT device, PVOID context)
{
    (void)device;
    (void)context;
}

static PIO_WORKITEM item_queued(PDRIVER_OBJECT driver)
{
    PDEVICE_OBJECT device;
    PIO_WORKITEM item;

    if (!NT_SUCCESS(IoCreateDevice(driver, 0, NULL, FILE_DEVICE_UNKNOWN, 0, FALSE, &device))) {
        KeBugCheck(MANUALLY_INITIATED_CRASH);
    }
    item = IoAllocateWorkItem(device);
    KfRaiseIrql(DISPATCH_LEVEL);
    IoQueueWorkItem(item, work, DelayedWorkQueue, NULL);
    return item;
}

static void item_freed_queued(PDRIVER_OBJECT driver)
{
    IoFreeWorkItem(item_queued(driver));
}

static void item_queued_twice(PDRIVER_OBJECT driver)
{
    IoQueueWorkItem(item_queued(driver), work, DelayedWorkQueue, NULL);
}

const struct violation pnp_violations[] = {
    { "adapter-of-removed", adapter_of_removed },
    { "interrupt-of-removed", interrupt_of_removed },
    { "attached-to-removed", attached_to_removed },
    { "item-freed-queued", item_freed_queued },
    { "item-queued-twice", item_queued_twice },
    { NULL, NULL },
};
