/* SPDX-License-Identifier: MIT */
/* selftest.sys: several processors, and threads on them */
#include "selftest.h"

#define PROCESSORS_MAX              64u
#define ROUNDS                      2000u
#define FIRST_VALUE                 0x1111111111111111ull
#define SECOND_VALUE                0x2222222222222222ull

static ULONG count_bits(KAFFINITY mask)
{
    ULONG count = 0;

    for (; mask; mask &= mask - 1) {
        count++;
    }
    return count;
}

static void counted(void)
{
    KAFFINITY active = 0;
    ULONG count = KeQueryActiveProcessorCount(&active);
    PROCESSOR_NUMBER number = { 1, 1, 1 };

    EXPECT(count >= 1);
    EXPECT_EQUAL(count_bits(active), count);
    EXPECT_EQUAL(KeQueryActiveProcessors(), active);
    EXPECT_EQUAL(KeQueryActiveProcessorCount(NULL), count);
    EXPECT(KeQueryMaximumProcessorCount() >= count);
    EXPECT(KeGetCurrentProcessorNumber() < count);
    EXPECT_EQUAL(KeGetCurrentProcessorNumberEx(&number), KeGetCurrentProcessorNumber());
    EXPECT_EQUAL(number.Group, 0);
    EXPECT_EQUAL(number.Number, KeGetCurrentProcessorNumber());
    EXPECT_EQUAL(KeGetCurrentProcessorNumberEx(NULL), KeGetCurrentProcessorNumber());
}

/* A thread goes where it asks to be, and the processor knows it. */
static void affinity(void)
{
    ULONG count = KeQueryActiveProcessorCount(NULL);
    PKTHREAD thread = KeGetCurrentThread();
    KAFFINITY before = 0;

    for (ULONG i = count; i--;) {
        KAFFINITY was = KeSetSystemAffinityThreadEx((KAFFINITY)1 << i);

        EXPECT_EQUAL(was, before);
        EXPECT_EQUAL(KeGetCurrentProcessorNumber(), i);
        EXPECT(KeGetCurrentThread() == thread);
        EXPECT_EQUAL(KeGetCurrentIrql(), PASSIVE_LEVEL);
        before = (KAFFINITY)1 << i;
    }
    KeRevertToUserAffinityThreadEx(0);
    EXPECT_EQUAL(KeSetSystemAffinityThreadEx(1), 0);
    KeRevertToUserAffinityThreadEx(0);
}

/* --- a routine as a thread on each processor ------------------------------------ */

static struct team {
    void (*work)(ULONG number);
    KSPIN_LOCK lock;
    ULONG count;
    volatile LONG arrived;
    volatile LONG stop;
    volatile ULONG sum;
    volatile LONG wrong;
    PVOID thread[PROCESSORS_MAX];
} team;

static VOID NTAPI member(PVOID context)
{
    ULONG number = (ULONG)(ULONG_PTR)context;

    KeSetSystemAffinityThreadEx((KAFFINITY)1 << number);
    if (KeGetCurrentProcessorNumber() != number) {
        InterlockedIncrement(&team.wrong);
    }
    team.work(number);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static PVOID start(PKSTART_ROUTINE routine, PVOID context)
{
    HANDLE handle;
    PVOID thread = NULL;

    EXPECT_STATUS(PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, NULL, NULL, NULL, routine,
                                       context), STATUS_SUCCESS);
    EXPECT_STATUS(ObReferenceObjectByHandle(handle, THREAD_ALL_ACCESS, NULL, KernelMode, &thread,
                                            NULL), STATUS_SUCCESS);
    EXPECT_STATUS(ZwClose(handle), STATUS_SUCCESS);
    EXPECT_STATUS(ZwClose(handle), STATUS_INVALID_HANDLE);
    return thread;
}

static void join(PVOID thread)
{
    LARGE_INTEGER patience = after_ms(60000);

    EXPECT_STATUS(KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, &patience),
                  STATUS_SUCCESS);
    ObDereferenceObject(thread);
}

