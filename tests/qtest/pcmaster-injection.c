/*
 * pcmaster qtests: faults made on purpose
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pcmaster-msix.h"
#include "pcmaster-model.h"
#include "pcmaster-player.h"
#include "pcmaster-test.h"

#define ALL_REQUESTERS  0x1ffff

static const struct {
    unsigned offset;
    const char *property;
    uint32_t reset;
    uint32_t most;
} settings[] = {
    { PCM_INJ_IRQ_DELAY, "inject-irq-delay", 0, 1000000000 },
    { PCM_INJ_IRQ_LOSE, "inject-irq-lose", 0, ~0u },
    { PCM_INJ_IRQ_REPEAT, "inject-irq-repeat", 0, ~0u },
    { PCM_INJ_STUCK, "inject-stuck", 0, 0xffff },
    { PCM_INJ_REQUESTERS, "inject-requesters", ALL_REQUESTERS,
      ALL_REQUESTERS },
    { PCM_INJ_FLIP, "inject-flip", 0, ~0u },
    { PCM_INJ_FLIP_OFFSET, "inject-flip-offset", 0, ~0u },
    { PCM_INJ_FLIP_MASK, "inject-flip-mask", 0, 0xff },
    { PCM_INJ_CUT, "inject-cut", 0, ~0u },
    { PCM_INJ_CUT_LENGTH, "inject-cut-length", 0, ~0u },
};

/* Returns: does the device accept it? */
static bool inject(Dut *d, const char *property, uint64_t value)
{
    return dut_qom_set(d, property, QOBJECT(qnum_from_uint(value)));
}

static void silence(Dut *d, bool on)
{
    g_assert_true(dut_qom_set(d, "inject-silence",
                              QOBJECT(qbool_from_bool(on))));
}

static uint64_t injected(Dut *d, const char *property)
{
    QNum *value = qobject_to(QNum, dut_qom_get(d, property));
    uint64_t result = qnum_get_uint(value);

    qobject_unref(value);
    return result;
}

/* Each setting through each door, from reset to reset. */
static void test_doors(void)
{
    Dut *d = dut_start("q35", ",guest-injection=on");

    g_assert_true(dut_read(d, PCM_CAP2) & PCM_CAP2_INJECTION);
    for (unsigned i = 0; i < ARRAY_SIZE(settings); i++) {
        unsigned offset = settings[i].offset;
        const char *property = settings[i].property;

        g_test_message("%s", property);
        g_assert_cmphex(dut_read(d, offset), ==, settings[i].reset);
        g_assert_true(inject(d, property, 1));
        g_assert_cmphex(dut_read(d, offset), ==, 1);
        dut_write(d, offset, settings[i].most);
        g_assert_cmphex(injected(d, property), ==, settings[i].most);
        g_assert_false(inject(d, property, settings[i].most + 1ull));
        if (settings[i].most < UINT32_MAX) {
            dut_write(d, offset, settings[i].most + 1);
        }
        g_assert_cmphex(dut_read(d, offset), ==, settings[i].most);
        dut_write(d, PCM_CTRL, PCM_CTRL_RESET);
        g_assert_cmphex(injected(d, property), ==, settings[i].reset);
    }
    dut_expect_no_record(d);
    dut_stop(d);
}

/* Unless it may, the guest sees none of it. */
static void test_closed_door(void)
{
    Dut *d = dut_start("q35", "");

    g_assert_false(dut_read(d, PCM_CAP2) & PCM_CAP2_INJECTION);
    for (unsigned i = 0; i < ARRAY_SIZE(settings); i++) {
        g_assert_true(inject(d, settings[i].property, 1));
        g_assert_cmphex(dut_read(d, settings[i].offset), ==, 0);
        dut_write(d, settings[i].offset, 0);
        g_assert_cmphex(injected(d, settings[i].property), ==, 1);
    }
    dut_write(d, PCM_INJ_SILENCE, 1);
    g_assert_cmphex(dut_read(d, PCM_ID), ==, PCM_ID_VALUE);
    dut_stop(d);
}

