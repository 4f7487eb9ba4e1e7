/* SPDX-License-Identifier: MIT */
/*
 * The tables of fixed layout: SRAT (ACPI 5.2.16), SLIT (5.2.17), MADT (5.2.12),
 * MCFG and HPET.
 */
#include "acpi.h"

#include "../include/bytes.h"
#include "acpi_internal.h"

/* Sub-tables of the SRAT and the MADT begin with a type and a length. */
#define ENTRY_HEADER_SIZE 2u

#define ENTRY_ENABLED 1u

#define SRAT_ENTRIES 48u
#define SRAT_LOCAL_APIC 0u
#define SRAT_MEMORY 1u
#define SRAT_X2APIC 2u
#define SRAT_HOT_PLUGGABLE 2u
#define SRAT_NON_VOLATILE 4u

#define SLIT_COUNT 36u
#define SLIT_DISTANCES 44u
#define SLIT_LOCAL 10u
#define SLIT_UNREACHABLE 255u

#define MADT_LOCAL_APIC_ADDRESS 36u
#define MADT_FLAGS 40u
#define MADT_ENTRIES 44u
#define MADT_HAS_8259 1u
#define MADT_LOCAL_APIC 0u
#define MADT_IO_APIC 1u
#define MADT_ADDRESS_OVERRIDE 5u
#define MADT_X2APIC 9u

#define MCFG_ENTRIES 44u
#define MCFG_ENTRY_SIZE 16u
#define MCFG_BUS_SHIFT 20 /* 32 devices, 8 functions, 4 KiB each */

#define HPET_ADDRESS_SPACE 40u
#define HPET_ADDRESS 44u
#define HPET_NUMBER 52u
#define HPET_MINIMUM_TICK 53u
#define HPET_SIZE 56u
#define SPACE_MEMORY 0u

/* Reads one sub-table of `length` bytes into the output. */
typedef enum acpi_status entry_fn(void *output, const struct acpi_table *table,
                                  const uint8_t *entry, uint8_t length);

static enum acpi_status for_each_entry(const struct acpi_table *table,
                                       uint32_t offset, entry_fn *read,
                                       void *output)
{
    while (offset < table->length) {
        const uint8_t *entry = table->bytes + offset;
        uint32_t left = table->length - offset;
        if (left < ENTRY_HEADER_SIZE || entry[1] < ENTRY_HEADER_SIZE ||
            entry[1] > left) {
            return ACPI_BAD_LENGTH;
        }
        enum acpi_status status = read(output, table, entry, entry[1]);
        if (status != ACPI_OK) {
            return status;
        }
        offset += entry[1];
    }
    return ACPI_OK;
}

/* Firmware may list one processor both as APIC and as x2APIC. */
static enum acpi_status add_processor(struct acpi_processor *list,
                                      uint32_t *count, uint32_t apic_id,
                                      uint32_t domain)
{
    for (uint32_t i = 0; i < *count; i++) {
        if (list[i].apic_id == apic_id) {
            return list[i].domain == domain ? ACPI_OK : ACPI_CONFLICT;
        }
    }
    if (*count == ACPI_MAX_PROCESSORS) {
        return ACPI_TOO_MANY;
    }
    list[*count] = (struct acpi_processor){ apic_id, domain };
    ++*count;
    return ACPI_OK;
}

/*
 * A range that may be plugged later, or is persistent, is an announcement: it
 * may lie around others.
 */
static bool is_ordinary(const struct acpi_memory *memory)
{
    return !memory->hot_pluggable && !memory->non_volatile;
}

static bool overlap(const struct acpi_memory *a, const struct acpi_memory *b)
{
    return a->base - b->base < b->length || b->base - a->base < a->length;
}

static enum acpi_status add_memory(struct acpi_srat *srat,
                                   const struct acpi_memory *memory)
{
    uint32_t at = srat->memory_count;
    if (memory->length - 1 > UINT64_MAX - memory->base) {
        return ACPI_BAD_VALUE;
    }
    for (uint32_t i = 0; i < srat->memory_count; i++) {
        if (is_ordinary(memory) && is_ordinary(&srat->memory[i]) &&
            overlap(memory, &srat->memory[i])) {
            return ACPI_CONFLICT;
        }
    }
    if (srat->memory_count == ACPI_MAX_MEMORY) {
        return ACPI_TOO_MANY;
    }
    while (at > 0 && srat->memory[at - 1].base > memory->base) {
        srat->memory[at] = srat->memory[at - 1];
        at--;
    }
    srat->memory[at] = *memory;
    srat->memory_count++;
    return ACPI_OK;
}

/* In revision 1 the bytes above the first of a domain are reserved. */
static uint32_t domain_of(const struct acpi_table *table, uint32_t domain)
{
    return table->bytes[ACPI_HEADER_REVISION] < 2 ? domain & 0xFF : domain;
}