/* On the processors from `first` up; the caller is on 0. */
static void team_start(void (*work)(ULONG number), ULONG first)
{
    RtlZeroMemory(&team, sizeof(team));
    KeInitializeSpinLock(&team.lock);
    team.work = work;
    team.count = KeQueryActiveProcessorCount(NULL);
    for (ULONG i = first; i < team.count; i++) {
        team.thread[i] = start(member, (PVOID)(ULONG_PTR)i);
    }
}

static void team_join(void)
{
    for (ULONG i = 0; i < team.count; i++) {
        if (team.thread[i]) {
            join(team.thread[i]);
        }
    }
    EXPECT_EQUAL(team.wrong, 0);
}

/* Ends only if all of them run at the same time. */
static void meet(ULONG number)
{
    UNREFERENCED_PARAMETER(number);
    InterlockedIncrement(&team.arrived);
    while (team.arrived < (LONG)team.count) {
        YieldProcessor();
    }
}

static void together(void)
{
    team_start(meet, 0);
    team_join();
    EXPECT_EQUAL(team.arrived, team.count);
}

static void count_up(ULONG number)
{
    KIRQL irql;

    meet(number);
    for (ULONG i = 0; i < ROUNDS; i++) {
        KeAcquireSpinLock(&team.lock, &irql);
        team.sum = team.sum + 1;
        KeReleaseSpinLock(&team.lock, irql);
    }
}

static void contended(void)
{
    team_start(count_up, 0);
    team_join();
    EXPECT_EQUAL(team.sum, team.count * ROUNDS);
}

static VOID NTAPI returns(PVOID context)
{
    *(volatile ULONG *)context = 7;
}

/* A routine that returns ends its thread; the object outlives the handle. */
static void thread_ends(void)
{
    volatile ULONG seen = 0;
    PVOID thread = start(returns, (PVOID)&seen);
    PVOID none;

    join(thread);
    EXPECT_EQUAL(seen, 7);
    EXPECT_STATUS(ObReferenceObjectByHandle((HANDLE)0x1000, 0, NULL, KernelMode, &none, NULL),
                  STATUS_INVALID_HANDLE);
}

static KEVENT ping, pong;

static VOID NTAPI answer(PVOID context)
{
    UNREFERENCED_PARAMETER(context);
    KeSetSystemAffinityThreadEx((KAFFINITY)1 << (KeQueryActiveProcessorCount(NULL) - 1));
    for (ULONG i = 0; i < ROUNDS / 10; i++) {
        KeWaitForSingleObject(&ping, Executive, KernelMode, FALSE, NULL);
        KeSetEvent(&pong, IO_NO_INCREMENT, FALSE);
    }
}

/* Each waits for the other, which is on another processor if there is one. */
static void events_between(void)
{
    PVOID thread;

    KeInitializeEvent(&ping, SynchronizationEvent, FALSE);
    KeInitializeEvent(&pong, SynchronizationEvent, FALSE);
    thread = start(answer, NULL);
    for (ULONG i = 0; i < ROUNDS / 10; i++) {
        KeSetEvent(&ping, IO_NO_INCREMENT, FALSE);
        KeWaitForSingleObject(&pong, Executive, KernelMode, FALSE, NULL);
    }
    join(thread);
    EXPECT_EQUAL(KeReadStateEvent(&ping), 0);
    EXPECT_EQUAL(KeReadStateEvent(&pong), 0);
}

static void sleep_there(ULONG number)
{
    ULONGLONG begin = KeQueryInterruptTime();

    UNREFERENCED_PARAMETER(number);
    sleep_ms(50);
    if (KeQueryInterruptTime() - begin < 50 * MS) {
        InterlockedIncrement(&team.wrong);
    }
    InterlockedIncrement(&team.arrived);
}

