/*
 * The processor: descriptor tables, the PCR that drivers reach through GS, and
 * the dispatch of interrupts and exceptions.
 *
 * SPDX-License-Identifier: MIT
 */
#include "trap.h"

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
#define STACK_FATAL         8192
#define RFLAGS_IF           0x200

/* Where <ntddk.h>'s inline functions look (ddi-level ABI of x64 Windows). */
#define PCR_SELF            0x18
#define PCR_PRCB            0x20
#define PCR_CURRENT_PRCB    0x180
#define PCR_CURRENT_THREAD  0x188
#define PCR_SIZE            0x1000

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

typedef struct __attribute__((packed)) _KI_TSS {
    ULONG Reserved0;
    ULONGLONG Rsp[3];
    ULONGLONG Reserved1;
    ULONGLONG Ist[7];
    ULONGLONG Reserved2;
    USHORT Reserved3, IoMap;
} KI_TSS;

typedef struct _KI_HANDLER {
    KI_INTERRUPT_HANDLER *Routine;
    PVOID Context;
    bool Allocated;
} KI_HANDLER;

struct _KTHREAD {
    DISPATCHER_HEADER Header;
};

extern const UCHAR KiVectors[256][16];
void KiLoadSegments(const KI_DESCRIPTOR *Gdt, USHORT Tss);
void KiTrap(KI_TRAP_FRAME *Frame);

static ULONGLONG Gdt[6] = {
    [SELECTOR_CODE / 8] = 0x00af9b000000ffffull,
    [SELECTOR_CODE / 8 + 1] = 0x00cf93000000ffffull,
};
static KI_GATE Idt[256];
static KI_TSS Tss;
static UCHAR FatalStack[STACK_FATAL] __attribute__((aligned(16)));
static UCHAR Pcr[PCR_SIZE] __attribute__((aligned(64)));
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

static void InitializeTss(void)
{
    ULONGLONG base = (ULONGLONG)(ULONG_PTR)&Tss;

    Tss.Ist[IST_FATAL - 1] = (ULONGLONG)(ULONG_PTR)(FatalStack + STACK_FATAL);
    Tss.IoMap = sizeof(Tss);
    Gdt[SELECTOR_TSS / 8] = (sizeof(Tss) - 1) | (base & 0xffffff) << 16 |
                            0x89ull << 40 | (base >> 24 & 0xff) << 56;
    Gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
}

static void InitializePcr(void)
{
    *(PVOID *)(Pcr + PCR_SELF) = Pcr;
    *(PVOID *)(Pcr + PCR_PRCB) = Pcr + PCR_CURRENT_PRCB;
    *(PVOID *)(Pcr + PCR_CURRENT_THREAD) = &InitialThread;
    WriteMsr(MSR_GS_BASE, (ULONGLONG)(ULONG_PTR)Pcr);
}

void KiInitializeProcessor(void)
{
    KI_DESCRIPTOR gdt = { sizeof(Gdt) - 1, (ULONGLONG)(ULONG_PTR)Gdt };
    KI_DESCRIPTOR idt = { sizeof(Idt) - 1, (ULONGLONG)(ULONG_PTR)Idt };

    InitializeGates();
    InitializeTss();
    KiLoadSegments(&gdt, SELECTOR_TSS);
    __asm__ volatile("lidt %0" : : "m"(idt));
    InitializePcr();
}

void KiSetVectorHandler(ULONG Vector, KI_INTERRUPT_HANDLER *Handler,
                        PVOID Context)
{
    ULONGLONG flags;

    __asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
    Handlers[Vector].Routine = Handler;
    Handlers[Vector].Context = Context;
    if (flags & RFLAGS_IF) {
        __asm__ volatile("sti" : : : "memory");
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
    const KI_HANDLER *handler = &Handlers[Vector];

    if (handler->Routine) {
        __asm__ volatile("sti" : : : "memory");
        handler->Routine(Vector, handler->Context);
        __asm__ volatile("cli" : : : "memory");
    }
    HalpEndOfInterrupt();
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
    __writecr8(KI_VECTOR_IRQL(vector));
    if (vector == KI_DPC_VECTOR) {
        HalpEndOfInterrupt();
        __asm__ volatile("sti" : : : "memory");
        KiRetireDpcs();
        __asm__ volatile("cli" : : : "memory");
    } else {
        DeviceInterrupt(vector);
    }
    __writecr8(irql);
}
