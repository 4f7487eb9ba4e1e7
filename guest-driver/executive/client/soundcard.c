/* SPDX-License-Identifier: MIT */
/* client.sys: has the sound card on the ISA bus play what the host handed over for it */
#include "client.h"

#include "soundcard.h"
#include "sb16_ioctl.h"

#define DRIVER_NAME                 L"\\DosDevices\\sb16"
#define SOUND_NAME                  L"\\??\\fw_cfg\\card.pcm"

/* Its samples have 16 bits: the upper half is what 8 bits can say, unsigned. */
static ULONG to_8_bits(PUCHAR data, ULONG bytes)
{
    for (ULONG i = 0; i < bytes / 2; i++) {
        data[i] = data[2 * i + 1] ^ 0x80;
    }
    return bytes / 2;
}

static NTSTATUS send(const struct link *link, struct sb16_play *play, struct sb16_played *played,
                     HANDLE file, ULONG bytes)
{
    struct sb16_play *request = ExAllocatePoolWithTag(NonPagedPool, sizeof(*request) + bytes, CLIENT_POOL_TAG);
    PUCHAR data = (PUCHAR)(request + 1);
    NTSTATUS status;

    if (!request) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = file_read(file, 0, data, bytes);
    if (NT_SUCCESS(status)) {
        play->bytes = play->bits == 8 ? to_8_bits(data, bytes) : bytes;
        *request = *play;
        status = link_command(link, SB16_IOCTL_PLAY, request, sizeof(*request) + play->bytes, played,
                              sizeof(*played));
    }
    ExFreePoolWithTag(request, CLIENT_POOL_TAG);
    return status;
}

NTSTATUS card_play(struct sb16_play *play, struct sb16_played *played)
{
    struct link link;
    ULONGLONG bytes;
    HANDLE file;
    NTSTATUS status = link_open(&link, DRIVER_NAME);

    if (!NT_SUCCESS(status)) {
        return STATUS_NO_SUCH_DEVICE;
    }
    status = file_open(SOUND_NAME, &file, &bytes);
    if (NT_SUCCESS(status)) {
        status = send(&link, play, played, file, (ULONG)bytes);
        ZwClose(file);
    }
    link_close(&link);
    return status;
}
