/*
 * What hal.dll exports to ntoskrnl.exe beyond the documented routines.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_HALP_H
#define EXECUTIVE_HALP_H

#include "executive.h"

struct _DEVICE_DESCRIPTION;

/*
 * Maps the local APIC and the HPET and enables the APIC of the calling
 * processor. False: the machine lacks one of them.
 */
BOOLEAN HalpInitialize(ULONGLONG HpetAddress);

/*
 * Chooses the Windows whose DMA interface is offered, by "platform=" on the
 * command line. FALSE: none of that name is known.
 */
BOOLEAN HalpSelectPlatform(void);

/*
 * Switches the IOMMUs of the DMAR on: from here on devices reach what their
 * domains map, and nothing else. Where there is no IOMMU it does nothing.
 */
void HalpInitializeRemapping(void);

/* Ends the interrupt in service with the highest priority. */
void HalpEndOfInterrupt(void);

/* Enables the APIC of another processor, which calls it. */
void HalpEnableApic(void);

/* The calling processor's. */
ULONG HalpApicId(void);

/* Interrupts another processor. Any IRQL. */
void HalpSendInterrupt(ULONG ApicId, ULONG Vector);

/* INIT, and a start-up message: it begins at Page, below 1 MiB, in real mode. */
void HalpResetProcessor(ULONG ApicId);
void HalpStartProcessor(ULONG ApicId, ULONG Page);

/* Interrupts the calling processor at Vector, as soon as its IRQL allows. */
void HalpRequestSoftwareInterrupt(ULONG Vector);

/* Interrupts at Vector, Frequency times a second, from now on. */
void HalpStartClock(ULONG Vector, ULONG Frequency);

/*
 * Has an interrupt line, by its global number, interrupt the processor that boots
 * at Vector, as long as it is up; or switches it off. FALSE: no I/O APIC has it.
 */
BOOLEAN HalpRouteLine(ULONG Line, ULONG Vector, BOOLEAN Enable);

/* Address and data of a message that interrupts this processor at Vector. */
void HalpGetMessage(ULONG Vector, ULONGLONG *Address, ULONG *Data);

/* IoGetDmaAdapter's work, at PASSIVE_LEVEL. */
PDMA_ADAPTER HalpCreateDmaAdapter(PDEVICE_OBJECT Pdo,
                              struct _DEVICE_DESCRIPTION *Description,
                              ULONG *NumberOfMapRegisters);

/*
 * "verify=off" on the command line turns the verifier of DMA off. FALSE: it is
 * neither "off" nor "on".
 */
BOOLEAN HalpInitializeVerifier(void);

/* Stops if Routine was called above that IRQL: for routines of no adapter. */
void HalpRequireIrql(PCSTR Routine, KIRQL Highest);

/* Stops if Routine is about to free memory of a common buffer at Address. */
void HalpCheckFree(PVOID Address, PCSTR Routine);

/* Whether mistakes of drivers stop the run. */
BOOLEAN HalpIsVerifying(void);

/* Stops if there is an adapter that PutDmaAdapter has not got back. */
void HalpCheckUnload(void);

/* Stops if one of those is of the device that has just been removed. */
void HalpCheckRemoved(PDEVICE_OBJECT Pdo);

/* Stops if an IOMMU's logical addresses are in use that nobody has any more. */
void HalpCheckDomains(void);

/* Stops if what surrounds any common buffer was written to. PASSIVE_LEVEL. */
void HalpCheckAllBuffers(void);

/*
 * Says on the console whose common buffer a load or a store has missed that
 * found nothing mapped at Address. FALSE: none's. Any IRQL; the run must end.
 */
BOOLEAN HalpExplainFault(ULONG_PTR Address, BOOLEAN Write);

/*
 * AllocateCommonBuffer under the constraint of IDmaChannel::AllocateBuffer:
 * only the bits in Varying differ between any two bytes. Freed with
 * FreeCommonBuffer, CacheEnabled FALSE. PASSIVE_LEVEL.
 */
PVOID HalpAllocateConstrainedBuffer(PDMA_ADAPTER DmaAdapter, ULONG Length,
                                   ULONGLONG Varying,
                                   PPHYSICAL_ADDRESS LogicalAddress);

/*
 * Takes back an AllocateAdapterChannel with this context that waits. FALSE:
 * none does; its routine was called, or is being called.
 * IRQL <= DISPATCH_LEVEL.
 */
BOOLEAN HalpCancelChannel(PDMA_ADAPTER DmaAdapter, PVOID Context);

#endif
