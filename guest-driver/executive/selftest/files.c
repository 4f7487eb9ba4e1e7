/* SPDX-License-Identifier: MIT */
/* selftest.sys: files from the host */
#include "selftest.h"

#define COMMAND_LINE                L"\\??\\fw_cfg\\cmdline"
#define DRIVER_FILE                 L"\\??\\fw_cfg\\driver.sys"
#define HANDLES_ENOUGH              4096

static NTSTATUS open(const WCHAR *name, PHANDLE file)
{
    UNICODE_STRING string = text_of(name);
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK result;

    InitializeObjectAttributes(&attributes, &string, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE,
                               NULL, NULL);
    return ZwOpenFile(file, FILE_READ_DATA | SYNCHRONIZE, &attributes, &result, FILE_SHARE_READ,
                      FILE_SYNCHRONOUS_IO_NONALERT);
}

static NTSTATUS read(HANDLE file, const LARGE_INTEGER *offset, PVOID data, ULONG length,
                     ULONG_PTR *got)
{
    LARGE_INTEGER at = { .QuadPart = offset ? offset->QuadPart : 0 };
    IO_STATUS_BLOCK result = { .Information = 0 };
    NTSTATUS status = ZwReadFile(file, NULL, NULL, NULL, &result, data, length,
                                 offset ? &at : NULL, NULL);

    *got = result.Information;
    return status;
}

static NTSTATUS read_at(HANDLE file, LONGLONG offset, PVOID data, ULONG length, ULONG_PTR *got)
{
    LARGE_INTEGER at = { .QuadPart = offset };

    return read(file, &at, data, length, got);
}

static ULONGLONG size_of(HANDLE file)
{
    FILE_STANDARD_INFORMATION information = { .Directory = TRUE };
    IO_STATUS_BLOCK result;

    EXPECT_STATUS(ZwQueryInformationFile(file, &result, &information, sizeof(information),
                                         FileStandardInformation), STATUS_SUCCESS);
    EXPECT_EQUAL(result.Information, sizeof(information));
    EXPECT(!information.Directory && !information.DeletePending);
    return (ULONGLONG)information.EndOfFile.QuadPart;
}

static void missing(void)
{
    HANDLE file = NULL;

    EXPECT_STATUS(open(L"\\??\\fw_cfg\\no-such-file", &file), STATUS_OBJECT_NAME_NOT_FOUND);
    EXPECT_STATUS(open(L"\\??\\fw_cfg\\driver.sy", &file), STATUS_OBJECT_NAME_NOT_FOUND);
    EXPECT(!NT_SUCCESS(open(L"\\??\\fw_cfg\\", &file)));
    EXPECT(!NT_SUCCESS(open(L"\\??\\C:\\driver.sys", &file)));
    EXPECT(!NT_SUCCESS(open(L"", &file)));
    EXPECT(file == NULL);
}

static void command_line(void)
{
    char text[64] = { 0 };
    HANDLE file = NULL;
    ULONG_PTR got;

    EXPECT_STATUS(open(COMMAND_LINE, &file), STATUS_SUCCESS);
    EXPECT(size_of(file) >= 13);
    EXPECT_STATUS(read_at(file, 0, text, 13, &got), STATUS_SUCCESS);
    EXPECT_EQUAL(got, 13);
    EXPECT_EQUAL(RtlCompareMemory(text, "exercise=none", 13), 13);
    EXPECT_STATUS(ZwClose(file), STATUS_SUCCESS);
}

