# SPDX-License-Identifier: MIT
"""A first look at a driver's file, so that a wrong one is named before a boot.

The guest's loader judges the image itself; this only tells a person who gave
the wrong file, or half of one. Offsets: Microsoft's "PE Format".
"""

import struct

from pcmaster.ui import Problem

AMD64, PE32_PLUS, NATIVE = 0x8664, 0x20b, 1


def check(path):
    """Raises Problem unless the file is a whole 64-bit kernel-mode image."""
    try:
        with open(path, "rb") as file:
            raw = file.read()
    except OSError as error:
        raise Problem(f"{path}: {error.strerror}") from error
    try:
        fault = _fault(raw)
    except struct.error:
        fault = "its headers are cut short"
    if fault:
        raise Problem(f"{path} is no driver that can be loaded: {fault}.")


def _fault(raw):
    """What is wrong with an image, or None."""
    if raw[:2] != b"MZ":
        return "it does not begin with MZ"
    start, = struct.unpack_from("<I", raw, 0x3c)
    if raw[start:start + 4] != b"PE\0\0":
        return "it has no PE signature"
    machine, sections, _, _, _, optional = struct.unpack_from("<HHIIIH", raw, start + 4)
    if machine != AMD64:
        return f"it is made for machine {machine:#x}, not for x86-64 ({AMD64:#x})"
    magic, = struct.unpack_from("<H", raw, start + 24)
    if magic != PE32_PLUS:
        return "it is no PE32+ image"
    subsystem, = struct.unpack_from("<H", raw, start + 24 + 68)
    if subsystem != NATIVE:
        return f"its subsystem is {subsystem}, not native ({NATIVE})"
    for number in range(sections):
        header = start + 24 + optional + 40 * number
        size, offset = struct.unpack_from("<II", raw, header + 16)
        if offset + size > len(raw):
            return f"it is cut short: section {number} ends past the file"
    return None
