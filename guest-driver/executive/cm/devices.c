/*
 * The keys of devices, of their drivers and of their interfaces.
 *
 * Where they are is nobody's business but ours: drivers ask for them here.
 *
 * SPDX-License-Identifier: MIT
 */
#include "cm.h"
#include "iop.h"

#define PATH_CHARACTERS     400         /* characters */

static const WCHAR Parameters[] = L"\\Device Parameters";

typedef struct _PATH {
    UNICODE_STRING Name;
    WCHAR Room[PATH_CHARACTERS];
} PATH;

/* False: the path is too long. */
static bool Append(PATH *Path, PCUNICODE_STRING Text)
{
    if (Text->Length > Path->Name.MaximumLength - Path->Name.Length) {
        return false;
    }
    RtlCopyMemory((PUCHAR)Path->Room + Path->Name.Length, Text->Buffer,
                  Text->Length);
    Path->Name.Length += Text->Length;
    return true;
}

static bool Add(PATH *Path, const WCHAR *Text)
{
    UNICODE_STRING string;

    RtlInitUnicodeString(&string, Text);
    return Append(Path, &string);
}

static void Begin(PATH *Path, const WCHAR *Start)
{
    Path->Name = (UNICODE_STRING){ 0, sizeof(Path->Room), Path->Room };
    Add(Path, Start);
}

/* Hexadecimal digits, behind a backslash. */
static void AddNumber(PATH *Path, ULONGLONG Number)
{
    WCHAR text[1 + 16 + 1] = L"\\0000000000000000";

    for (ULONG at = 16; at; at--) {
        text[at] = L"0123456789abcdef"[Number & 0xf];
        Number >>= 4;
    }
    Add(Path, text);
}

/* A PCI device is told by its place, which stays; others are told by their PDO. */
static void AddInstance(PATH *Path, PDEVICE_OBJECT Pdo)
{
    ULONG bus, address;
    bool pci = IopPdoAddress(Pdo, &bus, &address);

    Add(Path, pci ? L"\\PCI" : L"\\Root");
    AddNumber(Path, pci ? (ULONGLONG)bus << 32 | address : (ULONG_PTR)Pdo);
}

NTSTATUS NTAPI IoOpenDeviceRegistryKey(PDEVICE_OBJECT DeviceObject,
                                       ULONG DevInstKeyType,
                                       ACCESS_MASK DesiredAccess,
                                       PHANDLE DeviceRegKey)
{
    bool profile = DevInstKeyType & PLUGPLAY_REGKEY_CURRENT_HWPROFILE;
    PATH path;

    UNREFERENCED_PARAMETER(DesiredAccess);
    if (!DeviceObject || !DeviceRegKey) {
        return STATUS_INVALID_PARAMETER;
    }
    Begin(&path, profile ? CM_CONTROL_SET L"\\Hardware Profiles\\Current"
                         : CM_CONTROL_SET);
    switch (DevInstKeyType & ~PLUGPLAY_REGKEY_CURRENT_HWPROFILE) {
    case PLUGPLAY_REGKEY_DEVICE:
        Add(&path, L"\\Enum");
        AddInstance(&path, DeviceObject);
        Add(&path, Parameters);
        break;
    case PLUGPLAY_REGKEY_DRIVER:
        Add(&path, L"\\Control\\Class");
        AddInstance(&path, DeviceObject);
        break;
    default:
        return STATUS_INVALID_PARAMETER;
    }
    return CmOpen(&path.Name, DeviceRegKey);
}

/* The link's name is one component: its backslashes are no path here. */
NTSTATUS NTAPI IoOpenDeviceInterfaceRegistryKey(PUNICODE_STRING SymbolicLinkName,
                                                ACCESS_MASK DesiredAccess,
                                                PHANDLE DeviceInterfaceKey)
{
    ULONG start;
    PATH path;

    UNREFERENCED_PARAMETER(DesiredAccess);
    if (!SymbolicLinkName || !SymbolicLinkName->Length || !DeviceInterfaceKey) {
        return STATUS_INVALID_PARAMETER;
    }
    Begin(&path, CM_CONTROL_SET L"\\Control\\DeviceClasses\\");
    start = path.Name.Length / sizeof(WCHAR);
    if (!Append(&path, SymbolicLinkName)) {
        return STATUS_INVALID_PARAMETER;
    }
    for (ULONG at = start; at < path.Name.Length / sizeof(WCHAR); at++) {
        if (path.Room[at] == L'\\') {
            path.Room[at] = L'#';
        }
    }
    if (!Add(&path, Parameters)) {
        return STATUS_INVALID_PARAMETER;
    }
    return CmOpen(&path.Name, DeviceInterfaceKey);
}
