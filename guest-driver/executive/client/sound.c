/* SPDX-License-Identifier: MIT */
/* client.sys: plays a sound through the render pin, and records what is heard through the other */
#include "pin.h"

#include "sound.h"

#define PIECES                      4u
#define PIECE_BYTES                 0x8000u

/* What is recorded beyond the sound: before it begins, and until the end is noticed. */
#define MARGIN_MS                   500u

struct pass {
    const struct sound *sound;
    struct pcm_played *played;
    ULONG frame_bytes;
    HANDLE filter, render, capture;
    PUCHAR pieces;                      /* PIECES times PIECE_BYTES, for playback */
    struct piece out[PIECES];
    PUCHAR recorded;                    /* NULL: nothing is recorded */
    ULONG recorded_bytes;
    struct piece in;
};

/* The first failure is what is told. */
static BOOLEAN works(struct pass *pass, const char *what, NTSTATUS status)
{
    if (!NT_SUCCESS(status) && !pass->played->status) {
        pass->played->status = (uint32_t)status;
        pass->played->what = what;
    }
    return NT_SUCCESS(status);
}

static BOOLEAN pins_open(struct pass *pass)
{
    struct pcm_pin_format format = { pass->sound->rate, pass->sound->channels, pass->sound->bits, 0 };

    if (!works(pass, "the filter's opening", filter_open(&KSCATEGORY_RENDER, &pass->filter)) ||
        !works(pass, "the render pin's opening",
               pin_open(pass->filter, PIN_RENDER, &format, &pass->render))) {
        return FALSE;
    }
    return !pass->recorded || works(pass, "the capture pin's opening",
                                    pin_open(pass->filter, PIN_CAPTURE, &format, &pass->capture));
}

static void pins_close(struct pass *pass)
{
    if (pass->capture) {
        ZwClose(pass->capture);
    }
    if (pass->render) {
        ZwClose(pass->render);
    }
    if (pass->filter) {
        ZwClose(pass->filter);
    }
}

/* One piece of the sound from AT on; its length, 0 if it failed. */
static ULONG piece_begin(struct pass *pass, ULONG slot, ULONGLONG at)
{
    const struct sound *sound = pass->sound;
    ULONG most = PIECE_BYTES - PIECE_BYTES % pass->frame_bytes;
    ULONG bytes = sound->bytes - at < most ? (ULONG)(sound->bytes - at) : most;
    PUCHAR data = pass->pieces + slot * PIECE_BYTES;

    if (!works(pass, "the sound", file_read(sound->file, at, data, bytes)) ||
        !works(pass, "a write to the render pin",
               pin_send(pass->render, &pass->out[slot], TRUE, data, bytes, at + bytes == sound->bytes))) {
        return 0;
    }
    return bytes;
}

/* Whatever fails, all that was sent comes back. */
static void pieces_take_back(struct pass *pass)
{
    for (ULONG i = 0; i < PIECES; i++) {
        works(pass, "a piece of the sound", pin_wait(&pass->out[i], NULL));
    }
}

static BOOLEAN states_up(struct pass *pass, KSSTATE state)
{
    if (pass->recorded && !works(pass, "the capture pin's state", pin_set_state(pass->capture, state))) {
        return FALSE;
    }
    return works(pass, "the render pin's state", pin_set_state(pass->render, state));
}

static BOOLEAN pieces_play(struct pass *pass)
{
    ULONGLONG at = 0;
    BOOLEAN running = FALSE;

    for (ULONG slot = 0; at < pass->sound->bytes; slot = (slot + 1) % PIECES) {
        ULONG bytes;

        if (pass->out[slot].sent && !running) {
            running = states_up(pass, KSSTATE_RUN);
            if (!running) {
                return FALSE;
            }
        }
        if (!works(pass, "a piece of the sound", pin_wait(&pass->out[slot], NULL))) {
            return FALSE;
        }
        bytes = piece_begin(pass, slot, at);
        if (!bytes) {
            return FALSE;
        }
        at += bytes;
    }
    return running || states_up(pass, KSSTATE_RUN);
}

static BOOLEAN record_begin(struct pass *pass)
{
    return !pass->recorded ||
           works(pass, "a read from the capture pin",
                 pin_send(pass->capture, &pass->in, FALSE, pass->recorded, pass->recorded_bytes, FALSE));
}

