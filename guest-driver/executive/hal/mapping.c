/*
 * Mapping memory for a device through map registers, and the end of it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "adapter.h"

#include "i8237_plan.h"

/* The list that is being made. */
typedef struct _BUILDER {
    PSCATTER_GATHER_ELEMENT Elements;
    ULONG Room;
    ULONG Count;
} BUILDER;

static bool Reaches(const HAL_ADAPTER *Adapter, const HAL_PIECE *Piece)
{
    return Piece->Physical + (Piece->Length - 1) <= Adapter->Limit;
}

BOOLEAN HalpIsOnePiece(const HAL_ADAPTER *Adapter, HAL_CURSOR Cursor)
{
    HAL_PIECE piece;
    ULONGLONG next = 0, start;

    if (HalpDomainTranslates(Adapter->Domain)) {
        return Cursor.Left <= Cursor.Mdl->ByteCount - Cursor.Offset;
    }
    start = HalpPiece(&Cursor, &piece) ? piece.Physical : 0;
    if (Adapter->System.Unit &&
        !i8237_fits(Adapter->System.Channel, start, Cursor.Left)) {
        return FALSE;
    }
    for (bool first = true; HalpPiece(&Cursor, &piece); first = false) {
        if ((!first && piece.Physical != next) || !Reaches(Adapter, &piece)) {
            return FALSE;
        }
        next = piece.Physical + piece.Length;
        HalpAdvance(&Cursor, piece.Length);
    }
    return TRUE;
}

ULONG HalpCountBeyondReach(const HAL_ADAPTER *Adapter, HAL_CURSOR Cursor)
{
    HAL_PIECE piece;
    ULONG count = 0;

    if (HalpDomainTranslates(Adapter->Domain)) {
        return 0;
    }
    for (; HalpPiece(&Cursor, &piece); HalpAdvance(&Cursor, piece.Length)) {
        count += !Reaches(Adapter, &piece);
    }
    return count;
}

/* FALSE: it does not adjoin, and there is no room for one more. */
static bool AddElement(BUILDER *Builder, ULONGLONG Address, ULONG Length)
{
    PSCATTER_GATHER_ELEMENT last = &Builder->Elements[Builder->Count];

    if (Builder->Count && (ULONGLONG)last[-1].Address.QuadPart +
                          last[-1].Length == Address) {
        last[-1].Length += Length;
        return true;
    }
    if (Builder->Count == Builder->Room) {
        return false;
    }
    last->Address.QuadPart = (LONGLONG)Address;
    last->Length = Length;
    last->Reserved = 0;
    Builder->Count++;
    return true;
}

/* A list's registers may have to be waited for: it is filled when they came. */
static void FillBounce(const HAL_GRANT *Grant, PUCHAR Bounce,
                       const HAL_PIECE *Piece)
{
    if (Bounce && Grant->WriteToDevice && Grant->Kind != HAL_LIST) {
        RtlCopyMemory(Bounce, MiDirect(Piece->Physical), Piece->Length);
    }
}

void HalpCopyToBounce(HAL_GRANT *Grant)
{
    for (ULONG i = 0; Grant->WriteToDevice && i < Grant->Next; i++) {
        HAL_REGISTER *entry = &Grant->Register[i];

        if (entry->Bounce) {
            RtlCopyMemory(entry->Bounce, MiDirect(entry->Physical),
                          entry->Length);
        }
    }
}

static HAL_REGISTER *UseRegister(HAL_GRANT *Grant, const HAL_CURSOR *Cursor,
                                 const HAL_PIECE *Piece, PUCHAR Bounce)
{
    HAL_REGISTER *entry = &Grant->Register[Grant->Next];

    *entry = (HAL_REGISTER){
        .Physical = Piece->Physical,
        .Length = Piece->Length,
        .Bounce = Bounce,
        .Mdl = Cursor->Mdl,
        .Offset = Cursor->Offset,
        .Run = Grant->Next,
        .Live = 1,
    };
    Grant->Next++;
    Grant->Live++;
    return entry;
}

static void Advance(HAL_GRANT *Grant, HAL_CURSOR *Cursor, ULONGLONG Address,
                    ULONG Length)
{
    Grant->LogicalEnd = Address + Length;
    Grant->BytesMapped += Length;
    HalpAdvance(Cursor, Length);
}

/*
 * The register used last goes on, if the piece is the rest of its page. With
 * OneBlock it must be in the block, and outside of it otherwise.
 */
