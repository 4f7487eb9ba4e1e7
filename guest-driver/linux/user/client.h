/* SPDX-License-Identifier: MIT */
/* pcmaster-exercises for Linux: what its files share */
#ifndef CLIENT_H
#define CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pcmaster_exercise.h"
#include "pcmaster_ioctl.h"
#include "pcmaster_regs.h"

#define BUFFERS                     PCMASTER_BUFFERS_MAX
#define OBJECTS                     1024u
#define OBJECT_FIRST                0x40000000u     /* the handles of what is only ours */

/* A buffer of the device node, mapped. */
struct buffer {
    uint32_t handle;                /* 0: this place is free */
    uint32_t length;
    uint64_t address;
    uint64_t physical;
    uint8_t *memory;
    size_t mapped;
};

/* What stands for a DMA adapter, and for a channel with its buffer. */
struct object {
    bool used;
    uint32_t bits;                  /* address lines */
    struct buffer *buffer;
};

struct client {
    const char *path;               /* of the device node */
    int node;                       /* the same, open */
    bool iommu;                     /* the machine has one */
    uint32_t memory;                /* MiB of it */
    uint32_t addr_bits;             /* of the device */
    struct buffer buffers[BUFFERS];
    struct object objects[OBJECTS];
};

/* What a buffer must be like; LAST is inclusive. */
struct wanted {
    uint64_t last;
    uint64_t boundary;
    uint32_t length;
    uint32_t node;                  /* PCM_ANY_NODE: any */
    bool cached;
};

/* NULL: there is none. */
struct buffer *buffer_make(struct client *client, const struct wanted *wanted);
struct buffer *buffer_find(struct client *client, uint32_t handle);
bool buffer_free(struct client *client, struct buffer *buffer);

/* Bytes of a buffer that are not 0. */
uint32_t buffer_nonzero(const struct buffer *buffer);

/* A command of pcmaster_ioctl.h; PCM_STATUS_. */
uint32_t transfer(struct client *client, const struct buffer *buffer, const struct pcm_transfer *in,
                  struct pcm_transferred *out);
uint32_t command_run(struct client *client, uint32_t number, const void *in, uint32_t in_length, void *out,
                     uint32_t out_length);

/* Threads on all processors, as PCM_CMD_STRESS wants it; LAST: that the adapter reaches. */
uint32_t stress(struct client *client, const struct pcm_stress *in, uint64_t last, struct pcm_stressed *out);

/* Why the exercise of that name means nothing here; NULL: it does. */
const char *no_meaning(void *context, const char *name);

/* Wrong requests to the device node, as TAP; the exit status. */
int check_node(const char *path);

#endif /* CLIENT_H */
