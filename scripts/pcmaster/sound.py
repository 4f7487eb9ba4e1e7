# SPDX-License-Identifier: MIT
"""The exercises' sound, made a second time, and looked for in a recording.

guest-driver/exercises/voice.c makes it frame by frame from a seed. A guest says
in its results which sounds must have been heard; what it muted is silence here.
"""

import struct

WORD = 0xffffffff
# What QEMU's mixer makes of 0 in a recording of bytes; a voice of bytes has 0x80.
NO_VOICE = 0x7f


def sample(seed, index):
    """A sample of 16 bits, as voice.c makes it."""
    x = (index * 0x9e3779b1 + seed * 0x85ebca77) & WORD
    x ^= x >> 15
    x = x * 0x2c1b3c6d & WORD
    x ^= x >> 13
    return x >> 16 | 1


def make(seed, frames, sample_bytes):
    """Two channels of it, as QEMU's mixer hands them to a recording of that size."""
    values = [sample(seed, index) for index in range(2 * frames)]
    if sample_bytes == 1:
        return bytes((value >> 8) + NO_VOICE & 0xff for value in values)
    return struct.pack(f"<{len(values)}H", *values)


def shared(one, other):
    """How many bytes the two have in common from their beginning on."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low


class Heard:
    """Goes through a recording on two channels, sound by sound."""

    def __init__(self, recorded):
        self.size = recorded.frame_bytes
        self.sample_bytes = recorded.sample_bytes
        self.left = recorded.data

    def skip_silence(self):
        """Returns how many frames of it there were."""
        silence = bytes((0x80, NO_VOICE)) if self.sample_bytes == 1 else b"\0"
        silent = (len(self.left) - len(self.left.lstrip(silence))) // self.size
        self.left = self.left[silent * self.size:]
        return silent

    def find(self, seed, most, gaps):
        """Frames of the sound, in order, with that many gaps of silence at most."""
        due = make(seed, most, self.sample_bytes)
        self.skip_silence()
        while True:
            found = shared(due, self.left) // self.size * self.size
            due, self.left = due[found:], self.left[found:]
            if not due or not gaps or not self.skip_silence():
                return most - len(due) // self.size
            gaps -= 1

    def rest(self, silent):
        """What follows, with no more than so many frames of silence before it."""
        before = self.left
        passed = max(0, self.skip_silence() - silent)
        return before[passed * self.size:]


def lead(wav):
    """Frames of silence that a sound on two channels begins with."""
    return Heard(wav).skip_silence()


def judge(heard, points):
    """What was not heard as the points say, as sentences."""
    complaints = []
    for point in points:
        for due in point.details.get("sounds", []) if point.ok else []:
            found = heard.find(due["seed"], due["most"], due["gaps"])
            if found < due["least"]:
                complaints.append(f"{point.name}: of {due['least']} frames that were played "
                                  f"the host heard {found}")
    return tuple(complaints)