/* A setting is for a device at work: before, it would not last. */
static void test_too_early(void)
{
    Dut *d = dut_launch("pc");
    g_autofree char *answer = qtest_hmp(d->qts, "device_add pcmaster,"
                                        "inject-cut=1");

    g_assert_true(g_str_has_prefix(answer, "Error: inject-cut is for a "
                                   "device that is at work"));
    dut_stop(d);
}

static void expect_injected(Dut *d, bool write, uint64_t address,
                            uint32_t length, unsigned kind, uint64_t actual,
                            uint64_t fault, uint64_t landed)
{
    dut_expect_record(d, &(DutRecord) {
        PCM_LOG_INJECTED, EX, write, 0, address, length, kind, actual,
        fault, landed });
}

/* In a write, exactly these bits of this byte, in so many transactions. */
static void test_flip_write(void)
{
    /* One of the bits of byte 5 is set, the other is not. */
    const uint64_t seed = 1ull << 40;
    Dut *d = dut_start("q35", "");
    Model m = model_new(d);

    for (unsigned n = 0; n < 3; n++) {
        uint64_t address = 0x200ffc + n * 0x2000;

        for (uint32_t i = 0; i < 64; i++) {
            model_page(&m, address + i)[(address + i) % 4096] =
                dut_pattern(seed, i) ^ (i == 5 && n < 2 ? 0x81 : 0);
        }
    }
    inject(d, "inject-flip", 2);
    inject(d, "inject-flip-offset", 5);
    dut_exercise(d, PCM_EX_FILL, 0x300000, 64, seed, PCM_EX_OK, 64);
    inject(d, "inject-flip-mask", 0x81);
    dut_exercise(d, PCM_EX_FILL, 0x300000, 5, seed, PCM_EX_OK, 5);
    dut_expect_no_record(d);
    for (unsigned n = 0; n < 3; n++) {
        dut_exercise(d, PCM_EX_FILL, 0x200ffc + n * 0x2000, 64, seed,
                     PCM_EX_OK, 64);
    }
    expect_injected(d, true, 0x200ffc, 64, PCM_INJECTED_FLIP, 0x81,
                    0x201001, 0x201001);
    expect_injected(d, true, 0x202ffc, 64, PCM_INJECTED_FLIP, 0x81,
                    0x203001, 0x203001);
    dut_expect_no_record(d);
    g_assert_cmpuint(injected(d, "inject-flip"), ==, 0);
    model_check(&m);
    dut_stop(d);
}

/* In a read memory stays as it is. */
static void test_flip_read(void)
{
    static const uint32_t offsets[] = { 0, 63, 40000, 99999 };
    Dut *d = dut_start("q35", "");

    dut_exercise(d, PCM_EX_FILL, 0x200001, 100000, 9, PCM_EX_OK, 100000);
    inject(d, "inject-flip-mask", 0x10);
    for (unsigned i = 0; i < ARRAY_SIZE(offsets); i++) {
        uint32_t at = offsets[i];

        inject(d, "inject-flip", 1);
        inject(d, "inject-flip-offset", at);
        dut_exercise(d, PCM_EX_VERIFY, 0x200001, 100000, 9, PCM_EX_MISMATCH,
                     100000);
        g_assert_cmpuint(dut_read(d, PCM_EX_MISMATCHES), ==, 1);
        g_assert_cmpuint(dut_read(d, PCM_EX_FIRST_MISMATCH), ==, at);
        g_assert_cmphex(dut_read(d, PCM_EX_MISMATCH_BYTES), ==,
                        dut_pattern(9, at) |
                        (dut_pattern(9, at) ^ 0x10) << 8);
        expect_injected(d, false, 0x200001, 100000, PCM_INJECTED_FLIP, 0x10,
                        0x200001 + at, 0x200001 + at);
        dut_exercise(d, PCM_EX_VERIFY, 0x200001, 100000, 9, PCM_EX_OK,
                     100000);
    }
    dut_expect_no_record(d);
    dut_stop(d);
}

