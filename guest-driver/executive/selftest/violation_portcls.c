/* SPDX-License-Identifier: MIT */
/* violation.sys: what drivers do wrong with the port class driver */
#include "violation.h"

#include "client.h"
#include "filterlink.h"
#include "portcls_adapter.h"

#define VECTOR                      0xae

/* --- Calls at an IRQL that the routine does not allow --------------------------------- */

static PRESOURCELIST one_interrupt(void)
{
    CM_RESOURCE_LIST resources = { .Count = 1 };
    CM_PARTIAL_RESOURCE_DESCRIPTOR *entry = resources.List[0].PartialResourceList.PartialDescriptors;
    PRESOURCELIST list = NULL;

    resources.List[0].PartialResourceList.Count = 1;
    entry->Type = CmResourceTypeInterrupt;
    entry->Flags = CM_RESOURCE_INTERRUPT_LATCHED;
    entry->u.Interrupt.Level = VECTOR >> 4;
    entry->u.Interrupt.Vector = VECTOR;
    entry->u.Interrupt.Affinity = 1;
    PcNewResourceList(&list, NULL, NonPagedPool, &resources, &resources);
    return list;
}

static PINTERRUPTSYNC new_sync(void)
{
    PRESOURCELIST list = one_interrupt();
    PINTERRUPTSYNC sync = NULL;

    PcNewInterruptSync(&sync, NULL, list, 0, InterruptSyncModeNormal);
    list->lpVtbl->Release(list);
    return sync;
}

static PSERVICEGROUP new_group(void)
{
    PSERVICEGROUP group = NULL;

    PcNewServiceGroup(&group, NULL);
    return group;
}

static PREGISTRYKEY new_key(void)
{
    UNICODE_STRING path = RTL_CONSTANT_STRING(L"\\Registry\\Machine\\Software");
    OBJECT_ATTRIBUTES attributes;
    PREGISTRYKEY key = NULL;

    InitializeObjectAttributes(&attributes, &path, OBJ_KERNEL_HANDLE, NULL, NULL);
    PcNewRegistryKey(&key, NULL, PagedPool, GeneralRegistryKey, KEY_READ, NULL, NULL, &attributes, 0, NULL);
    return key;
}

static PPORTWAVECYCLIC new_port(void)
{
    PPORT port = NULL;

    PcNewPort(&port, &CLSID_PortWaveCyclic);
    return (PPORTWAVECYCLIC)port;
}

static PDMACHANNEL new_channel(void)
{
    DEVICE_DESCRIPTION description = { .Version = DEVICE_DESCRIPTION_VERSION2, .Master = TRUE,
                                       .ScatterGather = TRUE, .Dma32BitAddresses = TRUE,
                                       .InterfaceType = PCIBus, .MaximumLength = PAGE_SIZE };
    PDMACHANNEL channel = NULL;
    struct link link;

    if (NT_SUCCESS(link_open_filter(&link))) {
        PcNewDmaChannel(&channel, NULL, NonPagedPool, &description, link.device);
        link_close(&link);
    }
    return channel;
}

/* A routine that is called at LEVEL, after what has to be there was made. */
#define AT_LEVEL(function, level, make, call)                               \
    static void function(PDRIVER_OBJECT driver)                             \
    {                                                                       \
        (void)driver;                                                       \
        make;                                                               \
        KfRaiseIrql(level);                                                 \
        call;                                                               \
    }
#define AT_DISPATCH(function, make, call) AT_LEVEL(function, DISPATCH_LEVEL, make, call)
#define ABOVE_DISPATCH(function, make, call) AT_LEVEL(function, DISPATCH_LEVEL + 1, make, call)
/* An exported routine of N parameters, all of them 0. */
#define ROUTINE(name, ...) AT_DISPATCH(do_##name, , name(__VA_ARGS__))

