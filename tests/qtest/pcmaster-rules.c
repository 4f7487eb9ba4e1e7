/*
 * pcmaster qtests: the rules, and what the policies make of a broken one
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "pcmaster-model.h"
#include "pcmaster-test.h"

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

    dut_set_window(d, 5, 0x320000, 0x320fff, PCM_W_READ | PCM_W_WRITE);
    dut_exercise(d, PCM_EX_FILL, 0x500000, 16, 1, PCM_EX_OK, 16);
    dut_set_window(d, 0, 0x200000, 0x2fffff, both);
    dut_set_window(d, 1, 0x300000, 0x300fff, both);
    dut_set_window(d, 2, 0x310000, 0x310fff, PCM_W_ENABLE | PCM_W_WRITE);
    dut_set_window(d, 3, 0x311000, 0x311fff, PCM_W_ENABLE | PCM_W_READ);
    dut_set_window(d, 63, 0x280000, 0x3007ff, both);
    dut_set_window(d, 6, 0x330fff, 0x330000, both);
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
        dut_set_window(d, 0, 0x200000, 0x200fff,
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

void pcm_add_rule_tests(void)
{
    qtest_add_func("/pcmaster/policy/abort-wins", test_abort_wins);
    qtest_add_func("/pcmaster/policy/one-record",
                   test_one_record_for_each_command);
    qtest_add_func("/pcmaster/window/table", test_windows);
    qtest_add_func("/pcmaster/window/policies", test_window_policies);
    for (unsigned i = 0; i < ARRAY_SIZE(rule_cases); i++) {
        pcm_add_case("rule", rule_cases[i].name, &rule_cases[i], test_rule);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(policy_cases); i++) {
        pcm_add_case("policy", policy_cases[i].name, &policy_cases[i],
                     test_policy);
    }
}