/* A cut transfer ends early and without an error. */
static void test_cut(void)
{
    static const uint32_t lengths[] = { 0, 1, 39999, 65536, 99999 };
    Dut *d = dut_start("q35", "");

    for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
        uint32_t cut = lengths[i];

        qtest_memset(d->qts, 0x200000, BACKGROUND, 100001);
        inject(d, "inject-cut", 1);
        inject(d, "inject-cut-length", cut);
        /* One that is no longer than that is left alone. */
        dut_exercise(d, PCM_EX_CHECKSUM, 0x300000, MAX(cut, 1), 9, PCM_EX_OK,
                     cut);
        if (!cut) {
            inject(d, "inject-cut", 1);
            dut_write(d, PCM_LOG_CTRL, PCM_LOG_POP);
        }
        dut_exercise(d, PCM_EX_FILL, 0x200001, 100000, 9, PCM_EX_OK, cut);
        g_assert_cmphex(qtest_readb(d->qts, 0x200001 + cut), ==, BACKGROUND);
        if (cut) {
            g_assert_cmphex(qtest_readb(d->qts, 0x200000 + cut), ==,
                            dut_pattern(9, cut - 1));
        }
        expect_injected(d, true, 0x200001, 100000, PCM_INJECTED_CUT, cut,
                        0x200001 + cut, PCM_LANDED_NOWHERE);
        dut_exercise(d, PCM_EX_FILL, 0x200001, 100000, 9, PCM_EX_OK, 100000);

        /* What is not read arrives as 0xff. */
        inject(d, "inject-cut", 1);
        dut_exercise(d, PCM_EX_VERIFY, 0x200001, 100000, 9, PCM_EX_MISMATCH,
                     cut);
        g_assert_cmphex(dut_read(d, PCM_EX_MISMATCH_BYTES) >> 8, ==, 0xff);
        g_assert_cmpuint(dut_read(d, PCM_EX_FIRST_MISMATCH), >=, cut);
        expect_injected(d, false, 0x200001, 100000, PCM_INJECTED_CUT, cut,
                        0x200001 + cut, PCM_LANDED_NOWHERE);
        dut_expect_no_record(d);
    }
    dut_stop(d);
}

/* What was moved before the fault was set stays; the rest does not come. */
static void test_cut_under_way(void)
{
    Dut *d = dut_start("q35", "");

    dut_command(d, PCM_EX_FILL, 0x200000, 4 * MiB, 1);
    inject(d, "inject-cut-length", 100);
    inject(d, "inject-cut", 1);
    qtest_clock_step(d->qts, 10000000);
    dut_expect_result(d, PCM_EX_OK, 1 * MiB);
    expect_injected(d, true, 0x200000, 4 * MiB, PCM_INJECTED_CUT, 1 * MiB,
                    0x200000 + 1 * MiB, PCM_LANDED_NOWHERE);
    dut_stop(d);
}

/* Only those are hit that are to be hit. */
static void test_requesters(void)
{
    Dut *d = dut_start("q35 -audiodev none,id=snd", ",audiodev=snd");

    inject(d, "inject-flip-mask", 1);
    inject(d, "inject-flip", 10);
    inject(d, "inject-cut", 10);
    inject(d, "inject-cut-length", 8);
    inject(d, "inject-requesters", 1);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 64, 9, PCM_EX_OK, 64);
    dut_expect_no_record(d);
    start_silence(d, 0);
    qtest_clock_step(d->qts, 1000000);
    dut_read(d, S0(POSITION));
    g_assert_cmpuint(dut_read(d, PCM_LOG_COUNT), ==, 2);
    for (unsigned i = 0; i < 2; i++) {
        g_assert_cmpuint(PCM_LOG_REQUESTER(dut_read(d, PCM_LOG_INFO)), ==, 0);
        dut_write(d, PCM_LOG_CTRL, PCM_LOG_POP);
    }
    dut_write(d, S0(CTL), 0);
    inject(d, "inject-requesters", PCM_INJ_EXERCISER);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 64, 9, PCM_EX_OK, 8);
    g_assert_cmpuint(dut_read(d, PCM_LOG_COUNT), ==, 2);
    dut_stop(d);
}

