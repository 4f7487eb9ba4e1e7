/* SPDX-License-Identifier: MIT */
/* A driver for pe-linked.c: it imports from pe-library.dll and needs fix-ups. */

__declspec(dllimport) int library_add(int a, int b);
__declspec(dllimport) extern int library_value;
__declspec(dllimport) int not_in_the_library(void);

int DriverEntry(void);

static int zeroes[3000]; /* no bytes in the file */
int (*volatile entries[])(void) = { DriverEntry, DriverEntry };

int DriverEntry(void)
{
    zeroes[1] = library_add(library_value, not_in_the_library());
    return entries[1] == entries[0] ? zeroes[0] : zeroes[1];
}
