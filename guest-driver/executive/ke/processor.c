/*
 * The processor: descriptor tables, the PCR that drivers reach through GS, and
 * the dispatch of interrupts and exceptions.
 *
 * SPDX-License-Identifier: MIT
 */
#include "trap.h"

#include "ki.h"

#include "halp.h"

#define SELECTOR_CODE       0x10
#define SELECTOR_TSS        0x20
#define GATE_INTERRUPT      0x8e
#define IST_FATAL           1           /* a stack that is always good */
#define EXCEPTIONS          32
#define EXCEPTION_NMI       2
#define EXCEPTION_DOUBLE    8
#define EXCEPTION_PAGE      14
#define PAGE_ERROR_WRITE    2u
#define RFLAGS_IF           0x200

#define MSR_GS_BASE         0xc0000101u

typedef struct __attribute__((packed)) _KI_DESCRIPTOR {
    USHORT Limit;
    ULONGLONG Base;
} KI_DESCRIPTOR;

typedef struct _KI_GATE {
    USHORT OffsetLow, Selector;
    UCHAR Ist, Type;
    USHORT OffsetMiddle;
    ULONG OffsetHigh, Reserved;
} KI_GATE;

typedef struct _KI_HANDLER {
    KI_INTERRUPT_HANDLER *Routine;
    PVOID Context;
    bool Allocated;
    volatile LONG Active;       /* processors that run it */
} KI_HANDLER;

extern const UCHAR KiVectors[256][16];
void KiLoadSegments(const KI_DESCRIPTOR *Gdt, USHORT Tss);
void KiTrap(KI_TRAP_FRAME *Frame);

static KI_GATE Idt[256];
static KI_PCR BootPcr;
static struct _KTHREAD InitialThread;
static KI_HANDLER Handlers[256];

static void WriteMsr(ULONG Register, ULONGLONG Value)
{
    __asm__ volatile("wrmsr" : : "c"(Register), "a"((ULONG)Value),
                     "d"((ULONG)(Value >> 32)));
}

static void InitializeGates(void)
{
    for (ULONG i = 0; i < 256; i++) {
        ULONGLONG entry = (ULONGLONG)(ULONG_PTR)KiVectors[i];

        Idt[i] = (KI_GATE){
            .OffsetLow = (USHORT)entry,
            .OffsetMiddle = (USHORT)(entry >> 16),
            .OffsetHigh = (ULONG)(entry >> 32),
            .Selector = SELECTOR_CODE,
            .Type = GATE_INTERRUPT,
        };
    }
    Idt[EXCEPTION_NMI].Ist = IST_FATAL;
    Idt[EXCEPTION_DOUBLE].Ist = IST_FATAL;
}

static void InitializeGdt(KI_PCR *Pcr)
{
    ULONGLONG base = (ULONGLONG)(ULONG_PTR)&Pcr->Tss;

    Pcr->Tss.Ist[IST_FATAL - 1] =
        (ULONGLONG)(ULONG_PTR)(Pcr->FatalStack + KI_STACK_FATAL);
    Pcr->Tss.IoMap = sizeof(Pcr->Tss);
    Pcr->Gdt[SELECTOR_CODE / 8] = 0x00af9b000000ffffull;
    Pcr->Gdt[SELECTOR_CODE / 8 + 1] = 0x00cf93000000ffffull;
    Pcr->Gdt[SELECTOR_TSS / 8] = (sizeof(Pcr->Tss) - 1) |
                                 (base & 0xffffff) << 16 | 0x89ull << 40 |
                                 (base >> 24 & 0xff) << 56;
    Pcr->Gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
}

void KiInitializePcr(KI_PCR *Pcr, ULONG Number)
{
    KI_DESCRIPTOR gdt = { sizeof(Pcr->Gdt) - 1,
                          (ULONGLONG)(ULONG_PTR)Pcr->Gdt };
    KI_DESCRIPTOR idt = { sizeof(Idt) - 1, (ULONGLONG)(ULONG_PTR)Idt };

    InitializeGdt(Pcr);
    KiLoadSegments(&gdt, SELECTOR_TSS);
    __asm__ volatile("lidt %0" : : "m"(idt));
    Pcr->Self = Pcr;
    Pcr->Prcb = &Pcr->MxCsr;
    Pcr->Number = (USHORT)Number;
    InitializeListHead(&Pcr->Dpcs);
    WriteMsr(MSR_GS_BASE, (ULONGLONG)(ULONG_PTR)Pcr);
}

