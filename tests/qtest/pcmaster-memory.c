/*
 * pcmaster qtests: the memory that a transfer finds, its nodes and its kind
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pcmaster-bus.h"
#include "pcmaster-model.h"
#include "pcmaster-test.h"

/* --- Nodes -------------------------------------------------------------- */

#define NODES_BACKENDS \
    "q35 -object memory-backend-ram,id=m0,size=16M" \
    " -object memory-backend-ram,id=m1,size=32M" \
    " -object memory-backend-ram,id=m2,size=16M" \
    " -numa node,nodeid=0,memdev=m0,cpus=0" \
    " -numa node,nodeid=1,memdev=m1 -numa node,nodeid=2,memdev=m2" \
    " -numa node,nodeid=3 -smp 1"

static void check_node_rule(Dut *d)
{
    dut_write(d, PCM_NODE, 1);
    dut_exercise(d, PCM_EX_FILL, 16 * MiB, 64, 1, PCM_EX_OK, 64);
    g_assert_cmpuint(dut_read64(d, PCM_NODE_BYTES(0)), ==, 0);
    dut_exercise(d, PCM_EX_FILL, 48 * MiB - 64, 64, 1, PCM_EX_OK, 64);
    dut_expect_no_record(d);
    dut_exercise(d, PCM_EX_FILL, 16 * MiB - 1, 64, 1, PCM_EX_VIOLATION, 0);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_NODE, EX, true, PCM_POLICY_ABORT, 16 * MiB - 1, 64,
        1, 0, 16 * MiB - 1, PCM_LANDED_NOWHERE });
    dut_exercise(d, PCM_EX_CHECKSUM, 48 * MiB - 63, 64, 1,
                 PCM_EX_VIOLATION, 0);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_NODE, EX, false, PCM_POLICY_ABORT, 48 * MiB - 63, 64,
        1, 2, 48 * MiB, PCM_LANDED_NOWHERE });
    g_assert_cmpuint(dut_read64(d, PCM_NODE_BYTES(1)), ==, 0);

    dut_set_policies(d, PCM_POLICY_WRAP);
    dut_exercise(d, PCM_EX_FILL, 48 * MiB - 63, 64, 1, PCM_EX_OK, 64);
    g_assert_cmpuint(dut_read64(d, PCM_NODE_BYTES(1)), ==, 63);
    g_assert_cmpuint(dut_read64(d, PCM_NODE_BYTES(2)), ==, 1);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_NODE, EX, true, PCM_POLICY_WRAP, 48 * MiB - 63, 64,
        1, 2, 48 * MiB, 48 * MiB });

    /* A node with no memory, and one that there is not. */
    dut_write(d, PCM_NODE, 3);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 1, 1, PCM_EX_OK, 1);
    dut_write(d, PCM_NODE, 77);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 1, 1, PCM_EX_OK, 1);
    g_assert_cmpuint(dut_read(d, PCM_LOG_COUNT), ==, 2);
}

static void check_nodes(const char *machine)
{
    Dut *d = dut_start(machine, "");

    g_assert_cmpuint(dut_read(d, PCM_NODE_COUNT), ==, 4);
    g_assert_cmphex(dut_read(d, PCM_DEVICE_NODE), ==, PCM_NODE_ANY);
    g_assert_cmphex(dut_read64(d, PCM_NODE_LOWEST(0)), ==, 0);
    g_assert_cmphex(dut_read64(d, PCM_NODE_LOWEST(1)), ==, 16 * MiB);
    g_assert_cmphex(dut_read64(d, PCM_NODE_LOWEST(2)), ==, 48 * MiB);
    g_assert_cmphex(dut_read64(d, PCM_NODE_LOWEST(3)), ==, ONES);

    /* Without an expectation a transfer may be anywhere, and is counted. */
    dut_exercise(d, PCM_EX_FILL, 16 * MiB - 100, 300, 1, PCM_EX_OK, 300);
    g_assert_cmpuint(dut_read64(d, PCM_NODE_BYTES(0)), ==, 100);
    g_assert_cmpuint(dut_read64(d, PCM_NODE_BYTES(1)), ==, 200);
    g_assert_cmpuint(dut_read64(d, PCM_NODE_BYTES(2)), ==, 0);
    g_assert_cmpuint(dut_read(d, PCM_EX_NODELESS), ==, 0);

    check_node_rule(d);
    dut_stop(d);
}