static enum acpi_status read_memory_affinity(struct acpi_srat *srat,
                                             const struct acpi_table *table,
                                             const uint8_t *entry)
{
    uint32_t flags = read32(entry + 28);
    struct acpi_memory memory = {
        .base = read64(entry + 8),
        .length = read64(entry + 16),
        .domain = domain_of(table, read32(entry + 2)),
        .hot_pluggable = (flags & SRAT_HOT_PLUGGABLE) != 0,
        .non_volatile = (flags & SRAT_NON_VOLATILE) != 0,
    };
    if ((flags & ENTRY_ENABLED) == 0 || memory.length == 0) {
        return ACPI_OK;
    }
    return add_memory(srat, &memory);
}

static enum acpi_status read_processor_affinity(struct acpi_srat *srat,
                                                const struct acpi_table *table,
                                                const uint8_t *entry)
{
    bool x2apic = entry[0] == SRAT_X2APIC;
    uint32_t flags = read32(entry + (x2apic ? 12 : 4));
    uint32_t apic_id = x2apic ? read32(entry + 8) : entry[3];
    uint32_t domain = x2apic ? read32(entry + 4)
                             : entry[2] | (read32(entry + 8) & 0xFFFFFF00u);
    if ((flags & ENTRY_ENABLED) == 0) {
        return ACPI_OK;
    }
    return add_processor(srat->processor, &srat->processor_count, apic_id,
                         domain_of(table, domain));
}

static enum acpi_status read_srat_entry(void *output,
                                        const struct acpi_table *table,
                                        const uint8_t *entry, uint8_t length)
{
    switch (entry[0]) {
    case SRAT_MEMORY:
        return length != 40 ? ACPI_BAD_LENGTH
                            : read_memory_affinity(output, table, entry);
    case SRAT_LOCAL_APIC:
        return length != 16 ? ACPI_BAD_LENGTH
                            : read_processor_affinity(output, table, entry);
    case SRAT_X2APIC:
        return length != 24 ? ACPI_BAD_LENGTH
                            : read_processor_affinity(output, table, entry);
    default:
        return ACPI_OK;
    }
}

enum acpi_status acpi_read_srat(const struct acpi_table *table,
                                struct acpi_srat *srat)
{
    memset(srat, 0, sizeof *srat);
    enum acpi_status status = acpi_expect(table, "SRAT", SRAT_ENTRIES);
    if (status == ACPI_OK) {
        status = for_each_entry(table, SRAT_ENTRIES, read_srat_entry, srat);
    }
    if (status != ACPI_OK) {
        memset(srat, 0, sizeof *srat);
    }
    return status;
}

static bool is_distance(uint32_t from, uint32_t to, uint8_t distance)
{
    return from == to ? distance == SLIT_LOCAL : distance >= SLIT_LOCAL;
}

enum acpi_status acpi_read_slit(const struct acpi_table *table,
                                struct acpi_slit *slit)
{
    memset(slit, 0, sizeof *slit);
    enum acpi_status status = acpi_expect(table, "SLIT", SLIT_DISTANCES);
    if (status != ACPI_OK) {
        return status;
    }
    uint64_t wide = read64(table->bytes + SLIT_COUNT);
    if (wide > ACPI_MAX_DOMAINS) {
        return ACPI_TOO_MANY;
    }
    uint32_t count = (uint32_t)wide;
    if (table->length - SLIT_DISTANCES < count * count) {
        return ACPI_BAD_LENGTH;
    }
    const uint8_t *distance = table->bytes + SLIT_DISTANCES;
    for (uint32_t i = 0; i < count * count; i++) {
        if (!is_distance(i / count, i % count, distance[i])) {
            return ACPI_BAD_VALUE;
        }
    }
    for (uint32_t from = 0; from < count; from++) {
        memcpy(slit->distance[from], distance + from * count, count);
    }
    slit->count = count;
    return ACPI_OK;
}

uint8_t acpi_distance(const struct acpi_slit *slit, uint32_t from, uint32_t to)
{
    if (from >= slit->count || to >= slit->count) {
        return SLIT_UNREACHABLE;
    }
    return slit->distance[from][to];
}

static enum acpi_status add_segment(struct acpi_mcfg *mcfg,
                                    const struct acpi_segment *segment)
{
    uint64_t end = ((uint64_t)segment->last_bus + 1) << MCFG_BUS_SHIFT;
    if (segment->first_bus > segment->last_bus ||
        segment->base % (1u << MCFG_BUS_SHIFT) != 0 ||
        segment->base > UINT64_MAX - end) {
        return ACPI_BAD_VALUE;
    }
    for (uint32_t i = 0; i < mcfg->count; i++) {
        const struct acpi_segment *other = &mcfg->segment[i];
        if (segment->segment == other->segment &&
            segment->first_bus <= other->last_bus &&
            other->first_bus <= segment->last_bus) {
            return ACPI_CONFLICT;
        }
    }
    if (mcfg->count == ACPI_MAX_SEGMENTS) {
        return ACPI_TOO_MANY;
    }
    mcfg->segment[mcfg->count++] = *segment;
    return ACPI_OK;
}

