/*
 * What an MDL chain describes, page by page.
 *
 * SPDX-License-Identifier: MIT
 */
#include "packet.h"

/* Over the MDLs whose bytes are behind the cursor. */
static void Settle(HAL_CURSOR *Cursor)
{
    while (Cursor->Mdl && Cursor->Offset >= Cursor->Mdl->ByteCount) {
        Cursor->Offset -= Cursor->Mdl->ByteCount;
        Cursor->Mdl = Cursor->Mdl->Next;
    }
}

BOOLEAN HalpSeek(PMDL Mdl, ULONGLONG Offset, ULONG Length, HAL_CURSOR *Cursor)
{
    ULONGLONG behind = 0;

    while (Mdl && Offset >= Mdl->ByteCount) {
        Offset -= Mdl->ByteCount;
        Mdl = Mdl->Next;
    }
    *Cursor = (HAL_CURSOR){ Mdl, (ULONG)Offset, Length };
    for (; Mdl && behind < Offset + Length; Mdl = Mdl->Next) {
        behind += Mdl->ByteCount;
    }
    return Cursor->Mdl && behind >= Offset + Length;
}

BOOLEAN HalpPiece(const HAL_CURSOR *Cursor, HAL_PIECE *Piece)
{
    PMDL mdl = Cursor->Mdl;
    ULONG at, length;

    if (!Cursor->Left || !mdl) {
        return FALSE;
    }
    at = mdl->ByteOffset + Cursor->Offset;
    length = PAGE_SIZE - BYTE_OFFSET((ULONG_PTR)at);
    if (length > mdl->ByteCount - Cursor->Offset) {
        length = mdl->ByteCount - Cursor->Offset;
    }
    Piece->Length = length < Cursor->Left ? length : Cursor->Left;
    Piece->Physical = ((ULONGLONG)MmGetMdlPfnArray(mdl)[at >> PAGE_SHIFT]
                       << PAGE_SHIFT) + BYTE_OFFSET((ULONG_PTR)at);
    return TRUE;
}

void HalpAdvance(HAL_CURSOR *Cursor, ULONG Length)
{
    Cursor->Offset += Length;
    Cursor->Left -= Length;
    Settle(Cursor);
}

ULONG HalpCountPieces(HAL_CURSOR Cursor)
{
    HAL_PIECE piece;
    ULONG count = 0;

    for (; HalpPiece(&Cursor, &piece); count++) {
        HalpAdvance(&Cursor, piece.Length);
    }
    return count;
}
