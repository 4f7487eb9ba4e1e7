/* SPDX-License-Identifier: MIT */
/*
 * What is done to a machine from outside: a card is pulled out and put back,
 * resources are dealt anew, the system sleeps and wakes
 *
 * The executive's device \Device\Machine does it to the driver's first device,
 * by I/O control codes that take nothing and return struct pcm_machine.  No
 * driver has anything to do with it: it only sees the requests that follow.
 */
#ifndef PCMASTER_MACHINE_H
#define PCMASTER_MACHINE_H

#include <stdint.h>

/* METHOD_BUFFERED, as PCM_IOCTL(). */
#define PCM_MACHINE_IOCTL(act)      (0x8d01u << 16 | 3u << 14 | (0x800u + (act)) << 2)

enum pcm_machine_act {
    PCM_MACHINE_LOOK,
    PCM_MACHINE_REBALANCE,          /* stop, and start with other memory and another interrupt */
    PCM_MACHINE_UNPLUG,             /* surprise removal */
    PCM_MACHINE_PLUG,               /* the same card once more, with its driver */
    PCM_MACHINE_EJECT,              /* removal that the driver may refuse */
    PCM_MACHINE_SLEEP,              /* S3 */
    PCM_MACHINE_WAKE,
    PCM_MACHINE_ACTS
};

/* Afterwards. */
struct pcm_machine {
    uint32_t status;                /* of what was done, PCM_STATUS_ */
    uint32_t present;               /* there is a device with a driver */
    uint64_t memory;                /* its first range of memory, as the bus has it */
    uint32_t vector;                /* its interrupt */
    uint32_t power;                 /* 1: D0, 2: D1, 3: D2, 4: D3 */
    uint64_t object;                /* its PDO, for those who share the executive's memory */
};

#endif /* PCMASTER_MACHINE_H */
