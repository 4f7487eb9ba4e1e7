/*
 * Loaded images: the boot stub's and drivers' that come later.
 *
 * SPDX-License-Identifier: MIT
 */
#include "executive.h"
#include "ldrp.h"

#define MODULES_MAX         16
#define DIRECTORY_EXCEPTIONS 3
#define ASCII_LAST          0x7e
#define MODULE_NAME_MAX     BOOT_MODULE_NAME_MAX

typedef struct _MODULE {
    char Name[MODULE_NAME_MAX];
    struct pe_image Image;
} MODULE;

static MODULE Modules[MODULES_MAX];
static ULONG ModuleCount;

static char Lower(char Character)
{
    return Character >= 'A' && Character <= 'Z' ? (char)(Character | 0x20)
                                                : Character;
}

static bool SameName(const char *A, const char *B)
{
    while (*A && Lower(*A) == Lower(*B)) {
        A++;
        B++;
    }
    return Lower(*A) == Lower(*B);
}

static MODULE *NewModule(const char *Name)
{
    MODULE *module = &Modules[ModuleCount];

    if (ModuleCount == MODULES_MAX) {
        return NULL;
    }
    RtlZeroMemory(module, sizeof(*module));
    for (size_t i = 0; i < MODULE_NAME_MAX - 1 && Name[i]; i++) {
        module->Name[i] = Name[i];
    }
    return module;
}

void LdrpInitialize(const struct boot_block *Boot)
{
    for (ULONG i = 0; i < Boot->module_count; i++) {
        const struct boot_module *m = &Boot->modules[i];
        MODULE *module = NewModule(m->name);
        enum pe_status status = pe_adopt(&module->Image,
                                         (void *)(ULONG_PTR)m->base,
                                         (size_t)m->size, m->base);
        if (status != PE_OK) {
            DbgPrint("ldr: %s: %s\n", m->name, pe_explain(status));
            KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, (ULONG_PTR)status, 0, 0,
                         0);
        }
        ModuleCount++;
    }
}

static const MODULE *ModuleAt(ULONG_PTR Address)
{
    for (ULONG i = 0; i < ModuleCount; i++) {
        if (Address - Modules[i].Image.base < Modules[i].Image.size_of_image) {
            return &Modules[i];
        }
    }
    return NULL;
}

BOOLEAN LdrpDescribe(ULONG_PTR Address, const char **Name, ULONG *Offset)
{
    const MODULE *module = ModuleAt(Address);

    if (!module) {
        return FALSE;
    }
    *Name = module->Name;
    *Offset = (ULONG)(Address - module->Image.base);
    return TRUE;
}

