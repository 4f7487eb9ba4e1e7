# SPDX-License-Identifier: MIT
"""Runs scripts/run as a person would, for the tests in this folder."""

import json
import shutil
import subprocess
import tempfile
import unittest
from dataclasses import dataclass
from pathlib import Path

from pcmaster import CHECKOUT

RUN = CHECKOUT / "scripts/run"


@dataclass(frozen=True)
class Ran:
    """What a run left: its exit status, what it printed, its out folder."""

    status: int
    text: str
    out: Path

    def results(self):
        """results.json, or an empty dictionary if there is none."""
        path = self.out / "results.json"
        return json.loads(path.read_text()) if path.is_file() else {}


def run(out, *words):
    """Runs scripts/run with these words and that out folder."""
    words = [str(word) for word in (RUN, "--out", out, *words)]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace")
    return Ran(done.returncode, done.stdout, Path(out))


class RunCase(unittest.TestCase):
    """A case with a folder of its own; its message holds what was printed."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="pcmaster-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def run_with(self, *words):
        """Runs into a fresh out folder."""
        out = tempfile.mkdtemp(dir=self.folder)
        return run(out, *words)

    def assert_status(self, status, ran):
        """The exit status, with all that was printed if it is another."""
        self.assertEqual(status, ran.status, f"\n{ran.text}")
