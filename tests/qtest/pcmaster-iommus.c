/*
 * pcmaster qtests: drivers of IOMMUs, by the specifications of their makers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/bswap.h"
#include "pcmaster-iommu.h"
#include "libqos/malloc-pc.h"
#include "libqos/virtio-pci.h"
#include "standard-headers/linux/virtio_iommu.h"

#define DEVFN           QPCI_DEVFN(4, 0)
#define DOMAIN          1
#define TABLES          0x100000        /* what IOMMUs have in memory */
#define ROOT            (TABLES + 0x0000)
#define CONTEXT         (TABLES + 0x1000)
#define DIRECTORY       (TABLES + 0x2000)
#define PASID           (TABLES + 0x3000)
#define LEVEL(n)        (TABLES + 0x4000 + 0x1000 * (4 - (n)))
#define ENTRIES         512             /* of a table */

/*
 * One table of each level above the first, and as many of the first as
 * IOMMU_PAGES fill, one after the other.
 * @above: bits of an entry that leads from @level to the next one, by level
 */
static void link_tables(Dut *d, unsigned top, const uint64_t *above)
{
    qtest_memset(d->qts, LEVEL(4), 0,
                 LEVEL(1) - LEVEL(4) + 8 * IOMMU_PAGES);
    for (unsigned level = top; level > 2; level--) {
        qtest_writeq(d->qts, LEVEL(level), LEVEL(level - 1) | above[level]);
    }
    for (unsigned i = 0; i < IOMMU_PAGES / ENTRIES; i++) {
        qtest_writeq(d->qts, LEVEL(2) + 8 * i,
                     (LEVEL(1) + i * IOMMU_PAGE) | above[2]);
    }
}

static void set_leaf(Dut *d, unsigned page, uint64_t entry)
{
    g_assert_cmpuint(page, <, IOMMU_PAGES);
    qtest_writeq(d->qts, LEVEL(1) + 8 * page, entry);
}

/* --- Intel VT-d --------------------------------------------------------- */

#define VTD             0xfed90000u
#define VTD_ECAP        (VTD + 0x10)
#define VTD_GCMD        (VTD + 0x18)
#define VTD_GCMD_TE     (1u << 31)
#define VTD_GCMD_SRTP   (1u << 30)
#define VTD_RTADDR      (VTD + 0x20)
#define VTD_RTADDR_SMT  (1u << 10)
#define VTD_IOTLB_ALL   (1ull << 63 | 1ull << 60)
#define VTD_PRESENT     1ull
#define VTD_WIDTH_39    (1u << 2)       /* of a PASID's entry */
#define VTD_FIRST       (1u << 6)
#define VTD_SECOND      (2u << 6)

static void vtd_forget(Dut *d)
{
    uint64_t iro = extract64(qtest_readq(d->qts, VTD_ECAP), 8, 10);

    qtest_writeq(d->qts, VTD + 16 * iro + 8, VTD_IOTLB_ALL);
}

static void vtd_enable(Dut *d, uint64_t root)
{
    qtest_writeq(d->qts, VTD_RTADDR, root);
    qtest_writel(d->qts, VTD_GCMD, VTD_GCMD_SRTP);
    qtest_writel(d->qts, VTD_GCMD, VTD_GCMD_TE);
}

static void vtd_link_second_stage(Dut *d)
{
    static const uint64_t above[] = { 0, 0, IOMMU_BOTH, IOMMU_BOTH };

    link_tables(d, 3, above);
}

static void vtd_start(Dut *d)
{
    qtest_memset(d->qts, TABLES, 0, LEVEL(4) - TABLES);
    vtd_link_second_stage(d);
    qtest_writeq(d->qts, ROOT, CONTEXT | VTD_PRESENT);
    qtest_writeq(d->qts, CONTEXT + 16 * DEVFN, LEVEL(3) | VTD_PRESENT);
    qtest_writeq(d->qts, CONTEXT + 16 * DEVFN + 8, DOMAIN << 8 | 1);
    vtd_enable(d, ROOT);
}

static void vtd_map(Dut *d, unsigned page, uint64_t address, unsigned access)
{
    set_leaf(d, page, access ? address | access : 0);
    vtd_forget(d);
}

