/*
 * pcmaster qtests: what is counted of the transfers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pcmaster-bus.h"
#include "pcmaster-player.h"
#include "pcmaster-test.h"

/* Node 2 has no memory. */
#define NODES \
    "q35 -object memory-backend-ram,id=m0,size=16M" \
    " -object memory-backend-ram,id=m1,size=48M" \
    " -numa node,nodeid=0,memdev=m0,cpus=0" \
    " -numa node,nodeid=1,memdev=m1 -numa node,nodeid=2 -smp 1"
#define DISTANCES \
    " -numa dist,src=0,dst=1,val=20 -numa dist,src=0,dst=2,val=30" \
    " -numa dist,src=1,dst=2,val=40"
#define ON_NODE(node) \
    " -device pxb-pcie,id=pxb,bus_nr=64,bus=pcie.0,numa_node=" #node \
    " -device pcie-root-port,id=rp,bus=pxb,addr=0,chassis=1" \
    " -device pcmaster,bus=rp,id=dut"
#define PXB_BUS         0x40
#define EDGE            (16 * MiB)

typedef struct Count {
    uint64_t read_bytes;
    uint64_t reads;
    uint64_t write_bytes;
    uint64_t writes;
} Count;

static void expect_count(Dut *d, unsigned base, Count c)
{
    g_assert_cmpuint(dut_read64(d, base + PCM_A_READ_BYTES), ==,
                     c.read_bytes);
    g_assert_cmpuint(dut_read64(d, base + PCM_A_READS), ==, c.reads);
    g_assert_cmpuint(dut_read64(d, base + PCM_A_WRITE_BYTES), ==,
                     c.write_bytes);
    g_assert_cmpuint(dut_read64(d, base + PCM_A_WRITES), ==, c.writes);
}

/* A transaction counts once for its requester and once for each node. */
static void test_nodes(void)
{
    Dut *d = dut_start(NODES, "");

    dut_exercise(d, PCM_EX_FILL, EDGE - 100, 300, 1, PCM_EX_OK, 300);
    dut_exercise(d, PCM_EX_FILL, EDGE, 50, 1, PCM_EX_OK, 50);
    dut_exercise(d, PCM_EX_VERIFY, EDGE - 100, 100, 1, PCM_EX_OK, 100);
    dut_exercise(d, PCM_EX_CHECKSUM, 0xfffff000, 7, 1, PCM_EX_OK, 7);
    expect_count(d, PCM_ACC_NODE(0), (Count) { 100, 1, 100, 1 });
    expect_count(d, PCM_ACC_NODE(1), (Count) { 0, 0, 250, 2 });
    expect_count(d, PCM_ACC_NODE(2), (Count) { });
    expect_count(d, PCM_ACC(PCM_ACC_NODELESS), (Count) { 7, 1 });
    expect_count(d, PCM_ACC(PCM_ACC_EXERCISER), (Count) { 107, 2, 350, 2 });
    expect_count(d, PCM_ACC(PCM_ACC_TOTAL), (Count) { 107, 2, 350, 2 });
    expect_count(d, PCM_ACC(0), (Count) { });
    dut_write(d, PCM_ACC_CTRL, 0);
    expect_count(d, PCM_ACC(PCM_ACC_TOTAL), (Count) { 107, 2, 350, 2 });
    dut_write(d, PCM_ACC_CTRL, PCM_ACC_CLEAR);
    expect_count(d, PCM_ACC(PCM_ACC_TOTAL), (Count) { });
    expect_count(d, PCM_ACC_NODE(1), (Count) { });

    /* The command's own count goes on; a transfer of many slices is one. */
    g_assert_cmpuint(dut_read(d, PCM_EX_NODELESS), ==, 7);
    dut_command(d, PCM_EX_FILL, EDGE - 2 * MiB, 5 * MiB, 1);
    qtest_clock_step(d->qts, 10000000);
    expect_count(d, PCM_ACC_NODE(0), (Count) { 0, 0, 2 * MiB, 1 });
    expect_count(d, PCM_ACC_NODE(1), (Count) { 0, 0, 3 * MiB, 1 });
    dut_write(d, PCM_CTRL, PCM_CTRL_RESET);
    expect_count(d, PCM_ACC_NODE(1), (Count) { });
    dut_stop(d);
}

