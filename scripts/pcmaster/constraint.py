# SPDX-License-Identifier: MIT
"""What IDmaChannel::AllocateBuffer made of its constraints, judged on the host.

An exercise tells each request and what came of it: "0xffff 65537" was refused,
"0xffff 65536 0x13fff0000" has its buffer there. Whether that is right is asked
of the definition, tried out; that the buffer is there, of the device's own log.
"""

import re

START = re.compile(r"pcmaster_exerciser_start command (?P<command>\d+) "
                   r"address (?P<address>0x[0-9a-f]+) length (?P<length>\d+)")
FILL, VERIFY = 1, 2
BITS = 64
PAGE = 4096
SHOWN = 3


def keeps(constraint, first, length):
    """Whether all of these addresses agree in each bit that the constraint lacks."""
    last = first + length - 1
    return all(constraint >> bit & 1 or first >> bit == last >> bit
               for bit in range(BITS)) and not last >> BITS


def possible(constraint, length):
    """Whether there is such a buffer anywhere: it is tried on each side of each line."""
    lines = [0] + [1 << bit for bit in range(BITS)]
    return any(keeps(constraint, first, length) for first in lines)


def transfers(lines):
    """What the device's exerciser was told to do: {(command, address, length)}."""
    return {(int(match["command"]), int(match["address"], 16), int(match["length"]))
            for match in map(START.search, lines) if match}


def judge(points, lines):
    """Where the constraints of these results were not kept, as sentences."""
    done = transfers(lines)
    found = [f"{point.name}: {complaint}" for point in points if point.ok
             for text in point.details.get("constraints", [])
             for complaint in _one(text, done)]
    return found[:SHOWN]


def _one(text, done):
    constraint, length, *address = (int(number, 0) for number in text.split())
    if not address:
        if possible(constraint, length):
            yield f"{length} bytes within {constraint:#x} were refused"
        return
    first = address[0]
    if first % PAGE or not keeps(constraint, first, length):
        yield f"{length} bytes at {first:#x} are not within {constraint:#x}"
    for command in (FILL, VERIFY):
        if (command, first, length) not in done:
            yield (f"the device knows nothing of command {command} on {length} bytes at "
                   f"{first:#x}")
