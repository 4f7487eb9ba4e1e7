/* SPDX-License-Identifier: MIT */
/*
 * A PE32+ image for the tests, put together byte by byte from the format's
 * specification, so that every field's place is known and can be damaged.
 */
#ifndef PCMASTER_TESTS_PE_IMAGE_H
#define PCMASTER_TESTS_PE_IMAGE_H

#include "unit.h"

/* Places in the file. */
#define AT_NEW_HEADER 0x3Cu
#define AT_PE 0x80u
#define AT_COFF (AT_PE + 4)
#define AT_OPTIONAL (AT_COFF + 20)
#define AT_DIRECTORIES (AT_OPTIONAL + 112)
#define AT_SECTIONS (AT_OPTIONAL + 240)
#define AT_SECTION(i) (AT_SECTIONS + 40u * (i))

/* Places in memory, and the file offset that belongs to each. */
#define RVA_TEXT 0x1000u
#define RVA_DATA 0x2000u
#define RVA_IMPORTS 0x4000u
#define RVA_EXPORTS 0x5000u
#define RVA_RELOCS 0x6000u
#define FILE_TEXT 0x400u
#define FILE_DATA 0x600u
#define FILE_IMPORTS 0x800u
#define FILE_EXPORTS 0xA00u
#define FILE_RELOCS 0xC00u
#define IMAGE_SECTIONS 5u
#define IMAGE_FILE_SIZE 0xE00u
#define IMAGE_SIZE 0x7000u
#define IMAGE_BASE 0x140000000u

/* Address slots: Alpha, Beta and ordinal 7 of one.dll, Gamma of two.dll. */
#define SLOTS_ONE (RVA_IMPORTS + 0x80)
#define SLOTS_TWO (RVA_IMPORTS + 0xA0)

/*
 * Exports, from ordinal 5: Alpha (text + 0), a gap, Beta (forwarded to
 * two.Gamma), Zeta (text + 16). Data holds pointers to text, fixed up at 0, 8,
 * 0xFFC (over the end of a page) and 0x1010, where there are no bytes in the file.
 */
void build_image(uint8_t *file);

void set16(uint8_t *at, uint16_t value);
void set32(uint8_t *at, uint32_t value);
void set64(uint8_t *at, uint64_t value);
uint64_t get64(const uint8_t *at);

#endif
