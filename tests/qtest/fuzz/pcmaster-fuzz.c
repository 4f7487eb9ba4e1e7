/*
 * pcmaster: a fuzz target that knows the register map
 *
 * An input is a list of steps of eight bytes.  A step is a driver's act, or a
 * mischievous one: a register written, a command for the exerciser, a stream
 * started, a list of fragments, a vector of MSI-X, a fault injected, bits of
 * config space, a reset, a while that passes.  Addresses are drawn where it
 * hurts: ends of RAM, the device's own registers, config space, the top of
 * the address space.  What must always hold is asserted on the way and at the
 * end, so that the fuzzer finds more than crashes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "hw/pci/pci_regs.h"
#include "hw/qdev-core.h"
#include "tests/qtest/libqtest.h"
#include "fuzz.h"
#include "pcmaster-fuzz-map.h"

#define CONFIG_ADDRESS      0xcf8
#define CONFIG_DATA         0xcfc
#define HOST_PCIEXBAR       0x60            /* of Q35's host bridge */
#define CONFIG_MAPPED       0xb0000000u     /* config space, in memory */
#define DEVICES             2
#define FIRST_SLOT          4
#define FIRST_BAR           0xe0000000u
#define BAR_RANGE           0x00ffffffu     /* a guest may move BARs in it */
#define RAM_BYTES           (16 * MiB)
#define NODE_BYTES          (RAM_BYTES / 2)
#define NODES               2
#define ARENA               (1 * MiB)       /* where most buffers lie */
#define ARENA_BYTES         (64 * KiB)
#define LISTS               (ARENA + ARENA_BYTES)
#define LIST_BYTES          ((PCM_S_FRAGMENTS_MAX + 1) * PCM_FRAGMENT_BYTES)
#define FENCED_BYTES        512
#define STEPS_MAX           96
#define CLOCK_STEP_MAX      (20 * 1000 * 1000)  /* ns */
#define FRAME_BYTES         4               /* of S16 stereo */

typedef struct Step {
    uint8_t act;                /* bit 7: which device */
    uint8_t which;
    uint16_t small;
    uint32_t value;
} QEMU_PACKED Step;

typedef struct Device {
    unsigned slot;
    uint32_t bar;
    uint32_t table;             /* of MSI-X */
    uint8_t power;              /* offsets of the capabilities */
    uint8_t msi;
    uint8_t msix;
    uint8_t express;
    uint32_t *after_reset;      /* of each register of the map */
} Device;

static Device devices[DEVICES];

/* --- Access ------------------------------------------------------------- */

static void config_select(QTestState *s, unsigned slot, uint8_t offset)
{
    qtest_outl(s, CONFIG_ADDRESS, BIT(31) | slot << 11 | (offset & 0xfc));
}

static uint32_t config_read(QTestState *s, const Device *d, uint8_t offset)
{
    config_select(s, d->slot, offset);
    return qtest_inl(s, CONFIG_DATA);
}

static void config_write(QTestState *s, const Device *d, uint8_t offset,
                         uint32_t value)
{
    config_select(s, d->slot, offset);
    qtest_outl(s, CONFIG_DATA, value);
}

static uint32_t get(QTestState *s, const Device *d, uint32_t offset)
{
    return qtest_readl(s, d->bar + offset);
}

static uint64_t get64(QTestState *s, const Device *d, uint32_t offset)
{
    return qtest_readq(s, d->bar + offset);
}

static void put(QTestState *s, const Device *d, uint32_t offset,
                uint32_t value)
{
    qtest_writel(s, d->bar + offset, value);
}

static void put64(QTestState *s, const Device *d, uint32_t offset,
                  uint64_t value)
{
    qtest_writeq(s, d->bar + offset, value);
}

/*
 * Put the registers where we look for them, whatever the input did, and let
 * no message change anything behind our back.
 */