/* An aborted transaction gives no fault the chance to act. */
static void test_not_if_aborted(void)
{
    Dut *d = dut_start("q35", "");

    dut_write(d, PCM_ADDR_BITS, 20);
    inject(d, "inject-flip-mask", 1);
    inject(d, "inject-flip", 1);
    inject(d, "inject-cut", 1);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 64, 9, PCM_EX_VIOLATION, 0);
    g_assert_cmpuint(dut_read(d, PCM_LOG_COUNT), ==, 1);
    g_assert_cmpuint(injected(d, "inject-flip"), ==, 1);
    g_assert_cmpuint(injected(d, "inject-cut"), ==, 1);
    dut_stop(d);
}

/* The host sees injections in the log by their name. */
static void test_property(void)
{
    Dut *d = dut_start("q35", "");
    QList *list;
    QDict *record;

    inject(d, "inject-cut", 1);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 64, 9, PCM_EX_OK, 0);
    list = qobject_to(QList, dut_qom_get(d, "violations"));
    record = qobject_to(QDict, qlist_peek(list));
    g_assert_cmpstr(qdict_get_str(record, "injected"), ==, "cut");
    g_assert_false(qdict_haskey(record, "rule"));
    qobject_unref(list);
    dut_stop(d);
}

/* The register stands still, the stream goes on. */
static void test_stuck(void)
{
    Dut *d = dut_start("q35 -audiodev none,id=snd", ",audiodev=snd");

    start_silence(d, 0);
    qtest_clock_step(d->qts, 1000000);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 48);
    inject(d, "inject-stuck", 1);
    dut_expect_no_record(d);
    for (unsigned i = 0; i < 3; i++) {
        qtest_clock_step(d->qts, 1000000);
        g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 48);
    }
    dut_expect_record(d, &(DutRecord) {
        PCM_LOG_INJECTED, 0, false, 0, 0, 0, PCM_INJECTED_STUCK, 48, 0,
        PCM_LANDED_NOWHERE });
    dut_expect_no_record(d);
    inject(d, "inject-stuck", 0);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 192);
    inject(d, "inject-stuck", 1);
    dut_read(d, S0(POSITION));
    g_assert_cmpuint(dut_read(d, PCM_LOG_COUNT), ==, 1);
    dut_stop(d);
}

static void expect_silence(Dut *d)
{
    g_assert_cmphex(dut_read(d, PCM_ID), ==, ~0u);
    g_assert_cmphex(dut_read(d, 0x7fc), ==, ~0u);
    g_assert_cmphex(qpci_config_readw(d->dev, PCI_VENDOR_ID), ==, 0x1af4);
    g_assert_cmphex(qpci_io_readq(d->dev, d->bar, PCM_LIMIT), ==, ONES);
    dut_write(d, PCM_ADDR_BITS, 20);
    dut_write(d, PCM_CTRL, PCM_CTRL_RESET);
    g_assert_cmphex(dut_read(d, PCM_ID), ==, ~0u);
    g_assert_cmpint(raised_line(d), ==, -1);
}

/* It ends what is under way, and the host can bring it back. */
static void test_silence(void)
{
    Dut *d = dut_start("q35", "");

    qtest_irq_intercept_in(d->qts, "ioapic");
    dut_write(d, PCM_ADDR_BITS, 40);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_EXERCISER);
    dut_command(d, PCM_EX_FILL, 0x200000, 4 * MiB, 1);
    qtest_memset(d->qts, 0x300000, BACKGROUND, 1 * MiB);
    silence(d, true);
    expect_silence(d);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmpint(raised_line(d), ==, -1);
    g_assert_cmphex(qtest_readb(d->qts, 0x300000), ==, BACKGROUND);
    silence(d, false);
    g_assert_cmpint(raised_line(d), !=, -1);
    g_assert_cmpuint(dut_read(d, PCM_ADDR_BITS), ==, 40);
    dut_expect_result(d, PCM_EX_NO_BUS_MASTER, 1 * MiB);
    dut_expect_record(d, &(DutRecord) {
        PCM_LOG_INJECTED, PCM_REQUESTER_DEVICE, false, 0, 0, 0,
        PCM_INJECTED_SILENCE, 0, 0, PCM_LANDED_NOWHERE });
    dut_expect_no_record(d);
    dut_stop(d);
}

