/*
 * pcmaster qtests: behind IOMMUs
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pcmaster-bus.h"
#include "pcmaster-iommu.h"
#include "pcmaster-player.h"
#include "pcmaster-test.h"

#define FIRST           0x20            /* page of the device */
#define AT(page)        ((page) * IOMMU_PAGE)
#define PHYSICAL        0x1000000ull
#define BACKGROUND      0x5a

static Dut *start_behind(const Iommu *iommu)
{
    g_autofree char *machine = iommu_machine(iommu);

    return dut_start(machine, "");
}

static void check_pattern(Dut *d, uint64_t address, uint64_t seed,
                          uint32_t offset, uint32_t length)
{
    g_autofree uint8_t *data = g_malloc(length);

    qtest_bufread(d->qts, address, data, length);
    for (uint32_t i = 0; i < length; i++) {
        g_assert_cmphex(data[i], ==, dut_pattern(seed, offset + i));
    }
}

/* Pages in any order of memory are one buffer for the device. */
static void test_scattered(const void *data)
{
    const Iommu *iommu = data;
    Dut *d = start_behind(iommu);
    const unsigned pages = 16;

    iommu->start(d);
    for (unsigned i = 0; i < pages; i++) {
        iommu->map(d, FIRST + i, PHYSICAL + AT(i * 7 % pages), IOMMU_BOTH);
    }
    dut_exercise(d, PCM_EX_FILL, AT(FIRST) + 8, AT(pages) - 16, 77,
                 PCM_EX_OK, AT(pages) - 16);
    for (unsigned i = 0; i < pages; i++) {
        unsigned skip = i ? 0 : 8;

        check_pattern(d, PHYSICAL + AT(i * 7 % pages) + skip, 77,
                      AT(i) + skip - 8,
                      IOMMU_PAGE - (i == 0 || i == pages - 1 ? 8 : 0));
    }
    dut_exercise(d, PCM_EX_VERIFY, AT(FIRST) + 8, AT(pages) - 16, 77,
                 PCM_EX_OK, AT(pages) - 16);
    dut_expect_no_record(d);
    dut_stop(d);
}

/* A transaction of 32 bytes to the page @FIRST + 1 from the one before. */
static void check_access(Dut *d, bool write, unsigned access, unsigned passes)
{
    uint64_t address = AT(FIRST + 1) - 16;
    uint32_t command = write ? PCM_EX_FILL : PCM_EX_CHECKSUM;

    if (access & (write ? IOMMU_WRITE : IOMMU_READ)) {
        dut_exercise(d, command, address, 32, 5, PCM_EX_OK, 32);
        g_assert_cmphex(qtest_readb(d->qts, PHYSICAL), ==,
                        write ? dut_pattern(5, 16) : BACKGROUND);
    } else {
        dut_exercise(d, command, address, 32, 5, PCM_EX_VIOLATION, 0);
        g_assert_cmphex(qtest_readb(d->qts, PHYSICAL), ==, BACKGROUND);
        dut_expect_record(d, &(DutRecord) {
            PCM_RULE_IOMMU, EX, write, PCM_POLICY_ABORT, address, 32,
            write ? PCM_IOMMU_WRITE : PCM_IOMMU_READ, passes,
            AT(FIRST + 1), PCM_LANDED_NOWHERE });
    }
    dut_expect_no_record(d);
}

/* Each page lets pass what its driver says, and the record tells of it. */
static void test_access(const void *data)
{
    const Iommu *iommu = data;
    Dut *d = start_behind(iommu);

    iommu->start(d);
    iommu->map(d, FIRST, PHYSICAL + IOMMU_PAGE, IOMMU_BOTH);
    for (unsigned access = IOMMU_NOTHING; access <= IOMMU_BOTH; access++) {
        if (access == IOMMU_WRITE && !iommu->write_only) {
            continue;
        }
        for (unsigned write = 0; write < 2; write++) {
            qtest_memset(d->qts, PHYSICAL, BACKGROUND, IOMMU_PAGE);
            iommu->map(d, FIRST + 1, PHYSICAL, access);
            check_access(d, write, access, access);
        }
    }
    dut_stop(d);
}

