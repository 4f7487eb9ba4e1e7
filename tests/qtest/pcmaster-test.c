/*
 * pcmaster qtests
 *
 * What the device must do is computed here from docs/specs/pcmaster.rst;
 * nothing that the device says is taken for the truth.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "qemu/units.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "pcmaster-dut.h"
#include "pcmaster-model.h"
#include "pcmaster-player.h"

#define ONES            UINT64_MAX
#define EX              PCM_REQUESTER_EXERCISER

/* --- Registers ---------------------------------------------------------- */

typedef struct RegisterCase {
    unsigned offset;
    uint32_t reset;
    uint32_t write;             /* a value to write ... */
    uint32_t readback;          /* ... and what it leaves */
} RegisterCase;

static const RegisterCase register_cases[] = {
    { PCM_ID, 0x414d4350, 0, 0x414d4350 },
    { PCM_VERSION, 0x00010000, ~0u, 0x00010000 },
    { PCM_CAP, 0x01004001, ~0u, 0x01004001 },
    { 0x00c, 0, ~0u, 0 },
    { PCM_CTRL, 0, ~1u, 0 },
    { 0x014, 0, ~0u, 0 },
    { PCM_INT_STATUS, 0, ~0u, 0 },
    { PCM_INT_ENABLE, 0, ~0u, 0x00010003 },
    { PCM_HW_ADDR_BITS, 64, 20, 64 },
    { PCM_ADDR_BITS, 64, 20, 20 },
    { PCM_ADDR_BITS, 64, 64, 64 },
    { PCM_ADDR_BITS, 64, 19, 64 },
    { PCM_ADDR_BITS, 64, 65, 64 },
    { PCM_ADDR_BITS, 64, 0, 64 },
    { PCM_LIMIT, ~0u, 0x12345678, 0x12345678 },
    { PCM_LIMIT + 4, ~0u, 0x9abcdef0, 0x9abcdef0 },
    { PCM_HW_BOUNDARY, ~0u, 0, ~0u },
    { PCM_HW_BOUNDARY + 4, ~0u, 0, ~0u },
    { PCM_BOUNDARY, ~0u, 0xffff, 0xffff },
    { PCM_BOUNDARY + 4, ~0u, 0, 0 },
    { PCM_NODE, ~0u, 3, 3 },
    { 0x124, 0, ~0u, 0 },
    { PCM_POLICY, 0, 0x2aa, 0x2aa },
    { PCM_POLICY, 0, 0x155, 0x155 },
    { PCM_POLICY, 0, ~0u, 0 },
    { PCM_POLICY, 0, 0x3c1, 0x001 },
    { PCM_NODE_COUNT, 1, ~0u, 1 },
    { PCM_DEVICE_NODE, ~0u, 0, ~0u },
    { PCM_LOG_COUNT, 0, ~0u, 0 },
    { PCM_LOG_LOST, 0, ~0u, 0 },
    { PCM_LOG_CTRL, 0, ~0u, 0 },
    { PCM_LOG_INFO, 0, ~0u, 0 },
    { PCM_LOG_LENGTH, 0, ~0u, 0 },
    { PCM_LOG_ADDR, 0, ~0u, 0 },
    { PCM_LOG_ADDR + 4, 0, ~0u, 0 },
    { PCM_LOG_EXPECTED, 0, ~0u, 0 },
    { PCM_LOG_ACTUAL, 0, ~0u, 0 },
    { PCM_LOG_FAULT, 0, ~0u, 0 },
    { PCM_LOG_LANDED, 0, ~0u, 0 },
    { PCM_LOG_TIME, 0, ~0u, 0 },
    { PCM_LOG_SEQUENCE, 0, ~0u, 0 },
    { PCM_EX_COMMAND, 0, 0, 0 },
    { PCM_EX_STATUS, 0, ~0u, 0 },
    { PCM_EX_ADDR, 0, 0x12345678, 0x12345678 },
    { PCM_EX_ADDR + 4, 0, 0x9abcdef0, 0x9abcdef0 },
    { PCM_EX_LENGTH, 0, ~0u, ~0u },
    { PCM_EX_SEED, 0, 0x12345678, 0x12345678 },
    { PCM_EX_SEED + 4, 0, 0x9abcdef0, 0x9abcdef0 },
    { PCM_EX_DONE, 0, ~0u, 0 },
    { PCM_EX_MISMATCHES, 0, ~0u, 0 },
    { PCM_EX_FIRST_MISMATCH, 0, ~0u, 0 },
    { PCM_EX_MISMATCH_BYTES, 0, ~0u, 0 },
    { PCM_EX_CHECKSUM_VALUE, 0, ~0u, 0 },
    { PCM_EX_NODELESS, 0, ~0u, 0 },
    { 0x238, 0, ~0u, 0 },
    { 0x7fc, 0, ~0u, 0 },
    { PCM_WINDOW(0) + PCM_W_FIRST, 0, 0x12345678, 0x12345678 },
    { PCM_WINDOW(0) + PCM_W_FIRST + 4, 0, ~0u, ~0u },
    { PCM_WINDOW(0) + PCM_W_LAST, 0, 0x12345678, 0x12345678 },
    { PCM_WINDOW(0) + PCM_W_CTRL, 0, ~0u, 7 },
    { PCM_WINDOW(0) + 0x14, 0, ~0u, 0 },
    { PCM_WINDOW(63) + PCM_W_FIRST, 0, 0x9abcdef0, 0x9abcdef0 },
    { PCM_WINDOW(63) + PCM_W_LAST + 4, 0, 0x9abcdef0, 0x9abcdef0 },
    { PCM_WINDOW(63) + PCM_W_CTRL, 0, 5, 5 },
    { PCM_NODE_BYTES(0), 0, ~0u, 0 },
    { PCM_NODE_BYTES(127) + 4, 0, ~0u, 0 },
    { PCM_NODE_LOWEST(0), 0, ~0u, 0 },
    { PCM_NODE_LOWEST(0) + 4, 0, ~0u, 0 },
    { PCM_NODE_LOWEST(1), ~0u, 0, ~0u },
    { PCM_NODE_LOWEST(127) + 4, ~0u, 0, ~0u },
    { PCM_NODE_LOWEST(128), 0, ~0u, 0 },
    { PCM_STREAM(0) + PCM_S_CTL, 0, 0xfe, 0 },
    { PCM_STREAM(0) + PCM_S_STATUS, 0, ~0u, 0 },
    { PCM_STREAM(0) + PCM_S_INT_ENABLE, 0, ~0u, 0xf },
    { PCM_STREAM(0) + PCM_S_FORMAT, 0, 0x203, 0x203 },
    { PCM_STREAM(0) + PCM_S_RATE, 0, 48000, 48000 },
    { PCM_STREAM(0) + PCM_S_CAUSE, 0, ~0u, 0 },
    { PCM_STREAM(0) + PCM_S_BUFFER, 0, 0x12345678, 0x12345678 },
    { PCM_STREAM(0) + PCM_S_BUFFER + 4, 0, 0x9abcdef0, 0x9abcdef0 },
    { PCM_STREAM(0) + PCM_S_LENGTH, 0, ~0u, ~0u },
    { PCM_STREAM(0) + PCM_S_PERIOD_FRAMES, 0, ~0u, ~0u },
    { PCM_STREAM(0) + PCM_S_END, 0, 0x12345678, 0x12345678 },
    { PCM_STREAM(0) + PCM_S_END + 4, 0, 0x9abcdef0, 0x9abcdef0 },
    { PCM_STREAM(0) + PCM_S_POSITION, 0, ~0u, 0 },
    { PCM_STREAM(0) + PCM_S_POSITION + 4, 0, ~0u, 0 },
    { PCM_STREAM(0) + PCM_S_LOST, 0, ~0u, 0 },
    { PCM_STREAM(0) + 0x3c, 0, ~0u, 0 },
    { PCM_STREAM(1) + PCM_S_RATE, 0, ~0u, 0 },
    { PCM_STREAM(15) + PCM_S_RATE, 0, ~0u, 0 },
    { 0x2800, 0, ~0u, 0 },
    { 0x3ffc, 0, ~0u, 0 },
};

/* Each register alone, from reset to reset. */
static void test_registers(void)
{
    Dut *d = dut_start("q35", "");

    for (unsigned i = 0; i < ARRAY_SIZE(register_cases); i++) {
        const RegisterCase *c = &register_cases[i];

        g_test_message("register 0x%x value 0x%x", c->offset, c->write);
        g_assert_cmphex(dut_read(d, c->offset), ==, c->reset);
        dut_write(d, c->offset, c->write);
        g_assert_cmphex(dut_read(d, c->offset), ==, c->readback);
        dut_write(d, PCM_CTRL, PCM_CTRL_RESET);
        g_assert_cmphex(dut_read(d, c->offset), ==, c->reset);
    }
    dut_stop(d);
}

/* 8 bytes act as two accesses of 4; other sizes leave everything alone. */
static void test_access_sizes(void)
{
    Dut *d = dut_start("q35", "");

    qpci_io_writeq(d->dev, d->bar, PCM_LIMIT, 0x123456789abcdef0ull);
    g_assert_cmphex(dut_read(d, PCM_LIMIT), ==, 0x9abcdef0);
    g_assert_cmphex(dut_read(d, PCM_LIMIT + 4), ==, 0x12345678);
    g_assert_cmphex(qpci_io_readq(d->dev, d->bar, PCM_LIMIT), ==,
                    0x123456789abcdef0ull);
    qpci_io_writeb(d->dev, d->bar, PCM_LIMIT, 0x55);
    qpci_io_writew(d->dev, d->bar, PCM_LIMIT, 0x5555);
    g_assert_cmphex(dut_read64(d, PCM_LIMIT), ==, 0x123456789abcdef0ull);
    g_assert_cmphex(qpci_io_readq(d->dev, d->bar, PCM_ID), ==,
                    0x00010000414d4350ull);
    dut_stop(d);
}

static unsigned count_reports(const char *path)
{
    g_autofree char *text = NULL;
    unsigned count = 0;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    for (const char *at = text; (at = strstr(at, "pcmaster: ")); at++) {
        count++;
    }
    return count;
}

/* What is ignored is reported; what drivers write back by habit is not. */
static void test_reports(void)
{
    g_autofree char *dir = g_dir_make_tmp("pcmaster-XXXXXX", NULL);
    g_autofree char *log = g_build_filename(dir, "log", NULL);
    g_autofree char *machine = g_strdup_printf("q35 -d guest_errors -D %s",
                                               log);
    Dut *d = dut_start(machine, "");
    static const struct {
        unsigned offset;
        uint32_t value;
        unsigned reports;
    } list[] = {
        { PCM_INT_STATUS, PCM_INT_STREAM(0) | PCM_INT_EXERCISER, 0 },
        { PCM_INT_STATUS, PCM_INT_STREAM(1), 1 },
        { PCM_INT_ENABLE, PCM_INT_STREAM(1), 1 },
        { PCM_STREAM(0) + PCM_S_STATUS, PCM_S_RUNNING | PCM_S_PERIOD, 0 },
        { PCM_STREAM(0) + PCM_S_STATUS, 1u << 4, 1 },
        { PCM_STREAM(1) + PCM_S_RATE, 1, 1 },
        { PCM_ADDR_BITS, 65, 1 },
        { PCM_ID, 1, 1 },
        { PCM_LOG_CTRL, PCM_LOG_POP, 1 },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
        unsigned before = count_reports(log);

        g_test_message("write of 0x%x to 0x%x", list[i].value,
                       list[i].offset);
        dut_write(d, list[i].offset, list[i].value);
        g_assert_cmpuint(count_reports(log) - before, ==, list[i].reports);
    }
    dut_stop(d);
    unlink(log);
    rmdir(dir);
}

/* Properties: what the hardware is, and that a driver cannot loosen it. */
static void test_properties(void)
{
    Dut *d = dut_start("q35", ",addr-bits=32,boundary=64K,policy=record,"
                       "playback=0");

    g_assert_cmphex(dut_read(d, PCM_CAP), ==, 0x01004000);
    g_assert_cmpuint(dut_read(d, PCM_HW_ADDR_BITS), ==, 32);
    g_assert_cmpuint(dut_read(d, PCM_ADDR_BITS), ==, 32);
    dut_write(d, PCM_ADDR_BITS, 33);
    g_assert_cmpuint(dut_read(d, PCM_ADDR_BITS), ==, 32);
    dut_write(d, PCM_ADDR_BITS, 24);
    dut_write(d, PCM_ADDR_BITS, 32);
    g_assert_cmpuint(dut_read(d, PCM_ADDR_BITS), ==, 32);
    g_assert_cmphex(dut_read64(d, PCM_HW_BOUNDARY), ==, 0xffff);
    g_assert_cmphex(dut_read64(d, PCM_BOUNDARY), ==, ONES);
    g_assert_cmphex(dut_read(d, PCM_POLICY), ==, 0x2aa);
    dut_write(d, PCM_INT_ENABLE, ~0u);
    g_assert_cmphex(dut_read(d, PCM_INT_ENABLE), ==, 3);
    g_assert_cmphex(dut_read(d, PCM_STREAM(0) + PCM_S_RATE), ==, 0);

    /* The hardware's boundary holds though the driver's says nothing. */
    dut_exercise(d, PCM_EX_FILL, 0x20ff00, 0x101, 1, PCM_EX_OK, 0x101);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_BOUNDARY, EX, true, PCM_POLICY_RECORD, 0x20ff00, 0x101,
        0xffff, 0x1ffff, 0x210000, 0x210000 });
    dut_expect_no_record(d);
    dut_stop(d);
}

/* --- Rules -------------------------------------------------------------- */

