/*
 * The PCI bus driver's PDOs.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_IO_PCIBUS_H
#define EXECUTIVE_IO_PCIBUS_H

#include "iop.h"

#define RESOURCES_MAX       (PCI_BARS + 1)

typedef struct _PDO_EXTENSION {
    PCI_FUNCTION Function;
    NODE_REQUIREMENT Node;
    ULONG Vector;
    BOOLEAN Unplugged;
    struct {
        CM_RESOURCE_LIST List;
        CM_PARTIAL_RESOURCE_DESCRIPTOR More[RESOURCES_MAX - 1];
    } Resources;
} PDO_EXTENSION;

static inline PDO_EXTENSION *IopPciExtension(PDEVICE_OBJECT Pdo)
{
    return Pdo->DeviceExtension;
}

#endif
