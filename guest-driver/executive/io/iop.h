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

/* Sets or (Device NULL) removes the name of a device object. */
NTSTATUS IopNameDevice(PCUNICODE_STRING Name, PDEVICE_OBJECT Device);
void IopForgetDevice(PDEVICE_OBJECT Device);

/*
 * Sends Irp, whose next stack location is set, to Device and waits for it.
 * Frees the IRP. PASSIVE_LEVEL.
 */
NTSTATUS IopCallAndWait(PDEVICE_OBJECT Device, PIRP Irp);

/* Finds PCI functions and makes a device object (PDO) for each. */
void IopEnumeratePci(void);

/* A driver object with default dispatch routines. NULL: no memory. */
PDRIVER_OBJECT IopCreateDriver(void);

/* The PDO after Previous (NULL: the first), and what it is known by. */
PDEVICE_OBJECT IopNextPdo(PDEVICE_OBJECT Previous);
void IopPdoIds(PDEVICE_OBJECT Pdo, PCI_IDS *Ids);

/* Raw and translated resources of a PDO, for IRP_MN_START_DEVICE. */
PCM_RESOURCE_LIST IopPdoResources(PDEVICE_OBJECT Pdo);

#endif