static void settle(QTestState *s, const Device *d)
{
    config_write(s, d, d->power + PCI_PM_CTRL, 0);
    config_write(s, d, d->msi, 0);
    config_write(s, d, d->msix, 0);
    config_write(s, d, PCI_BASE_ADDRESS_0, d->bar);
    config_write(s, d, PCI_BASE_ADDRESS_1, d->table);
    config_write(s, d, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

/* Both of them: one may lie over the other, or send it messages. */
static void settle_all(QTestState *s)
{
    for (unsigned i = 0; i < DEVICES; i++) {
        settle(s, &devices[i]);
    }
}

static bool is_silent(QTestState *s, const Device *d)
{
    return get(s, d, PCM_ID) == UINT32_MAX;
}

/* --- Values that are worth a try ---------------------------------------- */

/* Config space of the device, in memory: what a message may change there. */
static uint64_t config_address(const Device *d, uint32_t value)
{
    const uint8_t places[] = {
        PCI_COMMAND, d->power + PCI_PM_CTRL, d->express + PCI_EXP_DEVCTL,
        d->msi, d->msix, d->msi + PCI_MSI_ADDRESS_LO, PCI_STATUS,
        PCI_INTERRUPT_LINE,
    };

    return CONFIG_MAPPED + (d->slot << 15) +
           (places[value % ARRAY_SIZE(places)] & ~3);
}

static uint64_t address(const Device *d, const Step *step)
{
    uint32_t value = step->value;

    switch (step->which >> 4) {
    case 5:
        return value % RAM_BYTES;
    case 6:
        return d->bar + value % PCM_BAR_SIZE;
    case 7:
        return d->table + value % 4096;
    case 8:
        return devices[d == &devices[0]].bar + value % PCM_BAR_SIZE;
    case 9:
        return RAM_BYTES - value % 4096;
    case 10:
        return NODE_BYTES - value % 4096;
    case 11:
        return 0xa0000 + value % 0x60000;       /* video memory, ROM */
    case 12:
        return (value & 1 ? 4 * GiB : 0) - (uint64_t)(value % 8192);
    case 13:
        return config_address(d, value);
    case 14:
        return 0xfee00000u + value % 8192;      /* local APIC */
    case 15:
        return (uint64_t)value << (step->small % 33);
    default:
        return ARENA + value % ARENA_BYTES;
    }
}

static uint32_t number(const Step *step)
{
    switch (step->which >> 6) {
    case 0:
        return step->value;
    case 1:
        return BIT(step->value % 32);
    case 2:
        return -(step->value % 64);
    default:
        return step->value % 64;
    }
}

/* --- Acts on registers -------------------------------------------------- */

static void act_write(QTestState *s, Device *d, const Step *step)
{
    put(s, d, register_offset(step->small), number(step));
}

static void act_address(QTestState *s, Device *d, const Step *step)
{
    static const uint16_t taking[] = {
        PCM_LIMIT, PCM_BOUNDARY, PCM_EX_ADDR, PCM_EX_SEED,
    };

    put64(s, d, taking[step->small % ARRAY_SIZE(taking)], address(d, step));
}

static void act_access(QTestState *s, Device *d, const Step *step)
{
    uint64_t at = d->bar + step->small % PCM_BAR_SIZE;

    switch (step->which & 7) {
    case 0:
        qtest_readb(s, at);
        break;
    case 1:
        qtest_readw(s, at);
        break;
    case 2:
        qtest_readl(s, at);
        break;
    case 3:
        qtest_readq(s, at);
        break;
    case 4:
        qtest_writeb(s, at, step->value);
        break;
    case 5:
        qtest_writew(s, at, step->value);
        break;
    case 6:
        qtest_writel(s, at, step->value);
        break;
    case 7:
        qtest_writeq(s, at, step->value * 0x100000001ull);
        break;
    }
}

/* Demands on buffers, within the hardware's and beyond. */
static void act_port(QTestState *s, Device *d, const Step *step)
{
    switch (step->which & 7) {
    case 0:
        put(s, d, PCM_ALIGN, BIT(step->value % 18));
        break;
    case 1:
        put(s, d, PCM_GRAIN, BIT(step->value % 18));
        break;
    case 2:
        put(s, d, PCM_BURST, BIT(step->value % 32));
        break;
    case 3:
        put(s, d, PCM_ADDR_BITS, 18 + step->value % 48);
        break;
    case 4:
        put(s, d, PCM_NODE, step->value % (NODES + 2) - 1);
        break;
    case 5:
        put(s, d, PCM_POLICY, (step->value & 3) * 0x15555);
        break;
    default:
        put(s, d, PCM_POLICY, step->value);
        break;
    }
}

static void act_window(QTestState *s, Device *d, const Step *step)
{
    uint32_t base = PCM_WINDOW(step->which % PCM_WINDOW_COUNT);
    uint64_t first = address(d, step);

    put64(s, d, base + PCM_W_FIRST, first);
    put64(s, d, base + PCM_W_LAST, first + (step->small >> 3));
    put(s, d, base + PCM_W_CTRL, step->small & 7);
}

static void act_command(QTestState *s, Device *d, const Step *step)
{
    uint32_t length = step->small;

    if (step->which & 8) {
        length <<= step->small % 6;     /* each byte may be a piece */
    }
    put64(s, d, PCM_EX_ADDR, address(d, step));
    put(s, d, PCM_EX_LENGTH, length);
    put(s, d, PCM_EX_COMMAND, step->which & 7);
}

/* A device that is silent can do no more: that is left to act_write. */
static void act_inject(QTestState *s, Device *d, const Step *step)
{
    uint32_t reg = PCM_INJ_IRQ_DELAY + 4 * (step->small % 10);

    put(s, d, reg, reg == PCM_INJ_IRQ_DELAY ? step->value :
                   reg == PCM_INJ_STUCK ? step->value & 0xffff :
                   step->value % 1024);
}

/* What was logged or counted is no longer of interest. */
static void act_forget(QTestState *s, Device *d, const Step *step)
{
    if (step->which & 1) {
        put(s, d, PCM_ACC_CTRL, step->value);
    } else {
        put(s, d, PCM_LOG_CTRL, step->value);
    }
}

static void act_wait(QTestState *s, Device *d, const Step *step)
{
    uint32_t most = step->which & 1 ? CLOCK_STEP_MAX : CLOCK_STEP_MAX / 100;

    qtest_clock_step(s, 1 + step->value % most);
}

static void act_memory(QTestState *s, Device *d, const Step *step)
{
    uint8_t bytes[1024];

    memset(bytes, step->which, sizeof(bytes));
    qtest_memwrite(s, ARENA + step->small % ARENA_BYTES, bytes,
                   step->value % sizeof(bytes));
}

/* --- Acts on streams ---------------------------------------------------- */

static void start_stream(QTestState *s, Device *d, uint32_t base,
                         uint32_t flags)
{
    put(s, d, base + PCM_S_INT_ENABLE, UINT32_MAX);
    put(s, d, base + PCM_S_CTL, PCM_S_RUN | flags);
}

static void act_stream(QTestState *s, Device *d, const Step *step)
{
    static const uint32_t rates[] = { 4000, 48000, 96000, 192000 };
    uint32_t base = PCM_STREAM(step->which % PCM_STREAM_COUNT);
    uint32_t format = (step->small & 7) |
                      PCM_S_CHANNELS(1 + (step->small >> 3) % 2);

    put(s, d, base + PCM_S_FORMAT, format);
    put(s, d, base + PCM_S_RATE,
        rates[(step->small >> 4) % ARRAY_SIZE(rates)]);
    put64(s, d, base + PCM_S_BUFFER, address(d, step));
    put(s, d, base + PCM_S_LENGTH, 8u << (step->small >> 6) % 16);
    put(s, d, base + PCM_S_FRAGMENTS, 0);
    put(s, d, base + PCM_S_PERIOD_FRAMES, step->small >> 10);
    put64(s, d, base + PCM_S_END, (step->value >> 16) % 4096);
    start_stream(s, d, base, step->value >> 28);
}

/* What a stream can be told besides; @small may be too much. */
static void act_detail(QTestState *s, Device *d, const Step *step)
{
    uint32_t base = PCM_STREAM(step->which % PCM_STREAM_COUNT);

    switch (step->small % 10) {
    case 0:
        put64(s, d, base + PCM_S_WRITEBACK, address(d, step) & ~7ull);
        break;
    case 1:
        put64(s, d, base + PCM_S_WRITEBACK, address(d, step));
        break;
    case 2:
        put64(s, d, base + PCM_S_READY, step->value % 8192);
        break;
    case 3:
        put64(s, d, base + PCM_S_READY, -(uint64_t)(step->value % 4));
        break;
    case 4:
        put(s, d, base + PCM_S_VOLUME, step->value);
        break;
    case 5:
        put(s, d, base + PCM_S_VECTOR, step->value % 20);
        break;
    case 6:
        put(s, d, base + PCM_S_SLACK, step->value);
        break;
    case 7:
        put(s, d, base + PCM_S_CTL, step->value);
        break;
    case 8:
        put64(s, d, base + PCM_S_READY_AT, address(d, step) & ~7ull);
        break;
    case 9:
        put64(s, d, base + PCM_S_READY_AT, address(d, step));
        break;
    }
}

/*
 * A list of fragments: valid, if @hostile is 0.
 * Returns: the sum of their lengths
 */
static uint32_t write_list(QTestState *s, const Device *d, const Step *step,
                           unsigned count, unsigned hostile)
{
    uint8_t list[LIST_BYTES] = { };
    Step entry = *step;
    uint32_t sum = 0;

    for (unsigned i = 0; i < count; i++) {
        uint8_t *to = list + i * PCM_FRAGMENT_BYTES;
        uint32_t length = FRAME_BYTES * (1 + entry.value % 300);

        if (hostile && i == step->value % count) {
            length = hostile == 1 ? 0 : length + hostile;
            stl_le_p(to + PCM_FRAGMENT_RESERVED, hostile >> 1 & 1);
        }
        stq_le_p(to + PCM_FRAGMENT_ADDR, address(d, &entry));
        stl_le_p(to + PCM_FRAGMENT_LENGTH, length);
        sum += length;
        entry.value = entry.value * 1664525 + 1013904223;
    }
    qtest_memwrite(s, LISTS, list, count * PCM_FRAGMENT_BYTES);
    return sum;
}

static void act_list(QTestState *s, Device *d, const Step *step)
{
    uint32_t base = PCM_STREAM(step->which % PCM_STREAM_COUNT);
    unsigned hostile = step->small >> 13;
    unsigned count = step->small & BIT(12) ? PCM_S_FRAGMENTS_MAX + 1 -
                                             step->small % 2 :
                                             1 + step->small % 8;
    uint32_t sum = write_list(s, d, step, count, hostile);

    put(s, d, base + PCM_S_FORMAT, PCM_S_S16 | PCM_S_CHANNELS(2));
    put(s, d, base + PCM_S_RATE, PCM_S_RATE_MAX);
    put64(s, d, base + PCM_S_BUFFER, LISTS);
    put(s, d, base + PCM_S_LENGTH, hostile == 7 ? sum + FRAME_BYTES : sum);
    put(s, d, base + PCM_S_FRAGMENTS, count);
    put(s, d, base + PCM_S_PERIOD_FRAMES, step->small >> 4 & 0xff);
    put64(s, d, base + PCM_S_END, step->value >> 16);
    start_stream(s, d, base, 0);
}

static void act_group(QTestState *s, Device *d, const Step *step)
{
    static const uint8_t registers[] = {
        PCM_STREAMS_START, PCM_STREAMS_STOP, PCM_STREAMS_PAUSE,
        PCM_STREAMS_RESUME,
    };

    put(s, d, registers[step->which % ARRAY_SIZE(registers)],
        step->which & 0x80 ? step->value : step->small & step->value);
}

/* --- Acts on the function ----------------------------------------------- */

/* The bits of a BAR that we keep: it must not come to lie over RAM. */
static uint32_t tame(uint8_t offset, uint32_t value)
{
    return offset == PCI_BASE_ADDRESS_0 || offset == PCI_BASE_ADDRESS_1 ?
           FIRST_BAR | (value & BAR_RANGE) : value;
}

static void act_config(QTestState *s, Device *d, const Step *step)
{
    const uint8_t places[] = {
        PCI_COMMAND, PCI_BASE_ADDRESS_0, PCI_BASE_ADDRESS_1,
        PCI_INTERRUPT_LINE, d->power + PCI_PM_CTRL,
        d->msi, d->msi + PCI_MSI_ADDRESS_LO, d->msi + PCI_MSI_ADDRESS_HI,
        d->msi + PCI_MSI_DATA_64, d->msix, d->express + PCI_EXP_DEVCTL,
    };
    uint8_t offset = step->which & 0x80 ? step->small & 0xfc :
                     places[step->which % ARRAY_SIZE(places)] & ~3;

    config_write(s, d, offset, tame(offset, step->value));
}

/* Messages that go to memory, to registers, even to the device's own. */
static void act_messages(QTestState *s, Device *d, const Step *step)
{
    uint64_t at = address(d, step) & ~3ull;

    config_write(s, d, d->msi + PCI_MSI_ADDRESS_LO, at);
    config_write(s, d, d->msi + PCI_MSI_ADDRESS_HI, at >> 32);
    config_write(s, d, d->msi + PCI_MSI_DATA_64, step->small);
    config_write(s, d, d->msi, PCI_MSI_FLAGS_ENABLE << 16);
    put(s, d, PCM_INT_ENABLE, UINT32_MAX);
}

/* The same through a vector of MSI-X, which may be masked. */
static void act_vector(QTestState *s, Device *d, const Step *step)
{
    uint64_t at = address(d, step) & ~3ull;
    uint32_t entry = d->table + step->which % 32 % 17 * PCI_MSIX_ENTRY_SIZE;
    uint32_t flags = PCI_MSIX_FLAGS_ENABLE |
                     (step->small & 0x8000 ? PCI_MSIX_FLAGS_MASKALL : 0);

    qtest_writel(s, entry + PCI_MSIX_ENTRY_LOWER_ADDR, at);
    qtest_writel(s, entry + PCI_MSIX_ENTRY_UPPER_ADDR, at >> 32);
    qtest_writel(s, entry + PCI_MSIX_ENTRY_DATA, step->small);
    qtest_writel(s, entry + PCI_MSIX_ENTRY_VECTOR_CTRL,
                 step->small >> 14 & PCI_MSIX_ENTRY_CTRL_MASKBIT);
    config_write(s, d, d->msix, flags << 16);
    put(s, d, PCM_INT_ENABLE, UINT32_MAX);
}

/* --- What must hold ----------------------------------------------------- */

static void check_reset_values(QTestState *s, const Device *d)
{
    for (unsigned n = 0; n < REGISTERS; n++) {
        g_assert_cmphex(get(s, d, register_offset(n)), ==,
                        d->after_reset[n]);
    }
}

/* The four counters of the blocks from @first on, added up. */
static void add_counters(QTestState *s, const Device *d, uint32_t first,
                         unsigned blocks, uint64_t sums[4])
{
    for (unsigned block = 0; block < blocks; block++) {
        for (unsigned n = 0; n < 4; n++) {
            sums[n] += get64(s, d, first + 0x20 * block + 8 * n);
        }
    }
}

/*
 * What the requesters transferred is what was transferred, and it went to a
 * node or to none.  A transaction may have touched several.
 */
static void check_accounting(QTestState *s, const Device *d)
{
    uint64_t total[4] = { }, requesters[4] = { }, places[4] = { };

    add_counters(s, d, PCM_ACC(PCM_ACC_TOTAL), 1, total);
    add_counters(s, d, PCM_ACC(0), PCM_ACC_EXERCISER + 1, requesters);
    add_counters(s, d, PCM_ACC(PCM_ACC_NODELESS), 1, places);
    add_counters(s, d, PCM_ACC_NODE(0), NODES, places);
    for (unsigned n = 0; n < 4; n++) {
        g_assert_cmpuint(requesters[n], ==, total[n]);
    }
    for (unsigned n = 0; n < 4; n += 2) {
        g_assert_cmpuint(places[n], ==, total[n]);
        g_assert_cmpuint(places[n + 1], >=, total[n + 1]);
        g_assert_cmpuint(total[n], >=, total[n + 1]);
    }
}

static void check_stream(QTestState *s, const Device *d, unsigned n)
{
    uint32_t base = PCM_STREAM(n);
    uint64_t position = get64(s, d, base + PCM_S_POSITION);
    uint32_t status = get(s, d, base + PCM_S_STATUS);
    uint32_t lost = get(s, d, base + PCM_S_LOST);
    uint32_t xruns = get(s, d, base + PCM_S_XRUNS);
    uint32_t told = get(s, d, PCM_INT_STATUS) & PCM_INT_STREAM(n);

    g_assert_cmpuint(get(s, d, base + PCM_S_CTL) & PCM_S_RUN, ==,
                     status >> 31);
    g_assert_cmpuint(!!(get(s, d, base + PCM_S_CTL) & PCM_S_PAUSE), ==,
                     !!(status & PCM_S_PAUSED));
    g_assert_true((status & PCM_S_RUNNING) || !(status & PCM_S_PAUSED));
    g_assert_true(!(status & PCM_S_ERROR) || get(s, d, base + PCM_S_CAUSE));
    g_assert_true(!(status & PCM_S_LATE) || lost);
    g_assert_true(!(status & PCM_S_XRUN) || xruns);
    g_assert_cmpuint(!!told, ==,
                     !!(status & get(s, d, base + PCM_S_INT_ENABLE)));
    if (!(get(s, d, PCM_INJ_STUCK) & BIT(n))) {
        g_assert_cmpuint((uint64_t)lost + xruns, <=, position);
    }
}

static void check_exerciser(QTestState *s, const Device *d)
{
    uint32_t sum = get(s, d, PCM_EX_NODELESS);

    for (unsigned n = 0; n < NODES; n++) {
        sum += get(s, d, PCM_NODE_BYTES(n));
    }
    g_assert_cmpuint(sum, ==, get(s, d, PCM_EX_DONE));
    g_assert_true(!get(s, d, PCM_EX_MISMATCHES) ||
                  get(s, d, PCM_EX_MISMATCH_BYTES));
}

/* Records are what they can be, and in order; none is left in the end. */
static void check_log(QTestState *s, const Device *d)
{
    unsigned count = get(s, d, PCM_LOG_COUNT);
    uint64_t time = 0, next = 0;
    uint32_t info;

    g_assert_cmpuint(count, <=, PCM_CAP_LOG(get(s, d, PCM_CAP)));
    while ((info = get(s, d, PCM_LOG_INFO)) & PCM_LOG_VALID) {
        g_assert_true(PCM_LOG_RULE(info) < PCM_RULE_COUNT ||
                      PCM_LOG_RULE(info) == PCM_LOG_INJECTED);
        g_assert_cmpuint(get(s, d, PCM_LOG_SEQUENCE), >=, next);
        g_assert_cmpuint(get64(s, d, PCM_LOG_TIME), >=, time);
        next = get(s, d, PCM_LOG_SEQUENCE) + 1;
        time = get64(s, d, PCM_LOG_TIME);
        put(s, d, PCM_LOG_CTRL, PCM_LOG_POP);
        g_assert_cmpuint(get(s, d, PCM_LOG_COUNT), ==, --count);
    }
    g_assert_cmpuint(count, ==, 0);
}

static void check_consistency(QTestState *s, const Device *d)
{
    g_assert_cmphex(get(s, d, PCM_ID), ==, PCM_ID_VALUE);
    for (unsigned n = 0; n < PCM_STREAM_COUNT; n++) {
        check_stream(s, d, n);
    }
    check_exerciser(s, d);
    check_accounting(s, d);
    check_log(s, d);
}

/* Reads change nothing that is not due, and time stands still. */
static void check_reads(QTestState *s, const Device *d)
{
    g_autofree uint32_t *seen = g_new(uint32_t, REGISTERS);

    for (unsigned n = 0; n < REGISTERS; n++) {
        seen[n] = get(s, d, register_offset(n));
    }
    for (unsigned n = 0; n < REGISTERS; n++) {
        g_assert_cmphex(get(s, d, register_offset(n)), ==, seen[n]);
    }
}

/* A silent device reads as all ones, and nothing else. */
static void check_silence(QTestState *s, const Device *d)
{
    for (unsigned n = 0; n < REGISTERS; n++) {
        g_assert_cmphex(get(s, d, register_offset(n)), ==, UINT32_MAX);
    }
}

static void power_on(QTestState *s, Device *d)
{
    g_autofree char *path = g_strdup_printf("/machine/peripheral/pcm%u",
                                            d->slot);

    device_cold_reset(DEVICE(object_resolve_path(path, NULL)));
    settle(s, d);
}

/* --- Acts with an outcome ----------------------------------------------- */

/* Config space is reached through memory, too. */
static void map_config(QTestState *s)
{
    config_select(s, 0, HOST_PCIEXBAR);
    qtest_outl(s, CONFIG_DATA, CONFIG_MAPPED | 1);
}

static void act_reset(QTestState *s, Device *d, const Step *step)
{
    switch (step->which & 7) {
    case 0:
        fuzz_reset(s);
        map_config(s);
        break;
    case 1:
        config_write(s, d, d->express + PCI_EXP_DEVCTL,
                     PCI_EXP_DEVCTL_BCR_FLR);
        break;
    case 2:
        settle(s, d);
        return;
    case 3:
        config_write(s, d, d->power + PCI_PM_CTRL, 0);
        config_write(s, d, d->power + PCI_PM_CTRL, 3);
        break;
    default:
        put(s, d, PCM_CTRL, PCM_CTRL_RESET);
        return;
    }
    settle_all(s);
    check_reset_values(s, d);
}

/*
 * Forbid all but some bytes, as a driver would that means it.
 * Returns: false if the registers are switched off, or elsewhere
 */
static bool fence(QTestState *s, Device *d, uint64_t first, uint64_t last)
{
    put(s, d, PCM_INT_ENABLE, 0);
    put(s, d, PCM_POLICY, 0);
    for (unsigned n = 0; n < PCM_WINDOW_COUNT; n++) {
        put(s, d, PCM_WINDOW(n) + PCM_W_CTRL, 0);
    }
    put64(s, d, PCM_WINDOW(0) + PCM_W_FIRST, first);
    put64(s, d, PCM_WINDOW(0) + PCM_W_LAST, last);
    put(s, d, PCM_WINDOW(0) + PCM_W_CTRL, PCM_W_ENABLE | PCM_W_WRITE);
    return get(s, d, PCM_WINDOW(0) + PCM_W_CTRL) ==
           (PCM_W_ENABLE | PCM_W_WRITE);
}

/*
 * A window and a FILL that need not be in it, with all policies abort: not a
 * byte beside the window may change, and what is counted is what was done.
 */
static void act_fenced(QTestState *s, Device *d, const Step *step)
{
    const uint32_t counter = PCM_ACC(PCM_ACC_EXERCISER) + PCM_A_WRITE_BYTES;
    uint32_t first = step->value % FENCED_BYTES;
    uint32_t last = MIN(first + step->which, FENCED_BYTES - 1);
    uint8_t before[FENCED_BYTES], after[FENCED_BYTES];
    uint64_t counted;

    if (!fence(s, d, ARENA + first, ARENA + last)) {
        return;
    }
    qtest_memread(s, ARENA, before, sizeof(before));
    counted = get64(s, d, counter);
    put64(s, d, PCM_EX_ADDR, ARENA + (step->value >> 16) % FENCED_BYTES);
    put(s, d, PCM_EX_LENGTH, step->small % FENCED_BYTES);
    if (!(get(s, d, PCM_EX_STATUS) & PCM_EX_BUSY)) {
        put(s, d, PCM_EX_COMMAND, PCM_EX_FILL);
        g_assert_cmpuint(get64(s, d, counter) - counted, ==,
                         get(s, d, PCM_EX_DONE));
    }
    qtest_memread(s, ARENA, after, sizeof(after));
    g_assert(!memcmp(before, after, first));
    g_assert(!memcmp(before + last + 1, after + last + 1,
                     FENCED_BYTES - 1 - last));
}

static void (*const acts[])(QTestState *s, Device *d, const Step *step) = {
    act_write, act_write, act_address, act_access, act_port, act_port,
    act_window, act_command, act_command, act_inject, act_wait, act_wait,
    act_wait, act_forget, act_memory, act_stream, act_stream, act_stream,
    act_stream, act_detail, act_detail, act_detail, act_list, act_list,
    act_group, act_group, act_config, act_messages, act_vector, act_vector,
    act_reset, act_fenced,
};

/* --- The target --------------------------------------------------------- */

static void find_capabilities(QTestState *s, Device *d)
{
    uint8_t at = config_read(s, d, PCI_CAPABILITY_LIST) & 0xfc;

    while (at) {
        uint32_t head = config_read(s, d, at);

        switch (head & 0xff) {
        case PCI_CAP_ID_PM:
            d->power = at;
            break;
        case PCI_CAP_ID_MSI:
            d->msi = at;
            break;
        case PCI_CAP_ID_MSIX:
            d->msix = at;
            break;
        case PCI_CAP_ID_EXP:
            d->express = at;
            break;
        }
        at = head >> 8 & 0xfc;
    }
    g_assert(d->power && d->msi && d->msix && d->express);
}

static void prepare(QTestState *s)
{
    map_config(s);
    for (unsigned i = 0; i < DEVICES; i++) {
        Device *d = &devices[i];

        d->slot = FIRST_SLOT + i;
        d->bar = FIRST_BAR + i * PCM_BAR_SIZE;
        d->table = FIRST_BAR + (DEVICES + i) * PCM_BAR_SIZE;
        find_capabilities(s, d);
        power_on(s, d);
        d->after_reset = g_new(uint32_t, REGISTERS);
        for (unsigned n = 0; n < REGISTERS; n++) {
            d->after_reset[n] = get(s, d, register_offset(n));
        }
    }
}

/* What an input left behind, and that nothing of it is left after a reset. */
static void judge(QTestState *s, Device *d)
{
    if (is_silent(s, d)) {
        check_silence(s, d);
    } else {
        check_reads(s, d);
        check_consistency(s, d);
        put(s, d, PCM_CTRL, PCM_CTRL_RESET);
        check_reset_values(s, d);
    }
    power_on(s, d);
    check_reset_values(s, d);
}

static void fuzz(QTestState *s, const unsigned char *data, size_t size)
{
    static const uint8_t zeros[ARENA_BYTES];
    bool used[DEVICES] = { };
    Step step;

    qtest_memwrite(s, ARENA, zeros, sizeof(zeros));
    for (unsigned i = 0; i < STEPS_MAX && size >= sizeof(step); i++) {
        Device *d;

        memcpy(&step, data, sizeof(step));
        data += sizeof(step);
        size -= sizeof(step);
        used[step.act >> 7] = true;
        d = &devices[step.act >> 7];
        acts[(step.act & 0x7f) % ARRAY_SIZE(acts)](s, d, &step);
        flush_events(s);
    }
    settle_all(s);
    for (unsigned i = 0; i < DEVICES; i++) {
        if (used[i]) {
            judge(s, &devices[i]);
        }
    }
    flush_events(s);
}

static GString *command_line(FuzzTarget *target)
{
    return g_string_new(TARGET_NAME " -display none -machine q35,accel=qtest"
        " -nodefaults -m 16M -audiodev none,id=snd"
        " -object memory-backend-ram,id=m0,size=8M"
        " -object memory-backend-ram,id=m1,size=8M"
        " -numa node,memdev=m0 -numa node,memdev=m1"
        " -device pcmaster,id=pcm4,addr=4,audiodev=snd,playback=4,capture=8,"
        "loopback=on,guest-injection=on"
        " -device pcmaster,id=pcm5,addr=5,audiodev=snd,playback=2,capture=2,"
        "addr-bits=24,boundary=64K,policy=wrap,guest-injection=on");
}

static void register_target(void)
{
    fuzz_add_target(&(FuzzTarget) {
        .name = "pcmaster-registers",
        .description = "pcmaster, by its register map",
        .get_init_cmdline = command_line,
        .pre_fuzz = prepare,
        .fuzz = fuzz,
    });
}

fuzz_target_init(register_target);
