/* SPDX-License-Identifier: MIT */
/* selftest.sys: the GUIDs of kernel streaming and of PortCls */
#include <ntddk.h>

#include <initguid.h>
#include "portcls_adapter.h"
