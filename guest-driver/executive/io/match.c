/*
 * Which devices the driver is for. On Windows its .inf says so; here the host
 * gives the IDs that the .inf has in a file, one a line. Without it they are
 * pcmaster's.
 *
 * SPDX-License-Identifier: MIT
 */
#include "iop.h"

#include "pci.h"

static const char OwnId[] = "PCI\\VEN_1AF4&DEV_10FA";

static const char *Wanted = OwnId;
static ULONG WantedBytes = sizeof(OwnId) - 1;

void IopInitializeMatch(void)
{
    ULONG size;
    const char *file = IopReadFile("driver.ids", &size);

    if (file) {
        Wanted = file;
        WantedBytes = size;
    }
}

static char Upper(char Character)
{
    return Character >= 'a' && Character <= 'z' ? (char)(Character & ~0x20)
                                                : Character;
}

/* Whether Id is the line from At on. */
static bool IsLine(const char *Id, ULONG At)
{
    while (*Id && At < WantedBytes && Upper(*Id) == Upper(Wanted[At])) {
        Id++;
        At++;
    }
    return !*Id && (At == WantedBytes || Wanted[At] == '\n');
}

static bool IsWanted(const char *Id)
{
    for (ULONG at = 0; at < WantedBytes; at++) {
        if ((!at || Wanted[at - 1] == '\n') && IsLine(Id, at)) {
            return true;
        }
    }
    return false;
}

PDEVICE_OBJECT IopNextMatch(PDEVICE_OBJECT Previous)
{
    PDEVICE_OBJECT pdo = Previous;
    PCI_IDS ids;

    while ((pdo = IopNextPdo(pdo))) {
        IopPdoIds(pdo, &ids);
        for (ULONG i = 0; i < PCI_IDS_COUNT; i++) {
            if (*ids.All[i] && IsWanted(ids.All[i])) {
                return pdo;
            }
        }
    }
    return NULL;
}
