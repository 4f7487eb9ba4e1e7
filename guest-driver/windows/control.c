/* SPDX-License-Identifier: MIT */
/* pcmaster.sys: open files and the commands sent to them */
#include "pcmaster.h"

/*
 * DATA holds the request, and takes the reply.  Every length has been checked;
 * the device answers and is locked.
 */
typedef NTSTATUS (*control_routine)(struct device *device, struct file *file, PVOID data);

struct control {
    control_routine routine;
    ULONG in;                           /* bytes of the request */
    ULONG out;                          /* bytes of the reply */
    BOOLEAN tail;                       /* the first field counts bytes that follow */
};

static const struct control controls[PCM_CMD_END] = {
    [PCM_CMD_FACTS] = { control_facts, 0, sizeof(struct pcm_facts), FALSE },
    [PCM_CMD_ADAPTER_GET] = { control_adapter_get, sizeof(struct pcm_description),
                              sizeof(struct pcm_adapter), FALSE },
    [PCM_CMD_ADAPTER_PUT] = { control_adapter_put, sizeof(struct pcm_object), 0, FALSE },
    [PCM_CMD_ADAPTER_INFO] = { control_adapter_info, sizeof(struct pcm_adapter_query),
                               sizeof(struct pcm_adapter_info), FALSE },
    [PCM_CMD_ADAPTER_DOMAIN] = { control_adapter_domain, sizeof(struct pcm_object),
                                 sizeof(struct pcm_domain), FALSE },
    [PCM_CMD_ALLOCATE] = { control_allocate, sizeof(struct pcm_allocate), sizeof(struct pcm_allocated),
                           FALSE },
    [PCM_CMD_FREE] = { control_free, sizeof(struct pcm_object), 0, FALSE },
    [PCM_CMD_VECTOR_ALLOCATE] = { control_vector_allocate, sizeof(struct pcm_vector_allocate),
                                  sizeof(struct pcm_vector), FALSE },
    [PCM_CMD_VECTOR_GET] = { control_vector_get, sizeof(struct pcm_element),
                             sizeof(struct pcm_allocated), FALSE },
    [PCM_CMD_VECTOR_FREE_ELEMENT] = { control_vector_free_element, sizeof(struct pcm_element), 0,
                                      FALSE },
    [PCM_CMD_VECTOR_FREE] = { control_vector_free, sizeof(struct pcm_object), 0, FALSE },
    [PCM_CMD_CHANNEL_NEW] = { control_channel_new, sizeof(struct pcm_description),
                              sizeof(struct pcm_channel), FALSE },
    [PCM_CMD_CHANNEL_ALLOCATE] = { control_channel_allocate, sizeof(struct pcm_channel_allocate),
                                   sizeof(struct pcm_channel_allocated), FALSE },
    [PCM_CMD_CHANNEL_FREE_BUFFER] = { control_channel_free_buffer, sizeof(struct pcm_object), 0, FALSE },
    [PCM_CMD_CHANNEL_SET_SIZE] = { control_channel_set_size, sizeof(struct pcm_channel_size), 0, FALSE },
    [PCM_CMD_CHANNEL_COPY] = { control_channel_copy, sizeof(struct pcm_channel_copy),
                               sizeof(struct pcm_channel_copied), FALSE },
    [PCM_CMD_CHANNEL_QUERY] = { control_channel_query, sizeof(struct pcm_object),
                                sizeof(struct pcm_channel_state), FALSE },
    [PCM_CMD_CHANNEL_RELEASE] = { control_channel_release, sizeof(struct pcm_object), 0, FALSE },
    [PCM_CMD_TRANSFER] = { control_transfer, sizeof(struct pcm_transfer), sizeof(struct pcm_transferred),
                           FALSE },
    [PCM_CMD_PACKET_NEW] = { control_packet_new, sizeof(struct pcm_packet_new), sizeof(struct pcm_packet),
                             FALSE },
    [PCM_CMD_PACKET_FREE] = { control_packet_free, sizeof(struct pcm_object), 0, FALSE },
    [PCM_CMD_PACKET_TRANSFER] = { control_packet_transfer, sizeof(struct pcm_packet_transfer),
                                  sizeof(struct pcm_packet_transferred), FALSE },
    [PCM_CMD_PACKET_QUEUE] = { control_packet_queue, sizeof(struct pcm_packet_queue),
                               sizeof(struct pcm_packet_queued), FALSE },
    [PCM_CMD_STRESS] = { control_stress, sizeof(struct pcm_stress), sizeof(struct pcm_stressed), FALSE },
    [PCM_CMD_FRAGMENT] = { control_fragment, sizeof(struct pcm_fragment), sizeof(struct pcm_fragmented),
                           FALSE },
#ifdef PCMASTER_FAULTS
    [PCM_CMD_FAULT] = { control_fault, sizeof(struct pcm_fault), sizeof(struct pcm_fault_result), FALSE },
    [PCM_CMD_MISTAKE] = { control_mistake, sizeof(struct pcm_mistake), 0, FALSE },
#endif
};

