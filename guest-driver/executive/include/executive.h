/*
 * What the executive's own parts (ntoskrnl.exe, hal.dll, portcls.sys) say to
 * each other beyond the documented interfaces.  Prefixes as in NT: Ki, Mi, Iop
 * and Ldrp belong to ntoskrnl.exe, Halp to hal.dll; drivers cannot import them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_H
#define EXECUTIVE_H

#include <ntddk.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bootblock.h"

/* Bug checks that mingw-w64's bugcodes.h lacks. */
#define DRIVER_VERIFIER_DETECTED_VIOLATION  0x000000c4
#define DRIVER_VERIFIER_DMA_VIOLATION       0x000000e6

/* --- Interrupt vectors: the high half of a vector is its IRQL ---------- */

#define KI_DPC_VECTOR           0x2f
#define KI_DEVICE_VECTOR_FIRST  0x50
#define KI_DEVICE_VECTOR_LAST   0xaf
#define KI_CLOCK_VECTOR         0xd1
#define KI_IPI_VECTOR           0xe1
#define KI_SPURIOUS_VECTOR      0xff
#define KI_VECTOR_IRQL(vector)  ((KIRQL)((vector) >> 4))

/* Clock interrupts per second: Windows' default period of 15.625 ms. */
#define KI_CLOCK_HZ             64

typedef void KI_INTERRUPT_HANDLER(ULONG Vector, PVOID Context);

/* --- ke: processor, interrupts, time ----------------------------------- */

/* Descriptor tables, PCR and thread of the processor that boots. */
void KiInitializeProcessor(void);

/* Starts all others that the firmware knows. PASSIVE_LEVEL. */
void KiStartProcessors(void);

/*
 * After a mapping was taken away or changed: returns when no other processor
 * remembers the old one. The caller has flushed its own. Interrupts must be
 * enabled, IRQL < IPI_LEVEL.
 */
void KiFlushOtherTlbs(void);

/* Answers what other processors ask for by KI_IPI_VECTOR. */
void KiInterprocessorInterrupt(void);

/* Starts the clock. Interrupts are enabled from here on. */
void KiStartClock(void);

/* A free device vector of which KI_VECTOR_IRQL is the IRQL; 0: none left. */
ULONG KiAllocateVector(void);

/* Gives such a vector back, which has no handler. */
void KiFreeVector(ULONG Vector);

/* Connects a handler, called at the vector's IRQL; NULL disconnects. */
void KiSetVectorHandler(ULONG Vector, KI_INTERRUPT_HANDLER *Handler,
                        PVOID Context);

/* Critical regions that were entered and not left. */
LONG KiCountCriticalRegions(void);

/* Whether the vector has a handler. */
bool KiIsVectorConnected(ULONG Vector);

/* Closes a handle of a thread; false: it is none. */
bool KiCloseThreadHandle(HANDLE Handle);

/* Called by the clock interrupt when it has advanced the interrupt time. */
void KiExpireTimers(void);

/* Runs queued DPCs at DISPATCH_LEVEL until none is left. */
void KiRetireDpcs(void);

/* Ends the run: BOOT_EXIT_* becomes QEMU's exit status. */
void __attribute__((noreturn)) KiExit(UCHAR Value);

/* As <ntifs.h> declares it. Any IRQL. */
USHORT NTAPI RtlCaptureStackBackTrace(ULONG FramesToSkip,
                                      ULONG FramesToCapture, PVOID *BackTrace,
                                      PULONG BackTraceHash);

/* --- rtl --------------------------------------------------------------- */

/*
 * Formats into Buffer, always terminated; returns the length it had room for.
 * Knows %c %s %S %Z %wZ %d %i %u %x %X %o %p with flags, width, precision and the
 * sizes h, l, ll, I64, z.
 */
size_t RtlpFormat(char *Buffer, size_t Size, const char *Format,
                  va_list Arguments);

/* Writes to QEMU's debug console. Any IRQL. */
void RtlpConsoleWrite(const char *Text, size_t Length);

/* --- mm ---------------------------------------------------------------- */

/* Takes over the memory that the boot block describes. */
void MiInitialize(const struct boot_block *Boot);

/* The direct map: all RAM, cached. */
static inline void *MiDirect(uint64_t Physical)
{
    return (void *)(uintptr_t)(Physical + BOOT_DIRECT_MAP);
}

/* Page protections for MiMap(). */
#define MI_READ         0u
#define MI_WRITE        1u
#define MI_EXECUTE      2u

/*
 * Maps Length bytes of physical memory from Physical (page-aligned) at a fresh
 * virtual address with an unmapped page on either side. NULL: out of memory.
 */
