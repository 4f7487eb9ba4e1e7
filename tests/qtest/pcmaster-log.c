/*
 * pcmaster qtests: the violation log
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pcmaster-test.h"

static void test_log(void)
{
    Dut *d = dut_start("q35", "");
    uint64_t before, time;

    dut_write(d, PCM_ADDR_BITS, 24);
    before = qtest_clock_step(d->qts, 1000);
    for (unsigned i = 0; i < 300; i++) {
        dut_exercise(d, PCM_EX_CHECKSUM, 0x1000000 + i, 1, 1,
                     PCM_EX_VIOLATION, 0);
        qtest_clock_step(d->qts, 10);
    }
    g_assert_cmpuint(dut_read(d, PCM_LOG_COUNT), ==, 256);
    g_assert_cmpuint(dut_read(d, PCM_LOG_LOST), ==, 44);
    time = dut_read64(d, PCM_LOG_TIME);
    g_assert_cmpuint(time, ==, before);
    for (unsigned i = 0; i < 256; i++) {
        g_assert_cmpuint(dut_read(d, PCM_LOG_SEQUENCE), ==, i);
        g_assert_cmphex(dut_read64(d, PCM_LOG_ADDR), ==, 0x1000000 + i);
        g_assert_cmpuint(dut_read64(d, PCM_LOG_TIME), ==, time + 10 * i);
        dut_write(d, PCM_LOG_CTRL, PCM_LOG_POP);
    }
    dut_expect_no_record(d);
    dut_write(d, PCM_LOG_CTRL, PCM_LOG_POP);
    dut_expect_no_record(d);
    g_assert_cmpuint(dut_read(d, PCM_LOG_LOST), ==, 44);

    /* The ring has wrapped; the numbers tell of the lost records. */
    dut_exercise(d, PCM_EX_CHECKSUM, 0x1000000, 1, 1, PCM_EX_VIOLATION, 0);
    dut_exercise(d, PCM_EX_CHECKSUM, 0x1000001, 1, 1, PCM_EX_VIOLATION, 0);
    g_assert_cmpuint(dut_read(d, PCM_LOG_SEQUENCE), ==, 300);
    dut_write(d, PCM_LOG_CTRL, PCM_LOG_CLEAR);
    dut_expect_no_record(d);
    g_assert_cmpuint(dut_read(d, PCM_LOG_LOST), ==, 0);
    dut_exercise(d, PCM_EX_CHECKSUM, 0x1000000, 1, 1, PCM_EX_VIOLATION, 0);
    g_assert_cmpuint(dut_read(d, PCM_LOG_SEQUENCE), ==, 302);
    dut_stop(d);
}

/* POP and CLEAR together are CLEAR; only a reset restarts the numbers. */
static void test_log_clear(void)
{
    Dut *d = dut_start("q35", "");

    dut_write(d, PCM_ADDR_BITS, 24);
    for (unsigned i = 0; i < 3; i++) {
        dut_exercise(d, PCM_EX_CHECKSUM, 0x1000000, 1, 1, PCM_EX_VIOLATION,
                     0);
    }
    dut_write(d, PCM_LOG_CTRL, PCM_LOG_POP | PCM_LOG_CLEAR);
    dut_expect_no_record(d);
    dut_exercise(d, PCM_EX_CHECKSUM, 0x1000000, 1, 1, PCM_EX_VIOLATION, 0);
    g_assert_cmpuint(dut_read(d, PCM_LOG_SEQUENCE), ==, 3);
    dut_write(d, PCM_CTRL, PCM_CTRL_RESET);
    dut_write(d, PCM_ADDR_BITS, 24);
    dut_exercise(d, PCM_EX_CHECKSUM, 0x1000000, 1, 1, PCM_EX_VIOLATION, 0);
    g_assert_cmpuint(dut_read(d, PCM_LOG_SEQUENCE), ==, 0);
    dut_stop(d);
}

/* The host sees the same records through QOM. */
static void test_log_property(void)
{
    Dut *d = dut_start("q35", "");
    QDict *record;
    QList *list;

    dut_write(d, PCM_ADDR_BITS, 24);
    dut_set_policies(d, PCM_POLICY_WRAP);
    dut_exercise(d, PCM_EX_FILL, 0xfffffc, 8, 1, PCM_EX_OK, 8);
    dut_exercise(d, PCM_EX_CHECKSUM, 0x1000010, 4, 1, PCM_EX_OK, 4);
    list = qobject_to(QList, dut_qom_get(d, "violations"));
    g_assert_cmpuint(qlist_size(list), ==, 2);
    record = qobject_to(QDict, qlist_pop(list));
    g_assert_cmpstr(qdict_get_str(record, "rule"), ==, "limit");
    g_assert_cmpstr(qdict_get_str(record, "policy"), ==, "wrap");
    g_assert_cmpstr(qdict_get_str(record, "direction"), ==, "write");
    g_assert_cmpuint(qdict_get_int(record, "requester"), ==, EX);
    g_assert_cmphex(qdict_get_int(record, "address"), ==, 0xfffffc);
    g_assert_cmphex(qdict_get_int(record, "length"), ==, 8);
    g_assert_cmphex(qdict_get_int(record, "expected"), ==, 0xffffff);
    g_assert_cmphex(qdict_get_int(record, "actual"), ==, 0x1000003);
    g_assert_cmphex(qdict_get_int(record, "fault"), ==, 0x1000000);
    g_assert_cmphex(qdict_get_int(record, "landed"), ==, 0);
    g_assert_cmphex(qnum_get_uint(qobject_to(QNum, qdict_get(record, "pc"))),
                    ==, PCM_PC_UNKNOWN);
    g_assert_cmphex(dut_read64(d, PCM_LOG_PC), ==, PCM_PC_UNKNOWN);
    qobject_unref(record);
    record = qobject_to(QDict, qlist_pop(list));
    g_assert_cmpstr(qdict_get_str(record, "direction"), ==, "read");
    g_assert_cmpuint(qdict_get_int(record, "sequence"), ==, 1);
    qobject_unref(record);
    qobject_unref(list);
    dut_stop(d);
}

void pcm_add_log_tests(void)
{
    qtest_add_func("/pcmaster/log/queue", test_log);
    qtest_add_func("/pcmaster/log/clear", test_log_clear);
    qtest_add_func("/pcmaster/log/property", test_log_property);
}
