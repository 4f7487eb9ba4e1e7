# SPDX-License-Identifier: MIT
"""Line coverage, from what a real compiler and gcov write."""

import subprocess
import tempfile
import unittest
from pathlib import Path

from pcmaster import coverage, overlay
from pcmaster.ui import Problem

SOURCE = """\
#include "h.h"
int main(int argc, char **argv)
{
    if (argc > 1) {
        return twice(argc);
    }
    return 0;
}
"""
HEADER = "static inline int twice(int a)\n{\n    return a + a;\n}\n"
UNUSED = "int unused(void)\n{\n    return 1;\n}\n"
ELSEWHERE = "int elsewhere(void)\n{\n    return 1;\n}\n"


class CoverageTest(unittest.TestCase):
    """A program that is built like the device and run or not."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.notes, self.data = self.root / "notes", self.root / "data"
        device = self.root / overlay.DEVICE
        for path in (self.notes, self.data, device):
            path.mkdir(parents=True)
        for path, text in ((device / "a.c", SOURCE), (device / "h.h", HEADER),
                           (device / "b.c", UNUSED), (self.root / "c.c", ELSEWHERE)):
            path.write_text(text)
        for path in [*device.glob("*.c"), self.root / "c.c"]:
            self.build("-c", path, "-o", self.notes / f"{path.name}.o")
        self.build(*self.notes.glob("*.o"), "-o", self.root / "program")

    def build(self, *words):
        """Runs the compiler."""
        subprocess.run(["gcc", "--coverage", *words], check=True, cwd=self.root)

    def measured(self, *arguments):
        """The figures after the program ran with these arguments."""
        subprocess.run([self.root / "program", *arguments], check=not arguments,
                       env={"GCOV_PREFIX": str(self.data), "GCOV_PREFIX_STRIP": "99"})
        return {file.name: file for file in coverage.measure(self.notes, self.data)}

    def test_lines_that_were_not_run(self):
        files = self.measured()
        self.assertEqual(files["a.c"].missed, [5])
        self.assertEqual(files["h.h"].missed, [1, 3])
        self.assertEqual(files["a.c"].counts[4], 1)

    def test_lines_that_were_run(self):
        files = self.measured("argument")
        self.assertEqual(files["a.c"].missed, [7])
        self.assertEqual(files["h.h"].missed, [])

    def test_a_file_that_nothing_called_counts(self):
        self.assertEqual(self.measured()["b.c"].missed, [1, 3])

    def test_files_elsewhere_do_not_count(self):
        self.assertEqual(sorted(self.measured()), ["a.c", "b.c", "h.h"])

    def test_a_build_without_notes(self):
        with self.assertRaisesRegex(Problem, "counts lines"):
            coverage.measure(self.data, self.data)


class FiguresTest(unittest.TestCase):
    """Percentages and the table."""

    FILES = [coverage.File("a.c", {1: 1, 2: 0, 3: 0, 4: 5}),
             coverage.File("b.c", {1: 1, 2: 1, 3: 1, 4: 1})]

    def test_percent_is_of_all_lines(self):
        self.assertEqual(coverage.percent(self.FILES), 75.0)

    def test_the_table_names_the_lines(self):
        lines = list(coverage.table(self.FILES))
        self.assertRegex(lines[1], r"^a\.c +4 +2 +50\.0  2-3$")
        self.assertRegex(lines[2], r"^b\.c +4 +4 +100\.0$")
        self.assertRegex(lines[3], r"^all +8 +6 +75\.0$")

    def test_ranges(self):
        for numbers, text in (([], ""), ([4], "4"), ([1, 2, 3], "1-3"),
                              ([1, 3, 4, 9], "1, 3-4, 9")):
            self.assertEqual(coverage.ranges(numbers), text)
