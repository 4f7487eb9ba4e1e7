/*
 * Counted strings.
 *
 * SPDX-License-Identifier: MIT
 */
#include "executive.h"

#define STRING_BYTES_MAX        0xfffc

VOID NTAPI RtlInitUnicodeString(PUNICODE_STRING Destination, PCWSTR Source)
{
    SIZE_T bytes = 0;

    while (Source && Source[bytes / sizeof(WCHAR)] &&
           bytes < STRING_BYTES_MAX) {
        bytes += sizeof(WCHAR);
    }
    Destination->Buffer = (PWCH)Source;
    Destination->Length = (USHORT)bytes;
    Destination->MaximumLength = (USHORT)(Source ? bytes + sizeof(WCHAR) : 0);
}

VOID NTAPI RtlCopyUnicodeString(PUNICODE_STRING Destination,
                                PCUNICODE_STRING Source)
{
    USHORT bytes = Source ? Source->Length : 0;

    if (bytes > Destination->MaximumLength) {
        bytes = Destination->MaximumLength;
    }
    if (bytes) {
        RtlMoveMemory(Destination->Buffer, Source->Buffer, bytes);
    }
    Destination->Length = bytes;
}

WCHAR NTAPI RtlUpcaseUnicodeChar(WCHAR Character)
{
    return Character >= L'a' && Character <= L'z'
               ? (WCHAR)(Character - L'a' + L'A') : Character;
}

BOOLEAN NTAPI RtlEqualUnicodeString(PCUNICODE_STRING A, PCUNICODE_STRING B,
                                    BOOLEAN CaseInsensitive)
{
    if (A->Length != B->Length) {
        return FALSE;
    }
    for (USHORT i = 0; i < A->Length / sizeof(WCHAR); i++) {
        WCHAR a = A->Buffer[i], b = B->Buffer[i];

        if (CaseInsensitive) {
            a = RtlUpcaseUnicodeChar(a);
            b = RtlUpcaseUnicodeChar(b);
        }
        if (a != b) {
            return FALSE;
        }
    }
    return TRUE;
}

SIZE_T NTAPI RtlCompareMemory(const VOID *A, const VOID *B, SIZE_T Length)
{
    const UCHAR *a = A, *b = B;
    SIZE_T same = 0;

    while (same < Length && a[same] == b[same]) {
        same++;
    }
    return same;
}

VOID NTAPI RtlFreeUnicodeString(PUNICODE_STRING String)
{
    if (String->Buffer) {
        ExFreePool(String->Buffer);
        RtlZeroMemory(String, sizeof(*String));
    }
}
