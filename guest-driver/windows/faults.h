/* SPDX-License-Identifier: MIT */
/* pcmaster-faulty.sys: what the files of its mistakes share */
#ifndef PCMASTER_FAULTS_H
#define PCMASTER_FAULTS_H

#include "pcmaster.h"

#define FAULT_SEED                  0x0123456789abcdefull
#define FAULT_CANDIDATES            256
#define ANYWHERE                    0ull

struct fault_run {
    struct device *device;
    struct pcm_fault_result *result;
    struct rules rules;
    struct adapter adapter;
    struct memory target;               /* what the device is to write to */
    struct memory victim;               /* innocent memory */
    PVOID claimed;                      /* its allocation, if it has its own */
    ULONG victim_offset;                /* of its data in the transfer */
    ULONG count;
    struct buffer buffers[FAULT_CANDIDATES];
};

/* A common buffer below MAXIMUM, which lives until the end; NULL: none left. */
struct buffer *take_buffer(struct fault_run *run, ULONGLONG maximum, ULONG length, ULONG node);

/* Makes the LENGTH bytes at PHYSICAL the victim; FALSE: they are in use. */
BOOLEAN claim(struct fault_run *run, ULONGLONG physical, ULONG length);

/* faults_iommu.c: give the device an address that no mapping is at. */
NTSTATUS prepare_stale_mapping(struct fault_run *run);
NTSTATUS prepare_physical_address(struct fault_run *run);

#endif /* PCMASTER_FAULTS_H */