static void test_nodes(void)
{
    check_nodes(NODES_BACKENDS);
}

/* Nodes that are parts of one block of RAM: only old machines have them. */
static void test_nodes_of_machine_ram(void)
{
    if (!qtest_has_machine("pc-q35-5.0")) {
        g_test_skip("no machine whose nodes share a block of RAM");
        return;
    }
    check_nodes("pc-q35-5.0 -numa node,nodeid=0,mem=16M,cpus=0"
                " -numa node,nodeid=1,mem=32M -numa node,nodeid=2,mem=16M"
                " -numa node,nodeid=3,mem=0 -smp 1");
}

/* Memory that is plugged in later is on the node of its device. */
static void test_node_of_dimm(void)
{
    Dut *d = dut_start(NODES_BACKENDS " -m slots=2,maxmem=1G"
                       " -object memory-backend-ram,id=m3,size=128M"
                       " -object memory-backend-ram,id=m4,size=128M"
                       " -device pc-dimm,memdev=m4,node=1", "");
    g_autofree char *answer = NULL;
    uint64_t address;

    g_assert_cmphex(dut_read64(d, PCM_NODE_LOWEST(3)), ==, ONES);
    answer = qtest_hmp(d->qts, "device_add pc-dimm,memdev=m3,node=3");
    g_assert_cmpstr(answer, ==, "");
    address = dut_read64(d, PCM_NODE_LOWEST(3));
    g_assert_cmphex(address, >=, 4 * GiB);
    g_assert_cmphex(address, !=, ONES);
    g_assert_cmphex(dut_read64(d, PCM_NODE_LOWEST(1)), ==, 16 * MiB);
    dut_write(d, PCM_NODE, 3);
    dut_exercise(d, PCM_EX_FILL, address, 64, 1, PCM_EX_OK, 64);
    g_assert_cmpuint(dut_read64(d, PCM_NODE_BYTES(3)), ==, 64);
    g_assert_cmpuint(dut_read(d, PCM_EX_NODELESS), ==, 0);
    g_assert_cmphex(qtest_readq(d->qts, address), ==, 1);
    dut_exercise(d, PCM_EX_FILL, address - 128 * MiB, 64, 1,
                 PCM_EX_VIOLATION, 0);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_NODE, EX, true, PCM_POLICY_ABORT, address - 128 * MiB, 64,
        3, 1, address - 128 * MiB, PCM_LANDED_NOWHERE });
    dut_stop(d);
}

/* Wrapped bytes are counted where they landed. */
static void test_node_of_wrapped_bytes(void)
{
    Dut *d = dut_start(NODES_BACKENDS, "");

    dut_write(d, PCM_ADDR_BITS, 24);
    dut_write(d, PCM_NODE, 1);
    dut_set_policies(d, PCM_POLICY_WRAP);
    dut_exercise(d, PCM_EX_FILL, 0x1000800, 0x1000, 1, PCM_EX_OK, 0x1000);
    g_assert_cmpuint(dut_read64(d, PCM_NODE_BYTES(0)), ==, 0x1000);
    g_assert_cmpuint(dut_read64(d, PCM_NODE_BYTES(1)), ==, 0);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_LIMIT, EX, true, PCM_POLICY_WRAP, 0x1000800, 0x1000,
        0xffffff, 0x10017ff, 0x1000800, 0x800 });
    dut_expect_no_record(d);
    dut_stop(d);
}

#define PXB_BUS         0x40

/* Behind a pxb and a root port: an endpoint that is on a node itself. */
static void test_node_of_device(void)
{
    Dut *d = dut_launch(NODES_BACKENDS
                        " -device pxb-pcie,id=pxb,bus_nr=64,bus=pcie.0,"
                        "numa_node=1 -device pcie-root-port,id=rp,bus=pxb,"
                        "addr=0,chassis=1 -device pcmaster,bus=rp");
    uint8_t cap;

    g_free(configure_port(d, PXB_BUS, 0));
    cap = qpci_find_capability(d->dev, PCI_CAP_ID_EXP, 0);
    g_assert_cmpuint(cap, !=, 0);
    g_assert_cmpuint((qpci_config_readw(d->dev, cap + PCI_EXP_FLAGS) &
                      PCI_EXP_FLAGS_TYPE) >> 4, ==, PCI_EXP_TYPE_ENDPOINT);
    g_assert_cmpuint(dut_read(d, PCM_DEVICE_NODE), ==, 1);
    dut_write(d, PCM_NODE, 1);
    dut_exercise(d, PCM_EX_FILL, 16 * MiB, 64, 1, PCM_EX_OK, 64);
    g_assert_cmpuint(dut_read64(d, PCM_NODE_BYTES(1)), ==, 64);
    dut_stop(d);
}

