/*
 * pcmaster qtests: the rules, and what the policies make of a broken one
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "pcmaster-model.h"
#include "pcmaster-player.h"
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
    DutRecord record[3];        /* of those, in the order of the rules */
    uint32_t align;             /* 0: what the register has */
    uint32_t grain;
    uint32_t burst;
} RuleCase;

#define R(rule_, expected_, actual_, fault_) \
    { .rule = PCM_RULE_##rule_, .expected = expected_, .actual = actual_, \
      .fault = fault_ }
#define LIMIT       (1u << PCM_RULE_LIMIT)
#define BOUNDARY    (1u << PCM_RULE_BOUNDARY)
#define ALIGN       (1u << PCM_RULE_ALIGN)
#define GRAIN       (1u << PCM_RULE_GRAIN)
#define BURST       (1u << PCM_RULE_BURST)

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

    { "align/aligned", 64, ONES, ONES, 0x200040, 3, 0, .align = 64 },
    { "align/one-above", 64, ONES, ONES, 0x200041, 3, ALIGN,
      { R(ALIGN, 64, 1, 0x200041) }, .align = 64 },
    { "align/one-below", 64, ONES, ONES, 0x20003f, 3, ALIGN,
      { R(ALIGN, 64, 63, 0x20003f) }, .align = 64 },
    { "align/bytes", 64, ONES, ONES, 0x20003f, 3, 0, .align = 1 },
    { "align/most", 64, ONES, ONES, 0x218000, 1, ALIGN,
      { R(ALIGN, 0x10000, 0x8000, 0x218000) }, .align = 0x10000 },
    { "align/top-byte", 64, ONES, ONES, ONES, 1, ALIGN,
      { R(ALIGN, 0x10000, 0xffff, ONES) }, .align = 0x10000 },
    { "grain/whole", 64, ONES, ONES, 0x200001, 0x40, 0, .grain = 16 },
    { "grain/one-more", 64, ONES, ONES, 0x200001, 0x41, GRAIN,
      { R(GRAIN, 16, 1, 0x200041) }, .grain = 16 },
    { "grain/one-less", 64, ONES, ONES, 0x200001, 0x3f, GRAIN,
      { R(GRAIN, 16, 15, 0x200031) }, .grain = 16 },
    { "grain/less-than-one", 64, ONES, ONES, 0x200001, 3, GRAIN,
      { R(GRAIN, 16, 3, 0x200001) }, .grain = 16 },
    { "grain/top", 64, ONES, ONES, ONES - 16, 17, GRAIN,
      { R(GRAIN, 16, 1, ONES) }, .grain = 16 },
    { "grain/longest", 64, ONES, ONES, 0x200000, 0xffffffff, GRAIN,
      { R(GRAIN, 0x10000, 0xffff, 0x1001f0000) }, .grain = 0x10000 },
    { "burst/longest", 64, ONES, ONES, 0x200000, 0x1000, 0, .burst = 0x1000 },
    { "burst/one-more", 64, ONES, ONES, 0x200000, 0x1001, BURST,
      { R(BURST, 0x1000, 0x1001, 0x201000) }, .burst = 0x1000 },
    { "burst/least", 64, ONES, ONES, 0x200007, 17, BURST,
      { R(BURST, 16, 17, 0x200017) }, .burst = 16 },
    { "burst/most", 64, ONES, ONES, 0x200000, 0xffffffff, BURST,
      { R(BURST, 0x80000000, 0xffffffff, 0x80200000) },
      .burst = 0x80000000 },
    { "burst/over-the-top", 64, ONES, ONES, ONES - 15, 18, LIMIT | BURST,
      { R(LIMIT, ONES, 1, 0), R(BURST, 16, 18, 0) }, .burst = 16 },
    { "buffer", 64, ONES, ONES, 0x200003, 0x25, ALIGN | GRAIN | BURST,
      { R(ALIGN, 4, 3, 0x200003), R(GRAIN, 8, 5, 0x200023),
        R(BURST, 32, 0x25, 0x200023) }, .align = 4, .grain = 8,
      .burst = 32 },
};

/* What buffers must be like; 0 leaves the register as it is. */
static void demand(Dut *d, uint32_t align, uint32_t grain, uint32_t burst)
{
    if (align) {
        dut_write(d, PCM_ALIGN, align);
    }
    if (grain) {
        dut_write(d, PCM_GRAIN, grain);
    }
    if (burst) {
        dut_write(d, PCM_BURST, burst);
    }
}

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