typedef struct RuleCase {
    const char *name;
    unsigned addr_bits;
    uint64_t limit;
    uint64_t boundary;
    uint64_t address;
    uint32_t length;
    unsigned broken;            /* one bit for each rule but target */
    DutRecord record[2];        /* of those, in the order of the rules */
} RuleCase;

#define R(rule_, expected_, actual_, fault_) \
    { .rule = PCM_RULE_##rule_, .expected = expected_, .actual = actual_, \
      .fault = fault_ }
#define LIMIT       (1u << PCM_RULE_LIMIT)
#define BOUNDARY    (1u << PCM_RULE_BOUNDARY)

static const RuleCase rule_cases[] = {
    { "limit/below", 24, ONES, ONES, 0xfff000, 0x1000, 0 },
    { "limit/last-byte", 24, ONES, ONES, 0xffffff, 1, 0 },
    { "limit/first-byte-above", 24, ONES, ONES, 0x1000000, 1, LIMIT,
      { R(LIMIT, 0xffffff, 0x1000000, 0x1000000) } },
    { "limit/one-byte-over", 24, ONES, ONES, 0xfff001, 0x1000, LIMIT,
      { R(LIMIT, 0xffffff, 0x1000000, 0x1000000) } },
    { "limit/straddle", 24, ONES, ONES, 0xfff800, 0x1000, LIMIT,
      { R(LIMIT, 0xffffff, 0x10007ff, 0x1000000) } },
    { "limit/whole-above", 24, ONES, ONES, 0x2000000, 0x100, LIMIT,
      { R(LIMIT, 0xffffff, 0x20000ff, 0x2000000) } },
    { "limit/20-bits", 20, ONES, ONES, 0xfffff, 2, LIMIT,
      { R(LIMIT, 0xfffff, 0x100000, 0x100000) } },
    { "limit/odd-last", 64, 0x2345678, ONES, 0x2345000, 0x679, 0 },
    { "limit/odd-over", 64, 0x2345678, ONES, 0x2345000, 0x67a, LIMIT,
      { R(LIMIT, 0x2345678, 0x2345679, 0x2345679) } },
    { "limit/tighter-register", 24, 0x7fffff, ONES, 0x7fffff, 2, LIMIT,
      { R(LIMIT, 0x7fffff, 0x800000, 0x800000) } },
    { "limit/looser-register", 24, 0x1ffffff, ONES, 0xffffff, 2, LIMIT,
      { R(LIMIT, 0xffffff, 0x1000000, 0x1000000) } },
    { "limit/zero-legal", 64, 0, ONES, 0, 1, 0 },
    { "limit/zero", 64, 0, ONES, 0, 2, LIMIT, { R(LIMIT, 0, 1, 1) } },
    { "limit/32-bits", 32, ONES, ONES, 0xffffffff, 2, LIMIT,
      { R(LIMIT, 0xffffffff, 0x100000000, 0x100000000) } },
    { "limit/63-bits", 63, ONES, ONES, 0x7ffffffffffffff0, 0x10, 0 },
    { "limit/63-bits-over", 63, ONES, ONES, 0x7ffffffffffffff0, 0x11, LIMIT,
      { R(LIMIT, 0x7fffffffffffffff, 0x8000000000000000,
          0x8000000000000000) } },
    { "limit/top", 64, ONES, ONES, 0xfffffffffffffff0, 0x10, 0 },
    { "limit/top-byte", 64, ONES, ONES, ONES, 1, 0 },
    { "limit/over-the-top", 64, ONES, ONES, 0xfffffffffffffff0, 0x11, LIMIT,
      { R(LIMIT, ONES, 0, 0) } },
    { "limit/below-top", 64, ONES - 1, ONES, ONES, 1, LIMIT,
      { R(LIMIT, ONES - 1, ONES, ONES) } },
    { "limit/longest", 64, ONES, ONES, 0xffffffff00000001, 0xffffffff, 0 },
    { "limit/longest-over", 64, ONES, ONES, 0xffffffff00000002, 0xffffffff,
      LIMIT, { R(LIMIT, ONES, 0, 0) } },

    { "boundary/one-byte", 64, ONES, 0xffff, 0x20ffff, 1, 0 },
    { "boundary/whole", 64, ONES, 0xffff, 0x210000, 0x10000, 0 },
    { "boundary/one-more", 64, ONES, 0xffff, 0x210000, 0x10001, BOUNDARY,
      { R(BOUNDARY, 0xffff, 0x1ffff | 0x3ffff, 0x220000) } },
    { "boundary/straddle", 64, ONES, 0xffff, 0x20fffe, 4, BOUNDARY,
      { R(BOUNDARY, 0xffff, 0x1ffff, 0x210000) } },
    { "boundary/to-the-edge", 64, ONES, 0xffff, 0x20fffe, 2, 0 },
    { "boundary/32-bit-edge", 64, ONES, 0xffffffff, 0xfffffffe, 4, BOUNDARY,
      { R(BOUNDARY, 0xffffffff, 0x1ffffffff, 0x100000000) } },
    { "boundary/nothing-varies", 64, ONES, 0, 0x200000, 1, 0 },
    { "boundary/nothing-may-vary", 64, ONES, 0, 0x200000, 2, BOUNDARY,
      { R(BOUNDARY, 0, 1, 0x200001) } },
    { "boundary/holes-in-mask", 64, ONES, 0xf0ff, 0x2000f0, 0x10, 0 },
    { "boundary/hole-crossed", 64, ONES, 0xf0ff, 0x2000f0, 0x11, BOUNDARY,
      { R(BOUNDARY, 0xf0ff, 0x1ff, 0x200100) } },
    { "boundary/top", 64, ONES, 0xffff, 0xffffffffffff0000, 0x10000, 0 },
    { "boundary/over-the-top", 64, ONES, 0xffff, 0xffffffffffffffff, 2,
      LIMIT | BOUNDARY,
      { R(LIMIT, ONES, 0, 0), R(BOUNDARY, 0xffff, ONES, 0) } },
    { "both", 24, ONES, 0xffff, 0xffff00, 0x200, LIMIT | BOUNDARY,
      { R(LIMIT, 0xffffff, 0x10000ff, 0x1000000),
        R(BOUNDARY, 0xffff, 0x1ffffff, 0x1000000) } },
};

static bool is_ram(uint64_t address)
{
    return address < DUT_RAM_SIZE && (address < 0xa0000 ||
                                      address >= 0x100000);
}

/* First byte of a case that is not RAM, or ONES: the holes are large. */
static uint64_t first_not_ram(uint64_t address, uint32_t length)
{
    for (uint64_t i = 0; i < length; i++) {
        if (!is_ram(address + i)) {
            return address + i;
        }
        if (address + i >= 0x100000 && address + length - 1 >= address &&
            address + length - 1 < DUT_RAM_SIZE) {
            break;
        }
    }
    return ONES;
}

/* What is at such an address.  The first bridge maps 0xa0000 to nothing. */
static void expect_target_record(Dut *d, const RuleCase *c, unsigned policy)
{
    uint64_t fault = first_not_ram(c->address, c->length);
    uint64_t kind;

    if (fault == ONES && is_ram(c->address)) {
        return;
    }
    kind = dut_read64(d, PCM_LOG_ACTUAL);
    g_assert_true(kind == PCM_TARGET_NOTHING || kind == PCM_TARGET_IO ||
                  kind == PCM_TARGET_ROM);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_TARGET, EX, true, policy, c->address, c->length,
        PCM_TARGET_RAM, kind, fault, PCM_LANDED_NOWHERE });
}

static void test_rule(const void *data)
{
    const RuleCase *c = data;
    Dut *d = dut_start("q35", "");
    bool bad = c->broken || !is_ram(c->address) ||
               first_not_ram(c->address, c->length) != ONES;

    dut_write(d, PCM_ADDR_BITS, c->addr_bits);
    dut_write64(d, PCM_LIMIT, c->limit);
    dut_write64(d, PCM_BOUNDARY, c->boundary);
    dut_exercise(d, PCM_EX_FILL, c->address, c->length, 1,
                 bad ? PCM_EX_VIOLATION : PCM_EX_OK, bad ? 0 : c->length);
    for (unsigned i = 0; i < ctpop32(c->broken); i++) {
        DutRecord r = c->record[i];

        r.requester = EX;
        r.write = true;
        r.policy = PCM_POLICY_ABORT;
        r.address = c->address;
        r.length = c->length;
        r.landed = PCM_LANDED_NOWHERE;
        dut_expect_record(d, &r);
    }
    expect_target_record(d, c, PCM_POLICY_ABORT);
    dut_expect_no_record(d);
    dut_stop(d);
}

/* --- Policies, byte by byte --------------------------------------------- */

typedef struct PolicyCase {
    const char *name;
    unsigned addr_bits;
    uint64_t limit;
    uint64_t boundary;
    uint64_t address;
    uint32_t length;
    unsigned broken;
    bool overlaps;              /* wrapped, it overwrites itself */
} PolicyCase;

static const PolicyCase policy_cases[] = {
    { "limit-tail", 24, ONES, ONES, 0xfff800, 0x1000, LIMIT },
    { "limit-all", 24, ONES, ONES, 0x1234567, 0x1001, LIMIT },
    { "limit-odd", 64, 0x2345678, ONES, 0x2345001, 0x1000, LIMIT },
    { "limit-one-byte", 24, ONES, ONES, 0xfffff9, 8, LIMIT },
    { "boundary-tail", 64, ONES, 0xffff, 0x20ff03, 0x2fd, BOUNDARY },
    { "boundary-twice", 64, ONES, 0xfff, 0x200800, 0x2000, BOUNDARY,
      true },
    { "boundary-hole", 64, ONES, 0xf0ff, 0x2000f0, 0x300, BOUNDARY,
      true },
    { "both", 24, ONES, 0xffff, 0x100ff00, 0x300, LIMIT | BOUNDARY },
};

/* Where the specification sends a byte that was asked for at @address. */
static uint64_t policy_route(const PolicyCase *c, unsigned policy,
                             uint64_t address)
{
    uint64_t last = MIN(c->limit, c->addr_bits == 64 ? ONES :
                                  (1ull << c->addr_bits) - 1);
    uint64_t size = 1;

    if (policy != PCM_POLICY_WRAP) {
        return address;
    }
    if (c->broken & BOUNDARY) {
        address = (c->address & ~c->boundary) | (address & c->boundary);
    }
    if ((c->broken & LIMIT) && address > last) {
        while (size * 2 <= last + 1) {
            size *= 2;
        }
        address %= size;
    }
    return address;
}

static void policy_landed(Dut *d, const PolicyCase *c, unsigned policy)
{
    g_assert_cmpuint(dut_read(d, PCM_LOG_COUNT), ==, ctpop32(c->broken));
    while (dut_read(d, PCM_LOG_COUNT)) {
        uint64_t fault = dut_read64(d, PCM_LOG_FAULT);

        g_assert_cmpuint(PCM_LOG_POLICY(dut_read(d, PCM_LOG_INFO)), ==,
                         policy);
        g_assert_cmphex(dut_read64(d, PCM_LOG_LANDED), ==,
                        policy == PCM_POLICY_ABORT ? PCM_LANDED_NOWHERE :
                        policy_route(c, policy, fault));
        dut_write(d, PCM_LOG_CTRL, PCM_LOG_POP);
    }
}

/* FILL reaches exactly the bytes it must; VERIFY finds them there again. */
static void check_policy(const PolicyCase *c, unsigned policy)
{
    Dut *d = dut_start("q35", "");
    Model m = model_new(d);
    bool abort = policy == PCM_POLICY_ABORT;
    unsigned result = abort ? PCM_EX_VIOLATION : PCM_EX_OK;

    for (uint32_t i = 0; i < c->length; i++) {
        uint64_t landed = policy_route(c, policy, c->address + i);

        model_page(&m, c->address + i);
        if (!abort) {
            model_page(&m, landed)[landed % 4096] = dut_pattern(7, i);
        }
    }
    dut_write(d, PCM_ADDR_BITS, c->addr_bits);
    dut_write64(d, PCM_LIMIT, c->limit);
    dut_write64(d, PCM_BOUNDARY, c->boundary);
    dut_set_policies(d, policy);
    dut_exercise(d, PCM_EX_FILL, c->address, c->length, 7, result,
                 abort ? 0 : c->length);
    policy_landed(d, c, policy);
    model_check(&m);
    if (policy != PCM_POLICY_WRAP || !c->overlaps) {
        dut_exercise(d, PCM_EX_VERIFY, c->address, c->length, 7, result,
                     abort ? 0 : c->length);
    }
    dut_stop(d);
}

static void test_policy(const void *data)
{
    check_policy(data, PCM_POLICY_ABORT);
    check_policy(data, PCM_POLICY_WRAP);
    check_policy(data, PCM_POLICY_RECORD);
}

/* One rule aborts, another would wrap: nothing moves, both are logged. */
static void test_abort_wins(void)
{
    Dut *d = dut_start("q35", "");
    Model m = model_new(d);

    model_page(&m, 0x100f000);
    model_page(&m, 0x1010000);
    model_page(&m, 0xf000);
    model_page(&m, 0x1000000);
    dut_write(d, PCM_ADDR_BITS, 24);
    dut_write64(d, PCM_BOUNDARY, 0xffff);
    dut_write(d, PCM_POLICY,
              PCM_POLICY_WRAP << PCM_POLICY_SHIFT(PCM_RULE_LIMIT) |
              PCM_POLICY_ABORT << PCM_POLICY_SHIFT(PCM_RULE_BOUNDARY));
    dut_exercise(d, PCM_EX_FILL, 0x100ff00, 0x200, 1, PCM_EX_VIOLATION, 0);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_LIMIT, EX, true, PCM_POLICY_WRAP, 0x100ff00, 0x200,
        0xffffff, 0x10100ff, 0x100ff00, PCM_LANDED_NOWHERE });
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_BOUNDARY, EX, true, PCM_POLICY_ABORT, 0x100ff00, 0x200,
        0xffff, 0x1ffff, 0x1010000, PCM_LANDED_NOWHERE });
    dut_expect_no_record(d);
    model_check(&m);
    dut_stop(d);
}