/* Requests without PASID are those of PASID 0. */
static void vtd_start_scalable(Dut *d, uint64_t entry, uint64_t pointer)
{
    qtest_memset(d->qts, TABLES, 0, LEVEL(4) - TABLES);
    qtest_writeq(d->qts, ROOT, CONTEXT | VTD_PRESENT);
    qtest_writeq(d->qts, CONTEXT + 32 * DEVFN, DIRECTORY | VTD_PRESENT);
    qtest_writeq(d->qts, DIRECTORY, PASID | VTD_PRESENT);
    qtest_writeq(d->qts, PASID, entry | VTD_PRESENT);
    qtest_writeq(d->qts, PASID + 8, DOMAIN);
    qtest_writeq(d->qts, PASID + 16, pointer);
    vtd_enable(d, ROOT | VTD_RTADDR_SMT);
}

static void vtd_start_second_stage(Dut *d)
{
    vtd_link_second_stage(d);
    vtd_start_scalable(d, LEVEL(3) | VTD_WIDTH_39 | VTD_SECOND, 0);
}

#define X86_PRESENT     (1u << 0)
#define X86_WRITABLE    (1u << 1)
#define X86_USER        (1u << 2)
#define X86_ALL         (X86_PRESENT | X86_WRITABLE | X86_USER)

static void vtd_start_first_stage(Dut *d)
{
    static const uint64_t above[] = { 0, 0, X86_ALL, X86_ALL, X86_ALL };

    link_tables(d, 4, above);
    vtd_start_scalable(d, VTD_FIRST, LEVEL(4));
}

static void vtd_map_first_stage(Dut *d, unsigned page, uint64_t address,
                                unsigned access)
{
    set_leaf(d, page, !access ? 0 : address | X86_PRESENT | X86_USER |
                      (access & IOMMU_WRITE ? X86_WRITABLE : 0));
    vtd_forget(d);
}

/* --- AMD-Vi ------------------------------------------------------------- */

#define AMD             0xfed80000u
#define AMD_DEVICES     (AMD + 0x00)
#define AMD_COMMANDS    (AMD + 0x08)
#define AMD_COMMANDS_LOG2(n)    ((uint64_t)(n) << 56)
#define AMD_CONTROL     (AMD + 0x18)
#define AMD_ENABLE      (1u << 0)
#define AMD_ENABLE_COMMANDS (1u << 12)
#define AMD_TAIL        (AMD + 0x2008)
#define AMD_FORGET_DEVICE   (2ull << 60 | DEVFN)
#define AMD_FORGET_PAGES    (3ull << 60 | (uint64_t)DOMAIN << 32)
#define AMD_ALL_PAGES   0x7ffffffffffff001ull
#define AMD_PRESENT     (1ull << 0)
#define AMD_TRANSLATES  (1ull << 1)
#define AMD_NEXT(level) ((uint64_t)(level) << 9)
#define AMD_READ        (1ull << 61)
#define AMD_WRITE       (1ull << 62)

static void amd_command(Dut *d, uint64_t low, uint64_t high)
{
    uint64_t tail = qtest_readq(d->qts, AMD_TAIL);

    qtest_writeq(d->qts, PASID + tail, low);
    qtest_writeq(d->qts, PASID + tail + 8, high);
    qtest_writeq(d->qts, AMD_TAIL, (tail + 16) % 4096);
}

static void amd_start(Dut *d)
{
    uint64_t all = AMD_PRESENT | AMD_READ | AMD_WRITE;
    const uint64_t above[] = { 0, 0, all | AMD_NEXT(1), all | AMD_NEXT(2) };

    qtest_memset(d->qts, TABLES, 0, LEVEL(4) - TABLES);
    link_tables(d, 3, above);
    qtest_writeq(d->qts, ROOT + 32 * DEVFN,
                 LEVEL(3) | all | AMD_TRANSLATES | AMD_NEXT(3));
    qtest_writeq(d->qts, ROOT + 32 * DEVFN + 8, DOMAIN);
    qtest_writeq(d->qts, AMD_DEVICES, ROOT | 1);
    qtest_writeq(d->qts, AMD_COMMANDS, PASID | AMD_COMMANDS_LOG2(8));
    qtest_writeq(d->qts, AMD_CONTROL, AMD_ENABLE | AMD_ENABLE_COMMANDS);
    amd_command(d, AMD_FORGET_DEVICE, 0);
}

