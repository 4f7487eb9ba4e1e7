/*
 * pcmaster qtests: where the guest was when it rang a doorbell
 *
 * A guest program in ROM does it, on a real CPU: qtest's own accesses come
 * from none.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "pcmaster-player.h"
#include "pcmaster-test.h"

#define CODE            0x1000          /* in the ROM, and IP */
#define CODE_BASE       0xffff0000u     /* of CS after a reset */
#define RESET_VECTOR    0xfff0

#define ADDRESS         0x8000          /* of a register; not 0: go on */
#define VALUE           0x8004
#define DONE            0x8008
#define BEYOND          0x200000        /* of 20 address lines */

/*
 * QEMU makes a block of its own of an instruction in the middle of one, if it
 * rings: then the block's address is its own.  The longest block's last one
 * is left where it is.
 */
#define BLOCK           0x1100
#define BLOCK_LENGTH    512

/* The two instructions that ring the doorbell, and the one after them. */
#define FIRST           (CODE_BASE + BLOCK + BLOCK_LENGTH - 1)
#define SECOND          (FIRST + 2)
#define THIRD           (SECOND + 2)

/* Into 32-bit code, where CS has a base and DS holds all memory. */
static const uint8_t program[] = {
    0xfa,                                       /*       cli */
    0x66, 0x2e, 0x0f, 0x01, 0x16, 0x40, 0x10,   /*       lgdtl %cs:gdtr */
    0x0f, 0x20, 0xc0,                           /*       mov %cr0, %eax */
    0x0c, 0x01,                                 /*       or $1, %al */
    0x0f, 0x22, 0xc0,                           /*       mov %eax, %cr0 */
    0xea, 0x15, 0x10, 0x10, 0x00,               /*       ljmp $16, $next */
    0x66, 0xb8, 0x08, 0x00,                     /* next: mov $8, %ax */
    0x8e, 0xd8,                                 /*       mov %ax, %ds */
    0xa1, 0x00, 0x80, 0x00, 0x00,               /* wait: mov ADDRESS, %eax */
    0x85, 0xc0,                                 /*       test %eax, %eax */
    0x74, 0xf7,                                 /*       jz wait */
    0x8b, 0x1d, 0x04, 0x80, 0x00, 0x00,         /*       mov VALUE, %ebx */
    0xe9, 0xd1, 0x00, 0x00, 0x00,               /*       jmp BLOCK */
};

/* After instructions that do nothing: the last one of a block of them. */
static const uint8_t doorbells[] = {
    0x89, 0x18,                                 /*       mov %ebx, (%eax) */
    0x89, 0x18,                                 /*       mov %ebx, (%eax) */
    0xc6, 0x05, 0x08, 0x80, 0x00, 0x00, 0x01,   /*       movb $1, DONE */
    0xf4,                                       /* stop: hlt */
    0xeb, 0xfd,                                 /*       jmp stop */
};

/* At CODE + 0x40: limit and base of the table, then the table. */
static const uint8_t gdtr[] = {
    0x17, 0x00, 0x48, 0x10, 0xff, 0xff, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0xff, 0xff, 0x00, 0x00, 0x00, 0x93, 0xcf, 0x00,
    0xff, 0xff, 0x00, 0x00, 0xff, 0x9b, 0x40, 0xff,
};

static const uint8_t jump_to_code[] = { 0xe9, 0x0d, 0x10 };

static Dut *start_guest(const char *accelerator)
{
    g_autofree uint8_t *rom = g_malloc0(DUT_ROM_SIZE);
    g_autofree char *machine = g_strdup_printf(
        "q35 %s -audiodev none,id=snd", accelerator);

    memcpy(rom + CODE, program, sizeof(program));
    memcpy(rom + CODE + 0x40, gdtr, sizeof(gdtr));
    memset(rom + BLOCK, 0x90, BLOCK_LENGTH - 1);
    memcpy(rom + BLOCK + BLOCK_LENGTH - 1, doorbells, sizeof(doorbells));
    memcpy(rom + RESET_VECTOR, jump_to_code, sizeof(jump_to_code));
    return dut_start_rom(rom, machine, ",audiodev=snd");
}

