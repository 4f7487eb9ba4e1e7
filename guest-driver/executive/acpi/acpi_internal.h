/* SPDX-License-Identifier: MIT */
/* What the three files of the ACPI reader share. */
#ifndef PCMASTER_EXECUTIVE_ACPI_INTERNAL_H
#define PCMASTER_EXECUTIVE_ACPI_INTERNAL_H

#include "acpi.h"

/* System description table header (ACPI 5.2.6). */
#define ACPI_HEADER_LENGTH 4u
#define ACPI_HEADER_REVISION 8u
#define ACPI_HEADER_SIZE 36u

#define ACPI_SIGNATURE_SIZE 4u

/* ACPI_OK if the table has this signature and at least `size` bytes. */
enum acpi_status acpi_expect(const struct acpi_table *table,
                             const char *signature, uint32_t size);

#endif
