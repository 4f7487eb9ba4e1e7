/* SPDX-License-Identifier: MIT */
/* client.sys: files from the host */
#include "client.h"

NTSTATUS file_open(const WCHAR *name, HANDLE *file, ULONGLONG *bytes)
{
    FILE_STANDARD_INFORMATION information;
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK result;
    UNICODE_STRING string;
    NTSTATUS status;

    RtlInitUnicodeString(&string, name);
    InitializeObjectAttributes(&attributes, &string, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    status = ZwOpenFile(file, FILE_READ_DATA | SYNCHRONIZE, &attributes, &result, FILE_SHARE_READ,
                        FILE_SYNCHRONOUS_IO_NONALERT);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = ZwQueryInformationFile(*file, &result, &information, sizeof(information),
                                    FileStandardInformation);
    if (!NT_SUCCESS(status)) {
        ZwClose(*file);
        return status;
    }
    *bytes = (ULONGLONG)information.EndOfFile.QuadPart;
    return STATUS_SUCCESS;
}

NTSTATUS file_read(HANDLE file, ULONGLONG offset, PVOID data, ULONG length)
{
    IO_STATUS_BLOCK result;
    LARGE_INTEGER at;
    NTSTATUS status;

    at.QuadPart = (LONGLONG)offset;
    status = ZwReadFile(file, NULL, NULL, NULL, &result, data, length, &at, NULL);
    if (NT_SUCCESS(status) && result.Information != length) {
        return STATUS_END_OF_FILE;
    }
    return status;
}
