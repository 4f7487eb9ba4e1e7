/* SPDX-License-Identifier: MIT */
/*
 * The DMA remapping table (Intel VT-d specification 8.1 to 8.4): which IOMMU
 * serves which devices, and memory that firmware goes on using by DMA.
 */
#include "acpi.h"

#include "../include/bytes.h"
#include "acpi_internal.h"

#define DMAR_STRUCTURES 48u
#define STRUCTURE_HEADER_SIZE 4u
#define DRHD 0u
#define DRHD_INCLUDE_ALL 1u
#define DRHD_SCOPES 16u
#define RMRR 1u
#define RMRR_SCOPES 24u

#define SCOPE_HEADER_SIZE 6u
#define SCOPE_ENDPOINT 1u
#define SCOPE_BRIDGE 2u

#define PAGE 4096u
#define SIZE_MASK 15u /* the registers take 2^n pages */

static bool overlap(uint64_t a, uint64_t a_last, uint64_t b, uint64_t b_last)
{
    return a <= b_last && b <= a_last;
}

/* Scopes of other types are no PCI functions: I/O APICs, HPETs, ACPI names. */
static enum acpi_status add_scope(struct acpi_dmar *dmar, uint32_t owner,
                                  bool reserved, const uint8_t *entry,
                                  uint8_t length)
{
    struct acpi_scope scope = { .owner = owner,
                                .reserved = reserved,
                                .bridge = entry[0] == SCOPE_BRIDGE,
                                .start_bus = entry[5],
                                .hops = (length - SCOPE_HEADER_SIZE) / 2 };
    if (entry[0] != SCOPE_ENDPOINT && entry[0] != SCOPE_BRIDGE) {
        return ACPI_OK;
    }
    if (scope.hops > ACPI_MAX_HOPS || dmar->scope_count == ACPI_MAX_SCOPES) {
        return ACPI_TOO_MANY;
    }
    for (uint32_t i = 0; i < scope.hops; i++) {
        const uint8_t *hop = entry + SCOPE_HEADER_SIZE + 2 * i;
        if (hop[0] > 31 || hop[1] > 7) {
            return ACPI_BAD_VALUE;
        }
        scope.devfn[i] = (uint8_t)(hop[0] << 3 | hop[1]);
    }
    dmar->scope[dmar->scope_count++] = scope;
    return ACPI_OK;
}

static enum acpi_status read_scopes(struct acpi_dmar *dmar, uint32_t owner,
                                    bool reserved, const uint8_t *from,
                                    uint32_t length)
{
    enum acpi_status status = ACPI_OK;
    while (length > 0 && status == ACPI_OK) {
        /* A path has at least one hop, of two bytes. */
        if (length < SCOPE_HEADER_SIZE || from[1] < SCOPE_HEADER_SIZE + 2 ||
            from[1] > length || from[1] % 2 != 0) {
            return ACPI_BAD_LENGTH;
        }
        status = add_scope(dmar, owner, reserved, from, from[1]);
        length -= from[1];
        from += from[1];
    }
    return status;
}

static bool unit_conflicts(const struct acpi_unit *a, const struct acpi_unit *b)
{
    return overlap(a->base, a->base + (a->length - 1), b->base,
                   b->base + (b->length - 1)) ||
           (a->include_all && b->include_all && a->segment == b->segment);
}

static enum acpi_status read_unit(struct acpi_dmar *dmar, const uint8_t *entry,
                                  uint32_t length)
{
    if (length < DRHD_SCOPES) {
        return ACPI_BAD_LENGTH;
    }
    struct acpi_unit unit = { .base = read64(entry + 8),
                              .length = PAGE << (entry[5] & SIZE_MASK),
                              .segment = read16(entry + 6),
                              .include_all =
                                  (entry[4] & DRHD_INCLUDE_ALL) != 0 };
    if (unit.base == 0 || unit.base % PAGE != 0 ||
        unit.length - 1 > UINT64_MAX - unit.base) {
        return ACPI_BAD_VALUE;
    }
    for (uint32_t i = 0; i < dmar->unit_count; i++) {
        if (unit_conflicts(&unit, &dmar->unit[i])) {
            return ACPI_CONFLICT;
        }
    }
    if (dmar->unit_count == ACPI_MAX_UNITS) {
        return ACPI_TOO_MANY;
    }
    dmar->unit[dmar->unit_count] = unit;
    return read_scopes(dmar, dmar->unit_count++, false, entry + DRHD_SCOPES,
                       length - DRHD_SCOPES);
}

