/* SPDX-License-Identifier: MIT */
/*
 * selftest.sys: pcmaster.sys' pins, both ways, through all that befalls a device
 *
 * The device's loop-back is on: what is played is what is recorded.
 */
#include "filter.h"

#include "pin.h"

#define PIN_RENDER                  0
#define PIN_CAPTURE                 2
#define RATE                        48000u
#define FRAME_BYTES                 4u
#define SOUND_BYTES                 (RATE / 4 * FRAME_BYTES)
#define ROOM_BYTES                  (SOUND_BYTES + RATE / 2 * FRAME_BYTES)

static const struct pin_format usual = { RATE, 2, 16 };

static struct {
    HANDLE filter, render, capture;
    PULONG sound, heard;
    struct piece out, in;
} t;

static bool begin(bool capture)
{
    RtlZeroMemory(&t, sizeof(t));
    t.sound = ExAllocatePoolWithTag(NonPagedPool, SOUND_BYTES, SELFTEST_TAG);
    t.heard = ExAllocatePoolWithTag(NonPagedPool, ROOM_BYTES, SELFTEST_TAG);
    EXPECT(t.sound && t.heard);
    if (!t.sound || !t.heard) {
        return false;
    }
    /* No frame is silence, and none like another. */
    for (ULONG i = 0; i < SOUND_BYTES / FRAME_BYTES; i++) {
        t.sound[i] = (i + 1) * 0x10001u;
    }
    EXPECT_STATUS(filter_open(&KSCATEGORY_RENDER, &t.filter), STATUS_SUCCESS);
    EXPECT_STATUS(pin_open(t.filter, PIN_RENDER, &usual, &t.render), STATUS_SUCCESS);
    if (capture) {
        EXPECT_STATUS(pin_open(t.filter, PIN_CAPTURE, &usual, &t.capture), STATUS_SUCCESS);
    }
    return t.render && (t.capture || !capture);
}

static void end(void)
{
    HANDLE handles[] = { t.capture, t.render, t.filter };

    for (ULONG i = 0; i < RTL_NUMBER_OF(handles); i++) {
        if (handles[i]) {
            EXPECT_STATUS(ZwClose(handles[i]), STATUS_SUCCESS);
        }
    }
    if (t.sound) {
        ExFreePoolWithTag(t.sound, SELFTEST_TAG);
    }
    if (t.heard) {
        ExFreePoolWithTag(t.heard, SELFTEST_TAG);
    }
}

static NTSTATUS write_all(void)
{
    return pin_send(t.render, &t.out, TRUE, t.sound, SOUND_BYTES, TRUE);
}

static NTSTATUS play_whole(void)
{
    NTSTATUS status = pin_set_state(t.render, KSSTATE_PAUSE);

    status = NT_SUCCESS(status) ? write_all() : status;
    status = NT_SUCCESS(status) ? pin_set_state(t.render, KSSTATE_RUN) : status;
    status = NT_SUCCESS(status) ? pin_wait(&t.out) : status;
    return NT_SUCCESS(status) ? pin_set_state(t.render, KSSTATE_STOP) : status;
}

/* Every state from every state: none is refused, and a sound can be played afterwards. */
static void state_orders(void)
{
    if (begin(false)) {
        for (ULONG pair = 0; pair < 16; pair++) {
            EXPECT_STATUS(pin_set_state(t.render, (KSSTATE)(pair / 4)), STATUS_SUCCESS);
            EXPECT_STATUS(pin_set_state(t.render, (KSSTATE)(pair % 4)), STATUS_SUCCESS);
        }
        EXPECT_STATUS(pin_set_state(t.render, KSSTATE_STOP), STATUS_SUCCESS);
        EXPECT_STATUS(play_whole(), STATUS_SUCCESS);
    }
    end();
}

/* The frames of T.heard from the first that is not silent on. */
static ULONG frames_heard(ULONG *first)
{
    ULONG count = 0;

    for (*first = 0; *first < ROOM_BYTES / FRAME_BYTES && !t.heard[*first]; (*first)++) {
    }
    while (count < SOUND_BYTES / FRAME_BYTES && *first + count < ROOM_BYTES / FRAME_BYTES &&
           t.heard[*first + count] == t.sound[count]) {
        count++;
    }
    return count;
}

static void both_ways(void)
{
    PCPIN_FAULTS faults = { 1, 1 };
    ULONGLONG position;
    ULONG first;

    if (begin(true)) {
        EXPECT_STATUS(pin_set_state(t.capture, KSSTATE_PAUSE), STATUS_SUCCESS);
        EXPECT_STATUS(pin_send(t.capture, &t.in, FALSE, t.heard, ROOM_BYTES, FALSE), STATUS_SUCCESS);
        EXPECT_STATUS(pin_set_state(t.capture, KSSTATE_RUN), STATUS_SUCCESS);
        EXPECT_STATUS(pin_set_state(t.render, KSSTATE_PAUSE), STATUS_SUCCESS);
        EXPECT_STATUS(write_all(), STATUS_SUCCESS);
        EXPECT_STATUS(pin_set_state(t.render, KSSTATE_RUN), STATUS_SUCCESS);
        EXPECT_STATUS(pin_wait(&t.out), STATUS_SUCCESS);
        EXPECT_STATUS(pin_position(t.render, &position), STATUS_SUCCESS);
        EXPECT_EQUAL(position, SOUND_BYTES);
        EXPECT_STATUS(pin_wait(&t.in), STATUS_SUCCESS);
        EXPECT_EQUAL(t.in.header.DataUsed, ROOM_BYTES);
        EXPECT_EQUAL(frames_heard(&first), SOUND_BYTES / FRAME_BYTES);
        EXPECT_STATUS(pin_faults(t.render, &faults), STATUS_SUCCESS);
        EXPECT_EQUAL(faults.Underruns, 0);
        EXPECT_STATUS(pin_faults(t.capture, &faults), STATUS_SUCCESS);
        EXPECT_EQUAL(faults.Overruns, 0);
    }
    end();
}

