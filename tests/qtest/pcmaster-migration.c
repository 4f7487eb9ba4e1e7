/*
 * pcmaster qtests: migration
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qobject/qjson.h"
#include "pcmaster-msix.h"
#include "pcmaster-player.h"
#include "pcmaster-state.h"
#include "pcmaster-test.h"

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
    g_assert_cmphex(dut_read64(d, PCM_NODE_BYTES(0)), ==, length);
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

/* --- What can be seen --------------------------------------------------- */

/* Distances are known, so that bytes weigh something. */
#define WEIGHING \
    "q35 -object memory-backend-ram,id=m0,size=64M -smp 1" \
    " -numa node,nodeid=0,memdev=m0,cpus=0 -numa node,nodeid=1" \
    " -numa dist,src=0,dst=1,val=20" \
    " -device pxb-pcie,id=pxb,bus_nr=64,bus=pcie.0,numa_node=0" \
    " -device pcie-root-port,id=rp,bus=pxb,addr=0,chassis=1" \
    " -device pcmaster,bus=rp,id=dut,guest-injection=on"
#define PXB_BUS         0x40
#define VIOLATIONS      258     /* two are lost, one is dropped */

/* No two registers have the same value, as far as they can. */
static const struct {
    unsigned reg;
    uint32_t value;
} seen_registers[] = {
    { PCM_INT_VECTOR, 3 },
    { PCM_ADDR_BITS, 31 },
    { PCM_LIMIT, 0x12345678 },
    { PCM_LIMIT + 4, 0x9abcdef0 },
    { PCM_BOUNDARY, 0x0fffffff },
    { PCM_ALIGN, 2 },
    { PCM_GRAIN, 4 },
    { PCM_BURST, 0x10000 },
    { PCM_NODE, 1 },
    { PCM_POLICY, 0x12012 },
    { PCM_EX_ADDR, 0x23456789 },
    { PCM_EX_ADDR + 4, 0xabcdef01 },
    { PCM_EX_LENGTH, 0x3456789a },
    { PCM_EX_SEED, 0x456789ab },
    { PCM_EX_SEED + 4, 0xcdef0123 },
    { PCM_INJ_IRQ_DELAY, 5 },
    { PCM_INJ_IRQ_LOSE, 6 },
    { PCM_INJ_IRQ_REPEAT, 7 },
    { PCM_INJ_STUCK, 1 << 1 },
    { PCM_INJ_REQUESTERS, 9 },
    { PCM_INJ_FLIP, 10 },
    { PCM_INJ_FLIP_OFFSET, 11 },
    { PCM_INJ_FLIP_MASK, 12 },
    { PCM_INJ_CUT, 13 },
    { PCM_INJ_CUT_LENGTH, 14 },
    { PCM_WINDOW(0) + PCM_W_FIRST, 15 },
    { PCM_WINDOW(0) + PCM_W_LAST, 16 },
    { PCM_WINDOW(0) + PCM_W_CTRL, PCM_W_ENABLE | PCM_W_READ },
    { PCM_WINDOW(63) + PCM_W_FIRST + 4, 17 },
    { PCM_WINDOW(63) + PCM_W_LAST + 4, 18 },
    { PCM_WINDOW(63) + PCM_W_CTRL, PCM_W_WRITE },
    { PCM_STREAM(1) + PCM_S_INT_ENABLE, PCM_S_ERROR },
    { PCM_STREAM(1) + PCM_S_FORMAT, 19 },
    { PCM_STREAM(1) + PCM_S_RATE, 20 },
    { PCM_STREAM(1) + PCM_S_BUFFER, 21 },
    { PCM_STREAM(1) + PCM_S_BUFFER + 4, 22 },
    { PCM_STREAM(1) + PCM_S_LENGTH, 23 },
    { PCM_STREAM(1) + PCM_S_PERIOD_FRAMES, 24 },
    { PCM_STREAM(1) + PCM_S_END, 25 },
    { PCM_STREAM(1) + PCM_S_END + 4, 26 },
    { PCM_STREAM(1) + PCM_S_FRAGMENTS, 27 },
    { PCM_STREAM(1) + PCM_S_VECTOR, 8 },
    { PCM_STREAM(1) + PCM_S_VOLUME, 28 },
    { PCM_STREAM(1) + PCM_S_WRITEBACK, 29 },
    { PCM_STREAM(1) + PCM_S_WRITEBACK + 4, 30 },
    { PCM_STREAM(1) + PCM_S_READY, 31 },
    { PCM_STREAM(1) + PCM_S_READY + 4, 32 },
    { PCM_STREAM(1) + PCM_S_SLACK, 33 },
    { PCM_STREAM(1) + PCM_S_READY_AT, 34 },
    { PCM_STREAM(1) + PCM_S_READY_AT + 4, 35 },
};

