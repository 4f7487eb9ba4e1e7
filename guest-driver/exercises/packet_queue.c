/* SPDX-License-Identifier: MIT */
/*
 * The exercises: requests for map registers that wait for each other
 *
 * What must come of them is worked out by a model of the queue that the
 * documents describe.
 */
#include "run.h"

struct model {
    const struct packet_case *packet;
    uint32_t free;
    bool waits[PCM_QUEUE_LENGTH];
    struct pcm_packet_queued expected;
    uint32_t granted;
};

static void model_grant(struct model *model, uint32_t i)
{
    model->free -= model->packet->queue[i].registers;
    model->expected.order[model->granted++] = i;
}

/* First come, first served: nobody passes one that waits. */
static void model_serve(struct model *model)
{
    uint32_t i;

    for (i = 0; i < PCM_QUEUE_LENGTH; i++) {
        if (model->waits[i]) {
            if (model->packet->queue[i].registers > model->free) {
                return;
            }
            model->waits[i] = false;
            model_grant(model, i);
        }
    }
}

static bool model_anybody_waits(const struct model *model)
{
    uint32_t i, waiting = 0;

    for (i = 0; i < PCM_QUEUE_LENGTH; i++) {
        waiting += model->waits[i];
    }
    return waiting;
}

static bool at_once(uint32_t method)
{
    return method == PCM_GET_LIST_AT_ONCE || method == PCM_MAP_AT_ONCE;
}

static void model_ask(struct model *model, uint32_t i, uint32_t granted)
{
    const struct packet_queued *entry = &model->packet->queue[i];
    bool now = !model_anybody_waits(model) && entry->registers <= model->free;

    if (entry->registers > granted || (!now && at_once(entry->method))) {
        model->expected.status[i] = PCM_STATUS_INSUFFICIENT_RESOURCES;
    } else if (now) {
        model_grant(model, i);
    } else {
        model->waits[i] = true;
    }
}

static void model_run(struct model *model, const struct packet_case *packet, uint32_t count)
{
    uint32_t i;

    *model = (struct model){ .packet = packet, .free = packet->granted };
    for (i = 0; i < PCM_QUEUE_LENGTH; i++) {
        model->expected.order[i] = PCM_QUEUE_NEVER;
    }
    for (i = 0; i < count; i++) {
        model_ask(model, i, packet->granted);
    }
    model->expected.at_once = model->granted;
    for (i = 0; i < count; i++) {
        if ((packet->cancel & 1u << i) && model->waits[i]) {
            model->waits[i] = false;
            model->expected.cancelled |= 1u << i;
            model_serve(model);
        }
    }
    for (i = 0; i < model->granted; i++) {
        model->free += packet->queue[model->expected.order[i]].registers;
        model_serve(model);
        model->expected.after[i] = model->granted;
    }
}

static void check_queue(struct run *run, const struct pcm_packet_queued *expected,
                        const struct pcm_packet_queued *out, uint32_t count)
{
    uint32_t i;

    for (i = 0; i < count; i++) {
        if (out->status[i] != expected->status[i]) {
            broken(run, "request %u: status %X, not %X", i, (uint64_t)out->status[i],
                   (uint64_t)expected->status[i]);
        }
        if (out->order[i] != expected->order[i]) {
            broken(run, "turn %u is request %u's, not %u's", i, out->order[i], expected->order[i]);
        }
        if (out->after[i] != expected->after[i]) {
            broken(run, "%u requests were granted after release %u, not %u", out->after[i], i,
                   expected->after[i]);
        }
    }
    if (out->at_once != expected->at_once || out->cancelled != expected->cancelled) {
        broken(run, "%u granted at once, cancelled %X, not %u, %X", out->at_once, (uint64_t)out->cancelled,
               expected->at_once, (uint64_t)expected->cancelled);
    }
}

void exercise_packet_queue(struct run *run, const struct request *request)
{
    const struct packet_case *packet = request->packet;
    struct pcm_packet_queue in = { .cancel = packet->cancel };
    static struct pcm_packet_queued out;
    static struct model model;
    struct pcm_packet made;

    for (; in.count < PCM_QUEUE_LENGTH && packet->queue[in.count].registers; in.count++) {
        in.method[in.count] = packet->queue[in.count].method;
        in.registers[in.count] = packet->queue[in.count].registers;
    }
    if (!packet_make(run, packet, &made)) {
        return;
    }
    in.packet = made.handle;
    in.adapter = packet_adapter(run, request);
    if (in.adapter) {
        model_run(&model, packet, in.count);
        if (command(run, PCM_CMD_PACKET_QUEUE, &in, sizeof(in), &out, sizeof(out))) {
            check_queue(run, &model.expected, &out, in.count);
        }
        command_on(run, PCM_CMD_ADAPTER_PUT, in.adapter);
    }
    command_on(run, PCM_CMD_PACKET_FREE, made.handle);
}
