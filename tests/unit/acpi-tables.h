/* SPDX-License-Identifier: MIT */
/*
 * ACPI tables for the tests, built from the specification: a machine like QEMU's
 * q35 with four nodes and an expander bus on node 1.
 */
#ifndef PCMASTER_TESTS_ACPI_TABLES_H
#define PCMASTER_TESTS_ACPI_TABLES_H

#include "unit.h"

#define HEADER_SIZE 36u
#define TABLE_ROOM 8192u

/* A table, or any run of bytes, under construction. */
struct bytes {
    uint32_t length;
    uint32_t structure; /* of a DMAR: where the last one begins */
    uint8_t data[TABLE_ROOM];
};

void put(struct bytes *b, const void *from, uint32_t length);
void put8(struct bytes *b, uint8_t value);
void put16(struct bytes *b, uint16_t value);
void put32(struct bytes *b, uint32_t value);
void put64(struct bytes *b, uint64_t value);

/* Empties b and writes a header; finish sets its length and checksum. */
void begin(struct bytes *b, const char *signature, uint8_t revision);
void finish(struct bytes *b);

void set_sum(uint8_t *bytes, uint32_t length, uint32_t at);

/* Entries of the SRAT (flags: 1 enabled, 2 hot-pluggable, 4 non-volatile). */
void put_srat_memory(struct bytes *b, uint64_t base, uint64_t length,
                     uint32_t domain, uint32_t flags);
void put_srat_apic(struct bytes *b, uint8_t id, uint32_t domain,
                   uint32_t flags);
void put_srat_x2apic(struct bytes *b, uint32_t id, uint32_t domain,
                     uint32_t flags);
void begin_srat(struct bytes *b, uint8_t revision);

void begin_slit(struct bytes *b, uint64_t count);

void begin_madt(struct bytes *b, uint32_t local_apic, uint32_t flags);
void put_madt_apic(struct bytes *b, uint8_t id, uint32_t flags);

void begin_mcfg(struct bytes *b);
void put_mcfg(struct bytes *b, uint64_t base, uint16_t segment, uint8_t first,
              uint8_t last);

/*
 * The DMAR's structures. A structure's scopes follow it; each lengthens it. The
 * path is devices << 3 | function.
 */
void begin_dmar(struct bytes *b);
void put_dmar_unit(struct bytes *b, uint64_t base, uint16_t segment,
                   bool include_all);
void put_dmar_reserved(struct bytes *b, uint64_t base, uint64_t last,
                       uint16_t segment);
void put_dmar_scope(struct bytes *b, uint8_t type, uint8_t start_bus,
                    const uint8_t *path, uint8_t hops);

/* A Device with the given contents; its package length takes `more` + 1 bytes. */
void put_device(struct bytes *b, const char *name, unsigned more,
                const struct bytes *contents);
/* Name (name, value) with the given prefix (0: ZeroOp or OneOp). */
void put_constant(struct bytes *b, const char *name, uint8_t prefix,
                  uint64_t value);

/* The whole tables of the example machine. */
enum { SRAT, SLIT, MCFG, HPET, MADT, DMAR, FADT, DSDT, TABLE_COUNT };
extern const char *const table_names[TABLE_COUNT];
void build_table(struct bytes *b, int which, uint64_t dsdt);

#endif