/* Each register that counts has something to count. */
static void fill_registers(Dut *d, uint32_t command)
{
    const unsigned s1 = PCM_STREAM(1);

    dut_write(d, PCM_ADDR_BITS, 24);
    for (unsigned i = 0; i < VIOLATIONS; i++) {
        dut_exercise(d, PCM_EX_FILL, 0x1000000 + i, 8, 1, PCM_EX_VIOLATION,
                     0);
    }
    dut_write(d, PCM_ADDR_BITS, 64);
    dut_write(d, PCM_LOG_CTRL, PCM_LOG_POP);
    stream_set_up(d, 1, PCM_S_S16 | PCM_S_CHANNELS(2), 48000, 0x300000, 40);
    dut_write(d, s1 + PCM_S_PERIOD_FRAMES, 10);
    dut_write64(d, s1 + PCM_S_READY, 2);
    dut_write(d, s1 + PCM_S_CTL, PCM_S_RUN | PCM_S_SELF_CLEAR);
    qtest_clock_step(d->qts, 1000000);
    dut_write(d, s1 + PCM_S_CTL, PCM_S_RUN | PCM_S_PAUSE | PCM_S_SELF_CLEAR);
    g_assert_cmpuint(stream_position(d, 1), ==, 48);
    g_assert_cmpuint(stream_read(d, 1, PCM_S_XRUNS), ==, 36);
    dut_exercise(d, PCM_EX_CHECKSUM, 0xfffff000, 7, 1, PCM_EX_OK, 7);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 64, 1, PCM_EX_OK, 64);
    qtest_writeb(d->qts, 0x200021, 0);
    dut_command(d, command, 0x200000, 64, 1);
    for (unsigned i = 0; i < ARRAY_SIZE(seen_registers); i++) {
        dut_write(d, seen_registers[i].reg, seen_registers[i].value);
    }
    g_assert_cmpuint(stream_position(d, 1), ==, 48);
}

static void append_property(Dut *d, GByteArray *seen, const char *name)
{
    QObject *value = dut_qom_get(d, name);
    GString *text = qobject_to_json(value);

    g_byte_array_append(seen, (uint8_t *)text->str, text->len);
    g_string_free(text, true);
    qobject_unref(value);
}

/* Returns: all registers, and what the host can see besides. */
static GByteArray *look_at(Dut *d)
{
    GByteArray *seen = g_byte_array_new();

    g_byte_array_set_size(seen, PCM_BAR_SIZE);
    qtest_memread(d->qts, d->bar.addr, seen->data, PCM_BAR_SIZE);
    append_property(d, seen, "violations");
    append_property(d, seen, "accounting");
    return seen;
}

/* Every register is there, and the records go on being numbered. */
static void test_migration_of_registers(const void *data)
{
    g_autofree char *file = state_file();
    g_autofree char *incoming = g_strdup_printf(WEIGHING " -incoming file:%s",
                                                file);
    g_autoptr(GByteArray) before = NULL;
    g_autoptr(GByteArray) after = NULL;
    Dut *d = dut_launch(WEIGHING);

    g_free(configure_port(d, PXB_BUS, 0));
    fill_registers(d, *(const uint32_t *)data);
    before = look_at(d);
    migrate_to(d, file);
    dut_stop(d);

    d = dut_launch(incoming);
    wait_for_migration(d->qts);
    g_free(configure_port(d, PXB_BUS, 0));
    after = look_at(d);
    for (unsigned i = 0; i < PCM_BAR_SIZE; i += 4) {
        g_test_message("register 0x%x", i);
        g_assert_cmphex(ldl_le_p(before->data + i), ==,
                        ldl_le_p(after->data + i));
    }
    g_assert_cmpmem(before->data, before->len, after->data, after->len);
    dut_write(d, PCM_LOG_CTRL, PCM_LOG_CLEAR);
    dut_set_policies(d, PCM_POLICY_ABORT);
    dut_command(d, PCM_EX_FILL, 0xfffff000, 4, 1);
    g_assert_cmpuint(dut_read(d, PCM_LOG_SEQUENCE), ==, VIOLATIONS + 1);
    dut_stop(d);
    unlink(file);
}

/* --- The same bytes ----------------------------------------------------- */

#define SCENE           0x300000        /* what the device works on */
#define SCENE_BYTES     (256 * KiB)
#define SCENE_FILL      0x1000000
#define LAST_WORD       (16 * MiB - 8)
#define HEARD           (SCENE + 64 * KiB)
#define TOLD            (SCENE + 128 * KiB)
#define LIST            (SCENE + 192 * KiB)
#define S1(reg)         (PCM_STREAM(1) + PCM_S_##reg)

typedef struct SceneCase {
    const char *name;
    bool paused;                /* when it migrates */
    bool fragments;
    uint64_t end;               /* of both streams */
} SceneCase;

