/* SPDX-License-Identifier: MIT */
/* client.sys: the GUIDs of kernel streaming that it uses */
#include <initguid.h>

#include "portcls_wave.h"
