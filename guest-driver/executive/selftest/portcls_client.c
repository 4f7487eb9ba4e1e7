/* SPDX-License-Identifier: MIT */
/* selftest.sys: a client of filters and pins, by the IRPs of kernel streaming */
#include "portcls_test.h"

NTSTATUS open_relative(HANDLE root, PVOID name, USHORT bytes, PHANDLE handle)
{
    UNICODE_STRING string = { bytes, bytes, name };
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK result;

    InitializeObjectAttributes(&attributes, &string, OBJ_KERNEL_HANDLE, root, NULL);
    return ZwCreateFile(handle, GENERIC_READ | GENERIC_WRITE, &attributes, &result, NULL, 0, 0, FILE_OPEN, 0,
                        NULL, 0);
}

NTSTATUS open_link(PVOID name, USHORT bytes, PHANDLE handle)
{
    return open_relative(NULL, name, bytes, handle);
}

/* By the first interface of the class, as clients find filters. */
HANDLE open_filter(const WCHAR *reference)
{
    UNICODE_STRING link, wanted = text_of(reference), end;
    HANDLE handle = NULL;
    PWSTR list = NULL;

    EXPECT_STATUS(IoGetDeviceInterfaces(&KSCATEGORY_AUDIO, adapter.pdo, 0, &list), STATUS_SUCCESS);
    for (PWSTR at = list; *at && !handle; at += link.Length / sizeof(WCHAR) + 1) {
        RtlInitUnicodeString(&link, at);
        end = (UNICODE_STRING){ wanted.Length, wanted.Length,
                                at + (link.Length - wanted.Length) / sizeof(WCHAR) };
        if (link.Length > wanted.Length && RtlEqualUnicodeString(&end, &wanted, TRUE) &&
            !NT_SUCCESS(open_relative(NULL, link.Buffer, link.Length, &handle))) {
            handle = NULL;
        }
    }
    ExFreePool(list);
    return handle;
}

void pin_name_fill(struct pin_name *name, ULONG pin, ULONG rate)
{
    RtlZeroMemory(name, sizeof(*name));
    RtlCopyMemory(name->guid, KSSTRING_Pin L"\\", sizeof(name->guid));
    name->connect.Interface.Set = KSINTERFACESETID_Standard;
    name->connect.Medium.Set = KSMEDIUMSETID_Standard;
    name->connect.PinId = pin;
    name->connect.Priority.PriorityClass = KSPRIORITY_NORMAL;
    name->connect.Priority.PrioritySubClass = 1;
    name->format.DataFormat.FormatSize = sizeof(name->format);
    name->format.DataFormat.MajorFormat = KSDATAFORMAT_TYPE_AUDIO;
    name->format.DataFormat.SubFormat = KSDATAFORMAT_SUBTYPE_PCM;
    name->format.DataFormat.Specifier = KSDATAFORMAT_SPECIFIER_WAVEFORMATEX;
    name->format.WaveFormatEx.wFormatTag = WAVE_FORMAT_PCM;
    name->format.WaveFormatEx.nChannels = 2;
    name->format.WaveFormatEx.nSamplesPerSec = rate;
    name->format.WaveFormatEx.wBitsPerSample = 16;
    name->format.WaveFormatEx.nBlockAlign = FRAME_BYTES;
    name->format.WaveFormatEx.nAvgBytesPerSec = rate * FRAME_BYTES;
}

NTSTATUS open_pin(HANDLE filter, ULONG pin, ULONG rate, PHANDLE handle)
{
    struct pin_name name;

    pin_name_fill(&name, pin, rate);
    return open_relative(filter, &name, sizeof(name), handle);
}

static PIRP build(PFILE_OBJECT file, ULONG code, PVOID in, ULONG in_bytes, PVOID out, ULONG out_bytes,
                  PKEVENT done, PIO_STATUS_BLOCK result, PDEVICE_OBJECT *top)
{
    PIRP irp;

    *top = IoGetAttachedDeviceReference(file->DeviceObject);
    KeInitializeEvent(done, NotificationEvent, FALSE);
    irp = IoBuildDeviceIoControlRequest(code, *top, in, in_bytes, out, out_bytes, FALSE, done, result);
    if (irp) {
        IoGetNextIrpStackLocation(irp)->FileObject = file;
    }
    return irp;
}

static PFILE_OBJECT file_of(HANDLE handle)
{
    PVOID file = NULL;

    EXPECT_STATUS(ObReferenceObjectByHandle(handle, 0, NULL, KernelMode, &file, NULL), STATUS_SUCCESS);
    return file;
}