static const SceneCase scene_cases[] = {
    { "running", false, false, 0 },
    { "fragments", false, true, 0 },
    { "paused", true, true, 0 },
    { "draining", false, false, 700 },
};

/* The second stream hears the first; a command is under way. */
static Dut *start_scene(const SceneCase *c, const char *machine)
{
    Dut *d = dut_start(machine, ",loopback=on,capture=1");
    uint32_t sound[4096];

    for (uint32_t i = 0; i < ARRAY_SIZE(sound); i++) {
        sound[i] = frame(i);
    }
    qtest_bufwrite(d->qts, SCENE, sound, sizeof(sound));
    for (unsigned i = 0; i < 4; i++) {
        qtest_writeq(d->qts, LIST + 16 * i, SCENE + (3 - i) * 4096);
        qtest_writeq(d->qts, LIST + 16 * i + 8, 2048);
    }
    for (unsigned n = 0; n < 2; n++) {
        unsigned base = PCM_STREAM(n);
        bool list = c->fragments && n == 0;

        dut_write(d, base + PCM_S_FORMAT, PCM_S_S16 | PCM_S_CHANNELS(2));
        dut_write(d, base + PCM_S_RATE, 48000);
        dut_write64(d, base + PCM_S_BUFFER, list ? LIST : n ? HEARD : SCENE);
        dut_write(d, base + PCM_S_LENGTH, n ? 24000 : 8192);
        dut_write(d, base + PCM_S_FRAGMENTS, list ? 4 : 0);
        dut_write(d, base + PCM_S_PERIOD_FRAMES, 100);
        dut_write64(d, base + PCM_S_WRITEBACK, TOLD + 64 * n);
        dut_write64(d, base + PCM_S_END, c->end);
    }
    dut_write(d, PCM_ADDR_BITS, 25);
    dut_set_policies(d, PCM_POLICY_WRAP);
    dut_command(d, PCM_EX_FILL, SCENE_FILL, 17 * MiB, 3);
    dut_write(d, PCM_STREAMS_START, 3);
    return d;
}

/* Returns: everything that can be seen of it in the end. */
static GByteArray *play_scene(const SceneCase *c, bool migrates)
{
    static const unsigned registers[] = {
        PCM_EX_STATUS, PCM_EX_DONE, PCM_LOG_COUNT, PCM_LOG_FAULT,
        PCM_LOG_LANDED, PCM_INT_STATUS, S0(STATUS), S0(POSITION), S0(LOST),
        S0(XRUNS), S0(CTL), S1(STATUS), S1(POSITION), S1(LOST), S1(XRUNS),
        S1(CTL),
    };
    GByteArray *seen = g_byte_array_new();
    g_autofree char *file = state_file();
    g_autofree char *incoming = g_strdup_printf("q35 -incoming file:%s", file);
    Dut *d = start_scene(c, "q35");
    int64_t now = qtest_clock_step(d->qts, 300000);

    g_assert_true(dut_read(d, PCM_EX_STATUS) & PCM_EX_BUSY);
    if (c->paused) {
        dut_write(d, PCM_STREAMS_PAUSE, 3);
    }
    if (migrates) {
        uint64_t bar = d->bar.addr;

        migrate_to(d, file);
        dut_stop(d);
        d = dut_start(incoming, ",loopback=on,capture=1");
        wait_for_arrival(d, bar);
        qtest_clock_set(d->qts, now);
    }
    for (unsigned i = 0; i < 20; i++) {
        if (i == 5 && c->paused) {
            dut_write(d, PCM_STREAMS_RESUME, 3);
        }
        qtest_clock_step(d->qts, 2345678);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(registers); i++) {
        uint32_t value = dut_read(d, registers[i]);

        g_byte_array_append(seen, (uint8_t *)&value, sizeof(value));
    }
    g_byte_array_set_size(seen, sizeof(registers) + SCENE_BYTES);
    qtest_bufread(d->qts, SCENE, seen->data + sizeof(registers), SCENE_BYTES);
    g_assert_cmphex(qtest_readq(d->qts, SCENE_FILL + LAST_WORD), ==,
                    3 + LAST_WORD / 8 * PCM_EX_STEP);
    g_assert_cmphex(qtest_readq(d->qts, 0), ==,
                    3 + 16 * MiB / 8 * PCM_EX_STEP);
    dut_stop(d);
    unlink(file);
    return seen;
}

static void test_same_bytes(const void *data)
{
    g_autoptr(GByteArray) there = play_scene(data, false);
    g_autoptr(GByteArray) here = play_scene(data, true);

    g_assert_cmpmem(there->data, there->len, here->data, here->len);
}

/* --- Interrupts --------------------------------------------------------- */