static BOOLEAN play(struct pass *pass)
{
    BOOLEAN played = states_up(pass, KSSTATE_ACQUIRE) && record_begin(pass) &&
                     states_up(pass, KSSTATE_PAUSE) && pieces_play(pass);
    KSAUDIO_POSITION position = { 0, 0 };
    PCPIN_FAULTS faults = { 0, 0 };

    if (played) {
        pieces_take_back(pass);
        works(pass, "the position", pin_position(pass->render, &position));
        pass->played->position = position.PlayOffset;
        works(pass, "the pin's faults", pin_faults(pass->render, &faults));
        pass->played->underruns = faults.Underruns;
        works(pass, "what was recorded", pin_wait(&pass->in, NULL));
        if (pass->recorded) {
            works(pass, "the pin's faults", pin_faults(pass->capture, &faults));
            pass->played->overruns = faults.Overruns;
        }
    }
    pin_set_state(pass->render, KSSTATE_STOP);
    if (pass->recorded) {
        pin_set_state(pass->capture, KSSTATE_STOP);
    }
    pieces_take_back(pass);
    pin_wait(&pass->in, NULL);
    return played && !pass->played->status;
}

static BOOLEAN is_silent(const struct pass *pass, const UCHAR *data, ULONG bytes)
{
    UCHAR silence = pass->sound->bits == 8 ? 0x80 : 0;

    while (bytes && data[bytes - 1] == silence) {
        bytes--;
    }
    return !bytes;
}

/* Bytes of silence at the beginning, whole frames. */
static ULONGLONG lead_recorded(const struct pass *pass)
{
    ULONG at = 0;

    while (at < pass->recorded_bytes && is_silent(pass, pass->recorded + at, pass->frame_bytes)) {
        at += pass->frame_bytes;
    }
    return at;
}

/* The same of the sound itself. */
static ULONGLONG lead_of_sound(struct pass *pass)
{
    ULONGLONG at = 0;
    UCHAR frame[16];

    while (at < pass->sound->bytes && NT_SUCCESS(file_read(pass->sound->file, at, frame, pass->frame_bytes)) &&
           is_silent(pass, frame, pass->frame_bytes)) {
        at += pass->frame_bytes;
    }
    return at;
}

/* From its first frame that is not silent on, the sound must be what was recorded. */
static void compare(struct pass *pass)
{
    ULONGLONG from = lead_of_sound(pass), at = lead_recorded(pass), done = 0;
    ULONGLONG due = pass->sound->bytes - from;

    pass->played->silence_before = at / pass->frame_bytes;
    while (done < due && at + done < pass->recorded_bytes) {
        ULONG bytes = (ULONG)min(min(due - done, PIECE_BYTES), pass->recorded_bytes - at - done);

        if (!works(pass, "the sound", file_read(pass->sound->file, from + done, pass->pieces, bytes))) {
            return;
        }
        for (ULONG i = 0; i < bytes; i++) {
            if (pass->pieces[i] != pass->recorded[at + done + i]) {
                pass->played->heard = from + done + i;
                return;
            }
        }
        done += bytes;
    }
    pass->played->heard = from + done;
}

NTSTATUS sound_play(const struct sound *sound, BOOLEAN record, struct pcm_played *played)
{
    struct pass pass = { .sound = sound, .played = played,
                         .frame_bytes = sound->channels * sound->bits / 8 };
    ULONGLONG room = sound->bytes + (ULONGLONG)sound->rate * MARGIN_MS / 1000 * pass.frame_bytes;

    RtlZeroMemory(played, sizeof(*played));
    pass.pieces = ExAllocatePoolWithTag(NonPagedPool, PIECES * PIECE_BYTES, CLIENT_POOL_TAG);
    if (record && room <= MAXLONG) {
        pass.recorded_bytes = (ULONG)room;
        pass.recorded = ExAllocatePoolWithTag(NonPagedPool, pass.recorded_bytes, CLIENT_POOL_TAG);
    }
    if (!pass.pieces || (record && !pass.recorded)) {
        works(&pass, "memory", STATUS_INSUFFICIENT_RESOURCES);
    } else if (pins_open(&pass) && play(&pass) && record) {
        compare(&pass);
    }
    pins_close(&pass);
    if (pass.recorded) {
        ExFreePoolWithTag(pass.recorded, CLIENT_POOL_TAG);
    }
    if (pass.pieces) {
        ExFreePoolWithTag(pass.pieces, CLIENT_POOL_TAG);
    }
    return STATUS_SUCCESS;
}
