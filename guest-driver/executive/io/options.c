/*
 * Options of the boot command line: KEY=VALUE, separated by spaces.
 *
 * SPDX-License-Identifier: MIT
 */
#include "iop.h"

static char Line[BOOT_COMMAND_LINE_MAX];

void IopInitializeOptions(const struct boot_block *Boot)
{
    RtlCopyMemory(Line, Boot->command_line, sizeof(Line));
}

const char *IopCommandLine(void)
{
    return Line;
}

static bool EndsWord(char Character)
{
    return !Character || Character == ' ' || Character == '\n';
}

/* The text behind "Name=" if Word begins so, else NULL. */
static const char *ValueOf(const char *Word, const char *Name)
{
    while (*Name && *Word == *Name) {
        Word++;
        Name++;
    }
    return !*Name && *Word == '=' ? Word + 1 : NULL;
}

BOOLEAN IopBootOption(const char *Name, char *Value, ULONG Size)
{
    for (const char *word = Line; *word; word++) {
        const char *value = word == Line || EndsWord(word[-1])
                                ? ValueOf(word, Name) : NULL;
        ULONG length = 0;

        if (!value) {
            continue;
        }
        while (!EndsWord(value[length]) && length + 1 < Size) {
            Value[length] = value[length];
            length++;
        }
        Value[length] = 0;
        return TRUE;
    }
    return FALSE;
}
