/* SPDX-License-Identifier: MIT */
/*
 * install.exe FILE.inf HARDWARE-ID INSTANCE: makes a device with that ID, which no
 * bus has found, and has the system install the driver of the .inf for it. What
 * devcon's "install" does, through the documented interfaces.
 */
#include <windows.h>
#include <setupapi.h>
#include <newdev.h>
#include <stdio.h>
#include <wchar.h>

static int failed(const char *what)
{
    printf("%s: error 0x%lx\n", what, GetLastError());
    return 1;
}

static int add_device(const GUID *class, const WCHAR *id, const WCHAR *instance)
{
    HDEVINFO set = SetupDiCreateDeviceInfoList(class, NULL);
    SP_DEVINFO_DATA device = { .cbSize = sizeof(device) };
    WCHAR ids[256] = L"";               /* a list ends with an empty text */

    wcsncpy(ids, id, 254);
    if (set == INVALID_HANDLE_VALUE ||
        !SetupDiCreateDeviceInfoW(set, instance, class, NULL, NULL, 0, &device)) {
        return failed("a device");
    }
    if (!SetupDiSetDeviceRegistryPropertyW(set, &device, SPDRP_HARDWAREID, (const BYTE *)ids,
                                           (DWORD)((wcslen(ids) + 2) * sizeof(WCHAR)))) {
        return failed("its hardware ID");
    }
    if (!SetupDiCallClassInstaller(DIF_REGISTERDEVICE, set, &device)) {
        return failed("its registration");
    }
    return 0;
}

int wmain(int count, WCHAR **words)
{
    WCHAR path[MAX_PATH], name[64];
    BOOL reboot = FALSE;
    GUID class;

    if (count != 4 || !GetFullPathNameW(words[1], MAX_PATH, path, NULL)) {
        return failed("usage: install FILE.inf HARDWARE-ID INSTANCE");
    }
    if (!SetupDiGetINFClassW(path, &class, name, 64, NULL)) {
        return failed("the class of the .inf");
    }
    printf("class %ls\n", name);
    if (add_device(&class, words[2], words[3])) {
        return 1;
    }
    if (!UpdateDriverForPlugAndPlayDevicesW(NULL, words[2], path, INSTALLFLAG_FORCE, &reboot)) {
        return failed("the driver");
    }
    printf("installed\n");
    return 0;
}