/* A command of a broken rule is judged once, however long it takes. */
static void test_one_record_for_each_command(void)
{
    Dut *d = dut_start("q35", "");

    dut_write(d, PCM_ADDR_BITS, 24);
    dut_set_policies(d, PCM_POLICY_RECORD);
    dut_command(d, PCM_EX_FILL, 0x800000, 16 * MiB, 3);
    g_assert_true(dut_read(d, PCM_EX_STATUS) & PCM_EX_BUSY);
    g_assert_cmphex(dut_read(d, PCM_EX_DONE), ==, 1 * MiB);
    qtest_clock_step(d->qts, 10000000);
    dut_expect_result(d, PCM_EX_OK, 16 * MiB);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_LIMIT, EX, true, PCM_POLICY_RECORD, 0x800000, 16 * MiB,
        0xffffff, 0x17fffff, 0x1000000, 0x1000000 });
    dut_expect_no_record(d);
    dut_stop(d);
}

/* --- Windows ------------------------------------------------------------ */

static void set_window(Dut *d, unsigned n, uint64_t first, uint64_t last,
                       uint32_t ctrl)
{
    dut_write64(d, PCM_WINDOW(n) + PCM_W_FIRST, first);
    dut_write64(d, PCM_WINDOW(n) + PCM_W_LAST, last);
    dut_write(d, PCM_WINDOW(n) + PCM_W_CTRL, ctrl);
}

typedef struct WindowCase {
    uint32_t command;
    uint64_t address;
    uint32_t length;
    bool broken;
    uint64_t expected;
    uint64_t actual;
    uint64_t fault;
} WindowCase;

/*
 * 0: 200000-2fffff both ways     1: 300000-300fff both ways, adjacent
 * 2: 310000-310fff write only    3: 311000-311fff read only
 * 63: 280000-3007ff both ways, overlaps 0 and 1
 * 5: disabled                    6: empty
 */
static const WindowCase window_cases[] = {
    { PCM_EX_FILL, 0x200000, 0x1000, false },
    { PCM_EX_FILL, 0x2ff000, 0x2000, false },
    { PCM_EX_FILL, 0x300000, 0x1000, false },
    { PCM_EX_FILL, 0x300fff, 1, false },
    { PCM_EX_FILL, 0x301000, 1, true, 0x300fff, ONES, 0x301000 },
    { PCM_EX_FILL, 0x2ff000, 0x2001, true, 0x300fff, ONES, 0x301000 },
    { PCM_EX_FILL, 0x1fffff, 1, true, ONES, ONES, 0x1fffff },
    { PCM_EX_FILL, 0x1fffff, 2, true, ONES, ONES, 0x1fffff },
    { PCM_EX_FILL, 0x305000, 0x10, true, 0x300fff, ONES, 0x305000 },
    { PCM_EX_FILL, 0x30f000, 0x3000, true, 0x300fff, ONES, 0x30f000 },
    { PCM_EX_FILL, 0x310000, 0x1000, false },
    { PCM_EX_CHECKSUM, 0x310000, 0x1000, true, 0x300fff, 2, 0x310000 },
    { PCM_EX_CHECKSUM, 0x311000, 0x1000, false },
    { PCM_EX_FILL, 0x311000, 0x1000, true, 0x310fff, 3, 0x311000 },
    { PCM_EX_FILL, 0x310800, 0x1000, true, 0x310fff, 3, 0x311000 },
    { PCM_EX_FILL, 0x320000, 8, true, 0x310fff, ONES, 0x320000 },
    { PCM_EX_FILL, 0x330000, 8, true, 0x310fff, ONES, 0x330000 },
};

static void test_windows(void)
{
    Dut *d = dut_start("q35", "");
    const uint32_t both = PCM_W_ENABLE | PCM_W_READ | PCM_W_WRITE;

    set_window(d, 5, 0x320000, 0x320fff, PCM_W_READ | PCM_W_WRITE);
    dut_exercise(d, PCM_EX_FILL, 0x500000, 16, 1, PCM_EX_OK, 16);
    set_window(d, 0, 0x200000, 0x2fffff, both);
    set_window(d, 1, 0x300000, 0x300fff, both);
    set_window(d, 2, 0x310000, 0x310fff, PCM_W_ENABLE | PCM_W_WRITE);
    set_window(d, 3, 0x311000, 0x311fff, PCM_W_ENABLE | PCM_W_READ);
    set_window(d, 63, 0x280000, 0x3007ff, both);
    set_window(d, 6, 0x330fff, 0x330000, both);
    for (unsigned i = 0; i < ARRAY_SIZE(window_cases); i++) {
        const WindowCase *c = &window_cases[i];

        dut_exercise(d, c->command, c->address, c->length, 1,
                     c->broken ? PCM_EX_VIOLATION : PCM_EX_OK,
                     c->broken ? 0 : c->length);
        if (c->broken) {
            dut_expect_record(d, &(DutRecord) {
                PCM_RULE_WINDOW, EX, c->command == PCM_EX_FILL,
                PCM_POLICY_ABORT, c->address, c->length, c->expected,
                c->actual, c->fault, PCM_LANDED_NOWHERE });
        }
        dut_expect_no_record(d);
    }
    dut_stop(d);
}

/* Under the other policies the transfer goes where it was told. */
static void test_window_policies(void)
{
    for (unsigned policy = PCM_POLICY_WRAP; policy <= PCM_POLICY_RECORD;
         policy++) {
        Dut *d = dut_start("q35", "");
        Model m = model_new(d);

        for (uint32_t i = 0; i < 0x20; i++) {
            model_page(&m, 0x200ff0 + i)[(0x200ff0 + i) % 4096] =
                dut_pattern(9, i);
        }
        set_window(d, 0, 0x200000, 0x200fff,
                   PCM_W_ENABLE | PCM_W_READ | PCM_W_WRITE);
        dut_set_policies(d, policy);
        dut_exercise(d, PCM_EX_FILL, 0x200ff0, 0x20, 9, PCM_EX_OK, 0x20);
        dut_expect_record(d, &(DutRecord) {
            PCM_RULE_WINDOW, EX, true, policy, 0x200ff0, 0x20, 0x200fff,
            ONES, 0x201000, 0x201000 });
        model_check(&m);
        dut_stop(d);
    }
}

/* --- Nodes -------------------------------------------------------------- */

#define NODES_BACKENDS \
    "q35 -object memory-backend-ram,id=m0,size=16M" \
    " -object memory-backend-ram,id=m1,size=32M" \
    " -object memory-backend-ram,id=m2,size=16M" \
    " -numa node,nodeid=0,memdev=m0,cpus=0" \
    " -numa node,nodeid=1,memdev=m1 -numa node,nodeid=2,memdev=m2" \
    " -numa node,nodeid=3 -smp 1"

static void check_node_rule(Dut *d)
{
    dut_write(d, PCM_NODE, 1);
    dut_exercise(d, PCM_EX_FILL, 16 * MiB, 64, 1, PCM_EX_OK, 64);
    g_assert_cmpuint(dut_read64(d, PCM_NODE_BYTES(0)), ==, 0);
    dut_exercise(d, PCM_EX_FILL, 48 * MiB - 64, 64, 1, PCM_EX_OK, 64);
    dut_expect_no_record(d);
    dut_exercise(d, PCM_EX_FILL, 16 * MiB - 1, 64, 1, PCM_EX_VIOLATION, 0);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_NODE, EX, true, PCM_POLICY_ABORT, 16 * MiB - 1, 64,
        1, 0, 16 * MiB - 1, PCM_LANDED_NOWHERE });
    dut_exercise(d, PCM_EX_CHECKSUM, 48 * MiB - 63, 64, 1,
                 PCM_EX_VIOLATION, 0);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_NODE, EX, false, PCM_POLICY_ABORT, 48 * MiB - 63, 64,
        1, 2, 48 * MiB, PCM_LANDED_NOWHERE });
    g_assert_cmpuint(dut_read64(d, PCM_NODE_BYTES(1)), ==, 0);

    dut_set_policies(d, PCM_POLICY_WRAP);
    dut_exercise(d, PCM_EX_FILL, 48 * MiB - 63, 64, 1, PCM_EX_OK, 64);
    g_assert_cmpuint(dut_read64(d, PCM_NODE_BYTES(1)), ==, 63);
    g_assert_cmpuint(dut_read64(d, PCM_NODE_BYTES(2)), ==, 1);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_NODE, EX, true, PCM_POLICY_WRAP, 48 * MiB - 63, 64,
        1, 2, 48 * MiB, 48 * MiB });

    /* A node with no memory, and one that there is not. */
    dut_write(d, PCM_NODE, 3);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 1, 1, PCM_EX_OK, 1);
    dut_write(d, PCM_NODE, 77);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 1, 1, PCM_EX_OK, 1);
    g_assert_cmpuint(dut_read(d, PCM_LOG_COUNT), ==, 2);
}

static void check_nodes(const char *machine)
{
    Dut *d = dut_start(machine, "");

    g_assert_cmpuint(dut_read(d, PCM_NODE_COUNT), ==, 4);
    g_assert_cmphex(dut_read(d, PCM_DEVICE_NODE), ==, PCM_NODE_ANY);
    g_assert_cmphex(dut_read64(d, PCM_NODE_LOWEST(0)), ==, 0);
    g_assert_cmphex(dut_read64(d, PCM_NODE_LOWEST(1)), ==, 16 * MiB);
    g_assert_cmphex(dut_read64(d, PCM_NODE_LOWEST(2)), ==, 48 * MiB);
    g_assert_cmphex(dut_read64(d, PCM_NODE_LOWEST(3)), ==, ONES);

    /* Without an expectation a transfer may be anywhere, and is counted. */
    dut_exercise(d, PCM_EX_FILL, 16 * MiB - 100, 300, 1, PCM_EX_OK, 300);
    g_assert_cmpuint(dut_read64(d, PCM_NODE_BYTES(0)), ==, 100);
    g_assert_cmpuint(dut_read64(d, PCM_NODE_BYTES(1)), ==, 200);
    g_assert_cmpuint(dut_read64(d, PCM_NODE_BYTES(2)), ==, 0);
    g_assert_cmpuint(dut_read(d, PCM_EX_NODELESS), ==, 0);

    check_node_rule(d);
    dut_stop(d);
}

static void test_nodes(void)
{
    check_nodes(NODES_BACKENDS);
}

/* Nodes that are parts of one block of RAM: only old machines have them. */
static void test_nodes_of_machine_ram(void)
{
    if (!qtest_has_machine("pc-q35-5.0")) {
        g_test_skip("no machine whose nodes share a block of RAM");
        return;
    }
    check_nodes("pc-q35-5.0 -numa node,nodeid=0,mem=16M,cpus=0"
                " -numa node,nodeid=1,mem=32M -numa node,nodeid=2,mem=16M"
                " -numa node,nodeid=3,mem=0 -smp 1");
}

/* Wrapped bytes are counted where they landed. */
static void test_node_of_wrapped_bytes(void)
{
    Dut *d = dut_start(NODES_BACKENDS, "");

    dut_write(d, PCM_ADDR_BITS, 24);
    dut_write(d, PCM_NODE, 1);
    dut_set_policies(d, PCM_POLICY_WRAP);
    dut_exercise(d, PCM_EX_FILL, 0x1000800, 0x1000, 1, PCM_EX_OK, 0x1000);
    g_assert_cmpuint(dut_read64(d, PCM_NODE_BYTES(0)), ==, 0x1000);
    g_assert_cmpuint(dut_read64(d, PCM_NODE_BYTES(1)), ==, 0);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_LIMIT, EX, true, PCM_POLICY_WRAP, 0x1000800, 0x1000,
        0xffffff, 0x10017ff, 0x1000800, 0x800 });
    dut_expect_no_record(d);
    dut_stop(d);
}

#define PXB_BUS         0x40
#define PORT_MEMORY     0xe8000000u

/*
 * Do what firmware does: bus numbers and windows down to the device.
 * Returns: the root port at @devfn of @bus
 */
