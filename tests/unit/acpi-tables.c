/* SPDX-License-Identifier: MIT */
/* Builds ACPI tables for the tests; see the header. */
#include "acpi-tables.h"

const char *const table_names[TABLE_COUNT] = { "SRAT", "SLIT", "MCFG", "HPET",
                                               "APIC", "DMAR", "FACP",
                                               "DSDT" };

void put(struct bytes *b, const void *from, uint32_t length)
{
    assert_true(length <= TABLE_ROOM - b->length);
    memcpy(b->data + b->length, from, length);
    b->length += length;
}

void put8(struct bytes *b, uint8_t value)
{
    put(b, &value, sizeof value);
}

void put16(struct bytes *b, uint16_t value)
{
    put(b, &value, sizeof value);
}

void put32(struct bytes *b, uint32_t value)
{
    put(b, &value, sizeof value);
}

void put64(struct bytes *b, uint64_t value)
{
    put(b, &value, sizeof value);
}

void set_sum(uint8_t *bytes, uint32_t length, uint32_t at)
{
    uint8_t sum = 0;
    bytes[at] = 0;
    for (uint32_t i = 0; i < length; i++) {
        sum = (uint8_t)(sum + bytes[i]);
    }
    bytes[at] = (uint8_t)-sum;
}

void begin(struct bytes *b, const char *signature, uint8_t revision)
{
    memset(b, 0, sizeof *b);
    memcpy(b->data, signature, 4);
    b->data[8] = revision;
    memcpy(b->data + 10, "TESTOEMEXAMPLE  ", 14);
    b->length = HEADER_SIZE;
}

void finish(struct bytes *b)
{
    memcpy(b->data + 4, &b->length, 4);
    set_sum(b->data, b->length, 9);
}

void begin_srat(struct bytes *b, uint8_t revision)
{
    begin(b, "SRAT", revision);
    put32(b, 1);
    put64(b, 0);
}

void put_srat_memory(struct bytes *b, uint64_t base, uint64_t length,
                     uint32_t domain, uint32_t flags)
{
    put8(b, 1);
    put8(b, 40);
    put32(b, domain);
    put16(b, 0);
    put64(b, base);
    put64(b, length);
    put32(b, 0);
    put32(b, flags);
    put64(b, 0);
}

void put_srat_apic(struct bytes *b, uint8_t id, uint32_t domain,
                   uint32_t flags)
{
    put8(b, 0);
    put8(b, 16);
    put8(b, (uint8_t)domain);
    put8(b, id);
    put32(b, flags);
    put32(b, domain & 0xFFFFFF00u); /* the lowest byte is the SAPIC EID */
    put32(b, 0);
}

void put_srat_x2apic(struct bytes *b, uint32_t id, uint32_t domain,
                     uint32_t flags)
{
    put8(b, 2);
    put8(b, 24);
    put16(b, 0);
    put32(b, domain);
    put32(b, id);
    put32(b, flags);
    put64(b, 0);
}

void begin_slit(struct bytes *b, uint64_t count)
{
    begin(b, "SLIT", 1);
    put64(b, count);
}

void begin_madt(struct bytes *b, uint32_t local_apic, uint32_t flags)
{
    begin(b, "APIC", 3);
    put32(b, local_apic);
    put32(b, flags);
}

void put_madt_apic(struct bytes *b, uint8_t id, uint32_t flags)
{
    put8(b, 0);
    put8(b, 8);
    put8(b, id);
    put8(b, id);
    put32(b, flags);
}

void begin_mcfg(struct bytes *b)
{
    begin(b, "MCFG", 1);
    put64(b, 0);
}

void put_mcfg(struct bytes *b, uint64_t base, uint16_t segment, uint8_t first,
              uint8_t last)
{
    put64(b, base);
    put16(b, segment);
    put8(b, first);
    put8(b, last);
    put32(b, 0);
}

void begin_dmar(struct bytes *b)
{
    begin(b, "DMAR", 1);
    put8(b, 47); /* host address width - 1 */
    put8(b, 0);
    put64(b, 0);
    put16(b, 0);
    b->structure = 0;
}

static void begin_structure(struct bytes *b, uint16_t type, uint16_t length)
{
    b->structure = b->length;
    put16(b, type);
    put16(b, length);
}

void put_dmar_unit(struct bytes *b, uint64_t base, uint16_t segment,
                   bool include_all)
{
    begin_structure(b, 0, 16);
    put8(b, include_all);
    put8(b, 0);
    put16(b, segment);
    put64(b, base);
}

void put_dmar_reserved(struct bytes *b, uint64_t base, uint64_t last,
                       uint16_t segment)
{
    begin_structure(b, 1, 24);
    put16(b, 0);
    put16(b, segment);
    put64(b, base);
    put64(b, last);
}

void put_dmar_scope(struct bytes *b, uint8_t type, uint8_t start_bus,
                    const uint8_t *path, uint8_t hops)
{
    uint16_t length;
    put8(b, type);
    put8(b, (uint8_t)(6 + 2 * hops));
    put16(b, 0);
    put8(b, 0);
    put8(b, start_bus);
    for (unsigned i = 0; i < hops; i++) {
        put8(b, path[i] >> 3);
        put8(b, path[i] & 7);
    }
    length = (uint16_t)(b->length - b->structure);
    memcpy(b->data + b->structure + 2, &length, sizeof length);
}

