/*
 * pcmaster: a fuzz target that knows the register map
 *
 * An input is a list of steps of eight bytes.  A step is a driver's act, or a
 * mischievous one: a register written, a command for the exerciser, a stream
 * started, bits of config space, a reset, a while that passes.  Addresses are
 * drawn where it hurts: ends of RAM, the device's own registers, the top of
 * the address space.  What must always hold is asserted on the way and at the
 * end, so that the fuzzer finds more than crashes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/units.h"
#include "hw/pci/pci_regs.h"
#include "hw/qdev-core.h"
#include "hw/audio/pcmaster/pcmaster_regs.h"
#include "tests/qtest/libqtest.h"
#include "fuzz.h"

#define CONFIG_ADDRESS      0xcf8
#define CONFIG_DATA         0xcfc
#define DEVICES             2
#define FIRST_SLOT          4
#define FIRST_BAR           0xe0000000u
#define BAR_RANGE           0x00ffffffu     /* a guest may move BARs in it */
#define RAM_BYTES           (16 * MiB)
#define ARENA               (1 * MiB)       /* where most buffers lie */
#define ARENA_BYTES         (64 * KiB)
#define FENCED_BYTES        512
#define STEPS_MAX           96
#define CLOCK_STEP_MAX      (20 * 1000 * 1000)  /* ns */

typedef struct Step {
    uint8_t act;                /* bit 7: which device */
    uint8_t which;
    uint16_t small;
    uint32_t value;
} QEMU_PACKED Step;

typedef struct Device {
    unsigned slot;
    uint32_t bar;
    uint8_t msi;                /* offset of the capability */
    uint8_t express;
    uint32_t *after_reset;      /* of each register in registers() */
} Device;

static Device devices[DEVICES];

/* --- The register map --------------------------------------------------- */

static const uint16_t single[] = {
    PCM_ID, PCM_VERSION, PCM_CAP, PCM_CTRL, PCM_INT_STATUS, PCM_INT_ENABLE,
    PCM_HW_ADDR_BITS, PCM_ADDR_BITS, PCM_LIMIT, PCM_LIMIT + 4,
    PCM_HW_BOUNDARY, PCM_HW_BOUNDARY + 4, PCM_BOUNDARY, PCM_BOUNDARY + 4,
    PCM_NODE, PCM_POLICY, PCM_NODE_COUNT, PCM_DEVICE_NODE,
    PCM_LOG_COUNT, PCM_LOG_LOST, PCM_LOG_CTRL, PCM_LOG_INFO, PCM_LOG_LENGTH,
    PCM_LOG_ADDR, PCM_LOG_ADDR + 4, PCM_LOG_EXPECTED, PCM_LOG_EXPECTED + 4,
    PCM_LOG_ACTUAL, PCM_LOG_ACTUAL + 4, PCM_LOG_FAULT, PCM_LOG_FAULT + 4,
    PCM_LOG_LANDED, PCM_LOG_LANDED + 4, PCM_LOG_TIME, PCM_LOG_TIME + 4,
    PCM_LOG_SEQUENCE,
    PCM_EX_COMMAND, PCM_EX_STATUS, PCM_EX_ADDR, PCM_EX_ADDR + 4,
    PCM_EX_LENGTH, PCM_EX_SEED, PCM_EX_SEED + 4, PCM_EX_DONE,
    PCM_EX_MISMATCHES, PCM_EX_FIRST_MISMATCH, PCM_EX_MISMATCH_BYTES,
    PCM_EX_CHECKSUM_VALUE, PCM_EX_NODELESS,
    PCM_NODE_BYTES(0), PCM_NODE_BYTES(0) + 4, PCM_NODE_BYTES(1),
    PCM_NODE_BYTES(127), PCM_NODE_LOWEST(0), PCM_NODE_LOWEST(1),
};

static const uint8_t of_window[] = {
    PCM_W_FIRST, PCM_W_FIRST + 4, PCM_W_LAST, PCM_W_LAST + 4, PCM_W_CTRL,
};

