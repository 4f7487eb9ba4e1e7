/*
 * The verifier's guards: the rest of a buffer's last page, and where memory is
 * plentiful a page on either side. A device's writes are seen in both, the
 * processor's in the first; pages beside a buffer are not mapped for it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "adapter.h"

static PUCHAR EndOf(const HAL_BUFFER *Buffer)
{
    return (PUCHAR)Buffer->Address + Buffer->Length;
}

static SIZE_T TailOf(const HAL_BUFFER *Buffer)
{
    return (PAGE_SIZE - Buffer->Length % PAGE_SIZE) % PAGE_SIZE;
}

void HalpGuardBuffer(const HAL_BUFFER *Buffer)
{
    if (HalpVerifying) {
        MiFillGuard(EndOf(Buffer), TailOf(Buffer));
    }
}

static void Overwritten(const HAL_BUFFER *Buffer, PCSTR Routine,
                        ULONGLONG First, SIZE_T Changed, PCSTR By)
{
    bool before = First < Buffer->Logical;

    HalpBreach(&(HAL_BREACH){
        .Rule = HalRuleWriteOutside,
        .Routine = Routine,
        .Buffer = Buffer,
        .Compared = TRUE,
        .Expected = before ? Buffer->Logical
                           : Buffer->Logical + Buffer->Length - 1,
        .Actual = First,
        .Changed = Changed,
        .Detail = By,
    });
}

void HalpCheckBuffer(const HAL_BUFFER *Buffer, PCSTR Routine)
{
    ULONGLONG first;
    SIZE_T at, changed;

    if (!HalpVerifying) {
        return;
    }
    changed = MiInspectGuard(EndOf(Buffer), TailOf(Buffer), &at);
    if (changed) {
        Overwritten(Buffer, Routine, Buffer->Logical + Buffer->Length + at,
                    changed, "the processor or the device, behind the "
                             "buffer's last byte, in its last page");
    }
    changed = MiCheckGuards(Buffer->Address, &first);
    if (changed) {
        Overwritten(Buffer, Routine, first, changed,
                    first < Buffer->Logical
                        ? "the device, before the buffer's first byte"
                        : "the device, behind the buffer's last byte");
    }
}