static QPCIDevice *configure_port(Dut *d, unsigned bus, unsigned devfn)
{
    QPCIDevice *port = qpci_device_find(d->bus, bus << 8 | devfn);

    g_assert_nonnull(port);
    qpci_config_writeb(port, PCI_PRIMARY_BUS, bus);
    qpci_config_writeb(port, PCI_SECONDARY_BUS, bus + 1);
    qpci_config_writeb(port, PCI_SUBORDINATE_BUS, bus + 1);
    qpci_config_writew(port, PCI_MEMORY_BASE, PORT_MEMORY >> 16);
    qpci_config_writew(port, PCI_MEMORY_LIMIT, PORT_MEMORY >> 16);
    qpci_config_writew(port, PCI_COMMAND,
                       PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    d->dev = qpci_device_find(d->bus, (bus + 1) << 8);
    g_assert_nonnull(d->dev);
    qpci_config_writel(d->dev, PCI_BASE_ADDRESS_0, PORT_MEMORY);
    qpci_config_writew(d->dev, PCI_COMMAND,
                       PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    d->bar = (QPCIBar) { .addr = PORT_MEMORY };
    return port;
}

/* Behind a pxb and a root port: an endpoint that is on a node itself. */
static void test_node_of_device(void)
{
    Dut *d = dut_launch(NODES_BACKENDS
                        " -device pxb-pcie,id=pxb,bus_nr=64,bus=pcie.0,"
                        "numa_node=1 -device pcie-root-port,id=rp,bus=pxb,"
                        "addr=0,chassis=1 -device pcmaster,bus=rp");
    uint8_t cap;

    g_free(configure_port(d, PXB_BUS, 0));
    cap = qpci_find_capability(d->dev, PCI_CAP_ID_EXP, 0);
    g_assert_cmpuint(cap, !=, 0);
    g_assert_cmpuint((qpci_config_readw(d->dev, cap + PCI_EXP_FLAGS) &
                      PCI_EXP_FLAGS_TYPE) >> 4, ==, PCI_EXP_TYPE_ENDPOINT);
    g_assert_cmpuint(dut_read(d, PCM_DEVICE_NODE), ==, 1);
    dut_write(d, PCM_NODE, 1);
    dut_exercise(d, PCM_EX_FILL, 16 * MiB, 64, 1, PCM_EX_OK, 64);
    g_assert_cmpuint(dut_read64(d, PCM_NODE_BYTES(1)), ==, 64);
    dut_stop(d);
}

static void test_machine_without_numa(void)
{
    Dut *d = dut_start("q35", "");

    g_assert_cmpuint(dut_read(d, PCM_NODE_COUNT), ==, 1);
    dut_write(d, PCM_NODE, 0);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 100, 1, PCM_EX_OK, 100);
    g_assert_cmpuint(dut_read64(d, PCM_NODE_BYTES(0)), ==, 100);
    dut_stop(d);
}

/* --- Target ------------------------------------------------------------- */

static void check_target(Dut *d, uint32_t command, uint64_t address,
                         uint64_t fault, unsigned kind)
{
    dut_exercise(d, command, address, 64, 1, PCM_EX_VIOLATION, 0);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_TARGET, EX, command == PCM_EX_FILL, PCM_POLICY_ABORT,
        address, 64, PCM_TARGET_RAM, kind, fault, PCM_LANDED_NOWHERE });
    dut_expect_no_record(d);
}

static void test_target(void)
{
    Dut *d = dut_start("q35", "");
    uint64_t rom = 0xfffff000;

    check_target(d, PCM_EX_FILL, DUT_RAM_SIZE, DUT_RAM_SIZE,
                 PCM_TARGET_NOTHING);
    check_target(d, PCM_EX_FILL, DUT_RAM_SIZE - 32, DUT_RAM_SIZE,
                 PCM_TARGET_NOTHING);
    check_target(d, PCM_EX_CHECKSUM, 1ull << 40, 1ull << 40,
                 PCM_TARGET_NOTHING);
    check_target(d, PCM_EX_FILL, d->bar.addr + PCM_CTRL,
                 d->bar.addr + PCM_CTRL, PCM_TARGET_IO);
    check_target(d, PCM_EX_CHECKSUM, d->bar.addr, d->bar.addr,
                 PCM_TARGET_IO);
    check_target(d, PCM_EX_FILL, 0xfee00000, 0xfee00000, PCM_TARGET_IO);
    check_target(d, PCM_EX_FILL, rom, rom, PCM_TARGET_ROM);
    dut_exercise(d, PCM_EX_VERIFY, rom, 64, 1, PCM_EX_MISMATCH, 64);
    g_assert_cmpuint(dut_read(d, PCM_EX_MISMATCH_BYTES) >> 8, ==, DUT_ROM);
    g_assert_cmpuint(dut_read(d, PCM_EX_NODELESS), ==, 64);
    dut_stop(d);
}

/* Half of it is RAM: that half moves, the other is written to nothing. */
static void test_target_policies(void)
{
    uint64_t edge = DUT_RAM_SIZE;

    for (unsigned policy = PCM_POLICY_WRAP; policy <= PCM_POLICY_RECORD;
         policy++) {
        Dut *d = dut_start("q35", "");
        Model m = model_new(d);

        for (uint32_t i = 0; i < 24; i++) {
            model_page(&m, edge - 24)[4096 - 24 + i] = dut_pattern(5, i);
        }
        dut_set_policies(d, policy);
        dut_exercise(d, PCM_EX_FILL, edge - 24, 64, 5, PCM_EX_OK, 24);
        dut_expect_record(d, &(DutRecord) {
            PCM_RULE_TARGET, EX, true, policy, edge - 24, 64, PCM_TARGET_RAM,
            PCM_TARGET_NOTHING, edge, PCM_LANDED_NOWHERE });
        model_check(&m);
        /* What cannot be read arrives as 0xff. */
        dut_exercise(d, PCM_EX_VERIFY, edge - 24, 64, 5, PCM_EX_MISMATCH, 24);
        g_assert_cmpuint(dut_read(d, PCM_EX_FIRST_MISMATCH), ==, 24);
        g_assert_cmphex(dut_read(d, PCM_EX_MISMATCH_BYTES), ==,
                        0xff00 | dut_pattern(5, 24));
        /* The device's own registers stay as they are. */
        dut_write64(d, PCM_LIMIT, 0xfffffffffff);
        dut_exercise(d, PCM_EX_FILL, d->bar.addr + PCM_LIMIT, 8, 1,
                     PCM_EX_OK, 0);
        g_assert_cmphex(dut_read64(d, PCM_LIMIT), ==, 0xfffffffffff);
        dut_stop(d);
    }
}

/* Over the top of the address space: what is beyond it lands from 0 on. */
static void test_record_over_the_top(void)
{
    Dut *d = dut_start("q35", "");
    Model m = model_new(d);

    for (uint32_t i = 0; i < 8; i++) {
        model_page(&m, 0)[i] = dut_pattern(5, 8 + i);
    }
    dut_set_policies(d, PCM_POLICY_RECORD);
    dut_exercise(d, PCM_EX_FILL, ONES - 7, 16, 5, PCM_EX_OK, 8);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_LIMIT, EX, true, PCM_POLICY_RECORD, ONES - 7, 16,
        ONES, 7, 0, 0 });
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_TARGET, EX, true, PCM_POLICY_RECORD, ONES - 7, 16,
        PCM_TARGET_RAM, PCM_TARGET_NOTHING, ONES - 7, PCM_LANDED_NOWHERE });
    dut_expect_no_record(d);
    model_check(&m);
    dut_stop(d);
}

/* The request is in order, but the wrapped address is the firmware's. */
static void test_target_after_wrap(void)
{
    Dut *d = dut_start("q35", "");
    const uint32_t wrap = PCM_POLICY_WRAP << PCM_POLICY_SHIFT(PCM_RULE_LIMIT);

    dut_write(d, PCM_ADDR_BITS, 20);
    dut_write(d, PCM_POLICY, wrap);
    dut_exercise(d, PCM_EX_FILL, 0x1ffff8, 16, 1, PCM_EX_VIOLATION, 0);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_LIMIT, EX, true, PCM_POLICY_WRAP, 0x1ffff8, 16,
        0xfffff, 0x200007, 0x1ffff8, PCM_LANDED_NOWHERE });
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_TARGET, EX, true, PCM_POLICY_ABORT, 0x1ffff8, 16,
        PCM_TARGET_RAM, PCM_TARGET_ROM, 0x1ffff8, PCM_LANDED_NOWHERE });
    dut_expect_no_record(d);

    dut_write(d, PCM_POLICY, wrap | PCM_POLICY_RECORD <<
                             PCM_POLICY_SHIFT(PCM_RULE_TARGET));
    dut_exercise(d, PCM_EX_FILL, 0x1ffff8, 16, 1, PCM_EX_OK, 8);
    g_assert_cmphex(qtest_readq(d->qts, 0), ==, 1 + PCM_EX_STEP);
    g_assert_cmpuint(dut_read(d, PCM_LOG_COUNT), ==, 2);
    dut_stop(d);
}

/* Registers and structures of Intel VT-d, by its specification. */
#define VTD             0xfed90000u
#define VTD_GCMD        (VTD + 0x18)
#define VTD_GCMD_TE     (1u << 31)
#define VTD_GCMD_SRTP   (1u << 30)
#define VTD_RTADDR      (VTD + 0x20)
#define VTD_ROOT        0x100000
#define VTD_CONTEXT     0x101000
#define VTD_LEVEL3      0x102000
#define VTD_LEVEL2      0x103000
#define VTD_LEVEL1      0x104000
#define VTD_PRESENT     1
#define VTD_READ        1
#define VTD_WRITE       2

/* 0x10000 to 0x400000, 0x11000 to 0x600000 read-only, else nothing. */
static void configure_iommu(Dut *d)
{
    uint64_t context = VTD_CONTEXT + 16 * QPCI_DEVFN(4, 0);

    qtest_memset(d->qts, VTD_ROOT, 0, 5 * 4096);
    qtest_writeq(d->qts, VTD_ROOT, VTD_CONTEXT | VTD_PRESENT);
    qtest_writeq(d->qts, context, VTD_LEVEL3 | VTD_PRESENT);
    qtest_writeq(d->qts, context + 8, 1 << 8 | 1);
    qtest_writeq(d->qts, VTD_LEVEL3, VTD_LEVEL2 | VTD_READ | VTD_WRITE);
    qtest_writeq(d->qts, VTD_LEVEL2, VTD_LEVEL1 | VTD_READ | VTD_WRITE);
    qtest_writeq(d->qts, VTD_LEVEL1 + 8 * 0x10,
                 0x400000 | VTD_READ | VTD_WRITE);
    qtest_writeq(d->qts, VTD_LEVEL1 + 8 * 0x11, 0x600000 | VTD_READ);
    qtest_writeq(d->qts, VTD_RTADDR, VTD_ROOT);
    qtest_writel(d->qts, VTD_GCMD, VTD_GCMD_SRTP);
    qtest_writel(d->qts, VTD_GCMD, VTD_GCMD_TE);
}

/* The device sees what the IOMMU lets it see, and names it if it does not. */
static void test_target_iommu(void)
{
    Dut *d = dut_start("q35 -device intel-iommu", "");

    qtest_memset(d->qts, 0x400000, BACKGROUND, 0x1000);
    qtest_memset(d->qts, 0x600000, BACKGROUND, 0x1000);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 64, 1, PCM_EX_OK, 64);
    configure_iommu(d);
    check_target(d, PCM_EX_FILL, 0x200000, 0x200000, PCM_TARGET_IOMMU);
    dut_exercise(d, PCM_EX_FILL, 0x10000, 0x1000, 1, PCM_EX_OK, 0x1000);
    g_assert_cmphex(qtest_readq(d->qts, 0x400ff8), ==,
                    1 + 0x1ff * PCM_EX_STEP);
    g_assert_cmpuint(dut_read64(d, PCM_NODE_BYTES(0)), ==, 0x1000);
    check_target(d, PCM_EX_FILL, 0x10fe0, 0x11000, PCM_TARGET_IOMMU);
    dut_exercise(d, PCM_EX_CHECKSUM, 0x10fe0, 64, 1, PCM_EX_OK, 64);
    check_target(d, PCM_EX_CHECKSUM, 0x11fe0, 0x12000, PCM_TARGET_IOMMU);
    g_assert_cmphex(qtest_readb(d->qts, 0x600000), ==, BACKGROUND);

    /* Whatever the policy, what is denied stays as it is. */
    dut_set_policies(d, PCM_POLICY_RECORD);
    dut_exercise(d, PCM_EX_FILL, 0x10ff0, 32, 7, PCM_EX_OK, 16);
    g_assert_cmphex(qtest_readq(d->qts, 0x400ff0), ==, 7);
    g_assert_cmphex(qtest_readb(d->qts, 0x600000), ==, BACKGROUND);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_TARGET, EX, true, PCM_POLICY_RECORD, 0x10ff0, 32,
        PCM_TARGET_RAM, PCM_TARGET_IOMMU, 0x11000, PCM_LANDED_NOWHERE });
    dut_stop(d);
}

/* 2^17 pages that all lead to one: more than a slice looks at. */
static void test_check_in_slices(void)
{
    Dut *d = dut_start("q35 -device intel-iommu", "");

    configure_iommu(d);
    for (unsigned i = 0; i < 512; i++) {
        qtest_writeq(d->qts, VTD_LEVEL2 + 8 * i,
                     VTD_LEVEL1 | VTD_READ | VTD_WRITE);
        qtest_writeq(d->qts, VTD_LEVEL1 + 8 * i,
                     0x400000 | VTD_READ | VTD_WRITE);
    }
    dut_command(d, PCM_EX_CHECKSUM, 0, 512 * MiB, 1);
    g_assert_cmphex(dut_read(d, PCM_EX_STATUS), ==, PCM_EX_BUSY);
    g_assert_cmphex(dut_read(d, PCM_EX_DONE), ==, 0);
    qtest_clock_step(d->qts, 200000);
    g_assert_cmphex(dut_read(d, PCM_EX_STATUS), ==, PCM_EX_BUSY);
    g_assert_cmphex(dut_read(d, PCM_EX_DONE), >, 0);
    dut_write(d, PCM_CTRL, PCM_CTRL_RESET);
    dut_stop(d);
}

