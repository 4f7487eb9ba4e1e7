/* SPDX-License-Identifier: MIT */
/* pcmaster-faulty.sys: the memory beside a buffer, and what the executive itself gets wrong */
#include "mistakes.h"

/* --- the processor beside a buffer ------------------------------------------ */

void write_before(struct scene *s)
{
    *(volatile UCHAR *)(s->address - 1) = 0x55; /* write-before */
}

void write_behind(struct scene *s)
{
    *(volatile UCHAR *)(s->address + LENGTH) = 0x55; /* write-behind */
}

void read_behind(struct scene *s)
{
    (void)*(volatile UCHAR *)(s->address + LENGTH); /* read-behind */
}

void touch_freed(struct scene *s)
{
    free_buffer(s);
    *(volatile UCHAR *)s->address = 0x55; /* touch-freed */
}

/* Noticed when the buffer is freed. */
void write_padding(struct scene *s)
{
    s->address[s->length] = 0x55;
    s->call->FreeCommonBuffer(s->dma, s->length, s->logical, s->address, TRUE); /* write-padding */
}

/* Noticed when the driver asks. */
void check_buffers(struct scene *s)
{
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK result;
    UNICODE_STRING name;
    HANDLE file;

    RtlInitUnicodeString(&name, L"\\??\\fw_cfg\\check-buffers");
    InitializeObjectAttributes(&attributes, &name, OBJ_KERNEL_HANDLE, NULL, NULL);
    s->address[s->length] = 0x55;
    if (NT_SUCCESS(ZwOpenFile(&file, SYNCHRONIZE, &attributes, &result, 0, 0))) { /* check-buffers */
        ZwClose(file);
    }
    free_buffer(s);
}

/* --- the device beside a buffer --------------------------------------------- */

static void device_write(struct scene *s, ULONGLONG logical, ULONG length)
{
    struct pcm_direction outcome;

    exerciser_run(s->device, PCM_EX_FILL, logical, length, 1, &outcome);
}

void device_before(struct scene *s)
{
    device_write(s, s->logical.QuadPart - 16, s->length);
    s->call->FreeCommonBuffer(s->dma, s->length, s->logical, s->address, TRUE); /* device-before */
}

void device_behind(struct scene *s)
{
    device_write(s, s->logical.QuadPart, s->length + 16);
    s->call->FreeCommonBuffer(s->dma, s->length, s->logical, s->address, TRUE); /* device-behind */
}

void device_padding(struct scene *s)
{
    device_write(s, s->logical.QuadPart, s->length + 1);
    s->call->FreeCommonBuffer(s->dma, s->length, s->logical, s->address, TRUE); /* device-padding */
}

/* A request finds no place: guards are given up, but not what was written to. */
void device_evidence(struct scene *s)
{
    PHYSICAL_ADDRESS at;

    device_write(s, s->logical.QuadPart, s->length + 16);
    s->call->AllocateCommonBuffer(s->dma, MAXULONG, &at, TRUE);
    s->call->FreeCommonBuffer(s->dma, s->length, s->logical, s->address, TRUE); /* device-evidence */
}

/* --- what the executive itself gets wrong: the driver only asks ------------- */

void ask_ex(struct scene *s)
{
    s->length = LENGTH;
    s->address = s->call->AllocateCommonBufferEx(s->dma, NULL, LENGTH, &s->logical, TRUE, 0); /* result-* */
    free_buffer(s);
}

void ask_with_bounds(struct scene *s)
{
    PHYSICAL_ADDRESS minimum = { .QuadPart = 0x1000000 };

    PALLOCATE_COMMON_BUFFER_WITH_BOUNDS ask = s->call->AllocateCommonBufferWithBounds;

    s->length = LENGTH;
    s->address = ask(s->dma, &minimum, NULL, LENGTH, 0, NULL, 0, &s->logical); /* result-minimum */
    free_buffer(s);
}

void ask_channel(struct scene *s)
{
    PHYSICAL_ADDRESS varying = { .QuadPart = 0xffff };
    DEVICE_DESCRIPTION3 description = describe_master();
    PDMACHANNEL channel;

    if (NT_SUCCESS(PcNewDmaChannel(&channel, NULL, NonPagedPool, (PDEVICE_DESCRIPTION)&description,
                                   s->device->functional))) {
        channel->lpVtbl->AllocateBuffer(channel, LENGTH, &varying); /* result-boundary */
        channel->lpVtbl->Release(channel);
    }
}
