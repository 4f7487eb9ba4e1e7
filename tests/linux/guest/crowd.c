/* SPDX-License-Identifier: MIT */
/* pcmaster-hostile: threads that share a file, and processes that are killed */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hostile.h"

#define THREADS                     6
#define HANDLES                     12u     /* that threads guess */
#define ROUNDS                      1500
#define DEATHS                      40

struct thread {
    pthread_t id;
    int node;
    uint32_t random;
    unsigned int wrong;
    unsigned int done;
};

static uint32_t random_below(uint32_t *state, uint32_t limit)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state % limit;
}

/* What may come of a request while others take and free what it is about. */
static bool is_due(int result)
{
    return !result || errno == ENOENT || errno == EBUSY || errno == ENOSPC || errno == ENOMEM ||
           errno == EAGAIN;
}

static bool guess_mapping(struct thread *thread, uint32_t handle)
{
    struct pcmaster_allocate buffer = { .offset = (uint64_t)handle * PCMASTER_BUFFER_MAX };
    uint8_t *memory = map(thread->node, &buffer, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);

    if (!memory) {
        return errno == EINVAL;
    }
    memory[random_below(&thread->random, PAGE)]++;
    return !munmap(memory, PAGE);
}

static bool step(struct thread *thread)
{
    static _Thread_local struct pcmaster_exercise in;
    uint32_t handle = 1 + random_below(&thread->random, HANDLES);
    struct pcmaster_record record;
    struct pcmaster_allocate buffer;

    switch (random_below(&thread->random, 5)) {
    case 0:
        errno = take(thread->node, 1 + random_below(&thread->random, 8 * PAGE), &buffer);
        return is_due(errno);
    case 1:
        errno = give_back(thread->node, handle);
        return is_due(errno);
    case 2:
        return guess_mapping(thread, handle);
    case 3:
        in = command_on(handle, 1, 0);
        return is_due(ioctl(thread->node, PCMASTER_IOC_EXERCISE, &in));
    default:
        return is_due(ioctl(thread->node, PCMASTER_IOC_READ_LOG, &record));
    }
}

static void *work(void *context)
{
    struct thread *thread = context;

    for (thread->done = 0; thread->done < ROUNDS; thread->done++) {
        thread->wrong += !step(thread);
    }
    return NULL;
}

void attack_by_threads(void)
{
    static struct thread threads[THREADS];
    unsigned int n, wrong = 0, done = 0;
    int node = node_open();

    for (n = 0; n < THREADS; n++) {
        threads[n] = (struct thread){ .node = node, .random = 2463534242u + n };
        pthread_create(&threads[n].id, NULL, work, &threads[n]);
    }
    for (n = 0; n < THREADS; n++) {
        pthread_join(threads[n].id, NULL);
        wrong += threads[n].wrong;
        done += threads[n].done;
    }
    close(node);
    point(!wrong && done == THREADS * ROUNDS, "%u threads on one file: %u requests, %u wrong", THREADS, done,
          wrong);
    device_is_well("threads");
}

/* Buffers and commands without end, one of them a violation now and then. */
static void be_busy(void)
{
    static struct pcmaster_exercise in;
    int node = node_open();
    uint32_t n;

    for (n = 0;; n++) {
        struct pcmaster_allocate buffer;
        uint8_t *memory;

        if (take(node, 2 * MIB, &buffer)) {
            _exit(1);
        }
        memory = map(node, &buffer, 2 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED);
        memory[n % 512 * PAGE] = 1;
        in = command_on(buffer.handle, 2 * MIB, 0);
        if (ioctl(node, PCMASTER_IOC_EXERCISE, &in)) {
            _exit(1);
        }
        munmap(memory, 2 * MIB);
        if (n % 2 && give_back(node, buffer.handle)) {
            _exit(1);
        }
        if (n > 16) {
            close(node);
            node = node_open();
            n = 0;
        }
    }
}

/* Killed at other moments each time, in the middle of whatever it does. */
void attack_by_death(void)
{
    unsigned int n, killed = 0;

    for (n = 0; n < DEATHS; n++) {
        int status;
        pid_t child = fork();

        if (!child) {
            be_busy();
        }
        usleep(500 + 1777 * n);
        kill(child, SIGKILL);
        killed += waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
                  WTERMSIG(status) == SIGKILL;
    }
    point(killed == DEATHS, "%u of %u processes were killed at work", killed, DEATHS);
    device_is_well("deaths");
}