static void test_machine_without_numa(void)
{
    Dut *d = dut_start("q35", "");

    g_assert_cmpuint(dut_read(d, PCM_NODE_COUNT), ==, 1);
    dut_write(d, PCM_NODE, 0);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 100, 1, PCM_EX_OK, 100);
    g_assert_cmpuint(dut_read64(d, PCM_NODE_BYTES(0)), ==, 100);
    dut_stop(d);
}

/* --- Target ------------------------------------------------------------- */

static void check_target(Dut *d, uint32_t command, uint64_t address,
                         uint64_t fault, unsigned kind)
{
    dut_exercise(d, command, address, 64, 1, PCM_EX_VIOLATION, 0);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_TARGET, EX, command == PCM_EX_FILL, PCM_POLICY_ABORT,
        address, 64, PCM_TARGET_RAM, kind, fault, PCM_LANDED_NOWHERE });
    dut_expect_no_record(d);
}

static void test_target(void)
{
    Dut *d = dut_start("q35", "");
    uint64_t rom = 0xfffff000;

    check_target(d, PCM_EX_FILL, DUT_RAM_SIZE, DUT_RAM_SIZE,
                 PCM_TARGET_NOTHING);
    check_target(d, PCM_EX_FILL, DUT_RAM_SIZE - 32, DUT_RAM_SIZE,
                 PCM_TARGET_NOTHING);
    check_target(d, PCM_EX_CHECKSUM, 1ull << 40, 1ull << 40,
                 PCM_TARGET_NOTHING);
    check_target(d, PCM_EX_FILL, d->bar.addr + PCM_CTRL,
                 d->bar.addr + PCM_CTRL, PCM_TARGET_IO);
    check_target(d, PCM_EX_CHECKSUM, d->bar.addr, d->bar.addr,
                 PCM_TARGET_IO);
    check_target(d, PCM_EX_FILL, 0xfee00000, 0xfee00000, PCM_TARGET_IO);
    check_target(d, PCM_EX_FILL, rom, rom, PCM_TARGET_ROM);
    dut_exercise(d, PCM_EX_VERIFY, rom, 64, 1, PCM_EX_MISMATCH, 64);
    g_assert_cmpuint(dut_read(d, PCM_EX_MISMATCH_BYTES) >> 8, ==, DUT_ROM);
    g_assert_cmpuint(dut_read(d, PCM_EX_NODELESS), ==, 64);
    dut_stop(d);
}

/* Half of it is RAM: that half moves, the other is written to nothing. */
static void test_target_policies(void)
{
    uint64_t edge = DUT_RAM_SIZE;

    for (unsigned policy = PCM_POLICY_WRAP; policy <= PCM_POLICY_RECORD;
         policy++) {
        Dut *d = dut_start("q35", "");
        Model m = model_new(d);

        for (uint32_t i = 0; i < 24; i++) {
            model_page(&m, edge - 24)[4096 - 24 + i] = dut_pattern(5, i);
        }
        dut_set_policies(d, policy);
        dut_exercise(d, PCM_EX_FILL, edge - 24, 64, 5, PCM_EX_OK, 24);
        dut_expect_record(d, &(DutRecord) {
            PCM_RULE_TARGET, EX, true, policy, edge - 24, 64, PCM_TARGET_RAM,
            PCM_TARGET_NOTHING, edge, PCM_LANDED_NOWHERE });
        model_check(&m);
        /* What cannot be read arrives as 0xff. */
        dut_exercise(d, PCM_EX_VERIFY, edge - 24, 64, 5, PCM_EX_MISMATCH, 24);
        g_assert_cmpuint(dut_read(d, PCM_EX_FIRST_MISMATCH), ==, 24);
        g_assert_cmphex(dut_read(d, PCM_EX_MISMATCH_BYTES), ==,
                        0xff00 | dut_pattern(5, 24));
        /* The device's own registers stay as they are. */
        dut_write64(d, PCM_LIMIT, 0xfffffffffff);
        dut_exercise(d, PCM_EX_FILL, d->bar.addr + PCM_LIMIT, 8, 1,
                     PCM_EX_OK, 0);
        g_assert_cmphex(dut_read64(d, PCM_LIMIT), ==, 0xfffffffffff);
        dut_stop(d);
    }
}

