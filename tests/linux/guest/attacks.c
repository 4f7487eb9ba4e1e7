/* SPDX-License-Identifier: MIT */
/* pcmaster-hostile: what one program can do, step by step */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hostile.h"

#define ROUNDS                      5
#define LARGE                       (4 * MIB)   /* the most that there is in one piece */
#define FILES                       4       /* of as many buffers as one may have */

static const struct pcmaster_allocate fair = { .last = ~0ull, .boundary = ~0ull, .align = 1, .length = PAGE,
                                               .node = PCMASTER_ANY_NODE, .flags = PCMASTER_CACHED };

/* Every bit and every edge of each field: no request may be met wrongly, or harm. */
static void sweep_allocate(int node)
{
    static const size_t fields[] = {
        offsetof(struct pcmaster_allocate, last), offsetof(struct pcmaster_allocate, boundary),
        offsetof(struct pcmaster_allocate, align), offsetof(struct pcmaster_allocate, length),
        offsetof(struct pcmaster_allocate, node), offsetof(struct pcmaster_allocate, flags),
        offsetof(struct pcmaster_allocate, handle), offsetof(struct pcmaster_allocate, address),
        offsetof(struct pcmaster_allocate, offset), offsetof(struct pcmaster_allocate, physical),
    };
    unsigned int field, bit, wrong = 0, met = 0, refused = 0;

    for (field = 0; field < sizeof(fields) / sizeof(fields[0]); field++) {
        for (bit = 0; bit < 32; bit++) {
            struct pcmaster_allocate in = fair, asked;
            uint32_t value = 1u << bit;

            memcpy((char *)&in + fields[field], &value, sizeof(value));
            asked = in;
            if (ioctl(node, PCMASTER_IOC_ALLOCATE, &in)) {
                refused++;
                wrong += errno != EINVAL && errno != ENOMEM && errno != EOPNOTSUPP;
                continue;
            }
            met++;
            wrong += asked.handle || asked.address || asked.offset || asked.physical ||
                     asked.flags > PCMASTER_CACHED || in.address + in.length - 1 > asked.last ||
                     in.address % asked.align || give_back(node, in.handle);
        }
    }
    point(!wrong && met && refused, "each bit of a request for memory: %u met, %u refused, %u wrong", met,
          refused, wrong);
}

static void sweep_exercise(int node)
{
    struct pcmaster_allocate buffer;
    static struct pcmaster_exercise in;
    unsigned int word, bit, wrong = 0, met = 0, refused = 0;

    if (take(node, 4 * PAGE, &buffer)) {
        point(false, "a buffer for exercises");
        return;
    }
    for (word = 0; word < offsetof(struct pcmaster_exercise, node_bytes) / 4; word++) {
        for (bit = 0; bit < 32; bit++) {
            uint32_t value;

            in = command_on(buffer.handle, PAGE, 0);
            memcpy(&value, (char *)&in + 4 * word, sizeof(value));
            value ^= 1u << bit;
            memcpy((char *)&in + 4 * word, &value, sizeof(value));
            if (ioctl(node, PCMASTER_IOC_EXERCISE, &in)) {
                refused++;
                wrong += errno != EINVAL && errno != ENOENT && errno != EBUSY;
            } else {
                met++;
                wrong += in.result > PCM_EX_NO_BUS_MASTER || in.done > 4 * PAGE;
            }
        }
    }
    point(!wrong && met && refused, "each bit of a command: %u carried out, %u refused, %u wrong", met,
          refused, wrong);
}

/* What is only half there, cannot be written to, or is the kernel's. */
static void bad_pointers(int node)
{
    static const unsigned long requests[] = { PCMASTER_IOC_FACTS, PCMASTER_IOC_ALLOCATE, PCMASTER_IOC_FREE,
                                              PCMASTER_IOC_EXERCISE };
    char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *places[] = { NULL, (char *)8, pages + PAGE - 4, (char *)0xffffffff81000000, (char *)~7ul };
    unsigned int request, place, wrong = 0;

    munmap(pages + PAGE, PAGE);
    for (request = 0; request < sizeof(requests) / sizeof(requests[0]); request++) {
        for (place = 0; place < sizeof(places) / sizeof(places[0]); place++) {
            wrong += ioctl(node, requests[request], places[place]) != -1 || errno != EFAULT;
        }
    }
    munmap(pages, PAGE);
    point(!wrong, "pointers to nothing: %u wrong", wrong);
}