/* Only one processor has the clock. */
static void delays_everywhere(void)
{
    team_start(sleep_there, 0);
    team_join();
    EXPECT_EQUAL(team.arrived, team.count);
}

/* --- DPCs, and interrupts of other processors ----------------------------------------- */

static volatile LONG dpc_ran[PROCESSORS_MAX];
static volatile LONG dpc_wrong;

static VOID NTAPI note_processor(PKDPC dpc, PVOID context, PVOID argument1, PVOID argument2)
{
    UNREFERENCED_PARAMETER(dpc);
    UNREFERENCED_PARAMETER(argument1);
    UNREFERENCED_PARAMETER(argument2);
    if (KeGetCurrentProcessorNumber() != (ULONG)(ULONG_PTR)context ||
        KeGetCurrentIrql() != DISPATCH_LEVEL) {
        InterlockedIncrement(&dpc_wrong);
    }
    InterlockedIncrement(&dpc_ran[(ULONG_PTR)context]);
}

static void dpc_targets(void)
{
    static KDPC dpcs[PROCESSORS_MAX];
    ULONG count = KeQueryActiveProcessorCount(NULL);

    dpc_wrong = 0;
    for (ULONG round = 0; round < 20; round++) {
        for (ULONG i = 0; i < count; i++) {
            dpc_ran[i] = 0;
            KeInitializeDpc(&dpcs[i], note_processor, (PVOID)(ULONG_PTR)i);
            KeSetTargetProcessorDpc(&dpcs[i], (CCHAR)i);
            EXPECT(KeInsertQueueDpc(&dpcs[i], NULL, NULL));
        }
        KeFlushQueuedDpcs();
        for (ULONG i = 0; i < count; i++) {
            EXPECT_EQUAL(dpc_ran[i], 1);
        }
    }
    EXPECT_EQUAL(dpc_wrong, 0);
}

static ULONG_PTR NTAPI everywhere(ULONG_PTR context)
{
    ULONG number = KeGetCurrentProcessorNumber();

    if (KeGetCurrentIrql() != IPI_LEVEL) {
        InterlockedIncrement(&team.wrong);
    }
    InterlockedIncrement(&dpc_ran[number]);
    meet(number);
    return context + number;
}

static void generic_call(void)
{
    KIRQL irql;

    team_start(meet, PROCESSORS_MAX);
    for (ULONG i = 0; i < team.count; i++) {
        dpc_ran[i] = 0;
    }
    irql = KfRaiseIrql(DISPATCH_LEVEL);
    EXPECT_EQUAL(KeIpiGenericCall(everywhere, 100), 100 + KeGetCurrentProcessorNumber());
    EXPECT_EQUAL(KeGetCurrentIrql(), DISPATCH_LEVEL);
    KeLowerIrql(irql);
    for (ULONG i = 0; i < team.count; i++) {
        EXPECT_EQUAL(dpc_ran[i], 1);
    }
    EXPECT_EQUAL(team.arrived, team.count);
    EXPECT_EQUAL(team.wrong, 0);
}

/* --- mappings -------------------------------------------------------------------------- */

static volatile ULONGLONG *volatile window;
static volatile ULONGLONG expected;

static ULONG_PTR NTAPI look(ULONG_PTR context)
{
    UNREFERENCED_PARAMETER(context);
    if (*window != expected) {
        InterlockedIncrement(&team.wrong);
    }
    return 0;
}

/* Reads all the time, so that the processor is never idle. */
static void watch(ULONG number)
{
    UNREFERENCED_PARAMETER(number);
    InterlockedIncrement(&team.arrived);
    while (!team.stop) {
        YieldProcessor();
    }
}

static PVOID map_page(PVOID block)
{
    return MmMapIoSpace(MmGetPhysicalAddress(block), PAGE_SIZE, MmCached);
}

