/* SPDX-License-Identifier: MIT */
/* pcmaster-hostile: what its files share */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "pcmaster_exercise.h"
#include "pcmaster_regs.h"

#define PAGE                        4096u
#define MIB                         (1024u * 1024u)
#define NODE                        "/dev/pcmaster0"

/* A line of TAP; what is not ok decides the exit status. */
void point(bool ok, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The node, open anew; the program ends if it cannot be. */
int node_open(void);

/* A request that can be met; 0 or an errno. *BUFFER is filled in. */
int take(int node, uint32_t length, struct pcmaster_allocate *buffer);
int give_back(int node, uint32_t handle);

/* A command on the first LENGTH bytes of a buffer, under no other rule than SHORT. */
struct pcmaster_exercise command_on(uint32_t handle, uint32_t length, uint32_t window_short);

/* NULL: errno says why there is no mapping. */
void *map(int node, const struct pcmaster_allocate *buffer, size_t length, int protection, int flags);

/* All of the device's DMA works, and no window is open but those of the sound card. */
void device_is_well(const char *after);

/* Runs in a process of its own; false: it did not end by itself with status 0. */
bool in_a_child(bool (*work)(void *context), void *context);

void attack_arguments(void);
void attack_mappings(void);
void attack_memory(void);
void attack_by_threads(void);
void attack_by_death(void);

#endif /* HOSTILE_H */
