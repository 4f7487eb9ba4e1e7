/* SPDX-License-Identifier: MIT */
/*
 * client.sys: sends the exercises to the driver
 *
 * It calls documented routines only.  What the host handed over it reads from
 * files under \??\fw_cfg.
 */
#ifndef PCMASTER_CLIENT_H
#define PCMASTER_CLIENT_H

#include <wdm.h>

#include "exercises.h"

#define CLIENT_POOL_TAG             0x6c434d50u     /* "PMCl" */

/* --- file.c: PASSIVE_LEVEL ------------------------------------------------- */

/* STATUS_OBJECT_NAME_NOT_FOUND: the host handed over no such file. */
NTSTATUS file_open(const WCHAR *name, HANDLE *file, ULONGLONG *bytes);
NTSTATUS file_read(HANDLE file, ULONGLONG offset, PVOID data, ULONG length);

/* --- link.c: PASSIVE_LEVEL ------------------------------------------------- */

/* A device, open: the driver's, or the machine's. */
struct link {
    PDEVICE_OBJECT device;
    PFILE_OBJECT file;
};

NTSTATUS link_open(struct link *link, const WCHAR *name);
void link_close(struct link *link);

/* Sends the I/O control code and waits; returns what the driver returned. */
NTSTATUS link_command(const struct link *link, ULONG code, const void *in, ULONG in_length, PVOID out,
                      ULONG out_length);

/* --- options.c --------------------------------------------------------------- */

/*
 * Cuts LINE, which must outlive OPTIONS, into its options.  Keys of others are
 * passed over.  FALSE: a value is wrong; a line says which.
 */
BOOLEAN options_parse(char *line, struct pcm_options *options);

#endif /* PCMASTER_CLIENT_H */
