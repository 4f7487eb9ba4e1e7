/*
 * The Windows whose DMA interface is offered.
 *
 * SPDX-License-Identifier: MIT
 */
#include "platform.h"

#include "wdm3.h"

#define NAME_MAX    16

static const HAL_PLATFORM Platforms[] = {
    { "win7", DEVICE_DESCRIPTION_VERSION2, 0 },
    { "win8", DEVICE_DESCRIPTION_VERSION3, DMA_OPERATIONS_SIZE_WIN8 },
    { "win10", DEVICE_DESCRIPTION_VERSION3, DMA_OPERATIONS_SIZE_WIN10_FULL },
};

static const HAL_PLATFORM *Selected;

static bool SameText(const char *A, const char *B)
{
    while (*A && *A == *B) {
        A++;
        B++;
    }
    return *A == *B;
}

BOOLEAN HalpSelectPlatform(void)
{
    char name[NAME_MAX];

    Selected = NULL;
    if (!IopBootOption("platform", name, sizeof(name))) {
        Selected = &Platforms[RTL_NUMBER_OF(Platforms) - 1];
    }
    for (ULONG i = 0; !Selected && i < RTL_NUMBER_OF(Platforms); i++) {
        if (SameText(name, Platforms[i].Name)) {
            Selected = &Platforms[i];
        }
    }
    return Selected != NULL;
}

const HAL_PLATFORM *HalpPlatform(void)
{
    return Selected;
}