static bool has_kvm(Dut *d)
{
    QDict *response = qtest_qmp(d->qts, "{'execute': 'query-kvm'}");
    bool enabled = qdict_get_bool(qdict_get_qdict(response, "return"),
                                  "enabled");

    qobject_unref(response);
    return enabled;
}

/* Has the guest write @value to a register, twice. */
static void ring_twice(Dut *d, unsigned reg, uint32_t value)
{
    qtest_writel(d->qts, DONE, 0);
    qtest_writel(d->qts, VALUE, value);
    qtest_writel(d->qts, ADDRESS, d->bar.addr + reg);
    for (unsigned ms = 0; !qtest_readb(d->qts, DONE); ms++) {
        g_assert_cmpuint(ms, <, 30000);
        g_usleep(1000);
    }
}

static void expect_pc(Dut *d, uint64_t pc)
{
    for (unsigned ms = 0; !dut_read(d, PCM_LOG_COUNT); ms++) {
        g_assert_cmpuint(ms, <, 30000);
        g_usleep(1000);
    }
    g_assert_cmphex(dut_read64(d, PCM_LOG_PC), ==, pc);
    dut_write(d, PCM_LOG_CTRL, PCM_LOG_POP);
}

typedef struct PcCase {
    const char *name;
    const char *accelerator;
    bool next;                  /* it tells of the instruction after */
} PcCase;

static const PcCase pc_cases[] = {
    { "tcg", "-accel tcg", false },
    { "tcg-one-thread", "-accel tcg,thread=single", false },
    { "icount", "-accel tcg -icount shift=0", false },
    { "kvm", "-accel kvm", true },
};

static void test_exerciser(const void *data)
{
    const PcCase *c = data;
    Dut *d = start_guest(c->accelerator);

    if (c->next && !has_kvm(d)) {
        g_test_skip("no KVM here");
    } else {
        dut_write(d, PCM_ADDR_BITS, 20);
        dut_write64(d, PCM_EX_ADDR, BEYOND);
        dut_write(d, PCM_EX_LENGTH, 8);
        ring_twice(d, PCM_EX_COMMAND, PCM_EX_FILL);
        expect_pc(d, c->next ? SECOND : FIRST);
        expect_pc(d, c->next ? THIRD : SECOND);
        dut_expect_no_record(d);
    }
    dut_stop(d);
}

/* A stream's records tell who started it, long after that. */
static void test_stream(void)
{
    Dut *d = start_guest("-accel tcg");

    dut_set_policies(d, PCM_POLICY_RECORD);
    dut_set_window(d, 0, 0x400000, 0x400000 + 4095,
                   PCM_W_ENABLE | PCM_W_READ);
    stream_set_up(d, 0, PCM_S_S16 | PCM_S_CHANNELS(2), 48000,
                  0x400000 - 2048, 4096);
    ring_twice(d, S0(CTL), PCM_S_RUN);
    expect_pc(d, FIRST);
    dut_stop(d);
}

/* Nobody's program rings qtest's doorbells. */
static void test_unknown(void)
{
    Dut *d = dut_start("q35", "");

    dut_write(d, PCM_ADDR_BITS, 20);
    dut_command(d, PCM_EX_FILL, BEYOND, 8, 0);
    expect_pc(d, PCM_PC_UNKNOWN);
    dut_stop(d);
}

void pcm_add_doorbell_tests(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(pc_cases); i++) {
        pcm_add_case("doorbell/exerciser", pc_cases[i].name, &pc_cases[i],
                     test_exerciser);
    }
    qtest_add_func("/pcmaster/doorbell/stream", test_stream);
    qtest_add_func("/pcmaster/doorbell/unknown", test_unknown);
}
