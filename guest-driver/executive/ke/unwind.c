/*
 * Call stacks, exactly, from the unwind data that every x64 image carries:
 * "x64 exception handling" of Microsoft's documents describes it.
 *
 * Epilogues are not told apart: what is unwound is a return address, or an
 * instruction that has faulted in a function's body.
 *
 * SPDX-License-Identifier: MIT
 */
#include "unwind.h"

#define FLAG_CHAINED        4u
#define REGISTER_RSP        4u
#define FRAME_UNIT          16u
#define CHAIN_MAX           8u

enum {
    PUSH_NONVOLATILE, ALLOCATE_LARGE, ALLOCATE_SMALL, SET_FRAME_REGISTER,
    SAVE_NONVOLATILE, SAVE_NONVOLATILE_FAR, SAVE_XMM = 8, SAVE_XMM_FAR,
    PUSH_MACHINE_FRAME,
};

typedef struct _UNWIND_INFO {
    UCHAR VersionAndFlags;
    UCHAR PrologueSize;
    UCHAR CodeCount;
    UCHAR FrameRegister;        /* low half: number, high half: offset / 16 */
    USHORT Codes[];             /* offset, then operation and its operand */
} UNWIND_INFO;

static bool Read(ULONGLONG Address, ULONGLONG *Value)
{
    if (Address & 7 || !MmIsAddressValid((PVOID)(ULONG_PTR)Address)) {
        return false;
    }
    *Value = *(const ULONGLONG *)(ULONG_PTR)Address;
    return true;
}

/* The codes that the one at Index takes, itself included. */
static ULONG CodesOf(USHORT Code)
{
    ULONG operation = Code >> 8 & 15, operand = Code >> 12;

    switch (operation) {
    case ALLOCATE_LARGE:
        return operand ? 3 : 2;
    case SAVE_NONVOLATILE:
    case SAVE_XMM:
        return 2;
    case SAVE_NONVOLATILE_FAR:
    case SAVE_XMM_FAR:
        return 3;
    default:
        return 1;
    }
}

static ULONG Far(const USHORT *Code)
{
    return Code[1] | (ULONG)Code[2] << 16;
}

/* Undoes one code; Base: what saved registers are found from. */
static bool Undo(KI_FRAME *Frame, const UNWIND_INFO *Info, const USHORT *Code,
                 ULONGLONG Base)
{
    ULONG operand = *Code >> 12;
    ULONGLONG *registers = Frame->Registers;

    switch (*Code >> 8 & 15) {
    case PUSH_NONVOLATILE:
        if (!Read(registers[REGISTER_RSP], &registers[operand])) {
            return false;
        }
        registers[REGISTER_RSP] += sizeof(ULONGLONG);
        return true;
    case ALLOCATE_LARGE:
        registers[REGISTER_RSP] += operand ? Far(Code) : Code[1] * 8u;
        return true;
    case ALLOCATE_SMALL:
        registers[REGISTER_RSP] += operand * 8 + 8;
        return true;
    case SET_FRAME_REGISTER:
        registers[REGISTER_RSP] = registers[Info->FrameRegister & 15] -
                                  (Info->FrameRegister >> 4) * FRAME_UNIT;
        return true;
    case SAVE_NONVOLATILE:
        return Read(Base + Code[1] * 8u, &registers[operand]);
    case SAVE_NONVOLATILE_FAR:
        return Read(Base + Far(Code), &registers[operand]);
    case SAVE_XMM:
    case SAVE_XMM_FAR:
        return true;
    default:
        return false;
    }
}

/* Undoes what has been run of the prologue when the code is at Offset. */
static bool UndoPrologue(KI_FRAME *Frame, const UNWIND_INFO *Info, ULONG Offset)
{
    ULONGLONG base = Frame->Registers[REGISTER_RSP];

    if (Info->FrameRegister & 15) {
        base = Frame->Registers[Info->FrameRegister & 15] -
               (Info->FrameRegister >> 4) * FRAME_UNIT;
    }
    for (ULONG i = 0; i < Info->CodeCount; i += CodesOf(Info->Codes[i])) {
        if ((Info->Codes[i] & 0xff) <= Offset &&
            !Undo(Frame, Info, &Info->Codes[i], base)) {
            return false;
        }
    }
    return true;
}

