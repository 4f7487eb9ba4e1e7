/* SPDX-License-Identifier: MIT */
/* sb16.sys: the card's ports and its interrupt */
#include "sb16.h"

/* Offsets from the first port. */
#define PORT_MIXER_INDEX            0x4u
#define PORT_MIXER_DATA             0x5u
#define   MIXER_INTERRUPTS          0x82u
#define     INTERRUPT_8             0x01u
#define     INTERRUPT_16            0x02u
#define PORT_RESET                  0x6u
#define PORT_READ                   0xau
#define   READY                     0xaau
#define PORT_WRITE                  0xcu        /* read: whether it may be written */
#define   BUSY                      0x80u
#define PORT_STATUS_8               0xeu        /* reading acknowledges an interrupt */
#define   DATA_THERE                0x80u
#define PORT_STATUS_16              0xfu

#define COMMAND_RATE                0x41u
#define COMMAND_PLAY_16             0xb0u
#define COMMAND_PLAY_8              0xc0u
#define   PLAY_AGAIN                0x04u
#define   PLAY_FIFO                 0x02u
#define   FORMAT_SIGNED             0x10u
#define COMMAND_HALT_8              0xd0u
#define COMMAND_HALT_16             0xd5u
#define COMMAND_END_16              0xd9u
#define COMMAND_END_8               0xdau

#define POLLS                       10000u
#define POLL_MICROSECONDS           10u

/* Where time is simulated the guest's may run far ahead of the sound card's. */
#define PATIENCE_SECONDS            600
#define DRAIN_MILLISECONDS          100

static UCHAR in(const struct card *card, ULONG port)
{
    return READ_PORT_UCHAR((PUCHAR)(ULONG_PTR)(card->ports + port));
}

static void out(const struct card *card, ULONG port, ULONG value)
{
    WRITE_PORT_UCHAR((PUCHAR)(ULONG_PTR)(card->ports + port), (UCHAR)value);
}

/* Until the bits of MASK read as WANTED. */
static bool poll(const struct card *card, ULONG port, ULONG mask, ULONG wanted)
{
    for (ULONG i = 0; i < POLLS; i++) {
        if ((in(card, port) & mask) == wanted) {
            return true;
        }
        KeStallExecutionProcessor(POLL_MICROSECONDS);
    }
    return false;
}

static bool command(const struct card *card, ULONG byte)
{
    bool may = poll(card, PORT_WRITE, BUSY, 0);

    if (may) {
        out(card, PORT_WRITE, byte);
    }
    return may;
}

static bool reset(const struct card *card)
{
    out(card, PORT_RESET, 1);
    KeStallExecutionProcessor(POLL_MICROSECONDS);
    out(card, PORT_RESET, 0);
    return poll(card, PORT_STATUS_8, DATA_THERE, DATA_THERE) && in(card, PORT_READ) == READY;
}

bool card_play(struct card *card, ULONG bits, ULONG rate, ULONG block, bool again)
{
    ULONG samples = (bits == 16 ? block / 2 : block) - 1;
    ULONG play = (bits == 16 ? COMMAND_PLAY_16 : COMMAND_PLAY_8) | PLAY_FIFO | (again ? PLAY_AGAIN : 0);

    KeClearEvent(&card->interrupted);
    InterlockedExchange(&card->interrupts, 0);
    return command(card, COMMAND_RATE) && command(card, rate >> 8) && command(card, rate & 0xff) &&
           command(card, play) && command(card, bits == 16 ? FORMAT_SIGNED : 0) &&
           command(card, samples & 0xff) && command(card, samples >> 8);
}

bool card_end(struct card *card, ULONG bits)
{
    return command(card, bits == 16 ? COMMAND_END_16 : COMMAND_END_8);
}

void card_halt(struct card *card)
{
    command(card, COMMAND_HALT_8);
    command(card, COMMAND_HALT_16);
}

bool card_wait(struct card *card, LONG interrupts)
{
    LARGE_INTEGER timeout = { .QuadPart = -10000000LL * PATIENCE_SECONDS };

    while (card->interrupts < interrupts) {
        if (KeWaitForSingleObject(&card->interrupted, Executive, KernelMode, FALSE, &timeout) !=
            STATUS_SUCCESS) {
            DbgPrint("sb16: %d interrupts came, not %d\n", card->interrupts, interrupts);
            return false;
        }
    }
    return true;
}

/* The interrupt says that the card has the samples, not that they were heard. */
void card_drain(void)
{
    LARGE_INTEGER time = { .QuadPart = -10000LL * DRAIN_MILLISECONDS };

    KeDelayExecutionThread(KernelMode, FALSE, &time);
}

