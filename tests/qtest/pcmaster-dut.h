/*
 * pcmaster qtests: the device under test
 *
 * Access to its registers, its log and its exerciser.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_PCMASTER_DUT_H
#define TESTS_PCMASTER_DUT_H

#include "qemu/units.h"
#include "libqtest.h"
#include "libqos/libqos-pc.h"
#include "libqos/pci.h"
#include "libqos/pci-pc.h"
#include "hw/pci/pci_regs.h"
#include "qobject/qbool.h"
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#include "qobject/qnum.h"
#include "qobject/qstring.h"
#include "hw/audio/pcmaster/pcmaster_regs.h"

#define DUT_RAM_SIZE    (64 * MiB)
#define DUT_ROM_SIZE    (64 * KiB)
#define DUT_ROM         0xf4

#define ONES            UINT64_MAX
#define EX              PCM_REQUESTER_EXERCISER

typedef struct Dut {
    QTestState *qts;
    QPCIBus *bus;
    QPCIDevice *dev;
    QPCIBar bar;
} Dut;

/* A record of the violation log, as a test expects it. */
typedef struct DutRecord {
    unsigned rule;
    unsigned requester;
    bool write;
    unsigned policy;
    uint64_t address;
    uint32_t length;
    uint64_t expected;
    uint64_t actual;
    uint64_t fault;
    uint64_t landed;
} DutRecord;

static inline uint32_t dut_read(Dut *d, unsigned reg)
{
    return qpci_io_readl(d->dev, d->bar, reg);
}

static inline void dut_write(Dut *d, unsigned reg, uint32_t value)
{
    qpci_io_writel(d->dev, d->bar, reg, value);
}

static inline uint64_t dut_read64(Dut *d, unsigned reg)
{
    uint64_t low = dut_read(d, reg);

    return low | (uint64_t)dut_read(d, reg + 4) << 32;
}

static inline void dut_write64(Dut *d, unsigned reg, uint64_t value)
{
    dut_write(d, reg, value);
    dut_write(d, reg + 4, value >> 32);
}

static inline void dut_set_bus_master(Dut *d, bool on)
{
    uint16_t command = qpci_config_readw(d->dev, PCI_COMMAND);

    command &= ~PCI_COMMAND_MASTER;
    qpci_config_writew(d->dev, PCI_COMMAND,
                       command | (on ? PCI_COMMAND_MASTER : 0));
}

static inline char *dut_write_rom(const uint8_t *content)
{
    char *path = NULL;
    int fd = g_file_open_tmp("pcmaster-XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, content, DUT_ROM_SIZE), ==, DUT_ROM_SIZE);
    close(fd);
    return path;
}

/*
 * Starts a machine, the device must be among the options.
 * @rom: DUT_ROM_SIZE bytes, so that the tests need no firmware
 */
static inline Dut *dut_launch_rom(const uint8_t *rom, const char *options)
{
    g_autofree char *path = dut_write_rom(rom);
    Dut *d = g_new0(Dut, 1);

    d->qts = qtest_initf("-nodefaults -bios %s -m %u -machine %s", path,
                         (unsigned)(DUT_RAM_SIZE / MiB), options);
    unlink(path);
    d->bus = qpci_new_pc(d->qts, NULL);
    return d;
}

/* The same with a ROM of DUT_ROM bytes. */
static inline Dut *dut_launch(const char *options)
{
    g_autofree uint8_t *rom = g_malloc(DUT_ROM_SIZE);

    memset(rom, DUT_ROM, DUT_ROM_SIZE);
    return dut_launch_rom(rom, options);
}

/* Finds the device, which is in slot 4 of its bus. */
static inline Dut *dut_find(Dut *d)
{
    d->dev = qpci_device_find(d->bus, QPCI_DEVFN(4, 0));
    g_assert_nonnull(d->dev);
    qpci_device_enable(d->dev);
    d->bar = qpci_iomap(d->dev, PCM_BAR, NULL);
    return d;
}

/*
 * @machine: its name and other options; the device is in slot 4 of its bus
 * @options: of the device, each with a comma before it
 */
static inline char *dut_options(const char *machine, const char *options)
{
    return g_strdup_printf("%s -device pcmaster,id=dut,addr=4.0%s", machine,
                           options);
}

static inline Dut *dut_start(const char *machine, const char *options)
{
    g_autofree char *all = dut_options(machine, options);

    return dut_find(dut_launch(all));
}

static inline Dut *dut_start_rom(const uint8_t *rom, const char *machine,
                                 const char *options)
{
    g_autofree char *all = dut_options(machine, options);

    return dut_find(dut_launch_rom(rom, all));
}

/* Lets go of everything but the process. */
static inline QTestState *dut_release(Dut *d)
{
    QTestState *qts = d->qts;

    g_free(d->dev);
    qpci_free_pc(d->bus);
    g_free(d);
    return qts;
}

static inline void dut_stop(Dut *d)
{
    qtest_quit(dut_release(d));
}

static inline void dut_set_policies(Dut *d, unsigned policy)
{
    uint32_t value = 0;

    for (unsigned rule = 0; rule < PCM_RULE_COUNT; rule++) {
        value |= policy << PCM_POLICY_SHIFT(rule);
    }
    dut_write(d, PCM_POLICY, value);
}

static inline void dut_set_window(Dut *d, unsigned n, uint64_t first,
                                  uint64_t last, uint32_t ctrl)
{
    dut_write64(d, PCM_WINDOW(n) + PCM_W_FIRST, first);
    dut_write64(d, PCM_WINDOW(n) + PCM_W_LAST, last);
    dut_write(d, PCM_WINDOW(n) + PCM_W_CTRL, ctrl);
}

/* --- Properties --------------------------------------------------------- */

/* Returns: the value of a property of the device, to be unreferenced */
static inline QObject *dut_qom_get(Dut *d, const char *property)
{
    QDict *response = qtest_qmp(d->qts, "{'execute': 'qom-get', 'arguments': {"
                                "'path': '/machine/peripheral/dut',"
                                "'property': %s}}", property);
    QObject *value = qobject_ref(qdict_get(response, "return"));

    g_assert_nonnull(value);
    qobject_unref(response);
    return value;
}

/*
 * @value: is consumed
 * Returns: does the device accept it?
 */
static inline bool dut_qom_set(Dut *d, const char *property, QObject *value)
{
    QDict *response = qtest_qmp(d->qts, "{'execute': 'qom-set', 'arguments': {"
                                "'path': '/machine/peripheral/dut',"
                                "'property': %s, 'value': %p}}",
                                property, value);
    bool ok = qdict_haskey(response, "return");

    qobject_unref(response);
    return ok;
}

/* Returns: the properties of devices of this type, by name */
static inline QDict *dut_list_properties(QTestState *qts, const char *type)
{
    QDict *response = qtest_qmp(qts, "{'execute': 'device-list-properties',"
                                "'arguments': {'typename': %s}}", type);
    QDict *properties = qdict_new();
    QListEntry *entry;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(response, "return"), entry) {
        QDict *property = qobject_to(QDict, qlist_entry_obj(entry));

        qdict_put(properties, qdict_get_str(property, "name"),
                  qobject_ref(property));
    }
    qobject_unref(response);
    return properties;
}

