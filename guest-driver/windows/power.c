/* SPDX-License-Identifier: MIT */
/*
 * pcmaster.sys: power, of which PortCls sees to the requests
 *
 * In D3 the hardware loses all.  Memory is not the hardware's: what clients have
 * allocated is theirs when it comes back.
 */
#include "pcmaster.h"
#include "wave.h"

static struct device *device_of(IAdapterPowerManagement *power)
{
    return CONTAINING_RECORD(power, struct device, power);
}

/* The object is a part of the device, which outlives it. */
static ULONG NTAPI power_add_ref(IAdapterPowerManagement *power)
{
    return (ULONG)InterlockedIncrement(&device_of(power)->power_references);
}

static ULONG NTAPI power_release(IAdapterPowerManagement *power)
{
    return (ULONG)InterlockedDecrement(&device_of(power)->power_references);
}

static NTSTATUS NTAPI power_query(IAdapterPowerManagement *power, REFIID id, PVOID *object)
{
    if (!IsEqualGUIDAligned(id, &IID_IUnknown) && !IsEqualGUIDAligned(id, &IID_IAdapterPowerManagement)) {
        *object = NULL;
        return STATUS_INVALID_PARAMETER;
    }
    power_add_ref(power);
    *object = power;
    return STATUS_SUCCESS;
}

/* Up after all others, down before them. */
static VOID NTAPI power_change(IAdapterPowerManagement *power, POWER_STATE state)
{
    struct device *device = device_of(power);
    BOOLEAN up = state.DeviceState == PowerDeviceD0;

    device_lock(device);
    if (up) {
        device->powered = TRUE;
    }
    if (NT_SUCCESS(device_status(device))) {
        if (up) {
            hardware_reset(device);
        } else {
            hardware_quiet(device);
        }
    }
    device->powered = up;
    device_unlock(device);
}

static NTSTATUS NTAPI power_may_change(IAdapterPowerManagement *power, POWER_STATE state)
{
    PCM_UNUSED(power);
    PCM_UNUSED(state);
    return STATUS_SUCCESS;
}

/* What the bus driver says holds. */
static NTSTATUS NTAPI power_capabilities(IAdapterPowerManagement *power, PDEVICE_CAPABILITIES capabilities)
{
    PCM_UNUSED(power);
    PCM_UNUSED(capabilities);
    return STATUS_SUCCESS;
}

static const IAdapterPowerManagementVtbl methods = {
    .QueryInterface = power_query,
    .AddRef = power_add_ref,
    .Release = power_release,
    .PowerChangeState = power_change,
    .QueryPowerChangeState = power_may_change,
    .QueryDeviceCapabilities = power_capabilities,
};

NTSTATUS power_register(struct device *device, PDEVICE_OBJECT functional)
{
    device->power.lpVtbl = &methods;
    return PcRegisterAdapterPowerManagement((PUNKNOWN)&device->power, functional);
}
