/*
 * Loading of images at run time.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef EXECUTIVE_LDR_LDRP_H
#define EXECUTIVE_LDR_LDRP_H

#include "executive.h"

#include "pe.h"

/*
 * Loads a driver from the file in memory under Name: validates, relocates and
 * binds it (all imports that are missing are named on the console) and sets its
 * pages' protections. The file may be discarded afterwards.
 */
enum pe_status LdrpLoad(const char *Name, const VOID *File, SIZE_T Size,
                        PVOID *EntryPoint);

#endif
