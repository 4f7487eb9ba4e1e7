/* SPDX-License-Identifier: MIT */
/* Strings without a C library */
#include "text.h"

#include <stdarg.h>

void text_clear(struct text *text)
{
    text->used = 0;
    text->start[0] = '\0';
}

static void add_char(struct text *text, char c)
{
    if (text->used + 1 < text->room) {
        text->start[text->used++] = c;
        text->start[text->used] = '\0';
    }
}

static void add_string(struct text *text, const char *string)
{
    while (*string) {
        add_char(text, *string++);
    }
}

static void add_number(struct text *text, uint64_t value, unsigned base)
{
    char digits[20];
    unsigned count = 0;

    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (count) {
        add_char(text, digits[--count]);
    }
}

void text_add(struct text *text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    for (; *format; format++) {
        if (*format != '%') {
            add_char(text, *format);
            continue;
        }
        switch (*++format) {
        case 's':
            add_string(text, va_arg(arguments, const char *));
            break;
        case 'u':
            add_number(text, va_arg(arguments, uint32_t), 10);
            break;
        case 'U':
            add_number(text, va_arg(arguments, uint64_t), 10);
            break;
        case 'X':
            add_string(text, "0x");
            add_number(text, va_arg(arguments, uint64_t), 16);
            break;
        default:
            add_char(text, *format);
            break;
        }
    }
    va_end(arguments);
}

void text_add_json(struct text *text, const char *string)
{
    for (; *string; string++) {
        unsigned char c = (unsigned char)*string;

        if (c == '"' || c == '\\') {
            add_char(text, '\\');
            add_char(text, (char)c);
        } else if (c < ' ') {
            add_string(text, "\\u00");
            add_char(text, (char)('0' + (c >> 4)));
            add_char(text, "0123456789abcdef"[c & 15]);
        } else {
            add_char(text, (char)c);
        }
    }
}

/* SET: after the bracket.  Returns its closing bracket; NULL: there is none. */
static const char *match_set(const char *set, char c, bool *matched)
{
    bool inverted = *set == '!';
    bool found = false;
    const char *at = set + inverted;

    do {
        if (!*at) {
            return NULL;
        }
        if (at[1] == '-' && at[2] && at[2] != ']') {
            found |= c >= at[0] && c <= at[2];
            at += 3;
        } else {
            found |= c == *at++;
        }
    } while (*at != ']');
    *matched = found != inverted;
    return at;
}

/* Whether one character of the pattern takes C; *NEXT: the rest of it. */
static bool match_one(const char *pattern, char c, const char **next)
{
    bool matched;

    *next = pattern + 1;
    if (*pattern == '[') {
        const char *end = match_set(pattern + 1, c, &matched);

        if (end) {
            *next = end + 1;
            return matched;
        }
    }
    return *pattern == '?' || *pattern == c;
}

bool text_matches(const char *pattern, const char *string)
{
    const char *star = NULL, *resume = NULL, *next;

    while (*string) {
        if (*pattern == '*') {
            star = ++pattern;
            resume = string;
        } else if (*pattern && match_one(pattern, *string, &next)) {
            pattern = next;
            string++;
        } else if (star) {
            pattern = star;
            string = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return !*pattern;
}

bool text_equal(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}
