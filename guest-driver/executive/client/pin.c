/* SPDX-License-Identifier: MIT */
/* client.sys: a pin of the driver's filter, by the IRPs of kernel streaming */
#include "pin.h"

#pragma pack(push, 1)
struct pin_name {
    WCHAR guid[39];                     /* KSSTRING_Pin and a backslash, without an end */
    KSPIN_CONNECT connect;
    KSDATAFORMAT_WAVEFORMATEX format;
};
#pragma pack(pop)

static NTSTATUS open_name(HANDLE root, PVOID name, ULONG bytes, HANDLE *handle)
{
    UNICODE_STRING string = { (USHORT)bytes, (USHORT)bytes, name };
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK result;

    InitializeObjectAttributes(&attributes, &string, OBJ_KERNEL_HANDLE, root, NULL);
    return ZwCreateFile(handle, GENERIC_READ | GENERIC_WRITE, &attributes, &result, NULL, 0, 0, FILE_OPEN, 0,
                        NULL, 0);
}

NTSTATUS filter_open(const GUID *category, HANDLE *filter)
{
    UNICODE_STRING link;
    PWSTR list;
    NTSTATUS status = IoGetDeviceInterfaces(category, NULL, 0, &list);

    if (NT_SUCCESS(status)) {
        RtlInitUnicodeString(&link, list);
        status = link.Length ? open_name(NULL, link.Buffer, link.Length, filter) : STATUS_NO_SUCH_DEVICE;
        ExFreePool(list);
    }
    return status;
}

static void wave_fill(WAVEFORMATEX *wave, const struct pin_format *format)
{
    wave->wFormatTag = WAVE_FORMAT_PCM;
    wave->nChannels = (WORD)format->channels;
    wave->nSamplesPerSec = format->rate;
    wave->wBitsPerSample = (WORD)format->bits;
    wave->nBlockAlign = (WORD)(format->channels * format->bits / 8);
    wave->nAvgBytesPerSec = format->rate * wave->nBlockAlign;
}

NTSTATUS pin_open(HANDLE filter, ULONG id, const struct pin_format *format, HANDLE *pin)
{
    struct pin_name name;

    RtlZeroMemory(&name, sizeof(name));
    RtlCopyMemory(name.guid, KSSTRING_Pin L"\\", sizeof(name.guid));
    name.connect.Interface.Set = KSINTERFACESETID_Standard;
    name.connect.Medium.Set = KSMEDIUMSETID_Standard;
    name.connect.PinId = id;
    name.connect.Priority.PriorityClass = KSPRIORITY_NORMAL;
    name.connect.Priority.PrioritySubClass = 1;
    name.format.DataFormat.FormatSize = sizeof(name.format);
    name.format.DataFormat.MajorFormat = KSDATAFORMAT_TYPE_AUDIO;
    name.format.DataFormat.SubFormat = KSDATAFORMAT_SUBTYPE_PCM;
    name.format.DataFormat.Specifier = KSDATAFORMAT_SPECIFIER_WAVEFORMATEX;
    wave_fill(&name.format.WaveFormatEx, format);
    return open_name(filter, &name, sizeof(name), pin);
}

/* The IRP's next location is set; its file is FILE's. */
static NTSTATUS send(HANDLE handle, ULONG code, PVOID in, ULONG in_bytes, PVOID out, ULONG out_bytes,
                     PKEVENT done, PIO_STATUS_BLOCK result)
{
    PFILE_OBJECT file;
    PDEVICE_OBJECT top;
    NTSTATUS status = ObReferenceObjectByHandle(handle, 0, NULL, KernelMode, (PVOID *)&file, NULL);
    PIRP irp;

    if (!NT_SUCCESS(status)) {
        return status;
    }
    top = IoGetAttachedDeviceReference(file->DeviceObject);
    KeInitializeEvent(done, NotificationEvent, FALSE);
    irp = IoBuildDeviceIoControlRequest(code, top, in, in_bytes, out, out_bytes, FALSE, done, result);
    status = STATUS_INSUFFICIENT_RESOURCES;
    if (irp) {
        IoGetNextIrpStackLocation(irp)->FileObject = file;
        status = IoCallDriver(top, irp);
    }
    ObDereferenceObject(top);
    ObDereferenceObject(file);
    return status;
}

static NTSTATUS property(HANDLE pin, const GUID *set, ULONG id, ULONG flags, PVOID value, ULONG bytes)
{
    KSPROPERTY request;
    IO_STATUS_BLOCK result;
    KEVENT done;
    NTSTATUS status;

    RtlZeroMemory(&request, sizeof(request));
    request.Set = *set;
    request.Id = id;
    request.Flags = flags;
    status = send(pin, IOCTL_KS_PROPERTY, &request, sizeof(request), value, bytes, &done, &result);
    if (status == STATUS_PENDING) {
        KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
        status = result.Status;
    }
    return status;
}

NTSTATUS pin_set_state(HANDLE pin, KSSTATE state)
{
    return property(pin, &KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, KSPROPERTY_TYPE_SET, &state,
                    sizeof(state));
}

NTSTATUS pin_position(HANDLE pin, ULONGLONG *bytes)
{
    KSAUDIO_POSITION position = { 0, 0 };
    NTSTATUS status = property(pin, &KSPROPSETID_Audio, KSPROPERTY_AUDIO_POSITION, KSPROPERTY_TYPE_GET,
                               &position, sizeof(position));

    *bytes = position.PlayOffset;
    return status;
}

NTSTATUS pin_faults(HANDLE pin, PCPIN_FAULTS *faults)
{
    return property(pin, &PCPROPSETID_PinFaults, PCPROPERTY_PIN_FAULTS, KSPROPERTY_TYPE_GET, faults,
                    sizeof(*faults));
}

NTSTATUS pin_send(HANDLE pin, struct piece *piece, BOOLEAN write, PVOID data, ULONG bytes, BOOLEAN last)
{
    NTSTATUS status;

    RtlZeroMemory(piece, sizeof(*piece));
    piece->header.Size = sizeof(piece->header);
    piece->header.FrameExtent = bytes;
    piece->header.DataUsed = write ? bytes : 0;
    piece->header.Data = data;
    piece->header.OptionsFlags = last ? KSSTREAM_HEADER_OPTIONSF_ENDOFSTREAM : 0;
    status = send(pin, write ? IOCTL_KS_WRITE_STREAM : IOCTL_KS_READ_STREAM, NULL, 0, &piece->header,
                  sizeof(piece->header), &piece->done, &piece->result);
    piece->sent = status == STATUS_PENDING;
    return status == STATUS_PENDING ? STATUS_SUCCESS : status;
}

NTSTATUS pin_wait(struct piece *piece)
{
    if (!piece->sent) {
        return STATUS_SUCCESS;
    }
    piece->sent = FALSE;
    KeWaitForSingleObject(&piece->done, Executive, KernelMode, FALSE, NULL);
    return piece->result.Status;
}