ROUTINE(PcInitializeAdapterDriver, NULL, NULL, NULL)
ROUTINE(PcAddAdapterDevice, NULL, NULL, NULL, 0, 0)
ROUTINE(PcRegisterSubdevice, NULL, NULL, NULL)
ROUTINE(PcForwardIrpSynchronous, NULL, NULL)
ROUTINE(PcGetDeviceProperty, NULL, 0, 0, NULL, NULL)
ROUTINE(PcRegisterIoTimeout, NULL, NULL, NULL)
ROUTINE(PcUnregisterIoTimeout, NULL, NULL, NULL)
ROUTINE(PcRegisterAdapterPowerManagement, NULL, NULL)
ROUTINE(PcRequestNewPowerState, NULL, PowerDeviceD0)
ROUTINE(PcNewPort, NULL, NULL)
ROUTINE(PcNewDmaChannel, NULL, NULL, NonPagedPool, NULL, NULL)
ROUTINE(PcNewResourceList, NULL, NULL, NonPagedPool, NULL, NULL)
ROUTINE(PcNewResourceSublist, NULL, NULL, NonPagedPool, NULL, 0)
ROUTINE(PcNewInterruptSync, NULL, NULL, NULL, 0, InterruptSyncModeNormal)
ROUTINE(PcNewServiceGroup, NULL, NULL)
ROUTINE(PcRegisterPhysicalConnection, NULL, NULL, 0, NULL, 0)
ROUTINE(PcRegisterPhysicalConnectionFromExternal, NULL, NULL, 0, NULL, 0)
ROUTINE(PcRegisterPhysicalConnectionToExternal, NULL, NULL, 0, NULL, 0)
ROUTINE(PcUnregisterAdapterPowerManagement, NULL)
ROUTINE(PcNewRegistryKey, NULL, NULL, PagedPool, 0, 0, NULL, NULL, NULL, 0, NULL)
ABOVE_DISPATCH(do_PcCompleteIrp, , PcCompleteIrp(NULL, NULL, STATUS_SUCCESS))
ABOVE_DISPATCH(do_PcCompletePendingPropertyRequest, , PcCompletePendingPropertyRequest(NULL, STATUS_SUCCESS))

AT_DISPATCH(channel_allocate, PDMACHANNEL it = new_channel(), it->lpVtbl->AllocateBuffer(it, 0, NULL))
AT_DISPATCH(channel_free, PDMACHANNEL it = new_channel(), it->lpVtbl->FreeBuffer(it))
AT_DISPATCH(list_add, PRESOURCELIST it = one_interrupt(), it->lpVtbl->AddEntry(it, NULL, NULL))
AT_DISPATCH(list_add_from, PRESOURCELIST it = one_interrupt(), it->lpVtbl->AddEntryFromParent(it, it, 0, 0))
AT_DISPATCH(sync_connect, PINTERRUPTSYNC it = new_sync(), it->lpVtbl->Connect(it))
AT_DISPATCH(sync_disconnect, PINTERRUPTSYNC it = new_sync(), it->lpVtbl->Disconnect(it))
AT_DISPATCH(sync_register, PINTERRUPTSYNC it = new_sync(),
            it->lpVtbl->RegisterServiceRoutine(it, NULL, NULL, FALSE))
AT_DISPATCH(group_support, PSERVICEGROUP it = new_group(), it->lpVtbl->SupportDelayedService(it))
AT_DISPATCH(group_release, PSERVICEGROUP it = new_group(), it->lpVtbl->Release(it))
ABOVE_DISPATCH(group_add, PSERVICEGROUP it = new_group(), it->lpVtbl->AddMember(it, NULL))
ABOVE_DISPATCH(group_remove, PSERVICEGROUP it = new_group(), it->lpVtbl->RemoveMember(it, NULL))
ABOVE_DISPATCH(group_delay, PSERVICEGROUP it = new_group(), it->lpVtbl->RequestDelayedService(it, 0))
ABOVE_DISPATCH(group_cancel, PSERVICEGROUP it = new_group(), it->lpVtbl->CancelDelayedService(it))
AT_DISPATCH(port_init, PPORTWAVECYCLIC it = new_port(), it->lpVtbl->Init(it, NULL, NULL, NULL, NULL, NULL))
AT_DISPATCH(port_property, PPORTWAVECYCLIC it = new_port(),
            it->lpVtbl->GetDeviceProperty(it, 0, 0, NULL, NULL))
AT_DISPATCH(port_key, PPORTWAVECYCLIC it = new_port(),
            it->lpVtbl->NewRegistryKey(it, NULL, NULL, 0, 0, NULL, 0, NULL))
AT_DISPATCH(port_master, PPORTWAVECYCLIC it = new_port(),
            it->lpVtbl->NewMasterDmaChannel(it, NULL, NULL, NULL, 0, FALSE, FALSE, 0, 0))
AT_DISPATCH(port_slave, PPORTWAVECYCLIC it = new_port(),
            it->lpVtbl->NewSlaveDmaChannel(it, NULL, NULL, NULL, 0, 0, FALSE, 0))

#define KEY(function, call) AT_DISPATCH(function, PREGISTRYKEY it = new_key(), call)

