/*
 * pcmaster qtests: the state of a machine, on its way and made up
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_PCMASTER_STATE_H
#define TESTS_PCMASTER_STATE_H

#include "qemu/bswap.h"
#include "qobject/qdict.h"
#include "pcmaster-dut.h"

/* --- On its way --------------------------------------------------------- */

/* Returns: did it succeed? */
static inline bool migration_succeeds(QTestState *qts)
{
    for (;;) {
        QDict *response = qtest_qmp(qts, "{'execute': 'query-migrate'}");
        QDict *info = qdict_get_qdict(response, "return");
        const char *status = qdict_get_try_str(info, "status");
        bool completed = status && !strcmp(status, "completed");
        bool failed = status && !strcmp(status, "failed");

        qobject_unref(response);
        if (completed || failed) {
            return completed;
        }
        g_usleep(10000);
    }
}

static inline void wait_for_migration(QTestState *qts)
{
    g_assert_true(migration_succeeds(qts));
}

/* A file for the state of a machine. */
static inline char *state_file(void)
{
    char *path = NULL;
    int fd = g_file_open_tmp("pcmaster-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    return path;
}

static inline void migrate_to(Dut *d, const char *file)
{
    g_autofree char *uri = g_strdup_printf("file:%s", file);

    qtest_qmp_assert_success(d->qts, "{'execute': 'migrate', 'arguments': {"
                             "'uri': %s}}", uri);
    wait_for_migration(d->qts);
}

/* @bar: where the registers were on the other side */
static inline void wait_for_arrival(Dut *d, uint64_t bar)
{
    wait_for_migration(d->qts);
    qpci_config_writel(d->dev, PCI_BASE_ADDRESS_0, bar);
    d->bar.addr = bar;
}

/* Returns: a machine that waits for its state, and outlives a bad one. */
static inline Dut *start_waiting(void)
{
    return dut_start("q35 -incoming defer", "");
}

static inline bool arrives(Dut *d, const char *file)
{
    g_autofree char *uri = g_strdup_printf("file:%s", file);

    qtest_qmp_assert_success(d->qts, "{'execute': 'migrate-incoming',"
                             "'arguments': {'uri': %s,"
                             "'exit-on-error': false}}", uri);
    return migration_succeeds(d->qts);
}

/*
 * Moves the machine of @d, which ends, to a new @machine, which ends as well.
 * Returns: did it arrive?
 */
static inline bool moves_to(Dut *d, const char *machine, const char *options)
{
    g_autofree char *file = state_file();
    g_autofree char *waiting = g_strdup_printf("%s -incoming defer", machine);
    bool arrived;

    migrate_to(d, file);
    dut_stop(d);
    d = dut_start(waiting, options);
    arrived = arrives(d, file);
    dut_stop(d);
    unlink(file);
    return arrived;
}

/* --- Made up ------------------------------------------------------------ */

/* What to change where in a state; integers there are big-endian. */
typedef struct ForgedCase {
    const char *name;
    uint64_t mark;
    int distance;
    unsigned size;
    uint32_t value;
    bool accepted;
} ForgedCase;

static inline void forge(const char *file, const ForgedCase *c)
{
    g_autofree char *state = NULL;
    char *at = NULL;
    uint8_t mark[8];
    gsize size;

    stq_be_p(mark, c->mark);
    g_assert_true(g_file_get_contents(file, &state, &size, NULL));
    at = memmem(state, size, mark, sizeof(mark));
    g_assert_nonnull(at);
    at += c->distance;
    if (c->size == 1) {
        stb_p(at, c->value);
    } else {
        stl_be_p(at, c->value);
    }
    g_assert_true(g_file_set_contents(file, state, size, NULL));
}

#endif /* TESTS_PCMASTER_STATE_H */
