/*
 * pcmaster qtests: migration
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "pcmaster-player.h"
#include "pcmaster-test.h"

static void wait_for_migration(QTestState *qts)
{
    for (;;) {
        QDict *response = qtest_qmp(qts, "{'execute': 'query-migrate'}");
        QDict *info = qdict_get_qdict(response, "return");
        const char *status = qdict_get_try_str(info, "status");
        bool done = status && !strcmp(status, "completed");

        g_assert_cmpstr(status ? status : "", !=, "failed");
        qobject_unref(response);
        if (done) {
            return;
        }
        g_usleep(10000);
    }
}

/* A file for the state of a machine. */
static char *state_file(void)
{
    char *path = NULL;
    int fd = g_file_open_tmp("pcmaster-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    return path;
}

static void migrate_to(Dut *d, const char *file)
{
    g_autofree char *uri = g_strdup_printf("file:%s", file);

    qtest_qmp_assert_success(d->qts, "{'execute': 'migrate', 'arguments': {"
                             "'uri': %s}}", uri);
    wait_for_migration(d->qts);
}

/* @bar: where the registers were on the other side */
static void wait_for_arrival(Dut *d, uint64_t bar)
{
    wait_for_migration(d->qts);
    qpci_config_writel(d->dev, PCI_BASE_ADDRESS_0, bar);
    d->bar.addr = bar;
}

/* Returns: @d as it goes on in another process. */
static Dut *go_on_elsewhere(Dut *d)
{
    g_autofree char *file = state_file();
    g_autofree char *incoming = g_strdup_printf("q35 -incoming file:%s", file);
    uint64_t bar = d->bar.addr;

    migrate_to(d, file);
    dut_stop(d);
    d = dut_start(incoming, "");
    wait_for_arrival(d, bar);
    unlink(file);
    return d;
}

/* A command in flight ends on the other side; log and registers are there. */
static void test_migration(void)
{
    Dut *d = dut_start("q35", "");
    const uint32_t length = 8 * MiB + 512 * KiB;

    dut_write(d, PCM_ADDR_BITS, 24);
    dut_set_policies(d, PCM_POLICY_WRAP);
    dut_set_window(d, 63, 0, 0xffffffff, 7);
    dut_command(d, PCM_EX_FILL, 0x800000, length, 77);
    g_assert_true(dut_read(d, PCM_EX_STATUS) & PCM_EX_BUSY);
    d = go_on_elsewhere(d);
    g_assert_cmpuint(dut_read(d, PCM_ADDR_BITS), ==, 24);
    g_assert_cmphex(dut_read64(d, PCM_WINDOW(63) + PCM_W_LAST), ==,
                    0xffffffff);
    g_assert_cmphex(dut_read(d, PCM_EX_DONE), ==, 1 * MiB);
    qtest_clock_step(d->qts, 100000000);
    dut_expect_result(d, PCM_EX_OK, length);
    g_assert_cmphex(qtest_readb(d->qts, 0xffffff), ==,
                    dut_pattern(77, 8 * MiB - 1));
    g_assert_cmphex(qtest_readb(d->qts, 0), ==, dut_pattern(77, 8 * MiB));
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_LIMIT, EX, true, PCM_POLICY_WRAP, 0x800000, length,
        0xffffff, 0x107ffff, 0x1000000, 0 });
    dut_expect_no_record(d);
    dut_stop(d);
}

/* A command that wraps though all addresses are legal: it left them all. */
static void test_migration_over_the_top(void)
{
    Dut *d = dut_start("q35", "");

    dut_set_policies(d, PCM_POLICY_WRAP);
    dut_command(d, PCM_EX_FILL, ONES - (1 * MiB - 1), 8 * MiB, 77);
    g_assert_true(dut_read(d, PCM_EX_STATUS) & PCM_EX_BUSY);
    d = go_on_elsewhere(d);
    qtest_clock_step(d->qts, 100000000);
    g_assert_cmphex(dut_read(d, PCM_EX_STATUS), ==, PCM_EX_OK);
    g_assert_cmphex(qtest_readb(d->qts, 0), ==, dut_pattern(77, 1 * MiB));
    g_assert_cmphex(qtest_readb(d->qts, 7 * MiB - 1), ==,
                    dut_pattern(77, 8 * MiB - 1));
    dut_stop(d);
}

/*
 * What the FIFO holds is heard on the other side, and nothing twice.  END has
 * been written by half.
 */
static void test_migration_while_playing(void)
{
    g_autofree char *file = state_file();
    g_autofree char *incoming = g_strdup_printf("q35 -incoming file:%s", file);
    Player *a = player_new(48000, "q35");
    Player *b;
    uint64_t bar = a->d->bar.addr;
    uint64_t heard;

    player_start(a, 48000, 4096, 480, 0);
    qtest_clock_step(a->d->qts, 25000000);
    g_assert_cmpuint(dut_read64(a->d, S0(POSITION)), ==, 1200);
    dut_write(a->d, S0(END), 2000);
    migrate_to(a->d, file);
    dut_stop(a->d);

    b = player_new(48000, incoming);
    wait_for_arrival(b->d, bar);
    g_assert_cmpuint(dut_read64(b->d, S0(POSITION)), ==, 1200);
    dut_write(b->d, S0(END) + 4, 0);
    qtest_clock_step(b->d->qts, 200000000);
    g_assert_cmphex(dut_read(b->d, S0(STATUS)), ==,
                    PCM_S_DRAINED | PCM_S_PERIOD);
    g_assert_cmpuint(dut_read64(b->d, S0(POSITION)), ==, 2000);
    g_assert_cmpuint(dut_read(b->d, S0(LOST)), ==, 0);
    dut_stop(b->d);

    heard = player_check_wav(a, 0);
    g_assert_cmpuint(heard, <, 1200);
    g_assert_cmpuint(heard + player_check_wav(b, heard), ==, 2000);
    player_free(a);
    player_free(b);
    unlink(file);
}

void pcm_add_migration_tests(void)
{
    qtest_add_func("/pcmaster/migration/command", test_migration);
    qtest_add_func("/pcmaster/migration/over-the-top",
                   test_migration_over_the_top);
    qtest_add_func("/pcmaster/migration/playing",
                   test_migration_while_playing);
}
