/*
 * Threads, and which of them runs.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ki.h"

#include "../io/iop.h"

#define THREAD_TAG          'erhT'
#define HANDLES_MAX         64
#define HANDLE_STEP         4
#define FIRST_HANDLE        0x1000      /* above those of files */
#define HOME_AREA           32
#define SAVED_VECTORS       168         /* as KiSwitch has them */
#define SAVED_REGISTERS     8
#define SAVED_RBX           7

void KiSwitch(ULONGLONG *SaveRsp, ULONGLONG NewRsp);
void KiThreadEntry(void);

static LIST_ENTRY Threads = { &Threads, &Threads };
static LIST_ENTRY EndedThreads = { &EndedThreads, &EndedThreads };
static PKTHREAD Handles[HANDLES_MAX];
volatile LONG KiThreadCount;

void KiAdoptThread(PKTHREAD Thread)
{
    KI_PCR *pcr = KiPcr();

    InitializeListHead(&Thread->Header.WaitListHead);
    Thread->State = KiRunning;
    Thread->Home = pcr->Number;
    pcr->Thread = Thread;
    if (Thread != &pcr->IdleThread) {
        KIRQL irql = KiLockDispatcher();

        InsertTailList(&Threads, &Thread->Link);
        KiThreadCount++;
        KiUnlockDispatcher(irql);
    }
}

bool KiIsRunnable(const struct _KTHREAD *Thread)
{
    if (Thread->State == KiWaiting) {
        return Thread->Object->SignalState > 0 ||
               (Thread->Due && KeQueryInterruptTime() >= Thread->Due);
    }
    return Thread->State == KiReady;
}

/* Takes turns: what was found goes to the end of the list. */
static PKTHREAD FindRunnable(ULONG Home)
{
    for (PLIST_ENTRY entry = Threads.Flink; entry != &Threads;
         entry = entry->Flink) {
        PKTHREAD thread = CONTAINING_RECORD(entry, struct _KTHREAD, Link);

        if (thread->Home == Home && KiIsRunnable(thread)) {
            RemoveEntryList(entry);
            InsertTailList(&Threads, entry);
            return thread;
        }
    }
    return NULL;
}

/* On the stack of the thread that has come: the one that went is off its own. */
static void Arrive(void)
{
    KI_PCR *pcr = KiPcr();

    if (pcr->Ended) {
        InsertTailList(&EndedThreads, &pcr->Ended->Link);
        pcr->Ended = NULL;
    }
}

static void SwitchTo(KI_PCR *Pcr, PKTHREAD Next)
{
    PKTHREAD old = Pcr->Thread;

    Next->State = KiRunning;
    if (Next != old) {
        Pcr->Thread = Next;
        KiSwitch(&old->Rsp, Next->Rsp);
        Arrive();
    }
}

void KiSwitchAway(void)
{
    KI_PCR *pcr = KiPcr();
    PKTHREAD next = FindRunnable(pcr->Number);

    SwitchTo(pcr, next ? next : &pcr->IdleThread);
}

void KiWakeRunnable(void)
{
    for (PLIST_ENTRY entry = Threads.Flink; entry != &Threads;
         entry = entry->Flink) {
        PKTHREAD thread = CONTAINING_RECORD(entry, struct _KTHREAD, Link);
        KI_PCR *home = KiProcessors[thread->Home];

        if (home->Idle && home != KiPcr() && KiIsRunnable(thread)) {
            KiWakeProcessor(home);
        }
    }
}

void KiPreemptThreads(void)
{
    for (PLIST_ENTRY entry = Threads.Flink; entry != &Threads;
         entry = entry->Flink) {
        PKTHREAD thread = CONTAINING_RECORD(entry, struct _KTHREAD, Link);
        KI_PCR *home = KiProcessors[thread->Home];

        if (KiIsRunnable(thread)) {
            InterlockedExchange(&home->Preempt, 1);
            if (home != KiPcr()) {
                KiWakeProcessor(home);
            }
        }
    }
}

void KiYield(void)
{
    KIRQL irql = KiLockDispatcher();
    PKTHREAD thread = KiPcr()->Thread;

    if (thread != &KiPcr()->IdleThread) {
        thread->State = KiReady;
        KiSwitchAway();
    }
    KiUnlockDispatcher(irql);
}

/*
 * Interrupts stay off from the look for a thread to the halt: what comes in
 * between ends the halt at once.
 */
void KiIdleLoop(void)
{
    KI_PCR *pcr = KiPcr();

    for (;;) {
        KIRQL irql;
        PKTHREAD next;

        __asm__ volatile("cli" : : : "memory");
        irql = KiLockDispatcher();
        next = FindRunnable(pcr->Number);
        if (next) {
            __asm__ volatile("sti" : : : "memory");
            pcr->IdleThread.State = KiReady;
            SwitchTo(pcr, next);
            KiUnlockDispatcher(irql);
            KiReapThreads();
            continue;
        }
        InterlockedExchange(&pcr->Idle, 1);
        KiUnlockDispatcher(irql);
        __asm__ volatile("sti; hlt; cli" : : : "memory");
        KiLeaveIdle(pcr);
        __asm__ volatile("sti" : : : "memory");
    }
}

