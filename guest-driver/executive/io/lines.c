/*
 * Interrupt lines, which devices share: each has one vector, and is on while
 * anyone is connected to it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "iop.h"

#include "halp.h"

#define LINES                   256

static ULONG Vectors[LINES];

ULONG IopLineVector(ULONG Line)
{
    if (!Vectors[Line]) {
        ULONG vector = KiAllocateVector();

        if (vector && !HalpRouteLine(Line, vector, FALSE)) {
            DbgPrint("io: no I/O APIC has line %u\n", Line);
            KiFreeVector(vector);
            return 0;
        }
        Vectors[Line] = vector;
    }
    return Vectors[Line];
}

static ULONG LineOf(ULONG Vector)
{
    ULONG line = 0;

    while (line < LINES && Vectors[line] != Vector) {
        line++;
    }
    return line;
}

void IopEnableLine(ULONG Vector, BOOLEAN Enable)
{
    ULONG line = LineOf(Vector);

    if (line != LINES) {
        HalpRouteLine(line, Vector, Enable);
    }
}
