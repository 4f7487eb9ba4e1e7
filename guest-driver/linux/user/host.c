/* SPDX-License-Identifier: MIT */
/*
 * pcmaster-host: the way from the Linux guest to the host
 *
 *   pcmaster-host send PORT [FILE]     what a file or standard input holds goes out of a port
 *   pcmaster-host exit CODE            ends QEMU, with status 2 * CODE + 1
 *
 * QEMU's isa-debugcon and isa-debug-exit are behind the ports: no driver is needed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <unistd.h>

#define EXIT_PORT                   0xf4
#define ALL_PORTS                   3

static int fail(const char *what)
{
    fprintf(stderr, "pcmaster-host: %s: %s\n", what, strerror(errno));
    return EXIT_FAILURE;
}

static int number(const char *text, unsigned long most, unsigned long *value)
{
    char *end;

    errno = 0;
    *value = strtoul(text, &end, 0);
    return *text && !*end && !errno && *value <= most;
}

static int send_all(int file, unsigned short port)
{
    static unsigned char data[65536];
    ssize_t bytes, i;

    while ((bytes = read(file, data, sizeof(data))) > 0) {
        for (i = 0; i < bytes; i++) {
            outb(data[i], port);
        }
    }
    return bytes < 0 ? fail("read") : EXIT_SUCCESS;
}

static int send_file(const char *path, unsigned short port)
{
    int file = path ? open(path, O_RDONLY) : STDIN_FILENO, status;

    if (file < 0) {
        return fail(path);
    }
    status = send_all(file, port);
    if (path) {
        close(file);
    }
    return status;
}

int main(int argc, char **argv)
{
    int sends = argc >= 3 && argc <= 4 && !strcmp(argv[1], "send");
    int exits = argc == 3 && !strcmp(argv[1], "exit");
    unsigned long value;

    if ((!sends && !exits) || !number(argv[2], sends ? 0xffff : 0x7f, &value)) {
        fputs("usage: pcmaster-host send PORT [FILE] | exit CODE\n", stderr);
        return 2;
    }
    if (iopl(ALL_PORTS)) {
        return fail("no access to I/O ports");
    }
    if (sends) {
        return send_file(argc > 3 ? argv[3] : NULL, (unsigned short)value);
    }
    outl((unsigned int)value, EXIT_PORT);
    return EXIT_FAILURE;
}
