/* SPDX-License-Identifier: MIT */
/* A library for pe-linked.c, as mingw-w64 links it. */

__declspec(dllexport) int library_value = 0x1234;

__declspec(dllexport) int library_add(int a, int b)
{
    return a + b;
}

__declspec(dllexport) int *library_pointers[] = { &library_value, 0,
                                                  &library_value };

__declspec(dllexport) int library_entry(void)
{
    return library_add(library_value, *library_pointers[0]);
}
