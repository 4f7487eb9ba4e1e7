/*
 * pcmaster qtests: interrupts that are late, lost or repeated on purpose
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pcmaster-msix.h"
#include "pcmaster-test.h"

#define INJ(what)       PCM_INJ_IRQ_##what
#define DELAY           250000

static Dut *start(void)
{
    Dut *d = dut_start("q35", ",guest-injection=on");

    qtest_irq_intercept_in(d->qts, "ioapic");
    dut_write(d, PCM_INT_ENABLE, PCM_INT_EXERCISER);
    return d;
}

/* An interrupt's worth of work, the former one is acknowledged. */
static void work(Dut *d)
{
    dut_write(d, PCM_INT_STATUS, PCM_INT_EXERCISER);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_OK, 8);
}

static void expect_injected(Dut *d, uint64_t kind, uint64_t actual)
{
    uint32_t info = dut_read(d, PCM_LOG_INFO);

    g_assert_cmphex(PCM_LOG_RULE(info), ==, PCM_LOG_INJECTED);
    g_assert_cmphex(PCM_LOG_REQUESTER(info), ==, PCM_REQUESTER_DEVICE);
    g_assert_cmphex(dut_read64(d, PCM_LOG_EXPECTED), ==, kind);
    g_assert_cmphex(dut_read64(d, PCM_LOG_ACTUAL), ==, actual);
    dut_write(d, PCM_LOG_CTRL, PCM_LOG_POP);
}

static void test_lost(void)
{
    Dut *d = start();

    dut_write(d, INJ(LOSE), 2);
    for (unsigned i = 0; i < 2; i++) {
        work(d);
        g_assert_cmpint(raised_line(d), ==, -1);
        g_assert_cmphex(dut_read(d, PCM_INT_STATUS) & PCM_INT_EXERCISER, ==,
                        PCM_INT_EXERCISER);
        expect_injected(d, PCM_INJECTED_IRQ_LOST, 0);
    }
    g_assert_cmpuint(dut_read(d, INJ(LOSE)), ==, 0);
    work(d);
    g_assert_cmpint(raised_line(d), !=, -1);

    msix_start(d);
    msix_arrived(d);
    dut_write(d, PCM_INT_VECTOR, 6);
    dut_write(d, INJ(LOSE), 1);
    work(d);
    g_assert_cmphex(msix_arrived(d), ==, 0);
    expect_injected(d, PCM_INJECTED_IRQ_LOST, 6);
    work(d);
    g_assert_cmphex(msix_arrived(d), ==, 1u << 6);
    dut_expect_no_record(d);
    dut_stop(d);
}

/* The record of a loss is told of, if the driver wants to hear of records. */
static void test_lost_and_told(void)
{
    Dut *d = start();

    dut_write(d, PCM_INT_ENABLE, PCM_INT_EXERCISER | PCM_INT_VIOLATION);
    dut_write(d, INJ(LOSE), 1);
    work(d);
    g_assert_cmpint(raised_line(d), !=, -1);
    expect_injected(d, PCM_INJECTED_IRQ_LOST, 0);
    dut_expect_no_record(d);
    dut_stop(d);
}

static void test_delayed(void)
{
    Dut *d = start();

    dut_write(d, INJ(DELAY), DELAY);
    work(d);
    expect_injected(d, PCM_INJECTED_IRQ_DELAYED, DELAY);
    qtest_clock_step(d->qts, DELAY - 1);
    g_assert_cmpint(raised_line(d), ==, -1);
    qtest_clock_step(d->qts, 1);
    g_assert_cmpint(raised_line(d), !=, -1);
    work(d);
    g_assert_cmpint(raised_line(d), ==, -1);
    dut_write(d, PCM_INT_STATUS, PCM_INT_EXERCISER);
    qtest_clock_step(d->qts, 2 * DELAY);
    g_assert_cmpint(raised_line(d), ==, -1);
    dut_write(d, PCM_LOG_CTRL, PCM_LOG_CLEAR);

    msix_start(d);
    work(d);
    g_assert_cmphex(msix_arrived(d), ==, 0);
    expect_injected(d, PCM_INJECTED_IRQ_DELAYED, DELAY);
    qtest_clock_step(d->qts, DELAY - 1);
    g_assert_cmphex(msix_arrived(d), ==, 0);
    qtest_clock_step(d->qts, 1);
    g_assert_cmphex(msix_arrived(d), ==, 1u << 0);
    work(d);
    dut_write(d, PCM_CTRL, PCM_CTRL_RESET);
    qtest_clock_step(d->qts, 2 * DELAY);
    g_assert_cmphex(msix_arrived(d), ==, 0);
    dut_stop(d);
}

/* INTx comes back once after all is cleared, until the driver has looked. */
static void test_repeated_line(void)
{
    Dut *d = start();

    dut_write(d, INJ(REPEAT), 1);
    work(d);
    expect_injected(d, PCM_INJECTED_IRQ_REPEATED, 0);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS) & PCM_INT_EXERCISER, ==,
                    PCM_INT_EXERCISER);
    g_assert_cmpint(raised_line(d), !=, -1);
    dut_write(d, PCM_INT_STATUS, PCM_INT_EXERCISER | PCM_INT_VIOLATION);
    g_assert_cmpint(raised_line(d), !=, -1);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, 0);
    g_assert_cmpint(raised_line(d), ==, -1);
    work(d);
    dut_write(d, PCM_INT_STATUS, PCM_INT_EXERCISER);
    g_assert_cmpint(raised_line(d), ==, -1);
    dut_stop(d);
}

/* Messages ring the doorbell of another device, whose log counts them. */
static void test_repeated_message(void)
{
    Dut *d = dut_start("q35 -device pcmaster,addr=5.0",
                       ",guest-injection=on");
    Dut counter = *d;

    counter.dev = qpci_device_find(d->bus, QPCI_DEVFN(5, 0));
    qpci_device_enable(counter.dev);
    counter.bar = qpci_iomap(counter.dev, PCM_BAR, NULL);
    dut_write(&counter, PCM_ADDR_BITS, 20);
    dut_write64(&counter, PCM_EX_ADDR, 0x200000);
    dut_write(&counter, PCM_EX_LENGTH, 8);

    qpci_msix_enable(d->dev);
    msix_set_entry(d, 3, counter.bar.addr + PCM_EX_COMMAND, PCM_EX_FILL);
    msix_mask(d, 3, false);
    dut_write(d, PCM_INT_VECTOR, 3);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_EXERCISER);
    dut_write(d, INJ(REPEAT), 2);
    for (unsigned i = 1; i <= 3; i++) {
        work(d);
        g_assert_cmpuint(dut_read(&counter, PCM_LOG_COUNT), ==,
                         i < 3 ? 2 * i : 5);
        if (i < 3) {
            expect_injected(d, PCM_INJECTED_IRQ_REPEATED, 3);
        }
    }
    dut_expect_no_record(d);
    g_free(counter.dev);
    dut_stop(d);
}

void pcm_add_late_tests(void)
{
    qtest_add_func("/pcmaster/irq/lost", test_lost);
    qtest_add_func("/pcmaster/irq/lost-and-told", test_lost_and_told);
    qtest_add_func("/pcmaster/irq/delayed", test_delayed);
    qtest_add_func("/pcmaster/irq/repeated-line", test_repeated_line);
    qtest_add_func("/pcmaster/irq/repeated-message", test_repeated_message);
}
