/*
 * What the firmware's tables say of memory, nodes and distances.
 *
 * SPDX-License-Identifier: MIT
 */
#include "mi.h"

#include "acpi.h"

#define FOUR_GIB            0x100000000ull
#define LOCAL_DISTANCE      10
#define REMOTE_DISTANCE     20

static struct acpi Acpi;
static bool Present;
static struct acpi_srat Srat;
static struct acpi_slit Slit;
static struct acpi_bridges Bridges;
static struct acpi_dmar Dmar;
static struct acpi_madt Madt;
static ULONG NodeCount = 1;

/* Firmware keeps its tables below 4 GiB, where all is in the direct map. */
static const void *Map(void *Context, uint64_t Physical, size_t Length)
{
    UNREFERENCED_PARAMETER(Context);
    if (Physical >= FOUR_GIB || Length > FOUR_GIB - Physical) {
        return NULL;
    }
    return MiDirect(Physical);
}

static bool Find(const char *Signature, struct acpi_table *Table)
{
    enum acpi_status status;

    if (!Present) {
        return false;
    }
    status = acpi_find(&Acpi, Signature, Table);
    if (status != ACPI_OK && status != ACPI_NOT_FOUND) {
        DbgPrint("acpi: %s ignored: %s\n", Signature, acpi_explain(status));
    }
    return status == ACPI_OK;
}

static bool Read(const char *Name, enum acpi_status Status)
{
    if (Status != ACPI_OK) {
        DbgPrint("acpi: %s ignored: %s\n", Name, acpi_explain(Status));
    }
    return Status == ACPI_OK;
}

static ULONG HighestDomain(void)
{
    ULONG highest = 0;

    for (ULONG i = 0; i < Srat.memory_count; i++) {
        highest = max(highest, Srat.memory[i].domain);
    }
    for (ULONG i = 0; i < Srat.processor_count; i++) {
        highest = max(highest, Srat.processor[i].domain);
    }
    return highest;
}

/* A node may have processors and no memory. */
static void CountNodes(void)
{
    ULONG highest = HighestDomain();

    if (highest >= FRAMES_MAX_NODES) {
        DbgPrint("acpi: SRAT ignored: proximity domain %u is too high\n",
                 highest);
        RtlZeroMemory(&Srat, sizeof(Srat));
        highest = 0;
    }
    NodeCount = highest + 1;
}

void MiReadFirmware(const struct boot_block *Boot)
{
    struct acpi_table table;

    Present = Boot->rsdp && Read("RSDP", acpi_open(&Acpi, Map, NULL,
                                                   Boot->rsdp));
    if (Find("SRAT", &table) && Read("SRAT", acpi_read_srat(&table, &Srat))) {
        CountNodes();
    }
    if (Find("SLIT", &table)) {
        Read("SLIT", acpi_read_slit(&table, &Slit));
    }
    if (Find("APIC", &table)) {
        Read("MADT", acpi_read_madt(&table, &Madt));
    }
    if (Present && acpi_find_dsdt(&Acpi, &table) == ACPI_OK) {
        Read("DSDT", acpi_read_bridges(&table, &Bridges));
    }
    if (Find("DMAR", &table)) {
        Read("DMAR", acpi_read_dmar(&table, &Dmar));
    }
}

bool MiProcessor(ULONG Index, ULONG *ApicId)
{
    if (Index >= Madt.processor_count) {
        return false;
    }
    *ApicId = Madt.processor[Index].apic_id;
    return true;
}

ULONGLONG MiFindHpet(void)
{
    struct acpi_table table;
    struct acpi_hpet hpet;

    if (!Find("HPET", &table) || !Read("HPET", acpi_read_hpet(&table, &hpet))) {
        return 0;
    }
    return hpet.base;
}

/* Memory that no entry of the SRAT covers counts as node 0's. */
void MiSplitByNode(ULONGLONG Base, ULONGLONG Length,
                   void (*Add)(ULONGLONG Base, ULONGLONG Length, ULONG Node))
{
    ULONGLONG end = Base + Length;

    for (ULONG i = 0; i < Srat.memory_count && Base < end; i++) {
        const struct acpi_memory *m = &Srat.memory[i];
        ULONGLONG last = m->base + (m->length - 1);
        ULONGLONG stop = last < end - 1 ? last + 1 : end;

        if (last < Base || m->base >= end) {
            continue;
        }
        if (m->base > Base) {
            Add(Base, m->base - Base, 0);
            Base = m->base;
        }
        Add(Base, stop - Base, m->domain);
        Base = stop;
    }
    if (Base < end) {
        Add(Base, end - Base, 0);
    }
}

ULONG MiNodeCount(void)
{
    return NodeCount;
}

static ULONG Distance(ULONG From, ULONG To)
{
    if (From < Slit.count && To < Slit.count) {
        return acpi_distance(&Slit, From, To);
    }
    return From == To ? LOCAL_DISTANCE : REMOTE_DISTANCE;
}

/* Equal distances rank by node number, so that the order is one for ever. */
static bool Nearer(ULONG Node, ULONG A, ULONG B)
{
    ULONG a = A == Node ? 0 : Distance(Node, A);
    ULONG b = B == Node ? 0 : Distance(Node, B);

    return a < b || (a == b && A < B);
}

ULONG MiNodeByDistance(ULONG Node, ULONG Rank)
{
    for (ULONG candidate = 0; candidate < NodeCount; candidate++) {
        ULONG nearer = 0;

        for (ULONG other = 0; other < NodeCount; other++) {
            nearer += Nearer(Node, other, candidate);
        }
        if (nearer == Rank) {
            return candidate;
        }
    }
    return MAXULONG;
}

NODE_REQUIREMENT MiRootBusNode(ULONG RootBus)
{
    for (ULONG i = 0; i < Bridges.count; i++) {
        if (Bridges.bridge[i].bus == RootBus) {
            return Bridges.bridge[i].domain;
        }
    }
    return MM_ANY_NODE_OK;
}

const struct acpi_madt *MiMadt(void)
{
    return &Madt;
}

const struct acpi_dmar *MiDmar(void)
{
    return &Dmar;
}

USHORT NTAPI KeQueryHighestNodeNumber(VOID)
{
    return (USHORT)(NodeCount - 1);
}
