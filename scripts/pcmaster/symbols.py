# SPDX-License-Identifier: MIT
"""Addresses in the guest's images as functions and source lines, from DWARF."""

import os
import re
import struct
from dataclasses import dataclass

from pcmaster import CHECKOUT, process

ADDR2LINE = "x86_64-w64-mingw32-addr2line"
UNKNOWN = "??"


@dataclass(frozen=True)
class Frame:
    """A function that was being run, and how far it had come."""

    module: str
    offset: int
    function: str = None    # None: the image does not tell
    file: str = None
    line: int = 0

    def __str__(self):
        if not self.function:
            return f"{self.module}+{self.offset:#x} (no debug information)"
        where = f" at {self.file}:{self.line}" if self.file else f" in {self.module}"
        return f"{self.function}{where}"


def resolve(places, images, exact_first=False):
    """Frames for (module, offset) pairs of return addresses, in their order.

    images: a module's name -> the path of its image. A function that was inlined
    comes before the one it became part of. exact_first: the first place is an
    instruction, no return address.
    """
    frames = [None] * len(places)
    for module in {module for module, _ in places}:
        numbers = [i for i, place in enumerate(places) if place[0] == module]
        wanted = [places[i][1] - (0 if exact_first and i == 0 else 1) for i in numbers]
        found = _lookup(images.get(module), wanted)
        for i, functions in zip(numbers, found):
            frames[i] = [Frame(module, places[i][1], *function) for function in functions
                         ] or [Frame(module, places[i][1])]
    return [frame for inlined in frames for frame in inlined]


def _lookup(image, offsets):
    """For each offset the (function, file, line) triples, the innermost first."""
    nothing = [[] for _ in offsets]
    try:
        base = image_base(image)
    except (OSError, TypeError, struct.error):
        return nothing
    text = process.output([ADDR2LINE, "-a", "-f", "-i", "-e", image,
                           *(hex(base + offset) for offset in offsets)])
    if text is None:
        return nothing
    answers = re.split(r"^0x[0-9a-f]+\n", text + "\n", flags=re.MULTILINE)[1:]
    return [_functions(answer.splitlines()) for answer in answers]


def _functions(lines):
    """What addr2line says of one address: a function and its place in turn."""
    found = []
    for function, place in zip(lines[::2], lines[1::2]):
        file, _, line = place.partition(" (")[0].rpartition(":")
        if function != UNKNOWN:
            known = file != UNKNOWN and line.isdigit()
            found.append((function, source(file) if known else None,
                          int(line) if known else 0))
    return found


def source(path):
    """A source file's path, from the checkout on if it is in there."""
    path = os.path.normpath(path)
    root = f"{CHECKOUT}{os.sep}"
    return path.removeprefix(root)


def image_base(path):
    """The address that a PE32+ image is linked for."""
    with open(path, "rb") as file:
        head = file.read(4096)
    start, = struct.unpack_from("<I", head, 0x3c)
    base, = struct.unpack_from("<Q", head, start + 24 + 24)
    return base
