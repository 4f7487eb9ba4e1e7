/* SPDX-License-Identifier: MIT */
/* selftest.sys: a filter on the device of the driver under test, and the machine's hand */
#ifndef PCMASTER_SELFTEST_FILTER_H
#define PCMASTER_SELFTEST_FILTER_H

#include "selftest.h"

#include "client.h"
#include "pcmaster_machine.h"

#define FILTER_SEEN_MAX             16

/* A request that came by, and what the filter does with it. */
struct seen {
    UCHAR major;
    UCHAR minor;
    UCHAR power_type;                       /* of IRP_MJ_POWER */
    ULONG power_state;
    KIRQL irql;
    ULONGLONG memory;                       /* of IRP_MN_START_DEVICE */
    ULONG vector;
};

struct filter {
    PDEVICE_OBJECT self;                    /* NULL: removed with the device */
    PDEVICE_OBJECT below;
    struct seen seen[FILTER_SEEN_MAX];
    ULONG count;
    UCHAR refuse_major;                     /* with refuse_minor: completed with an error */
    UCHAR refuse_minor;
    void (*passing)(UCHAR minor);           /* called for each PnP request; NULL: not */
    BOOLEAN keep;                           /* the next power request of the device's is kept */
    PIRP kept;
};

extern struct filter filter;

/* Puts the filter on top of the device's stack; false: the check has failed. */
bool filter_attach(void);
void filter_detach(void);

/* Completes the request that was kept. */
void filter_release(void);

/* Whether the requests seen, in order, are those of MAJOR with these minors; 0xff ends. */
bool filter_saw(UCHAR major, const UCHAR *minors);

/* Has it done to the machine; the status is that of what was done. */
NTSTATUS machine_act(enum pcm_machine_act wanted, struct pcm_machine *after);

#endif
