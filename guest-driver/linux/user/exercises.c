/* SPDX-License-Identifier: MIT */
/* pcmaster-exercises for Linux: runs the exercises through the device node, prints TAP */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "exercises.h"

static const char usage[] =
    "usage: pcmaster-exercises [--exercise GLOB] [--memory MIB] [--iommu] [--node FILE] [--check-node]\n"
    "  --exercise GLOB  only the exercises whose names match\n"
    "  --memory MIB     what the machine has\n"
    "  --iommu          the machine translates the device's addresses\n"
    "  --node FILE      the device node (/dev/pcmaster0)\n"
    "  --check-node     in place of the exercises: wrong requests, which it must refuse\n";

struct arguments {
    const char *node;
    bool check;
    struct pcm_options options;
};

static uint32_t command(void *context, uint32_t number, const void *in, uint32_t in_length, void *out,
                        uint32_t out_length)
{
    return command_run(context, number, in, in_length, out, out_length);
}

static void print(void *context, const char *line)
{
    (void)context;
    puts(line);
    fflush(stdout);
}

/* False: usage. */
static bool parse(int argc, char **argv, struct arguments *arguments)
{
    int i;

    for (i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;

        if (!strcmp(argv[i], "--iommu")) {
            arguments->options.iommu = 1;
        } else if (!strcmp(argv[i], "--check-node")) {
            arguments->check = true;
        } else if (!strcmp(argv[i], "--exercise") && value) {
            arguments->options.exercise = argv[++i];
        } else if (!strcmp(argv[i], "--memory") && value) {
            arguments->options.memory = (uint32_t)strtoul(argv[++i], NULL, 10);
        } else if (!strcmp(argv[i], "--node") && value) {
            arguments->node = argv[++i];
        } else {
            return false;
        }
    }
    return true;
}

static int run(const struct arguments *arguments)
{
    static struct client client;
    const struct pcm_ops ops = { .command = command, .print = print, .no_meaning = no_meaning,
                                 .spares_physical = true, .context = &client };
    enum pcm_outcome outcome;

    client.path = arguments->node;
    client.iommu = arguments->options.iommu;
    client.memory = arguments->options.memory;
    client.node = open(arguments->node, O_RDWR | O_CLOEXEC);
    if (client.node < 0) {
        fprintf(stderr, "pcmaster-exercises: %s: %s\n", arguments->node, strerror(errno));
        return 2;
    }
    outcome = pcm_run(&ops, &arguments->options);
    close(client.node);
    return outcome == PCM_ALL_HELD ? 0 : outcome == PCM_SOME_FAILED ? 1 : 2;
}

int main(int argc, char **argv)
{
    struct arguments arguments = { .node = "/dev/pcmaster0", .options = { .exercise = "*" } };

    if (argc == 2 && !strcmp(argv[1], "--help")) {
        fputs(usage, stdout);
        return 0;
    }
    if (!parse(argc, argv, &arguments)) {
        fputs(usage, stderr);
        return 2;
    }
    return arguments.check ? check_node(arguments.node) : run(&arguments);
}