KEY(key_query, it->lpVtbl->QueryKey(it, 0, NULL, 0, NULL))
KEY(key_enumerate, it->lpVtbl->EnumerateKey(it, 0, 0, NULL, 0, NULL))
KEY(key_value, it->lpVtbl->QueryValueKey(it, NULL, 0, NULL, 0, NULL))
KEY(key_values, it->lpVtbl->EnumerateValueKey(it, 0, 0, NULL, 0, NULL))
KEY(key_set, it->lpVtbl->SetValueKey(it, NULL, 0, NULL, 0))
KEY(key_table, it->lpVtbl->QueryRegistryValues(it, NULL, NULL))
KEY(key_sub, it->lpVtbl->NewSubKey(it, NULL, NULL, 0, NULL, 0, NULL))
KEY(key_delete, it->lpVtbl->DeleteKey(it))

/* --- References ---------------------------------------------------------------------- */

static void release_twice(PDRIVER_OBJECT driver)
{
    PSERVICEGROUP group = new_group();

    (void)driver;
    group->lpVtbl->Release(group);
    group->lpVtbl->Release(group);
}

static void used_after_release(PDRIVER_OBJECT driver)
{
    PDMACHANNEL channel = new_channel();

    (void)driver;
    channel->lpVtbl->Release(channel);
    channel->lpVtbl->SystemAddress(channel);
}

#define EXPORTED(name) { "irql/" #name, do_##name }

const struct violation portcls_violations[] = {
    EXPORTED(PcInitializeAdapterDriver), EXPORTED(PcAddAdapterDevice), EXPORTED(PcRegisterSubdevice),
    EXPORTED(PcForwardIrpSynchronous), EXPORTED(PcGetDeviceProperty), EXPORTED(PcRegisterIoTimeout),
    EXPORTED(PcUnregisterIoTimeout), EXPORTED(PcRegisterAdapterPowerManagement),
    EXPORTED(PcRequestNewPowerState), EXPORTED(PcNewPort), EXPORTED(PcNewDmaChannel),
    EXPORTED(PcNewResourceList), EXPORTED(PcNewResourceSublist), EXPORTED(PcNewInterruptSync),
    EXPORTED(PcRegisterPhysicalConnection), EXPORTED(PcRegisterPhysicalConnectionFromExternal),
    EXPORTED(PcRegisterPhysicalConnectionToExternal), EXPORTED(PcUnregisterAdapterPowerManagement),
    EXPORTED(PcNewRegistryKey), EXPORTED(PcNewServiceGroup), EXPORTED(PcCompleteIrp), EXPORTED(PcCompletePendingPropertyRequest),
    { "irql/IDmaChannel::AllocateBuffer", channel_allocate },
    { "irql/IDmaChannel::FreeBuffer", channel_free },
    { "irql/IResourceList::AddEntry", list_add },
    { "irql/IResourceList::AddEntryFromParent", list_add_from },
    { "irql/IInterruptSync::Connect", sync_connect },
    { "irql/IInterruptSync::Disconnect", sync_disconnect },
    { "irql/IInterruptSync::RegisterServiceRoutine", sync_register },
    { "irql/IServiceGroup::SupportDelayedService", group_support },
    { "irql/IServiceGroup::Release", group_release },
    { "irql/IServiceGroup::AddMember", group_add },
    { "irql/IServiceGroup::RemoveMember", group_remove },
    { "irql/IServiceGroup::RequestDelayedService", group_delay },
    { "irql/IServiceGroup::CancelDelayedService", group_cancel },
    { "irql/IPort::Init", port_init },
    { "irql/IPort::GetDeviceProperty", port_property },
    { "irql/IPort::NewRegistryKey", port_key },
    { "irql/IPortWaveCyclic::NewMasterDmaChannel", port_master },
    { "irql/IPortWaveCyclic::NewSlaveDmaChannel", port_slave },
    { "irql/IRegistryKey::QueryKey", key_query },
    { "irql/IRegistryKey::EnumerateKey", key_enumerate },
    { "irql/IRegistryKey::QueryValueKey", key_value },
    { "irql/IRegistryKey::EnumerateValueKey", key_values },
    { "irql/IRegistryKey::SetValueKey", key_set },
    { "irql/IRegistryKey::QueryRegistryValues", key_table },
    { "irql/IRegistryKey::NewSubKey", key_sub },
    { "irql/IRegistryKey::DeleteKey", key_delete },
    { "release-twice", release_twice },
    { "used-after-release", used_after_release },
    { NULL, NULL },
};