/* A message that is masked waits on the other side too, for its vector. */
static void test_migration_of_masked(void)
{
    Dut *d = dut_start("q35", "");

    msix_start(d);
    msix_mask(d, 5, true);
    dut_write(d, PCM_INT_VECTOR, 5);
    dut_write(d, S0(VECTOR), 7);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_EXERCISER | PCM_INT_STREAM(0));
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_OK, 8);
    g_assert_cmphex(msix_pending(d), ==, 1u << 5);
    d = go_on_elsewhere(d);
    d->dev->msix_table_bar = (QPCIBar) { .addr = MSIX_BAR };
    d->dev->msix_pba_bar = d->dev->msix_table_bar;
    d->dev->msix_pba_off = MSIX_PBA;
    qpci_config_writel(d->dev, PCI_BASE_ADDRESS_0 + 4 * PCM_MSIX_BAR, MSIX_BAR);
    g_assert_cmpuint(dut_read(d, PCM_INT_VECTOR), ==, 5);
    g_assert_cmpuint(dut_read(d, S0(VECTOR)), ==, 7);
    g_assert_cmphex(msix_pending(d), ==, 1u << 5);
    msix_mask(d, 5, false);
    g_assert_cmphex(msix_arrived(d), ==, 1u << 5);
    /* What was told there is not told here again. */
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_OK, 8);
    g_assert_cmphex(msix_arrived(d), ==, 0);
    dut_stop(d);
}

/* --- Made-up states ----------------------------------------------------- */

/* Values that are found in the state again; integers there are big-endian. */
#define MARK_LIMIT      0x123456789abcdef1ull
#define MARK_SEED       0x23456789abcdef12ull
#define MARK_VECTOR     0x0000000b0000000dull   /* INT_VECTOR, S_VECTOR */

/* Bytes from a mark to fields of the same structure. */
#define LIMIT_TO(fields_before)     (-4 * (fields_before))
#define LIMIT_TO_W_CTRL             (8 + 8 + 16)
#define SEED_TO_RESULT              12
#define SEED_TO_PHASE               (8 + 8 * 4 + 8 * PCM_NODES_MAX)
#define SEED_TO_COMMAND             (SEED_TO_PHASE + 1)
#define SEED_TO_OFFSET              (SEED_TO_COMMAND + 4)
#define SEED_TO_DMA                 (SEED_TO_OFFSET + 4 + 8)
#define SEED_TO_REQUESTER           (SEED_TO_DMA + 33)
#define SEED_TO_WRAP_BOUNDARY       (SEED_TO_REQUESTER + 34)
#define SEED_TO_POLICY              (SEED_TO_WRAP_BOUNDARY + 1 + \
                                     20 * PCM_RULE_COUNT + 4)
#define SEED_TO_CHECKED             (SEED_TO_POLICY + 4)
#define SEED_TO_INJECTION           (-8 - 8 * PCM_STREAM_COUNT - 12 * 4)
#define SEED_TO_INJ(reg)            (SEED_TO_INJECTION + \
                                     PCM_INJ_##reg - PCM_INJ_IRQ_DELAY)
#define SEED_TO_ACC(n)              (SEED_TO_INJECTION - 16 - 32 * \
                                     (PCM_NODES_MAX + PCM_ACC_COUNT - (n)))
#define SEED_TO_LOG_LOST            (SEED_TO_ACC(0) - 8)
#define SEED_TO_LOG_COUNT           (SEED_TO_LOG_LOST - 4)
#define SEED_TO_LOG_HEAD            (SEED_TO_LOG_COUNT - 4)
#define SEED_TO_RULE                (SEED_TO_LOG_HEAD - 4)
#define VECTOR_TO_DUE               (4 + 64 + 4 + 64)
#define VECTOR_TO_LATE              (VECTOR_TO_DUE + 4 + 1)
#define VECTOR_TO_TIMER             (VECTOR_TO_LATE + 4 + 8 * PCM_VECTORS + \
                                     4 + 1)

#define FORGED_LENGTH   (4 * MiB)