static void RunThread(void)
{
    PKTHREAD thread;

    Arrive();
    KiUnlockDispatcher(PASSIVE_LEVEL);
    thread = KiPcr()->Thread;
    thread->Routine(thread->Context);
    PsTerminateSystemThread(STATUS_SUCCESS);
}

static void FreeStack(PKTHREAD Thread)
{
    if (Thread->Stack) {
        MiUnmap(Thread->Stack, KI_STACK_SIZE);
    }
    if (Thread->StackPages) {
        ExFreePoolWithTag(Thread->StackPages, THREAD_TAG);
    }
}

bool KiMakeStack(PKTHREAD Thread)
{
    PVOID pages = ExAllocatePoolWithTag(NonPagedPool, KI_STACK_SIZE,
                                        THREAD_TAG);

    Thread->StackPages = pages;
    if (pages) {
        Thread->Stack = MiMap(
            (ULONGLONG)MmGetPhysicalAddress(pages).QuadPart, KI_STACK_SIZE,
            MI_WRITE, MmCached);
    }
    return Thread->Stack != NULL;
}

static void DeleteThread(PVOID Object)
{
    FreeStack(Object);
    IopFreeObject(Object);
}

/* As KiSwitch would have left it. */
static void PrepareStack(PKTHREAD Thread)
{
    PULONGLONG top = (PULONGLONG)((PUCHAR)Thread->Stack + KI_STACK_SIZE -
                                  HOME_AREA);
    PULONGLONG registers = top - 1 - SAVED_REGISTERS;

    RtlZeroMemory((PUCHAR)registers - SAVED_VECTORS,
                  SAVED_VECTORS + SAVED_REGISTERS * 8 + 8 + HOME_AREA);
    top[-1] = (ULONGLONG)(ULONG_PTR)KiThreadEntry;
    registers[SAVED_RBX] = (ULONGLONG)(ULONG_PTR)RunThread;
    Thread->Rsp = (ULONGLONG)(ULONG_PTR)registers - SAVED_VECTORS;
}

static VOID NTAPI Idle(PVOID Context)
{
    UNREFERENCED_PARAMETER(Context);
    KiIdleLoop();
}

bool KiMakeIdleThread(void)
{
    KI_PCR *pcr = KiPcr();

    if (!KiMakeStack(&pcr->IdleThread)) {
        return false;
    }
    pcr->IdleThread.Home = pcr->Number;
    pcr->IdleThread.State = KiReady;
    pcr->IdleThread.Routine = Idle;
    PrepareStack(&pcr->IdleThread);
    return true;
}

/* One that has nothing to do, if there is one. Locked. */
static ULONG NextHome(void)
{
    static ULONG last;

    for (ULONG i = 1; i <= KiProcessorCount; i++) {
        ULONG number = (last + i) % KiProcessorCount;

        if (KiProcessors[number]->Idle) {
            return last = number;
        }
    }
    return last = (last + 1) % KiProcessorCount;
}

static NTSTATUS OpenHandle(PKTHREAD Thread, PHANDLE Handle)
{
    for (ULONG i = 0; i < HANDLES_MAX; i++) {
        if (!Handles[i]) {
            Handles[i] = Thread;
            *Handle = (HANDLE)(ULONG_PTR)(FIRST_HANDLE + i * HANDLE_STEP);
            return STATUS_SUCCESS;
        }
    }
    return STATUS_INSUFFICIENT_RESOURCES;
}

/* Locked. */
static PKTHREAD *FindHandle(HANDLE Handle)
{
    ULONG_PTR at = (ULONG_PTR)Handle - FIRST_HANDLE;

    return at < HANDLES_MAX * HANDLE_STEP && at % HANDLE_STEP == 0 &&
                   Handles[at / HANDLE_STEP]
               ? &Handles[at / HANDLE_STEP] : NULL;
}

bool KiCloseThreadHandle(HANDLE Handle)
{
    KIRQL irql = KiLockDispatcher();
    PKTHREAD *entry = FindHandle(Handle);
    PKTHREAD thread = entry ? *entry : NULL;

    if (entry) {
        *entry = NULL;
    }
    KiUnlockDispatcher(irql);
    if (thread) {
        ObDereferenceObject(thread);
    }
    return thread != NULL;
}

/* It knows handles of threads and of files on devices. */
NTSTATUS NTAPI ObReferenceObjectByHandle(
    HANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
    KPROCESSOR_MODE AccessMode, PVOID *Object,
    POBJECT_HANDLE_INFORMATION HandleInformation)
{
    KIRQL irql = KiLockDispatcher();
    PKTHREAD *entry = FindHandle(Handle);

    UNREFERENCED_PARAMETER(DesiredAccess);
    UNREFERENCED_PARAMETER(ObjectType);
    UNREFERENCED_PARAMETER(AccessMode);
    UNREFERENCED_PARAMETER(HandleInformation);
    *Object = entry ? *entry : NULL;
    if (entry) {
        ObReferenceObject(*Object);
    }
    KiUnlockDispatcher(irql);
    return entry ? STATUS_SUCCESS : IopReferenceFile(Handle, Object);
}