void KiInitializeProcessor(void)
{
    InitializeGates();
    KiInitializePcr(&BootPcr, 0);
    KiProcessors[0] = &BootPcr;
    KiProcessorCount = 1;
    KiAdoptThread(&InitialThread);
}

void KiSetVectorHandler(ULONG Vector, KI_INTERRUPT_HANDLER *Handler,
                        PVOID Context)
{
    KI_HANDLER *handler = &Handlers[Vector];
    ULONGLONG flags;

    __asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
    handler->Context = Handler ? Context : handler->Context;
    InterlockedExchangePointer((PVOID volatile *)&handler->Routine,
                               (PVOID)(ULONG_PTR)Handler);
    if (flags & RFLAGS_IF) {
        __asm__ volatile("sti" : : : "memory");
    }
    while (!Handler && handler->Active) {
        YieldProcessor();       /* another processor is in it */
    }
}

ULONG KiAllocateVector(void)
{
    for (ULONG v = KI_DEVICE_VECTOR_FIRST; v <= KI_DEVICE_VECTOR_LAST; v++) {
        if (!Handlers[v].Allocated) {
            Handlers[v].Allocated = true;
            return v;
        }
    }
    return 0;
}

void KiFreeVector(ULONG Vector)
{
    Handlers[Vector].Allocated = false;
}

bool KiIsVectorConnected(ULONG Vector)
{
    return Handlers[Vector].Routine != NULL;
}

static void Exception(const KI_TRAP_FRAME *Frame)
{
    ULONG_PTR address = Frame->Rip;

    if (Frame->Vector == EXCEPTION_PAGE) {
        __asm__ volatile("movq %%cr2, %0" : "=r"(address));
        if (HalpExplainFault(address, !!(Frame->ErrorCode & PAGE_ERROR_WRITE))) {
            KiBugCheckTrap(DRIVER_VERIFIER_DMA_VIOLATION, address, Frame);
        }
        KiBugCheckTrap(KeGetCurrentIrql() >= DISPATCH_LEVEL
                           ? DRIVER_IRQL_NOT_LESS_OR_EQUAL
                           : PAGE_FAULT_IN_NONPAGED_AREA,
                       address, Frame);
    }
    KiBugCheckTrap(Frame->Vector == EXCEPTION_DOUBLE
                       ? UNEXPECTED_KERNEL_MODE_TRAP
                       : SYSTEM_THREAD_EXCEPTION_NOT_HANDLED,
                   address, Frame);
}

/* The end of interrupt comes after the handler, so that equals do not nest. */
static void DeviceInterrupt(ULONG Vector)
{
    KI_HANDLER *handler = &Handlers[Vector];
    KI_INTERRUPT_HANDLER *routine;

    InterlockedIncrement(&handler->Active);
    routine = *(KI_INTERRUPT_HANDLER *volatile *)&handler->Routine;
    if (routine) {
        __asm__ volatile("sti" : : : "memory");
        routine(Vector, handler->Context);
        __asm__ volatile("cli" : : : "memory");
    }
    InterlockedDecrement(&handler->Active);
    HalpEndOfInterrupt();
}

/* The end of interrupt comes first: the same may be wanted again meanwhile. */
static void DpcInterrupt(void)
{
    HalpEndOfInterrupt();
    __asm__ volatile("sti" : : : "memory");
    KiRetireDpcs();
    __asm__ volatile("cli" : : : "memory");
}

/* What was interrupted goes on when its thread's turn comes again. */
static void Preempt(KIRQL Irql)
{
    KI_PCR *pcr = KiPcr();

    if (pcr->Preempt && Irql < DISPATCH_LEVEL) {
        pcr->Preempt = 0;
        __asm__ volatile("sti" : : : "memory");
        KiYield();
        __asm__ volatile("cli" : : : "memory");
    }
}

/* Called by ke/trap.S with interrupts disabled. */
void KiTrap(KI_TRAP_FRAME *Frame)
{
    ULONG vector = (ULONG)Frame->Vector;
    KIRQL irql = KeGetCurrentIrql();

    if (vector < EXCEPTIONS) {
        Exception(Frame);
    }
    if (vector == KI_SPURIOUS_VECTOR) {
        return;
    }
    KiLeaveIdle(KiPcr());
    __writecr8(KI_VECTOR_IRQL(vector));
    if (vector == KI_DPC_VECTOR) {
        DpcInterrupt();
        Preempt(irql);
    } else if (vector == KI_IPI_VECTOR) {
        KiInterprocessorInterrupt();
        HalpEndOfInterrupt();
    } else {
        DeviceInterrupt(vector);
    }
    __writecr8(irql);
}
