/* SPDX-License-Identifier: MIT */
/*
 * violation.sys: makes the one mistake that the command line names
 *
 * It takes the place of client.sys.  Each mistake must stop the run with a bug
 * check whose report names it.
 */
#include "violation.h"

#include "client.h"

#define LINE_MAX                    1024u
#define KEY                         "violation="

static const struct violation *const groups[] = {
    pnp_violations, portcls_violations, memory_violations, system_violations,
};

/* The value of KEY in LINE, cut off at its end; NULL: there is none. */
static char *value_in(char *line)
{
    const ULONG length = sizeof(KEY) - 1;

    for (char *at = line; *at; at++) {
        if (RtlCompareMemory(at, KEY, length) == length) {
            char *end = at + length;

            while (*end && *end != ' ' && *end != '\n') {
                end++;
            }
            *end = '\0';
            return at + length;
        }
    }
    return NULL;
}

static char *wanted(char *line)
{
    ULONGLONG bytes;
    HANDLE file;
    NTSTATUS status = file_open(L"\\??\\fw_cfg\\cmdline", &file, &bytes);

    if (!NT_SUCCESS(status)) {
        return NULL;
    }
    RtlZeroMemory(line, 2 * LINE_MAX);
    status = bytes < LINE_MAX ? file_read(file, 0, line, (ULONG)bytes) : STATUS_BUFFER_OVERFLOW;
    ZwClose(file);
    return NT_SUCCESS(status) ? value_in(line) : NULL;
}

static bool same(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

static const struct violation *find(const char *name)
{
    for (ULONG i = 0; i < RTL_NUMBER_OF(groups); i++) {
        for (const struct violation *entry = groups[i]; entry->name; entry++) {
            if (same(entry->name, name)) {
                return entry;
            }
        }
    }
    return NULL;
}

static void list(void)
{
    for (ULONG i = 0; i < RTL_NUMBER_OF(groups); i++) {
        for (const struct violation *entry = groups[i]; entry->name; entry++) {
            DbgPrint("violation: %s\n", entry->name);
        }
    }
}

/*
 * Returns if nothing was noticed yet (what is never given back is noticed when
 * the run ends), or if no violation has that name.
 */
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING registry_path)
{
    static char line[2 * LINE_MAX];
    const char *name = wanted(line);
    const struct violation *violation = name ? find(name) : NULL;

    (void)registry_path;
    if (!violation) {
        list();
        return STATUS_INVALID_PARAMETER;
    }
    violation->commit(driver);
    DbgPrint("violation %s: not noticed so far\n", name);
    return STATUS_UNSUCCESSFUL;
}