PVOID MiMap(ULONGLONG Physical, SIZE_T Length, ULONG Protection,
            MEMORY_CACHING_TYPE Cache);

/* The same for Pages pages that lie anywhere, by their numbers. */
PVOID MiMapFrames(const PFN_NUMBER *Frames, SIZE_T Pages, ULONG Protection,
                  MEMORY_CACHING_TYPE Cache);

/* The same at a given address, replacing what is there; false: no memory. */
BOOLEAN MiMapAt(PVOID Address, ULONGLONG Physical, SIZE_T Length,
                ULONG Protection, MEMORY_CACHING_TYPE Cache);
void MiUnmap(PVOID Address, SIZE_T Length);

/* Reserves address space for images, from BOOT_IMAGE_SPACE up. */
PVOID MiReserveImageSpace(SIZE_T Length);

/* A request for physically contiguous memory. */
typedef struct _MI_CONTIGUOUS {
    ULONGLONG Low;              /* first legal byte */
    ULONGLONG High;             /* last legal byte */
    ULONGLONG Varying;          /* bits in which bytes may differ; ~0: all */
    ULONGLONG Alignment;        /* of the first byte: a power of two; 0: a page */
    SIZE_T Length;              /* bytes; whole pages are consumed */
    NODE_REQUIREMENT Node;      /* preferred node, or MM_ANY_NODE_OK */
    MEMORY_CACHING_TYPE Cache;
    BOOLEAN Guarded;            /* guard pages beside it, if memory is plentiful */
} MI_CONTIGUOUS;

/*
 * Allocates and maps it, zero-filled. The preferred node is tried first, then
 * the others in the order of their distance. NULL: nothing fits, or Node is
 * not a node of this machine. IRQL <= DISPATCH_LEVEL.
 */
PVOID MiAllocateContiguous(const MI_CONTIGUOUS *Request,
                           ULONGLONG *Physical);

/* Takes back what the function above gave; false: it never gave that. */
BOOLEAN MiFreeContiguous(PVOID Address);

/*
 * Memory of any pages, wherever they lie: zero-filled, at one virtual address.
 * The nodes are tried as above, and on each the memory above 4 GiB first, that
 * below 16 MiB last. NULL: there is not as much. IRQL <= DISPATCH_LEVEL.
 */
PVOID MiAllocateScattered(SIZE_T Length, NODE_REQUIREMENT Node,
                          MEMORY_CACHING_TYPE Cache);

/* Takes back what the function above gave; false: it never gave that. */
BOOLEAN MiFreeScattered(PVOID Address);

/*
 * How many bytes of a block's guard pages are not as they were made, before it
 * or else behind it, and the physical address of the first of them.
 */
SIZE_T MiCheckGuards(PVOID Address, ULONGLONG *First);

/* Whether the preferred node, which must be one, has room for the request now. */
BOOLEAN MiHasRoom(const MI_CONTIGUOUS *Request);

/* How often pages were freed. Any IRQL. */
ULONG MiCountFrees(void);

/* Pages that are neither free nor the executive's own, such as its pool. */
ULONGLONG MiCountUsed(void);

/* Stops if they are another number, or if the allocator's records are broken. */
void MiCheckUsed(ULONGLONG Expected);

/* Fills memory so that a change is seen, and how many bytes have changed. */
void MiFillGuard(PVOID Address, SIZE_T Length);
SIZE_T MiInspectGuard(const VOID *Address, SIZE_T Length, SIZE_T *First);

/* The last byte of RAM that can be handed out. */
ULONGLONG MiHighestPhysical(void);

/* IRQL <= DISPATCH_LEVEL. The node of a page of RAM; MM_ANY_NODE_OK: it is none. */
NODE_REQUIREMENT MiNodeOf(ULONGLONG Physical);

/* The Index-th processor that is enabled; false: there are no more. */
bool MiProcessor(ULONG Index, ULONG *ApicId);

/* A page below Limit, for a short time; 0: none. */
ULONGLONG MiTakeLowPage(ULONGLONG Limit);
void MiGiveLowPage(ULONGLONG Physical);

/* Maps the first 512 GiB at their physical addresses, too, or no more. */
void MiMapIdentity(bool Wanted);

/* Sets the calling processor's memory types (PAT). */
void MiSetCacheTypes(void);

/* Number of NUMA nodes, at least 1. */
ULONG MiNodeCount(void);

/* Proximity domain of a PCI root bus from the DSDT; MM_ANY_NODE_OK: none. */
NODE_REQUIREMENT MiRootBusNode(ULONG RootBus);

/* The firmware's list of IOMMUs; without units if there is none. */
struct acpi_dmar;
const struct acpi_dmar *MiDmar(void);