static bool Continue(HAL_GRANT *Grant, HAL_CURSOR *Cursor, bool OneBlock,
                     BUILDER *Builder)
{
    HAL_REGISTER *last = &Grant->Register[Grant->Next - 1];
    HAL_PIECE piece;

    if (!Grant->Next || !last->Length || !HalpPiece(Cursor, &piece) ||
        !BYTE_OFFSET((ULONG_PTR)piece.Physical) ||
        piece.Physical != last->Physical + last->Length ||
        (Grant->Block && OneBlock != (last->Bounce != NULL)) ||
        !AddElement(Builder, Grant->LogicalEnd, piece.Length)) {
        return false;
    }
    FillBounce(Grant, last->Bounce ? last->Bounce + last->Length : NULL,
               &piece);
    last->Length += piece.Length;
    Advance(Grant, Cursor, Grant->LogicalEnd, piece.Length);
    return true;
}

/* Where the device shall see the piece, without an IOMMU. */
static ULONGLONG Place(HAL_GRANT *Grant, const HAL_PIECE *Piece, bool OneBlock,
                       bool First, PUCHAR *Bounce)
{
    ULONG offset = BYTE_OFFSET((ULONG_PTR)Piece->Physical);
    ULONGLONG address = Piece->Physical;

    *Bounce = NULL;
    if (OneBlock && First && Grant->Adapter->System.Unit) {
        /* All of the block may be needed, and one transfer is all there is. */
        address = Grant->BlockLogical;
        *Bounce = Grant->Block;
    } else if (OneBlock) {
        address = First ? Grant->BlockLogical +
                          (ULONGLONG)Grant->Next * PAGE_SIZE + offset
                        : Grant->LogicalEnd;
        *Bounce = Grant->Block + (address - Grant->BlockLogical);
    } else if (!Reaches(Grant->Adapter, Piece)) {
        address = ((ULONGLONG)MmGetMdlPfnArray(Grant->Pages)[Grant->NextPage]
                   << PAGE_SHIFT) + offset;
        *Bounce = MiDirect(address);
    }
    return address;
}

static bool MapPiece(HAL_GRANT *Grant, HAL_CURSOR *Cursor, bool OneBlock,
                     BUILDER *Builder)
{
    HAL_PIECE piece;
    PUCHAR bounce;
    ULONGLONG address;

    if (Grant->Next == Grant->Count || !HalpPiece(Cursor, &piece)) {
        return false;
    }
    address = Place(Grant, &piece, OneBlock, !Builder->Count, &bounce);
    if (!AddElement(Builder, address, piece.Length)) {
        return false;
    }
    Grant->NextPage += bounce && !OneBlock;
    UseRegister(Grant, Cursor, &piece, bounce);
    FillBounce(Grant, bounce, &piece);
    Advance(Grant, Cursor, address, piece.Length);
    return true;
}

/* What is left of one MDL, as far as there are registers. */
static ULONG SegmentLength(const HAL_GRANT *Grant, const HAL_CURSOR *Cursor)
{
    PMDL mdl = Cursor->Mdl;
    ULONG at = mdl->ByteOffset + Cursor->Offset;
    ULONGLONG room = (ULONGLONG)(Grant->Count - Grant->Next) * PAGE_SIZE;
    ULONG length = mdl->ByteCount - Cursor->Offset;

    if (length > Cursor->Left) {
        length = Cursor->Left;
    }
    if (BYTE_OFFSET((ULONG_PTR)at) + (ULONGLONG)length > room) {
        length = room ? (ULONG)(room - BYTE_OFFSET((ULONG_PTR)at)) : 0;
    }
    return length;
}

/* With an IOMMU: pages of one MDL, in a row for the device. */
static bool MapSegment(HAL_GRANT *Grant, HAL_CURSOR *Cursor, BUILDER *Builder)
{
    HAL_DOMAIN *domain = Grant->Adapter->Domain;
    HAL_BOUNDS bounds = { 0, Grant->Adapter->Limit, MAXULONGLONG, 0 };
    HAL_REGISTER *run = &Grant->Register[Grant->Next];
    ULONG length = Cursor->Left ? SegmentLength(Grant, Cursor) : 0;
    HAL_PAGES pages = { NULL, NULL };
    HAL_PIECE piece;
    ULONG offset;
    ULONGLONG logical;

    if (!length || Builder->Count == Builder->Room) {
        return false;
    }
    offset = Cursor->Mdl->ByteOffset + Cursor->Offset;
    pages.Frames = MmGetMdlPfnArray(Cursor->Mdl) + (offset >> PAGE_SHIFT);
    offset = BYTE_OFFSET((ULONG_PTR)offset);
    if (!HalpDomainMap(domain, &bounds, &pages, (SIZE_T)offset + length,
                       &logical)) {
        return false;
    }
    AddElement(Builder, logical + offset, length);
    for (ULONG done = 0, index = Grant->Next; done < length;
         done += piece.Length) {
        HAL_CURSOR rest = *Cursor;

        rest.Left = length - done;
        HalpPiece(&rest, &piece);
        UseRegister(Grant, Cursor, &piece, NULL)->Run = index;
        Advance(Grant, Cursor, logical + offset + done, piece.Length);
    }
    run->Live = (ULONG)(&Grant->Register[Grant->Next] - run);
    run->Logical = logical;
    run->Bytes = (SIZE_T)offset + length;
    return true;
}

