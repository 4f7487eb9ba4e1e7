/* SPDX-License-Identifier: MIT */
/*
 * The exercises: a pin's states in every order, against a model of what is due
 *
 * The model knows that a pin's position moves with the clock in PCM_PIN_RUN, and
 * nowhere else; that it starts anew at 0 with PCM_PIN_STOP, and keeps through
 * all other states; that data is taken in all states but that one.
 */
#include "voice.h"

#define SOUND_MS                    2000u
#define WALK_STEPS                  400u
#define NS_PER_SECOND               1000000000ull

/* Sound that comes while the device runs already goes so far ahead of it. */
#define MARGIN_NS                   12000000u

struct model {
    struct voice voice;
    enum pcm_pin_state state;
    uint64_t least, most;           /* nanoseconds that it has run, up to the last change */
    uint64_t since_least, since_most;   /* when it began to run: not before, not after */
    bool sent;                      /* its sound is on its way */
    uint32_t steps;
};

static uint64_t now(const struct model *model)
{
    return model->voice.run->ops->pins->clock(model->voice.run->ops->context);
}

static const char *name_of(uint32_t state)
{
    static const char *const names[] = { "STOP", "ACQUIRE", "PAUSE", "RUN" };

    return names[state];
}

/* What was played or not comes back as cancelled, what was recorded as a success. */
static void check_returned(struct model *model)
{
    struct run *run = model->voice.run;
    struct pcm_piece piece = { 0 };
    uint32_t status = run->ops->pins->wait(run->ops->context, model->voice.pin, 0, 0, &piece);

    if (status != (model->voice.which == PCM_PIN_CAPTURE && piece.bytes ? 0 : PCM_STATUS_CANCELLED)) {
        broken(run, "after STOP data came back with status %X and %u bytes", (uint64_t)status, piece.bytes);
    }
}

/* The first piece comes back when the stream stops; the pin takes no other then. */
static void check_data(struct model *model)
{
    struct voice *voice = &model->voice;
    const struct pcm_pin_ops *pins = voice->run->ops->pins;
    uint32_t status;

    if (model->state == PCM_PIN_STOP) {
        if (model->sent) {
            check_returned(model);
            model->sent = false;
        }
        status = pins->send(voice->run->ops->context, voice->pin, 0, voice->data, voice->frame_bytes, false);
        if (status != PCM_STATUS_INVALID_DEVICE_STATE) {
            broken(voice->run, "data in STOP: status %X, not %X", (uint64_t)status,
                   (uint64_t)PCM_STATUS_INVALID_DEVICE_STATE);
        }
    } else if (!model->sent) {
        uint64_t before = now(model);

        model->sent = voice_send(voice, 0, 0, voice->frames, false);
        if (model->state == PCM_PIN_RUN && voice->which == PCM_PIN_RENDER) {
            model->since_least = before;
            model->since_most = now(model) + MARGIN_NS;
        }
    }
}

static void check_state(struct model *model)
{
    struct run *run = model->voice.run;
    uint32_t state = PCM_PIN_STATES;
    uint32_t status = run->ops->pins->get_state(run->ops->context, model->voice.pin, &state);

    if (status || state != model->state) {
        broken(run, "step %u: state %u, not %s; status %X", model->steps, state, name_of(model->state),
               (uint64_t)status);
    }
}

static uint64_t frames_of(const struct model *model, uint64_t ns)
{
    uint64_t frames = ns / NS_PER_SECOND * model->voice.format.rate +
                      ns % NS_PER_SECOND * model->voice.format.rate / NS_PER_SECOND;

    return frames < model->voice.frames ? frames : model->voice.frames;
}

static void check_position(struct model *model)
{
    bool running = model->state == PCM_PIN_RUN;
    uint64_t begun = now(model), position, least, most;

    if (!voice_position(&model->voice, &position)) {
        return;
    }
    least = model->least + (running && begun > model->since_most ? begun - model->since_most : 0);
    most = model->most + (running ? now(model) - model->since_least : 0);
    /* Parts of a frame are the hardware's to round, at each change of state. */
    if (position + model->steps + 1 < frames_of(model, least) || position > frames_of(model, most) + 1) {
        broken(model->voice.run, "step %u, %s: position %U, not %U to %U", model->steps,
               name_of(model->state), position, frames_of(model, least), frames_of(model, most));
    }
}

static bool step(struct model *model, enum pcm_pin_state next)
{
    uint64_t before = now(model), after;

    model->steps++;
    if (!voice_state(&model->voice, next)) {
        return false;
    }
    after = now(model);
    if (model->state == PCM_PIN_RUN && next != PCM_PIN_RUN) {
        model->least += before > model->since_most ? before - model->since_most : 0;
        model->most += after - model->since_least;
    } else if (model->state != PCM_PIN_RUN && next == PCM_PIN_RUN) {
        model->since_least = before;
        model->since_most = after;
    }
    model->state = next;
    if (next == PCM_PIN_STOP) {
        model->least = model->most = 0;
        model->steps = 0;
    }
    check_state(model);
    check_data(model);
    check_position(model);
    return model->voice.run->verdict == HELD;
}

static bool model_open(struct run *run, struct model *model, const struct request *request)
{
    struct pcm_pin_format format = usual_format(run);

    *model = (struct model){ .state = PCM_PIN_STOP };
    return voice_open(run, &model->voice, request->capture ? PCM_PIN_CAPTURE : PCM_PIN_RENDER, &format,
                      SOUND_MS) &&
           (request->capture || voice_mute(&model->voice, true));
}

static void rest(struct run *run, uint32_t milliseconds)
{
    run->ops->pins->sleep(run->ops->context, milliseconds);
}

/* From each state, come to from STOP, to each; what is no state is refused in all of them. */
void exercise_state_pairs(struct run *run, const struct request *request)
{
    struct model model;
    uint32_t i, status;

    if (model_open(run, &model, request)) {
        for (i = 0; i < PCM_PIN_STATES * PCM_PIN_STATES && step(&model, PCM_PIN_STOP); i++) {
            if (!step(&model, i / PCM_PIN_STATES)) {
                break;
            }
            rest(run, 7);
            status = run->ops->pins->set_state(run->ops->context, model.voice.pin, PCM_PIN_STATES);
            if (status != PCM_STATUS_INVALID_PARAMETER) {
                broken(run, "state %u: status %X", (uint32_t)PCM_PIN_STATES, (uint64_t)status);
            }
            if (!step(&model, i % PCM_PIN_STATES)) {
                break;
            }
            rest(run, 5);
            check_position(&model);
        }
        voice_state(&model.voice, PCM_PIN_STOP);
    }
    voice_close(&model.voice);
}

void exercise_state_walk(struct run *run, const struct request *request)
{
    struct model model;
    uint32_t i, chance = 1;

    if (model_open(run, &model, request)) {
        for (i = 0; i < WALK_STEPS; i++) {
            chance = chance * 1664525u + 1013904223u;
            /* STOP seldom, so that positions grow. */
            if (!step(&model, chance >> 28 ? chance >> 20 & 3 ? chance >> 20 & 3 : PCM_PIN_RUN
                                           : PCM_PIN_STOP)) {
                break;
            }
            rest(run, chance >> 16 & 15);
            check_position(&model);
        }
        voice_state(&model.voice, PCM_PIN_STOP);
    }
    voice_close(&model.voice);
}
