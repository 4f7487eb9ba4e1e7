/*
 * pcmaster qtests: IOMMUs that the device is behind
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_PCMASTER_IOMMU_H
#define TESTS_PCMASTER_IOMMU_H

#include "pcmaster-dut.h"

#define IOMMU_PAGE      4096ull
#define IOMMU_PAGES     2048            /* that can be mapped */
#define IOMMU_NOTHING   0               /* what a page lets pass */
#define IOMMU_READ      (1u << 0)
#define IOMMU_WRITE     (1u << 1)
#define IOMMU_BOTH      (IOMMU_READ | IOMMU_WRITE)

/* The part of an IOMMU's driver that the tests need. */
typedef struct Iommu {
    const char *name;
    const char *device;         /* and its options */
    const char *remap;          /* property without which newer ones pass all */
    bool write_only;            /* it has pages that cannot be read */
    /* From now on the device in slot 4 has what is mapped, and no more. */
    void (*start)(Dut *d);
    /* Page @page of the device is at @address: nothing of it is cached. */
    void (*map)(Dut *d, unsigned page, uint64_t address, unsigned access);
} Iommu;

extern const Iommu iommus[];
extern const unsigned iommu_count;

/* Returns: the machine that has the IOMMU, for dut_start(), to be freed */
char *iommu_machine(const Iommu *iommu);

/*
 * A virtio-iommu in slot 6, which tells its driver of denied accesses, and the
 * driver says where: to @address goes the address that was denied, 8 bytes.
 * It does so once, after @spared accesses have been told of elsewhere.
 */
#define REPORTING_IOMMU "q35 -device virtio-iommu-pci,addr=6.0"
void reporting_iommu_start(Dut *d);
void reporting_iommu_aim(Dut *d, uint64_t address, unsigned spared);

#endif /* TESTS_PCMASTER_IOMMU_H */
