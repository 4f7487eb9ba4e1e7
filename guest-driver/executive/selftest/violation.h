/* SPDX-License-Identifier: MIT */
/* violation.sys: mistakes that drivers make */
#ifndef PCMASTER_VIOLATION_H
#define PCMASTER_VIOLATION_H

#include <ntddk.h>

#include <stdbool.h>

#include "wdm3.h"

#define VIOLATION_TAG               0x6c6f6956u     /* "Viol" */

struct violation {
    const char *name;
    void (*commit)(PDRIVER_OBJECT driver);
};

/* An entry without a name ends each. */
extern const struct violation memory_violations[],
    pnp_violations[], portcls_violations[], system_violations[];

#endif /* PCMASTER_VIOLATION_H */