/* --- Log ---------------------------------------------------------------- */

static inline void dut_expect_record(Dut *d, const DutRecord *r)
{
    uint32_t info = dut_read(d, PCM_LOG_INFO);

    g_assert_cmpuint(dut_read(d, PCM_LOG_COUNT), >, 0);
    g_assert_true(info & PCM_LOG_VALID);
    g_assert_cmpuint(PCM_LOG_RULE(info), ==, r->rule);
    g_assert_cmpuint(PCM_LOG_REQUESTER(info), ==, r->requester);
    g_assert_cmpuint(!!(info & PCM_LOG_WRITE), ==, r->write);
    g_assert_cmpuint(PCM_LOG_POLICY(info), ==, r->policy);
    g_assert_cmphex(dut_read64(d, PCM_LOG_ADDR), ==, r->address);
    g_assert_cmphex(dut_read(d, PCM_LOG_LENGTH), ==, r->length);
    g_assert_cmphex(dut_read64(d, PCM_LOG_EXPECTED), ==, r->expected);
    g_assert_cmphex(dut_read64(d, PCM_LOG_ACTUAL), ==, r->actual);
    g_assert_cmphex(dut_read64(d, PCM_LOG_FAULT), ==, r->fault);
    g_assert_cmphex(dut_read64(d, PCM_LOG_LANDED), ==, r->landed);
    dut_write(d, PCM_LOG_CTRL, PCM_LOG_POP);
}

static inline void dut_expect_no_record(Dut *d)
{
    g_assert_cmpuint(dut_read(d, PCM_LOG_COUNT), ==, 0);
    g_assert_cmphex(dut_read(d, PCM_LOG_INFO), ==, 0);
}

/* --- Exerciser ---------------------------------------------------------- */

/* Byte @i of the pattern, from the text of the specification. */
static inline uint8_t dut_pattern(uint64_t seed, uint32_t i)
{
    return (seed + i / 8 * 0x9e3779b97f4a7c15ull) >> (8 * (i % 8));
}

static inline void dut_command(Dut *d, uint32_t command, uint64_t address,
                               uint32_t length, uint64_t seed)
{
    dut_write64(d, PCM_EX_ADDR, address);
    dut_write(d, PCM_EX_LENGTH, length);
    dut_write64(d, PCM_EX_SEED, seed);
    dut_write(d, PCM_EX_COMMAND, command);
}

static inline void dut_expect_result(Dut *d, unsigned result, uint32_t done)
{
    uint32_t status = dut_read(d, PCM_EX_STATUS);

    g_assert_false(status & PCM_EX_BUSY);
    g_assert_cmpuint(PCM_EX_RESULT(status), ==, result);
    g_assert_cmphex(dut_read(d, PCM_EX_DONE), ==, done);
}

static inline void dut_exercise(Dut *d, uint32_t command, uint64_t address,
                                uint32_t length, uint64_t seed,
                                unsigned result, uint32_t done)
{
    dut_command(d, command, address, length, seed);
    dut_expect_result(d, result, done);
}

#endif /* TESTS_PCMASTER_DUT_H */
