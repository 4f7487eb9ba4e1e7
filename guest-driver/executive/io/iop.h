/*
 * Inside the I/O manager.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_IO_IOP_H
#define EXECUTIVE_IO_IOP_H

#include "executive.h"

#include "pci.h"

#define IOP_TAG             'poI '

/* Behind DEVICE_OBJECT.DeviceObjectExtension, which is the system's own. */
typedef struct _IOP_EXTENSION {
    PDEVICE_OBJECT AttachedTo;
    POWER_STATE SystemPower;    /* as PoSetPowerState was told */
    POWER_STATE DevicePower;
    PDRIVER_OBJECT Service;     /* of a PDO: the driver that it is started with */
    BOOLEAN RemoveAtLastClose;  /* of a PDO: IRP_MN_REMOVE_DEVICE is due then */
} IOP_EXTENSION;

IOP_EXTENSION *IopExtension(PDEVICE_OBJECT DeviceObject);

/* Called once, when the last reference has gone; frees the body itself. */
typedef void IOP_DELETE(PVOID Object);

/*
 * A reference-counted object: zeroed, one reference. NULL: no memory.
 */
PVOID IopCreateObject(SIZE_T Size, IOP_DELETE *Delete);

/* Frees the memory of an object; for IOP_DELETE routines. */
void IopFreeObject(PVOID Object);

/* The boot command line. */
const char *IopCommandLine(void);

/* The device object that Name leads to, through symbolic links, or NULL. */
PDEVICE_OBJECT IopFindDevice(PCUNICODE_STRING Name);

/*
 * The same for a name behind which more may follow: Rest is then the part from
 * the next backslash on, else empty.
 */
PDEVICE_OBJECT IopParseName(PCUNICODE_STRING Name, PUNICODE_STRING Rest);

/*
 * A file on the device, by IRP_MJ_CREATE; Name is what the driver sees of the
 * path, Related the file that it is relative to, or NULL. Its last reference
 * sends IRP_MJ_CLOSE, IopCleanUp() IRP_MJ_CLEANUP. PASSIVE_LEVEL.
 */
NTSTATUS IopOpen(PDEVICE_OBJECT Device, PCUNICODE_STRING Name,
                 PFILE_OBJECT Related, PFILE_OBJECT *File);
void IopCleanUp(PFILE_OBJECT File);

/* Closes a handle of such a file; false: it is none. */
bool IopCloseFileHandle(HANDLE Handle);

/* Names a device object; it may have several names. Takes one away. */
NTSTATUS IopNameDevice(PCUNICODE_STRING Name, PDEVICE_OBJECT Device);
void IopForgetName(PCUNICODE_STRING Name);

/* The interfaces of a PDO that goes. */
void IopForgetInterfaces(PDEVICE_OBJECT Pdo);

/* All names and interfaces of a device object. */
void IopForgetDevice(PDEVICE_OBJECT Device);

/*
 * Sends Irp, whose next stack location is set, to Device and waits for it.
 * Frees the IRP. PASSIVE_LEVEL.
 */
NTSTATUS IopCallAndWait(PDEVICE_OBJECT Device, PIRP Irp);

/* Finds PCI functions and makes a device object (PDO) for each. */
void IopEnumeratePci(void);

/* The same for the cards on the ISA bus that are known. */
void IopEnumerateIsa(void);

/* Theirs, as the routines below have it for any PDO. */
BOOLEAN IopIsIsaPdo(PDEVICE_OBJECT Pdo);
PDEVICE_OBJECT IopNextIsaPdo(PDEVICE_OBJECT Previous);
void IopIsaIds(PDEVICE_OBJECT Pdo, PCI_IDS *Ids);
PCM_RESOURCE_LIST IopIsaResources(PDEVICE_OBJECT Pdo);

/* One more of a list that has room for it; the device's alone, unless the caller
   shares it. */
PCM_PARTIAL_RESOURCE_DESCRIPTOR IopAddResource(PCM_RESOURCE_LIST List,
                                               UCHAR Type, USHORT Flags);

/* A driver object with default dispatch routines. NULL: no memory. */
PDRIVER_OBJECT IopCreateDriver(void);

/* The PDO after Previous (NULL: the first), and what it is known by. */
PDEVICE_OBJECT IopNextPdo(PDEVICE_OBJECT Previous);
void IopPdoIds(PDEVICE_OBJECT Pdo, PCI_IDS *Ids);

/* The vector of an interrupt line, off as yet; 0: there is none. */
ULONG IopLineVector(ULONG Line);

/* Switches the line that has the vector, if one has. Any IRQL. */
void IopEnableLine(ULONG Vector, BOOLEAN Enable);

/* Raw and translated resources of a PDO, for IRP_MN_START_DEVICE. */
PCM_RESOURCE_LIST IopPdoResources(PDEVICE_OBJECT Pdo);

/*
 * Other memory and another interrupt for a PDO that was stopped. FALSE: it has
 * to do with what it had, or some of it.
 */
BOOLEAN IopChangePdoResources(PDEVICE_OBJECT Pdo);

/*
 * From here on the function answers nothing and does no DMA: it is as if it was
 * pulled out. Its PDO goes with IRP_MN_REMOVE_DEVICE.
 */
void IopUnplugPdo(PDEVICE_OBJECT Pdo);

/* A new PDO for a function that was unplugged, not started; NULL: there is none. */
PDEVICE_OBJECT IopPlugPdo(void);

/* Where the PCI bus sees its function: its memory, its vector. 0: it is none. */
ULONGLONG IopPdoMemory(PDEVICE_OBJECT Pdo);
ULONG IopPdoVector(PDEVICE_OBJECT Pdo);

/*
 * IRP_MN_QUERY_STOP_DEVICE, IRP_MN_STOP_DEVICE, and IRP_MN_START_DEVICE with
 * other resources. A driver that refuses keeps what it has, and its status is
 * returned.
 */
NTSTATUS IopRebalanceDevice(PDEVICE_OBJECT Pdo);

/*
 * IRP_MN_SURPRISE_REMOVAL, and IRP_MN_REMOVE_DEVICE as soon as no file is open:
 * by the time this returns, or with IopFileClosed().
 */
void IopSurpriseRemoval(PDEVICE_OBJECT Pdo);

/* The last reference to a file of the device's stack may have gone. */
void IopFileClosed(PDEVICE_OBJECT Device);

/* What a system thread does, at PASSIVE_LEVEL, one after the other. */
typedef struct _IOP_WORK {
    LIST_ENTRY Link;
    void (*Routine)(struct _IOP_WORK *Work);
} IOP_WORK;

/* Starts that thread. */
void IopInitializeWork(void);

/* IRQL <= DISPATCH_LEVEL. Work is the thread's until it calls the routine. */
void IopQueueWork(IOP_WORK *Work);

/*
 * Asks the stack of each device that was started, and then tells it, as the
 * power manager does on the way to a sleeping state or back. A driver that
 * refuses stops it all, and its status is returned.
 */
NTSTATUS IopSetSystemPower(SYSTEM_POWER_STATE State);

/* The device of machine.c. */
void IopCreateMachine(void);

#endif
