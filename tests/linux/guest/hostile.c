/* SPDX-License-Identifier: MIT */
/*
 * pcmaster-hostile: root at its worst, to the device node
 *
 *   pcmaster-hostile attack            everything that a program can do wrong, alone or in threads
 *   pcmaster-hostile hold              has buffers, mapped, when the card goes, and until /release is there
 *   pcmaster-hostile provoke COUNT     so many violations, a rest, and one more
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hostile.h"

#define OTHERS                      200
#define REST_S                      6       /* longer than the log's limit looks back */
#define RELEASE                     "/release"
#define REGISTERS                   "/sys/bus/pci/drivers/snd_pcmaster/*:*/resource0"

static int failures;
static sigjmp_buf touched;

void point(bool ok, const char *format, ...)
{
    va_list list;

    failures += !ok;
    printf("%s - ", ok ? "ok" : "not ok");
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    putchar('\n');
    fflush(stdout);
}

int node_open(void)
{
    int node = open(NODE, O_RDWR | O_CLOEXEC);

    if (node < 0) {
        point(false, "%s opens: %s", NODE, strerror(errno));
        exit(1);
    }
    return node;
}

int take(int node, uint32_t length, struct pcmaster_allocate *buffer)
{
    *buffer = (struct pcmaster_allocate){ .last = ~0ull, .boundary = ~0ull, .align = 1, .length = length,
                                          .node = PCMASTER_ANY_NODE, .flags = PCMASTER_CACHED };
    return ioctl(node, PCMASTER_IOC_ALLOCATE, buffer) ? errno : 0;
}

int give_back(int node, uint32_t handle)
{
    struct pcmaster_free in = { .handle = handle };

    return ioctl(node, PCMASTER_IOC_FREE, &in) ? errno : 0;
}

struct pcmaster_exercise command_on(uint32_t handle, uint32_t length, uint32_t window_short)
{
    return (struct pcmaster_exercise){
        .handle = handle, .command = PCM_EX_FILL, .length = length, .limit = ~0ull, .boundary = ~0ull,
        .addr_bits = PCM_ADDR_BITS_MAX, .node = PCMASTER_ANY_NODE, .window_short = window_short,
    };
}

void *map(int node, const struct pcmaster_allocate *buffer, size_t length, int protection, int flags)
{
    void *memory = mmap(NULL, length, protection, flags, node, (off_t)buffer->offset);

    return memory == MAP_FAILED ? NULL : memory;
}

bool in_a_child(bool (*work)(void *context), void *context)
{
    int status;
    pid_t child = fork();

    if (!child) {
        _exit(work(context) ? 0 : 1);
    }
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && !WEXITSTATUS(status);
}

/* Windows that are open, by the registers themselves; -1: they cannot be seen. */
static int open_windows(void)
{
    glob_t found;
    volatile uint32_t *registers = MAP_FAILED;
    int file = -1, count = 0;
    unsigned int n;

    if (!glob(REGISTERS, 0, NULL, &found)) {
        file = open(found.gl_pathv[0], O_RDWR | O_SYNC);
        globfree(&found);
    }
    if (file >= 0) {
        registers = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);
        close(file);
    }
    if (registers == MAP_FAILED) {
        return -1;
    }
    for (n = 0; n < PCM_WINDOW_COUNT && PCM_WINDOW(n) < PAGE; n++) {
        count += registers[(PCM_WINDOW(n) + PCM_W_CTRL) / 4] & PCM_W_ENABLE;
    }
    munmap((void *)registers, PAGE);
    return count;
}

void device_is_well(const char *after)
{
    int node = node_open(), windows;
    struct pcmaster_allocate buffer;
    static struct pcmaster_exercise in;
    bool filled = false;

    if (!take(node, MIB, &buffer)) {
        in = command_on(buffer.handle, MIB, 0);
        filled = !ioctl(node, PCMASTER_IOC_EXERCISE, &in) && in.result == PCM_EX_OK && in.done == MIB &&
                 !in.records;
    }
    close(node);
    windows = open_windows();
    point(filled, "DMA works after %s", after);
    point(windows == 1, "the sound card's window alone is open after %s: %d", after, windows);
}

