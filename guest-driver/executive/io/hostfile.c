/*
 * Files from the host, through fw_cfg.
 *
 * SPDX-License-Identifier: MIT
 */
#include "iop.h"

#include "fwcfg.h"
#include "halp.h"

#define HOST_DIRECTORY      "opt/org.pcmaster/"
#define PATH_PREFIX         L"\\??\\fw_cfg\\"
#define COMMAND_LINE_FILE   "cmdline"
/* Opening it has the verifier look at all common buffers; it is empty. */
#define CHECK_FILE          "check-buffers"
#define HOST_PATH_MAX            64
#define HANDLES_MAX         16
#define HANDLE_STEP         4
#define ASCII_LAST          0x7e

typedef struct _HOST_FILE {
    bool Open;
    bool CommandLine;
    struct fwcfg_file File;
    ULONG Offset;
} HOST_FILE;

static HOST_FILE Handles[HANDLES_MAX];

static uint64_t Physical(const void *Pointer)
{
    return (uint64_t)MmGetPhysicalAddress((PVOID)(ULONG_PTR)Pointer).QuadPart;
}

void IopInitialize(void)
{
    if (!fwcfg_init(Physical)) {
        KeBugCheckEx(PHASE0_INITIALIZATION_FAILED, 0, 0, 0, 0);
    }
    IopInitializeWork();
    IopEnumeratePci();
    IopEnumerateIsa();
    IopCreateMachine();
}

static bool FindHostFile(const char *Name, struct fwcfg_file *File)
{
    char path[HOST_PATH_MAX] = HOST_DIRECTORY;
    size_t at = sizeof(HOST_DIRECTORY) - 1;

    while (*Name && at < sizeof(path) - 1) {
        path[at++] = *Name++;
    }
    path[at] = 0;
    return fwcfg_find(path, File);
}

PVOID IopReadFile(const char *Name, ULONG *Size)
{
    struct fwcfg_file file;
    PVOID data;

    if (!FindHostFile(Name, &file) || !file.size) {
        return NULL;
    }
    data = ExAllocatePoolWithTag(NonPagedPool, file.size, IOP_TAG);
    if (data && !fwcfg_read(&file, 0, data, file.size)) {
        ExFreePoolWithTag(data, IOP_TAG);
        data = NULL;
    }
    *Size = file.size;
    return data;
}

/* The part of the path behind the prefix, as a C string; false: not ours. */
static bool HostName(PCUNICODE_STRING Path, char *Name)
{
    ULONG prefix = sizeof(PATH_PREFIX) - sizeof(WCHAR);
    UNICODE_STRING start = { (USHORT)prefix, (USHORT)prefix, Path->Buffer };
    UNICODE_STRING expected;
    ULONG length;

    RtlInitUnicodeString(&expected, PATH_PREFIX);
    if (Path->Length <= prefix ||
        !RtlEqualUnicodeString(&start, &expected, TRUE)) {
        return false;
    }
    length = (Path->Length - prefix) / sizeof(WCHAR);
    if (length >= HOST_PATH_MAX) {
        return false;
    }
    for (ULONG i = 0; i < length; i++) {
        if (Path->Buffer[prefix / sizeof(WCHAR) + i] > ASCII_LAST) {
            return false;
        }
        Name[i] = (char)Path->Buffer[prefix / sizeof(WCHAR) + i];
    }
    Name[length] = 0;
    return true;
}

static bool SameText(const char *A, const char *B)
{
    while (*A && *A == *B) {
        A++;
        B++;
    }
    return *A == *B;
}

static ULONG LengthOf(const char *Text)
{
    ULONG length = 0;

    while (Text[length]) {
        length++;
    }
    return length;
}

static HOST_FILE *FromHandle(HANDLE Handle)
{
    ULONG_PTR index = (ULONG_PTR)Handle / HANDLE_STEP - 1;

    return index < HANDLES_MAX && Handles[index].Open ? &Handles[index] : NULL;
}

