/* SPDX-License-Identifier: MIT */
/* What a program of these tests says in the end, and the clock */
#ifndef VERDICT_H
#define VERDICT_H

/* Of the test that runs. */
extern const char *name;

/* Prints a line of TAP without a number and ends the program; status 1 if not ok. */
void verdict(int ok, const char *format, ...) __attribute__((format(printf, 2, 3), noreturn));

/* Ends the program if ALSA said that what it did went wrong. */
void must(long result, const char *what);

/* Seconds. */
double now(void);

#endif /* VERDICT_H */