/* PCM_S_POSITION comes first: a look at it brings the rest to the present. */
static const uint8_t of_stream[] = {
    PCM_S_POSITION, PCM_S_POSITION + 4, PCM_S_CTL, PCM_S_STATUS,
    PCM_S_INT_ENABLE, PCM_S_FORMAT, PCM_S_RATE, PCM_S_CAUSE, PCM_S_BUFFER,
    PCM_S_BUFFER + 4, PCM_S_LENGTH, PCM_S_PERIOD_FRAMES, PCM_S_END,
    PCM_S_END + 4, PCM_S_LOST,
};

#define STREAM_REGISTERS    (PCM_STREAM_COUNT * ARRAY_SIZE(of_stream))
#define WINDOW_REGISTERS    (PCM_WINDOW_COUNT * ARRAY_SIZE(of_window))
#define REGISTERS \
    (STREAM_REGISTERS + WINDOW_REGISTERS + ARRAY_SIZE(single))

/* Offset of register @n of all, the streams' first. */
static uint32_t register_offset(unsigned n)
{
    n %= REGISTERS;
    if (n < STREAM_REGISTERS) {
        return PCM_STREAM(n / ARRAY_SIZE(of_stream)) +
               of_stream[n % ARRAY_SIZE(of_stream)];
    }
    n -= STREAM_REGISTERS;
    if (n < WINDOW_REGISTERS) {
        return PCM_WINDOW(n / ARRAY_SIZE(of_window)) +
               of_window[n % ARRAY_SIZE(of_window)];
    }
    return single[n - WINDOW_REGISTERS];
}

/* --- Access ------------------------------------------------------------- */

static void select_config(QTestState *s, const Device *d, uint8_t offset)
{
    qtest_outl(s, CONFIG_ADDRESS, BIT(31) | d->slot << 11 | (offset & 0xfc));
}

static uint32_t config_read(QTestState *s, const Device *d, uint8_t offset)
{
    select_config(s, d, offset);
    return qtest_inl(s, CONFIG_DATA);
}

static void config_write(QTestState *s, const Device *d, uint8_t offset,
                         uint32_t value)
{
    select_config(s, d, offset);
    qtest_outl(s, CONFIG_DATA, value);
}

