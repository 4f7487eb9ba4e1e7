/*
 * Inside the kernel: processors and threads.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_KE_KI_H
#define EXECUTIVE_KE_KI_H

#include "executive.h"

#define KI_PROCESSORS_MAX   64          /* bits of a KAFFINITY */
#define KI_STACK_SIZE       0x10000
#define KI_STACK_FATAL      8192

typedef enum _KI_THREAD_STATE {
    KiReady,
    KiRunning,
    KiWaiting,
    KiEnded,
} KI_THREAD_STATE;

/*
 * A thread belongs to one processor, its home, until it asks for another. The
 * threads of a processor take turns, at each tick of the clock.
 */
struct _KTHREAD {
    DISPATCHER_HEADER Header;           /* signalled when it has ended */
    LIST_ENTRY Link;                    /* in the list of all, or of the ended */
    KI_THREAD_STATE State;
    ULONG Home;
    KAFFINITY Affinity;                 /* as asked for; 0: any */
    PDISPATCHER_HEADER Object;          /* while it waits */
    ULONGLONG Due;                      /* interrupt time; 0: no limit */
    ULONGLONG Rsp;                      /* while it does not run */
    PVOID Stack;                        /* mapped, with unmapped pages around */
    PVOID StackPages;
    PKSTART_ROUTINE Routine;
    PVOID Context;
    NTSTATUS Status;
};

typedef struct __attribute__((packed)) _KI_TSS {
    ULONG Reserved0;
    ULONGLONG Rsp[3];
    ULONGLONG Reserved1;
    ULONGLONG Ist[7];
    ULONGLONG Reserved2;
    USHORT Reserved3, IoMap;
} KI_TSS;

/*
 * One processor, where GS points. The offsets up to Thread are those that
 * <ntddk.h>'s inline functions know.
 */
typedef struct __attribute__((aligned(64))) _KI_PCR {
    UCHAR Unused0[0x18];
    struct _KI_PCR *Self;
    PVOID Prcb;
    UCHAR Unused1[0x180 - 0x28];
    ULONG MxCsr;
    USHORT Number;
    USHORT Unused2;
    PKTHREAD Thread;

    UCHAR Unused3[0x200 - 0x190];
    ULONG ApicId;
    volatile LONG Started;
    volatile LONG Idle;                 /* halts, or is about to */
    volatile LONG64 TlbSeen;            /* as of the last flush; see smp.c */
    LIST_ENTRY Dpcs;
    volatile LONG Retiring;             /* runs DPCs */
    volatile LONG Preempt;              /* another thread's turn has come */
    PKTHREAD Ended;                     /* the thread that ran before, if it did */
    struct _KTHREAD IdleThread;
    ULONGLONG Gdt[6];
    KI_TSS Tss __attribute__((aligned(16)));
    UCHAR FatalStack[KI_STACK_FATAL] __attribute__((aligned(16)));
} KI_PCR;

_Static_assert(offsetof(KI_PCR, Self) == 0x18, "KPCR.Self");
_Static_assert(offsetof(KI_PCR, Prcb) == 0x20, "KPCR.CurrentPrcb");
_Static_assert(offsetof(KI_PCR, Number) == 0x184, "KPRCB.Number");
_Static_assert(offsetof(KI_PCR, Thread) == 0x188, "KPRCB.CurrentThread");

/* By number; the one that booted is 0. */
extern KI_PCR *KiProcessors[KI_PROCESSORS_MAX];
extern volatile ULONG KiProcessorCount;

/* Of the processor that it runs on now: a thread may wake up on another. */
static inline KI_PCR *KiPcr(void)
{
    KI_PCR *pcr;

    __asm__ volatile("movq %%gs:0x18, %0" : "=r"(pcr));
    return pcr;
}

/* Descriptor tables and PCR of the calling processor. */
void KiInitializePcr(KI_PCR *Pcr, ULONG Number);

/* --- smp.c ---------------------------------------------------------------- */

/* At the end of a time in which the processor was Idle. */
void KiLeaveIdle(KI_PCR *Pcr);

/* Interrupts a processor so that it looks for DPCs and threads. */
void KiWakeProcessor(KI_PCR *Pcr);

/* --- thread.c; "locked": the caller holds the dispatcher's lock ------------- */

/* The calling processor's own flow of control becomes a thread. */
void KiAdoptThread(PKTHREAD Thread);

/* What the calling processor runs when nothing else can. False: no memory. */
bool KiMakeIdleThread(void);

/* Gives a new thread its stack; false: no memory. */
bool KiMakeStack(PKTHREAD Thread);

/* Whether the thread can go on. Locked. */
bool KiIsRunnable(const struct _KTHREAD *Thread);

/*
 * The current thread, whose State is not KiRunning any more, gives up the
 * processor. Returns when it runs again, perhaps on another. Locked.
 */
void KiSwitchAway(void);

/* Makes processors look that are idle, but have a thread that can go on. Locked. */
void KiWakeRunnable(void);

/* Threads that KiPreemptThreads() is for: more than processors run at most. */
extern volatile LONG KiThreadCount;

/* Lets the next thread run wherever there is one. Locked. */
void KiPreemptThreads(void);

/* The current thread's turn is over. Below DISPATCH_LEVEL. */
void KiYield(void);

/* What a processor does when there is nothing else. */
void __attribute__((noreturn)) KiIdleLoop(void);

/* Frees threads that have ended. PASSIVE_LEVEL, not locked. */
void KiReapThreads(void);

/* --- wait.c ------------------------------------------------------------------ */

KIRQL KiLockDispatcher(void);
void KiUnlockDispatcher(KIRQL Irql);

#endif
