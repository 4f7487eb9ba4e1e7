/* SPDX-License-Identifier: MIT */
/*
 * Finds host bridges and their proximity domains in AML (ACPI chapter 20.2)
 * without interpreting it: constants named _BBN (6.5.5) and _PXM (6.2.14), and
 * the extents of the Devices around them, stand in the byte code as they are.
 */
#include "acpi.h"

#include "../include/bytes.h"
#include "acpi_internal.h"

#define EXT_PREFIX 0x5B
#define DEVICE_OP 0x82
#define NAME_OP 0x08
#define ZERO_OP 0x00
#define ONE_OP 0x01
#define BYTE_PREFIX 0x0A
#define WORD_PREFIX 0x0B
#define DWORD_PREFIX 0x0C
#define QWORD_PREFIX 0x0E

#define NAME_SIZE 4u
#define MAX_BUS 255u

/* Devices inside each other; real machines have less than ten. */
#define MAX_DEPTH 64

struct device {
    uint32_t end;
    bool has_bus;
    bool has_domain;
    uint64_t bus;
    uint64_t domain;
};

struct scan {
    const uint8_t *aml;
    struct acpi_bridges *bridges;
    unsigned depth;
    struct device stack[MAX_DEPTH + 1]; /* [0] is the whole table */
};

static bool begins_name(uint8_t byte)
{
    return (byte >= 'A' && byte <= 'Z') || byte == '_' || byte == '\\' ||
           byte == '^' || byte == '.' || byte == '/';
}

/*
 * Is there a Device at `at`? Its package (20.2.4) must end within `limit`; *end
 * is where, *body where the package's contents begin.
 */
static bool device_at(const uint8_t *aml, uint32_t at, uint32_t limit,
                      uint32_t *body, uint32_t *end)
{
    if (limit - at < 4 || aml[at] != EXT_PREFIX || aml[at + 1] != DEVICE_OP) {
        return false;
    }
    uint32_t lead = at + 2;
    uint32_t more = aml[lead] >> 6;
    if (limit - lead <= more + 1) {
        return false;
    }
    uint32_t length = aml[lead] & (more == 0 ? 0x3Fu : 0x0Fu);
    for (uint32_t i = 0; i < more; i++) {
        length |= (uint32_t)aml[lead + 1 + i] << (4 + 8 * i);
    }
    *body = lead + 1 + more;
    *end = lead + length;
    return length > more + 1 && length <= limit - lead &&
           begins_name(aml[*body]);
}

/* Reads an integer constant of at most `left` bytes; returns its size or 0. */
static uint32_t read_integer(const uint8_t *from, uint32_t left,
                             uint64_t *value)
{
    uint8_t prefix = left == 0 ? 0xFF : from[0];
    *value = prefix;
    if (prefix == ZERO_OP || prefix == ONE_OP) {
        return 1;
    }
    if (prefix == BYTE_PREFIX && left > 1) {
        *value = from[1];
        return 2;
    }
    if (prefix == WORD_PREFIX && left > 2) {
        *value = read16(from + 1);
        return 3;
    }
    if (prefix == DWORD_PREFIX && left > 4) {
        *value = read32(from + 1);
        return 5;
    }
    if (prefix == QWORD_PREFIX && left > 8) {
        *value = read64(from + 1);
        return 9;
    }
    return 0;
}

/* Returns the size of the definition of `name` at `from`, 0 if it is none. */
static uint32_t read_constant(const uint8_t *from, uint32_t left,
                              const char *name, uint64_t *value)
{
    if (left <= 1 + NAME_SIZE || from[0] != NAME_OP ||
        memcmp(from + 1, name, NAME_SIZE) != 0) {
        return 0;
    }
    uint32_t size = read_integer(from + 1 + NAME_SIZE, left - 1 - NAME_SIZE,
                                 value);
    return size == 0 ? 0 : 1 + NAME_SIZE + size;
}

static enum acpi_status add_bridge(struct acpi_bridges *bridges,
                                   const struct device *device)
{
    if (device->bus > MAX_BUS || device->domain > UINT32_MAX) {
        return ACPI_BAD_VALUE;
    }
    for (uint32_t i = 0; i < bridges->count; i++) {
        if (bridges->bridge[i].bus == device->bus) {
            return bridges->bridge[i].domain == device->domain ? ACPI_OK
                                                               : ACPI_CONFLICT;
        }
    }
    if (bridges->count == ACPI_MAX_BRIDGES) {
        return ACPI_TOO_MANY;
    }
    bridges->bridge[bridges->count++] = (struct acpi_bridge){
        (uint32_t)device->bus, (uint32_t)device->domain
    };
    return ACPI_OK;
}

/* Leaves the Devices that end at or before `at`. */
static enum acpi_status leave(struct scan *scan, uint32_t at)
{
    enum acpi_status status = ACPI_OK;
    while (status == ACPI_OK && scan->depth > 0 &&
           scan->stack[scan->depth].end <= at) {
        const struct device *device = &scan->stack[scan->depth--];
        if (device->has_bus && device->has_domain) {
            status = add_bridge(scan->bridges, device);
        }
    }
    return status;
}

/* Takes in what is at *at, and moves *at behind what was understood of it. */
static enum acpi_status step(struct scan *scan, uint32_t *at)
{
    struct device *device = &scan->stack[scan->depth];
    const uint8_t *from = scan->aml + *at;
    uint32_t left = device->end - *at;
    uint32_t body;
    uint32_t end;
    uint64_t value;
    uint32_t size;
    if (device_at(scan->aml, *at, device->end, &body, &end)) {
        if (scan->depth == MAX_DEPTH) {
            return ACPI_TOO_MANY;
        }
        scan->stack[++scan->depth] = (struct device){ .end = end };
        *at = body;
    } else if ((size = read_constant(from, left, "_BBN", &value)) != 0) {
        device->has_bus = true;
        device->bus = value;
        *at += size;
    } else if ((size = read_constant(from, left, "_PXM", &value)) != 0) {
        device->has_domain = true;
        device->domain = value;
        *at += size;
    } else {
        ++*at;
    }
    return ACPI_OK;
}

enum acpi_status acpi_read_bridges(const struct acpi_table *table,
                                   struct acpi_bridges *bridges)
{
    struct scan scan = { .aml = table->bytes, .bridges = bridges };
    uint32_t at = ACPI_HEADER_SIZE;
    memset(bridges, 0, sizeof *bridges);
    enum acpi_status status = acpi_expect(table, "DSDT", ACPI_HEADER_SIZE);
    if (status == ACPI_BAD_SIGNATURE) {
        status = acpi_expect(table, "SSDT", ACPI_HEADER_SIZE);
    }
    scan.stack[0].end = table->length;
    while (status == ACPI_OK && at < table->length) {
        status = step(&scan, &at);
        if (status == ACPI_OK) {
            status = leave(&scan, at);
        }
    }
    if (status != ACPI_OK) {
        memset(bridges, 0, sizeof *bridges);
    }
    return status;
}