static uint32_t get(QTestState *s, const Device *d, uint32_t offset)
{
    return qtest_readl(s, d->bar + offset);
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

/* Put the registers where we look for them, whatever the input did. */
static void map(QTestState *s, const Device *d)
{
    config_write(s, d, PCI_BASE_ADDRESS_0, d->bar);
    config_write(s, d, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

/* --- Values that are worth a try ---------------------------------------- */

static uint64_t address(const Device *d, const Step *step)
{
    switch (step->which >> 4 & 7) {
    case 0:
        return ARENA + step->value % ARENA_BYTES;
    case 1:
        return step->value % RAM_BYTES;
    case 2:
        return d->bar + step->value % PCM_BAR_SIZE;
    case 3:
        return RAM_BYTES - step->value % 4096;
    case 4:
        return 0xa0000 + step->value % 0x60000;     /* video memory, ROM */
    case 5:
        return 4 * GiB - step->value % 8192;
    case 6:
        return -(uint64_t)(step->value % 8192);
    default:
        return (uint64_t)step->value << (step->small % 33);
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

/* --- Acts --------------------------------------------------------------- */

static void act_write(QTestState *s, Device *d, const Step *step)
{
    put(s, d, register_offset(step->small), number(step));
}

static void act_address(QTestState *s, Device *d, const Step *step)
{
    static const uint16_t taking[] = {
        PCM_LIMIT, PCM_BOUNDARY, PCM_EX_ADDR, PCM_EX_SEED,
    };

    put64(s, d, taking[step->which % ARRAY_SIZE(taking)], address(d, step));
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

static void act_command(QTestState *s, Device *d, const Step *step)
{
    uint32_t length = step->small;

    if (step->which & 8) {
        length <<= step->small % 17;
    }
    put64(s, d, PCM_EX_ADDR, address(d, step));
    put(s, d, PCM_EX_LENGTH, length);
    put(s, d, PCM_EX_COMMAND, step->which & 7);
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
    put(s, d, base + PCM_S_PERIOD_FRAMES, step->small >> 10);
    put64(s, d, base + PCM_S_END, step->value % 4096);
    put(s, d, base + PCM_S_INT_ENABLE, 0xf);
    put(s, d, base + PCM_S_CTL, PCM_S_RUN);
}

static void act_window(QTestState *s, Device *d, const Step *step)
{
    uint32_t base = PCM_WINDOW(step->which % PCM_WINDOW_COUNT);
    uint64_t first = address(d, step);

    put64(s, d, base + PCM_W_FIRST, first);
    put64(s, d, base + PCM_W_LAST, first + (step->small >> 3));
    put(s, d, base + PCM_W_CTRL, step->small & 7);
}

/* The bits of a BAR that we keep: it must not come to lie over RAM. */
static uint32_t tame(uint8_t offset, uint32_t value)
{
    return offset == PCI_BASE_ADDRESS_0 ? FIRST_BAR | (value & BAR_RANGE) :
                                          value;
}

static void act_config(QTestState *s, Device *d, const Step *step)
{
    const uint8_t places[] = {
        PCI_COMMAND, PCI_BASE_ADDRESS_0, PCI_INTERRUPT_LINE,
        d->msi, d->msi + PCI_MSI_ADDRESS_LO, d->msi + PCI_MSI_ADDRESS_HI,
        d->msi + PCI_MSI_DATA_64, d->express + PCI_EXP_DEVCTL,
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
    config_write(s, d, d->msi & ~3, PCI_MSI_FLAGS_ENABLE << 16);
    put(s, d, PCM_INT_ENABLE, UINT32_MAX);
}

static void act_reset(QTestState *s, Device *d, const Step *step)
{
    switch (step->which & 7) {
    case 0:
        fuzz_reset(s);
        map(s, &devices[0]);
        map(s, &devices[1]);
        break;
    case 1:
        config_write(s, d, d->express + PCI_EXP_DEVCTL,
                     PCI_EXP_DEVCTL_BCR_FLR);
        break;
    case 2:
        map(s, d);
        break;
    default:
        put(s, d, PCM_CTRL, PCM_CTRL_RESET);
        break;
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

/*
 * A window and a FILL that need not be in it, with all policies abort: not a
 * byte beside the window may change.
 */
static void act_fenced(QTestState *s, Device *d, const Step *step)
{
    uint32_t first = step->value % FENCED_BYTES;
    uint32_t last = MIN(first + step->which, FENCED_BYTES - 1);
    uint8_t before[FENCED_BYTES], after[FENCED_BYTES];

    put(s, d, PCM_INT_ENABLE, 0);
    put(s, d, PCM_POLICY, 0);
    for (unsigned n = 0; n < PCM_WINDOW_COUNT; n++) {
        put(s, d, PCM_WINDOW(n) + PCM_W_CTRL, 0);
    }
    put64(s, d, PCM_WINDOW(0) + PCM_W_FIRST, ARENA + first);
    put64(s, d, PCM_WINDOW(0) + PCM_W_LAST, ARENA + last);
    put(s, d, PCM_WINDOW(0) + PCM_W_CTRL, PCM_W_ENABLE | PCM_W_WRITE);
    if (get(s, d, PCM_WINDOW(0) + PCM_W_CTRL) !=
        (PCM_W_ENABLE | PCM_W_WRITE)) {
        return;     /* the registers are switched off, or elsewhere */
    }
    qtest_memread(s, ARENA, before, sizeof(before));
    put64(s, d, PCM_EX_ADDR, ARENA + (step->value >> 16) % FENCED_BYTES);
    put(s, d, PCM_EX_LENGTH, step->small % FENCED_BYTES);
    put(s, d, PCM_EX_COMMAND, PCM_EX_FILL);
    qtest_memread(s, ARENA, after, sizeof(after));
    g_assert(!memcmp(before, after, first));
    g_assert(!memcmp(before + last + 1, after + last + 1,
                     FENCED_BYTES - 1 - last));
}

static void (*const acts[])(QTestState *s, Device *d, const Step *step) = {
    act_write, act_write, act_address, act_access, act_command, act_command,
    act_stream, act_stream, act_window, act_config, act_messages, act_reset,
    act_wait, act_wait, act_memory, act_fenced,
};

/* --- What must hold ----------------------------------------------------- */

static void check_consistency(QTestState *s, const Device *d)
{
    uint32_t cap = get(s, d, PCM_CAP);

    g_assert_cmphex(get(s, d, PCM_ID), ==, PCM_ID_VALUE);
    g_assert_cmpuint(get(s, d, PCM_LOG_COUNT), <=, PCM_CAP_LOG(cap));
    g_assert_cmpuint(get(s, d, PCM_LOG_COUNT) != 0, ==,
                     !!(get(s, d, PCM_LOG_INFO) & PCM_LOG_VALID));
    g_assert_cmpuint(get(s, d, PCM_EX_MISMATCHES), <=,
                     get(s, d, PCM_EX_DONE));
    for (unsigned n = 0; n < PCM_STREAM_COUNT; n++) {
        uint32_t base = PCM_STREAM(n);

        g_assert_cmpuint(get(s, d, base + PCM_S_CTL) & PCM_S_RUN, ==,
                         get(s, d, base + PCM_S_STATUS) >> 31);
    }
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

static void check_reset(QTestState *s, const Device *d)
{
    put(s, d, PCM_CTRL, PCM_CTRL_RESET);
    for (unsigned n = 0; n < REGISTERS; n++) {
        g_assert_cmphex(get(s, d, register_offset(n)), ==,
                        d->after_reset[n]);
    }
}

/* --- The target --------------------------------------------------------- */

static void power_on(QTestState *s, Device *d)
{
    g_autofree char *path = g_strdup_printf("/machine/peripheral/pcm%u",
                                            d->slot);

    device_cold_reset(DEVICE(object_resolve_path(path, NULL)));
    map(s, d);
}

static void find_capabilities(QTestState *s, Device *d)
{
    uint8_t at = config_read(s, d, PCI_CAPABILITY_LIST) & 0xfc;

    while (at) {
        uint32_t head = config_read(s, d, at);

        if ((head & 0xff) == PCI_CAP_ID_MSI) {
            d->msi = at;
        } else if ((head & 0xff) == PCI_CAP_ID_EXP) {
            d->express = at;
        }
        at = head >> 8 & 0xfc;
    }
    g_assert(d->msi && d->express);
}

static void prepare(QTestState *s)
{
    for (unsigned i = 0; i < DEVICES; i++) {
        Device *d = &devices[i];

        d->slot = FIRST_SLOT + i;
        d->bar = FIRST_BAR + i * PCM_BAR_SIZE;
        find_capabilities(s, d);
        power_on(s, d);
        d->after_reset = g_new(uint32_t, REGISTERS);
        for (unsigned n = 0; n < REGISTERS; n++) {
            d->after_reset[n] = get(s, d, register_offset(n));
        }
    }
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
    for (unsigned i = 0; i < DEVICES; i++) {
        map(s, &devices[i]);    /* both: one may lie over the other */
    }
    for (unsigned i = 0; i < DEVICES; i++) {
        if (!used[i]) {
            continue;
        }
        check_reads(s, &devices[i]);
        check_consistency(s, &devices[i]);
        check_reset(s, &devices[i]);
        power_on(s, &devices[i]);
    }
    flush_events(s);
}

static GString *command_line(FuzzTarget *target)
{
    return g_string_new(TARGET_NAME " -display none -machine q35,accel=qtest"
        " -nodefaults -m 16M -audiodev none,id=snd"
        " -device pcmaster,id=pcm4,addr=4,audiodev=snd,playback=8"
        " -device pcmaster,id=pcm5,addr=5,audiodev=snd,playback=2,addr-bits=24,"
        "boundary=64K,policy=wrap");
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