static enum acpi_status read_reserved(struct acpi_dmar *dmar,
                                      const uint8_t *entry, uint32_t length)
{
    if (length < RMRR_SCOPES) {
        return ACPI_BAD_LENGTH;
    }
    struct acpi_reserved range = { .base = read64(entry + 8),
                                   .last = read64(entry + 16),
                                   .segment = read16(entry + 6) };
    if (range.base % PAGE != 0 || range.last % PAGE != PAGE - 1 ||
        range.last < range.base) {
        return ACPI_BAD_VALUE;
    }
    for (uint32_t i = 0; i < dmar->reserved_count; i++) {
        const struct acpi_reserved *other = &dmar->reserved[i];
        if (range.segment == other->segment &&
            overlap(range.base, range.last, other->base, other->last)) {
            return ACPI_CONFLICT;
        }
    }
    if (dmar->reserved_count == ACPI_MAX_RESERVED) {
        return ACPI_TOO_MANY;
    }
    dmar->reserved[dmar->reserved_count] = range;
    return read_scopes(dmar, dmar->reserved_count++, true, entry + RMRR_SCOPES,
                       length - RMRR_SCOPES);
}

static enum acpi_status read_structures(const struct acpi_table *table,
                                        struct acpi_dmar *dmar)
{
    enum acpi_status status = ACPI_OK;
    uint32_t at = DMAR_STRUCTURES;
    while (at < table->length && status == ACPI_OK) {
        const uint8_t *entry = table->bytes + at;
        uint32_t left = table->length - at;
        if (left < STRUCTURE_HEADER_SIZE ||
            read16(entry + 2) < STRUCTURE_HEADER_SIZE ||
            read16(entry + 2) > left) {
            return ACPI_BAD_LENGTH;
        }
        uint32_t length = read16(entry + 2);
        if (read16(entry) == DRHD) {
            status = read_unit(dmar, entry, length);
        } else if (read16(entry) == RMRR) {
            status = read_reserved(dmar, entry, length);
        }
        at += length;
    }
    return status;
}

enum acpi_status acpi_read_dmar(const struct acpi_table *table,
                                struct acpi_dmar *dmar)
{
    memset(dmar, 0, sizeof *dmar);
    enum acpi_status status = acpi_expect(table, "DMAR", DMAR_STRUCTURES);
    if (status == ACPI_OK) {
        status = read_structures(table, dmar);
    }
    if (status != ACPI_OK) {
        memset(dmar, 0, sizeof *dmar);
    }
    return status;
}

/*
 * A scope's path starts on a bus that the function's way from the root passes:
 * that of an endpoint ends with the function, that of a bridge before it, or
 * with the bridge itself.
 */
static bool scope_holds(const struct acpi_scope *scope,
                        const struct acpi_hop *way, uint32_t count)
{
    uint32_t at = 0;
    while (at < count && way[at].bus != scope->start_bus) {
        at++;
    }
    uint32_t left = count - at;
    if (scope->bridge ? scope->hops > left : scope->hops != left) {
        return false;
    }
    for (uint32_t i = 0; i < scope->hops; i++) {
        if (way[at + i].devfn != scope->devfn[i]) {
            return false;
        }
    }
    return true;
}

static bool holds(const struct acpi_dmar *dmar, uint32_t owner, bool reserved,
                  const struct acpi_hop *way, uint32_t count)
{
    for (uint32_t i = 0; i < dmar->scope_count; i++) {
        const struct acpi_scope *scope = &dmar->scope[i];
        if (scope->owner == owner && scope->reserved == reserved &&
            scope_holds(scope, way, count)) {
            return true;
        }
    }
    return false;
}

uint32_t acpi_dmar_unit(const struct acpi_dmar *dmar, uint16_t segment,
                        const struct acpi_hop *way, uint32_t count)
{
    uint32_t rest = ACPI_NO_UNIT;
    for (uint32_t i = 0; i < dmar->unit_count; i++) {
        if (dmar->unit[i].segment != segment) {
            continue;
        }
        if (holds(dmar, i, false, way, count)) {
            return i;
        }
        if (dmar->unit[i].include_all) {
            rest = i;
        }
    }
    return rest;
}

bool acpi_dmar_reserves(const struct acpi_dmar *dmar, uint32_t range,
                        uint16_t segment, const struct acpi_hop *way,
                        uint32_t count)
{
    return range < dmar->reserved_count &&
           dmar->reserved[range].segment == segment &&
           holds(dmar, range, true, way, count);
}
