/* SPDX-License-Identifier: MIT */
/* client.sys: the boot command line, KEY=VALUE separated by spaces */
#include "client.h"

#include "text.h"

/* The value if WORD starts with "KEY=", else NULL. */
static char *value_of(char *word, const char *key)
{
    while (*key && *word == *key) {
        word++;
        key++;
    }
    return !*key && *word == '=' ? word + 1 : NULL;
}

/* Reads digits from *AT on; FALSE: there are none, or too many. */
static BOOLEAN number_read(char **at, uint32_t *number)
{
    uint64_t value = 0;
    char *start = *at;

    while (**at >= '0' && **at <= '9' && value <= 0xffffffffull / 10) {
        value = 10 * value + (uint64_t)(*(*at)++ - '0');
    }
    *number = (uint32_t)value;
    return *at != start && value <= 0xffffffffull;
}

/* RATE:CHANNELS:SAMPLE */
static BOOLEAN play_parse(char *value, struct pcm_options *options)
{
    if (!number_read(&value, &options->rate) || *value++ != ':' ||
        !number_read(&value, &options->channels) || *value++ != ':' || !*value) {
        return FALSE;
    }
    options->sample = value;
    return TRUE;
}

static BOOLEAN option_parse(char *word, struct pcm_options *options)
{
    char *value;

    if ((value = value_of(word, "exercise"))) {
        options->exercise = value;
    } else if ((value = value_of(word, "fault"))) {
        options->fault = value;
    } else if ((value = value_of(word, "policy"))) {
        options->policy = value;
    } else if ((value = value_of(word, "memory"))) {
        return number_read(&value, &options->memory) && !*value;
    } else if ((value = value_of(word, "iommu"))) {
        return number_read(&value, &options->iommu) && options->iommu <= 1 && !*value;
    } else if ((value = value_of(word, "platform"))) {
        options->platform = value;
    } else if ((value = value_of(word, "play"))) {
        return play_parse(value, options);
    }
    return TRUE;
}

BOOLEAN options_parse(char *line, struct pcm_options *options)
{
    while (*line) {
        char *word = line;

        while (*line && *line != ' ' && *line != '\n') {
            line++;
        }
        if (*line) {
            *line++ = '\0';
        }
        if (!option_parse(word, options)) {
            DbgPrint("client: wrong option: %s\n", word);
            return FALSE;
        }
    }
    return TRUE;
}
