/* SPDX-License-Identifier: MIT */
/* The exercises: selecting, running and reporting them as TAP 13 */
#include "run.h"

static char line_room[PCM_LINE_MAX];
static struct text line = TEXT(line_room);

static void print(struct run *run)
{
    run->ops->print(run->ops->context, line.start);
    text_clear(&line);
}

void point_begin(struct run *run)
{
    run->verdict = HELD;
    run->filled = 0;
    run->verified = 0;
    run->played = 0;
    run->first_node = PCM_NODE_ANY;
    run->buffers = 0;
    run->noted = 0;
    text_clear(&run->request);
    text_clear(&run->logical);
    text_clear(&run->node);
    text_clear(&run->reason);
    text_clear(&run->more);
    text_clear(&run->sounds);
    text_clear(&run->pages);
}

static void add_member(const char *name, const char *value)
{
    text_add(&line, "%s\"%s\":\"", line.start[line.used - 1] == '{' ? "" : ",", name);
    text_add_json(&line, value);
    text_add(&line, "\"");
}

void point_end(struct run *run, const char *name, const char *held)
{
    static const char *const results[] = { [HELD] = "", [BROKEN] = "broken: ", [SKIPPED] = "skipped: " };
    char verdict_room[400] = "";
    struct text verdict = TEXT(verdict_room);

    run->number++;
    run->failed += run->verdict == BROKEN;
    text_add(&verdict, "%s%s", results[run->verdict],
             run->verdict == HELD ? held : run->reason.start);
    text_add(&line, "%s %u - %s", run->verdict == BROKEN ? "not ok" : "ok", run->number, name);
    if (run->verdict == SKIPPED) {
        text_add(&line, " # SKIP %s", run->reason.start);
    }
    print(run);
    text_add(&line, "  ---");
    print(run);
    text_add(&line, "  {");
    add_member("request", run->request.start);
    add_member("logical", run->logical.used ? run->logical.start : "-");
    add_member("node", run->node.used ? run->node.start : "-");
    add_member("verdict", verdict.start);
    if (run->sounds.used) {
        text_add(&run->more, ",\"sounds\":[%s]", run->sounds.start);
    }
    if (run->pages.used) {
        text_add(&run->more, ",\"pages\":[%s]", run->pages.start);
    }
    text_add(&line, ",\"buffers\":%u,\"dma_bytes\":%U,\"filled\":%U,\"verified\":%U%s}", run->buffers,
             run->filled + run->verified + run->played, run->filled, run->verified, run->more.start);
    print(run);
    text_add(&line, "  ...");
    print(run);
}

static bool selected(const struct run *run, const struct exercise *exercise)
{
    return !text_equal(run->options->exercise, "none") &&
           text_matches(run->options->exercise, exercise->name);
}

static uint32_t count_selected(const struct run *run)
{
    const struct exercise *exercise;
    uint32_t count = 0;

    for (exercise = exercise_table; exercise->name; exercise++) {
        count += selected(run, exercise);
    }
    return count;
}

/* An exercise that has lost its DMA on the way must not pass for one that held. */
static void check_dma_was_done(struct run *run, const struct request *request)
{
    if (request->refused || request->no_dma) {
        text_add(&run->more, ",\"no_dma\":true");
    } else if (!run->filled || !run->verified) {
        broken(run, "the device wrote %U and read %U bytes", run->filled, run->verified);
    }
}

static void run_exercise(struct run *run, const struct exercise *exercise)
{
    const struct pcm_ops *ops = run->ops;
    const char *why = ops->no_meaning ? ops->no_meaning(ops->context, exercise->name) : NULL;
    struct request request;

    point_begin(run);
    if (why) {
        skipped(run, "%s", why);
        request_describe(run, &exercise->request);
    } else if (resolve(run, &exercise->request, &request)) {
        request_describe(run, &request);
        text_add(&run->more, request.pins ? ",\"pins\":true" : "");
        if (request.pins && !run->ops->pins) {
            skipped(run, "this guest's driver has no pins");
        } else {
            exercise->body(run, &request);
        }
        check_dma_was_done(run, &request);
    } else {
        request_describe(run, &exercise->request);
    }
    point_end(run, exercise->name, "held");
}

