/*
 * Memory descriptor lists: pages behind a buffer, and buffers made of pages.
 *
 * SPDX-License-Identifier: MIT
 */
#include "mi.h"

#define MDL_AT(member, offset)                                              \
    _Static_assert(FIELD_OFFSET(MDL, member) == (offset), "MDL." #member)

MDL_AT(Next, 0x00);
MDL_AT(Size, 0x08);
MDL_AT(MdlFlags, 0x0a);
MDL_AT(Process, 0x10);
MDL_AT(MappedSystemVa, 0x18);
MDL_AT(StartVa, 0x20);
MDL_AT(ByteCount, 0x28);
MDL_AT(ByteOffset, 0x2c);
_Static_assert(sizeof(MDL) == 0x30, "the page frame numbers follow at 0x30");

#define MDL_TAG             ' ldM'

/* Flags of MmAllocatePagesForMdlEx that change nothing here, or are kept. */
#define FLAGS_KNOWN         (MM_DONT_ZERO_ALLOCATION |                      \
                             MM_ALLOCATE_FULLY_REQUIRED |                   \
                             MM_ALLOCATE_NO_WAIT |                          \
                             MM_ALLOCATE_PREFER_CONTIGUOUS)

static ULONG PagesOf(const MDL *Mdl)
{
    return ADDRESS_AND_SIZE_TO_SPAN_PAGES((ULONG_PTR)Mdl->ByteOffset,
                                          Mdl->ByteCount);
}

SIZE_T NTAPI MmSizeOfMdl(PVOID Base, SIZE_T Length)
{
    return sizeof(MDL) +
           sizeof(PFN_NUMBER) * ADDRESS_AND_SIZE_TO_SPAN_PAGES(Base, Length);
}

/* The pages that the page tables show at the MDL's addresses. */
static void FillFrames(PMDL Mdl)
{
    PPFN_NUMBER frames = MmGetMdlPfnArray(Mdl);

    for (ULONG i = 0; i < PagesOf(Mdl); i++) {
        PUCHAR page = (PUCHAR)Mdl->StartVa + (SIZE_T)i * PAGE_SIZE;

        if (!MmIsAddressValid(page)) {
            DbgPrint("\nmm: an MDL for %p, where nothing is mapped\n", page);
            KeBugCheckEx(PAGE_FAULT_IN_NONPAGED_AREA, (ULONG_PTR)page, 0,
                         (ULONG_PTR)__builtin_return_address(0), 0);
        }
        frames[i] = (ULONGLONG)MmGetPhysicalAddress(page).QuadPart >>
                    PAGE_SHIFT;
    }
}

VOID NTAPI MmBuildMdlForNonPagedPool(PMDLX MemoryDescriptorList)
{
    PMDL mdl = MemoryDescriptorList;

    FillFrames(mdl);
    mdl->MappedSystemVa = (PUCHAR)mdl->StartVa + mdl->ByteOffset;
    mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
}

/* Nothing is paged out and there is no user mode: locking is remembering. */
VOID NTAPI MmProbeAndLockPages(PMDL MemoryDescriptorList,
                               KPROCESSOR_MODE AccessMode,
                               LOCK_OPERATION Operation)
{
    UNREFERENCED_PARAMETER(AccessMode);
    FillFrames(MemoryDescriptorList);
    MemoryDescriptorList->MdlFlags |= MDL_PAGES_LOCKED;
    if (Operation != IoReadAccess) {
        MemoryDescriptorList->MdlFlags |= MDL_WRITE_OPERATION;
    }
}

VOID NTAPI MmUnlockPages(PMDL MemoryDescriptorList)
{
    if (MemoryDescriptorList->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) {
        MmUnmapLockedPages(MemoryDescriptorList->MappedSystemVa,
                           MemoryDescriptorList);
    }
    MemoryDescriptorList->MdlFlags &= ~(MDL_PAGES_LOCKED |
                                        MDL_WRITE_OPERATION);
}

/* The MDL's bytes at an address of their own, whatever pages they lie in. */
PVOID NTAPI MmMapLockedPagesSpecifyCache(PMDLX MemoryDescriptorList,
                                         KPROCESSOR_MODE AccessMode,
                                         MEMORY_CACHING_TYPE CacheType,
                                         PVOID BaseAddress,
                                         ULONG BugCheckOnFailure,
                                         MM_PAGE_PRIORITY Priority)
{
    PMDL mdl = MemoryDescriptorList;
    PUCHAR base = NULL;

    UNREFERENCED_PARAMETER(BaseAddress);
    UNREFERENCED_PARAMETER(Priority);
    if (AccessMode == KernelMode && mdl->ByteCount) {
        base = MiMapFrames(MmGetMdlPfnArray(mdl), PagesOf(mdl), MI_WRITE,
                           CacheType);
    }
    if (!base) {
        if (BugCheckOnFailure) {
            KeBugCheckEx(NO_MORE_SYSTEM_PTES, 0, PagesOf(mdl), 0, 0);
        }
        return NULL;
    }
    mdl->MappedSystemVa = base + mdl->ByteOffset;
    mdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA;
    if (mdl->MdlFlags & MDL_PARTIAL) {
        mdl->MdlFlags |= MDL_PARTIAL_HAS_BEEN_MAPPED;
    }
    return mdl->MappedSystemVa;
}