/* What was not transferred is not counted, wrapped bytes where they are. */
static void test_only_what_was_transferred(void)
{
    Dut *d = dut_start(NODES, "");

    dut_write(d, PCM_ADDR_BITS, 24);
    dut_exercise(d, PCM_EX_FILL, EDGE, 64, 1, PCM_EX_VIOLATION, 0);
    expect_count(d, PCM_ACC(PCM_ACC_TOTAL), (Count) { });
    dut_set_policies(d, PCM_POLICY_WRAP);
    dut_exercise(d, PCM_EX_FILL, d->bar.addr, 64, 1, PCM_EX_OK, 64);
    expect_count(d, PCM_ACC_NODE(0), (Count) { 0, 0, 64, 1 });
    dut_write(d, PCM_ADDR_BITS, 64);
    dut_exercise(d, PCM_EX_FILL, d->bar.addr, 64, 1, PCM_EX_OK, 0);
    expect_count(d, PCM_ACC(PCM_ACC_TOTAL), (Count) { 0, 0, 64, 1 });
    dut_exercise(d, PCM_EX_CHECKSUM, DUT_RAM_SIZE - 8, 64, 1, PCM_EX_OK, 8);
    expect_count(d, PCM_ACC_NODE(1), (Count) { 8, 1 });
    dut_stop(d);
}

/* Each stream has counts of its own. */
static void test_streams(void)
{
    Dut *d = dut_start("q35 -audiodev none,id=snd", ",audiodev=snd,"
                       "playback=2");

    start_silence(d, 1);
    qtest_clock_step(d->qts, 1000000);
    dut_read(d, PCM_STREAM(1) + PCM_S_POSITION);
    expect_count(d, PCM_ACC(1), (Count) { 192, 1 });
    expect_count(d, PCM_ACC(0), (Count) { });
    expect_count(d, PCM_ACC(PCM_ACC_EXERCISER), (Count) { });
    expect_count(d, PCM_ACC(PCM_ACC_TOTAL), (Count) { 192, 1 });
    expect_count(d, PCM_ACC_NODE(0), (Count) { 192, 1 });
    dut_stop(d);
}

/* Without distances, or where the device is on no node, none is known. */
static void test_no_distances(void)
{
    Dut *d = dut_start(NODES DISTANCES, "");

    g_assert_cmpuint(dut_read(d, PCM_NODE_DISTANCE(1)), ==, 0);
    dut_exercise(d, PCM_EX_FILL, EDGE, 64, 1, PCM_EX_OK, 64);
    g_assert_cmpuint(dut_read64(d, PCM_ACC_WEIGHED), ==, 0);
    g_assert_cmpuint(dut_read64(d, PCM_ACC_WEIGHT), ==, 0);
    dut_stop(d);

    d = dut_launch(NODES ON_NODE(1));
    g_free(configure_port(d, PXB_BUS, 0));
    g_assert_cmpuint(dut_read(d, PCM_NODE_DISTANCE(1)), ==, 0);
    dut_exercise(d, PCM_EX_FILL, EDGE, 64, 1, PCM_EX_OK, 64);
    g_assert_cmpuint(dut_read64(d, PCM_ACC_WEIGHED), ==, 0);
    dut_stop(d);
}

static QDict *get_accounting(Dut *d)
{
    return qobject_to(QDict, dut_qom_get(d, "accounting"));
}

