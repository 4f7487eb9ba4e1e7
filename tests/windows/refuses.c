/* SPDX-License-Identifier: MIT */
/* refuses.sys: a driver that is loaded, and does not want to run */
#include <wdm.h>

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path)
{
    UNREFERENCED_PARAMETER(driver);
    UNREFERENCED_PARAMETER(registry_path);
    return STATUS_DEVICE_CONFIGURATION_ERROR;
}