NTSTATUS NTAPI control_create(PDEVICE_OBJECT self, PIRP irp)
{
    struct device *device = self->DeviceExtension;
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
    struct file *file;

    if (!control_is(self)) {
        return PcDispatchIrp(self, irp);
    }
    if (device->removed) {
        return complete(irp, STATUS_DELETE_PENDING, 0);
    }
    file = pool_allocate(sizeof(*file));
    if (!file) {
        return complete(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    }
    stack->FileObject->FsContext = file;
    device_lock(device);
    InsertTailList(&device->files, &file->link);
    device_unlock(device);
    return complete(irp, STATUS_SUCCESS, 0);
}

static void file_release(struct file *file)
{
    channels_release(file);
    vectors_release(file);
    packets_release(file);
    buffers_release(file);
    fragment_release(file);
    adapters_release(file);
}

void control_release_all(struct device *device)
{
    PLIST_ENTRY entry;

    for (entry = device->files.Flink; entry != &device->files; entry = entry->Flink) {
        file_release(CONTAINING_RECORD(entry, struct file, link));
    }
}

/*
 * No handle is left, but the file object may still be in use: a kernel client
 * that came by IoGetDeviceObjectPointer gets this request before its first
 * command, for that routine closes its handle and returns a reference.  No
 * request of ours is ever left pending, so that nothing need be cancelled.
 */
NTSTATUS NTAPI control_cleanup(PDEVICE_OBJECT self, PIRP irp)
{
    return control_is(self) ? complete(irp, STATUS_SUCCESS, 0) : PcDispatchIrp(self, irp);
}

/* The last reference is gone: everything made through the file goes. */
NTSTATUS NTAPI control_close(PDEVICE_OBJECT self, PIRP irp)
{
    struct device *device = self->DeviceExtension;
    PFILE_OBJECT object = IoGetCurrentIrpStackLocation(irp)->FileObject;
    struct file *file = object->FsContext;

    if (!control_is(self)) {
        return PcDispatchIrp(self, irp);
    }
    device_lock(device);
    file_release(file);
    RemoveEntryList(&file->link);
    device_unlock(device);
    handle_table_free(file);
    ExFreePoolWithTag(file, PCM_POOL_TAG);
    object->FsContext = NULL;
    return complete(irp, STATUS_SUCCESS, 0);
}

static const struct control *control_find(ULONG code)
{
    ULONG command = PCM_IOCTL_COMMAND(code);

    if (command >= PCM_CMD_END || code != PCM_IOCTL(command) || !controls[command].routine) {
        return NULL;
    }
    return &controls[command];
}

static BOOLEAN lengths_fit(const struct control *control, const void *data, ULONG in, ULONG out)
{
    ULONG tail = control->tail && in >= control->in ? *(const ULONG *)data : 0;

    return in >= control->in && in - control->in == tail && out == control->out;
}

NTSTATUS NTAPI control_dispatch(PDEVICE_OBJECT self, PIRP irp)
{
    struct device *device = self->DeviceExtension;
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
    PVOID data = irp->AssociatedIrp.SystemBuffer;
    const struct control *control = control_find(stack->Parameters.DeviceIoControl.IoControlCode);
    NTSTATUS status;

    if (!control_is(self)) {
        return PcDispatchIrp(self, irp);
    }
    status = IoAcquireRemoveLock(&device->remove_lock, irp);
    if (!NT_SUCCESS(status)) {
        return complete(irp, status, 0);
    }
    if (!control) {
        status = STATUS_INVALID_DEVICE_REQUEST;
    } else if (!lengths_fit(control, data, stack->Parameters.DeviceIoControl.InputBufferLength,
                            stack->Parameters.DeviceIoControl.OutputBufferLength)) {
        status = STATUS_INVALID_BUFFER_SIZE;
    } else {
        device_lock_settled(device);
        status = device_status(device);
        if (NT_SUCCESS(status)) {
            status = control->routine(device, stack->FileObject->FsContext, data);
        }
        device_unlock(device);
    }
    complete(irp, status, NT_SUCCESS(status) ? control->out : 0);
    IoReleaseRemoveLock(&device->remove_lock, irp);
    return status;
}