static QDict *list_entry(QDict *dict, const char *name, unsigned n)
{
    QList *list = qdict_get_qlist(dict, name);
    const QListEntry *entry = qlist_first(list);

    g_assert_cmpuint(qlist_size(list), >, n);
    while (n--) {
        entry = qlist_next(entry);
    }
    return qobject_to(QDict, qlist_entry_obj(entry));
}

static void expect_locality(Dut *d)
{
    QDict *accounting = get_accounting(d);
    QDict *locality = qdict_get_qdict(accounting, "locality");
    QDict *node = list_entry(accounting, "nodes", 0);
    QDict *total = qdict_get_qdict(accounting, "total");

    g_assert_cmpuint(qlist_size(qdict_get_qlist(accounting, "nodes")), ==, 3);
    g_assert_cmpint(qdict_get_int(node, "distance"), ==, 20);
    g_assert_cmpint(qdict_get_int(node, "write-bytes"), ==, 100);
    g_assert_cmpint(qdict_get_int(node, "writes"), ==, 1);
    g_assert_cmpint(qdict_get_int(node, "read-bytes"), ==, 0);
    g_assert_cmpint(qdict_get_int(total, "read-bytes"), ==, 607);
    g_assert_cmpint(qdict_get_int(locality, "weighed"), ==, 1000);
    g_assert_cmpint(qdict_get_int(locality, "weight"), ==, 11000);
    g_assert_cmpfloat(qdict_get_double(locality, "mean-distance"), ==, 11);
    qobject_unref(accounting);
}

/* The device is on node 1: 900 bytes at distance 10, 100 at distance 20. */
static void test_locality(void)
{
    Dut *d = dut_launch(NODES DISTANCES ON_NODE(1));
    QDict *accounting;

    g_free(configure_port(d, PXB_BUS, 0));
    g_assert_cmpuint(dut_read(d, PCM_NODE_DISTANCE(0)), ==, 20);
    g_assert_cmpuint(dut_read(d, PCM_NODE_DISTANCE(1)), ==, 10);
    g_assert_cmpuint(dut_read(d, PCM_NODE_DISTANCE(2)), ==, 40);
    g_assert_cmpuint(dut_read(d, PCM_NODE_DISTANCE(3)), ==, 0);
    dut_exercise(d, PCM_EX_FILL, EDGE - 100, 400, 1, PCM_EX_OK, 400);
    dut_exercise(d, PCM_EX_VERIFY, EDGE, 600, 1, PCM_EX_MISMATCH, 600);
    dut_exercise(d, PCM_EX_CHECKSUM, 0xfffff000, 7, 1, PCM_EX_OK, 7);
    g_assert_cmpuint(dut_read64(d, PCM_ACC_WEIGHED), ==, 1000);
    g_assert_cmpuint(dut_read64(d, PCM_ACC_WEIGHT), ==, 11000);
    expect_locality(d);

    dut_write(d, PCM_ACC_CTRL, PCM_ACC_CLEAR);
    g_assert_cmpuint(dut_read64(d, PCM_ACC_WEIGHED), ==, 0);
    g_assert_cmpuint(dut_read64(d, PCM_ACC_WEIGHT), ==, 0);
    accounting = get_accounting(d);
    g_assert_false(qdict_haskey(qdict_get_qdict(accounting, "locality"),
                                "mean-distance"));
    g_assert_cmpint(qdict_get_int(list_entry(accounting, "streams", 0),
                                  "stream"), ==, 0);
    qobject_unref(accounting);
    dut_stop(d);
}

void pcm_add_accounting_tests(void)
{
    qtest_add_func("/pcmaster/accounting/nodes", test_nodes);
    qtest_add_func("/pcmaster/accounting/transferred",
                   test_only_what_was_transferred);
    qtest_add_func("/pcmaster/accounting/streams", test_streams);
    qtest_add_func("/pcmaster/accounting/no-distances", test_no_distances);
    qtest_add_func("/pcmaster/accounting/locality", test_locality);
}
