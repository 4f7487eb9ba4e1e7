/* SPDX-License-Identifier: MIT */
/* The exercises: what becomes of streams when power, resources or the device go */
#include "voice.h"

#include "pcmaster_machine.h"

#define SOUND_MS                    300u
#define BEFORE_MS                   100u        /* something happens then */
#define SETTLE_MS                   50u

static void rest(struct run *run, uint32_t milliseconds)
{
    run->ops->pins->sleep(run->ops->context, milliseconds);
}

static bool sleep_and_wake(struct run *run, struct voice *voice)
{
    struct pcm_machine machine;
    uint64_t before, after;

    if (!machine_act(run, PCM_MACHINE_SLEEP, &machine) || !voice_position(voice, &before)) {
        return false;
    }
    if (machine.power != 4) {
        broken(run, "the system sleeps, and the device is in D%u", machine.power - 1);
    }
    rest(run, 2 * SOUND_MS);
    if (voice_position(voice, &after) && after != before) {
        broken(run, "without power the position went from %U to %U", before, after);
    }
    return machine_act(run, PCM_MACHINE_WAKE, &machine) && run->verdict == HELD;
}

/*
 * To D3 and back, twice, in the middle of a sound: its client does not notice, no
 * frame is missing on the host and none comes twice.
 */
void exercise_pin_power(struct run *run, const struct request *request)
{
    struct pcm_pin_format format = usual_format(run);
    struct voice out = { 0 };
    uint64_t position;

    (void)request;
    if (voice_open(run, &out, PCM_PIN_RENDER, &format, SOUND_MS) && voice_begin(&out)) {
        rest(run, BEFORE_MS);
        if (sleep_and_wake(run, &out)) {
            rest(run, BEFORE_MS);
        }
        if (run->verdict == HELD && sleep_and_wake(run, &out) && voice_wait(&out, 0, 0, NULL) &&
            voice_position(&out, &position)) {
            if (position != out.frames) {
                broken(run, "%U of %u frames were played", position, out.frames);
            }
            voice_faults(&out, 0);
            rest(run, SETTLE_MS);
            note_sound(&out, out.frames, out.frames, 2);
        }
    }
    voice_close(&out);
}

/* What came before the sleep is there, what came after it follows, and that something is missing is told. */
void exercise_pin_power_capture(struct run *run, const struct request *request)
{
    struct pcm_pin_format format = usual_format(run);
    struct pcm_piece first, second;
    struct voice in = { 0 };
    uint32_t half;

    (void)request;
    if (voice_open(run, &in, PCM_PIN_CAPTURE, &format, SOUND_MS) && voice_state(&in, PCM_PIN_PAUSE)) {
        half = in.frames / 2;
        if (voice_send(&in, 0, 0, half, false) && voice_send(&in, 1, half, in.frames - half, false) &&
            voice_state(&in, PCM_PIN_RUN) && voice_wait(&in, 0, 0, &first) && sleep_and_wake(run, &in) &&
            voice_wait(&in, 1, 0, &second)) {
            if (first.gap || !second.gap) {
                broken(run, "gaps told: %u %u", (uint32_t)first.gap, (uint32_t)second.gap);
            }
            voice_faults(&in, 0);
        }
    }
    voice_close(&in);
}

/* A state that is asked for without power is that of the pin when it is back. */
void exercise_pin_power_states(struct run *run, const struct request *request)
{
    struct pcm_pin_format format = usual_format(run);
    struct pcm_machine machine;
    struct voice out = { 0 };
    uint64_t position;
    uint32_t pin, status;

    (void)request;
    if (voice_open(run, &out, PCM_PIN_RENDER, &format, SOUND_MS) && voice_mute(&out, true) &&
        voice_begin(&out)) {
        rest(run, BEFORE_MS);
        if (machine_act(run, PCM_MACHINE_SLEEP, &machine)) {
            status = run->ops->pins->open(run->ops->context, PCM_PIN_RENDER, &format, &pin);
            if (status != PCM_STATUS_DEVICE_NOT_READY) {
                broken(run, "a pin was opened without power: status %X", (uint64_t)status);
            }
            voice_state(&out, PCM_PIN_STOP);
            voice_wait(&out, 0, PCM_STATUS_CANCELLED, NULL);
            voice_begin(&out);
            machine_act(run, PCM_MACHINE_WAKE, &machine);
            if (voice_wait(&out, 0, 0, NULL) && voice_position(&out, &position) && position != out.frames) {
                broken(run, "%U of %u frames were played", position, out.frames);
            }
        }
    }
    voice_close(&out);
}

