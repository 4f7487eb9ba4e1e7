/* SPDX-License-Identifier: MIT */
/*
 * The root of the ACPI tables: RSDP (ACPI 5.2.5.3), RSDT and XSDT (5.2.7, 5.2.8),
 * and the FADT as far as it names the DSDT (5.2.9).
 */
#include "acpi.h"

#include "../include/bytes.h"
#include "acpi_internal.h"

#define RSDP_SIGNATURE "RSD PTR "
#define RSDP_SIGNATURE_SIZE 8u
#define RSDP_REVISION 15u
#define RSDP_RSDT 16u
#define RSDP_SIZE_1 20u /* of ACPI 1.0 */
#define RSDP_LENGTH 20u
#define RSDP_XSDT 24u
#define RSDP_SIZE_2 36u
#define RSDP_STEP 16u

#define FADT_DSDT 40u
#define FADT_X_DSDT 140u

/* A checksum of more would stop the machine for longer than a table is worth. */
#define TABLE_LIMIT (16u << 20)
#define RSDP_LIMIT 4096u

static const uint8_t *map_bytes(const struct acpi *acpi, uint64_t pa,
                                uint32_t length)
{
    if (pa > UINT64_MAX - length) {
        return NULL;
    }
    return acpi->map(acpi->context, pa, length);
}

static bool sum_is_zero(const uint8_t *bytes, uint32_t length)
{
    uint8_t sum = 0;
    for (uint32_t i = 0; i < length; i++) {
        sum = (uint8_t)(sum + bytes[i]);
    }
    return sum == 0;
}

enum acpi_status acpi_expect(const struct acpi_table *table,
                             const char *signature, uint32_t size)
{
    if (table->bytes == NULL || table->length < ACPI_HEADER_SIZE) {
        return ACPI_BAD_LENGTH;
    }
    if (memcmp(table->bytes, signature, ACPI_SIGNATURE_SIZE) != 0) {
        return ACPI_BAD_SIGNATURE;
    }
    return table->length < size ? ACPI_BAD_LENGTH : ACPI_OK;
}

static enum acpi_status load_table(const struct acpi *acpi, uint64_t pa,
                                   const char *signature,
                                   struct acpi_table *table)
{
    const uint8_t *bytes = map_bytes(acpi, pa, ACPI_HEADER_SIZE);
    if (bytes == NULL) {
        return ACPI_UNREADABLE;
    }
    if (memcmp(bytes, signature, ACPI_SIGNATURE_SIZE) != 0) {
        return ACPI_BAD_SIGNATURE;
    }
    uint32_t length = read32(bytes + ACPI_HEADER_LENGTH);
    if (length < ACPI_HEADER_SIZE || length > TABLE_LIMIT) {
        return ACPI_BAD_LENGTH;
    }
    bytes = map_bytes(acpi, pa, length);
    if (bytes == NULL) {
        return ACPI_UNREADABLE;
    }
    if (!sum_is_zero(bytes, length)) {
        return ACPI_BAD_CHECKSUM;
    }
    table->bytes = bytes;
    table->length = length;
    return ACPI_OK;
}

/* Verifies the RSDP and reads the addresses; *xsdt is 0 if it names none. */
static enum acpi_status read_rsdp(struct acpi *acpi, uint64_t pa,
                                  uint64_t *rsdt, uint64_t *xsdt)
{
    const uint8_t *bytes = map_bytes(acpi, pa, RSDP_SIZE_1);
    if (bytes == NULL) {
        return ACPI_UNREADABLE;
    }
    if (memcmp(bytes, RSDP_SIGNATURE, RSDP_SIGNATURE_SIZE) != 0) {
        return ACPI_BAD_SIGNATURE;
    }
    if (!sum_is_zero(bytes, RSDP_SIZE_1)) {
        return ACPI_BAD_CHECKSUM;
    }
    acpi->revision = bytes[RSDP_REVISION];
    *rsdt = read32(bytes + RSDP_RSDT);
    *xsdt = 0;
    if (acpi->revision < 2) {
        return ACPI_OK;
    }
    bytes = map_bytes(acpi, pa, RSDP_SIZE_2);
    if (bytes == NULL) {
        return ACPI_UNREADABLE;
    }
    uint32_t length = read32(bytes + RSDP_LENGTH);
    if (length < RSDP_SIZE_2 || length > RSDP_LIMIT) {
        return ACPI_BAD_LENGTH;
    }
    bytes = map_bytes(acpi, pa, length);
    if (bytes == NULL) {
        return ACPI_UNREADABLE;
    }
    *xsdt = read64(bytes + RSDP_XSDT);
    return sum_is_zero(bytes, length) ? ACPI_OK : ACPI_BAD_CHECKSUM;
}