/* Nobody learns of a buffer whose request cannot be written back: it is not kept. */
static void read_only_requests(int node)
{
    struct pcmaster_allocate *in = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                                        -1, 0), buffer;
    unsigned int n, wrong = 0;

    *in = fair;
    mprotect(in, PAGE, PROT_READ);
    for (n = 0; n <= PCMASTER_BUFFERS_MAX; n++) {
        wrong += ioctl(node, PCMASTER_IOC_ALLOCATE, in) != -1 || errno != EFAULT;
    }
    munmap(in, PAGE);
    point(!wrong && !take(node, PAGE, &buffer), "more requests without an answer than buffers: %u wrong",
          wrong);
}

/* The device's mask is its rings' while a program has the sound card open. */
static void beside_a_ring(int node)
{
    int card = open("/dev/snd/pcmC0D0p", O_RDWR | O_NONBLOCK);
    struct pcmaster_allocate low = fair, usual;

    low.last = 0xffffff;
    point(card >= 0 && ioctl(node, PCMASTER_IOC_ALLOCATE, &low) && errno == EBUSY,
          "no lower memory while the sound card is open");
    point(!take(node, PAGE, &usual) && !give_back(node, usual.handle), "but memory as rings have it");
    close(card);
    low = fair;
    low.last = 0xffffff;
    point(!ioctl(node, PCMASTER_IOC_ALLOCATE, &low) && !give_back(node, low.handle),
          "and low memory when it is closed");
}

void attack_arguments(void)
{
    int node = node_open();

    sweep_allocate(node);
    sweep_exercise(node);
    bad_pointers(node);
    read_only_requests(node);
    beside_a_ring(node);
    close(node);
    device_is_well("wrong arguments");
}

/* --- mappings -------------------------------------------------------------------- */

static bool child_writes(void *memory)
{
    memset(memory, 0x77, PAGE);
    return true;
}