static const ForgedCase forged_cases[] = {
    { "nothing", MARK_LIMIT, LIMIT_TO(6), 4, 33, true },
    { "addr-bits-low", MARK_LIMIT, LIMIT_TO(6), 4, 19 },
    { "addr-bits-high", MARK_LIMIT, LIMIT_TO(6), 4, 65 },
    { "align", MARK_LIMIT, LIMIT_TO(5), 4, 3 },
    { "policy", MARK_LIMIT, LIMIT_TO(1), 4, 3 },
    { "int-status", MARK_LIMIT, LIMIT_TO(8), 4, 4 },
    { "int-status-all", MARK_LIMIT, LIMIT_TO(8), 4, 3, true },
    { "int-enable", MARK_LIMIT, LIMIT_TO(7), 4, PCM_INT_STREAM(2) },
    { "window", MARK_LIMIT, LIMIT_TO_W_CTRL, 4, 8 },
    { "window-all", MARK_LIMIT, LIMIT_TO_W_CTRL, 4, 7, true },
    { "log-head", MARK_SEED, SEED_TO_LOG_HEAD, 4, 256 },
    { "log-head-last", MARK_SEED, SEED_TO_LOG_HEAD, 4, 255, true },
    { "log-count", MARK_SEED, SEED_TO_LOG_COUNT, 4, 257 },
    { "log-count-most", MARK_SEED, SEED_TO_LOG_COUNT, 4, 256, true },
    { "log-rule", MARK_SEED, SEED_TO_RULE, 1, PCM_RULE_COUNT },
    { "log-rule-last", MARK_SEED, SEED_TO_RULE, 1, PCM_RULE_COUNT - 1,
      true },
    { "log-injected", MARK_SEED, SEED_TO_RULE, 1, PCM_LOG_INJECTED },
    { "log-policy", MARK_SEED, SEED_TO_RULE + 2, 1, 3 },
    { "inj-irq-delay", MARK_SEED, SEED_TO_INJ(IRQ_DELAY), 4,
      PCM_INJ_IRQ_DELAY_MAX + 1 },
    { "inj-stuck", MARK_SEED, SEED_TO_INJ(STUCK), 4, 0x10000 },
    { "inj-requesters", MARK_SEED, SEED_TO_INJ(REQUESTERS), 4, 0x20000 },
    { "inj-flip-mask", MARK_SEED, SEED_TO_INJ(FLIP_MASK), 4, 0x100 },
    { "inj-flip-mask-most", MARK_SEED, SEED_TO_INJ(FLIP_MASK), 4, 0xff,
      true },
    { "inj-silence", MARK_SEED, SEED_TO_INJ(SILENCE), 4, 2 },
    { "exerciser-result", MARK_SEED, SEED_TO_RESULT, 4, 5 },
    { "exerciser-phase", MARK_SEED, SEED_TO_PHASE, 1, 3 },
    { "vector", MARK_VECTOR, 0, 4, PCM_VECTORS },
    { "vector-last", MARK_VECTOR, 0, 4, PCM_VECTORS - 1, true },
    { "stream-vector", MARK_VECTOR, 4, 4, PCM_VECTORS },
    { "last-stream-vector", MARK_VECTOR, 64, 4, PCM_VECTORS },
    { "due", MARK_VECTOR, VECTOR_TO_DUE, 4, 1u << PCM_VECTORS },
    { "late", MARK_VECTOR, VECTOR_TO_LATE, 4, 1u << PCM_VECTORS },
};

/* With a command under way. */
static const ForgedCase forged_commands[] = {
    { "command", MARK_SEED, SEED_TO_COMMAND, 4, 5 },
    { "command-last", MARK_SEED, SEED_TO_COMMAND, 4, 4, true },
    { "offset-odd", MARK_SEED, SEED_TO_OFFSET, 4, 4 },
    { "offset-end", MARK_SEED, SEED_TO_OFFSET, 4, FORGED_LENGTH },
    { "offset", MARK_SEED, SEED_TO_OFFSET, 4, 8, true },
    { "requester", MARK_SEED, SEED_TO_REQUESTER, 1, 0 },
    { "wrap-boundary", MARK_SEED, SEED_TO_WRAP_BOUNDARY, 1, 1 },
    { "command-policy", MARK_SEED, SEED_TO_POLICY, 4, 3 },
    { "checked", MARK_SEED, SEED_TO_CHECKED, 4, FORGED_LENGTH + 1 },
};

/* What a driver could not have made is not taken in. */
static void expect_arrival(const ForgedCase *c, bool busy)
{
    g_autofree char *file = state_file();
    Dut *d = dut_start("q35", "");

    dut_write(d, PCM_ADDR_BITS, 33);
    dut_write64(d, PCM_LIMIT, MARK_LIMIT);
    dut_write64(d, PCM_EX_SEED, MARK_SEED);
    dut_write(d, PCM_INT_VECTOR, MARK_VECTOR >> 32);
    dut_write(d, S0(VECTOR), MARK_VECTOR & UINT32_MAX);
    if (busy) {
        dut_write64(d, PCM_EX_ADDR, 0x200000);
        dut_write(d, PCM_EX_LENGTH, FORGED_LENGTH);
        dut_write(d, PCM_EX_COMMAND, PCM_EX_VERIFY);
        g_assert_true(dut_read(d, PCM_EX_STATUS) & PCM_EX_BUSY);
    }
    migrate_to(d, file);
    dut_stop(d);
    forge(file, c);
    d = start_waiting();
    g_assert_cmpint(arrives(d, file), ==, c->accepted);
    dut_stop(d);
    unlink(file);
}

static void test_forged(const void *data)
{
    expect_arrival(data, false);
}

