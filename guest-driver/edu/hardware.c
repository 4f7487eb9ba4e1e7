/* SPDX-License-Identifier: MIT */
/* edu.sys: resources, registers, interrupts */
#include "edu.h"

/*
 * Where time is simulated the guest's may run far ahead of the device's, which
 * computes in a thread of its own: minutes are short.
 */
#define PATIENCE_SECONDS            600

/* What a device that has gone answers. */
#define GONE                        0xffffffffu

/* The causes must be acknowledged here, or the device goes on interrupting. */
static BOOLEAN NTAPI service(PKINTERRUPT interrupt, PVOID context)
{
    struct edu *edu = context;
    ULONG causes = edu_read(edu, EDU_CAUSES);

    UNREFERENCED_PARAMETER(interrupt);
    if (!causes || causes == GONE) {
        return FALSE;
    }
    edu_write(edu, EDU_ACKNOWLEDGE, causes);
    InterlockedOr(&edu->causes, (LONG)causes);
    KeInsertQueueDpc(&edu->dpc, NULL, NULL);
    return TRUE;
}

static VOID NTAPI deferred(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    struct edu *edu = context;

    UNREFERENCED_PARAMETER(dpc);
    UNREFERENCED_PARAMETER(argument1);
    UNREFERENCED_PARAMETER(argument2);
    InterlockedOr(&edu->seen, InterlockedExchange(&edu->causes, 0));
    KeSetEvent(&edu->interrupted, IO_NO_INCREMENT, FALSE);
}

ULONG hardware_wait(struct edu *edu, ULONG causes)
{
    LARGE_INTEGER timeout = { .QuadPart = -10000000LL * PATIENCE_SECONDS };

    while (!((ULONG)edu->seen & causes)) {
        if (KeWaitForSingleObject(&edu->interrupted, Executive, KernelMode, FALSE, &timeout) !=
            STATUS_SUCCESS) {
            return 0;
        }
    }
    return (ULONG)InterlockedExchange(&edu->seen, 0);
}

void hardware_init(struct edu *edu)
{
    KeInitializeDpc(&edu->dpc, deferred, edu);
    KeInitializeEvent(&edu->interrupted, SynchronizationEvent, FALSE);
}

static const CM_PARTIAL_RESOURCE_DESCRIPTOR *find(const CM_RESOURCE_LIST *list, UCHAR type)
{
    const CM_PARTIAL_RESOURCE_LIST *partial = &list->List[0].PartialResourceList;

    for (ULONG i = 0; list->Count && i < partial->Count; i++) {
        if (partial->PartialDescriptors[i].Type == type) {
            return &partial->PartialDescriptors[i];
        }
    }
    return NULL;
}

static NTSTATUS map(struct edu *edu, const CM_PARTIAL_RESOURCE_DESCRIPTOR *memory)
{
    if (!memory || memory->u.Memory.Length < EDU_REGISTERS_BYTES) {
        DbgPrint("edu: no memory resource of %u bytes\n", EDU_REGISTERS_BYTES);
        return STATUS_DEVICE_CONFIGURATION_ERROR;
    }
    edu->registers = MmMapIoSpace(memory->u.Memory.Start, EDU_REGISTERS_BYTES, MmNonCached);
    return edu->registers ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* A message, or a line where the device's messages are not used. */
static NTSTATUS connect(struct edu *edu, const CM_PARTIAL_RESOURCE_DESCRIPTOR *resource)
{
    IO_CONNECT_INTERRUPT_PARAMETERS parameters = { .Version = CONNECT_FULLY_SPECIFIED };
    PIO_CONNECT_INTERRUPT_FULLY_SPECIFIED_PARAMETERS p = &parameters.FullySpecified;

    if (!resource) {
        DbgPrint("edu: no interrupt resource\n");
        return STATUS_DEVICE_CONFIGURATION_ERROR;
    }
    p->PhysicalDeviceObject = edu->physical;
    p->InterruptObject = &edu->interrupt;
    p->ServiceRoutine = service;
    p->ServiceContext = edu;
    if (resource->Flags & CM_RESOURCE_INTERRUPT_MESSAGE) {
        p->Vector = resource->u.MessageInterrupt.Translated.Vector;
        p->Irql = (KIRQL)resource->u.MessageInterrupt.Translated.Level;
        p->ProcessorEnableMask = resource->u.MessageInterrupt.Translated.Affinity;
    } else {
        p->Vector = resource->u.Interrupt.Vector;
        p->Irql = (KIRQL)resource->u.Interrupt.Level;
        p->ProcessorEnableMask = resource->u.Interrupt.Affinity;
    }
    DbgPrint("edu: interrupts by %s, vector 0x%x\n",
             resource->Flags & CM_RESOURCE_INTERRUPT_MESSAGE ? "message" : "line", p->Vector);
    p->SynchronizeIrql = p->Irql;
    p->InterruptMode = resource->Flags & CM_RESOURCE_INTERRUPT_LATCHED ? Latched : LevelSensitive;
    p->ShareVector = resource->ShareDisposition == CmResourceShareShared;
    return IoConnectInterruptEx(&parameters);
}

static void disconnect(struct edu *edu)
{
    IO_DISCONNECT_INTERRUPT_PARAMETERS parameters = { .Version = CONNECT_FULLY_SPECIFIED };

    if (edu->interrupt) {
        parameters.ConnectionContext.InterruptObject = edu->interrupt;
        IoDisconnectInterruptEx(&parameters);
        edu->interrupt = NULL;
        KeFlushQueuedDpcs();
    }
}

NTSTATUS hardware_start(struct edu *edu, const CM_RESOURCE_LIST *resources)
{
    NTSTATUS status = resources ? map(edu, find(resources, CmResourceTypeMemory))
                                : STATUS_DEVICE_CONFIGURATION_ERROR;

    if (NT_SUCCESS(status)) {
        status = connect(edu, find(resources, CmResourceTypeInterrupt));
    }
    if (NT_SUCCESS(status)) {
        status = transfer_init(edu);
    }
    if (!NT_SUCCESS(status)) {
        hardware_stop(edu);
    }
    return status;
}

void hardware_stop(struct edu *edu)
{
    disconnect(edu);
    if (edu->dma) {
        edu->dma->DmaOperations->PutDmaAdapter(edu->dma);
        edu->dma = NULL;
    }
    if (edu->registers) {
        MmUnmapIoSpace((PVOID)edu->registers, EDU_REGISTERS_BYTES);
        edu->registers = NULL;
    }
}
