/* SPDX-License-Identifier: MIT */
/* selftest.sys: IInterruptSync, on a vector that no device has */
#include "selftest.h"

#include "portcls_adapter.h"

#define VECTOR                      0xae
#define VECTOR_IRQL                 ((KIRQL)(VECTOR >> 4))

/* Service routines: each notes its letter and handles as many calls as it is told. */
struct service {
    char letter;
    ULONG handles;
};

static char notes[32];
static ULONG noted;
static KIRQL note_irql;
static PINTERRUPTSYNC called_with;

static void note(char letter)
{
    if (noted < sizeof(notes) - 1) {
        notes[noted++] = letter;
    }
    notes[noted] = 0;
    note_irql = KeGetCurrentIrql();
}

static NTSTATUS NTAPI serve(PINTERRUPTSYNC sync, PVOID context)
{
    struct service *service = context;

    note(service->letter);
    called_with = sync;
    if (!service->handles) {
        return STATUS_UNSUCCESSFUL;
    }
    service->handles--;
    return STATUS_SUCCESS;
}

static bool noted_are(const char *expected)
{
    ULONG length = 0;

    while (expected[length]) {
        length++;
    }
    if (length != noted || RtlCompareMemory(notes, expected, length) != length) {
        DbgPrint("# called %s, not %s\n", notes, expected);
        return false;
    }
    return true;
}

static void raise_vector(void)
{
    noted = 0;
    notes[0] = 0;
    __asm__ volatile("int %0" : : "i"(VECTOR) : "memory");
}

static PRESOURCELIST one_interrupt(void)
{
    CM_RESOURCE_LIST resources = { .Count = 1 };
    CM_PARTIAL_RESOURCE_DESCRIPTOR *entry = resources.List[0].PartialResourceList.PartialDescriptors;
    PRESOURCELIST list = NULL;

    resources.List[0].PartialResourceList.Count = 1;
    entry->Type = CmResourceTypeInterrupt;
    entry->Flags = CM_RESOURCE_INTERRUPT_LATCHED;
    entry->u.Interrupt.Level = VECTOR_IRQL;
    entry->u.Interrupt.Vector = VECTOR;
    entry->u.Interrupt.Affinity = 1;
    EXPECT_STATUS(PcNewResourceList(&list, NULL, NonPagedPool, &resources, &resources), STATUS_SUCCESS);
    return list;
}

static PINTERRUPTSYNC new_sync(INTERRUPTSYNCMODE mode)
{
    PRESOURCELIST list = one_interrupt();
    PINTERRUPTSYNC sync = NULL;

    EXPECT_STATUS(PcNewInterruptSync(&sync, NULL, list, 0, mode), STATUS_SUCCESS);
    EXPECT_EQUAL(list->lpVtbl->Release(list), 0);
    return sync;
}

static void add(PINTERRUPTSYNC sync, struct service *service, BOOLEAN first)
{
    EXPECT_STATUS(sync->lpVtbl->RegisterServiceRoutine(sync, serve, service, first), STATUS_SUCCESS);
}

/* Routines a, b and c; B and C handle as often as told. */
static void check_mode(INTERRUPTSYNCMODE mode, ULONG b_handles, ULONG c_handles, const char *expected)
{
    struct service a = { 'a', 0 }, b = { 'b', b_handles }, c = { 'c', c_handles };
    PINTERRUPTSYNC sync = new_sync(mode);

    add(sync, &b, FALSE);
    EXPECT_STATUS(sync->lpVtbl->Connect(sync), STATUS_SUCCESS);
    add(sync, &c, FALSE);                           /* connected or not, it can be added */
    add(sync, &a, TRUE);
    raise_vector();
    EXPECT(noted_are(expected));
    EXPECT_EQUAL(note_irql, VECTOR_IRQL);
    EXPECT(called_with == sync);
    EXPECT_EQUAL(sync->lpVtbl->Release(sync), 0);   /* disconnects */
    raise_vector();
    EXPECT(noted_are(""));
}

static void modes(void)
{
    check_mode(InterruptSyncModeNormal, 1, 1, "ab");
    check_mode(InterruptSyncModeNormal, 0, 0, "abc");
    check_mode(InterruptSyncModeAll, 1, 1, "abc");
    check_mode(InterruptSyncModeAll, 0, 0, "abc");
    check_mode(InterruptSyncModeRepeat, 0, 0, "abc");
    check_mode(InterruptSyncModeRepeat, 1, 0, "abcabc");
    check_mode(InterruptSyncModeRepeat, 1, 2, "abcabcabc");
}

