/*
 * pcmaster qtests: the exerciser
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pcmaster-model.h"
#include "pcmaster-test.h"

/* CRC-32C, bit by bit. */
static uint32_t crc32c_of_pattern(uint64_t seed, uint32_t length)
{
    uint32_t crc = ~0u;

    for (uint32_t i = 0; i < length; i++) {
        crc ^= dut_pattern(seed, i);
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78 : 0);
        }
    }
    return ~crc;
}

static void test_exerciser_lengths(void)
{
    static const uint32_t lengths[] = {
        1, 2, 7, 8, 9, 31, 32, 33, 255, 4095, 4096, 4097, 32767, 32768,
        32769, 65537, 1 * MiB,
    };
    Dut *d = dut_start("q35", "");

    for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
        uint32_t length = lengths[i];
        uint64_t address = 0x200001 + i, seed = 0xfeedfacecafebeefull * i;
        g_autofree uint8_t *data = g_malloc(length + 2);

        qtest_memset(d->qts, address - 1, BACKGROUND, length + 2);
        dut_exercise(d, PCM_EX_FILL, address, length, seed, PCM_EX_OK,
                     length);
        qtest_bufread(d->qts, address - 1, data, length + 2);
        g_assert_cmphex(data[0], ==, BACKGROUND);
        g_assert_cmphex(data[length + 1], ==, BACKGROUND);
        for (uint32_t j = 0; j < length; j++) {
            g_assert_cmphex(data[1 + j], ==, dut_pattern(seed, j));
        }
        dut_exercise(d, PCM_EX_VERIFY, address, length, seed, PCM_EX_OK,
                     length);
        g_assert_cmpuint(dut_read(d, PCM_EX_MISMATCHES), ==, 0);
        dut_exercise(d, PCM_EX_CHECKSUM, address, length, 0, PCM_EX_OK,
                     length);
        g_assert_cmphex(dut_read(d, PCM_EX_CHECKSUM_VALUE), ==,
                        crc32c_of_pattern(seed, length));
    }
    dut_stop(d);
}

/* "123456789" has a well-known checksum. */
static void test_exerciser_checksum(void)
{
    Dut *d = dut_start("q35", "");

    qtest_memwrite(d->qts, 0x200000, "123456789", 9);
    dut_exercise(d, PCM_EX_CHECKSUM, 0x200000, 9, 0, PCM_EX_OK, 9);
    g_assert_cmphex(dut_read(d, PCM_EX_CHECKSUM_VALUE), ==, 0xe3069283);
    dut_stop(d);
}

static void test_exerciser_mismatch(void)
{
    Dut *d = dut_start("q35", "");
    uint32_t length = 100000, first = 40003;
    uint8_t wrong = ~dut_pattern(11, first);

    dut_exercise(d, PCM_EX_FILL, 0x200000, length, 11, PCM_EX_OK, length);
    qtest_writeb(d->qts, 0x200000 + first, wrong);
    qtest_writeb(d->qts, 0x200000 + 99999, ~dut_pattern(11, 99999));
    dut_exercise(d, PCM_EX_VERIFY, 0x200000, length, 11, PCM_EX_MISMATCH,
                 length);
    g_assert_cmpuint(dut_read(d, PCM_EX_MISMATCHES), ==, 2);
    g_assert_cmpuint(dut_read(d, PCM_EX_FIRST_MISMATCH), ==, first);
    g_assert_cmphex(dut_read(d, PCM_EX_MISMATCH_BYTES), ==,
                    dut_pattern(11, first) | wrong << 8);
    dut_exercise(d, PCM_EX_VERIFY, 0x200000, 40003, 11, PCM_EX_OK, 40003);
    g_assert_cmpuint(dut_read(d, PCM_EX_MISMATCHES), ==, 0);
    g_assert_cmphex(dut_read(d, PCM_EX_MISMATCH_BYTES), ==, 0);
    dut_stop(d);
}

/* READ reads it all, compares nothing and leaves memory as it is. */
static void test_exerciser_read(void)
{
    Dut *d = dut_start("q35", "");
    uint32_t length = 100001;

    dut_exercise(d, PCM_EX_FILL, 0x200003, length, 5, PCM_EX_OK, length);
    dut_exercise(d, PCM_EX_READ, 0x200003, length, 6, PCM_EX_OK, length);
    g_assert_cmpuint(dut_read(d, PCM_EX_MISMATCHES), ==, 0);
    g_assert_cmpuint(dut_read(d, PCM_EX_CHECKSUM_VALUE), ==, 0);
    g_assert_cmpuint(dut_read64(d, PCM_ACC(PCM_ACC_EXERCISER) +
                                   PCM_A_READ_BYTES), ==, length);
    dut_exercise(d, PCM_EX_VERIFY, 0x200003, length, 5, PCM_EX_OK, length);
    dut_exercise(d, PCM_EX_READ, DUT_RAM_SIZE - 8, 16, 5, PCM_EX_VIOLATION,
                 0);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_TARGET, EX, false, PCM_POLICY_ABORT, DUT_RAM_SIZE - 8, 16,
        PCM_TARGET_RAM, PCM_TARGET_NOTHING, DUT_RAM_SIZE,
        PCM_LANDED_NOWHERE });
    dut_stop(d);
}

