/*
 * pcmaster: how a block of registers is described
 *
 * One table for each block of registers says what they are called, which of
 * their bits can be written and where they are kept.  Registers with effects
 * of their own have functions.  docs/specs/pcmaster.rst is the reference.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_AUDIO_PCMASTER_REGISTERS_H
#define HW_AUDIO_PCMASTER_REGISTERS_H

#include "pcmaster.h"

#define NO_FIELD    SIZE_MAX

typedef struct PcmRegister {
    const char *name;
    uint16_t offset;
    bool wide;                  /* 64 bits: a pair, the low half first */
    bool write_only;
    bool accepts_writes;
    uint8_t number;             /* added to the functions' index */
    uint64_t writable;          /* bits that are not reserved */
    size_t field;               /* in the block's element, or NO_FIELD */
    uint64_t (*read)(PcmasterState *s, unsigned index);
    void (*write)(PcmasterState *s, unsigned index, uint64_t value);
} PcmRegister;

#define RO(name_, offset_, function) \
    { .name = name_, .offset = offset_, .field = NO_FIELD, .read = function }
#define RO64(name_, offset_, function) \
    { .name = name_, .offset = offset_, .field = NO_FIELD, .wide = true, \
      .read = function }
#define WO(name_, offset_, bits, function) \
    { .name = name_, .offset = offset_, .field = NO_FIELD, \
      .write_only = true, .accepts_writes = true, .writable = bits, \
      .write = function }
#define EFFECT(name_, offset_, bits, on_read, on_write) \
    { .name = name_, .offset = offset_, .field = NO_FIELD, \
      .accepts_writes = true, .writable = bits, \
      .read = on_read, .write = on_write }
#define FIELD_RO(name_, offset_, type, member) \
    { .name = name_, .offset = offset_, .field = offsetof(type, member), \
      .wide = sizeof_field(type, member) == 8 }
#define FIELD_RW(name_, offset_, type, member, bits, function) \
    { .name = name_, .offset = offset_, .field = offsetof(type, member), \
      .wide = sizeof_field(type, member) == 8, .accepts_writes = true, \
      .writable = bits, .write = function }

#define ALL32       UINT32_MAX
#define ALL64       UINT64_MAX

typedef struct PcmRegisterTable {
    const PcmRegister *registers;
    unsigned count;
} PcmRegisterTable;

extern const PcmRegisterTable pcm_device_registers;
extern const PcmRegisterTable pcm_port_registers;
extern const PcmRegisterTable pcm_log_registers;
extern const PcmRegisterTable pcm_exerciser_registers;
extern const PcmRegisterTable pcm_injection_registers;
extern const PcmRegisterTable pcm_window_registers;
extern const PcmRegisterTable pcm_node_bytes_registers;
extern const PcmRegisterTable pcm_node_lowest_registers;
extern const PcmRegisterTable pcm_node_distance_registers;
extern const PcmRegisterTable pcm_accounting_registers;
extern const PcmRegisterTable pcm_count_registers;
extern const PcmRegisterTable pcm_stream_registers;
extern const PcmRegisterTable pcm_group_registers;

/* Is there such a vector?  If not, @name is reported to be set to it. */
bool pcm_vector_valid(const char *name, uint64_t vector);

#endif /* HW_AUDIO_PCMASTER_REGISTERS_H */