/* --- Log ---------------------------------------------------------------- */

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
    QDict *response, *record;
    QList *list;

    dut_write(d, PCM_ADDR_BITS, 24);
    dut_set_policies(d, PCM_POLICY_WRAP);
    dut_exercise(d, PCM_EX_FILL, 0x1000000, 8, 1, PCM_EX_OK, 8);
    dut_exercise(d, PCM_EX_CHECKSUM, 0x1000010, 4, 1, PCM_EX_OK, 4);
    response = qtest_qmp(d->qts, "{'execute': 'qom-get', 'arguments': {"
                         "'path': '/machine/peripheral/dut',"
                         "'property': 'violations'}}");
    list = qdict_get_qlist(response, "return");
    g_assert_cmpuint(qlist_size(list), ==, 2);
    record = qobject_to(QDict, qlist_pop(list));
    g_assert_cmpstr(qdict_get_str(record, "rule"), ==, "limit");
    g_assert_cmpstr(qdict_get_str(record, "policy"), ==, "wrap");
    g_assert_cmpstr(qdict_get_str(record, "direction"), ==, "write");
    g_assert_cmpuint(qdict_get_int(record, "requester"), ==, EX);
    g_assert_cmphex(qdict_get_int(record, "address"), ==, 0x1000000);
    g_assert_cmphex(qdict_get_int(record, "length"), ==, 8);
    g_assert_cmphex(qdict_get_int(record, "expected"), ==, 0xffffff);
    g_assert_cmphex(qdict_get_int(record, "actual"), ==, 0x1000007);
    g_assert_cmphex(qdict_get_int(record, "fault"), ==, 0x1000000);
    g_assert_cmphex(qdict_get_int(record, "landed"), ==, 0);
    qobject_unref(record);
    record = qobject_to(QDict, qlist_pop(list));
    g_assert_cmpstr(qdict_get_str(record, "direction"), ==, "read");
    g_assert_cmpuint(qdict_get_int(record, "sequence"), ==, 1);
    qobject_unref(record);
    qobject_unref(response);
    dut_stop(d);
}

/* --- Exerciser ---------------------------------------------------------- */

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
    qtest_clock_step(d->qts, 10000000);
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
    dut_exercise(d, 4, 0x200000, 8, 1, PCM_EX_BAD_COMMAND, 0);
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

/* --- Bus master, interrupts, reset -------------------------------------- */

static void test_bus_master_off(void)
{
    Dut *d = dut_start("q35", "");

    dut_set_bus_master(d, false);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_NO_BUS_MASTER, 0);
    dut_expect_no_record(d);
    dut_set_bus_master(d, true);
    dut_command(d, PCM_EX_FILL, 0x200000, 4 * MiB, 1);
    dut_set_bus_master(d, false);
    qtest_clock_step(d->qts, 100000);
    dut_expect_result(d, PCM_EX_NO_BUS_MASTER, 1 * MiB);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, PCM_INT_EXERCISER);
    dut_set_bus_master(d, true);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_OK, 8);
    dut_stop(d);
}

/* Which line of the interrupt controller is up; -1: none. */
static int raised_line(Dut *d)
{
    int line = -1;

    for (int i = 16; i < 24; i++) {
        if (qtest_get_irq(d->qts, i)) {
            g_assert_cmpint(line, ==, -1);
            line = i;
        }
    }
    return line;
}

static void test_intx(void)
{
    Dut *d = dut_start("q35", "");
    int line;

    qtest_irq_intercept_in(d->qts, "ioapic");
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_OK, 8);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, PCM_INT_EXERCISER);
    g_assert_cmpint(raised_line(d), ==, -1);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_EXERCISER);
    line = raised_line(d);
    g_assert_cmpint(line, !=, -1);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_VIOLATION);
    g_assert_cmpint(raised_line(d), ==, -1);
    dut_write(d, PCM_ADDR_BITS, 20);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_VIOLATION, 0);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==,
                    PCM_INT_EXERCISER | PCM_INT_VIOLATION);
    g_assert_cmpint(raised_line(d), ==, line);
    dut_write(d, PCM_INT_STATUS, PCM_INT_EXERCISER);
    g_assert_cmpint(raised_line(d), ==, line);
    dut_write(d, PCM_INT_STATUS, PCM_INT_VIOLATION);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, 0);
    g_assert_cmpint(raised_line(d), ==, -1);
    dut_stop(d);
}

#define MSI_MAILBOX     0x180000

static void msi_set_enabled(Dut *d, bool on)
{
    uint8_t cap = qpci_find_capability(d->dev, PCI_CAP_ID_MSI, 0);
    uint16_t flags = qpci_config_readw(d->dev, cap + PCI_MSI_FLAGS);

    flags &= ~PCI_MSI_FLAGS_ENABLE;
    qpci_config_writew(d->dev, cap + PCI_MSI_FLAGS,
                       flags | (on ? PCI_MSI_FLAGS_ENABLE : 0));
}

static void msi_enable(Dut *d, uint32_t address, uint16_t data)
{
    uint8_t cap = qpci_find_capability(d->dev, PCI_CAP_ID_MSI, 0);
    uint16_t flags;

    g_assert_cmpuint(cap, !=, 0);
    flags = qpci_config_readw(d->dev, cap + PCI_MSI_FLAGS);
    g_assert_true(flags & PCI_MSI_FLAGS_64BIT);
    qpci_config_writel(d->dev, cap + PCI_MSI_ADDRESS_LO, address);
    qpci_config_writel(d->dev, cap + PCI_MSI_ADDRESS_HI, 0);
    qpci_config_writew(d->dev, cap + PCI_MSI_DATA_64, data);
    msi_set_enabled(d, true);
}

/* Has a message arrived since the last question? */
static bool msi_arrived(Dut *d)
{
    uint32_t mail = qtest_readl(d->qts, MSI_MAILBOX);

    qtest_writel(d->qts, MSI_MAILBOX, 0);
    g_assert_true(mail == 0 || mail == 0x4321);
    return mail;
}

static void test_msi(void)
{
    Dut *d = dut_start("q35", "");

    qtest_irq_intercept_in(d->qts, "ioapic");
    msi_enable(d, MSI_MAILBOX, 0x4321);
    g_assert_false(msi_arrived(d));
    dut_write(d, PCM_INT_ENABLE, PCM_INT_EXERCISER | PCM_INT_VIOLATION);
    dut_command(d, PCM_EX_FILL, 0x200000, 8, 1);
    g_assert_true(msi_arrived(d));
    dut_expect_result(d, PCM_EX_OK, 8);
    g_assert_cmpint(raised_line(d), ==, -1);
    /* The same source again, not acknowledged: nothing new to tell. */
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_OK, 8);
    g_assert_false(msi_arrived(d));
    /* Another source: a message of its own. */
    dut_write(d, PCM_ADDR_BITS, 20);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_VIOLATION, 0);
    g_assert_true(msi_arrived(d));
    dut_write(d, PCM_INT_STATUS, PCM_INT_EXERCISER | PCM_INT_VIOLATION);
    g_assert_false(msi_arrived(d));
    dut_exercise(d, PCM_EX_CHECKSUM, 0x1000, 8, 1, PCM_EX_OK, 8);
    g_assert_true(msi_arrived(d));
    dut_stop(d);
}

/* What is pending is told by the other way as soon as MSI is switched. */
static void test_msi_switched(void)
{
    Dut *d = dut_start("q35", "");
    int line;

    qtest_irq_intercept_in(d->qts, "ioapic");
    dut_write(d, PCM_INT_ENABLE, PCM_INT_EXERCISER);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_OK, 8);
    line = raised_line(d);
    g_assert_cmpint(line, !=, -1);
    msi_enable(d, MSI_MAILBOX, 0x4321);
    g_assert_cmpint(raised_line(d), ==, -1);
    g_assert_true(msi_arrived(d));
    msi_set_enabled(d, false);
    g_assert_cmpint(raised_line(d), ==, line);
    g_assert_false(msi_arrived(d));
    dut_stop(d);
}

/* A message that could not be sent is when bus mastering returns. */
static void test_msi_without_bus_master(void)
{
    Dut *d = dut_start("q35", "");

    msi_enable(d, MSI_MAILBOX, 0x4321);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_EXERCISER);
    dut_set_bus_master(d, false);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_NO_BUS_MASTER, 0);
    g_assert_false(msi_arrived(d));
    dut_set_bus_master(d, true);
    g_assert_true(msi_arrived(d));
    dut_set_bus_master(d, true);
    g_assert_false(msi_arrived(d));
    dut_write(d, PCM_INT_STATUS, PCM_INT_EXERCISER);
    dut_set_bus_master(d, false);
    dut_set_bus_master(d, true);
    g_assert_false(msi_arrived(d));
    dut_stop(d);
}

static void dirty(Dut *d)
{
    dut_write(d, PCM_ADDR_BITS, 24);
    dut_write64(d, PCM_LIMIT, 0x1234);
    dut_write64(d, PCM_BOUNDARY, 0xffff);
    dut_write(d, PCM_NODE, 2);
    dut_set_policies(d, PCM_POLICY_RECORD);
    dut_write(d, PCM_INT_ENABLE, 3);
    set_window(d, 9, 1, 2, PCM_W_ENABLE);
    dut_command(d, PCM_EX_FILL, 0x200000, 4 * MiB, 1);
    dut_write(d, PCM_STREAM(0) + PCM_S_RATE, 12345);
    g_assert_cmpuint(dut_read(d, PCM_LOG_COUNT), ==, 4);
}

static void expect_clean(Dut *d)
{
    for (unsigned i = 0; i < ARRAY_SIZE(register_cases); i++) {
        g_assert_cmphex(dut_read(d, register_cases[i].offset), ==,
                        register_cases[i].reset);
    }
    g_assert_cmphex(dut_read64(d, PCM_WINDOW(9) + PCM_W_FIRST), ==, 0);
    g_assert_cmphex(dut_read(d, PCM_WINDOW(9) + PCM_W_CTRL), ==, 0);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmphex(dut_read(d, PCM_EX_STATUS), ==, 0);
    g_assert_cmphex(dut_read(d, PCM_EX_DONE), ==, 0);
}

static void test_reset(void)
{
    Dut *d = dut_start("q35", "");

    qtest_irq_intercept_in(d->qts, "ioapic");
    dirty(d);
    g_assert_cmpint(raised_line(d), !=, -1);
    dut_write(d, PCM_CTRL, PCM_CTRL_RESET);
    g_assert_cmpint(raised_line(d), ==, -1);
    expect_clean(d);

    dirty(d);
    qtest_system_reset(d->qts);
    qpci_device_enable(d->dev);
    qpci_config_writel(d->dev, PCI_BASE_ADDRESS_0, d->bar.addr);
    expect_clean(d);
    dut_stop(d);
}

static void test_flr(void)
{
    Dut *d = dut_start("q35", "");
    uint8_t cap = qpci_find_capability(d->dev, PCI_CAP_ID_EXP, 0);

    g_assert_cmpuint(cap, !=, 0);
    g_assert_true(qpci_config_readl(d->dev, cap + PCI_EXP_DEVCAP) &
                  PCI_EXP_DEVCAP_FLR);
    dirty(d);
    qpci_config_writew(d->dev, cap + PCI_EXP_DEVCTL,
                       PCI_EXP_DEVCTL_BCR_FLR);
    qpci_device_enable(d->dev);
    qpci_config_writel(d->dev, PCI_BASE_ADDRESS_0, d->bar.addr);
    expect_clean(d);
    dut_stop(d);
}

/* On a conventional bus the device is a conventional one, and works. */
static void test_conventional_pci(void)
{
    Dut *d = dut_start("pc", "");

    g_assert_cmpuint(qpci_find_capability(d->dev, PCI_CAP_ID_EXP, 0), ==, 0);
    g_assert_cmpuint(qpci_find_capability(d->dev, PCI_CAP_ID_MSI, 0), !=, 0);
    g_assert_cmphex(qpci_config_readw(d->dev, PCI_VENDOR_ID), ==, 0x1af4);
    g_assert_cmphex(qpci_config_readw(d->dev, PCI_DEVICE_ID), ==, 0x10fa);
    g_assert_cmphex(qpci_config_readw(d->dev, PCI_CLASS_DEVICE), ==, 0x0401);
    dut_exercise(d, PCM_EX_FILL, 0x200000, 8, 1, PCM_EX_OK, 8);
    g_assert_cmphex(qtest_readq(d->qts, 0x200000), ==, 1);
    dut_stop(d);
}

/* --- Migration ---------------------------------------------------------- */

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
    set_window(d, 63, 0, 0xffffffff, 7);
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

/* --- Playback ----------------------------------------------------------- */

typedef struct PlayCase {
    const char *name;
    unsigned rate;
    uint32_t ring_frames;
    uint32_t period;
    uint64_t end;
    int64_t step;
    const char *audiodev;       /* further options of the back end */
} PlayCase;

static const PlayCase play_cases[] = {
    { "48000-long", 48000, 16384, 4096, 100001, 20000000 },
    { "44100-odd-ring", 44100, 5003, 441, 33333, 7777777 },
    { "8000", 8000, 1024, 256, 5000, 10000000 },
    { "96000", 96000, 4096, 512, 50000, 4000000 },
    { "one-frame", 48000, 1024, 0, 1, 10000000 },
    { "no-period", 48000, 8192, 0, 20000, 50000000 },
    { "ring-of-one", 48000, 1, 0, 1, 1000000 },
    /* The back end takes 1024 frames each time, so it must be asked often. */
    { "192000", 192000, 8192, 1000, 5000, 1000000, ",timer-period=2000" },
};

/* Killed at DRAINED, as a guest does it: every frame must be there. */
static void test_play(const void *data)
{
    const PlayCase *c = data;
    Player *p = player_new_on(c->rate, c->audiodev ?: "",
                              "q35 -device isa-debug-exit,iobase=0xf4,"
                              "iosize=4");
    QTestState *qts;

    player_start(p, c->rate, c->ring_frames, c->period, c->end);
    player_play(p, c->rate, c->step);
    qts = dut_release(p->d);
    qtest_set_expected_status(qts, 33);
    qtest_outl(qts, 0xf4, 0x10);
    qtest_wait_qemu(qts);
    qtest_quit(qts);
    player_expect_wav(p, c->end);
    player_free(p);
}