/* A sound that does not say that it ends leaves the device without data. */
static void underruns(void)
{
    PCPIN_FAULTS faults = { 0, 0 };

    if (begin(false)) {
        EXPECT_STATUS(pin_set_state(t.render, KSSTATE_PAUSE), STATUS_SUCCESS);
        EXPECT_STATUS(pin_send(t.render, &t.out, TRUE, t.sound, SOUND_BYTES / 2, FALSE), STATUS_SUCCESS);
        EXPECT_STATUS(pin_set_state(t.render, KSSTATE_RUN), STATUS_SUCCESS);
        EXPECT_STATUS(pin_wait(&t.out), STATUS_SUCCESS);
        sleep_ms(100);
        EXPECT_STATUS(pin_faults(t.render, &faults), STATUS_SUCCESS);
        EXPECT_EQUAL(faults.Underruns, 1);
        EXPECT_STATUS(write_all(), STATUS_SUCCESS);
        EXPECT_STATUS(pin_wait(&t.out), STATUS_SUCCESS);
        EXPECT_STATUS(pin_faults(t.render, &faults), STATUS_SUCCESS);
        EXPECT_EQUAL(faults.Underruns, 1);
    }
    end();
}

/* To D3 and back in the middle: the rest is played, and the client does not notice. */
static void power(void)
{
    struct pcm_machine after;
    ULONGLONG position;

    if (begin(false)) {
        EXPECT_STATUS(pin_set_state(t.render, KSSTATE_PAUSE), STATUS_SUCCESS);
        EXPECT_STATUS(write_all(), STATUS_SUCCESS);
        EXPECT_STATUS(pin_set_state(t.render, KSSTATE_RUN), STATUS_SUCCESS);
        sleep_ms(100);
        EXPECT_STATUS(machine_act(PCM_MACHINE_SLEEP, &after), STATUS_SUCCESS);
        sleep_ms(300);
        EXPECT(!KeReadStateEvent(&t.out.done));
        EXPECT_STATUS(machine_act(PCM_MACHINE_WAKE, &after), STATUS_SUCCESS);
        EXPECT_STATUS(pin_wait(&t.out), STATUS_SUCCESS);
        EXPECT_STATUS(pin_position(t.render, &position), STATUS_SUCCESS);
        EXPECT_EQUAL(position, SOUND_BYTES);
    }
    end();
}

/* What was sent comes back; a pin opened afterwards plays. */
static void interrupted(enum pcm_machine_act act)
{
    struct pcm_machine after;
    NTSTATUS status;

    if (begin(false)) {
        EXPECT_STATUS(pin_set_state(t.render, KSSTATE_PAUSE), STATUS_SUCCESS);
        EXPECT_STATUS(write_all(), STATUS_SUCCESS);
        EXPECT_STATUS(pin_set_state(t.render, KSSTATE_RUN), STATUS_SUCCESS);
        sleep_ms(100);
        EXPECT_STATUS(machine_act(act, &after), STATUS_SUCCESS);
        status = pin_wait(&t.out);
        EXPECT(!NT_SUCCESS(status));
        EXPECT(!NT_SUCCESS(pin_set_state(t.render, KSSTATE_RUN)));
    }
    end();
}

static void rebalanced(void)
{
    interrupted(PCM_MACHINE_REBALANCE);
    if (begin(false)) {
        EXPECT_STATUS(play_whole(), STATUS_SUCCESS);
    }
    end();
}

static void unplugged(void)
{
    struct pcm_machine after;

    interrupted(PCM_MACHINE_UNPLUG);
    EXPECT_STATUS(machine_act(PCM_MACHINE_PLUG, &after), STATUS_SUCCESS);
    if (begin(false)) {
        EXPECT_STATUS(play_whole(), STATUS_SUCCESS);
    }
    end();
}

static void formats(void)
{
    static const struct {
        struct pin_format format;
        NTSTATUS status;
    } cases[] = {
        { { 48000, 1, 8 }, STATUS_SUCCESS },        { { 44100, 2, 16 }, STATUS_SUCCESS },
        { { 4000, 1, 32 }, STATUS_SUCCESS },        { { 192000, 2, 32 }, STATUS_SUCCESS },
        { { 3999, 1, 16 }, STATUS_NO_MATCH },       { { 192001, 1, 16 }, STATUS_NO_MATCH },
        { { 48000, 3, 16 }, STATUS_NO_MATCH },      { { 48000, 0, 16 }, STATUS_NO_MATCH },
        { { 48000, 2, 24 }, STATUS_NO_MATCH },
    };
    HANDLE filter, pin;

    EXPECT_STATUS(filter_open(&KSCATEGORY_RENDER, &filter), STATUS_SUCCESS);
    for (ULONG i = 0; i < RTL_NUMBER_OF(cases); i++) {
        NTSTATUS status = pin_open(filter, PIN_RENDER, &cases[i].format, &pin);

        EXPECT_STATUS(status, cases[i].status);
        if (NT_SUCCESS(status)) {
            HANDLE second;

            EXPECT(!NT_SUCCESS(pin_open(filter, PIN_RENDER, &usual, &second)));
            ZwClose(pin);
        }
    }
    ZwClose(filter);
}

const struct check stream_checks[] = {
    { "streams/formats", formats },
    { "streams/state-orders", state_orders },
    { "streams/both-ways", both_ways },
    { "streams/underruns", underruns },
    { "streams/power", power },
    { "streams/rebalanced", rebalanced },
    { "streams/unplugged", unplugged },
    { .name = NULL },
};
