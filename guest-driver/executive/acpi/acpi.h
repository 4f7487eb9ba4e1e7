/* SPDX-License-Identifier: MIT */
/*
 * Reads the ACPI tables a kernel needs to place memory, processors and devices
 * (ACPI specification 6.5, chapter 5.2; MCFG: PCI Firmware specification 3.3,
 * 4.1.2; HPET: IA-PC HPET specification 1.0a, 3.2.4).
 *
 * Every table is treated as hostile: nothing outside the bytes that the map
 * callback granted is read, and outputs have a fixed capacity. A function that
 * fails leaves its output without entries.
 *
 * No state is shared: calls are safe at any IRQL at which the mapped bytes may
 * be read.
 */
#ifndef PCMASTER_EXECUTIVE_ACPI_ACPI_H
#define PCMASTER_EXECUTIVE_ACPI_ACPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACPI_MAX_MEMORY 128      /* memory ranges in the SRAT */
#define ACPI_MAX_PROCESSORS 256  /* processors in the SRAT or the MADT */
#define ACPI_MAX_DOMAINS 128     /* localities in the SLIT */
#define ACPI_MAX_SEGMENTS 16     /* ECAM ranges in the MCFG */
#define ACPI_MAX_IO_APICS 16     /* I/O APICs in the MADT */
#define ACPI_MAX_BRIDGES 64      /* host bridges with a node in one AML table */
#define ACPI_MAX_UNITS 16        /* IOMMUs in the DMAR */
#define ACPI_MAX_RESERVED 16     /* reserved ranges in the DMAR */
#define ACPI_MAX_SCOPES 128      /* PCI functions named in the DMAR */
#define ACPI_MAX_HOPS 8          /* from a root bus to a function in the DMAR */
#define ACPI_NO_UNIT UINT32_MAX

enum acpi_status {
    ACPI_OK,
    ACPI_NOT_FOUND,      /* no such table, or no RSDP in the searched range */
    ACPI_UNREADABLE,     /* the map callback refused an address */
    ACPI_BAD_SIGNATURE,  /* the bytes at the address are another table's */
    ACPI_BAD_LENGTH,     /* a length contradicts another or its surroundings */
    ACPI_BAD_CHECKSUM,
    ACPI_BAD_VALUE,      /* a field has a value the specification excludes */
    ACPI_CONFLICT,       /* two entries claim the same thing */
    ACPI_TOO_MANY,       /* more entries than the output can hold */
};

/*
 * Returns a pointer through which `length` bytes at the physical address `pa`
 * can be read, or NULL if not all of them can. `length` is at least 1 and
 * pa + length does not wrap. The bytes must stay readable, and unchanged, as
 * long as a struct acpi_table that was found through them is in use.
 */
typedef const void *acpi_map_fn(void *context, uint64_t pa, size_t length);

/* The root of the tables; filled by acpi_open, private. */
struct acpi {
    acpi_map_fn *map;
    void *context;
    const uint8_t *entries; /* addresses in the XSDT or RSDT */
    uint32_t entry_size;    /* 8 or 4 */
    uint32_t entry_count;
    uint8_t revision;       /* of the RSDP: 0 (ACPI 1.0) or 2 and up */
};

/* A whole table including its header, checksum and length verified. */
struct acpi_table {
    const uint8_t *bytes;
    uint32_t length;
};

struct acpi_memory {
    uint64_t base;
    uint64_t length; /* bytes, at least 1; base + length - 1 does not wrap */
    uint32_t domain;
    bool hot_pluggable;
    bool non_volatile;
};

struct acpi_processor {
    uint32_t apic_id;
    uint32_t domain; /* 0 in the MADT, which knows none */
};

/* System Resource Affinity Table: enabled entries only. */
struct acpi_srat {
    uint32_t memory_count;
    uint32_t processor_count;
    struct acpi_memory memory[ACPI_MAX_MEMORY]; /* ascending by base */
    struct acpi_processor processor[ACPI_MAX_PROCESSORS];
};

/* System Locality Information Table. */
struct acpi_slit {
    uint32_t count;
    uint8_t distance[ACPI_MAX_DOMAINS][ACPI_MAX_DOMAINS]; /* [from][to] */
};

/* One range of buses whose configuration space is in memory. */
struct acpi_segment {
    uint64_t base; /* of bus 0's space, even if first_bus is not 0 */
    uint16_t segment;
    uint8_t first_bus;
    uint8_t last_bus; /* inclusive */
};

struct acpi_mcfg {
    uint32_t count;
    struct acpi_segment segment[ACPI_MAX_SEGMENTS];
};

struct acpi_hpet {
    uint64_t base; /* physical address of the register block */
    uint16_t minimum_tick;
    uint8_t number;
};

struct acpi_io_apic {
    uint32_t base; /* physical address */
    uint32_t first_interrupt; /* global system interrupt of input 0 */
    uint8_t id;
};

/* Multiple APIC Description Table. */
struct acpi_madt {
    uint64_t local_apic; /* physical address, the 64-bit override applied */
    uint32_t processor_count; /* enabled ones, each APIC ID once */
    uint32_t io_apic_count;
    bool has_8259; /* a pair of 8259s that must be masked */
    struct acpi_processor processor[ACPI_MAX_PROCESSORS];
    struct acpi_io_apic io_apic[ACPI_MAX_IO_APICS];
};