/* Over the top of the address space: what is beyond it lands from 0 on. */
static void test_record_over_the_top(void)
{
    Dut *d = dut_start("q35", "");
    Model m = model_new(d);

    for (uint32_t i = 0; i < 8; i++) {
        model_page(&m, 0)[i] = dut_pattern(5, 8 + i);
    }
    dut_set_policies(d, PCM_POLICY_RECORD);
    dut_exercise(d, PCM_EX_FILL, ONES - 7, 16, 5, PCM_EX_OK, 8);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_LIMIT, EX, true, PCM_POLICY_RECORD, ONES - 7, 16,
        ONES, 7, 0, 0 });
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_TARGET, EX, true, PCM_POLICY_RECORD, ONES - 7, 16,
        PCM_TARGET_RAM, PCM_TARGET_NOTHING, ONES - 7, PCM_LANDED_NOWHERE });
    dut_expect_no_record(d);
    model_check(&m);
    dut_stop(d);
}

/* The request is in order, but the wrapped address is the firmware's. */
static void test_target_after_wrap(void)
{
    Dut *d = dut_start("q35", "");
    const uint32_t wrap = PCM_POLICY_WRAP << PCM_POLICY_SHIFT(PCM_RULE_LIMIT);

    dut_write(d, PCM_ADDR_BITS, 20);
    dut_write(d, PCM_POLICY, wrap);
    dut_exercise(d, PCM_EX_FILL, 0x1ffff8, 16, 1, PCM_EX_VIOLATION, 0);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_LIMIT, EX, true, PCM_POLICY_WRAP, 0x1ffff8, 16,
        0xfffff, 0x200007, 0x1ffff8, PCM_LANDED_NOWHERE });
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_TARGET, EX, true, PCM_POLICY_ABORT, 0x1ffff8, 16,
        PCM_TARGET_RAM, PCM_TARGET_ROM, 0x1ffff8, PCM_LANDED_NOWHERE });
    dut_expect_no_record(d);

    dut_write(d, PCM_POLICY, wrap | PCM_POLICY_RECORD <<
                             PCM_POLICY_SHIFT(PCM_RULE_TARGET));
    dut_exercise(d, PCM_EX_FILL, 0x1ffff8, 16, 1, PCM_EX_OK, 8);
    g_assert_cmphex(qtest_readq(d->qts, 0), ==, 1 + PCM_EX_STEP);
    g_assert_cmpuint(dut_read(d, PCM_LOG_COUNT), ==, 2);
    dut_stop(d);
}

/* Registers and structures of Intel VT-d, by its specification. */
#define VTD             0xfed90000u
#define VTD_GCMD        (VTD + 0x18)
#define VTD_GCMD_TE     (1u << 31)
#define VTD_GCMD_SRTP   (1u << 30)
#define VTD_RTADDR      (VTD + 0x20)
#define VTD_ROOT        0x100000
#define VTD_CONTEXT     0x101000
#define VTD_LEVEL3      0x102000
#define VTD_LEVEL2      0x103000
#define VTD_LEVEL1      0x104000
#define VTD_PRESENT     1
#define VTD_READ        1
#define VTD_WRITE       2

static void map_page(Dut *d, unsigned page, uint64_t entry)
{
    qtest_writeq(d->qts, VTD_LEVEL1 + 8 * page, entry);
}

/*
 * Page 0x10 to 0x400000, page 0x11 to 0x600000 read-only, page 0x13 there
 * write-only, else nothing.
 */
