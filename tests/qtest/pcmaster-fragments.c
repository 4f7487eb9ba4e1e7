/*
 * pcmaster qtests: rings that lie in fragments
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pcmaster-player.h"
#include "pcmaster-test.h"

#define LIST            0x280000

typedef struct Fragment {
    uint64_t address;
    uint32_t length;
    uint32_t reserved;
} Fragment;

static void write_fragment(Dut *d, unsigned n, Fragment f)
{
    uint64_t entry = LIST + n * PCM_FRAGMENT_BYTES;

    qtest_writeq(d->qts, entry, f.address);
    qtest_writel(d->qts, entry + 8, f.length);
    qtest_writel(d->qts, entry + 12, f.reserved);
}

static void use_list(Dut *d, uint32_t count, uint32_t length)
{
    stream_set_up(d, 0, S16_STEREO, 48000, LIST, length);
    dut_write(d, S0(FRAGMENTS), count);
}

static void expect_start(Dut *d, unsigned cause)
{
    dut_write(d, S0(CTL), 0);
    dut_write(d, S0(CTL), PCM_S_RUN);
    g_assert_cmpuint(dut_read(d, S0(CAUSE)), ==, cause);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    cause ? PCM_S_ERROR : PCM_S_RUNNING);
}

/* Many fragments of uneven size, back to front, over and over again. */
static void test_played(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;
    const unsigned count = 200;
    uint32_t frames = 0;

    for (unsigned n = 0; n < count; n++) {
        uint64_t address = RING + (count - n) * 0x1000 + 4;
        uint32_t length = 1 + n % 7;

        write_fragment(d, n, (Fragment) { address, 4 * length, 0 });
        for (unsigned i = 0; i < length; i++) {
            qtest_writel(d->qts, address + 4 * i, frame(frames + i));
        }
        frames += length;
    }
    use_list(d, count, 4 * frames);
    dut_write64(d, S0(END), 3 * frames);
    expect_start(d, PCM_S_CAUSE_NONE);
    /* The list was read at the start. */
    qtest_memset(d->qts, LIST, 0xff, count * PCM_FRAGMENT_BYTES);
    qtest_clock_step(d->qts, 300000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_DRAINED);
    g_assert_cmpuint(dut_read(d, S0(LOST)), ==, 0);
    dut_stop(d);
    {
        g_autofree char *file = NULL;
        gsize size;

        g_assert_true(g_file_get_contents(p->wav, &file, &size, NULL));
        g_assert_cmpuint(size, ==, WAV_HEADER + 12 * frames);
        for (uint32_t i = 0; i < 3 * frames; i++) {
            uint32_t heard = ldl_le_p(file + WAV_HEADER + 4 * i);

            g_assert_cmphex(heard, ==, frame(i % frames));
        }
    }
    player_free(p);
}

typedef struct ListCase {
    const char *name;
    Fragment fragment[3];
    uint32_t count;
    uint32_t length;
    unsigned cause;
} ListCase;

#define A   { RING, 400, 0 }
#define B   { RING + 0x1000, 800, 0 }

static const ListCase list_cases[] = {
    { "good", { A, B, A }, 3, 1600, PCM_S_CAUSE_NONE },
    { "sum-too-small", { A, B, A }, 3, 1604, PCM_S_CAUSE_LIST },
    { "sum-too-large", { A, B, A }, 3, 1596, PCM_S_CAUSE_LIST },
    { "too-few", { A, B, A }, 2, 1600, PCM_S_CAUSE_LIST },
    { "length-0", { A, { RING, 0, 0 }, B }, 3, 1200, PCM_S_CAUSE_LIST },
    { "half-frames", { { RING, 398, 0 }, { RING, 402, 0 } }, 2, 800,
      PCM_S_CAUSE_LIST },
    { "reserved", { A, { RING, 400, 1 } }, 2, 800, PCM_S_CAUSE_LIST },
    { "reserved-high", { A, { RING, 400, 1u << 31 } }, 2, 800,
      PCM_S_CAUSE_LIST },
    { "over-the-top", { A, { ONES - 398, 400, 0 } }, 2, 800,
      PCM_S_CAUSE_LIST },
    { "to-the-top", { A, { ONES - 399, 400, 0 } }, 2, 800,
      PCM_S_CAUSE_NONE },
    { "sum-overflows", { { RING, 0x80000000, 0 }, { RING, 0x80000000, 0 },
                         A }, 3, 400, PCM_S_CAUSE_LIST },
    { "too-many", { A }, 257, 400, PCM_S_CAUSE_LIST },
    { "far-too-many", { A }, ~0u, 400, PCM_S_CAUSE_LIST },
};

static void test_list(const void *data)
{
    const ListCase *c = data;
    Dut *d = dut_start("q35 -audiodev none,id=snd", ",audiodev=snd");

    for (unsigned n = 0; n < ARRAY_SIZE(c->fragment); n++) {
        write_fragment(d, n, c->fragment[n]);
    }
    use_list(d, c->count, c->length);
    expect_start(d, c->cause);
    dut_expect_no_record(d);
    dut_stop(d);
}

/* 256 entries are the most. */
static void test_most(void)
{
    Dut *d = dut_start("q35 -audiodev none,id=snd", ",audiodev=snd");

    for (unsigned n = 0; n < 256; n++) {
        write_fragment(d, n, (Fragment) { RING, 4, 0 });
    }
    use_list(d, 256, 1024);
    expect_start(d, PCM_S_CAUSE_NONE);
    dut_stop(d);
}

/* The list is DMA, as all else is. */
static void test_list_refused(void)
{
    Dut *d = dut_start("q35 -audiodev none,id=snd", ",audiodev=snd");

    write_fragment(d, 0, (Fragment) A);
    write_fragment(d, 1, (Fragment) B);
    use_list(d, 2, 1200);
    dut_set_window(d, 0, LIST, LIST + 30, PCM_W_ENABLE | PCM_W_READ);
    expect_start(d, PCM_S_CAUSE_DMA);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_WINDOW, 0, false, PCM_POLICY_ABORT, LIST, 32,
        LIST + 30, ONES, LIST + 31, PCM_LANDED_NOWHERE });
    dut_expect_no_record(d);

    dut_write(d, PCM_WINDOW(0) + PCM_W_CTRL, 0);
    expect_start(d, PCM_S_CAUSE_NONE);
    dut_write(d, S0(CTL), 0);

    /* A boundary counts from the start of each fragment. */
    dut_write64(d, PCM_BOUNDARY, 0xfff);
    expect_start(d, PCM_S_CAUSE_NONE);
    qtest_clock_step(d->qts, 20000000);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 960);
    dut_expect_no_record(d);
    dut_stop(d);
}

void pcm_add_fragment_tests(void)
{
    qtest_add_func("/pcmaster/fragments/played", test_played);
    qtest_add_func("/pcmaster/fragments/most", test_most);
    qtest_add_func("/pcmaster/fragments/refused", test_list_refused);
    for (unsigned i = 0; i < ARRAY_SIZE(list_cases); i++) {
        pcm_add_case("fragments/list", list_cases[i].name, &list_cases[i],
                     test_list);
    }
}