typedef struct FormatCase {
    const char *name;
    unsigned sample;
    unsigned bytes;
    unsigned channels;
    const char *audiodev;
    unsigned recorded;          /* sample; always of two channels */
} FormatCase;

/* The back end records 8 and 16 bits; longer samples are given as 16 bits. */
static const FormatCase format_cases[] = {
    { "u8", PCM_S_U8, 1, 2, ",out.format=u8", PCM_S_U8 },
    { "s8", PCM_S_S8, 1, 2, ",out.format=s8", PCM_S_S8 },
    { "u16", PCM_S_U16, 2, 2, ",out.format=u16", PCM_S_U16 },
    { "s16", PCM_S_S16, 2, 2, ",out.format=s16", PCM_S_S16 },
    { "u32", PCM_S_U32, 4, 2, ",out.format=s16", PCM_S_S16 },
    { "s32", PCM_S_S32, 4, 2, ",out.format=s16", PCM_S_S16 },
    { "f32", PCM_S_F32, 4, 2, ",out.format=s16", PCM_S_S16 },
    { "s16-mono", PCM_S_S16, 2, 1, ",out.format=s16", PCM_S_S16 },
    { "u8-mono", PCM_S_U8, 1, 1, ",out.format=u8", PCM_S_U8 },
};

/* The little-endian bytes of @value, from -2^15 to 2^15 - 1, in @sample. */
static GByteArray *append_sample(GByteArray *bytes, unsigned sample,
                                 int16_t value)
{
    static const unsigned sizes[] = { 1, 1, 2, 2, 4, 4, 4 };
    float real = value / 32768.0f;
    uint32_t bits = value;

    switch (sample) {
    case PCM_S_U8:
        bits = (value >> 8) + 0x80;
        break;
    case PCM_S_S8:
        bits = value >> 8;
        break;
    case PCM_S_U16:
        bits = value + 0x8000;
        break;
    case PCM_S_U32:
        bits = (uint32_t)(value + 0x8000) << 16;
        break;
    case PCM_S_S32:
        bits = (uint32_t)value << 16;
        break;
    case PCM_S_F32:
        memcpy(&bits, &real, sizeof(bits));
        break;
    }
    bits = cpu_to_le32(bits);
    return g_byte_array_append(bytes, (uint8_t *)&bits, sizes[sample]);
}

static void test_format(const void *data)
{
    const FormatCase *c = data;
    const unsigned frames = 3000;
    Player *p = player_new_on(48000, c->audiodev, "q35");
    Dut *d = p->d;
    GByteArray *source = g_byte_array_new();
    GByteArray *expected = g_byte_array_new();
    g_autofree char *file = NULL;
    gsize size;

    for (unsigned i = 0; i < frames * c->channels; i++) {
        append_sample(source, c->sample, frame(i));
        append_sample(expected, c->recorded, frame(i));
        if (c->channels == 1) {
            append_sample(expected, c->recorded, frame(i));
        }
    }
    g_assert_cmpuint(source->len, ==, frames * c->channels * c->bytes);
    qtest_bufwrite(d->qts, RING, source->data, source->len);
    dut_write(d, S0(FORMAT), c->sample | PCM_S_CHANNELS(c->channels));
    dut_write(d, S0(RATE), 48000);
    dut_write64(d, S0(BUFFER), RING);
    dut_write(d, S0(LENGTH), source->len);
    dut_write64(d, S0(END), frames);
    dut_write(d, S0(CTL), PCM_S_RUN);
    qtest_clock_step(d->qts, 300000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_DRAINED);
    dut_stop(d);
    g_assert_true(g_file_get_contents(p->wav, &file, &size, NULL));
    g_assert_cmpmem(file + WAV_HEADER, size - WAV_HEADER, expected->data,
                    expected->len);
    g_byte_array_unref(source);
    g_byte_array_unref(expected);
    player_free(p);
}

/* Position and period interrupts, to the nanosecond. */
static void test_position(void)
{
    Player *p = player_new(44100, "q35");
    Dut *d = p->d;
    int64_t now;

    dut_write(d, S0(INT_ENABLE), PCM_S_PERIOD);
    player_start(p, 44100, 4096, 441, 0);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 0);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_RUNNING);
    g_assert_cmphex(dut_read(d, S0(CTL)), ==, PCM_S_RUN);

    /* A frame takes 22675.7 ns: it is due at the next whole one. */
    qtest_clock_step(d->qts, 22675);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 0);
    qtest_clock_step(d->qts, 1);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 1);

    /* 441 frames are 10 ms. */
    now = qtest_clock_step(d->qts, 10000000 - 22676 - 1);
    g_assert_cmpint(now - p->start, ==, 9999999);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_RUNNING);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, 0);
    qtest_clock_step(d->qts, 1);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_RUNNING | PCM_S_PERIOD);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, PCM_INT_STREAM(0));
    dut_write(d, S0(STATUS), PCM_S_PERIOD);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, 0);
    for (unsigned i = 2; i < 20; i++) {
        qtest_clock_step(d->qts, 9999999);
        g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, 0);
        qtest_clock_step(d->qts, 1);
        g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, PCM_INT_STREAM(0));
        g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, i * 441);
        dut_write(d, S0(STATUS), PCM_S_PERIOD);
    }
    dut_stop(d);
    player_free(p);
}

/* Reading the low half of POSITION keeps the high one still. */
static void test_position_latch(void)
{
    Player *p = player_new(48000, "q35");

    player_start(p, 48000, 64, 0, 0);
    qtest_clock_step(p->d->qts, 1000000000);
    g_assert_cmpuint(dut_read(p->d, S0(POSITION)), ==, 48000);
    g_assert_cmpuint(dut_read(p->d, S0(POSITION) + 4), ==, 0);
    g_assert_cmpuint(qpci_io_readq(p->d->dev, p->d->bar, S0(POSITION)), ==,
                     48000);
    dut_stop(p->d);
    player_free(p);
}

#define SECOND          1000000000ll

/* Past 2^32 frames, with a back end that asks for them once in an hour. */
static void test_position_high(void)
{
    Dut *d = dut_start("q35 -audiodev none,id=snd,timer-period=3600000000",
                       ",audiodev=snd");
    const uint64_t seconds = 22370;
    const uint64_t frames = seconds * 192000;

    dut_write(d, S0(FORMAT), PCM_S_S16 | PCM_S_CHANNELS(2));
    dut_write(d, S0(RATE), 192000);
    dut_write64(d, S0(BUFFER), RING);
    dut_write(d, S0(LENGTH), 4096);
    dut_write(d, S0(CTL), PCM_S_RUN);
    qtest_clock_step(d->qts, seconds * SECOND);
    g_assert_cmpuint(frames >> 32, ==, 1);
    g_assert_cmpuint(dut_read(d, S0(POSITION)), ==, (uint32_t)frames);
    g_assert_cmpuint(dut_read(d, S0(POSITION) + 4), ==, 1);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_RUNNING | PCM_S_OVERRUN);

    /* The latch holds until the low half is read. */
    dut_write(d, S0(CTL), 0);
    dut_write(d, S0(CTL), PCM_S_RUN);
    g_assert_cmpuint(dut_read(d, S0(POSITION) + 4), ==, 1);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 0);
    dut_stop(d);
}

/* Frames below a position that was seen may change without effect. */
static void test_fetched_before_seen(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    player_start(p, 48000, 4096, 0, 4000);
    for (unsigned i = 0; i < 9; i++) {
        uint64_t position;

        qtest_clock_step(d->qts, 9000001);
        position = dut_read64(d, S0(POSITION));
        qtest_memset(d->qts, RING, 0xee, 4 * position);
    }
    qtest_clock_step(d->qts, 100000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_DRAINED);
    dut_stop(d);
    player_expect_wav(p, 4000);
    player_free(p);
}

/* END stops exactly, DRAINED follows when the back end has it all. */
static void test_end(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    dut_write(d, S0(INT_ENABLE), PCM_S_DRAINED);
    player_start(p, 48000, 4096, 100, 480);
    qtest_clock_step(d->qts, 9999999);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_RUNNING | PCM_S_PERIOD);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 479);
    qtest_clock_step(d->qts, 1);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 480);
    g_assert_cmphex(dut_read(d, S0(STATUS)) & PCM_S_RUNNING, ==, 0);
    g_assert_cmphex(dut_read(d, S0(CTL)), ==, 0);
    qtest_clock_step(d->qts, 100000000);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 480);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_PERIOD | PCM_S_DRAINED);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, PCM_INT_STREAM(0));
    dut_write(d, S0(STATUS), PCM_S_DRAINED);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, 0);
    dut_stop(d);
    player_expect_wav(p, 480);
    player_free(p);
}

static void start_silence(Dut *d, unsigned stream)
{
    const unsigned base = PCM_STREAM(stream);

    dut_write(d, base + PCM_S_FORMAT, PCM_S_S16 | PCM_S_CHANNELS(2));
    dut_write(d, base + PCM_S_RATE, 48000);
    dut_write64(d, base + PCM_S_BUFFER, 0x400000);
    dut_write(d, base + PCM_S_LENGTH, 4096);
    dut_write(d, base + PCM_S_CTL, PCM_S_RUN);
}

/*
 * Voices that start late hold up the buffer that all share.  DRAINED must
 * wait for it: QEMU is killed then, and nothing may be missing.
 */
static void test_drained_in_company(void)
{
    Player *p = player_new(48000, "q35 -global pcmaster.playback=3 "
                           "-device isa-debug-exit,iobase=0xf4,iosize=4");
    QTestState *qts = p->d->qts;
    g_autofree char *file = NULL;
    gsize size;

    player_start(p, 48000, 4096, 0, 960);
    qtest_clock_step(qts, 9900000);
    start_silence(p->d, 1);
    qtest_clock_step(qts, 10000000);
    start_silence(p->d, 2);
    while (!(dut_read(p->d, S0(STATUS)) & PCM_S_DRAINED)) {
        g_assert_cmpint(qtest_clock_step(qts, 1000000) - p->start, <,
                        300000000);
    }
    dut_release(p->d);
    qtest_set_expected_status(qts, 33);
    qtest_outl(qts, 0xf4, 0x10);
    qtest_wait_qemu(qts);
    qtest_quit(qts);
    g_assert_true(g_file_get_contents(p->wav, &file, &size, NULL));
    g_assert_cmpuint(size, >=, WAV_HEADER + 4 * 960);
    for (uint32_t i = 0; i < 960; i++) {
        g_assert_cmphex((uint32_t)ldl_le_p(file + WAV_HEADER + 4 * i), ==,
                        frame(i));
    }
    player_free(p);
}

/* The end may be told while the stream runs. */
static void test_end_while_running(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    player_start(p, 48000, 4096, 0, 0);
    qtest_clock_step(d->qts, 5000000);
    dut_write64(d, S0(END), 1000);
    qtest_clock_step(d->qts, 200000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_DRAINED);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 1000);
    dut_stop(d);
    player_expect_wav(p, 1000);
    player_free(p);
}

/* A low half alone is no end; the high half brings both in. */
static void test_end_in_halves(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    player_start(p, 48000, 4096, 0, 0xfffffff0);
    qtest_clock_step(d->qts, 10000000);
    dut_write(d, S0(END), 16);
    qtest_clock_step(d->qts, 1000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_RUNNING);
    g_assert_cmphex(dut_read64(d, S0(END)), ==, 16);
    dut_write(d, S0(END) + 4, 1);
    qtest_clock_step(d->qts, 1000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_RUNNING);
    g_assert_cmphex(dut_read64(d, S0(END)), ==, 0x100000010);
    qpci_io_writeq(d->dev, d->bar, S0(END), 1000);
    qtest_clock_step(d->qts, 200000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_DRAINED);
    dut_stop(d);
    player_expect_wav(p, 1000);
    player_free(p);
}

/* RUN cleared: the position stays, what was played until then is heard. */
static void test_stop(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    player_start(p, 48000, 4096, 64, 0);
    qtest_clock_step(d->qts, 12345678);
    dut_write(d, S0(CTL), 0);
    g_assert_cmphex(dut_read(d, S0(STATUS)) & PCM_S_RUNNING, ==, 0);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 592);
    dut_write(d, S0(STATUS), PCM_S_PERIOD);
    qtest_clock_step(d->qts, 100000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, 0);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 592);
    dut_stop(d);
    player_expect_wav(p, 592);
    player_free(p);
}

/* Twice in one life: the second goes on in the recording after the first. */
static void test_play_again(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    player_start(p, 48000, 4096, 512, 3000);
    player_play(p, 48000, 5000000);
    qtest_clock_step(d->qts, 3000000000);
    for (uint32_t i = 0; i < 2000; i++) {
        qtest_writel(d->qts, RING + 4 * i, frame(3000 + i));
    }
    dut_write64(d, S0(END), 2000);
    dut_write(d, S0(CTL), PCM_S_RUN);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_RUNNING);
    qtest_clock_step(d->qts, 200000000);
    g_assert_true(dut_read(d, S0(STATUS)) & PCM_S_DRAINED);
    dut_stop(d);
    player_expect_wav(p, 5000);
    player_free(p);
}