VOID NTAPI MmUnmapLockedPages(PVOID BaseAddress, PMDL MemoryDescriptorList)
{
    PMDL mdl = MemoryDescriptorList;

    if (!(mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) ||
        BaseAddress != mdl->MappedSystemVa) {
        DbgPrint("\nmm: MmUnmapLockedPages(%p): not where the MDL is "
                 "mapped\n", BaseAddress);
        KeBugCheckEx(MEMORY_MANAGEMENT, 0, (ULONG_PTR)BaseAddress,
                     (ULONG_PTR)mdl, 0);
    }
    MiUnmap((PUCHAR)BaseAddress - mdl->ByteOffset,
            (SIZE_T)PagesOf(mdl) * PAGE_SIZE);
    mdl->MappedSystemVa = NULL;
    mdl->MdlFlags &= ~(MDL_MAPPED_TO_SYSTEM_VA | MDL_PARTIAL_HAS_BEEN_MAPPED);
}

static bool TakePage(ULONGLONG Low, ULONGLONG High, PFN_NUMBER *Frame)
{
    struct frames_request request = FRAMES_ANYWHERE(PAGE_SIZE);
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);
    ULONGLONG base;
    enum frames_status status;

    request.low = Low;
    request.high = High;
    status = MiAllocateFrames(&MiPhysical, &request, &base);
    KeReleaseSpinLock(&MiLock, irql);
    *Frame = base >> PAGE_SHIFT;
    return status == FRAMES_OK;
}

static void GivePage(PFN_NUMBER Frame)
{
    KIRQL irql = KeAcquireSpinLockRaiseToDpc(&MiLock);

    MiFreePages((ULONGLONG)Frame << PAGE_SHIFT, PAGE_SIZE);
    KeReleaseSpinLock(&MiLock, irql);
}

/* Pages one by one, from the highest down; returns how many there were. */
static ULONG TakePages(PMDL Mdl, ULONG Pages, ULONGLONG Low, ULONGLONG High,
                       ULONGLONG Skip)
{
    PPFN_NUMBER frames = MmGetMdlPfnArray(Mdl);
    ULONG taken = 0;

    while (taken < Pages) {
        if (TakePage(Low, High, &frames[taken])) {
            taken++;
        } else if (!Skip || Low + Skip < Low || High + Skip < High ||
                   Low > MiHighestPhysical()) {
            break;
        } else {
            Low += Skip;
            High += Skip;
        }
    }
    return taken;
}

static void ZeroPages(PMDL Mdl, ULONG Pages)
{
    for (ULONG i = 0; i < Pages; i++) {
        ULONGLONG page = (ULONGLONG)MmGetMdlPfnArray(Mdl)[i] << PAGE_SHIFT;

        RtlZeroMemory(MiDirect(page), PAGE_SIZE);
    }
}

/*
 * HighAddress is the last byte that may be used. Fewer pages than asked for
 * are a success, unless MM_ALLOCATE_FULLY_REQUIRED says otherwise. What needs
 * more than that (chunks, one node only) is refused.
 */
PMDL NTAPI MmAllocatePagesForMdlEx(PHYSICAL_ADDRESS LowAddress,
                                   PHYSICAL_ADDRESS HighAddress,
                                   PHYSICAL_ADDRESS SkipBytes,
                                   SIZE_T TotalBytes,
                                   MEMORY_CACHING_TYPE CacheType, ULONG Flags)
{
    ULONG wanted = (ULONG)BYTES_TO_PAGES(TotalBytes), taken;
    PMDL mdl;

    UNREFERENCED_PARAMETER(CacheType);  /* that of the mapping counts */
    if (!TotalBytes || TotalBytes > MAXULONG - PAGE_SIZE ||
        Flags & ~FLAGS_KNOWN) {
        return NULL;
    }
    mdl = ExAllocatePoolWithTag(NonPagedPool, MmSizeOfMdl(NULL, TotalBytes),
                                MDL_TAG);
    if (!mdl) {
        return NULL;
    }
    taken = TakePages(mdl, wanted, (ULONGLONG)LowAddress.QuadPart,
                      (ULONGLONG)HighAddress.QuadPart,
                      (ULONGLONG)SkipBytes.QuadPart);
    MmInitializeMdl(mdl, NULL, (SIZE_T)taken * PAGE_SIZE);
    mdl->Process = NULL;
    mdl->MappedSystemVa = NULL;
    mdl->MdlFlags = MDL_PAGES_LOCKED;
    if (!taken || (taken < wanted && Flags & MM_ALLOCATE_FULLY_REQUIRED)) {
        MmFreePagesFromMdl(mdl);
        ExFreePoolWithTag(mdl, MDL_TAG);
        return NULL;
    }
    if (!(Flags & MM_DONT_ZERO_ALLOCATION)) {
        ZeroPages(mdl, taken);
    }
    return mdl;
}

PMDL NTAPI MmAllocatePagesForMdl(PHYSICAL_ADDRESS LowAddress,
                                 PHYSICAL_ADDRESS HighAddress,
                                 PHYSICAL_ADDRESS SkipBytes, SIZE_T TotalBytes)
{
    return MmAllocatePagesForMdlEx(LowAddress, HighAddress, SkipBytes,
                                   TotalBytes, MmCached, 0);
}

/* The pages go; the MDL itself is the caller's, who frees it to pool. */
VOID NTAPI MmFreePagesFromMdl(PMDLX MemoryDescriptorList)
{
    PMDL mdl = MemoryDescriptorList;

    if (mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) {
        DbgPrint("\nmm: MmFreePagesFromMdl(%p): still mapped at %p\n", mdl,
                 mdl->MappedSystemVa);
        KeBugCheckEx(MEMORY_MANAGEMENT, 0, (ULONG_PTR)mdl->MappedSystemVa,
                     (ULONG_PTR)mdl, 0);
    }
    for (ULONG i = 0; i < PagesOf(mdl); i++) {
        GivePage(MmGetMdlPfnArray(mdl)[i]);
    }
    mdl->MdlFlags &= ~MDL_PAGES_LOCKED;
    mdl->ByteCount = 0;
}