static void test_forged_command(const void *data)
{
    expect_arrival(data, true);
}

/*
 * A message that was due when the machine stopped is sent on the other side.
 * qtest's clock leaves no time for that, so the state is made to say so.
 */
static void test_migration_of_due(void)
{
    static const ForgedCase due[] = {
        { "due", MARK_VECTOR, VECTOR_TO_DUE, 4, 1u << 3 | 1u << 6 },
        { "time", MARK_VECTOR, VECTOR_TO_TIMER, 4, 0 },
        { "time", MARK_VECTOR, VECTOR_TO_TIMER + 4, 4, 1 },
    };
    g_autofree char *file = state_file();
    Dut *d = dut_start("q35", "");
    uint64_t bar = d->bar.addr;

    msix_start(d);
    dut_write(d, PCM_INT_VECTOR, MARK_VECTOR >> 32);
    dut_write(d, S0(VECTOR), MARK_VECTOR & UINT32_MAX);
    migrate_to(d, file);
    dut_stop(d);
    for (unsigned i = 0; i < ARRAY_SIZE(due); i++) {
        forge(file, &due[i]);
    }
    d = start_waiting();
    g_assert_true(arrives(d, file));
    qtest_clock_step(d->qts, 1000);
    g_assert_cmphex(msix_arrived(d), ==, due[0].value);
    qpci_config_writel(d->dev, PCI_BASE_ADDRESS_0, bar);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, 0);
    g_assert_cmphex(msix_arrived(d), ==, 0);
    dut_stop(d);
    unlink(file);
}

/* Counters that stay at their maximum; nobody waits for them to get there. */
static void test_saturated(void)
{
    static const int account = SEED_TO_ACC(PCM_ACC_EXERCISER);
    const ForgedCase list[] = {
        { "count", MARK_SEED, SEED_TO_LOG_COUNT, 4, 256 },
        { "lost", MARK_SEED, SEED_TO_LOG_LOST, 4, UINT32_MAX - 1 },
        { "bytes", MARK_SEED, account + PCM_A_READ_BYTES, 4, UINT32_MAX },
        { "bytes", MARK_SEED, account + PCM_A_READ_BYTES + 4, 4,
          UINT32_MAX - 63 },
        { "reads", MARK_SEED, account + PCM_A_READS, 4, UINT32_MAX },
        { "reads", MARK_SEED, account + PCM_A_READS + 4, 4,
          UINT32_MAX - 1 },
    };
    const unsigned counters = PCM_ACC(PCM_ACC_EXERCISER);
    g_autofree char *file = state_file();
    Dut *d = dut_start("q35", "");
    uint64_t bar = d->bar.addr;

    dut_write64(d, PCM_EX_SEED, MARK_SEED);
    migrate_to(d, file);
    dut_stop(d);
    for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
        forge(file, &list[i]);
    }
    d = start_waiting();
    g_assert_true(arrives(d, file));
    wait_for_arrival(d, bar);
    dut_exercise(d, PCM_EX_READ, 0x200000, 62, 0, PCM_EX_OK, 62);
    g_assert_cmphex(dut_read64(d, counters + PCM_A_READ_BYTES), ==, ONES - 1);
    for (unsigned i = 0; i < 3; i++) {
        dut_exercise(d, PCM_EX_READ, 0x200000, 64, 0, PCM_EX_OK, 64);
        g_assert_cmphex(dut_read64(d, counters + PCM_A_READ_BYTES), ==, ONES);
        g_assert_cmphex(dut_read64(d, counters + PCM_A_READS), ==, ONES);
    }
    dut_write(d, PCM_ADDR_BITS, 20);
    for (unsigned i = 0; i < 3; i++) {
        dut_exercise(d, PCM_EX_READ, 0x200000, 8, 0, PCM_EX_VIOLATION, 0);
        g_assert_cmphex(dut_read(d, PCM_LOG_LOST), ==, UINT32_MAX);
    }
    dut_stop(d);
    unlink(file);
}

/* A stream that plays cannot go where nobody plays it; one that rests can. */
static void test_no_back_end(void)
{
    for (unsigned plays = 0; plays < 2; plays++) {
        Dut *d = dut_start("q35 -audiodev none,id=snd", ",audiodev=snd");

        start_silence(d, 0);
        if (!plays) {
            dut_write(d, S0(CTL), 0);
            qtest_clock_step(d->qts, 300000000);
        }
        /* This one cannot record such samples: no voice opens. */
        g_assert_cmpint(moves_to(d, "q35 -audiodev wav,id=snd,path=/dev/null,"
                                 "out.format=f32", ",audiodev=snd"),
                        ==, !plays);
    }
}

/*
 * The end's timer comes late, as it may on a busy host: the clock on the other
 * side is ahead.  The stream ends on its last frame all the same.
 */
