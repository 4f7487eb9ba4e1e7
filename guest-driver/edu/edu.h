/* SPDX-License-Identifier: MIT */
/*
 * edu.sys: a driver for QEMU's educational device
 *
 * Written against the documents alone: docs/specs/edu.rst of QEMU for the
 * device ("the specification" below), the driver kit's for Windows.  It shows
 * what any driver does, and tells by DbgPrint, as TAP, how it went.
 */
#ifndef EDU_H
#define EDU_H

#include <wdm.h>

#include "wdm3.h"

#define EDU_TAG                     0x20756465u     /* "edu " */

/* Registers, offsets into the first memory range. */
#define EDU_ID                      0x00
#define   EDU_ID_MASK               0x0000ffffu
#define   EDU_ID_VALUE              0x000000edu
#define EDU_LIVENESS                0x04
#define EDU_FACTORIAL               0x08
#define EDU_STATUS                  0x20
#define   EDU_STATUS_COMPUTING      0x01u
#define   EDU_STATUS_INTERRUPT      0x80u
#define EDU_CAUSES                  0x24
#define EDU_RAISE                   0x60
#define EDU_ACKNOWLEDGE             0x64
#define EDU_DMA_SOURCE              0x80
#define EDU_DMA_DESTINATION         0x88
#define EDU_DMA_COUNT               0x90
#define EDU_DMA_COMMAND             0x98
#define   EDU_DMA_START             0x01u
#define   EDU_DMA_TO_RAM            0x02u
#define   EDU_DMA_INTERRUPT         0x04u
#define   EDU_CAUSE_DMA             0x100u

/* The device's own memory, by the addresses that its DMA engine uses. */
#define EDU_BUFFER                  0x40000u
#define EDU_BUFFER_BYTES            4096u
#define EDU_REGISTERS_BYTES         0x100000u
/* The address lines that it has. */
#define EDU_ADDRESS_BITS            28
#define EDU_ADDRESS_LAST            ((1ull << EDU_ADDRESS_BITS) - 1)

struct edu {
    PDEVICE_OBJECT self;
    PDEVICE_OBJECT physical;
    PDEVICE_OBJECT lower;
    IO_REMOVE_LOCK remove_lock;
    volatile UCHAR *registers;          /* NULL: not started */
    PKINTERRUPT interrupt;
    PDMA_ADAPTER dma;
    KDPC dpc;
    volatile LONG causes;               /* that the DPC has not seen */
    volatile LONG seen;                 /* all that came since they were last taken */
    KEVENT interrupted;                 /* something was added to seen */
};

static inline ULONG edu_read(const struct edu *edu, ULONG offset)
{
    return READ_REGISTER_ULONG((PULONG)(edu->registers + offset));
}

/* wdm.h of mingw-w64 lets the compiler move stores to memory behind the write. */
static inline void edu_write(const struct edu *edu, ULONG offset, ULONG value)
{
    __asm__ __volatile__("" ::: "memory");
    WRITE_REGISTER_ULONG((PULONG)(edu->registers + offset), value);
}

/* --- hardware.c ------------------------------------------------------------ */

/* PASSIVE_LEVEL.  Once, before the device is started. */
void hardware_init(struct edu *edu);

/* PASSIVE_LEVEL.  RESOURCES: translated.  On failure nothing is left to stop. */
NTSTATUS hardware_start(struct edu *edu, const CM_RESOURCE_LIST *resources);

/* PASSIVE_LEVEL.  Harmless where nothing was started. */
void hardware_stop(struct edu *edu);

/*
 * PASSIVE_LEVEL.  Waits for an interrupt with one of these causes, and forgets
 * them.  0: none came; else all that came.
 */
ULONG hardware_wait(struct edu *edu, ULONG causes);

/* --- transfer.c ------------------------------------------------------------ */

/* PASSIVE_LEVEL.  Gets the adapter, which hardware_stop gives back. */
NTSTATUS transfer_init(struct edu *edu);

/* What a transfer came to. */
struct outcome {
    NTSTATUS status;
    ULONGLONG lowest, highest;          /* logical addresses that the device was given */
    ULONG pieces;
    ULONG wrong;                        /* bytes that are not what was sent */
};

/* PASSIVE_LEVEL.  There and back: through a common buffer, and by packets. */
void transfer_common_buffer(struct edu *edu, struct outcome *outcome);
void transfer_packets(struct edu *edu, struct outcome *outcome);

/* --- show.c ---------------------------------------------------------------- */

/* PASSIVE_LEVEL.  Tries everything, and reports each thing that it tried. */
void show(struct edu *edu);

/* Reports how many results there were, of all devices. */
void show_plan(void);

#endif /* EDU_H */
