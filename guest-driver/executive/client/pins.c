/* SPDX-License-Identifier: MIT */
/* client.sys: the pins that the exercises have open */
#include "pin.h"

#define PINS_MAX                    32u
#define NS_PER_SECOND               1000000000ull

/* One thread of the client's runs the exercises. */
static struct open_pin {
    HANDLE filter, pin;
    BOOLEAN capture;
    struct piece pieces[PCM_PIN_SLOTS];
} pins[PINS_MAX];

static ULONG id_of(enum pcm_pin which)
{
    return which == PCM_PIN_CAPTURE ? PIN_CAPTURE : PIN_RENDER;
}

/* Numbers begin at 1. */
static struct open_pin *pin_at(uint32_t number)
{
    return &pins[number - 1];
}

static uint32_t open(void *context, enum pcm_pin which, const struct pcm_pin_format *format, uint32_t *number)
{
    NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
    struct open_pin *pin;

    (void)context;
    for (*number = 1; *number <= PINS_MAX && pin_at(*number)->pin; (*number)++) {
    }
    if (*number <= PINS_MAX) {
        pin = pin_at(*number);
        RtlZeroMemory(pin, sizeof(*pin));
        pin->capture = which == PCM_PIN_CAPTURE;
        status = filter_open(&KSCATEGORY_RENDER, &pin->filter);
        if (NT_SUCCESS(status)) {
            status = pin_open(pin->filter, id_of(which), format, &pin->pin);
            if (!NT_SUCCESS(status)) {
                ZwClose(pin->filter);
                pin->pin = NULL;
            }
        }
    }
    if (!NT_SUCCESS(status)) {
        *number = 0;
    }
    return (uint32_t)status;
}

/* What is still on its way comes back. */
static void close(void *context, uint32_t number)
{
    struct open_pin *pin = pin_at(number);

    (void)context;
    ZwClose(pin->pin);
    for (ULONG i = 0; i < PCM_PIN_SLOTS; i++) {
        pin_wait(&pin->pieces[i], NULL);
    }
    ZwClose(pin->filter);
    pin->pin = NULL;
}

static uint32_t set_state(void *context, uint32_t number, uint32_t state)
{
    (void)context;
    return (uint32_t)pin_set_state(pin_at(number)->pin, (KSSTATE)state);
}

static uint32_t get_state(void *context, uint32_t number, uint32_t *state)
{
    KSSTATE found = KSSTATE_STOP;
    NTSTATUS status = pin_get_state(pin_at(number)->pin, &found);

    (void)context;
    *state = (uint32_t)found;
    return (uint32_t)status;
}

static uint32_t set_format(void *context, uint32_t number, const struct pcm_pin_format *format)
{
    (void)context;
    return (uint32_t)pin_set_format(pin_at(number)->pin, format);
}

static uint32_t position(void *context, uint32_t number, uint64_t *played, uint64_t *written)
{
    KSAUDIO_POSITION found = { 0, 0 };
    NTSTATUS status = pin_position(pin_at(number)->pin, &found);

    (void)context;
    *played = found.PlayOffset;
    *written = found.WriteOffset;
    return (uint32_t)status;
}

static uint32_t faults(void *context, uint32_t number, uint32_t *underruns, uint32_t *overruns)
{
    PCPIN_FAULTS found = { 0, 0 };
    NTSTATUS status = pin_faults(pin_at(number)->pin, &found);

    (void)context;
    *underruns = found.Underruns;
    *overruns = found.Overruns;
    return (uint32_t)status;
}

static uint32_t mute(void *context, uint32_t number, int32_t channel, bool muted)
{
    (void)context;
    return (uint32_t)pin_set_mute(pin_at(number)->pin, channel, muted);
}

static uint32_t is_muted(void *context, uint32_t number, bool *muted)
{
    LONG found = 0;
    NTSTATUS status = pin_get_mute(pin_at(number)->pin, &found);

    (void)context;
    *muted = found != 0;
    return (uint32_t)status;
}

static uint32_t send(void *context, uint32_t number, uint32_t slot, void *data, uint32_t bytes, bool last)
{
    struct open_pin *pin = pin_at(number);

    (void)context;
    return (uint32_t)pin_send(pin->pin, &pin->pieces[slot], !pin->capture, data, bytes, last);
}

static uint32_t wait(void *context, uint32_t number, uint32_t slot, uint32_t milliseconds,
                     struct pcm_piece *result)
{
    LARGE_INTEGER timeout = { .QuadPart = -10000ll * milliseconds };
    struct piece *piece = &pin_at(number)->pieces[slot];
    NTSTATUS status = pin_wait(piece, &timeout);

    (void)context;
    result->bytes = piece->header.DataUsed;
    result->gap = (piece->header.OptionsFlags & KSSTREAM_HEADER_OPTIONSF_DATADISCONTINUITY) != 0;
    return (uint32_t)status;
}

static uint32_t intersect(void *context, enum pcm_pin which, const struct pcm_pin_range *range, uint32_t room,
                          struct pcm_pin_format *format, uint32_t *needed)
{
    HANDLE filter;
    ULONG bytes = 0;
    NTSTATUS status = filter_open(&KSCATEGORY_RENDER, &filter);

    (void)context;
    if (NT_SUCCESS(status)) {
        status = pin_intersect(filter, id_of(which), range, room, format, &bytes);
        ZwClose(filter);
    }
    *needed = bytes;
    return (uint32_t)status;
}

static void *allocate(void *context, uint32_t bytes)
{
    (void)context;
    return ExAllocatePoolWithTag(NonPagedPool, bytes, CLIENT_POOL_TAG);
}

static void release(void *context, void *memory)
{
    (void)context;
    ExFreePoolWithTag(memory, CLIENT_POOL_TAG);
}

static void sleep(void *context, uint32_t milliseconds)
{
    LARGE_INTEGER delay = { .QuadPart = -10000ll * milliseconds };

    (void)context;
    KeDelayExecutionThread(KernelMode, FALSE, &delay);
}

static uint64_t clock(void *context)
{
    LARGE_INTEGER frequency;
    uint64_t count = (uint64_t)KeQueryPerformanceCounter(&frequency).QuadPart;
    uint64_t per_second = (uint64_t)frequency.QuadPart;

    (void)context;
    return count / per_second * NS_PER_SECOND + count % per_second * NS_PER_SECOND / per_second;
}

const struct pcm_pin_ops pin_ops = {
    open, close, set_state, get_state, set_format, position, faults, mute, is_muted, send, wait, intersect,
    allocate, release, sleep, clock,
};
