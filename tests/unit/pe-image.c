/* SPDX-License-Identifier: MIT */
/* Builds the tests' image; see the header. */
#include "pe-image.h"

void set16(uint8_t *at, uint16_t value)
{
    memcpy(at, &value, sizeof value);
}

void set32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, sizeof value);
}

void set64(uint8_t *at, uint64_t value)
{
    memcpy(at, &value, sizeof value);
}

uint64_t get64(const uint8_t *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static void build_headers(uint8_t *file)
{
    uint8_t *optional = file + AT_OPTIONAL;
    memcpy(file, "MZ", 2);
    set32(file + AT_NEW_HEADER, AT_PE);
    memcpy(file + AT_PE, "PE\0\0", 4);
    set16(file + AT_COFF, 0x8664);
    set16(file + AT_COFF + 2, IMAGE_SECTIONS);
    set16(file + AT_COFF + 16, 240);
    set16(file + AT_COFF + 18, 0x22); /* executable, large addresses */
    set16(optional, 0x20B);
    set32(optional + 16, RVA_TEXT);
    set64(optional + 24, IMAGE_BASE);
    set32(optional + 32, 0x1000);
    set32(optional + 36, 0x200);
    set32(optional + 56, IMAGE_SIZE);
    set32(optional + 60, 0x400);
    set16(optional + 68, 1); /* native */
    set32(optional + 108, 16);
}

static void set_directory(uint8_t *file, unsigned index, uint32_t rva,
                          uint32_t size)
{
    set32(file + AT_DIRECTORIES + 8 * index, rva);
    set32(file + AT_DIRECTORIES + 8 * index + 4, size);
}

static void set_section(uint8_t *file, unsigned index, const char *name,
                        uint32_t size, uint32_t flags)
{
    static const uint32_t rva[] = { RVA_TEXT, RVA_DATA, RVA_IMPORTS,
                                    RVA_EXPORTS, RVA_RELOCS };
    uint8_t *header = file + AT_SECTION(index);
    memcpy(header, name, strlen(name));
    set32(header + 8, size);
    set32(header + 12, rva[index]);
    set32(header + 16, 0x200);
    set32(header + 20, FILE_TEXT + 0x200 * index);
    set32(header + 36, flags);
}

static void build_imports(uint8_t *imports)
{
    /* one.dll: lookup table at 0x60, slots at 0x80; two.dll: slots only. */
    set32(imports, RVA_IMPORTS + 0x60);
    set32(imports + 12, RVA_IMPORTS + 0xC0);
    set32(imports + 16, SLOTS_ONE);
    set32(imports + 20 + 12, RVA_IMPORTS + 0xD0);
    set32(imports + 20 + 16, SLOTS_TWO);
    set64(imports + 0x60, RVA_IMPORTS + 0xE0);
    set64(imports + 0x68, RVA_IMPORTS + 0xF0);
    set64(imports + 0x70, (uint64_t)1 << 63 | 7);
    memcpy(imports + 0x80, imports + 0x60, 0x20);
    set64(imports + 0xA0, RVA_IMPORTS + 0x100);
    strcpy((char *)imports + 0xC0, "one.dll");
    strcpy((char *)imports + 0xD0, "two.dll");
    strcpy((char *)imports + 0xE2, "Alpha");
    strcpy((char *)imports + 0xF2, "Beta");
    strcpy((char *)imports + 0x102, "Gamma");
}

static void build_exports(uint8_t *exports)
{
    static const uint16_t ordinals[] = { 0, 2, 3 };
    set32(exports + 16, 5);
    set32(exports + 20, 4);
    set32(exports + 24, 3);
    set32(exports + 28, RVA_EXPORTS + 0x40);
    set32(exports + 32, RVA_EXPORTS + 0x60);
    set32(exports + 36, RVA_EXPORTS + 0x80);
    set32(exports + 0x40, RVA_TEXT);
    set32(exports + 0x48, RVA_EXPORTS + 0xC0);
    set32(exports + 0x4C, RVA_TEXT + 16);
    set32(exports + 0x50, RVA_TEXT); /* behind the last function */
    set32(exports + 0x60, RVA_EXPORTS + 0x90);
    set32(exports + 0x64, RVA_EXPORTS + 0xA0);
    set32(exports + 0x68, RVA_EXPORTS + 0xB0);
    memcpy(exports + 0x80, ordinals, sizeof ordinals);
    strcpy((char *)exports + 0x90, "Alpha");
    strcpy((char *)exports + 0xA0, "Beta");
    strcpy((char *)exports + 0xB0, "Zeta");
    strcpy((char *)exports + 0xC0, "two.Gamma");
}

static void build_relocs(uint8_t *relocs)
{
    set32(relocs, RVA_DATA);
    set32(relocs + 4, 16);
    set16(relocs + 8, 0xA000);
    set16(relocs + 10, 0xA008);
    set16(relocs + 12, 0xAFFC);
    set32(relocs + 16, RVA_DATA + 0x1000);
    set32(relocs + 20, 12);
    set16(relocs + 24, 0xA010);
}

void build_image(uint8_t *file)
{
    memset(file, 0, IMAGE_FILE_SIZE);
    build_headers(file);
    set_section(file, 0, ".text", 0x20, 0x60000020);
    set_section(file, 1, ".data", 0x1800, 0xC0000040);
    set_section(file, 2, ".idata", 0x180, 0xC0000040);
    set_section(file, 3, ".edata", 0x100, 0x40000040);
    set_section(file, 4, ".reloc", 0x1C, 0x42000040);
    set_directory(file, 0, RVA_EXPORTS, 0x100);
    set_directory(file, 1, RVA_IMPORTS, 60);
    set_directory(file, 5, RVA_RELOCS, 0x1C);
    memset(file + FILE_TEXT, 0xC3, 0x200);
    set64(file + FILE_DATA, IMAGE_BASE + RVA_TEXT);
    set64(file + FILE_DATA + 8, IMAGE_BASE + RVA_TEXT + 16);
    build_imports(file + FILE_IMPORTS);
    build_exports(file + FILE_EXPORTS);
    build_relocs(file + FILE_RELOCS);
}
