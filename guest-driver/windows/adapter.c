/* SPDX-License-Identifier: MIT */
/*
 * pcmaster.sys: the adapter driver
 *
 * PortCls makes the functional device object and calls adapter_start.  A device
 * object of our own beside it, with a name, takes the clients' commands.
 */
#include "pcmaster.h"
#include "wave.h"

#define SUBDEVICES                  1

/* Longer than any back end takes for what a FIFO holds. */
#define DRAIN_MS                    500u

/* What is ours of the functional device object's extension. */
struct extension {
    UCHAR port_class[PORT_CLASS_DEVICE_EXTENSION_SIZE];
    struct device *device;
};

struct device *adapter_device(PDEVICE_OBJECT functional)
{
    return ((struct extension *)functional->DeviceExtension)->device;
}

static NTSTATUS registers_map(struct device *device, PRESOURCELIST resources)
{
    const CM_PARTIAL_RESOURCE_DESCRIPTOR *memory =
        resources->lpVtbl->FindTranslatedEntry(resources, CmResourceTypeMemory, 0);

    if (!memory || memory->u.Memory.Length < PCM_BAR_SIZE) {
        DbgPrint("pcmaster: no memory resource of %u bytes\n", PCM_BAR_SIZE);
        return STATUS_DEVICE_CONFIGURATION_ERROR;
    }
    device->registers = MmMapIoSpace(memory->u.Memory.Start, PCM_BAR_SIZE, MmNonCached);
    if (!device->registers) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    device->register_bytes = PCM_BAR_SIZE;
    if (read32(device, PCM_ID) != PCM_ID_VALUE ||
        read32(device, PCM_VERSION) >> 16 != PCM_VERSION_VALUE >> 16) {
        DbgPrint("pcmaster: unknown device: id %08x, version %08x\n", read32(device, PCM_ID),
                 read32(device, PCM_VERSION));
        return STATUS_NO_SUCH_DEVICE;
    }
    return STATUS_SUCCESS;
}

static void registers_unmap(struct device *device)
{
    if (device->registers) {
        MmUnmapIoSpace((PVOID)device->registers, device->register_bytes);
        device->registers = NULL;
    }
}

void hardware_reset(struct device *device)
{
    write32(device, PCM_CTRL, PCM_CTRL_RESET);
    write32(device, PCM_POLICY, 0);     /* PCM_POLICY_ABORT, every rule */
    write32(device, PCM_INT_ENABLE,
            PCM_INT_VIOLATION | PCM_INT_EXERCISER | STREAM_INTERRUPTS(device));
}

/* What ended streams have taken is played first: only the hardware knows how far its back end is. */
static void drain(struct device *device)
{
    LARGE_INTEGER millisecond = { .QuadPart = -10000 };
    ULONG n, waited = 0;

    for (n = 0; n < device->playbacks; n++) {
        while (device->draining & 1u << n && waited < DRAIN_MS) {
            if (read32(device, PCM_STREAM(n) + PCM_S_STATUS) & PCM_S_DRAINED) {
                device->draining &= ~(1u << n);
            } else {
                KeDelayExecutionThread(KernelMode, FALSE, &millisecond);
                waited++;
            }
        }
    }
    if (device->draining) {
        DbgPrint("pcmaster: the back end has not taken all in %u ms\n", DRAIN_MS);
        device->draining = 0;
    }
}

void hardware_quiet(struct device *device)
{
    drain(device);
    write32(device, PCM_CTRL, PCM_CTRL_RESET);
}

void hardware_stop(struct device *device)
{
    device_lock(device);
    if (NT_SUCCESS(device_status(device))) {
        hardware_quiet(device);
    }
    device->started = FALSE;
    device_unlock(device);
    interrupt_disconnect(device);
    device_lock(device);
    registers_unmap(device);
    device_unlock(device);
}

static NTSTATUS hardware_start(struct device *device, PRESOURCELIST resources)
{
    NTSTATUS status = registers_map(device, resources);

    if (NT_SUCCESS(status)) {
        write32(device, PCM_CTRL, PCM_CTRL_RESET);
        device->playbacks = PCM_CAP_PLAYBACK(read32(device, PCM_CAP));
        device->captures = PCM_CAP_CAPTURE(read32(device, PCM_CAP));
        status = interrupt_connect(device, resources);
    }
    if (!NT_SUCCESS(status)) {
        hardware_stop(device);
        return status;
    }
    device_lock(device);
    hardware_reset(device);
    device->started = TRUE;
    device->powered = TRUE;
    KeSetEvent(&device->settled, IO_NO_INCREMENT, FALSE);
    device_unlock(device);
    return status;
}

/* The port keeps the miniport, and the miniport the hardware, until the device is stopped. */
static NTSTATUS subdevice_install(struct device *device, PDEVICE_OBJECT functional, PIRP irp,
                                  PRESOURCELIST resources)
{
    PMINIPORTWAVECYCLIC miniport = miniport_new(device);
    PPORT port;
    NTSTATUS status;

    if (!miniport) {
        hardware_stop(device);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = PcNewPort(&port, &CLSID_PortWaveCyclic);
    if (NT_SUCCESS(status)) {
        status = port->lpVtbl->Init(port, functional, irp, (PUNKNOWN)miniport, NULL, resources);
        if (NT_SUCCESS(status)) {
            status = PcRegisterSubdevice(functional, L"Wave", (PUNKNOWN)port);
        }
        port->lpVtbl->Release(port);
    }
    miniport->lpVtbl->Release(miniport);
    return status;
}

static NTSTATUS NTAPI adapter_start(PDEVICE_OBJECT functional, PIRP irp, PRESOURCELIST resources)
{
    struct device *device = adapter_device(functional);
    NTSTATUS status = hardware_start(device, resources);

    if (NT_SUCCESS(status)) {
        status = power_register(device, functional);
        if (NT_SUCCESS(status)) {
            status = subdevice_install(device, functional, irp, resources);
        } else {
            hardware_stop(device);
        }
    }
    return status;
}

NTSTATUS NTAPI adapter_add_device(PDRIVER_OBJECT driver, PDEVICE_OBJECT physical)
{
    PDEVICE_OBJECT functional;
    struct device *device;
    NTSTATUS status = control_create_device(driver, physical, &device);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = PcAddAdapterDevice(driver, physical, adapter_start, SUBDEVICES, sizeof(struct extension));
    if (!NT_SUCCESS(status)) {
        control_delete_device(device);
        return status;
    }
    /* It has just been attached to the top. */
    functional = IoGetAttachedDeviceReference(physical);
    ((struct extension *)functional->DeviceExtension)->device = device;
    device->functional = functional;
    ObDereferenceObject(functional);
    return status;
}
