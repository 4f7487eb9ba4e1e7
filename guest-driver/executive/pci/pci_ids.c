/*
 * The identifiers of a PCI function, as "Identifiers for PCI Devices" in the
 * documents of Windows' driver kit has them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pci.h"

static void Format(char *Text, const char *Form, ...)
{
    va_list arguments;

    va_start(arguments, Form);
    RtlpFormat(Text, PCI_ID_MAX, Form, arguments);
    va_end(arguments);
}

void PciIds(const PCI_FUNCTION *Function, PCI_IDS *Ids)
{
    ULONG vendor = Function->VendorId, device = Function->DeviceId;
    ULONG revision = Function->Revision, subsystem = Function->Subsystem;
    ULONG class = Function->Class, sub = Function->Class >> 8;
    PCI_ID *hardware = Ids->Hardware, *compatible = Ids->Compatible;

    Format(hardware[0], "PCI\\VEN_%04X&DEV_%04X&SUBSYS_%08X&REV_%02X", vendor,
           device, subsystem, revision);
    Format(hardware[1], "PCI\\VEN_%04X&DEV_%04X&SUBSYS_%08X", vendor, device,
           subsystem);
    Format(hardware[2], "PCI\\VEN_%04X&DEV_%04X&CC_%06X", vendor, device,
           class);
    Format(hardware[3], "PCI\\VEN_%04X&DEV_%04X&CC_%04X", vendor, device, sub);
    Format(compatible[0], "PCI\\VEN_%04X&DEV_%04X&REV_%02X", vendor, device,
           revision);
    Format(compatible[1], "PCI\\VEN_%04X&DEV_%04X", vendor, device);
    Format(compatible[2], "PCI\\VEN_%04X&CC_%06X", vendor, class);
    Format(compatible[3], "PCI\\VEN_%04X&CC_%04X", vendor, sub);
    Format(compatible[4], "PCI\\VEN_%04X", vendor);
    Format(compatible[5], "PCI\\CC_%06X", class);
    Format(compatible[6], "PCI\\CC_%04X", sub);
}
