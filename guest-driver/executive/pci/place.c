/*
 * Where the functions' memory lies, and another place for it.
 *
 * Firmware gave the ranges out of windows that begin and end at a multiple of
 * 1 MiB, whether a root bus's or a bridge's. What is free of the 1 MiB that a
 * range lies in is therefore within its window, too.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pci.h"

#define RANGES_MAX              256
#define WINDOW                  0x100000ull

typedef struct _RANGE {
    USHORT Requester;           /* bus, device and function */
    UCHAR Bar;
    BOOLEAN Wide;
    ULONGLONG Base, Length;
} RANGE;

static RANGE Ranges[RANGES_MAX];
static ULONG RangeCount;

static USHORT Number(const PCI_FUNCTION *Function)
{
    return PCI_REQUESTER(Function->Bus, Function->Device, Function->Function);
}

void PciNoteMemory(const PCI_FUNCTION *Function, ULONG Bars)
{
    for (ULONG bar = 0; bar < Bars; bar++) {
        ULONG noted = bar;
        PCI_MEMORY memory = PciReadBar(Function, bar);

        bar += memory.Wide;
        if (!memory.Length) {
            continue;
        }
        if (RangeCount == RANGES_MAX) {
            DbgPrint("pci: too many ranges of memory: none will be moved\n");
            return;
        }
        Ranges[RangeCount++] = (RANGE){
            .Requester = Number(Function), .Bar = (UCHAR)noted,
            .Wide = memory.Wide, .Base = memory.Base, .Length = memory.Length,
        };
    }
}

static void WriteBase(const PCI_FUNCTION *Function, const RANGE *Range)
{
    PciWriteConfig(Function, PCI_REG_BAR(Range->Bar), (ULONG)Range->Base);
    if (Range->Wide) {
        PciWriteConfig(Function, PCI_REG_BAR(Range->Bar + 1),
                       (ULONG)(Range->Base >> 32));
    }
}

void PciRestoreMemory(const PCI_FUNCTION *Function)
{
    for (ULONG i = 0; i < RangeCount; i++) {
        if (Ranges[i].Requester == Number(Function)) {
            WriteBase(Function, &Ranges[i]);
        }
    }
}

static bool IsFree(ULONGLONG Base, ULONGLONG Length)
{
    for (ULONG i = 0; i < RangeCount; i++) {
        if (Base < Ranges[i].Base + Ranges[i].Length &&
            Ranges[i].Base < Base + Length) {
            return false;
        }
    }
    return true;
}

/* A free place within the window, in pages that no other range shares. */
static bool Move(RANGE *Range)
{
    ULONGLONG step = Range->Length < PAGE_SIZE ? PAGE_SIZE : Range->Length;
    ULONGLONG window = Range->Base & ~(WINDOW - 1);

    if (RangeCount == RANGES_MAX) {
        return false;
    }
    for (ULONGLONG at = window; at + step <= window + WINDOW; at += step) {
        if (IsFree(at, step)) {
            Range->Base = at;
            return true;
        }
    }
    return false;
}

BOOLEAN PciMoveMemory(const PCI_FUNCTION *Function)
{
    BOOLEAN moved = TRUE;

    for (ULONG i = 0; i < RangeCount; i++) {
        if (Ranges[i].Requester == Number(Function)) {
            if (Move(&Ranges[i])) {
                WriteBase(Function, &Ranges[i]);
            } else {
                moved = FALSE;
            }
        }
    }
    return moved;
}
