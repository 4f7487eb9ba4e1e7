/* SPDX-License-Identifier: MIT */
/*
 * Strings without a C library
 *
 * A text never grows over its room: what does not fit is dropped, and the
 * text stays terminated.
 */
#ifndef PCMASTER_TEXT_H
#define PCMASTER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
    char *start;
    size_t room;                        /* bytes, terminator included */
    size_t used;                        /* bytes, without it */
};

/* A text in the array ROOM, empty at first. */
#define TEXT(room)                  { (room), sizeof(room), 0 }

void text_clear(struct text *text);

/*
 * Appends FORMAT.  %s: const char *; %u: uint32_t, decimal; %U: uint64_t,
 * decimal; %X: uint64_t, as 0x1f; %%: a percent sign.
 */
void text_add(struct text *text, const char *format, ...);

/* Appends STRING as it stands inside a JSON string. */
void text_add_json(struct text *text, const char *string);

/* Shell patterns: * ? [abc] [a-z] [!a]; no character is special otherwise. */
bool text_matches(const char *pattern, const char *string);

bool text_equal(const char *a, const char *b);

#endif /* PCMASTER_TEXT_H */