static void offsets(void)
{
    UCHAR whole[512], part[100];
    HANDLE file = NULL;
    ULONG_PTR got;

    EXPECT_STATUS(open(DRIVER_FILE, &file), STATUS_SUCCESS);
    EXPECT_STATUS(read_at(file, 0, whole, sizeof(whole), &got), STATUS_SUCCESS);
    EXPECT_EQUAL(got, sizeof(whole));
    EXPECT(whole[0] == 'M' && whole[1] == 'Z');
    EXPECT_STATUS(read_at(file, 77, part, sizeof(part), &got), STATUS_SUCCESS);
    EXPECT_EQUAL(RtlCompareMemory(part, whole + 77, sizeof(part)), sizeof(part));
    /* Without an offset the reads follow one another. */
    EXPECT_STATUS(read(file, NULL, part, sizeof(part), &got), STATUS_SUCCESS);
    EXPECT_EQUAL(RtlCompareMemory(part, whole + 177, sizeof(part)), sizeof(part));
    EXPECT_STATUS(read(file, NULL, part, sizeof(part), &got), STATUS_SUCCESS);
    EXPECT_EQUAL(RtlCompareMemory(part, whole + 277, sizeof(part)), sizeof(part));
    ZwClose(file);
}

static void end_of_file(void)
{
    UCHAR data[64];
    HANDLE file = NULL;
    LONGLONG size;
    ULONG_PTR got;

    EXPECT_STATUS(open(DRIVER_FILE, &file), STATUS_SUCCESS);
    size = (LONGLONG)size_of(file);
    EXPECT_STATUS(read_at(file, size - 10, data, sizeof(data), &got), STATUS_SUCCESS);
    EXPECT_EQUAL(got, 10);
    EXPECT_STATUS(read(file, NULL, data, sizeof(data), &got), STATUS_END_OF_FILE);
    EXPECT_STATUS(read_at(file, size, data, sizeof(data), &got), STATUS_END_OF_FILE);
    EXPECT_STATUS(read_at(file, size + 0x100000000ll, data, sizeof(data), &got),
                  STATUS_END_OF_FILE);
    EXPECT_STATUS(read_at(file, size - 1, data, sizeof(data), &got), STATUS_SUCCESS);
    EXPECT_EQUAL(got, 1);
    ZwClose(file);
}

static void handles(void)
{
    static HANDLE files[HANDLES_ENOUGH];
    NTSTATUS status = STATUS_SUCCESS;
    IO_STATUS_BLOCK result;
    ULONG count = 0;
    ULONG_PTR got;
    UCHAR byte;

    while (count < HANDLES_ENOUGH && NT_SUCCESS(status = open(COMMAND_LINE, &files[count]))) {
        count++;
    }
    EXPECT(count >= 8);
    EXPECT(count == HANDLES_ENOUGH || status == STATUS_INSUFFICIENT_RESOURCES);
    for (ULONG i = 1; i < count; i++) {
        EXPECT(files[i] != files[i - 1]);
        EXPECT_STATUS(ZwClose(files[i]), STATUS_SUCCESS);
    }
    EXPECT_STATUS(ZwClose(files[0]), STATUS_SUCCESS);
    EXPECT_STATUS(ZwClose(files[0]), STATUS_INVALID_HANDLE);
    EXPECT_STATUS(read_at(files[0], 0, &byte, 1, &got), STATUS_INVALID_HANDLE);
    EXPECT_STATUS(ZwQueryInformationFile(files[0], &result, &byte, 1, FileStandardInformation),
                  STATUS_INVALID_HANDLE);
    EXPECT_STATUS(ZwClose(NULL), STATUS_INVALID_HANDLE);
}

static void queries(void)
{
    FILE_STANDARD_INFORMATION information;
    IO_STATUS_BLOCK result;
    HANDLE file = NULL;

    EXPECT_STATUS(open(COMMAND_LINE, &file), STATUS_SUCCESS);
    EXPECT_STATUS(ZwQueryInformationFile(file, &result, &information, sizeof(information) - 1,
                                         FileStandardInformation), STATUS_INFO_LENGTH_MISMATCH);
    EXPECT_STATUS(ZwQueryInformationFile(file, &result, &information, sizeof(information),
                                         (FILE_INFORMATION_CLASS)0x7fff),
                  STATUS_INVALID_INFO_CLASS);
    ZwClose(file);
}

const struct check file_checks[] = {
    { "file/missing", missing },
    { "file/command-line", command_line },
    { "file/offsets", offsets },
    { "file/end", end_of_file },
    { "file/handles", handles },
    { "file/queries", queries },
    { NULL, NULL },
};
