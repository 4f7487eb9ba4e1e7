/*
 * Several processors: starting them, and interrupting them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "ki.h"

#include "halp.h"

#define SETTLE_MICROSECONDS     100
#define START_MICROSECONDS      100000
#define POLL_MICROSECONDS       10
#define EFER                    0xc0000080u
#define EFER_LME_NXE            0x900u
#define TRAMPOLINE_LIMIT        0x100000ull
#define CODE_SELECTOR           0x10
#define HOME_AREA               32
#ifndef SYNCH_LEVEL
#define SYNCH_LEVEL             12
#endif

/* The data of ke/trampoline.S. */
typedef struct __attribute__((packed)) _KI_TRAMPOLINE {
    ULONGLONG Gdt[4];
    USHORT GdtLimit;
    ULONG GdtBase;
    USHORT Unused;
    ULONG FarOffset;
    USHORT FarSelector, Unused2;
    ULONG Cr0, Cr3, Cr4, Efer;
    ULONGLONG Stack, Argument, Entry;
} KI_TRAMPOLINE;

extern const UCHAR KiTrampoline[], KiTrampolineData[], KiTrampolineEnd[];

KI_PCR *KiProcessors[KI_PROCESSORS_MAX];
volatile ULONG KiProcessorCount;

/*
 * Changes of mappings that other processors must forget; a processor has
 * forgotten all up to its TlbSeen.
 */
static volatile LONG64 TlbGeneration;

/* A routine for all processors; see KeIpiGenericCall. */
static KSPIN_LOCK BroadcastLock;
static PKIPI_BROADCAST_WORKER BroadcastRoutine;
static ULONG_PTR BroadcastContext;
static volatile LONG Arrived, Released, Finished;
static volatile LONG64 BroadcastTo;         /* bit of each that has not come */

/* --- mappings ---------------------------------------------------------------- */

static void FlushTlb(KI_PCR *Pcr)
{
    LONG64 generation = TlbGeneration;

    if (Pcr->TlbSeen != generation) {
        __writecr3(__readcr3());
        InterlockedExchange64(&Pcr->TlbSeen, generation);
    }
}

/*
 * A processor that halts is not disturbed: it forgets before it does anything
 * else. Either it sees the new generation then, or we see that it is not idle.
 */
void KiFlushOtherTlbs(void)
{
    KI_PCR *self = KiPcr();
    LONG64 generation;

    if (KiProcessorCount == 1) {
        return;
    }
    generation = InterlockedIncrement64(&TlbGeneration);
    for (ULONG i = 0; i < KiProcessorCount; i++) {
        KI_PCR *pcr = KiProcessors[i];

        if (pcr != self && !pcr->Idle && pcr->TlbSeen < generation) {
            HalpSendInterrupt(pcr->ApicId, KI_IPI_VECTOR);
        }
    }
    for (ULONG i = 0; i < KiProcessorCount; i++) {
        KI_PCR *pcr = KiProcessors[i];

        while (pcr != self && !pcr->Idle && pcr->TlbSeen < generation) {
            YieldProcessor();
        }
    }
}

void KiLeaveIdle(KI_PCR *Pcr)
{
    if (Pcr->Idle) {
        InterlockedExchange(&Pcr->Idle, 0);
        FlushTlb(Pcr);
    }
}

void KiWakeProcessor(KI_PCR *Pcr)
{
    HalpSendInterrupt(Pcr->ApicId, KI_DPC_VECTOR);
}

/* --- a routine on every processor ------------------------------------------------ */

static void AnswerBroadcast(KI_PCR *Pcr)
{
    LONG64 bit = (LONG64)1 << Pcr->Number;

    if (!(BroadcastTo & bit)) {
        return;
    }
    InterlockedAnd64(&BroadcastTo, ~bit);
    InterlockedIncrement(&Arrived);
    while (!Released) {
        YieldProcessor();
    }
    BroadcastRoutine(BroadcastContext);
    InterlockedIncrement(&Finished);
}

void KiInterprocessorInterrupt(void)
{
    KI_PCR *pcr = KiPcr();

    FlushTlb(pcr);
    AnswerBroadcast(pcr);
}

/* All begin the routine at the same time, at IPI_LEVEL. */
ULONG_PTR NTAPI KeIpiGenericCall(PKIPI_BROADCAST_WORKER BroadcastFunction,
                                 ULONG_PTR Context)
{
    KIRQL irql = KeGetCurrentIrql();
    KIRQL level = irql < SYNCH_LEVEL ? SYNCH_LEVEL : irql;
    LONG others = (LONG)KiProcessorCount - 1;
    ULONG_PTR result;

    KfRaiseIrql(level);
    KeAcquireSpinLockAtDpcLevel(&BroadcastLock);
    BroadcastRoutine = BroadcastFunction;
    BroadcastContext = Context;
    Arrived = Released = Finished = 0;
    InterlockedExchange64(&BroadcastTo, ~((LONG64)1 << KiPcr()->Number));
    for (ULONG i = 0; i < KiProcessorCount; i++) {
        if (KiProcessors[i] != KiPcr()) {
            HalpSendInterrupt(KiProcessors[i]->ApicId, KI_IPI_VECTOR);
        }
    }
    while (Arrived != others) {
        YieldProcessor();
    }
    KfRaiseIrql(IPI_LEVEL);
    InterlockedExchange(&Released, 1);
    result = BroadcastFunction(Context);
    KeLowerIrql(level);
    while (Finished != others) {
        YieldProcessor();
    }
    KeReleaseSpinLockFromDpcLevel(&BroadcastLock);
    KeLowerIrql(irql);
    return result;
}