/* What the MADT says; empty where there is none. */
const struct acpi_madt *MiMadt(void);

/* Physical address of the HPET's registers; 0: the machine has none. */
ULONGLONG MiFindHpet(void);

/* --- cm: the registry, PASSIVE_LEVEL ------------------------------------- */

/* Makes the keys that are always there. */
void CmInitialize(void);

/* Opens a key by its whole path, and makes what is not there of that. */
NTSTATUS CmOpen(PUNICODE_STRING Path, PHANDLE Handle);

/* False: it is no key's. */
bool CmCloseHandle(HANDLE Handle);

/* --- io ---------------------------------------------------------------- */

/* Opens fw_cfg and finds the PCI functions. */
void IopInitialize(void);

/* Remembers the command line; before anything asks for an option. */
void IopInitializeOptions(const struct boot_block *Boot);

/*
 * The value of NAME=VALUE in the boot command line, cut to Size - 1 characters.
 * FALSE: there is no such option. Any IRQL.
 */
BOOLEAN IopBootOption(const char *Name, char *Value, ULONG Size);

/* Reads a whole fw_cfg file into pool; NULL: none, or no memory. */
PVOID IopReadFile(const char *Name, ULONG *Size);

/* Learns from the host which devices the driver is for. */
void IopInitializeMatch(void);

/* The next PDO that the driver is for after Previous (NULL: the first). */
PDEVICE_OBJECT IopNextMatch(PDEVICE_OBJECT Previous);

/* Reference to the file behind a handle of ZwCreateFile; no such: *Object is NULL. */
NTSTATUS IopReferenceFile(HANDLE Handle, PVOID *Object);

/* A PCI function's PDO: its bus, and device << 16 | function. FALSE: it is none. */
BOOLEAN IopPdoAddress(PDEVICE_OBJECT Pdo, ULONG *Bus, ULONG *Address);

/*
 * The next PDO of a card on the ISA bus after Previous (NULL: the first) that
 * has no driver yet.
 */
PDEVICE_OBJECT IopNextFreeIsa(PDEVICE_OBJECT Previous);

/* Says on the console which device it is, and what its resources are. */
void IopDescribePdo(PDEVICE_OBJECT Pdo);

/* What an IOMMU must know of a device. */
typedef struct _IOP_REMAPPING {
    ULONG Unit;                 /* index into the DMAR's */
    USHORT RequesterId;
} IOP_REMAPPING;

/* False: the device is no PCI function, or no IOMMU serves it. */
BOOLEAN IopFindRemapping(PDEVICE_OBJECT Pdo, IOP_REMAPPING *Remapping);

/* Whether firmware reserves the DMAR's memory of this index for the device. */
BOOLEAN IopIsReservedFor(PDEVICE_OBJECT Pdo, ULONG Range);

/* The bottom of a device stack, referenced. As <ntifs.h> declares it. */
PDEVICE_OBJECT NTAPI IoGetDeviceAttachmentBaseRef(PDEVICE_OBJECT DeviceObject);

/* AddDevice and IRP_MN_START_DEVICE. */
NTSTATUS IopStartDevice(PDRIVER_OBJECT Driver, PDEVICE_OBJECT Pdo);

/*
 * IRP_MN_QUERY_REMOVE_DEVICE and IRP_MN_REMOVE_DEVICE. A driver that refuses, or
 * an open file, keeps the device as it was: STATUS_DEVICE_BUSY for the latter.
 */
NTSTATUS IopRemoveDevice(PDEVICE_OBJECT Pdo);

/* The same for all devices that were started with that driver. */
void IopRemoveDevicesOf(PDRIVER_OBJECT Driver);

/*
 * Loads the image in fw_cfg file Name and calls its entry point. Says on the
 * console what is wrong if it cannot.
 */
NTSTATUS IopLoadDriver(const char *Name, PDRIVER_OBJECT *Driver);

/* DriverUnload, if there is one. */
void IopUnloadDriver(PDRIVER_OBJECT Driver);

/*
 * The module and offset an address lies in; false: in none. A module's name is
 * always the same pointer.
 */
BOOLEAN LdrpDescribe(ULONG_PTR Address, const char **Name, ULONG *Offset);

/* An entry of an image's exception directory; addresses from its start. */
typedef struct _LDRP_FUNCTION {
    ULONG Begin, End, UnwindInfo;
} LDRP_FUNCTION;

/*
 * The image an address lies in, and the function; *Function is NULL for one
 * that has no unwind data because it keeps no frame. False: in no image.
 */
BOOLEAN LdrpFindFunction(ULONG_PTR Address, ULONG_PTR *Image,
                         const LDRP_FUNCTION **Function);

void LdrpInitialize(const struct boot_block *Boot);

#endif
