# SPDX-License-Identifier: MIT
"""Reads TAP among a guest's other messages."""

import json
import re
from dataclasses import dataclass, field

PLAY = "play"       # the result that is no exercise's
PLAN = re.compile(r"1\.\.(\d+)\s*$")
POINT = re.compile(r"(not )?ok (\d+)(?: - (.*?))?(?:\s+#\s*(SKIP|TODO)\b\s*(.*))?\s*$", re.I)
BAIL = re.compile(r"Bail out!\s*(.*)$")
DETAILS = re.compile(r"\s+(\{.*\})\s*$")


@dataclass
class Point:
    """One line 'ok' or 'not ok', with the details that followed it."""

    number: int
    name: str
    ok: bool
    skipped: str = None
    details: dict = field(default_factory=dict)
    line: int = field(default=None, compare=False)      # its index in the console


@dataclass
class Results:
    """A whole TAP stream."""

    planned: int = None
    points: list = field(default_factory=list)
    bailed: str = None
    broken: list = field(default_factory=list)
    plan_line: int = field(default=None, compare=False)     # the plan's index there

    def faults(self):
        """What is wrong with the stream itself, as sentences."""
        found = list(self.broken)
        if self.bailed is not None:
            found.append(f"the guest gave up: {self.bailed}")
        if self.planned is None:
            found.append("the guest announced no plan")
        elif len(self.points) != self.planned:
            found.append(f"{len(self.points)} results came of {self.planned} planned")
        return found

    @property
    def failed(self):
        """The points that did not hold."""
        return [point for point in self.points if not point.ok]


def parse(lines):
    """The TAP among these lines; other lines are the guest's own messages."""
    results = Results()
    for index, line in enumerate(lines):
        if PLAN.match(line):
            _plan(results, int(PLAN.match(line)[1]), index)
        elif POINT.match(line):
            _point(results, POINT.match(line), index)
        elif BAIL.match(line):
            results.bailed = BAIL.match(line)[1]
        elif DETAILS.match(line) and results.points:
            _details(results, DETAILS.match(line)[1])
    return results


def _plan(results, count, index):
    if results.planned is not None:
        results.broken.append("the guest announced two plans")
    results.planned, results.plan_line = count, index


def _point(results, match, index):
    refused, number, name, directive, reason = match.groups()
    if int(number) != len(results.points) + 1:
        results.broken.append(f"result {number} came where "
                              f"{len(results.points) + 1} was due")
    skipped = reason if directive and directive.upper() == "SKIP" else None
    results.points.append(Point(int(number), name or "", not refused, skipped,
                                line=index))


def _details(results, text):
    point = results.points[-1]
    try:
        details = json.loads(text)
    except ValueError as error:
        results.broken.append(f"the details of {point.name} are no JSON: {error}")
        return
    if point.details:
        results.broken.append(f"{point.name} has details twice")
    point.details = details


def lines_of(lines):
    """Those lines that are TAP, to be kept as a TAP file."""
    kept = [line for line in lines if PLAN.match(line) or POINT.match(line)
            or BAIL.match(line) or DETAILS.match(line)
            or line.rstrip() in ("  ---", "  ...", "TAP version 13")]
    return kept