/* A child has the mapping, too: its memory is the same, and is kept for it. */
static void across_fork(int node)
{
    struct pcmaster_allocate buffer;
    uint8_t *memory = take(node, PAGE, &buffer) ? NULL
                      : map(node, &buffer, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
    int status, busy;
    pid_t child;

    if (!memory) {
        point(false, "a mapping to inherit");
        return;
    }
    point(in_a_child(child_writes, memory) && memory[0] == 0x77 && memory[PAGE - 1] == 0x77,
          "a child writes to the same memory");
    child = fork();
    if (!child) {
        pause();
    }
    munmap(memory, PAGE);
    busy = give_back(node, buffer.handle);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    point(busy == EBUSY, "memory that a child has mapped is kept");
    point(!give_back(node, buffer.handle), "and given back when the child is dead");
}

static void forbidden(int node)
{
    struct pcmaster_allocate buffer, none = { .offset = 0 };
    int reader = open(NODE, O_RDONLY);
    uint8_t *memory;

    if (take(node, 2 * PAGE, &buffer)) {
        point(false, "a buffer to map");
        return;
    }
    point(!map(node, &buffer, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE), "no private mapping");
    point(!map(node, &buffer, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED) && errno == EPERM,
          "nothing to execute");
    point(!map(node, &buffer, 3 * PAGE, PROT_READ, MAP_SHARED), "nothing behind the end");
    point(!map(node, &none, PAGE, PROT_READ, MAP_SHARED), "no buffer 0");
    point(!map(reader, &buffer, PAGE, PROT_READ, MAP_SHARED), "no buffer of another file");
    memory = map(node, &buffer, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
    point(memory && mprotect(memory, PAGE, PROT_READ | PROT_EXEC), "nothing to execute later");
    point(mremap(memory, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED, "no mapping that grows");
    munmap(memory, PAGE);
    point(!give_back(node, buffer.handle), "the buffer is free after all that");
    close(reader);
}

/* More than the machine has, in mappings whose file is closed, and that end in parts. */
static void beyond_close(void)
{
    unsigned int n, wrong = 0, rounds = 4 + (unsigned int)(sysconf(_SC_PHYS_PAGES) / (LARGE / PAGE));

    for (n = 0; n < rounds; n++) {
        struct pcmaster_allocate buffer;
        int node = node_open();
        uint8_t *memory = take(node, LARGE, &buffer) ? NULL
                          : map(node, &buffer, LARGE, PROT_READ | PROT_WRITE, MAP_SHARED);

        close(node);
        if (!memory) {
            wrong++;
            continue;
        }
        memory[LARGE / 2] = 1;
        munmap(memory + LARGE / 4, PAGE);
        wrong += memory[LARGE / 2] != 1 || memory[0];
        munmap(memory, LARGE);
    }
    point(!wrong, "%u mappings that outlive their file: %u wrong", rounds, wrong);
}

void attack_mappings(void)
{
    int node = node_open();

    across_fork(node);
    forbidden(node);
    close(node);
    beyond_close();
    device_is_well("mappings");
}

/* --- memory ------------------------------------------------------------------------ */

/* Bytes that could be had, in pieces that get smaller. */
static uint64_t take_all(int *nodes)
{
    static const uint32_t lengths[] = { PCMASTER_BUFFER_MAX, 4 * MIB, 256 * 1024, PAGE };
    uint64_t bytes = 0;
    unsigned int file, size;

    for (size = 0; size < sizeof(lengths) / sizeof(lengths[0]); size++) {
        for (file = 0; file < FILES; file++) {
            struct pcmaster_allocate buffer;

            while (!take(nodes[file], lengths[size], &buffer)) {
                bytes += lengths[size];
            }
        }
    }
    return bytes;
}

static bool still_alive(void *context)
{
    uint8_t *memory = malloc(8 * MIB);

    (void)context;
    if (memory) {
        memset(memory, 1, 8 * MIB);
    }
    return memory != NULL;
}

static bool use_up(void *context)
{
    uint64_t *bytes = context;
    int nodes[FILES], n;

    for (n = 0; n < FILES; n++) {
        nodes[n] = node_open();
    }
    *bytes = take_all(nodes);
    return in_a_child(still_alive, NULL);
}

/* What finds no room among few addresses leaves those beyond to others. */
static void without_room(void)
{
    int node = node_open(), met = 0;
    struct pcmaster_allocate in = fair;

    do {
        in = fair;
        in.last = 2 * PAGE - 1;
    } while (!ioctl(node, PCMASTER_IOC_ALLOCATE, &in) && met++ < 4);
    in = fair;
    in.last = 0xffffffff;
    point(met < 4 && !ioctl(node, PCMASTER_IOC_ALLOCATE, &in), "memory after %d requests of few addresses",
          met + 1);
    close(node);
}

/* All that there is, again and again: what is not freed is missing the next time. */
void attack_memory(void)
{
    uint64_t *bytes = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t first = 0, least = ~0ull;
    bool alive = true;
    int n;

    for (n = 0; n < ROUNDS; n++) {
        alive = in_a_child(use_up, bytes) && alive;
        first = n ? first : *bytes;
        least = *bytes < least ? *bytes : least;
    }
    munmap(bytes, PAGE);
    without_room();
    point(alive, "others live on while all memory is taken");
    point(first > 64 * MIB && least >= first - first / 16,
          "all memory can be taken %d times: %llu MiB at first, never less than %llu", ROUNDS,
          (unsigned long long)(first / MIB), (unsigned long long)(least / MIB));
    device_is_well("memory was used up");
}