/* A host bridge that names its root bus and its proximity domain. */
struct acpi_bridge {
    uint32_t bus; /* 0 to 255 */
    uint32_t domain;
};

struct acpi_bridges {
    uint32_t count;
    struct acpi_bridge bridge[ACPI_MAX_BRIDGES];
};

/* An IOMMU. */
struct acpi_unit {
    uint64_t base;    /* physical address of its registers: a page's */
    uint64_t length;  /* bytes; base + length - 1 does not wrap */
    uint16_t segment;
    bool include_all; /* it serves what no other unit's scopes name */
};

/* Memory that firmware goes on using by DMA (whole pages). */
struct acpi_reserved {
    uint64_t base;
    uint64_t last; /* inclusive */
    uint16_t segment;
};

/* A PCI function, or all that is below a bridge, by the way that leads there. */
struct acpi_scope {
    uint32_t owner; /* index of a unit or of a reserved range */
    bool reserved;  /* which of the two */
    bool bridge;
    uint8_t start_bus;
    uint8_t hops;
    uint8_t devfn[ACPI_MAX_HOPS]; /* device << 3 | function */
};

/* DMA Remapping Reporting table. */
struct acpi_dmar {
    uint32_t unit_count;
    uint32_t reserved_count;
    uint32_t scope_count;
    struct acpi_unit unit[ACPI_MAX_UNITS];
    struct acpi_reserved reserved[ACPI_MAX_RESERVED];
    struct acpi_scope scope[ACPI_MAX_SCOPES];
};

/* A bridge on the way from a root bus to a function, or the function itself. */
struct acpi_hop {
    uint8_t bus;
    uint8_t devfn;
};

/*
 * Searches [pa, pa + length) on 16-byte boundaries for a valid RSDP: the last
 * resort when no boot protocol names it (ACPI 5.2.5.1: 0xE0000 to 0xFFFFF).
 */
enum acpi_status acpi_search(acpi_map_fn *map, void *context, uint64_t pa,
                             uint64_t length, uint64_t *rsdp);

/*
 * Verifies the RSDP (both revisions) and the XSDT it names, or the RSDT if it
 * names no XSDT.
 */
enum acpi_status acpi_open(struct acpi *acpi, acpi_map_fn *map, void *context,
                           uint64_t rsdp);

/*
 * Finds the first table with this signature (four characters) among the root's
 * entries and verifies its length and checksum. Entries that cannot be read are
 * passed over: they are somebody else's. The DSDT is not among the entries.
 */
enum acpi_status acpi_find(const struct acpi *acpi, const char *signature,
                           struct acpi_table *table);

/* The DSDT, through the FADT. */
enum acpi_status acpi_find_dsdt(const struct acpi *acpi,
                                struct acpi_table *table);

/*
 * Each takes the table that acpi_find returned for the signature of its name.
 *
 * The SRAT of revision 1 has proximity domains of 8 bits, later ones of 32. Two
 * ranges of present, volatile memory that overlap are ACPI_CONFLICT, as are two
 * domains for one processor. Entries of unknown type are skipped.
 */
enum acpi_status acpi_read_srat(const struct acpi_table *table,
                                struct acpi_srat *srat);
enum acpi_status acpi_read_slit(const struct acpi_table *table,
                                struct acpi_slit *slit);
enum acpi_status acpi_read_mcfg(const struct acpi_table *table,
                                struct acpi_mcfg *mcfg);
enum acpi_status acpi_read_hpet(const struct acpi_table *table,
                                struct acpi_hpet *hpet);
enum acpi_status acpi_read_madt(const struct acpi_table *table,
                                struct acpi_madt *madt);

/*
 * Lists the host bridges of a DSDT or SSDT that hold both a constant _BBN and a
 * constant _PXM, without interpreting AML: a name belongs to the innermost
 * Device around it. Bridges without _PXM are not listed: they have no node.
 */
enum acpi_status acpi_read_bridges(const struct acpi_table *table,
                                   struct acpi_bridges *bridges);

/*
 * Units whose registers overlap, two that serve all the rest of a segment, and
 * reserved ranges that overlap are ACPI_CONFLICT. Structures and scopes of
 * other types are skipped.
 */
enum acpi_status acpi_read_dmar(const struct acpi_table *table,
                                struct acpi_dmar *dmar);

/*
 * Index of the unit that serves the function to which `way` leads, from a root
 * bus down, or ACPI_NO_UNIT.
 */
uint32_t acpi_dmar_unit(const struct acpi_dmar *dmar, uint16_t segment,
                        const struct acpi_hop *way, uint32_t count);

/* Whether the reserved range of this index is for the function. */
bool acpi_dmar_reserves(const struct acpi_dmar *dmar, uint32_t range,
                        uint16_t segment, const struct acpi_hop *way,
                        uint32_t count);

/* SLIT distance, or 255 (unreachable) if a domain is not in the table. */
uint8_t acpi_distance(const struct acpi_slit *slit, uint32_t from, uint32_t to);

/* An English sentence without a full stop; never NULL. */
const char *acpi_explain(enum acpi_status status);

#endif
