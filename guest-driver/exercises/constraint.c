/* SPDX-License-Identifier: MIT */
/*
 * The exercises: which constraints AllocateBuffer must meet, and which it must refuse
 *
 * What comes of each request is also told to the host, which asks brute force
 * and the device's own log about it (scripts/pcmaster/constraint.py).
 */
#include "run.h"

#define MOST                        (2 * MIB)       /* the channels' MaximumLength */
#define TRANSFERRED_MOST            (128 * KIB)     /* larger buffers show no more */
#define POWERS                      64u
#define RANDOM_REQUESTS             56u
#define ALIVE                       8u

/* Bytes that CONSTRAINT gives room for, if they are fewer than MOST and one more. */
static uint32_t room_of(uint64_t constraint)
{
    uint32_t room = 1;

    while (room <= MOST && constraint & 1) {
        constraint >>= 1;
        room *= 2;
    }
    return room;
}

/* A list of JSON: requests, and where their buffers are. */
static void note(struct run *run, const struct request *request, uint32_t channel)
{
    struct pcm_channel_state state = { 0 };

    if (!request->refused && !channel_query(run, channel, &state)) {
        return;
    }
    text_add(&run->more, "%s\"%X %u", run->noted++ ? "," : ",\"constraints\":[", request->constraint,
             request->length);
    text_add(&run->more, request->refused ? "\"" : " %X\"", state.physical_address);
}

static void note_end(struct run *run)
{
    if (run->noted) {
        text_add(&run->more, "]");
    }
}

/* REQUEST with that constraint and length: what must come of it, and that it does. */
static void try_one(struct run *run, const struct request *request, uint32_t channel, uint64_t constraint,
                    uint32_t length)
{
    struct request one = *request;

    one.constraint_kind = CONSTRAINT;
    one.constraint = constraint;
    one.length = length;
    one.refused = length > room_of(constraint);
    one.status = one.refused ? PCM_STATUS_INVALID_PARAMETER : PCM_STATUS_SUCCESS;
    if (channel_fill(run, &one, channel)) {
        note(run, &one, channel);
    }
}

/*
 * The most that the constraint gives room for, and one byte more.  What was
 * refused leaves the channel as it was: the next request is the same channel's.
 */
static void try_both_sides(struct run *run, const struct request *request, uint32_t channel,
                           uint64_t constraint)
{
    uint32_t room = room_of(constraint);

    if (room < MOST) {
        try_one(run, request, channel, constraint, room + 1);
    }
    try_one(run, request, channel, constraint, room < TRANSFERRED_MOST ? room : TRANSFERRED_MOST - 1);
    command_on(run, PCM_CMD_CHANNEL_FREE_BUFFER, channel);
}

/* A page that is held, so that the highest place is on no line but a page's. */
static uint32_t hold_page(struct run *run, const struct request *request)
{
    uint32_t channel = channel_needed(run, request);
    struct request page = *request;

    page.length = PAGE_BYTES;
    if (channel) {
        channel_fill(run, &page, channel);
    }
    return channel;
}

static void try_all(struct run *run, const struct request *request, const uint64_t *constraints,
                    uint32_t count)
{
    uint32_t page = hold_page(run, request);
    uint32_t channel = page ? channel_needed(run, request) : 0;
    uint32_t i;

    for (i = 0; channel && i < count && run->verdict == HELD; i++) {
        try_both_sides(run, request, channel, constraints[i]);
    }
    note_end(run);
    if (channel) {
        command_on(run, PCM_CMD_CHANNEL_RELEASE, channel);
    }
    if (page) {
        command_on(run, PCM_CMD_CHANNEL_RELEASE, page);
    }
}

/* Every 2^k - 1. */
void exercise_powers(struct run *run, const struct request *request)
{
    uint64_t constraints[POWERS];
    uint32_t k;

    for (k = 0; k < POWERS; k++) {
        constraints[k] = (1ull << k) - 1;
    }
    try_all(run, request, constraints, POWERS);
}

/* Masks with holes, at the bottom, at the top, in a page and above it. */
void exercise_holes(struct run *run, const struct request *request)
{
    static const uint64_t constraints[] = {
        0xffffffffffff7fff, 0xfffffffffffeffff, 0xffffffffffffefff, 0xfffffffffffff7ff,
        0x0000000000017fff, 0x000000000001dfff, 0x0000000000ff00ff, 0x000000000000fffe,
        0x000000000000fffd, 0x00000000fffff000, 0xfffffffffffff000, 0xf000f000f000ffff,
        0x5555555555555555, 0xaaaaaaaaaaaaaaaa, 0x8000000000000000, 0x8000000000000fff,
        0x8000000000001fff, 0xffffffff0000ffff, 0x7fffffff7ffeffff, 0xff00ff00ff00ff00,
    };

    try_all(run, request, constraints, sizeof(constraints) / sizeof(constraints[0]));
}

static uint64_t random_bits(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* A run of set bits at the bottom, a clear one, and anything above. */
static uint64_t random_constraint(uint64_t *state)
{
    uint32_t low = random_bits(state) % 19;
    uint64_t above = random_bits(state) & random_bits(state);

    return ((1ull << low) - 1) | (above & ~0ull << (low + 1));
}

/* Random constraints and lengths, with a few buffers of before in the way. */
void exercise_random_constraints(struct run *run, const struct request *request)
{
    uint32_t alive[ALIVE] = { 0 };
    uint64_t state = 0x9e3779b97f4a7c15;
    uint32_t i;

    for (i = 0; i < RANDOM_REQUESTS + ALIVE; i++) {
        uint32_t *slot = &alive[i % ALIVE];
        uint64_t constraint = random_constraint(&state);
        uint32_t most = 2 * room_of(constraint);

        if (*slot) {
            command_on(run, PCM_CMD_CHANNEL_RELEASE, *slot);
        }
        *slot = i < RANDOM_REQUESTS && run->verdict == HELD ? channel_needed(run, request) : 0;
        if (*slot) {
            try_one(run, request, *slot, constraint,
                    1 + (uint32_t)(random_bits(&state) % (most < TRANSFERRED_MOST ? most : TRANSFERRED_MOST)));
        }
    }
    note_end(run);
}
