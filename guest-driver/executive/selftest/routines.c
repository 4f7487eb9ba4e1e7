/* SPDX-License-Identifier: MIT */
/* selftest.sys: MmGetSystemRoutineAddress */
#include "selftest.h"

static PVOID find(const WCHAR *name)
{
    UNICODE_STRING string = text_of(name);

    return MmGetSystemRoutineAddress(&string);
}

static void known(void)
{
    EXPECT(find(L"KeSetEvent") == (PVOID)(ULONG_PTR)KeSetEvent);
    EXPECT(find(L"IoGetDmaAdapter") == (PVOID)(ULONG_PTR)IoGetDmaAdapter);
    EXPECT(find(L"memcpy") != NULL);
    EXPECT(find(L"KeQueryPerformanceCounter") == (PVOID)(ULONG_PTR)KeQueryPerformanceCounter);
}

static void unknown(void)
{
    static WCHAR long_name[300];

    for (ULONG i = 0; i < RTL_NUMBER_OF(long_name) - 1; i++) {
        long_name[i] = L'K';
    }
    EXPECT(find(L"KeSetEvents") == NULL);
    EXPECT(find(L"KeSetEven") == NULL);
    EXPECT(find(L"kesetevent") == NULL);
    EXPECT(find(L"PcNewDmaChannel") == NULL);
    EXPECT(find(L"") == NULL);
    EXPECT(find(long_name) == NULL);
    /* A letter outside of ASCII whose low byte is an S. */
    EXPECT(find(L"Ke\x0153" L"etEvent") == NULL);
}

/* What the executive's images share among themselves is no business of drivers. */
static void private_names(void)
{
    static const WCHAR *const names[] = {
        L"MiMap", L"MiAllocateContiguous", L"MiFreeContiguous", L"HalInitialize",
        L"HalCreateDmaAdapter", L"HalAllocateConstrainedBuffer", L"HalEndOfInterrupt",
        L"HalGetMessage", L"HalRequestSoftwareInterrupt", L"HalStartClock",
    };

    for (ULONG i = 0; i < RTL_NUMBER_OF(names); i++) {
        EXPECT_EQUAL((ULONG_PTR)find(names[i]), 0);
    }
}

const struct check routine_checks[] = {
    { "routine-address/known", known },
    { "routine-address/unknown", unknown },
    { "routine-address/private", private_names },
    { NULL, NULL },
};
