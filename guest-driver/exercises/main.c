/* SPDX-License-Identifier: MIT */
/* pcmaster-exercises: the names of the exercises and faults, on the host */
#include <stdio.h>
#include <string.h>

#include "exercises.h"
#include "text.h"

static const char usage[] = "usage: pcmaster-exercises --list | --help\n"
                            "  --list   print the exercises and faults as JSON\n"
                            "  --help   print this\n";

static void print_member(const char *name, const char *value, const char *after)
{
    char room[1024] = "";
    struct text text = TEXT(room);

    text_add_json(&text, value);
    printf("\"%s\":\"%s\"%s", name, text.start, after);
}

static void print_list(const char *name, struct pcm_listed (*at)(uint32_t index))
{
    struct pcm_listed entry;
    uint32_t i;

    printf("\"%s\":[", name);
    for (i = 0; (entry = at(i)).name; i++) {
        printf("%s\n {", i ? "," : "");
        print_member("name", entry.name, ",");
        if (entry.rule) {
            print_member("rule", entry.rule, ",");
        }
        print_member("about", entry.about, "}");
    }
    printf("]");
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--list")) {
        printf("{");
        print_list("exercises", pcm_exercise_at);
        printf(",\n");
        print_list("faults", pcm_fault_at);
        printf(",\n");
        print_list("mistakes", pcm_mistake_at);
        printf("}\n");
        return ferror(stdout) || fflush(stdout) ? 1 : 0;
    }
    if (argc == 2 && !strcmp(argv[1], "--help")) {
        fputs(usage, stdout);
        return 0;
    }
    if (argc > 1) {
        fprintf(stderr, "pcmaster-exercises: unknown argument: %s\n", argv[1]);
    }
    fputs(usage, stderr);
    return 2;
}