/* What was on its way comes back, and the pin does nothing more. */
static void is_dead(struct voice *voice)
{
    const struct pcm_pin_ops *pins = voice->run->ops->pins;
    void *context = voice->run->ops->context;
    uint64_t played, written;
    uint32_t i, statuses[3];

    voice_wait(voice, 0, voice->which == PCM_PIN_RENDER ? PCM_STATUS_CANCELLED : 0, NULL);
    statuses[0] = pins->set_state(context, voice->pin, PCM_PIN_RUN);
    statuses[1] = pins->position(context, voice->pin, &played, &written);
    statuses[2] = pins->send(context, voice->pin, 0, voice->data, voice->frame_bytes, false);
    for (i = 0; i < 3; i++) {
        if (statuses[i] != PCM_STATUS_DEVICE_NOT_CONNECTED) {
            broken(voice->run, "a pin whose device has gone: status %X", (uint64_t)statuses[i]);
        }
    }
}

/* Both ways, until something happens to the device: the host has heard what was played until then. */
static bool interrupted(struct run *run, enum pcm_machine_act what, struct pcm_machine *after)
{
    struct pcm_pin_format format = usual_format(run);
    struct voice out = { 0 }, in = { 0 };
    uint64_t position;
    bool done = false;

    if (voice_open(run, &out, PCM_PIN_RENDER, &format, SOUND_MS) &&
        voice_open(run, &in, PCM_PIN_CAPTURE, &format, SOUND_MS) && voice_begin(&in) && voice_begin(&out)) {
        rest(run, BEFORE_MS);
        if (voice_position(&out, &position) && machine_act(run, what, after)) {
            done = true;
            is_dead(&out);
            is_dead(&in);
            rest(run, SETTLE_MS);
            /* What a device that was pulled out still held is lost: 10 ms, as back ends ask. */
            note_sound(&out, (uint32_t)(what == PCM_MACHINE_REBALANCE ? position : position / 2),
                       out.frames, 0);
        }
    }
    voice_close(&in);
    voice_close(&out);
    return done && run->verdict == HELD;
}

/* A pin that is opened afterwards plays and records as if nothing had been. */
static void goes_on(struct run *run)
{
    struct pcm_pin_format format = usual_format(run);
    struct voice out = { 0 }, in = { 0 };

    if (voice_open(run, &out, PCM_PIN_RENDER, &format, SOUND_MS / 2) && voice_mute(&out, true) &&
        voice_open(run, &in, PCM_PIN_CAPTURE, &format, SOUND_MS) && voice_begin(&in) && voice_begin(&out) &&
        voice_wait(&out, 0, 0, NULL) && voice_wait(&in, 0, 0, NULL)) {
        uint32_t heard = voice_heard(&out, &in, 0);

        if (heard != out.frames) {
            broken(run, "afterwards %u of %u frames were heard", heard, out.frames);
        }
    }
    voice_close(&in);
    voice_close(&out);
}

void exercise_pin_rebalance(struct run *run, const struct request *request)
{
    struct pcm_machine before, after;
    uint32_t i;

    (void)request;
    for (i = 0; i < 2 && machine_act(run, PCM_MACHINE_LOOK, &before) &&
                interrupted(run, PCM_MACHINE_REBALANCE, &after); i++) {
        if (after.memory == before.memory || after.vector == before.vector) {
            broken(run, "the registers are at %X, the vector is %X, as before the stop", after.memory,
                   (uint64_t)after.vector);
        }
        goes_on(run);
    }
}

void exercise_pin_unplug(struct run *run, const struct request *request)
{
    struct pcm_machine machine;
    uint32_t status;
    bool gone;

    (void)request;
    gone = interrupted(run, PCM_MACHINE_UNPLUG, &machine);
    run->ops->leave(run->ops->context);
    if (gone && machine_act(run, PCM_MACHINE_PLUG, &machine)) {
        goes_on(run);
    }
    status = run->ops->enter(run->ops->context);
    if (status) {
        broken(run, "the device came back, but cannot be opened: status %X", (uint64_t)status);
    }
}
