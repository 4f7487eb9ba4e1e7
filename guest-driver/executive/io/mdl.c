/*
 * IoAllocateMdl and what belongs to it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "iop.h"

#define MDL_TAG                     ' ldM'

/* The documents' limit of the newer systems. */
#define LENGTH_MAX                  (MAXULONG - PAGE_SIZE + 1)

/* MDL.Size has 16 bits: that of a larger MDL says this, "enough". */
#define SIZE_ENOUGH                 0x7ff8

/* Behind the other MDLs of the IRP. */
static void Append(PIRP Irp, PMDL Mdl)
{
    PMDL *link = &Irp->MdlAddress;

    while (*link) {
        link = &(*link)->Next;
    }
    *link = Mdl;
}

PMDL NTAPI IoAllocateMdl(PVOID VirtualAddress, ULONG Length,
                         BOOLEAN SecondaryBuffer, BOOLEAN ChargeQuota,
                         PIRP Irp)
{
    PMDL mdl;

    UNREFERENCED_PARAMETER(ChargeQuota);
    if (Length > LENGTH_MAX) {
        return NULL;
    }
    mdl = ExAllocatePoolWithTag(NonPagedPool,
                                MmSizeOfMdl(VirtualAddress, Length), MDL_TAG);
    if (!mdl) {
        return NULL;
    }
    MmInitializeMdl(mdl, VirtualAddress, Length);
    if (MmSizeOfMdl(VirtualAddress, Length) > SIZE_ENOUGH) {
        mdl->Size = SIZE_ENOUGH;
    }
    mdl->Process = NULL;
    mdl->MappedSystemVa = NULL;
    if (Irp && SecondaryBuffer) {
        Append(Irp, mdl);
    } else if (Irp) {
        Irp->MdlAddress = mdl;
    }
    return mdl;
}

/* Frees this one, not the chain; a mapping of its own goes with it. */
VOID NTAPI IoFreeMdl(PMDL Mdl)
{
    if (Mdl->MdlFlags & MDL_PARTIAL_HAS_BEEN_MAPPED) {
        MmUnmapLockedPages(Mdl->MappedSystemVa, Mdl);
    }
    ExFreePoolWithTag(Mdl, MDL_TAG);
}

static bool TooSmall(const MDL *Target, SIZE_T Pages)
{
    return Target->Size < SIZE_ENOUGH &&
           (SIZE_T)Target->Size < sizeof(MDL) + Pages * sizeof(PFN_NUMBER);
}

/* Length 0: from VirtualAddress to the end of the source. */
VOID NTAPI IoBuildPartialMdl(PMDL SourceMdl, PMDL TargetMdl,
                             PVOID VirtualAddress, ULONG Length)
{
    SIZE_T offset = (ULONG_PTR)VirtualAddress -
                    (ULONG_PTR)MmGetMdlVirtualAddress(SourceMdl);
    ULONG length = Length ? Length : SourceMdl->ByteCount - (ULONG)offset;
    SIZE_T pages = ADDRESS_AND_SIZE_TO_SPAN_PAGES(VirtualAddress, length);
    SIZE_T first = ((ULONG_PTR)VirtualAddress -
                    (ULONG_PTR)SourceMdl->StartVa) >> PAGE_SHIFT;

    if (offset > SourceMdl->ByteCount ||
        length > SourceMdl->ByteCount - offset ||
        TooSmall(TargetMdl, pages)) {
        DbgPrint("\nio: IoBuildPartialMdl(%p, %u): not inside the source, or "
                 "more pages than the target can hold\n", VirtualAddress,
                 length);
        KeBugCheckEx(TARGET_MDL_TOO_SMALL, (ULONG_PTR)SourceMdl,
                     (ULONG_PTR)TargetMdl, (ULONG_PTR)VirtualAddress, length);
    }
    TargetMdl->Process = SourceMdl->Process;
    TargetMdl->StartVa = PAGE_ALIGN(VirtualAddress);
    TargetMdl->ByteOffset = BYTE_OFFSET(VirtualAddress);
    TargetMdl->ByteCount = length;
    TargetMdl->MdlFlags = MDL_PARTIAL |
        (SourceMdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_MAPPED_TO_SYSTEM_VA |
                                MDL_SOURCE_IS_NONPAGED_POOL | MDL_IO_SPACE));
    TargetMdl->MappedSystemVa = SourceMdl->MappedSystemVa
        ? (PUCHAR)SourceMdl->MappedSystemVa + offset : NULL;
    RtlCopyMemory(MmGetMdlPfnArray(TargetMdl),
                  MmGetMdlPfnArray(SourceMdl) + first,
                  pages * sizeof(PFN_NUMBER));
}
