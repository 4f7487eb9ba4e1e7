/* SPDX-License-Identifier: MIT */
/* pcmaster.sys: interrupt service routine, DPC, waiting */
#include "pcmaster.h"

#define OWN_CAUSES                  (PCM_INT_VIOLATION | PCM_INT_EXERCISER)
#define STREAM_CAUSES               (PCM_S_PERIOD | PCM_S_DRAINED | PCM_S_ERROR | PCM_S_LATE)

/* Stands for a device that has gone: reads of it return all ones. */
#define GONE                        0xffffffffu

/* A device that raises causes as fast as they are cleared is out of order. */
#define ROUNDS_MAX                  1000

/*
 * Acknowledges until no cause is left: a message-signalled interrupt is sent
 * only when the device goes from none to some.
 */
static BOOLEAN NTAPI service(PKINTERRUPT interrupt, PVOID context)
{
    struct device *device = context;
    ULONG seen = 0, causes, rounds;

    PCM_UNUSED(interrupt);
    for (rounds = 0; rounds < ROUNDS_MAX; rounds++) {
        causes = read32(device, PCM_INT_STATUS);
        if (causes == GONE || !(causes & (OWN_CAUSES | PCM_INT_STREAM(0)))) {
            break;
        }
        if (causes & PCM_INT_STREAM(0)) {
            ULONG stream = read32(device, PCM_STREAM(0) + PCM_S_STATUS) & STREAM_CAUSES;

            write32(device, PCM_STREAM(0) + PCM_S_STATUS, stream);
            InterlockedOr(&device->stream_causes, (LONG)stream);
            if (stream & PCM_S_PERIOD) {
                InterlockedIncrement(&device->periods);
            }
        }
        write32(device, PCM_INT_STATUS, causes & OWN_CAUSES);
        seen |= causes;
    }
    if (!seen) {
        return FALSE;
    }
    if (rounds == ROUNDS_MAX) {
        InterlockedIncrement(&device->stuck);
    }
    InterlockedOr(&device->causes, (LONG)seen);
    KeInsertQueueDpc(&device->dpc, NULL, NULL);
    return TRUE;
}

static VOID NTAPI deferred(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    struct device *device = context;
    ULONG causes = (ULONG)InterlockedExchange(&device->causes, 0);

    PCM_UNUSED(dpc);
    PCM_UNUSED(argument1);
    PCM_UNUSED(argument2);
    if (causes & PCM_INT_EXERCISER) {
        KeSetEvent(&device->exerciser_done, IO_SOUND_INCREMENT, FALSE);
    }
    if (causes & PCM_INT_STREAM(0)) {
        KeSetEvent(&device->stream_event, IO_SOUND_INCREMENT, FALSE);
    }
}

void interrupt_init(struct device *device)
{
    KeInitializeDpc(&device->dpc, deferred, device);
    KeInitializeEvent(&device->exerciser_done, NotificationEvent, FALSE);
    KeInitializeEvent(&device->stream_event, SynchronizationEvent, FALSE);
}

NTSTATUS interrupt_connect(struct device *device, const CM_PARTIAL_RESOURCE_DESCRIPTOR *descriptor)
{
    IO_CONNECT_INTERRUPT_PARAMETERS connect;

    if (!descriptor) {
        DbgPrint("pcmaster: no interrupt resource\n");
        return STATUS_DEVICE_CONFIGURATION_ERROR;
    }
    RtlZeroMemory(&connect, sizeof(connect));
    connect.Version = CONNECT_FULLY_SPECIFIED;
    connect.FullySpecified.PhysicalDeviceObject = device->physical;
    connect.FullySpecified.InterruptObject = &device->interrupt;
    connect.FullySpecified.ServiceRoutine = service;
    connect.FullySpecified.ServiceContext = device;
    if (descriptor->Flags & CM_RESOURCE_INTERRUPT_MESSAGE) {
        connect.FullySpecified.Vector = descriptor->u.MessageInterrupt.Translated.Vector;
        connect.FullySpecified.Irql = (KIRQL)descriptor->u.MessageInterrupt.Translated.Level;
        connect.FullySpecified.ProcessorEnableMask = descriptor->u.MessageInterrupt.Translated.Affinity;
    } else {
        connect.FullySpecified.Vector = descriptor->u.Interrupt.Vector;
        connect.FullySpecified.Irql = (KIRQL)descriptor->u.Interrupt.Level;
        connect.FullySpecified.ProcessorEnableMask = descriptor->u.Interrupt.Affinity;
    }
    connect.FullySpecified.SynchronizeIrql = connect.FullySpecified.Irql;
    connect.FullySpecified.InterruptMode =
        descriptor->Flags & (CM_RESOURCE_INTERRUPT_MESSAGE | CM_RESOURCE_INTERRUPT_LATCHED) ? Latched
                                                                                           : LevelSensitive;
    connect.FullySpecified.ShareVector = descriptor->ShareDisposition == CmResourceShareShared;
    return IoConnectInterruptEx(&connect);
}

void interrupt_disconnect(struct device *device)
{
    IO_DISCONNECT_INTERRUPT_PARAMETERS disconnect;

    if (!device->interrupt) {
        return;
    }
    RtlZeroMemory(&disconnect, sizeof(disconnect));
    disconnect.Version = CONNECT_FULLY_SPECIFIED;
    disconnect.ConnectionContext.InterruptObject = device->interrupt;
    IoDisconnectInterruptEx(&disconnect);
    device->interrupt = NULL;
    KeFlushQueuedDpcs();
    if (device->stuck) {
        DbgPrint("pcmaster: %d interrupts whose causes the device did not clear\n", (int)device->stuck);
    }
}

BOOLEAN interrupt_wait(PKEVENT event, ULONG milliseconds)
{
    LARGE_INTEGER timeout;

    timeout.QuadPart = -10000LL * milliseconds;
    return KeWaitForSingleObject(event, Executive, KernelMode, FALSE, &timeout) == STATUS_SUCCESS;
}
