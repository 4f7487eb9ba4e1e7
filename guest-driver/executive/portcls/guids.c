/*
 * The GUIDs of kernel streaming and of PortCls, once for the image.
 *
 * SPDX-License-Identifier: MIT
 */
#include <initguid.h>
#include "pcp.h"