/* Nothing else uses the mixer. */
static BOOLEAN NTAPI service(PKINTERRUPT interrupt, PVOID context)
{
    struct card *card = context;
    UCHAR causes;

    UNREFERENCED_PARAMETER(interrupt);
    out(card, PORT_MIXER_INDEX, MIXER_INTERRUPTS);
    causes = in(card, PORT_MIXER_DATA) & (INTERRUPT_8 | INTERRUPT_16);
    if (causes & INTERRUPT_8) {
        in(card, PORT_STATUS_8);
    }
    if (causes & INTERRUPT_16) {
        in(card, PORT_STATUS_16);
    }
    if (causes) {
        InterlockedIncrement(&card->interrupts);
        KeInsertQueueDpc(&card->dpc, NULL, NULL);
    }
    return causes != 0;
}

static VOID NTAPI deferred(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    struct card *card = context;

    UNREFERENCED_PARAMETER(dpc);
    UNREFERENCED_PARAMETER(argument1);
    UNREFERENCED_PARAMETER(argument2);
    KeSetEvent(&card->interrupted, IO_NO_INCREMENT, FALSE);
}

void card_init(struct card *card)
{
    KeInitializeDpc(&card->dpc, deferred, card);
    KeInitializeEvent(&card->interrupted, SynchronizationEvent, FALSE);
}

static const CM_PARTIAL_RESOURCE_DESCRIPTOR *find(const CM_RESOURCE_LIST *list, UCHAR type, ULONG index)
{
    const CM_PARTIAL_RESOURCE_LIST *partial = &list->List[0].PartialResourceList;

    for (ULONG i = 0; list->Count && i < partial->Count; i++) {
        if (partial->PartialDescriptors[i].Type == type && !index--) {
            return &partial->PartialDescriptors[i];
        }
    }
    return NULL;
}

static NTSTATUS connect(struct card *card, const CM_PARTIAL_RESOURCE_DESCRIPTOR *resource)
{
    IO_CONNECT_INTERRUPT_PARAMETERS parameters = { .Version = CONNECT_FULLY_SPECIFIED };
    PIO_CONNECT_INTERRUPT_FULLY_SPECIFIED_PARAMETERS p = &parameters.FullySpecified;

    p->PhysicalDeviceObject = card->physical;
    p->InterruptObject = &card->interrupt;
    p->ServiceRoutine = service;
    p->ServiceContext = card;
    p->Vector = resource->u.Interrupt.Vector;
    p->Irql = (KIRQL)resource->u.Interrupt.Level;
    p->ProcessorEnableMask = resource->u.Interrupt.Affinity;
    p->SynchronizeIrql = p->Irql;
    p->InterruptMode = resource->Flags & CM_RESOURCE_INTERRUPT_LATCHED ? Latched : LevelSensitive;
    p->ShareVector = resource->ShareDisposition == CmResourceShareShared;
    return IoConnectInterruptEx(&parameters);
}

NTSTATUS card_start(struct card *card, const CM_RESOURCE_LIST *resources)
{
    const CM_PARTIAL_RESOURCE_DESCRIPTOR *ports, *line, *bytes, *words;
    NTSTATUS status;

    ports = resources ? find(resources, CmResourceTypePort, 0) : NULL;
    line = resources ? find(resources, CmResourceTypeInterrupt, 0) : NULL;
    bytes = resources ? find(resources, CmResourceTypeDma, 0) : NULL;
    words = resources ? find(resources, CmResourceTypeDma, 1) : NULL;
    if (!ports || !line || !bytes || !words) {
        DbgPrint("sb16: ports, a line or two DMA channels are missing\n");
        return STATUS_DEVICE_CONFIGURATION_ERROR;
    }
    card->ports = ports->u.Port.Start.LowPart;
    card->channel[0] = bytes->u.Dma.Channel;
    card->channel[1] = words->u.Dma.Channel;
    status = reset(card) ? connect(card, line) : STATUS_IO_DEVICE_ERROR;
    if (!NT_SUCCESS(status)) {
        card->ports = 0;
    }
    return status;
}

void card_stop(struct card *card)
{
    IO_DISCONNECT_INTERRUPT_PARAMETERS parameters = { .Version = CONNECT_FULLY_SPECIFIED };

    if (card->ports) {
        card_halt(card);
        parameters.ConnectionContext.InterruptObject = card->interrupt;
        IoDisconnectInterruptEx(&parameters);
        KeFlushQueuedDpcs();
        card->ports = 0;
    }
}