static void amd_map(Dut *d, unsigned page, uint64_t address, unsigned access)
{
    uint64_t entry = address | AMD_PRESENT |
                     (access & IOMMU_READ ? AMD_READ : 0) |
                     (access & IOMMU_WRITE ? AMD_WRITE : 0);

    set_leaf(d, page, access ? entry : 0);
    amd_command(d, AMD_FORGET_PAGES, AMD_ALL_PAGES);
}

/* --- virtio-iommu ------------------------------------------------------- */

#define VIRTIO_TIMEOUT_US   (30 * 1000 * 1000)

typedef struct VirtioIommu {
    QGuestAllocator memory;
    QVirtioPCIDevice *pci;
    QVirtQueue *queue;
    QVirtQueue *reports;
    uint64_t request;
    uint64_t answer;
    unsigned char mapped[IOMMU_PAGES];
} VirtioIommu;

static VirtioIommu *virtio;     /* of the machine under test */

static void virtio_ask(Dut *d, const void *request, size_t size)
{
    struct virtio_iommu_req_tail answer;
    QVirtioDevice *dev = &virtio->pci->vdev;
    uint32_t head;

    /* What was asked before is answered: all descriptors are free again. */
    virtio->queue->free_head = 0;
    virtio->queue->num_free = virtio->queue->size;
    qtest_memwrite(d->qts, virtio->request, request, size);
    head = qvirtqueue_add(d->qts, virtio->queue, virtio->request, size, false,
                          true);
    qvirtqueue_add(d->qts, virtio->queue, virtio->answer, sizeof(answer), true,
                   false);
    qvirtqueue_kick(d->qts, dev, virtio->queue, head);
    qvirtio_wait_used_elem(d->qts, dev, virtio->queue, head, NULL,
                           VIRTIO_TIMEOUT_US);
    qtest_memread(d->qts, virtio->answer, &answer, sizeof(answer));
    g_assert_cmpuint(answer.status, ==, VIRTIO_IOMMU_S_OK);
}

/* After the test, when QEMU has gone: only what this process holds. */
static void virtio_forget(void *opaque)
{
    VirtioIommu *old = opaque;
    QVirtioDevice *dev = &old->pci->vdev;

    qvirtqueue_cleanup(dev->bus, old->queue, &old->memory);
    qvirtqueue_cleanup(dev->bus, old->reports, &old->memory);
    alloc_destroy(&old->memory);
    g_free(old->pci->pdev);
    g_free(old->pci);
    g_free(old);
}

static void virtio_start(Dut *d)
{
    struct virtio_iommu_req_attach request = {
        .head.type = VIRTIO_IOMMU_T_ATTACH,
        .domain = cpu_to_le32(DOMAIN),
        .endpoint = cpu_to_le32(d->dev->devfn),
    };
    QPCIAddress address = { .devfn = QPCI_DEVFN(6, 0) };
    uint64_t features;

    virtio = g_new0(VirtioIommu, 1);
    pc_alloc_init(&virtio->memory, d->qts, ALLOC_NO_FLAGS);
    virtio->pci = virtio_pci_new(d->bus, &address);
    g_assert_nonnull(virtio->pci);
    qvirtio_pci_device_enable(virtio->pci);
    qvirtio_start_device(&virtio->pci->vdev);
    features = qvirtio_get_features(&virtio->pci->vdev);
    qvirtio_set_features(&virtio->pci->vdev,
                         features & ~(QVIRTIO_F_BAD_FEATURE |
                                      1ull << VIRTIO_RING_F_INDIRECT_DESC |
                                      1ull << VIRTIO_RING_F_EVENT_IDX));
    virtio->queue = qvirtqueue_setup(&virtio->pci->vdev, &virtio->memory, 0);
    virtio->reports = qvirtqueue_setup(&virtio->pci->vdev, &virtio->memory, 1);
    qvirtio_set_driver_ok(&virtio->pci->vdev);
    g_test_queue_destroy(virtio_forget, virtio);
    virtio->request = guest_alloc(&virtio->memory, IOMMU_PAGE);
    virtio->answer = guest_alloc(&virtio->memory, IOMMU_PAGE);
    virtio_ask(d, &request, offsetof(struct virtio_iommu_req_attach, tail));
}

