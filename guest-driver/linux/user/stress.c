/* SPDX-License-Identifier: MIT */
/*
 * pcmaster-exercises for Linux: all processors allocate and free buffers at once
 *
 * Each thread has the device node open for itself and holds some buffers, whose
 * contents are its own: a pattern that is found right when the buffer goes was
 * nobody else's memory meanwhile.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "client.h"
#include "pcmaster_pattern.h"

#define WORKERS                     64
#define HELD                        8u

struct held {
    struct buffer *buffer;          /* NULL: none */
    uint64_t seed;
    uint64_t last;                  /* legal byte */
};

struct worker {
    struct client client;
    const struct pcm_stress *request;
    pthread_t thread;
    int processor;
    uint64_t last;
    uint64_t random;
    struct held held[HELD];
    struct pcm_stressed result;
};

/* xorshift64*; from 0 to LIMIT - 1. */
static uint64_t random_below(struct worker *worker, uint64_t limit)
{
    worker->random ^= worker->random >> 12;
    worker->random ^= worker->random << 25;
    worker->random ^= worker->random >> 27;
    return worker->random * 0x2545f4914f6cdd1dull % limit;
}

/* Limits of whole bits, and one between, that the machine can always meet. */
static uint64_t random_last(struct worker *worker)
{
    static const uint64_t limits[] = { (1u << 24) - 1, 0xffffffff, 0x2345677 };
    uint64_t which = random_below(worker, 2 * sizeof(limits) / sizeof(limits[0]));
    uint64_t last = which < sizeof(limits) / sizeof(limits[0]) ? limits[which] : ~0ull;

    return last < worker->last ? last : worker->last;
}

static void take(struct worker *worker, struct held *held)
{
    const struct pcm_stress *request = worker->request;
    bool chooses = request->allocator == PCM_ALLOCATE_COMMON_BUFFER_EX;
    struct wanted wanted = {
        .last = chooses ? random_last(worker) : worker->last, .boundary = ~0ull,
        .length = 1 + (uint32_t)random_below(worker, request->length),
        .node = chooses && random_below(worker, 2) ? (uint32_t)random_below(worker, request->nodes)
                                                   : PCM_ANY_NODE,
        .cached = !chooses || random_below(worker, 4),
    };

    held->buffer = buffer_make(&worker->client, &wanted);
    if (!held->buffer) {
        worker->result.refused++;
        return;
    }
    worker->result.allocated++;
    worker->result.unclean += buffer_nonzero(held->buffer) != 0;
    worker->result.misplaced += held->buffer->address + wanted.length - 1 > wanted.last;
    held->last = wanted.last;
    held->seed = random_below(worker, ~0ull);
}

/* One transfer; what it says is added up. */
static void dma(struct worker *worker, const struct held *held, uint32_t directions)
{
    static _Thread_local struct pcm_transferred out;
    struct pcm_transfer in = {
        .directions = directions, .length = held->buffer->length, .seed = held->seed,
        .addr_bits = PCM_ADDR_BITS_MAX, .node = PCM_NODE_ANY, .limit = held->last, .boundary = ~0ull,
    };
    const struct pcm_direction *way = directions & PCM_TO_MEMORY ? &out.to_memory : &out.from_memory;

    if (transfer(&worker->client, held->buffer, &in, &out)) {
        worker->result.refused_dma++;
        return;
    }
    worker->result.refused_dma += way->done != in.length;
    worker->result.mismatched += way->mismatches != 0;
    worker->result.records += out.records;
    *(directions & PCM_TO_MEMORY ? &worker->result.filled : &worker->result.verified) +=
        way->done - way->mismatches;
}

static void give_back(struct worker *worker, struct held *held)
{
    uint32_t first;

    /* What the last transfer left is the pattern of the seed's complement. */
    if (pcm_pattern_compare(held->buffer->memory, held->buffer->length, ~held->seed, &first)) {
        worker->result.foreign++;
    }
    dma(worker, held, PCM_TO_MEMORY);
    worker->result.freed += buffer_free(&worker->client, held->buffer);
    held->buffer = NULL;
}

static void *work(void *context)
{
    struct worker *worker = context;
    uint32_t round, slot;

    for (round = 0; round < worker->request->rounds; round++) {
        struct held *held = &worker->held[random_below(worker, HELD)];

        if (held->buffer) {
            give_back(worker, held);
        }
        take(worker, held);
        if (held->buffer) {
            dma(worker, held, PCM_FROM_MEMORY);
        }
    }
    for (slot = 0; slot < HELD; slot++) {
        if (worker->held[slot].buffer) {
            give_back(worker, &worker->held[slot]);
        }
    }
    worker->result.processors = sched_getcpu() == worker->processor;
    return NULL;
}

/* A thread that stays on its processor; false: there is none. */
static bool begin(struct worker *worker)
{
    pthread_attr_t attributes;
    cpu_set_t set;
    bool begun;

    CPU_ZERO(&set);
    CPU_SET(worker->processor, &set);
    pthread_attr_init(&attributes);
    pthread_attr_setaffinity_np(&attributes, sizeof(set), &set);
    begun = !pthread_create(&worker->thread, &attributes, work, worker);
    pthread_attr_destroy(&attributes);
    return begun;
}

static void add(struct pcm_stressed *sum, const struct pcm_stressed *one)
{
    sum->processors += one->processors;
    sum->allocated += one->allocated;
    sum->freed += one->freed;
    sum->refused += one->refused;
    sum->misplaced += one->misplaced;
    sum->unclean += one->unclean;
    sum->foreign += one->foreign;
    sum->mismatched += one->mismatched;
    sum->refused_dma += one->refused_dma;
    sum->records += one->records;
    sum->filled += one->filled;
    sum->verified += one->verified;
}

uint32_t stress(struct client *client, const struct pcm_stress *in, uint64_t last, struct pcm_stressed *out)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int count = processors < WORKERS ? (int)processors : WORKERS, begun = 0, i;
    struct worker *workers = calloc((size_t)count, sizeof(*workers));

    *out = (struct pcm_stressed){ .processors = 0 };
    if (!workers) {
        return PCM_STATUS_INSUFFICIENT_RESOURCES;
    }
    for (i = 0; i < count; i++) {
        workers[i].request = in;
        workers[i].processor = i;
        workers[i].last = last;
        workers[i].random = in->seed + (uint64_t)i + 1;
        workers[i].client.addr_bits = client->addr_bits;
        workers[i].client.node = open(client->path, O_RDWR | O_CLOEXEC);
        if (workers[i].client.node < 0 || !begin(&workers[i])) {
            break;
        }
        begun++;
    }
    for (i = 0; i < begun; i++) {
        pthread_join(workers[i].thread, NULL);
        close(workers[i].client.node);
        add(out, &workers[i].result);
    }
    free(workers);
    return PCM_STATUS_SUCCESS;
}
