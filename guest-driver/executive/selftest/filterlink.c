/* SPDX-License-Identifier: MIT */
/* selftest.sys, violation.sys: a file on the device's own stack, which holds up its removal */
#include "client.h"

#include "filterlink.h"

/* KSCATEGORY_RENDER */
static const GUID render = { 0x65e8773e, 0x8f56, 0x11d0, { 0xa3, 0xb9, 0x00, 0xa0, 0xc9, 0x22, 0x31, 0x96 } };

NTSTATUS link_open_filter(struct link *link)
{
    PWSTR list;
    NTSTATUS status = IoGetDeviceInterfaces(&render, NULL, 0, &list);

    if (NT_SUCCESS(status)) {
        status = *list ? link_open(link, list) : STATUS_NO_SUCH_DEVICE;
        ExFreePool(list);
    }
    return status;
}
