/*
 * Bug checks: the end of a run that cannot go on, with a report.
 *
 * SPDX-License-Identifier: MIT
 */
#include "portio.h"
#include "trap.h"
#include "unwind.h"

#define CALLERS_MAX         24

static const struct { ULONG Code; const char *Name; } Names[] = {
    { IRQL_NOT_LESS_OR_EQUAL, "IRQL_NOT_LESS_OR_EQUAL" },
    { DRIVER_IRQL_NOT_LESS_OR_EQUAL, "DRIVER_IRQL_NOT_LESS_OR_EQUAL" },
    { PAGE_FAULT_IN_NONPAGED_AREA, "PAGE_FAULT_IN_NONPAGED_AREA" },
    { UNEXPECTED_KERNEL_MODE_TRAP, "UNEXPECTED_KERNEL_MODE_TRAP" },
    { SYSTEM_THREAD_EXCEPTION_NOT_HANDLED,
      "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED" },
    { NO_MORE_SYSTEM_PTES, "NO_MORE_SYSTEM_PTES" },
    { TARGET_MDL_TOO_SMALL, "TARGET_MDL_TOO_SMALL" },
    { BAD_POOL_HEADER, "BAD_POOL_HEADER" },
    { BAD_POOL_CALLER, "BAD_POOL_CALLER" },
    { DRIVER_VERIFIER_DMA_VIOLATION, "DRIVER_VERIFIER_DMA_VIOLATION" },
    { WORKER_INVALID, "WORKER_INVALID" },
    { DRIVER_VERIFIER_DETECTED_VIOLATION,
      "DRIVER_VERIFIER_DETECTED_VIOLATION" },
    { SPIN_LOCK_ALREADY_OWNED, "SPIN_LOCK_ALREADY_OWNED" },
    { SPIN_LOCK_NOT_OWNED, "SPIN_LOCK_NOT_OWNED" },
    { MEMORY_MANAGEMENT, "MEMORY_MANAGEMENT" },
    { PHASE0_INITIALIZATION_FAILED, "PHASE0_INITIALIZATION_FAILED" },
    { MULTIPLE_IRP_COMPLETE_REQUESTS, "MULTIPLE_IRP_COMPLETE_REQUESTS" },
    { APC_INDEX_MISMATCH, "APC_INDEX_MISMATCH" },
    { REFERENCE_BY_POINTER, "REFERENCE_BY_POINTER" },
    { MANUALLY_INITIATED_CRASH, "MANUALLY_INITIATED_CRASH" },
    { NO_MORE_IRP_STACK_LOCATIONS, "NO_MORE_IRP_STACK_LOCATIONS" },
};

static const char *NameOf(ULONG Code)
{
    for (size_t i = 0; i < RTL_NUMBER_OF(Names); i++) {
        if (Names[i].Code == Code) {
            return Names[i].Name;
        }
    }
    return "see bugcodes.h";
}

static void PrintPlace(const char *Label, ULONG_PTR Address)
{
    const char *name;
    ULONG offset;

    if (LdrpDescribe(Address, &name, &offset)) {
        DbgPrint("    %s %p = %s+0x%x\n", Label, (PVOID)Address, name, offset);
    } else {
        DbgPrint("    %s %p\n", Label, (PVOID)Address);
    }
}

static void PrintHeading(ULONG Code)
{
    static volatile LONG stopping;

    __asm__ volatile("cli" : : : "memory");
    if (InterlockedExchange(&stopping, 1)) {
        KiExit(BOOT_EXIT_BUG_CHECK);
    }
    DbgPrint("\n*** bug check 0x%x %s at IRQL %u\n", Code, NameOf(Code),
             KeGetCurrentIrql());
}

/* The host turns these into functions and lines: scripts/pcmaster/bugcheck.py. */
static void PrintCallers(KI_FRAME *Frame)
{
    const char *name;
    ULONG offset;

    DbgPrint("    called by:\n");
    for (ULONG i = 0; i < CALLERS_MAX && KiUnwind(Frame) &&
                      LdrpDescribe((ULONG_PTR)Frame->Rip, &name, &offset);
         i++) {
        DbgPrint("        %s+0x%x\n", name, offset);
    }
}

static KI_FRAME FrameOf(const KI_TRAP_FRAME *Trap)
{
    return (KI_FRAME){
        .Rip = Trap->Rip,
        .Registers = {
            Trap->Rax, Trap->Rcx, Trap->Rdx, Trap->Rbx, Trap->Rsp, Trap->Rbp,
            Trap->Rsi, Trap->Rdi, Trap->R8, Trap->R9, Trap->R10, Trap->R11,
            Trap->R12, Trap->R13, Trap->R14, Trap->R15,
        },
        .Interrupted = true,
    };
}

void KiBugCheckTrap(ULONG Code, ULONG_PTR Address, const KI_TRAP_FRAME *Frame)
{
    KI_FRAME caller = FrameOf(Frame);

    PrintHeading(Code);
    DbgPrint("    exception %u, error code 0x%llx\n", (ULONG)Frame->Vector,
             Frame->ErrorCode);
    PrintPlace("instruction", (ULONG_PTR)Frame->Rip);
    PrintPlace("address    ", Address);
    DbgPrint("    rax %016llx rbx %016llx rcx %016llx rdx %016llx\n"
             "    rsi %016llx rdi %016llx rbp %016llx rsp %016llx\n"
             "    r8  %016llx r9  %016llx r10 %016llx r11 %016llx\n"
             "    r12 %016llx r13 %016llx r14 %016llx r15 %016llx\n",
             Frame->Rax, Frame->Rbx, Frame->Rcx, Frame->Rdx, Frame->Rsi,
             Frame->Rdi, Frame->Rbp, Frame->Rsp, Frame->R8, Frame->R9,
             Frame->R10, Frame->R11, Frame->R12, Frame->R13, Frame->R14,
             Frame->R15);
    PrintCallers(&caller);
    KiExit(BOOT_EXIT_BUG_CHECK);
}

VOID NTAPI KeBugCheckEx(ULONG Code, ULONG_PTR Parameter1, ULONG_PTR Parameter2,
                        ULONG_PTR Parameter3, ULONG_PTR Parameter4)
{
    KI_FRAME frame;

    PrintHeading(Code);
    DbgPrint("    parameters %p %p %p %p\n", (PVOID)Parameter1,
             (PVOID)Parameter2, (PVOID)Parameter3, (PVOID)Parameter4);
    KiCaptureFrame(&frame);
    PrintCallers(&frame);
    KiExit(BOOT_EXIT_BUG_CHECK);
}

VOID NTAPI KeBugCheck(ULONG Code)
{
    KeBugCheckEx(Code, 0, 0, 0, 0);
}

void KiExit(UCHAR Value)
{
    port_write8(BOOT_EXIT_PORT, Value);
    for (;;) {
        __asm__ volatile("cli; hlt");
    }
}