NTSTATUS control(HANDLE file, ULONG code, PVOID in, ULONG in_bytes, PVOID out, ULONG out_bytes, ULONG *used)
{
    PFILE_OBJECT object = file_of(file);
    IO_STATUS_BLOCK result = { .Status = STATUS_UNSUCCESSFUL };
    PDEVICE_OBJECT top;
    KEVENT done;
    PIRP irp;
    NTSTATUS status;

    if (!object) {
        return STATUS_INVALID_HANDLE;
    }
    irp = build(object, code, in, in_bytes, out, out_bytes, &done, &result, &top);
    status = IoCallDriver(top, irp);
    if (status == STATUS_PENDING) {
        KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
        status = result.Status;
    }
    if (used) {
        *used = (ULONG)result.Information;
    }
    ObDereferenceObject(top);
    ObDereferenceObject(object);
    return status;
}

NTSTATUS property(HANDLE file, const GUID *set, ULONG id, ULONG flags, ULONG pin, PVOID value, ULONG length,
                  ULONG *used)
{
    KSP_PIN request = { .PinId = pin };

    request.Property.Set = *set;
    request.Property.Id = id;
    request.Property.Flags = flags;
    return control(file, IOCTL_KS_PROPERTY, &request, sizeof(request), value, length, used);
}

NTSTATUS get_pin_property(HANDLE filter, ULONG id, ULONG pin, PVOID value, ULONG length, ULONG *used)
{
    return property(filter, &KSPROPSETID_Pin, id, KSPROPERTY_TYPE_GET, pin, value, length, used);
}

NTSTATUS set_state(HANDLE pin, KSSTATE state)
{
    return property(pin, &KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, KSPROPERTY_TYPE_SET, 0, &state,
                    sizeof(state), NULL);
}

KSSTATE get_state(HANDLE pin)
{
    KSSTATE state = (KSSTATE)-1;

    EXPECT_STATUS(property(pin, &KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, KSPROPERTY_TYPE_GET, 0,
                           &state, sizeof(state), NULL), STATUS_SUCCESS);
    return state;
}

KSAUDIO_POSITION get_position(HANDLE pin)
{
    KSAUDIO_POSITION position = { 0, 0 };

    EXPECT_STATUS(property(pin, &KSPROPSETID_Audio, KSPROPERTY_AUDIO_POSITION, KSPROPERTY_TYPE_GET, 0,
                           &position, sizeof(position), NULL), STATUS_SUCCESS);
    return position;
}

PCPIN_FAULTS get_faults(HANDLE pin)
{
    PCPIN_FAULTS faults = { 0, 0 };

    EXPECT_STATUS(property(pin, &PCPROPSETID_PinFaults, PCPROPERTY_PIN_FAULTS, KSPROPERTY_TYPE_GET, 0, &faults,
                           sizeof(faults), NULL), STATUS_SUCCESS);
    return faults;
}

static void transfer_send(struct transfer *transfer, HANDLE pin, ULONG code, PVOID data, ULONG bytes, ULONG options,
                          bool cancelled)
{
    PFILE_OBJECT file = file_of(pin);
    PDEVICE_OBJECT top;

    RtlZeroMemory(transfer, sizeof(*transfer));
    transfer->header.Size = sizeof(transfer->header);
    transfer->header.FrameExtent = bytes;
    transfer->header.DataUsed = code == IOCTL_KS_WRITE_STREAM ? bytes : 0;
    transfer->header.Data = data;
    transfer->header.OptionsFlags = options;
    transfer->irp = build(file, code, NULL, 0, &transfer->header, sizeof(transfer->header), &transfer->done,
                          &transfer->result, &top);
    if (cancelled) {
        EXPECT(!IoCancelIrp(transfer->irp));        /* nobody has it yet */
    }
    transfer->status = IoCallDriver(top, transfer->irp);
    ObDereferenceObject(top);
    ObDereferenceObject(file);
}

void transfer_begin(struct transfer *transfer, HANDLE pin, ULONG code, PVOID data, ULONG bytes)
{
    transfer_send(transfer, pin, code, data, bytes, 0, false);
}

void transfer_last(struct transfer *transfer, HANDLE pin, PVOID data, ULONG bytes)
{
    transfer_send(transfer, pin, IOCTL_KS_WRITE_STREAM, data, bytes, KSSTREAM_HEADER_OPTIONSF_ENDOFSTREAM,
                  false);
}

void transfer_cancelled(struct transfer *transfer, HANDLE pin, PVOID data, ULONG bytes)
{
    transfer_send(transfer, pin, IOCTL_KS_WRITE_STREAM, data, bytes, 0, true);
}

bool transfer_is_done(struct transfer *transfer)
{
    return KeReadStateEvent(&transfer->done) != 0;
}