/* --- the card goes ------------------------------------------------------------- */

static void signalled(int number)
{
    (void)number;
    siglongjmp(touched, 1);
}

static bool touching_is_a_signal(volatile uint8_t *memory)
{
    struct sigaction action = { .sa_handler = signalled };

    sigaction(SIGBUS, &action, NULL);
    if (sigsetjmp(touched, 1)) {
        return true;
    }
    memory[0]++;
    return false;
}

static int hold(void)
{
    struct pcmaster_allocate one, two;
    static struct pcmaster_facts facts;
    int node = node_open();
    uint8_t *memory, *untouched;

    if (take(node, 4 * MIB, &one) || take(node, PAGE, &two)) {
        point(false, "buffers to hold");
        return 1;
    }
    memory = map(node, &one, 4 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED);
    untouched = map(node, &one, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
    if (!memory || !untouched) {
        point(false, "mappings to hold");
        return 1;
    }
    memset(memory, 0x5a, 4 * MIB);
    puts("holding");
    fflush(stdout);
    while (!ioctl(node, PCMASTER_IOC_FACTS, &facts)) {
        usleep(1000);
    }
    point(errno == ENODEV, "requests fail when the card is gone: %s", strerror(errno));
    point(touching_is_a_signal(memory), "memory that was touched is gone with it");
    point(touching_is_a_signal(untouched), "and so is memory that was not");
    point(take(node, PAGE, &two) == ENODEV, "nothing is given any more");
    point(give_back(node, one.handle) == ENODEV, "nothing is taken back");
    point(!map(node, &one, PAGE, PROT_READ, MAP_SHARED) && errno == ENODEV, "nothing is mapped");
    while (access(RELEASE, F_OK)) {
        usleep(1000);
    }
    munmap(memory, 4 * MIB);
    munmap(untouched, PAGE);
    return close(node) || failures;
}

/* --- violations ------------------------------------------------------------------ */

static bool violate(int node, uint32_t handle)
{
    static struct pcmaster_exercise in;

    in = command_on(handle, PAGE, 1);
    return !ioctl(node, PCMASTER_IOC_EXERCISE, &in) && in.result == PCM_EX_VIOLATION && in.records == 1 &&
           !in.done;
}

static int provoke(unsigned int count)
{
    struct pcmaster_allocate buffer;
    struct pcmaster_record record;
    uint32_t read = 0, next = 0;
    unsigned int n, done = 0, gaps = 0;
    int node = node_open();

    /* The last of many, whose owner is known all the same. */
    for (n = 0; n < OTHERS + 1; n++) {
        if (take(node, PAGE, &buffer)) {
            point(false, "buffer %u", n);
            return 1;
        }
    }
    for (n = 0; n < count; n++) {
        done += violate(node, buffer.handle);
    }
    while (!ioctl(node, PCMASTER_IOC_READ_LOG, &record)) {
        gaps += read && record.sequence != next;
        next = record.sequence + 1;
        read++;
    }
    point(done == count, "%u of %u violations", done, count);
    point(read == count && !gaps, "the device's log has %u of them, with %u gaps", read, gaps);
    sleep(REST_S);
    point(violate(node, buffer.handle), "one more after a rest");
    close(node);
    return failures;
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "hold")) {
        return hold() ? 1 : 0;
    }
    if (argc == 3 && !strcmp(argv[1], "provoke")) {
        return provoke((unsigned int)strtoul(argv[2], NULL, 10)) ? 1 : 0;
    }
    if (argc != 2 || strcmp(argv[1], "attack")) {
        fputs("usage: pcmaster-hostile attack | hold | provoke COUNT\n", stderr);
        return 2;
    }
    attack_arguments();
    attack_mappings();
    attack_memory();
    attack_by_threads();
    attack_by_death();
    return failures ? 1 : 0;
}