/* Withdrawn while a command is under way: what was moved before stays. */
static void test_withdrawn(const void *data)
{
    const Iommu *iommu = data;
    const uint32_t pages = 4 * MiB / IOMMU_PAGE;
    const unsigned gone = 700;
    Dut *d = start_behind(iommu);

    iommu->start(d);
    for (unsigned i = 0; i < pages; i++) {
        iommu->map(d, FIRST + i, PHYSICAL + AT(i), IOMMU_BOTH);
    }
    qtest_memset(d->qts, PHYSICAL, BACKGROUND, 4 * MiB);
    dut_command(d, PCM_EX_FILL, AT(FIRST), 4 * MiB, 9);
    g_assert_cmphex(dut_read(d, PCM_EX_STATUS), ==, PCM_EX_BUSY);
    iommu->map(d, FIRST + gone, 0, IOMMU_NOTHING);
    qtest_clock_step(d->qts, 100000000);
    dut_expect_result(d, PCM_EX_VIOLATION, AT(gone));
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_IOMMU, EX, true, PCM_POLICY_ABORT, AT(FIRST), 4 * MiB,
        PCM_IOMMU_WRITE, PCM_IOMMU_NOTHING, AT(FIRST + gone),
        PCM_LANDED_NOWHERE });
    dut_expect_no_record(d);
    check_pattern(d, PHYSICAL, 9, 0, AT(gone));
    g_assert_cmphex(qtest_readb(d->qts, PHYSICAL + AT(gone)), ==, BACKGROUND);
    g_assert_cmphex(qtest_readb(d->qts, PHYSICAL + AT(gone + 1)), ==,
                    BACKGROUND);
    dut_stop(d);
}

/* Messages are translated too: to one page, and to none. */
static void test_message(const void *data)
{
    const Iommu *iommu = data;
    Dut *d = start_behind(iommu);

    iommu->start(d);
    iommu->map(d, FIRST, MSI_MAILBOX, IOMMU_BOTH);
    msi_enable(d, AT(FIRST), 0x4321);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_EXERCISER);
    dut_exercise(d, PCM_EX_CHECKSUM, AT(FIRST), 8, 0, PCM_EX_OK, 8);
    g_assert_true(msi_arrived(d));
    iommu->map(d, FIRST, 0, IOMMU_NOTHING);
    dut_write(d, PCM_INT_STATUS, PCM_INT_EXERCISER);
    dut_command(d, PCM_EX_CHECKSUM, AT(FIRST), 8, 0);
    g_assert_false(msi_arrived(d));
    dut_stop(d);
}

/* A ring of scattered pages is played in the order of the device's pages. */
static void test_playing(const void *data)
{
    const Iommu *iommu = data;
    g_autofree char *machine = iommu_machine(iommu);
    Player *p = player_new(48000, machine);
    unsigned first = RING / IOMMU_PAGE;

    iommu->start(p->d);
    p->ring_frames = 4096;
    player_fill(p, 4096);
    for (unsigned i = 0; i < 4; i++) {
        uint8_t page[IOMMU_PAGE];

        qtest_bufread(p->d->qts, RING + AT(i), page, sizeof(page));
        qtest_bufwrite(p->d->qts, PHYSICAL + AT(3 - i), page, sizeof(page));
        iommu->map(p->d, first + i, PHYSICAL + AT(3 - i), IOMMU_READ);
    }
    player_start(p, 48000, 4096, 0, 4096);
    player_play(p, 48000, 5000000);
    dut_expect_no_record(p->d);
    dut_stop(p->d);
    g_assert_cmpuint(player_check_wav(p, 0), ==, 4096);
    player_free(p);
}

void pcm_add_iommu_tests(void)
{
    for (unsigned i = 0; i < iommu_count; i++) {
        const Iommu *iommu = &iommus[i];

        pcm_add_case("iommu/scattered", iommu->name, iommu, test_scattered);
        pcm_add_case("iommu/access", iommu->name, iommu, test_access);
        pcm_add_case("iommu/withdrawn", iommu->name, iommu, test_withdrawn);
        pcm_add_case("iommu/message", iommu->name, iommu, test_message);
        pcm_add_case("iommu/playing", iommu->name, iommu, test_playing);
    }
}