/* At another rate, what the back end has not taken is dropped. */
static void test_play_again_at_another_rate(void)
{
    Player *p = player_new(48000, "q35");
    g_autofree char *file = NULL;
    gsize size;

    player_start(p, 48000, 4096, 0, 0);
    qtest_clock_step(p->d->qts, 12345678);
    dut_write(p->d, S0(CTL), 0);
    g_assert_cmpuint(dut_read64(p->d, S0(POSITION)), ==, 592);
    qtest_memset(p->d->qts, RING, 0, 4 * 4096);
    dut_write(p->d, S0(RATE), 24000);
    dut_write(p->d, S0(CTL), PCM_S_RUN);
    qtest_clock_step(p->d->qts, 100000000);
    dut_stop(p->d);
    g_assert_true(g_file_get_contents(p->wav, &file, &size, NULL));
    g_assert_cmpuint(size, >, WAV_HEADER + 4 * 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t heard = ldl_le_p(file + WAV_HEADER + 4 * i);

        g_assert_cmphex(heard, ==, i < 480 ? frame(i) : 0);
    }
    player_free(p);
}

typedef struct RefusedCase {
    uint32_t format;
    uint32_t rate;
    uint32_t length;
    unsigned cause;
} RefusedCase;

static const RefusedCase refused_cases[] = {
    { PCM_S_S16 | PCM_S_CHANNELS(0), 48000, 4096, PCM_S_CAUSE_FORMAT },
    { PCM_S_S16 | PCM_S_CHANNELS(3), 48000, 4096, PCM_S_CAUSE_FORMAT },
    { PCM_S_S16 | PCM_S_CHANNELS(255), 48000, 4096, PCM_S_CAUSE_FORMAT },
    { 7 | PCM_S_CHANNELS(2), 48000, 4096, PCM_S_CAUSE_FORMAT },
    { 255 | PCM_S_CHANNELS(2), 48000, 4096, PCM_S_CAUSE_FORMAT },
    { ~0u, 48000, 4096, PCM_S_CAUSE_FORMAT },
    { PCM_S_S16 | PCM_S_CHANNELS(2), 0, 4096, PCM_S_CAUSE_FORMAT },
    { PCM_S_S16 | PCM_S_CHANNELS(2), 3999, 4096, PCM_S_CAUSE_FORMAT },
    { PCM_S_S16 | PCM_S_CHANNELS(2), 192001, 4096, PCM_S_CAUSE_FORMAT },
    { PCM_S_S16 | PCM_S_CHANNELS(2), ~0u, 4096, PCM_S_CAUSE_FORMAT },
    { PCM_S_S16 | PCM_S_CHANNELS(2), 48000, 0, PCM_S_CAUSE_BUFFER },
    { PCM_S_S16 | PCM_S_CHANNELS(2), 48000, 4095, PCM_S_CAUSE_BUFFER },
    { PCM_S_F32 | PCM_S_CHANNELS(2), 48000, 4100, PCM_S_CAUSE_BUFFER },
    { PCM_S_U8 | PCM_S_CHANNELS(2), 48000, 1, PCM_S_CAUSE_BUFFER },
};

static void expect_refusal(Dut *d, unsigned cause)
{
    dut_write(d, S0(CTL), PCM_S_RUN);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_ERROR);
    g_assert_cmpuint(dut_read(d, S0(CAUSE)), ==, cause);
    g_assert_cmphex(dut_read(d, S0(CTL)), ==, 0);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==, PCM_INT_STREAM(0));
    dut_write(d, S0(STATUS), PCM_S_ERROR);
}

static void test_refused(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    dut_write(d, S0(INT_ENABLE), PCM_S_ERROR);
    dut_write64(d, S0(BUFFER), RING);
    for (unsigned i = 0; i < ARRAY_SIZE(refused_cases); i++) {
        const RefusedCase *c = &refused_cases[i];

        dut_write(d, S0(FORMAT), c->format);
        dut_write(d, S0(RATE), c->rate);
        dut_write(d, S0(LENGTH), c->length);
        expect_refusal(d, c->cause);
    }
    dut_write(d, S0(FORMAT), PCM_S_S16 | PCM_S_CHANNELS(2));
    dut_write(d, S0(RATE), 48000);
    dut_write(d, S0(LENGTH), 4096);
    dut_set_bus_master(d, false);
    expect_refusal(d, PCM_S_CAUSE_DMA);
    dut_set_bus_master(d, true);
    dut_write(d, S0(CTL), PCM_S_RUN);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_RUNNING);
    g_assert_cmpuint(dut_read(d, S0(CAUSE)), ==, PCM_S_CAUSE_NONE);
    dut_stop(d);
    player_free(p);
}

/* A start that is refused takes the DRAINED of the run before with it. */
static void test_refused_while_draining(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    player_start(p, 48000, 4096, 0, 480);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, 0);
    dut_write(d, S0(RATE), 1);
    dut_write(d, S0(CTL), PCM_S_RUN);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_ERROR);
    qtest_clock_step(d->qts, 200000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_ERROR);
    dut_stop(d);
    player_expect_wav(p, 480);
    player_free(p);
}

/* The back end cannot record such samples: no voice opens. */
static void test_no_back_end(void)
{
    Player *p = player_new_on(48000, ",out.format=f32", "q35");
    Dut *d = p->d;

    dut_write(d, S0(INT_ENABLE), PCM_S_ERROR);
    dut_write(d, S0(FORMAT), PCM_S_S16 | PCM_S_CHANNELS(2));
    dut_write(d, S0(RATE), 48000);
    dut_write64(d, S0(BUFFER), RING);
    dut_write(d, S0(LENGTH), 4096);
    expect_refusal(d, PCM_S_CAUSE_BACKEND);
    dut_expect_no_record(d);
    dut_stop(d);
    player_free(p);
}

/* The last of eight streams has its own bit, requester number and ring. */
static void test_last_stream(void)
{
    Dut *d = dut_start("q35 -audiodev none,id=snd",
                       ",audiodev=snd,playback=8");
    const unsigned s7 = PCM_STREAM(7);

    g_assert_cmpuint(PCM_CAP_PLAYBACK(dut_read(d, PCM_CAP)), ==, 8);
    dut_write(d, PCM_ADDR_BITS, 24);
    dut_write(d, s7 + PCM_S_INT_ENABLE, PCM_S_ERROR);
    dut_write(d, s7 + PCM_S_FORMAT, PCM_S_S16 | PCM_S_CHANNELS(2));
    dut_write(d, s7 + PCM_S_RATE, 48000);
    dut_write64(d, s7 + PCM_S_BUFFER, 0x1000000);
    dut_write(d, s7 + PCM_S_LENGTH, 4096);
    dut_write(d, s7 + PCM_S_CTL, PCM_S_RUN);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmphex(dut_read(d, s7 + PCM_S_STATUS), ==, PCM_S_ERROR);
    g_assert_cmphex(dut_read(d, PCM_INT_STATUS), ==,
                    PCM_INT_STREAM(7) | PCM_INT_VIOLATION);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_LIMIT, 7, false, PCM_POLICY_ABORT, 0x1000000, 4 * 480,
        0xffffff, 0x1000000 + 4 * 480 - 1, 0x1000000, PCM_LANDED_NOWHERE });
    dut_write(d, PCM_STREAM(8) + PCM_S_RATE, 48000);
    g_assert_cmpuint(dut_read(d, PCM_STREAM(8) + PCM_S_RATE), ==, 0);
    dut_stop(d);
}

/* The ring runs into a window's end: the stream stops at the bad byte's DMA. */
static void test_refused_dma(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    set_window(d, 0, RING, RING + 4 * 1000 - 1, PCM_W_ENABLE | PCM_W_READ);
    player_start(p, 48000, 4096, 0, 0);
    for (unsigned i = 0; i < 10; i++) {
        qtest_clock_step(d->qts, 5000000);
        dut_read(d, S0(POSITION));
    }
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_ERROR);
    g_assert_cmpuint(dut_read(d, S0(CAUSE)), ==, PCM_S_CAUSE_DMA);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 960);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_WINDOW, 0, false, PCM_POLICY_ABORT, RING + 4 * 960, 4 * 240,
        RING + 3999, ONES, RING + 4000, PCM_LANDED_NOWHERE });
    dut_expect_no_record(d);
    dut_stop(d);
    player_expect_wav(p, 960);
    player_free(p);
}

/* The boundary is seen from the start of the ring, not of each read. */
static void test_stream_boundary(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    dut_write64(d, PCM_BOUNDARY, 0xfff);
    player_start(p, 48000, 2048, 0, 0);
    qtest_clock_step(d->qts, 10000000);
    qtest_clock_step(d->qts, 10000000);
    dut_expect_no_record(d);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_ERROR);
    dut_expect_record(d, &(DutRecord) {
        PCM_RULE_BOUNDARY, 0, false, PCM_POLICY_ABORT, RING + 4 * 960,
        4 * 480, 0xfff, 0x1fff, RING + 0x1000, PCM_LANDED_NOWHERE });
    dut_stop(d);
    player_free(p);
}

/* Bus mastering taken away while playing. */
static void test_bus_master_lost(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    player_start(p, 48000, 2048, 0, 0);
    qtest_clock_step(d->qts, 10000000);
    dut_set_bus_master(d, false);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_ERROR);
    g_assert_cmpuint(dut_read(d, S0(CAUSE)), ==, PCM_S_CAUSE_DMA);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 480);
    dut_expect_no_record(d);
    dut_stop(d);
    player_expect_wav(p, 480);
    player_free(p);
}

/* A ring of which each byte is a piece costs too much: frames are lost. */
static void start_costly(Dut *d)
{
    dut_write64(d, PCM_BOUNDARY, 0);
    dut_set_policies(d, PCM_POLICY_WRAP);
    dut_write(d, S0(FORMAT), PCM_S_F32 | PCM_S_CHANNELS(2));
    dut_write(d, S0(RATE), 192000);
    dut_write64(d, S0(BUFFER), RING);
    dut_write(d, S0(LENGTH), 0x10000);
    dut_write(d, S0(CTL), PCM_S_RUN);
}

static void test_effort(void)
{
    Dut *d = dut_start("q35 -audiodev none,id=snd,timer-period=5000",
                       ",audiodev=snd");

    /* 960 frames of 8 bytes each time suffice, 1920 do not. */
    start_costly(d);
    for (unsigned i = 0; i < 10; i++) {
        qtest_clock_step(d->qts, 1000000);
        dut_read(d, S0(POSITION));
    }
    g_assert_cmpuint(dut_read(d, S0(LOST)), ==, 0);
    dut_stop(d);

    d = dut_start("q35 -audiodev none,id=snd", ",audiodev=snd");
    start_costly(d);
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_RUNNING | PCM_S_OVERRUN);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 1920);
    g_assert_cmpuint(dut_read(d, S0(LOST)), >, 0);
    g_assert_cmpuint(dut_read(d, S0(LOST)), <=, 1920 - 8192 / 8);
    dut_stop(d);
}

/* A back end that is too slow: lost frames are counted, none is invented. */
static void test_overrun(void)
{
    Player *p = player_new(8000, "q35");
    Dut *d = p->d;
    uint32_t lost;

    player_start(p, 192000, 8192, 0, 100000);
    qtest_clock_step(d->qts, 2000000000);
    lost = dut_read(d, S0(LOST));
    g_assert_cmpuint(lost, ==, 0);
    dut_stop(d);
    player_free(p);

    p = player_new(192000, "q35");
    d = p->d;
    player_start(p, 192000, 8192, 0, 100000);
    qtest_clock_step(d->qts, 2000000000);
    lost = dut_read(d, S0(LOST));
    g_assert_cmpuint(lost, >, 0);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_OVERRUN | PCM_S_DRAINED);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 100000);
    dut_stop(d);
    {
        g_autofree char *file = NULL;
        gsize size;

        g_assert_true(g_file_get_contents(p->wav, &file, &size, NULL));
        g_assert_cmpuint(size, ==, WAV_HEADER + 4 * (100000 - lost));
    }
    player_free(p);
}

/* Each bit of S_STATUS has a message of its own. */
static void test_msi_of_stream(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    msi_enable(d, MSI_MAILBOX, 0x4321);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_STREAM(0));
    dut_write(d, S0(INT_ENABLE), 0xf);
    player_start(p, 48000, 4096, 480, 960);
    qtest_clock_step(d->qts, 9000000);
    g_assert_false(msi_arrived(d));
    qtest_clock_step(d->qts, 1000000);
    g_assert_true(msi_arrived(d));
    qtest_clock_step(d->qts, 10000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_PERIOD);
    g_assert_false(msi_arrived(d));
    qtest_clock_step(d->qts, 200000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_PERIOD | PCM_S_DRAINED);
    g_assert_true(msi_arrived(d));

    dut_write64(d, S0(END), 0);
    dut_write(d, S0(PERIOD_FRAMES), 0);
    start_costly(d);
    qtest_clock_step(d->qts, 20000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_RUNNING | PCM_S_OVERRUN);
    g_assert_true(msi_arrived(d));
    dut_set_policies(d, PCM_POLICY_ABORT);
    qtest_clock_step(d->qts, 20000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_OVERRUN | PCM_S_ERROR);
    g_assert_true(msi_arrived(d));
    dut_stop(d);
    player_free(p);
}

/* A read that fetches frames, and finds no memory there, sends one, too. */
static void test_msi_of_read(void)
{
    Dut *d = dut_start("q35 -audiodev none,id=snd", ",audiodev=snd");

    msi_enable(d, MSI_MAILBOX, 0x4321);
    dut_set_policies(d, PCM_POLICY_RECORD);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_VIOLATION);
    start_silence(d, 0);
    dut_write(d, S0(CTL), 0);
    dut_write64(d, S0(BUFFER), 1ull << 40);
    dut_write(d, S0(CTL), PCM_S_RUN);
    qtest_clock_step(d->qts, 1000000);
    g_assert_false(msi_arrived(d));
    g_assert_cmpuint(dut_read(d, S0(POSITION)), ==, 48);
    g_assert_true(msi_arrived(d));
    dut_stop(d);
}

/* --- Messages that strike back ------------------------------------------ */