enum acpi_status acpi_read_mcfg(const struct acpi_table *table,
                                struct acpi_mcfg *mcfg)
{
    memset(mcfg, 0, sizeof *mcfg);
    enum acpi_status status = acpi_expect(table, "MCFG", MCFG_ENTRIES);
    if (status != ACPI_OK) {
        return status;
    }
    if ((table->length - MCFG_ENTRIES) % MCFG_ENTRY_SIZE != 0) {
        return ACPI_BAD_LENGTH;
    }
    for (uint32_t at = MCFG_ENTRIES; at < table->length && status == ACPI_OK;
         at += MCFG_ENTRY_SIZE) {
        const uint8_t *entry = table->bytes + at;
        struct acpi_segment segment = { .base = read64(entry),
                                        .segment = read16(entry + 8),
                                        .first_bus = entry[10],
                                        .last_bus = entry[11] };
        status = add_segment(mcfg, &segment);
    }
    if (status != ACPI_OK) {
        memset(mcfg, 0, sizeof *mcfg);
    }
    return status;
}

enum acpi_status acpi_read_hpet(const struct acpi_table *table,
                                struct acpi_hpet *hpet)
{
    memset(hpet, 0, sizeof *hpet);
    enum acpi_status status = acpi_expect(table, "HPET", HPET_SIZE);
    if (status != ACPI_OK) {
        return status;
    }
    uint64_t base = read64(table->bytes + HPET_ADDRESS);
    if (table->bytes[HPET_ADDRESS_SPACE] != SPACE_MEMORY || base == 0) {
        return ACPI_BAD_VALUE;
    }
    hpet->base = base;
    hpet->number = table->bytes[HPET_NUMBER];
    hpet->minimum_tick = read16(table->bytes + HPET_MINIMUM_TICK);
    return ACPI_OK;
}

static enum acpi_status add_io_apic(struct acpi_madt *madt,
                                    const uint8_t *entry)
{
    if (madt->io_apic_count == ACPI_MAX_IO_APICS) {
        return ACPI_TOO_MANY;
    }
    madt->io_apic[madt->io_apic_count++] =
        (struct acpi_io_apic){ .base = read32(entry + 4),
                               .first_interrupt = read32(entry + 8),
                               .id = entry[2] };
    return ACPI_OK;
}

static enum acpi_status add_enabled(struct acpi_madt *madt, uint32_t apic_id,
                                    uint32_t flags)
{
    if ((flags & ENTRY_ENABLED) == 0) {
        return ACPI_OK;
    }
    return add_processor(madt->processor, &madt->processor_count, apic_id, 0);
}

static enum acpi_status read_madt_entry(void *output,
                                        const struct acpi_table *table,
                                        const uint8_t *entry, uint8_t length)
{
    static const uint8_t size[] = { [MADT_LOCAL_APIC] = 8,
                                    [MADT_IO_APIC] = 12,
                                    [MADT_ADDRESS_OVERRIDE] = 12,
                                    [MADT_X2APIC] = 16 };
    struct acpi_madt *madt = output;
    uint8_t type = entry[0];
    (void)table;
    if (type < sizeof size && size[type] != 0 && size[type] != length) {
        return ACPI_BAD_LENGTH;
    }
    switch (type) {
    case MADT_LOCAL_APIC:
        return add_enabled(madt, entry[3], read32(entry + 4));
    case MADT_X2APIC:
        return add_enabled(madt, read32(entry + 4), read32(entry + 8));
    case MADT_IO_APIC:
        return add_io_apic(madt, entry);
    case MADT_ADDRESS_OVERRIDE:
        madt->local_apic = read64(entry + 4);
        return ACPI_OK;
    default:
        return ACPI_OK;
    }
}

enum acpi_status acpi_read_madt(const struct acpi_table *table,
                                struct acpi_madt *madt)
{
    memset(madt, 0, sizeof *madt);
    enum acpi_status status = acpi_expect(table, "APIC", MADT_ENTRIES);
    if (status != ACPI_OK) {
        return status;
    }
    madt->local_apic = read32(table->bytes + MADT_LOCAL_APIC_ADDRESS);
    madt->has_8259 = (read32(table->bytes + MADT_FLAGS) & MADT_HAS_8259) != 0;
    status = for_each_entry(table, MADT_ENTRIES, read_madt_entry, madt);
    if (status != ACPI_OK) {
        memset(madt, 0, sizeof *madt);
    }
    return status;
}