/* More than 1 MiB takes slices; its parameters are those of the doorbell. */
static void test_exerciser_slices(void)
{
    Dut *d = dut_start("q35", "");
    uint32_t length = 5 * MiB + 12345;
    uint64_t bytes;

    dut_write(d, PCM_INT_ENABLE, PCM_INT_EXERCISER);
    dut_command(d, PCM_EX_FILL, 0x200003, length, 99);
    g_assert_true(dut_read(d, PCM_EX_STATUS) & PCM_EX_BUSY);
    g_assert_cmphex(dut_read(d, PCM_EX_DONE), ==, 1 * MiB);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, 0);
    dut_command(d, PCM_EX_CHECKSUM, 0, 77, 1);
    g_assert_cmpuint(PCM_EX_RESULT(dut_read(d, PCM_EX_STATUS)), ==,
                     PCM_EX_BAD_COMMAND);
    g_assert_true(dut_read(d, PCM_EX_STATUS) & PCM_EX_BUSY);
    qtest_clock_step(d->qts, 100000);
    g_assert_cmphex(dut_read(d, PCM_EX_DONE), ==, 2 * MiB);
    qtest_clock_step(d->qts, 10000000);
    dut_expect_result(d, PCM_EX_OK, length);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, PCM_INT_EXERCISER);
    bytes = dut_read64(d, PCM_NODE_BYTES(0));
    g_assert_cmpuint(bytes, ==, length);
    for (uint32_t i = 0; i < length; i += 65521) {
        g_assert_cmphex(qtest_readb(d->qts, 0x200003 + i), ==,
                        dut_pattern(99, i));
    }
    dut_command(d, PCM_EX_VERIFY, 0x200003, length, 99);
    qtest_clock_step(d->qts, 10000000);
    dut_expect_result(d, PCM_EX_OK, length);
    dut_command(d, PCM_EX_CHECKSUM, 0x200003, length, 0);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmphex(dut_read(d, PCM_EX_CHECKSUM_VALUE), ==,
                    crc32c_of_pattern(99, length));
    dut_stop(d);
}

/* A counter of no bits: each byte is a piece of its own. */
static void test_exerciser_pieces(void)
{
    Dut *d = dut_start("q35", "");

    dut_write64(d, PCM_BOUNDARY, 0);
    dut_set_policies(d, PCM_POLICY_WRAP);
    dut_command(d, PCM_EX_FILL, 0x200000, 1 * MiB, 3);
    g_assert_true(dut_read(d, PCM_EX_STATUS) & PCM_EX_BUSY);
    g_assert_cmpuint(dut_read(d, PCM_EX_DONE), <, 1 * MiB);
    /* 16 slices of 65536 pieces, 13 ms after each */
    qtest_clock_step(d->qts, 16 * 13010000);
    dut_expect_result(d, PCM_EX_OK, 1 * MiB);
    g_assert_cmphex(qtest_readb(d->qts, 0x200000), ==,
                    dut_pattern(3, 1 * MiB - 1));
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_BOUNDARY, EX, true, PCM_POLICY_WRAP, 0x200000, 1 * MiB,
        0, 1 * MiB - 1, 0x200001, 0x200000 });
    dut_expect_no_record(d);
    dut_stop(d);
}

static void test_exerciser_bad_commands(void)
{
    Dut *d = dut_start("q35", "");

    dut_exercise(d, 0, 0x200000, 8, 1, PCM_EX_BAD_COMMAND, 0);
    dut_exercise(d, 5, 0x200000, 8, 1, PCM_EX_BAD_COMMAND, 0);
    dut_exercise(d, ~0u, 0x200000, 8, 1, PCM_EX_BAD_COMMAND, 0);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 0, 1, PCM_EX_BAD_COMMAND, 0);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_OK, 8);
    dut_expect_no_record(d);
    dut_stop(d);
}

/* The longest command there is, over 60 MiB of RAM and nothing else. */
static void test_exerciser_longest(void)
{
    Dut *d = dut_start("q35", "");
    uint32_t in_ram = DUT_RAM_SIZE - 0x400000;

    dut_command(d, PCM_EX_CHECKSUM, 0x400000, ~0u, 1);
    dut_expect_result(d, PCM_EX_VIOLATION, 0);
    dut_write(d, PCM_LOG_CTRL, PCM_LOG_CLEAR);
    dut_set_policies(d, PCM_POLICY_RECORD);
    dut_command(d, PCM_EX_FILL, 0x400000, ~0u, 1);
    qtest_clock_step(d->qts, 1000000000);
    g_assert_cmpuint(dut_read(d, PCM_EX_DONE), >=, in_ram);
    g_assert_false(dut_read(d, PCM_EX_STATUS) & PCM_EX_BUSY);
    g_assert_cmpuint(dut_read64(d, PCM_NODE_BYTES(0)), ==, in_ram);
    g_assert_cmpuint(dut_read(d, PCM_LOG_COUNT), ==, 1);
    dut_stop(d);
}

void pcm_add_exerciser_tests(void)
{
    qtest_add_func("/pcmaster/exerciser/lengths", test_exerciser_lengths);
    qtest_add_func("/pcmaster/exerciser/checksum", test_exerciser_checksum);
    qtest_add_func("/pcmaster/exerciser/mismatch", test_exerciser_mismatch);
    qtest_add_func("/pcmaster/exerciser/read", test_exerciser_read);
    qtest_add_func("/pcmaster/exerciser/slices", test_exerciser_slices);
    qtest_add_func("/pcmaster/exerciser/pieces", test_exerciser_pieces);
    qtest_add_func("/pcmaster/exerciser/bad-commands",
                   test_exerciser_bad_commands);
    qtest_add_func("/pcmaster/exerciser/longest", test_exerciser_longest);
}