static NTSTATUS NTAPI synchronized(PINTERRUPTSYNC sync, PVOID context)
{
    called_with = sync;
    *(KIRQL *)context = KeGetCurrentIrql();
    return STATUS_NO_MORE_ENTRIES;
}

static void synchronizes(void)
{
    PINTERRUPTSYNC sync = new_sync(InterruptSyncModeNormal);
    KIRQL seen = 0, irql;

    EXPECT(sync->lpVtbl->GetKInterrupt(sync) == NULL);
    EXPECT_STATUS(sync->lpVtbl->CallSynchronizedRoutine(sync, synchronized, &seen), STATUS_NO_MORE_ENTRIES);
    EXPECT_EQUAL(seen, DISPATCH_LEVEL);
    EXPECT(called_with == sync);
    KeRaiseIrql(VECTOR_IRQL, &irql);
    EXPECT_STATUS(sync->lpVtbl->CallSynchronizedRoutine(sync, synchronized, &seen), STATUS_UNSUCCESSFUL);
    KeLowerIrql(irql);
    EXPECT_STATUS(sync->lpVtbl->Connect(sync), STATUS_SUCCESS);
    EXPECT(sync->lpVtbl->GetKInterrupt(sync) != NULL);
    EXPECT_STATUS(sync->lpVtbl->CallSynchronizedRoutine(sync, synchronized, &seen), STATUS_NO_MORE_ENTRIES);
    EXPECT_EQUAL(seen, VECTOR_IRQL);
    EXPECT_EQUAL(KeGetCurrentIrql(), PASSIVE_LEVEL);
    sync->lpVtbl->Disconnect(sync);
    EXPECT(sync->lpVtbl->GetKInterrupt(sync) == NULL);
    EXPECT_EQUAL(sync->lpVtbl->Release(sync), 0);
}

static void connects(void)
{
    PINTERRUPTSYNC sync = new_sync(InterruptSyncModeNormal), second = new_sync(InterruptSyncModeAll);
    struct service a = { 'a', 9 };

    add(sync, &a, FALSE);
    raise_vector();
    EXPECT(noted_are(""));
    EXPECT_STATUS(sync->lpVtbl->Connect(sync), STATUS_SUCCESS);
    EXPECT_STATUS(sync->lpVtbl->Connect(sync), STATUS_INVALID_DEVICE_STATE);
    EXPECT(!NT_SUCCESS(second->lpVtbl->Connect(second)));
    EXPECT(second->lpVtbl->GetKInterrupt(second) == NULL);
    raise_vector();
    EXPECT(noted_are("a"));
    sync->lpVtbl->Disconnect(sync);
    sync->lpVtbl->Disconnect(sync);
    raise_vector();
    EXPECT(noted_are(""));
    EXPECT_STATUS(sync->lpVtbl->Connect(sync), STATUS_SUCCESS);     /* its routines are still there */
    raise_vector();
    EXPECT(noted_are("a"));
    EXPECT_EQUAL(second->lpVtbl->Release(second), 0);
    EXPECT_EQUAL(sync->lpVtbl->Release(sync), 0);
}

static void refused(void)
{
    PRESOURCELIST list = one_interrupt();
    PINTERRUPTSYNC sync = NULL;

    EXPECT_STATUS(PcNewInterruptSync(NULL, NULL, list, 0, InterruptSyncModeAll), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(PcNewInterruptSync(&sync, NULL, NULL, 0, InterruptSyncModeAll), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(PcNewInterruptSync(&sync, NULL, list, 1, InterruptSyncModeAll), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(PcNewInterruptSync(&sync, NULL, list, 0, (INTERRUPTSYNCMODE)0), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(PcNewInterruptSync(&sync, NULL, list, 0, (INTERRUPTSYNCMODE)4), STATUS_INVALID_PARAMETER);
    EXPECT(sync == NULL);
    list->lpVtbl->Release(list);
    sync = new_sync(InterruptSyncModeAll);
    EXPECT_STATUS(sync->lpVtbl->RegisterServiceRoutine(sync, NULL, NULL, FALSE), STATUS_INVALID_PARAMETER);
    EXPECT_STATUS(sync->lpVtbl->CallSynchronizedRoutine(sync, NULL, NULL), STATUS_INVALID_PARAMETER);
    EXPECT_EQUAL(sync->lpVtbl->Release(sync), 0);
}

const struct check portcls_interrupt_checks[] = {
    { "portcls-interrupt/modes", modes },
    { "portcls-interrupt/synchronizes", synchronizes },
    { "portcls-interrupt/connects", connects },
    { "portcls-interrupt/refused", refused },
    { NULL, NULL },
};