static enum acpi_status open_root(struct acpi *acpi, uint64_t rsdp)
{
    struct acpi_table root;
    uint64_t rsdt;
    uint64_t xsdt;
    enum acpi_status status = read_rsdp(acpi, rsdp, &rsdt, &xsdt);
    if (status != ACPI_OK) {
        return status;
    }
    if (xsdt != 0) {
        acpi->entry_size = 8;
        status = load_table(acpi, xsdt, "XSDT", &root);
    } else {
        acpi->entry_size = 4;
        status = load_table(acpi, rsdt, "RSDT", &root);
    }
    if (status != ACPI_OK) {
        return status;
    }
    uint32_t bytes = root.length - ACPI_HEADER_SIZE;
    if (bytes % acpi->entry_size != 0) {
        return ACPI_BAD_LENGTH;
    }
    acpi->entries = root.bytes + ACPI_HEADER_SIZE;
    acpi->entry_count = bytes / acpi->entry_size;
    return ACPI_OK;
}

enum acpi_status acpi_open(struct acpi *acpi, acpi_map_fn *map, void *context,
                           uint64_t rsdp)
{
    memset(acpi, 0, sizeof *acpi);
    acpi->map = map;
    acpi->context = context;
    enum acpi_status status = open_root(acpi, rsdp);
    if (status != ACPI_OK) {
        memset(acpi, 0, sizeof *acpi);
    }
    return status;
}

enum acpi_status acpi_search(acpi_map_fn *map, void *context, uint64_t pa,
                             uint64_t length, uint64_t *rsdp)
{
    struct acpi acpi = { .map = map, .context = context };
    uint64_t skip = -pa % RSDP_STEP;
    uint64_t rsdt;
    uint64_t xsdt;
    if (length > UINT64_MAX - pa) {
        return ACPI_BAD_LENGTH;
    }
    for (uint64_t i = skip; i < length && length - i >= RSDP_SIZE_1;
         i += RSDP_STEP) {
        if (read_rsdp(&acpi, pa + i, &rsdt, &xsdt) == ACPI_OK) {
            *rsdp = pa + i;
            return ACPI_OK;
        }
    }
    return ACPI_NOT_FOUND;
}

enum acpi_status acpi_find(const struct acpi *acpi, const char *signature,
                           struct acpi_table *table)
{
    memset(table, 0, sizeof *table);
    for (uint32_t i = 0; i < acpi->entry_count; i++) {
        const uint8_t *entry = acpi->entries + i * acpi->entry_size;
        uint64_t pa = acpi->entry_size == 8 ? read64(entry) : read32(entry);
        const uint8_t *header = map_bytes(acpi, pa, ACPI_HEADER_SIZE);
        if (header != NULL &&
            memcmp(header, signature, ACPI_SIGNATURE_SIZE) == 0) {
            return load_table(acpi, pa, signature, table);
        }
    }
    return ACPI_NOT_FOUND;
}

enum acpi_status acpi_find_dsdt(const struct acpi *acpi,
                                struct acpi_table *table)
{
    struct acpi_table fadt;
    uint64_t pa = 0;
    memset(table, 0, sizeof *table);
    enum acpi_status status = acpi_find(acpi, "FACP", &fadt);
    if (status != ACPI_OK) {
        return status;
    }
    if (fadt.length < FADT_DSDT + 4) {
        return ACPI_BAD_LENGTH;
    }
    if (fadt.length >= FADT_X_DSDT + 8) {
        pa = read64(fadt.bytes + FADT_X_DSDT);
    }
    if (pa == 0) {
        pa = read32(fadt.bytes + FADT_DSDT);
    }
    return pa == 0 ? ACPI_NOT_FOUND : load_table(acpi, pa, "DSDT", table);
}

const char *acpi_explain(enum acpi_status status)
{
    static const char *const text[] = {
        [ACPI_OK] = "the table is valid",
        [ACPI_NOT_FOUND] = "there is no such table",
        [ACPI_UNREADABLE] = "the table lies in memory that cannot be read",
        [ACPI_BAD_SIGNATURE] = "another table lies where this one should",
        [ACPI_BAD_LENGTH] = "a length in the table contradicts another",
        [ACPI_BAD_CHECKSUM] = "the checksum is wrong",
        [ACPI_BAD_VALUE] = "a field has a value that is not allowed",
        [ACPI_CONFLICT] = "two entries claim the same thing",
        [ACPI_TOO_MANY] = "the table has more entries than are supported",
    };
    if ((unsigned)status >= sizeof text / sizeof text[0]) {
        return "unknown status";
    }
    return text[status];
}
