/*
 * pcmaster: registers of the device, its exerciser and fault injection
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/log.h"
#include "hw/pci/msix.h"
#include "registers.h"

/* --- Identification and interrupts -------------------------------------- */

static uint64_t id_read(PcmasterState *s, unsigned index)
{
    return PCM_ID_VALUE;
}

static uint64_t version_read(PcmasterState *s, unsigned index)
{
    return PCM_VERSION_VALUE;
}

static uint64_t cap_read(PcmasterState *s, unsigned index)
{
    return s->playback | s->capture << 4 | PCM_WINDOW_COUNT << 8 |
           PCM_LOG_RECORDS << 16;
}

static uint64_t cap2_read(PcmasterState *s, unsigned index)
{
    unsigned vectors = msix_present(PCI_DEVICE(s)) ? PCM_VECTORS : 0;

    return (s->loopback ? PCM_CAP2_LOOPBACK : 0) |
           (s->guest_injection ? PCM_CAP2_INJECTION : 0) |
           s->channels << 8 | vectors << 16;
}

static uint64_t ctrl_read(PcmasterState *s, unsigned index)
{
    return 0;
}

static void ctrl_write(PcmasterState *s, unsigned index, uint64_t value)
{
    if (value & PCM_CTRL_RESET) {
        pcmaster_reset_state(s);
    }
}

static uint64_t int_status_read(PcmasterState *s, unsigned index)
{
    uint32_t status = pcmaster_int_status(s);

    pcmaster_irq_looked_at(s);
    return status;
}

#define INT_OWN     (PCM_INT_VIOLATION | PCM_INT_EXERCISER)
#define INT_ALL     (INT_OWN | 0xffff0000u)

static uint32_t all_sources(const PcmasterState *s)
{
    return INT_OWN | ((1u << s->stream_count) - 1) << 16;
}

bool pcm_device_registers_valid(const PcmasterState *s)
{
    return !(s->int_status & ~INT_OWN) && !(s->int_enable & ~all_sources(s));
}

/* Returns: @value without the bits of streams that there are not. */
static uint32_t known_sources(PcmasterState *s, uint64_t value)
{
    uint32_t known = all_sources(s);

    if (value & ~known) {
        qemu_log_mask(LOG_GUEST_ERROR, "pcmaster: bits of sources that there "
                      "are not: 0x%" PRIx64 "\n", value & ~known);
    }
    return value & known;
}

static void int_status_write(PcmasterState *s, unsigned index, uint64_t value)
{
    s->int_status &= ~known_sources(s, value);
    pcmaster_irq_update(s);
}

static void int_enable_write(PcmasterState *s, unsigned index, uint64_t value)
{
    s->int_enable = known_sources(s, value);
    pcmaster_irq_update(s);
}

static void vector_write(PcmasterState *s, unsigned index, uint64_t value)
{
    if (pcm_vector_valid("INT_VECTOR", value)) {
        s->irq.vector = value;
    }
}

static const PcmRegister device_registers[] = {
    RO("ID", PCM_ID, id_read),
    RO("VERSION", PCM_VERSION, version_read),
    RO("CAP", PCM_CAP, cap_read),
    RO("CAP2", PCM_CAP2, cap2_read),
    EFFECT("CTRL", PCM_CTRL, PCM_CTRL_RESET, ctrl_read, ctrl_write),
    EFFECT("INT_STATUS", PCM_INT_STATUS, INT_ALL,
           int_status_read, int_status_write),
    FIELD_RW("INT_ENABLE", PCM_INT_ENABLE, PcmasterState, int_enable,
             INT_ALL, int_enable_write),
    FIELD_RW("INT_VECTOR", PCM_INT_VECTOR, PcmasterState, irq.vector,
             ALL32, vector_write),
};

const PcmRegisterTable pcm_device_registers = {
    device_registers, ARRAY_SIZE(device_registers)
};

/* --- Exerciser ---------------------------------------------------------- */

static void ex_command_write(PcmasterState *s, unsigned index, uint64_t value)
{
    pcm_exerciser_command(s, value);
}

static uint64_t ex_status_read(PcmasterState *s, unsigned index)
{
    return (s->exerciser.phase != PCM_EX_IDLE ? PCM_EX_BUSY : 0) |
           s->exerciser.result << 4;
}

static const PcmRegister exerciser_registers[] = {
    WO("EX_COMMAND", PCM_EX_COMMAND, ALL32, ex_command_write),
    RO("EX_STATUS", PCM_EX_STATUS, ex_status_read),
    FIELD_RW("EX_ADDR", PCM_EX_ADDR, PcmasterState, exerciser.address,
             ALL64, NULL),
    FIELD_RW("EX_LENGTH", PCM_EX_LENGTH, PcmasterState, exerciser.length,
             ALL32, NULL),
    FIELD_RW("EX_SEED", PCM_EX_SEED, PcmasterState, exerciser.seed,
             ALL64, NULL),
    FIELD_RO("EX_DONE", PCM_EX_DONE, PcmasterState, exerciser.done),
    FIELD_RO("EX_MISMATCHES", PCM_EX_MISMATCHES, PcmasterState,
             exerciser.mismatches),
    FIELD_RO("EX_FIRST_MISMATCH", PCM_EX_FIRST_MISMATCH, PcmasterState,
             exerciser.first_mismatch),
    FIELD_RO("EX_MISMATCH_BYTES", PCM_EX_MISMATCH_BYTES, PcmasterState,
             exerciser.mismatch_bytes),
    FIELD_RO("EX_CHECKSUM_VALUE", PCM_EX_CHECKSUM_VALUE, PcmasterState,
             exerciser.checksum),
    FIELD_RO("EX_NODELESS", PCM_EX_NODELESS, PcmasterState,
             exerciser.places.nodeless),
};

const PcmRegisterTable pcm_exerciser_registers = {
    exerciser_registers, ARRAY_SIZE(exerciser_registers)
};

/* --- Fault injection ---------------------------------------------------- */

#define INJECTION(name_) \
    { .name = "INJ_" #name_, .offset = PCM_INJ_##name_, .field = NO_FIELD, \
      .number = PCM_INJECTION_SETTING(PCM_INJ_##name_), \
      .accepts_writes = true, .writable = ALL32, \
      .read = pcm_injection_guest_read, .write = pcm_injection_guest_write }

static const PcmRegister injection_registers[] = {
    INJECTION(IRQ_DELAY),
    INJECTION(IRQ_LOSE),
    INJECTION(IRQ_REPEAT),
    INJECTION(STUCK),
    INJECTION(REQUESTERS),
    INJECTION(FLIP),
    INJECTION(FLIP_OFFSET),
    INJECTION(FLIP_MASK),
    INJECTION(CUT),
    INJECTION(CUT_LENGTH),
    INJECTION(SILENCE),
};

QEMU_BUILD_BUG_ON(ARRAY_SIZE(injection_registers) != PCM_INJECTION_SETTINGS);

const PcmRegisterTable pcm_injection_registers = {
    injection_registers, ARRAY_SIZE(injection_registers)
};