/* --- start -------------------------------------------------------------------- */

static void __attribute__((noreturn)) Begin(KI_PCR *Pcr)
{
    __writecr8(HIGH_LEVEL);
    KiInitializePcr(Pcr, Pcr->Number);
    HalpEnableApic();
    MiSetCacheTypes();
    Pcr->IdleThread.Home = Pcr->Number;
    KiAdoptThread(&Pcr->IdleThread);
    __writecr8(PASSIVE_LEVEL);
    InterlockedExchange(&Pcr->Started, 1);
    KiIdleLoop();
}

static KI_PCR *NewProcessor(ULONG Number, ULONG ApicId)
{
    KI_PCR *pcr = ExAllocatePoolWithTag(NonPagedPool, sizeof(*pcr), 'rcPK');

    if (!pcr) {
        return NULL;
    }
    RtlZeroMemory(pcr, sizeof(*pcr));
    pcr->Number = (USHORT)Number;
    pcr->ApicId = ApicId;
    pcr->TlbSeen = TlbGeneration;
    if (!KiMakeStack(&pcr->IdleThread)) {
        ExFreePoolWithTag(pcr, 'rcPK');
        return NULL;
    }
    return pcr;
}

static KI_TRAMPOLINE *PrepareTrampoline(ULONG Page, KI_PCR *Pcr)
{
    SIZE_T code = (SIZE_T)(KiTrampolineData - KiTrampoline);
    KI_TRAMPOLINE *data = MiDirect(Page + code);

    RtlCopyMemory(MiDirect(Page), KiTrampoline,
                  (SIZE_T)(KiTrampolineEnd - KiTrampoline));
    data->GdtBase = Page + (ULONG)code;
    data->FarOffset += Page;
    data->Cr0 = (ULONG)__readcr0();
    data->Cr3 = (ULONG)__readcr3();
    data->Cr4 = (ULONG)__readcr4();
    data->Efer = (ULONG)__readmsr(EFER) & EFER_LME_NXE;
    data->Stack = (ULONGLONG)(ULONG_PTR)Pcr->IdleThread.Stack +
                  KI_STACK_SIZE - HOME_AREA;
    data->Argument = (ULONGLONG)(ULONG_PTR)Pcr;
    data->Entry = (ULONGLONG)(ULONG_PTR)Begin;
    return data;
}

static bool HasStarted(const KI_PCR *Pcr)
{
    for (ULONG i = 0; i < START_MICROSECONDS; i += POLL_MICROSECONDS) {
        if (Pcr->Started) {
            return true;
        }
        KeStallExecutionProcessor(POLL_MICROSECONDS);
    }
    return false;
}

/* INIT, then up to two start-up messages, as the multiprocessor specification
   has it. */
static void Start(ULONG Page, ULONG ApicId)
{
    KI_PCR *pcr = NewProcessor(KiProcessorCount, ApicId);

    if (!pcr) {
        DbgPrint("ke: no memory for processor %u\n", KiProcessorCount);
        return;
    }
    PrepareTrampoline(Page, pcr);
    KiProcessors[KiProcessorCount] = pcr;
    HalpResetProcessor(ApicId);
    KeStallExecutionProcessor(SETTLE_MICROSECONDS);
    HalpStartProcessor(ApicId, Page);
    if (!HasStarted(pcr)) {
        HalpStartProcessor(ApicId, Page);
        if (!HasStarted(pcr)) {
            /* It may come yet: what it would need stays. */
            DbgPrint("ke: the processor with APIC ID %u does not start\n",
                     ApicId);
            return;
        }
    }
    KiProcessorCount++;
}

void KiStartProcessors(void)
{
    ULONG apic_id, self = HalpApicId();
    ULONGLONG page = MiTakeLowPage(TRAMPOLINE_LIMIT);

    KiPcr()->ApicId = self;
    if (!page) {
        DbgPrint("ke: no page below 1 MiB to start processors from\n");
        return;
    }
    MiMapIdentity(true);
    for (ULONG i = 0; MiProcessor(i, &apic_id); i++) {
        if (apic_id != self && KiProcessorCount < KI_PROCESSORS_MAX) {
            Start((ULONG)page, apic_id);
        }
    }
    MiMapIdentity(false);
    MiGiveLowPage(page);
}
