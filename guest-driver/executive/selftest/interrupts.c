/* SPDX-License-Identifier: MIT */
/* selftest.sys: interrupt objects, on a vector that no device has */
#include "selftest.h"

#define VECTOR                      0xaf
#define VECTOR_IRQL                 ((KIRQL)(VECTOR >> 4))

static ULONG delivered, deferred;
static KIRQL service_irql;
static PVOID service_context;

static BOOLEAN NTAPI service(PKINTERRUPT interrupt, PVOID context)
{
    (void)interrupt;
    delivered++;
    service_irql = KeGetCurrentIrql();
    service_context = context;
    return TRUE;
}

static BOOLEAN NTAPI service_and_defer(PKINTERRUPT interrupt, PVOID context)
{
    service(interrupt, context);
    KeInsertQueueDpc(context, NULL, NULL);
    EXPECT_EQUAL(deferred, 0);
    return TRUE;
}

static VOID NTAPI count_deferred(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    (void)dpc;
    (void)context;
    (void)argument1;
    (void)argument2;
    deferred++;
}

static NTSTATUS connect(PKINTERRUPT *interrupt, PKSERVICE_ROUTINE routine, PVOID context,
                        ULONG vector, KIRQL irql, KIRQL synchronize)
{
    return IoConnectInterrupt(interrupt, routine, context, NULL, vector, irql, synchronize,
                              Latched, FALSE, 1, FALSE);
}

static void raise_vector(void)
{
    __asm__ volatile("int %0" : : "i"(VECTOR) : "memory");
}

static void delivery(void)
{
    PKINTERRUPT interrupt = NULL;

    delivered = 0;
    EXPECT_STATUS(connect(&interrupt, service, &delivered, VECTOR, VECTOR_IRQL, VECTOR_IRQL),
                  STATUS_SUCCESS);
    raise_vector();
    EXPECT_EQUAL(delivered, 1);
    EXPECT_EQUAL(service_irql, VECTOR_IRQL);
    EXPECT(service_context == &delivered);
    EXPECT_EQUAL(KeGetCurrentIrql(), PASSIVE_LEVEL);
    IoDisconnectInterrupt(interrupt);
    raise_vector();
    EXPECT_EQUAL(delivered, 1);
}

static void deferring(void)
{
    PKINTERRUPT interrupt = NULL;
    KDPC dpc;

    delivered = deferred = 0;
    KeInitializeDpc(&dpc, count_deferred, NULL);
    EXPECT_STATUS(connect(&interrupt, service_and_defer, &dpc, VECTOR, VECTOR_IRQL,
                          VECTOR_IRQL), STATUS_SUCCESS);
    raise_vector();
    EXPECT_EQUAL(delivered, 1);
    EXPECT_EQUAL(deferred, 1);
    IoDisconnectInterrupt(interrupt);
}

static BOOLEAN NTAPI synchronized(PVOID context)
{
    *(KIRQL *)context = KeGetCurrentIrql();
    return (BOOLEAN)(*(KIRQL *)context == VECTOR_IRQL + 1);
}

static void synchronize(void)
{
    PKINTERRUPT interrupt = NULL;
    KIRQL seen = 0;

    EXPECT_STATUS(connect(&interrupt, service, NULL, VECTOR, VECTOR_IRQL, VECTOR_IRQL + 1),
                  STATUS_SUCCESS);
    EXPECT_EQUAL(KeSynchronizeExecution(interrupt, synchronized, &seen), TRUE);
    EXPECT_EQUAL(seen, VECTOR_IRQL + 1);
    EXPECT_EQUAL(KeGetCurrentIrql(), PASSIVE_LEVEL);
    raise_vector();
    EXPECT_EQUAL(service_irql, VECTOR_IRQL + 1);
    IoDisconnectInterrupt(interrupt);
    EXPECT_STATUS(connect(&interrupt, service, NULL, VECTOR, VECTOR_IRQL, VECTOR_IRQL),
                  STATUS_SUCCESS);
    EXPECT_EQUAL(KeSynchronizeExecution(interrupt, synchronized, &seen), FALSE);
    IoDisconnectInterrupt(interrupt);
}

