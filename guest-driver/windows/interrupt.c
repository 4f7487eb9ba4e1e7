/* SPDX-License-Identifier: MIT */
/* pcmaster.sys: interrupt service routine, DPC, waiting */
#include "pcmaster.h"

#define OWN_CAUSES                  (PCM_INT_VIOLATION | PCM_INT_EXERCISER)
/* Not PCM_S_DRAINED: it is not enabled, and hardware_drain looks for it. */
#define STREAM_CAUSES               (PCM_S_PERIOD | PCM_S_ERROR | PCM_S_LATE | PCM_S_XRUN)

/* Stands for a device that has gone: reads of it return all ones. */
#define GONE                        0xffffffffu

/* A device that raises causes as fast as they are cleared is out of order. */
#define ROUNDS_MAX                  1000

/* Clears the stream's causes, and has its pin served. */
static void service_stream(struct device *device, ULONG number)
{
    ULONG status = PCM_STREAM(number) + PCM_S_STATUS;

    write32(device, status, read32(device, status) & STREAM_CAUSES);
    if (device->groups[number]) {
        device->port->lpVtbl->Notify(device->port, device->groups[number]);
    }
}

/* Those of which CAUSES speaks. */
static void service_streams(struct device *device, ULONG causes)
{
    ULONG n;

    for (n = 0; n < device->playbacks + device->captures; n++) {
        if (causes & PCM_INT_STREAM(n)) {
            service_stream(device, n);
        }
    }
}

/*
 * Acknowledges until no cause is left: a message-signalled interrupt is sent
 * only when the device goes from none to some.
 */
static NTSTATUS NTAPI service(PINTERRUPTSYNC interrupt, PVOID context)
{
    struct device *device = context;
    ULONG streams = STREAM_INTERRUPTS(device);
    ULONG seen = 0, causes, rounds;

    PCM_UNUSED(interrupt);
    for (rounds = 0; rounds < ROUNDS_MAX; rounds++) {
        causes = read32(device, PCM_INT_STATUS);
        if (causes == GONE || !(causes & (OWN_CAUSES | streams))) {
            break;
        }
        service_streams(device, causes);
        write32(device, PCM_INT_STATUS, causes & OWN_CAUSES);
        seen |= causes;
    }
    if (!seen) {
        return STATUS_UNSUCCESSFUL;
    }
    if (rounds == ROUNDS_MAX) {
        InterlockedIncrement(&device->stuck);
    }
    if (seen & OWN_CAUSES) {
        InterlockedOr(&device->causes, (LONG)(seen & OWN_CAUSES));
        KeInsertQueueDpc(&device->dpc, NULL, NULL);
    }
    return STATUS_SUCCESS;
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
}

void interrupt_init(struct device *device)
{
    KeInitializeDpc(&device->dpc, deferred, device);
    KeInitializeEvent(&device->exerciser_done, NotificationEvent, FALSE);
}

NTSTATUS interrupt_connect(struct device *device, PRESOURCELIST resources)
{
    PINTERRUPTSYNC interrupt;
    NTSTATUS status = PcNewInterruptSync(&interrupt, NULL, resources, 0, InterruptSyncModeNormal);

    if (!NT_SUCCESS(status)) {
        DbgPrint("pcmaster: no interrupt resource\n");
        return status;
    }
    device->interrupt = interrupt;
    status = interrupt->lpVtbl->RegisterServiceRoutine(interrupt, service, device, FALSE);
    return NT_SUCCESS(status) ? interrupt->lpVtbl->Connect(interrupt) : status;
}

void interrupt_disconnect(struct device *device)
{
    PINTERRUPTSYNC interrupt = device->interrupt;

    if (!interrupt) {
        return;
    }
    device->interrupt = NULL;
    interrupt->lpVtbl->Disconnect(interrupt);
    interrupt->lpVtbl->Release(interrupt);
    KeFlushQueuedDpcs();
    if (device->stuck) {
        DbgPrint("pcmaster: %d interrupts whose causes the device did not clear\n", (int)device->stuck);
    }
}

struct listener {
    struct device *device;
    ULONG number;
    PSERVICEGROUP group;
};

/* No service routine runs meanwhile. */
static NTSTATUS NTAPI listen(PINTERRUPTSYNC interrupt, PVOID context)
{
    struct listener *listener = context;

    PCM_UNUSED(interrupt);
    listener->device->groups[listener->number] = listener->group;
    return STATUS_SUCCESS;
}

void interrupt_listen(struct device *device, ULONG number, PSERVICEGROUP group)
{
    struct listener listener = { device, number, group };

    if (device->interrupt) {
        device->interrupt->lpVtbl->CallSynchronizedRoutine(device->interrupt, listen, &listener);
    } else {
        listen(NULL, &listener);
    }
}

BOOLEAN interrupt_wait(PKEVENT event, ULONG milliseconds)
{
    LARGE_INTEGER timeout;

    timeout.QuadPart = -10000LL * milliseconds;
    return KeWaitForSingleObject(event, Executive, KernelMode, FALSE, &timeout) == STATUS_SUCCESS;
}