static bool UndoFunction(KI_FRAME *Frame, ULONG_PTR Image,
                         const LDRP_FUNCTION *Function, ULONG Offset)
{
    for (ULONG chained = 0; chained < CHAIN_MAX; chained++) {
        const UNWIND_INFO *info =
            (const UNWIND_INFO *)(Image + Function->UnwindInfo);

        if (!MmIsAddressValid((PVOID)(ULONG_PTR)info)) {
            return false;
        }
        if (!UndoPrologue(Frame, info, Offset)) {
            return false;
        }
        if (!(info->VersionAndFlags >> 3 & FLAG_CHAINED)) {
            return true;
        }
        Function = (const LDRP_FUNCTION *)
            &info->Codes[(info->CodeCount + 1u) & ~1u];
        Offset = MAXULONG;      /* all of the first part's prologue has run */
    }
    return false;
}

bool KiUnwind(KI_FRAME *Frame)
{
    /* The instruction before a return address belongs to the caller, surely. */
    ULONG_PTR at = (ULONG_PTR)Frame->Rip - (Frame->Interrupted ? 0 : 1);
    const LDRP_FUNCTION *function;
    ULONG_PTR image;

    if (!LdrpFindFunction(at, &image, &function)) {
        return false;
    }
    if (function && !UndoFunction(Frame, image, function,
                                  (ULONG)(at - image) - function->Begin)) {
        return false;
    }
    Frame->Interrupted = false;
    if (!Read(Frame->Registers[REGISTER_RSP], &Frame->Rip)) {
        return false;
    }
    Frame->Registers[REGISTER_RSP] += sizeof(ULONGLONG);
    return true;
}

void KiCaptureFrame(KI_FRAME *Frame)
{
    RtlZeroMemory(Frame, sizeof(*Frame));
    __asm__ volatile("leaq 0f(%%rip), %%rax\n\t"
                     "movq %%rax, %c[rip](%[frame])\n\t"
                     "movq %%rbx, %c[regs]+3*8(%[frame])\n\t"
                     "movq %%rsp, %c[regs]+4*8(%[frame])\n\t"
                     "movq %%rbp, %c[regs]+5*8(%[frame])\n\t"
                     "movq %%rsi, %c[regs]+6*8(%[frame])\n\t"
                     "movq %%rdi, %c[regs]+7*8(%[frame])\n\t"
                     "movq %%r12, %c[regs]+12*8(%[frame])\n\t"
                     "movq %%r13, %c[regs]+13*8(%[frame])\n\t"
                     "movq %%r14, %c[regs]+14*8(%[frame])\n\t"
                     "movq %%r15, %c[regs]+15*8(%[frame])\n"
                     "0:"
                     : : [frame] "c"(Frame),
                         [rip] "i"(offsetof(KI_FRAME, Rip)),
                         [regs] "i"(offsetof(KI_FRAME, Registers))
                     : "rax", "memory");
    KiUnwind(Frame);
}

USHORT NTAPI RtlCaptureStackBackTrace(ULONG FramesToSkip,
                                      ULONG FramesToCapture, PVOID *BackTrace,
                                      PULONG BackTraceHash)
{
    KI_FRAME frame;
    ULONG sum = 0;
    USHORT count = 0;

    KiCaptureFrame(&frame);
    while (count < FramesToCapture && KiUnwind(&frame) &&
           LdrpFindFunction((ULONG_PTR)frame.Rip, NULL, NULL)) {
        if (FramesToSkip) {
            FramesToSkip--;
            continue;
        }
        BackTrace[count++] = (PVOID)(ULONG_PTR)frame.Rip;
        sum += (ULONG)frame.Rip;
    }
    if (BackTraceHash) {
        *BackTraceHash = sum;
    }
    return count;
}
