/* SPDX-License-Identifier: MIT */
/* client.sys: a pin of the driver's filter, by the IRPs of kernel streaming */
#include "pin.h"

#pragma pack(push, 1)
struct pin_name {
    WCHAR guid[39];                     /* KSSTRING_Pin and a backslash, without an end */
    KSPIN_CONNECT connect;
    struct wave format;
};

struct intersection {
    KSP_PIN pin;
    KSMULTIPLE_ITEM item;
    KSDATARANGE_AUDIO range;
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

NTSTATUS pin_open(HANDLE filter, ULONG id, const struct pcm_pin_format *format, HANDLE *pin)
{
    struct pin_name name;

    RtlZeroMemory(&name, sizeof(name));
    RtlCopyMemory(name.guid, KSSTRING_Pin L"\\", sizeof(name.guid));
    name.connect.Interface.Set = KSINTERFACESETID_Standard;
    name.connect.Medium.Set = KSMEDIUMSETID_Standard;
    name.connect.PinId = id;
    name.connect.Priority.PriorityClass = KSPRIORITY_NORMAL;
    name.connect.Priority.PrioritySubClass = 1;
    wave_make(format, &name.format);
    return open_name(filter, &name, FIELD_OFFSET(struct pin_name, format) + name.format.data.FormatSize, pin);
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

/* REQUEST begins with KSPROPERTY; *USED: bytes of the value, or that it takes. */
static NTSTATUS ask(HANDLE handle, PVOID request, ULONG request_bytes, PVOID value, ULONG bytes, PULONG used)
{
    IO_STATUS_BLOCK result = { .Information = 0 };
    KEVENT done;
    NTSTATUS status = send(handle, IOCTL_KS_PROPERTY, request, request_bytes, value, bytes, &done, &result);

    if (status == STATUS_PENDING) {
        KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
        status = result.Status;
    }
    if (used) {
        *used = (ULONG)result.Information;
    }
    return status;
}

static NTSTATUS property(HANDLE pin, const GUID *set, ULONG id, ULONG flags, PVOID value, ULONG bytes)
{
    KSPROPERTY request;

    RtlZeroMemory(&request, sizeof(request));
    request.Set = *set;
    request.Id = id;
    request.Flags = flags;
    return ask(pin, &request, sizeof(request), value, bytes, NULL);
}

NTSTATUS pin_set_state(HANDLE pin, KSSTATE state)
{
    return property(pin, &KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, KSPROPERTY_TYPE_SET, &state,
                    sizeof(state));
}

NTSTATUS pin_get_state(HANDLE pin, KSSTATE *state)
{
    return property(pin, &KSPROPSETID_Connection, KSPROPERTY_CONNECTION_STATE, KSPROPERTY_TYPE_GET, state,
                    sizeof(*state));
}

NTSTATUS pin_set_format(HANDLE pin, const struct pcm_pin_format *format)
{
    struct wave wave;

    wave_make(format, &wave);
    return property(pin, &KSPROPSETID_Connection, KSPROPERTY_CONNECTION_DATAFORMAT, KSPROPERTY_TYPE_SET, &wave,
                    wave.data.FormatSize);
}

NTSTATUS pin_position(HANDLE pin, KSAUDIO_POSITION *position)
{
    return property(pin, &KSPROPSETID_Audio, KSPROPERTY_AUDIO_POSITION, KSPROPERTY_TYPE_GET, position,
                    sizeof(*position));
}

NTSTATUS pin_faults(HANDLE pin, PCPIN_FAULTS *faults)
{
    return property(pin, &PCPROPSETID_PinFaults, PCPROPERTY_PIN_FAULTS, KSPROPERTY_TYPE_GET, faults,
                    sizeof(*faults));
}

static NTSTATUS mute(HANDLE pin, ULONG flags, LONG channel, LONG *muted)
{
    KSNODEPROPERTY_AUDIO_CHANNEL request;

    RtlZeroMemory(&request, sizeof(request));
    request.NodeProperty.Property.Set = KSPROPSETID_Audio;
    request.NodeProperty.Property.Id = KSPROPERTY_AUDIO_MUTE;
    request.NodeProperty.Property.Flags = flags | KSPROPERTY_TYPE_TOPOLOGY;
    request.NodeProperty.NodeId = NODE_MUTE;
    request.Channel = channel;
    return ask(pin, &request, sizeof(request), muted, sizeof(*muted), NULL);
}

NTSTATUS pin_set_mute(HANDLE pin, LONG channel, LONG muted)
{
    return mute(pin, KSPROPERTY_TYPE_SET, channel, &muted);
}

NTSTATUS pin_get_mute(HANDLE pin, LONG *muted)
{
    return mute(pin, KSPROPERTY_TYPE_GET, -1, muted);
}

NTSTATUS pin_intersect(HANDLE filter, ULONG id, const struct pcm_pin_range *range, ULONG room,
                       struct pcm_pin_format *format, ULONG *needed)
{
    struct intersection request;
    struct wave found;
    NTSTATUS status;

    RtlZeroMemory(&request, sizeof(request));
    RtlZeroMemory(&found, sizeof(found));
    request.pin.Property.Set = KSPROPSETID_Pin;
    request.pin.Property.Id = KSPROPERTY_PIN_DATAINTERSECTION;
    request.pin.Property.Flags = KSPROPERTY_TYPE_GET;
    request.pin.PinId = id;
    request.item.Size = sizeof(request.item) + sizeof(request.range);
    request.item.Count = 1;
    wave_range(range, &request.range);
    status = ask(filter, &request, sizeof(request), room ? &found : NULL,
                 room < sizeof(found) ? room : sizeof(found), needed);
    wave_tell(&found, format);
    return status;
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

NTSTATUS pin_wait(struct piece *piece, PLARGE_INTEGER timeout)
{
    if (!piece->sent) {
        return STATUS_SUCCESS;
    }
    if (KeWaitForSingleObject(&piece->done, Executive, KernelMode, FALSE, timeout) == STATUS_TIMEOUT) {
        return STATUS_TIMEOUT;
    }
    piece->sent = FALSE;
    return piece->result.Status;
}