static void test_late_end(void)
{
    g_autofree char *file = state_file();
    Dut *d = dut_start("q35", "");
    uint64_t bar = d->bar.addr;

    stream_set_up(d, 1, PCM_S_S16 | PCM_S_CHANNELS(2), 48000, 0x300000,
                  4 * 1000);
    dut_write64(d, PCM_STREAM(1) + PCM_S_END, 700);
    dut_write(d, PCM_STREAM(1) + PCM_S_CTL, PCM_S_RUN);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmpuint(stream_position(d, 1), ==, 480);
    migrate_to(d, file);
    dut_stop(d);

    d = start_waiting();
    qtest_clock_step(d->qts, 1000000000);
    g_assert_true(arrives(d, file));
    qpci_config_writel(d->dev, PCI_BASE_ADDRESS_0, bar);
    d->bar.addr = bar;
    g_assert_cmpuint(stream_position(d, 1), ==, 700);
    g_assert_cmphex(stream_read(d, 1, PCM_S_STATUS), ==, PCM_S_DRAINED);
    dut_stop(d);
    unlink(file);
}

/* What a stream's registers hold is not taken for a subsection. */
static void test_migration_of_a_look_alike(void)
{
    static const struct {
        uint32_t reg, value;
    } look_alike[] = {
        { PCM_S_FORMAT, 0x05187063 },           /* 5, 24, "pc" ... */
        { PCM_S_RATE, 0x6d617374 },
        { PCM_S_LENGTH, 0x65722f73 },
        { PCM_S_PERIOD_FRAMES, 0x74726561 },
        { PCM_S_FRAGMENTS, 0x6d2f7265 },
        { PCM_S_SLACK, 0x6164792d },
        { PCM_S_BUFFER + 4, 0x61740000 },
        { PCM_S_BUFFER, 0x00010000 },
    };
    Dut *d = dut_start("q35 -audiodev none,id=snd", ",audiodev=snd");

    for (unsigned i = 0; i < ARRAY_SIZE(look_alike); i++) {
        dut_write(d, PCM_STREAM(1) + look_alike[i].reg, look_alike[i].value);
    }
    g_assert_true(moves_to(d, "q35 -audiodev none,id=snd", ",audiodev=snd"));
}

/* --- Loop-back ---------------------------------------------------------- */

#define LOOP_FRAMES     8000
#define LOOP_RECORDING  0x500000
#define READY_WORD      0x2a0000

static void start_loop(Dut *d)
{
    for (uint32_t i = 0; i < LOOP_FRAMES; i++) {
        qtest_writel(d->qts, RING + 4 * i, frame(i));
    }
    for (unsigned n = 0; n < 2; n++) {
        stream_set_up(d, n, PCM_S_S16 | PCM_S_CHANNELS(2), 48000,
                      n ? LOOP_RECORDING : RING, 4 * LOOP_FRAMES);
        dut_write64(d, PCM_STREAM(n) + PCM_S_END, 2000 + 100 * n);
    }
    dut_write(d, PCM_STREAM(1) + PCM_S_CTL, PCM_S_RUN);
    qtest_clock_step(d->qts, 1);
    dut_write(d, PCM_STREAM(0) + PCM_S_CTL, PCM_S_RUN);
}

/*
 * What is captured is the same as without.  A frame of the loop-back is
 * always on its way; the streams move with it, and so does a pause.
 */
static void migrate_while_capturing(bool ready_in_memory)
{
    static const char options[] = ",audiodev=snd,loopback=on";
    g_autofree char *file = state_file();
    g_autofree char *incoming = g_strdup_printf("q35 -audiodev none,id=snd "
                                                "-incoming file:%s", file);
    Dut *d = dut_start("q35 -audiodev none,id=snd", options);
    uint64_t bar = d->bar.addr;

    if (ready_in_memory) {
        qtest_writeq(d->qts, READY_WORD, 1000);
        dut_write64(d, PCM_STREAM(0) + PCM_S_READY_AT, READY_WORD);
    } else {
        dut_write64(d, PCM_STREAM(0) + PCM_S_READY, 1500);
    }
    start_loop(d);
    dut_write(d, PCM_STREAM(0) + PCM_S_VOLUME, 0x1234);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmpuint(stream_position(d, 0), ==, 480);
    dut_write(d, PCM_STREAMS_PAUSE, 3);
    migrate_to(d, file);
    dut_stop(d);

    d = dut_start(incoming, options);
    wait_for_arrival(d, bar);
    g_assert_cmphex(stream_read(d, 0, PCM_S_STATUS), ==,
                    PCM_S_RUNNING | PCM_S_PAUSED);
    g_assert_cmphex(stream_read(d, 0, PCM_S_VOLUME), ==, 0x1234);
    qtest_clock_step(d->qts, 10000000);
    if (ready_in_memory) {
        qtest_writeq(d->qts, READY_WORD, 1500);
    }
    dut_write(d, PCM_STREAMS_RESUME, 3);
    qtest_clock_step(d->qts, 100000000);
    g_assert_cmpuint(stream_position(d, 0), ==, 2000);
    g_assert_cmpuint(stream_read(d, 0, PCM_S_XRUNS), ==, 500);
    g_assert_cmphex(stream_read(d, 1, PCM_S_STATUS), ==, PCM_S_DRAINED);
    for (uint32_t i = 0; i < 2100; i++) {
        uint32_t heard = i >= 1 && i <= 1500 ? frame(i - 1) : 0;

        g_assert_cmphex(qtest_readl(d->qts, LOOP_RECORDING + 4 * i), ==,
                        heard);
    }
    dut_stop(d);
    unlink(file);
}