BOOLEAN LdrpFindFunction(ULONG_PTR Address, ULONG_PTR *Image,
                         const LDRP_FUNCTION **Function)
{
    const MODULE *module = ModuleAt(Address);
    const struct pe_directory *directory;
    const LDRP_FUNCTION *functions;
    ULONG low = 0, high, at;

    if (!module || !Function) {
        return module != NULL;
    }
    *Image = (ULONG_PTR)module->Image.base;
    at = (ULONG)(Address - *Image);
    directory = &module->Image.directory[DIRECTORY_EXCEPTIONS];
    functions = (const LDRP_FUNCTION *)(*Image + directory->rva);
    high = directory->size / sizeof(*functions);
    while (low < high) {
        ULONG middle = low + (high - low) / 2;

        if (functions[middle].End <= at) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *Function = low < directory->size / sizeof(*functions) &&
                functions[low].Begin <= at ? &functions[low] : NULL;
    return TRUE;
}

/* The address of an export of a loaded module, 0 if there is none. */
static ULONG_PTR FindExport(const char *Module, const char *Name)
{
    uint64_t address = 0;

    for (ULONG i = 0; i < ModuleCount; i++) {
        if (SameName(Modules[i].Name, Module)) {
            if (pe_export(&Modules[i].Image, Name, &address) == PE_OK) {
                break;
            }
        }
    }
    return (ULONG_PTR)address;
}

static bool BeginsWith(const char *Name, const char *Prefix)
{
    while (*Prefix && *Name == *Prefix) {
        Name++;
        Prefix++;
    }
    return !*Prefix;
}

/* What the executive's parts export to each other is not for drivers. */
static bool IsPrivate(const char *Name)
{
    return BeginsWith(Name, "Mi") || BeginsWith(Name, "Halp") ||
           BeginsWith(Name, "Ldrp");
}

static uint64_t Resolve(void *Context, const struct pe_import *Import)
{
    UNREFERENCED_PARAMETER(Context);
    if (!Import->name || IsPrivate(Import->name)) {
        return 0;
    }
    return FindExport(Import->dll, Import->name);
}

static void Missing(void *Context, const struct pe_import *Import)
{
    if (Import->name) {
        DbgPrint("ldr: %s needs %s!%s, which the executive lacks\n",
                 (const char *)Context, Import->dll, Import->name);
    } else {
        DbgPrint("ldr: %s needs %s by ordinal %u, which the executive lacks\n",
                 (const char *)Context, Import->dll, Import->ordinal);
    }
}

/* From writable while it was laid out to what each section asks for. */
static bool Protect(const struct pe_image *Image, ULONGLONG Physical)
{
    PUCHAR base = (PUCHAR)(ULONG_PTR)Image->base;
    struct pe_section section;
    bool mapped = MiMapAt(base, Physical, Image->size_of_headers, MI_READ,
                          MmCached);

    for (unsigned i = 0; mapped && pe_section(Image, i, &section); i++) {
        mapped = MiMapAt(base + section.rva, Physical + section.rva,
                         section.size,
                         (section.writable ? MI_WRITE : MI_READ) |
                         (section.executable ? MI_EXECUTE : 0), MmCached);
    }
    return mapped;
}

/* Lays the image out where it will run, and binds it. */
static enum pe_status Prepare(struct pe_image *Image, const char *Name,
                              PVOID Base, PVOID Memory)
{
    enum pe_status status;

    pe_map(Image, Memory);
    status = pe_relocate(Image, (ULONGLONG)(ULONG_PTR)Base);
    if (status == PE_OK) {
        status = pe_bind(Image, Resolve, Missing, (void *)(ULONG_PTR)Name);
    }
    Image->memory = Base;
    return status;
}

enum pe_status LdrpLoad(const char *Name, const VOID *File, SIZE_T Size,
                        PVOID *EntryPoint)
{
    MODULE *module = NewModule(Name);
    enum pe_status status;
    PVOID memory, base;

    if (!module) {
        return PE_BAD_IMAGE_SIZE;
    }
    status = pe_open(&module->Image, File, Size);
    if (status == PE_OK) {
        status = pe_require_native(&module->Image);
    }
    if (status != PE_OK) {
        return status;
    }
    /* Whole pages of pool are contiguous; images are never unloaded. */
    memory = ExAllocatePoolWithTag(NonPagedPool,
                                   ROUND_TO_PAGES(module->Image.size_of_image),
                                   'egmI');
    if (!memory) {
        return PE_BAD_IMAGE_SIZE;
    }
    base = MiReserveImageSpace(module->Image.size_of_image);
    status = Prepare(&module->Image, Name, base, memory);
    if (status != PE_OK) {
        ExFreePoolWithTag(memory, 'egmI');
        return status;
    }
    if (!Protect(&module->Image, (ULONGLONG)(ULONG_PTR)memory -
                                     BOOT_DIRECT_MAP)) {
        return PE_BAD_IMAGE_SIZE;
    }
    ModuleCount++;
    *EntryPoint = (PVOID)(ULONG_PTR)pe_entry_point(&module->Image);
    return *EntryPoint ? PE_OK : PE_BAD_ENTRY_POINT;
}

PVOID NTAPI MmGetSystemRoutineAddress(PUNICODE_STRING SystemRoutineName)
{
    char name[128];
    ULONG length = SystemRoutineName->Length / sizeof(WCHAR);

    if (length >= sizeof(name)) {
        return NULL;
    }
    for (ULONG i = 0; i < length; i++) {
        if (SystemRoutineName->Buffer[i] > ASCII_LAST) {
            return NULL;
        }
        name[i] = (char)SystemRoutineName->Buffer[i];
    }
    name[length] = 0;
    if (IsPrivate(name)) {
        return NULL;
    }
    if (FindExport("ntoskrnl.exe", name)) {
        return (PVOID)FindExport("ntoskrnl.exe", name);
    }
    return (PVOID)FindExport("hal.dll", name);
}
