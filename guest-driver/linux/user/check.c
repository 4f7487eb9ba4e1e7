/* SPDX-License-Identifier: MIT */
/*
 * pcmaster-exercises for Linux: wrong requests to the device node
 *
 * Each must fail with its error and leave everything as it was.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client.h"

#define PAGE                        4096u

static int node;
static uint32_t points, failures;

static void point(bool ok, const char *what)
{
    points++;
    failures += !ok;
    printf("%s %u - %s\n", ok ? "ok" : "not ok", points, what);
}

static void refused(unsigned long code, void *in, int error, const char *what)
{
    int result = ioctl(node, code, in);

    point(result == -1 && errno == error, what);
}

static const struct pcmaster_allocate fair = { .last = ~0ull, .boundary = ~0ull, .align = 1, .length = PAGE,
                                               .node = PCMASTER_ANY_NODE, .flags = PCMASTER_CACHED };

static void check_allocate(void)
{
    static const struct {
        const char *what;
        struct pcmaster_allocate in;
        int error;
    } cases[] = {
        { "no bytes", { .last = ~0ull, .boundary = ~0ull, .align = 1, .node = ~0u }, EINVAL },
        { "too many bytes", { .last = ~0ull, .boundary = ~0ull, .align = 1, .node = ~0u,
                              .length = PCMASTER_BUFFER_MAX + 1 }, EINVAL },
        { "an alignment of 3", { .last = ~0ull, .boundary = ~0ull, .align = 3, .node = ~0u,
                                 .length = PAGE }, EINVAL },
        { "an alignment of 0", { .last = ~0ull, .boundary = ~0ull, .node = ~0u, .length = PAGE }, EINVAL },
        { "a node there is not", { .last = ~0ull, .boundary = ~0ull, .align = 1, .node = 1000,
                                   .length = PAGE }, EINVAL },
        { "a node beyond all", { .last = ~0ull, .boundary = ~0ull, .align = 1, .node = 0x7fffffff,
                                 .length = PAGE }, EINVAL },
        { "flags there are not", { .last = ~0ull, .boundary = ~0ull, .align = 1, .node = ~0u,
                                   .length = PAGE, .flags = 6 }, EINVAL },
        { "results that are not 0", { .last = ~0ull, .boundary = ~0ull, .align = 1, .node = ~0u,
                                      .length = PAGE, .handle = 1 }, EINVAL },
        { "a limit below all memory", { .last = 100, .boundary = ~0ull, .align = 1, .node = ~0u,
                                        .length = PAGE }, ENOMEM },
        { "a boundary that no page keeps", { .last = ~0ull, .boundary = 0xff, .align = 1, .node = ~0u,
                                             .length = PAGE }, EINVAL },
    };
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pcmaster_allocate in = cases[i].in;

        refused(PCMASTER_IOC_ALLOCATE, &in, cases[i].error, cases[i].what);
    }
    refused(PCMASTER_IOC_ALLOCATE, (void *)8, EFAULT, "a request in no memory");
}

static void check_exercise(uint32_t handle)
{
    const struct pcmaster_exercise good = { .handle = handle, .command = PCM_EX_FILL, .length = PAGE,
                                            .limit = ~0ull, .boundary = ~0ull, .addr_bits = 20,
                                            .node = PCMASTER_ANY_NODE };
    static const struct {
        const char *what;
        uint32_t handle, command, offset, length, addr_bits, node, window_short;
        int error;
    } wrong[] = {
        { "a buffer there is not", 77, 0, 0, 0, 0, 0, 0, ENOENT },
        { "an unknown command", 0, 9, 0, 0, 0, 0, 0, EINVAL },
        { "one byte beyond the buffer", 0, 0, 1, 0, 0, 0, 0, EINVAL },
        { "an offset that wraps", 0, 0, 0xfffff001, 0, 0, 0, 0, EINVAL },
        { "a length that wraps", 0, 0, 1, 0xffffffff, 0, 0, 0, EINVAL },
        { "too few address lines", 0, 0, 0, 0, 19, 0, 0, EINVAL },
        { "too many address lines", 0, 0, 0, 0, 65, 0, 0, EINVAL },
        { "a node that the device cannot know", 0, 0, 0, 0, 0, 128, 0, EINVAL },
        { "a window shorter than nothing", 0, 0, 0, 0, 0, 0, PAGE + 1, EINVAL },
    };
    static struct pcmaster_exercise in;
    size_t i;

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        in = good;
        in.handle = wrong[i].handle ? wrong[i].handle : in.handle;
        in.command = wrong[i].command ? wrong[i].command : in.command;
        in.offset = wrong[i].offset;
        in.length = wrong[i].length ? wrong[i].length : in.length;
        in.addr_bits = wrong[i].addr_bits ? wrong[i].addr_bits : in.addr_bits;
        in.node = wrong[i].node ? wrong[i].node : in.node;
        in.window_short = wrong[i].window_short;
        refused(PCMASTER_IOC_EXERCISE, &in, wrong[i].error, wrong[i].what);
    }
}

static void check_mapping(const struct pcmaster_allocate *buffer)
{
    void *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, node, (off_t)buffer->offset);
    struct pcmaster_free in = { .handle = buffer->handle };

    point(memory != MAP_FAILED, "a mapping");
    refused(PCMASTER_IOC_FREE, &in, EBUSY, "a buffer that is mapped is not freed");
    munmap(memory, PAGE);
    memory = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, node, (off_t)buffer->offset);
    point(memory == MAP_FAILED, "a mapping beyond the buffer");
    memory = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, node, (off_t)buffer->offset + PAGE);
    point(memory == MAP_FAILED, "a mapping from its middle");
    memory = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, node, (off_t)buffer->offset);
    point(memory == MAP_FAILED, "a private mapping");
}

static void check_free(uint32_t handle)
{
    struct pcmaster_free in = { .handle = 0 };

    refused(PCMASTER_IOC_FREE, &in, ENOENT, "handle 0");
    in.handle = handle + 1;
    refused(PCMASTER_IOC_FREE, &in, ENOENT, "a handle that was never given");
    in = (struct pcmaster_free){ .handle = handle, .reserved = 1 };
    refused(PCMASTER_IOC_FREE, &in, EINVAL, "a reserved field");
    in.reserved = 0;
    point(!ioctl(node, PCMASTER_IOC_FREE, &in), "freeing");
    refused(PCMASTER_IOC_FREE, &in, ENOENT, "freeing twice");
    refused(_IO('P', 0x99), NULL, ENOTTY, "a request there is not");
}

/* Whether so much can be had, by a process that then dies with all of it. */
static bool takes_and_dies(const char *path, uint32_t buffers)
{
    int status;
    pid_t child = fork();

    if (!child) {
        int file = open(path, O_RDWR);
        uint32_t i;

        for (i = 0; i < buffers; i++) {
            struct pcmaster_allocate in = fair;

            in.last = 0xffffff;
            in.length = 1u << 20;
            if (ioctl(file, PCMASTER_IOC_ALLOCATE, &in)) {
                _exit(1);
            }
        }
        kill(getpid(), SIGKILL);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status);
}

static void check_death(const char *path)
{
    bool all = true;
    int i;

    for (i = 0; i < 20; i++) {
        all = all && takes_and_dies(path, 4);
    }
    point(all, "what a process had is freed when it dies");
}

static void check_others(const char *path)
{
    int status;
    pid_t child = fork();

    if (!child) {
        _exit(!setuid(65534) && open(path, O_RDWR) < 0 && (errno == EACCES || errno == EPERM) ? 0 : 1);
    }
    point(child > 0 && waitpid(child, &status, 0) == child && !status, "for root only");
}

int check_node(const char *path)
{
    struct pcmaster_allocate buffer = fair;

    node = open(path, O_RDWR);
    if (node < 0) {
        printf("Bail out! %s: %s\n", path, strerror(errno));
        return 2;
    }
    check_allocate();
    point(!ioctl(node, PCMASTER_IOC_ALLOCATE, &buffer), "a fair request");
    check_exercise(buffer.handle);
    check_mapping(&buffer);
    check_free(buffer.handle);
    check_death(path);
    check_others(path);
    close(node);
    printf("1..%u\n", points);
    return failures ? 1 : 0;
}