#define ECAM            0xb0000000u
#define HOST_PCIEXBAR   0x60            /* of the q35 host bridge */
#define SLOT_POWER_OFF  (PCI_EXP_SLTCTL_PCC | PCI_EXP_SLTCTL_PWR_IND_OFF)

static void enable_ecam(Dut *d)
{
    QPCIDevice *host = qpci_device_find(d->bus, 0);

    qpci_config_writel(host, HOST_PCIEXBAR + 4, 0);
    qpci_config_writel(host, HOST_PCIEXBAR, ECAM | 1);
    g_free(host);
}

/* What a stream does that sends a message. */
typedef struct EventCase {
    const char *name;
    uint64_t buffer;
    uint32_t period;
    uint64_t end;
    uint32_t enable;            /* of S_STATUS */
} EventCase;

/* The first buffer is no RAM. */
static const EventCase event_cases[] = {
    { "violation", 0x10000000, 0, 0, 0 },
    { "period", RING, 48, 0, PCM_S_PERIOD },
    { "drained", RING, 0, 100, PCM_S_DRAINED },
};

static void start_event(Dut *d, const EventCase *c)
{
    dut_set_policies(d, PCM_POLICY_RECORD);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_VIOLATION | PCM_INT_STREAM(0));
    dut_write(d, S0(INT_ENABLE), c->enable);
    dut_write(d, S0(FORMAT), PCM_S_S16 | PCM_S_CHANNELS(2));
    dut_write(d, S0(RATE), 48000);
    dut_write64(d, S0(BUFFER), c->buffer);
    dut_write(d, S0(LENGTH), 4096);
    dut_write(d, S0(PERIOD_FRAMES), c->period);
    dut_write64(d, S0(END), c->end);
    dut_write(d, S0(CTL), PCM_S_RUN);
}

/* A message to the own config space resets the function. */
static void test_msi_resets(const void *data)
{
    Dut *d = dut_start("q35 -audiodev none,id=snd", ",audiodev=snd");
    uint8_t cap = qpci_find_capability(d->dev, PCI_CAP_ID_EXP, 0);

    enable_ecam(d);
    start_event(d, data);
    msi_enable(d, ECAM + (QPCI_DEVFN(4, 0) << 12) + cap + PCI_EXP_DEVCTL,
               PCI_EXP_DEVCTL_BCR_FLR);
    qtest_clock_step(d->qts, 300000000);
    g_assert_cmphex(qpci_config_readw(d->dev, PCI_COMMAND), ==, 0);
    qpci_device_enable(d->dev);
    qpci_config_writel(d->dev, PCI_BASE_ADDRESS_0, d->bar.addr);
    expect_clean(d);
    dut_stop(d);
}

/* Returns: the device behind a root port that the guest can switch off. */
static Dut *start_behind_port(const char *audiodev, QPCIDevice **port)
{
    g_autofree char *all = g_strdup_printf(
        "q35 -audiodev %s,id=snd"
        " -global ICH9-LPC.acpi-pci-hotplug-with-bridge-support=off"
        " -device pcie-root-port,id=rp,bus=pcie.0,addr=5.0,chassis=1,slot=1"
        " -device pcmaster,bus=rp,audiodev=snd", audiodev);
    Dut *d = dut_launch(all);

    *port = configure_port(d, 0, QPCI_DEVFN(5, 0));
    return d;
}

static void expect_unplugged(Dut *d)
{
    g_assert_cmphex(qpci_config_readl(d->dev, PCI_VENDOR_ID), ==, ~0u);
    qtest_clock_step(d->qts, 300000000);
}

/* A message to the root port unplugs the device that sends it. */
static void test_msi_unplugs(const void *data)
{
    for (unsigned mapped = 0; mapped < 2; mapped++) {
        QPCIDevice *port;
        Dut *d = start_behind_port("none", &port);
        uint8_t cap = qpci_find_capability(port, PCI_CAP_ID_EXP, 0);

        enable_ecam(d);
        start_event(d, data);
        msi_enable(d, ECAM + (QPCI_DEVFN(5, 0) << 12) + cap + PCI_EXP_SLTCTL,
                   SLOT_POWER_OFF);
        if (!mapped) {
            qpci_config_writew(d->dev, PCI_COMMAND, PCI_COMMAND_MASTER);
        }
        qtest_clock_step(d->qts, 300000000);
        expect_unplugged(d);
        g_free(port);
        dut_stop(d);
    }
}

/* Unplugged while a stream plays and a command is under way. */
static void test_unplug(void)
{
    QPCIDevice *port;
    Dut *d = start_behind_port("none", &port);
    uint8_t cap = qpci_find_capability(port, PCI_CAP_ID_EXP, 0);

    start_event(d, &event_cases[1]);
    qtest_clock_step(d->qts, 20000000);
    dut_command(d, PCM_EX_CHECKSUM, 0x200000, 4 * MiB, 0);
    qpci_config_writew(port, cap + PCI_EXP_SLTCTL, SLOT_POWER_OFF);
    expect_unplugged(d);
    g_free(port);
    dut_stop(d);
}

/* Messages to the device's own CTRL must not reset it under its feet. */
static void test_msi_to_itself(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    msi_enable(d, d->bar.addr + PCM_CTRL, PCM_CTRL_RESET);
    set_window(d, 0, RING, RING + 4 * 3000 - 1, PCM_W_ENABLE | PCM_W_READ);
    dut_write(d, PCM_INT_ENABLE, PCM_INT_VIOLATION | PCM_INT_EXERCISER |
                                 PCM_INT_STREAM(0));
    dut_write(d, S0(INT_ENABLE), 0xf);
    player_start(p, 48000, 4096, 100, 0);
    qtest_clock_step(d->qts, 50000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==,
                    PCM_S_RUNNING | PCM_S_PERIOD);
    qtest_clock_step(d->qts, 50000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, PCM_S_ERROR | PCM_S_PERIOD);
    g_assert_cmpuint(dut_read(d, PCM_LOG_COUNT), ==, 1);
    dut_write64(d, PCM_WINDOW(0) + PCM_W_FIRST, 0);
    dut_write64(d, PCM_WINDOW(0) + PCM_W_LAST, ONES);
    dut_command(d, PCM_EX_CHECKSUM, 0x200000, 3 * MiB, 0);
    qtest_clock_step(d->qts, 50000000);
    dut_expect_result(d, PCM_EX_OK, 3 * MiB);
    dut_stop(d);
    player_free(p);
}

/* Values at the edges of what registers hold: nothing hangs or breaks. */
static void test_extremes(void)
{
    Player *p = player_new(48000, "q35");
    Dut *d = p->d;

    dut_set_policies(d, PCM_POLICY_RECORD);
    dut_write(d, S0(FORMAT), PCM_S_U8 | PCM_S_CHANNELS(1));
    dut_write(d, S0(RATE), 192000);
    dut_write64(d, S0(BUFFER), ONES - 0xffff0000);
    dut_write(d, S0(LENGTH), ~0u);
    dut_write(d, S0(PERIOD_FRAMES), 1);
    dut_write64(d, S0(END), ONES);
    dut_write(d, S0(INT_ENABLE), 0xf);
    dut_write(d, S0(CTL), PCM_S_RUN);
    qtest_clock_step(d->qts, 500000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)) & PCM_S_RUNNING, !=, 0);
    g_assert_cmpuint(dut_read64(d, S0(POSITION)), ==, 96000);
    g_assert_cmpuint(dut_read(d, PCM_LOG_COUNT), ==, 256);
    g_assert_cmpuint(dut_read(d, PCM_LOG_LOST), <, 20000);
    dut_write(d, S0(CTL), 0);
    dut_write(d, S0(LENGTH), 1);
    dut_write(d, S0(PERIOD_FRAMES), ~0u);
    dut_write(d, S0(CTL), PCM_S_RUN);
    qtest_clock_step(d->qts, 500000000);
    dut_write64(d, S0(END), 1);
    qtest_clock_step(d->qts, 500000000);
    g_assert_true(dut_read(d, S0(STATUS)) & PCM_S_DRAINED);
    dut_write(d, S0(CTL), PCM_S_RUN);
    dut_write(d, PCM_CTRL, PCM_CTRL_RESET);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, 0);
    qtest_clock_step(d->qts, 500000000);
    g_assert_cmphex(dut_read(d, S0(STATUS)), ==, 0);
    dut_stop(d);
    player_free(p);
}

/* --- All of them -------------------------------------------------------- */

static const struct {
    const char *path;
    void (*run)(void);
} tests[] = {
    { "/pcmaster/registers", test_registers },
    { "/pcmaster/access-sizes", test_access_sizes },
    { "/pcmaster/reports", test_reports },
    { "/pcmaster/properties", test_properties },
    { "/pcmaster/policy/abort-wins", test_abort_wins },
    { "/pcmaster/policy/one-record", test_one_record_for_each_command },
    { "/pcmaster/window/table", test_windows },
    { "/pcmaster/window/policies", test_window_policies },
    { "/pcmaster/node/backends", test_nodes },
    { "/pcmaster/node/machine-ram", test_nodes_of_machine_ram },
    { "/pcmaster/node/device", test_node_of_device },
    { "/pcmaster/node/wrapped-bytes", test_node_of_wrapped_bytes },
    { "/pcmaster/node/no-numa", test_machine_without_numa },
    { "/pcmaster/target/kinds", test_target },
    { "/pcmaster/target/policies", test_target_policies },
    { "/pcmaster/target/after-wrap", test_target_after_wrap },
    { "/pcmaster/target/over-the-top", test_record_over_the_top },
    { "/pcmaster/target/iommu", test_target_iommu },
    { "/pcmaster/target/check-in-slices", test_check_in_slices },
    { "/pcmaster/log/queue", test_log },
    { "/pcmaster/log/clear", test_log_clear },
    { "/pcmaster/log/property", test_log_property },
    { "/pcmaster/exerciser/lengths", test_exerciser_lengths },
    { "/pcmaster/exerciser/checksum", test_exerciser_checksum },
    { "/pcmaster/exerciser/mismatch", test_exerciser_mismatch },
    { "/pcmaster/exerciser/slices", test_exerciser_slices },
    { "/pcmaster/exerciser/pieces", test_exerciser_pieces },
    { "/pcmaster/exerciser/bad-commands", test_exerciser_bad_commands },
    { "/pcmaster/exerciser/longest", test_exerciser_longest },
    { "/pcmaster/pci/bus-master-off", test_bus_master_off },
    { "/pcmaster/pci/intx", test_intx },
    { "/pcmaster/pci/msi", test_msi },
    { "/pcmaster/pci/msi-switched", test_msi_switched },
    { "/pcmaster/pci/msi-without-bus-master", test_msi_without_bus_master },
    { "/pcmaster/pci/reset", test_reset },
    { "/pcmaster/pci/flr", test_flr },
    { "/pcmaster/pci/conventional", test_conventional_pci },
    { "/pcmaster/pci/unplug", test_unplug },
    { "/pcmaster/migration/command", test_migration },
    { "/pcmaster/migration/over-the-top", test_migration_over_the_top },
    { "/pcmaster/migration/playing", test_migration_while_playing },
    { "/pcmaster/stream/position", test_position },
    { "/pcmaster/stream/position-latch", test_position_latch },
    { "/pcmaster/stream/position-high", test_position_high },
    { "/pcmaster/stream/fetched-before-seen", test_fetched_before_seen },
    { "/pcmaster/stream/end", test_end },
    { "/pcmaster/stream/drained-in-company", test_drained_in_company },
    { "/pcmaster/stream/end-while-running", test_end_while_running },
    { "/pcmaster/stream/end-in-halves", test_end_in_halves },
    { "/pcmaster/stream/stop", test_stop },
    { "/pcmaster/stream/play-again", test_play_again },
    { "/pcmaster/stream/play-again-at-another-rate",
      test_play_again_at_another_rate },
    { "/pcmaster/stream/refused", test_refused },
    { "/pcmaster/stream/refused-draining", test_refused_while_draining },
    { "/pcmaster/stream/no-back-end", test_no_back_end },
    { "/pcmaster/stream/last-of-eight", test_last_stream },
    { "/pcmaster/stream/refused-dma", test_refused_dma },
    { "/pcmaster/stream/boundary", test_stream_boundary },
    { "/pcmaster/stream/bus-master-lost", test_bus_master_lost },
    { "/pcmaster/stream/overrun", test_overrun },
    { "/pcmaster/stream/effort", test_effort },
    { "/pcmaster/stream/msi", test_msi_of_stream },
    { "/pcmaster/stream/msi-of-read", test_msi_of_read },
    { "/pcmaster/stream/msi-to-itself", test_msi_to_itself },
    { "/pcmaster/stream/extremes", test_extremes },
};

static void add_case(const char *group, const char *name, const void *data,
                     void (*run)(const void *))
{
    g_autofree char *path = g_strdup_printf("/pcmaster/%s/%s", group, name);

    qtest_add_data_func(path, data, run);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(tests); i++) {
        qtest_add_func(tests[i].path, tests[i].run);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(rule_cases); i++) {
        add_case("rule", rule_cases[i].name, &rule_cases[i], test_rule);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(policy_cases); i++) {
        add_case("policy", policy_cases[i].name, &policy_cases[i],
                 test_policy);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(play_cases); i++) {
        add_case("play", play_cases[i].name, &play_cases[i], test_play);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(format_cases); i++) {
        add_case("format", format_cases[i].name, &format_cases[i],
                 test_format);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(event_cases); i++) {
        add_case("msi-resets", event_cases[i].name, &event_cases[i],
                 test_msi_resets);
        add_case("msi-unplugs", event_cases[i].name, &event_cases[i],
                 test_msi_unplugs);
    }
    return g_test_run();
}
