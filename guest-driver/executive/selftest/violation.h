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
extern const struct violation dma_violations[], memory_violations[], system_violations[];

/* A common buffer of two pages and what it belongs to. */
struct buffer {
    PDMA_ADAPTER adapter;
    PDMA_OPERATIONS3 call;
    PHYSICAL_ADDRESS logical;
    PUCHAR address;
};

#define BUFFER_LENGTH               (2 * PAGE_SIZE)

/* PASSIVE_LEVEL; ends the run if the executive cannot give what it needs. */
PDMA_ADAPTER adapter_new(void);
struct buffer buffer_new(void);

/* As it should be done. */
void buffer_free(const struct buffer *buffer);

#endif /* PCMASTER_VIOLATION_H */