/* No value but 0 and 1 is one of the register. */
static void test_silence_register(void)
{
    Dut *d = dut_start("q35", ",guest-injection=on");

    dut_write(d, PCM_INJ_SILENCE, 2);
    g_assert_cmphex(dut_read(d, PCM_INJ_SILENCE), ==, 0);
    g_assert_cmphex(dut_read(d, PCM_ID), ==, PCM_ID_VALUE);
    dut_stop(d);
}

/* The host ends it from outside of any access: messages are sent at once. */
static void test_silence_and_messages(void)
{
    Dut *d = dut_start("q35", "");

    msix_start(d);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_EXERCISER);
    dut_command(d, PCM_EX_FILL, 0x200000, 4 * MiB, 1);
    silence(d, true);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmphex(msix_arrived(d), ==, 0);
    silence(d, false);
    g_assert_cmphex(msix_arrived(d), ==, 1u << 0);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmphex(msix_arrived(d), ==, 0);
    dut_stop(d);
}

/* D3hot resets, so it ends silence, too. */
static void test_silence_and_power(void)
{
    Dut *d = dut_start("q35", "");
    uint8_t power = qpci_find_capability(d->dev, PCI_CAP_ID_PM, 0) +
                    PCI_PM_CTRL;

    silence(d, true);
    qpci_config_writew(d->dev, power, 3);
    qpci_config_writew(d->dev, power, 0);
    qpci_device_enable(d->dev);
    qpci_config_writel(d->dev, PCI_BASE_ADDRESS_0, d->bar.addr);
    pcm_expect_clean(d);
    dut_stop(d);
}

/* The guest may turn itself off, but only a reset of the bus helps then. */
static void test_silence_by_guest(void)
{
    Dut *d = dut_start("q35", ",guest-injection=on");
    uint8_t cap = qpci_find_capability(d->dev, PCI_CAP_ID_EXP, 0);

    qtest_irq_intercept_in(d->qts, "ioapic");
    dut_write(d, PCM_INT_ENABLE, PCM_INT_VIOLATION);
    dut_write(d, PCM_INJ_SILENCE, 1);
    expect_silence(d);
    dut_write(d, PCM_INJ_SILENCE, 0);
    expect_silence(d);
    qpci_config_writew(d->dev, cap + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR);
    qpci_device_enable(d->dev);
    qpci_config_writel(d->dev, PCI_BASE_ADDRESS_0, d->bar.addr);
    g_assert_cmphex(dut_read(d, PCM_ID), ==, PCM_ID_VALUE);
    g_assert_cmphex(dut_read(d, PCM_INJ_SILENCE), ==, 0);
    dut_stop(d);
}

void pcm_add_injection_tests(void)
{
    qtest_add_func("/pcmaster/injection/doors", test_doors);
    qtest_add_func("/pcmaster/injection/closed-door", test_closed_door);
    qtest_add_func("/pcmaster/injection/too-early", test_too_early);
    qtest_add_func("/pcmaster/injection/flip-write", test_flip_write);
    qtest_add_func("/pcmaster/injection/flip-read", test_flip_read);
    qtest_add_func("/pcmaster/injection/cut", test_cut);
    qtest_add_func("/pcmaster/injection/cut-under-way", test_cut_under_way);
    qtest_add_func("/pcmaster/injection/requesters", test_requesters);
    qtest_add_func("/pcmaster/injection/aborted", test_not_if_aborted);
    qtest_add_func("/pcmaster/injection/property", test_property);
    qtest_add_func("/pcmaster/injection/stuck", test_stuck);
    qtest_add_func("/pcmaster/injection/silence", test_silence);
    qtest_add_func("/pcmaster/injection/silence-register",
                   test_silence_register);
    qtest_add_func("/pcmaster/injection/silence-and-power",
                   test_silence_and_power);
    qtest_add_func("/pcmaster/injection/silence-and-messages",
                   test_silence_and_messages);
    qtest_add_func("/pcmaster/injection/silence-by-guest",
                   test_silence_by_guest);
}