/* One reference is the handle's, one the thread's own until it was reaped. */
NTSTATUS NTAPI PsCreateSystemThread(
    PHANDLE ThreadHandle, ULONG DesiredAccess,
    POBJECT_ATTRIBUTES ObjectAttributes, HANDLE ProcessHandle,
    PCLIENT_ID ClientId, PKSTART_ROUTINE StartRoutine, PVOID StartContext)
{
    PKTHREAD thread = IopCreateObject(sizeof(*thread), DeleteThread);
    NTSTATUS status;
    KIRQL irql;

    UNREFERENCED_PARAMETER(DesiredAccess);
    UNREFERENCED_PARAMETER(ObjectAttributes);
    UNREFERENCED_PARAMETER(ProcessHandle);
    UNREFERENCED_PARAMETER(ClientId);
    if (!thread || !KiMakeStack(thread)) {
        if (thread) {
            ObDereferenceObject(thread);
        }
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    InitializeListHead(&thread->Header.WaitListHead);
    thread->Routine = StartRoutine;
    thread->Context = StartContext;
    PrepareStack(thread);
    irql = KiLockDispatcher();
    status = OpenHandle(thread, ThreadHandle);
    if (NT_SUCCESS(status)) {
        ObReferenceObject(thread);
        thread->Home = NextHome();
        thread->State = KiReady;
        InsertTailList(&Threads, &thread->Link);
        KiThreadCount++;
        KiWakeRunnable();
    }
    KiUnlockDispatcher(irql);
    if (!NT_SUCCESS(status)) {
        ObDereferenceObject(thread);
    }
    return status;
}

NTSTATUS NTAPI PsTerminateSystemThread(NTSTATUS ExitStatus)
{
    PKTHREAD thread = KiPcr()->Thread;

    if (!thread->Routine) {
        return STATUS_INVALID_PARAMETER;    /* no thread of a driver's */
    }
    KiLockDispatcher();
    thread->Status = ExitStatus;
    thread->State = KiEnded;
    thread->Header.SignalState = 1;
    RemoveEntryList(&thread->Link);
    KiThreadCount--;
    KiPcr()->Ended = thread;
    KiWakeRunnable();
    KiSwitchAway();
    __builtin_unreachable();
}

void KiReapThreads(void)
{
    for (;;) {
        KIRQL irql = KiLockDispatcher();
        PKTHREAD thread = NULL;

        if (!IsListEmpty(&EndedThreads)) {
            thread = CONTAINING_RECORD(RemoveHeadList(&EndedThreads),
                                       struct _KTHREAD, Link);
        }
        KiUnlockDispatcher(irql);
        if (!thread) {
            return;
        }
        ObDereferenceObject(thread);
    }
}

static KAFFINITY ActiveProcessors(void)
{
    return KiProcessorCount == KI_PROCESSORS_MAX
               ? ~(KAFFINITY)0 : ((KAFFINITY)1 << KiProcessorCount) - 1;
}

/* A mask without a processor that is active leaves the thread where it is. */
static KAFFINITY SetAffinity(KAFFINITY Affinity)
{
    PKTHREAD thread = KiPcr()->Thread;
    KIRQL irql = KiLockDispatcher();
    KAFFINITY before = thread->Affinity;
    KAFFINITY possible = Affinity & ActiveProcessors();

    thread->Affinity = Affinity;
    if (possible && !(possible >> thread->Home & 1)) {
        thread->Home = (ULONG)__builtin_ctzll(possible);
        if (irql < DISPATCH_LEVEL) {
            thread->State = KiReady;
            KiWakeRunnable();
            KiSwitchAway();
        }
    }
    KiUnlockDispatcher(irql);
    return before;
}

KAFFINITY NTAPI KeSetSystemAffinityThreadEx(KAFFINITY Affinity)
{
    return SetAffinity(Affinity);
}

VOID NTAPI KeRevertToUserAffinityThreadEx(KAFFINITY Affinity)
{
    SetAffinity(Affinity);
}

ULONG NTAPI KeQueryActiveProcessorCount(PKAFFINITY Active)
{
    if (Active) {
        *Active = ActiveProcessors();
    }
    return KiProcessorCount;
}

KAFFINITY NTAPI KeQueryActiveProcessors(VOID)
{
    return ActiveProcessors();
}

ULONG NTAPI KeQueryMaximumProcessorCount(VOID)
{
    return KI_PROCESSORS_MAX;
}

ULONG NTAPI KeGetCurrentProcessorNumberEx(PPROCESSOR_NUMBER ProcNumber)
{
    ULONG number = KiPcr()->Number;

    if (ProcNumber) {
        *ProcNumber = (PROCESSOR_NUMBER){ .Number = (UCHAR)number };
    }
    return number;
}