/* Those of the rules from @first to before @end, which all abort. */
static void expect_records(Dut *d, const RuleCase *c, unsigned first,
                           unsigned end)
{
    for (unsigned i = 0; i < ctpop32(c->broken); i++) {
        DutRecord r = c->record[i];

        if (r.rule >= first && r.rule < end) {
            r.requester = EX;
            r.write = true;
            r.policy = PCM_POLICY_ABORT;
            r.address = c->address;
            r.length = c->length;
            r.landed = PCM_LANDED_NOWHERE;
            dut_expect_record(d, &r);
        }
    }
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
    demand(d, c->align, c->grain, c->burst);
    dut_exercise(d, PCM_EX_FILL, c->address, c->length, 1,
                 bad ? PCM_EX_VIOLATION : PCM_EX_OK, bad ? 0 : c->length);
    expect_records(d, c, 0, PCM_RULE_TARGET);
    expect_target_record(d, c, PCM_POLICY_ABORT);
    expect_records(d, c, PCM_RULE_TARGET, PCM_RULE_COUNT);
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
    uint32_t align;             /* 0: what the register has */
    uint32_t grain;
    uint32_t burst;
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
    { "align", 64, ONES, ONES, 0x2000a5, 0x123, ALIGN, .align = 64 },
    { "align-page", 64, ONES, ONES, 0x200fff, 0x1001, ALIGN,
      .align = 0x1000 },
    { "grain", 64, ONES, ONES, 0x2000a5, 0x12f, GRAIN, .grain = 16 },
    { "grain-none-whole", 64, ONES, ONES, 0x2000a5, 15, GRAIN,
      .grain = 16 },
    { "burst", 64, ONES, ONES, 0x200ff5, 0x123, BURST, .burst = 0x100 },
    { "burst-multiple", 64, ONES, ONES, 0x200ff5, 0x300, BURST,
      .burst = 0x100 },
    { "burst-many", 64, ONES, ONES, 0x200ff5, 0xfff, BURST, .burst = 16 },
    { "grain-burst", 64, ONES, ONES, 0x200ff5, 0x127, GRAIN | BURST,
      .grain = 16, .burst = 0x100 },
    { "grain-burst-multiple", 64, ONES, ONES, 0x200ff5, 0x10f,
      GRAIN | BURST, .grain = 16, .burst = 0x80 },
    { "grain-above-burst", 64, ONES, ONES, 0x200ff5, 0x7f, GRAIN | BURST,
      .grain = 0x100, .burst = 0x40 },
    { "align-boundary", 64, ONES, 0xffff, 0x20ff85, 0x300, ALIGN | BOUNDARY,
      .align = 128 },
    { "align-hides-boundary", 64, ONES, 0xffff, 0x20fff5, 0x10,
      ALIGN | BOUNDARY, .align = 128 },
    { "align-limit", 24, ONES, ONES, 0xffff85, 0x300, ALIGN | LIMIT,
      .align = 128 },
    { "all", 24, ONES, 0xffff, 0x100ff85, 0x317,
      LIMIT | BOUNDARY | ALIGN | GRAIN | BURST, .align = 128, .grain = 8,
      .burst = 0x200 },
};

/* Is byte @i of the buffer within what the card's counter counts? */
static bool policy_counts(const PolicyCase *c, uint32_t i)
{
    uint32_t count = c->length;

    if (c->broken & GRAIN) {
        while (count % c->grain) {
            count--;
        }
    }
    if (c->broken & BURST) {
        while (count > c->burst) {
            count -= c->burst;
        }
    }
    return i < count;
}

/* Where the specification sends byte @i; all ones: nowhere. */
static uint64_t policy_route(const PolicyCase *c, unsigned policy, uint32_t i)
{
    uint64_t last = MIN(c->limit, c->addr_bits == 64 ? ONES :
                                  (1ull << c->addr_bits) - 1);
    uint64_t anchor = c->address;
    uint64_t size = 1, address;

    if (policy == PCM_POLICY_ABORT) {
        return PCM_LANDED_NOWHERE;
    }
    if (policy == PCM_POLICY_RECORD) {
        return c->address + i;
    }
    if (!policy_counts(c, i)) {
        return PCM_LANDED_NOWHERE;
    }
    while ((c->broken & ALIGN) && anchor % c->align) {
        anchor--;
    }
    address = anchor + i;
    if (c->broken & BOUNDARY) {
        address = (anchor & ~c->boundary) | (address & c->boundary);
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
                        policy_route(c, policy, fault - c->address));
        dut_write(d, PCM_LOG_CTRL, PCM_LOG_POP);
    }
}

