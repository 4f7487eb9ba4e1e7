/* SPDX-License-Identifier: MIT */
/* client.sys: entry point */
#include "client.h"

#include "pcmaster_ioctl.h"
#include "pcmaster_machine.h"
#include "pin.h"
#include "sound.h"
#include "soundcard.h"

#define COMMAND_LINE_MAX            4096u
#define DRIVER_NAME                 L"\\DosDevices\\pcmaster"

struct client {
    struct link link;
    struct link machine;
    HANDLE sound;                       /* NULL: nothing is played */
};

static uint32_t send(void *context, uint32_t command, const void *in, uint32_t in_length, void *out,
                     uint32_t out_length)
{
    struct client *client = context;

    return (uint32_t)link_command(&client->link, PCM_IOCTL(command), in, in_length, out, out_length);
}

static void print(void *context, const char *line)
{
    (void)context;
    DbgPrint("%s\n", line);
}

static void play(void *context, const struct pcm_options *options, uint32_t bits, bool record,
                 struct pcm_played *played)
{
    struct client *client = context;
    struct sound sound = { client->sound, options->sound_bytes, options->rate, options->channels, bits };

    sound_play(&sound, record, played);
}

static uint32_t act(void *context, uint32_t wanted, struct pcm_machine *after)
{
    struct client *client = context;

    return (uint32_t)link_command(&client->machine, PCM_MACHINE_IOCTL(wanted), NULL, 0, after,
                                  sizeof(*after));
}

static uint32_t play_by_card(void *context, struct sb16_play *play, struct sb16_played *played)
{
    (void)context;
    return (uint32_t)card_play(play, played);
}

static void leave(void *context)
{
    struct client *client = context;

    link_close(&client->link);
}

static uint32_t enter(void *context)
{
    struct client *client = context;

    return (uint32_t)link_open(&client->link, DRIVER_NAME);
}

/* LINE: at least COMMAND_LINE_MAX bytes. */
static NTSTATUS command_line_read(char *line)
{
    ULONGLONG bytes;
    HANDLE file;
    NTSTATUS status = file_open(L"\\??\\fw_cfg\\cmdline", &file, &bytes);

    if (NT_SUCCESS(status)) {
        if (bytes >= COMMAND_LINE_MAX) {
            status = STATUS_BUFFER_OVERFLOW;
        } else if (bytes) {
            status = file_read(file, 0, line, (ULONG)bytes);
        }
        line[NT_SUCCESS(status) ? bytes : 0] = '\0';
        ZwClose(file);
    }
    if (!NT_SUCCESS(status)) {
        DbgPrint("client: no command line: status %08x\n", status);
    }
    return status;
}

static NTSTATUS sound_open(struct client *client, struct pcm_options *options)
{
    NTSTATUS status;

    if (!options->sample) {
        return STATUS_SUCCESS;
    }
    status = file_open(L"\\??\\fw_cfg\\play.pcm", &client->sound, &options->sound_bytes);
    if (!NT_SUCCESS(status)) {
        DbgPrint("client: play.pcm cannot be read: status %08x\n", status);
    } else if (!options->sound_bytes) {
        DbgPrint("client: play.pcm is empty\n");
        ZwClose(client->sound);
        client->sound = NULL;
        status = STATUS_END_OF_FILE;
    }
    return status;
}

static NTSTATUS run(struct client *client, const struct pcm_options *options)
{
    const struct pcm_ops ops = {
        .command = send, .print = print, .play = play, .machine = act, .pins = &pin_ops,
        .card = play_by_card,
        .leave = leave, .enter = enter, .context = client,
    };
    NTSTATUS status = link_open(&client->link, DRIVER_NAME);
    enum pcm_outcome outcome;

    if (!NT_SUCCESS(status)) {
        DbgPrint("client: the driver's device cannot be opened: status %08x\n", status);
        return STATUS_NO_SUCH_DEVICE;
    }
    status = link_open(&client->machine, L"\\Device\\Machine");
    if (!NT_SUCCESS(status)) {
        DbgPrint("client: the machine's device cannot be opened: status %08x\n", status);
        link_close(&client->link);
        return status;
    }
    outcome = pcm_run(&ops, options);
    link_close(&client->machine);
    link_close(&client->link);
    return outcome == PCM_ALL_HELD      ? STATUS_SUCCESS
           : outcome == PCM_SOME_FAILED ? STATUS_UNSUCCESSFUL
                                        : STATUS_INVALID_PARAMETER;
}

static NTSTATUS run_with_line(char *line)
{
    struct pcm_options options = { .exercise = "*" };
    struct client client = { .sound = NULL };
    NTSTATUS status = command_line_read(line);

    if (NT_SUCCESS(status) && !options_parse(line, &options)) {
        status = STATUS_INVALID_PARAMETER;
    }
    if (NT_SUCCESS(status)) {
        status = sound_open(&client, &options);
    }
    if (NT_SUCCESS(status)) {
        status = run(&client, &options);
    }
    if (client.sound) {
        ZwClose(client.sound);
    }
    return status;
}

/*
 * STATUS_SUCCESS: everything held; STATUS_UNSUCCESSFUL: something did not;
 * anything else: it could not run, and a line says why.
 */
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path)
{
    char *line = ExAllocatePoolWithTag(NonPagedPool, COMMAND_LINE_MAX, CLIENT_POOL_TAG);
    NTSTATUS status;

    (void)driver;
    (void)registry_path;
    if (!line) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = run_with_line(line);
    ExFreePoolWithTag(line, CLIENT_POOL_TAG);
    return status;
}
