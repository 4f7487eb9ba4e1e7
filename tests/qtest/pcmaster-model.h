/*
 * pcmaster qtests: guest memory as it must be after a transfer
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_PCMASTER_MODEL_H
#define TESTS_PCMASTER_MODEL_H

#include "pcmaster-dut.h"

#define BACKGROUND      0x5a

/* Memory as it must be, page by page; pages are there once touched. */
typedef struct Model {
    Dut *d;
    GHashTable *pages;
} Model;

static inline uint8_t *model_page(Model *m, uint64_t address)
{
    uint64_t key = address / 4096;
    uint8_t *page = g_hash_table_lookup(m->pages, GSIZE_TO_POINTER(key));

    if (!page) {
        page = g_malloc(4096);
        memset(page, BACKGROUND, 4096);
        qtest_memset(m->d->qts, key * 4096, BACKGROUND, 4096);
        g_hash_table_insert(m->pages, GSIZE_TO_POINTER(key), page);
    }
    return page;
}

static inline Model model_new(Dut *d)
{
    return (Model) {
        .d = d,
        .pages = g_hash_table_new_full(NULL, NULL, NULL, g_free),
    };
}

static inline void model_check(Model *m)
{
    g_autofree uint8_t *actual = g_malloc(4096);
    GHashTableIter i;
    gpointer key, page;

    g_hash_table_iter_init(&i, m->pages);
    while (g_hash_table_iter_next(&i, &key, &page)) {
        qtest_bufread(m->d->qts, GPOINTER_TO_SIZE(key) * 4096, actual, 4096);
        g_assert_cmpmem(actual, 4096, page, 4096);
    }
    g_hash_table_unref(m->pages);
}

#endif /* TESTS_PCMASTER_MODEL_H */