static void configure_iommu(Dut *d)
{
    uint64_t context = VTD_CONTEXT + 16 * QPCI_DEVFN(4, 0);

    qtest_memset(d->qts, VTD_ROOT, 0, 5 * 4096);
    qtest_writeq(d->qts, VTD_ROOT, VTD_CONTEXT | VTD_PRESENT);
    qtest_writeq(d->qts, context, VTD_LEVEL3 | VTD_PRESENT);
    qtest_writeq(d->qts, context + 8, 1 << 8 | 1);
    qtest_writeq(d->qts, VTD_LEVEL3, VTD_LEVEL2 | VTD_READ | VTD_WRITE);
    qtest_writeq(d->qts, VTD_LEVEL2, VTD_LEVEL1 | VTD_READ | VTD_WRITE);
    map_page(d, 0x10, 0x400000 | VTD_READ | VTD_WRITE);
    map_page(d, 0x11, 0x600000 | VTD_READ);
    map_page(d, 0x13, 0x600000 | VTD_WRITE);
    qtest_writeq(d->qts, VTD_RTADDR, VTD_ROOT);
    qtest_writel(d->qts, VTD_GCMD, VTD_GCMD_SRTP);
    qtest_writel(d->qts, VTD_GCMD, VTD_GCMD_TE);
}

static void check_denied(Dut *d, uint32_t command, uint64_t address,
                         uint64_t fault, unsigned passes)
{
    bool write = command == PCM_EX_FILL;

    dut_exercise(d, command, address, 64, 1, PCM_EX_VIOLATION, 0);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_IOMMU, EX, write, PCM_POLICY_ABORT, address, 64,
        write ? PCM_IOMMU_WRITE : PCM_IOMMU_READ, passes, fault,
        PCM_LANDED_NOWHERE });
    dut_expect_no_record(d);
}

/* The device sees what the IOMMU lets it see, and names it if it does not. */
static void test_iommu(void)
{
    Dut *d = dut_start("q35 -device intel-iommu", "");

    qtest_memset(d->qts, 0x400000, BACKGROUND, 0x1000);
    qtest_memset(d->qts, 0x600000, BACKGROUND, 0x1000);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 64, 1, PCM_EX_OK, 64);
    configure_iommu(d);
    check_denied(d, PCM_EX_FILL, 0x200000, 0x200000, PCM_IOMMU_NOTHING);
    check_denied(d, PCM_EX_CHECKSUM, 0x200000, 0x200000, PCM_IOMMU_NOTHING);
    dut_exercise(d, PCM_EX_FILL, 0x10000, 0x1000, 1, PCM_EX_OK, 0x1000);
    g_assert_cmphex(qtest_readq(d->qts, 0x400ff8), ==,
                    1 + 0x1ff * PCM_EX_STEP);
    g_assert_cmpuint(dut_read64(d, PCM_NODE_BYTES(0)), ==, 0x1000);
    check_denied(d, PCM_EX_FILL, 0x10fe0, 0x11000, PCM_IOMMU_READ);
    dut_exercise(d, PCM_EX_CHECKSUM, 0x10fe0, 64, 1, PCM_EX_OK, 64);
    check_denied(d, PCM_EX_CHECKSUM, 0x11fe0, 0x12000, PCM_IOMMU_NOTHING);
    check_denied(d, PCM_EX_CHECKSUM, 0x13000, 0x13000, PCM_IOMMU_WRITE);
    g_assert_cmphex(qtest_readb(d->qts, 0x600000), ==, BACKGROUND);
    dut_stop(d);
}

/* Whatever the policy, what is denied stays as it is. */
static void test_iommu_policies(void)
{
    for (unsigned policy = PCM_POLICY_WRAP; policy <= PCM_POLICY_RECORD;
         policy++) {
        Dut *d = dut_start("q35 -device intel-iommu", "");

        qtest_memset(d->qts, 0x400000, BACKGROUND, 0x1000);
        qtest_memset(d->qts, 0x600000, BACKGROUND, 0x1000);
        configure_iommu(d);
        dut_set_policies(d, policy);
        dut_exercise(d, PCM_EX_FILL, 0x10ff0, 32, 7, PCM_EX_OK, 16);
        g_assert_cmphex(qtest_readq(d->qts, 0x400ff0), ==, 7);
        g_assert_cmphex(qtest_readb(d->qts, 0x600000), ==, BACKGROUND);
        dut_expect_record(d, &(DutRecord) {
            PCM_RULE_IOMMU, EX, true, policy, 0x10ff0, 32,
            PCM_IOMMU_WRITE, PCM_IOMMU_READ, 0x11000, PCM_LANDED_NOWHERE });
        dut_expect_no_record(d);
        dut_stop(d);
    }
}

