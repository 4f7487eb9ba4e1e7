# SPDX-License-Identifier: MIT
"""docs/ddi.md and the table of exercises: neither knows what the other does not."""

import json
import os
import re
import subprocess
import unittest
from fnmatch import fnmatchcase

from pcmaster import CHECKOUT, guest, tap

# A name or a pattern of names; what has a dot in it is a file.
NAME = re.compile(r"`([a-z]+/[a-z0-9-]*\*?)`")
# A file, by its path in the checkout or in the executive's folder.
FILE = re.compile(r"`([a-z0-9_./-]+\.(?:c|h|py|md))`")
PLACES = (CHECKOUT, CHECKOUT / "guest-driver/executive", CHECKOUT / "docs")
ROW = re.compile(r"^\| (?P<said>.*) \| (?P<shown>[^|]*) \|$", re.MULTILINE)
# What a row may point to instead of a name of its own.
BY_REFERENCE = re.compile(r"every exercise|each of these|the same|\]\(")
HEADINGS = ("Shown by", "Held by")
AT_LEAST = 120


class DdiTest(unittest.TestCase):
    """The page, and the program that lists the exercises."""

    @classmethod
    def setUpClass(cls):
        program = os.path.join(os.environ["PCMASTER_BUILD"], guest.IMAGES["exercises"])
        table = json.loads(subprocess.check_output([program, "--list"]))["exercises"]
        cls.table = [entry["name"] for entry in table]
        cls.text = (CHECKOUT / "docs/ddi.md").read_text()
        cls.named = set(NAME.findall(cls.text))

    def test_every_name_is_an_exercises(self):
        self.assertEqual([name for name in sorted(self.named)
                          if not any(fnmatchcase(known, name) for known in self.table)], [])

    def test_every_exercise_is_named(self):
        self.assertEqual([known for known in self.table
                          if not any(fnmatchcase(known, name) for name in self.named)], [])

    def test_every_row_is_shown_by_something(self):
        rows = [row for row in ROW.finditer(self.text) if row["shown"] not in HEADINGS]
        self.assertGreater(len(rows), 100)
        self.assertEqual([row["said"] for row in rows
                          if "`" not in row["shown"] and
                          not BY_REFERENCE.search(row["shown"])], [])

    def test_every_file_is_there(self):
        self.assertEqual([name for name in FILE.findall(self.text)
                          if not any((place / name).exists() for place in PLACES)], [])

    def test_no_name_is_given_twice(self):
        self.assertEqual(len(self.table), len(set(self.table)))
        self.assertNotIn(tap.PLAY, self.table)

    def test_there_are_many(self):
        self.assertGreaterEqual(len(self.table), AT_LEAST)