/* Maps one page after another at the same address; all must see the second. */
static void remap(PVOID first, PVOID second)
{
    PVOID address = map_page(first);

    window = address;
    expected = FIRST_VALUE;
    KeIpiGenericCall(look, 0);
    MmUnmapIoSpace(address, PAGE_SIZE);
    window = map_page(second);
    EXPECT(window == address);
    expected = SECOND_VALUE;
    KeIpiGenericCall(look, 0);
    MmUnmapIoSpace((PVOID)(ULONG_PTR)window, PAGE_SIZE);
}

static void forgotten(void)
{
    PHYSICAL_ADDRESS anywhere = { .QuadPart = ~0ull >> 1 };
    volatile ULONGLONG *first = MmAllocateContiguousMemory(PAGE_SIZE, anywhere);
    volatile ULONGLONG *second = MmAllocateContiguousMemory(PAGE_SIZE, anywhere);

    EXPECT(first && second);
    if (first && second) {
        *first = FIRST_VALUE;
        *second = SECOND_VALUE;
        team_start(watch, 1);
        while (team.arrived < (LONG)team.count - 1) {
            YieldProcessor();
        }
        remap((PVOID)(ULONG_PTR)first, (PVOID)(ULONG_PTR)second);
        InterlockedExchange(&team.stop, 1);
        team_join();
        /* The others halt now. */
        remap((PVOID)(ULONG_PTR)first, (PVOID)(ULONG_PTR)second);
        EXPECT_EQUAL(team.wrong, 0);
        MmFreeContiguousMemory((PVOID)(ULONG_PTR)first);
        MmFreeContiguousMemory((PVOID)(ULONG_PTR)second);
    }
}

/* --- allocation ----------------------------------------------------------------------------- */

/* Each keeps some blocks and looks whether they are still its own. */
static void take_and_give(ULONG number)
{
    PHYSICAL_ADDRESS anywhere = { .QuadPart = ~0ull >> 1 };
    volatile ULONGLONG *blocks[8] = { NULL };

    meet(number);
    for (ULONG i = 0; i < ROUNDS / 10; i++) {
        ULONG slot = (i * 5 + number) % RTL_NUMBER_OF(blocks);

        if (blocks[slot]) {
            if (*blocks[slot] != number * 1000ull + slot) {
                InterlockedIncrement(&team.wrong);
            }
            if (slot & 1) {
                ExFreePoolWithTag((PVOID)(ULONG_PTR)blocks[slot], SELFTEST_TAG);
            } else {
                MmFreeContiguousMemory((PVOID)(ULONG_PTR)blocks[slot]);
            }
        }
        blocks[slot] = slot & 1 ? ExAllocatePoolWithTag(NonPagedPool, 16 << i % 9, SELFTEST_TAG)
                                : MmAllocateContiguousMemory(PAGE_SIZE << i % 4, anywhere);
        if (!blocks[slot]) {
            InterlockedIncrement(&team.wrong);
            continue;
        }
        *blocks[slot] = number * 1000ull + slot;
    }
    for (ULONG slot = 0; slot < RTL_NUMBER_OF(blocks); slot++) {
        if (blocks[slot] && slot & 1) {
            ExFreePoolWithTag((PVOID)(ULONG_PTR)blocks[slot], SELFTEST_TAG);
        } else if (blocks[slot]) {
            MmFreeContiguousMemory((PVOID)(ULONG_PTR)blocks[slot]);
        }
    }
}

static void allocating(void)
{
    team_start(take_and_give, 0);
    team_join();
}

const struct check processor_checks[] = {
    { "processors/counted", counted },
    { "processors/affinity", affinity },
    { "processors/together", together },
    { "processors/spin-lock", contended },
    { "processors/dpc-targets", dpc_targets },
    { "processors/generic-call", generic_call },
    { "processors/forgotten-mappings", forgotten },
    { "processors/allocating", allocating },
    { "threads/end", thread_ends },
    { "threads/events", events_between },
    { "threads/delays", delays_everywhere },
    { NULL, NULL },
};