static void refused(void)
{
    PKINTERRUPT interrupt = NULL, second = NULL;

    EXPECT(!NT_SUCCESS(connect(&second, NULL, NULL, VECTOR, VECTOR_IRQL, VECTOR_IRQL)));
    EXPECT(!NT_SUCCESS(connect(&second, service, NULL, VECTOR, VECTOR_IRQL - 1, VECTOR_IRQL)));
    EXPECT(!NT_SUCCESS(connect(&second, service, NULL, VECTOR, VECTOR_IRQL, VECTOR_IRQL - 1)));
    EXPECT(!NT_SUCCESS(connect(&second, service, NULL, 0xd1, 0xd, 0xd)));
    EXPECT(!NT_SUCCESS(connect(&second, service, NULL, 0x20, 2, 2)));
    delivered = 0;
    EXPECT_STATUS(connect(&interrupt, service, NULL, VECTOR, VECTOR_IRQL, VECTOR_IRQL),
                  STATUS_SUCCESS);
    EXPECT(!NT_SUCCESS(connect(&second, service, NULL, VECTOR, VECTOR_IRQL, VECTOR_IRQL)));
    raise_vector();
    EXPECT_EQUAL(delivered, 1);
    IoDisconnectInterrupt(interrupt);
}

/* Counts in *CONTEXT, and owns up to an odd number. */
static BOOLEAN NTAPI count_and_own(PKINTERRUPT interrupt, PVOID context)
{
    ULONG *count = context;

    (void)interrupt;
    return (BOOLEAN)(++*count & 1);
}

static NTSTATUS share(PKINTERRUPT *interrupt, ULONG *count, KINTERRUPT_MODE mode, BOOLEAN shared)
{
    *count = 0;
    return IoConnectInterrupt(interrupt, count_and_own, count, NULL, VECTOR, VECTOR_IRQL,
                              VECTOR_IRQL, mode, shared, 1, FALSE);
}

static void shared_by(KINTERRUPT_MODE mode, ULONG first_calls)
{
    PKINTERRUPT first = NULL, second = NULL, third = NULL;
    ULONG first_count, second_count, third_count;

    EXPECT_STATUS(share(&first, &first_count, mode, TRUE), STATUS_SUCCESS);
    EXPECT_STATUS(share(&second, &second_count, mode, TRUE), STATUS_SUCCESS);
    EXPECT(!NT_SUCCESS(share(&third, &third_count, mode, FALSE)));
    raise_vector();                     /* the second owns up to it */
    raise_vector();                     /* the second does not */
    EXPECT_EQUAL(second_count, 2);
    EXPECT_EQUAL(first_count, first_calls);
    IoDisconnectInterrupt(second);
    raise_vector();
    EXPECT_EQUAL(second_count, 2);
    EXPECT_EQUAL(first_count, first_calls + 1);
    IoDisconnectInterrupt(first);
    raise_vector();
    EXPECT_EQUAL(first_count, first_calls + 1);
}

static void shared_level(void)
{
    shared_by(LevelSensitive, 1);
}

static void shared_latched(void)
{
    shared_by(Latched, 2);
}

static void connect_ex(void)
{
    IO_DISCONNECT_INTERRUPT_PARAMETERS disconnect = { .Version = CONNECT_FULLY_SPECIFIED };
    IO_CONNECT_INTERRUPT_PARAMETERS parameters = { .Version = CONNECT_FULLY_SPECIFIED };
    PKINTERRUPT interrupt = NULL;

    delivered = 0;
    parameters.FullySpecified.PhysicalDeviceObject = device_pdo();
    parameters.FullySpecified.InterruptObject = &interrupt;
    parameters.FullySpecified.ServiceRoutine = service;
    parameters.FullySpecified.SynchronizeIrql = VECTOR_IRQL;
    parameters.FullySpecified.Vector = VECTOR;
    parameters.FullySpecified.Irql = VECTOR_IRQL;
    parameters.FullySpecified.InterruptMode = Latched;
    parameters.FullySpecified.ProcessorEnableMask = 1;
    EXPECT_STATUS(IoConnectInterruptEx(&parameters), STATUS_SUCCESS);
    raise_vector();
    EXPECT_EQUAL(delivered, 1);
    disconnect.ConnectionContext.InterruptObject = interrupt;
    IoDisconnectInterruptEx(&disconnect);
    raise_vector();
    EXPECT_EQUAL(delivered, 1);
    ObDereferenceObject(parameters.FullySpecified.PhysicalDeviceObject);
    /* The version that is understood comes back. */
    parameters.Version = CONNECT_LINE_BASED;
    EXPECT(!NT_SUCCESS(IoConnectInterruptEx(&parameters)));
    EXPECT_EQUAL(parameters.Version, CONNECT_FULLY_SPECIFIED);
}

const struct check interrupt_checks[] = {
    { "interrupt/delivered", delivery },
    { "interrupt/defers", deferring },
    { "interrupt/synchronize", synchronize },
    { "interrupt/refused", refused },
    { "interrupt/shared-level", shared_level },
    { "interrupt/shared-latched", shared_latched },
    { "interrupt/connect-ex", connect_ex },
    { NULL, NULL },
};