static enum pcm_outcome bail_out(struct run *run, const char *why, const char *what)
{
    text_clear(&line);
    text_add(&line, "Bail out! %s%s", why, what);
    print(run);
    return PCM_COULD_NOT_RUN;
}

static enum pcm_outcome run_selected(struct run *run, const struct fault *fault,
                                     const struct mistake *mistake, uint32_t policy)
{
    const struct exercise *exercise;
    uint32_t count = count_selected(run);

    if (!count && !text_equal(run->options->exercise, "none")) {
        return bail_out(run, "no exercise is called ", run->options->exercise);
    }
    text_add(&line, "TAP version 13");
    print(run);
    text_add(&line, "1..%u", count + (run->options->sound_bytes != 0) +
                                 (fault || mistake));
    print(run);
    for (exercise = exercise_table; exercise->name; exercise++) {
        if (selected(run, exercise)) {
            run_exercise(run, exercise);
        }
    }
    if (run->options->sound_bytes) {
        play(run);
    }
    if (fault) {
        fault_run(run, fault, policy);
    }
    if (mistake) {
        mistake_run(run, mistake);
    }
    return run->failed ? PCM_SOME_FAILED : PCM_ALL_HELD;
}

enum pcm_outcome pcm_run(const struct pcm_ops *ops, const struct pcm_options *options)
{
    static struct run run;
    const struct fault *fault = options->fault ? fault_find(options->fault) : NULL;
    const struct mistake *mistake = options->fault ? mistake_find(options->fault) : NULL;
    uint32_t policy = policy_find(options->policy ? options->policy : "abort");
    uint32_t status;

    run = (struct run){ .ops = ops, .options = options };
    run.request = (struct text)TEXT(run.request_room);
    run.logical = (struct text)TEXT(run.logical_room);
    run.node = (struct text)TEXT(run.node_room);
    run.reason = (struct text)TEXT(run.reason_room);
    run.more = (struct text)TEXT(run.more_room);
    run.sounds = (struct text)TEXT(run.sounds_room);
    run.pages = (struct text)TEXT(run.pages_room);
    text_clear(&line);
    if (options->fault && !fault && !mistake) {
        return bail_out(&run, "no fault is called ", options->fault);
    }
    if (policy == PCM_POLICY_UNKNOWN) {
        return bail_out(&run, "no policy is called ", options->policy);
    }
    run.platform = platform_find(options->platform);
    if (run.platform == PLATFORMS) {
        return bail_out(&run, "no platform is called ", options->platform);
    }
    status = ops->command(ops->context, PCM_CMD_FACTS, NULL, 0, &run.facts, sizeof(run.facts));
    if (status) {
        char room[24] = "";
        struct text number = TEXT(room);

        text_add(&number, "%X", (uint64_t)status);
        return bail_out(&run, "the driver does not answer: status ", number.start);
    }
    if (options->sound_bytes && !play_possible(&run)) {
        return PCM_COULD_NOT_RUN;
    }
    return run_selected(&run, fault, mistake, policy);
}

struct pcm_listed pcm_exercise_at(uint32_t index)
{
    const struct exercise *exercise = &exercise_table[index];

    return (struct pcm_listed){ exercise->name, exercise->about, NULL };
}

struct pcm_listed pcm_fault_at(uint32_t index)
{
    const struct fault *fault = &fault_table[index];

    return (struct pcm_listed){ fault->name, fault->about, fault->rule };
}

struct pcm_listed pcm_mistake_at(uint32_t index)
{
    const struct mistake *mistake = &mistake_table[index];

    return (struct pcm_listed){ mistake->name, mistake->about, mistake->rule };
}