/* With an IOMMU, but through the block: it is mapped already. */
static bool MapOne(HAL_GRANT *Grant, HAL_CURSOR *Cursor, bool OneBlock,
                   BUILDER *Builder)
{
    if (!OneBlock && HalpDomainTranslates(Grant->Adapter->Domain)) {
        return MapSegment(Grant, Cursor, Builder);
    }
    return MapPiece(Grant, Cursor, OneBlock, Builder);
}

ULONG HalpMap(HAL_GRANT *Grant, HAL_CURSOR Cursor, BOOLEAN WriteToDevice,
              PSCATTER_GATHER_ELEMENT Elements, ULONG Room, ULONG *Count)
{
    BUILDER builder = { Elements, Room, 0 };
    ULONG length = Cursor.Left;
    bool block = Grant->Block && !HalpIsOnePiece(Grant->Adapter, Cursor);

    Grant->WriteToDevice = WriteToDevice;
    Continue(Grant, &Cursor, block, &builder);
    while (MapOne(Grant, &Cursor, block, &builder)) {
        continue;
    }
    *Count = builder.Count;
    return length - Cursor.Left;
}

static bool Covers(const HAL_REGISTER *Entry, const HAL_CURSOR *Cursor)
{
    return Entry->Mdl == Cursor->Mdl && Cursor->Offset >= Entry->Offset &&
           Cursor->Offset - Entry->Offset < Entry->Length;
}

BOOLEAN HalpIsMapped(const HAL_GRANT *Grant, const HAL_CURSOR *Cursor)
{
    const HAL_REGISTER *last = &Grant->Register[Grant->Next - 1];

    if (!Grant->Live || (last->Mdl == Cursor->Mdl &&
                         last->Offset + last->Length == Cursor->Offset)) {
        return FALSE;
    }
    for (ULONG i = 0; i < Grant->Next; i++) {
        if (Covers(&Grant->Register[i], Cursor)) {
            return TRUE;
        }
    }
    return FALSE;
}

/* The register is flushed: without its run, the device cannot reach it. */
static void Retire(HAL_GRANT *Grant, HAL_REGISTER *Entry)
{
    HAL_REGISTER *run = &Grant->Register[Entry->Run];

    run->Live--;
    if (!run->Live && run->Bytes) {
        HalpDomainUnmap(Grant->Adapter->Domain, run->Logical, run->Bytes);
        run->Bytes = 0;
    }
    Grant->Live--;
    if (!Grant->Live) {
        Grant->Next = 0;
        Grant->NextPage = 0;
    }
}

static void FlushBytes(HAL_GRANT *Grant, HAL_REGISTER *Entry, ULONG Length)
{
    if (Entry->Bounce) {
        if (!Grant->WriteToDevice) {
            RtlCopyMemory(MiDirect(Entry->Physical), Entry->Bounce, Length);
        }
        Entry->Bounce += Length;
    }
    Entry->Physical += Length;
    Entry->Offset += Length;
    Entry->Length -= Length;
    Grant->BytesFlushed += Length;
    if (!Entry->Length) {
        Retire(Grant, Entry);
    }
}

/* The register that stands for what begins there; usually at or behind Hint. */
static HAL_REGISTER *FindMapped(HAL_GRANT *Grant, ULONGLONG Physical,
                                ULONG Hint)
{
    for (ULONG i = 0; i < Grant->Next; i++) {
        HAL_REGISTER *entry = &Grant->Register[(Hint + i) % Grant->Next];

        if (entry->Length && entry->Physical == Physical) {
            return entry;
        }
    }
    return NULL;
}

BOOLEAN HalpFlush(HAL_GRANT *Grant, HAL_CURSOR Cursor)
{
    HAL_PIECE piece;
    ULONG hint = 0;

    while (HalpPiece(&Cursor, &piece)) {
        HAL_REGISTER *entry = FindMapped(Grant, piece.Physical, hint);
        ULONG length;

        if (!entry) {
            return FALSE;
        }
        hint = (ULONG)(entry - Grant->Register);
        length = piece.Length < entry->Length ? piece.Length : entry->Length;
        FlushBytes(Grant, entry, length);
        HalpAdvance(&Cursor, length);
    }
    return TRUE;
}

void HalpDiscardAll(HAL_GRANT *Grant)
{
    Grant->WriteToDevice = TRUE;        /* nothing comes back from there */
    HalpFlushAll(Grant);
}

void HalpFlushAll(HAL_GRANT *Grant)
{
    for (ULONG i = 0; i < Grant->Next; i++) {
        HAL_REGISTER *entry = &Grant->Register[i];

        if (entry->Length) {
            FlushBytes(Grant, entry, entry->Length);
        }
    }
}