static void virtio_unmap(Dut *d, uint64_t first)
{
    struct virtio_iommu_req_unmap request = {
        .head.type = VIRTIO_IOMMU_T_UNMAP,
        .domain = cpu_to_le32(DOMAIN),
        .virt_start = cpu_to_le64(first),
        .virt_end = cpu_to_le64(first + IOMMU_PAGE - 1),
    };

    virtio_ask(d, &request, offsetof(struct virtio_iommu_req_unmap, tail));
}

static void virtio_map(Dut *d, unsigned page, uint64_t address,
                       unsigned access)
{
    uint64_t first = page * IOMMU_PAGE;
    struct virtio_iommu_req_map request = {
        .head.type = VIRTIO_IOMMU_T_MAP,
        .domain = cpu_to_le32(DOMAIN),
        .virt_start = cpu_to_le64(first),
        .virt_end = cpu_to_le64(first + IOMMU_PAGE - 1),
        .phys_start = cpu_to_le64(address),
        .flags = cpu_to_le32(
            (access & IOMMU_READ ? VIRTIO_IOMMU_MAP_F_READ : 0) |
            (access & IOMMU_WRITE ? VIRTIO_IOMMU_MAP_F_WRITE : 0)),
    };

    if (virtio->mapped[page]) {
        virtio_unmap(d, first);
    }
    virtio->mapped[page] = access;
    if (access) {
        virtio_ask(d, &request, offsetof(struct virtio_iommu_req_map, tail));
    }
}

void reporting_iommu_start(Dut *d)
{
    virtio_start(d);
}

void reporting_iommu_aim(Dut *d, uint64_t address, unsigned spared)
{
    const uint32_t head = offsetof(struct virtio_iommu_fault, address);
    uint64_t away = guest_alloc(&virtio->memory, IOMMU_PAGE);

    for (unsigned i = 0; i <= spared; i++) {
        uint32_t first = qvirtqueue_add(d->qts, virtio->reports, away, head,
                                        true, true);

        qvirtqueue_add(d->qts, virtio->reports, i < spared ? away : address,
                       sizeof(struct virtio_iommu_fault) - head, true, false);
        qvirtqueue_kick(d->qts, &virtio->pci->vdev, virtio->reports, first);
    }
}

const Iommu iommus[] = {
    { "intel", "intel-iommu", NULL, true, vtd_start, vtd_map },
    { "intel-caching", "intel-iommu,caching-mode=on", NULL, true,
      vtd_start, vtd_map },
    { "intel-second-stage", "intel-iommu,x-scalable-mode=on", NULL, true,
      vtd_start_second_stage, vtd_map },
    { "intel-first-stage", "intel-iommu,x-scalable-mode=on,x-flts=on", NULL,
      false, vtd_start_first_stage, vtd_map_first_stage },
    { "amd", "amd-iommu", "dma-remap", true, amd_start, amd_map },
    { "virtio", "virtio-iommu-pci,addr=6.0", NULL, true, virtio_start,
      virtio_map },
};
const unsigned iommu_count = ARRAY_SIZE(iommus);

static bool has_property(const char *type, const char *name)
{
    QTestState *qts = qtest_init("-machine none");
    QDict *properties = dut_list_properties(qts, type);
    bool found = qdict_haskey(properties, name);

    qobject_unref(properties);
    qtest_quit(qts);
    return found;
}

char *iommu_machine(const Iommu *iommu)
{
    bool remap = iommu->remap && has_property(iommu->device, iommu->remap);

    return g_strdup_printf("q35 -device %s%s%s%s", iommu->device,
                           remap ? "," : "", remap ? iommu->remap : "",
                           remap ? "=on" : "");
}