static void put_package_length(struct bytes *b, unsigned more, uint32_t length)
{
    if (more == 0) {
        put8(b, (uint8_t)length);
        return;
    }
    put8(b, (uint8_t)(more << 6 | (length & 15)));
    for (unsigned i = 0; i < more; i++) {
        put8(b, (uint8_t)(length >> (4 + 8 * i)));
    }
}

void put_device(struct bytes *b, const char *name, unsigned more,
                const struct bytes *contents)
{
    put(b, "\x5B\x82", 2);
    put_package_length(b, more, more + 1 + 4 + contents->length);
    put(b, name, 4);
    put(b, contents->data, contents->length);
}

void put_constant(struct bytes *b, const char *name, uint8_t prefix,
                  uint64_t value)
{
    static const uint8_t size[] = { [0x0A] = 1, [0x0B] = 2, [0x0C] = 4,
                                    [0x0E] = 8 };
    put8(b, 0x08);
    put(b, name, 4);
    if (prefix == 0) {
        put8(b, (uint8_t)value);
        return;
    }
    put8(b, prefix);
    put(b, &value, size[prefix]);
}

static void build_srat(struct bytes *b)
{
    begin_srat(b, 1);
    for (uint8_t i = 0; i < 4; i++) {
        put_srat_apic(b, i, i, 1);
    }
    put_srat_memory(b, 0, 0xA0000, 0, 1);
    put_srat_memory(b, 0x100000, 0x5FF00000, 0, 1);
    put_srat_memory(b, 0x60000000, 0x20000000, 1, 1);
    put_srat_memory(b, 0x100000000, 0x40000000, 1, 1);
    put_srat_memory(b, 0x140000000, 0x60000000, 2, 1);
    put_srat_memory(b, 0x1A0000000, 0x60000000, 3, 1);
    put_srat_memory(b, 0, 0, 0, 0);
}

static void build_slit(struct bytes *b)
{
    begin_slit(b, 4);
    for (int i = 0; i < 16; i++) {
        put8(b, i % 5 == 0 ? 10 : (uint8_t)(20 + i));
    }
}

static void build_hpet(struct bytes *b)
{
    begin(b, "HPET", 1);
    put32(b, 0x8086A201);
    put32(b, 0); /* address space: memory */
    put64(b, 0xFED00000);
    put8(b, 0);
    put16(b, 100);
    put8(b, 0);
}

static void build_madt(struct bytes *b)
{
    begin_madt(b, 0xFEE00000, 1);
    for (uint8_t i = 0; i < 4; i++) {
        put_madt_apic(b, i, 1);
    }
    put_madt_apic(b, 4, 0);
    put(b, "\x01\x0C\x00\x00", 4); /* I/O APIC */
    put32(b, 0xFEC00000);
    put32(b, 0);
    put(b, "\x02\x0A\x00\x00\x02\x00\x00\x00\x00\x00", 10); /* override */
    put(b, "\x04\x06\xFF\x00\x00\x01", 6);                  /* local NMI */
}

/* As QEMU has it, and a range that is reserved for a function. */
static void build_dmar(struct bytes *b)
{
    static const uint8_t port[] = { 0x00 };
    static const uint8_t controller[] = { 0x1D << 3 };
    begin_dmar(b);
    put_dmar_unit(b, 0xFED90000, 0, false);
    put_dmar_scope(b, 3, 0xFF, port, 1); /* an I/O APIC */
    put_dmar_scope(b, 2, 0x40, port, 1);
    put_dmar_unit(b, 0xFED91000, 0, true);
    put_dmar_reserved(b, 0x7F000000, 0x7F00FFFF, 0);
    put_dmar_scope(b, 1, 0, controller, 1);
}

static void build_fadt(struct bytes *b, uint64_t dsdt)
{
    static const uint8_t zero[244 - HEADER_SIZE];
    begin(b, "FACP", 6);
    put(b, zero, sizeof zero);
    memcpy(b->data + 140, &dsdt, 8);
}

static void build_dsdt(struct bytes *b)
{
    struct bytes inner = { 0 };
    struct bytes bridge = { 0 };
    struct bytes processor = { 0 };
    begin(b, "DSDT", 1);
    put_constant(&bridge, "_UID", 0, 0);
    put_device(b, "PCI0", 1, &bridge); /* the root without a node */
    put_constant(&processor, "_PXM", 0x0A, 3);
    put_device(b, "C001", 0, &processor);
    bridge.length = 0;
    put_constant(&inner, "_ADR", 0x0A, 9);
    put_constant(&bridge, "_UID", 0x0A, 0x40);
    put_constant(&bridge, "_BBN", 0x0A, 0x40);
    put_device(&bridge, "S00_", 0, &inner);
    put_constant(&bridge, "_PXM", 0, 1);
    put_device(b, "PC40", 1, &bridge);
}

void build_table(struct bytes *b, int which, uint64_t dsdt)
{
    switch (which) {
    case SRAT:
        build_srat(b);
        break;
    case SLIT:
        build_slit(b);
        break;
    case MCFG:
        begin_mcfg(b);
        put_mcfg(b, 0xB0000000, 0, 0, 255);
        break;
    case HPET:
        build_hpet(b);
        break;
    case MADT:
        build_madt(b);
        break;
    case DMAR:
        build_dmar(b);
        break;
    case FADT:
        build_fadt(b, dsdt);
        break;
    default:
        build_dsdt(b);
        break;
    }
    finish(b);
}
