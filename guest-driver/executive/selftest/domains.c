/* SPDX-License-Identifier: MIT */
/* selftest.sys: domains, one for each device behind an IOMMU and one for all without */
#include "selftest.h"

#define PLACE                       (16 << 20)

/* An adapter of another function of the PCI bus. */
static PDMA_ADAPTER other_adapter(void)
{
    DEVICE_DESCRIPTION3 description = master_description(64);
    PDEVICE_OBJECT pdo = device_pdo(), other = pdo ? pdo->DriverObject->DeviceObject : NULL;
    PDMA_ADAPTER adapter = NULL;
    ULONG registers;

    if (other && other == pdo) {
        other = other->NextDevice;
    }
    if (other) {
        adapter = IoGetDmaAdapter(other, (PDEVICE_DESCRIPTION)&description, &registers);
    }
    if (pdo) {
        ObDereferenceObject(pdo);
    }
    EXPECT(adapter != NULL);
    return adapter;
}

static HANDLE domain_of(PDMA_ADAPTER adapter)
{
    return operations(adapter)->GetDmaDomain(adapter);
}

bool remapped(void)
{
    PDMA_ADAPTER one = new_adapter(64), other = other_adapter();
    bool differ = one && other && domain_of(one) != domain_of(other);

    if (one) {
        put_adapter(one);
    }
    if (other) {
        put_adapter(other);
    }
    return differ;
}

void expect_logical(const volatile void *address, LONGLONG logical)
{
    static bool asked, is;

    if (!asked) {
        is = remapped();
        asked = true;
    }
    if (!is) {
        EXPECT_EQUAL(page_entry(address) & PTE_ADDRESS, logical);
    }
}

/* The one page at PLACE; NULL: somebody has it. */
static PVOID take_place(PDMA_ADAPTER adapter, PPHYSICAL_ADDRESS logical)
{
    PHYSICAL_ADDRESS low = { .QuadPart = PLACE }, high = { .QuadPart = PLACE + PAGE_SIZE };

    return operations(adapter)->AllocateCommonBufferWithBounds(adapter, &low, &high, PAGE_SIZE, 0, NULL,
                                                               MM_ANY_NODE_OK, logical);
}

static void give_place(PDMA_ADAPTER adapter, PVOID address, PHYSICAL_ADDRESS logical)
{
    if (address) {
        operations(adapter)->FreeCommonBuffer(adapter, PAGE_SIZE, logical, address, TRUE);
    }
}

/* Behind an IOMMU two devices use the same address for two pages; one never does. */
static void places(PDMA_ADAPTER one, PDMA_ADAPTER same, PDMA_ADAPTER other)
{
    bool mapped = domain_of(one) != domain_of(other);
    PHYSICAL_ADDRESS logical, logical_same, logical_other;
    PVOID place = take_place(one, &logical);
    PVOID place_same = take_place(same, &logical_same);
    PVOID place_other = take_place(other, &logical_other);

    EXPECT(place && !place_same);
    EXPECT_EQUAL(place_other != NULL, mapped);
    if (place && place_other) {
        EXPECT_EQUAL(logical.QuadPart, PLACE);
        EXPECT_EQUAL(logical_other.QuadPart, PLACE);
        EXPECT(MmGetPhysicalAddress(place).QuadPart != MmGetPhysicalAddress(place_other).QuadPart);
    }
    give_place(one, place, logical);
    give_place(same, place_same, logical_same);
    give_place(other, place_other, logical_other);
    place = take_place(same, &logical);
    EXPECT(place != NULL);
    give_place(same, place, logical);
}

/* The adapters of one device share its domain, whatever they reach. */
static void domains(void)
{
    PDMA_ADAPTER one = new_adapter(64), same = new_adapter(32), other = other_adapter();

    if (one && same && other) {
        EXPECT(domain_of(one) != NULL && domain_of(one) == domain_of(same));
        places(one, same, other);
    }
    if (one) {
        put_adapter(one);
    }
    if (same) {
        put_adapter(same);
    }
    if (other) {
        put_adapter(other);
    }
}

/* Where logical addresses are not physical ones the devices' domains differ, and only there. */
static void domains_translate(void)
{
    PDMA_ADAPTER adapter = new_adapter(64);
    PHYSICAL_ADDRESS logical = { .QuadPart = 0 };
    PVOID buffer = adapter ? operations(adapter)->AllocateCommonBufferEx(adapter, NULL, PAGE_SIZE, &logical,
                                                                         TRUE, MM_ANY_NODE_OK) : NULL;

    EXPECT(buffer != NULL);
    if (buffer) {
        EXPECT_EQUAL(logical.QuadPart != MmGetPhysicalAddress(buffer).QuadPart, remapped());
        operations(adapter)->FreeCommonBuffer(adapter, PAGE_SIZE, logical, buffer, TRUE);
    }
    if (adapter) {
        put_adapter(adapter);
    }
}

const struct check domain_checks[] = {
    { "domain/each-device", domains },
    { "domain/translates", domains_translate },
    { NULL, NULL },
};