/* The IOMMU lets it pass, to what is no RAM: that is not the IOMMU's doing. */
static void test_target_behind_iommu(void)
{
    Dut *d = dut_start("q35 -device intel-iommu", "");

    configure_iommu(d);
    map_page(d, 0x14, d->bar.addr | VTD_READ | VTD_WRITE);
    map_page(d, 0x15, 0x70000000ull | VTD_READ | VTD_WRITE);
    map_page(d, 0x16, 0x70000000ull | VTD_READ);
    check_target(d, PCM_EX_FILL, 0x14000, 0x14000, PCM_TARGET_IO);
    check_target(d, PCM_EX_CHECKSUM, 0x14fc0, 0x14fc0, PCM_TARGET_IO);
    check_target(d, PCM_EX_CHECKSUM, 0x15000, 0x15000, PCM_TARGET_NOTHING);

    /* One transaction may meet both, each is told of once. */
    dut_set_policies(d, PCM_POLICY_RECORD);
    dut_exercise(d, PCM_EX_FILL, 0x14ff0, 0x2020, 1, PCM_EX_OK, 0);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_TARGET, EX, true, PCM_POLICY_RECORD, 0x14ff0, 0x2020,
        PCM_TARGET_RAM, PCM_TARGET_IO, 0x14ff0, PCM_LANDED_NOWHERE });
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_IOMMU, EX, true, PCM_POLICY_RECORD, 0x14ff0, 0x2020,
        PCM_IOMMU_WRITE, PCM_IOMMU_READ, 0x16000, PCM_LANDED_NOWHERE });
    dut_expect_no_record(d);
    dut_stop(d);
}

/* 2^17 pages that all lead to one: more than a slice looks at. */
static void test_check_in_slices(void)
{
    const int64_t pause = 100000 + (65536 - 1024) * 200;
    Dut *d = dut_start("q35 -device intel-iommu", "");

    configure_iommu(d);
    for (unsigned i = 0; i < 512; i++) {
        qtest_writeq(d->qts, VTD_LEVEL2 + 8 * i,
                     VTD_LEVEL1 | VTD_READ | VTD_WRITE);
        qtest_writeq(d->qts, VTD_LEVEL1 + 8 * i,
                     0x400000 | VTD_READ | VTD_WRITE);
    }
    dut_command(d, PCM_EX_CHECKSUM, 0, 512 * MiB, 1);
    g_assert_cmphex(dut_read(d, PCM_EX_STATUS), ==, PCM_EX_BUSY);
    g_assert_cmphex(dut_read(d, PCM_EX_DONE), ==, 0);
    /* The second half is looked at after a pause that suits the first. */
    qtest_clock_step(d->qts, pause - 1);
    g_assert_cmphex(dut_read(d, PCM_EX_DONE), ==, 0);
    qtest_clock_step(d->qts, pause + 1);
    g_assert_cmphex(dut_read(d, PCM_EX_STATUS), ==, PCM_EX_BUSY);
    g_assert_cmphex(dut_read(d, PCM_EX_DONE), >, 0);
    dut_write(d, PCM_CTRL, PCM_CTRL_RESET);
    dut_stop(d);
}

void pcm_add_memory_tests(void)
{
    qtest_add_func("/pcmaster/node/backends", test_nodes);
    qtest_add_func("/pcmaster/node/machine-ram", test_nodes_of_machine_ram);
    qtest_add_func("/pcmaster/node/dimm", test_node_of_dimm);
    qtest_add_func("/pcmaster/node/device", test_node_of_device);
    qtest_add_func("/pcmaster/node/wrapped-bytes", test_node_of_wrapped_bytes);
    qtest_add_func("/pcmaster/node/no-numa", test_machine_without_numa);
    qtest_add_func("/pcmaster/target/kinds", test_target);
    qtest_add_func("/pcmaster/target/policies", test_target_policies);
    qtest_add_func("/pcmaster/target/after-wrap", test_target_after_wrap);
    qtest_add_func("/pcmaster/target/over-the-top", test_record_over_the_top);
    qtest_add_func("/pcmaster/target/behind-iommu", test_target_behind_iommu);
    qtest_add_func("/pcmaster/iommu/denied", test_iommu);
    qtest_add_func("/pcmaster/iommu/policies", test_iommu_policies);
    qtest_add_func("/pcmaster/target/check-in-slices", test_check_in_slices);
}
