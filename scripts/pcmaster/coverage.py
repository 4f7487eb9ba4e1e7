# SPDX-License-Identifier: MIT
"""Which lines of the device a run of the tests executed, by gcov's figures."""

import json
import shutil
from dataclasses import dataclass

from pcmaster import overlay, process
from pcmaster.ui import Problem

LEAST_PERCENT = 95.0


@dataclass(frozen=True)
class File:
    """One source file: its name, and how often each line of code was run."""

    name: str
    counts: dict    # line -> count

    @property
    def missed(self):
        """The lines that were not run."""
        return sorted(line for line, count in self.counts.items() if not count)


def measure(notes, data):
    """The device's files, from the notes of the build and the counters of a run.

    notes: a folder with the .gcno files. data: the folder that the programs
    wrote their .gcda files to; it gets a copy of the notes. A file that no
    program has run counts with all of its lines.
    """
    found = {}
    for note in sorted(notes.glob("*.gcno")):
        shutil.copy2(note, data)
        listing = process.output(["gcov", "--json-format", "--stdout",
                                  data / note.name], cwd=data)
        if listing is None:
            raise Problem(f"gcov cannot read {data / note.name}")
        for report in map(json.loads, listing.splitlines()):
            _add(found, report)
    if not found:
        raise Problem(f"{notes} has no notes of a build that counts lines")
    return [File(name, counts) for name, counts in sorted(found.items())]


def _add(found, report):
    """Adds what one object file says; a header counts where any includes it."""
    folder = f"{overlay.DEVICE}/"
    for file in report["files"]:
        _, inside, name = file["file"].rpartition(folder)
        if not inside:
            continue
        counts = found.setdefault(name, {})
        for line in file["lines"]:
            number = line["line_number"]
            counts[number] = counts.get(number, 0) + line["count"]


def percent(files):
    """The share of the lines that were run."""
    lines = sum(len(file.counts) for file in files)
    missed = sum(len(file.missed) for file in files)
    return 100 * (lines - missed) / lines


def table(files):
    """The figures of each file and of all, as lines of text."""
    yield f"{'file':24} {'lines':>6} {'run':>6} {'%':>6}  not run"
    for file in files:
        yield _row(file.name, [file], ranges(file.missed))
    yield _row("all", files, "")


def _row(name, files, missed):
    lines = sum(len(file.counts) for file in files)
    run = lines - sum(len(file.missed) for file in files)
    return f"{name:24} {lines:6} {run:6} {percent(files):6.1f}  {missed}".rstrip()


def ranges(numbers):
    """Ascending line numbers in short: '3, 7-9'."""
    spans = []
    for number in numbers:
        if spans and spans[-1][1] == number - 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in spans)
