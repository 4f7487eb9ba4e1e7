/* SPDX-License-Identifier: MIT */
/* edu.sys: what it tries, and how it tells */
#include "edu.h"

#define FACTORIAL_LAST              12u     /* the last that 32 bits can hold */
#define ALIVE                       0x5ca1ab1eu
#define CAUSE                       0x00500000u

/* Results of all devices; devices may be started at the same time. */
static volatile LONG results;

static void report(BOOLEAN held, const char *name, const char *request, const struct outcome *outcome)
{
    LONG number = InterlockedIncrement(&results);
    const char *refusal = held ? "" : "not ";

    if (outcome && outcome->pieces) {
        DbgPrint("%sok %d - edu/%s\n  {\"request\": \"%s\", \"logical\": \"0x%llx-0x%llx\", "
                 "\"pieces\": %u, \"wrong\": %u, \"status\": \"%08x\", \"verdict\": \"%s\"}\n",
                 refusal, number, name, request, outcome->lowest, outcome->highest, outcome->pieces,
                 outcome->wrong, outcome->status, held ? "held" : "");
    } else {
        DbgPrint("%sok %d - edu/%s\n  {\"request\": \"%s\", \"status\": \"%08x\", \"verdict\": \"%s\"}\n",
                 refusal, number, name, request, outcome ? outcome->status : 0, held ? "held" : "");
    }
}

static void show_liveness(struct edu *edu)
{
    ULONG id = edu_read(edu, EDU_ID), answer;

    edu_write(edu, EDU_LIVENESS, ALIVE);
    answer = edu_read(edu, EDU_LIVENESS);
    DbgPrint("edu: identification %08x, liveness of %08x is %08x\n", id, ALIVE, answer);
    report((id & EDU_ID_MASK) == EDU_ID_VALUE && answer == ~ALIVE, "liveness",
           "identification and inversion", NULL);
}

static void show_interrupt(struct edu *edu)
{
    ULONG seen;

    edu_write(edu, EDU_RAISE, CAUSE);
    seen = hardware_wait(edu, ~0u);
    DbgPrint("edu: interrupt with cause %08x, left to acknowledge %08x\n", seen,
             edu_read(edu, EDU_CAUSES));
    report(seen == CAUSE && !edu_read(edu, EDU_CAUSES), "interrupt", "raise, serve, acknowledge", NULL);
}

/* The interrupt says that it is done; its cause is the device's to choose. */
static BOOLEAN factorial(struct edu *edu, ULONG number, PULONG result)
{
    edu_write(edu, EDU_STATUS, EDU_STATUS_INTERRUPT);
    edu_write(edu, EDU_FACTORIAL, number);
    if (!hardware_wait(edu, ~(ULONG)EDU_CAUSE_DMA) ||
        edu_read(edu, EDU_STATUS) & EDU_STATUS_COMPUTING) {
        return FALSE;
    }
    *result = edu_read(edu, EDU_FACTORIAL);
    return TRUE;
}

static void show_factorials(struct edu *edu)
{
    ULONG expected = 1, result = 0, number;

    for (number = 0; number <= FACTORIAL_LAST; number++) {
        expected *= number ? number : 1;
        if (!factorial(edu, number, &result) || result != expected) {
            break;
        }
    }
    DbgPrint("edu: the factorial of %u is %u\n", min(number, FACTORIAL_LAST), result);
    report(number > FACTORIAL_LAST, "factorial", "0! to 12!, told by interrupt", NULL);
}

void show(struct edu *edu)
{
    struct outcome outcome;

    show_liveness(edu);
    show_interrupt(edu);
    show_factorials(edu);
    transfer_common_buffer(edu, &outcome);
    report(NT_SUCCESS(outcome.status) && !outcome.wrong, "common-buffer",
           "2048 bytes there and back, common buffer", &outcome);
    transfer_packets(edu, &outcome);
    report(NT_SUCCESS(outcome.status) && !outcome.wrong, "packets",
           "4096 bytes there and back, scatter/gather list", &outcome);
}

void show_plan(void)
{
    DbgPrint("1..%d\n", results);
}
