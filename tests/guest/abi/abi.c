/* SPDX-License-Identifier: MIT */
/*
 * In the client's place: gives a channel of pcmaster's to code of another
 * compiler, and compares what that sees with what is so
 */
#include <ntddk.h>

#include <stdbool.h>

#include <initguid.h>
#include "portcls_dma.h"

#include "client.h"
#include "filterlink.h"

#define SIZE                        12345u
#define MAXIMUM                     65536u

struct seen {
    LONGLONG physical_address;
    PVOID system_address;
    PVOID adapter;
    ULONG maximum, allocated, size, size_set, transfers;
    NTSTATUS first, second;
    ULONG references, copied;
};

void SeeChannel(IDmaChannel *channel, ULONG size, struct seen *seen);
void LeaveChannel(IDmaChannel *channel);

static IDmaChannel *new_channel(void)
{
    DEVICE_DESCRIPTION description = { .Version = DEVICE_DESCRIPTION_VERSION2, .Master = TRUE,
                                       .ScatterGather = TRUE, .Dma32BitAddresses = TRUE,
                                       .InterfaceType = PCIBus, .MaximumLength = MAXIMUM };
    IDmaChannel *channel = NULL;
    struct link link;

    if (NT_SUCCESS(link_open_filter(&link))) {
        PcNewDmaChannel(&channel, NULL, NonPagedPool, &description, link.device);
        link_close(&link);
    }
    return channel;
}

static bool agrees(IDmaChannel *channel, const struct seen *seen)
{
    PHYSICAL_ADDRESS address;

    channel->lpVtbl->PhysicalAddress(channel, &address);
    return seen->first == STATUS_SUCCESS && seen->second == STATUS_INVALID_DEVICE_STATE &&
           seen->physical_address && seen->physical_address == address.QuadPart &&
           seen->system_address && seen->system_address == channel->lpVtbl->SystemAddress(channel) &&
           seen->adapter && seen->adapter == channel->lpVtbl->GetAdapterObject(channel) &&
           seen->maximum == MAXIMUM && seen->allocated == SIZE && seen->size == SIZE &&
           seen->size_set == SIZE / 2 && !seen->transfers && seen->references == 1 &&
           seen->copied == 0xabcd1234 && *(PULONG)seen->system_address == seen->copied;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path)
{
    IDmaChannel *channel = new_channel();
    struct seen seen = { 0 };
    bool held = false;

    (void)driver;
    (void)registry_path;
    DbgPrint("TAP version 13\n1..1\n");
    if (channel) {
        SeeChannel(channel, SIZE, &seen);
        held = agrees(channel, &seen);
        DbgPrint("# physical address %llx, statuses %x %x, sizes %u %u %u %u, references %u, copied %x\n",
                 seen.physical_address, seen.first, seen.second, seen.maximum, seen.allocated, seen.size,
                 seen.size_set, seen.references, seen.copied);
        LeaveChannel(channel);
    }
    DbgPrint("%s 1 - channel\n", held ? "ok" : "not ok");
    return held ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
}