NTSTATUS NTAPI ZwOpenFile(PHANDLE FileHandle, ACCESS_MASK DesiredAccess,
                          POBJECT_ATTRIBUTES ObjectAttributes,
                          PIO_STATUS_BLOCK IoStatusBlock, ULONG ShareAccess,
                          ULONG OpenOptions)
{
    HOST_FILE file = { .Open = true };
    char name[HOST_PATH_MAX];

    UNREFERENCED_PARAMETER(DesiredAccess);
    UNREFERENCED_PARAMETER(ShareAccess);
    UNREFERENCED_PARAMETER(OpenOptions);
    if (!HostName(ObjectAttributes->ObjectName, name)) {
        return STATUS_OBJECT_PATH_NOT_FOUND;
    }
    file.CommandLine = SameText(name, COMMAND_LINE_FILE);
    if (file.CommandLine) {
        file.File.size = LengthOf(IopCommandLine());
    } else if (SameText(name, CHECK_FILE)) {
        HalpCheckAllBuffers();
    } else if (!FindHostFile(name, &file.File)) {
        return STATUS_OBJECT_NAME_NOT_FOUND;
    }
    for (ULONG i = 0; i < HANDLES_MAX; i++) {
        if (!Handles[i].Open) {
            Handles[i] = file;
            *FileHandle = (HANDLE)(ULONG_PTR)((i + 1) * HANDLE_STEP);
            IoStatusBlock->Status = STATUS_SUCCESS;
            IoStatusBlock->Information = FILE_OPENED;
            return STATUS_SUCCESS;
        }
    }
    return STATUS_INSUFFICIENT_RESOURCES;
}

static bool ReadAt(const HOST_FILE *File, ULONG Offset, PVOID Buffer,
                   ULONG Length)
{
    if (File->CommandLine) {
        RtlCopyMemory(Buffer, IopCommandLine() + Offset, Length);
        return true;
    }
    return fwcfg_read(&File->File, Offset, Buffer, Length);
}

/* FILE_USE_FILE_POINTER_POSITION, as ZwReadFile's documents define it. */
static bool FromFilePointer(const LARGE_INTEGER *ByteOffset)
{
    return ByteOffset->HighPart == -1 &&
           ByteOffset->LowPart == FILE_USE_FILE_POINTER_POSITION;
}

NTSTATUS NTAPI ZwReadFile(HANDLE FileHandle, HANDLE Event,
                          PIO_APC_ROUTINE ApcRoutine, PVOID ApcContext,
                          PIO_STATUS_BLOCK IoStatusBlock, PVOID Buffer,
                          ULONG Length, PLARGE_INTEGER ByteOffset, PULONG Key)
{
    HOST_FILE *file = FromHandle(FileHandle);
    ULONG size;

    UNREFERENCED_PARAMETER(Event);
    UNREFERENCED_PARAMETER(ApcRoutine);
    UNREFERENCED_PARAMETER(ApcContext);
    UNREFERENCED_PARAMETER(Key);
    if (!file) {
        return STATUS_INVALID_HANDLE;
    }
    size = file->File.size;
    if (ByteOffset && !FromFilePointer(ByteOffset)) {
        file->Offset = ByteOffset->QuadPart < 0 ||
                               ByteOffset->QuadPart > size
                           ? size : (ULONG)ByteOffset->QuadPart;
    }
    if (file->Offset == size) {
        return STATUS_END_OF_FILE;
    }
    if (Length > size - file->Offset) {
        Length = size - file->Offset;
    }
    if (!ReadAt(file, file->Offset, Buffer, Length)) {
        return STATUS_IO_DEVICE_ERROR;
    }
    file->Offset += Length;
    IoStatusBlock->Status = STATUS_SUCCESS;
    IoStatusBlock->Information = Length;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI ZwQueryInformationFile(HANDLE FileHandle,
                                      PIO_STATUS_BLOCK IoStatusBlock,
                                      PVOID FileInformation, ULONG Length,
                                      FILE_INFORMATION_CLASS InformationClass)
{
    HOST_FILE *file = FromHandle(FileHandle);
    PFILE_STANDARD_INFORMATION standard = FileInformation;

    if (!file) {
        return STATUS_INVALID_HANDLE;
    }
    if (InformationClass != FileStandardInformation) {
        return STATUS_INVALID_INFO_CLASS;
    }
    if (Length < sizeof(*standard)) {
        return STATUS_INFO_LENGTH_MISMATCH;
    }
    RtlZeroMemory(standard, sizeof(*standard));
    standard->EndOfFile.QuadPart = file->File.size;
    standard->AllocationSize.QuadPart = file->File.size;
    standard->NumberOfLinks = 1;
    IoStatusBlock->Status = STATUS_SUCCESS;
    IoStatusBlock->Information = sizeof(*standard);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI ZwClose(HANDLE Handle)
{
    HOST_FILE *file = FromHandle(Handle);

    if (!file) {
        return KiCloseThreadHandle(Handle) || IopCloseFileHandle(Handle) ||
                       CmCloseHandle(Handle)
                   ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
    }
    file->Open = false;
    return STATUS_SUCCESS;
}
