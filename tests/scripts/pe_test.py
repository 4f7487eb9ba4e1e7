# SPDX-License-Identifier: MIT
"""The first look at a driver's file."""

import struct
import tempfile
import unittest
from pathlib import Path

from pcmaster import pe
from pcmaster.ui import Problem

START, OPTIONAL = 0x80, 240


def image(machine=pe.AMD64, magic=pe.PE32_PLUS, subsystem=pe.NATIVE, section=0x200):
    """A small image with one section, of that many bytes at offset 0x200."""
    raw = bytearray(0x400)
    raw[:2] = b"MZ"
    struct.pack_into("<I", raw, 0x3c, START)
    raw[START:START + 4] = b"PE\0\0"
    struct.pack_into("<HHIIIHH", raw, START + 4, machine, 1, 0, 0, 0, OPTIONAL, 0x22)
    struct.pack_into("<H", raw, START + 24, magic)
    struct.pack_into("<H", raw, START + 24 + 68, subsystem)
    struct.pack_into("<II", raw, START + 24 + OPTIONAL + 16, section, 0x200)
    return bytes(raw)


class PeTest(unittest.TestCase):
    """What check() takes and refuses."""

    def check(self, raw):
        """Looks at these bytes as a file."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "driver.sys"
            path.write_bytes(raw)
            pe.check(path)

    def refused(self, raw, reason):
        """These bytes must be refused for that reason."""
        with self.assertRaisesRegex(Problem, reason):
            self.check(raw)

    def test_a_driver(self):
        self.check(image())

    def test_other_files(self):
        self.refused(b"", "begin with MZ")
        self.refused(b"\x7fELF" + bytes(100), "begin with MZ")
        self.refused(b"MZ" + bytes(0x100), "no PE signature")
        self.refused(image(machine=0x14c), "machine 0x14c")
        self.refused(image(magic=0x10b), "PE32\\+")
        self.refused(image(subsystem=3), "subsystem is 3")

    def test_a_file_that_is_cut_short(self):
        self.refused(b"MZ", "cut short")
        self.refused(image()[:START + 10], "cut short")
        self.refused(image()[:0x3ff], "section 0 ends past")
        self.refused(image(section=0xfffffff0), "section 0 ends past")

    def test_no_length_upsets_it(self):
        whole = image()
        for length in range(len(whole)):
            with self.subTest(length=length):
                self.refused(whole[:length], "no driver")

    def test_a_file_that_is_not_there(self):
        with self.assertRaisesRegex(Problem, "No such file"):
            pe.check("/nonexistent.sys")
