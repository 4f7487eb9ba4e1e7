/* SPDX-License-Identifier: MIT */
#ifndef PCMASTER_SELFTEST_FILTERLINK_H
#define PCMASTER_SELFTEST_FILTERLINK_H

#include "client.h"

/* PASSIVE_LEVEL.  The driver's filter, as clients find it. */
NTSTATUS link_open_filter(struct link *link);

#endif