static void test_migration_while_capturing(void)
{
    migrate_while_capturing(false);
}

static void test_migration_with_ready_in_memory(void)
{
    migrate_while_capturing(true);
}

/* The list is not read again: it may be gone. */
static void test_migration_of_list(void)
{
    static const char options[] = ",audiodev=snd,loopback=on";
    g_autofree char *file = state_file();
    g_autofree char *incoming = g_strdup_printf("q35 -audiodev none,id=snd "
                                                "-incoming file:%s", file);
    Dut *d = dut_start("q35 -audiodev none,id=snd", options);
    const uint64_t list = 0x280000;
    uint64_t bar = d->bar.addr;

    qtest_writeq(d->qts, list, RING + 4 * 1000);
    qtest_writeq(d->qts, list + 8, 4 * 1000);
    qtest_writeq(d->qts, list + 16, RING);
    qtest_writeq(d->qts, list + 24, 4 * 1000);
    start_loop(d);
    dut_write(d, PCM_STREAMS_STOP, 3);
    stream_set_up(d, 0, PCM_S_S16 | PCM_S_CHANNELS(2), 48000, list, 8000);
    dut_write(d, PCM_STREAM(0) + PCM_S_FRAGMENTS, 2);
    dut_write(d, PCM_STREAMS_START, 3);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmpuint(stream_position(d, 1), ==, 480);
    qtest_memset(d->qts, list, 0, 32);
    migrate_to(d, file);
    dut_stop(d);

    d = dut_start(incoming, options);
    wait_for_arrival(d, bar);
    qtest_clock_step(d->qts, 100000000);
    g_assert_cmphex(stream_read(d, 1, PCM_S_STATUS), ==, PCM_S_DRAINED);
    for (uint32_t i = 0; i < 2000; i++) {
        g_assert_cmphex(qtest_readl(d->qts, LOOP_RECORDING + 4 * i), ==,
                        frame(i < 1000 ? i + 1000 : i - 1000));
    }
    dut_stop(d);
    unlink(file);
}

void pcm_add_migration_tests(void)
{
    static const uint32_t last[] = { PCM_EX_VERIFY, PCM_EX_CHECKSUM };

    pcm_add_case("migration/registers", "verify", &last[0],
                 test_migration_of_registers);
    pcm_add_case("migration/registers", "checksum", &last[1],
                 test_migration_of_registers);
    for (unsigned i = 0; i < ARRAY_SIZE(scene_cases); i++) {
        pcm_add_case("migration/same-bytes", scene_cases[i].name,
                     &scene_cases[i], test_same_bytes);
    }
    qtest_add_func("/pcmaster/migration/masked", test_migration_of_masked);
    qtest_add_func("/pcmaster/migration/due", test_migration_of_due);
    qtest_add_func("/pcmaster/migration/late-end", test_late_end);
    for (unsigned i = 0; i < ARRAY_SIZE(forged_cases); i++) {
        pcm_add_case("migration/forged", forged_cases[i].name,
                     &forged_cases[i], test_forged);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(forged_commands); i++) {
        pcm_add_case("migration/forged-command", forged_commands[i].name,
                     &forged_commands[i], test_forged_command);
    }
    qtest_add_func("/pcmaster/migration/saturated", test_saturated);
    qtest_add_func("/pcmaster/migration/no-back-end", test_no_back_end);
    qtest_add_func("/pcmaster/migration/command", test_migration);
    qtest_add_func("/pcmaster/migration/over-the-top",
                   test_migration_over_the_top);
    qtest_add_func("/pcmaster/migration/capturing",
                   test_migration_while_capturing);
    qtest_add_func("/pcmaster/migration/look-alike",
                   test_migration_of_a_look_alike);
    qtest_add_func("/pcmaster/migration/ready-in-memory",
                   test_migration_with_ready_in_memory);
    qtest_add_func("/pcmaster/migration/list", test_migration_of_list);
    qtest_add_func("/pcmaster/migration/playing",
                   test_migration_while_playing);
}