/* What VERIFY must say of the bytes that FILL before it transferred. */
static void check_verify(Dut *d, const PolicyCase *c, unsigned policy,
                         uint32_t moved)
{
    uint32_t missing = 0;
    unsigned result = policy == PCM_POLICY_ABORT ? PCM_EX_VIOLATION :
                                                   PCM_EX_OK;

    for (uint32_t i = 0; i < c->length; i++) {
        missing += policy_route(c, policy, i) == PCM_LANDED_NOWHERE &&
                   dut_pattern(7, i) != 0xff;
    }
    if (policy != PCM_POLICY_ABORT && missing) {
        result = PCM_EX_MISMATCH;
    }
    dut_exercise(d, PCM_EX_VERIFY, c->address, c->length, 7, result, moved);
    if (policy != PCM_POLICY_ABORT) {
        g_assert_cmpuint(dut_read(d, PCM_EX_MISMATCHES), ==, missing);
    }
}

/* FILL reaches exactly the bytes it must; VERIFY finds them there again. */
static void check_policy(const PolicyCase *c, unsigned policy)
{
    Dut *d = dut_start("q35", "");
    Model m = model_new(d);
    uint32_t moved = 0;

    for (uint32_t i = 0; i < c->length; i++) {
        uint64_t landed = policy_route(c, policy, i);

        model_page(&m, c->address + i);
        if (landed != PCM_LANDED_NOWHERE) {
            model_page(&m, landed)[landed % 4096] = dut_pattern(7, i);
            moved++;
        }
    }
    dut_write(d, PCM_ADDR_BITS, c->addr_bits);
    dut_write64(d, PCM_LIMIT, c->limit);
    dut_write64(d, PCM_BOUNDARY, c->boundary);
    demand(d, c->align, c->grain, c->burst);
    dut_set_policies(d, policy);
    dut_exercise(d, PCM_EX_FILL, c->address, c->length, 7,
                 policy == PCM_POLICY_ABORT ? PCM_EX_VIOLATION : PCM_EX_OK,
                 moved);
    policy_landed(d, c, policy);
    model_check(&m);
    if (policy != PCM_POLICY_WRAP || !c->overlaps) {
        check_verify(d, c, policy, moved);
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

/* --- Rings -------------------------------------------------------------- */

#define ODD_RING        0x200010

/* Plays a ring of 48 frames, 1 ms of them. */
static void play_ring(Dut *d, uint64_t address)
{
    dut_write(d, S0(FORMAT), PCM_S_S16 | PCM_S_CHANNELS(2));
    dut_write(d, S0(RATE), 48000);
    dut_write64(d, S0(BUFFER), address);
    dut_write(d, S0(LENGTH), 0xc0);
    dut_write(d, S0(CTL), PCM_S_RUN);
}

static Dut *play_odd_ring(uint32_t align, uint32_t grain, uint32_t burst,
                          unsigned policy)
{
    Dut *d = dut_start("q35 -audiodev none,id=snd", ",audiodev=snd");

    demand(d, align, grain, burst);
    dut_set_policies(d, policy);
    play_ring(d, ODD_RING);
    return d;
}

/* A ring is judged as a whole, once in each lap. */
static void test_ring_rules(void)
{
    Dut *d = play_odd_ring(32, 128, 16, PCM_POLICY_RECORD);

    for (unsigned lap = 0; lap < 3; lap++) {
        qtest_clock_step(d->qts, 500000);
        dut_read(d, S0(POSITION));
        dut_expect_record(d, &(DutRecord) {
            PCM_RULE_ALIGN, 0, false, PCM_POLICY_RECORD, ODD_RING, 0xc0,
            32, 16, ODD_RING, ODD_RING });
        dut_expect_record(d, &(DutRecord) {
            PCM_RULE_GRAIN, 0, false, PCM_POLICY_RECORD, ODD_RING, 0xc0,
            128, 64, ODD_RING + 128, ODD_RING + 128 });
        dut_expect_record(d, &(DutRecord) {
            PCM_RULE_BURST, 0, false, PCM_POLICY_RECORD, ODD_RING, 0xc0,
            16, 0xc0, ODD_RING + 16, ODD_RING + 16 });
        dut_expect_no_record(d);
        qtest_clock_step(d->qts, 500000);
        dut_read(d, S0(POSITION));
        dut_expect_no_record(d);
    }
    dut_stop(d);
}

/* A piece that crosses no boundary is in another page than its ring. */
static void test_ring_boundary(void)
{
    static const struct {
        unsigned policy;
        uint64_t landed;
    } list[] = {
        { PCM_POLICY_WRAP, 0x200000 },
        { PCM_POLICY_RECORD, 0x210000 },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
        Dut *d = dut_start("q35 -audiodev none,id=snd", ",audiodev=snd");

        dut_write64(d, PCM_BOUNDARY, 0xffff);
        dut_set_policies(d, list[i].policy);
        play_ring(d, 0x20ffa0);
        qtest_clock_step(d->qts, 500000);
        g_assert_cmpuint(dut_read(d, S0(POSITION)), ==, 24);
        dut_expect_no_record(d);
        qtest_clock_step(d->qts, 500000);
        g_assert_cmpuint(dut_read(d, S0(POSITION)), ==, 48);
        dut_expect_record(d, &(DutRecord) {
            PCM_RULE_BOUNDARY, 0, false, list[i].policy, 0x210000, 0x60,
            0xffff, 0x1ffff, 0x210000, list[i].landed });
        dut_expect_no_record(d);
        dut_stop(d);
    }
}

/* A ring that a rule about buffers aborts is not played. */
static void test_ring_abort(void)
{
    static const struct {
        uint32_t align, grain, burst;
        unsigned rule;
    } list[] = {
        { 32, 0, 0, PCM_RULE_ALIGN },
        { 0, 128, 0, PCM_RULE_GRAIN },
        { 0, 0, 128, PCM_RULE_BURST },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(list); i++) {
        Dut *d = play_odd_ring(list[i].align, list[i].grain, list[i].burst,
                               PCM_POLICY_ABORT);

        qtest_clock_step(d->qts, 500000);
        g_assert_cmphex(dut_read64(d, S0(POSITION)), ==, 0);
        g_assert_cmpuint(dut_read(d, S0(CAUSE)), ==,
                         PCM_S_CAUSE_DMA);
        g_assert_cmpuint(PCM_LOG_RULE(dut_read(d, PCM_LOG_INFO)), ==,
                         list[i].rule);
        g_assert_cmpuint(dut_read(d, PCM_LOG_COUNT), ==, 1);
        dut_stop(d);
    }
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

/* A window that was of use is no more when it is closed, moved or turned. */
static void test_window_changes(void)
{
    const uint32_t both = PCM_W_ENABLE | PCM_W_READ | PCM_W_WRITE;
    const struct {
        uint64_t first, last;
        uint32_t ctrl;
        uint64_t actual;
    } changes[] = {
        { 0x300000, 0x300fff, PCM_W_READ | PCM_W_WRITE, ONES },
        { 0x300000, 0x300fff, PCM_W_ENABLE | PCM_W_READ, 40 },
        { 0x400000, 0x400fff, both, ONES },
        { 0x301000, 0x300fff, both, ONES },
    };
    Dut *d = dut_start("q35", "");

    dut_set_window(d, 7, 0x200000, 0x200fff, both);
    for (unsigned i = 0; i < ARRAY_SIZE(changes); i++) {
        dut_set_window(d, 40, 0x300000, 0x300fff, both);
        dut_exercise(d, PCM_EX_FILL, 0x300000, 16, 1, PCM_EX_OK, 16);
        dut_set_window(d, 40, changes[i].first, changes[i].last,
                       changes[i].ctrl);
        dut_exercise(d, PCM_EX_FILL, 0x300000, 16, 1, PCM_EX_VIOLATION, 0);
        dut_expect_record(d, &(DutRecord) {
            PCM_RULE_WINDOW, EX, true, PCM_POLICY_ABORT, 0x300000, 16,
            0x200fff, changes[i].actual, 0x300000, PCM_LANDED_NOWHERE });
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
    qtest_add_func("/pcmaster/rule/ring", test_ring_rules);
    qtest_add_func("/pcmaster/rule/ring-boundary", test_ring_boundary);
    qtest_add_func("/pcmaster/rule/ring-abort", test_ring_abort);
    qtest_add_func("/pcmaster/window/table", test_windows);
    qtest_add_func("/pcmaster/window/changes", test_window_changes);
    qtest_add_func("/pcmaster/window/policies", test_window_policies);
    for (unsigned i = 0; i < ARRAY_SIZE(rule_cases); i++) {
        pcm_add_case("rule", rule_cases[i].name, &rule_cases[i], test_rule);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(policy_cases); i++) {
        pcm_add_case("policy", policy_cases[i].name, &policy_cases[i],
                     test_policy);
    }
}
