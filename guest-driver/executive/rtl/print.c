/*
 * The console: QEMU's debug port.
 *
 * SPDX-License-Identifier: MIT
 */
#include "executive.h"

#include "portio.h"

#define PRINT_MAX       4096

void RtlpConsoleWrite(const char *Text, size_t Length)
{
    port_write_string(BOOT_CONSOLE_PORT, Text, Length);
}

static ULONG Print(PCSTR Format, va_list Arguments)
{
    static char text[PRINT_MAX];
    static KSPIN_LOCK lock;
    KIRQL irql = KfRaiseIrql(HIGH_LEVEL);

    KeAcquireSpinLockAtDpcLevel(&lock);
    RtlpConsoleWrite(text, RtlpFormat(text, sizeof(text), Format, Arguments));
    KeReleaseSpinLockFromDpcLevel(&lock);
    KeLowerIrql(irql);
    return (ULONG)STATUS_SUCCESS;
}

ULONG __cdecl DbgPrint(PCSTR Format, ...)
{
    va_list arguments;
    ULONG status;

    va_start(arguments, Format);
    status = Print(Format, arguments);
    va_end(arguments);
    return status;
}

ULONG __cdecl DbgPrintEx(ULONG ComponentId, ULONG Level, PCSTR Format, ...)
{
    va_list arguments;
    ULONG status;

    UNREFERENCED_PARAMETER(ComponentId);
    UNREFERENCED_PARAMETER(Level);
    va_start(arguments, Format);
    status = Print(Format, arguments);
    va_end(arguments);
    return status;
}
